/*
 * conn.c - the states of a conn, the sets that it is in, and how it leaves.
 *
 * All changes of state pass through transition(), which checks a table of legal moves.
 */
#include <assert.h>
#include <string.h>

#include "pool/internal.h"

static void transition(struct conn *conn, enum conn_state to) {
  static const bool legal[CONN_GONE + 1][CONN_GONE + 1] = {
      [CONN_NEW] = {[CONN_IDLE] = true, [CONN_LEASED] = true},
      [CONN_IDLE] = {[CONN_LEASED] = true, [CONN_CLOSING] = true, [CONN_GONE] = true},
      [CONN_LEASED] = {[CONN_IDLE] = true, [CONN_CLOSING] = true, [CONN_GONE] = true},
      [CONN_CLOSING] = {[CONN_GONE] = true},
  };
  assert(legal[conn->state][to]);
  conn->state = to;
}

static uint64_t id_hash(const struct account *account, struct wsp_span id) {
  return wsp_span_hash(id, (uint64_t)account->last.id);
}

struct conn *wsp_conn_find(const struct wsp_pool *pool, const struct account *account,
                           struct wsp_span id) {
  if (account == NULL || id.length == 0) {
    return NULL;
  }
  struct wsp_link *link = wsp_table_first(&pool->conn_ids, id_hash(account, id));
  for (; link != NULL; link = wsp_table_next(link)) {
    struct conn *conn = WSP_OWNER(link, struct conn, by_id);
    if (conn->account == account &&
        wsp_span_equal((struct wsp_span){conn->id.text, conn->id.length}, id)) {
      return conn;
    }
  }
  return NULL;
}

struct conn *wsp_conn_of_lease(struct wsp_lease lease) {
  if (lease.pool == NULL || lease.generation == 0) {
    return NULL;
  }
  struct conn *conn = wsp_slab_at(&lease.pool->conns, lease.slot);
  if (conn == NULL || conn->state != CONN_LEASED || conn->holder != NULL || conn->checking ||
      conn->lease_generation != lease.generation) {
    return NULL;
  }
  return conn;
}

struct wsp_conn wsp_conn_name(struct wsp_pool *pool, const struct conn *conn) {
  return (struct wsp_conn){pool, conn->slot.slot, conn->slot.generation};
}

static void leave_idle(struct conn *conn) {
  if (conn->idle_in != NULL) {
    wsp_order_remove(conn->idle_in, &conn->in_idle);
    conn->idle_in = NULL;
  }
}

/* The lendable conn with the fewest waiters, ties to the least recently used, then to the one that
 * entered first. Those on which somebody counts although they are idle (waiters of another key, on
 * a pinned conn) are few, and compared one by one. */
struct conn *wsp_bucket_first_idle(const struct bucket *bucket) {
  if (bucket->idle.first != NULL) {
    return WSP_OWNER(bucket->idle.first, struct conn, in_idle);
  }
  struct conn *best = NULL;
  const struct wsp_node *first = bucket->idle_counted.first;
  for (struct wsp_node *node = bucket->idle_counted.first; node != NULL && node->key == first->key;
       node = wsp_order_next(node)) {
    struct conn *conn = WSP_OWNER(node, struct conn, in_idle);
    if (best == NULL || conn->last_used_at < best->last_used_at) {
      best = conn;
    }
  }
  return best;
}

/* Puts an idle conn into the sets that it may be found in, and takes it out of the others. */
void wsp_conn_refresh_sets(struct conn *conn) {
  bool idle = conn->state == CONN_IDLE;
  bool lendable = idle && conn->age_state == AGE_FRESH;
  bool evictable = idle && conn->pins == 0;
  struct bucket *bucket = conn->bucket;
  struct wsp_order *wanted = conn->waiters == 0 ? &bucket->idle : &bucket->idle_counted;
  int64_t key = conn->waiters == 0 ? conn->last_used_at : conn->waiters;
  if (!lendable) {
    leave_idle(conn);
  } else if (conn->idle_in != wanted || conn->in_idle.key != key) {
    leave_idle(conn);
    wsp_order_add(wanted, &conn->in_idle, key, conn->entry);
    conn->idle_in = wanted;
  }
  if (evictable != conn->in_evictable.present) {
    if (evictable) {
      wsp_order_add(&conn->account->evictable, &conn->in_evictable, conn->last_used_at,
                    conn->entry);
    } else {
      wsp_order_remove(&conn->account->evictable, &conn->in_evictable);
    }
  }
}

