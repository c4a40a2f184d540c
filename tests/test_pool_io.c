/*
 * test_pool_io.c - writes, reads and pings of a borrower.
 */
#include <string.h>

#include "tests/pool_fixture.h"
#include "tests/suites.h"

struct borrowed {
  struct rig rig;
  struct ending *holder;
  struct wsp_lease lease;
  struct stub_conn *conn;
};

static void borrow(struct borrowed *b) {
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 1;
  rig_open(&b->rig, &config);
  b->holder = rig_dialled(&b->rig);
  b->lease = b->holder->lease;
  b->conn = b->rig.conns[0];
}

static void write_is_sent(void) {
  struct borrowed b;
  borrow(&b);
  enum wsp_error code;
  struct ending *write =
      rig_io_coded(&b.rig, wsp_lease_write_json,
                   &(struct wsp_io_request){.lease = b.lease, .json = "{\"type\":\"x\"}"}, &code);
  CHECK_TEXT(b.conn->written, "{\"type\":\"x\"}");
  CHECK_PENDING(write);
  b.rig.now = 3 * MS;
  stub_write_done(&b.rig, b.conn, WSP_OK, NULL);
  rig_settle(&b.rig);
  CHECK_ENDED(write, WSP_OK, 3 * MS);
  CHECK_TEXT(write->text, "");
  CU_ASSERT_EQUAL(rig_conn(&b.rig, "oa_ws_1_1").last_used_at, 3 * MS);
  rig_close(&b.rig);
}

static void write_without_a_timeout_has_none(void) {
  struct borrowed b;
  borrow(&b);
  struct ending *write = rig_io(&b.rig, wsp_lease_write_json, b.lease, 0);
  CHECK_TEXT(b.conn->written, "{}");
  CU_ASSERT_EQUAL(wsp_pool_next_deadline(b.rig.pool), WSP_TIME_NEVER);
  rig_run(&b.rig, 3600 * SECOND);
  CHECK_PENDING(write);
  stub_write_done(&b.rig, b.conn, WSP_OK, NULL);
  rig_settle(&b.rig);
  CHECK_ENDED(write, WSP_OK, 3600 * SECOND);
  rig_close(&b.rig);
}

static void writes_go_one_after_the_other(void) {
  struct borrowed b;
  borrow(&b);
  enum wsp_error code;
  struct wsp_io_request request = {.lease = b.lease, .json = "1"};
  struct ending *first = rig_io_coded(&b.rig, wsp_lease_write_json, &request, &code);
  char text[] = "2";
  request.json = text;
  struct ending *second = rig_io_coded(&b.rig, wsp_lease_write_json, &request, &code);
  text[0] = '!'; /* it was copied */
  CU_ASSERT_EQUAL(b.conn->writes, 1);
  stub_write_done(&b.rig, b.conn, WSP_OK, NULL);
  CU_ASSERT_EQUAL(b.conn->writes, 2);
  CHECK_TEXT(b.conn->written, "2");
  stub_write_done(&b.rig, b.conn, WSP_OK, NULL);
  rig_settle(&b.rig);
  CHECK_ENDED(first, WSP_OK, 0);
  CHECK_ENDED(second, WSP_OK, 0);
  rig_close(&b.rig);
}

static void read_gets_the_message(void) {
  struct borrowed b;
  borrow(&b);
  struct ending *read = rig_io(&b.rig, wsp_lease_read, b.lease, 0);
  struct ending *next = rig_io(&b.rig, wsp_lease_read, b.lease, 0);
  CU_ASSERT_EQUAL(b.conn->reads, 1);
  b.rig.now = MS;
  stub_read_done(&b.rig, b.conn, WSP_OK, NULL, "hello");
  CU_ASSERT_EQUAL(b.conn->reads, 2);
  rig_settle(&b.rig);
  CHECK_ENDED(read, WSP_OK, MS);
  CHECK_TEXT(read->message, "hello");
  CU_ASSERT_EQUAL(read->message_length, 5);
  CU_ASSERT_EQUAL(rig_conn(&b.rig, "oa_ws_1_1").last_used_at, MS);
  CHECK_PENDING(next);
  stub_message(&b.rig, b.conn, "spoken"); /* what the peer says answers it too */
  rig_settle(&b.rig);
  CHECK_ENDED(next, WSP_OK, MS);
  CHECK_TEXT(next->message, "spoken");
  CU_ASSERT_EQUAL(b.conn->read_cancels, 1); /* the read that nobody waits for any more */
  rig_close(&b.rig);
}

