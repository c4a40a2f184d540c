/*
 * test_wire_server.c - the fakes' servers: what the pool's own transport sees of them over TLS, and
 * what bad clients get. Both loops live in this thread: the server's descriptor is one of those
 * that the pool's loop waits for.
 */
#define _GNU_SOURCE
#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fakes/wire/server.h"
#include "tests/suites.h"
#include "tests/wire_fixture.h"

#define HOST "wss://upstream.example"

/* A server that keeps what it is told, and answers dials as it is told to. */
static struct {
  struct fake_server *server;
  struct wire_rig *rig;
  struct fake_peer *peer; /* the last that was requested, until it is gone */
  char url[256], header[64], said[64], reason[128];
  size_t length;
  int requests, messages, pings, closes, gone, code;
  bool accepts, echoes, pongs;
} it;

static void requested(void *context, struct fake_peer *peer, const struct fake_upgrade *upgrade) {
  static const struct wsp_header headers[] = {{"X-Test", "v1"}, {"X-Bad", "a\r\nX-Evil: b"}};
  (void)context;
  it.requests++;
  it.peer = peer;
  snprintf(it.url, sizeof it.url, "%s", upgrade->url);
  for (size_t i = 0; i < upgrade->header_count; i++) {
    if (strcasecmp(upgrade->headers[i].name, "Authorization") == 0) {
      snprintf(it.header, sizeof it.header, "%s", upgrade->headers[i].value);
    }
  }
  if (it.accepts) {
    fake_peer_accept(peer, headers, 2);
  }
}

static void spoke(void *context, struct fake_peer *peer, const char *data, size_t length) {
  (void)context;
  it.messages++;
  it.length = length;
  snprintf(it.said, sizeof it.said, "%s", data);
  if (it.echoes) {
    fake_peer_send(peer, data, length, 1000);
  }
}

static void pinged(void *context, struct fake_peer *peer) {
  (void)context;
  it.pings++;
  if (it.pongs) {
    fake_peer_pong(peer);
  }
}

static void closed(void *context, struct fake_peer *peer, int code, const char *reason) {
  (void)context;
  it.closes++;
  it.code = code;
  snprintf(it.reason, sizeof it.reason, "%s", reason);
  fake_peer_send_close(peer, 0, NULL);
}

static void gone(void *context, struct fake_peer *peer) {
  (void)context;
  it.gone++;
  if (it.peer == peer) {
    it.peer = NULL;
  }
}

static const struct fake_server_events events = {requested, spoke, pinged, closed, gone};

static void serve(void *context) {
  fake_server_serve(context);
}

static bool connect_to(void *context, const char *host, int *port,
                       char address[WSP_LWS_ADDRESS_SIZE]) {
  (void)context;
  int served = fake_server_port(it.server, host, *port);
  *port = served != 0 ? served : *port;
  snprintf(address, WSP_LWS_ADDRESS_SIZE, "127.0.0.1");
  return served != 0;
}

static void begin(void) {
  memset(&it, 0, sizeof it);
  it.accepts = it.echoes = it.pongs = true;
  signal(SIGPIPE, SIG_IGN);
  CU_ASSERT_EQUAL_FATAL(fake_server_create(&events, NULL, &it.server), WSP_OK);
  const char *authority = fake_server_authority(it.server);
  it.rig = wire_rig_create_trusting(authority, &(struct wsp_lws_options){.connect_to = connect_to});
  CU_ASSERT_EQUAL_FATAL(
      wsp_lws_watch(it.rig->lws, fake_server_descriptor(it.server), serve, it.server), WSP_OK);
}

static void end(void) {
  wire_rig_destroy(it.rig);
  fake_server_destroy(it.server);
}

static void until(const int *counter, int count) {
  wsp_time end_at = wsp_lws_now() + 60 * WSP_SECOND;
  wsp_lws_wake(it.rig->lws);
  while (*counter < count && wsp_lws_now() < end_at) {
    wsp_lws_run_until(it.rig->lws, end_at);
  }
  CU_ASSERT_TRUE(*counter >= count);
}

static void listen_on(const char *url) {
  CU_ASSERT_EQUAL_FATAL(fake_server_listen(it.server, url, FAKE_VALID), WSP_OK);
}

/* ---- The pool's transport ------------------------------------------------------------------- */

