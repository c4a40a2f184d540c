/*
 * cli_help.c - the list of commands, their help, and the command `help`.
 */
#include "scenarios/engine/cli_help.h"

#include <stdio.h>
#include <string.h>

static const struct scn_command *const present[] = {
    &scn_command_run,   &scn_command_explore, &scn_command_replay, &scn_command_shrink,
    &scn_command_check, &scn_command_list,    &scn_command_report, &scn_command_compare,
    &scn_command_merge, &scn_command_serve,   &scn_command_help};

enum { PRESENT_COUNT = sizeof present / sizeof present[0] };

const struct scn_exit_text scn_exit_texts[] = {
    {"0", "all held"},
    {"1", "a scenario failed"},
    {"2", "bad usage or an invalid file"},
    {"3", "the harness itself failed"},
    {"128 and more", "ended by a signal"},
    {0},
};

const struct scn_command *scn_command_at(size_t at) {
  return at < PRESENT_COUNT ? present[at] : NULL;
}

const struct scn_command *scn_command_find(const char *name) {
  for (size_t i = 0; i < PRESENT_COUNT; i++) {
    if (strcmp(present[i]->name, name) == 0) {
      return present[i];
    }
  }
  return NULL;
}

static void print_program_help(const char *program) {
  printf("poolproof: " SCN_PROGRAM_SUMMARY "\n\n");
  printf("Usage: %s COMMAND [OPTIONS] PATH...\n\nCommands:\n", program);
  for (size_t i = 0; i < PRESENT_COUNT; i++) {
    printf("  %-8s %s\n", present[i]->name, present[i]->summary);
  }
  printf("\n" SCN_PROGRAM_PATHS
         "`%s COMMAND --help` says more, `%s --version` which version this is.\n\n"
         "Exit status:\n",
         program, program);
  for (const struct scn_exit_text *exit = scn_exit_texts; exit->status != NULL; exit++) {
    printf("  %-13s %s\n", exit->status, exit->text);
  }
}

static void print_command_help(const char *program, const struct scn_command *command) {
  printf("%s %s: %s\n\nUsage: %s %s %s\n", "poolproof", command->name, command->summary, program,
         command->name, command->arguments);
  printf("\nOptions:\n");
  for (const struct scn_option *option = command->options; option->name != NULL; option++) {
    char text[64];
    snprintf(text, sizeof text, "%s%s%s", option->name, option->value == NULL ? "" : " ",
             option->value == NULL ? "" : option->value);
    printf("  %-18s %s\n", text, option->help);
  }
  printf("  %-18s %s\n", "--help", "this text");
  if (command->details != NULL) {
    printf("\n%s", command->details);
  }
}

void scn_help_print(const struct scn_arguments *arguments) {
  if (arguments->command == NULL) {
    print_program_help(arguments->program);
  } else {
    print_command_help(arguments->program, arguments->command);
  }
}

/* ---- The command help --------------------------------------------------------------------- */

static int help(const struct scn_arguments *arguments) {
  const char *shell = scn_cli_value(arguments, "--completion");
  const struct scn_command *command = NULL;
  if (arguments->path_count > 1 || (shell != NULL && arguments->path_count > 0)) {
    return scn_cli_misused(arguments, "expected %s; found \"%s\"",
                           shell != NULL ? "no command with --completion" : "one command",
                           arguments->paths[arguments->path_count - 1]);
  }
  if (shell != NULL) {
    return scn_completion_print(shell)
               ? SCN_EXIT_HELD
               : scn_cli_misused(arguments,
                                 "--completion: expected bash, zsh or fish; found \"%s\"", shell);
  }
  if (arguments->path_count == 1) {
    command = scn_command_find(arguments->paths[0]);
    if (command == NULL) {
      return scn_cli_misused(arguments, "%s: no such command", arguments->paths[0]);
    }
  }
  if (scn_cli_has(arguments, "--man")) {
    scn_man_print(command, arguments->version);
  } else {
    struct scn_arguments about = *arguments;
    about.command = command;
    scn_help_print(&about);
  }
  return SCN_EXIT_HELD;
}

static const struct scn_option options[] = {
    {"--man", NULL, "as a manual page, for man(1)"},
    {"--completion", "SHELL", "what bash, zsh or fish completes on the command line"},
    {0},
};

const struct scn_command scn_command_help = {
    .name = "help",
    .arguments = "[--man] [COMMAND] | --completion SHELL",
    .summary = "what a command does, as text, as a manual page, or for completion",
    .options = options,
    .run = help,
};
