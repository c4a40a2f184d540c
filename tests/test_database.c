/* test_database.c - files that are no database of ours, and databases in trouble. */
#define _POSIX_C_SOURCE 200809L
#include "reports/database.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/report_fixture.h"
#include "tests/suites.h"

static bool execute(const char *path, const char *sql) {
  sqlite3 *database;
  bool done = sqlite3_open(path, &database) == SQLITE_OK &&
              sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK;
  sqlite3_close(database);
  return done;
}

/* Whether recording into `path` is refused with a message that has both parts. */
static bool is_refused(struct report_fixture *fixture, const char *path, const char *found,
                       const char *advice) {
  struct rep_recorder *recorder =
      rep_recorder_open_within(path, 0, "x", "1", fixture->message, sizeof fixture->message);
  if (recorder != NULL) {
    rep_recorder_finish(recorder, fixture->message, sizeof fixture->message);
    return false;
  }
  return report_contains(fixture->message, path) && report_contains(fixture->message, found) &&
         report_contains(fixture->message, advice);
}

static void a_foreign_database_is_refused_and_left_alone(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT(execute(fixture.path, "create table event (a); insert into event values (1)"));
  CU_ASSERT(is_refused(&fixture, fixture.path, "found one of something else",
                       "name another file with --db"));
  CU_ASSERT(report_equal(report_rows(fixture.path, "select name, sql from sqlite_schema"),
                         "event|CREATE TABLE event (a);"));
  report_fixture_deinit(&fixture);
}

static void another_schema_version_is_refused_and_left_alone(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT(report_fixture_record(&fixture));
  CU_ASSERT(execute(fixture.path, "pragma user_version = 7"));
  CU_ASSERT(is_refused(&fixture, fixture.path, "schema version 4 was expected, found version 7",
                       "use the poolproof that made this one"));
  CU_ASSERT(report_equal(report_rows(fixture.path, "select count(*) from run"), "1;"));
  report_fixture_deinit(&fixture);
}

static void a_text_file_is_refused_and_left_alone(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT(report_write_file(fixture.path, "hello\n"));
  CU_ASSERT(is_refused(&fixture, fixture.path, "no SQLite database", "move this one away"));
  char *text = report_read_file(fixture.path);
  CU_ASSERT(report_equal(text, "hello\n"));
  free(text);
  report_fixture_deinit(&fixture);
}

static void an_empty_file_becomes_a_database(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT(report_write_file(fixture.path, ""));
  CU_ASSERT(report_fixture_record(&fixture));
  CU_ASSERT(report_equal(report_rows(fixture.path, "select count(*) from scenario"), "1;"));
  report_fixture_deinit(&fixture);
}

static void paths_that_can_not_be_a_database_are_told_apart(void) {
  struct report_fixture fixture;
  char path[REPORT_PATH_SIZE + 16];
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT(is_refused(&fixture, fixture.folder, "found a folder", "--db"));
  CU_ASSERT(is_refused(&fixture, "/dev/null", "found a device, pipe or socket", "--db"));
  CU_ASSERT(is_refused(&fixture, "", "found an empty one", "a file name was expected"));
  snprintf(path, sizeof path, "%.200s/none/run.db", fixture.folder);
  CU_ASSERT(is_refused(&fixture, path, "its folder", "does not exist; make it"));
  CU_ASSERT(is_refused(&fixture, "/proc/run.db", "it can not be opened", "--db"));
  CU_ASSERT(report_write_file(fixture.path, "hello\n"));
  snprintf(path, sizeof path, "%.200s/run.db/run.db", fixture.folder);
  CU_ASSERT(is_refused(&fixture, path, "Not a directory", "see to the folders on its path"));
  report_fixture_deinit(&fixture);
}

static void names_that_mean_something_to_sqlite_are_plain_files(void) {
  struct report_fixture fixture;
  char folder[REPORT_PATH_SIZE];
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT_FATAL(getcwd(folder, sizeof folder) != NULL && chdir(fixture.folder) == 0);
  strcpy(fixture.path, ":memory:");
  CU_ASSERT(report_fixture_record(&fixture));
  CU_ASSERT(report_file_exists("./:memory:"));
  strcpy(fixture.path, "file:x?mode=memory");
  CU_ASSERT(report_fixture_record(&fixture));
  CU_ASSERT(report_file_exists("./file:x?mode=memory"));
  CU_ASSERT_FATAL(chdir(folder) == 0);
  report_fixture_deinit(&fixture);
}

