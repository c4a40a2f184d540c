/*
 * test_pool_sweep.c - the background sweeps: pings of idle conns, cleanup of all accounts, and
 * the refill that follows.
 */
#include <stdio.h>

#include "tests/pool_fixture.h"
#include "tests/suites.h"

static struct stub_conn *adopt_for(struct rig *rig, int64_t account, const char *id) {
  struct stub_conn *conn = rig_adopt(rig, "first_name", RIG_URL, 0, 0);
  /* The rig adopts for its own account; here another one is wanted. */
  CU_ASSERT(wsp_evict(rig->pool, rig->now, RIG_ACCOUNT, "first_name"));
  (void)rig_confirm(rig);
  *conn = (struct stub_conn){.written = ""};
  struct wsp_adoption adoption = {.account = account, .id = id, .url = RIG_URL, .conn = conn};
  CU_ASSERT_EQUAL(wsp_adopt(rig->pool, rig->now, &adoption, &conn->name), WSP_OK);
  return conn;
}

static void dead_idle_conn_is_evicted(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct stub_conn *conn = rig_adopt(&rig, "dead_idle", RIG_URL, 0, 0);
  wsp_ping_sweep(rig.pool, 0);
  CU_ASSERT_EQUAL(conn->pings, 1);
  CU_ASSERT_EQUAL(rig_conn(&rig, "dead_idle").state, WSP_CONN_IDLE);
  stub_ping_done(&rig, conn, WSP_PING_FAILED, "ping failed");
  CU_ASSERT_FALSE(rig_has_conn(&rig, "dead_idle"));
  rig_settle(&rig);
  CU_ASSERT_EQUAL(rig_last(&rig, WSP_PING_SWEEP_FINISHED).values[0], 1);
  CU_ASSERT_EQUAL(rig_last(&rig, WSP_PING_SWEEP_FINISHED).values[1], 1);
  rig_close(&rig);
}

static void answered_ping_changes_nothing(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct stub_conn *conn = rig_adopt(&rig, "c", RIG_URL, 5 * SECOND, 5 * SECOND);
  wsp_ping_sweep(rig.pool, 0);
  rig.now = MS;
  stub_ping_done(&rig, conn, WSP_OK, NULL);
  CU_ASSERT_EQUAL(rig_conn(&rig, "c").state, WSP_CONN_IDLE);
  CU_ASSERT_EQUAL(rig_conn(&rig, "c").last_used_at, -5 * SECOND);
  rig_close(&rig);
}

static void silent_conn_is_evicted_at_probe_timeout(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.probe_timeout = 3 * SECOND;
  rig_open(&rig, &config);
  struct stub_conn *conn = rig_adopt(&rig, "c", RIG_URL, 0, 0);
  wsp_ping_sweep(rig.pool, 0);
  rig_run(&rig, 3 * SECOND - 1);
  CU_ASSERT(rig_has_conn(&rig, "c"));
  rig.now = 3 * SECOND;
  stub_ping_done(&rig, conn, WSP_OK, NULL); /* too late by nothing */
  CU_ASSERT_FALSE(rig_has_conn(&rig, "c"));
  rig_close(&rig);
}

static void only_idle_conns_nobody_waits_for(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 2;
  rig_open(&rig, &config);
  rig_dialled(&rig);
  struct stub_conn *idle = rig_idle(&rig);
  CU_ASSERT(wsp_pin(rig.pool, 0, RIG_ACCOUNT, "oa_ws_1_2")); /* a pin is no lease */
  wsp_ping_sweep(rig.pool, 0);
  CU_ASSERT_EQUAL(rig.conns[0]->pings, 0);
  CU_ASSERT_EQUAL(idle->pings, 1);
  wsp_ping_sweep(rig.pool, 0); /* sweeps do not overlap */
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_PING_SWEEP_STARTED), 1);
  wsp_ping_sweep(NULL, 0);
  wsp_cleanup_sweep(NULL, 0);
  rig_close(&rig);
}

