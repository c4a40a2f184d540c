/*
 * ping.c - pings: of a conn before it is lent, of the sweep, of a borrower.
 *
 * A conn has one ping under way at most, and whoever asks meanwhile shares its answer. The ping
 * that the transport sends is one thing; those who wait for it are marks on the conn: `checking`
 * (a health check; the conn counts as leased), `ping_for_sweep`, and the borrower's operations. The
 * first two bring a timeout that ends the ping for all who are not borrowers; each borrower's ping
 * has a deadline of its own, which ends it alone.
 */
#include <string.h>

#include "pool/internal.h"

static void send(struct wsp_pool *pool, struct conn *conn) {
  conn->pinging = true;
  pool->pending_pings++;
  TRACE(pool, WSP_PING_STARTED, conn->account->last.id, conn, conn->ping_tag,
        .cause = (int)conn->ping_reason);
  enum wsp_error error =
      pool->environment.transport->ping(pool->environment.transport_context, conn->transport);
  conn->ping_unsent = error != WSP_OK;
  if (conn->ping_unsent) { /* it fails at the next advance, like any other */
    wsp_pool_timer_clear(pool, &conn->ping_timer);
    wsp_pool_timer_set(pool, &conn->ping_timer, TIMER_PING, conn, pool->now);
  }
}

static void begin(struct wsp_pool *pool, struct conn *conn, enum wsp_reason reason,
                  wsp_duration timeout, uint64_t tag) {
  conn->ping_reason = reason;
  conn->ping_timeout = timeout;
  conn->ping_tag = tag;
  conn->ping_started = pool->now;
  if (timeout != WSP_TIME_NEVER) {
    wsp_pool_timer_set(pool, &conn->ping_timer, TIMER_PING, conn, wsp_time_add(pool->now, timeout));
  }
  if (conn->ping_canceled) {
    /* The transport has not confirmed the cancel of the last one: this one is sent then. */
    conn->ping_again = true;
    TRACE(pool, WSP_PING_JOINED, conn->account->last.id, conn, tag, .cause = (int)reason);
  } else {
    send(pool, conn);
  }
}

/* An acquire waits no longer than its own timeout for a ping that was under way before it. */
static void hasten(struct wsp_pool *pool, struct conn *conn, wsp_duration timeout) {
  wsp_time end = wsp_time_add(pool->now, timeout);
  if (end < wsp_time_add(conn->ping_started, conn->ping_timeout)) {
    conn->ping_timeout = end - conn->ping_started;
    wsp_pool_timer_clear(pool, &conn->ping_timer);
    wsp_pool_timer_set(pool, &conn->ping_timer, TIMER_PING, conn, end);
  }
}

/* Joins the ping under way or begins one. */
static void ask(struct wsp_pool *pool, struct conn *conn, enum wsp_reason reason,
                wsp_duration timeout, uint64_t tag) {
  if ((conn->pinging && !conn->ping_canceled) || conn->ping_again) {
    TRACE(pool, WSP_PING_JOINED, conn->account->last.id, conn, tag, .cause = (int)reason);
    if (reason == WSP_REASON_HEALTH_CHECK) {
      hasten(pool, conn, timeout);
    }
  } else {
    begin(pool, conn, reason, timeout, tag);
  }
}

void wsp_ping_for_acquire(struct wsp_pool *pool, struct op *op, struct conn *conn) {
  conn->checking = true;
  ask(pool, conn, WSP_REASON_HEALTH_CHECK, pool->config.health_check_timeout, op->tag);
}

void wsp_ping_for_sweep(struct wsp_pool *pool, struct conn *conn) {
  conn->ping_for_sweep = true;
  conn->ping_interrupted = false;
  ask(pool, conn, WSP_REASON_SWEEP, pool->config.probe_timeout, 0);
}

static void cancel_transport_ping(struct wsp_pool *pool, struct conn *conn) {
  wsp_pool_timer_clear(pool, &conn->ping_timer);
  if (conn->ping_unsent) {
    conn->pinging = false;
    conn->ping_unsent = false;
    pool->pending_pings--;
    return;
  }
  conn->ping_canceled = true;
  pool->pending_ping_cancels++;
  pool->environment.transport->ping_cancel(pool->environment.transport_context, conn->transport);
}

