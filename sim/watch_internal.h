/*
 * watch_internal.h - the books of a watch, and what its parts call of each other.
 *
 *   watch.c          creation, events to their parts, the violation
 *   watch_table.c    finding and keeping accounts, conns, acquires; the queues
 *   watch_acquire.c  acquires: started, queued, granted, failed
 *   watch_lease.c    what is done with a lease, and steps that ask for it
 *   watch_conn.c     conns: opened, evicted, closed, pinned
 *   watch_dial.c     dials and prewarm
 *   watch_ping.c     pings and sweeps
 *   watch_wait.c     those who wait, when an instant has come to rest
 *   watch_sweep.c    background sweeps: that they come, end, and what they leave
 *   watch_settle.c   the rest of what holds when an instant has come to rest
 *   watch_digest.c   the books in 128 bits, for a search
 *
 * "Instant" is a number here: it goes up when time goes on, not when the clock jumps, since a jump
 * lets nothing happen.
 */
#ifndef SIM_WATCH_INTERNAL_H
#define SIM_WATCH_INTERNAL_H

#include "sim/watch.h"

struct watch_op;

/* Acquires that wait, by arrival. An acquire is in up to two: that of its account, and that of its
 * reuse key or (one that wants a certain conn) of that conn. */
enum watch_place { IN_ACCOUNT, BY_CONN, WATCH_PLACES };

struct watch_queue {
  struct watch_op *first, *last;
  int64_t count;
};

/* What conns and acquires of an account have in common that can serve each other. */
struct watch_key {
  struct watch_key *next;
  sim_string url, proxy;
  int64_t idle; /* conns */
  struct watch_queue waiters;
};

struct watch_canceled_dial {
  struct watch_canceled_dial *next;
  int64_t serial;
};

struct watch_account {
  struct watch_account *next_in_slot, *next_dirty;
  int64_t id;
  bool dirty;
  bool known; /* an acquire has told its type and concurrency */
  int64_t maximum;

  int64_t conns, leases, checking, reserved, closing;
  int64_t pending; /* acquires that have neither been granted nor failed */
  int64_t idle_unpinned;
  int64_t must_leave; /* conns that have to be gone when the instant comes to rest */
  struct watch_conn *first_conn;
  struct watch_key *keys;

  int64_t dials;                           /* that are alive, prewarm's included */
  struct watch_canceled_dial *unconfirmed; /* cancelled, and the transport has not had its word */

  int64_t waiting;
  struct watch_queue waiters; /* without those that want a certain conn */

  bool has_template;
  bool prewarming, has_prewarmed;
  uint64_t prewarm_sweep; /* number of the ping sweep that had just ended when it began; 0: none */
  int64_t prewarm_left;   /* places of the running prewarm whose dials have not started */
  int64_t prewarm_dial;   /* serial number, 0: none */
  int64_t prewarm_dial_started;
  int64_t last_prewarm;

  int64_t fails, last_failure;
  uint64_t left; /* number of the event with which a conn last left it */
  bool trimmed;  /* and nothing has happened since that changes what it needs */

  /* The idle minimum is to come back after a sweep that has removed conns. */
  struct watch_account *next_owing;
  bool owes, in_owing;
  bool ping_evicted;  /* by the ping sweep that is under way */
  int64_t owes_until; /* in time without jumps */
};

enum watch_conn_state {
  CONN_IS_NEW,
  CONN_IS_IDLE,
  CONN_IS_CHECKED,  /* a ping decides whether it is lent */
  CONN_IS_RESERVED, /* for an acquire that has not been told yet */
  CONN_IS_LEASED,
  CONN_IS_CLOSING
};

struct watch_conn {
  struct watch_conn *next_of_name;    /* the same id, in another account or while this one closes */
  struct watch_conn *next, *previous; /* in the account */
  struct watch_conn *next_pinged, *previous_pinged;
  struct watch_account *account;
  struct watch_key *key;
  sim_string name;
  enum watch_conn_state state;
  uint32_t generation; /* changes when the record is given back */
  /* When it was last given back: the instant, and the lease that ended in the same instant, 0: none
   * did. */
  uint64_t gone_instant;
  uint32_t gone_lease;

  int64_t born, last_used, age_limit;
  int64_t pins, waiters;
  struct watch_queue strict; /* acquires that want this conn */
  uint64_t changed;          /* number of the event that last changed its state */
  uint64_t disturbed;        /* ... its state or its waiters */
  bool peer_closed, must_leave;
  uint64_t ping_failed; /* number of the event; 0: not */

