/*
 * test_pool_structures.c - the pool's ordered sets, heap and hash table, each against a plain
 * array that does the same slowly.
 */
#include <stdlib.h>
#include <string.h>

#include "pool/heap.h"
#include "pool/order.h"
#include "pool/table.h"
#include "tests/suites.h"

#define COUNT 300
#define ROUNDS 20000

static uint64_t random_state;

static uint64_t draw(uint64_t below) {
  random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (random_state >> 33) % below;
}

static void *heap_allocate(void *context, size_t size) {
  (void)context;
  return malloc(size);
}

static void heap_release(void *context, void *memory, size_t size) {
  (void)context;
  (void)size;
  free(memory);
}

static const struct wsp_memory memory = {heap_allocate, heap_release, NULL};

static void *no_memory(void *context, size_t size) {
  (void)context;
  (void)size;
  return NULL;
}

static const struct wsp_memory exhausted = {no_memory, heap_release, NULL};

struct thing {
  int index;
  struct wsp_node node;
};

/* What the set should hold, in order. */
struct reference {
  struct thing *things[COUNT];
  size_t count;
};

static bool is_before(const struct wsp_node *a, int64_t key, uint64_t tie) {
  return a->key != key ? a->key < key : a->tie < tie;
}

static void reference_add(struct reference *reference, struct thing *thing) {
  size_t at = 0;
  while (at < reference->count &&
         is_before(&reference->things[at]->node, thing->node.key, thing->node.tie)) {
    at++;
  }
  memmove(&reference->things[at + 1], &reference->things[at],
          (reference->count - at) * sizeof reference->things[0]);
  reference->things[at] = thing;
  reference->count++;
}

static void reference_remove(struct reference *reference, const struct thing *thing) {
  for (size_t at = 0; at < reference->count; at++) {
    if (reference->things[at] == thing) {
      reference->count--;
      memmove(&reference->things[at], &reference->things[at + 1],
              (reference->count - at) * sizeof reference->things[0]);
      return;
    }
  }
}

static bool same_walk(const struct wsp_order *order, const struct reference *reference) {
  const struct wsp_node *node = order->first;
  for (size_t i = 0; i < reference->count; i++) {
    if (node != &reference->things[i]->node) {
      return false;
    }
    node = wsp_order_next(node);
  }
  const struct wsp_node *last =
      reference->count == 0 ? NULL : &reference->things[reference->count - 1]->node;
  return node == NULL && order->last == last && order->count == reference->count;
}

static void order_follows_a_sorted_array(void) {
  static struct thing things[COUNT];
  static struct reference reference;
  struct wsp_order order = {NULL, NULL, NULL, 0};
  bool same = true;
  random_state = 7;
  for (int i = 0; i < COUNT; i++) {
    things[i] = (struct thing){.index = i};
  }
  reference.count = 0;
  for (int round = 0; round < ROUNDS && same; round++) {
    struct thing *thing = &things[draw(COUNT)];
    if (thing->node.present) {
      wsp_order_remove(&order, &thing->node);
      reference_remove(&reference, thing);
      same = !thing->node.present;
    } else { /* few keys, so that there are many ties */
      wsp_order_add(&order, &thing->node, (int64_t)draw(20) - 10, (uint64_t)thing->index);
      reference_add(&reference, thing);
      same = thing->node.present;
    }
    same = same && same_walk(&order, &reference);
  }
  CU_ASSERT(same);
}

static void order_from_finds_the_first_not_before(void) {
  static struct thing things[COUNT];
  static struct reference reference;
  struct wsp_order order = {NULL, NULL, NULL, 0};
  random_state = 8;
  reference.count = 0;
  CU_ASSERT_PTR_NULL(wsp_order_from(&order, 0, 0));
  for (int i = 0; i < COUNT; i++) {
    things[i] = (struct thing){.index = i};
    wsp_order_add(&order, &things[i].node, (int64_t)draw(50), (uint64_t)i);
    reference_add(&reference, &things[i]);
  }
  bool same = true;
  for (int round = 0; round < ROUNDS; round++) {
    int64_t key = (int64_t)draw(54) - 2;
    uint64_t tie = draw(COUNT + 1);
    const struct wsp_node *expected = NULL;
    for (size_t i = reference.count; i > 0; i--) {
      if (!is_before(&reference.things[i - 1]->node, key, tie)) {
        expected = &reference.things[i - 1]->node;
      }
    }
    same = same && wsp_order_from(&order, key, tie) == expected;
  }
  CU_ASSERT(same);
}

