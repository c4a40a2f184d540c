/*
 * test_pool_acquire.c - what an acquire does at once: refused, an idle conn, a dial, the queue.
 */
#include <stdio.h>
#include <string.h>

#include "tests/pool_fixture.h"
#include "tests/suites.h"

static void refused_requests_say_why(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct wsp_acquire_request request = rig_request();
  request.account.id = 0;
  struct ending *no_account = rig_acquire(&rig, &request);
  request.account.id = -3;
  struct ending *negative = rig_acquire(&rig, &request);
  request = rig_request();
  request.url = " \t ";
  struct ending *blank = rig_acquire(&rig, &request);
  request.url = NULL;
  struct ending *none = rig_acquire(&rig, &request);
  CHECK_PENDING(blank); /* told by advance alone */
  rig_settle(&rig);
  CHECK_FAILED(no_account, WSP_INVALID_REQUEST, 0);
  CHECK_FAILED(negative, WSP_INVALID_REQUEST, 0);
  CHECK_FAILED(blank, WSP_URL_EMPTY, 0);
  CHECK_TEXT(blank->text, "ws url is empty");
  CHECK_FAILED(none, WSP_URL_EMPTY, 0);
  CU_ASSERT_EQUAL(rig.dial_count, 0);
  CU_ASSERT_EQUAL(rig_metrics(&rig).acquire_total, 4);
  CU_ASSERT_EQUAL(rig_metrics(&rig).conn_pick_total, 0);
  rig_close(&rig);
}

static void no_pool_refuses(void) {
  struct wsp_acquire_request request = rig_request();
  struct wsp_op op = {(struct wsp_pool *)&request, 1, 1};
  CU_ASSERT_EQUAL(wsp_acquire(NULL, 0, &request, NULL, NULL, &op), WSP_POOL_CLOSED);
  CU_ASSERT_PTR_NULL(op.pool);
}

static void cold_pool_dials(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct wsp_header header = {"X-Session", "s1"};
  struct wsp_acquire_request request = rig_request();
  request.url = "  wss://example.com/a \n";
  request.proxy = " http://proxy:1 ";
  request.headers = &header;
  request.header_count = 1;
  struct ending *ending = rig_acquire(&rig, &request);
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  const struct stub_dial *dial = rig_last_dial(&rig);
  CU_ASSERT_EQUAL(dial->account, RIG_ACCOUNT);
  CHECK_TEXT(dial->url, "wss://example.com/a");
  CHECK_TEXT(dial->proxy, "http://proxy:1");
  CHECK_TEXT(dial->header, "X-Session: s1");
  CU_ASSERT_FALSE(dial->prewarm);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 1);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  CHECK_PENDING(ending);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 0, 0); /* it is the caller's before anyone sees it */
  rig_settle(&rig);
  CHECK_GRANTED(ending, "oa_ws_1_1", 0);
  CU_ASSERT_FALSE(ending->reused);
  CU_ASSERT_EQUAL(ending->queue_wait, 0);
  CU_ASSERT_EQUAL(rig_metrics(&rig).acquire_create_total, 1);
  CU_ASSERT_EQUAL(rig_metrics(&rig).acquire_reuse_total, 0);
  rig_close(&rig);
}

static void ids_count_over_the_whole_pool(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct wsp_acquire_request request = rig_request();
  request.account.id = 42;
  struct ending *first = rig_acquire(&rig, &request);
  struct ending *second = rig_acquire(&rig, &request);
  request.account.id = 7;
  struct ending *third = rig_acquire(&rig, &request);
  struct stub_dial *dial_of_first = rig.dials[0];
  stub_dial_failed(&rig, rig.dials[1], 0, "no"); /* draws no number */
  (void)stub_dial_ok(&rig, dial_of_first);
  (void)stub_dial_ok(&rig, rig.dials[2]);
  rig_settle(&rig);
  CHECK_GRANTED(first, "oa_ws_42_1", 0);
  CHECK_FAILED(second, WSP_DIAL_FAILED, 0);
  CHECK_GRANTED(third, "oa_ws_7_2", 0);
  rig_close(&rig);
}

static void idle_conn_is_taken(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  rig_idle(&rig);
  struct ending *ending = rig_acquire(&rig, NULL);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 0, 0);
  rig_settle(&rig);
  CHECK_GRANTED(ending, "oa_ws_1_1", 0);
  CU_ASSERT(ending->reused);
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  CU_ASSERT_EQUAL(rig_metrics(&rig).acquire_reuse_total, 1);
  rig_close(&rig);
}

