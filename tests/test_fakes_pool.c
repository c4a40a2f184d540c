/*
 * test_fakes_pool.c - what each preset and behaviour does to the real pool, seen by its callers.
 */
#include <string.h>

#include "tests/fakes_fixture.h"
#include "tests/suites.h"

#define NOT_ENDED (-1)

/* How an acquire, write, read or ping ended. */
struct ending {
  const struct fakes_fixture *fixture;
  wsp_time at; /* NOT_ENDED */
  enum wsp_error error;
  char text[80];
  char message[80];
  int status;
  struct wsp_lease lease;
};

static void copy_text(char *to, size_t size, const char *text) {
  size_t length = strlen(text);
  length = length < size ? length : size - 1;
  memcpy(to, text, length);
  to[length] = '\0';
}

static void acquired(void *context, const struct wsp_acquire_result *result) {
  struct ending *ending = context;
  ending->at = ending->fixture->now;
  ending->error = result->error;
  ending->status = result->status;
  ending->lease = result->lease;
  copy_text(ending->text, sizeof ending->text, result->error_text);
}

static void io_ended(void *context, const struct wsp_io_result *result) {
  struct ending *ending = context;
  ending->at = ending->fixture->now;
  ending->error = result->error;
  copy_text(ending->text, sizeof ending->text, result->error_text);
  if (result->message != NULL) {
    copy_text(ending->message, sizeof ending->message, result->message);
  }
}

static struct wsp_op acquire(struct fakes_fixture *fixture, struct ending *ending) {
  struct wsp_acquire_request request = {.account = {.id = FIXTURE_ACCOUNT}, .url = FIXTURE_URL};
  struct wsp_op op;
  *ending = (struct ending){.fixture = fixture, .at = NOT_ENDED};
  CU_ASSERT_EQUAL_FATAL(wsp_acquire(fixture->pool, fixture->now, &request, acquired, ending, &op),
                        WSP_OK);
  return op;
}

typedef enum wsp_error (*io_function)(const struct wsp_io_request *, wsp_time, struct wsp_op *);

static struct wsp_op io(struct fakes_fixture *fixture, io_function function, struct wsp_lease lease,
                        wsp_duration timeout, struct ending *ending) {
  struct wsp_io_request request = {
      .lease = lease, .timeout = timeout, .callback = io_ended, .context = ending};
  struct wsp_op op;
  *ending = (struct ending){.fixture = fixture, .at = NOT_ENDED};
  CU_ASSERT_EQUAL_FATAL(function(&request, fixture->now, &op), WSP_OK);
  return op;
}

/* A pool with a lease on a conn of that preset. */
static struct wsp_lease open_lease(struct fakes_fixture *fixture, enum fake_preset preset) {
  struct ending ending;
  fixture_open(fixture, 1);
  fixture_define_preset(fixture, preset);
  fixture_open_pool(fixture, 8);
  (void)acquire(fixture, &ending);
  fixture_run(fixture, 0);
  CU_ASSERT_EQUAL(ending.error, WSP_OK);
  CU_ASSERT_EQUAL(ending.at, 0);
  return ending.lease;
}

static void ok_answers_at_once(void) {
  struct ending write, ping, read;
  struct fakes_fixture f;
  struct wsp_lease lease = open_lease(&f, FAKE_PRESET_OK);
  (void)io(&f, wsp_lease_write_json, lease, 0, &write);
  (void)io(&f, wsp_lease_ping, lease, 0, &ping);
  (void)io(&f, wsp_lease_read, lease, 0, &read);
  CU_ASSERT_EQUAL(write.at, NOT_ENDED);
  fixture_run(&f, 0);
  CU_ASSERT_EQUAL(write.at, 0);
  CU_ASSERT_EQUAL(write.error, WSP_OK);
  CU_ASSERT_EQUAL(ping.at, 0);
  CU_ASSERT_EQUAL(ping.error, WSP_OK);
  CU_ASSERT_EQUAL(read.at, 0);
  CU_ASSERT_STRING_EQUAL(read.message, "{\"type\":\"response.completed\"}");
  fixture_close(&f);
}

