/*
 * needs.c - what a scenario asks of a pool.
 */
#include "scenarios/engine/needs.h"

#include <stdio.h>
#include <string.h>

#define BIT(capability) (UINT64_C(1) << (capability))

/* What a setting needs when it is not as it is by default. An interval of 0 turns its sweep off,
 * which every pool can do that has none. */
static uint64_t of_config(const struct wsp_config *config) {
  struct wsp_config defaults;
  wsp_config_init(&defaults);
  uint64_t needs = 0;
#define UNLESS_DEFAULT(name, capability) \
  if (config->name != defaults.name) {   \
    needs |= BIT(capability);            \
  }
  UNLESS_DEFAULT(min_idle_per_account, SIM_CAN_PREWARM)
  UNLESS_DEFAULT(pool_target_utilization, SIM_CAN_PREWARM)
  UNLESS_DEFAULT(prewarm_cooldown, SIM_CAN_PREWARM)
  UNLESS_DEFAULT(prewarm_extra_delay, SIM_CAN_PREWARM)
  UNLESS_DEFAULT(prewarm_failure_window, SIM_CAN_PREWARM)
  UNLESS_DEFAULT(prewarm_failure_suppress, SIM_CAN_PREWARM)
  UNLESS_DEFAULT(max_idle_per_account, SIM_CAN_SWEEP)
  UNLESS_DEFAULT(probe_timeout, SIM_CAN_SWEEP)
  UNLESS_DEFAULT(ping_concurrency, SIM_CAN_SWEEP)
  UNLESS_DEFAULT(acquire_cleanup_interval, SIM_CAN_SWEEP)
  UNLESS_DEFAULT(queue_limit_per_conn, SIM_CAN_QUEUE_LIMIT)
  UNLESS_DEFAULT(dynamic_max_conns_by_account_concurrency_enabled, SIM_CAN_ACCOUNT_MAXIMUM)
  UNLESS_DEFAULT(mode_router_v2_enabled, SIM_CAN_ACCOUNT_MAXIMUM)
  UNLESS_DEFAULT(oauth_max_conns_factor, SIM_CAN_ACCOUNT_MAXIMUM)
  UNLESS_DEFAULT(apikey_max_conns_factor, SIM_CAN_ACCOUNT_MAXIMUM)
  UNLESS_DEFAULT(max_conn_age, SIM_CAN_AGE)
  UNLESS_DEFAULT(max_conn_age_jitter, SIM_CAN_AGE)
  UNLESS_DEFAULT(retire_before_max_age, SIM_CAN_AGE)
  UNLESS_DEFAULT(health_check_idle, SIM_CAN_HEALTH_CHECK)
  UNLESS_DEFAULT(health_check_timeout, SIM_CAN_HEALTH_CHECK)
  UNLESS_DEFAULT(max_connecting, SIM_CAN_CONNECTING_LIMIT)
#undef UNLESS_DEFAULT
  if ((config->ping_interval != defaults.ping_interval && config->ping_interval != 0) ||
      (config->cleanup_interval != defaults.cleanup_interval && config->cleanup_interval != 0)) {
    needs |= BIT(SIM_CAN_SWEEP);
  }
  return needs;
}

static uint64_t of_acquire(const struct scn_step *step) {
  uint64_t needs = step->force_new_conn ? BIT(SIM_CAN_FORCE_NEW) : 0;
  if (step->conn != NULL || step->force_preferred_conn) {
    needs |= BIT(SIM_CAN_PREFER);
  }
  return needs;
}

static uint64_t of_operation(const struct scn_step *step) {
  switch (step->kind) {
    case SCN_ACQUIRE:
      return of_acquire(step);
    case SCN_WRITE:
    case SCN_READ:
      return BIT(SIM_CAN_IO);
    case SCN_PING:
      return BIT(SIM_CAN_PING);
    case SCN_PIN:
    case SCN_UNPIN:
      return BIT(SIM_CAN_PIN);
    case SCN_MARK_PREWARMED:
    case SCN_ENSURE_TARGET_IDLE:
      return BIT(SIM_CAN_PREWARM);
    case SCN_PING_SWEEP:
    case SCN_CLEANUP_SWEEP:
      return BIT(SIM_CAN_SWEEP);
    case SCN_EVICT:
    case SCN_CLEAR_ACCOUNT:
      return BIT(SIM_CAN_EVICT);
    case SCN_ADOPT:
      return BIT(SIM_CAN_ADOPT);
    default:
      return 0;
  }
}

