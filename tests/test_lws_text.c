/*
 * test_lws_text.c - what the transport on libwebsockets reads by itself: URLs and the answers of
 * servers.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "pool/lws/internal.h"
#include "tests/suites.h"

static void check_url(const char *url, const char *host, int port, const char *header,
                      const char *path, bool tls) {
  struct address address;
  char reason[REASON_SIZE];
  CU_ASSERT_TRUE_FATAL(wsp_address_parse(&address, url, false, reason));
  CU_ASSERT_STRING_EQUAL(address.host, host);
  CU_ASSERT_EQUAL(address.port, port);
  CU_ASSERT_STRING_EQUAL(address.host_header, header);
  CU_ASSERT_STRING_EQUAL(address.path, path);
  CU_ASSERT_EQUAL(address.tls, tls);
  wsp_address_deinit(&address);
}

static void test_urls_are_taken_apart(void) {
  check_url("wss://example.com/v1/responses", "example.com", 443, "example.com", "/v1/responses",
            true);
  check_url("WS://example.com", "example.com", 80, "example.com", "/", false);
  check_url("ws://example.com:8080?a=b", "example.com", 8080, "example.com:8080", "/?a=b", false);
  check_url("wss://[::1]:4433/x?y#z", "::1", 4433, "[::1]:4433", "/x?y", true);
  check_url("wss://[2001:db8::1]", "2001:db8::1", 443, "[2001:db8::1]", "/", true);
}

static void test_what_is_no_url_is_refused(void) {
  static const char *const wrong[] = {"http://example.com",
                                      "example.com",
                                      "wss://",
                                      "wss://:443/",
                                      "wss://user@example.com/",
                                      "wss://a:0/",
                                      "wss://a:65536/",
                                      "wss://a:12x/",
                                      "wss://[::1",
                                      "wss://[::1]x",
                                      "wss://a b/",
                                      "wss://a/\r\nX: y",
                                      "wss://[]/",
                                      "wss://a:/"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    struct address address;
    char reason[REASON_SIZE] = "";
    CU_ASSERT_FALSE(wsp_address_parse(&address, wrong[i], false, reason));
    CU_ASSERT_NOT_EQUAL(reason[0], '\0');
  }
}

static void test_a_proxy_may_have_a_password_which_no_message_shows(void) {
  struct address address;
  char reason[REASON_SIZE];
  CU_ASSERT_TRUE_FATAL(wsp_address_parse(&address, "http://me:s@cret@proxy:3128", true, reason));
  CU_ASSERT_STRING_EQUAL(address.userinfo, "me:s@cret");
  CU_ASSERT_STRING_EQUAL(address.host, "proxy");
  CU_ASSERT_EQUAL(address.port, 3128);
  wsp_address_deinit(&address);
  CU_ASSERT_FALSE(wsp_address_parse(&address, "http://me:secret@proxy:x", true, reason));
  CU_ASSERT_PTR_NULL(strstr(reason, "secret"));
  CU_ASSERT_FALSE(wsp_address_parse(&address, "wss://proxy:3128", true, reason));
}

/* Parses `text`; the caller frees the reply. */
static enum reply_progress parse(struct reply *reply, const char *text, size_t *head_length) {
  char reason[REASON_SIZE];
  struct bytes answer = {(uint8_t *)text, strlen(text), strlen(text)};
  *reply = (struct reply){0};
  return wsp_reply_parse(reply, &answer, head_length, reason);
}

static void test_an_answer_has_status_headers_and_phrase(void) {
  struct reply reply;
  size_t head_length;
  CU_ASSERT_EQUAL_FATAL(
      parse(&reply, "HTTP/1.1 503 Service Unavailable\r\nX-Test:  v1 \r\nEmpty:\r\n\r\nrest",
            &head_length),
      REPLY_HEAD);
  CU_ASSERT_EQUAL(reply.status, 503);
  CU_ASSERT_STRING_EQUAL(reply.phrase, "Service Unavailable");
  CU_ASSERT_EQUAL(reply.header_count, 2);
  CU_ASSERT_STRING_EQUAL(wsp_reply_header(&reply, "x-TEST"), "v1");
  CU_ASSERT_STRING_EQUAL(wsp_reply_header(&reply, "empty"), "");
  CU_ASSERT_PTR_NULL(wsp_reply_header(&reply, "x-tes"));
  wsp_reply_deinit(&reply);
}

