/*
 * seen.h - a set of 128-bit keys, each with a number: what a search has met already.
 *
 * On the heap; open addressing. It grows up to a bound, so that a search for hours does not take
 * all memory; full means that nothing new is kept.
 */
#ifndef ENGINE_SEEN_H
#define ENGINE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scn_key {
  uint64_t words[2]; /* well mixed */
};

struct scn_seen_entry {
  struct scn_key key; /* 0, 0: free */
  uint64_t number;
};

/* Zero-filled: empty. */
struct scn_seen {
  struct scn_seen_entry *entries;
  size_t capacity; /* a power of two */
  size_t count;
  bool full; /* something was not kept */
};

/* The entry of `key`, made (with number 0) when there was none: `*is_new`. NULL: it is new and
 * can not be kept. The entry lives until the next call. */
struct scn_seen_entry *scn_seen_put(struct scn_seen *seen, struct scn_key key, bool *is_new);
void scn_seen_deinit(struct scn_seen *seen);

#endif
