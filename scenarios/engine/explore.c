/*
 * explore.c - runs many orders of one scenario until one does not hold.
 *
 * Drawn orders begin each from a snapshot of the moment before the first choice. All orders one
 * after the other: explore_all.c. Nothing of the wall clock decides anything.
 */
#include "scenarios/engine/explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/explore_parts.h"
#include "scenarios/engine/schedule.h"
#include "scenarios/engine/strategy.h"
#include "scenarios/engine/verdict.h"
#include "scenarios/engine/worker.h"

const char *scn_strategy_name(enum scn_strategy strategy) {
  static const char *const names[] = {"random", "pct", "exhaustive"};
  return (size_t)strategy < sizeof names / sizeof names[0] ? names[strategy] : NULL;
}

/* ---- One run ------------------------------------------------------------------------------ */

static struct scn_key key_of_schedule(const struct sim_trace *trace, uint64_t seed) {
  struct scn_key key = {{seed ^ UINT64_C(0x9e3779b97f4a7c15), 1}};
  const struct sim_event *events = sim_trace_events(trace);
  uint64_t count = sim_trace_count(trace);
  for (uint64_t i = 0; i < count; i++) {
    if (events[i].kind == SIM_ORDER_CHOSEN || events[i].kind == SIM_FAULT_FIRED) {
      uint64_t item = (uint64_t)events[i].values[0] * 64 + (uint64_t)events[i].values[1];
      item ^= (uint64_t)events[i].texts[0] << 40 ^ (uint64_t)events[i].texts[1] << 52;
      key.words[0] = (key.words[0] ^ item) * UINT64_C(0xff51afd7ed558ccd);
      key.words[0] ^= key.words[0] >> 32;
      key.words[1] = (key.words[1] + item) * UINT64_C(0xc4ceb9fe1a85ec53);
      key.words[1] ^= key.words[1] >> 29;
    }
  }
  return key;
}

static bool is_new_schedule(struct scn_search *search, const struct sim_trace *trace) {
  bool is_new;
  uint64_t seed = scn_runner_attempt(search->runner)->seed;
  return scn_seen_put(&search->schedules, key_of_schedule(trace, seed), &is_new) != NULL && is_new;
}

/* For those who want to see all that does not hold. */
static void show(struct scn_search *search, struct scn_world *world) {
  struct rep_scenario result;
  scn_verdict_finish(world, &result);
  search->verdict = result.verdict;
  if (result.verdict != REP_PASS) {
    search->options->show(search->options->show_context, &result);
  }
}

bool scn_search_judge(struct scn_search *search, struct scn_world *world) {
  if (search->options->show != NULL) {
    show(search, world);
    return true;
  }
  search->verdict = scn_verdict_reach(world);
  if (search->verdict == REP_PASS) {
    return true;
  }
  search->hit = true;
  search->seed = scn_runner_attempt(search->runner)->seed;
  search->unjudged = world->unjudged;
  rep_timeline_sha256(world->trace, search->timeline_sha256);
  search->schedule = scn_schedule_of_trace(world->trace);
  search->no_memory |= search->schedule == NULL;
  return false;
}

/* A drawn run is over. */
static bool judge_drawn(struct scn_search *search, struct scn_world *world) {
  search->told->runs++;
  search->told->schedules += is_new_schedule(search, world->trace);
  search->told->faulted += fake_world_faults_fired(world->upstreams) > 0;
  return scn_search_judge(search, world);
}

bool scn_search_keep(struct scn_search *search, struct scn_world *world, struct scn_place *place) {
  bool kept = true;
  if (place->snapshot == NULL) {
    place->snapshot = sim_snapshot_take(world->arena);
    kept = place->snapshot != NULL;
  } else {
    kept = sim_snapshot_retake(place->snapshot);
  }
  place->mark = sim_trace_mark(world->trace);
  search->no_memory |= !kept;
  return kept;
}

void scn_search_return(struct scn_search *search, const struct scn_place *place) {
  struct scn_world *world = search->world;
  sim_snapshot_restore(world->arena, place->snapshot);
  sim_trace_rewind(world->trace, place->mark);
}

