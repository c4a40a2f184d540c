/*
 * lease.c - what a borrower does with its lease, but for reads, writes and pings.
 */
#include "pool/internal.h"

void wsp_lease_release(struct wsp_lease lease, wsp_time now) {
  struct wsp_pool *pool = lease.pool;
  if (pool == NULL) {
    return;
  }
  wsp_pool_enter(pool, now);
  struct conn *conn = wsp_conn_of_lease(lease);
  if (conn == NULL) {
    return;
  }
  struct account *account = conn->account;
  TRACE(pool, WSP_LEASE_RELEASED, account->last.id, conn, conn->lease_tag,
        .values = {pool->now - conn->leased_at});
  conn->lease_generation = 0;
  if (wsp_io_pending(conn)) {
    wsp_conn_leave(pool, conn, WSP_REASON_PENDING_IO);
  } else if (conn->inbox != NULL) {
    /* What this borrower did not read must not reach the next one. */
    wsp_conn_leave(pool, conn, WSP_REASON_UNREAD_MESSAGE);
  } else {
    wsp_ping_end_ops(pool, conn, WSP_CONN_CLOSED, NULL);
    wsp_ping_drop_if_unwanted(pool, conn);
    wsp_conn_free(pool, conn, true);
  }
  wsp_account_settle(pool, account);
}

void wsp_lease_mark_broken(struct wsp_lease lease, wsp_time now) {
  if (lease.pool == NULL) {
    return;
  }
  wsp_pool_enter(lease.pool, now);
  struct conn *conn = wsp_conn_of_lease(lease);
  if (conn == NULL) {
    return;
  }
  struct account *account = conn->account;
  wsp_conn_leave(lease.pool, conn, WSP_REASON_MARKED_BROKEN);
  wsp_account_settle(lease.pool, account);
}

bool wsp_lease_valid(struct wsp_lease lease) {
  return wsp_conn_of_lease(lease) != NULL;
}

const char *wsp_lease_conn_id(struct wsp_lease lease) {
  const struct conn *conn = wsp_conn_of_lease(lease);
  return conn == NULL ? "" : conn->id.text;
}

wsp_duration wsp_lease_queue_wait(struct wsp_lease lease) {
  const struct conn *conn = wsp_conn_of_lease(lease);
  return conn == NULL ? 0 : conn->queue_wait;
}

wsp_duration wsp_lease_conn_pick(struct wsp_lease lease) {
  const struct conn *conn = wsp_conn_of_lease(lease);
  return conn == NULL ? 0 : conn->conn_pick;
}

bool wsp_lease_reused(struct wsp_lease lease) {
  const struct conn *conn = wsp_conn_of_lease(lease);
  return conn != NULL && conn->reused;
}

bool wsp_lease_is_prewarmed(struct wsp_lease lease) {
  const struct conn *conn = wsp_conn_of_lease(lease);
  return conn != NULL && conn->prewarmed;
}

void wsp_lease_mark_prewarmed(struct wsp_lease lease, wsp_time now) {
  struct conn *conn = wsp_conn_of_lease(lease);
  if (conn == NULL) {
    return;
  }
  wsp_pool_enter(lease.pool, now);
  conn->prewarmed = true;
  TRACE(lease.pool, WSP_CONN_PREWARMED, conn->account->last.id, conn, conn->lease_tag, .cause = 0);
}

const char *wsp_lease_handshake_header(struct wsp_lease lease, const char *name) {
  const struct conn *conn = wsp_conn_of_lease(lease);
  return conn == NULL ? "" : wsp_headers_find(&conn->headers, name);
}