  sim_string holder;        /* of the lease */
  sim_string owner;         /* whom it was dialled for, until it is lent or freed */
  struct watch_op *checker; /* NULL: it has ended meanwhile */
  bool was_checked;         /* since it was last idle */
  uint32_t lease;           /* counts the leases of this conn */
  int64_t leased_at;
  uint64_t ended_instant; /* in which its last lease ended */
  int64_t pending_io;     /* reads and writes */
  int64_t unread;         /* messages that nobody has read */

  bool in_pinged, sweep_pings;
  int64_t ping_due; /* in time without jumps */
  uint64_t ping_began;
  uint64_t swept; /* number of the last sweep that pinged it */
};

enum watch_phase { OP_CHOOSES, OP_WAITS, OP_DIALS, OP_CHECKS, OP_HOLDS, OP_IO, OP_HAS_ENDED };

/* An acquire until its lease ends; or a read, write or ping of a lease. */
struct watch_op {
  struct watch_op *next[WATCH_PLACES], *previous[WATCH_PLACES];
  struct watch_queue *in[WATCH_PLACES]; /* NULL: in none */
  struct watch_account *account;        /* NULL: of none that is valid */
  struct watch_key *key;
  sim_string name;
  enum watch_phase phase;
  int64_t deadline; /* 0: none */
  uint64_t arrival;
  uint64_t waits_since; /* instant */
  bool force_new, strict, canceled;
  int ping_failures;
  bool goes_first;      /* its ping has just failed: the room that this made is its own */
  uint64_t dial_failed; /* number of the event with which its last dial has, and no ping since; 0 */
  int64_t dial;         /* serial number */
  int64_t dial_started;
  struct watch_conn *conn; /* on which it counts, by which it is served, which it holds */
  uint32_t conn_generation;
  uint32_t lease; /* i/o: of the conn's leases, that which it belongs to; 0: to none */
};

/* All that a string of the trace names. */
struct watch_name {
  struct watch_conn *conn;
  struct watch_op *op;
};

struct watch_due {
  int64_t at;
  sim_string op;
};

enum { ACCOUNT_SLOTS = 256 };

struct sim_watch {
  struct sim_arena *arena;
  const struct sim_trace *trace;
  struct wsp_config config;
  struct sim_watch_view view;
  bool off[SIM_INVARIANT_COUNT];
  bool violated, failed;
  struct sim_violation violation;

  uint64_t seen;  /* events */
  uint64_t batch; /* index of the first event of what is being followed */
  uint64_t event; /* index of the event being looked at */
  int64_t now;
  int64_t rested; /* the time of the last instant that has come to rest, -1: none */
  int64_t jumped; /* by how much the clock has, in all */
  uint64_t instant;
  uint64_t jump_instant;

  struct watch_name *names;
  size_t name_capacity;
  struct watch_account *slots[ACCOUNT_SLOTS], *last_account, *dirty;
  struct watch_conn *free_conns;
  struct watch_op *free_ops;
  struct watch_canceled_dial *free_dials;
  uint64_t arrivals;

  struct watch_due *due; /* deadlines of acquires, the first to come at 0; a binary heap */
  size_t due_count, due_capacity;

  bool closing, closed;
  uint64_t close_instant;
  /* In all accounts. */
  int64_t conns, idle, conns_closing, unconfirmed, prewarms, account_count;

  bool sweeping, swept;                        /* a ping sweep runs, or has ended in this instant */
  uint64_t sweep;                              /* counts ping sweeps */
  uint64_t sweep_event;                        /* at which the last one began */
  int64_t sweep_due;                           /* by when it has ended, in time without jumps */
  int64_t next_ping_sweep, next_cleanup_sweep; /* by when the next begins, the same */
  struct watch_conn *first_pinged, *last_pinged;
  struct watch_account *owing;

  /* Conns that have left because of their age since `expiry_start`, and how many there were then.
   */
  int64_t expiry_start, expired, expiry_conns;

  struct wsp_metrics metrics;
  int64_t queue_wait_ns, pick_ns, queued, queued_ended;
};

/* watch.c. The first violation is kept; `where` says what it is about. */
struct watch_where {
  int64_t account;
  sim_string conn, op, other;
  int64_t values[3];
};
void watch_report(struct sim_watch *watch, enum sim_invariant invariant, const char *sentence,
                  const struct watch_where *where);
#define REPORT(watch, invariant, sentence, ...) \
  watch_report(watch, invariant, sentence, &(struct watch_where){__VA_ARGS__})
int64_t watch_sum(int64_t left, int64_t right); /* stays at the largest number */

