/*
 * test_pool_cleanup.c - rotation by age, retirement, jitter, trimming of idle conns, pins.
 */
#include <string.h>

#include "tests/pool_fixture.h"
#include "tests/suites.h"

static struct wsp_config config_with(int64_t max, int64_t max_idle) {
  struct wsp_config config = rig_config();
  config.max_conns_per_account = max;
  config.max_idle_per_account = max_idle;
  return config;
}

static void stale_leaves_and_oldest_idle_is_trimmed(void) {
  struct rig rig;
  struct wsp_config config = config_with(8, 1);
  rig_open(&rig, &config);
  rig_adopt(&rig, "stale", RIG_URL, 7200 * SECOND, 7200 * SECOND);
  rig_adopt(&rig, "idle_old", RIG_URL, 600 * SECOND, 600 * SECOND);
  rig_adopt(&rig, "idle_new", RIG_URL, 60 * SECOND, 60 * SECOND);
  wsp_cleanup_sweep(rig.pool, rig.now);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "stale"));
  CU_ASSERT_FALSE(rig_has_conn(&rig, "idle_old"));
  CU_ASSERT(rig_has_conn(&rig, "idle_new"));
  CU_ASSERT_EQUAL(rig_count_because(&rig, WSP_CONN_EVICTED, WSP_REASON_MAX_AGE), 1);
  CU_ASSERT_EQUAL(rig_count_because(&rig, WSP_CONN_EVICTED, WSP_REASON_MAX_IDLE), 1);
  CU_ASSERT_EQUAL(rig_metrics(&rig).scale_down_total, 1); /* trimmed, not rotated */
  struct rig_event ran = rig_last(&rig, WSP_CLEANUP_RAN);
  CU_ASSERT_EQUAL(ran.values[0], 1);
  CU_ASSERT_EQUAL(ran.values[1], 1);
  CU_ASSERT_EQUAL(ran.values[2], 1);
  rig_close(&rig);
}

static void age_is_strict(void) {
  struct rig rig;
  struct wsp_config config = config_with(8, 4);
  rig_open(&rig, &config);
  rig_adopt(&rig, "at", RIG_URL, 3600 * SECOND, 0);
  rig_adopt(&rig, "over", RIG_URL, 3600 * SECOND + 1, 0);
  wsp_cleanup_sweep(rig.pool, rig.now);
  CU_ASSERT(rig_has_conn(&rig, "at"));
  CU_ASSERT_FALSE(rig_has_conn(&rig, "over"));
  wsp_cleanup_sweep(rig.pool, 1);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "at"));
  rig_close(&rig);
}

static void ceiling_of_zero_keeps_none(void) {
  struct rig rig;
  struct wsp_config config = config_with(8, 0);
  rig_open(&rig, &config);
  rig_adopt(&rig, "a", RIG_URL, 0, 0);
  wsp_cleanup_sweep(rig.pool, rig.now);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
  rig_close(&rig);
}

static void ceiling_is_clamped(void) {
  struct rig rig;
  struct wsp_config config = config_with(3, 1);
  config.min_idle_per_account = 2; /* the larger of the two counts */
  rig_open(&rig, &config);
  static const char *const ids[] = {"a", "b", "c", "d", "e"};
  for (int i = 0; i < 5; i++) {
    rig_adopt(&rig, ids[i], RIG_URL, SECOND, (5 - i) * MS);
  }
  wsp_cleanup_sweep(rig.pool, rig.now);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 2, 2, 0, 0, 0);
  CU_ASSERT(rig_has_conn(&rig, "d"));
  CU_ASSERT(rig_has_conn(&rig, "e"));
  rig_close(&rig);
  config = config_with(3, 10); /* at most the effective maximum */
  rig_open(&rig, &config);
  for (int i = 0; i < 5; i++) {
    rig_adopt(&rig, ids[i], RIG_URL, SECOND, (5 - i) * MS);
  }
  wsp_cleanup_sweep(rig.pool, rig.now);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 3, 3, 0, 0, 0);
  rig_close(&rig);
}

static void leased_conns_are_not_counted_nor_trimmed(void) {
  struct rig rig;
  struct wsp_config config = config_with(8, 1);
  config.pool_target_utilization = WSP_DECIMAL_ONE;
  rig_open(&rig, &config);
  rig_dialled(&rig);
  rig_dialled(&rig);
  rig_adopt(&rig, "idle", RIG_URL, 0, 0);
  wsp_cleanup_sweep(rig.pool, rig.now);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 3, 1, 2, 0, 0);
  rig_close(&rig);
}

