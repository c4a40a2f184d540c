/*
 * relay_fakes.c - the fakes' side of the relay: what reaches the servers becomes calls of the
 * fakes, and what the fakes answer goes over the wire and then to the pool.
 */
#include "fakes/wire/relay_internal.h"

#include <string.h>

enum { ABNORMAL = 1006 }; /* stands for an end without a close frame */

/* ---- What comes in ----------------------------------------------------------------------------
 */

static void requested(void *context, struct fake_peer *peer, const struct fake_upgrade *upgrade) {
  struct fake_relay *relay = context;
  struct passage *passage = relay->arriving;
  if (passage == NULL || passage->requested) {
    fake_peer_cut(peer, true); /* no client of this relay's */
    return;
  }
  fake_peer_set_context(peer, passage);
  passage->peer = peer;
  passage->requested = true;
  if (!passage->adopting) {
    const struct wsp_dial_request request = {.account = passage->account,
                                             .url = upgrade->url,
                                             .proxy = "",
                                             .headers = upgrade->headers,
                                             .header_count = upgrade->header_count};
    passage->called = fake_transport()->dial(relay->options.upstreams,
                                             (struct wsp_dial){.pool = (struct wsp_pool *)passage},
                                             &request, &passage->fake_dial);
  }
}

static void spoke(void *context, struct fake_peer *peer, const char *data, size_t length) {
  struct fake_relay *relay = context;
  struct passage *passage = fake_peer_context(peer);
  if (passage != NULL && passage->fake != NULL) {
    passage->called =
        fake_transport()->write(relay->options.upstreams, passage->fake, data, length);
    passage->spoke = true;
  }
}

static void pinged(void *context, struct fake_peer *peer) {
  struct fake_relay *relay = context;
  struct passage *passage = fake_peer_context(peer);
  if (passage != NULL && passage->fake != NULL) {
    passage->called = fake_transport()->ping(relay->options.upstreams, passage->fake);
    passage->pinged = true;
  }
}

static void closed(void *context, struct fake_peer *peer, int code, const char *reason) {
  struct passage *passage = fake_peer_context(peer);
  (void)context;
  (void)code;
  (void)reason;
  if (passage != NULL) {
    passage->closed = true;
  }
}

static void gone(void *context, struct fake_peer *peer) {
  struct passage *passage = fake_peer_context(peer);
  (void)context;
  if (passage != NULL) {
    passage->peer = NULL;
    passage->closed = true;
  }
}

const struct fake_server_events relay_server_events = {
    .requested = requested,
    .spoke = spoke,
    .pinged = pinged,
    .closed = closed,
    .gone = gone,
};

/* ---- What the fakes answer --------------------------------------------------------------------
 */

static void send_answer(struct passage *passage, const struct wsp_dial_result *result) {
  if (passage->peer == NULL) {
    return;
  }
  if (result->error == WSP_OK && result->conn != NULL) {
    fake_peer_accept(passage->peer, result->headers, result->header_count);
  } else if (result->status != 0) {
    fake_peer_refuse(passage->peer, result->status, result->headers, result->header_count,
                     result->reason);
  } else {
    fake_peer_cut(passage->peer, true);
  }
}

static struct wsp_conn answer_dial(struct wsp_dial dial, wsp_time now,
                                   const struct wsp_dial_result *result) {
  struct passage *passage = passage_of(dial.pool);
  (void)now;
  passage->fake_dial = NULL;
  passage->fake = result->conn;
  if (result->error == WSP_OK && result->conn == NULL) {
    relay_cannot(passage->relay, "a dial succeeded without a conn");
  }
  if (result->error != WSP_CANCELED) {
    send_answer(passage, result);
  }
  (void)relay_until(passage->relay, &passage->dialed, NULL,
                    "the client had the answer to its dial");
  passage_tell_dialed(passage, result->status);
  if (passage->conn.pool == NULL || result->conn == NULL) {
    passage_hang_up(passage);
    passage_destroy(passage);
    return (struct wsp_conn){0};
  }
  return (struct wsp_conn){.pool = (struct wsp_pool *)passage};
}

