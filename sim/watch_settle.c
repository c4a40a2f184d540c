/*
 * watch_settle.c - what must hold whenever an instant has come to rest: the books of the watch
 * agree with what the pool says of itself.
 */
#include "sim/watch_internal.h"

/* Indexes into the values of events, as wspool_trace.h lists them. */
enum { GRANTED_QUEUE_WAIT = 0, GRANTED_REUSED = 1, GRANTED_QUEUED = 2 };
enum { FAILED_QUEUE_WAIT = 0, FAILED_QUEUED = 2 };
enum { PICKED_DURATION = 0, PREWARM_NEED = 0 };

/* ---- Metrics ------------------------------------------------------------------------------ */

void watch_count_metrics(struct sim_watch *watch, const struct sim_event *event) {
  struct wsp_metrics *metrics = &watch->metrics;
  switch (event->kind) {
    case WSP_ACQUIRE_STARTED:
      metrics->acquire_total++;
      break;
    case WSP_ACQUIRE_QUEUED:
      metrics->acquire_queue_wait_total++;
      watch->queued++;
      break;
    case WSP_ACQUIRE_PICKED:
      metrics->conn_pick_total++;
      watch->pick_ns += event->values[PICKED_DURATION];
      break;
    case WSP_ACQUIRE_GRANTED:
      metrics->acquire_reuse_total += event->values[GRANTED_REUSED] != 0;
      metrics->acquire_create_total += event->values[GRANTED_REUSED] == 0;
      watch->queue_wait_ns += event->values[GRANTED_QUEUE_WAIT];
      watch->queued_ended += event->values[GRANTED_QUEUED] != 0;
      break;
    case WSP_ACQUIRE_FAILED:
      watch->queue_wait_ns += event->values[FAILED_QUEUE_WAIT];
      watch->queued_ended += event->values[FAILED_QUEUED] != 0;
      break;
    case WSP_PREWARM_STARTED:
      metrics->scale_up_total += event->values[PREWARM_NEED];
      break;
    case WSP_CONN_EVICTED:
      metrics->scale_down_total +=
          event->cause == WSP_REASON_MAX_IDLE || event->cause == WSP_REASON_ROOM;
      break;
    default:
      break;
  }
}

static void check_metric(struct sim_watch *watch, const char *sentence, int64_t expected,
                         int64_t found) {
  if (expected != found) {
    REPORT(watch, SIM_INVARIANT_METRICS_MATCH_TIMELINE, sentence, .values = {expected, found});
  }
}

/* Waits that go on are not in the timeline yet, but may be in the total. */
static void check_metrics(struct sim_watch *watch) {
  struct wsp_metrics found;
  watch->view.metrics(watch->view.context, &found);
  watch->metrics.acquire_queue_wait_ms_total = watch->queued == watch->queued_ended
                                                   ? watch->queue_wait_ns / WSP_MILLISECOND
                                                   : found.acquire_queue_wait_ms_total;
  watch->metrics.conn_pick_ms_total = watch->pick_ns / WSP_MILLISECOND;
#define CHECK_METRIC(name)                                             \
  check_metric(watch,                                                  \
               "expected " #name                                       \
               " = {0} as the timeline gives it, found that the pool " \
               "says {1}",                                             \
               watch->metrics.name, found.name);
  WSP_METRIC_LIST(CHECK_METRIC)
#undef CHECK_METRIC
}

/* ---- Accounts ----------------------------------------------------------------------------- */

static void check_count(struct sim_watch *watch, enum sim_invariant invariant, const char *sentence,
                        const struct watch_account *account, int64_t expected, int64_t found) {
  if (expected != found) {
    REPORT(watch, invariant, sentence, .account = account->id, .values = {expected, found});
  }
}

static void check_fails(struct sim_watch *watch, const struct watch_account *account,
                        const struct wsp_account_stats *stats) {
  bool is_forgotten = stats->prewarm_fails == 0 &&
                      watch->now - account->last_failure > watch->config.prewarm_failure_window;
  if (!is_forgotten) {
    check_count(watch, SIM_INVARIANT_CANCEL_IS_NO_FAILURE,
                "expected {0} failures of the upstream in prewarm_fails, found {1}", account,
                account->fails, stats->prewarm_fails);
  }
}

