/*
 * digest.c - takes the state of a pool together. What is in and what is not: digest.h.
 */
#include "pool/digest.h"

#include "pool/internal.h"

/* Timers that are put in order here; more of them are taken as they lie, with their numbers. */
enum { MOST_SORTED_TIMERS = 64 };

/* The walk through one pool. */
struct walk {
  const struct wsp_pool *pool;
  const struct wsp_digest_names *names;
};

#define ADD(digest, value) wsp_digest_add(digest, (uint64_t)(value))

static void add_tag(const struct walk *walk, struct wsp_digest *digest, uint64_t tag) {
  ADD(digest, tag == 0 ? 0 : walk->names->of_tag(walk->names->context, tag));
}

static void add_text(struct wsp_digest *digest, const struct wsp_text *text) {
  wsp_digest_add_bytes(digest, text->text, text->length);
}

static void add_headers(struct wsp_digest *digest, const struct wsp_headers *headers) {
  ADD(digest, headers->count);
  for (size_t i = 0; i < headers->count; i++) {
    wsp_digest_add_text(digest, headers->items[i].name);
    wsp_digest_add_text(digest, headers->items[i].value);
  }
}

static void add_node(struct wsp_digest *digest, const struct wsp_node *node) {
  ADD(digest, node->present);
  if (node->present) {
    ADD(digest, node->key);
    ADD(digest, node->tie);
  }
}

/* ---- Names --------------------------------------------------------------------------------- */

static uint64_t name_of_conn(const struct conn *conn) {
  return conn == NULL ? 0 : conn->entry;
}

static void add_op_name(const struct walk *walk, struct wsp_digest *digest, const struct op *op) {
  if (op == NULL) {
    ADD(digest, 0);
    return;
  }
  ADD(digest, op->kind + 1);
  add_tag(walk, digest, op->tag);
}

/* The operations of a set in its order; `offset` is that of the node in the operation. */
static void add_ops(const struct walk *walk, struct wsp_digest *digest,
                    const struct wsp_order *order, size_t offset) {
  ADD(digest, order->count);
  for (const struct wsp_node *node = order->first; node != NULL; node = wsp_order_next(node)) {
    add_op_name(walk, digest, (const struct op *)(const void *)((const char *)node - offset));
  }
}

static void add_target(struct wsp_digest *digest, const struct target *target) {
  ADD(digest, target != NULL);
  if (target != NULL) {
    ADD(digest, target->bucket->account->last.id);
    add_text(digest, &target->bucket->url);
    add_text(digest, &target->bucket->proxy);
    add_headers(digest, &target->headers);
  }
}

/* ---- Operations and dials -------------------------------------------------------------------- */

static struct wsp_digest digest_of_dial(const struct walk *walk, const struct dial *dial) {
  struct wsp_digest digest = {{0, 0}};
  ADD(&digest, dial->account->last.id);
  add_target(&digest, dial->target);
  add_op_name(walk, &digest, dial->op);
  ADD(&digest, dial->prewarm | dial->canceled << 1 | dial->done << 2);
  ADD(&digest, dial->account->prewarm_dial == dial);
  ADD(&digest, dial->transport != NULL);
  ADD(&digest, walk->names->serials ? dial->serial : 0);
  ADD(&digest, dial->started_at);
  ADD(&digest, dial->deadline);
  ADD(&digest, dial->timer.entry.position == 0 ? -1 : dial->timer.entry.at);
  return digest;
}