/* What events, fields and metrics stand for that only some pools have. A word stands for all that
 * begin with it. */
static const struct {
  const char *word;
  enum sim_capability capability;
} words[] = {
    {"prewarm", SIM_CAN_PREWARM},    {"scale_up", SIM_CAN_PREWARM},
    {"target", SIM_CAN_PREWARM},     {"cleanup", SIM_CAN_SWEEP},
    {"scale_down", SIM_CAN_SWEEP},   {"ping_sweep", SIM_CAN_SWEEP},
    {"ping_", SIM_CAN_HEALTH_CHECK}, {"conn_retired", SIM_CAN_AGE},
    {"conn_pinned", SIM_CAN_PIN},    {"conn_unpinned", SIM_CAN_PIN},
    {"pins", SIM_CAN_PIN},           {"read_", SIM_CAN_IO},
    {"write_", SIM_CAN_IO},          {"message_", SIM_CAN_IO},
    {"lease_ping_", SIM_CAN_PING},   {"account_cleared", SIM_CAN_EVICT},
};

static uint64_t of_word(const char *word) {
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    if (strncmp(word, words[i].word, strlen(words[i].word)) == 0) {
      return BIT(words[i].capability);
    }
  }
  return 0;
}

static uint64_t of_patterns(const struct scn_event_pattern *patterns, size_t count) {
  uint64_t needs = 0;
  for (size_t i = 0; i < count; i++) {
    needs |= of_word(patterns[i].kind);
  }
  return needs;
}

static uint64_t of_expectations(const struct scn_expectation *expectations, size_t count) {
  uint64_t needs = 0;
  for (size_t i = 0; i < count; i++) {
    const struct scn_expectation *expectation = &expectations[i];
    needs |= of_patterns(expectation->events, expectation->event_count);
    needs |= expectation->header_count > 0 ? BIT(SIM_CAN_HEADERS) : 0;
    if (expectation->kind == SCN_EXPECT_METRIC) {
      needs |= of_word(expectation->subject);
    }
    if (expectation->kind == SCN_EXPECT_ACCOUNT || expectation->kind == SCN_EXPECT_CONN ||
        expectation->kind == SCN_EXPECT_OP) {
      for (size_t c = 0; c < expectation->comparison_count; c++) {
        needs |= of_word(expectation->comparisons[c].field);
      }
    }
  }
  return needs;
}

static uint64_t of_steps(const struct scn_step *steps, size_t count) {
  uint64_t needs = 0;
  for (size_t i = 0; i < count; i++) {
    needs |= of_operation(&steps[i]);
    needs |= of_expectations(steps[i].expectations, steps[i].expectation_count);
    for (size_t m = 0; m < steps[i].step_count; m++) { /* `together` does not nest */
      needs |= of_operation(&steps[i].steps[m]);
    }
  }
  return needs;
}

uint64_t scn_needs(const struct scn_scenario *scenario, const struct scn_variant *variant) {
  uint64_t needs = of_config(&variant->config);
  needs |= of_steps(scenario->steps, scenario->step_count);
  needs |= of_expectations(scenario->expectations, scenario->expectation_count);
  for (size_t i = 0; i < scenario->load_count; i++) {
    needs |= scenario->loads[i].force_new_conn ? BIT(SIM_CAN_FORCE_NEW) : 0;
    needs |= scenario->loads[i].affinity != SCN_AFFINITY_NONE ? BIT(SIM_CAN_PREFER) : 0;
  }
  return needs;
}

bool scn_needs_more(const struct scn_scenario *scenario, const struct scn_variant *variant,
                    const struct sim_pool_interface *pool, char *reason, size_t size) {
  uint64_t lacking = scn_needs(scenario, variant) & ~pool->capabilities;
  if (lacking == 0) {
    return false;
  }
  size_t length = (size_t)snprintf(reason, size, "the pool %s has no", pool->name);
  const char *separator = " ";
  for (int i = 0; i < SIM_CAPABILITY_COUNT; i++) {
    if ((lacking >> i & 1) != 0 && length < size) {
      length += (size_t)snprintf(reason + length, size - length, "%s%s", separator,
                                 sim_capability_name((enum sim_capability)i));
      separator = ", ";
    }
  }
  return true;
}
