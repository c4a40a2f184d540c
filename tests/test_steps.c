/*
 * test_steps.c - what single operations of a scenario do to the world, and loads.
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

static void assert_passed(void) {
  CU_ASSERT_EQUAL(fixture.result.verdict, REP_PASS);
  if (fixture.result.failure != NULL) {
    printf("\n%s", fixture.result.failure);
  }
}

static void assert_op(const char *label, const char *result, int64_t started_ns, int64_t ended_ns) {
  const struct rep_op *op = run_fixture_op(&fixture, label);
  CU_ASSERT_STRING_EQUAL(op->result, result);
  CU_ASSERT_EQUAL(op->started_ns, started_ns);
  CU_ASSERT_EQUAL(op->ended_ns, ended_ns);
}

/* ---- Leases ------------------------------------------------------------------------------- */

static void operations_on_nil_leases_end_at_once(void) {
  run("{'name':'x','upstreams':{'default':{'fake':'always-fail'},'wss://slow.example/':"
      "{'dial':{'latency':'1s'}}},'steps':["
      "{'acquire':{'as':'failed'}},{'acquire':{'as':'pending','url':'wss://slow.example/'}},"
      "{'write':{'lease':'failed','as':'w'}},{'read':{'lease':'pending','as':'r'}},"
      "{'ping':{'lease':'failed','as':'p'}},{'release':'failed'},{'mark_broken':'pending'},"
      "{'mark_prewarmed':'failed'},{'release':'pending'},"
      "{'at':'2s','release':'pending'},{'write':{'lease':'pending','as':'late'}}]}");
  assert_passed();
  assert_op("failed", "dial_failed", 0, 0);
  CU_ASSERT_EQUAL(run_fixture_op(&fixture, "failed")->status, 503);
  assert_op("w", "conn_closed", 0, 0);
  CU_ASSERT_STRING_EQUAL(run_fixture_op(&fixture, "w")->error_text, "connection closed");
  CU_ASSERT_PTR_NULL(run_fixture_op(&fixture, "w")->conn);
  assert_op("r", "conn_closed", 0, 0);
  assert_op("p", "conn_closed", 0, 0);
  assert_op("pending", "ok", 0, WSP_SECOND);
  assert_op("late", "conn_closed", 2 * WSP_SECOND, 2 * WSP_SECOND);
}

static void a_conn_is_named_by_the_label_of_its_lease(void) {
  run("{'name':'x','steps':["
      "{'acquire':{'as':'a'}},{'acquire':{'as':'b'}},{'release':'a'},{'release':'b'},"
      "{'acquire':{'as':'c','preferred_conn':'b','force_preferred_conn':true}},"
      "{'pin':{'conn':'c','as':'p'}},{'pin':{'conn':'later','as':'q'}},"
      "{'pin':{'conn':'oa_ws_1_9','as':'u'}},"
      "{'acquire':{'as':'d','preferred_conn':'later','force_preferred_conn':true}},"
      "{'at':'1s','acquire':{'as':'later','preferred_conn':'a'}}],"
      "'expect':[{'conn':'b','pins':1,'state':'leased'},"
      "{'event':'pin_refused','count':2}]}");
  assert_passed();
  CU_ASSERT_STRING_EQUAL(run_fixture_op(&fixture, "c")->conn, "oa_ws_1_2");
  assert_op("p", "ok", 0, 0);
  assert_op("q", "refused", 0, 0);
  assert_op("u", "refused", 0, 0);
  assert_op("d", "preferred_unavailable", 0, 0);
  CU_ASSERT_STRING_EQUAL(run_fixture_op(&fixture, "later")->conn, "oa_ws_1_1");
}

static void a_string_is_a_label_before_it_is_an_id(void) {
  run("{'name':'x','config':{'max_idle_per_account':4},'steps':[{'adopt':{'conn':'later'}},"
      "{'adopt':{'conn':'r#2'}},{'adopt':{'conn':'r#3'}},"
      "{'pin':{'conn':'later','as':'p'}},{'pin':{'conn':'r#2','as':'q'}},"
      "{'pin':{'conn':'r#3','as':'u'}},"
      "{'at':'1s','acquire':{'as':'later'}},{'acquire':{'as':'r','repeat':2,'every':'1s'}}]}");
  assert_passed();
  assert_op("p", "refused", 0, 0);
  assert_op("q", "refused", 0, 0);
  assert_op("u", "ok", 0, 0);
}

