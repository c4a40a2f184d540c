/*
 * test_pool_dial.c - how the dial of an acquire ends: success, failure, timeout, the caller's own
 * end; and what is left of it.
 */
#include "tests/pool_fixture.h"
#include "tests/suites.h"

static void failure_has_status_cause_and_headers(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct ending *ending = rig_acquire(&rig, NULL);
  rig.now = 20 * MS;
  stub_dial_failed(&rig, rig_last_dial(&rig), 503, "busy");
  rig_settle(&rig);
  CHECK_FAILED(ending, WSP_DIAL_FAILED, 20 * MS);
  CHECK_TEXT(ending->text, "dial failed: status=503: busy");
  CU_ASSERT_EQUAL(ending->status, 503);
  CHECK_TEXT(ending->cause, "busy");
  CHECK_TEXT(ending->message, "Retry-After: 7");
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).prewarm_fails, 1);
  rig_close(&rig);
}

static void failure_without_status(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct ending *ending = rig_acquire(&rig, NULL);
  stub_dial_failed(&rig, rig_last_dial(&rig), 0, "refused");
  struct ending *silent = rig_acquire(&rig, NULL);
  stub_dial_failed(&rig, rig_last_dial(&rig), 0, NULL);
  rig_settle(&rig);
  CHECK_TEXT(ending->text, "dial failed: refused");
  CU_ASSERT_EQUAL(ending->status, 0);
  CHECK_TEXT(silent->text, "dial failed");
  CHECK_TEXT(silent->cause, "");
  rig_close(&rig);
}

static void success_without_a_conn(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct ending *ending = rig_acquire(&rig, NULL);
  stub_dial_nil(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CHECK_FAILED(ending, WSP_DIAL_FAILED, 0);
  CHECK_TEXT(ending->text, "dial failed: status=200: nil connection");
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
  rig_close(&rig);
}

static void transport_that_can_not_start_it(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  rig.refuse_dial = WSP_DIAL_FAILED;
  struct ending *refused = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CHECK_FAILED(refused, WSP_DIAL_FAILED, 0);
  rig.refuse_dial = WSP_OUT_OF_MEMORY;
  struct ending *no_memory = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CHECK_FAILED(no_memory, WSP_OUT_OF_MEMORY, 0);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).prewarm_fails, 1); /* no failure of the upstream */
  CU_ASSERT_EQUAL(wsp_pool_pending(rig.pool), 0);
  rig_close(&rig);
}

static void timeout_ends_the_dial(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct ending *ending = rig_acquire(&rig, NULL);
  rig_run(&rig, 10 * SECOND - 1);
  CHECK_PENDING(ending);
  rig_run(&rig, 10 * SECOND);
  CHECK_FAILED(ending, WSP_DIAL_FAILED, 10 * SECOND);
  CHECK_TEXT(ending->text, "dial failed: timeout");
  CU_ASSERT(rig_last_dial(&rig)->canceled);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).prewarm_fails, 1);
  rig_close(&rig);
}

/* In one instant: first the answer, then advance, and the other way round. */
static void timeout_beats_success(void) {
  for (int answer_first = 0; answer_first < 2; answer_first++) {
    struct rig rig;
    rig_open(&rig, NULL);
    struct ending *ending = rig_acquire(&rig, NULL);
    rig.now = 10 * SECOND;
    if (!answer_first) {
      wsp_pool_advance(rig.pool, rig.now);
    }
    const struct stub_conn *conn = stub_dial_ok(&rig, rig_last_dial(&rig));
    rig_settle(&rig);
    CU_ASSERT(conn->dropped);
    CHECK_FAILED(ending, WSP_DIAL_FAILED, 10 * SECOND);
    CHECK_TEXT(ending->text, "dial failed: timeout");
    CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
    rig_close(&rig);
  }
}

static void success_just_before_the_timeout(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct ending *ending = rig_acquire(&rig, NULL);
  rig.now = 10 * SECOND - 1;
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CHECK_GRANTED(ending, "oa_ws_1_1", 10 * SECOND - 1);
  rig_close(&rig);
}

static void deadline_beats_success_and_is_no_failure(void) {
  for (int answer_first = 0; answer_first < 2; answer_first++) {
    struct rig rig;
    rig_open(&rig, NULL);
    struct wsp_acquire_request request = rig_request();
    request.deadline = SECOND;
    struct ending *ending = rig_acquire(&rig, &request);
    rig.now = SECOND;
    if (!answer_first) {
      wsp_pool_advance(rig.pool, rig.now);
    }
    const struct stub_conn *conn = stub_dial_ok(&rig, rig_last_dial(&rig));
    rig_settle(&rig);
    CU_ASSERT(conn->dropped);
    CHECK_FAILED(ending, WSP_DEADLINE_EXCEEDED, SECOND);
    CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
    CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).prewarm_fails, 0);
    rig_close(&rig);
  }
}

static void deadline_goes_before_the_dial_timeout(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct wsp_acquire_request request = rig_request();
  request.deadline = 10 * SECOND; /* the same instant */
  struct ending *ending = rig_acquire(&rig, &request);
  rig_run(&rig, 10 * SECOND);
  CHECK_FAILED(ending, WSP_DEADLINE_EXCEEDED, 10 * SECOND);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).prewarm_fails, 0);
  rig_close(&rig);
}

