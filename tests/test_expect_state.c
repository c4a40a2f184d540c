/*
 * test_expect_state.c - expectations of metrics, accounts, conns, upstreams and SQL, against a
 * real pool and real fakes.
 */
#include <string.h>

#include "scenarios/engine/expect.h"
#include "tests/expect_fixture.h"
#include "tests/fakes_fixture.h"
#include "tests/suites.h"

#define NAMED_URL "wss://named.example/v1"

struct scene {
  struct fakes_fixture fakes;
  struct expect_fixture run; /* its view looks at the fakes and their pool */
  struct scn_operation *a;
};

static void granted(void *context, const struct wsp_acquire_result *result) {
  struct scene *scene = context;
  expect_fixture_end(scene->a, scene->fakes.now, wsp_error_name(result->error));
  scene->a->lease = result->lease;
  scene->a->record.reused = result->reused;
  scene->a->record.conn = sim_arena_copy_string(scene->run.arena, wsp_lease_conn_id(result->lease));
}

static void adopt(struct scene *scene, int64_t account, const char *id, wsp_duration age) {
  void *conn = fake_adopt(scene->fakes.world, scene->fakes.now, NAMED_URL, NULL, age, 0);
  struct wsp_adoption adoption = {
      .account = account, .id = id, .url = NAMED_URL, .age = age, .conn = conn};
  struct wsp_conn name;
  CU_ASSERT_EQUAL_FATAL(wsp_adopt(scene->fakes.pool, scene->fakes.now, &adoption, &name), WSP_OK);
  fake_adopted(conn, name);
}

/* At 20 ms: "a" holds a conn of account 99 that took 5 ms to dial. "stale" was adopted by the
 * accounts 99 and 7 at 0 s, and account 99 lost it again at 10 ms; "pinned" is account 7's. */
static bool begin(struct scene *scene) {
  static const struct fake_dial_behaviour dial = {
      .answer = {.outcome = FAKE_OK, .latency = CONSTANT(5 * MS)}};
  static const struct fake_spec upstream = {.set = FAKE_SET_DIAL, .dials = &dial, .dial_count = 1};
  static const struct scn_upstream upstreams[] = {{.url = "default"}, {.url = NAMED_URL}};
  memset(scene, 0, sizeof *scene);
  if (!expect_fixture_init(&scene->run)) {
    CU_FAIL("no memory for the fixture");
    return false;
  }
  fixture_open(&scene->fakes, 1);
  fixture_define(&scene->fakes, "default", &upstream);
  fixture_define(&scene->fakes, NAMED_URL, &(struct fake_spec){.set = 0});
  fixture_open_pool(&scene->fakes, 2);
  adopt(scene, 99, "stale", 0);
  adopt(scene, 7, "stale", 0);
  adopt(scene, 7, "pinned", 0);
  CU_ASSERT_TRUE(wsp_pin(scene->fakes.pool, 0, 7, "pinned"));
  scene->a = expect_fixture_start(&scene->run, "a", REP_OP_ACQUIRE, 0);
  struct wsp_acquire_request request = {.account = {.id = 99, .type = WSP_ACCOUNT_API_KEY},
                                        .url = FIXTURE_URL,
                                        .tag = sim_trace_intern(scene->fakes.trace, "a")};
  CU_ASSERT_EQUAL_FATAL(wsp_acquire(scene->fakes.pool, 0, &request, granted, scene, NULL), WSP_OK);
  fixture_run(&scene->fakes, 10 * MS);
  CU_ASSERT_TRUE(wsp_evict(scene->fakes.pool, 10 * MS, 99, "stale"));
  fixture_run(&scene->fakes, 20 * MS);
  scene->run.scenario.upstreams = upstreams;
  scene->run.scenario.upstream_count = COUNT(upstreams);
  scene->run.rows.trace = scene->fakes.trace;
  scene->run.rows.ops = scn_operations_records(scene->run.operations);
  scene->run.rows.op_count = 1;
  scene->run.view.now = 20 * MS;
  scene->run.view.trace = scene->fakes.trace;
  scene->run.view.pool = scene->fakes.pool;
  scene->run.view.upstreams = scene->fakes.world;
  return true;
}

static void end(struct scene *scene) {
  expect_fixture_deinit(&scene->run);
  fixture_close(&scene->fakes);
}

