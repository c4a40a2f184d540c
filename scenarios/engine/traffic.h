/*
 * traffic.h - the traffic of a scenario's `load`: acquires that arrive, and the sessions behind
 * them.
 *
 * A session takes its turns one after the other: acquire, hold, release, think, and again. A turn
 * whose acquire fails is over at once. With an affinity, a turn names the conn of the turn before
 * it, if that had one.
 */
#ifndef ENGINE_TRAFFIC_H
#define ENGINE_TRAFFIC_H

#include "pool/digest.h"
#include "scenarios/engine/world.h"

struct scn_traffic;

/* The load `index` of the scenario. NULL: no memory. */
struct scn_traffic *scn_traffic_create(struct scn_world *world, size_t index);

/* When the next arrival is due; WSP_TIME_NEVER: none is left. */
wsp_time scn_traffic_next(const struct scn_traffic *run);

/* Lets it arrive now, and finds the one after it. */
void scn_traffic_arrive(struct scn_traffic *run);

/* Adds what decides about the arrivals to come. */
void scn_traffic_digest(const struct scn_traffic *run, struct wsp_digest *digest);
/* Adds the session that `operation`, which is not over, is a turn of, if it is one; and the one
 * whose next turn `entry` begins. False: it begins none. */
void scn_session_digest(const struct scn_operation *operation, struct wsp_digest *digest);
bool scn_turn_digest(const struct sim_entry *entry, struct wsp_digest *digest);

/* The operation of the turn after which `entry` begins the next one of a session; NULL: it does
 * not. */
const struct scn_operation *scn_scheduled_turn(const struct sim_entry *entry);

#endif
