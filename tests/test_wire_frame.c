/*
 * test_wire_frame.c - the codec of the fakes' servers, to the byte, and the heads of requests.
 */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/wire/frame.h"
#include "fakes/wire/upgrade.h"
#include "tests/suites.h"

enum { ROOM = 70000 };

static struct fake_frame_reader reader;
static uint8_t wire[ROOM + 16];
static size_t length;

static void begin(void) {
  fake_frame_reader_deinit(&reader);
  length = 0;
}

static void put_head(int first, uint64_t size, size_t extended) {
  wire[length++] = (uint8_t)first;
  wire[length++] = (uint8_t)(0x80 | (extended == 0 ? size : extended == 2 ? 126 : 127));
  for (size_t i = 0; i < extended; i++) {
    wire[length++] = (uint8_t)(size >> (8 * (extended - 1 - i)));
  }
}

/* A masked frame as a client sends it. */
static void put(int first, const void *payload, size_t size) {
  static const uint8_t mask[] = {0x11, 0x22, 0x33, 0x44};
  put_head(first, size, size < 126 ? 0 : size < 65536 ? 2 : 8);
  memcpy(wire + length, mask, 4);
  length += 4;
  for (size_t i = 0; i < size; i++) {
    wire[length++] = (uint8_t)(((const uint8_t *)payload)[i] ^ mask[i % 4]);
  }
}

/* Reads one frame off the front. */
static struct fake_frame take(void) {
  size_t used;
  struct fake_frame frame = fake_frame_read(&reader, wire, length, &used);
  memmove(wire, wire + used, length - used);
  length -= used;
  return frame;
}

static void messages_of_all_lengths_are_read(void) {
  static const size_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536};
  static char text[ROOM];
  memset(text, 'x', sizeof text);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    begin();
    put(0x81, text, sizes[i]);
    size_t whole = length;
    for (size_t part = whole < 20 ? 0 : whole - 20; part < whole; part++) {
      size_t used;
      CU_ASSERT_EQUAL(fake_frame_read(&reader, wire, part, &used).kind, FAKE_READ_MORE);
      CU_ASSERT_EQUAL(used, 0);
    }
    struct fake_frame frame = take();
    CU_ASSERT_EQUAL(frame.kind, FAKE_READ_MESSAGE);
    CU_ASSERT_EQUAL(frame.length, sizes[i]);
    CU_ASSERT_EQUAL(memcmp(frame.data, text, sizes[i]), 0);
    CU_ASSERT_EQUAL(frame.data[sizes[i]], '\0');
    CU_ASSERT_EQUAL(length, 0);
  }
  begin();
}

static void fragments_are_joined_and_controls_come_between(void) {
  begin();
  put(0x01, "one ", 4);
  put(0x89, "ping", 4);
  put(0x00, "", 0);
  put(0x8a, "pong", 4);
  put(0x80, "two", 3);
  put(0x82, "\xff\xfe", 2);
  CU_ASSERT_EQUAL(take().kind, FAKE_READ_NOTHING);
  struct fake_frame frame = take();
  CU_ASSERT_EQUAL(frame.kind, FAKE_READ_PING);
  CU_ASSERT_EQUAL(frame.length, 4);
  CU_ASSERT_STRING_EQUAL(frame.data, "ping");
  CU_ASSERT_EQUAL(take().kind, FAKE_READ_NOTHING);
  CU_ASSERT_EQUAL(take().kind, FAKE_READ_NOTHING);
  frame = take();
  CU_ASSERT_EQUAL(frame.kind, FAKE_READ_MESSAGE);
  CU_ASSERT_STRING_EQUAL(frame.data, "one two");
  CU_ASSERT_EQUAL(take().kind, FAKE_READ_MESSAGE); /* binary need not be text */
  CU_ASSERT_EQUAL(take().kind, FAKE_READ_MORE);
  begin();
}

