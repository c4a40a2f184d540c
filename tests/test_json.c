/* test_json.c - places, exact numbers and strings of JSON, and what is refused. */
#include <stdio.h>
#include <string.h>

#include "scenarios/engine/json.h"
#include "tests/suites.h"

struct said {
  char text[2000];
  size_t count;
};

static void collect(void *context, struct scn_position position, const char *message) {
  struct said *said = context;
  size_t used = strlen(said->text);
  snprintf(said->text + used, sizeof said->text - used, "%d:%d: %s\n", position.line,
           position.column, message);
  said->count++;
}

/* Parses text that is right. */
static const struct scn_json_value *parse(struct scn_memory *memory, const char *text) {
  struct said said = {.count = 0};
  const struct scn_json_value *root = scn_json_parse(memory, text, strlen(text), collect, &said);
  CU_ASSERT_PTR_NOT_NULL_FATAL(root);
  CU_ASSERT_STRING_EQUAL(said.text, "");
  return root;
}

static bool refuses_bytes(const char *text, size_t length, const char *expected) {
  struct said said = {.count = 0};
  struct scn_memory *memory = scn_memory_create(NULL);
  scn_json_parse(memory, text, length, collect, &said);
  scn_memory_destroy(memory);
  if (strcmp(said.text, expected) != 0) {
    printf("\n  text: %s\n  expected: %s  found: %s", text, expected, said.text);
  }
  return strcmp(said.text, expected) == 0;
}

static bool refuses(const char *text, const char *expected) {
  return refuses_bytes(text, strlen(text), expected);
}

static void every_key_and_value_has_its_place(void) {
  struct scn_memory *memory = scn_memory_create(NULL);
  const struct scn_json_value *root =
      parse(memory, "{ \"a\": 1,\r\n\t\"b\" : [true,\n  {\"c\":null}] }");
  const struct scn_json_value *b = scn_json_find(root, "b");
  CU_ASSERT_EQUAL(root->position.line, 1);
  CU_ASSERT_EQUAL(root->position.column, 1);
  CU_ASSERT_EQUAL(b->key_position.line, 2);
  CU_ASSERT_EQUAL(b->key_position.column, 2);
  CU_ASSERT_EQUAL(b->position.column, 8);
  CU_ASSERT_EQUAL(b->count, 2);
  const struct scn_json_value *c = b->first->next->first;
  CU_ASSERT_STRING_EQUAL(c->key, "c");
  CU_ASSERT_EQUAL(c->key_position.line, 3);
  CU_ASSERT_EQUAL(c->key_position.column, 4);
  CU_ASSERT_EQUAL(c->position.column, 8);
  CU_ASSERT_EQUAL(c->kind, SCN_JSON_NULL);
  CU_ASSERT_PTR_EQUAL(c->parent, b->first->next);
  CU_ASSERT_EQUAL(c->parent->index, 1);
  CU_ASSERT_PTR_NULL(scn_json_find(root, "A"));
  scn_memory_destroy(memory);
}

static void comments_are_white_space(void) {
  struct scn_memory *memory = scn_memory_create(NULL);
  const struct scn_json_value *root =
      parse(memory, "// \"x\" /*\n{ /* // \n * */ \"a\": \"// /* \\\" */\", \"b\": 2/**/ }//");
  CU_ASSERT_STRING_EQUAL(scn_json_find(root, "a")->string, "// /* \" */");
  CU_ASSERT_EQUAL(scn_json_find(root, "b")->key_position.line, 3);
  CU_ASSERT_EQUAL(scn_json_find(root, "b")->key_position.column, 27);
  scn_memory_destroy(memory);
  CU_ASSERT(refuses("{}\n /* *",
                    "2:2: expected the end of this comment (*/), found the end of "
                    "the file\n"));
  CU_ASSERT(refuses("/* \n\n */ /*",
                    "3:5: expected the end of this comment (*/), found the end of "
                    "the file\n"));
  CU_ASSERT(refuses("{} /",
                    "1:4: expected the end of the file after the scenario's object, found "
                    "\"/\"\n"));
}

static void a_byte_order_mark_takes_no_column(void) {
  struct scn_memory *memory = scn_memory_create(NULL);
  const struct scn_json_value *root = parse(memory, "\xef\xbb\xbf{\"a\":1}");
  CU_ASSERT_EQUAL(root->position.column, 1);
  scn_memory_destroy(memory);
  CU_ASSERT(refuses("\xfe\xff",
                    "1:1: expected UTF-8, found a byte order mark of UTF-16; save the "
                    "file as UTF-8\n"));
}

