/*
 * test_pool_preferred.c - acquires that name a conn, and room made by eviction.
 */
#include "tests/pool_fixture.h"
#include "tests/suites.h"

static struct wsp_acquire_request naming(const char *id, bool force) {
  struct wsp_acquire_request request = rig_request();
  request.preferred_conn = id;
  request.force_preferred_conn = force;
  return request;
}

static void open_with(struct rig *rig, int64_t max, int64_t queue_limit) {
  struct wsp_config config = rig_config();
  config.max_conns_per_account = max;
  config.queue_limit_per_conn = queue_limit;
  rig_open(rig, &config);
}

static void forced_and_unknown_is_unavailable(void) {
  struct rig rig;
  open_with(&rig, 2, 256);
  rig_adopt(&rig, "other_conn", RIG_URL, 0, 0);
  struct wsp_acquire_request request = naming(NULL, true);
  struct ending *none = rig_acquire(&rig, &request);
  request = naming("  ", true);
  struct ending *blank = rig_acquire(&rig, &request);
  request = naming("missing_conn", true);
  struct ending *missing = rig_acquire(&rig, &request);
  rig_adopt(&rig, "elsewhere", RIG_OTHER_URL, 0, 0);
  request = naming("elsewhere", true);
  struct ending *other_key = rig_acquire(&rig, &request);
  rig_settle(&rig);
  CHECK_FAILED(none, WSP_PREFERRED_UNAVAILABLE, 0);
  CHECK_TEXT(none->text, "preferred connection unavailable");
  CHECK_FAILED(blank, WSP_PREFERRED_UNAVAILABLE, 0);
  CHECK_FAILED(missing, WSP_PREFERRED_UNAVAILABLE, 0);
  CHECK_FAILED(other_key, WSP_PREFERRED_UNAVAILABLE, 0);
  CU_ASSERT_EQUAL(rig.dial_count, 0);
  rig_close(&rig);
}

static void forced_queues_on_its_conn_alone(void) {
  struct rig rig;
  open_with(&rig, 2, 4);
  rig_adopt(&rig, "preferred_conn", RIG_URL, 0, 0);
  struct ending *holder = rig_acquire(&rig, NULL);
  rig_adopt(&rig, "other_conn_idle", RIG_URL, 0, 0);
  rig_settle(&rig);
  CHECK_GRANTED(holder, "preferred_conn", 0);
  struct wsp_acquire_request request = naming(" preferred_conn ", true);
  request.deadline = SECOND;
  struct ending *strict = rig_acquire(&rig, &request);
  rig_run(&rig, 60 * MS);
  CHECK_PENDING(strict);
  CU_ASSERT_EQUAL(rig_conn(&rig, "other_conn_idle").state, WSP_CONN_IDLE);
  rig_release(&rig, holder);
  CHECK_GRANTED(strict, "preferred_conn", 60 * MS);
  CU_ASSERT_EQUAL(strict->queue_wait, 60 * MS);
  CU_ASSERT(strict->reused);
  rig_close(&rig);
}

static void forced_is_taken_or_full(void) {
  struct rig rig;
  open_with(&rig, 2, 1);
  rig_adopt(&rig, "other_conn_direct", RIG_URL, 5 * SECOND, 5 * SECOND);
  rig_adopt(&rig, "preferred_conn_direct", RIG_URL, 0, 0);
  struct wsp_acquire_request request = naming("preferred_conn_direct", true);
  struct ending *direct = rig_acquire(&rig, &request);
  rig_settle(&rig);
  CHECK_GRANTED(direct, "preferred_conn_direct", 0);
  struct ending *waiting = rig_acquire(&rig, &request);
  struct ending *full = rig_acquire(&rig, &request);
  rig_settle(&rig);
  CHECK_PENDING(waiting);
  CHECK_FAILED(full, WSP_QUEUE_FULL, 0);
  CU_ASSERT_EQUAL(rig_conn(&rig, "other_conn_direct").state, WSP_CONN_IDLE);
  rig_close(&rig);
}

static void forced_waiter_does_not_use_room(void) {
  struct rig rig;
  open_with(&rig, 2, 4);
  struct ending *holder = rig_dialled(&rig);
  struct wsp_acquire_request request = naming("oa_ws_1_1", true);
  struct ending *strict = rig_acquire(&rig, &request); /* there is room for another conn */
  rig_settle(&rig);
  CHECK_PENDING(strict);
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  wsp_lease_mark_broken(holder->lease, rig.now);
  rig_settle(&rig);
  CHECK_FAILED(strict, WSP_PREFERRED_UNAVAILABLE, 0);
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  rig_close(&rig);
}

static void preferred_is_taken_if_idle(void) {
  struct rig rig;
  open_with(&rig, 3, 4);
  rig_adopt(&rig, "old", RIG_URL, 9 * SECOND, 9 * SECOND);
  rig_adopt(&rig, "young", RIG_URL, 0, 0);
  struct wsp_acquire_request request = naming("young", false);
  struct ending *first = rig_acquire(&rig, &request);
  struct ending *second = rig_acquire(&rig, &request); /* it is leased now: go on */
  request = naming("nobody", false);
  rig_acquire(&rig, &request);
  rig_settle(&rig);
  CHECK_GRANTED(first, "young", 0);
  CHECK_GRANTED(second, "old", 0);
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  rig_close(&rig);
}

static void preferred_at_its_limit_is_passed_over(void) {
  struct rig rig;
  open_with(&rig, 2, 1);
  rig_dialled(&rig);
  rig_dialled(&rig);
  struct wsp_acquire_request request = naming("oa_ws_1_2", false);
  rig_acquire(&rig, &request);
  rig_acquire(&rig, &request);
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_2").waiters, 1);
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_1").waiters, 1);
  rig_close(&rig);
}

