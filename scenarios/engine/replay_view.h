/*
 * replay_view.h - a timeline for a person: a line for each event, a column for each account and
 * conn, and between the lines the choices with what else could have been taken.
 */
#ifndef ENGINE_REPLAY_VIEW_H
#define ENGINE_REPLAY_VIEW_H

#include <stdio.h>

#include "sim/trace.h"

struct scn_replay_view {
  const struct sim_trace *trace;
  const struct sim_trace *choices; /* as scn_runner_keep_choices() leaves them */
  wsp_time until;                  /* nothing later is printed; WSP_TIME_NEVER: all of it */
};

/* Prints it. False: no memory. */
bool scn_replay_print(const struct scn_replay_view *view, FILE *file);

#endif