static void headers_and_messages_are_kept_for_expectations(void) {
  run("{'name':'x','upstreams':{'default':{"
      "'dial':[{'headers':{'X-Test':'v1'}},{'outcome':'error','status':429,"
      "'headers':{'Retry-After':'7'}}],'read':{'message':{'n':1}}}},'steps':["
      "{'acquire':{'as':'a'}},{'read':{'lease':'a','as':'r'}},{'acquire':{'as':'b'}},"
      "{'release':'a'}],"
      "'expect':[{'op':'a','header':{'x-test':'v1'}},{'op':'b','header':{'retry-after':'7'},"
      "'status':429},{'op':'r','message':{'contains':'\\'n\\':1'}}]}");
  assert_passed();
  CU_ASSERT_STRING_EQUAL(run_fixture_op(&fixture, "r")->conn, "oa_ws_1_1");
}

static void a_timeout_of_an_acquire_is_its_deadline(void) {
  run("{'name':'x','upstreams':{'default':{'dial':{'outcome':'block'}}},'steps':["
      "{'at':'1ms','acquire':{'as':'a','timeout':'30ms'}},"
      "{'at':'2ms','acquire':{'as':'b','timeout':'0s'}},"
      "{'at':'3ms','acquire':{'as':'c','canceled':true}}]}");
  assert_passed();
  assert_op("a", "deadline_exceeded", MS, 31 * MS);
  assert_op("b", "dial_failed", 2 * MS, 10002 * MS);
  assert_op("c", "canceled", 3 * MS, 3 * MS);
}

static void a_release_by_hand_takes_the_place_of_the_scheduled_one(void) {
  run("{'name':'x','steps':[{'acquire':{'as':'a','hold':'1h'}},{'at':'1s','release':'a'}]}");
  assert_passed();
  CU_ASSERT_EQUAL(fixture.result.virtual_ns, WSP_SECOND);
  CU_ASSERT_EQUAL(run_fixture_count(&fixture, WSP_LEASE_RELEASED), 1);
}

/* ---- The pool and the world around it ------------------------------------------------------ */

static void every_close_ends_when_the_pool_is_closed(void) {
  run("{'name':'x','upstreams':{'default':{'close':{'latency':'20ms'}}},'steps':["
      "{'acquire':{'as':'a','hold':'1ms'}},{'at':'5ms','close_pool':{'as':'first'}},"
      "{'at':'10ms','close_pool':{'as':'second'}},{'at':'30ms','close_pool':{'as':'third'}},"
      "{'acquire':{'as':'late'}}]}");
  assert_passed();
  assert_op("first", "ok", 5 * MS, 25 * MS);
  assert_op("second", "ok", 10 * MS, 25 * MS);
  assert_op("third", "ok", 30 * MS, 30 * MS);
  assert_op("late", "pool_closed", 30 * MS, 30 * MS);
}

static void an_adopted_conn_is_in_the_pool(void) {
  run("{'name':'x','steps':["
      "{'adopt':{'conn':'old','age':'10m','idle':'1m'}},{'acquire':{'as':'a'}}],"
      "'expect':[{'conn':'old','state':'leased'},{'conn':'a','account':1}]}");
  assert_passed();
  CU_ASSERT_STRING_EQUAL(run_fixture_op(&fixture, "a")->conn, "old");
}

static void an_adopt_that_the_pool_refuses_is_an_error_unless_it_is_closed(void) {
  run("{'name':'x','steps':[{'adopt':{'conn':'c'}},{'adopt':{'conn':'c'}},"
      "{'acquire':{'as':'a'}}]}");
  CU_ASSERT_EQUAL(fixture.result.verdict, REP_ERROR);
  CU_ASSERT_PTR_NOT_NULL_FATAL(fixture.result.failure);
  CU_ASSERT_PTR_NOT_NULL(strstr(fixture.result.failure, "test.json:1:"));
  CU_ASSERT_PTR_NOT_NULL(strstr(fixture.result.failure, "conn \"c\" of account 1"));
  CU_ASSERT_EQUAL(fixture.result.op_count, 0);
  run("{'name':'x','steps':[{'close_pool':{}},{'adopt':{'conn':'c'}}],"
      "'expect':[{'conn':'c','state':'absent'},{'upstream':'default','open':0}]}");
  assert_passed();
}

static void a_peer_is_found_by_label_and_by_id_in_any_account(void) {
  run("{'name':'x','accounts':[{'id':3},{'id':7}],'steps':["
      "{'acquire':{'as':'a','account':7}},{'acquire':{'as':'b','account':3}},"
      "{'peer_close':{'conn':'a','code':1001,'reason':'bye'}},"
      "{'peer_close':{'conn':'oa_ws_3_2'}},{'peer_close':{'conn':'nobody'}}],"
      "'expect':[{'event':'peer_closed','count':2},{'conn':'oa_ws_7_1','state':'closed'},"
      "{'conn':'b','state':'closed'}]}");
  assert_passed();
}

