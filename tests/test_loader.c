/* test_loader.c - what comes out of right scenario files: accounts, upstreams, steps, load. */
#include <stdlib.h>
#include <string.h>

#include "tests/loader_fixture.h"
#include "tests/suites.h"

#define HEAD "{\"name\": \"x\", "

/* Loads text about which nothing may be said. */
static struct scn_scenario *load(const char *text) {
  struct loader_problems problems = {0};
  struct scn_scenario *scenario = loader_parse(text, &problems);
  CU_ASSERT_PTR_NULL(problems.text);
  CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
  loader_problems_deinit(&problems);
  return scenario;
}

static struct scn_scenario *load_everything(void) {
  struct loader_problems problems = {0};
  struct scn_scenario *scenario =
      scn_scenario_load("tests/valid/everything.json", NULL, loader_collect, &problems);
  CU_ASSERT_EQUAL(problems.errors, 0);
  CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
  loader_problems_deinit(&problems);
  return scenario;
}

static void what_is_left_out_has_its_default(void) {
  struct scn_scenario *scenario = load(HEAD "\"steps\": [{\"acquire\": {}}]}");
  struct wsp_config defaults;
  wsp_config_init(&defaults);
  CU_ASSERT_STRING_EQUAL(scenario->path, "test.json");
  CU_ASSERT_STRING_EQUAL(scenario->name, "x");
  CU_ASSERT_STRING_EQUAL(scenario->description, "");
  CU_ASSERT_TRUE(scenario->background);
  CU_ASSERT_FALSE(scenario->has_run_for);
  CU_ASSERT_EQUAL_FATAL(scenario->account_count, 1);
  CU_ASSERT_EQUAL(scenario->accounts[0].account.id, 1);
  CU_ASSERT_EQUAL(scenario->accounts[0].account.type, WSP_ACCOUNT_API_KEY);
  CU_ASSERT_EQUAL(scenario->accounts[0].account.concurrency, 0);
  CU_ASSERT_EQUAL(scenario->upstream_count, 0);
  CU_ASSERT_EQUAL(scenario->load_count, 0);
  CU_ASSERT_EQUAL(scenario->expectation_count, 0);
  CU_ASSERT_EQUAL_FATAL(scenario->variant_count, 1);
  CU_ASSERT_STRING_EQUAL(scenario->variants[0].name, "");
  CU_ASSERT_EQUAL(scenario->variants[0].seed, 1);
#define SAME(type, key, value) CU_ASSERT_EQUAL(scenario->variants[0].config.key, defaults.key);
  WSP_CONFIG_LIST(SAME)
#undef SAME
  const struct scn_step *step = &scenario->steps[0];
  CU_ASSERT_EQUAL(step->kind, SCN_ACQUIRE);
  CU_ASSERT_EQUAL(step->at, 0);
  CU_ASSERT_EQUAL(step->account, 1);
  CU_ASSERT_STRING_EQUAL(step->url, "wss://example.com/v1/responses");
  CU_ASSERT_STRING_EQUAL(step->label, "acquire@1");
  CU_ASSERT_PTR_NULL(step->conn);
  CU_ASSERT_FALSE(step->has_hold);
  CU_ASSERT_FALSE(step->repeats);
  scn_scenario_destroy(scenario);
}

static void accounts_keep_all_64_bits(void) {
  struct scn_scenario *scenario =
      load(HEAD
           "\"steps\": [], \"accounts\": [{\"id\": 9223372036854775807, \"type\": \"oauth\", "
           "\"concurrency\": -3}, {\"id\": 9007199254740993}]}");
  CU_ASSERT_EQUAL_FATAL(scenario->account_count, 2);
  CU_ASSERT_EQUAL(scenario->accounts[0].account.id, INT64_MAX);
  CU_ASSERT_EQUAL(scenario->accounts[0].account.type, WSP_ACCOUNT_OAUTH);
  CU_ASSERT_EQUAL(scenario->accounts[0].account.concurrency, -3);
  CU_ASSERT_EQUAL(scenario->accounts[1].account.id, INT64_C(9007199254740993));
  CU_ASSERT_EQUAL(scenario->accounts[1].position.column, 106);
  scn_scenario_destroy(scenario);
}

