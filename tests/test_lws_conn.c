/*
 * test_lws_conn.c - open conns of the transport on libwebsockets: messages, pings, closes.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "tests/suites.h"
#include "tests/wire_fixture.h"

/* A server with this script over TLS, and a lease of a conn to it. */
struct scene {
  struct wire_rig *rig;
  struct wire_server *server;
  struct wsp_lease lease;
};

static struct scene begin_with(wire_script script, void *context,
                               const struct wsp_lws_options *options) {
  struct scene scene = {.rig = wire_rig_create(options)};
  scene.server = wire_start(&scene.rig->identity, script, context);
  struct wire_call call = wire_acquire(scene.rig, wire_url(scene.server));
  CU_ASSERT_EQUAL(call.error, WSP_OK);
  scene.lease = call.lease;
  return scene;
}

static struct scene begin(wire_script script, void *context) {
  return begin_with(script, context, NULL);
}

static void end(struct scene *scene) {
  wire_rig_destroy(scene->rig);
  wire_stop(scene->server);
}

/* ---- Messages --------------------------------------------------------------------------- */

static void echo(struct wire_peer *peer, void *context) {
  const char *payload;
  size_t length;
  int first;
  (void)context;
  wire_request(peer);
  wire_accept(peer, "");
  while ((first = wire_read_frame(peer, &payload, &length)) >= 0) {
    if (first == WIRE_CLOSE) {
      wire_send_frame(peer, WIRE_CLOSE, payload, length);
      return;
    }
    wire_send_frame(peer, first == WIRE_PING ? WIRE_PONG : first, payload, length);
  }
}

static void check_echo(struct scene *scene, const char *text) {
  struct wire_call write = wire_write(scene->rig, scene->lease, text);
  CU_ASSERT_EQUAL(write.error, WSP_OK);
  struct wire_call read = wire_read(scene->rig, scene->lease, 0);
  CU_ASSERT_EQUAL(read.error, WSP_OK);
  CU_ASSERT_EQUAL(read.length, strlen(text));
  CU_ASSERT_TRUE(read.message != NULL && strcmp(read.message, text) == 0);
  wire_call_deinit(&read);
}

static void test_messages_of_all_sizes_go_out_and_come_back(void) {
  static const size_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536, 65537, 1000000, 5000000};
  struct scene scene = begin(echo, NULL);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    char *text = malloc(sizes[i] + 1);
    memset(text, 'a' + (int)i, sizes[i]);
    text[sizes[i]] = '\0';
    check_echo(&scene, text);
    free(text);
  }
  CU_ASSERT_EQUAL(scene.rig->closes, 0);
  end(&scene);
}

static void fragmenting(struct wire_peer *peer, void *context) {
  (void)context;
  wire_request(peer);
  wire_accept(peer, "");
  wire_send_frame(peer, 0x01, "one ", 4);
  wire_send_frame(peer, 0x00, "", 0);
  wire_send_frame(peer, WIRE_PING, "!", 1); /* control frames may come in between */
  wire_send_frame(peer, 0x00, "two ", 4);
  wire_pause(20);
  wire_send_frame(peer, 0x80, "three", 5);
  wire_send_frame(peer, WIRE_BINARY, "\0\1", 2);
  wire_wait(peer);
}

static void test_fragments_become_one_message(void) {
  struct scene scene = begin(fragmenting, NULL);
  struct wire_call read = wire_read(scene.rig, scene.lease, 0);
  CU_ASSERT_STRING_EQUAL(read.message == NULL ? read.text : read.message, "one two three");
  wire_call_deinit(&read);
  read = wire_read(scene.rig, scene.lease, 0);
  CU_ASSERT_EQUAL(read.length, 2);
  CU_ASSERT_TRUE(read.message != NULL && memcmp(read.message, "\0\1", 2) == 0);
  wire_call_deinit(&read);
  end(&scene);
}

struct closing {
  atomic_int code; /* that the client sent */
  atomic_bool ended;
};

static void too_large(struct wire_peer *peer, void *context) {
  struct closing *closing = context;
  const char *payload;
  size_t length;
  static const char text[600];
  wire_request(peer);
  wire_accept(peer, "");
  wire_send_frame(peer, 0x02, text, sizeof text);
  wire_send_frame(peer, 0x80, text, sizeof text);
  if (wire_read_frame(peer, &payload, &length) == WIRE_CLOSE && length >= 2) {
    atomic_store(&closing->code, (unsigned char)payload[0] << 8 | (unsigned char)payload[1]);
  }
  atomic_store(&closing->ended, true);
}

