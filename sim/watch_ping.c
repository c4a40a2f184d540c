/*
 * watch_ping.c - what must hold of pings before a conn is lent, and of those of a sweep.
 */
#include "sim/watch_internal.h"

/* The list is in the order of the times by which answers are due, since all have the same limit:
 * the longer of both timeouts. */
void watch_pinged(struct sim_watch *watch, struct watch_conn *conn) {
  const struct wsp_config *config = &watch->config;
  if (conn->in_pinged) {
    return;
  }
  conn->in_pinged = true;
  conn->ping_due = watch_sum(watch_time(watch), config->probe_timeout > config->health_check_timeout
                                                    ? config->probe_timeout
                                                    : config->health_check_timeout);
  conn->previous_pinged = watch->last_pinged;
  conn->next_pinged = NULL;
  *(watch->last_pinged != NULL ? &watch->last_pinged->next_pinged : &watch->first_pinged) = conn;
  watch->last_pinged = conn;
}

void watch_unpinged(struct sim_watch *watch, struct watch_conn *conn) {
  if (!conn->in_pinged) {
    return;
  }
  conn->in_pinged = false;
  *(conn->previous_pinged != NULL ? &conn->previous_pinged->next_pinged : &watch->first_pinged) =
      conn->next_pinged;
  *(conn->next_pinged != NULL ? &conn->next_pinged->previous_pinged : &watch->last_pinged) =
      conn->previous_pinged;
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
  conn->sweep_pings = true;
  conn->ping_began = watch->event;
}

static void ping_starts(struct sim_watch *watch, const struct sim_event *event,
                        struct watch_conn *conn) {
  if (event->cause == WSP_REASON_HEALTH_CHECK) {
    check_begins(watch, event, conn);
  } else if (event->cause == WSP_REASON_SWEEP) {
    sweep_begins(watch, event, conn);
  } else {
    watch_unpinged(watch, conn); /* a borrower waits on by a limit of its own */
    return;
  }
  watch_pinged(watch, conn);
}

static void ping_ends(struct sim_watch *watch, const struct sim_event *event,
                      struct watch_conn *conn) {
  struct watch_op *op = conn->checker;
  if (event->kind == WSP_PING_FAILED_EVENT && conn->sweep_pings && conn->state == CONN_IS_IDLE &&
      conn->changed <= conn->ping_began) {
    conn->ping_failed = watch->event; /* it is evicted in this instant, unless somebody gets it */
    conn->account->must_leave += !conn->must_leave;
    conn->must_leave = true;
  }
  conn->sweep_pings = false;
  watch_unpinged(watch, conn);
  if (conn->state != CONN_IS_CHECKED) {
    return;
  }
  if (event->kind == WSP_PING_FAILED_EVENT) {
    if (op != NULL) {
      op->ping_failures++;
      op->goes_first = true;
      op->dial_failed = 0;
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
  if (event->kind == WSP_PING_CANCELED && event->op != 0) {
    struct watch_op *op = watch_op_find(watch, event->op);
    if (op != NULL) {
      op->dial_failed = 0; /* its conn was lost under the ping: it starts over */
    }
  }
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
