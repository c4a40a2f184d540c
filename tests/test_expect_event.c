/* test_expect_event.c - expectations of timeline events, and how events are shown. */
#include <string.h>

#include "pool/wspool_trace.h"
#include "scenarios/engine/expect.h"
#include "tests/expect_fixture.h"
#include "tests/suites.h"

static const struct event_given timeline[] = {
    {5 * MS, WSP_DIAL_STARTED, 99, NULL, NULL, WSP_REASON_ACQUIRE, {1, 0, 0}, {"wss://a.example"}},
    {25 * MS, WSP_DIAL_SUCCEEDED, 99, NULL, NULL, WSP_REASON_ACQUIRE, {1, 20 * MS, 0}, {NULL}},
    {25 * MS, WSP_ACQUIRE_GRANTED, 99, "oa_ws_99_1", "a", 0, {0, 0, 0}, {NULL}},
    {40 * MS, WSP_ACQUIRE_GRANTED, 99, "stale", "b", 0, {15 * MS, 1, 1}, {NULL}},
    {50 * MS, WSP_CONN_EVICTED, 99, "stale", NULL, WSP_REASON_MAX_AGE, {7, 8, 0}, {NULL}},
    {60 * MS, WSP_CONN_EVICTED, 7, "stale", NULL, WSP_REASON_ROOM, {7, 8, 0}, {NULL}},
    {70 * MS, WSP_POOL_CLOSED_EVENT, 0, NULL, NULL, 0, {0}, {NULL}},
};

static bool begin(struct expect_fixture *run) {
  if (!expect_fixture_init(run)) {
    CU_FAIL("no memory for the fixture");
    return false;
  }
  for (size_t i = 0; i < COUNT(timeline); i++) {
    expect_fixture_event(run, &timeline[i]);
  }
  struct scn_operation *a = expect_fixture_start(run, "a", REP_OP_ACQUIRE, 5 * MS);
  expect_fixture_end(a, 25 * MS, "ok");
  a->record.conn = "oa_ws_99_1";
  expect_fixture_start(run, "waits", REP_OP_ACQUIRE, 30 * MS);
  return true;
}

/* How many events of `kind` have `field` as `test` says. */
static int64_t matches(struct expect_fixture *run, const char *kind, const char *field,
                       struct scn_test test) {
  struct scn_comparison where = {.field = field, .tests = &test, .count = 1};
  struct scn_event_pattern pattern = {.kind = kind, .where = &where, .where_count = 1};
  for (int64_t count = 0; count <= (int64_t)COUNT(timeline); count++) {
    struct scn_expectation expectation = {
        .kind = SCN_EXPECT_EVENT,
        .events = &pattern,
        .event_count = 1,
        FIELDS(FIELD("count", TEST(SCN_EQ, value_integer(count))))};
    if (expect_holds(run, &expectation)) {
      return count;
    }
  }
  return -1;
}

static void events_are_counted_by_kind_and_fields(void) {
  struct expect_fixture run;
  if (!begin(&run)) {
    return;
  }
  static const struct {
    const char *kind, *field;
    struct scn_test test;
    int64_t count;
  } cases[] = {
      {"conn_evicted", "account", {SCN_EQ, {SCN_INTEGER, false, 99, NULL}, NULL, 0}, 1},
      {"conn_evicted", "conn", {SCN_EQ, {SCN_STRING, false, 0, "stale"}, NULL, 0}, 2},
      {"conn_evicted", "conn", {SCN_EQ, {SCN_STRING, false, 0, "a"}, NULL, 0}, 0},
      {"conn_evicted", "reason", {SCN_EQ, {SCN_STRING, false, 0, "max_age"}, NULL, 0}, 1},
      {"conn_evicted", "t", {SCN_GT, {SCN_DURATION, false, 50 * MS, NULL}, NULL, 0}, 1},
      {"conn_evicted", "t", {SCN_GE, {SCN_DURATION, false, 50 * MS, NULL}, NULL, 0}, 2},
      {"conn_evicted", "age", {SCN_EQ, {SCN_DURATION, false, 7, NULL}, NULL, 0}, 2},
      {"conn_evicted", "ag", {SCN_EQ, {SCN_DURATION, false, 7, NULL}, NULL, 0}, 0},
      {"conn_evicted", "age_ns", {SCN_EQ, {SCN_INTEGER, false, 7, NULL}, NULL, 0}, 2},
      {"conn_evicted", "op", {SCN_EQ, {SCN_STRING, false, 0, "a"}, NULL, 0}, 0},
      {"conn_evicted", "op", {SCN_NE, {SCN_STRING, false, 0, "a"}, NULL, 0}, 2},
      {"conn_evicted", "nonsense", {SCN_EQ, {SCN_INTEGER, false, 0, NULL}, NULL, 0}, 0},
      {"acquire_granted", "conn", {SCN_EQ, {SCN_STRING, false, 0, "a"}, NULL, 0}, 1},
      {"acquire_granted", "conn", {SCN_NE, {SCN_STRING, false, 0, "a"}, NULL, 0}, 1},
      {"acquire_granted", "conn", {SCN_EQ, {SCN_STRING, false, 0, "waits"}, NULL, 0}, 0},
      {"acquire_granted", "op", {SCN_EQ, {SCN_STRING, false, 0, "b"}, NULL, 0}, 1},
      {"acquire_granted", "reused", {SCN_EQ, {SCN_BOOL, true, 0, NULL}, NULL, 0}, 1},
      {"acquire_granted", "reused", {SCN_EQ, {SCN_INTEGER, false, 0, NULL}, NULL, 0}, 1},
      {"acquire_granted", "queue_wait", {SCN_LE, {SCN_DURATION, false, 15 * MS, NULL}, NULL, 0}, 2},
      {"acquire_granted", "queue_wait", {SCN_LT, {SCN_DURATION, false, 15 * MS, NULL}, NULL, 0}, 1},
      {"dial_started", "url", {SCN_CONTAINS, {SCN_STRING, false, 0, "a.ex"}, NULL, 0}, 1},
      {"pool_closed", "account", {SCN_EQ, {SCN_INTEGER, false, 0, NULL}, NULL, 0}, 0},
      {"pool_closed", "account", {SCN_EQ, {SCN_NULL, false, 0, NULL}, NULL, 0}, 1},
      {"ping_failed", "account", {SCN_EQ, {SCN_INTEGER, false, 99, NULL}, NULL, 0}, 0},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    CU_ASSERT_EQUAL(matches(&run, cases[i].kind, cases[i].field, cases[i].test), cases[i].count);
  }
  expect_fixture_deinit(&run);
}