static void waited_for_idle_conn_is_passed_over(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 1;
  rig_open(&rig, &config);
  struct stub_conn *conn = rig_idle(&rig);
  CU_ASSERT(wsp_pin(rig.pool, 0, RIG_ACCOUNT, "oa_ws_1_1"));
  struct wsp_acquire_request request = rig_request();
  request.url = RIG_OTHER_URL;
  rig_acquire(&rig, &request); /* counts on the only conn, which it can not use */
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_1").waiters, 1);
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_1").state, WSP_CONN_IDLE);
  wsp_ping_sweep(rig.pool, 0);
  CU_ASSERT_EQUAL(conn->pings, 0);
  rig_close(&rig);
}

static void at_most_so_many_at_a_time(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  char ids[25][16];
  for (int i = 0; i < 25; i++) {
    snprintf(ids[i], sizeof ids[i], "c%d", i);
    rig_adopt(&rig, ids[i], RIG_URL, 0, 0);
  }
  wsp_ping_sweep(rig.pool, 0);
  size_t pinged = 0;
  size_t most = 0;
  for (size_t answered = 0; answered < 25; answered++) {
    size_t in_flight = 0;
    for (size_t i = 0; i < 25; i++) {
      in_flight += rig.conns[i]->pinging;
    }
    most = in_flight > most ? in_flight : most;
    CU_ASSERT(rig.conns[answered]->pinging); /* in the order of their entry */
    stub_ping_done(&rig, rig.conns[answered], WSP_OK, NULL);
    pinged++;
  }
  CU_ASSERT_EQUAL(most, 10);
  CU_ASSERT_EQUAL(pinged, 25);
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_PING_SWEEP_FINISHED), 1);
  rig_close(&rig);
}

static void sweep_goes_by_account_then_entry(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.ping_concurrency = 1;
  rig_open(&rig, &config);
  struct stub_conn *nine = adopt_for(&rig, 9, "nine");
  struct stub_conn *two_first = adopt_for(&rig, 2, "two_first");
  struct stub_conn *two_second = adopt_for(&rig, 2, "two_second");
  wsp_ping_sweep(rig.pool, 0);
  CU_ASSERT(two_first->pinging);
  stub_ping_done(&rig, two_first, WSP_OK, NULL);
  CU_ASSERT(two_second->pinging);
  stub_ping_done(&rig, two_second, WSP_OK, NULL);
  CU_ASSERT(nine->pinging);
  rig_close(&rig);
}

static void conn_lent_before_its_turn_is_passed_over(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.ping_concurrency = 1;
  rig_open(&rig, &config);
  struct stub_conn *first = rig_adopt(&rig, "first", RIG_URL, 0, 0);
  struct stub_conn *second = rig_adopt(&rig, "second", RIG_URL, SECOND, SECOND);
  struct stub_conn *third = rig_adopt(&rig, "third", RIG_URL, 0, 0);
  wsp_ping_sweep(rig.pool, 0);
  CU_ASSERT(first->pinging);
  struct ending *ending = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CHECK_GRANTED(ending, "second", 0);
  stub_ping_done(&rig, first, WSP_OK, NULL);
  CU_ASSERT_EQUAL(second->pings, 0);
  CU_ASSERT(third->pinging);
  rig_close(&rig);
}

static void newcomers_wait_for_the_next_sweep(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.ping_concurrency = 1;
  rig_open(&rig, &config);
  struct stub_conn *first = rig_adopt(&rig, "first", RIG_URL, 0, 0);
  wsp_ping_sweep(rig.pool, 0);
  const struct stub_conn *late = rig_adopt(&rig, "late", RIG_URL, 0, 0);
  stub_ping_done(&rig, first, WSP_OK, NULL);
  CU_ASSERT_EQUAL(late->pings, 0);
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_PING_SWEEP_FINISHED), 1);
  rig_close(&rig);
}

