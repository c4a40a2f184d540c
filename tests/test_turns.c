/*
 * test_turns.c - what can be done next at one instant, and in which order it is listed.
 */
#include "scenarios/engine/turns.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "scenarios/engine/run.h"
#include "scenarios/engine/strategy.h"
#include "tests/run_fixture.h"
#include "tests/suites.h"

static struct run_fixture fixture;
static struct scn_turn turns[SCN_MOST_TURNS];

/* Two dials of two accounts that are answered at 5ms, and what else happens then. */
#define TWO_ANSWERS_AND(steps)                                                                  \
  "{'name':'two','accounts':[{'id':1,'type':'api_key'},{'id':2,'type':'api_key'}],"             \
  "'upstreams':{'default':{'dial':{'latency':'5ms'}}},'steps':["                                \
  "{'at':'0ms','acquire':{'as':'a','account':1}},{'at':'0ms','acquire':{'as':'b','account':2}}" \
  "," steps "]}"

/* The run in pieces, at its beginning. */
static struct scn_world *begin(const char *text) {
  run_fixture_run(&fixture, text);
  struct scn_world *world = scn_run_begin(fixture.runner, fixture.scenario,
                                          &fixture.scenario->variants[0], &scn_strategy_first);
  CU_ASSERT_PTR_NOT_NULL_FATAL(world);
  return world;
}

/* Goes on in insertion order to the first choice at `time`; how many turns there are. */
static size_t go_to_choice_at(struct scn_world *world, wsp_time time) {
  size_t count;
  while ((count = scn_run_to_choice(world, turns)) > 0 && world->now < time) {
    scn_run_choose(world, turns, count, 0);
  }
  CU_ASSERT_EQUAL_FATAL(world->now, count > 0 ? time : world->now);
  return count;
}

static void answers_come_before_the_step_of_their_moment(void) {
  struct scn_world *world = begin(TWO_ANSWERS_AND("{'at':'5ms','acquire':{'as':'c','account':1}}"));
  CU_ASSERT_EQUAL_FATAL(go_to_choice_at(world, 5 * MS), 3);
  CU_ASSERT_EQUAL_FATAL(turns[0].kind, SCN_TURN_ENTRY);
  CU_ASSERT_EQUAL_FATAL(turns[1].kind, SCN_TURN_ENTRY);
  CU_ASSERT_EQUAL(turns[2].kind, SCN_TURN_AGENDA);
  CU_ASSERT_TRUE(turns[0].entry->due.order < turns[1].entry->due.order);
}

static void the_pool_comes_behind_answers_and_before_the_step(void) {
  struct scn_world *world = begin(TWO_ANSWERS_AND("{'at':'5ms','acquire':{'as':'c','account':1}}"));
  size_t count = go_to_choice_at(world, 5 * MS);
  CU_ASSERT_TRUE_FATAL(count > 0);
  scn_run_choose(world, turns, count, 0);
  CU_ASSERT_EQUAL_FATAL(scn_turns_list(world, turns), 3);
  CU_ASSERT_EQUAL(turns[0].kind, SCN_TURN_ENTRY);
  CU_ASSERT_EQUAL(turns[1].kind, SCN_TURN_POOL);
  CU_ASSERT_EQUAL(turns[2].kind, SCN_TURN_AGENDA);
}

static void a_step_waits_for_the_lease_that_it_uses(void) {
  struct scn_world *world = begin(TWO_ANSWERS_AND("{'at':'5ms','release':'a'}"));
  CU_ASSERT_EQUAL_FATAL(go_to_choice_at(world, 5 * MS), 2);
  CU_ASSERT_EQUAL(turns[0].kind, SCN_TURN_ENTRY);
  CU_ASSERT_EQUAL(turns[1].kind, SCN_TURN_ENTRY);
}

static void an_expectation_waits_for_all_that_is_due(void) {
  struct scn_world *world =
      begin(TWO_ANSWERS_AND("{'at':'5ms','expect':[{'account':1,'conns':1}]}"));
  CU_ASSERT_EQUAL_FATAL(go_to_choice_at(world, 5 * MS), 2);
  CU_ASSERT_EQUAL(turns[1].kind, SCN_TURN_ENTRY);
}