static void count_waiters(struct conn *conn) {
  wsp_order_add(&conn->account->by_waiters, &conn->in_waiters, conn->waiters, conn->entry);
  if (conn->age_state == AGE_FRESH) {
    wsp_order_add(&conn->bucket->by_waiters, &conn->in_bucket_waiters, conn->waiters, conn->entry);
  }
}

static void uncount_waiters(struct conn *conn) {
  wsp_order_remove(&conn->account->by_waiters, &conn->in_waiters);
  wsp_order_remove(&conn->bucket->by_waiters, &conn->in_bucket_waiters);
}

void wsp_conn_set_waiters(struct conn *conn, int64_t waiters) {
  uncount_waiters(conn);
  conn->waiters = waiters;
  count_waiters(conn);
  wsp_conn_refresh_sets(conn);
}

/* Retires every conn whose time has come: it keeps its place among the account's conns, but no
 * acquire finds it by its key any more. Strictly over: at the limit itself it is still fresh. */
void wsp_account_retire(struct wsp_pool *pool, struct account *account) {
  for (;;) {
    struct wsp_node *node = account->fresh.first;
    if (node == NULL || node->key >= pool->now) {
      return;
    }
    struct conn *conn = WSP_OWNER(node, struct conn, in_age);
    uncount_waiters(conn);
    wsp_order_remove(&account->fresh, &conn->in_age);
    conn->age_state = AGE_RETIRED;
    wsp_order_add(&account->retired, &conn->in_age, conn->created_at + conn->age_limit,
                  conn->entry);
    count_waiters(conn);
    wsp_conn_refresh_sets(conn);
    TRACE(pool, WSP_CONN_RETIRED, account->last.id, conn, 0,
          .values = {pool->now - conn->created_at});
  }
}

/* Uniform in [0, bound], without bias. */
static wsp_duration draw_jitter(struct wsp_pool *pool, wsp_duration bound) {
  if (bound <= 0) {
    return 0;
  }
  uint64_t range = (uint64_t)bound + 1;
  uint64_t limit = UINT64_MAX - UINT64_MAX % range;
  uint64_t bits;
  do {
    if (pool->environment.random_bits != NULL) {
      bits = pool->environment.random_bits(pool->environment.random_context);
    } else {
      pool->fixed_random += UINT64_C(0x9e3779b97f4a7c15);
      bits = pool->fixed_random * UINT64_C(0xbf58476d1ce4e5b9);
      bits ^= bits >> 31;
    }
  } while (bits >= limit);
  return (wsp_duration)(bits % range);
}

/* "oa_ws_ACCOUNT_SEQUENCE"; numbers whose id an adopted conn has taken already are passed over. */
static bool set_drawn_id(struct wsp_pool *pool, struct conn *conn, const struct account *account) {
  char id[2 * INTEGER_TEXT_SIZE + 8] = "oa_ws_";
  size_t stem = 6 + wsp_text_of_integer(account->last.id, id + 6);
  id[stem++] = '_';
  struct wsp_span span = {id, 0};
  do {
    pool->next_sequence++;
    span.length = stem + wsp_text_of_integer((int64_t)pool->next_sequence, id + stem);
  } while (wsp_conn_find(pool, account, span) != NULL);
  return wsp_text_set(&conn->id, &pool->memory, span);
}

static struct conn *conn_create(struct wsp_pool *pool, const struct conn_entry *entry) {
  if (!wsp_pool_timer_reserve(pool) || !wsp_table_reserve(&pool->conn_ids, &pool->memory)) {
    return NULL;
  }
  struct conn *conn = wsp_slab_take(&pool->conns, &pool->memory);
  if (conn == NULL) {
    return NULL;
  }
  if (!wsp_headers_copy(&conn->headers, &pool->memory, entry->headers, entry->header_count)) {
    wsp_slab_give(&pool->conns, conn);
    return NULL;
  }
  bool named = entry->id.length > 0 ? wsp_text_set(&conn->id, &pool->memory, entry->id)
                                    : set_drawn_id(pool, conn, entry->account);
  if (!named) {
    wsp_headers_clear(&conn->headers, &pool->memory);
    wsp_slab_give(&pool->conns, conn);
    return NULL;
  }
  return conn;
}

