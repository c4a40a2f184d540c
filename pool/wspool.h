/*
 * wspool.h - a pool of outgoing WebSocket connections, kept per upstream account.
 *
 * The pool knows no socket, no clock and no thread. Its environment is given to it
 * (struct wsp_environment): a transport that dials, writes, reads, pings and closes, a source
 * of random bits, an allocator and an optional observer of the timeline. Time is an argument:
 * every call takes `now`, in nanoseconds on the caller's monotonic clock. A `now` that lies
 * before an earlier one is taken for the earlier one; time never runs backwards in here.
 *
 * Driving it: after any call, ask wsp_pool_next_deadline() and call wsp_pool_advance() at that
 * time at the latest. Only advance runs callbacks. No other function of this file or of
 * wspool_transport.h calls back to the caller of an operation, so none can be re-entered;
 * a callback may call anything but wsp_pool_advance() and wsp_pool_destroy().
 *
 * Rules that hold for every function here:
 *  - A NULL pool, a zero handle, a handle of something that has ended: harmless. Getters give
 *    zero values, operations end with WSP_CONN_CLOSED (wsp_acquire: WSP_POOL_CLOSED).
 *  - Strings that come in are copied when they are needed beyond the call.
 *  - One pool is used by one thread at a time.
 *
 * What this header does not do: sockets (wspool_transport.h says what a transport owes the
 * pool), and the names of the events it tells an observer (wspool_trace.h).
 */
#ifndef POOL_WSPOOL_H
#define POOL_WSPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Nanoseconds on the caller's monotonic clock, and lengths of time. */
typedef int64_t wsp_time;
typedef int64_t wsp_duration;

#define WSP_TIME_NEVER INT64_MAX
#define WSP_MICROSECOND INT64_C(1000)
#define WSP_MILLISECOND INT64_C(1000000)
#define WSP_SECOND INT64_C(1000000000)
#define WSP_MINUTE (60 * WSP_SECOND)

/* The longest duration, and the largest count, that a configuration can ask for (73 years, 2^31):
 * larger values are cut to it. An adopted conn is not older. */
#define WSP_DURATION_MAX (73 * 365 * 24 * 60 * WSP_MINUTE)
#define WSP_COUNT_MAX (INT64_C(1) << 31)

/* An exact decimal in billionths: 0.7 is 700000000. */
typedef int64_t wsp_decimal;
#define WSP_DECIMAL_ONE INT64_C(1000000000)

/* ---- Errors ---------------------------------------------------------------------------- */

/* X(enumerator, name outside of C, text) */
#define WSP_ERROR_LIST(X)                                                                   \
  X(WSP_OK, "ok", "")                                                                       \
  X(WSP_CONN_CLOSED, "conn_closed", "connection closed")                                    \
  X(WSP_QUEUE_FULL, "queue_full", "connection queue full")                                  \
  X(WSP_PREFERRED_UNAVAILABLE, "preferred_unavailable", "preferred connection unavailable") \
  X(WSP_INVALID_REQUEST, "invalid_request", "invalid request")                              \
  X(WSP_URL_EMPTY, "url_empty", "ws url is empty")                                          \
  X(WSP_DIAL_FAILED, "dial_failed", "dial failed")                                          \
  X(WSP_PING_FAILED, "ping_failed", "ping failed")                                          \
  X(WSP_IO_FAILED, "io_failed", "i/o failed")                                               \
  X(WSP_CANCELED, "canceled", "canceled")                                                   \
  X(WSP_DEADLINE_EXCEEDED, "deadline_exceeded", "deadline exceeded")                        \
  X(WSP_POOL_CLOSED, "pool_closed", "pool closed")                                          \
  X(WSP_OUT_OF_MEMORY, "out_of_memory", "out of memory")                                    \
  X(WSP_WOULD_WAIT, "would_wait", "no connection can be lent at once")

enum wsp_error {
#define WSP_ENUMERATOR(id, name, text) id,
  WSP_ERROR_LIST(WSP_ENUMERATOR)
#undef WSP_ENUMERATOR
};

