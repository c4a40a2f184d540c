/*
 * pool.c - the pool as a whole: made, driven, measured, freed.
 */
#include "pool/internal.h"

#include <stdlib.h>

static void *allocate_on_heap(void *context, size_t size) {
  (void)context;
  return malloc(size);
}

static void release_to_heap(void *context, void *memory, size_t size) {
  (void)context;
  (void)size;
  free(memory);
}

wsp_time wsp_time_add(wsp_time time, wsp_duration duration) {
  return duration > 0 && time > WSP_TIME_NEVER - duration ? WSP_TIME_NEVER : time + duration;
}

static bool is_complete(const struct wsp_transport *t) {
  return t != NULL && t->dial != NULL && t->dial_cancel != NULL && t->write != NULL &&
         t->read != NULL && t->read_cancel != NULL && t->ping != NULL && t->ping_cancel != NULL &&
         t->close != NULL;
}

enum wsp_error wsp_pool_create(const struct wsp_config *config,
                               const struct wsp_environment *environment, wsp_time now,
                               struct wsp_pool **created) {
  *created = NULL;
  if (environment == NULL || !is_complete(environment->transport)) {
    return WSP_INVALID_REQUEST;
  }
  struct wsp_memory memory = {allocate_on_heap, release_to_heap, NULL};
  if (environment->allocate != NULL) {
    memory = (struct wsp_memory){environment->allocate, environment->release,
                                 environment->allocator_context};
  }
  struct wsp_pool *pool = wsp_memory_allocate(&memory, sizeof *pool);
  if (pool == NULL) {
    return WSP_OUT_OF_MEMORY;
  }
  pool->memory = memory;
  pool->environment = *environment;
  if (config != NULL) {
    pool->config = *config;
  } else {
    wsp_config_init(&pool->config);
  }
  wsp_config_normalize(&pool->config);
  wsp_slab_init(&pool->ops, sizeof(struct op));
  wsp_slab_init(&pool->conns, sizeof(struct conn));
  wsp_slab_init(&pool->dials, sizeof(struct dial));
  pool->now = now;
  pool->next_ping_sweep = wsp_time_add(now, pool->config.ping_interval);
  pool->next_cleanup_sweep = wsp_time_add(now, pool->config.cleanup_interval);
  *created = pool;
  return WSP_OK;
}

static void destroy_conns(struct wsp_pool *pool) {
  for (uint32_t slot = 0;; slot++) {
    struct conn *conn = wsp_slab_at(&pool->conns, slot);
    if (conn == NULL) {
      return;
    }
    if (conn->slot.generation % 2 == 0) {
      continue;
    }
    wsp_conn_drop_inbox(pool, conn);
    wsp_headers_clear(&conn->headers, &pool->memory);
    wsp_text_clear(&conn->id, &pool->memory);
    wsp_bucket_drop(pool, conn->bucket);
  }
}

void wsp_pool_destroy(struct wsp_pool *pool) {
  if (pool == NULL) {
    return;
  }
  for (uint32_t slot = 0;; slot++) {
    struct op *op = wsp_slab_at(&pool->ops, slot);
    if (op == NULL) {
      break;
    }
    if (op->slot.generation % 2 == 1) {
      wsp_op_destroy(pool, op);
    }
  }
  for (uint32_t slot = 0;; slot++) {
    struct dial *dial = wsp_slab_at(&pool->dials, slot);
    if (dial == NULL) {
      break;
    }
    if (dial->slot.generation % 2 == 1) {
      wsp_target_drop(pool, dial->target);
    }
  }
  destroy_conns(pool);
  while (pool->accounts_by_id.first != NULL) {
    struct account *account = WSP_OWNER(pool->accounts_by_id.first, struct account, by_id);
    wsp_order_remove(&pool->accounts_by_id, &account->by_id);
    wsp_target_drop(pool, account->template_);
    wsp_memory_release(&pool->memory, account, sizeof *account);
  }
  wsp_target_free_spares(pool);
  struct wsp_memory memory = pool->memory;
  wsp_slab_deinit(&pool->ops, &memory);
  wsp_slab_deinit(&pool->conns, &memory);
  wsp_slab_deinit(&pool->dials, &memory);
  wsp_table_deinit(&pool->accounts, &memory);
  wsp_table_deinit(&pool->buckets, &memory);
  wsp_table_deinit(&pool->conn_ids, &memory);
  wsp_heap_deinit(&pool->timers, &memory);
  wsp_memory_release(&memory, pool, sizeof *pool);
}

void wsp_pool_enter(struct wsp_pool *pool, wsp_time now) {
  /* The end of time itself is never reached: what is due then is due never. */
  now = now < WSP_TIME_NEVER ? now : WSP_TIME_NEVER - 1;
  if (now > pool->now) {
    pool->now = now;
  }
}

/* Room for one timer more than there are ops, conns and dials: each has one at most, so setting a
 * timer never fails. */
bool wsp_pool_timer_reserve(struct wsp_pool *pool) {
  return wsp_heap_reserve(&pool->timers, &pool->memory,
                          pool->ops.used + pool->conns.used + pool->dials.used + 1);
}

