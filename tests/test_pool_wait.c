/*
 * test_pool_wait.c - the queue: who is served by what, in which order, and what it is told.
 */
#include <stdio.h>

#include "tests/pool_fixture.h"
#include "tests/suites.h"

static void open_with(struct rig *rig, int64_t max) {
  struct wsp_config config = rig_config();
  config.max_conns_per_account = max;
  config.acquire_cleanup_interval = 3600 * SECOND;
  rig_open(rig, &config);
}

static struct ending *acquire_url(struct rig *rig, const char *url) {
  struct wsp_acquire_request request = rig_request();
  request.url = url;
  return rig_acquire(rig, &request);
}

static struct ending *acquire_until(struct rig *rig, wsp_time deadline) {
  struct wsp_acquire_request request = rig_request();
  request.deadline = deadline;
  return rig_acquire(rig, &request);
}

static void release_serves_the_waiter(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct ending *holder = rig_dialled(&rig);
  rig.now = 10 * MS;
  struct ending *waiter = rig_acquire(&rig, NULL);
  rig_run(&rig, 70 * MS);
  CHECK_PENDING(waiter);
  rig_release(&rig, holder);
  CHECK_GRANTED(waiter, "oa_ws_1_1", 70 * MS);
  CU_ASSERT(waiter->reused);
  CU_ASSERT_EQUAL(waiter->queue_wait, 60 * MS);
  CU_ASSERT_EQUAL(wsp_lease_queue_wait(waiter->lease), 60 * MS);
  struct wsp_metrics metrics = rig_metrics(&rig);
  CU_ASSERT_EQUAL(metrics.acquire_queue_wait_total, 1);
  CU_ASSERT_EQUAL(metrics.acquire_queue_wait_ms_total, 60);
  CU_ASSERT_EQUAL(metrics.conn_pick_total, 2);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 0, 0);
  rig_close(&rig);
}

static void any_conn_serves_a_waiter(void) {
  struct rig rig;
  open_with(&rig, 2);
  rig_dialled(&rig);
  struct ending *second = rig_dialled(&rig);
  struct ending *waiter = rig_acquire(&rig, NULL); /* counts on the first */
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_1").waiters, 1);
  rig_release(&rig, second);
  CHECK_GRANTED(waiter, "oa_ws_1_2", 0);
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_1").waiters, 0);
  rig_close(&rig);
}

static void first_come_first_served(void) {
  struct rig rig;
  open_with(&rig, 2);
  struct ending *first = rig_dialled(&rig);
  struct ending *second = rig_dialled(&rig);
  struct ending *waiters[4];
  for (int i = 0; i < 4; i++) { /* they count on both conns in turn */
    waiters[i] = rig_acquire(&rig, NULL);
  }
  rig_release(&rig, second);
  CHECK_GRANTED(waiters[0], "oa_ws_1_2", 0);
  CHECK_PENDING(waiters[1]);
  rig_release(&rig, first);
  CHECK_GRANTED(waiters[1], "oa_ws_1_1", 0);
  rig_release(&rig, waiters[0]);
  CHECK_GRANTED(waiters[2], "oa_ws_1_2", 0);
  CHECK_PENDING(waiters[3]);
  rig_close(&rig);
}

static void newcomer_does_not_pass(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct ending *holder = rig_dialled(&rig);
  struct ending *waiter = rig_acquire(&rig, NULL);
  wsp_lease_release(holder->lease, rig.now); /* nothing is delivered yet */
  struct ending *newcomer = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CHECK_GRANTED(waiter, "oa_ws_1_1", 0);
  CHECK_PENDING(newcomer);
  struct wsp_acquire_request request = rig_request();
  struct wsp_lease lease;
  rig_release(&rig, waiter);
  CHECK_GRANTED(newcomer, "oa_ws_1_1", 0);
  CU_ASSERT_EQUAL(wsp_try_acquire(rig.pool, rig.now, &request, &lease), WSP_WOULD_WAIT);
  rig_close(&rig);
}

