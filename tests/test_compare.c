/* test_compare.c - comparisons of found values with what a scenario file says. */
#include <string.h>

#include "scenarios/engine/compare.h"
#include "tests/expect_fixture.h"
#include "tests/suites.h"

/* Which of = != < <= > >= hold, as a word of six letters or dots. */
static const char *relations(struct scn_actual actual, struct scn_value value) {
  static char word[7];
  static const enum scn_operator operators[] = {SCN_EQ, SCN_NE, SCN_LT, SCN_LE, SCN_GT, SCN_GE};
  for (size_t i = 0; i < COUNT(operators); i++) {
    struct scn_test test = {.operator_ = operators[i], .value = value};
    struct scn_comparison comparison = {.tests = &test, .count = 1};
    word[i] = scn_comparison_holds(&comparison, &actual, NULL) ? "=!lLgG"[i] : '.';
  }
  word[6] = '\0';
  return word;
}

#define LESS ".!lL.."
#define EQUAL "=..L.G"
#define GREATER ".!..gG"
#define UNRELATED ".!...."

static void integers_and_durations_compare_exactly(void) {
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_integer(1), value_integer(2)), LESS);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_integer(2), value_integer(2)), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_integer(3), value_integer(2)), GREATER);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_integer(INT64_MAX), value_integer(INT64_MAX - 1)),
                         GREATER);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_integer(INT64_MIN), value_integer(INT64_MAX)), LESS);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_duration(50 * MS), value_duration(50 * MS)), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_duration(50 * MS - 1), value_duration(50 * MS)),
                         LESS);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_duration(50 * MS + 1), value_duration(50 * MS)),
                         GREATER);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_integer(5 * MS), value_duration(5 * MS)), EQUAL);
}

static void integers_and_decimals_compare_exactly(void) {
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_integer(1), value_decimal(1000000000)), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_integer(1), value_decimal(1000000001)), LESS);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_integer(1), value_decimal(999999999)), GREATER);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_integer(-1), value_decimal(-1000000001)), GREATER);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_integer(-1), value_decimal(-999999999)), LESS);
  /* 2^53 + 1 is no double. */
  CU_ASSERT_STRING_EQUAL(
      relations(scn_actual_integer(9007199254740993), value_integer(9007199254740992)), GREATER);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_integer(INT64_MAX), value_decimal(INT64_MAX)),
                         GREATER);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_decimal(800000000), value_decimal(800000000)), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_decimal(800000000), value_integer(1)), LESS);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_decimal(0), value_integer(0)), EQUAL);
}

static struct scn_actual real(double value) {
  return (struct scn_actual){.kind = SCN_ACTUAL_REAL, .real = value};
}

static void reals_of_sql_count_to_a_billionth(void) {
  CU_ASSERT_STRING_EQUAL(relations(real(0.1), value_decimal(100000000)), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(real(0.1 + 0.2), value_decimal(300000000)), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(real(-0.25), value_decimal(-250000000)), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(real(2.0), value_integer(2)), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(real(2.000000001), value_integer(2)), GREATER);
  CU_ASSERT_STRING_EQUAL(relations(real(-1e-20), value_integer(0)), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(real(0.9999999999), value_integer(1)), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(real(0.9999999994), value_integer(1)), LESS);
  CU_ASSERT_STRING_EQUAL(relations(real(1e300), value_integer(INT64_MAX)), GREATER);
  CU_ASSERT_STRING_EQUAL(relations(real(-1e300), value_integer(INT64_MIN)), LESS);
  CU_ASSERT_STRING_EQUAL(relations(real(-9223372036854775808.0), value_integer(INT64_MIN)), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(real(5e7), value_duration(50 * MS)), EQUAL);
}

static void strings_compare_by_their_bytes(void) {
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_string("b"), value_string("a")), GREATER);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_string("b"), value_string("b")), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_string(""), value_string("b")), LESS);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_string("5"), value_integer(5)), UNRELATED);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_integer(5), value_string("5")), UNRELATED);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_integer(5), value_string("five")), UNRELATED);
}

static void a_string_that_is_a_duration_compares_with_nanoseconds(void) {
  struct scn_value written = {.kind = SCN_DURATION, .integer = 50 * MS, .text = "50ms"};
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_integer(50 * MS), value_string("50ms")), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_integer(50 * MS + 1), value_string("50ms")), GREATER);
  CU_ASSERT_STRING_EQUAL(relations(real(5e7), value_string("50ms")), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_bool(true), value_string("1ns")), UNRELATED);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_string("50ms"), value_string("50ms")), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_string("50ms"), written), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_string("50m"), written), UNRELATED);
}

static void truth_values_are_0_and_1(void) {
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_bool(true), value_bool(true)), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_bool(false), value_bool(true)), LESS);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_integer(1), value_bool(true)), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_integer(0), value_bool(true)), LESS);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_bool(true), value_string("true")), UNRELATED);
}

