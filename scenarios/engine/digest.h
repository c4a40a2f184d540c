/*
 * digest.h - the state of a run in 128 bits, so that a search knows a state that it has met.
 *
 * Two runs of one scenario with equal digests have the same runs before them: the same things can
 * be done next, and whatever is done, the digests are equal again; at the end the same
 * expectations hold, the same invariants do, and the verdict is the same. It is made of
 *
 *  - the pool (pool/digest.h) and the upstreams (fakes/digest.h);
 *  - what is due when: the queue as a set. Things that are due at the same moment have an order in
 *    the queue, but a search takes them in every order anyway;
 *  - the agenda, the traffic of loads, and each operation with all that expectations and later
 *    steps can ask of it;
 *  - what the expectations can see of the timeline so far (sight.h), and those that were judged;
 *  - the books of the watch over the invariants (sim/watch_digest.c). Of the metrics they have the
 *    difference between those that the timeline gives and those that the pool gives, which is 0 in
 *    a pool without a bug, so that it does not matter how large they are.
 *
 * Left out, because no verdict depends on it: how many choices there were and which were taken;
 * whether any was out of turn (the run in insertion order is the first, and all that is judged in a
 * later one was judged in it, and more); rows and samples that only SQL sees; the words of
 * failures; how full the arena and the timeline are, and how many turns the instant has had (a run
 * that would be stopped at their limits may have been left out for one that came to the same state
 * with less).
 */
#ifndef ENGINE_DIGEST_H
#define ENGINE_DIGEST_H

#include "scenarios/engine/sight.h"
#include "scenarios/engine/world.h"

/* The state of the run, with what has been seen so far, which is brought up to date. False: there
 * is something in the world whose state nobody takes together, as another pool than this project's;
 * then no two states are known to be equal. */
bool scn_world_digest(const struct scn_world *world, const struct scn_sight *sight,
                      struct scn_seen_so_far *seen, struct wsp_digest *digest);

#endif
