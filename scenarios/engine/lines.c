/*
 * lines.c - text that grows, in the arena of a run.
 */
#include "scenarios/engine/lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool reserve(struct scn_lines *lines, size_t needed) {
  if (needed <= lines->capacity) {
    return true;
  }
  size_t capacity = lines->capacity == 0 ? 256 : lines->capacity;
  while (capacity < needed) {
    capacity *= 2;
  }
  char *data = sim_arena_allocate(lines->arena, capacity);
  if (data == NULL) {
    return false;
  }
  if (lines->length > 0) {
    memcpy(data, lines->data, lines->length);
  }
  data[lines->length] = '\0';
  sim_arena_release(lines->arena, lines->data, lines->capacity);
  lines->data = data;
  lines->capacity = capacity;
  return true;
}

void scn_lines_add(struct scn_lines *lines, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length < 0 || !reserve(lines, lines->length + (size_t)length + 1)) {
    return;
  }
  va_start(arguments, format);
  vsnprintf(lines->data + lines->length, (size_t)length + 1, format, arguments);
  va_end(arguments);
  lines->length += (size_t)length;
}
