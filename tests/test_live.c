/*
 * test_live.c - the speed of live runs, and which scenarios can not be live.
 */
#include <stdio.h>
#include <string.h>

#include "scenarios/engine/live.h"
#include "tests/loader_fixture.h"
#include "tests/suites.h"

static void a_speed_is_read(void) {
  wsp_decimal speed = 0;
  CU_ASSERT_TRUE(scn_live_read_speed("60", &speed));
  CU_ASSERT_EQUAL(speed, 60 * WSP_DECIMAL_ONE);
  CU_ASSERT_TRUE(scn_live_read_speed("0.001", &speed));
  CU_ASSERT_TRUE(scn_live_read_speed("1000000", &speed));
  CU_ASSERT_FALSE(scn_live_read_speed("0.0009", &speed));
  CU_ASSERT_FALSE(scn_live_read_speed("1000000.000000001", &speed));
  CU_ASSERT_FALSE(scn_live_read_speed("0", &speed));
  CU_ASSERT_FALSE(scn_live_read_speed("-1", &speed));
  CU_ASSERT_FALSE(scn_live_read_speed("max", &speed));
  CU_ASSERT_FALSE(scn_live_read_speed("", &speed));
}

static void durations_go_over_into_real_time_and_back(void) {
  const wsp_decimal one = WSP_DECIMAL_ONE;
  CU_ASSERT_EQUAL(scn_live_to_real(WSP_SECOND, one), WSP_SECOND);
  CU_ASSERT_EQUAL(scn_live_to_real(WSP_SECOND + 7, one), WSP_SECOND + 7);
  CU_ASSERT_EQUAL(scn_live_to_real(WSP_MINUTE, 60 * one), WSP_SECOND);
  CU_ASSERT_EQUAL(scn_live_to_real(WSP_SECOND, one / 1000), 1000 * WSP_SECOND);
  CU_ASSERT_EQUAL(scn_live_to_real(1, one / 1000), 1000);
  CU_ASSERT_EQUAL(scn_live_to_real(WSP_SECOND, 3 * one), 333333333);
  CU_ASSERT_EQUAL(scn_live_to_real(999999999, 1000000 * one), 999);
  CU_ASSERT_EQUAL(scn_live_from_real(WSP_SECOND, one), WSP_SECOND);
  CU_ASSERT_EQUAL(scn_live_from_real(333333333, 3 * one), 999999999);
  CU_ASSERT_EQUAL(scn_live_from_real(999999999, 1000000 * one), INT64_C(999999999000000));
  CU_ASSERT_EQUAL(scn_live_from_real(1500000000, one / 1000), 1500000);
  CU_ASSERT_EQUAL(scn_live_from_real(WSP_SECOND, one + one / 2), 1500000000);
}

static void what_is_out_of_range_is_cut_off(void) {
  const wsp_decimal one = WSP_DECIMAL_ONE;
  CU_ASSERT_EQUAL(scn_live_to_real(WSP_TIME_NEVER, one / 1000), WSP_TIME_NEVER / 4);
  CU_ASSERT_EQUAL(scn_live_from_real(WSP_TIME_NEVER / 2, 1000000 * one), WSP_TIME_NEVER / 4);
}

/* Why a scenario with `body` can not be live; "": it can. */
static const char *why_not(const char *body) {
  static char reason[200];
  char text[1024];
  snprintf(text, sizeof text, "{ \"name\": \"x\", \"accounts\": [ { \"id\": 1 } ], %s }", body);
  struct loader_problems problems = {0};
  struct scn_scenario *scenario = loader_parse(text, &problems);
  if (scenario == NULL) {
    printf("\n%s", problems.text);
  }
  CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
  if (!scn_live_cannot(scenario, &scenario->variants[0], reason, sizeof reason)) {
    reason[0] = '\0';
  }
  scn_scenario_destroy(scenario);
  loader_problems_deinit(&problems);
  return reason;
}

#define ACQUIRE "\"steps\": [ { \"acquire\": { \"as\": \"a\" } } ]"

