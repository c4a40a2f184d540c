/*
 * random.c - xoshiro256** (Blackman and Vigna), seeded through splitmix64. Not for secrets.
 */
#include "sim/random.h"

#define FNV_OFFSET UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

static uint64_t rotate_left(uint64_t value, unsigned bits) {
  return (value << bits) | (value >> (64 - bits));
}

static uint64_t splitmix(uint64_t *state) {
  *state += UINT64_C(0x9e3779b97f4a7c15);
  uint64_t mixed = *state;
  mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
  return mixed ^ (mixed >> 31);
}

/* FNV-1a. */
static uint64_t hash_of(const char *name) {
  uint64_t hash = FNV_OFFSET;
  for (const char *at = name; *at != '\0'; at++) {
    hash = (hash ^ (unsigned char)*at) * FNV_PRIME;
  }
  return hash;
}

void sim_random_init(struct sim_random *random, uint64_t seed, const char *name, uint64_t index) {
  uint64_t state = seed;
  state = splitmix(&state) ^ hash_of(name);
  state = splitmix(&state) ^ index;
  /* Never all zero, where xoshiro would stay: splitmix is a bijection of distinct states. */
  for (int word = 0; word < 4; word++) {
    random->state[word] = splitmix(&state);
  }
}

uint64_t sim_random_next(struct sim_random *random) {
  uint64_t *state = random->state;
  uint64_t result = rotate_left(state[1] * 5, 7) * 9;
  uint64_t shifted = state[1] << 17;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= shifted;
  state[3] = rotate_left(state[3], 45);
  return result;
}

uint64_t sim_random_below(struct sim_random *random, uint64_t bound) {
  if (bound == 0) {
    return 0;
  }
  /* 2^64 mod bound: below it the remainders are not equally likely. */
  uint64_t threshold = (UINT64_MAX - bound + 1) % bound;
  uint64_t drawn = sim_random_next(random);
  while (drawn < threshold) {
    drawn = sim_random_next(random);
  }
  return drawn % bound;
}

uint64_t sim_random_for_pool(void *context) {
  return sim_random_next(context);
}
