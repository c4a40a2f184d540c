/*
 * load_step.c - steps in general: one operation each, and when.
 *
 * What an operation's argument says is read in load_operation.c.
 */
#include <string.h>

#include "scenarios/engine/load_internal.h"
#include "scenarios/engine/steps.h"
#include "sim/duration.h"

static const char *step_name(const void *context, size_t index) {
  (void)context;
  return index < SCN_STEP_KIND_COUNT ? scn_step_kind_name((enum scn_step_kind)index) : NULL;
}

static const struct load_names names = {step_name, NULL};

/* What is found in a step before its operation is read. */
struct parts {
  const struct scn_json_value *operation; /* the first */
  const struct scn_json_value *at, *after;
  bool timed; /* it may have a time */
};

/* The label of an operation that is not read, so that those who name it are not accused too. */
static void define_stray(struct scn_loader *loader, const struct scn_json_value *value) {
  const struct scn_json_value *as = scn_json_find(value, "as");
  if (as != NULL && as->kind == SCN_JSON_STRING && !as->broken) {
    struct load_label label = {.name = as->string,
                               .position = as->position,
                               .kind = "acquire",
                               .repeats = scn_json_find(value, "repeat") != NULL,
                               .count = LOAD_ACQUIRE_LIMIT,
                               .order = loader->reading_order};
    scn_load_label_define(loader, &label);
  }
}

static void take_operation(struct scn_loader *loader, const struct scn_json_value *value,
                           void *target) {
  struct parts *parts = target;
  if (parts->operation == NULL) {
    parts->operation = value;
    return;
  }
  scn_load_error(
      loader, value->key_position,
      "expected one operation in a step, found \"%s\" beside \"%s\"; write a step for each, "
      "or \"together\"",
      value->key, parts->operation->key);
  define_stray(loader, value);
}

static void take_time(struct scn_loader *loader, const struct scn_json_value *value, void *target) {
  struct parts *parts = target;
  const struct scn_json_value **place = strcmp(value->key, "at") == 0 ? &parts->at : &parts->after;
  if (!parts->timed) {
    scn_load_error(loader, value->key_position,
                   "expected no time in a step of \"together\", found \"%s\"; it gives "
                   "the time of all",
                   value->key);
    return;
  }
  *place = value;
  const struct scn_json_value *other = place == &parts->at ? parts->after : parts->at;
  if (other != NULL) {
    scn_load_error(loader, value->key_position,
                   "expected \"at\" or \"after\", found both in one step");
  }
}

static const struct load_field step_fields[] = {{"at", take_time, 0},
                                                {"after", take_time, 0},
#define FIELD(id, name) {name, take_operation, 0},
                                                SCN_STEP_LIST(FIELD)
#undef FIELD
};
LOAD_SHAPE(step_shape, "a step", step_fields);

static void read_at(struct scn_loader *loader, const struct scn_json_value *value,
                    struct scn_step *step) {
  wsp_time at = 0;
  if (!scn_load_duration(loader, value, &at)) {
    return;
  }
  if (at < loader->previous_at) {
    char previous[SIM_DURATION_TEXT_SIZE];
    sim_duration_format(loader->previous_at, previous);
    scn_load_error(loader, value->position,
                   "%sexpected a time not before %s, that of the step before (line %d), found %s",
                   scn_load_where(loader, value), previous, loader->previous_position.line,
                   scn_load_found(loader, value));
    return;
  }
  step->at = at;
}

static void read_after(struct scn_loader *loader, const struct scn_json_value *value,
                       struct scn_step *step) {
  wsp_duration after = 0;
  if (!scn_load_duration(loader, value, &after)) {
    return;
  }
  if (after > LOAD_TIME_LIMIT - loader->after_from) {
    scn_load_expected_hint(loader, value, "a time of at most 73 years after the start",
                           " after that of the step before");
    return;
  }
  step->at = loader->after_from + after;
}

