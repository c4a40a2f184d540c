/*
 * measures.c - collects durations out of the details of events.
 */
#include "reports/measures.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/detail.h"

static const struct {
  const char *name, *kinds[2], *field;
} measures_known[] = {
#define REP_MEASURE_ENTRY(id, name, kind, other, field) {name, {kind, other}, field},
    REP_MEASURE_LIST(REP_MEASURE_ENTRY)
#undef REP_MEASURE_ENTRY
};

const char *rep_measure_name(enum rep_measure measure) {
  return measures_known[measure].name;
}

static bool append(struct rep_samples *samples, int64_t value_ns) {
  if (samples->count == samples->capacity) {
    size_t capacity = samples->capacity == 0 ? 64 : samples->capacity * 2;
    int64_t *values = realloc(samples->values_ns, capacity * sizeof *values);
    if (values == NULL) {
      return false;
    }
    samples->values_ns = values;
    samples->capacity = capacity;
  }
  samples->values_ns[samples->count++] = value_ns;
  return true;
}

static bool take_event(struct rep_measures *measures, const char *kind, const char *detail) {
  for (size_t i = 0; i < REP_MEASURE_COUNT; i++) {
    if (strcmp(kind, measures_known[i].kinds[0]) == 0 ||
        strcmp(kind, measures_known[i].kinds[1]) == 0) {
      int64_t value = rep_detail_integer(detail, measures_known[i].field, -1);
      return value < 0 || append(&measures->samples[i], value);
    }
  }
  return true;
}

static int by_value(const void *a, const void *b) {
  const int64_t *x = a;
  const int64_t *y = b;
  return (*x > *y) - (*x < *y);
}

#define KINDS_OF(id, name, kind, other, field) "'" kind "','" other "',"

bool rep_measures_read(struct rep_measures *measures, const struct rep_item *item, char *message,
                       size_t size) {
  bool failed = false;
  *measures = (struct rep_measures){0};
  sqlite3_stmt *rows =
      rep_item_query(item,
                     "select kind, detail from event where scenario_id = ?1 and kind in "
                     "(" REP_MEASURE_LIST(KINDS_OF) "'')",
                     message, size);
  while (rep_item_row(item, &rows, &failed, message, size)) {
    if (!take_event(measures, rep_column(rows, 0), rep_column(rows, 1))) {
      snprintf(message, size, "out of memory for the durations of scenario '%s'", item->name);
      sqlite3_finalize(rows);
      return false;
    }
  }
  for (size_t i = 0; i < REP_MEASURE_COUNT; i++) {
    struct rep_samples *samples = &measures->samples[i];
    if (samples->count > 0) {
      qsort(samples->values_ns, samples->count, sizeof *samples->values_ns, by_value);
    }
  }
  return !failed;
}

void rep_measures_deinit(struct rep_measures *measures) {
  for (size_t i = 0; i < REP_MEASURE_COUNT; i++) {
    free(measures->samples[i].values_ns);
  }
  *measures = (struct rep_measures){0};
}

int64_t rep_samples_percentile(const struct rep_samples *samples, unsigned per_mille) {
  assert(samples->count > 0 && per_mille <= 1000);
  size_t rank = (samples->count * per_mille + 999) / 1000;
  return samples->values_ns[rank == 0 ? 0 : rank - 1];
}
