/*
 * test_queue.c - the event queue: its order, removal, counts, growth and lack of memory.
 */
#include <stdint.h>

#include "sim/arena.h"
#include "sim/queue.h"
#include "sim/random.h"
#include "tests/suites.h"

#define ENTRIES 400

static int runs;

static void count_run(void *context, wsp_time now) {
  CU_ASSERT_PTR_EQUAL(context, &runs);
  CU_ASSERT_EQUAL(now, 30);
  runs++;
}

static void count_other(void *context, wsp_time now) {
  (void)context;
  (void)now;
}

static void an_empty_queue_has_no_time(void) {
  struct sim_arena *arena = sim_arena_create(1 << 16);
  struct sim_queue *queue = sim_queue_create(arena);
  struct sim_entry entry = {0};
  CU_ASSERT_PTR_NOT_NULL_FATAL(queue);
  CU_ASSERT_EQUAL(sim_queue_next(queue), WSP_TIME_NEVER);
  CU_ASSERT_PTR_NULL(sim_queue_pop(queue, WSP_TIME_NEVER));
  CU_ASSERT_EQUAL(sim_queue_count(queue), 0);
  CU_ASSERT_EQUAL(sim_queue_background_count(queue), 0);
  sim_queue_remove(queue, &entry);
  CU_ASSERT_EQUAL(sim_queue_count(queue), 0);
  sim_arena_destroy(arena);
}

static void an_entry_is_due_at_its_time_and_not_before(void) {
  struct sim_arena *arena = sim_arena_create(1 << 16);
  struct sim_queue *queue = sim_queue_create(arena);
  struct sim_entry entry = {0};
  CU_ASSERT_PTR_NOT_NULL_FATAL(queue);
  runs = 0;
  CU_ASSERT_TRUE(sim_queue_add(queue, &entry, 30, count_run, &runs, false));
  CU_ASSERT_EQUAL(sim_queue_next(queue), 30);
  CU_ASSERT_PTR_NULL(sim_queue_pop(queue, 29));
  CU_ASSERT_NOT_EQUAL(entry.due.position, 0);
  CU_ASSERT_PTR_EQUAL(sim_queue_pop(queue, 30), &entry);
  CU_ASSERT_EQUAL(entry.due.position, 0);
  CU_ASSERT_EQUAL(runs, 0);
  entry.action(entry.context, 30);
  CU_ASSERT_EQUAL(runs, 1);
  CU_ASSERT_EQUAL(sim_queue_count(queue), 0);
  CU_ASSERT_TRUE(sim_queue_add(queue, &entry, 5, count_other, NULL, false));
  CU_ASSERT_PTR_EQUAL(sim_queue_pop(queue, 1000), &entry);
  CU_ASSERT_PTR_NULL(entry.context);
  sim_arena_destroy(arena);
}

static void equal_times_run_in_the_order_of_their_insertion(void) {
  static struct sim_entry entries[ENTRIES];
  struct sim_arena *arena = sim_arena_create(1 << 20);
  struct sim_queue *queue = sim_queue_create(arena);
  CU_ASSERT_PTR_NOT_NULL_FATAL(queue);
  for (size_t i = 0; i < ENTRIES; i++) {
    CU_ASSERT_TRUE(
        sim_queue_add(queue, &entries[i], i % 2 == 0 ? 20 : 10, count_other, NULL, false));
  }
  for (size_t i = 0; i < ENTRIES; i++) {
    size_t expected = i < ENTRIES / 2 ? 2 * i + 1 : 2 * (i - ENTRIES / 2);
    CU_ASSERT_PTR_EQUAL(sim_queue_pop(queue, 20), &entries[expected]);
  }
  sim_arena_destroy(arena);
}

static void background_entries_are_counted_apart(void) {
  struct sim_arena *arena = sim_arena_create(1 << 16);
  struct sim_queue *queue = sim_queue_create(arena);
  struct sim_entry entries[3] = {0};
  CU_ASSERT_PTR_NOT_NULL_FATAL(queue);
  CU_ASSERT_TRUE(sim_queue_add(queue, &entries[0], 1, count_other, NULL, true));
  CU_ASSERT_TRUE(sim_queue_add(queue, &entries[1], 2, count_other, NULL, false));
  CU_ASSERT_TRUE(sim_queue_add(queue, &entries[2], 3, count_other, NULL, true));
  CU_ASSERT_EQUAL(sim_queue_count(queue), 3);
  CU_ASSERT_EQUAL(sim_queue_background_count(queue), 2);
  sim_queue_remove(queue, &entries[2]);
  CU_ASSERT_EQUAL(sim_queue_background_count(queue), 1);
  sim_queue_remove(queue, &entries[2]);
  CU_ASSERT_EQUAL(sim_queue_background_count(queue), 1);
  CU_ASSERT_PTR_EQUAL(sim_queue_pop(queue, 1), &entries[0]);
  CU_ASSERT_EQUAL(sim_queue_background_count(queue), 0);
  CU_ASSERT_EQUAL(sim_queue_count(queue), 1);
  sim_arena_destroy(arena);
}

