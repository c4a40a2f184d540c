/*
 * load_trace.c - trace files: one number a line, in milliseconds, with up to six decimals.
 *
 * It knows no columns, no header line and no comments. A relative name is looked for beside the
 * scenario file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/load_file.h"
#include "scenarios/engine/load_internal.h"

static const char *beside(struct scn_loader *loader, const char *name) {
  const char *slash = strrchr(loader->path, '/');
  if (name[0] == '/' || slash == NULL) {
    return name;
  }
  return scn_memory_format(loader->memory, "%.*s/%s", (int)(slash - loader->path), loader->path,
                           name);
}

struct reading {
  struct scn_loader *loader;
  const struct scn_json_value *value;
  const char *path;
  bool ascending;
  int64_t *values;
  size_t count;
  bool wrong;
};

/* `line` without the white space around. */
static void read_line(struct reading *reading, const char *line, size_t length, int number) {
  struct scn_position position = {.line = number, .column = 1};
  bool negative = false;
  uint64_t magnitude = 0;
  int shown = length > 40 ? 40 : (int)length;
  bool right = length > 0 && length <= SCN_JSON_NUMBER_LIMIT &&
               scn_json_number_length(line, length) == length &&
               scn_json_number(line, length, 6, &negative, &magnitude) == SCN_NUMBER_OK &&
               !negative && magnitude <= (uint64_t)LOAD_TIME_LIMIT;
  if (!right) {
    reading->wrong = true;
    scn_load_error_in(
        reading->loader, reading->value, reading->path, position,
        "expected a time in milliseconds (0 or more, at most six decimals), found \"%.*s\"", shown,
        line);
    return;
  }
  int64_t time = (int64_t)magnitude;
  if (reading->ascending && reading->count > 0 && reading->values[reading->count - 1] > time) {
    reading->wrong = true;
    scn_load_error_in(reading->loader, reading->value, reading->path, position,
                      "expected a time not before the line above, found \"%.*s\"", shown, line);
    return;
  }
  reading->values[reading->count++] = time;
}

static void read_lines(struct reading *reading, const char *text, size_t length) {
  int number = 1;
  for (size_t start = 0; start < length; number++) {
    const char *newline = memchr(text + start, '\n', length - start);
    size_t end = newline == NULL ? length : (size_t)(newline - text);
    size_t first = start, last = end;
    while (first < last && strchr(" \t\r", text[first]) != NULL && text[first] != '\0') {
      first++;
    }
    while (last > first && strchr(" \t\r", text[last - 1]) != NULL && text[last - 1] != '\0') {
      last--;
    }
    read_line(reading, text + first, last - first, number);
    start = end + 1;
  }
}

static size_t count_lines(const char *text, size_t length) {
  size_t lines = length > 0 && text[length - 1] != '\n';
  for (size_t i = 0; i < length; i++) {
    lines += text[i] == '\n';
  }
  return lines;
}

/* Blank lines at the end belong to no one. */
static size_t without_blank_end(const char *text, size_t length) {
  while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL && text[length - 1] != '\0') {
    length--;
  }
  return length;
}

static bool read_text(struct reading *reading, const char *text, size_t length) {
  struct scn_loader *loader = reading->loader;
  size_t used = without_blank_end(text, length), lines = count_lines(text, used);
  struct scn_position start = {.line = 1, .column = 1};
  if (lines == 0 || lines > LOAD_TRACE_LIMIT) {
    scn_load_error_in(loader, reading->value, reading->path, start,
                      "expected 1 to %d lines with a time each, found %zu", LOAD_TRACE_LIMIT,
                      lines);
    return false;
  }
  reading->values = scn_memory_take(loader->memory, lines, sizeof *reading->values);
  if (reading->values == NULL) {
    return false;
  }
  read_lines(reading, text, used);
  return !reading->wrong;
}

bool scn_load_trace(struct scn_loader *loader, const struct scn_json_value *value, bool ascending,
                    const int64_t **values, size_t *count) {
  if (!scn_load_is(loader, value, SCN_JSON_STRING, "the name of a file")) {
    return false;
  }
  struct reading reading = {.loader = loader,
                            .value = value,
                            .path = beside(loader, value->string),
                            .ascending = ascending};
  if (reading.path == NULL) {
    return false;
  }
  char *text = NULL;
  size_t length = 0;
  const char *reason = scn_load_file_read(reading.path, loader->options.allocate, &text, &length);
  if (reason != NULL) {
    scn_load_error(loader, value->position, "%sexpected a file that can be read, found %s: %s",
                   scn_load_where(loader, value), reading.path, reason);
    return false;
  }
  bool right = read_text(&reading, text, length);
  free(text);
  *values = reading.values;
  *count = reading.count;
  return right;
}
