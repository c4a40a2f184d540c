/*
 * test_recovery.c - faults that are drawn and faults that are repeated, and how the pool must have
 * converged after them.
 */
#include "scenarios/engine/recovery.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/explore.h"
#include "scenarios/engine/schedule.h"
#include "scenarios/engine/strategy.h"
#include "scenarios/engine/verdict.h"
#include "sim/invariant.h"
#include "tests/run_fixture.h"
#include "tests/suites.h"

/* Some of everything, on upstreams that never fail by themselves. */
#define HEALTHY                                                                               \
  "{'name':'healthy','config':{'max_conns_per_account':2,'min_idle_per_account':1},"          \
  "'accounts':[{'id':1,'type':'api_key'}],'upstreams':{'default':{'dial':{'latency':'20ms'}," \
  "'ping':{'latency':'1ms'},'read':{'latency':'80ms'}}},'steps':["                            \
  "{'at':'0ms','acquire':{'as':'a'}},{'at':'0ms','acquire':{'as':'b','hold':'200ms'}},"       \
  "{'at':'10ms','acquire':{'as':'c','hold':'200ms','timeout':'30s'}},"                        \
  "{'at':'50ms','write':{'lease':'a','json':{}}},{'at':'50ms','read':{'lease':'a'}},"         \
  "{'at':'300ms','release':'a'},{'at':'2m','acquire':{'as':'d','hold':'1s'}},"                \
  "{'at':'4m','acquire':{'as':'e','hold':'1s'}}],"                                            \
  "'expect':[{'op':'a','result':'ok'},{'op':'e','result':'ok'}]}"

static struct run_fixture fixture;

static const struct scn_variant *variant(void) {
  return &fixture.scenario->variants[0];
}

static void load(const char *text) {
  run_fixture_run(&fixture, text);
  CU_ASSERT_EQUAL(fixture.result.verdict, REP_PASS);
}

static void follow(const char *schedule) {
  char message[512] = "";
  CU_ASSERT_TRUE(scn_run_scheduled(fixture.runner, fixture.scenario, variant(), schedule, false,
                                   &fixture.result, message, sizeof message));
  CU_ASSERT_STRING_EQUAL(message, "");
}

/* ---- Drawing ------------------------------------------------------------------------------ */

/* Asks as a run would: a dial, then pings, reads and writes, then a close, again and again. */
static void draw_calls(struct scn_drawn_faults *faults, int calls, struct fake_fault *struck) {
  const struct fake_fault_plan plan = scn_faults_plan(faults);
  for (int i = 0; i < calls; i++) {
    struct fake_fault fault = {0};
    bool strikes = plan.strikes(plan.context, (enum fake_subject)(i % FAKE_SUBJECT_COUNT),
                                (uint64_t)i + 1, 0, &fault);
    struck[i] = strikes ? fault : (struct fake_fault){.length = -1};
  }
}

/* What one kind draws is the same with it alone and with all: of the streams nothing is shared. */
static void one_more_kind_does_not_shift_the_others(void) {
  enum { CALLS = 500 };
  static struct fake_fault alone[CALLS], together[CALLS];
  for (uint64_t run = 0; run < 40; run++) {
    struct scn_drawn_faults all;
    scn_faults_draw(&all, 7, run, SCN_ALL_FAULTS, 10 * WSP_SECOND);
    draw_calls(&all, CALLS, together);
    for (int kind = 0; kind < FAKE_FAULT_COUNT; kind++) {
      struct scn_drawn_faults one;
      bool armed = scn_faults_draw(&one, 7, run, 1U << kind, 10 * WSP_SECOND);
      CU_ASSERT_EQUAL(armed, all.kinds[kind].is_armed);
      CU_ASSERT_EQUAL(one.until, all.until);
      draw_calls(&one, CALLS, alone);
      CU_ASSERT_EQUAL(memcmp(one.kinds[kind].random.state, all.kinds[kind].random.state,
                             sizeof one.kinds[kind].random.state),
                      0);
      for (int i = 0; i < CALLS; i++) {
        if (together[i].length >= 0 && together[i].kind == (enum fake_fault_kind)kind) {
          CU_ASSERT_EQUAL(alone[i].length, together[i].length);
        }
      }
    }
  }
}

