/*
 * test_watch_books.c - the invariants of counts: places, pins, times, metrics, failures; each with
 * a timeline that violates it, and with the nearest ones that do not.
 */
#include <CUnit/CUnit.h>

#include "tests/suites.h"
#include "tests/watch_fixture.h"

#define MS WSP_MILLISECOND

/* ---- maximum-respected -------------------------------------------------------------------- */

static void dials_exceed_the_maximum(int64_t maximum) {
  watch_prepare();
  fixture.config.max_conns_per_account = maximum;
  watch_begin();
  tell_new_lease("a", "c1");
  tell_start("b");
  tell_dial("b", 1);
}

static void a_dial_goes_beyond_the_maximum(void) {
  dials_exceed_the_maximum(1);
  VIOLATES(MAXIMUM_RESPECTED);
}

static void a_dial_fills_the_maximum(void) {
  dials_exceed_the_maximum(2);
  HOLDS;
}

static void adopted_conns_go_beyond_the_maximum(void) {
  watch_prepare();
  fixture.config.max_conns_per_account = 1;
  watch_begin();
  tell_adopt("c1");
  tell_adopt("c2");
  HOLDS;
}

static void a_prewarm_goes_beyond_the_maximum(void) {
  watch_prepare();
  fixture.config.max_conns_per_account = 2;
  watch_begin();
  tell_new_lease("a", "c1");
  fixture.stats.creating = 2;
  fixture.metrics.scale_up_total = 2;
  TELL(WSP_PREWARM_STARTED, .values = {2, 3});
  VIOLATES(MAXIMUM_RESPECTED);
}

static void a_prewarmed_conn_comes_over_the_maximum(void) {
  watch_prepare();
  fixture.config.max_conns_per_account = 2;
  fixture.config.min_idle_per_account = 2;
  watch_begin();
  tell_new_lease("a", "c1");
  fixture.stats.creating = 1;
  fixture.metrics.scale_up_total = 1;
  TELL(WSP_PREWARM_STARTED, .values = {1, 2});
  tell_dial(NULL, 1);
  tell_adopt("c2");
  tell_open(NULL, 1, "c3");
  VIOLATES(MAXIMUM_RESPECTED);
}

/* ---- creating-matches-dials --------------------------------------------------------------- */

static void a_dial_ends_and_keeps_its_place(void) {
  watch_begin();
  tell_start("a");
  tell_dial("a", 1);
  TELL(WSP_DIAL_FAILED_EVENT, .op = "a", .cause = WSP_REASON_REFUSED, .values = {1});
  fixture.stats.prewarm_fails = 1;
  tell_fail("a", WSP_DIAL_FAILED);
  VIOLATES(CREATING_MATCHES_DIALS);
}

static void a_dial_ends_and_gives_its_place_back(void) {
  watch_begin();
  tell_start("a");
  tell_dial("a", 1);
  TELL(WSP_DIAL_FAILED_EVENT, .op = "a", .cause = WSP_REASON_REFUSED, .values = {1});
  fixture.stats.creating = 0;
  fixture.stats.prewarm_fails = 1;
  tell_fail("a", WSP_DIAL_FAILED);
  HOLDS;
}

static void a_dial_ends_twice(void) {
  watch_begin();
  tell_start("a");
  tell_dial("a", 1);
  tell_open("a", 1, "c1");
  TELL(WSP_DIAL_FAILED_EVENT, .op = "a", .cause = WSP_REASON_REFUSED, .values = {1});
  VIOLATES(CREATING_MATCHES_DIALS);
}

static void a_prewarm_gives_back_other_places_than_it_has(void) {
  watch_begin();
  fixture.metrics.scale_up_total = 2;
  TELL(WSP_PREWARM_STARTED, .values = {2, 2});
  TELL(WSP_PREWARM_FINISHED, .values = {0, 0, 1});
  VIOLATES(CREATING_MATCHES_DIALS);
}

/* A waiter may have a place while it waits for max_connecting: the timeline does not say who. */
static void a_waiter_has_a_place(void) {
  watch_prepare();
  fixture.config.max_connecting = 1;
  watch_begin();
  tell_start("a");
  tell_dial("a", 1);
  tell_start("b");
  tell_queue("b", NULL);
  fixture.stats.creating++;
  HOLDS;
}

/* ---- pins-name-conns ---------------------------------------------------------------------- */

