/*
 * markdown_text.c - escapes, and fences that are longer than what they hold.
 */
#include "reports/markdown_text.h"

#include <stdbool.h>
#include <string.h>

#include "reports/utf8.h"

/* The longest run of backticks. */
static size_t longest_run(const char *text, size_t length) {
  size_t longest = 0;
  size_t run = 0;
  for (size_t i = 0; i < length; i++) {
    run = text[i] == '`' ? run + 1 : 0;
    longest = run > longest ? run : longest;
  }
  return longest;
}

static void repeat(FILE *file, char sign, size_t count) {
  for (size_t i = 0; i < count; i++) {
    fputc(sign, file);
  }
}

/* Text without control characters and without bytes that are not UTF-8. */
static void write_clean(FILE *file, const char *text, size_t length, bool lines) {
  while (length > 0) {
    size_t sequence = rep_utf8_length(text, length);
    if (sequence == 0) {
      fputs("\xef\xbf\xbd", file);
      sequence = 1;
    } else if (sequence > 1) {
      fwrite(text, 1, sequence, file);
    } else if ((unsigned char)*text < 0x20 && *text != '\t' && !(lines && *text == '\n')) {
      fputc(' ', file);
    } else {
      fputc(*text, file);
    }
    text += sequence;
    length -= sequence;
  }
}

void rep_markdown_text(FILE *file, const char *text) {
  for (; *text != '\0'; text++) {
    if ((unsigned char)*text < 0x20) {
      fputc(' ', file);
    } else {
      if (strchr("\\`*_{}[]<>()#+!|~&@", *text) != NULL) {
        fputc('\\', file);
      }
      fputc(*text, file);
    }
  }
}

void rep_markdown_code(FILE *file, const char *text, size_t length) {
  size_t fence = longest_run(text, length) + 1;
  fence = fence < 3 ? 3 : fence;
  repeat(file, '`', fence);
  fputs("text\n", file);
  write_clean(file, text, length, true);
  if (length == 0 || text[length - 1] != '\n') {
    fputc('\n', file);
  }
  repeat(file, '`', fence);
  fputc('\n', file);
}

void rep_markdown_command(FILE *file, const char *text) {
  size_t length = strlen(text);
  size_t fence = longest_run(text, length) + 1;
  const char *space = fence > 1 ? " " : "";
  repeat(file, '`', fence);
  fputs(space, file);
  write_clean(file, text, length, false);
  fputs(space, file);
  repeat(file, '`', fence);
}
