/*
 * internal.h - the pool's own types, and what its parts call of each other.
 *
 * How the parts fit: a public function changes the state of what it is about, then calls
 * wsp_account_settle(), which serves waiters until every rule of order holds again; completions are
 * queued, and delivered by wsp_pool_advance(). Nothing below settle calls settle.
 *
 *   account.c  limits, who waits, settle         acquire.c  the way of an acquire
 *   conn.c     states of a conn                  lease.c    the borrower's view
 *   dial.c     dials of all kinds                io.c       writes and reads
 *   ping.c     pings of all kinds                sweep.c    background sweeps, refill
 *   prewarm.c  dialling towards the target       cleanup.c  rotation and trimming
 *   close.c    close and clear                   op.c       operations and their completion
 */
#ifndef POOL_INTERNAL_H
#define POOL_INTERNAL_H

#include "pool/heap.h"
#include "pool/memory.h"
#include "pool/order.h"
#include "pool/table.h"
#include "pool/wspool_trace.h"
#include "pool/wspool_transport.h"

enum timer_kind { TIMER_OP, TIMER_DIAL, TIMER_PING };

struct timer {
  struct wsp_heap_entry entry;
  enum timer_kind kind;
  void *owner;
};

/* The conns and waiters of an account with one reuse key. */
struct bucket {
  struct wsp_link link;
  struct account *account;
  struct wsp_text url, proxy;
  size_t references;
  struct wsp_order idle;         /* lendable waiter-free conns by (last_used_at, entry) */
  struct wsp_order idle_counted; /* lendable conns on which somebody counts by (waiters, entry) */
  struct wsp_order by_waiters;   /* conns that are not retired by (waiters, entry) */
  struct wsp_order waiters;      /* that any conn of this key serves, by arrival */
};

/* What to dial: shared by acquires, dials and the account's template. */
struct target {
  struct bucket *bucket;
  struct wsp_headers headers;
  size_t references;
  struct target *next_spare; /* while nobody refers to it: kept for the next one */
};

struct account {
  struct wsp_link link;
  struct wsp_node by_id;
  struct wsp_account last; /* of the last acquire; its id alone before the first */
  bool known;              /* an acquire has told type and concurrency */
  int64_t effective_max;

  int64_t conns, leased, waiting;
  int64_t creating;   /* places reserved for dials, started or not */
  int64_t connecting; /* dials that the transport has not ended */
  int64_t connless;   /* waiters without a conn and without a place */

  struct wsp_order by_entry;         /* all conns */
  struct wsp_order by_waiters;       /* all conns by (waiters, entry) */
  struct wsp_order evictable;        /* idle, unpinned conns by (last_used_at, entry) */
  struct wsp_order fresh;            /* conns by the time at which they are retired */
  struct wsp_order retired;          /* retired ones by the same, until they are over age too */
  struct wsp_order acquires;         /* all pending acquires, by arrival */
  struct wsp_order unplaced;         /* waiters that need a conn or room, by arrival */
  struct wsp_order placed;           /* waiters that have a place and wait for max_connecting */
  struct wsp_order orphans;          /* unplaced waiters whose conn has left, by arrival */
  struct wsp_order restarts;         /* acquires that start over, by arrival */
  struct conn *offers, *offers_last; /* conns that have become free or unpinned */

  bool cleaned;
  wsp_time last_cleanup;
  struct bucket *last_bucket;

  struct target *template_;
  bool prewarm_active;
  int64_t prewarm_left; /* places of the running prewarm whose dials have not started */
  int64_t prewarm_opened, prewarm_failed;
  struct dial *prewarm_dial;
  bool prewarm_started;
  wsp_time last_prewarm;
  int64_t prewarm_fails;
  wsp_time last_failure;
  bool refilling; /* the running prewarm is one of those that follow a sweep */
  struct wsp_node refill;
  bool refill_after_pings; /* `refill` is in the set that waits for the ping sweep's end */
};

enum conn_state { CONN_NEW, CONN_IDLE, CONN_LEASED, CONN_CLOSING, CONN_GONE };
enum age_state { AGE_FRESH, AGE_RETIRED, AGE_OVER };

struct message {
  struct message *next;
  size_t length;
  char text[];
};

struct conn {
  struct wsp_slot slot;
  enum conn_state state;
  enum age_state age_state;
  struct account *account;
  struct bucket *bucket;
  void *transport;
  struct wsp_text id;
  struct wsp_link by_id;
  struct wsp_headers headers;
  uint64_t entry; /* counts conns as they enter the pool */
  wsp_time created_at, last_used_at;
  wsp_duration age_limit;
  int64_t pins, waiters;
  bool prewarmed;
  enum wsp_reason left_because;

