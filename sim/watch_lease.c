/*
 * watch_lease.c - what must hold of leases: they end as their holder or the upstream wants it, and
 * nothing of one reaches another.
 *
 * A step that uses a lease which is over must have no effect; what the pool tells next in the same
 * call shows whether it had one.
 */
#include <string.h>

#include "sim/watch_internal.h"

enum { LEASE_HELD = 0 };

sim_string watch_asked_through(const struct sim_watch *watch, const char *operation) {
  if (watch->event == watch->batch) {
    return 0;
  }
  const struct sim_event *before = &sim_trace_events(watch->trace)[watch->event - 1];
  return before->kind == SIM_STEP_PERFORMED &&
                 strcmp(sim_trace_string(watch->trace, before->texts[0]), operation) == 0
             ? before->op
             : 0;
}

static void check_duration(struct sim_watch *watch, const struct sim_event *event,
                           const struct watch_conn *conn) {
  int64_t held = event->t_ns - conn->leased_at;
  if (held != event->values[LEASE_HELD]) {
    REPORT(watch, SIM_INVARIANT_WALL_CLOCK_IRRELEVANT,
           "expected that {op} held {conn} for {t0} of virtual time, found that the pool says {t1}",
           .account = event->account, .conn = conn->name, .op = event->op,
           .values = {held, event->values[LEASE_HELD]});
  }
}

/* The conn that `event` takes from its holder, which is still on lease or (`gone`) has just been
 * evicted; NULL, and reported: the holder does not have it. */
static struct watch_conn *taken(struct sim_watch *watch, const struct sim_event *event, bool gone) {
  struct watch_account *account = watch_account_of(watch, event->account);
  struct watch_op *op = watch_op_find(watch, event->op);
  struct watch_conn *conn = gone ? watch_conn_closing(watch, account, event->conn)
                                 : watch_conn_find(watch, account, event->conn);
  if (conn == NULL || op == NULL || op->phase != OP_HOLDS || conn->holder != event->op) {
    REPORT(watch, SIM_INVARIANT_ONE_LEASE_PER_CONN,
           "expected that {op} has {conn} when its lease ends, found that it has not",
           .account = event->account, .conn = event->conn, .op = event->op);
    return NULL;
  }
  return conn;
}

static void released(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_conn *conn = taken(watch, event, false);
  if (conn == NULL) {
    return;
  }
  sim_string asker = watch_asked_through(watch, "release");
  if (asker != 0 && asker != event->op) {
    REPORT(watch, SIM_INVARIANT_NOTHING_AFTER_RELEASE,
           "expected that a release by {other}, whose lease is over, does nothing, found that it "
           "takes {conn} from {op}",
           .account = event->account, .conn = conn->name, .op = event->op, .other = asker);
  }
  check_duration(watch, event, conn);
  conn->holder = 0;
  conn->ended_instant = watch->instant;
  conn->last_used = event->t_ns;
  conn->was_checked = false;
  watch_conn_turn(watch, conn, CONN_IS_IDLE);
  conn->account->trimmed = false;
  watch_op_release(watch, watch_op_find(watch, event->op));
}

static void lost(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_conn *conn = taken(watch, event, true);
  if (conn != NULL) {
    check_duration(watch, event, conn);
    conn->holder = 0;
    conn->ended_instant = watch->instant;
    watch_op_release(watch, watch_op_find(watch, event->op));
  }
}

static void prewarmed(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_conn *conn =
      watch_conn_find(watch, watch_account_of(watch, event->account), event->conn);
  sim_string asker = watch_asked_through(watch, "mark_prewarmed");
  if (conn == NULL || conn->state != CONN_IS_LEASED || conn->holder != event->op ||
      (asker != 0 && asker != event->op)) {
    REPORT(watch, SIM_INVARIANT_NOTHING_AFTER_RELEASE,
           "expected that only the holder of {conn} marks it, found that {op} does, which has it "
           "not",
           .account = event->account, .conn = event->conn, .op = event->op);
  }
}

/* A message that nobody waits for is kept for the next read of this lease. */
static void buffered(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_conn *conn =
      watch_conn_find(watch, watch_account_of(watch, event->account), event->conn);
  if (conn != NULL) {
    conn->unread++;
  }
}

/* ---- Reads, writes, pings ----------------------------------------------------------------- */

static bool counts_as_io(uint16_t kind) {
  return kind < WSP_LEASE_PING_STARTED;
}