/* Lent while its ping is in flight, and given back before it fails, or not. */
static void conn_lent_during_its_ping_is_not_evicted(void) {
  for (int given_back = 0; given_back < 2; given_back++) {
    struct rig rig;
    rig_open(&rig, NULL);
    struct stub_conn *conn = rig_adopt(&rig, "c", RIG_URL, 0, 0);
    wsp_ping_sweep(rig.pool, 0);
    struct ending *ending = rig_acquire(&rig, NULL);
    rig_settle(&rig);
    CHECK_GRANTED(ending, "c", 0); /* it waits for no ping */
    if (given_back) {
      rig_release(&rig, ending);
    }
    rig.now = MS;
    stub_ping_done(&rig, conn, WSP_PING_FAILED, "lost");
    rig_settle(&rig);
    CU_ASSERT(rig_has_conn(&rig, "c"));
    CU_ASSERT_EQUAL(rig_count(&rig, WSP_PING_SWEEP_FINISHED), 1);
    rig_close(&rig);
  }
}

static void sweeps_come_every_interval(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.ping_interval = 30 * SECOND;
  config.cleanup_interval = 40 * SECOND;
  rig_open(&rig, &config);
  CU_ASSERT_EQUAL(wsp_pool_next_deadline(rig.pool), 30 * SECOND);
  CU_ASSERT_EQUAL(wsp_pool_next_operation_deadline(rig.pool), WSP_TIME_NEVER);
  rig_run(&rig, 30 * SECOND - 1);
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_PING_SWEEP_STARTED), 0);
  rig_run(&rig, 120 * SECOND);
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_PING_SWEEP_STARTED), 4);
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_CLEANUP_SWEEP_STARTED), 3);
  rig.now = 1000 * SECOND; /* the clock jumps: what it swallowed is not made up for */
  rig_settle(&rig);
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_PING_SWEEP_STARTED), 5);
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_CLEANUP_SWEEP_STARTED), 4);
  rig_close(&rig);
}

static void cleanup_needs_no_acquire(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.cleanup_interval = 30 * SECOND;
  config.max_conns_per_account = 2;
  config.max_idle_per_account = 2;
  rig_open(&rig, &config);
  rig_adopt(&rig, "stale_bg", RIG_URL, 7200 * SECOND, 7200 * SECOND);
  rig_run(&rig, 30 * SECOND);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "stale_bg"));
  rig_close(&rig);
}

static void cleanup_uses_the_accounts_own_maximum(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 4;
  config.dynamic_max_conns_by_account_concurrency_enabled = true;
  rig_open(&rig, &config);
  struct wsp_acquire_request request = rig_request();
  request.account.concurrency = 1;
  struct ending *ending = rig_acquire(&rig, &request);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  rig_release(&rig, ending);
  rig_adopt(&rig, "a", RIG_URL, 0, 0);
  rig_adopt(&rig, "b", RIG_URL, 0, 0);
  wsp_cleanup_sweep(rig.pool, 0);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 1, 0, 0, 0); /* ceiling 4, cut to the maximum of 1 */
  rig_close(&rig);
}

static void cleanup_refills(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.min_idle_per_account = 1;
  rig_open(&rig, &config);
  rig_dialled(&rig);
  rig_adopt(&rig, "stale", RIG_URL, 7200 * SECOND, 0);
  struct ending *second = rig_dialled(&rig);
  wsp_lease_mark_broken(second->lease, 0);
  rig_settle(&rig);
  size_t dials = rig.dial_count;
  wsp_cleanup_sweep(rig.pool, 0);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "stale"));
  rig_settle(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, dials); /* one conn, leased: min_idle counts it */
  rig_close(&rig);
}

