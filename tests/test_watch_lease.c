/*
 * test_watch_lease.c - the invariants of leases: one for each conn, ended by those who may, nothing
 * left of them; each with a timeline that violates it, and with the nearest ones that do not.
 */
#include <CUnit/CUnit.h>

#include "tests/suites.h"
#include "tests/watch_fixture.h"

#define MS WSP_MILLISECOND

/* ---- one-lease-per-conn ------------------------------------------------------------------- */

static void a_conn_is_lent_twice(void) {
  watch_begin();
  tell_new_lease("a", "c1");
  tell_start("b");
  tell_grant("b", "c1", true);
  VIOLATES(ONE_LEASE_PER_CONN);
}

static void a_conn_is_lent_again_after_its_release(void) {
  watch_begin();
  tell_new_lease("a", "c1");
  tell_release("a", "c1");
  tell_start("b");
  tell_grant("b", "c1", true);
  HOLDS;
}

static void a_lease_ends_that_its_holder_has_not(void) {
  watch_begin();
  tell_new_lease("a", "c1");
  tell_new_lease("b", "c2");
  tell_release("a", "c2");
  VIOLATES(ONE_LEASE_PER_CONN);
}

static void a_conn_is_leased_by_nobody(void) {
  watch_begin();
  tell_new_lease("a", "c1");
  tell_release("a", "c1");
  fixture.stats.leased = 1;
  VIOLATES(ONE_LEASE_PER_CONN);
}

static void a_fresh_conn_whose_caller_has_gone_is_freed(void) {
  watch_begin();
  tell_start("a");
  tell_dial("a", 1);
  watch_rest();
  tell_open("a", 1, "c1");
  TELL(SIM_STEP_PERFORMED, .op = "a", .account = -1, .url = "cancel");
  TELL(WSP_CONN_FREED, .conn = "c1");
  fixture.stats.leased--;
  tell_fail("a", WSP_CANCELED);
  HOLDS;
}

/* ---- leased-conn-not-closed --------------------------------------------------------------- */

static void a_lent_conn_leaves(enum wsp_reason reason, bool by_peer) {
  watch_begin();
  tell_new_lease("a", "c1");
  if (by_peer) {
    TELL(SIM_PEER_CLOSED, .conn = "c1");
  }
  tell_evict("c1", reason);
  TELL(WSP_LEASE_LOST, .op = "a", .conn = "c1", .cause = reason);
}

static void a_lent_conn_is_rotated(void) {
  a_lent_conn_leaves(WSP_REASON_MAX_AGE, false);
  VIOLATES(LEASED_CONN_NOT_CLOSED);
}

static void a_lent_conn_is_closed_by_a_ping(void) {
  a_lent_conn_leaves(WSP_REASON_PING_FAILED, false);
  VIOLATES(LEASED_CONN_NOT_CLOSED);
}

static void a_lent_conn_is_closed_by_nobody(void) {
  a_lent_conn_leaves(WSP_REASON_PEER_CLOSED, false);
  VIOLATES(LEASED_CONN_NOT_CLOSED);
}

static void a_lent_conn_is_closed_by_its_peer(void) {
  a_lent_conn_leaves(WSP_REASON_PEER_CLOSED, true);
  HOLDS;
}

static void a_lent_conn_is_evicted_by_order(void) {
  a_lent_conn_leaves(WSP_REASON_EVICTED, false);
  HOLDS;
}

static void a_sweep_pings_a_lent_conn(void) {
  watch_begin();
  tell_new_lease("a", "c1");
  TELL(WSP_PING_STARTED, .conn = "c1", .cause = WSP_REASON_SWEEP);
  VIOLATES(LEASED_CONN_NOT_CLOSED);
}

/* ---- nothing-after-release ---------------------------------------------------------------- */

static void a_read_succeeds_after_the_release(int64_t later) {
  watch_begin();
  tell_new_lease("a", "c1");
  TELL(WSP_READ_STARTED, .op = "r", .conn = "c1");
  watch_rest();
  tell_release("a", "c1");
  watch_return();
  if (later > 0) {
    watch_go_to(fixture.now + later);
  }
  TELL(WSP_READ_SUCCEEDED, .op = "r", .conn = "c1");
}

static void a_read_of_an_old_lease_succeeds(void) {
  a_read_succeeds_after_the_release(MS);
  VIOLATES(NOTHING_AFTER_RELEASE);
}

/* It had its answer before the release. */
static void a_read_succeeds_at_the_instant_of_the_release(void) {
  a_read_succeeds_after_the_release(0);
  HOLDS;
}

