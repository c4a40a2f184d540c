/*
 * watch_table.c - the records of a watch: found by the numbers of their strings, kept in lists of
 * what has been given back, queued by arrival.
 */
#include <string.h>

#include "sim/watch_internal.h"

/* What a name stands for whose acquire or operation has ended. */
static struct watch_op ended = {.phase = OP_HAS_ENDED};

static void *record(struct sim_watch *watch, size_t size) {
  void *memory = sim_arena_zeroed(watch->arena, size);
  watch->failed |= memory == NULL;
  return memory;
}

/* ---- Accounts and keys -------------------------------------------------------------------- */

/* ceil(count * factor), at most `limit`. `factor` is in billionths; all are positive. */
static int64_t scaled(int64_t count, wsp_decimal factor, int64_t limit) {
  int64_t whole = factor / WSP_DECIMAL_ONE;
  int64_t part = factor % WSP_DECIMAL_ONE;
  /* Split so that no product overflows: count = high * 10^9 + low. */
  int64_t high = count / WSP_DECIMAL_ONE;
  int64_t low = count % WSP_DECIMAL_ONE;
  if ((whole > 0 && count > limit / whole) || (part > 0 && high > limit / part)) {
    return limit;
  }
  int64_t product = low * part; /* below 10^18 */
  int64_t sum =
      count * whole + high * part + product / WSP_DECIMAL_ONE + (product % WSP_DECIMAL_ONE != 0);
  return sum < limit ? sum : limit;
}

static int64_t maximum_of(const struct wsp_config *config, const struct wsp_account *account) {
  int64_t cap = config->max_conns_per_account;
  if (config->mode_router_v2_enabled) {
    return account->concurrency > 0 ? account->concurrency : 0;
  }
  if (!config->dynamic_max_conns_by_account_concurrency_enabled || account->concurrency <= 0) {
    return cap;
  }
  wsp_decimal factor = account->type == WSP_ACCOUNT_OAUTH ? config->oauth_max_conns_factor
                                                          : config->apikey_max_conns_factor;
  int64_t maximum = scaled(account->concurrency, factor, cap);
  return maximum > 1 ? maximum : 1;
}

static struct watch_account *account_create(struct sim_watch *watch, int64_t id) {
  struct watch_account *account = record(watch, sizeof *account);
  if (account == NULL) {
    return NULL;
  }
  struct wsp_account defined = watch->view.account(watch->view.context, id);
  account->id = id;
  watch->account_count++;
  account->maximum = maximum_of(&watch->config, &defined);
  struct watch_account **slot = &watch->slots[(uint64_t)id % ACCOUNT_SLOTS];
  account->next_in_slot = *slot;
  *slot = account;
  return account;
}

struct watch_account *watch_account_of(struct sim_watch *watch, int64_t id) {
  if (id <= 0) {
    return NULL;
  }
  struct watch_account *account = watch->last_account;
  if (account == NULL || account->id != id) {
    account = watch->slots[(uint64_t)id % ACCOUNT_SLOTS];
    while (account != NULL && account->id != id) {
      account = account->next_in_slot;
    }
    if (account == NULL) {
      account = account_create(watch, id);
    }
    watch->last_account = account;
  }
  if (account != NULL && !account->dirty) {
    account->dirty = true;
    account->next_dirty = watch->dirty;
    watch->dirty = account;
  }
  return account;
}

/* An account has few keys, as a rule one. */
struct watch_key *watch_key_of(struct sim_watch *watch, struct watch_account *account,
                               sim_string url, sim_string proxy) {
  struct watch_key *key = account->keys;
  while (key != NULL && (key->url != url || key->proxy != proxy)) {
    key = key->next;
  }
  if (key == NULL) {
    key = record(watch, sizeof *key);
    if (key != NULL) {
      key->url = url;
      key->proxy = proxy;
      key->next = account->keys;
      account->keys = key;
    }
  }
  return key;
}

/* ---- Names -------------------------------------------------------------------------------- */

/* NULL: no memory. */
static struct watch_name *name_of(struct sim_watch *watch, sim_string name) {
  if (name < watch->name_capacity) {
    return &watch->names[name];
  }
  size_t capacity = watch->name_capacity == 0 ? 64 : watch->name_capacity;
  while (capacity <= name) {
    capacity *= 2;
  }
  struct watch_name *names = sim_arena_allocate(watch->arena, capacity * sizeof *names);
  if (names == NULL) {
    watch->failed = true;
    return NULL;
  }
  memset(names, 0, capacity * sizeof *names);
  if (watch->name_capacity > 0) {
    memcpy(names, watch->names, watch->name_capacity * sizeof *names);
  }
  sim_arena_release(watch->arena, watch->names, watch->name_capacity * sizeof *names);
  watch->names = names;
  watch->name_capacity = capacity;
  return &names[name];
}