static void a_dial_is_told_and_accepted(void) {
  static const char *const urls[] = {HOST "/v1?q=1", "ws://plain.example:8080/"};
  for (size_t i = 0; i < 2; i++) {
    begin();
    listen_on(urls[i]);
    const struct wsp_header header = {"Authorization", "Bearer x"};
    struct wire_call call = wire_acquire_with(
        it.rig, &(struct wsp_acquire_request){
                    .account = {.id = 1}, .url = urls[i], .headers = &header, .header_count = 1});
    CU_ASSERT_EQUAL(call.error, WSP_OK);
    CU_ASSERT_STRING_EQUAL(it.url, urls[i]);
    CU_ASSERT_STRING_EQUAL(it.header, "Bearer x");
    CU_ASSERT_STRING_EQUAL(wsp_lease_handshake_header(call.lease, "x-test"), "v1");
    /* What would break the answer is left out. */
    CU_ASSERT_STRING_EQUAL(wsp_lease_handshake_header(call.lease, "x-evil"), "");
    end();
  }
}

static void a_dial_is_refused(void) {
  begin();
  it.accepts = false;
  listen_on(HOST "/");
  struct wsp_op op;
  struct wire_call call = {0};
  CU_ASSERT_EQUAL(wire_begin_acquire(it.rig, HOST "/", &call, &op), WSP_OK);
  until(&it.requests, 1);
  const struct wsp_header header = {"X-Test", "v2"};
  fake_peer_refuse(it.peer, 503, &header, 1, "come back later");
  CU_ASSERT_TRUE(wire_until(it.rig, &call.done));
  CU_ASSERT_EQUAL(call.error, WSP_DIAL_FAILED);
  CU_ASSERT_EQUAL(call.status, 503);
  CU_ASSERT_STRING_EQUAL(call.header, "v2");
  CU_ASSERT_STRING_EQUAL(call.text, "dial failed: status=503: come back later");
  until(&it.gone, 1);
  end();
}

static void a_dial_is_cut_off(void) {
  begin();
  it.accepts = false;
  listen_on(HOST "/");
  struct wsp_op op;
  struct wire_call call = {0};
  CU_ASSERT_EQUAL(wire_begin_acquire(it.rig, HOST "/", &call, &op), WSP_OK);
  until(&it.requests, 1);
  fake_peer_cut(it.peer, true);
  CU_ASSERT_TRUE(wire_until(it.rig, &call.done));
  CU_ASSERT_EQUAL(call.error, WSP_DIAL_FAILED);
  CU_ASSERT_STRING_EQUAL(call.text,
                         "dial failed: the server closed the conn before it had answered");
  until(&it.gone, 1);
  end();
}

static void certificates_that_are_wrong_are_refused(void) {
  static const enum fake_validity wrong[] = {FAKE_EXPIRED, FAKE_NOT_YET_VALID,
                                             FAKE_FOR_ANOTHER_HOST};
  static const char *const words[] = {"certificate has expired", "not yet valid",
                                      "hostname mismatch"};
  for (size_t i = 0; i < 3; i++) {
    begin();
    CU_ASSERT_EQUAL(fake_server_listen(it.server, HOST "/", wrong[i]), WSP_OK);
    struct wire_call call = wire_acquire(it.rig, HOST "/");
    CU_ASSERT_EQUAL(call.error, WSP_DIAL_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strcasestr(call.text, words[i]));
    CU_ASSERT_EQUAL(it.requests, 0);
    end();
  }
}

static void messages_go_both_ways(void) {
  enum { LARGE = 1024 * 1024 };
  begin();
  listen_on(HOST "/");
  char *text = malloc(LARGE + 3);
  memset(text, 'x', LARGE + 2);
  text[0] = text[LARGE + 1] = '"';
  text[LARGE + 2] = '\0';
  struct wire_call lent = wire_acquire(it.rig, HOST "/");
  CU_ASSERT_EQUAL(wire_write(it.rig, lent.lease, "{\"a\":1}").error, WSP_OK);
  struct wire_call read = wire_read(it.rig, lent.lease, 0);
  CU_ASSERT_STRING_EQUAL(read.message, "{\"a\":1}");
  wire_call_deinit(&read);
  CU_ASSERT_EQUAL(wire_write(it.rig, lent.lease, text).error, WSP_OK);
  read = wire_read(it.rig, lent.lease, 0); /* it comes in a thousand fragments */
  CU_ASSERT_EQUAL(read.length, LARGE + 2);
  CU_ASSERT_EQUAL(memcmp(read.message, text, LARGE + 2), 0);
  CU_ASSERT_EQUAL(it.messages, 2);
  wire_call_deinit(&read);
  free(text);
  end();
}

