/*
 * load_distribution.c - latencies, hold times, think times and numbers of turns: one value, or an
 * object that names a distribution.
 */
#include <string.h>

#include "scenarios/engine/load_internal.h"

static const char *const forms[] = {"uniform", "exponential", "normal", "lognormal", "trace", NULL};
enum form { UNIFORM, EXPONENTIAL, NORMAL, LOGNORMAL, TRACE };

/* A time, or a count of at least 1. */
static bool read_one(struct scn_loader *loader, const struct scn_json_value *value,
                     enum load_unit unit, int64_t *result) {
  if (unit == LOAD_UNIT_DURATION) {
    return scn_load_duration(loader, value, result);
  }
  return scn_load_integer(loader, value, 1, INT32_MAX, "a whole number from 1 to 2147483647",
                          result);
}

/* A list of two; the items may be NULL on false. */
static bool read_pair(struct scn_loader *loader, const struct scn_json_value *value,
                      const char *expected, const struct scn_json_value **first,
                      const struct scn_json_value **second) {
  if (value->broken || value->kind != SCN_JSON_LIST || value->count != 2) {
    scn_load_expected(loader, value, expected);
    return false;
  }
  *first = value->first;
  *second = value->first->next;
  return true;
}

static void read_uniform(struct scn_loader *loader, const struct scn_json_value *value,
                         enum load_unit unit, struct sim_distribution *distribution) {
  const struct scn_json_value *first, *second;
  struct sim_distribution result = {.kind = SIM_UNIFORM};
  if (!read_pair(loader, value, "a list of the least and the most", &first, &second)) {
    return;
  }
  bool right = read_one(loader, first, unit, &result.first);
  if (!read_one(loader, second, unit, &result.second) || !right) {
    return;
  }
  if (result.first > result.second) {
    const char *least = scn_load_found(loader, first);
    scn_load_expected_hint(loader, second, "the most, which is not less than the least",
                           scn_memory_format(loader->memory, " after %s", least));
    return;
  }
  *distribution = result;
}

static void read_normal(struct scn_loader *loader, const struct scn_json_value *value,
                        enum load_unit unit, struct sim_distribution *distribution) {
  const struct scn_json_value *first, *second;
  struct sim_distribution result = {.kind = SIM_NORMAL};
  if (!read_pair(loader, value, "a list of the mean and the standard deviation", &first, &second)) {
    return;
  }
  bool right = read_one(loader, first, unit, &result.first);
  if (read_one(loader, second, unit, &result.second) && right) {
    *distribution = result;
  }
}

static bool read_factor(struct scn_loader *loader, const struct scn_json_value *value,
                        wsp_decimal *factor) {
  const char *text = value->kind == SCN_JSON_STRING ? value->string : value->text;
  size_t length = value->kind == SCN_JSON_STRING ? strlen(value->string) : value->length;
  bool right = !value->broken &&
               (value->kind == SCN_JSON_STRING || value->kind == SCN_JSON_NUMBER) &&
               scn_load_decimal_text(text, length, factor) && *factor >= WSP_DECIMAL_ONE;
  if (!right) {
    scn_load_expected(loader, value,
                      "a factor of at least 1 with at most nine decimals, such as \"2.0\"");
  }
  return right;
}

static void read_lognormal(struct scn_loader *loader, const struct scn_json_value *value,
                           enum load_unit unit, struct sim_distribution *distribution) {
  const struct scn_json_value *first, *second;
  struct sim_distribution result = {.kind = SIM_LOGNORMAL};
  if (!read_pair(loader, value, "a list of the median and the sigma factor", &first, &second)) {
    return;
  }
  bool right = read_one(loader, first, unit, &result.first);
  if (read_factor(loader, second, &result.factor) && right) {
    *distribution = result;
  }
}

static void read_trace(struct scn_loader *loader, const struct scn_json_value *value,
                       enum load_unit unit, struct sim_distribution *distribution) {
  struct sim_distribution result = {.kind = SIM_TRACE};
  if (unit != LOAD_UNIT_DURATION) {
    scn_load_error(
        loader, value->key_position,
        "expected uniform, exponential, normal or lognormal for a number of turns, found "
        "\"trace\", whose lines are times");
  } else if (scn_load_trace(loader, value, false, &result.values, &result.count)) {
    *distribution = result;
  }
}

void scn_load_distribution(struct scn_loader *loader, const struct scn_json_value *value,
                           enum load_unit unit, struct sim_distribution *distribution) {
  struct sim_distribution result = {.kind = SIM_CONSTANT};
  if (value->kind != SCN_JSON_OBJECT) {
    if (read_one(loader, value, unit, &result.first)) {
      *distribution = result;
    }
    return;
  }
  const struct scn_json_value *member = value->first;
  if (member == NULL || value->count != 1) {
    scn_load_expected(loader, value,
                      "an object with one key (uniform, exponential, normal, lognormal or trace)");
    return;
  }
  if (member->key_broken) {
    return;
  }
  int form = scn_load_name_find(scn_load_names_of(forms), member->key);
  if (form < 0) {
    scn_load_error(
        loader, member->key_position, "%sexpected a distribution (%s), found \"%.100s\"%s",
        scn_load_where(loader, value), scn_load_names_text(loader, scn_load_names_of(forms)),
        member->key, scn_load_suggest(loader, scn_load_names_of(forms), member->key));
    return;
  }
  switch ((enum form)form) {
    case UNIFORM:
      read_uniform(loader, member, unit, distribution);
      break;
    case EXPONENTIAL:
      if (read_one(loader, member, unit, &result.first)) {
        result.kind = SIM_EXPONENTIAL;
        *distribution = result;
      }
      break;
    case NORMAL:
      read_normal(loader, member, unit, distribution);
      break;
    case LOGNORMAL:
      read_lognormal(loader, member, unit, distribution);
      break;
    case TRACE:
      read_trace(loader, member, unit, distribution);
      break;
  }
}

void scn_load_distribution_field(struct scn_loader *loader, const struct scn_json_value *value,
                                 void *target) {
  scn_load_distribution(loader, value, LOAD_UNIT_DURATION, target);
}
