/* test_expect.c - expectations of operations, of their order and of percentiles. */
#include "scenarios/engine/expect.h"

#include <string.h>

#include "pool/wspool_trace.h"
#include "tests/expect_fixture.h"
#include "tests/suites.h"

/* a is granted at 10 ms and released at 70 ms, b waits for its conn from 30 ms, c is refused at
 * 80 ms, d is pending. */
static void add_operations(struct expect_fixture *run) {
  static const struct wsp_header headers[] = {{"X-Test", " v1 "}, {"x-empty", ""}};
  struct scn_operation *a = expect_fixture_start(run, "a", REP_OP_ACQUIRE, 10 * MS);
  expect_fixture_end(a, 10 * MS, "ok");
  a->record.conn = "oa_ws_99_1";
  a->record.reused = 0;
  a->record.queue_wait_ns = 0;
  a->record.conn_pick_ns = 0;
  a->prewarmed = true;
  a->released_ns = 70 * MS;
  a->headers = headers;
  a->header_count = COUNT(headers);
  struct scn_operation *b = expect_fixture_start(run, "b", REP_OP_ACQUIRE, 30 * MS);
  expect_fixture_end(b, 70 * MS, "ok");
  b->record.conn = "oa_ws_99_1";
  b->record.reused = 1;
  b->record.queue_wait_ns = 40 * MS;
  b->record.conn_pick_ns = 0;
  struct scn_operation *c = expect_fixture_start(run, "c", REP_OP_ACQUIRE, 75 * MS);
  expect_fixture_end(c, 80 * MS, "dial_failed");
  c->record.error_text = "dial failed: status=503: busy";
  c->record.status = 503;
  c->record.queue_wait_ns = 0;
  c->record.conn_pick_ns = 0;
  expect_fixture_start(run, "d", REP_OP_ACQUIRE, 90 * MS);
}

static void add_events(struct expect_fixture *run) {
  const char *conn = "oa_ws_99_1";
  const struct event_given events[] = {
      {10 * MS, WSP_ACQUIRE_STARTED, 99, NULL, "a", 0, {0, 1, 0}, {"wss://example.com", ""}},
      {10 * MS, WSP_ACQUIRE_GRANTED, 99, conn, "a", 0, {0, 0, 0}, {NULL}},
      {30 * MS, WSP_ACQUIRE_STARTED, 99, NULL, "b", 0, {0, 1, 0}, {"wss://example.com", ""}},
      {30 * MS, WSP_ACQUIRE_QUEUED, 99, conn, "b", 0, {1, 1, 0}, {NULL}},
      {70 * MS, WSP_LEASE_RELEASED, 99, conn, "a", 0, {60 * MS, 0, 0}, {NULL}},
      {70 * MS, WSP_ACQUIRE_GRANTED, 99, conn, "b", 0, {40 * MS, 1, 1}, {NULL}},
      {75 * MS, WSP_ACQUIRE_STARTED, 99, NULL, "c", 0, {0, 1, 1}, {"wss://example.com", ""}},
      {80 * MS, WSP_ACQUIRE_FAILED, 99, NULL, "c", WSP_DIAL_FAILED, {0, 503, 0}, {"busy"}},
      {90 * MS, WSP_ACQUIRE_STARTED, 99, NULL, "d", 0, {0, 1, 0}, {"wss://example.com", ""}},
  };
  for (size_t i = 0; i < COUNT(events); i++) {
    expect_fixture_event(run, &events[i]);
  }
}

static bool begin(struct expect_fixture *run) {
  if (!expect_fixture_init(run)) {
    CU_FAIL("no memory for the fixture");
    return false;
  }
  add_operations(run);
  add_events(run);
  return true;
}

/* Whether operation `label` has `field` in the relation that `test` says. */
static bool op_holds(struct expect_fixture *run, const char *label, const char *field,
                     struct scn_test test) {
  struct scn_comparison comparison = {.field = field, .tests = &test, .count = 1};
  struct scn_expectation expectation = {
      .kind = SCN_EXPECT_OP, .subject = label, .comparisons = &comparison, .comparison_count = 1};
  return expect_holds(run, &expectation);
}

