/*
 * test_loader_mistakes.c - wrong files are refused with the messages that stand beside them, and
 * no bytes at all, and no lack of memory, bring the loader down.
 *
 * tests/broken/NAME.json has one idea each; NAME.txt is all that is said about it.
 */
#define _POSIX_C_SOURCE 200809L

#include <cjson/cJSON.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/loader_fixture.h"
#include "tests/suites.h"

#define BROKEN "tests/broken"

static bool is_refused_as_expected(const char *name) {
  char path[300];
  size_t length = 0;
  int stem = (int)(strlen(name) - strlen(".json"));
  snprintf(path, sizeof path, BROKEN "/%.*s.txt", stem, name);
  char *expected = loader_read_file(path, &length);
  snprintf(path, sizeof path, BROKEN "/%s", name);
  struct loader_problems problems = {0};
  struct scn_scenario *scenario = scn_scenario_load(path, NULL, loader_collect, &problems);
  bool right = scenario == NULL && problems.errors > 0 && expected != NULL &&
               strcmp(problems.text, expected) == 0;
  if (!right) {
    printf("\n  %s:\n  expected: %s  found:    %s\n", name, expected != NULL ? expected : "",
           problems.text != NULL ? problems.text : "nothing");
  }
  scn_scenario_destroy(scenario);
  loader_problems_deinit(&problems);
  free(expected);
  return right;
}

static void each_broken_file_is_refused_with_its_messages(void) {
  DIR *folder = opendir(BROKEN);
  size_t files = 0;
  CU_ASSERT_PTR_NOT_NULL_FATAL(folder);
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    const char *dot = strrchr(entry->d_name, '.');
    if (dot != NULL && strcmp(dot, ".json") == 0) {
      CU_ASSERT(is_refused_as_expected(entry->d_name));
      files++;
    }
  }
  closedir(folder);
  CU_ASSERT(files > 90);
}

static void files_that_can_not_be_read_are_told(void) {
  struct loader_problems problems = {0};
  CU_ASSERT_PTR_NULL(scn_scenario_load("tests/broken/none.json", NULL, loader_collect, &problems));
  CU_ASSERT_PTR_NULL(scn_scenario_load("tests/broken", NULL, loader_collect, &problems));
  CU_ASSERT_STRING_EQUAL(problems.text,
                         "0:0: expected a file that can be read, found that it can not: No such "
                         "file or directory\n"
                         "broken:0:0: expected a file that can be read, found that it can not: Is "
                         "a directory\n");
  loader_problems_deinit(&problems);
  CU_ASSERT_PTR_NULL(
      scn_scenario_parse("test.json", "", 67108865, NULL, loader_collect, &problems));
  CU_ASSERT_STRING_EQUAL(problems.text, "0:0: expected at most 64 MiB, found 67108865 bytes\n");
  loader_problems_deinit(&problems);
}

static void only_so_many_mistakes_are_shown(void) {
  enum { MISTAKES = 1500 };
  char *text = malloc(MISTAKES * 2 + 100);
  CU_ASSERT_PTR_NOT_NULL_FATAL(text);
  strcpy(text, "{\"name\": \"x\", \"steps\": [], \"tags\": [1");
  size_t length = strlen(text);
  for (int i = 1; i < MISTAKES; i++) {
    memcpy(text + length, ",1", 2);
    length += 2;
  }
  strcpy(text + length, "]}");
  struct loader_problems problems = {0};
  CU_ASSERT_PTR_NULL(loader_parse(text, &problems));
  CU_ASSERT_EQUAL(problems.errors, 1001);
  CU_ASSERT_PTR_NOT_NULL(
      strstr(problems.text, "\n0:0: there are more mistakes than the 1000 that are shown\n"));
  loader_problems_deinit(&problems);
  free(text);
}

static void labels_of_a_load_can_be_named_anywhere(void) {
  static const char load[] =
      "\"load\": [{\"arrivals\": {\"poisson\": \"1/s\"}, \"for\": \"1s\"}], ";
  char text[500];
  snprintf(text, sizeof text, "{\"name\": \"x\", \"steps\": [{\"release\": \"load1#1\"}], %s%s",
           load, "\"expect\": [{\"op\": \"load1#999\", \"result\": \"ok\"}]}");
  CU_ASSERT(loader_says(text, ""));
  snprintf(text, sizeof text, "{\"name\": \"x\", \"steps\": [{\"release\": \"load1#0\"}], %s%s",
           load, "\"expect\": [{\"op\": \"load1\", \"result\": \"ok\"}]}");
  CU_ASSERT(loader_says(
      text,
      "1:37: \"release\": expected the label of an acquire that stands before this, found "
      "\"load1#0\"; did you mean \"load1\"?\n"
      "1:125: \"op\": expected the label of an operation, found \"load1\", which is a load: its "
      "operations are \"load1#1\" and so on\n"));
}

