/*
 * adopt.c - conns that were established before the run, and what a scenario's steps make a peer
 * do.
 */
#include "fakes/internal.h"

#include <assert.h>
#include <string.h>

enum {
  CONN_BITS = FAKE_SET_PING | FAKE_SET_WRITE | FAKE_SET_READ | FAKE_SET_CLOSE | FAKE_SET_MAX_AGE |
              FAKE_SET_IDLE_TIMEOUT
};

/* A preset speaks of pings, writes and reads; the lists that were not given are all its own. */
static void adoption_init(struct fake_adoption *adoption, const struct fake_spec *spec) {
  unsigned set = (spec->set | spec->conn.set) & CONN_BITS;
  struct fake_conn_options *options = &adoption->options;
  *options = spec->conn;
  if (spec->has_preset) {
    options->ping = (set & FAKE_SET_PING) != 0 ? options->ping : (struct fake_list){NULL, 0};
    options->write = (set & FAKE_SET_WRITE) != 0 ? options->write : (struct fake_list){NULL, 0};
    options->read = (set & FAKE_SET_READ) != 0 ? options->read : (struct fake_list){NULL, 0};
    set |= FAKE_SET_PING | FAKE_SET_WRITE | FAKE_SET_READ;
  }
  options->set = set;
  adoption->has_preset = spec->has_preset;
  adoption->flaky = spec->has_preset && spec->preset == FAKE_PRESET_FLAKY;
  adoption->failure_rate =
      (spec->set & FAKE_SET_FAILURE_RATE) != 0 ? spec->failure_rate : FAKE_DEFAULT_FAILURE_RATE;
}

void *fake_adopt(struct fake_world *world, wsp_time now, const char *url,
                 const struct fake_spec *spec, wsp_duration age, wsp_duration idle) {
  struct fake_site *site = fake_site_of(world, url);
  struct fake_conn *conn = site != NULL ? fake_conn_create(site, 0) : NULL;
  if (conn == NULL) {
    return NULL;
  }
  if (spec != NULL) {
    conn->adoption = sim_arena_zeroed(world->arena, sizeof *conn->adoption);
    if (conn->adoption == NULL) {
      fake_conn_forget(conn);
      return NULL;
    }
    adoption_init(conn->adoption, spec);
    conn->own = &conn->adoption->options;
    conn->own_base = spec->has_preset ? spec->preset : FAKE_PRESET_OK;
  }
  conn->created_at = fake_time_after(now, -age);
  conn->last_in = fake_time_after(now, -idle);
  if (!fake_conn_watch(conn, now)) {
    fake_conn_forget(conn);
    return NULL;
  }
  return conn;
}

void fake_adopted(void *conn, struct wsp_conn name) {
  struct fake_conn *adopted = conn;
  assert(!adopted->counted);
  adopted->name = name;
  fake_conn_count(adopted);
}

void fake_drop(struct fake_world *world, void *conn) {
  struct fake_conn *refused = conn;
  assert(refused->upstream->world == world && !refused->counted);
  (void)world;
  fake_conn_forget(refused);
}

bool fake_peer_close(struct fake_world *world, void *conn, wsp_time now, int code,
                     const char *reason) {
  (void)world;
  return conn != NULL && fake_conn_peer_close(conn, now, code, reason, "step");
}

bool fake_peer_message(struct fake_world *world, void *conn, wsp_time now, const char *message) {
  struct fake_conn *speaker = conn;
  (void)world;
  if (speaker == NULL || speaker->state != FAKE_CONN_OPEN) {
    return false;
  }
  message = message != NULL ? message : FAKE_DEFAULT_MESSAGE;
  size_t length = strlen(message);
  fake_call_drop(speaker, FAKE_SUBJECT_READ); /* this is its answer */
  speaker->upstream->counters.messages++;
  fake_trace_peer_spoke(speaker, now, length);
  speaker->upstream->world->pool->conn_message(speaker->name, now, message, length);
  return true;
}
