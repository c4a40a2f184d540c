/*
 * conn.c - open conns: messages in and out, pings, and the close by either side.
 *
 * A message is sent in one frame, and its write has ended when the kernel has all of it; the pool
 * has one write under way on a conn, so no more than one message is ever buffered. What comes in
 * while nobody reads goes to the pool at once, up to the limit of one message; then the conn is not
 * read until somebody asks, which is all the back-pressure there is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/lws/internal.h"

enum {
  CLOSE_NORMAL = 1000,
  CLOSE_TOO_LARGE = 1009,
  CLOSE_NONE = 1005,
  CLOSE_ABNORMAL = 1006,
  PING_SIZE = 8
};

/* ---- Ends ------------------------------------------------------------------------------- */

static void free_if_gone(struct link *link) {
  if (link->state == LINK_LEFT && link->wsi == NULL && link->watcher == NULL && !link->is_due) {
    wsp_link_free(link);
  }
}

/* Asks for the turn to send a close frame; the socket is cut when the peer does not answer. */
static void begin_close(struct link *link) {
  link->writing = false;
  link->ping_wanted = false;
  if (link->paused && link->wsi != NULL) {
    link->paused = false;
    lws_rx_flow_control(link->wsi, 1); /* the peer's answer has to come in */
  }
  wsp_lws_wait(link, &link->lws->closing, link->lws->options.close_timeout);
  if (link->wsi != NULL) {
    lws_callback_on_writable(link->wsi);
  }
}

void wsp_conn_drop(struct link *link) {
  link->state = LINK_LEFT;
  begin_close(link);
}

/* The last word on the conn, if the pool has not had it. */
static void tell_closed(struct link *link, int code, const char *reason) {
  enum link_state state = link->state;
  link->state = LINK_LEFT;
  if (state == LINK_OPEN || state == LINK_CLOSING) {
    link->lws->answers->conn_closed(link->conn, wsp_lws_now(), state == LINK_OPEN ? code : 0,
                                    state == LINK_OPEN ? reason : NULL);
  }
}

void wsp_lws_close(void *context, void *conn) {
  (void)context;
  struct link *link = conn;
  if (link->state == LINK_OPEN) {
    link->state = LINK_CLOSING;
    begin_close(link);
  }
}

static int send_close(struct link *link, struct lws *wsi) {
  if (link->close_sent) {
    return 0; /* libwebsockets asks again while it waits for the peer */
  }
  link->close_sent = true;
  lws_close_reason(wsi,
                   (enum lws_close_status)(link->close_code != 0 ? link->close_code : CLOSE_NORMAL),
                   NULL, 0);
  return -1;
}

/* ---- In --------------------------------------------------------------------------------- */

enum wsp_error wsp_lws_read(void *context, void *conn) {
  (void)context;
  struct link *link = conn;
  if (link->state != LINK_OPEN) {
    return WSP_CONN_CLOSED;
  }
  link->reading = true;
  link->unread = 0; /* the pool had nothing left when it asked */
  if (link->paused) {
    link->paused = false;
    lws_rx_flow_control(link->wsi, 1);
  }
  return WSP_OK;
}

void wsp_lws_read_cancel(void *context, void *conn) {
  (void)context;
  ((struct link *)conn)->reading = false;
}

static void too_large(struct link *link) {
  char reason[REASON_SIZE];
  snprintf(reason, sizeof reason, "message larger than %zu bytes",
           link->lws->options.max_message_size);
  link->close_code = CLOSE_TOO_LARGE;
  if (link->reading) {
    link->reading = false;
    link->lws->answers->read_done(link->conn, wsp_lws_now(), WSP_IO_FAILED, reason, NULL, 0);
  }
  if (link->state == LINK_OPEN) { /* else the pool has asked for the close already */
    tell_closed(link, CLOSE_TOO_LARGE, reason);
    begin_close(link);
  }
}

