/*
 * conn.c - the life of an upstream's conn: opening, the limits of age and idleness, and the close
 * by either side.
 *
 * Limits of the model: a conn counts as open until its close is complete, whoever asked for it.
 * The upstream pings its clients all the time, which shows in nothing but this: while the client
 * reads, its pongs come in and the conn is not idle.
 *
 * Traffic only notes its time; the one entry of both limits moves when it comes up too early.
 */
#include "fakes/internal.h"

#include <assert.h>

enum { CLOSE_GOING_AWAY = 1001 };

static void watch_ends(void *context, wsp_time now);

void fake_conn_link(struct fake_conn *conn, struct fake_upstream *upstream) {
  conn->upstream = upstream;
  conn->previous = upstream->conns_last;
  conn->next = NULL;
  *(conn->previous != NULL ? &conn->previous->next : &upstream->conns) = conn;
  upstream->conns_last = conn;
}

void fake_conn_unlink(struct fake_conn *conn) {
  struct fake_upstream *upstream = conn->upstream;
  *(conn->previous != NULL ? &conn->previous->next : &upstream->conns) = conn->next;
  *(conn->next != NULL ? &conn->next->previous : &upstream->conns_last) = conn->previous;
}

struct fake_conn *fake_conn_create(struct fake_site *site, int64_t account) {
  struct fake_conn *conn = sim_arena_zeroed(site->upstream->world->arena, sizeof *conn);
  if (conn == NULL) {
    return NULL;
  }
  conn->site = site;
  conn->account = account;
  conn->own_base = FAKE_PRESET_OK;
  fake_conn_link(conn, site->upstream);
  return conn;
}

void fake_conn_count(struct fake_conn *conn) {
  struct fake_counters *counters = &conn->upstream->counters;
  conn->counted = true;
  counters->opened++;
  counters->open++;
  if (counters->max_open < counters->open) {
    counters->max_open = counters->open;
  }
}

/* Ends all that is under way, and the conn in the eyes of its upstream. */
static void shut(struct fake_conn *conn) {
  struct fake_upstream *upstream = conn->upstream;
  for (int subject = 0; subject < FAKE_CALL_COUNT; subject++) {
    fake_call_drop(conn, (enum fake_subject)subject);
  }
  fake_unschedule(upstream->world, &conn->watch);
  conn->state = FAKE_CONN_CLOSED;
  if (conn->counted) {
    upstream->counters.open--;
    upstream->counters.closed++;
  }
  fake_conn_unlink(conn);
}

static void release(struct fake_conn *conn) {
  struct sim_arena *arena = conn->upstream->world->arena;
  sim_arena_release(arena, conn->adoption, sizeof *conn->adoption);
  sim_arena_release(arena, conn, sizeof *conn);
}

void fake_conn_forget(struct fake_conn *conn) {
  shut(conn);
  release(conn);
}

static wsp_time age_due(const struct fake_conn *conn) {
  if (conn->upstream->world->healed) {
    return WSP_TIME_NEVER;
  }
  wsp_duration max_age = conn->own != NULL && (conn->own->set & FAKE_SET_MAX_AGE) != 0
                             ? conn->own->max_age
                             : conn->upstream->policy.max_age;
  return max_age > 0 ? fake_time_after(conn->created_at, max_age) : WSP_TIME_NEVER;
}

static wsp_time idle_due(const struct fake_conn *conn) {
  if (conn->upstream->world->healed) {
    return WSP_TIME_NEVER;
  }
  wsp_duration timeout = conn->own != NULL && (conn->own->set & FAKE_SET_IDLE_TIMEOUT) != 0
                             ? conn->own->idle_timeout
                             : conn->upstream->policy.idle_timeout;
  return timeout > 0 ? fake_time_after(conn->last_in, timeout) : WSP_TIME_NEVER;
}

bool fake_conn_watch(struct fake_conn *conn, wsp_time now) {
  struct fake_world *world = conn->upstream->world;
  wsp_time age = age_due(conn);
  wsp_time idle = idle_due(conn);
  wsp_time due = conn->is_silent ? conn->silent_until : age < idle ? age : idle;
  fake_unschedule(world, &conn->watch);
  return fake_schedule_background(world, &conn->watch, due > now ? due : now, watch_ends, conn);
}

static void watch_ends(void *context, wsp_time now) {
  struct fake_conn *conn = context;
  fake_fired(conn->upstream->world, &conn->watch);
  if (fake_call_active(conn, FAKE_SUBJECT_READ)) {
    conn->last_in = now;
  }
  if (conn->is_silent) {
    (void)fake_conn_peer_close(conn, now, FAKE_CLOSE_ABNORMAL, "connection lost", "drop");
  } else if (now >= age_due(conn)) {
    (void)fake_conn_peer_close(conn, now, CLOSE_GOING_AWAY, "max age reached", "max_age");
  } else if (now >= idle_due(conn)) {
    (void)fake_conn_peer_close(conn, now, CLOSE_GOING_AWAY, "idle timeout", "idle_timeout");
  } else {
    bool watched = fake_conn_watch(conn, now);
    assert(watched); /* its old entry has just made room */
    (void)watched;
  }
}

void fake_conn_go_silent(struct fake_conn *conn, wsp_time now, wsp_time until) {
  conn->is_silent = true;
  conn->silent_until = until;
  bool watched = fake_conn_watch(conn, now);
  assert(watched); /* its old entry has made room */
  (void)watched;
}

bool fake_conn_peer_close(struct fake_conn *conn, wsp_time now, int code, const char *reason,
                          const char *cause) {
  if (conn->state != FAKE_CONN_OPEN) {
    return false;
  }
  shut(conn);
  conn->upstream->counters.peer_closed++;
  fake_trace_peer_closed(conn, now, code, cause);
  fake_fault_close(conn);
  conn->upstream->world->pool->conn_closed(conn->name, now, code, reason);
  release(conn);
  return true;
}

static void close_ends(void *context, wsp_time now) {
  struct fake_conn *conn = context;
  fake_fired(conn->upstream->world, &conn->watch);
  shut(conn);
  fake_fault_close(conn);
  conn->upstream->world->pool->conn_closed(conn->name, now, 0, NULL);
  release(conn);
}

void fake_close(void *context, void *conn) {
  struct fake_world *world = context;
  struct fake_conn *target = conn;
  if (target->state != FAKE_CONN_OPEN) {
    return;
  }
  for (int subject = 0; subject < FAKE_CALL_COUNT; subject++) {
    fake_call_drop(target, (enum fake_subject)subject);
  }
  target->state = FAKE_CONN_CLOSING;
  fake_unschedule(world, &target->watch);
  wsp_time due = fake_time_after(fake_now(world), fake_close_latency(target));
  bool scheduled = fake_schedule_answer(world, &target->watch, due, close_ends, target);
  assert(scheduled); /* the watch has made room */
  (void)scheduled;
}

bool fake_is_conn_entry(const struct sim_entry *entry) {
  return entry->action == watch_ends || entry->action == close_ends;
}

bool fake_conn_describe(const struct sim_entry *entry, struct fake_happening *happening) {
  if (!fake_is_conn_entry(entry)) {
    return false;
  }
  const struct fake_conn *conn = entry->context;
  happening->what = entry->action == close_ends ? "the end of a close" : "a limit of the upstream";
  happening->conn = conn->upstream->world->pool->conn_id(conn->name);
  happening->account = conn->upstream->world->pool->conn_account(conn->name);
  return true;
}
