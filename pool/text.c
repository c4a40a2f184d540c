/*
 * text.c - names and texts of errors and reasons, conn ids' numbers. No stdio: the library must
 * not depend on a locale or a stream.
 */
#include <string.h>

#include "pool/internal.h"

const char *wsp_error_name(enum wsp_error error) {
  static const char *const names[] = {
#define NAME(id, name, text) name,
      WSP_ERROR_LIST(NAME)
#undef NAME
  };
  return (size_t)error < sizeof names / sizeof *names ? names[error] : "";
}

const char *wsp_error_text(enum wsp_error error) {
  static const char *const texts[] = {
#define TEXT(id, name, text) text,
      WSP_ERROR_LIST(TEXT)
#undef TEXT
  };
  return (size_t)error < sizeof texts / sizeof *texts ? texts[error] : "";
}

const char *wsp_reason_name(enum wsp_reason reason) {
  static const char *const names[] = {
#define NAME(id, name) name,
      WSP_REASON_LIST(NAME)
#undef NAME
  };
  return (size_t)reason < sizeof names / sizeof *names ? names[reason] : "";
}

size_t wsp_text_of_integer(int64_t value, char text[INTEGER_TEXT_SIZE]) {
  char reversed[INTEGER_TEXT_SIZE];
  size_t digits = 0;
  uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
  do {
    reversed[digits++] = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  size_t length = 0;
  if (value < 0) {
    text[length++] = '-';
  }
  while (digits > 0) {
    text[length++] = reversed[--digits];
  }
  text[length] = '\0';
  return length;
}

static char *put_behind(char *at, const char *text, size_t length) {
  memcpy(at, text, length);
  at[length] = '\0';
  return at + length;
}

char *wsp_text_of_failure(const struct wsp_memory *memory, enum wsp_error error, int status,
                          struct wsp_span cause, size_t *size) {
  static const char status_mark[] = ": status=";
  const char *text = wsp_error_text(error);
  *size = strlen(text) + sizeof status_mark + INTEGER_TEXT_SIZE + cause.length + 3;
  char *whole = wsp_memory_allocate(memory, *size);
  if (whole == NULL) {
    return NULL;
  }
  char *at = put_behind(whole, text, strlen(text));
  if (status != 0) {
    char number[INTEGER_TEXT_SIZE];
    size_t length = wsp_text_of_integer(status, number);
    at = put_behind(at, status_mark, sizeof status_mark - 1);
    at = put_behind(at, number, length);
  }
  if (cause.length > 0) {
    at = put_behind(at, ": ", 2);
    put_behind(at, cause.text, cause.length);
  }
  return whole;
}
