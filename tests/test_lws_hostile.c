/*
 * test_lws_hostile.c - servers that break the protocol: each ends in an error and a closed conn,
 * and the loop serves others afterwards. Leaks are AddressSanitizer's business.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/suites.h"
#include "tests/wire_fixture.h"

struct bytes {
  const char *name;
  const char *data;
  size_t length;
};
/* A text with its length, which NULs do not end. */
#define BYTES(name, text) \
  { name, text, sizeof(text) - 1 }

static void good(struct wire_peer *peer, void *context) {
  (void)context;
  wire_request(peer);
  wire_accept(peer, "");
  wire_wait(peer);
}

/* The loop still dials. */
static void check_alive(struct wire_rig *rig) {
  struct wire_server *server = wire_start(&rig->identity, good, NULL);
  struct wire_call call = wire_acquire(rig, wire_url(server));
  CU_ASSERT_EQUAL(call.error, WSP_OK);
  wsp_lease_mark_broken(call.lease, wsp_lws_now());
  wire_stop(server);
}

/* ---- Instead of a handshake -------------------------------------------------------------- */

static void answering(struct wire_peer *peer, void *context) {
  const struct bytes *answer = context;
  wire_request(peer);
  wire_send(peer, answer->data, answer->length);
}

#define ACCEPTED "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define WRONG_KEY "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n"

static const struct bytes answers[] = {
    BYTES("nothing", ""),
    BYTES("binary garbage", "\x00\xff\xfe\x80garbage\r\n\r\n"),
    BYTES("another protocol", "SSH-2.0-OpenSSH_9.2\r\n"),
    BYTES("HTTP/2", "\x00\x00\x12\x04\x00\x00\x00\x00\x00"),
    BYTES("half a status line", "HTTP/1.1 1"),
    BYTES("half an acceptance", ACCEPTED "Upgrade: webso"),
    BYTES("a status without a meaning", "HTTP/1.1 099 What\r\n\r\n"),
    BYTES("success without an upgrade", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
    BYTES("a head without colons", "HTTP/1.1 503 Busy\r\nthis is no header\r\n\r\n"),
    BYTES("a NUL in the head", "HTTP/1.1 503 Busy\r\nX: a\0b\r\n\r\n"),
    BYTES("a NUL in an acceptance", ACCEPTED UPGRADE "X: a\0b\r\n\r\n"),
    BYTES("no accept key", ACCEPTED UPGRADE "\r\n"),
    BYTES("a wrong accept key", ACCEPTED UPGRADE WRONG_KEY "\r\n"),
    BYTES("an upgrade to something else",
          ACCEPTED "Upgrade: h2c\r\nConnection: Upgrade\r\n" WRONG_KEY "\r\n"),
    BYTES("a body that claims to be larger than all memory",
          "HTTP/1.1 503 Busy\r\nContent-Length: 99999999999999999999999\r\n\r\nx"),
    BYTES("a chunk that claims the same",
          "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx"),
};

static void test_answers_that_are_none_end_the_dial(void) {
  struct wire_rig *rig = wire_rig_create(NULL);
  for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
    for (int tls = 0; tls < 2; tls++) {
      struct wire_server *server =
          wire_start(tls ? &rig->identity : NULL, answering, (void *)(uintptr_t)&answers[i]);
      struct wire_call call = wire_acquire(rig, wire_url(server));
      bool ended = call.error == WSP_DIAL_FAILED && strstr(call.text, "timeout") == NULL;
      if (!ended) {
        printf("\n    %s (%s): %s\n", answers[i].name, tls ? "wss" : "ws", call.text);
      }
      CU_ASSERT_TRUE(ended);
      CU_ASSERT_TRUE(strlen(call.text) > strlen("dial failed: "));
      wire_stop(server);
    }
  }
  check_alive(rig);
  wire_rig_destroy(rig);
}

static void talking_without_end(struct wire_peer *peer, void *context) {
  const char *start = context;
  char line[1024];
  wire_request(peer);
  wire_send_text(peer, start);
  memset(line, 'x', sizeof line);
  memcpy(line, "X-Long: ", 8);
  memcpy(line + sizeof line - 2, "\r\n", 2);
  for (int i = 0; i < 300; i++) {
    wire_send(peer, line, sizeof line);
  }
  wire_wait(peer);
}

