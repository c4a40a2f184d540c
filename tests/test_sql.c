/* test_sql.c - SQL over the rows of one scenario: what it gives, what it may, what it may not. */
#include <stdio.h>
#include <string.h>

#include "tests/report_fixture.h"
#include "tests/suites.h"

static bool query(struct report_fixture *fixture, const char *sql, struct rep_sql_value *value) {
  return rep_sql_query(&fixture->scenario, sql, value, fixture->message, sizeof fixture->message);
}

static bool passes_check(const char *query, char *message, size_t size) {
  struct rep_sql *sql = rep_sql_open();
  bool passes = sql != NULL && rep_sql_check(sql, query, message, size);
  rep_sql_close(sql);
  return passes;
}

/* Whether the query is refused, also by the check that sees no rows, with these words. */
static bool is_refused(struct report_fixture *fixture, const char *sql, const char *words) {
  struct rep_sql_value value;
  char message[1024];
  return !query(fixture, sql, &value) && report_contains(fixture->message, words) &&
         !passes_check(sql, message, sizeof message) && report_equal(message, fixture->message);
}

static void a_query_gives_the_first_column_of_the_first_row(void) {
  struct report_fixture fixture;
  struct rep_sql_value value;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT(query(&fixture, "select count(*) from event where kind = 'conn_evicted'", &value));
  CU_ASSERT_EQUAL(value.kind, REP_SQL_INTEGER);
  CU_ASSERT_EQUAL(value.integer, 1);
  CU_ASSERT(query(&fixture, "select label, 5 from op order by seq desc", &value));
  CU_ASSERT_EQUAL(value.kind, REP_SQL_TEXT);
  CU_ASSERT_STRING_EQUAL(value.text, "closed");
  CU_ASSERT(
      query(&fixture, "select value from metric where name = 'transport_reuse_ratio'", &value));
  CU_ASSERT_EQUAL(value.kind, REP_SQL_REAL);
  CU_ASSERT(value.real == 0.5);
  CU_ASSERT(query(&fixture, "select max(t_ns) from event where kind = 'none'", &value));
  CU_ASSERT_EQUAL(value.kind, REP_SQL_NULL);
  CU_ASSERT(query(&fixture, "select -9223372036854775807 - 1", &value));
  CU_ASSERT_EQUAL(value.integer, INT64_MIN);
  report_fixture_deinit(&fixture);
}

/* Only what a query reads is there: a table must count as read wherever it is named. */
static void a_table_is_there_wherever_it_is_named(void) {
  static const struct {
    const char *sql;
    int64_t value;
  } cases[] = {
      {"select count(*) from event", 3},
      {"select count(*) from EVENT as e", 3},
      {"select count(*) from timeline", 3},
      {"select count(*) from (select 1 from timeline where scenario is not null)", 3},
      {"select count(*) from op", 4},
      {"select (select count(*) from op) + 10 * (select count(*) from metric)", 44},
      {"select count(*) from op where exists (select 1 from violation)", 4},
      {"with e as (select * from expectation) select count(*) from e", 2},
      {"select count(*) from main.violation", 1},
      {"select count(*) from op where label in (select op from event)", 1},
      {"select events from scenario", 3},
  };
  struct report_fixture fixture;
  struct rep_sql_value value;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bool found = query(&fixture, cases[i].sql, &value);
    CU_ASSERT(found && value.integer == cases[i].value);
    if (!found || value.integer != cases[i].value) {
      printf("\n    %s: expected %lld, found %lld %s\n", cases[i].sql, (long long)cases[i].value,
             (long long)value.integer, found ? "" : fixture.message);
    }
  }
  report_fixture_deinit(&fixture);
}

static void every_table_has_the_rows_of_this_scenario(void) {
  struct report_fixture fixture;
  struct rep_sql_value value;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  fixture.scenario.id = 42;
  CU_ASSERT(
      query(&fixture,
            "select (select count(*) from run) || (select id from scenario) || "
            "(select count(*) from op where scenario_id = 42) || (select count(*) from event) "
            "|| (select count(*) from metric) || (select count(*) from expectation) || "
            "(select count(*) from violation) || (select wall_ns from scenario) || "
            "(select count(*) from source)",
            &value));
  CU_ASSERT(report_equal(value.text, "0424342100"));
  CU_ASSERT(query(&fixture,
                  "with recursive n (i) as (select 1 union all select i + 1 from n where i < 10) "
                  "select sum(i) from n; -- and no more\n ;",
                  &value));
  CU_ASSERT_EQUAL(value.integer, 55);
  CU_ASSERT(query(&fixture, "select detail ->> 'reason' from timeline where seq = 2", &value));
  CU_ASSERT_STRING_EQUAL(value.text, "max_age");
  CU_ASSERT(query(&fixture,
                  "select count(*) from event, json_each(event.detail) where json_each.key = 'url'",
                  &value));
  CU_ASSERT_EQUAL(value.integer, 1);
  report_fixture_deinit(&fixture);
}

