/*
 * test_arrivals.c - arrival times of loads, and the wide numbers that they are computed with. The
 * expected times were computed with unlimited integers elsewhere.
 */
#include <CUnit/CUnit.h>

#include "scenarios/engine/arrivals.h"
#include "scenarios/engine/wide.h"
#include "tests/suites.h"

static const struct scn_rate ten_a_second = {.arrivals = INT64_C(10000000000), .per = WSP_SECOND};

static void assert_times(const struct scn_load *load, const wsp_time *times, size_t count) {
  struct scn_arrivals arrivals;
  scn_arrivals_init(&arrivals, load, 1, 0);
  for (size_t i = 0; i < count; i++) {
    CU_ASSERT_EQUAL(scn_arrivals_next(&arrivals), times[i]);
  }
}

static void uniform_is_evenly_spaced_from_0_and_ends_before_for(void) {
  struct scn_load load = {.arrivals = SCN_ARRIVALS_UNIFORM,
                          .rate = {.arrivals = INT64_C(3000000000), .per = WSP_SECOND},
                          .duration = INT64_C(1333333333)};
  const wsp_time times[] = {0, 333333333, 666666666, 1000000000, WSP_TIME_NEVER, WSP_TIME_NEVER};
  assert_times(&load, times, 6);
  load.duration++; /* now the one at 1333333333 lies before the end */
  const wsp_time more[] = {0, 333333333, 666666666, 1000000000, 1333333333, WSP_TIME_NEVER};
  assert_times(&load, more, 6);
}

static void a_burst_comes_at_0_and_every_so_often(void) {
  struct scn_load load = {
      .arrivals = SCN_ARRIVALS_BURST, .burst = 2, .every = 500, .duration = 1001};
  const wsp_time times[] = {0, 0, 500, 500, 1000, 1000, WSP_TIME_NEVER};
  assert_times(&load, times, 7);
  load.every = 0;
  const wsp_time once[] = {0, 0, WSP_TIME_NEVER};
  assert_times(&load, once, 3);
}

static void a_trace_ends_before_for(void) {
  const int64_t recorded[] = {5, 7, 7, 20, 30};
  struct scn_load load = {
      .arrivals = SCN_ARRIVALS_TRACE, .times = recorded, .time_count = 5, .duration = 20};
  const wsp_time times[] = {5, 7, 7, WSP_TIME_NEVER};
  assert_times(&load, times, 4);
}

static void a_ramp_is_exact_to_the_nanosecond(void) {
  struct scn_load load = {.arrivals = SCN_ARRIVALS_RAMP,
                          .rate = {.arrivals = 0, .per = WSP_SECOND},
                          .end_rate = ten_a_second,
                          .duration = 2 * WSP_SECOND};
  const wsp_time rising[] = {0,          632455533,  894427191,     1095445116,
                             1264911065, 1414213563, 1549193339,    1673320054,
                             1788854382, 1897366597, WSP_TIME_NEVER};
  assert_times(&load, rising, 11);
  load.end_rate = load.rate;
  load.rate = ten_a_second;
  const wsp_time falling[] = {0,          102633404,  211145619,     326679947,
                              450806662,  585786438,  735088936,     904554885,
                              1105572810, 1367544468, WSP_TIME_NEVER};
  assert_times(&load, falling, 11);
}

/* Of a ramp that 128 bits do not hold. */
static void a_ramp_over_a_century_is_exact_too(void) {
  struct scn_load load = {.arrivals = SCN_ARRIVALS_RAMP,
                          .rate = ten_a_second,
                          .end_rate = ten_a_second,
                          .duration = 100 * 365 * 24 * 60 * WSP_MINUTE};
  struct scn_arrivals arrivals;
  scn_arrivals_init(&arrivals, &load, 1, 0);
  for (int64_t i = 0; i < 1000; i++) {
    CU_ASSERT_EQUAL(scn_arrivals_next(&arrivals), i * 100 * WSP_MILLISECOND);
  }
}

static void a_long_ramp_has_as_many_arrivals_as_its_area(void) {
  struct scn_load load = {.arrivals = SCN_ARRIVALS_RAMP,
                          .rate = ten_a_second,
                          .end_rate = {.arrivals = INT64_C(500000000000), .per = WSP_SECOND},
                          .duration = WSP_MINUTE};
  struct scn_arrivals arrivals;
  scn_arrivals_init(&arrivals, &load, 1, 0);
  uint64_t count = 0;
  wsp_time last = 0;
  for (wsp_time at; (at = scn_arrivals_next(&arrivals)) != WSP_TIME_NEVER; count++) {
    last = at;
  }
  /* (10 + 500) / 2 a second for 60 s */
  CU_ASSERT_EQUAL(count, 15300);
  CU_ASSERT_EQUAL(last, INT64_C(59997999968));
}

