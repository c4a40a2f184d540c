/*
 * invariants.c - lets a watch look at the run, and tells what it finds.
 */
#include "scenarios/engine/invariants.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/event_field.h"
#include "sim/duration.h"
#include "sim/watch.h"

/* So many events that led to a violation are shown, the last ones. */
enum { MOST_SHOWN = 12 };

static const char *const names[] = {
#define SCN_NAME(id, name, sentence) name,
    SIM_INVARIANT_LIST(SCN_NAME)
#undef SCN_NAME
};

static const char *const sentences[] = {
#define SCN_SENTENCE(id, name, sentence) sentence,
    SIM_INVARIANT_LIST(SCN_SENTENCE)
#undef SCN_SENTENCE
};

static void account_stats(void *context, int64_t account, struct wsp_account_stats *stats) {
  const struct scn_world *world = context;
  world->pool_calls->account_stats(world->pool, account, stats);
}

static void metrics(void *context, struct wsp_metrics *found) {
  const struct scn_world *world = context;
  world->pool_calls->metrics(world->pool, found);
}

static struct wsp_account account_of(void *context, int64_t account) {
  return scn_world_account(context, account);
}

static void turn_off(struct scn_world *world) {
  const struct scn_strings *off = &world->scenario->invariants_off;
  for (size_t i = 0; i < off->count; i++) {
    for (int invariant = 0; invariant < SIM_INVARIANT_COUNT; invariant++) {
      if (strcmp(off->items[i], names[invariant]) == 0) {
        sim_watch_turn_off(world->watch, (enum sim_invariant)invariant);
      }
    }
  }
}

bool scn_invariants_create(struct scn_world *world) {
  struct wsp_config config = world->variant->config;
  if (!world->scenario->background || !sim_pool_can(world->pool_calls, SIM_CAN_SWEEP)) {
    config.ping_interval = 0; /* no sweep is missed */
    config.cleanup_interval = 0;
  }
  struct sim_watch_view view = {
      .account_stats = account_stats, .metrics = metrics, .account = account_of, .context = world};
  world->watch = sim_watch_create(world->arena, world->trace, &config, &view);
  if (world->watch == NULL) {
    return false;
  }
  turn_off(world);
  return true;
}

/* ---- What is told ------------------------------------------------------------------------- */

/* What stands for `placeholder` (without its braces) in a sentence. False: no such thing. */
static bool append_value(const struct sim_trace *trace, const struct sim_violation *violation,
                         const char *placeholder, size_t length, struct scn_text *text) {
  static const char *const strings[] = {"conn", "op", "other"};
  const sim_string numbers[] = {violation->conn, violation->op, violation->other};
  for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
    if (strlen(strings[i]) == length && strncmp(strings[i], placeholder, length) == 0) {
      scn_text_word(text, sim_trace_string(trace, numbers[i]));
      return true;
    }
  }
  char digit = placeholder[length - 1];
  if (digit < '0' || digit > '2' || length > 2 || (length == 2 && placeholder[0] != 't')) {
    return false;
  }
  int64_t value = violation->values[digit - '0'];
  if (length == 2) {
    scn_text_duration(text, value);
  } else {
    scn_text_printf(text, "%" PRId64, value);
  }
  return true;
}

static void append_sentence(const struct sim_trace *trace, const struct sim_violation *violation,
                            struct scn_text *text) {
  const char *at = violation->sentence;
  while (*at != '\0') {
    const char *end = *at == '{' ? strchr(at, '}') : NULL;
    if (end != NULL && append_value(trace, violation, at + 1, (size_t)(end - at) - 1, text)) {
      at = end + 1;
    } else {
      scn_text_printf(text, "%c", *at++);
    }
  }
}

/* Whether an event is about what a violation is about: its conn or its acquires, else its
 * account, else (it is about the pool) any. */
static bool is_about(const struct sim_event *event, const struct sim_violation *violation) {
  if (violation->conn != 0 || violation->op != 0 || violation->other != 0) {
    return (violation->conn != 0 && event->conn == violation->conn) ||
           (violation->op != 0 && event->op == violation->op) ||
           (violation->other != 0 && event->op == violation->other);
  }
  return violation->account == 0 || event->account == violation->account;
}

