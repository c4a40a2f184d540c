/*
 * cli_completion.c - what bash, zsh and fish complete on the command line, from the same tables as
 * --help.
 */
#include "scenarios/engine/cli_help.h"

#include <stdio.h>
#include <string.h>

static bool takes_file(const struct scn_option *option) {
  return strcmp(option->value, "FILE") == 0 || strcmp(option->value, "DB") == 0;
}

/* `text` inside single quotes of a shell, in one line; each character of `special` gets a backslash
 * before it. `quote` is what a single quote becomes. */
static void print_quoted(const char *text, const char *special, const char *quote) {
  bool blank = false;
  for (const char *at = text; *at != '\0'; at++) {
    if (*at == ' ' || *at == '\n') {
      blank = true;
      continue;
    }
    if (blank) {
      putchar(' ');
      blank = false;
    }
    if (*at == '\'') {
      printf("%s", quote);
    } else {
      printf("%s%c", strchr(special, *at) != NULL ? "\\" : "", *at);
    }
  }
}

/* ---- bash --------------------------------------------------------------------------------- */

enum kind { ALL, WITH_FILE, WITH_OTHER };

static void print_bash_options(const struct scn_command *command, enum kind kind) {
  for (const struct scn_option *option = command->options; option->name != NULL; option++) {
    if (kind == ALL || (option->value != NULL && takes_file(option) == (kind == WITH_FILE))) {
      printf(" %s ", option->name);
    }
  }
}

static void print_bash(void) {
  printf(
      "# Completion of poolproof for bash, made by `poolproof help --completion bash`.\n"
      "_poolproof() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local commands='");
  const struct scn_command *command;
  for (size_t i = 0; (command = scn_command_at(i)) != NULL; i++) {
    printf(" %s", command->name);
  }
  printf(
      "' options files others\n"
      "  COMPREPLY=()\n"
      "  if [[ $COMP_CWORD -eq 1 || ${COMP_WORDS[1]} == help && $word != -* ]]; then\n"
      "    COMPREPLY=($(compgen -W \"$commands\" -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  case ${COMP_WORDS[1]} in\n");
  for (size_t i = 0; (command = scn_command_at(i)) != NULL; i++) {
    printf("    %s)\n      options='", command->name);
    print_bash_options(command, ALL);
    printf(" --help'\n      files='");
    print_bash_options(command, WITH_FILE);
    printf("'\n      others='");
    print_bash_options(command, WITH_OTHER);
    printf("'\n      ;;\n");
  }
  /* Without a reply, `-o default` completes the names of files. */
  printf(
      "  esac\n"
      "  if [[ $others == *\" $before \"* ]]; then\n"
      "    compopt +o default 2>/dev/null\n"
      "  elif [[ $files != *\" $before \"* && $word == -* ]]; then\n"
      "    COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
      "  fi\n"
      "}\n"
      "complete -o default -F _poolproof poolproof\n");
}

/* ---- zsh ---------------------------------------------------------------------------------- */

static void print_zsh_option(const struct scn_option *option) {
  printf(" \\\n        '*%s[", option->name);
  print_quoted(option->help, "[]\\:", "'\\''");
  putchar(']');
  if (option->value != NULL) {
    printf(":%s:%s", option->value, takes_file(option) ? "_files" : "");
  }
  putchar('\'');
}

static void print_zsh(void) {
  printf(
      "#compdef poolproof\n"
      "# Completion of poolproof for zsh, made by `poolproof help --completion zsh`.\n"
      "_poolproof() {\n"
      "  local -a commands\n"
      "  commands=(\n");
  const struct scn_command *command;
  for (size_t i = 0; (command = scn_command_at(i)) != NULL; i++) {
    printf("    '%s:", command->name);
    print_quoted(command->summary, "\\:", "'\\''");
    printf("'\n");
  }
  printf(
      "  )\n"
      "  if (( CURRENT == 2 )); then\n"
      "    _describe command commands\n"
      "    return\n"
      "  fi\n"
      "  local command=$words[2]\n"
      "  shift words\n"
      "  (( CURRENT-- ))\n"
      "  case $command in\n");
  for (size_t i = 0; (command = scn_command_at(i)) != NULL; i++) {
    printf("    %s)\n      _arguments", command->name);
    for (const struct scn_option *option = command->options; option->name != NULL; option++) {
      print_zsh_option(option);
    }
    printf(" \\\n        '(- *)--help[help on this command]' \\\n        '%s'\n      ;;\n",
           command == &scn_command_help ? "*:command:_values command ${commands%%%%:*}"
                                        : "*:file:_files");
  }
  printf(
      "  esac\n"
      "}\n"
      "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n"
      "  _poolproof \"$@\"\n"
      "fi\n");
}

/* ---- fish --------------------------------------------------------------------------------- */

static void print_fish_option(const char *command, const struct scn_option *option) {
  const char *name = option->name + strspn(option->name, "-");
  printf("complete -c poolproof -n '__fish_seen_subcommand_from %s' -%s %s ", command,
         option->name[1] == '-' ? "l" : "s", name);
  if (option->value != NULL) {
    printf(takes_file(option) ? "-r -F " : "-x ");
  }
  printf("-d '");
  print_quoted(option->help, "\\", "\\'");
  printf("'\n");
}

static void print_fish(void) {
  printf("# Completion of poolproof for fish, made by `poolproof help --completion fish`.\n");
  const struct scn_command *command;
  for (size_t i = 0; (command = scn_command_at(i)) != NULL; i++) {
    printf("complete -c poolproof -n __fish_use_subcommand -f -a %s -d '", command->name);
    print_quoted(command->summary, "\\", "\\'");
    printf("'\n");
    for (const struct scn_option *option = command->options; option->name != NULL; option++) {
      print_fish_option(command->name, option);
    }
    print_fish_option(command->name, &(struct scn_option){"--help", NULL, "help on this command"});
  }
}

bool scn_completion_print(const char *shell) {
  static const struct {
    const char *name;
    void (*print)(void);
  } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
  for (size_t i = 0; i < sizeof shells / sizeof shells[0]; i++) {
    if (strcmp(shells[i].name, shell) == 0) {
      shells[i].print();
      return true;
    }
  }
  return false;
}
