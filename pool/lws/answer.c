/*
 * answer.c - looks at the server's answer to a handshake, and reads it when it is a refusal.
 *
 * From the moment the handshake's request goes out until its answer is known, libwebsockets does
 * not read. A watcher on a duplicate of the socket looks at what comes, without taking it: an
 * answer with status 101 is left to libwebsockets, any other is read here to its end, because
 * libwebsockets would drop its body.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>

#include "pool/lws/internal.h"

enum { MOST_ANSWER = 64 * 1024, STATUS_END = 12 };
#define REFUSAL_BODY_TIME WSP_SECOND

/* Reads or only looks at what has come. 0: nothing yet; negative: it has ended. */
static int receive(const struct link *link, bool look, void *data, size_t size) {
  SSL *ssl = lws_get_ssl(link->wsi);
  if (ssl == NULL) {
    ssize_t length =
        recv(lws_get_socket_fd(link->wsi), data, size, MSG_DONTWAIT | (look ? MSG_PEEK : 0));
    return length > 0 ? (int)length : length < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
  }
  ERR_clear_error();
  int length = look ? SSL_peek(ssl, data, (int)size) : SSL_read(ssl, data, (int)size);
  int error = length > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl, length);
  ERR_clear_error();
  return length > 0                                                      ? length
         : error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0
                                                                         : -1;
}

/* Reads on in a refusal. */
static void read_refusal(struct link *link) {
  uint8_t data[4096];
  char ignored[REASON_SIZE];
  int length;
  bool too_long = false;
  while (!too_long && (length = receive(link, false, data, sizeof data)) > 0) {
    too_long = link->answer.length + (size_t)length > MOST_ANSWER ||
               !wsp_lws_append(&link->answer, data, (size_t)length);
  }
  size_t head_length = 0;
  enum reply_progress progress =
      link->answer.length == 0
          ? REPLY_INCOMPLETE
          : wsp_reply_parse(&link->reply, &link->answer, &head_length, ignored);
  if (progress == REPLY_INVALID) {
    wsp_dial_fail(link, ignored);
  } else if (too_long && progress == REPLY_INCOMPLETE) {
    wsp_dial_fail(link, "the head of the server's answer is too long");
  }
  if (too_long || length < 0 || progress == REPLY_INVALID ||
      (progress == REPLY_HEAD &&
       wsp_reply_body_complete(&link->reply, &link->answer, head_length))) {
    link->answer_complete = true;
    wsp_link_kill(link);
  } else if (progress == REPLY_HEAD && link->waits_in == NULL) {
    wsp_lws_wait(link, &link->lws->refusals, REFUSAL_BODY_TIME);
  }
}

bool wsp_dial_judge(struct link *link) {
  uint8_t data[16 * 1024];
  char reason[REASON_SIZE];
  int length = receive(link, true, data, sizeof data);
  if (length == 0) {
    return false;
  }
  struct bytes seen = {data, length > 0 ? (size_t)length : 0, sizeof data};
  link->connecting = false;
  if (length < 0) {
    link->hand_over = true;
    return true;
  }
  if (length >= STATUS_END && memcmp(data, "HTTP/1.1 101", STATUS_END) == 0) {
    size_t head_length;
    (void)wsp_reply_parse(&link->reply, &seen, &head_length, reason);
    link->hand_over = true;
  } else {
    link->taken_over = true;
    read_refusal(link);
  }
  return true;
}

int wsp_dial_watch(struct link *link) {
  if (link->wsi == NULL || link->answer_complete || link->hand_over) {
    return -1;
  }
  if (link->taken_over) {
    read_refusal(link);
  } else if (wsp_dial_judge(link)) {
    wsp_lws_due(link);
  }
  return link->answer_complete || link->hand_over ? -1 : 0;
}