static void a_wrong_count_shows_near_misses(void) {
  struct expect_fixture run;
  if (!begin(&run)) {
    return;
  }
  struct scn_expectation expectation = {
      .kind = SCN_EXPECT_EVENT,
      EVENTS({.kind = "conn_evicted",
              WHERE(FIELD("conn", TEST(SCN_EQ, value_string("stale"))),
                    FIELD("reason", TEST(SCN_EQ, value_string("ping_failed"))))}),
      FIELDS(FIELD("count", TEST(SCN_EQ, value_integer(1))))};
  CU_ASSERT_FALSE(expect_holds(&run, &expectation));
  CU_ASSERT_STRING_EQUAL(run.judgement.actual, "count = 0");
  CU_ASSERT_STRING_EQUAL(
      run.judgement.message,
      "expected  event conn_evicted where conn = stale and reason = ping_failed: count = 1\n"
      "found     count = 0 (2 conn_evicted with other fields)\n"
      "timeline  (2 events that touch it)\n"
      "       50ms  conn_evicted       account=99 conn=stale reason=max_age age=7ns idle=8ns "
      "pins=0\n"
      "       60ms  conn_evicted       account=7 conn=stale reason=room age=7ns idle=8ns pins=0");
  expect_fixture_deinit(&run);
}

static void without_a_count_one_event_is_enough(void) {
  struct expect_fixture run;
  if (!begin(&run)) {
    return;
  }
  struct scn_expectation there = {.kind = SCN_EXPECT_EVENT, EVENTS({.kind = "conn_evicted"})};
  CU_ASSERT_TRUE(expect_holds(&run, &there));
  CU_ASSERT_STRING_EQUAL(run.judgement.actual, "count = 2");
  struct scn_expectation none = {.kind = SCN_EXPECT_EVENT, EVENTS({.kind = "ping_failed"})};
  CU_ASSERT_FALSE(expect_holds(&run, &none));
  const char *expected =
      "expected  event ping_failed: at least one\n"
      "found     none\n"
      "timeline  (7 events of the run, none touches it)\n"
      "        5ms  dial_started       account=99 reason=acquire dial=1 url=wss://a.example\n";
  CU_ASSERT_NSTRING_EQUAL(run.judgement.message, expected, strlen(expected));
  expect_fixture_deinit(&run);
}