static void a_read_succeeds_after_the_conn_has_gone(int64_t later) {
  watch_begin();
  tell_new_lease("a", "c1");
  TELL(WSP_READ_STARTED, .op = "r", .conn = "c1");
  watch_rest();
  TELL(SIM_PEER_CLOSED, .conn = "c1");
  tell_evict("c1", WSP_REASON_PEER_CLOSED);
  TELL(WSP_LEASE_LOST, .op = "a", .conn = "c1", .cause = WSP_REASON_PEER_CLOSED);
  TELL(WSP_CONN_CLOSED_EVENT, .conn = "c1", .cause = WSP_REASON_PEER_CLOSED);
  watch_return();
  if (later > 0) {
    watch_go_to(fixture.now + later);
  }
  TELL(WSP_READ_SUCCEEDED, .op = "r");
}

/* The message had come before the peer closed. */
static void a_read_succeeds_at_the_instant_in_which_the_conn_has_gone(void) {
  a_read_succeeds_after_the_conn_has_gone(0);
  HOLDS;
}

static void a_read_succeeds_long_after_the_conn_has_gone(void) {
  a_read_succeeds_after_the_conn_has_gone(MS);
  VIOLATES(NOTHING_AFTER_RELEASE);
}

static void a_pending_read_is_lent_along(void) {
  watch_begin();
  tell_new_lease("a", "c1");
  TELL(WSP_READ_STARTED, .op = "r", .conn = "c1");
  tell_release("a", "c1");
  tell_start("b");
  tell_grant("b", "c1", true);
  VIOLATES(NOTHING_AFTER_RELEASE);
}

static void a_message_is_lent_along(void) {
  watch_begin();
  tell_new_lease("a", "c1");
  TELL(WSP_MESSAGE_BUFFERED, .op = "a", .conn = "c1");
  tell_release("a", "c1");
  tell_start("b");
  tell_grant("b", "c1", true);
  VIOLATES(NOTHING_AFTER_RELEASE);
}

static void a_message_that_was_read_is_gone(void) {
  watch_begin();
  tell_new_lease("a", "c1");
  TELL(WSP_MESSAGE_BUFFERED, .op = "a", .conn = "c1");
  TELL(WSP_READ_STARTED, .op = "r", .conn = "c1");
  TELL(WSP_READ_SUCCEEDED, .op = "r", .conn = "c1");
  tell_release("a", "c1");
  tell_start("b");
  tell_grant("b", "c1", true);
  HOLDS;
}

static void lend_to_the_next(const char *step) {
  watch_begin();
  tell_new_lease("a", "c1");
  tell_release("a", "c1");
  tell_start("b");
  tell_grant("b", "c1", true);
  watch_rest();
  TELL(SIM_STEP_PERFORMED, .op = "a", .account = -1, .url = step);
}

static void a_second_release_takes_the_next_lease(void) {
  lend_to_the_next("release");
  tell_release("b", "c1");
  VIOLATES(NOTHING_AFTER_RELEASE);
}

/* That of b comes by itself, in a call of its own. */
static void a_second_release_does_nothing(void) {
  lend_to_the_next("release");
  watch_return();
  tell_release("b", "c1");
  HOLDS;
}

static void an_old_lease_breaks_the_next_one(void) {
  lend_to_the_next("mark_broken");
  tell_evict("c1", WSP_REASON_MARKED_BROKEN);
  TELL(WSP_LEASE_LOST, .op = "b", .conn = "c1", .cause = WSP_REASON_MARKED_BROKEN);
  VIOLATES(NOTHING_AFTER_RELEASE);
}

static void an_old_lease_marks_the_next_one(void) {
  lend_to_the_next("mark_prewarmed");
  TELL(WSP_CONN_PREWARMED, .op = "b", .conn = "c1");
  VIOLATES(NOTHING_AFTER_RELEASE);
}

static void an_old_lease_writes(void) {
  lend_to_the_next("write");
  TELL(WSP_WRITE_STARTED, .op = "w", .account = -1);
  TELL(WSP_WRITE_SUCCEEDED, .op = "w", .account = -1);
  VIOLATES(NOTHING_AFTER_RELEASE);
}

/* ---- trim-spares-used-conns --------------------------------------------------------------- */

