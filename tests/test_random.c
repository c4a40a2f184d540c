/*
 * test_random.c - random streams: known answers, independence of names, no bias.
 *
 * The known answers come from a second implementation, written in Python after the papers; those
 * for the state {1, 2, 3, 4} are the ones that other implementations of xoshiro256** publish.
 */
#include "sim/random.h"
#include "tests/suites.h"

static void the_generator_gives_the_published_numbers(void) {
  static const uint64_t expected[] = {UINT64_C(11520),
                                      0,
                                      UINT64_C(1509978240),
                                      UINT64_C(1215971899390074240),
                                      UINT64_C(1216172134540287360),
                                      UINT64_C(607988272756665600)};
  struct sim_random random = {{1, 2, 3, 4}};
  for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
    CU_ASSERT_EQUAL(sim_random_next(&random), expected[i]);
  }
}

static void streams_give_known_answers(void) {
  static const struct {
    uint64_t seed;
    const char *name;
    uint64_t index;
    uint64_t expected[4];
  } streams[] = {
      {1,
       "arrivals",
       0,
       {0x3c3f855b1bbe6b21, 0xef946f51e2fd07d9, 0x98cac11858665ac3, 0x27189d2a7affe364}},
      {1,
       "arrivals",
       1,
       {0x000b8526f9df13fc, 0x30385319ff41cf2c, 0x42cd2be9caad9832, 0xb77525772922fe3c}},
      {2,
       "arrivals",
       0,
       {0xadb05abd39385fff, 0x1cabb996cc1cb058, 0xb685a0dfe16ab5e1, 0xcef15f9ff94b72fb}},
      {1,
       "holds",
       0,
       {0xb906e3a6853d1667, 0xff1e73a5f04510a7, 0x2904aa70fcde179e, 0xfb78b80184f5376e}},
      {UINT64_MAX,
       "",
       UINT64_MAX,
       {0xad5ab2c2429ff3c6, 0x2b82e89c22d7abfe, 0x66400ec628211f0b, 0xc7851b160bec1480}},
  };
  for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
    struct sim_random random;
    sim_random_init(&random, streams[i].seed, streams[i].name, streams[i].index);
    for (size_t draw = 0; draw < 4; draw++) {
      CU_ASSERT_EQUAL(sim_random_next(&random), streams[i].expected[draw]);
    }
  }
}

static void numbers_below_a_bound_give_known_answers(void) {
  static const uint64_t expected[] = {2, 1, 4, 5, 4, 2, 4, 0, 4, 1, 5, 1};
  struct sim_random random;
  sim_random_init(&random, 7, "below", 0);
  for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
    CU_ASSERT_EQUAL(sim_random_below(&random, 6), expected[i]);
  }
}

static void draws_that_would_bias_are_repeated(void) {
  static const uint64_t expected[] = {0x3667973fcf1a51a9, 0x4ba1d6ed6e7f2ad9, 0x6e1f51db762a270a,
                                      0x598df3a811f9d915};
  struct sim_random random, counting;
  sim_random_init(&random, 7, "below", 0);
  sim_random_init(&counting, 7, "below", 0);
  for (size_t i = 0; i < 4; i++) {
    CU_ASSERT_EQUAL(sim_random_below(&random, (UINT64_C(1) << 63) + 1), expected[i]);
  }
  /* Nearly half of all numbers are refused at this bound: six draws for four. */
  for (int draw = 0; draw < 6; draw++) {
    (void)sim_random_next(&counting);
  }
  CU_ASSERT_EQUAL(sim_random_next(&random), sim_random_next(&counting));
}

static void nothing_is_drawn_below_zero(void) {
  struct sim_random random, untouched;
  sim_random_init(&random, 3, "x", 0);
  untouched = random;
  CU_ASSERT_EQUAL(sim_random_below(&random, 0), 0);
  CU_ASSERT_EQUAL(sim_random_next(&random), sim_random_next(&untouched));
  CU_ASSERT_EQUAL(sim_random_below(&random, 1), 0);
}

static void the_pool_draws_from_its_stream(void) {
  struct sim_random random, same;
  sim_random_init(&random, 3, "pool", 0);
  same = random;
  CU_ASSERT_EQUAL(sim_random_for_pool(&random), sim_random_next(&same));
  CU_ASSERT_EQUAL(sim_random_for_pool(&random), sim_random_next(&same));
}

CU_TestInfo suite_random[] = {
    {"the generator gives the published numbers", the_generator_gives_the_published_numbers},
    {"streams give known answers", streams_give_known_answers},
    {"numbers below a bound give known answers", numbers_below_a_bound_give_known_answers},
    {"draws that would bias are repeated", draws_that_would_bias_are_repeated},
    {"nothing is drawn below zero", nothing_is_drawn_below_zero},
    {"the pool draws from its stream", the_pool_draws_from_its_stream},
    CU_TEST_INFO_NULL,
};
