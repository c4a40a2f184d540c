/*
 * test_pool_close.c - closing the pool, clearing an account, evicting by name.
 */
#include "tests/pool_fixture.h"
#include "tests/suites.h"

static int closes_told;

static void closed(void *context) {
  (void)context;
  closes_told++;
}

static void begin_close(struct rig *rig) {
  closes_told = 0;
  CU_ASSERT_EQUAL(wsp_pool_close(rig->pool, rig->now, closed, NULL), WSP_OK);
}

static void empty_pool_closes(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  begin_close(&rig);
  CU_ASSERT_EQUAL(closes_told, 0); /* told by advance */
  rig_settle(&rig);
  CU_ASSERT_EQUAL(closes_told, 1);
  CU_ASSERT_EQUAL(wsp_pool_close(rig.pool, 0, closed, NULL), WSP_OK); /* idempotent */
  CU_ASSERT_EQUAL(wsp_pool_close(rig.pool, 0, NULL, NULL), WSP_OK);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(closes_told, 2);
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_POOL_CLOSED_EVENT), 1);
  CU_ASSERT_EQUAL(wsp_pool_close(NULL, 0, closed, NULL), WSP_POOL_CLOSED);
  CU_ASSERT_EQUAL(wsp_pool_next_deadline(rig.pool), WSP_TIME_NEVER);
  rig_close(&rig);
}

static void only_idle_conns_close(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct ending *leased = rig_dialled(&rig);
  struct stub_conn *idle = rig_idle(&rig);
  begin_close(&rig);
  CU_ASSERT(idle->closing);
  CU_ASSERT_FALSE(rig.conns[0]->closing);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(closes_told, 1); /* a leased conn does not delay it */
  struct ending *write = rig_io(&rig, wsp_lease_write_json, leased->lease, 0);
  stub_write_done(&rig, rig.conns[0], WSP_OK, NULL);
  struct ending *ping = rig_io(&rig, wsp_lease_ping, leased->lease, 0);
  stub_ping_done(&rig, rig.conns[0], WSP_OK, NULL);
  rig_settle(&rig);
  CHECK_ENDED(write, WSP_OK, 0);
  CHECK_ENDED(ping, WSP_OK, 0);
  rig_release(&rig, leased);
  CU_ASSERT(rig.conns[0]->closed);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
  CU_ASSERT_EQUAL(wsp_pool_pending(rig.pool), 0);
  rig_close(&rig);
}

static void all_acquires_end_at_once(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 3;
  rig_open(&rig, &config);
  rig.hold_cancels = true;
  rig.hold_closes = true;
  rig_dialled(&rig);
  rig_adopt(&rig, "c", RIG_URL, 90 * SECOND, 90 * SECOND);
  struct ending *pinging = rig_acquire(&rig, NULL);
  struct ending *dialling = rig_acquire(&rig, NULL);
  struct ending *waiting = rig_acquire(&rig, NULL);
  struct wsp_acquire_request request = rig_request();
  request.preferred_conn = "oa_ws_1_1";
  request.force_preferred_conn = true;
  struct ending *strict = rig_acquire(&rig, &request);
  rig.now = MS;
  rig_settle(&rig);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 2, 0, 2, 2, 1);
  begin_close(&rig);
  struct ending *after = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CHECK_FAILED(pinging, WSP_POOL_CLOSED, MS);
  CHECK_FAILED(dialling, WSP_POOL_CLOSED, MS);
  CHECK_FAILED(waiting, WSP_POOL_CLOSED, MS);
  CU_ASSERT_EQUAL(waiting->queue_wait, MS);
  CHECK_FAILED(strict, WSP_POOL_CLOSED, MS);
  CHECK_FAILED(after, WSP_POOL_CLOSED, MS);
  CHECK_TEXT(after->text, "pool closed");
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 0, 0);
  CU_ASSERT_EQUAL(closes_told, 0); /* the transport has not confirmed */
  const struct stub_conn *conn = stub_dial_ok(&rig, rig_last_dial(&rig));
  CU_ASSERT(conn->dropped);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(closes_told, 0);
  rig.now = 2 * MS;
  stub_closed(&rig, rig.conns[1], 1000, NULL); /* the one that was being pinged */
  rig_settle(&rig);
  CU_ASSERT_EQUAL(closes_told, 1);
  CU_ASSERT_EQUAL(rig_last(&rig, WSP_POOL_CLOSED_EVENT).now, 2 * MS);
  rig_close(&rig);
}

