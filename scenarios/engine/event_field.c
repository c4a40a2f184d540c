/* event_field.c - looks into events; what counts as a match, but not what a match is good for. */
#include "scenarios/engine/event_field.h"

#include <string.h>

#define SUFFIX_NS "_ns"

/* Whether the detail `name` is a time that `field` names without its suffix. */
static bool is_without_suffix(const char *name, const char *field) {
  size_t length = strlen(field);
  return strncmp(name, field, length) == 0 && strcmp(name + length, SUFFIX_NS) == 0;
}

static struct scn_actual detail_field(const struct sim_trace *trace, const struct sim_event *event,
                                      const struct sim_event_type *type, const char *field) {
  if (type->cause != NULL && strcmp(type->cause, field) == 0) {
    return scn_actual_string(sim_event_cause_name(event->kind, event->cause));
  }
  for (size_t i = 0; i < sizeof type->values / sizeof type->values[0]; i++) {
    if (type->values[i] == NULL) {
      continue;
    }
    if (strcmp(type->values[i], field) == 0) {
      return scn_actual_integer(event->values[i]);
    }
    if (is_without_suffix(type->values[i], field)) {
      return scn_actual_duration(event->values[i]);
    }
  }
  for (size_t i = 0; i < sizeof type->texts / sizeof type->texts[0]; i++) {
    if (type->texts[i] != NULL && strcmp(type->texts[i], field) == 0) {
      return scn_actual_string(sim_trace_string(trace, event->texts[i]));
    }
  }
  return scn_actual_absent();
}

struct scn_actual scn_event_field(const struct sim_trace *trace, const struct sim_event *event,
                                  const char *field) {
  if (strcmp(field, "t") == 0) {
    return scn_actual_duration(event->t_ns);
  }
  if (strcmp(field, "account") == 0 && event->account != 0) {
    return scn_actual_integer(event->account);
  }
  if (strcmp(field, "conn") == 0 && event->conn != 0) {
    return scn_actual_string(sim_trace_string(trace, event->conn));
  }
  if (strcmp(field, "op") == 0 && event->op != 0) {
    return scn_actual_string(sim_trace_string(trace, event->op));
  }
  const struct sim_event_type *type = sim_event_type(event->kind);
  return type == NULL ? scn_actual_absent() : detail_field(trace, event, type, field);
}

struct scn_event_search scn_event_search(const struct sim_trace *trace, const char *kind,
                                         uint64_t from) {
  int number = sim_event_kind_by_name(kind);
  return (struct scn_event_search){
      .trace = trace, .kind = number, .next = from, .left = sim_trace_count_of(trace, number)};
}

const struct sim_event *scn_event_search_next(struct scn_event_search *search) {
  const struct sim_event *events = sim_trace_events(search->trace);
  uint64_t count = search->left > 0 ? sim_trace_count(search->trace) : 0;
  while (search->next < count) {
    const struct sim_event *event = &events[search->next++];
    if (event->kind == search->kind) {
      search->left--;
      return event;
    }
  }
  return NULL;
}

bool scn_event_matches(const struct sim_trace *trace, const struct sim_event *event,
                       const struct scn_event_pattern *pattern, const struct scn_names *names) {
  for (size_t i = 0; i < pattern->where_count; i++) {
    const struct scn_comparison *comparison = &pattern->where[i];
    struct scn_actual actual = scn_event_field(trace, event, comparison->field);
    bool is_conn = strcmp(comparison->field, "conn") == 0;
    if (!scn_comparison_holds(comparison, &actual, is_conn ? names : NULL)) {
      return false;
    }
  }
  return true;
}