static void what_is_absent_equals_null_and_nothing_else(void) {
  struct scn_actual null = {.kind = SCN_ACTUAL_NULL};
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_absent(), value_integer(0)), UNRELATED);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_absent(), value_bool(false)), UNRELATED);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_absent(), value_string("")), UNRELATED);
  CU_ASSERT_STRING_EQUAL(relations(null, value_integer(0)), UNRELATED);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_absent(), value_null()), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(null, value_null()), EQUAL);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_string(""), value_null()), UNRELATED);
  CU_ASSERT_STRING_EQUAL(relations(scn_actual_string(NULL), value_null()), EQUAL);
}

static bool holds(struct scn_actual actual, struct scn_comparison comparison) {
  return scn_comparison_holds(&comparison, &actual, NULL);
}

static void all_operators_must_hold(void) {
  struct scn_comparison between =
      FIELD("value", TEST(SCN_GE, value_integer(2)), TEST(SCN_LT, value_integer(4)));
  CU_ASSERT_FALSE(holds(scn_actual_integer(1), between));
  CU_ASSERT_TRUE(holds(scn_actual_integer(2), between));
  CU_ASSERT_TRUE(holds(scn_actual_integer(3), between));
  CU_ASSERT_FALSE(holds(scn_actual_integer(4), between));
}

static void in_takes_any_of_a_list(void) {
  struct scn_comparison list =
      FIELD("value", TEST_IN(value_integer(1), value_string("closed"), value_duration(5 * MS)));
  struct scn_comparison empty = {.tests = (const struct scn_test[]){{.operator_ = SCN_IN}},
                                 .count = 1};
  CU_ASSERT_TRUE(holds(scn_actual_integer(1), list));
  CU_ASSERT_TRUE(holds(scn_actual_string("closed"), list));
  CU_ASSERT_TRUE(holds(scn_actual_duration(5 * MS), list));
  CU_ASSERT_FALSE(holds(scn_actual_integer(2), list));
  CU_ASSERT_FALSE(holds(scn_actual_absent(), list));
  CU_ASSERT_FALSE(holds(scn_actual_integer(1), empty));
}

static void contains_looks_into_strings_only(void) {
  struct scn_comparison part = FIELD("value", TEST(SCN_CONTAINS, value_string("503")));
  CU_ASSERT_TRUE(holds(scn_actual_string("dial failed: status=503: busy"), part));
  CU_ASSERT_FALSE(holds(scn_actual_string("dial failed: 50"), part));
  CU_ASSERT_FALSE(holds(scn_actual_integer(503), part));
  CU_ASSERT_FALSE(holds(scn_actual_absent(), part));
}

static const char *conn_of(void *context, const char *name) {
  (void)context;
  return strcmp(name, "a") == 0 ? "oa_ws_99_1" : strcmp(name, "none") == 0 ? NULL : name;
}

static void a_label_stands_for_its_conn(void) {
  struct scn_names names = {.find = conn_of};
  struct scn_actual first = scn_actual_string("oa_ws_99_1");
  struct scn_comparison label = FIELD("conn", TEST(SCN_EQ, value_string("a")));
  struct scn_comparison other = FIELD("conn", TEST(SCN_NE, value_string("a")));
  struct scn_comparison id = FIELD("conn", TEST(SCN_EQ, value_string("oa_ws_99_1")));
  struct scn_comparison list = FIELD("conn", TEST_IN(value_string("x"), value_string("a")));
  struct scn_comparison none = FIELD("conn", TEST(SCN_EQ, value_string("none")));
  struct scn_comparison not_none = FIELD("conn", TEST(SCN_NE, value_string("none")));
  CU_ASSERT_TRUE(scn_comparison_holds(&label, &first, &names));
  CU_ASSERT_FALSE(scn_comparison_holds(&label, &first, NULL));
  CU_ASSERT_FALSE(scn_comparison_holds(&other, &first, &names));
  CU_ASSERT_TRUE(scn_comparison_holds(&id, &first, &names));
  CU_ASSERT_TRUE(scn_comparison_holds(&list, &first, &names));
  CU_ASSERT_FALSE(scn_comparison_holds(&none, &first, &names));
  CU_ASSERT_TRUE(scn_comparison_holds(&not_none, &first, &names));
}

