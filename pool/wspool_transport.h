/*
 * wspool_transport.h - what a transport owes the pool, and how it answers.
 *
 * The pool calls the functions of struct wsp_transport; the transport answers later through the
 * inputs below. "Later" is meant: a transport must not call an input from inside one of its
 * functions, not even with an answer that it already knows. Inputs change the pool's state and
 * queue completions; they never call back to users, nor do they deliver: call wsp_pool_advance()
 * afterwards.
 */
#ifndef POOL_WSPOOL_TRANSPORT_H
#define POOL_WSPOOL_TRANSPORT_H

#include "pool/wspool.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Names of the pool's for a dial, a conn and a write or read under way. Values, like leases. A
 * name that has ended is harmless to use. */
struct wsp_dial {
  struct wsp_pool *pool;
  uint32_t slot;
  uint32_t generation;
};

struct wsp_conn {
  struct wsp_pool *pool;
  uint32_t slot;
  uint32_t generation;
};

/* All pointers live during the call of dial(). */
struct wsp_dial_request {
  int64_t account;
  const char *url;
  const char *proxy; /* "": none */
  const struct wsp_header *headers;
  size_t header_count;
  bool prewarm; /* nobody waits for it */
};

struct wsp_transport {
  /* Starts a dial. `*dialing` is the transport's own name for it until wsp_dial_done().
   * Codes: WSP_OK: exactly one wsp_dial_done() will follow. WSP_OUT_OF_MEMORY or WSP_DIAL_FAILED:
   * it could not be started, no answer follows. */
  enum wsp_error (*dial)(void *context, struct wsp_dial dial,
                         const struct wsp_dial_request *request, void **dialing);
  /* The pool no longer wants it. wsp_dial_done() must still follow (WSP_CANCELED, or whatever
   * it has become by then). */
  void (*dial_cancel)(void *context, void *dialing);

  /* Sends one text message. At most one write is under way on a conn. `data` lives until
   * wsp_write_done(), or until close() is called. */
  enum wsp_error (*write)(void *context, void *conn, const char *data, size_t length);
  /* The borrower waits for a message. At most one read is under way on a conn. Answered by
   * wsp_read_done() (the answer to this call). When the peer speaks unasked meanwhile
   * (wsp_conn_message()), the pool serves the borrower with that and calls read_cancel(). */
  enum wsp_error (*read)(void *context, void *conn);
  /* Nobody waits any more: no wsp_read_done() may follow. A message that arrives anyway is told
   * with wsp_conn_message(). */
  void (*read_cancel)(void *context, void *conn);
  /* Sends a ping. At most one is under way on a conn. Answered by wsp_ping_done(). */
  enum wsp_error (*ping)(void *context, void *conn);
  /* Nobody waits any more: wsp_ping_done() must still follow, once. */
  void (*ping_cancel)(void *context, void *conn);
  /* Closes. Ends whatever is under way without answers of its own, and is confirmed by
   * wsp_conn_closed(), after which the transport may forget the conn. */
  void (*close)(void *context, void *conn);

  /* May be NULL: no transport metrics. */
  void (*metrics)(void *context, struct wsp_transport_metrics *metrics);
};

/* ---- Answers --------------------------------------------------------------------------- */

struct wsp_dial_result {
  enum wsp_error error; /* WSP_OK, WSP_DIAL_FAILED, WSP_CANCELED, WSP_OUT_OF_MEMORY */
  void *conn;           /* the transport's name for the conn; NULL with WSP_OK: "nil connection" */
  int status;           /* HTTP status of the answer, 0: none */
  const char *reason;   /* of a failure; NULL: none */
  const struct wsp_header *headers; /* of the answer, success or not */
  size_t header_count;
};

/* The dial has ended. Returns the pool's name for the new conn; a zero handle when there is none
 * or when the pool does not want it any more: the transport then drops it without another word.
 * All pointers of `result` are copied. */
struct wsp_conn wsp_dial_done(struct wsp_dial dial, wsp_time now,
                              const struct wsp_dial_result *result);

/* The write, read or ping under way on `conn` has ended: WSP_OK, WSP_CONN_CLOSED (the peer has
 * closed), or anything else: it failed, for `reason` (NULL: none). The message of a read is
 * copied. */
void wsp_write_done(struct wsp_conn conn, wsp_time now, enum wsp_error error, const char *reason);
void wsp_read_done(struct wsp_conn conn, wsp_time now, enum wsp_error error, const char *reason,
                   const void *message, size_t length);
void wsp_ping_done(struct wsp_conn conn, wsp_time now, enum wsp_error error, const char *reason);

/* The peer sent a message that is no answer to a read() call. */
void wsp_conn_message(struct wsp_conn conn, wsp_time now, const void *message, size_t length);

/* The conn is closed: by the peer, or because close() was called. The last word on `conn`.
 * `code`: the WebSocket close code, 0: none, 1006: without a close frame; `reason` may be NULL. */
void wsp_conn_closed(struct wsp_conn conn, wsp_time now, int code, const char *reason);

/* A conn that was established elsewhere. */
struct wsp_adoption {
  int64_t account;
  const char *id; /* required; must be new in the account */
  const char *url;
  const char *proxy;
  wsp_duration age;  /* since it was established, from 0 to WSP_DURATION_MAX */
  wsp_duration idle; /* since it was last used, likewise */
  void *conn;        /* the transport's name for it */
  const struct wsp_header *headers;
  size_t header_count;
};

/* Puts a ready conn into the pool, whatever the maximum. `*conn` is the pool's name for it.
 * Codes: WSP_OK, WSP_INVALID_REQUEST (account, id or conn missing, id taken, age or
 * idle out of range), WSP_URL_EMPTY,
 * WSP_POOL_CLOSED, WSP_OUT_OF_MEMORY. */
enum wsp_error wsp_adopt(struct wsp_pool *pool, wsp_time now, const struct wsp_adoption *adoption,
                         struct wsp_conn *conn);

/* The pool's id and account of a conn; "" and 0 when it has gone. The id lives as long as the
 * conn. */
const char *wsp_conn_id(struct wsp_conn conn);
int64_t wsp_conn_account(struct wsp_conn conn);

/* The transport's name for a conn of the pool; NULL when the account has no such conn. */
void *wsp_conn_transport(const struct wsp_pool *pool, int64_t account, const char *id);

#ifdef __cplusplus
}
#endif

#endif