static void strings_are_decoded(void) {
  struct scn_memory *memory = scn_memory_create(NULL);
  const struct scn_json_value *root =
      parse(memory, "[\"\\u00e9\\ud83d\\ude00\\n\\/\", \"\xc3\xa9\xf0\x9f\x98\x80\", \"\"]");
  CU_ASSERT_STRING_EQUAL(root->first->string, "\xc3\xa9\xf0\x9f\x98\x80\n/");
  CU_ASSERT_STRING_EQUAL(root->first->next->string, "\xc3\xa9\xf0\x9f\x98\x80");
  CU_ASSERT_STRING_EQUAL(root->first->next->next->string, "");
  scn_memory_destroy(memory);
}

static void strings_that_are_wrong_are_refused(void) {
  CU_ASSERT(refuses("[\"\\x\"]",
                    "1:3: expected an escape (one of \\\" \\\\ \\/ \\b \\f \\n \\r "
                    "\\t \\uXXXX), found \\x\n"));
  CU_ASSERT(
      refuses("[\"a\\u0000b\"]", "1:4: expected text without the character 0, found \\u0000\n"));
  CU_ASSERT(refuses("[\"\\ud800\\ud800\"]",
                    "1:3: expected both halves of a surrogate pair, found \\ud800 alone\n"
                    "1:9: expected both halves of a surrogate pair, found \\ud800 alone\n"));
  CU_ASSERT(refuses("[\"\\u12",
                    "1:3: expected four hexadecimal digits after \\u, found others\n"
                    "1:2: expected a closing quote for this string, found the end of "
                    "the file\n"));
  CU_ASSERT(refuses("[\"a\tb\"]",
                    "1:4: expected no control character inside of a string, found "
                    "the byte 0x09 (write \\t)\n"));
  CU_ASSERT(refuses("[\"\xc3\"]", "1:3: expected UTF-8, found the byte 0xc3\n"));
  CU_ASSERT(refuses("[\"\xe0\x9f\x80\"]",
                    "1:3: expected UTF-8, found the byte 0xe0\n"
                    "1:4: expected UTF-8, found the byte 0x9f\n"
                    "1:5: expected UTF-8, found the byte 0x80\n"));
  CU_ASSERT(refuses("[\"\xf4\x8f\xbf\xbf\"]", ""));
  CU_ASSERT(refuses("[\"\xf4\x90\x80\x80\"]",
                    "1:3: expected UTF-8, found the byte 0xf4\n"
                    "1:4: expected UTF-8, found the byte 0x90\n"
                    "1:5: expected UTF-8, found the byte 0x80\n"
                    "1:6: expected UTF-8, found the byte 0x80\n"));
  CU_ASSERT(refuses_bytes("[\"a\0b\"]", 7,
                          "1:4: expected no control character inside of a string, found the byte "
                          "0x00 (write \\uXXXX)\n"));
}

static void numbers_that_are_wrong_are_refused(void) {
  static const char *const wrong[] = {"01", "-", "1.", ".5", "+1", "1e", "0x1", "-01", "1.5.2"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    char text[32], expected[128];
    snprintf(text, sizeof text, "[%s]", wrong[i]);
    snprintf(expected, sizeof expected,
             "1:2: expected a number as JSON writes it (such as 1, 0.5 or -2e3), found %s\n",
             wrong[i]);
    CU_ASSERT(refuses(text, expected));
  }
  CU_ASSERT(refuses("[0.0, -0, 1e5, 1E-5, 12.25e+10]", ""));
  CU_ASSERT(refuses("[1111111111111111111111111111111111111111111111111111111111111]",
                    "1:2: expected a number of at most 60 characters, found one of 61\n"));
}

static void structure_that_is_wrong_is_refused(void) {
  CU_ASSERT(refuses("", "1:1: expected a value, found the end of the file\n"));
  CU_ASSERT(refuses("{\"a\" 1}", "1:6: expected a colon after the key, found 1\n"));
  CU_ASSERT(refuses("{a: 1}", "1:2: expected a key in double quotes, found a\n"));
  CU_ASSERT(refuses("{\"a\": 1 \"b\": 2}",
                    "1:9: expected a comma or the object's closing brace, found a string\n"));
  CU_ASSERT(refuses("[1 2]", "1:4: expected a comma or the list's closing bracket, found 2\n"));
  CU_ASSERT(
      refuses("[1,]", "1:3: expected another value after this comma, found the list's end\n"));
  CU_ASSERT(refuses("['a']",
                    "1:2: expected a value (strings stand in double quotes), found "
                    "\"'\"\n"));
  CU_ASSERT(refuses("[True, nil, x]",
                    "1:2: expected a value, found True; JSON writes true\n"
                    "1:8: expected a value, found nil; JSON writes null\n"
                    "1:13: expected a value, found x\n"));
  CU_ASSERT(refuses("[] []",
                    "1:4: expected the end of the file after the scenario's object, found "
                    "\"[\"\n"));
}

