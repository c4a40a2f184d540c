/* queue.c - see queue.h. The heap is the pool's own (pool/heap.h), its array lies in the arena. */
#include "sim/queue.h"

#include <string.h>

#include "sim/arena.h"

struct sim_queue {
  struct wsp_memory memory;
  struct wsp_heap heap;
  size_t background_count;
};

struct sim_queue *sim_queue_create(struct sim_arena *arena) {
  struct sim_queue *queue = sim_arena_zeroed(arena, sizeof *queue);
  if (queue == NULL) {
    return NULL;
  }
  queue->memory =
      (struct wsp_memory){sim_arena_allocate_for_pool, sim_arena_release_for_pool, arena};
  if (!wsp_heap_reserve(&queue->heap, &queue->memory, 1)) {
    sim_arena_release(arena, queue, sizeof *queue);
    return NULL;
  }
  return queue;
}

bool sim_queue_add(struct sim_queue *queue, struct sim_entry *entry, wsp_time at, sim_action action,
                   void *context, bool background) {
  if (!wsp_heap_reserve(&queue->heap, &queue->memory, queue->heap.count + 1)) {
    return false;
  }
  wsp_heap_add(&queue->heap, &entry->due, at);
  entry->action = action;
  entry->context = context;
  entry->background = background;
  queue->background_count += background;
  return true;
}

void sim_queue_remove(struct sim_queue *queue, struct sim_entry *entry) {
  if (entry->due.position != 0) {
    queue->background_count -= entry->background;
    wsp_heap_remove(&queue->heap, &entry->due);
  }
}

wsp_time sim_queue_next(const struct sim_queue *queue) {
  const struct wsp_heap_entry *first = wsp_heap_first(&queue->heap);
  return first == NULL ? WSP_TIME_NEVER : first->at;
}

static struct sim_entry *entry_of(struct wsp_heap_entry *due) {
  return (struct sim_entry *)(void *)((char *)due - offsetof(struct sim_entry, due));
}

struct sim_entry *sim_queue_pop(struct sim_queue *queue, wsp_time now) {
  struct wsp_heap_entry *first = wsp_heap_first(&queue->heap);
  if (first == NULL || first->at > now) {
    return NULL;
  }
  struct sim_entry *entry = entry_of(first);
  sim_queue_remove(queue, entry);
  return entry;
}

/* Puts `entry` at its place among those listed; the last one falls out of a full list. */
static size_t insert(struct sim_entry **entries, size_t count, size_t most,
                     struct sim_entry *entry) {
  size_t at = count;
  while (at > 0 && (entry->due.at < entries[at - 1]->due.at ||
                    (entry->due.at == entries[at - 1]->due.at &&
                     entry->due.order < entries[at - 1]->due.order))) {
    at--;
  }
  if (at == most) {
    return count;
  }
  size_t kept = count < most ? count : most - 1;
  memmove(&entries[at + 1], &entries[at], (kept - at) * sizeof(struct sim_entry *));
  entries[at] = entry;
  return kept + 1;
}

/* Goes down from `position` as far as entries are due: below one that is not, none is. */
static size_t list_due(const struct wsp_heap *heap, size_t position, wsp_time now,
                       struct sim_entry **entries, size_t count, size_t most) {
  if (position > heap->count || heap->entries[position - 1]->at > now) {
    return count;
  }
  count = insert(entries, count, most, entry_of(heap->entries[position - 1]));
  for (size_t child = 4 * position - 2; child <= 4 * position + 1; child++) {
    count = list_due(heap, child, now, entries, count, most);
  }
  return count;
}

size_t sim_queue_due(const struct sim_queue *queue, wsp_time now, struct sim_entry **entries,
                     size_t most) {
  return list_due(&queue->heap, 1, now, entries, 0, most);
}

const struct sim_entry *sim_queue_at(const struct sim_queue *queue, size_t place) {
  return entry_of(queue->heap.entries[place]);
}

size_t sim_queue_count(const struct sim_queue *queue) {
  return queue->heap.count;
}

size_t sim_queue_background_count(const struct sim_queue *queue) {
  return queue->background_count;
}