static void a_locked_database_is_refused_until_it_is_free(void) {
  struct report_fixture fixture;
  sqlite3 *other;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT(report_fixture_record(&fixture));
  CU_ASSERT_FATAL(sqlite3_open(fixture.path, &other) == SQLITE_OK);
  CU_ASSERT_EQUAL(sqlite3_exec(other, "begin exclusive", NULL, NULL, NULL), SQLITE_OK);
  CU_ASSERT(is_refused(&fixture, fixture.path, "another process holds it",
                       "wait until that has finished"));
  CU_ASSERT_EQUAL(sqlite3_exec(other, "rollback", NULL, NULL, NULL), SQLITE_OK);
  CU_ASSERT(report_fixture_record(&fixture));
  sqlite3_close(other);
  report_fixture_deinit(&fixture);
}

static void a_lock_in_mid_run_costs_one_scenario_only(void) {
  struct report_fixture fixture;
  sqlite3 *other;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  char *message = fixture.message;
  size_t size = sizeof fixture.message;
  struct rep_recorder *recorder =
      rep_recorder_open_within(fixture.path, 0, "x", "1", message, size);
  CU_ASSERT_FATAL(recorder != NULL);
  CU_ASSERT_FATAL(sqlite3_open(fixture.path, &other) == SQLITE_OK);
  CU_ASSERT_EQUAL(sqlite3_exec(other, "begin immediate", NULL, NULL, NULL), SQLITE_OK);
  CU_ASSERT_FALSE(rep_recorder_add(recorder, &fixture.scenario, message, size));
  CU_ASSERT(report_contains(message, "cannot write scenario 'two-wait' into"));
  CU_ASSERT(report_contains(message, "another process holds it"));
  CU_ASSERT_EQUAL(sqlite3_exec(other, "rollback", NULL, NULL, NULL), SQLITE_OK);
  CU_ASSERT(rep_recorder_add(recorder, &fixture.scenario, message, size));
  CU_ASSERT(rep_recorder_finish(recorder, message, size));
  sqlite3_close(other);
  CU_ASSERT(report_equal(report_rows(fixture.path, "select id from scenario"), "1;"));
  report_fixture_deinit(&fixture);
}

static void reading_asks_for_a_database_that_is_there(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  char *message = fixture.message;
  size_t size = sizeof fixture.message;
  CU_ASSERT_PTR_NULL(rep_database_open(fixture.path, REP_READ, 0, message, size));
  CU_ASSERT(report_contains(message, "there is no such file; 'poolproof run --db' makes one"));
  CU_ASSERT_FALSE(report_file_exists(fixture.path));
  CU_ASSERT(report_fixture_record(&fixture));
  sqlite3 *database = rep_database_open(fixture.path, REP_READ, 0, message, size);
  CU_ASSERT_FATAL(database != NULL);
  CU_ASSERT_EQUAL(sqlite3_exec(database, "delete from run", NULL, NULL, NULL), SQLITE_READONLY);
  sqlite3_close(database);
  report_fixture_deinit(&fixture);
}

/* Runs `work` in a child; its exit status, or minus the signal that ended it. */
static int in_child(int (*work)(struct report_fixture *fixture), struct report_fixture *fixture) {
  int status;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    _exit(work(fixture));
  }
  if (child < 0 || waitpid(child, &status, 0) != child) {
    return -1000;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* 0 when the second scenario, too large for the limit, was refused as it should be. */
static int fill_the_disk(struct report_fixture *fixture) {
  char *message = fixture->message;
  size_t size = sizeof fixture->message;
  struct rep_recorder *recorder = rep_recorder_open(fixture->path, "x", "1", message, size);
  if (recorder == NULL || !rep_recorder_add(recorder, &fixture->scenario, message, size)) {
    return 1;
  }
  struct stat status;
  struct rlimit limit;
  if (stat(fixture->path, &status) != 0 || getrlimit(RLIMIT_FSIZE, &limit) != 0) {
    return 2;
  }
  limit.rlim_cur = (rlim_t)status.st_size + 65536;
  if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &limit) != 0) {
    return 3;
  }
  fixture->scenario.id = 2;
  report_fixture_events(fixture, 10000);
  if (rep_recorder_add(recorder, &fixture->scenario, message, size)) {
    return 4;
  }
  if (!report_contains(message, "cannot write scenario 'two-wait' into the database") ||
      !report_contains(message, "the disk") || !report_contains(message, "--db")) {
    return 5;
  }
  sim_trace_reset(fixture->trace);
  fixture->scenario.id = 3;
  if (!rep_recorder_add(recorder, &fixture->scenario, message, size)) {
    return 6;
  }
  return rep_recorder_finish(recorder, message, size) ? 0 : 7;
}

