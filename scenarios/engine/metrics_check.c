/*
 * metrics_check.c - recomputes the pool's metrics from its timeline.
 */
#include "scenarios/engine/metrics_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Indexes into the values of events, as wspool_trace.h lists them. */
enum { GRANTED_QUEUE_WAIT = 0, GRANTED_REUSED = 1, GRANTED_QUEUED = 2 };
enum { FAILED_QUEUE_WAIT = 0, FAILED_QUEUED = 2 };
enum { PICKED_DURATION = 0, PREWARM_NEED = 0 };

struct sums {
  int64_t queue_wait_ns;
  int64_t pick_ns;
  int64_t queued;
  int64_t queued_ended;
};

static void count_event(const struct sim_event *event, struct wsp_metrics *metrics,
                        struct sums *sums) {
  switch (event->kind) {
    case WSP_ACQUIRE_STARTED:
      metrics->acquire_total++;
      break;
    case WSP_ACQUIRE_QUEUED:
      metrics->acquire_queue_wait_total++;
      sums->queued++;
      break;
    case WSP_ACQUIRE_PICKED:
      metrics->conn_pick_total++;
      sums->pick_ns += event->values[PICKED_DURATION];
      break;
    case WSP_ACQUIRE_GRANTED:
      metrics->acquire_reuse_total += event->values[GRANTED_REUSED] != 0;
      metrics->acquire_create_total += event->values[GRANTED_REUSED] == 0;
      sums->queue_wait_ns += event->values[GRANTED_QUEUE_WAIT];
      sums->queued_ended += event->values[GRANTED_QUEUED] != 0;
      break;
    case WSP_ACQUIRE_FAILED:
      sums->queue_wait_ns += event->values[FAILED_QUEUE_WAIT];
      sums->queued_ended += event->values[FAILED_QUEUED] != 0;
      break;
    case WSP_PREWARM_STARTED:
      metrics->scale_up_total += event->values[PREWARM_NEED];
      break;
    case WSP_CONN_EVICTED:
      metrics->scale_down_total +=
          event->cause == WSP_REASON_MAX_IDLE || event->cause == WSP_REASON_ROOM;
      break;
    default:
      break;
  }
}

void scn_metrics_recompute(const struct sim_trace *trace, struct wsp_metrics *metrics,
                           bool *complete) {
  *metrics = (struct wsp_metrics){0};
  struct sums sums = {0};
  const struct sim_event *events = sim_trace_events(trace);
  uint64_t count = sim_trace_count(trace);
  for (uint64_t i = 0; i < count; i++) {
    count_event(&events[i], metrics, &sums);
  }
  metrics->acquire_queue_wait_ms_total = sums.queue_wait_ns / WSP_MILLISECOND;
  metrics->conn_pick_ms_total = sums.pick_ns / WSP_MILLISECOND;
  *complete = sums.queued == sums.queued_ended;
}

static void compare(const char *name, int64_t expected, int64_t found, char *detail, size_t size) {
  size_t length = strlen(detail);
  if (expected != found && length < size) {
    snprintf(detail + length, size - length,
             "%s%s: the timeline gives %" PRId64 ", the pool says %" PRId64, length > 0 ? "; " : "",
             name, expected, found);
  }
}

bool scn_metrics_check(const struct sim_trace *trace, const struct wsp_metrics *metrics,
                       char *detail, size_t size) {
  struct wsp_metrics expected;
  bool complete;
  scn_metrics_recompute(trace, &expected, &complete);
  if (!complete) {
    expected.acquire_queue_wait_ms_total = metrics->acquire_queue_wait_ms_total;
  }
  detail[0] = '\0';
#define COMPARE_METRIC(name) compare(#name, expected.name, metrics->name, detail, size);
  WSP_METRIC_LIST(COMPARE_METRIC)
#undef COMPARE_METRIC
  return detail[0] == '\0';
}
