/*
 * invariants.h - the invariants of sim/invariant.h in a run: which are on, when they are checked,
 * and what is told of a violation.
 */
#ifndef ENGINE_INVARIANTS_H
#define ENGINE_INVARIANTS_H

#include "scenarios/engine/world.h"
#include "sim/invariant.h"

/* Begins to watch the world's pool, before anything has happened. False: no memory. */
bool scn_invariants_create(struct scn_world *world);

/* Something has been done. A violation stops the run: it is told in `world->failure`, noted in the
 * timeline and kept as the run's violation. */
void scn_invariants_follow(struct scn_world *world);

/* Tells and keeps a violation that no watch sees, unless the scenario has turned the invariant off;
 * `detail` says what was expected and what was found. */
void scn_invariants_violated(struct scn_world *world, enum sim_invariant invariant,
                             const char *detail);

/* Nothing is left to do at `world->now`: checks what has to hold then, too. */
void scn_invariants_settle(struct scn_world *world);

#endif
