/*
 * test_pool_config.c - the defaults, what values that stand for a default do, the effective
 * maximum of an account, warnings, and the names of errors and reasons.
 */
#include <string.h>

#include "tests/pool_fixture.h"
#include "tests/suites.h"

static bool same_config(const struct wsp_config *a, const struct wsp_config *b) {
#define SAME(type, name, value) &&a->name == b->name
  return true WSP_CONFIG_LIST(SAME);
#undef SAME
}

static void defaults_are_those_of_the_table(void) {
  struct wsp_config c;
  memset(&c, 0x55, sizeof c);
  wsp_config_init(&c);
  CU_ASSERT_EQUAL(c.max_conns_per_account, 8);
  CU_ASSERT_EQUAL(c.min_idle_per_account, 0);
  CU_ASSERT_EQUAL(c.max_idle_per_account, 4);
  CU_ASSERT_EQUAL(c.queue_limit_per_conn, 256);
  CU_ASSERT_EQUAL(c.pool_target_utilization, 700000000);
  CU_ASSERT_EQUAL(c.prewarm_cooldown, 0);
  CU_ASSERT_EQUAL(c.dial_timeout, 10 * SECOND);
  CU_ASSERT_FALSE(c.dynamic_max_conns_by_account_concurrency_enabled);
  CU_ASSERT_EQUAL(c.oauth_max_conns_factor, WSP_DECIMAL_ONE);
  CU_ASSERT_EQUAL(c.apikey_max_conns_factor, WSP_DECIMAL_ONE);
  CU_ASSERT_FALSE(c.mode_router_v2_enabled);
  CU_ASSERT_EQUAL(c.max_conn_age, 3600 * SECOND);
  CU_ASSERT_EQUAL(c.max_conn_age_jitter, 0);
  CU_ASSERT_EQUAL(c.retire_before_max_age, 0);
  CU_ASSERT_EQUAL(c.health_check_idle, 90 * SECOND);
  CU_ASSERT_EQUAL(c.health_check_timeout, 2 * SECOND);
  CU_ASSERT_EQUAL(c.probe_timeout, 2 * SECOND);
  CU_ASSERT_EQUAL(c.prewarm_extra_delay, 2 * SECOND);
  CU_ASSERT_EQUAL(c.ping_interval, 30 * SECOND);
  CU_ASSERT_EQUAL(c.ping_concurrency, 10);
  CU_ASSERT_EQUAL(c.max_connecting, 0);
  CU_ASSERT_EQUAL(c.prewarm_failure_window, 30 * SECOND);
  CU_ASSERT_EQUAL(c.prewarm_failure_suppress, 2);
}

static void acquire_cleanup_is_shorter_than_the_sweep(void) {
  struct wsp_config c;
  wsp_config_init(&c);
  CU_ASSERT_EQUAL(c.acquire_cleanup_interval, 3 * SECOND);
  CU_ASSERT_EQUAL(c.cleanup_interval, 30 * SECOND);
}

static void queue_limit_has_a_default(void) {
  struct wsp_config c;
  memset(&c, 0, sizeof c);
  wsp_config_normalize(&c);
  CU_ASSERT_EQUAL(c.queue_limit_per_conn, 256);
  c.queue_limit_per_conn = 9;
  wsp_config_normalize(&c);
  CU_ASSERT_EQUAL(c.queue_limit_per_conn, 9);
}

static void zero_means_what_the_table_says(void) {
  struct wsp_config c;
  memset(&c, 0, sizeof c);
  wsp_config_normalize(&c);
  CU_ASSERT_EQUAL(c.max_conns_per_account, 8);
  CU_ASSERT_EQUAL(c.min_idle_per_account, 0);
  CU_ASSERT_EQUAL(c.max_idle_per_account, 0); /* valid: keep none idle */
  CU_ASSERT_EQUAL(c.pool_target_utilization, 700000000);
  CU_ASSERT_EQUAL(c.prewarm_cooldown, 0);
  CU_ASSERT_EQUAL(c.dial_timeout, 10 * SECOND);
  CU_ASSERT_EQUAL(c.oauth_max_conns_factor, WSP_DECIMAL_ONE);
  CU_ASSERT_EQUAL(c.apikey_max_conns_factor, WSP_DECIMAL_ONE);
  CU_ASSERT_EQUAL(c.max_conn_age_jitter, 0);
  CU_ASSERT_EQUAL(c.retire_before_max_age, 0);
  CU_ASSERT_EQUAL(c.ping_interval, 0); /* off */
  CU_ASSERT_EQUAL(c.cleanup_interval, 0);
  CU_ASSERT_EQUAL(c.max_connecting, 0);
}