static bool is(struct scene *scene, enum scn_expectation_kind kind, const char *subject,
               const char *field, struct scn_value value) {
  struct scn_test test = TEST(SCN_EQ, value);
  struct scn_comparison comparison = {.field = field, .tests = &test, .count = 1};
  struct scn_expectation expectation = {
      .kind = kind, .subject = subject, .comparisons = &comparison, .comparison_count = 1};
  return expect_holds(&scene->run, &expectation);
}

static void a_metric_is_found_by_its_name(void) {
  struct scene scene;
  if (!begin(&scene)) {
    return;
  }
  CU_ASSERT_TRUE(is(&scene, SCN_EXPECT_METRIC, "acquire_total", "value", value_integer(1)));
  CU_ASSERT_STRING_EQUAL(scene.run.judgement.actual, "1");
  CU_ASSERT_TRUE(is(&scene, SCN_EXPECT_METRIC, "acquire_create_total", "value", value_integer(1)));
  CU_ASSERT_TRUE(is(&scene, SCN_EXPECT_METRIC, "acquire_reuse_total", "value", value_integer(0)));
  CU_ASSERT_TRUE(
      is(&scene, SCN_EXPECT_METRIC, "proxy_client_cache_hits", "value", value_integer(0)));
  CU_ASSERT_TRUE(is(&scene, SCN_EXPECT_METRIC, "transport_reuse_ratio", "value", value_decimal(0)));
  CU_ASSERT_FALSE(is(&scene, SCN_EXPECT_METRIC, "acquire_total", "value", value_integer(2)));
  CU_ASSERT_STRING_EQUAL(
      scene.run.judgement.message,
      "expected  metric acquire_total = 2\n"
      "found     1 at 20ms\n"
      "timeline  (1 event that touches it)\n"
      "         0s  acquire_started    account=99 op=a effective_max=2 url=" FIXTURE_URL);
  end(&scene);
}

static bool account_is(struct scene *scene, const char *field, int64_t value) {
  struct scn_expectation expectation = {.kind = SCN_EXPECT_ACCOUNT,
                                        .account = 99,
                                        FIELDS(FIELD(field, TEST(SCN_EQ, value_integer(value))))};
  return expect_holds(&scene->run, &expectation);
}

static void an_account_has_its_counts(void) {
  struct scene scene;
  if (!begin(&scene)) {
    return;
  }
  CU_ASSERT_TRUE(account_is(&scene, "conns", 1));
  CU_ASSERT_TRUE(account_is(&scene, "leased", 1));
  CU_ASSERT_TRUE(account_is(&scene, "idle", 0));
  CU_ASSERT_TRUE(account_is(&scene, "waiting", 0));
  CU_ASSERT_TRUE(account_is(&scene, "creating", 0));
  CU_ASSERT_TRUE(account_is(&scene, "effective_max", 2));
  CU_ASSERT_TRUE(account_is(&scene, "prewarm_fails", 0));
  CU_ASSERT_TRUE(account_is(&scene, "target", 1));
  CU_ASSERT_FALSE(account_is(&scene, "conns", 2));
  const char *expected =
      "expected  account 99: conns = 2\n"
      "found     conns = 1 (conns 1, idle 0, leased 1, waiting 0, creating 0 at 20ms)\n"
      "timeline  (";
  CU_ASSERT_NSTRING_EQUAL(scene.run.judgement.message, expected, strlen(expected));
  CU_ASSERT_PTR_NOT_NULL(strstr(scene.run.judgement.message, "account=99"));
  CU_ASSERT_PTR_NULL(strstr(scene.run.judgement.message, "account=7"));
  end(&scene);
}

static bool conn_is(struct scene *scene, const char *conn, const char *field,
                    struct scn_value value) {
  return is(scene, SCN_EXPECT_CONN, conn, field, value);
}

