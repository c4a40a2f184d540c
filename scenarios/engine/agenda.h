/*
 * agenda.h - what is to be done from outside and when: steps, their repetitions, arrivals of load.
 *
 * At one moment, steps come in file order (a repetition at the place of its step), then arrivals
 * in the order of the loads. Later turns of a session and scheduled releases are no agenda but
 * entries of the queue: they follow from what happened.
 */
#ifndef ENGINE_AGENDA_H
#define ENGINE_AGENDA_H

#include "pool/digest.h"
#include "scenarios/engine/turns.h"

/* NULL: no memory. */
struct scn_agenda *scn_agenda_create(struct scn_world *world);

/* When the next item is to be done; WSP_TIME_NEVER: none is left. */
wsp_time scn_agenda_next(const struct scn_world *world);

/* Does the next item, of which there must be one. */
void scn_agenda_perform(struct scn_world *world);

/* Performs a step for the first time, and puts its repetitions on the agenda. */
void scn_agenda_begin(struct scn_world *world, const struct scn_step *step);

/* Whether the next item may come before what else is due at its moment: it uses nothing by a label
 * that may be on its way just now, and it is no `expect`, `upstream` or `clock_jump`. */
bool scn_agenda_is_free(const struct scn_world *world);

/* Of a run with a chooser: the members of a `together` are done one by one, in an order that the
 * chooser decides, with nothing in between. False: it can not be done so (it is a member of another
 * one, or has more than SCN_MOST_TURNS members). */
bool scn_agenda_open(struct scn_world *world, const struct scn_step *together);
/* Lists the members that can be done next; 0: no `together` is under way. */
size_t scn_agenda_members(const struct scn_world *world, struct scn_turn turns[SCN_MOST_TURNS]);
void scn_agenda_perform_member(struct scn_world *world, size_t member);

/* The step that the next item performs, and for which time (0: it does not repeat); NULL: it is an
 * arrival of `*load`, or there is none. */
const struct scn_step *scn_agenda_step(const struct scn_world *world, int64_t *repetition,
                                       const struct scn_load **load);
/* The member `member` of the `together` that is under way. */
const struct scn_step *scn_agenda_member(const struct scn_world *world, size_t member);

/* Adds what decides about the items to come. */
void scn_agenda_digest(const struct scn_world *world, struct wsp_digest *digest);

/* How many items have been done. */
uint64_t scn_agenda_number(const struct scn_world *world);

/* When the last item so far was done, or when the longest load is over if that is later. */
wsp_time scn_agenda_last(const struct scn_world *world);

#endif