static bool op_is(struct expect_fixture *run, const char *label, const char *field,
                  struct scn_value value) {
  struct scn_test equal = TEST(SCN_EQ, value);
  struct scn_test unequal = TEST(SCN_NE, value);
  bool is = op_holds(run, label, field, equal);
  /* = and != exclude each other, for all but a label that was never started. */
  CU_ASSERT_NOT_EQUAL(is, op_holds(run, label, field, unequal));
  return is;
}

static void an_operation_has_the_fields_of_its_record(void) {
  struct expect_fixture run;
  if (!begin(&run)) {
    return;
  }
  CU_ASSERT_TRUE(op_is(&run, "a", "result", value_string("ok")));
  CU_ASSERT_TRUE(op_is(&run, "a", "error_text", value_string("")));
  CU_ASSERT_TRUE(op_is(&run, "a", "status", value_integer(0)));
  CU_ASSERT_TRUE(op_is(&run, "a", "conn", value_string("oa_ws_99_1")));
  CU_ASSERT_TRUE(op_is(&run, "a", "reused", value_bool(false)));
  CU_ASSERT_TRUE(op_is(&run, "a", "prewarmed", value_bool(true)));
  CU_ASSERT_TRUE(op_is(&run, "b", "reused", value_bool(true)));
  CU_ASSERT_TRUE(op_is(&run, "b", "prewarmed", value_bool(false)));
  CU_ASSERT_TRUE(op_is(&run, "b", "queue_wait", value_duration(40 * MS)));
  CU_ASSERT_FALSE(op_is(&run, "b", "queue_wait", value_duration(40 * MS + 1)));
  CU_ASSERT_TRUE(op_is(&run, "b", "conn_pick", value_duration(0)));
  CU_ASSERT_TRUE(op_is(&run, "b", "started_at", value_duration(30 * MS)));
  CU_ASSERT_TRUE(op_is(&run, "b", "ended_at", value_duration(70 * MS)));
  CU_ASSERT_TRUE(op_is(&run, "b", "conn", value_string("a")));
  CU_ASSERT_TRUE(op_is(&run, "c", "result", value_string("dial_failed")));
  CU_ASSERT_TRUE(op_is(&run, "c", "error_text", value_string("dial failed: status=503: busy")));
  CU_ASSERT_TRUE(op_is(&run, "c", "status", value_integer(503)));
  expect_fixture_deinit(&run);
}

static void a_field_that_an_operation_has_not_is_absent(void) {
  struct expect_fixture run;
  if (!begin(&run)) {
    return;
  }
  CU_ASSERT_FALSE(op_is(&run, "c", "conn", value_string("oa_ws_99_1")));
  CU_ASSERT_FALSE(op_is(&run, "c", "reused", value_bool(false)));
  CU_ASSERT_FALSE(op_is(&run, "c", "prewarmed", value_bool(false)));
  CU_ASSERT_TRUE(op_is(&run, "c", "conn", value_null()));
  CU_ASSERT_TRUE(op_is(&run, "c", "reused", value_null()));
  CU_ASSERT_TRUE(op_is(&run, "c", "prewarmed", value_null()));
  CU_ASSERT_TRUE(op_is(&run, "d", "queue_wait", value_null()));
  CU_ASSERT_TRUE(op_is(&run, "d", "conn_pick", value_null()));
  CU_ASSERT_TRUE(op_is(&run, "d", "result", value_string("pending")));
  CU_ASSERT_TRUE(op_is(&run, "d", "ended_at", value_null()));
  CU_ASSERT_FALSE(op_is(&run, "d", "queue_wait", value_duration(0)));
  CU_ASSERT_FALSE(op_is(&run, "d", "error_text", value_string("")));
  CU_ASSERT_FALSE(op_is(&run, "a", "message", value_string("")));
  struct scn_test late = TEST(SCN_GE, value_duration(0));
  CU_ASSERT_FALSE(op_holds(&run, "d", "ended_at", late));
  expect_fixture_deinit(&run);
}

