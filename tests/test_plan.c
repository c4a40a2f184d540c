/*
 * test_plan.c - which files a command line names, and which runs are made of them.
 */
#define _POSIX_C_SOURCE 200809L
#include "scenarios/engine/plan.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/suites.h"

enum { PATH_SIZE = 512 };

/* A folder of the test's own, and what was reported. */
static char root[PATH_SIZE];
static char reported[8192];

static void path_of(const char *name, char path[PATH_SIZE]) {
  CU_ASSERT_TRUE_FATAL(snprintf(path, PATH_SIZE, "%s/%s", root, name) < PATH_SIZE);
}

static void make_folder(const char *name) {
  char path[PATH_SIZE];
  path_of(name, path);
  CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
}

static void make_file(const char *name, const char *text) {
  char path[PATH_SIZE];
  path_of(name, path);
  FILE *file = fopen(path, "w");
  CU_ASSERT_PTR_NOT_NULL_FATAL(file);
  fputs(text, file);
  fclose(file);
}

static void make_scenario(const char *file, const char *name, const char *more) {
  char text[512];
  snprintf(text, sizeof text, "{\"name\":\"%s\",\"steps\":[{\"cleanup_sweep\":{}}]%s}", name, more);
  make_file(file, text);
}

static void enter(void) {
  const char *temporary = getenv("TMPDIR");
  snprintf(root, sizeof root, "%s/poolproof-plan-XXXXXX", temporary == NULL ? "/tmp" : temporary);
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
  reported[0] = '\0';
  make_folder("b");
  make_folder("b/deep");
  make_scenario("b/deep/z.json", "one", ",\"tags\":[\"red\"]");
  make_scenario("b/a.json", "two", ",\"matrix\":{\"seed\":[1,2,3]}");
  make_scenario("b.json", "three", ",\"tags\":[\"blue\",\"red\"]");
  make_file("schema.json", "no scenario");
  make_file("b/schema.json", "no scenario");
  make_file("b/notes.txt", "no scenario");
}

static void leave(void) {
  const char *files[] = {"b/deep/z.json", "b/a.json", "b.json", "schema.json", "b/schema.json",
                         "b/notes.txt",   "c.json",   "b/deep", "b",           "empty",
                         "d.json",        ""};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    char path[PATH_SIZE];
    path_of(files[i], path);
    remove(path);
  }
}

static void remember(void *context, const struct scn_problem *problem) {
  (void)context;
  size_t length = strlen(reported);
  snprintf(reported + length, sizeof reported - length, "%s: %s\n",
           problem->path + strlen(root) + 1, problem->message);
}

static enum scn_plan_error load(struct scn_plan *plan, const char *first, const char *second) {
  char paths[2][PATH_SIZE];
  const char *pointers[] = {paths[0], paths[1]};
  path_of(first, paths[0]);
  if (second != NULL) {
    path_of(second, paths[1]);
  }
  return scn_plan_load(plan, pointers, second == NULL ? 1 : 2, NULL, remember, NULL);
}

static void assert_file(const struct scn_plan *plan, size_t index, const char *name) {
  CU_ASSERT_TRUE_FATAL(index < plan->file_count);
  CU_ASSERT_STRING_EQUAL(plan->files[index].path + strlen(root) + 1, name);
}

static void a_folder_gives_its_scenarios_in_byte_order(void) {
  enter();
  struct scn_plan plan = {0};
  CU_ASSERT_EQUAL(load(&plan, "", NULL), SCN_PLAN_OK);
  CU_ASSERT_EQUAL(plan.file_count, 3);
  CU_ASSERT_EQUAL(strlen(plan.files[0].path), strlen(root) + strlen("/b.json"));
  assert_file(&plan, 0, "b.json");
  assert_file(&plan, 1, "b/a.json");
  assert_file(&plan, 2, "b/deep/z.json");
  CU_ASSERT_STRING_EQUAL(reported, "");
  scn_plan_deinit(&plan);
  leave();
}

static void a_file_that_is_named_twice_is_taken_once(void) {
  enter();
  struct scn_plan plan = {0};
  CU_ASSERT_EQUAL(load(&plan, "b/a.json", "b"), SCN_PLAN_OK);
  CU_ASSERT_EQUAL(plan.file_count, 2);
  assert_file(&plan, 0, "b/a.json");
  assert_file(&plan, 1, "b/deep/z.json");
  scn_plan_deinit(&plan);
  leave();
}

