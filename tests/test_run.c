/*
 * test_run.c - runs of small scenarios against the real pool: what happens when, to the
 * nanosecond, how runs end, and what they leave.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "tests/run_fixture.h"
#include "tests/suites.h"

static struct run_fixture fixture;

static void run(const char *text) {
  run_fixture_run(&fixture, text);
}

static void assert_op(const char *label, const char *result, int64_t started_ns, int64_t ended_ns) {
  const struct rep_op *op = run_fixture_op(&fixture, label);
  CU_ASSERT_STRING_EQUAL(op->result, result);
  CU_ASSERT_EQUAL(op->started_ns, started_ns);
  CU_ASSERT_EQUAL(op->ended_ns, ended_ns);
}

static void assert_passed(void) {
  CU_ASSERT_EQUAL(fixture.result.verdict, REP_PASS);
  CU_ASSERT_PTR_NULL(fixture.result.failure);
}

/* Whether the reason of the verdict has that in it. */
static void assert_failure(enum rep_verdict verdict, const char *part) {
  CU_ASSERT_EQUAL(fixture.result.verdict, verdict);
  CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.result.failure);
  CU_ASSERT_PTR_NOT_NULL(strstr(fixture.result.failure, part));
}

/* ---- Instants ----------------------------------------------------------------------------- */

static void a_second_acquire_waits_for_the_only_conn(void) {
  run("{'name':'x','config':{'max_conns_per_account':1},'accounts':[{'id':99,'type':'api_key'}],"
      "'upstreams':{'default':{'dial':{'latency':'5ms'}}},'steps':["
      "{'at':'0ms','acquire':{'as':'a'}},{'at':'10ms','acquire':{'as':'b'}},"
      "{'at':'70ms','release':'a'},{'at':'100ms','release':'b'}],"
      "'expect':[{'op':'b','queue_wait':'60ms'},{'metric':'acquire_queue_wait_total','eq':1}]}");
  assert_passed();
  assert_op("a", "ok", 0, 5 * MS);
  assert_op("b", "ok", 10 * MS, 70 * MS);
  const struct rep_op *b = run_fixture_op(&fixture, "b");
  CU_ASSERT_EQUAL(b->reused, 1);
  CU_ASSERT_EQUAL(b->queue_wait_ns, 60 * MS);
  CU_ASSERT_STRING_EQUAL(b->conn, "oa_ws_99_1");
  CU_ASSERT_EQUAL(fixture.result.virtual_ns, 100 * MS);
  CU_ASSERT_EQUAL(run_fixture_metric(&fixture, 0, "acquire_total"), 2);
  CU_ASSERT_EQUAL(run_fixture_metric(&fixture, 0, "acquire_queue_wait_ms_total"), 60);
  CU_ASSERT_EQUAL(run_fixture_metric(&fixture, 99, "idle"), 1);
  CU_ASSERT_EQUAL(run_fixture_metric(&fixture, 99, "leased"), 0);
}

static void what_is_due_comes_before_the_steps_of_its_instant(void) {
  run("{'name':'x','upstreams':{'default':{'dial':{'latency':'5ms'}}},'steps':["
      "{'at':'0ms','acquire':{'as':'a'}},{'at':'5ms','mark_prewarmed':'a'},"
      "{'at':'5ms','expect':[{'op':'a','result':'ok','prewarmed':true}]}]}");
  assert_passed();
  CU_ASSERT_STRING_EQUAL(run_fixture_story(&fixture), "acquire a+ a= mark_prewarmed expect");
}

static void each_step_of_an_instant_is_settled_before_the_next(void) {
  run("{'name':'x','steps':[{'acquire':{'as':'a'}},{'write':{'lease':'a','as':'w'}},"
      "{'release':'a'},{'acquire':{'as':'b'}}]}");
  assert_passed();
  CU_ASSERT_STRING_EQUAL(run_fixture_story(&fixture), "acquire a+ a= write release acquire b+ b=");
  assert_op("w", "ok", 0, 0);
  CU_ASSERT_EQUAL(run_fixture_op(&fixture, "b")->reused, 1);
}

static void nothing_comes_between_steps_that_happen_together(void) {
  run("{'name':'x','steps':[{'together':[{'acquire':{'as':'a'}},{'acquire':{'as':'b'}},"
      "{'cancel':'b'}]}]}");
  assert_passed();
  CU_ASSERT_STRING_EQUAL(run_fixture_story(&fixture),
                         "together acquire a+ acquire b+ cancel b! a=");
  assert_op("b", "canceled", 0, 0);
}

