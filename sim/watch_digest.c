/*
 * watch_digest.c - the books of a watch in 128 bits, for a search that asks whether it has met a
 * state before.
 *
 * In it is all that later events and moments of rest are held against. Numbers of events, instants
 * and leases only say what came before what, so that is what is in; the order in which acquires
 * arrived is in for each account. In which order accounts are looked at when an instant comes to
 * rest is not in, nor what lies in memory that was given back.
 */
#include "sim/watch_internal.h"

/* Acquires that are put in order here; more of them are taken with their numbers. */
enum { MOST_SORTED_OPS = 64 };

#define ADD(digest, value) wsp_digest_add(digest, (uint64_t)(value))

static void add_name(const struct sim_watch *watch, struct wsp_digest *digest, sim_string name) {
  ADD(digest, name == 0 ? 0 : sim_trace_string_hash(watch->trace, name));
}

static void add_queue(const struct sim_watch *watch, struct wsp_digest *digest,
                      const struct watch_queue *queue, enum watch_place place) {
  ADD(digest, queue->count);
  for (const struct watch_op *op = queue->first; op != NULL; op = op->next[place]) {
    add_name(watch, digest, op->name);
  }
}

static void add_key(const struct sim_watch *watch, struct wsp_digest *digest,
                    const struct watch_key *key) {
  add_name(watch, digest, key == NULL ? 0 : key->url);
  add_name(watch, digest, key == NULL ? 0 : key->proxy);
}

/* ---- Accounts ----------------------------------------------------------------------------- */

static void add_prewarm(const struct sim_watch *watch, struct wsp_digest *digest,
                        const struct watch_account *account) {
  ADD(digest, account->has_template | account->prewarming << 1 | account->has_prewarmed << 2 |
                  account->trimmed << 3 | account->owes << 4 | account->in_owing << 5 |
                  account->ping_evicted << 6 |
                  (account->prewarming && account->prewarm_sweep == watch->sweep) << 7);
  ADD(digest, account->prewarm_left);
  ADD(digest, account->prewarm_dial);
  ADD(digest, account->prewarm_dial_started);
  ADD(digest, account->last_prewarm);
  ADD(digest, account->fails);
  ADD(digest, account->last_failure);
  ADD(digest, account->owes_until);
}

static struct wsp_digest digest_of_account(const struct sim_watch *watch,
                                           const struct watch_account *account) {
  struct wsp_digest digest = {{0, 0}};
  ADD(&digest, account->id);
  ADD(&digest, account->dirty | account->known << 1);
  ADD(&digest, account->maximum);
  ADD(&digest, account->conns);
  ADD(&digest, account->leases);
  ADD(&digest, account->checking);
  ADD(&digest, account->reserved);
  ADD(&digest, account->closing);
  ADD(&digest, account->pending);
  ADD(&digest, account->idle_unpinned);
  ADD(&digest, account->must_leave);
  ADD(&digest, account->dials);
  ADD(&digest, account->waiting);
  struct wsp_digest unconfirmed = {{0, 0}};
  for (const struct watch_canceled_dial *dial = account->unconfirmed; dial != NULL;
       dial = dial->next) {
    struct wsp_digest member = {{0, 0}};
    ADD(&member, dial->serial);
    wsp_digest_join(&unconfirmed, member);
  }
  wsp_digest_add_digest(&digest, unconfirmed);
  add_queue(watch, &digest, &account->waiters, IN_ACCOUNT);
  struct wsp_digest keys = {{0, 0}};
  for (const struct watch_key *key = account->keys; key != NULL; key = key->next) {
    struct wsp_digest member = {{0, 0}};
    add_key(watch, &member, key);
    ADD(&member, key->idle);
    add_queue(watch, &member, &key->waiters, BY_CONN);
    wsp_digest_join(&keys, member);
  }
  wsp_digest_add_digest(&digest, keys);
  add_prewarm(watch, &digest, account);
  return digest;
}

/* ---- Conns -------------------------------------------------------------------------------- */

/* What came before what; events to come will come after all that. */
static void add_past(const struct sim_watch *watch, struct wsp_digest *digest,
                     const struct watch_conn *conn) {
  ADD(digest, (conn->changed > conn->ping_began) | (conn->changed < conn->ping_failed) << 1 |
                  (conn->disturbed < watch->sweep_event) << 2 | (conn->swept == watch->sweep) << 3 |
                  (conn->ping_failed != 0) << 4 | (conn->ended_instant == watch->instant) << 5);
}

