/*
 * io.c - reads and writes on a lease, and the completion of all its operations.
 *
 * Reads wait for each other, writes wait for each other, and neither for the other: the first of
 * each list is under way in the transport. A message that nobody waits for is kept in the conn's
 * inbox for the next read.
 */
#include <string.h>

#include "pool/internal.h"

static struct op **list_of(struct conn *conn, const struct op *op, struct op ***last) {
  if (op->kind == OP_READ) {
    *last = &conn->reads_last;
    return &conn->reads;
  }
  *last = &conn->writes_last;
  return &conn->writes;
}

static void list_add(struct conn *conn, struct op *op) {
  struct op **last;
  struct op **first = list_of(conn, op, &last);
  if (*first == NULL) {
    *first = op;
  } else {
    (*last)->next_io = op;
  }
  *last = op;
}

static void list_remove(struct conn *conn, struct op *op) {
  struct op **last;
  struct op **at = list_of(conn, op, &last);
  struct op *previous = NULL;
  while (*at != op) {
    previous = *at;
    at = &previous->next_io;
  }
  *at = op->next_io;
  if (*last == op) {
    *last = previous;
  }
  op->next_io = NULL;
}

bool wsp_io_pending(const struct conn *conn) {
  return conn->reads != NULL || conn->writes != NULL;
}

static void io_fail(struct wsp_pool *pool, struct conn *conn, struct op *op, enum wsp_error error,
                    const char *reason) {
  bool is_read = op->kind == OP_READ;
  list_remove(conn, op);
  if (error == WSP_IO_FAILED) {
    (void)wsp_text_set(&op->cause, &pool->memory, wsp_trim(reason));
  }
  wsp_op_complete(pool, op, error);
  wsp_conn_leave(pool, conn, is_read ? WSP_REASON_READ_FAILED : WSP_REASON_WRITE_FAILED);
}

static void start_write(struct wsp_pool *pool, struct conn *conn) {
  while (!conn->writing && conn->writes != NULL) {
    struct op *op = conn->writes;
    conn->writing = true;
    enum wsp_error error = pool->environment.transport->write(
        pool->environment.transport_context, conn->transport, op->json.text, op->json.length);
    if (error != WSP_OK) {
      io_fail(pool, conn, op, error == WSP_OUT_OF_MEMORY ? error : WSP_IO_FAILED,
              "the transport could not start it");
      return;
    }
  }
}

static void complete_read(struct wsp_pool *pool, struct conn *conn, struct op *op,
                          struct message *message) {
  list_remove(conn, op);
  op->message = message;
  conn->last_used_at = pool->now;
  wsp_op_complete(pool, op, WSP_OK);
}

static void start_read(struct wsp_pool *pool, struct conn *conn) {
  while (!conn->reading && conn->reads != NULL) {
    struct op *op = conn->reads;
    if (conn->inbox != NULL) {
      struct message *message = conn->inbox;
      conn->inbox = message->next;
      if (conn->inbox == NULL) {
        conn->inbox_last = NULL;
      }
      complete_read(pool, conn, op, message);
      continue;
    }
    conn->reading = true;
    enum wsp_error error =
        pool->environment.transport->read(pool->environment.transport_context, conn->transport);
    if (error != WSP_OK) {
      io_fail(pool, conn, op, error == WSP_OUT_OF_MEMORY ? error : WSP_IO_FAILED,
              "the transport could not start it");
      return;
    }
  }
}

/* A message has come into the inbox while the first read is under way: that read gets it. */
static void serve_active_read(struct wsp_pool *pool, struct conn *conn) {
  struct op *op = conn->reads;
  if (conn->reading && conn->inbox != NULL) {
    conn->reading = false;
    pool->environment.transport->read_cancel(pool->environment.transport_context, conn->transport);
    if (wsp_op_overdue(pool, op)) {
      list_remove(conn, op);
      wsp_op_complete(pool, op, WSP_DEADLINE_EXCEEDED);
    }
  }
  start_read(pool, conn);
}

static void put_back(struct conn *conn, struct message *message) {
  message->next = conn->inbox;
  conn->inbox = message;
  if (conn->inbox_last == NULL) {
    conn->inbox_last = message;
  }
}

/* Cancelled or past its deadline. A read leaves the conn usable, a write does not. An operation
 * that has succeeded but is not delivered gives back what it got. */
