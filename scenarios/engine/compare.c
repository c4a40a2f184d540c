/* compare.c - comparisons without rounding: what relation a found value has to a written one. */
#include "scenarios/engine/compare.h"

#include <inttypes.h>
#include <string.h>

#include "sim/duration.h"

/* A number as a whole part (rounded down) and billionths above it, so that 64-bit integers and
 * decimals compare exactly. `beyond`: -1 or 1 when it lies outside of 64 bits. */
struct number {
  int beyond;
  int64_t whole;
  int64_t billionths; /* 0 to 999999999 */
};

enum relation { UNRELATED, LESS, EQUAL, GREATER };

struct scn_actual scn_actual_absent(void) {
  return (struct scn_actual){.kind = SCN_ACTUAL_ABSENT};
}

struct scn_actual scn_actual_bool(bool value) {
  return (struct scn_actual){.kind = SCN_ACTUAL_BOOL, .integer = value};
}

struct scn_actual scn_actual_integer(int64_t value) {
  return (struct scn_actual){.kind = SCN_ACTUAL_INTEGER, .integer = value};
}

struct scn_actual scn_actual_decimal(int64_t billionths) {
  return (struct scn_actual){.kind = SCN_ACTUAL_DECIMAL, .integer = billionths};
}

struct scn_actual scn_actual_duration(int64_t duration_ns) {
  return (struct scn_actual){.kind = SCN_ACTUAL_DURATION, .integer = duration_ns};
}

struct scn_actual scn_actual_string(const char *text) {
  return text == NULL ? scn_actual_absent()
                      : (struct scn_actual){.kind = SCN_ACTUAL_STRING, .text = text};
}

static struct number number_of_integer(int64_t value) {
  return (struct number){.whole = value};
}

static struct number number_of_billionths(int64_t value) {
  struct number number = {.whole = value / WSP_DECIMAL_ONE, .billionths = value % WSP_DECIMAL_ONE};
  if (number.billionths < 0) {
    number.billionths += WSP_DECIMAL_ONE;
    number.whole--;
  }
  return number;
}

static struct number number_of_real(double real) {
  if (!(real < 9223372036854775808.0)) {
    return (struct number){.beyond = 1};
  }
  if (real < -9223372036854775808.0) {
    return (struct number){.beyond = -1};
  }
  struct number number = {.whole = (int64_t)real};
  /* Both the cut and the difference are exact: a double this size has no digits to lose. */
  double rest = real - (double)number.whole;
  if (rest < 0) {
    rest += 1;
    number.whole--;
  }
  number.billionths = (int64_t)(rest * 1e9 + 0.5);
  if (number.billionths == WSP_DECIMAL_ONE) {
    number.billionths = 0;
    number.whole++;
  }
  return number;
}

static enum relation relation_of(int64_t a, int64_t b) {
  return a < b ? LESS : a > b ? GREATER : EQUAL;
}

static enum relation relate_numbers(struct number a, struct number b) {
  if (a.beyond != b.beyond) {
    return relation_of(a.beyond, b.beyond);
  }
  enum relation whole = relation_of(a.whole, b.whole);
  return whole != EQUAL ? whole : relation_of(a.billionths, b.billionths);
}

static struct number number_of_actual(const struct scn_actual *actual) {
  if (actual->kind == SCN_ACTUAL_REAL) {
    return number_of_real(actual->real);
  }
  return actual->kind == SCN_ACTUAL_DECIMAL ? number_of_billionths(actual->integer)
                                            : number_of_integer(actual->integer);
}

static enum relation relate_string(const char *text, const struct scn_value *value,
                                   const struct scn_names *names) {
  if (value->kind == SCN_DURATION) {
    return value->text != NULL && strcmp(text, value->text) == 0 ? EQUAL : UNRELATED;
  }
  if (value->kind != SCN_STRING) {
    return UNRELATED;
  }
  const char *expected = names == NULL ? value->text : names->find(names->context, value->text);
  return expected == NULL ? UNRELATED : relation_of(strcmp(text, expected), 0);
}

static enum relation relate(const struct scn_actual *actual, const struct scn_value *value,
                            const struct scn_names *names) {
  bool nothing = actual->kind == SCN_ACTUAL_ABSENT || actual->kind == SCN_ACTUAL_NULL;
  if (nothing || value->kind == SCN_NULL) {
    return nothing && value->kind == SCN_NULL ? EQUAL : UNRELATED;
  }
  if (actual->kind == SCN_ACTUAL_STRING) {
    return relate_string(actual->text, value, names);
  }
  struct number found = number_of_actual(actual);
  wsp_duration duration = 0;
  switch (value->kind) {
    case SCN_BOOL:
      return relate_numbers(found, number_of_integer(value->boolean));
    case SCN_INTEGER:
    case SCN_DURATION:
      return relate_numbers(found, number_of_integer(value->integer));
    case SCN_DECIMAL:
      return relate_numbers(found, number_of_billionths(value->integer));
    case SCN_STRING:
      if (actual->kind == SCN_ACTUAL_BOOL ||
          sim_duration_parse(value->text, &duration, NULL) != SIM_DURATION_OK) {
        return UNRELATED;
      }
      return relate_numbers(found, number_of_integer(duration));
    case SCN_NULL:
      break;
  }
  return UNRELATED;
}

