/*
 * shrink.c - tries one change after the other, from the largest to the smallest.
 *
 * Every candidate is a copy of the tree with one change. Changes name a node by its number, which
 * stays that of the same place as long as nothing before it is taken away.
 */
#include "scenarios/engine/shrink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/schedule.h"
#include "sim/duration.h"

struct shrinker {
  struct scn_shrunk *shrunk;
  const struct scn_shrink_oracle *oracle;
  bool stopped; /* enough, or no memory */
  bool no_memory;
};

/* ---- One candidate ------------------------------------------------------------------------ */

static void keep(struct shrinker *shrinker, cJSON *candidate, char *schedule,
                 struct scn_arrivals_seen seen) {
  struct scn_shrunk *shrunk = shrinker->shrunk;
  cJSON_Delete(shrunk->tree);
  free(shrunk->schedule);
  free(shrunk->seen.items);
  shrunk->tree = candidate;
  shrunk->schedule = schedule;
  shrunk->seen = seen;
  shrunk->kept++;
}

static void run_out(struct shrinker *shrinker) {
  shrinker->no_memory = true;
  shrinker->stopped = true;
}

/* How much there is to a schedule: first its items, then how long its faults last, then its text.
 */
struct cost {
  size_t items;
  int64_t lasts_ns;
  size_t length;
};

static struct cost cost_of(const char *schedule) {
  struct scn_schedule parsed;
  char message[512];
  if (!scn_schedule_parse(schedule, &parsed, message, sizeof message)) {
    return (struct cost){.items = SIZE_MAX};
  }
  struct cost cost = {.items = parsed.count + parsed.fault_count, .length = strlen(schedule)};
  for (size_t i = 0; i < parsed.fault_count; i++) {
    cost.lasts_ns = scn_time_after(cost.lasts_ns, parsed.faults[i].fault.length);
  }
  scn_schedule_deinit(&parsed);
  return cost;
}

static bool is_simpler(const char *schedule, const char *than) {
  struct cost a = cost_of(schedule);
  struct cost b = cost_of(than);
  return a.items != b.items         ? a.items < b.items
         : a.lasts_ns != b.lasts_ns ? a.lasts_ns < b.lasts_ns
                                    : a.length < b.length;
}

/* Takes over `candidate`, to be run in the order `schedule`. True: it takes the tree's place. With
 * `must_be_simpler`, an order that was found on the way and is no simpler will not do. */
static bool try_it(struct shrinker *shrinker, cJSON *candidate, const char *schedule,
                   bool must_be_simpler) {
  struct scn_shrunk *shrunk = shrinker->shrunk;
  if (shrinker->stopped || !shrinker->oracle->go_on(shrinker->oracle->context, shrunk)) {
    shrinker->stopped = true;
    cJSON_Delete(candidate);
    return false;
  }
  char *text = candidate == NULL ? NULL : scn_tree_text(candidate);
  size_t length = strlen(schedule) + 1;
  char *order = malloc(length);
  bool fails = false;
  if (text == NULL || order == NULL) {
    run_out(shrinker);
  } else {
    memcpy(order, schedule, length);
    struct scn_arrivals_seen seen = {0};
    shrunk->tried++;
    fails = shrinker->oracle->fails(shrinker->oracle->context, text, &order, &seen) &&
            (!must_be_simpler || is_simpler(order, shrunk->schedule));
    if (fails) {
      keep(shrinker, candidate, order, seen);
    } else {
      free(seen.items);
    }
  }
  free(text);
  if (!fails) {
    free(order);
    cJSON_Delete(candidate);
  }
  return fails;
}

/* A copy of the tree, and in it the node of that number. */
static cJSON *copy(struct shrinker *shrinker, size_t number, cJSON **node) {
  cJSON *candidate = cJSON_Duplicate(shrinker->shrunk->tree, true);
  if (candidate == NULL) {
    run_out(shrinker);
    return NULL;
  }
  *node = scn_tree_node(candidate, number);
  return candidate;
}

