/*
 * watch_ping.c - what must hold of pings and of the background sweeps.
 */
#include "sim/watch_internal.h"

/* Takes it out of the list of pings that have a timeout. */
void watch_unpinged(struct sim_watch *watch, struct watch_conn *conn) {
  (void)watch;
  (void)conn;
}

static struct watch_op *checker_of(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_op *op = watch_op_find(watch, event->op);
  return op != NULL && op->phase != OP_HOLDS && op->phase != OP_IO ? op : NULL;
}

/* An acquire has the conn pinged, and gets it if it answers. */
static void check_begins(struct sim_watch *watch, const struct sim_event *event,
                         struct watch_conn *conn) {
  struct watch_op *op = checker_of(watch, event);
  if (conn->state != CONN_IS_IDLE || op == NULL) {
    REPORT(watch, SIM_INVARIANT_ONE_LEASE_PER_CONN,
           "expected that an acquire which is pending has an idle conn checked, found {op} and "
           "{conn}",
           .account = event->account, .conn = conn->name, .op = event->op);
    return;
  }
  watch_turn_of(watch, op, conn);
  watch_op_leave_phase(watch, op);
  op->goes_first = false;
  op->phase = OP_CHECKS;
  op->conn = conn;
  op->conn_generation = conn->generation;
  conn->checker = op;
  conn->was_checked = true;
  watch_conn_turn(watch, conn, CONN_IS_CHECKED);
}

/* Once it has been sent on a conn, a ping that is not answered takes it down. */
static void sweep_begins(struct sim_watch *watch, const struct sim_event *event,
                         struct watch_conn *conn) {
  if (conn->state != CONN_IS_IDLE || conn->waiters > 0) {
    REPORT(watch, SIM_INVARIANT_LEASED_CONN_NOT_CLOSED,
           "expected that sweeps ping only what is idle and waited for by nobody, found {conn}",
           .account = event->account, .conn = conn->name);
  }
  conn->swept = watch->sweep;
  conn->ping_began = watch->event;
}

static void ping_starts(struct sim_watch *watch, const struct sim_event *event,
                        struct watch_conn *conn) {
  if (event->cause == WSP_REASON_HEALTH_CHECK) {
    check_begins(watch, event, conn);
  } else if (event->cause == WSP_REASON_SWEEP) {
    sweep_begins(watch, event, conn);
  }
}

static void ping_ends(struct sim_watch *watch, const struct sim_event *event,
                      struct watch_conn *conn) {
  struct watch_op *op = conn->checker;
  if (conn->state != CONN_IS_CHECKED) {
    return;
  }
  if (event->kind == WSP_PING_FAILED_EVENT) {
    if (op != NULL) {
      op->ping_failures++;
      op->goes_first = true;
      op->dial_failed = false;
    }
    return; /* it is evicted next */
  }
  if (event->kind == WSP_PING_SUCCEEDED) {
    conn->owner = op == NULL ? 0 : op->name;
    if (op != NULL) {
      watch_op_leave_phase(watch, op);
    }
    watch_conn_turn(watch, conn, CONN_IS_RESERVED);
  }
}

void watch_ping_event(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_conn *conn =
      watch_conn_find(watch, watch_account_of(watch, event->account), event->conn);
  if (conn == NULL) {
    return; /* the ping of one that leaves */
  }
  if (event->kind == WSP_PING_STARTED || event->kind == WSP_PING_JOINED) {
    ping_starts(watch, event, conn);
  } else {
    ping_ends(watch, event, conn);
  }
}

void watch_sweep_event(struct sim_watch *watch, const struct sim_event *event) {
  if (watch->closing && event->kind != WSP_PING_SWEEP_FINISHED) {
    REPORT(watch, SIM_INVARIANT_CLOSED_STAYS_CLOSED,
           "expected no sweep in a closed pool, found that one starts", .account = 0);
  }
  if (event->kind == WSP_PING_SWEEP_STARTED) {
    watch->sweep++;
    watch->sweep_event = watch->event;
  }
}