static void events_occur_in_order_with_others_between(void) {
  struct expect_fixture run;
  if (!begin(&run)) {
    return;
  }
  struct scn_expectation right = {
      .kind = SCN_EXPECT_EVENTS,
      EVENTS({.kind = "dial_started"}, {.kind = "acquire_granted"}, {.kind = "acquire_granted"},
             {.kind = "conn_evicted", WHERE(FIELD("account", TEST(SCN_EQ, value_integer(7))))}),
      FORBID({.kind = "ping_failed"},
             {.kind = "conn_evicted", WHERE(FIELD("conn", TEST(SCN_EQ, value_string("a"))))})};
  CU_ASSERT_TRUE(expect_holds(&run, &right));
  CU_ASSERT_STRING_EQUAL(run.judgement.actual,
                         "dial_started at 5ms, acquire_granted at 25ms, acquire_granted at 40ms, "
                         "conn_evicted at 60ms, forbidden ping_failed: 0, forbidden conn_evicted: "
                         "0");
  /* One event is no match for two patterns. */
  struct scn_expectation twice = {.kind = SCN_EXPECT_EVENTS,
                                  EVENTS({.kind = "dial_started"}, {.kind = "dial_started"})};
  CU_ASSERT_FALSE(expect_holds(&run, &twice));
  struct scn_expectation wrong = {
      .kind = SCN_EXPECT_EVENTS,
      EVENTS({.kind = "acquire_granted", WHERE(FIELD("op", TEST(SCN_EQ, value_string("b"))))},
             {.kind = "acquire_granted", WHERE(FIELD("op", TEST(SCN_EQ, value_string("a"))))})};
  CU_ASSERT_FALSE(expect_holds(&run, &wrong));
  CU_ASSERT_STRING_EQUAL(run.judgement.actual, "acquire_granted at 40ms, acquire_granted missing");
  CU_ASSERT_STRING_EQUAL(
      run.judgement.message,
      "expected  events in order: acquire_granted where op = b, then acquire_granted where op = a\n"
      "found     no acquire_granted where op = a after acquire_granted at 40ms (2 of 2)\n"
      "timeline  (2 events that touch it)\n"
      "       25ms  acquire_granted    account=99 conn=oa_ws_99_1 op=a queue_wait=0s\n"
      "       40ms  acquire_granted    account=99 conn=stale op=b queue_wait=15ms reused queued");
  expect_fixture_deinit(&run);
}

static void a_forbidden_event_fails_wherever_it_is(void) {
  struct expect_fixture run;
  if (!begin(&run)) {
    return;
  }
  struct scn_expectation expectation = {
      .kind = SCN_EXPECT_EVENTS,
      EVENTS({.kind = "pool_closed"}),
      FORBID({.kind = "conn_evicted",
              WHERE(FIELD("reason", TEST_IN(value_string("room"), value_string("max_age"))))})};
  CU_ASSERT_FALSE(expect_holds(&run, &expectation));
  CU_ASSERT_STRING_EQUAL(run.judgement.actual, "pool_closed at 70ms, forbidden conn_evicted: 2");
  const char *expected =
      "expected  no conn_evicted where reason in [room, max_age]\n"
      "found     2, the first at 50ms\n"
      "timeline  (3 events that touch it)\n";
  CU_ASSERT_NSTRING_EQUAL(run.judgement.message, expected, strlen(expected));
  expect_fixture_deinit(&run);
}

/* ---- The events that are shown ----------------------------------------------------------- */

static void add_pings(struct expect_fixture *run, int count) {
  for (int i = 0; i < count; i++) {
    struct event_given ping = {i * MS, WSP_PING_STARTED, 99,        "c",
                               NULL,   WSP_REASON_SWEEP, {0, 0, 0}, {NULL}};
    expect_fixture_event(run, &ping);
  }
}

static size_t lines_of(const char *text) {
  size_t lines = 1;
  for (; *text != '\0'; text++) {
    lines += *text == '\n';
  }
  return lines;
}

static void the_last_12_events_are_shown_and_the_rest_counted(void) {
  struct expect_fixture run;
  if (!expect_fixture_init(&run)) {
    CU_FAIL("no memory for the fixture");
    return;
  }
  struct scn_expectation expectation = {.kind = SCN_EXPECT_EVENT,
                                        EVENTS({.kind = "ping_started"}),
                                        FIELDS(FIELD("count", TEST(SCN_EQ, value_integer(0))))};
  struct scn_expectation none = {.kind = SCN_EXPECT_EVENT, EVENTS({.kind = "ping_failed"})};
  CU_ASSERT_FALSE(expect_holds(&run, &none));
  CU_ASSERT_STRING_EQUAL(run.judgement.message,
                         "expected  event ping_failed: at least one\n"
                         "found     none\n"
                         "timeline  (no event has happened yet)");
  add_pings(&run, 12);
  CU_ASSERT_FALSE(expect_holds(&run, &expectation));
  CU_ASSERT_PTR_NOT_NULL(strstr(run.judgement.message, "timeline  (12 events that touch it)\n"));
  CU_ASSERT_EQUAL(lines_of(run.judgement.message), 15);
  add_pings(&run, 8);
  CU_ASSERT_FALSE(expect_holds(&run, &expectation));
  CU_ASSERT_PTR_NOT_NULL(strstr(run.judgement.message,
                                "timeline  (the last 12 of 20 events that touch it)\n"
                                "        8ms  ping_started "));
  CU_ASSERT_EQUAL(lines_of(run.judgement.message), 15);
  expect_fixture_deinit(&run);
}