/* Begins at the moment before the first choice. False: no memory. */
static bool begin(struct scn_search *search) {
  struct scn_turn turns[SCN_MOST_TURNS];
  search->world =
      scn_run_begin(search->runner, search->scenario, search->variant, &scn_strategy_first);
  if (search->world == NULL) {
    search->no_memory = true;
    return false;
  }
  scn_run_to_choice(search->world, turns);
  search->told->events += sim_trace_count(search->world->trace);
  return scn_search_keep(search, search->world, &search->start);
}

void scn_search_count_events(struct scn_search *search, const struct scn_place *since) {
  search->told->events += sim_trace_count(search->world->trace) - since->mark.events;
}

/* ---- Drawn orders ------------------------------------------------------------------------- */

static struct scn_chooser draw(const struct scn_search *search, struct scn_drawn_order *order,
                               uint64_t run) {
  const struct scn_explore_options *options = search->options;
  return options->strategy == SCN_RANDOM
             ? scn_strategy_random(order, options->seed, run)
             : scn_strategy_pct(order, options->seed, run, options->depth, search->choices);
}

static bool run_from_start(struct scn_search *search, const struct scn_chooser *chooser) {
  struct scn_attempt *attempt = scn_runner_attempt(search->runner);
  attempt->number++;
  scn_search_return(search, &search->start);
  search->world->chooser = chooser;
  scn_run_to_end(search->world);
  scn_search_count_events(search, &search->start);
  if (search->told->runs == 0) {
    search->choices = search->world->choices;
    search->duration = search->world->now;
  }
  return judge_drawn(search, search->world);
}

/* Which faults strike in a run; NULL: none is armed. They may do so for longer than the scenario
 * takes without them, since it takes longer with them. */
static const struct fake_fault_plan *draw_faults(const struct scn_search *search, uint64_t run,
                                                 struct scn_drawn_faults *faults,
                                                 struct fake_fault_plan *plan) {
  const struct scn_explore_options *options = search->options;
  wsp_time longest = scn_time_after(search->duration, search->variant->config.dial_timeout);
  if (options->faults == 0 ||
      !scn_faults_draw(faults, options->seed, run, options->faults, longest)) {
    return NULL;
  }
  *plan = scn_faults_plan(faults);
  return plan;
}

/* A run from its beginning. With a seed of its own it has other latencies, and the pool draws
 * otherwise. `plan` may be NULL. */
static bool run_anew(struct scn_search *search, uint64_t run, bool own_seed,
                     const struct scn_chooser *chooser, const struct fake_fault_plan *plan) {
  struct scn_variant variant = *search->variant;
  if (own_seed) {
    struct sim_random random;
    sim_random_init(&random, search->options->seed, "explore.seed", run);
    variant.seed = sim_random_next(&random) >> 1; /* a number that every tool can write */
  }
  struct scn_world *world = scn_run_begin(search->runner, search->scenario, &variant, chooser);
  if (world == NULL) {
    search->no_memory = true;
    return false;
  }
  world->unjudged = own_seed;
  fake_world_use_faults(world->upstreams, plan);
  scn_run_to_end(world);
  search->told->events += sim_trace_count(world->trace);
  return judge_drawn(search, world);
}

/* Nothing to choose: with the file's seed and without a fault there is only one run. Those runs
 * first, since the start is a snapshot of the arena that others overwrite. */
static void search_drawn(struct scn_search *search) {
  struct scn_drawn_order order;
  struct scn_drawn_faults faults;
  struct fake_fault_plan plan;
  uint64_t runs = search->options->runs;
  uint64_t with_seed = search->options->same_seed ? 0 : runs / 2;
  bool go_on = run_from_start(search, &scn_strategy_first);
  for (uint64_t run = 1; go_on && search->choices > 0 && run < runs - with_seed; run++) {
    if (draw_faults(search, run, &faults, &plan) == NULL) {
      struct scn_chooser chooser = draw(search, &order, run);
      go_on = run_from_start(search, &chooser);
    }
  }
  for (uint64_t run = 1; go_on && search->options->faults != 0 && run < runs - with_seed; run++) {
    if (draw_faults(search, run, &faults, &plan) != NULL) {
      struct scn_chooser chooser = draw(search, &order, run);
      go_on = run_anew(search, run, false, &chooser, &plan);
    }
  }
  for (uint64_t run = runs - with_seed; go_on && run < runs; run++) {
    struct scn_chooser chooser = draw(search, &order, run);
    go_on = run_anew(search, run, true, &chooser, draw_faults(search, run, &faults, &plan));
  }
}

