/*
 * cli_help.c - the list of commands and their help.
 */
#include "scenarios/engine/cli_help.h"

#include <stdio.h>
#include <string.h>

static const struct scn_command *const present[] = {
    &scn_command_run,   &scn_command_explore, &scn_command_replay, &scn_command_shrink,
    &scn_command_check, &scn_command_list,    &scn_command_report, &scn_command_compare,
    &scn_command_merge, &scn_command_serve};

enum { PRESENT_COUNT = sizeof present / sizeof present[0] };

const struct scn_command *scn_command_find(const char *name) {
  for (size_t i = 0; i < PRESENT_COUNT; i++) {
    if (strcmp(present[i]->name, name) == 0) {
      return present[i];
    }
  }
  return NULL;
}

static void print_program_help(const char *program) {
  printf("poolproof runs scenarios against a pool of WebSocket connections, in virtual time.\n\n");
  printf("Usage: %s COMMAND [OPTIONS] PATH...\n\nCommands:\n", program);
  for (size_t i = 0; i < PRESENT_COUNT; i++) {
    printf("  %-8s %s\n", present[i]->name, present[i]->summary);
  }
  printf(
      "\nPATH is a scenario file, or a folder: all *.json below it but schema.json.\n"
      "`%s COMMAND --help` says more, `%s --version` which version this is.\n\n"
      "Exit status: 0 all held; 1 a scenario failed; 2 bad usage or an invalid file;\n"
      "3 the harness itself failed; 128 and more: ended by a signal.\n",
      program, program);
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
