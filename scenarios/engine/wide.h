/*
 * wide.h - whole numbers of 256 bits, for arrival times that are exact to the nanosecond.
 */
#ifndef ENGINE_WIDE_H
#define ENGINE_WIDE_H

#include <stdint.h>

/* Least significant limb first. Results beyond 256 bits are cut off: the callers' numbers stay
 * far below. */
struct scn_wide {
  uint32_t limbs[8];
};

struct scn_wide scn_wide_from(uint64_t value);
struct scn_wide scn_wide_add(struct scn_wide left, struct scn_wide right);
struct scn_wide scn_wide_multiply(struct scn_wide wide, uint64_t factor);
/* Less than, equal to or greater than 0. */
int scn_wide_compare(struct scn_wide left, struct scn_wide right);

/* Whole numbers of 128 bits, which do for nearly all: an order of magnitude faster. */
__extension__ typedef unsigned __int128 scn_double;

/* floor(a * b / divisor), UINT64_MAX when it is larger than that. `divisor` is not 0. */
uint64_t scn_multiply_divide(uint64_t a, uint64_t b, uint64_t divisor);

#endif
