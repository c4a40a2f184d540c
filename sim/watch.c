/*
 * watch.c - a watch: made, fed with the timeline, asked for what it has found.
 */
#include "sim/watch.h"

#include "sim/watch_internal.h"

int64_t watch_sum(int64_t left, int64_t right) {
  return left > INT64_MAX - right ? INT64_MAX : left + right;
}

static int64_t first_sweep(wsp_duration interval) {
  return interval > 0 ? interval : INT64_MAX;
}

struct sim_watch *sim_watch_create(struct sim_arena *arena, const struct sim_trace *trace,
                                   const struct wsp_config *config,
                                   const struct sim_watch_view *view) {
  struct sim_watch *watch = sim_arena_zeroed(arena, sizeof *watch);
  if (watch == NULL) {
    return NULL;
  }
  watch->arena = arena;
  watch->trace = trace;
  watch->config = *config;
  wsp_config_normalize(&watch->config);
  watch->view = *view;
  watch->rested = -1;
  watch->instant = 1;
  watch->next_ping_sweep = first_sweep(watch->config.ping_interval);
  watch->next_cleanup_sweep = first_sweep(watch->config.cleanup_interval);
  return watch;
}

void sim_watch_turn_off(struct sim_watch *watch, enum sim_invariant invariant) {
  watch->off[invariant] = true;
}

const struct sim_violation *sim_watch_violation(const struct sim_watch *watch) {
  return watch->violated ? &watch->violation : NULL;
}

bool sim_watch_failed(const struct sim_watch *watch) {
  return watch->failed;
}

void watch_report(struct sim_watch *watch, enum sim_invariant invariant, const char *sentence,
                  const struct watch_where *where) {
  if (watch->violated || watch->off[invariant]) {
    return;
  }
  watch->violated = true;
  watch->violation = (struct sim_violation){
      .invariant = invariant,
      .t_ns = watch->now,
      .event = watch->event,
      .account = where->account,
      .conn = where->conn,
      .op = where->op,
      .other = where->other,
      .values = {where->values[0], where->values[1], where->values[2]},
      .sentence = sentence,
  };
}

/* ---- Events ------------------------------------------------------------------------------- */

static void close_started(struct sim_watch *watch) {
  watch->closing = true;
  watch->close_instant = watch->instant;
  watch->sweeping = false;
  watch->next_ping_sweep = INT64_MAX;
  watch->next_cleanup_sweep = INT64_MAX;
}

static void close_finished(struct sim_watch *watch) {
  if (!watch->closing || watch->closed || watch->conns_closing > 0) {
    REPORT(watch, SIM_INVARIANT_CLOSED_STAYS_CLOSED,
           "expected one end of the close, when all conns are gone, found it with {0} on their way",
           .values = {watch->conns_closing});
  }
  watch->closed = true;
}

static void look_at_world(struct sim_watch *watch, const struct sim_event *event) {
  switch (event->kind) {
    case SIM_STEP_PERFORMED:
      watch_step_event(watch, event);
      break;
    case SIM_CLOCK_JUMPED:
      watch->jumped = watch_sum(watch->jumped, event->values[0]);
      watch->jump_instant = watch->instant;
      break;
    case SIM_PEER_CLOSED:
      watch_conn_event(watch, event);
      break;
    default:
      break;
  }
}

/* The kinds of the pool come in groups; see WSP_EVENT_LIST. */
static void look_at_pool(struct sim_watch *watch, const struct sim_event *event) {
  switch (event->kind) {
    case WSP_ACQUIRE_STARTED:
    case WSP_ACQUIRE_QUEUED:
    case WSP_ACQUIRE_REQUEUED:
    case WSP_ACQUIRE_GRANTED:
    case WSP_ACQUIRE_FAILED:
      watch_acquire_event(watch, event);
      break;
    case WSP_DIAL_STARTED:
    case WSP_DIAL_SUCCEEDED:
    case WSP_DIAL_FAILED_EVENT:
    case WSP_DIAL_CANCELED:
    case WSP_DIAL_ENDED:
      watch_dial_event(watch, event);
      break;
    case WSP_CONN_OPENED:
    case WSP_CONN_EVICTED:
    case WSP_CONN_CLOSED_EVENT:
    case WSP_CONN_FREED:
    case WSP_CONN_PINNED:
    case WSP_CONN_UNPINNED:
    case WSP_ACCOUNT_CLEARED:
      watch_conn_event(watch, event);
      break;
    case WSP_LEASE_RELEASED:
    case WSP_LEASE_LOST:
    case WSP_CONN_PREWARMED:
    case WSP_MESSAGE_BUFFERED:
    case WSP_READ_STARTED:
    case WSP_READ_SUCCEEDED:
    case WSP_READ_FAILED:
    case WSP_WRITE_STARTED:
    case WSP_WRITE_SUCCEEDED:
    case WSP_WRITE_FAILED:
    case WSP_LEASE_PING_STARTED:
    case WSP_LEASE_PING_SUCCEEDED:
    case WSP_LEASE_PING_FAILED:
      watch_lease_event(watch, event);
      break;
    case WSP_PING_STARTED:
    case WSP_PING_JOINED:
    case WSP_PING_SUCCEEDED:
    case WSP_PING_FAILED_EVENT:
    case WSP_PING_CANCELED:
      watch_ping_event(watch, event);
      break;
    case WSP_PREWARM_STARTED:
    case WSP_PREWARM_FINISHED:
    case WSP_PREWARM_SUPPRESSED:
      watch_prewarm_event(watch, event);
      break;
    case WSP_PING_SWEEP_STARTED:
    case WSP_PING_SWEEP_FINISHED:
    case WSP_CLEANUP_SWEEP_STARTED:
    case WSP_CLEANUP_RAN:
      watch_sweep_event(watch, event);
      break;
    case WSP_POOL_CLOSE_STARTED:
      close_started(watch);
      break;
    case WSP_POOL_CLOSED_EVENT:
      close_finished(watch);
      break;
    default:
      break;
  }
}

static void tell_time(struct sim_watch *watch, int64_t found) {
  REPORT(watch, SIM_INVARIANT_WALL_CLOCK_IRRELEVANT,
         "expected that virtual time goes on from {t0}, found {t1}: another clock",
         .values = {watch->now, found});
}

void sim_watch_follow(struct sim_watch *watch) {
  const struct sim_event *events = sim_trace_events(watch->trace);
  uint64_t count = sim_trace_count(watch->trace);
  watch->batch = watch->seen;
  while (watch->seen < count && !watch->violated && !watch->failed) {
    const struct sim_event *event = &events[watch->seen];
    watch->event = watch->seen++;
    if (event->t_ns < watch->now) {
      tell_time(watch, event->t_ns);
    }
    watch->now = event->t_ns;
    if (event->kind < WSP_EVENT_KIND_COUNT) {
      watch_count_metrics(watch, event);
      look_at_pool(watch, event);
    } else {
      look_at_world(watch, event);
    }
  }
}

/* ---- Rest --------------------------------------------------------------------------------- */

void sim_watch_settle(struct sim_watch *watch, int64_t now) {
  sim_watch_follow(watch);
  watch->event = watch->seen;
  if (now < watch->now) {
    tell_time(watch, now);
  }
  watch->now = now;
  struct watch_account *account = watch->dirty;
  while (account != NULL && !watch->violated && !watch->failed) {
    watch_settle_account(watch, account);
    account->dirty = false;
    account = account->next_dirty;
  }
  if (account == NULL) {
    watch->dirty = NULL;
  }
  watch_settle_all(watch);
  watch->rested = now;
  watch->instant++;
}
