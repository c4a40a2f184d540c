/*
 * test_watch_sweep.c - the invariants of what goes on by itself: sweeps, the idle minimum, closes;
 * each with a timeline that violates it, and with the nearest ones that do not.
 */
#include <CUnit/CUnit.h>

#include "tests/suites.h"
#include "tests/watch_fixture.h"

#define MS WSP_MILLISECOND
#define S WSP_SECOND

static void tell_ping_sweep(bool begins) {
  TELL(begins ? WSP_PING_SWEEP_STARTED : WSP_PING_SWEEP_FINISHED, .account = -1);
}

/* ---- closed-conn-leaves ------------------------------------------------------------------- */

static void a_conn_that_its_peer_closed_stays(void) {
  watch_begin();
  tell_adopt("c1");
  TELL(SIM_PEER_CLOSED, .conn = "c1");
  VIOLATES(CLOSED_CONN_LEAVES);
}

static void a_conn_that_its_peer_closed_leaves(void) {
  watch_begin();
  tell_adopt("c1");
  TELL(SIM_PEER_CLOSED, .conn = "c1");
  tell_evict("c1", WSP_REASON_PEER_CLOSED);
  HOLDS;
}

static void fail_a_sweeps_ping(void) {
  tell_adopt("c1");
  watch_rest();
  TELL(WSP_PING_STARTED, .conn = "c1", .cause = WSP_REASON_SWEEP);
  watch_rest();
  TELL(WSP_PING_FAILED_EVENT, .conn = "c1", .cause = WSP_REASON_TIMEOUT);
}

static void a_conn_whose_ping_failed_stays(void) {
  watch_begin();
  fail_a_sweeps_ping();
  VIOLATES(CLOSED_CONN_LEAVES);
}

static void a_conn_whose_ping_failed_is_lent_in_that_instant(void) {
  watch_begin();
  fail_a_sweeps_ping();
  tell_start("a");
  tell_grant("a", "c1", true);
  HOLDS;
}

static void a_ping_goes_on_for(int64_t time) {
  watch_begin();
  tell_adopt("c1");
  watch_rest();
  TELL(WSP_PING_STARTED, .conn = "c1", .cause = WSP_REASON_SWEEP);
  watch_go_to(time);
}

static void a_ping_outlives_its_timeout(void) {
  a_ping_goes_on_for(2 * S);
  VIOLATES(CLOSED_CONN_LEAVES);
}

static void a_ping_is_under_way_just_before_its_timeout(void) {
  a_ping_goes_on_for(2 * S - 1);
  HOLDS;
}

/* A suspended machine pings nobody; what was due during it is due after it. */
static void a_jump_of_the_clock_does_not_count(void) {
  watch_begin();
  tell_adopt("c1");
  watch_rest();
  TELL(WSP_PING_STARTED, .conn = "c1", .cause = WSP_REASON_SWEEP);
  TELL(SIM_CLOCK_JUMPED, .account = -1, .values = {WSP_MINUTE});
  watch_return();
  watch_go_to(WSP_MINUTE + 2 * S - 1);
  HOLDS;
}

static void sweep_over(bool pinged) {
  watch_begin();
  tell_adopt("c1");
  watch_rest();
  tell_ping_sweep(true);
  if (pinged) {
    TELL(WSP_PING_STARTED, .conn = "c1", .cause = WSP_REASON_SWEEP);
    TELL(WSP_PING_SUCCEEDED, .conn = "c1", .cause = WSP_REASON_SWEEP);
  }
  tell_ping_sweep(false);
}

static void a_ping_sweep_passes_a_conn_over(void) {
  sweep_over(false);
  VIOLATES(CLOSED_CONN_LEAVES);
}

static void a_ping_sweep_pings_all(void) {
  sweep_over(true);
  HOLDS;
}

/* ---- sweeps-and-close-finish -------------------------------------------------------------- */

static void sweep_for(int64_t time) {
  watch_prepare();
  fixture.config.ping_concurrency = 1;
  watch_begin();
  tell_adopt("c1");
  tell_adopt("c2");
  watch_rest();
  tell_ping_sweep(true);
  watch_go_to(time);
}

/* Two pings, one after the other, of 2 s each. */
static void a_ping_sweep_does_not_end(void) {
  sweep_for(4 * S);
  VIOLATES(SWEEPS_AND_CLOSE_FINISH);
}