/* ---- The result --------------------------------------------------------------------------- */

bool scn_run_scheduled(struct scn_runner *runner, const struct scn_scenario *scenario,
                       const struct scn_variant *variant, const char *schedule, bool unjudged,
                       struct rep_scenario *result, char *message, size_t size) {
  struct scn_schedule order;
  if (!scn_schedule_parse(schedule, &order, message, size)) {
    return false;
  }
  struct scn_follower follower;
  struct scn_chooser chooser = scn_follower_chooser(&follower, &order);
  struct scn_world *world = scn_run_begin(runner, scenario, variant, &chooser);
  bool followed = true;
  if (world == NULL) {
    scn_verdict_no_memory(scenario, variant, scn_runner_trace(runner), result);
  } else {
    const struct fake_fault_plan plan = scn_follower_faults(&follower);
    world->unjudged = unjudged;
    fake_world_use_faults(world->upstreams, order.fault_count > 0 ? &plan : NULL);
    scn_run_to_end(world);
    scn_verdict_finish(world, result);
    char *taken = scn_schedule_of_trace(world->trace);
    result->schedule = taken == NULL ? NULL : scn_world_copy(world, taken);
    free(taken);
    followed = scn_follower_is_done(&follower);
  }
  if (!followed) {
    snprintf(message, size,
             "the run came to other choices or calls than those of its schedule \"%.200s\": the "
             "code or the "
             "scenario has changed since",
             schedule);
  }
  scn_schedule_deinit(&order);
  return followed;
}

/* Runs the hit again from what will be recorded of it, and believes only what that shows. */
static void verify(struct scn_search *search, struct rep_scenario *result) {
  char message[512] = "";
  struct scn_variant variant = *search->variant;
  variant.seed = search->seed;
  if (!scn_run_scheduled(search->runner, search->scenario, &variant, search->schedule,
                         search->unjudged, result, message, sizeof message) ||
      result->verdict != search->verdict ||
      strcmp(result->timeline_sha256, search->timeline_sha256) != 0) {
    result->verdict = REP_ERROR;
    result->failure =
        "error: the search found a run that does not hold, but the same schedule and "
        "seed gave another timeline: the harness or the pool is not deterministic "
        "(memory that is read before it is written?); run it under valgrind\n";
  }
  result->variant = search->variant->name;
}

static void make_result(struct scn_search *search, struct rep_scenario *result) {
  if (search->no_memory) {
    scn_verdict_no_memory(search->scenario, search->variant, scn_runner_trace(search->runner),
                          result);
  } else if (search->differs) {
    scn_run(search->runner, search->scenario, search->variant, result);
    result->verdict = REP_ERROR;
    result->failure =
        "error: two runs came to states that are equal by their digests, and went on in different "
        "ways: something that decides is not in the digest; search with --no-pruning\n";
  } else if (search->hit) {
    verify(search, result);
  } else {
    scn_run(search->runner, search->scenario, search->variant, result);
  }
}

void scn_explore(struct scn_runner *runner, const struct scn_scenario *scenario,
                 const struct scn_variant *variant, const struct scn_explore_options *options,
                 struct rep_scenario *result) {
  struct rep_exploration *told = &scn_runner_attempt(runner)->exploration;
  struct scn_search search = {
      .runner = runner, .scenario = scenario, .variant = variant, .options = options, .told = told};
  int64_t started = scn_wall_clock_ns();
  *told = (struct rep_exploration){.strategy = scn_strategy_name(options->strategy)};
  if (begin(&search)) {
    if (options->strategy == SCN_EXHAUSTIVE) {
      scn_search_all(&search);
    } else {
      search_drawn(&search);
    }
  }
  told->wall_ns = scn_wall_clock_ns() - started;
  struct rep_exploration exploration = *told;
  sim_snapshot_destroy(search.start.snapshot);
  scn_seen_deinit(&search.schedules);
  make_result(&search, result);
  result->exploration = exploration;
  free(search.schedule);
}
