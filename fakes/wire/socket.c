/*
 * socket.c - bytes over TCP, with or without TLS, without ever waiting.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "fakes/wire/server_internal.h"

/* `MOST_ROUND`: read at once, so that one who sends without end does not keep the others waiting.
 */
enum { PIECE = 16 * 1024, MOST_ROUND = 1024 * 1024 };

bool buffer_append(struct buffer *buffer, const void *data, size_t length) {
  if (buffer->from == buffer->to) {
    buffer->from = buffer->to = 0;
  }
  if (buffer->capacity - buffer->to < length && buffer->from > 0) {
    memmove(buffer->data, buffer->data + buffer->from, buffer_length(buffer));
    buffer->to -= buffer->from;
    buffer->from = 0;
  }
  if (buffer->capacity - buffer->to < length) {
    size_t capacity = buffer->capacity == 0 ? 4096 : buffer->capacity;
    while (capacity - buffer->to < length) {
      capacity *= 2;
    }
    uint8_t *grown = realloc(buffer->data, capacity);
    if (grown == NULL) {
      return false;
    }
    buffer->data = grown;
    buffer->capacity = capacity;
  }
  if (length > 0) {
    memcpy(buffer->data + buffer->to, data, length);
  }
  buffer->to += length;
  return true;
}

void buffer_drop(struct buffer *buffer, size_t length) {
  buffer->from += length;
}

void channel_deinit(struct channel *channel) {
  SSL_free(channel->tls);
  channel->tls = NULL;
  server_close(&channel->watch);
  free(channel->in.data);
  free(channel->out.data);
  channel->in = channel->out = (struct buffer){0};
}

/* What the result of a call of OpenSSL means. True: it only waits. */
static bool only_waits(struct channel *channel, int result) {
  int error = SSL_get_error(channel->tls, result);
  ERR_clear_error();
  channel->blocked = error == SSL_ERROR_WANT_WRITE;
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
    return true;
  }
  channel->ended = true;
  channel->failed |= error != SSL_ERROR_ZERO_RETURN;
  return false;
}

static bool shake(struct channel *channel) {
  if (!channel->shaken) {
    ERR_clear_error();
    int result = SSL_accept(channel->tls);
    channel->blocked = false;
    channel->shaken = result == 1 || (only_waits(channel, result) && false);
  }
  return channel->shaken;
}

/* More than 0: bytes; 0: nothing more at present, or ever. */
static size_t receive(struct channel *channel, uint8_t *data, size_t size) {
  if (channel->tls != NULL) {
    ERR_clear_error();
    int length = SSL_read(channel->tls, data, (int)size);
    if (length > 0) {
      return (size_t)length;
    }
    (void)only_waits(channel, length);
    return 0;
  }
  ssize_t length = recv(channel->watch.fd, data, size, 0);
  if (length > 0) {
    return (size_t)length;
  }
  if (length == 0 || (errno != EAGAIN && errno != EINTR)) {
    channel->ended = true;
    channel->failed |= length < 0;
  }
  return 0;
}

void channel_read(struct channel *channel, uint32_t events, bool full) {
  uint8_t data[PIECE];
  size_t length;
  size_t round = 0;
  if (full && channel->shaken) {
    channel->failed |= (events & (uint32_t)EPOLLERR) != 0;
    if ((events & (uint32_t)EPOLLHUP) == 0) { /* else this is the rest, and bounded */
      return;
    }
  }
  if (channel->ended || channel->failed || !shake(channel)) {
    return;
  }
  /* What OpenSSL has read already makes no socket readable, so that it is read to its end. */
  while ((round < MOST_ROUND || (channel->tls != NULL && SSL_pending(channel->tls) > 0)) &&
         (length = receive(channel, data, sizeof data)) > 0) {
    round += length;
    if (!buffer_append(&channel->in, data, length)) {
      channel->failed = true;
      return;
    }
  }
}

/* How much of what waits may go out now. */
static size_t outgoing(const struct channel *channel) {
  size_t length = buffer_length(&channel->out);
  return channel->pace > 0 && length > channel->allowed ? channel->allowed : length;
}

static void gone_out(struct channel *channel, size_t length) {
  buffer_drop(&channel->out, length);
  channel->allowed -= channel->pace > 0 ? length : 0;
}

void channel_flush(struct channel *channel) {
  struct buffer *out = &channel->out;
  size_t length;
  while (!channel->failed && channel->shaken && (length = outgoing(channel)) > 0) {
    if (channel->tls != NULL) {
      ERR_clear_error();
      int sent =
          SSL_write(channel->tls, out->data + out->from, length > PIECE ? PIECE : (int)length);
      channel->blocked = false;
      if (sent <= 0) {
        channel->failed |= !only_waits(channel, sent);
        return;
      }
      gone_out(channel, (size_t)sent);
      continue;
    }
    ssize_t sent = send(channel->watch.fd, out->data + out->from, length, MSG_NOSIGNAL);
    if (sent < 0) {
      channel->failed |= errno != EAGAIN && errno != EINTR;
      return;
    }
    gone_out(channel, (size_t)sent);
  }
}

bool channel_is_flushed(const struct channel *channel) {
  return buffer_length(&channel->out) == 0;
}

bool channel_put(struct channel *channel, const void *data, size_t length) {
  if (!buffer_append(&channel->out, data, length)) {
    channel->failed = true;
  }
  return !channel->failed;
}

void channel_finish(struct channel *channel) {
  if (channel->tls != NULL && channel->shaken && !channel->failed) {
    ERR_clear_error();
    (void)SSL_shutdown(channel->tls);
    ERR_clear_error();
  }
  (void)shutdown(channel->watch.fd, SHUT_WR);
}

uint32_t channel_interest(const struct channel *channel, bool full) {
  bool writes = channel->blocked || (channel->shaken && outgoing(channel) > 0);
  return ((full && channel->shaken) || channel->ended ? 0U : (uint32_t)EPOLLIN) |
         (writes ? (uint32_t)EPOLLOUT : 0U);
}