/* The name ("dial_failed") and the text ("dial failed") of an error; both live for ever. */
const char *wsp_error_name(enum wsp_error error);
const char *wsp_error_text(enum wsp_error error);

/* ---- Configuration --------------------------------------------------------------------- */

/* Every key, its C type and its default. X(type, name, default). What a value outside the
 * sensible range means is said in pool/README.md; wsp_config_normalize() applies it. */
#define WSP_CONFIG_LIST(X)                                         \
  X(int64_t, max_conns_per_account, 8)                             \
  X(int64_t, min_idle_per_account, 0)                              \
  X(int64_t, max_idle_per_account, 4)                              \
  X(int64_t, queue_limit_per_conn, 256)                            \
  X(wsp_decimal, pool_target_utilization, INT64_C(700000000))      \
  X(wsp_duration, prewarm_cooldown, 0)                             \
  X(wsp_duration, dial_timeout, 10 * WSP_SECOND)                   \
  X(bool, dynamic_max_conns_by_account_concurrency_enabled, false) \
  X(wsp_decimal, oauth_max_conns_factor, WSP_DECIMAL_ONE)          \
  X(wsp_decimal, apikey_max_conns_factor, WSP_DECIMAL_ONE)         \
  X(bool, mode_router_v2_enabled, false)                           \
  X(wsp_duration, max_conn_age, 60 * WSP_MINUTE)                   \
  X(wsp_duration, max_conn_age_jitter, 0)                          \
  X(wsp_duration, retire_before_max_age, 0)                        \
  X(wsp_duration, health_check_idle, 90 * WSP_SECOND)              \
  X(wsp_duration, health_check_timeout, 2 * WSP_SECOND)            \
  X(wsp_duration, probe_timeout, 2 * WSP_SECOND)                   \
  X(wsp_duration, prewarm_extra_delay, 2 * WSP_SECOND)             \
  X(wsp_duration, acquire_cleanup_interval, 3 * WSP_SECOND)        \
  X(wsp_duration, ping_interval, 30 * WSP_SECOND)                  \
  X(wsp_duration, cleanup_interval, 30 * WSP_SECOND)               \
  X(int64_t, ping_concurrency, 10)                                 \
  X(int64_t, max_connecting, 0)                                    \
  X(wsp_duration, prewarm_failure_window, 30 * WSP_SECOND)         \
  X(int64_t, prewarm_failure_suppress, 2)

struct wsp_config {
#define WSP_MEMBER(type, name, value) type name;
  WSP_CONFIG_LIST(WSP_MEMBER)
#undef WSP_MEMBER
};

/* Fills `config` with the defaults. A zero-filled configuration is valid too: it is what an
 * empty configuration object means in the Go original (above all max_idle_per_account = 0). */
void wsp_config_init(struct wsp_config *config);

/* Replaces each value that stands for a default by that default. Idempotent. */
void wsp_config_normalize(struct wsp_config *config);

/* One inconsistency of a configuration after the other: calls `report` with a sentence for
 * each (it lives during that call). Nothing here is an error: such values are clamped. */
void wsp_config_warn(const struct wsp_config *config,
                     void (*report)(void *context, const char *key, const char *sentence),
                     void *context);

/* ---- Accounts -------------------------------------------------------------------------- */

enum wsp_account_type { WSP_ACCOUNT_API_KEY, WSP_ACCOUNT_OAUTH };

struct wsp_account {
  int64_t id; /* > 0 */
  enum wsp_account_type type;
  int64_t concurrency; /* 0 or less: unlimited */
};

/* The most conns that an account may have. `account` may be NULL: the hard cap. */
int64_t wsp_effective_max_conns(const struct wsp_config *config, const struct wsp_account *account);

/* ---- The pool -------------------------------------------------------------------------- */

struct wsp_pool;
struct wsp_event;             /* wspool_trace.h */
struct wsp_transport;         /* wspool_transport.h */
struct wsp_transport_metrics; /* below */

/* What the pool is given. Copied by wsp_pool_create(); what the pointers name must outlive the
 * pool. Only `transport` is required. */
