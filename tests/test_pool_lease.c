/*
 * test_pool_lease.c - leases: what a released, stale or zero one does, what nothing of one lease
 * leaves to the next.
 */
#include "tests/pool_fixture.h"
#include "tests/suites.h"

static void open_one(struct rig *rig) {
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 1;
  rig_open(rig, &config);
}

static void check_zero_getters(struct wsp_lease lease) {
  CU_ASSERT_FALSE(wsp_lease_valid(lease));
  CHECK_TEXT(wsp_lease_conn_id(lease), "");
  CU_ASSERT_EQUAL(wsp_lease_queue_wait(lease), 0);
  CU_ASSERT_EQUAL(wsp_lease_conn_pick(lease), 0);
  CU_ASSERT_FALSE(wsp_lease_reused(lease));
  CHECK_TEXT(wsp_lease_handshake_header(lease, "x-test"), "");
  CU_ASSERT_FALSE(wsp_lease_is_prewarmed(lease));
}

static const rig_io_function io_functions[] = {wsp_lease_write_json, wsp_lease_read,
                                               wsp_lease_ping};

static void zero_lease_has_zero_values(void) {
  struct wsp_lease lease = {NULL, 0, 0};
  check_zero_getters(lease);
  wsp_lease_mark_prewarmed(lease, 0);
  wsp_lease_mark_broken(lease, 0);
  wsp_lease_release(lease, 0);
  wsp_op_cancel((struct wsp_op){NULL, 0, 0}, 0);
}

static void zero_lease_reads_and_writes_nothing(void) {
  struct rig rig;
  rig_open_empty(&rig);
  for (int i = 0; i < 3; i++) {
    enum wsp_error code;
    struct ending *ending =
        rig_io_coded(&rig, io_functions[i], &(struct wsp_io_request){.timeout = SECOND}, &code);
    CU_ASSERT_EQUAL(code, WSP_CONN_CLOSED);
    CHECK_PENDING(ending);
    CU_ASSERT_PTR_NULL(ending->op.pool);
  }
}

static void check_io_is_closed(struct rig *rig, struct wsp_lease lease) {
  for (int i = 0; i < 3; i++) {
    struct ending *ending = rig_io(rig, io_functions[i], lease, SECOND);
    rig_settle(rig);
    CHECK_ENDED(ending, WSP_CONN_CLOSED, rig->now);
    CHECK_TEXT(ending->text, "connection closed");
  }
}

static void released_lease_guards(void) {
  struct rig rig;
  open_one(&rig);
  struct ending *granted = rig_dialled(&rig);
  struct stub_conn *conn = rig.conns[0];
  struct ending *ping = rig_io(&rig, wsp_lease_ping, granted->lease, 50 * MS);
  stub_ping_done(&rig, conn, WSP_OK, NULL);
  rig_settle(&rig);
  CHECK_ENDED(ping, WSP_OK, 0);
  rig_release(&rig, granted);
  rig_release(&rig, granted);
  check_zero_getters(granted->lease);
  check_io_is_closed(&rig, granted->lease);
  CU_ASSERT_EQUAL(conn->writes + conn->reads, 0);
  CU_ASSERT_EQUAL(conn->pings, 1);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 1, 0, 0, 0);
  rig_close(&rig);
}

static void stale_lease_does_not_touch_the_next(void) {
  struct rig rig;
  open_one(&rig);
  struct ending *first = rig_dialled(&rig);
  rig_release(&rig, first);
  struct ending *second = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  wsp_lease_release(first->lease, 0);
  wsp_lease_mark_broken(first->lease, 0);
  wsp_lease_mark_prewarmed(first->lease, 0);
  rig_settle(&rig);
  CU_ASSERT(wsp_lease_valid(second->lease));
  CU_ASSERT_FALSE(wsp_lease_is_prewarmed(second->lease));
  check_io_is_closed(&rig, first->lease);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 0, 0);
  rig_close(&rig);
}

static void mark_broken_evicts(void) {
  struct rig rig;
  open_one(&rig);
  struct ending *granted = rig_dialled(&rig);
  wsp_lease_mark_broken(granted->lease, 0);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "oa_ws_1_1"));
  CU_ASSERT(rig.conns[0]->closing);
  check_zero_getters(granted->lease);
  wsp_lease_mark_broken(granted->lease, 0);
  wsp_lease_release(granted->lease, 0);
  rig_settle(&rig);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
  CU_ASSERT_EQUAL(rig_count_because(&rig, WSP_CONN_EVICTED, WSP_REASON_MARKED_BROKEN), 1);
  rig_close(&rig);
}

static void mark_broken_after_release_does_nothing(void) {
  struct rig rig;
  open_one(&rig);
  struct ending *granted = rig_dialled(&rig);
  rig_release(&rig, granted);
  wsp_lease_mark_broken(granted->lease, 0);
  rig_settle(&rig);
  CU_ASSERT(rig_has_conn(&rig, "oa_ws_1_1"));
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 1, 0, 0, 0);
  rig_close(&rig);
}

