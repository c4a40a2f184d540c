/*
 * measures.h - how long things took in a recorded scenario, in ascending order.
 */
#ifndef REPORTS_MEASURES_H
#define REPORTS_MEASURES_H

#include "reports/input.h"

/* X(enumerator, name, kind of event, another one, field of its detail): queue waits also of
 * acquires that failed, dials and pings that succeeded. */
#define REP_MEASURE_LIST(X)                                                                     \
  X(REP_MEASURE_QUEUE_WAIT, "queue_wait", "acquire_granted", "acquire_failed", "queue_wait_ns") \
  X(REP_MEASURE_HOLD, "hold", "lease_released", "lease_lost", "held_ns")                        \
  X(REP_MEASURE_DIAL, "dial", "dial_succeeded", "", "latency_ns")                               \
  X(REP_MEASURE_PING, "ping", "ping_succeeded", "", "latency_ns")

enum rep_measure {
#define REP_ENUMERATOR(id, name, kind, other, field) id,
  REP_MEASURE_LIST(REP_ENUMERATOR)
#undef REP_ENUMERATOR
      REP_MEASURE_COUNT
};

const char *rep_measure_name(enum rep_measure measure);

/* Zero-filled: no samples. */
struct rep_samples {
  int64_t *values_ns; /* ascending */
  size_t count, capacity;
};

struct rep_measures {
  struct rep_samples samples[REP_MEASURE_COUNT];
};

/* False after `message` was filled; deinit it then too. */
bool rep_measures_read(struct rep_measures *measures, const struct rep_item *item, char *message,
                       size_t size);
void rep_measures_deinit(struct rep_measures *measures);

/* The nearest-rank percentile, the smallest sample that `per_mille` thousandths of the samples do
 * not exceed: one that occurred. There must be samples. */
int64_t rep_samples_percentile(const struct rep_samples *samples, unsigned per_mille);

#endif
