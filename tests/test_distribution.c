/*
 * test_distribution.c - distributions: quantiles, sums, limits.
 *
 * Exact quantiles were computed with 50 digits (mpmath). Sums of draws are from a second
 * implementation in Python of the same whole-number arithmetic; beside each stands the mean that
 * mathematics gives, which a sample of 100 000 meets within its standard error.
 */
#include "sim/random.h"
#include "tests/suites.h"

#define DRAWS 100000
#define LIMIT (INT64_MAX / 4)
#define TERA INT64_C(1000000000000)

/* A stream whose next number is `bits`: the last steps of the generator, undone. */
static struct sim_random stream_giving(uint64_t bits) {
  uint64_t ninth = bits * UINT64_C(0x8e38e38e38e38e39);
  uint64_t rotated = (ninth >> 7) | (ninth << 57);
  return (struct sim_random){{1, rotated * UINT64_C(0xcccccccccccccccd), 3, 4}};
}

static int64_t value_at(struct sim_distribution distribution, uint64_t bits) {
  struct sim_random check = stream_giving(bits);
  struct sim_random random = check;
  CU_ASSERT_EQUAL(sim_random_next(&check), bits);
  return sim_distribution_draw(&distribution, &random, NULL);
}

static const struct sim_distribution exponential = {.kind = SIM_EXPONENTIAL, .first = TERA};
static const struct sim_distribution normal = {
    .kind = SIM_NORMAL, .first = TERA, .second = TERA / 5};
static const struct sim_distribution lognormal = {
    .kind = SIM_LOGNORMAL, .first = TERA, .factor = 2 * WSP_DECIMAL_ONE};

/* The quantiles at (point + 1/2) / 2^16. */
static const struct {
  uint64_t point;
  int64_t exponential, normal, lognormal;
} quantiles[] = {
    {0, 7629424, 135016191835, 49896449089},
    {1, 22888446, 184758696793, 59284282781},
    {655, 10052493664, 534746454157, 199399302843},
    {6553, 105358820238, 743687947972, 411350396678},
    {16384, 287692245030, 865106851657, 626564205376},
    {32767, 693131921887, 999996175189, 999986744302},
    {32768, 693162439465, 1000003824811, 1000013255873},
    {49151, 1386263844007, 1134893148343, 1596005631060},
    {58982, 2302600351900, 1256312052028, 2431017468503},
    {64880, 4604956585755, 1465253545843, 5015062669427},
    {65470, 6908304746318, 1618079098016, 8517296010103},
    {65534, 10684889780851, 1815241303207, 16867877169084},
    {65535, 11783502069519, 1864983808165, 20041506324771},
};

/* Whether they differ by at most a thousandth of `exact`. */
static bool is_near(int64_t value, int64_t exact) {
  int64_t difference = value > exact ? value - exact : exact - value;
  return difference <= (exact < 0 ? -exact : exact) / 1000;
}

static void quantiles_are_within_a_thousandth(void) {
  for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
    uint64_t bits = (quantiles[i].point << 48) + (UINT64_C(1) << 47);
    CU_ASSERT_TRUE(is_near(value_at(exponential, bits), quantiles[i].exponential));
    CU_ASSERT_TRUE(is_near(value_at(lognormal, bits), quantiles[i].lognormal));
    CU_ASSERT_TRUE(is_near(value_at(normal, bits) - TERA, quantiles[i].normal - TERA));
  }
}

static void quantiles_never_fall(void) {
  static const uint64_t step = (UINT64_C(1) << 50) + 12345;
  const struct sim_distribution *all[] = {&exponential, &normal, &lognormal};
  for (size_t i = 0; i < 3; i++) {
    int64_t last = 0;
    size_t falls = 0;
    for (uint64_t n = 0; n < 16384; n++) {
      struct sim_random random = stream_giving(n * step);
      int64_t value = sim_distribution_draw(all[i], &random, NULL);
      falls += value < last ? 1 : 0;
      last = value;
    }
    CU_ASSERT_EQUAL(falls, 0);
  }
}

static void the_middle_and_the_ends_are_exact(void) {
  const uint64_t middle = UINT64_C(1) << 63;
  CU_ASSERT_EQUAL(value_at(normal, middle), TERA);
  CU_ASSERT_EQUAL(value_at(normal, middle - 1), TERA);
  CU_ASSERT_EQUAL(value_at(lognormal, middle), TERA);
  CU_ASSERT_EQUAL(value_at(exponential, 0), 0);
  /* A tail of 2^-64: 64 * ln(2) = 44.3614195558365 means, 9.080155124873613 deviations. */
  CU_ASSERT_EQUAL(value_at(exponential, UINT64_MAX), 44361419555837);
  CU_ASSERT_EQUAL(value_at(normal, UINT64_MAX), 2816031024975);
  CU_ASSERT_EQUAL(value_at(normal, 0), 0);
}