static void answer_write(struct wsp_conn conn, wsp_time now, enum wsp_error error,
                         const char *reason) {
  struct passage *passage = passage_of(conn.pool);
  (void)reason;
  if (error != WSP_OK) {
    relay_cannot(passage->relay, "a write failed on a conn that goes on");
    return;
  }
  (void)relay_until(passage->relay, &passage->written, &passage->lost, "a write ended");
  if (passage->written) {
    passage->relay->options.pool->write_done(passage->conn, now, WSP_OK, NULL);
  }
}

static bool carry_message(struct passage *passage, const void *message, size_t length) {
  passage->read = false;
  if (passage->peer != NULL) {
    fake_peer_send(passage->peer, message, length, 0);
  }
  (void)relay_until(passage->relay, &passage->read, &passage->lost, "a message reached the client");
  return passage->read && passage->read_error == WSP_OK;
}

static void answer_read(struct wsp_conn conn, wsp_time now, enum wsp_error error,
                        const char *reason, const void *message, size_t length) {
  struct passage *passage = passage_of(conn.pool);
  (void)reason;
  if (error != WSP_OK) {
    relay_cannot(passage->relay, "a read failed on a conn that goes on");
    return;
  }
  if (carry_message(passage, message, length)) {
    passage->relay->options.pool->read_done(passage->conn, now, WSP_OK, NULL, passage->message,
                                            passage->length);
  }
}

static void speak(struct wsp_conn conn, wsp_time now, const void *message, size_t length) {
  struct passage *passage = passage_of(conn.pool);
  if (carry_message(passage, message, length)) {
    passage->relay->options.pool->conn_message(passage->conn, now, passage->message,
                                               passage->length);
  }
}

static void answer_ping(struct wsp_conn conn, wsp_time now, enum wsp_error error,
                        const char *reason) {
  struct passage *passage = passage_of(conn.pool);
  (void)reason;
  if (error != WSP_OK && error != WSP_CANCELED) {
    relay_cannot(passage->relay, "a ping failed on a conn that goes on");
    return;
  }
  if (error == WSP_OK && passage->peer != NULL) {
    fake_peer_pong(passage->peer);
  }
  (void)relay_until(passage->relay, &passage->ponged, &passage->lost, "a pong reached the client");
  if (passage->ponged) {
    passage->relay->options.pool->ping_done(passage->conn, now, passage->pong_error, NULL);
  }
}

/* The fake's last word: the peer closes, or it confirms a close. */
static void answer_close(struct wsp_conn conn, wsp_time now, int code, const char *reason) {
  struct passage *passage = passage_of(conn.pool);
  struct fake_relay *relay = passage->relay;
  if (passage->peer != NULL && code == ABNORMAL) {
    fake_peer_cut(passage->peer, false);
  } else if (passage->peer != NULL) {
    fake_peer_send_close(passage->peer, code, reason);
  }
  (void)relay_until(relay, &passage->lost, NULL, "the client saw a conn closed");
  /* An end without a close frame brings no reason along: what the client says is its own. */
  bool has_words = !passage->closing && (code != ABNORMAL || reason != NULL);
  if (passage->conn.pool != NULL) {
    relay->options.pool->conn_closed(passage->conn, now, passage->seen.code,
                                     has_words ? passage->seen.reason : NULL);
  }
  passage->conn = (struct wsp_conn){0};
  passage_destroy(passage);
}

static const char *conn_id(struct wsp_conn conn) {
  const struct passage *passage = passage_of(conn.pool);
  return passage == NULL ? "" : passage->relay->options.pool->conn_id(passage->conn);
}

static int64_t conn_account(struct wsp_conn conn) {
  const struct passage *passage = passage_of(conn.pool);
  return passage == NULL ? 0 : passage->relay->options.pool->conn_account(passage->conn);
}

const struct sim_pool_interface relay_as_pool = {
    .version = SIM_POOL_INTERFACE_VERSION,
    .name = "relay",
    .dial_done = answer_dial,
    .write_done = answer_write,
    .read_done = answer_read,
    .ping_done = answer_ping,
    .conn_message = speak,
    .conn_closed = answer_close,
    .conn_id = conn_id,
    .conn_account = conn_account,
};