/* First which are armed, then whether they strike: never one that is not armed, never too late. */
static void faults_go_in_two_phases(void) {
  unsigned armed[FAKE_FAULT_COUNT] = {0};
  unsigned struck[FAKE_FAULT_COUNT] = {0};
  unsigned none = 0;
  for (uint64_t run = 0; run < 1000; run++) {
    struct scn_drawn_faults faults;
    none += !scn_faults_draw(&faults, 1, run, SCN_ALL_FAULTS, WSP_MINUTE);
    CU_ASSERT(faults.until >= 0 && faults.until <= WSP_MINUTE);
    const struct fake_fault_plan plan = scn_faults_plan(&faults);
    struct fake_fault fault;
    for (uint64_t i = 0; i < 200; i++) {
      enum fake_subject subject = (enum fake_subject)(i % FAKE_SUBJECT_COUNT);
      if (plan.strikes(plan.context, subject, i + 1, faults.until, &fault)) {
        CU_ASSERT_TRUE(faults.kinds[fault.kind].is_armed);
        CU_ASSERT_TRUE(fake_fault_type(fault.kind)->strikes >> subject & 1);
        struck[fault.kind]++;
      }
      CU_ASSERT_FALSE(plan.strikes(plan.context, subject, i + 1, faults.until + 1, &fault));
    }
    for (int kind = 0; kind < FAKE_FAULT_COUNT; kind++) {
      armed[kind] += faults.kinds[kind].is_armed;
    }
  }
  for (int kind = 0; kind < FAKE_FAULT_COUNT; kind++) {
    CU_ASSERT(armed[kind] > 400 && armed[kind] < 600);
    CU_ASSERT(struck[kind] > 0);
  }
  CU_ASSERT(none > 0 && none < 50);
}

/* ---- As text ------------------------------------------------------------------------------ */

static void faults_of_a_schedule_are_read(void) {
  struct scn_schedule schedule;
  char message[512] = "";
  CU_ASSERT_TRUE_FATAL(scn_schedule_parse(
      "refuse@dial2 3:1 429@dial12 stall@read1+1m2.5s  duplicate-close@close3+5ms 7:2", &schedule,
      message, sizeof message));
  CU_ASSERT_EQUAL(schedule.count, 2);
  CU_ASSERT_EQUAL_FATAL(schedule.fault_count, 4);
  CU_ASSERT_EQUAL(schedule.faults[0].fault.kind, FAKE_FAULT_REFUSE);
  CU_ASSERT_EQUAL(schedule.faults[0].subject, FAKE_SUBJECT_DIAL);
  CU_ASSERT_EQUAL(schedule.faults[0].number, 2);
  CU_ASSERT_EQUAL(schedule.faults[1].fault.kind, FAKE_FAULT_TOO_MANY_REQUESTS);
  CU_ASSERT_EQUAL(schedule.faults[1].number, 12);
  CU_ASSERT_EQUAL(schedule.faults[2].fault.length, WSP_MINUTE + 2500 * MS);
  CU_ASSERT_EQUAL(schedule.faults[3].fault.kind, FAKE_FAULT_DUPLICATE_CLOSE);
  CU_ASSERT_EQUAL(schedule.faults[3].fault.length, 5 * MS);
  scn_schedule_deinit(&schedule);
}

