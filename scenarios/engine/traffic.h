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

#include "scenarios/engine/world.h"

struct scn_traffic;

/* The load `index` of the scenario. NULL: no memory. */
struct scn_traffic *scn_traffic_create(struct scn_world *world, size_t index);

/* When the next arrival is due; WSP_TIME_NEVER: none is left. */
wsp_time scn_traffic_next(const struct scn_traffic *run);

/* Lets it arrive now, and finds the one after it. */
void scn_traffic_arrive(struct scn_traffic *run);

/* The operation of the turn after which `entry` begins the next one of a session; NULL: it does
 * not. */
const struct scn_operation *scn_scheduled_turn(const struct sim_entry *entry);

#endif
