/* test_loader_values.c - configurations, seeds, variants, expectations and their comparisons. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/loader_fixture.h"
#include "tests/suites.h"

#define HEAD "{\"name\": \"x\", \"steps\": [{\"acquire\": {\"as\": \"a\"}}], "

static struct scn_scenario *load_with(const char *text, const struct scn_load_options *options) {
  struct loader_problems problems = {0};
  struct scn_scenario *scenario =
      scn_scenario_parse("test.json", text, strlen(text), options, loader_collect, &problems);
  CU_ASSERT_PTR_NULL(problems.text);
  CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
  loader_problems_deinit(&problems);
  return scenario;
}

static struct scn_scenario *load(const char *text) {
  return load_with(text, NULL);
}

static void every_key_of_the_configuration_can_be_set(void) {
  struct scn_scenario *scenario =
      load(HEAD
           "\"config\": {\"max_conns_per_account\": 9, \"min_idle_per_account\": 1, "
           "\"max_idle_per_account\": 2, \"queue_limit_per_conn\": 3, "
           "\"pool_target_utilization\": 0.25, \"prewarm_cooldown\": \"1ms\", "
           "\"dial_timeout\": \"2ms\", \"dynamic_max_conns_by_account_concurrency_enabled\": true, "
           "\"oauth_max_conns_factor\": 1.5, \"apikey_max_conns_factor\": 2, "
           "\"mode_router_v2_enabled\": false, \"max_conn_age\": \"1h\", "
           "\"max_conn_age_jitter\": \"3ms\", \"retire_before_max_age\": \"4ms\", "
           "\"health_check_idle\": \"5ms\", \"health_check_timeout\": \"6ms\", "
           "\"probe_timeout\": \"7ms\", \"prewarm_extra_delay\": \"8ms\", "
           "\"acquire_cleanup_interval\": \"9ms\", \"ping_interval\": \"10ms\", "
           "\"cleanup_interval\": \"11ms\", \"ping_concurrency\": 12, \"max_connecting\": 4, "
           "\"prewarm_failure_window\": \"13ms\", \"prewarm_failure_suppress\": 14}}");
  const struct wsp_config expected = {.max_conns_per_account = 9,
                                      .min_idle_per_account = 1,
                                      .max_idle_per_account = 2,
                                      .queue_limit_per_conn = 3,
                                      .pool_target_utilization = 250000000,
                                      .prewarm_cooldown = WSP_MILLISECOND,
                                      .dial_timeout = 2 * WSP_MILLISECOND,
                                      .dynamic_max_conns_by_account_concurrency_enabled = true,
                                      .oauth_max_conns_factor = 1500000000,
                                      .apikey_max_conns_factor = 2 * WSP_DECIMAL_ONE,
                                      .mode_router_v2_enabled = false,
                                      .max_conn_age = 60 * WSP_MINUTE,
                                      .max_conn_age_jitter = 3 * WSP_MILLISECOND,
                                      .retire_before_max_age = 4 * WSP_MILLISECOND,
                                      .health_check_idle = 5 * WSP_MILLISECOND,
                                      .health_check_timeout = 6 * WSP_MILLISECOND,
                                      .probe_timeout = 7 * WSP_MILLISECOND,
                                      .prewarm_extra_delay = 8 * WSP_MILLISECOND,
                                      .acquire_cleanup_interval = 9 * WSP_MILLISECOND,
                                      .ping_interval = 10 * WSP_MILLISECOND,
                                      .cleanup_interval = 11 * WSP_MILLISECOND,
                                      .ping_concurrency = 12,
                                      .max_connecting = 4,
                                      .prewarm_failure_window = 13 * WSP_MILLISECOND,
                                      .prewarm_failure_suppress = 14};
  const struct wsp_config *config = &scenario->variants[0].config;
#define SAME(type, name, value) CU_ASSERT_EQUAL(config->name, expected.name);
  WSP_CONFIG_LIST(SAME)
#undef SAME
  scn_scenario_destroy(scenario);
}

static void values_out_of_range_are_kept_as_they_are(void) {
  struct scn_scenario *scenario =
      load(HEAD
           "\"config\": {\"max_conns_per_account\": -9223372036854775808, "
           "\"dial_timeout\": \"-1s\", \"pool_target_utilization\": -1}}");
  CU_ASSERT_EQUAL(scenario->variants[0].config.max_conns_per_account, INT64_MIN);
  CU_ASSERT_EQUAL(scenario->variants[0].config.dial_timeout, -WSP_SECOND);
  CU_ASSERT_EQUAL(scenario->variants[0].config.pool_target_utilization, -WSP_DECIMAL_ONE);
  scn_scenario_destroy(scenario);
}

static void inconsistent_configurations_are_warned_of(void) {
  CU_ASSERT(loader_says(
      HEAD "\n\"config\": {\"min_idle_per_account\": 3, \"max_idle_per_account\": 2}}",
      "2:12: warning: \"min_idle_per_account\" is more than max_idle_per_account; the idle ceiling "
      "is then min_idle_per_account\n"));
  /* Said once, for the first variant that has it, at the key of the matrix. */
  CU_ASSERT(loader_says(
      HEAD
      "\n\"config\": {\"max_idle_per_account\": 2}, \n\"matrix\": "
      "{\"config.min_idle_per_account\": [2, 3, 4]}}",
      "3:12: warning: \"min_idle_per_account\" is more than max_idle_per_account; the idle ceiling "
      "is then min_idle_per_account (variant config.min_idle_per_account=3)\n"));
  /* At "config" where the key itself is not in the file. */
  CU_ASSERT(loader_says(HEAD "\n\"config\": {\"cleanup_interval\": \"1s\"}}",
                        "2:1: warning: \"acquire_cleanup_interval\" is not shorter than "
                        "cleanup_interval; the background sweep then always comes first\n"));
  /* Who only lowers the maximum is not told of the default ceiling. */
  CU_ASSERT(loader_says(HEAD "\"config\": {\"max_conns_per_account\": 1}}", ""));
}

