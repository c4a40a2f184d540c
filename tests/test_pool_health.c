/*
 * test_pool_health.c - the ping of a conn that has been idle for long, before it is lent.
 */
#include "tests/pool_fixture.h"
#include "tests/suites.h"

#define IDLE (90 * SECOND) /* health_check_idle */

static void open_with(struct rig *rig, int64_t max) {
  struct wsp_config config = rig_config();
  config.max_conns_per_account = max;
  rig_open(rig, &config);
}

static void idle_for_less_is_lent_at_once(void) {
  struct rig rig;
  open_with(&rig, 8);
  const struct stub_conn *conn = rig_adopt(&rig, "c", RIG_URL, IDLE, IDLE - 1);
  struct ending *ending = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CHECK_GRANTED(ending, "c", 0);
  CU_ASSERT_EQUAL(conn->pings, 0);
  rig_close(&rig);
}

static void idle_for_exactly_that_long_is_pinged(void) {
  struct rig rig;
  open_with(&rig, 8);
  struct stub_conn *conn = rig_adopt(&rig, "c", RIG_URL, IDLE, IDLE);
  struct ending *ending = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CHECK_PENDING(ending);
  CU_ASSERT_EQUAL(conn->pings, 1);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 0, 0); /* counts as leased */
  rig.now = 30 * MS;
  stub_ping_done(&rig, conn, WSP_OK, NULL);
  rig_settle(&rig);
  CHECK_GRANTED(ending, "c", 30 * MS);
  CU_ASSERT(ending->reused);
  CU_ASSERT_EQUAL(ending->queue_wait, 0);
  CU_ASSERT_EQUAL(rig_last(&rig, WSP_PING_STARTED).cause, WSP_REASON_HEALTH_CHECK);
  rig_close(&rig);
}

static void failure_evicts_and_the_acquire_starts_over(void) {
  struct rig rig;
  open_with(&rig, 8);
  struct stub_conn *dead = rig_adopt(&rig, "dead", RIG_URL, IDLE + 1, IDLE + 1);
  rig_adopt(&rig, "fine", RIG_URL, 0, 0);
  struct ending *ending = rig_acquire(&rig, NULL);
  rig.now = 5 * MS;
  stub_ping_done(&rig, dead, WSP_PING_FAILED, "lost");
  rig_settle(&rig);
  CHECK_GRANTED(ending, "fine", 5 * MS);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "dead"));
  CU_ASSERT(dead->closing);
  CU_ASSERT_EQUAL(rig_last(&rig, WSP_CONN_EVICTED).cause, WSP_REASON_PING_FAILED);
  CU_ASSERT_EQUAL(rig_metrics(&rig).conn_pick_total, 2);
  rig_close(&rig);
}

static void timeout_is_a_failure(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct stub_conn *conn = rig_adopt(&rig, "dead", RIG_URL, IDLE, IDLE);
  struct ending *ending = rig_acquire(&rig, NULL);
  rig_run(&rig, 2 * SECOND - 1);
  CU_ASSERT_EQUAL(rig.dial_count, 0);
  rig.now = 2 * SECOND;
  stub_ping_done(&rig, conn, WSP_OK, NULL); /* at the timeout's instant: too late */
  rig_settle(&rig);
  CHECK_PENDING(ending);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "dead"));
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CHECK_GRANTED(ending, "oa_ws_1_1", 2 * SECOND);
  rig_close(&rig);
}

static void second_failure_dials(void) {
  struct rig rig;
  open_with(&rig, 8);
  struct stub_conn *first = rig_adopt(&rig, "first", RIG_URL, 2 * IDLE, 2 * IDLE);
  struct stub_conn *second = rig_adopt(&rig, "second", RIG_URL, IDLE, IDLE);
  rig_adopt(&rig, "third", RIG_URL, 0, 0); /* fine, but it takes no idle conn any more */
  struct ending *ending = rig_acquire(&rig, NULL);
  stub_ping_done(&rig, first, WSP_PING_FAILED, "lost");
  rig_settle(&rig);
  CU_ASSERT_EQUAL(second->pings, 1);
  stub_ping_done(&rig, second, WSP_PING_FAILED, "lost");
  rig_settle(&rig);
  CHECK_PENDING(ending);
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  CU_ASSERT_EQUAL(rig_conn(&rig, "third").state, WSP_CONN_IDLE);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CHECK_GRANTED(ending, "oa_ws_1_1", 0);
  rig_close(&rig);
}

