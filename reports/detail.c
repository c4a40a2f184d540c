/*
 * detail.c - takes the fields of a JSON object one after the other.
 */
#include "reports/detail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_space(const char *at) {
  return at + strspn(at, " \t\r\n");
}

/* Behind the string that begins at `at`; NULL: it does not end. */
static const char *skip_string(const char *at) {
  for (at++; *at != '"'; at++) {
    if (*at == '\\') {
      at++;
    }
    if (*at == '\0') {
      return NULL;
    }
  }
  return at + 1;
}

/* Behind the value that begins at `at`; NULL: it does not end. */
static const char *skip_value(const char *at) {
  int depth = 0;
  while (*at != '\0') {
    if (*at == '"') {
      at = skip_string(at);
      if (at == NULL) {
        return NULL;
      }
    } else if (*at == '{' || *at == '[') {
      depth++;
      at++;
    } else if (*at == '}' || *at == ']' || *at == ',') {
      if (depth == 0) {
        return at;
      }
      depth -= *at != ',';
      at++;
    } else {
      at++;
    }
  }
  return NULL;
}

bool rep_detail_next(const char **at, struct rep_field *field) {
  if (*at == NULL) {
    return false;
  }
  const char *next = skip_space(*at);
  *at = NULL;
  if (*next != '{' && *next != ',') {
    return false;
  }
  next = skip_space(next + 1);
  const char *end = *next == '"' ? skip_string(next) : NULL;
  if (end == NULL) {
    return false;
  }
  field->key = next + 1;
  field->key_length = (size_t)(end - next) - 2;
  next = skip_space(end);
  if (*next != ':') {
    return false;
  }
  field->value = skip_space(next + 1);
  end = skip_value(field->value);
  if (end == NULL) {
    return false;
  }
  *at = end;
  while (end > field->value && strchr(" \t\r\n", end[-1]) != NULL) {
    end--;
  }
  field->value_length = (size_t)(end - field->value);
  return true;
}

bool rep_field_integer(const struct rep_field *field, int64_t *value) {
  char text[24];
  char *end;
  if (field->value_length == 0 || field->value_length >= sizeof text ||
      (field->value[0] != '-' && (field->value[0] < '0' || field->value[0] > '9'))) {
    return false;
  }
  memcpy(text, field->value, field->value_length);
  text[field->value_length] = '\0';
  errno = 0;
  long long number = strtoll(text, &end, 10);
  *value = number;
  return *end == '\0' && errno == 0;
}

static bool find(const char *detail, const char *key, struct rep_field *field) {
  size_t length = strlen(key);
  const char *at = detail;
  while (rep_detail_next(&at, field)) {
    if (field->key_length == length && memcmp(field->key, key, length) == 0) {
      return true;
    }
  }
  return false;
}

int64_t rep_detail_integer(const char *detail, const char *key, int64_t otherwise) {
  struct rep_field field;
  int64_t value;
  return find(detail, key, &field) && rep_field_integer(&field, &value) ? value : otherwise;
}

const char *rep_detail_text(const char *detail, const char *key, char *buffer, size_t size) {
  struct rep_field field;
  size_t length = 0;
  if (find(detail, key, &field) && field.value_length >= 2 && field.value[0] == '"') {
    length = field.value_length - 2 < size ? field.value_length - 2 : size - 1;
    memcpy(buffer, field.value + 1, length);
  }
  buffer[length] = '\0';
  return buffer;
}
