/*
 * test_digest.c - the digest of a run, and that a search which leaves out states that it has met
 * finds what one does that goes into all of them.
 */
#include "scenarios/engine/digest.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/digest.h"
#include "fakes/internal.h"
#include "scenarios/engine/agenda.h"
#include "scenarios/engine/explore.h"
#include "scenarios/engine/failure_class.h"
#include "tests/run_fixture.h"
#include "tests/suites.h"

static struct run_fixture fixture;

/* ---- With and without pruning ------------------------------------------------------------- */

enum { MOST_CLASSES = 64 };

/* The classes of all failures of a search, sorted. */
struct classes {
  char *items[MOST_CLASSES];
  size_t count;
};

static void add_class(void *context, const struct rep_scenario *result) {
  struct classes *classes = context;
  char *name = scn_failure_class(result);
  CU_ASSERT_PTR_NOT_NULL_FATAL(name);
  size_t at = classes->count;
  while (at > 0 && strcmp(classes->items[at - 1], name) > 0) {
    at--;
  }
  if (at > 0 && strcmp(classes->items[at - 1], name) == 0) {
    free(name);
    return;
  }
  CU_ASSERT_TRUE_FATAL(classes->count < MOST_CLASSES);
  memmove(&classes->items[at + 1], &classes->items[at],
          (classes->count - at) * sizeof classes->items[0]);
  classes->items[at] = name;
  classes->count++;
}

static struct rep_exploration search(enum scn_pruning pruning, struct classes *classes) {
  struct scn_explore_options options = {
      .strategy = SCN_EXHAUSTIVE, .runs = 100000, .pruning = pruning};
  if (classes != NULL) {
    options.show = add_class;
    options.show_context = classes;
  }
  scn_explore(fixture.runner, fixture.scenario, &fixture.scenario->variants[0], &options,
              &fixture.result);
  return fixture.result.exploration;
}

static void classes_deinit(struct classes *classes) {
  for (size_t i = 0; i < classes->count; i++) {
    free(classes->items[i]);
  }
}

/* `failures`: how many classes of them there are in all orders. */
static void check(const char *text, size_t failures) {
  struct classes all = {0};
  struct classes pruned = {0};
  run_fixture_run(&fixture, text);
  struct rep_exploration every = search(SCN_NO_PRUNING, &all);
  struct rep_exploration fewer = search(SCN_PRUNING, &pruned);
  CU_ASSERT_TRUE(every.complete);
  CU_ASSERT_TRUE(fewer.complete);
  CU_ASSERT_EQUAL(every.runs, every.orders);
  CU_ASSERT_EQUAL(fewer.orders, every.orders);
  CU_ASSERT_TRUE(fewer.runs < every.runs);
  CU_ASSERT_EQUAL(all.count, failures);
  CU_ASSERT_EQUAL(pruned.count, all.count);
  for (size_t i = 0; i < all.count && i < pruned.count; i++) {
    CU_ASSERT_STRING_EQUAL(pruned.items[i], all.items[i]);
  }
  (void)search(SCN_PRUNING_CHECKED, NULL);
  CU_ASSERT_EQUAL(fixture.result.verdict, failures > 0 ? REP_FAIL : REP_PASS);
  enum rep_verdict verdict = fixture.result.verdict;
  (void)search(SCN_PRUNING, NULL);
  CU_ASSERT_EQUAL(fixture.result.verdict, verdict);
  classes_deinit(&all);
  classes_deinit(&pruned);
}

/* Four callers, of whom one gives up, and two conns. What is expected comes last. */
#define FOUR(expect)                                                                            \
  "{'name':'four','config':{'max_conns_per_account':2},'accounts':[{'id':1,'type':'api_key'}]," \
  "'upstreams':{'default':{'dial':{'latency':'5ms'}}},'steps':[{'together':["                   \
  "{'acquire':{'as':'a','hold':'10ms'}},{'acquire':{'as':'b','hold':'10ms'}},"                  \
  "{'acquire':{'as':'c','hold':'10ms','timeout':'15ms'}},{'acquire':{'as':'d'}}]}"              \
  ",{'at':'20ms','expect':[{'account':1,'conns':2}]}],'expect':[" expect "]}"

