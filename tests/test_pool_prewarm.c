/*
 * test_pool_prewarm.c - dialling towards the target: how many, when, and when not.
 */
#include "tests/pool_fixture.h"
#include "tests/suites.h"

static const struct wsp_template template = {.url = RIG_URL};

static void open_with(struct rig *rig, int64_t max, int64_t min_idle, int64_t max_idle) {
  struct wsp_config config = rig_config();
  config.max_conns_per_account = max;
  config.min_idle_per_account = min_idle;
  config.max_idle_per_account = max_idle;
  config.pool_target_utilization = 800000000;
  rig_open(rig, &config);
}

static void ensure(struct rig *rig) {
  wsp_ensure_target_idle(rig->pool, rig->now, RIG_ACCOUNT, NULL);
}

static void ensure_with_template(struct rig *rig) {
  wsp_ensure_target_idle(rig->pool, rig->now, RIG_ACCOUNT, &template);
}

static void dials_one_after_another(void) {
  struct rig rig;
  open_with(&rig, 4, 2, 4);
  ensure_with_template(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  CU_ASSERT(rig.dials[0]->prewarm);
  CHECK_TEXT(rig.dials[0]->url, RIG_URL);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 2);
  CU_ASSERT_EQUAL(rig_metrics(&rig).scale_up_total, 2);
  (void)stub_dial_ok(&rig, rig.dials[0]);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 1, 0, 0, 1);
  ensure(&rig); /* one is running */
  CU_ASSERT_EQUAL(rig_metrics(&rig).scale_up_total, 2);
  (void)stub_dial_ok(&rig, rig.dials[1]);
  rig_settle(&rig);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 2, 2, 0, 0, 0);
  struct rig_event finished = rig_last(&rig, WSP_PREWARM_FINISHED);
  CU_ASSERT_EQUAL(finished.values[0], 2);
  CU_ASSERT_EQUAL(finished.values[1], 0);
  CU_ASSERT_EQUAL(finished.values[2], 0);
  CU_ASSERT_FALSE(rig_conn(&rig, "oa_ws_1_1").prewarmed); /* set by mark_prewarmed alone */
  ensure(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 2); /* nothing is needed */
  rig_close(&rig);
}

static void without_a_template_nothing_happens(void) {
  struct rig rig;
  open_with(&rig, 4, 2, 4);
  ensure(&rig);
  wsp_ensure_target_idle(rig.pool, 0, 0, &template);
  wsp_ensure_target_idle(rig.pool, 0, -1, &template);
  wsp_ensure_target_idle(NULL, 0, 1, &template);
  CU_ASSERT_EQUAL(rig.dial_count, 0);
  rig_adopt(&rig, "c", RIG_URL, 0, 0);
  ensure(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 0);
  rig_close(&rig);
}

