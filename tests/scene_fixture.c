/*
 * scene_fixture.c - the server of scene_fixture.h, and its pool.
 */
#include "tests/scene_fixture.h"

#include <CUnit/CUnit.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct scene scene;

static void requested(void *context, struct fake_peer *peer, const struct fake_upgrade *upgrade) {
  static const struct wsp_header headers[] = {{"X-Test", "v1"}, {"X-Bad", "a\r\nX-Evil: b"}};
  (void)context;
  scene.requests++;
  scene.peer = peer;
  snprintf(scene.url, sizeof scene.url, "%s", upgrade->url);
  for (size_t i = 0; i < upgrade->header_count; i++) {
    if (strcasecmp(upgrade->headers[i].name, "Authorization") == 0) {
      snprintf(scene.header, sizeof scene.header, "%s", upgrade->headers[i].value);
    }
  }
  if (scene.accepts) {
    fake_peer_accept(peer, headers, 2);
  }
}

static void spoke(void *context, struct fake_peer *peer, const char *data, size_t length) {
  (void)context;
  scene.messages++;
  scene.length = length;
  snprintf(scene.said, sizeof scene.said, "%s", data);
  if (scene.echoes) {
    fake_peer_send(peer, data, length, 1000);
  }
}

static void pinged(void *context, struct fake_peer *peer) {
  (void)context;
  scene.pings++;
  if (scene.pongs) {
    fake_peer_pong(peer);
  }
}

static void closed(void *context, struct fake_peer *peer, int code, const char *reason) {
  (void)context;
  scene.closes++;
  scene.code = code;
  snprintf(scene.reason, sizeof scene.reason, "%s", reason);
  fake_peer_send_close(peer, 0, NULL);
}

static void gone(void *context, struct fake_peer *peer) {
  (void)context;
  scene.gone++;
  if (scene.peer == peer) {
    scene.peer = NULL;
  }
}

static const struct fake_server_events events = {requested, spoke, pinged, closed, gone};

static void serve(void *context) {
  fake_server_serve(context);
}

static bool connect_to(void *context, const char *host, int *port,
                       char address[WSP_LWS_ADDRESS_SIZE]) {
  (void)context;
  int served = fake_server_port(scene.server, host, *port);
  *port = served != 0 ? served : *port;
  snprintf(address, WSP_LWS_ADDRESS_SIZE, "127.0.0.1");
  return served != 0;
}

void scene_begin(void) {
  memset(&scene, 0, sizeof scene);
  scene.accepts = scene.echoes = scene.pongs = true;
  signal(SIGPIPE, SIG_IGN);
  CU_ASSERT_EQUAL_FATAL(fake_server_create(&events, NULL, &scene.server), WSP_OK);
  const char *authority = fake_server_authority(scene.server);
  scene.rig =
      wire_rig_create_trusting(authority, &(struct wsp_lws_options){.connect_to = connect_to});
  CU_ASSERT_EQUAL_FATAL(
      wsp_lws_watch(scene.rig->lws, fake_server_descriptor(scene.server), serve, scene.server),
      WSP_OK);
}

void scene_end(void) {
  wire_rig_destroy(scene.rig);
  fake_server_destroy(scene.server);
}

void scene_until(const int *counter, int count) {
  wsp_time end_at = wsp_lws_now() + 60 * WSP_SECOND;
  wsp_lws_wake(scene.rig->lws);
  while (*counter < count && wsp_lws_now() < end_at) {
    wsp_lws_run_until(scene.rig->lws, end_at);
  }
  CU_ASSERT_TRUE(*counter >= count);
}

void scene_listen_on(const char *url) {
  CU_ASSERT_EQUAL_FATAL(fake_server_listen(scene.server, url, FAKE_VALID), WSP_OK);
}
