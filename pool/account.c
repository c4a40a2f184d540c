/*
 * account.c - accounts: their limits, their counts, and settle, which serves waiters.
 *
 * Accounts are made on first use and live as long as the pool.
 */
#include "pool/internal.h"

static uint64_t account_hash(int64_t id) {
  uint64_t hash = (uint64_t)id * UINT64_C(0x9e3779b97f4a7c15);
  return hash ^ (hash >> 32);
}

struct account *wsp_account_find(const struct wsp_pool *pool, int64_t id) {
  struct wsp_link *link = wsp_table_first(&pool->accounts, account_hash(id));
  for (; link != NULL; link = wsp_table_next(link)) {
    struct account *account = WSP_OWNER(link, struct account, link);
    if (account->last.id == id) {
      return account;
    }
  }
  return NULL;
}

struct account *wsp_account_obtain(struct wsp_pool *pool, int64_t id) {
  struct account *account = wsp_account_find(pool, id);
  if (account != NULL) {
    return account;
  }
  if (!wsp_table_reserve(&pool->accounts, &pool->memory)) {
    return NULL;
  }
  account = wsp_memory_allocate(&pool->memory, sizeof *account);
  if (account == NULL) {
    return NULL;
  }
  account->last.id = id;
  account->effective_max = wsp_config_effective_max(&pool->config, NULL);
  wsp_table_add(&pool->accounts, &account->link, account_hash(id));
  wsp_order_add(&pool->accounts_by_id, &account->by_id, id, 0);
  return account;
}

void wsp_account_know(struct wsp_pool *pool, struct account *account,
                      const struct wsp_account *as) {
  if (wsp_account_is_known(account, as)) {
    return;
  }
  account->known = true;
  account->last = *as;
  int64_t before = account->effective_max;
  account->effective_max = wsp_config_effective_max(&pool->config, as);
  if (account->effective_max > before) {
    wsp_account_settle(pool, account); /* the new room belongs to those who wait for it */
  }
}

int64_t wsp_account_idle(const struct account *account) {
  return account->conns - account->leased;
}

int64_t wsp_account_idle_ceiling(const struct wsp_pool *pool, const struct account *account) {
  int64_t ceiling = pool->config.max_idle_per_account;
  if (ceiling < pool->config.min_idle_per_account) {
    ceiling = pool->config.min_idle_per_account;
  }
  return ceiling < account->effective_max ? ceiling : account->effective_max;
}

/* ceil(demand / utilization) */
static int64_t for_demand(int64_t demand, wsp_decimal utilization) {
  if (demand > INT64_MAX / WSP_DECIMAL_ONE) {
    return INT64_MAX;
  }
  int64_t scaled = demand * WSP_DECIMAL_ONE;
  return scaled / utilization + (scaled % utilization != 0);
}

int64_t wsp_account_target(const struct wsp_pool *pool, const struct account *account) {
  int64_t max = account->effective_max;
  if (max <= 0) {
    return 0;
  }
  int64_t demand = account->leased + account->waiting;
  int64_t target = 0;
  if (demand == 1) {
    target = 1;
  } else if (demand > 1) {
    target = for_demand(demand, pool->config.pool_target_utilization);
  }
  if (account->waiting > 0 && target < account->conns + 1) {
    target = account->conns + 1;
  }
  if (target < pool->config.min_idle_per_account) {
    target = pool->config.min_idle_per_account;
  }
  return target < max ? target : max;
}

bool wsp_account_has_room(const struct account *account) {
  return account->conns + account->creating < account->effective_max;
}

bool wsp_account_may_connect(const struct wsp_pool *pool, const struct account *account) {
  return pool->config.max_connecting == 0 || account->connecting < pool->config.max_connecting;
}

/* A conn has become free or unpinned: the first waiter that can use it gets it. */
static void serve_offer(struct wsp_pool *pool, struct account *account) {
  struct conn *conn = account->offers;
  account->offers = conn->next_offer;
  if (account->offers == NULL) {
    account->offers_last = NULL;
  }
  conn->offered = false;
  conn->next_offer = NULL;
  while (conn->state == CONN_IDLE) {
    struct op *op = wsp_wait_first_for(conn);
    if (op == NULL) {
      break;
    }
    if (wsp_op_overdue(pool, op)) {
      wsp_acquire_end(pool, op, WSP_DEADLINE_EXCEEDED);
      continue;
    }
    wsp_wait_end(pool, op);
    wsp_acquire_grant(pool, op, conn);
  }
}

/* The least recently used idle, unpinned conn; `waiter_free`: on which nobody counts. Those that
 * somebody counts on are there only while evicting them would make no room, so few are passed
 * over. */
struct conn *wsp_account_first_evictable(const struct account *account, bool waiter_free) {
  struct wsp_node *node = account->evictable.first;
  for (; node != NULL; node = wsp_order_next(node)) {
    struct conn *conn = WSP_OWNER(node, struct conn, in_evictable);
    if (!waiter_free || conn->waiters == 0) {
      return conn;
    }
  }
  return NULL;
}

static void evict_for_room(struct wsp_pool *pool, struct conn *conn) {
  pool->metrics.scale_down_total++;
  wsp_conn_leave(pool, conn, WSP_REASON_ROOM);
}

/* For a newcomer: evicts the least recently used idle conn that nobody counts on, if that makes
 * room. */