static void poisson_has_the_mean_rate_and_depends_on_seed_and_index(void) {
  struct scn_load load = {.arrivals = SCN_ARRIVALS_POISSON,
                          .rate = {.arrivals = INT64_C(200000000000), .per = WSP_SECOND},
                          .duration = 100 * WSP_SECOND};
  struct scn_arrivals arrivals, same, other_seed, other_index;
  scn_arrivals_init(&arrivals, &load, 1, 0);
  scn_arrivals_init(&same, &load, 1, 0);
  scn_arrivals_init(&other_seed, &load, 2, 0);
  scn_arrivals_init(&other_index, &load, 1, 1);
  wsp_time first = scn_arrivals_next(&arrivals);
  CU_ASSERT_EQUAL(scn_arrivals_next(&same), first);
  CU_ASSERT_NOT_EQUAL(scn_arrivals_next(&other_seed), first);
  CU_ASSERT_NOT_EQUAL(scn_arrivals_next(&other_index), first);
  int count = 1;
  wsp_time before = first;
  for (wsp_time at; (at = scn_arrivals_next(&arrivals)) != WSP_TIME_NEVER; count++) {
    CU_ASSERT_TRUE_FATAL(at >= before);
    before = at;
  }
  /* 20000 expected, standard deviation 141; five of those around it. */
  CU_ASSERT_TRUE(count > 19293 && count < 20707);
}

static void wide_numbers_multiply_add_and_compare(void) {
  struct scn_wide square = scn_wide_multiply(scn_wide_from(UINT64_MAX), UINT64_MAX);
  const struct scn_wide expected = {{1, 0, 0xfffffffe, 0xffffffff}};
  CU_ASSERT_EQUAL(scn_wide_compare(square, expected), 0);
  struct scn_wide sum = scn_wide_add(scn_wide_from(UINT64_MAX), scn_wide_from(1));
  const struct scn_wide carried = {{0, 0, 1}};
  CU_ASSERT_EQUAL(scn_wide_compare(sum, carried), 0);
  CU_ASSERT_TRUE(scn_wide_compare(sum, square) < 0);
  CU_ASSERT_TRUE(scn_wide_compare(square, sum) > 0);
}

static void a_product_is_divided_exactly_and_saturates(void) {
  CU_ASSERT_EQUAL(scn_multiply_divide(7, 3, 2), 10);
  CU_ASSERT_EQUAL(scn_multiply_divide(UINT64_MAX, INT64_MAX, INT64_MAX), UINT64_MAX);
  CU_ASSERT_EQUAL(scn_multiply_divide(UINT64_C(12345678901234567890), UINT64_C(1000000000),
                                      UINT64_C(3000000000)),
                  UINT64_C(4115226300411522630));
  CU_ASSERT_EQUAL(scn_multiply_divide(UINT64_MAX, 3, 2), UINT64_MAX);
  CU_ASSERT_EQUAL(scn_multiply_divide(0, 5, 9), 0);
  CU_ASSERT_EQUAL(scn_multiply_divide(UINT64_MAX, UINT64_MAX, UINT64_MAX), UINT64_MAX);
  CU_ASSERT_EQUAL(scn_multiply_divide(UINT64_MAX - 1, UINT64_MAX, UINT64_MAX), UINT64_MAX - 1);
}

CU_TestInfo suite_arrivals[] = {
    {"uniform is evenly spaced from 0 and ends before for",
     uniform_is_evenly_spaced_from_0_and_ends_before_for},
    {"a burst comes at 0 and every so often", a_burst_comes_at_0_and_every_so_often},
    {"a trace ends before for", a_trace_ends_before_for},
    {"a ramp is exact to the nanosecond", a_ramp_is_exact_to_the_nanosecond},
    {"a ramp over a century is exact too", a_ramp_over_a_century_is_exact_too},
    {"a long ramp has as many arrivals as its area", a_long_ramp_has_as_many_arrivals_as_its_area},
    {"poisson has the mean rate and depends on seed and index",
     poisson_has_the_mean_rate_and_depends_on_seed_and_index},
    {"wide numbers multiply, add and compare", wide_numbers_multiply_add_and_compare},
    {"a product is divided exactly and saturates", a_product_is_divided_exactly_and_saturates},
    CU_TEST_INFO_NULL,
};
