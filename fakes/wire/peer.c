/*
 * peer.c - the connection of a client: TLS, request, frames, end.
 *
 * However it ends, its socket is closed in one place (die) and its owner is told in one place
 * (tidy() in server.c).
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "fakes/wire/server_internal.h"

enum { SWITCHING_PROTOCOLS = 101, BAD_REQUEST = 400, MOST_REASON = 123 };
#define LEAVE_TIME WSP_SECOND
/* What waits for a client that does not read, before what it sends is not read either. */
enum { MOST_UNREAD = 4 * 1024 * 1024 };

static void ready(struct watch *watch, uint32_t events);

/* ---- Ends ---------------------------------------------------------------------------------- */

static void die(struct fake_peer *peer) {
  if (peer->state != PEER_DEAD) {
    peer->state = PEER_DEAD;
    server_close(&peer->channel.watch);
    server_wake_at(peer->server, 0);
  }
}

/* What has been read already makes no socket readable. */
static void look_again(struct fake_peer *peer) {
  if (peer->state != PEER_DEAD && buffer_length(&peer->channel.in) > 0) {
    peer->again = true;
    server_wake_at(peer->server, 0);
  }
}

/* Nothing more will be said; the client has a while to end it. */
static void leave(struct fake_peer *peer) {
  if (peer->state != PEER_DEAD && peer->state != PEER_LEAVING) {
    peer->state = PEER_LEAVING;
    peer->deaf = false;
    peer->leaves_at = server_now() + LEAVE_TIME;
    server_wake_at(peer->server, peer->leaves_at);
  }
}

static bool is_full(const struct fake_peer *peer) {
  return peer->deaf || buffer_length(&peer->channel.out) > MOST_UNREAD;
}

/* After everything that may have changed what is to be done next. */
static void settle(struct fake_peer *peer) {
  struct channel *channel = &peer->channel;
  if (peer->state == PEER_DEAD) {
    return;
  }
  channel_flush(channel);
  bool ends = peer->state == PEER_LEAVING && channel_is_flushed(channel) &&
              (!peer->close_sent || peer->close_received);
  if (ends && !peer->fin_sent) {
    peer->fin_sent = true;
    channel_finish(channel);
  }
  /* A client that has ended its side gets nothing any more. */
  if (channel->failed || channel->ended) {
    die(peer);
    return;
  }
  server_rewatch(peer->server, &channel->watch, channel_interest(channel, is_full(peer)));
  if (channel->pace > 0 && !channel_is_flushed(channel)) {
    server_wake_at(peer->server, peer->paced_at);
  }
}

/* Lets a paced peer send on when its next millisecond has come. Returns when the one after it does.
 */
static int64_t look_at_pace(struct fake_peer *peer, int64_t now) {
  struct channel *channel = &peer->channel;
  if (channel->pace == 0 || channel_is_flushed(channel) || peer->state == PEER_DEAD) {
    return INT64_MAX;
  }
  if (now >= peer->paced_at) {
    channel->allowed = channel->pace;
    peer->paced_at = now + WSP_MILLISECOND;
    settle(peer);
  }
  return peer->paced_at;
}

int64_t peer_look(struct fake_peer *peer, int64_t now) {
  if (peer->again && peer->state != PEER_DEAD) {
    peer->again = false;
    ready(&peer->channel.watch, 0);
  }
  int64_t next = look_at_pace(peer, now);
  if (peer->state != PEER_LEAVING) {
    return next;
  }
  if (now >= peer->leaves_at) {
    die(peer);
    return INT64_MAX;
  }
  return peer->leaves_at < next ? peer->leaves_at : next;
}

void peer_create(const struct listener *listener, int fd) {
  struct fake_peer *peer = calloc(1, sizeof *peer);
  struct fake_server *server = listener->server;
  struct watch watch = {ready, fd, 0};
  if (peer == NULL) {
    server_close(&watch);
    return;
  }
  peer->channel.watch = watch;
  peer->channel.shaken = listener->tls == NULL;
  peer->server = server;
  peer->listener = listener;
  if (listener->tls != NULL) {
    peer->channel.tls = SSL_new(listener->tls);
  }
  if ((listener->tls != NULL &&
       (peer->channel.tls == NULL || SSL_set_fd(peer->channel.tls, fd) != 1)) ||
      !server_watch(server, &peer->channel.watch, EPOLLIN)) {
    channel_deinit(&peer->channel);
    free(peer);
    return;
  }
  peer->next = server->peers;
  if (peer->next != NULL) {
    peer->next->previous = peer;
  }
  server->peers = peer;
}

void peer_destroy(struct fake_peer *peer) {
  *(peer->previous != NULL ? &peer->previous->next : &peer->server->peers) = peer->next;
  if (peer->next != NULL) {
    peer->next->previous = peer->previous;
  }
  channel_deinit(&peer->channel);
  fake_frame_reader_deinit(&peer->reader);
  free(peer);
}

