/* expect_text.c - growing text and how single values are written; knows nothing of expectations. */
#include "scenarios/engine/expect_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/duration.h"

#define FIRST_CAPACITY ((size_t)256)

void scn_text_init_fixed(struct scn_text *text, char *buffer, size_t size) {
  *text = (struct scn_text){.data = buffer, .capacity = size, .fixed = true};
  if (size > 0) {
    buffer[0] = '\0';
  }
}

void scn_text_deinit(struct scn_text *text) {
  if (!text->fixed) {
    free(text->data);
  }
  *text = (struct scn_text){0};
}

/* Makes room for `more` bytes and a NUL; false when they must be dropped. */
static bool reserve(struct scn_text *text, size_t more) {
  if (text->fixed || text->failed) {
    return !text->failed;
  }
  size_t needed = text->length + more + 1;
  if (needed <= text->capacity) {
    return true;
  }
  size_t capacity = text->capacity > 0 ? text->capacity : FIRST_CAPACITY;
  while (capacity < needed) {
    capacity *= 2;
  }
  char *data = realloc(text->data, capacity);
  if (data == NULL) {
    text->failed = true;
    return false;
  }
  text->data = data;
  text->capacity = capacity;
  return true;
}

static void append_bytes(struct scn_text *text, const char *bytes, size_t count) {
  if (!reserve(text, count)) {
    return;
  }
  if (text->length < text->capacity) {
    size_t room = text->capacity - text->length - 1;
    size_t copied = count < room ? count : room;
    memcpy(text->data + text->length, bytes, copied);
    text->data[text->length + copied] = '\0';
  }
  text->length += count;
}

void scn_text_append(struct scn_text *text, const char *string) {
  append_bytes(text, string, strlen(string));
}

void scn_text_printf(struct scn_text *text, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length < 0) {
    text->failed = true;
    return;
  }
  if (!reserve(text, (size_t)length)) {
    return;
  }
  size_t room = text->length < text->capacity ? text->capacity - text->length : 0;
  va_start(arguments, format);
  (void)vsnprintf(room > 0 ? text->data + text->length : NULL, room, format, arguments);
  va_end(arguments);
  text->length += (size_t)length;
}

void scn_text_spaces(struct scn_text *text, size_t count) {
  for (size_t i = 0; i < count; i++) {
    append_bytes(text, " ", 1);
  }
}

void scn_text_cut(struct scn_text *text, size_t length) {
  if (length < text->length) {
    text->length = length;
    if (length < text->capacity) {
      text->data[length] = '\0';
    }
  }
}

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* A word that could be taken for another value (a number, true, null) is none. */
static bool is_plain_word(const char *string) {
  static const char *const values[] = {"true", "false", "null"};
  if (!is_letter(string[0])) {
    return false;
  }
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    if (strcmp(string, values[i]) == 0) {
      return false;
    }
  }
  for (const char *c = string; *c != '\0'; c++) {
    bool digit = *c >= '0' && *c <= '9';
    if (!is_letter(*c) && !digit && strchr("-#.:/@?&=%+", *c) == NULL) {
      return false;
    }
  }
  return true;
}

void scn_text_word(struct scn_text *text, const char *string) {
  if (is_plain_word(string)) {
    scn_text_append(text, string);
  } else {
    scn_text_quoted(text, string);
  }
}

void scn_text_quoted(struct scn_text *text, const char *string) {
  append_bytes(text, "\"", 1);
  for (const char *c = string; *c != '\0'; c++) {
    unsigned char byte = (unsigned char)*c;
    if (byte == '"' || byte == '\\') {
      scn_text_printf(text, "\\%c", byte);
    } else if (byte == '\n') {
      append_bytes(text, "\\n", 2);
    } else if (byte < 0x20 || byte == 0x7f) {
      scn_text_printf(text, "\\u%04x", byte);
    } else {
      append_bytes(text, c, 1);
    }
  }
  append_bytes(text, "\"", 1);
}

void scn_text_folded(struct scn_text *text, const char *string) {
  const char *spaces = " \t\r\n";
  const char *at = string + strspn(string, spaces);
  while (*at != '\0') {
    size_t length = strcspn(at, spaces);
    append_bytes(text, at, length);
    at += length;
    at += strspn(at, spaces);
    if (*at != '\0') {
      append_bytes(text, " ", 1);
    }
  }
}

void scn_text_duration(struct scn_text *text, int64_t duration_ns) {
  if (duration_ns == WSP_TIME_NEVER) {
    scn_text_append(text, "never");
    return;
  }
  char formatted[SIM_DURATION_TEXT_SIZE];
  sim_duration_format(duration_ns, formatted);
  scn_text_append(text, formatted);
}

void scn_text_decimal(struct scn_text *text, int64_t billionths) {
  int64_t whole = billionths / WSP_DECIMAL_ONE;
  int64_t rest = billionths % WSP_DECIMAL_ONE;
  int places = 9;
  rest = rest < 0 ? -rest : rest;
  while (places > 1 && rest % 10 == 0) {
    rest /= 10;
    places--;
  }
  /* The sign on its own: -0.5 has a whole part that shows none. */
  scn_text_printf(text, "%s%" PRId64, billionths < 0 ? "-" : "", whole < 0 ? -whole : whole);
  if (rest > 0) {
    scn_text_printf(text, ".%0*" PRId64, places, rest);
  }
}

char *scn_text_take(struct scn_text *text) {
  append_bytes(text, "", 0);
  char *taken = text->data;
  if (text->failed) {
    free(taken);
    taken = NULL;
  }
  *text = (struct scn_text){0};
  return taken;
}
