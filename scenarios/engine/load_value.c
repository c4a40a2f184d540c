/*
 * load_value.c - objects by their fields, and values by their types.
 */
#include <string.h>

#include "scenarios/engine/load_internal.h"
#include "sim/duration.h"

bool scn_load_is(struct scn_loader *loader, const struct scn_json_value *value,
                 enum scn_json_kind kind, const char *expected) {
  if (value->kind == kind && !value->broken) {
    return true;
  }
  scn_load_expected(loader, value, expected);
  return false;
}

/* ---- Objects ------------------------------------------------------------------------------ */

static const char *field_key(const void *context, size_t index) {
  const struct load_shape *shape = context;
  return index < shape->count ? shape->fields[index].key : NULL;
}

bool scn_load_object(struct scn_loader *loader, const struct scn_json_value *value,
                     const struct load_shape *shape, void *target) {
  if (!scn_load_is(loader, value, SCN_JSON_OBJECT, "an object")) {
    return false;
  }
  struct load_names keys = {field_key, shape};
  for (const struct scn_json_value *member = value->first; member != NULL; member = member->next) {
    if (member->key_broken) {
      continue;
    }
    int index = scn_load_name_find(keys, member->key);
    if (index >= 0) {
      shape->fields[index].read(loader, member, (char *)target + shape->fields[index].offset);
    } else if (shape->count == 0) {
      scn_load_error(loader, member->key_position, "expected no key in %s, found \"%.100s\"",
                     shape->what, member->key);
    } else {
      scn_load_error(loader, member->key_position, "expected a key of %s (%s), found \"%.100s\"%s",
                     shape->what, scn_load_names_text(loader, keys), member->key,
                     scn_load_suggest(loader, keys, member->key));
    }
  }
  return true;
}

bool scn_load_require(struct scn_loader *loader, const struct scn_json_value *object,
                      const char *key, const char *what) {
  if (object->kind != SCN_JSON_OBJECT || scn_json_find(object, key) != NULL) {
    return object->kind == SCN_JSON_OBJECT;
  }
  scn_load_error(loader, object->position, "expected the key \"%s\" in %s, found none", key, what);
  return false;
}

void scn_load_elsewhere(struct scn_loader *loader, const struct scn_json_value *value,
                        void *target) {
  (void)loader;
  (void)value;
  (void)target;
}

/* ---- Values ------------------------------------------------------------------------------- */

bool scn_load_string(struct scn_loader *loader, const struct scn_json_value *value,
                     const char **string) {
  if (!scn_load_is(loader, value, SCN_JSON_STRING, "a string")) {
    return false;
  }
  *string = value->string;
  return true;
}

