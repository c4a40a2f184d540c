/*
 * test_explore.c - orders of an instant: schedules as text, strategies, the search and its hits.
 */
#include "scenarios/engine/explore.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/plan.h"
#include "scenarios/engine/schedule.h"
#include "scenarios/engine/seen.h"
#include "tests/run_fixture.h"
#include "tests/suites.h"

/* Three dials that have nothing to do with each other and end at different times: 3! orders. */
#define THREE_AT_ONCE                                                                       \
  "{'name':'three','accounts':[{'id':1,'type':'api_key'},{'id':2,'type':'api_key'},"        \
  "{'id':3,'type':'api_key'}],'upstreams':{'wss://one/':{'dial':{'latency':'1ms'}},"        \
  "'wss://two/':{'dial':{'latency':'2ms'}},'wss://three/':{'dial':{'latency':'3ms'}}},"     \
  "'steps':[{'at':'0ms','together':[{'acquire':{'as':'a','account':1,'url':'wss://one/'}}," \
  "{'acquire':{'as':'b','account':2,'url':'wss://two/'}},"                                  \
  "{'acquire':{'as':'c','account':3,'url':'wss://three/'}}]}],"                             \
  "'expect':[{'op':'a','ended_at':'1ms'},{'op':'b','ended_at':'2ms'},"                      \
  "{'op':'c','ended_at':'3ms'}]}"

/* Who comes first has the only conn: the expectation holds in one of two orders. */
#define FIRST_HAS_IT                                                                               \
  "{'name':'first','config':{'max_conns_per_account':1},'accounts':[{'id':1,'type':'api_key'}],"   \
  "'upstreams':{'default':{'dial':{'latency':'5ms'}}},'steps':[{'at':'0ms','together':["           \
  "{'acquire':{'as':'a','timeout':'50ms'}},{'acquire':{'as':'b','timeout':'50ms'}}]}],'expect':[{" \
  "'op':'a','result':'ok'}]}"

static struct run_fixture fixture;

static void run(const char *text) {
  run_fixture_run(&fixture, text);
  CU_ASSERT_EQUAL(fixture.result.verdict, REP_PASS);
}

static void explore(enum scn_strategy strategy, uint64_t runs, uint64_t seed) {
  struct scn_explore_options options = {
      .strategy = strategy, .runs = runs, .seed = seed, .depth = 2};
  scn_explore(fixture.runner, fixture.scenario, &fixture.scenario->variants[0], &options,
              &fixture.result);
}

static bool follow(const char *schedule, char *message, size_t size) {
  return scn_run_scheduled(fixture.runner, fixture.scenario, &fixture.scenario->variants[0],
                           schedule, false, &fixture.result, message, size);
}

/* ---- Schedules ---------------------------------------------------------------------------- */

static void a_schedule_is_read(void) {
  struct scn_schedule schedule;
  char message[256] = "";
  CU_ASSERT_TRUE_FATAL(
      scn_schedule_parse(" 3:1  18446744073709551599:63", &schedule, message, 256));
  CU_ASSERT_EQUAL_FATAL(schedule.count, 2);
  CU_ASSERT_EQUAL(schedule.items[0].choice, 3);
  CU_ASSERT_EQUAL(schedule.items[0].taken, 1);
  CU_ASSERT_EQUAL(schedule.items[1].choice, UINT64_C(18446744073709551599));
  CU_ASSERT_EQUAL(schedule.items[1].taken, 63);
  scn_schedule_deinit(&schedule);
  CU_ASSERT_TRUE(scn_schedule_parse("", &schedule, message, 256));
  CU_ASSERT_EQUAL(schedule.count, 0);
  scn_schedule_deinit(&schedule);
}

static void what_is_no_schedule_is_refused(void) {
  static const char *const bad[] = {"3",
                                    "3:",
                                    ":1",
                                    "0:1",
                                    "3:0",
                                    "3:64",
                                    "x:1",
                                    "3:1,",
                                    "3:1x",
                                    "3:1 3:2",
                                    "4:1 3:1",
                                    "-1:1",
                                    "99999999999999999999:1"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct scn_schedule schedule;
    char message[256] = "";
    CU_ASSERT_FALSE(scn_schedule_parse(bad[i], &schedule, message, sizeof message));
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "expected items as 3:1"));
    CU_ASSERT_PTR_NULL(schedule.items);
  }
}

