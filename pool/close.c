/*
 * close.c - what ends conns from outside: close, clear, evict; and what comes in or is held from
 * outside: adopt, pin.
 */
#include "pool/internal.h"

/* Complete when the transport has confirmed every cancel and close. Leased conns do not count. */
void wsp_close_check(struct wsp_pool *pool) {
  if (!pool->closed || pool->pending_dials > 0 || pool->pending_closes > 0 ||
      pool->pending_ping_cancels > 0) {
    return;
  }
  if (!pool->close_told) {
    pool->close_told = true;
    TRACE(pool, WSP_POOL_CLOSED_EVENT, 0, NULL, 0, .cause = 0);
  }
  while (pool->closers != NULL) {
    struct op *op = pool->closers;
    pool->closers = op->next_io;
    wsp_op_complete(pool, op, WSP_OK);
  }
}

static void end_acquires(struct wsp_pool *pool, struct account *account, enum wsp_error error) {
  struct wsp_node *node = account->acquires.first;
  while (node != NULL) {
    struct op *op = WSP_OWNER(node, struct op, in_acquires);
    node = wsp_order_next(node); /* ending one leaves it in the set until it is delivered */
    if (op->state != OP_COMPLETED) {
      wsp_acquire_end(pool, op, error);
    }
  }
}

static void close_account(struct wsp_pool *pool, struct account *account) {
  wsp_prewarm_abandon(pool, account);
  end_acquires(pool, account, WSP_POOL_CLOSED);
  struct wsp_node *node = account->by_entry.first;
  while (node != NULL) {
    struct conn *conn = WSP_OWNER(node, struct conn, in_account);
    node = wsp_order_next(node);
    if (conn->state == CONN_IDLE || conn->checking) {
      wsp_conn_leave(pool, conn, WSP_REASON_POOL_CLOSED);
    } else if (conn->ping_for_sweep) {
      conn->ping_for_sweep = false;
      pool->sweep.in_flight--;
      wsp_ping_drop_if_unwanted(pool, conn);
    }
  }
}

enum wsp_error wsp_pool_close(struct wsp_pool *pool, wsp_time now, void (*callback)(void *context),
                              void *context) {
  if (pool == NULL) {
    return WSP_POOL_CLOSED;
  }
  wsp_pool_enter(pool, now);
  enum wsp_error error = WSP_OK;
  if (callback != NULL) {
    struct op *op = wsp_op_create(pool, OP_CLOSE);
    if (op == NULL) {
      error = WSP_OUT_OF_MEMORY;
    } else {
      op->close_callback = callback;
      op->context = context;
      struct op **last = &pool->closers;
      while (*last != NULL) {
        last = &(*last)->next_io;
      }
      *last = op;
    }
  }
  if (!pool->closed) {
    pool->closed = true;
    TRACE(pool, WSP_POOL_CLOSE_STARTED, 0, NULL, 0, .cause = 0);
    wsp_sweep_stop(pool);
    for (struct wsp_node *a = pool->accounts_by_id.first; a != NULL; a = wsp_order_next(a)) {
      close_account(pool, wsp_account_by_id(a));
    }
  }
  wsp_close_check(pool);
  return error;
}

/* Every acquire of the account that has no conn in the caller's hands goes back to the choice;
 * strict waiters are left to the conn that they wait for. */
static int64_t restart_acquires(struct wsp_pool *pool, struct account *account) {
  int64_t dials = 0;
  struct wsp_node *node = account->acquires.first;
  for (; node != NULL; node = wsp_order_next(node)) {
    struct op *op = WSP_OWNER(node, struct op, in_acquires);
    if (op->state == OP_WAITING && !op->force_preferred) {
      wsp_wait_end(pool, op);
      wsp_acquire_restart(pool, op);
    } else if (op->state == OP_DIALING) {
      wsp_dial_cancel(pool, op->dial, WSP_REASON_CLEARED);
      wsp_acquire_restart(pool, op);
      dials++;
    }
  }
  return dials;
}

void wsp_clear_account(struct wsp_pool *pool, wsp_time now, int64_t id) {
  if (pool == NULL) {
    return;
  }
  wsp_pool_enter(pool, now);
  struct account *account = wsp_account_find(pool, id);
  if (account == NULL) {
    return;
  }
  wsp_target_drop(pool, account->template_);
  account->template_ = NULL;
  wsp_prewarm_abandon(pool, account);
  wsp_refill_drop(pool, account);
  int64_t conns = account->conns;
  int64_t dials = restart_acquires(pool, account);
  while (account->by_entry.first != NULL) {
    wsp_conn_leave(pool, WSP_OWNER(account->by_entry.first, struct conn, in_account),
                   WSP_REASON_CLEARED);
  }
  TRACE(pool, WSP_ACCOUNT_CLEARED, id, NULL, 0, .values = {conns, dials});
  wsp_account_settle(pool, account);
}

