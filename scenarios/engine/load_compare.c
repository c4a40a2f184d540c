/*
 * load_compare.c - comparisons: a bare value, or an object of operators, of the type that the
 * compared field has.
 */
#include <string.h>

#include "scenarios/engine/load_internal.h"
#include "sim/trace.h"

static const char *const operators[] = {
#define NAME(id, name) name,
    SCN_OPERATOR_LIST(NAME)
#undef NAME
        NULL};

static const char *operator_name(const void *context, size_t index) {
  (void)context;
  return operators[index];
}

static const struct load_names names = {operator_name, NULL};

static bool is_operator(const char *key) {
  return scn_load_name_find(names, key) >= 0;
}

/* ---- Values ------------------------------------------------------------------------------- */

static bool read_number(struct scn_loader *loader, const struct scn_json_value *value,
                        struct scn_value *result) {
  bool negative = false;
  uint64_t magnitude = 0;
  bool whole =
      value->kind == SCN_JSON_NUMBER && !value->broken &&
      scn_json_number(value->text, value->length, 0, &negative, &magnitude) != SCN_NUMBER_TOO_FINE;
  result->kind = whole ? SCN_INTEGER : SCN_DECIMAL;
  return whole ? scn_load_integer(loader, value, INT64_MIN, INT64_MAX, "a number", &result->integer)
               : scn_load_decimal(loader, value, "a number", &result->integer);
}

static bool read_scalar(struct scn_loader *loader, const struct scn_json_value *value,
                        struct scn_value *result) {
  switch (value->kind) {
    case SCN_JSON_NUMBER:
      return read_number(loader, value, result);
    case SCN_JSON_BOOL:
      result->kind = SCN_BOOL;
      return scn_load_bool(loader, value, &result->boolean);
    case SCN_JSON_STRING:
      result->kind = SCN_STRING;
      return scn_load_string(loader, value, &result->text);
    default:
      scn_load_expected(loader, value, "a number, a string, true, false or null");
      return false;
  }
}

static bool read_flag(struct scn_loader *loader, const struct scn_json_value *value,
                      struct scn_value *result) {
  if (value->kind == SCN_JSON_BOOL) {
    result->kind = SCN_BOOL;
    return scn_load_bool(loader, value, &result->boolean);
  }
  result->kind = SCN_INTEGER;
  return scn_load_integer(loader, value, INT64_MIN, INT64_MAX, "a whole number, true or false",
                          &result->integer);
}

/* The text of a value as the file has it, strings without their quotes. */
static const char *value_text(struct scn_loader *loader, const struct scn_json_value *value) {
  return value->kind == SCN_JSON_STRING
             ? value->string
             : scn_memory_copy(loader->memory, value->text, value->length);
}

static bool read_value(struct scn_loader *loader, const struct scn_json_value *value,
                       const struct load_compared *compared, struct scn_value *result) {
  bool right = false;
  *result = (struct scn_value){.kind = SCN_NULL};
  if (value->kind == SCN_JSON_NULL && (compared->or_null || compared->type == LOAD_SCALAR)) {
    result->text = "null";
    return true;
  }
  switch (compared->type) {
    case LOAD_INTEGER:
      result->kind = SCN_INTEGER;
      right =
          scn_load_integer(loader, value, INT64_MIN, INT64_MAX, "a whole number", &result->integer);
      break;
    case LOAD_DECIMAL:
      right = read_number(loader, value, result);
      break;
    case LOAD_DURATION:
      result->kind = SCN_DURATION;
      right = scn_load_duration(loader, value, &result->integer);
      break;
    case LOAD_BOOL:
      result->kind = SCN_BOOL;
      right = scn_load_bool(loader, value, &result->boolean);
      break;
    case LOAD_STRING:
      result->kind = SCN_STRING;
      right = scn_load_string(loader, value, &result->text);
      break;
    case LOAD_CHOICE:
      result->kind = SCN_STRING;
      right = scn_load_choice(loader, value, compared->names, compared->what) >= 0;
      break;
    case LOAD_FLAG:
      right = read_flag(loader, value, result);
      break;
    case LOAD_SCALAR:
      right = read_scalar(loader, value, result);
      break;
  }
  if (right) {
    result->text = value_text(loader, value);
  }
  return right;
}

/* ---- Operators ---------------------------------------------------------------------------- */

static bool has_order(const struct load_compared *compared) {
  return compared->type != LOAD_BOOL && compared->type != LOAD_STRING &&
         compared->type != LOAD_CHOICE;
}

static bool is_text(const struct load_compared *compared) {
  return compared->type == LOAD_STRING || compared->type == LOAD_CHOICE ||
         compared->type == LOAD_SCALAR;
}

