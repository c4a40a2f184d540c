/*
 * watch_fixture.c - makes the timelines of watch_fixture.h, and keeps the numbers that a pool which
 * told them would give.
 */
#include "tests/watch_fixture.h"

#include <CUnit/CUnit.h>
#include <string.h>

struct watch_fixture fixture;

static struct sim_arena *arena;
static struct sim_trace *trace;
static struct sim_watch *watch;
static bool is_prepared;

/* Of each conn: born when, on lease since when. */
enum { MOST_CONNS = 80, MOST_DIALS = 64 };
static struct {
  const char *name;
  int64_t born, leased_at, used_at, pins;
  bool leased;
} conns[MOST_CONNS];
static int64_t dials[MOST_DIALS];

static int conn_index(const char *name) {
  for (int i = 0; i < MOST_CONNS; i++) {
    if (conns[i].name == NULL || strcmp(conns[i].name, name) == 0) {
      conns[i].name = name;
      return i;
    }
  }
  CU_FAIL_FATAL("too many conns");
  return 0;
}

static void account_stats(void *context, int64_t account, struct wsp_account_stats *stats) {
  (void)context;
  *stats = account == 1 ? fixture.stats : (struct wsp_account_stats){0};
}

static void metrics(void *context, struct wsp_metrics *found) {
  (void)context;
  *found = fixture.metrics;
}

static struct wsp_account account_of(void *context, int64_t account) {
  (void)context;
  return (struct wsp_account){.id = account};
}

void watch_prepare(void) {
  fixture = (struct watch_fixture){0};
  memset(conns, 0, sizeof conns);
  memset(dials, 0, sizeof dials);
  wsp_config_init(&fixture.config);
  fixture.config.ping_interval = 0;
  fixture.config.cleanup_interval = 0;
  is_prepared = true;
}

void watch_begin(void) {
  if (!is_prepared) {
    watch_prepare();
  }
  is_prepared = false;
  arena = sim_arena_create((size_t)1 << 24);
  trace = sim_trace_create(10000, false);
  CU_ASSERT_TRUE_FATAL(arena != NULL && trace != NULL);
  struct sim_watch_view view = {
      .account_stats = account_stats, .metrics = metrics, .account = account_of};
  watch = sim_watch_create(arena, trace, &fixture.config, &view);
  CU_ASSERT_PTR_NOT_NULL_FATAL(watch);
}

int watch_end(void) {
  watch_rest();
  CU_ASSERT_FALSE(sim_watch_failed(watch));
  const struct sim_violation *violation = sim_watch_violation(watch);
  int found = violation == NULL ? -1 : (int)violation->invariant;
  if (violation != NULL) {
    CU_ASSERT_TRUE(strncmp(violation->sentence, "expected ", 9) == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(violation->sentence, "found"));
  }
  sim_trace_destroy(trace);
  sim_arena_destroy(arena);
  return found;
}

void watch_tell(const struct told *event) {
  struct sim_event record = {
      .t_ns = fixture.now,
      .account = event->account == 0 ? 1 : (event->account < 0 ? 0 : event->account),
      .values = {event->values[0], event->values[1], event->values[2]},
      .conn = sim_trace_intern(trace, event->conn),
      .op = sim_trace_intern(trace, event->op),
      .texts = {sim_trace_intern(trace, event->url), sim_trace_intern(trace, event->proxy)},
      .kind = (uint16_t)event->kind,
      .cause = (uint16_t)event->cause,
  };
  CU_ASSERT_TRUE_FATAL(sim_trace_append(trace, &record));
}

void watch_return(void) {
  sim_watch_follow(watch);
}

void watch_rest(void) {
  sim_watch_settle(watch, fixture.now);
}

void watch_go_to(int64_t now) {
  watch_rest();
  fixture.now = now;
}

void tell_start(const char *op) {
  fixture.metrics.acquire_total++;
  TELL(WSP_ACQUIRE_STARTED, .op = op, .url = "wss://a");
}

void tell_queue(const char *op, const char *conn) {
  fixture.metrics.acquire_queue_wait_total++;
  fixture.stats.waiting++;
  TELL(WSP_ACQUIRE_QUEUED, .op = op, .conn = conn);
}

void tell_dial(const char *op, int64_t serial) {
  dials[serial] = fixture.now;
  fixture.stats.creating += op != NULL; /* those of a prewarm were counted when it started */
  TELL(WSP_DIAL_STARTED, .op = op, .cause = op != NULL ? WSP_REASON_ACQUIRE : WSP_REASON_PREWARM,
       .values = {serial}, .url = "wss://a");
}

static void enter(const char *conn, const char *op, enum wsp_reason reason) {
  conns[conn_index(conn)].born = fixture.now;
  conns[conn_index(conn)].used_at = fixture.now;
  fixture.stats.conns++;
  fixture.stats.leased += op != NULL;
  conns[conn_index(conn)].leased = op != NULL;
  TELL(WSP_CONN_OPENED, .op = op, .conn = conn, .cause = reason,
       .values = {0, 0, fixture.config.max_conn_age}, .url = "wss://a");
}

void tell_open(const char *op, int64_t serial, const char *conn) {
  enum wsp_reason reason = op != NULL ? WSP_REASON_ACQUIRE : WSP_REASON_PREWARM;
  fixture.stats.creating--;
  fixture.stats.prewarm_fails = 0;
  TELL(WSP_DIAL_SUCCEEDED, .op = op, .cause = reason,
       .values = {serial, fixture.now - dials[serial]});
  enter(conn, op, reason);
}

void tell_fail(const char *op, enum wsp_error error) {
  TELL(WSP_ACQUIRE_FAILED, .op = op, .cause = error);
}

void tell_adopt(const char *conn) {
  enter(conn, NULL, WSP_REASON_ADOPTED);
}

void tell_grant(const char *op, const char *conn, bool reused) {
  int index = conn_index(conn);
  fixture.metrics.acquire_reuse_total += reused;
  fixture.metrics.acquire_create_total += !reused;
  fixture.stats.leased += !conns[index].leased;
  conns[index].leased = true;
  conns[index].leased_at = fixture.now;
  TELL(WSP_ACQUIRE_GRANTED, .op = op, .conn = conn, .values = {0, reused, 0});
}

void tell_release(const char *op, const char *conn) {
  int index = conn_index(conn);
  conns[index].leased = false;
  conns[index].used_at = fixture.now;
  fixture.stats.leased--;
  TELL(WSP_LEASE_RELEASED, .op = op, .conn = conn,
       .values = {fixture.now - conns[index].leased_at});
}

void tell_prewarm(int64_t need) {
  fixture.stats.creating += need;
  fixture.metrics.scale_up_total += need;
  TELL(WSP_PREWARM_STARTED, .values = {need, need});
}

void tell_evict(const char *conn, enum wsp_reason reason) {
  int index = conn_index(conn);
  fixture.stats.conns--;
  fixture.stats.leased -= conns[index].leased;
  conns[index].leased = false;
  fixture.metrics.scale_down_total += reason == WSP_REASON_MAX_IDLE || reason == WSP_REASON_ROOM;
  TELL(WSP_CONN_EVICTED, .conn = conn, .cause = reason,
       .values = {fixture.now - conns[index].born, fixture.now - conns[index].used_at});
}

void tell_new_lease(const char *op, const char *conn) {
  static int64_t serial;
  serial = serial % (MOST_DIALS - 20) + 1; /* tests use the numbers above */
  tell_start(op);
  tell_dial(op, serial + 19);
  watch_rest();
  tell_open(op, serial + 19, conn);
  tell_grant(op, conn, false);
  watch_rest();
}
