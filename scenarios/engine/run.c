/*
 * run.c - the loop that carries a scenario from 0 to its end in virtual time.
 *
 * Limits: an arena of ARENA_SIZE, a timeline of TIMELINE_EVENTS; a scenario beyond them has the
 * verdict `error`. One in which nothing but upkeep (sweeps, pings, upstreams' own timers) happens
 * for PATIENCE, while it is not at rest, has the verdict `hang`.
 */
#define _DEFAULT_SOURCE
#include "scenarios/engine/run.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "scenarios/engine/agenda.h"
#include "scenarios/engine/invariants.h"
#include "scenarios/engine/live.h"
#include "scenarios/engine/metrics.h"
#include "scenarios/engine/recovery.h"
#include "scenarios/engine/turn_text.h"
#include "scenarios/engine/verdict.h"
#include "scenarios/engine/world.h"

#define ARENA_SIZE ((size_t)4 << 30)
#define TIMELINE_EVENTS (UINT64_C(1) << 25)
#define PATIENCE (30 * 24 * 60 * WSP_MINUTE)
#define PATIENCE_AFTER_FAULTS (60 * WSP_MINUTE)

struct scn_runner {
  struct sim_arena *arena;
  struct sim_trace *trace;
  struct sim_trace *choices; /* NULL: not kept */
  struct scn_attempt *attempt;
};

