/*
 * acquire.c - the way of an acquire: checked, a conn chosen, granted or failed, delivered.
 */
#include <assert.h>

#include "pool/internal.h"

/* A conn that the acquire may take at this moment, or NULL. */
struct conn *wsp_acquire_pick_idle(struct wsp_pool *pool, struct op *op) {
  struct account *account = op->account;
  if (op->force_new || op->ping_failures >= 2) {
    return NULL;
  }
  if (op->preferred.length > 0) {
    struct conn *conn =
        wsp_conn_find(pool, account, (struct wsp_span){op->preferred.text, op->preferred.length});
    if (conn != NULL && conn->state == CONN_IDLE && wsp_conn_usable_by_name(conn, op)) {
      return conn;
    }
  }
  return op->force_preferred ? NULL : wsp_bucket_first_idle(op->target->bucket);
}

/* Only the conn that it names will do. */
static void route_to_preferred(struct wsp_pool *pool, struct op *op, bool first_time) {
  struct wsp_span id = {op->preferred.text, op->preferred.length};
  struct conn *conn = wsp_conn_find(pool, op->account, id);
  if (conn == NULL || !wsp_conn_usable_by_name(conn, op)) {
    wsp_acquire_fail(pool, op, WSP_PREFERRED_UNAVAILABLE);
  } else if (conn->state == CONN_IDLE) { /* not picked, since two pings have failed */
    wsp_acquire_fail(pool, op, WSP_PING_FAILED);
  } else if (first_time && conn->waiters >= pool->config.queue_limit_per_conn) {
    wsp_acquire_fail(pool, op, WSP_QUEUE_FULL);
  } else {
    wsp_wait_begin(pool, op, conn);
  }
}

static void queue_up(struct wsp_pool *pool, struct op *op, bool first_time) {
  struct account *account = op->account;
  int64_t limit = pool->config.queue_limit_per_conn;
  struct conn *conn = NULL;
  if (op->preferred.length > 0) {
    conn =
        wsp_conn_find(pool, account, (struct wsp_span){op->preferred.text, op->preferred.length});
    if (conn != NULL && (!wsp_conn_usable_by_name(conn, op) || conn->waiters >= limit)) {
      conn = NULL;
    }
  }
  if (conn == NULL) {
    conn = wsp_wait_choose_conn(op);
  }
  if (conn == NULL && account->creating == 0 && account->unplaced.first == NULL) {
    /* Sent back to an account that was shut off meanwhile; nothing else leads here. */
    wsp_acquire_fail(pool, op, account->effective_max <= 0 ? WSP_QUEUE_FULL : WSP_CONN_CLOSED);
    return;
  }
  bool full;
  if (conn != NULL) {
    full = conn->waiters >= limit;
  } else { /* compared without a product that could overflow */
    full = account->connless / limit >= account->creating;
  }
  if (first_time && full) {
    wsp_acquire_fail(pool, op, WSP_QUEUE_FULL);
    return;
  }
  wsp_wait_begin(pool, op, conn);
}

/* Whether room, if there is any, is this acquire's to take. One that was sent back to the choice
 * leaves it to waiters who came before it, unless its ping has just failed; one that wants a new
 * conn can not wait. */
static bool is_in_turn(const struct op *op) {
  const struct wsp_node *waiter = op->account->unplaced.first;
  return waiter == NULL || op->goes_first || op->force_new || (int64_t)op->arrival < waiter->key;
}

/* No conn can be taken: room is used or made, or the acquire queues. */
static void dial_or_queue(struct wsp_pool *pool, struct op *op, bool first_time) {
  struct account *account = op->account;
  bool in_turn = is_in_turn(op);
  if (in_turn && !wsp_account_has_room(account) && op->ping_failures < 2) {
    wsp_account_make_room(pool, account);
  }
  if (in_turn && wsp_account_has_room(account)) {
    account->creating++;
    if (wsp_account_may_connect(pool, account) && account->placed.first == NULL) {
      wsp_dial_start(pool, account, op->target, op);
    } else {
      op->has_place = true;
      wsp_wait_begin(pool, op, NULL);
    }
  } else if (op->ping_failures >= 2) {
    wsp_acquire_fail(pool, op, WSP_PING_FAILED);
  } else if (op->force_new) {
    wsp_acquire_fail(pool, op, WSP_QUEUE_FULL);
  } else {
    queue_up(pool, op, first_time);
  }
}

static wsp_time pick_clock(const struct wsp_pool *pool) {
  return pool->environment.pick_clock == NULL
             ? 0
             : pool->environment.pick_clock(pool->environment.pick_clock_context);
}