static bool try_same_order(struct shrinker *shrinker, cJSON *candidate) {
  return try_it(shrinker, candidate, shrinker->shrunk->schedule, false);
}

/* ---- Leaving out -------------------------------------------------------------------------- */

static bool try_without(struct shrinker *shrinker, size_t number, int first, int count) {
  cJSON *node;
  cJSON *candidate = copy(shrinker, number, &node);
  for (int i = 0; i < count && candidate != NULL; i++) {
    cJSON_DeleteItemFromArray(node, first); /* a member of an object goes in the same way */
  }
  return candidate != NULL && try_same_order(shrinker, candidate);
}

static int size_of(struct shrinker *shrinker, size_t number) {
  const cJSON *node = scn_tree_node(shrinker->shrunk->tree, number);
  return node == NULL ? 0 : cJSON_GetArraySize(node);
}

/* Lists in halves, quarters, ..., one by one; objects one member at a time. */
static bool leave_out_of(struct shrinker *shrinker, size_t number) {
  bool any = false;
  const cJSON *node = scn_tree_node(shrinker->shrunk->tree, number);
  int chunk = cJSON_IsArray(node) ? cJSON_GetArraySize(node) : 1;
  for (; chunk >= 1; chunk /= 2) {
    int first = 0;
    while (!shrinker->stopped && first < size_of(shrinker, number)) {
      int left = size_of(shrinker, number) - first;
      if (try_without(shrinker, number, first, chunk < left ? chunk : left)) {
        any = true;
      } else {
        first += chunk;
      }
    }
  }
  return any;
}

/* For each node that has children, from the whole inwards. */
static bool leave_out(struct shrinker *shrinker) {
  bool any = false;
  for (size_t number = 0; !shrinker->stopped; number++) {
    const cJSON *node = scn_tree_node(shrinker->shrunk->tree, number);
    if (node == NULL) {
      break;
    }
    if (scn_tree_is_open(shrinker->shrunk->tree, number) && node->child != NULL) {
      any |= leave_out_of(shrinker, number);
    }
  }
  return any;
}

/* ---- Making simpler ----------------------------------------------------------------------- */

/* Half of it, rounded to one digit so that people can read it. */
static int64_t half(int64_t value) {
  int64_t unit = 1;
  value /= 2;
  while (value / unit >= 10) {
    unit *= 10;
  }
  return value / unit * unit;
}

/* Sets the node to `value` in the form that it has. */
static bool set(cJSON *node, bool is_duration, int64_t value) {
  return is_duration ? scn_tree_set_duration(node, value) : scn_tree_set_integer(node, value);
}

static bool try_value(struct shrinker *shrinker, size_t number, bool is_duration, int64_t value) {
  cJSON *node;
  cJSON *candidate = copy(shrinker, number, &node);
  if (candidate == NULL) {
    return false;
  }
  if (!set(node, is_duration, value)) {
    run_out(shrinker);
    cJSON_Delete(candidate);
    return false;
  }
  return try_same_order(shrinker, candidate);
}

static bool make_smaller(struct shrinker *shrinker, size_t number) {
  bool any = false;
  for (;;) {
    const cJSON *node = scn_tree_node(shrinker->shrunk->tree, number);
    int64_t value;
    bool is_duration = scn_tree_duration(node, &value);
    if ((!is_duration && !scn_tree_integer(node, &value)) || value <= 0) {
      return any;
    }
    /* Less than a millisecond, and other than 0, reads worse than it was. */
    int64_t least = is_duration ? WSP_MILLISECOND : 1;
    const int64_t smaller[] = {0, least, half(value)};
    bool smaller_now = false;
    for (size_t i = 0; i < 3 && !smaller_now && !shrinker->stopped; i++) {
      bool sensible = smaller[i] < value && (smaller[i] == 0 || smaller[i] >= least);
      smaller_now = sensible && try_value(shrinker, number, is_duration, smaller[i]);
    }
    if (!smaller_now) {
      return any;
    }
    any = true;
  }
}

