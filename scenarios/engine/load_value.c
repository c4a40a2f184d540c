/*
 * load_value.c - objects by their fields, and values by their types.
 */
#include <string.h>

#include "scenarios/engine/load_internal.h"
#include "sim/duration.h"

bool load_is(struct scn_loader *loader, const struct scn_json_value *value, enum scn_json_kind kind,
             const char *expected) {
  if (value->kind == kind && !value->broken) {
    return true;
  }
  load_expected(loader, value, expected);
  return false;
}

/* ---- Objects ------------------------------------------------------------------------------ */

static const char *field_key(const void *context, size_t index) {
  const struct load_shape *shape = context;
  return index < shape->count ? shape->fields[index].key : NULL;
}

bool load_object(struct scn_loader *loader, const struct scn_json_value *value,
                 const struct load_shape *shape, void *target) {
  if (!load_is(loader, value, SCN_JSON_OBJECT, "an object")) {
    return false;
  }
  struct load_names keys = {field_key, shape};
  for (const struct scn_json_value *member = value->first; member != NULL; member = member->next) {
    if (member->key_broken) {
      continue;
    }
    int index = load_name_find(keys, member->key);
    if (index >= 0) {
      shape->fields[index].read(loader, member, (char *)target + shape->fields[index].offset);
    } else if (shape->count == 0) {
      load_error(loader, member->key_position, "expected no key in %s, found \"%.100s\"",
                 shape->what, member->key);
    } else {
      load_error(loader, member->key_position, "expected a key of %s (%s), found \"%.100s\"%s",
                 shape->what, load_names_text(loader, keys), member->key,
                 load_suggest(loader, keys, member->key));
    }
  }
  return true;
}

bool load_require(struct scn_loader *loader, const struct scn_json_value *object, const char *key,
                  const char *what) {
  if (object->kind != SCN_JSON_OBJECT || scn_json_find(object, key) != NULL) {
    return object->kind == SCN_JSON_OBJECT;
  }
  load_error(loader, object->position, "expected the key \"%s\" in %s, found none", key, what);
  return false;
}

void load_elsewhere(struct scn_loader *loader, const struct scn_json_value *value, void *target) {
  (void)loader;
  (void)value;
  (void)target;
}

/* ---- Values ------------------------------------------------------------------------------- */

bool load_string(struct scn_loader *loader, const struct scn_json_value *value,
                 const char **string) {
  if (!load_is(loader, value, SCN_JSON_STRING, "a string")) {
    return false;
  }
  *string = value->string;
  return true;
}

bool load_bool(struct scn_loader *loader, const struct scn_json_value *value, bool *boolean) {
  if (!load_is(loader, value, SCN_JSON_BOOL, "true or false")) {
    return false;
  }
  *boolean = value->boolean;
  return true;
}

/* The number times 10^places as a signed 64-bit integer. */
static enum scn_number_error scale(const char *text, size_t length, int places, int64_t *result) {
  bool negative = false;
  uint64_t magnitude = 0;
  enum scn_number_error error = scn_json_number(text, length, places, &negative, &magnitude);
  if (error != SCN_NUMBER_OK) {
    return error;
  }
  if (magnitude > (uint64_t)INT64_MAX + negative) {
    return SCN_NUMBER_TOO_BIG;
  }
  *result = !negative                         ? (int64_t)magnitude
            : magnitude > (uint64_t)INT64_MAX ? INT64_MIN
                                              : -(int64_t)magnitude;
  return SCN_NUMBER_OK;
}

bool load_integer(struct scn_loader *loader, const struct scn_json_value *value, int64_t least,
                  int64_t most, const char *expected, int64_t *integer) {
  int64_t result = 0;
  if (!load_is(loader, value, SCN_JSON_NUMBER, expected)) {
    return false;
  }
  enum scn_number_error error = scale(value->text, value->length, 0, &result);
  if (error == SCN_NUMBER_TOO_BIG) {
    load_expected_hint(loader, value, expected, ", which does not fit in 64 bits");
    return false;
  }
  if (error != SCN_NUMBER_OK || result < least || result > most) {
    load_expected(loader, value, expected);
    return false;
  }
  *integer = result;
  return true;
}

bool load_decimal(struct scn_loader *loader, const struct scn_json_value *value,
                  const char *expected, wsp_decimal *decimal) {
  int64_t result = 0;
  if (!load_is(loader, value, SCN_JSON_NUMBER, expected)) {
    return false;
  }
  switch (scale(value->text, value->length, 9, &result)) {
    case SCN_NUMBER_TOO_FINE:
      load_expected_hint(loader, value, expected, ", which has more than nine decimals");
      return false;
    case SCN_NUMBER_TOO_BIG:
      load_expected_hint(loader, value, expected, ", which is beyond 9223372036");
      return false;
    case SCN_NUMBER_OK:
      break;
  }
  *decimal = result;
  return true;
}

bool load_decimal_text(const char *text, size_t length, wsp_decimal *decimal) {
  int64_t result = 0;
  if (length > SCN_JSON_NUMBER_LIMIT || length == 0 ||
      scn_json_number_length(text, length) != length ||
      scale(text, length, 9, &result) != SCN_NUMBER_OK || result < 0) {
    return false;
  }
  *decimal = result;
  return true;
}