static bool read_in(struct scn_loader *loader, const struct scn_json_value *value,
                    const struct load_compared *compared, struct scn_test *test) {
  if (!scn_load_is(loader, value, SCN_JSON_LIST, "a list of values")) {
    return false;
  }
  if (value->count == 0) {
    scn_load_expected(loader, value, "a list of at least one value");
    return false;
  }
  struct scn_value *values = scn_memory_take(loader->memory, value->count, sizeof *values);
  if (values == NULL) {
    return false;
  }
  bool right = true;
  for (const struct scn_json_value *item = value->first; item != NULL; item = item->next) {
    right = read_value(loader, item, compared, &values[test->count++]) && right;
  }
  test->values = values;
  return right;
}

static bool read_contains(struct scn_loader *loader, const struct scn_json_value *value,
                          struct scn_test *test) {
  test->value.kind = SCN_STRING;
  return scn_load_string(loader, value, &test->value.text);
}

/* The operator that is the key of `value`, and what stands under it. */
static bool read_test(struct scn_loader *loader, const struct scn_json_value *value,
                      const struct load_compared *compared, struct scn_test *test) {
  test->operator_ = (enum scn_operator)scn_load_name_find(names, value->key);
  switch (test->operator_) {
    case SCN_IN:
      return read_in(loader, value, compared, test);
    case SCN_CONTAINS:
      if (is_text(compared)) {
        return read_contains(loader, value, test);
      }
      scn_load_error(loader, value->key_position,
                     "expected eq, ne, in%s here, found \"contains\", which is for strings",
                     has_order(compared) ? ", lt, le, gt or ge" : "");
      return false;
    case SCN_LT:
    case SCN_LE:
    case SCN_GT:
    case SCN_GE:
      if (!has_order(compared)) {
        scn_load_error(
            loader, value->key_position,
            "expected eq, ne%s or in here, found \"%s\", which is for numbers and durations",
            is_text(compared) ? ", contains" : "", value->key);
        return false;
      }
      break;
    case SCN_EQ:
    case SCN_NE:
      break;
  }
  return read_value(loader, value, compared, &test->value);
}

static bool read_bare(struct scn_loader *loader, const struct scn_json_value *value,
                      const struct load_compared *compared, struct scn_comparison *comparison) {
  struct scn_test *test = scn_memory_take(loader->memory, 1, sizeof *test);
  if (test == NULL) {
    return false;
  }
  test->operator_ = compared->contains ? SCN_CONTAINS : SCN_EQ;
  comparison->tests = test;
  comparison->count = 1;
  return compared->contains ? read_contains(loader, value, test)
                            : read_value(loader, value, compared, &test->value);
}

bool scn_load_comparison(struct scn_loader *loader, const struct scn_json_value *value,
                         const struct load_compared *compared, const char *field,
                         struct scn_comparison *comparison) {
  *comparison = (struct scn_comparison){.field = field, .position = value->position};
  if (value->kind != SCN_JSON_OBJECT) {
    return read_bare(loader, value, compared, comparison);
  }
  if (value->count == 0) {
    scn_load_expected(loader, value, "a value or at least one operator");
    return false;
  }
  struct scn_test *tests = scn_memory_take(loader->memory, value->count, sizeof *tests);
  if (tests == NULL) {
    return false;
  }
  comparison->tests = tests;
  bool right = true;
  for (const struct scn_json_value *member = value->first; member != NULL; member = member->next) {
    if (member->key_broken) {
      continue;
    }
    if (is_operator(member->key)) {
      right = read_test(loader, member, compared, &tests[comparison->count++]) && right;
      continue;
    }
    right = false;
    scn_load_error(loader, member->key_position, "%sexpected an operator (%s), found \"%.100s\"%s",
                   scn_load_where(loader, value), scn_load_names_text(loader, names), member->key,
                   scn_load_suggest(loader, names, member->key));
  }
  return right;
}

bool scn_load_beside(struct scn_loader *loader, const struct scn_json_value *object,
                     const struct load_compared *compared, size_t known_keys,
                     struct scn_comparison *comparison) {
  *comparison = (struct scn_comparison){.field = "value", .position = object->position};
  struct scn_test *tests = scn_memory_take(loader->memory, object->count, sizeof *tests);
  if (tests == NULL) {
    return false;
  }
  comparison->tests = tests;
  bool right = true;
  for (const struct scn_json_value *member = object->first; member != NULL; member = member->next) {
    if (!member->key_broken && is_operator(member->key)) {
      if (comparison->count == 0) {
        comparison->position = member->position;
      }
      right = read_test(loader, member, compared, &tests[comparison->count++]) && right;
    }
  }
  if (comparison->count == 0 && object->count <= known_keys) {
    scn_load_error(loader, object->position, "expected at least one operator (%s) here, found none",
                   scn_load_names_text(loader, names));
  }
  return right && comparison->count > 0;
}
