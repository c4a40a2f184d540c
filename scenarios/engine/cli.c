/*
 * cli.c - finds the command, reads its arguments, shows help.
 */
#include "scenarios/engine/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/cli_help.h"
#include "scenarios/engine/cli_pool.h"
#include "scenarios/engine/plan.h"

/* ---- Messages ----------------------------------------------------------------------------- */

static void complain(const struct scn_arguments *arguments, const char *format, va_list list) {
  fprintf(stderr, "poolproof%s%s: ", arguments->command == NULL ? "" : " ",
          arguments->command == NULL ? "" : arguments->command->name);
  vfprintf(stderr, format, list);
  fputc('\n', stderr);
}

int scn_cli_misused(const struct scn_arguments *arguments, const char *format, ...) {
  va_list list;
  va_start(list, format);
  complain(arguments, format, list);
  va_end(list);
  fprintf(stderr, "See: %s%s%s --help\n", arguments->program, arguments->command == NULL ? "" : " ",
          arguments->command == NULL ? "" : arguments->command->name);
  return SCN_EXIT_USAGE;
}

int scn_cli_failed(const struct scn_arguments *arguments, const char *format, ...) {
  va_list list;
  va_start(list, format);
  complain(arguments, format, list);
  va_end(list);
  return SCN_EXIT_HARNESS;
}

void scn_cli_report(void *context, const struct scn_problem *problem) {
  (void)context;
  const char *severity = problem->severity == SCN_ERROR ? "error" : "warning";
  if (problem->position.line > 0) {
    fprintf(stderr, "%s:%d:%d: %s: %s\n", problem->path, problem->position.line,
            problem->position.column, severity, problem->message);
  } else {
    fprintf(stderr, "%s: %s: %s\n", problem->path, severity, problem->message);
  }
}

int scn_cli_bad_files(const struct scn_plan *plan) {
  if (plan->files_read > 0) {
    fprintf(stderr, "%zu of %zu file%s cannot be used; nothing was run\n", plan->bad_files,
            plan->files_read, plan->files_read == 1 ? "" : "s");
  } else {
    fprintf(stderr, "nothing was run\n");
  }
  return SCN_EXIT_USAGE;
}

/* ---- Arguments ---------------------------------------------------------------------------- */

const char *scn_cli_value(const struct scn_arguments *arguments, const char *name) {
  for (size_t i = arguments->given_count; i > 0; i--) {
    if (strcmp(arguments->given[i - 1].option->name, name) == 0) {
      return arguments->given[i - 1].value;
    }
  }
  return NULL;
}

bool scn_cli_has(const struct scn_arguments *arguments, const char *name) {
  for (size_t i = 0; i < arguments->given_count; i++) {
    if (strcmp(arguments->given[i].option->name, name) == 0) {
      return true;
    }
  }
  return false;
}

bool scn_cli_number(const char *text, uint64_t *number) {
  if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text)) {
    return false;
  }
  errno = 0;
  unsigned long long value = strtoull(text, NULL, 10);
  *number = value;
  return errno == 0;
}

/* The option that `argument` ("--db" or "--db=x") names; `*value` is what is behind '='. */
static const struct scn_option *find_option(const struct scn_command *command, const char *argument,
                                            const char **value) {
  size_t length = strcspn(argument, "=");
  for (const struct scn_option *option = command->options; option->name != NULL; option++) {
    if (strlen(option->name) == length && memcmp(option->name, argument, length) == 0) {
      *value = argument[length] == '=' ? argument + length + 1 : NULL;
      return option;
    }
  }
  return NULL;
}

/* Reads `argv[*at]`, an option. 0, or an exit status. */
static int read_option(struct scn_arguments *arguments, int argc, char **argv, int *at) {
  const char *value = NULL;
  const struct scn_option *option = find_option(arguments->command, argv[*at], &value);
  if (option == NULL) {
    return scn_cli_misused(arguments, "%s: no such option", argv[*at]);
  }
  if (option->value == NULL && value != NULL) {
    return scn_cli_misused(arguments, "%s: expected no value; found \"%s\"", option->name, value);
  }
  if (option->value != NULL && value == NULL) {
    if (*at + 1 >= argc) {
      return scn_cli_misused(arguments, "%s: expected %s behind it; found nothing", option->name,
                             option->value);
    }
    value = argv[++*at];
  }
  arguments->given[arguments->given_count++] = (struct scn_given){.option = option, .value = value};
  return 0;
}

/* Reads the arguments from `first` on. 0, or an exit status. */
static int read_arguments(struct scn_arguments *arguments, int argc, char **argv, int first) {
  bool only_paths = false;
  for (int at = first; at < argc; at++) {
    if (!only_paths && strcmp(argv[at], "--") == 0) {
      only_paths = true;
    } else if (!only_paths && argv[at][0] == '-' && argv[at][1] != '\0') {
      int status = read_option(arguments, argc, argv, &at);
      if (status != 0) {
        return status;
      }
    } else {
      arguments->paths[arguments->path_count++] = argv[at];
    }
  }
  return 0;
}

static char *join_command_line(int argc, char **argv) {
  size_t size = 1;
  for (int i = 0; i < argc; i++) {
    size += strlen(argv[i]) + 1;
  }
  char *line = malloc(size);
  size_t length = 0;
  for (int i = 0; line != NULL && i < argc; i++) {
    length += (size_t)snprintf(line + length, size - length, "%s%s", i > 0 ? " " : "", argv[i]);
  }
  return line;
}

static int run_command(struct scn_arguments *arguments, int argc, char **argv, int first) {
  int status = read_arguments(arguments, argc, argv, first);
  if (status != 0) {
    return status;
  }
  status = scn_pool_load(arguments);
  return status != 0 ? status : arguments->command->run(arguments);
}

/* Whether `option` is among the arguments before "--". */
static bool asks_for(int argc, char **argv, const char *option, const char *short_option) {
  for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
    if (strcmp(argv[i], option) == 0 || strcmp(argv[i], short_option) == 0) {
      return true;
    }
  }
  return false;
}

int scn_cli_main(int argc, char **argv, const char *version) {
  struct scn_arguments arguments = {.program = argc > 0 ? argv[0] : "poolproof",
                                    .version = version};
  if (asks_for(argc, argv, "--version", "-V")) {
    printf("poolproof %s\n", version);
    return SCN_EXIT_HELD;
  }
  int first = 1;
  if (argc > 1 && argv[1][0] != '-') {
    arguments.command = scn_command_find(argv[first++]);
    if (arguments.command == NULL) {
      return scn_cli_misused(&arguments, "%s: no such command", argv[1]);
    }
  }
  if (asks_for(argc, argv, "--help", "-h")) {
    scn_help_print(&arguments);
    return SCN_EXIT_HELD;
  }
  if (arguments.command == NULL) {
    return argc > 1
               ? scn_cli_misused(&arguments, "%s: expected a command; found an option", argv[1])
               : scn_cli_misused(&arguments, "expected a command; found nothing");
  }
  arguments.given = calloc((size_t)argc, sizeof *arguments.given);
  arguments.paths = calloc((size_t)argc, sizeof *arguments.paths);
  arguments.command_line = join_command_line(argc, argv);
  int status = arguments.given == NULL || arguments.paths == NULL || arguments.command_line == NULL
                   ? scn_cli_failed(&arguments, "out of memory for the arguments")
                   : run_command(&arguments, argc, argv, first);
  free(arguments.given);
  free(arguments.paths);
  free(arguments.command_line);
  return status;
}
