/*
 * watch_acquire.c - what must hold of acquires: one end each, nothing granted that can not be
 * used or to somebody who has gone, everybody in turn.
 */
#include "sim/watch_internal.h"

enum { STARTED_DEADLINE = 0, STARTED_FLAGS = 2 };
enum { GRANTED_REUSED = 1 };

static bool is_blank(const char *text) {
  while (*text == ' ' || (*text >= '\t' && *text <= '\r')) {
    text++;
  }
  return *text == '\0';
}

static void started(struct sim_watch *watch, const struct sim_event *event) {
  if (watch_op_find(watch, event->op) != NULL || watch_op_has_ended(watch, event->op)) {
    REPORT(watch, SIM_INVARIANT_ACQUIRE_ENDS_ONCE,
           "expected that {op} starts once, found that it starts again", .op = event->op,
           .account = event->account);
    return;
  }
  struct watch_op *op = watch_op_create(watch, event->op);
  if (op == NULL) {
    return;
  }
  int64_t flags = event->values[STARTED_FLAGS];
  op->arrival = ++watch->arrivals;
  op->deadline = event->values[STARTED_DEADLINE];
  op->canceled = (flags & WSP_FLAG_CANCELED) != 0;
  op->force_new = (flags & WSP_FLAG_FORCE_NEW_CONN) != 0;
  op->strict = (flags & WSP_FLAG_FORCE_PREFERRED_CONN) != 0 && !op->force_new;
  if (op->deadline > 0) {
    watch_due_add(watch, op->deadline, op->name);
  }
  if (event->account <= 0 || is_blank(sim_trace_string(watch->trace, event->texts[0]))) {
    return; /* it will be refused */
  }
  op->account = watch_account_of(watch, event->account);
  if (op->account != NULL) {
    op->account->known |= !watch->closing;
    op->account->pending++;
    op->account->trimmed = false;
    op->account->owes = false; /* what has traffic need not come back without */
    op->key = watch_key_of(watch, op->account, event->texts[0], event->texts[1]);
  }
}

/* The conn that `op` has to do with, unless it has gone since. */
static struct watch_conn *conn_of(const struct watch_op *op) {
  return op->conn != NULL && op->conn->generation == op->conn_generation ? op->conn : NULL;
}

static void set_conn(struct watch_op *op, struct watch_conn *conn) {
  op->conn = conn;
  op->conn_generation = conn == NULL ? 0 : conn->generation;
}

static void count_off(struct sim_watch *watch, struct watch_op *op) {
  struct watch_conn *conn = conn_of(op);
  if (conn != NULL) {
    conn->waiters--;
    conn->disturbed = watch->event;
  }
  set_conn(op, NULL);
}

void watch_op_leave_phase(struct sim_watch *watch, struct watch_op *op) {
  switch (op->phase) {
    case OP_WAITS:
      watch_op_dequeue(op);
      count_off(watch, op);
      op->account->waiting--;
      break;
    case OP_DIALS:
      op->account->dials--;
      op->dial = 0;
      break;
    case OP_CHECKS: {
      struct watch_conn *conn = conn_of(op);
      if (conn != NULL && conn->checker == op) {
        conn->checker = NULL; /* the ping goes on */
      }
      set_conn(op, NULL);
      break;
    }
    default:
      break;
  }
  op->phase = OP_CHOOSES;
}

static struct watch_op *pending(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_op *op = watch_op_find(watch, event->op);
  if (op != NULL && op->phase != OP_HOLDS && op->phase != OP_IO) {
    return op;
  }
  bool told = op != NULL || watch_op_has_ended(watch, event->op);
  if (event->op != 0) {
    REPORT(watch, SIM_INVARIANT_ACQUIRE_ENDS_ONCE,
           told ? "expected no word of {op}, which has ended, found another one"
                : "expected that {op} starts before anything else of it, found no start",
           .op = event->op, .account = event->account, .conn = event->conn);
  }
  return NULL;
}

static void queued(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_op *op = pending(watch, event);
  if (op == NULL || op->account == NULL) {
    return;
  }
  struct watch_conn *conn = watch_conn_find(watch, op->account, event->conn);
  watch_op_leave_phase(watch, op);
  op->phase = OP_WAITS;
  op->waits_since = watch->instant;
  op->account->waiting++;
  set_conn(op, conn);
  if (conn != NULL) {
    conn->waiters++;
    conn->disturbed = watch->event;
  }
  if (!op->strict) {
    watch_op_enqueue(op, IN_ACCOUNT, &op->account->waiters);
    if (!op->force_new && op->ping_failures < 2) { /* those wait for their dial alone */
      watch_op_enqueue(op, BY_CONN, &op->key->waiters);
    }
  } else if (conn != NULL) {
    watch_op_enqueue(op, BY_CONN, &conn->strict);
  }
}

