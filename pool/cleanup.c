/*
 * cleanup.c - rotation by age and trimming of idle conns, of one account.
 */
#include "pool/internal.h"

/* An account that was never cleaned is due. */
bool wsp_cleanup_due(const struct wsp_pool *pool, const struct account *account) {
  return !account->cleaned ||
         pool->now - account->last_cleanup >= pool->config.acquire_cleanup_interval;
}

/* Over age: those that can not go now (lent, pinned) are not looked at again; a lent one goes at
 * its release, a pinned one is put back when it is unpinned. */
static int64_t rotate(struct wsp_pool *pool, struct account *account) {
  int64_t rotated = 0;
  while (account->retired.first != NULL && account->retired.first->key < pool->now) {
    struct conn *conn = WSP_OWNER(account->retired.first, struct conn, in_age);
    wsp_order_remove(&account->retired, &conn->in_age);
    conn->age_state = AGE_OVER;
    if (conn->state == CONN_IDLE && conn->pins == 0) {
      wsp_conn_leave(pool, conn, WSP_REASON_MAX_AGE);
      rotated++;
    }
  }
  return rotated;
}

/* Returns how many conns have left. A settle must follow. */
int64_t wsp_cleanup_account(struct wsp_pool *pool, struct account *account,
                            enum wsp_reason reason) {
  wsp_account_retire_due(pool, account);
  account->cleaned = true;
  account->last_cleanup = pool->now;
  int64_t rotated = rotate(pool, account);
  int64_t trimmed = 0;
  int64_t ceiling = wsp_account_idle_ceiling(pool, account);
  while (wsp_account_idle(account) > ceiling) {
    struct conn *conn = wsp_account_first_evictable(account, true);
    if (conn == NULL) {
      break;
    }
    pool->metrics.scale_down_total++;
    wsp_conn_leave(pool, conn, WSP_REASON_MAX_IDLE);
    trimmed++;
  }
  TRACE(pool, WSP_CLEANUP_RAN, account->last.id, NULL, 0, .cause = (int)reason,
        .values = {rotated, trimmed, wsp_account_idle(account)});
  return rotated + trimmed;
}
