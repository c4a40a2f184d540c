/*
 * watch_wait.c - when an instant has come to rest, nobody waits beside what could serve him, or
 * past his deadline.
 */
#include "sim/watch_internal.h"

static bool is_lendable(const struct sim_watch *watch, const struct watch_conn *conn) {
  return conn->state == CONN_IS_IDLE && !watch_conn_is_retired(watch, conn);
}

static void tell_idle(struct sim_watch *watch, const struct watch_conn *conn,
                      const struct watch_op *op) {
  REPORT(watch, SIM_INVARIANT_NO_WAITER_BESIDE_IDLE_CONN,
         "expected that {op} is served by {conn}, which is idle, found that it waits",
         .account = conn->account->id, .conn = conn->name, .op = op->name);
}

/* Retired conns of the key may be idle, being pinned: they serve only who names them. */
static void check_idle(struct sim_watch *watch, const struct watch_account *account) {
  for (const struct watch_key *key = account->keys; key != NULL; key = key->next) {
    if (key->idle == 0 || key->waiters.count == 0) {
      continue;
    }
    for (const struct watch_conn *conn = account->first_conn; conn != NULL; conn = conn->next) {
      if (conn->key == key && is_lendable(watch, conn)) {
        tell_idle(watch, conn, key->waiters.first);
        return;
      }
    }
  }
}

static void check_strict(struct sim_watch *watch, const struct watch_account *account) {
  if (account->waiting == account->waiters.count) {
    return;
  }
  for (const struct watch_conn *conn = account->first_conn; conn != NULL; conn = conn->next) {
    if (conn->strict.count > 0 && conn->state == CONN_IS_IDLE &&
        (conn->pins > 0 || is_lendable(watch, conn))) {
      tell_idle(watch, conn, conn->strict.first);
      return;
    }
  }
}

/* `unplaced` wait and have no place. */
static void check_room(struct sim_watch *watch, const struct watch_account *account,
                       const struct wsp_account_stats *stats) {
  int64_t taken = account->conns + stats->creating;
  int64_t idle = account->idle_unpinned;
  struct watch_where where = {.account = account->id,
                              .op = account->waiters.first->name,
                              .values = {account->maximum, account->conns, stats->creating}};
  if (taken < account->maximum && taken + account->closing >= account->maximum) {
    watch_report(watch, SIM_INVARIANT_CLOSE_DELAYS_NO_ACQUIRE,
                 "expected that {op} dials, since there are {1} conns and {2} reserved places of "
                 "{0}, found that it waits until the close of another conn is over",
                 &where);
  } else if (taken < account->maximum) {
    watch_report(watch, SIM_INVARIANT_NO_WAITER_BESIDE_ROOM,
                 "expected that {op} dials, since there are {1} conns and {2} reserved places of "
                 "{0}, found that it waits",
                 &where);
  } else if (idle > 0 && taken - idle < account->maximum) {
    where.values[1] = idle;
    watch_report(watch, SIM_INVARIANT_NO_WAITER_BESIDE_ROOM,
                 "expected that an idle conn which {op} can not use makes room for it, found that "
                 "it waits beside {1} such conns",
                 &where);
  }
}

void watch_settle_waiters(struct sim_watch *watch, const struct watch_account *account,
                          const struct wsp_account_stats *stats) {
  if (account->waiting == 0) {
    return;
  }
  check_idle(watch, account);
  check_strict(watch, account);
  int64_t placed = stats->creating - account->dials - account->prewarm_left;
  if (account->waiters.count > placed) {
    check_room(watch, account, stats);
  }
  if (placed > 0 && account->dials < watch->config.max_connecting && account->unconfirmed == NULL) {
    REPORT(watch, SIM_INVARIANT_NO_WAITER_BESIDE_ROOM,
           "expected {0} dials at once, since acquires with a place wait for their turn, found {1}",
           .account = account->id, .values = {watch->config.max_connecting, account->dials});
  }
}

void watch_settle_deadlines(struct sim_watch *watch) {
  while (watch->due_count > 0 && watch->due[0].at <= watch->now) {
    const struct watch_op *op = watch_op_find(watch, watch->due[0].op);
    if (op != NULL && op->phase != OP_HOLDS && op->phase != OP_IO) {
      REPORT(watch, SIM_INVARIANT_ACQUIRE_ENDS_BY_DEADLINE,
             "expected that {op} has ended at its deadline of {t0}, found it pending",
             .account = op->account == NULL ? 0 : op->account->id, .op = op->name,
             .values = {op->deadline});
    }
    watch_due_drop_first(watch);
  }
}