static void test_a_head_without_end_ends_the_dial(void) {
  static const char *const starts[] = {"HTTP/1.1 503 Busy\r\n", ACCEPTED UPGRADE};
  struct wire_rig *rig = wire_rig_create(NULL);
  for (size_t i = 0; i < 4; i++) {
    struct wire_server *server = wire_start(i < 2 ? &rig->identity : NULL, talking_without_end,
                                            (void *)(uintptr_t)starts[i % 2]);
    struct wire_call call = wire_acquire(rig, wire_url(server));
    CU_ASSERT_EQUAL(call.error, WSP_DIAL_FAILED);
    CU_ASSERT_PTR_NULL(strstr(call.text, "timeout"));
    wire_stop(server);
  }
  check_alive(rig);
  wire_rig_destroy(rig);
}

static void resetting(struct wire_peer *peer, void *context) {
  const int *when = context;
  if (*when > 0) {
    wire_request(peer);
  }
  if (*when > 1) {
    wire_send_text(peer, "HTTP/1.1 101 Switch");
  }
  wire_reset(peer);
}

static void test_a_reset_ends_the_dial(void) {
  struct wire_rig *rig = wire_rig_create(NULL);
  for (int i = 0; i < 6; i++) {
    int when = i / 2;
    struct wire_server *server = wire_start(i % 2 ? &rig->identity : NULL, resetting, &when);
    struct wire_call call = wire_acquire(rig, wire_url(server));
    CU_ASSERT_EQUAL(call.error, WSP_DIAL_FAILED);
    CU_ASSERT_PTR_NULL(strstr(call.text, "timeout"));
    wire_stop(server);
  }
  check_alive(rig);
  wire_rig_destroy(rig);
}

static void stalling(struct wire_peer *peer, void *context) {
  const char *start = context;
  wire_request(peer);
  wire_send_text(peer, start);
  wire_wait(peer);
}

static void test_an_answer_that_stalls_ends_with_the_deadline(void) {
  static const char *const starts[] = {"", "HTTP", "HTTP/1.1 503 Busy\r\nX-", ACCEPTED "Upgr"};
  struct wire_rig *rig = wire_rig_create(NULL);
  for (size_t i = 0; i < 8; i++) {
    struct wire_server *server =
        wire_start(i < 4 ? &rig->identity : NULL, stalling, (void *)(uintptr_t)starts[i % 4]);
    struct wire_call call = wire_acquire_with(
        rig, &(struct wsp_acquire_request){.account = {.id = 1},
                                           .url = wire_url(server),
                                           .deadline = wsp_lws_now() + 100 * WSP_MILLISECOND});
    CU_ASSERT_EQUAL(call.error, WSP_DEADLINE_EXCEEDED);
    wire_stop(server);
  }
  check_alive(rig);
  wire_rig_destroy(rig);
}

/* ---- On an open conn ---------------------------------------------------------------------- */

static const struct bytes frames[] = {
    BYTES("reserved bit 1", "\xc1\x01x"),
    BYTES("reserved bit 2", "\xa1\x01x"),
    BYTES("reserved bit 3", "\x91\x01x"),
    BYTES("a reserved opcode", "\x83\x01x"),
    BYTES("a reserved control opcode", "\x8b\x01x"),
    BYTES("4 GiB to come", "\x82\x7f\x00\x00\x00\x01\x00\x00\x00\x00xxxxxxxx"),
    BYTES("more than 63 bits to come", "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xffxxxxxxxx"),
    BYTES("a ping in fragments", "\x09\x01x\x80\x01y"),
    BYTES("a ping that is too long",
          "\x89\x7e\x00\x7e"
          "01234567890123456789012345678901234567890123456789012345678901"
          "0123456789012345678901234567890123456789012345678901234567890"
          "123"),
    BYTES("a continuation of nothing", "\x80\x01x"),
    BYTES("a message within another", "\x01\x01x\x81\x01y"),
    BYTES("text that is no UTF-8", "\x81\x02\xc3\x28"),
    BYTES("text that ends within a character", "\x81\x01\xc3"),
    BYTES("no UTF-8 over fragments", "\x01\x01\xc3\x80\x01\x28"),
    BYTES("a close with one byte", "\x88\x01\x03"),
    BYTES("a close without a code", "\x88\x00"),
    BYTES("a close with code 999", "\x88\x02\x03\xe7"),
    BYTES("a close with code 1005", "\x88\x02\x03\xed"),
    BYTES("a close whose reason is no UTF-8", "\x88\x04\x03\xe8\xc3\x28"),
    BYTES("frames after the close", "\x88\x02\x03\xe8\x81\x01x\x81\x01y"),
    BYTES("half a frame", "\x81\x05he"),
    BYTES("half a frame's head", "\x82\x7f\x00\x00"),
};

