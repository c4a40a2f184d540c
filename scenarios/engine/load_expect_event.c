/*
 * load_expect_event.c - expectations of the timeline: events by kind and fields, and milestones.
 */
#include <string.h>

#include "scenarios/engine/load_internal.h"
#include "sim/trace.h"

/* ---- The fields of a kind of event -------------------------------------------------------- */

enum { FIELD_LIMIT = 16, NAME_LIMIT = 40 };

struct event_field {
  char name[NAME_LIMIT];
  struct load_compared compared;
};

struct event_fields {
  struct event_field items[FIELD_LIMIT];
  size_t count;
};

static void add_field(struct event_fields *fields, const char *name, size_t length,
                      struct load_compared compared) {
  struct event_field *field = &fields->items[fields->count];
  if (fields->count < FIELD_LIMIT && length < NAME_LIMIT) {
    memcpy(field->name, name, length);
    field->name[length] = '\0';
    field->compared = compared;
    fields->count++;
  }
}

static bool is_time(const char *name) {
  size_t length = strlen(name);
  return length > 3 && strcmp(name + length - 3, "_ns") == 0;
}

static struct event_fields fields_of(const struct sim_event_type *type) {
  struct event_fields fields = {.count = 0};
  add_field(&fields, "account", 7, (struct load_compared){.type = LOAD_INTEGER, .or_null = true});
  add_field(&fields, "conn", 4, (struct load_compared){.type = LOAD_STRING, .or_null = true});
  add_field(&fields, "op", 2, (struct load_compared){.type = LOAD_STRING, .or_null = true});
  add_field(&fields, "t", 1, (struct load_compared){.type = LOAD_DURATION});
  if (type->cause != NULL) {
    bool error = strcmp(type->cause, "error") == 0;
    add_field(&fields, type->cause, strlen(type->cause),
              (struct load_compared){.type = LOAD_CHOICE,
                                     .names = error ? scn_load_error_names : scn_load_reason_names,
                                     .what = error ? "an error" : "a reason"});
  }
  for (size_t i = 0; i < LOAD_COUNT(type->values); i++) {
    const char *name = type->values[i];
    if (name == NULL) {
      continue;
    }
    if (is_time(name)) { /* also as a duration, without the unit in its name */
      add_field(&fields, name, strlen(name), (struct load_compared){.type = LOAD_INTEGER});
      add_field(&fields, name, strlen(name) - 3, (struct load_compared){.type = LOAD_DURATION});
    } else {
      add_field(&fields, name, strlen(name), (struct load_compared){.type = LOAD_FLAG});
    }
  }
  for (size_t i = 0; i < LOAD_COUNT(type->texts); i++) {
    if (type->texts[i] != NULL) {
      add_field(&fields, type->texts[i], strlen(type->texts[i]),
                (struct load_compared){.type = LOAD_STRING});
    }
  }
  return fields;
}

static const char *field_name(const void *context, size_t index) {
  const struct event_fields *fields = context;
  return index < fields->count ? fields->items[index].name : NULL;
}

/* ---- Patterns ----------------------------------------------------------------------------- */

/* Labels that can never match are mistakes; whether one has happened yet does not matter. */
static void refer_to_label(struct scn_loader *loader, const struct scn_json_value *value) {
  if (value->kind == SCN_JSON_STRING && !value->broken) {
    scn_load_label_refer(loader, value, value->string, LOAD_NEED_OPERATION, SIZE_MAX);
  }
}

static void refer_to_labels(struct scn_loader *loader, const struct scn_json_value *value) {
  refer_to_label(loader, value);
  if (value->kind != SCN_JSON_OBJECT) {
    return;
  }
  for (const struct scn_json_value *test = value->first; test != NULL; test = test->next) {
    if (strcmp(test->key, "eq") == 0 || strcmp(test->key, "ne") == 0) {
      refer_to_label(loader, test);
    } else if (strcmp(test->key, "in") == 0) {
      for (const struct scn_json_value *item = test->first; item != NULL; item = item->next) {
        refer_to_label(loader, item);
      }
    }
  }
}

