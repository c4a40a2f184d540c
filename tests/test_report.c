/* test_report.c - the parts that reports are made of: details, names, lanes, durations, texts. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/detail.h"
#include "reports/input.h"
#include "reports/json_text.h"
#include "reports/lanes.h"
#include "reports/markdown_text.h"
#include "reports/measures.h"
#include "reports/names.h"
#include "reports/report.h"
#include "reports/shell.h"
#include "tests/report_fixture.h"
#include "tests/suites.h"

/* ---- Details ------------------------------------------------------------------------------- */

/* "key=value;" for each field. */
static const char *fields(const char *detail) {
  static char text[512];
  size_t length = 0;
  struct rep_field field;
  text[0] = '\0';
  while (rep_detail_next(&detail, &field)) {
    length +=
        (size_t)snprintf(text + length, sizeof text - length, "%.*s=%.*s;", (int)field.key_length,
                         field.key, (int)field.value_length, field.value);
  }
  return text;
}

static void fields_come_one_after_the_other(void) {
  CU_ASSERT(report_equal(fields("{\"a\":1,\"b\":\"x\"}"), "a=1;b=\"x\";"));
  CU_ASSERT(
      report_equal(fields(" { \"a\" : -1 , \"b\" : [1,{\"c\":2}] } "), "a=-1;b=[1,{\"c\":2}];"));
  CU_ASSERT(report_equal(fields("{\"a\":\"},\\\"{\",\"b\":null}"), "a=\"},\\\"{\";b=null;"));
  CU_ASSERT(report_equal(fields("{}"), ""));
  CU_ASSERT(report_equal(fields(""), ""));
  CU_ASSERT(report_equal(fields(NULL), ""));
}

static void a_detail_that_is_cut_has_the_fields_before(void) {
  CU_ASSERT(report_equal(fields("{\"a\":1,\"b\":\"x"), "a=1;"));
  CU_ASSERT(report_equal(fields("{\"a\":1,\"b"), "a=1;"));
  CU_ASSERT(report_equal(fields("{\"a\":1,\"b\""), "a=1;"));
  CU_ASSERT(report_equal(fields("{\"a\":1"), ""));
  CU_ASSERT(report_equal(fields("[1]"), ""));
}

static void numbers_and_texts_are_found_by_name(void) {
  char buffer[8];
  const char *detail = "{\"ab\":5,\"b\":9223372036854775807,\"c\":1.5,\"d\":\"refused\"}";
  CU_ASSERT_EQUAL(rep_detail_integer(detail, "b", -1), INT64_MAX);
  CU_ASSERT_EQUAL(rep_detail_integer(detail, "a", -1), -1);
  CU_ASSERT_EQUAL(rep_detail_integer(detail, "c", -1), -1);
  CU_ASSERT_EQUAL(rep_detail_integer("{\"b\":9223372036854775808}", "b", -1), -1);
  CU_ASSERT(report_equal(rep_detail_text(detail, "d", buffer, sizeof buffer), "refused"));
  CU_ASSERT(report_equal(rep_detail_text(detail, "d", buffer, 4), "ref"));
  CU_ASSERT(report_equal(rep_detail_text(detail, "b", buffer, sizeof buffer), ""));
}

/* ---- Names --------------------------------------------------------------------------------- */

static void names_have_numbers_in_the_order_in_which_they_came(void) {
  struct rep_names names = {0};
  char text[32];
  for (uint32_t i = 0; i < 5000; i++) {
    snprintf(text, sizeof text, "name %" PRIu32, i);
    CU_ASSERT_EQUAL(rep_names_put(&names, text), i);
  }
  for (uint32_t i = 0; i < 5000; i++) {
    snprintf(text, sizeof text, "name %" PRIu32, i);
    CU_ASSERT_EQUAL(rep_names_put(&names, text), i);
    CU_ASSERT_STRING_EQUAL(rep_names_text(&names, i), text);
  }
  CU_ASSERT_EQUAL(names.count, 5000);
  CU_ASSERT_EQUAL(rep_names_put(&names, ""), 5000);
  rep_names_deinit(&names);
}

/* ---- Lanes --------------------------------------------------------------------------------- */

static char spans[2048];