/* ---- The request ---------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void put_text(struct fake_peer *peer,
                                                           const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  (void)channel_put(&peer->channel, text,
                    length < (int)sizeof text ? (size_t)length : sizeof text - 1);
}

static void put_headers(struct fake_peer *peer, const struct wsp_header *headers, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (fake_header_is_valid(&headers[i])) {
      (void)channel_put(&peer->channel, headers[i].name, strlen(headers[i].name));
      (void)channel_put(&peer->channel, ": ", 2);
      (void)channel_put(&peer->channel, headers[i].value, strlen(headers[i].value));
      (void)channel_put(&peer->channel, "\r\n", 2);
    }
  }
}

static void refuse(struct fake_peer *peer, int status, const struct wsp_header *headers,
                   size_t count, const char *body) {
  size_t length = body == NULL ? 0 : strlen(body);
  put_text(peer, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: %zu\r\n%s", status,
           fake_status_phrase(status), length,
           length > 0 ? "Content-Type: text/plain; charset=utf-8\r\n" : "");
  put_headers(peer, headers, count);
  put_text(peer, "\r\n");
  if (length > 0) {
    (void)channel_put(&peer->channel, body, length);
  }
  leave(peer);
}

static void tell_request(struct fake_peer *peer, const struct fake_head *head) {
  const char *host = server_authority(peer->listener, fake_head_value(head, "Host"));
  size_t size = strlen(host) + strlen(head->target) + sizeof "wss://";
  char *url = malloc(size);
  if (url == NULL || !fake_head_accept(fake_head_value(head, "Sec-WebSocket-Key"), peer->accept)) {
    free(url);
    die(peer);
    return;
  }
  snprintf(url, size, "%s%s%s", peer->listener->tls != NULL ? "wss://" : "ws://", host,
           head->target);
  const struct fake_upgrade upgrade = {url, head->headers, head->header_count};
  peer->state = PEER_WAITING;
  peer->told = true;
  peer->server->events->requested(peer->server->context, peer, &upgrade);
  free(url);
}

static void read_request(struct fake_peer *peer) {
  struct buffer *in = &peer->channel.in;
  struct fake_head head;
  char *text = (char *)in->data + in->from;
  size_t length = fake_head_length(text, buffer_length(in));
  if (length == 0 && buffer_length(in) <= FAKE_HEAD_MOST) {
    return;
  }
  if (length == 0 || length > FAKE_HEAD_MOST || !fake_head_read(text, length, &head)) {
    refuse(peer, BAD_REQUEST, NULL, 0, "expected a request of HTTP/1.1, of 32 KiB at most");
    return;
  }
  int status = fake_head_judge(&head);
  if (status != 0) {
    const struct wsp_header version = {"Sec-WebSocket-Version", "13"};
    refuse(peer, status, &version, 1, "expected an upgrade to a WebSocket of version 13");
    return;
  }
  /* What the request points to lies in the buffer, which nothing touches meanwhile. */
  buffer_drop(in, length);
  tell_request(peer, &head);
}

/* ---- Frames --------------------------------------------------------------------------------- */

static void put_frame(struct fake_peer *peer, enum fake_opcode opcode, bool final, const void *data,
                      size_t length) {
  uint8_t head[FAKE_FRAME_HEAD_SIZE];
  size_t size = fake_frame_head(head, opcode, final, length);
  if (channel_put(&peer->channel, head, size)) {
    (void)channel_put(&peer->channel, data, length);
  }
}

static void put_close(struct fake_peer *peer, int code, const char *reason) {
  char payload[2 + MOST_REASON];
  size_t length = code == 0 ? 0 : 2;
  if (peer->close_sent) {
    return;
  }
  payload[0] = (char)(code >> 8);
  payload[1] = (char)code;
  if (length > 0 && reason != NULL) {
    size_t text = strlen(reason);
    text = text < MOST_REASON ? text : MOST_REASON;
    memcpy(payload + length, reason, text);
    length += text;
  }
  put_frame(peer, FAKE_FRAME_CLOSE, true, payload, length);
  peer->close_sent = true;
}

/* One frame of the client. False: there is no whole one. */
static bool read_frame(struct fake_peer *peer) {
  const struct fake_server_events *events = peer->server->events;
  struct buffer *in = &peer->channel.in;
  size_t used;
  if (in->data == NULL) {
    return false;
  }
  struct fake_frame frame =
      fake_frame_read(&peer->reader, in->data + in->from, buffer_length(in), &used);
  buffer_drop(in, used);
  switch (frame.kind) {
    case FAKE_READ_MORE:
      return false;
    case FAKE_READ_NOTHING:
      return true;
    case FAKE_READ_MESSAGE:
      events->spoke(peer->server->context, peer, frame.data, frame.length);
      return true;
    case FAKE_READ_PING:
      memcpy(peer->ping, frame.data, frame.length);
      peer->ping_length = frame.length;
      events->pinged(peer->server->context, peer);
      return true;
    case FAKE_READ_CLOSE:
      peer->close_received = true;
      peer->close_code = frame.code;
      events->closed(peer->server->context, peer, frame.code, frame.data);
      return true;
    case FAKE_READ_WRONG:
      break;
  }
  put_close(peer, frame.code, NULL);
  peer->close_received = true; /* nothing that comes now is believed */
  leave(peer);
  return false;
}

