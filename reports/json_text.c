/*
 * json_text.c - escapes texts for JSON.
 */
#include "reports/json_text.h"

#include <string.h>

#include "reports/utf8.h"

static void write_ascii(FILE *file, unsigned char byte) {
  static const char escaped[] = "\"\\\b\f\n\r\t";
  static const char letters[] = "\"\\bfnrt";
  const char *found = byte == '\0' ? NULL : strchr(escaped, byte);
  if (found != NULL) {
    fprintf(file, "\\%c", letters[found - escaped]);
  } else if (byte < 0x20 || byte == '<' || byte == 0x7f) {
    fprintf(file, "\\u%04x", (unsigned)byte);
  } else {
    fputc(byte, file);
  }
}

void rep_json_string(FILE *file, const char *text) {
  size_t left = strlen(text);
  fputc('"', file);
  while (left > 0) {
    size_t length = rep_utf8_length(text, left);
    if (length == 0) {
      fputs("\\ufffd", file);
      length = 1;
    } else if (length == 1) {
      write_ascii(file, (unsigned char)*text);
    } else {
      fwrite(text, 1, length, file);
    }
    text += length;
    left -= length;
  }
  fputc('"', file);
}

void rep_json_string_or_null(FILE *file, const char *text) {
  if (text[0] == '\0') {
    fputs("null", file);
  } else {
    rep_json_string(file, text);
  }
}
