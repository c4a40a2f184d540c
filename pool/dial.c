/*
 * dial.c - dials, for acquires and for prewarm: started, timed out, given up, ended.
 *
 * A dial holds one place (account->creating) until it ends or is given up, and one connection
 * attempt (account->connecting) until the transport has had its word.
 */
#include "pool/internal.h"

static void dial_release(struct wsp_pool *pool, struct dial *dial) {
  wsp_pool_timer_clear(pool, &dial->timer);
  dial->account->connecting--;
  pool->pending_dials--;
  wsp_target_drop(pool, dial->target);
  wsp_slab_give(&pool->dials, dial);
}

/* The dial has lost its op or its prewarm and its place; the transport may still have a word. */
static void give_up(struct wsp_pool *pool, struct dial *dial) {
  wsp_pool_timer_clear(pool, &dial->timer);
  dial->account->creating--;
  dial->op = NULL;
  if (dial->prewarm && dial->account->prewarm_dial == dial) {
    dial->account->prewarm_dial = NULL;
  }
  if (dial->done) {
    dial_release(pool, dial);
    return;
  }
  dial->canceled = true;
  pool->environment.transport->dial_cancel(pool->environment.transport_context, dial->transport);
}

void wsp_dial_cancel(struct wsp_pool *pool, struct dial *dial, enum wsp_reason reason) {
  TRACE(pool, WSP_DIAL_CANCELED, dial->account->last.id, NULL, dial->op ? dial->op->tag : 0,
        .cause = (int)reason, .values = {(int64_t)dial->serial, pool->now - dial->started_at});
  if (dial->op != NULL) {
    dial->op->dial = NULL;
  }
  give_up(pool, dial);
}

/* What a dial that failed leaves to its acquire: an idle conn if there is one by now, else the
 * error with all that the upstream said. */
static void fail_acquire(struct wsp_pool *pool, struct op *op, enum wsp_error error,
                         const struct wsp_dial_result *result) {
  op->dial = NULL;
  op->state = OP_STARTING;
  struct conn *idle = error == WSP_DIAL_FAILED ? wsp_acquire_pick_idle(pool, op) : NULL;
  if (idle != NULL) {
    wsp_acquire_grant(pool, op, idle);
    return;
  }
  op->status = result->status;
  /* Without memory the error is told without its cause. */
  (void)wsp_text_set(&op->cause, &pool->memory, wsp_trim(result->reason));
  (void)wsp_headers_copy(&op->failure_headers, &pool->memory, result->headers,
                         result->header_count);
  wsp_acquire_fail(pool, op, error);
}

/* The dial has not given a conn, and nobody's cancel was the cause. `error` is WSP_DIAL_FAILED or
 * WSP_OUT_OF_MEMORY, which is no failure of the upstream. */
static void dial_fail(struct wsp_pool *pool, struct dial *dial, enum wsp_error error,
                      enum wsp_reason reason, const struct wsp_dial_result *result) {
  struct account *account = dial->account;
  struct op *op = dial->op;
  bool prewarm = dial->prewarm;
  TRACE(pool, WSP_DIAL_FAILED_EVENT, account->last.id, NULL, op ? op->tag : 0, .cause = (int)reason,
        .values = {(int64_t)dial->serial, pool->now - dial->started_at, result->status},
        .texts = {result->reason});
  if (error == WSP_DIAL_FAILED) {
    wsp_prewarm_count_failure(pool, account);
  }
  give_up(pool, dial);
  wsp_account_retire_due(pool, account);
  if (op != NULL) {
    fail_acquire(pool, op, error, result);
  } else if (prewarm) {
    wsp_prewarm_dial_ended(pool, account, false);
  }
}

/* Dials for `op`, or (NULL) for the account's prewarm. The place is reserved already. False: it
 * could not even be started; what follows from that has been done. */
bool wsp_dial_start(struct wsp_pool *pool, struct account *account, struct target *target,
                    struct op *op) {
  struct dial *dial =
      wsp_pool_timer_reserve(pool) ? wsp_slab_take(&pool->dials, &pool->memory) : NULL;
  if (dial == NULL) {
    account->creating--;
    if (op != NULL) {
      fail_acquire(pool, op, WSP_OUT_OF_MEMORY, &(struct wsp_dial_result){0});
    } else {
      wsp_prewarm_dial_ended(pool, account, false);
    }
    return false;
  }
  wsp_target_hold(target);
  dial->account = account;
  dial->target = target;
  dial->op = op;
  dial->prewarm = op == NULL;
  dial->serial = ++pool->next_dial;
  dial->started_at = pool->now;
  account->connecting++;
  pool->pending_dials++;
  wsp_duration timeout = pool->config.dial_timeout;
  if (dial->prewarm) {
    timeout = wsp_time_add(timeout, pool->config.prewarm_extra_delay);
    account->prewarm_dial = dial;
  } else {
    op->dial = dial;
    op->state = OP_DIALING;
    wsp_op_wait_until_deadline(pool, op);
  }
  dial->deadline = wsp_time_add(pool->now, timeout);
  wsp_pool_timer_set(pool, &dial->timer, TIMER_DIAL, dial, dial->deadline);
  TRACE(pool, WSP_DIAL_STARTED, account->last.id, NULL, op ? op->tag : 0,
        .cause = op ? WSP_REASON_ACQUIRE : WSP_REASON_PREWARM, .values = {(int64_t)dial->serial},
        .texts = {target->bucket->url.text, target->bucket->proxy.text});
  struct wsp_dial_request request = {
      .account = account->last.id,
      .url = target->bucket->url.text,
      .proxy = target->bucket->proxy.text,
      .headers = target->headers.items,
      .header_count = target->headers.count,
      .prewarm = dial->prewarm,
  };
  enum wsp_error error = pool->environment.transport->dial(
      pool->environment.transport_context,
      (struct wsp_dial){pool, dial->slot.slot, dial->slot.generation}, &request, &dial->transport);
  if (error != WSP_OK) {
    dial->done = true;
    dial_fail(pool, dial, error == WSP_OUT_OF_MEMORY ? error : WSP_DIAL_FAILED,
              error == WSP_OUT_OF_MEMORY ? WSP_REASON_OUT_OF_MEMORY : WSP_REASON_REFUSED,
              &(struct wsp_dial_result){.reason = "the transport could not start it"});
    return false;
  }
  return true;
}