static void below_zero_means_the_default(void) {
  struct wsp_config c;
  wsp_config_init(&c);
  c.max_conns_per_account = -1;
  c.max_idle_per_account = -1;
  c.queue_limit_per_conn = -1;
  c.pool_target_utilization = -1;
  c.dial_timeout = -1;
  c.oauth_max_conns_factor = -1;
  c.apikey_max_conns_factor = -1;
  wsp_config_normalize(&c);
  struct wsp_config defaults;
  wsp_config_init(&defaults);
  CU_ASSERT(same_config(&c, &defaults));
}

static void utilization_is_in_its_range(void) {
  static const struct {
    wsp_decimal given, used;
  } cases[] = {
      {1, 1}, {WSP_DECIMAL_ONE, WSP_DECIMAL_ONE}, {WSP_DECIMAL_ONE + 1, 700000000}, {0, 700000000}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct wsp_config c;
    wsp_config_init(&c);
    c.pool_target_utilization = cases[i].given;
    wsp_config_normalize(&c);
    CU_ASSERT_EQUAL(c.pool_target_utilization, cases[i].used);
  }
}

static void normalize_is_idempotent(void) {
  struct wsp_config once;
  memset(&once, 0, sizeof once);
  once.queue_limit_per_conn = -4;
  wsp_config_normalize(&once);
  struct wsp_config twice = once;
  wsp_config_normalize(&twice);
  CU_ASSERT(same_config(&once, &twice));
}

static int64_t max_of(const struct wsp_config *config, enum wsp_account_type type,
                      int64_t concurrency) {
  struct wsp_account account = {.id = 1, .type = type, .concurrency = concurrency};
  return wsp_effective_max_conns(config, &account);
}

static void dynamic_maximum_scales_by_account(void) {
  struct wsp_config c;
  memset(&c, 0, sizeof c);
  c.max_conns_per_account = 8;
  c.dynamic_max_conns_by_account_concurrency_enabled = true;
  c.oauth_max_conns_factor = WSP_DECIMAL_ONE;
  c.apikey_max_conns_factor = 600000000;
  CU_ASSERT_EQUAL(max_of(&c, WSP_ACCOUNT_OAUTH, 10), 8);
  CU_ASSERT_EQUAL(max_of(&c, WSP_ACCOUNT_OAUTH, 3), 3);
  CU_ASSERT_EQUAL(max_of(&c, WSP_ACCOUNT_API_KEY, 10), 6);
  CU_ASSERT_EQUAL(max_of(&c, WSP_ACCOUNT_API_KEY, 1), 1);
  CU_ASSERT_EQUAL(max_of(&c, WSP_ACCOUNT_OAUTH, 0), 8);
  CU_ASSERT_EQUAL(max_of(&c, WSP_ACCOUNT_OAUTH, -5), 8);
  CU_ASSERT_EQUAL(wsp_effective_max_conns(&c, NULL), 8);
}

static void disabled_maximum_is_the_cap(void) {
  struct wsp_config c;
  memset(&c, 0, sizeof c);
  c.max_conns_per_account = 8;
  c.oauth_max_conns_factor = WSP_DECIMAL_ONE;
  CU_ASSERT_EQUAL(max_of(&c, WSP_ACCOUNT_OAUTH, 2), 8);
  CU_ASSERT_EQUAL(wsp_effective_max_conns(NULL, NULL), 8);
}

static void router_uses_concurrency(void) {
  struct wsp_config c;
  memset(&c, 0, sizeof c);
  c.mode_router_v2_enabled = true;
  c.max_conns_per_account = 8;
  c.dynamic_max_conns_by_account_concurrency_enabled = true;
  c.oauth_max_conns_factor = 300000000;
  c.apikey_max_conns_factor = 600000000;
  CU_ASSERT_EQUAL(max_of(&c, WSP_ACCOUNT_OAUTH, 20), 20);
  CU_ASSERT_EQUAL(max_of(&c, WSP_ACCOUNT_API_KEY, 0), 0);
  CU_ASSERT_EQUAL(max_of(&c, WSP_ACCOUNT_API_KEY, -1), 0);
  CU_ASSERT_EQUAL(wsp_effective_max_conns(&c, NULL), 8); /* no account: the hard cap */
}

static void factors_are_exact(void) {
  struct wsp_config c;
  memset(&c, 0, sizeof c);
  c.max_conns_per_account = INT64_MAX;
  c.dynamic_max_conns_by_account_concurrency_enabled = true;
  c.oauth_max_conns_factor = 100000000; /* 0.1: 30 * 0.1 is 3 and not a little more */
  CU_ASSERT_EQUAL(max_of(&c, WSP_ACCOUNT_OAUTH, 30), 3);
  CU_ASSERT_EQUAL(max_of(&c, WSP_ACCOUNT_OAUTH, 31), 4);
  c.oauth_max_conns_factor = 1;
  CU_ASSERT_EQUAL(max_of(&c, WSP_ACCOUNT_OAUTH, 1000000000), 1);
  CU_ASSERT_EQUAL(max_of(&c, WSP_ACCOUNT_OAUTH, 1000000001), 2);
  c.oauth_max_conns_factor = 10 * WSP_DECIMAL_ONE;
  CU_ASSERT_EQUAL(max_of(&c, WSP_ACCOUNT_OAUTH, 1000000000), WSP_COUNT_MAX);
  CU_ASSERT_EQUAL(max_of(&c, WSP_ACCOUNT_OAUTH, INT64_MAX), WSP_COUNT_MAX);
  c.oauth_max_conns_factor = INT64_MAX;
  CU_ASSERT_EQUAL(max_of(&c, WSP_ACCOUNT_OAUTH, INT64_MAX), WSP_COUNT_MAX);
}

