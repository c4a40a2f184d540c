/*
 * op.c - operations: made, waiting for a deadline, completed, delivered.
 *
 * A completion is queued and delivered by wsp_pool_advance(). Until it is delivered, the caller's
 * cancel and the caller's deadline still beat a success; what had been given is taken back whole.
 */
#include <assert.h>

#include "pool/internal.h"

struct op *wsp_op_create(struct wsp_pool *pool, enum op_kind kind) {
  if (!wsp_pool_timer_reserve(pool)) {
    return NULL;
  }
  struct op *op = wsp_slab_take(&pool->ops, &pool->memory);
  if (op != NULL) {
    op->kind = kind;
    op->state = OP_STARTING;
    op->deadline = WSP_TIME_NEVER;
    pool->pending_ops++;
  }
  return op;
}

struct wsp_op wsp_op_name(struct wsp_pool *pool, const struct op *op) {
  return (struct wsp_op){pool, op->slot.slot, op->slot.generation};
}

bool wsp_op_overdue(const struct wsp_pool *pool, const struct op *op) {
  return pool->now >= op->deadline;
}

void wsp_op_wait_until_deadline(struct wsp_pool *pool, struct op *op) {
  if (op->deadline != WSP_TIME_NEVER && op->timer.entry.position == 0) {
    wsp_pool_timer_set(pool, &op->timer, TIMER_OP, op, op->deadline);
  }
}

void wsp_op_complete(struct wsp_pool *pool, struct op *op, enum wsp_error error) {
  assert(op->state != OP_COMPLETED);
  op->state = OP_COMPLETED;
  op->error = error;
  wsp_pool_timer_clear(pool, &op->timer);
  op->next_completed = NULL;
  op->previous_completed = pool->completed_last;
  if (pool->completed_last == NULL) {
    pool->completed = op;
  } else {
    pool->completed_last->next_completed = op;
  }
  pool->completed_last = op;
}

void wsp_op_uncomplete(struct wsp_pool *pool, struct op *op) {
  assert(op->state == OP_COMPLETED);
  if (op->previous_completed == NULL) {
    pool->completed = op->next_completed;
  } else {
    op->previous_completed->next_completed = op->next_completed;
  }
  if (op->next_completed == NULL) {
    pool->completed_last = op->previous_completed;
  } else {
    op->next_completed->previous_completed = op->previous_completed;
  }
  op->next_completed = NULL;
  op->previous_completed = NULL;
  op->state = OP_PENDING;
}

static void end_early(struct wsp_pool *pool, struct op *op, enum wsp_error error) {
  switch (op->kind) {
    case OP_ACQUIRE: {
      struct account *account = op->account;
      wsp_acquire_end(pool, op, error);
      if (account != NULL) {
        wsp_account_settle(pool, account);
      }
      break;
    }
    case OP_WRITE:
    case OP_READ:
      wsp_io_end(pool, op, error);
      break;
    case OP_PING:
      wsp_ping_end_op(pool, op, error);
      break;
    case OP_CLOSE:
      break;
  }
}

void wsp_op_deadline_reached(struct wsp_pool *pool, struct op *op) {
  end_early(pool, op, WSP_DEADLINE_EXCEEDED);
}

void wsp_op_cancel(struct wsp_op name, wsp_time now) {
  if (name.pool == NULL) {
    return;
  }
  wsp_pool_enter(name.pool, now);
  struct op *op = wsp_slab_find(&name.pool->ops, name.slot, name.generation);
  if (op == NULL || op->kind == OP_CLOSE || op->state == OP_DELIVERED ||
      (op->state == OP_COMPLETED && op->error != WSP_OK)) {
    return;
  }
  end_early(name.pool, op, WSP_CANCELED);
}

bool wsp_op_deliver_first(struct wsp_pool *pool) {
  struct op *op = pool->completed;
  if (op == NULL) {
    return false;
  }
  if (op->error == WSP_OK && op->kind != OP_CLOSE && wsp_op_overdue(pool, op)) {
    end_early(pool, op, WSP_DEADLINE_EXCEEDED);
  }
  if (op->error == WSP_OK && op->kind == OP_ACQUIRE && !wsp_acquire_still_good(pool, op)) {
    return true; /* it has started over */
  }
  wsp_op_uncomplete(pool, op);
  op->state = OP_DELIVERED; /* a callback that cancels its own operation finds it ended */
  switch (op->kind) {
    case OP_ACQUIRE:
      wsp_acquire_deliver(pool, op);
      break;
    case OP_WRITE:
    case OP_READ:
    case OP_PING:
      wsp_io_deliver(pool, op);
      break;
    case OP_CLOSE: {
      void (*callback)(void *context) = op->close_callback;
      void *context = op->context;
      wsp_op_destroy(pool, op);
      if (callback != NULL) {
        callback(context);
      }
      break;
    }
  }
  return true;
}

void wsp_op_destroy(struct wsp_pool *pool, struct op *op) {
  wsp_pool_timer_clear(pool, &op->timer);
  wsp_target_drop(pool, op->target);
  if (op->preferred.length >= sizeof op->preferred_space) {
    wsp_memory_release(&pool->memory, (void *)op->preferred.text, op->preferred.length + 1);
  }
  wsp_text_clear(&op->json, &pool->memory);
  wsp_text_clear(&op->cause, &pool->memory);
  wsp_headers_clear(&op->failure_headers, &pool->memory);
  wsp_message_destroy(pool, op->message);
  pool->pending_ops--;
  wsp_slab_give(&pool->ops, op);
}
