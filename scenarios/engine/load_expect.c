/*
 * load_expect.c - expectations: which form one has, and its fields.
 */
#include <string.h>

#include "scenarios/engine/load_internal.h"
#include "sim/trace.h"

static const char *name_in_list(const void *context, size_t index) {
  return ((const char *const *)context)[index];
}

/* ---- Forms with fields of their own ------------------------------------------------------- */

static const char *result_name(const void *context, size_t index) {
  (void)context;
  const char *name = scn_load_error_names.name(scn_load_error_names.context, index);
  return name != NULL                  ? name
         : index == WSP_WOULD_WAIT     ? "pending"
         : index == WSP_WOULD_WAIT + 1 ? "refused"
                                       : NULL;
}

static const char *const state_names[] = {"idle", "leased", "closed", "absent", NULL};

struct field {
  const char *key;
  struct load_compared compared;
};

static const struct field op_fields[] = {
    {"result",
     {.type = LOAD_CHOICE, .names = {result_name, NULL}, .what = "the result of an operation"}},
    {"error_text", {.type = LOAD_STRING, .or_null = true}},
    {"status", {.type = LOAD_INTEGER}},
    {"conn", {.type = LOAD_STRING, .or_null = true}},
    {"reused", {.type = LOAD_BOOL, .or_null = true}},
    {"queue_wait", {.type = LOAD_DURATION, .or_null = true}},
    {"conn_pick", {.type = LOAD_DURATION, .or_null = true}},
    {"started_at", {.type = LOAD_DURATION}},
    {"ended_at", {.type = LOAD_DURATION, .or_null = true}},
    {"prewarmed", {.type = LOAD_BOOL, .or_null = true}},
    {"message", {.type = LOAD_STRING, .contains = true}}};

static const struct field account_fields[] = {
    {"conns", {.type = LOAD_INTEGER}},         {"leased", {.type = LOAD_INTEGER}},
    {"waiting", {.type = LOAD_INTEGER}},       {"creating", {.type = LOAD_INTEGER}},
    {"idle", {.type = LOAD_INTEGER}},          {"target", {.type = LOAD_INTEGER}},
    {"effective_max", {.type = LOAD_INTEGER}}, {"prewarm_fails", {.type = LOAD_INTEGER}}};

static const struct field conn_fields[] = {
    {"state",
     {.type = LOAD_CHOICE, .names = {name_in_list, state_names}, .what = "the state of a conn"}},
    {"pins", {.type = LOAD_INTEGER}},
    {"waiters", {.type = LOAD_INTEGER}},
    {"account", {.type = LOAD_INTEGER}}};

static const struct field upstream_fields[] = {
#define FIELD(name) {#name, {.type = LOAD_INTEGER}},
    FAKE_COUNTER_LIST(FIELD)
#undef FIELD
};

struct form {
  enum scn_expectation_kind kind;
  const char *key; /* that makes it this form */
  const char *what;
  const struct field *fields;
  size_t field_count;
};

struct keys {
  const struct form *form;
  const char *const *others; /* keys that are read on their own; NULL behind the last */
};

static const char *form_key(const void *context, size_t index) {
  const struct keys *keys = context;
  if (index == 0) {
    return keys->form->key;
  }
  index--;
  for (size_t i = 0; keys->others[i] != NULL; i++) {
    if (index-- == 0) {
      return keys->others[i];
    }
  }
  return index < keys->form->field_count ? keys->form->fields[index].key : NULL;
}

static const struct field *find_field(const struct form *form, const char *key) {
  for (size_t i = 0; i < form->field_count; i++) {
    if (strcmp(form->fields[i].key, key) == 0) {
      return &form->fields[i];
    }
  }
  return NULL;
}

/* Reads what belongs to the form and refuses all keys that belong to none of its parts. */
static void read_fields(struct scn_loader *loader, const struct scn_json_value *value,
                        const struct form *form, const char *const *others,
                        struct scn_expectation *expectation) {
  struct keys keys = {form, others};
  struct load_names names = {form_key, &keys};
  struct scn_comparison *comparisons =
      scn_memory_take(loader->memory, value->count, sizeof *comparisons);
  if (comparisons == NULL) {
    return;
  }
  for (const struct scn_json_value *member = value->first; member != NULL; member = member->next) {
    const struct field *field = member->key_broken ? NULL : find_field(form, member->key);
    if (field != NULL) {
      scn_load_comparison(loader, member, &field->compared, field->key,
                          &comparisons[expectation->comparison_count++]);
    } else if (!member->key_broken && scn_load_name_find(names, member->key) < 0) {
      scn_load_error(loader, member->key_position, "expected a key of %s (%s), found \"%.100s\"%s",
                     form->what, scn_load_names_text(loader, names), member->key,
                     scn_load_suggest(loader, names, member->key));
    }
  }
  expectation->comparisons = comparisons;
}

