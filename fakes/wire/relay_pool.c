/*
 * relay_pool.c - the pool's side of the relay: the transport that the pool calls, and what its
 * client, wspool_lws, answers.
 *
 * The client's answers are only noted here; the pool hears of them when the fake has said so too.
 */
#define _POSIX_C_SOURCE 200809L
#include "fakes/wire/relay_internal.h"

#include <stdlib.h>
#include <string.h>

enum { SWITCHING_PROTOCOLS = 101 };

static const struct wsp_transport *client(void) {
  return wsp_lws_transport();
}

static struct wsp_dial dial_name(struct passage *passage) {
  return (struct wsp_dial){.pool = (struct wsp_pool *)passage};
}

/* ---- Dials ------------------------------------------------------------------------------------
 */

enum wsp_error passage_dial(struct passage *passage, const struct wsp_dial_request *request) {
  struct fake_relay *relay = passage->relay;
  /* A url that is none is refused by the client, with its own words. */
  (void)fake_server_listen(relay->server, request->url, FAKE_VALID);
  if (request->proxy != NULL && request->proxy[0] != '\0') {
    (void)fake_server_listen_proxy(relay->server, request->proxy, FAKE_PROXY_CONNECTS);
  }
  enum wsp_error error =
      client()->dial(relay->client, dial_name(passage), request, &passage->dialing);
  if (error != WSP_OK) {
    return error;
  }
  relay->arriving = passage;
  bool arrived =
      relay_until(relay, &passage->requested, &passage->dialed, "a dial reached its server");
  relay->arriving = NULL;
  return arrived ? passage->called : WSP_DIAL_FAILED;
}

static enum wsp_error start_dial(void *context, struct wsp_dial dial,
                                 const struct wsp_dial_request *request, void **dialing) {
  struct passage *passage = passage_create(context);
  if (passage == NULL) {
    return WSP_OUT_OF_MEMORY;
  }
  passage->dial = dial;
  passage->account = request->account;
  enum wsp_error error = passage_dial(passage, request);
  if (error != WSP_OK) {
    passage_hang_up(passage);
    passage_destroy(passage);
    return error;
  }
  *dialing = passage;
  return WSP_OK;
}

static void cancel_dial(void *context, void *dialing) {
  struct fake_relay *relay = context;
  struct passage *passage = dialing;
  if (!passage->dialed) {
    client()->dial_cancel(relay->client, passage->dialing);
    (void)relay_until(relay, &passage->dialed, NULL, "the client gave up a dial");
  }
  if (passage->fake_dial != NULL) {
    fake_transport()->dial_cancel(relay->options.upstreams, passage->fake_dial);
  }
}

void passage_tell_dialed(struct passage *passage, int status) {
  bool opened = passage->seen.error == WSP_OK;
  const struct wsp_dial_result result = {
      .error = passage->seen.error,
      .conn = opened ? passage : NULL,
      .status = passage->seen.status == SWITCHING_PROTOCOLS ? status : passage->seen.status,
      .reason = passage->seen.reason,
      .headers = passage->seen.headers,
      .header_count = passage->seen.header_count};
  passage->conn =
      passage->relay->options.pool->dial_done(passage->dial, relay_now(passage->relay), &result);
}

/* ---- Calls on conns ---------------------------------------------------------------------------
 */

static enum wsp_error start_write(void *context, void *conn, const char *data, size_t length) {
  struct fake_relay *relay = context;
  struct passage *passage = conn;
  passage->written = false;
  passage->spoke = false;
  enum wsp_error error = client()->write(relay->client, passage->client, data, length);
  if (error != WSP_OK) {
    return error;
  }
  return relay_until(relay, &passage->spoke, &passage->lost, "a message reached its server") &&
                 passage->spoke
             ? passage->called
             : WSP_CONN_CLOSED;
}

static enum wsp_error start_read(void *context, void *conn) {
  struct fake_relay *relay = context;
  struct passage *passage = conn;
  passage->read = false;
  enum wsp_error error = client()->read(relay->client, passage->client);
  return error != WSP_OK ? error : fake_transport()->read(relay->options.upstreams, passage->fake);
}

static void cancel_read(void *context, void *conn) {
  struct fake_relay *relay = context;
  struct passage *passage = conn;
  client()->read_cancel(relay->client, passage->client);
  fake_transport()->read_cancel(relay->options.upstreams, passage->fake);
}

static enum wsp_error start_ping(void *context, void *conn) {
  struct fake_relay *relay = context;
  struct passage *passage = conn;
  passage->ponged = false;
  passage->pinged = false;
  enum wsp_error error = client()->ping(relay->client, passage->client);
  if (error != WSP_OK) {
    return error;
  }
  return relay_until(relay, &passage->pinged, &passage->lost, "a ping reached its server") &&
                 passage->pinged
             ? passage->called
             : WSP_CONN_CLOSED;
}