static void pings_are_answered_or_not(void) {
  begin();
  listen_on(HOST "/");
  struct wire_call lent = wire_acquire(it.rig, HOST "/");
  CU_ASSERT_EQUAL(wire_ping(it.rig, lent.lease, 0).error, WSP_OK);
  it.pongs = false;
  struct wire_call ping = wire_ping(it.rig, lent.lease, 20 * WSP_MILLISECOND);
  CU_ASSERT_NOT_EQUAL(ping.error, WSP_OK);
  CU_ASSERT_EQUAL(it.pings, 2);
  end();
}

static void the_server_closes(int code, const char *reason, bool reset, int seen,
                              const char *words) {
  begin();
  listen_on(HOST "/");
  struct wire_call lent = wire_acquire(it.rig, HOST "/");
  wsp_lease_release(lent.lease, wsp_lws_now());
  if (reset) {
    fake_peer_cut(it.peer, false);
  } else {
    fake_peer_send_close(it.peer, code, reason);
  }
  CU_ASSERT_TRUE(wire_until_closes(it.rig, 1));
  CU_ASSERT_EQUAL(it.rig->closed_code, seen);
  CU_ASSERT_STRING_EQUAL(it.rig->evicted, words);
  until(&it.gone, 1);
  end();
}

static void closes_of_the_server_are_seen(void) {
  the_server_closes(1001, "going", false, 1001, "going");
  the_server_closes(4001, NULL, false, 4001, "");
  the_server_closes(0, NULL, false, 0, "");
  the_server_closes(0, NULL, true, 1006, "the connection was lost");
}

static void closes_of_the_client_are_told(void) {
  begin();
  listen_on(HOST "/");
  struct wire_call lent = wire_acquire(it.rig, HOST "/");
  wsp_lease_mark_broken(lent.lease, wsp_lws_now());
  until(&it.gone, 1);
  CU_ASSERT_EQUAL(it.closes, 1);
  CU_ASSERT_EQUAL(it.code, 1000);
  CU_ASSERT_EQUAL(it.rig->closes, 1);
  end();
}

/* ---- Proxies --------------------------------------------------------------------------------- */

static struct wire_call dial_through(const char *proxy, const char *url, wsp_duration timeout) {
  return wire_acquire_with(it.rig, &(struct wsp_acquire_request){
                                       .account = {.id = 1},
                                       .url = url,
                                       .proxy = proxy,
                                       .deadline = timeout == 0 ? 0 : wsp_lws_now() + timeout});
}

static void a_proxy_connects(void) {
  static const char *const urls[] = {HOST "/", "ws://plain.example/"};
  for (size_t i = 0; i < 2; i++) {
    begin();
    listen_on(urls[i]);
    CU_ASSERT_EQUAL(fake_server_listen_proxy(it.server, "http://user:secret@proxy.example:3128",
                                             FAKE_PROXY_CONNECTS),
                    WSP_OK);
    struct wire_call call = dial_through("http://user:secret@proxy.example:3128", urls[i], 0);
    CU_ASSERT_EQUAL(call.error, WSP_OK);
    CU_ASSERT_STRING_EQUAL(it.url, urls[i]);
    CU_ASSERT_EQUAL(wire_write(it.rig, call.lease, "{}").error, WSP_OK);
    struct wire_call read = wire_read(it.rig, call.lease, 0);
    CU_ASSERT_STRING_EQUAL(read.message, "{}");
    wire_call_deinit(&read);
    end();
  }
}