static void count_warning(void *context, const char *key, const char *sentence) {
  char *keys = context;
  CU_ASSERT(strlen(sentence) > 0);
  strncat(keys, key, 400);
  strncat(keys, ";", 2);
}

static void warnings_name_the_key(void) {
  struct wsp_config c;
  char keys[2000] = "";
  wsp_config_init(&c);
  wsp_config_warn(&c, count_warning, keys);
  CU_ASSERT_STRING_EQUAL(keys, "");
  c.min_idle_per_account = 6;
  wsp_config_warn(&c, count_warning, keys);
  CU_ASSERT_STRING_EQUAL(keys, "min_idle_per_account;");
  keys[0] = '\0';
  wsp_config_init(&c);
  c.max_idle_per_account = 9;
  wsp_config_warn(&c, count_warning, keys);
  CU_ASSERT_STRING_EQUAL(keys, "max_idle_per_account;");
  keys[0] = '\0';
  wsp_config_init(&c);
  c.acquire_cleanup_interval = c.cleanup_interval;
  wsp_config_warn(&c, count_warning, keys);
  CU_ASSERT_STRING_EQUAL(keys, "acquire_cleanup_interval;");
  keys[0] = '\0';
  c.cleanup_interval = 0; /* off: there is nothing to be shorter than */
  wsp_config_warn(&c, count_warning, keys);
  CU_ASSERT_STRING_EQUAL(keys, "");
}

static void errors_have_names_and_texts(void) {
  CU_ASSERT_STRING_EQUAL(wsp_error_name(WSP_OK), "ok");
  CU_ASSERT_STRING_EQUAL(wsp_error_text(WSP_OK), "");
  CU_ASSERT_STRING_EQUAL(wsp_error_name(WSP_DEADLINE_EXCEEDED), "deadline_exceeded");
  CU_ASSERT_STRING_EQUAL(wsp_error_text(WSP_CONN_CLOSED), "connection closed");
  CU_ASSERT_STRING_EQUAL(wsp_error_text(WSP_QUEUE_FULL), "connection queue full");
  CU_ASSERT_STRING_EQUAL(wsp_error_text(WSP_PREFERRED_UNAVAILABLE),
                         "preferred connection unavailable");
  CU_ASSERT_STRING_EQUAL(wsp_error_text(WSP_URL_EMPTY), "ws url is empty");
  CU_ASSERT_STRING_EQUAL(wsp_error_name((enum wsp_error)1000), "");
  CU_ASSERT_STRING_EQUAL(wsp_error_text((enum wsp_error)1000), "");
  CU_ASSERT_STRING_EQUAL(wsp_reason_name(WSP_REASON_NONE), "");
  CU_ASSERT_STRING_EQUAL(wsp_reason_name(WSP_REASON_OUT_OF_MEMORY), "out_of_memory");
}

CU_TestInfo suite_pool_config[] = {
    {"the defaults are those of the table", defaults_are_those_of_the_table},
    {"TestOpenAIWSConnPool_AcquireCleanupInterval: 3 s, shorter than the sweep",
     acquire_cleanup_is_shorter_than_the_sweep},
    {"TestOpenAIWSConnPool_QueueLimitPerConn_DefaultAndConfigured: 256, or what is set",
     queue_limit_has_a_default},
    {"zero is a value or stands for the default, as the table says",
     zero_means_what_the_table_says},
    {"values below the range stand for the default", below_zero_means_the_default},
    {"utilization is in (0, 1]; anything else means 0.7", utilization_is_in_its_range},
    {"normalizing twice is normalizing once", normalize_is_idempotent},
    {"TestOpenAIWSConnPool_EffectiveMaxConnsByAccount: scaled by type, capped, at least 1",
     dynamic_maximum_scales_by_account},
    {"TestOpenAIWSConnPool_EffectiveMaxConnsDisabledFallbackHardCap: the hard cap",
     disabled_maximum_is_the_cap},
    {"TestOpenAIWSConnPool_EffectiveMaxConnsByAccount_ModeRouterV2UsesAccountConcurrency: its "
     "concurrency",
     router_uses_concurrency},
    {"factors are exact decimals and do not overflow", factors_are_exact},
    {"an inconsistent configuration is warned of by key", warnings_name_the_key},
    {"errors and reasons have names and texts", errors_have_names_and_texts},
    CU_TEST_INFO_NULL,
};