static void append_events(const struct sim_trace *trace, const struct sim_violation *violation,
                          struct scn_text *text) {
  const struct sim_event *events = sim_trace_events(trace);
  uint64_t shown[MOST_SHOWN];
  size_t count = 0;
  uint64_t end = sim_trace_count(trace);
  end = violation->event < end ? violation->event + 1 : end;
  for (uint64_t i = end; i > 0 && count < MOST_SHOWN; i--) {
    if (is_about(&events[i - 1], violation)) {
      shown[count++] = i - 1;
    }
  }
  scn_text_append(text, count == 0 ? "" : "timeline  (the last events that led to it)\n");
  while (count > 0) {
    scn_text_append(text, "  ");
    scn_event_line_append(text, trace, &events[shown[--count]]);
    scn_text_append(text, "\n");
  }
}

static void keep(struct scn_world *world, wsp_time at, enum sim_invariant invariant,
                 const char *detail) {
  struct rep_violation *row = sim_arena_zeroed(world->arena, sizeof *row);
  const char *copy = scn_world_copy(world, detail);
  if (row == NULL || copy == NULL) {
    scn_world_break(world, NULL, "out of memory for a violation");
    return;
  }
  *row = (struct rep_violation){.t_ns = at, .invariant = names[invariant], .detail = copy};
  world->violations = row;
  world->violations_found = 1;
}

static void tell(struct scn_world *world, const struct sim_violation *violation) {
  char at[SIM_DURATION_TEXT_SIZE];
  sim_duration_format(violation->t_ns, at);
  const struct sim_trace *trace = world->trace;
  struct scn_text detail = {0};
  struct scn_text events = {0};
  append_sentence(trace, violation, &detail);
  append_events(trace, violation, &events);
  if (violation->account != 0) {
    scn_text_printf(&detail, " (account %" PRId64 ")", violation->account);
  }
  char *sentence = scn_text_take(&detail);
  char *timeline = scn_text_take(&events);
  if (sentence == NULL || timeline == NULL) {
    scn_world_break(world, NULL, "out of memory for a violation");
  } else {
    scn_lines_add(&world->failure, "%s: invariant %s violated at %s: %s\n%s\n%s",
                  world->scenario->path, names[violation->invariant], at, sentence,
                  sentences[violation->invariant], timeline);
    keep(world, violation->t_ns, violation->invariant, sentence);
  }
  scn_world_note(world, &(struct scn_note){.kind = SIM_INVARIANT_VIOLATED,
                                           .account = violation->account,
                                           .conn = sim_trace_string(trace, violation->conn),
                                           .op = sim_trace_string(trace, violation->op),
                                           .text = names[violation->invariant]});
  free(sentence);
  free(timeline);
}

void scn_invariants_violated(struct scn_world *world, enum sim_invariant invariant,
                             const char *detail) {
  const struct scn_strings *off = &world->scenario->invariants_off;
  char at[SIM_DURATION_TEXT_SIZE];
  for (size_t i = 0; i < off->count; i++) {
    if (strcmp(off->items[i], names[invariant]) == 0) {
      return;
    }
  }
  sim_duration_format(world->now, at);
  scn_lines_add(&world->failure, "%s: invariant %s violated at %s: %s\n%s\n", world->scenario->path,
                names[invariant], at, detail, sentences[invariant]);
  keep(world, world->now, invariant, detail);
  scn_world_note(world,
                 &(struct scn_note){.kind = SIM_INVARIANT_VIOLATED, .text = names[invariant]});
}

static void heed(struct scn_world *world) {
  const struct sim_violation *violation = sim_watch_violation(world->watch);
  if (violation != NULL && world->violations_found == 0) {
    tell(world, violation);
  }
  if (sim_watch_failed(world->watch)) {
    scn_world_break(world, NULL, "out of memory for the watch over the invariants");
  }
}

void scn_invariants_follow(struct scn_world *world) {
  if (!sim_trace_full(world->trace)) {
    sim_watch_follow(world->watch);
    heed(world);
  }
}

void scn_invariants_settle(struct scn_world *world) {
  if (!sim_trace_full(world->trace)) {
    sim_watch_settle(world->watch, world->now);
    heed(world);
  }
}
