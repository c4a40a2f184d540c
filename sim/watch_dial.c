/*
 * watch_dial.c - what must hold of dials and of prewarm: places, maximum, failures, suppression.
 */
#include "sim/watch_internal.h"

enum { DIAL_SERIAL = 0, DIAL_LATENCY = 1 };
enum { PREWARM_NEED = 0, PREWARM_UNUSED = 2, SUPPRESSED_FAILS = 0 };

static int64_t smaller(int64_t left, int64_t right) {
  return left < right ? left : right;
}

/* So many idle conns trimming leaves. */
int64_t watch_idle_ceiling(const struct sim_watch *watch, const struct watch_account *account) {
  int64_t ceiling = watch->config.max_idle_per_account;
  if (ceiling < watch->config.min_idle_per_account) {
    ceiling = watch->config.min_idle_per_account;
  }
  return smaller(ceiling, account->maximum);
}

/* Before an acquire has told of its account, the maximum is that of an unknown one. */
static int64_t maximum_now(const struct sim_watch *watch, const struct watch_account *account) {
  int64_t cap = watch->config.max_conns_per_account;
  return account->known || account->maximum > cap ? account->maximum : cap;
}

bool watch_is_suppressed(const struct sim_watch *watch, const struct watch_account *account) {
  return account->fails >= watch->config.prewarm_failure_suppress && account->fails > 0 &&
         watch->now - account->last_failure <= watch->config.prewarm_failure_window;
}

/* ---- Dials -------------------------------------------------------------------------------- */

static void check_start(struct sim_watch *watch, const struct sim_event *event,
                        const struct watch_account *account) {
  int64_t total = account->conns + account->dials + account->prewarm_left;
  struct watch_where where = {.account = account->id, .op = event->op};
  if (watch->closing) {
    watch_report(watch, SIM_INVARIANT_CLOSED_STAYS_CLOSED,
                 "expected that a closed pool does not dial, found a dial", &where);
  } else if (total > maximum_now(watch, account)) {
    where.values[0] = maximum_now(watch, account);
    where.values[1] = account->conns;
    where.values[2] = total - account->conns;
    watch_report(watch, SIM_INVARIANT_MAXIMUM_RESPECTED,
                 "expected at most {0} conns and dials, found {1} conns and {2} dials", &where);
  }
}

static void acquire_dials(struct sim_watch *watch, const struct sim_event *event,
                          struct watch_account *account) {
  struct watch_op *op = watch_op_find(watch, event->op);
  if (op == NULL || op->account != account || op->phase == OP_HOLDS || op->phase == OP_IO ||
      op->phase == OP_DIALS) {
    REPORT(watch, SIM_INVARIANT_CREATING_MATCHES_DIALS,
           "expected that an acquire which is pending and has no dial dials, found {op}",
           .account = account->id, .op = event->op);
    return;
  }
  /* Unless it took an idle conn then, which has left before it was lent. */
  if (op->dial_failed > account->left) {
    REPORT(watch, SIM_INVARIANT_STEADY_LOAD_NO_CHURN,
           "expected that {op} ends, since its dial has failed, found that it dials again",
           .account = account->id, .op = op->name);
  }
  watch_turn_of(watch, op, NULL);
  watch_op_leave_phase(watch, op);
  account->dials++;
  op->goes_first = false;
  op->phase = OP_DIALS;
  op->dial = event->values[DIAL_SERIAL];
  op->dial_started = event->t_ns;
  check_start(watch, event, account);
}

/* Enough dials have failed of late: the upstream is left alone for a while. */
static void check_suppression(struct sim_watch *watch, const struct watch_account *account) {
  if (watch_is_suppressed(watch, account)) {
    REPORT(watch, SIM_INVARIANT_STEADY_LOAD_NO_CHURN,
           "expected no prewarm within {t0} of the last of {1} failures, found one {t2} after it",
           .account = account->id,
           .values = {watch->config.prewarm_failure_window, account->fails,
                      watch->now - account->last_failure});
  }
}

static void prewarm_dials(struct sim_watch *watch, const struct sim_event *event,
                          struct watch_account *account) {
  if (!account->prewarming || account->prewarm_left == 0 || account->prewarm_dial != 0) {
    REPORT(watch, SIM_INVARIANT_CREATING_MATCHES_DIALS,
           "expected one prewarm dial at a time and only for places that are reserved, found one "
           "with {0} places left",
           .account = account->id, .values = {account->prewarm_left});
    return;
  }
  check_suppression(watch, account);
  account->prewarm_left--;
  account->dials++;
  account->prewarm_dial = event->values[DIAL_SERIAL];
  account->prewarm_dial_started = event->t_ns;
  check_start(watch, event, account);
}