static void an_upstream_changes_from_now_on(void) {
  run("{'name':'x','steps':[{'acquire':{'as':'a'}},"
      "{'upstream':{'dial':{'outcome':'error','status':500}}},{'acquire':{'as':'b'}}],"
      "'expect':[{'op':'a','result':'ok'},{'op':'b','result':'dial_failed','status':500},"
      "{'event':'upstream_changed','count':1}]}");
  assert_passed();
}

/* ---- Load --------------------------------------------------------------------------------- */

static void arrivals_come_after_steps_and_are_numbered(void) {
  run("{'name':'x','steps':[{'at':'500ms','cleanup_sweep':{}}],"
      "'load':[{'arrivals':{'uniform':'2/s'},'for':'1s','hold':'1ms'},"
      "{'arrivals':{'uniform':'2/s'},'for':'1s','hold':'1ms','as':'t'}]}");
  assert_passed();
  CU_ASSERT_STRING_EQUAL(run_fixture_story(&fixture),
                         "load1#1+ load1#1= t#1+ t#1= cleanup_sweep "
                         "load1#2+ load1#2= t#2+ t#2=");
  assert_op("load1#2", "ok", 500 * MS, 500 * MS);
  CU_ASSERT_EQUAL(fixture.result.virtual_ns, 501 * MS);
}

static void a_session_takes_its_turns_with_pauses_between(void) {
  run("{'name':'x','load':[{'arrivals':{'burst':1},'for':'1s','hold':'100ms','session':"
      "{'turns':{'uniform':[3,3]},'think':'2s','affinity':'strict'}}]}");
  assert_passed();
  CU_ASSERT_EQUAL(fixture.result.op_count, 3);
  assert_op("load1#1", "ok", 0, 0);
  assert_op("load1#2", "ok", 2100 * MS, 2100 * MS);
  assert_op("load1#3", "ok", 4200 * MS, 4200 * MS);
  CU_ASSERT_STRING_EQUAL(run_fixture_op(&fixture, "load1#3")->conn, "oa_ws_1_1");
  CU_ASSERT_EQUAL(fixture.result.virtual_ns, 4300 * MS);
}

static void a_failed_turn_is_over_at_once_and_names_no_conn(void) {
  run("{'name':'x','upstreams':{'default':{'dial':[{'outcome':'error','latency':'10ms'},"
      "{'outcome':'ok'}]}},'load':[{'arrivals':{'burst':1},'for':'1s','hold':'100ms','session':"
      "{'turns':{'uniform':[2,2]},'think':'1s','affinity':'strict'}}]}");
  assert_passed();
  assert_op("load1#1", "dial_failed", 0, 10 * MS);
  assert_op("load1#2", "ok", 1010 * MS, 1010 * MS);
}

CU_TestInfo suite_steps[] = {
    {"operations on nil leases end at once", operations_on_nil_leases_end_at_once},
    {"a conn is named by the label of its lease", a_conn_is_named_by_the_label_of_its_lease},
    {"a string is a label before it is an id", a_string_is_a_label_before_it_is_an_id},
    {"headers and messages are kept for expectations",
     headers_and_messages_are_kept_for_expectations},
    {"a timeout of an acquire is its deadline", a_timeout_of_an_acquire_is_its_deadline},
    {"a release by hand takes the place of the scheduled one",
     a_release_by_hand_takes_the_place_of_the_scheduled_one},
    {"every close ends when the pool is closed", every_close_ends_when_the_pool_is_closed},
    {"an adopted conn is in the pool", an_adopted_conn_is_in_the_pool},
    {"an adopt that the pool refuses is an error unless it is closed",
     an_adopt_that_the_pool_refuses_is_an_error_unless_it_is_closed},
    {"a peer is found by label and by id in any account",
     a_peer_is_found_by_label_and_by_id_in_any_account},
    {"an upstream changes from now on", an_upstream_changes_from_now_on},
    {"arrivals come after steps and are numbered", arrivals_come_after_steps_and_are_numbered},
    {"a session takes its turns with pauses between",
     a_session_takes_its_turns_with_pauses_between},
    {"a failed turn is over at once and names no conn",
     a_failed_turn_is_over_at_once_and_names_no_conn},
    CU_TEST_INFO_NULL,
};
