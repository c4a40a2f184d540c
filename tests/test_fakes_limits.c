/*
 * test_fakes_limits.c - the limits that an upstream sets (age, idleness, number of conns, rate of
 * dials), and changes in the middle of a run.
 */
#include <string.h>

#include "tests/fakes_fixture.h"
#include "tests/suites.h"

#define TRANSPORT fake_transport()

static const char *text_of(const struct fakes_fixture *f, const struct sim_event *event,
                           int which) {
  return event != NULL ? sim_trace_string(f->trace, event->texts[which]) : "";
}

static void a_conn_is_closed_at_its_greatest_age(void) {
  struct fake_spec spec = {.conn = {.set = FAKE_SET_MAX_AGE, .max_age = 60 * SECOND}};
  const struct sim_event *last;
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  (void)fixture_conn(&f, FIXTURE_URL, NULL, 10 * SECOND, 0);
  CU_ASSERT_EQUAL(fake_world_pending(f.world), 0);
  CU_ASSERT_EQUAL(sim_queue_background_count(f.queue), 1);
  fixture_run(&f, 50 * SECOND - 1);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").open, 1);
  fixture_run(&f, 50 * SECOND);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").open, 0);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").peer_closed, 1);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").closed, 1);
  CU_ASSERT_EQUAL(fixture_events(&f, SIM_PEER_CLOSED, &last), 1);
  CU_ASSERT_STRING_EQUAL(text_of(&f, last, 0), "max_age");
  CU_ASSERT_EQUAL(last->values[0], 1001);
  CU_ASSERT_EQUAL(last->t_ns, 50 * SECOND);
  fixture_close(&f);
}

static void an_adopted_conn_that_is_too_old_closes_at_once_but_later(void) {
  struct fake_spec spec = {.conn = {.set = FAKE_SET_IDLE_TIMEOUT, .idle_timeout = 90 * SECOND}};
  const struct sim_event *last;
  struct fakes_fixture f;
  fixture_open(&f, 1);
  f.now = 5 * SECOND;
  (void)fixture_conn(&f, FIXTURE_URL, &spec, 100 * SECOND, 90 * SECOND);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").open, 1);
  CU_ASSERT_EQUAL(sim_queue_next(f.queue), 5 * SECOND);
  fixture_run(&f, 5 * SECOND);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").open, 0);
  CU_ASSERT_EQUAL(fixture_events(&f, SIM_PEER_CLOSED, &last), 1);
  CU_ASSERT_STRING_EQUAL(text_of(&f, last, 0), "idle_timeout");
  fixture_close(&f);
}

static void what_comes_in_puts_the_idle_timeout_off(void) {
  static const struct fake_behaviour writes[] = {{.outcome = FAKE_OK}, {.outcome = FAKE_BLOCK}};
  struct fake_spec spec = {.conn = {.set = FAKE_SET_IDLE_TIMEOUT | FAKE_SET_WRITE,
                                    .idle_timeout = 90 * SECOND,
                                    .write = LIST(writes)}};
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  void *conn = fixture_conn(&f, FIXTURE_URL, NULL, 0, 0);
  fixture_run(&f, 60 * SECOND);
  (void)TRANSPORT->write(f.world, conn, "{}", 2);
  fixture_run(&f, 60 * SECOND);
  CU_ASSERT_EQUAL(sim_queue_next(f.queue), 90 * SECOND); /* traffic moves nothing */
  fixture_run(&f, 140 * SECOND);
  (void)TRANSPORT->ping(f.world, conn);
  fixture_run(&f, 200 * SECOND);
  (void)TRANSPORT->write(f.world, conn, "{}", 2); /* blocked: it does not come in */
  fixture_run(&f, 230 * SECOND - 1);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").open, 1);
  CU_ASSERT_EQUAL(sim_queue_count(f.queue), 2);
  fixture_run(&f, 230 * SECOND);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").open, 0);
  CU_ASSERT_EQUAL(sim_queue_count(f.queue), 0);
  fixture_close(&f);
}

static void a_client_that_reads_answers_the_upstreams_pings(void) {
  static const struct fake_behaviour read[] = {{.outcome = FAKE_BLOCK}};
  struct fake_spec spec = {.conn = {.set = FAKE_SET_IDLE_TIMEOUT | FAKE_SET_READ,
                                    .idle_timeout = 90 * SECOND,
                                    .read = LIST(read)}};
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  void *conn = fixture_conn(&f, FIXTURE_URL, NULL, 0, 0);
  fixture_run(&f, 80 * SECOND);
  (void)TRANSPORT->read(f.world, conn);
  fixture_run(&f, 500 * SECOND);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").open, 1);
  TRANSPORT->read_cancel(f.world, conn);
  fixture_run(&f, 590 * SECOND - 1);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").open, 1);
  fixture_run(&f, 590 * SECOND);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").open, 0);
  fixture_close(&f);
}

