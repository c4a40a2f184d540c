/*
 * agenda.h - what is to be done from outside and when: steps, their repetitions, arrivals of load.
 *
 * At one moment, steps come in file order (a repetition at the place of its step), then arrivals
 * in the order of the loads. Later turns of a session and scheduled releases are no agenda but
 * entries of the queue: they follow from what happened.
 */
#ifndef ENGINE_AGENDA_H
#define ENGINE_AGENDA_H

#include "scenarios/engine/world.h"

/* NULL: no memory. */
struct scn_agenda *scn_agenda_create(struct scn_world *world);

/* When the next item is to be done; WSP_TIME_NEVER: none is left. */
wsp_time scn_agenda_next(const struct scn_world *world);

/* Does the next item, of which there must be one. */
void scn_agenda_perform(struct scn_world *world);

/* Performs a step for the first time, and puts its repetitions on the agenda. */
void scn_agenda_begin(struct scn_world *world, const struct scn_step *step);

/* When the last item so far was done, or when the longest load is over if that is later. */
wsp_time scn_agenda_last(const struct scn_world *world);

#endif
