/*
 * worker.h - one worker process: started, given a scenario, listened to, ended.
 */
#ifndef ENGINE_WORKER_H
#define ENGINE_WORKER_H

#include <sys/types.h>

#include "scenarios/engine/packet.h"
#include "scenarios/engine/workers.h"

enum scn_worker_state {
  SCN_WORKER_NONE, /* no process */
  SCN_WORKER_IDLE,
  SCN_WORKER_RUNNING,
  SCN_WORKER_FINISHED, /* its result is here and has not been taken */
  SCN_WORKER_DIED      /* while it ran; what is known of it has not been taken */
};

struct scn_worker {
  enum scn_worker_state state;
  struct scn_runner *runner; /* its timeline is shared */
  pid_t pid;
  int socket;
  size_t index; /* of the plan */
  int64_t started_ns;
  struct scn_bytes bytes; /* of its answer: a length, then a packet */
  uint64_t attempt;       /* the run of its runner that was under way when it was last seen */
  char *schedule;         /* of the run in which it died; NULL: none, or it did not */
  bool too_slow;          /* it was killed for that */
  int status;             /* of waitpid(), when it died */
};

int64_t scn_wall_clock_ns(void);

/* Forks. `others` are closed in the child. False: errno says why. */
bool scn_worker_start(struct scn_worker *worker, const struct scn_plan_item *items,
                      const struct scn_workers_options *options, const struct scn_worker *others,
                      size_t other_count);
/* Hands out the item `index` of the plan. */
void scn_worker_assign(struct scn_worker *worker, size_t index);
/* Reads what there is; the state may become finished or died. */
void scn_worker_listen(struct scn_worker *worker);
/* Whether its current run has taken longer than `limit_ns`; to be asked now and then. */
bool scn_worker_is_stuck(struct scn_worker *worker, int64_t limit_ns);
/* Ends the process of a worker that takes too long. */
void scn_worker_give_up(struct scn_worker *worker);

/* Fills `result` (zero-filled but for id) from a worker that finished or died. Rows are on the
 * heap (scn_packet_forget()), `failure` of a died one lives in `buffer`. False: no memory, or
 * what came was no packet. */
bool scn_worker_result(struct scn_worker *worker, const struct scn_plan_item *item, char *buffer,
                       size_t size, struct rep_scenario *result);

/* Ends the process: lets it end by itself, or kills it. The exit status, -1 when it was killed. */
int scn_worker_end(struct scn_worker *worker, bool kill_it);

#endif