static void test_a_message_over_the_limit_closes_with_1009(void) {
  for (int reading = 0; reading < 2; reading++) {
    struct closing closing = {0};
    struct scene scene =
        begin_with(too_large, &closing, &(struct wsp_lws_options){.max_message_size = 1000});
    if (reading) {
      struct wire_call read = wire_read(scene.rig, scene.lease, 0);
      CU_ASSERT_EQUAL(read.error, WSP_IO_FAILED);
      CU_ASSERT_STRING_EQUAL(read.text, "i/o failed: message larger than 1000 bytes");
    }
    CU_ASSERT_TRUE(wire_until_closes(scene.rig, 1));
    CU_ASSERT_FALSE(wsp_lease_valid(scene.lease));
    wsp_time end_at = wsp_lws_now() + 60 * WSP_SECOND;
    while (!atomic_load(&closing.ended) && wsp_lws_now() < end_at) {
      wsp_lws_run_until(scene.rig->lws, wsp_lws_now() + 10 * WSP_MILLISECOND);
    }
    end(&scene);
    CU_ASSERT_EQUAL(atomic_load(&closing.code), 1009);
  }
}

/* ---- Back-pressure ----------------------------------------------------------------------- */

static void deaf(struct wire_peer *peer, void *context) {
  const atomic_bool *go_on = context;
  wire_request(peer);
  wire_accept(peer, "");
  for (int i = 0; i < 1000 && !atomic_load(go_on); i++) {
    wire_pause(10);
  }
  const char *payload;
  size_t length;
  while (wire_read_frame(peer, &payload, &length) >= 0) {
    if (length == 12000000) {
      wire_send_frame(peer, WIRE_TEXT, "got it", 6);
    }
  }
}

static void ended(void *context, const struct wsp_io_result *result) {
  struct wire_call *call = context;
  call->done = true;
  call->error = result->error;
}

static void test_a_write_ends_when_the_peer_takes_it(void) {
  atomic_bool go_on = false;
  struct scene scene = begin(deaf, &go_on);
  struct wire_call call = {0};
  char *text = malloc(12000001); /* more than loopback's buffers hold */
  memset(text, 'x', 12000000);
  text[12000000] = '\0';
  const struct wsp_io_request request = {
      .lease = scene.lease, .json = text, .callback = ended, .context = &call};
  CU_ASSERT_EQUAL(wsp_lease_write_json(&request, wsp_lws_now(), NULL), WSP_OK);
  wsp_time until = wsp_lws_now() + 200 * WSP_MILLISECOND;
  wsp_lws_wake(scene.rig->lws);
  while (wsp_lws_now() < until) {
    wsp_lws_run_until(scene.rig->lws, until);
  }
  CU_ASSERT_FALSE(call.done); /* nobody has read */
  atomic_store(&go_on, true);
  CU_ASSERT_TRUE(wire_until(scene.rig, &call.done));
  CU_ASSERT_EQUAL(call.error, WSP_OK);
  struct wire_call read = wire_read(scene.rig, scene.lease, 0);
  CU_ASSERT_STRING_EQUAL(read.message == NULL ? read.text : read.message, "got it");
  wire_call_deinit(&read);
  free(text);
  end(&scene);
}

static void flooding(struct wire_peer *peer, void *context) {
  atomic_int *sent = context;
  static char text[10000];
  wire_request(peer);
  wire_accept(peer, "");
  for (int i = 0; i < 3000; i++) {
    wire_send_frame(peer, WIRE_BINARY, text, sizeof text);
    atomic_store(sent, i + 1);
  }
  wire_wait(peer);
}

static void test_a_flood_is_held_back_until_somebody_reads(void) {
  atomic_int sent = 0;
  struct scene scene =
      begin_with(flooding, &sent, &(struct wsp_lws_options){.max_message_size = 20000});
  wsp_time until = wsp_lws_now() + 300 * WSP_MILLISECOND;
  while (wsp_lws_now() < until) {
    wsp_lws_run_until(scene.rig->lws, until);
  }
  CU_ASSERT_TRUE(atomic_load(&sent) < 3000); /* 30 MB do not fit into what lies between */
  int read_count = 0;
  for (; read_count < 3000; read_count++) {
    struct wire_call read = wire_read(scene.rig, scene.lease, 0);
    bool good = read.error == WSP_OK && read.length == 10000;
    wire_call_deinit(&read);
    if (!good) {
      break;
    }
  }
  CU_ASSERT_EQUAL(read_count, 3000);
  end(&scene);
}

/* ---- Pings ------------------------------------------------------------------------------ */

static void test_a_ping_is_answered(void) {
  struct scene scene = begin(echo, NULL);
  for (int i = 0; i < 3; i++) {
    CU_ASSERT_EQUAL(wire_ping(scene.rig, scene.lease, 0).error, WSP_OK);
  }
  check_echo(&scene, "{}");
  end(&scene);
}

