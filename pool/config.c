/*
 * config.c - defaults, what values outside the sensible range mean, and the arithmetic of limits.
 */
#include "pool/internal.h"

void wsp_config_init(struct wsp_config *config) {
#define SET_DEFAULT(type, name, value) config->name = value;
  WSP_CONFIG_LIST(SET_DEFAULT)
#undef SET_DEFAULT
}

/* So that sums of times and of counts stay far from the ends of their type. */
static void cut_to_maximum(struct wsp_config *config) {
  wsp_duration *durations[] = {&config->prewarm_cooldown,      &config->dial_timeout,
                               &config->max_conn_age,          &config->max_conn_age_jitter,
                               &config->retire_before_max_age, &config->health_check_idle,
                               &config->health_check_timeout,  &config->probe_timeout,
                               &config->prewarm_extra_delay,   &config->acquire_cleanup_interval,
                               &config->ping_interval,         &config->cleanup_interval,
                               &config->prewarm_failure_window};
  int64_t *counts[] = {&config->max_conns_per_account,   &config->min_idle_per_account,
                       &config->max_idle_per_account,    &config->queue_limit_per_conn,
                       &config->ping_concurrency,        &config->max_connecting,
                       &config->prewarm_failure_suppress};
  for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
    *durations[i] = *durations[i] < WSP_DURATION_MAX ? *durations[i] : WSP_DURATION_MAX;
  }
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    *counts[i] = *counts[i] < WSP_COUNT_MAX ? *counts[i] : WSP_COUNT_MAX;
  }
}

/* Where the table of keys does not say what a value below its range means, zero is taken at its
 * word when that makes sense (ping always, no delay, sweep off), and for the default when it does
 * not (an age limit of nothing, a ping that may take no time). */
void wsp_config_normalize(struct wsp_config *config) {
  struct wsp_config defaults;
  wsp_config_init(&defaults);
#define DEFAULT_UNLESS(condition, name) \
  do {                                  \
    if (!(condition)) {                 \
      config->name = defaults.name;     \
    }                                   \
  } while (0)
  DEFAULT_UNLESS(config->max_conns_per_account > 0, max_conns_per_account);
  DEFAULT_UNLESS(config->min_idle_per_account >= 0, min_idle_per_account);
  DEFAULT_UNLESS(config->max_idle_per_account >= 0, max_idle_per_account);
  DEFAULT_UNLESS(config->queue_limit_per_conn > 0, queue_limit_per_conn);
  DEFAULT_UNLESS(
      config->pool_target_utilization > 0 && config->pool_target_utilization <= WSP_DECIMAL_ONE,
      pool_target_utilization);
  DEFAULT_UNLESS(config->prewarm_cooldown >= 0, prewarm_cooldown);
  DEFAULT_UNLESS(config->dial_timeout > 0, dial_timeout);
  DEFAULT_UNLESS(config->oauth_max_conns_factor > 0, oauth_max_conns_factor);
  DEFAULT_UNLESS(config->apikey_max_conns_factor > 0, apikey_max_conns_factor);
  DEFAULT_UNLESS(config->max_conn_age > 0, max_conn_age);
  DEFAULT_UNLESS(config->max_conn_age_jitter >= 0, max_conn_age_jitter);
  DEFAULT_UNLESS(config->retire_before_max_age >= 0, retire_before_max_age);
  DEFAULT_UNLESS(config->health_check_idle >= 0, health_check_idle);
  DEFAULT_UNLESS(config->health_check_timeout > 0, health_check_timeout);
  DEFAULT_UNLESS(config->probe_timeout > 0, probe_timeout);
  DEFAULT_UNLESS(config->prewarm_extra_delay >= 0, prewarm_extra_delay);
  DEFAULT_UNLESS(config->acquire_cleanup_interval >= 0, acquire_cleanup_interval);
  DEFAULT_UNLESS(config->ping_interval >= 0, ping_interval);
  DEFAULT_UNLESS(config->cleanup_interval >= 0, cleanup_interval);
  DEFAULT_UNLESS(config->ping_concurrency > 0, ping_concurrency);
  DEFAULT_UNLESS(config->max_connecting >= 0, max_connecting);
  DEFAULT_UNLESS(config->prewarm_failure_window >= 0, prewarm_failure_window);
  DEFAULT_UNLESS(config->prewarm_failure_suppress > 0, prewarm_failure_suppress);
#undef DEFAULT_UNLESS
  cut_to_maximum(config);
}