static void pinned_conn_survives(void) {
  struct rig rig;
  struct wsp_config config = config_with(2, 0);
  rig_open(&rig, &config);
  rig_adopt(&rig, "pinned_conn", RIG_URL, 0, 0);
  rig_adopt(&rig, "idle_conn", RIG_URL, 0, 0);
  CU_ASSERT(wsp_pin(rig.pool, 0, RIG_ACCOUNT, "pinned_conn"));
  wsp_cleanup_sweep(rig.pool, rig.now);
  CU_ASSERT(rig_has_conn(&rig, "pinned_conn"));
  CU_ASSERT_FALSE(rig_has_conn(&rig, "idle_conn"));
  wsp_unpin(rig.pool, 0, RIG_ACCOUNT, "pinned_conn");
  CU_ASSERT(rig_has_conn(&rig, "pinned_conn"));
  wsp_cleanup_sweep(rig.pool, rig.now);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "pinned_conn"));
  rig_close(&rig);
}

static void pinned_idle_counts_toward_the_ceiling(void) {
  struct rig rig;
  struct wsp_config config = config_with(8, 1);
  rig_open(&rig, &config);
  rig_adopt(&rig, "pinned", RIG_URL, SECOND, SECOND);
  rig_adopt(&rig, "plain", RIG_URL, 0, 0);
  CU_ASSERT(wsp_pin(rig.pool, 0, RIG_ACCOUNT, "pinned"));
  wsp_cleanup_sweep(rig.pool, rig.now);
  CU_ASSERT(rig_has_conn(&rig, "pinned"));
  CU_ASSERT_FALSE(rig_has_conn(&rig, "plain"));
  rig_close(&rig);
}

static void pinned_conn_is_not_rotated(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  rig_adopt(&rig, "old", RIG_URL, 7200 * SECOND, 0);
  CU_ASSERT(wsp_pin(rig.pool, 0, RIG_ACCOUNT, "old"));
  wsp_cleanup_sweep(rig.pool, rig.now);
  CU_ASSERT(rig_has_conn(&rig, "old"));
  struct ending *plain = rig_acquire(&rig, NULL); /* retired: not for those who do not name it */
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  CHECK_PENDING(plain);
  struct wsp_acquire_request request = rig_request();
  request.preferred_conn = "old";
  struct ending *named = rig_acquire(&rig, &request);
  rig_settle(&rig);
  CHECK_GRANTED(named, "old", 0);
  rig_release(&rig, named); /* not at release either */
  CU_ASSERT_EQUAL(rig_conn(&rig, "old").state, WSP_CONN_IDLE);
  request.force_preferred_conn = true;
  struct ending *strict = rig_acquire(&rig, &request);
  rig_settle(&rig);
  CHECK_GRANTED(strict, "old", 0);
  wsp_unpin(rig.pool, 0, RIG_ACCOUNT, "old");
  rig_release(&rig, strict);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "old"));
  rig_close(&rig);
}

static void unpinned_over_age_leaves_at_the_next_cleanup(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  rig_adopt(&rig, "old", RIG_URL, 7200 * SECOND, 0);
  CU_ASSERT(wsp_pin(rig.pool, 0, RIG_ACCOUNT, "old"));
  wsp_cleanup_sweep(rig.pool, rig.now);
  wsp_unpin(rig.pool, 0, RIG_ACCOUNT, "old");
  wsp_cleanup_sweep(rig.pool, rig.now);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "old"));
  rig_close(&rig);
}

static void pinned_conn_closes_all_the_same(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct ending *granted = rig_dialled(&rig);
  CU_ASSERT(wsp_pin(rig.pool, 0, RIG_ACCOUNT, "oa_ws_1_1"));
  wsp_lease_mark_broken(granted->lease, 0);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "oa_ws_1_1"));
  CU_ASSERT_EQUAL(rig_last(&rig, WSP_CONN_EVICTED).values[2], 1);
  struct stub_conn *conn = rig_idle(&rig);
  CU_ASSERT(wsp_pin(rig.pool, 0, RIG_ACCOUNT, "oa_ws_1_2"));
  stub_closed(&rig, conn, 1000, NULL);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "oa_ws_1_2"));
  rig_close(&rig);
}