static void a_ping_sweep_takes_its_time(void) {
  sweep_for(4 * S - 1);
  HOLDS;
}

static void ping_sweeps_overlap(void) {
  watch_begin();
  tell_adopt("c1");
  watch_rest();
  tell_ping_sweep(true);
  tell_ping_sweep(true);
  VIOLATES(SWEEPS_AND_CLOSE_FINISH);
}

static void wait_for_a_sweep(int64_t time) {
  watch_prepare();
  fixture.config.cleanup_interval = 30 * S;
  watch_begin();
  watch_go_to(30 * S - 1);
  if (time > 30 * S) {
    watch_go_to(30 * S);
    TELL(WSP_CLEANUP_SWEEP_STARTED, .account = -1);
  }
  watch_go_to(time);
}

static void a_cleanup_sweep_does_not_come(void) {
  wait_for_a_sweep(30 * S);
  VIOLATES(SWEEPS_AND_CLOSE_FINISH);
}

static void the_next_cleanup_sweep_is_waited_for(void) {
  wait_for_a_sweep(60 * S - 1);
  HOLDS;
}

static void close_with_a_dial(bool confirmed) {
  watch_begin();
  tell_start("a");
  tell_dial("a", 1);
  TELL(WSP_POOL_CLOSE_STARTED, .account = -1);
  TELL(WSP_DIAL_CANCELED, .op = "a", .cause = WSP_REASON_POOL_CLOSED, .values = {1});
  fixture.stats.creating = 0;
  tell_fail("a", WSP_POOL_CLOSED);
  if (confirmed) {
    TELL(WSP_DIAL_ENDED, .values = {1});
  }
}

static void a_close_does_not_end(void) {
  close_with_a_dial(true);
  VIOLATES(SWEEPS_AND_CLOSE_FINISH);
}

static void a_close_waits_for_the_transport(void) {
  close_with_a_dial(false);
  HOLDS;
}

/* ---- minimum-idle-restored ---------------------------------------------------------------- */

static void rotate(int64_t minimum) {
  watch_prepare();
  fixture.config.min_idle_per_account = minimum;
  watch_begin();
  tell_new_lease("a", "c1");
  tell_release("a", "c1");
  watch_go_to(MS);
  tell_evict("c1", WSP_REASON_MAX_AGE);
  TELL(WSP_CLEANUP_RAN, .cause = WSP_REASON_SWEEP, .values = {1, 0, 0});
}

static void the_idle_minimum_does_not_come_back(void) {
  rotate(1);
  VIOLATES(MINIMUM_IDLE_RESTORED);
}

static void the_idle_minimum_comes_back(void) {
  rotate(1);
  tell_prewarm(1);
  tell_dial(NULL, 1);
  watch_go_to(2 * MS);
  tell_open(NULL, 1, "c2");
  TELL(WSP_PREWARM_FINISHED, .values = {1, 0, 0});
  HOLDS;
}

/* A ping sweep removes the conn that is the minimum. */
static void sweep_by_pings(void) {
  watch_prepare();
  fixture.config.min_idle_per_account = 2;
  watch_begin();
  tell_new_lease("a", "c1");
  tell_release("a", "c1");
  watch_go_to(MS);
}

static void end_sweep(void) {
  TELL(WSP_PING_SWEEP_STARTED, .account = -1);
  TELL(WSP_PING_STARTED, .conn = "c1", .cause = WSP_REASON_SWEEP);
  TELL(WSP_PING_FAILED_EVENT, .conn = "c1", .cause = WSP_REASON_REFUSED);
  tell_evict("c1", WSP_REASON_PING_FAILED);
  TELL(WSP_CONN_CLOSED_EVENT, .conn = "c1", .cause = WSP_REASON_PING_FAILED);
  TELL(WSP_PING_SWEEP_FINISHED, .account = -1, .values = {1, 1});
}

static void the_idle_minimum_does_not_come_back_after_pings(void) {
  sweep_by_pings();
  end_sweep();
  VIOLATES(MINIMUM_IDLE_RESTORED);
}

static void prewarm_that_begins_after_the_pings(int64_t need) {
  static const char *const names[] = {"c2", "c3"};
  sweep_by_pings();
  end_sweep();
  tell_prewarm(need);
  for (int64_t i = 0; i < need; i++) {
    tell_dial(NULL, i + 1);
    tell_open(NULL, i + 1, names[i]);
  }
  TELL(WSP_PREWARM_FINISHED, .values = {need, 0, 0});
}

