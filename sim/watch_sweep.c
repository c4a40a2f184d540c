/*
 * watch_sweep.c - what must hold of background sweeps: they come, they end, they pass nothing
 * over, what they remove comes back; and the close, which ends too.
 *
 * Bounds are lengths of time in which the pool can act, so jumps of the clock do not count.
 */
#include "sim/watch_internal.h"

enum { RAN_ROTATED = 0, RAN_TRIMMED = 1 };

/* So many conns may leave because of their age at once, whatever their share. */
enum { FEW_EXPIRIES = 32 };

int64_t watch_time(const struct sim_watch *watch) {
  return watch->now - watch->jumped;
}

static int64_t product(int64_t left, int64_t right) {
  return left > 0 && right > INT64_MAX / left ? INT64_MAX : left * right;
}

static int64_t rounds(int64_t count, int64_t at_once) {
  return count / at_once + (count % at_once != 0);
}

/* ---- Expiry ------------------------------------------------------------------------------- */

void watch_expired(struct sim_watch *watch, const struct watch_conn *conn) {
  int64_t window =
      watch->config.cleanup_interval > 0 ? watch->config.cleanup_interval : 30 * WSP_SECOND;
  if (watch->expired == 0 || watch->now >= watch_sum(watch->expiry_start, window)) {
    watch->expiry_start = watch->now;
    watch->expiry_conns = watch->conns;
    watch->expired = 0;
  }
  watch->expired++;
  if (watch->expired > FEW_EXPIRIES && watch->expired > watch->expiry_conns / 2) {
    REPORT(watch, SIM_INVARIANT_EXPIRY_SPREAD,
           "expected that no more than half of {0} conns leave because of their age within {t2}, "
           "found {1}; max_conn_age_jitter spreads them",
           .account = conn->account->id, .conn = conn->name,
           .values = {watch->expiry_conns, watch->expired, window});
  }
}

/* ---- What is owed ------------------------------------------------------------------------- */

static int64_t floor_of(const struct sim_watch *watch, const struct watch_account *account) {
  int64_t minimum = watch->config.min_idle_per_account;
  return minimum < account->maximum ? minimum : account->maximum;
}

/* A sweep has removed conns: the idle minimum has to come back, one dial after the other in each
 * account and only so many accounts at a time. Not where prewarm may not run, nor where it is
 * running, since it has decided already what it dials. */
static void owe(struct sim_watch *watch, struct watch_account *account) {
  const struct wsp_config *config = &watch->config;
  int64_t floor = floor_of(watch, account);
  bool cools = account->has_prewarmed &&
               watch->now < watch_sum(account->last_prewarm, config->prewarm_cooldown);
  if (!account->has_template || account->prewarming || cools || config->max_connecting > 0 ||
      watch_is_suppressed(watch, account) ||
      account->conns + account->dials + account->prewarm_left >= floor) {
    return;
  }
  int64_t one = watch_sum(config->dial_timeout, config->prewarm_extra_delay);
  int64_t all =
      product(product(one, floor), rounds(watch->account_count, config->ping_concurrency));
  account->owes = true;
  account->owes_until = watch_sum(watch_time(watch), all);
  if (!account->in_owing) {
    account->in_owing = true;
    account->next_owing = watch->owing;
    watch->owing = account;
  }
}

static void tell_owed(struct sim_watch *watch, const struct watch_account *account) {
  REPORT(watch, SIM_INVARIANT_MINIMUM_IDLE_RESTORED,
         "expected that {0} conns come back after a sweep, found {1} and {2} dials",
         .account = account->id,
         .values = {floor_of(watch, account), account->conns, account->dials});
}

/* Where fewer prewarms run than may, one of an account that owes would. */
void watch_settle_owed(struct sim_watch *watch, struct watch_account *account) {
  int64_t floor = floor_of(watch, account);
  if (!account->owes) {
    return;
  }
  if (account->conns >= floor || watch->closing) {
    account->owes = false;
  } else if (!account->prewarming && watch->prewarms < watch->config.ping_concurrency) {
    tell_owed(watch, account);
  }
}

static void settle_owing(struct sim_watch *watch) {
  struct watch_account **at = &watch->owing;
  while (*at != NULL) {
    struct watch_account *account = *at;
    if (account->owes && watch_time(watch) >= account->owes_until) {
      tell_owed(watch, account);
    }
    if (account->owes) {
      at = &account->next_owing;
    } else {
      account->in_owing = false;
      *at = account->next_owing;
    }
  }
}

/* ---- Sweeps ------------------------------------------------------------------------------- */

