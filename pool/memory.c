/* memory.c - see memory.h. */
#include "pool/memory.h"

#include <assert.h>
#include <string.h>

/* The first slots come in small chunks, so that a small pool is small: a simulator copies it again
 * and again. */
enum { SMALL_CHUNK = 8, LARGE_CHUNK = 64, SMALL_CHUNKS = LARGE_CHUNK / SMALL_CHUNK };

static size_t slots_in(size_t chunk) {
  return chunk < SMALL_CHUNKS ? SMALL_CHUNK : LARGE_CHUNK;
}

static size_t first_slot_in(size_t chunk) {
  return chunk < SMALL_CHUNKS ? chunk * SMALL_CHUNK : (chunk - SMALL_CHUNKS + 1) * LARGE_CHUNK;
}

void *wsp_memory_allocate(const struct wsp_memory *memory, size_t size) {
  size = size == 0 ? 1 : size;
  void *block = memory->allocate(memory->context, size);
  if (block != NULL) {
    memset(block, 0, size);
  }
  return block;
}

void wsp_memory_release(const struct wsp_memory *memory, void *block, size_t size) {
  if (block != NULL) {
    memory->release(memory->context, block, size == 0 ? 1 : size);
  }
}

void *wsp_memory_resize(const struct wsp_memory *memory, void *block, size_t size,
                        size_t new_size) {
  assert(new_size >= size);
  void *larger = wsp_memory_allocate(memory, new_size);
  if (larger != NULL && block != NULL) {
    memcpy(larger, block, size);
    wsp_memory_release(memory, block, size);
  }
  return larger;
}

void wsp_slab_init(struct wsp_slab *slab, size_t object_size) {
  *slab = (struct wsp_slab){.object_size = object_size};
}

void wsp_slab_deinit(struct wsp_slab *slab, const struct wsp_memory *memory) {
  for (size_t i = 0; i < slab->chunk_count; i++) {
    wsp_memory_release(memory, slab->chunks[i], slots_in(i) * slab->object_size);
  }
  wsp_memory_release(memory, slab->chunks, slab->chunk_capacity * sizeof *slab->chunks);
  wsp_slab_init(slab, slab->object_size);
}

static bool add_chunk(struct wsp_slab *slab, const struct wsp_memory *memory) {
  if (slab->chunk_count == slab->chunk_capacity) {
    size_t capacity = slab->chunk_capacity == 0 ? 16 : 2 * slab->chunk_capacity;
    unsigned char **chunks = wsp_memory_resize(
        memory, slab->chunks, slab->chunk_capacity * sizeof *chunks, capacity * sizeof *chunks);
    if (chunks == NULL) {
      return false;
    }
    slab->chunks = chunks;
    slab->chunk_capacity = capacity;
  }
  size_t slots = slots_in(slab->chunk_count);
  size_t first = first_slot_in(slab->chunk_count);
  unsigned char *chunk = wsp_memory_allocate(memory, slots * slab->object_size);
  if (chunk == NULL) {
    return false;
  }
  for (size_t i = slots; i-- > 0;) {
    struct wsp_slot *slot = (struct wsp_slot *)(void *)(chunk + i * slab->object_size);
    slot->slot = (uint32_t)(first + i);
    slot->next_free = slab->free;
    slab->free = slot;
  }
  slab->chunks[slab->chunk_count++] = chunk;
  return true;
}

void *wsp_slab_take(struct wsp_slab *slab, const struct wsp_memory *memory) {
  if (slab->free == NULL && !add_chunk(slab, memory)) {
    return NULL;
  }
  struct wsp_slot *slot = slab->free;
  struct wsp_slot kept = *slot;
  slab->free = slot->next_free;
  memset(slot, 0, slab->object_size);
  slot->slot = kept.slot;
  slot->generation = kept.generation + 1;
  slab->used++;
  return slot;
}

void wsp_slab_give(struct wsp_slab *slab, void *object) {
  struct wsp_slot *slot = object;
  assert(slot->generation % 2 == 1);
  slot->generation++;
  slot->next_free = slab->free;
  slab->free = slot;
  slab->used--;
}

void *wsp_slab_at(const struct wsp_slab *slab, uint32_t slot) {
  bool small = slot < LARGE_CHUNK;
  size_t chunk = small ? slot / SMALL_CHUNK : slot / LARGE_CHUNK + SMALL_CHUNKS - 1;
  if (chunk >= slab->chunk_count) {
    return NULL;
  }
  return slab->chunks[chunk] + slot % (small ? SMALL_CHUNK : LARGE_CHUNK) * slab->object_size;
}

void *wsp_slab_find(const struct wsp_slab *slab, uint32_t slot, uint32_t generation) {
  struct wsp_slot *found = wsp_slab_at(slab, slot);
  if (found == NULL || generation % 2 == 0 || found->generation != generation) {
    return NULL;
  }
  return found;
}

static bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct wsp_span trim_span(const char *text, size_t length) {
  while (length > 0 && is_space(*text)) {
    text++;
    length--;
  }
  while (length > 0 && is_space(text[length - 1])) {
    length--;
  }
  return (struct wsp_span){text, length};
}

struct wsp_span wsp_trim(const char *text) {
  return text == NULL ? (struct wsp_span){"", 0} : trim_span(text, strlen(text));
}

bool wsp_is_blank(const char *text) {
  while (text != NULL && is_space(*text)) {
    text++;
  }
  return text == NULL || *text == '\0';
}

bool wsp_span_equal(struct wsp_span a, struct wsp_span b) {
  return a.length == b.length && (a.length == 0 || memcmp(a.text, b.text, a.length) == 0);
}

/* Multiply and fold, eight bytes at a time. Only where a bucket lies depends on it, never what
 * the pool decides. */
uint64_t wsp_span_hash(struct wsp_span span, uint64_t seed) {
  uint64_t hash = seed ^ (span.length * UINT64_C(0x9e3779b97f4a7c15));
  for (size_t i = 0; i < span.length; i += 8) {
    uint64_t word = 0;
    memcpy(&word, span.text + i, span.length - i < 8 ? span.length - i : 8);
    hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
    hash ^= hash >> 32;
  }
  return hash;
}

bool wsp_text_set(struct wsp_text *text, const struct wsp_memory *memory, struct wsp_span span) {
  char *copy = wsp_memory_allocate(memory, span.length + 1);
  if (copy == NULL) {
    return false;
  }
  memcpy(copy, span.text, span.length);
  wsp_text_clear(text, memory);
  *text = (struct wsp_text){copy, span.length};
  return true;
}

void wsp_text_clear(struct wsp_text *text, const struct wsp_memory *memory) {
  wsp_memory_release(memory, text->text, text->length + 1);
  *text = (struct wsp_text){NULL, 0};
}

bool wsp_headers_assign(struct wsp_headers *headers, const struct wsp_memory *memory,
                        const struct wsp_header *items, size_t count) {
  size_t size = count * sizeof *items;
  for (size_t i = 0; i < count; i++) {
    size += wsp_trim(items[i].name).length + wsp_trim(items[i].value).length + 2;
  }
  if (size > headers->size) {
    struct wsp_header *larger = wsp_memory_allocate(memory, size);
    if (larger == NULL) {
      return false;
    }
    wsp_headers_clear(headers, memory);
    *headers = (struct wsp_headers){larger, 0, size};
  }
  headers->count = count;
  if (count == 0) {
    return true;
  }
  char *text = (char *)(headers->items + count);
  for (size_t i = 0; i < count; i++) {
    const struct wsp_span parts[2] = {wsp_trim(items[i].name), wsp_trim(items[i].value)};
    const char *copies[2];
    for (int part = 0; part < 2; part++) {
      memcpy(text, parts[part].text, parts[part].length);
      text[parts[part].length] = '\0';
      copies[part] = text;
      text += parts[part].length + 1;
    }
    headers->items[i] = (struct wsp_header){copies[0], copies[1]};
  }
  return true;
}

bool wsp_headers_copy(struct wsp_headers *headers, const struct wsp_memory *memory,
                      const struct wsp_header *items, size_t count) {
  *headers = (struct wsp_headers){0};
  return wsp_headers_assign(headers, memory, items, count);
}

void wsp_headers_clear(struct wsp_headers *headers, const struct wsp_memory *memory) {
  wsp_memory_release(memory, headers->items, headers->size);
  *headers = (struct wsp_headers){0};
}

bool wsp_headers_equal(const struct wsp_headers *headers, const struct wsp_header *items,
                       size_t count) {
  if (headers->count != count) {
    return false;
  }
  for (size_t i = 0; i < count; i++) {
    const char *name = headers->items[i].name;
    const char *value = headers->items[i].value;
    if (!wsp_span_equal((struct wsp_span){name, strlen(name)}, wsp_trim(items[i].name)) ||
        !wsp_span_equal((struct wsp_span){value, strlen(value)}, wsp_trim(items[i].value))) {
      return false;
    }
  }
  return true;
}

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool equal_ignoring_case(struct wsp_span a, struct wsp_span b) {
  if (a.length != b.length) {
    return false;
  }
  for (size_t i = 0; i < a.length; i++) {
    if (lower(a.text[i]) != lower(b.text[i])) {
      return false;
    }
  }
  return true;
}

const char *wsp_headers_find(const struct wsp_headers *headers, const char *name) {
  struct wsp_span wanted = wsp_trim(name);
  for (size_t i = 0; i < headers->count; i++) {
    if (equal_ignoring_case(wsp_trim(headers->items[i].name), wanted)) {
      return headers->items[i].value;
    }
  }
  return "";
}