static void prewarm_after_the_pings_brings_the_minimum_back(void) {
  prewarm_that_begins_after_the_pings(2);
  HOLDS;
}

static void prewarm_after_the_pings_brings_too_little_back(void) {
  prewarm_that_begins_after_the_pings(1);
  VIOLATES(MINIMUM_IDLE_RESTORED);
}

/* What it dials was decided before the pings were over. */
static void prewarm_was_running_when_the_pings_ended(void) {
  sweep_by_pings();
  tell_prewarm(1);
  tell_dial(NULL, 1);
  end_sweep();
  tell_open(NULL, 1, "c2");
  TELL(WSP_PREWARM_FINISHED, .values = {1, 0, 0});
  HOLDS;
}

static void the_upstream_fails_after_the_pings(void) {
  sweep_by_pings();
  end_sweep();
  tell_prewarm(2);
  tell_dial(NULL, 1);
  TELL(WSP_DIAL_FAILED_EVENT, .cause = WSP_REASON_REFUSED, .values = {1});
  fixture.stats.creating--;
  tell_dial(NULL, 2);
  tell_open(NULL, 2, "c2");
  TELL(WSP_PREWARM_FINISHED, .values = {1, 1, 0});
  HOLDS;
}

static void there_is_no_idle_minimum(void) {
  rotate(0);
  HOLDS;
}

static void the_idle_minimum_is_dialled_too_long(int64_t time) {
  rotate(1);
  tell_prewarm(1);
  tell_dial(NULL, 1);
  watch_go_to(MS + time);
}

static void the_idle_minimum_is_overdue(void) {
  the_idle_minimum_is_dialled_too_long(12 * S);
  VIOLATES(MINIMUM_IDLE_RESTORED);
}

static void the_idle_minimum_has_its_time(void) {
  the_idle_minimum_is_dialled_too_long(12 * S - 1);
  HOLDS;
}

CU_TestInfo suite_watch_sweep[] = {
    {"a conn that its peer closed stays", a_conn_that_its_peer_closed_stays},
    {"a conn that its peer closed leaves", a_conn_that_its_peer_closed_leaves},
    {"a conn whose ping failed stays", a_conn_whose_ping_failed_stays},
    {"a conn whose ping failed is lent in that instant",
     a_conn_whose_ping_failed_is_lent_in_that_instant},
    {"a ping outlives its timeout", a_ping_outlives_its_timeout},
    {"a ping is under way just before its timeout", a_ping_is_under_way_just_before_its_timeout},
    {"a jump of the clock does not count", a_jump_of_the_clock_does_not_count},
    {"a ping sweep passes a conn over", a_ping_sweep_passes_a_conn_over},
    {"a ping sweep pings all", a_ping_sweep_pings_all},
    {"a ping sweep does not end", a_ping_sweep_does_not_end},
    {"a ping sweep takes its time", a_ping_sweep_takes_its_time},
    {"ping sweeps overlap", ping_sweeps_overlap},
    {"a cleanup sweep does not come", a_cleanup_sweep_does_not_come},
    {"the next cleanup sweep is waited for", the_next_cleanup_sweep_is_waited_for},
    {"a close does not end", a_close_does_not_end},
    {"a close waits for the transport", a_close_waits_for_the_transport},
    {"the idle minimum does not come back", the_idle_minimum_does_not_come_back},
    {"the idle minimum comes back", the_idle_minimum_comes_back},
    {"the idle minimum does not come back after pings",
     the_idle_minimum_does_not_come_back_after_pings},
    {"prewarm after the pings brings the minimum back",
     prewarm_after_the_pings_brings_the_minimum_back},
    {"prewarm after the pings brings too little back",
     prewarm_after_the_pings_brings_too_little_back},
    {"prewarm was running when the pings ended", prewarm_was_running_when_the_pings_ended},
    {"the upstream fails after the pings", the_upstream_fails_after_the_pings},
    {"there is no idle minimum", there_is_no_idle_minimum},
    {"the idle minimum is overdue", the_idle_minimum_is_overdue},
    {"the idle minimum has its time", the_idle_minimum_has_its_time},
    CU_TEST_INFO_NULL,
};
