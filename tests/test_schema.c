/*
 * test_schema.c - holds the lists of names in scenarios/schema.json against the lists in C.
 *
 * Whether the schema accepts the right files is for tests/integration/schema.sh to say.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/invariant.h"
#include "sim/trace.h"
#include "tests/loader_fixture.h"
#include "tests/suites.h"

static cJSON *schema;

static void read_schema(void) {
  size_t length = 0;
  char *text = loader_read_file("scenarios/schema.json", &length);
  CU_ASSERT_PTR_NOT_NULL_FATAL(text);
  cJSON_Delete(schema);
  schema = cJSON_Parse(text);
  free(text);
  CU_ASSERT_PTR_NOT_NULL_FATAL(schema);
}

static void forget_schema(void) {
  cJSON_Delete(schema);
  schema = NULL;
}

static cJSON *definition(const char *name) {
  cJSON *found = cJSON_GetObjectItemCaseSensitive(
      cJSON_GetObjectItemCaseSensitive(schema, "definitions"), name);
  if (found == NULL) {
    printf("\n  expected the definition %s in the schema, found none\n", name);
  }
  return found;
}

static cJSON *under(cJSON *object, const char *key) {
  return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* The enumeration of a definition is `names`, in that order. */
static bool lists(const char *name, const char *const *names, size_t count) {
  cJSON *list = under(definition(name), "enum");
  bool same = cJSON_GetArraySize(list) == (int)count;
  for (size_t i = 0; same && i < count; i++) {
    same = strcmp(cJSON_GetStringValue(cJSON_GetArrayItem(list, (int)i)), names[i]) == 0;
  }
  if (!same) {
    printf("\n  the enumeration %s of the schema is another list than that in C\n", name);
  }
  return same;
}