/* "KIND CONN OP START-END why lane|": with "+" for one that has not ended. */
static void note(void *context, const struct rep_span *span) {
  (void)context;
  size_t length = strlen(spans);
  snprintf(spans + length, sizeof spans - length, "%s %s %s %" PRId64 "-%" PRId64 "%s %s %s%u|",
           rep_span_name(span->kind), span->conn, span->op, span->start_ns, span->end_ns,
           span->open ? "+" : "", span->why, span->granted ? "granted " : "", span->lane);
}

struct row {
  int64_t t_ns;
  const char *kind, *conn, *op, *detail;
};

static const char *spans_of(const struct row *rows, size_t count, int64_t end_ns) {
  spans[0] = '\0';
  struct rep_lanes *lanes = rep_lanes_create(note, NULL);
  for (size_t i = 0; i < count; i++) {
    CU_ASSERT(rep_lanes_event(lanes, rows[i].t_ns, rows[i].kind, 1, rows[i].conn, rows[i].op,
                              rows[i].detail));
  }
  rep_lanes_end(lanes, end_ns);
  rep_lanes_destroy(lanes);
  return spans;
}

#define SPANS_OF(rows, end_ns) spans_of(rows, sizeof(rows) / sizeof(rows)[0], end_ns)

static void a_conn_is_idle_or_leased_until_it_closes(void) {
  const struct row rows[] = {
      {0, "acquire_started", "", "a", ""},
      {0, "dial_started", "", "a", "{\"reason\":\"acquire\",\"dial\":1}"},
      {5, "dial_succeeded", "", "a", "{\"reason\":\"acquire\",\"dial\":1}"},
      {5, "conn_opened", "c1", "a", "{\"reason\":\"acquire\"}"},
      {5, "acquire_granted", "c1", "a", ""},
      {9, "lease_released", "c1", "a", ""},
      {12, "ping_started", "c1", "", "{\"reason\":\"sweep\"}"},
      {14, "ping_failed", "c1", "", "{\"reason\":\"timeout\"}"},
      {14, "conn_evicted", "c1", "", "{\"reason\":\"ping_failed\"}"},
      {16, "conn_closed", "c1", "", "{\"reason\":\"ping_failed\"}"},
  };
  CU_ASSERT(report_equal(SPANS_OF(rows, 20),
                         "dialing  a 0-5 acquire 0|waiting c1 a 0-5  granted 0|"
                         "idle c1  5-5  0|leased c1 a 5-9  0|pinging c1  12-14 timeout 0|"
                         "idle c1  9-14 ping_failed 0|closing c1  14-16 ping_failed 0|"));
}

static void what_waits_at_once_has_lanes_of_its_own(void) {
  const struct row rows[] = {
      {0, "acquire_started", "", "a", ""},
      {1, "acquire_started", "", "b", ""},
      {2, "acquire_started", "", "c", ""},
      {3, "acquire_failed", "", "b", "{\"error\":\"queue_full\"}"},
      {4, "acquire_started", "", "d", ""}, /* takes b's lane */
      {5, "acquire_started", "", "e", ""},
  };
  CU_ASSERT(report_equal(SPANS_OF(rows, 9),
                         "waiting  b 1-3 queue_full 1|waiting  a 0-9+  0|waiting  c 2-9+  2|"
                         "waiting  d 4-9+  1|waiting  e 5-9+  3|"));
}

static void what_has_not_ended_is_told_at_the_end(void) {
  const struct row rows[] = {
      {0, "dial_started", "", "", "{\"reason\":\"prewarm\",\"dial\":7}"},
      {1, "conn_opened", "c1", "", "{\"reason\":\"adopted\"}"},
      {2, "ping_started", "c1", "", "{\"reason\":\"sweep\"}"},
      {3, "acquire_granted", "c1", "a", ""},
  };
  CU_ASSERT(report_equal(SPANS_OF(rows, 4),
                         "idle c1  1-3  0|dialing   0-4+ prewarm 0|pinging c1  2-4+  0|"
                         "leased c1 a 3-4+  0|"));
}

