/*
 * cli_output.c - what `run` prints.
 */
#define _POSIX_C_SOURCE 200809L
#include "scenarios/engine/cli_output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/coverage.h"
#include "reports/shell.h"
#include "scenarios/engine/cli_pool.h"
#include "scenarios/engine/cli_reason.h"
#include "scenarios/engine/worker.h"
#include "sim/duration.h"

enum { WIDEST_NAME = 60, NAME_SIZE = 512 };

/* Often enough to look alive; the first time only when a run takes that long at all. */
#define PROGRESS_NS (WSP_SECOND / 4)
/* Where lines stay: seldom, so that a log shows that it goes on and little else. */
#define PROGRESS_LINE_NS (30 * WSP_SECOND)

#define RED "\033[31m"
#define GREEN "\033[32m"
#define PLAIN "\033[0m"
#define CLEAR_LINE "\r\033[K"

static void full_name(const char *name, const char *variant, char *buffer, size_t size) {
  bool has_variant = variant != NULL && variant[0] != '\0';
  snprintf(buffer, size, "%s%s%s%s", name, has_variant ? " [" : "", has_variant ? variant : "",
           has_variant ? "]" : "");
}

static bool wants_color(void) {
  const char *no_color = getenv("NO_COLOR");
  return (no_color == NULL || no_color[0] == '\0') && isatty(STDOUT_FILENO) == 1;
}

void scn_output_init(struct scn_output *output, const char *program, bool quiet,
                     const struct scn_plan *plan) {
  *output = (struct scn_output){
      .program = program,
      .quiet = quiet,
      .color = wants_color(),
      .progress = isatty(STDERR_FILENO) == 1,
      .total = plan->item_count,
      .started_ns = scn_wall_clock_ns(),
  };
  output->next_progress_ns =
      output->started_ns + (output->progress ? PROGRESS_NS : PROGRESS_LINE_NS);
  for (size_t i = 0; i < plan->item_count; i++) {
    char name[NAME_SIZE];
    full_name(plan->items[i].scenario->name, plan->items[i].variant->name, name, sizeof name);
    int width = (int)strlen(name);
    output->name_width = width > output->name_width ? width : output->name_width;
  }
  if (output->name_width > WIDEST_NAME) {
    output->name_width = WIDEST_NAME;
  }
}

static void clear_progress(struct scn_output *output) {
  if (output->progress_shown) {
    fputs(CLEAR_LINE, stderr);
    output->progress_shown = false;
  }
}

static size_t count_failed(const struct scn_output *output) {
  size_t failed = 0;
  for (size_t verdict = REP_FAIL; verdict <= REP_HANG; verdict++) {
    failed += output->counts[verdict];
  }
  return failed;
}

void scn_output_progress(struct scn_output *output, size_t finished) {
  int64_t now = scn_wall_clock_ns();
  if (now < output->next_progress_ns || (output->quiet && !output->progress)) {
    return;
  }
  output->next_progress_ns = now + (output->progress ? PROGRESS_NS : PROGRESS_LINE_NS);
  fprintf(stderr, "%s%zu of %zu scenarios, %zu did not pass, %" PRId64 " s%s",
          output->progress ? CLEAR_LINE : "", finished, output->total, count_failed(output),
          (now - output->started_ns) / WSP_SECOND, output->progress ? "" : "\n");
  fflush(stderr);
  output->progress_shown = output->progress;
}

void scn_output_replay(const char *program, const struct rep_scenario *result, char *buffer,
                       size_t size) {
  char quoted_program[1024];
  char quoted_path[2048];
  rep_shell_word(program, quoted_program, sizeof quoted_program);
  rep_shell_word(result->path, quoted_path, sizeof quoted_path);
  snprintf(buffer, size, "%s run --no-db%s%s --seed %" PRIu64 " %s", quoted_program,
           strcmp(result->mode, "live") == 0 ? " --live" : "", scn_pool_option(), result->seed,
           quoted_path);
}

/* How to see the timeline of what was recorded last. */
static void print_replay(const struct scn_output *output) {
  char replay[4096];
  rep_shell_replay(output->program, output->database, output->recorded_id, replay, sizeof replay);
  printf("  to see its timeline: %s%s\n", replay, scn_pool_option());
}

static const char *verdict_word(enum rep_verdict verdict) {
  static const char *const words[] = {[REP_PASS] = "PASS",
                                      [REP_FAIL] = "FAIL",
                                      [REP_ERROR] = "ERROR",
                                      [REP_CRASH] = "CRASH",
                                      [REP_HANG] = "HANG"};
  return words[verdict];
}

/* Kept for the end of a long output, where the first failures have left the screen. */
static void remember(struct scn_output *output, const struct rep_scenario *result,
                     const char *name) {
  char place[NAME_SIZE];
  if (output->failed_count++ < SCN_OUTPUT_REMEMBERED) {
    scn_reason_place(result->failure, place, sizeof place);
    snprintf(output->failed[output->failed_count - 1], sizeof output->failed[0],
             "%-5s  %.120s  %.300s", verdict_word(result->verdict), name,
             place[0] == '\0' ? result->path : place);
  }
}

