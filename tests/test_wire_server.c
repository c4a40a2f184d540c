/*
 * test_wire_server.c - the fakes' servers: what the pool's own transport sees of them over TLS.
 */
#define _GNU_SOURCE
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "tests/scene_fixture.h"
#include "tests/suites.h"

#define HOST "wss://upstream.example"

/* ---- The pool's transport ------------------------------------------------------------------- */

static void a_dial_is_told_and_accepted(void) {
  static const char *const urls[] = {HOST "/v1?q=1", "ws://plain.example:8080/"};
  for (size_t i = 0; i < 2; i++) {
    scene_begin();
    scene_listen_on(urls[i]);
    const struct wsp_header header = {"Authorization", "Bearer x"};
    struct wire_call call = wire_acquire_with(
        scene.rig,
        &(struct wsp_acquire_request){
            .account = {.id = 1}, .url = urls[i], .headers = &header, .header_count = 1});
    CU_ASSERT_EQUAL(call.error, WSP_OK);
    CU_ASSERT_STRING_EQUAL(scene.url, urls[i]);
    CU_ASSERT_STRING_EQUAL(scene.header, "Bearer x");
    CU_ASSERT_STRING_EQUAL(wsp_lease_handshake_header(call.lease, "x-test"), "v1");
    /* What would break the answer is left out. */
    CU_ASSERT_STRING_EQUAL(wsp_lease_handshake_header(call.lease, "x-evil"), "");
    scene_end();
  }
}

static void a_dial_is_refused(void) {
  scene_begin();
  scene.accepts = false;
  scene_listen_on(HOST "/");
  struct wsp_op op;
  struct wire_call call = {0};
  CU_ASSERT_EQUAL(wire_begin_acquire(scene.rig, HOST "/", &call, &op), WSP_OK);
  scene_until(&scene.requests, 1);
  const struct wsp_header header = {"X-Test", "v2"};
  fake_peer_refuse(scene.peer, 503, &header, 1, "come back later");
  CU_ASSERT_TRUE(wire_until(scene.rig, &call.done));
  CU_ASSERT_EQUAL(call.error, WSP_DIAL_FAILED);
  CU_ASSERT_EQUAL(call.status, 503);
  CU_ASSERT_STRING_EQUAL(call.header, "v2");
  CU_ASSERT_STRING_EQUAL(call.text, "dial failed: status=503: come back later");
  scene_until(&scene.gone, 1);
  scene_end();
}

static void a_dial_is_cut_off(void) {
  scene_begin();
  scene.accepts = false;
  scene_listen_on(HOST "/");
  struct wsp_op op;
  struct wire_call call = {0};
  CU_ASSERT_EQUAL(wire_begin_acquire(scene.rig, HOST "/", &call, &op), WSP_OK);
  scene_until(&scene.requests, 1);
  fake_peer_cut(scene.peer, true);
  CU_ASSERT_TRUE(wire_until(scene.rig, &call.done));
  CU_ASSERT_EQUAL(call.error, WSP_DIAL_FAILED);
  CU_ASSERT_STRING_EQUAL(call.text,
                         "dial failed: the server closed the conn before it had answered");
  scene_until(&scene.gone, 1);
  scene_end();
}

static void certificates_that_are_wrong_are_refused(void) {
  static const enum fake_validity wrong[] = {FAKE_EXPIRED, FAKE_NOT_YET_VALID,
                                             FAKE_FOR_ANOTHER_HOST};
  static const char *const words[] = {"certificate has expired", "not yet valid",
                                      "hostname mismatch"};
  for (size_t i = 0; i < 3; i++) {
    scene_begin();
    CU_ASSERT_EQUAL(fake_server_listen(scene.server, HOST "/", wrong[i]), WSP_OK);
    struct wire_call call = wire_acquire(scene.rig, HOST "/");
    CU_ASSERT_EQUAL(call.error, WSP_DIAL_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strcasestr(call.text, words[i]));
    CU_ASSERT_EQUAL(scene.requests, 0);
    scene_end();
  }
}

