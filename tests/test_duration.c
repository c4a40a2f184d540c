/*
 * test_duration.c - durations in Go's syntax, and decimals. Many cases are those of Go's own tests
 * (src/time/time_test.go: parseDurationTests, durationTests, parseDurationErrorTests).
 */
#include <string.h>

#include "sim/duration.h"
#include "tests/suites.h"

#define HOUR (60 * WSP_MINUTE)

static const struct {
  const char *text;
  wsp_duration expected;
} durations[] = {
    {"0", 0},
    {"+0", 0},
    {"-0", 0},
    {"0s", 0},
    {"5s", 5 * WSP_SECOND},
    {"30s", 30 * WSP_SECOND},
    {"1478s", 1478 * WSP_SECOND},
    {"-5s", -5 * WSP_SECOND},
    {"+5s", 5 * WSP_SECOND},
    {"5.0s", 5 * WSP_SECOND},
    {"5.6s", 5600 * WSP_MILLISECOND},
    {"5.s", 5 * WSP_SECOND},
    {"1.s", WSP_SECOND},
    {".5s", 500 * WSP_MILLISECOND},
    {"1.0s", WSP_SECOND},
    {"1.00s", WSP_SECOND},
    {"1.004s", 1004 * WSP_MILLISECOND},
    {"1.0040s", 1004 * WSP_MILLISECOND},
    {"100.00100s", 100001 * WSP_MILLISECOND},
    {"10ns", 10},
    {"11us", 11 * WSP_MICROSECOND},
    {"12\xc2\xb5s", 12 * WSP_MICROSECOND},
    {"12\xce\xbcs", 12 * WSP_MICROSECOND},
    {"13ms", 13 * WSP_MILLISECOND},
    {"14s", 14 * WSP_SECOND},
    {"15m", 15 * WSP_MINUTE},
    {"16h", 16 * HOUR},
    {"3h30m", 3 * HOUR + 30 * WSP_MINUTE},
    {"10.5s4m", 4 * WSP_MINUTE + 10500 * WSP_MILLISECOND},
    {"-2m3.4s", -(2 * WSP_MINUTE + 3400 * WSP_MILLISECOND)},
    {"-1.5h", -90 * WSP_MINUTE},
    {"1h2m3s4ms5us6ns", INT64_C(3723004005006)},
    {"39h9m14.425s", INT64_C(140954425000000)},
    {"52763797000ns", INT64_C(52763797000)},
    {"0.3333333333333333333h", 20 * WSP_MINUTE},
    {"9007199254740993ns", INT64_C(9007199254740993)},
    {"9223372036854775807ns", INT64_MAX},
    {"9223372036854775.807us", INT64_MAX},
    {"9223372036s854ms775us807ns", INT64_MAX},
    {"-9223372036854775808ns", INT64_MIN},
    {"-9223372036854775.808us", INT64_MIN},
    {"-9223372036s854ms775us808ns", INT64_MIN},
    {"-2562047h47m16.854775808s", INT64_MIN},
    {"0.100000000000000000000h", 6 * WSP_MINUTE},
    {"0.830103483285477580700h", INT64_C(2988372539827)},
    /* Fractions of a nanosecond are cut off. */
    {"0.9ns", 0},
    {"1.9ns", 1},
    {"-1.9ns", -1},
    {"1.9999us", 1999},
    /* Rounded to the nearest double, half to even, before that. */
    {".0010us", 1},
    {"0.09018585890944443h", INT64_C(324669092074)},
    {"0.09055106778333333m", INT64_C(5433064066)},
    /* A scale beyond what a double holds exactly, and one beyond all sense. */
    {"0.00000000000000000000012345h", 0},
    {"0.000000000000012345678901234567890h", 0},
    {"0.00000000001234567890123456789h", 44},
};

static void durations_are_read_as_go_reads_them(void) {
  for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
    wsp_duration duration = 77;
    CU_ASSERT_EQUAL(sim_duration_parse(durations[i].text, &duration, NULL), SIM_DURATION_OK);
    CU_ASSERT_EQUAL(duration, durations[i].expected);
  }
}

