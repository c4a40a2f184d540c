/*
 * test_watch_acquire.c - the invariants of acquires: what they are granted, how they end, what a
 * close does; each with a timeline that violates it, and with the nearest ones that do not.
 */
#include <CUnit/CUnit.h>

#include "tests/suites.h"
#include "tests/watch_fixture.h"

#define MS WSP_MILLISECOND

/* ---- grant-is-usable ---------------------------------------------------------------------- */

static void a_conn_of_another_url_is_lent(void) {
  watch_begin();
  tell_new_lease("a", "c1");
  tell_release("a", "c1");
  fixture.metrics.acquire_total++;
  TELL(WSP_ACQUIRE_STARTED, .op = "b", .url = "wss://b");
  tell_grant("b", "c1", true);
  VIOLATES(GRANT_IS_USABLE);
}

static void a_conn_of_another_proxy_is_lent(void) {
  watch_begin();
  tell_new_lease("a", "c1");
  tell_release("a", "c1");
  fixture.metrics.acquire_total++;
  TELL(WSP_ACQUIRE_STARTED, .op = "b", .url = "wss://a", .proxy = "http://p");
  tell_grant("b", "c1", true);
  VIOLATES(GRANT_IS_USABLE);
}

static void a_fresh_conn_is_stolen(void) {
  watch_begin();
  tell_start("a");
  tell_dial("a", 1);
  tell_start("b");
  tell_open("a", 1, "c1");
  tell_grant("b", "c1", true);
  VIOLATES(GRANT_IS_USABLE);
}

static void a_conn_that_has_left_is_lent(void) {
  watch_begin();
  tell_new_lease("a", "c1");
  tell_release("a", "c1");
  tell_evict("c1", WSP_REASON_EVICTED);
  tell_start("b");
  tell_grant("b", "c1", true);
  VIOLATES(GRANT_IS_USABLE);
}

static void lend_at_age(int64_t age, bool pinned) {
  watch_prepare();
  fixture.config.max_conn_age = 100 * MS;
  fixture.config.retire_before_max_age = 20 * MS;
  watch_begin();
  tell_new_lease("a", "c1");
  tell_release("a", "c1");
  if (pinned) {
    TELL(WSP_CONN_PINNED, .conn = "c1", .values = {1});
  }
  watch_go_to(fixture.now + age);
  tell_start("b");
  tell_grant("b", "c1", true);
}

static void a_retired_conn_is_lent(void) {
  lend_at_age(80 * MS + 1, false);
  VIOLATES(GRANT_IS_USABLE);
}

static void a_conn_is_lent_at_its_limit(void) {
  lend_at_age(80 * MS, false);
  HOLDS;
}

static void a_retired_conn_is_lent_to_whom_it_is_pinned(void) {
  lend_at_age(80 * MS + 1, true);
  HOLDS;
}

static void lend_after_idle(int64_t idle) {
  watch_begin();
  tell_new_lease("a", "c1");
  tell_release("a", "c1");
  watch_go_to(fixture.now + idle);
  tell_start("b");
  tell_grant("b", "c1", true);
}

static void a_conn_is_lent_unpinged_after_long_idleness(void) {
  lend_after_idle(90 * WSP_SECOND);
  VIOLATES(GRANT_IS_USABLE);
}

static void a_conn_is_lent_unpinged_just_before_that(void) {
  lend_after_idle(90 * WSP_SECOND - 1);
  HOLDS;
}

static void a_conn_is_lent_after_its_ping(void) {
  watch_begin();
  tell_new_lease("a", "c1");
  tell_release("a", "c1");
  watch_go_to(fixture.now + 90 * WSP_SECOND);
  tell_start("b");
  TELL(WSP_PING_STARTED, .op = "b", .conn = "c1", .cause = WSP_REASON_HEALTH_CHECK);
  fixture.stats.leased++;
  watch_rest();
  TELL(WSP_PING_SUCCEEDED, .op = "b", .conn = "c1", .cause = WSP_REASON_HEALTH_CHECK);
  fixture.stats.leased--;
  tell_grant("b", "c1", true);
  HOLDS;
}

/* ---- acquire-ends-once -------------------------------------------------------------------- */

static void an_acquire_ends_twice(void) {
  watch_begin();
  tell_start("a");
  tell_fail("a", WSP_QUEUE_FULL);
  tell_fail("a", WSP_QUEUE_FULL);
  VIOLATES(ACQUIRE_ENDS_ONCE);
}

static void an_acquire_fails_after_its_grant(void) {
  watch_begin();
  tell_new_lease("a", "c1");
  tell_fail("a", WSP_QUEUE_FULL);
  VIOLATES(ACQUIRE_ENDS_ONCE);
}

static void grant_with_deadline(int64_t at) {
  watch_begin();
  tell_adopt("c1");
  fixture.metrics.acquire_total++;
  TELL(WSP_ACQUIRE_STARTED, .op = "a", .url = "wss://a", .values = {10 * MS});
  fixture.now = at;
  tell_grant("a", "c1", true);
}

static void an_acquire_is_granted_at_its_deadline(void) {
  grant_with_deadline(10 * MS);
  VIOLATES(ACQUIRE_ENDS_ONCE);
}

static void an_acquire_is_granted_just_before_its_deadline(void) {
  grant_with_deadline(10 * MS - 1);
  HOLDS;
}

static void a_cancelled_acquire_is_granted(void) {
  watch_begin();
  tell_adopt("c1");
  tell_start("a");
  TELL(SIM_STEP_PERFORMED, .op = "a", .account = -1, .url = "cancel");
  tell_grant("a", "c1", true);
  VIOLATES(ACQUIRE_ENDS_ONCE);
}

