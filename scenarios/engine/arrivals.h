/*
 * arrivals.h - when the acquires of a load arrive, one after the other, in whole numbers.
 *
 * poisson: gaps drawn from an exponential distribution, summed up as exact fractions.
 * uniform: the k-th (from 0) at floor(k / rate). ramp: the k-th at the first nanosecond by which
 * the rate, which grows or falls linearly over the load's duration, has brought k arrivals.
 * burst: so many at 0, and again every so often. trace: as the file says, in its order.
 */
#ifndef ENGINE_ARRIVALS_H
#define ENGINE_ARRIVALS_H

#include "scenarios/engine/scenario.h"

struct scn_arrivals {
  const struct scn_load *load;
  struct sim_random random;
  uint64_t number; /* arrivals so far */
  uint64_t passed; /* poisson: mean gaps that have passed, in billionths */
  wsp_time last;
  wsp_duration gap; /* ramp: between the last two */
};

/* The arrivals of the load `index` (from 0) of a scenario that runs with `seed`. */
void scn_arrivals_init(struct scn_arrivals *arrivals, const struct scn_load *load, uint64_t seed,
                       uint64_t index);

/* The time of the next arrival, WSP_TIME_NEVER when there is none before the load's end. Never
 * less than the time before. */
wsp_time scn_arrivals_next(struct scn_arrivals *arrivals);

#endif
