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

/* ---- no-waiter-beside-idle-conn ----------------------------------------------------------- */

static void a_waiter_stays_beside_an_idle_conn(void) {
  watch_prepare();
  fixture.config.max_conns_per_account = 2;
  watch_begin();
  tell_new_lease("a", "c1");
  tell_new_lease("b", "c2");
  tell_start("w");
  tell_queue("w", "c1");
  tell_release("b", "c2");
  VIOLATES(NO_WAITER_BESIDE_IDLE_CONN);
}

static void one_that_wants_a_certain_conn_waits_beside_others(const char *wanted) {
  watch_prepare();
  fixture.config.max_conns_per_account = 2;
  watch_begin();
  tell_new_lease("a", "c1");
  tell_new_lease("b", "c2");
  fixture.metrics.acquire_total++;
  TELL(WSP_ACQUIRE_STARTED, .op = "w", .url = "wss://a",
       .values = {0, 2, WSP_FLAG_FORCE_PREFERRED_CONN});
  tell_queue("w", wanted);
  tell_release("b", "c2");
}

static void a_strict_waiter_stays_beside_its_conn(void) {
  one_that_wants_a_certain_conn_waits_beside_others("c2");
  VIOLATES(NO_WAITER_BESIDE_IDLE_CONN);
}

static void a_strict_waiter_stays_beside_another_conn(void) {
  one_that_wants_a_certain_conn_waits_beside_others("c1");
  HOLDS;
}

/* Within the instant nobody has been told yet. */
static void a_waiter_is_served_before_the_instant_is_over(void) {
  queue_up(MS);
  watch_return();
  fixture.stats.waiting--;
  tell_grant("b", "c1", true);
  HOLDS;
}

/* ---- no-waiter-beside-room, close-delays-no-acquire --------------------------------------- */

/* The only conn of two places leaves; w waits. */
static void wait_beside_room(int64_t maximum, bool confirmed) {
  watch_prepare();
  fixture.config.max_conns_per_account = maximum;
  watch_begin();
  tell_new_lease("a", "c1");
  tell_start("w");
  tell_queue("w", "c1");
  tell_evict("c1", WSP_REASON_MARKED_BROKEN);
  TELL(WSP_LEASE_LOST, .op = "a", .conn = "c1", .cause = WSP_REASON_MARKED_BROKEN);
  if (confirmed) {
    TELL(WSP_CONN_CLOSED_EVENT, .conn = "c1", .cause = WSP_REASON_MARKED_BROKEN);
  }
}

static void a_waiter_stays_beside_room(void) {
  wait_beside_room(1, true);
  VIOLATES(NO_WAITER_BESIDE_ROOM);
}

static void a_waiter_waits_for_anothers_close(void) {
  wait_beside_room(1, false);
  VIOLATES(CLOSE_DELAYS_NO_ACQUIRE);
}

static void a_waiter_uses_the_room(void) {
  wait_beside_room(1, false);
  fixture.stats.waiting--;
  tell_dial("w", 1);
  HOLDS;
}

static void a_waiter_stays_beside_a_conn_of_another_url(bool pinned) {
  watch_prepare();
  fixture.config.max_conns_per_account = 1;
  watch_begin();
  tell_new_lease("a", "c1");
  fixture.metrics.acquire_total++;
  TELL(WSP_ACQUIRE_STARTED, .op = "w", .url = "wss://b");
  tell_queue("w", "c1");
  if (pinned) {
    TELL(WSP_CONN_PINNED, .conn = "c1", .values = {1});
  }
  tell_release("a", "c1");
}

static void a_useless_conn_is_kept_beside_a_waiter(void) {
  a_waiter_stays_beside_a_conn_of_another_url(false);
  VIOLATES(NO_WAITER_BESIDE_ROOM);
}

static void a_useless_conn_is_pinned_beside_a_waiter(void) {
  a_waiter_stays_beside_a_conn_of_another_url(true);
  HOLDS;
}

static void wait_for_a_turn_to_dial(bool first_is_over) {
  watch_prepare();
  fixture.config.max_connecting = 1;
  watch_begin();
  tell_start("a");
  tell_dial("a", 1);
  tell_start("b");
  tell_queue("b", NULL);
  fixture.stats.creating++; /* b has a place */
  watch_rest();
  if (first_is_over) {
    tell_open("a", 1, "c1");
    tell_grant("a", "c1", false);
  }
}

static void a_turn_to_dial_is_not_taken(void) {
  wait_for_a_turn_to_dial(true);
  VIOLATES(NO_WAITER_BESIDE_ROOM);
}

static void a_turn_to_dial_is_waited_for(void) {
  wait_for_a_turn_to_dial(false);
  HOLDS;
}

/* ---- acquire-ends-by-deadline ------------------------------------------------------------- */

static void wait_until(int64_t now) {
  watch_prepare();
  fixture.config.max_conns_per_account = 1;
  watch_begin();
  tell_new_lease("a", "c1");
  fixture.metrics.acquire_total++;
  TELL(WSP_ACQUIRE_STARTED, .op = "w", .url = "wss://a", .values = {10 * MS});
  tell_queue("w", "c1");
  watch_go_to(now);
}

static void an_acquire_outlives_its_deadline(void) {
  wait_until(10 * MS);
  VIOLATES(ACQUIRE_ENDS_BY_DEADLINE);
}

static void an_acquire_is_pending_just_before_its_deadline(void) {
  wait_until(10 * MS - 1);
  HOLDS;
}

static void an_acquire_ends_at_its_deadline(void) {
  wait_until(10 * MS);
  fixture.stats.waiting--;
  TELL(WSP_ACQUIRE_FAILED, .op = "w", .cause = WSP_DEADLINE_EXCEEDED, .values = {0, 0, 1});
  HOLDS;
}

CU_TestInfo suite_watch_wait[] = {
    {"a waiter is passed by a later one", a_waiter_is_passed_by_a_later_one},
    {"a waiter is passed by a newcomer", a_waiter_is_passed_by_a_newcomer},
    {"the first waiter is served", the_first_waiter_is_served},
    {"the second is served when the first has gone", the_second_is_served_when_the_first_has_gone},
    {"a newcomer dials in the room of a waiter", a_newcomer_dials_in_the_room_of_a_waiter},
    {"one that forces a new conn passes", one_that_forces_a_new_conn_passes},
    {"a waiter stays beside an idle conn", a_waiter_stays_beside_an_idle_conn},
    {"a strict waiter stays beside its conn", a_strict_waiter_stays_beside_its_conn},
    {"a strict waiter stays beside another conn", a_strict_waiter_stays_beside_another_conn},
    {"a waiter is served before the instant is over",
     a_waiter_is_served_before_the_instant_is_over},
    {"a waiter stays beside room", a_waiter_stays_beside_room},
    {"a waiter waits for anothers close", a_waiter_waits_for_anothers_close},
    {"a waiter uses the room", a_waiter_uses_the_room},
    {"a useless conn is kept beside a waiter", a_useless_conn_is_kept_beside_a_waiter},
    {"a useless conn is pinned beside a waiter", a_useless_conn_is_pinned_beside_a_waiter},
    {"a turn to dial is not taken", a_turn_to_dial_is_not_taken},
    {"a turn to dial is waited for", a_turn_to_dial_is_waited_for},
    {"an acquire outlives its deadline", an_acquire_outlives_its_deadline},
    {"an acquire is pending just before its deadline",
     an_acquire_is_pending_just_before_its_deadline},
    {"an acquire ends at its deadline", an_acquire_ends_at_its_deadline},
    CU_TEST_INFO_NULL,
};