/* Whether nothing can be meant for it any more: its end only has to be told. */
static bool is_over(const struct sim_watch *watch, const struct watch_op *op) {
  return op->canceled || (op->deadline > 0 && watch->now >= op->deadline);
}

/* Whoever came earlier and has waited since before this instant. (Within one the order in which
 * things are told is not that in which they were decided.) */
static const struct watch_op *passed_over(const struct sim_watch *watch,
                                          const struct watch_queue *queue,
                                          const struct watch_op *op) {
  const struct watch_op *first = queue->first;
  while (first != NULL && is_over(watch, first)) {
    first = first->next[queue == &op->account->waiters ? IN_ACCOUNT : BY_CONN];
  }
  return first != NULL && first->arrival < op->arrival && first->waits_since < watch->instant
             ? first
             : NULL;
}

void watch_turn_of(struct sim_watch *watch, const struct watch_op *op,
                   const struct watch_conn *conn) {
  if (op->account == NULL || op->goes_first) {
    return;
  }
  const struct watch_op *earlier = NULL;
  if (conn != NULL && !watch_conn_is_retired(watch, conn)) {
    earlier = passed_over(watch, &conn->strict, op);
    if (earlier == NULL) {
      earlier = passed_over(watch, &conn->key->waiters, op);
    }
  } else if (conn == NULL && !op->force_new && watch->config.max_connecting == 0) {
    earlier = passed_over(watch, &op->account->waiters, op);
    if (earlier != NULL && earlier->key != NULL && earlier->key->idle > 0) {
      earlier = NULL; /* it may have a conn already that it has not been told of */
    }
  }
  if (earlier != NULL) {
    REPORT(watch, SIM_INVARIANT_FIRST_COME_FIRST_SERVED,
           conn != NULL
               ? "expected {conn} for {other}, which came before {op} and waits for it, found that "
                 "{op} gets it"
               : "expected the room for {other}, which came before {op} and waits for it, found "
                 "that {op} dials",
           .account = op->account->id, .conn = conn == NULL ? 0 : conn->name, .op = op->name,
           .other = earlier->name);
  }
}

/* ---- Granted ------------------------------------------------------------------------------ */

static void check_end(struct sim_watch *watch, const struct sim_event *event,
                      const struct watch_op *op) {
  if (op->canceled) {
    REPORT(watch, SIM_INVARIANT_ACQUIRE_ENDS_ONCE,
           "expected that {op}, which was cancelled, is not granted, found that it gets {conn}",
           .account = event->account, .conn = event->conn, .op = event->op);
  } else if (op->deadline > 0 && event->t_ns >= op->deadline) {
    REPORT(watch, SIM_INVARIANT_ACQUIRE_ENDS_ONCE,
           "expected that {op} is not granted at its deadline of {t0} or after it, found {t1}",
           .account = event->account, .conn = event->conn, .op = event->op,
           .values = {op->deadline, event->t_ns});
  } else if (watch->closing && watch->close_instant != watch->instant) {
    REPORT(watch, SIM_INVARIANT_CLOSED_STAYS_CLOSED,
           "expected that {op} fails, since the pool is closed, found that it gets {conn}",
           .account = event->account, .conn = event->conn, .op = event->op);
  }
}

/* Of a conn that is not lent at this moment. */
static void check_usable(struct sim_watch *watch, const struct sim_event *event,
                         const struct watch_op *op, const struct watch_conn *conn) {
  bool reused = event->values[GRANTED_REUSED] != 0;
  struct watch_where where = {.account = event->account, .conn = conn->name, .op = op->name};
  const char *sentence = NULL;
  if (conn->key != op->key) {
    sentence = "expected a conn of the URL and the proxy of {op}, found {conn}, which is of others";
  } else if (conn->owner != 0 && conn->owner != op->name) {
    where.other = conn->owner;
    sentence = "expected {conn} for {other}, which dialled it, found that {op} gets it";
  } else if (reused && watch_conn_is_retired(watch, conn) && conn->pins == 0) {
    where.values[0] = event->t_ns - conn->born;
    where.values[1] = conn->age_limit - watch->config.retire_before_max_age;
    sentence = "expected no conn that is older than {t1}, found {conn} of {t0}";
  } else if (reused && conn->state == CONN_IS_IDLE && !conn->was_checked &&
             watch->jump_instant != watch->instant &&
             event->t_ns - conn->last_used >= watch->config.health_check_idle) {
    where.values[0] = event->t_ns - conn->last_used;
    sentence = "expected a ping before {conn} is lent, which was idle for {t0}, found none";
  }
  if (sentence != NULL) {
    watch_report(watch, SIM_INVARIANT_GRANT_IS_USABLE, sentence, &where);
  }
}