struct wsp_environment {
  const struct wsp_transport *transport;
  void *transport_context;

  /* Uniform random bits, for the jitter of age limits. NULL: a fixed sequence. */
  uint64_t (*random_bits)(void *context);
  void *random_context;

  /* NULL: malloc and free. `release` is told the size that was asked for. */
  void *(*allocate)(void *context, size_t size);
  void (*release)(void *context, void *memory, size_t size);
  void *allocator_context;

  /* Sees each event of the timeline as it happens. It must not call the pool, except for the
   * const getters. NULL: nobody looks. */
  void (*trace)(void *context, const struct wsp_event *event);
  void *trace_context;

  /* A clock that only measures how long pick decisions take (conn_pick). It decides nothing.
   * NULL: they take no time, which is the truth where time is an argument. */
  wsp_time (*pick_clock)(void *context);
  void *pick_clock_context;
};

/* Makes a pool whose background sweeps are due one interval after `now`.
 * Codes: WSP_OK, WSP_INVALID_REQUEST (no transport, or a part of it is missing),
 * WSP_OUT_OF_MEMORY. */
enum wsp_error wsp_pool_create(const struct wsp_config *config,
                               const struct wsp_environment *environment, wsp_time now,
                               struct wsp_pool **pool);

/* Frees everything without a word to the transport or to pending callbacks: close first and
 * wait for its callback when that matters. */
void wsp_pool_destroy(struct wsp_pool *pool);

/* When wsp_pool_advance() must be called at the latest; a time in the past when completions
 * wait for delivery, WSP_TIME_NEVER when there is nothing to do. */
wsp_time wsp_pool_next_deadline(const struct wsp_pool *pool);

/* The same without the background sweeps: WSP_TIME_NEVER says that only they keep time going. */
wsp_time wsp_pool_next_operation_deadline(const struct wsp_pool *pool);

/* Does what is due at `now` and delivers all completions, until nothing is left to do. */
void wsp_pool_advance(struct wsp_pool *pool, wsp_time now);

/* No new acquires; those that wait, dial or ping end with WSP_POOL_CLOSED; idle conns close;
 * leased ones stay usable and close at release. `callback` (may be NULL) runs from advance when
 * the transport has confirmed every cancel and close. Calling again is harmless.
 * Codes: WSP_OK; WSP_POOL_CLOSED for a NULL pool and WSP_OUT_OF_MEMORY: the callback will not
 * run (the pool, if there is one, closes all the same). */
enum wsp_error wsp_pool_close(struct wsp_pool *pool, wsp_time now, void (*callback)(void *context),
                              void *context);

/* ---- Handles --------------------------------------------------------------------------- */

/* The exclusive right to use a conn until wsp_lease_release(). */
struct wsp_lease {
  struct wsp_pool *pool;
  uint32_t slot;
  uint32_t generation; /* never 0 in a valid handle */
};

/* A pending acquire, write, read or ping. */
struct wsp_op {
  struct wsp_pool *pool;
  uint32_t slot;
  uint32_t generation;
};

struct wsp_header {
  const char *name;
  const char *value;
};

/* ---- Acquire --------------------------------------------------------------------------- */

/* A zero-filled request asks for nothing special; account and url are required. */
struct wsp_acquire_request {
  struct wsp_account account;
  const char *url;
  const char *proxy;          /* NULL or blank: none */
  const char *preferred_conn; /* NULL or blank: none */
  const struct wsp_header *headers;
  size_t header_count;
  bool force_new_conn;
  bool force_preferred_conn;
  bool canceled;     /* the caller had cancelled before it asked */
  wsp_time deadline; /* 0: none */
  uint64_t tag;      /* the caller's mark for this acquire in the timeline; 0: none */
};

