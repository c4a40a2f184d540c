/*
 * xml.c - text as XML: escapes and replacements. It knows nothing of documents.
 */
#include "reports/xml.h"

#include <stdbool.h>
#include <string.h>

#include "reports/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static void write_ascii(FILE *file, unsigned char byte, bool in_attribute) {
  switch (byte) {
    case '&':
      fputs("&amp;", file);
      break;
    case '<':
      fputs("&lt;", file);
      break;
    case '>':
      fputs("&gt;", file);
      break;
    case '"':
      fputs("&quot;", file);
      break;
    case '\r': /* a parser makes a line's end of it */
      fputs("&#13;", file);
      break;
    case '\t':
    case '\n': /* an attribute folds them */
      fprintf(file, in_attribute ? "&#%d;" : "%c", byte);
      break;
    default:
      if (byte < 0x20) {
        fprintf(file, "\xe2\x90%c", 0x80 + byte);
      } else {
        fputc(byte, file);
      }
  }
}

static void write_text(FILE *file, const char *text, size_t length, bool in_attribute) {
  const unsigned char *at = (const unsigned char *)text;
  while (length > 0) {
    size_t sequence = rep_utf8_length((const char *)at, length);
    if (sequence == 0) {
      fputs(REPLACEMENT, file);
      sequence = 1;
    } else if (sequence == 1) {
      write_ascii(file, *at, in_attribute);
    } else {
      fwrite(at, 1, sequence, file);
    }
    at += sequence;
    length -= sequence;
  }
}

void rep_xml_text(FILE *file, const char *text) {
  write_text(file, text, strlen(text), false);
}

void rep_xml_value(FILE *file, const char *text, size_t length) {
  write_text(file, text, length, true);
}

void rep_xml_attribute(FILE *file, const char *name, const char *value) {
  fprintf(file, " %s=\"", name);
  rep_xml_value(file, value, strlen(value));
  fputc('"', file);
}