static void read_headers(struct scn_loader *loader, const struct scn_json_value *value,
                         struct scn_expectation *expectation) {
  static const struct load_compared compared = {.type = LOAD_STRING, .or_null = true};
  if (!scn_load_is(loader, value, SCN_JSON_OBJECT, "an object of header names and values")) {
    return;
  }
  struct scn_comparison *headers = scn_memory_take(loader->memory, value->count, sizeof *headers);
  for (const struct scn_json_value *member = value->first; member != NULL && headers != NULL;
       member = member->next) {
    scn_load_comparison(loader, member, &compared, member->key,
                        &headers[expectation->header_count++]);
  }
  expectation->headers = headers;
}

/* An expectation of nothing holds always, and was meant otherwise. */
static void require_field(struct scn_loader *loader, const struct scn_json_value *value,
                          const struct form *form, const char *const *others,
                          const struct scn_expectation *expectation) {
  if (value->count == 1 && expectation->comparison_count == 0) {
    struct keys keys = {form, others};
    struct load_names names = {form_key, &keys};
    scn_load_error(loader, value->position,
                   "expected something to hold for %s beside \"%s\" (keys: %s), found nothing",
                   form->what, form->key, scn_load_names_text(loader, names));
  }
}

/* ---- Forms -------------------------------------------------------------------------------- */

static const char *const no_others[] = {NULL};
static const char *const op_others[] = {"header", NULL};

static void read_op(struct scn_loader *loader, const struct scn_json_value *value,
                    const struct form *form, struct scn_expectation *expectation) {
  const struct scn_json_value *op = scn_json_find(value, form->key);
  const struct scn_json_value *header = scn_json_find(value, "header");
  if (scn_load_label_text(loader, op, &expectation->subject)) {
    scn_load_label_refer(loader, op, expectation->subject, LOAD_NEED_OPERATION,
                         loader->reading_order);
  }
  read_fields(loader, value, form, op_others, expectation);
  if (header != NULL) {
    read_headers(loader, header, expectation);
  }
  require_field(loader, value, form, op_others, expectation);
}

/* Account, conn or upstream. */
static void read_thing(struct scn_loader *loader, const struct scn_json_value *value,
                       const struct form *form, struct scn_expectation *expectation) {
  const struct scn_json_value *subject = scn_json_find(value, form->key);
  if (form->kind == SCN_EXPECT_ACCOUNT) {
    scn_load_account_field(loader, subject, &expectation->account);
  } else {
    scn_load_text_field(loader, subject, &expectation->subject);
  }
  read_fields(loader, value, form, no_others, expectation);
  require_field(loader, value, form, no_others, expectation);
}

static const char *const operator_keys[] = {
#define NAME(id, name) name,
    SCN_OPERATOR_LIST(NAME)
#undef NAME
        NULL};
static const char *const percentile_others[] = {"p",
#define NAME(id, name) name,
                                                SCN_OPERATOR_LIST(NAME)
#undef NAME
                                                    NULL};

static void read_beside(struct scn_loader *loader, const struct scn_json_value *value,
                        const struct load_compared *compared, struct scn_expectation *expectation) {
  struct scn_comparison *comparison = scn_memory_take(loader->memory, 1, sizeof *comparison);
  size_t known_keys = 1 + (scn_json_find(value, "p") != NULL);
  if (comparison != NULL && scn_load_beside(loader, value, compared, known_keys, comparison)) {
    expectation->comparisons = comparison;
    expectation->comparison_count = 1;
  }
}

static const char *const metric_names[] = {
#define NAME(name) #name,
    WSP_METRIC_LIST(NAME)
#undef NAME
        "proxy_client_cache_hits",
    "proxy_client_cache_misses", "transport_reuse_ratio", NULL};

