/*
 * test_lws_dial.c - dials of the transport on libwebsockets: handshakes, refusals, certificates,
 * proxies, cancels.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/suites.h"
#include "tests/wire_fixture.h"

static void accepting(struct wire_peer *peer, void *context) {
  (void)context;
  wire_request(peer);
  wire_accept(peer, "X-Test: v1\r\nSet-Cookie: a=b\r\n");
  wire_wait(peer);
}

static void test_a_handshake_opens_a_conn_with_its_headers(void) {
  struct wire_rig *rig = wire_rig_create(NULL);
  for (int tls = 0; tls < 2; tls++) {
    struct wire_server *server = wire_start(tls ? &rig->identity : NULL, accepting, NULL);
    struct wire_call call = wire_acquire(rig, wire_url(server));
    CU_ASSERT_EQUAL(call.error, WSP_OK);
    CU_ASSERT_STRING_EQUAL(wsp_lease_handshake_header(call.lease, "x-test"), "v1");
    CU_ASSERT_STRING_EQUAL(wsp_lease_handshake_header(call.lease, "Set-Cookie"), "a=b");
    wsp_lease_release(call.lease, wsp_lws_now());
    wire_stop(server);
  }
  wire_rig_destroy(rig);
}

static void telling(struct wire_peer *peer, void *context) {
  char value[64];
  (void)context;
  wire_request(peer);
  wire_accept(peer, "");
  wire_header(peer, "Authorization", value, sizeof value);
  wire_send_frame(peer, WIRE_TEXT, value, strlen(value));
  wire_header(peer, "Sec-WebSocket-Version", value, sizeof value);
  wire_send_frame(peer, WIRE_TEXT, value, strlen(value));
  wire_header(peer, "Host", value, sizeof value);
  wire_send_frame(peer, WIRE_TEXT, value, strlen(value));
  wire_wait(peer);
}

static void test_the_requests_headers_arrive(void) {
  struct wire_rig *rig = wire_rig_create(NULL);
  struct wire_server *server = wire_start(&rig->identity, telling, NULL);
  const struct wsp_header headers[] = {
      {"Authorization", "Bearer x"}, {"Host", "elsewhere"}, {"Sec-WebSocket-Version", "1"}};
  char host[32];
  snprintf(host, sizeof host, "localhost:%d", wire_port(server));
  const char *expected[] = {"Bearer x", "13", host};
  struct wire_call call = wire_acquire_with(
      rig,
      &(struct wsp_acquire_request){
          .account = {.id = 1}, .url = wire_url(server), .headers = headers, .header_count = 3});
  CU_ASSERT_EQUAL(call.error, WSP_OK);
  for (int i = 0; i < 3; i++) {
    struct wire_call read = wire_read(rig, call.lease, 0);
    CU_ASSERT_EQUAL(read.error, WSP_OK);
    CU_ASSERT_STRING_EQUAL(read.message == NULL ? "" : read.message, expected[i]);
    wire_call_deinit(&read);
  }
  wire_stop(server);
  wire_rig_destroy(rig);
}

static void test_headers_that_would_break_the_request_are_refused(void) {
  struct wire_rig *rig = wire_rig_create(NULL);
  struct wire_server *server = wire_start(NULL, accepting, NULL);
  char *huge = malloc(40000);
  memset(huge, 'x', 39999);
  huge[39999] = '\0';
  const struct wsp_header wrong[] = {
      {"X-Test", "a\r\nX-Evil: b"}, {"X Test", "a"}, {"X-Test", huge}};
  for (size_t i = 0; i < 3; i++) {
    struct wire_call call =
        wire_acquire_with(rig, &(struct wsp_acquire_request){.account = {.id = 1},
                                                             .url = wire_url(server),
                                                             .headers = &wrong[i],
                                                             .header_count = 1});
    CU_ASSERT_EQUAL(call.error, WSP_DIAL_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(call.text, "header"));
  }
  free(huge);
  wire_stop(server);
  wire_rig_destroy(rig);
}

static void refusing(struct wire_peer *peer, void *context) {
  const char *const *parts = context;
  wire_request(peer);
  for (; *parts != NULL; parts++) {
    wire_send_text(peer, *parts);
    wire_pause(20);
  }
}

/* A server that answers with these parts, over TLS and without. */
static void check_refusal(const char *const parts[], int status, const char *text) {
  struct wire_rig *rig = wire_rig_create(NULL);
  for (int tls = 0; tls < 2; tls++) {
    struct wire_server *server =
        wire_start(tls ? &rig->identity : NULL, refusing, (void *)(uintptr_t)parts);
    struct wire_call call = wire_acquire(rig, wire_url(server));
    CU_ASSERT_EQUAL(call.error, WSP_DIAL_FAILED);
    CU_ASSERT_EQUAL(call.status, status);
    CU_ASSERT_STRING_EQUAL(call.text, text);
    if (status != 0) {
      CU_ASSERT_STRING_EQUAL(call.header, "v2");
    }
    wire_stop(server);
  }
  wire_rig_destroy(rig);
}