/* The sum of DRAWS draws from the stream `name` of seed 1. */
static int64_t sum_of(struct sim_distribution distribution, const char *name, int64_t *least,
                      int64_t *most) {
  struct sim_random random;
  int64_t sum = 0;
  *least = INT64_MAX;
  *most = 0;
  sim_random_init(&random, 1, name, 0);
  for (int draw = 0; draw < DRAWS; draw++) {
    int64_t value = sim_distribution_draw(&distribution, &random, NULL);
    sum += value;
    *least = value < *least ? value : *least;
    *most = value > *most ? value : *most;
  }
  return sum;
}

static void sums_are_the_same_everywhere(void) {
  int64_t least = 0, most = 0;
  /* Mean 5 000 000. */
  CU_ASSERT_EQUAL(sum_of((struct sim_distribution){.kind = SIM_UNIFORM,
                                                   .first = WSP_MILLISECOND,
                                                   .second = 9 * WSP_MILLISECOND},
                         "uniform", &least, &most),
                  INT64_C(499117593589));
  CU_ASSERT_EQUAL(least, 1000140);
  CU_ASSERT_EQUAL(most, 8999887);
  /* Mean 20 000 000. */
  CU_ASSERT_EQUAL(
      sum_of((struct sim_distribution){.kind = SIM_EXPONENTIAL, .first = 20 * WSP_MILLISECOND},
             "exponential", &least, &most),
      INT64_C(1999062842687));
  CU_ASSERT_EQUAL(least, 245);
  CU_ASSERT_EQUAL(most, 254416835);
  /* Mean 20 000 000; four standard deviations below it lies the cut-off. */
  CU_ASSERT_EQUAL(sum_of((struct sim_distribution){.kind = SIM_NORMAL,
                                                   .first = 20 * WSP_MILLISECOND,
                                                   .second = 5 * WSP_MILLISECOND},
                         "normal", &least, &most),
                  INT64_C(2001679733874));
  CU_ASSERT_EQUAL(least, 0);
  CU_ASSERT_EQUAL(most, 43214200);
  /* Mean 20 000 000 * e^(ln(2)^2 / 2) = 25 430 743. */
  CU_ASSERT_EQUAL(sum_of((struct sim_distribution){.kind = SIM_LOGNORMAL,
                                                   .first = 20 * WSP_MILLISECOND,
                                                   .factor = 2 * WSP_DECIMAL_ONE},
                         "lognormal", &least, &most),
                  INT64_C(2535285371530));
  CU_ASSERT_EQUAL(least, 746650);
  CU_ASSERT_EQUAL(most, 414989312);
}

static void a_uniform_draw_reaches_both_ends(void) {
  struct sim_random random;
  struct sim_distribution dice = {.kind = SIM_UNIFORM, .first = 1, .second = 6};
  int seen[8] = {0};
  sim_random_init(&random, 1, "dice", 0);
  for (int draw = 0; draw < 600; draw++) {
    seen[sim_distribution_draw(&dice, &random, NULL)]++;
  }
  CU_ASSERT_EQUAL(seen[0] + seen[7], 0);
  for (int face = 1; face <= 6; face++) {
    CU_ASSERT(seen[face] > 0);
  }
  dice = (struct sim_distribution){.kind = SIM_UNIFORM, .first = 5, .second = 5};
  CU_ASSERT_EQUAL(sim_distribution_draw(&dice, &random, NULL), 5);
  dice = (struct sim_distribution){.kind = SIM_UNIFORM, .first = -9, .second = -3};
  CU_ASSERT_EQUAL(sim_distribution_draw(&dice, &random, NULL), 0);
  dice = (struct sim_distribution){.kind = SIM_UNIFORM, .first = INT64_MIN, .second = INT64_MAX};
  CU_ASSERT_EQUAL(value_at(dice, 0), 0);
  CU_ASSERT_EQUAL(value_at(dice, (UINT64_C(1) << 63) + 17), 17);
  CU_ASSERT_EQUAL(value_at(dice, UINT64_MAX), LIMIT);
}

