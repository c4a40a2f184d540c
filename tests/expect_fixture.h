/*
 * expect_fixture.h - a run made by hand, for the tests of expectations: a timeline, operations, and
 * short ways to write what a loader would have made of a scenario file.
 */
#ifndef TESTS_EXPECT_FIXTURE_H
#define TESTS_EXPECT_FIXTURE_H

#include "scenarios/engine/expect.h"

#define MS WSP_MILLISECOND
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct expect_fixture {
  struct sim_arena *arena;
  struct sim_trace *trace;
  struct scn_operations *operations;
  struct scn_scenario scenario;
  struct rep_scenario rows;
  struct scn_view view;
  struct scn_judgement judgement; /* the last one */
};

/* Account 99 and the upstream "default"; no pool and no upstreams. False: no memory. */
bool expect_fixture_init(struct expect_fixture *fixture);
void expect_fixture_deinit(struct expect_fixture *fixture);

/* An event that happens at `t_ns`; strings may be NULL. */
struct event_given {
  int64_t t_ns;
  int kind;
  int64_t account;
  const char *conn, *op;
  int cause;
  int64_t values[3];
  const char *texts[2];
};
void expect_fixture_event(struct expect_fixture *fixture, const struct event_given *given);

/* An operation that has not ended. */
struct scn_operation *expect_fixture_start(struct expect_fixture *fixture, const char *label,
                                           enum rep_op_kind kind, int64_t t_ns);
void expect_fixture_end(struct scn_operation *operation, int64_t t_ns, const char *result);

/* Judges; false also when there was no memory. The judgement stays until the next one. */
bool expect_holds(struct expect_fixture *fixture, const struct scn_expectation *expectation);

/* Values and tests. */
struct scn_value value_integer(int64_t integer);
struct scn_value value_decimal(int64_t billionths);
struct scn_value value_duration(int64_t duration_ns);
struct scn_value value_string(const char *text);
struct scn_value value_bool(bool boolean);
struct scn_value value_null(void);

#define TEST(operator, value_) \
  { .operator_ = (operator), .value = value_ }
#define TEST_IN(...)                                                        \
  {                                                                         \
    .operator_ = SCN_IN, .values = (const struct scn_value[]){__VA_ARGS__}, \
    .count = COUNT(((const struct scn_value[]){__VA_ARGS__}))               \
  }
#define FIELD(name, ...)                                              \
  {                                                                   \
    .field = (name), .tests = (const struct scn_test[]){__VA_ARGS__}, \
    .count = COUNT(((const struct scn_test[]){__VA_ARGS__}))          \
  }
#define FIELDS(...)                                            \
  .comparisons = (const struct scn_comparison[]){__VA_ARGS__}, \
  .comparison_count = COUNT(((const struct scn_comparison[]){__VA_ARGS__}))
#define WHERE(...)                                       \
  .where = (const struct scn_comparison[]){__VA_ARGS__}, \
  .where_count = COUNT(((const struct scn_comparison[]){__VA_ARGS__}))
#define EVENTS(...)                                          \
  .events = (const struct scn_event_pattern[]){__VA_ARGS__}, \
  .event_count = COUNT(((const struct scn_event_pattern[]){__VA_ARGS__}))
#define FORBID(...)                                          \
  .forbid = (const struct scn_event_pattern[]){__VA_ARGS__}, \
  .forbid_count = COUNT(((const struct scn_event_pattern[]){__VA_ARGS__}))
#define ORDER(...)                                       \
  .order = (const struct scn_order_item[]){__VA_ARGS__}, \
  .order_count = COUNT(((const struct scn_order_item[]){__VA_ARGS__}))

#endif
