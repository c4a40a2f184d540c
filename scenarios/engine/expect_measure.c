/*
 * expect_measure.c - the forms { "sql": ... } and { "percentile": ... }.
 *
 * Percentiles are nearest-rank: the smallest sample that at least p percent of the samples do
 * not exceed. No interpolation, so the result is a sample that really occurred.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/expect_parts.h"

/* ---- SQL -------------------------------------------------------------------------------- */

static struct scn_actual actual_of_sql(const struct rep_sql_value *value) {
  switch (value->kind) {
    case REP_SQL_NULL:
      break;
    case REP_SQL_INTEGER:
      return scn_actual_integer(value->integer);
    case REP_SQL_REAL:
      return (struct scn_actual){.kind = SCN_ACTUAL_REAL, .real = value->real};
    case REP_SQL_TEXT:
      return scn_actual_string(value->text);
  }
  return (struct scn_actual){.kind = SCN_ACTUAL_NULL};
}

static void fail_query(struct scn_judging *judging, const char *message) {
  const struct scn_expectation *expectation = judging->expectation;
  scn_text_append(scn_judging_actual(judging), "error: ");
  scn_text_folded(&judging->actual, message);
  struct scn_text *text = scn_judging_expected(judging);
  for (size_t i = 0; i < expectation->comparison_count; i++) {
    scn_text_append(text, i > 0 ? " and " : " ");
    scn_comparison_append(text, &expectation->comparisons[i], NULL);
  }
  scn_judging_found(judging);
  scn_text_printf(text, "no value: %s", message);
}

bool scn_judge_sql(struct scn_judging *judging) {
  const struct scn_expectation *expectation = judging->expectation;
  const struct scn_view *view = judging->view;
  char message[1024];
  struct rep_sql_value value;
  scn_text_append(&judging->subject, "sql ");
  scn_text_folded(&judging->subject, expectation->subject);
  const struct rep_scenario *rows = view->rows(view->rows_context);
  if (rows == NULL) {
    return false;
  }
  message[0] = '\0';
  if (!rep_sql_query(rows, expectation->subject, &value, message, sizeof message)) {
    fail_query(judging, message);
    return true;
  }
  struct scn_actual actual = actual_of_sql(&value);
  for (size_t i = 0; i < expectation->comparison_count; i++) {
    (void)scn_judging_check(judging, NULL, &expectation->comparisons[i], &actual, NULL);
  }
  return true;
}

/* ---- Percentiles ------------------------------------------------------------------------ */

#define PERCENT_BILLIONTHS (UINT64_C(100) * UINT64_C(1000000000))

/* What is measured: a detail of events of up to two kinds. */
static const struct measure {
  const char *name;
  const char *kinds[2];
  const char *field;
} measures[] = {
    {"queue_wait", {"acquire_granted", "acquire_failed"}, "queue_wait_ns"},
    {"dial", {"dial_succeeded"}, "latency_ns"},
    {"hold", {"lease_released", "lease_lost"}, "held_ns"},
};

struct sample {
  int64_t value_ns;
  uint64_t event;
};

static const struct measure *measure_of(const char *name) {
  for (size_t i = 0; i < sizeof measures / sizeof measures[0]; i++) {
    if (strcmp(measures[i].name, name) == 0) {
      return &measures[i];
    }
  }
  return NULL;
}

const char *const *scn_measure_kinds(const char *name, const char **field) {
  const struct measure *measure = measure_of(name);
  *field = measure == NULL ? NULL : measure->field;
  return measure == NULL ? NULL : measure->kinds;
}

static bool percentile_touches(struct scn_judging *judging, const struct sim_event *event) {
  const struct measure *measure = measure_of(judging->expectation->subject);
  return measure != NULL && scn_event_is_of(event, measure->kinds, 2);
}

static int by_value(const void *a, const void *b) {
  const struct sample *x = a;
  const struct sample *y = b;
  if (x->value_ns != y->value_ns) {
    return x->value_ns < y->value_ns ? -1 : 1;
  }
  return x->event < y->event ? -1 : x->event > y->event;
}

