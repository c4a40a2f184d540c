/*
 * expect_order.c - the form { "order": ["a granted", ...] }.
 *
 * The place in the timeline decides, so that things of one instant have an order too. What left
 * no event of its own (a pin, a close, an operation on a nil lease) is known by its time only:
 * it fits in wherever its instant allows.
 */
#include <assert.h>
#include <string.h>

#include "scenarios/engine/expect_parts.h"

/* Places are counted so that event i is at 2 * i + 1 and the gaps around it are even. A milestone
 * with an event has first == last. */
struct place {
  bool happened;
  uint64_t first, last;
  int64_t t_ns;
};

static const struct {
  const char *kind;
  enum scn_milestone milestone;
} milestones[] = {
    {"acquire_started", SCN_STARTED}, {"read_started", SCN_STARTED},
    {"write_started", SCN_STARTED},   {"lease_ping_started", SCN_STARTED},
    {"acquire_granted", SCN_GRANTED}, {"read_succeeded", SCN_GRANTED},
    {"write_succeeded", SCN_GRANTED}, {"lease_ping_succeeded", SCN_GRANTED},
    {"acquire_failed", SCN_FAILED},   {"read_failed", SCN_FAILED},
    {"write_failed", SCN_FAILED},     {"lease_ping_failed", SCN_FAILED},
    {"lease_released", SCN_RELEASED},
};

static const char *milestone_name(enum scn_milestone milestone) {
  static const char *const names[] = {[SCN_STARTED] = "started",
                                      [SCN_GRANTED] = "granted",
                                      [SCN_FAILED] = "failed",
                                      [SCN_RELEASED] = "released"};
  return names[milestone];
}

int scn_milestone_of(const struct sim_event *event) {
  for (size_t i = 0; i < sizeof milestones / sizeof milestones[0]; i++) {
    if (scn_event_is_of(event, &milestones[i].kind, 1)) {
      return (int)milestones[i].milestone;
    }
  }
  return -1;
}

static bool touches(struct scn_judging *judging, const struct sim_event *event) {
  const struct scn_expectation *expectation = judging->expectation;
  const struct sim_trace *trace = judging->view->trace;
  if (event->op == 0 || scn_milestone_of(event) < 0) {
    return false;
  }
  const char *label = sim_trace_string(trace, event->op);
  for (size_t i = 0; i < expectation->order_count; i++) {
    if (strcmp(expectation->order[i].label, label) == 0) {
      return true;
    }
  }
  return false;
}

/* When it happened by the table of operations; -1: it did not. */
static int64_t time_of(const struct scn_operation *operation, enum scn_milestone milestone) {
  bool ended = operation->record.ended_ns >= 0;
  bool succeeded =
      ended && operation->record.result != NULL && strcmp(operation->record.result, "ok") == 0;
  switch (milestone) {
    case SCN_STARTED:
      return operation->record.started_ns;
    case SCN_GRANTED:
      return succeeded ? operation->record.ended_ns : -1;
    case SCN_FAILED:
      return ended && !succeeded ? operation->record.ended_ns : -1;
    case SCN_RELEASED:
      return operation->released_ns;
  }
  return -1;
}

static struct place place_by_time(const struct scn_judging *judging, int64_t t_ns) {
  const struct sim_event *events = sim_trace_events(judging->view->trace);
  uint64_t count = sim_trace_count(judging->view->trace);
  struct place place = {.happened = true, .t_ns = t_ns};
  for (uint64_t i = 0; i < count; i++) {
    place.first += events[i].t_ns < t_ns ? 2 : 0;
    place.last += events[i].t_ns <= t_ns ? 2 : 0;
  }
  return place;
}