  struct wsp_node in_account, in_waiters, in_bucket_waiters, in_age, in_idle, in_evictable;
  struct wsp_order *idle_in; /* the set of the bucket that in_idle is in, NULL: none */
  struct wsp_order strict;   /* waiters that want this conn alone, by arrival */
  struct wsp_order counted;  /* waiters that do not, but count here, by arrival */
  struct conn *next_offer;
  bool offered;

  /* The lease. `holder`: the acquire that has not got it yet (its grant is not delivered, or a
   * health ping is under way). */
  uint32_t lease_generation;
  struct op *holder;
  bool checking; /* a health ping is under way and decides what becomes of the conn */
  wsp_time leased_at;
  wsp_duration queue_wait, conn_pick;
  bool reused;
  uint64_t lease_tag;

  struct op *reads, *reads_last, *writes, *writes_last, *pings;
  bool reading, writing; /* the first of the list is under way in the transport */
  struct message *inbox, *inbox_last;

  /* The ping under way; one at most. */
  bool pinging, ping_canceled;
  bool ping_for_sweep;
  bool ping_interrupted; /* lent since the sweep's ping began */
  bool ping_unsent;      /* the transport refused to send it */
  bool ping_again;       /* asked for while a cancelled one was not confirmed */
  enum wsp_reason ping_reason;
  wsp_time ping_started;
  wsp_duration ping_timeout; /* of sweep or health check; WSP_TIME_NEVER: of neither */
  uint64_t ping_tag;
  struct timer ping_timer;
  uint64_t swept; /* number of the ping sweep that this conn is marked for */
};

enum op_kind { OP_ACQUIRE, OP_WRITE, OP_READ, OP_PING, OP_CLOSE };
enum op_state {
  OP_STARTING,
  OP_WAITING,    /* acquire: in the queue */
  OP_DIALING,    /* acquire: for its own dial */
  OP_PINGING,    /* acquire: for a health ping */
  OP_RESTARTING, /* acquire: back to the choice of a conn */
  OP_PENDING,    /* i/o on a lease, close */
  OP_COMPLETED,  /* its completion is queued */
  OP_DELIVERED   /* its callback is running */
};

struct op {
  struct wsp_slot slot;
  enum op_kind kind;
  enum op_state state;
  uint64_t tag;
  wsp_time deadline; /* WSP_TIME_NEVER: none */
  struct timer timer;
  struct op *next_completed, *previous_completed;

  /* Acquire. */
  wsp_acquire_callback acquire_callback;
  void *context;
  struct account *account;
  struct target *target;
  struct wsp_span preferred; /* in the space below when it fits, else on the heap */
  char preferred_space[48];
  bool force_new, force_preferred;
  bool entered; /* has been through the choice once: limits and cleanup are behind it */
  bool queued;  /* has ever queued */
  bool counted; /* counts in `waiting` now */
  bool has_place;
  int ping_failures;
  bool goes_first; /* its ping has just failed: the room that this made is its own */
  uint64_t arrival;
  wsp_time queued_at;
  wsp_duration queue_wait, conn_pick;
  struct conn *queued_on;
  struct conn *conn; /* being pinged for it, or granted to it; for i/o: of the lease */
  struct dial *dial;
  struct wsp_node in_acquires, in_account, in_bucket, in_conn, in_special;

  /* I/O. */
  wsp_io_callback io_callback;
  uint32_t lease_generation;
  struct op *next_io;
  struct wsp_text json;
  struct message *message;
  void (*close_callback)(void *context);

  /* Outcome. */
  enum wsp_error error;
  int status;
  struct wsp_text cause;
  struct wsp_headers failure_headers;
};

struct dial {
  struct wsp_slot slot;
  struct account *account;
  struct target *target;
  struct op *op; /* NULL: a prewarm, or given up */
  bool prewarm;
  bool canceled; /* given up: only the transport's word is awaited */
  bool done;     /* the transport has had its word */
  void *transport;
  uint64_t serial;
  wsp_time started_at, deadline;
  struct timer timer;
};

struct sweep {
  bool active;
  uint64_t number;
  int64_t next_account; /* where to go on: (account id, entry) */
  uint64_t next_entry;
  bool exhausted; /* no conn is left whose turn may come */
  int64_t in_flight, pinged, evicted;
};