static void the_same_id_in_another_account_is_another_conn(void) {
  struct rep_lanes *lanes = rep_lanes_create(note, NULL);
  spans[0] = '\0';
  CU_ASSERT(rep_lanes_event(lanes, 0, "conn_opened", 1, "c", "", ""));
  CU_ASSERT(rep_lanes_event(lanes, 1, "conn_opened", 2, "c", "", ""));
  CU_ASSERT(rep_lanes_event(lanes, 2, "conn_closed", 1, "c", "", ""));
  CU_ASSERT(rep_lanes_event(lanes, 3, "an_event_of_tomorrow", 1, "c", "", ""));
  rep_lanes_end(lanes, 4);
  CU_ASSERT(report_equal(spans, "idle c  0-2  0|idle c  1-4+  0|"));
  rep_lanes_destroy(lanes);
}

/* ---- Durations ----------------------------------------------------------------------------- */

static void percentiles_are_samples_that_occurred(void) {
  int64_t values[] = {10, 20, 30, 40};
  const struct rep_samples samples = {.values_ns = values, .count = 4};
  CU_ASSERT_EQUAL(rep_samples_percentile(&samples, 0), 10);
  CU_ASSERT_EQUAL(rep_samples_percentile(&samples, 250), 10);
  CU_ASSERT_EQUAL(rep_samples_percentile(&samples, 251), 20);
  CU_ASSERT_EQUAL(rep_samples_percentile(&samples, 500), 20);
  CU_ASSERT_EQUAL(rep_samples_percentile(&samples, 999), 40);
  CU_ASSERT_EQUAL(rep_samples_percentile(&samples, 1000), 40);
}

static void append(struct sim_trace *trace, int kind, int64_t value, int64_t other) {
  const struct sim_event event = {
      .t_ns = 8000000, .kind = (uint16_t)kind, .account = 99, .values = {value, other, 0}};
  sim_trace_append(trace, &event);
}

static void durations_are_those_of_the_events(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  append(fixture.trace, WSP_ACQUIRE_GRANTED, 30, 0);
  append(fixture.trace, WSP_ACQUIRE_FAILED, 10, 0);
  append(fixture.trace, WSP_LEASE_RELEASED, 5, 0);
  append(fixture.trace, WSP_LEASE_LOST, 4, 0);
  append(fixture.trace, WSP_DIAL_SUCCEEDED, 1, 7);
  append(fixture.trace, WSP_DIAL_FAILED_EVENT, 1, 8);
  CU_ASSERT(report_fixture_record(&fixture));
  struct rep_input input;
  struct rep_measures measures;
  const char *path = fixture.path;
  CU_ASSERT_FATAL(rep_input_open(&input, &path, 1, &(struct rep_choice){0}, fixture.message,
                                 sizeof fixture.message));
  CU_ASSERT_FATAL(
      rep_measures_read(&measures, &input.items[0], fixture.message, sizeof fixture.message));
  const struct rep_samples *waits = &measures.samples[REP_MEASURE_QUEUE_WAIT];
  CU_ASSERT_EQUAL_FATAL(waits->count, 2);
  CU_ASSERT(waits->values_ns[0] == 10 && waits->values_ns[1] == 30);
  CU_ASSERT_EQUAL_FATAL(measures.samples[REP_MEASURE_HOLD].count, 2);
  CU_ASSERT_EQUAL(measures.samples[REP_MEASURE_HOLD].values_ns[0], 4);
  CU_ASSERT_EQUAL_FATAL(measures.samples[REP_MEASURE_DIAL].count, 1);
  CU_ASSERT_EQUAL(measures.samples[REP_MEASURE_DIAL].values_ns[0], 7);
  CU_ASSERT_EQUAL(measures.samples[REP_MEASURE_PING].count, 0);
  rep_measures_deinit(&measures);
  rep_input_deinit(&input);
  report_fixture_deinit(&fixture);
}

/* ---- Texts --------------------------------------------------------------------------------- */

typedef void write_function(FILE *file, const char *text);

static const char *written(write_function *write, const char *text) {
  static char buffer[512];
  memset(buffer, 0, sizeof buffer);
  FILE *file = fmemopen(buffer, sizeof buffer - 1, "w");
  write(file, text);
  fclose(file);
  return buffer;
}

static void write_code(FILE *file, const char *text) {
  rep_markdown_code(file, text, strlen(text));
}