static void second_failure_without_room_is_the_callers(void) {
  struct rig rig;
  open_with(&rig, 3);
  struct stub_conn *first = rig_adopt(&rig, "first", RIG_URL, 3 * IDLE, 3 * IDLE);
  struct stub_conn *second = rig_adopt(&rig, "second", RIG_URL, 2 * IDLE, 2 * IDLE);
  CU_ASSERT(wsp_pin(rig.pool, 0, RIG_ACCOUNT, "second")); /* or the acquire's cleanup trims it */
  for (int i = 0; i < 4; i++) { /* more than there may be: a failure makes no room */
    static const char *const ids[] = {"a", "b", "c", "d"};
    rig_adopt(&rig, ids[i], RIG_URL, 0, 0);
    CU_ASSERT(wsp_pin(rig.pool, 0, RIG_ACCOUNT, ids[i]));
  }
  struct ending *ending = rig_acquire(&rig, NULL);
  stub_ping_done(&rig, first, WSP_PING_FAILED, "lost");
  rig_settle(&rig);
  rig.now = MS;
  stub_ping_done(&rig, second, WSP_PING_FAILED, "lost");
  rig_settle(&rig);
  CHECK_FAILED(ending, WSP_PING_FAILED, MS);
  CU_ASSERT_EQUAL(rig.dial_count, 0);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 4, 4, 0, 0, 0);
  rig_close(&rig);
}

static void strict_acquire_ends_with_its_conn(void) {
  struct rig rig;
  open_with(&rig, 8);
  struct stub_conn *conn = rig_adopt(&rig, "c", RIG_URL, IDLE, IDLE);
  struct wsp_acquire_request request = rig_request();
  request.preferred_conn = "c";
  request.force_preferred_conn = true;
  struct ending *strict = rig_acquire(&rig, &request);
  stub_ping_done(&rig, conn, WSP_PING_FAILED, "lost");
  rig_settle(&rig);
  CHECK_FAILED(strict, WSP_PREFERRED_UNAVAILABLE, 0);
  rig_close(&rig);
}

static void caller_that_ends_leaves_the_ping(void) {
  for (int fails = 0; fails < 2; fails++) {
    struct rig rig;
    open_with(&rig, 8);
    struct stub_conn *conn = rig_adopt(&rig, "c", RIG_URL, IDLE, IDLE);
    struct ending *ending = rig_acquire(&rig, NULL);
    rig.now = MS;
    rig_cancel(&rig, ending);
    rig_settle(&rig);
    CHECK_FAILED(ending, WSP_CANCELED, MS);
    CU_ASSERT_FALSE(conn->ping_canceled);
    CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 0, 0);
    rig.now = 2 * MS;
    stub_ping_done(&rig, conn, fails ? WSP_PING_FAILED : WSP_OK, NULL);
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig_has_conn(&rig, "c"), !fails);
    CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).idle, !fails);
    if (!fails) { /* free, without having been touched */
      CU_ASSERT_EQUAL(rig_conn(&rig, "c").last_used_at, -IDLE);
    }
    rig_close(&rig);
  }
}

static void deadline_during_the_ping(void) {
  for (int answer_first = 0; answer_first < 2; answer_first++) {
    struct rig rig;
    open_with(&rig, 8);
    struct stub_conn *conn = rig_adopt(&rig, "c", RIG_URL, IDLE, IDLE);
    struct wsp_acquire_request request = rig_request();
    request.deadline = SECOND;
    struct ending *ending = rig_acquire(&rig, &request);
    rig.now = SECOND;
    if (!answer_first) {
      wsp_pool_advance(rig.pool, rig.now);
    }
    stub_ping_done(&rig, conn, WSP_OK, NULL);
    rig_settle(&rig);
    CHECK_FAILED(ending, WSP_DEADLINE_EXCEEDED, SECOND);
    CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 1, 0, 0, 0);
    rig_close(&rig);
  }
}

