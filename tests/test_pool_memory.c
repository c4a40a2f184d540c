/*
 * test_pool_memory.c - slots with generations, counted strings, headers, and the texts of errors.
 */
#include <stdlib.h>
#include <string.h>

#include "pool/internal.h"
#include "tests/suites.h"

static size_t live_bytes;
static int allocations_left; /* -1: as many as wanted */

static void *count_and_allocate(void *context, size_t size) {
  (void)context;
  if (allocations_left == 0) {
    return NULL;
  }
  allocations_left -= allocations_left > 0;
  live_bytes += size;
  return malloc(size);
}

static void count_and_release(void *context, void *block, size_t size) {
  (void)context;
  live_bytes -= size;
  free(block);
}

static const struct wsp_memory memory = {count_and_allocate, count_and_release, NULL};

static void reset(void) {
  live_bytes = 0;
  allocations_left = -1;
}

static void memory_is_zeroed_and_counted(void) {
  reset();
  unsigned char *block = wsp_memory_allocate(&memory, 32);
  CU_ASSERT_PTR_NOT_NULL_FATAL(block);
  for (int i = 0; i < 32; i++) {
    CU_ASSERT_EQUAL(block[i], 0);
  }
  memset(block, 7, 32);
  block = wsp_memory_resize(&memory, block, 32, 64);
  CU_ASSERT_PTR_NOT_NULL_FATAL(block);
  CU_ASSERT_EQUAL(block[31], 7);
  CU_ASSERT_EQUAL(block[32], 0);
  CU_ASSERT_EQUAL(block[63], 0);
  allocations_left = 0;
  CU_ASSERT_PTR_NULL(wsp_memory_resize(&memory, block, 64, 128));
  CU_ASSERT_EQUAL(block[31], 7);
  CU_ASSERT_EQUAL(live_bytes, 64);
  wsp_memory_release(&memory, block, 64);
  wsp_memory_release(&memory, NULL, 64);
  CU_ASSERT_EQUAL(live_bytes, 0);
  allocations_left = -1;
  block = wsp_memory_allocate(&memory, 0);
  CU_ASSERT_PTR_NOT_NULL(block);
  CU_ASSERT_EQUAL(live_bytes, 1);
  wsp_memory_release(&memory, block, 0);
  CU_ASSERT_EQUAL(live_bytes, 0);
}

struct object {
  struct wsp_slot slot;
  uint64_t content;
};

static void slab_recognises_stale_handles(void) {
  struct wsp_slab slab;
  reset();
  wsp_slab_init(&slab, sizeof(struct object));
  CU_ASSERT_PTR_NULL(wsp_slab_find(&slab, 0, 1));
  CU_ASSERT_PTR_NULL(wsp_slab_at(&slab, 0));
  struct object *first = wsp_slab_take(&slab, &memory);
  CU_ASSERT_PTR_NOT_NULL_FATAL(first);
  uint32_t slot = first->slot.slot;
  uint32_t generation = first->slot.generation;
  CU_ASSERT_NOT_EQUAL(generation, 0);
  CU_ASSERT_EQUAL(generation % 2, 1);
  CU_ASSERT_EQUAL(slab.used, 1);
  first->content = 42;
  CU_ASSERT_PTR_EQUAL(wsp_slab_find(&slab, slot, generation), first);
  CU_ASSERT_PTR_NULL(wsp_slab_find(&slab, slot, generation + 2));
  CU_ASSERT_PTR_NULL(wsp_slab_find(&slab, slot, 0));
  CU_ASSERT_PTR_NULL(wsp_slab_find(&slab, slot + 100000, generation));
  wsp_slab_give(&slab, first);
  CU_ASSERT_EQUAL(slab.used, 0);
  CU_ASSERT_PTR_NULL(wsp_slab_find(&slab, slot, generation));
  CU_ASSERT_PTR_NULL(wsp_slab_find(&slab, slot, generation + 1)); /* free: nobody's handle */
  struct object *second = wsp_slab_take(&slab, &memory);
  CU_ASSERT_PTR_EQUAL(second, first); /* the slot is used again */
  CU_ASSERT_EQUAL(second->slot.slot, slot);
  CU_ASSERT_NOT_EQUAL(second->slot.generation, generation);
  CU_ASSERT_EQUAL(second->content, 0);
  CU_ASSERT_PTR_NULL(wsp_slab_find(&slab, slot, generation));
  CU_ASSERT_PTR_EQUAL(wsp_slab_find(&slab, slot, second->slot.generation), second);
  wsp_slab_deinit(&slab, &memory);
  CU_ASSERT_EQUAL(live_bytes, 0);
}