static struct scn_attempt *create_attempt(bool shared) {
  void *memory = mmap(NULL, sizeof(struct scn_attempt), PROT_READ | PROT_WRITE,
                      MAP_ANONYMOUS | (shared ? MAP_SHARED : MAP_PRIVATE), -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

struct scn_runner *scn_runner_create(bool shared) {
  struct scn_runner *runner = calloc(1, sizeof *runner);
  if (runner == NULL) {
    return NULL;
  }
  runner->arena = sim_arena_create(ARENA_SIZE);
  runner->trace = sim_trace_create(TIMELINE_EVENTS, shared);
  runner->attempt = create_attempt(shared);
  if (runner->arena == NULL || runner->trace == NULL || runner->attempt == NULL) {
    scn_runner_destroy(runner);
    return NULL;
  }
  return runner;
}

void scn_runner_destroy(struct scn_runner *runner) {
  if (runner == NULL) {
    return;
  }
  if (runner->attempt != NULL) {
    munmap(runner->attempt, sizeof *runner->attempt);
  }
  if (runner->trace != NULL) {
    sim_trace_destroy(runner->trace);
  }
  if (runner->arena != NULL) {
    sim_arena_destroy(runner->arena);
  }
  free(runner);
}

struct sim_trace *scn_runner_trace(struct scn_runner *runner) {
  return runner->trace;
}

struct scn_attempt *scn_runner_attempt(struct scn_runner *runner) {
  return runner->attempt;
}

void scn_runner_keep_choices(struct scn_runner *runner, struct sim_trace *choices) {
  runner->choices = choices;
}

static bool is_stopped(const struct scn_world *world) {
  return world->broken || world->hangs || world->violations_found > 0;
}

static bool is_at_rest(const struct scn_world *world) {
  return world->pending == 0 && world->pool_calls->pending(world->pool) == 0 &&
         fake_world_pending(world->upstreams) == 0 &&
         sim_queue_count(world->queue) == sim_queue_background_count(world->queue);
}

/* When something happens by itself. */
static wsp_time next_happening(const struct scn_world *world) {
  wsp_time queue = sim_queue_next(world->queue);
  wsp_time pool = world->pool_calls->next_deadline(world->pool);
  return queue < pool ? queue : pool;
}

static void go_to(struct scn_world *world, wsp_time time) {
  world->turns_at_once = 0;
  if (time > world->now) {
    scn_samples_take(world, time);
    if (world->live != NULL) {
      scn_live_wait(world, time);
    }
    world->now = time;
  }
}

/* With `run_for`: goes on to the end that it sets. False: it is reached. */
static bool go_on_by_time(struct scn_world *world) {
  wsp_time end = scn_time_after(scn_agenda_last(world), world->scenario->run_for);
  wsp_time next = next_happening(world);
  if (next > end && world->now >= end) {
    return false;
  }
  go_to(world, next <= end ? next : end);
  return true;
}

/* Why the run will never be at rest; NULL: it may. */
static const char *why_it_hangs(const struct scn_world *world, wsp_time next) {
  wsp_time since = world->last_progress > world->horizon ? world->last_progress : world->horizon;
  wsp_duration patience = scn_recovery_is_due(world) ? PATIENCE_AFTER_FAULTS : PATIENCE;
  /* Answers that never come lie in the queue at the end of time. */
  if (sim_queue_next(world->queue) == WSP_TIME_NEVER &&
      world->pool_calls->next_operation_deadline(world->pool) == WSP_TIME_NEVER) {
    return "only periodic timers are left; expected all operations to end";
  }
  if (next == WSP_TIME_NEVER || next > scn_time_after(since, patience)) {
    return "nothing but upkeep has happened for 720h; expected all operations to end";
  }
  return NULL;
}

/* Without `run_for`: goes on until all is at rest, or will never be. What a fault has left hanging
 * is no hang yet: the recovery shows what becomes of it. */
static bool go_on_to_rest(struct scn_world *world) {
  if (is_at_rest(world)) {
    return false;
  }
  wsp_time next = next_happening(world);
  const char *why = why_it_hangs(world, next);
  if (why == NULL) {
    go_to(world, next);
  } else if (scn_recovery_is_due(world)) {
    return false;
  } else {
    scn_verdict_hang(world, why);
  }
  return true;
}

/* Moves the clock on in the scenario itself. */
static bool go_on_in_scenario(struct scn_world *world) {
  wsp_time agenda = scn_agenda_next(world);
  if (agenda != WSP_TIME_NEVER) {
    wsp_time happening = next_happening(world);
    go_to(world, agenda < happening ? agenda : happening);
    return true;
  }
  return world->scenario->has_run_for ? go_on_by_time(world) : go_on_to_rest(world);
}

static bool go_on_recovering(struct scn_world *world) {
  wsp_time until = scn_recovery_go_on(world);
  if (until == WSP_TIME_NEVER) {
    return false;
  }
  wsp_time next = next_happening(world);
  go_to(world, next < until ? next : until);
  return true;
}

/* Moves the clock on from an instant at which nothing is left to do. False: the run is over. */
static bool go_on(struct scn_world *world) {
  scn_invariants_settle(world);
  if (is_stopped(world)) {
    return false;
  }
  if (world->recovery == NULL && go_on_in_scenario(world)) {
    return true;
  }
  return !is_stopped(world) && scn_recovery_is_due(world) && go_on_recovering(world);
}

static struct scn_world *begin(struct scn_runner *runner, const struct scn_scenario *scenario,
                               const struct scn_variant *variant, const struct scn_chooser *chooser,
                               const struct scn_live_options *live) {
  sim_arena_reset(runner->arena);
  sim_trace_reset(runner->trace);
  runner->attempt->number++;
  runner->attempt->seed = variant->seed;
  runner->attempt->explored = chooser != NULL;
  runner->attempt->live = live != NULL;
  struct scn_world *world = scn_world_create(runner->arena, runner->trace, scenario, variant, live);
  if (world != NULL) {
    world->chooser = chooser;
    world->alternatives = runner->choices;
  }
  return world;
}

struct scn_world *scn_run_begin(struct scn_runner *runner, const struct scn_scenario *scenario,
                                const struct scn_variant *variant,
                                const struct scn_chooser *chooser) {
  return begin(runner, scenario, variant, chooser, NULL);
}

size_t scn_run_to_choice(struct scn_world *world, struct scn_turn turns[SCN_MOST_TURNS]) {
  while (!is_stopped(world)) {
    size_t count = scn_turns_list(world, turns);
    if (count > 1) {
      return count;
    }
    if (count == 1) {
      scn_turn_take(world, &turns[0]);
    } else if (!go_on(world)) {
      break;
    }
  }
  return 0;
}

/* Costs nothing but a look where nobody asked for it. */
static void keep_alternatives(const struct scn_world *world, const struct scn_turn *turns,
                              size_t count, size_t taken) {
  if (world->alternatives == NULL) {
    return;
  }
  for (size_t i = 0; i < count; i++) {
    char buffer[256];
    struct scn_text text;
    scn_text_init_fixed(&text, buffer, sizeof buffer);
    scn_turn_describe(world, &turns[i], &text);
    struct sim_event event = {.kind = SIM_ORDER_CHOSEN, .t_ns = world->now, .cause = i == taken};
    event.values[0] = (int64_t)world->choices;
    event.values[1] = (int64_t)i;
    event.values[2] = (int64_t)sim_trace_count(world->trace);
    event.texts[0] = sim_trace_intern(world->alternatives, buffer);
    (void)sim_trace_append(world->alternatives, &event); /* a full one says so itself */
  }
}

void scn_run_choose(struct scn_world *world, const struct scn_turn *turns, size_t count,
                    size_t taken) {
  assert(count > 1 && taken < count);
  world->choices++;
  keep_alternatives(world, turns, count, taken);
  if (taken > 0) {
    world->out_of_turn++;
    scn_world_note(world, &(struct scn_note){.kind = SIM_ORDER_CHOSEN,
                                             .values = {(int64_t)world->choices, (int64_t)taken}});
  }
  scn_turn_take(world, &turns[taken]);
}

void scn_run_to_end(struct scn_world *world) {
  if (world->chooser == NULL) {
    while (!is_stopped(world) && (scn_turn_take_first(world) || go_on(world))) {}
    return;
  }
  struct scn_turn turns[SCN_MOST_TURNS];
  size_t count;
  while ((count = scn_run_to_choice(world, turns)) > 0) {
    size_t taken = world->chooser->choose(world->chooser->context, world, turns, count);
    scn_run_choose(world, turns, count, taken);
  }
}

void scn_run(struct scn_runner *runner, const struct scn_scenario *scenario,
             const struct scn_variant *variant, struct rep_scenario *result) {
  struct scn_world *world = scn_run_begin(runner, scenario, variant, NULL);
  if (world == NULL) {
    scn_verdict_no_memory(scenario, variant, runner->trace, result);
    return;
  }
  scn_run_to_end(world);
  scn_verdict_finish(world, result);
}

/* A thing that the wire did by itself comes between turns, as it does in production. */
static bool take_live_turn(struct scn_world *world) {
  bool told = scn_live_deliver(world);
  return (!world->broken && scn_turn_take_first(world)) || told;
}

void scn_run_live(struct scn_runner *runner, const struct scn_scenario *scenario,
                  const struct scn_variant *variant, const struct scn_live_options *options,
                  struct rep_scenario *result) {
  struct scn_world *world = begin(runner, scenario, variant, NULL, options);
  if (world == NULL) {
    scn_verdict_no_memory(scenario, variant, runner->trace, result);
    return;
  }
  while (!is_stopped(world) && (take_live_turn(world) || go_on(world))) {}
  scn_verdict_finish(world, result);
  scn_live_end(world);
}
