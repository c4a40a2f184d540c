/*
 * test_pool_turns.c - whose turn it is where one call sets several things in motion.
 */
#include "tests/pool_fixture.h"
#include "tests/suites.h"

/* A larger maximum serves a waiter of another key, who must not have the conn that try_acquire is
 * about to lend. */
static void larger_maximum_does_not_take_the_conn_to_be_lent(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.dynamic_max_conns_by_account_concurrency_enabled = true;
  rig_open(&rig, &config);
  struct wsp_acquire_request request = rig_request();
  request.account.concurrency = 3;
  struct ending *last = NULL;
  for (int i = 0; i < 3; i++) {
    last = rig_acquire(&rig, &request);
    (void)stub_dial_ok(&rig, rig_last_dial(&rig));
    rig_settle(&rig);
  }
  rig_release(&rig, last);
  struct wsp_acquire_request other = rig_request();
  other.account.concurrency = 1;
  other.url = "wss://other.example/v1";
  struct ending *waiter = rig_acquire(&rig, &other);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(waiter->count, 0);
  CU_ASSERT_EQUAL(rig_account(&rig, 1).idle, 1);
  struct wsp_lease lease;
  CU_ASSERT_EQUAL(wsp_try_acquire(rig.pool, rig.now, &request, &lease), WSP_OK);
  CU_ASSERT_TRUE(wsp_lease_valid(lease));
  CU_ASSERT_EQUAL(rig_account(&rig, 1).leased, 3);
  CU_ASSERT_EQUAL(waiter->count, 0);
  wsp_lease_release(lease, rig.now);
  CU_ASSERT_EQUAL(rig_account(&rig, 1).creating, 1); /* now it makes room for the waiter */
  rig_close(&rig);
}

/* Refuses the dials that prewarm starts, and no others. */
static void refuse_prewarm(void *context, const struct wsp_event *event) {
  struct rig *rig = context;
  if (event->kind == WSP_DIAL_STARTED) {
    rig->refuse_dial = event->cause == WSP_REASON_PREWARM ? WSP_DIAL_FAILED : WSP_OK;
  }
}

static void places_of_a_refused_prewarm_go_to_waiters(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 4;
  config.min_idle_per_account = 4;
  rig_open(&rig, &config);
  struct ending *first = rig_acquire(&rig, NULL);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CU_ASSERT_EQUAL(first->error, WSP_OK);
  CU_ASSERT_EQUAL(rig_account(&rig, 1).creating, 3); /* one is under way */
  struct ending *waiters[2] = {rig_acquire(&rig, NULL), rig_acquire(&rig, NULL)};
  rig_settle(&rig);
  CU_ASSERT_EQUAL(rig_account(&rig, 1).waiting, 2);
  rig.observe = refuse_prewarm;
  rig.observe_context = &rig;
  /* The first failure gives one waiter its place; prewarm's next dial is refused at once, which
   * makes it suppressed: both of its places are free, and the other waiter has one of them. */
  stub_dial_failed(&rig, rig_last_dial(&rig), 503, "busy");
  rig_settle(&rig);
  CU_ASSERT_EQUAL(rig_account(&rig, 1).waiting, 0);
  CU_ASSERT_EQUAL(rig_account(&rig, 1).creating, 2);
  CU_ASSERT_EQUAL(waiters[0]->count + waiters[1]->count, 0);
  rig_close(&rig);
}

/* A read that had its message gives it back when it is cancelled before the delivery: the next
 * read, which is under way already, gets it, and not the message that comes later. */
static void message_given_back_goes_to_the_next_read(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct ending *holder = rig_dialled(&rig);
  struct stub_conn *conn = rig.conns[rig.conn_count - 1];
  stub_message(&rig, conn, "first");
  struct ending *one = rig_io(&rig, wsp_lease_read, holder->lease, 0);
  struct ending *two = rig_io(&rig, wsp_lease_read, holder->lease, 0);
  rig_cancel(&rig, one);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(one->error, WSP_CANCELED);
  CU_ASSERT_EQUAL(two->count, 1);
  CU_ASSERT_STRING_EQUAL(two->message, "first");
  stub_message(&rig, conn, "second");
  struct ending *three = rig_io(&rig, wsp_lease_read, holder->lease, 0);
  rig_settle(&rig);
  CU_ASSERT_STRING_EQUAL(three->message, "second");
  rig_close(&rig);
}

static void advance_to_the_end_of_time_returns(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.ping_interval = WSP_SECOND;
  config.cleanup_interval = WSP_SECOND;
  rig_open(&rig, &config);
  wsp_pool_advance(rig.pool, WSP_TIME_NEVER);
  CU_ASSERT_EQUAL(wsp_pool_next_deadline(rig.pool), WSP_TIME_NEVER);
  rig_close(&rig);
}

static void close_callback(void *context) {
  static int calls;
  *(int *)context = ++calls;
}

static void closes_complete_in_the_order_of_the_calls(void) {
  struct rig rig;
  int places[2] = {0, 0};
  rig_open(&rig, NULL);
  (void)rig_idle(&rig); /* whose close is confirmed after both calls */
  (void)wsp_pool_close(rig.pool, rig.now, close_callback, &places[0]);
  (void)wsp_pool_close(rig.pool, rig.now, close_callback, &places[1]);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(places[1], places[0] + 1);
  rig_close(&rig);
}

CU_TestInfo suite_pool_turns[] = {
    {"a larger maximum does not take the conn that is to be lent",
     larger_maximum_does_not_take_the_conn_to_be_lent},
    {"the places of a prewarm that is refused at once go to waiters",
     places_of_a_refused_prewarm_go_to_waiters},
    {"a message that a cancelled read gives back goes to the next read",
     message_given_back_goes_to_the_next_read},
    {"advance to the end of time returns", advance_to_the_end_of_time_returns},
    {"closes complete in the order of the calls", closes_complete_in_the_order_of_the_calls},
    CU_TEST_INFO_NULL,
};