static void preferred_waiter_is_served_by_any_conn(void) {
  struct rig rig;
  open_with(&rig, 2, 4);
  rig_dialled(&rig);
  struct ending *second = rig_dialled(&rig);
  struct wsp_acquire_request request = naming("oa_ws_1_1", false);
  struct ending *waiter = rig_acquire(&rig, &request);
  rig.now = MS;
  rig_release(&rig, second);
  CHECK_GRANTED(waiter, "oa_ws_1_2", MS);
  rig_close(&rig);
}

static void force_new_wins_over_preferred(void) {
  struct rig rig;
  open_with(&rig, 2, 4);
  rig_idle(&rig);
  struct wsp_acquire_request request = naming("oa_ws_1_1", false);
  request.force_new_conn = true;
  rig_acquire(&rig, &request);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_1").state, WSP_CONN_IDLE);
  rig_close(&rig);
}

static void full_evicts_the_oldest_idle_for_force_new(void) {
  struct rig rig;
  open_with(&rig, 3, 4);
  rig_adopt(&rig, "pinned", RIG_URL, 9 * SECOND, 9 * SECOND);
  rig_adopt(&rig, "old", RIG_URL, 8 * SECOND, 8 * SECOND);
  rig_adopt(&rig, "young", RIG_URL, 0, 0);
  CU_ASSERT(wsp_pin(rig.pool, 0, RIG_ACCOUNT, "pinned"));
  struct wsp_acquire_request request = rig_request();
  request.force_new_conn = true;
  rig_acquire(&rig, &request);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "old"));
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 2, 2, 0, 0, 1);
  CU_ASSERT_EQUAL(rig_last(&rig, WSP_CONN_EVICTED).cause, WSP_REASON_ROOM);
  CU_ASSERT_EQUAL(rig_metrics(&rig).scale_down_total, 1);
  rig_close(&rig);
}

static void pinned_is_not_evicted_for_room(void) {
  struct rig rig;
  open_with(&rig, 1, 4);
  rig_idle(&rig);
  CU_ASSERT(wsp_pin(rig.pool, 0, RIG_ACCOUNT, "oa_ws_1_1"));
  struct wsp_acquire_request request = rig_request();
  request.force_new_conn = true;
  struct ending *ending = rig_acquire(&rig, &request);
  rig_settle(&rig);
  CHECK_FAILED(ending, WSP_QUEUE_FULL, 0);
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_1").state, WSP_CONN_IDLE);
  rig_close(&rig);
}

static void other_key_evicts_for_room(void) {
  struct rig rig;
  open_with(&rig, 1, 4);
  rig_idle(&rig);
  struct wsp_acquire_request request = rig_request();
  request.url = RIG_OTHER_URL;
  rig_acquire(&rig, &request);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  CHECK_TEXT(rig_last_dial(&rig)->url, RIG_OTHER_URL);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 1);
  rig_close(&rig);
}

static void slow_close_does_not_hold_up_the_dial(void) {
  struct rig rig;
  open_with(&rig, 1, 4);
  rig_idle(&rig);
  rig.hold_closes = true;
  struct wsp_acquire_request request = rig_request();
  request.force_new_conn = true;
  struct ending *ending = rig_acquire(&rig, &request);
  CU_ASSERT(rig.conns[0]->closing);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CHECK_GRANTED(ending, "oa_ws_1_2", 0);
  CU_ASSERT_FALSE(rig.conns[0]->closed);
  rig_close(&rig);
}

static void eviction_that_makes_no_room_is_left(void) {
  struct rig rig;
  open_with(&rig, 1, 4);
  struct ending *holder = rig_dialled(&rig);
  rig_adopt(&rig, "adopted", RIG_OTHER_URL, 0, 0); /* two conns where one may be */
  struct ending *waiter = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CHECK_PENDING(waiter);
  CU_ASSERT(rig_has_conn(&rig, "adopted"));
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 2, 1, 1, 1, 0);
  rig_release(&rig, holder);
  CHECK_GRANTED(waiter, "oa_ws_1_1", 0);
  rig_close(&rig);
}

CU_TestInfo suite_pool_preferred[] = {
    {"TestOpenAIWSConnPool_AcquireForcePreferredConnUnavailable: blank, unknown or of another key",
     forced_and_unknown_is_unavailable},
    {"TestOpenAIWSConnPool_AcquireForcePreferredConnQueuesOnPreferredOnly: it waits for its conn",
     forced_queues_on_its_conn_alone},
    {"TestOpenAIWSConnPool_AcquireForcePreferredConnDirectAndQueueFull: taken, or queue_full",
     forced_is_taken_or_full},
    {"a strict waiter uses no room and ends with its conn", forced_waiter_does_not_use_room},
    {"a preferred conn is taken if idle; else any", preferred_is_taken_if_idle},
    {"a preferred conn at its limit is passed over", preferred_at_its_limit_is_passed_over},
    {"a waiter that prefers a conn is served by any", preferred_waiter_is_served_by_any_conn},
    {"force_new_conn wins over preferred_conn", force_new_wins_over_preferred},
    {"a full account evicts the least recently used unpinned idle conn for a forced new one",
     full_evicts_the_oldest_idle_for_force_new},
    {"a pinned conn is not evicted for room", pinned_is_not_evicted_for_room},
    {"an idle conn of another key is evicted for room", other_key_evicts_for_room},
    {"a close that takes long does not hold up the dial", slow_close_does_not_hold_up_the_dial},
    {"nothing is evicted that makes no room", eviction_that_makes_no_room_is_left},
    CU_TEST_INFO_NULL,
};
