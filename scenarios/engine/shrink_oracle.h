/*
 * shrink_oracle.h - runs candidates of a shrink in a process of their own, and says whether they
 * fail as the recorded run did.
 */
#ifndef ENGINE_SHRINK_ORACLE_H
#define ENGINE_SHRINK_ORACLE_H

#include "scenarios/engine/shrink.h"

/* What a run was like, for the comparison of before and after. */
struct scn_run_size {
  uint64_t events;
  wsp_time virtual_ns;
};

struct scn_shrink_runs {
  const char *path; /* of the recorded file, for files that it names */
  int64_t wall_limit_ns;
  bool any_order; /* the recorded run did not go in insertion order: look for others as well */
  char failure_class[1024]; /* "": whatever the first run fails by is taken for it */
  struct scn_run_size size; /* of the last run that failed so */
  char failure[4096];       /* and what was said of it */
  char message[512];        /* why the last candidate could not be run; "": it could */
};

/* The functions of struct scn_shrink_oracle; `context` is a struct scn_shrink_runs. */
bool scn_shrink_runs_fail(void *context, const char *text, char **schedule,
                          struct scn_arrivals_seen *seen);

#endif