static void success_is_the_template(void) {
  struct rig rig;
  open_with(&rig, 4, 2, 4);
  struct wsp_header header = {"X-Session", "s"};
  struct wsp_acquire_request request = rig_request();
  request.url = RIG_OTHER_URL;
  request.proxy = "http://proxy:1";
  request.headers = &header;
  request.header_count = 1;
  rig_acquire(&rig, &request);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  CU_ASSERT_EQUAL(rig.dial_count, 1); /* considered when the grant is delivered */
  rig_settle(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  CHECK_TEXT(rig.dials[1]->url, RIG_OTHER_URL);
  CHECK_TEXT(rig.dials[1]->proxy, "http://proxy:1");
  CHECK_TEXT(rig.dials[1]->header, "X-Session: s");
  CU_ASSERT(rig.dials[1]->prewarm);
  rig_close(&rig);
}

static void given_template_lasts_until_the_next_success(void) {
  struct rig rig;
  open_with(&rig, 4, 1, 4);
  const struct wsp_template other = {.url = RIG_OTHER_URL};
  wsp_ensure_target_idle(rig.pool, 0, RIG_ACCOUNT, &other);
  stub_dial_failed(&rig, rig_last_dial(&rig), 503, "no");
  ensure(&rig);
  CHECK_TEXT(rig_last_dial(&rig)->url, RIG_OTHER_URL);
  stub_dial_error(&rig, rig_last_dial(&rig), WSP_OUT_OF_MEMORY);
  rig_dialled(&rig);
  wsp_clear_account(rig.pool, 0, RIG_ACCOUNT);
  rig_settle(&rig);
  size_t dials = rig.dial_count;
  ensure(&rig); /* the template is forgotten */
  CU_ASSERT_EQUAL(rig.dial_count, dials);
  rig_close(&rig);
}

static void target_follows_the_demand(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 6;
  config.min_idle_per_account = 1;
  config.pool_target_utilization = 500000000;
  rig_open(&rig, &config);
  rig.refuse_dial = WSP_OK;
  rig_adopt(&rig, "c1", RIG_URL, 0, 0);
  rig_adopt(&rig, "c2", RIG_URL, 0, 0);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).target, 1); /* demand 0: min_idle */
  struct wsp_acquire_request request = rig_request();
  request.preferred_conn = "c1";
  request.force_preferred_conn = true;
  rig_acquire(&rig, &request);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).target, 1); /* demand 1: 1 */
  request.preferred_conn = "c2";
  struct ending *second = rig_acquire(&rig, &request);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).target, 4);
  struct ending *waiters[2];
  waiters[0] = rig_acquire(&rig, &request);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).target, 6);
  waiters[1] = rig_acquire(&rig, &request);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).target, 6); /* at most the maximum */
  rig_cancel(&rig, waiters[0]);
  rig_cancel(&rig, waiters[1]);
  rig_cancel(&rig, second);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).target, 1);
  rig_close(&rig);
}

static void target_without_demand_or_maximum(void) {
  struct rig rig;
  open_with(&rig, 4, 0, 4);
  rig_adopt(&rig, "c", RIG_URL, 0, 0);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).target, 0);
  CU_ASSERT_EQUAL(rig_account(&rig, 66).target, 0); /* an unknown account */
  CU_ASSERT_EQUAL(rig_account(&rig, 66).effective_max, 4);
  rig_close(&rig);
  open_with(&rig, 1, 3, 4);
  rig_adopt(&rig, "c", RIG_URL, 0, 0);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).target, 1); /* min_idle, cut by the maximum */
  rig_close(&rig);
}

static void waiters_raise_the_target_over_the_conns(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.pool_target_utilization = WSP_DECIMAL_ONE;
  rig_open(&rig, &config);
  static const char *const ids[] = {"a", "b", "c"};
  for (int i = 0; i < 3; i++) {
    rig_adopt(&rig, ids[i], RIG_URL, 0, 0);
  }
  struct wsp_acquire_request request = rig_request();
  request.preferred_conn = "a";
  request.force_preferred_conn = true;
  rig_acquire(&rig, &request);
  rig_acquire(&rig, &request); /* waits: demand 2, three conns, so 4 */
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).target, 4);
  rig_close(&rig);
}

static void utilization_is_exact(void) {
  struct rig rig;
  struct wsp_config config = rig_config(); /* 0.7 */
  config.max_conns_per_account = 100;
  rig_open(&rig, &config);
  for (int i = 0; i < 21; i++) {
    struct wsp_acquire_request request = rig_request();
    rig_acquire(&rig, &request);
    (void)stub_dial_ok(&rig, rig_last_dial(&rig)); /* leased, and not delivered: no prewarm yet */
  }
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).leased, 21);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).target, 30);
  rig_close(&rig);
}