static void test_a_refusal_has_status_headers_and_body(void) {
  static const char *const at_once[] = {
      "HTTP/1.1 503 Busy\r\nX-Test: v2\r\nContent-Length: 15\r\n\r\n{\"try\":\"later\"}", NULL};
  static const char *const in_parts[] = {
      "HT", "TP/1.1 429 Slow down\r\nX-Te", "st: v2\r\nContent-Length: 5\r\n\r\n", "la", "ter",
      NULL};
  static const char *const until_closed[] = {"HTTP/1.1 401 No\r\nX-Test: v2\r\n\r\nwho", " are you",
                                             NULL};
  static const char *const without_body[] = {
      "HTTP/1.1 302 Found\r\nX-Test: v2\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", NULL};
  check_refusal(at_once, 503, "dial failed: status=503: {\"try\":\"later\"}");
  check_refusal(in_parts, 429, "dial failed: status=429: later");
  check_refusal(until_closed, 401, "dial failed: status=401: who are you");
  check_refusal(without_body, 302, "dial failed: status=302: Found");
}

static void answering_slowly(struct wire_peer *peer, void *context) {
  (void)context;
  wire_request(peer);
  wire_send_text(peer,
                 "HTTP/1.1 503 Busy\r\nX-Test: v2\r\nContent-Length: 50\r\n\r\nit never ends");
  wire_wait(peer);
}

static void test_a_body_that_does_not_end_is_not_waited_for_long(void) {
  struct wire_rig *rig = wire_rig_create(NULL);
  struct wire_server *server = wire_start(&rig->identity, answering_slowly, NULL);
  wsp_time begin = wsp_lws_now();
  struct wire_call call = wire_acquire(rig, wire_url(server));
  CU_ASSERT_EQUAL(call.status, 503);
  CU_ASSERT_STRING_EQUAL(call.text, "dial failed: status=503: it never ends");
  CU_ASSERT_TRUE(wsp_lws_now() - begin < 40 * WSP_SECOND); /* the dial's own limit is a minute */
  wire_stop(server);
  wire_rig_destroy(rig);
}

static void speaking_first(struct wire_peer *peer, void *context) {
  (void)context;
  wire_request(peer);
  wire_accept(peer, "");
  wire_send_frame(peer, WIRE_TEXT, "early", 5);
  wire_wait(peer);
}

static void test_a_message_right_behind_the_handshake_is_not_lost(void) {
  struct wire_rig *rig = wire_rig_create(NULL);
  for (int tls = 0; tls < 2; tls++) {
    struct wire_server *server = wire_start(tls ? &rig->identity : NULL, speaking_first, NULL);
    struct wire_call call = wire_acquire(rig, wire_url(server));
    struct wire_call read = wire_read(rig, call.lease, 0);
    CU_ASSERT_STRING_EQUAL(read.message == NULL ? read.text : read.message, "early");
    wire_call_deinit(&read);
    wsp_lease_release(call.lease, wsp_lws_now());
    wire_stop(server);
  }
  wire_rig_destroy(rig);
}

static void test_certificates_that_do_not_hold_are_refused(void) {
  static const struct {
    const char *host;
    enum fake_validity validity;
    const char *text;
  } cases[] = {{"localhost", FAKE_EXPIRED, "certificate has expired"},
               {"localhost", FAKE_NOT_YET_VALID, "certificate is not yet valid"},
               {"elsewhere.example", FAKE_VALID, "hostname mismatch"}};
  struct wire_rig *rig = wire_rig_create(NULL);
  struct fake_authority *stranger = fake_authority_create();
  for (size_t i = 0; i < 4; i++) {
    struct fake_identity identity;
    bool strange = i == 3;
    CU_ASSERT_TRUE_FATAL(fake_identity_issue(strange ? stranger : rig->authority,
                                             strange ? "localhost" : cases[i].host,
                                             strange ? FAKE_VALID : cases[i].validity, &identity));
    struct wire_server *server = wire_start(&identity, accepting, NULL);
    struct wire_call call = wire_acquire(rig, wire_url(server));
    CU_ASSERT_EQUAL(call.error, WSP_DIAL_FAILED);
    CU_ASSERT_PTR_NOT_NULL(strstr(call.text, "certificate not accepted"));
    CU_ASSERT_PTR_NOT_NULL(strstr(call.text, strange ? "signature failure" : cases[i].text));
    wire_stop(server);
    fake_identity_deinit(&identity);
  }
  fake_authority_destroy(stranger);
  wire_rig_destroy(rig);
}

