/*
 * test_pool_model.c - random operations against what must always hold (tests/pool_model.h). Each
 * run is a seed; a failure prints seed, step and the last events, and the same seed fails again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pool_model.h"
#include "tests/suites.h"

#define CONN_CAPACITY 65536
#define SHOWN_EVENTS 40
#define KEPT_EVENTS 4096

/* SplitMix64. */
static uint64_t next_random(uint64_t *state) {
  *state += UINT64_C(0x9e3779b97f4a7c15);
  uint64_t z = *state;
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

uint64_t model_draw(struct model *model, uint64_t below) {
  if (model->choices_left >= 2) {
    uint64_t drawn = (uint64_t)model->choices[0] << 8 | model->choices[1];
    model->choices += 2;
    model->choices_left -= 2;
    return drawn % below;
  }
  return next_random(&model->random) % below;
}

bool model_chance(struct model *model, int percent) {
  return (int)model_draw(model, 100) < percent;
}

void model_fail(struct model *model, const char *what, int64_t found, int64_t expected) {
  if (model->failure == NULL) {
    model->failure = what;
    snprintf(model->detail, sizeof model->detail, "%s: found %lld, expected %lld", what,
             (long long)found, (long long)expected);
  }
}

struct wsp_config model_config(struct model *model) {
  struct wsp_config config;
  wsp_config_init(&config);
  config.max_conns_per_account = 1 + (int64_t)model_draw(model, 5);
  config.min_idle_per_account = model_chance(model, 50) ? 0 : (int64_t)model_draw(model, 4);
  config.max_idle_per_account = (int64_t)model_draw(model, 5);
  config.queue_limit_per_conn = 1 + (int64_t)model_draw(model, 6);
  config.pool_target_utilization = (wsp_decimal)(1 + model_draw(model, 10)) * WSP_DECIMAL_ONE / 10;
  config.prewarm_cooldown = model_chance(model, 70) ? 0 : 500 * MS;
  config.dial_timeout = (1 + (wsp_duration)model_draw(model, 3)) * SECOND;
  config.dynamic_max_conns_by_account_concurrency_enabled = model_chance(model, 30);
  config.oauth_max_conns_factor = (wsp_decimal)(1 + model_draw(model, 15)) * WSP_DECIMAL_ONE / 10;
  config.mode_router_v2_enabled = model_chance(model, 15);
  config.max_conn_age = (2 + (wsp_duration)model_draw(model, 8)) * SECOND;
  config.max_conn_age_jitter = model_chance(model, 50) ? 0 : 1500 * MS;
  config.retire_before_max_age = model_chance(model, 50) ? 0 : 700 * MS;
  config.health_check_idle = model_chance(model, 40) ? 90 * SECOND : 400 * MS;
  config.health_check_timeout = 300 * MS;
  config.probe_timeout = 300 * MS;
  config.prewarm_extra_delay = 200 * MS;
  config.acquire_cleanup_interval = model_chance(model, 50) ? 3 * SECOND : 100 * MS;
  config.ping_interval = model_chance(model, 50) ? 0 : 900 * MS;
  config.cleanup_interval = model_chance(model, 50) ? 0 : 1100 * MS;
  config.ping_concurrency = 1 + (int64_t)model_draw(model, 3);
  config.max_connecting = model_chance(model, 60) ? 0 : 1 + (int64_t)model_draw(model, 3);
  config.prewarm_failure_window = 2 * SECOND;
  wsp_config_normalize(&config);
  return config;
}

/* Takes out what has ended, so that random answers find what has not. */
static void forget_ended(struct rig *rig) {
  size_t kept = 0;
  for (size_t i = 0; i < rig->dial_count; i++) {
    if (!rig->dials[i]->done || i + 3 > rig->dial_count) {
      rig->dials[kept++] = rig->dials[i];
    } else {
      free(rig->dials[i]);
    }
  }
  rig->dial_count = kept;
  kept = 0;
  for (size_t i = 0; i < rig->conn_count; i++) {
    struct stub_conn *conn = rig->conns[i];
    if ((!conn->closed && !conn->dropped) || i + 3 > rig->conn_count) {
      rig->conns[kept++] = conn;
    } else {
      free(conn);
    }
  }
  rig->conn_count = kept;
  if (rig->event_count > KEPT_EVENTS) {
    memmove(rig->events, rig->events + rig->event_count - SHOWN_EVENTS,
            SHOWN_EVENTS * sizeof *rig->events);
    rig->event_count = SHOWN_EVENTS;
  }
}

static const char *const event_names[] = {
#define EVENT_NAME(id, name, cause, v0, v1, v2, t0, t1) name,
    WSP_EVENT_LIST(EVENT_NAME)
#undef EVENT_NAME
};

static void print_failure(const struct model *model) {
  const struct rig *rig = &model->rig;
  printf("\n    seed %llu, step %lld: %s\n", (unsigned long long)model->seed,
         (long long)model->step, model->detail);
  size_t first = rig->event_count > SHOWN_EVENTS ? rig->event_count - SHOWN_EVENTS : 0;
  for (size_t i = first; i < rig->event_count; i++) {
    const struct rig_event *event = &rig->events[i];
    printf("    %12lld us %-20s account %lld conn %s tag %llu cause %d (%lld %lld %lld) %s %s\n",
           (long long)(event->now / 1000), event_names[event->kind], (long long)event->account,
           event->conn, (unsigned long long)event->tag, event->cause, (long long)event->values[0],
           (long long)event->values[1], (long long)event->values[2], event->texts[0],
           event->texts[1]);
  }
}

bool model_run(uint64_t seed, int64_t steps) {
  return model_run_choices(seed, steps, NULL, 0);
}

bool model_run_choices(uint64_t seed, int64_t steps, const unsigned char *choices, size_t count) {
  struct model *model = calloc(1, sizeof *model);
  struct model_conn *conns = calloc(CONN_CAPACITY, sizeof *conns);
  CU_ASSERT_FATAL(model != NULL && conns != NULL);
  model->choices = choices;
  model->choices_left = count;
  model->seed = model->random = seed;
  model->conns = conns;
  struct wsp_config config = model_config(model);
  model_profile_draw(model);
  rig_open(&model->rig, &config);
  model->rig.observe = model_observe;
  model->rig.observe_context = model;
  model->rig.random_value = seed;
  while (model->step < steps && model->failure == NULL) {
    model_step(model);
    forget_ended(&model->rig);
  }
  if (model->failure == NULL && seed % 2 == 0) {
    model_quiet(model);
  }
  if (model->failure == NULL) { /* half of the runs are closed with everything under way */
    model_close(model);
    model_drain(model);
  }
  if (model->failure == NULL) {
    model_check_rest(model);
    MODEL_CHECK(model, model->close_told, "the close is never complete");
  }
  bool held = model->failure == NULL;
  if (!held) {
    print_failure(model);
  }
  rig_close(&model->rig);
  for (size_t i = 0; i < model->acquire_count; i++) {
    free(model->acquires[i]);
  }
  for (size_t i = 0; i < model->io_count; i++) {
    free(model->ios[i]);
  }
  free(model->acquires);
  free(model->ios);
  free(model->conns);
  free(model);
  return held;
}

static void many_runs(void) {
  for (uint64_t seed = 1; seed <= 1500; seed++) {
    CU_ASSERT_FATAL(model_run(seed, 400));
  }
}

static void long_runs(void) {
  for (uint64_t seed = 100001; seed <= 100040; seed++) {
    CU_ASSERT_FATAL(model_run(seed, 4000));
  }
}

CU_TestInfo suite_pool_model[] = {
    {"1500 runs of 400 random operations keep every invariant", many_runs},
    {"40 runs of 4000 random operations keep every invariant", long_runs},
    CU_TEST_INFO_NULL,
};
