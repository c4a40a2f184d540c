/*
 * test_wire_relay.c - what scenarios can not show of the relay: wires that fail, ends that no fake
 * asked for, clients that are not its own.
 */
#define _GNU_SOURCE
#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fakes/wire/relay_internal.h"
#include "tests/suites.h"

#define URL "ws://upstream.example/v1"

static struct {
  struct sim_arena *arena;
  struct sim_queue *queue;
  struct fake_world *world;
  struct fake_relay *relay;
  wsp_time now;
  /* What the pool was told. */
  int dials, closes;
  enum wsp_error error;
  void *conn;
  int code;
  char reason[128];
} it;

static struct wsp_conn told_dial(struct wsp_dial dial, wsp_time now,
                                 const struct wsp_dial_result *result) {
  (void)now;
  CU_ASSERT_EQUAL(dial.slot, 7);
  it.dials++;
  it.error = result->error;
  it.conn = result->conn;
  snprintf(it.reason, sizeof it.reason, "%s", result->reason == NULL ? "" : result->reason);
  return (struct wsp_conn){.pool = (struct wsp_pool *)&it, .slot = 9};
}

static void told_closed(struct wsp_conn conn, wsp_time now, int code, const char *reason) {
  (void)now;
  CU_ASSERT_EQUAL(conn.slot, 9);
  it.closes++;
  it.code = code;
  snprintf(it.reason, sizeof it.reason, "%s", reason == NULL ? "" : reason);
}

static const char *id_of(struct wsp_conn conn) {
  (void)conn;
  return "c";
}

static int64_t account_of(struct wsp_conn conn) {
  (void)conn;
  return 1;
}

static const struct sim_pool_interface pool = {.dial_done = told_dial,
                                               .conn_closed = told_closed,
                                               .conn_id = id_of,
                                               .conn_account = account_of};

static void begin(wsp_duration patience) {
  static const struct fake_spec plain;
  memset(&it, 0, sizeof it);
  it.arena = sim_arena_create((size_t)1 << 24);
  it.queue = sim_queue_create(it.arena);
  it.world = fake_world_create(it.arena, it.queue, NULL, 1);
  fake_world_use_clock(it.world, &it.now);
  CU_ASSERT_TRUE_FATAL(fake_world_define(it.world, "default", &plain));
  const struct fake_relay_options options = {
      .upstreams = it.world, .clock = &it.now, .pool = &pool, .patience = patience};
  CU_ASSERT_EQUAL_FATAL(fake_relay_create(&options, &it.relay), WSP_OK);
}

static void end(void) {
  fake_relay_destroy(it.relay);
  sim_arena_destroy(it.arena);
}

static enum wsp_error dial(const char *url, const char *proxy) {
  void *dialing;
  const struct wsp_dial_request request = {.account = 1, .url = url, .proxy = proxy};
  return fake_relay_transport()->dial(it.relay, (struct wsp_dial){.slot = 7}, &request, &dialing);
}

/* Does what the fakes have to do now. */
static void run_fakes(void) {
  struct sim_entry *entry;
  while ((entry = sim_queue_pop(it.queue, it.now)) != NULL) {
    entry->action(entry->context, it.now);
  }
}

static void wait_until(const bool *held) {
  wsp_time end_at = wsp_lws_now() + 60 * WSP_SECOND;
  while (!*held && wsp_lws_now() < end_at) {
    fake_relay_wait(it.relay, wsp_lws_now() + WSP_MILLISECOND);
  }
  CU_ASSERT_TRUE(*held);
}

static void a_wire_that_stands_still_is_a_problem(void) {
  begin(0);
  CU_ASSERT_PTR_NULL(fake_relay_problem(it.relay));
  CU_ASSERT_EQUAL(dial(URL, ""), WSP_DIAL_FAILED);
  CU_ASSERT_STRING_EQUAL(
      fake_relay_problem(it.relay),
      "expected, within 0 ms of real time, that a dial reached its server; it did not happen");
  end();
}

static void a_dial_that_reaches_no_server_is_told_later(void) {
  begin(60 * WSP_SECOND);
  CU_ASSERT_EQUAL(dial("http://upstream.example/", ""), WSP_OK);
  CU_ASSERT_EQUAL(it.dials, 0); /* not from inside the call */
  CU_ASSERT_TRUE(fake_relay_deliver(it.relay));
  CU_ASSERT_EQUAL(it.dials, 1);
  CU_ASSERT_EQUAL(it.error, WSP_DIAL_FAILED);
  CU_ASSERT_STRING_EQUAL(it.reason,
                         "expected a url of ws:// or wss://, found http://upstream.example/");
  CU_ASSERT_FALSE(fake_relay_deliver(it.relay));
  CU_ASSERT_PTR_NULL(fake_relay_problem(it.relay));
  end();
}

