/*
 * test_needs.c - what a scenario asks of a pool, and what a pool's interface lacks.
 */
#include "scenarios/engine/needs.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "tests/loader_fixture.h"
#include "tests/suites.h"

/* The capabilities that a scenario with `body` needs, as their names. */
static const char *needs_of(const char *body) {
  static char names[512];
  char text[1024];
  snprintf(text, sizeof text, "{ \"name\": \"x\", \"accounts\": [ { \"id\": 1 } ], %s }", body);
  struct loader_problems problems = {0};
  struct scn_scenario *scenario = loader_parse(text, &problems);
  if (scenario == NULL) {
    printf("\n%s", problems.text);
  }
  CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
  uint64_t needs = scn_needs(scenario, &scenario->variants[0]);
  names[0] = '\0';
  for (int i = 0; i < SIM_CAPABILITY_COUNT; i++) {
    if ((needs >> i & 1) != 0) {
      strcat(names, names[0] == '\0' ? "" : " ");
      strcat(names, sim_capability_name((enum sim_capability)i));
    }
  }
  scn_scenario_destroy(scenario);
  loader_problems_deinit(&problems);
  return names;
}

static void acquire_release_and_close_need_nothing(void) {
  CU_ASSERT_STRING_EQUAL(
      needs_of("\"config\": { \"max_conns_per_account\": 2, \"dial_timeout\": \"1s\", "
               "\"ping_interval\": \"0s\" }, \"background\": false, "
               "\"steps\": [ { \"acquire\": { \"as\": \"a\", \"timeout\": \"1s\" } }, "
               "{ \"cancel\": \"a\" }, { \"release\": \"a\" }, { \"mark_broken\": \"a\" }, "
               "{ \"close_pool\": {} } ], \"expect\": [ { \"op\": \"a\", \"result\": \"ok\" }, "
               "{ \"metric\": \"acquire_total\", \"eq\": 1 }, "
               "{ \"event\": \"acquire_granted\", \"count\": 1 } ]"),
      "");
}

