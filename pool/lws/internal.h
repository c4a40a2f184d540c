/*
 * internal.h - the types of the libwebsockets transport, and what its parts call of each other.
 *
 *   loop.c     create, destroy, run; the turn that carries everything on
 *   dial.c     from a request to an open conn or a refusal     address.c  reads URLs
 *   answer.c   looks at and reads the server's answer          resolve.c  names to addresses
 *   reply.c    what an answer says
 *   conn.c     open conns: messages, pings, closes             clients.c  one client per proxy
 *   trust.c    whose certificates are believed
 *
 * Two rules keep callbacks in order. The pool is told something only from libwebsockets' callbacks
 * and from the turn, never from inside a call of the pool; what is known sooner waits in `due`. And
 * the pool is advanced by the turn alone, so users' callbacks run there.
 */
#ifndef POOL_LWS_INTERNAL_H
#define POOL_LWS_INTERNAL_H

#include <libwebsockets.h>
#include <netinet/in.h>
#include <pthread.h>

#include "pool/lws/wspool_lws.h"

enum { ADDRESS_SIZE = WSP_LWS_ADDRESS_SIZE, ADDRESS_COUNT = 8, REASON_SIZE = 256 };

/* What a URL says. */
struct address {
  bool tls;
  char *host; /* without brackets */
  char *host_header;
  char *path;     /* with the query, from "/" */
  char *userinfo; /* as in the URL, or NULL */
  int port;
};

/* Growing bytes. */
struct bytes {
  uint8_t *data;
  size_t length, capacity;
};

/* The answer to a handshake. Names and values lie in `head`. */
struct reply {
  int status; /* 0: not known yet */
  struct wsp_header *headers;
  size_t header_count;
  char *head;
  const char *phrase;
};

enum link_state {
  LINK_NEW,        /* a dial that the turn will start */
  LINK_RESOLVING,  /* its name is looked up */
  LINK_CONNECTING, /* TCP, proxy, TLS, until the handshake's request goes out */
  LINK_AWAITING,   /* for the server's answer */
  LINK_OPEN,
  LINK_CLOSING, /* asked for: the pool awaits wsp_conn_closed() */
  LINK_LEFT     /* the pool knows that it has ended; only the socket is left */
};

/* Links that wait for the same length of time, in order of their ends. */
struct waiting {
  struct link *first, *last;
};

/* A dial, and the conn that it becomes. */
struct link {
  struct wsp_lws *lws;
  enum link_state state;
  struct lws *wsi; /* NULL: none yet, or gone */
  struct link *previous, *next;

  struct link *next_due;
  bool is_due;

  struct waiting *waits_in; /* NULL: in none */
  struct link *waits_previous, *waits_next;
  wsp_time waits_until;

  /* While it is a dial. */
  struct wsp_dial dial;
  bool canceled;
  struct address address;
  struct wsp_header *headers; /* the request's */
  size_t header_count;
  char *proxy; /* NULL: none */
  struct client *client;
  struct resolution *resolution;
  char addresses[ADDRESS_COUNT][ADDRESS_SIZE];
  size_t address_count, address_next;
  int port;        /* of the addresses */
  bool starting;   /* inside lws_client_connect_via_info() */
  bool connecting; /* no byte has come from the server yet */
  bool failed;
  char reason[REASON_SIZE];
  struct reply reply;
  struct bytes answer; /* what has been seen of it */
  struct lws *watcher; /* looks at the socket in place of libwebsockets until the answer is known */
  bool restless;       /* ... and that one has to be told that it need not write either */
  bool taken_over;     /* it is a refusal, and its bytes are ours */
  bool hand_over;      /* libwebsockets shall go on with it */
  bool answer_complete; /* of a refusal */

  /* While it is a conn. */
  struct wsp_conn conn;
  struct bytes message; /* that is coming in */
  size_t unread;        /* bytes that came in unasked for since the last read */
  bool reading, paused;
  uint8_t *write_data; /* LWS_PRE bytes, then the text; NULL: nothing to send */
  size_t write_length;
  bool writing, written; /* `written`: libwebsockets has all of it */
  bool ping_wanted, pinging, ping_canceled;
  uint64_t ping_number;
  bool close_sent;
  int close_code;
};

struct posted {
  struct posted *next;
  void (*function)(void *context);
  void *context;
};

/* A descriptor of the program's. */
struct watched {
  struct watched *next;
  void (*function)(void *context);
  void *context;
};

struct resolver;

struct wsp_lws {
  struct wsp_lws_options options;
  const struct wsp_lws_answers *answers;
  struct ssl_ctx_st *tls;
  struct lws_context *context;
  struct client *direct;                 /* for dials without a proxy */
  struct client *clients, *clients_last; /* for proxies, least recently used first */
  struct client *dropped;                /* that the turn will destroy */
  size_t client_count;
  int64_t client_hits, client_misses;
  struct lws_protocols protocols[5];
  struct wsp_pool *pool;
  struct watched *watched;
  struct link *links;
  struct link *due, *due_last;
  struct waiting resolving, closing, refusals;
  struct resolver *resolver;
  int timer, wakeup; /* a timerfd and an eventfd */
  wsp_time timer_at;
  wsp_time next; /* when the next turn is due by itself */
  bool in_turn, turn_wanted, destroying;
  uint64_t next_ping;