static void a_read_has_its_message_and_no_wait(void) {
  struct expect_fixture run;
  if (!begin(&run)) {
    return;
  }
  struct scn_operation *read = expect_fixture_start(&run, "r", REP_OP_READ, 72 * MS);
  expect_fixture_end(read, 73 * MS, "ok");
  read->message = "{\"type\":\"response.completed\"}";
  struct scn_test completed = TEST(SCN_CONTAINS, value_string("response.completed"));
  struct scn_test failed = TEST(SCN_CONTAINS, value_string("response.failed"));
  CU_ASSERT_TRUE(op_holds(&run, "r", "message", completed));
  CU_ASSERT_FALSE(op_holds(&run, "r", "message", failed));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(run.judgement.message, "expected  op \"r\": message contains response.failed\n"));
  CU_ASSERT_TRUE(op_is(&run, "r", "message", value_string(read->message)));
  CU_ASSERT_FALSE(op_is(&run, "r", "message", value_string("response.completed")));
  CU_ASSERT_FALSE(op_is(&run, "r", "queue_wait", value_duration(0)));
  expect_fixture_deinit(&run);
}

static bool header_is(struct expect_fixture *run, const char *name, struct scn_value value) {
  struct scn_test test = TEST(SCN_EQ, value);
  struct scn_comparison header = {.field = name, .tests = &test, .count = 1};
  struct scn_expectation expectation = {
      .kind = SCN_EXPECT_OP, .subject = "a", .headers = &header, .header_count = 1};
  return expect_holds(run, &expectation);
}

static void a_header_is_found_in_any_case_and_trimmed(void) {
  struct expect_fixture run;
  if (!begin(&run)) {
    return;
  }
  CU_ASSERT_TRUE(header_is(&run, "x-test", value_string("v1")));
  CU_ASSERT_STRING_EQUAL(run.judgement.actual, "header x-test = v1");
  CU_ASSERT_TRUE(header_is(&run, " X-TEST\t", value_string("v1")));
  CU_ASSERT_FALSE(header_is(&run, "x-test", value_string("v2")));
  CU_ASSERT_FALSE(header_is(&run, "x-tes", value_string("v1")));
  CU_ASSERT_FALSE(header_is(&run, "x-tests", value_string("v1")));
  CU_ASSERT_TRUE(header_is(&run, "x-empty", value_string("")));
  CU_ASSERT_TRUE(header_is(&run, "x-other", value_null()));
  expect_fixture_deinit(&run);
}

static void the_message_shows_each_failure_and_the_events_around(void) {
  struct expect_fixture run;
  if (!begin(&run)) {
    return;
  }
  /* What happens to the conn after the operation is over does not belong to it. */
  struct event_given later = {85 * MS, WSP_PING_STARTED, 99, "oa_ws_99_1", NULL, 0, {0}, {NULL}};
  expect_fixture_event(&run, &later);
  struct scn_expectation expectation = {
      .kind = SCN_EXPECT_OP,
      .subject = "b",
      FIELDS(FIELD("result", TEST(SCN_EQ, value_string("ok"))),
             FIELD("queue_wait", TEST(SCN_GE, value_duration(50 * MS)),
                   TEST(SCN_LT, value_duration(60 * MS))),
             FIELD("reused", TEST(SCN_EQ, value_bool(false))))};
  CU_ASSERT_FALSE(expect_holds(&run, &expectation));
  CU_ASSERT_STRING_EQUAL(run.judgement.actual, "result = ok, queue_wait = 40ms, reused = true");
  CU_ASSERT_STRING_EQUAL(
      run.judgement.message,
      "expected  op \"b\": queue_wait >= 50ms and < 60ms\n"
      "found     queue_wait = 40ms (result ok, conn oa_ws_99_1, started_at 30ms, ended_at 70ms)\n"
      "expected  op \"b\": reused = false\n"
      "found     reused = true (result ok, conn oa_ws_99_1, started_at 30ms, ended_at 70ms)\n"
      "timeline  (4 events that touch it)\n"
      "       30ms  acquire_started    account=99 op=b effective_max=1 url=wss://example.com\n"
      "       30ms  acquire_queued     account=99 conn=oa_ws_99_1 op=b waiting=1 waiters=1\n"
      "       70ms  lease_released     account=99 conn=oa_ws_99_1 op=a held=60ms\n"
      "       70ms  acquire_granted    account=99 conn=oa_ws_99_1 op=b queue_wait=40ms reused "
      "queued");
  expect_fixture_deinit(&run);
}