struct wsp_pool {
  struct wsp_config config;
  struct wsp_environment environment;
  struct wsp_memory memory;
  wsp_time now;
  uint64_t fixed_random;

  struct wsp_heap timers;
  struct wsp_slab ops, conns, dials;
  struct wsp_table accounts, buckets, conn_ids;
  struct wsp_order accounts_by_id;
  struct op *completed, *completed_last;
  struct target *spare_targets;
  size_t spare_target_count;

  uint64_t next_sequence, next_entry, next_arrival, next_dial;
  uint32_t next_lease;

  struct wsp_metrics metrics; /* all but the two below */
  int64_t queue_wait_ns, conn_pick_ns;

  wsp_time next_ping_sweep, next_cleanup_sweep;
  struct sweep sweep;
  struct wsp_order refills;       /* accounts that wait for their prewarm after a sweep, by id */
  struct wsp_order sweep_refills; /* ... once the running ping sweep has ended */
  int64_t refilling;
  bool cleaning; /* a cleanup sweep is on its way through the accounts */

  bool closed, close_told;
  struct op *closers;                                   /* close operations that are not complete */
  int64_t pending_ops;                                  /* not delivered */
  int64_t pending_dials, pending_closes, pending_pings; /* not confirmed by the transport */
  int64_t pending_ping_cancels;                         /* the cancelled ones among the pings */
};

/* pool.c */
void wsp_pool_enter(struct wsp_pool *pool, wsp_time now);
wsp_time wsp_time_add(wsp_time time, wsp_duration duration); /* stays at WSP_TIME_NEVER */
bool wsp_pool_timer_reserve(struct wsp_pool *pool);
void wsp_pool_timer_set(struct wsp_pool *pool, struct timer *timer, enum timer_kind kind,
                        void *owner, wsp_time at);
void wsp_pool_timer_clear(struct wsp_pool *pool, struct timer *timer);
/* Tells an event; `conn` may be NULL, `fields` NULL when all are zero. */
struct event_fields {
  int cause;
  int64_t values[3];
  const char *texts[2];
};
void wsp_pool_trace(struct wsp_pool *pool, enum wsp_event_kind kind, int64_t account,
                    const struct conn *conn, uint64_t tag, const struct event_fields *fields);
#define TRACE(pool, kind, account, conn, tag, ...)                                         \
  do {                                                                                     \
    if ((pool)->environment.trace != NULL) {                                               \
      wsp_pool_trace(pool, kind, account, conn, tag, &(struct event_fields){__VA_ARGS__}); \
    }                                                                                      \
  } while (0)

/* account.c */
struct account *wsp_account_find(const struct wsp_pool *pool, int64_t id);
struct account *wsp_account_obtain(struct wsp_pool *pool, int64_t id); /* NULL: no memory */
void wsp_account_know(struct wsp_pool *pool, struct account *account, const struct wsp_account *as);
/* The account of a node of pool->accounts_by_id. */
static inline struct account *wsp_account_by_id(struct wsp_node *node) {
  return WSP_OWNER(node, struct account, by_id);
}
/* Whether the account's limits are those of `as`. */
static inline bool wsp_account_is_known(const struct account *account,
                                        const struct wsp_account *as) {
  return account->known && account->last.type == as->type &&
         account->last.concurrency == as->concurrency;
}
int64_t wsp_account_idle(const struct account *account);
int64_t wsp_account_idle_ceiling(const struct wsp_pool *pool, const struct account *account);
int64_t wsp_account_target(const struct wsp_pool *pool, const struct account *account);
struct conn *wsp_account_first_evictable(const struct account *account, bool waiter_free);
void wsp_account_make_room(struct wsp_pool *pool, struct account *account);
bool wsp_account_has_room(const struct account *account);
bool wsp_account_may_connect(const struct wsp_pool *pool, const struct account *account);
void wsp_account_serve(struct wsp_pool *pool, struct account *account);
void wsp_account_settle(struct wsp_pool *pool, struct account *account);

/* config.c */
/* wsp_effective_max_conns() of a configuration that has been normalized. */
int64_t wsp_config_effective_max(const struct wsp_config *config,
                                 const struct wsp_account *account);

/* text.c */
#define INTEGER_TEXT_SIZE 21
size_t wsp_text_of_integer(int64_t value, char text[INTEGER_TEXT_SIZE]);
/* What an operation that ended with `error` says; NULL: no memory. `*size` is for its release. */
char *wsp_text_of_failure(const struct wsp_memory *memory, enum wsp_error error, int status,
                          struct wsp_span cause, size_t *size);

