/*
 * pool_model_check.c - what must hold in a random run: after each advance, at the end of each
 * acquire, and when nothing is under way.
 */
#include <string.h>

#include "tests/pool_model.h"

/* What the model counts for an account, by the transport and the timeline. */
struct tally {
  int64_t conns, held, queued, queued_placeable, dialing, wanted_dials, prewarms, acquires;
  int64_t unconfirmed; /* pings that were cancelled */
};

static struct tally tally_of(struct model *model, int64_t account) {
  struct tally tally = {.conns = 0};
  for (size_t i = 0; i < model->conn_count; i++) {
    const struct model_conn *conn = &model->conns[i];
    tally.conns += conn->open && conn->account == account;
    tally.held += conn->open && conn->account == account && conn->holder != 0;
  }
  for (size_t i = model->first_live; i < model->acquire_count; i++) {
    const struct model_acquire *acquire = model->acquires[i];
    if (acquire->account == account && acquire->callbacks == 0 && !acquire->refused) {
      tally.acquires++;
      tally.queued += acquire->state == MODEL_QUEUED;
      tally.queued_placeable +=
          acquire->state == MODEL_QUEUED && (!acquire->force_preferred || acquire->force_new);
    }
  }
  for (size_t i = 0; i < model->rig.dial_count; i++) {
    const struct stub_dial *dial = model->rig.dials[i];
    if (dial->account == account && !dial->done) {
      tally.dialing++;
      tally.wanted_dials += !dial->canceled;
      tally.prewarms += !dial->canceled && dial->prewarm;
    }
  }
  for (size_t i = 0; i < model->rig.conn_count; i++) {
    const struct stub_conn *conn = model->rig.conns[i];
    tally.unconfirmed += conn->pinging && conn->ping_canceled;
  }
  return tally;
}

static int64_t expected_target(const struct model *model, const struct wsp_account_stats *stats) {
  const struct wsp_config *config = &model->rig.config;
  int64_t demand = stats->leased + stats->waiting;
  if (stats->effective_max <= 0) {
    return 0;
  }
  int64_t target = demand;
  if (demand > 1) {
    int64_t utilization = config->pool_target_utilization;
    target = (demand * WSP_DECIMAL_ONE + utilization - 1) / utilization;
  }
  if (stats->waiting > 0 && target < stats->conns + 1) {
    target = stats->conns + 1;
  }
  if (target < config->min_idle_per_account) {
    target = config->min_idle_per_account;
  }
  return target < stats->effective_max ? target : stats->effective_max;
}

static int64_t expected_max(const struct model *model, const struct model_account *account) {
  const struct wsp_config *config = &model->rig.config;
  if (!account->known) {
    return config->max_conns_per_account;
  }
  int64_t concurrency = account->last.concurrency;
  if (config->mode_router_v2_enabled) {
    return concurrency > 0 ? concurrency : 0;
  }
  if (!config->dynamic_max_conns_by_account_concurrency_enabled || concurrency <= 0) {
    return config->max_conns_per_account;
  }
  int64_t factor = account->last.type == WSP_ACCOUNT_OAUTH ? config->oauth_max_conns_factor
                                                           : config->apikey_max_conns_factor;
  int64_t max = (concurrency * factor + WSP_DECIMAL_ONE - 1) / WSP_DECIMAL_ONE;
  max = max < 1 ? 1 : max;
  return max < config->max_conns_per_account ? max : config->max_conns_per_account;
}

static void check_equal(struct model *model, const char *what, int64_t found, int64_t expected) {
  if (found != expected) {
    model_fail(model, what, found, expected);
  }
}

