/*
 * sweep.c - background sweeps over all accounts, and the refill that follows them.
 *
 * A ping sweep marks the conns that are idle when it starts and then walks by account id and by
 * entry, a bounded number of pings at a time. It keeps its place as two numbers, so conns may
 * come and go meanwhile.
 */
#include "pool/internal.h"

static bool pingable(const struct conn *conn) {
  return conn->state == CONN_IDLE && conn->waiters == 0;
}

void wsp_sweep_start_pings(struct wsp_pool *pool) {
  struct sweep *sweep = &pool->sweep;
  if (sweep->active) {
    return;
  }
  *sweep = (struct sweep){.active = true, .number = sweep->number + 1};
  TRACE(pool, WSP_PING_SWEEP_STARTED, 0, NULL, 0, .cause = 0);
  for (struct wsp_node *a = pool->accounts_by_id.first; a != NULL; a = wsp_order_next(a)) {
    for (struct wsp_node *c = wsp_account_by_id(a)->by_entry.first; c != NULL;
         c = wsp_order_next(c)) {
      struct conn *conn = WSP_OWNER(c, struct conn, in_account);
      if (pingable(conn)) {
        conn->swept = sweep->number;
      }
    }
  }
}

/* The next conn whose turn it is; one that is no longer idle is passed over. */
static struct conn *next_candidate(struct wsp_pool *pool) {
  struct sweep *sweep = &pool->sweep;
  struct wsp_node *a =
      sweep->exhausted ? NULL : wsp_order_from(&pool->accounts_by_id, sweep->next_account, 0);
  for (; a != NULL; a = wsp_order_next(a)) {
    struct account *account = wsp_account_by_id(a);
    if (account->last.id != sweep->next_account) {
      sweep->next_account = account->last.id;
      sweep->next_entry = 0;
    }
    struct wsp_node *c = wsp_order_from(&account->by_entry, (int64_t)sweep->next_entry, 0);
    for (; c != NULL; c = wsp_order_next(c)) {
      struct conn *conn = WSP_OWNER(c, struct conn, in_account);
      sweep->next_entry = conn->entry + 1;
      if (conn->swept == sweep->number && pingable(conn)) {
        return conn;
      }
    }
  }
  sweep->exhausted = true;
  return NULL;
}

void wsp_sweep_pump(struct wsp_pool *pool) {
  struct sweep *sweep = &pool->sweep;
  while (sweep->active && sweep->in_flight < pool->config.ping_concurrency) {
    struct conn *conn = next_candidate(pool);
    if (conn == NULL) {
      break;
    }
    sweep->in_flight++;
    sweep->pinged++;
    wsp_ping_for_sweep(pool, conn);
  }
  if (!sweep->active || sweep->in_flight > 0) {
    return;
  }
  sweep->active = false;
  TRACE(pool, WSP_PING_SWEEP_FINISHED, 0, NULL, 0, .values = {sweep->pinged, sweep->evicted});
  while (pool->sweep_refills.first != NULL) {
    struct wsp_node *node = pool->sweep_refills.first;
    struct account *account = WSP_OWNER(node, struct account, refill);
    wsp_order_remove(&pool->sweep_refills, node);
    wsp_order_add(&pool->refills, node, account->last.id, 0);
    account->refill_after_pings = false;
  }
}

void wsp_sweep_ping_ended(struct wsp_pool *pool, struct account *account, bool evicted) {
  pool->sweep.in_flight--;
  if (!evicted) {
    return;
  }
  pool->sweep.evicted++;
  if (!account->refill.present) {
    wsp_order_add(&pool->sweep_refills, &account->refill, account->last.id, 0);
    account->refill_after_pings = true;
  }
}

void wsp_sweep_cleanup(struct wsp_pool *pool) {
  TRACE(pool, WSP_CLEANUP_SWEEP_STARTED, 0, NULL, 0, .cause = 0);
  pool->cleaning = true;
  for (struct wsp_node *a = pool->accounts_by_id.first; a != NULL; a = wsp_order_next(a)) {
    struct account *account = wsp_account_by_id(a);
    if (wsp_cleanup_account(pool, account, WSP_REASON_SWEEP) > 0) {
      wsp_refill_want(pool, account);
    }
    wsp_account_settle(pool, account);
  }
  pool->cleaning = false;
  wsp_refill_pump(pool);
}

/* The account is to be dialled up to its target, when its turn comes. */
void wsp_refill_want(struct wsp_pool *pool, struct account *account) {
  if (account->refill.present && account->refill_after_pings) {
    wsp_refill_drop(pool, account);
  }
  if (!account->refill.present) {
    wsp_order_add(&pool->refills, &account->refill, account->last.id, 0);
    account->refill_after_pings = false;
  }
}

void wsp_refill_drop(struct wsp_pool *pool, struct account *account) {
  wsp_order_remove(account->refill_after_pings ? &pool->sweep_refills : &pool->refills,
                   &account->refill);
}

void wsp_refill_pump(struct wsp_pool *pool) {
  while (!pool->cleaning && pool->refills.first != NULL &&
         pool->refilling < pool->config.ping_concurrency) {
    struct account *account = WSP_OWNER(pool->refills.first, struct account, refill);
    bool running = account->prewarm_active;
    wsp_order_remove(&pool->refills, &account->refill);
    wsp_prewarm_consider(pool, account);
    if (!running && account->prewarm_active) {
      account->refilling = true;
      pool->refilling++;
    }
  }
}

/* The pool closes: no more pings, no more refills. */
void wsp_sweep_stop(struct wsp_pool *pool) {
  pool->sweep.active = false;
  for (struct wsp_node *a = pool->accounts_by_id.first; a != NULL; a = wsp_order_next(a)) {
    wsp_refill_drop(pool, wsp_account_by_id(a));
  }
}

void wsp_ping_sweep(struct wsp_pool *pool, wsp_time now) {
  if (pool == NULL) {
    return;
  }
  wsp_pool_enter(pool, now);
  if (!pool->closed) {
    wsp_sweep_start_pings(pool);
    wsp_sweep_pump(pool);
    wsp_refill_pump(pool);
  }
}

void wsp_cleanup_sweep(struct wsp_pool *pool, wsp_time now) {
  if (pool == NULL) {
    return;
  }
  wsp_pool_enter(pool, now);
  if (!pool->closed) {
    wsp_sweep_cleanup(pool);
  }
}
