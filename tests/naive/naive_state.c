/*
 * naive_state.c - looks things up in the naive pool, and shows them.
 */
#include <string.h>

#include "tests/naive/naive.h"

struct conn *naive_conn_by_serial(struct wsp_pool *pool, uint32_t serial) {
  struct conn *conn = pool == NULL ? NULL : pool->conns;
  while (conn != NULL && conn->serial != serial) {
    conn = conn->next;
  }
  return conn;
}

struct conn *naive_conn_of_lease(struct wsp_lease lease) {
  struct conn *conn = naive_conn_by_serial(lease.pool, lease.slot);
  return conn != NULL && conn->state == LEASED && conn->lease == lease.generation ? conn : NULL;
}

struct conn *naive_conn_by_id(const struct wsp_pool *pool, int64_t account, const char *id) {
  struct conn *conn = pool->conns;
  while (conn != NULL && (conn->state == CLOSING || conn->account != account ||
                          strcmp(conn->id, id == NULL ? "" : id) != 0)) {
    conn = conn->next;
  }
  return conn;
}

int64_t naive_count_conns(const struct wsp_pool *pool, int64_t account, int state) {
  int64_t count = 0;
  for (const struct conn *conn = pool->conns; conn != NULL; conn = conn->next) {
    count += conn->account == account &&
             (state < 0 ? conn->state != CLOSING : (int)conn->state == state);
  }
  return count;
}

int64_t naive_count_dials(const struct wsp_pool *pool, int64_t account) {
  int64_t count = 0;
  for (const struct dial *dial = pool->dials; dial != NULL; dial = dial->next) {
    count += dial->account == account && dial->op != NULL;
  }
  return count;
}

int64_t naive_count_waiters(const struct wsp_pool *pool, int64_t account) {
  int64_t count = 0;
  for (const struct op *op = pool->ops; op != NULL; op = op->next) {
    count += op->account == account && op->state == WAITING;
  }
  return count;
}

/* ---- What can be seen --------------------------------------------------------------------- */

void naive_account_stats(const struct wsp_pool *pool, int64_t account,
                         struct wsp_account_stats *stats) {
  *stats = (struct wsp_account_stats){
      .conns = naive_count_conns(pool, account, -1),
      .idle = naive_count_conns(pool, account, IDLE),
      .leased = naive_count_conns(pool, account, LEASED),
      .waiting = naive_count_waiters(pool, account),
      .creating = naive_count_dials(pool, account),
      .effective_max = pool->config.max_conns_per_account,
  };
}

bool naive_conn_stats(const struct wsp_pool *pool, int64_t account, const char *id,
                      struct wsp_conn_stats *stats) {
  const struct conn *conn = naive_conn_by_id(pool, account, id);
  *stats = (struct wsp_conn_stats){0};
  if (conn == NULL) {
    return false;
  }
  stats->state = conn->state == LEASED ? WSP_CONN_LEASED : WSP_CONN_IDLE;
  stats->created_at = conn->created_at;
  stats->last_used_at = conn->used_at;
  return true;
}

void naive_metrics(const struct wsp_pool *pool, struct wsp_metrics *metrics) {
  *metrics = pool->metrics;
  metrics->acquire_queue_wait_ms_total = pool->waited_ns / WSP_MILLISECOND;
}

int64_t naive_pending(const struct wsp_pool *pool) {
  int64_t pending = 0;
  for (const struct op *op = pool->ops; op != NULL; op = op->next) {
    pending++;
  }
  for (const struct dial *dial = pool->dials; dial != NULL; dial = dial->next) {
    pending++;
  }
  for (const struct conn *conn = pool->conns; conn != NULL; conn = conn->next) {
    pending += conn->state == CLOSING;
  }
  return pending;
}

const char *naive_conn_id(struct wsp_conn name) {
  const struct conn *conn = naive_conn_by_serial(name.pool, name.slot);
  return conn == NULL ? "" : conn->id;
}

int64_t naive_conn_account(struct wsp_conn name) {
  const struct conn *conn = naive_conn_by_serial(name.pool, name.slot);
  return conn == NULL ? 0 : conn->account;
}

void *naive_conn_transport(const struct wsp_pool *pool, int64_t account, const char *id) {
  const struct conn *conn = naive_conn_by_id(pool, account, id);
  return conn == NULL ? NULL : conn->transport;
}