static void blocking_reads_take_ten_milliseconds(void) {
  struct ending read;
  struct fakes_fixture f;
  struct wsp_lease lease = open_lease(&f, FAKE_PRESET_BLOCKING);
  (void)io(&f, wsp_lease_read, lease, 0, &read);
  fixture_run(&f, SECOND);
  CU_ASSERT_EQUAL(read.at, 10 * MS);
  CU_ASSERT_EQUAL(read.error, WSP_OK);
  CU_ASSERT_STRING_EQUAL(read.message, "{\"type\":\"response.completed\"}");
  fixture_close(&f);
}

static void write_blocking_ends_a_write_by_its_timeout(void) {
  struct ending write;
  struct fakes_fixture f;
  struct wsp_lease lease = open_lease(&f, FAKE_PRESET_WRITE_BLOCKING);
  (void)io(&f, wsp_lease_write_json, lease, 50 * MS, &write);
  fixture_run(&f, SECOND);
  CU_ASSERT_EQUAL(write.at, 50 * MS);
  CU_ASSERT_EQUAL(write.error, WSP_DEADLINE_EXCEEDED);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").open, 0); /* what went out is not known */
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").peer_closed, 0);
  fixture_close(&f);
}

static void ping_fail_says_why(void) {
  struct ending ping;
  struct fakes_fixture f;
  struct wsp_lease lease = open_lease(&f, FAKE_PRESET_PING_FAIL);
  (void)io(&f, wsp_lease_ping, lease, 0, &ping);
  fixture_run(&f, 0);
  CU_ASSERT_EQUAL(ping.at, 0);
  CU_ASSERT_EQUAL(ping.error, WSP_PING_FAILED);
  CU_ASSERT_STRING_EQUAL(ping.text, "ping failed: ping failed");
  fixture_close(&f);
}

static void ping_blocking_costs_the_whole_timeout(void) {
  struct ending ping;
  const struct sim_event *last;
  struct fakes_fixture f;
  struct wsp_lease lease = open_lease(&f, FAKE_PRESET_PING_BLOCKING);
  (void)io(&f, wsp_lease_ping, lease, 0, &ping);
  fixture_run(&f, 10 * SECOND);
  CU_ASSERT_EQUAL(ping.at, 2 * SECOND); /* health_check_timeout */
  CU_ASSERT_EQUAL(ping.error, WSP_DEADLINE_EXCEEDED);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").concurrent_pings, 0);
  CU_ASSERT_EQUAL(fixture_events(&f, WSP_PING_SUCCEEDED, &last), 0);
  CU_ASSERT_EQUAL(fixture_events(&f, WSP_PING_CANCELED, &last), 1);
  fixture_close(&f);
}

static void half_open_takes_everything_and_says_nothing(void) {
  struct ending write, read, ping;
  struct fakes_fixture f;
  struct wsp_lease lease = open_lease(&f, FAKE_PRESET_HALF_OPEN);
  (void)io(&f, wsp_lease_write_json, lease, 0, &write);
  (void)io(&f, wsp_lease_read, lease, 300 * MS, &read);
  fixture_run(&f, SECOND);
  (void)io(&f, wsp_lease_ping, lease, 0, &ping);
  fixture_run(&f, 10 * SECOND);
  CU_ASSERT_EQUAL(write.at, 0);
  CU_ASSERT_EQUAL(write.error, WSP_OK);
  CU_ASSERT_EQUAL(read.at, 300 * MS);
  CU_ASSERT_EQUAL(read.error, WSP_DEADLINE_EXCEEDED);
  CU_ASSERT_EQUAL(ping.at, 3 * SECOND);
  fixture_close(&f);
}

