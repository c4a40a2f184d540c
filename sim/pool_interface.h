/*
 * pool_interface.h - what the harness calls of the pool that it tests.
 *
 * The pool of this project is the first to implement it (sim_pool_wspool()). Another pool comes in
 * as a shared library that exports SIM_POOL_ENTRY; `poolproof run --pool FILE` loads it. Its
 * functions keep the promises that wspool.h and wspool_transport.h make for the functions of the
 * same names; only what a capability stands for may be left out (NULL). Types, errors and events
 * are those of the pool's headers: a foreign pool defines `struct wsp_pool` for itself, and its
 * handles carry whatever slot and generation it likes.
 *
 * What it owes beyond that, so that a run repeats and can be judged:
 *  - it asks for memory from the environment's allocator alone, and keeps nothing elsewhere: the
 *    harness takes snapshots of that memory and restores them;
 *  - it tells the events of wspool_trace.h that belong to what it does, with the tag of the
 *    operation: without them neither expectations nor invariants see anything;
 *  - it reads no clock, starts no thread, and draws no numbers but the environment's.
 */
#ifndef SIM_POOL_INTERFACE_H
#define SIM_POOL_INTERFACE_H

#include "pool/wspool.h"
#include "pool/wspool_transport.h"

/* What a pool can do beyond acquire, release and close. A scenario that needs more than the pool
 * declares is skipped. X(enumerator, name, what it stands for) */
#define SIM_CAPABILITY_LIST(X)                                                                 \
  X(SIM_CAN_QUEUE_LIMIT, "queue_limit", "queue_limit_per_conn, and the error queue_full")      \
  X(SIM_CAN_PREFER, "preferred", "preferred_conn and force_preferred_conn")                    \
  X(SIM_CAN_FORCE_NEW, "force_new", "force_new_conn")                                          \
  X(SIM_CAN_ACCOUNT_MAXIMUM, "account_maximum", "maxima that follow an account's concurrency") \
  X(SIM_CAN_IO, "io", "write and read on a lease")                                             \
  X(SIM_CAN_PING, "ping", "ping on a lease")                                                   \
  X(SIM_CAN_HEADERS, "headers", "the handshake's response headers")                            \
  X(SIM_CAN_PIN, "pin", "pin and unpin")                                                       \
  X(SIM_CAN_PREWARM, "prewarm", "ensure_target_idle, mark_prewarmed, min_idle_per_account")    \
  X(SIM_CAN_SWEEP, "sweep", "background pings and cleanups, idle ceilings")                    \
  X(SIM_CAN_HEALTH_CHECK, "health_check", "pings before a conn is lent")                       \
  X(SIM_CAN_AGE, "age", "max_conn_age and what belongs to it")                                 \
  X(SIM_CAN_CONNECTING_LIMIT, "connecting_limit", "max_connecting")                            \
  X(SIM_CAN_EVICT, "evict", "evict and clear_account")                                         \
  X(SIM_CAN_ADOPT, "adopt", "conns that were established elsewhere")

enum sim_capability {
#define SIM_ENUMERATOR(id, name, meaning) id,
  SIM_CAPABILITY_LIST(SIM_ENUMERATOR)
#undef SIM_ENUMERATOR
      SIM_CAPABILITY_COUNT
};

/* Increased when a member is added, removed or changes its meaning. */
#define SIM_POOL_INTERFACE_VERSION 1

struct sim_pool_interface {
  int version;           /* SIM_POOL_INTERFACE_VERSION of the header that it was built with */
  const char *name;      /* for people */
  uint64_t capabilities; /* bit i: enum sim_capability i */

  /* Required of every pool. */
  enum wsp_error (*create)(const struct wsp_config *config,
                           const struct wsp_environment *environment, wsp_time now,
                           struct wsp_pool **pool);
  wsp_time (*next_deadline)(const struct wsp_pool *pool);
  wsp_time (*next_operation_deadline)(const struct wsp_pool *pool);
  void (*advance)(struct wsp_pool *pool, wsp_time now);
  enum wsp_error (*close)(struct wsp_pool *pool, wsp_time now, void (*callback)(void *context),
                          void *context);
  enum wsp_error (*acquire)(struct wsp_pool *pool, wsp_time now,
                            const struct wsp_acquire_request *request,
                            wsp_acquire_callback callback, void *context, struct wsp_op *op);
  void (*op_cancel)(struct wsp_op op, wsp_time now);
  void (*lease_release)(struct wsp_lease lease, wsp_time now);
  void (*lease_mark_broken)(struct wsp_lease lease, wsp_time now);
  bool (*lease_valid)(struct wsp_lease lease);
  const char *(*lease_conn_id)(struct wsp_lease lease);
  void (*account_stats)(const struct wsp_pool *pool, int64_t account,
                        struct wsp_account_stats *stats);
  bool (*conn_stats)(const struct wsp_pool *pool, int64_t account, const char *conn,
                     struct wsp_conn_stats *stats);
  void (*metrics)(const struct wsp_pool *pool, struct wsp_metrics *metrics);
  int64_t (*pending)(const struct wsp_pool *pool);