static struct wsp_digest digest_of_conn(const struct sim_watch *watch,
                                        const struct watch_conn *conn) {
  struct wsp_digest digest = {{0, 0}};
  add_name(watch, &digest, conn->name);
  ADD(&digest, conn->account->id);
  add_key(watch, &digest, conn->key);
  ADD(&digest, conn->state);
  ADD(&digest, conn->born);
  ADD(&digest, conn->last_used);
  ADD(&digest, conn->age_limit);
  ADD(&digest, conn->pins);
  ADD(&digest, conn->waiters);
  ADD(&digest, conn->peer_closed | conn->must_leave << 1 | conn->was_checked << 2 |
                   conn->in_pinged << 3 | conn->sweep_pings << 4);
  add_queue(watch, &digest, &conn->strict, BY_CONN);
  add_past(watch, &digest, conn);
  add_name(watch, &digest, conn->holder);
  add_name(watch, &digest, conn->owner);
  add_name(watch, &digest, conn->checker == NULL ? 0 : conn->checker->name);
  ADD(&digest, conn->state == CONN_IS_LEASED ? conn->leased_at : 0);
  ADD(&digest, conn->pending_io);
  ADD(&digest, conn->unread);
  ADD(&digest, conn->in_pinged ? conn->ping_due : 0);
  return digest;
}

/* ---- Acquires and other operations ---------------------------------------------------------- */

static struct wsp_digest digest_of_op(const struct sim_watch *watch, const struct watch_op *op) {
  struct wsp_digest digest = {{0, 0}};
  bool has_conn = op->conn != NULL && op->conn->generation == op->conn_generation;
  add_name(watch, &digest, op->name);
  ADD(&digest, op->account == NULL ? 0 : op->account->id);
  add_key(watch, &digest, op->key);
  ADD(&digest, op->phase);
  ADD(&digest, op->deadline);
  ADD(&digest, op->waits_since < watch->instant);
  ADD(&digest, op->force_new | op->strict << 1 | op->canceled << 2 | op->goes_first << 3 |
                   (op->dial_failed != 0) << 4 |
                   (op->account != NULL && op->dial_failed > op->account->left) << 5 |
                   watch_io_conn_has_gone(watch, op) << 6);
  ADD(&digest, op->ping_failures);
  ADD(&digest, op->phase == OP_DIALS ? op->dial : 0);
  ADD(&digest, op->phase == OP_DIALS ? op->dial_started : 0);
  add_name(watch, &digest, has_conn ? op->conn->name : 0);
  ADD(&digest, has_conn && op->lease == op->conn->lease);
  ADD(&digest, op->lease != 0);
  return digest;
}

static bool is_before(const struct watch_op *a, const struct watch_op *b) {
  int64_t one = a->account == NULL ? 0 : a->account->id;
  int64_t other = b->account == NULL ? 0 : b->account->id;
  return one < other || (one == other && a->arrival < b->arrival);
}

/* Who arrived when, in each account. */
struct arrivals {
  const struct watch_op *ops[MOST_SORTED_OPS];
  size_t count;
};

static void put_arrival(struct arrivals *arrivals, const struct watch_op *op,
                        struct wsp_digest *digest) {
  if (arrivals->count == MOST_SORTED_OPS) {
    ADD(digest, op->arrival);
    return;
  }
  size_t at = arrivals->count++;
  for (; at > 0 && is_before(op, arrivals->ops[at - 1]); at--) {
    arrivals->ops[at] = arrivals->ops[at - 1];
  }
  arrivals->ops[at] = op;
}

static void add_names(const struct sim_watch *watch, struct wsp_digest *digest) {
  struct wsp_digest set = {{0, 0}};
  struct arrivals arrivals = {.count = 0};
  for (size_t i = 0; i < watch->name_capacity; i++) {
    for (const struct watch_conn *conn = watch->names[i].conn; conn != NULL;
         conn = conn->next_of_name) {
      wsp_digest_join(&set, digest_of_conn(watch, conn));
    }
    const struct watch_op *op = watch->names[i].op;
    if (op != NULL && op->phase == OP_HAS_ENDED) {
      struct wsp_digest ended = {{0, 0}};
      add_name(watch, &ended, (sim_string)i);
      wsp_digest_join(&set, ended);
    } else if (op != NULL) {
      struct wsp_digest member = digest_of_op(watch, op);
      put_arrival(&arrivals, op, &member);
      wsp_digest_join(&set, member);
    }
  }
  wsp_digest_add_digest(digest, set);
  for (size_t i = 0; i < arrivals.count; i++) {
    add_name(watch, digest, arrivals.ops[i]->name);
  }
}

