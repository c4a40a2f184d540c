/*
 * expect_state.c - the forms { "metric": ... }, { "account": ... } and { "conn": ... }: the
 * pool's public state at this moment.
 */
#include <inttypes.h>
#include <string.h>

#include "scenarios/engine/expect_parts.h"

/* ---- Metrics ---------------------------------------------------------------------------- */

/* Which events make a metric what it is. */
static const struct {
  const char *metric;
  const char *kinds[4];
} sources[] = {
    {"acquire_total", {"acquire_started"}},
    {"acquire_reuse_total", {"acquire_granted"}},
    {"acquire_create_total", {"acquire_granted", "dial_succeeded", "dial_failed"}},
    {"acquire_queue_wait_total", {"acquire_queued", "acquire_granted", "acquire_failed"}},
    {"acquire_queue_wait_ms_total", {"acquire_queued", "acquire_granted", "acquire_failed"}},
    {"conn_pick_total", {"acquire_picked"}},
    {"conn_pick_ms_total", {"acquire_picked"}},
    {"scale_up_total", {"prewarm_started", "prewarm_finished", "prewarm_suppressed"}},
    {"scale_down_total", {"conn_evicted", "cleanup_ran"}},
    {"proxy_client_cache_hits", {"dial_started"}},
    {"proxy_client_cache_misses", {"dial_started"}},
    {"transport_reuse_ratio", {"dial_started"}},
};

static bool metric_touches(struct scn_judging *judging, const struct sim_event *event) {
  for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
    if (strcmp(sources[i].metric, judging->expectation->subject) == 0) {
      return scn_event_is_of(event, sources[i].kinds,
                             sizeof sources[i].kinds / sizeof sources[i].kinds[0]);
    }
  }
  return false;
}