static void a_repetition_comes_at_the_place_of_its_step(void) {
  run("{'name':'x','steps':["
      "{'at':'0s','acquire':{'as':'a','repeat':3,'every':'10ms','hold':'1ms'}},"
      "{'at':'10ms','acquire':{'as':'b','hold':'1ms'}},"
      "{'at':'20ms','cleanup_sweep':{}}]}");
  assert_passed();
  CU_ASSERT_STRING_EQUAL(run_fixture_story(&fixture),
                         "acquire a#1+ a#1= acquire a#2+ a#2= acquire b+ b= "
                         "acquire a#3+ a#3= cleanup_sweep");
  assert_op("a#3", "ok", 20 * MS, 20 * MS);
  CU_ASSERT_EQUAL(fixture.result.virtual_ns, 21 * MS);
}

static void repetitions_without_time_between_are_steps_of_their_own(void) {
  run("{'name':'x','steps':[{'acquire':{'as':'a','repeat':2,'every':'0s'}},"
      "{'acquire':{'as':'b'}}]}");
  CU_ASSERT_STRING_EQUAL(run_fixture_story(&fixture),
                         "acquire a#1+ a#1= acquire a#2+ a#2= acquire b+ b=");
  run("{'name':'x','steps':[{'together':[{'acquire':{'as':'a','repeat':2,'every':'0s'}},"
      "{'acquire':{'as':'b'}}]}]}");
  CU_ASSERT_STRING_EQUAL(run_fixture_story(&fixture),
                         "together acquire a#1+ acquire a#2+ acquire b+ a#1= a#2= b=");
}

static void a_scheduled_release_comes_before_the_steps_of_its_instant(void) {
  run("{'name':'x','config':{'max_conns_per_account':1},'steps':["
      "{'acquire':{'as':'a','hold':'30ms'}},{'at':'30ms','acquire':{'as':'b'}}]}");
  assert_passed();
  assert_op("b", "ok", 30 * MS, 30 * MS);
  CU_ASSERT_EQUAL(run_fixture_op(&fixture, "b")->queue_wait_ns, 0);
  CU_ASSERT_EQUAL(run_fixture_time(&fixture, WSP_LEASE_RELEASED, 0), 30 * MS);
}

static void a_clock_jump_runs_no_timer_on_its_way(void) {
  run("{'name':'x','config':{'dial_timeout':'100s'},"
      "'upstreams':{'default':{'dial':{'latency':'5ms'}}},'steps':["
      "{'at':'1ms','acquire':{'as':'a'}},{'at':'2ms','clock_jump':{'by':'95s'}}]}");
  assert_passed();
  /* Due at 6 ms, found late; sweeps due at 30, 60 and 90 s ran once. */
  assert_op("a", "ok", MS, 2 * MS + 95 * WSP_SECOND);
  CU_ASSERT_EQUAL(run_fixture_count(&fixture, WSP_CLEANUP_SWEEP_STARTED), 1);
  CU_ASSERT_EQUAL(run_fixture_time(&fixture, WSP_CLEANUP_SWEEP_STARTED, 0),
                  2 * MS + 95 * WSP_SECOND);
  CU_ASSERT_EQUAL(fixture.result.virtual_ns, 2 * MS + 95 * WSP_SECOND);
}

static void without_background_no_sweep_runs_unasked(void) {
  const char *text = "{'name':'x',%s'run_for':'65s','steps':[{'acquire':{'as':'a','hold':'0s'}}]}";
  char scenario[256];
  snprintf(scenario, sizeof scenario, text, "");
  run(scenario);
  CU_ASSERT_EQUAL(run_fixture_count(&fixture, WSP_CLEANUP_SWEEP_STARTED), 2);
  snprintf(scenario, sizeof scenario, text, "'background':false,");
  run(scenario);
  CU_ASSERT_EQUAL(run_fixture_count(&fixture, WSP_CLEANUP_SWEEP_STARTED), 0);
  CU_ASSERT_EQUAL(run_fixture_count(&fixture, WSP_PING_SWEEP_STARTED), 0);
}

/* ---- Ends --------------------------------------------------------------------------------- */

