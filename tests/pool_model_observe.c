/*
 * pool_model_observe.c - follows the timeline of a random run: where each acquire is, which conns
 * there are, and the rules of order that can be seen at an event.
 */
#include <string.h>

#include "tests/pool_model.h"
#include "tests/pool_rig.h"

struct model_conn *model_conn(struct model *model, uint64_t serial) {
  return serial == 0 || serial > model->conn_count ? NULL : &model->conns[serial - 1];
}

bool model_same_key(const struct model_acquire *acquire, const struct model_conn *conn) {
  return acquire->account == conn->account && strcmp(model_urls[acquire->url], conn->url) == 0 &&
         strcmp(model_proxies[acquire->proxy], conn->proxy) == 0;
}

static struct model_acquire *acquire_of(struct model *model, uint64_t tag) {
  return tag == 0 || tag > model->acquire_count ? NULL : model->acquires[tag - 1];
}

static void conn_opened(struct model *model, const struct wsp_event *event) {
  MODEL_CHECK(model, event->conn_serial == model->conn_count + 1, "serials of conns have a gap");
  rig_require(model->conn_count < 65536);
  struct model_conn *conn = &model->conns[model->conn_count++];
  *conn = (struct model_conn){.account = event->account, .open = true};
  size_t length = strlen(event->conn_id);
  memcpy(conn->id, event->conn_id, length < MODEL_ID_SIZE ? length : MODEL_ID_SIZE - 1);
  rig_copy_text(conn->url, event->texts[0]);
  rig_copy_text(conn->proxy, event->texts[1]);
  model->opened++;
  struct model_account *account = &model->accounts[event->account - 1];
  if (event->cause == WSP_REASON_ADOPTED) {
    account->may_exceed = true;
  }
  MODEL_CHECK(model, !model->closing, "a conn enters a closed pool");
}

static void conn_evicted(struct model *model, const struct wsp_event *event) {
  struct model_conn *conn = model_conn(model, event->conn_serial);
  if (conn == NULL || !conn->open) {
    model_fail(model, "a conn is evicted that is not in the pool", (int64_t)event->conn_serial, 0);
    return;
  }
  conn->open = false;
  model->evicted++;
  bool trimming = event->cause == WSP_REASON_MAX_IDLE || event->cause == WSP_REASON_ROOM;
  model->trimmed += trimming;
  if (trimming || event->cause == WSP_REASON_MAX_AGE) {
    MODEL_CHECK(model, conn->holder == 0, "a leased conn is trimmed, rotated or evicted");
  }
  if (trimming || event->cause == WSP_REASON_MAX_AGE || event->cause == WSP_REASON_RETIRED) {
    MODEL_CHECK(model, event->values[2] == 0, "a pinned conn is trimmed, rotated or evicted");
  }
  if (event->cause == WSP_REASON_PING_FAILED) {
    for (size_t i = model->first_live; i < model->acquire_count; i++) {
      struct model_acquire *acquire = model->acquires[i];
      acquire->ping_failures += acquire->pinged == event->conn_serial;
      acquire->pinged = acquire->pinged == event->conn_serial ? 0 : acquire->pinged;
    }
  }
}

/* Looks for a waiter from before `acquire` came, that `conn` (NULL: room) would have served. */
static void suspect(struct model *model, const struct model_acquire *acquire,
                    const struct model_conn *conn) {
  for (size_t i = model->first_live; i < acquire->tag - 1 && model->passer == 0; i++) {
    const struct model_acquire *other = model->acquires[i];
    if (other->state != MODEL_QUEUED || other->queued_event > acquire->started_event ||
        other->account != acquire->account || other->canceled || other->ping_failures >= 2 ||
        (other->deadline != 0 && other->deadline <= model->rig.now) ||
        (other->picks > 1 && other->picked_at == model->rig.now)) { /* sent back just now */
      continue;
    }
    if (conn == NULL ? !other->force_preferred || other->force_new
                     : !other->force_new && model_same_key(other, conn) &&
                           (!other->force_preferred || strcmp(other->preferred, conn->id) == 0)) {
      model->passer = acquire->tag;
      model->passed = other->tag;
      model->passing_event = model->event_number;
    }
  }
}

static int64_t idle_ceiling(const struct model *model, int64_t effective_max) {
  const struct wsp_config *config = &model->rig.config;
  int64_t ceiling = config->max_idle_per_account > config->min_idle_per_account
                        ? config->max_idle_per_account
                        : config->min_idle_per_account;
  return ceiling < effective_max ? ceiling : effective_max;
}

