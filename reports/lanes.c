/*
 * lanes.c - the states of conns, dials and waiting operations, event by event.
 */
#include "reports/lanes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/detail.h"
#include "reports/names.h"
#include "sim/trace.h"

enum { TEXT_SIZE = 512, KEY_SIZE = 64 };

/* Conns, operations and dials by the numbers of their names. */
struct conn {
  bool present, leaves, pinged;
  enum rep_span_kind state; /* idle or leased */
  int64_t since_ns, pinged_since_ns;
  uint32_t op; /* that has leased it */
};

struct waiter {
  bool waits;
  int64_t account, since_ns;
  uint32_t lane;
};

struct dial {
  bool dials;
  int64_t account, since_ns;
  uint32_t op, lane;
  char why[32];
};

/* Which lane numbers are taken. */
struct lane_set {
  bool *taken;
  uint32_t count, lowest; /* none below `lowest` is free */
};

struct rep_lanes {
  rep_span_function *tell;
  void *context;
  struct rep_names kinds, conn_names, op_names, dial_names;
  int *kind_numbers; /* of sim/trace.h, by the numbers of `kinds` */
  struct conn *conns;
  struct waiter *waiters;
  struct dial *dials;
  uint32_t kind_room, conn_room, waiter_room, dial_room;
  struct lane_set wait_lanes, dial_lanes;
};

/* One event as it is looked at. */
struct moment {
  int64_t t_ns, account;
  int kind;
  const char *conn, *op, *detail;
};

const char *rep_span_name(enum rep_span_kind kind) {
#define REP_SPAN_NAME(id, name, sign) name,
  static const char *const names[] = {REP_SPAN_LIST(REP_SPAN_NAME)};
  return names[kind];
}

char rep_span_sign(enum rep_span_kind kind) {
#define REP_SPAN_SIGN(id, name, sign) sign,
  static const char signs[] = {REP_SPAN_LIST(REP_SPAN_SIGN)};
  return signs[kind];
}

struct rep_lanes *rep_lanes_create(rep_span_function *tell, void *context) {
  struct rep_lanes *lanes = calloc(1, sizeof *lanes);
  if (lanes != NULL) {
    lanes->tell = tell;
    lanes->context = context;
  }
  return lanes;
}

void rep_lanes_destroy(struct rep_lanes *lanes) {
  if (lanes == NULL) {
    return;
  }
  rep_names_deinit(&lanes->kinds);
  rep_names_deinit(&lanes->conn_names);
  rep_names_deinit(&lanes->op_names);
  rep_names_deinit(&lanes->dial_names);
  free(lanes->kind_numbers);
  free(lanes->conns);
  free(lanes->waiters);
  free(lanes->dials);
  free(lanes->wait_lanes.taken);
  free(lanes->dial_lanes.taken);
  free(lanes);
}

/* Makes `*array`, of elements of `size` bytes, reach to `index`; new ones are zero-filled. */
static bool reach(void **array, uint32_t *room, uint32_t index, size_t size) {
  if (index < *room) {
    return true;
  }
  uint32_t count = *room == 0 ? 64 : *room * 2;
  while (count <= index) {
    count *= 2;
  }
  char *grown = realloc(*array, count * size);
  if (grown == NULL) {
    return false;
  }
  memset(grown + *room * size, 0, (count - *room) * size);
  *array = grown;
  *room = count;
  return true;
}

static bool take_lane(struct lane_set *set, uint32_t *lane) {
  *lane = set->lowest;
  while (*lane < set->count && set->taken[*lane]) {
    (*lane)++;
  }
  void *taken = set->taken;
  if (!reach(&taken, &set->count, *lane, sizeof *set->taken)) {
    return false;
  }
  set->taken = taken;
  set->taken[*lane] = true;
  set->lowest = *lane + 1;
  return true;
}

static void free_lane(struct lane_set *set, uint32_t lane) {
  set->taken[lane] = false;
  if (lane < set->lowest) {
    set->lowest = lane;
  }
}