static void pins_are_counted(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  CU_ASSERT_FALSE(wsp_pin(NULL, 0, 1, "x"));
  wsp_unpin(NULL, 0, 1, "x");
  rig_adopt(&rig, "c", RIG_URL, 0, 0);
  CU_ASSERT_FALSE(wsp_pin(rig.pool, 0, 0, "c"));
  CU_ASSERT_FALSE(wsp_pin(rig.pool, 0, -1, "c"));
  CU_ASSERT_FALSE(wsp_pin(rig.pool, 0, 999, "c"));
  CU_ASSERT_FALSE(wsp_pin(rig.pool, 0, RIG_ACCOUNT, ""));
  CU_ASSERT_FALSE(wsp_pin(rig.pool, 0, RIG_ACCOUNT, "  "));
  CU_ASSERT_FALSE(wsp_pin(rig.pool, 0, RIG_ACCOUNT, NULL));
  CU_ASSERT_FALSE(wsp_pin(rig.pool, 0, RIG_ACCOUNT, "missing"));
  CU_ASSERT(wsp_pin(rig.pool, 0, RIG_ACCOUNT, "c"));
  CU_ASSERT(wsp_pin(rig.pool, 0, RIG_ACCOUNT, " c "));
  CU_ASSERT_EQUAL(rig_conn(&rig, "c").pins, 2);
  wsp_unpin(rig.pool, 0, RIG_ACCOUNT, "c");
  CU_ASSERT_EQUAL(rig_conn(&rig, "c").pins, 1);
  wsp_unpin(rig.pool, 0, RIG_ACCOUNT, "c");
  CU_ASSERT_EQUAL(rig_conn(&rig, "c").pins, 0);
  wsp_unpin(rig.pool, 0, RIG_ACCOUNT, "c");
  wsp_unpin(rig.pool, 0, RIG_ACCOUNT, "");
  wsp_unpin(rig.pool, 0, 0, "c");
  wsp_unpin(rig.pool, 0, 999, "c");
  CU_ASSERT_EQUAL(rig_conn(&rig, "c").pins, 0);
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_CONN_UNPINNED), 2);
  rig_close(&rig);
}

static void retired_conn_takes_no_new_lease(void) {
  struct rig rig;
  struct wsp_config config = config_with(8, 4);
  config.retire_before_max_age = 60 * SECOND;
  rig_open(&rig, &config);
  rig_adopt(&rig, "at", RIG_URL, 3540 * SECOND, 0);
  rig_adopt(&rig, "over", RIG_URL, 3540 * SECOND + 1, 5 * SECOND);
  struct ending *first = rig_acquire(&rig, NULL);
  struct ending *second = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CHECK_GRANTED(first, "at", 0); /* strictly over */
  CHECK_PENDING(second);
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  CU_ASSERT(rig_conn(&rig, "over").retired);
  struct wsp_acquire_request request = rig_request();
  request.preferred_conn = "over";
  request.force_preferred_conn = true;
  struct ending *strict = rig_acquire(&rig, &request);
  rig_settle(&rig);
  CHECK_FAILED(strict, WSP_PREFERRED_UNAVAILABLE, 0);
  rig.now = 1; /* "at" has been retired meanwhile: it leaves at release */
  rig_release(&rig, first);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "at"));
  CU_ASSERT_EQUAL(rig_last(&rig, WSP_CONN_EVICTED).cause, WSP_REASON_RETIRED);
  wsp_cleanup_sweep(rig.pool, rig.now);
  CU_ASSERT(rig_has_conn(&rig, "over")); /* retired, but not over its age: trimming may take it */
  rig_close(&rig);
}

static void retired_conn_rotates_over_its_own_age(void) {
  struct rig rig;
  struct wsp_config config = config_with(8, 4);
  config.retire_before_max_age = 60 * SECOND;
  rig_open(&rig, &config);
  rig_adopt(&rig, "at", RIG_URL, 3600 * SECOND, 0);
  wsp_cleanup_sweep(rig.pool, 0);
  CU_ASSERT(rig_has_conn(&rig, "at")); /* retired, and exactly as old as it may be */
  wsp_cleanup_sweep(rig.pool, 1);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "at"));
  rig_close(&rig);
}

static void conn_over_age_is_not_lent_without_retirement(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct ending *granted = rig_dialled(&rig);
  rig_run(&rig, 3600 * SECOND + 1);
  struct ending *waiter = rig_acquire(&rig, NULL); /* there is room: dials */
  rig_release(&rig, granted);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "oa_ws_1_1"));
  CHECK_PENDING(waiter);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  rig_close(&rig);
}

static void retired_conn_makes_room_when_full(void) {
  struct rig rig;
  struct wsp_config config = config_with(1, 4);
  config.retire_before_max_age = 60 * SECOND;
  rig_open(&rig, &config);
  rig_adopt(&rig, "old", RIG_URL, 3541 * SECOND, 0);
  rig_acquire(&rig, NULL);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "old"));
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  rig_close(&rig);
}

