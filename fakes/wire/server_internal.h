/*
 * server_internal.h - the types of the servers, and what their parts call of each other.
 *
 *   server.c  listeners, the descriptors that are waited for, ends   peer.c   clients of upstreams
 *   socket.c  bytes over TCP and TLS                                  proxy.c  clients of proxies
 *   upgrade.c heads of requests                                       frame.c  frames
 *
 * libwebsockets is not used here: these servers shall also do what no good server does, and answer
 * when they are told to, which takes a codec of one's own.
 */
#ifndef FAKES_WIRE_SERVER_INTERNAL_H
#define FAKES_WIRE_SERVER_INTERNAL_H

#include <openssl/ssl.h>

#include "fakes/wire/frame.h"
#include "fakes/wire/server.h"
#include "fakes/wire/upgrade.h"

/* Something that is waited for. */
struct watch {
  void (*ready)(struct watch *watch, uint32_t events); /* of epoll */
  int fd;                                              /* -1: none any more */
  uint32_t interest;
};

struct buffer {
  uint8_t *data;
  size_t from, to, capacity; /* what is in it lies from `from` to `to` */
};

/* A socket with or without TLS, and what waits to be sent. */
struct channel {
  struct watch watch;
  SSL *tls;       /* NULL: none */
  bool shaken;    /* the handshake of TLS is over; true where there is none */
  bool blocked;   /* what TLS has to send waits for room */
  size_t pace;    /* bytes that may go out in a millisecond; 0: as many as go */
  size_t allowed; /* of them, in this one */
  bool ended;     /* nothing comes any more */
  bool failed;
  struct buffer in, out;
};

struct listener {
  struct watch watch;
  struct fake_server *server;
  struct listener *next;
  bool is_proxy;
  char *authority;   /* of the url: "HOST:PORT" or "HOST" */
  char *host;        /* that it stands for */
  int port, served;  /* that it stands for, and is on */
  int64_t rests;     /* no descriptor was left: until then nobody is accepted; 0: does not rest */
  SSL_CTX *tls;      /* NULL: plain */
  char *credentials; /* of a proxy, in base 64; NULL: none are asked for */
  enum fake_proxy_manner manner;
};

enum peer_state {
  PEER_ASKING,  /* its request has not come whole */
  PEER_WAITING, /* for the owner's answer */
  PEER_OPEN,
  PEER_LEAVING, /* all is said; its end is waited for a while */
  PEER_DEAD     /* its socket has gone; the owner will be told */
};

struct fake_peer {
  struct channel channel;
  struct fake_server *server;
  const struct listener *listener;
  struct fake_peer *previous, *next;
  enum peer_state state;
  bool told; /* the owner knows it */
  bool deaf;
  bool again; /* what has come already may be looked at again */
  bool close_sent, close_received;
  bool fin_sent;
  int close_code;    /* of the client's close frame */
  int64_t paced_at;  /* when the next millisecond of its pace begins */
  int64_t leaves_at; /* by the monotonic clock; 0: not leaving */
  char accept[FAKE_ACCEPT_SIZE];
  char ping[126];
  size_t ping_length;
  struct fake_frame_reader reader;
  void *context;
};

struct tunnel;

struct fake_server {
  const struct fake_server_events *events;
  void *context;
  int epoll;
  struct watch timer;
  int64_t wakes_at; /* when the timer runs out or has run out, unread; 0: it is not set */
  struct fake_authority *authority;
  struct listener *listeners;
  struct fake_peer *peers;
  struct tunnel *tunnels;
};

/* ---- server.c ----------------------------------------------------------------------------- */

/* Starts to wait for `events` of `watch->fd`, which becomes `ready`'s; 0 events: only for its end.
 * False: no memory. */
bool server_watch(struct fake_server *server, struct watch *watch, uint32_t events);
void server_rewatch(struct fake_server *server, struct watch *watch, uint32_t events);
/* Closes it. */
void server_close(struct watch *watch);
/* The next serve() looks at the peers, at `at` at the latest (0: at once). */
void server_wake_at(struct fake_server *server, int64_t at);
int64_t server_now(void);
/* The port that the `length` characters at `text` are, behind which no digit stands; 0: none. */
int server_read_port(const char *text, size_t length);
/* That of upstreams which stands for `host` and `port`; NULL: none. */
const struct listener *server_find(const struct fake_server *server, const char *host, int port,
                                   bool is_proxy);

/* `host` if it is what the listener stands for, else the authority of the listener's url. */
const char *server_authority(const struct listener *listener, const char *host);

/* ---- socket.c ----------------------------------------------------------------------------- */

void channel_deinit(struct channel *channel);
/* Carries on with TLS and reads all that is there, up to a limit for one round. `events` are those
 * of epoll; `full`: nothing is read, but a loss is seen. */
void channel_read(struct channel *channel, uint32_t events, bool full);
/* Sends what it can of what waits. */
void channel_flush(struct channel *channel);
bool channel_is_flushed(const struct channel *channel);
/* False: no memory, and the channel has failed. */
bool channel_put(struct channel *channel, const void *data, size_t length);
/* No more will be sent. */
void channel_finish(struct channel *channel);
/* What epoll shall wait for; `full`: not for what comes in. */
uint32_t channel_interest(const struct channel *channel, bool full);
bool buffer_append(struct buffer *buffer, const void *data, size_t length);
static inline size_t buffer_length(const struct buffer *buffer) {
  return buffer->to - buffer->from;
}
void buffer_drop(struct buffer *buffer, size_t length);

/* ---- peer.c, proxy.c ---------------------------------------------------------------------- */

/* Takes the socket, which a listener has accepted. */
void peer_create(const struct listener *listener, int fd);
void peer_destroy(struct fake_peer *peer);
/* What time has brought; returns when to look again, INT64_MAX: never. */
int64_t peer_look(struct fake_peer *peer, int64_t now);

void tunnel_create(const struct listener *listener, int fd);
void tunnels_tidy(struct fake_server *server); /* those that have ended */
void tunnels_destroy(struct fake_server *server);

#endif
