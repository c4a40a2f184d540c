/*
 * naive_pool.c - a pool of one list, as one writes it in an afternoon; the template for a pool of
 * your own behind sim/pool_interface.h, and the proof that the harness catches what is wrong.
 *
 * It keeps conns for each account and URL, dials up to max_conns_per_account, lets callers wait in
 * one line, and keeps their deadlines. It has no prewarm, no sweeps, no pings, no pins, no age
 * limits, no reads or writes. Its mistakes are those that such pools have:
 *  - a dial that fails and a conn that closes make room, but wake nobody; nor does a cancel that
 *    gives a conn back;
 *  - only the first in line is looked at when a conn comes back, whatever URL it wants;
 *  - the conn that was used last is lent first, so that the others rot;
 *  - what a peer says on an idle conn is not looked at;
 *  - a deadline is not looked at again between the grant and its delivery.
 */
#include <stdio.h>
#include <string.h>

#include "pool/wspool_trace.h"
#include "tests/naive/naive.h"

/* ---- Memory and events -------------------------------------------------------------------- */

static void *allocate(struct wsp_pool *pool, size_t size) {
  void *memory = pool->environment.allocate(pool->environment.allocator_context, size);
  return memory == NULL ? NULL : memset(memory, 0, size);
}

static void release(struct wsp_pool *pool, void *memory, size_t size) {
  pool->environment.release(pool->environment.allocator_context, memory, size);
}

static char *copy(struct wsp_pool *pool, const char *text) {
  char *copied = allocate(pool, strlen(text) + 1);
  return copied == NULL ? NULL : strcpy(copied, text);
}

static void tell(struct wsp_pool *pool, struct wsp_event event, const struct conn *conn) {
  if (pool->environment.trace == NULL) {
    return;
  }
  event.now = pool->now;
  event.conn_serial = conn == NULL ? 0 : conn->serial;
  event.conn_id = conn == NULL ? NULL : conn->id;
  pool->environment.trace(pool->environment.trace_context, &event);
}
#define TELL(pool, conn, kind_, account_, tag_, ...) \
  tell(pool, (struct wsp_event){.kind = kind_, .account = account_, .tag = tag_, __VA_ARGS__}, conn)

/* ---- Conns -------------------------------------------------------------------------------- */

/* The grant of this conn, if it is not delivered yet, is none any more. */
static bool take_back(struct wsp_pool *pool, const struct conn *conn) {
  for (struct op *op = pool->ops; op != NULL; op = op->next) {
    if (op->conn == conn) {
      op->conn = NULL;
      op->error = WSP_CONN_CLOSED;
      return true;
    }
  }
  return false;
}

static void leave(struct wsp_pool *pool, struct conn *conn, enum wsp_reason reason) {
  bool lost = conn->state == LEASED && !take_back(pool, conn);
  conn->state = CLOSING;
  conn->lease = 0;
  TELL(pool, conn, WSP_CONN_EVICTED, conn->account, 0, .cause = (int)reason,
       .values = {pool->now - conn->created_at, pool->now - conn->used_at, 0});
  if (lost) {
    TELL(pool, conn, WSP_LEASE_LOST, conn->account, conn->lease_tag, .cause = (int)reason,
         .values = {pool->now - conn->leased_at});
  }
}

static void forget(struct wsp_pool *pool, struct conn *conn) {
  struct conn **at = &pool->conns;
  while (*at != conn) {
    at = &(*at)->next;
  }
  *at = conn->next;
  release(pool, conn->url, strlen(conn->url) + 1);
  release(pool, conn, sizeof *conn);
}

static void close_conn(struct wsp_pool *pool, struct conn *conn, enum wsp_reason reason) {
  leave(pool, conn, reason);
  pool->environment.transport->close(pool->environment.transport_context, conn->transport);
}

/* ---- Acquires ----------------------------------------------------------------------------- */

static void end(struct wsp_pool *pool, struct op *op, enum wsp_error error) {
  if (op->state == WAITING) {
    op->waited += pool->now - op->queued_at;
    pool->waited_ns += op->queued ? pool->now - op->queued_at : 0;
  }
  op->state = ENDED;
  op->error = error;
}

static void lend(struct wsp_pool *pool, struct op *op, struct conn *conn, bool reused) {
  end(pool, op, WSP_OK);
  op->conn = conn;
  op->reused = reused;
  conn->state = LEASED;
  conn->lease = ++pool->last_lease;
  conn->lease_tag = op->tag;
  conn->leased_at = pool->now;
}