void wsp_dial_timer_fired(struct wsp_pool *pool, struct dial *dial) {
  struct account *account = dial->account;
  if (dial->op != NULL && wsp_op_overdue(pool, dial->op)) {
    /* Both are behind us, since time has jumped: the caller's own deadline goes first. */
    wsp_acquire_end(pool, dial->op, WSP_DEADLINE_EXCEEDED);
  } else {
    dial_fail(pool, dial, WSP_DIAL_FAILED, WSP_REASON_TIMEOUT,
              &(struct wsp_dial_result){.reason = "timeout"});
  }
  wsp_account_settle(pool, account);
}

static struct wsp_conn take_conn(struct wsp_pool *pool, struct dial *dial,
                                 const struct wsp_dial_result *result) {
  struct account *account = dial->account;
  struct op *op = dial->op;
  wsp_prewarm_count_success(account);
  if (dial->prewarm && account->conns >= account->effective_max) {
    wsp_dial_cancel(pool, dial, WSP_REASON_OVER_MAXIMUM);
    wsp_prewarm_dial_ended(pool, account, false);
    return (struct wsp_conn){0};
  }
  TRACE(pool, WSP_DIAL_SUCCEEDED, account->last.id, NULL, op ? op->tag : 0,
        .cause = op ? WSP_REASON_ACQUIRE : WSP_REASON_PREWARM,
        .values = {(int64_t)dial->serial, pool->now - dial->started_at});
  struct conn *conn =
      wsp_conn_enter(pool, &(struct conn_entry){
                               .account = account,
                               .bucket = dial->target->bucket,
                               .transport = result->conn,
                               .headers = result->headers,
                               .header_count = result->header_count,
                               .created_at = pool->now,
                               .last_used_at = pool->now,
                               .reason = op ? WSP_REASON_ACQUIRE : WSP_REASON_PREWARM,
                               .holder = op,
                           });
  if (conn == NULL) {
    dial_fail(pool, dial, WSP_OUT_OF_MEMORY, WSP_REASON_OUT_OF_MEMORY,
              &(struct wsp_dial_result){0});
    return (struct wsp_conn){0};
  }
  if (op != NULL) {
    op->dial = NULL;
    wsp_acquire_granted(pool, op, conn, false);
  }
  bool prewarm = dial->prewarm;
  give_up(pool, dial);
  if (prewarm) {
    wsp_prewarm_dial_ended(pool, account, true);
  }
  return wsp_conn_name(pool, conn);
}

struct wsp_conn wsp_dial_done(struct wsp_dial name, wsp_time now,
                              const struct wsp_dial_result *result) {
  struct wsp_pool *pool = name.pool;
  struct wsp_conn conn = {0};
  struct dial *dial = pool == NULL ? NULL : wsp_slab_find(&pool->dials, name.slot, name.generation);
  if (dial == NULL) {
    return conn;
  }
  wsp_pool_enter(pool, now);
  struct account *account = dial->account;
  dial->done = true;
  if (dial->canceled) {
    TRACE(pool, WSP_DIAL_ENDED, account->last.id, NULL, 0, .values = {(int64_t)dial->serial});
    dial_release(pool, dial);
  } else if (dial->op != NULL && wsp_op_overdue(pool, dial->op)) {
    wsp_acquire_end(pool, dial->op, WSP_DEADLINE_EXCEEDED);
  } else if (pool->now >= dial->deadline) {
    dial_fail(pool, dial, WSP_DIAL_FAILED, WSP_REASON_TIMEOUT,
              &(struct wsp_dial_result){.reason = "timeout"});
  } else if (result->error == WSP_OK && result->conn != NULL) {
    conn = take_conn(pool, dial, result);
  } else if (result->error == WSP_OK) {
    struct wsp_dial_result nil = *result;
    nil.reason = "nil connection";
    dial_fail(pool, dial, WSP_DIAL_FAILED, WSP_REASON_NIL_CONNECTION, &nil);
  } else {
    bool memory = result->error == WSP_OUT_OF_MEMORY;
    dial_fail(pool, dial, memory ? WSP_OUT_OF_MEMORY : WSP_DIAL_FAILED,
              memory ? WSP_REASON_OUT_OF_MEMORY : WSP_REASON_REFUSED, result);
  }
  wsp_account_settle(pool, account);
  return conn;
}
