/* heap.c - see heap.h. */
#include "pool/heap.h"

#include <assert.h>

bool wsp_heap_reserve(struct wsp_heap *heap, const struct wsp_memory *memory, size_t count) {
  if (count <= heap->capacity) {
    return true;
  }
  size_t capacity = heap->capacity == 0 ? 64 : heap->capacity;
  while (capacity < count) {
    capacity *= 2;
  }
  struct wsp_heap_entry **entries = wsp_memory_resize(
      memory, heap->entries, heap->capacity * sizeof *entries, capacity * sizeof *entries);
  if (entries == NULL) {
    return false;
  }
  heap->entries = entries;
  heap->capacity = capacity;
  return true;
}

void wsp_heap_deinit(struct wsp_heap *heap, const struct wsp_memory *memory) {
  wsp_memory_release(memory, heap->entries, heap->capacity * sizeof *heap->entries);
  *heap = (struct wsp_heap){0};
}

static bool earlier(const struct wsp_heap_entry *a, const struct wsp_heap_entry *b) {
  return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void place(struct wsp_heap *heap, struct wsp_heap_entry *entry, size_t position) {
  heap->entries[position - 1] = entry;
  entry->position = position;
}

static void sift_up(struct wsp_heap *heap, struct wsp_heap_entry *entry, size_t position) {
  while (position > 1) {
    size_t parent = (position + 2) / 4;
    if (!earlier(entry, heap->entries[parent - 1])) {
      break;
    }
    place(heap, heap->entries[parent - 1], position);
    position = parent;
  }
  place(heap, entry, position);
}

static void sift_down(struct wsp_heap *heap, struct wsp_heap_entry *entry, size_t position) {
  for (;;) {
    size_t child = 4 * position - 2;
    if (child > heap->count) {
      break;
    }
    size_t last = child + 3 < heap->count ? child + 3 : heap->count;
    size_t least = child;
    for (size_t i = child + 1; i <= last; i++) {
      if (earlier(heap->entries[i - 1], heap->entries[least - 1])) {
        least = i;
      }
    }
    if (!earlier(heap->entries[least - 1], entry)) {
      break;
    }
    place(heap, heap->entries[least - 1], position);
    position = least;
  }
  place(heap, entry, position);
}

void wsp_heap_add(struct wsp_heap *heap, struct wsp_heap_entry *entry, wsp_time at) {
  assert(entry->position == 0);
  assert(heap->count < heap->capacity);
  entry->at = at;
  entry->order = heap->next_order++;
  heap->count++;
  sift_up(heap, entry, heap->count);
}

void wsp_heap_remove(struct wsp_heap *heap, struct wsp_heap_entry *entry) {
  size_t position = entry->position;
  if (position == 0) {
    return;
  }
  assert(position <= heap->count && heap->entries[position - 1] == entry);
  entry->position = 0;
  struct wsp_heap_entry *moved = heap->entries[heap->count - 1];
  heap->count--;
  if (moved == entry) {
    return;
  }
  if (position > 1 && earlier(moved, heap->entries[(position + 2) / 4 - 1])) {
    sift_up(heap, moved, position);
  } else {
    sift_down(heap, moved, position);
  }
}

struct wsp_heap_entry *wsp_heap_first(const struct wsp_heap *heap) {
  return heap->count == 0 ? NULL : heap->entries[0];
}
