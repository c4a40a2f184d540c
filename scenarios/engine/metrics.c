/*
 * metrics.c - the metric rows of a run.
 */
#include "scenarios/engine/metrics.h"

#include "scenarios/engine/live.h"

#include <string.h>

enum { GAUGES = 5, MOST_SAMPLES = 128, MOST_ROWS = 16384, FEWEST_SAMPLES = 4 };

static const char *const gauge_names[GAUGES] = {"conns", "idle", "leased", "waiting", "creating"};

struct scn_samples {
  wsp_time *times;
  int64_t *values; /* of each sample: the gauges of each account */
  size_t width;    /* values of one sample */
  size_t count;
  size_t capacity;
  wsp_duration interval;
  wsp_time due;
};

static void read_gauges(const struct scn_world *world, int64_t account, int64_t values[GAUGES]) {
  struct wsp_account_stats stats;
  world->pool_calls->account_stats(world->pool, account, &stats);
  values[0] = stats.conns;
  values[1] = stats.idle;
  values[2] = stats.leased;
  values[3] = stats.waiting;
  values[4] = stats.creating;
}

struct scn_samples *scn_samples_create(struct scn_world *world) {
  struct scn_samples *samples = sim_arena_zeroed(world->arena, sizeof *samples);
  if (samples == NULL) {
    return NULL;
  }
  samples->width = GAUGES * world->account_count;
  size_t most = samples->width == 0 ? 0 : MOST_ROWS / samples->width;
  samples->capacity = most > MOST_SAMPLES     ? MOST_SAMPLES
                      : most < FEWEST_SAMPLES ? FEWEST_SAMPLES
                                              : most;
  samples->interval = WSP_MILLISECOND;
  samples->times = sim_arena_allocate(world->arena, samples->capacity * sizeof *samples->times);
  samples->values = sim_arena_allocate(
      world->arena, samples->capacity * samples->width * sizeof *samples->values);
  return samples->times == NULL || (samples->values == NULL && samples->width > 0) ? NULL : samples;
}

static int64_t *sample_values(const struct scn_samples *samples, size_t index) {
  return &samples->values[index * samples->width];
}

static void thin_out(struct scn_samples *samples) {
  size_t kept = 0;
  for (size_t i = 0; i < samples->count; i += 2) {
    if (kept != i) {
      samples->times[kept] = samples->times[i];
      memcpy(sample_values(samples, kept), sample_values(samples, i),
             samples->width * sizeof *samples->values);
    }
    kept++;
  }
  samples->count = kept;
  samples->interval = scn_time_after(samples->interval, samples->interval);
}

static bool is_unchanged(const struct scn_samples *samples, size_t index) {
  return index > 0 && memcmp(sample_values(samples, index - 1), sample_values(samples, index),
                             samples->width * sizeof *samples->values) == 0;
}

void scn_samples_take(struct scn_world *world, wsp_time until) {
  struct scn_samples *samples = world->samples;
  if (samples->due >= until || samples->width == 0) {
    return;
  }
  if (samples->count == samples->capacity) {
    thin_out(samples);
  }
  int64_t *values = sample_values(samples, samples->count);
  for (size_t i = 0; i < world->account_count; i++) {
    read_gauges(world, world->accounts[i], &values[i * GAUGES]);
  }
  if (!is_unchanged(samples, samples->count)) {
    samples->times[samples->count++] = samples->due > world->now ? samples->due : world->now;
  }
  wsp_time last = (until - 1) / samples->interval * samples->interval;
  samples->due = scn_time_after(last, samples->interval);
}

/* ---- Rows --------------------------------------------------------------------------------- */

static void add(struct rep_metric *rows, size_t *count, wsp_time at, int64_t account,
                const char *name, int64_t value, bool billionths) {
  rows[(*count)++] = (struct rep_metric){
      .t_ns = at, .account = account, .name = name, .value = value, .billionths = billionths};
}

static void add_gauges(struct rep_metric *rows, size_t *count, const struct scn_world *world,
                       wsp_time at, const int64_t *values) {
  for (size_t i = 0; i < world->account_count; i++) {
    for (size_t g = 0; g < GAUGES; g++) {
      add(rows, count, at, world->accounts[i], gauge_names[g], values[i * GAUGES + g], false);
    }
  }
}

static void add_totals(struct rep_metric *rows, size_t *count, const struct scn_world *world) {
  struct wsp_metrics metrics;
  world->pool_calls->metrics(world->pool, &metrics);
#define ADD_METRIC(name) add(rows, count, world->now, 0, #name, metrics.name, false);
  WSP_METRIC_LIST(ADD_METRIC)
#undef ADD_METRIC
  struct wsp_transport_metrics transport = {0};
  if (world->pool_calls->transport_metrics != NULL) {
    world->pool_calls->transport_metrics(world->pool, &transport);
  }
  add(rows, count, world->now, 0, "proxy_client_cache_hits", transport.proxy_client_cache_hits,
      false);
  add(rows, count, world->now, 0, "proxy_client_cache_misses", transport.proxy_client_cache_misses,
      false);
  add(rows, count, world->now, 0, "transport_reuse_ratio", transport.transport_reuse_ratio, true);
  if (world->live != NULL) {
    struct scn_live_metrics live;
    scn_live_metrics(world, &live);
#define ADD_METRIC(name) add(rows, count, world->now, 0, #name, live.name, false);
    SCN_LIVE_METRIC_LIST(ADD_METRIC)
#undef ADD_METRIC
  }
}

bool scn_metrics_rows(struct scn_world *world, struct rep_metric **rows, size_t *count,
                      size_t *size) {
  const struct scn_samples *samples = world->samples;
#define COUNT_METRIC(name) +1
  const size_t totals = 3 WSP_METRIC_LIST(COUNT_METRIC) SCN_LIVE_METRIC_LIST(COUNT_METRIC);
#undef COUNT_METRIC
  *count = 0;
  *size = ((samples->count + 1) * samples->width + totals) * sizeof **rows;
  *rows = sim_arena_allocate(world->arena, *size);
  if (*rows == NULL) {
    return false;
  }
  for (size_t i = 0; i < samples->count; i++) {
    add_gauges(*rows, count, world, samples->times[i], sample_values(samples, i));
  }
  for (size_t i = 0; i < world->account_count; i++) {
    int64_t values[GAUGES];
    read_gauges(world, world->accounts[i], values);
    for (size_t g = 0; g < GAUGES; g++) {
      add(*rows, count, world->now, world->accounts[i], gauge_names[g], values[g], false);
    }
  }
  add_totals(*rows, count, world);
  return true;
}
