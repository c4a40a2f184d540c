/*
 * strategy.c - orders that are drawn.
 */
#include "scenarios/engine/strategy.h"

#include <assert.h>

/* Streams of their own, so that one strategy's draws are not another's. */
#define RANDOM_STREAM "explore.random"
#define PCT_STREAM "explore.pct"

enum { RAREST = 6 };

static size_t choose_random(void *context, const struct scn_world *world,
                            const struct scn_turn *turns, size_t count) {
  struct scn_drawn_order *order = context;
  (void)world;
  (void)turns;
  if (order->rarity > 0 && sim_random_below(&order->random, UINT64_C(1) << order->rarity) != 0) {
    return 0;
  }
  return (size_t)sim_random_below(&order->random, count);
}

struct scn_chooser scn_strategy_random(struct scn_drawn_order *order, uint64_t seed, uint64_t run) {
  *order = (struct scn_drawn_order){0};
  sim_random_init(&order->random, seed, RANDOM_STREAM, run);
  order->rarity = (unsigned)sim_random_below(&order->random, RAREST + 1);
  return (struct scn_chooser){.choose = choose_random, .context = order};
}

/* ---- PCT ---------------------------------------------------------------------------------- */

/* Whose turn it is: the pool's turns are those of one, and so are the file's steps. */
static uint64_t owner_of(const struct scn_world *world, const struct scn_turn *turn) {
  return turn->kind == SCN_TURN_AGENDA ? UINT64_MAX - 1 : scn_turn_key(world, turn);
}

/* A number that looks drawn: splitmix64's finisher. */
static uint64_t mix(uint64_t number) {
  number = (number ^ (number >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  number = (number ^ (number >> 27)) * UINT64_C(0x94d049bb133111eb);
  return number ^ (number >> 31);
}

/* Those that fell have the lowest priorities, the last one the very lowest. */
static uint64_t priority_of(const struct scn_drawn_order *order, uint64_t owner) {
  for (size_t i = order->fallen_count; i > 0; i--) {
    if (order->fallen[i - 1] == owner) {
      return SCN_DEEPEST_PCT - i;
    }
  }
  return SCN_DEEPEST_PCT + (mix(order->priority_seed ^ mix(owner)) >> 1);
}

static size_t highest(const struct scn_drawn_order *order, const struct scn_world *world,
                      const struct scn_turn *turns, size_t count) {
  size_t best = 0;
  uint64_t best_priority = 0;
  for (size_t i = 0; i < count; i++) {
    uint64_t priority = priority_of(order, owner_of(world, &turns[i]));
    if (i == 0 || priority > best_priority) {
      best = i;
      best_priority = priority;
    }
  }
  return best;
}

static size_t choose_by_priority(void *context, const struct scn_world *world,
                                 const struct scn_turn *turns, size_t count) {
  struct scn_drawn_order *order = context;
  size_t best = highest(order, world, turns, count);
  for (size_t i = 0; i < order->change_count; i++) {
    if (order->changes[i] == world->choices + 1) {
      order->fallen[order->fallen_count++] = owner_of(world, &turns[best]);
      best = highest(order, world, turns, count);
    }
  }
  return best;
}

struct scn_chooser scn_strategy_pct(struct scn_drawn_order *order, uint64_t seed, uint64_t run,
                                    size_t depth, uint64_t choices) {
  assert(depth >= 1 && depth <= SCN_DEEPEST_PCT);
  *order = (struct scn_drawn_order){0};
  sim_random_init(&order->random, seed, PCT_STREAM, run);
  order->priority_seed = sim_random_next(&order->random);
  order->change_count = depth - 1;
  for (size_t i = 0; i < order->change_count; i++) {
    order->changes[i] = 1 + sim_random_below(&order->random, choices == 0 ? 1 : choices);
  }
  return (struct scn_chooser){.choose = choose_by_priority, .context = order};
}

/* ---- Insertion order ---------------------------------------------------------------------- */

static size_t choose_first(void *context, const struct scn_world *world,
                           const struct scn_turn *turns, size_t count) {
  (void)context;
  (void)world;
  (void)turns;
  (void)count;
  return 0;
}

const struct scn_chooser scn_strategy_first = {.choose = choose_first};