static void slab_objects_never_move(void) {
  enum { MANY = 1000 };
  static struct object *objects[MANY];
  struct wsp_slab slab;
  reset();
  wsp_slab_init(&slab, sizeof(struct object));
  for (uint32_t i = 0; i < MANY; i++) {
    objects[i] = wsp_slab_take(&slab, &memory);
    CU_ASSERT_PTR_NOT_NULL_FATAL(objects[i]);
    objects[i]->content = i;
  }
  for (uint32_t i = 0; i < MANY; i++) {
    CU_ASSERT_PTR_EQUAL(wsp_slab_at(&slab, objects[i]->slot.slot), objects[i]);
    CU_ASSERT_EQUAL(objects[i]->content, i);
  }
  CU_ASSERT_EQUAL(slab.used, MANY);
  allocations_left = 0;
  for (uint32_t i = 0; i < MANY; i++) {
    wsp_slab_give(&slab, objects[i]);
  }
  for (uint32_t i = 0; i < MANY; i++) { /* what was given back is enough */
    CU_ASSERT_PTR_NOT_NULL(wsp_slab_take(&slab, &memory));
  }
  wsp_slab_deinit(&slab, &memory);
  CU_ASSERT_EQUAL(live_bytes, 0);
}

static void slab_survives_exhaustion(void) {
  for (int given = 0; given < 3; given++) {
    struct wsp_slab slab;
    reset();
    wsp_slab_init(&slab, sizeof(struct object));
    allocations_left = given;
    size_t taken = 0;
    while (wsp_slab_take(&slab, &memory) != NULL) {
      taken++;
    }
    CU_ASSERT_EQUAL(slab.used, taken);
    allocations_left = -1;
    CU_ASSERT_PTR_NOT_NULL(wsp_slab_take(&slab, &memory));
    CU_ASSERT_EQUAL(slab.used, taken + 1);
    wsp_slab_deinit(&slab, &memory);
    CU_ASSERT_EQUAL(live_bytes, 0);
  }
}

static bool trims_to(const char *text, const char *expected) {
  struct wsp_span span = wsp_trim(text);
  return span.length == strlen(expected) && memcmp(span.text, expected, span.length) == 0;
}

static void trim_takes_white_space_from_both_ends(void) {
  CU_ASSERT(trims_to("a", "a"));
  CU_ASSERT(trims_to(" \t\n\v\f\ra b\r\f\v\n\t ", "a b"));
  CU_ASSERT(trims_to("\xc2\xa0z\xc2\xa0", "\xc2\xa0z\xc2\xa0")); /* not in the C locale */
  CU_ASSERT_EQUAL(wsp_trim("").length, 0);
  CU_ASSERT_EQUAL(wsp_trim(" \t ").length, 0);
  CU_ASSERT_EQUAL(wsp_trim(NULL).length, 0);
}