/* All pointers live during the callback. */
struct wsp_acquire_result {
  enum wsp_error error;
  const char *error_text; /* "" on success; else e.g. "dial failed: status=503: busy" */
  struct wsp_lease lease; /* zero unless error is WSP_OK */
  bool reused;
  wsp_duration queue_wait; /* also for acquires that failed */
  wsp_duration conn_pick;
  /* Of a failed dial, readable on their own: */
  int status;        /* HTTP status, 0: none */
  const char *cause; /* "": none */
  const struct wsp_header *headers;
  size_t header_count;
};

typedef void (*wsp_acquire_callback)(void *context, const struct wsp_acquire_result *result);

/* Starts an acquire; its callback runs from advance, exactly once. `op` (may be NULL) receives
 * the handle for wsp_op_cancel().
 * Codes: WSP_OK (the callback will run), WSP_POOL_CLOSED for a NULL pool and WSP_OUT_OF_MEMORY
 * (it will not). All that is wrong with the request comes through the callback. */
enum wsp_error wsp_acquire(struct wsp_pool *pool, wsp_time now,
                           const struct wsp_acquire_request *request, wsp_acquire_callback callback,
                           void *context, struct wsp_op *op);

/* Takes an idle conn at once, or says why not. WSP_WOULD_WAIT: wsp_acquire() would dial, ping
 * or queue; nothing was counted then and nothing has changed. Other failures count like those of
 * wsp_acquire(). */
enum wsp_error wsp_try_acquire(struct wsp_pool *pool, wsp_time now,
                               const struct wsp_acquire_request *request, struct wsp_lease *lease);

/* Cancels a pending operation; one that has been delivered is left alone. The cancel beats a
 * success that has not been delivered yet. */
void wsp_op_cancel(struct wsp_op op, wsp_time now);

/* ---- Leases ---------------------------------------------------------------------------- */

/* Gives the conn back. Idempotent. Pending operations of the lease end with WSP_CONN_CLOSED; a
 * pending read or write, or a message nobody read, closes the conn instead of lending it again. */
void wsp_lease_release(struct wsp_lease lease, wsp_time now);

/* Evicts and closes the conn. After release: nothing. */
void wsp_lease_mark_broken(struct wsp_lease lease, wsp_time now);

bool wsp_lease_valid(struct wsp_lease lease);
const char *wsp_lease_conn_id(struct wsp_lease lease); /* "": none; lives as long as the conn */
wsp_duration wsp_lease_queue_wait(struct wsp_lease lease);
wsp_duration wsp_lease_conn_pick(struct wsp_lease lease);
bool wsp_lease_reused(struct wsp_lease lease);
bool wsp_lease_is_prewarmed(struct wsp_lease lease);
void wsp_lease_mark_prewarmed(struct wsp_lease lease, wsp_time now);

/* The value of a handshake response header, trimmed; `name` is trimmed and its case does not
 * matter. "": none. Lives as long as the conn. */
const char *wsp_lease_handshake_header(struct wsp_lease lease, const char *name);

/* All pointers live during the callback. */
struct wsp_io_result {
  enum wsp_error error;
  const char *error_text; /* "" on success; else e.g. "i/o failed: reset" */
  const void *message;    /* of a read; NUL-terminated behind its length */
  size_t message_length;
};

typedef void (*wsp_io_callback)(void *context, const struct wsp_io_result *result);

struct wsp_io_request {
  struct wsp_lease lease;
  wsp_duration timeout; /* <= 0: none; for pings: health_check_timeout */
  const char *json;     /* of a write; NULL is "{}" */
  bool canceled;        /* the caller had cancelled before it asked */
  uint64_t tag;
  wsp_io_callback callback;
  void *context;
};

/* Start an operation on a lease; the callback runs from advance, exactly once. Reads are served
 * in order, writes are sent in order; neither delays the other, nor a ping. A failed, cancelled
 * or late write closes the conn; so does a failed read, but not one that was cancelled or late.
 * Codes: WSP_OK (the callback will run), WSP_CONN_CLOSED (zero handle, it will not),
 * WSP_OUT_OF_MEMORY (it will not). */
enum wsp_error wsp_lease_write_json(const struct wsp_io_request *request, wsp_time now,
                                    struct wsp_op *op);