static void read_metric(struct scn_loader *loader, const struct scn_json_value *value,
                        const struct form *form, struct scn_expectation *expectation) {
  const struct scn_json_value *metric = scn_json_find(value, form->key);
  int index =
      scn_load_choice(loader, metric, scn_load_names_of(metric_names), "the name of a metric");
  read_fields(loader, value, form, operator_keys, expectation);
  if (index >= 0) {
    expectation->subject = metric_names[index];
    bool ratio = strcmp(expectation->subject, "transport_reuse_ratio") == 0;
    read_beside(loader, value, &(struct load_compared){.type = ratio ? LOAD_DECIMAL : LOAD_INTEGER},
                expectation);
  }
}

/* A query that can not be run is a mistake of the file, and told before anything runs. */
static void check_sql(struct scn_loader *loader, const struct scn_json_value *value,
                      const char *query) {
  char message[512];
  if (loader->sql == NULL && (loader->sql = rep_sql_open()) == NULL) {
    scn_load_error(loader, value->position, "expected memory enough to check this SQL, found none");
  } else if (!rep_sql_check(loader->sql, query, message, sizeof message)) {
    scn_load_error(loader, value->position, "%s%s", scn_load_where(loader, value), message);
  }
}

static void read_sql(struct scn_loader *loader, const struct scn_json_value *value,
                     const struct form *form, struct scn_expectation *expectation) {
  const struct scn_json_value *sql = scn_json_find(value, form->key);
  scn_load_text_field(loader, sql, &expectation->subject);
  if (expectation->subject != NULL) {
    check_sql(loader, sql, expectation->subject);
  }
  read_fields(loader, value, form, operator_keys, expectation);
  read_beside(loader, value, &(struct load_compared){.type = LOAD_SCALAR}, expectation);
}

static const char *const percentile_names[] = {"queue_wait", "dial", "hold", NULL};

static void read_percentile(struct scn_loader *loader, const struct scn_json_value *value,
                            const struct form *form, struct scn_expectation *expectation) {
  static const char expected_p[] = "a number from 0 to 100 with at most nine decimals";
  const struct scn_json_value *percentile = scn_json_find(value, form->key);
  const struct scn_json_value *p = scn_json_find(value, "p");
  int index = scn_load_choice(loader, percentile, scn_load_names_of(percentile_names), "a measure");
  read_fields(loader, value, form, percentile_others, expectation);
  if (index >= 0) {
    expectation->subject = percentile_names[index];
  }
  scn_load_require(loader, value, "p", form->what);
  wsp_decimal places = 0;
  if (p != NULL && scn_load_decimal(loader, p, expected_p, &places)) {
    if (places < 0 || places > 100 * WSP_DECIMAL_ONE) {
      scn_load_expected(loader, p, expected_p);
    } else {
      expectation->percentile = places;
    }
  }
  read_beside(loader, value, &(struct load_compared){.type = LOAD_DURATION}, expectation);
}

/* In the order in which they claim an expectation: "conn" and "account" are fields of others. */
static const struct form forms[] = {
    {SCN_EXPECT_OP, "op", "an expectation of an operation", op_fields, LOAD_COUNT(op_fields)},
    {SCN_EXPECT_METRIC, "metric", "an expectation of a metric", NULL, 0},
    {SCN_EXPECT_UPSTREAM, "upstream", "an expectation of an upstream", upstream_fields,
     LOAD_COUNT(upstream_fields)},
    {SCN_EXPECT_EVENT, "event", "an expectation of an event", NULL, 0},
    {SCN_EXPECT_EVENTS, "events", "an expectation of events", NULL, 0},
    {SCN_EXPECT_EVENTS, "forbid", "an expectation of events", NULL, 0},
    {SCN_EXPECT_ORDER, "order", "an expectation of an order", NULL, 0},
    {SCN_EXPECT_SQL, "sql", "an expectation of SQL", NULL, 0},
    {SCN_EXPECT_PERCENTILE, "percentile", "an expectation of a percentile", NULL, 0},
    {SCN_EXPECT_CONN, "conn", "an expectation of a conn", conn_fields, LOAD_COUNT(conn_fields)},
    {SCN_EXPECT_ACCOUNT, "account", "an expectation of an account", account_fields,
     LOAD_COUNT(account_fields)}};