static void spans_are_compared_by_content(void) {
  struct wsp_span a = {"abc", 3};
  struct wsp_span b = {"abcd", 3};
  struct wsp_span c = {"abd", 3};
  CU_ASSERT(wsp_span_equal(a, b));
  CU_ASSERT_FALSE(wsp_span_equal(a, c));
  CU_ASSERT_FALSE(wsp_span_equal(a, (struct wsp_span){"abcd", 4}));
  CU_ASSERT_EQUAL(wsp_span_hash(a, 1), wsp_span_hash(b, 1));
  CU_ASSERT_NOT_EQUAL(wsp_span_hash(a, 1), wsp_span_hash(c, 1));
  CU_ASSERT_NOT_EQUAL(wsp_span_hash(a, 1), wsp_span_hash(a, 2));
}

static void text_is_kept_when_there_is_no_memory(void) {
  struct wsp_text text = {NULL, 0};
  reset();
  CU_ASSERT(wsp_text_set(&text, &memory, (struct wsp_span){"hello world", 5}));
  CU_ASSERT_STRING_EQUAL(text.text, "hello");
  CU_ASSERT_EQUAL(text.length, 5);
  allocations_left = 0;
  CU_ASSERT_FALSE(wsp_text_set(&text, &memory, (struct wsp_span){"another one", 11}));
  CU_ASSERT_STRING_EQUAL(text.text, "hello");
  allocations_left = -1;
  CU_ASSERT(wsp_text_set(&text, &memory, wsp_trim(NULL)));
  CU_ASSERT_PTR_NOT_NULL_FATAL(text.text);
  CU_ASSERT_STRING_EQUAL(text.text, "");
  wsp_text_clear(&text, &memory);
  wsp_text_clear(&text, &memory);
  CU_ASSERT_EQUAL(live_bytes, 0);
}

static void headers_are_copied_trimmed_and_found(void) {
  char value[] = "  v1 ";
  const struct wsp_header given[] = {{" X-Test\t", value}, {"x-test", "v2"}, {"Empty", NULL}};
  struct wsp_headers headers = {NULL, 0, 0};
  reset();
  CU_ASSERT_FATAL(wsp_headers_copy(&headers, &memory, given, 3));
  memset(value, '!', 5);
  CU_ASSERT_EQUAL(headers.count, 3);
  CU_ASSERT_STRING_EQUAL(headers.items[0].name, "X-Test");
  CU_ASSERT_STRING_EQUAL(headers.items[0].value, "v1");
  CU_ASSERT_STRING_EQUAL(headers.items[2].value, "");
  CU_ASSERT_STRING_EQUAL(wsp_headers_find(&headers, " x-TEST "), "v1");
  CU_ASSERT_STRING_EQUAL(wsp_headers_find(&headers, "empty"), "");
  CU_ASSERT_STRING_EQUAL(wsp_headers_find(&headers, "x-tes"), "");
  CU_ASSERT_STRING_EQUAL(wsp_headers_find(&headers, ""), "");
  CU_ASSERT_STRING_EQUAL(wsp_headers_find(&headers, NULL), "");
  const struct wsp_header same[] = {{"X-Test", "v1 "}, {" x-test", "v2"}, {"Empty", ""}};
  CU_ASSERT(wsp_headers_equal(&headers, same, 3));
  CU_ASSERT_FALSE(wsp_headers_equal(&headers, same, 2));
  const struct wsp_header other[] = {{"X-Test", "v1"}, {"x-test", "v3"}, {"Empty", ""}};
  CU_ASSERT_FALSE(wsp_headers_equal(&headers, other, 3));
  wsp_headers_clear(&headers, &memory);
  CU_ASSERT_EQUAL(live_bytes, 0);
  CU_ASSERT_STRING_EQUAL(wsp_headers_find(&headers, "x-test"), "");
  CU_ASSERT(wsp_headers_copy(&headers, &memory, NULL, 0));
  CU_ASSERT(wsp_headers_equal(&headers, NULL, 0));
  wsp_headers_clear(&headers, &memory);
  allocations_left = 0;
  CU_ASSERT_FALSE(wsp_headers_copy(&headers, &memory, given, 3));
  CU_ASSERT_EQUAL(headers.count, 0);
  CU_ASSERT_EQUAL(live_bytes, 0);
}

