/*
 * cli_man.c - manual pages, from the same tables as --help.
 */
#include "scenarios/engine/cli_help.h"

#include <stdio.h>
#include <string.h>

/* `text` as running text of roff: with what has a meaning for roff taken out of it. */
static void print_text(const char *text) {
  bool line_begins = true;
  for (const char *at = text; *at != '\0'; at++) {
    if (line_begins && (*at == '.' || *at == '\'')) {
      printf("\\&");
    }
    line_begins = *at == '\n';
    switch (*at) {
      case '\\':
        printf("\\e");
        break;
      case '-':
        printf("\\-");
        break;
      case '\'':
        printf("\\(aq");
        break;
      case '`':
        printf("\\(ga");
        break;
      default:
        putchar(*at);
    }
  }
}

/* The same in one line: any number of blanks and line ends is one blank. */
static void print_line(const char *text) {
  for (const char *at = text; *at != '\0';) {
    size_t length = strcspn(at, " \n");
    char word[256];
    snprintf(word, sizeof word, "%.*s", (int)length, at);
    print_text(word);
    at += length;
    size_t gap = strspn(at, " \n");
    if (gap > 0 && at[gap] != '\0') {
      putchar(' ');
    }
    at += gap;
  }
  putchar('\n');
}

static void print_head(const char *name, const char *summary, const char *version) {
  printf(".TH \"");
  for (const char *at = name; *at != '\0'; at++) {
    putchar(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
  }
  printf("\" 1 \"\" \"poolproof %s\" \"User Commands\"\n.SH NAME\n", version);
  print_text(name);
  printf(" \\- ");
  print_line(summary);
}

static void print_end(void) {
  printf(".SH \"EXIT STATUS\"\n");
  for (const struct scn_exit_text *exit = scn_exit_texts; exit->status != NULL; exit++) {
    printf(".TP\n.B %s\n", exit->status);
    print_line(exit->text);
  }
}

static void print_option(const char *name, const char *value, const char *help) {
  printf(".TP\n\\fB");
  print_text(name);
  printf("\\fR");
  if (value != NULL) {
    printf(" \\fI");
    print_text(value);
    printf("\\fR");
  }
  putchar('\n');
  print_line(help);
}

static void print_command(const struct scn_command *command, const char *version) {
  char name[64];
  snprintf(name, sizeof name, "poolproof-%s", command->name);
  print_head(name, command->summary, version);
  printf(".SH SYNOPSIS\n.B poolproof %s\n", command->name);
  print_line(command->arguments);
  if (command->details != NULL) {
    printf(".SH DESCRIPTION\n");
    print_text(command->details);
  }
  printf(".SH OPTIONS\n");
  for (const struct scn_option *option = command->options; option->name != NULL; option++) {
    print_option(option->name, option->value, option->help);
  }
  print_option("--help", NULL, "print this in short");
  print_end();
  printf(".SH \"SEE ALSO\"\n.BR poolproof (1)\n");
}

static void print_program(const char *version) {
  print_head("poolproof", SCN_PROGRAM_SUMMARY, version);
  printf(".SH SYNOPSIS\n.B poolproof\n.I COMMAND\n[");
  printf("\\fIOPTIONS\\fR] \\fIPATH\\fR...\n.SH DESCRIPTION\n");
  print_text(SCN_PROGRAM_PATHS);
  printf(".SH COMMANDS\n");
  const struct scn_command *command;
  for (size_t i = 0; (command = scn_command_at(i)) != NULL; i++) {
    printf(".TP\n.BR poolproof\\-%s (1)\n", command->name);
    print_line(command->summary);
  }
  printf(".SH OPTIONS\n");
  print_option("--help", NULL, "the list of commands; behind a command: its help");
  print_option("--version", NULL, "which version this is");
  print_end();
}

void scn_man_print(const struct scn_command *command, const char *version) {
  if (command == NULL) {
    print_program(version);
  } else {
    print_command(command, version);
  }
}