static void late_pong(struct wire_peer *peer, void *context) {
  const char *payload;
  size_t length;
  char first[125];
  (void)context;
  wire_request(peer);
  wire_accept(peer, "");
  wire_send_frame(peer, WIRE_PONG, "unasked!", 8);
  wire_read_frame(peer, &payload, &length);
  memcpy(first, payload, length);
  wire_read_frame(peer, &payload, &length); /* the second: only now the first is answered */
  wire_send_frame(peer, WIRE_PONG, first, length);
  wire_wait(peer);
}

static void test_a_late_pong_does_not_answer_the_next_ping(void) {
  struct scene scene = begin(late_pong, NULL);
  CU_ASSERT_EQUAL(wire_ping(scene.rig, scene.lease, 50 * WSP_MILLISECOND).error,
                  WSP_DEADLINE_EXCEEDED);
  CU_ASSERT_EQUAL(wire_ping(scene.rig, scene.lease, 100 * WSP_MILLISECOND).error,
                  WSP_DEADLINE_EXCEEDED);
  CU_ASSERT_EQUAL(scene.rig->closes, 0);
  end(&scene);
}

static void pinging(struct wire_peer *peer, void *context) {
  const char *payload;
  size_t length;
  (void)context;
  wire_request(peer);
  wire_accept(peer, "");
  wire_send_frame(peer, WIRE_PING, "are you there", 13);
  if (wire_read_frame(peer, &payload, &length) == WIRE_PONG) {
    wire_send_frame(peer, WIRE_TEXT, payload, length);
  }
  wire_wait(peer);
}

static void test_a_peers_ping_is_answered_although_nobody_reads(void) {
  struct scene scene = begin(pinging, NULL);
  struct wire_call read = wire_read(scene.rig, scene.lease, 0);
  CU_ASSERT_STRING_EQUAL(read.message == NULL ? read.text : read.message, "are you there");
  wire_call_deinit(&read);
  end(&scene);
}

/* ---- Closes ----------------------------------------------------------------------------- */

struct ending {
  atomic_bool now;
  const char *payload; /* of the close frame; NULL: no frame */
  size_t length;
  bool reset;
};

static void ending_when_told(struct wire_peer *peer, void *context) {
  struct ending *ending = context;
  wire_request(peer);
  wire_accept(peer, "");
  for (int i = 0; i < 1000 && !atomic_load(&ending->now); i++) {
    wire_pause(10);
  }
  if (ending->reset) {
    wire_reset(peer);
  } else if (ending->payload != NULL) {
    wire_send_frame(peer, WIRE_CLOSE, ending->payload, ending->length);
    wire_wait(peer);
  }
}

/* The conn is idle when its peer ends it. */
static void check_peer_close(struct ending *ending, int code, const char *text) {
  struct scene scene = begin(ending_when_told, ending);
  char id[64];
  struct wsp_conn_stats stats;
  strcpy(id, wsp_lease_conn_id(scene.lease));
  wsp_lease_release(scene.lease, wsp_lws_now());
  atomic_store(&ending->now, true);
  wsp_lws_wake(scene.rig->lws);
  CU_ASSERT_TRUE(wire_until_closes(scene.rig, 1));
  CU_ASSERT_EQUAL(scene.rig->closed_code, code);
  CU_ASSERT_STRING_EQUAL(scene.rig->evicted, text);
  CU_ASSERT_FALSE(wsp_conn_stats(scene.rig->pool, 1, id, &stats));
  end(&scene);
}

static void test_a_peers_close_is_noticed_at_once_on_an_idle_conn(void) {
  check_peer_close(&(struct ending){.payload = "\x03\xe9going", .length = 7}, 1001, "going");
  check_peer_close(&(struct ending){.payload = "\x0f\xa1", .length = 2}, 4001, "");
  check_peer_close(&(struct ending){.payload = "", .length = 0}, 0, "");
  check_peer_close(&(struct ending){0}, 1006, "the connection was lost");
  check_peer_close(&(struct ending){.reset = true}, 1006, "the connection was lost");
}

static void test_a_read_under_way_ends_with_the_peers_close(void) {
  struct ending ending = {.now = true, .payload = "\x03\xe8", .length = 2};
  struct scene scene = begin(ending_when_told, &ending);
  CU_ASSERT_EQUAL(wire_read(scene.rig, scene.lease, 0).error, WSP_CONN_CLOSED);
  end(&scene);
}

static void test_a_message_on_an_idle_conn_evicts_it(void) {
  struct scene scene = begin(echo, NULL);
  CU_ASSERT_EQUAL(wire_write(scene.rig, scene.lease, "{}").error, WSP_OK);
  wsp_lease_release(scene.lease, wsp_lws_now());
  wsp_lws_wake(scene.rig->lws);
  CU_ASSERT_TRUE(wire_until_closes(scene.rig, 1));
  end(&scene);
}

static void closed(void *context) {
  *(bool *)context = true;
}

