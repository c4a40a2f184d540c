/*
 * arena.h - the memory that a whole simulated world lives in.
 *
 * One mapping that never moves, so pointers into it stay good. Allocation takes from free lists
 * by size class, else from the top. A snapshot is a copy of the used bytes (its bookkeeping lies
 * inside, so it is part of the copy); restoring copies them back.
 */
#ifndef SIM_ARENA_H
#define SIM_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_arena;

/* Reserves address space for `capacity` bytes; memory is used as it fills. NULL: no memory. */
struct sim_arena *sim_arena_create(size_t capacity);
void sim_arena_destroy(struct sim_arena *arena);

/* Forgets every allocation, and sim_arena_fail_at(). */
void sim_arena_reset(struct sim_arena *arena);

/* Memory aligned for any type (of any size, 0 too), not zeroed; NULL when the capacity is used
 * up. */
void *sim_arena_allocate(struct sim_arena *arena, size_t size);
/* Zeroed memory for one object. */
void *sim_arena_zeroed(struct sim_arena *arena, size_t size);
/* Gives memory back; `size` as it was asked for. NULL is ignored. */
void sim_arena_release(struct sim_arena *arena, void *memory, size_t size);
char *sim_arena_copy_string(struct sim_arena *arena, const char *text);

/* Bytes in allocations that have not been given back; for leak checks. */
size_t sim_arena_live(const struct sim_arena *arena);
/* Bytes that a snapshot copies. */
size_t sim_arena_used(const struct sim_arena *arena);

/* For tests of what happens without memory: the n-th allocation from now on fails (1: the next),
 * and those after it when `for_ever`. 0: none. */
void sim_arena_fail_at(struct sim_arena *arena, uint64_t n, bool for_ever);

struct sim_snapshot;
/* NULL: no memory. */
struct sim_snapshot *sim_snapshot_take(const struct sim_arena *arena);
/* Takes it again, of the arena as it is now: what it held is lost, its memory is used again. False:
 * no memory, and the snapshot must not be restored before this succeeds. */
bool sim_snapshot_retake(struct sim_snapshot *snapshot);
void sim_snapshot_restore(struct sim_arena *arena, const struct sim_snapshot *snapshot);
void sim_snapshot_destroy(struct sim_snapshot *snapshot);

/* For struct wsp_environment; `context` is the arena. */
void *sim_arena_allocate_for_pool(void *context, size_t size);
void sim_arena_release_for_pool(void *context, void *memory, size_t size);

#endif
