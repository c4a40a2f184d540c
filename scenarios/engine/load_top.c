/*
 * load_top.c - the scenario as a whole: its top-level keys, accounts and invariants.
 *
 * The parts are read in the order in which they need each other, whatever the order of the file.
 */
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/load_internal.h"
#include "scenarios/engine/schedule.h"
#include "sim/invariant.h"

/* ---- Single keys -------------------------------------------------------------------------- */

static void read_name(struct scn_loader *loader, const struct scn_json_value *value, void *target) {
  static const char expected[] = "a name of a-z, 0-9 and \"-\", at most 200 bytes long";
  const char *name = NULL;
  if (!scn_load_is(loader, value, SCN_JSON_STRING, expected)) {
    return;
  }
  name = value->string;
  size_t length = strlen(name);
  if (length == 0 || length > LOAD_LABEL_LIMIT ||
      strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != length) {
    scn_load_expected(loader, value, expected);
    return;
  }
  *(const char **)target = name;
}

static void read_run_for(struct scn_loader *loader, const struct scn_json_value *value,
                         void *target) {
  struct scn_scenario *scenario = target;
  scenario->has_run_for = scn_load_duration(loader, value, &scenario->run_for);
}

static void read_schedule(struct scn_loader *loader, const struct scn_json_value *value,
                          void *target) {
  struct scn_schedule schedule;
  char message[512];
  if (!scn_load_is(loader, value, SCN_JSON_STRING, "a schedule as \"3:1 7:2\"")) {
    return;
  }
  if (!scn_schedule_parse(value->string, &schedule, message, sizeof message)) {
    scn_load_error(loader, value->position, "%s%s", scn_load_where(loader, value), message);
    return;
  }
  scn_schedule_deinit(&schedule);
  *(const char **)target = value->string;
}

/* ---- Accounts ----------------------------------------------------------------------------- */

static const char *const type_names[] = {"api_key", "oauth", NULL};
_Static_assert(WSP_ACCOUNT_API_KEY == 0 && WSP_ACCOUNT_OAUTH == 1, "as in type_names");

static void read_type(struct scn_loader *loader, const struct scn_json_value *value, void *target) {
  int index =
      scn_load_choice(loader, value, scn_load_names_of(type_names), "the type of an account");
  if (index >= 0) {
    *(enum wsp_account_type *)target = (enum wsp_account_type)index;
  }
}

static void read_id(struct scn_loader *loader, const struct scn_json_value *value, void *target) {
  scn_load_integer(loader, value, 1, INT64_MAX, "a whole number of at least 1", target);
}

static void read_concurrency(struct scn_loader *loader, const struct scn_json_value *value,
                             void *target) {
  scn_load_integer(loader, value, INT64_MIN, INT64_MAX, "a whole number", target);
}

static const struct load_field account_fields[] = {
    {"id", read_id, offsetof(struct wsp_account, id)},
    {"type", read_type, offsetof(struct wsp_account, type)},
    {"concurrency", read_concurrency, offsetof(struct wsp_account, concurrency)}};
LOAD_SHAPE(account_shape, "an account", account_fields);

static void read_account(struct scn_loader *loader, const struct scn_json_value *value,
                         struct scn_account *accounts, size_t index) {
  struct scn_account *account = &accounts[index];
  account->position = value->position;
  if (!scn_load_object(loader, value, &account_shape, &account->account)) {
    return;
  }
  scn_load_require(loader, value, "id", account_shape.what);
}

static int compare_accounts(const void *left, const void *right) {
  const struct scn_account *a = *(const struct scn_account *const *)left;
  const struct scn_account *b = *(const struct scn_account *const *)right;
  if (a->account.id != b->account.id) {
    return a->account.id < b->account.id ? -1 : 1;
  }
  return (a > b) - (a < b);
}