static void messages_go_both_ways(void) {
  enum { LARGE = 1024 * 1024 };
  scene_begin();
  scene_listen_on(HOST "/");
  char *text = malloc(LARGE + 3);
  memset(text, 'x', LARGE + 2);
  text[0] = text[LARGE + 1] = '"';
  text[LARGE + 2] = '\0';
  struct wire_call lent = wire_acquire(scene.rig, HOST "/");
  CU_ASSERT_EQUAL(wire_write(scene.rig, lent.lease, "{\"a\":1}").error, WSP_OK);
  struct wire_call read = wire_read(scene.rig, lent.lease, 0);
  CU_ASSERT_STRING_EQUAL(read.message, "{\"a\":1}");
  wire_call_deinit(&read);
  CU_ASSERT_EQUAL(wire_write(scene.rig, lent.lease, text).error, WSP_OK);
  read = wire_read(scene.rig, lent.lease, 0); /* it comes in a thousand fragments */
  CU_ASSERT_EQUAL(read.length, LARGE + 2);
  CU_ASSERT_EQUAL(memcmp(read.message, text, LARGE + 2), 0);
  CU_ASSERT_EQUAL(scene.messages, 2);
  wire_call_deinit(&read);
  free(text);
  scene_end();
}

static void pings_are_answered_or_not(void) {
  scene_begin();
  scene_listen_on(HOST "/");
  struct wire_call lent = wire_acquire(scene.rig, HOST "/");
  CU_ASSERT_EQUAL(wire_ping(scene.rig, lent.lease, 0).error, WSP_OK);
  scene.pongs = false;
  struct wire_call ping = wire_ping(scene.rig, lent.lease, 20 * WSP_MILLISECOND);
  CU_ASSERT_NOT_EQUAL(ping.error, WSP_OK);
  CU_ASSERT_EQUAL(scene.pings, 2);
  scene_end();
}

static void the_server_closes(int code, const char *reason, bool reset, int seen,
                              const char *words) {
  scene_begin();
  scene_listen_on(HOST "/");
  struct wire_call lent = wire_acquire(scene.rig, HOST "/");
  wsp_lease_release(lent.lease, wsp_lws_now());
  if (reset) {
    fake_peer_cut(scene.peer, false);
  } else {
    fake_peer_send_close(scene.peer, code, reason);
  }
  CU_ASSERT_TRUE(wire_until_closes(scene.rig, 1));
  CU_ASSERT_EQUAL(scene.rig->closed_code, seen);
  CU_ASSERT_STRING_EQUAL(scene.rig->evicted, words);
  scene_until(&scene.gone, 1);
  scene_end();
}

static void closes_of_the_server_are_seen(void) {
  the_server_closes(1001, "going", false, 1001, "going");
  the_server_closes(4001, NULL, false, 4001, "");
  the_server_closes(0, NULL, false, 0, "");
  the_server_closes(0, NULL, true, 1006, "the connection was lost");
}

static void closes_of_the_client_are_told(void) {
  scene_begin();
  scene_listen_on(HOST "/");
  struct wire_call lent = wire_acquire(scene.rig, HOST "/");
  wsp_lease_mark_broken(lent.lease, wsp_lws_now());
  scene_until(&scene.gone, 1);
  CU_ASSERT_EQUAL(scene.closes, 1);
  CU_ASSERT_EQUAL(scene.code, 1000);
  CU_ASSERT_EQUAL(scene.rig->closes, 1);
  scene_end();
}

/* ---- Proxies --------------------------------------------------------------------------------- */

static struct wire_call dial_through(const char *proxy, const char *url, wsp_duration timeout) {
  return wire_acquire_with(scene.rig, &(struct wsp_acquire_request){
                                          .account = {.id = 1},
                                          .url = url,
                                          .proxy = proxy,
                                          .deadline = timeout == 0 ? 0 : wsp_lws_now() + timeout});
}

