/*
 * distribution.c - draws from distributions, in fixed-point arithmetic.
 *
 * A draw takes 64 random bits as a probability and computes the quantile there: logarithms,
 * powers of two and the normal quantile come from tables with cubic interpolation. The normal
 * table is indexed by the logarithm of the tail, so the tails reach as far as 64 bits do (9.1
 * standard deviations, 44 means of an exponential). Fixed-point numbers here have 56 bits behind
 * the point unless a comment says otherwise.
 */
#include <assert.h>

#include "sim/distribution_tables.h"
#include "sim/product.h"
#include "sim/random.h"

#define VALUE_LIMIT (INT64_MAX / 4)
#define POINT 56
#define FRACTION_MASK ((UINT64_C(1) << POINT) - 1)
#define LN_2 UINT64_C(0x00b17217f7d1cf7a) /* ln(2) * 2^56 */

/* left * right / 2^shift to the nearest, at most `limit`; 1 <= shift <= 127. */
static int64_t multiply_shifted(uint64_t left, uint64_t right, unsigned shift, int64_t limit) {
  struct sim_product product = sim_multiply(left, right);
  if (shift <= 64) {
    uint64_t half = UINT64_C(1) << (shift - 1);
    product.low += half;
    product.high += product.low < half ? 1 : 0;
  } else {
    product.high += UINT64_C(1) << (shift - 65);
  }
  uint64_t result = 0;
  if (shift >= 64) {
    result = product.high >> (shift - 64);
  } else if (product.high >> shift != 0) {
    return limit;
  } else {
    result = (product.high << (64 - shift)) | (product.low >> shift);
  }
  return result > (uint64_t)limit ? limit : (int64_t)result;
}

/* value * fraction / 2^64, toward zero. */
static int64_t scale(int64_t value, uint64_t fraction) {
  uint64_t magnitude = value < 0 ? (uint64_t)-value : (uint64_t)value;
  int64_t scaled = (int64_t)sim_multiply(magnitude, fraction).high;
  return value < 0 ? -scaled : scaled;
}

/* The cubic through four neighbours of a table, `fraction` / 2^64 of the way from the second
 * of them to the third; `at` points to the first. Newton's form with p = f * (1 - f):
 * y0 + f * slope - p * bend / 2 - p * (1 + f) * twist / 6. */
static int64_t interpolate(const int64_t *at, uint64_t fraction) {
  int64_t slope = at[2] - at[1];
  int64_t bend = at[0] - 2 * at[1] + at[2];
  int64_t twist = (at[3] - at[2]) - 2 * slope + (at[1] - at[0]);
  uint64_t parabola = sim_multiply(fraction, 0 - fraction).high;
  int64_t third = scale(twist, parabola);
  third += scale(third, fraction);
  return at[1] + scale(slope, fraction) - scale(bend, parabola) / 2 - third / 6;
}

/* log2(value) of a whole number from 1. */
static int64_t log2_of(uint64_t value) {
  int64_t exponent = 63;
  for (unsigned bits = 32; bits > 0; bits /= 2) {
    if (value >> (64 - bits) == 0) {
      value <<= bits;
      exponent -= bits;
    }
  }
  /* The leading bit is the 1 of the mantissa; six bits choose the entry. */
  size_t entry = (value >> 57) & 63;
  return exponent * (INT64_C(1) << POINT) + interpolate(&sim_log2_table[entry], value << 7);
}

/* -log2 of the tail / 2^64. */
static uint64_t surprise_of(uint64_t tail) {
  return (UINT64_C(64) << POINT) - (uint64_t)log2_of(tail);
}

/* The standard normal quantile: its magnitude, and whether it is negative. */
static uint64_t normal_quantile(uint64_t bits, bool *negative) {
  *negative = bits >> 63 == 0;
  /* The lowest bit is set to stay between 0 and 1, and to be symmetric. */
  uint64_t tail = (*negative ? bits : ~bits) | 1;
  uint64_t offset = surprise_of(tail) - (UINT64_C(1) << POINT);
  return (uint64_t)interpolate(&sim_normal_table[offset >> 53], offset << 11);
}