/* ---- Conns -------------------------------------------------------------------------------- */

struct watch_conn *watch_conn_create(struct sim_watch *watch, struct watch_account *account,
                                     sim_string name) {
  struct watch_name *named = name_of(watch, name);
  struct watch_conn *conn = watch->free_conns;
  if (named == NULL) {
    return NULL;
  }
  if (conn == NULL) {
    conn = record(watch, sizeof *conn);
    if (conn == NULL) {
      return NULL;
    }
  } else {
    watch->free_conns = conn->next;
    *conn = (struct watch_conn){.generation = conn->generation,
                                .gone_instant = conn->gone_instant,
                                .gone_lease = conn->gone_lease};
  }
  conn->account = account;
  conn->name = name;
  conn->next_of_name = named->conn;
  named->conn = conn;
  conn->next = account->first_conn;
  if (conn->next != NULL) {
    conn->next->previous = conn;
  }
  account->first_conn = conn;
  return conn;
}

static struct watch_conn *first_of_name(const struct sim_watch *watch, sim_string name) {
  return name < watch->name_capacity ? watch->names[name].conn : NULL;
}

struct watch_conn *watch_conn_find(const struct sim_watch *watch,
                                   const struct watch_account *account, sim_string name) {
  struct watch_conn *conn = first_of_name(watch, name);
  while (conn != NULL && (conn->account != account || conn->state == CONN_IS_CLOSING)) {
    conn = conn->next_of_name;
  }
  return conn;
}

struct watch_conn *watch_conn_closing(const struct sim_watch *watch,
                                      const struct watch_account *account, sim_string name) {
  struct watch_conn *found = NULL;
  for (struct watch_conn *conn = first_of_name(watch, name); conn != NULL;
       conn = conn->next_of_name) {
    if (conn->account == account && conn->state == CONN_IS_CLOSING) {
      found = conn; /* later ones come first in the list */
    }
  }
  return found;
}

void watch_conn_release(struct sim_watch *watch, struct watch_conn *conn) {
  struct watch_account *account = conn->account;
  struct watch_conn **at = &watch->names[conn->name].conn;
  while (*at != conn) {
    at = &(*at)->next_of_name;
  }
  *at = conn->next_of_name;
  *(conn->previous != NULL ? &conn->previous->next : &account->first_conn) = conn->next;
  if (conn->next != NULL) {
    conn->next->previous = conn->previous;
  }
  watch_unpinged(watch, conn);
  conn->generation++;
  conn->gone_instant = watch->instant;
  conn->gone_lease = conn->ended_instant == watch->instant ? conn->lease : 0;
  conn->next = watch->free_conns;
  watch->free_conns = conn;
}

/* What a conn in its state adds to the counts, or (-1) takes away. */
static void count_conn(struct sim_watch *watch, struct watch_conn *conn, int64_t sign) {
  struct watch_account *account = conn->account;
  bool is_in_account = conn->state != CONN_IS_NEW && conn->state != CONN_IS_CLOSING;
  account->conns += is_in_account ? sign : 0;
  watch->conns += is_in_account ? sign : 0;
  switch (conn->state) {
    case CONN_IS_NEW:
      break;
    case CONN_IS_IDLE:
      conn->key->idle += sign;
      watch->idle += sign;
      account->idle_unpinned += conn->pins == 0 ? sign : 0;
      break;
    case CONN_IS_CHECKED:
      account->checking += sign;
      break;
    case CONN_IS_RESERVED:
      account->reserved += sign;
      break;
    case CONN_IS_LEASED:
      account->leases += sign;
      break;
    case CONN_IS_CLOSING:
      account->closing += sign;
      watch->conns_closing += sign;
      break;
  }
}

void watch_conn_turn(struct sim_watch *watch, struct watch_conn *conn,
                     enum watch_conn_state state) {
  count_conn(watch, conn, -1);
  conn->state = state;
  conn->changed = watch->event;
  conn->disturbed = watch->event;
  count_conn(watch, conn, 1);
}