static void add_acquire(const struct walk *walk, struct wsp_digest *digest, const struct op *op) {
  ADD(digest, op->account == NULL ? 0 : op->account->last.id);
  add_target(digest, op->target);
  wsp_digest_add_bytes(digest, op->preferred.text, op->preferred.length);
  ADD(digest, op->force_new | op->force_preferred << 1 | op->entered << 2 | op->queued << 3 |
                  op->counted << 4 | op->has_place << 5 | op->goes_first << 6);
  ADD(digest, op->in_acquires.present | op->in_account.present << 1 | op->in_bucket.present << 2 |
                  op->in_conn.present << 3 | op->in_special.present << 4);
  ADD(digest, op->ping_failures);
  ADD(digest, op->queued_at);
  ADD(digest, op->queue_wait);
  ADD(digest, op->conn_pick);
  ADD(digest, name_of_conn(op->queued_on));
  ADD(digest, op->dial != NULL);
  if (op->dial != NULL) {
    wsp_digest_add_digest(digest, digest_of_dial(walk, op->dial));
  }
}

static void add_io(const struct walk *walk, struct wsp_digest *digest, const struct op *op) {
  /* Whether its lease is still that of the conn. */
  ADD(digest, op->conn != NULL && op->lease_generation == op->conn->lease_generation);
  ADD(digest, op->lease_generation != 0);
  add_op_name(walk, digest, op->next_io);
  add_text(digest, &op->json);
  ADD(digest, op->message != NULL);
  if (op->message != NULL) {
    wsp_digest_add_bytes(digest, op->message->text, op->message->length);
  }
}

static struct wsp_digest digest_of_op(const struct walk *walk, const struct op *op) {
  struct wsp_digest digest = {{0, 0}};
  add_op_name(walk, &digest, op);
  ADD(&digest, op->state);
  ADD(&digest, op->deadline);
  ADD(&digest, op->timer.entry.position == 0 ? -1 : op->timer.entry.at);
  ADD(&digest, name_of_conn(op->conn));
  add_acquire(walk, &digest, op);
  add_io(walk, &digest, op);
  ADD(&digest,
      op->acquire_callback != NULL || op->io_callback != NULL || op->close_callback != NULL);
  ADD(&digest, op->error);
  ADD(&digest, op->status);
  add_text(&digest, &op->cause);
  add_headers(&digest, &op->failure_headers);
  return digest;
}

/* ---- Conns ----------------------------------------------------------------------------------- */

static void add_sets_of_conn(const struct walk *walk, struct wsp_digest *digest,
                             const struct conn *conn) {
  const struct wsp_node *nodes[] = {&conn->in_account, &conn->in_waiters, &conn->in_bucket_waiters,
                                    &conn->in_age,     &conn->in_idle,    &conn->in_evictable};
  for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
    add_node(digest, nodes[i]);
  }
  ADD(digest, conn->idle_in == NULL                          ? 0
              : conn->idle_in == &conn->bucket->idle         ? 1
              : conn->idle_in == &conn->bucket->idle_counted ? 2
                                                             : 3);
  add_ops(walk, digest, &conn->strict, offsetof(struct op, in_conn));
  add_ops(walk, digest, &conn->counted, offsetof(struct op, in_conn));
}

static void add_lease(const struct walk *walk, struct wsp_digest *digest, const struct conn *conn) {
  bool is_live = conn->lease_generation != 0;
  ADD(digest, is_live);
  add_op_name(walk, digest, conn->holder);
  ADD(digest, conn->checking);
  if (is_live) {
    ADD(digest, conn->leased_at);
    ADD(digest, conn->queue_wait);
    ADD(digest, conn->conn_pick);
    ADD(digest, conn->reused);
    add_tag(walk, digest, conn->lease_tag);
  }
}

static void add_ops_of_lease(const struct walk *walk, struct wsp_digest *digest,
                             const struct conn *conn) {
  add_op_name(walk, digest, conn->reads);
  add_op_name(walk, digest, conn->reads_last);
  add_op_name(walk, digest, conn->writes);
  add_op_name(walk, digest, conn->writes_last);
  add_op_name(walk, digest, conn->pings);
  ADD(digest, conn->reading | conn->writing << 1);
  for (const struct message *message = conn->inbox; message != NULL; message = message->next) {
    wsp_digest_add_bytes(digest, message->text, message->length);
  }
  ADD(digest, conn->inbox_last != NULL);
}

