/*
 * summary.c - counts events and takes means of samples.
 */
#include "reports/summary.h"

#include <stdio.h>
#include <string.h>

static bool read_operations(struct rep_operations *operations, const struct rep_item *item,
                            char *message, size_t size) {
  bool failed = false;
#define COUNT_KIND(name, kind) ", ifnull(sum(kind = '" kind "'), 0)"
  sqlite3_stmt *row = rep_item_query(
      item, "select 0" REP_OPERATION_LIST(COUNT_KIND) " from event where scenario_id = ?1", message,
      size);
#undef COUNT_KIND
  while (rep_item_row(item, &row, &failed, message, size)) {
    int column = 1;
#define TAKE_COUNT(name, kind) operations->name = sqlite3_column_int64(row, column++);
    REP_OPERATION_LIST(TAKE_COUNT)
#undef TAKE_COUNT
  }
  return !failed;
}

/* A value holds until the next sample of its account. In microseconds, which leave room for a month
 * of ten thousand conns. */
static bool read_gauges(struct rep_summary *summary, const struct rep_item *item, char *message,
                        size_t size) {
  bool failed = false;
  int64_t length_us = item->virtual_ns >= 1000 ? item->virtual_ns / 1000 : 1;
  sqlite3_stmt *rows = rep_item_query(
      item,
      "select name, sum(value * ((until_ns - t_ns) / 1000)), max(value) from (select name, value, "
      "t_ns, lead(t_ns, 1, t_ns) over (partition by account, name order by t_ns) as until_ns "
      "from metric where scenario_id = ?1 and account is not null) group by name order by name",
      message, size);
  while (rep_item_row(item, &rows, &failed, message, size)) {
    if (summary->gauge_count < REP_GAUGES_MOST) {
      struct rep_gauge *gauge = &summary->gauges[summary->gauge_count++];
      int64_t sum_us = sqlite3_column_int64(rows, 1);
      snprintf(gauge->name, sizeof gauge->name, "%s", rep_column(rows, 0));
      gauge->mean_thousandths = sum_us / length_us * 1000 + sum_us % length_us * 1000 / length_us;
      gauge->most_of_an_account = sqlite3_column_int64(rows, 2);
    }
  }
  return !failed;
}

bool rep_summary_read(struct rep_summary *summary, const struct rep_item *item, char *message,
                      size_t size) {
  *summary = (struct rep_summary){0};
  return read_operations(&summary->operations, item, message, size) &&
         read_gauges(summary, item, message, size);
}

const struct rep_gauge *rep_summary_gauge(const struct rep_summary *summary, const char *name) {
  for (size_t i = 0; i < summary->gauge_count; i++) {
    if (strcmp(summary->gauges[i].name, name) == 0) {
      return &summary->gauges[i];
    }
  }
  return NULL;
}
