/*
 * test_lws_uv.c - the transport's loop as a guest in a libuv loop of the program.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "tests/suites.h"
#include "tests/wire_fixture.h"

static void echo(struct wire_peer *peer, void *context) {
  const char *payload;
  size_t length;
  int first;
  (void)context;
  if (strstr(wire_request(peer), "/refused") != NULL) {
    wire_send_text(peer, "HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nlater");
    return;
  }
  wire_accept(peer, "");
  while ((first = wire_read_frame(peer, &payload, &length)) >= 0) {
    wire_send_frame(peer, first == WIRE_PING ? WIRE_PONG : first, payload, length);
    if (first == WIRE_CLOSE) {
      return;
    }
  }
}

struct guest {
  uv_loop_t loop;
  uv_timer_t patience;
  struct wsp_lws *lws;
  struct wsp_pool *pool;
  struct wsp_lease lease;
  const char *url; /* that is accepted */
  char refused[128];
  char message[32];
  wsp_time read_deadline;
  wsp_duration late;
  bool closed, timed_out;
};

static void give_up(uv_timer_t *timer) {
  uv_stop(timer->loop);
}

static void closed(void *context) {
  struct guest *guest = context;
  guest->closed = true;
  uv_stop(&guest->loop);
}

static void late_read(void *context, const struct wsp_io_result *result) {
  struct guest *guest = context;
  guest->timed_out = result->error == WSP_DEADLINE_EXCEEDED;
  guest->late = wsp_lws_now() - guest->read_deadline;
  wsp_lease_release(guest->lease, wsp_lws_now());
  wsp_pool_close(guest->pool, wsp_lws_now(), closed, guest);
}

static void got(void *context, const struct wsp_io_result *result) {
  struct guest *guest = context;
  strncpy(guest->message, result->error == WSP_OK ? result->message : "",
          sizeof guest->message - 1);
  const wsp_duration timeout = 1500 * WSP_MICROSECOND;
  const struct wsp_io_request request = {
      .lease = guest->lease, .timeout = timeout, .callback = late_read, .context = guest};
  guest->read_deadline = wsp_lws_now() + timeout;
  CU_ASSERT_EQUAL(wsp_lease_read(&request, wsp_lws_now(), NULL), WSP_OK);
}

static void acquired(void *context, const struct wsp_acquire_result *result) {
  struct guest *guest = context;
  struct wsp_io_request request = {.lease = result->lease, .json = "{}", .context = guest};
  CU_ASSERT_EQUAL(result->error, WSP_OK);
  guest->lease = result->lease;
  request.callback = got;
  CU_ASSERT_EQUAL(wsp_lease_read(&request, wsp_lws_now(), NULL), WSP_OK);
  request.callback = NULL;
  CU_ASSERT_EQUAL(wsp_lease_write_json(&request, wsp_lws_now(), NULL), WSP_OK);
}

static void ask(struct guest *guest, const char *url, int64_t account,
                wsp_acquire_callback callback) {
  const struct wsp_acquire_request request = {.account = {.id = account}, .url = url};
  CU_ASSERT_EQUAL(wsp_acquire(guest->pool, wsp_lws_now(), &request, callback, guest, NULL), WSP_OK);
  wsp_lws_wake(guest->lws);
}

/* The other dial comes only now: at its end the loop stops. */
static void refused(void *context, const struct wsp_acquire_result *result) {
  struct guest *guest = context;
  strncpy(guest->refused, result->error_text, sizeof guest->refused - 1);
  ask(guest, guest->url, 1, acquired);
}

static void test_the_loop_lives_in_a_libuv_loop(void) {
  struct wire_rig *rig = wire_rig_create(NULL); /* for its authority */
  struct wire_server *server = wire_start(&rig->identity, echo, NULL);
  struct guest guest = {.late = WSP_SECOND, .url = wire_url(server)};
  struct wsp_config config;
  char url[96];
  CU_ASSERT_EQUAL_FATAL(uv_loop_init(&guest.loop), 0);
  const char *pem = fake_authority_pem(rig->authority);
  CU_ASSERT_EQUAL_FATAL(wsp_lws_create(&(struct wsp_lws_options){.ca_pem = pem,
                                                                 .ca_pem_length = strlen(pem),
                                                                 .uv_loop = &guest.loop},
                                       &guest.lws),
                        WSP_OK);
  wsp_config_init(&config);
  CU_ASSERT_EQUAL_FATAL(wsp_pool_create(&config,
                                        &(struct wsp_environment){.transport = wsp_lws_transport(),
                                                                  .transport_context = guest.lws},
                                        wsp_lws_now(), &guest.pool),
                        WSP_OK);
  wsp_lws_drive(guest.lws, guest.pool);
  uv_timer_init(&guest.loop, &guest.patience);
  uv_timer_start(&guest.patience, give_up, 60000, 0);
  snprintf(url, sizeof url, "wss://localhost:%d/refused", wire_port(server));
  ask(&guest, url, 2, refused);
  uv_run(&guest.loop, UV_RUN_DEFAULT);
  CU_ASSERT_STRING_EQUAL(guest.refused, "dial failed: status=503: later");
  CU_ASSERT_STRING_EQUAL(guest.message, "{}");
  CU_ASSERT_TRUE(guest.timed_out);
  CU_ASSERT_TRUE(guest.late >= 0);
  CU_ASSERT_TRUE(guest.closed);

  uv_close((uv_handle_t *)&guest.patience, NULL);
  wsp_lws_leave(guest.lws);
  uv_run(&guest.loop, UV_RUN_DEFAULT); /* the last handles of the guest close */
  wsp_lws_destroy(guest.lws);
  wsp_pool_destroy(guest.pool);
  CU_ASSERT_EQUAL(uv_loop_close(&guest.loop), 0);
  wire_stop(server);
  wire_rig_destroy(rig);
}

CU_TestInfo suite_lws_uv[] = {
    {"the loop lives in a libuv loop", test_the_loop_lives_in_a_libuv_loop}, CU_TEST_INFO_NULL};