static void values_are_neither_negative_nor_huge(void) {
  const struct sim_distribution cases[] = {
      {.kind = SIM_EXPONENTIAL, .first = INT64_MAX},
      {.kind = SIM_NORMAL, .first = INT64_MAX, .second = INT64_MAX},
      {.kind = SIM_NORMAL, .first = LIMIT - 1, .second = 1000},
      {.kind = SIM_LOGNORMAL, .first = LIMIT - 1, .factor = 2 * WSP_DECIMAL_ONE},
      {.kind = SIM_LOGNORMAL, .first = 1, .factor = INT64_MAX},
      /* log2(113) * 9.08 is 61.9: just beyond. */
      {.kind = SIM_LOGNORMAL, .first = 1, .factor = 113 * WSP_DECIMAL_ONE},
      {.kind = SIM_CONSTANT, .first = INT64_MAX},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    CU_ASSERT_EQUAL(value_at(cases[i], UINT64_MAX), LIMIT);
  }
  const struct sim_distribution zeros[] = {
      {.kind = SIM_EXPONENTIAL, .first = -5},
      {.kind = SIM_NORMAL, .first = INT64_MIN, .second = INT64_MAX},
      {.kind = SIM_LOGNORMAL, .first = 0, .factor = 2 * WSP_DECIMAL_ONE},
      {.kind = SIM_LOGNORMAL, .first = -5, .factor = 2 * WSP_DECIMAL_ONE},
      {.kind = SIM_LOGNORMAL, .first = INT64_MAX, .factor = 1},
      {.kind = SIM_CONSTANT, .first = -1},
  };
  for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++) {
    CU_ASSERT_EQUAL(value_at(zeros[i], UINT64_MAX), 0);
  }
}

static void a_factor_below_one_is_its_reciprocal_mirrored(void) {
  struct sim_distribution half = lognormal;
  half.factor = WSP_DECIMAL_ONE / 2;
  CU_ASSERT_EQUAL(value_at(half, UINT64_MAX / 8), value_at(lognormal, UINT64_MAX - UINT64_MAX / 8));
  CU_ASSERT_EQUAL(value_at(half, UINT64_MAX - 5), value_at(lognormal, 5));
  half.factor = WSP_DECIMAL_ONE;
  CU_ASSERT_EQUAL(value_at(half, 0), TERA);
  CU_ASSERT_EQUAL(value_at(half, UINT64_MAX), TERA);
}

static void a_trace_goes_round(void) {
  static const int64_t values[] = {30, 10, -20, 40};
  struct sim_distribution trace = {.kind = SIM_TRACE, .values = values, .count = 4};
  size_t cursor = 0;
  for (int round = 0; round < 3; round++) {
    CU_ASSERT_EQUAL(sim_distribution_draw(&trace, NULL, &cursor), 30);
    CU_ASSERT_EQUAL(sim_distribution_draw(&trace, NULL, &cursor), 10);
    CU_ASSERT_EQUAL(sim_distribution_draw(&trace, NULL, &cursor), 0);
    CU_ASSERT_EQUAL(sim_distribution_draw(&trace, NULL, &cursor), 40);
  }
  cursor = 5;
  CU_ASSERT_EQUAL(sim_distribution_draw(&trace, NULL, &cursor), 10);
  trace.count = 0;
  CU_ASSERT_EQUAL(sim_distribution_draw(&trace, NULL, &cursor), 0);
}

static void a_constant_draws_nothing(void) {
  struct sim_random random, untouched;
  struct sim_distribution constant = {.kind = SIM_CONSTANT, .first = 42};
  sim_random_init(&random, 1, "constant", 0);
  untouched = random;
  CU_ASSERT_EQUAL(sim_distribution_draw(&constant, &random, NULL), 42);
  constant = (struct sim_distribution){0};
  CU_ASSERT_EQUAL(sim_distribution_draw(&constant, &random, NULL), 0);
  CU_ASSERT_EQUAL(sim_random_next(&random), sim_random_next(&untouched));
}

CU_TestInfo suite_distribution[] = {
    {"quantiles are within a thousandth", quantiles_are_within_a_thousandth},
    {"quantiles never fall", quantiles_never_fall},
    {"the middle and the ends are exact", the_middle_and_the_ends_are_exact},
    {"sums are the same everywhere", sums_are_the_same_everywhere},
    {"a uniform draw reaches both ends", a_uniform_draw_reaches_both_ends},
    {"values are neither negative nor huge", values_are_neither_negative_nor_huge},
    {"a factor below one is its reciprocal mirrored",
     a_factor_below_one_is_its_reciprocal_mirrored},
    {"a trace goes round", a_trace_goes_round},
    {"a constant draws nothing", a_constant_draws_nothing},
    CU_TEST_INFO_NULL,
};
