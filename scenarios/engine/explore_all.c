/*
 * explore_all.c - goes through all orders of a scenario, depth first.
 *
 * At each choice it keeps a snapshot, and comes back to it for each alternative. A state that it
 * has met before (digest.h) is not gone into again: all that can follow has followed, and the
 * number of orders that it stands for is known by then. A state that is met again on the way to
 * itself is gone into, until the instant is stopped at the limit of its turns.
 *
 * Limits: a scenario so long, or so large, that the places on the way to its end take more than
 * MOST_PLACE_BYTES is explored up to there; behind that, insertion order is all.
 *
 * Checked, it goes into every state, and compares what follows with what followed the first time:
 * the number of orders, and all states that they end in.
 */
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/explore_parts.h"

/* What places may take; deeper choices of a run are not come back to. */
#define MOST_PLACE_BYTES ((size_t)512 << 20)

/* The most that a database can hold. */
#define MOST_ORDERS ((uint64_t)INT64_MAX)

/* What follows a state: how many orders, and the states in which they end. */
struct outcome {
  uint64_t orders;
  struct wsp_digest ends;
};

/* A choice on the way to the current run. */
struct branch {
  struct scn_place place;
  size_t bytes;
  size_t next; /* the alternative to take next */
  size_t count;
  struct wsp_digest state;
  bool has_state; /* of which it is the first, or checked against the first */
  struct outcome outcome;
};

/* Behind `count` lie branches that were left, whose memory waits to be used again. */
struct path {
  struct branch *items;
  size_t count;
  size_t capacity;
  size_t bytes;           /* of the places up to `count` */
  bool is_cut;            /* some choice was too deep */
  struct outcome outcome; /* of the start */
};

static void path_deinit(struct path *path) {
  for (size_t i = 0; i < path->capacity; i++) {
    sim_snapshot_destroy(path->items[i].place.snapshot);
  }
  free(path->items);
}

static struct branch *add_branch(struct scn_search *search, struct path *path) {
  if (path->count == path->capacity) {
    size_t capacity = path->capacity == 0 ? 64 : 2 * path->capacity;
    struct branch *items = realloc(path->items, capacity * sizeof *items);
    if (items == NULL) {
      search->no_memory = true;
      return NULL;
    }
    memset(items + path->capacity, 0, (capacity - path->capacity) * sizeof *items);
    path->items = items;
    path->capacity = capacity;
  }
  return &path->items[path->count++];
}

/* ---- What follows a state -------------------------------------------------------------------- */

static void add_outcome(struct outcome *sum, const struct outcome *part) {
  sum->orders = part->orders > MOST_ORDERS - sum->orders ? MOST_ORDERS : sum->orders + part->orders;
  sum->ends.words[0] += part->ends.words[0];
  sum->ends.words[1] += part->ends.words[1];
}

static struct outcome *outcome_of_last(struct path *path) {
  return path->count == 0 ? &path->outcome : &path->items[path->count - 1].outcome;
}

/* One number for an outcome, which is not 0: the orders, or what a check compares. */
static uint64_t number_of(const struct scn_search *search, const struct outcome *outcome) {
  if (search->options->pruning != SCN_PRUNING_CHECKED) {
    return outcome->orders;
  }
  struct wsp_digest digest = outcome->ends;
  wsp_digest_add(&digest, outcome->orders);
  return wsp_digest_end(digest).words[0] | 1;
}

static struct scn_key key_of(struct wsp_digest state) {
  return (struct scn_key){{state.words[0], state.words[1]}};
}

static bool digest_of_world(struct scn_search *search, struct wsp_digest *state) {
  return search->options->pruning != SCN_NO_PRUNING &&
         scn_world_digest(search->world, &search->sight, search->seen_so_far, state);
}

/* Everything that follows the state has followed. False: not what followed the first time. */
static bool close_state(struct scn_search *search, const struct path *path,
                        struct wsp_digest state, const struct outcome *outcome) {
  bool is_new;
  uint64_t number = number_of(search, outcome);
  struct scn_seen_entry *entry = scn_seen_put(&search->states, key_of(state), &is_new);
  if (entry == NULL) {
    return true;
  }
  search->differs |= !path->is_cut && entry->number != 0 && entry->number != number;
  entry->number = number;
  return !search->differs;
}

enum met { MET_NEVER, MET_AND_LEFT, MET_ON_THE_WAY };

/* Whether the state has been met; its orders, when it has been left. */
static enum met meet(struct scn_search *search, struct wsp_digest state, uint64_t *orders) {
  bool is_new;
  struct scn_seen_entry *entry = scn_seen_put(&search->states, key_of(state), &is_new);
  if (is_new) {
    return MET_NEVER;
  }
  *orders = entry->number;
  return entry->number == 0 ? MET_ON_THE_WAY : MET_AND_LEFT;
}