static void least_recently_used_goes_first(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  rig_adopt(&rig, "young", RIG_URL, 10 * SECOND, 3 * SECOND);
  rig_adopt(&rig, "old", RIG_URL, 10 * SECOND, 5 * SECOND);
  rig_adopt(&rig, "tie_first", RIG_URL, 10 * SECOND, 4 * SECOND);
  rig_adopt(&rig, "tie_second", RIG_URL, 20 * SECOND, 4 * SECOND);
  struct ending *endings[4];
  for (int i = 0; i < 4; i++) {
    endings[i] = rig_acquire(&rig, NULL);
  }
  rig_settle(&rig);
  CHECK_GRANTED(endings[0], "old", 0);
  CHECK_GRANTED(endings[1], "tie_first", 0); /* ties go to the lower number: order of entry */
  CHECK_GRANTED(endings[2], "tie_second", 0);
  CHECK_GRANTED(endings[3], "young", 0);
  rig_close(&rig);
}

/* Waiters of another key may count on an idle conn when they have none of their own. */
static void fewest_waiters_go_before_the_least_recently_used(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 2;
  rig_open(&rig, &config);
  rig_adopt(&rig, "old", RIG_URL, 9 * SECOND, 9 * SECOND);
  rig_adopt(&rig, "young", RIG_URL, 0, 0);
  CU_ASSERT(wsp_pin(rig.pool, 0, RIG_ACCOUNT, "old"));
  CU_ASSERT(wsp_pin(rig.pool, 0, RIG_ACCOUNT, "young"));
  struct wsp_acquire_request request = rig_request();
  request.url = RIG_OTHER_URL;
  struct ending *waiter = rig_acquire(&rig, &request);
  CU_ASSERT_EQUAL(rig_conn(&rig, "old").waiters, 1);
  struct ending *ending = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CHECK_PENDING(waiter);
  CHECK_GRANTED(ending, "young", 0);
  rig_close(&rig);
}

static void key_is_url_and_proxy(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  rig_adopt(&rig, "other_url", RIG_OTHER_URL, 0, 0);
  struct ending *first = rig_acquire(&rig, NULL);
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  rig_release(&rig, first);
  struct wsp_acquire_request request = rig_request();
  request.proxy = "http://proxy:1";
  rig_acquire(&rig, &request);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  request.proxy = "  "; /* blank: none */
  struct ending *blank = rig_acquire(&rig, &request);
  rig_settle(&rig);
  CHECK_GRANTED(blank, "oa_ws_1_1", 0);
  rig_close(&rig);
}

static void accounts_do_not_share(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  rig_idle(&rig);
  struct wsp_acquire_request request = rig_request();
  request.account.id = 2;
  rig_acquire(&rig, &request);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  CHECK_ACCOUNT(&rig, 1, 1, 1, 0, 0, 0);
  CHECK_ACCOUNT(&rig, 2, 0, 0, 0, 0, 1);
  rig_close(&rig);
}

static void force_new_skips_reuse(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 2;
  config.max_idle_per_account = 2;
  rig_open(&rig, &config);
  rig_idle(&rig);
  struct wsp_acquire_request request = rig_request();
  request.force_new_conn = true;
  struct ending *second = rig_acquire(&rig, &request);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CHECK_GRANTED(second, "oa_ws_1_2", 0);
  CU_ASSERT_FALSE(second->reused);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 2, 1, 1, 0, 0);
  rig_close(&rig);
}

static void maximum_of_zero_rejects(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.mode_router_v2_enabled = true;
  rig_open(&rig, &config);
  struct wsp_acquire_request request = rig_request();
  request.account = (struct wsp_account){.id = 901, .type = WSP_ACCOUNT_OAUTH, .concurrency = 0};
  struct ending *ending = rig_acquire(&rig, &request);
  rig_settle(&rig);
  CHECK_FAILED(ending, WSP_QUEUE_FULL, 0);
  CHECK_TEXT(ending->text, "connection queue full");
  CU_ASSERT_EQUAL(rig_account(&rig, 901).effective_max, 0);
  CU_ASSERT_EQUAL(rig.dial_count, 0);
  rig_close(&rig);
}

static void many_callers_never_dial_more_than_the_maximum(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 3;
  rig_open(&rig, &config);
  for (int i = 0; i < 10; i++) {
    rig_acquire(&rig, NULL);
  }
  CU_ASSERT_EQUAL(rig.dial_count, 3);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 7, 3);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 3);
  rig_close(&rig);
}

static void full_account_queues_on_the_fewest_waiters(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 2;
  rig_open(&rig, &config);
  rig_dialled(&rig);
  rig_dialled(&rig);
  for (int i = 0; i < 3; i++) {
    rig_acquire(&rig, NULL);
  }
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_1").waiters, 2); /* ties: the lowest number */
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_2").waiters, 1);
  struct wsp_acquire_request request = rig_request();
  request.preferred_conn = "oa_ws_1_1";
  rig_acquire(&rig, &request); /* the preferred one first, whatever its number of waiters */
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_1").waiters, 3);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 2, 0, 2, 4, 0);
  rig_close(&rig);
}

