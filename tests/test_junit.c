/* test_junit.c - the JUnit file, byte by byte, and what XML makes of odd texts. */
#define _POSIX_C_SOURCE 200809L
#include "reports/junit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/report_fixture.h"
#include "tests/suites.h"

/* What writing these scenarios gives; on the heap. */
static char *written(struct report_fixture *fixture, const struct rep_scenario *scenarios,
                     size_t count) {
  char path[REPORT_PATH_SIZE + 16];
  snprintf(path, sizeof path, "%s.xml", fixture->path);
  struct rep_junit *junit = rep_junit_create();
  for (size_t i = 0; i < count; i++) {
    CU_ASSERT(rep_junit_add(junit, &scenarios[i],
                            scenarios[i].verdict == REP_PASS ? NULL : "poolproof replay 'x' 1"));
  }
  CU_ASSERT(rep_junit_write(junit, path, fixture->message, sizeof fixture->message));
  rep_junit_destroy(junit);
  return report_read_file(path);
}

static const char grouped[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<testsuites name=\"poolproof\" tests=\"4\" failures=\"1\" errors=\"2\" time=\"2.000003\">\n"
    "  <testsuite name=\".\" tests=\"1\" failures=\"0\" errors=\"1\" time=\"0.000000\">\n"
    "    <properties>\n"
    "      <property name=\"top path\" value=\"top.json\"/>\n"
    "      <property name=\"top seed\" value=\"0\"/>\n"
    "      <property name=\"top timeline_sha256\" value=\"\"/>\n"
    "      <property name=\"top virtual_ns\" value=\"0\"/>\n"
    "    </properties>\n"
    "    <testcase name=\"top\" classname=\".\" time=\"0.000000\">\n"
    "      <error message=\"no reason was given\" type=\"crash\">no reason was given\n\n"
    "replay: poolproof replay 'x' 1</error>\n"
    "    </testcase>\n"
    "  </testsuite>\n"
    "  <testsuite name=\"s/a\" tests=\"2\" failures=\"1\" errors=\"1\" time=\"2.000002\">\n"
    "    <properties>\n"
    "      <property name=\"wait [seed=7] path\" value=\"s/a/wait.json\"/>\n"
    "      <property name=\"wait [seed=7] seed\" value=\"7\"/>\n"
    "      <property name=\"wait [seed=7] timeline_sha256\" value=\"0123abcd\"/>\n"
    "      <property name=\"wait [seed=7] virtual_ns\" value=\"7000000\"/>\n"
    "      <property name=\"stuck path\" value=\"s/a/stuck.json\"/>\n"
    "      <property name=\"stuck seed\" value=\"18446744073709551615\"/>\n"
    "      <property name=\"stuck timeline_sha256\" value=\"\"/>\n"
    "      <property name=\"stuck virtual_ns\" value=\"0\"/>\n"
    "    </properties>\n"
    "    <testcase name=\"wait [seed=7]\" classname=\"s/a\" time=\"2.000001\">\n"
    "      <failure message=\"expected &quot;ok&quot; &amp; found &lt;x&gt;\" type=\"fail\">"
    "expected &quot;ok&quot; &amp; found &lt;x&gt;\n  at 5ms\n\n"
    "replay: poolproof replay 'x' 1</failure>\n"
    "    </testcase>\n"
    "    <testcase name=\"stuck\" classname=\"s/a\" time=\"0.000000\">\n"
    "      <error message=\"b is pending\" type=\"hang\">b is pending\n\n"
    "replay: poolproof replay 'x' 1</error>\n"
    "    </testcase>\n"
    "  </testsuite>\n"
    "  <testsuite name=\"s/b\" tests=\"1\" failures=\"0\" errors=\"0\" time=\"0.000001\">\n"
    "    <properties>\n"
    "      <property name=\"late path\" value=\"s/b/late.json\"/>\n"
    "      <property name=\"late seed\" value=\"0\"/>\n"
    "      <property name=\"late timeline_sha256\" value=\"\"/>\n"
    "      <property name=\"late virtual_ns\" value=\"0\"/>\n"
    "    </properties>\n"
    "    <testcase name=\"late\" classname=\"s/b\" time=\"0.000001\"/>\n"
    "  </testsuite>\n"
    "</testsuites>\n";

static void cases_are_grouped_by_folder_and_ordered_by_id(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  const struct rep_scenario scenarios[] = {
      {.id = 4, .name = "late", .path = "s/b/late.json", .variant = "", .wall_ns = 1500},
      {.id = 3,
       .name = "stuck",
       .path = "s/a/stuck.json",
       .seed = UINT64_MAX,
       .verdict = REP_HANG,
       .failure = "b is pending",
       .wall_ns = 999},
      {.id = 1,
       .name = "wait",
       .path = "s/a/wait.json",
       .variant = "seed=7",
       .seed = 7,
       .verdict = REP_FAIL,
       .failure = "expected \"ok\" & found <x>\n  at 5ms",
       .virtual_ns = 7000000,
       .wall_ns = 2000001500,
       .timeline_sha256 = "0123abcd"},
      {.id = 2, .name = "top", .path = "top.json", .verdict = REP_CRASH},
  };
  char *text = written(&fixture, scenarios, 4);
  CU_ASSERT(report_equal(text, grouped));
  free(text);
  report_fixture_deinit(&fixture);
}

static void no_case_gives_an_empty_document(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  char *text = written(&fixture, NULL, 0);
  CU_ASSERT(report_equal(text,
                         "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                         "<testsuites name=\"poolproof\" tests=\"0\" failures=\"0\" errors=\"0\" "
                         "time=\"0.000000\">\n</testsuites>\n"));
  free(text);
  report_fixture_deinit(&fixture);
}

/* The failure element that a failure's text gives. */
static bool gives(struct report_fixture *fixture, const char *failure, const char *element) {
  const struct rep_scenario scenario = {
      .id = 1, .name = "x", .path = "x.json", .verdict = REP_FAIL, .failure = failure};
  char *text = written(fixture, &scenario, 1);
  bool found = text != NULL && report_contains(text, element);
  free(text);
  return found;
}

static void what_xml_forbids_is_replaced(void) {
  struct report_fixture fixture;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  CU_ASSERT(gives(&fixture, "\x1b[1m\x01\t|\r|", "message=\"\u241b[1m\u2401&#9;|&#13;|\""));
  CU_ASSERT(gives(&fixture, "\x1b[1m\x01\t|\r|", ">\u241b[1m\u2401\t|&#13;|\n"));
  /* Whole sequences of each length stay. */
  CU_ASSERT(
      gives(&fixture, "\u00b5\u20ac\U0001f600\ufffd\x7f", "\"\u00b5\u20ac\U0001f600\ufffd\x7f\""));
  /* A lone byte, a cut sequence, an overlong one, a surrogate, U+FFFE, beyond U+10FFFF. */
  CU_ASSERT(gives(&fixture, "\x80|", "\"\ufffd|\""));
  CU_ASSERT(gives(&fixture, "\xe2\x82|", "\"\ufffd\ufffd|\""));
  CU_ASSERT(gives(&fixture, "\xe2", "\"\ufffd\""));
  CU_ASSERT(gives(&fixture, "\xc0\xaf|", "\"\ufffd\ufffd|\""));
  CU_ASSERT(gives(&fixture, "\xe0\x80\xaf|", "\"\ufffd\ufffd\ufffd|\""));
  CU_ASSERT(gives(&fixture, "\xed\xa0\x80|", "\"\ufffd\ufffd\ufffd|\""));
  CU_ASSERT(gives(&fixture, "\xef\xbf\xbe|", "\"\ufffd\ufffd\ufffd|\""));
  CU_ASSERT(gives(&fixture, "\xf4\x90\x80\x80|", "\"\ufffd\ufffd\ufffd\ufffd|\""));
  CU_ASSERT(gives(&fixture, "\xff|", "\"\ufffd|\""));
  report_fixture_deinit(&fixture);
}

static void a_file_is_replaced_whole_or_not_at_all(void) {
  struct report_fixture fixture;
  char path[REPORT_PATH_SIZE + 16];
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  struct rep_junit *junit = rep_junit_create();
  CU_ASSERT(report_write_file(fixture.path, "old"));
  CU_ASSERT(rep_junit_write(junit, fixture.path, fixture.message, sizeof fixture.message));
  char *text = report_read_file(fixture.path);
  CU_ASSERT(report_contains(text, "</testsuites>\n"));
  free(text);

  snprintf(path, sizeof path, "%.200s/none/x.xml", fixture.folder);
  CU_ASSERT_FALSE(rep_junit_write(junit, path, fixture.message, sizeof fixture.message));
  CU_ASSERT(report_contains(fixture.message, "none/x.xml': No such file or directory"));
  CU_ASSERT(report_contains(fixture.message, "name another file with --junit"));
  CU_ASSERT_FALSE(rep_junit_write(junit, fixture.folder, fixture.message, sizeof fixture.message));
  CU_ASSERT(report_contains(fixture.message, "Is a directory"));
  rep_junit_destroy(junit);

  /* Nothing but the file is left: no temporary one. */
  CU_ASSERT_EQUAL(unlink(fixture.path), 0);
  CU_ASSERT_EQUAL(rmdir(fixture.folder), 0);
  report_fixture_deinit(&fixture);
}

static int write_over_the_limit(const struct rep_junit *junit, struct report_fixture *fixture) {
  const struct rlimit limit = {.rlim_cur = 10, .rlim_max = 10};
  if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &limit) != 0) {
    return 1;
  }
  if (rep_junit_write(junit, fixture->path, fixture->message, sizeof fixture->message)) {
    return 2;
  }
  return strstr(fixture->message, "File too large") == NULL ? 3 : 0;
}

