/*
 * summary.h - a recorded scenario in a few numbers.
 */
#ifndef REPORTS_SUMMARY_H
#define REPORTS_SUMMARY_H

#include "reports/input.h"

/* X(name, kind of event): how many there are. */
#define REP_OPERATION_LIST(X)            \
  X(acquires, "acquire_started")         \
  X(acquires_granted, "acquire_granted") \
  X(acquires_failed, "acquire_failed")   \
  X(dials, "dial_started")               \
  X(dials_failed, "dial_failed")         \
  X(conns_opened, "conn_opened")

struct rep_operations {
#define REP_MEMBER(name, kind) int64_t name;
  REP_OPERATION_LIST(REP_MEMBER)
#undef REP_MEMBER
};

/* A gauge over all samples: the mean over time of all accounts together, and the most that a sample
 * of one account has. */
struct rep_gauge {
  char name[24];
  int64_t mean_thousandths, most_of_an_account;
};

enum { REP_GAUGES_MOST = 8 };

struct rep_summary {
  struct rep_operations operations;
  struct rep_gauge gauges[REP_GAUGES_MOST]; /* by name */
  size_t gauge_count;
};

/* False after `message` was filled. */
bool rep_summary_read(struct rep_summary *summary, const struct rep_item *item, char *message,
                      size_t size);

/* The gauge of that name; NULL: there are no samples of it. */
const struct rep_gauge *rep_summary_gauge(const struct rep_summary *summary, const char *name);

#endif
