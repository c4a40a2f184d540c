/*
 * steps.h - performs steps: what each operation of a scenario does to the world.
 */
#ifndef ENGINE_STEPS_H
#define ENGINE_STEPS_H

#include "scenarios/engine/world.h"

/* "acquire", ...; lives for ever. */
const char *scn_step_kind_name(enum scn_step_kind kind);

/* Performs `step` at `world->now`; `repetition` counts from 1, 0 for a step that does not
 * repeat. What follows from it happens when the world settles. */
void scn_step_perform(struct scn_world *world, const struct scn_step *step, int64_t repetition);

/* Performs a member of a `together`, with all its repetitions that come at once. */
void scn_step_perform_member(struct scn_world *world, const struct scn_step *member);

#endif
