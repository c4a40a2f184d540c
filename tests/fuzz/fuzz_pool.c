/*
 * fuzz_pool.c - the pool's interface: bytes become operations of callers and answers of upstreams,
 * and all that tests/pool_model.h holds against the pool must hold.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tests/pool_model.h"

/* The model's assertions, which CUnit has only while a suite runs. */
CU_BOOL CU_assertImplementation(CU_BOOL held, unsigned line, const char *condition,
                                const char *file, const char *function, CU_BOOL fatal) {
  (void)function;
  (void)fatal;
  if (!held) {
    fprintf(stderr, "%s:%u: %s\n", file, line, condition);
    abort();
  }
  return held;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!model_run_choices(size, 1 + (int64_t)(size / 8), data, size)) {
    abort();
  }
  return 0;
}