/* Puts `inner`, which is below it, in the place of `outer`. */
static bool try_inner(struct shrinker *shrinker, size_t number) {
  cJSON *node;
  cJSON *candidate = copy(shrinker, number, &node);
  if (candidate == NULL) {
    return false;
  }
  if (!scn_tree_unwrap(node)) {
    cJSON_Delete(candidate);
    return false;
  }
  return try_same_order(shrinker, candidate);
}

static bool make_simpler(struct shrinker *shrinker) {
  bool any = false;
  for (size_t number = 1; !shrinker->stopped; number++) {
    if (scn_tree_node(shrinker->shrunk->tree, number) == NULL) {
      break;
    }
    any |= try_inner(shrinker, number);
    any |= make_smaller(shrinker, number);
  }
  return any;
}

/* ---- Steps nearer to each other ------------------------------------------------------------- */

/* Moves the steps from `index` on by `by` towards the start. */
static bool try_earlier(struct shrinker *shrinker, int index, wsp_duration by) {
  cJSON *candidate = cJSON_Duplicate(shrinker->shrunk->tree, true);
  if (candidate == NULL) {
    run_out(shrinker);
    return false;
  }
  cJSON *steps = cJSON_GetObjectItemCaseSensitive(candidate, "steps");
  for (int i = index; i < cJSON_GetArraySize(steps); i++) {
    cJSON *at = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(steps, i), "at");
    wsp_duration time;
    if (at != NULL && (!scn_tree_duration(at, &time) || !scn_tree_set_duration(at, time - by))) {
      cJSON_Delete(candidate);
      return false;
    }
  }
  return try_same_order(shrinker, candidate);
}

static wsp_duration gap_before(const struct shrinker *shrinker, int index) {
  const cJSON *steps = cJSON_GetObjectItemCaseSensitive(shrinker->shrunk->tree, "steps");
  wsp_duration before = 0, at = 0;
  for (int i = 0; i <= index; i++) {
    const cJSON *time = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(steps, i), "at");
    before = at;
    if (time != NULL && !scn_tree_duration(time, &at)) {
      return 0;
    }
  }
  return at - before;
}

static bool close_gaps(struct shrinker *shrinker) {
  bool any = false;
  const cJSON *steps = cJSON_GetObjectItemCaseSensitive(shrinker->shrunk->tree, "steps");
  int count = cJSON_GetArraySize(steps);
  for (int index = 0; index < count && !shrinker->stopped; index++) {
    wsp_duration gap;
    while ((gap = gap_before(shrinker, index)) > 0 && !shrinker->stopped &&
           (try_earlier(shrinker, index, gap) || try_earlier(shrinker, index, gap - half(gap)))) {
      any = true;
    }
  }
  return any;
}

/* ---- The order ---------------------------------------------------------------------------- */

static bool try_order(struct shrinker *shrinker, const char *schedule) {
  cJSON *candidate = cJSON_Duplicate(shrinker->shrunk->tree, true);
  if (candidate == NULL) {
    run_out(shrinker);
    return false;
  }
  return try_it(shrinker, candidate, schedule, true);
}

/* The schedule without the item that begins at `start`; on the heap. */
static char *without_item(const char *schedule, size_t start, size_t *length) {
  *length = strcspn(schedule + start, " ");
  size_t behind = start + *length + (schedule[start + *length] == ' ' ? 1 : 0);
  char *shorter = malloc(strlen(schedule) + 1);
  if (shorter != NULL) {
    memcpy(shorter, schedule, start);
    strcpy(shorter + start, schedule + behind);
    if (start > 0 && shorter[start] == '\0') {
      shorter[start - 1] = '\0'; /* the space before the last item */
    }
  }
  return shorter;
}