void wsp_pool_timer_set(struct wsp_pool *pool, struct timer *timer, enum timer_kind kind,
                        void *owner, wsp_time at) {
  timer->kind = kind;
  timer->owner = owner;
  wsp_heap_add(&pool->timers, &timer->entry, at);
}

void wsp_pool_timer_clear(struct wsp_pool *pool, struct timer *timer) {
  wsp_heap_remove(&pool->timers, &timer->entry);
}

void wsp_pool_trace(struct wsp_pool *pool, enum wsp_event_kind kind, int64_t account,
                    const struct conn *conn, uint64_t tag, const struct event_fields *fields) {
  struct wsp_event event = {
      .now = pool->now,
      .kind = kind,
      .cause = fields->cause,
      .account = account,
      .conn_serial = conn == NULL ? 0 : conn->entry,
      .conn_id = conn == NULL ? NULL : conn->id.text,
      .tag = tag,
      .values = {fields->values[0], fields->values[1], fields->values[2]},
      .texts = {fields->texts[0], fields->texts[1]},
  };
  pool->environment.trace(pool->environment.trace_context, &event);
}

wsp_time wsp_pool_next_operation_deadline(const struct wsp_pool *pool) {
  if (pool == NULL) {
    return WSP_TIME_NEVER;
  }
  if (pool->completed != NULL) {
    return pool->now;
  }
  const struct wsp_heap_entry *first = wsp_heap_first(&pool->timers);
  return first == NULL ? WSP_TIME_NEVER : first->at;
}

wsp_time wsp_pool_next_deadline(const struct wsp_pool *pool) {
  wsp_time next = wsp_pool_next_operation_deadline(pool);
  if (pool == NULL || pool->closed) {
    return next;
  }
  if (pool->config.ping_interval > 0 && pool->next_ping_sweep < next) {
    next = pool->next_ping_sweep;
  }
  if (pool->config.cleanup_interval > 0 && pool->next_cleanup_sweep < next) {
    next = pool->next_cleanup_sweep;
  }
  return next;
}

static bool fire_timer(struct wsp_pool *pool) {
  struct wsp_heap_entry *first = wsp_heap_first(&pool->timers);
  if (first == NULL || first->at > pool->now) {
    return false;
  }
  struct timer *timer = WSP_OWNER(first, struct timer, entry);
  wsp_heap_remove(&pool->timers, first);
  switch (timer->kind) {
    case TIMER_OP:
      wsp_op_deadline_reached(pool, timer->owner);
      break;
    case TIMER_DIAL:
      wsp_dial_timer_fired(pool, timer->owner);
      break;
    case TIMER_PING:
      wsp_ping_timer_fired(pool, timer->owner);
      break;
  }
  return true;
}

/* A sweep is due every `interval`; those that a jump of the clock has swallowed are not made up
 * for. */
static bool sweep_is_due(const struct wsp_pool *pool, wsp_duration interval, wsp_time *next) {
  if (pool->closed || interval <= 0 || *next > pool->now) {
    return false;
  }
  *next = wsp_time_add(*next, interval);
  if (*next <= pool->now) {
    *next = wsp_time_add(pool->now, interval);
  }
  return true;
}

static bool run_sweeps(struct wsp_pool *pool) {
  bool ran = false;
  /* Cleanup first: what it closes needs no ping. */
  if (sweep_is_due(pool, pool->config.cleanup_interval, &pool->next_cleanup_sweep)) {
    wsp_sweep_cleanup(pool);
    ran = true;
  }
  if (sweep_is_due(pool, pool->config.ping_interval, &pool->next_ping_sweep)) {
    wsp_sweep_start_pings(pool);
    wsp_sweep_pump(pool);
    wsp_refill_pump(pool);
    ran = true;
  }
  return ran;
}

void wsp_pool_advance(struct wsp_pool *pool, wsp_time now) {
  if (pool == NULL) {
    return;
  }
  wsp_pool_enter(pool, now);
  bool busy = true;
  while (busy) {
    busy = false;
    while (fire_timer(pool)) {
      busy = true;
    }
    busy |= run_sweeps(pool);
    while (wsp_op_deliver_first(pool)) {
      busy = true;
    }
  }
}

void wsp_pool_metrics(const struct wsp_pool *pool, struct wsp_metrics *metrics) {
  *metrics = (struct wsp_metrics){0};
  if (pool == NULL) {
    return;
  }
  *metrics = pool->metrics;
  metrics->acquire_queue_wait_ms_total = pool->queue_wait_ns / WSP_MILLISECOND;
  metrics->conn_pick_ms_total = pool->conn_pick_ns / WSP_MILLISECOND;
}

void wsp_pool_transport_metrics(const struct wsp_pool *pool,
                                struct wsp_transport_metrics *metrics) {
  *metrics = (struct wsp_transport_metrics){0};
  if (pool != NULL && pool->environment.transport->metrics != NULL) {
    pool->environment.transport->metrics(pool->environment.transport_context, metrics);
  }
}

int64_t wsp_pool_pending(const struct wsp_pool *pool) {
  return pool == NULL
             ? 0
             : pool->pending_ops + pool->pending_dials + pool->pending_closes + pool->pending_pings;
}