static void a_proxy_connects(void) {
  static const char *const urls[] = {HOST "/", "ws://plain.example/"};
  for (size_t i = 0; i < 2; i++) {
    scene_begin();
    scene_listen_on(urls[i]);
    CU_ASSERT_EQUAL(fake_server_listen_proxy(scene.server, "http://user:secret@proxy.example:3128",
                                             FAKE_PROXY_CONNECTS),
                    WSP_OK);
    struct wire_call call = dial_through("http://user:secret@proxy.example:3128", urls[i], 0);
    CU_ASSERT_EQUAL(call.error, WSP_OK);
    CU_ASSERT_STRING_EQUAL(scene.url, urls[i]);
    CU_ASSERT_EQUAL(wire_write(scene.rig, call.lease, "{}").error, WSP_OK);
    struct wire_call read = wire_read(scene.rig, call.lease, 0);
    CU_ASSERT_STRING_EQUAL(read.message, "{}");
    wire_call_deinit(&read);
    scene_end();
  }
}

static void a_proxy_refuses(void) {
  static const char *const dialled[] = {"http://proxy.example:3128",
                                        "http://other:secret@proxy.example:3128",
                                        "http://user:secret@proxy.example:3128"};
  for (size_t i = 0; i < 3; i++) {
    scene_begin();
    scene_listen_on(HOST "/");
    CU_ASSERT_EQUAL(fake_server_listen_proxy(scene.server, "http://user:secret@proxy.example:3128",
                                             i < 2 ? FAKE_PROXY_CONNECTS : FAKE_PROXY_REFUSES),
                    WSP_OK);
    struct wire_call call = dial_through(dialled[i], HOST "/", 0);
    CU_ASSERT_EQUAL(call.error, WSP_DIAL_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(call.text, "proxy"));
    CU_ASSERT_EQUAL(scene.requests, 0);
    scene_end();
  }
}

static void a_proxy_stalls(void) {
  scene_begin();
  scene_listen_on(HOST "/");
  CU_ASSERT_EQUAL(
      fake_server_listen_proxy(scene.server, "http://proxy.example:3128", FAKE_PROXY_STALLS),
      WSP_OK);
  struct wire_call call = dial_through("http://proxy.example:3128", HOST "/", 20 * WSP_MILLISECOND);
  CU_ASSERT_EQUAL(call.error, WSP_DEADLINE_EXCEEDED);
  CU_ASSERT_EQUAL(scene.requests, 0);
  scene_end();
}

static void a_deaf_server_hears_later(void) {
  scene_begin();
  scene_listen_on(HOST "/");
  struct wire_call lent = wire_acquire(scene.rig, HOST "/");
  fake_peer_deafen(scene.peer, true);
  CU_ASSERT_EQUAL(wire_write(scene.rig, lent.lease, "{}").error, WSP_OK);
  struct wire_call read = wire_read(scene.rig, lent.lease, 20 * WSP_MILLISECOND);
  CU_ASSERT_EQUAL(read.error, WSP_DEADLINE_EXCEEDED);
  CU_ASSERT_EQUAL(scene.messages, 0);
  fake_peer_deafen(scene.peer, false);
  scene_until(&scene.messages, 1);
  CU_ASSERT_STRING_EQUAL(scene.said, "{}");
  scene_end();
}

/* At ten bytes a millisecond a thousand take at least 99: never less, however busy the machine. */
static void a_slow_server_sends_slowly(void) {
  scene_begin();
  scene_listen_on(HOST "/");
  struct wire_call lent = wire_acquire(scene.rig, HOST "/");
  char text[1001];
  memset(text, 'x', 1000);
  text[1000] = '\0';
  fake_peer_pace(scene.peer, 10);
  wsp_time begun = wsp_lws_now();
  fake_peer_send(scene.peer, text, 1000, 0);
  struct wire_call read = wire_read(scene.rig, lent.lease, 0);
  CU_ASSERT_TRUE(wsp_lws_now() - begun >= 99 * WSP_MILLISECOND);
  CU_ASSERT_STRING_EQUAL(read.message, text);
  wire_call_deinit(&read);
  fake_peer_pace(scene.peer, 0);
  fake_peer_send(scene.peer, "{}", 2, 0);
  read = wire_read(scene.rig, lent.lease, 0);
  CU_ASSERT_STRING_EQUAL(read.message, "{}");
  wire_call_deinit(&read);
  scene_end();
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
    {"a slow server sends slowly", a_slow_server_sends_slowly},
    {"a deaf server hears later", a_deaf_server_hears_later},
    CU_TEST_INFO_NULL,
};