static void deliver(struct link *link) {
  wsp_time now = wsp_lws_now();
  size_t length = link->message.length;
  const void *data = length > 0 ? (const void *)link->message.data : "";
  link->message.length = 0;
  if (link->reading) {
    link->reading = false;
    link->lws->answers->read_done(link->conn, now, WSP_OK, NULL, data, length);
    return;
  }
  link->unread += length;
  if (link->unread > link->lws->options.max_message_size && !link->paused) {
    link->paused = true;
    lws_rx_flow_control(link->wsi, 0);
  }
  link->lws->answers->conn_message(link->conn, now, data, length);
}

static int receive(struct link *link, struct lws *wsi, const void *data, size_t length) {
  if (link->state != LINK_OPEN) {
    return 0;
  }
  if (lws_is_first_fragment(wsi)) {
    link->message.length = 0;
  }
  /* What the frame announces counts before it has come. */
  size_t coming = length + lws_remaining_packet_payload(wsi);
  if (coming > link->lws->options.max_message_size - link->message.length ||
      !wsp_lws_append(&link->message, data, length)) {
    too_large(link);
    return 0;
  }
  if (lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0) {
    deliver(link);
  }
  return 0;
}

/* ---- Out -------------------------------------------------------------------------------- */

enum wsp_error wsp_lws_write(void *context, void *conn, const char *data, size_t length) {
  (void)context;
  struct link *link = conn;
  if (link->state != LINK_OPEN) {
    return WSP_CONN_CLOSED;
  }
  /* libwebsockets writes its header before the text, and masks the text where it lies. */
  free(link->write_data);
  link->write_data = malloc(LWS_PRE + length + 1);
  if (link->write_data == NULL) {
    return WSP_OUT_OF_MEMORY;
  }
  memcpy(link->write_data + LWS_PRE, data, length);
  link->write_length = length;
  link->writing = true;
  link->written = false;
  lws_callback_on_writable(link->wsi);
  return WSP_OK;
}

static void write_ended(struct link *link) {
  link->writing = false;
  free(link->write_data);
  link->write_data = NULL;
  link->lws->answers->write_done(link->conn, wsp_lws_now(), WSP_OK, NULL);
}

static int send_message(struct link *link, struct lws *wsi) {
  if (!link->written) {
    link->written = true;
    if (lws_write(wsi, link->write_data + LWS_PRE, link->write_length, LWS_WRITE_TEXT) < 0) {
      return -1;
    }
  }
  if (lws_partial_buffered(wsi)) {
    lws_callback_on_writable(wsi); /* comes when the kernel has taken the rest */
  } else {
    write_ended(link);
  }
  return 0;
}

enum wsp_error wsp_lws_ping(void *context, void *conn) {
  struct wsp_lws *lws = context;
  struct link *link = conn;
  if (link->state != LINK_OPEN) {
    return WSP_CONN_CLOSED;
  }
  link->pinging = true;
  link->ping_canceled = false;
  link->ping_wanted = true;
  link->ping_number = ++lws->next_ping;
  lws_callback_on_writable(link->wsi);
  return WSP_OK;
}

void wsp_lws_ping_cancel(void *context, void *conn) {
  (void)context;
  struct link *link = conn;
  if (link->pinging && !link->ping_canceled) {
    link->ping_canceled = true;
    link->ping_wanted = false;
    wsp_lws_due(link);
  }
}

static int send_ping(struct link *link, struct lws *wsi) {
  uint8_t frame[LWS_PRE + PING_SIZE];
  link->ping_wanted = false;
  memcpy(frame + LWS_PRE, &link->ping_number, PING_SIZE);
  if (link->writing) {
    lws_callback_on_writable(wsi); /* one frame a callback */
  }
  return lws_write(wsi, frame + LWS_PRE, PING_SIZE, LWS_WRITE_PING) < 0 ? -1 : 0;
}