static struct conn *find_idle(struct wsp_pool *pool, const struct op *op) {
  struct conn *found = NULL;
  for (struct conn *conn = pool->conns; conn != NULL; conn = conn->next) {
    if (conn->state == IDLE && conn->account == op->account && strcmp(conn->url, op->url) == 0 &&
        (found == NULL || conn->used_at >= found->used_at)) {
      found = conn; /* the one that was used last: it is the warmest */
    }
  }
  return found;
}

static void start_dial(struct wsp_pool *pool, struct op *op) {
  struct dial *dial = allocate(pool, sizeof *dial);
  if (dial == NULL) {
    end(pool, op, WSP_OUT_OF_MEMORY);
    return;
  }
  *dial = (struct dial){.next = pool->dials,
                        .serial = ++pool->last_dial,
                        .op = op,
                        .account = op->account,
                        .started_at = pool->now};
  pool->dials = dial;
  op->state = DIALING;
  TELL(pool, NULL, WSP_DIAL_STARTED, op->account, op->tag, .cause = WSP_REASON_ACQUIRE,
       .values = {dial->serial}, .texts = {op->url, ""});
  const struct wsp_dial_request request = {.account = op->account, .url = op->url, .proxy = ""};
  enum wsp_error error = pool->environment.transport->dial(pool->environment.transport_context,
                                                           (struct wsp_dial){pool, dial->serial, 1},
                                                           &request, &dial->transport);
  if (error != WSP_OK) {
    pool->dials = dial->next;
    release(pool, dial, sizeof *dial);
    end(pool, op, WSP_OUT_OF_MEMORY);
  }
}

static void place(struct wsp_pool *pool, struct op *op) {
  pool->metrics.conn_pick_total++;
  TELL(pool, NULL, WSP_ACQUIRE_PICKED, op->account, op->tag, .values = {0});
  struct conn *conn = find_idle(pool, op);
  if (conn != NULL) {
    lend(pool, op, conn, true);
  } else if (naive_count_conns(pool, op->account, -1) + naive_count_dials(pool, op->account) <
             pool->config.max_conns_per_account) {
    start_dial(pool, op);
  } else {
    op->queued = true;
    pool->metrics.acquire_queue_wait_total++;
    op->queued_at = pool->now;
    TELL(pool, NULL, WSP_ACQUIRE_QUEUED, op->account, op->tag,
         .values = {naive_count_waiters(pool, op->account), 0});
  }
}

static enum wsp_error naive_acquire(struct wsp_pool *pool, wsp_time now,
                                    const struct wsp_acquire_request *request,
                                    wsp_acquire_callback callback, void *context,
                                    struct wsp_op *name) {
  if (pool == NULL) {
    return WSP_POOL_CLOSED;
  }
  pool->now = now;
  struct op *op = allocate(pool, sizeof *op);
  char *url = op == NULL ? NULL : copy(pool, request->url == NULL ? "" : request->url);
  if (url == NULL) {
    return WSP_OUT_OF_MEMORY;
  }
  *op = (struct op){.serial = ++pool->last_op,
                    .account = request->account.id,
                    .url = url,
                    .deadline = request->deadline,
                    .tag = request->tag,
                    .state = ENDED,
                    .callback = callback,
                    .context = context};
  struct op **at = &pool->ops;
  while (*at != NULL) {
    at = &(*at)->next;
  }
  *at = op;
  if (name != NULL) {
    *name = (struct wsp_op){pool, op->serial, 1};
  }
  pool->metrics.acquire_total++;
  TELL(pool, NULL, WSP_ACQUIRE_STARTED, op->account, op->tag,
       .values = {op->deadline, pool->config.max_conns_per_account,
                  request->canceled ? WSP_FLAG_CANCELED : 0},
       .texts = {op->url, ""});
  if (op->account <= 0) {
    end(pool, op, WSP_INVALID_REQUEST);
  } else if (op->url[0] == '\0') {
    end(pool, op, WSP_URL_EMPTY);
  } else if (pool->closed) {
    end(pool, op, WSP_POOL_CLOSED);
  } else if (request->canceled) {
    end(pool, op, WSP_CANCELED);
  } else if (op->deadline != 0 && now >= op->deadline) {
    end(pool, op, WSP_DEADLINE_EXCEEDED);
  } else {
    op->state = WAITING;
    op->queued_at = now;
    place(pool, op);
  }
  return WSP_OK;
}

