/*
 * event_field.h - the fields of a timeline event by the names that scenario files use.
 */
#ifndef ENGINE_EVENT_FIELD_H
#define ENGINE_EVENT_FIELD_H

#include "scenarios/engine/compare.h"
#include "sim/trace.h"

/* `field` of an event: account, conn, op, t, or a key of the event's detail. A detail `x_ns` is
 * an integer under that name and a duration under the name `x`. What this event has not is
 * absent. Strings live until the trace is reset. */
struct scn_actual scn_event_field(const struct sim_trace *trace, const struct sim_event *event,
                                  const char *field);

/* Goes through the events of one kind, in order. */
struct scn_event_search {
  const struct sim_trace *trace;
  int kind;
  uint64_t next; /* where to look from */
  uint64_t left; /* at most so many of the kind are still to come */
};

/* A search for events of `kind` (a name) from number `from` (of the trace, from 0) on. */
struct scn_event_search scn_event_search(const struct sim_trace *trace, const char *kind,
                                         uint64_t from);
/* The next one, which is number `search->next - 1`; NULL: there is none. */
const struct sim_event *scn_event_search_next(struct scn_event_search *search);

/* Whether all fields of an event of the pattern's kind are as the pattern says. `names` resolves
 * labels for the field conn. */
bool scn_event_matches(const struct sim_trace *trace, const struct sim_event *event,
                       const struct scn_event_pattern *pattern, const struct scn_names *names);

/* scn_event_line() at the end of `text`. */
void scn_event_line_append(struct scn_text *text, const struct sim_trace *trace,
                           const struct sim_event *event);

#endif