static void await_confirmation(struct sim_watch *watch, struct watch_account *account,
                               int64_t serial) {
  struct watch_canceled_dial *dial = watch->free_dials;
  if (dial != NULL) {
    watch->free_dials = dial->next;
  } else {
    dial = sim_arena_allocate(watch->arena, sizeof *dial);
    if (dial == NULL) {
      watch->failed = true;
      return;
    }
  }
  *dial = (struct watch_canceled_dial){.next = account->unconfirmed, .serial = serial};
  account->unconfirmed = dial;
  watch->unconfirmed++;
}

/* The transport has had its word on a dial that was given up. */
static void confirmed(struct sim_watch *watch, const struct sim_event *event,
                      struct watch_account *account) {
  struct watch_canceled_dial **at = &account->unconfirmed;
  while (*at != NULL && (*at)->serial != event->values[DIAL_SERIAL]) {
    at = &(*at)->next;
  }
  struct watch_canceled_dial *dial = *at;
  if (dial != NULL) {
    watch->unconfirmed--;
    *at = dial->next;
    dial->next = watch->free_dials;
    watch->free_dials = dial;
  }
}

/* A failure of the upstream's making: a caller's end is none, nor is a lack of memory. */
static void count_failure(struct sim_watch *watch, const struct sim_event *event,
                          struct watch_account *account, const struct watch_op *op) {
  if (op != NULL && (op->canceled || (op->deadline > 0 && event->t_ns >= op->deadline))) {
    REPORT(watch, SIM_INVARIANT_CANCEL_IS_NO_FAILURE,
           "expected that the dial of {op} is cancelled, since {op} was cancelled or is past its "
           "deadline, found that it counts as a failure of the upstream",
           .account = account->id, .op = op->name);
  }
  if (account->fails > 0 &&
      event->t_ns - account->last_failure > watch->config.prewarm_failure_window) {
    account->fails = 0;
  }
  account->fails++;
  account->last_failure = event->t_ns;
}

static void count_outcome(struct sim_watch *watch, const struct sim_event *event,
                          struct watch_account *account, struct watch_op *op) {
  switch (event->kind) {
    case WSP_DIAL_SUCCEEDED:
      account->fails = 0;
      break;
    case WSP_DIAL_CANCELED:
      if (event->cause == WSP_REASON_OVER_MAXIMUM) {
        account->fails = 0; /* the upstream did answer */
      } else if (event->cause != WSP_REASON_DEADLINE) {
        /* At a deadline the answer itself may have been what came too late. */
        await_confirmation(watch, account, event->values[DIAL_SERIAL]);
      }
      break;
    default:
      if (event->cause != WSP_REASON_OUT_OF_MEMORY) {
        count_failure(watch, event, account, op);
      }
      break;
  }
}

static void dial_ends(struct sim_watch *watch, const struct sim_event *event,
                      struct watch_account *account) {
  struct watch_op *op = event->op == 0 ? NULL : watch_op_find(watch, event->op);
  int64_t serial = event->values[DIAL_SERIAL];
  bool is_prewarm = event->op == 0;
  bool is_alive = is_prewarm ? account->prewarm_dial == serial
                             : op != NULL && op->phase == OP_DIALS && op->dial == serial;
  if (!is_alive || serial == 0) {
    REPORT(watch, SIM_INVARIANT_CREATING_MATCHES_DIALS,
           "expected one end of each dial, found another one of dial {0}", .account = account->id,
           .op = event->op, .values = {serial});
    return;
  }
  int64_t latency = event->t_ns - (is_prewarm ? account->prewarm_dial_started : op->dial_started);
  if (latency != event->values[DIAL_LATENCY]) {
    REPORT(watch, SIM_INVARIANT_WALL_CLOCK_IRRELEVANT,
           "expected that dial {2} took {t0} of virtual time, found that the pool says {t1}",
           .account = account->id, .op = event->op,
           .values = {latency, event->values[DIAL_LATENCY], serial});
  }
  /* Where the upstream fails, nothing has to come back without traffic, of this sweep neither. */
  account->owes = account->owes && event->kind == WSP_DIAL_SUCCEEDED;
  account->ping_evicted = account->ping_evicted && event->kind == WSP_DIAL_SUCCEEDED;
  /* Who has no conn of his own by now takes one that is idle. */
  account->trimmed = account->trimmed && event->kind == WSP_DIAL_SUCCEEDED;
  if (is_prewarm) {
    account->prewarm_dial = 0;
    account->dials--;
  } else {
    watch_op_leave_phase(watch, op);
    op->dial_failed = event->kind == WSP_DIAL_FAILED_EVENT ? watch->event + 1 : 0;
  }
  count_outcome(watch, event, account, op);
}

void watch_dial_event(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_account *account = watch_account_of(watch, event->account);
  if (account == NULL) {
    return;
  }
  if (event->kind == WSP_DIAL_ENDED) {
    confirmed(watch, event, account);
  } else if (event->kind != WSP_DIAL_STARTED) {
    dial_ends(watch, event, account);
  } else if (event->op != 0) {
    acquire_dials(watch, event, account);
  } else {
    prewarm_dials(watch, event, account);
  }
}

