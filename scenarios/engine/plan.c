/*
 * plan.c - loads the files that a command line names and lists what is to be run.
 */
#include "scenarios/engine/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/hash.h"
#include "scenarios/engine/files.h"
#include "scenarios/engine/live.h"
#include "scenarios/engine/needs.h"
#include "scenarios/engine/packet.h"

/* Passes problems on and counts the errors. */
struct counting_report {
  scn_report report;
  void *context;
  size_t errors;
};

static void count_and_report(void *context, const struct scn_problem *problem) {
  struct counting_report *counting = context;
  counting->errors += problem->severity == SCN_ERROR;
  counting->report(counting->context, problem);
}

static void report_error(struct counting_report *counting, const char *path, const char *format,
                         ...) {
  char message[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  count_and_report(counting,
                   &(struct scn_problem){.severity = SCN_ERROR, .path = path, .message = message});
}

static enum scn_plan_error find_files(struct scn_paths *found, const char *const *paths,
                                      size_t path_count, struct counting_report *counting) {
  for (size_t i = 0; i < path_count; i++) {
    size_t before = found->count;
    int error = scn_paths_add(found, paths[i]);
    if (error == ENOMEM) {
      return SCN_PLAN_NO_MEMORY;
    }
    if (error == SCN_PATHS_NO_FILE) {
      report_error(counting, paths[i],
                   "expected a scenario file or a folder of them; found a pipe, a device or a "
                   "socket; save what it gives as a file, so that the run can be repeated");
    } else if (error != 0) {
      report_error(counting, paths[i], "expected a scenario file or a folder of them; found: %s",
                   strerror(error));
    } else if (found->count == before) {
      report_error(counting, paths[i],
                   "expected scenario files (*.json, but not schema.json) in this folder or below "
                   "it; found none");
    }
  }
  return scn_paths_unique(found) == 0 ? SCN_PLAN_OK : SCN_PLAN_NO_MEMORY;
}

/* A file that is bad is reported and left out. False: no memory. */
static bool load_file(struct scn_plan *plan, char *path, const struct scn_load_options *options,
                      struct counting_report *counting) {
  size_t length;
  char *text = scn_file_read(path, &length);
  plan->files_read++;
  if (text == NULL) {
    if (errno == ENOMEM) {
      return false;
    }
    report_error(counting, path, "expected a readable scenario file; found: %s", strerror(errno));
    plan->bad_files++;
    return true;
  }
  struct scn_scenario *scenario =
      scn_scenario_parse(path, text, length, options, count_and_report, counting);
  if (scenario == NULL) {
    bool no_memory = errno == ENOMEM;
    free(text);
    if (no_memory) {
      return false;
    }
    plan->bad_files++;
    return true;
  }
  plan->files[plan->file_count++] =
      (struct scn_plan_file){.path = path, .text = text, .scenario = scenario};
  return true;
}

/* ---- Names are unique --------------------------------------------------------------------- */

static int compare_names(const void *left, const void *right) {
  const struct scn_plan_file *a = *(const struct scn_plan_file *const *)left;
  const struct scn_plan_file *b = *(const struct scn_plan_file *const *)right;
  int order = strcmp(a->scenario->name, b->scenario->name);
  return order != 0 ? order : (a > b) - (a < b);
}

static bool check_names(struct scn_plan *plan, struct counting_report *counting) {
  if (plan->file_count < 2) {
    return true;
  }
  const struct scn_plan_file **sorted = malloc(plan->file_count * sizeof *sorted);
  if (sorted == NULL) {
    return false;
  }
  for (size_t i = 0; i < plan->file_count; i++) {
    sorted[i] = &plan->files[i];
  }
  qsort(sorted, plan->file_count, sizeof *sorted, compare_names);
  for (size_t i = 1; i < plan->file_count; i++) {
    if (strcmp(sorted[i]->scenario->name, sorted[i - 1]->scenario->name) == 0) {
      report_error(counting, sorted[i]->path,
                   "expected a name that no other scenario has; found \"%s\", which is also the "
                   "name of %s",
                   sorted[i]->scenario->name, sorted[i - 1]->path);
      plan->bad_files++;
    }
  }
  free(sorted);
  return true;
}

enum scn_plan_error scn_plan_load(struct scn_plan *plan, const char *const *paths,
                                  size_t path_count, const struct scn_load_options *options,
                                  scn_report report, void *context) {
  struct counting_report counting = {.report = report, .context = context};
  struct scn_paths found = {0};
  enum scn_plan_error error = find_files(&found, paths, path_count, &counting);
  if (error == SCN_PLAN_OK && found.count > 0) {
    plan->files = calloc(found.count, sizeof *plan->files);
    error = plan->files == NULL ? SCN_PLAN_NO_MEMORY : SCN_PLAN_OK;
  }
  for (size_t i = 0; error == SCN_PLAN_OK && i < found.count; i++) {
    size_t before = plan->file_count;
    if (!load_file(plan, found.items[i], options, &counting)) {
      error = SCN_PLAN_NO_MEMORY;
    }
    if (plan->file_count > before) {
      found.items[i] = NULL; /* the plan has it now */
    }
  }
  if (error == SCN_PLAN_OK && !check_names(plan, &counting)) {
    error = SCN_PLAN_NO_MEMORY;
  }
  scn_paths_deinit(&found);
  return error == SCN_PLAN_OK && counting.errors > 0 ? SCN_PLAN_BAD : error;
}

/* ---- Selection ---------------------------------------------------------------------------- */

static bool has_any_tag(const struct scn_scenario *scenario,
                        const struct scn_plan_selection *selection) {
  for (size_t t = 0; t < selection->tag_count; t++) {
    for (size_t i = 0; i < scenario->tags.count; i++) {
      if (strcmp(scenario->tags.items[i], selection->tags[t]) == 0) {
        return true;
      }
    }
  }
  return selection->tag_count == 0;
}

static bool is_skipped(struct scn_plan *plan, bool live, const struct scn_scenario *scenario,
                       const struct scn_variant *variant) {
  struct scn_plan_skipped *skipped = &plan->skipped[plan->skipped_count];
  if (!scn_needs_more(scenario, variant, sim_pool_under_test(), skipped->reason,
                      sizeof skipped->reason) &&
      !(live && scn_live_cannot(scenario, variant, skipped->reason, sizeof skipped->reason))) {
    return false;
  }
  skipped->scenario = scenario;
  skipped->variant = variant;
  plan->skipped_count++;
  return true;
}

bool scn_plan_select(struct scn_plan *plan, const struct scn_plan_selection *selection,
                     size_t *matched) {
  size_t most = 0;
  for (size_t i = 0; i < plan->file_count; i++) {
    most += plan->files[i].scenario->variant_count;
  }
  plan->items = calloc(most == 0 ? 1 : most, sizeof *plan->items);
  plan->skipped = calloc(most == 0 ? 1 : most, sizeof *plan->skipped);
  if (plan->items == NULL || plan->skipped == NULL) {
    return false;
  }
  *matched = 0;
  for (size_t i = 0; i < plan->file_count; i++) {
    const struct scn_plan_file *file = &plan->files[i];
    if (!has_any_tag(file->scenario, selection)) {
      continue;
    }
    for (size_t v = 0; v < file->scenario->variant_count; v++) {
      if (is_skipped(plan, selection->live, file->scenario, &file->scenario->variants[v])) {
        continue;
      }
      uint64_t number = (*matched)++;
      if (selection->shards > 0 && number % selection->shards != selection->shard - 1) {
        continue;
      }
      plan->items[plan->item_count++] =
          (struct scn_plan_item){.scenario = file->scenario,
                                 .variant = &file->scenario->variants[v],
                                 .source = file->text};
    }
  }
  return true;
}

/* A NUL between any two, so that no two lists read the same. */
static void add_to_digest(struct scn_bytes *bytes, const char *text) {
  scn_bytes_append(bytes, text, strlen(text) + 1);
}

bool scn_plan_sha256(const struct scn_plan *plan, const struct scn_plan_selection *selection,
                     const char *what, char hex[65]) {
  struct scn_bytes bytes = {0};
  add_to_digest(&bytes, what);
  add_to_digest(&bytes, sim_pool_under_test()->name);
  for (size_t i = 0; i < plan->file_count; i++) {
    const struct scn_scenario *scenario = plan->files[i].scenario;
    char source[65];
    if (!has_any_tag(scenario, selection)) {
      continue;
    }
    rep_sha256(plan->files[i].text, strlen(plan->files[i].text), source);
    bytes.failed |= source[0] == '\0';
    add_to_digest(&bytes, source);
    for (size_t v = 0; v < scenario->variant_count; v++) {
      char seed[24];
      snprintf(seed, sizeof seed, "%" PRIu64, scenario->variants[v].seed);
      add_to_digest(&bytes, scenario->variants[v].name);
      add_to_digest(&bytes, seed);
    }
  }
  hex[0] = '\0';
  if (!bytes.failed) {
    rep_sha256(bytes.data, bytes.length, hex);
  }
  scn_bytes_deinit(&bytes);
  return hex[0] != '\0';
}

void scn_plan_deinit(struct scn_plan *plan) {
  for (size_t i = 0; i < plan->file_count; i++) {
    scn_scenario_destroy(plan->files[i].scenario);
    free(plan->files[i].text);
    free(plan->files[i].path);
  }
  free(plan->files);
  free(plan->items);
  free(plan->skipped);
  *plan = (struct scn_plan){0};
}