static void check_account(struct model *model, int64_t id) {
  struct model_account *account = &model->accounts[id - 1];
  struct wsp_account_stats stats;
  wsp_account_stats(model->rig.pool, id, &stats);
  struct tally tally = tally_of(model, id);
  check_equal(model, "conns of an account", stats.conns, tally.conns);
  check_equal(model, "conns are idle or leased", stats.conns, stats.idle + stats.leased);
  /* An acquire whose ping has to wait for the end of a cancelled one is told of as queued still. */
  if (stats.waiting > tally.queued || stats.waiting < tally.queued - tally.unconfirmed) {
    model_fail(model, "waiting", stats.waiting, tally.queued);
  }
  check_equal(model, "effective_max", stats.effective_max, expected_max(model, account));
  check_equal(model, "target", stats.target, expected_target(model, &stats));
  MODEL_CHECK(model, stats.leased >= tally.held, "fewer leased than are held");
  MODEL_CHECK(model, stats.creating >= tally.wanted_dials, "fewer creating than are dialled");
  MODEL_CHECK(model, tally.prewarms <= 1, "two prewarm dials of an account at once");
  int64_t limit = model->rig.config.max_connecting;
  MODEL_CHECK(model, limit == 0 || tally.dialing <= limit, "more dials than max_connecting");
  if (stats.conns + stats.creating <= stats.effective_max) {
    account->may_exceed = false;
  }
  if (!account->may_exceed && stats.conns + stats.creating > stats.effective_max) {
    model_fail(model, "more conns and places than the maximum", stats.conns + stats.creating,
               stats.effective_max);
  }
  int64_t started = tally.wanted_dials - tally.prewarms;
  if (stats.conns + stats.creating < stats.effective_max &&
      tally.queued_placeable - tally.unconfirmed > stats.creating - started) {
    model_fail(model, "a waiter sleeps although there is room", tally.queued_placeable,
               stats.creating - started);
  }
  if (tally.acquires == 0 && model->closing) {
    check_equal(model, "creating in a closed pool", stats.creating, 0);
  }
  if (limit == 0 && tally.acquires == 0 && tally.prewarms == 0) {
    check_equal(model, "creating without a dial", stats.creating, 0);
  }
}

/* No waiter sleeps while a conn that would do is idle; and none while an idle conn that nobody
 * waits for could make room. */
static void check_waiter(struct model *model, const struct model_acquire *acquire) {
  struct wsp_account_stats account;
  wsp_account_stats(model->rig.pool, acquire->account, &account);
  bool exactly_full = account.conns + account.creating == account.effective_max;
  for (size_t i = 0; i < model->conn_count; i++) {
    const struct model_conn *conn = &model->conns[i];
    struct wsp_conn_stats stats;
    if (!conn->open || conn->account != acquire->account ||
        !wsp_conn_stats(model->rig.pool, conn->account, conn->id, &stats) ||
        stats.state != WSP_CONN_IDLE) {
      continue;
    }
    bool named = strcmp(acquire->preferred, conn->id) == 0;
    bool lendable = !stats.retired || (stats.pins > 0 && named);
    if (model_same_key(acquire, conn) && lendable && !acquire->force_new &&
        acquire->ping_failures < 2 && (!acquire->force_preferred || named)) {
      model_fail(model, "a waiter (tag) sleeps while a conn (serial) is idle",
                 (int64_t)acquire->tag, (int64_t)i + 1);
    }
    /* With max_connecting a waiter may hold a place already, and the idle conn is not in its way.
     */
    if (!acquire->force_preferred && model->rig.config.max_connecting == 0 && exactly_full &&
        stats.pins == 0 && stats.waiters == 0) {
      model_fail(model, "a waiter (tag) sleeps while an idle conn (serial) could make room",
                 (int64_t)acquire->tag, (int64_t)i + 1);
    }
  }
}

static void check_metrics(struct model *model) {
  struct wsp_metrics metrics;
  wsp_pool_metrics(model->rig.pool, &metrics);
  check_equal(model, "acquire_total", metrics.acquire_total, model->calls);
  check_equal(model, "acquire_reuse_total", metrics.acquire_reuse_total, model->reuses);
  check_equal(model, "acquire_create_total", metrics.acquire_create_total, model->creates);
  check_equal(model, "acquire_queue_wait_total", metrics.acquire_queue_wait_total, model->queued);
  check_equal(model, "scale_down_total", metrics.scale_down_total, model->trimmed);
  check_equal(model, "conn_pick_total", metrics.conn_pick_total, model->picks);
  check_equal(model, "scale_up_total", metrics.scale_up_total, model->asked);
}