static void the_top_level_is_read(void) {
  struct scn_scenario *scenario = load_everything();
  CU_ASSERT_STRING_EQUAL(scenario->path, "tests/valid/everything.json");
  CU_ASSERT_STRING_EQUAL(scenario->description,
                         "Every construct of the format: \xc3\xa9 \xc3\xa9 \xf0\x9f\x98\x80 "
                         "// no comment");
  CU_ASSERT_EQUAL_FATAL(scenario->covers.count, 2);
  CU_ASSERT_STRING_EQUAL(scenario->covers.items[1], "https://example.com/a//b");
  CU_ASSERT_EQUAL_FATAL(scenario->tags.count, 2);
  CU_ASSERT_STRING_EQUAL(scenario->tags.items[0], "a");
  CU_ASSERT_FALSE(scenario->background);
  CU_ASSERT_TRUE(scenario->has_run_for);
  CU_ASSERT_EQUAL(scenario->run_for, 60 * WSP_MINUTE);
  CU_ASSERT_EQUAL_FATAL(scenario->invariants_off.count, 1);
  CU_ASSERT_STRING_EQUAL(scenario->invariants_off.items[0], "one-lease-per-conn");
  CU_ASSERT_STRING_EQUAL(scenario->invariants_because, "test");
  scn_scenario_destroy(scenario);
}

static void upstreams_are_read(void) {
  struct scn_scenario *scenario = load_everything();
  CU_ASSERT_EQUAL_FATAL(scenario->upstream_count, 3);
  CU_ASSERT_STRING_EQUAL(scenario->upstreams[0].url, "default");
  const struct fake_spec *spec = &scenario->upstreams[0].spec;
  CU_ASSERT_FALSE(spec->has_preset);
  CU_ASSERT_EQUAL(spec->set, FAKE_SET_DIAL | FAKE_SET_MAX_CONNS | FAKE_SET_RATE_LIMIT);
  CU_ASSERT_EQUAL(spec->conn.set, FAKE_SET_PING | FAKE_SET_WRITE | FAKE_SET_READ | FAKE_SET_CLOSE |
                                      FAKE_SET_MAX_AGE | FAKE_SET_IDLE_TIMEOUT);
  CU_ASSERT_EQUAL(spec->max_conns, 3);
  CU_ASSERT_EQUAL(spec->rate_per, WSP_SECOND);
  CU_ASSERT_EQUAL(spec->rate_dials, 5);
  CU_ASSERT_EQUAL(spec->conn.max_age, 60 * WSP_MINUTE);
  CU_ASSERT_EQUAL(spec->conn.idle_timeout, 90 * WSP_SECOND);
  CU_ASSERT_STRING_EQUAL(spec->conn.read.items[0].message, "{\"type\":\"response.completed\"}");
  CU_ASSERT_TRUE(scenario->upstreams[1].spec.has_preset);
  CU_ASSERT_EQUAL(scenario->upstreams[1].spec.preset, FAKE_PRESET_ALWAYS_FAIL);
  CU_ASSERT_EQUAL(scenario->upstreams[2].spec.preset, FAKE_PRESET_FLAKY);
  CU_ASSERT_EQUAL(scenario->upstreams[2].spec.failure_rate, 100000000);
  CU_ASSERT_EQUAL(scenario->upstreams[2].spec.set, FAKE_SET_FAILURE_RATE);
  scn_scenario_destroy(scenario);
}

static void behaviours_of_dials_carry_those_of_their_conns(void) {
  struct scn_scenario *scenario = load_everything();
  const struct fake_spec *spec = &scenario->upstreams[0].spec;
  CU_ASSERT_EQUAL_FATAL(spec->dial_count, 2);
  const struct fake_dial_behaviour *first = &spec->dials[0], *second = &spec->dials[1];
  CU_ASSERT_EQUAL(first->answer.outcome, FAKE_ERROR);
  CU_ASSERT_STRING_EQUAL(first->answer.error, "dial failed");
  CU_ASSERT_EQUAL(first->status, 503);
  CU_ASSERT_EQUAL(first->conn.set, 0);
  CU_ASSERT_EQUAL(second->answer.outcome, FAKE_OK);
  CU_ASSERT_EQUAL(second->status, 0);
  CU_ASSERT_EQUAL_FATAL(second->header_count, 1);
  CU_ASSERT_STRING_EQUAL(second->headers[0].name, "X-Test");
  CU_ASSERT_STRING_EQUAL(second->headers[0].value, "v1");
  CU_ASSERT_EQUAL(second->conn.set,
                  FAKE_SET_PING | FAKE_SET_READ | FAKE_SET_MAX_AGE | FAKE_SET_CLOSE);
  CU_ASSERT_EQUAL(second->conn.ping.items[0].outcome, FAKE_BLOCK);
  CU_ASSERT_EQUAL_FATAL(second->conn.read.count, 2);
  CU_ASSERT_EQUAL(second->conn.read.items[0].outcome, FAKE_MESSAGE);
  CU_ASSERT_STRING_EQUAL(second->conn.read.items[0].message,
                         "{\"a\":[1,2.50,123456789012345678901234567890]}");
  CU_ASSERT_EQUAL(second->conn.read.items[1].outcome, FAKE_EOF);
  CU_ASSERT_PTR_NULL(second->conn.read.items[1].message);
  scn_scenario_destroy(scenario);
}