static void io_started(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_op *op = event->op == 0 ? NULL : watch_op_create(watch, event->op);
  if (op == NULL) {
    return;
  }
  op->phase = OP_IO;
  struct watch_conn *conn =
      event->conn == 0
          ? NULL
          : watch_conn_find(watch, watch_account_of(watch, event->account), event->conn);
  if (conn == NULL || conn->state != CONN_IS_LEASED) {
    return; /* through a lease that is over: it has to fail */
  }
  op->conn = conn;
  op->conn_generation = conn->generation;
  op->lease = conn->lease;
  conn->pending_io += counts_as_io(event->kind);
}

static struct watch_conn *io_conn(const struct watch_op *op) {
  return op->conn != NULL && op->conn->generation == op->conn_generation ? op->conn : NULL;
}

bool watch_io_conn_has_gone(const struct sim_watch *watch, const struct watch_op *op) {
  return op->conn != NULL && op->lease != 0 && op->conn->generation == op->conn_generation + 1 &&
         op->conn->gone_instant == watch->instant && op->conn->gone_lease == op->lease;
}

/* What has come about before the end of the lease may be delivered after it, and after that of the
 * conn, but in the same instant. */
static bool is_of_live_lease(const struct sim_watch *watch, const struct watch_op *op,
                             const struct watch_conn *conn) {
  if (conn == NULL) {
    return watch_io_conn_has_gone(watch, op);
  }
  return conn->lease == op->lease &&
         (conn->state == CONN_IS_LEASED || conn->ended_instant == watch->instant);
}

static void io_succeeded(struct sim_watch *watch, const struct sim_event *event,
                         const struct watch_op *op, struct watch_conn *conn) {
  if (op->lease == 0 || !is_of_live_lease(watch, op, conn)) {
    REPORT(watch, SIM_INVARIANT_NOTHING_AFTER_RELEASE,
           "expected that {op} fails, since its lease is over, found that it succeeds",
           .account = event->account, .conn = event->conn, .op = event->op);
  }
  if (event->kind == WSP_READ_SUCCEEDED && conn != NULL && conn->unread > 0) {
    conn->unread--;
  }
}

static void io_ended(struct sim_watch *watch, const struct sim_event *event, bool succeeded) {
  struct watch_op *op = watch_op_find(watch, event->op);
  if (op == NULL || op->phase != OP_IO) {
    if (event->op != 0) {
      REPORT(watch, SIM_INVARIANT_NOTHING_AFTER_RELEASE,
             "expected one end of {op}, found another one or no start", .account = event->account,
             .conn = event->conn, .op = event->op);
    }
    return;
  }
  struct watch_conn *conn = io_conn(op);
  if (conn != NULL && counts_as_io(event->kind)) {
    conn->pending_io--;
  }
  if (succeeded) {
    io_succeeded(watch, event, op, conn);
  } else if (event->kind == WSP_READ_FAILED && conn != NULL && conn->lease == op->lease &&
             conn->state != CONN_IS_LEASED && conn->unread > 0) {
    conn->unread--; /* it had a message, and was cancelled after the release */
  }
  watch_op_release(watch, op);
}

void watch_lease_event(struct sim_watch *watch, const struct sim_event *event) {
  switch (event->kind) {
    case WSP_LEASE_RELEASED:
      released(watch, event);
      break;
    case WSP_LEASE_LOST:
      lost(watch, event);
      break;
    case WSP_CONN_PREWARMED:
      prewarmed(watch, event);
      break;
    case WSP_MESSAGE_BUFFERED:
      buffered(watch, event);
      break;
    case WSP_READ_STARTED:
    case WSP_WRITE_STARTED:
    case WSP_LEASE_PING_STARTED:
      io_started(watch, event);
      break;
    case WSP_READ_SUCCEEDED:
    case WSP_WRITE_SUCCEEDED:
    case WSP_LEASE_PING_SUCCEEDED:
      io_ended(watch, event, true);
      break;
    default:
      io_ended(watch, event, false);
      break;
  }
}

void watch_step_event(struct sim_watch *watch, const struct sim_event *event) {
  if (event->op != 0 && strcmp(sim_trace_string(watch->trace, event->texts[0]), "cancel") == 0) {
    struct watch_op *op = watch_op_find(watch, event->op);
    if (op != NULL) {
      op->canceled = true;
    }
  }
}