static void mixed_keys_are_served_in_order(void) {
  struct rig rig;
  open_with(&rig, 2);
  struct ending *first = rig_dialled(&rig);
  struct wsp_acquire_request request = rig_request();
  request.url = RIG_OTHER_URL;
  struct ending *other = rig_acquire(&rig, &request);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  struct ending *a = acquire_url(&rig, RIG_URL);
  struct ending *b = acquire_url(&rig, RIG_OTHER_URL);
  struct ending *c = acquire_url(&rig, RIG_URL);
  struct ending *d = acquire_url(&rig, RIG_OTHER_URL);
  rig_release(&rig, other);
  CHECK_GRANTED(b, "oa_ws_1_2", 0); /* the first that this conn can serve */
  CHECK_PENDING(a);
  rig_release(&rig, first);
  CHECK_GRANTED(a, "oa_ws_1_1", 0);
  CHECK_PENDING(c);
  rig_release(&rig, a);
  CHECK_GRANTED(c, "oa_ws_1_1", 0);
  rig_release(&rig, c);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "oa_ws_1_1")); /* no waiter can use it: it makes room */
  CU_ASSERT_EQUAL(rig.dial_count, 3);
  CHECK_TEXT(rig_last_dial(&rig)->url, RIG_OTHER_URL);
  CHECK_PENDING(d);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 0, 1);
  rig_release(&rig, b); /* d waits for its dial alone from now on */
  CHECK_PENDING(d);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CHECK_GRANTED(d, "oa_ws_1_3", 0);
  CU_ASSERT_FALSE(d->reused);
  rig_close(&rig);
}

static void useless_conn_is_not_evicted_for_a_strict_waiter(void) {
  struct rig rig;
  open_with(&rig, 2);
  rig_dialled(&rig);
  struct wsp_acquire_request request = rig_request();
  request.url = RIG_OTHER_URL;
  struct ending *other = rig_acquire(&rig, &request);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  request = rig_request();
  request.preferred_conn = "oa_ws_1_1";
  request.force_preferred_conn = true;
  struct ending *strict = rig_acquire(&rig, &request);
  rig_settle(&rig);
  rig_release(&rig, other);
  CHECK_PENDING(strict);
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_2").state, WSP_CONN_IDLE);
  rig_close(&rig);
}

static void unpinned_conn_makes_room(void) {
  struct rig rig;
  open_with(&rig, 1);
  rig_idle(&rig);
  CU_ASSERT(wsp_pin(rig.pool, rig.now, RIG_ACCOUNT, "oa_ws_1_1"));
  struct ending *waiter = acquire_url(&rig, RIG_OTHER_URL);
  rig_settle(&rig);
  CHECK_PENDING(waiter);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 1, 0, 1, 0);
  wsp_unpin(rig.pool, rig.now, RIG_ACCOUNT, "oa_ws_1_1");
  CU_ASSERT_FALSE(rig_has_conn(&rig, "oa_ws_1_1"));
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 1);
  rig_close(&rig);
}

/* Over the maximum by one, and all are idle and of no use: both go, for there is nobody else who
 * could end the wait. */
static void useless_conns_of_an_overfull_account_make_room(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct ending *holder = rig_dialled(&rig);
  rig_adopt(&rig, "adopted", RIG_OTHER_URL, 0, 0);
  struct wsp_acquire_request request = rig_request();
  request.proxy = "http://proxy:1";
  struct ending *waiter = rig_acquire(&rig, &request);
  rig_settle(&rig);
  CHECK_PENDING(waiter);
  rig_release(&rig, holder);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 1);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  CU_ASSERT_EQUAL(rig_metrics(&rig).scale_down_total, 2);
  rig_close(&rig);
}

static void closed_conn_sends_waiters_back_in_order(void) {
  struct rig rig;
  open_with(&rig, 2);
  struct ending *first = rig_dialled(&rig);
  struct ending *second = rig_dialled(&rig);
  struct ending *a = rig_acquire(&rig, NULL); /* on the first */
  struct ending *b = rig_acquire(&rig, NULL); /* on the second */
  struct ending *c = rig_acquire(&rig, NULL); /* on the first */
  rig.now = 3 * MS;
  wsp_lease_mark_broken(first->lease, rig.now); /* room for one: a's */
  CU_ASSERT_EQUAL(rig.dial_count, 3);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 2, 1);
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_2").waiters, 2);
  rig.now = 5 * MS;
  rig_release(&rig, second);
  CHECK_GRANTED(b, "oa_ws_1_2", 5 * MS);
  CHECK_PENDING(c);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CHECK_GRANTED(a, "oa_ws_1_3", 5 * MS);
  CU_ASSERT_EQUAL(a->queue_wait, 3 * MS); /* the wait ended when the dial began */
  rig_release(&rig, b);
  CHECK_GRANTED(c, "oa_ws_1_2", 5 * MS);
  CU_ASSERT_EQUAL(c->queue_wait, 5 * MS); /* over re-queues */
  CU_ASSERT_EQUAL(rig_metrics(&rig).acquire_queue_wait_total, 3);
  rig_close(&rig);
}