/* ---- Finding what an event is about -------------------------------------------------------- */

static struct conn *conn_of(struct rep_lanes *lanes, const struct moment *at, uint32_t *number) {
  char key[TEXT_SIZE];
  snprintf(key, sizeof key, "%" PRId64 " %s", at->account, at->conn);
  *number = rep_names_put(&lanes->conn_names, key);
  void *conns = lanes->conns;
  if (*number == REP_NAME_NONE ||
      !reach(&conns, &lanes->conn_room, *number, sizeof *lanes->conns)) {
    return NULL;
  }
  lanes->conns = conns;
  return &lanes->conns[*number];
}

static struct waiter *waiter_of(struct rep_lanes *lanes, const char *op, uint32_t *number) {
  *number = rep_names_put(&lanes->op_names, op);
  void *waiters = lanes->waiters;
  if (*number == REP_NAME_NONE ||
      !reach(&waiters, &lanes->waiter_room, *number, sizeof *lanes->waiters)) {
    return NULL;
  }
  lanes->waiters = waiters;
  return &lanes->waiters[*number];
}

static struct dial *dial_of(struct rep_lanes *lanes, const char *detail) {
  char key[KEY_SIZE];
  snprintf(key, sizeof key, "%" PRId64, rep_detail_integer(detail, "dial", 0));
  uint32_t number = rep_names_put(&lanes->dial_names, key);
  void *dials = lanes->dials;
  if (number == REP_NAME_NONE || !reach(&dials, &lanes->dial_room, number, sizeof *lanes->dials)) {
    return NULL;
  }
  lanes->dials = dials;
  return &lanes->dials[number];
}

static const char *cause_of(const struct moment *at, char *buffer, size_t size) {
  const struct sim_event_type *type = sim_event_type((uint16_t)at->kind);
  return type->cause == NULL ? "" : rep_detail_text(at->detail, type->cause, buffer, size);
}

/* ---- Telling ------------------------------------------------------------------------------- */

static const char *conn_id(const struct rep_lanes *lanes, uint32_t number) {
  return strchr(rep_names_text(&lanes->conn_names, number), ' ') + 1;
}

/* Ends what `conn` is, idle or leased. */
static void tell_state(struct rep_lanes *lanes, uint32_t number, int64_t account, int64_t end_ns,
                       const char *why, bool open) {
  struct conn *conn = &lanes->conns[number];
  const struct rep_span span = {
      .kind = conn->leaves ? REP_SPAN_CLOSING : conn->state,
      .open = open,
      .account = account,
      .start_ns = conn->since_ns,
      .end_ns = end_ns,
      .conn = conn_id(lanes, number),
      .op = !conn->leaves && conn->state == REP_SPAN_LEASE
                ? rep_names_text(&lanes->op_names, conn->op)
                : "",
      .why = why,
      .conn_number = number,
  };
  lanes->tell(lanes->context, &span);
  conn->since_ns = end_ns;
}

static void tell_ping(struct rep_lanes *lanes, uint32_t number, int64_t account, int64_t end_ns,
                      const char *why, bool open) {
  struct conn *conn = &lanes->conns[number];
  const struct rep_span span = {
      .kind = REP_SPAN_PING,
      .open = open,
      .account = account,
      .start_ns = conn->pinged_since_ns,
      .end_ns = end_ns,
      .conn = conn_id(lanes, number),
      .op = "",
      .why = why,
      .conn_number = number,
  };
  lanes->tell(lanes->context, &span);
  conn->pinged = false;
}

