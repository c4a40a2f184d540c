/*
 * random.h - seeded random streams, one for each subsystem, and distributions in whole numbers.
 *
 * A stream is named; streams of one seed are independent, so a new one does not shift the rest.
 * No floating point: the distributions use integer tables and fixed-point arithmetic, so every
 * machine draws the same nanoseconds. Accuracy is said at sim_distribution_draw().
 */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include "pool/wspool.h"

struct sim_random {
  uint64_t state[4];
};

/* The stream `name` of `seed`; `index` tells apart several streams of one kind. */
void sim_random_init(struct sim_random *random, uint64_t seed, const char *name, uint64_t index);
uint64_t sim_random_next(struct sim_random *random);
/* Uniform in [0, bound), without bias; 0 for bound 0 (and no draw). */
uint64_t sim_random_below(struct sim_random *random, uint64_t bound);
/* For struct wsp_environment; `context` is a struct sim_random. */
uint64_t sim_random_for_pool(void *context);

enum sim_distribution_kind {
  SIM_CONSTANT,    /* first */
  SIM_UNIFORM,     /* in [first, second], ends included; first <= second */
  SIM_EXPONENTIAL, /* mean first */
  SIM_NORMAL,      /* mean first, standard deviation second >= 0; cut off at 0 */
  SIM_LOGNORMAL,   /* median first, sigma factor `factor` > 0 (2.0: 68 % within /2 and *2) */
  SIM_TRACE        /* values[0], values[1], ... and from the start again */
};

/* A length of time (or a whole number) drawn anew each time. Zero-filled: always 0. */
struct sim_distribution {
  enum sim_distribution_kind kind;
  int64_t first, second;
  wsp_decimal factor;
  const int64_t *values;
  size_t count;
};

/* One draw, never negative. `cursor` is the place in a trace and belongs to whoever draws (not
 * used by the other kinds, which take NULL). Constant and trace take no random number, exponential,
 * normal and lognormal one each. At every one of 2^16 equally likely points (and between) an
 * exponential or lognormal is within 0.1 % of the exact quantile, a normal within 0.1 % of its
 * distance from the mean, and rounded to a whole number; values saturate at INT64_MAX / 4. */
int64_t sim_distribution_draw(const struct sim_distribution *distribution,
                              struct sim_random *random, size_t *cursor);

#endif