static void prewarm_and_sweeps_stop(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.min_idle_per_account = 3;
  config.ping_interval = 30 * SECOND;
  config.cleanup_interval = 30 * SECOND;
  rig_open(&rig, &config);
  struct wsp_template given = {.url = RIG_URL};
  wsp_ensure_target_idle(rig.pool, 0, RIG_ACCOUNT, &given);
  struct stub_conn *pinged = rig_adopt(&rig, "c", RIG_URL, 0, 0);
  wsp_ping_sweep(rig.pool, 0);
  CU_ASSERT(pinged->pinging);
  begin_close(&rig);
  CU_ASSERT(rig.dials[0]->canceled);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(closes_told, 1);
  rig_run(&rig, 300 * SECOND);
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_PING_SWEEP_STARTED), 1);
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_CLEANUP_SWEEP_STARTED), 0);
  wsp_ensure_target_idle(rig.pool, rig.now, RIG_ACCOUNT, &given);
  wsp_ping_sweep(rig.pool, rig.now);
  wsp_cleanup_sweep(rig.pool, rig.now);
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  struct stub_conn conn;
  struct wsp_adoption adoption = {.account = 1, .id = "x", .url = RIG_URL, .conn = &conn};
  CU_ASSERT_EQUAL(wsp_adopt(rig.pool, rig.now, &adoption, &conn.name), WSP_POOL_CLOSED);
  rig_close(&rig);
}

static void sweep_ping_on_a_leased_conn_is_cancelled(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  rig.hold_cancels = true;
  struct stub_conn *conn = rig_adopt(&rig, "c", RIG_URL, 0, 0);
  wsp_ping_sweep(rig.pool, 0);
  struct ending *leased = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  begin_close(&rig);
  CU_ASSERT(conn->ping_canceled);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(closes_told, 0);
  stub_ping_done(&rig, conn, WSP_CANCELED, NULL);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(closes_told, 1);
  CU_ASSERT(wsp_lease_valid(leased->lease));
  rig_close(&rig);
}

/* A grant that is not delivered when the pool closes is a lease: usable, closed at release. */
static void undelivered_grant_at_close(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct stub_conn *conn = rig_idle(&rig);
  struct ending *granted = rig_acquire(&rig, NULL);
  begin_close(&rig);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(granted->count, 1);
  CU_ASSERT(granted->error == WSP_OK || granted->error == WSP_POOL_CLOSED);
  CU_ASSERT_EQUAL(granted->error == WSP_OK, !conn->closed);
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  wsp_lease_release(granted->lease, 0);
  rig_settle(&rig);
  CU_ASSERT(conn->closed);
  CU_ASSERT_EQUAL(wsp_pool_pending(rig.pool), 0);
  rig_close(&rig);
}

/* ... and when its conn is lost before the delivery, no dial comes of it. */
static void no_dial_after_close(void) {
  for (int how = 0; how < 4; how++) {
    struct rig rig;
    rig_open(&rig, NULL);
    struct stub_conn *conn = rig_idle(&rig);
    struct ending *granted = rig_acquire(&rig, NULL);
    begin_close(&rig);
    switch (how) {
      case 0:
        if (!conn->closing) {
          stub_closed(&rig, conn, 1001, "going away");
        }
        break;
      case 1:
        (void)wsp_evict(rig.pool, 0, RIG_ACCOUNT, "oa_ws_1_1");
        break;
      case 2:
        wsp_clear_account(rig.pool, 0, RIG_ACCOUNT);
        break;
      default:
        rig.now = 7200 * SECOND;
        break;
    }
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig.dial_count, 1);
    CU_ASSERT_EQUAL(granted->count, 1);
    CU_ASSERT_EQUAL(granted->error, how < 3 ? WSP_POOL_CLOSED : granted->error);
    wsp_lease_release(granted->lease, rig.now);
    rig_settle(&rig);
    CU_ASSERT_EQUAL(closes_told, 1);
    CU_ASSERT_EQUAL(wsp_pool_pending(rig.pool), 0);
    CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
    rig_close(&rig);
  }
}