/* What comes from one who leaves: only its close frame is looked for. */
static void read_farewell(struct fake_peer *peer) {
  struct buffer *in = &peer->channel.in;
  size_t used = 1;
  while (peer->close_sent && !peer->close_received && in->data != NULL && used > 0) {
    struct fake_frame frame =
        fake_frame_read(&peer->reader, in->data + in->from, buffer_length(in), &used);
    buffer_drop(in, used);
    peer->close_received = frame.kind == FAKE_READ_CLOSE || frame.kind == FAKE_READ_WRONG;
  }
  if (!peer->close_sent || peer->close_received) {
    buffer_drop(in, buffer_length(in));
  }
}

static void ready(struct watch *watch, uint32_t events) {
  struct fake_peer *peer = (struct fake_peer *)watch;
  channel_read(&peer->channel, events, is_full(peer));
  if (peer->state == PEER_ASKING) {
    read_request(peer);
  }
  while (peer->state == PEER_OPEN && !peer->close_received && !peer->deaf && read_frame(peer)) {}
  if (peer->state == PEER_LEAVING) {
    read_farewell(peer);
  } else if (peer->close_received) { /* nothing counts behind a close */
    buffer_drop(&peer->channel.in, buffer_length(&peer->channel.in));
  }
  /* Before it was asked, nobody has more to say than a request has room for. */
  if (peer->state == PEER_WAITING && buffer_length(&peer->channel.in) > FAKE_HEAD_MOST) {
    die(peer);
  }
  settle(peer);
}

/* ---- What the owner says ----------------------------------------------------------------------
 */

void fake_peer_set_context(struct fake_peer *peer, void *context) {
  peer->context = context;
}

void *fake_peer_context(const struct fake_peer *peer) {
  return peer->context;
}

void fake_peer_accept(struct fake_peer *peer, const struct wsp_header *headers, size_t count) {
  if (peer->state != PEER_WAITING) {
    return;
  }
  put_text(peer,
           "HTTP/1.1 %d Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: %s\r\n",
           SWITCHING_PROTOCOLS, peer->accept);
  put_headers(peer, headers, count);
  put_text(peer, "\r\n");
  peer->state = PEER_OPEN;
  settle(peer);
  look_again(peer); /* at frames that came right behind the request */
}

void fake_peer_refuse(struct fake_peer *peer, int status, const struct wsp_header *headers,
                      size_t count, const char *body) {
  if (peer->state == PEER_WAITING) {
    refuse(peer, status, headers, count, body);
    settle(peer);
  }
}

void fake_peer_send(struct fake_peer *peer, const char *data, size_t length, size_t fragment) {
  if (peer->state != PEER_OPEN || peer->close_sent) {
    return;
  }
  enum fake_opcode opcode = FAKE_FRAME_TEXT;
  fragment = fragment == 0 ? SIZE_MAX : fragment;
  do {
    size_t piece = length < fragment ? length : fragment;
    put_frame(peer, opcode, piece == length, data, piece);
    data += piece;
    length -= piece;
    opcode = FAKE_FRAME_CONTINUATION;
  } while (length > 0);
  settle(peer);
}

void fake_peer_pong(struct fake_peer *peer) {
  if (peer->state == PEER_OPEN && !peer->close_sent) {
    put_frame(peer, FAKE_FRAME_PONG, true, peer->ping, peer->ping_length);
    settle(peer);
  }
}

void fake_peer_send_close(struct fake_peer *peer, int code, const char *reason) {
  if (peer->state == PEER_OPEN) {
    put_close(peer, code == 0 ? peer->close_code : code, reason);
    leave(peer);
    settle(peer);
  }
}

void fake_peer_cut(struct fake_peer *peer, bool orderly) {
  if (peer->state == PEER_DEAD) {
    return;
  }
  if (!orderly) {
    const struct linger at_once = {1, 0};
    setsockopt(peer->channel.watch.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  die(peer);
}

void fake_peer_pace(struct fake_peer *peer, size_t bytes) {
  peer->channel.pace = bytes;
  peer->channel.allowed = bytes;
  peer->paced_at = server_now() + WSP_MILLISECOND;
  settle(peer);
}

void fake_peer_deafen(struct fake_peer *peer, bool deaf) {
  if (peer->state == PEER_DEAD || peer->deaf == deaf) {
    return;
  }
  peer->deaf = deaf;
  settle(peer);
  if (!deaf) {
    look_again(peer);
  }
}