void wsp_config_warn(const struct wsp_config *config,
                     void (*report)(void *context, const char *key, const char *sentence),
                     void *context) {
  struct wsp_config c = *config;
  wsp_config_normalize(&c);
  const struct {
    bool wrong;
    const char *key, *sentence;
  } checks[] = {
      {c.min_idle_per_account > c.max_idle_per_account, "min_idle_per_account",
       "is more than max_idle_per_account; the idle ceiling is then min_idle_per_account"},
      {c.min_idle_per_account > c.max_conns_per_account, "min_idle_per_account",
       "is more than max_conns_per_account; it is cut to what an account may have"},
      {c.max_idle_per_account > c.max_conns_per_account, "max_idle_per_account",
       "is more than max_conns_per_account; it is cut to what an account may have"},
      {c.cleanup_interval > 0 && c.acquire_cleanup_interval >= c.cleanup_interval,
       "acquire_cleanup_interval",
       "is not shorter than cleanup_interval; the background sweep then always comes first"},
      {c.max_conn_age_jitter > c.max_conn_age, "max_conn_age_jitter",
       "is more than max_conn_age; some conns are over age as soon as they enter the pool"},
      {c.retire_before_max_age >= c.max_conn_age, "retire_before_max_age",
       "is not less than max_conn_age; every conn is retired as soon as it enters the pool"},
      {c.max_connecting > c.max_conns_per_account, "max_connecting",
       "is more than max_conns_per_account; it never limits anything"},
      {c.dynamic_max_conns_by_account_concurrency_enabled && c.mode_router_v2_enabled,
       "dynamic_max_conns_by_account_concurrency_enabled",
       "has no effect while mode_router_v2_enabled is true"},
  };
  for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
    if (checks[i].wrong) {
      report(context, checks[i].key, checks[i].sentence);
    }
  }
}

/* ceil(count * factor), exact for count up to 2^63 / factor; saturates beyond. */
static int64_t scale_up(int64_t count, wsp_decimal factor) {
  int64_t whole = count / WSP_DECIMAL_ONE;
  int64_t rest = count % WSP_DECIMAL_ONE;
  if (factor > INT64_MAX / (whole + 1) / 2 || rest > INT64_MAX / factor / 2) {
    return INT64_MAX;
  }
  int64_t product = rest * factor;
  return whole * factor + product / WSP_DECIMAL_ONE + (product % WSP_DECIMAL_ONE != 0);
}

int64_t wsp_config_effective_max(const struct wsp_config *config,
                                 const struct wsp_account *account) {
  if (config->mode_router_v2_enabled && account != NULL) {
    int64_t most = account->concurrency < WSP_COUNT_MAX ? account->concurrency : WSP_COUNT_MAX;
    return most > 0 ? most : 0;
  }
  if (!config->dynamic_max_conns_by_account_concurrency_enabled || account == NULL ||
      account->concurrency <= 0) {
    return config->max_conns_per_account;
  }
  wsp_decimal factor = account->type == WSP_ACCOUNT_OAUTH ? config->oauth_max_conns_factor
                                                          : config->apikey_max_conns_factor;
  int64_t scaled = scale_up(account->concurrency, factor);
  scaled = scaled < 1 ? 1 : scaled;
  return scaled < config->max_conns_per_account ? scaled : config->max_conns_per_account;
}

int64_t wsp_effective_max_conns(const struct wsp_config *config,
                                const struct wsp_account *account) {
  struct wsp_config normalized;
  if (config == NULL) {
    wsp_config_init(&normalized);
  } else {
    normalized = *config;
    wsp_config_normalize(&normalized);
  }
  return wsp_config_effective_max(&normalized, account);
}