static void limits_are_checked_on_entry_only(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 2;
  config.queue_limit_per_conn = 1;
  rig_open(&rig, &config);
  struct ending *first = rig_dialled(&rig);
  struct ending *second = rig_dialled(&rig);
  struct ending *a = rig_acquire(&rig, NULL);
  struct ending *b = rig_acquire(&rig, NULL);
  wsp_lease_mark_broken(second->lease, rig.now); /* a dials */
  wsp_lease_mark_broken(first->lease, rig.now);  /* b dials */
  struct ending *c = rig_acquire(&rig, NULL);
  struct ending *d = rig_acquire(&rig, NULL);
  (void)stub_dial_ok(&rig, rig.dials[2]);
  (void)stub_dial_ok(&rig, rig.dials[3]);
  rig_settle(&rig);
  CHECK_GRANTED(a, "oa_ws_1_3", 0);
  CHECK_GRANTED(b, "oa_ws_1_4", 0);
  CHECK_PENDING(c); /* waits without a conn; stays so, and is served by the first that is free */
  CHECK_PENDING(d);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 2, 0, 2, 2, 0);
  rig_release(&rig, b);
  CHECK_GRANTED(c, "oa_ws_1_4", 0);
  rig_close(&rig);
}

static void waiter_without_a_conn_gets_room_of_a_failed_dial(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct ending *dialler = rig_acquire(&rig, NULL);
  struct ending *waiter = rig_acquire(&rig, NULL);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 1, 1);
  rig.now = 4 * MS;
  stub_dial_failed(&rig, rig.dials[0], 503, "busy");
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 1);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  rig_settle(&rig);
  CHECK_FAILED(dialler, WSP_DIAL_FAILED, 4 * MS);
  CHECK_PENDING(waiter);
  (void)stub_dial_ok(&rig, rig.dials[1]);
  rig_settle(&rig);
  CHECK_GRANTED(waiter, "oa_ws_1_1", 4 * MS);
  CU_ASSERT_EQUAL(waiter->queue_wait, 4 * MS);
  CU_ASSERT_FALSE(waiter->reused);
  rig_close(&rig);
}

static void waiter_without_a_conn_is_served_by_a_release(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct ending *dialler = rig_acquire(&rig, NULL);
  struct ending *waiter = rig_acquire(&rig, NULL);
  (void)stub_dial_ok(&rig, rig.dials[0]);
  rig_settle(&rig);
  CHECK_GRANTED(dialler, "oa_ws_1_1", 0); /* its dialler has it first */
  CHECK_PENDING(waiter);
  rig_release(&rig, dialler);
  CHECK_GRANTED(waiter, "oa_ws_1_1", 0);
  rig_close(&rig);
}

static void strict_waiters_end_with_their_conn(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct ending *holder = rig_dialled(&rig);
  struct wsp_acquire_request request = rig_request();
  request.preferred_conn = "oa_ws_1_1";
  request.force_preferred_conn = true;
  struct ending *strict = rig_acquire(&rig, &request);
  struct ending *plain = rig_acquire(&rig, NULL);
  rig.now = 2 * MS;
  stub_closed(&rig, rig.conns[0], 1001, "going away");
  rig_settle(&rig);
  CHECK_FAILED(strict, WSP_PREFERRED_UNAVAILABLE, 2 * MS);
  CU_ASSERT_EQUAL(strict->queue_wait, 2 * MS);
  CHECK_PENDING(plain);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  CU_ASSERT_FALSE(wsp_lease_valid(holder->lease));
  rig_close(&rig);
}

static void strict_and_plain_waiters_share_one_order(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct ending *holder = rig_dialled(&rig);
  struct wsp_acquire_request request = rig_request();
  request.preferred_conn = "oa_ws_1_1";
  request.force_preferred_conn = true;
  struct ending *plain = rig_acquire(&rig, NULL);
  struct ending *strict = rig_acquire(&rig, &request);
  struct ending *last = rig_acquire(&rig, NULL);
  rig_release(&rig, holder);
  CHECK_GRANTED(plain, "oa_ws_1_1", 0);
  rig_release(&rig, plain);
  CHECK_GRANTED(strict, "oa_ws_1_1", 0);
  rig_release(&rig, strict);
  CHECK_GRANTED(last, "oa_ws_1_1", 0);
  rig_close(&rig);
}