static bool straighten(struct shrinker *shrinker) {
  bool any = shrinker->shrunk->schedule[0] != '\0' && try_order(shrinker, "");
  size_t start = 0;
  while (!shrinker->stopped && start < strlen(shrinker->shrunk->schedule)) {
    size_t length;
    char *shorter = without_item(shrinker->shrunk->schedule, start, &length);
    if (shorter == NULL) {
      run_out(shrinker);
    } else if (try_order(shrinker, shorter)) {
      any = true;
    } else {
      start += length + 1;
    }
    free(shorter);
  }
  return any;
}

/* The schedule with a fault that lasts `lasts` in place of the one that begins at `start`; on the
 * heap. */
static char *with_length(const char *schedule, size_t start, wsp_duration lasts) {
  char text[SIM_DURATION_TEXT_SIZE] = "";
  size_t end = start + strcspn(schedule + start, " ");
  size_t mark = start + strcspn(schedule + start, "+ ");
  size_t size = strlen(schedule) + sizeof text + 2;
  char *changed = malloc(size);
  if (lasts > 0) {
    sim_duration_format(lasts, text);
  }
  if (changed != NULL) {
    snprintf(changed, size, "%.*s%s%s%s", (int)mark, schedule, lasts > 0 ? "+" : "", text,
             schedule + end);
  }
  return changed;
}

/* Tries shorter times for the fault that begins at `start`. True: one of them did. */
static bool shorten_fault(struct shrinker *shrinker, size_t start) {
  struct scn_planned_fault planned;
  const char *at = shrinker->shrunk->schedule + start;
  if (!scn_fault_read(&at, &planned) || planned.fault.length == 0) {
    return false;
  }
  const wsp_duration shorter[] = {0, WSP_MILLISECOND, half(planned.fault.length)};
  for (size_t i = 0; i < 3 && !shrinker->stopped; i++) {
    if (shorter[i] >= planned.fault.length || (i == 2 && shorter[i] < WSP_MILLISECOND)) {
      continue;
    }
    char *changed = with_length(shrinker->shrunk->schedule, start, shorter[i]);
    bool is_shorter = changed != NULL && try_order(shrinker, changed);
    if (changed == NULL) {
      run_out(shrinker);
    }
    free(changed);
    if (is_shorter) {
      return true;
    }
  }
  return false;
}

static bool shorten_faults(struct shrinker *shrinker) {
  bool any = false;
  size_t start = 0;
  while (!shrinker->stopped && start < strlen(shrinker->shrunk->schedule)) {
    if (shorten_fault(shrinker, start)) {
      any = true;
    } else {
      start += strcspn(shrinker->shrunk->schedule + start, " ") + 1;
    }
  }
  return any;
}

/* ---- All of it ---------------------------------------------------------------------------- */

static bool unroll(struct shrinker *shrinker) {
  const struct scn_shrunk *shrunk = shrinker->shrunk;
  if (scn_tree_count(shrunk->tree, "load") == 0 || shrunk->seen.too_many) {
    return false;
  }
  cJSON *candidate = scn_shrink_unrolled(shrunk->tree, &shrunk->seen);
  if (candidate == NULL) {
    run_out(shrinker);
    return false;
  }
  return try_same_order(shrinker, candidate);
}

bool scn_shrink(struct scn_shrunk *shrunk, const struct scn_shrink_oracle *oracle) {
  struct shrinker shrinker = {.shrunk = shrunk, .oracle = oracle};
  bool any = true;
  while (any && !shrinker.stopped) {
    any = straighten(&shrinker);
    any |= shorten_faults(&shrinker);
    any |= leave_out(&shrinker);
    any |= close_gaps(&shrinker);
    any |= make_simpler(&shrinker);
    any |= unroll(&shrinker);
  }
  return !shrinker.no_memory;
}
