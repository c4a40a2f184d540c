/*
 * relay_internal.h - the relay's own types.
 *
 *   relay.c        its life, waiting for a crossing     relay_pool.c   the pool's side: transport
 *   relay_fakes.c  the fakes' side: servers
 */
#ifndef FAKES_WIRE_RELAY_INTERNAL_H
#define FAKES_WIRE_RELAY_INTERNAL_H

#include "fakes/wire/relay.h"
#include "fakes/wire/server.h"
#include "pool/lws/wspool_lws.h"

/* A dial and the conn that it becomes. Its address is its name in everybody's mouth. */
struct passage {
  struct fake_relay *relay;
  struct passage *previous, *next;

  /* The pool's. */
  struct wsp_dial dial;
  struct wsp_conn conn; /* zero: the pool does not have it yet, or has had the last word on it */
  int64_t account;
  bool adopting;
  bool abandoned; /* nobody asks for it any more, but a client may still name it */
  bool closing;   /* the pool has asked for its end */

  /* The client's: wspool_lws. */
  void *dialing, *client;
  bool dialed;                /* its dial has ended, as `seen` says */
  bool written, read, ponged; /* what was under way has ended */
  bool lost;                  /* it is closed */
  struct {
    enum wsp_error error;
    int status;
    int code;
    char *reason; /* of a refusal or a close; NULL: none */
    struct wsp_header *headers;
    size_t header_count;
  } seen;
  char *message; /* that came in last */
  size_t length;
  enum wsp_error read_error, pong_error;

  /* The fake's. */
  void *fake_dial, *fake;
  enum wsp_error called;  /* what the fake returned for the call that crossed last */
  struct fake_peer *peer; /* NULL: the server does not have it (any more) */
  bool requested, spoke, pinged, closed;
};

struct fake_relay {
  struct fake_relay_options options;
  struct fake_server *server;
  struct wsp_lws *client;
  struct passage *passages;
  bool has_news; /* a client has said what the pool may have to be told: else nobody is looked at */
  struct passage *arriving; /* whose request comes next; NULL: none is awaited */
  struct fake_relay_costs costs;
  char problem[256];
};

static inline struct passage *passage_of(const void *name) {
  return (struct passage *)(uintptr_t)name;
}

/* ---- relay.c ------------------------------------------------------------------------------ */

/* Serves the sockets until one of the two holds; `other` may be NULL. False: patience is at an end,
 * and `what` did not happen. */
bool relay_until(struct fake_relay *relay, const bool *one, const bool *other, const char *what);
struct passage *passage_create(struct fake_relay *relay);
/* Ends its socket too. While its client may still name it, it is only taken out of use. */
void passage_destroy(struct passage *passage);
wsp_time relay_now(const struct fake_relay *relay);

/* ---- relay_pool.c, relay_fakes.c ---------------------------------------------------------- */

extern const struct wsp_lws_answers relay_client_answers;
extern const struct fake_server_events relay_server_events;
extern const struct sim_pool_interface relay_as_pool;

/* The fakes did what no wire can carry. */
void relay_cannot(struct fake_relay *relay, const char *what);

/* Dials, and waits until the server has the request or the dial has failed. */
enum wsp_error passage_dial(struct passage *passage, const struct wsp_dial_request *request);
/* Closes the client's conn without a word to the pool, and waits for it. */
void passage_hang_up(struct passage *passage);
/* Tells the pool how the dial has ended, as the client saw it. */
void passage_tell_dialed(struct passage *passage, int status);

#endif
