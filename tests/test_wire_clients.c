/*
 * test_wire_clients.c - what bad clients get of the fakes' servers: plain sockets that say what
 * they should not, or go when they should not.
 */
#define _GNU_SOURCE
#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/scene_fixture.h"
#include "tests/suites.h"

/* A socket to the plain upstream. */
static int connect_plain(void) {
  const struct sockaddr_in address = {
      .sin_family = AF_INET,
      .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
      .sin_port = htons((uint16_t)fake_server_port(scene.server, "plain.example", 80))};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CU_ASSERT_EQUAL_FATAL(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
  return fd;
}

/* Serves until the server has ended the conn or has said `words`; what it said is in `answer`. */
static bool hear(int fd, const char *words, char *answer, size_t size) {
  wsp_time end_at = wsp_lws_now() + 60 * WSP_SECOND;
  size_t length = 0;
  answer[0] = '\0';
  while (wsp_lws_now() < end_at) {
    struct pollfd both[] = {{.fd = fd, .events = POLLIN},
                            {.fd = fake_server_descriptor(scene.server), .events = POLLIN}};
    poll(both, 2, 1000);
    fake_server_serve(scene.server);
    ssize_t got = recv(fd, answer + length, size - 1 - length, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && (both[0].revents & (POLLHUP | POLLERR)) != 0)) {
      return words == NULL;
    }
    length += got > 0 ? (size_t)got : 0;
    answer[length] = '\0';
    if (words != NULL && memmem(answer, length, words, strlen(words)) != NULL) {
      return true;
    }
  }
  return false;
}

#define REQUEST                                                                              \
  "GET /v1 HTTP/1.1\r\nHost: plain.example\r\nUpgrade: websocket\r\nConnection: upgrade\r\n" \
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

/* A plain server without the pool's loop, and a socket to scene. */
static int begin_bad(void) {
  scene_begin();
  scene_listen_on("ws://plain.example/");
  return connect_plain();
}

static void say(int fd, const void *data, size_t length) {
  CU_ASSERT_EQUAL(send(fd, data, length, MSG_NOSIGNAL), (ssize_t)length);
}

