/*
 * expect.h - judges expectations against what a run has shown so far.
 *
 * It reads the timeline, the table of operations and the public state of pool and upstreams, and
 * changes none of them.
 */
#ifndef ENGINE_EXPECT_H
#define ENGINE_EXPECT_H

#include "fakes/fake.h"
#include "reports/recorder.h"
#include "scenarios/engine/operation.h"
#include "scenarios/engine/scenario.h"
#include "sim/pool_interface.h"

/* What can be seen of a run at one moment. */
struct scn_view {
  wsp_time now;
  const struct scn_scenario *scenario;
  const struct wsp_pool *pool;
  const struct sim_pool_interface *pool_calls;
  const struct fake_world *upstreams;
  const struct sim_trace *trace;
  const struct scn_operations *operations;
  /* The scenario's rows so far, for SQL: the caller fills all but what it does not know yet. */
  const struct rep_scenario *(*rows)(void *context);
  void *rows_context;
};

struct scn_judgement {
  bool passed;
  char *actual;  /* what was found, one line */
  char *missed;  /* the fields that do not hold: "ended_at queue_wait"; "": none, or no field */
  char *message; /* of a failure: several lines: what was expected, what was found, the last
                    timeline events that touch it; no file position (the caller knows it) */
};

/* Judges one expectation. The strings are on the heap: scn_judgement_deinit(). False: no memory. */
bool scn_expectation_judge(const struct scn_view *view, const struct scn_expectation *expectation,
                           struct scn_judgement *judgement);
void scn_judgement_deinit(struct scn_judgement *judgement);

/* One line of the timeline for a person: "     70ms  acquire_granted   account=99 conn=oa_ws_99_1
 * op=b queue_wait=60ms reused". Returns the length that it needs. */
size_t scn_event_line(const struct sim_trace *trace, const struct sim_event *event, char *buffer,
                      size_t size);

#endif