static void a_full_disk_keeps_what_was_there(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT_EQUAL(in_child(fill_the_disk, &fixture), 0);
  CU_ASSERT(report_equal(report_rows(fixture.path, "select id, events from scenario"), "1|3;3|0;"));
  CU_ASSERT(report_equal(report_rows(fixture.path, "pragma integrity_check"), "ok;"));
  report_fixture_deinit(&fixture);
}

/* The third commit of a connection (tables, run, first scenario) is its last but this one. */
static int die_at_fourth_commit(void *context) {
  int *commits = context;
  if (++*commits == 4) {
    raise(SIGKILL);
  }
  return 0;
}

static int watch_commits(sqlite3 *database, char **message, const void *routines) {
  static int commits;
  (void)message;
  (void)routines;
  sqlite3_commit_hook(database, die_at_fourth_commit, &commits);
  return SQLITE_OK;
}

static int die_in_mid_scenario(struct report_fixture *fixture) {
  char *message = fixture->message;
  size_t size = sizeof fixture->message;
  /* SQLite declares extensions as functions without parameters and calls them with three. */
  sqlite3_auto_extension((void (*)(void))watch_commits);
  struct rep_recorder *recorder = rep_recorder_open(fixture->path, "x", "1", message, size);
  if (recorder == NULL || !rep_recorder_add(recorder, &fixture->scenario, message, size)) {
    return 1;
  }
  fixture->scenario.id = 2;
  report_fixture_events(fixture, 400000); /* more than SQLite keeps in memory: pages are written */
  rep_recorder_add(recorder, &fixture->scenario, message, size);
  return 2;
}

static void a_kill_leaves_the_scenarios_before_it(void) {
  struct report_fixture fixture;
  struct stat status;
  char journal[REPORT_PATH_SIZE + 16];
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT_EQUAL(in_child(die_in_mid_scenario, &fixture), -SIGKILL);
  snprintf(journal, sizeof journal, "%s-journal", fixture.path);
  CU_ASSERT(stat(journal, &status) == 0 && status.st_size > 0);
  CU_ASSERT(stat(fixture.path, &status) == 0 && status.st_size > 1000000);
  CU_ASSERT(report_equal(report_rows(fixture.path, "select id, events from scenario"), "1|3;"));
  CU_ASSERT(report_equal(report_rows(fixture.path, "select count(*) from event"), "3;"));
  CU_ASSERT(report_equal(report_rows(fixture.path, "select finished_at from run"), "NULL;"));
  CU_ASSERT(report_equal(report_rows(fixture.path, "pragma integrity_check"), "ok;"));
  CU_ASSERT(report_fixture_record(&fixture));
  CU_ASSERT(report_equal(report_rows(fixture.path, "select id, run_id from scenario"), "1|1;2|2;"));
  report_fixture_deinit(&fixture);
}

#define TEST_OF(function) \
  { #function, function }

CU_TestInfo suite_database[] = {
    TEST_OF(a_foreign_database_is_refused_and_left_alone),
    TEST_OF(another_schema_version_is_refused_and_left_alone),
    TEST_OF(a_text_file_is_refused_and_left_alone),
    TEST_OF(an_empty_file_becomes_a_database),
    TEST_OF(paths_that_can_not_be_a_database_are_told_apart),
    TEST_OF(names_that_mean_something_to_sqlite_are_plain_files),
    TEST_OF(a_locked_database_is_refused_until_it_is_free),
    TEST_OF(a_lock_in_mid_run_costs_one_scenario_only),
    TEST_OF(reading_asks_for_a_database_that_is_there),
    TEST_OF(a_full_disk_keeps_what_was_there),
    TEST_OF(a_kill_leaves_the_scenarios_before_it),
    CU_TEST_INFO_NULL,
};
