/*
 * test_trace.c - the trace: events in order, strings by number, rewinding, sharing, exhaustion.
 * Names of events and their JSON: test_trace_detail.c.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/trace.h"
#include "tests/suites.h"

static bool append_at(struct sim_trace *trace, int64_t t_ns) {
  struct sim_event event = {.t_ns = t_ns, .kind = WSP_CONN_FREED};
  return sim_trace_append(trace, &event);
}

static void events_are_kept_in_order_until_it_is_full(void) {
  struct sim_trace *trace = sim_trace_create(3, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  CU_ASSERT_EQUAL(sim_trace_count(trace), 0);
  for (int64_t t_ns = 0; t_ns < 3; t_ns++) {
    CU_ASSERT_TRUE(append_at(trace, t_ns * 10));
  }
  CU_ASSERT_FALSE(sim_trace_full(trace));
  CU_ASSERT_FALSE(append_at(trace, 30));
  CU_ASSERT_TRUE(sim_trace_full(trace));
  CU_ASSERT_EQUAL(sim_trace_count(trace), 3);
  for (int i = 0; i < 3; i++) {
    CU_ASSERT_EQUAL(sim_trace_events(trace)[i].t_ns, i * 10);
  }
  sim_trace_destroy(trace);
  sim_trace_destroy(NULL);
}

static void limits_of_size(void) {
  CU_ASSERT_PTR_NULL(sim_trace_create((UINT64_C(1) << 28) + 1, false));
  CU_ASSERT_PTR_NULL(sim_trace_create(UINT64_MAX, true));
  struct sim_trace *trace = sim_trace_create(0, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  CU_ASSERT_FALSE(append_at(trace, 1));
  CU_ASSERT_EQUAL(sim_trace_count(trace), 0);
  sim_trace_destroy(trace);
}

static void strings_have_numbers_in_the_order_of_their_first_use(void) {
  struct sim_trace *trace = sim_trace_create(10, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  CU_ASSERT_EQUAL(sim_trace_intern(trace, NULL), 0);
  CU_ASSERT_EQUAL(sim_trace_intern(trace, ""), 0);
  CU_ASSERT_EQUAL(sim_trace_find(trace, "a"), -1);
  CU_ASSERT_EQUAL(sim_trace_find(trace, ""), 0);
  CU_ASSERT_EQUAL(sim_trace_find(trace, NULL), 0);
  CU_ASSERT_EQUAL(sim_trace_intern(trace, "b"), 1);
  CU_ASSERT_EQUAL(sim_trace_intern(trace, "ab"), 2);
  CU_ASSERT_EQUAL(sim_trace_intern(trace, "b"), 1);
  CU_ASSERT_EQUAL(sim_trace_find(trace, "ab"), 2);
  CU_ASSERT_STRING_EQUAL(sim_trace_string(trace, 0), "");
  CU_ASSERT_STRING_EQUAL(sim_trace_string(trace, 1), "b");
  CU_ASSERT_STRING_EQUAL(sim_trace_string(trace, 2), "ab");
  size_t size = 0;
  const char *block = sim_trace_strings(trace, &size);
  CU_ASSERT_EQUAL(size, 6);
  CU_ASSERT_EQUAL(memcmp(block, "\0b\0ab", 6), 0);
  sim_trace_destroy(trace);
}

/* Interns "string N" for the numbers in [from, end) and says whether they got those numbers. */
static bool intern_numbers(struct sim_trace *trace, uint32_t from, uint32_t end, const char *word) {
  for (uint32_t number = from; number < end; number++) {
    char text[32];
    (void)snprintf(text, sizeof text, "%s %u", word, (unsigned)number);
    if (sim_trace_intern(trace, text) != number) {
      return false;
    }
  }
  return true;
}

