/*
 * cli_reason.c - the lines of a failure's text, coloured by what they are.
 */
#include "scenarios/engine/cli_reason.h"

#include <string.h>

#define BOLD "\033[1m"
#define RED "\033[31m"
#define GREEN "\033[32m"
#define PLAIN "\033[0m"

/* The length of "FILE:LINE:COLUMN" or "FILE:LINE" at the beginning of a line; 0: it has none. */
static size_t place_length(const char *line, size_t length) {
  for (size_t at = 0; at < length; at++) {
    if (line[at] != ':') {
      continue;
    }
    size_t digits = strspn(line + at + 1, "0123456789");
    if (digits > 0 && line[at + 1 + digits] == ':') {
      size_t end = at + 1 + digits;
      size_t more = strspn(line + end + 1, "0123456789");
      return more > 0 && line[end + 1 + more] == ':' ? end + 1 + more : end;
    }
    if (line[at + 1] == ' ') {
      return 0;
    }
  }
  return 0;
}

static bool begins(const char *line, const char *word) {
  size_t length = strlen(word);
  return strncmp(line, word, length) == 0 && line[length] == ' ';
}

static void print_line(FILE *file, const char *line, size_t length) {
  const char *color = NULL;
  size_t colored = 0;
  if (begins(line, "expected")) {
    color = GREEN;
    colored = strlen("expected");
  } else if (begins(line, "found")) {
    color = RED;
    colored = strlen("found");
  } else if (line[0] != ' ') {
    color = BOLD;
    colored = place_length(line, length);
  }
  if (colored > 0) {
    fprintf(file, "%s%.*s" PLAIN, color, (int)colored, line);
  }
  fprintf(file, "%.*s\n", (int)(length - colored), line + colored);
}

void scn_reason_print(FILE *file, const char *failure, bool color) {
  const char *line = failure == NULL ? "" : failure;
  while (*line != '\0') {
    size_t length = strcspn(line, "\n");
    if (color) {
      print_line(file, line, length);
    } else {
      fprintf(file, "%.*s\n", (int)length, line);
    }
    line += length + (line[length] == '\n');
  }
}

void scn_reason_place(const char *failure, char *buffer, size_t size) {
  const char *text = failure == NULL ? "" : failure;
  size_t length = place_length(text, strcspn(text, "\n"));
  snprintf(buffer, size, "%.*s", (int)length, text);
}
