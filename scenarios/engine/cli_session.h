/*
 * cli_session.h - runs what a command line names in workers, records it, reports it.
 */
#ifndef ENGINE_CLI_SESSION_H
#define ENGINE_CLI_SESSION_H

#include "scenarios/engine/cli_output.h"
#include "scenarios/engine/cli_settings.h"
#include "scenarios/engine/workers.h"

/* Loads `arguments->paths`, gives each run to `job`, and returns the command's exit status. A
 * result is printed by `print`. */
int scn_session_run(const struct scn_arguments *arguments, const struct scn_settings *settings,
                    struct scn_job job,
                    void (*print)(struct scn_output *output, const struct rep_scenario *result));

#endif