static void a_pin_names_no_conn(void) {
  watch_begin();
  TELL(WSP_CONN_PINNED, .conn = "c1", .values = {1});
  VIOLATES(PINS_NAME_CONNS);
}

static void a_pin_outlives_its_conn(void) {
  watch_begin();
  tell_adopt("c1");
  TELL(WSP_CONN_PINNED, .conn = "c1", .values = {1});
  TELL(WSP_CONN_EVICTED, .conn = "c1", .cause = WSP_REASON_EVICTED, .values = {0, 0, 1});
  TELL(WSP_CONN_CLOSED_EVENT, .conn = "c1", .cause = WSP_REASON_EVICTED);
  tell_adopt("c1");
  TELL(WSP_CONN_PINNED, .conn = "c1", .values = {2});
  VIOLATES(PINS_NAME_CONNS);
}

static void pins_are_counted(void) {
  watch_begin();
  tell_adopt("c1");
  TELL(WSP_CONN_PINNED, .conn = "c1", .values = {1});
  TELL(WSP_CONN_PINNED, .conn = "c1", .values = {2});
  TELL(WSP_CONN_UNPINNED, .conn = "c1", .values = {1});
  HOLDS;
}

/* ---- wall-clock-irrelevant ---------------------------------------------------------------- */

static void a_lease_was_held_by_another_clock(void) {
  watch_begin();
  tell_new_lease("a", "c1");
  watch_go_to(fixture.now + 5 * MS);
  TELL(WSP_LEASE_RELEASED, .op = "a", .conn = "c1", .values = {6 * MS});
  VIOLATES(WALL_CLOCK_IRRELEVANT);
}

static void a_dial_took_time_of_another_clock(void) {
  watch_begin();
  tell_start("a");
  tell_dial("a", 1);
  TELL(WSP_DIAL_SUCCEEDED, .op = "a", .values = {1, 1});
  VIOLATES(WALL_CLOCK_IRRELEVANT);
}

static void a_conn_has_the_age_of_another_clock(void) {
  watch_begin();
  tell_adopt("c1");
  TELL(WSP_CONN_EVICTED, .conn = "c1", .cause = WSP_REASON_EVICTED, .values = {WSP_MINUTE});
  VIOLATES(WALL_CLOCK_IRRELEVANT);
}

static void time_runs_backwards(void) {
  watch_begin();
  watch_go_to(5 * MS);
  tell_adopt("c1");
  fixture.now = 4 * MS;
  tell_adopt("c2");
  VIOLATES(WALL_CLOCK_IRRELEVANT);
}

static void an_event_comes_from_the_future(void) {
  watch_begin();
  fixture.now = 5 * MS;
  tell_adopt("c1");
  fixture.now = 4 * MS;
  VIOLATES(WALL_CLOCK_IRRELEVANT);
}

/* ---- metrics-match-timeline --------------------------------------------------------------- */

static void make_traffic(void) {
  watch_prepare();
  fixture.config.max_conns_per_account = 1;
  watch_begin();
  tell_new_lease("a", "c1");
  fixture.metrics.acquire_total++;
  TELL(WSP_ACQUIRE_STARTED, .op = "b", .url = "wss://a", .values = {2 * MS});
  fixture.metrics.conn_pick_total++;
  TELL(WSP_ACQUIRE_PICKED, .op = "b", .values = {1500000});
  fixture.metrics.conn_pick_ms_total = 1;
  tell_queue("b", "c1");
}

static void each_metric_follows_from_the_timeline(void) {
  make_traffic();
  HOLDS;
}

static void a_count_has_drifted(void) {
  make_traffic();
  fixture.metrics.acquire_reuse_total++;
  VIOLATES(METRICS_MATCH_TIMELINE);
}

static void end_the_wait(int64_t waited_ms) {
  make_traffic();
  watch_go_to(fixture.now + 2 * MS);
  TELL(WSP_ACQUIRE_FAILED, .op = "b", .cause = WSP_DEADLINE_EXCEEDED, .values = {2 * MS, 0, 1});
  fixture.stats.waiting--;
  fixture.metrics.acquire_queue_wait_ms_total = waited_ms;
}

static void waits_that_fail_are_measured(void) {
  end_the_wait(2);
  HOLDS;
}

