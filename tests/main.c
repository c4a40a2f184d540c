/*
 * main.c - runs the CUnit suites of suites.h: all, or those that the command line names.
 *
 * It prints each test before it runs, so that a crash shows where it was, and fails also when no
 * test ran at all. It knows nothing of scenarios or of the command line of poolproof.
 */
#include <CUnit/CUnit.h>
#include <CUnit/TestDB.h>
#include <CUnit/TestRun.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/suites.h"

enum exit_status { EXIT_ALL_PASSED = 0, EXIT_SOME_FAILED = 1, EXIT_USAGE = 2, EXIT_HARNESS = 3 };

static CU_SuiteInfo all_suites[] = {
#define SUITE_INFO(name) {#name, NULL, NULL, NULL, NULL, suite_##name},
    SUITE_LIST(SUITE_INFO)
#undef SUITE_INFO
        CU_SUITE_INFO_NULL};

static void test_started(const CU_pTest test, const CU_pSuite suite) {
  printf("%s: %s ... ", suite->pName, test->pName);
  fflush(stdout);
}

static void test_completed(const CU_pTest test, const CU_pSuite suite,
                           const CU_pFailureRecord failures) {
  (void)test;
  (void)suite;
  puts(failures == NULL ? "ok" : "FAILED");
  for (const CU_FailureRecord *failure = failures; failure != NULL; failure = failure->pNext) {
    printf("    %s:%u: %s\n", failure->strFileName, failure->uiLineNumber, failure->strCondition);
  }
  fflush(stdout);
}

static void list_suites(FILE *stream) {
  for (const CU_SuiteInfo *suite = all_suites; suite->pName != NULL; suite++) {
    fprintf(stream, "%s\n", suite->pName);
  }
}

static bool is_suite(const char *name) {
  for (const CU_SuiteInfo *suite = all_suites; suite->pName != NULL; suite++) {
    if (strcmp(suite->pName, name) == 0) {
      return true;
    }
  }
  return false;
}

static bool is_wanted(const char *name, int count, char *const names[]) {
  for (int i = 0; i < count; i++) {
    if (strcmp(names[i], name) == 0) {
      return true;
    }
  }
  return count == 0;
}

static bool register_suites(int count, char *const names[]) {
  for (CU_SuiteInfo *suite = all_suites; suite->pName != NULL; suite++) {
    if (is_wanted(suite->pName, count, names)) {
      CU_SuiteInfo one[] = {*suite, CU_SUITE_INFO_NULL};
      if (CU_register_suites(one) != CUE_SUCCESS) {
        fprintf(stderr, "poolproof-tests: suite %s could not be registered: %s\n", suite->pName,
                CU_get_error_msg());
        return false;
      }
    }
  }
  return true;
}

static void print_failed(const CU_FailureRecord *failures) {
  const CU_Test *last = NULL;
  for (; failures != NULL; failures = failures->pNext) {
    if (failures->pSuite == NULL || (failures->pTest != NULL && failures->pTest == last)) {
      continue;
    }
    last = failures->pTest;
    printf("failed: %s: %s\n", failures->pSuite->pName,
           last != NULL ? last->pName : "the suite's own set-up or clean-up");
  }
}

/* tests/run.sh reads the last line. */
static bool print_summary(void) {
  unsigned failed = CU_get_number_of_tests_failed() + CU_get_number_of_suites_failed();
  unsigned run = CU_get_number_of_tests_run();
  if (failed == 0 && CU_get_number_of_failures() > 0) {
    failed = 1;
  }
  print_failed(CU_get_failure_list());
  if (run == 0) {
    puts("failed: no test ran; a suite without tests proves nothing");
    failed++;
  }
  printf("tests: %u passed, %u failed\n", run - CU_get_number_of_tests_failed(), failed);
  return failed == 0;
}

static int run_suites(int count, char *const names[]) {
  if (CU_initialize_registry() != CUE_SUCCESS) {
    fputs("poolproof-tests: CUnit has no memory for its registry; free some and run again\n",
          stderr);
    return EXIT_HARNESS;
  }
  int status = EXIT_HARNESS;
  if (register_suites(count, names)) {
    CU_set_test_start_handler(test_started);
    CU_set_test_complete_handler(test_completed);
    bool completed = CU_run_all_tests() == CUE_SUCCESS;
    bool passed = print_summary();
    status = completed && passed ? EXIT_ALL_PASSED : EXIT_SOME_FAILED;
  }
  CU_cleanup_registry();
  return status;
}

int main(int argc, char *argv[]) {
  if (argc == 2 && strcmp(argv[1], "--list") == 0) {
    list_suites(stdout);
    return EXIT_ALL_PASSED;
  }
  if (argc == 2 && strcmp(argv[1], "--help") == 0) {
    puts("usage: poolproof-tests [--list | --help | SUITE...]");
    return EXIT_ALL_PASSED;
  }
  for (int i = 1; i < argc; i++) {
    if (!is_suite(argv[i])) {
      fprintf(stderr, "poolproof-tests: expected the name of a suite, found \"%s\". Suites:\n",
              argv[i]);
      list_suites(stderr);
      return EXIT_USAGE;
    }
  }
  return run_suites(argc - 1, argv + 1);
}
