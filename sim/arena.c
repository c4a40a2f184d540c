/*
 * arena.c - the arena's mapping, its size classes and its snapshots.
 *
 * Blocks are whole multiples of 16 bytes up to 1 KiB and powers of two above; a block that comes
 * back waits in the free list of its class and is neither split nor merged. Nothing is given back
 * to the system before the arena is destroyed. Built with AddressSanitizer, blocks that were given
 * back and the slack behind those in use are poisoned (the slack only until the next snapshot or
 * restore).
 */
#define _GNU_SOURCE
#include "sim/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#endif

#define GRANULE ((size_t)16)
#define SMALL_LIMIT ((size_t)1024)
#define SMALL_CLASSES (SMALL_LIMIT / GRANULE)
#define SIZE_LIMIT ((size_t)1 << 62)
#define CLASS_COUNT (SMALL_CLASSES + 52)

_Static_assert(_Alignof(max_align_t) <= 16, "a granule suits any type");

struct free_block {
  struct free_block *next;
};

struct sim_arena {
  size_t capacity; /* of the mapping, this header included */
  size_t top;      /* offset of what was never handed out */
  size_t live;
  uint64_t fail_countdown; /* allocations until the one that fails; 0: none */
  bool fail_for_ever;
  struct free_block *free_blocks[CLASS_COUNT];
};

#define HEADER_SIZE ((sizeof(struct sim_arena) + GRANULE - 1) / GRANULE * GRANULE)

struct sim_snapshot {
  const struct sim_arena *arena;
  size_t used;
  size_t capacity; /* of `bytes` */
  unsigned char *bytes;
};

static void poison(const void *memory, size_t size) {
#ifdef ARENA_POISONS
  ASAN_POISON_MEMORY_REGION(memory, size);
#else
  (void)memory;
  (void)size;
#endif
}

static void unpoison(const void *memory, size_t size) {
#ifdef ARENA_POISONS
  ASAN_UNPOISON_MEMORY_REGION(memory, size);
#else
  (void)memory;
  (void)size;
#endif
}

/* The class that serves `size` and the size of its blocks. */
static size_t class_of(size_t size, size_t *block_size) {
  if (size <= SMALL_LIMIT) {
    size_t granules = size == 0 ? 1 : (size + GRANULE - 1) / GRANULE;
    *block_size = granules * GRANULE;
    return granules - 1;
  }
  size_t index = SMALL_CLASSES;
  *block_size = 2 * SMALL_LIMIT;
  while (*block_size < size) {
    *block_size *= 2;
    index++;
  }
  return index;
}

#ifdef ARENA_POISONS
static void poison_free_blocks(const struct sim_arena *arena) {
  for (size_t index = 0; index < CLASS_COUNT; index++) {
    size_t block_size = (index + 1) * GRANULE;
    if (index >= SMALL_CLASSES) {
      block_size = (2 * SMALL_LIMIT) << (index - SMALL_CLASSES);
    }
    const struct free_block *block = arena->free_blocks[index];
    while (block != NULL) {
      const struct free_block *next = block->next;
      poison(block, block_size);
      block = next;
    }
  }
}
#else
static void poison_free_blocks(const struct sim_arena *arena) {
  (void)arena;
}
#endif

struct sim_arena *sim_arena_create(size_t capacity) {
  if (capacity > SIZE_LIMIT) {
    return NULL;
  }
  void *mapping = mmap(NULL, HEADER_SIZE + capacity, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) {
    return NULL;
  }
  (void)madvise(mapping, HEADER_SIZE + capacity, MADV_HUGEPAGE);
  struct sim_arena *arena = mapping;
  arena->capacity = HEADER_SIZE + capacity;
  arena->top = HEADER_SIZE;
  return arena;
}

void sim_arena_destroy(struct sim_arena *arena) {
  if (arena == NULL) {
    return;
  }
  unpoison(arena, arena->top);
  (void)munmap(arena, arena->capacity);
}

void sim_arena_reset(struct sim_arena *arena) {
  size_t capacity = arena->capacity;
  unpoison(arena, arena->top);
  memset(arena, 0, sizeof *arena);
  arena->capacity = capacity;
  arena->top = HEADER_SIZE;
}