static void full_account_refuses_force_new(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 1;
  rig_open(&rig, &config);
  rig_dialled(&rig);
  struct wsp_acquire_request request = rig_request();
  request.force_new_conn = true;
  struct ending *ending = rig_acquire(&rig, &request);
  rig_settle(&rig);
  CHECK_FAILED(ending, WSP_QUEUE_FULL, 0);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 0, 0);
  rig_close(&rig);
}

static void conn_limit_is_checked(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 1;
  config.queue_limit_per_conn = 2;
  rig_open(&rig, &config);
  struct ending *holder = rig_dialled(&rig);
  rig_acquire(&rig, NULL);
  struct ending *second = rig_acquire(&rig, NULL);
  struct ending *third = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CHECK_FAILED(third, WSP_QUEUE_FULL, 0);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 2, 0);
  rig_cancel(&rig, second); /* makes place in the queue at once */
  struct ending *fourth = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CHECK_PENDING(fourth);
  rig_release(&rig, holder);
  rig_close(&rig);
}

static void waiters_without_a_conn_are_limited_by_dials(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 2;
  config.queue_limit_per_conn = 3;
  rig_open(&rig, &config);
  for (int i = 0; i < 8; i++) { /* two dial, six wait: 3 for each dial */
    CHECK_PENDING(rig_acquire(&rig, NULL));
  }
  struct ending *ninth = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 6, 2);
  CHECK_FAILED(ninth, WSP_QUEUE_FULL, 0);
  CU_ASSERT_EQUAL(rig_metrics(&rig).acquire_queue_wait_total, 6);
  rig_close(&rig);
}

static void already_over_when_it_is_made(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  rig_idle(&rig);
  rig.now = 5 * MS;
  struct wsp_acquire_request request = rig_request();
  request.canceled = true;
  struct ending *canceled = rig_acquire(&rig, &request);
  request.canceled = false;
  request.deadline = 5 * MS;
  struct ending *late = rig_acquire(&rig, &request);
  request.canceled = true;
  struct ending *both = rig_acquire(&rig, &request);
  rig_settle(&rig);
  CHECK_FAILED(canceled, WSP_CANCELED, 5 * MS);
  CHECK_FAILED(late, WSP_DEADLINE_EXCEEDED, 5 * MS);
  CHECK_FAILED(both, WSP_CANCELED, 5 * MS); /* the cancel goes first */
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 1, 0, 0, 0);
  rig_close(&rig);
}

static void cleanup_comes_after_the_pick(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_idle_per_account = 0;
  rig_open(&rig, &config);
  rig_adopt(&rig, "one", RIG_URL, SECOND, 2 * MS);
  rig_adopt(&rig, "two", RIG_URL, SECOND, MS);
  struct ending *ending = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CHECK_GRANTED(ending, "one", 0);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "two")); /* trimmed */
  CU_ASSERT_EQUAL(rig_metrics(&rig).scale_down_total, 1);
  rig_close(&rig);
}

CU_TestInfo suite_pool_acquire[] = {
    {"TestOpenAIWSConnPool_Acquire_ErrorBranches: refused requests say why, by callback",
     refused_requests_say_why},
    {"TestOpenAIWSConnPool_Acquire_ErrorBranches: no pool refuses at once", no_pool_refuses},
    {"a cold pool dials what was asked for, trimmed", cold_pool_dials},
    {"TestOpenAIWSConnPool_NextConnIDFormat: ids count over the whole pool, drawn by success",
     ids_count_over_the_whole_pool},
    {"an idle conn is taken", idle_conn_is_taken},
    {"the least recently used idle conn goes first, ties by order of entry",
     least_recently_used_goes_first},
    {"the idle conn with the fewest waiters goes before the least recently used one",
     fewest_waiters_go_before_the_least_recently_used},
    {"the reuse key is URL and proxy, trimmed", key_is_url_and_proxy},
    {"accounts do not share conns", accounts_do_not_share},
    {"TestOpenAIWSConnPool_ForceNewConnSkipsReuse: a forced new conn is dialled",
     force_new_skips_reuse},
    {"TestOpenAIWSConnPool_AcquireRejectsWhenEffectiveMaxConnsIsZero: queue_full",
     maximum_of_zero_rejects},
    {"many callers on a cold pool never dial more than the maximum",
     many_callers_never_dial_more_than_the_maximum},
    {"a full account queues on the conn with the fewest waiters, or on the preferred one",
     full_account_queues_on_the_fewest_waiters},
    {"a full account refuses a forced new conn", full_account_refuses_force_new},
    {"TestOpenAIWSConnPool_Acquire_ErrorBranches: a conn at its queue limit refuses",
     conn_limit_is_checked},
    {"waiters without a conn are limited by the dials in flight",
     waiters_without_a_conn_are_limited_by_dials},
    {"an acquire that is cancelled or late when it is made takes nothing",
     already_over_when_it_is_made},
    {"an acquire's own cleanup does not trim what it takes", cleanup_comes_after_the_pick},
    CU_TEST_INFO_NULL,
};