/* Gives up the ping under way when nobody waits for it any more. */
void wsp_ping_drop_if_unwanted(struct wsp_pool *pool, struct conn *conn) {
  if (conn->checking || conn->ping_for_sweep || conn->pings != NULL) {
    return;
  }
  if (conn->ping_again) {
    conn->ping_again = false;
    wsp_pool_timer_clear(pool, &conn->ping_timer);
  } else if (conn->pinging && !conn->ping_canceled) {
    TRACE(pool, WSP_PING_CANCELED, conn->account->last.id, conn, conn->ping_tag,
          .cause = (int)conn->ping_reason, .values = {pool->now - conn->ping_started});
    cancel_transport_ping(pool, conn);
  }
}

/* The conn leaves: the transport says no more of its ping. */
void wsp_ping_forget(struct wsp_pool *pool, struct conn *conn) {
  wsp_ping_end_ops(pool, conn, WSP_CONN_CLOSED, NULL);
  wsp_pool_timer_clear(pool, &conn->ping_timer);
  if (conn->pinging) {
    pool->pending_pings--;
    pool->pending_ping_cancels -= conn->ping_canceled;
    if (!conn->ping_canceled) {
      TRACE(pool, WSP_PING_CANCELED, conn->account->last.id, conn, conn->ping_tag,
            .cause = (int)conn->ping_reason, .values = {pool->now - conn->ping_started});
    }
  }
  conn->pinging = false;
  conn->ping_canceled = false;
  conn->ping_again = false;
  if (conn->ping_for_sweep) {
    conn->ping_for_sweep = false;
    wsp_sweep_ping_ended(pool, conn->account, false);
  }
}

void wsp_ping_end_ops(struct wsp_pool *pool, struct conn *conn, enum wsp_error error,
                      const char *reason) {
  while (conn->pings != NULL) {
    struct op *op = conn->pings;
    conn->pings = op->next_io;
    op->next_io = NULL;
    bool overdue = wsp_op_overdue(pool, op);
    if (error == WSP_PING_FAILED && !overdue) {
      (void)wsp_text_set(&op->cause, &pool->memory, wsp_trim(reason));
    }
    wsp_op_complete(pool, op, overdue && error != WSP_CONN_CLOSED ? WSP_DEADLINE_EXCEEDED : error);
  }
}

/* A borrower's ping ends by itself: cancelled, or past its deadline. */
void wsp_ping_end_op(struct wsp_pool *pool, struct op *op, enum wsp_error error) {
  if (op->state == OP_COMPLETED) {
    op->error = error;
    return;
  }
  struct conn *conn = op->conn;
  struct op **at = &conn->pings;
  while (*at != op) {
    at = &(*at)->next_io;
  }
  *at = op->next_io;
  op->next_io = NULL;
  wsp_op_complete(pool, op, error);
  wsp_ping_drop_if_unwanted(pool, conn);
}

static void decide_health_check(struct wsp_pool *pool, struct conn *conn, bool answered) {
  struct op *op = conn->holder;
  conn->checking = false;
  if (answered) {
    if (op == NULL) {
      wsp_conn_free(pool, conn, false);
    } else if (wsp_op_overdue(pool, op)) {
      wsp_acquire_end(pool, op, WSP_DEADLINE_EXCEEDED);
      wsp_conn_free(pool, conn, false);
    } else {
      wsp_acquire_granted(pool, op, conn, true);
    }
    return;
  }
  conn->holder = NULL;
  if (op != NULL) {
    op->conn = NULL;
  }
  wsp_conn_leave(pool, conn, WSP_REASON_PING_FAILED);
  if (op == NULL) {
    return;
  }
  if (wsp_op_overdue(pool, op)) {
    op->state = OP_STARTING;
    wsp_op_complete(pool, op, WSP_DEADLINE_EXCEEDED);
    return;
  }
  op->ping_failures++;
  op->goes_first = true;
  wsp_acquire_restart(pool, op);
}