/* The caller does not want it any more, or not from this pool. */
static void give_up(struct wsp_pool *pool, struct op *op, enum wsp_error error,
                    enum wsp_reason reason) {
  for (struct dial *dial = pool->dials; dial != NULL; dial = dial->next) {
    if (dial->op == op) {
      dial->op = NULL;
      TELL(pool, NULL, WSP_DIAL_CANCELED, op->account, op->tag, .cause = (int)reason,
           .values = {dial->serial, pool->now - dial->started_at});
      pool->environment.transport->dial_cancel(pool->environment.transport_context,
                                               dial->transport);
    }
  }
  end(pool, op, error);
}

static void naive_op_cancel(struct wsp_op name, wsp_time now) {
  struct op *op = name.pool == NULL ? NULL : name.pool->ops;
  while (op != NULL && op->serial != name.slot) {
    op = op->next;
  }
  if (op == NULL) {
    return;
  }
  name.pool->now = now;
  if (op->state == ENDED) {
    if (op->error == WSP_OK) { /* not delivered yet: the cancel wins, the conn goes back */
      op->conn->state = IDLE;
      op->conn->lease = 0;
      op->conn = NULL;
      op->error = WSP_CANCELED;
    }
    return;
  }
  give_up(name.pool, op, WSP_CANCELED, WSP_REASON_CANCELED);
}

/* ---- Leases ------------------------------------------------------------------------------- */

static void naive_lease_release(struct wsp_lease lease, wsp_time now) {
  struct conn *conn = naive_conn_of_lease(lease);
  if (conn == NULL) {
    return;
  }
  struct wsp_pool *pool = lease.pool;
  pool->now = now;
  TELL(pool, conn, WSP_LEASE_RELEASED, conn->account, conn->lease_tag,
       .values = {now - conn->leased_at});
  conn->state = IDLE;
  conn->lease = 0;
  conn->used_at = now;
  if (pool->closed) {
    close_conn(pool, conn, WSP_REASON_POOL_CLOSED);
    return;
  }
  struct op *first = pool->ops;
  while (first != NULL && (first->state != WAITING || first->account != conn->account)) {
    first = first->next;
  }
  if (first != NULL && strcmp(first->url, conn->url) == 0) {
    lend(pool, first, conn, true);
  }
}

static void naive_lease_mark_broken(struct wsp_lease lease, wsp_time now) {
  struct conn *conn = naive_conn_of_lease(lease);
  if (conn != NULL) {
    lease.pool->now = now;
    close_conn(lease.pool, conn, WSP_REASON_MARKED_BROKEN);
  }
}

static bool naive_lease_valid(struct wsp_lease lease) {
  return naive_conn_of_lease(lease) != NULL;
}

static const char *naive_lease_conn_id(struct wsp_lease lease) {
  const struct conn *conn = naive_conn_of_lease(lease);
  return conn == NULL ? "" : conn->id;
}

/* ---- Answers of the transport ------------------------------------------------------------- */

static struct conn *enter(struct wsp_pool *pool, struct op *op, void *transport) {
  struct conn *conn = allocate(pool, sizeof *conn);
  char *url = conn == NULL ? NULL : copy(pool, op->url);
  if (url == NULL) {
    return NULL;
  }
  *conn = (struct conn){.serial = ++pool->last_conn,
                        .account = op->account,
                        .url = url,
                        .transport = transport,
                        .created_at = pool->now,
                        .used_at = pool->now};
  snprintf(conn->id, sizeof conn->id, "oa_ws_%lld_%u", (long long)op->account, conn->serial);
  struct conn **at = &pool->conns;
  while (*at != NULL) {
    at = &(*at)->next;
  }
  *at = conn;
  TELL(pool, conn, WSP_CONN_OPENED, op->account, op->tag, .cause = WSP_REASON_ACQUIRE,
       .values = {0, 0, pool->config.max_conn_age}, .texts = {op->url, ""});
  return conn;
}

static void dial_failed(struct wsp_pool *pool, const struct dial *dial,
                        const struct wsp_dial_result *result, enum wsp_reason reason) {
  struct op *op = dial->op;
  const char *text = result->reason == NULL ? "" : result->reason;
  TELL(pool, NULL, WSP_DIAL_FAILED_EVENT, op->account, op->tag, .cause = (int)reason,
       .values = {dial->serial, pool->now - dial->started_at, result->status}, .texts = {text});
  snprintf(op->cause, sizeof op->cause, "%s", text);
  op->status = result->status;
  end(pool, op, WSP_DIAL_FAILED);
}

