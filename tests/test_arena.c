/*
 * test_arena.c - the arena: what it hands out, takes back, counts, refuses and restores.
 */
#include <stdio.h>
#include <string.h>

#include "sim/arena.h"
#include "tests/suites.h"

static void blocks_are_aligned_and_apart(void) {
  static const size_t sizes[] = {0, 1, 15, 16, 17, 1023, 1024, 1025, 2048, 2049, 100000};
  enum { COUNT = sizeof(sizes) / sizeof(sizes[0]) };
  unsigned char *blocks[COUNT];
  struct sim_arena *arena = sim_arena_create(1 << 20);
  CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
  for (size_t i = 0; i < COUNT; i++) {
    blocks[i] = sim_arena_allocate(arena, sizes[i]);
    CU_ASSERT_PTR_NOT_NULL_FATAL(blocks[i]);
    CU_ASSERT_EQUAL((uintptr_t)blocks[i] % 16, 0);
    memset(blocks[i], (int)i + 1, sizes[i]);
  }
  for (size_t i = 0; i < COUNT; i++) {
    size_t right = 0;
    for (size_t byte = 0; byte < sizes[i]; byte++) {
      right += blocks[i][byte] == i + 1 ? 1 : 0;
    }
    CU_ASSERT_EQUAL(right, sizes[i]);
  }
  sim_arena_destroy(arena);
}

static void live_counts_what_was_asked_for(void) {
  struct sim_arena *arena = sim_arena_create(1 << 16);
  CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
  CU_ASSERT_EQUAL(sim_arena_live(arena), 0);
  void *first = sim_arena_allocate(arena, 5);
  void *second = sim_arena_allocate(arena, 3000);
  CU_ASSERT_EQUAL(sim_arena_live(arena), 3005);
  sim_arena_release(arena, first, 5);
  CU_ASSERT_EQUAL(sim_arena_live(arena), 3000);
  sim_arena_release(arena, NULL, 77);
  CU_ASSERT_EQUAL(sim_arena_live(arena), 3000);
  sim_arena_release(arena, second, 3000);
  CU_ASSERT_EQUAL(sim_arena_live(arena), 0);
  sim_arena_destroy(arena);
}

static void released_blocks_serve_their_class_again_youngest_first(void) {
  struct sim_arena *arena = sim_arena_create(1 << 16);
  CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
  void *first = sim_arena_allocate(arena, 33);
  void *second = sim_arena_allocate(arena, 48);
  void *large = sim_arena_allocate(arena, 1025);
  size_t used = sim_arena_used(arena);
  sim_arena_release(arena, first, 33);
  sim_arena_release(arena, second, 48);
  sim_arena_release(arena, large, 1025);
  CU_ASSERT_PTR_EQUAL(sim_arena_allocate(arena, 40), second);
  CU_ASSERT_PTR_EQUAL(sim_arena_allocate(arena, 34), first);
  CU_ASSERT_PTR_EQUAL(sim_arena_allocate(arena, 2048), large);
  CU_ASSERT_EQUAL(sim_arena_used(arena), used);
  (void)sim_arena_allocate(arena, 49);
  CU_ASSERT_EQUAL(sim_arena_used(arena), used + 64);
  sim_arena_destroy(arena);
}

static void zeroed_memory_is_zero_when_it_was_used_before(void) {
  static const unsigned char zeros[100];
  struct sim_arena *arena = sim_arena_create(1 << 16);
  CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
  void *memory = sim_arena_allocate(arena, 100);
  memset(memory, 0xff, 100);
  sim_arena_release(arena, memory, 100);
  void *again = sim_arena_zeroed(arena, 100);
  CU_ASSERT_PTR_EQUAL_FATAL(again, memory);
  CU_ASSERT_EQUAL(memcmp(again, zeros, 100), 0);
  sim_arena_destroy(arena);
}

static void strings_are_copied(void) {
  struct sim_arena *arena = sim_arena_create(1 << 16);
  CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
  char text[] = "wss://example.com";
  char *copy = sim_arena_copy_string(arena, text);
  text[0] = 'x';
  CU_ASSERT_STRING_EQUAL(copy, "wss://example.com");
  CU_ASSERT_EQUAL(sim_arena_live(arena), sizeof text);
  CU_ASSERT_STRING_EQUAL(sim_arena_copy_string(arena, ""), "");
  sim_arena_fail_at(arena, 1, false);
  CU_ASSERT_PTR_NULL(sim_arena_copy_string(arena, "abc"));
  sim_arena_destroy(arena);
}

