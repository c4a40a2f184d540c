/*
 * test_fakes.c - calls of the fakes and what becomes of them: times, places in lists, cancels,
 * closes, presets. The limits of an upstream are in test_fakes_limits.c, what a pool sees of it
 * all in test_fakes_pool.c.
 */
#include <string.h>

#include "tests/fakes_fixture.h"
#include "tests/suites.h"

#define TRANSPORT fake_transport()

static void an_answer_comes_from_the_queue_after_its_latency(void) {
  static const struct fake_behaviour ping[] = {{.latency = CONSTANT(1 * MS)}};
  static const struct fake_behaviour read[] = {{.latency = CONSTANT(80 * MS)}};
  struct fake_spec spec = {
      .conn = {.set = FAKE_SET_PING | FAKE_SET_READ, .ping = LIST(ping), .read = LIST(read)}};
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  void *conn = fixture_conn(&f, FIXTURE_URL, NULL, 0, 0);
  CU_ASSERT_EQUAL(TRANSPORT->write(f.world, conn, "{}", 2), WSP_OK);
  CU_ASSERT_EQUAL(TRANSPORT->ping(f.world, conn), WSP_OK);
  CU_ASSERT_EQUAL(TRANSPORT->read(f.world, conn), WSP_OK);
  CU_ASSERT_EQUAL(fake_world_pending(f.world), 3);
  CU_ASSERT_EQUAL(sim_queue_next(f.queue), 0);
  fixture_run(&f, 0);
  CU_ASSERT_EQUAL(fake_world_pending(f.world), 2);
  fixture_run(&f, 1 * MS - 1);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").concurrent_pings, 1);
  fixture_run(&f, 1 * MS);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").concurrent_pings, 0);
  CU_ASSERT_EQUAL(sim_queue_next(f.queue), 80 * MS);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").messages, 0);
  fixture_run(&f, 80 * MS);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").messages, 1);
  CU_ASSERT_EQUAL(fake_world_pending(f.world), 0);
  fixture_close(&f);
}

static void dials_use_up_the_list_of_their_upstream(void) {
  static const struct fake_dial_behaviour dials[] = {
      {.answer = {.outcome = FAKE_ERROR, .latency = CONSTANT(20 * MS)}},
      {.answer = {.outcome = FAKE_NIL_CONN, .latency = CONSTANT(10 * MS)}},
      {.answer = {.latency = CONSTANT(5 * MS)}}};
  struct fake_spec spec = {.set = FAKE_SET_DIAL, .dials = dials, .dial_count = 3};
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  for (int i = 0; i < 4; i++) {
    (void)fixture_dial(&f, i % 2 == 0 ? FIXTURE_URL : "wss://other.example");
  }
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").concurrent_dials, 4);
  fixture_run(&f, 5 * MS);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").dials_ok, 2);
  fixture_run(&f, 10 * MS);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").dials_failed, 1);
  fixture_run(&f, 20 * MS);
  struct fake_counters counters = fixture_counters(&f, "default");
  CU_ASSERT_EQUAL(counters.dials, 4);
  CU_ASSERT_EQUAL(counters.dials_failed, 2);
  CU_ASSERT_EQUAL(counters.concurrent_dials, 0);
  CU_ASSERT_EQUAL(counters.max_concurrent_dials, 4);
  (void)fixture_dial(&f, FIXTURE_URL);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").max_concurrent_dials, 4);
  fixture_close(&f);
}

static void each_conn_has_its_own_place_in_the_lists(void) {
  static const struct fake_behaviour pings[] = {{.latency = CONSTANT(1 * MS)},
                                                {.latency = CONSTANT(7 * MS)}};
  struct fake_spec spec = {.conn = {.set = FAKE_SET_PING, .ping = LIST(pings)}};
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  void *first = fixture_conn(&f, FIXTURE_URL, NULL, 0, 0);
  void *second = fixture_conn(&f, FIXTURE_URL, NULL, 0, 0);
  (void)TRANSPORT->ping(f.world, first);
  fixture_run(&f, 1 * MS);
  (void)TRANSPORT->ping(f.world, first);
  (void)TRANSPORT->ping(f.world, second);
  fixture_run(&f, 2 * MS);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").concurrent_pings, 1);
  fixture_run(&f, 8 * MS);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").concurrent_pings, 0);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").max_concurrent_pings, 2);
  (void)TRANSPORT->ping(f.world, first); /* the last one repeats */
  CU_ASSERT_EQUAL(sim_queue_next(f.queue), 15 * MS);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").max_concurrent_pings, 2);
  fixture_close(&f);
}

