/*
 * expect_timeline.c - the events that a failure shows: the last ones that touch its subject.
 */
#include <inttypes.h>
#include <string.h>

#include "scenarios/engine/expect_parts.h"

#define SHOWN_EVENTS 12
#define SHOWN_AFTER_FOCUS 3

/* The last events that were offered, until it is closed; all are counted. */
struct window {
  uint64_t indexes[SHOWN_EVENTS];
  uint64_t kept;
  uint64_t offered;
  uint64_t after_focus;
  bool focus_seen;
};

bool scn_event_is_of(const struct sim_event *event, const char *const *kinds, size_t count) {
  const struct sim_event_type *type = sim_event_type(event->kind);
  for (size_t i = 0; type != NULL && i < count; i++) {
    if (kinds[i] != NULL && strcmp(type->name, kinds[i]) == 0) {
      return true;
    }
  }
  return false;
}

static bool is_closed(const struct window *window) {
  return window->focus_seen && window->after_focus > SHOWN_AFTER_FOCUS;
}

static void offer(struct window *window, uint64_t index, bool is_focus) {
  window->offered++;
  window->focus_seen = window->focus_seen || is_focus;
  if (window->focus_seen && !is_focus) {
    window->after_focus++;
  }
  if (!is_closed(window)) {
    window->indexes[window->kept % SHOWN_EVENTS] = index;
    window->kept++;
  }
}

static void append_events(const struct window *window, const struct sim_trace *trace,
                          struct scn_text *text) {
  const struct sim_event *events = sim_trace_events(trace);
  uint64_t first = window->kept > SHOWN_EVENTS ? window->kept - SHOWN_EVENTS : 0;
  for (uint64_t i = first; i < window->kept; i++) {
    scn_text_append(text, "\n  ");
    scn_event_line_append(text, trace, &events[window->indexes[i % SHOWN_EVENTS]]);
  }
}

static void append_heading(const struct window *window, const char *what, struct scn_text *text) {
  uint64_t shown = window->kept < SHOWN_EVENTS ? window->kept : SHOWN_EVENTS;
  const char *plural = window->offered == 1 ? "" : "s";
  if (shown == window->offered) {
    scn_text_printf(text, "timeline  (%" PRIu64 " event%s %s)", shown, plural, what);
  } else {
    scn_text_printf(text, "timeline  (%s%" PRIu64 " of %" PRIu64 " event%s %s)",
                    is_closed(window) ? "" : "the last ", shown, window->offered, plural, what);
  }
}

void scn_judging_timeline(struct scn_judging *judging, struct scn_text *text) {
  const struct sim_trace *trace = judging->view->trace;
  const struct sim_event *events = sim_trace_events(trace);
  uint64_t count = sim_trace_count(trace);
  struct window touching = {0};
  struct window all = {0};
  for (uint64_t i = 0; i < count; i++) {
    offer(&all, i, false);
    if (judging->touches != NULL && judging->touches(judging, &events[i])) {
      offer(&touching, i, judging->has_focus && judging->focus == i);
    }
  }
  if (touching.offered > 0) {
    append_heading(&touching, touching.offered == 1 ? "that touches it" : "that touch it", text);
    append_events(&touching, trace, text);
  } else if (count > 0) {
    append_heading(&all, judging->touches != NULL ? "of the run, none touches it" : "of the run",
                   text);
    append_events(&all, trace, text);
  } else {
    scn_text_append(text, "timeline  (no event has happened yet)");
  }
}