static void order_takes_out_its_ends(void) {
  static struct thing things[3];
  struct wsp_order order = {NULL, NULL, NULL, 0};
  for (int i = 0; i < 3; i++) {
    things[i] = (struct thing){.index = i};
    wsp_order_add(&order, &things[i].node, INT64_MAX - 2 + i, 0);
  }
  wsp_order_remove(&order, &things[0].node);
  CU_ASSERT_PTR_EQUAL(order.first, &things[1].node);
  wsp_order_remove(&order, &things[2].node);
  CU_ASSERT_PTR_EQUAL(order.last, &things[1].node);
  wsp_order_remove(&order, &things[2].node); /* is in no set any more */
  CU_ASSERT_EQUAL(order.count, 1);
  wsp_order_remove(&order, &things[1].node);
  CU_ASSERT_PTR_NULL(order.root);
  CU_ASSERT_PTR_NULL(order.first);
  CU_ASSERT_PTR_NULL(order.last);
  CU_ASSERT_PTR_EQUAL(WSP_OWNER(&things[1].node, struct thing, node), &things[1]);
}

static void order_of_rising_keys_stays_shallow(void) {
  enum { MANY = 4096 };
  static struct thing things[MANY];
  struct wsp_order order = {NULL, NULL, NULL, 0};
  for (int i = 0; i < MANY; i++) {
    things[i] = (struct thing){.index = i};
    wsp_order_add(&order, &things[i].node, i, 0);
  }
  int deepest = 0;
  for (int i = 0; i < MANY; i++) {
    int depth = 0;
    for (const struct wsp_node *node = &things[i].node; node != NULL; node = node->parent) {
      depth++;
    }
    deepest = depth > deepest ? depth : deepest;
  }
  /* 12 would be perfect; a chain would be 4096. */
  CU_ASSERT(deepest <= 48);
}

struct due {
  struct wsp_heap_entry entry;
  int64_t added; /* order of insertion; -1: not in the heap */
};

static struct due *earliest(struct due *dues) {
  struct due *first = NULL;
  for (int i = 0; i < COUNT; i++) {
    struct due *due = &dues[i];
    if (due->added >= 0 && (first == NULL || due->entry.at < first->entry.at ||
                            (due->entry.at == first->entry.at && due->added < first->added))) {
      first = due;
    }
  }
  return first;
}

static void heap_follows_an_array(void) {
  static struct due dues[COUNT];
  struct wsp_heap heap = {NULL, 0, 0, 0};
  bool same = wsp_heap_first(&heap) == NULL;
  random_state = 9;
  CU_ASSERT_FATAL(wsp_heap_reserve(&heap, &memory, COUNT));
  for (int i = 0; i < COUNT; i++) {
    dues[i] = (struct due){.added = -1};
  }
  for (int round = 0; round < ROUNDS && same; round++) {
    struct due *due = &dues[draw(COUNT)];
    if (draw(4) == 0 && earliest(dues) != NULL) {
      due = earliest(dues);
    }
    if (due->added >= 0) {
      wsp_heap_remove(&heap, &due->entry);
      due->added = -1;
    } else {
      wsp_heap_add(&heap, &due->entry, (wsp_time)draw(12));
      due->added = round;
    }
    const struct due *first = earliest(dues);
    same = wsp_heap_first(&heap) == (first == NULL ? NULL : &first->entry) &&
           (due->added >= 0) == (due->entry.position != 0);
  }
  CU_ASSERT(same);
  wsp_heap_deinit(&heap, &memory);
}

static void heap_gives_equal_times_in_order_of_insertion(void) {
  struct due dues[5];
  struct wsp_heap heap = {NULL, 0, 0, 0};
  CU_ASSERT_FATAL(wsp_heap_reserve(&heap, &memory, 5));
  memset(dues, 0, sizeof dues);
  for (int i = 0; i < 5; i++) {
    wsp_heap_add(&heap, &dues[i].entry, 100);
  }
  wsp_heap_remove(&heap, &dues[0].entry);
  wsp_heap_remove(&heap, &dues[0].entry); /* is not in the heap */
  wsp_heap_add(&heap, &dues[0].entry, 100);
  static const int expected[] = {1, 2, 3, 4, 0};
  for (int i = 0; i < 5; i++) {
    CU_ASSERT_PTR_EQUAL(wsp_heap_first(&heap), &dues[expected[i]].entry);
    wsp_heap_remove(&heap, &dues[expected[i]].entry);
  }
  CU_ASSERT_PTR_NULL(wsp_heap_first(&heap));
  wsp_heap_deinit(&heap, &memory);
}