  /* The answers of a transport: required. */
  struct wsp_conn (*dial_done)(struct wsp_dial dial, wsp_time now,
                               const struct wsp_dial_result *result);
  void (*conn_message)(struct wsp_conn conn, wsp_time now, const void *message, size_t length);
  void (*conn_closed)(struct wsp_conn conn, wsp_time now, int code, const char *reason);
  const char *(*conn_id)(struct wsp_conn conn);
  int64_t (*conn_account)(struct wsp_conn conn);
  void *(*conn_transport)(const struct wsp_pool *pool, int64_t account, const char *id);

  /* io */
  enum wsp_error (*lease_write_json)(const struct wsp_io_request *request, wsp_time now,
                                     struct wsp_op *op);
  enum wsp_error (*lease_read)(const struct wsp_io_request *request, wsp_time now,
                               struct wsp_op *op);
  void (*write_done)(struct wsp_conn conn, wsp_time now, enum wsp_error error, const char *reason);
  void (*read_done)(struct wsp_conn conn, wsp_time now, enum wsp_error error, const char *reason,
                    const void *message, size_t length);
  /* ping */
  enum wsp_error (*lease_ping)(const struct wsp_io_request *request, wsp_time now,
                               struct wsp_op *op);
  /* ping, sweep or health_check */
  void (*ping_done)(struct wsp_conn conn, wsp_time now, enum wsp_error error, const char *reason);
  /* headers */
  const char *(*lease_handshake_header)(struct wsp_lease lease, const char *name);
  /* pin */
  bool (*pin)(struct wsp_pool *pool, wsp_time now, int64_t account, const char *conn);
  void (*unpin)(struct wsp_pool *pool, wsp_time now, int64_t account, const char *conn);
  /* prewarm */
  void (*ensure_target_idle)(struct wsp_pool *pool, wsp_time now, int64_t account,
                             const struct wsp_template *given);
  bool (*lease_is_prewarmed)(struct wsp_lease lease);
  void (*lease_mark_prewarmed)(struct wsp_lease lease, wsp_time now);
  /* sweep */
  void (*ping_sweep)(struct wsp_pool *pool, wsp_time now);
  void (*cleanup_sweep)(struct wsp_pool *pool, wsp_time now);
  /* evict */
  bool (*evict)(struct wsp_pool *pool, wsp_time now, int64_t account, const char *conn);
  void (*clear_account)(struct wsp_pool *pool, wsp_time now, int64_t account);
  /* adopt */
  enum wsp_error (*adopt)(struct wsp_pool *pool, wsp_time now, const struct wsp_adoption *adoption,
                          struct wsp_conn *conn);
  /* May be NULL: no transport metrics. */
  void (*transport_metrics)(const struct wsp_pool *pool, struct wsp_transport_metrics *metrics);
};

/* The function that a shared library exports: its interface, which lives for ever. */
#define SIM_POOL_ENTRY poolproof_pool
#define SIM_POOL_ENTRY_NAME "poolproof_pool"
typedef const struct sim_pool_interface *(*sim_pool_entry)(void);

/* The pool of this project: all capabilities. */
const struct sim_pool_interface *sim_pool_wspool(void);

/* The pool that this process tests: ours, until another one was put in its place. To be done before
 * the first world is made; `interface` lives as long as the process. */
const struct sim_pool_interface *sim_pool_under_test(void);
void sim_pool_put_under_test(const struct sim_pool_interface *interface);

/* The first function that is NULL although every pool needs it (`*capability` is -1) or a declared
 * capability does (`*capability` says which). NULL: nothing is lacking. */
const char *sim_pool_lacks(const struct sim_pool_interface *interface, int *capability);

static inline bool sim_pool_can(const struct sim_pool_interface *interface,
                                enum sim_capability capability) {
  return (interface->capabilities >> capability & 1) != 0;
}

/* "preferred", and what it stands for; both live for ever. */
const char *sim_capability_name(enum sim_capability capability);
const char *sim_capability_meaning(enum sim_capability capability);

#endif
