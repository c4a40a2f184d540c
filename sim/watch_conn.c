/*
 * watch_conn.c - what must hold of conns: how they come, why they leave, what pins keep.
 */
#include "sim/watch_internal.h"

enum { OPENED_AGE = 0, OPENED_IDLE = 1, OPENED_AGE_LIMIT = 2 };
enum { EVICTED_AGE = 0, EVICTED_PINS = 2 };

bool watch_conn_is_retired(const struct sim_watch *watch, const struct watch_conn *conn) {
  return watch->now - conn->born > conn->age_limit - watch->config.retire_before_max_age;
}

/* ---- Coming ------------------------------------------------------------------------------- */

static void check_opening(struct sim_watch *watch, const struct sim_event *event,
                          const struct watch_account *account) {
  struct watch_where where = {.account = event->account, .conn = event->conn, .op = event->op};
  if (watch->closing) {
    watch_report(watch, SIM_INVARIANT_CLOSED_STAYS_CLOSED,
                 "expected that no conn enters a closed pool, found that {conn} does", &where);
  } else if (watch_conn_find(watch, account, event->conn) != NULL) {
    watch_report(watch, SIM_INVARIANT_ONE_LEASE_PER_CONN,
                 "expected an id that no conn of the account has, found {conn} a second time",
                 &where);
  } else if (event->cause == WSP_REASON_PREWARM && account->conns >= account->maximum) {
    where.values[0] = account->maximum;
    where.values[1] = account->conns + 1;
    watch_report(watch, SIM_INVARIANT_MAXIMUM_RESPECTED,
                 "expected that a prewarmed conn beyond the maximum of {0} is closed, found that "
                 "{conn} enters as number {1}",
                 &where);
  }
}

/* The limit of its age is drawn from the jitter's range, or is max_conn_age itself. */
static void check_age_limit(struct sim_watch *watch, const struct sim_event *event) {
  int64_t limit = event->values[OPENED_AGE_LIMIT];
  int64_t most = watch->config.max_conn_age;
  int64_t jitter = watch->config.max_conn_age_jitter;
  int64_t least = jitter <= 0 ? most : most - jitter;
  least = least > 0 ? least : 0;
  if (limit < least || limit > most) {
    REPORT(watch, SIM_INVARIANT_EXPIRY_SPREAD,
           "expected an age limit of {conn} from {t0} to {t1}, found {t2}",
           .account = event->account, .conn = event->conn, .values = {least, most, limit});
  }
}

static void opened(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_account *account = watch_account_of(watch, event->account);
  if (account == NULL) {
    return;
  }
  check_opening(watch, event, account);
  check_age_limit(watch, event);
  struct watch_key *key = watch_key_of(watch, account, event->texts[0], event->texts[1]);
  struct watch_conn *conn = key == NULL ? NULL : watch_conn_create(watch, account, event->conn);
  if (conn == NULL) {
    return;
  }
  conn->key = key;
  conn->born = event->t_ns - event->values[OPENED_AGE];
  conn->last_used = event->t_ns - event->values[OPENED_IDLE];
  conn->age_limit = event->values[OPENED_AGE_LIMIT];
  conn->owner = event->cause == WSP_REASON_ACQUIRE ? event->op : 0;
  account->trimmed = account->trimmed && event->cause != WSP_REASON_ADOPTED;
  watch_conn_turn(watch, conn, conn->owner != 0 ? CONN_IS_RESERVED : CONN_IS_IDLE);
}

/* What was meant for an acquire that has ended is nobody's again. */
static void freed(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_conn *conn =
      watch_conn_find(watch, watch_account_of(watch, event->account), event->conn);
  if (conn == NULL) {
    return;
  }
  if (conn->state == CONN_IS_LEASED) {
    REPORT(watch, SIM_INVARIANT_ONE_LEASE_PER_CONN,
           "expected that {conn} is freed when nobody has it, found that {op} has it",
           .account = event->account, .conn = conn->name, .op = conn->holder);
    return;
  }
  conn->owner = 0;
  conn->was_checked = false;
  watch_conn_turn(watch, conn, CONN_IS_IDLE);
}

/* ---- Leaving ------------------------------------------------------------------------------ */

/* Whether a conn on lease may leave for this reason: its holder, its upstream or an order of the
 * owner of the pool is behind it. */
static bool may_end_lease(enum wsp_reason reason) {
  switch (reason) {
    case WSP_REASON_MARKED_BROKEN:
    case WSP_REASON_PEER_CLOSED:
    case WSP_REASON_READ_FAILED:
    case WSP_REASON_WRITE_FAILED:
    case WSP_REASON_EVICTED:
    case WSP_REASON_CLEARED:
    case WSP_REASON_OUT_OF_MEMORY:
      return true;
    default:
      return false;
  }
}

