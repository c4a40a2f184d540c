/*
 * shrink_load.c - writes the arrivals of loads as steps, each with the hold that it had.
 *
 * Limit: a turn of a session does not name the conn of the turn before it any more.
 */
#include <stdio.h>
#include <string.h>

#include "scenarios/engine/shrink.h"

/* The load of the label "NAME#7", and 7; NULL: none. `as` is its name, "load1" where it has none.
 */
static const cJSON *load_of(const cJSON *loads, const char *label) {
  size_t length = strcspn(label, "#");
  char made_up[32];
  int number = 1;
  const cJSON *load;
  cJSON_ArrayForEach(load, loads) {
    snprintf(made_up, sizeof made_up, "load%d", number++);
    const cJSON *as = cJSON_GetObjectItemCaseSensitive(load, "as");
    const char *name = as == NULL ? made_up : as->valuestring;
    if (label[length] == '#' && strlen(name) == length && memcmp(name, label, length) == 0) {
      return load;
    }
  }
  return NULL;
}

static bool add_duration(cJSON *object, const char *key, wsp_duration duration) {
  cJSON *node = cJSON_AddStringToObject(object, key, "");
  return node != NULL && scn_tree_set_duration(node, duration);
}

static cJSON *step_of(const cJSON *load, const struct scn_arrival *arrival) {
  static const char *const copied[] = {"account", "url",     "proxy",
                                       "headers", "timeout", "force_new_conn"};
  char label[sizeof arrival->label];
  memcpy(label, arrival->label, sizeof label);
  label[strcspn(label, "#")] = '-'; /* "load1#7" is the label of a load, "load1-7" of a step */
  cJSON *step = cJSON_CreateObject();
  cJSON *acquire = NULL;
  bool done = step != NULL && add_duration(step, "at", arrival->at) &&
              (acquire = cJSON_AddObjectToObject(step, "acquire")) != NULL &&
              cJSON_AddStringToObject(acquire, "as", label) != NULL;
  for (size_t i = 0; done && i < sizeof copied / sizeof copied[0]; i++) {
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(load, copied[i]);
    done =
        member == NULL || cJSON_AddItemToObject(acquire, copied[i], cJSON_Duplicate(member, true));
  }
  done = done && (arrival->held < 0 || add_duration(acquire, "hold", arrival->held));
  if (!done) {
    cJSON_Delete(step);
    return NULL;
  }
  return step;
}

static wsp_time time_of(const cJSON *step, wsp_time before) {
  wsp_time at = before;
  const cJSON *time = cJSON_GetObjectItemCaseSensitive(step, "at");
  if (time != NULL) {
    (void)scn_tree_duration(time, &at);
  }
  return at;
}

/* Behind all steps of that time and earlier ones: so do arrivals come. cJSON 1.7.15 as Debian has
 * it inserts nowhere but in front, so what comes later is moved behind the new step one by one. */
static bool insert(cJSON *steps, cJSON *step, wsp_time at) {
  int count = cJSON_GetArraySize(steps);
  int index = 0;
  wsp_time time = 0;
  while (index < count && (time = time_of(cJSON_GetArrayItem(steps, index), time)) <= at) {
    index++;
  }
  if (!cJSON_AddItemToArray(steps, step)) {
    return false;
  }
  for (int later = index; later < count; later++) {
    cJSON_AddItemToArray(steps, cJSON_DetachItemFromArray(steps, index));
  }
  return true;
}

static bool add_steps(cJSON *tree, const cJSON *loads, const struct scn_arrivals_seen *seen) {
  cJSON *steps = cJSON_GetObjectItemCaseSensitive(tree, "steps");
  if (steps == NULL) {
    steps = cJSON_AddArrayToObject(tree, "steps");
  }
  for (size_t i = 0; steps != NULL && i < seen->count; i++) {
    const cJSON *load = load_of(loads, seen->items[i].label);
    if (load == NULL) {
      continue;
    }
    cJSON *step = step_of(load, &seen->items[i]);
    if (step == NULL || !insert(steps, step, seen->items[i].at)) {
      cJSON_Delete(step);
      return false;
    }
  }
  return steps != NULL;
}

cJSON *scn_shrink_unrolled(const cJSON *tree, const struct scn_arrivals_seen *seen) {
  cJSON *unrolled = cJSON_Duplicate(tree, true);
  cJSON *loads = cJSON_DetachItemFromObjectCaseSensitive(unrolled, "load");
  if (loads == NULL || !add_steps(unrolled, loads, seen)) {
    cJSON_Delete(unrolled);
    unrolled = NULL;
  }
  cJSON_Delete(loads);
  return unrolled;
}