void wsp_io_end(struct wsp_pool *pool, struct op *op, enum wsp_error error) {
  struct conn *conn = op->conn;
  bool completed = op->state == OP_COMPLETED;
  if (completed) {
    struct wsp_lease lease = {pool, conn->slot.slot, op->lease_generation};
    conn = wsp_conn_of_lease(lease);
    op->error = error;
    if (conn != NULL && op->message != NULL) {
      put_back(conn, op->message);
      op->message = NULL;
    }
  } else {
    bool active = op == conn->reads;
    list_remove(conn, op);
    wsp_op_complete(pool, op, error);
    if (op->kind == OP_READ && active && conn->reading) {
      conn->reading = false;
      pool->environment.transport->read_cancel(pool->environment.transport_context,
                                               conn->transport);
    }
  }
  if (conn == NULL) {
    return;
  }
  if (op->kind == OP_READ) {
    serve_active_read(pool, conn);
    return;
  }
  struct account *account = conn->account;
  wsp_conn_leave(pool, conn, WSP_REASON_WRITE_FAILED);
  wsp_account_settle(pool, account);
}

/* The conn leaves: what is pending on it ends. */
void wsp_io_end_all(struct wsp_pool *pool, struct conn *conn) {
  struct op **lists[2] = {&conn->reads, &conn->writes};
  for (int i = 0; i < 2; i++) {
    while (*lists[i] != NULL) {
      struct op *op = *lists[i];
      *lists[i] = op->next_io;
      op->next_io = NULL;
      wsp_op_complete(pool, op, WSP_CONN_CLOSED);
    }
  }
  conn->reads_last = NULL;
  conn->writes_last = NULL;
  conn->reading = false;
  conn->writing = false;
}

void wsp_io_deliver(struct wsp_pool *pool, struct op *op) {
  static const enum wsp_event_kind kinds[][2] = {
      [OP_WRITE] = {WSP_WRITE_SUCCEEDED, WSP_WRITE_FAILED},
      [OP_READ] = {WSP_READ_SUCCEEDED, WSP_READ_FAILED},
      [OP_PING] = {WSP_LEASE_PING_SUCCEEDED, WSP_LEASE_PING_FAILED},
  };
  size_t size = 0;
  char *text = NULL;
  struct wsp_io_result result = {.error = op->error, .error_text = ""};
  if (op->error != WSP_OK) {
    text = wsp_text_of_failure(&pool->memory, op->error, 0,
                               (struct wsp_span){op->cause.text, op->cause.length}, &size);
    result.error_text = text != NULL ? text : wsp_error_text(op->error);
  } else if (op->message != NULL) {
    result.message = op->message->text;
    result.message_length = op->message->length;
  }
  /* The conn may have left since; its slot still names it until another one enters. */
  const struct conn *conn =
      op->conn != NULL && op->conn->lease_generation == op->lease_generation ? op->conn : NULL;
  TRACE(pool, kinds[op->kind][op->error != WSP_OK], op->account == NULL ? 0 : op->account->last.id,
        conn, op->tag, .cause = (int)op->error, .values = {(int64_t)result.message_length},
        .texts = {result.error_text});
  if (op->io_callback != NULL) {
    op->io_callback(op->context, &result);
  }
  wsp_memory_release(&pool->memory, text, size);
  wsp_op_destroy(pool, op);
}

static enum wsp_error io_begin(struct wsp_pool *pool, struct op *op, struct conn *conn,
                               const struct wsp_io_request *request) {
  if (op->kind == OP_WRITE) {
    const char *json = request->json == NULL ? "{}" : request->json;
    if (!wsp_text_set(&op->json, &pool->memory, (struct wsp_span){json, strlen(json)})) {
      return WSP_OUT_OF_MEMORY;
    }
  }
  if (request->canceled) {
    wsp_op_complete(pool, op, WSP_CANCELED);
    return WSP_OK;
  }
  op->state = OP_PENDING;
  if (op->kind == OP_PING) {
    wsp_ping_for_lease(pool, op, conn);
    return WSP_OK;
  }
  list_add(conn, op);
  wsp_op_wait_until_deadline(pool, op);
  struct account *account = conn->account;
  if (op->kind == OP_WRITE) {
    start_write(pool, conn);
  } else {
    start_read(pool, conn);
  }
  wsp_account_settle(pool, account);
  return WSP_OK;
}

