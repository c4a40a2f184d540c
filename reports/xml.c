/*
 * xml.c - text as XML: escapes and replacements. It knows nothing of documents.
 */
#include "reports/xml.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* The length of the UTF-8 sequence at `text`, 0 when it is none or XML forbids its character. */
static size_t sequence_length(const unsigned char *text, size_t length) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t count = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
  if (count == 1) {
    return 1;
  }
  if (text[0] < 0xc2 || text[0] > 0xf4 || count > length) {
    return 0;
  }
  uint32_t character = text[0] & (0xffU >> (count + 1));
  for (size_t i = 1; i < count; i++) {
    if ((text[i] & 0xc0) != 0x80) {
      return 0;
    }
    character = character << 6 | (text[i] & 0x3fU);
  }
  if (character < least[count] || character > 0x10ffff || (character & 0xfffff800) == 0xd800 ||
      character == 0xfffe || character == 0xffff) {
    return 0;
  }
  return count;
}

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
    size_t sequence = sequence_length(at, length);
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
