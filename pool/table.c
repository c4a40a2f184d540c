/* table.c - see table.h. */
#include "pool/table.h"

#include <assert.h>

bool wsp_table_reserve(struct wsp_table *table, const struct wsp_memory *memory) {
  if (table->count < table->slot_count) {
    return true;
  }
  size_t slot_count = table->slot_count == 0 ? 16 : 2 * table->slot_count;
  struct wsp_link **slots = wsp_memory_allocate(memory, slot_count * sizeof *slots);
  if (slots == NULL) {
    return false;
  }
  for (size_t i = 0; i < table->slot_count; i++) {
    struct wsp_link *link = table->slots[i];
    while (link != NULL) {
      struct wsp_link *next = link->next;
      size_t slot = link->hash & (slot_count - 1);
      link->next = slots[slot];
      slots[slot] = link;
      link = next;
    }
  }
  wsp_memory_release(memory, table->slots, table->slot_count * sizeof *slots);
  table->slots = slots;
  table->slot_count = slot_count;
  return true;
}

void wsp_table_deinit(struct wsp_table *table, const struct wsp_memory *memory) {
  wsp_memory_release(memory, table->slots, table->slot_count * sizeof *table->slots);
  *table = (struct wsp_table){0};
}

void wsp_table_add(struct wsp_table *table, struct wsp_link *link, uint64_t hash) {
  assert(table->slot_count > 0);
  struct wsp_link **slot = &table->slots[hash & (table->slot_count - 1)];
  *link = (struct wsp_link){*slot, hash};
  *slot = link;
  table->count++;
}

void wsp_table_remove(struct wsp_table *table, struct wsp_link *link) {
  struct wsp_link **at = &table->slots[link->hash & (table->slot_count - 1)];
  while (*at != link) {
    assert(*at != NULL);
    at = &(*at)->next;
  }
  *at = link->next;
  table->count--;
}

static struct wsp_link *match(struct wsp_link *link, uint64_t hash) {
  while (link != NULL && link->hash != hash) {
    link = link->next;
  }
  return link;
}

struct wsp_link *wsp_table_first(const struct wsp_table *table, uint64_t hash) {
  return table->slot_count == 0 ? NULL : match(table->slots[hash & (table->slot_count - 1)], hash);
}

struct wsp_link *wsp_table_next(const struct wsp_link *link) {
  return match(link->next, link->hash);
}