static void clear_closes_everything(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.pool_target_utilization = WSP_DECIMAL_ONE;
  rig_open(&rig, &config);
  struct ending *leased = rig_dialled(&rig);
  rig_idle(&rig);
  CU_ASSERT(wsp_pin(rig.pool, 0, RIG_ACCOUNT, "oa_ws_1_2"));
  struct wsp_acquire_request other = rig_request();
  other.account.id = 2;
  rig_acquire(&rig, &other);
  wsp_clear_account(rig.pool, 0, RIG_ACCOUNT);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
  CHECK_ACCOUNT(&rig, 2, 0, 0, 0, 0, 1);
  CU_ASSERT_FALSE(wsp_lease_valid(leased->lease));
  CU_ASSERT(rig.conns[0]->closing);
  CU_ASSERT(rig.conns[1]->closing);
  wsp_clear_account(rig.pool, 0, RIG_ACCOUNT);
  wsp_clear_account(rig.pool, 0, 999);
  wsp_clear_account(rig.pool, 0, 0);
  wsp_clear_account(NULL, 0, RIG_ACCOUNT);
  rig_settle(&rig);
  rig_close(&rig);
}

static void dial_from_before_clear_starts_over(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 1;
  rig_open(&rig, &config);
  rig.hold_cancels = true;
  struct ending *dialling = rig_acquire(&rig, NULL);
  struct ending *waiting = rig_acquire(&rig, NULL);
  rig.now = MS;
  wsp_clear_account(rig.pool, rig.now, RIG_ACCOUNT);
  CU_ASSERT(rig.dials[0]->canceled);
  CU_ASSERT_EQUAL(rig.dial_count, 2); /* its place is free at once */
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 1, 1);
  const struct stub_conn *old = stub_dial_ok(&rig, rig.dials[0]); /* lands as a success */
  CU_ASSERT(old->dropped);
  rig_settle(&rig);
  CHECK_PENDING(dialling);
  (void)stub_dial_ok(&rig, rig.dials[1]);
  rig_settle(&rig);
  CHECK_GRANTED(dialling, "oa_ws_1_1", MS); /* the dropped one drew no number */
  CHECK_PENDING(waiting);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).prewarm_fails, 0);
  rig_close(&rig);
}

static void dial_timeout_begins_anew_after_clear(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct ending *ending = rig_acquire(&rig, NULL);
  rig_run(&rig, 4 * SECOND);
  wsp_clear_account(rig.pool, rig.now, RIG_ACCOUNT);
  rig_run(&rig, 14 * SECOND - 1);
  CHECK_PENDING(ending);
  rig_run(&rig, 14 * SECOND);
  CHECK_FAILED(ending, WSP_DIAL_FAILED, 14 * SECOND);
  rig_close(&rig);
}

static void prewarm_from_before_clear_is_dropped(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.min_idle_per_account = 2;
  rig_open(&rig, &config);
  rig.hold_cancels = true;
  struct wsp_template given = {.url = RIG_URL};
  wsp_ensure_target_idle(rig.pool, 0, RIG_ACCOUNT, &given);
  wsp_clear_account(rig.pool, 0, RIG_ACCOUNT);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
  const struct stub_conn *conn = stub_dial_ok(&rig, rig.dials[0]);
  rig_settle(&rig);
  CU_ASSERT(conn->dropped);
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
  wsp_ensure_target_idle(rig.pool, 0, RIG_ACCOUNT, &given); /* may run again */
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 2);
  rig_close(&rig);
}