/* The slow and plain reference: the scheduled entry with the least (time, order). */
static struct sim_entry *first_of(struct sim_entry *entries) {
  struct sim_entry *first = NULL;
  for (size_t i = 0; i < ENTRIES; i++) {
    struct sim_entry *entry = &entries[i];
    if (entry->due.position != 0 &&
        (first == NULL || entry->due.at < first->due.at ||
         (entry->due.at == first->due.at && entry->due.order < first->due.order))) {
      first = entry;
    }
  }
  return first;
}

static void it_agrees_with_a_plain_search_under_random_use(void) {
  static struct sim_entry entries[ENTRIES];
  struct sim_arena *arena = sim_arena_create(1 << 20);
  struct sim_queue *queue = sim_queue_create(arena);
  struct sim_random random;
  size_t scheduled = 0;
  size_t disagreements = 0, popped = 0, removed = 0, most = 0;
  CU_ASSERT_PTR_NOT_NULL_FATAL(queue);
  sim_random_init(&random, 1, "queue", 0);
  for (int step = 0; step < 20000; step++) {
    struct sim_entry *entry = &entries[sim_random_below(&random, ENTRIES)];
    uint64_t choice = sim_random_below(&random, 8);
    if (choice == 0 && entry->due.position != 0) {
      sim_queue_remove(queue, entry);
      scheduled--;
      removed++;
    } else if (choice == 1) {
      struct sim_entry *expected = first_of(entries);
      disagreements += sim_queue_pop(queue, WSP_TIME_NEVER) != expected ? 1 : 0;
      scheduled -= expected != NULL ? 1 : 0;
      popped += expected != NULL ? 1 : 0;
    } else if (entry->due.position == 0) {
      wsp_time at = (wsp_time)sim_random_below(&random, 200);
      CU_ASSERT_TRUE_FATAL(sim_queue_add(queue, entry, at, count_other, NULL, false));
      scheduled++;
    }
    const struct sim_entry *first = first_of(entries);
    wsp_time expected = first == NULL ? WSP_TIME_NEVER : first->due.at;
    disagreements += sim_queue_next(queue) != expected ? 1 : 0;
    disagreements += sim_queue_count(queue) != scheduled ? 1 : 0;
    most = scheduled > most ? scheduled : most;
  }
  CU_ASSERT_EQUAL(disagreements, 0);
  /* It was worth it: the array grew, and both ways out were used. */
  CU_ASSERT(most > 128);
  CU_ASSERT(popped > 1000);
  CU_ASSERT(removed > 1000);
  for (struct sim_entry *expected = first_of(entries); expected != NULL;
       expected = first_of(entries)) {
    CU_ASSERT_PTR_EQUAL_FATAL(sim_queue_pop(queue, WSP_TIME_NEVER), expected);
  }
  CU_ASSERT_EQUAL(sim_queue_count(queue), 0);
  sim_arena_destroy(arena);
}

static void lack_of_memory_leaves_the_queue_as_it_was(void) {
  static struct sim_entry entries[ENTRIES];
  struct sim_arena *arena = sim_arena_create(1 << 20);
  CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
  for (uint64_t n = 1; n <= 2; n++) {
    sim_arena_fail_at(arena, n, false);
    CU_ASSERT_PTR_NULL(sim_queue_create(arena));
    CU_ASSERT_EQUAL(sim_arena_live(arena), 0);
  }
  struct sim_queue *queue = sim_queue_create(arena);
  CU_ASSERT_PTR_NOT_NULL_FATAL(queue);
  sim_arena_fail_at(arena, 1, true);
  size_t added = 0;
  while (added < ENTRIES && sim_queue_add(queue, &entries[added], (wsp_time)(ENTRIES - added),
                                          count_other, NULL, true)) {
    added++;
  }
  CU_ASSERT_FATAL(added > 0 && added < ENTRIES);
  CU_ASSERT_EQUAL(entries[added].due.position, 0);
  CU_ASSERT_EQUAL(sim_queue_count(queue), added);
  CU_ASSERT_EQUAL(sim_queue_background_count(queue), added);
  size_t live = sim_arena_live(arena);
  sim_arena_fail_at(arena, 0, false);
  CU_ASSERT_TRUE(sim_queue_add(queue, &entries[added], 0, count_other, NULL, false));
  /* The old array went back: only what was added to it is new. */
  CU_ASSERT_EQUAL(sim_arena_live(arena), live + added * sizeof(struct sim_entry *));
  for (size_t i = added + 1; i-- > 0;) {
    CU_ASSERT_PTR_EQUAL(sim_queue_pop(queue, ENTRIES), &entries[i]);
  }
  sim_arena_destroy(arena);
}

CU_TestInfo suite_queue[] = {
    {"an empty queue has no time", an_empty_queue_has_no_time},
    {"an entry is due at its time and not before", an_entry_is_due_at_its_time_and_not_before},
    {"equal times run in the order of their insertion",
     equal_times_run_in_the_order_of_their_insertion},
    {"background entries are counted apart", background_entries_are_counted_apart},
    {"it agrees with a plain search under random use",
     it_agrees_with_a_plain_search_under_random_use},
    {"lack of memory leaves the queue as it was", lack_of_memory_leaves_the_queue_as_it_was},
    CU_TEST_INFO_NULL,
};
