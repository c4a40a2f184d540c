/*
 * agenda.c - steps, repetitions and arrivals in their order.
 */
#include "scenarios/engine/agenda.h"

#include <assert.h>
#include <string.h>

#include "scenarios/engine/steps.h"
#include "scenarios/engine/traffic.h"

/* A step of which repetitions are to come. */
struct repeater {
  const struct scn_step *step;
  int64_t repetition; /* the next one, from 2 */
  wsp_time at;
};

enum source { FROM_NOTHING, FROM_STEPS, FROM_REPEATERS, FROM_LOADS };

struct scn_agenda {
  size_t next_step;
  struct repeater *repeaters;
  size_t repeater_count;
  size_t repeater_capacity;
  struct scn_traffic **loads; /* one for each load of the scenario */
  wsp_time last;

  /* What comes next, found anew after each change. */
  enum source source;
  size_t number; /* of the repeater or the load */
  wsp_time at;
};

static void find_next(struct scn_world *world) {
  struct scn_agenda *agenda = world->agenda;
  const struct scn_scenario *scenario = world->scenario;
  agenda->source = FROM_NOTHING;
  agenda->at = WSP_TIME_NEVER;
  size_t index = 0;
  if (agenda->next_step < scenario->step_count) {
    agenda->source = FROM_STEPS;
    agenda->at = scenario->steps[agenda->next_step].at;
    index = scenario->steps[agenda->next_step].index;
  }
  for (size_t i = 0; i < agenda->repeater_count; i++) {
    const struct repeater *repeater = &agenda->repeaters[i];
    if (agenda->source == FROM_NOTHING || repeater->at < agenda->at ||
        (repeater->at == agenda->at && repeater->step->index < index)) {
      agenda->source = FROM_REPEATERS;
      agenda->number = i;
      agenda->at = repeater->at;
      index = repeater->step->index;
    }
  }
  for (size_t i = 0; i < scenario->load_count; i++) {
    wsp_time at = scn_traffic_next(agenda->loads[i]);
    if (at < agenda->at) {
      agenda->source = FROM_LOADS;
      agenda->number = i;
      agenda->at = at;
    }
  }
}

static bool create_loads(struct scn_world *world) {
  size_t count = world->scenario->load_count;
  if (count == 0) {
    return true;
  }
  struct scn_traffic **loads = sim_arena_allocate(world->arena, count * sizeof *loads);
  for (size_t i = 0; loads != NULL && i < count; i++) {
    loads[i] = scn_traffic_create(world, i);
    if (loads[i] == NULL) {
      return false;
    }
    /* A load is over when its time is, not when its last arrival happens to come. */
    if (world->agenda->last < world->scenario->loads[i].duration) {
      world->agenda->last = world->scenario->loads[i].duration;
    }
  }
  world->agenda->loads = loads;
  return loads != NULL;
}

struct scn_agenda *scn_agenda_create(struct scn_world *world) {
  struct scn_agenda *agenda = sim_arena_zeroed(world->arena, sizeof *agenda);
  if (agenda == NULL) {
    return NULL;
  }
  world->agenda = agenda;
  if (!create_loads(world)) {
    return NULL;
  }
  find_next(world);
  return agenda;
}

wsp_time scn_agenda_next(const struct scn_world *world) {
  return world->agenda->source == FROM_NOTHING ? WSP_TIME_NEVER : world->agenda->at;
}

wsp_time scn_agenda_last(const struct scn_world *world) {
  return world->agenda->last;
}

static bool add_repeater(struct scn_world *world, const struct scn_step *step) {
  struct scn_agenda *agenda = world->agenda;
  if (agenda->repeater_count == agenda->repeater_capacity) {
    size_t capacity = agenda->repeater_capacity == 0 ? 8 : 2 * agenda->repeater_capacity;
    struct repeater *repeaters = sim_arena_allocate(world->arena, capacity * sizeof *repeaters);
    if (repeaters == NULL) {
      scn_world_break(world, step, "out of memory for repetitions");
      return false;
    }
    if (agenda->repeater_count > 0) {
      memcpy(repeaters, agenda->repeaters, agenda->repeater_count * sizeof *repeaters);
    }
    sim_arena_release(world->arena, agenda->repeaters,
                      agenda->repeater_capacity * sizeof *repeaters);
    agenda->repeaters = repeaters;
    agenda->repeater_capacity = capacity;
  }
  agenda->repeaters[agenda->repeater_count++] =
      (struct repeater){.step = step, .repetition = 2, .at = scn_time_after(step->at, step->every)};
  return true;
}

static void repeat(struct scn_world *world, size_t number) {
  struct scn_agenda *agenda = world->agenda;
  struct repeater *repeater = &agenda->repeaters[number];
  const struct scn_step *step = repeater->step;
  int64_t repetition = repeater->repetition;
  if (repetition == step->repeat) {
    agenda->repeater_count--;
    memmove(repeater, repeater + 1, (agenda->repeater_count - number) * sizeof *repeater);
  } else {
    repeater->repetition++;
    repeater->at = scn_time_after(repeater->at, step->every);
  }
  scn_step_perform(world, step, repetition);
}

void scn_agenda_begin(struct scn_world *world, const struct scn_step *step) {
  scn_step_perform(world, step, step->repeats ? 1 : 0);
  if (step->repeats && step->repeat > 1) {
    add_repeater(world, step);
  }
}

void scn_agenda_perform(struct scn_world *world) {
  struct scn_agenda *agenda = world->agenda;
  assert(agenda->source != FROM_NOTHING);
  switch (agenda->source) {
    case FROM_STEPS:
      scn_agenda_begin(world, &world->scenario->steps[agenda->next_step++]);
      break;
    case FROM_REPEATERS:
      repeat(world, agenda->number);
      break;
    default:
      scn_traffic_arrive(agenda->loads[agenda->number]);
      break;
  }
  if (agenda->last < world->now) {
    agenda->last = world->now;
  }
  find_next(world);
}