static void ping_sweep_refills_when_it_has_ended(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.min_idle_per_account = 2;
  rig_open(&rig, &config);
  struct wsp_template given = {.url = RIG_URL};
  wsp_ensure_target_idle(rig.pool, 0, RIG_ACCOUNT, &given);
  (void)stub_dial_ok(&rig, rig.dials[0]);
  (void)stub_dial_ok(&rig, rig.dials[1]);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 2, 2, 0, 0, 0);
  wsp_ping_sweep(rig.pool, 0);
  stub_ping_done(&rig, rig.conns[0], WSP_PING_FAILED, "lost");
  CU_ASSERT_EQUAL(rig.dial_count, 2); /* the sweep is not over */
  stub_ping_done(&rig, rig.conns[1], WSP_OK, NULL);
  CU_ASSERT_EQUAL(rig.dial_count, 3);
  CU_ASSERT(rig_last_dial(&rig)->prewarm);
  (void)stub_dial_ok(&rig, rig.dials[2]);
  rig_settle(&rig);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 2, 2, 0, 0, 0);
  rig_close(&rig);
}

static void refill_is_limited_and_in_account_order(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.min_idle_per_account = 1;
  config.max_conn_age = 10 * SECOND;
  config.ping_concurrency = 2;
  rig_open(&rig, &config);
  struct wsp_template given = {.url = RIG_URL};
  rig.answer_dials = true;
  for (int64_t account = 4; account >= 1; account--) {
    wsp_ensure_target_idle(rig.pool, 0, account, &given);
    rig_settle(&rig);
  }
  rig.answer_dials = false;
  rig.now = 11 * SECOND;
  wsp_cleanup_sweep(rig.pool, rig.now);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 6);
  CU_ASSERT_EQUAL(rig.dials[4]->account, 1);
  CU_ASSERT_EQUAL(rig.dials[5]->account, 2);
  (void)stub_dial_ok(&rig, rig.dials[5]);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 7);
  CU_ASSERT_EQUAL(rig.dials[6]->account, 3);
  stub_dial_failed(&rig, rig.dials[4], 503, "no");
  rig_settle(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 8);
  CU_ASSERT_EQUAL(rig.dials[7]->account, 4);
  rig_close(&rig);
}

CU_TestInfo suite_pool_sweep[] = {
    {"TestOpenAIWSConnPool_BackgroundPingSweep_EvictsDeadIdleConn: a failed ping evicts",
     dead_idle_conn_is_evicted},
    {"an answered ping changes nothing", answered_ping_changes_nothing},
    {"no answer within probe_timeout evicts", silent_conn_is_evicted_at_probe_timeout},
    {"TestOpenAIWSConnPool_SnapshotIdleConnsForPing_SkipsInvalidEntries: only idle conns, and one "
     "sweep at a time",
     only_idle_conns_nobody_waits_for},
    {"an idle conn that somebody waits for is not pinged", waited_for_idle_conn_is_passed_over},
    {"TestOpenAIWSConnPool_RunBackgroundPingSweep_ConcurrencyLimit: 10 of 25 at a time",
     at_most_so_many_at_a_time},
    {"a sweep goes by account, then by entry", sweep_goes_by_account_then_entry},
    {"a conn lent before its turn is passed over", conn_lent_before_its_turn_is_passed_over},
    {"a conn that came after the sweep began is left to the next",
     newcomers_wait_for_the_next_sweep},
    {"a conn lent during its ping is not evicted by it", conn_lent_during_its_ping_is_not_evicted},
    {"TestOpenAIWSConnPool_BackgroundWorkerGuardBranches: sweeps come every interval",
     sweeps_come_every_interval},
    {"TestOpenAIWSConnPool_BackgroundCleanupSweep_WithoutAcquire: stale conns leave",
     cleanup_needs_no_acquire},
    {"TestOpenAIWSConnPool_RunBackgroundCleanupSweep_SkipsInvalidAndUsesAccountCap: its own "
     "maximum",
     cleanup_uses_the_accounts_own_maximum},
    {"a refill counts leased conns", cleanup_refills},
    {"a ping sweep that evicted refills when it has ended", ping_sweep_refills_when_it_has_ended},
    {"refills are limited and go by account", refill_is_limited_and_in_account_order},
    CU_TEST_INFO_NULL,
};
