/*
 * test_shrink.c - what a shrink takes away and what it keeps, with oracles that only look at the
 * text; and the classes of failures.
 */
#define _POSIX_C_SOURCE 200809L
#include "scenarios/engine/shrink.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/failure_class.h"
#include "tests/suites.h"

static void ignore(void *context, const struct scn_problem *problem) {
  (void)context;
  (void)problem;
}

/* ---- The tree ----------------------------------------------------------------------------- */

static cJSON *tree_of(const char *source, const char *variant, uint64_t seed) {
  struct rep_recorded recorded = {.id = 1,
                                  .name = "x",
                                  .path = "x.json",
                                  .variant = (char *)variant,
                                  .mode = "virtual",
                                  .verdict = "fail",
                                  .failure = "",
                                  .source = (char *)source,
                                  .version = "1",
                                  .seed = seed};
  struct scn_replay replay;
  char message[512] = "";
  CU_ASSERT_TRUE_FATAL(
      scn_replay_prepare(&recorded, &replay, ignore, NULL, message, sizeof message));
  cJSON *tree = scn_tree_of_replay(&recorded, &replay);
  scn_replay_deinit(&replay);
  CU_ASSERT_PTR_NOT_NULL_FATAL(tree);
  return tree;
}

static void assert_text(const cJSON *tree, const char *expected) {
  char *text = scn_tree_text(tree);
  CU_ASSERT_STRING_EQUAL(text, expected);
  free(text);
}

static void a_variant_is_written_into_the_tree(void) {
  cJSON *tree = tree_of(
      "{ // a comment\n"
      "\"name\": \"x\", \"tags\": [\"t\"], \"config\": {\"queue_limit_per_conn\": 3},\n"
      "\"matrix\": {\"seed\": [7, 8], \"config.max_idle_per_account\": [1, 2, 4]},\n"
      "\"steps\": [{\"after\": \"1s\", \"acquire\": {}}, {\"after\": \"500ms\", \"acquire\": {}}]}",
      "seed=8 config.max_idle_per_account=2", 8);
  assert_text(
      tree,
      "{\n"
      "  \"name\": \"x\",\n"
      "  \"config\": { \"queue_limit_per_conn\": 3, \"max_idle_per_account\": 2 },\n"
      "  \"steps\": [{ \"at\": \"1s\", \"acquire\": {} }, { \"at\": \"1.5s\", \"acquire\": {} }],\n"
      "  \"seed\": 8\n"
      "}\n");
  cJSON_Delete(tree);
}

static void a_seed_of_the_command_line_takes_the_place_of_the_matrix(void) {
  cJSON *tree = tree_of(
      "{\"name\": \"x\", \"matrix\": {\"config.max_idle_per_account\": [1, 2], "
      "\"seed\": [7, 8]}, \"steps\": [{\"acquire\": {}}]}",
      "config.max_idle_per_account=2", UINT64_C(18446744073709551615));
  assert_text(tree,
              "{\n"
              "  \"name\": \"x\",\n"
              "  \"steps\": [{ \"at\": \"0s\", \"acquire\": {} }],\n"
              "  \"config\": { \"max_idle_per_account\": 2 },\n"
              "  \"seed\": 18446744073709551615\n"
              "}\n");
  cJSON_Delete(tree);
}

static void numbers_of_expectations_keep_all_their_digits(void) {
  cJSON *tree = tree_of(
      "{\"name\": \"x\", \"steps\": [{\"acquire\": {}}], \"expect\": [{\"metric\": "
      "\"acquire_total\", \"le\": 9007199254740993}]}",
      "", 1);
  assert_text(tree,
              "{\n"
              "  \"name\": \"x\",\n"
              "  \"steps\": [{ \"at\": \"0s\", \"acquire\": {} }],\n"
              "  \"expect\": [{ \"metric\": \"acquire_total\", \"le\": 9007199254740993 }]\n"
              "}\n");
  cJSON_Delete(tree);
}