static void heap_without_memory_stays_as_it_was(void) {
  struct due due = {.added = 0};
  struct wsp_heap heap = {NULL, 0, 0, 0};
  CU_ASSERT_FALSE(wsp_heap_reserve(&heap, &exhausted, 1));
  CU_ASSERT_FATAL(wsp_heap_reserve(&heap, &memory, 1));
  wsp_heap_add(&heap, &due.entry, 5);
  CU_ASSERT_FALSE(wsp_heap_reserve(&heap, &exhausted, 10000));
  CU_ASSERT_PTR_EQUAL(wsp_heap_first(&heap), &due.entry);
  CU_ASSERT_TRUE(wsp_heap_reserve(&heap, &exhausted, 1));
  wsp_heap_deinit(&heap, &memory);
}

struct named {
  struct wsp_link link;
  bool present;
};

static int found(const struct wsp_table *table, const struct named *named) {
  int times = 0;
  struct wsp_link *link = wsp_table_first(table, named->link.hash);
  for (; link != NULL; link = wsp_table_next(link)) {
    CU_ASSERT_EQUAL(link->hash, named->link.hash);
    times += link == &named->link;
  }
  return times;
}

static void table_finds_what_is_in_it(void) {
  static struct named all[COUNT];
  struct wsp_table table = {NULL, 0, 0};
  size_t count = 0;
  bool same = true;
  random_state = 10;
  memset(all, 0, sizeof all);
  CU_ASSERT_PTR_NULL(wsp_table_first(&table, 5));
  for (int i = 0; i < COUNT; i++) {
    all[i].link.hash = draw(60) << draw(20); /* equal hashes, and equal low bits */
  }
  for (int round = 0; round < ROUNDS && same; round++) {
    struct named *named = &all[draw(COUNT)];
    if (named->present) {
      wsp_table_remove(&table, &named->link);
      count--;
    } else {
      CU_ASSERT_FATAL(wsp_table_reserve(&table, &memory));
      wsp_table_add(&table, &named->link, named->link.hash);
      count++;
    }
    named->present = !named->present;
    const struct named *other = &all[draw(COUNT)];
    same = table.count == count && found(&table, named) == named->present &&
           found(&table, other) == other->present;
  }
  CU_ASSERT(same);
  wsp_table_deinit(&table, &memory);
}

static void table_without_memory_stays_as_it_was(void) {
  struct wsp_table table = {NULL, 0, 0};
  CU_ASSERT_FALSE(wsp_table_reserve(&table, &exhausted));
  CU_ASSERT_PTR_NULL(wsp_table_first(&table, 0));
  static struct named all[COUNT];
  size_t added = 0;
  memset(all, 0, sizeof all);
  CU_ASSERT_FATAL(wsp_table_reserve(&table, &memory));
  do {
    wsp_table_add(&table, &all[added].link, added);
    added++;
  } while (added < COUNT && wsp_table_reserve(&table, &exhausted));
  CU_ASSERT_EQUAL(table.count, added);
  CU_ASSERT_PTR_EQUAL(wsp_table_first(&table, 0), &all[0].link);
  wsp_table_deinit(&table, &memory);
}

CU_TestInfo suite_pool_structures[] = {
    {"an ordered set follows a sorted array through adds and removals",
     order_follows_a_sorted_array},
    {"wsp_order_from finds the first node that is not before a key and tie",
     order_from_finds_the_first_not_before},
    {"an ordered set loses its first, its last and its only node", order_takes_out_its_ends},
    {"an ordered set of rising keys stays shallow", order_of_rising_keys_stays_shallow},
    {"a heap's first is the earliest, through adds and removals", heap_follows_an_array},
    {"a heap gives equal times in order of insertion",
     heap_gives_equal_times_in_order_of_insertion},
    {"a heap that gets no memory stays as it was", heap_without_memory_stays_as_it_was},
    {"a table finds exactly what is in it, also under equal hashes", table_finds_what_is_in_it},
    {"a table that gets no memory stays as it was", table_without_memory_stays_as_it_was},
    CU_TEST_INFO_NULL,
};
