/*
 * detail.h - reads the detail of an event, a JSON object, without making a tree of it.
 *
 * It is for objects as the recorder writes them. One that is not well formed has no further
 * fields from there on.
 */
#ifndef REPORTS_DETAIL_H
#define REPORTS_DETAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A field. Both parts point into the detail and are not NUL-terminated; the value is JSON as it
 * stands there, a string with its quotes. */
struct rep_field {
  const char *key;
  size_t key_length;
  const char *value;
  size_t value_length;
};

/* Takes the next field, from `*at`, which begins as the detail ("" or NULL: it has no fields). */
bool rep_detail_next(const char **at, struct rep_field *field);

/* Whether the value is a whole number of 64 bits. */
bool rep_field_integer(const struct rep_field *field, int64_t *value);

/* The field `key` as a number; `otherwise` when it has none. */
int64_t rep_detail_integer(const char *detail, const char *key, int64_t otherwise);

/* The field `key`, a string, with its escapes left in, cut off at the buffer's end. "" when there
 * is none. */
const char *rep_detail_text(const char *detail, const char *key, char *buffer, size_t size);

#endif