static void a_read_that_ends_in_eof_closes_the_conn(void) {
  static const struct fake_behaviour read[] = {{.outcome = FAKE_EOF, .latency = CONSTANT(3 * MS)}};
  struct fake_spec spec = {.conn = {.set = FAKE_SET_READ, .read = LIST(read)}};
  const struct sim_event *last;
  struct fakes_fixture f;
  fixture_open(&f, 1);
  (void)TRANSPORT->read(f.world, fixture_conn(&f, FIXTURE_URL, &spec, 0, 0));
  fixture_run(&f, 3 * MS);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").open, 0);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").messages, 0);
  CU_ASSERT_EQUAL(fixture_events(&f, SIM_PEER_CLOSED, &last), 1);
  CU_ASSERT_STRING_EQUAL(text_of(&f, last, 0), "eof");
  CU_ASSERT_EQUAL(last->t_ns, 3 * MS);
  fixture_close(&f);
}

static void dials_over_the_greatest_number_of_conns_are_refused(void) {
  static const struct fake_dial_behaviour dials[] = {{.answer = {.latency = CONSTANT(5 * MS)}}};
  struct fake_spec spec = {
      .set = FAKE_SET_DIAL | FAKE_SET_MAX_CONNS, .dials = dials, .dial_count = 1, .max_conns = 2};
  const struct sim_event *last;
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  void *first = fixture_conn(&f, FIXTURE_URL, NULL, 0, 0);
  (void)fixture_conn(&f, FIXTURE_URL, NULL, 0, 0);
  (void)fixture_dial(&f, FIXTURE_URL);
  fixture_run(&f, 5 * MS);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").dials_failed, 1);
  CU_ASSERT_EQUAL(fixture_events(&f, SIM_UPSTREAM_REFUSED, &last), 1);
  CU_ASSERT_EQUAL(last->t_ns, 5 * MS);
  CU_ASSERT_EQUAL(last->account, FIXTURE_ACCOUNT);
  CU_ASSERT_EQUAL(last->values[0], 429);
  CU_ASSERT_EQUAL(last->values[1], 2);
  CU_ASSERT_STRING_EQUAL(text_of(&f, last, 0), FIXTURE_URL);
  CU_ASSERT_STRING_EQUAL(text_of(&f, last, 1), "too many connections");
  (void)fixture_dial(&f, FIXTURE_URL); /* judged when it is answered */
  TRANSPORT->close(f.world, first);
  fixture_run(&f, 10 * MS);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").dials_ok, 1);
  fixture_close(&f);
}

static void dials_over_the_rate_are_refused_in_a_sliding_window(void) {
  struct fake_spec spec = {.set = FAKE_SET_RATE_LIMIT, .rate_per = SECOND, .rate_dials = 2};
  static const wsp_time starts[] = {0,         400 * MS,  900 * MS, 1000 * MS - 1,
                                    1000 * MS, 1399 * MS, 1400 * MS};
  static const bool refused[] = {false, false, true, true, false, true, false};
  const struct sim_event *last;
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
    fixture_run(&f, starts[i]);
    int64_t before = fixture_counters(&f, "default").dials_failed;
    (void)fixture_dial(&f, FIXTURE_URL);
    fixture_run(&f, starts[i]);
    CU_ASSERT_EQUAL(fixture_counters(&f, "default").dials_failed - before, refused[i] ? 1 : 0);
  }
  CU_ASSERT_EQUAL(fixture_events(&f, SIM_UPSTREAM_REFUSED, &last), 3);
  CU_ASSERT_STRING_EQUAL(text_of(&f, last, 1), "rate limit exceeded");
  fixture_close(&f);
}

static void a_large_rate_limit_keeps_its_window_in_order(void) {
  struct fake_spec spec = {.set = FAKE_SET_RATE_LIMIT, .rate_per = 30, .rate_dials = 20};
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  for (wsp_time t = 0; t < 90; t++) { /* one each ns: 20 pass, 10 do not, three times */
    fixture_run(&f, t);
    (void)fixture_dial(&f, FIXTURE_URL);
  }
  fixture_run(&f, 90);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").dials_ok, 60);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").dials_failed, 30);
  fixture_close(&f);
}