static void what_writes_or_reaches_out_is_refused(void) {
  struct report_fixture fixture;
  static const char *const statements[] = {"insert into event values (1,1,1,'x',1,'','','')",
                                           "delete from event",
                                           "update op set label = ''",
                                           "create table x (a)",
                                           "drop table event",
                                           "attach 'x.db' as x",
                                           "pragma user_version",
                                           "pragma journal_mode = wal",
                                           "begin",
                                           "analyze"};
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
    CU_ASSERT(is_refused(&fixture, statements[i], "found a statement that is no query"));
  }
  CU_ASSERT(is_refused(&fixture, "vacuum into 'x.db'", "write a select"));
  CU_ASSERT(is_refused(&fixture, "select random()", "found the function random"));
  CU_ASSERT(is_refused(&fixture, "select RandomBlob(3)", "found the function randomblob"));
  CU_ASSERT(is_refused(&fixture, "select load_extension('x')", "the function load_extension"));
  CU_ASSERT(is_refused(&fixture, "select datetime('now')", "found the function datetime"));
  CU_ASSERT(is_refused(&fixture, "select current_timestamp", "the function current_timestamp"));
  CU_ASSERT(is_refused(&fixture, "select sql from sqlite_schema", "the table sqlite_master"));
  CU_ASSERT(
      is_refused(&fixture, "select * from pragma_database_list", "a statement that is no query"));
  report_fixture_deinit(&fixture);
}

static void what_is_no_single_query_is_refused(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT(is_refused(&fixture, "select 1; select 2", "one statement was expected"));
  CU_ASSERT(is_refused(&fixture, "select 1; nonsense", "one statement was expected"));
  CU_ASSERT(is_refused(&fixture, "", "the SQL is empty"));
  CU_ASSERT(is_refused(&fixture, " -- nothing", "the SQL is empty"));
  CU_ASSERT(is_refused(&fixture, "select ?1", "the SQL has a parameter (?1)"));
  CU_ASSERT(is_refused(&fixture, "select ?", "the SQL has a parameter (?)"));
  CU_ASSERT(is_refused(&fixture, "select count(*) form event", "syntax error"));
  CU_ASSERT(is_refused(&fixture, "select nope from event", "no such column: nope"));
  CU_ASSERT(is_refused(&fixture, "select 1 from events", "no such table: events"));
  CU_ASSERT(is_refused(&fixture, "explain select 1", "write a select"));
  report_fixture_deinit(&fixture);
}

static void what_only_rows_can_show_passes_the_check(void) {
  struct report_fixture fixture;
  struct rep_sql_value value;
  char message[1024];
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT(passes_check("select op from event where seq = 99", message, sizeof message));
  CU_ASSERT_FALSE(query(&fixture, "select op from event where seq = 99", &value));
  CU_ASSERT(report_contains(fixture.message, "the SQL gives no row"));
  CU_ASSERT_FALSE(query(&fixture, "select x'00'", &value));
  CU_ASSERT(report_contains(fixture.message, "a blob, which compares with nothing: use hex()"));
  CU_ASSERT_FALSE(query(&fixture, "select json('{') from event", &value));
  CU_ASSERT(report_contains(fixture.message, "malformed JSON"));
  CU_ASSERT_FALSE(
      query(&fixture, "select replace(hex(zeroblob(1000000)), '0', 'xxxxxxxxxxxxxxxx')", &value));
  CU_ASSERT(report_contains(fixture.message, "too big"));
  report_fixture_deinit(&fixture);
}