/* A cleanup leaves no idle conn that is over its age or one too many, but those that must stay. */
static void cleanup_ran(struct model *model, const struct wsp_event *event) {
  struct wsp_account_stats account;
  wsp_account_stats(model->rig.pool, event->account, &account);
  bool too_many = account.idle > idle_ceiling(model, account.effective_max);
  for (size_t i = 0; i < model->conn_count; i++) {
    const struct model_conn *conn = &model->conns[i];
    struct wsp_conn_stats stats;
    if (!conn->open || conn->account != event->account ||
        !wsp_conn_stats(model->rig.pool, conn->account, conn->id, &stats) ||
        stats.state != WSP_CONN_IDLE || stats.pins > 0) {
      continue;
    }
    MODEL_CHECK(model, event->now - stats.created_at <= model->rig.config.max_conn_age,
                "a cleanup leaves an idle conn that is over its age");
    MODEL_CHECK(model, !too_many || stats.waiters > 0, "a cleanup leaves too many idle conns");
  }
}

/* The conn that an acquire that picks now is to be lent: the named one if it is idle, else the
 * idle one with the fewest waiters, the least recently used of those, the first of those. 0: none.
 */
static uint64_t expected_pick(struct model *model, const struct model_acquire *acquire) {
  uint64_t best = 0;
  struct wsp_conn_stats best_stats = {.waiters = 0};
  for (size_t i = 0; i < model->conn_count && !acquire->force_new && acquire->ping_failures < 2;
       i++) {
    const struct model_conn *conn = &model->conns[i];
    struct wsp_conn_stats stats;
    if (!conn->open || !model_same_key(acquire, conn) ||
        !wsp_conn_stats(model->rig.pool, conn->account, conn->id, &stats) ||
        stats.state != WSP_CONN_IDLE) {
      continue;
    }
    if (strcmp(acquire->preferred, conn->id) == 0 && (!stats.retired || stats.pins > 0)) {
      return i + 1;
    }
    bool better =
        best == 0 || stats.waiters < best_stats.waiters ||
        (stats.waiters == best_stats.waiters && stats.last_used_at < best_stats.last_used_at);
    if (!stats.retired && !acquire->force_preferred && better) {
      best = i + 1;
      best_stats = stats;
    }
  }
  return best;
}

/* Without a preference: fewest waiters, then lowest number, among those of its key. */
static void check_queue_choice(struct model *model, const struct model_acquire *acquire,
                               const struct wsp_event *event) {
  const struct model_conn *chosen = model_conn(model, event->conn_serial);
  if (chosen == NULL || !model_same_key(acquire, chosen) || acquire->preferred[0] != '\0') {
    return;
  }
  for (size_t i = 0; i < model->conn_count; i++) {
    const struct model_conn *conn = &model->conns[i];
    struct wsp_conn_stats stats;
    if (conn != chosen && conn->open && model_same_key(acquire, conn) &&
        wsp_conn_stats(model->rig.pool, conn->account, conn->id, &stats) && !stats.retired &&
        (stats.waiters < event->values[1] - 1 ||
         (stats.waiters == event->values[1] - 1 && i + 1 < event->conn_serial))) {
      model_fail(model, "an acquire queues on another conn (serial) than it should",
                 (int64_t)event->conn_serial, (int64_t)i + 1);
    }
  }
}

static void granted(struct model *model, struct model_acquire *acquire,
                    const struct wsp_event *event) {
  struct model_conn *conn = model_conn(model, event->conn_serial);
  if (conn == NULL || !conn->open) {
    model_fail(model, "a conn is granted that is not in the pool", (int64_t)event->conn_serial, 0);
    return;
  }
  MODEL_CHECK(model, conn->holder == 0, "a conn is granted that somebody holds");
  conn->holder = event->tag != 0 ? event->tag : UINT64_MAX;
  model->grants++;
  model->reuses += event->values[1] == 1;
  model->creates += event->values[1] == 0;
  if (acquire == NULL) {
    return;
  }
  struct wsp_conn_stats stats;
  MODEL_CHECK(model, wsp_conn_stats(model->rig.pool, conn->account, conn->id, &stats),
              "a granted conn has no state");
  MODEL_CHECK(model, stats.state == WSP_CONN_LEASED, "a granted conn does not count as leased");
  if (event->values[1] == 1 && !stats.retired) {
    suspect(model, acquire, conn);
  }
  if (event->values[1] == 1 && acquire->expected != 0 && acquire->state == MODEL_STARTED &&
      acquire->expected != event->conn_serial) {
    model_fail(model, "an acquire picks another conn (serial) than it should",
               (int64_t)event->conn_serial, (int64_t)acquire->expected);
  }
  if (event->values[1] == 1 && acquire->pings == 0) {
    wsp_duration idle = acquire->picked_at - stats.last_used_at;
    if (idle >= model->rig.config.health_check_idle) {
      model_fail(model, "a conn is lent without the ping that it needs (idle)", idle,
                 model->rig.config.health_check_idle);
    }
  }
}

static void dial_started(struct model *model, struct model_acquire *acquire,
                         const struct wsp_event *event) {
  MODEL_CHECK(model, !model->closing, "a dial starts in a closed pool");
  if (event->cause != WSP_REASON_ACQUIRE) {
    return;
  }
  if (acquire == NULL) {
    model_fail(model, "a dial for an acquire has no tag", 0, 0);
    return;
  }
  if (acquire->pings == 0) {
    suspect(model, acquire, NULL);
  }
}

