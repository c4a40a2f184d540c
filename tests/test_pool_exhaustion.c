/*
 * test_pool_exhaustion.c - memory: none is asked for on the way of an acquire that finds an idle
 * conn, and each allocation may fail.
 *
 * The script below goes through every path that allocates. It runs once for each n with the n-th
 * allocation failing (once, or from then on); whatever that does to its operations, nothing may
 * be lost: counts agree, all bytes come back, and the pool works again.
 */
#include <stdio.h>

#include "tests/pool_fixture.h"
#include "tests/pool_rig.h"
#include "tests/suites.h"

static void idle_acquire_asks_for_no_memory(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.acquire_cleanup_interval = 2 * MS; /* with and without a cleanup on the way */
  rig_open(&rig, &config);
  struct wsp_header header = {"X-Session", "s"};
  struct wsp_acquire_request request = rig_request();
  request.proxy = "http://proxy:1";
  request.headers = &header;
  request.header_count = 1;
  rig_acquire(&rig, &request);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  rig_release(&rig, &rig.endings[0]);
  struct ending *warm = rig_acquire(&rig, &request);
  rig_settle(&rig);
  rig_release(&rig, warm);
  int64_t before = rig.allocator.calls;
  for (int i = 0; i < 20; i++) {
    rig.now += MS;
    struct ending *ending = rig_acquire(&rig, &request);
    wsp_pool_advance(rig.pool, rig.now);
    CU_ASSERT_EQUAL(ending->error, WSP_OK);
    CU_ASSERT_EQUAL(ending->count, 1);
    wsp_lease_release(ending->lease, rig.now);
  }
  CU_ASSERT_EQUAL(rig.allocator.calls, before);
  rig_close(&rig);
}

/* Two urls in turn, a header that is another one each time, the conn named. */
static void varied_acquires_ask_for_no_memory(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 2;
  config.max_idle_per_account = 2;
  rig_open(&rig, &config);
  const char *urls[2] = {"wss://one.example/v1", "wss://two.example/v1"};
  char session[] = "s0";
  struct wsp_header header = {"X-Session", session};
  struct wsp_acquire_request request = rig_request();
  request.headers = &header;
  request.header_count = 1;
  int64_t before = 0;
  for (int i = 0; i < 30; i++) {
    rig.now += MS;
    session[1] = (char)('0' + i % 10);
    request.url = urls[i % 2];
    request.preferred_conn = i < 2 ? NULL : i % 2 == 0 ? "oa_ws_1_1" : "oa_ws_1_2";
    struct ending *ending = rig_acquire(&rig, &request);
    if (i < 2) {
      (void)stub_dial_ok(&rig, rig_last_dial(&rig));
    }
    wsp_pool_advance(rig.pool, rig.now);
    CU_ASSERT_EQUAL(ending->error, WSP_OK);
    CU_ASSERT_EQUAL(ending->reused, i >= 2);
    wsp_lease_release(ending->lease, rig.now);
    if (i == 9) { /* warm */
      before = rig.allocator.calls;
    }
  }
  CU_ASSERT_EQUAL(rig.allocator.calls, before);
  rig_close(&rig);
}

static void try_acquire_asks_for_no_memory(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  rig_idle(&rig);
  struct wsp_acquire_request request = rig_request();
  request.preferred_conn = " oa_ws_1_1 ";
  struct wsp_lease lease;
  CU_ASSERT_EQUAL(wsp_try_acquire(rig.pool, 0, &request, &lease), WSP_OK);
  wsp_lease_release(lease, 0);
  int64_t before = rig.allocator.calls;
  for (int i = 0; i < 20; i++) {
    rig.now += MS;
    request.preferred_conn = i % 2 == 0 ? " oa_ws_1_1 " : NULL;
    CU_ASSERT_EQUAL(wsp_try_acquire(rig.pool, rig.now, &request, &lease), WSP_OK);
    CU_ASSERT_EQUAL(wsp_try_acquire(rig.pool, rig.now, &request, &(struct wsp_lease){NULL, 0, 0}),
                    WSP_WOULD_WAIT);
    wsp_lease_release(lease, rig.now);
  }
  CU_ASSERT_EQUAL(rig.allocator.calls, before);
  rig_close(&rig);
}

/* An acquire that may be refused for want of memory. */
static struct ending *attempt(struct rig *rig, const char *url, const char *preferred, bool force) {
  static const struct wsp_header header = {"X-Session", "s"};
  struct wsp_acquire_request request = rig_request();
  request.url = url;
  request.proxy = "http://proxy:1";
  request.preferred_conn = preferred;
  request.force_new_conn = force;
  request.headers = &header;
  request.header_count = 1;
  struct ending *ending = &rig->endings[rig->ending_count++];
  *ending = (struct ending){.rig = rig};
  enum wsp_error error =
      wsp_acquire(rig->pool, rig->now, &request, rig_acquired, ending, &ending->op);
  CU_ASSERT(error == WSP_OK || error == WSP_OUT_OF_MEMORY);
  if (error != WSP_OK) {
    CU_ASSERT_EQUAL(ending->op.generation, 0);
  }
  return ending;
}

