/*
 * names.c - a table of texts: open addressing over one block that holds all of them.
 */
#include "reports/names.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 256, FIRST_BYTES = 4096 };

/* FNV-1a. */
static uint32_t hash_of(const char *text) {
  uint32_t hash = 2166136261U;
  for (; *text != '\0'; text++) {
    hash = (hash ^ (unsigned char)*text) * 16777619U;
  }
  return hash ^ hash >> 15;
}

/* The slot of `text`, or the free one in which it belongs. */
static uint32_t slot_of(const struct rep_names *names, const char *text) {
  uint32_t slot = hash_of(text) & (names->slot_count - 1);
  while (names->slots[slot] != 0 &&
         strcmp(rep_names_text(names, names->slots[slot] - 1), text) != 0) {
    slot = (slot + 1) & (names->slot_count - 1);
  }
  return slot;
}

static bool grow_slots(struct rep_names *names) {
  uint32_t *old = names->slots;
  uint32_t count = names->slot_count == 0 ? FIRST_SLOTS : names->slot_count * 2;
  uint64_t *starts = realloc(names->starts, count / 2 * sizeof *starts);
  if (starts == NULL) {
    return false;
  }
  names->starts = starts;
  uint32_t *slots = calloc(count, sizeof *slots);
  if (slots == NULL) {
    return false;
  }
  names->slots = slots;
  names->slot_count = count;
  names->room = count / 2;
  for (uint32_t number = 0; number < names->count; number++) {
    slots[slot_of(names, rep_names_text(names, number))] = number + 1;
  }
  free(old);
  return true;
}

static bool reserve_text(struct rep_names *names, uint64_t size) {
  uint64_t capacity = names->capacity == 0 ? FIRST_BYTES : names->capacity;
  while (capacity - names->length < size) {
    capacity *= 2;
  }
  if (capacity == names->capacity) {
    return true;
  }
  char *text = realloc(names->text, capacity);
  if (text == NULL) {
    return false;
  }
  names->text = text;
  names->capacity = capacity;
  return true;
}

uint32_t rep_names_put(struct rep_names *names, const char *text) {
  if (names->count == names->room && (names->count >= UINT32_C(1) << 30 || !grow_slots(names))) {
    return REP_NAME_NONE;
  }
  uint32_t slot = slot_of(names, text);
  if (names->slots[slot] != 0) {
    return names->slots[slot] - 1;
  }
  uint64_t size = strlen(text) + 1;
  if (!reserve_text(names, size)) {
    return REP_NAME_NONE;
  }
  names->starts[names->count] = names->length;
  memcpy(names->text + names->length, text, size);
  names->length += size;
  names->slots[slot] = ++names->count;
  return names->count - 1;
}

const char *rep_names_text(const struct rep_names *names, uint32_t number) {
  assert(number < names->count);
  return names->text + names->starts[number];
}

void rep_names_deinit(struct rep_names *names) {
  free(names->text);
  free(names->starts);
  free(names->slots);
  *names = (struct rep_names){0};
}