static int64_t clamp(int64_t value) {
  if (value < 0) {
    return 0;
  }
  return value > VALUE_LIMIT ? VALUE_LIMIT : value;
}

static int64_t uniform(int64_t first, int64_t last, struct sim_random *random) {
  assert(first <= last);
  uint64_t span = (uint64_t)last - (uint64_t)first;
  uint64_t drawn =
      span == UINT64_MAX ? sim_random_next(random) : sim_random_below(random, span + 1);
  return clamp((int64_t)((uint64_t)first + drawn));
}

static int64_t exponential(int64_t mean, uint64_t bits) {
  uint64_t surprise = surprise_of(~bits | 1);
  int64_t times_mean = multiply_shifted(surprise, LN_2, POINT, INT64_MAX);
  return multiply_shifted((uint64_t)clamp(mean), (uint64_t)times_mean, POINT, VALUE_LIMIT);
}

static int64_t normal(int64_t mean, int64_t deviation, uint64_t bits) {
  assert(deviation >= 0);
  bool negative = false;
  uint64_t z = normal_quantile(bits, &negative);
  int64_t distance = multiply_shifted((uint64_t)deviation, z, POINT, VALUE_LIMIT);
  if (mean > VALUE_LIMIT) {
    mean = VALUE_LIMIT;
  } else if (mean < -VALUE_LIMIT) {
    mean = -VALUE_LIMIT;
  }
  return clamp(negative ? mean - distance : mean + distance);
}

/* median * factor^z = median * 2^(z * log2(factor)). */
static int64_t lognormal(int64_t median, wsp_decimal factor, uint64_t bits) {
  assert(factor > 0);
  if (median <= 0) {
    return 0;
  }
  bool negative = false;
  uint64_t z = normal_quantile(bits, &negative);
  int64_t log_factor = log2_of((uint64_t)factor) - log2_of((uint64_t)WSP_DECIMAL_ONE);
  if (log_factor < 0) {
    log_factor = -log_factor;
    negative = !negative;
  }
  /* Beyond 2^64 and 2^-64 the median makes no difference. */
  int64_t exponent = multiply_shifted((uint64_t)log_factor, z, POINT, INT64_C(64) << POINT);
  exponent = negative ? -exponent : exponent;
  uint64_t fraction = (uint64_t)exponent & FRACTION_MASK;
  int64_t whole = (exponent - (int64_t)fraction) / (INT64_C(1) << POINT);
  if (whole >= 61) {
    return VALUE_LIMIT;
  }
  /* 61 bits behind the point; six bits of the fraction choose the entry. */
  int64_t power = interpolate(&sim_exp2_table[fraction >> 50], fraction << 14);
  return multiply_shifted((uint64_t)median, (uint64_t)power, (unsigned)(61 - whole), VALUE_LIMIT);
}

int64_t sim_distribution_draw(const struct sim_distribution *distribution,
                              struct sim_random *random, size_t *cursor) {
  switch (distribution->kind) {
    case SIM_CONSTANT:
      return clamp(distribution->first);
    case SIM_UNIFORM:
      return uniform(distribution->first, distribution->second, random);
    case SIM_EXPONENTIAL:
      return exponential(distribution->first, sim_random_next(random));
    case SIM_NORMAL:
      return normal(distribution->first, distribution->second, sim_random_next(random));
    case SIM_LOGNORMAL:
      return lognormal(distribution->first, distribution->factor, sim_random_next(random));
    case SIM_TRACE: {
      if (distribution->count == 0) {
        return 0;
      }
      size_t place = *cursor % distribution->count;
      *cursor = place + 1;
      return clamp(distribution->values[place]);
    }
  }
  assert(false);
  return 0;
}
