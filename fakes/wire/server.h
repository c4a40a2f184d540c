/*
 * server.h - real servers on loopback: TCP, TLS, the upgrade to a WebSocket, frames, and proxies.
 *
 * It knows no behaviour. What a client does is told to the owner (struct fake_server_events), and
 * what the server does then is said by the owner: at once, later or never. All servers of a run
 * are one struct fake_server: one thread, no thread of its own, one descriptor to wait for.
 *
 *   fake_server_create(&events, context, &server);
 *   fake_server_listen(server, "wss://example.com/v1", FAKE_VALID, &port);
 *   for (;;) { wait until fake_server_descriptor(server) is readable; fake_server_serve(server); }
 *
 * Callbacks run inside fake_server_serve() alone. They may call everything here but _serve() and
 * _destroy().
 */
#ifndef FAKES_WIRE_SERVER_H
#define FAKES_WIRE_SERVER_H

#include "fakes/wire/certificates.h"
#include "pool/wspool.h"

struct fake_server;

/* A client's connection, from its request on. */
struct fake_peer;

/* What a client asks for. Lives during the call. */
struct fake_upgrade {
  const char *url; /* "wss://HOST[:PORT]/PATH?QUERY": the scheme of the listener, and the target as
                    * it was sent; HOST and PORT as the Host header has them, or, where those are
                    * not what the listener stands for (it was dialled by its address), as the url
                    * has them that is listened for */
  const struct wsp_header *headers; /* all of the request, names as they were sent */
  size_t header_count;
};

struct fake_server_events {
  /* A whole and valid request: to be answered by fake_peer_accept(), _refuse() or _cut(), now or
   * later. A request that is no upgrade is answered with 400 and not told. */
  void (*requested)(void *context, struct fake_peer *peer, const struct fake_upgrade *upgrade);
  /* A whole message, text or binary, its fragments joined; `data` is ended by NUL and lives during
   * the call. */
  void (*spoke)(void *context, struct fake_peer *peer, const char *data, size_t length);
  /* A ping; nothing answers it but fake_peer_pong(). */
  void (*pinged)(void *context, struct fake_peer *peer);
  /* The client's first close frame. `code` 0: it had none. fake_peer_send_close() answers it. */
  void (*closed)(void *context, struct fake_peer *peer, int code, const char *reason);
  /* The socket has ended, by either side. The last word on `peer`, once for each that was
   * requested, also when the owner cut it. */
  void (*gone)(void *context, struct fake_peer *peer);
};

/* `events` lives as long as the server. With an authority of its own. The process must ignore
 * SIGPIPE. Codes: WSP_OK, WSP_OUT_OF_MEMORY (also for lack of descriptors). */
enum wsp_error fake_server_create(const struct fake_server_events *events, void *context,
                                  struct fake_server **server);
/* Cuts all conns, tells nothing. NULL: nothing happens. */
void fake_server_destroy(struct fake_server *server);

/* The certificate that clients have to trust, as PEM; lives as long as the server. */
const char *fake_server_authority(const struct fake_server *server);

/* Readable when there is something to serve. Belongs to the server. */
int fake_server_descriptor(const struct fake_server *server);
/* Serves all that is ready, without waiting. */
void fake_server_serve(struct fake_server *server);

/* Serves the scheme, host and port of `url` (ws or wss) on a port of 127.0.0.1; again for the same
 * ones: nothing new. Codes: WSP_OK, WSP_INVALID_REQUEST (`url` is none), WSP_OUT_OF_MEMORY. */
enum wsp_error fake_server_listen(struct fake_server *server, const char *url,
                                  enum fake_validity certificate);

/* The same, but on that port of 127.0.0.1 (0: any that is free; `*served` is which), and with a
 * certificate that is valid for localhost and 127.0.0.1 as well: for clients that dial the port
 * itself. Also WSP_INVALID_REQUEST: somebody else has the port. */
enum wsp_error fake_server_listen_on(struct fake_server *server, const char *url, int port,
                                     int *served);

/* What a proxy does with a CONNECT. */
enum fake_proxy_manner { FAKE_PROXY_CONNECTS, FAKE_PROXY_REFUSES /* 502 */, FAKE_PROXY_STALLS };

/* Serves the proxy of `url` ("http://[USER:PASSWORD@]HOST:PORT") likewise: a CONNECT to the host
 * and port of one that is listened for is connected to it, one to any other is answered with 502.
 * Userinfo is required of clients when it is in `url` (else 407). */
enum wsp_error fake_server_listen_proxy(struct fake_server *server, const char *url,
                                        enum fake_proxy_manner manner);

/* The port of 127.0.0.1 that stands for `host` and `port`, of an upstream or a proxy; 0: none. */
int fake_server_port(const struct fake_server *server, const char *host, int port);

/* ---- A client's connection --------------------------------------------------------------- */

/* For the owner's use; NULL at first. */
void fake_peer_set_context(struct fake_peer *peer, void *context);
void *fake_peer_context(const struct fake_peer *peer);

/* Answers with 101 and these headers. Those of names or values that would break the answer are left
 * out. */
void fake_peer_accept(struct fake_peer *peer, const struct wsp_header *headers, size_t count);
/* Answers with `status` (its usual phrase), these headers, and `body` (text, may be NULL); then the
 * socket ends. */
void fake_peer_refuse(struct fake_peer *peer, int status, const struct wsp_header *headers,
                      size_t count, const char *body);

/* A text message, in one frame, or in frames of at most `fragment` bytes (0: one). */
void fake_peer_send(struct fake_peer *peer, const char *data, size_t length, size_t fragment);
/* Answers the last ping with its payload. */
void fake_peer_pong(struct fake_peer *peer);
/* Sends a close frame (`code` 0: that of the client's close frame, else without one; `reason` may
 * be NULL, at most 123 bytes are sent), or answers the client's, and ends the socket once all is
 * sent and the client has closed or has had a second for it. */
void fake_peer_send_close(struct fake_peer *peer, int code, const char *reason);
/* Ends the socket: with a TCP reset, or (`orderly`) with a FIN; what was not sent is lost. */
void fake_peer_cut(struct fake_peer *peer, bool orderly);
/* From now on at most `bytes` go out in a millisecond, whatever frames they belong to; 0: as many
 * as go. What is not out a second after a close is lost. */
void fake_peer_pace(struct fake_peer *peer, size_t bytes);
/* Stops reading what the client sends, or goes on. */
void fake_peer_deafen(struct fake_peer *peer, bool deaf);

#endif
