/*
 * markdown.c - recorded runs as Markdown, for a job's summary or a comment.
 *
 * Limits, so that a comment can take it: the text of 20 failures, 4000 bytes of each, and 100 rows
 * in the table. What is left out is counted.
 */
#include <inttypes.h>
#include <string.h>

#include "reports/coverage.h"
#include "reports/markdown_text.h"
#include "reports/picture.h"
#include "reports/report.h"
#include "reports/shell.h"
#include "reports/whatif.h"
#include "sim/duration.h"

enum { MOST_FAILURES = 20, MOST_ROWS = 100, MOST_FAILURE_TEXT = 4000, TEXT_SIZE = 4096 };

static const char *verdict_word(enum rep_verdict verdict) {
  static const char *const words[] = {[REP_PASS] = "passed",
                                      [REP_FAIL] = "**FAILED**",
                                      [REP_ERROR] = "**could not be run**",
                                      [REP_CRASH] = "**CRASHED**",
                                      [REP_HANG] = "**HUNG**"};
  return words[verdict];
}

static void write_title(FILE *file, const struct rep_input *input) {
  size_t bad = input->item_count - input->counts[REP_PASS];
  if (bad == 0) {
    fprintf(file, "# poolproof: all %zu scenario%s passed\n\n", input->item_count,
            input->item_count == 1 ? "" : "s");
  } else {
    fprintf(file, "# poolproof: %zu of %zu scenario%s did not pass\n\n", bad, input->item_count,
            input->item_count == 1 ? "" : "s");
  }
  const char *separator = "";
  static const char *const words[] = {"passed", "failed", "could not be run", "crashed", "hung"};
  for (enum rep_verdict verdict = REP_PASS; verdict <= REP_HANG; verdict++) {
    if (input->counts[verdict] > 0) {
      fprintf(file, "%s%zu %s", separator, input->counts[verdict], words[verdict]);
      separator = ", ";
    }
  }
  fprintf(file, "; %" PRId64 " events.", input->events);
  if (input->superseded > 0) {
    fprintf(file, " %" PRId64 " earlier results of the same scenarios are not shown.",
            input->superseded);
  }
  fputs("\n\n", file);
}

static void write_row(FILE *file, const struct rep_item *item) {
  char title[TEXT_SIZE];
  char virtual_time[SIM_DURATION_TEXT_SIZE];
  rep_item_title(item, title, sizeof title);
  sim_duration_format(item->virtual_ns, virtual_time);
  fprintf(file, "| %s | ", verdict_word(item->verdict));
  rep_markdown_text(file, title);
  fprintf(file, " | %s | %" PRId64 " | %" PRIu64 " |\n", virtual_time, item->events, item->seed);
}

/* Those that did not pass come first, then the others, each in the order of the input. */
static void write_table(FILE *file, const struct rep_input *input) {
  size_t rows = 0;
  fputs("| verdict | scenario | virtual time | events | seed |\n|---|---|--:|--:|--:|\n", file);
  for (int passed = 0; passed <= 1; passed++) {
    for (size_t i = 0; i < input->item_count && rows < MOST_ROWS; i++) {
      if ((input->items[i].verdict == REP_PASS) == passed) {
        write_row(file, &input->items[i]);
        rows++;
      }
    }
  }
  if (rows < input->item_count) {
    fprintf(file, "\n%zu more rows are not shown.\n", input->item_count - rows);
  }
}

/* What searches covered: those with a hit first. */
static void write_searches(FILE *file, const struct rep_input *input) {
  size_t searches = 0;
  for (int passed = 0; passed <= 1; passed++) {
    for (size_t i = 0; i < input->item_count; i++) {
      const struct rep_item *item = &input->items[i];
      if (item->exploration.strategy == NULL || (item->verdict == REP_PASS) != passed ||
          searches++ >= MOST_ROWS) {
        continue;
      }
      char text[TEXT_SIZE];
      char coverage[REP_COVERAGE_SIZE];
      if (searches == 1) {
        fputs("\n## Searches\n\n| scenario | search | outcome | covered |\n|---|---|---|---|\n",
              file);
      }
      rep_item_title(item, text, sizeof text);
      fputs("| ", file);
      rep_markdown_text(file, text);
      fputs(" | ", file);
      rep_markdown_text(file, item->exploration.strategy);
      if (item->verdict == REP_ERROR) {
        fputs(" | could not be searched | ", file);
      } else if (passed != 0) {
        fprintf(file, " | %s | ",
                item->exploration.complete ? "every order holds" : "no failure was found");
      } else {
        fprintf(file, " | **found in run %" PRIu64 "** | ", item->exploration.runs);
      }
      rep_coverage_describe(&item->exploration, coverage);
      fprintf(file, "%s |\n", coverage);
    }
  }
  if (searches > MOST_ROWS) {
    fprintf(file, "\n%zu more searches are not shown.\n", searches - MOST_ROWS);
  }
}

static bool write_failure(FILE *file, const struct rep_item *item, const struct rep_about *about,
                          char *message, size_t size) {
  char text[TEXT_SIZE];
  rep_item_title(item, text, sizeof text);
  fprintf(file, "\n## %s: ", verdict_word(item->verdict));
  rep_markdown_text(file, text);
  fputs("\n\n", file);
  size_t length = strlen(item->failure);
  bool cut = length > MOST_FAILURE_TEXT;
  rep_markdown_code(file, item->failure[0] == '\0' ? "no reason was recorded" : item->failure,
                    cut ? MOST_FAILURE_TEXT : length);
  if (cut) {
    fprintf(file, "\n(%zu more bytes of this are in the database.)\n", length - MOST_FAILURE_TEXT);
  }
  fputs("\nThe time around it:\n\n```text\n", file);
  bool done = rep_picture_write(file, item, message, size);
  fputs("```\n\nSee every event: ", file);
  rep_shell_replay(about->program, item->database->path, item->id, text, sizeof text);
  rep_markdown_command(file, text);
  fputc('\n', file);
  return done;
}

bool rep_markdown_write(FILE *file, const struct rep_input *input, const struct rep_about *about,
                        char *message, size_t size) {
  bool done = true;
  size_t failures = 0;
  write_title(file, input);
  write_table(file, input);
  write_searches(file, input);
  for (size_t i = 0; i < input->item_count && done; i++) {
    if (input->items[i].verdict != REP_PASS && failures++ < MOST_FAILURES) {
      done = write_failure(file, &input->items[i], about, message, size);
    }
  }
  if (failures > MOST_FAILURES) {
    fprintf(file, "\n%zu more failures are in the table alone.\n", failures - MOST_FAILURES);
  }
  return done && rep_whatif_markdown(file, input, message, size);
}