static bool fails_now(struct sim_arena *arena) {
  if (arena->fail_countdown == 0) {
    return false;
  }
  arena->fail_countdown--;
  if (arena->fail_countdown > 0) {
    return false;
  }
  arena->fail_countdown = arena->fail_for_ever ? 1 : 0;
  return true;
}

void *sim_arena_allocate(struct sim_arena *arena, size_t size) {
  if (fails_now(arena) || size > SIZE_LIMIT) {
    return NULL;
  }
  size_t block_size = 0;
  size_t index = class_of(size, &block_size);
  void *memory = arena->free_blocks[index];
  if (memory != NULL) {
    unpoison(memory, block_size);
    arena->free_blocks[index] = ((struct free_block *)memory)->next;
  } else {
    if (block_size > arena->capacity - arena->top) {
      return NULL;
    }
    memory = (unsigned char *)arena + arena->top;
    arena->top += block_size;
  }
  poison((unsigned char *)memory + size, block_size - size);
  arena->live += size;
  return memory;
}

void *sim_arena_zeroed(struct sim_arena *arena, size_t size) {
  void *memory = sim_arena_allocate(arena, size);
  if (memory != NULL) {
    memset(memory, 0, size);
  }
  return memory;
}

void sim_arena_release(struct sim_arena *arena, void *memory, size_t size) {
  if (memory == NULL) {
    return;
  }
  size_t block_size = 0;
  size_t index = class_of(size, &block_size);
  size_t offset = (size_t)((unsigned char *)memory - (unsigned char *)arena);
  assert(offset >= HEADER_SIZE && offset < arena->top && offset % GRANULE == 0);
  assert(block_size <= arena->top - offset);
  assert(size <= arena->live);
  struct free_block *block = memory;
  unpoison(block, block_size);
  block->next = arena->free_blocks[index];
  arena->free_blocks[index] = block;
  poison(block, block_size);
  arena->live -= size;
}

char *sim_arena_copy_string(struct sim_arena *arena, const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = sim_arena_allocate(arena, size);
  if (copy != NULL) {
    memcpy(copy, text, size);
  }
  return copy;
}

size_t sim_arena_live(const struct sim_arena *arena) {
  return arena->live;
}

size_t sim_arena_used(const struct sim_arena *arena) {
  return arena->top;
}

void sim_arena_fail_at(struct sim_arena *arena, uint64_t n, bool for_ever) {
  arena->fail_countdown = n;
  arena->fail_for_ever = for_ever;
}

bool sim_snapshot_retake(struct sim_snapshot *snapshot) {
  const struct sim_arena *arena = snapshot->arena;
  if (snapshot->capacity < arena->top) {
    free(snapshot->bytes);
    snapshot->capacity = arena->top;
    snapshot->used = 0;
    snapshot->bytes = malloc(snapshot->capacity);
    if (snapshot->bytes == NULL) {
      snapshot->capacity = 0;
      return false;
    }
  }
  assert(snapshot->bytes != NULL); /* the arena's own head lies in it, so it is never empty */
  snapshot->used = arena->top;
  unpoison(arena, arena->top);
  memcpy(snapshot->bytes, arena, snapshot->used);
  poison_free_blocks(arena);
  return true;
}

struct sim_snapshot *sim_snapshot_take(const struct sim_arena *arena) {
  struct sim_snapshot *snapshot = malloc(sizeof *snapshot);
  if (snapshot == NULL) {
    return NULL;
  }
  *snapshot = (struct sim_snapshot){.arena = arena};
  if (!sim_snapshot_retake(snapshot)) {
    free(snapshot);
    return NULL;
  }
  return snapshot;
}

void sim_snapshot_restore(struct sim_arena *arena, const struct sim_snapshot *snapshot) {
  /* Its pointers are good at one place only. */
  assert(snapshot->arena == arena && snapshot->used > 0);
  unpoison(arena, arena->top);
  memcpy(arena, snapshot->bytes, snapshot->used);
  poison_free_blocks(arena);
}

void sim_snapshot_destroy(struct sim_snapshot *snapshot) {
  if (snapshot == NULL) {
    return;
  }
  free(snapshot->bytes);
  free(snapshot);
}

void *sim_arena_allocate_for_pool(void *context, size_t size) {
  return sim_arena_allocate(context, size);
}

void sim_arena_release_for_pool(void *context, void *memory, size_t size) {
  sim_arena_release(context, memory, size);
}