static void attempt_io(struct rig *rig, rig_io_function function, struct wsp_lease lease) {
  enum wsp_error code;
  (void)rig_io_coded(rig, function, &(struct wsp_io_request){.lease = lease, .json = "{}"}, &code);
  CU_ASSERT(code == WSP_OK || code == WSP_OUT_OF_MEMORY || code == WSP_CONN_CLOSED);
}

/* Answers every dial; the first of each call fails. */
static void answer_dials(struct rig *rig, bool first_fails) {
  static const struct wsp_header header = {"X-Answer", "a"};
  for (size_t i = 0; i < rig->dial_count; i++) {
    if (!rig->dials[i]->done && first_fails) {
      stub_dial_failed(rig, rig->dials[i], 503, "busy");
      first_fails = false;
    } else if (!rig->dials[i]->done) {
      (void)stub_dial_ok_with(rig, rig->dials[i], &header, 1);
    }
  }
  rig_settle(rig);
}

static void answer_conns(struct rig *rig, bool fail) {
  for (size_t i = 0; i < rig->conn_count; i++) {
    struct stub_conn *conn = rig->conns[i];
    if (conn->pinging) {
      stub_ping_done(rig, conn, fail ? WSP_PING_FAILED : WSP_OK, "lost");
    }
    if (conn->writing) {
      stub_write_done(rig, conn, fail ? WSP_IO_FAILED : WSP_OK, "reset");
    }
    if (conn->reading) {
      stub_read_done(rig, conn, fail ? WSP_IO_FAILED : WSP_OK, "reset", fail ? NULL : "message");
    }
    if (conn->name.pool != NULL && !conn->closed && !conn->closing && !conn->dropped) {
      stub_message(rig, conn, "spoken");
    }
  }
  rig_settle(rig);
}

static void adopt_some(struct rig *rig) {
  static const struct wsp_header header = {"X-Adopted", "a"};
  for (int i = 0; i < 3; i++) {
    char id[32];
    snprintf(id, sizeof id, "adopted%d", i);
    struct stub_conn *conn = rig_new_conn(rig);
    struct wsp_adoption adoption = {.account = RIG_ACCOUNT + i,
                                    .id = id,
                                    .url = RIG_URL,
                                    .proxy = "http://proxy:1",
                                    .idle = 100 * SECOND,
                                    .age = 100 * SECOND,
                                    .conn = conn,
                                    .headers = &header,
                                    .header_count = 1};
    enum wsp_error error = wsp_adopt(rig->pool, rig->now, &adoption, &conn->name);
    CU_ASSERT(error == WSP_OK || error == WSP_OUT_OF_MEMORY);
    conn->dropped = error != WSP_OK;
  }
}

/* All that allocates: acquires that dial, queue, ping and fail, reads, writes, pings, messages,
 * adopted conns, templates, prewarm, sweeps, clear, close. */
static void run_script(struct rig *rig) {
  struct wsp_template given = {.url = RIG_OTHER_URL, .proxy = "http://proxy:2"};
  wsp_ensure_target_idle(rig->pool, rig->now, RIG_ACCOUNT, &given);
  answer_dials(rig, false);
  struct ending *first = attempt(rig, RIG_URL, NULL, false);
  attempt(rig, RIG_URL, NULL, false);
  attempt(rig, RIG_OTHER_URL, "oa_ws_1_1", false);
  attempt(rig, RIG_URL, "adopted0", true);
  answer_dials(rig, true);
  attempt_io(rig, wsp_lease_read, first->lease);
  attempt_io(rig, wsp_lease_write_json, first->lease);
  attempt_io(rig, wsp_lease_write_json, first->lease);
  attempt_io(rig, wsp_lease_ping, first->lease);
  rig->now += MS;
  answer_conns(rig, false);
  attempt_io(rig, wsp_lease_read, first->lease);
  rig_settle(rig);
  adopt_some(rig);
  struct ending *checked = attempt(rig, RIG_URL, "adopted0", false);
  rig_settle(rig);
  answer_conns(rig, true);
  answer_dials(rig, false);
  attempt_io(rig, wsp_lease_ping, checked->lease);
  wsp_ping_sweep(rig->pool, rig->now);
  answer_conns(rig, true);
  wsp_lease_release(first->lease, rig->now);
  rig->now += 3 * SECOND;
  wsp_cleanup_sweep(rig->pool, rig->now);
  answer_dials(rig, true);
  attempt(rig, RIG_URL, NULL, false);
  wsp_clear_account(rig->pool, rig->now, RIG_ACCOUNT);
  answer_dials(rig, false);
  for (size_t i = 0; i < rig->ending_count; i++) {
    wsp_lease_release(rig->endings[i].lease, rig->now);
  }
  rig_settle(rig);
}