/* Which of the values of a kind is called `name`. */
static size_t value_index(int kind, const char *name) {
  const struct sim_event_type *type = sim_event_type((uint16_t)kind);
  size_t index = 0;
  while (strcmp(type->values[index], name) != 0) {
    index++;
    assert(index < sizeof type->values / sizeof type->values[0]);
  }
  return index;
}

/* The samples in ascending order, in fresh memory. False: no memory. */
static bool collect(struct scn_judging *judging, struct sample **samples, size_t *count) {
  const struct sim_trace *trace = judging->view->trace;
  const struct measure *measure = measure_of(judging->expectation->subject);
  *count = 0;
  for (size_t k = 0; measure != NULL && k < 2 && measure->kinds[k] != NULL; k++) {
    *count += sim_trace_count_of(trace, sim_event_kind_by_name(measure->kinds[k]));
  }
  *samples = *count > 0 ? calloc(*count, sizeof **samples) : NULL;
  if (*samples == NULL) {
    return *count == 0;
  }
  size_t filled = 0;
  for (size_t k = 0; k < 2 && measure->kinds[k] != NULL; k++) {
    struct scn_event_search search = scn_event_search(trace, measure->kinds[k], 0);
    size_t field = value_index(search.kind, measure->field);
    const struct sim_event *event;
    while ((event = scn_event_search_next(&search)) != NULL) {
      (*samples)[filled++] =
          (struct sample){.value_ns = event->values[field], .event = search.next - 1};
    }
  }
  qsort(*samples, *count, sizeof **samples, by_value);
  return true;
}

/* ceil(p / 100 * count), at least 1. */
static size_t nearest_rank(wsp_decimal percentile, size_t count) {
  assert(percentile >= 0 && (uint64_t)percentile <= PERCENT_BILLIONTHS);
  assert(count < UINT64_MAX / PERCENT_BILLIONTHS);
  uint64_t product = (uint64_t)percentile * count;
  uint64_t rank = product / PERCENT_BILLIONTHS + (product % PERCENT_BILLIONTHS != 0);
  return rank > 0 ? (size_t)rank : 1;
}

static void fail_without_sample(struct scn_judging *judging) {
  const struct scn_expectation *expectation = judging->expectation;
  scn_text_append(scn_judging_actual(judging), "no sample");
  struct scn_text *text = scn_judging_expected(judging);
  for (size_t i = 0; i < expectation->comparison_count; i++) {
    scn_text_append(text, i > 0 ? " and " : " ");
    scn_comparison_append(text, &expectation->comparisons[i], NULL);
  }
  scn_judging_found(judging);
  const struct measure *measure = measure_of(expectation->subject);
  scn_text_printf(text, "no sample: no %s", measure == NULL ? "such measure" : measure->kinds[0]);
  if (measure != NULL && measure->kinds[1] != NULL) {
    scn_text_printf(text, " or %s", measure->kinds[1]);
  }
  scn_text_append(text, " by ");
  scn_text_duration(text, judging->view->now);
}

bool scn_judge_percentile(struct scn_judging *judging) {
  const struct scn_expectation *expectation = judging->expectation;
  struct sample *samples = NULL;
  size_t count = 0;
  judging->touches = percentile_touches;
  scn_text_append(&judging->subject, "percentile ");
  scn_text_decimal(&judging->subject, expectation->percentile);
  scn_text_printf(&judging->subject, " of %s", expectation->subject);
  if (!collect(judging, &samples, &count)) {
    return false;
  }
  if (count == 0) {
    fail_without_sample(judging);
    return true;
  }
  size_t rank = nearest_rank(expectation->percentile, count);
  const struct sample *sample = &samples[rank - 1];
  struct scn_actual actual = scn_actual_duration(sample->value_ns);
  for (size_t i = 0; i < expectation->comparison_count; i++) {
    if (!scn_judging_check(judging, NULL, &expectation->comparisons[i], &actual, NULL)) {
      scn_text_printf(&judging->failures, " (sample %zu of %zu in ascending order)", rank, count);
      judging->has_focus = true;
      judging->focus = sample->event;
    }
  }
  free(samples);
  return true;
}