static void the_capacity_is_all_there_is(void) {
  struct sim_arena *arena = sim_arena_create(64);
  CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
  CU_ASSERT_PTR_NULL(sim_arena_allocate(arena, 65));
  CU_ASSERT_PTR_NULL(sim_arena_allocate(arena, SIZE_MAX));
  CU_ASSERT_PTR_NULL(sim_arena_zeroed(arena, 1 << 20));
  CU_ASSERT_EQUAL(sim_arena_live(arena), 0);
  void *memory = sim_arena_allocate(arena, 64);
  CU_ASSERT_PTR_NOT_NULL(memory);
  CU_ASSERT_PTR_NULL(sim_arena_allocate(arena, 0));
  sim_arena_release(arena, memory, 64);
  CU_ASSERT_PTR_EQUAL(sim_arena_allocate(arena, 64), memory);
  sim_arena_destroy(arena);
  CU_ASSERT_PTR_NULL(sim_arena_create(SIZE_MAX));
  sim_arena_destroy(NULL);
}

static void reset_forgets_everything(void) {
  struct sim_arena *arena = sim_arena_create(1 << 16);
  CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
  size_t empty = sim_arena_used(arena);
  void *first = sim_arena_allocate(arena, 100);
  void *second = sim_arena_allocate(arena, 100);
  sim_arena_release(arena, second, 100);
  sim_arena_fail_at(arena, 1, true);
  sim_arena_reset(arena);
  CU_ASSERT_EQUAL(sim_arena_live(arena), 0);
  CU_ASSERT_EQUAL(sim_arena_used(arena), empty);
  CU_ASSERT_PTR_EQUAL(sim_arena_allocate(arena, 100), first);
  CU_ASSERT_PTR_EQUAL(sim_arena_allocate(arena, 500), second);
  sim_arena_destroy(arena);
}

/* Which of six allocations succeed, as a string of + and -. */
static const char *outcomes(struct sim_arena *arena, char text[7]) {
  for (int i = 0; i < 6; i++) {
    text[i] = sim_arena_allocate(arena, 8) != NULL ? '+' : '-';
  }
  text[6] = '\0';
  return text;
}

static void allocations_fail_on_demand(void) {
  char text[7];
  struct sim_arena *arena = sim_arena_create(1 << 16);
  CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
  sim_arena_fail_at(arena, 1, false);
  CU_ASSERT_STRING_EQUAL(outcomes(arena, text), "-+++++");
  sim_arena_fail_at(arena, 3, false);
  CU_ASSERT_STRING_EQUAL(outcomes(arena, text), "++-+++");
  sim_arena_fail_at(arena, 3, true);
  CU_ASSERT_STRING_EQUAL(outcomes(arena, text), "++----");
  CU_ASSERT_STRING_EQUAL(outcomes(arena, text), "------");
  sim_arena_fail_at(arena, 0, true);
  CU_ASSERT_STRING_EQUAL(outcomes(arena, text), "++++++");
  CU_ASSERT_EQUAL(sim_arena_live(arena), 8 * (5 + 5 + 2 + 6));
  sim_arena_destroy(arena);
}

static void the_pool_is_served_through_its_environment(void) {
  struct sim_arena *arena = sim_arena_create(1 << 16);
  CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
  void *memory = sim_arena_allocate_for_pool(arena, 24);
  CU_ASSERT_PTR_NOT_NULL(memory);
  CU_ASSERT_EQUAL(sim_arena_live(arena), 24);
  sim_arena_release_for_pool(arena, memory, 24);
  CU_ASSERT_EQUAL(sim_arena_live(arena), 0);
  sim_arena_destroy(arena);
}

/* A small world with pointers: a list whose newest node comes first. */
struct node {
  struct node *next;
  char *name;
  uint64_t number;
};

static struct node *push(struct sim_arena *arena, struct node *next, uint64_t number) {
  char name[32];
  struct node *node = sim_arena_allocate(arena, sizeof *node);
  CU_ASSERT_PTR_NOT_NULL_FATAL(node);
  (void)snprintf(name, sizeof name, "node %llu", (unsigned long long)number);
  *node = (struct node){next, sim_arena_copy_string(arena, name), number};
  return node;
}

static struct node *pop(struct sim_arena *arena, struct node *node) {
  struct node *next = node->next;
  sim_arena_release(arena, node->name, strlen(node->name) + 1);
  sim_arena_release(arena, node, sizeof *node);
  return next;
}

static bool is_list(const struct node *node, uint64_t from) {
  for (uint64_t number = from; number > 0; number--) {
    char name[32];
    (void)snprintf(name, sizeof name, "node %llu", (unsigned long long)number);
    if (node == NULL || node->number != number || strcmp(node->name, name) != 0) {
      return false;
    }
    node = node->next;
  }
  return node == NULL;
}