/* Sorts the accounts by id and refuses an id that another has already. */
static void sort_accounts(struct scn_loader *loader, const struct scn_json_value *list) {
  struct scn_scenario *scenario = loader->scenario;
  const struct scn_account **sorted =
      scn_memory_take(loader->memory, scenario->account_count, sizeof(const struct scn_account *));
  if (sorted == NULL) {
    return;
  }
  for (size_t i = 0; i < scenario->account_count; i++) {
    sorted[i] = &scenario->accounts[i];
  }
  qsort(sorted, scenario->account_count, sizeof *sorted, compare_accounts);
  scenario->accounts_by_id = sorted;
  const struct scn_json_value **items =
      list == NULL ? NULL
                   : scn_memory_take(loader->memory, list->count, sizeof(struct scn_json_value *));
  for (const struct scn_json_value *item = items == NULL ? NULL : list->first; item != NULL;
       item = item->next) {
    items[item->index] = item;
  }
  for (size_t i = 1, first = 0; i < scenario->account_count && items != NULL; i++) {
    if (sorted[i]->account.id != sorted[first]->account.id || sorted[i]->account.id == 0) {
      first = i;
      continue;
    }
    const struct scn_json_value *id = scn_json_find(items[sorted[i] - scenario->accounts], "id");
    scn_load_error(loader, id->position,
                   "%sexpected an id that no other account has, found %s, which is that of line %d",
                   scn_load_where(loader, id), scn_load_found(loader, id),
                   sorted[first]->position.line);
  }
}

static void read_accounts(struct scn_loader *loader, const struct scn_json_value *value) {
  struct scn_scenario *scenario = loader->scenario;
  size_t errors = loader->error_count;
  size_t count = value == NULL ? 1 : value->count;
  if (value != NULL && !scn_load_is(loader, value, SCN_JSON_LIST, "a list of accounts")) {
    return;
  }
  if (count == 0) {
    scn_load_expected(loader, value, "at least one account");
    return;
  }
  struct scn_account *accounts = scn_memory_take(loader->memory, count, sizeof *accounts);
  if (accounts == NULL) {
    return;
  }
  scenario->accounts = accounts;
  scenario->account_count = count;
  if (value == NULL) {
    accounts[0].account = (struct wsp_account){.id = 1, .type = WSP_ACCOUNT_API_KEY};
  } else {
    for (const struct scn_json_value *item = value->first; item != NULL; item = item->next) {
      read_account(loader, item, accounts, item->index);
    }
  }
  sort_accounts(loader, value);
  loader->accounts_known = loader->error_count == errors;
}

/* ---- Invariants --------------------------------------------------------------------------- */

static const char *const invariant_names[] = {
#define NAME(id, name, sentence) name,
    SIM_INVARIANT_LIST(NAME)
#undef NAME
        NULL};

static const struct load_field invariants_fields[] = {{"off", scn_load_elsewhere, 0},
                                                      {"because", scn_load_elsewhere, 0}};
LOAD_SHAPE(invariants_shape, "the invariants", invariants_fields);

static void read_off(struct scn_loader *loader, const struct scn_json_value *value,
                     struct scn_strings *off) {
  if (!scn_load_is(loader, value, SCN_JSON_LIST, "a list of invariants")) {
    return;
  }
  off->items = scn_memory_take(loader->memory, value->count, sizeof *off->items);
  for (const struct scn_json_value *item = value->first; item != NULL && off->items != NULL;
       item = item->next) {
    int index = scn_load_choice(loader, item, scn_load_names_of(invariant_names),
                                "the name of an invariant");
    if (index >= 0) {
      off->items[off->count++] = invariant_names[index];
    }
  }
}