void watch_conn_set_pins(struct watch_conn *conn, int64_t pins) {
  bool idle = conn->state == CONN_IS_IDLE;
  conn->account->idle_unpinned -= idle && conn->pins == 0;
  conn->pins = pins;
  conn->account->idle_unpinned += idle && pins == 0;
}

/* ---- Acquires and operations -------------------------------------------------------------- */

struct watch_op *watch_op_create(struct sim_watch *watch, sim_string name) {
  struct watch_name *named = name_of(watch, name);
  struct watch_op *op = watch->free_ops;
  if (named == NULL) {
    return NULL;
  }
  if (op == NULL) {
    op = record(watch, sizeof *op);
    if (op == NULL) {
      return NULL;
    }
  } else {
    watch->free_ops = op->next[0];
    *op = (struct watch_op){0};
  }
  op->name = name;
  named->op = op;
  return op;
}

struct watch_op *watch_op_find(const struct sim_watch *watch, sim_string name) {
  struct watch_op *op = name < watch->name_capacity ? watch->names[name].op : NULL;
  return op == &ended ? NULL : op;
}

bool watch_op_has_ended(const struct sim_watch *watch, sim_string name) {
  return name < watch->name_capacity && watch->names[name].op == &ended;
}

void watch_op_release(struct sim_watch *watch, struct watch_op *op) {
  watch->names[op->name].op = &ended;
  op->next[0] = watch->free_ops;
  watch->free_ops = op;
}

/* As a rule the newcomer belongs at the end; one that is sent back finds its old place. */
void watch_op_enqueue(struct watch_op *op, enum watch_place place, struct watch_queue *queue) {
  struct watch_op *before = queue->last;
  while (before != NULL && before->arrival > op->arrival) {
    before = before->previous[place];
  }
  struct watch_op *after = before == NULL ? queue->first : before->next[place];
  op->in[place] = queue;
  op->previous[place] = before;
  op->next[place] = after;
  *(before == NULL ? &queue->first : &before->next[place]) = op;
  *(after == NULL ? &queue->last : &after->previous[place]) = op;
  queue->count++;
}

void watch_op_dequeue(struct watch_op *op) {
  for (int place = 0; place < WATCH_PLACES; place++) {
    struct watch_queue *queue = op->in[place];
    if (queue == NULL) {
      continue;
    }
    struct watch_op *before = op->previous[place];
    struct watch_op *after = op->next[place];
    *(before == NULL ? &queue->first : &before->next[place]) = after;
    *(after == NULL ? &queue->last : &after->previous[place]) = before;
    queue->count--;
    op->in[place] = NULL;
  }
}

/* ---- Deadlines ---------------------------------------------------------------------------- */

static bool due_reserve(struct sim_watch *watch) {
  if (watch->due_count < watch->due_capacity) {
    return true;
  }
  size_t capacity = watch->due_capacity == 0 ? 32 : 2 * watch->due_capacity;
  struct watch_due *due = sim_arena_allocate(watch->arena, capacity * sizeof *due);
  if (due == NULL) {
    watch->failed = true;
    return false;
  }
  if (watch->due_count > 0) {
    memcpy(due, watch->due, watch->due_count * sizeof *due);
  }
  sim_arena_release(watch->arena, watch->due, watch->due_capacity * sizeof *due);
  watch->due = due;
  watch->due_capacity = capacity;
  return true;
}

void watch_due_add(struct sim_watch *watch, int64_t at, sim_string op) {
  if (!due_reserve(watch)) {
    return;
  }
  size_t hole = watch->due_count++;
  while (hole > 0 && watch->due[(hole - 1) / 2].at > at) {
    watch->due[hole] = watch->due[(hole - 1) / 2];
    hole = (hole - 1) / 2;
  }
  watch->due[hole] = (struct watch_due){.at = at, .op = op};
}

void watch_due_drop_first(struct sim_watch *watch) {
  struct watch_due last = watch->due[--watch->due_count];
  size_t hole = 0;
  for (;;) {
    size_t child = 2 * hole + 1;
    if (child >= watch->due_count) {
      break;
    }
    if (child + 1 < watch->due_count && watch->due[child + 1].at < watch->due[child].at) {
      child++;
    }
    if (watch->due[child].at >= last.at) {
      break;
    }
    watch->due[hole] = watch->due[child];
    hole = child;
  }
  watch->due[hole] = last;
}
