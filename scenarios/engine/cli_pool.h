/*
 * cli_pool.h - the option --pool: another pool than ours, from a shared library.
 */
#ifndef ENGINE_CLI_POOL_H
#define ENGINE_CLI_POOL_H

#include "scenarios/engine/cli.h"

#define SCN_OPTION_POOL \
  { "--pool", "FILE", "test the pool of this shared library (sim/pool_interface.h), not ours" }

/* Puts the pool that --pool names under test, if it was given. Returns 0, or an exit status after
 * what is wrong was said. */
int scn_pool_load(const struct scn_arguments *arguments);

/* " --pool FILE" in words of a shell, for commands that are told to people; "": our pool. */
const char *scn_pool_option(void);

#endif