static void what_is_no_fault_is_refused(void) {
  static const char *const bad[] = {"refuse@dial",
                                    "refuse@dial0",
                                    "refuse@dials1",
                                    "refuse@read1",
                                    "refused@dial1",
                                    "refuse@dial1+1s",
                                    "refuse@dial2 429@dial2",
                                    "refuse@dial2 429@dial1",
                                    "stall@dial1+",
                                    "stall@dial1+1",
                                    "stall@dial1+-1s",
                                    "stall@dial1-1s",
                                    "@dial1",
                                    "stall@",
                                    "drop@close1",
                                    "drop@read99999999999999999999"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct scn_schedule schedule;
    char message[512] = "";
    CU_ASSERT_FALSE(scn_schedule_parse(bad[i], &schedule, message, sizeof message));
    CU_ASSERT_PTR_NOT_NULL(strstr(message, "faults as refuse@dial2"));
    CU_ASSERT_PTR_NULL(schedule.faults);
  }
}

/* ---- Repeating ---------------------------------------------------------------------------- */

static void a_run_with_drawn_faults_is_repeated_from_its_schedule(void) {
  uint64_t faults_fired = 0;
  load(HEALTHY);
  for (uint64_t run = 0; run < 150; run++) {
    struct scn_drawn_faults faults;
    struct scn_drawn_order order;
    scn_faults_draw(&faults, 3, run, SCN_ALL_FAULTS, WSP_MINUTE);
    const struct fake_fault_plan plan = scn_faults_plan(&faults);
    struct scn_chooser chooser = scn_strategy_random(&order, 3, run);
    struct scn_world *world = scn_run_begin(fixture.runner, fixture.scenario, variant(), &chooser);
    CU_ASSERT_PTR_NOT_NULL_FATAL(world);
    fake_world_use_faults(world->upstreams, &plan);
    scn_run_to_end(world);
    faults_fired += fake_world_faults_fired(world->upstreams);
    struct rep_scenario result;
    scn_verdict_finish(world, &result);
    CU_ASSERT_EQUAL(result.verdict, REP_PASS);
    char sha256[65];
    memcpy(sha256, result.timeline_sha256, sizeof sha256);
    char *schedule = scn_schedule_of_trace(world->trace);
    CU_ASSERT_PTR_NOT_NULL_FATAL(schedule);
    follow(schedule);
    CU_ASSERT_STRING_EQUAL(fixture.result.timeline_sha256, sha256);
    CU_ASSERT_STRING_EQUAL(fixture.result.schedule, schedule);
    free(schedule);
  }
  CU_ASSERT(faults_fired > 150);
}

static void a_fault_that_strikes_nothing_is_told(void) {
  char message[512] = "";
  load(HEALTHY);
  CU_ASSERT_FALSE(scn_run_scheduled(fixture.runner, fixture.scenario, variant(),
                                    "refuse@dial1 drop@read70+1s", false, &fixture.result, message,
                                    sizeof message));
  CU_ASSERT_PTR_NOT_NULL(strstr(message, "choices or calls"));
  CU_ASSERT_STRING_EQUAL(fixture.result.schedule, "refuse@dial1");
}

static void a_search_with_faults_repeats_itself(void) {
  const struct scn_explore_options options = {
      .strategy = SCN_RANDOM, .runs = 200, .seed = 5, .faults = SCN_ALL_FAULTS};
  struct rep_exploration first;
  load(HEALTHY);
  scn_explore(fixture.runner, fixture.scenario, variant(), &options, &fixture.result);
  CU_ASSERT_EQUAL(fixture.result.verdict, REP_PASS);
  first = fixture.result.exploration;
  CU_ASSERT_EQUAL(first.runs, 200);
  CU_ASSERT_TRUE(first.faulted > 0 && first.faulted < first.runs);
  scn_explore(fixture.runner, fixture.scenario, variant(), &options, &fixture.result);
  CU_ASSERT_EQUAL(fixture.result.exploration.events, first.events);
  CU_ASSERT_EQUAL(fixture.result.exploration.schedules, first.schedules);
  CU_ASSERT_EQUAL(fixture.result.exploration.faulted, first.faulted);
}

static void a_search_that_arms_no_fault_counts_none(void) {
  const struct scn_explore_options options = {.strategy = SCN_RANDOM, .runs = 200, .seed = 5};
  load(HEALTHY);
  scn_explore(fixture.runner, fixture.scenario, variant(), &options, &fixture.result);
  CU_ASSERT_EQUAL(fixture.result.exploration.faulted, 0);
}