static struct wsp_conn naive_dial_done(struct wsp_dial name, wsp_time now,
                                       const struct wsp_dial_result *result) {
  struct wsp_pool *pool = name.pool;
  struct dial **at = &pool->dials;
  while (*at != NULL && (*at)->serial != name.slot) {
    at = &(*at)->next;
  }
  if (*at == NULL) {
    return (struct wsp_conn){0};
  }
  pool->now = now;
  struct dial dial = **at;
  release(pool, *at, sizeof dial);
  *at = dial.next;
  if (dial.op == NULL) {
    TELL(pool, NULL, WSP_DIAL_ENDED, dial.account, 0, .values = {dial.serial});
    return (struct wsp_conn){0};
  }
  if (result->error == WSP_OK && result->conn != NULL) {
    TELL(pool, NULL, WSP_DIAL_SUCCEEDED, dial.account, dial.op->tag, .cause = WSP_REASON_ACQUIRE,
         .values = {dial.serial, now - dial.started_at});
    struct conn *conn = enter(pool, dial.op, result->conn);
    if (conn != NULL) {
      lend(pool, dial.op, conn, false);
      return (struct wsp_conn){pool, conn->serial, 1};
    }
    end(pool, dial.op, WSP_OUT_OF_MEMORY);
  } else if (result->error == WSP_OK) {
    struct wsp_dial_result nothing = *result;
    nothing.reason = "nil connection";
    dial_failed(pool, &dial, &nothing, WSP_REASON_NIL_CONNECTION);
  } else {
    dial_failed(pool, &dial, result, WSP_REASON_REFUSED);
  }
  return (struct wsp_conn){0};
}

static void naive_conn_message(struct wsp_conn name, wsp_time now, const void *message,
                               size_t length) {
  (void)name, (void)now, (void)message, (void)length;
}

static void naive_conn_closed(struct wsp_conn name, wsp_time now, int code, const char *reason) {
  struct conn *conn = naive_conn_by_serial(name.pool, name.slot);
  if (conn == NULL) {
    return;
  }
  name.pool->now = now;
  if (conn->state != CLOSING) {
    leave(name.pool, conn, WSP_REASON_PEER_CLOSED);
  }
  TELL(name.pool, conn, WSP_CONN_CLOSED_EVENT, conn->account, 0, .values = {code},
       .texts = {reason == NULL ? "" : reason});
  forget(name.pool, conn);
}

/* ---- Driving it --------------------------------------------------------------------------- */

static void deliver(struct wsp_pool *pool, struct op *op) {
  struct wsp_acquire_result result = {.error = op->error,
                                      .error_text = wsp_error_text(op->error),
                                      .reused = op->reused,
                                      .queue_wait = op->waited,
                                      .status = op->status,
                                      .cause = op->cause};
  char text[160];
  if (op->error == WSP_DIAL_FAILED) {
    char status[32] = "";
    if (op->status != 0) {
      snprintf(status, sizeof status, "status=%d: ", op->status);
    }
    snprintf(text, sizeof text, "dial failed: %s%s", status, op->cause);
    result.error_text = text;
  }
  if (op->error == WSP_OK) {
    result.lease = (struct wsp_lease){pool, op->conn->serial, op->conn->lease};
    pool->metrics.acquire_reuse_total += op->reused;
    pool->metrics.acquire_create_total += !op->reused;
    TELL(pool, op->conn, WSP_ACQUIRE_GRANTED, op->account, op->tag,
         .values = {op->waited, op->reused, op->queued});
  } else {
    TELL(pool, NULL, WSP_ACQUIRE_FAILED, op->account, op->tag, .cause = (int)op->error,
         .values = {op->waited, op->status, op->queued}, .texts = {result.error_text});
  }
  op->callback(op->context, &result);
  release(pool, op->url, strlen(op->url) + 1);
  release(pool, op, sizeof *op);
}

static bool deliver_first(struct wsp_pool *pool) {
  for (struct op **at = &pool->ops; *at != NULL; at = &(*at)->next) {
    if ((*at)->state == ENDED) {
      struct op *op = *at;
      *at = op->next;
      deliver(pool, op);
      return true;
    }
  }
  return false;
}

static wsp_time dial_end(const struct wsp_pool *pool, const struct dial *dial) {
  return dial->started_at + pool->config.dial_timeout;
}