static void a_conn_that_is_lost_is_told_once(void) {
  begin(60 * WSP_SECOND);
  CU_ASSERT_EQUAL(dial(URL, ""), WSP_OK);
  CU_ASSERT_EQUAL(it.dials, 0);
  run_fakes();
  CU_ASSERT_EQUAL(it.dials, 1);
  CU_ASSERT_EQUAL(it.error, WSP_OK);
  struct passage *passage = it.conn;
  CU_ASSERT_PTR_NOT_NULL_FATAL(passage);
  CU_ASSERT_FALSE(fake_relay_deliver(it.relay));
  fake_peer_cut(passage->peer, false);
  wait_until(&passage->lost);
  CU_ASSERT_EQUAL(it.closes, 0);
  CU_ASSERT_TRUE(fake_relay_deliver(it.relay));
  CU_ASSERT_EQUAL(it.closes, 1);
  CU_ASSERT_EQUAL(it.code, 1006);
  CU_ASSERT_STRING_EQUAL(it.reason, "the connection was lost");
  CU_ASSERT_FALSE(fake_relay_deliver(it.relay));
  run_fakes(); /* the fake's own end of it */
  CU_ASSERT_EQUAL(it.closes, 1);
  struct fake_counters counters;
  CU_ASSERT_TRUE(fake_world_counters(it.world, "default", &counters));
  CU_ASSERT_EQUAL(counters.open, 0);
  CU_ASSERT_PTR_NULL(fake_relay_problem(it.relay));
  end();
}

static void a_client_of_somebody_else_is_cut(void) {
  static const char request[] =
      "GET /v1 HTTP/1.1\r\nHost: upstream.example\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  begin(60 * WSP_SECOND);
  CU_ASSERT_EQUAL(dial(URL, ""), WSP_OK);
  run_fakes();
  const struct sockaddr_in address = {
      .sin_family = AF_INET,
      .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
      .sin_port = htons((uint16_t)fake_server_port(it.relay->server, "upstream.example", 80))};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CU_ASSERT_EQUAL_FATAL(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
  CU_ASSERT_EQUAL(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
  bool ended = false;
  wsp_time end_at = wsp_lws_now() + 60 * WSP_SECOND;
  while (!ended && wsp_lws_now() < end_at) {
    char byte;
    fake_relay_wait(it.relay, wsp_lws_now() + WSP_MILLISECOND);
    ended = recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
  }
  CU_ASSERT_TRUE(ended);
  struct fake_counters counters;
  CU_ASSERT_TRUE(fake_world_counters(it.world, "default", &counters));
  CU_ASSERT_EQUAL(counters.dials, 1);
  close(fd);
  end();
}

static void what_no_wire_carries_is_a_problem(void) {
  static const struct fake_behaviour failing = {.outcome = FAKE_ERROR};
  static const struct fake_spec spec = {.set = FAKE_SET_PING,
                                        .conn = {.set = FAKE_SET_PING, .ping = {&failing, 1}}};
  begin(60 * WSP_SECOND);
  CU_ASSERT_TRUE(fake_world_change(it.world, 0, "default", &spec));
  CU_ASSERT_EQUAL(dial(URL, ""), WSP_OK);
  run_fakes();
  CU_ASSERT_EQUAL(fake_relay_transport()->ping(it.relay, it.conn), WSP_OK);
  run_fakes();
  CU_ASSERT_STRING_EQUAL(fake_relay_problem(it.relay),
                         "expected of the upstream what a wire can carry; found that a ping failed "
                         "on a conn that goes on");
  end();
}

CU_TestInfo suite_wire_relay[] = {
    {"a wire that stands still is a problem", a_wire_that_stands_still_is_a_problem},
    {"a dial that reaches no server is told later", a_dial_that_reaches_no_server_is_told_later},
    {"a conn that is lost is told once", a_conn_that_is_lost_is_told_once},
    {"a client of somebody else is cut", a_client_of_somebody_else_is_cut},
    {"what no wire carries is a problem", what_no_wire_carries_is_a_problem},
    CU_TEST_INFO_NULL,
};
