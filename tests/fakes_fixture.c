/*
 * fakes_fixture.c - the world of tests/fakes_fixture.h. It holds no expectations of its own.
 */
#include "tests/fakes_fixture.h"

#include <stdlib.h>

#define ARENA_CAPACITY ((size_t)64 << 20)
#define MAX_EVENTS 100000

static void require(bool held) {
  if (!held) {
    abort();
  }
}

void fixture_open(struct fakes_fixture *fixture, uint64_t seed) {
  *fixture = (struct fakes_fixture){.arena = sim_arena_create(ARENA_CAPACITY)};
  require(fixture->arena != NULL);
  fixture->queue = sim_queue_create(fixture->arena);
  fixture->trace = sim_trace_create(MAX_EVENTS, false);
  require(fixture->queue != NULL && fixture->trace != NULL);
  fixture->world = fake_world_create(fixture->arena, fixture->queue, fixture->trace, seed);
  require(fixture->world != NULL);
  fake_world_use_clock(fixture->world, &fixture->now);
}

void fixture_open_pool(struct fakes_fixture *fixture, int64_t max_conns) {
  struct wsp_config config;
  wsp_config_init(&config);
  config.max_conns_per_account = max_conns;
  config.ping_interval = 0;
  config.cleanup_interval = 0;
  struct wsp_environment environment = {
      .transport = fake_transport(),
      .transport_context = fixture->world,
      .allocate = sim_arena_allocate_for_pool,
      .release = sim_arena_release_for_pool,
      .allocator_context = fixture->arena,
      .trace = sim_trace_observe,
      .trace_context = fixture->trace,
  };
  require(wsp_pool_create(&config, &environment, fixture->now, &fixture->pool) == WSP_OK);
}

void fixture_close(struct fakes_fixture *fixture) {
  wsp_pool_destroy(fixture->pool);
  sim_trace_destroy(fixture->trace);
  sim_arena_destroy(fixture->arena);
}

void fixture_define(struct fakes_fixture *fixture, const char *url, const struct fake_spec *spec) {
  require(fake_world_define(fixture->world, url, spec));
}

void fixture_define_preset(struct fakes_fixture *fixture, enum fake_preset preset) {
  fixture_define(fixture, "default", &(struct fake_spec){.has_preset = true, .preset = preset});
}

static wsp_time next_time(const struct fakes_fixture *fixture) {
  wsp_time queued = sim_queue_next(fixture->queue);
  wsp_time deadline =
      fixture->pool != NULL ? wsp_pool_next_deadline(fixture->pool) : WSP_TIME_NEVER;
  return queued < deadline ? queued : deadline;
}

void fixture_run(struct fakes_fixture *fixture, wsp_time until) {
  for (wsp_time next = next_time(fixture); next <= until; next = next_time(fixture)) {
    if (fixture->now < next) {
      fixture->now = next;
    }
    struct sim_entry *entry = sim_queue_pop(fixture->queue, fixture->now);
    if (entry != NULL) {
      entry->action(entry->context, fixture->now);
    }
    if (fixture->pool != NULL) {
      wsp_pool_advance(fixture->pool, fixture->now);
    }
  }
  fixture->now = until;
}

void *fixture_dial(struct fakes_fixture *fixture, const char *url) {
  struct wsp_dial_request request = {.account = FIXTURE_ACCOUNT, .url = url, .proxy = ""};
  void *dialing = NULL;
  require(fake_transport()->dial(fixture->world, (struct wsp_dial){NULL, 0, 0}, &request,
                                 &dialing) == WSP_OK);
  return dialing;
}

void *fixture_conn(struct fakes_fixture *fixture, const char *url, const struct fake_spec *spec,
                   wsp_duration age, wsp_duration idle) {
  void *conn = fake_adopt(fixture->world, fixture->now, url, spec, age, idle);
  require(conn != NULL);
  fake_adopted(conn, (struct wsp_conn){NULL, 0, 0});
  return conn;
}

struct fake_counters fixture_counters(const struct fakes_fixture *fixture, const char *url) {
  struct fake_counters counters;
  require(fake_world_counters(fixture->world, url, &counters));
  return counters;
}

size_t fixture_events(const struct fakes_fixture *fixture, uint16_t kind,
                      const struct sim_event **last) {
  const struct sim_event *events = sim_trace_events(fixture->trace);
  size_t found = 0;
  *last = NULL;
  for (uint64_t i = 0; i < sim_trace_count(fixture->trace); i++) {
    if (events[i].kind == kind) {
      *last = &events[i];
      found++;
    }
  }
  return found;
}
