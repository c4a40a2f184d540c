/*
 * queue.c - the heap of sim/queue.h. Entries know their place in it, so that one in the middle
 * comes out in logarithmic time. Its array lies in the arena and doubles when it is full.
 */
#include "sim/queue.h"

#include <assert.h>
#include <string.h>

#include "sim/arena.h"

#define FIRST_CAPACITY ((size_t)64)
#define CHILDREN ((size_t)4)

struct sim_queue {
  struct sim_arena *arena;
  struct sim_entry **heap; /* heap[i] has position i + 1 */
  size_t capacity;
  size_t count;
  size_t background_count;
  uint64_t next_order;
};

static bool comes_before(const struct sim_entry *left, const struct sim_entry *right) {
  return left->at != right->at ? left->at < right->at : left->order < right->order;
}

static void place(struct sim_queue *queue, struct sim_entry *entry, size_t index) {
  queue->heap[index] = entry;
  entry->position = index + 1;
}

static void sift_up(struct sim_queue *queue, struct sim_entry *entry, size_t index) {
  while (index > 0) {
    size_t parent = (index - 1) / CHILDREN;
    if (!comes_before(entry, queue->heap[parent])) {
      break;
    }
    place(queue, queue->heap[parent], index);
    index = parent;
  }
  place(queue, entry, index);
}

static void sift_down(struct sim_queue *queue, struct sim_entry *entry, size_t index) {
  for (;;) {
    size_t first = index * CHILDREN + 1;
    size_t end = first + CHILDREN < queue->count ? first + CHILDREN : queue->count;
    size_t best = first;
    if (first >= end) {
      break;
    }
    for (size_t child = first + 1; child < end; child++) {
      if (comes_before(queue->heap[child], queue->heap[best])) {
        best = child;
      }
    }
    if (!comes_before(queue->heap[best], entry)) {
      break;
    }
    place(queue, queue->heap[best], index);
    index = best;
  }
  place(queue, entry, index);
}

static bool grow(struct sim_queue *queue) {
  size_t capacity = queue->capacity * 2;
  struct sim_entry **heap = sim_arena_allocate(queue->arena, capacity * sizeof(*heap));
  if (heap == NULL) {
    return false;
  }
  memcpy(heap, queue->heap, queue->count * sizeof(*heap));
  sim_arena_release(queue->arena, queue->heap, queue->capacity * sizeof(*heap));
  queue->heap = heap;
  queue->capacity = capacity;
  return true;
}

struct sim_queue *sim_queue_create(struct sim_arena *arena) {
  struct sim_queue *queue = sim_arena_zeroed(arena, sizeof *queue);
  if (queue == NULL) {
    return NULL;
  }
  queue->arena = arena;
  queue->capacity = FIRST_CAPACITY;
  queue->heap = sim_arena_allocate(arena, FIRST_CAPACITY * sizeof(*queue->heap));
  if (queue->heap == NULL) {
    sim_arena_release(arena, queue, sizeof *queue);
    return NULL;
  }
  return queue;
}

bool sim_queue_add(struct sim_queue *queue, struct sim_entry *entry, wsp_time at, sim_action action,
                   void *context, bool background) {
  assert(entry->position == 0);
  if (queue->count == queue->capacity && !grow(queue)) {
    return false;
  }
  entry->at = at;
  entry->order = queue->next_order++;
  entry->action = action;
  entry->context = context;
  entry->background = background;
  queue->background_count += background ? 1 : 0;
  queue->count++;
  sift_up(queue, entry, queue->count - 1);
  return true;
}

void sim_queue_remove(struct sim_queue *queue, struct sim_entry *entry) {
  if (entry->position == 0) {
    return;
  }
  size_t index = entry->position - 1;
  assert(index < queue->count && queue->heap[index] == entry);
  entry->position = 0;
  queue->background_count -= entry->background ? 1 : 0;
  queue->count--;
  if (index == queue->count) {
    return;
  }
  struct sim_entry *moved = queue->heap[queue->count];
  if (comes_before(moved, entry)) {
    sift_up(queue, moved, index);
  } else {
    sift_down(queue, moved, index);
  }
}

wsp_time sim_queue_next(const struct sim_queue *queue) {
  return queue->count == 0 ? WSP_TIME_NEVER : queue->heap[0]->at;
}

struct sim_entry *sim_queue_pop(struct sim_queue *queue, wsp_time now) {
  if (queue->count == 0 || queue->heap[0]->at > now) {
    return NULL;
  }
  struct sim_entry *entry = queue->heap[0];
  sim_queue_remove(queue, entry);
  return entry;
}

size_t sim_queue_count(const struct sim_queue *queue) {
  return queue->count;
}

size_t sim_queue_background_count(const struct sim_queue *queue) {
  return queue->background_count;
}
