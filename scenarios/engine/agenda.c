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
  uint64_t performed;

  /* A `together` whose members are done one by one. NULL: none. */
  const struct scn_step *together;
  uint64_t members_left; /* a bit for each */

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

static void has_performed(struct scn_world *world) {
  struct scn_agenda *agenda = world->agenda;
  agenda->performed++;
  if (agenda->last < world->now) {
    agenda->last = world->now;
  }
  find_next(world);
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
  has_performed(world);
}

const struct scn_step *scn_agenda_step(const struct scn_world *world, int64_t *repetition,
                                       const struct scn_load **load) {
  const struct scn_agenda *agenda = world->agenda;
  *repetition = 0;
  *load = NULL;
  switch (agenda->source) {
    case FROM_STEPS: {
      const struct scn_step *step = &world->scenario->steps[agenda->next_step];
      *repetition = step->repeats ? 1 : 0;
      return step;
    }
    case FROM_REPEATERS:
      *repetition = agenda->repeaters[agenda->number].repetition;
      return agenda->repeaters[agenda->number].step;
    case FROM_LOADS:
      *load = &world->scenario->loads[agenda->number];
      return NULL;
    default:
      return NULL;
  }
}

const struct scn_step *scn_agenda_member(const struct scn_world *world, size_t member) {
  return &world->agenda->together->steps[member];
}

uint64_t scn_agenda_number(const struct scn_world *world) {
  return world->agenda->performed;
}

/* ---- What may come before what -------------------------------------------------------------- */

/* Keeps its place among what happens at its moment. */
static bool is_fixed(const struct scn_step *step) {
  return step->kind == SCN_EXPECT || step->kind == SCN_CLOCK_JUMP || step->kind == SCN_UPSTREAM;
}

static bool is_pending(const struct scn_world *world, const char *label) {
  const struct scn_operation *operation = scn_operations_find(world->operations, label);
  return operation != NULL && operation->record.ended_ns < 0;
}

/* Who uses a lease waits for its acquire, and for what it asked of the lease before. */
static bool lease_is_busy(const struct scn_world *world, const char *lease) {
  if (is_pending(world, lease)) {
    return true;
  }
  for (size_t i = 0; i < scn_operations_count(world->operations); i++) {
    const struct scn_operation *operation = scn_operations_at(world->operations, i);
    if (operation->record.ended_ns < 0 && operation->step != NULL &&
        operation->step->target != NULL && strcmp(operation->step->target, lease) == 0) {
      return true;
    }
  }
  return false;
}

static bool is_free(const struct scn_world *world, const struct scn_step *step) {
  if (is_fixed(step) || is_pending(world, step->conn) ||
      (step->target != NULL && step->kind != SCN_CANCEL && lease_is_busy(world, step->target))) {
    return false;
  }
  for (size_t i = 0; i < step->step_count; i++) {
    if (!is_free(world, &step->steps[i])) {
      return false;
    }
  }
  return true;
}

bool scn_agenda_is_free(const struct scn_world *world) {
  const struct scn_agenda *agenda = world->agenda;
  switch (agenda->source) {
    case FROM_STEPS:
      return is_free(world, &world->scenario->steps[agenda->next_step]);
    case FROM_REPEATERS:
      return is_free(world, agenda->repeaters[agenda->number].step);
    default:
      return true;
  }
}

/* Whether `name` is `label`, or one of its repetitions. */
static bool names(const char *name, const char *label) {
  if (name == NULL || label == NULL) {
    return false;
  }
  size_t length = strlen(label);
  return strncmp(name, label, length) == 0 && (name[length] == '\0' || name[length] == '#');
}

/* Whether the member `later` of a `together` needs what `earlier`, which stands before it, does. */
static bool follows(const struct scn_step *later, const struct scn_step *earlier) {
  return is_fixed(later) || is_fixed(earlier) || later->step_count > 0 || earlier->step_count > 0 ||
         names(later->target, earlier->label) || names(later->conn, earlier->label) ||
         names(later->target, earlier->target) ||
         (earlier->kind == SCN_ADOPT && names(later->conn, earlier->conn));
}

/* ---- Members of a together ------------------------------------------------------------------ */

bool scn_agenda_open(struct scn_world *world, const struct scn_step *together) {
  struct scn_agenda *agenda = world->agenda;
  if (agenda->together != NULL || together->step_count == 0 ||
      together->step_count > SCN_MOST_TURNS) {
    return false;
  }
  agenda->together = together;
  agenda->members_left = UINT64_MAX >> (64 - together->step_count);
  return true;
}

static bool may_be_next(const struct scn_agenda *agenda, size_t member) {
  const struct scn_step *steps = agenda->together->steps;
  if ((agenda->members_left >> member & 1) == 0) {
    return false;
  }
  for (size_t i = 0; i < member; i++) {
    if ((agenda->members_left >> i & 1) != 0 && follows(&steps[member], &steps[i])) {
      return false;
    }
  }
  return true;
}

size_t scn_agenda_members(const struct scn_world *world, struct scn_turn turns[SCN_MOST_TURNS]) {
  const struct scn_agenda *agenda = world->agenda;
  size_t count = 0;
  for (size_t i = 0; agenda->together != NULL && i < agenda->together->step_count; i++) {
    if (may_be_next(agenda, i)) {
      turns[count++] = (struct scn_turn){.kind = SCN_TURN_MEMBER, .member = i};
    }
  }
  return count;
}

void scn_agenda_perform_member(struct scn_world *world, size_t member) {
  struct scn_agenda *agenda = world->agenda;
  const struct scn_step *step = &agenda->together->steps[member];
  agenda->members_left &= ~(UINT64_C(1) << member);
  if (agenda->members_left == 0) {
    agenda->together = NULL;
  }
  scn_step_perform_member(world, step);
  has_performed(world);
}

/* ---- For a search --------------------------------------------------------------------------- */

void scn_agenda_digest(const struct scn_world *world, struct wsp_digest *digest) {
  const struct scn_agenda *agenda = world->agenda;
  wsp_digest_add(digest, agenda->next_step);
  wsp_digest_add(digest, (uint64_t)agenda->last);
  wsp_digest_add(digest, agenda->together == NULL ? 0 : agenda->together->index + 1);
  wsp_digest_add(digest, agenda->together == NULL ? 0 : agenda->members_left);
  wsp_digest_add(digest, agenda->repeater_count);
  for (size_t i = 0; i < agenda->repeater_count; i++) {
    wsp_digest_add(digest, agenda->repeaters[i].step->index);
    wsp_digest_add(digest, (uint64_t)agenda->repeaters[i].repetition);
    wsp_digest_add(digest, (uint64_t)agenda->repeaters[i].at);
  }
  for (size_t i = 0; i < world->scenario->load_count; i++) {
    scn_traffic_digest(agenda->loads[i], digest);
  }
}