/* ---- Converging --------------------------------------------------------------------------- */

static void without_a_fault_there_is_nothing_to_recover_from(void) {
  load(HEALTHY);
  CU_ASSERT_EQUAL(run_fixture_count(&fixture, SIM_RECOVERY_STARTED), 0);
  follow("");
  CU_ASSERT_EQUAL(run_fixture_count(&fixture, SIM_RECOVERY_STARTED), 0);
  CU_ASSERT_EQUAL(fixture.result.expectation_count, 2);
}

/* dial_timeout 10s + prewarm_extra_delay 2s + three times 2s for pings + prewarm_failure_window 30s
 * + two intervals of 30s + 1s. */
static void the_accounts_are_asked_for_all_that_they_may_have(void) {
  load(HEALTHY);
  follow("refuse@dial1");
  CU_ASSERT_EQUAL(fixture.result.verdict, REP_PASS);
  CU_ASSERT_EQUAL(run_fixture_count(&fixture, SIM_FAULT_FIRED), 1);
  CU_ASSERT_EQUAL(run_fixture_count(&fixture, SIM_RECOVERY_STARTED), 1);
  const wsp_time started =
      241 * WSP_SECOND + 1 * MS; /* the last conn was pinged before it was lent */
  CU_ASSERT_EQUAL(run_fixture_time(&fixture, SIM_RECOVERY_STARTED, 0), started);
  const struct rep_op *served = run_fixture_op(&fixture, "(serve account 1: 1)");
  CU_ASSERT_EQUAL(served->started_ns, started + 109 * WSP_SECOND);
  CU_ASSERT_STRING_EQUAL(served->result, "ok");
  CU_ASSERT_STRING_EQUAL(run_fixture_op(&fixture, "(fill account 1: 1)")->result, "ok");
  CU_ASSERT_STRING_EQUAL(run_fixture_op(&fixture, "(fill account 1: 2)")->result, "ok");
  CU_ASSERT_EQUAL(fixture.result.virtual_ns, started + 3 * 109 * WSP_SECOND);
}

/* From the first fault on: what was judged before it stays judged. */
static void expectations_are_not_judged_after_a_fault(void) {
  load(
      "{'name':'x','accounts':[{'id':1,'type':'api_key'}],'steps':["
      "{'at':'0s','acquire':{'as':'a'}},{'at':'1s','expect':[{'op':'a','result':'ok'}]},"
      "{'at':'2s','write':{'lease':'a'}},{'at':'3s','release':'a'}],"
      "'expect':[{'account':1,'idle':1}]}");
  CU_ASSERT_EQUAL(fixture.result.expectation_count, 2);
  follow("reset@write1");
  CU_ASSERT_EQUAL(fixture.result.verdict, REP_PASS);
  CU_ASSERT_EQUAL(fixture.result.expectation_count, 1);
}

/* What nobody gives back is no hang once a fault has struck: the recovery gives it back. */
static void what_a_fault_has_left_hanging_comes_loose(void) {
  load(
      "{'name':'x','config':{'max_conns_per_account':1},'accounts':[{'id':1,'type':'api_key'}],"
      "'upstreams':{'default':{'dial':{'latency':'10ms'}}},'steps':["
      "{'at':'0s','acquire':{'as':'a'}},{'at':'1s','acquire':{'as':'b','hold':'1s'}},"
      "{'at':'2s','release':'a'}],'expect':[{'op':'b','result':'ok'}]}");
  follow("slow@dial1+4s"); /* the release at 2s comes too early */
  CU_ASSERT_EQUAL(fixture.result.verdict, REP_PASS);
  CU_ASSERT_STRING_EQUAL(run_fixture_op(&fixture, "b")->result, "ok");
  CU_ASSERT_EQUAL(run_fixture_op(&fixture, "b")->ended_ns,
                  run_fixture_time(&fixture, SIM_RECOVERY_STARTED, 0));
}