static void what_is_no_duration_is_refused_where_it_goes_wrong(void) {
  static const struct {
    const char *text;
    enum sim_duration_error error;
    size_t at;
  } cases[] = {
      {NULL, SIM_DURATION_EMPTY, 0},
      {"", SIM_DURATION_EMPTY, 0},
      {"-", SIM_DURATION_NO_NUMBER, 1},
      {"+", SIM_DURATION_NO_NUMBER, 1},
      {".", SIM_DURATION_NO_NUMBER, 1},
      {"-.", SIM_DURATION_NO_NUMBER, 2},
      {".s", SIM_DURATION_NO_NUMBER, 1},
      {"+.s", SIM_DURATION_NO_NUMBER, 2},
      {"s", SIM_DURATION_NO_NUMBER, 0},
      {"--1s", SIM_DURATION_NO_NUMBER, 1},
      {" 1s", SIM_DURATION_NO_NUMBER, 0},
      {"3", SIM_DURATION_NO_UNIT, 1},
      {"-10", SIM_DURATION_NO_UNIT, 3},
      {"00", SIM_DURATION_NO_UNIT, 2},
      {"1.5", SIM_DURATION_NO_UNIT, 3},
      {"1..s", SIM_DURATION_NO_UNIT, 2},
      {"1h30", SIM_DURATION_NO_UNIT, 4},
      {"5d", SIM_DURATION_BAD_UNIT, 1},
      {"1s ", SIM_DURATION_BAD_UNIT, 1},
      {"1h 30m", SIM_DURATION_BAD_UNIT, 1},
      {"1e3s", SIM_DURATION_BAD_UNIT, 1},
      {"1S", SIM_DURATION_BAD_UNIT, 1},
      {"1\x85\x85", SIM_DURATION_BAD_UNIT, 1},
      {"1m\xff", SIM_DURATION_BAD_UNIT, 1},
      {"9223372036854775808ns", SIM_DURATION_OVERFLOW, 0},
      {"9223372036854775810ns", SIM_DURATION_OVERFLOW, 0},
      {"99999999999999999999ns", SIM_DURATION_OVERFLOW, 0},
      {"-9223372036854775809ns", SIM_DURATION_OVERFLOW, 1},
      {"9223372036854775.808us", SIM_DURATION_OVERFLOW, 0},
      {"9223372036854ms775us808ns", SIM_DURATION_OVERFLOW, 20},
      {"3000000h", SIM_DURATION_OVERFLOW, 0},
      {"5124096h", SIM_DURATION_OVERFLOW, 0},
      {"2562047.99h", SIM_DURATION_OVERFLOW, 0},
      {"-9223372036854775808ns9223372036854775808ns", SIM_DURATION_OVERFLOW, 22},
      {"1h9223372036854775807ns", SIM_DURATION_OVERFLOW, 2},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    wsp_duration duration = 77;
    size_t at = 1000;
    CU_ASSERT_EQUAL(sim_duration_parse(cases[i].text, &duration, &at), cases[i].error);
    CU_ASSERT_EQUAL(at, cases[i].at);
    CU_ASSERT_EQUAL(sim_duration_parse(cases[i].text, &duration, NULL), cases[i].error);
    CU_ASSERT_EQUAL(duration, 77);
  }
}

static void errors_say_what_was_expected(void) {
  CU_ASSERT_STRING_EQUAL(sim_duration_error_text(SIM_DURATION_OK), "a duration");
  CU_ASSERT_STRING_EQUAL(sim_duration_error_text(SIM_DURATION_EMPTY),
                         "a duration such as \"60ms\" or \"1h30m\"");
  CU_ASSERT_STRING_EQUAL(sim_duration_error_text(SIM_DURATION_NO_NUMBER), "a digit");
  CU_ASSERT_STRING_EQUAL(sim_duration_error_text(SIM_DURATION_NO_UNIT),
                         "a unit (ns, us, ms, s, m or h) after the number");
  CU_ASSERT_STRING_EQUAL(sim_duration_error_text(SIM_DURATION_BAD_UNIT),
                         "one of the units ns, us, ms, s, m, h");
  CU_ASSERT_STRING_EQUAL(sim_duration_error_text(SIM_DURATION_OVERFLOW),
                         "a duration of less than 292 years (64-bit nanoseconds)");
}

