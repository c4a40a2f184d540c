/*
 * cli_check.c - the commands that look at scenario files and run nothing: check and list.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/engine/cli.h"
#include "scenarios/engine/plan.h"
#include "sim/invariant.h"

static void count_warnings(void *context, const struct scn_problem *problem) {
  size_t *warnings = context;
  *warnings += problem->severity == SCN_WARNING;
  scn_cli_report(NULL, problem);
}

static void ignore_warnings(void *context, const struct scn_problem *problem) {
  if (problem->severity == SCN_ERROR) {
    scn_cli_report(context, problem);
  }
}

static int check(const struct scn_arguments *arguments) {
  if (arguments->path_count == 0) {
    return scn_cli_misused(arguments, "expected scenario files or folders; found none");
  }
  struct scn_plan plan = {0};
  size_t warnings = 0;
  enum scn_plan_error error = scn_plan_load(&plan, arguments->paths, arguments->path_count, NULL,
                                            count_warnings, &warnings);
  int status = SCN_EXIT_HELD;
  if (error == SCN_PLAN_NO_MEMORY) {
    status = scn_cli_failed(arguments, "out of memory for the scenarios");
  } else {
    printf("%zu file%s checked: %zu good, %zu bad, %zu warning%s\n", plan.files_read,
           plan.files_read == 1 ? "" : "s", plan.files_read - plan.bad_files, plan.bad_files,
           warnings, warnings == 1 ? "" : "s");
    status = error == SCN_PLAN_BAD ? SCN_EXIT_USAGE : SCN_EXIT_HELD;
  }
  scn_plan_deinit(&plan);
  return status;
}

/* ---- list --------------------------------------------------------------------------------- */

static void print_words(const char *title, const struct scn_strings *words) {
  for (size_t i = 0; i < words->count; i++) {
    printf("%s%s", i == 0 ? title : ", ", words->items[i]);
  }
  if (words->count > 0) {
    printf("\n");
  }
}

static void print_scenario(const struct scn_plan_file *file) {
  const struct scn_scenario *scenario = file->scenario;
  printf("%s\n", scenario->name);
  printf("  file    %s\n", file->path);
  if (scenario->variant_count > 1) {
    printf("  runs    %zu\n", scenario->variant_count);
  }
  print_words("  tags    ", &scenario->tags);
  print_words("  covers  ", &scenario->covers);
  if (scenario->description != NULL && scenario->description[0] != '\0') {
    printf("  %s\n", scenario->description);
  }
}

static void print_invariants(void) {
  static const struct {
    const char *name;
    const char *sentence;
  } invariants[] = {
#define SCN_ROW(id, name, sentence) {name, sentence},
      SIM_INVARIANT_LIST(SCN_ROW)
#undef SCN_ROW
  };
  for (size_t i = 0; i < SIM_INVARIANT_COUNT; i++) {
    printf("%s\n  %s\n", invariants[i].name, invariants[i].sentence);
  }
}

static int list(const struct scn_arguments *arguments) {
  bool invariants = scn_cli_has(arguments, "--invariants");
  if (invariants) {
    print_invariants();
  }
  if (arguments->path_count == 0) {
    return invariants
               ? SCN_EXIT_HELD
               : scn_cli_misused(arguments, "expected scenario files or folders; found none");
  }
  struct scn_plan plan = {0};
  enum scn_plan_error error =
      scn_plan_load(&plan, arguments->paths, arguments->path_count, NULL, ignore_warnings, NULL);
  int status = SCN_EXIT_HELD;
  if (error == SCN_PLAN_NO_MEMORY) {
    status = scn_cli_failed(arguments, "out of memory for the scenarios");
  } else if (error == SCN_PLAN_BAD) {
    status = scn_cli_bad_files(&plan);
  } else {
    size_t runs = 0;
    for (size_t i = 0; i < plan.file_count; i++) {
      print_scenario(&plan.files[i]);
      runs += plan.files[i].scenario->variant_count;
    }
    printf("%zu scenario%s, %zu run%s\n", plan.file_count, plan.file_count == 1 ? "" : "s", runs,
           runs == 1 ? "" : "s");
  }
  scn_plan_deinit(&plan);
  return status;
}

static const struct scn_option check_options[] = {{0}};
static const struct scn_option list_options[] = {
    {"--invariants", NULL, "name the invariants that hold in every scenario"},
    {0},
};

const struct scn_command scn_command_check = {
    .name = "check",
    .arguments = "PATH...",
    .summary = "say what is wrong with scenario files; run nothing",
    .options = check_options,
    .run = check,
};

const struct scn_command scn_command_list = {
    .name = "list",
    .arguments = "[--invariants] PATH...",
    .summary = "names, tags, what each scenario covers",
    .options = list_options,
    .run = list,
};