/* How the client has to be closed after one frame; 0: it does nothing wrong. */
static int wrong(void) {
  size_t used;
  struct fake_frame frame = fake_frame_read(&reader, wire, length, &used);
  CU_ASSERT_EQUAL(used == 0, frame.kind == FAKE_READ_WRONG || frame.kind == FAKE_READ_MORE);
  return frame.kind == FAKE_READ_WRONG ? frame.code : 0;
}

static int wrong_frame(int first, const void *payload, size_t size) {
  begin();
  put(first, payload, size);
  return wrong();
}

static void what_breaks_the_rules_is_wrong(void) {
  static const char big[126];
  CU_ASSERT_EQUAL(wrong_frame(0x81, "fine", 4), 0);
  wire[1] &= 0x7f;
  CU_ASSERT_EQUAL(wrong(), FAKE_CLOSE_PROTOCOL); /* not masked */
  for (int reserved = 0x10; reserved <= 0x40; reserved *= 2) {
    CU_ASSERT_EQUAL(wrong_frame(0x81 | reserved, "x", 1), FAKE_CLOSE_PROTOCOL);
  }
  for (int opcode = 3; opcode <= 15; opcode++) {
    if (opcode < 8 || opcode > 10) {
      CU_ASSERT_EQUAL(wrong_frame(0x80 | opcode, "", 0), FAKE_CLOSE_PROTOCOL);
    }
  }
  CU_ASSERT_EQUAL(wrong_frame(0x80, "x", 1), FAKE_CLOSE_PROTOCOL); /* continues nothing */
  CU_ASSERT_EQUAL(wrong_frame(0x09, "x", 1), FAKE_CLOSE_PROTOCOL); /* a control in fragments */
  CU_ASSERT_EQUAL(wrong_frame(0x89, big, 125), 0);
  CU_ASSERT_EQUAL(wrong_frame(0x89, big, 126), FAKE_CLOSE_PROTOCOL);
  for (int i = 0; i < 3; i++) { /* a length in more bytes than it takes */
    static const struct {
      uint64_t length;
      size_t extended;
    } longer[] = {{125, 2}, {125, 8}, {65535, 8}};
    begin();
    put_head(0x81, longer[i].length, longer[i].extended);
    length += 4;
    CU_ASSERT_EQUAL(wrong(), FAKE_CLOSE_PROTOCOL);
  }
  begin();
  put(0x01, "x", 1);
  CU_ASSERT_EQUAL(take().kind, FAKE_READ_NOTHING);
  put(0x81, "y", 1); /* a message within a message */
  CU_ASSERT_EQUAL(wrong(), FAKE_CLOSE_PROTOCOL);
  begin();
}

static void what_is_too_large_is_wrong_before_it_has_come(void) {
  begin();
  put_head(0x81, FAKE_FRAME_MOST, 8);
  length += 4;
  CU_ASSERT_EQUAL(wrong(), 0);
  begin();
  put_head(0x81, FAKE_FRAME_MOST + 1, 8);
  length += 4;
  CU_ASSERT_EQUAL(wrong(), FAKE_CLOSE_TOO_LARGE);
  begin();
  put_head(0x81, UINT64_C(4) << 30, 8);
  length += 4;
  CU_ASSERT_EQUAL(wrong(), FAKE_CLOSE_TOO_LARGE);
  begin();
  put_head(0x81, UINT64_MAX, 8);
  length += 4;
  CU_ASSERT_EQUAL(wrong(), FAKE_CLOSE_TOO_LARGE);
  begin();
  put(0x01, "x", 1);
  CU_ASSERT_EQUAL(take().kind, FAKE_READ_NOTHING);
  put_head(0x80, FAKE_FRAME_MOST, 8); /* with what is there already */
  length += 4;
  CU_ASSERT_EQUAL(wrong(), FAKE_CLOSE_TOO_LARGE);
  begin();
}