void scn_output_skipped(struct scn_output *output, const struct scn_plan *plan) {
  output->skipped = plan->skipped_count;
  for (size_t i = 0; !output->quiet && i < plan->skipped_count; i++) {
    const struct scn_plan_skipped *skipped = &plan->skipped[i];
    char name[NAME_SIZE];
    full_name(skipped->scenario->name, skipped->variant->name, name, sizeof name);
    printf("SKIP   %-*s  %s\n", output->name_width, name, skipped->reason);
  }
}

/* Counts a result and prints its line, `about` at the end. False: that was all. */
static bool print_result(struct scn_output *output, const struct rep_scenario *result,
                         const char *about) {
  output->counts[result->verdict]++;
  bool passed = result->verdict == REP_PASS;
  if (passed && output->quiet) {
    return false;
  }
  clear_progress(output);
  char name[NAME_SIZE];
  full_name(result->name, result->variant, name, sizeof name);
  printf("%s%-5s%s  %-*s  %s\n", output->color ? (passed ? GREEN : RED) : "",
         verdict_word(result->verdict), output->color ? PLAIN : "", output->name_width, name,
         about);
  if (!passed) {
    scn_reason_print(stdout, result->failure, output->color);
    remember(output, result, name);
  }
  return !passed;
}

void scn_output_result(struct scn_output *output, const struct rep_scenario *result) {
  char virtual_time[SIM_DURATION_TEXT_SIZE];
  char about[SIM_DURATION_TEXT_SIZE + 64];
  sim_duration_format(result->virtual_ns, virtual_time);
  snprintf(about, sizeof about, "%12s  %8" PRIu64 " events", virtual_time,
           sim_trace_count(result->trace));
  if (print_result(output, result, about)) {
    char replay[4096];
    scn_output_replay(output->program, result, replay, sizeof replay);
    printf("  to run it again: %s\n", replay);
    if (output->database != NULL) {
      print_replay(output);
    }
    printf("\n");
  }
}

void scn_output_exploration(struct scn_output *output, const struct rep_scenario *result) {
  char coverage[REP_COVERAGE_SIZE];
  rep_coverage_describe(&result->exploration, coverage);
  if (print_result(output, result, coverage)) {
    const char *schedule = result->schedule == NULL ? "" : result->schedule;
    printf("  found in run %" PRIu64 " (%s), seed %" PRIu64 ", ", result->exploration.runs,
           result->exploration.strategy, result->seed);
    if (schedule[0] == '\0') {
      printf("in insertion order\n");
    } else {
      printf("schedule \"%s\"\n", schedule);
    }
    if (output->database == NULL) {
      printf("  record it (--db FILE) to keep its timeline\n\n");
    } else {
      print_replay(output);
      printf("\n");
    }
  }
  fflush(stdout); /* a search may take long until the next one */
}

/* One failure is on the screen anyway. */
static void print_failed(const struct scn_output *output) {
  if (output->failed_count < 2) {
    return;
  }
  printf("did not pass:\n");
  for (size_t i = 0; i < output->failed_count && i < SCN_OUTPUT_REMEMBERED; i++) {
    printf("  %s\n", output->failed[i]);
  }
  if (output->failed_count > SCN_OUTPUT_REMEMBERED) {
    printf("  and %zu more\n", output->failed_count - SCN_OUTPUT_REMEMBERED);
  }
  printf("\n");
}

void scn_output_summary(struct scn_output *output, const char *database, const char *stopped) {
  clear_progress(output);
  print_failed(output);
  static const char *const words[] = {[REP_PASS] = "passed",
                                      [REP_FAIL] = "failed",
                                      [REP_ERROR] = "could not be run",
                                      [REP_CRASH] = "crashed",
                                      [REP_HANG] = "hung"};
  size_t ran = 0;
  for (size_t verdict = 0; verdict <= REP_HANG; verdict++) {
    ran += output->counts[verdict];
  }
  if (stopped != NULL) {
    printf("stopped by %s after %zu of %zu scenarios", stopped, ran, output->total);
  } else {
    printf("%zu scenario%s", ran, ran == 1 ? "" : "s");
  }
  const char *separator = ": ";
  for (size_t verdict = 0; verdict <= REP_HANG; verdict++) {
    if (output->counts[verdict] > 0) {
      printf("%s%zu %s", separator, output->counts[verdict], words[verdict]);
      separator = ", ";
    }
  }
  if (output->skipped > 0) {
    printf("%s%zu skipped", separator, output->skipped);
  }
  int64_t wall_ms = (scn_wall_clock_ns() - output->started_ns) / WSP_MILLISECOND;
  printf("; %" PRId64 ".%02" PRId64 " s", wall_ms / 1000, wall_ms % 1000 / 10);
  if (database != NULL) {
    printf("; results in %s", database);
  }
  printf("\n");
  fflush(stdout);
}