static void a_label_that_was_never_started_fails_whatever_is_expected(void) {
  struct expect_fixture run;
  if (!begin(&run)) {
    return;
  }
  struct scn_expectation expectation = {.kind = SCN_EXPECT_OP,
                                        .subject = "e",
                                        FIELDS(FIELD("result", TEST(SCN_NE, value_string("ok"))),
                                               FIELD("conn", TEST(SCN_EQ, value_null())))};
  run.view.now = 20 * MS;
  CU_ASSERT_FALSE(expect_holds(&run, &expectation));
  CU_ASSERT_STRING_EQUAL(run.judgement.actual, "not started");
  const char *expected =
      "expected  op \"e\": result != ok, conn = null\n"
      "found     not started: no operation with this label has begun by 20ms; look at the time of "
      "its step\n"
      "timeline  (9 events of the run, none touches it)\n"
      "       10ms  acquire_started ";
  CU_ASSERT_NSTRING_EQUAL(run.judgement.message, expected, strlen(expected));
  expect_fixture_deinit(&run);
}

/* ---- Order ------------------------------------------------------------------------------ */

#define ITEM(name, what) \
  { .label = (name), .milestone = (what) }

static void order_follows_the_places_in_the_timeline(void) {
  struct expect_fixture run;
  if (!begin(&run)) {
    return;
  }
  struct scn_expectation right = {
      .kind = SCN_EXPECT_ORDER,
      ORDER(ITEM("a", SCN_GRANTED), ITEM("b", SCN_STARTED), ITEM("a", SCN_RELEASED),
            ITEM("b", SCN_GRANTED), ITEM("c", SCN_FAILED))};
  CU_ASSERT_TRUE(expect_holds(&run, &right));
  CU_ASSERT_STRING_EQUAL(run.judgement.actual,
                         "a granted at 10ms, b started at 30ms, a released at 70ms, b granted at "
                         "70ms, c failed at 80ms");
  /* One instant, but b was granted after a was released. */
  struct scn_expectation wrong = {.kind = SCN_EXPECT_ORDER,
                                  ORDER(ITEM("b", SCN_GRANTED), ITEM("a", SCN_RELEASED))};
  CU_ASSERT_FALSE(expect_holds(&run, &wrong));
  CU_ASSERT_STRING_EQUAL(
      run.judgement.message,
      "expected  order: b granted, then a released\n"
      "found     a released at 70ms came before b granted at 70ms\n"
      "timeline  (5 events that touch it)\n"
      "       10ms  acquire_started    account=99 op=a effective_max=1 url=wss://example.com\n"
      "       10ms  acquire_granted    account=99 conn=oa_ws_99_1 op=a queue_wait=0s\n"
      "       30ms  acquire_started    account=99 op=b effective_max=1 url=wss://example.com\n"
      "       70ms  lease_released     account=99 conn=oa_ws_99_1 op=a held=60ms\n"
      "       70ms  acquire_granted    account=99 conn=oa_ws_99_1 op=b queue_wait=40ms reused "
      "queued");
  expect_fixture_deinit(&run);
}

static void order_needs_everything_to_have_happened(void) {
  struct expect_fixture run;
  if (!begin(&run)) {
    return;
  }
  struct scn_expectation missing = {.kind = SCN_EXPECT_ORDER,
                                    ORDER(ITEM("a", SCN_GRANTED), ITEM("d", SCN_GRANTED),
                                          ITEM("e", SCN_STARTED), ITEM("c", SCN_FAILED))};
  CU_ASSERT_FALSE(expect_holds(&run, &missing));
  CU_ASSERT_STRING_EQUAL(run.judgement.actual,
                         "a granted at 10ms, d granted never, e started never, c failed at 80ms");
  const char *order = "expected  order: a granted, then d granted, then e started, then c failed\n";
  const char *first = "found     d granted has not happened by 100ms (result pending)\n";
  const char *second = "found     e started has not happened by 100ms (e was not started)\n";
  const char *message = run.judgement.message;
  CU_ASSERT_NSTRING_EQUAL(message, order, strlen(order));
  CU_ASSERT_NSTRING_EQUAL(message + strlen(order), first, strlen(first));
  CU_ASSERT_PTR_NOT_NULL(strstr(message, second));
  expect_fixture_deinit(&run);
}

