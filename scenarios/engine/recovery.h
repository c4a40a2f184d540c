/*
 * recovery.h - what comes after a run in which faults have struck: the pool must converge.
 *
 * When the scenario has come to its end and every fault is over, all upstreams answer at once and
 * with success, and the callers give back all that they hold: leases, and pins. From then on, each
 * of the following must have come true within a bound that follows from the configuration:
 *
 *  1. nothing is under way any more: no operation of the scenario, and in no account that the
 *     scenario names a lease, a waiter or a place that is reserved for a dial; or, when the
 *     scenario closed the pool, the close is complete;
 *  2. an acquire of each account is served, and the account has its minimum of idle conns;
 *  3. as many acquires of each account as its maximum allows are served together, and when they
 *     have been given back, nothing is lent or reserved.
 *
 * What does not hold is a violation of the invariant `convergence`. An account is asked for the
 * url and proxy that its last acquire asked for; one that has none, or whose maximum is 0, is not
 * asked.
 */
#ifndef ENGINE_RECOVERY_H
#define ENGINE_RECOVERY_H

#include "scenarios/engine/world.h"

/* Whether the run has to recover before it is over. */
bool scn_recovery_is_due(const struct scn_world *world);

/* At an instant at which nothing is left to do: goes on with what is to be done now, and returns
 * the time until which to wait then. WSP_TIME_NEVER: the recovery is over. */
wsp_time scn_recovery_go_on(struct scn_world *world);

#endif