static void waiter_gets_a_checked_conn(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct stub_conn *conn = rig_adopt(&rig, "c", RIG_URL, IDLE, IDLE);
  struct ending *first = rig_acquire(&rig, NULL);
  struct ending *waiter = rig_acquire(&rig, NULL); /* the conn is being pinged: it queues */
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 1, 0);
  rig.now = MS;
  rig_cancel(&rig, first);
  stub_ping_done(&rig, conn, WSP_OK, NULL);
  /* Free but not touched: idle for long still, so it is pinged again for the waiter. */
  rig_settle(&rig);
  CHECK_PENDING(waiter);
  CU_ASSERT_EQUAL(conn->pings, 2);
  rig.now = 2 * MS;
  stub_ping_done(&rig, conn, WSP_OK, NULL);
  rig_settle(&rig);
  CHECK_GRANTED(waiter, "c", 2 * MS);
  CU_ASSERT_EQUAL(waiter->queue_wait, MS);
  rig_close(&rig);
}

static void failed_ping_comes_before_waiters(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct stub_conn *conn = rig_adopt(&rig, "c", RIG_URL, IDLE, IDLE);
  struct wsp_acquire_request request = rig_request();
  struct ending *first = rig_acquire(&rig, &request);
  struct ending *waiter = rig_acquire(&rig, NULL);
  stub_ping_done(&rig, conn, WSP_PING_FAILED, "lost");
  rig_settle(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 1); /* the room is first's */
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 1, 1);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CHECK_GRANTED(first, "oa_ws_1_1", 0);
  CHECK_PENDING(waiter);
  rig_close(&rig);
}

static void second_asker_shares_the_answer(void) {
  struct rig rig;
  open_with(&rig, 8);
  struct stub_conn *conn = rig_adopt(&rig, "c", RIG_URL, IDLE, IDLE);
  wsp_ping_sweep(rig.pool, 0);
  CU_ASSERT_EQUAL(conn->pings, 1);
  struct ending *ending = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(conn->pings, 1);
  CHECK_PENDING(ending);
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_PING_JOINED), 1);
  rig.now = MS;
  stub_ping_done(&rig, conn, WSP_OK, NULL);
  rig_settle(&rig);
  CHECK_GRANTED(ending, "c", MS);
  rig_close(&rig);
}

/* The sweep's ping is over, and lost with its conn lent: the transport has not confirmed its end
 * when an acquire wants a ping of its own. */
static void ping_behind_a_cancelled_one_has_its_timeout(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 1;
  config.health_check_idle = SECOND;
  rig_open(&rig, &config);
  rig.hold_cancels = true;
  struct stub_conn *conn = rig_adopt(&rig, "c", RIG_URL, 0, 0);
  wsp_ping_sweep(rig.pool, 0);
  struct ending *first = rig_acquire(&rig, NULL);
  rig_run(&rig, 2 * SECOND); /* probe_timeout */
  CU_ASSERT(conn->ping_canceled);
  rig_release(&rig, first);
  rig_run(&rig, 3 * SECOND);
  struct ending *second = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CHECK_PENDING(second);
  CU_ASSERT_EQUAL(conn->pings, 1);
  rig_run(&rig, 5 * SECOND - 1);
  CU_ASSERT(rig_has_conn(&rig, "c"));
  rig_run(&rig, 5 * SECOND); /* health_check_timeout */
  CU_ASSERT_FALSE(rig_has_conn(&rig, "c"));
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CHECK_GRANTED(second, "oa_ws_1_1", 5 * SECOND);
  rig_close(&rig);
}

static void ping_behind_a_cancelled_one_is_sent(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.health_check_idle = SECOND;
  rig_open(&rig, &config);
  rig.hold_cancels = true;
  struct stub_conn *conn = rig_adopt(&rig, "c", RIG_URL, 0, 0);
  wsp_ping_sweep(rig.pool, 0);
  struct ending *first = rig_acquire(&rig, NULL);
  rig_run(&rig, 2 * SECOND);
  rig_release(&rig, first);
  rig_run(&rig, 3 * SECOND);
  struct ending *second = rig_acquire(&rig, NULL);
  rig_run(&rig, 4 * SECOND);
  stub_ping_done(&rig, conn, WSP_OK, NULL); /* the end of the cancelled one: no answer */
  rig_settle(&rig);
  CHECK_PENDING(second);
  CU_ASSERT_EQUAL(conn->pings, 2);
  stub_ping_done(&rig, conn, WSP_OK, NULL);
  rig_settle(&rig);
  CHECK_GRANTED(second, "c", 4 * SECOND);
  rig_close(&rig);
}