static void add_ping(const struct walk *walk, struct wsp_digest *digest, const struct conn *conn) {
  ADD(digest, conn->pinging | conn->ping_canceled << 1 | conn->ping_for_sweep << 2 |
                  conn->ping_interrupted << 3 | conn->ping_unsent << 4 | conn->ping_again << 5);
  ADD(digest, conn->ping_timer.entry.position == 0 ? -1 : conn->ping_timer.entry.at);
  ADD(digest, walk->pool->sweep.active && conn->swept == walk->pool->sweep.number);
  if (conn->pinging || conn->ping_again || conn->ping_unsent) {
    ADD(digest, conn->ping_reason);
    ADD(digest, conn->ping_started);
    ADD(digest, conn->ping_timeout);
    add_tag(walk, digest, conn->ping_tag);
  }
}

static struct wsp_digest digest_of_conn(const struct walk *walk, const struct conn *conn) {
  struct wsp_digest digest = {{0, 0}};
  ADD(&digest, conn->entry);
  ADD(&digest, conn->state);
  ADD(&digest, conn->age_state);
  ADD(&digest, conn->account->last.id);
  add_text(&digest, &conn->bucket->url);
  add_text(&digest, &conn->bucket->proxy);
  ADD(&digest, conn->transport != NULL);
  add_text(&digest, &conn->id);
  add_headers(&digest, &conn->headers);
  ADD(&digest, conn->created_at);
  ADD(&digest, conn->last_used_at);
  ADD(&digest, conn->age_limit);
  ADD(&digest, conn->pins);
  ADD(&digest, conn->waiters);
  ADD(&digest, conn->prewarmed);
  ADD(&digest, conn->left_because);
  ADD(&digest, conn->offered);
  add_sets_of_conn(walk, &digest, conn);
  add_lease(walk, &digest, conn);
  add_ops_of_lease(walk, &digest, conn);
  add_ping(walk, &digest, conn);
  return digest;
}

/* ---- Accounts -------------------------------------------------------------------------------- */

static void add_waiters(const struct walk *walk, struct wsp_digest *digest,
                        const struct account *account) {
  add_ops(walk, digest, &account->acquires, offsetof(struct op, in_acquires));
  add_ops(walk, digest, &account->unplaced, offsetof(struct op, in_account));
  add_ops(walk, digest, &account->placed, offsetof(struct op, in_account));
  add_ops(walk, digest, &account->orphans, offsetof(struct op, in_special));
  add_ops(walk, digest, &account->restarts, offsetof(struct op, in_special));
}

static void add_prewarm(struct wsp_digest *digest, const struct account *account) {
  add_target(digest, account->template_);
  ADD(digest, account->prewarm_active | account->prewarm_started << 1 | account->refilling << 2 |
                  account->refill_after_pings << 3);
  ADD(digest, account->prewarm_left);
  ADD(digest, account->prewarm_opened);
  ADD(digest, account->prewarm_failed);
  ADD(digest, account->prewarm_dial != NULL);
  ADD(digest, account->last_prewarm);
  ADD(digest, account->prewarm_fails);
  ADD(digest, account->last_failure);
  add_node(digest, &account->refill);
}

static void add_account(const struct walk *walk, struct wsp_digest *digest,
                        const struct account *account) {
  ADD(digest, account->last.id);
  ADD(digest, account->last.type);
  ADD(digest, account->last.concurrency);
  ADD(digest, account->known | account->cleaned << 1);
  ADD(digest, account->effective_max);
  ADD(digest, account->conns);
  ADD(digest, account->leased);
  ADD(digest, account->waiting);
  ADD(digest, account->creating);
  ADD(digest, account->connecting);
  ADD(digest, account->connless);
  ADD(digest, account->last_cleanup);
  /* The members' nodes are in the digests of the conns. */
  ADD(digest, account->by_entry.count);
  ADD(digest, account->by_waiters.count);
  ADD(digest, account->evictable.count);
  ADD(digest, account->fresh.count);
  ADD(digest, account->retired.count);
  for (const struct conn *conn = account->offers; conn != NULL; conn = conn->next_offer) {
    ADD(digest, conn->entry);
  }
  ADD(digest, name_of_conn(account->offers_last));
  add_waiters(walk, digest, account);
  add_prewarm(digest, account);
}

