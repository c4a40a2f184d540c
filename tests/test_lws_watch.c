/*
 * test_lws_watch.c - descriptors of the program's own in the transport's loop, and dials that are
 * led elsewhere.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/suites.h"
#include "tests/wire_fixture.h"

struct bell {
  int descriptor;
  uint64_t rung;
  bool done;
};

static void rung(void *context) {
  struct bell *bell = context;
  uint64_t count = 0;
  CU_ASSERT_EQUAL(read(bell->descriptor, &count, sizeof count), (ssize_t)sizeof count);
  bell->rung += count;
  bell->done = true;
}

static void ring(struct bell *bell) {
  const uint64_t one = 1;
  bell->done = false;
  CU_ASSERT_EQUAL(write(bell->descriptor, &one, sizeof one), (ssize_t)sizeof one);
}

static void descriptors_are_watched_and_stay_the_callers(void) {
  struct bell bells[2];
  int before = wire_descriptors();
  struct wire_rig *rig = wire_rig_create(NULL);
  for (int i = 0; i < 2; i++) {
    bells[i] = (struct bell){eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), 0, false};
    CU_ASSERT_EQUAL_FATAL(wsp_lws_watch(rig->lws, bells[i].descriptor, rung, &bells[i]), WSP_OK);
  }
  for (int i = 0; i < 4; i++) {
    ring(&bells[i % 2]);
    CU_ASSERT_TRUE(wire_until(rig, &bells[i % 2].done));
  }
  CU_ASSERT_EQUAL(bells[0].rung, 2);
  CU_ASSERT_EQUAL(bells[1].rung, 2);
  wire_rig_destroy(rig);
  CU_ASSERT_EQUAL(wire_descriptors(), before + 2);
  for (int i = 0; i < 2; i++) {
    ring(&bells[i]);
    close(bells[i].descriptor);
  }
}

static void answer(struct wire_peer *peer, void *context) {
  (void)context;
  wire_request(peer);
  wire_accept(peer, "");
  wire_wait(peer);
}

static bool lead(void *context, const char *host, int *port, char address[WSP_LWS_ADDRESS_SIZE]) {
  if (strcmp(host, "elsewhere.example") != 0 && strcmp(host, "localhost") != 0) {
    return false;
  }
  *port = *(int *)context;
  snprintf(address, WSP_LWS_ADDRESS_SIZE, "127.0.0.1");
  return true;
}

/* The certificate of localhost is good for localhost alone, wherever the dial was led. */
static void a_dial_that_is_led_elsewhere_is_verified(void) {
  int port = 0;
  struct wire_rig *rig =
      wire_rig_create(&(struct wsp_lws_options){.connect_to = lead, .connect_context = &port});
  struct wire_server *server = wire_start(&rig->identity, answer, NULL);
  port = wire_port(server);
  CU_ASSERT_EQUAL(wire_acquire(rig, "wss://localhost:1/").error, WSP_OK);
  struct wire_call call = wire_acquire(rig, "wss://elsewhere.example/");
  CU_ASSERT_EQUAL(call.error, WSP_DIAL_FAILED);
  CU_ASSERT_PTR_NOT_NULL(strstr(call.text, "ostname mismatch"));
  wire_rig_destroy(rig);
  wire_stop(server);
}

CU_TestInfo suite_lws_watch[] = {
    {"descriptors are watched and stay the caller's", descriptors_are_watched_and_stay_the_callers},
    {"a dial that is led elsewhere is verified", a_dial_that_is_led_elsewhere_is_verified},
    CU_TEST_INFO_NULL,
};