static void test_an_address_in_the_certificate_serves_an_address_in_the_url(void) {
  struct wire_rig *rig = wire_rig_create(NULL);
  struct fake_identity identity;
  char url[64];
  CU_ASSERT_TRUE_FATAL(fake_identity_issue(rig->authority, "127.0.0.1", FAKE_VALID, &identity));
  struct wire_server *server = wire_start(&identity, accepting, NULL);
  snprintf(url, sizeof url, "wss://127.0.0.1:%d/", wire_port(server));
  CU_ASSERT_EQUAL(wire_acquire(rig, url).error, WSP_OK);
  wire_stop(server);
  fake_identity_deinit(&identity);
  wire_rig_destroy(rig);
}

static void test_authorities_come_from_a_file_or_not_at_all(void) {
  struct wsp_lws *lws;
  CU_ASSERT_EQUAL(wsp_lws_create(&(struct wsp_lws_options){.ca_file = "/nonexistent.pem"}, &lws),
                  WSP_INVALID_REQUEST);
  CU_ASSERT_EQUAL(
      wsp_lws_create(&(struct wsp_lws_options){.ca_pem = "nothing", .ca_pem_length = 7}, &lws),
      WSP_INVALID_REQUEST);
  CU_ASSERT_PTR_NULL(lws);
}

static void silent(struct wire_peer *peer, void *context) {
  (void)context;
  wire_wait(peer);
}

static void test_a_dial_that_stalls_ends_at_its_deadline(void) {
  struct wire_rig *rig = wire_rig_create(NULL);
  /* No answer to the request, and none to TLS: the second server speaks none. */
  for (int tls = 0; tls < 2; tls++) {
    struct wire_server *server = wire_start(NULL, silent, NULL);
    char url[64];
    snprintf(url, sizeof url, "%s://localhost:%d/", tls ? "wss" : "ws", wire_port(server));
    wsp_time deadline = wsp_lws_now() + 50 * WSP_MILLISECOND;
    struct wire_call call = wire_acquire_with(
        rig, &(struct wsp_acquire_request){.account = {.id = 1}, .url = url, .deadline = deadline});
    CU_ASSERT_EQUAL(call.error, WSP_DEADLINE_EXCEEDED);
    CU_ASSERT_TRUE(wsp_lws_now() >= deadline);
    wire_stop(server);
  }
  /* The transport has confirmed both cancels. */
  wsp_time end = wsp_lws_now() + 60 * WSP_SECOND;
  wsp_lws_wake(rig->lws);
  while (wsp_pool_pending(rig->pool) > 0 && wsp_lws_now() < end) {
    wsp_lws_run_until(rig->lws, end);
  }
  CU_ASSERT_EQUAL(wsp_pool_pending(rig->pool), 0);
  wire_rig_destroy(rig);
}

static void test_where_nobody_listens_and_what_has_no_address(void) {
  struct wire_rig *rig = wire_rig_create(NULL);
  struct wire_server *server = wire_start(NULL, silent, NULL);
  char url[64];
  snprintf(url, sizeof url, "%s", wire_url(server));
  wire_stop(server);
  CU_ASSERT_EQUAL(wire_acquire(rig, url).error, WSP_DIAL_FAILED);
  struct wire_call call = wire_acquire(rig, "ws://no-such-host.invalid/");
  CU_ASSERT_EQUAL(call.error, WSP_DIAL_FAILED);
  CU_ASSERT_PTR_NOT_NULL(strstr(call.text, "no-such-host.invalid"));
  call = wire_acquire(rig, "http://example.com/");
  CU_ASSERT_STRING_EQUAL(
      call.text, "dial failed: expected a url of ws:// or wss://, found http://example.com/");
  wire_rig_destroy(rig);
}

/* ---- Proxies ---------------------------------------------------------------------------- */

struct proxying {
  const char *answer;
  char request[256];
};

/* A proxy that leads nowhere else: behind its answer it is the server itself. */
static void proxy(struct wire_peer *peer, void *context) {
  struct proxying *proxying = context;
  snprintf(proxying->request, sizeof proxying->request, "%s", wire_request(peer));
  wire_send_text(peer, proxying->answer);
  if (strstr(proxying->answer, " 200 ") != NULL) {
    wire_request(peer);
    wire_accept(peer, "");
  }
  wire_wait(peer);
}