static void states_leave_nothing_out(void) {
  check(FOUR(""), 0);
  check(FOUR("{'op':'a','result':'ok'}"), 0);
  check(FOUR("{'op':'c','result':'ok'}"), 1);
  check(FOUR("{'op':'a','conn':'oa_ws_1_1'}"), 1);
  check(FOUR("{'op':'a','queue_wait':'0s'}"), 1);
  check(FOUR("{'metric':'acquire_reuse_total','eq':1}"), 1);
  check(FOUR("{'account':1,'idle':0}"), 1);
  check(FOUR("{'conn':'oa_ws_1_2','state':'leased'}"), 1);
  check(FOUR("{'upstream':'default','max_concurrent_dials':2}"), 0);
}

static void the_timeline_is_seen_as_far_as_expectations_see_it(void) {
  check(FOUR("{'event':'acquire_queued','where':{'op':'a'},'count':1}"), 1);
  check(FOUR("{'event':'acquire_granted','where':{'conn':'a','op':'b'},'count':1}"), 1);
  check(FOUR("{'event':'dial_succeeded','where':{'dial':1,'op':'b'}}"), 1);
  check(FOUR("{'events':[{'event':'acquire_started','where':{'op':'a'}},"
             "{'event':'acquire_started','where':{'op':'b'}}]}"),
        1);
  check(FOUR("{'events':[{'event':'acquire_granted','where':{'op':'a'}}],'forbid':["
             "{'event':'acquire_queued','where':{'op':'a'}}]}"),
        1);
  check(FOUR("{'order':['a started','b started']}"), 1);
  check(FOUR("{'order':['b granted','a granted']}"), 1);
  check(FOUR("{'percentile':'queue_wait','p':50,'le':'0s'}"), 0);
}

static void what_sql_sees_is_never_left_out(void) {
  run_fixture_run(&fixture, FOUR("{'sql':'select count(*) from event','ge':1}"));
  struct rep_exploration every = search(SCN_PRUNING, NULL);
  CU_ASSERT_TRUE(every.complete);
  CU_ASSERT_EQUAL(every.runs, every.orders);
  CU_ASSERT_EQUAL(every.states, 0);
}

/* Two releases, a cancel, a read and a peer's close, all at one moment. */
static void what_races_is_gone_through(void) {
  check(
      "{'name':'race','config':{'max_conns_per_account':2},'accounts':[{'id':1,'type':'api_key'}],"
      "'upstreams':{'default':{'read':{'outcome':'message','latency':'5ms'}}},'steps':["
      "{'acquire':{'as':'a','hold':'5ms'}},{'acquire':{'as':'b','hold':'5ms'}},"
      "{'at':'1ms','acquire':{'as':'w','timeout':'4ms'}},"
      "{'at':'5ms','together':[{'cancel':'w'},{'peer_close':{'conn':'a'}},"
      "{'acquire':{'as':'x','timeout':'1ms'}}]}],"
      "'expect':[{'op':'w','result':'ok'},{'op':'x','reused':true}]}",
      2);
}

/* ---- Planted differences ------------------------------------------------------------------ */

static struct wsp_digest digest_of(const struct scn_world *world, const struct scn_sight *sight) {
  struct scn_seen_so_far seen = {0};
  struct wsp_digest digest = {{0, 0}};
  CU_ASSERT_TRUE_FATAL(scn_world_digest(world, sight, &seen, &digest));
  return digest;
}

