/*
 * metrics_check.h - holds the pool's metrics against its timeline: they must tell the same.
 */
#ifndef ENGINE_METRICS_CHECK_H
#define ENGINE_METRICS_CHECK_H

#include "pool/wspool.h"
#include "sim/trace.h"

/* The metrics as the timeline alone gives them. `*complete` is false when an acquire that has
 * queued has not ended: its wait is in no event yet. */
void scn_metrics_recompute(const struct sim_trace *trace, struct wsp_metrics *metrics,
                           bool *complete);

/* Compares. True: they are equal (acquire_queue_wait_ms_total only where it is complete). Else
 * `detail` names each metric that differs, what the timeline gives and what the pool says. */
bool scn_metrics_check(const struct sim_trace *trace, const struct wsp_metrics *metrics,
                       char *detail, size_t size);

#endif