static void what_a_wire_carries_can_be_live(void) {
  static const char *const bodies[] = {
      ACQUIRE ", \"expect\": [ { \"op\": \"a\", \"error_text\": { \"contains\": \"x\" } } ]",
      "\"upstreams\": { \"default\": { \"dial\": [ { \"outcome\": \"error\", \"status\": 503, "
      "\"error\": \"no\" }, { \"outcome\": \"block\" } ], \"read\": { \"outcome\": \"eof\" }, "
      "\"ping\": { \"outcome\": \"block\" }, \"write\": { \"outcome\": \"block\" } } }, " ACQUIRE,
      "\"upstreams\": { \"default\": { \"fake\": \"half-open\" }, "
      "\"ws://a.example/\": { \"fake\": \"write-blocking\" } }, " ACQUIRE,
      "\"steps\": [ { \"acquire\": { \"url\": \" \" } }, { \"acquire\": { \"url\": "
      "\"ws://a.example/\", \"proxy\": \"http://p.example:1\" } }, "
      "{ \"upstream\": { \"url\": \"default\", \"dial\": { \"outcome\": \"block\" } } } ]",
      "\"steps\": [ { \"acquire\": { \"as\": \"a\" } }, { \"peer_close\": { \"conn\": \"a\", "
      "\"code\": 1006 } }, { \"peer_close\": { \"conn\": \"a\", \"code\": 4999 } }, "
      "{ \"peer_close\": { \"conn\": \"a\", \"code\": 1011 } } ]",
  };
  for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
    CU_ASSERT_STRING_EQUAL(why_not(bodies[i]), "");
  }
}

static void what_no_wire_carries_can_not_be_live(void) {
  static const struct {
    const char *body, *reason;
  } cases[] = {
      {"\"steps\": [ { \"clock_jump\": { \"by\": \"1h\" } } ]",
       "the real clock does not jump (step clock_jump)"},
      {"\"upstreams\": { \"default\": { \"dial\": { \"outcome\": \"nil_conn\" } } }, " ACQUIRE,
       "on a wire no dial succeeds without a conn (outcome \"nil_conn\")"},
      {"\"upstreams\": { \"default\": { \"dial\": [ {}, { \"ping\": [ {}, { \"outcome\": "
       "\"error\" } ] } ] } }, " ACQUIRE,
       "on a wire no ping fails while its conn goes on (outcome \"error\")"},
      {"\"upstreams\": { \"wss://a.example/\": { \"read\": { \"outcome\": \"error\" } } "
       "}, " ACQUIRE,
       "on a wire no read fails while its conn goes on (outcome \"error\")"},
      {"\"steps\": [ { \"adopt\": { \"conn\": \"c\", \"write\": { \"outcome\": \"error\" } } } ]",
       "on a wire no write fails while its conn goes on (outcome \"error\")"},
      {"\"steps\": [ { \"upstream\": { \"url\": \"default\", \"fake\": \"ping-fail\" } } ]",
       "the fake \"ping-fail\" does what no wire can carry"},
      {"\"upstreams\": { \"default\": { \"fake\": \"flaky\" } }, " ACQUIRE,
       "the fake \"flaky\" does what no wire can carry"},
      {"\"steps\": [ { \"together\": [ { \"acquire\": { \"url\": \"https://a.example/\" } } ] } ]",
       "the transport dials ws:// and wss://, not https://a.example/"},
      {"\"steps\": [ { \"acquire\": { \"proxy\": \"socks5://p.example\" } } ]",
       "the transport knows proxies of http://, not socks5://p.example"},
      {"\"steps\": [ { \"acquire\": { \"as\": \"a\" } }, { \"peer_close\": { \"conn\": \"a\", "
       "\"code\": 1012 } } ]",
       "close code 1012 does not pass the wire and libwebsockets as it is"},
      {ACQUIRE ", \"expect\": [ { \"metric\": \"proxy_client_cache_hits\", \"eq\": 0 } ]",
       "the transport of virtual time has no clients for proxies to count (metric "
       "proxy_client_cache_hits)"},
      {"\"upstreams\": { \"default\": { \"dial\": { \"outcome\": \"error\", \"error\": \"boom\" } "
       "} "
       "}, " ACQUIRE
       ", \"expect\": [ { \"op\": \"a\", \"error_text\": { \"contains\": \"boom\" } } ]",
       "the words of a dial that fails without a status are the transport's (error_text)"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    CU_ASSERT_STRING_EQUAL(why_not(cases[i].body), cases[i].reason);
  }
}

CU_TestInfo suite_live[] = {
    {"a speed is read", a_speed_is_read},
    {"durations go over into real time and back", durations_go_over_into_real_time_and_back},
    {"what is out of range is cut off", what_is_out_of_range_is_cut_off},
    {"what a wire carries can be live", what_a_wire_carries_can_be_live},
    {"what no wire carries can not be live", what_no_wire_carries_can_not_be_live},
    CU_TEST_INFO_NULL,
};
