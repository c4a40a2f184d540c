/*
 * operation.c - a growing table of operations with a hash index over their labels.
 *
 * The index only finds; nothing is ever listed in its order.
 */
#include "scenarios/engine/operation.h"

#include <assert.h>
#include <string.h>

struct slot {
  uint32_t item; /* item number + 1; 0: free */
  uint32_t hash;
};

struct scn_operations {
  struct sim_arena *arena;
  struct rep_op **items; /* each is the first member of a scn_operation */
  size_t count;
  size_t capacity;
  struct slot *slots;
  size_t slot_count; /* a power of two, at least twice `capacity` */
};

enum { FIRST_CAPACITY = 32 };

struct scn_operations *scn_operations_create(struct sim_arena *arena) {
  struct scn_operations *operations = sim_arena_zeroed(arena, sizeof *operations);
  if (operations != NULL) {
    operations->arena = arena;
  }
  return operations;
}

static uint32_t hash_label(const char *label) {
  uint64_t hash = UINT64_C(14695981039346656037);
  for (; *label != '\0'; label++) {
    hash = (hash ^ (unsigned char)*label) * UINT64_C(1099511628211);
  }
  return (uint32_t)(hash ^ (hash >> 32));
}

/* The slot of `label`: the one that holds it, or the free one where it belongs. */
static size_t find_slot(const struct scn_operations *operations, const char *label, uint32_t hash) {
  size_t mask = operations->slot_count - 1;
  size_t slot = hash & mask;
  while (operations->slots[slot].item != 0 &&
         (operations->slots[slot].hash != hash ||
          strcmp(operations->items[operations->slots[slot].item - 1]->label, label) != 0)) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

static bool grow(struct scn_operations *operations) {
  size_t capacity = operations->capacity == 0 ? FIRST_CAPACITY : 2 * operations->capacity;
  size_t slot_count = 2 * capacity;
  struct sim_arena *arena = operations->arena;
  struct rep_op **items = sim_arena_allocate(arena, capacity * sizeof *items);
  struct slot *slots = sim_arena_zeroed(arena, slot_count * sizeof *slots);
  if (items == NULL || slots == NULL) {
    sim_arena_release(arena, items, capacity * sizeof *items);
    sim_arena_release(arena, slots, slot_count * sizeof *slots);
    return false;
  }
  if (operations->count > 0) {
    memcpy(items, operations->items, operations->count * sizeof *items);
  }
  sim_arena_release(arena, operations->items, operations->capacity * sizeof *items);
  size_t mask = slot_count - 1;
  for (size_t i = 0; i < operations->slot_count; i++) {
    if (operations->slots[i].item != 0) {
      size_t slot = operations->slots[i].hash & mask;
      while (slots[slot].item != 0) {
        slot = (slot + 1) & mask;
      }
      slots[slot] = operations->slots[i];
    }
  }
  sim_arena_release(arena, operations->slots, operations->slot_count * sizeof *slots);
  operations->items = items;
  operations->capacity = capacity;
  operations->slots = slots;
  operations->slot_count = slot_count;
  return true;
}

struct scn_operation *scn_operations_add(struct scn_operations *operations, const char *label,
                                         enum rep_op_kind kind, int64_t account, wsp_time now) {
  if (operations->count == operations->capacity && !grow(operations)) {
    return NULL;
  }
  struct scn_operation *operation = sim_arena_zeroed(operations->arena, sizeof *operation);
  char *name = sim_arena_copy_string(operations->arena, label);
  if (operation == NULL || name == NULL) {
    return NULL;
  }
  operation->record = (struct rep_op){
      .label = name,
      .kind = kind,
      .account = account,
      .started_ns = now,
      .ended_ns = -1,
      .result = "pending",
      .reused = -1,
      .queue_wait_ns = -1,
      .conn_pick_ns = -1,
  };
  operation->released_ns = -1;
  uint32_t hash = hash_label(name);
  size_t slot = find_slot(operations, name, hash);
  assert(operations->slots[slot].item == 0 && "labels are unique: the loader sees to it");
  operations->items[operations->count++] = &operation->record;
  operations->slots[slot] = (struct slot){(uint32_t)operations->count, hash};
  return operation;
}

struct scn_operation *scn_operations_find(const struct scn_operations *operations,
                                          const char *label) {
  if (operations->slot_count == 0 || label == NULL) {
    return NULL;
  }
  uint32_t item = operations->slots[find_slot(operations, label, hash_label(label))].item;
  return item == 0 ? NULL : (struct scn_operation *)operations->items[item - 1];
}

const struct rep_op *const *scn_operations_records(const struct scn_operations *operations) {
  return (const struct rep_op *const *)operations->items;
}

size_t scn_operations_count(const struct scn_operations *operations) {
  return operations->count;
}

struct scn_operation *scn_operations_at(const struct scn_operations *operations, size_t index) {
  assert(index < operations->count);
  return (struct scn_operation *)operations->items[index];
}
