/*
 * wait.c - the queue: who waits, on what it counts, who is first.
 *
 * A waiter is in up to three ordered sets: of its account (those that need room, or those that
 * have a place and wait for max_connecting), of its reuse key (any conn of the key serves it) and
 * of the conn that it counts on. Each is ordered by arrival, so who is first is found at once,
 * and a waiter that is sent back keeps its place.
 */
#include <assert.h>

#include "pool/internal.h"

static bool is_connless(const struct op *op) {
  return op->counted && op->queued_on == NULL && !op->has_place;
}

static void count_on(struct op *op, struct conn *conn) {
  op->queued_on = conn;
  if (conn == NULL) {
    return;
  }
  wsp_order_add(op->force_preferred ? &conn->strict : &conn->counted, &op->in_conn,
                (int64_t)op->arrival, 0);
  wsp_conn_set_waiters(conn, conn->waiters + 1);
}

static void count_off(struct op *op) {
  struct conn *conn = op->queued_on;
  op->queued_on = NULL;
  if (conn == NULL) {
    return;
  }
  wsp_order_remove(op->force_preferred ? &conn->strict : &conn->counted, &op->in_conn);
  wsp_conn_set_waiters(conn, conn->waiters - 1);
}

/* Queues `op`: on `conn`, or (NULL) as a waiter of the account without one. With op->has_place it
 * waits for its turn to dial. */
void wsp_wait_begin(struct wsp_pool *pool, struct op *op, struct conn *conn) {
  struct account *account = op->account;
  bool first = !op->queued;
  op->state = OP_WAITING;
  op->counted = true;
  op->queued = true;
  op->queued_at = pool->now;
  account->waiting++;
  count_on(op, conn);
  account->connless += is_connless(op);
  if (!op->force_preferred) {
    wsp_order_add(op->has_place ? &account->placed : &account->unplaced, &op->in_account,
                  (int64_t)op->arrival, 0);
    if (!op->force_new && op->ping_failures < 2) { /* those two wait for their dial alone */
      wsp_order_add(&op->target->bucket->waiters, &op->in_bucket, (int64_t)op->arrival, 0);
    }
  }
  if (first) {
    pool->metrics.acquire_queue_wait_total++;
  }
  wsp_op_wait_until_deadline(pool, op);
  TRACE(pool, first ? WSP_ACQUIRE_QUEUED : WSP_ACQUIRE_REQUEUED, account->last.id, conn, op->tag,
        .values = {account->waiting, conn == NULL ? 0 : conn->waiters});
}

/* The wait is over, for better or worse: it counts nowhere any more, and a place that it had but
 * did not use is free again. */
void wsp_wait_end(struct wsp_pool *pool, struct op *op) {
  struct account *account = op->account;
  assert(op->counted);
  account->connless -= is_connless(op);
  wsp_order_remove(&account->orphans, &op->in_special);
  wsp_order_remove(op->has_place ? &account->placed : &account->unplaced, &op->in_account);
  wsp_order_remove(&op->target->bucket->waiters, &op->in_bucket);
  count_off(op);
  op->counted = false;
  account->waiting--;
  account->creating -= op->has_place;
  op->has_place = false;
  wsp_duration waited = pool->now - op->queued_at;
  op->queue_wait = wsp_time_add(op->queue_wait, waited);
  pool->queue_wait_ns = wsp_time_add(pool->queue_wait_ns, waited);
  op->state = OP_STARTING;
}

/* There is room for `op`, or its turn to dial has come: it dials if it may, else it holds its
 * place and waits on. */
void wsp_wait_place(struct wsp_pool *pool, struct op *op) {
  struct account *account = op->account;
  bool first = account->placed.first == NULL || account->placed.first == &op->in_account;
  if (first && wsp_account_may_connect(pool, account)) {
    wsp_wait_end(pool, op);
    account->creating++;
    wsp_dial_start(pool, account, op->target, op);
    return;
  }
  assert(!op->has_place);
  account->connless -= is_connless(op);
  wsp_order_remove(&account->orphans, &op->in_special);
  wsp_order_remove(&account->unplaced, &op->in_account);
  op->has_place = true;
  account->creating++;
  wsp_order_add(&account->placed, &op->in_account, (int64_t)op->arrival, 0);
}

/* The conn to queue on: of the request's key and not retired, with the fewest waiters; when the
 * account has none, any conn: what becomes idle there is evicted for the waiter. */
struct conn *wsp_wait_choose_conn(const struct op *op) {
  struct wsp_node *node = op->target->bucket->by_waiters.first;
  if (node != NULL) {
    return WSP_OWNER(node, struct conn, in_bucket_waiters);
  }
  node = op->account->by_waiters.first;
  return node == NULL ? NULL : WSP_OWNER(node, struct conn, in_waiters);
}

/* The conn that `op` counted on has left and no room came of it: it counts on another one. Limits
 * are checked on entry only. */
void wsp_wait_rehome(struct wsp_pool *pool, struct op *op) {
  struct conn *conn = wsp_wait_choose_conn(op);
  op->account->connless -= is_connless(op);
  count_on(op, conn);
  op->account->connless += is_connless(op);
  TRACE(pool, WSP_ACQUIRE_REQUEUED, op->account->last.id, conn, op->tag,
        .values = {op->account->waiting, conn == NULL ? 0 : conn->waiters});
}

/* The waiter that has a right to `conn`, which is idle: the first to arrive among those that it
 * can serve. A retired (so pinned) conn serves only those that name it; they are few, and looked
 * for one by one. */
struct op *wsp_wait_first_for(const struct conn *conn) {
  struct wsp_node *strict = conn->strict.first;
  struct wsp_node *node = conn->bucket->waiters.first;
  if (conn->age_state != AGE_FRESH) {
    struct wsp_span id = {conn->id.text, conn->id.length};
    if (conn->pins == 0) {
      return NULL;
    }
    while (node != NULL) {
      const struct op *op = WSP_OWNER(node, struct op, in_bucket);
      if (wsp_span_equal((struct wsp_span){op->preferred.text, op->preferred.length}, id)) {
        break;
      }
      node = wsp_order_next(node);
    }
  }
  if (strict != NULL && (node == NULL || strict->key < node->key)) {
    return WSP_OWNER(strict, struct op, in_conn);
  }
  return node == NULL ? NULL : WSP_OWNER(node, struct op, in_bucket);
}
