/*
 * request.c - acquires as they come in: checked and started, or served at once.
 */
#include <string.h>

#include "pool/internal.h"

static enum wsp_error check(const struct wsp_pool *pool,
                            const struct wsp_acquire_request *request) {
  if (request->account.id <= 0) {
    return WSP_INVALID_REQUEST;
  }
  if (wsp_is_blank(request->url)) {
    return WSP_URL_EMPTY;
  }
  return pool->closed ? WSP_POOL_CLOSED : WSP_OK;
}

static bool overdue(const struct wsp_pool *pool, const struct wsp_acquire_request *request) {
  return request->deadline != 0 && pool->now >= request->deadline;
}

static void trace_started(struct wsp_pool *pool, const struct wsp_acquire_request *request,
                          const struct account *account, const char *url, const char *proxy) {
  int64_t flags = (request->force_new_conn ? WSP_FLAG_FORCE_NEW_CONN : 0) |
                  (request->force_preferred_conn ? WSP_FLAG_FORCE_PREFERRED_CONN : 0) |
                  (request->canceled ? WSP_FLAG_CANCELED : 0);
  TRACE(pool, WSP_ACQUIRE_STARTED, request->account.id, NULL, request->tag,
        .values = {request->deadline, account == NULL ? 0 : account->effective_max, flags},
        .texts = {url, proxy});
}

/* Ids are short, so that nothing is allocated for them as a rule. */
static bool keep_preferred(struct wsp_pool *pool, struct op *op, struct wsp_span id) {
  char *copy = op->preferred_space;
  if (id.length >= sizeof op->preferred_space) {
    copy = wsp_memory_allocate(&pool->memory, id.length + 1);
    if (copy == NULL) {
      return false;
    }
  }
  memcpy(copy, id.text, id.length);
  op->preferred = (struct wsp_span){copy, id.length};
  return true;
}

/* Starts `op` on its account: what can be said at once is said, else a conn is chosen. */
static void start(struct wsp_pool *pool, struct op *op, const struct wsp_acquire_request *request) {
  struct account *account = wsp_account_obtain(pool, request->account.id);
  if (account == NULL) {
    trace_started(pool, request, NULL, request->url, request->proxy);
    wsp_acquire_fail(pool, op, WSP_OUT_OF_MEMORY);
    return;
  }
  wsp_account_know(pool, account, &request->account);
  op->account = account;
  wsp_order_add(&account->acquires, &op->in_acquires, (int64_t)op->arrival, 0);
  op->force_new = request->force_new_conn;
  op->force_preferred = request->force_preferred_conn && !request->force_new_conn;
  op->target = wsp_target_obtain(pool, account, request->url, request->proxy, request->headers,
                                 request->header_count);
  bool memory = op->target != NULL && keep_preferred(pool, op, wsp_trim(request->preferred_conn));
  if (memory) {
    trace_started(pool, request, account, op->target->bucket->url.text,
                  op->target->bucket->proxy.text);
  } else {
    trace_started(pool, request, account, request->url, request->proxy);
  }
  if (!memory) {
    wsp_acquire_fail(pool, op, WSP_OUT_OF_MEMORY);
  } else if (request->canceled) {
    wsp_acquire_fail(pool, op, WSP_CANCELED);
  } else if (wsp_op_overdue(pool, op)) {
    wsp_acquire_fail(pool, op, WSP_DEADLINE_EXCEEDED);
  } else if (account->effective_max == 0) {
    wsp_acquire_fail(pool, op, WSP_QUEUE_FULL);
  } else {
    wsp_acquire_route(pool, op);
  }
  wsp_account_settle(pool, account);
}

enum wsp_error wsp_acquire(struct wsp_pool *pool, wsp_time now,
                           const struct wsp_acquire_request *request, wsp_acquire_callback callback,
                           void *context, struct wsp_op *name) {
  if (name != NULL) {
    *name = (struct wsp_op){0};
  }
  if (pool == NULL) {
    return WSP_POOL_CLOSED;
  }
  wsp_pool_enter(pool, now);
  pool->metrics.acquire_total++;
  struct op *op = wsp_op_create(pool, OP_ACQUIRE);
  if (op == NULL) {
    return WSP_OUT_OF_MEMORY;
  }
  op->acquire_callback = callback;
  op->context = context;
  op->tag = request->tag;
  op->deadline = request->deadline == 0 ? WSP_TIME_NEVER : request->deadline;
  op->arrival = ++pool->next_arrival;
  if (name != NULL) {
    *name = wsp_op_name(pool, op);
  }
  enum wsp_error error = check(pool, request);
  if (error != WSP_OK) {
    trace_started(pool, request, NULL, request->url, request->proxy);
    wsp_acquire_fail(pool, op, error);
  } else {
    start(pool, op, request);
  }
  return WSP_OK;
}