static void test_every_beginning_of_an_answer_is_incomplete(void) {
  static const char text[] = "HTTP/1.0 429 Too Many\nRetry-After: 1\n\n";
  struct reply reply;
  size_t head_length;
  for (size_t length = 0; length < sizeof text - 1; length++) {
    char *start = strndup(text, length); /* on its own, so that reading behind it is seen */
    CU_ASSERT_EQUAL(parse(&reply, start, &head_length), REPLY_INCOMPLETE);
    free(start);
  }
  CU_ASSERT_EQUAL(parse(&reply, text, &head_length), REPLY_HEAD);
  CU_ASSERT_EQUAL(head_length, sizeof text - 1);
  wsp_reply_deinit(&reply);
}

static void test_what_is_no_answer_is_invalid(void) {
  static const char *const wrong[] = {"SSH-2.0-OpenSSH",
                                      "HTTP/2 200\r\n\r\n",
                                      "HTTP/1.1 abc\r\n\r\n",
                                      "HTTP/1.1 50\r\n\r\n",
                                      "HTTP/1.1 5030 x\r\n\r\n",
                                      "HTTP/1.1 503 x\r\nno colon\r\n\r\n",
                                      "HTTP/1.1 503 x\r\n: empty\r\n\r\n",
                                      "\r\n\r\n"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    struct reply reply;
    size_t head_length;
    CU_ASSERT_EQUAL(parse(&reply, wrong[i], &head_length), REPLY_INVALID);
    wsp_reply_deinit(&reply);
  }
}

/* The text of an answer, and whether its body is complete. */
static void check_body(const char *answer, bool complete, const char *expected) {
  struct reply reply;
  size_t head_length;
  char text[64];
  CU_ASSERT_EQUAL_FATAL(parse(&reply, answer, &head_length), REPLY_HEAD);
  struct bytes bytes = {(uint8_t *)answer, strlen(answer), 0};
  CU_ASSERT_EQUAL(wsp_reply_body_complete(&reply, &bytes, head_length), complete);
  wsp_reply_text(&reply, &bytes, head_length, text, sizeof text);
  CU_ASSERT_STRING_EQUAL(text, expected);
  wsp_reply_deinit(&reply);
}

static void test_a_body_ends_by_its_length_or_its_chunks(void) {
  check_body("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nlate", true, "late");
  check_body("HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nlate", false, "late");
  check_body("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", true, "Busy");
  check_body("HTTP/1.1 503 Busy\r\n\r\n \r\nlate\n", false, "late");
  check_body(
      "HTTP/1.1 503\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nthe\r\nB;x=y\r\n rest of it\r\n"
      "0\r\n\r\n",
      true, "the rest of it");
  check_body("HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nthe\r\n5\r\nre", false,
             "the");
  check_body("HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nre", false,
             "Busy");
  check_body("HTTP/1.1 204 Nothing\r\n\r\n", true, "Nothing");
}

static void test_a_long_body_is_cut(void) {
  check_body(
      "HTTP/1.1 503 Busy\r\n\r\n"
      "0123456789012345678901234567890123456789012345678901234567890123456789",
      false, "012345678901234567890123456789012345678901234567890123456789012");
}

CU_TestInfo suite_lws_text[] = {
    {"urls are taken apart", test_urls_are_taken_apart},
    {"what is no url is refused", test_what_is_no_url_is_refused},
    {"a proxy may have a password, which no message shows",
     test_a_proxy_may_have_a_password_which_no_message_shows},
    {"an answer has status, headers and phrase", test_an_answer_has_status_headers_and_phrase},
    {"every beginning of an answer is incomplete", test_every_beginning_of_an_answer_is_incomplete},
    {"what is no answer is invalid", test_what_is_no_answer_is_invalid},
    {"a body ends by its length or its chunks", test_a_body_ends_by_its_length_or_its_chunks},
    {"a long body is cut", test_a_long_body_is_cut},
    CU_TEST_INFO_NULL};