static void pings_start(struct sim_watch *watch) {
  const struct wsp_config *config = &watch->config;
  if (watch->sweeping) {
    REPORT(watch, SIM_INVARIANT_SWEEPS_AND_CLOSE_FINISH,
           "expected that a ping sweep is over before the next one starts, found it running",
           .account = 0);
  }
  watch->sweeping = true;
  watch->sweep++;
  watch->sweep_event = watch->event;
  watch->sweep_due =
      watch_sum(watch_time(watch),
                product(rounds(watch->idle, config->ping_concurrency), config->probe_timeout));
}

/* A conn that was idle before the sweep, and since, has been pinged by it. */
static void check_passed_over(struct sim_watch *watch, struct watch_account *account) {
  for (const struct watch_conn *conn = account->first_conn; conn != NULL; conn = conn->next) {
    if (conn->state == CONN_IS_IDLE && conn->waiters == 0 && conn->disturbed < watch->sweep_event &&
        conn->swept != watch->sweep) {
      REPORT(watch, SIM_INVARIANT_CLOSED_CONN_LEAVES,
             "expected that the ping sweep pings {conn}, which was idle all along, found no ping",
             .account = account->id, .conn = conn->name);
    }
  }
  if (account->ping_evicted) {
    account->ping_evicted = false;
    owe(watch, account);
    watch_settle_owed(watch, account);
  }
}

/* Not before the instant has come to rest: what was meant for somebody during the sweep may not
 * have been told yet. */
static void settle_swept(struct sim_watch *watch) {
  if (!watch->swept) {
    return;
  }
  watch->swept = false;
  for (int slot = 0; slot < ACCOUNT_SLOTS; slot++) {
    for (struct watch_account *account = watch->slots[slot]; account != NULL;
         account = account->next_in_slot) {
      check_passed_over(watch, account);
    }
  }
}

static void pings_finish(struct sim_watch *watch) {
  if (!watch->sweeping) {
    REPORT(watch, SIM_INVARIANT_SWEEPS_AND_CLOSE_FINISH,
           "expected one end of each ping sweep, found another one", .account = 0);
  }
  watch->sweeping = false;
  watch->swept = true;
  if (watch->config.ping_interval > 0) {
    watch->next_ping_sweep = watch_sum(watch_time(watch), watch->config.ping_interval);
  }
}

void watch_sweep_event(struct sim_watch *watch, const struct sim_event *event) {
  if (watch->closing && event->kind != WSP_PING_SWEEP_FINISHED) {
    REPORT(watch, SIM_INVARIANT_CLOSED_STAYS_CLOSED,
           "expected no sweep in a closed pool, found that one starts", .account = event->account);
  }
  switch (event->kind) {
    case WSP_PING_SWEEP_STARTED:
      pings_start(watch);
      break;
    case WSP_PING_SWEEP_FINISHED:
      pings_finish(watch);
      break;
    case WSP_CLEANUP_SWEEP_STARTED:
      if (watch->config.cleanup_interval > 0) {
        watch->next_cleanup_sweep = watch_sum(watch_time(watch), watch->config.cleanup_interval);
      }
      break;
    default: { /* a cleanup of one account */
      struct watch_account *account = watch_account_of(watch, event->account);
      if (account != NULL && event->cause == WSP_REASON_SWEEP &&
          event->values[RAN_ROTATED] + event->values[RAN_TRIMMED] > 0) {
        owe(watch, account);
      }
      break;
    }
  }
}

static void check_coming(struct sim_watch *watch, int64_t due, const char *sentence) {
  if (watch_time(watch) >= due) {
    REPORT(watch, SIM_INVARIANT_SWEEPS_AND_CLOSE_FINISH, sentence, .values = {due});
  }
}

void watch_settle_sweeps(struct sim_watch *watch) {
  if (watch->sweeping) {
    check_coming(watch, watch->sweep_due,
                 "expected that the ping sweep is over by {t0}, found that it is not");
  } else {
    check_coming(watch, watch->next_ping_sweep,
                 "expected a ping sweep by {t0}, an interval after the last one, found none");
  }
  check_coming(watch, watch->next_cleanup_sweep,
               "expected a cleanup sweep by {t0}, an interval after the last one, found none");
  const struct watch_conn *pinged = watch->first_pinged;
  if (pinged != NULL && watch_time(watch) >= pinged->ping_due) {
    REPORT(watch, SIM_INVARIANT_CLOSED_CONN_LEAVES,
           "expected that the ping of {conn} has ended within its timeout, found it under way",
           .account = pinged->account->id, .conn = pinged->name);
  }
  if (watch->closing && !watch->closed && watch->conns_closing == 0 && watch->unconfirmed == 0) {
    REPORT(watch, SIM_INVARIANT_SWEEPS_AND_CLOSE_FINISH,
           "expected that the close is over, since nothing is left to wait for, found that it is "
           "not",
           .account = 0);
  }
  settle_swept(watch);
  settle_owing(watch);
}