static int64_t dials_that_pass(struct fakes_fixture *f, wsp_time at, int count) {
  fixture_run(f, at);
  int64_t before = fixture_counters(f, "default").dials_ok;
  for (int i = 0; i < count; i++) {
    (void)fixture_dial(f, FIXTURE_URL);
  }
  fixture_run(f, at);
  return fixture_counters(f, "default").dials_ok - before;
}

static void bursts_are_forgotten_when_each_is_old_enough(void) {
  struct fake_spec spec = {.set = FAKE_SET_RATE_LIMIT, .rate_per = 10, .rate_dials = 20};
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  CU_ASSERT_EQUAL(dials_that_pass(&f, 0, 6), 6);
  CU_ASSERT_EQUAL(dials_that_pass(&f, 5, 6), 6);
  CU_ASSERT_EQUAL(dials_that_pass(&f, 10, 6), 6);
  CU_ASSERT_EQUAL(dials_that_pass(&f, 12, 9), 8);
  CU_ASSERT_EQUAL(dials_that_pass(&f, 15, 9), 6);
  CU_ASSERT_EQUAL(dials_that_pass(&f, 19, 9), 0);
  CU_ASSERT_EQUAL(dials_that_pass(&f, 20, 9), 6);
  CU_ASSERT_EQUAL(dials_that_pass(&f, 22, 9), 8);
  fixture_close(&f);
}

static void a_change_sets_only_what_it_names(void) {
  static const struct fake_dial_behaviour dials[] = {{.answer = {.outcome = FAKE_ERROR}},
                                                     {.answer = {.latency = CONSTANT(5 * MS)}}};
  static const struct fake_behaviour pings[] = {{.latency = CONSTANT(1 * MS)},
                                                {.latency = CONSTANT(2 * MS)}};
  struct fake_spec spec = {.set = FAKE_SET_DIAL,
                           .dials = dials,
                           .dial_count = 2,
                           .conn = {.set = FAKE_SET_PING, .ping = LIST(pings)}};
  struct fake_spec change = {.conn = {.set = FAKE_SET_PING, .ping = LIST(pings)}};
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  (void)fixture_dial(&f, FIXTURE_URL);
  void *conn = fixture_conn(&f, FIXTURE_URL, NULL, 0, 0);
  (void)TRANSPORT->ping(f.world, conn);
  fixture_run(&f, 1 * MS);
  (void)TRANSPORT->ping(f.world, conn); /* of 2 ms, and stays so */
  CU_ASSERT_TRUE(fake_world_change(f.world, f.now, "default", &change));
  CU_ASSERT_EQUAL(sim_queue_next(f.queue), 3 * MS);
  fixture_run(&f, 3 * MS);
  (void)TRANSPORT->ping(f.world, conn); /* from the beginning of the list */
  CU_ASSERT_EQUAL(sim_queue_next(f.queue), 4 * MS);
  fixture_run(&f, 4 * MS);
  (void)fixture_dial(&f, FIXTURE_URL); /* dials go on where they were */
  CU_ASSERT_EQUAL(sim_queue_next(f.queue), 9 * MS);
  CU_ASSERT_TRUE(fake_world_change(f.world, f.now, "default", &spec));
  (void)fixture_dial(&f, FIXTURE_URL); /* from the beginning */
  CU_ASSERT_EQUAL(sim_queue_next(f.queue), 4 * MS);
  fixture_close(&f);
}

static void open_conns_follow_a_change_but_for_what_is_their_own(void) {
  static const struct fake_behaviour own[] = {{.latency = CONSTANT(1 * MS)}};
  static const struct fake_behaviour late[] = {{.latency = CONSTANT(9 * MS)}};
  struct fake_spec adopted = {
      .conn = {.set = FAKE_SET_PING | FAKE_SET_MAX_AGE, .ping = LIST(own), .max_age = 70 * SECOND}};
  struct fake_spec change = {.conn = {.set = FAKE_SET_PING | FAKE_SET_MAX_AGE,
                                      .ping = LIST(late),
                                      .max_age = 50 * SECOND}};
  struct fakes_fixture f;
  fixture_open(&f, 1);
  void *plain = fixture_conn(&f, FIXTURE_URL, NULL, 0, 0);
  void *special = fixture_conn(&f, FIXTURE_URL, &adopted, 0, 0);
  fixture_run(&f, 10 * SECOND);
  CU_ASSERT_TRUE(fake_world_change(f.world, f.now, "default", &change));
  (void)TRANSPORT->ping(f.world, plain);
  (void)TRANSPORT->ping(f.world, special);
  fixture_run(&f, 10 * SECOND + 1 * MS);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").concurrent_pings, 1);
  fixture_run(&f, 10 * SECOND + 9 * MS);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").concurrent_pings, 0);
  fixture_run(&f, 50 * SECOND - 1);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").open, 2);
  fixture_run(&f, 50 * SECOND);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").open, 1);
  fixture_run(&f, 70 * SECOND);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").open, 0);
  fixture_close(&f);
}