static void waits_that_fail_are_not_measured(void) {
  end_the_wait(0);
  VIOLATES(METRICS_MATCH_TIMELINE);
}

static void a_conn_leaves_that_is_not_there(void) {
  watch_begin();
  TELL(WSP_CONN_EVICTED, .conn = "c1", .cause = WSP_REASON_EVICTED);
  VIOLATES(METRICS_MATCH_TIMELINE);
}

static void a_waiter_is_still_counted(void) {
  watch_begin();
  tell_adopt("c1");
  fixture.stats.waiting = 1;
  VIOLATES(METRICS_MATCH_TIMELINE);
}

/* ---- cancel-is-no-failure ----------------------------------------------------------------- */

static void fail_a_dial(int64_t deadline, int64_t at) {
  watch_begin();
  fixture.metrics.acquire_total++;
  TELL(WSP_ACQUIRE_STARTED, .op = "a", .url = "wss://a", .values = {deadline});
  tell_dial("a", 1);
  watch_rest();
  fixture.now = at;
  TELL(WSP_DIAL_FAILED_EVENT, .op = "a", .cause = WSP_REASON_TIMEOUT, .values = {1, at});
  fixture.stats.creating = 0;
  fixture.stats.prewarm_fails = 1;
  tell_fail("a", WSP_DIAL_FAILED);
}

static void a_callers_deadline_counts_as_a_failure(void) {
  fail_a_dial(10 * MS, 10 * MS);
  VIOLATES(CANCEL_IS_NO_FAILURE);
}

static void an_upstreams_failure_counts_before_the_deadline(void) {
  fail_a_dial(10 * MS, 10 * MS - 1);
  HOLDS;
}

static void a_cancelled_dial_is_counted(void) {
  watch_begin();
  tell_start("a");
  tell_dial("a", 1);
  TELL(SIM_STEP_PERFORMED, .op = "a", .account = -1, .url = "cancel");
  TELL(WSP_DIAL_CANCELED, .op = "a", .cause = WSP_REASON_CANCELED, .values = {1});
  fixture.stats.creating = 0;
  fixture.stats.prewarm_fails = 1;
  tell_fail("a", WSP_CANCELED);
  VIOLATES(CANCEL_IS_NO_FAILURE);
}

CU_TestInfo suite_watch_books[] = {
    {"a dial goes beyond the maximum", a_dial_goes_beyond_the_maximum},
    {"a dial fills the maximum", a_dial_fills_the_maximum},
    {"adopted conns go beyond the maximum", adopted_conns_go_beyond_the_maximum},
    {"a prewarm goes beyond the maximum", a_prewarm_goes_beyond_the_maximum},
    {"a prewarmed conn comes over the maximum", a_prewarmed_conn_comes_over_the_maximum},
    {"a dial ends and keeps its place", a_dial_ends_and_keeps_its_place},
    {"a dial ends and gives its place back", a_dial_ends_and_gives_its_place_back},
    {"a dial ends twice", a_dial_ends_twice},
    {"a prewarm gives back other places than it has",
     a_prewarm_gives_back_other_places_than_it_has},
    {"a waiter has a place", a_waiter_has_a_place},
    {"a pin names no conn", a_pin_names_no_conn},
    {"a pin outlives its conn", a_pin_outlives_its_conn},
    {"pins are counted", pins_are_counted},
    {"a lease was held by another clock", a_lease_was_held_by_another_clock},
    {"a dial took time of another clock", a_dial_took_time_of_another_clock},
    {"a conn has the age of another clock", a_conn_has_the_age_of_another_clock},
    {"time runs backwards", time_runs_backwards},
    {"an event comes from the future", an_event_comes_from_the_future},
    {"each metric follows from the timeline", each_metric_follows_from_the_timeline},
    {"a count has drifted", a_count_has_drifted},
    {"waits that fail are measured", waits_that_fail_are_measured},
    {"waits that fail are not measured", waits_that_fail_are_not_measured},
    {"a conn leaves that is not there", a_conn_leaves_that_is_not_there},
    {"a waiter is still counted", a_waiter_is_still_counted},
    {"a callers deadline counts as a failure", a_callers_deadline_counts_as_a_failure},
    {"an upstreams failure counts before the deadline",
     an_upstreams_failure_counts_before_the_deadline},
    {"a cancelled dial is counted", a_cancelled_dial_is_counted},
    CU_TEST_INFO_NULL,
};