static void an_acquire_says_cancelled_and_was_not(void) {
  watch_begin();
  tell_start("a");
  tell_fail("a", WSP_CANCELED);
  VIOLATES(ACQUIRE_ENDS_ONCE);
}

static void a_cancel_comes_too_late(void) {
  watch_begin();
  tell_new_lease("a", "c1");
  TELL(SIM_STEP_PERFORMED, .op = "a", .account = -1, .url = "cancel");
  tell_release("a", "c1");
  HOLDS;
}

/* ---- closed-stays-closed ------------------------------------------------------------------ */

static void close_pool(void) {
  watch_begin();
  tell_new_lease("a", "c1");
  tell_start("b");
  TELL(WSP_POOL_CLOSE_STARTED, .account = -1);
}

static void a_closed_pool_dials(void) {
  close_pool();
  tell_dial("b", 1);
  VIOLATES(CLOSED_STAYS_CLOSED);
}

static void a_dial_lands_in_a_closed_pool(void) {
  watch_begin();
  tell_start("a");
  tell_dial("a", 1);
  TELL(WSP_POOL_CLOSE_STARTED, .account = -1);
  tell_open("a", 1, "c1");
  VIOLATES(CLOSED_STAYS_CLOSED);
}

static void a_released_conn_stays_in_a_closed_pool(void) {
  close_pool();
  tell_fail("b", WSP_POOL_CLOSED);
  tell_release("a", "c1");
  VIOLATES(CLOSED_STAYS_CLOSED);
}

static void a_released_conn_leaves_a_closed_pool(void) {
  close_pool();
  tell_fail("b", WSP_POOL_CLOSED);
  tell_release("a", "c1");
  tell_evict("c1", WSP_REASON_POOL_CLOSED);
  TELL(WSP_CONN_CLOSED_EVENT, .conn = "c1", .cause = WSP_REASON_POOL_CLOSED);
  TELL(WSP_POOL_CLOSED_EVENT, .account = -1);
  HOLDS;
}

static void a_waiter_stays_in_a_closed_pool(void) {
  close_pool();
  tell_queue("b", "c1");
  VIOLATES(CLOSED_STAYS_CLOSED);
}

static void a_close_is_over_before_its_conns_are(void) {
  close_pool();
  tell_fail("b", WSP_POOL_CLOSED);
  tell_release("a", "c1");
  tell_evict("c1", WSP_REASON_POOL_CLOSED);
  TELL(WSP_POOL_CLOSED_EVENT, .account = -1);
  VIOLATES(CLOSED_STAYS_CLOSED);
}

static void a_clear_leaves_a_dial_alive(void) {
  watch_begin();
  tell_start("a");
  tell_dial("a", 1);
  TELL(WSP_ACCOUNT_CLEARED, .values = {0, 0});
  VIOLATES(CLOSED_STAYS_CLOSED);
}

/* ---- The watch itself --------------------------------------------------------------------- */

static void the_first_violation_is_kept(void) {
  watch_begin();
  tell_start("a");
  tell_fail("a", WSP_CANCELED);
  TELL(WSP_CONN_PINNED, .conn = "c1", .values = {1});
  VIOLATES(ACQUIRE_ENDS_ONCE);
}

CU_TestInfo suite_watch_acquire[] = {
    {"a conn of another url is lent", a_conn_of_another_url_is_lent},
    {"a conn of another proxy is lent", a_conn_of_another_proxy_is_lent},
    {"a fresh conn is stolen", a_fresh_conn_is_stolen},
    {"a conn that has left is lent", a_conn_that_has_left_is_lent},
    {"a retired conn is lent", a_retired_conn_is_lent},
    {"a conn is lent at its limit", a_conn_is_lent_at_its_limit},
    {"a retired conn is lent to whom it is pinned", a_retired_conn_is_lent_to_whom_it_is_pinned},
    {"a conn is lent unpinged after long idleness", a_conn_is_lent_unpinged_after_long_idleness},
    {"a conn is lent unpinged just before that", a_conn_is_lent_unpinged_just_before_that},
    {"a conn is lent after its ping", a_conn_is_lent_after_its_ping},
    {"an acquire ends twice", an_acquire_ends_twice},
    {"an acquire fails after its grant", an_acquire_fails_after_its_grant},
    {"an acquire is granted at its deadline", an_acquire_is_granted_at_its_deadline},
    {"an acquire is granted just before its deadline",
     an_acquire_is_granted_just_before_its_deadline},
    {"a cancelled acquire is granted", a_cancelled_acquire_is_granted},
    {"an acquire says cancelled and was not", an_acquire_says_cancelled_and_was_not},
    {"a cancel comes too late", a_cancel_comes_too_late},
    {"a closed pool dials", a_closed_pool_dials},
    {"a dial lands in a closed pool", a_dial_lands_in_a_closed_pool},
    {"a released conn stays in a closed pool", a_released_conn_stays_in_a_closed_pool},
    {"a released conn leaves a closed pool", a_released_conn_leaves_a_closed_pool},
    {"a waiter stays in a closed pool", a_waiter_stays_in_a_closed_pool},
    {"a close is over before its conns are", a_close_is_over_before_its_conns_are},
    {"a clear leaves a dial alive", a_clear_leaves_a_dial_alive},
    {"the first violation is kept", the_first_violation_is_kept},
    CU_TEST_INFO_NULL,
};