static void cancel_ends_the_dial_at_once(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  rig.hold_cancels = true;
  struct ending *ending = rig_acquire(&rig, NULL);
  rig.now = 5 * MS;
  rig_cancel(&rig, ending);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0); /* its place is free */
  rig_settle(&rig);
  CHECK_FAILED(ending, WSP_CANCELED, 5 * MS);
  CU_ASSERT(rig_last_dial(&rig)->canceled);
  CU_ASSERT_EQUAL(wsp_pool_pending(rig.pool), 1); /* the transport has not had its word */
  const struct stub_conn *conn = stub_dial_ok(&rig, rig_last_dial(&rig)); /* it succeeded anyway */
  CU_ASSERT(conn->dropped);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
  CU_ASSERT_EQUAL(wsp_pool_pending(rig.pool), 0);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).prewarm_fails, 0);
  rig_close(&rig);
}

static void idle_conn_saves_a_failed_dial(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct ending *holder = rig_dialled(&rig);
  struct ending *ending = rig_acquire(&rig, NULL);
  rig_release(&rig, holder);
  CHECK_PENDING(ending); /* from here on it waits for its dial alone */
  rig.now = 7 * MS;
  stub_dial_failed(&rig, rig_last_dial(&rig), 503, "busy");
  rig_settle(&rig);
  CHECK_GRANTED(ending, "oa_ws_1_1", 7 * MS);
  CU_ASSERT(ending->reused);
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).prewarm_fails, 1);
  rig_close(&rig);
}

static void idle_conn_saves_a_dial_that_timed_out(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct ending *holder = rig_dialled(&rig);
  struct ending *ending = rig_acquire(&rig, NULL);
  rig_run(&rig, 5 * SECOND);
  rig_release(&rig, holder);
  rig_run(&rig, 10 * SECOND);
  CHECK_GRANTED(ending, "oa_ws_1_1", 10 * SECOND);
  rig_close(&rig);
}

static void forced_dial_takes_no_idle_conn(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  rig_idle(&rig);
  struct wsp_acquire_request request = rig_request();
  request.force_new_conn = true;
  struct ending *ending = rig_acquire(&rig, &request);
  stub_dial_failed(&rig, rig_last_dial(&rig), 503, "busy");
  rig_settle(&rig);
  CHECK_FAILED(ending, WSP_DIAL_FAILED, 0);
  rig_close(&rig);
}

static void idle_conn_of_another_key_saves_nothing(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  rig_adopt(&rig, "other", RIG_OTHER_URL, 0, 0);
  struct ending *ending = rig_acquire(&rig, NULL);
  stub_dial_failed(&rig, rig_last_dial(&rig), 503, "busy");
  rig_settle(&rig);
  CHECK_FAILED(ending, WSP_DIAL_FAILED, 0);
  rig_close(&rig);
}

static void success_resets_the_failures(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  rig_acquire(&rig, NULL);
  stub_dial_failed(&rig, rig_last_dial(&rig), 503, "busy");
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).prewarm_fails, 1);
  rig_acquire(&rig, NULL);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  CU_ASSERT_EQUAL(rig_account(&rig, RIG_ACCOUNT).prewarm_fails, 0);
  rig_close(&rig);
}

static void handshake_headers_are_readable(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  const struct wsp_header headers[] = {{" X-Test ", " value "}, {"X-Other", "o"}};
  struct ending *ending = rig_acquire(&rig, NULL);
  (void)stub_dial_ok_with(&rig, rig_last_dial(&rig), headers, 2);
  rig_settle(&rig);
  CHECK_TEXT(wsp_lease_handshake_header(ending->lease, " x-TEST"), "value");
  CHECK_TEXT(wsp_lease_handshake_header(ending->lease, "x-none"), "");
  CHECK_TEXT(wsp_lease_handshake_header(ending->lease, NULL), "");
  rig_close(&rig);
}

CU_TestInfo suite_pool_dial[] = {
    {"TestOpenAIWSDialError_ErrorAndUnwrap: status, cause and headers are readable on their own",
     failure_has_status_cause_and_headers},
    {"a failure without a status says its reason", failure_without_status},
    {"TestOpenAIWSConnPool_DialConnNilConnection: success without a connection is a failure",
     success_without_a_conn},
    {"a transport that can not start a dial fails the acquire", transport_that_can_not_start_it},
    {"a dial ends at dial_timeout", timeout_ends_the_dial},
    {"a timeout beats a success at its instant, in either order", timeout_beats_success},
    {"a success one nanosecond before the timeout counts", success_just_before_the_timeout},
    {"a deadline beats a success at its instant and is no failure of the upstream",
     deadline_beats_success_and_is_no_failure},
    {"the caller's deadline goes before the dial's timeout", deadline_goes_before_the_dial_timeout},
    {"a cancelled dial frees its place at once and never enters the pool",
     cancel_ends_the_dial_at_once},
    {"an idle conn is taken instead of a dial's failure", idle_conn_saves_a_failed_dial},
    {"an idle conn is taken instead of a dial's timeout", idle_conn_saves_a_dial_that_timed_out},
    {"a forced new conn takes no idle one instead", forced_dial_takes_no_idle_conn},
    {"an idle conn of another key saves nothing", idle_conn_of_another_key_saves_nothing},
    {"a success resets the count of failures", success_resets_the_failures},
    {"TestOpenAIWSConnLease_ReadWriteHelpersAndConnStats: handshake headers are trimmed and found",
     handshake_headers_are_readable},
    CU_TEST_INFO_NULL,
};
