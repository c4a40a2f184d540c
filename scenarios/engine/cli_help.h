/*
 * cli_help.h - the list of commands, and what is made of it: --help, manual pages, completion.
 */
#ifndef ENGINE_CLI_HELP_H
#define ENGINE_CLI_HELP_H

#include "scenarios/engine/cli.h"

#define SCN_PROGRAM_SUMMARY "run scenarios against a pool of WebSocket connections, in virtual time"
#define SCN_PROGRAM_PATHS \
  "PATH is a scenario file, or a folder: all *.json below it but schema.json.\n"

/* What the exit statuses mean; ended by one without a status. */
struct scn_exit_text {
  const char *status;
  const char *text;
};
extern const struct scn_exit_text scn_exit_texts[];

/* NULL: no such command. */
const struct scn_command *scn_command_find(const char *name);
/* The commands in the order of the help; NULL: no more. */
const struct scn_command *scn_command_at(size_t at);

/* Help on `arguments->command`, or on the program when that is NULL, to stdout. */
void scn_help_print(const struct scn_arguments *arguments);

/* The manual page of a command, or of the program when that is NULL, to stdout, for man(1). */
void scn_man_print(const struct scn_command *command, const char *version);

/* What `shell` (bash, zsh or fish) is to complete, to stdout. False: another shell; nothing is
 * printed. */
bool scn_completion_print(const char *shell);

#endif
