/*
 * arrivals.c - when the acquires of a load arrive.
 */
#include "scenarios/engine/arrivals.h"

#include "scenarios/engine/wide.h"

static const uint64_t BILLION = UINT64_C(1000000000);

void scn_arrivals_init(struct scn_arrivals *arrivals, const struct scn_load *load, uint64_t seed,
                       uint64_t index) {
  *arrivals = (struct scn_arrivals){.load = load};
  sim_random_init(&arrivals->random, seed, "load-arrivals", index);
}

static wsp_time clamp(uint64_t time) {
  return time >= (uint64_t)WSP_TIME_NEVER ? WSP_TIME_NEVER : (wsp_time)time;
}

/* The time by which `gaps` mean gaps (in billionths) have passed at the load's rate. */
static wsp_time time_of_gaps(const struct scn_load *load, uint64_t gaps) {
  if (load->rate.arrivals <= 0) {
    return WSP_TIME_NEVER;
  }
  return clamp(scn_multiply_divide(gaps, (uint64_t)load->rate.per, (uint64_t)load->rate.arrivals));
}

static wsp_time next_poisson(struct scn_arrivals *arrivals) {
  const struct sim_distribution gap = {.kind = SIM_EXPONENTIAL, .first = (int64_t)BILLION};
  uint64_t drawn = (uint64_t)sim_distribution_draw(&gap, &arrivals->random, NULL);
  arrivals->passed = arrivals->passed > UINT64_MAX - drawn ? UINT64_MAX : arrivals->passed + drawn;
  return time_of_gaps(arrivals->load, arrivals->passed);
}

static wsp_time next_uniform(const struct scn_arrivals *arrivals) {
  if (arrivals->number > UINT64_MAX / BILLION) {
    return WSP_TIME_NEVER;
  }
  return time_of_gaps(arrivals->load, arrivals->number * BILLION);
}

static wsp_time next_burst(const struct scn_arrivals *arrivals) {
  const struct scn_load *load = arrivals->load;
  if (load->burst <= 0) {
    return WSP_TIME_NEVER;
  }
  uint64_t burst = arrivals->number / (uint64_t)load->burst;
  if (burst > 0 && load->every <= 0) {
    return WSP_TIME_NEVER;
  }
  return clamp(scn_multiply_divide(burst, (uint64_t)load->every, 1));
}

/* Times at the load's end or later are passed over. */
static wsp_time next_of_trace(struct scn_arrivals *arrivals) {
  const struct scn_load *load = arrivals->load;
  while (arrivals->number < load->time_count && load->times[arrivals->number] >= load->duration) {
    arrivals->number++;
  }
  return arrivals->number < load->time_count ? load->times[arrivals->number] : WSP_TIME_NEVER;
}

/* In billionths of an arrival a second. */
static uint64_t rate_per_second(const struct scn_rate *rate) {
  return scn_multiply_divide((uint64_t)rate->arrivals, BILLION, (uint64_t)rate->per);
}

/*
 * With the rate going from r0 to r1 over the duration D there have been
 *   N(t) = r0 t + (r1 - r0) t^2 / (2 D)
 * arrivals by t. For rates in billionths a second and times in nanoseconds, N(t) >= k is
 *   t (r0 (2 D - t) + r1 t) >= 2 D k 10^18,
 * which is compared exactly; t is found by halving.
 */
struct ramp {
  uint64_t first_rate, last_rate, duration;
  struct scn_wide needed; /* the right side */
  bool fits;              /* both sides have 128 bits at most, for all t up to the duration */
  scn_double needed_if_fits;
};

/* Whether left * right has 128 bits at most. */
static bool multiply(scn_double left, scn_double right, scn_double *product) {
  return !__builtin_mul_overflow(left, right, product);
}

static bool left_side_fits(const struct ramp *ramp) {
  scn_double most = (scn_double)ramp->first_rate + ramp->last_rate;
  return multiply(most, 2 * ramp->duration, &most) && multiply(most, ramp->duration, &most);
}

static struct ramp ramp_to(const struct scn_load *load, uint64_t number) {
  struct ramp ramp = {.first_rate = rate_per_second(&load->rate),
                      .last_rate = rate_per_second(&load->end_rate),
                      .duration = (uint64_t)load->duration};
  ramp.fits = left_side_fits(&ramp) && multiply((scn_double)number * (2 * ramp.duration),
                                                BILLION * BILLION, &ramp.needed_if_fits);
  ramp.needed = scn_wide_multiply(scn_wide_from(number), 2 * ramp.duration);
  ramp.needed = scn_wide_multiply(scn_wide_multiply(ramp.needed, BILLION), BILLION);
  return ramp;
}

static bool has_arrived(const struct ramp *ramp, uint64_t t) {
  if (ramp->fits) {
    scn_double rates =
        (scn_double)ramp->first_rate * (2 * ramp->duration - t) + (scn_double)ramp->last_rate * t;
    return rates * t >= ramp->needed_if_fits;
  }
  struct scn_wide rates =
      scn_wide_add(scn_wide_multiply(scn_wide_from(ramp->first_rate), 2 * ramp->duration - t),
                   scn_wide_multiply(scn_wide_from(ramp->last_rate), t));
  return scn_wide_compare(scn_wide_multiply(rates, t), ramp->needed) >= 0;
}

/* Halves [low, high] at `t`, if that lies inside. */
static void halve(const struct ramp *ramp, uint64_t t, uint64_t *low, uint64_t *high) {
  if (t < *low || t >= *high) {
    return;
  }
  if (has_arrived(ramp, t)) {
    *high = t;
  } else {
    *low = t + 1;
  }
}

static wsp_time next_of_ramp(const struct scn_arrivals *arrivals) {
  const struct scn_load *load = arrivals->load;
  struct ramp ramp = ramp_to(load, arrivals->number);
  uint64_t last = (uint64_t)arrivals->last;
  uint64_t low = last;
  uint64_t high = ramp.duration;
  /* Mostly the gap is about that of before, which saves half of the work. */
  uint64_t gap = (uint64_t)arrivals->gap;
  halve(&ramp, last + gap + gap / 8, &low, &high);
  halve(&ramp, last + gap - gap / 8, &low, &high);
  while (low < high) {
    halve(&ramp, low + (high - low) / 2, &low, &high);
  }
  return clamp(low);
}

static wsp_time next(struct scn_arrivals *arrivals) {
  switch (arrivals->load->arrivals) {
    case SCN_ARRIVALS_POISSON:
      return next_poisson(arrivals);
    case SCN_ARRIVALS_UNIFORM:
      return next_uniform(arrivals);
    case SCN_ARRIVALS_BURST:
      return next_burst(arrivals);
    case SCN_ARRIVALS_TRACE:
      return next_of_trace(arrivals);
    case SCN_ARRIVALS_RAMP:
      return next_of_ramp(arrivals);
  }
  return WSP_TIME_NEVER;
}

wsp_time scn_arrivals_next(struct scn_arrivals *arrivals) {
  if (arrivals->load->duration <= 0) {
    return WSP_TIME_NEVER;
  }
  wsp_time at = next(arrivals);
  if (at >= arrivals->load->duration) {
    return WSP_TIME_NEVER;
  }
  arrivals->number++;
  if (at > arrivals->last) {
    arrivals->gap = at - arrivals->last;
    arrivals->last = at;
  }
  return arrivals->last;
}
