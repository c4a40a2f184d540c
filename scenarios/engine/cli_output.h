/*
 * cli_output.h - what `run` prints: a line for each scenario, the failures, the summary.
 *
 * Results go to stdout; progress to stderr: a line that is written over where that is a terminal,
 * else a line now and then.
 */
#ifndef ENGINE_CLI_OUTPUT_H
#define ENGINE_CLI_OUTPUT_H

#include "reports/recorder.h"
#include "scenarios/engine/plan.h"

/* So many failures are named again before the summary: they fit a screen. */
enum { SCN_OUTPUT_REMEMBERED = 12, SCN_OUTPUT_LINE_SIZE = 512 };

struct scn_output {
  const char *program;
  bool quiet;
  const char *database; /* of the recorded results; NULL: none */
  int64_t recorded_id;  /* of the last result in it */
  bool color;           /* stdout is a terminal and NO_COLOR is not set */
  bool progress;        /* stderr is a terminal */
  size_t total;
  size_t skipped;
  size_t counts[REP_HANG + 1]; /* by verdict */
  int name_width;
  int64_t started_ns;
  int64_t next_progress_ns;
  bool progress_shown;
  char failed[SCN_OUTPUT_REMEMBERED][SCN_OUTPUT_LINE_SIZE];
  size_t failed_count;
};

void scn_output_init(struct scn_output *output, const char *program, bool quiet,
                     const struct scn_plan *plan);
/* A line for each run that is left out. */
void scn_output_skipped(struct scn_output *output, const struct scn_plan *plan);
void scn_output_result(struct scn_output *output, const struct rep_scenario *result);
/* Shows how far the run is, when it is time for that. */
void scn_output_progress(struct scn_output *output, size_t finished);
/* `database`: where the results are; NULL: nowhere. `stopped`: the signal's name; NULL: none. */
void scn_output_summary(struct scn_output *output, const char *database, const char *stopped);

/* The command that runs the scenario of `result` again. */
void scn_output_replay(const char *program, const struct rep_scenario *result, char *buffer,
                       size_t size);

/* The same for a result of `explore`: what was covered, and how to see the hit. */
void scn_output_exploration(struct scn_output *output, const struct rep_scenario *result);

#endif