/* watch_table.c. NULL: no memory, or (find) there is none. */
struct watch_account *watch_account_of(struct sim_watch *watch, int64_t id);
struct watch_key *watch_key_of(struct sim_watch *watch, struct watch_account *account,
                               sim_string url, sim_string proxy);
struct watch_conn *watch_conn_create(struct sim_watch *watch, struct watch_account *account,
                                     sim_string name);
/* One that has not left its account. */
struct watch_conn *watch_conn_find(const struct sim_watch *watch,
                                   const struct watch_account *account, sim_string name);
/* Of those that close, the one that began first. */
struct watch_conn *watch_conn_closing(const struct sim_watch *watch,
                                      const struct watch_account *account, sim_string name);
void watch_conn_release(struct sim_watch *watch, struct watch_conn *conn);
/* The only way to change a state: it keeps the counts. */
void watch_conn_turn(struct sim_watch *watch, struct watch_conn *conn, enum watch_conn_state state);
void watch_conn_set_pins(struct watch_conn *conn, int64_t pins);
struct watch_op *watch_op_create(struct sim_watch *watch, sim_string name);
struct watch_op *watch_op_find(const struct sim_watch *watch, sim_string name);
bool watch_op_has_ended(const struct sim_watch *watch, sim_string name);
/* It has ended; its name is remembered as that of one that has. */
void watch_op_release(struct sim_watch *watch, struct watch_op *op);
void watch_op_enqueue(struct watch_op *op, enum watch_place place, struct watch_queue *queue);
void watch_op_dequeue(struct watch_op *op);
void watch_due_add(struct sim_watch *watch, int64_t at, sim_string op);
void watch_due_drop_first(struct sim_watch *watch);

/* watch_acquire.c */
void watch_acquire_event(struct sim_watch *watch, const struct sim_event *event);
/* The pool has chosen `op` to be served by `conn`, or (NULL) to dial: whether it was its turn. */
void watch_turn_of(struct sim_watch *watch, const struct watch_op *op,
                   const struct watch_conn *conn);
/* It does not wait, dial or check any more. */
void watch_op_leave_phase(struct sim_watch *watch, struct watch_op *op);

/* watch_lease.c, watch_conn.c, watch_dial.c, watch_ping.c */
void watch_lease_event(struct sim_watch *watch, const struct sim_event *event);
/* Whether the conn of a read, write or ping has gone in this instant, and its lease with it. */
bool watch_io_conn_has_gone(const struct sim_watch *watch, const struct watch_op *op);
void watch_step_event(struct sim_watch *watch, const struct sim_event *event);
/* The label through whose lease a step has just asked for `operation`, if the event that is being
 * looked at is the first thing that the pool tells of it; 0: no such step. */
sim_string watch_asked_through(const struct sim_watch *watch, const char *operation);
void watch_conn_event(struct sim_watch *watch, const struct sim_event *event);
bool watch_conn_is_retired(const struct sim_watch *watch, const struct watch_conn *conn);
void watch_dial_event(struct sim_watch *watch, const struct sim_event *event);
void watch_prewarm_event(struct sim_watch *watch, const struct sim_event *event);
int64_t watch_idle_ceiling(const struct sim_watch *watch, const struct watch_account *account);
void watch_ping_event(struct sim_watch *watch, const struct sim_event *event);
/* The answer to a ping has to come by then. */
void watch_pinged(struct sim_watch *watch, struct watch_conn *conn);
void watch_unpinged(struct sim_watch *watch, struct watch_conn *conn);

/* watch_wait.c */
void watch_settle_waiters(struct sim_watch *watch, const struct watch_account *account,
                          const struct wsp_account_stats *stats);
void watch_settle_deadlines(struct sim_watch *watch);

/* watch_sweep.c */
int64_t watch_time(const struct sim_watch *watch); /* without what the clock has jumped */
void watch_sweep_event(struct sim_watch *watch, const struct sim_event *event);
/* A conn leaves because of its age. */
void watch_expired(struct sim_watch *watch, const struct watch_conn *conn);
void watch_settle_owed(struct sim_watch *watch, struct watch_account *account);
void watch_settle_sweeps(struct sim_watch *watch);
bool watch_is_suppressed(const struct sim_watch *watch, const struct watch_account *account);

/* watch_settle.c */
void watch_settle_account(struct sim_watch *watch, struct watch_account *account);
void watch_settle_all(struct sim_watch *watch);
void watch_count_metrics(struct sim_watch *watch, const struct sim_event *event);

#endif