static void texts_stay_what_they_are_in_each_form(void) {
  CU_ASSERT(report_equal(written(rep_json_string, "a\"\\\n\x01</s>\xff\u00b5"),
                         "\"a\\\"\\\\\\n\\u0001\\u003c/s>\\ufffd\u00b5\""));
  CU_ASSERT(report_equal(written(rep_json_string_or_null, ""), "null"));
  CU_ASSERT(report_equal(written(rep_markdown_text, "a|b\n<i> `x`"), "a\\|b \\<i\\> \\`x\\`"));
  CU_ASSERT(report_equal(written(write_code, "a\n```\nb"), "````text\na\n```\nb\n````\n"));
  CU_ASSERT(report_equal(written(rep_markdown_command, "x"), "`x`"));
  CU_ASSERT(report_equal(written(rep_markdown_command, "x `y`"), "`` x `y` ``"));
}

/* How SQLite finds the events of a scenario of the fixture's database; "" when it is not opened. */
static const char *event_plan(struct report_fixture *fixture) {
  static char plan[512];
  const char *const paths[] = {fixture->path};
  const struct rep_choice choice = {0};
  struct rep_input input;
  bool failed = false;
  plan[0] = '\0';
  if (rep_input_open(&input, paths, 1, &choice, fixture->message, sizeof fixture->message)) {
    sqlite3_stmt *rows =
        rep_item_query(&input.items[0],
                       "explain query plan select * from event where scenario_id = ?1 order by seq",
                       fixture->message, sizeof fixture->message);
    while (
        rep_item_row(&input.items[0], &rows, &failed, fixture->message, sizeof fixture->message)) {
      size_t length = strlen(plan);
      snprintf(plan + length, sizeof plan - length, "%s;", rep_column(rows, 3));
    }
  }
  rep_input_deinit(&input);
  return plan;
}

static void events_are_found_without_an_index_too(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT_FATAL(report_fixture_record(&fixture));
  CU_ASSERT(report_equal(event_plan(&fixture),
                         "SEARCH event USING INDEX event_by_scenario (scenario_id=?);"));
  CU_ASSERT(report_equal(report_rows(fixture.path, "drop index event_by_scenario"), ""));
  CU_ASSERT(report_contains(event_plan(&fixture), "SEARCH b USING INTEGER PRIMARY KEY (rowid=?);"));
  CU_ASSERT(report_contains(event_plan(&fixture),
                            "SEARCH m USING INTEGER PRIMARY KEY (rowid>? AND rowid<?);"));
  CU_ASSERT(report_equal(
      report_rows(fixture.path, "select count(*) from sqlite_schema where name like 'event%'"),
      "1;"));
  report_fixture_deinit(&fixture);
}

static void a_command_can_be_copied_into_a_shell(void) {
  char text[128];
  rep_shell_replay("build/poolproof", "a b'c.db", 7, text, sizeof text);
  CU_ASSERT(report_equal(text, "build/poolproof replay --db 'a b'\\''c.db' 7"));
}

CU_TestInfo suite_report[] = {
    {"fields come one after the other", fields_come_one_after_the_other},
    {"a detail that is cut has the fields before", a_detail_that_is_cut_has_the_fields_before},
    {"numbers and texts are found by name", numbers_and_texts_are_found_by_name},
    {"names have numbers in the order in which they came",
     names_have_numbers_in_the_order_in_which_they_came},
    {"a conn is idle or leased until it closes", a_conn_is_idle_or_leased_until_it_closes},
    {"what waits at once has lanes of its own", what_waits_at_once_has_lanes_of_its_own},
    {"what has not ended is told at the end", what_has_not_ended_is_told_at_the_end},
    {"the same id in another account is another conn",
     the_same_id_in_another_account_is_another_conn},
    {"percentiles are samples that occurred", percentiles_are_samples_that_occurred},
    {"durations are those of the events", durations_are_those_of_the_events},
    {"texts stay what they are in each form", texts_stay_what_they_are_in_each_form},
    {"events are found without an index, too", events_are_found_without_an_index_too},
    {"a command can be copied into a shell", a_command_can_be_copied_into_a_shell},
    CU_TEST_INFO_NULL,
};
