/*
 * workers.c - hands out a plan to workers and takes their results in order.
 *
 * Nothing that is recorded depends on which worker ran what, or on when it was ready. A worker
 * whose turn has not come waits with its result: a timeline is not copied.
 */
#define _POSIX_C_SOURCE 200809L
#include "scenarios/engine/workers.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/worker.h"

enum { MOST_JOBS = 256, POLL_MS = 100, FAILURE_SIZE = 16384 };

struct crew {
  const struct scn_plan_item *items;
  size_t item_count;
  const struct scn_workers_options *options;
  struct scn_worker workers[MOST_JOBS];
  size_t worker_count;
  size_t next_task;
  size_t next_result;
  char *message;
  size_t message_size;
};

static bool start_worker(struct crew *crew, struct scn_worker *worker) {
  if (!scn_worker_start(worker, crew->items, crew->options, crew->workers, crew->worker_count)) {
    snprintf(crew->message, crew->message_size,
             "expected to start a worker process; found: %s; try fewer --jobs", strerror(errno));
    return false;
  }
  return true;
}

static bool start_all(struct crew *crew) {
  for (size_t i = 0; i < crew->worker_count; i++) {
    crew->workers[i].runner = scn_runner_create(true);
    if (crew->workers[i].runner == NULL) {
      snprintf(crew->message, crew->message_size,
               "out of memory for worker %zu of %zu; try fewer --jobs", i + 1, crew->worker_count);
      return false;
    }
  }
  for (size_t i = 0; i < crew->worker_count; i++) {
    if (!start_worker(crew, &crew->workers[i])) {
      return false;
    }
  }
  return true;
}

static void assign_tasks(struct crew *crew) {
  for (size_t i = 0; i < crew->worker_count && crew->next_task < crew->item_count; i++) {
    if (crew->workers[i].state == SCN_WORKER_IDLE) {
      scn_worker_assign(&crew->workers[i], crew->next_task++);
    }
  }
}

/* Waits for a moment or until a running worker says something; gives up the slow ones. */
static void listen_to_workers(struct crew *crew) {
  struct pollfd waiting[MOST_JOBS];
  struct scn_worker *running[MOST_JOBS];
  nfds_t count = 0;
  for (size_t i = 0; i < crew->worker_count; i++) {
    if (crew->workers[i].state == SCN_WORKER_RUNNING) {
      running[count] = &crew->workers[i];
      waiting[count++] = (struct pollfd){.fd = crew->workers[i].socket, .events = POLLIN};
    }
  }
  if (count == 0 || poll(waiting, count, POLL_MS) < 0) {
    return;
  }
  for (nfds_t i = 0; i < count; i++) {
    if (waiting[i].revents != 0) {
      scn_worker_listen(running[i]);
    } else if (scn_worker_is_stuck(running[i], crew->options->wall_limit_ns)) {
      scn_worker_give_up(running[i]);
    }
  }
}

/* The worker that has the next result of the plan ready; NULL: none has. */
static struct scn_worker *next_ready(struct crew *crew) {
  for (size_t i = 0; i < crew->worker_count; i++) {
    struct scn_worker *worker = &crew->workers[i];
    if ((worker->state == SCN_WORKER_FINISHED || worker->state == SCN_WORKER_DIED) &&
        worker->index == crew->next_result) {
      return worker;
    }
  }
  return NULL;
}

static enum scn_workers_end take_result(struct crew *crew, struct scn_worker *worker) {
  char failure[FAILURE_SIZE];
  struct rep_scenario result = {0};
  const struct scn_plan_item *item = &crew->items[worker->index];
  if (!scn_worker_result(worker, item, failure, sizeof failure, &result)) {
    snprintf(crew->message, crew->message_size,
             "%s: expected a result from its worker; found something else (out of memory?)",
             item->scenario->path);
    return SCN_WORKERS_FAILED;
  }
  result.id = (int64_t)worker->index + 1;
  bool go_on = crew->options->done(crew->options->context, worker->index, &result);
  scn_packet_forget(&result);
  crew->next_result++;
  if (!go_on) {
    return SCN_WORKERS_STOPPED;
  }
  if (worker->state == SCN_WORKER_FINISHED) {
    worker->state = SCN_WORKER_IDLE;
    return SCN_WORKERS_DONE;
  }
  worker->state = SCN_WORKER_NONE;
  return crew->next_task == crew->item_count || start_worker(crew, worker) ? SCN_WORKERS_DONE
                                                                           : SCN_WORKERS_FAILED;
}

static enum scn_workers_end run_all(struct crew *crew) {
  while (crew->next_result < crew->item_count) {
    assign_tasks(crew);
    struct scn_worker *ready = next_ready(crew);
    if (ready == NULL) {
      listen_to_workers(crew);
    } else {
      enum scn_workers_end end = take_result(crew, ready);
      if (end != SCN_WORKERS_DONE) {
        return end;
      }
    }
    if (!crew->options->go_on(crew->options->context, crew->next_result)) {
      return SCN_WORKERS_STOPPED;
    }
  }
  return SCN_WORKERS_DONE;
}

/* A worker that did its work and then ends with an error (a leak that a sanitizer found) is not
 * to be passed over in silence. */
static enum scn_workers_end end_all(struct crew *crew, enum scn_workers_end end) {
  for (size_t i = 0; i < crew->worker_count; i++) {
    struct scn_worker *worker = &crew->workers[i];
    int status = scn_worker_end(worker, end != SCN_WORKERS_DONE);
    if (status != 0 && end == SCN_WORKERS_DONE) {
      snprintf(crew->message, crew->message_size,
               "expected that a worker ends well after its last scenario; found exit status %d",
               status);
      end = SCN_WORKERS_FAILED;
    }
    scn_bytes_deinit(&worker->bytes);
    free(worker->schedule);
    scn_runner_destroy(worker->runner);
  }
  return end;
}

enum scn_workers_end scn_workers_run(const struct scn_plan_item *items, size_t count,
                                     const struct scn_workers_options *options, char *message,
                                     size_t size) {
  struct crew *crew = calloc(1, sizeof *crew);
  if (crew == NULL) {
    snprintf(message, size, "out of memory for the workers");
    return SCN_WORKERS_FAILED;
  }
  size_t jobs = options->jobs > MOST_JOBS ? MOST_JOBS : options->jobs;
  crew->items = items;
  crew->item_count = count;
  crew->options = options;
  crew->worker_count = jobs < count ? jobs : count;
  crew->message = message;
  crew->message_size = size;
  enum scn_workers_end end = start_all(crew) ? run_all(crew) : SCN_WORKERS_FAILED;
  end = end_all(crew, end);
  free(crew);
  return end;
}