/* The properties of `object` are `names` and nothing else. */
static bool has_properties(cJSON *object, const char *const *names, size_t count) {
  cJSON *properties = under(object, "properties");
  bool same = cJSON_GetArraySize(properties) == (int)count &&
              cJSON_IsFalse(under(object, "additionalProperties"));
  for (size_t i = 0; i < count; i++) {
    if (under(properties, names[i]) == NULL) {
      printf("\n  expected the property %s in the schema, found none\n", names[i]);
      same = false;
    }
  }
  if (!same) {
    printf("\n  expected %zu properties, found %d\n", count, cJSON_GetArraySize(properties));
  }
  return same;
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define NAME(name) #name,
#define SECOND(id, name) name,

static void the_schema_knows_each_key_of_the_configuration_with_its_type(void) {
  static const struct {
    const char *type, *definition, *list;
  } types[] = {{"int64_t", "#/definitions/integer", "#/definitions/integerList"},
               {"wsp_decimal", "#/definitions/decimal", "#/definitions/decimalList"},
               {"wsp_duration", "#/definitions/anyDuration", "#/definitions/durationList"},
               {"bool", "boolean", "#/definitions/booleanList"}};
  static const struct {
    const char *type, *name;
  } keys[] = {
#define KEY(type, name, value) {#type, #name},
      WSP_CONFIG_LIST(KEY)
#undef KEY
  };
  read_schema();
  cJSON *config = under(definition("config"), "properties");
  cJSON *matrix = under(definition("matrix"), "properties");
  CU_ASSERT_EQUAL(cJSON_GetArraySize(config), (int)COUNT(keys));
  CU_ASSERT_EQUAL(cJSON_GetArraySize(matrix), (int)COUNT(keys) + 1);
  CU_ASSERT_PTR_NOT_NULL(under(matrix, "seed"));
  for (size_t i = 0; i < COUNT(keys); i++) {
    char dotted[100];
    snprintf(dotted, sizeof dotted, "config.%s", keys[i].name);
    cJSON *key = under(config, keys[i].name);
    const char *reference = cJSON_GetStringValue(under(key, "$ref"));
    const char *type = reference != NULL ? reference : cJSON_GetStringValue(under(key, "type"));
    const char *list = cJSON_GetStringValue(under(under(matrix, dotted), "$ref"));
    CU_ASSERT_FATAL(type != NULL && list != NULL);
    for (size_t t = 0; t < COUNT(types); t++) {
      if (strcmp(types[t].type, keys[i].type) == 0) {
        CU_ASSERT_STRING_EQUAL(type, types[t].definition);
        CU_ASSERT_STRING_EQUAL(list, types[t].list);
      }
    }
    CU_ASSERT_PTR_NOT_NULL(under(key, "description"));
  }
  forget_schema();
}

static void the_schema_knows_each_result_and_error(void) {
  static const char *const names[] = {
#define ERROR(id, name, text) name,
      WSP_ERROR_LIST(ERROR)
#undef ERROR
          "pending",
      "refused"};
  const char *results[COUNT(names)];
  size_t count = 0;
  for (size_t i = 0; i < COUNT(names); i++) {
    if (strcmp(names[i], "would_wait") != 0) {
      results[count++] = names[i];
    }
  }
  read_schema();
  CU_ASSERT(lists("result", results, count));
  CU_ASSERT(lists("error", results, count - 2));
  forget_schema();
}

static void the_schema_knows_each_reason(void) {
  static const char *const names[] = {WSP_REASON_LIST(SECOND)};
  read_schema();
  CU_ASSERT(lists("reason", names + 1, COUNT(names) - 1));
  forget_schema();
}

static void the_schema_knows_each_metric(void) {
  static const char *const names[] = {WSP_METRIC_LIST(NAME) "proxy_client_cache_hits",
                                      "proxy_client_cache_misses", "transport_reuse_ratio"};
  read_schema();
  CU_ASSERT(lists("metric", names, COUNT(names)));
  forget_schema();
}

static void the_schema_knows_each_preset(void) {
  static const char *const names[] = {FAKE_PRESET_LIST(SECOND)};
  read_schema();
  cJSON *fake = under(under(definition("upstream"), "properties"), "fake");
  CU_ASSERT_PTR_NOT_NULL_FATAL(fake);
  CU_ASSERT(lists("preset", names, COUNT(names)));
  CU_ASSERT_STRING_EQUAL(cJSON_GetStringValue(under(fake, "$ref")), "#/definitions/preset");
  forget_schema();
}

static void the_schema_knows_each_counter_of_upstreams(void) {
  static const char *const names[] = {FAKE_COUNTER_LIST(NAME) "upstream", "order_dependent"};
  read_schema();
  CU_ASSERT(has_properties(definition("expect.upstream"), names, COUNT(names)));
  forget_schema();
}

static void the_schema_knows_each_operation_of_steps(void) {
  static const char *const names[] = {SCN_STEP_LIST(SECOND) "at", "after"};
  const char *members[] = {SCN_STEP_LIST(SECOND)};
  members[SCN_TOGETHER] = members[COUNT(members) - 1]; /* all but "together" */
  read_schema();
  CU_ASSERT(has_properties(definition("step"), names, COUNT(names)));
  CU_ASSERT(has_properties(definition("member"), members, COUNT(members) - 1));
  forget_schema();
}

static void the_schema_knows_each_operator(void) {
  static const char *const names[] = {SCN_OPERATOR_LIST(SECOND) "sql", "order_dependent"};
  read_schema();
  CU_ASSERT(has_properties(definition("expect.sql"), names, COUNT(names)));
  forget_schema();
}

static void the_schema_knows_each_invariant_and_what_it_says(void) {
  static const char *const names[] = {
#define INVARIANT(id, name, sentence) name, sentence,
      SIM_INVARIANT_LIST(INVARIANT)
#undef INVARIANT
  };
  read_schema();
  cJSON *list = under(definition("invariant"), "oneOf");
  CU_ASSERT_EQUAL_FATAL(cJSON_GetArraySize(list), SIM_INVARIANT_COUNT);
  for (int i = 0; i < SIM_INVARIANT_COUNT; i++) {
    cJSON *item = cJSON_GetArrayItem(list, i);
    CU_ASSERT_STRING_EQUAL(cJSON_GetStringValue(under(item, "const")), names[2 * i]);
    CU_ASSERT_STRING_EQUAL(cJSON_GetStringValue(under(item, "description")), names[2 * i + 1]);
  }
  forget_schema();
}

static void expect_field(cJSON *where, const char *name) {
  if (name != NULL && under(where, name) == NULL) {
    printf("\n  expected the field %s of events in the schema, found none\n", name);
    CU_FAIL("a field of events is not in the schema");
  }
}

static void the_schema_knows_each_kind_of_event_and_its_fields(void) {
  const char *names[SIM_EVENT_KIND_COUNT];
  read_schema();
  cJSON *where = under(definition("where"), "properties");
  for (uint16_t kind = 0; kind < SIM_EVENT_KIND_COUNT; kind++) {
    const struct sim_event_type *type = sim_event_type(kind);
    names[kind] = type->name;
    expect_field(where, type->cause);
    for (size_t i = 0; i < COUNT(type->values); i++) {
      expect_field(where, type->values[i]);
    }
    for (size_t i = 0; i < COUNT(type->texts); i++) {
      expect_field(where, type->texts[i]);
    }
  }
  CU_ASSERT(lists("event", names, SIM_EVENT_KIND_COUNT));
  forget_schema();
}

CU_TestInfo suite_schema[] = {
    {"the schema knows each key of the configuration with its type",
     the_schema_knows_each_key_of_the_configuration_with_its_type},
    {"the schema knows each result and error", the_schema_knows_each_result_and_error},
    {"the schema knows each reason", the_schema_knows_each_reason},
    {"the schema knows each metric", the_schema_knows_each_metric},
    {"the schema knows each preset", the_schema_knows_each_preset},
    {"the schema knows each counter of upstreams", the_schema_knows_each_counter_of_upstreams},
    {"the schema knows each operation of steps", the_schema_knows_each_operation_of_steps},
    {"the schema knows each operator", the_schema_knows_each_operator},
    {"the schema knows each invariant and what it says",
     the_schema_knows_each_invariant_and_what_it_says},
    {"the schema knows each kind of event and its fields",
     the_schema_knows_each_kind_of_event_and_its_fields},
    CU_TEST_INFO_NULL};