/* ---- The pool -------------------------------------------------------------------------------- */

static bool is_used(const struct wsp_slot *slot) {
  return slot->generation % 2 == 1;
}

/* Waiters of a bucket are in the digests of its operations; what is left is who comes first. */
static void add_bucket_waiters(const struct walk *walk, struct wsp_digest *digest,
                               const struct op *op) {
  if (op->target != NULL && op->target->bucket->waiters.first == &op->in_bucket) {
    add_ops(walk, digest, &op->target->bucket->waiters, offsetof(struct op, in_bucket));
  }
}

static void add_slabs(const struct walk *walk, struct wsp_digest *digest) {
  struct wsp_digest set = {{0, 0}};
  const struct wsp_slot *slot;
  size_t left = walk->pool->ops.used;
  for (uint32_t i = 0; left > 0 && (slot = wsp_slab_at(&walk->pool->ops, i)) != NULL; i++) {
    if (is_used(slot)) {
      const struct op *op = (const struct op *)(const void *)slot;
      struct wsp_digest member = digest_of_op(walk, op);
      add_bucket_waiters(walk, &member, op);
      wsp_digest_join(&set, member);
      left--;
    }
  }
  left = walk->pool->conns.used;
  for (uint32_t i = 0; left > 0 && (slot = wsp_slab_at(&walk->pool->conns, i)) != NULL; i++) {
    if (is_used(slot)) {
      wsp_digest_join(&set, digest_of_conn(walk, (const struct conn *)(const void *)slot));
      left--;
    }
  }
  left = walk->pool->dials.used;
  for (uint32_t i = 0; left > 0 && (slot = wsp_slab_at(&walk->pool->dials, i)) != NULL; i++) {
    if (is_used(slot)) {
      wsp_digest_join(&set, digest_of_dial(walk, (const struct dial *)(const void *)slot));
      left--;
    }
  }
  wsp_digest_add_digest(digest, set);
}

static void add_timer(const struct walk *walk, struct wsp_digest *digest,
                      const struct wsp_heap_entry *entry) {
  const struct timer *timer = WSP_OWNER(entry, const struct timer, entry);
  ADD(digest, entry->at);
  ADD(digest, timer->kind);
  switch (timer->kind) {
    case TIMER_OP:
      add_op_name(walk, digest, timer->owner);
      break;
    case TIMER_DIAL:
      wsp_digest_add_digest(digest, digest_of_dial(walk, timer->owner));
      break;
    case TIMER_PING:
      ADD(digest, name_of_conn(timer->owner));
      break;
  }
}

