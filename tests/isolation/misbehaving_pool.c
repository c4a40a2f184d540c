/*
 * misbehaving_pool.c - stands before the pool's wsp_acquire(): an acquire of one of the URLs below
 * does to the process what a broken pool could do; all others go to the pool.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "pool/wspool.h"

enum wsp_error __real_wsp_acquire(struct wsp_pool *pool, wsp_time now,
                                  const struct wsp_acquire_request *request,
                                  wsp_acquire_callback callback, void *context, struct wsp_op *op);
enum wsp_error __wrap_wsp_acquire(struct wsp_pool *pool, wsp_time now,
                                  const struct wsp_acquire_request *request,
                                  wsp_acquire_callback callback, void *context, struct wsp_op *op);

void misbehaving_crash(void);
void misbehaving_abort(void);
void misbehaving_exit(void);
void misbehaving_loop(void);
void misbehaving_loop_deaf(void);
void misbehaving_memory(void);
int misbehaving_recursion(volatile int *above);

static int *volatile nowhere;
static volatile int for_ever = 1;
static void *volatile last_block;

void misbehaving_crash(void) {
  *nowhere = 1;
}

void misbehaving_abort(void) {
  abort();
}

void misbehaving_exit(void) {
  exit(0);
}

void misbehaving_loop(void) {
  while (for_ever) {}
}

void misbehaving_loop_deaf(void) {
  (void)signal(SIGABRT, SIG_IGN);
  while (for_ever) {}
}

/* Ends as a pool does that does not look at what malloc() gives. */
void misbehaving_memory(void) {
  const size_t block = (size_t)64 << 20;
  for (;;) {
    char *memory = malloc(block);
    last_block = memory;
    memory[0] = 1;
  }
}

int misbehaving_recursion(volatile int *above) {
  volatile int here[256] = {*above + 1};
  if (for_ever == 0) {
    return 0;
  }
  return misbehaving_recursion(here) + here[0];
}

enum wsp_error __wrap_wsp_acquire(struct wsp_pool *pool, wsp_time now,
                                  const struct wsp_acquire_request *request,
                                  wsp_acquire_callback callback, void *context, struct wsp_op *op) {
  static const struct {
    const char *url;
    void (*misbehave)(void);
  } ways[] = {{"wss://misbehaving/crash", misbehaving_crash},
              {"wss://misbehaving/abort", misbehaving_abort},
              {"wss://misbehaving/exit", misbehaving_exit},
              {"wss://misbehaving/loop", misbehaving_loop},
              {"wss://misbehaving/loop-deaf", misbehaving_loop_deaf},
              {"wss://misbehaving/memory", misbehaving_memory}};
  const char *url = request->url == NULL ? "" : request->url;
  for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
    if (strcmp(url, ways[i].url) == 0) {
      ways[i].misbehave();
    }
  }
  if (strcmp(url, "wss://misbehaving/recursion") == 0) {
    volatile int start = 0;
    return (enum wsp_error)misbehaving_recursion(&start);
  }
  return __real_wsp_acquire(pool, now, request, callback, context, op);
}