static void a_url_that_is_named_late_takes_its_conns_along(void) {
  static const struct fake_behaviour slow[] = {{.latency = CONSTANT(6 * MS)}};
  struct fake_spec spec = {.set = FAKE_SET_MAX_CONNS,
                           .max_conns = 7,
                           .conn = {.set = FAKE_SET_WRITE, .write = LIST(slow)}};
  struct fake_spec change = {.conn = {.set = FAKE_SET_PING, .ping = LIST(slow)}};
  struct fake_counters counters;
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  void *conn = fixture_conn(&f, FIXTURE_URL, NULL, 0, 0);
  (void)fixture_conn(&f, "wss://other.example", NULL, 0, 0);
  CU_ASSERT_FALSE(fake_world_counters(f.world, FIXTURE_URL, &counters));
  CU_ASSERT_TRUE(fake_world_change(f.world, 0, FIXTURE_URL, &change));
  CU_ASSERT_EQUAL(fixture_counters(&f, FIXTURE_URL).open, 1);
  CU_ASSERT_EQUAL(fixture_counters(&f, FIXTURE_URL).max_open, 1);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").open, 1);
  (void)TRANSPORT->ping(f.world, conn);
  CU_ASSERT_EQUAL(fixture_counters(&f, FIXTURE_URL).pings, 1);
  CU_ASSERT_EQUAL(sim_queue_next(f.queue), 6 * MS);
  fixture_run(&f, 6 * MS);
  (void)TRANSPORT->write(f.world, conn, "{}", 2); /* a copy of the default's */
  CU_ASSERT_EQUAL(sim_queue_next(f.queue), 12 * MS);
  CU_ASSERT_FALSE(fake_world_counters(f.world, "wss://other.example", &counters));
  fixture_close(&f);
}

static void a_preset_as_a_change_leaves_the_limits_alone(void) {
  struct fake_spec spec = {.has_preset = true,
                           .preset = FAKE_PRESET_ALWAYS_FAIL,
                           .conn = {.set = FAKE_SET_MAX_AGE, .max_age = SECOND}};
  struct fake_spec change = {.has_preset = true, .preset = FAKE_PRESET_OK};
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  (void)fixture_conn(&f, FIXTURE_URL, NULL, 0, 0);
  (void)fixture_dial(&f, FIXTURE_URL);
  CU_ASSERT_TRUE(fake_world_change(f.world, 0, "default", &change));
  (void)fixture_dial(&f, FIXTURE_URL);
  fixture_run(&f, 0);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").dials_failed, 1);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").dials_ok, 1);
  CU_ASSERT_EQUAL(sim_queue_next(f.queue), SECOND);
  fixture_close(&f);
}

#define TEST(name) \
  { #name, name }

CU_TestInfo suite_fakes_limits[] = {
    TEST(a_conn_is_closed_at_its_greatest_age),
    TEST(an_adopted_conn_that_is_too_old_closes_at_once_but_later),
    TEST(what_comes_in_puts_the_idle_timeout_off),
    TEST(a_client_that_reads_answers_the_upstreams_pings),
    TEST(a_read_that_ends_in_eof_closes_the_conn),
    TEST(dials_over_the_greatest_number_of_conns_are_refused),
    TEST(dials_over_the_rate_are_refused_in_a_sliding_window),
    TEST(a_large_rate_limit_keeps_its_window_in_order),
    TEST(bursts_are_forgotten_when_each_is_old_enough),
    TEST(a_change_sets_only_what_it_names),
    TEST(open_conns_follow_a_change_but_for_what_is_their_own),
    TEST(a_url_that_is_named_late_takes_its_conns_along),
    TEST(a_preset_as_a_change_leaves_the_limits_alone),
    CU_TEST_INFO_NULL,
};