static void check_suspicion(struct model *model) {
  if (model->passer == 0) {
    return;
  }
  const struct model_acquire *passer = model->acquires[model->passer - 1];
  const struct model_acquire *passed = model->acquires[model->passed - 1];
  if (passed->callbacks == 0 && passed->state == MODEL_QUEUED &&
      passed->queued_event < passer->started_event &&
      passed->picked_event < model->passing_event) { /* not served and sent back in between */
    model_fail(model, "an acquire (tag) passes a waiter (tag)", (int64_t)passer->tag,
               (int64_t)passed->tag);
  }
  model->passer = 0;
}

void model_check(struct model *model) {
  check_suspicion(model);
  if (model->rig.violation != NULL) {
    model_fail(model, model->rig.violation, 0, 0);
  }
  MODEL_CHECK(model, wsp_pool_next_deadline(model->rig.pool) > model->rig.now,
              "something is due now although the pool has just advanced");
  for (int64_t id = 1; id <= MODEL_ACCOUNTS; id++) {
    check_account(model, id);
  }
  for (size_t i = 0; i < model->conn_count; i++) {
    const struct model_conn *conn = &model->conns[i];
    struct wsp_conn_stats stats;
    if (!conn->open) {
      continue;
    }
    if (!wsp_conn_stats(model->rig.pool, conn->account, conn->id, &stats)) {
      model_fail(model, "an open conn (serial) is absent", (int64_t)i + 1, 0);
    } else if (conn->holder != 0) {
      MODEL_CHECK(model, stats.state == WSP_CONN_LEASED, "a held conn is not leased");
    }
  }
  for (size_t i = model->first_live; i < model->acquire_count; i++) {
    const struct model_acquire *acquire = model->acquires[i];
    if (acquire->callbacks == 0 && !acquire->refused) {
      MODEL_CHECK(model, acquire->deadline == 0 || acquire->deadline > model->rig.now,
                  "an acquire is pending at its deadline");
      MODEL_CHECK(model, !acquire->canceled, "a cancelled acquire is pending");
      MODEL_CHECK(model, !model->closing, "an acquire is pending in a closed pool");
      if (acquire->state == MODEL_QUEUED && tally_of(model, acquire->account).unconfirmed == 0) {
        check_waiter(model, acquire);
      }
    }
  }
  check_metrics(model);
}

/* Every lease was given back, everything was answered, and the sweeps had their time. */
void model_check_quiet(struct model *model) {
  check_equal(model, "ping sweeps that ended", model->sweeps_ended, model->sweeps_begun);
  for (size_t i = 0; i < model->acquire_count; i++) {
    const struct model_acquire *acquire = model->acquires[i];
    check_equal(model, "acquires that ended", acquire->callbacks, acquire->refused ? 0 : 1);
  }
  for (int64_t id = 1; id <= MODEL_ACCOUNTS; id++) {
    struct wsp_account_stats stats;
    wsp_account_stats(model->rig.pool, id, &stats);
    check_equal(model, "creating in the quiet", stats.creating, 0);
    check_equal(model, "waiting in the quiet", stats.waiting, 0);
    check_equal(model, "leased in the quiet", stats.leased, 0);
  }
}

