/*
 * test_watch_prewarm.c - the invariants of prewarm, ages and steady load; each with a timeline that
 * violates it, and with the nearest ones that do not.
 */
#include <CUnit/CUnit.h>

#include "tests/suites.h"
#include "tests/watch_fixture.h"

#define S WSP_SECOND

/* ---- steady-load-no-churn ----------------------------------------------------------------- */

static void fail_twice(int64_t later) {
  watch_begin();
  for (int i = 1; i <= 2; i++) {
    const char *op = i == 1 ? "a" : "b";
    tell_start(op);
    tell_dial(op, i);
    TELL(WSP_DIAL_FAILED_EVENT, .op = op, .cause = WSP_REASON_REFUSED, .values = {i});
    fixture.stats.creating--;
    fixture.stats.prewarm_fails++;
    tell_fail(op, WSP_DIAL_FAILED);
  }
  watch_go_to(later);
  tell_prewarm(1);
  tell_dial(NULL, 3);
}

static void prewarm_hammers_a_failing_upstream(void) {
  fail_twice(30 * S);
  VIOLATES(STEADY_LOAD_NO_CHURN);
}

static void prewarm_tries_again_after_a_while(void) {
  fail_twice(30 * S + 1);
  fixture.stats.prewarm_fails = 0;
  HOLDS;
}

static void an_acquire_dials_again_after_a_failure(void) {
  watch_begin();
  tell_start("a");
  tell_dial("a", 1);
  TELL(WSP_DIAL_FAILED_EVENT, .op = "a", .cause = WSP_REASON_REFUSED, .values = {1});
  fixture.stats.creating--;
  fixture.stats.prewarm_fails++;
  tell_dial("a", 2);
  VIOLATES(STEADY_LOAD_NO_CHURN);
}

/* It took an idle conn instead, which left before it was lent. */
static void an_acquire_dials_again_after_its_conn_has_left(void) {
  watch_begin();
  tell_start("a");
  tell_dial("a", 1);
  tell_adopt("c1");
  TELL(WSP_DIAL_FAILED_EVENT, .op = "a", .cause = WSP_REASON_REFUSED, .values = {1});
  fixture.stats.creating--;
  fixture.stats.prewarm_fails++;
  TELL(SIM_PEER_CLOSED, .conn = "c1");
  tell_evict("c1", WSP_REASON_PEER_CLOSED);
  TELL(WSP_CONN_CLOSED_EVENT, .conn = "c1", .cause = WSP_REASON_PEER_CLOSED);
  tell_dial("a", 2);
  HOLDS;
}

static void an_acquire_dials_again_after_a_clear(void) {
  watch_begin();
  tell_start("a");
  tell_dial("a", 1);
  TELL(WSP_DIAL_CANCELED, .op = "a", .cause = WSP_REASON_CLEARED, .values = {1});
  fixture.stats.creating--;
  TELL(WSP_ACCOUNT_CLEARED, .values = {0, 1});
  tell_dial("a", 2);
  HOLDS;
}

static void prewarm(int64_t need) {
  watch_prepare();
  fixture.config.max_idle_per_account = 2;
  watch_begin();
  tell_new_lease("a", "c1");
  tell_prewarm(need);
  tell_dial(NULL, 1);
}

static void prewarm_dials_more_than_trimming_leaves(void) {
  prewarm(3);
  VIOLATES(STEADY_LOAD_NO_CHURN);
}

static void prewarm_dials_as_much_as_trimming_leaves(void) {
  prewarm(2);
  HOLDS;
}

static void trim(int64_t conns, bool dials_again) {
  watch_prepare();
  fixture.config.max_idle_per_account = 1;
  watch_begin();
  tell_adopt("c1");
  if (conns > 1) {
    tell_adopt("c2");
  }
  tell_evict("c1", WSP_REASON_MAX_IDLE);
  if (dials_again) {
    TELL(WSP_CONN_CLOSED_EVENT, .conn = "c1", .cause = WSP_REASON_MAX_IDLE);
    tell_prewarm(0);
  }
}

static void trimming_takes_what_it_is_to_leave(void) {
  trim(1, false);
  VIOLATES(STEADY_LOAD_NO_CHURN);
}

static void trimming_takes_what_is_too_much(void) {
  trim(2, false);
  HOLDS;
}

static void what_was_trimmed_is_dialled_again(void) {
  trim(2, true);
  VIOLATES(STEADY_LOAD_NO_CHURN);
}

/* Whose dial has failed takes a conn that was idle. */
static void what_was_trimmed_is_dialled_again_after_a_failure(void) {
  watch_prepare();
  fixture.config.max_idle_per_account = 1;
  watch_begin();
  tell_start("a");
  tell_dial("a", 1);
  tell_adopt("c1");
  tell_adopt("c2");
  tell_evict("c1", WSP_REASON_MAX_IDLE);
  TELL(WSP_CONN_CLOSED_EVENT, .conn = "c1", .cause = WSP_REASON_MAX_IDLE);
  TELL(WSP_DIAL_FAILED_EVENT, .op = "a", .cause = WSP_REASON_REFUSED, .values = {1});
  fixture.stats.creating--;
  fixture.stats.prewarm_fails++;
  tell_prewarm(0);
  TELL(WSP_PREWARM_FINISHED, .values = {0, 0, 0});
  tell_grant("a", "c2", true);
  HOLDS;
}

