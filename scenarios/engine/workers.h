/*
 * workers.h - runs a plan in worker processes, so that a crash or an endless loop costs one
 * scenario and not the run.
 *
 * The parent hands out one scenario at a time to each worker and takes the results in the order
 * of the plan; only the parent records. A worker's timeline lies in memory that the parent shares,
 * so what a crashed run had done is still to be seen.
 */
#ifndef ENGINE_WORKERS_H
#define ENGINE_WORKERS_H

#include "scenarios/engine/plan.h"
#include "scenarios/engine/run.h"

/* What a worker does with an item of the plan: fills `result` as scn_run() does. `context` is as it
 * was when the workers were started. */
struct scn_job {
  void (*work)(void *context, struct scn_runner *runner, const struct scn_plan_item *item,
               struct rep_scenario *result);
  void *context;
};

struct scn_workers_options {
  size_t jobs;           /* at least 1 */
  int64_t wall_limit_ns; /* of one attempt (run.h); longer is a hang */
  struct scn_job job;
  /* `done` looks at the operations, which are most of a result: else it gets none. */
  bool keeps_ops;
  /* A result, in the order of the plan; `result` (its id is index + 1) lives during the call.
   * False: stop. */
  bool (*done)(void *context, size_t index, const struct rep_scenario *result);
  /* Asked several times a second; false: stop now. */
  bool (*go_on)(void *context, size_t finished);
  void *context;
};

enum scn_workers_end {
  SCN_WORKERS_DONE,
  SCN_WORKERS_STOPPED, /* `done` or `go_on` said so */
  SCN_WORKERS_FAILED   /* `message` says why */
};

enum scn_workers_end scn_workers_run(const struct scn_plan_item *items, size_t count,
                                     const struct scn_workers_options *options, char *message,
                                     size_t size);

#endif