/* Only the answer to the ping under way counts: an earlier one may have been given up. */
static void receive_pong(struct link *link, const void *data, size_t length) {
  if (link->state == LINK_OPEN && link->pinging && !link->ping_canceled && !link->ping_wanted &&
      length == PING_SIZE && memcmp(data, &link->ping_number, PING_SIZE) == 0) {
    link->pinging = false;
    link->lws->answers->ping_done(link->conn, wsp_lws_now(), WSP_OK, NULL);
  }
}

static int write_on(struct link *link, struct lws *wsi) {
  if (link->state != LINK_OPEN) {
    return link->close_code == CLOSE_NONE ? 0 : send_close(link, wsi);
  }
  if (link->ping_wanted) {
    return send_ping(link, wsi);
  }
  return link->writing ? send_message(link, wsi) : 0;
}

/* ---- The peer's close ------------------------------------------------------------------- */

static void peer_closes(struct link *link, const uint8_t *payload, size_t length) {
  char reason[128]; /* a close frame has room for 123 bytes */
  int code = length >= 2 ? payload[0] << 8 | payload[1] : 0;
  size_t text = length > 2 ? length - 2 : 0;
  text = text < sizeof reason ? text : sizeof reason - 1;
  if (text > 0) {
    memcpy(reason, payload + 2, text);
  }
  reason[text] = '\0';
  bool was_open = link->state == LINK_OPEN;
  tell_closed(link, code, reason);
  if (was_open) {
    link->close_code = CLOSE_NONE; /* libwebsockets answers by itself */
    wsp_lws_wait(link, &link->lws->closing, link->lws->options.close_timeout);
  }
}

/* ---- Carrying on and callbacks ------------------------------------------------------------ */

void wsp_conn_carry_on(struct link *link, wsp_time now) {
  if (link->state == LINK_OPEN && link->pinging && link->ping_canceled) {
    link->pinging = false;
    link->lws->answers->ping_done(link->conn, now, WSP_CANCELED, NULL);
  }
  free_if_gone(link);
}

int wsp_conn_callback(struct link *link, struct lws *wsi, enum lws_callback_reasons what, void *in,
                      size_t length) {
  switch (what) {
    case LWS_CALLBACK_CLIENT_RECEIVE:
      return receive(link, wsi, in, length);
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
      receive_pong(link, in, length);
      return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
      return write_on(link, wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
      peer_closes(link, in, length);
      return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
      tell_closed(link, CLOSE_ABNORMAL, "the connection was lost");
      return 0;
    case LWS_CALLBACK_WSI_DESTROY:
      link->wsi = NULL;
      wsp_lws_wait_no_more(link);
      tell_closed(link, CLOSE_ABNORMAL, "the connection was lost");
      free_if_gone(link);
      return 0;
    default:
      return 0;
  }
}

static void metrics(void *context, struct wsp_transport_metrics *metrics) {
  const struct wsp_lws *lws = context;
  int64_t hits = lws->client_hits;
  int64_t all = hits + lws->client_misses;
  metrics->proxy_client_cache_hits = hits;
  metrics->proxy_client_cache_misses = lws->client_misses;
  while (hits > INT64_MAX / WSP_DECIMAL_ONE) {
    hits /= 2;
    all /= 2;
  }
  metrics->transport_reuse_ratio = all == 0 ? 0 : hits * WSP_DECIMAL_ONE / all;
}

const struct wsp_transport *wsp_lws_transport(void) {
  static const struct wsp_transport transport = {
      .dial = wsp_lws_dial,
      .dial_cancel = wsp_lws_dial_cancel,
      .write = wsp_lws_write,
      .read = wsp_lws_read,
      .read_cancel = wsp_lws_read_cancel,
      .ping = wsp_lws_ping,
      .ping_cancel = wsp_lws_ping_cancel,
      .close = wsp_lws_close,
      .metrics = metrics,
  };
  return &transport;
}