/* A step that marks a lease broken is about the lease of its label. */
static bool is_broken_by_holder(const struct sim_watch *watch, const struct watch_conn *conn) {
  sim_string asker = watch_asked_through(watch, "mark_broken");
  return asker == 0 || asker == conn->holder;
}

static void check_leased(struct sim_watch *watch, const struct sim_event *event,
                         const struct watch_conn *conn) {
  struct watch_where where = {
      .account = event->account, .conn = conn->name, .op = conn->holder, .other = conn->holder};
  if (!may_end_lease((enum wsp_reason)event->cause)) {
    watch_report(watch, SIM_INVARIANT_LEASED_CONN_NOT_CLOSED,
                 "expected that {conn} stays while {op} has it, found that the pool closes it",
                 &where);
  } else if (event->cause == WSP_REASON_PEER_CLOSED && !conn->peer_closed) {
    watch_report(watch, SIM_INVARIANT_LEASED_CONN_NOT_CLOSED,
                 "expected that {conn} stays while {op} has it, found that it leaves as closed by "
                 "its peer, which has not closed it",
                 &where);
  } else if (event->cause == WSP_REASON_MARKED_BROKEN && !is_broken_by_holder(watch, conn)) {
    watch_report(
        watch, SIM_INVARIANT_NOTHING_AFTER_RELEASE,
        "expected that only {op}, which has {conn}, can mark it broken, found that a lease "
        "which is over did",
        &where);
  }
}

static void check_spared(struct sim_watch *watch, const struct sim_event *event,
                         const struct watch_conn *conn) {
  bool trims = event->cause == WSP_REASON_MAX_IDLE;
  bool takes = trims || event->cause == WSP_REASON_ROOM || event->cause == WSP_REASON_MAX_AGE ||
               event->cause == WSP_REASON_RETIRED;
  struct watch_where where = {.account = event->account, .conn = conn->name};
  const char *sentence = NULL;
  if (takes && conn->pins > 0) {
    where.values[0] = conn->pins;
    sentence = "expected that pinned conns stay, found that {conn} with {0} pins is taken";
  } else if (trims && (conn->state == CONN_IS_CHECKED || conn->state == CONN_IS_RESERVED)) {
    sentence = "expected that only idle conns are trimmed, found {conn}, which somebody is to get";
  } else if (trims && conn->waiters > 0) {
    where.values[0] = conn->waiters;
    sentence = "expected that conns with waiters are not trimmed, found {conn} with {0}";
  } else if (event->cause == WSP_REASON_PING_FAILED && conn->state == CONN_IS_IDLE &&
             conn->changed > conn->ping_began) {
    sentence =
        "expected that a ping of a sweep ends only what was idle all along, found {conn}, "
        "which was used meanwhile";
  }
  if (sentence != NULL) {
    watch_report(watch, SIM_INVARIANT_TRIM_SPARES_USED_CONNS, sentence, &where);
  }
}

/* What trimming takes must be more than it is to leave, or prewarm would bring it back. */
static void check_trimming(struct sim_watch *watch, const struct sim_event *event,
                           struct watch_account *account) {
  if (event->cause != WSP_REASON_MAX_IDLE) {
    account->trimmed = false;
    return;
  }
  account->trimmed = true;
  int64_t idle = account->conns - account->leases - account->checking - account->reserved;
  int64_t ceiling = watch_idle_ceiling(watch, account);
  if (idle <= ceiling) {
    REPORT(watch, SIM_INVARIANT_STEADY_LOAD_NO_CHURN,
           "expected that {0} idle conns are left alone, found that {conn} is trimmed while {1} "
           "are idle",
           .account = account->id, .conn = event->conn, .values = {ceiling, idle});
  }
}

static void check_told(struct sim_watch *watch, const struct sim_event *event,
                       const struct watch_conn *conn) {
  int64_t age = event->t_ns - conn->born;
  if (event->values[EVICTED_AGE] != age) {
    REPORT(watch, SIM_INVARIANT_WALL_CLOCK_IRRELEVANT,
           "expected that {conn} is {t0} old in virtual time, found that the pool says {t1}",
           .account = event->account, .conn = conn->name,
           .values = {age, event->values[EVICTED_AGE]});
  }
  if (event->values[EVICTED_PINS] != conn->pins) {
    REPORT(watch, SIM_INVARIANT_PINS_NAME_CONNS,
           "expected {0} pins of {conn} when it leaves, found {1}", .account = event->account,
           .conn = conn->name, .values = {conn->pins, event->values[EVICTED_PINS]});
  }
}

