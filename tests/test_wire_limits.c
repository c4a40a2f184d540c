/*
 * test_wire_limits.c - what the fakes' servers withstand: clients that send without reading or
 * hurry, urls that are none, and a process that has no descriptor left. Plain sockets; no pool.
 */
#define _GNU_SOURCE
#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fakes/wire/server.h"
#include "pool/lws/wspool_lws.h"
#include "tests/suites.h"

#define URL "ws://plain.example/"
#define PROXY "http://proxy.example:3128"
#define REQUEST                                                                            \
  "GET / HTTP/1.1\r\nHost: plain.example\r\nUpgrade: websocket\r\nConnection: upgrade\r\n" \
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

enum { MEBIBYTE = 1024 * 1024, SMALL = 64 * 1024 };

static struct {
  struct fake_server *server;
  struct fake_peer *peer;
  int requests, messages, gone;
  bool waits; /* with the answer to a request */
} it;

static void requested(void *context, struct fake_peer *peer, const struct fake_upgrade *upgrade) {
  (void)context;
  (void)upgrade;
  it.requests++;
  it.peer = peer;
  if (!it.waits) {
    fake_peer_accept(peer, NULL, 0);
  }
}

static void spoke(void *context, struct fake_peer *peer, const char *data, size_t length) {
  (void)context;
  (void)peer;
  (void)data;
  (void)length;
  it.messages++;
}

static void pinged(void *context, struct fake_peer *peer) {
  (void)context;
  fake_peer_pong(peer);
}

static void closed(void *context, struct fake_peer *peer, int code, const char *reason) {
  (void)context;
  (void)reason;
  fake_peer_send_close(peer, code, NULL);
}

static void gone(void *context, struct fake_peer *peer) {
  (void)context;
  (void)peer;
  it.gone++;
}

static void begin(void) {
  static const struct fake_server_events events = {requested, spoke, pinged, closed, gone};
  memset(&it, 0, sizeof it);
  signal(SIGPIPE, SIG_IGN);
  CU_ASSERT_EQUAL_FATAL(fake_server_create(&events, NULL, &it.server), WSP_OK);
  CU_ASSERT_EQUAL_FATAL(fake_server_listen(it.server, URL, FAKE_VALID), WSP_OK);
}

/* A socket that takes little before it is read. */
static int connect_to(const char *host, int port) {
  const int size = SMALL;
  const struct sockaddr_in address = {
      .sin_family = AF_INET,
      .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
      .sin_port = htons((uint16_t)fake_server_port(it.server, host, port))};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  CU_ASSERT_EQUAL_FATAL(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
  return fd;
}

static void say(int fd, const void *data, size_t length) {
  CU_ASSERT_EQUAL(send(fd, data, length, MSG_NOSIGNAL), (ssize_t)length);
}

/* False: nothing came within `milliseconds`. */
static bool serve_within(int milliseconds) {
  struct pollfd ready = {.fd = fake_server_descriptor(it.server), .events = POLLIN};
  int count = poll(&ready, 1, milliseconds);
  fake_server_serve(it.server);
  return count > 0;
}

static void until(const int *counter, int count) {
  wsp_time end = wsp_lws_now() + 30 * WSP_SECOND;
  while (*counter < count && wsp_lws_now() < end) {
    (void)serve_within(1000);
  }
  CU_ASSERT_EQUAL(*counter, count);
}

/* Reads the answer to a request; what comes behind it stays. */
static void hear_answer(int fd) {
  char answer[1024];
  size_t length = 0;
  wsp_time end = wsp_lws_now() + 30 * WSP_SECOND;
  while (length < sizeof answer && wsp_lws_now() < end &&
         (length < 4 || memcmp(answer + length - 4, "\r\n\r\n", 4) != 0)) {
    length += recv(fd, answer + length, 1, MSG_DONTWAIT) == 1 || (serve_within(10) && false);
  }
  CU_ASSERT_TRUE(length > 12 &&
                 (memcmp(answer + 9, "101", 3) == 0 || memcmp(answer + 9, "200", 3) == 0));
}

static int open_conn(void) {
  begin();
  int fd = connect_to("plain.example", 80);
  say(fd, REQUEST, strlen(REQUEST));
  hear_answer(fd);
  return fd;
}

static void a_frame_behind_the_request_waits_for_the_answer(void) {
  static const char hasty[] = REQUEST "\x81\x81\0\0\0\0x";
  begin();
  it.waits = true;
  int fd = connect_to("plain.example", 80);
  say(fd, hasty, sizeof hasty - 1);
  until(&it.requests, 1);
  fake_peer_accept(it.peer, NULL, 0);
  until(&it.messages, 1);
  close(fd);
  fake_server_destroy(it.server);
}

/* How much of `unit`, again and again, the server takes, up to `most`. `sips`: the client reads a
 * little meanwhile. */
static size_t taken(int fd, const char *unit, size_t length, size_t most, bool sips) {
  char *data = malloc(length * 1024);
  char *sip = malloc(4 * SMALL);
  size_t sent = 0;
  for (size_t i = 0; i < 1024; i++) {
    memcpy(data + i * length, unit, length);
  }
  for (int idle = 0; sent < most && idle < 20;) {
    size_t from = sent % length; /* of the unit that was sent in part */
    ssize_t now = send(fd, data + from, 1024 * length - from, MSG_DONTWAIT | MSG_NOSIGNAL);
    sent += now > 0 ? (size_t)now : 0;
    if (sips) {
      (void)recv(fd, sip, 4 * SMALL, MSG_DONTWAIT);
    }
    idle = now > 0 || serve_within(5) ? 0 : idle + 1;
  }
  free(sip);
  free(data);
  return sent;
}

static void pings_of_one_who_does_not_read_are_left_unread(void) {
  char ping[6 + 100] = "\x89\xe4";
  int fd = open_conn();
  CU_ASSERT_TRUE(taken(fd, ping, sizeof ping, 64 * MEBIBYTE, false) < 64 * MEBIBYTE);
  CU_ASSERT_EQUAL(it.gone, 0);
  close(fd);
  until(&it.gone, 1);
  fake_server_destroy(it.server);
}

static void the_deaf_do_not_read_while_they_speak(void) {
  char message[8 + 1000] = "\x82\xfe\x03\xe8";
  char *text = calloc(1, 64 * MEBIBYTE);
  int fd = open_conn();
  fake_peer_deafen(it.peer, true);
  fake_peer_send(it.peer, text, 64 * MEBIBYTE, 0);
  free(text);
  CU_ASSERT_TRUE(taken(fd, message, sizeof message, 24 * MEBIBYTE, true) < 24 * MEBIBYTE);
  CU_ASSERT_EQUAL(it.messages, 0);
  const struct linger reset = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  close(fd);
  until(&it.gone, 1); /* a loss is seen by the deaf too */
  fake_server_destroy(it.server);
}

static void without_descriptors_a_listener_rests(void) {
  struct rlimit limit;
  begin();
  int fd = connect_to("plain.example", 80);
  int next = dup(fd);
  close(next);
  CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
  CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)next, limit.rlim_max}),
                        0);
  wsp_time begun = wsp_lws_now();
  for (int i = 0; i < 10; i++) {
    CU_ASSERT_TRUE(serve_within(10000)); /* it tries again, but not at once */
  }
  CU_ASSERT_TRUE(wsp_lws_now() - begun > 30 * WSP_MILLISECOND);
  CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_NOFILE, &limit), 0);
  say(fd, REQUEST, strlen(REQUEST));
  hear_answer(fd);
  close(fd);
  fake_server_destroy(it.server);
}