static struct conn *conn_by_id(struct wsp_pool *pool, wsp_time now, int64_t account,
                               const char *id) {
  if (pool == NULL) {
    return NULL;
  }
  wsp_pool_enter(pool, now);
  return wsp_conn_find(pool, wsp_account_find(pool, account), wsp_trim(id));
}

bool wsp_evict(struct wsp_pool *pool, wsp_time now, int64_t account, const char *id) {
  struct conn *conn = conn_by_id(pool, now, account, id);
  if (conn == NULL) {
    return false;
  }
  struct account *owner = conn->account;
  wsp_conn_leave(pool, conn, WSP_REASON_EVICTED);
  wsp_account_settle(pool, owner);
  return true;
}

bool wsp_pin(struct wsp_pool *pool, wsp_time now, int64_t account, const char *id) {
  struct conn *conn = conn_by_id(pool, now, account, id);
  if (conn == NULL) {
    return false;
  }
  conn->pins++;
  wsp_conn_refresh_sets(conn);
  TRACE(pool, WSP_CONN_PINNED, account, conn, 0, .values = {conn->pins});
  return true;
}

void wsp_unpin(struct wsp_pool *pool, wsp_time now, int64_t account, const char *id) {
  struct conn *conn = conn_by_id(pool, now, account, id);
  if (conn == NULL || conn->pins == 0) {
    return;
  }
  conn->pins--;
  TRACE(pool, WSP_CONN_UNPINNED, account, conn, 0, .values = {conn->pins});
  if (conn->pins > 0) {
    return;
  }
  if (conn->state == CONN_IDLE) {
    if (conn->age_state == AGE_OVER) {
      conn->age_state = AGE_RETIRED; /* the next cleanup is to look at it again */
      wsp_order_add(&conn->account->retired, &conn->in_age, conn->created_at + conn->age_limit,
                    conn->entry);
    }
    wsp_conn_refresh_sets(conn);
    wsp_conn_offer(conn);
  }
  wsp_account_settle(pool, conn->account);
}

static enum wsp_error check_adoption(const struct wsp_pool *pool,
                                     const struct wsp_adoption *adoption) {
  struct wsp_span id = wsp_trim(adoption->id);
  if (adoption->account <= 0 || id.length == 0 || adoption->conn == NULL || adoption->age < 0 ||
      adoption->idle < 0 || adoption->age > WSP_DURATION_MAX || adoption->idle > WSP_DURATION_MAX ||
      wsp_conn_find(pool, wsp_account_find(pool, adoption->account), id) != NULL) {
    return WSP_INVALID_REQUEST;
  }
  if (wsp_trim(adoption->url).length == 0) {
    return WSP_URL_EMPTY;
  }
  return pool->closed ? WSP_POOL_CLOSED : WSP_OK;
}

enum wsp_error wsp_adopt(struct wsp_pool *pool, wsp_time now, const struct wsp_adoption *adoption,
                         struct wsp_conn *name) {
  *name = (struct wsp_conn){0};
  if (pool == NULL) {
    return WSP_POOL_CLOSED;
  }
  wsp_pool_enter(pool, now);
  enum wsp_error error = check_adoption(pool, adoption);
  if (error != WSP_OK) {
    return error;
  }
  struct account *account = wsp_account_obtain(pool, adoption->account);
  struct bucket *bucket =
      account == NULL
          ? NULL
          : wsp_bucket_obtain(pool, account, wsp_trim(adoption->url), wsp_trim(adoption->proxy));
  if (bucket == NULL) {
    return WSP_OUT_OF_MEMORY;
  }
  struct conn *conn = wsp_conn_enter(pool, &(struct conn_entry){
                                               .account = account,
                                               .bucket = bucket,
                                               .id = wsp_trim(adoption->id),
                                               .transport = adoption->conn,
                                               .headers = adoption->headers,
                                               .header_count = adoption->header_count,
                                               .created_at = pool->now - adoption->age,
                                               .last_used_at = pool->now - adoption->idle,
                                               .reason = WSP_REASON_ADOPTED,
                                           });
  wsp_bucket_drop(pool, bucket); /* the conn holds it now, if there is one */
  if (conn == NULL) {
    return WSP_OUT_OF_MEMORY;
  }
  *name = wsp_conn_name(pool, conn);
  wsp_account_settle(pool, account);
  return WSP_OK;
}
