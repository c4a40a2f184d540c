/*
 * load_memory.h - the memory of a loaded scenario: taken piece by piece, freed as a whole.
 *
 * A failed allocation is remembered, so that a loader may go on with a NULL here and there and ask
 * once at the end. Nothing is given back before scn_memory_destroy().
 */
#ifndef ENGINE_LOAD_MEMORY_H
#define ENGINE_LOAD_MEMORY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct scn_memory;

/* `allocate` takes the place of malloc (what it gives is freed with free); NULL: malloc itself.
 * NULL is returned when there is no memory. */
struct scn_memory *scn_memory_create(void *(*allocate)(size_t size));
void scn_memory_destroy(struct scn_memory *memory);

/* Zeroed memory for `count` objects of `size` bytes, aligned for any type. NULL for a count of 0,
 * and when there is no memory. */
void *scn_memory_take(struct scn_memory *memory, size_t count, size_t size);
/* Remembers an allocation that failed elsewhere. */
void scn_memory_fail(struct scn_memory *memory);
/* True once any allocation has failed. */
bool scn_memory_failed(const struct scn_memory *memory);

/* Text as printf makes it; NULL when there is no memory. */
const char *scn_memory_format(struct scn_memory *memory, const char *format, ...);
const char *scn_memory_vformat(struct scn_memory *memory, const char *format, va_list arguments);
/* A copy of `length` bytes with a NUL behind them; NULL when there is no memory. */
char *scn_memory_copy(struct scn_memory *memory, const char *text, size_t length);

/* Destroys `object` together with the memory; it is destroyed at once when there is no memory to
 * remember it (false). */
bool scn_memory_keep(struct scn_memory *memory, void *object, void (*destroy)(void *object));

#endif