static void what_stands_alone_can_take_the_place_of_what_is_around_it(void) {
  static const struct {
    const char *from, *to;
  } cases[] = {
      {"{\"latency\":{\"uniform\":[\"1ms\",\"9ms\"]}}", "{\"latency\":\"1ms\"}"},
      {"{\"latency\":{\"exponential\":\"20ms\"}}", "{\"latency\":\"20ms\"}"},
      {"{\"dial\":[{\"outcome\":\"error\"}]}", "{\"dial\":{\"outcome\":\"error\"}}"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    cJSON *tree = cJSON_Parse(cases[i].from);
    CU_ASSERT_TRUE(scn_tree_unwrap(tree->child));
    char *text = cJSON_PrintUnformatted(tree);
    CU_ASSERT_STRING_EQUAL(text, cases[i].to);
    cJSON_free(text);
    cJSON_Delete(tree);
  }
  cJSON *step = cJSON_Parse("{\"at\":\"1s\",\"together\":[{\"release\":\"a\"}]}");
  CU_ASSERT_TRUE(scn_tree_unwrap(step));
  CU_ASSERT_FALSE(scn_tree_unwrap(step));
  char *text = cJSON_PrintUnformatted(step);
  CU_ASSERT_STRING_EQUAL(text, "{\"at\":\"1s\",\"release\":\"a\"}");
  cJSON_free(text);
  cJSON_Delete(step);
}

/* ---- The search --------------------------------------------------------------------------- */

/* Fails as long as all these texts are in the scenario, and the order is at least so long. */
struct needs {
  const char *texts[4];
  const char *schedule; /* NULL: any */
  uint64_t most;        /* candidates; 0: as many as it takes */
};

static bool has_all(void *context, const char *text, char **schedule,
                    struct scn_arrivals_seen *seen) {
  const struct needs *needs = context;
  (void)seen;
  for (size_t i = 0; i < 4 && needs->texts[i] != NULL; i++) {
    if (strstr(text, needs->texts[i]) == NULL) {
      return false;
    }
  }
  return needs->schedule == NULL || strstr(*schedule, needs->schedule) != NULL;
}

static bool go_on(void *context, const struct scn_shrunk *so_far) {
  const struct needs *needs = context;
  return needs->most == 0 || so_far->tried < needs->most;
}

/* Shrinks `source` (quotes written as ') and compares. */
static void assert_shrinks(const char *source, const char *schedule, struct needs needs,
                           const char *expected, const char *expected_schedule) {
  char text[4096];
  snprintf(text, sizeof text, "%s", source);
  for (char *at = text; *at != '\0'; at++) {
    *at = *at == '\'' ? '"' : *at;
  }
  struct scn_shrunk shrunk = {.tree = cJSON_Parse(text), .schedule = strdup(schedule)};
  const struct scn_shrink_oracle oracle = {.fails = has_all, .go_on = go_on, .context = &needs};
  CU_ASSERT_TRUE(scn_shrink(&shrunk, &oracle));
  char *found = cJSON_PrintUnformatted(shrunk.tree);
  for (char *at = found; *at != '\0'; at++) {
    *at = *at == '"' ? '\'' : *at;
  }
  CU_ASSERT_STRING_EQUAL(found, expected);
  CU_ASSERT_STRING_EQUAL(shrunk.schedule, expected_schedule);
  cJSON_free(found);
  cJSON_Delete(shrunk.tree);
  free(shrunk.schedule);
}

static void everything_goes_that_the_failure_does_not_need(void) {
  assert_shrinks(
      "{'name':'x','config':{'a':5,'b':6},'steps':[{'release':'a'},{'release':'b'},"
      "{'release':'c'},{'release':'d'},{'release':'e'}],'load':[{'for':'5m'}]}",
      "", (struct needs){.texts = {"\"b\": 6", "\"c\"", "\"e\""}},
      "{'config':{'b':6},'steps':[{'release':'c'},{'release':'e'}]}", "");
}

static void times_and_numbers_become_as_small_as_they_can(void) {
  /* The text has to have five digits, so 10000 is the smallest number that fails. */
  assert_shrinks("{'steps':[{'hold':'5m'}]}", "", (struct needs){.texts = {"\"hold\": \""}},
                 "{'steps':[{'hold':'0s'}]}", "");
  assert_shrinks("{'steps':[{'timeout':'90ms'}]}", "",
                 (struct needs){.texts = {"\"timeout\": \"", "ms\""}},
                 "{'steps':[{'timeout':'1ms'}]}", "");
}

static void expectations_are_kept_as_they_are_or_not_at_all(void) {
  assert_shrinks("{'steps':[{'release':'a'}],'expect':[{'op':'a','ended_at':'5s'},{'op':'b'}]}", "",
                 (struct needs){.texts = {"\"a\"", "\"expect\": [{"}},
                 "{'expect':[{'op':'a','ended_at':'5s'}]}", "");
}

static void choices_go_that_are_not_needed(void) {
  assert_shrinks("{'steps':[]}", "1:1 3:2 7:1 9:4", (struct needs){.schedule = "7:1"}, "{}", "7:1");
  assert_shrinks("{'steps':[]}", "1:1 3:2", (struct needs){0}, "{}", "");
}

static void it_stops_when_it_is_told(void) {
  assert_shrinks("{'a':1,'b':1,'c':1}", "", (struct needs){.most = 1}, "{'b':1,'c':1}", "");
}

static void gaps_between_steps_are_closed(void) {
  assert_shrinks("{'steps':[{'at':'1s','release':'a'},{'at':'31s','release':'b'}]}", "",
                 (struct needs){.texts = {"\"at\": ", "\"a\"", "\"b\"", "\"at\": \"30s\""}},
                 "{'steps':[{'release':'a'},{'at':'30s','release':'b'}]}", "");
}

/* ---- Loads -------------------------------------------------------------------------------- */

static void a_load_becomes_steps_in_the_order_of_its_arrivals(void) {
  cJSON *tree = cJSON_Parse(
      "{\"steps\":[{\"at\":\"1s\",\"release\":\"x\"},{\"at\":\"3s\",\"release\":\"y\"}],"
      "\"load\":[{\"as\":\"other\",\"for\":\"1s\"},{\"arrivals\":{\"uniform\":\"1/s\"},"
      "\"timeout\":\"5s\",\"account\":7,\"session\":{}}]}");
  struct scn_arrival arrivals[] = {{.label = "load2#1", .at = WSP_SECOND, .held = -1},
                                   {.label = "load2#2", .at = 2 * WSP_SECOND, .held = 5}};
  const struct scn_arrivals_seen seen = {.items = arrivals, .count = 2};
  cJSON *unrolled = scn_shrink_unrolled(tree, &seen);
  char *text = cJSON_PrintUnformatted(unrolled);
  CU_ASSERT_STRING_EQUAL(
      text,
      "{\"steps\":[{\"at\":\"1s\",\"release\":\"x\"},"
      "{\"at\":\"1s\",\"acquire\":{\"as\":\"load2-1\",\"account\":7,\"timeout\":\"5s\"}},"
      "{\"at\":\"2s\",\"acquire\":{\"as\":\"load2-2\",\"account\":7,\"timeout\":\"5s\","
      "\"hold\":\"5ns\"}},"
      "{\"at\":\"3s\",\"release\":\"y\"}]}");
  cJSON_free(text);
  cJSON_Delete(unrolled);
  cJSON_Delete(tree);
}

/* ---- Classes ------------------------------------------------------------------------------ */

static void assert_class(const struct rep_scenario *result, const char *expected) {
  char *found = scn_failure_class(result);
  CU_ASSERT_STRING_EQUAL(found, expected);
  CU_ASSERT_EQUAL(scn_failure_is(result, expected), expected[0] != '\0');
  CU_ASSERT_FALSE(scn_failure_is(result, "something else"));
  free(found);
}

static void a_failure_is_told_by_what_is_wrong_and_not_by_when(void) {
  const struct rep_expectation expectations[] = {
      {.text = "{}", .passed = true, .actual = "x", .missed = ""},
      {.text = "{ \"op\": \"b\" }",
       .actual = "result = ok, ended_at = 25ms",
       .missed = "ended_at"}};
  const struct rep_violation violations[] = {{.invariant = "a"}, {.invariant = "b"}};
  struct rep_scenario result = {
      .verdict = REP_FAIL, .expectations = expectations, .expectation_count = 2};
  assert_class(&result, "expectation {\"op\":\"b\"} found result=ok,ended_at=ms wrong ended_at");
  result.violations = violations;
  result.violation_count = 2;
  assert_class(&result, "invariant a");
  CU_ASSERT_TRUE(scn_failure_is(&result, "invariant b"));
  assert_class(&(struct rep_scenario){.verdict = REP_PASS}, "");
  assert_class(&(struct rep_scenario){.verdict = REP_CRASH}, "crash");
}

static void a_hang_is_told_by_whether_all_was_given_back(void) {
  struct sim_trace *trace = sim_trace_create(16, false);
  const struct rep_op op = {.label = "w", .kind = REP_OP_ACQUIRE, .account = 3, .ended_ns = -1};
  const struct rep_op *const ops[] = {&op};
  const struct rep_scenario result = {
      .verdict = REP_HANG, .trace = trace, .ops = ops, .op_count = 1};
  assert_class(&result, "hang of acquire beside no lease");
  const struct sim_event elsewhere = {.kind = WSP_ACQUIRE_GRANTED, .account = 4};
  const struct sim_event granted = {.kind = WSP_ACQUIRE_GRANTED, .account = 3};
  const struct sim_event lost = {.kind = WSP_LEASE_LOST, .account = 3};
  sim_trace_append(trace, &elsewhere);
  assert_class(&result, "hang of acquire beside no lease");
  sim_trace_append(trace, &granted);
  assert_class(&result, "hang of acquire beside a lease");
  sim_trace_append(trace, &lost);
  assert_class(&result, "hang of acquire beside no lease");
  sim_trace_destroy(trace);
}

CU_TestInfo suite_shrink[] = {
    {"a variant is written into the tree", a_variant_is_written_into_the_tree},
    {"a seed of the command line takes the place of the matrix",
     a_seed_of_the_command_line_takes_the_place_of_the_matrix},
    {"numbers of expectations keep all their digits",
     numbers_of_expectations_keep_all_their_digits},
    {"what stands alone can take the place of what is around it",
     what_stands_alone_can_take_the_place_of_what_is_around_it},
    {"everything goes that the failure does not need",
     everything_goes_that_the_failure_does_not_need},
    {"times and numbers become as small as they can",
     times_and_numbers_become_as_small_as_they_can},
    {"expectations are kept as they are or not at all",
     expectations_are_kept_as_they_are_or_not_at_all},
    {"choices go that are not needed", choices_go_that_are_not_needed},
    {"it stops when it is told", it_stops_when_it_is_told},
    {"gaps between steps are closed", gaps_between_steps_are_closed},
    {"a load becomes steps in the order of its arrivals",
     a_load_becomes_steps_in_the_order_of_its_arrivals},
    {"a failure is told by what is wrong and not by when",
     a_failure_is_told_by_what_is_wrong_and_not_by_when},
    {"a hang is told by whether all was given back", a_hang_is_told_by_whether_all_was_given_back},
    CU_TEST_INFO_NULL,
};