static void read_where(struct scn_loader *loader, const struct scn_json_value *value, int kind,
                       struct scn_event_pattern *pattern) {
  if (!scn_load_is(loader, value, SCN_JSON_OBJECT, "an object of fields")) {
    return;
  }
  struct event_fields fields = fields_of(sim_event_type((uint16_t)kind));
  struct load_names names = {field_name, &fields};
  struct scn_comparison *where = scn_memory_take(loader->memory, value->count, sizeof *where);
  for (const struct scn_json_value *member = value->first; member != NULL && where != NULL;
       member = member->next) {
    if (member->key_broken) {
      continue;
    }
    int index = scn_load_name_find(names, member->key);
    if (index < 0) {
      scn_load_error(loader, member->key_position,
                     "expected a field of the event %s (%s), found \"%.100s\"%s", pattern->kind,
                     scn_load_names_text(loader, names), member->key,
                     scn_load_suggest(loader, names, member->key));
    } else if (scn_load_comparison(loader, member, &fields.items[index].compared, member->key,
                                   &where[pattern->where_count++]) &&
               strcmp(member->key, "op") == 0) {
      refer_to_labels(loader, member);
    }
  }
  pattern->where = where;
}

/* Reads "event" and "where" of `value`. */
static void read_pattern(struct scn_loader *loader, const struct scn_json_value *value,
                         struct scn_event_pattern *pattern) {
  const struct scn_json_value *event = scn_json_find(value, "event");
  const struct scn_json_value *where = scn_json_find(value, "where");
  pattern->position = value->position;
  int kind = scn_load_choice(loader, event, scn_load_event_names, "a kind of event");
  if (kind >= 0) {
    pattern->kind = event->string;
    if (where != NULL) {
      read_where(loader, where, kind, pattern);
    }
  }
}

static const struct load_field pattern_fields[] = {{"event", scn_load_elsewhere, 0},
                                                   {"where", scn_load_elsewhere, 0}};
LOAD_SHAPE(pattern_shape, "an event", pattern_fields);

static const struct scn_event_pattern *read_patterns(struct scn_loader *loader,
                                                     const struct scn_json_value *value,
                                                     size_t *count) {
  if (!scn_load_is(loader, value, SCN_JSON_LIST, "a list of events")) {
    return NULL;
  }
  struct scn_event_pattern *patterns =
      scn_memory_take(loader->memory, value->count, sizeof *patterns);
  for (const struct scn_json_value *item = value->first; item != NULL && patterns != NULL;
       item = item->next) {
    struct scn_event_pattern *pattern = &patterns[(*count)++];
    if (scn_load_object(loader, item, &pattern_shape, pattern) &&
        scn_load_require(loader, item, "event", pattern_shape.what)) {
      read_pattern(loader, item, pattern);
    }
  }
  return patterns;
}

/* ---- { "event": ... } --------------------------------------------------------------------- */

static const struct load_field event_fields[] = {{"event", scn_load_elsewhere, 0},
                                                 {"where", scn_load_elsewhere, 0},
                                                 {"count", scn_load_elsewhere, 0}};
LOAD_SHAPE(event_shape, "an expectation of an event", event_fields);

/* Without a count: at least one. */
static bool count_of_none(struct scn_loader *loader, const struct scn_json_value *value,
                          struct scn_comparison *count) {
  struct scn_test *test = scn_memory_take(loader->memory, 1, sizeof *test);
  if (test == NULL) {
    return false;
  }
  *test = (struct scn_test){.operator_ = SCN_GE,
                            .value = {.kind = SCN_INTEGER, .integer = 1, .text = "1"}};
  *count = (struct scn_comparison){
      .field = "count", .tests = test, .count = 1, .position = value->position};
  return true;
}