static void comparisons_are_written_out(void) {
  char buffer[200];
  struct scn_text text;
  struct scn_names names = {.find = conn_of};
  scn_text_init_fixed(&text, buffer, sizeof buffer);
  struct scn_comparison all = FIELD(
      "value", TEST(SCN_GE, value_duration(1500 * MS)), TEST(SCN_NE, value_decimal(-500000000)),
      TEST(SCN_CONTAINS, value_string("a b")), TEST_IN(value_null(), value_bool(true)));
  scn_comparison_append(&text, &all, NULL);
  CU_ASSERT_STRING_EQUAL(buffer, ">= 1.5s and != -0.5 and contains \"a b\" and in [null, true]");
  scn_text_init_fixed(&text, buffer, sizeof buffer);
  struct scn_comparison conns =
      FIELD("conn", TEST_IN(value_string("a"), value_string("none"), value_string("stale")));
  scn_comparison_append(&text, &conns, &names);
  CU_ASSERT_STRING_EQUAL(buffer, "in [a (oa_ws_99_1), none (no conn), stale]");
}

static void values_are_written_so_that_kinds_differ(void) {
  static const struct {
    struct scn_actual actual;
    const char *text;
  } cases[] = {
      {{.kind = SCN_ACTUAL_ABSENT}, "absent"},
      {{.kind = SCN_ACTUAL_NULL}, "null"},
      {{.kind = SCN_ACTUAL_BOOL, .integer = 1}, "true"},
      {{.kind = SCN_ACTUAL_INTEGER, .integer = -5}, "-5"},
      {{.kind = SCN_ACTUAL_DECIMAL, .integer = 1050000000}, "1.05"},
      {{.kind = SCN_ACTUAL_DECIMAL, .integer = -1}, "-0.000000001"},
      {{.kind = SCN_ACTUAL_DURATION, .integer = 90 * WSP_SECOND}, "1m30s"},
      {{.kind = SCN_ACTUAL_DURATION, .integer = WSP_TIME_NEVER}, "never"},
      {{.kind = SCN_ACTUAL_REAL, .real = -2.5}, "-2.5"},
      {{.kind = SCN_ACTUAL_REAL, .real = 1e300}, "1.0000000000000001e+300"},
      {{.kind = SCN_ACTUAL_STRING, .text = "oa_ws_99_1"}, "oa_ws_99_1"},
      {{.kind = SCN_ACTUAL_STRING, .text = "5"}, "\"5\""},
      {{.kind = SCN_ACTUAL_STRING, .text = "null"}, "\"null\""},
      {{.kind = SCN_ACTUAL_STRING, .text = ""}, "\"\""},
      {{.kind = SCN_ACTUAL_STRING, .text = "a\n\"b\"\x01"}, "\"a\\n\\\"b\\\"\\u0001\""},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    char buffer[64];
    struct scn_text text;
    scn_text_init_fixed(&text, buffer, sizeof buffer);
    scn_actual_append(&text, &cases[i].actual);
    CU_ASSERT_STRING_EQUAL(buffer, cases[i].text);
  }
}

static void text_grows_and_fixed_text_is_cut_off(void) {
  char small[4];
  struct scn_text text;
  scn_text_init_fixed(&text, small, sizeof small);
  scn_text_append(&text, "ab");
  scn_text_printf(&text, "%s", "cdef");
  CU_ASSERT_STRING_EQUAL(small, "abc");
  CU_ASSERT_EQUAL(text.length, 6);
  scn_text_append(&text, "g");
  CU_ASSERT_STRING_EQUAL(small, "abc");
  CU_ASSERT_EQUAL(text.length, 7);

  struct scn_text growing = {0};
  for (int i = 0; i < 1000; i++) {
    scn_text_printf(&growing, "%03d", i);
  }
  CU_ASSERT_EQUAL(growing.length, 3000);
  CU_ASSERT_STRING_EQUAL(growing.data + 2994, "998999");
  scn_text_cut(&growing, 3);
  CU_ASSERT_STRING_EQUAL(growing.data, "000");
  scn_text_deinit(&growing);
}

CU_TestInfo suite_compare[] = {
    {"integers and durations compare exactly", integers_and_durations_compare_exactly},
    {"integers and decimals compare exactly", integers_and_decimals_compare_exactly},
    {"reals of SQL count to a billionth", reals_of_sql_count_to_a_billionth},
    {"strings compare by their bytes", strings_compare_by_their_bytes},
    {"a string that is a duration compares with nanoseconds",
     a_string_that_is_a_duration_compares_with_nanoseconds},
    {"truth values are 0 and 1", truth_values_are_0_and_1},
    {"what is absent equals null and nothing else", what_is_absent_equals_null_and_nothing_else},
    {"all operators must hold", all_operators_must_hold},
    {"in takes any of a list", in_takes_any_of_a_list},
    {"contains looks into strings only", contains_looks_into_strings_only},
    {"a label stands for its conn", a_label_stands_for_its_conn},
    {"comparisons are written out", comparisons_are_written_out},
    {"values are written so that kinds differ", values_are_written_so_that_kinds_differ},
    {"text grows and fixed text is cut off", text_grows_and_fixed_text_is_cut_off},
    CU_TEST_INFO_NULL};