static void a_forbidden_event_is_among_those_that_are_shown(void) {
  struct expect_fixture run;
  if (!expect_fixture_init(&run)) {
    CU_FAIL("no memory for the fixture");
    return;
  }
  add_pings(&run, 40);
  struct scn_expectation expectation = {
      .kind = SCN_EXPECT_EVENTS,
      FORBID({.kind = "ping_started", WHERE(FIELD("t", TEST(SCN_EQ, value_duration(20 * MS))))})};
  CU_ASSERT_FALSE(expect_holds(&run, &expectation));
  CU_ASSERT_PTR_NOT_NULL(strstr(run.judgement.message,
                                "timeline  (12 of 40 events that touch it)\n"
                                "       12ms  ping_started "));
  CU_ASSERT_PTR_NOT_NULL(strstr(run.judgement.message, "\n       20ms  ping_started "));
  CU_ASSERT_PTR_NOT_NULL(strstr(run.judgement.message, "\n       23ms  ping_started "));
  CU_ASSERT_PTR_NULL(strstr(run.judgement.message, "\n       24ms  ping_started "));
  expect_fixture_deinit(&run);
}

static void an_event_is_one_line_for_a_person(void) {
  struct expect_fixture run;
  if (!expect_fixture_init(&run)) {
    CU_FAIL("no memory for the fixture");
    return;
  }
  static const struct {
    struct event_given given;
    const char *line;
  } cases[] = {
      {{70 * MS, WSP_ACQUIRE_GRANTED, 99, "oa_ws_99_1", "b", 0, {60 * MS, 1, 1}, {NULL}},
       "     70ms  acquire_granted    account=99 conn=oa_ws_99_1 op=b queue_wait=60ms reused "
       "queued"},
      {{1500, WSP_POOL_CLOSED_EVENT, 0, NULL, NULL, 0, {0}, {NULL}}, "    1.5\u00b5s  pool_closed"},
      {{0,
        WSP_ACQUIRE_STARTED,
        1,
        NULL,
        "a",
        0,
        {0, 8, WSP_FLAG_FORCE_NEW_CONN | WSP_FLAG_CANCELED},
        {"wss://a", "http://p"}},
       "       0s  acquire_started    account=1 op=a effective_max=8 force_new_conn canceled "
       "url=wss://a proxy=http://p"},
      {{3600 * WSP_SECOND + 1,
        WSP_ACQUIRE_FAILED,
        1,
        NULL,
        "a",
        WSP_DIAL_FAILED,
        {0, 0, 0},
        {"dial failed: x"}},
       "1h0m0.000000001s  acquire_failed     account=1 op=a error=dial_failed queue_wait=0s "
       "text=\"dial failed: x\""},
      {{5 * MS, WSP_CONN_OPENED, 1, "c", NULL, WSP_REASON_ADOPTED, {1, 2, WSP_TIME_NEVER}, {"u"}},
       "      5ms  conn_opened        account=1 conn=c reason=adopted age=1ns idle=2ns "
       "age_limit=never url=u"},
      {{5 * MS, WSP_CLEANUP_SWEEP_STARTED, 0, NULL, NULL, 0, {0}, {NULL}},
       "      5ms  cleanup_sweep_started"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char buffer[256];
    expect_fixture_event(&run, &cases[i].given);
    const struct sim_event *event = &sim_trace_events(run.trace)[i];
    CU_ASSERT_EQUAL(scn_event_line(run.trace, event, buffer, sizeof buffer), strlen(cases[i].line));
    CU_ASSERT_STRING_EQUAL(buffer, cases[i].line);
    CU_ASSERT_EQUAL(scn_event_line(run.trace, event, buffer, 10), strlen(cases[i].line));
    CU_ASSERT_EQUAL(strlen(buffer), 9);
    CU_ASSERT_EQUAL(scn_event_line(run.trace, event, NULL, 0), strlen(cases[i].line));
  }
  expect_fixture_deinit(&run);
}

CU_TestInfo suite_expect_event[] = {
    {"events are counted by kind and fields", events_are_counted_by_kind_and_fields},
    {"a wrong count shows near misses", a_wrong_count_shows_near_misses},
    {"without a count one event is enough", without_a_count_one_event_is_enough},
    {"events occur in order with others between", events_occur_in_order_with_others_between},
    {"a forbidden event fails wherever it is", a_forbidden_event_fails_wherever_it_is},
    {"the last 12 events are shown and the rest counted",
     the_last_12_events_are_shown_and_the_rest_counted},
    {"a forbidden event is among those that are shown",
     a_forbidden_event_is_among_those_that_are_shown},
    {"an event is one line for a person", an_event_is_one_line_for_a_person},
    CU_TEST_INFO_NULL};