static void a_snapshot_brings_back_a_world_with_pointers(void) {
  struct sim_arena *arena = sim_arena_create(1 << 20);
  CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
  struct node *list = NULL;
  for (uint64_t number = 1; number <= 200; number++) {
    list = push(arena, list, number);
  }
  for (int i = 0; i < 50; i++) {
    list = pop(arena, list);
  }
  char *last = sim_arena_copy_string(
      arena, "the last 64 bytes of the used ones, to the very end of them all");
  size_t live = sim_arena_live(arena);
  size_t used = sim_arena_used(arena);
  struct sim_snapshot *snapshot = sim_snapshot_take(arena);
  CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
  struct node *saved = list;
  for (int round = 0; round < 2; round++) {
    for (uint64_t number = 1; number <= 300; number++) {
      list = push(arena, list, number + 1000);
    }
    saved->name[0] = 'X';
    saved->next = NULL;
    memset(last, 'X', 63);
    sim_snapshot_restore(arena, snapshot);
    list = saved;
    CU_ASSERT_TRUE(is_list(list, 150));
    CU_ASSERT_STRING_EQUAL(last, "the last 64 bytes of the used ones, to the very end of them all");
    CU_ASSERT_EQUAL(sim_arena_live(arena), live);
    CU_ASSERT_EQUAL(sim_arena_used(arena), used);
  }
  while (list != NULL) {
    list = pop(arena, list);
  }
  sim_arena_release(arena, last, 64);
  CU_ASSERT_EQUAL(sim_arena_live(arena), 0);
  sim_snapshot_restore(arena, snapshot);
  CU_ASSERT_TRUE(is_list(saved, 150));
  sim_snapshot_destroy(snapshot);
  sim_arena_destroy(arena);
}

static void a_snapshot_can_be_taken_again(void) {
  struct sim_arena *arena = sim_arena_create(1 << 20);
  CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
  struct node *list = push(arena, NULL, 1);
  struct sim_snapshot *snapshot = sim_snapshot_take(arena);
  CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
  for (uint64_t count = 2; count <= 200; count += 99) { /* more than before, the same, less */
    while (list != NULL) {
      list = pop(arena, list);
    }
    CU_ASSERT_PTR_NOT_NULL(push(arena, NULL, count)); /* so that the others lie elsewhere */
    for (uint64_t number = 1; number <= 200 - count; number++) {
      list = push(arena, list, number);
    }
    CU_ASSERT_TRUE_FATAL(sim_snapshot_retake(snapshot));
    for (struct node *node = list; node != NULL; node = node->next) {
      node->name[0] = 'X';
    }
    sim_snapshot_restore(arena, snapshot);
    CU_ASSERT_TRUE(is_list(list, 200 - count));
  }
  sim_snapshot_destroy(snapshot);
  sim_arena_destroy(arena);
}

static void a_restored_arena_goes_on_as_it_did_before(void) {
  void *before[40];
  struct sim_arena *arena = sim_arena_create(1 << 20);
  CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
  for (size_t i = 0; i < 40; i++) {
    before[i] = sim_arena_allocate(arena, i * 40);
  }
  for (size_t i = 0; i < 40; i += 3) {
    sim_arena_release(arena, before[i], i * 40);
  }
  sim_arena_fail_at(arena, 20, false);
  struct sim_snapshot *snapshot = sim_snapshot_take(arena);
  CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
  for (size_t i = 0; i < 40; i++) {
    before[i] = sim_arena_allocate(arena, i * 41);
  }
  CU_ASSERT_PTR_NULL(before[19]);
  sim_snapshot_restore(arena, snapshot);
  for (size_t i = 0; i < 40; i++) {
    CU_ASSERT_PTR_EQUAL(sim_arena_allocate(arena, i * 41), before[i]);
  }
  sim_snapshot_destroy(snapshot);
  sim_snapshot_destroy(NULL);
  sim_arena_destroy(arena);
}

CU_TestInfo suite_arena[] = {
    {"blocks are aligned and apart", blocks_are_aligned_and_apart},
    {"live counts what was asked for", live_counts_what_was_asked_for},
    {"released blocks serve their class again, youngest first",
     released_blocks_serve_their_class_again_youngest_first},
    {"zeroed memory is zero when it was used before",
     zeroed_memory_is_zero_when_it_was_used_before},
    {"strings are copied", strings_are_copied},
    {"the capacity is all there is", the_capacity_is_all_there_is},
    {"reset forgets everything", reset_forgets_everything},
    {"allocations fail on demand", allocations_fail_on_demand},
    {"the pool is served through its environment", the_pool_is_served_through_its_environment},
    {"a snapshot brings back a world with pointers", a_snapshot_brings_back_a_world_with_pointers},
    {"a snapshot can be taken again", a_snapshot_can_be_taken_again},
    {"a restored arena goes on as it did before", a_restored_arena_goes_on_as_it_did_before},
    CU_TEST_INFO_NULL,
};