static void count_pick(struct wsp_pool *pool, struct op *op, wsp_time started) {
  wsp_duration taken = pick_clock(pool) - started;
  taken = taken > 0 ? taken : 0;
  op->conn_pick += taken;
  pool->conn_pick_ns += taken;
  pool->metrics.conn_pick_total++;
  TRACE(pool, WSP_ACQUIRE_PICKED, op->account->last.id, NULL, op->tag, .values = {taken});
}

/* The choice of a conn: an idle one, a dial, the queue, or an error. */
void wsp_acquire_route(struct wsp_pool *pool, struct op *op) {
  struct account *account = op->account;
  bool first_time = !op->entered;
  op->entered = true;
  op->state = OP_STARTING;
  if (pool->closed) { /* it had been granted a conn before the close, and lost it */
    wsp_acquire_fail(pool, op, WSP_POOL_CLOSED);
    return;
  }
  wsp_time started = pick_clock(pool);
  wsp_account_retire_due(pool, account);
  struct conn *conn = wsp_acquire_pick_idle(pool, op);
  count_pick(pool, op, started);
  if (conn != NULL) {
    wsp_acquire_grant(pool, op, conn);
  }
  if (first_time && wsp_cleanup_due(pool, account)) {
    /* After the pick, so that it can not trim what this acquire could have taken; and what it
     * frees belongs to those who wait already. */
    wsp_cleanup_account(pool, account, WSP_REASON_ACQUIRE);
    wsp_account_settle(pool, account);
  }
  if (conn != NULL) {
    op->goes_first = false;
    return;
  }
  if (op->force_preferred && !op->force_new) {
    route_to_preferred(pool, op, first_time);
  } else {
    dial_or_queue(pool, op, first_time);
  }
  op->goes_first = false;
}

/* `conn` is idle and becomes the acquire's: at once, or after a ping when it has been idle for
 * long. */
void wsp_acquire_grant(struct wsp_pool *pool, struct op *op, struct conn *conn) {
  wsp_conn_lease(conn);
  conn->holder = op;
  op->conn = conn;
  if (pool->now - conn->last_used_at >= pool->config.health_check_idle) {
    op->state = OP_PINGING;
    wsp_op_wait_until_deadline(pool, op);
    wsp_ping_for_acquire(pool, op, conn);
  } else {
    wsp_acquire_granted(pool, op, conn, true);
  }
}

/* `conn` is leased and held for `op`: only the delivery is left. */
void wsp_acquire_granted(struct wsp_pool *pool, struct op *op, struct conn *conn, bool reused) {
  conn->holder = op;
  conn->reused = reused;
  op->conn = conn;
  wsp_op_complete(pool, op, WSP_OK);
}

void wsp_acquire_fail(struct wsp_pool *pool, struct op *op, enum wsp_error error) {
  wsp_op_complete(pool, op, error);
}

/* The conn that was meant for `op` has left before `op` had it: back to the choice. */
void wsp_acquire_restart(struct wsp_pool *pool, struct op *op) {
  if (op->state == OP_COMPLETED) {
    wsp_op_uncomplete(pool, op);
    wsp_op_wait_until_deadline(pool, op);
  }
  op->conn = NULL;
  op->state = OP_RESTARTING;
  wsp_order_add(&op->account->restarts, &op->in_special, (int64_t)op->arrival, 0);
}

/* Ends an acquire from any state; what it had been given goes back (a settle must follow). */
void wsp_acquire_end(struct wsp_pool *pool, struct op *op, enum wsp_error error) {
  struct conn *conn = op->conn;
  switch (op->state) {
    case OP_WAITING:
      wsp_wait_end(pool, op);
      break;
    case OP_DIALING: {
      enum wsp_reason reason = error == WSP_CANCELED            ? WSP_REASON_CANCELED
                               : error == WSP_DEADLINE_EXCEEDED ? WSP_REASON_DEADLINE
                                                                : WSP_REASON_POOL_CLOSED;
      wsp_dial_cancel(pool, op->dial, reason);
      break;
    }
    case OP_PINGING: /* the ping goes on and decides what becomes of the conn */
      conn->holder = NULL;
      op->conn = NULL;
      break;
    case OP_RESTARTING:
      wsp_order_remove(&op->account->restarts, &op->in_special);
      break;
    case OP_COMPLETED: /* granted, not delivered */
      if (op->error != WSP_OK) {
        return;
      }
      op->conn = NULL;
      op->error = error;
      wsp_conn_free(pool, conn, false);
      return;
    case OP_STARTING:
    case OP_PENDING:
    case OP_DELIVERED:
      break;
  }
  wsp_op_complete(pool, op, error);
}

