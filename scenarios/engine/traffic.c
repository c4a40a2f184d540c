/*
 * traffic.c - the traffic of a scenario's `load`.
 */
#include "scenarios/engine/traffic.h"

#include <string.h>

#include "scenarios/engine/arrivals.h"
#include "scenarios/engine/labels.h"
#include "scenarios/engine/leases.h"

struct scn_traffic {
  struct scn_world *world;
  const struct scn_load *load;
  struct scn_arrivals arrivals;
  wsp_time next;
  uint64_t started; /* acquires */
  struct sim_random hold_random, session_random;
  size_t hold_cursor, turns_cursor, think_cursor;
};

/* One caller that comes back some times. */
struct session {
  struct scn_traffic *run;
  int64_t turns_left;
  struct scn_operation *turn; /* the current or last one */
  struct sim_entry entry;     /* the next turn, while it thinks */
};

struct scn_traffic *scn_traffic_create(struct scn_world *world, size_t index) {
  struct scn_traffic *run = sim_arena_zeroed(world->arena, sizeof *run);
  if (run == NULL) {
    return NULL;
  }
  uint64_t seed = world->variant->seed;
  run->world = world;
  run->load = &world->scenario->loads[index];
  scn_arrivals_init(&run->arrivals, run->load, seed, index);
  sim_random_init(&run->hold_random, seed, "load-hold", index);
  sim_random_init(&run->session_random, seed, "load-session", index);
  run->next = scn_arrivals_next(&run->arrivals);
  return run;
}

wsp_time scn_traffic_next(const struct scn_traffic *run) {
  return run->next;
}

static void turn_is_over(void *context);

static void take_turn(struct session *session) {
  struct scn_traffic *run = session->run;
  const struct scn_load *load = run->load;
  struct scn_world *world = run->world;
  size_t label_size = strlen(load->label) + 32;
  char *label = sim_arena_allocate(world->arena, label_size);
  if (label == NULL) {
    scn_world_break(world, NULL, "out of memory for the labels of a load");
    return;
  }
  scn_label_numbered(label, label_size, load->label, ++run->started);
  struct scn_acquire acquire = {
      .label = label,
      .request = {.account = scn_world_account(world, load->account),
                  .url = load->url,
                  .proxy = load->proxy,
                  .headers = load->headers,
                  .header_count = load->header_count,
                  .force_new_conn = load->force_new_conn},
      .timeout = load->timeout,
      .has_hold = true,
      .hold = sim_distribution_draw(&load->hold, &run->hold_random, &run->hold_cursor),
      .over = turn_is_over,
      .over_context = session,
  };
  const char *conn = session->turn == NULL ? NULL : session->turn->record.conn;
  if (conn != NULL && load->affinity != SCN_AFFINITY_NONE) {
    acquire.request.preferred_conn = conn;
    acquire.request.force_preferred_conn = load->affinity == SCN_AFFINITY_STRICT;
  }
  session->turns_left--;
  /* An acquire that fails at once may be the end of the session. */
  bool is_last = session->turns_left <= 0;
  struct scn_operation *turn = scn_acquire_start(world, &acquire);
  if (!is_last) {
    session->turn = turn;
  }
  sim_arena_release(world->arena, label, label_size);
}

static void has_thought(void *context, wsp_time now) {
  struct session *session = context;
  struct scn_world *world = session->run->world;
  (void)now;
  if (world->gives_back) {
    sim_arena_release(world->arena, session, sizeof *session);
  } else {
    take_turn(session);
  }
}

static void turn_is_over(void *context) {
  struct session *session = context;
  struct scn_traffic *run = session->run;
  struct scn_world *world = run->world;
  if (session->turns_left <= 0 || world->gives_back) {
    sim_arena_release(world->arena, session, sizeof *session);
    return;
  }
  wsp_duration think =
      sim_distribution_draw(&run->load->think, &run->session_random, &run->think_cursor);
  wsp_time at = scn_time_after(world->now, think);
  if (world->horizon < at) {
    world->horizon = at;
  }
  if (!sim_queue_add(world->queue, &session->entry, at, has_thought, session, false)) {
    scn_world_break(world, NULL, "out of memory for the sessions of a load");
  }
}

void scn_traffic_arrive(struct scn_traffic *run) {
  struct scn_world *world = run->world;
  run->next = scn_arrivals_next(&run->arrivals);
  struct session *session = sim_arena_zeroed(world->arena, sizeof *session);
  if (session == NULL) {
    scn_world_break(world, NULL, "out of memory for the sessions of a load");
    return;
  }
  session->run = run;
  session->turns_left = 1;
  if (run->load->has_session) {
    int64_t turns =
        sim_distribution_draw(&run->load->turns, &run->session_random, &run->turns_cursor);
    session->turns_left = turns < 1 ? 1 : turns;
  }
  take_turn(session);
}

const struct scn_operation *scn_scheduled_turn(const struct sim_entry *entry) {
  if (entry->action != has_thought) {
    return NULL;
  }
  const struct session *session = entry->context;
  return session->turn;
}

/* ---- For a search -------------------------------------------------------------------------- */

static void add_random(struct wsp_digest *digest, const struct sim_random *random) {
  for (size_t word = 0; word < 4; word++) {
    wsp_digest_add(digest, random->state[word]);
  }
}

void scn_traffic_digest(const struct scn_traffic *run, struct wsp_digest *digest) {
  wsp_digest_add(digest, (uint64_t)run->next);
  wsp_digest_add(digest, run->started);
  wsp_digest_add(digest, run->arrivals.number);
  wsp_digest_add(digest, run->arrivals.passed);
  wsp_digest_add(digest, (uint64_t)run->arrivals.last);
  wsp_digest_add(digest, (uint64_t)run->arrivals.gap);
  add_random(digest, &run->arrivals.random);
  add_random(digest, &run->hold_random);
  add_random(digest, &run->session_random);
  wsp_digest_add(digest, run->hold_cursor);
  wsp_digest_add(digest, run->turns_cursor);
  wsp_digest_add(digest, run->think_cursor);
}

static void add_session(struct wsp_digest *digest, const struct session *session) {
  wsp_digest_add_text(digest, session->run->load->label);
  wsp_digest_add(digest, (uint64_t)session->turns_left);
  wsp_digest_add_text(digest, session->turn == NULL ? NULL : session->turn->record.label);
}

void scn_session_digest(const struct scn_operation *operation, struct wsp_digest *digest) {
  if (operation->over == turn_is_over) {
    add_session(digest, operation->over_context);
  }
}

bool scn_turn_digest(const struct sim_entry *entry, struct wsp_digest *digest) {
  if (entry->action != has_thought) {
    return false;
  }
  add_session(digest, entry->context);
  return true;
}