static uint64_t seed_of(const char *seed) {
  char text[200];
  snprintf(text, sizeof text, HEAD "\"seed\": %s}", seed);
  struct scn_scenario *scenario = load(text);
  uint64_t result = scenario->variants[0].seed;
  scn_scenario_destroy(scenario);
  return result;
}

static void seeds_keep_all_64_bits(void) {
  CU_ASSERT_EQUAL(seed_of("18446744073709551615"), UINT64_MAX);
  CU_ASSERT_EQUAL(seed_of("\"18446744073709551615\""), UINT64_MAX);
  CU_ASSERT_EQUAL(seed_of("9007199254740993"), UINT64_C(9007199254740993));
  CU_ASSERT_EQUAL(seed_of("\"0\""), 0);
}

static void a_matrix_makes_every_combination(void) {
  struct scn_scenario *scenario =
      load(HEAD
           "\"config\": {\"max_connecting\": 7}, \"seed\": 5, \"matrix\": "
           "{\"config.max_idle_per_account\": [0, 1], \"seed\": [1, \"18446744073709551615\"],"
           " \"config.dial_timeout\": [\"1s\"]}}");
  static const char *const names[] = {
      "config.max_idle_per_account=0 seed=1 config.dial_timeout=1s",
      "config.max_idle_per_account=0 seed=18446744073709551615 config.dial_timeout=1s",
      "config.max_idle_per_account=1 seed=1 config.dial_timeout=1s",
      "config.max_idle_per_account=1 seed=18446744073709551615 config.dial_timeout=1s"};
  CU_ASSERT_EQUAL_FATAL(scenario->variant_count, 4);
  for (size_t i = 0; i < 4; i++) {
    const struct scn_variant *variant = &scenario->variants[i];
    CU_ASSERT_STRING_EQUAL(variant->name, names[i]);
    CU_ASSERT_EQUAL(variant->seed, i % 2 == 0 ? 1 : UINT64_MAX);
    CU_ASSERT_EQUAL(variant->config.max_idle_per_account, (int64_t)(i / 2));
    CU_ASSERT_EQUAL(variant->config.dial_timeout, WSP_SECOND);
    CU_ASSERT_EQUAL(variant->config.max_connecting, 7);
  }
  scn_scenario_destroy(scenario);
}

static void a_seed_from_outside_replaces_those_of_the_file(void) {
  const struct scn_load_options options = {.has_seed = true, .seed = 42};
  struct scn_scenario *scenario = load_with(
      HEAD "\"seed\": 5, \"matrix\": {\"seed\": [1, 2], \"config.max_connecting\": [0, 1]}}",
      &options);
  CU_ASSERT_EQUAL_FATAL(scenario->variant_count, 2);
  CU_ASSERT_STRING_EQUAL(scenario->variants[1].name, "config.max_connecting=1");
  CU_ASSERT_EQUAL(scenario->variants[0].seed, 42);
  CU_ASSERT_EQUAL(scenario->variants[1].seed, 42);
  scn_scenario_destroy(scenario);
}

static const struct scn_comparison *field_of(const struct scn_expectation *expectation,
                                             const char *field) {
  for (size_t i = 0; i < expectation->comparison_count; i++) {
    if (strcmp(expectation->comparisons[i].field, field) == 0) {
      return &expectation->comparisons[i];
    }
  }
  CU_FAIL_FATAL("the expectation lacks the field");
  return NULL;
}

