/*
 * test_watch_wait.c - the invariants of those who wait: nobody beside what could serve them, in
 * their order, no longer than their deadline; each with a timeline that violates it, and with the
 * nearest ones that do not.
 */
#include <CUnit/CUnit.h>

#include "tests/suites.h"
#include "tests/watch_fixture.h"

#define MS WSP_MILLISECOND

/* ---- first-come-first-served -------------------------------------------------------------- */

/* a holds c1; b waits, then (at `later`) c; a gives c1 back. */
static void queue_up(int64_t later) {
  watch_prepare();
  fixture.config.max_conns_per_account = 1;
  watch_begin();
  tell_new_lease("a", "c1");
  tell_start("b");
  tell_queue("b", "c1");
  watch_go_to(fixture.now + later);
  tell_start("c");
  tell_queue("c", "c1");
  watch_go_to(fixture.now + MS);
  tell_release("a", "c1");
}

static void a_waiter_is_passed_by_a_later_one(void) {
  queue_up(MS);
  fixture.stats.waiting--;
  tell_grant("c", "c1", true);
  VIOLATES(FIRST_COME_FIRST_SERVED);
}

static void a_waiter_is_passed_by_a_newcomer(void) {
  queue_up(MS);
  tell_start("d");
  tell_grant("d", "c1", true);
  VIOLATES(FIRST_COME_FIRST_SERVED);
}

static void the_first_waiter_is_served(void) {
  queue_up(MS);
  fixture.stats.waiting--;
  tell_grant("b", "c1", true);
  HOLDS;
}

static void the_second_is_served_when_the_first_has_gone(void) {
  queue_up(MS);
  TELL(SIM_STEP_PERFORMED, .op = "b", .account = -1, .url = "cancel");
  fixture.stats.waiting -= 2;
  tell_grant("c", "c1", true);
  TELL(WSP_ACQUIRE_FAILED, .op = "b", .cause = WSP_CANCELED, .values = {0, 0, 1});
  HOLDS;
}

static void a_newcomer_dials_in_the_room_of_a_waiter(void) {
  queue_up(MS);
  tell_evict("c1", WSP_REASON_EVICTED);
  tell_start("d");
  tell_dial("d", 1);
  VIOLATES(FIRST_COME_FIRST_SERVED);
}

/* It wants a conn of its own and can not wait. */
static void one_that_forces_a_new_conn_passes(void) {
  queue_up(MS);
  tell_evict("c1", WSP_REASON_EVICTED);
  fixture.metrics.acquire_total++;
  TELL(WSP_ACQUIRE_STARTED, .op = "d", .url = "wss://a", .values = {0, 1, WSP_FLAG_FORCE_NEW_CONN});
  tell_dial("d", 1);
  HOLDS;
}

CU_TestInfo suite_watch_wait[] = {
    {"a waiter is passed by a later one", a_waiter_is_passed_by_a_later_one},
    {"a waiter is passed by a newcomer", a_waiter_is_passed_by_a_newcomer},
    {"the first waiter is served", the_first_waiter_is_served},
    {"the second is served when the first has gone", the_second_is_served_when_the_first_has_gone},
    {"a newcomer dials in the room of a waiter", a_newcomer_dials_in_the_room_of_a_waiter},
    {"one that forces a new conn passes", one_that_forces_a_new_conn_passes},
    CU_TEST_INFO_NULL,
};