static void latencies_are_distributions(void) {
  struct scn_scenario *scenario = load_everything();
  const struct fake_spec *spec = &scenario->upstreams[0].spec;
  const struct sim_distribution *constant = &spec->dials[0].answer.latency,
                                *uniform = &spec->dials[1].answer.latency,
                                *exponential = &spec->conn.ping.items[0].latency,
                                *normal = &spec->conn.write.items[0].latency,
                                *lognormal = &spec->conn.read.items[0].latency,
                                *trace = &spec->dials[1].conn.close;
  CU_ASSERT_EQUAL(constant->kind, SIM_CONSTANT);
  CU_ASSERT_EQUAL(constant->first, 20 * WSP_MILLISECOND);
  CU_ASSERT_EQUAL(uniform->kind, SIM_UNIFORM);
  CU_ASSERT_EQUAL(uniform->first, WSP_MILLISECOND);
  CU_ASSERT_EQUAL(uniform->second, 9 * WSP_MILLISECOND);
  CU_ASSERT_EQUAL(exponential->kind, SIM_EXPONENTIAL);
  CU_ASSERT_EQUAL(exponential->first, 20 * WSP_MILLISECOND);
  CU_ASSERT_EQUAL(normal->kind, SIM_NORMAL);
  CU_ASSERT_EQUAL(normal->second, 5 * WSP_MILLISECOND);
  CU_ASSERT_EQUAL(lognormal->kind, SIM_LOGNORMAL);
  CU_ASSERT_EQUAL(lognormal->first, 20 * WSP_MILLISECOND);
  CU_ASSERT_EQUAL(lognormal->factor, 2 * WSP_DECIMAL_ONE);
  CU_ASSERT_EQUAL(trace->kind, SIM_TRACE);
  CU_ASSERT_EQUAL_FATAL(trace->count, 3);
  CU_ASSERT_EQUAL(trace->values[0], WSP_MILLISECOND);
  CU_ASSERT_EQUAL(trace->values[1], 2500 * WSP_MICROSECOND);
  CU_ASSERT_EQUAL(trace->values[2], 30 * WSP_MILLISECOND);
  scn_scenario_destroy(scenario);
}

static void an_acquire_has_all_its_arguments(void) {
  struct scn_scenario *scenario = load_everything();
  const struct scn_step *step = &scenario->steps[0], *repeated = &scenario->steps[1];
  CU_ASSERT_STRING_EQUAL(step->label, "a");
  CU_ASSERT_EQUAL(step->account, 2);
  CU_ASSERT_STRING_EQUAL(step->url, " ");
  CU_ASSERT_EQUAL_FATAL(step->header_count, 1);
  CU_ASSERT_STRING_EQUAL(step->headers[0].name, "X");
  CU_ASSERT_STRING_EQUAL(step->proxy, "http://p");
  CU_ASSERT_STRING_EQUAL(step->conn, "zz");
  CU_ASSERT_TRUE(step->force_new_conn);
  CU_ASSERT_FALSE(step->force_preferred_conn);
  CU_ASSERT_TRUE(step->canceled);
  CU_ASSERT_EQUAL(step->timeout, 0);
  CU_ASSERT_TRUE(step->has_hold);
  CU_ASSERT_EQUAL(step->hold, 5 * WSP_SECOND);
  CU_ASSERT_TRUE(repeated->repeats);
  CU_ASSERT_EQUAL(repeated->repeat, 3);
  CU_ASSERT_EQUAL(repeated->every, 10 * WSP_MILLISECOND);
  CU_ASSERT_EQUAL(repeated->account, -5);
  scn_scenario_destroy(scenario);
}