static void messages_wait_for_a_read(void) {
  struct borrowed b;
  borrow(&b);
  stub_message(&b.rig, b.conn, "one");
  stub_message(&b.rig, b.conn, "two");
  struct ending *first = rig_io(&b.rig, wsp_lease_read, b.lease, 0);
  struct ending *second = rig_io(&b.rig, wsp_lease_read, b.lease, 0);
  rig_settle(&b.rig);
  CHECK_TEXT(first->message, "one");
  CHECK_TEXT(second->message, "two");
  CU_ASSERT_EQUAL(b.conn->reads, 0);
  rig_release(&b.rig, b.holder);
  CU_ASSERT(rig_has_conn(&b.rig, "oa_ws_1_1"));
  rig_close(&b.rig);
}

static void late_read_leaves_the_conn_usable(void) {
  struct borrowed b;
  borrow(&b);
  struct ending *late = rig_io(&b.rig, wsp_lease_read, b.lease, 20 * MS);
  rig_run(&b.rig, 20 * MS - 1);
  CHECK_PENDING(late);
  rig_run(&b.rig, 20 * MS);
  CHECK_ENDED(late, WSP_DEADLINE_EXCEEDED, 20 * MS);
  CU_ASSERT_EQUAL(b.conn->read_cancels, 1);
  struct ending *next = rig_io(&b.rig, wsp_lease_read, b.lease, 150 * MS);
  rig_run(&b.rig, 80 * MS);
  stub_read_done(&b.rig, b.conn, WSP_OK, NULL, "response.completed");
  rig_settle(&b.rig);
  CHECK_ENDED(next, WSP_OK, 80 * MS);
  CHECK_TEXT(next->message, "response.completed");
  enum wsp_error code;
  struct ending *canceled = rig_io_coded(
      &b.rig, wsp_lease_read, &(struct wsp_io_request){.lease = b.lease, .canceled = true}, &code);
  rig_settle(&b.rig);
  CU_ASSERT_EQUAL(code, WSP_OK);
  CHECK_ENDED(canceled, WSP_CANCELED, 80 * MS);
  CU_ASSERT(wsp_lease_valid(b.lease));
  rig_close(&b.rig);
}

static void canceled_read_leaves_the_conn_usable(void) {
  struct borrowed b;
  borrow(&b);
  struct ending *read = rig_io(&b.rig, wsp_lease_read, b.lease, 0);
  rig_cancel(&b.rig, read);
  rig_settle(&b.rig);
  CHECK_ENDED(read, WSP_CANCELED, 0);
  CU_ASSERT(wsp_lease_valid(b.lease));
  rig_release(&b.rig, b.holder);
  CU_ASSERT_EQUAL(rig_conn(&b.rig, "oa_ws_1_1").state, WSP_CONN_IDLE);
  rig_close(&b.rig);
}

static void failed_read_closes(void) {
  struct borrowed b;
  borrow(&b);
  struct ending *read = rig_io(&b.rig, wsp_lease_read, b.lease, 0);
  struct ending *behind = rig_io(&b.rig, wsp_lease_read, b.lease, 0);
  b.rig.now = MS;
  stub_read_done(&b.rig, b.conn, WSP_IO_FAILED, "reset", NULL);
  CHECK_ACCOUNT(&b.rig, RIG_ACCOUNT, 0, 0, 0, 0, 0); /* leaves its account at once, leased or not */
  rig_settle(&b.rig);
  CHECK_ENDED(read, WSP_IO_FAILED, MS);
  CHECK_TEXT(read->text, "i/o failed: reset");
  CHECK_ENDED(behind, WSP_CONN_CLOSED, MS);
  CHECK_TEXT(behind->text, "connection closed");
  CU_ASSERT_FALSE(wsp_lease_valid(b.lease));
  CU_ASSERT_EQUAL(rig_last(&b.rig, WSP_CONN_EVICTED).cause, WSP_REASON_READ_FAILED);
  rig_close(&b.rig);
}

