/*
 * naive.h - what the naive pool consists of.
 */
#ifndef TESTS_NAIVE_H
#define TESTS_NAIVE_H

#include "sim/pool_interface.h"

enum { ID_SIZE = 64 };

enum conn_state { IDLE, LEASED, CLOSING };

struct conn {
  struct conn *next;
  char id[ID_SIZE];
  uint32_t serial; /* of the whole pool, from 1 */
  int64_t account;
  char *url;
  void *transport;
  enum conn_state state;
  wsp_time created_at, used_at, leased_at;
  uint32_t lease; /* of the current borrower; 0: none */
  uint64_t lease_tag;
};

struct dial {
  struct dial *next;
  uint32_t serial;
  struct op *op; /* NULL: nobody waits for it any more */
  void *transport;
  int64_t account;
  wsp_time started_at;
};

enum op_state { WAITING, DIALING, ENDED };

struct op {
  struct op *next;
  uint32_t serial;
  enum op_state state;
  int64_t account;
  char *url;
  wsp_time deadline; /* 0: none */
  wsp_time queued_at;
  wsp_duration waited;
  bool queued, reused;
  uint64_t tag;
  wsp_acquire_callback callback;
  void *context;
  /* once it has ended */
  enum wsp_error error;
  int status;
  char cause[96];
  struct conn *conn;
};

struct wsp_pool {
  struct wsp_environment environment;
  struct wsp_config config;
  wsp_time now;
  struct conn *conns; /* in the order of entry */
  struct dial *dials;
  struct op *ops; /* in the order of asking */
  uint32_t last_conn, last_dial, last_op, last_lease;
  struct wsp_metrics metrics;
  int64_t waited_ns;
  bool closed, close_told;
  void (*close_callback)(void *context);
  void *close_context;
};

/* Looking things up; NULL: there is none. A state below 0 stands for all but CLOSING. */
struct conn *naive_conn_by_serial(struct wsp_pool *pool, uint32_t serial);
struct conn *naive_conn_of_lease(struct wsp_lease lease);
struct conn *naive_conn_by_id(const struct wsp_pool *pool, int64_t account, const char *id);
int64_t naive_count_conns(const struct wsp_pool *pool, int64_t account, int state);
int64_t naive_count_dials(const struct wsp_pool *pool, int64_t account);
int64_t naive_count_waiters(const struct wsp_pool *pool, int64_t account);

/* What can be seen from outside. */
void naive_account_stats(const struct wsp_pool *pool, int64_t account,
                         struct wsp_account_stats *stats);
bool naive_conn_stats(const struct wsp_pool *pool, int64_t account, const char *id,
                      struct wsp_conn_stats *stats);
void naive_metrics(const struct wsp_pool *pool, struct wsp_metrics *metrics);
int64_t naive_pending(const struct wsp_pool *pool);
const char *naive_conn_id(struct wsp_conn name);
int64_t naive_conn_account(struct wsp_conn name);
void *naive_conn_transport(const struct wsp_pool *pool, int64_t account, const char *id);

#endif