static void failing_presets(void) {
  static const struct {
    enum fake_preset preset;
    int status;
    const char *text;
  } cases[] = {
      {FAKE_PRESET_ALWAYS_FAIL, 503, "dial failed: status=503: dial failed"},
      {FAKE_PRESET_NIL_CONN, 0, "dial failed: nil connection"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct ending ending;
    struct fakes_fixture f;
    fixture_open(&f, 1);
    fixture_define_preset(&f, cases[i].preset);
    fixture_open_pool(&f, 8);
    (void)acquire(&f, &ending);
    fixture_run(&f, 0);
    CU_ASSERT_EQUAL(ending.at, 0);
    CU_ASSERT_EQUAL(ending.error, WSP_DIAL_FAILED);
    CU_ASSERT_EQUAL(ending.status, cases[i].status);
    CU_ASSERT_STRING_EQUAL(ending.text, cases[i].text);
    CU_ASSERT_EQUAL(fixture_counters(&f, "default").dials_failed, 1);
    CU_ASSERT_EQUAL(fixture_counters(&f, "default").opened, 0);
    fixture_close(&f);
  }
}

static void a_flaky_upstream_says_what_failed(void) {
  struct fake_spec spec = {.has_preset = true,
                           .preset = FAKE_PRESET_FLAKY,
                           .set = FAKE_SET_FAILURE_RATE,
                           .failure_rate = WSP_DECIMAL_ONE};
  struct fake_spec later = {.set = FAKE_SET_FAILURE_RATE, .failure_rate = WSP_DECIMAL_ONE};
  struct ending dial, write, read;
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  fixture_open_pool(&f, 8);
  (void)acquire(&f, &dial);
  fixture_run(&f, 0);
  CU_ASSERT_STRING_EQUAL(dial.text, "dial failed: status=503: dial failed");
  for (int i = 0; i < 2; i++) {
    later.failure_rate = 0;
    CU_ASSERT_TRUE(fake_world_change(f.world, f.now, "default", &later));
    (void)acquire(&f, &dial);
    fixture_run(&f, f.now);
    CU_ASSERT_EQUAL(dial.error, WSP_OK);
    later.failure_rate = WSP_DECIMAL_ONE;
    CU_ASSERT_TRUE(fake_world_change(f.world, f.now, "default", &later));
    struct ending *ending = i == 0 ? &write : &read;
    (void)io(&f, i == 0 ? wsp_lease_write_json : wsp_lease_read, dial.lease, 0, ending);
    fixture_run(&f, f.now);
  }
  CU_ASSERT_EQUAL(write.error, WSP_IO_FAILED);
  CU_ASSERT_STRING_EQUAL(write.text, "i/o failed: write failed");
  CU_ASSERT_STRING_EQUAL(read.text, "i/o failed: read failed");
  fixture_close(&f);
}

static void ten_dials_at_once_against_a_limit_of_three(void) {
  static const struct fake_dial_behaviour dials[] = {{.answer = {.latency = CONSTANT(5 * MS)}}};
  struct fake_spec spec = {
      .set = FAKE_SET_DIAL | FAKE_SET_MAX_CONNS, .dials = dials, .dial_count = 1, .max_conns = 3};
  struct ending endings[10];
  const struct sim_event *last;
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  fixture_open_pool(&f, 16);
  for (int i = 0; i < 10; i++) {
    (void)acquire(&f, &endings[i]);
  }
  fixture_run(&f, 5 * MS);
  for (int i = 0; i < 10; i++) {
    CU_ASSERT_EQUAL(endings[i].at, 5 * MS);
    CU_ASSERT_EQUAL(endings[i].error, i < 3 ? WSP_OK : WSP_DIAL_FAILED);
    CU_ASSERT_EQUAL(endings[i].status, i < 3 ? 0 : 429);
  }
  CU_ASSERT_STRING_EQUAL(endings[9].text, "dial failed: status=429: too many connections");
  CU_ASSERT_EQUAL(fixture_events(&f, SIM_UPSTREAM_REFUSED, &last), 7);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").max_open, 3);
  fixture_close(&f);
}

static void a_cancelled_acquire_cancels_its_dial(void) {
  static const struct fake_dial_behaviour dials[] = {{.answer = {.outcome = FAKE_BLOCK}}};
  struct fake_spec spec = {.set = FAKE_SET_DIAL, .dials = dials, .dial_count = 1};
  struct ending ending;
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  fixture_open_pool(&f, 8);
  struct wsp_op op = acquire(&f, &ending);
  fixture_run(&f, 70 * MS);
  wsp_op_cancel(op, f.now);
  CU_ASSERT_EQUAL(wsp_pool_pending(f.pool) > 0, true);
  fixture_run(&f, 70 * MS);
  CU_ASSERT_EQUAL(ending.at, 70 * MS);
  CU_ASSERT_EQUAL(ending.error, WSP_CANCELED);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").dials_canceled, 1);
  CU_ASSERT_EQUAL(wsp_pool_pending(f.pool), 0);
  fixture_close(&f);
}

static void a_conn_behaves_as_the_dial_that_opened_it_says(void) {
  static const struct fake_behaviour special[] = {
      {.outcome = FAKE_MESSAGE, .message = "{\"n\":1}"}};
  static const struct wsp_header headers[] = {{"X-Test", "v1"}};
  static const struct fake_dial_behaviour dials[] = {
      {.conn = {.set = FAKE_SET_READ, .read = LIST(special)},
       .headers = headers,
       .header_count = 1},
      {.status = 101}};
  struct fake_spec spec = {.set = FAKE_SET_DIAL, .dials = dials, .dial_count = 2};
  struct ending first, second, read;
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  fixture_open_pool(&f, 8);
  (void)acquire(&f, &first);
  (void)acquire(&f, &second);
  fixture_run(&f, 0);
  CU_ASSERT_STRING_EQUAL(wsp_lease_handshake_header(first.lease, "x-test"), "v1");
  CU_ASSERT_STRING_EQUAL(wsp_lease_handshake_header(second.lease, "x-test"), "");
  (void)io(&f, wsp_lease_read, first.lease, 0, &read);
  fixture_run(&f, 0);
  CU_ASSERT_STRING_EQUAL(read.message, "{\"n\":1}");
  (void)io(&f, wsp_lease_read, second.lease, 0, &read);
  fixture_run(&f, 0);
  CU_ASSERT_STRING_EQUAL(read.message, "{\"type\":\"response.completed\"}");
  fixture_close(&f);
}

static void a_peer_that_speaks_answers_the_read_that_waits(void) {
  struct ending read, next;
  const struct sim_event *last;
  struct fakes_fixture f;
  struct wsp_lease lease = open_lease(&f, FAKE_PRESET_BLOCKING);
  void *conn = wsp_conn_transport(f.pool, FIXTURE_ACCOUNT, wsp_lease_conn_id(lease));
  CU_ASSERT_PTR_NOT_NULL_FATAL(conn);
  (void)io(&f, wsp_lease_read, lease, 0, &read);
  fixture_run(&f, 4 * MS);
  CU_ASSERT_TRUE(fake_peer_message(f.world, conn, f.now, "{\"early\":true}"));
  fixture_run(&f, 6 * MS);
  CU_ASSERT_EQUAL(read.at, 4 * MS);
  CU_ASSERT_STRING_EQUAL(read.message, "{\"early\":true}");
  CU_ASSERT_EQUAL(fake_world_pending(f.world), 0);
  (void)io(&f, wsp_lease_read, lease, 0, &next);
  fixture_run(&f, SECOND);
  CU_ASSERT_EQUAL(next.at, 16 * MS);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").messages, 2);
  CU_ASSERT_EQUAL(fixture_events(&f, SIM_PEER_SPOKE, &last), 1);
  CU_ASSERT_EQUAL(last->values[0], 14);
  fixture_close(&f);
}

static void a_peer_that_closes_ends_what_waits(void) {
  struct ending read, write;
  const struct sim_event *last;
  struct fakes_fixture f;
  struct wsp_lease lease = open_lease(&f, FAKE_PRESET_BLOCKING);
  void *conn = wsp_conn_transport(f.pool, FIXTURE_ACCOUNT, wsp_lease_conn_id(lease));
  (void)io(&f, wsp_lease_read, lease, 0, &read);
  (void)io(&f, wsp_lease_write_json, lease, 0, &write);
  CU_ASSERT_TRUE(fake_peer_close(f.world, conn, f.now, 1012, "restart"));
  fixture_run(&f, SECOND);
  CU_ASSERT_EQUAL(read.at, 0);
  CU_ASSERT_EQUAL(read.error, WSP_CONN_CLOSED);
  CU_ASSERT_EQUAL(write.error, WSP_CONN_CLOSED);
  CU_ASSERT_EQUAL(fixture_events(&f, SIM_PEER_CLOSED, &last), 1);
  CU_ASSERT_EQUAL(last->values[0], 1012);
  CU_ASSERT_EQUAL(last->account, FIXTURE_ACCOUNT);
  CU_ASSERT_STRING_EQUAL(sim_trace_string(f.trace, last->texts[0]), "step");
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").messages, 0);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").open, 0);
  CU_ASSERT_PTR_NULL(wsp_conn_transport(f.pool, FIXTURE_ACCOUNT, "oa_ws_1_1"));
  CU_ASSERT_FALSE(fake_peer_close(f.world, NULL, f.now, 0, NULL));
  fixture_close(&f);
}