static struct wire_call acquire_through(struct wire_rig *rig, const struct wire_server *server) {
  char text[96];
  snprintf(text, sizeof text, "http://me:secret@localhost:%d", wire_port(server));
  return wire_acquire_with(rig, &(struct wsp_acquire_request){.account = {.id = 1},
                                                              .url = "ws://far.example:8000/x",
                                                              .proxy = text,
                                                              .force_new_conn = true});
}

static void test_a_proxy_opens_a_tunnel_and_its_client_is_kept(void) {
  struct wire_rig *rig = wire_rig_create(NULL);
  struct proxying proxying = {.answer = "HTTP/1.1 200 Connected\r\n\r\n"};
  struct wire_server *server = wire_start(NULL, proxy, &proxying);
  struct wsp_transport_metrics metrics;
  for (int i = 0; i < 4; i++) {
    CU_ASSERT_EQUAL(acquire_through(rig, server).error, WSP_OK);
  }
  CU_ASSERT_PTR_NOT_NULL(strstr(proxying.request, "CONNECT far.example:8000 HTTP/1."));
  CU_ASSERT_PTR_NOT_NULL(strstr(proxying.request, "asic bWU6c2VjcmV0")); /* me:secret */
  wsp_pool_transport_metrics(rig->pool, &metrics);
  CU_ASSERT_EQUAL(metrics.proxy_client_cache_misses, 1);
  /* Each dial has asked for it once, those of a prewarm too. */
  int64_t hits = metrics.proxy_client_cache_hits;
  CU_ASSERT_TRUE(hits >= 3);
  CU_ASSERT_EQUAL(metrics.transport_reuse_ratio, hits * WSP_DECIMAL_ONE / (hits + 1));
  wire_stop(server);
  wire_rig_destroy(rig);
}

static void test_a_proxy_may_refuse(void) {
  struct wire_rig *rig = wire_rig_create(NULL);
  struct proxying proxying = {.answer = "HTTP/1.1 407 Who are you\r\n\r\n"};
  struct wire_server *server = wire_start(NULL, proxy, &proxying);
  struct wire_call call = acquire_through(rig, server);
  CU_ASSERT_EQUAL(call.error, WSP_DIAL_FAILED);
  CU_ASSERT_PTR_NOT_NULL(strstr(call.text, "proxy"));
  CU_ASSERT_PTR_NULL(strstr(call.text, "secret"));
  wire_stop(server);
  wire_rig_destroy(rig);
}

static void test_the_environments_proxy_is_not_used(void) {
  CU_ASSERT_EQUAL_FATAL(setenv("http_proxy", "127.0.0.1:1", 1), 0);
  struct wire_rig *rig = wire_rig_create(NULL);
  unsetenv("http_proxy");
  struct wire_server *server = wire_start(&rig->identity, accepting, NULL);
  CU_ASSERT_EQUAL(wire_acquire(rig, wire_url(server)).error, WSP_OK);
  wire_stop(server);
  wire_rig_destroy(rig);
}

/* ---- Many at once ------------------------------------------------------------------------ */

static void count_up(void *context, const struct wsp_acquire_result *result) {
  int *opened = context;
  *opened += result->error == WSP_OK ? 1 : 1000;
}

static void test_many_dials_at_once_also_through_new_proxies(void) {
  enum { ACCOUNTS = 8, EACH = 8 };
  struct wire_rig *rig = wire_rig_create(NULL);
  struct proxying proxying = {.answer = "HTTP/1.1 200 Connected\r\n\r\n"};
  struct wire_server *server = wire_start(&rig->identity, accepting, NULL);
  struct wire_server *plain = wire_start(NULL, proxy, &proxying);
  int opened = 0;
  for (int i = 0; i < ACCOUNTS * EACH; i++) {
    char through[96];
    snprintf(through, sizeof through, "http://u%d@localhost:%d", i, wire_port(plain));
    bool proxied = i % EACH == 0;
    const struct wsp_acquire_request request = {
        .account = {.id = 1 + i / EACH},
        .url = proxied ? "ws://far.example/" : wire_url(server),
        .proxy = proxied ? through : NULL};
    CU_ASSERT_EQUAL_FATAL(wsp_acquire(rig->pool, wsp_lws_now(), &request, count_up, &opened, NULL),
                          WSP_OK);
  }
  wsp_time end = wsp_lws_now() + 60 * WSP_SECOND;
  wsp_lws_wake(rig->lws);
  while (opened < ACCOUNTS * EACH && wsp_lws_now() < end) {
    wsp_lws_run_until(rig->lws, end);
  }
  CU_ASSERT_EQUAL(opened, ACCOUNTS * EACH);
  wire_rig_destroy(rig);
  wire_stop(server);
  wire_stop(plain);
}

