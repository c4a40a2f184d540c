/*
 * wspool_lws.h - the pool's transport and loop for production: libwebsockets 4.1 and OpenSSL.
 *
 * One struct wsp_lws is one loop for one pool in one thread. A service with N threads makes N of
 * each (example.c shows it). Either the loop is its own, wsp_lws_run(), or it lives in a libuv
 * loop of the program. In between, callbacks of the pool run, always in the loop's thread; they
 * may call the pool and everything here but wsp_lws_run() and wsp_lws_destroy().
 *
 *   struct wsp_lws *loop;
 *   wsp_lws_create(&(struct wsp_lws_options){0}, &loop);
 *   environment.transport = wsp_lws_transport();
 *   environment.transport_context = loop;
 *   wsp_pool_create(&config, &environment, wsp_lws_now(), &pool);
 *   wsp_lws_drive(loop, pool);
 *   wsp_lws_run(loop);
 *   wsp_lws_destroy(loop);
 *   wsp_pool_destroy(pool);
 *
 * TLS always verifies the chain, the dates and the name of the server; there is no switch for it.
 * What does not work is said in pool/lws/README.md.
 */
#ifndef POOL_LWS_WSPOOL_LWS_H
#define POOL_LWS_WSPOOL_LWS_H

#include "pool/wspool_transport.h"

#ifdef __cplusplus
extern "C" {
#endif

struct wsp_lws;

/* The inputs of the pool that the transport calls, see wspool_transport.h. */
struct wsp_lws_answers {
  struct wsp_conn (*dial_done)(struct wsp_dial dial, wsp_time now,
                               const struct wsp_dial_result *result);
  void (*write_done)(struct wsp_conn conn, wsp_time now, enum wsp_error error, const char *reason);
  void (*read_done)(struct wsp_conn conn, wsp_time now, enum wsp_error error, const char *reason,
                    const void *message, size_t length);
  void (*ping_done)(struct wsp_conn conn, wsp_time now, enum wsp_error error, const char *reason);
  void (*conn_message)(struct wsp_conn conn, wsp_time now, const void *message, size_t length);
  void (*conn_closed)(struct wsp_conn conn, wsp_time now, int code, const char *reason);
};

enum { WSP_LWS_ADDRESS_SIZE = 64 };

/* Zero-filled options ask for nothing special. All of it is copied. */
struct wsp_lws_options {
  /* Whom to trust: the certificates of a PEM file, of a PEM text, of both; neither: those of the
   * system. */
  const char *ca_file;
  const char *ca_pem;
  size_t ca_pem_length;

  size_t max_message_size; /* of what peers send, in bytes; 0: 16 MiB. A larger message closes its
                            * conn with code 1009 */
  size_t max_sockets;      /* that are open at once, each dial takes two; 0: 16384 */
  wsp_duration close_timeout; /* for the peer's part of a close, then the socket is cut; 0: 2 s */
  bool permessage_deflate;    /* offer compression */

  /* Says where to connect to for the host and the `*port` of an upstream or of a proxy, as curl's
   * --connect-to does: `address` gets an address in digits, `*port` may be changed. False: nothing
   * special, the name is looked up. TLS verifies the host of the url in any case. NULL: none. Must
   * not call the loop. */
  bool (*connect_to)(void *context, const char *host, int *port,
                     char address[WSP_LWS_ADDRESS_SIZE]);
  void *connect_context;

  /* For what stands between this transport and a pool, or for a pool that is not wspool: called in
   * place of the pool's inputs. Lives as long as the loop. NULL: the pool's. */
  const struct wsp_lws_answers *answers;

  void *uv_loop; /* a uv_loop_t of the program's to live in; NULL: a loop of its own. Needs the
                  * Debian package libwebsockets-evlib-uv */
};

/* Silences the log of libwebsockets, which is one for the process: call lws_set_log_level()
 * afterwards to hear it.
 * Codes: WSP_OK; WSP_INVALID_REQUEST: no certificate could be read from ca_file or ca_pem, or
 * libwebsockets refuses (no support for libuv); WSP_OUT_OF_MEMORY also for lack of descriptors. */
enum wsp_error wsp_lws_create(const struct wsp_lws_options *options, struct wsp_lws **lws);

/* Cuts all sockets; the pool is told nothing. Destroy the pool afterwards, not before: close it
 * and wait for its callback when its conns shall end in order. Of functions handed to
 * wsp_lws_post() that have not run none will. Not from a callback. For one that lives in a libuv
 * loop: wsp_lws_leave() first. NULL: nothing happens. */
void wsp_lws_destroy(struct wsp_lws *lws);

/* Cuts all sockets and begins to close what the libuv loop has of it. Its handles close while that
 * loop runs: let it run until they have (uv_loop_alive() is false where it had no others), then
 * call wsp_lws_destroy(). Not from a callback of the pool. */
void wsp_lws_leave(struct wsp_lws *lws);

/* The transport; its context is the struct wsp_lws. */
const struct wsp_transport *wsp_lws_transport(void);

/* The clock for all calls of the pool: monotonic, and it goes on while the machine is suspended, so
 * that what was idle meanwhile is pinged before it is lent. */
wsp_time wsp_lws_now(void);

/* From now on the loop advances `pool` whenever something is due. One pool a loop; NULL: none. */
void wsp_lws_drive(struct wsp_lws *lws, struct wsp_pool *pool);

/* To be called after calls to the pool that were not made from one of its callbacks or from a
 * posted function, so that the loop looks at the pool again. In the loop's thread. */
void wsp_lws_wake(struct wsp_lws *lws);

/* Runs until wsp_lws_stop(). Not for one that lives in a libuv loop. */
void wsp_lws_run(struct wsp_lws *lws);

/* Serves what is ready, or waits for it, until `until` at most; returns after the first that it has
 * served. Not in a libuv loop either. */
void wsp_lws_run_until(struct wsp_lws *lws, wsp_time until);

/* Ends wsp_lws_run(), also one that begins later. From any thread. */
void wsp_lws_stop(struct wsp_lws *lws);

/* Calls `function` in the loop's thread whenever `descriptor`, which stays the caller's, can be
 * read without waiting, until the loop is destroyed. For a program's own sockets, or for the
 * descriptor of another loop. Codes: WSP_OK, WSP_OUT_OF_MEMORY (also for lack of descriptors). */
enum wsp_error wsp_lws_watch(struct wsp_lws *lws, int descriptor, void (*function)(void *context),
                             void *context);

/* Runs `function` in the loop's thread, in the order of the calls; the pool is advanced afterwards.
 * From any thread. False: no memory, it will not run. */
bool wsp_lws_post(struct wsp_lws *lws, void (*function)(void *context), void *context);

#ifdef __cplusplus
}
#endif

#endif
