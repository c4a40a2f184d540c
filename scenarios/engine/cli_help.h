/*
 * cli_help.h - the list of commands, and what --help shows of them.
 */
#ifndef ENGINE_CLI_HELP_H
#define ENGINE_CLI_HELP_H

#include "scenarios/engine/cli.h"

/* NULL: no such command. */
const struct scn_command *scn_command_find(const char *name);

/* Help on `arguments->command`, or on the program when that is NULL, to stdout. */
void scn_help_print(const struct scn_arguments *arguments);

#endif