/* The account's last successful acquire is what prewarm dials. */
void wsp_account_remember(struct wsp_pool *pool, struct account *account, struct target *target) {
  if (account->template_ != target) {
    wsp_target_hold(target);
    wsp_target_drop(pool, account->template_);
    account->template_ = target;
  }
}

/* The conn is leased: it gets its lease's name, and what the borrower may ask of it. */
void wsp_lease_lend(struct wsp_pool *pool, struct conn *conn, uint64_t tag, wsp_duration queue_wait,
                    wsp_duration conn_pick, bool queued) {
  conn->holder = NULL;
  pool->next_lease += pool->next_lease == UINT32_MAX ? 2 : 1;
  conn->lease_generation = pool->next_lease;
  conn->leased_at = pool->now;
  conn->queue_wait = queue_wait;
  conn->conn_pick = conn_pick;
  conn->lease_tag = tag;
  if (conn->reused) {
    pool->metrics.acquire_reuse_total++;
  } else {
    pool->metrics.acquire_create_total++;
  }
  TRACE(pool, WSP_ACQUIRE_GRANTED, conn->account->last.id, conn, tag,
        .values = {queue_wait, conn->reused, queued});
}

static void deliver_failure(struct wsp_pool *pool, struct op *op,
                            struct wsp_acquire_result *result) {
  size_t size = 0;
  char *text = wsp_text_of_failure(&pool->memory, op->error, op->status,
                                   (struct wsp_span){op->cause.text, op->cause.length}, &size);
  result->error_text = text != NULL ? text : wsp_error_text(op->error);
  result->status = op->status;
  result->cause = op->cause.text != NULL ? op->cause.text : "";
  result->headers = op->failure_headers.items;
  result->header_count = op->failure_headers.count;
  TRACE(pool, WSP_ACQUIRE_FAILED, op->account == NULL ? 0 : op->account->last.id, NULL, op->tag,
        .cause = (int)op->error, .values = {op->queue_wait, op->status, op->queued},
        .texts = {result->error_text});
  if (op->acquire_callback != NULL) {
    op->acquire_callback(op->context, result);
  }
  wsp_memory_release(&pool->memory, text, size);
}

/* Time may have passed between the grant and its delivery: an existing conn that has been retired
 * since is not lent any more, and the acquire starts over. (One that was dialled for the acquire is
 * lent however old it is, or a limit of next to nothing would dial for ever.) */
bool wsp_acquire_still_good(struct wsp_pool *pool, struct op *op) {
  struct conn *conn = op->conn;
  struct account *account = op->account;
  wsp_account_retire_due(pool, account);
  if (!conn->reused || conn->age_state == AGE_FRESH ||
      (conn->pins > 0 && wsp_span_equal((struct wsp_span){op->preferred.text, op->preferred.length},
                                        (struct wsp_span){conn->id.text, conn->id.length}))) {
    return true;
  }
  if (conn->pins > 0) {
    conn->holder = NULL;
    wsp_conn_free(pool, conn, false);
    wsp_acquire_restart(pool, op);
  } else {
    wsp_conn_leave(pool, conn, WSP_REASON_RETIRED);
  }
  wsp_account_settle(pool, account);
  return false;
}

void wsp_acquire_deliver(struct wsp_pool *pool, struct op *op) {
  struct wsp_acquire_result result = {
      .error = op->error,
      .error_text = "",
      .queue_wait = op->queue_wait,
      .conn_pick = op->conn_pick,
      .cause = "",
  };
  if (op->account != NULL) {
    wsp_order_remove(&op->account->acquires, &op->in_acquires);
  }
  if (op->error != WSP_OK) {
    deliver_failure(pool, op, &result);
    wsp_op_destroy(pool, op);
    return;
  }
  struct conn *conn = op->conn;
  struct account *account = op->account;
  assert(account != NULL); /* only a request that was refused has none */
  wsp_lease_lend(pool, conn, op->tag, op->queue_wait, op->conn_pick, op->queued);
  result.lease = (struct wsp_lease){pool, conn->slot.slot, conn->lease_generation};
  result.reused = conn->reused;
  wsp_account_remember(pool, account, op->target);
  wsp_prewarm_consider(pool, account);
  wsp_acquire_callback callback = op->acquire_callback;
  void *context = op->context;
  wsp_op_destroy(pool, op);
  if (callback != NULL) {
    callback(context, &result);
  }
}