static void end_of_stream_is_conn_closed(void) {
  struct borrowed b;
  borrow(&b);
  struct ending *read = rig_io(&b.rig, wsp_lease_read, b.lease, 0);
  stub_read_done(&b.rig, b.conn, WSP_CONN_CLOSED, "eof", NULL);
  rig_settle(&b.rig);
  CHECK_ENDED(read, WSP_CONN_CLOSED, 0);
  CU_ASSERT_FALSE(rig_has_conn(&b.rig, "oa_ws_1_1"));
  rig_close(&b.rig);
}

static void failed_canceled_and_late_writes_close(void) {
  for (int how = 0; how < 3; how++) {
    struct borrowed b;
    borrow(&b);
    struct ending *read = rig_io(&b.rig, wsp_lease_read, b.lease, 0);
    struct ending *write = rig_io(&b.rig, wsp_lease_write_json, b.lease, 10 * MS);
    b.rig.now = how == 2 ? 10 * MS : MS;
    if (how == 0) {
      stub_write_done(&b.rig, b.conn, WSP_IO_FAILED, "reset");
    } else if (how == 1) {
      rig_cancel(&b.rig, write);
    }
    rig_settle(&b.rig);
    static const enum wsp_error expected[] = {WSP_IO_FAILED, WSP_CANCELED, WSP_DEADLINE_EXCEEDED};
    CHECK_ENDED(write, expected[how], b.rig.now);
    CHECK_ENDED(read, WSP_CONN_CLOSED, b.rig.now);
    CU_ASSERT_FALSE(rig_has_conn(&b.rig, "oa_ws_1_1"));
    CU_ASSERT_FALSE(wsp_lease_valid(b.lease));
    rig_close(&b.rig);
  }
}

/* At the deadline's instant, the answer first or advance first. */
static void deadline_beats_an_answer_at_its_instant(void) {
  static const rig_io_function functions[] = {wsp_lease_write_json, wsp_lease_read, wsp_lease_ping};
  for (int what = 0; what < 3; what++) {
    for (int answer_first = 0; answer_first < 2; answer_first++) {
      struct borrowed b;
      borrow(&b);
      struct ending *ending = rig_io(&b.rig, functions[what], b.lease, 10 * MS);
      b.rig.now = 10 * MS;
      if (!answer_first) {
        wsp_pool_advance(b.rig.pool, b.rig.now);
      }
      if (b.conn->writing) {
        stub_write_done(&b.rig, b.conn, WSP_OK, NULL);
      } else if (b.conn->reading) {
        stub_read_done(&b.rig, b.conn, WSP_OK, NULL, "late");
      } else if (b.conn->pinging) {
        stub_ping_done(&b.rig, b.conn, WSP_OK, NULL);
      }
      rig_settle(&b.rig);
      CHECK_ENDED(ending, WSP_DEADLINE_EXCEEDED, 10 * MS);
      CU_ASSERT_EQUAL(wsp_lease_valid(b.lease), what != 0); /* a late write closes */
      rig_close(&b.rig);
    }
  }
}

static void undelivered_read_is_taken_back_whole(void) {
  struct borrowed b;
  borrow(&b);
  struct ending *read = rig_io(&b.rig, wsp_lease_read, b.lease, 10 * MS);
  stub_read_done(&b.rig, b.conn, WSP_OK, NULL, "first");
  rig_cancel(&b.rig, read); /* before it was delivered: the message belongs to the next read */
  struct ending *next = rig_io(&b.rig, wsp_lease_read, b.lease, 0);
  rig_settle(&b.rig);
  CHECK_ENDED(read, WSP_CANCELED, 0);
  CHECK_ENDED(next, WSP_OK, 0);
  CHECK_TEXT(next->message, "first");
  rig_close(&b.rig);
}