  pthread_mutex_t mutex; /* guards the following */
  struct posted *posted, *posted_last;
  bool stopped;
};

/* loop.c */
/* The turn shall look at `link`. */
void wsp_lws_due(struct link *link);
/* A turn is needed after this callback. */
void wsp_lws_want_turn(struct wsp_lws *lws);
void wsp_lws_notify(struct wsp_lws *lws); /* from any thread */
void wsp_lws_wait(struct link *link, struct waiting *in, wsp_duration time);
void wsp_lws_wait_no_more(struct link *link);
bool wsp_lws_append(struct bytes *bytes, const void *data, size_t length);

/* address.c */
/* Reads `text`, a URL of ws or wss, or of http or https for a proxy. False: it is none, and
 * `reason` says why. */
bool wsp_address_parse(struct address *address, const char *text, bool proxy,
                       char reason[REASON_SIZE]);
void wsp_address_deinit(struct address *address);

/* reply.c */
/* What the bytes of `answer` are so far. */
enum reply_progress { REPLY_INCOMPLETE, REPLY_HEAD, REPLY_INVALID };
/* Reads the head, once it is all there, into `reply`. `*head_length`: its length. */
enum reply_progress wsp_reply_parse(struct reply *reply, const struct bytes *answer,
                                    size_t *head_length, char reason[REASON_SIZE]);
const char *wsp_reply_header(const struct reply *reply, const char *name); /* NULL: none */
/* Whether the body behind `head_length` is all there. A body without a length ends with the conn.
 */
bool wsp_reply_body_complete(const struct reply *reply, const struct bytes *answer,
                             size_t head_length);
/* The body as text, trimmed, at most `size` - 1 bytes; the phrase when there is none. */
void wsp_reply_text(const struct reply *reply, const struct bytes *answer, size_t head_length,
                    char *text, size_t size);
void wsp_reply_deinit(struct reply *reply);

/* resolve.c */
/* Looks up the name of a link in a thread of its own; the link becomes due. False: no memory. */
bool wsp_resolve(struct link *link, const char *host);
void wsp_resolve_forget(struct link *link); /* nobody waits for it any more */
/* Takes the answer, if it is there. */
bool wsp_resolve_take(struct link *link);
void wsp_resolver_destroy(struct resolver *resolver);
/* Whether `host` is an address already, which is then the only one of the link. */
bool wsp_resolve_literal(struct link *link, const char *host);

/* clients.c */
/* The client for a proxy (NULL: none needed), made when there is none. The link holds it then.
 * False: it cannot be made, the link's reason says why. */
bool wsp_client_hold(struct link *link, const char *proxy_host);
void wsp_client_drop(struct link *link);
/* A client that is there already, so that no name has to be looked up. */
bool wsp_client_find(struct link *link);
/* The next dial shall look up its name again. */
void wsp_client_forget(struct wsp_lws *lws, struct client *client);
struct lws_vhost *wsp_client_vhost(const struct client *client);
/* Lets those go that nobody has used for long, and those that were dropped. Returns when to come
 * back. */
wsp_time wsp_clients_tidy(struct wsp_lws *lws, wsp_time now);
bool wsp_clients_init(struct wsp_lws *lws);
void wsp_clients_deinit(struct wsp_lws *lws);

/* trust.c */
enum wsp_error wsp_trust_load(struct wsp_lws *lws, const struct wsp_lws_options *options);
void wsp_trust_free(struct wsp_lws *lws);

/* dial.c */
enum wsp_error wsp_lws_dial(void *context, struct wsp_dial dial,
                            const struct wsp_dial_request *request, void **dialing);
void wsp_lws_dial_cancel(void *context, void *dialing);
void wsp_dial_carry_on(struct link *link, wsp_time now);
int wsp_dial_callback(struct link *link, struct lws *wsi, enum lws_callback_reasons what, void *in,
                      size_t length);
void wsp_dial_fail(struct link *link, const char *reason); /* the first reason stays */
void wsp_link_free(struct link *link);
void wsp_link_kill(struct link *link); /* its socket ends with the next service */

/* answer.c */
/* Something may be read where the answer is awaited. Non-zero: the watcher shall go. */
int wsp_dial_watch(struct link *link);
/* Looks whose answer it is. False: too little has come to tell. */
bool wsp_dial_judge(struct link *link);

/* conn.c */
enum wsp_error wsp_lws_write(void *context, void *conn, const char *data, size_t length);
enum wsp_error wsp_lws_read(void *context, void *conn);
void wsp_lws_read_cancel(void *context, void *conn);
enum wsp_error wsp_lws_ping(void *context, void *conn);
void wsp_lws_ping_cancel(void *context, void *conn);
void wsp_lws_close(void *context, void *conn);
void wsp_conn_carry_on(struct link *link, wsp_time now);
int wsp_conn_callback(struct link *link, struct lws *wsi, enum lws_callback_reasons what, void *in,
                      size_t length);
void wsp_conn_drop(struct link *link); /* the pool does not want it any more, or it is cut */

#endif