static bool is_one_of(const struct scn_test *test, const struct scn_actual *actual,
                      const struct scn_names *names) {
  for (size_t i = 0; i < test->count; i++) {
    if (relate(actual, &test->values[i], names) == EQUAL) {
      return true;
    }
  }
  return false;
}

static bool test_holds(const struct scn_test *test, const struct scn_actual *actual,
                       const struct scn_names *names) {
  if (test->operator_ == SCN_IN) {
    return is_one_of(test, actual, names);
  }
  if (test->operator_ == SCN_CONTAINS) {
    return actual->kind == SCN_ACTUAL_STRING && test->value.kind == SCN_STRING &&
           strstr(actual->text, test->value.text) != NULL;
  }
  enum relation relation = relate(actual, &test->value, names);
  switch (test->operator_) {
    case SCN_EQ:
      return relation == EQUAL;
    case SCN_NE:
      return relation != EQUAL;
    case SCN_LT:
      return relation == LESS;
    case SCN_LE:
      return relation == LESS || relation == EQUAL;
    case SCN_GT:
      return relation == GREATER;
    case SCN_GE:
      return relation == GREATER || relation == EQUAL;
    case SCN_IN:
    case SCN_CONTAINS:
      break;
  }
  return false;
}

bool scn_comparison_holds(const struct scn_comparison *comparison, const struct scn_actual *actual,
                          const struct scn_names *names) {
  for (size_t i = 0; i < comparison->count; i++) {
    if (!test_holds(&comparison->tests[i], actual, names)) {
      return false;
    }
  }
  return true;
}

static void append_real(struct scn_text *text, double real) {
  struct number number = number_of_real(real);
  int64_t limit = INT64_MAX / WSP_DECIMAL_ONE;
  if (number.beyond != 0 || number.whole >= limit || number.whole <= -limit) {
    scn_text_printf(text, "%.17g", real);
  } else {
    scn_text_decimal(text, number.whole * WSP_DECIMAL_ONE + number.billionths);
  }
}

void scn_actual_append(struct scn_text *text, const struct scn_actual *actual) {
  switch (actual->kind) {
    case SCN_ACTUAL_ABSENT:
      scn_text_append(text, "absent");
      break;
    case SCN_ACTUAL_NULL:
      scn_text_append(text, "null");
      break;
    case SCN_ACTUAL_BOOL:
      scn_text_append(text, actual->integer != 0 ? "true" : "false");
      break;
    case SCN_ACTUAL_INTEGER:
      scn_text_printf(text, "%" PRId64, actual->integer);
      break;
    case SCN_ACTUAL_DECIMAL:
      scn_text_decimal(text, actual->integer);
      break;
    case SCN_ACTUAL_DURATION:
      scn_text_duration(text, actual->integer);
      break;
    case SCN_ACTUAL_REAL:
      append_real(text, actual->real);
      break;
    case SCN_ACTUAL_STRING:
      scn_text_word(text, actual->text);
      break;
  }
}

static void append_value(struct scn_text *text, const struct scn_value *value,
                         const struct scn_names *names) {
  switch (value->kind) {
    case SCN_NULL:
      scn_text_append(text, "null");
      break;
    case SCN_BOOL:
      scn_text_append(text, value->boolean ? "true" : "false");
      break;
    case SCN_INTEGER:
      scn_text_printf(text, "%" PRId64, value->integer);
      break;
    case SCN_DECIMAL:
      scn_text_decimal(text, value->integer);
      break;
    case SCN_DURATION:
      scn_text_duration(text, value->integer);
      break;
    case SCN_STRING:
      scn_text_word(text, value->text);
      if (names != NULL) {
        const char *meant = names->find(names->context, value->text);
        if (meant == NULL || strcmp(meant, value->text) != 0) {
          scn_text_printf(text, " (%s)", meant == NULL ? "no conn" : meant);
        }
      }
      break;
  }
}

static const char *operator_text(enum scn_operator operator_) {
  static const char *const texts[] = {
      [SCN_EQ] = "=", [SCN_NE] = "!=", [SCN_LT] = "<",  [SCN_LE] = "<=",
      [SCN_GT] = ">", [SCN_GE] = ">=", [SCN_IN] = "in", [SCN_CONTAINS] = "contains"};
  return texts[operator_];
}

void scn_comparison_append(struct scn_text *text, const struct scn_comparison *comparison,
                           const struct scn_names *names) {
  for (size_t i = 0; i < comparison->count; i++) {
    const struct scn_test *test = &comparison->tests[i];
    scn_text_printf(text, "%s%s ", i > 0 ? " and " : "", operator_text(test->operator_));
    if (test->operator_ != SCN_IN) {
      append_value(text, &test->value, test->operator_ == SCN_CONTAINS ? NULL : names);
      continue;
    }
    scn_text_append(text, "[");
    for (size_t j = 0; j < test->count; j++) {
      scn_text_append(text, j > 0 ? ", " : "");
      append_value(text, &test->values[j], names);
    }
    scn_text_append(text, "]");
  }
}