static void getters_tell_of_the_lease(void) {
  struct rig rig;
  open_one(&rig);
  rig.pick_step = 4 * MS;
  struct ending *granted = rig_dialled(&rig);
  CHECK_TEXT(wsp_lease_conn_id(granted->lease), "oa_ws_1_1");
  CU_ASSERT_EQUAL(wsp_lease_conn_pick(granted->lease), 4 * MS);
  CU_ASSERT_EQUAL(granted->conn_pick, 4 * MS);
  CU_ASSERT_FALSE(wsp_lease_reused(granted->lease));
  CU_ASSERT_FALSE(wsp_lease_is_prewarmed(granted->lease));
  wsp_lease_mark_prewarmed(granted->lease, 0);
  CU_ASSERT(wsp_lease_is_prewarmed(granted->lease));
  struct ending *waiter = rig_acquire(&rig, NULL);
  rig.now = 3 * MS;
  rig_release(&rig, granted);
  CU_ASSERT_EQUAL(wsp_lease_queue_wait(waiter->lease), 3 * MS);
  CU_ASSERT_EQUAL(wsp_lease_conn_pick(waiter->lease), 4 * MS);
  CU_ASSERT(wsp_lease_reused(waiter->lease));
  CU_ASSERT(wsp_lease_is_prewarmed(waiter->lease)); /* it stays with the conn */
  CU_ASSERT_EQUAL(rig_metrics(&rig).conn_pick_ms_total, 8);
  CU_ASSERT(rig_conn(&rig, "oa_ws_1_1").prewarmed);
  rig_close(&rig);
}

static void pick_time_is_never_negative(void) {
  struct rig rig;
  open_one(&rig);
  rig.pick_step = -10 * MS;
  struct ending *granted = rig_dialled(&rig);
  CU_ASSERT_EQUAL(granted->conn_pick, 0);
  CU_ASSERT_EQUAL(rig_metrics(&rig).conn_pick_ms_total, 0);
  CU_ASSERT_EQUAL(rig_metrics(&rig).conn_pick_total, 1);
  rig_close(&rig);
}

static void release_touches_the_conn(void) {
  struct rig rig;
  open_one(&rig);
  struct ending *granted = rig_dialled(&rig);
  rig.now = 9 * MS;
  rig_release(&rig, granted);
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_1").last_used_at, 9 * MS);
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_1").created_at, 0);
  rig_close(&rig);
}

static void release_ends_what_is_pending(void) {
  for (int what = 0; what < 3; what++) {
    struct rig rig;
    open_one(&rig);
    struct ending *granted = rig_dialled(&rig);
    struct ending *ending = rig_io(&rig, io_functions[what], granted->lease, 0);
    rig.now = MS;
    rig_release(&rig, granted);
    CHECK_ENDED(ending, WSP_CONN_CLOSED, MS);
    /* A ping leaves nothing on the wire that the next borrower could get. */
    CU_ASSERT_EQUAL(rig_has_conn(&rig, "oa_ws_1_1"), what == 2);
    if (what != 2) {
      CU_ASSERT_EQUAL(rig_last(&rig, WSP_CONN_EVICTED).cause, WSP_REASON_PENDING_IO);
    }
    CU_ASSERT_EQUAL(rig_count(&rig, WSP_LEASE_RELEASED), 1);
    CU_ASSERT_EQUAL(rig_count(&rig, WSP_LEASE_LOST), 0);
    rig_close(&rig);
  }
}

static void pending_io_at_release_closes_and_dials_for_the_waiter(void) {
  struct rig rig;
  open_one(&rig);
  struct ending *granted = rig_dialled(&rig);
  rig_io(&rig, wsp_lease_read, granted->lease, 0);
  struct ending *waiter = rig_acquire(&rig, NULL);
  rig_release(&rig, granted);
  CHECK_PENDING(waiter);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  rig_close(&rig);
}

static void unread_message_closes_at_release(void) {
  struct rig rig;
  open_one(&rig);
  struct ending *granted = rig_dialled(&rig);
  stub_message(&rig, rig.conns[0], "nobody read this");
  rig_release(&rig, granted);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "oa_ws_1_1"));
  CU_ASSERT_EQUAL(rig_last(&rig, WSP_CONN_EVICTED).cause, WSP_REASON_UNREAD_MESSAGE);
  rig_close(&rig);
}

/* The read has its message, but it is not delivered: it ends with the lease. */
static void completed_read_at_release(void) {
  struct rig rig;
  open_one(&rig);
  struct ending *granted = rig_dialled(&rig);
  struct ending *read = rig_io(&rig, wsp_lease_read, granted->lease, 0);
  stub_read_done(&rig, rig.conns[0], WSP_OK, NULL, "m");
  wsp_lease_release(granted->lease, 0);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(read->count, 1);
  CU_ASSERT(read->error == WSP_OK || read->error == WSP_CONN_CLOSED);
  CU_ASSERT_EQUAL(wsp_pool_pending(rig.pool), 0);
  rig_close(&rig);
}