static void a_blocked_call_is_not_pending_until_it_is_cancelled(void) {
  static const struct fake_behaviour block[] = {{.outcome = FAKE_BLOCK}};
  static const struct fake_dial_behaviour dials[] = {{.answer = {.outcome = FAKE_BLOCK}}};
  struct fake_spec spec = {.set = FAKE_SET_DIAL,
                           .dials = dials,
                           .dial_count = 1,
                           .conn = {.set = FAKE_SET_PING | FAKE_SET_READ | FAKE_SET_WRITE,
                                    .ping = LIST(block),
                                    .read = LIST(block),
                                    .write = LIST(block)}};
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  void *conn = fixture_conn(&f, FIXTURE_URL, NULL, 0, 0);
  void *dial = fixture_dial(&f, FIXTURE_URL);
  (void)TRANSPORT->ping(f.world, conn);
  (void)TRANSPORT->read(f.world, conn);
  (void)TRANSPORT->write(f.world, conn, "{}", 2);
  fixture_run(&f, 100 * SECOND);
  CU_ASSERT_EQUAL(fake_world_pending(f.world), 0);
  CU_ASSERT_EQUAL(sim_queue_next(f.queue), WSP_TIME_NEVER);
  TRANSPORT->dial_cancel(f.world, dial);
  TRANSPORT->dial_cancel(f.world, dial);
  TRANSPORT->ping_cancel(f.world, conn);
  TRANSPORT->read_cancel(f.world, conn);
  CU_ASSERT_EQUAL(fake_world_pending(f.world), 2);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").concurrent_dials, 1);
  CU_ASSERT_EQUAL(sim_queue_next(f.queue), 100 * SECOND);
  fixture_run(&f, 100 * SECOND);
  struct fake_counters counters = fixture_counters(&f, "default");
  CU_ASSERT_EQUAL(fake_world_pending(f.world), 0);
  CU_ASSERT_EQUAL(counters.concurrent_dials, 0);
  CU_ASSERT_EQUAL(counters.dials_canceled, 1);
  CU_ASSERT_EQUAL(counters.dials_failed, 0);
  CU_ASSERT_EQUAL(counters.concurrent_pings, 0);
  CU_ASSERT_EQUAL(counters.messages, 0);
  fixture_close(&f);
}

static void a_cancel_beats_an_answer_of_the_same_instant(void) {
  struct fakes_fixture f;
  fixture_open(&f, 1);
  void *dial = fixture_dial(&f, FIXTURE_URL);
  TRANSPORT->dial_cancel(f.world, dial);
  void *conn = fixture_conn(&f, FIXTURE_URL, NULL, 0, 0);
  (void)TRANSPORT->read(f.world, conn);
  TRANSPORT->read_cancel(f.world, conn);
  fixture_run(&f, 0);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").dials_canceled, 1);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").dials_ok, 0);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").messages, 0);
  fixture_close(&f);
}

static void a_peer_that_speaks_has_answered_the_read(void) {
  struct fake_spec spec = {.has_preset = true, .preset = FAKE_PRESET_BLOCKING};
  struct fakes_fixture f;
  fixture_open(&f, 1);
  void *conn = fixture_conn(&f, FIXTURE_URL, &spec, 0, 0);
  (void)TRANSPORT->read(f.world, conn);
  CU_ASSERT_EQUAL(fake_world_pending(f.world), 1);
  CU_ASSERT_TRUE(fake_peer_message(f.world, conn, f.now, "{}"));
  CU_ASSERT_EQUAL(fake_world_pending(f.world), 0);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").messages, 1);
  CU_ASSERT_EQUAL(TRANSPORT->read(f.world, conn), WSP_OK); /* the next one */
  fixture_close(&f);
}