static void misbehaving(struct wire_peer *peer, void *context) {
  const struct bytes *frame = context;
  wire_request(peer);
  wire_accept(peer, "");
  wire_send(peer, frame->data, frame->length);
  wire_pause(30); /* the halves end here; the others are closed by the client */
}

/* A server that breaks the rules and is told nothing more: what comes is no message, and the conn
 * closes. */
static void check_frame(struct wire_rig *rig, const struct bytes *frame, bool reading) {
  struct wire_server *server = wire_start(&rig->identity, misbehaving, (void *)(uintptr_t)frame);
  struct wire_call call = wire_acquire(rig, wire_url(server));
  CU_ASSERT_EQUAL(call.error, WSP_OK);
  int closes = rig->closes;
  if (reading) {
    struct wire_call read = wire_read(rig, call.lease, 60 * WSP_SECOND);
    if (read.error != WSP_CONN_CLOSED && read.error != WSP_IO_FAILED) {
      printf("\n    %s: read %s %s\n", frame->name, wsp_error_name(read.error), read.text);
    }
    CU_ASSERT_TRUE(read.error == WSP_CONN_CLOSED || read.error == WSP_IO_FAILED);
    wire_call_deinit(&read);
  }
  CU_ASSERT_TRUE(rig->closes > closes || wire_until_closes(rig, closes + 1));
  CU_ASSERT_FALSE(wsp_lease_valid(call.lease));
  wire_stop(server);
}

static void test_frames_that_break_the_rules_close_the_conn(void) {
  struct wire_rig *rig = wire_rig_create(NULL);
  for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
    check_frame(rig, &frames[i], true);
    check_frame(rig, &frames[i], false);
  }
  check_alive(rig);
  wire_rig_destroy(rig);
}

static void announcing(struct wire_peer *peer, void *context) {
  static const char head[] = "\x82\x7f\x00\x00\x00\x01\x00\x00\x00\x00";
  static const char
      payload[20000]; /* what libwebsockets collects before it tells of it, and more */
  (void)context;
  wire_request(peer);
  wire_accept(peer, "");
  wire_send(peer, head, sizeof head - 1);
  wire_send(peer, payload, sizeof payload);
  wire_wait(peer); /* the client has to be the one that ends it */
}

static void test_a_frame_that_announces_too_much_is_not_waited_for(void) {
  struct wire_rig *rig = wire_rig_create(NULL);
  struct wire_server *server = wire_start(NULL, announcing, NULL);
  struct wire_call call = wire_acquire(rig, wire_url(server));
  struct wire_call read = wire_read(rig, call.lease, 60 * WSP_SECOND);
  CU_ASSERT_EQUAL(read.error, WSP_IO_FAILED);
  wire_stop(server);
  wire_rig_destroy(rig);
}

CU_TestInfo suite_lws_hostile[] = {
    {"answers that are none end the dial", test_answers_that_are_none_end_the_dial},
    {"a head without end ends the dial", test_a_head_without_end_ends_the_dial},
    {"a reset ends the dial", test_a_reset_ends_the_dial},
    {"an answer that stalls ends with the deadline",
     test_an_answer_that_stalls_ends_with_the_deadline},
    {"frames that break the rules close the conn", test_frames_that_break_the_rules_close_the_conn},
    {"a frame that announces too much is not waited for",
     test_a_frame_that_announces_too_much_is_not_waited_for},
    CU_TEST_INFO_NULL};