static void tell_wait(struct rep_lanes *lanes, uint32_t number, const struct moment *at,
                      const char *why, bool open) {
  struct waiter *waiter = &lanes->waiters[number];
  uint32_t conn_number = 0;
  bool granted = !open && at->kind == WSP_ACQUIRE_GRANTED;
  if (granted && conn_of(lanes, at, &conn_number) == NULL) {
    return;
  }
  const struct rep_span span = {
      .kind = REP_SPAN_WAIT,
      .open = open,
      .granted = granted,
      .account = waiter->account,
      .start_ns = waiter->since_ns,
      .end_ns = at->t_ns,
      .conn = granted ? at->conn : "",
      .op = rep_names_text(&lanes->op_names, number),
      .why = why,
      .conn_number = conn_number,
      .lane = waiter->lane,
  };
  lanes->tell(lanes->context, &span);
  waiter->waits = false;
  free_lane(&lanes->wait_lanes, span.lane);
}

static void tell_dial(struct rep_lanes *lanes, struct dial *dial, int64_t end_ns, const char *why,
                      bool open) {
  const struct rep_span span = {
      .kind = REP_SPAN_DIAL,
      .open = open,
      .account = dial->account,
      .start_ns = dial->since_ns,
      .end_ns = end_ns,
      .conn = "",
      .op = rep_names_text(&lanes->op_names, dial->op),
      .why = why,
      .lane = dial->lane,
  };
  lanes->tell(lanes->context, &span);
  dial->dials = false;
  free_lane(&lanes->dial_lanes, span.lane);
}

/* ---- Following ----------------------------------------------------------------------------- */

static bool follow_operation(struct rep_lanes *lanes, const struct moment *at) {
  uint32_t number;
  char cause[TEXT_SIZE];
  struct waiter *waiter = waiter_of(lanes, at->op, &number);
  if (waiter == NULL) {
    return false;
  }
  if (at->kind == WSP_ACQUIRE_STARTED) {
    waiter->waits = take_lane(&lanes->wait_lanes, &waiter->lane);
    waiter->account = at->account;
    waiter->since_ns = at->t_ns;
    return waiter->waits;
  }
  if (waiter->waits) {
    tell_wait(lanes, number, at, cause_of(at, cause, sizeof cause), false);
  }
  return true;
}

static bool follow_dial(struct rep_lanes *lanes, const struct moment *at) {
  char cause[TEXT_SIZE];
  struct dial *dial = dial_of(lanes, at->detail);
  if (dial == NULL) {
    return false;
  }
  if (at->kind == WSP_DIAL_STARTED) {
    dial->op = rep_names_put(&lanes->op_names, at->op);
    dial->account = at->account;
    dial->since_ns = at->t_ns;
    snprintf(dial->why, sizeof dial->why, "%s", cause_of(at, cause, sizeof cause));
    dial->dials = dial->op != REP_NAME_NONE && take_lane(&lanes->dial_lanes, &dial->lane);
    return dial->dials;
  }
  if (dial->dials) {
    tell_dial(lanes, dial, at->t_ns,
              at->kind == WSP_DIAL_SUCCEEDED ? dial->why : cause_of(at, cause, sizeof cause),
              false);
  }
  return true;
}

static void begin_state(struct conn *conn, enum rep_span_kind state, int64_t t_ns) {
  conn->state = state;
  conn->since_ns = t_ns;
}

static void follow_present(struct rep_lanes *lanes, const struct moment *at, uint32_t number) {
  struct conn *conn = &lanes->conns[number];
  char cause[TEXT_SIZE];
  const char *why = cause_of(at, cause, sizeof cause);
  switch (at->kind) {
    case WSP_ACQUIRE_GRANTED:
      tell_state(lanes, number, at->account, at->t_ns, "", false);
      begin_state(conn, REP_SPAN_LEASE, at->t_ns);
      conn->op = rep_names_put(&lanes->op_names, at->op);
      break;
    case WSP_LEASE_RELEASED:
    case WSP_LEASE_LOST:
      tell_state(lanes, number, at->account, at->t_ns, why, false);
      begin_state(conn, REP_SPAN_IDLE, at->t_ns);
      break;
    case WSP_PING_STARTED:
      conn->pinged = true;
      conn->pinged_since_ns = at->t_ns;
      break;
    case WSP_PING_SUCCEEDED:
    case WSP_PING_FAILED_EVENT:
    case WSP_PING_CANCELED:
      if (conn->pinged) {
        tell_ping(lanes, number, at->account, at->t_ns, why, false);
      }
      break;
    case WSP_CONN_EVICTED:
      tell_state(lanes, number, at->account, at->t_ns, why, false);
      conn->leaves = true;
      break;
    case WSP_CONN_CLOSED_EVENT:
      tell_state(lanes, number, at->account, at->t_ns, why, false);
      conn->present = false;
      break;
    default:
      break;
  }
}