/* Nothing is under way any more. */
void model_check_rest(struct model *model) {
  check_equal(model, "pending at rest", wsp_pool_pending(model->rig.pool), 0);
  for (size_t i = 0; i < model->acquire_count; i++) {
    const struct model_acquire *acquire = model->acquires[i];
    check_equal(model, "callbacks of an acquire", acquire->callbacks, acquire->refused ? 0 : 1);
  }
  for (size_t i = 0; i < model->io_count; i++) {
    check_equal(model, "callbacks of an operation", model->ios[i]->callbacks, 1);
  }
  for (int64_t id = 1; id <= MODEL_ACCOUNTS; id++) {
    struct wsp_account_stats stats;
    wsp_account_stats(model->rig.pool, id, &stats);
    check_equal(model, "creating at rest", stats.creating, 0);
    check_equal(model, "waiting at rest", stats.waiting, 0);
    check_equal(model, "leased at rest", stats.leased, 0);
    check_equal(model, "conns at rest", stats.conns, 0);
  }
  struct wsp_metrics metrics;
  wsp_pool_metrics(model->rig.pool, &metrics);
  check_equal(model, "acquire_queue_wait_ms_total", metrics.acquire_queue_wait_ms_total,
              model->waited_ns / WSP_MILLISECOND);
  check_equal(model, "opened - evicted", model->opened, model->evicted);
}

void model_check_grant(struct model *model, struct model_acquire *acquire,
                       const struct wsp_acquire_result *result) {
  const struct model_conn *conn = model_conn(model, acquire->serial);
  if (conn == NULL) {
    model_fail(model, "a lease on no conn", 0, 0);
    return;
  }
  MODEL_CHECK(model, wsp_lease_valid(result->lease), "a granted lease is not valid");
  MODEL_CHECK(model, !acquire->canceled, "a grant to an acquire that was cancelled");
  MODEL_CHECK(model, acquire->deadline == 0 || model->rig.now < acquire->deadline,
              "a grant at or after the deadline");
  MODEL_CHECK(model, model_same_key(acquire, conn), "a conn of another key");
  MODEL_CHECK(model, strcmp(wsp_lease_conn_id(result->lease), conn->id) == 0, "another conn_id");
  MODEL_CHECK(model, !acquire->force_new || !result->reused, "a forced new conn is reused");
  MODEL_CHECK(model, result->error_text[0] == '\0', "a success has an error text");
  MODEL_CHECK(
      model,
      !acquire->force_preferred || acquire->force_new || strcmp(acquire->preferred, conn->id) == 0,
      "a strict acquire gets another conn");
  MODEL_CHECK(model, result->queue_wait == wsp_lease_queue_wait(result->lease),
              "queue_wait of result and lease");
  struct wsp_conn_stats stats;
  /* It may retire between the choice and the delivery. */
  if (wsp_conn_stats(model->rig.pool, conn->account, conn->id, &stats) && stats.retired &&
      (acquire->picked_event > conn->retired_event || conn->freed_event > conn->retired_event) &&
      !(stats.pins > 0 && strcmp(acquire->preferred, conn->id) == 0)) {
    model_fail(model, "a retired conn (serial) is lent", (int64_t)acquire->serial, 0);
  }
}

void model_check_failure(struct model *model, struct model_acquire *acquire,
                         const struct wsp_acquire_result *result) {
  MODEL_CHECK(model, !wsp_lease_valid(result->lease), "a failed acquire has a lease");
  MODEL_CHECK(model, result->error_text[0] != '\0', "a failure without a text");
  switch (result->error) {
    case WSP_DEADLINE_EXCEEDED:
      MODEL_CHECK(model, acquire->deadline != 0 && model->rig.now >= acquire->deadline,
                  "deadline_exceeded before the deadline");
      break;
    case WSP_CANCELED:
      MODEL_CHECK(model, acquire->canceled, "canceled by nobody");
      break;
    case WSP_POOL_CLOSED:
      MODEL_CHECK(model, model->closing, "pool_closed from an open pool");
      break;
    case WSP_PREFERRED_UNAVAILABLE:
      MODEL_CHECK(model, acquire->force_preferred, "preferred_unavailable without force");
      break;
    case WSP_PING_FAILED:
      MODEL_CHECK(model, acquire->ping_failures >= 2, "ping_failed without two failed pings");
      break;
    case WSP_DIAL_FAILED:
      MODEL_CHECK(model, acquire->dial_failed, "dial_failed without a failed dial");
      break;
    case WSP_QUEUE_FULL:
      break;
    default:
      model_fail(model, "an error that can not be", (int64_t)result->error, 0);
      break;
  }
}