static void check_clean(struct sim_watch *watch, const struct watch_op *op,
                        const struct watch_conn *conn) {
  if (conn->pending_io > 0) {
    REPORT(watch, SIM_INVARIANT_NOTHING_AFTER_RELEASE,
           "expected that {conn} is lent without anything of an earlier lease, found {0} reads or "
           "writes that have not ended",
           .account = conn->account->id, .conn = conn->name, .op = op->name,
           .values = {conn->pending_io});
  } else if (conn->unread > 0) {
    REPORT(watch, SIM_INVARIANT_NOTHING_AFTER_RELEASE,
           "expected that {conn} is lent without anything of an earlier lease, found {0} messages "
           "that nobody has read",
           .account = conn->account->id, .conn = conn->name, .op = op->name,
           .values = {conn->unread});
  }
}

static void lend(struct sim_watch *watch, const struct sim_event *event, struct watch_op *op,
                 struct watch_conn *conn) {
  watch_op_leave_phase(watch, op);
  op->phase = OP_HOLDS;
  op->goes_first = false;
  set_conn(op, conn);
  watch_conn_turn(watch, conn, CONN_IS_LEASED);
  conn->holder = op->name;
  conn->owner = 0;
  conn->lease++;
  conn->leased_at = event->t_ns;
  op->account->has_template = true;
  op->account->pending--;
}

static void granted(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_op *op = pending(watch, event);
  if (op == NULL) {
    return;
  }
  struct watch_conn *conn =
      op->account == NULL ? NULL : watch_conn_find(watch, op->account, event->conn);
  if (conn == NULL) {
    REPORT(watch, SIM_INVARIANT_GRANT_IS_USABLE,
           "expected a conn that is in the account of {op}, found {conn}, which is not",
           .account = event->account, .conn = event->conn, .op = event->op);
    return;
  }
  if (conn->state == CONN_IS_LEASED) {
    REPORT(watch, SIM_INVARIANT_ONE_LEASE_PER_CONN,
           "expected that {conn} is lent to nobody, found that {other} has it while {op} gets it",
           .account = event->account, .conn = conn->name, .op = op->name, .other = conn->holder);
    return;
  }
  check_end(watch, event, op);
  check_usable(watch, event, op, conn);
  check_clean(watch, op, conn);
  if (conn->state == CONN_IS_IDLE) { /* else it was chosen when it was dialled or pinged */
    watch_turn_of(watch, op, conn);
  }
  lend(watch, event, op, conn);
}

/* ---- Failed ------------------------------------------------------------------------------- */

static void failed(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_op *op = pending(watch, event);
  if (op == NULL) {
    return;
  }
  struct watch_where where = {.account = event->account, .op = op->name};
  if (event->cause == WSP_CANCELED && !op->canceled) {
    watch_report(watch, SIM_INVARIANT_ACQUIRE_ENDS_ONCE,
                 "expected a cancel before {op} ends with \"canceled\", found none", &where);
  } else if (event->cause == WSP_DEADLINE_EXCEEDED &&
             (op->deadline <= 0 || event->t_ns < op->deadline)) {
    watch_report(watch, SIM_INVARIANT_ACQUIRE_ENDS_ONCE,
                 "expected that {op} ends with \"deadline_exceeded\" at its deadline, found it "
                 "before that, or without one",
                 &where);
  } else if (event->cause == WSP_POOL_CLOSED && !watch->closing) {
    watch_report(watch, SIM_INVARIANT_ACQUIRE_ENDS_ONCE,
                 "expected a close before {op} ends with \"pool_closed\", found none", &where);
  }
  watch_op_leave_phase(watch, op);
  if (op->account != NULL) {
    op->account->pending--;
    op->account->trimmed = false;
  }
  watch_op_release(watch, op);
}

void watch_acquire_event(struct sim_watch *watch, const struct sim_event *event) {
  switch (event->kind) {
    case WSP_ACQUIRE_STARTED:
      if (event->op != 0) {
        started(watch, event);
      }
      break;
    case WSP_ACQUIRE_QUEUED:
    case WSP_ACQUIRE_REQUEUED:
      queued(watch, event);
      break;
    case WSP_ACQUIRE_GRANTED:
      granted(watch, event);
      break;
    case WSP_ACQUIRE_FAILED:
      failed(watch, event);
      break;
    default:
      break;
  }
}
