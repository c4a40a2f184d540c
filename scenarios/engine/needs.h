/*
 * needs.h - what a scenario asks of a pool, so that a pool that can do less is spared it.
 *
 * Read from the steps, the loads, the settings that differ from their defaults, and what the
 * expectations speak of. A scenario that relies silently on a default (a conn that is prewarmed
 * because two of two are lent) is not seen to need it: a pool without that fails there.
 */
#ifndef ENGINE_NEEDS_H
#define ENGINE_NEEDS_H

#include "scenarios/engine/scenario.h"
#include "sim/pool_interface.h"

/* Bit i: enum sim_capability i. */
uint64_t scn_needs(const struct scn_scenario *scenario, const struct scn_variant *variant);

/* Why `pool` is spared this run, as a sentence in `reason`. False: it is not. */
bool scn_needs_more(const struct scn_scenario *scenario, const struct scn_variant *variant,
                    const struct sim_pool_interface *pool, char *reason, size_t size);

#endif
