/*
 * load_memory.c - a chain of blocks that only grows.
 *
 * It does not align for more than max_align_t and never reuses memory.
 */
#include "scenarios/engine/load_memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 16 * 1024 };

struct block {
  struct block *next;
  size_t size, used;
  max_align_t bytes[];
};

struct kept {
  struct kept *next;
  void *object;
  void (*destroy)(void *object);
};

struct scn_memory {
  void *(*allocate)(size_t size);
  struct block *blocks; /* the first one is the one in use */
  struct kept *kept;
  bool failed;
};

struct scn_memory *scn_memory_create(void *(*allocate)(size_t size)) {
  void *(*take)(size_t) = allocate != NULL ? allocate : malloc;
  struct scn_memory *memory = take(sizeof *memory);
  if (memory != NULL) {
    *memory = (struct scn_memory){.allocate = take};
  }
  return memory;
}

void scn_memory_destroy(struct scn_memory *memory) {
  if (memory == NULL) {
    return;
  }
  for (struct kept *kept = memory->kept; kept != NULL; kept = kept->next) {
    kept->destroy(kept->object);
  }
  while (memory->blocks != NULL) {
    struct block *next = memory->blocks->next;
    free(memory->blocks);
    memory->blocks = next;
  }
  free(memory);
}

static struct block *block_create(struct scn_memory *memory, size_t size) {
  struct block *block = memory->allocate(sizeof *block + size);
  if (block == NULL) {
    memory->failed = true;
    return NULL;
  }
  *block = (struct block){.size = size};
  return block;
}

void *scn_memory_take(struct scn_memory *memory, size_t count, size_t size) {
  const size_t alignment = _Alignof(max_align_t);
  if (count == 0 || size == 0) {
    return NULL;
  }
  if (count > (SIZE_MAX / 2) / size) {
    memory->failed = true;
    return NULL;
  }
  size_t bytes = (count * size + alignment - 1) / alignment * alignment;
  struct block *block = memory->blocks;
  if (block == NULL || block->size - block->used < bytes) {
    block = block_create(memory, bytes > BLOCK_SIZE / 4 ? bytes : BLOCK_SIZE);
    if (block == NULL) {
      return NULL;
    }
    bool alone = bytes > BLOCK_SIZE / 4 && memory->blocks != NULL;
    /* A large piece has a block of its own behind the one in use, whose rest is not lost. */
    struct block **place = alone ? &memory->blocks->next : &memory->blocks;
    block->next = *place;
    *place = block;
  }
  void *piece = (char *)block->bytes + block->used;
  block->used += bytes;
  memset(piece, 0, bytes);
  return piece;
}

void scn_memory_fail(struct scn_memory *memory) {
  memory->failed = true;
}

bool scn_memory_failed(const struct scn_memory *memory) {
  return memory->failed;
}

const char *scn_memory_vformat(struct scn_memory *memory, const char *format, va_list arguments) {
  va_list again;
  va_copy(again, arguments);
  int length = vsnprintf(NULL, 0, format, arguments);
  char *text = length < 0 ? NULL : scn_memory_take(memory, (size_t)length + 1, 1);
  if (text != NULL) {
    vsnprintf(text, (size_t)length + 1, format, again);
  }
  va_end(again);
  return text;
}

const char *scn_memory_format(struct scn_memory *memory, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const char *text = scn_memory_vformat(memory, format, arguments);
  va_end(arguments);
  return text;
}

char *scn_memory_copy(struct scn_memory *memory, const char *text, size_t length) {
  char *copy = scn_memory_take(memory, length + 1, 1);
  if (copy != NULL) {
    memcpy(copy, text, length);
  }
  return copy;
}

bool scn_memory_keep(struct scn_memory *memory, void *object, void (*destroy)(void *object)) {
  struct kept *kept = scn_memory_take(memory, 1, sizeof *kept);
  if (kept == NULL) {
    destroy(object);
    return false;
  }
  *kept = (struct kept){.next = memory->kept, .object = object, .destroy = destroy};
  memory->kept = kept;
  return true;
}