static void cool_down(int64_t later) {
  watch_prepare();
  fixture.config.prewarm_cooldown = 5 * S;
  watch_begin();
  tell_new_lease("a", "c1");
  tell_prewarm(0);
  TELL(WSP_PREWARM_FINISHED, .values = {0, 0, 0});
  watch_go_to(later);
  tell_prewarm(0);
  TELL(WSP_PREWARM_FINISHED, .values = {0, 0, 0});
}

static void prewarm_does_not_cool_down(void) {
  cool_down(5 * S - 1);
  VIOLATES(STEADY_LOAD_NO_CHURN);
}

static void prewarm_has_cooled_down(void) {
  cool_down(5 * S);
  HOLDS;
}

/* ---- expiry-spread ------------------------------------------------------------------------ */

/* Of so many conns, half and one leave within `apart`. */
static void expire(int count, int64_t apart) {
  static char names[80][8];
  watch_prepare();
  fixture.config.max_conns_per_account = 100;
  watch_begin();
  for (int i = 0; i < count; i++) {
    names[i][0] = 'c';
    names[i][1] = (char)('0' + i / 10);
    names[i][2] = (char)('0' + i % 10);
    tell_adopt(names[i]);
  }
  for (int i = 0; i <= count / 2; i++) {
    if (i == count / 2) {
      watch_go_to(apart);
    }
    tell_evict(names[i], WSP_REASON_MAX_AGE);
  }
}

static void most_conns_expire_together(void) {
  expire(64, 30 * S - 1);
  VIOLATES(EXPIRY_SPREAD);
}

static void conns_expire_one_sweep_after_the_other(void) {
  expire(64, 30 * S);
  HOLDS;
}

static void few_conns_expire_together(void) {
  expire(60, 0);
  HOLDS;
}

static void open_with_limit(int64_t limit) {
  watch_prepare();
  fixture.config.max_conn_age = 100 * S;
  fixture.config.max_conn_age_jitter = 10 * S;
  watch_begin();
  fixture.stats.conns++;
  TELL(WSP_CONN_OPENED, .conn = "c1", .cause = WSP_REASON_ADOPTED, .values = {0, 0, limit},
       .url = "wss://a");
}

static void an_age_limit_is_out_of_the_jitters_range(void) {
  open_with_limit(90 * S - 1);
  VIOLATES(EXPIRY_SPREAD);
}

static void an_age_limit_is_in_the_jitters_range(void) {
  open_with_limit(90 * S);
  HOLDS;
}

/* ---- prewarm-has-dial --------------------------------------------------------------------- */

static void a_prewarm_has_no_dial(void) {
  watch_begin();
  tell_prewarm(1);
  VIOLATES(PREWARM_HAS_DIAL);
}

static void a_prewarm_has_a_dial(void) {
  watch_begin();
  tell_prewarm(1);
  tell_dial(NULL, 1);
  HOLDS;
}

static void a_prewarm_waits_for_max_connecting(void) {
  watch_prepare();
  fixture.config.max_connecting = 1;
  watch_begin();
  tell_start("a");
  tell_dial("a", 1);
  tell_prewarm(1);
  HOLDS;
}

CU_TestInfo suite_watch_prewarm[] = {
    {"prewarm hammers a failing upstream", prewarm_hammers_a_failing_upstream},
    {"prewarm tries again after a while", prewarm_tries_again_after_a_while},
    {"an acquire dials again after a failure", an_acquire_dials_again_after_a_failure},
    {"an acquire dials again after a clear", an_acquire_dials_again_after_a_clear},
    {"an acquire dials again after its conn has left",
     an_acquire_dials_again_after_its_conn_has_left},
    {"prewarm dials more than trimming leaves", prewarm_dials_more_than_trimming_leaves},
    {"prewarm dials as much as trimming leaves", prewarm_dials_as_much_as_trimming_leaves},
    {"trimming takes what it is to leave", trimming_takes_what_it_is_to_leave},
    {"trimming takes what is too much", trimming_takes_what_is_too_much},
    {"what was trimmed is dialled again", what_was_trimmed_is_dialled_again},
    {"what was trimmed is dialled again after a failure",
     what_was_trimmed_is_dialled_again_after_a_failure},
    {"prewarm does not cool down", prewarm_does_not_cool_down},
    {"prewarm has cooled down", prewarm_has_cooled_down},
    {"most conns expire together", most_conns_expire_together},
    {"conns expire one sweep after the other", conns_expire_one_sweep_after_the_other},
    {"few conns expire together", few_conns_expire_together},
    {"an age limit is out of the jitters range", an_age_limit_is_out_of_the_jitters_range},
    {"an age limit is in the jitters range", an_age_limit_is_in_the_jitters_range},
    {"a prewarm has no dial", a_prewarm_has_no_dial},
    {"a prewarm has a dial", a_prewarm_has_a_dial},
    {"a prewarm waits for max connecting", a_prewarm_waits_for_max_connecting},
    CU_TEST_INFO_NULL,
};