static void expire(struct wsp_pool *pool) {
  for (struct op *op = pool->ops; op != NULL; op = op->next) {
    if (op->state != ENDED && op->deadline != 0 && pool->now >= op->deadline) {
      give_up(pool, op, WSP_DEADLINE_EXCEEDED, WSP_REASON_DEADLINE);
    }
  }
  for (struct dial *dial = pool->dials; dial != NULL; dial = dial->next) {
    if (dial->op != NULL && pool->now >= dial_end(pool, dial)) {
      dial_failed(pool, dial, &(struct wsp_dial_result){.reason = "timeout"}, WSP_REASON_TIMEOUT);
      dial->op = NULL;
      pool->environment.transport->dial_cancel(pool->environment.transport_context,
                                               dial->transport);
    }
  }
}

static void naive_advance(struct wsp_pool *pool, wsp_time now) {
  pool->now = now;
  do {
    expire(pool);
  } while (deliver_first(pool));
  if (pool->closed && !pool->close_told && pool->dials == NULL) {
    for (const struct conn *conn = pool->conns; conn != NULL; conn = conn->next) {
      if (conn->state == CLOSING) {
        return;
      }
    }
    pool->close_told = true;
    TELL(pool, NULL, WSP_POOL_CLOSED_EVENT, 0, 0, .cause = 0);
    if (pool->close_callback != NULL) {
      pool->close_callback(pool->close_context);
    }
  }
}

static wsp_time naive_next_deadline(const struct wsp_pool *pool) {
  wsp_time next = WSP_TIME_NEVER;
  for (const struct op *op = pool->ops; op != NULL; op = op->next) {
    if (op->state == ENDED) {
      return pool->now;
    }
    if (op->deadline != 0 && op->deadline < next) {
      next = op->deadline;
    }
  }
  for (const struct dial *dial = pool->dials; dial != NULL; dial = dial->next) {
    if (dial->op != NULL && dial_end(pool, dial) < next) {
      next = dial_end(pool, dial);
    }
  }
  return pool->closed && !pool->close_told && pool->dials == NULL ? pool->now : next;
}

static enum wsp_error naive_close(struct wsp_pool *pool, wsp_time now,
                                  void (*callback)(void *context), void *context) {
  pool->now = now;
  if (pool->closed) {
    return WSP_OK;
  }
  pool->closed = true;
  pool->close_callback = callback;
  pool->close_context = context;
  TELL(pool, NULL, WSP_POOL_CLOSE_STARTED, 0, 0, .cause = 0);
  for (struct op *op = pool->ops; op != NULL; op = op->next) {
    if (op->state != ENDED) {
      give_up(pool, op, WSP_POOL_CLOSED, WSP_REASON_POOL_CLOSED);
    }
  }
  for (struct conn *conn = pool->conns; conn != NULL; conn = conn->next) {
    if (conn->state == IDLE) {
      close_conn(pool, conn, WSP_REASON_POOL_CLOSED);
    }
  }
  return WSP_OK;
}

static enum wsp_error naive_create(const struct wsp_config *config,
                                   const struct wsp_environment *environment, wsp_time now,
                                   struct wsp_pool **created) {
  struct wsp_pool *pool = environment->allocate(environment->allocator_context, sizeof *pool);
  if (pool == NULL) {
    return WSP_OUT_OF_MEMORY;
  }
  *pool = (struct wsp_pool){.environment = *environment, .config = *config, .now = now};
  wsp_config_normalize(&pool->config);
  *created = pool;
  return WSP_OK;
}

/* ---- The interface ------------------------------------------------------------------------ */

const struct sim_pool_interface *poolproof_pool(void);

const struct sim_pool_interface *poolproof_pool(void) {
  static const struct sim_pool_interface interface = {
      .version = SIM_POOL_INTERFACE_VERSION,
      .name = "naive",
      .capabilities = 0,
      .create = naive_create,
      .next_deadline = naive_next_deadline,
      .next_operation_deadline = naive_next_deadline,
      .advance = naive_advance,
      .close = naive_close,
      .acquire = naive_acquire,
      .op_cancel = naive_op_cancel,
      .lease_release = naive_lease_release,
      .lease_mark_broken = naive_lease_mark_broken,
      .lease_valid = naive_lease_valid,
      .lease_conn_id = naive_lease_conn_id,
      .account_stats = naive_account_stats,
      .conn_stats = naive_conn_stats,
      .metrics = naive_metrics,
      .pending = naive_pending,
      .dial_done = naive_dial_done,
      .conn_message = naive_conn_message,
      .conn_closed = naive_conn_closed,
      .conn_id = naive_conn_id,
      .conn_account = naive_conn_account,
      .conn_transport = naive_conn_transport,
  };
  return &interface;
}
