/* test_timeline_hash.c - the SHA-256 of a timeline, against digests made with Python's hashlib
 * over the bytes that reports/hash.c says. */
#include "tests/report_fixture.h"
#include "tests/suites.h"

static bool has_hash(const struct sim_trace *trace, const char *expected) {
  char hex[65];
  rep_timeline_sha256(trace, hex);
  return report_equal(hex, expected);
}

static void an_empty_timeline_has_a_known_hash(void) {
  struct sim_trace *trace = sim_trace_create(10, false);
  CU_ASSERT_FATAL(trace != NULL);
  CU_ASSERT(has_hash(trace, "5590b4a4eb4b7a9dba75b0176d06fbdabd8798d4b444741bb8efff24ad5b63f1"));
  sim_trace_destroy(trace);
}

static void every_field_has_its_place_in_little_endian(void) {
  struct sim_trace *trace = sim_trace_create(10, false);
  CU_ASSERT_FATAL(trace != NULL);
  struct sim_event event = {
      .t_ns = 5, .account = 99, .values = {1, -2, 0x0102030405060708}, .kind = 7, .cause = 9};
  event.conn = sim_trace_intern(trace, "conn");
  event.op = sim_trace_intern(trace, "op");
  event.texts[0] = sim_trace_intern(trace, "text");
  sim_trace_append(trace, &event);
  event = (struct sim_event){.t_ns = 6, .kind = 300};
  event.texts[1] = sim_trace_intern(trace, "text");
  sim_trace_append(trace, &event);
  CU_ASSERT(has_hash(trace, "f9481f686c54947d2ec3e371feefa035ff9a277b2ba23beb21456c8326198a98"));
  sim_trace_destroy(trace);
}

static void many_events_are_hashed_to_the_last(void) {
  struct sim_trace *trace = sim_trace_create(1000, false);
  CU_ASSERT_FATAL(trace != NULL);
  for (int64_t i = 0; i < 600; i++) {
    struct sim_event event = {.t_ns = i};
    sim_trace_append(trace, &event);
  }
  CU_ASSERT(has_hash(trace, "e3063ac86ede7739721e09e05ce1db223a8e0e3eb261c1aa867b195928d98d14"));
  sim_trace_destroy(trace);
}

#define TEST_OF(function) \
  { #function, function }

CU_TestInfo suite_timeline_hash[] = {
    TEST_OF(an_empty_timeline_has_a_known_hash),
    TEST_OF(every_field_has_its_place_in_little_endian),
    TEST_OF(many_events_are_hashed_to_the_last),
    CU_TEST_INFO_NULL,
};
