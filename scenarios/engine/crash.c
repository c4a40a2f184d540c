/*
 * crash.c - the stack of a worker that ends too early.
 *
 * What runs in the signal handler: backtrace(), which is called once before, so that it has loaded
 * what it needs; no allocation, no output. The handler has a stack of its own, since an overflow of
 * the stack is one of its causes. It does not see a SIGKILL, nor a stack that was overwritten.
 */
#define _GNU_SOURCE
#include "scenarios/engine/crash.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

/* The innermost frames are those of keep_stack() and of what called it: signal or exit(). */
enum { HANDLER_STACK_SIZE = 64 * 1024, OWN_FRAMES = 2 };
/* Where the signal came, and before it, unless it was left out with them, the kernel's return. */
enum { SIGNAL_FRAMES = 2 };

static struct scn_crash *watched; /* NULL: none, or its end was meant */

static void keep_stack(void) {
  if (watched != NULL && watched->frame_count == 0) {
    watched->frame_count = backtrace(watched->frames, SCN_CRASH_FRAMES);
  }
}

/* The handler was for once: the second signal ends the process as the first would have. */
static void on_fatal_signal(int number) {
  if (watched != NULL) {
    watched->by_signal = true;
  }
  keep_stack();
  (void)raise(number);
}

void scn_crash_watch(struct scn_crash *crash) {
  static char stack[HANDLER_STACK_SIZE];
  stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_handler = on_fatal_signal};
#ifdef HAS_SANITIZER
  static const int signals[] = {SIGABRT};
#else
  static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
  (void)sigaltstack(&alternative, NULL);
#endif
  (void)alternative;
  void *first;
  (void)backtrace(&first, 1);
  watched = crash;
  (void)atexit(keep_stack);
  action.sa_flags = (int)(SA_ONSTACK | SA_NODEFER | SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
    sigaction(signals[i], &action, NULL);
  }
}

void scn_crash_ignore(void) {
  watched = NULL;
}

void scn_crash_limit_memory(void) {
#ifndef HAS_SANITIZER
  FILE *file = fopen("/proc/self/statm", "r");
  char line[256] = "";
  if (file == NULL) {
    return;
  }
  char *got = fgets(line, sizeof line, file);
  fclose(file);
  /* The sixth number: pages of data and stack, which are what the limit counts. */
  char *at = got;
  for (int i = 0; at != NULL && i < 5; i++) {
    at = strchr(at + (i > 0), ' ');
  }
  struct rlimit limit;
  if (at == NULL || getrlimit(RLIMIT_DATA, &limit) != 0) {
    return;
  }
  rlim_t now = (rlim_t)strtoull(at, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE);
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > now + SCN_MEMORY_LIMIT) {
    limit.rlim_cur = now + SCN_MEMORY_LIMIT;
    (void)setrlimit(RLIMIT_DATA, &limit);
  }
#endif
}

static void append(char *text, size_t size, size_t *length, const char *more) {
  int added = snprintf(text + *length, size - *length, "%s", more);
  *length += added < 0 ? 0 : (size_t)added;
  if (*length >= size) {
    *length = size - 1;
  }
}

static const char *last_part(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash == NULL ? path : slash + 1;
}

void scn_crash_describe(const struct scn_crash *crash, char *text, size_t size) {
  char line[512], lines[SCN_CRASH_FRAMES * 20] = "";
  size_t length = 0, lines_length = 0;
  Dl_info own = {0};
  text[0] = '\0';
  if (crash->frame_count <= 0 || crash->frame_count > SCN_CRASH_FRAMES) {
    return;
  }
  (void)dladdr((void *)(uintptr_t)scn_crash_describe, &own);
  append(text, size, &length, "where it was, the innermost call first:\n");
  for (int i = OWN_FRAMES; i < crash->frame_count; i++) {
    Dl_info info = {0};
    uintptr_t address = (uintptr_t)crash->frames[i];
    /* What follows a call may be another function: the byte before it is not. Only where a signal
     * came is no call: that may be the first byte of a function. */
    bool may_be_first = crash->by_signal && i < OWN_FRAMES + SIGNAL_FRAMES;
    if (!may_be_first || dladdr((void *)address, &info) == 0 ||
        (uintptr_t)info.dli_saddr != address) {
      address--;
    }
    if (dladdr((void *)address, &info) == 0) {
      continue;
    }
    uintptr_t offset = address - (uintptr_t)info.dli_fbase;
    snprintf(line, sizeof line, "  %s+0x%" PRIxPTR " %s\n", last_part(info.dli_fname), offset,
             info.dli_sname == NULL ? "" : info.dli_sname);
    append(text, size, &length, line);
    if (info.dli_fbase == own.dli_fbase) {
      snprintf(line, sizeof line, " 0x%" PRIxPTR, offset);
      append(lines, sizeof lines, &lines_length, line);
    }
  }
  snprintf(line, sizeof line, "to see the source lines: addr2line -pfe %s",
           own.dli_fname == NULL ? "poolproof" : last_part(own.dli_fname));
  append(text, size, &length, line);
  append(text, size, &length, lines);
  append(text, size, &length, "\n");
}