static void evicted(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_account *account = watch_account_of(watch, event->account);
  struct watch_conn *conn = watch_conn_find(watch, account, event->conn);
  if (conn == NULL) {
    REPORT(watch, SIM_INVARIANT_METRICS_MATCH_TIMELINE,
           "expected that what leaves has entered, found that {conn} leaves, which is not there",
           .account = event->account, .conn = event->conn);
    return;
  }
  if (conn->state == CONN_IS_LEASED) {
    check_leased(watch, event, conn);
  }
  check_spared(watch, event, conn);
  check_told(watch, event, conn);
  check_trimming(watch, event, account);
  if (event->cause == WSP_REASON_MAX_AGE || event->cause == WSP_REASON_RETIRED) {
    watch_expired(watch, conn);
  }
  account->ping_evicted |=
      event->cause == WSP_REASON_PING_FAILED && watch->sweeping && conn->state == CONN_IS_IDLE;
  account->owes = false; /* what else leaves need not come back without traffic */
  account->left = watch->event + 1;
  if (conn->checker != NULL) {
    conn->checker->phase = OP_CHOOSES;
    conn->checker = NULL;
  }
  while (conn->strict.first != NULL) {
    watch_op_dequeue(conn->strict.first);
  }
  account->must_leave -= conn->must_leave;
  conn->must_leave = false;
  conn->owner = 0;
  watch_unpinged(watch, conn);
  watch_conn_turn(watch, conn, CONN_IS_CLOSING);
}

static void closed(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_account *account = watch_account_of(watch, event->account);
  struct watch_conn *conn = watch_conn_closing(watch, account, event->conn);
  if (conn == NULL) {
    REPORT(watch, SIM_INVARIANT_METRICS_MATCH_TIMELINE,
           "expected one end of each conn that has left, found another one of {conn}",
           .account = event->account, .conn = event->conn);
    return;
  }
  account->closing--;
  watch->conns_closing--;
  watch_conn_release(watch, conn);
}

/* ---- Pins, peers -------------------------------------------------------------------------- */

static void pinned(struct sim_watch *watch, const struct sim_event *event, int64_t change) {
  struct watch_conn *conn =
      watch_conn_find(watch, watch_account_of(watch, event->account), event->conn);
  if (conn == NULL) {
    REPORT(watch, SIM_INVARIANT_PINS_NAME_CONNS,
           "expected that only a conn which is in its account is pinned, found {conn}",
           .account = event->account, .conn = event->conn);
    return;
  }
  int64_t pins = conn->pins + change;
  if (pins != event->values[0] || pins < 0) {
    REPORT(watch, SIM_INVARIANT_PINS_NAME_CONNS, "expected {0} pins of {conn}, found {1}",
           .account = event->account, .conn = conn->name, .values = {pins, event->values[0]});
  }
  watch_conn_set_pins(conn, pins);
  conn->account->trimmed = false;
}

/* Until the instant comes to rest it has left. */
static void peer_closed(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_account *account = watch_account_of(watch, event->account);
  struct watch_conn *conn = watch_conn_find(watch, account, event->conn);
  if (conn != NULL) {
    conn->peer_closed = true;
    account->must_leave += !conn->must_leave;
    conn->must_leave = true;
  }
}

static void cleared(struct sim_watch *watch, const struct sim_event *event) {
  struct watch_account *account = watch_account_of(watch, event->account);
  if (account == NULL) {
    return;
  }
  if (account->conns > 0 || account->dials > 0 || account->prewarming) {
    REPORT(watch, SIM_INVARIANT_CLOSED_STAYS_CLOSED,
           "expected that a cleared account has no conn and no dial, found {0} conns and {1} dials",
           .account = account->id, .values = {account->conns, account->dials});
  }
  account->has_template = false;
  account->trimmed = false;
  account->owes = false;
}

void watch_conn_event(struct sim_watch *watch, const struct sim_event *event) {
  switch (event->kind) {
    case WSP_CONN_OPENED:
      opened(watch, event);
      break;
    case WSP_CONN_FREED:
      freed(watch, event);
      break;
    case WSP_CONN_EVICTED:
      evicted(watch, event);
      break;
    case WSP_CONN_CLOSED_EVENT:
      closed(watch, event);
      break;
    case WSP_CONN_PINNED:
      pinned(watch, event, 1);
      break;
    case WSP_CONN_UNPINNED:
      pinned(watch, event, -1);
      break;
    case SIM_PEER_CLOSED:
      peer_closed(watch, event);
      break;
    case WSP_ACCOUNT_CLEARED:
      cleared(watch, event);
      break;
    default:
      break;
  }
}