static void prewarm_started(struct model *model, const struct wsp_event *event) {
  struct wsp_account_stats stats;
  wsp_account_stats(model->rig.pool, event->account, &stats);
  int64_t limit = stats.leased + stats.waiting + idle_ceiling(model, stats.effective_max);
  limit = limit < stats.target ? limit : stats.target;
  int64_t total = stats.conns + stats.creating;
  int64_t need = event->values[0];
  model->asked += need;
  if (need <= 0 || (total != limit && total + need != limit)) {
    model_fail(model, "prewarm asks for another number than it needs", need, limit - total);
  }
  MODEL_CHECK(model, stats.effective_max >= limit, "prewarm goes over the maximum");
}

static void follow(struct model *model, struct model_acquire *acquire,
                   const struct wsp_event *event) {
  switch (event->kind) {
    case WSP_ACQUIRE_STARTED:
      acquire->started_event = model->event_number;
      break;
    case WSP_ACQUIRE_QUEUED:
      MODEL_CHECK(model, !acquire->ever_queued, "an acquire is queued for the first time twice");
      acquire->ever_queued = true;
      model->queued++;
      acquire->state = MODEL_QUEUED;
      acquire->queued_event = model->event_number;
      check_queue_choice(model, acquire, event);
      MODEL_CHECK(model,
                  event->conn_serial == 0 || acquire->picks > 1 ||
                      event->values[1] <= model->rig.config.queue_limit_per_conn,
                  "an acquire queues on a conn that is at its limit");
      break;
    case WSP_ACQUIRE_REQUEUED:
      if (acquire->state != MODEL_QUEUED) {
        acquire->state = MODEL_QUEUED;
        acquire->queued_event = model->event_number;
      }
      break;
    case WSP_ACQUIRE_PICKED:
      acquire->picks++;
      acquire->picked_at = event->now;
      acquire->picked_event = model->event_number;
      acquire->expected = expected_pick(model, acquire);
      break;
    case WSP_DIAL_STARTED:
      acquire->state = MODEL_DIALING;
      break;
    case WSP_DIAL_FAILED_EVENT:
      acquire->dial_failed = true;
      break;
    case WSP_PING_STARTED:
    case WSP_PING_JOINED:
      if (event->cause == WSP_REASON_HEALTH_CHECK) {
        acquire->state = MODEL_PINGING;
        acquire->pings++;
        acquire->pinged = event->conn_serial;
        MODEL_CHECK(model, acquire->ping_failures < 2, "an idle conn is taken after two failures");
      }
      break;
    case WSP_ACQUIRE_GRANTED:
    case WSP_ACQUIRE_FAILED:
      acquire->state = MODEL_ENDED;
      acquire->pinged = 0;
      break;
    default:
      break;
  }
}

void model_observe(void *context, const struct wsp_event *event) {
  struct model *model = context;
  struct model_acquire *acquire = acquire_of(model, event->tag);
  struct model_conn *conn = model_conn(model, event->conn_serial);
  model->event_number++;
  MODEL_CHECK(model, event->now == model->rig.now, "an event has another time than the call");
  switch (event->kind) {
    case WSP_CONN_OPENED:
      conn_opened(model, event);
      break;
    case WSP_CONN_EVICTED:
      conn_evicted(model, event);
      break;
    case WSP_ACQUIRE_GRANTED:
      granted(model, acquire, event);
      break;
    case WSP_LEASE_RELEASED:
    case WSP_LEASE_LOST:
      if (conn == NULL || conn->holder == 0) {
        model_fail(model, "a lease ends that nobody holds", (int64_t)event->conn_serial, 0);
      } else {
        conn->holder = 0;
        conn->freed_event = model->event_number;
      }
      break;
    case WSP_CONN_FREED:
    case WSP_CONN_RETIRED:
      if (conn == NULL) {
        model_fail(model, "an event of a conn without a conn", 0, 0);
      } else if (event->kind == WSP_CONN_FREED) {
        conn->freed_event = model->event_number;
      } else {
        conn->retired_event = model->event_number;
      }
      break;
    case WSP_DIAL_STARTED:
      dial_started(model, acquire, event);
      break;
    case WSP_PREWARM_STARTED:
      prewarm_started(model, event);
      break;
    case WSP_CLEANUP_RAN:
      cleanup_ran(model, event);
      break;
    case WSP_ACQUIRE_PICKED:
      model->picks++;
      break;
    case WSP_PING_SWEEP_STARTED:
      model->sweeps_begun++;
      MODEL_CHECK(model, model->sweeps_begun == model->sweeps_ended + 1, "ping sweeps overlap");
      break;
    case WSP_PING_SWEEP_FINISHED:
      model->sweeps_ended++;
      break;
    default:
      break;
  }
  if (acquire != NULL) {
    follow(model, acquire, event);
  }
}