static void two_scenarios_of_one_name_are_an_error_that_names_both(void) {
  enter();
  make_scenario("c.json", "two", "");
  struct scn_plan plan = {0};
  CU_ASSERT_EQUAL(load(&plan, "", NULL), SCN_PLAN_BAD);
  CU_ASSERT_PTR_NOT_NULL(strstr(reported,
                                "c.json: expected a name that no other scenario has; "
                                "found \"two\", which is also the name of "));
  CU_ASSERT_PTR_NOT_NULL(strstr(reported, "/b/a.json\n"));
  scn_plan_deinit(&plan);
  leave();
}

static void every_bad_file_is_reported(void) {
  enter();
  make_file("c.json", "{");
  make_file("d.json", "[]");
  struct scn_plan plan = {0};
  CU_ASSERT_EQUAL(load(&plan, "", NULL), SCN_PLAN_BAD);
  CU_ASSERT_PTR_NOT_NULL(strstr(reported, "c.json: "));
  CU_ASSERT_PTR_NOT_NULL(strstr(reported, "d.json: "));
  CU_ASSERT_EQUAL(plan.bad_files, 2);
  CU_ASSERT_EQUAL(plan.files_read, 5);
  scn_plan_deinit(&plan);
  leave();
}

static void a_path_that_names_nothing_is_an_error(void) {
  enter();
  make_folder("empty");
  struct scn_plan plan = {0};
  CU_ASSERT_EQUAL(load(&plan, "empty", "missing"), SCN_PLAN_BAD);
  CU_ASSERT_PTR_NOT_NULL(strstr(reported, "empty: expected scenario files"));
  CU_ASSERT_PTR_NOT_NULL(strstr(reported,
                                "missing: expected a scenario file or a folder of them; "
                                "found: No such file or directory\n"));
  scn_plan_deinit(&plan);
  leave();
}

/* The runs of `selection` as "name seed, name seed". */
static void assert_runs(const struct scn_plan_selection *selection, size_t matched,
                        const char *runs) {
  struct scn_plan plan = {0};
  CU_ASSERT_EQUAL(load(&plan, "", NULL), SCN_PLAN_OK);
  size_t found_matched = 0;
  CU_ASSERT_TRUE_FATAL(scn_plan_select(&plan, selection, &found_matched));
  CU_ASSERT_EQUAL(found_matched, matched);
  char found[256] = "";
  size_t length = 0;
  for (size_t i = 0; i < plan.item_count; i++) {
    length += (size_t)snprintf(found + length, sizeof found - length, "%s%s %d", i > 0 ? ", " : "",
                               plan.items[i].scenario->name, (int)plan.items[i].variant->seed);
  }
  CU_ASSERT_STRING_EQUAL(found, runs);
  scn_plan_deinit(&plan);
}

static void each_variant_is_a_run_and_shards_take_turns(void) {
  enter();
  assert_runs(&(struct scn_plan_selection){0}, 5, "three 1, two 1, two 2, two 3, one 1");
  assert_runs(&(struct scn_plan_selection){.shard = 1, .shards = 2}, 5, "three 1, two 2, one 1");
  assert_runs(&(struct scn_plan_selection){.shard = 2, .shards = 2}, 5, "two 1, two 3");
  assert_runs(&(struct scn_plan_selection){.shard = 6, .shards = 7}, 5, "");
  leave();
}

static void any_of_the_tags_selects(void) {
  enter();
  const char *const tags[] = {"green", "blue"};
  const char *const red[] = {"red"};
  assert_runs(&(struct scn_plan_selection){.tags = tags, .tag_count = 2}, 1, "three 1");
  assert_runs(&(struct scn_plan_selection){.tags = tags, .tag_count = 1}, 0, "");
  assert_runs(&(struct scn_plan_selection){.tags = red, .tag_count = 1}, 2, "three 1, one 1");
  leave();
}

CU_TestInfo suite_plan[] = {
    {"a folder gives its scenarios in byte order", a_folder_gives_its_scenarios_in_byte_order},
    {"a file that is named twice is taken once", a_file_that_is_named_twice_is_taken_once},
    {"two scenarios of one name are an error that names both",
     two_scenarios_of_one_name_are_an_error_that_names_both},
    {"every bad file is reported", every_bad_file_is_reported},
    {"a path that names nothing is an error", a_path_that_names_nothing_is_an_error},
    {"each variant is a run, and shards take turns", each_variant_is_a_run_and_shards_take_turns},
    {"any of the tags selects", any_of_the_tags_selects},
    CU_TEST_INFO_NULL,
};