void wsp_account_make_room(struct wsp_pool *pool, struct account *account) {
  struct conn *conn = wsp_account_first_evictable(account, true);
  if (conn != NULL && account->conns - 1 + account->creating < account->effective_max) {
    evict_for_room(pool, conn);
  }
}

/* For a waiter: what is idle after all offers is of no use to any waiter, nor to those who count
 * on it. An account over its maximum may have to lose several. */
static bool evict_for_waiter(struct wsp_pool *pool, struct account *account) {
  int64_t evictable = (int64_t)account->evictable.count;
  if (evictable == 0 || account->conns - evictable + account->creating >= account->effective_max) {
    return false;
  }
  evict_for_room(pool, wsp_account_first_evictable(account, false));
  return true;
}

static struct op *first_waiter(const struct wsp_order *order) {
  return order->first == NULL ? NULL : WSP_OWNER(order->first, struct op, in_account);
}

static bool serve_room(struct wsp_pool *pool, struct account *account) {
  struct op *op = first_waiter(&account->unplaced);
  if (op == NULL) {
    return false;
  }
  if (wsp_account_has_room(account)) {
    if (wsp_op_overdue(pool, op)) {
      wsp_acquire_end(pool, op, WSP_DEADLINE_EXCEEDED);
    } else {
      wsp_wait_place(pool, op);
    }
    return true;
  }
  if (evict_for_waiter(pool, account)) {
    return true;
  }
  if (account->effective_max <= 0 && account->conns == 0 && account->creating == 0) {
    /* Nothing can ever serve it: the account has been shut off while it waited. */
    wsp_acquire_end(pool, op, WSP_QUEUE_FULL);
    return true;
  }
  return false;
}

static bool serve_connecting(struct wsp_pool *pool, struct account *account) {
  struct op *op = first_waiter(&account->placed);
  if (op == NULL || !wsp_account_may_connect(pool, account)) {
    return false;
  }
  if (wsp_op_overdue(pool, op)) {
    wsp_acquire_end(pool, op, WSP_DEADLINE_EXCEEDED);
  } else {
    wsp_wait_place(pool, op);
  }
  return true;
}

static bool serve_restart(struct wsp_pool *pool, struct account *account) {
  struct wsp_node *node = account->restarts.first;
  if (node == NULL) {
    return false;
  }
  wsp_order_remove(&account->restarts, node);
  wsp_acquire_route(pool, WSP_OWNER(node, struct op, in_special));
  return true;
}

static bool serve_orphan(struct wsp_pool *pool, struct account *account) {
  struct wsp_node *node = account->orphans.first;
  if (node == NULL) {
    return false;
  }
  wsp_order_remove(&account->orphans, node);
  wsp_wait_rehome(pool, WSP_OWNER(node, struct op, in_special));
  return true;
}

static void serve_waiters(struct wsp_pool *pool, struct account *account) {
  for (;;) {
    /* Acquires that start over come first: one whose ping failed is to have the room that this
     * made (README.md, "Health check"). */
    if (serve_restart(pool, account)) {
      continue;
    }
    if (account->offers != NULL) {
      serve_offer(pool, account);
      continue;
    }
    if (!serve_connecting(pool, account) && !serve_room(pool, account) &&
        !serve_orphan(pool, account)) {
      return;
    }
  }
}

/* Nobody wants what has become free. */
static void drop_offers(struct account *account) {
  struct conn *conn = account->offers;
  account->offers = account->offers_last = NULL;
  while (conn != NULL) {
    struct conn *next = conn->next_offer;
    conn->offered = false;
    conn->next_offer = NULL;
    conn = next;
  }
}

/* Serves all who wait, then lets prewarm go on; where that gave places back, again. */
void wsp_account_serve(struct wsp_pool *pool, struct account *account) {
  wsp_account_retire_due(pool, account);
  if (account->waiting == 0 && account->restarts.first == NULL && !account->prewarm_active) {
    drop_offers(account);
    return;
  }
  int64_t places;
  do {
    serve_waiters(pool, account);
    places = account->creating;
    wsp_prewarm_continue(pool, account);
  } while (account->creating < places);
}

void wsp_account_settle(struct wsp_pool *pool, struct account *account) {
  wsp_account_serve(pool, account);
  if (pool->sweep.active) {
    wsp_sweep_pump(pool);
  }
  if (pool->refills.first != NULL) {
    wsp_refill_pump(pool);
  }
  if (pool->closed) {
    wsp_close_check(pool);
  }
}

void wsp_account_stats(const struct wsp_pool *pool, int64_t id, struct wsp_account_stats *stats) {
  *stats = (struct wsp_account_stats){0};
  if (pool == NULL) {
    return;
  }
  const struct account *account = wsp_account_find(pool, id);
  if (account == NULL) {
    stats->effective_max = wsp_config_effective_max(&pool->config, NULL);
    struct account unknown = {.effective_max = stats->effective_max};
    stats->target = wsp_account_target(pool, &unknown);
    return;
  }
  stats->conns = account->conns;
  stats->leased = account->leased;
  stats->idle = wsp_account_idle(account);
  stats->waiting = account->waiting;
  stats->creating = account->creating;
  stats->target = wsp_account_target(pool, account);
  stats->effective_max = account->effective_max;
  stats->prewarm_fails = account->prewarm_fails;
}