static void comparisons_are_typed(void) {
  struct scn_scenario *scenario =
      load(HEAD
           "\"expect\": [{\"op\": \"a\", \"result\": \"ok\", \"reused\": true, "
           "\"queue_wait\": {\"ge\": \"50ms\", \"lt\": \"1m\"}, \"conn\": null, "
           "\"status\": {\"in\": [0, 503]}, \"error_text\": {\"contains\": \"x\"}, "
           "\"message\": \"completed\", \"header\": {\"X-Test\": {\"ne\": \"v1\"}}}]}");
  const struct scn_expectation *expectation = &scenario->expectations[0];
  CU_ASSERT_EQUAL(expectation->kind, SCN_EXPECT_OP);
  CU_ASSERT_STRING_EQUAL(expectation->subject, "a");
  CU_ASSERT_EQUAL(expectation->comparison_count, 7);
  const struct scn_comparison *result = field_of(expectation, "result");
  CU_ASSERT_EQUAL(result->tests[0].operator_, SCN_EQ);
  CU_ASSERT_EQUAL(result->tests[0].value.kind, SCN_STRING);
  CU_ASSERT_STRING_EQUAL(result->tests[0].value.text, "ok");
  CU_ASSERT_EQUAL(field_of(expectation, "reused")->tests[0].value.kind, SCN_BOOL);
  CU_ASSERT_TRUE(field_of(expectation, "reused")->tests[0].value.boolean);
  const struct scn_comparison *wait = field_of(expectation, "queue_wait");
  CU_ASSERT_EQUAL_FATAL(wait->count, 2);
  CU_ASSERT_EQUAL(wait->tests[0].operator_, SCN_GE);
  CU_ASSERT_EQUAL(wait->tests[0].value.kind, SCN_DURATION);
  CU_ASSERT_EQUAL(wait->tests[0].value.integer, 50 * WSP_MILLISECOND);
  CU_ASSERT_STRING_EQUAL(wait->tests[0].value.text, "50ms");
  CU_ASSERT_EQUAL(wait->tests[1].operator_, SCN_LT);
  CU_ASSERT_EQUAL(field_of(expectation, "conn")->tests[0].value.kind, SCN_NULL);
  const struct scn_test *in = &field_of(expectation, "status")->tests[0];
  CU_ASSERT_EQUAL(in->operator_, SCN_IN);
  CU_ASSERT_EQUAL_FATAL(in->count, 2);
  CU_ASSERT_EQUAL(in->values[1].integer, 503);
  CU_ASSERT_EQUAL(field_of(expectation, "error_text")->tests[0].operator_, SCN_CONTAINS);
  CU_ASSERT_EQUAL(field_of(expectation, "message")->tests[0].operator_, SCN_CONTAINS);
  CU_ASSERT_EQUAL_FATAL(expectation->header_count, 1);
  CU_ASSERT_STRING_EQUAL(expectation->headers[0].field, "X-Test");
  CU_ASSERT_EQUAL(expectation->headers[0].tests[0].operator_, SCN_NE);
  scn_scenario_destroy(scenario);
}

static void single_values_are_compared_beside_their_subject(void) {
  struct scn_scenario *scenario =
      load(HEAD
           "\"expect\": [{ \"metric\": \"transport_reuse_ratio\", \"ge\": 0.5 , \"le\": 1 },"
           "{\"sql\": \"select 1\", \"in\": [1, 2.5, \"a\", true, null]}, "
           "{\"percentile\": \"dial\", \"p\": 99.9, \"le\": \"1s\"}]}");
  const struct scn_expectation *metric = &scenario->expectations[0],
                               *sql = &scenario->expectations[1],
                               *percentile = &scenario->expectations[2];
  CU_ASSERT_STRING_EQUAL(metric->subject, "transport_reuse_ratio");
  CU_ASSERT_STRING_EQUAL(metric->text,
                         "{\"metric\":\"transport_reuse_ratio\",\"ge\":0.5,\"le\":1}");
  CU_ASSERT_EQUAL(field_of(metric, "value")->tests[0].value.kind, SCN_DECIMAL);
  CU_ASSERT_EQUAL(field_of(metric, "value")->tests[0].value.integer, 500000000);
  CU_ASSERT_EQUAL(field_of(metric, "value")->tests[1].value.kind, SCN_INTEGER);
  const struct scn_test *in = &field_of(sql, "value")->tests[0];
  CU_ASSERT_STRING_EQUAL(sql->subject, "select 1");
  CU_ASSERT_EQUAL_FATAL(in->count, 5);
  CU_ASSERT_EQUAL(in->values[0].kind, SCN_INTEGER);
  CU_ASSERT_EQUAL(in->values[1].kind, SCN_DECIMAL);
  CU_ASSERT_EQUAL(in->values[2].kind, SCN_STRING);
  CU_ASSERT_EQUAL(in->values[3].kind, SCN_BOOL);
  CU_ASSERT_EQUAL(in->values[4].kind, SCN_NULL);
  CU_ASSERT_EQUAL(percentile->percentile, INT64_C(99900000000));
  CU_ASSERT_STRING_EQUAL(percentile->subject, "dial");
  scn_scenario_destroy(scenario);
}

