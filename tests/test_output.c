/* test_output.c - the progress of long work: lines in a log, one line that is written over on a
 * terminal. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <unistd.h>

#include "scenarios/engine/cli_output.h"
#include "tests/report_fixture.h"
#include "tests/suites.h"

/* What goes to stderr when the run comes to `finished` of 9 and a progress line is due, and then at
 * once to one more. */
static const char *shown(bool is_terminal, bool quiet, size_t finished) {
  static char text[256];
  struct scn_output output;
  const struct scn_plan plan = {0};
  scn_output_init(&output, "poolproof", quiet, &plan);
  output.total = 9;
  output.counts[REP_FAIL] = 1;
  output.progress = is_terminal;
  output.next_progress_ns = 0;
  FILE *file = tmpfile();
  int kept = dup(STDERR_FILENO);
  CU_ASSERT_FATAL(file != NULL && kept >= 0);
  fflush(stderr);
  CU_ASSERT_FATAL(dup2(fileno(file), STDERR_FILENO) >= 0);
  scn_output_progress(&output, finished);
  scn_output_progress(&output, finished + 1); /* too soon */
  fflush(stderr);
  CU_ASSERT_FATAL(dup2(kept, STDERR_FILENO) >= 0);
  close(kept);
  rewind(file);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return text;
}

static void a_log_gets_plain_lines_now_and_then(void) {
  CU_ASSERT(report_equal(shown(false, false, 4), "4 of 9 scenarios, 1 did not pass, 0 s\n"));
}

static void a_terminal_gets_a_line_that_is_written_over(void) {
  CU_ASSERT(report_equal(shown(true, false, 4), "\r\033[K4 of 9 scenarios, 1 did not pass, 0 s"));
}

static void quiet_silences_a_log_alone(void) {
  CU_ASSERT(report_equal(shown(false, true, 4), ""));
  CU_ASSERT(report_equal(shown(true, true, 4), "\r\033[K4 of 9 scenarios, 1 did not pass, 0 s"));
}

CU_TestInfo suite_output[] = {
    {"a log gets plain lines now and then", a_log_gets_plain_lines_now_and_then},
    {"a terminal gets a line that is written over", a_terminal_gets_a_line_that_is_written_over},
    {"--quiet silences a log alone", quiet_silences_a_log_alone},
    CU_TEST_INFO_NULL,
};