static void check_consistent(struct rig *rig) {
  for (int64_t account = 1; account <= 3; account++) {
    struct wsp_account_stats stats = rig_account(rig, account);
    CU_ASSERT_EQUAL(stats.conns, stats.idle + stats.leased);
    CU_ASSERT_EQUAL(stats.leased, 0);
    CU_ASSERT_EQUAL(stats.waiting, 0);
    CU_ASSERT_EQUAL(stats.creating, 0);
  }
  CU_ASSERT_EQUAL(wsp_pool_pending(rig->pool), 0);
}

/* Ends what the script has left, with memory again, and sees that the pool works. */
static void check_works_again(struct rig *rig) {
  rig->allocator.fail_at = 0;
  rig->answer_dials = true;
  rig->answer_pings = true;
  rig_run(rig, rig->now + 60 * SECOND);
  for (size_t i = 0; i < rig->ending_count; i++) {
    wsp_op_cancel(rig->endings[i].op, rig->now);
    wsp_lease_release(rig->endings[i].lease, rig->now);
  }
  rig_settle(rig);
  for (size_t i = 0; i < rig->ending_count; i++) {
    wsp_lease_release(rig->endings[i].lease, rig->now);
  }
  rig_settle(rig);
  check_consistent(rig);
  struct ending *ending = attempt(rig, RIG_URL, NULL, false);
  rig_settle(rig);
  CU_ASSERT_EQUAL(ending->count, 1);
  CU_ASSERT_EQUAL(ending->error, WSP_OK);
  rig_release(rig, ending);
  rig_settle(rig);
  check_consistent(rig);
}

static bool callback_ran;

static void pool_is_closed(void *context) {
  (void)context;
  callback_ran = true;
}

/* True: the script has used fewer than `fail_at` allocations, so there is nothing left to fail. */
static bool run_with_failure(int64_t fail_at, bool fail_on) {
  struct rig rig;
  rig_open_empty(&rig);
  rig.allocator.fail_at = fail_at;
  rig.allocator.fail_on = fail_on;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 3;
  config.min_idle_per_account = 1;
  struct wsp_environment environment = rig_environment(&rig);
  enum wsp_error error = wsp_pool_create(&config, &environment, 0, &rig.pool);
  if (error != WSP_OK) {
    CU_ASSERT_EQUAL(error, WSP_OUT_OF_MEMORY);
    CU_ASSERT_PTR_NULL(rig.pool);
    CU_ASSERT_EQUAL(rig.allocator.live_bytes, 0);
    return false;
  }
  run_script(&rig);
  bool used_up = fail_at > rig.allocator.calls;
  check_works_again(&rig);
  callback_ran = false;
  error = wsp_pool_close(rig.pool, rig.now, pool_is_closed, NULL);
  CU_ASSERT_EQUAL(error, WSP_OK);
  rig_settle(&rig);
  CU_ASSERT(callback_ran);
  rig_close(&rig);
  return used_up;
}

static void run_all_failures(bool fail_on) {
  int64_t fail_at = 1;
  while (!run_with_failure(fail_at, fail_on)) {
    CU_ASSERT_FATAL(fail_at < 10000);
    fail_at++;
  }
  CU_ASSERT(fail_at > 40); /* the script does allocate */
}

static void each_allocation_may_fail(void) {
  run_all_failures(false);
}

static void memory_may_run_out(void) {
  run_all_failures(true);
}

static void close_without_memory_closes_all_the_same(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct wsp_acquire_request request = rig_request();
  request.canceled = true;
  /* The room that is there is used up by acquires whose end is not delivered. */
  for (int i = 0; i < 100; i++) {
    rig_acquire(&rig, &request);
  }
  rig.allocator.fail_at = rig.allocator.calls + 1;
  rig.allocator.fail_on = true;
  callback_ran = false;
  enum wsp_error error = WSP_OK;
  for (int i = 0; i < 1000 && error == WSP_OK; i++) {
    error = wsp_pool_close(rig.pool, 0, pool_is_closed, NULL);
  }
  CU_ASSERT_EQUAL(error, WSP_OUT_OF_MEMORY);
  struct wsp_adoption adoption = {.account = 1, .id = "x", .url = RIG_URL, .conn = &rig};
  struct wsp_conn name;
  CU_ASSERT_EQUAL(wsp_adopt(rig.pool, 0, &adoption, &name), WSP_POOL_CLOSED);
  rig_settle(&rig);
  rig_close(&rig);
}

CU_TestInfo suite_pool_exhaustion[] = {
    {"an acquire that finds an idle conn asks for no memory", idle_acquire_asks_for_no_memory},
    {"nor does wsp_try_acquire", try_acquire_asks_for_no_memory},
    {"acquires that differ in url, headers and preferred conn ask for no memory either",
     varied_acquires_ask_for_no_memory},
    {"each allocation may fail, and nothing is lost", each_allocation_may_fail},
    {"memory may run out, and come back", memory_may_run_out},
    {"a close without memory closes all the same", close_without_memory_closes_all_the_same},
    CU_TEST_INFO_NULL,
};
