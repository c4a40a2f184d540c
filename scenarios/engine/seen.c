/*
 * seen.c - a set of keys.
 */
#include "scenarios/engine/seen.h"

#include <stdlib.h>

/* 24 bytes each: 768 MB. */
#define MOST_ENTRIES ((size_t)1 << 25)

static bool is_free(const struct scn_seen_entry *entry) {
  return entry->key.words[0] == 0 && entry->key.words[1] == 0;
}

static struct scn_seen_entry *place_of(const struct scn_seen *seen, struct scn_key key) {
  size_t mask = seen->capacity - 1;
  size_t at = (size_t)key.words[0] & mask;
  while (!is_free(&seen->entries[at]) && (seen->entries[at].key.words[0] != key.words[0] ||
                                          seen->entries[at].key.words[1] != key.words[1])) {
    at = (at + 1) & mask;
  }
  return &seen->entries[at];
}

static bool grow(struct scn_seen *seen) {
  struct scn_seen larger = {.capacity = seen->capacity == 0 ? 1024 : 2 * seen->capacity};
  if (larger.capacity > MOST_ENTRIES) {
    return false;
  }
  larger.entries = calloc(larger.capacity, sizeof *larger.entries);
  if (larger.entries == NULL) {
    return false;
  }
  for (size_t i = 0; i < seen->capacity; i++) {
    if (!is_free(&seen->entries[i])) {
      *place_of(&larger, seen->entries[i].key) = seen->entries[i];
    }
  }
  free(seen->entries);
  seen->entries = larger.entries;
  seen->capacity = larger.capacity;
  return true;
}

struct scn_seen_entry *scn_seen_put(struct scn_seen *seen, struct scn_key key, bool *is_new) {
  if (key.words[0] == 0 && key.words[1] == 0) {
    key.words[1] = 1;
  }
  bool has_room = 2 * seen->count < seen->capacity || grow(seen);
  *is_new = true;
  if (seen->capacity == 0) {
    seen->full = true;
    return NULL;
  }
  struct scn_seen_entry *entry = place_of(seen, key);
  if (!is_free(entry)) {
    *is_new = false;
    return entry;
  }
  if (!has_room) {
    seen->full = true;
    return NULL;
  }
  *entry = (struct scn_seen_entry){.key = key};
  seen->count++;
  return entry;
}

void scn_seen_deinit(struct scn_seen *seen) {
  free(seen->entries);
  *seen = (struct scn_seen){0};
}