static void a_close_takes_its_latency_and_ends_what_is_under_way(void) {
  static const struct fake_behaviour slow[] = {{.latency = CONSTANT(1 * SECOND)}};
  struct fake_spec spec = {.conn = {.set = FAKE_SET_PING | FAKE_SET_READ | FAKE_SET_WRITE |
                                           FAKE_SET_CLOSE | FAKE_SET_MAX_AGE,
                                    .ping = LIST(slow),
                                    .read = LIST(slow),
                                    .write = LIST(slow),
                                    .close = CONSTANT(30 * MS),
                                    .max_age = 20 * MS}};
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  void *conn = fixture_conn(&f, FIXTURE_URL, NULL, 0, 0);
  (void)TRANSPORT->ping(f.world, conn);
  (void)TRANSPORT->read(f.world, conn);
  (void)TRANSPORT->write(f.world, conn, "{}", 2);
  fixture_run(&f, 10 * MS);
  TRANSPORT->close(f.world, conn);
  TRANSPORT->close(f.world, conn);
  CU_ASSERT_EQUAL(fake_world_pending(f.world), 1);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").concurrent_pings, 0);
  CU_ASSERT_FALSE(fake_peer_close(f.world, conn, f.now, 1001, "too late"));
  CU_ASSERT_FALSE(fake_peer_message(f.world, conn, f.now, "{}"));
  CU_ASSERT_EQUAL(TRANSPORT->ping(f.world, conn), WSP_CONN_CLOSED);
  fixture_run(&f, 40 * MS - 1);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").open, 1);
  fixture_run(&f, 40 * MS);
  struct fake_counters counters = fixture_counters(&f, "default");
  CU_ASSERT_EQUAL(counters.open, 0);
  CU_ASSERT_EQUAL(counters.closed, 1);
  CU_ASSERT_EQUAL(counters.peer_closed, 0);
  CU_ASSERT_EQUAL(counters.pings, 1);
  CU_ASSERT_EQUAL(sim_queue_count(f.queue), 0);
  fixture_close(&f);
}

static void what_has_ended_gives_its_memory_back(void) {
  struct fakes_fixture f;
  fixture_open(&f, 1);
  (void)fixture_dial(&f, FIXTURE_URL);
  fixture_run(&f, 0);
  size_t live = sim_arena_live(f.arena);
  struct fake_spec spec = {.has_preset = true, .preset = FAKE_PRESET_HALF_OPEN};
  void *closed = fixture_conn(&f, FIXTURE_URL, &spec, 0, 0);
  void *ended = fixture_conn(&f, FIXTURE_URL, NULL, 0, 0);
  void *refused = fake_adopt(f.world, f.now, FIXTURE_URL, &spec, 0, 0);
  (void)TRANSPORT->ping(f.world, closed);
  (void)fixture_dial(&f, FIXTURE_URL);
  TRANSPORT->dial_cancel(f.world, fixture_dial(&f, FIXTURE_URL));
  TRANSPORT->close(f.world, closed);
  CU_ASSERT_TRUE(fake_peer_close(f.world, ended, f.now, 1000, ""));
  fake_drop(f.world, refused);
  fixture_run(&f, 0);
  CU_ASSERT_EQUAL(sim_arena_live(f.arena), live);
  CU_ASSERT_EQUAL(sim_queue_count(f.queue), 0);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").open, 0);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").opened, 4);
  (void)fixture_conn(&f, FIXTURE_URL, NULL, 0, 0);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").max_open, 2);
  fixture_close(&f);
}

