/*
 * shell.c - quotes words and puts commands together.
 */
#include "reports/shell.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void rep_shell_word(const char *text, char *buffer, size_t size) {
  static const char plain[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:@%,";
  size_t length = 0;
  if (text[0] != '\0' && strspn(text, plain) == strlen(text)) {
    snprintf(buffer, size, "%s", text);
    return;
  }
  const char *at = text;
  length += (size_t)snprintf(buffer, size, "'");
  for (; *at != '\0' && length + 8 < size; at++) {
    length += (size_t)snprintf(buffer + length, size - length, *at == '\'' ? "'\\''" : "%c", *at);
  }
  snprintf(buffer + length, size - length, "'");
}

void rep_shell_replay(const char *program, const char *path, int64_t id, char *buffer,
                      size_t size) {
  char program_word[1024];
  char path_word[2048];
  rep_shell_word(program, program_word, sizeof program_word);
  rep_shell_word(path, path_word, sizeof path_word);
  snprintf(buffer, size, "%s replay --db %s %" PRId64, program_word, path_word, id);
}
