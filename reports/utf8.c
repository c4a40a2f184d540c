/*
 * utf8.c - decodes one sequence.
 */
#include "reports/utf8.h"

#include <stdint.h>

size_t rep_utf8_length(const char *bytes, size_t length) {
  const unsigned char *text = (const unsigned char *)bytes;
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
