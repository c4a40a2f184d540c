/*
 * turn_text.h - what a turn would do, for a person.
 */
#ifndef ENGINE_TURN_TEXT_H
#define ENGINE_TURN_TEXT_H

#include "scenarios/engine/expect_text.h"
#include "scenarios/engine/turns.h"

/* Appends it on one line: "step 4: release a", "the answer of a ping on oa_ws_1_1". `turn` is one
 * of scn_turns_list() and has not been taken. */
void scn_turn_describe(const struct scn_world *world, const struct scn_turn *turn,
                       struct scn_text *text);

#endif
