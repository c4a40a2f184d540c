/*
 * operation.c - a growing table of operations, found by the numbers that the trace has for labels.
 *
 * So a label is hashed and kept once, by the trace.
 */
#include "scenarios/engine/operation.h"

#include <assert.h>
#include <string.h>

struct scn_operations {
  struct sim_arena *arena;
  struct sim_trace *trace;
  struct rep_op **items; /* each is the first member of a scn_operation */
  size_t count;
  size_t capacity;
  uint32_t *by_label; /* by the number of a label's string: number of the item + 1; 0: none */
  size_t label_capacity;
};

enum { FIRST_CAPACITY = 32 };

struct scn_operations *scn_operations_create(struct sim_arena *arena, struct sim_trace *trace) {
  struct scn_operations *operations = sim_arena_zeroed(arena, sizeof *operations);
  if (operations != NULL) {
    operations->arena = arena;
    operations->trace = trace;
  }
  return operations;
}

/* `memory`, which was full, as the start of a larger block; what is new is zero. NULL: no memory.
 */
static void *enlarge(struct sim_arena *arena, void *memory, size_t size, size_t larger) {
  unsigned char *block = sim_arena_allocate(arena, larger);
  if (block == NULL) {
    return NULL;
  }
  if (size > 0) {
    memcpy(block, memory, size);
  }
  memset(block + size, 0, larger - size);
  sim_arena_release(arena, memory, size);
  return block;
}

static bool reserve_item(struct scn_operations *operations) {
  if (operations->count < operations->capacity) {
    return true;
  }
  size_t capacity = operations->capacity == 0 ? FIRST_CAPACITY : 2 * operations->capacity;
  struct rep_op **items = enlarge(operations->arena, operations->items,
                                  operations->capacity * sizeof *items, capacity * sizeof *items);
  if (items == NULL) {
    return false;
  }
  operations->items = items;
  operations->capacity = capacity;
  return true;
}

static bool reserve_label(struct scn_operations *operations, sim_string label) {
  size_t capacity = operations->label_capacity == 0 ? FIRST_CAPACITY : operations->label_capacity;
  while (capacity <= label) {
    capacity *= 2;
  }
  if (capacity == operations->label_capacity) {
    return true;
  }
  uint32_t *by_label =
      enlarge(operations->arena, operations->by_label,
              operations->label_capacity * sizeof *by_label, capacity * sizeof *by_label);
  if (by_label == NULL) {
    return false;
  }
  operations->by_label = by_label;
  operations->label_capacity = capacity;
  return true;
}

struct scn_operation *scn_operations_add(struct scn_operations *operations, const char *label,
                                         enum rep_op_kind kind, int64_t account, wsp_time now) {
  sim_string tag = sim_trace_intern(operations->trace, label);
  if (tag == 0 || !reserve_item(operations) || !reserve_label(operations, tag)) {
    return NULL;
  }
  struct scn_operation *operation = sim_arena_zeroed(operations->arena, sizeof *operation);
  if (operation == NULL) {
    return NULL;
  }
  operation->record = (struct rep_op){
      .label = sim_trace_string(operations->trace, tag),
      .kind = kind,
      .account = account,
      .started_ns = now,
      .ended_ns = -1,
      .result = "pending",
      .reused = -1,
      .queue_wait_ns = -1,
      .conn_pick_ns = -1,
  };
  operation->tag = tag;
  operation->released_ns = -1;
  assert(operations->by_label[tag] == 0 && "labels are unique: the loader sees to it");
  operations->items[operations->count++] = &operation->record;
  operations->by_label[tag] = (uint32_t)operations->count;
  return operation;
}

struct scn_operation *scn_operations_find(const struct scn_operations *operations,
                                          const char *label) {
  int64_t tag = sim_trace_find(operations->trace, label);
  if (tag <= 0 || (size_t)tag >= operations->label_capacity) {
    return NULL;
  }
  uint32_t item = operations->by_label[tag];
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