static void never_more_than_trimming_keeps(void) {
  struct rig rig;
  struct wsp_config config = rig_config(); /* 5 leased / 0.7: target 8 */
  config.max_idle_per_account = 1;
  rig_open(&rig, &config);
  for (int i = 0; i < 5; i++) {
    rig_acquire(&rig, NULL);
    (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  }
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).target, 8);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(rig_metrics(&rig).scale_up_total, 1); /* 5 leased + 1 idle */
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 6, 1, 5, 0, 0);
  wsp_cleanup_sweep(rig.pool, rig.now);
  ensure(&rig);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 6, 1, 5, 0, 0);
  rig_close(&rig);
}

static void cooldown_ends_at_its_end(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.min_idle_per_account = 2;
  config.prewarm_cooldown = 500 * MS;
  rig_open(&rig, &config);
  rig.now = 10 * MS;
  ensure_with_template(&rig);
  rig.answer_dials = true;
  rig_settle(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  CU_ASSERT(wsp_evict(rig.pool, rig.now, RIG_ACCOUNT, "oa_ws_1_1"));
  rig.now = 510 * MS - 1; /* of the last start */
  ensure(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  rig.now = 510 * MS;
  ensure(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 3);
  rig_close(&rig);
}

static void failures_suppress(void) {
  struct rig rig;
  open_with(&rig, 2, 1, 4);
  ensure_with_template(&rig);
  stub_dial_failed(&rig, rig_last_dial(&rig), 503, "dial failed");
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
  ensure(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  stub_dial_failed(&rig, rig_last_dial(&rig), 503, "dial failed");
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).prewarm_fails, 2);
  ensure(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_PREWARM_SUPPRESSED), 1);
  rig.now = 30 * SECOND; /* exactly the window: suppressed still */
  ensure(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  rig.now = 30 * SECOND + 1;
  ensure(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 3);
  stub_dial_failed(&rig, rig_last_dial(&rig), 503, "dial failed");
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).prewarm_fails, 1); /* an older one resets */
  rig_close(&rig);
}

static void stops_at_the_failure_that_suppresses(void) {
  struct rig rig;
  open_with(&rig, 8, 5, 5);
  ensure_with_template(&rig);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 5);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  stub_dial_failed(&rig, rig_last_dial(&rig), 503, "no");
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 1, 0, 0, 3);
  CU_ASSERT_EQUAL(rig.dial_count, 3);
  stub_dial_failed(&rig, rig_last_dial(&rig), 503, "no");
  CU_ASSERT_EQUAL(rig.dial_count, 3);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 1, 0, 0, 0); /* the places go back */
  struct rig_event finished = rig_last(&rig, WSP_PREWARM_FINISHED);
  CU_ASSERT_EQUAL(finished.values[0], 1);
  CU_ASSERT_EQUAL(finished.values[1], 2);
  CU_ASSERT_EQUAL(finished.values[2], 2);
  rig_close(&rig);
}

static void failed_acquires_suppress_too(void) {
  struct rig rig;
  open_with(&rig, 4, 2, 4);
  for (int i = 0; i < 2; i++) {
    rig_acquire(&rig, NULL);
    stub_dial_failed(&rig, rig_last_dial(&rig), 503, "no");
  }
  ensure_with_template(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  rig_acquire(&rig, NULL);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig)); /* a success resets: prewarm goes on */
  rig_settle(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 4);
  CU_ASSERT(rig_last_dial(&rig)->prewarm);
  rig_close(&rig);
}

static void callers_own_ends_are_no_failures(void) {
  struct rig rig;
  open_with(&rig, 4, 0, 4);
  struct wsp_acquire_request request = rig_request();
  request.deadline = MS;
  rig_acquire(&rig, &request);
  rig_cancel(&rig, rig_acquire(&rig, NULL));
  rig_run(&rig, MS);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).prewarm_fails, 0);
  rig_close(&rig);
}

static void dial_has_the_extra_delay(void) {
  struct rig rig;
  open_with(&rig, 4, 1, 4);
  ensure_with_template(&rig);
  rig_run(&rig, 12 * SECOND - 1);
  CU_ASSERT_FALSE(rig_last_dial(&rig)->canceled);
  rig_run(&rig, 12 * SECOND);
  CU_ASSERT(rig_last_dial(&rig)->canceled);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).prewarm_fails, 1);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
  rig_close(&rig);
}

