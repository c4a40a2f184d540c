/*
 * turns.h - what can be done next at one instant, and doing it.
 *
 * At an instant several things may be due at once: answers of the upstreams and scheduled releases
 * (the queue), the pool's own work (its timers and the completions that it has to deliver, as one
 * turn), and what is on the agenda. Insertion order takes the queue first, then the pool, again
 * and again until nothing of both is due, and then the next item of the agenda. A chooser may take
 * them in any other order that could have been: with it, the next item of the agenda may come
 * before what is due, and members of a `together` in any order among themselves. What depends on
 * an earlier thing of the same instant still comes after it: a step that uses a lease or a conn
 * by a label whose acquire has not ended, an `expect`, a `clock_jump`.
 *
 * Limits: the steps of a file stay in the file's order, and the pool's turn is one turn; of more
 * than SCN_MOST_TURNS turns only the first can be taken next.
 */
#ifndef ENGINE_TURNS_H
#define ENGINE_TURNS_H

#include "scenarios/engine/world.h"

enum scn_turn_kind { SCN_TURN_ENTRY, SCN_TURN_POOL, SCN_TURN_AGENDA, SCN_TURN_MEMBER };

struct scn_turn {
  enum scn_turn_kind kind;
  struct sim_entry *entry; /* SCN_TURN_ENTRY */
  size_t member;           /* SCN_TURN_MEMBER: of the `together` that is under way */
};

enum { SCN_MOST_TURNS = 64 };

/* Decides between turns that could be taken next. */
struct scn_chooser {
  /* The index of the turn to take; `count` is at least 2, and 0 is that of insertion order. */
  size_t (*choose)(void *context, const struct scn_world *world, const struct scn_turn *turns,
                   size_t count);
  void *context;
};

/* Lists what can be done at `world->now`, that of insertion order first. 0: nothing can. */
size_t scn_turns_list(const struct scn_world *world, struct scn_turn turns[SCN_MOST_TURNS]);

/* Does a turn of scn_turns_list(), before anything else is done. */
void scn_turn_take(struct scn_world *world, const struct scn_turn *turn);

/* Does the first turn in insertion order, without listing the others. False: there is none. */
bool scn_turn_take_first(struct scn_world *world);

/* A number for what is to be done, the same for as long as it waits for its turn, and of no other
 * turn of the run but the pool's, which all have one. */
uint64_t scn_turn_key(const struct scn_world *world, const struct scn_turn *turn);

#endif