static void waits_that_end_badly_count_too(void) {
  struct rig rig;
  open_with(&rig, 1);
  rig_dialled(&rig);
  struct ending *late = acquire_until(&rig, 1500 * WSP_MICROSECOND);
  struct ending *canceled = rig_acquire(&rig, NULL);
  rig.now = 700 * WSP_MICROSECOND;
  rig_cancel(&rig, canceled);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 1, 0);
  rig_run(&rig, 2 * MS);
  CHECK_FAILED(canceled, WSP_CANCELED, 700 * WSP_MICROSECOND);
  CU_ASSERT_EQUAL(canceled->queue_wait, 700 * WSP_MICROSECOND);
  CHECK_FAILED(late, WSP_DEADLINE_EXCEEDED, 1500 * WSP_MICROSECOND);
  CU_ASSERT_EQUAL(late->queue_wait, 1500 * WSP_MICROSECOND);
  struct wsp_metrics metrics = rig_metrics(&rig);
  CU_ASSERT_EQUAL(metrics.acquire_queue_wait_total, 2);
  CU_ASSERT_EQUAL(metrics.acquire_queue_wait_ms_total, 2); /* 2.2 ms in all, floored when read */
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 0, 0);
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_1").waiters, 0);
  rig_close(&rig);
}

static void grown_maximum_serves_waiters(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.mode_router_v2_enabled = true;
  rig_open(&rig, &config);
  struct wsp_acquire_request request = rig_request();
  request.account.concurrency = 1;
  rig_acquire(&rig, &request);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  struct ending *waiter = rig_acquire(&rig, &request);
  rig_settle(&rig);
  CHECK_PENDING(waiter);
  request.account.concurrency = 2;
  struct ending *newcomer = rig_acquire(&rig, &request); /* the room is the waiter's */
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CHECK_GRANTED(waiter, "oa_ws_1_2", 0);
  CHECK_PENDING(newcomer);
  rig_close(&rig);
}

/* The maximum shrinks to nothing while an acquire waits. */
static void account_that_is_shut_off(void) {
  for (int cleared = 0; cleared < 2; cleared++) {
    struct rig rig;
    struct wsp_config config = rig_config();
    config.mode_router_v2_enabled = true;
    rig_open(&rig, &config);
    struct wsp_acquire_request request = rig_request();
    request.account.concurrency = 1;
    struct ending *holder = rig_acquire(&rig, &request);
    (void)stub_dial_ok(&rig, rig_last_dial(&rig));
    struct ending *waiter = rig_acquire(&rig, &request);
    request.account.concurrency = 0;
    struct ending *last = rig_acquire(&rig, &request);
    rig_settle(&rig);
    CHECK_FAILED(last, WSP_QUEUE_FULL, 0);
    CHECK_PENDING(waiter);
    rig.now = MS;
    if (cleared) {
      wsp_clear_account(rig.pool, rig.now, RIG_ACCOUNT);
    } else {
      wsp_lease_mark_broken(holder->lease, rig.now);
    }
    rig_settle(&rig);
    CHECK_FAILED(waiter, WSP_QUEUE_FULL, MS);
    CU_ASSERT_EQUAL(rig.dial_count, 1);
    rig_close(&rig);
  }
}

CU_TestInfo suite_pool_wait[] = {
    {"TestOpenAIWSConnPool_AcquireQueueWaitMetrics: a release serves the waiter, which is told how "
     "long it was",
     release_serves_the_waiter},
    {"a waiter is served by any conn of its key", any_conn_serves_a_waiter},
    {"waiters are served in the order of their coming", first_come_first_served},
    {"a newcomer does not pass a waiter, not even at the instant of a release",
     newcomer_does_not_pass},
    {"over mixed keys a conn serves the first waiter that can use it, and makes room for the rest",
     mixed_keys_are_served_in_order},
    {"a conn that nobody can use stays when only strict waiters are left",
     useless_conn_is_not_evicted_for_a_strict_waiter},
    {"a conn that is unpinned makes room for a waiter", unpinned_conn_makes_room},
    {"idle conns that nobody can use make room also in an account over its maximum",
     useless_conns_of_an_overfull_account_make_room},
    {"a conn that closes sends its waiters back, in their order",
     closed_conn_sends_waiters_back_in_order},
    {"queue limits are checked on entry only", limits_are_checked_on_entry_only},
    {"a waiter without a conn dials in the room of a failed dial",
     waiter_without_a_conn_gets_room_of_a_failed_dial},
    {"a waiter without a conn is served by a release",
     waiter_without_a_conn_is_served_by_a_release},
    {"strict waiters end with their conn", strict_waiters_end_with_their_conn},
    {"strict and other waiters of a conn share one order",
     strict_and_plain_waiters_share_one_order},
    {"waits that end in a cancel or a deadline count too", waits_that_end_badly_count_too},
    {"room of a maximum that grows is the waiters'", grown_maximum_serves_waiters},
    {"an account that is shut off refuses its waiters with queue_full", account_that_is_shut_off},
    CU_TEST_INFO_NULL,
};
