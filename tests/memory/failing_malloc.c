/*
 * failing_malloc.c - to be preloaded: the FAIL_AT-th allocation of each process finds no memory.
 * tests/integration/memory.sh builds it. What libcrypto asks for is always given: OpenSSL 3.0
 * itself crashes when there is no memory for its first use.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static long count;
static long fail_at = -1;

static bool fails(const void *caller) {
  if (fail_at < 0) {
    const char *text = getenv("FAIL_AT");
    fail_at = text == NULL ? 0 : atol(text);
  }
  Dl_info info;
  if (dladdr(caller, &info) != 0 && strstr(info.dli_fname, "libcrypto") != NULL) {
    return false;
  }
  if (++count != fail_at) {
    return false;
  }
  errno = ENOMEM;
  return true;
}

void *malloc(size_t size) {
  return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
  return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
  return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(memory, size);
}