static void texts_are_utf8(void) {
  static const char *const good[] = {"a",
                                     "\xc2\x80",
                                     "\xdf\xbf",
                                     "\xe0\xa0\x80",
                                     "\xed\x9f\xbf",
                                     "\xee\x80\x80",
                                     "\xf0\x90\x80\x80",
                                     "\xf4\x8f\xbf\xbf"};
  static const char *const bad[] = {"\x80",
                                    "\xc1\xbf",
                                    "\xc2",
                                    "\xe0\x9f\xbf",
                                    "\xed\xa0\x80",
                                    "\xf0\x8f\xbf\xbf",
                                    "\xf4\x90\x80\x80",
                                    "\xf5\x80\x80\x80",
                                    "\xe2\x82",
                                    "a\xff"};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    CU_ASSERT_EQUAL(wrong_frame(0x81, good[i], strlen(good[i])), 0);
  }
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    CU_ASSERT_EQUAL(wrong_frame(0x81, bad[i], strlen(bad[i])), FAKE_CLOSE_TEXT);
  }
  begin();
  put(0x01, "\xe2\x82", 2); /* a character may come in two fragments */
  put(0x80, "\xac", 1);
  CU_ASSERT_EQUAL(take().kind, FAKE_READ_NOTHING);
  CU_ASSERT_EQUAL(take().kind, FAKE_READ_MESSAGE);
  begin();
}

static void closes_carry_a_code_and_a_reason(void) {
  static const struct {
    int code;
    int wrong;
  } codes[] = {{999, 1002},  {1000, 0}, {1003, 0},    {1004, 1002}, {1005, 1002},
               {1006, 1002}, {1007, 0}, {1014, 0},    {1015, 1002}, {2999, 1002},
               {3000, 0},    {4999, 0}, {5000, 1002}, {0, 1002}};
  for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    const uint8_t payload[] = {(uint8_t)(codes[i].code >> 8), (uint8_t)codes[i].code, 'b', 'y',
                               'e'};
    CU_ASSERT_EQUAL(wrong_frame(0x88, payload, sizeof payload), codes[i].wrong);
  }
  CU_ASSERT_EQUAL(wrong_frame(0x88, "\x03\xe8\xff", 3), FAKE_CLOSE_TEXT);
  CU_ASSERT_EQUAL(wrong_frame(0x88, "\x03", 1), FAKE_CLOSE_PROTOCOL);
  begin();
  put(0x88,
      "\x0f\xa0"
      "enough",
      8);
  struct fake_frame frame = take();
  CU_ASSERT_EQUAL(frame.kind, FAKE_READ_CLOSE);
  CU_ASSERT_EQUAL(frame.code, 4000);
  CU_ASSERT_STRING_EQUAL(frame.data, "enough");
  put(0x88, "", 0);
  frame = take();
  CU_ASSERT_EQUAL(frame.kind, FAKE_READ_CLOSE);
  CU_ASSERT_EQUAL(frame.code, 0);
  CU_ASSERT_STRING_EQUAL(frame.data, "");
  begin();
}

static void heads_are_written(void) {
  static const struct {
    enum fake_opcode opcode;
    bool final;
    size_t length;
    const char *bytes;
    size_t size;
  } cases[] = {{FAKE_FRAME_TEXT, true, 125, "\x81\x7d", 2},
               {FAKE_FRAME_CONTINUATION, false, 0, "\x00\x00", 2},
               {FAKE_FRAME_TEXT, true, 126, "\x81\x7e\x00\x7e", 4},
               {FAKE_FRAME_PONG, true, 65535, "\x8a\x7e\xff\xff", 4},
               {FAKE_FRAME_TEXT, true, 65536, "\x81\x7f\0\0\0\0\0\x01\0\0", 10}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    uint8_t head[FAKE_FRAME_HEAD_SIZE];
    CU_ASSERT_EQUAL(fake_frame_head(head, cases[i].opcode, cases[i].final, cases[i].length),
                    cases[i].size);
    CU_ASSERT_EQUAL(memcmp(head, cases[i].bytes, cases[i].size), 0);
  }
}

/* ---- Requests ------------------------------------------------------------------------------- */

#define UPGRADE                                                                       \
  "Host: a.example\r\nUpgrade: h2c, WebSocket\r\nConnection: keep-alive, Upgrade\r\n" \
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