static struct scn_actual read_metric(const struct scn_view *view, const char *name) {
  struct wsp_metrics metrics;
  struct wsp_transport_metrics transport = {0};
  view->pool_calls->metrics(view->pool, &metrics);
  if (view->pool_calls->transport_metrics != NULL) {
    view->pool_calls->transport_metrics(view->pool, &transport);
  }
#define READ(member)                           \
  if (strcmp(name, #member) == 0) {            \
    return scn_actual_integer(metrics.member); \
  }
  WSP_METRIC_LIST(READ)
#undef READ
  if (strcmp(name, "proxy_client_cache_hits") == 0) {
    return scn_actual_integer(transport.proxy_client_cache_hits);
  }
  if (strcmp(name, "proxy_client_cache_misses") == 0) {
    return scn_actual_integer(transport.proxy_client_cache_misses);
  }
  if (strcmp(name, "transport_reuse_ratio") == 0) {
    return scn_actual_decimal(transport.transport_reuse_ratio);
  }
  return scn_actual_absent();
}

bool scn_judge_metric(struct scn_judging *judging) {
  const struct scn_expectation *expectation = judging->expectation;
  struct scn_actual actual = read_metric(judging->view, expectation->subject);
  judging->touches = metric_touches;
  scn_text_printf(&judging->subject, "metric %s", expectation->subject);
  for (size_t i = 0; i < expectation->comparison_count; i++) {
    if (!scn_judging_check(judging, NULL, &expectation->comparisons[i], &actual, NULL)) {
      scn_text_append(&judging->failures, " at ");
      scn_text_duration(&judging->failures, judging->view->now);
    }
  }
  return true;
}

/* ---- Accounts --------------------------------------------------------------------------- */

/* X(name) */
#define ACCOUNT_FIELD_LIST(X) \
  X(conns)                    \
  X(idle)                     \
  X(leased)                   \
  X(waiting)                  \
  X(creating)                 \
  X(target)                   \
  X(effective_max)            \
  X(prewarm_fails)

static bool account_touches(struct scn_judging *judging, const struct sim_event *event) {
  return event->account == judging->account;
}

static struct scn_actual read_account(const struct wsp_account_stats *stats, const char *name) {
#define READ(member)                          \
  if (strcmp(name, #member) == 0) {           \
    return scn_actual_integer(stats->member); \
  }
  ACCOUNT_FIELD_LIST(READ)
#undef READ
  return scn_actual_absent();
}

bool scn_judge_account(struct scn_judging *judging) {
  const struct scn_expectation *expectation = judging->expectation;
  struct wsp_account_stats stats;
  judging->view->pool_calls->account_stats(judging->view->pool, expectation->account, &stats);
  judging->account = expectation->account;
  judging->touches = account_touches;
  scn_text_printf(&judging->subject, "account %" PRId64, expectation->account);
  for (size_t i = 0; i < expectation->comparison_count; i++) {
    const struct scn_comparison *comparison = &expectation->comparisons[i];
    struct scn_actual actual = read_account(&stats, comparison->field);
    if (!scn_judging_check(judging, comparison->field, comparison, &actual, NULL)) {
      scn_text_printf(&judging->failures,
                      " (conns %" PRId64 ", idle %" PRId64 ", leased %" PRId64 ", waiting %" PRId64
                      ", creating %" PRId64 " at ",
                      stats.conns, stats.idle, stats.leased, stats.waiting, stats.creating);
      scn_text_duration(&judging->failures, judging->view->now);
      scn_text_append(&judging->failures, ")");
    }
  }
  return true;
}

/* ---- Conns ------------------------------------------------------------------------------ */

/* What is known of a conn. Its id is unique in its account only, so there may be several. */
struct conn_found {
  bool known; /* it is or was in the pool */
  int64_t account;
  struct wsp_conn_stats stats;
};

/* A label without a conn is touched by what its operation did. */
static bool conn_touches(struct scn_judging *judging, const struct sim_event *event) {
  if (judging->conn_string < 0 && judging->op_string > 0 && event->op == judging->op_string) {
    return true;
  }
  return judging->conn_string > 0 && event->conn == judging->conn_string &&
         (judging->account == 0 || event->account == judging->account);
}

/* Whether the expectation could mean the conn of that account. */
static bool is_account_meant(const struct scn_judging *judging, int64_t account) {
  const struct scn_expectation *expectation = judging->expectation;
  struct scn_actual actual = scn_actual_integer(account);
  for (size_t i = 0; i < expectation->comparison_count; i++) {
    const struct scn_comparison *comparison = &expectation->comparisons[i];
    if (strcmp(comparison->field, "account") == 0 &&
        !scn_comparison_holds(comparison, &actual, NULL)) {
      return false;
    }
  }
  return true;
}

/* Takes the candidate if it fits better: first the account that the expectation names, then the
 * conn that is in the pool, then the later one. */
static void consider(const struct scn_judging *judging, const char *id, int64_t account,
                     bool was_opened, struct conn_found *best) {
  struct conn_found candidate = {.known = was_opened, .account = account};
  bool is_there =
      judging->view->pool_calls->conn_stats(judging->view->pool, account, id, &candidate.stats);
  candidate.known = candidate.known || is_there;
  if (!candidate.known) {
    return;
  }
  int rank = 2 * is_account_meant(judging, account) + is_there;
  int best_rank = !best->known ? -1
                               : 2 * is_account_meant(judging, best->account) +
                                     (best->stats.state != WSP_CONN_ABSENT);
  if (rank >= best_rank) {
    *best = candidate;
  }
}

static struct conn_found find_conn(const struct scn_judging *judging, const char *id,
                                   int64_t only_account) {
  const struct scn_view *view = judging->view;
  const struct sim_event *events = sim_trace_events(view->trace);
  uint64_t count = sim_trace_count(view->trace);
  static const char *const opened[] = {"conn_opened"};
  struct conn_found best = {0};
  for (uint64_t i = 0; i < count && judging->conn_string > 0; i++) {
    bool same = events[i].conn == judging->conn_string && scn_event_is_of(&events[i], opened, 1);
    if (same && (only_account == 0 || events[i].account == only_account)) {
      consider(judging, id, events[i].account, true, &best);
    }
  }
  for (size_t i = 0; !best.known && i < view->scenario->account_count; i++) {
    int64_t account = view->scenario->accounts[i].account.id;
    if (only_account == 0 || account == only_account) {
      consider(judging, id, account, false, &best);
    }
  }
  return best;
}

static const char *state_name(const struct conn_found *found) {
  if (!found->known) {
    return "absent";
  }
  switch (found->stats.state) {
    case WSP_CONN_IDLE:
      return "idle";
    case WSP_CONN_LEASED:
      return "leased";
    case WSP_CONN_ABSENT:
      break;
  }
  return "closed";
}

static struct scn_actual read_conn(const struct conn_found *found, const char *name) {
  if (strcmp(name, "state") == 0) {
    return scn_actual_string(state_name(found));
  }
  if (strcmp(name, "pins") == 0) {
    return scn_actual_integer(found->stats.pins);
  }
  if (strcmp(name, "waiters") == 0) {
    return scn_actual_integer(found->stats.waiters);
  }
  if (strcmp(name, "account") == 0 && found->known) {
    return scn_actual_integer(found->account);
  }
  return scn_actual_absent();
}

static void append_conn_rest(struct scn_text *text, const struct scn_judging *judging,
                             const struct conn_found *found, bool has_id, const char *but) {
  scn_text_append(text, " (");
  if (strcmp(but, "state") != 0) {
    scn_text_printf(text, "state %s, ", state_name(found));
  }
  if (found->known && strcmp(but, "account") != 0) {
    scn_text_printf(text, "account %" PRId64 ", ", found->account);
  }
  scn_text_append(text, found->known ? "at "
                        : has_id     ? "no conn of this id was ever in the pool, at "
                                     : "the operation has no conn, at ");
  scn_text_duration(text, judging->view->now);
  scn_text_append(text, ")");
}

bool scn_judge_conn(struct scn_judging *judging) {
  const struct scn_expectation *expectation = judging->expectation;
  const struct scn_operation *operation =
      scn_operations_find(judging->view->operations, expectation->subject);
  const char *id = operation != NULL ? operation->record.conn : expectation->subject;
  int64_t only_account = operation != NULL ? operation->record.account : 0;
  struct conn_found found = {0};
  scn_text_printf(&judging->subject, "conn %s", expectation->subject);
  if (operation != NULL) {
    scn_text_printf(&judging->subject, " (%s)", id != NULL ? id : "no conn");
    judging->op_string = sim_trace_find(judging->view->trace, expectation->subject);
  }
  if (id != NULL) {
    judging->conn_string = sim_trace_find(judging->view->trace, id);
    found = find_conn(judging, id, only_account);
  }
  judging->account = found.known ? found.account : only_account;
  judging->touches = conn_touches;
  for (size_t i = 0; i < expectation->comparison_count; i++) {
    const struct scn_comparison *comparison = &expectation->comparisons[i];
    struct scn_actual actual = read_conn(&found, comparison->field);
    if (!scn_judging_check(judging, comparison->field, comparison, &actual, NULL)) {
      append_conn_rest(&judging->failures, judging, &found, id != NULL, comparison->field);
    }
  }
  return true;
}