static const char *form_name(const void *context, size_t index) {
  (void)context;
  return index < LOAD_COUNT(forms) ? forms[index].key : NULL;
}

static const struct form *find_form(const struct scn_json_value *value) {
  for (size_t i = 0; i < LOAD_COUNT(forms); i++) {
    const struct scn_json_value *member = scn_json_find(value, forms[i].key);
    if (member != NULL) {
      return &forms[i];
    }
  }
  return NULL;
}

/* A copy without one of its members, which every form may have. NULL: no memory. */
static const struct scn_json_value *without(struct scn_loader *loader,
                                            const struct scn_json_value *value,
                                            const struct scn_json_value *member) {
  struct scn_json_value *copy = scn_memory_take(loader->memory, 1, sizeof *copy);
  struct scn_json_value *children = scn_memory_take(loader->memory, value->count, sizeof *children);
  if (copy == NULL || children == NULL) {
    return NULL;
  }
  *copy = *value;
  copy->first = NULL;
  copy->count = 0;
  struct scn_json_value **last = &copy->first;
  for (const struct scn_json_value *child = value->first; child != NULL; child = child->next) {
    if (child != member) {
      struct scn_json_value *kept = &children[copy->count];
      *kept = *child;
      kept->index = copy->count++;
      kept->next = NULL;
      *last = kept;
      last = &kept->next;
    }
  }
  return copy;
}

static void read_form(struct scn_loader *loader, const struct scn_json_value *value,
                      struct scn_expectation *expectation);

static void read_expectation(struct scn_loader *loader, const struct scn_json_value *value,
                             struct scn_expectation *expectation) {
  expectation->position = value->position;
  if (!scn_load_is(loader, value, SCN_JSON_OBJECT, "an expectation (an object)")) {
    return;
  }
  const struct scn_json_value *dependent = scn_json_find(value, "order_dependent");
  if (dependent != NULL) {
    scn_load_bool(loader, dependent, &expectation->order_dependent);
    value = without(loader, value, dependent);
  }
  if (value != NULL) {
    read_form(loader, value, expectation);
  }
}

static void read_form(struct scn_loader *loader, const struct scn_json_value *value,
                      struct scn_expectation *expectation) {
  const struct form *form = find_form(value);
  if (form == NULL) {
    struct load_names names = {form_name, NULL};
    scn_load_error(
        loader, value->position, "expected an expectation with one of the keys %s, found %s%s",
        scn_load_names_text(loader, names), value->count == 0 ? "an empty object" : "none of them",
        value->count == 0 ? "" : scn_load_suggest(loader, names, value->first->key));
    return;
  }
  expectation->kind = form->kind;
  expectation->text = scn_json_compact(loader->memory, value);
  switch (form->kind) {
    case SCN_EXPECT_OP:
      read_op(loader, value, form, expectation);
      break;
    case SCN_EXPECT_METRIC:
      read_metric(loader, value, form, expectation);
      break;
    case SCN_EXPECT_ACCOUNT:
    case SCN_EXPECT_CONN:
    case SCN_EXPECT_UPSTREAM:
      read_thing(loader, value, form, expectation);
      break;
    case SCN_EXPECT_EVENT:
      scn_load_expect_event(loader, value, expectation);
      break;
    case SCN_EXPECT_EVENTS:
      scn_load_expect_events(loader, value, expectation);
      break;
    case SCN_EXPECT_ORDER:
      scn_load_expect_order(loader, value, expectation);
      break;
    case SCN_EXPECT_SQL:
      read_sql(loader, value, form, expectation);
      break;
    case SCN_EXPECT_PERCENTILE:
      read_percentile(loader, value, form, expectation);
      break;
  }
}

const struct scn_expectation *scn_load_expectations(struct scn_loader *loader,
                                                    const struct scn_json_value *value,
                                                    size_t *count) {
  if (!scn_load_is(loader, value, SCN_JSON_LIST, "a list of expectations")) {
    return NULL;
  }
  struct scn_expectation *expectations =
      scn_memory_take(loader->memory, value->count, sizeof *expectations);
  *count = 0;
  for (const struct scn_json_value *item = value->first; item != NULL && expectations != NULL;
       item = item->next) {
    read_expectation(loader, item, &expectations[(*count)++]);
  }
  return expectations;
}
