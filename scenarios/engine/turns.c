/*
 * turns.c - lists and takes what can be done next at one instant.
 */
#include "scenarios/engine/turns.h"

#include "scenarios/engine/agenda.h"
#include "scenarios/engine/invariants.h"
#include "sim/duration.h"

/* More than this at one instant is a loop that never lets time pass. */
enum { MOST_TURNS_AT_ONCE = 1000000 };

/* Keys of turns that are no entries of the queue, whose keys count from 0. */
#define KEY_OF_POOL UINT64_MAX
#define KEY_OF_AGENDA (UINT64_C(1) << 63)

size_t scn_turns_list(const struct scn_world *world, struct scn_turn turns[SCN_MOST_TURNS]) {
  size_t count = scn_agenda_members(world, turns);
  if (count > 0) {
    return count; /* nothing comes in between the members of a `together` */
  }
  struct sim_entry *entries[SCN_MOST_TURNS - 2];
  size_t due = sim_queue_due(world->queue, world->now, entries, SCN_MOST_TURNS - 2);
  for (size_t i = 0; i < due; i++) {
    turns[count++] = (struct scn_turn){.kind = SCN_TURN_ENTRY, .entry = entries[i]};
  }
  if (world->pool_calls->next_deadline(world->pool) <= world->now) {
    turns[count++] = (struct scn_turn){.kind = SCN_TURN_POOL};
  }
  if (scn_agenda_next(world) <= world->now && (count == 0 || scn_agenda_is_free(world))) {
    turns[count++] = (struct scn_turn){.kind = SCN_TURN_AGENDA};
  }
  return count;
}

/* Sees to it that a run ends which would never leave this instant, or find room in its timeline. */
static void count_turn(struct scn_world *world) {
  if (sim_trace_full(world->trace)) {
    scn_world_break(world, NULL,
                    "the timeline is full: the scenario makes more events than a run can keep; "
                    "shorten it or split its load");
  }
  if (world->turns_at_once++ < MOST_TURNS_AT_ONCE) {
    return;
  }
  char at[SIM_DURATION_TEXT_SIZE];
  sim_duration_format(world->now, at);
  scn_lines_add(&world->failure,
                "%s: hang: %d things happened at %s and the instant did not come to rest; "
                "expected that time goes on\n",
                world->scenario->path, MOST_TURNS_AT_ONCE, at);
  world->hangs = true;
}

static void take_entry(struct scn_world *world, struct sim_entry *entry) {
  entry->action(entry->context, world->now);
  count_turn(world);
}

static void take_pool(struct scn_world *world) {
  world->pool_calls->advance(world->pool, world->now);
  count_turn(world);
}

static void take_agenda(struct scn_world *world) {
  world->turns_at_once = 0; /* the file has a limited number of them */
  scn_agenda_perform(world);
}

void scn_turn_take(struct scn_world *world, const struct scn_turn *turn) {
  switch (turn->kind) {
    case SCN_TURN_ENTRY:
      sim_queue_remove(world->queue, turn->entry);
      take_entry(world, turn->entry);
      break;
    case SCN_TURN_POOL:
      take_pool(world);
      break;
    case SCN_TURN_AGENDA:
      take_agenda(world);
      break;
    case SCN_TURN_MEMBER:
      scn_agenda_perform_member(world, turn->member);
      break;
  }
  scn_invariants_follow(world);
}

bool scn_turn_take_first(struct scn_world *world) {
  struct sim_entry *entry = sim_queue_pop(world->queue, world->now);
  if (entry != NULL) {
    take_entry(world, entry);
  } else if (world->pool_calls->next_deadline(world->pool) <= world->now) {
    take_pool(world);
  } else if (scn_agenda_next(world) <= world->now) {
    take_agenda(world);
  } else {
    return false;
  }
  scn_invariants_follow(world);
  return true;
}

uint64_t scn_turn_key(const struct scn_world *world, const struct scn_turn *turn) {
  switch (turn->kind) {
    case SCN_TURN_ENTRY:
      return turn->entry->due.order;
    case SCN_TURN_POOL:
      return KEY_OF_POOL;
    default:
      return KEY_OF_AGENDA + scn_agenda_number(world) + turn->member;
  }
}