static void full_duplex(void) {
  struct borrowed b;
  borrow(&b);
  struct ending *read = rig_io(&b.rig, wsp_lease_read, b.lease, 200 * MS);
  struct ending *ping = rig_io(&b.rig, wsp_lease_ping, b.lease, 50 * MS);
  struct ending *write = rig_io(&b.rig, wsp_lease_write_json, b.lease, 0);
  CU_ASSERT(b.conn->reading);
  CU_ASSERT(b.conn->pinging);
  CU_ASSERT(b.conn->writing);
  b.rig.now = MS;
  stub_write_done(&b.rig, b.conn, WSP_OK, NULL);
  rig_settle(&b.rig);
  CHECK_ENDED(write, WSP_OK, MS);
  stub_ping_done(&b.rig, b.conn, WSP_OK, NULL);
  rig_settle(&b.rig);
  CHECK_ENDED(ping, WSP_OK, MS);
  CHECK_PENDING(read);
  rig_run(&b.rig, 120 * MS);
  stub_read_done(&b.rig, b.conn, WSP_OK, NULL, "m");
  rig_settle(&b.rig);
  CHECK_ENDED(read, WSP_OK, 120 * MS);
  rig_close(&b.rig);
}

static void ping_has_a_timeout_of_its_own(void) {
  struct borrowed b;
  borrow(&b);
  struct ending *ping = rig_io(&b.rig, wsp_lease_ping, b.lease, 0);
  rig_run(&b.rig, 2 * SECOND - 1);
  CHECK_PENDING(ping);
  rig_run(&b.rig, 2 * SECOND); /* health_check_timeout */
  CHECK_ENDED(ping, WSP_DEADLINE_EXCEEDED, 2 * SECOND);
  CU_ASSERT(wsp_lease_valid(b.lease)); /* the conn is its borrower's to judge */
  rig_close(&b.rig);
}

static void failed_ping_tells_and_closes_nothing(void) {
  struct borrowed b;
  borrow(&b);
  struct ending *ping = rig_io(&b.rig, wsp_lease_ping, b.lease, 0);
  stub_ping_done(&b.rig, b.conn, WSP_PING_FAILED, "lost");
  rig_settle(&b.rig);
  CHECK_ENDED(ping, WSP_PING_FAILED, 0);
  CHECK_TEXT(ping->text, "ping failed: lost");
  CU_ASSERT(wsp_lease_valid(b.lease));
  CU_ASSERT_EQUAL(rig_conn(&b.rig, "oa_ws_1_1").last_used_at, 0);
  rig_close(&b.rig);
}

static void two_pings_share_one(void) {
  struct borrowed b;
  borrow(&b);
  struct ending *first = rig_io(&b.rig, wsp_lease_ping, b.lease, 0);
  struct ending *second = rig_io(&b.rig, wsp_lease_ping, b.lease, 5 * MS);
  CU_ASSERT_EQUAL(b.conn->pings, 1);
  rig_run(&b.rig, 5 * MS);
  CHECK_ENDED(second, WSP_DEADLINE_EXCEEDED, 5 * MS);
  CU_ASSERT_FALSE(b.conn->ping_canceled); /* the first still waits */
  b.rig.now = 6 * MS;
  stub_ping_done(&b.rig, b.conn, WSP_OK, NULL);
  rig_settle(&b.rig);
  CHECK_ENDED(first, WSP_OK, 6 * MS);
  rig_close(&b.rig);
}