/* target.c */
struct target *wsp_target_obtain(struct wsp_pool *pool, struct account *account, const char *url,
                                 const char *proxy, const struct wsp_header *headers, size_t count);
/* The same for a bucket that is there. */
struct target *wsp_target_of_bucket(struct wsp_pool *pool, struct bucket *bucket,
                                    const struct wsp_header *headers, size_t count);
void wsp_target_hold(struct target *target);
void wsp_target_drop(struct wsp_pool *pool, struct target *target);
void wsp_target_free_spares(struct wsp_pool *pool);
struct bucket *wsp_bucket_find(const struct wsp_pool *pool, struct account *account,
                               struct wsp_span url, struct wsp_span proxy);
struct bucket *wsp_bucket_obtain(struct wsp_pool *pool, struct account *account,
                                 struct wsp_span url, struct wsp_span proxy);
struct conn *wsp_bucket_first_idle(const struct bucket *bucket);
void wsp_bucket_drop(struct wsp_pool *pool, struct bucket *bucket);

/* conn.c */
struct conn *wsp_conn_find(const struct wsp_pool *pool, const struct account *account,
                           struct wsp_span id);
struct conn *wsp_conn_of_lease(struct wsp_lease lease);
struct wsp_conn wsp_conn_name(struct wsp_pool *pool, const struct conn *conn);
/* What a conn enters the pool with. */
struct conn_entry {
  struct account *account;
  struct bucket *bucket;
  struct wsp_span id; /* empty: drawn from the sequence */
  void *transport;
  const struct wsp_header *headers;
  size_t header_count;
  wsp_time created_at, last_used_at;
  enum wsp_reason reason;
  struct op *holder; /* NULL: it enters idle */
};
struct conn *wsp_conn_enter(struct wsp_pool *pool,
                            const struct conn_entry *entry); /* NULL: memory */
void wsp_conn_lease(struct conn *conn);
void wsp_conn_free(struct wsp_pool *pool, struct conn *conn, bool touch);
void wsp_conn_leave(struct wsp_pool *pool, struct conn *conn, enum wsp_reason reason);
void wsp_conn_offer(struct conn *conn);
void wsp_conn_refresh_sets(struct conn *conn);
void wsp_conn_set_waiters(struct conn *conn, int64_t waiters);
void wsp_account_retire(struct wsp_pool *pool, struct account *account);
/* Is called wherever a conn is looked for, and nearly always finds that nothing is due. */
static inline void wsp_account_retire_due(struct wsp_pool *pool, struct account *account) {
  if (account->fresh.first != NULL && account->fresh.first->key < pool->now) {
    wsp_account_retire(pool, account);
  }
}
bool wsp_conn_usable_by_name(const struct conn *conn, const struct op *op);
void wsp_conn_gone(struct wsp_pool *pool, struct conn *conn, int code, const char *reason);
void wsp_conn_drop_inbox(struct wsp_pool *pool, struct conn *conn);
struct message *wsp_message_create(struct wsp_pool *pool, const void *text, size_t length);
void wsp_message_destroy(struct wsp_pool *pool, struct message *message); /* NULL is ignored */

/* op.c */
struct op *wsp_op_create(struct wsp_pool *pool, enum op_kind kind); /* NULL: no memory */
struct wsp_op wsp_op_name(struct wsp_pool *pool, const struct op *op);
void wsp_op_wait_until_deadline(struct wsp_pool *pool, struct op *op);
void wsp_op_complete(struct wsp_pool *pool, struct op *op, enum wsp_error error);
void wsp_op_uncomplete(struct wsp_pool *pool,
                       struct op *op); /* takes back an undelivered success */
bool wsp_op_overdue(const struct wsp_pool *pool, const struct op *op);
bool wsp_op_deliver_first(struct wsp_pool *pool); /* false: nothing to deliver */
void wsp_op_deadline_reached(struct wsp_pool *pool, struct op *op);
void wsp_op_destroy(struct wsp_pool *pool, struct op *op);

/* acquire.c */
void wsp_acquire_route(struct wsp_pool *pool, struct op *op);
void wsp_acquire_restart(struct wsp_pool *pool, struct op *op);
void wsp_acquire_fail(struct wsp_pool *pool, struct op *op, enum wsp_error error);
void wsp_acquire_grant(struct wsp_pool *pool, struct op *op, struct conn *conn);
void wsp_acquire_granted(struct wsp_pool *pool, struct op *op, struct conn *conn, bool reused);
struct conn *wsp_acquire_pick_idle(struct wsp_pool *pool, struct op *op);
void wsp_acquire_end(struct wsp_pool *pool, struct op *op, enum wsp_error error);
void wsp_acquire_deliver(struct wsp_pool *pool, struct op *op);
void wsp_account_remember(struct wsp_pool *pool, struct account *account, struct target *target);
void wsp_lease_lend(struct wsp_pool *pool, struct conn *conn, uint64_t tag, wsp_duration queue_wait,
                    wsp_duration conn_pick, bool queued);
