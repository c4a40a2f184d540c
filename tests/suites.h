/*
 * suites.h - the list of CUnit suites. A suite `x` is the array `suite_x` of its tests in
 * tests/test_x.c, ended by CU_TEST_INFO_NULL; tests are named after what they show.
 */
#ifndef TESTS_SUITES_H
#define TESTS_SUITES_H

#include <CUnit/CUnit.h>

#define SUITE_LIST(X) \
  X(duration) \
  X(recorder) \
  X(database) \
  X(sql) \
  X(junit) \
  X(timeline_hash) \
  X(fakes) \
  X(fakes_limits) \
  X(fakes_pool) \
  X(arena) \
  X(distribution) \
  X(queue) \
  X(random) \
  X(trace) \
  X(trace_detail) \
  X(compare) \
  X(expect) \
  X(expect_event) \
  X(expect_state) \
  X(arrivals) \
  X(metrics_check) \
  X(plan) \
  X(run) \
  X(steps) \
  X(workers) \
  X(json) \
  X(loader) \
  X(loader_values) \
  X(loader_mistakes) \
  X(schema)

#define SUITE_DECLARATION(name) extern CU_TestInfo suite_##name[];
SUITE_LIST(SUITE_DECLARATION)
#undef SUITE_DECLARATION

#endif
