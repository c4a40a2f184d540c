/*
 * digest.h - the state of all upstreams in 128 bits, beside that of the pool that they serve.
 *
 * In it is what decides how they answer from now on: what is under way and when it ends, each
 * conn, each upstream's definition and places in its lists, its random streams, the faults. Calls
 * and dials are named by what they are for (pool/digest.h), so the order in which they lie in the
 * queue is not in it: what is due at one moment can be taken in any order by those who ask for a
 * digest. Behaviours are named by where they lie, which is the same in all runs of one process.
 */
#ifndef FAKES_DIGEST_H
#define FAKES_DIGEST_H

#include "fakes/fake.h"
#include "pool/digest.h"

/* Adds the upstreams and their conns. `counters`: what expectations can ask of an upstream too. */
void fake_world_digest(const struct fake_world *world, bool counters, struct wsp_digest *digest);

/* Adds what an entry of the queue is, unless it is a part of what fake_world_digest() adds. False:
 * it is not of the fakes' making, or of a kind whose state nobody takes together. */
bool fake_entry_digest(const struct sim_entry *entry, const struct wsp_digest_names *names,
                       struct wsp_digest *digest);

#endif