/* ---- Prewarm ------------------------------------------------------------------------------ */

/* More than trimming would leave is dialled and trimmed for ever. Who is about to get a conn is
 * not told yet, so all pending acquires count as if they were. */
static void check_need(struct sim_watch *watch, const struct watch_account *account, int64_t need) {
  int64_t kept = account->leases + account->checking + account->reserved + account->pending +
                 watch_idle_ceiling(watch, account);
  int64_t has = account->conns + account->dials + account->prewarm_left;
  if (need > kept - has) {
    REPORT(watch, SIM_INVARIANT_STEADY_LOAD_NO_CHURN,
           "expected no more conns than the {0} that trimming would leave, found {1} and a prewarm "
           "of {2} more",
           .account = account->id, .values = {kept, has, need});
  } else if (account->trimmed) {
    REPORT(watch, SIM_INVARIANT_STEADY_LOAD_NO_CHURN,
           "expected that what was trimmed is not dialled again while nothing has changed, found a "
           "prewarm of {0}",
           .account = account->id, .values = {need});
  } else if (account->has_prewarmed &&
             watch->now < watch_sum(account->last_prewarm, watch->config.prewarm_cooldown)) {
    REPORT(watch, SIM_INVARIANT_STEADY_LOAD_NO_CHURN,
           "expected {t0} between two prewarms, found {t1}", .account = account->id,
           .values = {watch->config.prewarm_cooldown, watch->now - account->last_prewarm});
  }
}

static void prewarm_started(struct sim_watch *watch, const struct sim_event *event,
                            struct watch_account *account) {
  int64_t need = event->values[PREWARM_NEED];
  int64_t total = account->conns + account->dials + account->prewarm_left + need;
  if (watch->closing) {
    REPORT(watch, SIM_INVARIANT_CLOSED_STAYS_CLOSED,
           "expected no prewarm in a closed pool, found one of {0}", .account = account->id,
           .values = {need});
  } else if (account->prewarming) {
    REPORT(watch, SIM_INVARIANT_CREATING_MATCHES_DIALS,
           "expected one prewarm of an account at a time, found a second one",
           .account = account->id);
  } else if (total > maximum_now(watch, account)) {
    REPORT(
        watch, SIM_INVARIANT_MAXIMUM_RESPECTED,
        "expected a prewarm that stays within the maximum of {0}, found one of {1} that leads to "
        "{2}",
        .account = account->id, .values = {maximum_now(watch, account), need, total});
  }
  check_suppression(watch, account);
  check_need(watch, account, need);
  watch->prewarms += !account->prewarming;
  account->prewarming = true;
  account->prewarm_sweep = watch->swept ? watch->sweep : 0;
  account->has_prewarmed = true;
  account->has_template = true;
  account->prewarm_left = need;
  account->last_prewarm = event->t_ns;
}

static void prewarm_finished(struct sim_watch *watch, const struct sim_event *event,
                             struct watch_account *account) {
  if (!account->prewarming || account->prewarm_dial != 0 ||
      event->values[PREWARM_UNUSED] != account->prewarm_left) {
    REPORT(watch, SIM_INVARIANT_CREATING_MATCHES_DIALS,
           "expected that a prewarm without a dial gives back the {0} places that it has left, "
           "found {1}",
           .account = account->id,
           .values = {account->prewarm_left, event->values[PREWARM_UNUSED]});
  }
  /* It was running when the sweep ended, and had decided already what it dials. */
  account->ping_evicted =
      account->ping_evicted && (!watch->swept || account->prewarm_sweep == watch->sweep);
  watch->prewarms -= account->prewarming;
  account->prewarming = false;
  account->prewarm_left = 0;
}

static void prewarm_suppressed(struct sim_watch *watch, const struct sim_event *event,
                               struct watch_account *account) {
  if (!watch_is_suppressed(watch, account) || event->values[SUPPRESSED_FAILS] != account->fails) {
    REPORT(watch, SIM_INVARIANT_CANCEL_IS_NO_FAILURE,
           "expected {0} failures of the upstream, found that prewarm is suppressed because of {1}",
           .account = account->id, .values = {account->fails, event->values[SUPPRESSED_FAILS]});
  }
}

void watch_prewarm_event(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_account *account = watch_account_of(watch, event->account);
  if (account == NULL) {
    return;
  }
  switch (event->kind) {
    case WSP_PREWARM_STARTED:
      prewarm_started(watch, event, account);
      break;
    case WSP_PREWARM_FINISHED:
      prewarm_finished(watch, event, account);
      break;
    default:
      prewarm_suppressed(watch, event, account);
      break;
  }
}