static void a_proxy_refuses(void) {
  static const char *const dialled[] = {"http://proxy.example:3128",
                                        "http://other:secret@proxy.example:3128",
                                        "http://user:secret@proxy.example:3128"};
  for (size_t i = 0; i < 3; i++) {
    begin();
    listen_on(HOST "/");
    CU_ASSERT_EQUAL(fake_server_listen_proxy(it.server, "http://user:secret@proxy.example:3128",
                                             i < 2 ? FAKE_PROXY_CONNECTS : FAKE_PROXY_REFUSES),
                    WSP_OK);
    struct wire_call call = dial_through(dialled[i], HOST "/", 0);
    CU_ASSERT_EQUAL(call.error, WSP_DIAL_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(call.text, "proxy"));
    CU_ASSERT_EQUAL(it.requests, 0);
    end();
  }
}

static void a_proxy_stalls(void) {
  begin();
  listen_on(HOST "/");
  CU_ASSERT_EQUAL(
      fake_server_listen_proxy(it.server, "http://proxy.example:3128", FAKE_PROXY_STALLS), WSP_OK);
  struct wire_call call = dial_through("http://proxy.example:3128", HOST "/", 20 * WSP_MILLISECOND);
  CU_ASSERT_EQUAL(call.error, WSP_DEADLINE_EXCEEDED);
  CU_ASSERT_EQUAL(it.requests, 0);
  end();
}

/* ---- Bad clients ------------------------------------------------------------------------------
 */

/* A socket to the plain upstream. */
static int connect_plain(void) {
  const struct sockaddr_in address = {
      .sin_family = AF_INET,
      .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
      .sin_port = htons((uint16_t)fake_server_port(it.server, "plain.example", 80))};
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
                            {.fd = fake_server_descriptor(it.server), .events = POLLIN}};
    poll(both, 2, 1000);
    fake_server_serve(it.server);
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

/* A plain server without the pool's loop, and a socket to it. */
static int begin_bad(void) {
  begin();
  listen_on("ws://plain.example/");
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
    CU_ASSERT_EQUAL(it.requests, 0);
    close(fd);
    end();
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
  end();
}

static void a_request_may_come_byte_by_byte(void) {
  char answer[1024];
  int fd = begin_bad();
  for (size_t i = 0; i < strlen(REQUEST); i++) {
    say(fd, REQUEST + i, 1);
    fake_server_serve(it.server);
  }
  CU_ASSERT_TRUE(hear(fd, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", answer, sizeof answer));
  CU_ASSERT_STRING_EQUAL(it.url, "ws://plain.example/v1");
  close(fd);
  until(&it.gone, 1);
  end();
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
    CU_ASSERT_STRING_EQUAL(it.url, "ws://plain.example/v1");
    close(fd);
    end();
  }
}

/* That one leaves, which has time, does not put off the end of the one that was cut before it. */
static void a_cut_is_told_at_once_while_another_leaves(void) {
  char answer[1024];
  int fds[2] = {begin_bad(), connect_plain()};
  struct fake_peer *peers[2];
  for (size_t i = 0; i < 2; i++) {
    say(fds[i], REQUEST, sizeof REQUEST - 1);
    CU_ASSERT_TRUE(hear(fds[i], "HTTP/1.1 101 ", answer, sizeof answer));
    peers[i] = it.peer;
  }
  fake_peer_cut(peers[0], true);
  fake_peer_send_close(peers[1], 1001, NULL);
  struct pollfd served = {.fd = fake_server_descriptor(it.server), .events = POLLIN};
  CU_ASSERT_EQUAL(poll(&served, 1, 0), 1);
  fake_server_serve(it.server);
  CU_ASSERT_EQUAL(it.gone, 1);
  close(fds[0]);
  close(fds[1]);
  end();
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
    CU_ASSERT_EQUAL(it.messages, 0);
    close(fd);
    until(&it.gone, 1);
    end();
  }
}

static void who_goes_at_any_point_leaves_nothing_behind(void) {
  char answer[1024];
  begin();
  listen_on("ws://plain.example/");
  int before = wire_descriptors();
  for (size_t length = 0; length <= strlen(REQUEST); length += 40) {
    int fd = connect_plain();
    say(fd, REQUEST, length);
    fake_server_serve(it.server);
    close(fd);
    fake_server_serve(it.server);
  }
  int fd = connect_plain();
  say(fd, REQUEST, strlen(REQUEST));
  CU_ASSERT_TRUE(hear(fd, "\r\n\r\n", answer, sizeof answer));
  close(fd);
  until(&it.gone, it.requests);
  CU_ASSERT_EQUAL(wire_descriptors(), before);
  end();
}