bool scn_load_bool(struct scn_loader *loader, const struct scn_json_value *value, bool *boolean) {
  if (!scn_load_is(loader, value, SCN_JSON_BOOL, "true or false")) {
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

bool scn_load_integer(struct scn_loader *loader, const struct scn_json_value *value, int64_t least,
                      int64_t most, const char *expected, int64_t *integer) {
  int64_t result = 0;
  if (!scn_load_is(loader, value, SCN_JSON_NUMBER, expected)) {
    return false;
  }
  enum scn_number_error error = scale(value->text, value->length, 0, &result);
  if (error == SCN_NUMBER_TOO_BIG) {
    scn_load_expected_hint(loader, value, expected, ", which does not fit in 64 bits");
    return false;
  }
  if (error != SCN_NUMBER_OK || result < least || result > most) {
    scn_load_expected(loader, value, expected);
    return false;
  }
  *integer = result;
  return true;
}

bool scn_load_decimal(struct scn_loader *loader, const struct scn_json_value *value,
                      const char *expected, wsp_decimal *decimal) {
  int64_t result = 0;
  if (!scn_load_is(loader, value, SCN_JSON_NUMBER, expected)) {
    return false;
  }
  switch (scale(value->text, value->length, 9, &result)) {
    case SCN_NUMBER_TOO_FINE:
      scn_load_expected_hint(loader, value, expected, ", which has more than nine decimals");
      return false;
    case SCN_NUMBER_TOO_BIG:
      scn_load_expected_hint(loader, value, expected, ", which is beyond 9223372036");
      return false;
    case SCN_NUMBER_OK:
      break;
  }
  *decimal = result;
  return true;
}

bool scn_load_decimal_text(const char *text, size_t length, wsp_decimal *decimal) {
  int64_t result = 0;
  if (length > SCN_JSON_NUMBER_LIMIT || length == 0 ||
      scn_json_number_length(text, length) != length ||
      scale(text, length, 9, &result) != SCN_NUMBER_OK || result < 0) {
    return false;
  }
  *decimal = result;
  return true;
}

bool scn_load_seed(struct scn_loader *loader, const struct scn_json_value *value, uint64_t *seed) {
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
    scn_load_expected(loader, value, "a whole number from 0 to 18446744073709551615");
    return false;
  }
  *seed = magnitude;
  return true;
}

bool scn_load_any_duration(struct scn_loader *loader, const struct scn_json_value *value,
                           wsp_duration *duration) {
  static const char expected[] = "a duration such as \"60ms\"";
  wsp_duration result = 0;
  if (!scn_load_is(loader, value, SCN_JSON_STRING, expected)) {
    return false;
  }
  enum sim_duration_error error = sim_duration_parse(value->string, &result, NULL);
  if (error == SIM_DURATION_EMPTY || error == SIM_DURATION_OVERFLOW) {
    scn_load_expected(loader, value, sim_duration_error_text(error));
    return false;
  }
  if (error != SIM_DURATION_OK) {
    scn_load_expected_hint(
        loader, value, expected,
        scn_memory_format(loader->memory, ", which lacks %s", sim_duration_error_text(error)));
    return false;
  }
  *duration = result;
  return true;
}

bool scn_load_duration(struct scn_loader *loader, const struct scn_json_value *value,
                       wsp_duration *duration) {
  wsp_duration result = 0;
  if (!scn_load_any_duration(loader, value, &result)) {
    return false;
  }
  if (result < 0 || result > LOAD_TIME_LIMIT) {
    scn_load_expected(loader, value,
                      result < 0 ? "a duration of 0s or more" : "a duration of at most 73 years");
    return false;
  }
  *duration = result;
  return true;
}

/* ---- Readers of fields -------------------------------------------------------------------- */

void scn_load_string_field(struct scn_loader *loader, const struct scn_json_value *value,
                           void *target) {
  scn_load_string(loader, value, target);
}

void scn_load_text_field(struct scn_loader *loader, const struct scn_json_value *value,
                         void *target) {
  if (value->kind == SCN_JSON_STRING && !value->broken && value->string[0] == '\0') {
    scn_load_expected(loader, value, "a string that is not empty");
  } else {
    scn_load_string(loader, value, target);
  }
}

void scn_load_bool_field(struct scn_loader *loader, const struct scn_json_value *value,
                         void *target) {
  scn_load_bool(loader, value, target);
}

void scn_load_duration_field(struct scn_loader *loader, const struct scn_json_value *value,
                             void *target) {
  scn_load_duration(loader, value, target);
}

void scn_load_timeout_field(struct scn_loader *loader, const struct scn_json_value *value,
                            void *target) {
  if (value->kind == SCN_JSON_NUMBER && !value->broken) {
    int64_t none = 0;
    scn_load_integer(loader, value, 0, 0, "a duration such as \"5s\", or 0 for none", &none);
  } else {
    scn_load_duration(loader, value, target);
  }
}

void scn_load_strings_field(struct scn_loader *loader, const struct scn_json_value *value,
                            void *target) {
  struct scn_strings *strings = target;
  if (!scn_load_is(loader, value, SCN_JSON_LIST, "a list of strings")) {
    return;
  }
  strings->items = scn_memory_take(loader->memory, value->count, sizeof *strings->items);
  strings->count = 0;
  if (strings->items == NULL) {
    return;
  }
  for (const struct scn_json_value *item = value->first; item != NULL; item = item->next) {
    scn_load_text_field(loader, item, &strings->items[strings->count++]);
  }
}

const struct wsp_header *scn_load_headers(struct scn_loader *loader,
                                          const struct scn_json_value *value, size_t *count) {
  if (!scn_load_is(loader, value, SCN_JSON_OBJECT, "an object of header names and strings")) {
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
      scn_load_error(loader, member->key_position,
                     "expected the name of a header, found a blank one");
    }
    scn_load_string(loader, member, &header->value);
  }
  return headers;
}

void scn_load_account_field(struct scn_loader *loader, const struct scn_json_value *value,
                            void *target) {
  scn_load_integer(loader, value, INT64_MIN, INT64_MAX, "the whole number of an account", target);
}

void scn_load_default_account(struct scn_loader *loader, const struct scn_json_value *object,
                              int64_t *account) {
  const struct scn_scenario *scenario = loader->scenario;
  if (scn_json_find(object, "account") != NULL) {
    return;
  }
  if (loader->accounts_known && scenario->account_count > 1) {
    scn_load_error(
        loader, object->position,
        "expected the key \"account\", because the scenario has %zu accounts; found none",
        scenario->account_count);
  } else if (scenario->account_count > 0) {
    *account = scenario->accounts[0].account.id;
  }
}
