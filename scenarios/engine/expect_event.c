/*
 * expect_event.c - the forms { "event": ... } and { "events": [...], "forbid": [...] }.
 *
 * Events in order are found greedily: each pattern takes the first match behind that of the one
 * before it, which finds an order whenever there is one.
 */
#include <inttypes.h>
#include <string.h>

#include "scenarios/engine/expect_parts.h"

void scn_pattern_append(struct scn_judging *judging, struct scn_text *text,
                        const struct scn_event_pattern *pattern) {
  scn_text_append(text, pattern->kind);
  for (size_t i = 0; i < pattern->where_count; i++) {
    const struct scn_comparison *comparison = &pattern->where[i];
    bool is_conn = strcmp(comparison->field, "conn") == 0;
    scn_text_printf(text, "%s%s ", i == 0 ? " where " : " and ", comparison->field);
    scn_comparison_append(text, comparison, is_conn ? &judging->names : NULL);
  }
}

static bool matches(struct scn_judging *judging, const struct scn_event_pattern *pattern,
                    const struct sim_event *event) {
  return scn_event_matches(judging->view->trace, event, pattern, &judging->names);
}

static bool is_of_kind(const struct scn_event_pattern *patterns, size_t count,
                       const struct sim_event *event) {
  for (size_t i = 0; i < count; i++) {
    if (scn_event_is_of(event, &patterns[i].kind, 1)) {
      return true;
    }
  }
  return false;
}

/* Near misses too: the same kind with other fields. */
static bool kind_touches(struct scn_judging *judging, const struct sim_event *event) {
  const struct scn_expectation *expectation = judging->expectation;
  return is_of_kind(expectation->events, expectation->event_count, event) ||
         is_of_kind(expectation->forbid, expectation->forbid_count, event);
}

static void append_others(struct scn_text *text, const char *kind, uint64_t others) {
  if (others > 0) {
    scn_text_printf(text, " (%" PRIu64 " %s with other fields)", others, kind);
  }
}

bool scn_judge_event(struct scn_judging *judging) {
  const struct scn_expectation *expectation = judging->expectation;
  const struct scn_event_pattern *pattern = &expectation->events[0];
  uint64_t found = 0;
  uint64_t others = 0;
  struct scn_event_search search = scn_event_search(judging->view->trace, pattern->kind, 0);
  const struct sim_event *event;
  while ((event = scn_event_search_next(&search)) != NULL) {
    if (matches(judging, pattern, event)) {
      found++;
    } else {
      others++;
    }
  }
  judging->touches = kind_touches;
  scn_text_append(&judging->subject, "event ");
  scn_pattern_append(judging, &judging->subject, pattern);
  struct scn_actual actual = scn_actual_integer((int64_t)found);
  for (size_t i = 0; i < expectation->comparison_count; i++) {
    if (!scn_judging_check(judging, "count", &expectation->comparisons[i], &actual, NULL)) {
      append_others(&judging->failures, pattern->kind, others);
    }
  }
  if (expectation->comparison_count == 0) {
    scn_text_printf(scn_judging_actual(judging), "count = %" PRIu64, found);
    if (found == 0) {
      scn_text_append(scn_judging_expected(judging), ": at least one");
      scn_text_append(scn_judging_found(judging), "none");
      append_others(&judging->failures, pattern->kind, others);
    }
  }
  return true;
}

static void fail_missing(struct scn_judging *judging, size_t index, bool has_previous,
                         uint64_t previous) {
  const struct scn_expectation *expectation = judging->expectation;
  const struct scn_event_pattern *patterns = expectation->events;
  struct scn_text *text = scn_judging_expected(judging);
  scn_text_append(text, "events in order: ");
  for (size_t i = 0; i < expectation->event_count; i++) {
    scn_text_append(text, i > 0 ? ", then " : "");
    scn_pattern_append(judging, text, &patterns[i]);
  }
  scn_judging_found(judging);
  scn_text_append(text, "no ");
  scn_pattern_append(judging, text, &patterns[index]);
  if (has_previous) {
    const struct sim_event *event = &sim_trace_events(judging->view->trace)[previous];
    scn_text_printf(text, " after %s at ", patterns[index - 1].kind);
    scn_text_duration(text, event->t_ns);
  }
  scn_text_printf(text, " (%zu of %zu)", index + 1, expectation->event_count);
}

static void judge_sequence(struct scn_judging *judging) {
  const struct scn_expectation *expectation = judging->expectation;
  uint64_t next = 0;
  for (size_t i = 0; i < expectation->event_count; i++) {
    const struct scn_event_pattern *pattern = &expectation->events[i];
    struct scn_event_search search = scn_event_search(judging->view->trace, pattern->kind, next);
    const struct sim_event *event;
    do {
      event = scn_event_search_next(&search);
    } while (event != NULL && !matches(judging, pattern, event));
    struct scn_text *text = scn_judging_actual(judging);
    if (event == NULL) {
      scn_text_printf(text, "%s missing", pattern->kind);
      judging->has_focus = i > 0;
      judging->focus = i > 0 ? next - 1 : 0;
      fail_missing(judging, i, judging->has_focus, judging->focus);
      return;
    }
    scn_text_printf(text, "%s at ", pattern->kind);
    scn_text_duration(text, event->t_ns);
    next = search.next;
  }
}

static void judge_forbidden(struct scn_judging *judging, const struct scn_event_pattern *pattern) {
  const struct sim_event *events = sim_trace_events(judging->view->trace);
  uint64_t found = 0;
  uint64_t first = 0;
  struct scn_event_search search = scn_event_search(judging->view->trace, pattern->kind, 0);
  const struct sim_event *event;
  while ((event = scn_event_search_next(&search)) != NULL) {
    if (matches(judging, pattern, event)) {
      first = found == 0 ? search.next - 1 : first;
      found++;
    }
  }
  scn_text_printf(scn_judging_actual(judging), "forbidden %s: %" PRIu64, pattern->kind, found);
  if (found == 0) {
    return;
  }
  struct scn_text *text = scn_judging_expected(judging);
  scn_text_append(text, "no ");
  scn_pattern_append(judging, text, pattern);
  scn_judging_found(judging);
  scn_text_printf(text, "%" PRIu64 ", the first at ", found);
  scn_text_duration(text, events[first].t_ns);
  if (!judging->has_focus) {
    judging->has_focus = true;
    judging->focus = first;
  }
}

bool scn_judge_events(struct scn_judging *judging) {
  const struct scn_expectation *expectation = judging->expectation;
  judging->touches = kind_touches;
  judge_sequence(judging);
  for (size_t i = 0; i < expectation->forbid_count; i++) {
    judge_forbidden(judging, &expectation->forbid[i]);
  }
  return true;
}