static void what_left_no_event_is_ordered_by_its_time(void) {
  struct expect_fixture run;
  if (!begin(&run)) {
    return;
  }
  struct scn_operation *pin = expect_fixture_start(&run, "p", REP_OP_PIN, 70 * MS);
  expect_fixture_end(pin, 70 * MS, "ok");
  struct scn_operation *refused = expect_fixture_start(&run, "q", REP_OP_PIN, 71 * MS);
  expect_fixture_end(refused, 71 * MS, "refused");
  static const struct {
    struct scn_order_item items[3];
    bool holds;
  } cases[] = {
      {{ITEM("a", SCN_RELEASED), ITEM("p", SCN_GRANTED), ITEM("b", SCN_GRANTED)}, true},
      {{ITEM("p", SCN_STARTED), ITEM("p", SCN_GRANTED), ITEM("a", SCN_RELEASED)}, true},
      {{ITEM("b", SCN_GRANTED), ITEM("p", SCN_GRANTED), ITEM("q", SCN_FAILED)}, true},
      {{ITEM("q", SCN_FAILED), ITEM("p", SCN_STARTED), ITEM("c", SCN_FAILED)}, false},
      {{ITEM("p", SCN_GRANTED), ITEM("b", SCN_STARTED), ITEM("c", SCN_FAILED)}, false},
      {{ITEM("b", SCN_GRANTED), ITEM("p", SCN_GRANTED), ITEM("a", SCN_RELEASED)}, false},
      {{ITEM("a", SCN_GRANTED), ITEM("q", SCN_FAILED), ITEM("c", SCN_STARTED)}, true},
      {{ITEM("a", SCN_GRANTED), ITEM("p", SCN_FAILED), ITEM("c", SCN_STARTED)}, false},
      {{ITEM("a", SCN_GRANTED), ITEM("q", SCN_GRANTED), ITEM("c", SCN_STARTED)}, false},
      {{ITEM("a", SCN_STARTED), ITEM("a", SCN_GRANTED), ITEM("a", SCN_GRANTED)}, false},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct scn_expectation order = {
        .kind = SCN_EXPECT_ORDER, .order = cases[i].items, .order_count = 3};
    CU_ASSERT_EQUAL(expect_holds(&run, &order), cases[i].holds);
  }
  expect_fixture_deinit(&run);
}

/* ---- Percentiles ------------------------------------------------------------------------ */

static bool percentile_is(struct expect_fixture *run, const char *of, wsp_decimal percentile,
                          int64_t value_ns) {
  struct scn_expectation expectation = {
      .kind = SCN_EXPECT_PERCENTILE,
      .subject = of,
      .percentile = percentile,
      FIELDS(FIELD("value", TEST(SCN_EQ, value_duration(value_ns))))};
  return expect_holds(run, &expectation);
}

static void a_percentile_is_the_nearest_rank(void) {
  struct expect_fixture run;
  if (!expect_fixture_init(&run)) {
    CU_FAIL("no memory for the fixture");
    return;
  }
  /* 1 ms to 10 ms, not in order. */
  for (int64_t i = 0; i < 10; i++) {
    struct event_given dial = {
        i * MS, WSP_DIAL_SUCCEEDED, 99, NULL, NULL, 0, {i, (i * 7 % 10 + 1) * MS, 0}, {NULL}};
    expect_fixture_event(&run, &dial);
  }
  const wsp_decimal one = WSP_DECIMAL_ONE;
  CU_ASSERT_TRUE(percentile_is(&run, "dial", 0, 1 * MS));
  CU_ASSERT_TRUE(percentile_is(&run, "dial", 10 * one, 1 * MS));
  CU_ASSERT_TRUE(percentile_is(&run, "dial", 10 * one + 1, 2 * MS));
  CU_ASSERT_TRUE(percentile_is(&run, "dial", 50 * one, 5 * MS));
  CU_ASSERT_TRUE(percentile_is(&run, "dial", 90 * one, 9 * MS));
  CU_ASSERT_TRUE(percentile_is(&run, "dial", 99 * one, 10 * MS));
  CU_ASSERT_TRUE(percentile_is(&run, "dial", 100 * one, 10 * MS));
  CU_ASSERT_STRING_EQUAL(run.judgement.actual, "10ms");
  expect_fixture_deinit(&run);
}