/* Changes a place, and takes it back. */
#define CHECK_SEEN(world, sight, place, changed)                    \
  do {                                                              \
    struct wsp_digest before_ = digest_of(world, sight);            \
    __typeof__(place) kept_ = (place);                              \
    (place) = (changed);                                            \
    struct wsp_digest after_ = digest_of(world, sight);             \
    CU_ASSERT_TRUE(memcmp(&before_, &after_, sizeof before_) != 0); \
    (place) = kept_;                                                \
    after_ = digest_of(world, sight);                               \
    CU_ASSERT_TRUE(memcmp(&before_, &after_, sizeof before_) == 0); \
  } while (0)

/* The world of FOUR() at its choice number `choices` in insertion order. */
static struct scn_world *world_at(const char *text, size_t choices) {
  struct scn_turn turns[SCN_MOST_TURNS];
  run_fixture_run(&fixture, text);
  struct scn_world *world =
      scn_run_begin(fixture.runner, fixture.scenario, &fixture.scenario->variants[0],
                    &(const struct scn_chooser){0});
  CU_ASSERT_PTR_NOT_NULL_FATAL(world);
  size_t count = scn_run_to_choice(world, turns);
  for (size_t i = 0; i < choices; i++) {
    CU_ASSERT_TRUE_FATAL(count > 1);
    scn_run_choose(world, turns, count, 0);
    count = scn_run_to_choice(world, turns);
  }
  CU_ASSERT_TRUE_FATAL(count > 1);
  return world;
}

static void differences_of_the_engine_are_seen(void) {
  struct scn_sight sight;
  struct scn_world *world = world_at(FOUR("{'metric':'acquire_total','eq':4}"), 4);
  CU_ASSERT_TRUE_FATAL(scn_sight_init(&sight, fixture.scenario));
  struct scn_operation *operation = scn_operations_find(world->operations, "a");
  CU_ASSERT_PTR_NOT_NULL_FATAL(operation);
  CHECK_SEEN(world, &sight, world->now, world->now + 1);
  CHECK_SEEN(world, &sight, world->pending, world->pending + 1);
  CHECK_SEEN(world, &sight, world->last_progress, world->last_progress + 1);
  CHECK_SEEN(world, &sight, world->horizon, world->horizon + 1);
  CHECK_SEEN(world, &sight, world->close_asked, true);
  CHECK_SEEN(world, &sight, world->close_done, true);
  CHECK_SEEN(world, &sight, world->expectations_failed, 1);
  CHECK_SEEN(world, &sight, world->hangs, true);
  CHECK_SEEN(world, &sight, world->broken, true);
  CHECK_SEEN(world, &sight, world->pool_random.state[3], 0);
  CHECK_SEEN(world, &sight, operation->record.started_ns, 1);
  CHECK_SEEN(world, &sight, operation->record.ended_ns, 99);
  CHECK_SEEN(world, &sight, operation->record.result, "canceled");
  CHECK_SEEN(world, &sight, operation->record.error_text, "x");
  CHECK_SEEN(world, &sight, operation->record.status, 503);
  CHECK_SEEN(world, &sight, operation->record.conn, "oa_ws_1_9");
  CHECK_SEEN(world, &sight, operation->record.reused, 9);
  CHECK_SEEN(world, &sight, operation->record.queue_wait_ns, 99);
  CHECK_SEEN(world, &sight, operation->record.conn_pick_ns, 99);
  CHECK_SEEN(world, &sight, operation->prewarmed, true);
  CHECK_SEEN(world, &sight, operation->message, "x");
  CHECK_SEEN(world, &sight, operation->cause, "x");
  CHECK_SEEN(world, &sight, operation->released_ns, 99);
  CHECK_SEEN(world, &sight, operation->hold_ns, 99);
  scn_sight_deinit(&sight);
}