static bool is_before(const struct wsp_heap_entry *a, const struct wsp_heap_entry *b) {
  return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void add_timers(const struct walk *walk, struct wsp_digest *digest) {
  const struct wsp_heap *heap = &walk->pool->timers;
  const struct wsp_heap_entry *sorted[MOST_SORTED_TIMERS];
  const size_t count = heap->count;
  ADD(digest, count);
  if (count > MOST_SORTED_TIMERS) {
    for (size_t i = 0; i < count; i++) {
      ADD(digest, heap->entries[i]->order);
      add_timer(walk, digest, heap->entries[i]);
    }
    return;
  }
  for (size_t i = 0; i < count; i++) {
    size_t at = i;
    for (; at > 0 && is_before(heap->entries[i], sorted[at - 1]); at--) {
      sorted[at] = sorted[at - 1];
    }
    sorted[at] = heap->entries[i];
  }
  for (size_t i = 0; i < count; i++) {
    add_timer(walk, digest, sorted[i]);
  }
}

static void add_accounts_of(struct wsp_digest *digest, const struct wsp_order *order) {
  ADD(digest, order->count);
  for (const struct wsp_node *node = order->first; node != NULL; node = wsp_order_next(node)) {
    ADD(digest, WSP_OWNER(node, const struct account, refill)->last.id);
  }
}

static void add_sweeps(struct wsp_digest *digest, const struct wsp_pool *pool) {
  ADD(digest, pool->next_ping_sweep);
  ADD(digest, pool->next_cleanup_sweep);
  ADD(digest, pool->sweep.active | pool->sweep.exhausted << 1 | pool->cleaning << 2);
  ADD(digest, pool->sweep.next_account);
  ADD(digest, pool->sweep.next_entry);
  ADD(digest, pool->sweep.in_flight);
  ADD(digest, pool->sweep.pinged);
  ADD(digest, pool->sweep.evicted);
  ADD(digest, pool->refilling);
  add_accounts_of(digest, &pool->refills);
  add_accounts_of(digest, &pool->sweep_refills);
}

static void add_pending(const struct walk *walk, struct wsp_digest *digest) {
  const struct wsp_pool *pool = walk->pool;
  for (const struct op *op = pool->completed; op != NULL; op = op->next_completed) {
    add_op_name(walk, digest, op);
  }
  add_op_name(walk, digest, pool->completed_last);
  add_op_name(walk, digest, pool->closers);
  ADD(digest, pool->closed | pool->close_told << 1);
  ADD(digest, pool->pending_ops);
  ADD(digest, pool->pending_dials);
  ADD(digest, pool->pending_closes);
  ADD(digest, pool->pending_pings);
  ADD(digest, pool->pending_ping_cancels);
}

void wsp_pool_digest(const struct wsp_pool *pool, const struct wsp_digest_names *names,
                     struct wsp_digest *digest) {
  struct walk walk = {.pool = pool, .names = names};
  ADD(digest, pool->now);
  ADD(digest, pool->fixed_random);
  ADD(digest, pool->next_sequence);
  ADD(digest, pool->next_entry);
  ADD(digest, names->serials ? pool->next_dial : 0);
  for (const struct wsp_node *node = pool->accounts_by_id.first; node != NULL;
       node = wsp_order_next(node)) {
    add_account(&walk, digest, WSP_OWNER(node, const struct account, by_id));
  }
  add_slabs(&walk, digest);
  add_timers(&walk, digest);
  add_sweeps(digest, pool);
  add_pending(&walk, digest);
}

/* ---- Handles --------------------------------------------------------------------------------- */

uint64_t wsp_digest_of_conn(struct wsp_conn conn) {
  return conn.pool == NULL
             ? 0
             : name_of_conn(wsp_slab_find(&conn.pool->conns, conn.slot, conn.generation));
}

uint64_t wsp_digest_of_lease(struct wsp_lease lease) {
  if (lease.pool == NULL || lease.generation == 0) {
    return 0;
  }
  /* One that is not lent yet, or not any more, is told from none, though neither can be used. */
  const struct conn *conn = wsp_slab_at(&lease.pool->conns, lease.slot);
  return conn == NULL || conn->lease_generation != lease.generation ? 0 : name_of_conn(conn);
}

struct wsp_digest wsp_digest_of_dial(struct wsp_dial dial, const struct wsp_digest_names *names) {
  const struct dial *found =
      dial.pool == NULL ? NULL : wsp_slab_find(&dial.pool->dials, dial.slot, dial.generation);
  struct walk walk = {.pool = dial.pool, .names = names};
  return found == NULL ? (struct wsp_digest){{0, 0}} : digest_of_dial(&walk, found);
}

void wsp_digest_waits(const struct wsp_pool *pool, int64_t *queue_wait_ns, int64_t *conn_pick_ns) {
  *queue_wait_ns = pool->queue_wait_ns;
  *conn_pick_ns = pool->conn_pick_ns;
}