static void times_add_up_in_file_order(void) {
  struct scn_scenario *scenario =
      load(HEAD
           "\"steps\": [{\"at\": \"10ms\", \"acquire\": {\"repeat\": 5, \"every\": \"1s\"}}, "
           "{\"after\": \"5ms\", \"ping_sweep\": {}}, {\"cleanup_sweep\": {}}, "
           "{\"at\": \"1h\", \"together\": [{\"ping_sweep\": {}}, {\"acquire\": {}}]}, "
           "{\"after\": \"1ns\", \"acquire\": {}}]}");
  CU_ASSERT_EQUAL_FATAL(scenario->step_count, 5);
  CU_ASSERT_EQUAL(scenario->steps[0].at, 10 * WSP_MILLISECOND);
  CU_ASSERT_EQUAL(scenario->steps[1].at, 15 * WSP_MILLISECOND);
  CU_ASSERT_EQUAL(scenario->steps[2].at, 15 * WSP_MILLISECOND);
  CU_ASSERT_EQUAL(scenario->steps[3].at, 60 * WSP_MINUTE);
  CU_ASSERT_EQUAL(scenario->steps[3].index, 3);
  CU_ASSERT_EQUAL_FATAL(scenario->steps[3].step_count, 2);
  CU_ASSERT_EQUAL(scenario->steps[3].steps[1].at, 60 * WSP_MINUTE);
  CU_ASSERT_EQUAL(scenario->steps[3].steps[1].index, 5);
  CU_ASSERT_STRING_EQUAL(scenario->steps[3].steps[1].label, "acquire@6");
  CU_ASSERT_EQUAL(scenario->steps[4].at, 60 * WSP_MINUTE + 1);
  CU_ASSERT_EQUAL(scenario->steps[4].index, 6);
  scn_scenario_destroy(scenario);
}

static void other_operations_have_their_arguments(void) {
  struct scn_scenario *scenario = load_everything();
  const struct scn_step *steps = scenario->steps;
  CU_ASSERT_EQUAL(steps[2].kind, SCN_WRITE);
  CU_ASSERT_STRING_EQUAL(steps[2].target, "a");
  CU_ASSERT_EQUAL(steps[2].timeout, WSP_SECOND);
  CU_ASSERT_STRING_EQUAL(steps[2].json,
                         "{\"n\":123456789012345678901234567890,\"s\":\"a b \\\" c\"}");
  CU_ASSERT_STRING_EQUAL(steps[3].target, "r#3");
  CU_ASSERT_STRING_EQUAL(steps[3].label, "read@4");
  CU_ASSERT_EQUAL(steps[5].kind, SCN_CANCEL);
  CU_ASSERT_STRING_EQUAL(steps[5].target, "w");
  CU_ASSERT_STRING_EQUAL(steps[7].label, "pin1");
  CU_ASSERT_STRING_EQUAL(steps[8].conn, "");
  CU_ASSERT_PTR_NULL(steps[8].label);
  CU_ASSERT_FALSE(steps[9].url_given);
  CU_ASSERT_TRUE(steps[10].url_given);
  CU_ASSERT_STRING_EQUAL(steps[10].url, "wss://example.com/v1/responses");
  CU_ASSERT_EQUAL(steps[14].kind, SCN_ADOPT);
  CU_ASSERT_STRING_EQUAL(steps[14].conn, "stale");
  CU_ASSERT_EQUAL(steps[14].age, 2 * WSP_MINUTE);
  CU_ASSERT_EQUAL(steps[14].idle, 2 * WSP_MINUTE);
  CU_ASSERT_TRUE(steps[14].has_spec);
  CU_ASSERT_EQUAL(steps[14].spec.preset, FAKE_PRESET_PING_FAIL);
  CU_ASSERT_EQUAL(steps[14].spec.conn.set, FAKE_SET_MAX_AGE);
  CU_ASSERT_EQUAL(steps[15].account, 2);
  CU_ASSERT_EQUAL(steps[16].account, 2);
  CU_ASSERT_EQUAL(steps[17].code, 1001);
  CU_ASSERT_STRING_EQUAL(steps[17].reason, "bye");
  CU_ASSERT_STRING_EQUAL(steps[18].json, "[1,2]");
  CU_ASSERT_STRING_EQUAL(steps[19].url, "default");
  CU_ASSERT_EQUAL(steps[19].spec.conn.set, FAKE_SET_PING);
  CU_ASSERT_EQUAL(steps[20].by, 60 * WSP_MINUTE);
  CU_ASSERT_EQUAL(steps[22].expectation_count, 2);
  CU_ASSERT_STRING_EQUAL(steps[25].label, "c");
  scn_scenario_destroy(scenario);
}