enum wsp_error wsp_lease_read(const struct wsp_io_request *request, wsp_time now,
                              struct wsp_op *op);
enum wsp_error wsp_lease_ping(const struct wsp_io_request *request, wsp_time now,
                              struct wsp_op *op);

/* ---- Accounts and conns by name -------------------------------------------------------- */

/* Counts a reference to a conn that trimming, rotation and eviction for room then spare. False
 * for an account id <= 0, a blank or unknown conn. Unpin is always safe. */
bool wsp_pin(struct wsp_pool *pool, wsp_time now, int64_t account, const char *conn);
void wsp_unpin(struct wsp_pool *pool, wsp_time now, int64_t account, const char *conn);

/* Closes a conn by name, leased or not. False when there is none. */
bool wsp_evict(struct wsp_pool *pool, wsp_time now, int64_t account, const char *conn);

/* Closes every conn of an account and forgets its template. Acquires that were dialling or
 * waiting start over at this instant. */
void wsp_clear_account(struct wsp_pool *pool, wsp_time now, int64_t account);

/* What a prewarm dials. */
struct wsp_template {
  const char *url;
  const char *proxy;
  const struct wsp_header *headers;
  size_t header_count;
};

/* Dials towards the account's target when it is short of it. `given` may be NULL: the account's
 * last successful acquire, or the template that was given last. */
void wsp_ensure_target_idle(struct wsp_pool *pool, wsp_time now, int64_t account,
                            const struct wsp_template *given);

/* One background sweep now, as if its interval had passed. */
void wsp_ping_sweep(struct wsp_pool *pool, wsp_time now);
void wsp_cleanup_sweep(struct wsp_pool *pool, wsp_time now);

/* ---- What can be seen ------------------------------------------------------------------ */

struct wsp_account_stats {
  int64_t conns, idle, leased, waiting, creating;
  int64_t target, effective_max, prewarm_fails;
};

/* Zeros (and the hard cap) for an unknown account. `now` decides nothing here but ages. */
void wsp_account_stats(const struct wsp_pool *pool, int64_t account,
                       struct wsp_account_stats *stats);

enum wsp_conn_state { WSP_CONN_ABSENT, WSP_CONN_IDLE, WSP_CONN_LEASED };

struct wsp_conn_stats {
  enum wsp_conn_state state; /* WSP_CONN_ABSENT also for one that has left */
  int64_t pins, waiters;
  wsp_time created_at, last_used_at;
  bool retired, prewarmed;
};

/* False (and zeros) when the account has no such conn. */
bool wsp_conn_stats(const struct wsp_pool *pool, int64_t account, const char *conn,
                    struct wsp_conn_stats *stats);

/* X(name): all counters since the pool was made. */
#define WSP_METRIC_LIST(X)       \
  X(acquire_total)               \
  X(acquire_reuse_total)         \
  X(acquire_create_total)        \
  X(acquire_queue_wait_total)    \
  X(acquire_queue_wait_ms_total) \
  X(conn_pick_total)             \
  X(conn_pick_ms_total)          \
  X(scale_up_total)              \
  X(scale_down_total)

struct wsp_metrics {
#define WSP_MEMBER(name) int64_t name;
  WSP_METRIC_LIST(WSP_MEMBER)
#undef WSP_MEMBER
};

struct wsp_transport_metrics {
  int64_t proxy_client_cache_hits;
  int64_t proxy_client_cache_misses;
  wsp_decimal transport_reuse_ratio; /* hits / (hits + misses); 0 when both are 0 */
};

/* Zeros for a NULL pool, and for a transport without metrics. */
void wsp_pool_metrics(const struct wsp_pool *pool, struct wsp_metrics *metrics);
void wsp_pool_transport_metrics(const struct wsp_pool *pool, struct wsp_transport_metrics *metrics);

/* What is still under way: acquires, reads, writes, pings and dials that have not ended, closes
 * that the transport has not confirmed. 0: the pool is at rest. */
int64_t wsp_pool_pending(const struct wsp_pool *pool);

#ifdef __cplusplus
}
#endif

#endif