static void peer_closes_during_the_ping(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct stub_conn *conn = rig_adopt(&rig, "c", RIG_URL, IDLE, IDLE);
  struct ending *ending = rig_acquire(&rig, NULL);
  rig.now = MS;
  stub_closed(&rig, conn, 1001, "going away");
  rig_settle(&rig);
  CHECK_PENDING(ending);
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 1);
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_PING_FAILED_EVENT), 0);
  rig_close(&rig);
}

static void zero_pings_always(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.health_check_idle = 0;
  rig_open(&rig, &config);
  struct stub_conn *conn = rig_idle(&rig);
  struct ending *ending = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(conn->pings, 1);
  stub_ping_done(&rig, conn, WSP_OK, NULL);
  rig_settle(&rig);
  CHECK_GRANTED(ending, "oa_ws_1_1", 0);
  rig_close(&rig);
}

static void transport_that_can_not_ping(void) {
  struct rig rig;
  open_with(&rig, 1);
  rig_adopt(&rig, "c", RIG_URL, IDLE, IDLE);
  rig.refuse_ping = WSP_OUT_OF_MEMORY;
  struct ending *ending = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CHECK_PENDING(ending);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "c"));
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  rig_close(&rig);
}

static void retired_during_the_ping(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conn_age = 100 * SECOND;
  rig_open(&rig, &config);
  struct stub_conn *conn = rig_adopt(&rig, "c", RIG_URL, 100 * SECOND, IDLE);
  struct ending *ending = rig_acquire(&rig, NULL);
  CU_ASSERT_EQUAL(conn->pings, 1); /* age exactly its limit: not over it */
  rig.now = MS;
  stub_ping_done(&rig, conn, WSP_OK, NULL);
  rig_settle(&rig);
  CHECK_PENDING(ending); /* a retired conn takes no new lease: it dials */
  CU_ASSERT_FALSE(rig_has_conn(&rig, "c"));
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  rig_close(&rig);
}

CU_TestInfo suite_pool_health[] = {
    {"a conn that was idle for a nanosecond less is lent at once", idle_for_less_is_lent_at_once},
    {"TestOpenAIWSConnPool_UtilityBranches: a conn idle for exactly health_check_idle is pinged",
     idle_for_exactly_that_long_is_pinged},
    {"a failed ping evicts the conn and the acquire starts over",
     failure_evicts_and_the_acquire_starts_over},
    {"no answer within health_check_timeout is a failure, also at its instant",
     timeout_is_a_failure},
    {"after a second failure the acquire dials, whatever is idle", second_failure_dials},
    {"a second failure without room is the caller's error",
     second_failure_without_room_is_the_callers},
    {"a strict acquire ends with the conn that failed", strict_acquire_ends_with_its_conn},
    {"the ping goes on when its caller ends, and decides what becomes of the conn",
     caller_that_ends_leaves_the_ping},
    {"a deadline during the ping beats its answer, in either order", deadline_during_the_ping},
    {"a waiter gets a conn that was checked for it too", waiter_gets_a_checked_conn},
    {"the acquire whose ping failed has the room that this makes",
     failed_ping_comes_before_waiters},
    {"a second asker shares the answer", second_asker_shares_the_answer},
    {"a ping that waits for the end of a cancelled one has its timeout all the same",
     ping_behind_a_cancelled_one_has_its_timeout},
    {"a ping that waits for the end of a cancelled one is sent then",
     ping_behind_a_cancelled_one_is_sent},
    {"a peer's close during the ping sends the acquire back", peer_closes_during_the_ping},
    {"health_check_idle 0 pings always", zero_pings_always},
    {"a ping that the transport can not send is a failure", transport_that_can_not_ping},
    {"a conn that retires during its ping is not lent", retired_during_the_ping},
    CU_TEST_INFO_NULL,
};
