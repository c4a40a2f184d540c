/*
 * test_pool_connecting.c - max_connecting: how many dials of an account really run at once.
 */
#include "tests/pool_fixture.h"
#include "tests/suites.h"

static void open_with(struct rig *rig, int64_t max, int64_t max_connecting) {
  struct wsp_config config = rig_config();
  config.max_conns_per_account = max;
  config.max_connecting = max_connecting;
  rig_open(rig, &config);
}

static void more_wait_in_order(void) {
  struct rig rig;
  open_with(&rig, 4, 1);
  struct ending *a = rig_acquire(&rig, NULL);
  struct ending *b = rig_acquire(&rig, NULL);
  struct ending *c = rig_acquire(&rig, NULL);
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 2, 3); /* they have their places */
  rig.now = MS;
  stub_dial_failed(&rig, rig.dials[0], 503, "no");
  rig_settle(&rig);
  CHECK_FAILED(a, WSP_DIAL_FAILED, MS);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  (void)stub_dial_ok(&rig, rig.dials[1]);
  rig_settle(&rig);
  CHECK_GRANTED(b, "oa_ws_1_1", MS);
  CU_ASSERT_EQUAL(b->queue_wait, MS);
  CU_ASSERT_FALSE(b->reused);
  CU_ASSERT_EQUAL(rig.dial_count, 3);
  CHECK_PENDING(c);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 0, 1);
  rig_close(&rig);
}

static void free_conn_serves_them_too(void) {
  struct rig rig;
  open_with(&rig, 4, 1);
  struct ending *holder = rig_dialled(&rig);
  rig_acquire(&rig, NULL);
  struct ending *waiter = rig_acquire(&rig, NULL);
  rig_release(&rig, holder);
  CHECK_GRANTED(waiter, "oa_ws_1_1", 0);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 0, 1); /* its place is free again */
  rig_close(&rig);
}

static void forced_waits_for_its_dial_alone(void) {
  struct rig rig;
  open_with(&rig, 4, 1);
  struct ending *holder = rig_dialled(&rig);
  rig_acquire(&rig, NULL);
  struct wsp_acquire_request request = rig_request();
  request.force_new_conn = true;
  struct ending *forced = rig_acquire(&rig, &request);
  rig_release(&rig, holder);
  CHECK_PENDING(forced);
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_1").state, WSP_CONN_IDLE);
  stub_dial_failed(&rig, rig_last_dial(&rig), 503, "no");
  CU_ASSERT_EQUAL(rig.dial_count, 3);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CHECK_GRANTED(forced, "oa_ws_1_2", 0);
  rig_close(&rig);
}

static void canceled_dial_counts_until_it_is_confirmed(void) {
  struct rig rig;
  open_with(&rig, 4, 1);
  rig.hold_cancels = true;
  struct ending *a = rig_acquire(&rig, NULL);
  rig_acquire(&rig, NULL);
  rig_cancel(&rig, a);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 1); /* really started, and not finished */
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 1, 1);
  stub_dial_error(&rig, rig.dials[0], WSP_CANCELED);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 1);
  rig_close(&rig);
}

static void a_place_does_not_exceed_the_maximum(void) {
  struct rig rig;
  open_with(&rig, 2, 1);
  for (int i = 0; i < 4; i++) {
    rig_acquire(&rig, NULL);
  }
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 3, 2);
  rig_close(&rig);
}

static void waiter_with_a_place_that_ends_gives_it_back(void) {
  struct rig rig;
  open_with(&rig, 2, 1);
  struct ending *endings[3];
  for (int i = 0; i < 3; i++) {
    endings[i] = rig_acquire(&rig, NULL);
  }
  rig_cancel(&rig, endings[1]);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 1, 2); /* the third has it now */
  rig_cancel(&rig, endings[2]);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 1);
  rig_close(&rig);
}