/* Waiters for whom a place is reserved while they wait for max_connecting to let them dial: the
 * timeline does not tell of them, so some of those who wait may be such. */
static void check_creating(struct sim_watch *watch, const struct watch_account *account,
                           const struct wsp_account_stats *stats) {
  int64_t least = account->dials + account->prewarm_left;
  int64_t most = least + (watch->config.max_connecting > 0 ? account->waiting : 0);
  if (stats->creating < least || stats->creating > most) {
    REPORT(
        watch, SIM_INVARIANT_CREATING_MATCHES_DIALS,
        "expected `creating` from {0} to {1}, as the dials and reserved places that the timeline "
        "tells of are, found {2}",
        .account = account->id, .values = {least, most, stats->creating});
  }
}

/* Conns that have to be gone: their peer has closed them, or a ping of the sweep has failed on one
 * that was idle all along. */
static void check_left(struct sim_watch *watch, struct watch_account *account) {
  struct watch_conn *conn = account->must_leave > 0 ? account->first_conn : NULL;
  for (; conn != NULL; conn = conn->next) {
    if (!conn->must_leave) {
      continue;
    }
    if (conn->peer_closed || (conn->state == CONN_IS_IDLE && conn->changed < conn->ping_failed)) {
      REPORT(watch, SIM_INVARIANT_CLOSED_CONN_LEAVES,
             conn->peer_closed
                 ? "expected that {conn} has left, since its peer has closed it, found it there"
                 : "expected that {conn} has left, since its ping has failed, found it there",
             .account = account->id, .conn = conn->name);
    }
    conn->must_leave = false;
    account->must_leave--;
  }
}

static void check_prewarm(struct sim_watch *watch, const struct watch_account *account,
                          const struct wsp_account_stats *stats) {
  int64_t most = watch->config.max_connecting;
  int64_t placed = stats->creating - account->dials - account->prewarm_left;
  bool may_dial = most == 0 || (account->dials < most && placed <= 0);
  if (account->prewarming && account->prewarm_dial == 0 && may_dial) {
    REPORT(watch, SIM_INVARIANT_PREWARM_HAS_DIAL,
           "expected that a prewarm which is running and may dial has a dial, found none, and {0} "
           "places left",
           .account = account->id, .values = {account->prewarm_left});
  }
}

static void check_closed(struct sim_watch *watch, const struct watch_account *account) {
  if (watch->closing && account->conns != account->leases) {
    REPORT(watch, SIM_INVARIANT_CLOSED_STAYS_CLOSED,
           "expected that a closed pool has only conns that are on lease, found {0} conns of which "
           "{1} are",
           .account = account->id, .values = {account->conns, account->leases});
  } else if (watch->closing && (account->waiting > 0 || account->dials > 0)) {
    REPORT(watch, SIM_INVARIANT_CLOSED_STAYS_CLOSED,
           "expected that nobody waits or dials in a closed pool, found {0} who wait and {1} dials",
           .account = account->id, .values = {account->waiting, account->dials});
  }
}

void watch_settle_account(struct sim_watch *watch, struct watch_account *account) {
  struct wsp_account_stats stats;
  watch->view.account_stats(watch->view.context, account->id, &stats);
  check_count(watch, SIM_INVARIANT_METRICS_MATCH_TIMELINE,
              "expected {0} conns, those that entered and have not left, found {1}", account,
              account->conns, stats.conns);
  check_count(
      watch, SIM_INVARIANT_ONE_LEASE_PER_CONN,
      "expected that {0} conns are on lease, those granted or pinged for an acquire and not "
      "given back, found {1}",
      account, account->leases + account->checking, stats.leased);
  check_count(watch, SIM_INVARIANT_METRICS_MATCH_TIMELINE,
              "expected that {0} acquires wait, those that have queued and not ended, found {1}",
              account, account->waiting, stats.waiting);
  check_creating(watch, account, &stats);
  check_fails(watch, account, &stats);
  check_closed(watch, account);
  check_left(watch, account);
  check_prewarm(watch, account, &stats);
  watch_settle_waiters(watch, account, &stats);
  watch_settle_owed(watch, account);
}

void watch_settle_all(struct sim_watch *watch) {
  check_metrics(watch);
  watch_settle_deadlines(watch);
  watch_settle_sweeps(watch);
}
