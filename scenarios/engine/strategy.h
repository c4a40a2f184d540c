/*
 * strategy.h - orders that are drawn: at random, or by priorities (PCT).
 *
 * Random: each run draws how often it leaves insertion order (always, or one choice in 2, 4, ...,
 * 64), and then takes any of the alternatives, all alike. Runs that rarely leave it reach deep
 * into a scenario undisturbed; those that always do mix up everything.
 *
 * PCT (probabilistic concurrency testing) of depth d: everything that waits for its turn has a
 * priority drawn when it is first seen, the pool and the steps of the file one each for the whole
 * run, and the highest goes first; at d - 1 choices drawn beforehand what would go first falls
 * below all others. A bug that needs d things in one order is found with a probability of at
 * least 1 / (n * k^(d-1)), n things in k choices, in each run.
 */
#ifndef ENGINE_STRATEGY_H
#define ENGINE_STRATEGY_H

#include "scenarios/engine/turns.h"
#include "sim/random.h"

enum { SCN_DEEPEST_PCT = 16 };

/* One drawn order. It lives as long as the run. */
struct scn_drawn_order {
  struct sim_random random;
  unsigned rarity; /* random: leaves insertion order at one choice in 2^rarity */
  uint64_t priority_seed;
  size_t change_count;
  uint64_t changes[SCN_DEEPEST_PCT]; /* the choices at which a priority falls */
  size_t fallen_count;
  uint64_t fallen[SCN_DEEPEST_PCT]; /* whose it was; each lower than those before */
};

/* The order number `run` of `seed`. Equal arguments: equal orders. */
struct scn_chooser scn_strategy_random(struct scn_drawn_order *order, uint64_t seed, uint64_t run);

/* `depth` from 1 to SCN_DEEPEST_PCT; `choices` is about how many the run will have. */
struct scn_chooser scn_strategy_pct(struct scn_drawn_order *order, uint64_t seed, uint64_t run,
                                    size_t depth, uint64_t choices);

/* The chooser that takes the first: insertion order, one turn at a time. */
extern const struct scn_chooser scn_strategy_first;

#endif
