/*
 * schedule.c - the fakes' entries in the queue, the exact count of those that are pending, and
 * the events of the upstreams' own making.
 */
#include "fakes/internal.h"

#include <assert.h>

wsp_time fake_now(const struct fake_world *world) {
  assert(world->clock != NULL); /* fake_world_use_clock() comes first */
  return *world->clock;
}

wsp_time fake_time_after(wsp_time from, wsp_duration duration) {
  if (duration > 0 && from > WSP_TIME_NEVER - duration) {
    return WSP_TIME_NEVER;
  }
  return from + duration;
}

wsp_time fake_answer_due(const struct fake_world *world, const struct fake_answer *answer) {
  if (answer->outcome == FAKE_BLOCK) {
    return WSP_TIME_NEVER;
  }
  return fake_time_after(fake_now(world), answer->latency);
}

bool fake_schedule_background(struct fake_world *world, struct sim_entry *entry, wsp_time at,
                              sim_action action, void *context) {
  return sim_queue_add(world->queue, entry, at, action, context, true);
}

bool fake_schedule_answer(struct fake_world *world, struct sim_entry *entry, wsp_time at,
                          sim_action action, void *context) {
  bool pending = at != WSP_TIME_NEVER;
  if (!sim_queue_add(world->queue, entry, at, action, context, !pending)) {
    return false;
  }
  world->pending += pending ? 1 : 0;
  return true;
}

void fake_fired(struct fake_world *world, const struct sim_entry *entry) {
  assert(entry->due.position == 0);
  if (!entry->background) {
    assert(world->pending > 0);
    world->pending--;
  }
}

void fake_unschedule(struct fake_world *world, struct sim_entry *entry) {
  if (entry->due.position != 0) {
    sim_queue_remove(world->queue, entry);
    fake_fired(world, entry);
  }
}

void fake_trace_refused(const struct fake_upstream *upstream, const char *url, int64_t account,
                        wsp_time now, int status, const char *why) {
  struct sim_trace *trace = upstream->world->trace;
  if (trace == NULL) {
    return;
  }
  struct sim_event event = {.kind = SIM_UPSTREAM_REFUSED, .t_ns = now, .account = account};
  event.values[0] = status;
  event.values[1] = upstream->counters.open;
  event.texts[0] = sim_trace_intern(trace, url);
  event.texts[1] = sim_trace_intern(trace, why);
  (void)sim_trace_append(trace, &event); /* a full trace says so itself */
}

/* An event of the conn's own, told while the pool still knows it. */
static struct sim_event event_of(const struct fake_conn *conn, enum sim_event_kind kind,
                                 wsp_time now, int64_t value) {
  const char *id = conn->upstream->world->pool->conn_id(conn->name);
  struct sim_event event = {.kind = (uint16_t)kind,
                            .t_ns = now,
                            .account = conn->upstream->world->pool->conn_account(conn->name),
                            .values = {value}};
  event.conn = sim_trace_intern(conn->upstream->world->trace, id);
  return event;
}

void fake_trace_peer_closed(const struct fake_conn *conn, wsp_time now, int code,
                            const char *cause) {
  struct sim_trace *trace = conn->upstream->world->trace;
  if (trace == NULL) {
    return;
  }
  struct sim_event event = event_of(conn, SIM_PEER_CLOSED, now, code);
  event.texts[0] = sim_trace_intern(trace, cause);
  (void)sim_trace_append(trace, &event);
}

void fake_trace_peer_spoke(const struct fake_conn *conn, wsp_time now, size_t length) {
  struct sim_trace *trace = conn->upstream->world->trace;
  if (trace == NULL) {
    return;
  }
  struct sim_event event = event_of(conn, SIM_PEER_SPOKE, now, (int64_t)length);
  (void)sim_trace_append(trace, &event);
}

bool fake_describe(const struct sim_entry *entry, struct fake_happening *happening) {
  return fake_dial_describe(entry, happening) || fake_call_describe(entry, happening) ||
         fake_conn_describe(entry, happening);
}
