/*
 * transport.c - what the transport tells of conns, but for pings (ping.c) and dials (dial.c).
 */
#include "pool/internal.h"

/* NULL also for a conn that is being closed: only its end is of interest then. */
static struct conn *open_conn(struct wsp_conn name, wsp_time now) {
  if (name.pool == NULL) {
    return NULL;
  }
  wsp_pool_enter(name.pool, now);
  struct conn *conn = wsp_slab_find(&name.pool->conns, name.slot, name.generation);
  return conn == NULL || conn->state == CONN_CLOSING ? NULL : conn;
}

void wsp_write_done(struct wsp_conn name, wsp_time now, enum wsp_error error, const char *reason) {
  struct conn *conn = open_conn(name, now);
  if (conn != NULL) {
    struct account *account = conn->account;
    wsp_io_write_ended(name.pool, conn, error, reason);
    wsp_account_settle(name.pool, account);
  }
}

void wsp_read_done(struct wsp_conn name, wsp_time now, enum wsp_error error, const char *reason,
                   const void *text, size_t length) {
  struct conn *conn = open_conn(name, now);
  if (conn == NULL) {
    return;
  }
  struct account *account = conn->account;
  struct message *message = NULL;
  if (error == WSP_OK) {
    message = wsp_message_create(name.pool, text, length);
    error = message == NULL ? WSP_OUT_OF_MEMORY : WSP_OK;
  }
  wsp_io_read_ended(name.pool, conn, error, reason, message);
  wsp_account_settle(name.pool, account);
}

void wsp_conn_message(struct wsp_conn name, wsp_time now, const void *text, size_t length) {
  struct conn *conn = open_conn(name, now);
  if (conn == NULL) {
    return;
  }
  struct account *account = conn->account;
  if (conn->lease_generation == 0) {
    /* Nobody has borrowed it, so nobody asked: it must not reach the next borrower. */
    wsp_conn_leave(name.pool, conn, WSP_REASON_UNSOLICITED_MESSAGE);
  } else {
    struct message *message = wsp_message_create(name.pool, text, length);
    if (message == NULL) {
      wsp_conn_leave(name.pool, conn, WSP_REASON_OUT_OF_MEMORY);
    } else {
      wsp_io_message(name.pool, conn, message);
    }
  }
  wsp_account_settle(name.pool, account);
}

void wsp_conn_closed(struct wsp_conn name, wsp_time now, int code, const char *reason) {
  if (name.pool == NULL) {
    return;
  }
  wsp_pool_enter(name.pool, now);
  struct conn *conn = wsp_slab_find(&name.pool->conns, name.slot, name.generation);
  if (conn == NULL) {
    return;
  }
  struct account *account = conn->account;
  wsp_conn_gone(name.pool, conn, code, reason);
  wsp_account_settle(name.pool, account);
}

static const struct conn *named_conn(struct wsp_conn name) {
  return name.pool == NULL ? NULL : wsp_slab_find(&name.pool->conns, name.slot, name.generation);
}

const char *wsp_conn_id(struct wsp_conn name) {
  const struct conn *conn = named_conn(name);
  return conn == NULL ? "" : conn->id.text;
}

int64_t wsp_conn_account(struct wsp_conn name) {
  const struct conn *conn = named_conn(name);
  return conn == NULL ? 0 : conn->account->last.id;
}
