/* test_recorder.c - what the recorder writes, row by row, and how runs share a database. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "tests/report_fixture.h"
#include "tests/suites.h"

#define HEADLINE "id, run_id, name, path, variant, seed, schedule, mode, verdict, failure"

static void a_scenario_is_written_column_by_column(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT(report_fixture_record(&fixture));
  CU_ASSERT(report_equal(report_rows(fixture.path, "select " HEADLINE " from scenario"),
                         "1|1|two-wait|scenarios/queue/two-wait.json|seed=7|7|NULL|virtual|fail|"
                         "expected ok;"));
  CU_ASSERT(
      report_equal(report_rows(fixture.path,
                               "select virtual_ns, wall_ns, events, timeline_sha256 from scenario"),
                   "7000000|123456|3|0123abcd;"));
  CU_ASSERT(
      report_equal(report_rows(fixture.path, "select * from op order by seq"),
                   "1|1|a|acquire|99|0|5000000|ok|NULL|NULL|oa_ws_99_1|0|0|0;"
                   "1|2|b|acquire|99|1000000|7000000|dial_failed|dial failed: status=503: "
                   "it's busy|503|NULL|NULL|6000000|10;"
                   "1|3|r|read|99|6000000|NULL|pending|NULL|NULL|oa_ws_99_1|NULL|NULL|NULL;"
                   "1|4|closed|close|NULL|7000000|7000000|ok|NULL|NULL|NULL|NULL|NULL|NULL;"));
  CU_ASSERT(report_equal(
      report_rows(fixture.path, "select * from event order by seq"),
      "1|1|0|acquire_started|99|NULL|a|{\"deadline_ns\":0,\"effective_max\":1,\"flags\":0,"
      "\"url\":\"wss://example.com/v1/\\\"x\\\"\"};"
      "1|2|5000000|conn_evicted|99|oa_ws_99_1|NULL|{\"reason\":\"max_age\",\"age_ns\":5,"
      "\"idle_ns\":4,\"pins\":0};"
      "1|3|7000000|pool_closed|NULL|NULL|NULL|NULL;"));
  CU_ASSERT(report_equal(
      report_rows(fixture.path, "select *, typeof(value) from metric order by rowid"),
      "1|1000000|99|leased|1|integer;1|7000000|NULL|acquire_total|2|integer;"
      "1|7000000|NULL|transport_reuse_ratio|0.5|real;1|7000000|NULL|whole_ratio|1.0|real;"));
  CU_ASSERT(report_equal(report_rows(fixture.path, "select * from expectation order by idx"),
                         "1|0|{ \"op\": \"a\", \"result\": \"ok\" }|1|ok;"
                         "1|1|{ \"op\": \"b\" }|0|NULL;"));
  CU_ASSERT(report_equal(report_rows(fixture.path, "select * from violation"),
                         "1|7000000|no_conn_is_lost|conn 1 is leased by nobody;"));
  report_fixture_deinit(&fixture);
}

static void a_run_has_its_command_and_its_times(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT(report_fixture_record(&fixture));
  CU_ASSERT(report_equal(
      report_rows(fixture.path,
                  "select id, command, version, length(host) > 0, finished_at >= started_at,"
                  " started_at glob '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:"
                  "[0-6][0-9].[0-9][0-9][0-9]Z', length(finished_at) from run"),
      "1|poolproof run x|1.2.3|1|1|1|24;"));
  CU_ASSERT(report_equal(report_rows(fixture.path, "pragma user_version"), "4;"));
  CU_ASSERT(report_equal(report_rows(fixture.path, "pragma application_id"), "1886351212;"));
  report_fixture_deinit(&fixture);
}

static void a_finished_database_is_one_file_with_indexes(void) {
  struct report_fixture fixture;
  char journal[REPORT_PATH_SIZE + 16];
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT(report_fixture_record(&fixture));
  snprintf(journal, sizeof journal, "%s-journal", fixture.path);
  CU_ASSERT_FALSE(report_file_exists(journal));
  CU_ASSERT(report_equal(report_rows(fixture.path,
                                     "select name from sqlite_schema where type = 'index' "
                                     "and name not like 'sqlite_%' order by name"),
                         "event_by_scenario;expectation_by_scenario;metric_by_scenario;"
                         "op_by_scenario;scenario_by_run;violation_by_scenario;"));
  CU_ASSERT(report_equal(report_rows(fixture.path, "pragma journal_mode"), "delete;"));
  CU_ASSERT(report_equal(report_rows(fixture.path, "pragma integrity_check"), "ok;"));
  report_fixture_deinit(&fixture);
}

static void another_run_is_appended_under_new_ids(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  fixture.scenario.id = 5;
  CU_ASSERT(report_fixture_record(&fixture));
  fixture.scenario.id = 2;
  CU_ASSERT(report_fixture_record(&fixture));
  CU_ASSERT(report_equal(report_rows(fixture.path, "select id, run_id from scenario order by id"),
                         "5|1;7|2;"));
  CU_ASSERT(report_equal(
      report_rows(fixture.path, "select scenario_id, count(*) from event group by 1"), "5|3;7|3;"));
  report_fixture_deinit(&fixture);
}

static void a_source_is_kept_once_for_all_its_variants(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT(report_fixture_record(&fixture));
  CU_ASSERT(report_fixture_record(&fixture));
  fixture.scenario.source = NULL;
  CU_ASSERT(report_fixture_record(&fixture));
  CU_ASSERT(report_equal(report_rows(fixture.path, "select count(*) from source"), "1;"));
  CU_ASSERT(
      report_equal(report_rows(fixture.path, "select * from scenario_source order by scenario_id"),
                   "1|{ \"name\": \"two-wait\" }\n;2|{ \"name\": \"two-wait\" }\n;"));
  CU_ASSERT(report_equal(report_rows(fixture.path, "select sha256 from source"),
                         "07cc3e8d3d2a052b93c84cbf7ce8a29779e67d63ef2b02ccbb97163a8e29400e;"));
  report_fixture_deinit(&fixture);
}

static void many_rows_keep_their_order_and_number(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  report_fixture_events(&fixture, 149 - 3);
  CU_ASSERT(report_fixture_record(&fixture));
  CU_ASSERT(report_equal(report_rows(fixture.path,
                                     "select count(*), min(seq), max(seq), sum(seq = rowid), "
                                     "max(t_ns), sum(detail ->> 'waiting') from event"),
                         "149|1|149|149|8145000|10585;"));
  CU_ASSERT(report_equal(report_rows(fixture.path, "select events from scenario"), "149;"));
  CU_ASSERT(report_equal(
      report_rows(fixture.path,
                  "select scenario, seq, t_ms, kind, op from timeline where seq in (2, 5)"),
      "two-wait|2|5.0|conn_evicted|NULL;two-wait|5|8.001|acquire_queued|b;"));
  report_fixture_deinit(&fixture);
}

static void a_long_detail_is_not_cut(void) {
  struct report_fixture fixture;
  char text[5001];
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  for (size_t length = 200; length < 300; length++) {
    memset(text, 'x', length);
    text[length] = '\0';
    struct sim_event event = {.kind = SIM_INVARIANT_VIOLATED};
    event.texts[0] = sim_trace_intern(fixture.trace, text);
    sim_trace_append(fixture.trace, &event);
  }
  memset(text, 'y', 5000);
  text[5000] = '\0';
  struct sim_event event = {.kind = SIM_INVARIANT_VIOLATED};
  event.texts[0] = sim_trace_intern(fixture.trace, text);
  sim_trace_append(fixture.trace, &event);
  CU_ASSERT(report_fixture_record(&fixture));
  CU_ASSERT(report_equal(report_rows(fixture.path,
                                     "select sum(length(detail ->> 'invariant') = seq + 196), "
                                     "max(length(detail ->> 'invariant')) from event "
                                     "where kind = 'invariant_violated'"),
                         "100|5000;"));
  report_fixture_deinit(&fixture);
}

static void a_seed_keeps_all_its_digits(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  fixture.scenario.seed = UINT64_MAX;
  CU_ASSERT(report_fixture_record(&fixture));
  fixture.scenario.seed = INT64_MAX;
  CU_ASSERT(report_fixture_record(&fixture));
  CU_ASSERT(report_equal(report_rows(fixture.path, "select seed, typeof(seed) from scenario"),
                         "18446744073709551615|text;9223372036854775807|integer;"));
  report_fixture_deinit(&fixture);
}

static void a_scenario_that_never_ran_has_no_rows_but_its_own(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  fixture.scenario = (struct rep_scenario){.id = 1,
                                           .name = "x",
                                           .path = "x.json",
                                           .mode = "virtual",
                                           .schedule = "pct:3",
                                           .verdict = REP_ERROR,
                                           .failure = "no memory"};
  CU_ASSERT(report_fixture_record(&fixture));
  CU_ASSERT(report_equal(
      report_rows(fixture.path, "select " HEADLINE ", events, timeline_sha256 from scenario"),
      "1|1|x|x.json||0|pct:3|virtual|error|no memory|0|NULL;"));
  report_fixture_deinit(&fixture);
}

static void a_scenario_that_can_not_be_written_leaves_nothing(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  char *message = fixture.message;
  size_t size = sizeof fixture.message;
  struct rep_recorder *recorder = rep_recorder_open(fixture.path, "x", "1", message, size);
  CU_ASSERT_FATAL(recorder != NULL);
  const struct rep_violation nameless = {.invariant = NULL};
  struct rep_scenario broken = fixture.scenario;
  broken.violations = &nameless;
  CU_ASSERT_FALSE(rep_recorder_add(recorder, &broken, message, size));
  CU_ASSERT(report_contains(message, "NOT NULL constraint failed: violation.invariant"));
  CU_ASSERT_EQUAL(rep_recorder_scenario_id(recorder), 0);
  fixture.scenario.id = 2;
  CU_ASSERT(rep_recorder_add(recorder, &fixture.scenario, message, size));
  CU_ASSERT(rep_recorder_finish(recorder, message, size));
  CU_ASSERT(report_equal(report_rows(fixture.path,
                                     "select (select group_concat(id) from scenario), "
                                     "(select count(*) from op), (select count(*) from event)"),
                         "2|4|3;"));
  report_fixture_deinit(&fixture);
}

static void two_recorders_of_one_database_do_not_collide(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  char *message = fixture.message;
  size_t size = sizeof fixture.message;
  struct rep_recorder *one = rep_recorder_open(fixture.path, "one", "1", message, size);
  struct rep_recorder *two = rep_recorder_open(fixture.path, "two", "1", message, size);
  CU_ASSERT_FATAL(one != NULL && two != NULL);
  CU_ASSERT_EQUAL(rep_recorder_run_id(two), 2);
  CU_ASSERT(rep_recorder_add(one, &fixture.scenario, message, size));
  CU_ASSERT_EQUAL(rep_recorder_scenario_id(one), 1);
  CU_ASSERT(rep_recorder_add(two, &fixture.scenario, message, size));
  CU_ASSERT_EQUAL(rep_recorder_scenario_id(two), 2);
  fixture.scenario.id = 2;
  CU_ASSERT(rep_recorder_add(two, &fixture.scenario, message, size));
  CU_ASSERT_EQUAL(rep_recorder_scenario_id(two), 3);
  CU_ASSERT(rep_recorder_add(one, &fixture.scenario, message, size));
  CU_ASSERT_EQUAL(rep_recorder_scenario_id(one), 5);
  CU_ASSERT(rep_recorder_finish(one, message, size));
  CU_ASSERT(rep_recorder_finish(two, message, size));
  CU_ASSERT(report_equal(report_rows(fixture.path, "select run_id, id from scenario order by id"),
                         "1|1;2|2;2|3;1|5;"));
  report_fixture_deinit(&fixture);
}

static void names_of_verdicts_and_kinds_are_those_of_the_format(void) {
  CU_ASSERT_STRING_EQUAL(rep_verdict_name(REP_PASS), "pass");
  CU_ASSERT_STRING_EQUAL(rep_verdict_name(REP_FAIL), "fail");
  CU_ASSERT_STRING_EQUAL(rep_verdict_name(REP_ERROR), "error");
  CU_ASSERT_STRING_EQUAL(rep_verdict_name(REP_CRASH), "crash");
  CU_ASSERT_STRING_EQUAL(rep_verdict_name(REP_HANG), "hang");
  CU_ASSERT_STRING_EQUAL(rep_op_kind_name(REP_OP_ACQUIRE), "acquire");
  CU_ASSERT_STRING_EQUAL(rep_op_kind_name(REP_OP_READ), "read");
  CU_ASSERT_STRING_EQUAL(rep_op_kind_name(REP_OP_WRITE), "write");
  CU_ASSERT_STRING_EQUAL(rep_op_kind_name(REP_OP_PING), "ping");
  CU_ASSERT_STRING_EQUAL(rep_op_kind_name(REP_OP_PIN), "pin");
  CU_ASSERT_STRING_EQUAL(rep_op_kind_name(REP_OP_CLOSE), "close");
}

#define TEST_OF(function) \
  { #function, function }

CU_TestInfo suite_recorder[] = {
    TEST_OF(a_scenario_is_written_column_by_column),
    TEST_OF(a_run_has_its_command_and_its_times),
    TEST_OF(a_finished_database_is_one_file_with_indexes),
    TEST_OF(another_run_is_appended_under_new_ids),
    TEST_OF(a_source_is_kept_once_for_all_its_variants),
    TEST_OF(many_rows_keep_their_order_and_number),
    TEST_OF(a_long_detail_is_not_cut),
    TEST_OF(a_seed_keeps_all_its_digits),
    TEST_OF(a_scenario_that_never_ran_has_no_rows_but_its_own),
    TEST_OF(a_scenario_that_can_not_be_written_leaves_nothing),
    TEST_OF(two_recorders_of_one_database_do_not_collide),
    TEST_OF(names_of_verdicts_and_kinds_are_those_of_the_format),
    CU_TEST_INFO_NULL,
};