/* ---- The whole ------------------------------------------------------------------------------ */

static void add_deadlines(const struct sim_watch *watch, struct wsp_digest *digest) {
  struct wsp_digest set = {{0, 0}};
  for (size_t i = 0; i < watch->due_count; i++) {
    struct wsp_digest member = {{0, 0}};
    ADD(&member, watch->due[i].at);
    add_name(watch, &member, watch->due[i].op);
    wsp_digest_join(&set, member);
  }
  wsp_digest_add_digest(digest, set);
}

/* How far the pool's `metric` is from the timeline's: 0 in a pool without a bug, however large both
 * are. Both, where they differ. */
static void add_difference(struct wsp_digest *digest, int64_t timeline, int64_t metric) {
  ADD(digest, timeline - metric);
  ADD(digest, timeline == metric ? 0 : metric);
}

static void add_metrics(const struct sim_watch *watch, int64_t queue_wait_ns, int64_t pick_ns,
                        struct wsp_digest *digest) {
  struct wsp_metrics found;
  watch->view.metrics(watch->view.context, &found);
  struct wsp_metrics expected = watch->metrics;
  expected.acquire_queue_wait_ms_total = found.acquire_queue_wait_ms_total;
  expected.conn_pick_ms_total = found.conn_pick_ms_total;
#define ADD_DIFFERENCE(name) add_difference(digest, expected.name, found.name);
  WSP_METRIC_LIST(ADD_DIFFERENCE)
#undef ADD_DIFFERENCE
  add_difference(digest, watch->queue_wait_ns, queue_wait_ns);
  add_difference(digest, watch->pick_ns, pick_ns);
  ADD(digest, watch->queued - watch->queued_ended);
}

static void add_sweeps(const struct sim_watch *watch, struct wsp_digest *digest) {
  ADD(digest, watch->sweeping | watch->swept << 1);
  ADD(digest, watch->sweeping ? watch->sweep_due : 0);
  ADD(digest, watch->next_ping_sweep);
  ADD(digest, watch->next_cleanup_sweep);
  for (const struct watch_conn *conn = watch->first_pinged; conn != NULL;
       conn = conn->next_pinged) {
    add_name(watch, digest, conn->name);
  }
  ADD(digest, watch->expiry_start);
  ADD(digest, watch->expired);
  ADD(digest, watch->expiry_conns);
}

void sim_watch_digest(const struct sim_watch *watch, int64_t queue_wait_ns, int64_t pick_ns,
                      struct wsp_digest *digest) {
  ADD(digest, watch->violated | watch->failed << 1 | watch->closing << 2 | watch->closed << 3);
  ADD(digest, watch->now);
  ADD(digest, watch->rested);
  ADD(digest, watch->jumped);
  ADD(digest, (watch->jump_instant == watch->instant) | (watch->close_instant == watch->instant)
                                                            << 1);
  ADD(digest, watch->conns);
  ADD(digest, watch->idle);
  ADD(digest, watch->conns_closing);
  ADD(digest, watch->unconfirmed);
  ADD(digest, watch->prewarms);
  ADD(digest, watch->account_count);
  struct wsp_digest accounts = {{0, 0}};
  int64_t left = watch->account_count;
  for (size_t slot = 0; slot < ACCOUNT_SLOTS && left > 0; slot++) {
    for (const struct watch_account *account = watch->slots[slot]; account != NULL;
         account = account->next_in_slot) {
      wsp_digest_join(&accounts, digest_of_account(watch, account));
      left--;
    }
  }
  wsp_digest_add_digest(digest, accounts);
  add_names(watch, digest);
  add_deadlines(watch, digest);
  add_metrics(watch, queue_wait_ns, pick_ns, digest);
  add_sweeps(watch, digest);
}