/* A change without a URL is one of the upstream that serves the default URL. */
static void an_upstream_step_finds_its_upstream(void) {
  struct scn_scenario *scenario =
      load(HEAD "\"steps\": [{\"upstream\": {\"ping\": {\"outcome\": \"error\"}}}]}");
  CU_ASSERT_STRING_EQUAL(scenario->steps[0].url, "default");
  scn_scenario_destroy(scenario);
  scenario = load(HEAD
                  "\"upstreams\": {\"wss://example.com/v1/responses\": {}}, "
                  "\"steps\": [{\"upstream\": {\"ping\": {\"outcome\": \"error\"}}}]}");
  CU_ASSERT_STRING_EQUAL(scenario->steps[0].url, "wss://example.com/v1/responses");
  scn_scenario_destroy(scenario);
}

static void load_is_read(void) {
  struct scn_scenario *scenario = load_everything();
  const struct scn_load *loads = scenario->loads;
  CU_ASSERT_EQUAL_FATAL(scenario->load_count, 5);
  CU_ASSERT_STRING_EQUAL(loads[0].label, "load1");
  CU_ASSERT_EQUAL(loads[0].arrivals, SCN_ARRIVALS_POISSON);
  CU_ASSERT_EQUAL(loads[0].rate.arrivals, 200 * WSP_DECIMAL_ONE);
  CU_ASSERT_EQUAL(loads[0].rate.per, WSP_SECOND);
  CU_ASSERT_EQUAL(loads[0].duration, 10 * WSP_MINUTE);
  CU_ASSERT_EQUAL(loads[0].hold.kind, SIM_LOGNORMAL);
  CU_ASSERT_EQUAL(loads[0].timeout, 5 * WSP_SECOND);
  CU_ASSERT_TRUE(loads[0].has_session);
  CU_ASSERT_EQUAL(loads[0].turns.kind, SIM_UNIFORM);
  CU_ASSERT_EQUAL(loads[0].turns.second, 8);
  CU_ASSERT_EQUAL(loads[0].think.first, 2 * WSP_SECOND);
  CU_ASSERT_EQUAL(loads[0].affinity, SCN_AFFINITY_PREFERRED);
  CU_ASSERT_STRING_EQUAL(loads[0].url, "wss://example.com/v1/responses");
  CU_ASSERT_STRING_EQUAL(loads[1].label, "burst");
  CU_ASSERT_EQUAL(loads[1].burst, 5);
  CU_ASSERT_EQUAL(loads[1].every, WSP_SECOND);
  CU_ASSERT_EQUAL(loads[2].arrivals, SCN_ARRIVALS_TRACE);
  CU_ASSERT_EQUAL(loads[2].time_count, 2); /* the one at 30ms is not before the end */
  CU_ASSERT_EQUAL(loads[3].end_rate.arrivals, INT64_C(500500000000));
  CU_ASSERT_EQUAL(loads[3].turns.first, 3);
  CU_ASSERT_EQUAL(loads[4].rate.per, WSP_MINUTE);
  CU_ASSERT_FALSE(loads[4].has_session);
  scn_scenario_destroy(scenario);
}

CU_TestInfo suite_loader[] = {
    {"what is left out has its default", what_is_left_out_has_its_default},
    {"accounts keep all 64 bits", accounts_keep_all_64_bits},
    {"the top level is read", the_top_level_is_read},
    {"upstreams are read", upstreams_are_read},
    {"behaviours of dials carry those of their conns",
     behaviours_of_dials_carry_those_of_their_conns},
    {"latencies are distributions", latencies_are_distributions},
    {"an acquire has all its arguments", an_acquire_has_all_its_arguments},
    {"times add up in file order", times_add_up_in_file_order},
    {"other operations have their arguments", other_operations_have_their_arguments},
    {"an upstream step finds its upstream", an_upstream_step_finds_its_upstream},
    {"load is read", load_is_read},
    CU_TEST_INFO_NULL};