/* The ping has an answer for everybody who waits for it. `reason` of a failure may be NULL. */
static void decide(struct wsp_pool *pool, struct conn *conn, bool answered, const char *reason) {
  struct account *account = conn->account;
  bool for_sweep = conn->ping_for_sweep;
  bool evicted = false;
  conn->ping_for_sweep = false;
  wsp_ping_end_ops(pool, conn, answered ? WSP_OK : WSP_PING_FAILED, reason);
  if (conn->checking) {
    decide_health_check(pool, conn, answered);
  } else if (for_sweep && !answered && conn->state == CONN_IDLE && !conn->ping_interrupted) {
    /* Only if it has been idle all along: one lent meanwhile belongs to its borrower. */
    wsp_conn_leave(pool, conn, WSP_REASON_PING_FAILED);
    evicted = true;
  }
  if (for_sweep) {
    wsp_sweep_ping_ended(pool, account, evicted);
  }
  wsp_account_settle(pool, account);
}

static void fail(struct wsp_pool *pool, struct conn *conn, enum wsp_reason cause,
                 const char *reason) {
  TRACE(pool, WSP_PING_FAILED_EVENT, conn->account->last.id, conn, conn->ping_tag,
        .cause = (int)cause, .values = {pool->now - conn->ping_started}, .texts = {reason});
  decide(pool, conn, false, reason);
}

/* Borrowers wait on by their own deadlines when the timeout of the sweep that pinged is over. */
static bool is_borrowers_alone(const struct conn *conn) {
  return conn->pings != NULL && !conn->checking && !conn->ping_unsent;
}

void wsp_ping_timer_fired(struct wsp_pool *pool, struct conn *conn) {
  bool unsent = conn->ping_unsent;
  if (is_borrowers_alone(conn)) {
    conn->ping_for_sweep = false;
    wsp_sweep_ping_ended(pool, conn->account, false);
    wsp_account_settle(pool, conn->account);
    return;
  }
  if (conn->ping_again) {
    conn->ping_again = false; /* never sent: the one before is still being cancelled */
  } else {
    cancel_transport_ping(pool, conn);
  }
  fail(pool, conn, unsent ? WSP_REASON_REFUSED : WSP_REASON_TIMEOUT,
       unsent ? "the transport could not send it" : "timeout");
}

static struct conn *conn_by_name(struct wsp_conn name, wsp_time now) {
  if (name.pool == NULL) {
    return NULL;
  }
  wsp_pool_enter(name.pool, now);
  struct conn *conn = wsp_slab_find(&name.pool->conns, name.slot, name.generation);
  return conn == NULL || conn->state == CONN_CLOSING ? NULL : conn;
}

void wsp_ping_done(struct wsp_conn name, wsp_time now, enum wsp_error error, const char *reason) {
  struct wsp_pool *pool = name.pool;
  struct conn *conn = conn_by_name(name, now);
  if (conn == NULL || !conn->pinging) {
    return;
  }
  if (conn->ping_canceled) {
    conn->pinging = false;
    conn->ping_canceled = false;
    pool->pending_pings--;
    pool->pending_ping_cancels--;
    if (conn->ping_again) {
      conn->ping_again = false;
      send(pool, conn);
    }
    wsp_close_check(pool);
    return;
  }
  wsp_pool_timer_clear(pool, &conn->ping_timer);
  conn->pinging = false;
  pool->pending_pings--;
  if (pool->now - conn->ping_started >= conn->ping_timeout && !is_borrowers_alone(conn)) {
    fail(pool, conn, WSP_REASON_TIMEOUT, "timeout"); /* a timeout beats an answer */
  } else if (error != WSP_OK) {
    fail(pool, conn, WSP_REASON_REFUSED, reason != NULL ? reason : wsp_error_text(error));
  } else {
    TRACE(pool, WSP_PING_SUCCEEDED, conn->account->last.id, conn, conn->ping_tag,
          .cause = (int)conn->ping_reason, .values = {pool->now - conn->ping_started});
    decide(pool, conn, true, NULL);
  }
}

enum wsp_error wsp_lease_ping(const struct wsp_io_request *request, wsp_time now,
                              struct wsp_op *name) {
  return wsp_io_start(request, now, OP_PING, name);
}

/* A borrower's ping, checked already. */
void wsp_ping_for_lease(struct wsp_pool *pool, struct op *op, struct conn *conn) {
  struct op **at = &conn->pings;
  while (*at != NULL) {
    at = &(*at)->next_io;
  }
  *at = op;
  wsp_op_wait_until_deadline(pool, op);
  ask(pool, conn, WSP_REASON_LEASE, WSP_TIME_NEVER, op->tag);
}