/* An upstream that never serves, as the scenario wants it, serves in the recovery. */
static void the_upstreams_heal(void) {
  load(
      "{'name':'x','accounts':[{'id':1,'type':'api_key'}],'upstreams':{'default':"
      "{'fake':'always-fail'}},'steps':[{'at':'0s','acquire':{'as':'a'}}]}");
  follow("slow@dial1+1s");
  CU_ASSERT_EQUAL(fixture.result.verdict, REP_PASS);
  CU_ASSERT_STRING_EQUAL(run_fixture_op(&fixture, "a")->result, "dial_failed");
  CU_ASSERT_STRING_EQUAL(run_fixture_op(&fixture, "(fill account 1: 8)")->result, "ok");
}

/* A dial fails, the conn that is taken instead is reset under its ping: the acquire starts over. */
static void who_loses_a_conn_under_its_ping_may_dial_again(void) {
  load(
      "{'name':'x','accounts':[{'id':1,'type':'api_key'}],'upstreams':{'default':{'dial':"
      "{'latency':'10ms'}}},'steps':[{'at':'0s','acquire':{'as':'a'}},"
      "{'at':'5ms','adopt':{'conn':'old','age':'10m'}},{'at':'1s','release':'a'}]}");
  follow("refuse@dial1 reset@ping1");
  CU_ASSERT_EQUAL(fixture.result.verdict, REP_PASS);
  CU_ASSERT_STRING_EQUAL(run_fixture_op(&fixture, "a")->result, "ok");
  CU_ASSERT_EQUAL(run_fixture_op(&fixture, "a")->ended_ns, 20 * MS);
}

static void a_closed_pool_is_asked_for_nothing(void) {
  load(
      "{'name':'x','accounts':[{'id':1,'type':'api_key'}],'steps':["
      "{'at':'0s','acquire':{'as':'a'}},{'at':'1s','close_pool':{}}]}");
  follow("slow@dial1+5ms");
  CU_ASSERT_EQUAL(fixture.result.verdict, REP_PASS);
  CU_ASSERT_EQUAL(run_fixture_count(&fixture, WSP_ACQUIRE_STARTED), 1);
}

/* ---- What does not converge --------------------------------------------------------------- */

static void forget(void *context, const struct wsp_acquire_result *result) {
  (void)context;
  (void)result;
}

/* At the first choice, takes so many conns behind the scenario's back and never gives them back:
 * so does a pool look that has lost count. */
static size_t steal(void *context, const struct scn_world *world, const struct scn_turn *turns,
                    size_t count) {
  int *conns = context;
  (void)turns;
  (void)count;
  for (; *conns > 0; (*conns)--) {
    const struct wsp_acquire_request request = {.account = {.id = 1},
                                                .url = "wss://example.com/v1/responses",
                                                .tag = sim_trace_intern(world->trace, "thief")};
    CU_ASSERT_EQUAL(wsp_acquire(world->pool, world->now, &request, forget, NULL, NULL), WSP_OK);
  }
  return 0;
}

static bool strike_first_dial(void *context, enum fake_subject subject, uint64_t number,
                              wsp_time now, struct fake_fault *fault) {
  (void)context;
  (void)now;
  *fault = (struct fake_fault){.kind = FAKE_FAULT_SLOW, .length = 5 * MS};
  return subject == FAKE_SUBJECT_DIAL && number == 1;
}

/* Two callers at once; the other invariants, which may notice earlier, are off. */
static void load_two_callers(bool turned_off) {
  static const char *const names[] = {
#define NAME(id, name, sentence) name,
      SIM_INVARIANT_LIST(NAME)
#undef NAME
  };
  char text[4096] =
      "{'name':'x','config':{'max_conns_per_account':2},'accounts':[{'id':1,'type':'api_key'}],"
      "'steps':[{'at':'0s','together':[{'acquire':{'as':'a'}},{'acquire':{'as':'b'}}]},"
      "{'at':'1s','release':'a'},{'at':'1s','release':'b'}],"
      "'invariants':{'because':'convergence is to be seen alone','off':[";
  for (int i = 0; i < SIM_INVARIANT_COUNT; i++) {
    if (i != SIM_INVARIANT_CONVERGENCE || turned_off) {
      strcat(strcat(strcat(text, text[strlen(text) - 1] == '[' ? "'" : ",'"), names[i]), "'");
    }
  }
  load(strcat(text, "]}}"));
}