/* ---- Down and up ----------------------------------------------------------------------------- */

/* The run is over. False: the search is. */
static bool end_run(struct scn_search *search, struct path *path) {
  struct wsp_digest state;
  uint64_t orders;
  bool has_state = digest_of_world(search, &state);
  struct outcome outcome = {.orders = 1};
  if (has_state && search->options->pruning == SCN_PRUNING &&
      meet(search, state, &orders) != MET_NEVER) {
    add_outcome(outcome_of_last(path), &outcome);
    return true;
  }
  search->told->schedules++;
  bool go_on = scn_search_judge(search, search->world);
  if (has_state) {
    struct wsp_digest end = state;
    wsp_digest_add(&end, (uint64_t)search->verdict);
    wsp_digest_join(&outcome.ends, end);
    go_on = close_state(search, path, state, &outcome) && go_on;
  }
  add_outcome(outcome_of_last(path), &outcome);
  return go_on;
}

/* Carries the run to its end, or to a state that was met before, taking the first alternative of
 * each new choice and keeping a place at each. False: the search is over. */
static bool descend(struct scn_search *search, struct path *path) {
  struct scn_turn turns[SCN_MOST_TURNS];
  size_t count;
  while ((count = scn_run_to_choice(search->world, turns)) > 0) {
    size_t bytes = sim_arena_used(search->world->arena);
    if (path->bytes + bytes > MOST_PLACE_BYTES) {
      path->is_cut = true;
      scn_run_choose(search->world, turns, count, 0);
      continue;
    }
    struct outcome outcome = {0};
    struct wsp_digest state = {{0, 0}};
    bool has_state = digest_of_world(search, &state);
    enum met met = has_state ? meet(search, state, &outcome.orders) : MET_NEVER;
    if (met == MET_AND_LEFT && search->options->pruning == SCN_PRUNING) {
      add_outcome(outcome_of_last(path), &outcome);
      return true;
    }
    search->told->states += has_state && met == MET_NEVER;
    struct branch *branch = add_branch(search, path);
    if (branch == NULL || !scn_search_keep(search, search->world, &branch->place)) {
      return false;
    }
    branch->bytes = bytes;
    path->bytes += bytes;
    branch->count = count;
    branch->next = 1;
    branch->state = state;
    branch->has_state = has_state && met != MET_ON_THE_WAY;
    branch->outcome = (struct outcome){0};
    scn_run_choose(search->world, turns, count, 0);
  }
  return end_run(search, path);
}

/* Goes back to the last choice that has an alternative left and takes it. False: there is none, or
 * the search is over. */
static bool take_next(struct scn_search *search, struct path *path) {
  while (path->count > 0 &&
         path->items[path->count - 1].next == path->items[path->count - 1].count) {
    struct branch *branch = &path->items[--path->count];
    path->bytes -= branch->bytes;
    if (branch->has_state && !close_state(search, path, branch->state, &branch->outcome)) {
      return false;
    }
    add_outcome(outcome_of_last(path), &branch->outcome);
  }
  if (path->count == 0) {
    return false;
  }
  struct branch *branch = &path->items[path->count - 1];
  struct scn_turn turns[SCN_MOST_TURNS];
  scn_search_return(search, &branch->place);
  scn_runner_attempt(search->runner)->number++;
  size_t count = scn_turns_list(search->world, turns);
  scn_run_choose(search->world, turns, count, branch->next++);
  return true;
}

static bool prepare(struct scn_search *search) {
  search->seen_so_far = sim_arena_zeroed(search->world->arena, sizeof *search->seen_so_far);
  return search->seen_so_far != NULL && scn_sight_init(&search->sight, search->scenario) &&
         scn_search_keep(search, search->world, &search->start);
}

void scn_search_all(struct scn_search *search) {
  struct path path = {0};
  struct scn_place *since = &search->start;
  bool go_on = prepare(search);
  search->no_memory |= !go_on;
  while (go_on && search->told->runs < search->options->runs) {
    search->told->runs++;
    go_on = descend(search, &path);
    scn_search_count_events(search, since);
    if (go_on && !take_next(search, &path)) {
      search->told->complete = !search->differs && !path.is_cut;
      go_on = false;
    }
    since = path.count == 0 ? &search->start : &path.items[path.count - 1].place;
  }
  for (; path.count > 0; path.count--) {
    add_outcome(path.count == 1 ? &path.outcome : &path.items[path.count - 2].outcome,
                &path.items[path.count - 1].outcome);
  }
  search->told->orders = path.outcome.orders;
  path_deinit(&path);
  scn_sight_deinit(&search->sight);
  scn_seen_deinit(&search->states);
}