/* What it is sent waits in memory, and goes with it. */
static void a_client_that_never_reads_is_cut(void) {
  char answer[1024];
  int fd = begin_bad();
  say(fd, REQUEST, strlen(REQUEST));
  CU_ASSERT_TRUE(hear(fd, "\r\n\r\n", answer, sizeof answer));
  char *text = calloc(1, 8 * 1024 * 1024);
  memset(text, 'x', 8 * 1024 * 1024);
  fake_peer_send(it.peer, text, 8 * 1024 * 1024, 0);
  free(text);
  fake_server_serve(it.server);
  CU_ASSERT_EQUAL(it.gone, 0);
  fake_peer_send_close(it.peer, 1000, NULL);
  until(&it.gone, 1); /* after the second that it has for its close */
  close(fd);
  end();
}

static void a_deaf_server_hears_later(void) {
  begin();
  listen_on(HOST "/");
  struct wire_call lent = wire_acquire(it.rig, HOST "/");
  fake_peer_deafen(it.peer, true);
  CU_ASSERT_EQUAL(wire_write(it.rig, lent.lease, "{}").error, WSP_OK);
  struct wire_call read = wire_read(it.rig, lent.lease, 20 * WSP_MILLISECOND);
  CU_ASSERT_EQUAL(read.error, WSP_DEADLINE_EXCEEDED);
  CU_ASSERT_EQUAL(it.messages, 0);
  fake_peer_deafen(it.peer, false);
  until(&it.messages, 1);
  CU_ASSERT_STRING_EQUAL(it.said, "{}");
  end();
}

/* At ten bytes a millisecond a thousand take at least 99: never less, however busy the machine. */
static void a_slow_server_sends_slowly(void) {
  begin();
  listen_on(HOST "/");
  struct wire_call lent = wire_acquire(it.rig, HOST "/");
  char text[1001];
  memset(text, 'x', 1000);
  text[1000] = '\0';
  fake_peer_pace(it.peer, 10);
  wsp_time begun = wsp_lws_now();
  fake_peer_send(it.peer, text, 1000, 0);
  struct wire_call read = wire_read(it.rig, lent.lease, 0);
  CU_ASSERT_TRUE(wsp_lws_now() - begun >= 99 * WSP_MILLISECOND);
  CU_ASSERT_STRING_EQUAL(read.message, text);
  wire_call_deinit(&read);
  fake_peer_pace(it.peer, 0);
  fake_peer_send(it.peer, "{}", 2, 0);
  read = wire_read(it.rig, lent.lease, 0);
  CU_ASSERT_STRING_EQUAL(read.message, "{}");
  wire_call_deinit(&read);
  end();
}

CU_TestInfo suite_wire_server[] = {
    {"a dial is told and accepted", a_dial_is_told_and_accepted},
    {"a dial is refused", a_dial_is_refused},
    {"a dial is cut off", a_dial_is_cut_off},
    {"certificates that are wrong are refused", certificates_that_are_wrong_are_refused},
    {"messages go both ways", messages_go_both_ways},
    {"pings are answered or not", pings_are_answered_or_not},
    {"closes of the server are seen", closes_of_the_server_are_seen},
    {"closes of the client are told", closes_of_the_client_are_told},
    {"a proxy connects", a_proxy_connects},
    {"a proxy refuses", a_proxy_refuses},
    {"a proxy stalls", a_proxy_stalls},
    {"requests that are none are refused", requests_that_are_none_are_refused},
    {"a head without end is refused", a_head_without_end_is_refused},
    {"a request may come byte by byte", a_request_may_come_byte_by_byte},
    {"hosts that are none are not believed", hosts_that_are_none_are_not_believed},
    {"a cut is told at once while another leaves", a_cut_is_told_at_once_while_another_leaves},
    {"frames that break the rules close the conn", frames_that_break_the_rules_close_the_conn},
    {"who goes at any point leaves nothing behind", who_goes_at_any_point_leaves_nothing_behind},
    {"a client that never reads is cut", a_client_that_never_reads_is_cut},
    {"a slow server sends slowly", a_slow_server_sends_slowly},
    {"a deaf server hears later", a_deaf_server_hears_later},
    CU_TEST_INFO_NULL,
};