static void percentiles_measure_waits_dials_and_holds(void) {
  struct expect_fixture run;
  if (!begin(&run)) {
    return;
  }
  const wsp_decimal one = WSP_DECIMAL_ONE;
  /* The waits of a, b and c, the one that failed included: 0, 0 and 40 ms. */
  CU_ASSERT_TRUE(percentile_is(&run, "queue_wait", 66 * one, 0));
  CU_ASSERT_TRUE(percentile_is(&run, "queue_wait", 67 * one, 40 * MS));
  CU_ASSERT_TRUE(percentile_is(&run, "hold", 50 * one, 60 * MS));
  struct event_given lost = {
      95 * MS,         WSP_LEASE_LOST, 99, "oa_ws_99_1", "b", WSP_REASON_PEER_CLOSED,
      {25 * MS, 0, 0}, {NULL}};
  expect_fixture_event(&run, &lost);
  CU_ASSERT_TRUE(percentile_is(&run, "hold", 50 * one, 25 * MS));
  CU_ASSERT_TRUE(percentile_is(&run, "hold", 51 * one, 60 * MS));
  CU_ASSERT_FALSE(percentile_is(&run, "queue_wait", 99 * one + one / 2, 1 * MS));
  const char *expected =
      "expected  percentile 99.5 of queue_wait = 1ms\n"
      "found     40ms (sample 3 of 3 in ascending order)\n"
      "timeline  (3 events that touch it)\n"
      "       10ms  acquire_granted    account=99 conn=oa_ws_99_1 op=a queue_wait=0s\n"
      "       70ms  acquire_granted    account=99 conn=oa_ws_99_1 op=b queue_wait=40ms reused "
      "queued\n"
      "       80ms  acquire_failed     account=99 op=c error=dial_failed queue_wait=0s status=503 "
      "text=busy";
  CU_ASSERT_STRING_EQUAL(run.judgement.message, expected);
  CU_ASSERT_FALSE(percentile_is(&run, "dial", 50 * one, 0));
  CU_ASSERT_STRING_EQUAL(run.judgement.actual, "no sample");
  expected =
      "expected  percentile 50 of dial = 0s\n"
      "found     no sample: no dial_succeeded by 100ms\n"
      "timeline  (10 events of the run, none touches it)\n";
  CU_ASSERT_NSTRING_EQUAL(run.judgement.message, expected, strlen(expected));
  expect_fixture_deinit(&run);
}

CU_TestInfo suite_expect[] = {
    {"an operation has the fields of its record", an_operation_has_the_fields_of_its_record},
    {"a field that an operation has not is absent", a_field_that_an_operation_has_not_is_absent},
    {"a read has its message and no wait", a_read_has_its_message_and_no_wait},
    {"a header is found in any case and trimmed", a_header_is_found_in_any_case_and_trimmed},
    {"the message shows each failure and the events around",
     the_message_shows_each_failure_and_the_events_around},
    {"a label that was never started fails whatever is expected",
     a_label_that_was_never_started_fails_whatever_is_expected},
    {"order follows the places in the timeline", order_follows_the_places_in_the_timeline},
    {"order needs everything to have happened", order_needs_everything_to_have_happened},
    {"what left no event is ordered by its time", what_left_no_event_is_ordered_by_its_time},
    {"a percentile is the nearest rank", a_percentile_is_the_nearest_rank},
    {"percentiles measure waits, dials and holds", percentiles_measure_waits_dials_and_holds},
    CU_TEST_INFO_NULL};