static void never_answering_a_close(struct wire_peer *peer, void *context) {
  (void)context;
  wire_request(peer);
  wire_accept(peer, "");
  wire_wait(peer);
}

static void test_a_close_is_clean_or_cut_after_its_timeout(void) {
  for (int clean = 0; clean < 2; clean++) {
    wsp_duration timeout = clean ? 40 * WSP_SECOND : 300 * WSP_MILLISECOND;
    struct scene scene = begin_with(clean ? echo : never_answering_a_close, NULL,
                                    &(struct wsp_lws_options){.close_timeout = timeout});
    bool done = false;
    wsp_lease_release(scene.lease, wsp_lws_now());
    wsp_time begun = wsp_lws_now();
    CU_ASSERT_EQUAL(wsp_pool_close(scene.rig->pool, begun, closed, &done), WSP_OK);
    CU_ASSERT_TRUE(wire_until(scene.rig, &done));
    CU_ASSERT_EQUAL(wsp_lws_now() - begun < timeout, clean);
    end(&scene);
  }
}

static void test_a_destroyed_loop_leaves_no_descriptor(void) {
  struct wire_rig *rig = wire_rig_create(NULL);
  struct wire_server *server = wire_start(&rig->identity, echo, NULL);
  for (int i = 0; i < 3; i++) {
    CU_ASSERT_EQUAL(wire_acquire_with(rig, &(struct wsp_acquire_request){.account = {.id = 1},
                                                                         .url = wire_url(server),
                                                                         .force_new_conn = true})
                        .error,
                    WSP_OK);
  }
  wire_rig_destroy(rig);
  wire_stop(server);
  int before = wire_descriptors();
  rig = wire_rig_create(NULL);
  server = wire_start(&rig->identity, echo, NULL);
  CU_ASSERT_EQUAL(wire_acquire(rig, wire_url(server)).error, WSP_OK);
  wire_rig_destroy(rig);
  wire_stop(server);
  CU_ASSERT_EQUAL(wire_descriptors(), before);
}

/* ---- The loop --------------------------------------------------------------------------- */

static void test_a_deadline_is_kept_to_less_than_a_millisecond(void) {
  struct scene scene = begin(echo, NULL);
  wsp_duration least_late = WSP_SECOND;
  /* On a machine that is not busy the first is; one that were rounded to milliseconds never is. */
  for (int i = 0; i < 2000 && least_late >= 500 * WSP_MICROSECOND; i++) {
    wsp_time deadline = wsp_lws_now() + 3300 * WSP_MICROSECOND;
    CU_ASSERT_EQUAL(wire_read(scene.rig, scene.lease, 3300 * WSP_MICROSECOND).error,
                    WSP_DEADLINE_EXCEEDED);
    wsp_duration late = wsp_lws_now() - deadline;
    CU_ASSERT_TRUE(late >= 0);
    least_late = late < least_late ? late : least_late;
  }
  CU_ASSERT_TRUE(least_late < 500 * WSP_MICROSECOND);
  end(&scene);
}

static void test_compression_may_be_offered_to_a_server_without_it(void) {
  struct scene scene =
      begin_with(echo, NULL, &(struct wsp_lws_options){.permessage_deflate = true});
  check_echo(&scene, "{\"text\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}");
  end(&scene);
}

CU_TestInfo suite_lws_conn[] = {
    {"messages of all sizes go out and come back", test_messages_of_all_sizes_go_out_and_come_back},
    {"fragments become one message", test_fragments_become_one_message},
    {"a message over the limit closes with 1009", test_a_message_over_the_limit_closes_with_1009},
    {"a write ends when the peer takes it", test_a_write_ends_when_the_peer_takes_it},
    {"a flood is held back until somebody reads", test_a_flood_is_held_back_until_somebody_reads},
    {"a ping is answered", test_a_ping_is_answered},
    {"a late pong does not answer the next ping", test_a_late_pong_does_not_answer_the_next_ping},
    {"a peer's ping is answered although nobody reads",
     test_a_peers_ping_is_answered_although_nobody_reads},
    {"a peer's close is noticed at once on an idle conn",
     test_a_peers_close_is_noticed_at_once_on_an_idle_conn},
    {"a read under way ends with the peer's close",
     test_a_read_under_way_ends_with_the_peers_close},
    {"a message on an idle conn evicts it", test_a_message_on_an_idle_conn_evicts_it},
    {"a close is clean, or cut after its timeout", test_a_close_is_clean_or_cut_after_its_timeout},
    {"a destroyed loop leaves no descriptor", test_a_destroyed_loop_leaves_no_descriptor},
    {"a deadline is kept to less than a millisecond",
     test_a_deadline_is_kept_to_less_than_a_millisecond},
    {"compression may be offered to a server without it",
     test_compression_may_be_offered_to_a_server_without_it},
    CU_TEST_INFO_NULL};
