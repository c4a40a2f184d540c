/*
 * labels.c - walks a scenario's steps for labels, accounts and headers.
 */
#include "scenarios/engine/labels.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef void (*visit_step)(void *context, const struct scn_step *step);

static void for_each_step(const struct scn_step *steps, size_t count, visit_step visit,
                          void *context) {
  for (size_t i = 0; i < count; i++) {
    visit(context, &steps[i]);
    for_each_step(steps[i].steps, steps[i].step_count, visit, context);
  }
}

/* ---- Labels ------------------------------------------------------------------------------- */

void scn_label_numbered(char *buffer, size_t size, const char *label, uint64_t number) {
  char digits[24];
  size_t first = sizeof digits;
  do {
    digits[--first] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  size_t length = strlen(label);
  size_t count = sizeof digits - first;
  assert(length + count + 2 <= size);
  memcpy(buffer, label, length);
  buffer[length] = '#';
  memcpy(buffer + length + 1, digits + first, count);
  buffer[length + 1 + count] = '\0';
}

int scn_label_compare(const void *left, const void *right) {
  const struct scn_label *a = left;
  const struct scn_label *b = right;
  int order = strcmp(a->name, b->name);
  return order != 0 ? order : (int)a->repeats - (int)b->repeats;
}

static const struct scn_label *find_label(const struct scn_scenario *scenario, const char *name,
                                          bool repeats) {
  struct scn_label wanted = {.name = name, .repeats = repeats};
  return scenario->label_count == 0 ? NULL
                                    : bsearch(&wanted, scenario->labels, scenario->label_count,
                                              sizeof wanted, scn_label_compare);
}

/* The number behind the last '#' of `name`; 0: there is none that a label could have. */
static int64_t number_of(const char *name) {
  const char *digits = strrchr(name, '#');
  int64_t number = 0;
  if (digits == NULL || digits[1] == '0') {
    return 0;
  }
  for (digits++; *digits != '\0'; digits++) {
    if (*digits < '0' || *digits > '9' || number > INT64_MAX / 100) {
      return 0;
    }
    number = 10 * number + (*digits - '0');
  }
  return number;
}

bool scn_label_exists(const struct scn_scenario *scenario, const char *name) {
  char label[256];
  int64_t number = number_of(name);
  if (find_label(scenario, name, false) != NULL) {
    return true;
  }
  if (number == 0 || (size_t)(strrchr(name, '#') - name) >= sizeof label) {
    return false;
  }
  size_t length = (size_t)(strrchr(name, '#') - name);
  memcpy(label, name, length);
  label[length] = '\0';
  const struct scn_label *repeating = find_label(scenario, label, true);
  return repeating != NULL && number <= repeating->count;
}

/* ---- Accounts ----------------------------------------------------------------------------- */

struct id_list {
  int64_t *ids; /* NULL: only count */
  size_t count;
};

static void add_id(struct id_list *list, int64_t id) {
  if (list->ids != NULL) {
    list->ids[list->count] = id;
  }
  list->count++;
}

static void add_step_account(void *context, const struct scn_step *step) {
  if (step->account > 0) {
    add_id(context, step->account);
  }
}

static void add_accounts(struct id_list *list, const struct scn_scenario *scenario) {
  for (size_t i = 0; i < scenario->account_count; i++) {
    add_id(list, scenario->accounts[i].account.id);
  }
  for_each_step(scenario->steps, scenario->step_count, add_step_account, list);
  for (size_t i = 0; i < scenario->load_count; i++) {
    add_id(list, scenario->loads[i].account);
  }
}

static int compare_ids(const void *left, const void *right) {
  int64_t a = *(const int64_t *)left;
  int64_t b = *(const int64_t *)right;
  return (a > b) - (a < b);
}

static bool collect_accounts(struct scn_world *world) {
  struct id_list list = {0};
  add_accounts(&list, world->scenario);
  if (list.count == 0) {
    return true;
  }
  list.ids = sim_arena_allocate(world->arena, list.count * sizeof *list.ids);
  if (list.ids == NULL) {
    return false;
  }
  list.count = 0;
  add_accounts(&list, world->scenario);
  qsort(list.ids, list.count, sizeof *list.ids, compare_ids);
  size_t kept = 0;
  for (size_t i = 0; i < list.count; i++) {
    if (list.ids[i] > 0 && (kept == 0 || list.ids[kept - 1] != list.ids[i])) {
      list.ids[kept++] = list.ids[i];
    }
  }
  world->accounts = list.ids;
  world->account_count = kept;
  return true;
}

/* ---- Headers ------------------------------------------------------------------------------ */

struct wish_list {
  struct scn_header_wish *wishes; /* NULL: only count */
  size_t count;
};

static void add_wishes(struct wish_list *list, const struct scn_expectation *expectations,
                       size_t count) {
  for (size_t i = 0; i < count; i++) {
    const struct scn_expectation *expectation = &expectations[i];
    if (expectation->kind != SCN_EXPECT_OP) {
      continue;
    }
    for (size_t h = 0; h < expectation->header_count; h++) {
      if (list->wishes != NULL) {
        list->wishes[list->count] = (struct scn_header_wish){.label = expectation->subject,
                                                             .name = expectation->headers[h].field};
      }
      list->count++;
    }
  }
}

static void add_step_wishes(void *context, const struct scn_step *step) {
  add_wishes(context, step->expectations, step->expectation_count);
}

static void add_all_wishes(struct wish_list *list, const struct scn_scenario *scenario) {
  for_each_step(scenario->steps, scenario->step_count, add_step_wishes, list);
  add_wishes(list, scenario->expectations, scenario->expectation_count);
}

static bool collect_header_wishes(struct scn_world *world) {
  struct wish_list list = {0};
  add_all_wishes(&list, world->scenario);
  if (list.count == 0) {
    return true;
  }
  list.wishes = sim_arena_allocate(world->arena, list.count * sizeof *list.wishes);
  if (list.wishes == NULL) {
    return false;
  }
  list.count = 0;
  add_all_wishes(&list, world->scenario);
  world->header_wishes = list.wishes;
  world->header_wish_count = list.count;
  return true;
}

bool scn_labels_collect(struct scn_world *world) {
  return collect_accounts(world) && collect_header_wishes(world);
}
