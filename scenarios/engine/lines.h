/*
 * lines.h - text that grows, in the arena of a run. It formats; it decides nothing.
 */
#ifndef ENGINE_LINES_H
#define ENGINE_LINES_H

#include "sim/arena.h"

/* Zero-filled but for `arena`: empty. A failed allocation leaves out what did not fit. */
struct scn_lines {
  struct sim_arena *arena;
  char *data; /* NULL: empty; else NUL-terminated */
  size_t length;
  size_t capacity;
};

void scn_lines_add(struct scn_lines *lines, const char *format, ...);

#endif
