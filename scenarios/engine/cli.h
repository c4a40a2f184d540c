/*
 * cli.h - the command line: which commands there are, how their arguments are read, how they end.
 */
#ifndef ENGINE_CLI_H
#define ENGINE_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scenarios/engine/loader.h"

/* How the program ends. */
enum scn_exit {
  SCN_EXIT_HELD = 0,    /* all scenarios held */
  SCN_EXIT_FAILED = 1,  /* a scenario failed, crashed or hung */
  SCN_EXIT_USAGE = 2,   /* bad usage, or an invalid file */
  SCN_EXIT_HARNESS = 3, /* the harness itself failed */
  SCN_EXIT_SIGNAL = 128 /* and the signal's number: ended by it */
};

/* One option of a command. */
struct scn_option {
  const char *name;  /* "--db" */
  const char *value; /* what it takes, as help calls it; NULL: nothing */
  const char *help;
};

struct scn_given {
  const struct scn_option *option;
  const char *value; /* NULL when it takes none */
};

/* What was given to a command. */
struct scn_arguments {
  const char *program; /* as it was called */
  const char *version;
  char *command_line; /* all of it, for the record */
  const struct scn_command *command;
  struct scn_given *given;
  size_t given_count;
  const char **paths;
  size_t path_count;
};

struct scn_command {
  const char *name;
  const char *arguments;                             /* as help shows them */
  const char *summary;                               /* one line */
  const char *details;                               /* more of it for its own help; NULL: none */
  const struct scn_option *options;                  /* ended by one without a name */
  int (*run)(const struct scn_arguments *arguments); /* its exit status */
};

extern const struct scn_command scn_command_run, scn_command_check, scn_command_list,
    scn_command_explore, scn_command_replay, scn_command_shrink, scn_command_report,
    scn_command_compare, scn_command_merge, scn_command_serve, scn_command_help;

/* The whole program but for main(). Returns its exit status. */
int scn_cli_main(int argc, char **argv, const char *version);

/* "poolproof run: MESSAGE" and where help is, to stderr. Returns SCN_EXIT_USAGE. */
int scn_cli_misused(const struct scn_arguments *arguments, const char *format, ...);
/* The same for faults that are nobody's usage. Returns SCN_EXIT_HARNESS. */
int scn_cli_failed(const struct scn_arguments *arguments, const char *format, ...);

/* The last value given for the option of that name; NULL: not given. */
const char *scn_cli_value(const struct scn_arguments *arguments, const char *name);
bool scn_cli_has(const struct scn_arguments *arguments, const char *name);

/* A whole number in decimal digits. False: it is none, or is out of 64 bits. */
bool scn_cli_number(const char *text, uint64_t *number);

/* A problem of a file as compilers print it, to stderr: PATH:LINE:COLUMN: error: MESSAGE.
 * `context` is not used. */
void scn_cli_report(void *context, const struct scn_problem *problem);
/* Says how many files are bad, after their problems were reported. Returns SCN_EXIT_USAGE. */
struct scn_plan;
int scn_cli_bad_files(const struct scn_plan *plan);

#endif
