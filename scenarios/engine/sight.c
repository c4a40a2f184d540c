/*
 * sight.c - finds out what expectations look at, and looks at it.
 */
#include "scenarios/engine/sight.h"

#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/expect_parts.h"

#define SUFFIX_NS "_ns"

/* ---- What is looked at -------------------------------------------------------------------- */

/* The name of a detail, with or without the suffix of times. */
static bool is_named(const char *detail, const char *field) {
  size_t length = strlen(field);
  return detail != NULL && strncmp(detail, field, length) == 0 &&
         (detail[length] == '\0' || strcmp(detail + length, SUFFIX_NS) == 0);
}

static void look_at_field(struct scn_sight_fields *fields, const struct sim_event_type *type,
                          const char *field) {
  fields->time |= strcmp(field, "t") == 0;
  fields->account |= strcmp(field, "account") == 0;
  fields->conn |= strcmp(field, "conn") == 0;
  fields->op |= strcmp(field, "op") == 0;
  fields->cause |= is_named(type->cause, field);
  for (size_t i = 0; i < 3; i++) {
    fields->values[i] |= is_named(type->values[i], field);
  }
  for (size_t i = 0; i < 2; i++) {
    fields->texts[i] |= is_named(type->texts[i], field);
  }
}

static struct scn_sight_kind *kind_of(struct scn_sight *sight, const char *name, int *kind) {
  *kind = sim_event_kind_by_name(name);
  return *kind < 0 ? NULL : &sight->kinds[*kind];
}

static void look_at_patterns(struct scn_sight *sight, const struct scn_event_pattern *patterns,
                             size_t count, bool in_order) {
  for (size_t i = 0; i < count; i++) {
    int number;
    struct scn_sight_kind *kind = kind_of(sight, patterns[i].kind, &number);
    if (kind == NULL) {
      continue;
    }
    *(in_order ? &kind->is_ordered : &kind->is_counted) = true;
    kind->ordered.time |= in_order; /* which is told of what was found */
    struct scn_sight_fields *fields = in_order ? &kind->ordered : &kind->counted;
    for (size_t j = 0; j < patterns[i].where_count; j++) {
      const char *field = patterns[i].where[j].field;
      look_at_field(fields, sim_event_type((uint16_t)number), field);
      sight->serials |= strcmp(field, "dial") == 0;
    }
  }
}

static void look_at_measure(struct scn_sight *sight, const char *measure) {
  const char *field;
  const char *const *kinds = scn_measure_kinds(measure, &field);
  for (size_t i = 0; kinds != NULL && i < 2 && kinds[i] != NULL; i++) {
    int number;
    struct scn_sight_kind *kind = kind_of(sight, kinds[i], &number);
    if (kind != NULL) {
      kind->is_counted = true;
      look_at_field(&kind->counted, sim_event_type((uint16_t)number), field);
    }
  }
}

/* The later of two conns of one id is the one that is meant. */
static void look_at_conns(struct scn_sight *sight) {
  struct scn_sight_kind *kind = &sight->kinds[WSP_CONN_OPENED];
  kind->is_ordered = true;
  kind->ordered.conn = true;
  kind->ordered.account = true;
}

static bool look_at_order(struct scn_sight *sight, const struct scn_expectation *expectation) {
  size_t count = sight->label_count + expectation->order_count;
  const char **labels = realloc(sight->labels, (count == 0 ? 1 : count) * sizeof *labels);
  if (labels == NULL) {
    return false;
  }
  for (size_t i = 0; i < expectation->order_count; i++) {
    labels[sight->label_count + i] = expectation->order[i].label;
  }
  sight->labels = labels;
  sight->label_count = count;
  for (int kind = 0; kind < SIM_EVENT_KIND_COUNT; kind++) {
    struct sim_event event = {.kind = (uint16_t)kind};
    sight->kinds[kind].is_milestone |= scn_milestone_of(&event) >= 0;
  }
  return true;
}

static bool look(struct scn_sight *sight, const struct scn_expectation *expectation) {
  switch (expectation->kind) {
    case SCN_EXPECT_OP:
    case SCN_EXPECT_ACCOUNT:
      return true;
    case SCN_EXPECT_METRIC:
      sight->metrics = true;
      return true;
    case SCN_EXPECT_CONN:
      look_at_conns(sight);
      return true;
    case SCN_EXPECT_UPSTREAM:
      sight->counters = true;
      return true;
    case SCN_EXPECT_EVENT:
      look_at_patterns(sight, expectation->events, expectation->event_count, false);
      return true;
    case SCN_EXPECT_EVENTS:
      look_at_patterns(sight, expectation->events, expectation->event_count, true);
      look_at_patterns(sight, expectation->forbid, expectation->forbid_count, true);
      return true;
    case SCN_EXPECT_ORDER:
      return look_at_order(sight, expectation);
    case SCN_EXPECT_PERCENTILE:
      look_at_measure(sight, expectation->subject);
      return true;
    case SCN_EXPECT_SQL:
      break;
  }
  sight->everything = true;
  return true;
}

