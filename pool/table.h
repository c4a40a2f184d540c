/*
 * table.h - a hash table of things that are embedded in their owners. It only finds; nothing
 * ever walks it, so hash order decides nothing.
 */
#ifndef POOL_TABLE_H
#define POOL_TABLE_H

#include "pool/memory.h"

struct wsp_link {
  struct wsp_link *next;
  uint64_t hash;
};

struct wsp_table {
  struct wsp_link **slots;
  size_t slot_count; /* a power of two, or 0 */
  size_t count;
};

/* Makes room for one more. False: no memory (the table is as it was). */
bool wsp_table_reserve(struct wsp_table *table, const struct wsp_memory *memory);
void wsp_table_deinit(struct wsp_table *table, const struct wsp_memory *memory);
/* Room must have been reserved. */
void wsp_table_add(struct wsp_table *table, struct wsp_link *link, uint64_t hash);
void wsp_table_remove(struct wsp_table *table, struct wsp_link *link);
/* The first and the next link with that hash; the caller compares. */
struct wsp_link *wsp_table_first(const struct wsp_table *table, uint64_t hash);
struct wsp_link *wsp_table_next(const struct wsp_link *link);

#endif