static void surplus_conn_is_closed(void) {
  struct rig rig;
  open_with(&rig, 1, 1, 4);
  ensure_with_template(&rig);
  rig_adopt(&rig, "adopted", RIG_URL, 0, 0);
  const struct stub_conn *conn = stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CU_ASSERT(conn->dropped);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 1, 0, 0, 0);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).prewarm_fails, 0);
  rig_close(&rig);
}

static void conn_goes_to_a_waiter(void) {
  struct rig rig;
  open_with(&rig, 1, 1, 4);
  ensure_with_template(&rig);
  struct ending *waiter = rig_acquire(&rig, NULL);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 1, 1);
  rig.now = MS;
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CHECK_GRANTED(waiter, "oa_ws_1_1", MS);
  CU_ASSERT(waiter->reused);
  CU_ASSERT_EQUAL(waiter->queue_wait, MS);
  rig_close(&rig);
}

static void room_goes_to_a_waiter_first(void) {
  struct rig rig;
  open_with(&rig, 2, 2, 4);
  struct ending *first = rig_dialled(&rig);
  stub_dial_error(&rig, rig_last_dial(&rig), WSP_OUT_OF_MEMORY); /* the prewarm of the first */
  struct ending *second = rig_dialled(&rig);
  struct ending *waiter = rig_acquire(&rig, NULL);
  size_t dials = rig.dial_count;
  wsp_lease_mark_broken(first->lease, 0);
  CU_ASSERT_EQUAL(rig.dial_count, dials + 1);
  CU_ASSERT_FALSE(rig_last_dial(&rig)->prewarm);
  rig_settle(&rig);
  CHECK_PENDING(waiter);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 0, 1);
  CU_ASSERT(wsp_lease_valid(second->lease));
  rig_close(&rig);
}

CU_TestInfo suite_pool_prewarm[] = {
    {"TestOpenAIWSConnPool_EnsureTargetIdleAsync: it dials what is needed, one after another",
     dials_one_after_another},
    {"without a template nothing happens", without_a_template_nothing_happens},
    {"the last successful acquire is the template", success_is_the_template},
    {"a given template lasts until the next success or clear",
     given_template_lasts_until_the_next_success},
    {"TestOpenAIWSConnPool_TargetConnCountAdaptive: the target follows the demand",
     target_follows_the_demand},
    {"TestOpenAIWSConnPool_TargetConnCountMinIdleZero: without demand 0, or min_idle",
     target_without_demand_or_maximum},
    {"TestOpenAIWSConnPool_TargetConnCountAndPrewarmBranches: at least conns + 1 if anyone waits",
     waiters_raise_the_target_over_the_conns},
    {"21 leased at 0.7 want exactly 30", utilization_is_exact},
    {"prewarm never asks for more than trimming keeps", never_more_than_trimming_keeps},
    {"TestOpenAIWSConnPool_EnsureTargetIdleAsyncCooldown: it may start again at the cooldown's end",
     cooldown_ends_at_its_end},
    {"TestOpenAIWSConnPool_EnsureTargetIdleAsyncFailureSuppress: two recent failures suppress it",
     failures_suppress},
    {"it stops at the failure that suppresses it and gives its places back",
     stops_at_the_failure_that_suppresses},
    {"failed acquires suppress it, a success lets it go on", failed_acquires_suppress_too},
    {"a caller's cancel or deadline is no failure", callers_own_ends_are_no_failures},
    {"a prewarm dial has dial_timeout and prewarm_extra_delay", dial_has_the_extra_delay},
    {"a conn over the maximum is closed", surplus_conn_is_closed},
    {"a prewarmed conn goes to a waiter", conn_goes_to_a_waiter},
    {"room goes to a waiter before prewarm", room_goes_to_a_waiter_first},
    CU_TEST_INFO_NULL,
};