static void test_dials_beyond_the_sockets_fail_and_the_others_go_on(void) {
  struct wire_rig *rig = wire_rig_create(&(struct wsp_lws_options){.max_sockets = 12});
  struct wire_server *server = wire_start(NULL, accepting, NULL);
  struct wire_call calls[12];
  int opened = 0;
  for (int i = 0; i < 12; i++) {
    const struct wsp_acquire_request request = {.account = {.id = 1 + i}, .url = wire_url(server)};
    calls[i] = wire_acquire_with(rig, &request);
    opened += calls[i].error == WSP_OK ? 1 : 0;
    CU_ASSERT_TRUE(calls[i].error == WSP_OK || calls[i].error == WSP_DIAL_FAILED);
    CU_ASSERT_PTR_NULL(strstr(calls[i].text, "timeout"));
  }
  CU_ASSERT_TRUE(opened >= 4 && opened < 12);
  for (int i = 0; i < 12; i++) {
    wsp_lease_mark_broken(calls[i].lease, wsp_lws_now());
  }
  wsp_lws_wake(rig->lws);
  CU_ASSERT_TRUE(wire_until_closes(rig, opened));
  CU_ASSERT_EQUAL(wire_acquire(rig, wire_url(server)).error, WSP_OK);
  wire_rig_destroy(rig);
  wire_stop(server);
}

static void test_a_loop_may_be_destroyed_while_names_are_looked_up(void) {
  struct wire_rig *rig = wire_rig_create(NULL);
  int opened = 0;
  for (int i = 0; i < 12; i++) { /* more than are looked up at once */
    char url[64];
    snprintf(url, sizeof url, "ws://no-such-host-%d.invalid/", i);
    const struct wsp_acquire_request request = {.account = {.id = 1 + i}, .url = url};
    CU_ASSERT_EQUAL_FATAL(wsp_acquire(rig->pool, wsp_lws_now(), &request, count_up, &opened, NULL),
                          WSP_OK);
  }
  wsp_lws_wake(rig->lws);
  wsp_lws_run_until(rig->lws, wsp_lws_now());
  int ended = opened; /* a quick resolver may have said of some already that there is none */
  CU_ASSERT_EQUAL(ended % 1000, 0);
  wire_rig_destroy(rig);
  CU_ASSERT_EQUAL(opened, ended);
}

CU_TestInfo suite_lws_dial[] = {
    {"a handshake opens a conn, with its headers", test_a_handshake_opens_a_conn_with_its_headers},
    {"the request's headers arrive", test_the_requests_headers_arrive},
    {"headers that would break the request are refused",
     test_headers_that_would_break_the_request_are_refused},
    {"a refusal has status, headers and body", test_a_refusal_has_status_headers_and_body},
    {"a body that does not end is not waited for long",
     test_a_body_that_does_not_end_is_not_waited_for_long},
    {"a message right behind the handshake is not lost",
     test_a_message_right_behind_the_handshake_is_not_lost},
    {"certificates that do not hold are refused", test_certificates_that_do_not_hold_are_refused},
    {"an address in the certificate serves an address in the url",
     test_an_address_in_the_certificate_serves_an_address_in_the_url},
    {"authorities come from a file, or not at all",
     test_authorities_come_from_a_file_or_not_at_all},
    {"a dial that stalls ends at its deadline", test_a_dial_that_stalls_ends_at_its_deadline},
    {"where nobody listens, and what has no address",
     test_where_nobody_listens_and_what_has_no_address},
    {"a proxy opens a tunnel, and its client is kept",
     test_a_proxy_opens_a_tunnel_and_its_client_is_kept},
    {"a proxy may refuse", test_a_proxy_may_refuse},
    {"the environment's proxy is not used", test_the_environments_proxy_is_not_used},
    {"many dials at once, also through new proxies",
     test_many_dials_at_once_also_through_new_proxies},
    {"dials beyond the sockets fail, and the others go on",
     test_dials_beyond_the_sockets_fail_and_the_others_go_on},
    {"a loop may be destroyed while names are looked up",
     test_a_loop_may_be_destroyed_while_names_are_looked_up},
    CU_TEST_INFO_NULL};