struct conn *wsp_conn_enter(struct wsp_pool *pool, const struct conn_entry *entry) {
  struct conn *conn = conn_create(pool, entry);
  if (conn == NULL) {
    return NULL;
  }
  struct account *account = entry->account;
  conn->account = account;
  conn->bucket = entry->bucket;
  conn->bucket->references++;
  conn->transport = entry->transport;
  conn->entry = ++pool->next_entry;
  conn->created_at = entry->created_at;
  conn->last_used_at = entry->last_used_at;
  wsp_duration limit = pool->config.max_conn_age;
  limit -= draw_jitter(pool, pool->config.max_conn_age_jitter);
  conn->age_limit = limit > 0 ? limit : 0;
  wsp_table_add(&pool->conn_ids, &conn->by_id,
                id_hash(account, (struct wsp_span){conn->id.text, conn->id.length}));
  account->conns++;
  wsp_order_add(&account->by_entry, &conn->in_account, (int64_t)conn->entry, 0);
  count_waiters(conn);
  wsp_order_add(&account->fresh, &conn->in_age,
                conn->created_at + conn->age_limit - pool->config.retire_before_max_age,
                conn->entry);
  TRACE(pool, WSP_CONN_OPENED, account->last.id, conn, entry->holder ? entry->holder->tag : 0,
        .cause = (int)entry->reason,
        .values = {pool->now - conn->created_at, pool->now - conn->last_used_at, conn->age_limit},
        .texts = {conn->bucket->url.text, conn->bucket->proxy.text});
  if (entry->holder != NULL) {
    transition(conn, CONN_LEASED);
    account->leased++;
    conn->holder = entry->holder;
  } else {
    transition(conn, CONN_IDLE);
    wsp_conn_refresh_sets(conn);
    wsp_conn_offer(conn);
  }
  return conn;
}

void wsp_conn_lease(struct conn *conn) {
  transition(conn, CONN_LEASED);
  conn->account->leased++;
  conn->ping_interrupted = true;
  wsp_conn_refresh_sets(conn);
}

void wsp_conn_offer(struct conn *conn) {
  struct account *account = conn->account;
  if (conn->offered) {
    return;
  }
  conn->offered = true;
  conn->next_offer = NULL;
  if (account->offers == NULL) {
    account->offers = conn;
  } else {
    account->offers_last->next_offer = conn;
  }
  account->offers_last = conn;
}

/* Offers are served by the call that made them, so the list is short. */
static void withdraw_offer(struct conn *conn) {
  struct account *account = conn->account;
  if (!conn->offered) {
    return;
  }
  struct conn *previous = NULL;
  struct conn **at = &account->offers;
  while (*at != conn) {
    previous = *at;
    at = &previous->next_offer;
  }
  *at = conn->next_offer;
  if (account->offers_last == conn) {
    account->offers_last = previous;
  }
  conn->offered = false;
}

/* Ends a lease, or what was to become one; the conn is offered to the waiters by the settle that
 * must follow. */
void wsp_conn_free(struct wsp_pool *pool, struct conn *conn, bool touch) {
  struct account *account = conn->account;
  conn->lease_generation = 0;
  conn->holder = NULL;
  wsp_account_retire_due(pool, account);
  if (pool->closed) {
    wsp_conn_leave(pool, conn, WSP_REASON_POOL_CLOSED);
    return;
  }
  if (conn->age_state != AGE_FRESH && conn->pins == 0) {
    wsp_conn_leave(pool, conn, WSP_REASON_RETIRED);
    return;
  }
  transition(conn, CONN_IDLE);
  account->leased--;
  if (touch) {
    conn->last_used_at = pool->now;
  } else {
    TRACE(pool, WSP_CONN_FREED, account->last.id, conn, 0, .cause = 0);
  }
  wsp_conn_refresh_sets(conn);
  wsp_conn_offer(conn);
}

/* What waited for this conn: strict waiters end, the others look for another one. */
static void dismiss_waiters(struct wsp_pool *pool, struct conn *conn) {
  while (conn->strict.first != NULL) {
    wsp_acquire_end(pool, WSP_OWNER(conn->strict.first, struct op, in_conn),
                    WSP_PREFERRED_UNAVAILABLE);
  }
  while (conn->counted.first != NULL) {
    struct op *op = WSP_OWNER(conn->counted.first, struct op, in_conn);
    wsp_order_remove(&conn->counted, &op->in_conn);
    op->queued_on = NULL;
    if (op->has_place) {
      continue;
    }
    conn->account->connless++;
    pool->metrics.conn_pick_total++;
    TRACE(pool, WSP_ACQUIRE_PICKED, conn->account->last.id, NULL, op->tag, .cause = 0);
    wsp_order_add(&conn->account->orphans, &op->in_special, (int64_t)op->arrival, 0);
  }
}

/* Takes a conn out of its account, whatever its state. Its borrower's operations end, its waiters
 * and an acquire that had not got it yet go on elsewhere (a settle must follow). */
