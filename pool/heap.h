/*
 * heap.h - what is due next: an indexed 4-ary heap ordered by (time, order of insertion).
 *
 * Entries are embedded in their owners; the heap holds pointers and each entry knows its
 * position, so taking one out of the middle is O(log n). Memory is reserved ahead by the owner,
 * so that adding never fails.
 */
#ifndef POOL_HEAP_H
#define POOL_HEAP_H

#include "pool/memory.h"

struct wsp_heap_entry {
  wsp_time at;
  uint64_t order;
  size_t position; /* from 1; 0: not in the heap */
};

struct wsp_heap {
  struct wsp_heap_entry **entries;
  size_t count, capacity;
  uint64_t next_order;
};

/* Makes room for `count` entries in all. False: no memory, nothing has changed. */
bool wsp_heap_reserve(struct wsp_heap *heap, const struct wsp_memory *memory, size_t count);
void wsp_heap_deinit(struct wsp_heap *heap, const struct wsp_memory *memory);

/* `entry` must not be in the heap; room must have been reserved. */
void wsp_heap_add(struct wsp_heap *heap, struct wsp_heap_entry *entry, wsp_time at);
/* An entry that is not in the heap is left alone. */
void wsp_heap_remove(struct wsp_heap *heap, struct wsp_heap_entry *entry);
/* The earliest entry, NULL when there is none. */
struct wsp_heap_entry *wsp_heap_first(const struct wsp_heap *heap);

#endif