static void jitter_shortens_each_conns_own_limit(void) {
  struct rig rig;
  struct wsp_config config = config_with(8, 4);
  config.max_conn_age = 100;
  config.max_conn_age_jitter = 9; /* 0 to 9, both included */
  rig_open(&rig, &config);
  rig.random_value = 7;
  rig_adopt(&rig, "a", RIG_URL, 0, 0);
  CU_ASSERT_EQUAL(rig.random_draws, 1);
  CU_ASSERT_EQUAL(rig_last(&rig, WSP_CONN_OPENED).values[2], 93);
  rig.random_value = 19;
  rig_adopt(&rig, "b", RIG_URL, 0, 0);
  CU_ASSERT_EQUAL(rig_last(&rig, WSP_CONN_OPENED).values[2], 91);
  rig.random_value = 20;
  rig_adopt(&rig, "c", RIG_URL, 0, 0);
  CU_ASSERT_EQUAL(rig_last(&rig, WSP_CONN_OPENED).values[2], 100);
  wsp_cleanup_sweep(rig.pool, 93);
  CU_ASSERT(rig_has_conn(&rig, "a"));
  CU_ASSERT_FALSE(rig_has_conn(&rig, "b"));
  wsp_cleanup_sweep(rig.pool, 94);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "a"));
  CU_ASSERT(rig_has_conn(&rig, "c"));
  CU_ASSERT_EQUAL(rig.random_draws, 3);
  rig_close(&rig);
}

static void no_jitter_draws_nothing(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  rig_idle(&rig);
  rig_adopt(&rig, "c", RIG_URL, 0, 0);
  CU_ASSERT_EQUAL(rig.random_draws, 0);
  rig_close(&rig);
}

static void acquire_cleans_at_most_every_interval(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct ending *first = rig_dialled(&rig); /* never cleaned: due */
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_CLEANUP_RAN), 1);
  rig_release(&rig, first);
  rig.now = 3 * SECOND - 1;
  rig_release(&rig, rig_acquire(&rig, NULL));
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_CLEANUP_RAN), 1);
  rig.now = 3 * SECOND;
  rig_acquire(&rig, NULL);
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_CLEANUP_RAN), 2);
  wsp_cleanup_sweep(rig.pool, 5 * SECOND); /* a sweep stamps it too */
  rig.now = 8 * SECOND - 1;
  rig_acquire(&rig, NULL);
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_CLEANUP_RAN), 3);
  rig.now = 8 * SECOND;
  rig_acquire(&rig, NULL);
  CU_ASSERT_EQUAL(rig_count(&rig, WSP_CLEANUP_RAN), 4);
  rig_close(&rig);
}

CU_TestInfo suite_pool_cleanup[] = {
    {"TestOpenAIWSConnPool_CleanupStaleAndTrimIdle: stale conns leave, then the oldest idle ones",
     stale_leaves_and_oldest_idle_is_trimmed},
    {"a conn leaves when it is over its age, strictly", age_is_strict},
    {"max_idle 0 keeps no idle conn", ceiling_of_zero_keeps_none},
    {"the idle ceiling is the larger of min and max idle, at most the maximum", ceiling_is_clamped},
    {"leased conns are neither counted nor trimmed", leased_conns_are_not_counted_nor_trimmed},
    {"TestOpenAIWSConnPool_CleanupSkipsPinnedConn: a pinned conn survives trimming",
     pinned_conn_survives},
    {"a pinned idle conn counts toward the ceiling", pinned_idle_counts_toward_the_ceiling},
    {"a pinned conn is not rotated, and lent only to those who name it",
     pinned_conn_is_not_rotated},
    {"a conn over its age leaves at the cleanup after it was unpinned",
     unpinned_over_age_leaves_at_the_next_cleanup},
    {"a pin stops no closure", pinned_conn_closes_all_the_same},
    {"TestOpenAIWSConnPool_PinUnpinConnBranches: pins are counted, bad ones refused",
     pins_are_counted},
    {"a retired conn takes no new lease and leaves at release", retired_conn_takes_no_new_lease},
    {"a retired conn is rotated when it is over its own age, strictly",
     retired_conn_rotates_over_its_own_age},
    {"a conn over its age is not lent again", conn_over_age_is_not_lent_without_retirement},
    {"a retired idle conn makes room in a full account", retired_conn_makes_room_when_full},
    {"jitter shortens each conn's own age limit", jitter_shortens_each_conns_own_limit},
    {"without jitter nothing is drawn", no_jitter_draws_nothing},
    {"an acquire cleans its account at most every acquire_cleanup_interval",
     acquire_cleans_at_most_every_interval},
    CU_TEST_INFO_NULL,
};