/* -1: no head; else what fake_head_judge() says. */
static int judge(const char *text) {
  static char copy[FAKE_HEAD_MOST];
  static struct fake_head head;
  size_t size = strlen(text);
  memcpy(copy, text, size);
  CU_ASSERT_EQUAL(fake_head_length(copy, size), size);
  CU_ASSERT_EQUAL(fake_head_length(copy, size - 1), 0);
  return fake_head_read(copy, size, &head) ? fake_head_judge(&head) : -1;
}

static void requests_are_judged(void) {
  CU_ASSERT_EQUAL(judge("GET /v1?q=1 HTTP/1.1\r\n" UPGRADE "\r\n"), 0);
  CU_ASSERT_EQUAL(judge("GET /v1 HTTP/1.1\r\nX:\r\n" UPGRADE "X-Two:  a b \r\n\r\n"), 0);
  CU_ASSERT_EQUAL(judge("POST /v1 HTTP/1.1\r\n" UPGRADE "\r\n"), 405);
  CU_ASSERT_EQUAL(judge("GET v1 HTTP/1.1\r\n" UPGRADE "\r\n"), 400);
  CU_ASSERT_EQUAL(judge("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 426);
  CU_ASSERT_EQUAL(judge("GET / HTTP/1.1\r\nSec-WebSocket-Version: 8\r\n" UPGRADE "\r\n"), 426);
  CU_ASSERT_EQUAL(judge("GET / HTTP/1.1\r\nSec-WebSocket-Key: short\r\n" UPGRADE "\r\n"), 400);
  CU_ASSERT_EQUAL(judge("GET / HTTP/1.0\r\n" UPGRADE "\r\n"), -1);
  CU_ASSERT_EQUAL(judge("GET /\r\n" UPGRADE "\r\n"), -1);
  CU_ASSERT_EQUAL(judge("GET / HTTP/1.1\r\nno colon\r\n\r\n"), -1);
  CU_ASSERT_EQUAL(judge("GET / HTTP/1.1\r\nbad name: x\r\n\r\n"), -1);
  CU_ASSERT_EQUAL(judge("GET / HTTP/1.1\r\n: x\r\n\r\n"), -1);
  CU_ASSERT_EQUAL(judge("GET / HTTP/1.1\r\nX: a\nY: b\r\n\r\n"), -1);
  CU_ASSERT_EQUAL(judge("\r\n\r\n"), -1);
}

static void headers_are_limited_in_number(void) {
  char text[8192] = "GET / HTTP/1.1\r\n" UPGRADE;
  for (int i = 5; i < FAKE_HEAD_HEADERS; i++) {
    strcat(text, "X: y\r\n");
  }
  size_t size = strlen(text);
  strcpy(text + size, "\r\n");
  CU_ASSERT_EQUAL(judge(text), 0);
  strcpy(text + size, "X: y\r\n\r\n");
  CU_ASSERT_EQUAL(judge(text), -1);
}

static void a_key_is_accepted(void) {
  char accept[FAKE_ACCEPT_SIZE];
  /* The example of RFC 6455. */
  CU_ASSERT_TRUE(fake_head_accept("dGhlIHNhbXBsZSBub25jZQ==", accept));
  CU_ASSERT_STRING_EQUAL(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

CU_TestInfo suite_wire_frame[] = {
    {"messages of all lengths are read", messages_of_all_lengths_are_read},
    {"fragments are joined and controls come between",
     fragments_are_joined_and_controls_come_between},
    {"what breaks the rules is wrong", what_breaks_the_rules_is_wrong},
    {"what is too large is wrong before it has come",
     what_is_too_large_is_wrong_before_it_has_come},
    {"texts are UTF-8", texts_are_utf8},
    {"closes carry a code and a reason", closes_carry_a_code_and_a_reason},
    {"heads are written", heads_are_written},
    {"requests are judged", requests_are_judged},
    {"headers are limited in number", headers_are_limited_in_number},
    {"a key is accepted", a_key_is_accepted},
    CU_TEST_INFO_NULL,
};