static void closed(void *context) {
  struct ending *ending = context;
  ending->at = ending->fixture->now;
}

static void the_pool_is_closed_when_the_upstream_confirms(void) {
  struct fake_spec spec = {.conn = {.set = FAKE_SET_CLOSE, .close = CONSTANT(25 * MS)}};
  struct ending ending;
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_define(&f, "default", &spec);
  fixture_open_pool(&f, 8);
  (void)acquire(&f, &ending);
  fixture_run(&f, 0);
  wsp_lease_release(ending.lease, f.now);
  fixture_run(&f, 10 * MS);
  ending.at = NOT_ENDED;
  wsp_pool_close(f.pool, f.now, closed, &ending);
  fixture_run(&f, SECOND);
  CU_ASSERT_EQUAL(ending.at, 35 * MS);
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").closed, 1);
  CU_ASSERT_EQUAL(fake_world_pending(f.world), 0);
  fixture_close(&f);
}

static void an_adopted_conn_is_lent_and_behaves_as_told(void) {
  struct fake_spec spec = {.has_preset = true, .preset = FAKE_PRESET_PING_FAIL};
  struct ending ending, ping;
  struct wsp_conn name;
  struct fakes_fixture f;
  fixture_open(&f, 1);
  fixture_open_pool(&f, 8);
  void *conn = fake_adopt(f.world, f.now, FIXTURE_URL, &spec, 0, 0);
  struct wsp_adoption adoption = {
      .account = FIXTURE_ACCOUNT, .id = "ready", .url = FIXTURE_URL, .conn = conn};
  CU_ASSERT_EQUAL_FATAL(wsp_adopt(f.pool, f.now, &adoption, &name), WSP_OK);
  fake_adopted(conn, name);
  CU_ASSERT_PTR_EQUAL(wsp_conn_transport(f.pool, FIXTURE_ACCOUNT, "ready"), conn);
  (void)acquire(&f, &ending);
  fixture_run(&f, 0);
  CU_ASSERT_STRING_EQUAL(wsp_lease_conn_id(ending.lease), "ready");
  CU_ASSERT_EQUAL(fixture_counters(&f, "default").dials, 0);
  (void)io(&f, wsp_lease_ping, ending.lease, 0, &ping);
  fixture_run(&f, 0);
  CU_ASSERT_EQUAL(ping.error, WSP_PING_FAILED);
  fixture_close(&f);
}

#define TEST(name) \
  { #name, name }

CU_TestInfo suite_fakes_pool[] = {
    TEST(ok_answers_at_once),
    TEST(blocking_reads_take_ten_milliseconds),
    TEST(write_blocking_ends_a_write_by_its_timeout),
    TEST(ping_fail_says_why),
    TEST(ping_blocking_costs_the_whole_timeout),
    TEST(half_open_takes_everything_and_says_nothing),
    TEST(failing_presets),
    TEST(a_flaky_upstream_says_what_failed),
    TEST(ten_dials_at_once_against_a_limit_of_three),
    TEST(a_cancelled_acquire_cancels_its_dial),
    TEST(a_conn_behaves_as_the_dial_that_opened_it_says),
    TEST(a_peer_that_speaks_answers_the_read_that_waits),
    TEST(a_peer_that_closes_ends_what_waits),
    TEST(the_pool_is_closed_when_the_upstream_confirms),
    TEST(an_adopted_conn_is_lent_and_behaves_as_told),
    CU_TEST_INFO_NULL,
};