static void assert_stolen(int conns, bool turned_off, const char *detail) {
  const struct scn_chooser chooser = {.choose = steal, .context = &conns};
  const struct fake_fault_plan plan = {.strikes = strike_first_dial};
  load_two_callers(turned_off);
  struct scn_world *world = scn_run_begin(fixture.runner, fixture.scenario, variant(), &chooser);
  CU_ASSERT_PTR_NOT_NULL_FATAL(world);
  fake_world_use_faults(world->upstreams, &plan);
  scn_run_to_end(world);
  scn_verdict_finish(world, &fixture.result);
  CU_ASSERT_EQUAL(conns, 0);
  if (turned_off) {
    CU_ASSERT_EQUAL(fixture.result.verdict, REP_PASS);
    CU_ASSERT_EQUAL(fixture.result.violation_count, 0);
    return;
  }
  CU_ASSERT_EQUAL(fixture.result.verdict, REP_FAIL);
  CU_ASSERT_EQUAL_FATAL(fixture.result.violation_count, 1);
  CU_ASSERT_STRING_EQUAL(fixture.result.violations[0].invariant, "convergence");
  CU_ASSERT_PTR_NOT_NULL(strstr(fixture.result.violations[0].detail, detail));
  CU_ASSERT_PTR_NOT_NULL(strstr(fixture.result.failure, detail));
}

static void a_conn_that_stays_lent_is_a_violation(void) {
  assert_stolen(1, false, "found leased 1, waiting 0, creating 0");
}

static void an_operation_that_stays_pending_is_a_violation(void) {
  assert_stolen(2, false,
                "acquire \"a\" of account 1: expected its end; found it pending since 0s");
}

static void an_invariant_that_is_off_is_not_told(void) {
  assert_stolen(1, true, "");
  run_fixture_deinit(&fixture);
}

CU_TestInfo suite_recovery[] = {
    {"one more kind does not shift the others", one_more_kind_does_not_shift_the_others},
    {"faults go in two phases", faults_go_in_two_phases},
    {"faults of a schedule are read", faults_of_a_schedule_are_read},
    {"what is no fault is refused", what_is_no_fault_is_refused},
    {"a run with drawn faults is repeated from its schedule",
     a_run_with_drawn_faults_is_repeated_from_its_schedule},
    {"a fault that strikes nothing is told", a_fault_that_strikes_nothing_is_told},
    {"a search with faults repeats itself", a_search_with_faults_repeats_itself},
    {"a search that arms no fault counts none", a_search_that_arms_no_fault_counts_none},
    {"without a fault there is nothing to recover from",
     without_a_fault_there_is_nothing_to_recover_from},
    {"the accounts are asked for all that they may have",
     the_accounts_are_asked_for_all_that_they_may_have},
    {"expectations are not judged after a fault", expectations_are_not_judged_after_a_fault},
    {"what a fault has left hanging comes loose", what_a_fault_has_left_hanging_comes_loose},
    {"the upstreams heal", the_upstreams_heal},
    {"who loses a conn under its ping may dial again",
     who_loses_a_conn_under_its_ping_may_dial_again},
    {"a closed pool is asked for nothing", a_closed_pool_is_asked_for_nothing},
    {"a conn that stays lent is a violation", a_conn_that_stays_lent_is_a_violation},
    {"an operation that stays pending is a violation",
     an_operation_that_stays_pending_is_a_violation},
    {"an invariant that is off is not told", an_invariant_that_is_off_is_not_told},
    CU_TEST_INFO_NULL,
};
