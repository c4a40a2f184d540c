/*
 * memory.h - the injected allocator, slots with generations, and counted strings.
 */
#ifndef POOL_MEMORY_H
#define POOL_MEMORY_H

#include "pool/wspool.h"

struct wsp_memory {
  void *(*allocate)(void *context, size_t size);
  void (*release)(void *context, void *memory, size_t size);
  void *context;
};

/* Zeroed memory; NULL: none left. A size of 0 is served as 1. */
void *wsp_memory_allocate(const struct wsp_memory *memory, size_t size);
void wsp_memory_release(const struct wsp_memory *memory, void *block, size_t size);
/* A larger block with the old one's content, the rest zeroed; NULL: the old one is as it was. */
void *wsp_memory_resize(const struct wsp_memory *memory, void *block, size_t size, size_t new_size);

/* Objects in chunks that never move, found by their slot in O(1). Each begins with a
 * struct wsp_slot. A slot that is given back is used again with another generation, so handles of
 * the earlier object are recognised as stale. */
struct wsp_slot {
  uint32_t slot;
  uint32_t generation; /* odd while in use, even while free: 0 is never valid */
  struct wsp_slot *next_free;
};

struct wsp_slab {
  size_t object_size;
  unsigned char **chunks;
  size_t chunk_count, chunk_capacity;
  struct wsp_slot *free;
  size_t used;
};

void wsp_slab_init(struct wsp_slab *slab, size_t object_size);
void wsp_slab_deinit(struct wsp_slab *slab, const struct wsp_memory *memory);
/* An object that is zeroed but for its slot; NULL: no memory. */
void *wsp_slab_take(struct wsp_slab *slab, const struct wsp_memory *memory);
void wsp_slab_give(struct wsp_slab *slab, void *object);
/* The object of a handle, NULL when it has ended. */
void *wsp_slab_find(const struct wsp_slab *slab, uint32_t slot, uint32_t generation);
/* The object in a slot whether in use or not, NULL behind the end; for lists over all. */
void *wsp_slab_at(const struct wsp_slab *slab, uint32_t slot);

/* A piece of a string that is not its owner's to free. */
struct wsp_span {
  const char *text;
  size_t length;
};

/* Without the white space at both ends (as C's isspace in the C locale); NULL is empty. */
struct wsp_span wsp_trim(const char *text);
/* Whether nothing would be left of it. */
bool wsp_is_blank(const char *text);
bool wsp_span_equal(struct wsp_span a, struct wsp_span b);
uint64_t wsp_span_hash(struct wsp_span span, uint64_t seed);

/* Text on the heap with its length; `text` is never NULL after wsp_text_set(). */
struct wsp_text {
  char *text;
  size_t length;
};

/* False: no memory, `text` is as it was. */
bool wsp_text_set(struct wsp_text *text, const struct wsp_memory *memory, struct wsp_span span);
void wsp_text_clear(struct wsp_text *text, const struct wsp_memory *memory);

/* Headers in one block, names and values trimmed. */
struct wsp_headers {
  struct wsp_header *items;
  size_t count;
  size_t size;
};

/* Fills `headers`, which may hold others (their memory is used again if it is large enough), or be
 * zero. False: no memory, `headers` is as it was. */
bool wsp_headers_assign(struct wsp_headers *headers, const struct wsp_memory *memory,
                        const struct wsp_header *items, size_t count);
/* The same into fresh memory. */
bool wsp_headers_copy(struct wsp_headers *headers, const struct wsp_memory *memory,
                      const struct wsp_header *items, size_t count);
void wsp_headers_clear(struct wsp_headers *headers, const struct wsp_memory *memory);
bool wsp_headers_equal(const struct wsp_headers *headers, const struct wsp_header *items,
                       size_t count);
/* The value of the first header of that name (its case and white space around it do not matter);
 * "": none. */
const char *wsp_headers_find(const struct wsp_headers *headers, const char *name);

#endif