static void a_run_takes_the_order_of_its_schedule(void) {
  char message[512] = "";
  run(FIRST_HAS_IT);
  CU_ASSERT_TRUE(follow("1:1", message, sizeof message));
  CU_ASSERT_EQUAL(fixture.result.verdict, REP_FAIL);
  CU_ASSERT_STRING_EQUAL(fixture.result.schedule, "1:1");
  CU_ASSERT_STRING_EQUAL(run_fixture_op(&fixture, "a")->result, "deadline_exceeded");
  CU_ASSERT_STRING_EQUAL(run_fixture_op(&fixture, "b")->result, "ok");
}

static void a_schedule_that_does_not_fit_is_told(void) {
  char message[512] = "";
  run(FIRST_HAS_IT);
  CU_ASSERT_FALSE(follow("1:2", message, sizeof message));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(message, "other choices or calls than those of its schedule \"1:2\""));
  CU_ASSERT_STRING_EQUAL(fixture.result.schedule, "");
  CU_ASSERT_FALSE(follow("1:1 900:1", message, sizeof message));
  CU_ASSERT_STRING_EQUAL(fixture.result.schedule, "1:1");
}

/* One turn at a time is the same run, as long as the first is taken. */
static void insertion_order_is_that_of_a_plain_run(void) {
  const char *const folder[] = {"scenarios/bugs"};
  struct scn_plan plan = {0};
  size_t matched;
  CU_ASSERT_EQUAL_FATAL(scn_plan_load(&plan, folder, 1, NULL, NULL, NULL), SCN_PLAN_OK);
  CU_ASSERT_TRUE_FATAL(scn_plan_select(&plan, &(struct scn_plan_selection){0}, &matched));
  CU_ASSERT(plan.item_count > 40);
  struct scn_runner *runner = scn_runner_create(false);
  for (size_t i = 0; i < plan.item_count; i++) {
    const struct scn_plan_item *item = &plan.items[i];
    struct rep_scenario plain;
    struct rep_scenario scheduled;
    char message[512];
    char sha256[65];
    scn_run(runner, item->scenario, item->variant, &plain);
    memcpy(sha256, plain.timeline_sha256, sizeof sha256);
    CU_ASSERT_TRUE(scn_run_scheduled(runner, item->scenario, item->variant, "", false, &scheduled,
                                     message, sizeof message));
    CU_ASSERT_EQUAL(scheduled.verdict, REP_PASS);
    CU_ASSERT_STRING_EQUAL(scheduled.timeline_sha256, sha256);
  }
  scn_runner_destroy(runner);
  scn_plan_deinit(&plan);
}

/* ---- The search --------------------------------------------------------------------------- */

static void all_orders_are_counted(void) {
  run(THREE_AT_ONCE);
  explore(SCN_EXHAUSTIVE, 100, 0);
  CU_ASSERT_EQUAL(fixture.result.verdict, REP_PASS);
  CU_ASSERT_TRUE(fixture.result.exploration.complete);
  CU_ASSERT_EQUAL(fixture.result.exploration.orders, 6);
  CU_ASSERT_EQUAL(fixture.result.exploration.runs, 6);
  CU_ASSERT_EQUAL(fixture.result.exploration.states, 4);
  CU_ASSERT_EQUAL(fixture.result.exploration.schedules, 1); /* all six end in one state */
  CU_ASSERT_STRING_EQUAL(fixture.result.exploration.strategy, "exhaustive");
  CU_ASSERT_PTR_NULL(fixture.result.schedule);
}

static void a_bound_that_is_reached_is_told(void) {
  run(THREE_AT_ONCE);
  explore(SCN_EXHAUSTIVE, 5, 0);
  CU_ASSERT_EQUAL(fixture.result.verdict, REP_PASS);
  CU_ASSERT_FALSE(fixture.result.exploration.complete);
  CU_ASSERT_EQUAL(fixture.result.exploration.runs, 5);
  explore(SCN_EXHAUSTIVE, 6, 0);
  CU_ASSERT_TRUE(fixture.result.exploration.complete);
}

/* Every strategy comes to the same hit, and what it leaves gives the same run again. */
static void a_hit_is_found_and_can_be_run_again(void) {
  for (int strategy = SCN_RANDOM; strategy <= SCN_EXHAUSTIVE; strategy++) {
    char message[512] = "";
    char schedule[64];
    char sha256[65];
    run(FIRST_HAS_IT);
    explore((enum scn_strategy)strategy, 100, 7);
    CU_ASSERT_EQUAL(fixture.result.verdict, REP_FAIL);
    CU_ASSERT_FALSE(fixture.result.exploration.complete);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.result.schedule);
    CU_ASSERT_STRING_EQUAL(fixture.result.schedule, "1:1");
    snprintf(schedule, sizeof schedule, "%s", fixture.result.schedule);
    memcpy(sha256, fixture.result.timeline_sha256, sizeof sha256);
    CU_ASSERT_TRUE(follow(schedule, message, sizeof message));
    CU_ASSERT_STRING_EQUAL(fixture.result.timeline_sha256, sha256);
  }
}