static void differences_of_the_upstreams_are_seen(void) {
  struct scn_sight sight;
  struct scn_world *world = world_at(FOUR("{'upstream':'default','dials':2}"), 5);
  CU_ASSERT_TRUE_FATAL(scn_sight_init(&sight, fixture.scenario));
  struct fake_upstream *upstream = world->upstreams->fallback;
  struct fake_conn *conn = upstream->conns;
  CU_ASSERT_PTR_NOT_NULL_FATAL(conn);
  CHECK_SEEN(world, &sight, world->upstreams->pending, 99);
  CHECK_SEEN(world, &sight, world->upstreams->healed, true);
  CHECK_SEEN(world, &sight, upstream->policy.max_conns, 9);
  CHECK_SEEN(world, &sight, upstream->policy.max_age, 9);
  CHECK_SEEN(world, &sight, upstream->policy.dials, NULL);
  CHECK_SEEN(world, &sight, upstream->policy.close.first, 9);
  CHECK_SEEN(world, &sight, upstream->dial_cursor, 9);
  CHECK_SEEN(world, &sight, upstream->trace_cursor[FAKE_SUBJECT_CLOSE], 9);
  CHECK_SEEN(world, &sight, upstream->latency[FAKE_SUBJECT_READ].state[0], 9);
  CHECK_SEEN(world, &sight, upstream->chance[FAKE_SUBJECT_DIAL].state[2], 9);
  CHECK_SEEN(world, &sight, upstream->counters.open, 9);
  CHECK_SEEN(world, &sight, upstream->counters.max_open, 9);
  CHECK_SEEN(world, &sight, conn->state, FAKE_CONN_CLOSING);
  CHECK_SEEN(world, &sight, conn->account, 9);
  CHECK_SEEN(world, &sight, conn->created_at, 9);
  CHECK_SEEN(world, &sight, conn->last_in, 9);
  CHECK_SEEN(world, &sight, conn->is_silent, true);
  CHECK_SEEN(world, &sight, conn->silent_until, 9);
  CHECK_SEEN(world, &sight, conn->stalled_until, 9);
  CHECK_SEEN(world, &sight, conn->own_base, FAKE_PRESET_FLAKY);
  CHECK_SEEN(world, &sight, conn->cursor[FAKE_SUBJECT_PING], 9);
  CHECK_SEEN(world, &sight, conn->revision[FAKE_SUBJECT_PING],
             upstream->policy.revision[FAKE_SUBJECT_PING]);
  CHECK_SEEN(world, &sight, conn->watch.due.at, 9);
  CHECK_SEEN(world, &sight, conn->name.generation, 0);
  scn_sight_deinit(&sight);
}

/* What lies in the queue for no known reason makes every state a new one. */
static void what_nobody_knows_is_told(void) {
  struct scn_sight sight;
  struct sim_entry entry = {0};
  struct scn_seen_so_far seen = {0};
  struct wsp_digest digest;
  struct scn_world *world = world_at(FOUR(""), 4);
  CU_ASSERT_TRUE_FATAL(scn_sight_init(&sight, fixture.scenario));
  CU_ASSERT_TRUE(scn_world_digest(world, &sight, &seen, &digest));
  CU_ASSERT_TRUE(sim_queue_add(world->queue, &entry, MS, NULL, NULL, true));
  CU_ASSERT_FALSE(scn_world_digest(world, &sight, &seen, &digest));
  sim_queue_remove(world->queue, &entry);
  scn_sight_deinit(&sight);
  run_fixture_deinit(&fixture);
}

CU_TestInfo suite_digest[] = {
    {"states leave nothing out", states_leave_nothing_out},
    {"the timeline is seen as far as expectations see it",
     the_timeline_is_seen_as_far_as_expectations_see_it},
    {"what sql sees is never left out", what_sql_sees_is_never_left_out},
    {"what races is gone through", what_races_is_gone_through},
    {"differences of the engine are seen", differences_of_the_engine_are_seen},
    {"differences of the upstreams are seen", differences_of_the_upstreams_are_seen},
    {"what nobody knows is told", what_nobody_knows_is_told},
    CU_TEST_INFO_NULL,
};
