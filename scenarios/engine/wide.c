/*
 * wide.c - whole numbers of 256 bits, the few operations that arrival times need.
 */
#include "scenarios/engine/wide.h"

#include <assert.h>
#include <stdbool.h>

enum { LIMBS = 8 };

struct scn_wide scn_wide_from(uint64_t value) {
  return (struct scn_wide){{(uint32_t)value, (uint32_t)(value >> 32)}};
}

struct scn_wide scn_wide_add(struct scn_wide left, struct scn_wide right) {
  uint64_t carry = 0;
  for (int i = 0; i < LIMBS; i++) {
    carry += (uint64_t)left.limbs[i] + right.limbs[i];
    left.limbs[i] = (uint32_t)carry;
    carry >>= 32;
  }
  return left;
}

/* wide * factor * 2^(32 * shift) */
static struct scn_wide multiply_limb(struct scn_wide wide, uint32_t factor, int shift) {
  struct scn_wide product = {{0}};
  uint64_t carry = 0;
  for (int i = 0; i + shift < LIMBS; i++) {
    carry += (uint64_t)wide.limbs[i] * factor;
    product.limbs[i + shift] = (uint32_t)carry;
    carry >>= 32;
  }
  return product;
}

struct scn_wide scn_wide_multiply(struct scn_wide wide, uint64_t factor) {
  return scn_wide_add(multiply_limb(wide, (uint32_t)factor, 0),
                      multiply_limb(wide, (uint32_t)(factor >> 32), 1));
}

int scn_wide_compare(struct scn_wide left, struct scn_wide right) {
  for (int i = LIMBS - 1; i >= 0; i--) {
    if (left.limbs[i] != right.limbs[i]) {
      return left.limbs[i] < right.limbs[i] ? -1 : 1;
    }
  }
  return 0;
}

uint64_t scn_multiply_divide(uint64_t a, uint64_t b, uint64_t divisor) {
  assert(divisor > 0 && divisor < UINT64_C(1) << 63);
  if (b == 0 || a <= UINT64_MAX / b) {
    return a * b / divisor; /* nearly always: the long way costs 128 steps */
  }
  struct scn_wide product = scn_wide_multiply(scn_wide_from(a), b);
  uint64_t quotient = 0;
  uint64_t rest = 0;
  for (int bit = 127; bit >= 0; bit--) {
    rest = rest << 1 | (product.limbs[bit / 32] >> (bit % 32) & 1);
    if (quotient >> 63 != 0) {
      return UINT64_MAX;
    }
    quotient <<= 1;
    if (rest >= divisor) {
      rest -= divisor;
      quotient |= 1;
    }
  }
  return quotient;
}