static void check_failure_text(enum wsp_error error, int status, const char *cause,
                               const char *expected) {
  size_t size = 0;
  char *text = wsp_text_of_failure(&memory, error, status,
                               (struct wsp_span){cause, cause == NULL ? 0 : strlen(cause)}, &size);
  CU_ASSERT_PTR_NOT_NULL_FATAL(text);
  CU_ASSERT_STRING_EQUAL(text, expected);
  wsp_memory_release(&memory, text, size);
}

static void failures_have_their_texts(void) {
  reset();
  check_failure_text(WSP_DIAL_FAILED, 503, "busy", "dial failed: status=503: busy");
  check_failure_text(WSP_DIAL_FAILED, 0, "timeout", "dial failed: timeout");
  check_failure_text(WSP_DIAL_FAILED, 502, NULL, "dial failed: status=502");
  check_failure_text(WSP_DIAL_FAILED, 0, NULL, "dial failed");
  check_failure_text(WSP_IO_FAILED, 0, "reset", "i/o failed: reset");
  check_failure_text(WSP_PING_FAILED, 0, "lost", "ping failed: lost");
  check_failure_text(WSP_CONN_CLOSED, 0, NULL, "connection closed");
  CU_ASSERT_EQUAL(live_bytes, 0);
  size_t size = 0;
  allocations_left = 0;
  CU_ASSERT_PTR_NULL(
      wsp_text_of_failure(&memory, WSP_DIAL_FAILED, 1, (struct wsp_span){"x", 1}, &size));
}

static void integers_are_written_in_full(void) {
  char text[INTEGER_TEXT_SIZE];
  CU_ASSERT_EQUAL(wsp_text_of_integer(0, text), 1);
  CU_ASSERT_STRING_EQUAL(text, "0");
  CU_ASSERT_EQUAL(wsp_text_of_integer(INT64_MAX, text), 19);
  CU_ASSERT_STRING_EQUAL(text, "9223372036854775807");
  CU_ASSERT_EQUAL(wsp_text_of_integer(INT64_MIN, text), 20);
  CU_ASSERT_STRING_EQUAL(text, "-9223372036854775808");
}

static void times_are_added_without_overflow(void) {
  CU_ASSERT_EQUAL(wsp_time_add(5, 7), 12);
  CU_ASSERT_EQUAL(wsp_time_add(WSP_TIME_NEVER, 1), WSP_TIME_NEVER);
  CU_ASSERT_EQUAL(wsp_time_add(WSP_TIME_NEVER - 1, 5), WSP_TIME_NEVER);
  CU_ASSERT_EQUAL(wsp_time_add(1, WSP_TIME_NEVER), WSP_TIME_NEVER);
  CU_ASSERT_EQUAL(wsp_time_add(-5, 3), -2);
}

CU_TestInfo suite_pool_memory[] = {
    {"memory is zeroed, counted, and kept when it can not grow", memory_is_zeroed_and_counted},
    {"a slab recognises the handles of earlier objects", slab_recognises_stale_handles},
    {"a slab's objects never move and its slots are used again", slab_objects_never_move},
    {"a slab that got no memory takes objects when there is some", slab_survives_exhaustion},
    {"trim takes white space of the C locale from both ends",
     trim_takes_white_space_from_both_ends},
    {"spans are compared by content and length", spans_are_compared_by_content},
    {"a text keeps its content when there is no memory", text_is_kept_when_there_is_no_memory},
    {"headers are copied and trimmed; the first of a name is found",
     headers_are_copied_trimmed_and_found},
    {"TestOpenAIWSDialError_ErrorAndUnwrap: failures have their texts, with status and cause",
     failures_have_their_texts},
    {"integers are written in full", integers_are_written_in_full},
    {"times are added without overflow", times_are_added_without_overflow},
    CU_TEST_INFO_NULL,
};