enum wsp_error wsp_io_start(const struct wsp_io_request *request, wsp_time now, enum op_kind kind,
                            struct wsp_op *name) {
  static const enum wsp_event_kind started[] = {[OP_WRITE] = WSP_WRITE_STARTED,
                                                [OP_READ] = WSP_READ_STARTED,
                                                [OP_PING] = WSP_LEASE_PING_STARTED};
  struct wsp_pool *pool = request->lease.pool;
  if (name != NULL) {
    *name = (struct wsp_op){0};
  }
  if (pool == NULL || request->lease.generation == 0) {
    return WSP_CONN_CLOSED;
  }
  wsp_pool_enter(pool, now);
  struct conn *conn = wsp_conn_of_lease(request->lease);
  struct op *op = wsp_op_create(pool, kind);
  if (op == NULL) {
    return WSP_OUT_OF_MEMORY;
  }
  op->tag = request->tag;
  op->io_callback = request->callback;
  op->context = request->context;
  op->conn = conn;
  op->account = conn == NULL ? NULL : conn->account;
  op->lease_generation = request->lease.generation;
  wsp_duration timeout = request->timeout;
  if (kind == OP_PING && timeout <= 0) {
    timeout = pool->config.health_check_timeout;
  }
  op->deadline = timeout > 0 ? wsp_time_add(pool->now, timeout) : WSP_TIME_NEVER;
  size_t length = kind == OP_WRITE ? strlen(request->json == NULL ? "{}" : request->json) : 0;
  TRACE(pool, started[kind], op->account == NULL ? 0 : op->account->last.id, conn, op->tag,
        .values = {op->deadline == WSP_TIME_NEVER ? 0 : op->deadline, (int64_t)length});
  if (name != NULL) {
    *name = wsp_op_name(pool, op);
  }
  if (conn == NULL) {
    wsp_op_complete(pool, op, WSP_CONN_CLOSED);
    return WSP_OK;
  }
  enum wsp_error error = io_begin(pool, op, conn, request);
  if (error != WSP_OK) {
    wsp_op_destroy(pool, op);
  }
  return error;
}

enum wsp_error wsp_lease_write_json(const struct wsp_io_request *request, wsp_time now,
                                    struct wsp_op *op) {
  return wsp_io_start(request, now, OP_WRITE, op);
}

enum wsp_error wsp_lease_read(const struct wsp_io_request *request, wsp_time now,
                              struct wsp_op *op) {
  return wsp_io_start(request, now, OP_READ, op);
}

void wsp_io_write_ended(struct wsp_pool *pool, struct conn *conn, enum wsp_error error,
                        const char *reason) {
  struct op *op = conn->writes;
  if (!conn->writing || op == NULL) {
    return;
  }
  conn->writing = false;
  if (wsp_op_overdue(pool, op)) {
    io_fail(pool, conn, op, WSP_DEADLINE_EXCEEDED, NULL);
  } else if (error == WSP_OK) {
    list_remove(conn, op);
    conn->last_used_at = pool->now;
    wsp_op_complete(pool, op, WSP_OK);
    start_write(pool, conn);
  } else {
    io_fail(pool, conn, op, error == WSP_CONN_CLOSED ? error : WSP_IO_FAILED, reason);
  }
}

/* Takes `message` (NULL with an error) or frees it. */
void wsp_io_read_ended(struct wsp_pool *pool, struct conn *conn, enum wsp_error error,
                       const char *reason, struct message *message) {
  struct op *op = conn->reads;
  if (!conn->reading || op == NULL) {
    wsp_message_destroy(pool, message);
    return;
  }
  conn->reading = false;
  if (wsp_op_overdue(pool, op)) {
    /* The answer to a call that is over goes the way of a cancelled one's: it is dropped. */
    wsp_message_destroy(pool, message);
    list_remove(conn, op);
    wsp_op_complete(pool, op, WSP_DEADLINE_EXCEEDED);
    start_read(pool, conn);
  } else if (error == WSP_OK) {
    complete_read(pool, conn, op, message);
    start_read(pool, conn);
  } else {
    wsp_message_destroy(pool, message);
    bool as_is = error == WSP_CONN_CLOSED || error == WSP_OUT_OF_MEMORY;
    io_fail(pool, conn, op, as_is ? error : WSP_IO_FAILED, reason);
  }
}

void wsp_io_message(struct wsp_pool *pool, struct conn *conn, struct message *message) {
  if (conn->inbox_last == NULL) {
    conn->inbox = message;
  } else {
    conn->inbox_last->next = message;
  }
  conn->inbox_last = message;
  if (!conn->reading) {
    TRACE(pool, WSP_MESSAGE_BUFFERED, conn->account->last.id, conn, conn->lease_tag,
          .values = {(int64_t)message->length});
  }
  serve_active_read(pool, conn);
}
