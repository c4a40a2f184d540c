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
  assert(divisor > 0);
  if (b == 0 || a <= UINT64_MAX / b) {
    return a * b / divisor;
  }
  scn_double quotient = (scn_double)a * b / divisor;
  return quotient > UINT64_MAX ? UINT64_MAX : (uint64_t)quotient;
}