static void a_key_stands_once(void) {
  CU_ASSERT(refuses("{\"a\": 1, \"b\": {\"a\": 2, \"\\u0061\": 3}, \"a\": 4}",
                    "1:24: expected each key once, found \"a\" again (first at line 1)\n"
                    "1:38: expected each key once, found \"a\" again (first at line 1)\n"));
  CU_ASSERT(refuses("{\"a\": 1, \"A\": 2}", ""));
}

static void depth_is_limited(void) {
  char text[2 * SCN_JSON_DEPTH_LIMIT + 3];
  memset(text, '[', SCN_JSON_DEPTH_LIMIT + 1);
  memset(text + SCN_JSON_DEPTH_LIMIT + 1, ']', SCN_JSON_DEPTH_LIMIT + 1);
  text[sizeof text - 1] = '\0';
  CU_ASSERT(refuses(text,
                    "1:65: expected at most 64 objects and lists within each other, found "
                    "one more\n"));
  text[sizeof text - 2] = '\0';
  CU_ASSERT(refuses(text + 1, ""));
}

static void numbers_are_exact(void) {
  static const struct {
    const char *text;
    int places;
    enum scn_number_error error;
    bool negative;
    uint64_t magnitude;
  } cases[] = {
      {"18446744073709551615", 0, SCN_NUMBER_OK, false, UINT64_MAX},
      {"18446744073709551616", 0, SCN_NUMBER_TOO_BIG, false, 0},
      {"-9223372036854775808", 0, SCN_NUMBER_OK, true, UINT64_C(9223372036854775808)},
      {"9007199254740993", 0, SCN_NUMBER_OK, false, UINT64_C(9007199254740993)},
      {"0.7", 9, SCN_NUMBER_OK, false, 700000000},
      {"0.000000001", 9, SCN_NUMBER_OK, false, 1},
      {"0.0000000001", 9, SCN_NUMBER_TOO_FINE, false, 0},
      {"1.2500000000000", 2, SCN_NUMBER_OK, false, 125},
      {"1.5", 0, SCN_NUMBER_TOO_FINE, false, 0},
      {"1.0", 0, SCN_NUMBER_OK, false, 1},
      {"1e3", 0, SCN_NUMBER_OK, false, 1000},
      {"25e-1", 1, SCN_NUMBER_OK, false, 25},
      {"1E+2", 0, SCN_NUMBER_OK, false, 100},
      {"1e999999999", 0, SCN_NUMBER_TOO_BIG, false, 0},
      {"1e-999999999", 0, SCN_NUMBER_TOO_FINE, false, 0},
      {"0e999999999", 0, SCN_NUMBER_OK, false, 0},
      {"-0", 0, SCN_NUMBER_OK, false, 0},
      {"0.00", 0, SCN_NUMBER_OK, false, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    bool negative = true;
    uint64_t magnitude = 42;
    enum scn_number_error error = scn_json_number(cases[i].text, strlen(cases[i].text),
                                                  cases[i].places, &negative, &magnitude);
    CU_ASSERT_EQUAL(error, cases[i].error);
    if (error == SCN_NUMBER_OK) {
      CU_ASSERT_EQUAL(negative, cases[i].negative);
      CU_ASSERT_EQUAL(magnitude, cases[i].magnitude);
    }
  }
}

static void compact_text_keeps_numbers_and_strings(void) {
  struct scn_memory *memory = scn_memory_create(NULL);
  const struct scn_json_value *root = parse(
      memory, "{ \"a\" : [ 1.50,\n12345678901234567890123 , \"x \\\" y\\\\\" ] // c\n, \"b\":{} }");
  CU_ASSERT_STRING_EQUAL(scn_json_compact(memory, root),
                         "{\"a\":[1.50,12345678901234567890123,\"x \\\" y\\\\\"],\"b\":{}}");
  scn_memory_destroy(memory);
}

CU_TestInfo suite_json[] = {
    {"every key and value has its place", every_key_and_value_has_its_place},
    {"comments are white space", comments_are_white_space},
    {"a byte order mark takes no column", a_byte_order_mark_takes_no_column},
    {"strings are decoded", strings_are_decoded},
    {"strings that are wrong are refused", strings_that_are_wrong_are_refused},
    {"numbers that are wrong are refused", numbers_that_are_wrong_are_refused},
    {"structure that is wrong is refused", structure_that_is_wrong_is_refused},
    {"a key stands once", a_key_stands_once},
    {"depth is limited", depth_is_limited},
    {"numbers are exact", numbers_are_exact},
    {"compact text keeps numbers and strings", compact_text_keeps_numbers_and_strings},
    CU_TEST_INFO_NULL};