static void nothing_comes_between_the_members_of_a_together(void) {
  struct scn_world *world =
      begin(TWO_ANSWERS_AND("{'at':'5ms','together':[{'acquire':{'as':'c','account':1}},{'acquire':"
                            "{'as':'d','account':1}},"
                            "{'acquire':{'as':'e','account':1}}]}"));
  size_t count = go_to_choice_at(world, 5 * MS);
  CU_ASSERT_EQUAL_FATAL(count, 3);
  scn_run_choose(world, turns, count, 2); /* opens the together with both answers still due */
  CU_ASSERT_EQUAL_FATAL(count = scn_turns_list(world, turns), 3);
  for (size_t i = 0; i < count; i++) {
    CU_ASSERT_EQUAL(turns[i].kind, SCN_TURN_MEMBER);
    CU_ASSERT_EQUAL(turns[i].member, i);
  }
  scn_run_choose(world, turns, count, 1);
  CU_ASSERT_EQUAL_FATAL(scn_turns_list(world, turns), 2);
  CU_ASSERT_EQUAL(turns[0].member, 0);
  CU_ASSERT_EQUAL(turns[1].member, 2);
  scn_run_choose(world, turns, 2, 0);
  CU_ASSERT_EQUAL_FATAL(scn_turns_list(world, turns), 1); /* the last of them is no choice */
  CU_ASSERT_EQUAL(turns[0].kind, SCN_TURN_MEMBER);
  scn_turn_take(world, &turns[0]);
  CU_ASSERT_TRUE_FATAL(scn_turns_list(world, turns) >= 2);
  CU_ASSERT_EQUAL(turns[0].kind, SCN_TURN_ENTRY);
}

static void a_turn_keeps_its_key_while_it_waits(void) {
  struct scn_world *world = begin(TWO_ANSWERS_AND("{'at':'5ms','acquire':{'as':'c','account':1}}"));
  CU_ASSERT_EQUAL_FATAL(go_to_choice_at(world, 5 * MS), 3);
  uint64_t second = scn_turn_key(world, &turns[1]);
  uint64_t agenda = scn_turn_key(world, &turns[2]);
  CU_ASSERT_TRUE(scn_turn_key(world, &turns[0]) != second && second != agenda);
  scn_run_choose(world, turns, 3, 0);
  CU_ASSERT_EQUAL_FATAL(scn_turns_list(world, turns), 3);
  CU_ASSERT_EQUAL(scn_turn_key(world, &turns[0]), second);
  CU_ASSERT_EQUAL(scn_turn_key(world, &turns[2]), agenda);
  CU_ASSERT_TRUE(scn_turn_key(world, &turns[1]) != second);
  CU_ASSERT_TRUE(scn_turn_key(world, &turns[1]) != agenda);
}

static void of_too_many_turns_the_first_can_be_taken(void) {
  struct scn_world *world = begin(
      "{'name':'many','config':{'max_conns_per_account':100,'max_connecting':100},"
      "'upstreams':{'default':{'dial':{'latency':'5ms'}}},"
      "'steps':[{'at':'0ms','acquire':{'as':'a','repeat':100,'every':'0s'}}]}");
  size_t count = go_to_choice_at(world, 5 * MS);
  CU_ASSERT_EQUAL_FATAL(count, SCN_MOST_TURNS - 2);
  for (size_t i = 1; i < count; i++) {
    CU_ASSERT_TRUE(turns[i - 1].entry->due.order < turns[i].entry->due.order);
  }
}

static void the_first_is_what_a_run_without_choices_takes(void) {
  static const char text[] = TWO_ANSWERS_AND(
      "{'at':'5ms','together':[{'acquire':{'as':'c','account':1,'hold':'1ms'}},{'cancel':'c'}]}");
  struct scn_world *world = begin(text);
  CU_ASSERT_TRUE_FATAL(go_to_choice_at(world, 5 * MS) > 0);
  struct scn_turn first = turns[0];
  uint64_t key = scn_turn_key(world, &first);
  CU_ASSERT_EQUAL(first.kind, SCN_TURN_ENTRY);
  CU_ASSERT_TRUE(scn_turn_take_first(world));
  CU_ASSERT_TRUE_FATAL(scn_turns_list(world, turns) > 0);
  CU_ASSERT_NOT_EQUAL(scn_turn_key(world, &turns[0]), key);
  scn_run_to_end(world);
  CU_ASSERT_FALSE(scn_turn_take_first(world)); /* and when nothing is due, it takes nothing */
  CU_ASSERT_EQUAL(scn_turns_list(world, turns), 0);
  run_fixture_deinit(&fixture);
}

CU_TestInfo suite_turns[] = {
    {"answers come before the step of their moment", answers_come_before_the_step_of_their_moment},
    {"the pool comes behind answers and before the step",
     the_pool_comes_behind_answers_and_before_the_step},
    {"a step waits for the lease that it uses", a_step_waits_for_the_lease_that_it_uses},
    {"an expectation waits for all that is due", an_expectation_waits_for_all_that_is_due},
    {"nothing comes between the members of a together",
     nothing_comes_between_the_members_of_a_together},
    {"a turn keeps its key while it waits", a_turn_keeps_its_key_while_it_waits},
    {"of too many turns the first can be taken", of_too_many_turns_the_first_can_be_taken},
    {"the first is what a run without choices takes",
     the_first_is_what_a_run_without_choices_takes},
    CU_TEST_INFO_NULL,
};