static void a_conn_is_found_by_id_or_label(void) {
  struct scene scene;
  if (!begin(&scene)) {
    return;
  }
  CU_ASSERT_TRUE(conn_is(&scene, "a", "state", value_string("leased")));
  CU_ASSERT_TRUE(conn_is(&scene, scene.a->record.conn, "state", value_string("leased")));
  CU_ASSERT_TRUE(conn_is(&scene, "a", "account", value_integer(99)));
  CU_ASSERT_TRUE(conn_is(&scene, "pinned", "state", value_string("idle")));
  CU_ASSERT_TRUE(conn_is(&scene, "pinned", "pins", value_integer(1)));
  CU_ASSERT_TRUE(conn_is(&scene, "pinned", "waiters", value_integer(0)));
  CU_ASSERT_TRUE(conn_is(&scene, "pinned", "account", value_integer(7)));
  CU_ASSERT_TRUE(conn_is(&scene, "nobody", "state", value_string("absent")));
  CU_ASSERT_TRUE(conn_is(&scene, "nobody", "pins", value_integer(0)));
  CU_ASSERT_FALSE(conn_is(&scene, "nobody", "account", value_integer(99)));
  CU_ASSERT_PTR_NOT_NULL(strstr(scene.run.judgement.message,
                                "found     account = absent (state absent, no conn of this id was "
                                "ever in the pool, at 20ms)\n"));
  wsp_lease_release(scene.a->lease, 20 * MS);
  CU_ASSERT_TRUE(conn_is(&scene, "a", "state", value_string("idle")));
  CU_ASSERT_TRUE(wsp_evict(scene.fakes.pool, 20 * MS, 99, scene.a->record.conn));
  CU_ASSERT_TRUE(conn_is(&scene, "a", "state", value_string("closed")));
  CU_ASSERT_TRUE(conn_is(&scene, "a", "pins", value_integer(0)));
  end(&scene);
}

static void a_label_without_a_conn_names_none(void) {
  struct scene scene;
  if (!begin(&scene)) {
    return;
  }
  expect_fixture_start(&scene.run, "b", REP_OP_ACQUIRE, 15 * MS);
  CU_ASSERT_TRUE(conn_is(&scene, "b", "state", value_string("absent")));
  CU_ASSERT_FALSE(conn_is(&scene, "b", "state", value_string("idle")));
  const char *expected =
      "expected  conn b (no conn): state = idle\n"
      "found     state = absent (the operation has no conn, at 20ms)\n"
      "timeline  (";
  CU_ASSERT_NSTRING_EQUAL(scene.run.judgement.message, expected, strlen(expected));
  end(&scene);
}

static void a_conn_id_of_several_accounts_means_the_account_that_is_expected(void) {
  struct scene scene;
  if (!begin(&scene)) {
    return;
  }
  static const struct {
    int64_t account;
    const char *state;
  } cases[] = {{7, "idle"}, {99, "closed"}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct scn_expectation expectation = {
        .kind = SCN_EXPECT_CONN,
        .subject = "stale",
        FIELDS(FIELD("account", TEST(SCN_EQ, value_integer(cases[i].account))),
               FIELD("state", TEST(SCN_EQ, value_string(cases[i].state))))};
    CU_ASSERT_TRUE(expect_holds(&scene.run, &expectation));
  }
  /* Nothing said about the account: the one that is there. */
  CU_ASSERT_TRUE(conn_is(&scene, "stale", "state", value_string("idle")));
  CU_ASSERT_FALSE(conn_is(&scene, "stale", "state", value_string("closed")));
  CU_ASSERT_STRING_EQUAL(
      scene.run.judgement.message,
      "expected  conn stale: state = closed\n"
      "found     state = idle (account 7, at 20ms)\n"
      "timeline  (1 event that touches it)\n"
      "         0s  conn_opened        account=7 conn=stale reason=adopted age=0s idle=0s "
      "age_limit=1h0m0s url=" NAMED_URL);
  end(&scene);
}