static void a_pinned_conn_is_taken(void) {
  watch_begin();
  tell_adopt("c1");
  TELL(WSP_CONN_PINNED, .conn = "c1", .values = {1});
  TELL(WSP_CONN_EVICTED, .conn = "c1", .cause = WSP_REASON_ROOM, .values = {0, 0, 1});
  VIOLATES(TRIM_SPARES_USED_CONNS);
}

static void a_pinned_conn_is_evicted_by_order(void) {
  watch_begin();
  tell_adopt("c1");
  TELL(WSP_CONN_PINNED, .conn = "c1", .values = {1});
  fixture.stats.conns--;
  TELL(WSP_CONN_EVICTED, .conn = "c1", .cause = WSP_REASON_EVICTED, .values = {0, 0, 1});
  HOLDS;
}

static void a_conn_that_somebody_is_to_get_is_trimmed(void) {
  watch_begin();
  tell_start("a");
  tell_dial("a", 1);
  tell_open("a", 1, "c1");
  tell_evict("c1", WSP_REASON_MAX_IDLE);
  VIOLATES(TRIM_SPARES_USED_CONNS);
}

static void a_ping_ends_what_was_used_meanwhile(bool used) {
  watch_begin();
  tell_new_lease("a", "c1");
  tell_release("a", "c1");
  watch_rest();
  TELL(WSP_PING_STARTED, .conn = "c1", .cause = WSP_REASON_SWEEP);
  if (used) {
    tell_start("b");
    tell_grant("b", "c1", true);
    tell_release("b", "c1");
  }
  TELL(WSP_PING_FAILED_EVENT, .conn = "c1", .cause = WSP_REASON_TIMEOUT);
  tell_evict("c1", WSP_REASON_PING_FAILED);
}

static void a_sweep_ends_a_conn_that_was_used_meanwhile(void) {
  a_ping_ends_what_was_used_meanwhile(true);
  VIOLATES(TRIM_SPARES_USED_CONNS);
}

static void a_sweep_ends_a_conn_that_was_idle_all_along(void) {
  a_ping_ends_what_was_used_meanwhile(false);
  HOLDS;
}

CU_TestInfo suite_watch_lease[] = {
    {"a conn is lent twice", a_conn_is_lent_twice},
    {"a conn is lent again after its release", a_conn_is_lent_again_after_its_release},
    {"a lease ends that its holder has not", a_lease_ends_that_its_holder_has_not},
    {"a conn is leased by nobody", a_conn_is_leased_by_nobody},
    {"a fresh conn whose caller has gone is freed", a_fresh_conn_whose_caller_has_gone_is_freed},
    {"a lent conn is rotated", a_lent_conn_is_rotated},
    {"a lent conn is closed by a ping", a_lent_conn_is_closed_by_a_ping},
    {"a lent conn is closed by nobody", a_lent_conn_is_closed_by_nobody},
    {"a lent conn is closed by its peer", a_lent_conn_is_closed_by_its_peer},
    {"a lent conn is evicted by order", a_lent_conn_is_evicted_by_order},
    {"a sweep pings a lent conn", a_sweep_pings_a_lent_conn},
    {"a read of an old lease succeeds", a_read_of_an_old_lease_succeeds},
    {"a read succeeds at the instant of the release",
     a_read_succeeds_at_the_instant_of_the_release},
    {"a read succeeds at the instant in which the conn has gone",
     a_read_succeeds_at_the_instant_in_which_the_conn_has_gone},
    {"a read succeeds long after the conn has gone", a_read_succeeds_long_after_the_conn_has_gone},
    {"a pending read is lent along", a_pending_read_is_lent_along},
    {"a message is lent along", a_message_is_lent_along},
    {"a message that was read is gone", a_message_that_was_read_is_gone},
    {"a second release takes the next lease", a_second_release_takes_the_next_lease},
    {"a second release does nothing", a_second_release_does_nothing},
    {"an old lease breaks the next one", an_old_lease_breaks_the_next_one},
    {"an old lease marks the next one", an_old_lease_marks_the_next_one},
    {"an old lease writes", an_old_lease_writes},
    {"a pinned conn is taken", a_pinned_conn_is_taken},
    {"a pinned conn is evicted by order", a_pinned_conn_is_evicted_by_order},
    {"a conn that somebody is to get is trimmed", a_conn_that_somebody_is_to_get_is_trimmed},
    {"a sweep ends a conn that was used meanwhile", a_sweep_ends_a_conn_that_was_used_meanwhile},
    {"a sweep ends a conn that was idle all along", a_sweep_ends_a_conn_that_was_idle_all_along},
    CU_TEST_INFO_NULL,
};