static void durations_are_written_as_go_writes_them(void) {
  static const struct {
    wsp_duration duration;
    const char *expected;
  } cases[] = {
      {0, "0s"},
      {1, "1ns"},
      {-1, "-1ns"},
      {999, "999ns"},
      {1000, "1\xc2\xb5s"},
      {1100, "1.1\xc2\xb5s"},
      {2200 * WSP_MICROSECOND, "2.2ms"},
      {70 * WSP_MILLISECOND, "70ms"},
      {999999999, "999.999999ms"},
      {WSP_SECOND, "1s"},
      {3300 * WSP_MILLISECOND, "3.3s"},
      {60 * WSP_SECOND, "1m0s"},
      {4 * WSP_MINUTE + 5 * WSP_SECOND, "4m5s"},
      {4 * WSP_MINUTE + 5001 * WSP_MILLISECOND, "4m5.001s"},
      {HOUR, "1h0m0s"},
      {90 * WSP_MINUTE, "1h30m0s"},
      {5 * HOUR + 6 * WSP_MINUTE + 7001 * WSP_MILLISECOND, "5h6m7.001s"},
      {8 * WSP_MINUTE + 1, "8m0.000000001s"},
      {-5 * HOUR, "-5h0m0s"},
      {INT64_MAX, "2562047h47m16.854775807s"},
      {INT64_MIN, "-2562047h47m16.854775808s"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char text[SIM_DURATION_TEXT_SIZE];
    wsp_duration again = 0;
    sim_duration_format(cases[i].duration, text);
    CU_ASSERT_STRING_EQUAL(text, cases[i].expected);
    CU_ASSERT_EQUAL(sim_duration_parse(text, &again, NULL), SIM_DURATION_OK);
    CU_ASSERT_EQUAL(again, cases[i].duration);
  }
}

static void decimals_are_exact(void) {
  static const struct {
    const char *text;
    wsp_decimal expected;
  } cases[] = {
      {"0", 0},
      {"-0", 0},
      {"0.7", 700000000},
      {"2", 2 * WSP_DECIMAL_ONE},
      {"1.25", 1250000000},
      {"-1.25", -1250000000},
      {"+3", 3 * WSP_DECIMAL_ONE},
      {".5", 500000000},
      {"007.5", INT64_C(7500000000)},
      {"0.000000001", 1},
      {"0.123456789", 123456789},
      {"0.12345678900000", 123456789},
      {"9223372036.854775807", INT64_MAX},
      {"-9223372036.854775808", INT64_MIN},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    wsp_decimal decimal = 77;
    CU_ASSERT_TRUE(sim_decimal_parse(cases[i].text, &decimal));
    CU_ASSERT_EQUAL(decimal, cases[i].expected);
  }
}

static void what_is_no_decimal_is_refused(void) {
  static const char *const cases[] = {NULL,
                                      "",
                                      "-",
                                      "+",
                                      ".",
                                      "-.",
                                      "1.",
                                      "1e3",
                                      "1.5x",
                                      "x",
                                      " 1",
                                      "1 ",
                                      "1..5",
                                      "1.2.3",
                                      "--1",
                                      "0x1",
                                      "1,5",
                                      "0.1234567891",
                                      "0.0000000001",
                                      "9223372036.854775808",
                                      "-9223372036.854775809",
                                      "9223372037",
                                      "99999999999999999999",
                                      "18446744074",
                                      "18446744073709551617"};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    wsp_decimal decimal = 77;
    CU_ASSERT_FALSE(sim_decimal_parse(cases[i], &decimal));
    CU_ASSERT_EQUAL(decimal, 77);
  }
}

CU_TestInfo suite_duration[] = {
    {"durations are read as Go reads them", durations_are_read_as_go_reads_them},
    {"what is no duration is refused where it goes wrong",
     what_is_no_duration_is_refused_where_it_goes_wrong},
    {"errors say what was expected", errors_say_what_was_expected},
    {"durations are written as Go writes them", durations_are_written_as_go_writes_them},
    {"decimals are exact", decimals_are_exact},
    {"what is no decimal is refused", what_is_no_decimal_is_refused},
    CU_TEST_INFO_NULL,
};