static void a_search_repeats_itself(void) {
  for (int strategy = SCN_RANDOM; strategy <= SCN_PCT; strategy++) {
    run(THREE_AT_ONCE);
    explore((enum scn_strategy)strategy, 200, 3);
    struct rep_exploration first = fixture.result.exploration;
    CU_ASSERT_EQUAL(first.runs, 200);
    /* All six orders with the file's seed, and each of the other hundred seeds is a run of its own.
     */
    CU_ASSERT_EQUAL(first.schedules, 106);
    explore((enum scn_strategy)strategy, 200, 3);
    CU_ASSERT_EQUAL(fixture.result.exploration.events, first.events);
    CU_ASSERT_EQUAL(fixture.result.exploration.schedules, first.schedules);
  }
}

static void what_fails_in_insertion_order_is_the_first_hit(void) {
  run_fixture_run(
      &fixture,
      "{'name':'x','accounts':[{'id':1,'type':'api_key'}],"
      "'steps':[{'at':'0ms','acquire':{'as':'a'}}],'expect':[{'op':'a','result':'pending'}]}");
  explore(SCN_RANDOM, 10, 0);
  CU_ASSERT_EQUAL(fixture.result.verdict, REP_FAIL);
  CU_ASSERT_EQUAL(fixture.result.exploration.runs, 1);
  CU_ASSERT_STRING_EQUAL(fixture.result.schedule, "");
  run_fixture_deinit(&fixture);
}

/* A prewarmed conn is meant for `a`, who is told of it only when room has been made for `b`: nobody
 * passes anybody. */
static void who_has_a_conn_and_was_not_told_is_not_passed_over(void) {
  char message[512] = "";
  run("{'name':'x','config':{'max_conns_per_account':3,'min_idle_per_account':2},"
      "'accounts':[{'id':3,'type':'api_key'}],'upstreams':{'wss://3.example/':{'dial':{'latency':"
      "'1ms'}}},'steps':[{'together':["
      "{'acquire':{'as':'a','url':'wss://3.example/','hold':'1s'}},"
      "{'acquire':{'as':'b','url':'wss://3.example/','hold':'1s'}},{'acquire':{'hold':'1s'}},"
      "{'ensure_target_idle':{'account':3,'url':'wss://3.example/'}}]}]}");
  CU_ASSERT_TRUE(follow("1:3 2:2", message, sizeof message));
  CU_ASSERT_EQUAL(fixture.result.verdict, REP_PASS);
  CU_ASSERT_STRING_EQUAL(run_fixture_op(&fixture, "a")->result, "ok");
}

static void many_keys_are_kept_apart(void) {
  struct scn_seen seen = {0};
  for (int round = 0; round < 2; round++) {
    for (uint64_t i = 0; i < 5000; i++) {
      bool is_new;
      struct scn_seen_entry *entry =
          scn_seen_put(&seen, (struct scn_key){{i * 1024, i % 7}}, &is_new);
      CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
      CU_ASSERT_EQUAL(is_new, round == 0);
      CU_ASSERT_EQUAL(entry->number, round == 0 ? 0 : i);
      entry->number = i;
    }
  }
  CU_ASSERT_EQUAL(seen.count, 5000);
  CU_ASSERT_FALSE(seen.full);
  scn_seen_deinit(&seen);
}

CU_TestInfo suite_explore[] = {
    {"a schedule is read", a_schedule_is_read},
    {"what is no schedule is refused", what_is_no_schedule_is_refused},
    {"a run takes the order of its schedule", a_run_takes_the_order_of_its_schedule},
    {"a schedule that does not fit is told", a_schedule_that_does_not_fit_is_told},
    {"insertion order is that of a plain run", insertion_order_is_that_of_a_plain_run},
    {"all orders are counted", all_orders_are_counted},
    {"a bound that is reached is told", a_bound_that_is_reached_is_told},
    {"a hit is found and can be run again", a_hit_is_found_and_can_be_run_again},
    {"who has a conn and was not told is not passed over",
     who_has_a_conn_and_was_not_told_is_not_passed_over},
    {"a search repeats itself", a_search_repeats_itself},
    {"what fails in insertion order is the first hit",
     what_fails_in_insertion_order_is_the_first_hit},
    {"many keys are kept apart", many_keys_are_kept_apart},
    CU_TEST_INFO_NULL,
};
