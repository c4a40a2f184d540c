/*
 * wire_fixture.h - servers on loopback that follow a script to the byte, good or bad, each conn in
 * a thread; and a pool on libwebsockets that dials them.
 */
#ifndef TESTS_WIRE_FIXTURE_H
#define TESTS_WIRE_FIXTURE_H

#include <stdatomic.h>

#include "fakes/wire/certificates.h"
#include "pool/lws/wspool_lws.h"

/* ---- Servers ---------------------------------------------------------------------------- */

struct wire_server;
struct wire_peer;

/* What is done with each conn; when it returns, the conn is closed. */
typedef void (*wire_script)(struct wire_peer *peer, void *context);

enum {
  WIRE_TEXT = 0x81,
  WIRE_BINARY = 0x82,
  WIRE_CLOSE = 0x88,
  WIRE_PING = 0x89,
  WIRE_PONG = 0x8a
};

/* Aborts when it cannot be started. `identity`: for TLS; NULL: none. */
struct wire_server *wire_start(const struct fake_identity *identity, wire_script script,
                               void *context);
/* Ends all its conns. */
void wire_stop(struct wire_server *server);
/* "wss://localhost:PORT/path", lives as long as the server. */
const char *wire_url(const struct wire_server *server);
int wire_port(const struct wire_server *server);
/* How many conns have been accepted; how many scripts have ended. */
int wire_accepted(struct wire_server *server);

/* The request's head; "" when it did not come whole. Lives as long as the peer. */
const char *wire_request(struct wire_peer *peer);
/* The value of a header of the request, into `value`; "": none. */
void wire_header(struct wire_peer *peer, const char *name, char *value, size_t size);
/* Answers the request: 101 with the right key and these lines, each ended by \r\n. */
void wire_accept(struct wire_peer *peer, const char *lines);
void wire_send(struct wire_peer *peer, const void *data, size_t length);
void wire_send_text(struct wire_peer *peer, const char *text); /* as it is, no frame */
/* One frame; `first` is its first byte. */
void wire_send_frame(struct wire_peer *peer, int first, const void *payload, size_t length);
/* The next frame of the client, its payload unmasked and NUL-terminated. Its first byte, -1 at the
 * end. `payload` lives until the next call. */
int wire_read_frame(struct wire_peer *peer, const char **payload, size_t *length);
/* Waits until the client has closed. */
void wire_wait(struct wire_peer *peer);
/* Ends with a TCP reset. */
void wire_reset(struct wire_peer *peer);
void wire_pause(int milliseconds);
/* How many descriptors the process has open. */
int wire_descriptors(void);

/* ---- The pool --------------------------------------------------------------------------- */

struct wire_call {
  bool done;
  enum wsp_error error;
  char text[512];
  int status;
  char header[64]; /* "x-test" of a failed dial */
  struct wsp_lease lease;
  char *message; /* of a read */
  size_t length;
};

struct wire_rig {
  struct fake_authority *authority;
  struct fake_identity identity; /* of localhost */
  struct wsp_lws *lws;
  struct wsp_pool *pool;
  char evicted[512]; /* text of the last conn_closed */
  int closed_code;
  int closes;
};

/* Trusts its own authority; `options` may be NULL. Aborts when it cannot be made. */
struct wire_rig *wire_rig_create(const struct wsp_lws_options *options);
/* The same, but it trusts the certificate `authority`, a PEM text. */
struct wire_rig *wire_rig_create_trusting(const char *authority,
                                          const struct wsp_lws_options *options);
void wire_rig_destroy(struct wire_rig *rig);

/* Runs the loop until `*done`, a minute at most. False: not done. */
bool wire_until(struct wire_rig *rig, const bool *done);
bool wire_until_closes(struct wire_rig *rig, int closes);
/* Each begins an operation and waits for its end. The result lives until the next call of the same
 * rig; `call.message` until wire_call_deinit(). */
/* Only begins; `call` has to live until its end. */
enum wsp_error wire_begin_acquire(struct wire_rig *rig, const char *url, struct wire_call *call,
                                  struct wsp_op *op);
struct wire_call wire_acquire(struct wire_rig *rig, const char *url);
struct wire_call wire_acquire_with(struct wire_rig *rig, const struct wsp_acquire_request *request);
struct wire_call wire_read(struct wire_rig *rig, struct wsp_lease lease, wsp_duration timeout);
struct wire_call wire_write(struct wire_rig *rig, struct wsp_lease lease, const char *json);
struct wire_call wire_ping(struct wire_rig *rig, struct wsp_lease lease, wsp_duration timeout);
void wire_call_deinit(struct wire_call *call);

#endif
