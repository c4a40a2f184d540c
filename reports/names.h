/*
 * names.h - gives texts numbers, from 0 in the order in which they come first.
 */
#ifndef REPORTS_NAMES_H
#define REPORTS_NAMES_H

#include <stdint.h>

#define REP_NAME_NONE UINT32_MAX

/* Zero-filled: empty. */
struct rep_names {
  char *text;       /* all of them, each with its NUL, in order of their numbers */
  uint64_t *starts; /* of each in `text` */
  uint32_t *slots;  /* a hash table of numbers + 1; 0: free */
  uint64_t length, capacity;
  uint32_t count, room, slot_count;
};

/* The number of `text`. REP_NAME_NONE: no memory, or 2^31 of them. */
uint32_t rep_names_put(struct rep_names *names, const char *text);
/* The text of a number; valid until the next put. */
const char *rep_names_text(const struct rep_names *names, uint32_t number);
void rep_names_deinit(struct rep_names *names);

#endif