static void waiters_start_over_in_order_after_clear(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 2;
  rig_open(&rig, &config);
  rig_dialled(&rig);
  rig_dialled(&rig);
  struct wsp_acquire_request request = rig_request();
  request.preferred_conn = "oa_ws_1_1";
  request.force_preferred_conn = true;
  struct ending *strict = rig_acquire(&rig, &request);
  struct ending *waiters[3];
  for (int i = 0; i < 3; i++) {
    waiters[i] = rig_acquire(&rig, NULL);
  }
  wsp_clear_account(rig.pool, 0, RIG_ACCOUNT);
  CU_ASSERT_EQUAL(rig.dial_count, 4);
  (void)stub_dial_ok(&rig, rig.dials[3]);
  (void)stub_dial_ok(&rig, rig.dials[2]);
  rig_settle(&rig);
  CHECK_FAILED(strict, WSP_PREFERRED_UNAVAILABLE, 0);
  CHECK_GRANTED(waiters[0], "oa_ws_1_4", 0);
  CHECK_GRANTED(waiters[1], "oa_ws_1_3", 0);
  CHECK_PENDING(waiters[2]);
  CU_ASSERT_EQUAL(rig_metrics(&rig).acquire_queue_wait_total, 4);
  rig_close(&rig);
}

static void evict_closes_by_name(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct ending *leased = rig_dialled(&rig);
  CU_ASSERT_FALSE(wsp_evict(rig.pool, 0, RIG_ACCOUNT, "nobody"));
  CU_ASSERT_FALSE(wsp_evict(rig.pool, 0, 2, "oa_ws_1_1"));
  CU_ASSERT_FALSE(wsp_evict(rig.pool, 0, RIG_ACCOUNT, ""));
  CU_ASSERT_FALSE(wsp_evict(rig.pool, 0, RIG_ACCOUNT, NULL));
  CU_ASSERT_FALSE(wsp_evict(NULL, 0, RIG_ACCOUNT, "oa_ws_1_1"));
  CU_ASSERT(wsp_evict(rig.pool, 0, RIG_ACCOUNT, " oa_ws_1_1 "));
  CU_ASSERT_FALSE(wsp_evict(rig.pool, 0, RIG_ACCOUNT, "oa_ws_1_1"));
  CU_ASSERT_FALSE(wsp_lease_valid(leased->lease));
  CU_ASSERT_EQUAL(rig_last(&rig, WSP_LEASE_LOST).cause, WSP_REASON_EVICTED);
  rig_settle(&rig);
  rig_close(&rig);
}

CU_TestInfo suite_pool_close[] = {
    {"TestOpenAIWSConnPool_Close: an empty pool closes, and again", empty_pool_closes},
    {"TestOpenAIWSConnPool_Close_ClosesOnlyIdleConnections: a leased conn closes at release",
     only_idle_conns_close},
    {"TestOpenAIWSConnPool_Close_WaitsWorkerGroupAndNilStopChannel: all acquires end at once, the "
     "close when all is confirmed",
     all_acquires_end_at_once},
    {"prewarm and sweeps stop", prewarm_and_sweeps_stop},
    {"a sweep's ping on a leased conn is cancelled and confirmed",
     sweep_ping_on_a_leased_conn_is_cancelled},
    {"an undelivered grant at close loses no conn", undelivered_grant_at_close},
    {"no dial comes after close, also of a grant that is lost", no_dial_after_close},
    {"clear closes every conn of the account alone", clear_closes_everything},
    {"an acquire that dialled when its account was cleared starts over",
     dial_from_before_clear_starts_over},
    {"its new dial has a timeout of its own", dial_timeout_begins_anew_after_clear},
    {"a prewarm from before the clear does not come back", prewarm_from_before_clear_is_dropped},
    {"waiters start over in order after a clear", waiters_start_over_in_order_after_clear},
    {"evict closes a conn by name", evict_closes_by_name},
    CU_TEST_INFO_NULL,
};