static void a_text_is_given_whole_or_refused(void) {
  struct report_fixture fixture;
  struct rep_sql_value value;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT(query(&fixture, "select printf('%.511c', 'x')", &value));
  CU_ASSERT_EQUAL(strlen(value.text), 511);
  CU_ASSERT_FALSE(query(&fixture, "select printf('%.512c', 'x')", &value));
  CU_ASSERT(report_contains(fixture.message, "a text of 512 bytes, and at most 511"));
  report_fixture_deinit(&fixture);
}

static void a_query_that_does_not_end_is_stopped(void) {
  struct report_fixture fixture;
  struct rep_sql_value value;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  struct rep_sql *sql = rep_sql_open();
  CU_ASSERT_FATAL(sql != NULL);
  rep_sql_limit(sql, 20000);
  static const char endless[] =
      "with recursive n (i) as (select 1 union all select i + 1 from n) select max(i) from n";
  CU_ASSERT_FALSE(rep_sql_run(sql, endless, &value, fixture.message, sizeof fixture.message));
  CU_ASSERT(report_contains(fixture.message, "the SQL was stopped after 20000 steps"));
  CU_ASSERT(rep_sql_run(sql, "select 1", &value, fixture.message, sizeof fixture.message));
  /* Each query has the whole allowance. */
  static const char long_query[] =
      "with recursive n (i) as (select 1 union all select i + 1 from n where i < 900) "
      "select max(i) from n";
  for (int i = 0; i < 5; i++) {
    CU_ASSERT(rep_sql_run(sql, long_query, &value, fixture.message, sizeof fixture.message));
  }
  rep_sql_close(sql);
  report_fixture_deinit(&fixture);
}

static int64_t count(struct rep_sql *sql, struct report_fixture *fixture, const char *query_text) {
  struct rep_sql_value value;
  bool found = rep_sql_run(sql, query_text, &value, fixture->message, sizeof fixture->message);
  return found ? value.integer : -1;
}

static void rows_follow_a_run_that_goes_on(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  char *message = fixture.message;
  size_t size = sizeof fixture.message;
  struct rep_sql *sql = rep_sql_open();
  CU_ASSERT_FATAL(sql != NULL);
  CU_ASSERT(rep_sql_load(sql, &fixture.scenario, message, size));
  CU_ASSERT_EQUAL(count(sql, &fixture, "select count(*) from event"), 3);
  report_fixture_events(&fixture, 100);
  fixture.scenario.op_count = 2;
  CU_ASSERT(rep_sql_load(sql, &fixture.scenario, message, size));
  CU_ASSERT(rep_sql_load(sql, &fixture.scenario, message, size));
  CU_ASSERT_EQUAL(count(sql, &fixture, "select count(*) from event"), 103);
  CU_ASSERT_EQUAL(count(sql, &fixture, "select count(distinct seq) from event"), 103);
  CU_ASSERT_EQUAL(count(sql, &fixture, "select max(seq) from event"), 103);
  CU_ASSERT_EQUAL(count(sql, &fixture, "select count(*) from op"), 2);
  CU_ASSERT_EQUAL(count(sql, &fixture, "select count(*) from scenario"), 1);
  CU_ASSERT_EQUAL(count(sql, &fixture, "select events from scenario"), 103);
  CU_ASSERT(rep_sql_reset(sql, message, size));
  CU_ASSERT_EQUAL(count(sql, &fixture, "select count(*) from event"), 0);
  sim_trace_reset(fixture.trace);
  report_fixture_events(&fixture, 2);
  CU_ASSERT(rep_sql_load(sql, &fixture.scenario, message, size));
  CU_ASSERT_EQUAL(count(sql, &fixture, "select count(*) from event"), 2);
  rep_sql_close(sql);
  report_fixture_deinit(&fixture);
}

#define TEST_OF(function) \
  { #function, function }

CU_TestInfo suite_sql[] = {
    TEST_OF(a_query_gives_the_first_column_of_the_first_row),
    TEST_OF(a_table_is_there_wherever_it_is_named),
    TEST_OF(every_table_has_the_rows_of_this_scenario),
    TEST_OF(what_writes_or_reaches_out_is_refused),
    TEST_OF(what_is_no_single_query_is_refused),
    TEST_OF(what_only_rows_can_show_passes_the_check),
    TEST_OF(a_text_is_given_whole_or_refused),
    TEST_OF(a_query_that_does_not_end_is_stopped),
    TEST_OF(rows_follow_a_run_that_goes_on),
    CU_TEST_INFO_NULL,
};