static void a_call_without_memory_says_so_and_leaves_nothing(void) {
  struct fakes_fixture f;
  fixture_open(&f, 1);
  struct wsp_dial_request request = {.url = FIXTURE_URL, .proxy = ""};
  void *dialing = NULL;
  size_t live = sim_arena_live(f.arena);
  for (uint64_t n = 1; n <= 3; n++) {
    sim_arena_fail_at(f.arena, n, false);
    CU_ASSERT_EQUAL(TRANSPORT->dial(f.world, (struct wsp_dial){NULL, 0, 0}, &request, &dialing),
                    WSP_OUT_OF_MEMORY);
    if (n < 3) {
      CU_ASSERT_EQUAL(sim_arena_live(f.arena), live); /* the third keeps the name of the URL */
    }
  }
  sim_arena_fail_at(f.arena, 1, false);
  CU_ASSERT_PTR_NULL(fake_adopt(f.world, 0, FIXTURE_URL, NULL, 0, 0));
  sim_arena_fail_at(f.arena, 0, false);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").dials, 0);
  CU_ASSERT_EQUAL(fake_world_pending(f.world), 0);
  CU_ASSERT_EQUAL(sim_queue_count(f.queue), 0);
  fixture_close(&f);
}

static void presets_are_known_by_their_names(void) {
  static const char *const names[] = {"ok",          "blocking",      "write-blocking",
                                      "ping-fail",   "ping-blocking", "nil-conn",
                                      "always-fail", "flaky",         "half-open"};
  for (int i = 0; i < 9; i++) {
    CU_ASSERT_EQUAL(fake_preset_by_name(names[i]), i);
    CU_ASSERT_STRING_EQUAL(fake_preset_name((enum fake_preset)i), names[i]);
  }
  CU_ASSERT_EQUAL(fake_preset_by_name("OK"), -1);
  CU_ASSERT_EQUAL(fake_preset_by_name(""), -1);
}

static void a_key_next_to_a_preset_changes_only_what_it_says(void) {
  static const struct fake_dial_behaviour slow[] = {
      {.answer = {.latency = CONSTANT(20 * MS), .left_out = FAKE_LEFT_OUT_OUTCOME}}};
  static const struct fake_behaviour read[] = {
      {.outcome = FAKE_MESSAGE, .message = "{}", .left_out = FAKE_LEFT_OUT_LATENCY}};
  struct fake_spec failing = {.has_preset = true,
                              .preset = FAKE_PRESET_ALWAYS_FAIL,
                              .set = FAKE_SET_DIAL,
                              .dials = slow,
                              .dial_count = 1};
  struct fake_spec blocking = {.has_preset = true,
                               .preset = FAKE_PRESET_BLOCKING,
                               .conn = {.set = FAKE_SET_READ, .read = LIST(read)}};
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "wss://dead.example", &failing);
  fixture_define(&f, "wss://slow.example", &blocking);
  (void)fixture_dial(&f, "wss://dead.example");
  CU_ASSERT_EQUAL(sim_queue_next(f.queue), 20 * MS);
  fixture_run(&f, 20 * MS);
  CU_ASSERT_EQUAL(fixture_counters(&f, "wss://dead.example").dials_failed, 1);
  (void)TRANSPORT->read(f.world, fixture_conn(&f, "wss://slow.example", NULL, 0, 0));
  CU_ASSERT_EQUAL(sim_queue_next(f.queue), 30 * MS);
  fixture_close(&f);
}

static int64_t failures_of_1000(wsp_decimal rate, uint64_t seed) {
  struct fakes_fixture f;
  fixture_open(&f, seed);
  struct fake_spec spec = {.has_preset = true, .preset = FAKE_PRESET_FLAKY, .failure_rate = rate};
  spec.set = rate >= 0 ? FAKE_SET_FAILURE_RATE : 0;
  fixture_define(&f, "default", &spec);
  for (int i = 0; i < 1000; i++) {
    (void)fixture_dial(&f, FIXTURE_URL);
  }
  fixture_run(&f, 0);
  int64_t failed = fixture_counters(&f, "default").dials_failed;
  fixture_close(&f);
  return failed;
}

static void a_flaky_upstream_fails_by_its_rate(void) {
  CU_ASSERT_EQUAL(failures_of_1000(0, 1), 0);
  CU_ASSERT_EQUAL(failures_of_1000(WSP_DECIMAL_ONE, 1), 1000);
  CU_ASSERT_EQUAL(failures_of_1000(-1, 1), 92); /* of seed 1, at the default rate of 0.1 */
  CU_ASSERT_EQUAL(failures_of_1000(WSP_DECIMAL_ONE / 10, 1), failures_of_1000(-1, 1));
  CU_ASSERT_EQUAL(failures_of_1000(WSP_DECIMAL_ONE / 2, 1), 514);
}