static void expectations_of_the_timeline_are_read(void) {
  struct scn_scenario *scenario =
      load(HEAD
           "\"expect\": [{\"event\": \"conn_evicted\", \"where\": {\"reason\": \"max_age\", "
           "\"age\": {\"gt\": \"1s\"}, \"age_ns\": 5, \"pins\": 0}}, "
           "{\"events\": [{\"event\": \"dial_started\"}, {\"event\": \"acquire_granted\", "
           "\"where\": {\"op\": \"a\", \"reused\": false}}], "
           "\"forbid\": [{\"event\": \"pool_closed\"}]}, "
           "{\"order\": [\"a started\", \"a granted\"]}, "
           "{\"event\": \"dial_started\", \"count\": 0}]}");
  const struct scn_expectation *event = &scenario->expectations[0],
                               *events = &scenario->expectations[1],
                               *order = &scenario->expectations[2];
  CU_ASSERT_STRING_EQUAL(event->events[0].kind, "conn_evicted");
  CU_ASSERT_EQUAL_FATAL(event->events[0].where_count, 4);
  CU_ASSERT_EQUAL(event->events[0].where[1].tests[0].value.kind, SCN_DURATION);
  CU_ASSERT_EQUAL(event->events[0].where[2].tests[0].value.kind, SCN_INTEGER);
  CU_ASSERT_EQUAL(field_of(event, "count")->tests[0].operator_, SCN_GE);
  CU_ASSERT_EQUAL(field_of(event, "count")->tests[0].value.integer, 1);
  CU_ASSERT_EQUAL(field_of(&scenario->expectations[3], "count")->tests[0].operator_, SCN_EQ);
  CU_ASSERT_EQUAL(events->kind, SCN_EXPECT_EVENTS);
  CU_ASSERT_EQUAL(events->event_count, 2);
  CU_ASSERT_EQUAL(events->events[1].where[1].tests[0].value.kind, SCN_BOOL);
  CU_ASSERT_EQUAL_FATAL(events->forbid_count, 1);
  CU_ASSERT_STRING_EQUAL(events->forbid[0].kind, "pool_closed");
  CU_ASSERT_EQUAL_FATAL(order->order_count, 2);
  CU_ASSERT_STRING_EQUAL(order->order[1].label, "a");
  CU_ASSERT_EQUAL(order->order[1].milestone, SCN_GRANTED);
  scn_scenario_destroy(scenario);
}

static void the_first_key_that_names_a_form_is_not_always_the_form(void) {
  struct scn_scenario *scenario =
      load(HEAD
           "\"expect\": [{\"account\": 7, \"conn\": \"c\", \"state\": \"idle\"}, "
           "{\"conn\": \"c\", \"op\": \"a\"}, {\"account\": 7, \"conns\": 1}, "
           "{\"upstream\": \"default\", \"max_concurrent_pings\": {\"le\": 10}}]}");
  CU_ASSERT_EQUAL(scenario->expectations[0].kind, SCN_EXPECT_CONN);
  CU_ASSERT_STRING_EQUAL(scenario->expectations[0].subject, "c");
  CU_ASSERT_EQUAL(field_of(&scenario->expectations[0], "account")->tests[0].value.integer, 7);
  CU_ASSERT_EQUAL(scenario->expectations[1].kind, SCN_EXPECT_OP);
  CU_ASSERT_EQUAL(scenario->expectations[2].kind, SCN_EXPECT_ACCOUNT);
  CU_ASSERT_EQUAL(scenario->expectations[2].account, 7);
  CU_ASSERT_STRING_EQUAL(scenario->expectations[3].subject, "default");
  scn_scenario_destroy(scenario);
}

CU_TestInfo suite_loader_values[] = {
    {"every key of the configuration can be set", every_key_of_the_configuration_can_be_set},
    {"values out of range are kept as they are", values_out_of_range_are_kept_as_they_are},
    {"inconsistent configurations are warned of", inconsistent_configurations_are_warned_of},
    {"seeds keep all 64 bits", seeds_keep_all_64_bits},
    {"a matrix makes every combination", a_matrix_makes_every_combination},
    {"a seed from outside replaces those of the file",
     a_seed_from_outside_replaces_those_of_the_file},
    {"comparisons are typed", comparisons_are_typed},
    {"single values are compared beside their subject",
     single_values_are_compared_beside_their_subject},
    {"expectations of the timeline are read", expectations_of_the_timeline_are_read},
    {"the first key that names a form is not always the form",
     the_first_key_that_names_a_form_is_not_always_the_form},
    CU_TEST_INFO_NULL};