static void hosts_and_ports_are_read_to_their_end(void) {
  static const char *const wrong[] = {"ws://a:80x/",   "ws://a:/",     "ws://a:4294967376/",
                                      "ws://a:65536/", "ws://[::1/",   "ws://[::1]x:80/",
                                      "ws://[]:80/",   "ws://a:-80/",  "ws://a:0/",
                                      "ws://:80/",     "ws://u@a:80/", "http://a/"};
  begin();
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    CU_ASSERT_EQUAL(fake_server_listen(it.server, wrong[i], FAKE_VALID), WSP_INVALID_REQUEST);
  }
  CU_ASSERT_EQUAL(fake_server_listen(it.server, "ws://[::1]:65535?q", FAKE_VALID), WSP_OK);
  CU_ASSERT_NOT_EQUAL(fake_server_port(it.server, "::1", 65535), 0);
  CU_ASSERT_EQUAL(fake_server_listen(it.server, "ws://[::2]", FAKE_VALID), WSP_OK);
  CU_ASSERT_NOT_EQUAL(fake_server_port(it.server, "::2", 80), 0);
  fake_server_destroy(it.server);
}

static void a_connect_to_what_is_no_port_is_refused(void) {
  static const char *const targets[] = {"plain.example:80x", "plain.example:4294967376",
                                        "plain.example:", "plain.example", "[plain.example:80"};
  for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
    char text[100] = "CONNECT ", answer[13] = "";
    begin();
    CU_ASSERT_EQUAL(fake_server_listen_proxy(it.server, PROXY, FAKE_PROXY_CONNECTS), WSP_OK);
    int fd = connect_to("proxy.example", 3128);
    strcat(strcat(text, targets[i]), " HTTP/1.1\r\n\r\n");
    say(fd, text, strlen(text));
    wsp_time end = wsp_lws_now() + 30 * WSP_SECOND;
    while (recv(fd, answer, 12, MSG_DONTWAIT) != 12 && wsp_lws_now() < end) {
      (void)serve_within(10);
    }
    CU_ASSERT_STRING_EQUAL(answer, "HTTP/1.1 502");
    close(fd);
    fake_server_destroy(it.server);
  }
}

CU_TestInfo suite_wire_limits[] = {
    {"a frame behind the request waits for the answer",
     a_frame_behind_the_request_waits_for_the_answer},
    {"pings of one who does not read are left unread",
     pings_of_one_who_does_not_read_are_left_unread},
    {"the deaf do not read while they speak", the_deaf_do_not_read_while_they_speak},
    {"without descriptors a listener rests", without_descriptors_a_listener_rests},
    {"hosts and ports are read to their end", hosts_and_ports_are_read_to_their_end},
    {"a connect to what is no port is refused", a_connect_to_what_is_no_port_is_refused},
    CU_TEST_INFO_NULL,
};
