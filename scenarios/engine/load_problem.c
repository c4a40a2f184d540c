/*
 * load_problem.c - collects problems while a file is read, and tells them in the file's order.
 */
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/load_internal.h"

enum { FOUND_LIMIT = 60 };

static void add(struct scn_loader *loader, struct load_problem problem, const char *format,
                va_list arguments) {
  if (problem.severity == SCN_ERROR) {
    loader->error_count++;
  }
  if (loader->error_count > LOAD_PROBLEM_LIMIT) {
    return;
  }
  struct load_problem *kept = scn_memory_take(loader->memory, 1, sizeof *kept);
  problem.message = scn_memory_vformat(loader->memory, format, arguments);
  if (kept == NULL || problem.message == NULL) {
    return;
  }
  problem.order = loader->problem_count++;
  problem.next = loader->problems;
  *kept = problem;
  loader->problems = kept;
}

void scn_load_error(struct scn_loader *loader, struct scn_position position, const char *format,
                    ...) {
  struct load_problem problem = {
      .severity = SCN_ERROR, .place = position, .path = loader->path, .position = position};
  va_list arguments;
  va_start(arguments, format);
  add(loader, problem, format, arguments);
  va_end(arguments);
}

void scn_load_warning(struct scn_loader *loader, struct scn_position position, const char *format,
                      ...) {
  struct load_problem problem = {
      .severity = SCN_WARNING, .place = position, .path = loader->path, .position = position};
  va_list arguments;
  va_start(arguments, format);
  add(loader, problem, format, arguments);
  va_end(arguments);
}

void scn_load_error_in(struct scn_loader *loader, const struct scn_json_value *value,
                       const char *path, struct scn_position position, const char *format, ...) {
  struct load_problem problem = {
      .severity = SCN_ERROR, .place = value->position, .path = path, .position = position};
  va_list arguments;
  va_start(arguments, format);
  add(loader, problem, format, arguments);
  va_end(arguments);
}

/* NULL, which only the lack of memory brings, must not reach a printf. */
static const char *never_null(const char *text) {
  return text != NULL ? text : "";
}

const char *scn_load_where(struct scn_loader *loader, const struct scn_json_value *value) {
  const struct scn_json_value *named = value;
  while (named->key == NULL && named->parent != NULL && named->parent->key == NULL) {
    named = named->parent;
  }
  if (named->key != NULL) {
    return never_null(scn_memory_format(loader->memory, "\"%.100s\": ", named->key));
  }
  if (named->parent == NULL) {
    return "";
  }
  return never_null(scn_memory_format(loader->memory, "item %zu of \"%.100s\": ", named->index + 1,
                                      named->parent->key));
}

const char *scn_load_found(struct scn_loader *loader, const struct scn_json_value *value) {
  size_t length = value->length;
  switch (value->kind) {
    case SCN_JSON_NULL:
      return "null";
    case SCN_JSON_BOOL:
      return value->boolean ? "true" : "false";
    case SCN_JSON_NUMBER:
      return never_null(
          scn_memory_format(loader->memory, "the number %.*s", (int)length, value->text));
    case SCN_JSON_STRING:
      if (length <= FOUND_LIMIT) {
        return never_null(scn_memory_format(loader->memory, "%.*s", (int)length, value->text));
      }
      length = FOUND_LIMIT;
      while (((unsigned char)value->text[length] & 0xc0) == 0x80) {
        length--;
      }
      return never_null(scn_memory_format(loader->memory, "%.*s...\"", (int)length, value->text));
    case SCN_JSON_LIST:
      return value->count == 0 ? "an empty list" : "a list";
    case SCN_JSON_OBJECT:
      return value->count == 0 ? "an empty object" : "an object";
  }
  return "";
}

void scn_load_expected_hint(struct scn_loader *loader, const struct scn_json_value *value,
                            const char *expected, const char *hint) {
  if (!value->broken) {
    scn_load_error(loader, value->position, "%sexpected %s, found %s%s",
                   scn_load_where(loader, value), never_null(expected),
                   scn_load_found(loader, value), never_null(hint));
  }
}

void scn_load_expected(struct scn_loader *loader, const struct scn_json_value *value,
                       const char *expected) {
  scn_load_expected_hint(loader, value, expected, "");
}

static int compare_problems(const void *left, const void *right) {
  const struct load_problem *a = *(const struct load_problem *const *)left;
  const struct load_problem *b = *(const struct load_problem *const *)right;
  if (a->place.line != b->place.line) {
    return a->place.line < b->place.line ? -1 : 1;
  }
  if (a->place.column != b->place.column) {
    return a->place.column < b->place.column ? -1 : 1;
  }
  return a->order < b->order ? -1 : a->order > b->order;
}

static void tell(const struct load_problem *problem, scn_report report, void *context) {
  struct scn_problem told = {.severity = problem->severity,
                             .path = problem->path,
                             .position = problem->position,
                             .message = problem->message};
  report(context, &told);
}

static void tell_of_file(const struct scn_loader *loader, const char *message, scn_report report,
                         void *context) {
  struct load_problem problem = {.severity = SCN_ERROR, .path = loader->path, .message = message};
  tell(&problem, report, context);
}

void scn_load_tell(struct scn_loader *loader, scn_report report, void *context) {
  size_t count = loader->problem_count;
  struct load_problem **sorted =
      scn_memory_take(loader->memory, count, sizeof(struct load_problem *));
  if (scn_memory_failed(loader->memory)) {
    loader->error_count++;
    tell_of_file(loader, "expected memory enough to read this file, found none", report, context);
    return;
  }
  size_t i = 0;
  for (struct load_problem *problem = loader->problems; problem != NULL; problem = problem->next) {
    sorted[i++] = problem;
  }
  if (count > 0) {
    qsort(sorted, count, sizeof *sorted, compare_problems);
  }
  for (i = 0; i < count; i++) {
    tell(sorted[i], report, context);
  }
  if (loader->error_count > LOAD_PROBLEM_LIMIT) {
    tell_of_file(loader, "there are more mistakes than the 1000 that are shown", report, context);
  }
}