/* How many of these strings are known. */
static size_t count_known(struct sim_trace *trace, uint32_t from, uint32_t end, const char *word) {
  size_t known = 0;
  for (uint32_t number = from; number < end; number++) {
    char text[32];
    (void)snprintf(text, sizeof text, "%s %u", word, (unsigned)number);
    known += sim_trace_find(trace, text) >= 0 ? 1 : 0;
  }
  return known;
}

static void many_strings_are_found_again(void) {
  /* Enough words for each growth of the hash table to happen with several strings at hand. */
  static const char *const words[] = {"a", "b", "c", "d", "e", "f", "g", "string"};
  struct sim_trace *trace = NULL;
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    sim_trace_destroy(trace);
    trace = sim_trace_create(10000, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    CU_ASSERT_TRUE(intern_numbers(trace, 1, 5000, words[i]));
    CU_ASSERT_TRUE(intern_numbers(trace, 1, 5000, words[i]));
  }
  CU_ASSERT_STRING_EQUAL(sim_trace_string(trace, 4321), "string 4321");
  CU_ASSERT_EQUAL(sim_trace_find(trace, "string 5000"), -1);
  CU_ASSERT_FALSE(sim_trace_full(trace));
  sim_trace_destroy(trace);
}

static void strings_end_with_a_word_when_there_is_no_room(void) {
  static char huge[1 << 21];
  struct sim_trace *trace = sim_trace_create(0, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  CU_ASSERT_TRUE(intern_numbers(trace, 1, 4096, "s"));
  CU_ASSERT_FALSE(sim_trace_full(trace));
  CU_ASSERT_EQUAL(sim_trace_intern(trace, "one more"), 0);
  CU_ASSERT_TRUE(sim_trace_full(trace));
  CU_ASSERT_EQUAL(sim_trace_intern(trace, "s 17"), 17);

  sim_trace_reset(trace);
  CU_ASSERT_FALSE(sim_trace_full(trace));
  /* One byte of the mebibyte belongs to "", one to the end of this. */
  memset(huge, 'x', (1 << 20) - 1);
  CU_ASSERT_EQUAL(sim_trace_intern(trace, huge), 0);
  CU_ASSERT_TRUE(sim_trace_full(trace));
  sim_trace_reset(trace);
  CU_ASSERT_EQUAL(sim_trace_intern(trace, huge + 1), 1);
  CU_ASSERT_FALSE(sim_trace_full(trace));
  CU_ASSERT_EQUAL(sim_trace_intern(trace, "y"), 0);
  CU_ASSERT_TRUE(sim_trace_full(trace));
  sim_trace_destroy(trace);
}

static void reset_forgets_events_and_strings(void) {
  struct sim_trace *trace = sim_trace_create(2, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  CU_ASSERT_TRUE(intern_numbers(trace, 1, 2000, "old"));
  CU_ASSERT_TRUE(append_at(trace, 1));
  CU_ASSERT_TRUE(append_at(trace, 2));
  CU_ASSERT_FALSE(append_at(trace, 3));
  sim_trace_reset(trace);
  CU_ASSERT_EQUAL(sim_trace_count(trace), 0);
  CU_ASSERT_FALSE(sim_trace_full(trace));
  CU_ASSERT_EQUAL(sim_trace_find(trace, "old 5"), -1);
  CU_ASSERT_TRUE(intern_numbers(trace, 1, 2000, "new"));
  CU_ASSERT_EQUAL(sim_trace_find(trace, "old 5"), -1);
  CU_ASSERT_TRUE(append_at(trace, 9));
  CU_ASSERT_EQUAL(sim_trace_events(trace)[0].t_ns, 9);
  size_t size = 0;
  sim_trace_reset(trace);
  CU_ASSERT_EQUAL(sim_trace_strings(trace, &size)[0], '\0');
  CU_ASSERT_EQUAL(size, 1);
  sim_trace_destroy(trace);
}

static void rewinding_takes_out_exactly_what_came_later(void) {
  struct sim_trace *trace = sim_trace_create(100, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  CU_ASSERT_TRUE(intern_numbers(trace, 1, 300, "early"));
  CU_ASSERT_TRUE(append_at(trace, 1));
  struct sim_trace_mark mark = sim_trace_mark(trace);
  size_t size_at_mark = 0;
  (void)sim_trace_strings(trace, &size_at_mark);
  /* Once within the hash table as it was, once after it has grown. */
  for (int round = 0; round < 3; round++) {
    uint32_t end = round == 0 ? 400 : 3000;
    CU_ASSERT_TRUE(intern_numbers(trace, 300, end, round == 0 ? "late" : "later"));
    CU_ASSERT_TRUE(append_at(trace, 2));
    sim_trace_rewind(trace, mark);
    size_t size = 0;
    (void)sim_trace_strings(trace, &size);
    CU_ASSERT_EQUAL(size, size_at_mark);
    CU_ASSERT_EQUAL(sim_trace_count(trace), 1);
    CU_ASSERT_EQUAL(count_known(trace, 300, 400, "late"), 0);
    CU_ASSERT_EQUAL(count_known(trace, 300, 3000, "later"), 0);
    CU_ASSERT_TRUE(intern_numbers(trace, 1, 300, "early"));
  }
  sim_trace_rewind(trace, mark);
  CU_ASSERT_EQUAL(sim_trace_find(trace, "early 299"), 299);
  sim_trace_destroy(trace);
}

static void a_grown_table_leads_to_nothing_that_was_taken_out(void) {
  for (int round = 0; round < 20; round++) {
    char word[16];
    struct sim_trace *trace = sim_trace_create(100, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    (void)snprintf(word, sizeof word, "old%d", round);
    CU_ASSERT_TRUE(intern_numbers(trace, 1, 513, word));
    sim_trace_reset(trace);
    CU_ASSERT_TRUE(intern_numbers(trace, 1, 400, "new"));
    CU_ASSERT_EQUAL(count_known(trace, 1, 513, word), 0);
    sim_trace_destroy(trace);
  }
}

static void events_are_counted_by_kind_through_a_rewind(void) {
  struct sim_trace *trace = sim_trace_create(100, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  CU_ASSERT_TRUE(append_at(trace, 1));
  struct sim_trace_mark mark = sim_trace_mark(trace);
  CU_ASSERT_TRUE(append_at(trace, 2));
  CU_ASSERT_TRUE(sim_trace_append(trace, &(struct sim_event){.t_ns = 3, .kind = SIM_RUN_ENDED}));
  CU_ASSERT_TRUE(sim_trace_append(trace, &(struct sim_event){.kind = SIM_EVENT_KIND_COUNT}));
  CU_ASSERT_EQUAL(sim_trace_count_of(trace, WSP_CONN_FREED), 2);
  CU_ASSERT_EQUAL(sim_trace_count_of(trace, SIM_RUN_ENDED), 1);
  CU_ASSERT_EQUAL(sim_trace_count_of(trace, SIM_EVENT_KIND_COUNT), 0);
  CU_ASSERT_EQUAL(sim_trace_count_of(trace, -1), 0);
  sim_trace_rewind(trace, mark);
  CU_ASSERT_EQUAL(sim_trace_count_of(trace, WSP_CONN_FREED), 1);
  CU_ASSERT_EQUAL(sim_trace_count_of(trace, SIM_RUN_ENDED), 0);
  sim_trace_reset(trace);
  CU_ASSERT_EQUAL(sim_trace_count_of(trace, WSP_CONN_FREED), 0);
  sim_trace_destroy(trace);
}

static void rewinding_brings_back_whether_it_was_full(void) {
  struct sim_trace *trace = sim_trace_create(1, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  struct sim_trace_mark empty = sim_trace_mark(trace);
  CU_ASSERT_TRUE(append_at(trace, 1));
  CU_ASSERT_FALSE(append_at(trace, 2));
  struct sim_trace_mark full = sim_trace_mark(trace);
  sim_trace_rewind(trace, full);
  CU_ASSERT_TRUE(sim_trace_full(trace));
  sim_trace_rewind(trace, empty);
  CU_ASSERT_FALSE(sim_trace_full(trace));
  CU_ASSERT_TRUE(append_at(trace, 3));
  sim_trace_destroy(trace);
}

static void the_pools_events_become_records(void) {
  struct sim_trace *trace = sim_trace_create(10, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  sim_string label = sim_trace_intern(trace, "a");
  struct wsp_event event = {.now = 70,
                            .kind = WSP_CONN_EVICTED,
                            .cause = WSP_REASON_MAX_AGE,
                            .account = 99,
                            .conn_serial = 1,
                            .conn_id = "oa_ws_99_1",
                            .tag = label,
                            .values = {1, -2, INT64_MAX},
                            .texts = {"one", "two"}};
  sim_trace_observe(trace, &event);
  event = (struct wsp_event){.kind = WSP_POOL_CLOSE_STARTED, .texts = {NULL, "two"}};
  sim_trace_observe(trace, &event);
  CU_ASSERT_EQUAL_FATAL(sim_trace_count(trace), 2);
  struct sim_event expected[2] = {{.t_ns = 70,
                                   .account = 99,
                                   .values = {1, -2, INT64_MAX},
                                   .conn = 2,
                                   .op = 1,
                                   .texts = {3, 4},
                                   .kind = WSP_CONN_EVICTED,
                                   .cause = WSP_REASON_MAX_AGE},
                                  {.texts = {0, 4}, .kind = WSP_POOL_CLOSE_STARTED}};
  CU_ASSERT_EQUAL(memcmp(sim_trace_events(trace), expected, sizeof expected), 0);
  CU_ASSERT_STRING_EQUAL(sim_trace_string(trace, 2), "oa_ws_99_1");
  CU_ASSERT_STRING_EQUAL(sim_trace_string(trace, 3), "one");
  sim_trace_destroy(trace);
}

/* The string that an event of this conn names. */
static const char *observed_conn(struct sim_trace *trace, uint64_t serial, const char *id) {
  struct wsp_event event = {.kind = WSP_CONN_FREED, .conn_serial = serial, .conn_id = id};
  sim_trace_observe(trace, &event);
  uint64_t count = sim_trace_count(trace);
  return sim_trace_string(trace, sim_trace_events(trace)[count - 1].conn);
}

static void conns_keep_their_names_through_a_rewind(void) {
  struct sim_trace *trace = sim_trace_create(10, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  CU_ASSERT_STRING_EQUAL(observed_conn(trace, 1, "one"), "one");
  struct sim_trace_mark mark = sim_trace_mark(trace);
  CU_ASSERT_STRING_EQUAL(observed_conn(trace, 2, "two"), "two");
  CU_ASSERT_STRING_EQUAL(observed_conn(trace, 2, "two"), "two");
  CU_ASSERT_EQUAL(sim_trace_mark(trace).strings, 3);
  sim_trace_rewind(trace, mark);
  /* Number 2 is another string now, and serial 2 another conn. */
  CU_ASSERT_EQUAL(sim_trace_intern(trace, "other"), 2);
  CU_ASSERT_STRING_EQUAL(observed_conn(trace, 2, "two again"), "two again");
  sim_trace_rewind(trace, mark);
  CU_ASSERT_STRING_EQUAL(observed_conn(trace, 2, "one"), "one");
  /* Beyond what is remembered. */
  CU_ASSERT_STRING_EQUAL(observed_conn(trace, 11, "far"), "far");
  CU_ASSERT_STRING_EQUAL(observed_conn(trace, UINT64_C(1) << 40, "far"), "far");
  CU_ASSERT_STRING_EQUAL(observed_conn(trace, 0, NULL), "");
  CU_ASSERT_EQUAL(sim_trace_mark(trace).strings, 3);
  sim_trace_destroy(trace);
}

static void a_full_trace_takes_no_strings_of_events_either(void) {
  struct sim_trace *trace = sim_trace_create(1, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  CU_ASSERT_STRING_EQUAL(observed_conn(trace, 1, "kept"), "kept");
  struct wsp_event event = {.kind = WSP_CONN_FREED, .conn_serial = 2, .conn_id = "lost"};
  sim_trace_observe(trace, &event);
  CU_ASSERT_TRUE(sim_trace_full(trace));
  CU_ASSERT_EQUAL(sim_trace_count(trace), 1);
  CU_ASSERT_EQUAL(sim_trace_find(trace, "lost"), -1);
  sim_trace_destroy(trace);
}

/* What is left in the parent's trace when a child, which ends at once, has written to it. */
static uint64_t count_after_child(struct sim_trace *trace) {
  pid_t child = fork();
  CU_ASSERT_FATAL(child >= 0);
  if (child == 0) {
    bool right = intern_numbers(trace, 1, 700, "child");
    for (int64_t t_ns = 1; t_ns <= 5; t_ns++) {
      struct sim_event event = {.t_ns = t_ns, .conn = 699, .kind = WSP_CONN_FREED};
      right = sim_trace_append(trace, &event) && right;
    }
    _exit(right ? 0 : 1);
  }
  int status = -1;
  CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
  CU_ASSERT_EQUAL(status, 0);
  return sim_trace_count(trace);
}

static void a_shared_trace_outlives_the_process_that_wrote_it(void) {
  struct sim_trace *trace = sim_trace_create(1000, true);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  CU_ASSERT_EQUAL_FATAL(count_after_child(trace), 5);
  CU_ASSERT_EQUAL(sim_trace_events(trace)[4].t_ns, 5);
  CU_ASSERT_STRING_EQUAL(sim_trace_string(trace, sim_trace_events(trace)[4].conn), "child 699");
  CU_ASSERT_EQUAL(sim_trace_find(trace, "child 12"), 12);
  sim_trace_reset(trace);
  CU_ASSERT_TRUE(intern_numbers(trace, 1, 700, "parent"));
  sim_trace_destroy(trace);
}

static void a_private_trace_is_seen_by_its_process_alone(void) {
  struct sim_trace *trace = sim_trace_create(1000, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  CU_ASSERT_EQUAL(count_after_child(trace), 0);
  CU_ASSERT_EQUAL(sim_trace_find(trace, "child 12"), -1);
  sim_trace_destroy(trace);
}

CU_TestInfo suite_trace[] = {
    {"events are kept in order until it is full", events_are_kept_in_order_until_it_is_full},
    {"limits of size", limits_of_size},
    {"strings have numbers in the order of their first use",
     strings_have_numbers_in_the_order_of_their_first_use},
    {"many strings are found again", many_strings_are_found_again},
    {"strings end with a word when there is no room",
     strings_end_with_a_word_when_there_is_no_room},
    {"reset forgets events and strings", reset_forgets_events_and_strings},
    {"rewinding takes out exactly what came later", rewinding_takes_out_exactly_what_came_later},
    {"a grown table leads to nothing that was taken out",
     a_grown_table_leads_to_nothing_that_was_taken_out},
    {"events are counted by kind through a rewind", events_are_counted_by_kind_through_a_rewind},
    {"rewinding brings back whether it was full", rewinding_brings_back_whether_it_was_full},
    {"the pool's events become records", the_pools_events_become_records},
    {"conns keep their names through a rewind", conns_keep_their_names_through_a_rewind},
    {"a full trace takes no strings of events either",
     a_full_trace_takes_no_strings_of_events_either},
    {"a shared trace outlives the process that wrote it",
     a_shared_trace_outlives_the_process_that_wrote_it},
    {"a private trace is seen by its process alone", a_private_trace_is_seen_by_its_process_alone},
    CU_TEST_INFO_NULL,
};
