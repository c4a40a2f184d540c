/*
 * world.c - builds the world of a run, and what its parts have in common.
 */
#include "scenarios/engine/world.h"

#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/agenda.h"
#include "scenarios/engine/invariants.h"
#include "scenarios/engine/labels.h"
#include "scenarios/engine/live.h"
#include "scenarios/engine/metrics.h"
#include "sim/duration.h"

bool scn_world_define_upstreams(struct fake_world *upstreams, const struct scn_scenario *scenario) {
  static const struct fake_spec plain;
  const struct fake_spec *fallback = &plain;
  for (size_t i = 0; i < scenario->upstream_count; i++) {
    if (strcmp(scenario->upstreams[i].url, "default") == 0) {
      fallback = &scenario->upstreams[i].spec;
    }
  }
  if (!fake_world_define(upstreams, "default", fallback)) {
    return false;
  }
  for (size_t i = 0; i < scenario->upstream_count; i++) {
    const struct scn_upstream *upstream = &scenario->upstreams[i];
    if (strcmp(upstream->url, "default") != 0 &&
        !fake_world_define(upstreams, upstream->url, &upstream->spec)) {
      return false;
    }
  }
  return true;
}

static bool create_pool(struct scn_world *world) {
  struct wsp_config config = world->variant->config;
  if (!world->scenario->background) {
    config.ping_interval = 0;
    config.cleanup_interval = 0;
  }
  sim_random_init(&world->pool_random, world->variant->seed, "pool", 0);
  struct wsp_environment environment = {
      .transport = world->live != NULL ? scn_live_transport() : fake_transport(),
      .transport_context =
          world->live != NULL ? scn_live_transport_context(world) : (void *)world->upstreams,
      .random_bits = sim_random_for_pool,
      .random_context = &world->pool_random,
      .allocate = sim_arena_allocate_for_pool,
      .release = sim_arena_release_for_pool,
      .allocator_context = world->arena,
      .trace = sim_trace_observe,
      .trace_context = world->trace,
  };
  return world->pool_calls->create(&config, &environment, 0, &world->pool) == WSP_OK;
}

struct scn_world *scn_world_create(struct sim_arena *arena, struct sim_trace *trace,
                                   const struct scn_scenario *scenario,
                                   const struct scn_variant *variant,
                                   const struct scn_live_options *live) {
  struct scn_world *world = sim_arena_zeroed(arena, sizeof *world);
  if (world == NULL) {
    return NULL;
  }
  world->pool_calls = sim_pool_under_test();
  world->arena = arena;
  world->trace = trace;
  world->scenario = scenario;
  world->variant = variant;
  world->failure.arena = arena;
  world->queue = sim_queue_create(arena);
  world->operations = scn_operations_create(arena, trace);
  if (world->queue == NULL || world->operations == NULL || !scn_labels_collect(world)) {
    return NULL;
  }
  world->upstreams = fake_world_create(arena, world->queue, trace, variant->seed);
  if (world->upstreams == NULL) {
    return NULL;
  }
  fake_world_use_clock(world->upstreams, &world->now);
  if (!scn_world_define_upstreams(world->upstreams, scenario) ||
      (live != NULL && !scn_live_begin(world, live))) {
    return NULL;
  }
  if (!create_pool(world)) {
    scn_live_end(world);
    return NULL;
  }
  world->samples = scn_samples_create(world);
  world->agenda = scn_agenda_create(world);
  if (world->samples == NULL || world->agenda == NULL || !scn_invariants_create(world)) {
    scn_live_end(world);
    return NULL;
  }
  return world;
}

void scn_world_break(struct scn_world *world, const struct scn_step *step, const char *reason) {
  if (world->broken) {
    return;
  }
  world->broken = true;
  if (step == NULL) {
    scn_lines_add(&world->failure, "%s: error: %s\n", world->scenario->path, reason);
  } else {
    scn_lines_add(&world->failure, "%s:%d:%d: error: %s\n", world->scenario->path,
                  step->position.line, step->position.column, reason);
  }
}

void scn_world_note(struct scn_world *world, const struct scn_note *note) {
  struct sim_event event = {
      .t_ns = world->now,
      .account = note->account,
      .values = {note->values[0], note->values[1], 0},
      .kind = (uint16_t)note->kind,
  };
  event.conn = sim_trace_intern(world->trace, note->conn);
  event.op = sim_trace_intern(world->trace, note->op);
  event.texts[0] = sim_trace_intern(world->trace, note->text);
  sim_trace_append(world->trace, &event);
}

wsp_time scn_time_after(wsp_time time, wsp_duration duration) {
  wsp_time last = WSP_TIME_NEVER - 1;
  if (duration <= 0) {
    return time;
  }
  return time > last - duration ? last : time + duration;
}

struct scn_operation *scn_world_begin(struct scn_world *world, const char *label,
                                      enum rep_op_kind kind, int64_t account,
                                      const struct scn_step *step) {
  struct scn_operation *operation =
      scn_operations_add(world->operations, label, kind, account, world->now);
  if (operation == NULL) {
    scn_world_break(world, step, "out of memory for the scenario's operations");
    return NULL;
  }
  operation->world = world;
  operation->step = step;
  world->pending++;
  world->last_progress = world->now;
  return operation;
}

void scn_world_end(struct scn_operation *operation, const char *result, const char *error_text) {
  struct scn_world *world = operation->world;
  operation->record.result = result;
  operation->record.ended_ns = world->now;
  if (error_text != NULL && error_text[0] != '\0') {
    operation->record.error_text = scn_world_copy(world, error_text);
  }
  operation->handle = (struct wsp_op){0};
  world->pending--;
  world->last_progress = world->now;
}

const char *scn_world_copy(struct scn_world *world, const char *text) {
  if (text == NULL) {
    return NULL;
  }
  const char *copy = sim_arena_copy_string(world->arena, text);
  if (copy == NULL) {
    scn_world_break(world, NULL, "out of memory for the results of the scenario");
  }
  return copy;
}

static int compare_with_id(const void *id, const void *element) {
  int64_t wanted = *(const int64_t *)id;
  int64_t found = (*(const struct scn_account *const *)element)->account.id;
  return (wanted > found) - (wanted < found);
}

struct wsp_account scn_world_account(const struct scn_world *world, int64_t id) {
  const struct scn_scenario *scenario = world->scenario;
  const struct scn_account *const *found =
      bsearch(&id, scenario->accounts_by_id, scenario->account_count,
              sizeof *scenario->accounts_by_id, compare_with_id);
  return found != NULL ? (*found)->account
                       : (struct wsp_account){.id = id, .type = WSP_ACCOUNT_API_KEY};
}

const char *scn_world_conn(struct scn_world *world, const char *name) {
  if (name == NULL) {
    return NULL;
  }
  const struct scn_operation *operation = scn_operations_find(world->operations, name);
  if (operation != NULL && operation->record.conn != NULL) {
    return operation->record.conn;
  }
  if (operation == NULL && !scn_label_exists(world->scenario, name)) {
    return name;
  }
  struct scn_lines text = {.arena = world->arena};
  scn_lines_add(&text, "(no conn of %s)", name);
  return text.data == NULL ? "(no conn)" : text.data;
}