bool load_seed(struct scn_loader *loader, const struct scn_json_value *value, uint64_t *seed) {
  bool text = value->kind == SCN_JSON_STRING && !value->broken;
  const char *digits = text ? value->string : value->text;
  size_t length = text ? strlen(value->string) : value->length;
  bool negative = false;
  uint64_t magnitude = 0;
  bool right = (text || value->kind == SCN_JSON_NUMBER) && length > 0 &&
               length <= SCN_JSON_NUMBER_LIMIT &&
               (!text || strspn(digits, "0123456789") == length) &&
               scn_json_number(digits, length, 0, &negative, &magnitude) == SCN_NUMBER_OK;
  if (!right || negative || value->broken) {
    load_expected(loader, value, "a whole number from 0 to 18446744073709551615");
    return false;
  }
  *seed = magnitude;
  return true;
}

bool load_any_duration(struct scn_loader *loader, const struct scn_json_value *value,
                       wsp_duration *duration) {
  static const char expected[] = "a duration such as \"60ms\"";
  wsp_duration result = 0;
  if (!load_is(loader, value, SCN_JSON_STRING, expected)) {
    return false;
  }
  enum sim_duration_error error = sim_duration_parse(value->string, &result, NULL);
  if (error == SIM_DURATION_EMPTY || error == SIM_DURATION_OVERFLOW) {
    load_expected(loader, value, sim_duration_error_text(error));
    return false;
  }
  if (error != SIM_DURATION_OK) {
    load_expected_hint(
        loader, value, expected,
        scn_memory_format(loader->memory, ", which lacks %s", sim_duration_error_text(error)));
    return false;
  }
  *duration = result;
  return true;
}

bool load_duration(struct scn_loader *loader, const struct scn_json_value *value,
                   wsp_duration *duration) {
  wsp_duration result = 0;
  if (!load_any_duration(loader, value, &result)) {
    return false;
  }
  if (result < 0 || result > LOAD_TIME_LIMIT) {
    load_expected(loader, value,
                  result < 0 ? "a duration of 0s or more" : "a duration of at most 73 years");
    return false;
  }
  *duration = result;
  return true;
}

/* ---- Readers of fields -------------------------------------------------------------------- */

void load_string_field(struct scn_loader *loader, const struct scn_json_value *value,
                       void *target) {
  load_string(loader, value, target);
}

void load_text_field(struct scn_loader *loader, const struct scn_json_value *value, void *target) {
  if (value->kind == SCN_JSON_STRING && !value->broken && value->string[0] == '\0') {
    load_expected(loader, value, "a string that is not empty");
  } else {
    load_string(loader, value, target);
  }
}

void load_bool_field(struct scn_loader *loader, const struct scn_json_value *value, void *target) {
  load_bool(loader, value, target);
}

void load_duration_field(struct scn_loader *loader, const struct scn_json_value *value,
                         void *target) {
  load_duration(loader, value, target);
}

void load_timeout_field(struct scn_loader *loader, const struct scn_json_value *value,
                        void *target) {
  if (value->kind == SCN_JSON_NUMBER && !value->broken) {
    int64_t none = 0;
    load_integer(loader, value, 0, 0, "a duration such as \"5s\", or 0 for none", &none);
  } else {
    load_duration(loader, value, target);
  }
}

void load_strings_field(struct scn_loader *loader, const struct scn_json_value *value,
                        void *target) {
  struct scn_strings *strings = target;
  if (!load_is(loader, value, SCN_JSON_LIST, "a list of strings")) {
    return;
  }
  strings->items = scn_memory_take(loader->memory, value->count, sizeof *strings->items);
  strings->count = 0;
  if (strings->items == NULL) {
    return;
  }
  for (const struct scn_json_value *item = value->first; item != NULL; item = item->next) {
    load_text_field(loader, item, &strings->items[strings->count++]);
  }
}

const struct wsp_header *load_headers(struct scn_loader *loader, const struct scn_json_value *value,
                                      size_t *count) {
  if (!load_is(loader, value, SCN_JSON_OBJECT, "an object of header names and strings")) {
    return NULL;
  }
  struct wsp_header *headers = scn_memory_take(loader->memory, value->count, sizeof *headers);
  *count = 0;
  if (headers == NULL) {
    return NULL;
  }
  for (const struct scn_json_value *member = value->first; member != NULL; member = member->next) {
    struct wsp_header *header = &headers[(*count)++];
    *header = (struct wsp_header){.name = member->key, .value = ""};
    if (member->key[strspn(member->key, " \t\r\n")] == '\0') {
      load_error(loader, member->key_position, "expected the name of a header, found a blank one");
    }
    load_string(loader, member, &header->value);
  }
  return headers;
}

void load_account_field(struct scn_loader *loader, const struct scn_json_value *value,
                        void *target) {
  load_integer(loader, value, INT64_MIN, INT64_MAX, "the whole number of an account", target);
}

void load_default_account(struct scn_loader *loader, const struct scn_json_value *object,
                          int64_t *account) {
  const struct scn_scenario *scenario = loader->scenario;
  if (scn_json_find(object, "account") != NULL) {
    return;
  }
  if (loader->accounts_known && scenario->account_count > 1) {
    load_error(loader, object->position,
               "expected the key \"account\", because the scenario has %zu accounts; found none",
               scenario->account_count);
  } else if (scenario->account_count > 0) {
    *account = scenario->accounts[0].account.id;
  }
}