static void labels_made_up_by_the_loader_do_not_collide(void) {
  CU_ASSERT(loader_says(
      "{\"name\": \"x\", \"steps\": [{\"acquire\": {\"as\": \"acquire@2\"}}, {\"acquire\": {}}]}",
      "1:44: expected a label that no other operation has, found \"acquire@2\", which is the "
      "acquire of line 1 already\n"));
  CU_ASSERT(
      loader_says("{\"name\": \"x\", \"steps\": [{\"acquire\": {\"as\": \"load1\"}}], "
                  "\"load\": [{\"arrivals\": {\"poisson\": \"1/s\"}, \"for\": \"1s\"}]}",
                  ""));
}

/* ---- Any bytes, and no memory ------------------------------------------------------------- */

static void count_only(void *context, const struct scn_problem *problem) {
  size_t *errors = context;
  CU_ASSERT_FATAL(problem->message != NULL && problem->message[0] != '\0');
  *errors += problem->severity == SCN_ERROR;
}

/* A scenario without an error, or an error without a scenario. */
static void survives(const char *text, size_t length, const struct scn_load_options *options) {
  size_t errors = 0;
  struct scn_scenario *scenario =
      scn_scenario_parse("tests/valid/x.json", text, length, options, count_only, &errors);
  CU_ASSERT_EQUAL((scenario == NULL), (errors > 0));
  scn_scenario_destroy(scenario);
}

static void every_truncation_is_survived(void) {
  size_t length = 0;
  char *text = loader_read_file("tests/valid/everything.json", &length);
  CU_ASSERT_PTR_NOT_NULL_FATAL(text);
  for (size_t i = 0; i <= length; i++) {
    /* A copy of that size, so that reading behind it is seen. */
    char *part = malloc(i > 0 ? i : 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(part);
    memcpy(part, text, i);
    survives(part, i, NULL);
    free(part);
  }
  free(text);
}

static void every_changed_byte_is_survived(void) {
  static const char bytes[] = {'"', '{', ']', ',', '0', '-', '\\', '/', '\n', '\0', '\x80', 'e'};
  size_t length = 0;
  char *text = loader_read_file("tests/valid/everything.json", &length);
  CU_ASSERT_PTR_NOT_NULL_FATAL(text);
  for (size_t i = 0; i < length; i++) {
    char kept = text[i];
    text[i] = bytes[i % sizeof bytes];
    survives(text, length, NULL);
    text[i] = bytes[(i / sizeof bytes + i) % sizeof bytes];
    survives(text, length, NULL);
    text[i] = kept;
  }
  free(text);
}

static long allocations_left;

static void *allocate_some(size_t size) {
  return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void each_failing_allocation_is_told(void) {
  size_t length = 0;
  char *text = loader_read_file("tests/valid/everything.json", &length);
  CU_ASSERT_PTR_NOT_NULL_FATAL(text);
  const struct scn_load_options options = {.allocate = allocate_some};
  cJSON_Hooks hooks = {allocate_some, free};
  cJSON_InitHooks(&hooks);
  bool loaded = false;
  long failures = 0;
  for (long n = 0; !loaded && n < 10000; n++) {
    size_t errors = 0;
    allocations_left = n;
    struct scn_scenario *scenario =
        scn_scenario_parse("tests/valid/x.json", text, length, &options, count_only, &errors);
    loaded = scenario != NULL;
    failures += !loaded;
    CU_ASSERT_EQUAL(loaded, (errors == 0));
    scn_scenario_destroy(scenario);
  }
  cJSON_InitHooks(NULL);
  CU_ASSERT_TRUE(loaded);
  CU_ASSERT(failures > 20);
  free(text);
}

CU_TestInfo suite_loader_mistakes[] = {
    {"each broken file is refused with its messages",
     each_broken_file_is_refused_with_its_messages},
    {"files that can not be read are told", files_that_can_not_be_read_are_told},
    {"only so many mistakes are shown", only_so_many_mistakes_are_shown},
    {"labels of a load can be named anywhere", labels_of_a_load_can_be_named_anywhere},
    {"labels made up by the loader do not collide", labels_made_up_by_the_loader_do_not_collide},
    {"every truncation is survived", every_truncation_is_survived},
    {"every changed byte is survived", every_changed_byte_is_survived},
    {"each failing allocation is told", each_failing_allocation_is_told},
    CU_TEST_INFO_NULL};