static void cancel_ping(void *context, void *conn) {
  struct fake_relay *relay = context;
  struct passage *passage = conn;
  client()->ping_cancel(relay->client, passage->client);
  (void)relay_until(relay, &passage->ponged, &passage->lost, "the client gave up a ping");
  fake_transport()->ping_cancel(relay->options.upstreams, passage->fake);
}

static void start_close(void *context, void *conn) {
  struct fake_relay *relay = context;
  struct passage *passage = conn;
  passage->closing = true;
  if (!passage->lost) {
    client()->close(relay->client, passage->client);
    (void)relay_until(relay, &passage->closed, &passage->lost, "a close reached its server");
  }
  fake_transport()->close(relay->options.upstreams, passage->fake);
}

void passage_hang_up(struct passage *passage) {
  struct fake_relay *relay = passage->relay;
  if (passage->client != NULL && !passage->lost) {
    client()->close(relay->client, passage->client);
    if (passage->peer != NULL) {
      fake_peer_cut(passage->peer, true);
    }
    (void)relay_until(relay, &passage->lost, NULL, "the client closed a conn");
  } else if (passage->dialing != NULL && !passage->dialed) {
    client()->dial_cancel(relay->client, passage->dialing);
    (void)relay_until(relay, &passage->dialed, NULL, "the client gave up a dial");
  }
}

static void metrics(void *context, struct wsp_transport_metrics *metrics) {
  const struct fake_relay *relay = context;
  client()->metrics(relay->client, metrics);
}

const struct wsp_transport *fake_relay_transport(void) {
  static const struct wsp_transport transport = {
      .dial = start_dial,
      .dial_cancel = cancel_dial,
      .write = start_write,
      .read = start_read,
      .read_cancel = cancel_read,
      .ping = start_ping,
      .ping_cancel = cancel_ping,
      .close = start_close,
      .metrics = metrics,
  };
  return &transport;
}

/* ---- The client's answers ---------------------------------------------------------------------
 */

static void copy_headers(struct passage *passage, const struct wsp_dial_result *result) {
  passage->seen.headers = calloc(result->header_count + 1, sizeof *passage->seen.headers);
  for (size_t i = 0; passage->seen.headers != NULL && i < result->header_count; i++) {
    char *name = strdup(result->headers[i].name);
    char *value = strdup(result->headers[i].value);
    if (name == NULL || value == NULL) {
      free(name);
      free(value);
      break;
    }
    passage->seen.headers[passage->seen.header_count++] = (struct wsp_header){name, value};
  }
}

static struct wsp_conn see_dialed(struct wsp_dial dial, wsp_time now,
                                  const struct wsp_dial_result *result) {
  struct passage *passage = passage_of(dial.pool);
  (void)now;
  passage->dialed = true;
  passage->relay->has_news = true;
  passage->client = result->conn;
  passage->seen.error = result->error;
  passage->seen.status = result->status;
  passage->seen.reason = result->reason == NULL ? NULL : strdup(result->reason);
  copy_headers(passage, result);
  return (struct wsp_conn){.pool = (struct wsp_pool *)passage};
}

static void see_written(struct wsp_conn conn, wsp_time now, enum wsp_error error,
                        const char *reason) {
  struct passage *passage = passage_of(conn.pool);
  (void)now;
  (void)error; /* a client that fails says it with the end of the conn */
  (void)reason;
  passage->written = true;
}

static void see_message(struct wsp_conn conn, wsp_time now, const void *message, size_t length) {
  struct passage *passage = passage_of(conn.pool);
  (void)now;
  free(passage->message);
  passage->message = malloc(length + 1);
  passage->length = passage->message == NULL ? 0 : length;
  if (passage->length > 0) {
    memcpy(passage->message, message, length);
  }
  passage->read = true;
  passage->read_error = WSP_OK;
}

static void see_read(struct wsp_conn conn, wsp_time now, enum wsp_error error, const char *reason,
                     const void *message, size_t length) {
  struct passage *passage = passage_of(conn.pool);
  (void)reason;
  if (error == WSP_OK) {
    see_message(conn, now, message, length);
    return;
  }
  passage->read = true;
  passage->read_error = error;
}

static void see_ponged(struct wsp_conn conn, wsp_time now, enum wsp_error error,
                       const char *reason) {
  struct passage *passage = passage_of(conn.pool);
  (void)now;
  (void)reason;
  passage->ponged = true;
  passage->pong_error = error;
}

static void see_closed(struct wsp_conn conn, wsp_time now, int code, const char *reason) {
  struct passage *passage = passage_of(conn.pool);
  (void)now;
  passage->lost = true;
  passage->relay->has_news = true;
  passage->seen.code = code;
  free(passage->seen.reason);
  passage->seen.reason = reason == NULL ? NULL : strdup(reason);
}

const struct wsp_lws_answers relay_client_answers = {
    .dial_done = see_dialed,
    .write_done = see_written,
    .read_done = see_read,
    .ping_done = see_ponged,
    .conn_message = see_message,
    .conn_closed = see_closed,
};
