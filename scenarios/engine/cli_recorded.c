/*
 * cli_recorded.c - reads the arguments of the commands that begin with a recorded run.
 */
#include "scenarios/engine/cli_recorded.h"

#include <inttypes.h>
#include <stdio.h>

#include "reports/database.h"

enum { MESSAGE_SIZE = 1024 };

static void report_errors(void *context, const struct scn_problem *problem) {
  if (problem->severity == SCN_ERROR) {
    scn_cli_report(context, problem);
  }
}

static int read_id(const struct scn_arguments *arguments, int64_t *id) {
  uint64_t number;
  if (arguments->path_count != 1) {
    return scn_cli_misused(arguments,
                           "expected the ID of one recorded scenario; found %zu arguments (`run` "
                           "and `explore` tell the ID of what does not hold)",
                           arguments->path_count);
  }
  if (!scn_cli_number(arguments->paths[0], &number) || number < 1 || number > INT64_MAX) {
    return scn_cli_misused(arguments,
                           "expected the ID of a recorded scenario, a number; found \"%s\"",
                           arguments->paths[0]);
  }
  *id = (int64_t)number;
  return 0;
}

int scn_recorded_open(const struct scn_arguments *arguments, struct scn_recorded_run *run) {
  char message[MESSAGE_SIZE];
  int64_t id = 0;
  int status = read_id(arguments, &id);
  if (status != 0) {
    return status;
  }
  const char *path = scn_cli_value(arguments, "--db");
  run->path = path == NULL ? "poolproof.db" : path;
  run->database =
      rep_database_open(run->path, REP_READ, REP_BUSY_TIMEOUT_MS, message, sizeof message);
  if (run->database == NULL ||
      !rep_recorded_read(run->database, run->path, id, &run->recorded, message, sizeof message) ||
      !scn_replay_prepare(&run->recorded, &run->replay, report_errors, NULL, message,
                          sizeof message)) {
    return scn_cli_misused(arguments, "%s", message);
  }
  return 0;
}

void scn_recorded_close(struct scn_recorded_run *run) {
  scn_replay_deinit(&run->replay);
  rep_recorded_deinit(&run->recorded);
  sqlite3_close(run->database);
  *run = (struct scn_recorded_run){0};
}

void scn_recorded_print(const struct scn_recorded_run *run) {
  const struct rep_recorded *recorded = &run->recorded;
  printf("scenario %" PRId64 " of %s: %s", recorded->id, run->path, recorded->name);
  if (recorded->variant[0] != '\0') {
    printf(" [%s]", recorded->variant);
  }
  printf(", seed %" PRIu64, recorded->seed);
  if (recorded->schedule == NULL || recorded->schedule[0] == '\0') {
    printf(", in insertion order");
  } else {
    printf(", schedule \"%s\"", recorded->schedule);
  }
}