static bool look_at_steps(struct scn_sight *sight, const struct scn_step *steps, size_t count) {
  bool done = true;
  for (size_t i = 0; done && i < count; i++) {
    for (size_t j = 0; done && j < steps[i].expectation_count; j++) {
      done = look(sight, &steps[i].expectations[j]);
    }
    done = done && look_at_steps(sight, steps[i].steps, steps[i].step_count);
  }
  return done;
}

bool scn_sight_init(struct scn_sight *sight, const struct scn_scenario *scenario) {
  *sight = (struct scn_sight){0};
  bool done = look_at_steps(sight, scenario->steps, scenario->step_count);
  for (size_t i = 0; done && i < scenario->expectation_count; i++) {
    done = look(sight, &scenario->expectations[i]);
  }
  if (!done) {
    scn_sight_deinit(sight);
  }
  return done;
}

void scn_sight_deinit(struct scn_sight *sight) {
  free(sight->labels);
  sight->labels = NULL;
}

/* ---- Looking ------------------------------------------------------------------------------ */

static uint64_t string_of(const struct sim_trace *trace, sim_string number) {
  return number == 0 ? 0 : sim_trace_string_hash(trace, number);
}

static struct wsp_digest digest_of(const struct sim_trace *trace, const struct sim_event *event,
                                   const struct scn_sight_fields *fields) {
  struct wsp_digest digest = {{0, 0}};
  wsp_digest_add(&digest, event->kind);
  wsp_digest_add(&digest, fields->time ? (uint64_t)event->t_ns : 0);
  wsp_digest_add(&digest, fields->account ? (uint64_t)event->account : 0);
  wsp_digest_add(&digest, fields->conn ? string_of(trace, event->conn) : 0);
  wsp_digest_add(&digest, fields->op ? string_of(trace, event->op) : 0);
  wsp_digest_add(&digest, fields->cause ? event->cause : 0);
  for (size_t i = 0; i < 3; i++) {
    wsp_digest_add(&digest, fields->values[i] ? (uint64_t)event->values[i] : 0);
  }
  for (size_t i = 0; i < 2; i++) {
    wsp_digest_add(&digest, fields->texts[i] ? string_of(trace, event->texts[i]) : 0);
  }
  return digest;
}

static bool is_of_labels(const struct scn_sight *sight, const struct sim_trace *trace,
                         const struct sim_event *event) {
  const char *label = event->op == 0 ? "" : sim_trace_string(trace, event->op);
  for (size_t i = 0; i < sight->label_count; i++) {
    if (strcmp(sight->labels[i], label) == 0) {
      return true;
    }
  }
  return false;
}

/* Leases are counted as the class of a hang counts them. */
static void see_lease(const struct sim_event *event, struct wsp_digest *leases) {
  bool ended = event->kind == WSP_LEASE_RELEASED || event->kind == WSP_LEASE_LOST;
  if (event->kind != WSP_ACQUIRE_GRANTED && !ended) {
    return;
  }
  struct wsp_digest account = {{0, 0}};
  wsp_digest_add(&account, (uint64_t)event->account);
  account = wsp_digest_end(account);
  leases->words[0] += ended ? -account.words[0] : account.words[0];
  leases->words[1] += ended ? -account.words[1] : account.words[1];
}

static void see(const struct scn_sight *sight, const struct sim_trace *trace,
                const struct sim_event *event, struct scn_seen_so_far *seen) {
  static const struct scn_sight_fields of_milestone = {.time = true, .op = true};
  const struct scn_sight_kind *kind = &sight->kinds[event->kind];
  see_lease(event, &seen->leases);
  if (kind->is_counted) {
    wsp_digest_join(&seen->counted, digest_of(trace, event, &kind->counted));
  }
  if (kind->is_ordered) {
    wsp_digest_add_digest(&seen->ordered, digest_of(trace, event, &kind->ordered));
  }
  if (kind->is_milestone && is_of_labels(sight, trace, event)) {
    wsp_digest_add_digest(&seen->ordered, digest_of(trace, event, &of_milestone));
  }
}

void scn_sight_follow(const struct scn_sight *sight, const struct sim_trace *trace,
                      struct scn_seen_so_far *seen) {
  const struct sim_event *events = sim_trace_events(trace);
  uint64_t count = sim_trace_count(trace);
  for (; seen->events < count; seen->events++) {
    see(sight, trace, &events[seen->events], seen);
  }
}