static void requests_that_are_none_are_refused(void) {
  static const struct {
    const char *request, *answer;
  } cases[] = {
      {"\x16\x03\x01 garbage\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
      {"GET / HTTP/1.1\r\nHost: plain.example\r\n\r\n", "HTTP/1.1 426 Upgrade Required\r\n"},
      {"PUT / HTTP/1.1\r\n\r\n", "HTTP/1.1 405 Method Not Allowed\r\n"}};
  char answer[1024];
  for (size_t i = 0; i < 3; i++) {
    int fd = begin_bad();
    say(fd, cases[i].request, strlen(cases[i].request));
    CU_ASSERT_TRUE(hear(fd, NULL, answer, sizeof answer));
    CU_ASSERT_EQUAL(strncmp(answer, cases[i].answer, strlen(cases[i].answer)), 0);
    CU_ASSERT_EQUAL(scene.requests, 0);
    close(fd);
    scene_end();
  }
}

static void a_head_without_end_is_refused(void) {
  char answer[1024];
  char *head = malloc(40000);
  int fd = begin_bad();
  memset(head, 'x', 40000);
  say(fd, head, 40000);
  CU_ASSERT_TRUE(hear(fd, "HTTP/1.1 400 ", answer, sizeof answer));
  free(head);
  close(fd);
  scene_end();
}

static void a_request_may_come_byte_by_byte(void) {
  char answer[1024];
  int fd = begin_bad();
  for (size_t i = 0; i < strlen(REQUEST); i++) {
    say(fd, REQUEST + i, 1);
    fake_server_serve(scene.server);
  }
  CU_ASSERT_TRUE(hear(fd, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", answer, sizeof answer));
  CU_ASSERT_STRING_EQUAL(scene.url, "ws://plain.example/v1");
  close(fd);
  scene_until(&scene.gone, 1);
  scene_end();
}

/* What a client calls the host is told as it is only if it is a host and nothing else. */
static void hosts_that_are_none_are_not_believed(void) {
  static const char *const hosts[] = {"plain.example/other", "plain.example:80x", "@plain.example",
                                      "plain.example:4294967376"};
  char text[512];
  for (size_t i = 0; i < 4; i++) {
    int fd = begin_bad();
    int length = snprintf(text, sizeof text,
                          "GET /v1 HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
                          "Connection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                          hosts[i]);
    say(fd, text, (size_t)length);
    CU_ASSERT_TRUE(hear(fd, "HTTP/1.1 101 ", text, sizeof text));
    CU_ASSERT_STRING_EQUAL(scene.url, "ws://plain.example/v1");
    close(fd);
    scene_end();
  }
}

/* That one leaves, which has time, does not put off the end of the one that was cut before scene.
 */
static void a_cut_is_told_at_once_while_another_leaves(void) {
  char answer[1024];
  int fds[2] = {begin_bad(), connect_plain()};
  struct fake_peer *peers[2];
  for (size_t i = 0; i < 2; i++) {
    say(fds[i], REQUEST, sizeof REQUEST - 1);
    CU_ASSERT_TRUE(hear(fds[i], "HTTP/1.1 101 ", answer, sizeof answer));
    peers[i] = scene.peer;
  }
  fake_peer_cut(peers[0], true);
  fake_peer_send_close(peers[1], 1001, NULL);
  struct pollfd served = {.fd = fake_server_descriptor(scene.server), .events = POLLIN};
  CU_ASSERT_EQUAL(poll(&served, 1, 0), 1);
  fake_server_serve(scene.server);
  CU_ASSERT_EQUAL(scene.gone, 1);
  close(fds[0]);
  close(fds[1]);
  scene_end();
}

static void frames_that_break_the_rules_close_the_conn(void) {
  static const struct {
    const char *frame;
    size_t length;
    const char *answer;                                                      /* a close frame */
  } cases[] = {{"\x81\x01x", 3, "\x88\x02\x03\xea"},                         /* not masked */
               {"\xc1\x80\1\2\3\4", 6, "\x88\x02\x03\xea"},                  /* a reserved bit */
               {"\x81\xff\0\0\0\1\0\0\0\0\1\2\3\4", 14, "\x88\x02\x03\xf1"}, /* 4 GiB */
               {"\x81\x81\0\0\0\0\xff", 7, "\x88\x02\x03\xef"}};             /* no UTF-8 */
  char answer[1024];
  for (size_t i = 0; i < 4; i++) {
    int fd = begin_bad();
    say(fd, REQUEST, strlen(REQUEST));
    CU_ASSERT_TRUE(hear(fd, "X-Test: v1\r\n\r\n", answer, sizeof answer));
    say(fd, cases[i].frame, cases[i].length);
    CU_ASSERT_TRUE(hear(fd, cases[i].answer, answer, sizeof answer));
    CU_ASSERT_EQUAL(scene.messages, 0);
    close(fd);
    scene_until(&scene.gone, 1);
    scene_end();
  }
}

static void who_goes_at_any_point_leaves_nothing_behind(void) {
  char answer[1024];
  scene_begin();
  scene_listen_on("ws://plain.example/");
  int before = wire_descriptors();
  for (size_t length = 0; length <= strlen(REQUEST); length += 40) {
    int fd = connect_plain();
    say(fd, REQUEST, length);
    fake_server_serve(scene.server);
    close(fd);
    fake_server_serve(scene.server);
  }
  int fd = connect_plain();
  say(fd, REQUEST, strlen(REQUEST));
  CU_ASSERT_TRUE(hear(fd, "\r\n\r\n", answer, sizeof answer));
  close(fd);
  scene_until(&scene.gone, scene.requests);
  CU_ASSERT_EQUAL(wire_descriptors(), before);
  scene_end();
}

/* What it is sent waits in memory, and goes with scene. */
static void a_client_that_never_reads_is_cut(void) {
  char answer[1024];
  int fd = begin_bad();
  say(fd, REQUEST, strlen(REQUEST));
  CU_ASSERT_TRUE(hear(fd, "\r\n\r\n", answer, sizeof answer));
  char *text = calloc(1, 8 * 1024 * 1024);
  memset(text, 'x', 8 * 1024 * 1024);
  fake_peer_send(scene.peer, text, 8 * 1024 * 1024, 0);
  free(text);
  fake_server_serve(scene.server);
  CU_ASSERT_EQUAL(scene.gone, 0);
  fake_peer_send_close(scene.peer, 1000, NULL);
  scene_until(&scene.gone, 1); /* after the second that it has for its close */
  close(fd);
  scene_end();
}

CU_TestInfo suite_wire_clients[] = {
    {"requests that are none are refused", requests_that_are_none_are_refused},
    {"a head without end is refused", a_head_without_end_is_refused},
    {"a request may come byte by byte", a_request_may_come_byte_by_byte},
    {"hosts that are none are not believed", hosts_that_are_none_are_not_believed},
    {"a cut is told at once while another leaves", a_cut_is_told_at_once_while_another_leaves},
    {"frames that break the rules close the conn", frames_that_break_the_rules_close_the_conn},
    {"who goes at any point leaves nothing behind", who_goes_at_any_point_leaves_nothing_behind},
    {"a client that never reads is cut", a_client_that_never_reads_is_cut},
    CU_TEST_INFO_NULL,
};
