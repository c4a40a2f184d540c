/*
 * verdict.h - what a run has come to: judged expectations, invariants, the verdict, the result.
 */
#ifndef ENGINE_VERDICT_H
#define ENGINE_VERDICT_H

#include "scenarios/engine/world.h"

/* Judges expectations at `world->now`, keeps a row of each and the message of each that fails.
 * Those of a step (`midway`) that fail are events of the timeline too. */
void scn_verdict_judge(struct scn_world *world, const struct scn_expectation *expectations,
                       size_t count, bool midway);

/* Says that the run hangs, and which operations are pending, since when, on what. */
void scn_verdict_hang(struct scn_world *world, const char *why);

/* The run is over: judges the scenario's expectations, unless an invariant was violated. Once a
 * run. */
enum rep_verdict scn_verdict_reach(struct scn_world *world);

/* scn_verdict_reach(), and fills `result`. */
void scn_verdict_finish(struct scn_world *world, struct rep_scenario *result);

/* The result of a run that could not even begin. */
void scn_verdict_no_memory(const struct scn_scenario *scenario, const struct scn_variant *variant,
                           struct sim_trace *trace, struct rep_scenario *result);

/* What is known of a result before the run: names, seed, mode, trace. */
void scn_verdict_begin(const struct scn_scenario *scenario, const struct scn_variant *variant,
                       struct sim_trace *trace, struct rep_scenario *result);

#endif