static void run_for_ends_after_the_last_step_and_leaves_pending_what_is(void) {
  run("{'name':'x','run_for':'1s','config':{'max_conns_per_account':1},'steps':["
      "{'acquire':{'as':'a'}},{'at':'5ms','acquire':{'as':'b'}},"
      "{'at':'10ms','read':{'lease':'a','as':'r'}}],"
      "'upstreams':{'default':{'read':{'outcome':'block'}}},"
      "'expect':[{'op':'b','result':'pending'},{'op':'r','result':'pending'}]}");
  assert_passed();
  CU_ASSERT_EQUAL(fixture.result.virtual_ns, 1010 * MS);
  assert_op("b", "pending", 5 * MS, -1);
  assert_op("r", "pending", 10 * MS, -1);
  CU_ASSERT_EQUAL(run_fixture_time(&fixture, SIM_RUN_ENDED, 0), 1010 * MS);
}

static void what_is_due_at_the_end_still_happens(void) {
  const char *text =
      "{'name':'x','run_for':'%s','upstreams':{'default':{'dial':{'latency':'5ms'}}}"
      ",'steps':[{'acquire':{'as':'a'}}]}";
  char scenario[256];
  snprintf(scenario, sizeof scenario, text, "5ms");
  run(scenario);
  assert_op("a", "ok", 0, 5 * MS);
  snprintf(scenario, sizeof scenario, text, "4999999ns");
  run(scenario);
  assert_op("a", "pending", 0, -1);
}

static void an_operation_that_only_timers_outlive_is_a_hang(void) {
  run("{'name':'x','config':{'max_conns_per_account':1},'steps':["
      "{'acquire':{'as':'a'}},{'at':'5ms','acquire':{'as':'b'}}],"
      "'expect':[{'op':'b','result':'ok'}]}");
  assert_failure(REP_HANG, "test.json: hang at 5ms: only periodic timers are left");
  assert_failure(REP_HANG, "acquire \"b\" is pending since 5ms (test.json:1:");
  assert_failure(REP_HANG, "last seen:       5ms  acquire_queued");
  assert_failure(REP_HANG, "expectation failed at 5ms");
  CU_ASSERT_EQUAL(fixture.result.virtual_ns, 5 * MS);
  CU_ASSERT_EQUAL(fixture.result.expectation_count, 1);
}

static void an_upstreams_own_timer_may_still_end_a_wait(void) {
  run("{'name':'x','config':{'max_conns_per_account':1},"
      "'upstreams':{'default':{'max_age':'20s'}},'steps':["
      "{'acquire':{'as':'a'}},{'at':'5ms','acquire':{'as':'b'}}]}");
  assert_passed();
  /* The conn that a holds is closed by the upstream, which makes room. */
  assert_op("b", "ok", 5 * MS, 20 * WSP_SECOND);
}

static void an_instant_that_never_ends_is_a_hang(void) {
  run("{'name':'x','load':[{'arrivals':{'burst':1},'for':'1s','hold':'0s',"
      "'session':{'turns':{'uniform':[900000,900000]},'think':'0s'}}]}");
  assert_failure(REP_HANG, "happened at 0s and the instant did not come to rest");
}

static void a_scenario_of_nothing_but_time_ends_at_once(void) {
  run("{'name':'x','steps':[{'at':'3s','cleanup_sweep':{}}]}");
  assert_passed();
  CU_ASSERT_EQUAL(fixture.result.virtual_ns, 3 * WSP_SECOND);
}

/* ---- Results ------------------------------------------------------------------------------ */

static void the_same_seed_gives_the_same_timeline_and_another_does_not(void) {
  const char *text =
      "{'name':'x','seed':%d,'load':[{'arrivals':{'poisson':'50/s'},'for':'2s',"
      "'hold':{'exponential':'30ms'},'timeout':'1s'}]}";
  char scenario[256];
  char first[65], second[65];
  snprintf(scenario, sizeof scenario, text, 1);
  run(scenario);
  memcpy(first, fixture.result.timeline_sha256, sizeof first);
  CU_ASSERT_EQUAL(strlen(first), 64);
  run(scenario);
  memcpy(second, fixture.result.timeline_sha256, sizeof second);
  CU_ASSERT_STRING_EQUAL(first, second);
  snprintf(scenario, sizeof scenario, text, 2);
  run(scenario);
  CU_ASSERT_STRING_NOT_EQUAL(first, fixture.result.timeline_sha256);
}

