/*
 * load_file.c - reads files, and carries a scenario from its text to the caller or to nothing.
 */
#include "scenarios/engine/load_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/load_internal.h"

static const char too_big[] = "it has more than 64 MiB";
static const char no_memory[] = "there is not memory enough for it";

/* Reads to the end; the buffer doubles. */
static const char *read_all(FILE *file, void *(*take)(size_t), char **text, size_t *length) {
  size_t capacity = 64 * 1024, used = 0;
  char *buffer = take(capacity);
  while (buffer != NULL) {
    used += fread(buffer + used, 1, capacity - used, file);
    if (used < capacity || used > SCN_JSON_SIZE_LIMIT) {
      break;
    }
    char *larger = take(2 * capacity);
    if (larger != NULL) {
      memcpy(larger, buffer, used);
    }
    free(buffer);
    buffer = larger;
    capacity *= 2;
  }
  const char *reason = buffer == NULL               ? no_memory
                       : ferror(file)               ? strerror(errno)
                       : used > SCN_JSON_SIZE_LIMIT ? too_big
                                                    : NULL;
  if (reason != NULL) {
    free(buffer);
    return reason;
  }
  *text = buffer;
  *length = used;
  return NULL;
}

const char *scn_load_file_read(const char *path, void *(*allocate)(size_t size), char **text,
                               size_t *length) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    return strerror(errno);
  }
  const char *reason = read_all(file, allocate != NULL ? allocate : malloc, text, length);
  fclose(file);
  return reason;
}

static void report_json(void *context, struct scn_position position, const char *message) {
  scn_load_error(context, position, "%s", message);
}

static bool start(struct scn_loader *loader, const char *path,
                  const struct scn_load_options *options) {
  *loader = (struct scn_loader){.seed = 1};
  if (options != NULL) {
    loader->options = *options;
  }
  loader->memory = scn_memory_create(loader->options.allocate);
  if (loader->memory == NULL) {
    return false;
  }
  loader->path = scn_memory_copy(loader->memory, path, strlen(path));
  loader->scenario = scn_memory_take(loader->memory, 1, sizeof *loader->scenario);
  if (loader->path == NULL || loader->scenario == NULL) {
    scn_memory_destroy(loader->memory);
    return false;
  }
  loader->scenario->path = loader->path;
  loader->scenario->memory = loader->memory;
  return true;
}

static void report_file(const char *path, const char *message, scn_report report, void *context) {
  struct scn_problem problem = {.severity = SCN_ERROR, .path = path, .message = message};
  report(context, &problem);
}

struct scn_scenario *scn_scenario_parse(const char *path, const char *text, size_t length,
                                        const struct scn_load_options *options, scn_report report,
                                        void *context) {
  struct scn_loader loader;
  if (!start(&loader, path, options)) {
    report_file(path, "expected memory enough to read this file, found none", report, context);
    errno = ENOMEM;
    return NULL;
  }
  if (length > SCN_JSON_SIZE_LIMIT) {
    scn_load_error(&loader, (struct scn_position){0}, "expected at most 64 MiB, found %zu bytes",
                   length);
  } else {
    loader.root = scn_json_parse(loader.memory, text, length, report_json, &loader);
  }
  if (loader.root != NULL) {
    scn_load_scenario(&loader);
  }
  rep_sql_close(loader.sql);
  scn_load_tell(&loader, report, context);
  if (loader.error_count > 0) {
    bool without_memory = scn_memory_failed(loader.memory);
    scn_memory_destroy(loader.memory);
    errno = without_memory ? ENOMEM : 0;
    return NULL;
  }
  return loader.scenario;
}

struct scn_scenario *scn_scenario_load(const char *path, const struct scn_load_options *options,
                                       scn_report report, void *context) {
  char *text = NULL;
  size_t length = 0;
  const char *reason =
      scn_load_file_read(path, options != NULL ? options->allocate : NULL, &text, &length);
  if (reason != NULL) {
    char message[300];
    snprintf(message, sizeof message, "expected a file that can be read, found that it can not: %s",
             reason);
    report_file(path, message, report, context);
    return NULL;
  }
  struct scn_scenario *scenario = scn_scenario_parse(path, text, length, options, report, context);
  free(text);
  return scenario;
}

void scn_scenario_destroy(struct scn_scenario *scenario) {
  if (scenario != NULL) {
    scn_memory_destroy(scenario->memory);
  }
}