static void unsolicited_on_an_idle_conn_closes_it(void) {
  struct rig rig;
  open_one(&rig);
  struct stub_conn *conn = rig_idle(&rig);
  stub_message(&rig, conn, "unasked");
  CU_ASSERT_FALSE(rig_has_conn(&rig, "oa_ws_1_1"));
  CU_ASSERT(conn->closing);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(rig_last(&rig, WSP_CONN_EVICTED).cause, WSP_REASON_UNSOLICITED_MESSAGE);
  conn = rig_idle(&rig);
  stub_closed(&rig, conn, 1000, NULL);
  CU_ASSERT_FALSE(rig_has_conn(&rig, "oa_ws_1_2"));
  CU_ASSERT_EQUAL(rig_last(&rig, WSP_CONN_EVICTED).cause, WSP_REASON_PEER_CLOSED);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
  rig_close(&rig);
}

static void message_under_an_undelivered_grant_is_nobodys(void) {
  struct rig rig;
  open_one(&rig);
  struct ending *granted = rig_acquire(&rig, NULL);
  struct stub_conn *conn = stub_dial_ok(&rig, rig_last_dial(&rig));
  stub_message(&rig, conn, "greeting"); /* before its borrower could have asked */
  rig_settle(&rig);
  CHECK_PENDING(granted);
  CU_ASSERT(conn->closed);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  rig_close(&rig);
}

static void late_answers_find_nobody(void) {
  struct rig rig;
  open_one(&rig);
  rig.hold_closes = true;
  struct ending *granted = rig_dialled(&rig);
  struct stub_conn *conn = rig.conns[0];
  rig_io(&rig, wsp_lease_read, granted->lease, 0);
  rig_io(&rig, wsp_lease_write_json, granted->lease, 0);
  wsp_lease_mark_broken(granted->lease, 0);
  stub_read_done(&rig, conn, WSP_OK, NULL, "late"); /* the conn is closing */
  stub_write_done(&rig, conn, WSP_OK, NULL);
  stub_message(&rig, conn, "late");
  stub_ping_done(&rig, conn, WSP_OK, NULL);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(wsp_pool_pending(rig.pool), 1); /* the close */
  stub_closed(&rig, conn, 1000, NULL);
  stub_closed(&rig, conn, 1000, NULL); /* under a name that has ended */
  stub_message(&rig, conn, "later still");
  CU_ASSERT_EQUAL(wsp_pool_pending(rig.pool), 0);
  rig_settle(&rig);
  rig_close(&rig);
}

CU_TestInfo suite_pool_lease[] = {
    {"TestOpenAIWSConnLease_BasicGetterBranches: a zero lease has zero values",
     zero_lease_has_zero_values},
    {"TestOpenAIWSConnLease_ReadWriteNilConnBranches: operations on a zero lease give conn_closed",
     zero_lease_reads_and_writes_nothing},
    {"TestOpenAIWSConnLease_ReleasedLeaseGuards: a released lease gives conn_closed and zero "
     "values",
     released_lease_guards},
    {"a stale lease does not touch the next borrower's", stale_lease_does_not_touch_the_next},
    {"TestOpenAIWSConnLease_MarkBrokenEvictsConn: mark_broken evicts and closes",
     mark_broken_evicts},
    {"TestOpenAIWSConnLease_MarkBrokenAfterRelease_NoEviction: after release it does nothing",
     mark_broken_after_release_does_nothing},
    {"TestOpenAIWSConnLease_BasicGetterBranches: getters tell of the lease",
     getters_tell_of_the_lease},
    {"TestOpenAIWSConnPool_UtilityBranches: the time of a pick is never negative",
     pick_time_is_never_negative},
    {"TestOpenAIWSConn_LeaseAndTimeHelpers_NilAndClosedBranches: release touches the conn",
     release_touches_the_conn},
    {"operations pending at release end; a read or write closes the conn, a ping does not",
     release_ends_what_is_pending},
    {"a conn closed at release makes room for the waiter",
     pending_io_at_release_closes_and_dials_for_the_waiter},
    {"a message that nobody read closes the conn at release", unread_message_closes_at_release},
    {"a read with its message in hand ends once at release", completed_read_at_release},
    {"what a peer says or closes on an idle conn closes it", unsolicited_on_an_idle_conn_closes_it},
    {"a message before the grant is delivered is nobody's",
     message_under_an_undelivered_grant_is_nobodys},
    {"late answers of a closed conn find nobody", late_answers_find_nobody},
    CU_TEST_INFO_NULL,
};
