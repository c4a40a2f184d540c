/*
 * cli_compare.c - the command compare: two recordings held against each other.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "reports/compare.h"
#include "reports/output.h"
#include "scenarios/engine/cli.h"

enum { MESSAGE_SIZE = 1024, DEFAULT_THRESHOLD = 10, MOST_THRESHOLD = 1000000 };

typedef void write_function(FILE *file, const struct rep_comparison *comparison,
                            const struct rep_sides *sides);

static int write_file(const struct scn_arguments *arguments, const char *option,
                      write_function *write, const struct rep_comparison *comparison,
                      const struct rep_sides *sides) {
  const char *path = scn_cli_value(arguments, option);
  struct rep_output output;
  if (path == NULL) {
    return 0;
  }
  bool written = rep_output_open(&output, path);
  if (written) {
    write(output.file, comparison, sides);
    written = rep_output_close(&output, true);
  }
  return written ? 0
                 : scn_cli_failed(
                       arguments,
                       "cannot write '%s': %s; see to its folder, or name another file with %s",
                       path, strerror(errno), option);
}

static int read_number(const struct scn_arguments *arguments, const char *option, uint64_t most,
                       int64_t *number) {
  const char *text = scn_cli_value(arguments, option);
  uint64_t value;
  if (text == NULL) {
    return 0;
  }
  if (!scn_cli_number(text, &value) || value > most) {
    return scn_cli_misused(arguments, "%s: expected a whole number up to %llu; found \"%s\"",
                           option, (unsigned long long)most, text);
  }
  *number = (int64_t)value;
  return 0;
}

static int compare_inputs(const struct scn_arguments *arguments, const struct rep_input *before,
                          const struct rep_input *after, int threshold) {
  char message[MESSAGE_SIZE];
  struct rep_comparison comparison = {0};
  const struct rep_sides sides = {.before = arguments->paths[0], .after = arguments->paths[1]};
  int status;
  if (rep_compare(&comparison, before, after, threshold, message, sizeof message)) {
    rep_comparison_text(stdout, &comparison, &sides);
    status = write_file(arguments, "--markdown", rep_comparison_markdown, &comparison, &sides);
    if (status == 0) {
      status = write_file(arguments, "--html", rep_comparison_html, &comparison, &sides);
    }
    bool slower = scn_cli_has(arguments, "--threshold") && comparison.longer > 0;
    if (slower) {
      printf("\na duration got longer by more than %d%% in %zu scenario%s\n", threshold,
             comparison.longer, comparison.longer == 1 ? "" : "s");
    }
    if (status == 0 && (slower || rep_comparison_regressed(&comparison))) {
      status = SCN_EXIT_FAILED;
    }
  } else {
    status = scn_cli_failed(arguments, "%s", message);
  }
  rep_comparison_deinit(&comparison);
  return status;
}

static int compare(const struct scn_arguments *arguments) {
  char message[MESSAGE_SIZE];
  struct rep_input before = {0};
  struct rep_input after = {0};
  struct rep_choice choice_before = {0};
  struct rep_choice choice_after = {0};
  int64_t threshold = DEFAULT_THRESHOLD;
  if (arguments->path_count != 2) {
    return scn_cli_misused(arguments, "expected two databases; found %zu", arguments->path_count);
  }
  int status = read_number(arguments, "--threshold", MOST_THRESHOLD, &threshold);
  if (status == 0) {
    status = read_number(arguments, "--run-a", INT64_MAX, &choice_before.run);
  }
  if (status == 0) {
    status = read_number(arguments, "--run-b", INT64_MAX, &choice_after.run);
  }
  if (status != 0) {
    return status;
  }
  rep_output_watch_signals();
  if (rep_input_open(&before, &arguments->paths[0], 1, &choice_before, message, sizeof message) &&
      rep_input_open(&after, &arguments->paths[1], 1, &choice_after, message, sizeof message)) {
    status = compare_inputs(arguments, &before, &after, (int)threshold);
  } else {
    status = scn_cli_misused(arguments, "%s", message);
  }
  rep_input_deinit(&before);
  rep_input_deinit(&after);
  return status;
}

static const struct scn_option options[] = {
    {"--markdown", "FILE", "for a job's summary or a pull request"},
    {"--html", "FILE", "a page"},
    {"--threshold", "PERCENT", "tell what moved by more (default 10); given, longer is worse"},
    {"--run-a", "N", "of DB_A only this run (default: the latest results)"},
    {"--run-b", "N", "of DB_B only this run"},
    {0},
};

const struct scn_command scn_command_compare = {
    .name = "compare",
    .arguments =
        "DB_A DB_B [--markdown FILE] [--html FILE] [--threshold PERCENT]\n"
        "           [--run-a N] [--run-b N]",
    .summary = "what changed from one database to another: verdicts, timelines, totals",
    .details =
        "DB_A is before, DB_B after; both may be one database of several runs. Results are\n"
        "matched by name, variant and seed. Where a timeline differs, the first event that does\n"
        "is told, and totals and durations that moved. Exit status: 1 when something passed\n"
        "before and does not now, or is new and does not pass; with --threshold also when a\n"
        "percentile of a duration got longer by more than that; else 0.\n",
    .options = options,
    .run = compare,
};
