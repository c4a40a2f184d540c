/*
 * product.h - the 128-bit product of two 64-bit numbers, in standard C. Private to sim/.
 */
#ifndef SIM_PRODUCT_H
#define SIM_PRODUCT_H

#include <stdint.h>

/* high * 2^64 + low. */
struct sim_product {
  uint64_t high;
  uint64_t low;
};

static inline struct sim_product sim_multiply(uint64_t left, uint64_t right) {
  uint64_t left_high = left >> 32, left_low = left & UINT32_MAX;
  uint64_t right_high = right >> 32, right_low = right & UINT32_MAX;
  uint64_t low = left_low * right_low;
  uint64_t middle = left_high * right_low + (low >> 32);
  uint64_t other = left_low * right_high + (middle & UINT32_MAX);
  return (struct sim_product){.high = left_high * right_high + (middle >> 32) + (other >> 32),
                              .low = (other << 32) | (low & UINT32_MAX)};
}

#endif
