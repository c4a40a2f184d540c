/* queue.c - see queue.h. The heap is the pool's own (pool/heap.h), its array lies in the arena. */
#include "sim/queue.h"

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

struct sim_entry *sim_queue_pop(struct sim_queue *queue, wsp_time now) {
  struct wsp_heap_entry *first = wsp_heap_first(&queue->heap);
  if (first == NULL || first->at > now) {
    return NULL;
  }
  struct sim_entry *entry =
      (struct sim_entry *)(void *)((char *)first - offsetof(struct sim_entry, due));
  sim_queue_remove(queue, entry);
  return entry;
}

size_t sim_queue_count(const struct sim_queue *queue) {
  return queue->heap.count;
}

size_t sim_queue_background_count(const struct sim_queue *queue) {
  return queue->background_count;
}
