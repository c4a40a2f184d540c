/*
 * metrics.h - the metric rows of a run: the final values, and samples of the accounts before.
 *
 * The gauges of every account that the scenario names (conns, idle, leased, waiting, creating)
 * are sampled at multiples of an interval of virtual time, beginning with 1 ms, where something
 * has changed since the sample before. When there are 128 samples (fewer with many accounts),
 * every other one is dropped and the interval doubles, so a run of any length keeps a modest and
 * evenly spread number. Sampling changes nothing and is no event.
 */
#ifndef ENGINE_METRICS_H
#define ENGINE_METRICS_H

#include "scenarios/engine/world.h"

/* NULL: no memory. */
struct scn_samples *scn_samples_create(struct scn_world *world);

/* Called before the clock moves from `world->now` to `until`: takes the sample that falls in
 * between, if one does. */
void scn_samples_take(struct scn_world *world, wsp_time until);

/* All rows: the samples, then the values at `world->now`. The array is in the arena, its size in
 * bytes is `*size`. False: no memory. */
bool scn_metrics_rows(struct scn_world *world, struct rep_metric **rows, size_t *count,
                      size_t *size);

#endif
