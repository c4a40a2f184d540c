/*
 * digest.c - takes the state of a run together. What is in and what is not: digest.h.
 */
#include "scenarios/engine/digest.h"

#include "fakes/digest.h"
#include "scenarios/engine/agenda.h"
#include "scenarios/engine/leases.h"
#include "scenarios/engine/traffic.h"
#include "sim/watch.h"

#define ADD(digest, value) wsp_digest_add(digest, (uint64_t)(value))

static uint64_t name_of_tag(void *context, uint64_t tag) {
  return sim_trace_string_hash(context, (sim_string)tag);
}

/* ---- Operations ---------------------------------------------------------------------------- */

static bool is_over(const struct scn_operation *operation) {
  if (operation->record.ended_ns < 0) {
    return false;
  }
  return operation->record.reused < 0 || operation->released_ns >= 0;
}

static void add_record(struct wsp_digest *digest, const struct rep_op *record) {
  ADD(digest, record->kind);
  ADD(digest, record->account);
  ADD(digest, record->started_ns);
  ADD(digest, record->ended_ns);
  wsp_digest_add_text(digest, record->result);
  wsp_digest_add_text(digest, record->error_text);
  ADD(digest, record->status);
  wsp_digest_add_text(digest, record->conn);
  ADD(digest, record->reused);
  ADD(digest, record->queue_wait_ns);
  ADD(digest, record->conn_pick_ns);
}

static struct wsp_digest digest_of_operation(const struct scn_world *world,
                                             const struct scn_operation *operation) {
  struct wsp_digest digest = {{0, 0}};
  ADD(&digest, name_of_tag(world->trace, operation->tag));
  add_record(&digest, &operation->record);
  ADD(&digest, operation->handle.pool != NULL);
  ADD(&digest, wsp_digest_of_lease(operation->lease));
  ADD(&digest, operation->prewarmed);
  wsp_digest_add_text(&digest, operation->message);
  wsp_digest_add_text(&digest, operation->cause);
  ADD(&digest, operation->header_count);
  for (size_t i = 0; i < operation->header_count; i++) {
    wsp_digest_add_text(&digest, operation->headers[i].name);
    wsp_digest_add_text(&digest, operation->headers[i].value);
  }
  ADD(&digest, operation->released_ns);
  ADD(&digest, operation->has_hold ? operation->hold_ns : -1);
  ADD(&digest, operation->hold_entry.due.position == 0 ? -1 : operation->hold_entry.due.at);
  if (!is_over(operation)) {
    scn_session_digest(operation, &digest);
  }
  return digest;
}

static void add_operations(const struct scn_world *world, struct wsp_digest *digest) {
  struct wsp_digest set = {{0, 0}};
  size_t count = scn_operations_count(world->operations);
  for (size_t i = 0; i < count; i++) {
    wsp_digest_join(&set, digest_of_operation(world, scn_operations_at(world->operations, i)));
  }
  wsp_digest_add_digest(digest, set);
}

/* ---- The queue ----------------------------------------------------------------------------- */

static bool add_entry(const struct sim_entry *entry, const struct wsp_digest_names *names,
                      struct wsp_digest *digest) {
  ADD(digest, entry->due.at);
  ADD(digest, entry->background);
  const struct scn_operation *released = scn_scheduled_release(entry);
  if (released != NULL) {
    return true; /* its time is with the operation */
  }
  return fake_entry_digest(entry, names, digest) || scn_turn_digest(entry, digest);
}

static bool add_queue(const struct scn_world *world, const struct wsp_digest_names *names,
                      struct wsp_digest *digest) {
  struct wsp_digest set = {{0, 0}};
  size_t count = sim_queue_count(world->queue);
  for (size_t i = 0; i < count; i++) {
    struct wsp_digest member = {{0, 0}};
    if (!add_entry(sim_queue_at(world->queue, i), names, &member)) {
      return false;
    }
    wsp_digest_join(&set, member);
  }
  wsp_digest_add_digest(digest, set);
  return true;
}

/* ---- What has been judged, and will be ------------------------------------------------------- */

static void add_judged(const struct scn_world *world, struct wsp_digest *digest) {
  ADD(digest, world->expectations_failed);
  for (size_t i = 0; world->expectations_failed > 0 && i < world->expectations.count; i++) {
    const struct rep_expectation *row = &world->expectations.items[i];
    if (!row->passed) {
      wsp_digest_add_text(digest, row->text);
      wsp_digest_add_text(digest, row->actual);
      wsp_digest_add_text(digest, row->missed);
    }
  }
  ADD(digest, world->violations_found);
  wsp_digest_add_text(digest, world->violations_found > 0 ? world->violations[0].invariant : NULL);
  ADD(digest, world->hangs | world->broken << 1 | world->unjudged << 2);
}

static void add_watch(const struct scn_world *world, const struct scn_sight *sight,
                      struct wsp_digest *digest) {
  int64_t queue_wait_ns;
  int64_t conn_pick_ns;
  wsp_digest_waits(world->pool, &queue_wait_ns, &conn_pick_ns);
  sim_watch_digest(world->watch, queue_wait_ns, conn_pick_ns, digest);
  if (sight->metrics) {
    struct wsp_metrics metrics;
    wsp_pool_metrics(world->pool, &metrics);
#define ADD_METRIC(name) ADD(digest, metrics.name);
    WSP_METRIC_LIST(ADD_METRIC)
#undef ADD_METRIC
    ADD(digest, queue_wait_ns);
    ADD(digest, conn_pick_ns);
  }
}

/* ---- The whole ------------------------------------------------------------------------------- */

bool scn_world_digest(const struct scn_world *world, const struct scn_sight *sight,
                      struct scn_seen_so_far *seen, struct wsp_digest *digest) {
  struct wsp_digest_names names = {
      .of_tag = name_of_tag, .context = world->trace, .serials = sight->serials};
  struct wsp_digest state = {{0, 0}};
  if (sight->everything || world->pool_calls != sim_pool_wspool() ||
      !add_queue(world, &names, &state)) {
    return false;
  }
  scn_sight_follow(sight, world->trace, seen);
  wsp_digest_add_digest(&state, seen->counted);
  wsp_digest_add_digest(&state, seen->ordered);
  wsp_digest_add_digest(&state, seen->leases);
  add_watch(world, sight, &state);
  add_judged(world, &state);
  ADD(&state, world->now);
  ADD(&state, world->pending);
  ADD(&state, world->last_progress);
  ADD(&state, world->horizon);
  ADD(&state, world->close_asked | world->close_done << 1);
  for (size_t word = 0; word < 4; word++) {
    ADD(&state, world->pool_random.state[word]);
  }
  scn_agenda_digest(world, &state);
  add_operations(world, &state);
  fake_world_digest(world->upstreams, sight->counters, &state);
  wsp_pool_digest(world->pool, &names, &state);
  *digest = wsp_digest_end(state);
  return true;
}