static void prewarm_counts_and_comes_after_waiters(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.min_idle_per_account = 3;
  config.max_connecting = 1;
  rig_open(&rig, &config);
  struct wsp_template given = {.url = RIG_URL};
  wsp_ensure_target_idle(rig.pool, 0, RIG_ACCOUNT, &given);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 3);
  struct wsp_acquire_request request = rig_request();
  request.force_new_conn = true;
  struct ending *forced = rig_acquire(&rig, &request);
  CU_ASSERT_EQUAL(rig.dial_count, 1); /* prewarm is included in the limit */
  (void)stub_dial_ok(&rig, rig.dials[0]);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  CU_ASSERT_FALSE(rig.dials[1]->prewarm); /* the acquire goes before the rest of the prewarm */
  (void)stub_dial_ok(&rig, rig.dials[1]);
  CU_ASSERT_EQUAL(rig.dial_count, 3);
  CU_ASSERT(rig.dials[2]->prewarm);
  rig_settle(&rig);
  CHECK_GRANTED(forced, "oa_ws_1_2", 0);
  rig_close(&rig);
}

static void accounts_have_limits_of_their_own(void) {
  struct rig rig;
  open_with(&rig, 4, 1);
  rig_acquire(&rig, NULL);
  struct wsp_acquire_request request = rig_request();
  request.account.id = 2;
  rig_acquire(&rig, &request);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  rig_close(&rig);
}

static void two_failed_pings_wait_for_the_dial_alone(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_connecting = 1;
  config.health_check_idle = SECOND;
  rig_open(&rig, &config);
  struct stub_conn *first = rig_adopt(&rig, "first", RIG_URL, 3 * SECOND, 3 * SECOND);
  struct stub_conn *second = rig_adopt(&rig, "second", RIG_URL, 2 * SECOND, 2 * SECOND);
  struct wsp_acquire_request request = rig_request();
  request.url = RIG_OTHER_URL;
  rig_acquire(&rig, &request); /* dials, so that the next one has to wait for its turn */
  struct ending *ending = rig_acquire(&rig, NULL);
  stub_ping_done(&rig, first, WSP_PING_FAILED, "lost");
  stub_ping_done(&rig, second, WSP_PING_FAILED, "lost");
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 1, 2);
  rig_adopt(&rig, "third", RIG_URL, 0, 0);
  rig_settle(&rig);
  CHECK_PENDING(ending); /* it takes no idle conn any more */
  CU_ASSERT_EQUAL(rig_conn(&rig, "third").state, WSP_CONN_IDLE);
  stub_dial_failed(&rig, rig.dials[0], 503, "no");
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  (void)stub_dial_ok(&rig, rig.dials[1]);
  rig_settle(&rig);
  CHECK_GRANTED(ending, "oa_ws_1_1", 0);
  rig_close(&rig);
}

static void deadline_of_one_does_not_upset_the_order(void) {
  struct rig rig;
  open_with(&rig, 3, 1);
  rig_acquire(&rig, NULL);
  struct wsp_acquire_request request = rig_request();
  request.deadline = MS;
  struct ending *late = rig_acquire(&rig, &request);
  struct ending *placed = rig_acquire(&rig, NULL);
  struct ending *unplaced = rig_acquire(&rig, NULL);
  rig.now = 2 * MS; /* advance is late: the deadline is found when the dial ends */
  stub_dial_failed(&rig, rig.dials[0], 503, "no");
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  (void)stub_dial_ok(&rig, rig.dials[1]);
  rig_settle(&rig);
  CHECK_FAILED(late, WSP_DEADLINE_EXCEEDED, 2 * MS);
  CHECK_GRANTED(placed, "oa_ws_1_1", 2 * MS);
  CHECK_PENDING(unplaced);
  rig_close(&rig);
}

CU_TestInfo suite_pool_connecting[] = {
    {"more acquires wait for their dial, in order", more_wait_in_order},
    {"a conn that becomes free serves them too", free_conn_serves_them_too},
    {"a forced new conn waits for its dial alone", forced_waits_for_its_dial_alone},
    {"a cancelled dial counts until the transport has confirmed it",
     canceled_dial_counts_until_it_is_confirmed},
    {"places do not exceed the maximum", a_place_does_not_exceed_the_maximum},
    {"a waiter that ends gives its place back", waiter_with_a_place_that_ends_gives_it_back},
    {"prewarm dials count, and come after waiters", prewarm_counts_and_comes_after_waiters},
    {"each account has its own limit", accounts_have_limits_of_their_own},
    {"after two failed pings an acquire waits for its dial alone",
     two_failed_pings_wait_for_the_dial_alone},
    {"a waiter past its deadline does not upset the order",
     deadline_of_one_does_not_upset_the_order},
    CU_TEST_INFO_NULL,
};