static void an_upstream_has_its_counters(void) {
  struct scene scene;
  if (!begin(&scene)) {
    return;
  }
  const enum scn_expectation_kind kind = SCN_EXPECT_UPSTREAM;
  CU_ASSERT_TRUE(is(&scene, kind, "default", "dials", value_integer(1)));
  CU_ASSERT_TRUE(is(&scene, kind, "default", "open", value_integer(1)));
  CU_ASSERT_TRUE(is(&scene, kind, "default", "max_concurrent_pings", value_integer(0)));
  CU_ASSERT_TRUE(is(&scene, kind, NAMED_URL, "dials", value_integer(0)));
  CU_ASSERT_TRUE(is(&scene, kind, NAMED_URL, "open", value_integer(2)));
  CU_ASSERT_FALSE(is(&scene, kind, "default", "dials", value_integer(2)));
  CU_ASSERT_STRING_EQUAL(scene.run.judgement.actual, "dials = 1");
  const char *expected =
      "expected  upstream default: dials = 2\n"
      "found     dials = 1\n"
      "timeline  (";
  const char *message = scene.run.judgement.message;
  CU_ASSERT_NSTRING_EQUAL(message, expected, strlen(expected));
  /* The dial is followed from its URL to its end and to its conn; the other upstream's are not. */
  CU_ASSERT_PTR_NOT_NULL(strstr(message, "       0s  dial_started "));
  CU_ASSERT_PTR_NOT_NULL(strstr(message, "      5ms  dial_succeeded "));
  CU_ASSERT_PTR_NOT_NULL(strstr(message, "      5ms  conn_opened "));
  CU_ASSERT_PTR_NULL(strstr(message, "stale"));
  end(&scene);
}

static void an_upstream_that_is_not_defined_fails(void) {
  struct scene scene;
  if (!begin(&scene)) {
    return;
  }
  CU_ASSERT_FALSE(is(&scene, SCN_EXPECT_UPSTREAM, "wss://x", "dials", value_integer(0)));
  CU_ASSERT_STRING_EQUAL(scene.run.judgement.actual, "not defined");
  const char *expected =
      "expected  upstream wss://x to be defined\n"
      "found     no upstream of this name; there are: default, " NAMED_URL "\n";
  CU_ASSERT_NSTRING_EQUAL(scene.run.judgement.message, expected, strlen(expected));
  end(&scene);
}

static void sql_gives_one_value_of_the_rows(void) {
  struct scene scene;
  if (!begin(&scene)) {
    return;
  }
  const enum scn_expectation_kind kind = SCN_EXPECT_SQL;
  CU_ASSERT_TRUE(is(&scene, kind, "select count(*) from event where kind = 'dial_started'", "value",
                    value_integer(1)));
  CU_ASSERT_TRUE(
      is(&scene, kind, "select ended_ns from op where label = 'a'", "value", value_string("5ms")));
  CU_ASSERT_STRING_EQUAL(scene.run.judgement.actual, "5000000");
  CU_ASSERT_TRUE(is(&scene, kind, "select 0.25", "value", value_decimal(250000000)));
  CU_ASSERT_TRUE(is(&scene, kind, "select kind from op", "value", value_string("acquire")));
  CU_ASSERT_TRUE(is(&scene, kind, "select null", "value", value_null()));
  CU_ASSERT_FALSE(is(&scene, kind, "select null", "value", value_integer(0)));
  CU_ASSERT_FALSE(is(&scene, kind, "select\n  '5'", "value", value_integer(5)));
  const char *expected =
      "expected  sql select '5' = 5\n"
      "found     \"5\"\n"
      "timeline  (";
  CU_ASSERT_NSTRING_EQUAL(scene.run.judgement.message, expected, strlen(expected));
  CU_ASSERT_FALSE(is(&scene, kind, "selec 1", "value", value_integer(1)));
  CU_ASSERT_NSTRING_EQUAL(scene.run.judgement.actual, "error: ", 7);
  expected =
      "expected  sql selec 1 = 1\n"
      "found     no value: ";
  CU_ASSERT_NSTRING_EQUAL(scene.run.judgement.message, expected, strlen(expected));
  end(&scene);
}

CU_TestInfo suite_expect_state[] = {
    {"a metric is found by its name", a_metric_is_found_by_its_name},
    {"an account has its counts", an_account_has_its_counts},
    {"a conn is found by id or label", a_conn_is_found_by_id_or_label},
    {"a label without a conn names none", a_label_without_a_conn_names_none},
    {"a conn id of several accounts means the account that is expected",
     a_conn_id_of_several_accounts_means_the_account_that_is_expected},
    {"an upstream has its counters", an_upstream_has_its_counters},
    {"an upstream that is not defined fails", an_upstream_that_is_not_defined_fails},
    {"SQL gives one value of the rows", sql_gives_one_value_of_the_rows},
    CU_TEST_INFO_NULL};