static bool follow_conn(struct rep_lanes *lanes, const struct moment *at) {
  uint32_t number;
  struct conn *conn = conn_of(lanes, at, &number);
  if (conn == NULL) {
    return false;
  }
  if (at->kind == WSP_CONN_OPENED) {
    *conn = (struct conn){.present = true, .state = REP_SPAN_IDLE, .since_ns = at->t_ns};
  } else if (conn->present) {
    follow_present(lanes, at, number);
    return conn->state != REP_SPAN_LEASE || lanes->conns[number].op != REP_NAME_NONE;
  }
  return true;
}

/* The number of a kind of event; -1: it is none of ours. -2: no memory. */
static int kind_of(struct rep_lanes *lanes, const char *name) {
  uint32_t known = lanes->kinds.count;
  uint32_t number = rep_names_put(&lanes->kinds, name);
  void *kinds = lanes->kind_numbers;
  if (number == REP_NAME_NONE ||
      !reach(&kinds, &lanes->kind_room, number, sizeof *lanes->kind_numbers)) {
    return -2;
  }
  lanes->kind_numbers = kinds;
  if (number == known) {
    lanes->kind_numbers[number] = sim_event_kind_by_name(name);
  }
  return lanes->kind_numbers[number];
}

bool rep_lanes_event(struct rep_lanes *lanes, int64_t t_ns, const char *kind, int64_t account,
                     const char *conn, const char *op, const char *detail) {
  const struct moment at = {.t_ns = t_ns,
                            .account = account,
                            .kind = kind_of(lanes, kind),
                            .conn = conn,
                            .op = op,
                            .detail = detail};
  bool done = at.kind != -2;
  switch (at.kind) {
    case WSP_ACQUIRE_STARTED:
    case WSP_ACQUIRE_GRANTED:
    case WSP_ACQUIRE_FAILED:
      done = follow_operation(lanes, &at);
      break;
    case WSP_DIAL_STARTED:
    case WSP_DIAL_SUCCEEDED:
    case WSP_DIAL_FAILED_EVENT:
    case WSP_DIAL_CANCELED:
    case WSP_DIAL_ENDED:
      done = follow_dial(lanes, &at);
      break;
    default:
      break;
  }
  return done && (at.kind < 0 || conn[0] == '\0' || follow_conn(lanes, &at));
}

void rep_lanes_end(struct rep_lanes *lanes, int64_t t_ns) {
  const struct moment at = {.t_ns = t_ns, .kind = -1, .conn = "", .op = "", .detail = ""};
  for (uint32_t i = 0; i < lanes->op_names.count && i < lanes->waiter_room; i++) {
    if (lanes->waiters[i].waits) {
      tell_wait(lanes, i, &at, "", true);
    }
  }
  for (uint32_t i = 0; i < lanes->dial_names.count && i < lanes->dial_room; i++) {
    if (lanes->dials[i].dials) {
      tell_dial(lanes, &lanes->dials[i], t_ns, lanes->dials[i].why, true);
    }
  }
  for (uint32_t i = 0; i < lanes->conn_names.count && i < lanes->conn_room; i++) {
    int64_t account = strtoll(rep_names_text(&lanes->conn_names, i), NULL, 10);
    if (lanes->conns[i].pinged && lanes->conns[i].present) {
      tell_ping(lanes, i, account, t_ns, "", true);
    }
    if (lanes->conns[i].present) {
      tell_state(lanes, i, account, t_ns, "", true);
      lanes->conns[i].present = false;
    }
  }
}