static void peer_closes_a_leased_conn(void) {
  struct borrowed b;
  borrow(&b);
  struct ending *read = rig_io(&b.rig, wsp_lease_read, b.lease, 0);
  struct ending *write = rig_io(&b.rig, wsp_lease_write_json, b.lease, 0);
  struct ending *ping = rig_io(&b.rig, wsp_lease_ping, b.lease, 0);
  b.rig.now = MS;
  stub_closed(&b.rig, b.conn, 1001, "going away");
  CHECK_ACCOUNT(&b.rig, RIG_ACCOUNT, 0, 0, 0, 0, 0);
  rig_settle(&b.rig);
  CHECK_ENDED(read, WSP_CONN_CLOSED, MS);
  CHECK_ENDED(write, WSP_CONN_CLOSED, MS);
  CHECK_ENDED(ping, WSP_CONN_CLOSED, MS);
  CU_ASSERT_EQUAL(rig_last(&b.rig, WSP_LEASE_LOST).cause, WSP_REASON_PEER_CLOSED);
  CU_ASSERT_EQUAL(rig_last(&b.rig, WSP_CONN_CLOSED_EVENT).values[0], 1001);
  wsp_lease_release(b.lease, MS);
  CU_ASSERT_EQUAL(rig_count(&b.rig, WSP_LEASE_RELEASED), 0);
  CU_ASSERT_EQUAL(wsp_pool_pending(b.rig.pool), 0);
  rig_close(&b.rig);
}

static void transport_that_can_not_start(void) {
  struct borrowed b;
  borrow(&b);
  b.rig.refuse_write = WSP_IO_FAILED;
  struct ending *write = rig_io(&b.rig, wsp_lease_write_json, b.lease, 0);
  rig_settle(&b.rig);
  CHECK_ENDED(write, WSP_IO_FAILED, 0);
  CU_ASSERT_FALSE(rig_has_conn(&b.rig, "oa_ws_1_1"));
  rig_close(&b.rig);
  borrow(&b);
  b.rig.refuse_read = WSP_IO_FAILED;
  struct ending *read = rig_io(&b.rig, wsp_lease_read, b.lease, 0);
  rig_settle(&b.rig);
  CHECK_ENDED(read, WSP_IO_FAILED, 0);
  CU_ASSERT_FALSE(rig_has_conn(&b.rig, "oa_ws_1_1"));
  rig_close(&b.rig);
}

CU_TestInfo suite_pool_io[] = {
    {"TestOpenAIWSConnLease_WriteJSONAndGuards: a write is sent, and touches the conn",
     write_is_sent},
    {"TestOpenAIWSConn_WriteJSONWithTimeout_NilParentContextUsesBackground: none without a timeout",
     write_without_a_timeout_has_none},
    {"writes go one after the other, copied", writes_go_one_after_the_other},
    {"reads get the messages in order, and touch the conn", read_gets_the_message},
    {"messages wait for a read of their borrower", messages_wait_for_a_read},
    {"TestOpenAIWSConnLease_ReadMessageWithContextTimeout_PerRead: a late read leaves the conn "
     "usable",
     late_read_leaves_the_conn_usable},
    {"a cancelled read leaves the conn usable", canceled_read_leaves_the_conn_usable},
    {"a failed read closes the conn and what is behind it", failed_read_closes},
    {"the end of the stream is conn_closed", end_of_stream_is_conn_closed},
    {"TestOpenAIWSConnLease_WriteJSONWithContextTimeout_RespectsParentContext: failed, cancelled "
     "and late writes close the conn",
     failed_canceled_and_late_writes_close},
    {"a deadline beats an answer at its instant, in either order",
     deadline_beats_an_answer_at_its_instant},
    {"a read that is cancelled before its delivery leaves the message to the next",
     undelivered_read_is_taken_back_whole},
    {"TestOpenAIWSConn_ReadAndWriteCanProceedConcurrently: a pending read delays no write and no "
     "ping",
     full_duplex},
    {"TestOpenAIWSConnLease_PingWithTimeout: a ping without a timeout has health_check_timeout",
     ping_has_a_timeout_of_its_own},
    {"a failed ping tells its borrower and closes nothing", failed_ping_tells_and_closes_nothing},
    {"two pings share one on the wire", two_pings_share_one},
    {"a peer's close ends lease and operations with conn_closed", peer_closes_a_leased_conn},
    {"an operation that the transport can not start fails and closes",
     transport_that_can_not_start},
    CU_TEST_INFO_NULL,
};