static void refuse_jump(struct scn_loader *loader, const struct scn_json_value *value) {
  scn_load_error(
      loader, value->position,
      "expected jumps of the clock of at most 73 years in all, found more with this one");
}

/* One step, of the list or of `together`. */
static void read_step(struct scn_loader *loader, const struct scn_json_value *value, bool member,
                      struct scn_step *step) {
  struct parts parts = {.timed = !member};
  step->index = loader->step_index++;
  step->position = value->position;
  step->at = member ? loader->previous_at : loader->after_from;
  loader->reading_order = step->index + 1;
  if (!scn_load_object(loader, value, &step_shape, &parts)) {
    return;
  }
  if (parts.at != NULL) {
    read_at(loader, parts.at, step);
  } else if (parts.after != NULL) {
    read_after(loader, parts.after, step);
  }
  loader->previous_at = step->at;
  loader->previous_position = step->position;
  if (!member) {
    loader->after_from = step->at;
  }
  if (parts.operation == NULL) {
    bool said = value->count > (size_t)(parts.at != NULL) + (parts.after != NULL);
    if (!said) { /* else a key that is no operation has been refused */
      scn_load_error(loader, value->position, "expected one operation in a step (%s), found none",
                     scn_load_names_text(loader, names));
    }
    for (const struct scn_json_value *stray = value->first; stray != NULL; stray = stray->next) {
      define_stray(loader, stray);
    }
    return;
  }
  step->kind = (enum scn_step_kind)scn_load_name_find(names, parts.operation->key);
  if (member && step->kind == SCN_TOGETHER) {
    scn_load_error(
        loader, parts.operation->key_position,
        "expected an operation that can happen together with others, found \"%s\"; write it "
        "as a step of its own",
        parts.operation->key);
    return;
  }
  scn_load_operation(loader, parts.operation, step);
  if (step->kind == SCN_CLOCK_JUMP) {
    /* What comes "after" a jump comes after the time that it jumps to. */
    wsp_duration rest = LOAD_TIME_LIMIT - loader->after_from;
    loader->after_from += step->by < rest ? step->by : rest;
    if (step->by > LOAD_TIME_LIMIT - loader->jumped) {
      refuse_jump(loader, parts.operation);
      return;
    }
    loader->jumped += step->by;
  }
}

static const struct scn_step *read_steps(struct scn_loader *loader,
                                         const struct scn_json_value *value, bool members,
                                         size_t *count) {
  if (loader->step_index + value->count > LOAD_STEP_LIMIT) {
    scn_load_error(loader, value->position, "%sexpected at most %d steps in all, found %zu",
                   scn_load_where(loader, value), LOAD_STEP_LIMIT,
                   loader->step_index + value->count);
    return NULL;
  }
  struct scn_step *steps = scn_memory_take(loader->memory, value->count, sizeof *steps);
  if (steps == NULL) {
    return NULL;
  }
  *count = value->count;
  size_t i = 0;
  for (const struct scn_json_value *item = value->first; item != NULL; item = item->next) {
    read_step(loader, item, members, &steps[i++]);
  }
  return steps;
}

void scn_load_together(struct scn_loader *loader, const struct scn_json_value *value,
                       struct scn_step *step) {
  if (!scn_load_is(loader, value, SCN_JSON_LIST, "a list of steps")) {
    return;
  }
  if (value->count == 0) {
    scn_load_expected(loader, value, "at least one step");
    return;
  }
  struct scn_position position = loader->previous_position;
  step->steps = read_steps(loader, value, true, &step->step_count);
  loader->previous_position = position;
}

void scn_load_steps(struct scn_loader *loader, const struct scn_json_value *value) {
  if (!scn_load_is(loader, value, SCN_JSON_LIST, "a list of steps")) {
    return;
  }
  loader->scenario->steps = read_steps(loader, value, false, &loader->scenario->step_count);
}