static void each_step_needs_its_capability(void) {
  static const struct {
    const char *step, *needs;
  } cases[] = {
      {"{ \"acquire\": { \"preferred_conn\": \"a\" } }", "preferred"},
      {"{ \"acquire\": { \"force_new_conn\": true } }", "force_new"},
      {"{ \"write\": { \"lease\": \"a\" } }", "io"},
      {"{ \"read\": { \"lease\": \"a\" } }", "io"},
      {"{ \"ping\": { \"lease\": \"a\" } }", "ping"},
      {"{ \"pin\": { \"conn\": \"a\" } }", "pin"},
      {"{ \"unpin\": { \"conn\": \"a\" } }", "pin"},
      {"{ \"mark_prewarmed\": \"a\" }", "prewarm"},
      {"{ \"ensure_target_idle\": {} }", "prewarm"},
      {"{ \"ping_sweep\": {} }", "sweep"},
      {"{ \"cleanup_sweep\": {} }", "sweep"},
      {"{ \"evict\": { \"conn\": \"a\" } }", "evict"},
      {"{ \"clear_account\": {} }", "evict"},
      {"{ \"adopt\": { \"conn\": \"c\" } }", "adopt"},
      {"{ \"together\": [ { \"release\": \"a\" }, { \"pin\": { \"conn\": \"a\" } } ] }", "pin"},
      {"{ \"expect\": [ { \"account\": 1, \"target\": 1 } ] }", "prewarm"},
      {"{ \"expect\": [ { \"conn\": \"a\", \"pins\": 0 } ] }", "pin"},
      {"{ \"expect\": [ { \"metric\": \"scale_down_total\", \"eq\": 0 } ] }", "sweep"},
      {"{ \"expect\": [ { \"event\": \"conn_retired\", \"count\": 0 } ] }", "age"},
      {"{ \"expect\": [ { \"events\": [ { \"event\": \"ping_failed\" } ] } ] }", "health_check"},
      {"{ \"expect\": [ { \"op\": \"a\", \"header\": { \"x\": null } } ] }", "headers"},
      {"{ \"peer_close\": { \"conn\": \"a\" } }", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char body[512];
    snprintf(body, sizeof body, "\"steps\": [ { \"acquire\": { \"as\": \"a\" } }, %s ]",
             cases[i].step);
    const char *found = needs_of(body);
    if (strcmp(found, cases[i].needs) != 0) {
      printf("\n%s: expected \"%s\", found \"%s\"", cases[i].step, cases[i].needs, found);
      CU_FAIL("see above");
    }
  }
}

static void each_setting_that_is_not_its_default_needs_its_capability(void) {
  static const struct {
    const char *setting, *needs;
  } cases[] = {
      {"\"min_idle_per_account\": 1", "prewarm"},
      {"\"max_idle_per_account\": 4", ""}, /* the default */
      {"\"max_idle_per_account\": 0", "sweep"},
      {"\"queue_limit_per_conn\": 1", "queue_limit"},
      {"\"dynamic_max_conns_by_account_concurrency_enabled\": true", "account_maximum"},
      {"\"max_conn_age\": \"1h\"", ""},
      {"\"max_conn_age\": \"59m\"", "age"},
      {"\"health_check_idle\": \"0s\"", "health_check"},
      {"\"max_connecting\": 1", "connecting_limit"},
      {"\"cleanup_interval\": \"0s\"", ""},
      {"\"cleanup_interval\": \"10s\"", "sweep"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char body[512];
    snprintf(body, sizeof body, "\"config\": { %s }, \"steps\": [ { \"acquire\": {} } ]",
             cases[i].setting);
    const char *found = needs_of(body);
    if (strcmp(found, cases[i].needs) != 0) {
      printf("\n%s: expected \"%s\", found \"%s\"", cases[i].setting, cases[i].needs, found);
      CU_FAIL("see above");
    }
  }
}

static void a_reason_names_all_that_is_lacking(void) {
  struct loader_problems problems = {0};
  struct scn_scenario *scenario = loader_parse(
      "{ \"name\": \"x\", \"steps\": [ { \"acquire\": { \"as\": \"a\" } }, "
      "{ \"pin\": { \"conn\": \"a\" } }, { \"write\": { \"lease\": \"a\" } } ] }",
      &problems);
  CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
  struct sim_pool_interface pool = *sim_pool_wspool();
  char reason[200] = "";
  CU_ASSERT_FALSE(scn_needs_more(scenario, &scenario->variants[0], &pool, reason, sizeof reason));
  pool.name = "small";
  pool.capabilities = UINT64_C(1) << SIM_CAN_PIN;
  CU_ASSERT_TRUE(scn_needs_more(scenario, &scenario->variants[0], &pool, reason, sizeof reason));
  CU_ASSERT_STRING_EQUAL(reason, "the pool small has no io");
  pool.capabilities = 0;
  CU_ASSERT_TRUE(scn_needs_more(scenario, &scenario->variants[0], &pool, reason, sizeof reason));
  CU_ASSERT_STRING_EQUAL(reason, "the pool small has no io, pin");
  scn_scenario_destroy(scenario);
  loader_problems_deinit(&problems);
}

static void an_interface_lacks_what_its_capabilities_need(void) {
  struct sim_pool_interface pool = *sim_pool_wspool();
  int capability = -2;
  CU_ASSERT_PTR_NULL(sim_pool_lacks(&pool, &capability));
  pool.pin = NULL;
  CU_ASSERT_STRING_EQUAL(sim_pool_lacks(&pool, &capability), "pin");
  CU_ASSERT_EQUAL(capability, SIM_CAN_PIN);
  pool.capabilities &= ~(UINT64_C(1) << SIM_CAN_PIN);
  CU_ASSERT_PTR_NULL(sim_pool_lacks(&pool, &capability));
  pool.conn_closed = NULL;
  CU_ASSERT_STRING_EQUAL(sim_pool_lacks(&pool, &capability), "conn_closed");
  CU_ASSERT_EQUAL(capability, -1);
  pool = *sim_pool_wspool();
  pool.ping_done = NULL;
  pool.capabilities = UINT64_C(1) << SIM_CAN_SWEEP;
  CU_ASSERT_STRING_EQUAL(sim_pool_lacks(&pool, &capability), "ping_done");
  CU_ASSERT_EQUAL(capability, SIM_CAN_SWEEP);
  pool.transport_metrics = NULL; /* nobody needs them */
  pool.capabilities = UINT64_C(1) << SIM_CAN_ADOPT;
  CU_ASSERT_PTR_NULL(sim_pool_lacks(&pool, &capability));
}

CU_TestInfo suite_needs[] = {
    {"acquire, release and close need nothing", acquire_release_and_close_need_nothing},
    {"each step needs its capability", each_step_needs_its_capability},
    {"each setting that is not its default needs its capability",
     each_setting_that_is_not_its_default_needs_its_capability},
    {"a reason names all that is lacking", a_reason_names_all_that_is_lacking},
    {"an interface lacks what its capabilities need",
     an_interface_lacks_what_its_capabilities_need},
    CU_TEST_INFO_NULL,
};