bool wsp_acquire_still_good(struct wsp_pool *pool, struct op *op);

/* wait.c */
void wsp_wait_begin(struct wsp_pool *pool, struct op *op, struct conn *conn);
void wsp_wait_end(struct wsp_pool *pool, struct op *op);
void wsp_wait_place(struct wsp_pool *pool, struct op *op);
void wsp_wait_rehome(struct wsp_pool *pool, struct op *op);
struct conn *wsp_wait_choose_conn(const struct op *op);
struct op *wsp_wait_first_for(const struct conn *conn);

/* dial.c */
bool wsp_dial_start(struct wsp_pool *pool, struct account *account, struct target *target,
                    struct op *op);
void wsp_dial_cancel(struct wsp_pool *pool, struct dial *dial, enum wsp_reason reason);
void wsp_dial_timer_fired(struct wsp_pool *pool, struct dial *dial);

/* io.c */
void wsp_io_end_all(struct wsp_pool *pool, struct conn *conn);
void wsp_io_end(struct wsp_pool *pool, struct op *op, enum wsp_error error);
void wsp_io_deliver(struct wsp_pool *pool, struct op *op);
enum wsp_error wsp_io_start(const struct wsp_io_request *request, wsp_time now, enum op_kind kind,
                            struct wsp_op *name);
void wsp_io_write_ended(struct wsp_pool *pool, struct conn *conn, enum wsp_error error,
                        const char *reason);
void wsp_io_read_ended(struct wsp_pool *pool, struct conn *conn, enum wsp_error error,
                       const char *reason, struct message *message);
void wsp_io_message(struct wsp_pool *pool, struct conn *conn, struct message *message);
bool wsp_io_pending(const struct conn *conn);

/* ping.c */
void wsp_ping_for_acquire(struct wsp_pool *pool, struct op *op, struct conn *conn);
void wsp_ping_for_sweep(struct wsp_pool *pool, struct conn *conn);
void ping_cancel(struct wsp_pool *pool, struct conn *conn);
void wsp_ping_drop_if_unwanted(struct wsp_pool *pool, struct conn *conn);
void wsp_ping_forget(struct wsp_pool *pool, struct conn *conn);
void wsp_ping_timer_fired(struct wsp_pool *pool, struct conn *conn);
void wsp_ping_for_lease(struct wsp_pool *pool, struct op *op, struct conn *conn);
void wsp_ping_end_op(struct wsp_pool *pool, struct op *op, enum wsp_error error);
void wsp_ping_end_ops(struct wsp_pool *pool, struct conn *conn, enum wsp_error error,
                      const char *reason);

/* sweep.c */
void wsp_sweep_start_pings(struct wsp_pool *pool);
void wsp_sweep_ping_ended(struct wsp_pool *pool, struct account *account, bool evicted);
void wsp_sweep_pump(struct wsp_pool *pool);
void wsp_sweep_cleanup(struct wsp_pool *pool);
void wsp_refill_pump(struct wsp_pool *pool);
void wsp_sweep_stop(struct wsp_pool *pool);
void wsp_refill_want(struct wsp_pool *pool, struct account *account);
void wsp_refill_drop(struct wsp_pool *pool, struct account *account);

/* cleanup.c */
int64_t wsp_cleanup_account(struct wsp_pool *pool, struct account *account, enum wsp_reason reason);
bool wsp_cleanup_due(const struct wsp_pool *pool, const struct account *account);

/* prewarm.c */
void wsp_prewarm_consider(struct wsp_pool *pool, struct account *account);
void wsp_prewarm_continue(struct wsp_pool *pool, struct account *account);
void wsp_prewarm_dial_ended(struct wsp_pool *pool, struct account *account, bool opened);
void wsp_prewarm_abandon(struct wsp_pool *pool, struct account *account);
void wsp_prewarm_count_failure(struct wsp_pool *pool, struct account *account);
void wsp_prewarm_count_success(struct account *account);
bool wsp_prewarm_suppressed(const struct wsp_pool *pool, struct account *account);

/* close.c */
void wsp_close_check(struct wsp_pool *pool);

#endif