/* The conn that a lone acquire would be lent at once, or NULL. */
static struct conn *idle_conn(const struct wsp_pool *pool, struct account *account,
                              const struct wsp_acquire_request *request) {
  const struct bucket *bucket =
      wsp_bucket_find(pool, account, wsp_trim(request->url), wsp_trim(request->proxy));
  if (bucket == NULL) {
    return NULL;
  }
  struct wsp_span preferred = wsp_trim(request->preferred_conn);
  struct conn *conn = wsp_conn_find(pool, account, preferred);
  if (conn == NULL || conn->state != CONN_IDLE || conn->bucket != bucket ||
      (conn->age_state != AGE_FRESH && conn->pins == 0)) {
    conn = request->force_preferred_conn ? NULL : wsp_bucket_first_idle(bucket);
    if (conn == NULL) {
      return NULL;
    }
  }
  return pool->now - conn->last_used_at >= pool->config.health_check_idle ? NULL : conn;
}

/* `account` may be NULL: the pool does not have it. */
static enum wsp_error check_now(const struct wsp_pool *pool, const struct account *account,
                                const struct wsp_acquire_request *request) {
  enum wsp_error error = check(pool, request);
  if (error != WSP_OK) {
    return error;
  }
  if (request->canceled) {
    return WSP_CANCELED;
  }
  if (overdue(pool, request)) {
    return WSP_DEADLINE_EXCEEDED;
  }
  int64_t most = account != NULL && wsp_account_is_known(account, &request->account)
                     ? account->effective_max
                     : wsp_config_effective_max(&pool->config, &request->account);
  return most == 0 ? WSP_QUEUE_FULL : WSP_OK;
}

/* What happens besides to an account when one of its idle conns is lent. */
static void after_lending(struct wsp_pool *pool, struct account *account) {
  if (wsp_cleanup_due(pool, account)) {
    wsp_cleanup_account(pool, account, WSP_REASON_ACQUIRE);
    wsp_account_settle(pool, account); /* waiters go before prewarm */
  }
  wsp_prewarm_consider(pool, account);
  wsp_account_settle(pool, account);
}

/* An acquire that fails at once counts like any other. */
static enum wsp_error refuse(struct wsp_pool *pool, const struct wsp_acquire_request *request,
                             enum wsp_error error) {
  pool->metrics.acquire_total++;
  struct account *account =
      check(pool, request) == WSP_OK ? wsp_account_find(pool, request->account.id) : NULL;
  if (account != NULL) {
    wsp_account_know(pool, account, &request->account);
  }
  trace_started(pool, request, account, request->url, request->proxy);
  TRACE(pool, WSP_ACQUIRE_FAILED, request->account.id, NULL, request->tag, .cause = (int)error,
        .texts = {wsp_error_text(error)});
  return error;
}

static enum wsp_error lend_now(struct wsp_pool *pool, struct account *account, struct conn *conn,
                               const struct wsp_acquire_request *request, struct wsp_lease *lease) {
  struct target *target =
      wsp_target_of_bucket(pool, conn->bucket, request->headers, request->header_count);
  if (target == NULL) {
    return WSP_OUT_OF_MEMORY;
  }
  pool->metrics.acquire_total++;
  pool->metrics.conn_pick_total++;
  trace_started(pool, request, account, target->bucket->url.text, target->bucket->proxy.text);
  TRACE(pool, WSP_ACQUIRE_PICKED, account->last.id, NULL, request->tag, .cause = 0);
  wsp_conn_lease(conn);
  conn->reused = true;
  wsp_lease_lend(pool, conn, request->tag, 0, 0, false);
  wsp_account_remember(pool, account, target);
  wsp_target_drop(pool, target);
  *lease = (struct wsp_lease){pool, conn->slot.slot, conn->lease_generation};
  /* Not before it is lent: a larger maximum serves waiters, who must not have this conn evicted. */
  wsp_account_know(pool, account, &request->account);
  after_lending(pool, account);
  return WSP_OK;
}

enum wsp_error wsp_try_acquire(struct wsp_pool *pool, wsp_time now,
                               const struct wsp_acquire_request *request, struct wsp_lease *lease) {
  *lease = (struct wsp_lease){0};
  if (pool == NULL) {
    return WSP_POOL_CLOSED;
  }
  wsp_pool_enter(pool, now);
  struct account *account = wsp_account_find(pool, request->account.id);
  enum wsp_error error = check_now(pool, account, request);
  if (error != WSP_OK) {
    return refuse(pool, request, error);
  }
  if (account == NULL || request->force_new_conn) {
    return WSP_WOULD_WAIT;
  }
  wsp_account_retire_due(pool, account);
  struct conn *conn = idle_conn(pool, account, request);
  if (conn == NULL) {
    return WSP_WOULD_WAIT;
  }
  return lend_now(pool, account, conn, request, lease);
}