static void one_upstream_does_not_shift_what_another_draws(void) {
  static const struct fake_dial_behaviour dials[] = {
      {.answer = {.latency = {.kind = SIM_UNIFORM, .first = 1, .second = SECOND}}}};
  struct fake_spec spec = {.set = FAKE_SET_DIAL, .dials = dials, .dial_count = 1};
  wsp_time alone = 0;
  for (int others = 0; others < 3; others++) {
    struct fakes_fixture f;
    fixture_open(&f, 42);
    if (others > 0) {
      fixture_define(&f, "wss://other.example", &spec);
      (void)fixture_dial(&f, "wss://other.example");
    }
    fixture_define(&f, "wss://this.example", &spec);
    fixture_run(&f, SECOND);
    (void)fixture_dial(&f, "wss://this.example");
    wsp_time due = sim_queue_next(f.queue);
    CU_ASSERT_TRUE(due > SECOND && due <= 2 * SECOND);
    if (others == 0) {
      alone = due;
    }
    CU_ASSERT_EQUAL(due, alone);
    fixture_close(&f);
  }
}

static void a_restored_snapshot_goes_on_in_the_same_way(void) {
  static const struct fake_dial_behaviour dials[] = {
      {.answer = {.latency = {.kind = SIM_EXPONENTIAL, .first = SECOND}}}};
  struct fake_spec spec = {.has_preset = true,
                           .preset = FAKE_PRESET_FLAKY,
                           .set = FAKE_SET_DIAL | FAKE_SET_RATE_LIMIT,
                           .dials = dials,
                           .dial_count = 1,
                           .rate_per = SECOND,
                           .rate_dials = 50};
  struct fake_counters first, second;
  struct fakes_fixture f;
  fixture_open(&f, 7);
  fixture_define(&f, "default", &spec);
  (void)fixture_dial(&f, FIXTURE_URL);
  struct sim_snapshot *snapshot = sim_snapshot_take(f.arena);
  CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
  for (int i = 0; i < 100; i++) {
    (void)fixture_dial(&f, FIXTURE_URL);
  }
  fixture_run(&f, SECOND);
  first = fixture_counters(&f, "default");
  size_t pending = fake_world_pending(f.world);
  sim_snapshot_restore(f.arena, snapshot);
  f.now = 0;
  CU_ASSERT_EQUAL(fake_world_pending(f.world), 1);
  for (int i = 0; i < 100; i++) {
    (void)fixture_dial(&f, FIXTURE_URL);
  }
  fixture_run(&f, SECOND);
  second = fixture_counters(&f, "default");
  CU_ASSERT_EQUAL(memcmp(&first, &second, sizeof first), 0);
  CU_ASSERT_EQUAL(fake_world_pending(f.world), pending);
  sim_snapshot_destroy(snapshot);
  fixture_close(&f);
}

#define TEST(name) \
  { #name, name }

CU_TestInfo suite_fakes[] = {
    TEST(an_answer_comes_from_the_queue_after_its_latency),
    TEST(dials_use_up_the_list_of_their_upstream),
    TEST(each_conn_has_its_own_place_in_the_lists),
    TEST(a_blocked_call_is_not_pending_until_it_is_cancelled),
    TEST(a_cancel_beats_an_answer_of_the_same_instant),
    TEST(a_peer_that_speaks_has_answered_the_read),
    TEST(a_close_takes_its_latency_and_ends_what_is_under_way),
    TEST(what_has_ended_gives_its_memory_back),
    TEST(a_call_without_memory_says_so_and_leaves_nothing),
    TEST(presets_are_known_by_their_names),
    TEST(a_key_next_to_a_preset_changes_only_what_it_says),
    TEST(a_flaky_upstream_fails_by_its_rate),
    TEST(one_upstream_does_not_shift_what_another_draws),
    TEST(a_restored_snapshot_goes_on_in_the_same_way),
    CU_TEST_INFO_NULL,
};
