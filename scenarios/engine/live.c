/*
 * live.c - live runs: the relay in the place of the fakes' transport, and a clock that waits.
 */
#include "scenarios/engine/live.h"

#include <stdlib.h>
#include <string.h>

#ifdef POOLPROOF_LIVE

#include "fakes/wire/relay.h"
#include "pool/lws/wspool_lws.h"

/* Real time for one crossing of the wire, on a machine that is busy with other things too. */
#define PATIENCE (60 * WSP_SECOND)

struct scn_live {
  struct fake_relay *relay;
  wsp_decimal speed;
  wsp_time begun; /* in real time */
  wsp_duration latest;
};

bool scn_live_is_built(void) {
  return true;
}

bool scn_live_begin(struct scn_world *world, const struct scn_live_options *options) {
  struct scn_live *live = calloc(1, sizeof *live);
  if (live == NULL) {
    return false;
  }
  const struct fake_relay_options relay = {.upstreams = world->upstreams,
                                           .clock = &world->now,
                                           .pool = world->pool_calls,
                                           .patience = PATIENCE};
  if (fake_relay_create(&relay, &live->relay) != WSP_OK) {
    free(live);
    return false;
  }
  live->speed = options->speed;
  live->begun = wsp_lws_now();
  world->live = live;
  return true;
}

void scn_live_end(struct scn_world *world) {
  if (world->live != NULL) {
    fake_relay_destroy(world->live->relay);
    free(world->live);
    world->live = NULL;
  }
}

const struct wsp_transport *scn_live_transport(void) {
  return fake_relay_transport();
}

void *scn_live_transport_context(const struct scn_world *world) {
  return world->live->relay;
}

void scn_live_wait(struct scn_world *world, wsp_time time) {
  struct scn_live *live = world->live;
  if (live->speed == 0) {
    fake_relay_wait(live->relay, wsp_lws_now());
    return;
  }
  wsp_time due = live->begun + scn_live_to_real(time, live->speed);
  wsp_duration late = wsp_lws_now() - due;
  if (late > live->latest) {
    live->latest = late;
  }
  fake_relay_wait(live->relay, due);
}

bool scn_live_deliver(struct scn_world *world) {
  const char *problem = fake_relay_problem(world->live->relay);
  if (problem != NULL) {
    scn_world_break(world, NULL, problem);
    return false;
  }
  return fake_relay_deliver(world->live->relay);
}

void *scn_live_adopt(struct scn_world *world, const struct wsp_adoption *adoption, void *fake) {
  return fake_relay_adopt(world->live->relay, adoption, fake);
}

void scn_live_adopted(void *conn, struct wsp_conn name) {
  fake_relay_adopted(conn, name);
}

void scn_live_drop(void *conn) {
  fake_relay_drop(conn);
}

void *scn_live_fake(void *conn) {
  return fake_relay_fake(conn);
}

void scn_live_metrics(const struct scn_world *world, struct scn_live_metrics *metrics) {
  struct fake_relay_costs costs = fake_relay_costs(world->live->relay);
  *metrics = (struct scn_live_metrics){.wire_crossings = costs.crossings,
                                       .wire_crossing_total_ns = costs.total,
                                       .wire_crossing_longest_ns = costs.longest,
                                       .clock_latest_ns = world->live->latest};
}

#else

bool scn_live_is_built(void) {
  return false;
}

bool scn_live_begin(struct scn_world *world, const struct scn_live_options *options) {
  (void)world;
  (void)options;
  return false;
}

void scn_live_end(struct scn_world *world) {
  (void)world;
}

const struct wsp_transport *scn_live_transport(void) {
  return NULL;
}

void *scn_live_transport_context(const struct scn_world *world) {
  (void)world;
  return NULL;
}

void scn_live_wait(struct scn_world *world, wsp_time time) {
  (void)world;
  (void)time;
}

bool scn_live_deliver(struct scn_world *world) {
  (void)world;
  return false;
}

void *scn_live_adopt(struct scn_world *world, const struct wsp_adoption *adoption, void *fake) {
  (void)world;
  (void)adoption;
  (void)fake;
  return NULL;
}

void scn_live_adopted(void *conn, struct wsp_conn name) {
  (void)conn;
  (void)name;
}

void scn_live_drop(void *conn) {
  (void)conn;
}

void *scn_live_fake(void *conn) {
  return conn;
}

void scn_live_metrics(const struct scn_world *world, struct scn_live_metrics *metrics) {
  (void)world;
  *metrics = (struct scn_live_metrics){0};
}

#endif
