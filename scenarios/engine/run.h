/*
 * run.h - runs one variant of a scenario, in virtual time or live: the world around the real pool.
 */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include "reports/recorder.h"
#include "scenarios/engine/crash.h"
#include "scenarios/engine/turns.h"

/* What is kept from run to run, so that many runs cost no set-up: the arena and the trace. */
struct scn_runner;

/* `shared`: the trace lies in memory shared with processes forked later. NULL: no memory. */
struct scn_runner *scn_runner_create(bool shared);
void scn_runner_destroy(struct scn_runner *runner);

/* The trace of the current or last run. */
struct sim_trace *scn_runner_trace(struct scn_runner *runner);

/* What is known of the current or last run besides its trace, in memory that is shared as the
 * trace is, so that a crash takes nothing of it away. All zero before the first run. */
struct scn_attempt {
  uint64_t number; /* counts the runs of this runner */
  uint64_t seed;
  bool live;
  bool explored;                      /* a chooser decides, and its order is part of the result */
  struct rep_exploration exploration; /* so far; of the item that is being explored */
  struct scn_crash crash;             /* of the process in which it is */
};
struct scn_attempt *scn_runner_attempt(struct scn_runner *runner);

/* From now on, each choice of a run with a chooser leaves what could have been taken in `choices`
 * (NULL: nowhere), a trace of the caller's: for each alternative an event `order_chosen` with the
 * number of the choice, the alternative, and how many events the timeline had; its first text says
 * what it is, and its `cause` is 1 for the one that was taken. In memory that is shared, they
 * survive a crash as the timeline does. */
void scn_runner_keep_choices(struct scn_runner *runner, struct sim_trace *choices);

/* Runs `variant` to its end, judges its expectations and fills `result` (all but id, wall_ns and
 * source). What `result` points to lives until the next run or destroy. Never fails without
 * saying so: a harness fault is the verdict REP_ERROR with its reason in `failure`. */
void scn_run(struct scn_runner *runner, const struct scn_scenario *scenario,
             const struct scn_variant *variant, struct rep_scenario *result);

/* Like scn_run(), over real sockets. */
void scn_run_live(struct scn_runner *runner, const struct scn_scenario *scenario,
                  const struct scn_variant *variant, const struct scn_live_options *options,
                  struct rep_scenario *result);

/* ---- A run in pieces, for those who choose the order of what is due at once ---------------- */

/* The world of `variant` at its start. With a chooser (it must outlive the run), everything that
 * could happen in another order is a choice. NULL: no memory. */
struct scn_world *scn_run_begin(struct scn_runner *runner, const struct scn_scenario *scenario,
                                const struct scn_variant *variant,
                                const struct scn_chooser *chooser);

/* Carries the run on to its next choice, and lists the turns between which there is one; 0: the
 * run is over. */
size_t scn_run_to_choice(struct scn_world *world, struct scn_turn turns[SCN_MOST_TURNS]);

/* Takes one of the `count` turns. */
void scn_run_choose(struct scn_world *world, const struct scn_turn *turns, size_t count,
                    size_t taken);

/* Carries the run to its end, asking its chooser. */
void scn_run_to_end(struct scn_world *world);

#endif