void scn_load_expect_event(struct scn_loader *loader, const struct scn_json_value *value,
                           struct scn_expectation *expectation) {
  static const struct load_compared compared = {.type = LOAD_INTEGER};
  const struct scn_json_value *given = scn_json_find(value, "count");
  struct scn_event_pattern *pattern = scn_memory_take(loader->memory, 1, sizeof *pattern);
  struct scn_comparison *count = scn_memory_take(loader->memory, 1, sizeof *count);
  if (pattern == NULL || count == NULL) {
    return;
  }
  scn_load_object(loader, value, &event_shape, expectation);
  read_pattern(loader, value, pattern);
  expectation->events = pattern;
  expectation->event_count = 1;
  if (given == NULL ? count_of_none(loader, value, count)
                    : scn_load_comparison(loader, given, &compared, "count", count)) {
    expectation->comparisons = count;
    expectation->comparison_count = 1;
  }
}

/* ---- { "events": [...], "forbid": [...] } ------------------------------------------------- */

static const struct load_field list_fields[] = {{"events", scn_load_elsewhere, 0},
                                                {"forbid", scn_load_elsewhere, 0}};
LOAD_SHAPE(list_shape, "an expectation of events", list_fields);

void scn_load_expect_events(struct scn_loader *loader, const struct scn_json_value *value,
                            struct scn_expectation *expectation) {
  const struct scn_json_value *events = scn_json_find(value, "events");
  const struct scn_json_value *forbid = scn_json_find(value, "forbid");
  scn_load_object(loader, value, &list_shape, expectation);
  if (events != NULL) {
    expectation->events = read_patterns(loader, events, &expectation->event_count);
  }
  if (forbid != NULL) {
    expectation->forbid = read_patterns(loader, forbid, &expectation->forbid_count);
  }
  bool empty = (events == NULL || (events->kind == SCN_JSON_LIST && events->count == 0)) &&
               (forbid == NULL || (forbid->kind == SCN_JSON_LIST && forbid->count == 0));
  if (empty) {
    scn_load_error(loader, value->position,
                   "expected at least one event in \"events\" or \"forbid\", found none");
  }
}

/* ---- { "order": [...] } ------------------------------------------------------------------- */

static const char *const milestones[] = {"started", "granted", "failed", "released", NULL};

static const struct load_field order_fields[] = {{"order", scn_load_elsewhere, 0}};
LOAD_SHAPE(order_shape, "an expectation of an order", order_fields);

static void read_item(struct scn_loader *loader, const struct scn_json_value *value,
                      struct scn_order_item *item) {
  static const char expected[] =
      "a label and one of started, granted, failed or released, such as \"a granted\"";
  item->position = value->position;
  if (!scn_load_is(loader, value, SCN_JSON_STRING, expected)) {
    return;
  }
  const char *space = strrchr(value->string, ' ');
  int milestone = space == NULL ? -1 : scn_load_name_find(scn_load_names_of(milestones), space + 1);
  if (milestone < 0 || space == value->string) {
    scn_load_expected_hint(
        loader, value, expected,
        space == NULL ? "" : scn_load_suggest(loader, scn_load_names_of(milestones), space + 1));
    return;
  }
  item->milestone = (enum scn_milestone)milestone;
  item->label = scn_memory_copy(loader->memory, value->string, (size_t)(space - value->string));
  scn_load_label_refer(loader, value, item->label,
                       item->milestone == SCN_RELEASED ? LOAD_NEED_ACQUIRE : LOAD_NEED_OPERATION,
                       loader->reading_order);
}

void scn_load_expect_order(struct scn_loader *loader, const struct scn_json_value *value,
                           struct scn_expectation *expectation) {
  const struct scn_json_value *order = scn_json_find(value, "order");
  scn_load_object(loader, value, &order_shape, expectation);
  if (!scn_load_is(loader, order, SCN_JSON_LIST, "a list of strings such as \"a granted\"")) {
    return;
  }
  if (order->count == 0) {
    scn_load_expected(loader, order, "a list of at least one string");
    return;
  }
  struct scn_order_item *items = scn_memory_take(loader->memory, order->count, sizeof *items);
  for (const struct scn_json_value *item = order->first; item != NULL && items != NULL;
       item = item->next) {
    read_item(loader, item, &items[expectation->order_count++]);
  }
  expectation->order = items;
}