static void an_expectation_that_fails_midway_is_kept_and_the_run_goes_on(void) {
  run("{'name':'x','steps':[{'acquire':{'as':'a'}},"
      "{'expect':[{'op':'a','result':'ok'},{'account':1,'conns':7}]},"
      "{'at':'1s','release':'a'}],'expect':[{'account':1,'leased':0}]}");
  assert_failure(REP_FAIL, "test.json:1:");
  assert_failure(REP_FAIL, "expectation failed at 0s: {\"account\":1,\"conns\":7}");
  CU_ASSERT_EQUAL(fixture.result.virtual_ns, WSP_SECOND);
  CU_ASSERT_EQUAL_FATAL(fixture.result.expectation_count, 3);
  for (int64_t i = 0; i < 3; i++) {
    CU_ASSERT_EQUAL(fixture.result.expectations[i].index, i);
    CU_ASSERT_EQUAL(fixture.result.expectations[i].passed, i != 1);
  }
  CU_ASSERT_EQUAL(run_fixture_count(&fixture, SIM_EXPECTATION_FAILED), 1);
}

static void sql_sees_the_rows_so_far_and_at_the_end(void) {
  run("{'name':'x','steps':[{'acquire':{'as':'a'}},"
      "{'expect':[{'sql':'select count(*) from op','eq':1}]},{'acquire':{'as':'b'}}],"
      "'expect':[{'sql':'select count(*) from op','eq':2}]}");
  assert_passed();
}

static void samples_are_few_and_evenly_spread_however_long_the_run(void) {
  run("{'name':'x','load':[{'arrivals':{'uniform':'7/s'},'for':'10m','hold':'50ms'}]}");
  assert_passed();
  size_t samples = 0;
  int64_t last = -1;
  for (size_t i = 0; i < fixture.result.metric_count; i++) {
    const struct rep_metric *metric = &fixture.result.metrics[i];
    if (metric->account == 1 && strcmp(metric->name, "leased") == 0) {
      CU_ASSERT_TRUE(metric->t_ns >= last);
      CU_ASSERT_TRUE(metric->t_ns - last <= 600 * WSP_SECOND / 16);
      last = metric->t_ns;
      samples++;
    }
  }
  CU_ASSERT_TRUE(samples >= 32 && samples <= 129);
  CU_ASSERT_EQUAL(last, fixture.result.virtual_ns);
}

CU_TestInfo suite_run[] = {
    {"a second acquire waits for the only conn", a_second_acquire_waits_for_the_only_conn},
    {"what is due comes before the steps of its instant",
     what_is_due_comes_before_the_steps_of_its_instant},
    {"each step of an instant is settled before the next",
     each_step_of_an_instant_is_settled_before_the_next},
    {"nothing comes between steps that happen together",
     nothing_comes_between_steps_that_happen_together},
    {"a repetition comes at the place of its step", a_repetition_comes_at_the_place_of_its_step},
    {"repetitions without time between are steps of their own",
     repetitions_without_time_between_are_steps_of_their_own},
    {"a scheduled release comes before the steps of its instant",
     a_scheduled_release_comes_before_the_steps_of_its_instant},
    {"a clock jump runs no timer on its way", a_clock_jump_runs_no_timer_on_its_way},
    {"without background no sweep runs unasked", without_background_no_sweep_runs_unasked},
    {"run_for ends after the last step and leaves pending what is",
     run_for_ends_after_the_last_step_and_leaves_pending_what_is},
    {"what is due at the end still happens", what_is_due_at_the_end_still_happens},
    {"an operation that only timers outlive is a hang",
     an_operation_that_only_timers_outlive_is_a_hang},
    {"an upstream's own timer may still end a wait", an_upstreams_own_timer_may_still_end_a_wait},
    {"an instant that never ends is a hang", an_instant_that_never_ends_is_a_hang},
    {"a scenario of nothing but time ends at once", a_scenario_of_nothing_but_time_ends_at_once},
    {"the same seed gives the same timeline, and another does not",
     the_same_seed_gives_the_same_timeline_and_another_does_not},
    {"an expectation that fails midway is kept and the run goes on",
     an_expectation_that_fails_midway_is_kept_and_the_run_goes_on},
    {"SQL sees the rows so far and at the end", sql_sees_the_rows_so_far_and_at_the_end},
    {"samples are few and evenly spread, however long the run",
     samples_are_few_and_evenly_spread_however_long_the_run},
    CU_TEST_INFO_NULL,
};
