/*
 * cli_recorded.h - the recorded run that a command line names: --db FILE ID.
 */
#ifndef ENGINE_CLI_RECORDED_H
#define ENGINE_CLI_RECORDED_H

#include "scenarios/engine/cli.h"
#include "scenarios/engine/replay.h"

/* Zero-filled: none. */
struct scn_recorded_run {
  const char *path; /* of the database */
  sqlite3 *database;
  struct rep_recorded recorded;
  struct scn_replay replay;
};

/* Opens the database, reads the run and loads what it ran. Returns 0, or an exit status after what
 * is wrong was said; `run` is to be closed in both cases. */
int scn_recorded_open(const struct scn_arguments *arguments, struct scn_recorded_run *run);
void scn_recorded_close(struct scn_recorded_run *run);

/* "scenario 12 of x.db: NAME [VARIANT], seed 1, schedule "3:1"", to stdout. */
void scn_recorded_print(const struct scn_recorded_run *run);

#endif
