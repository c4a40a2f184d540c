/*
 * crash.h - where a worker process was when it ended too early, and what it may not use up.
 *
 * The worker writes addresses into memory that it shares with its parent; the parent, the same
 * program at the same addresses, finds the names.
 */
#ifndef ENGINE_CRASH_H
#define ENGINE_CRASH_H

#include <stdbool.h>
#include <stddef.h>

enum { SCN_CRASH_FRAMES = 16 };

/* Zero-filled: nothing has happened. */
struct scn_crash {
  bool by_signal; /* the innermost of them is where it came, no return address */
  int frame_count;
  void *frames[SCN_CRASH_FRAMES]; /* return addresses, the innermost first */
};

/* From now on a fatal signal, abort() or exit() of this process leaves its stack in `crash`, which
 * must outlive the process. Built with AddressSanitizer, which tells more, only the latter two. */
void scn_crash_watch(struct scn_crash *crash);
/* What follows is the end that was meant. */
void scn_crash_ignore(void);

/* Keeps this process from taking more than SCN_MEMORY_LIMIT beyond what it has: allocations fail
 * then, where otherwise the machine would run out. Not with AddressSanitizer, which needs more. */
#define SCN_MEMORY_LIMIT ((size_t)4 << 30)
void scn_crash_limit_memory(void);

/* The stack as lines for a person, the last of them a command that names source lines; "" when
 * there is none. */
void scn_crash_describe(const struct scn_crash *crash, char *text, size_t size);

#endif