static struct place find_place(const struct scn_judging *judging,
                               const struct scn_order_item *item) {
  const struct scn_view *view = judging->view;
  const struct sim_event *events = sim_trace_events(view->trace);
  uint64_t count = sim_trace_count(view->trace);
  int64_t label = sim_trace_find(view->trace, item->label);
  for (uint64_t i = 0; label > 0 && i < count; i++) {
    if (events[i].op == label && scn_milestone_of(&events[i]) == (int)item->milestone) {
      return (struct place){
          .happened = true, .first = 2 * i + 1, .last = 2 * i + 1, .t_ns = events[i].t_ns};
    }
  }
  const struct scn_operation *operation = scn_operations_find(view->operations, item->label);
  int64_t t_ns = operation == NULL ? -1 : time_of(operation, item->milestone);
  return t_ns < 0 ? (struct place){0} : place_by_time(judging, t_ns);
}

static void append_item(struct scn_text *text, const struct scn_order_item *item) {
  scn_text_printf(text, "%s %s", item->label, milestone_name(item->milestone));
}

static struct scn_text *begin_failure(struct scn_judging *judging) {
  const struct scn_expectation *expectation = judging->expectation;
  struct scn_text *text = scn_judging_expected(judging);
  scn_text_append(text, "order: ");
  for (size_t i = 0; i < expectation->order_count; i++) {
    scn_text_append(text, i > 0 ? ", then " : "");
    append_item(text, &expectation->order[i]);
  }
  scn_judging_found(judging);
  return text;
}

static void fail_missing(struct scn_judging *judging, const struct scn_order_item *item) {
  struct scn_text *text = begin_failure(judging);
  const struct scn_operation *operation =
      scn_operations_find(judging->view->operations, item->label);
  append_item(text, item);
  scn_text_append(text, " has not happened by ");
  scn_text_duration(text, judging->view->now);
  if (operation == NULL) {
    scn_text_printf(text, " (%s was not started)", item->label);
  } else {
    const char *result = operation->record.result;
    bool ended = operation->record.ended_ns >= 0 && result != NULL;
    scn_text_printf(text, " (result %s)", ended ? result : "pending");
  }
}

static void fail_order(struct scn_judging *judging, const struct scn_order_item *early,
                       int64_t early_ns, const struct scn_order_item *late, int64_t late_ns) {
  struct scn_text *text = begin_failure(judging);
  append_item(text, late);
  scn_text_append(text, " at ");
  scn_text_duration(text, late_ns);
  scn_text_append(text, " came before ");
  append_item(text, early);
  scn_text_append(text, " at ");
  scn_text_duration(text, early_ns);
}

/* The first place behind `previous` that `place` can have; false: none. */
static bool fit(const struct place *place, uint64_t previous, uint64_t *at) {
  bool in_gap = place->first % 2 == 0;
  *at = place->first;
  if (*at <= previous) {
    /* Any number of milestones without an event fit into one gap. */
    *at = in_gap && previous % 2 == 0 ? previous : previous + 1;
  }
  return *at <= place->last;
}

bool scn_judge_order(struct scn_judging *judging) {
  const struct scn_expectation *expectation = judging->expectation;
  const struct scn_order_item *previous_item = NULL;
  uint64_t previous = 0;
  int64_t previous_ns = 0;
  judging->touches = touches;
  for (size_t i = 0; i < expectation->order_count; i++) {
    const struct scn_order_item *item = &expectation->order[i];
    struct place place = find_place(judging, item);
    struct scn_text *actual = scn_judging_actual(judging);
    append_item(actual, item);
    if (!place.happened) {
      scn_text_append(actual, " never");
      fail_missing(judging, item);
      continue;
    }
    scn_text_append(actual, " at ");
    scn_text_duration(actual, place.t_ns);
    uint64_t at = 0;
    bool fits = fit(&place, previous, &at) && place.t_ns >= previous_ns;
    if (!fits) {
      assert(previous_item != NULL && "the first fits anywhere");
      fail_order(judging, previous_item, previous_ns, item, place.t_ns);
    }
    previous = fits ? at : place.first;
    previous_item = item;
    previous_ns = place.t_ns;
  }
  return true;
}
