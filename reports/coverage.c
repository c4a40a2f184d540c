/*
 * coverage.c - one wording for the terminal and for all reports.
 */
#include "reports/coverage.h"

#include <inttypes.h>
#include <stdio.h>

#include "pool/wspool.h"

/* The number of orders is cut off at what a database can hold. */
static void describe_orders(const struct rep_exploration *explored, char *text, size_t size) {
  bool is_cut_off = explored->orders == (uint64_t)INT64_MAX;
  snprintf(text, size, "%s%" PRIu64, is_cut_off ? "more than " : "", explored->orders - is_cut_off);
}

uint64_t rep_coverage_rate(const struct rep_exploration *exploration) {
  uint64_t wall_ms = (uint64_t)(exploration->wall_ns / WSP_MILLISECOND);
  return exploration->events * 1000 / (wall_ms == 0 ? 1 : wall_ms);
}

void rep_coverage_describe(const struct rep_exploration *exploration,
                           char text[REP_COVERAGE_SIZE]) {
  char orders[48];
  describe_orders(exploration, orders, sizeof orders);
  if (exploration->complete) {
    snprintf(text, REP_COVERAGE_SIZE,
             "all %s orders hold; %" PRIu64 " runs, %" PRIu64 " distinct states, %" PRIu64
             " events",
             orders, exploration->runs, exploration->states, exploration->events);
    return;
  }
  char faulted[64] = "";
  if (exploration->faulted > 0) {
    snprintf(faulted, sizeof faulted, " (%" PRIu64 " with faults)", exploration->faulted);
  }
  char bound[128] = "";
  if (exploration->orders > 0) {
    snprintf(bound, sizeof bound, ", %" PRIu64 " distinct states, %s orders (not all)",
             exploration->states, orders);
  }
  snprintf(text, REP_COVERAGE_SIZE,
           "%" PRIu64 " runs%s, %" PRIu64 " distinct schedules%s; %" PRIu64 " events, %" PRIu64
           "/s",
           exploration->runs, faulted, exploration->schedules, bound, exploration->events,
           rep_coverage_rate(exploration));
}