static void a_write_that_fails_leaves_the_old_file(void) {
  struct report_fixture fixture;
  int status;
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  struct rep_junit *junit = rep_junit_create();
  CU_ASSERT(report_write_file(fixture.path, "old"));
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    _exit(write_over_the_limit(junit, &fixture));
  }
  CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
  CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  char *text = report_read_file(fixture.path);
  CU_ASSERT(report_equal(text, "old"));
  free(text);
  CU_ASSERT_EQUAL(unlink(fixture.path), 0);
  CU_ASSERT_EQUAL(rmdir(fixture.folder), 0); /* no temporary file is in it */
  rep_junit_destroy(junit);
  report_fixture_deinit(&fixture);
}

static void a_device_is_written_and_not_replaced(void) {
  struct report_fixture fixture;
  struct stat status;
  char target[REPORT_PATH_SIZE + 16];
  CU_ASSERT_FATAL(report_fixture_init(&fixture));
  struct rep_junit *junit = rep_junit_create();
  CU_ASSERT(rep_junit_write(junit, "/dev/null", fixture.message, sizeof fixture.message));
  CU_ASSERT(stat("/dev/null", &status) == 0 && S_ISCHR(status.st_mode));
  CU_ASSERT_FALSE(rep_junit_write(junit, "/dev/full", fixture.message, sizeof fixture.message));
  CU_ASSERT(report_contains(fixture.message, "'/dev/full': No space left on device"));
  snprintf(target, sizeof target, "%.200s/target.xml", fixture.folder);
  CU_ASSERT(report_write_file(target, ""));
  CU_ASSERT_EQUAL(symlink("target.xml", fixture.path), 0);
  CU_ASSERT(rep_junit_write(junit, fixture.path, fixture.message, sizeof fixture.message));
  CU_ASSERT(lstat(fixture.path, &status) == 0 && S_ISLNK(status.st_mode));
  CU_ASSERT(stat(target, &status) == 0 && status.st_size > 0);
  rep_junit_destroy(junit);
  report_fixture_deinit(&fixture);
}

#define TEST_OF(function) \
  { #function, function }

CU_TestInfo suite_junit[] = {
    TEST_OF(cases_are_grouped_by_folder_and_ordered_by_id),
    TEST_OF(no_case_gives_an_empty_document),
    TEST_OF(what_xml_forbids_is_replaced),
    TEST_OF(a_file_is_replaced_whole_or_not_at_all),
    TEST_OF(a_write_that_fails_leaves_the_old_file),
    TEST_OF(a_device_is_written_and_not_replaced),
    CU_TEST_INFO_NULL,
};