static void read_invariants(struct scn_loader *loader, const struct scn_json_value *value,
                            void *target) {
  struct scn_scenario *scenario = target;
  if (!scn_load_object(loader, value, &invariants_shape, scenario)) {
    return;
  }
  const struct scn_json_value *off = scn_json_find(value, "off");
  const struct scn_json_value *because = scn_json_find(value, "because");
  if (off != NULL) {
    read_off(loader, off, &scenario->invariants_off);
  }
  if (because != NULL) {
    if (scn_load_string(loader, because, &scenario->invariants_because) &&
        because->string[strspn(because->string, " \t\r\n")] == '\0') {
      scn_load_expected(loader, because, "a reason, which is not blank");
    }
  } else if (off != NULL && off->count > 0) {
    scn_load_error(
        loader, value->position,
        "expected the key \"because\" beside \"off\", so that a reader knows why, found none");
  }
}

/* ---- The whole ---------------------------------------------------------------------------- */

#define AT(member) offsetof(struct scn_scenario, member)
static const struct load_field top_fields[] = {
    {"name", read_name, AT(name)},
    {"description", scn_load_string_field, AT(description)},
    {"covers", scn_load_strings_field, AT(covers)},
    {"tags", scn_load_strings_field, AT(tags)},
    {"seed", scn_load_elsewhere, 0},
    {"config", scn_load_elsewhere, 0},
    {"background", scn_load_bool_field, AT(background)},
    {"accounts", scn_load_elsewhere, 0},
    {"upstreams", scn_load_elsewhere, 0},
    {"steps", scn_load_elsewhere, 0},
    {"load", scn_load_elsewhere, 0},
    {"expect", scn_load_elsewhere, 0},
    {"invariants", read_invariants, 0},
    {"run_for", read_run_for, 0},
    {"matrix", scn_load_elsewhere, 0},
    {"schedule", read_schedule, AT(schedule)},
    {"$schema", scn_load_elsewhere, 0}};
LOAD_SHAPE(top_shape, "a scenario", top_fields);

static const struct scn_json_value *part(const struct scn_loader *loader, const char *key) {
  return scn_json_find(loader->root, key);
}

static void read_start(struct scn_loader *loader) {
  const struct scn_json_value *schema = part(loader, "$schema"), *seed = part(loader, "seed");
  const char *ignored = NULL;
  if (schema != NULL) {
    scn_load_string(loader, schema, &ignored);
  }
  if (seed != NULL) {
    scn_load_seed(loader, seed, &loader->seed);
  }
  if (loader->options.has_seed) {
    loader->seed = loader->options.seed;
  }
  wsp_config_init(&loader->config);
  if (part(loader, "config") != NULL) {
    scn_load_config(loader, part(loader, "config"));
  }
}

static void read_happenings(struct scn_loader *loader) {
  const struct scn_json_value *steps = part(loader, "steps"), *load = part(loader, "load");
  if (part(loader, "upstreams") != NULL) {
    scn_load_upstreams(loader, part(loader, "upstreams"));
  }
  if (steps == NULL && load == NULL) {
    scn_load_error(loader, loader->root->position,
                   "expected the key \"steps\" or \"load\" in a scenario, found none");
  }
  if (steps != NULL) {
    scn_load_steps(loader, steps);
  }
  if (load != NULL) {
    scn_load_traffic(loader, load);
  }
}

void scn_load_scenario(struct scn_loader *loader) {
  struct scn_scenario *scenario = loader->scenario;
  scenario->background = true;
  scenario->description = "";
  scenario->invariants_because = "";
  if (!scn_load_object(loader, loader->root, &top_shape, scenario)) {
    return;
  }
  scn_load_require(loader, loader->root, "name", top_shape.what);
  read_start(loader);
  read_accounts(loader, part(loader, "accounts"));
  read_happenings(loader);
  loader->reading_order = SIZE_MAX;
  if (part(loader, "expect") != NULL) {
    scenario->expectations =
        scn_load_expectations(loader, part(loader, "expect"), &scenario->expectation_count);
  }
  scn_load_labels_resolve(loader);
  scn_load_matrix(loader, part(loader, "matrix"));
}