static void detach(struct wsp_pool *pool, struct conn *conn, enum wsp_reason reason,
                   enum conn_state to) {
  struct account *account = conn->account;
  bool leased = conn->state == CONN_LEASED;
  struct op *holder = conn->holder;
  withdraw_offer(conn);
  TRACE(pool, WSP_CONN_EVICTED, account->last.id, conn, 0, .cause = (int)reason,
        .values = {pool->now - conn->created_at, pool->now - conn->last_used_at, conn->pins});
  if (conn->lease_generation != 0) {
    TRACE(pool, WSP_LEASE_LOST, account->last.id, conn, conn->lease_tag, .cause = (int)reason,
          .values = {pool->now - conn->leased_at});
  }
  transition(conn, to);
  conn->lease_generation = 0;
  conn->holder = NULL;
  conn->left_because = reason;
  wsp_order_remove(&account->by_entry, &conn->in_account);
  wsp_order_remove(conn->age_state == AGE_FRESH ? &account->fresh : &account->retired,
                   &conn->in_age);
  leave_idle(conn);
  wsp_order_remove(&account->evictable, &conn->in_evictable);
  wsp_table_remove(&pool->conn_ids, &conn->by_id);
  account->conns--;
  account->leased -= leased;
  conn->checking = false;
  wsp_io_end_all(pool, conn);
  wsp_ping_forget(pool, conn);
  dismiss_waiters(pool, conn);
  uncount_waiters(conn);
  wsp_conn_drop_inbox(pool, conn);
  if (holder != NULL) {
    wsp_acquire_restart(pool, holder);
  }
}

void wsp_conn_leave(struct wsp_pool *pool, struct conn *conn, enum wsp_reason reason) {
  detach(pool, conn, reason, CONN_CLOSING);
  pool->pending_closes++;
  pool->environment.transport->close(pool->environment.transport_context, conn->transport);
}

void wsp_conn_gone(struct wsp_pool *pool, struct conn *conn, int code, const char *reason) {
  if (conn->state == CONN_CLOSING) {
    pool->pending_closes--;
    transition(conn, CONN_GONE);
  } else {
    detach(pool, conn, WSP_REASON_PEER_CLOSED, CONN_GONE);
  }
  TRACE(pool, WSP_CONN_CLOSED_EVENT, conn->account->last.id, conn, 0,
        .cause = (int)conn->left_because, .values = {code}, .texts = {reason});
  wsp_headers_clear(&conn->headers, &pool->memory);
  wsp_text_clear(&conn->id, &pool->memory);
  wsp_bucket_drop(pool, conn->bucket);
  wsp_slab_give(&pool->conns, conn);
}

void wsp_conn_drop_inbox(struct wsp_pool *pool, struct conn *conn) {
  while (conn->inbox != NULL) {
    struct message *message = conn->inbox;
    conn->inbox = message->next;
    wsp_message_destroy(pool, message);
  }
  conn->inbox_last = NULL;
}

struct message *wsp_message_create(struct wsp_pool *pool, const void *text, size_t length) {
  struct message *message = wsp_memory_allocate(&pool->memory, sizeof *message + length + 1);
  if (message != NULL) {
    message->length = length;
    if (length > 0) {
      memcpy(message->text, text, length);
    }
  }
  return message;
}

void wsp_message_destroy(struct wsp_pool *pool, struct message *message) {
  if (message != NULL) {
    wsp_memory_release(&pool->memory, message, sizeof *message + message->length + 1);
  }
}

/* Whether an acquire that names this conn may have it: of its reuse key, and not retired unless
 * pinned. */
bool wsp_conn_usable_by_name(const struct conn *conn, const struct op *op) {
  return conn->bucket == op->target->bucket && (conn->age_state == AGE_FRESH || conn->pins > 0);
}

bool wsp_conn_stats(const struct wsp_pool *pool, int64_t account_id, const char *id,
                    struct wsp_conn_stats *stats) {
  *stats = (struct wsp_conn_stats){0};
  const struct conn *conn =
      pool == NULL ? NULL : wsp_conn_find(pool, wsp_account_find(pool, account_id), wsp_trim(id));
  if (conn == NULL) {
    return false;
  }
  *stats = (struct wsp_conn_stats){
      .state = conn->state == CONN_IDLE ? WSP_CONN_IDLE : WSP_CONN_LEASED,
      .pins = conn->pins,
      .waiters = conn->waiters,
      .created_at = conn->created_at,
      .last_used_at = conn->last_used_at,
      .retired = conn->age_state != AGE_FRESH,
      .prewarmed = conn->prewarmed,
  };
  return true;
}

void *wsp_conn_transport(const struct wsp_pool *pool, int64_t account_id, const char *id) {
  const struct conn *conn =
      pool == NULL ? NULL : wsp_conn_find(pool, wsp_account_find(pool, account_id), wsp_trim(id));
  return conn == NULL ? NULL : conn->transport;
}
