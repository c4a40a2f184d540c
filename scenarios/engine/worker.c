/*
 * worker.c - one worker process.
 *
 * It is a fork of the parent that has everything loaded already; a task is the index of a plan's
 * item, an answer is a length and a packet (packet.h). It ends when its socket does.
 */
#define _GNU_SOURCE
#include "scenarios/engine/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "scenarios/engine/expect.h"
#include "scenarios/engine/schedule.h"
#include "scenarios/engine/verdict.h"
#include "sim/duration.h"

enum { LAST_EVENTS = 8, GIVE_UP_MS = 1000 };

int64_t scn_wall_clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * WSP_SECOND + now.tv_nsec;
}

/* ---- The child ---------------------------------------------------------------------------- */

static bool receive_all(int socket, void *data, size_t length) {
  unsigned char *at = data;
  while (length > 0) {
    ssize_t got = recv(socket, at, length, 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return false;
    }
    at += got;
    length -= (size_t)got;
  }
  return true;
}

static bool send_all(int socket, const void *data, size_t length) {
  const unsigned char *at = data;
  while (length > 0) {
    ssize_t sent = send(socket, at, length, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent <= 0) {
      return false;
    }
    at += sent;
    length -= (size_t)sent;
  }
  return true;
}

static bool work_once(const struct scn_worker *worker, const struct scn_plan_item *item,
                      const struct scn_workers_options *options) {
  struct rep_scenario result = {0};
  int64_t started = scn_wall_clock_ns();
  options->job.work(options->job.context, worker->runner, item, &result);
  result.wall_ns = scn_wall_clock_ns() - started;
  if (!options->keeps_ops) {
    result.op_count = 0;
  }
  struct scn_bytes bytes = {0};
  uint64_t length = 0;
  scn_bytes_append(&bytes, &length, sizeof length);
  scn_packet_write(&bytes, &result);
  if (bytes.failed) {
    fprintf(stderr, "%s: a worker has no memory for the result\n", item->scenario->path);
    scn_bytes_deinit(&bytes);
    return false;
  }
  length = bytes.length - sizeof length;
  memcpy(bytes.data, &length, sizeof length);
  bool sent = send_all(worker->socket, bytes.data, bytes.length);
  scn_bytes_deinit(&bytes);
  return sent;
}

/* exit(), not _exit(): sanitizers and coverage have their say at the end. */
_Noreturn static void work(const struct scn_worker *worker, const struct scn_plan_item *items,
                           const struct scn_workers_options *options) {
  signal(SIGINT, SIG_IGN); /* Ctrl-C is for the parent, which ends us */
  signal(SIGTERM, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  scn_crash_watch(&scn_runner_attempt(worker->runner)->crash);
  scn_crash_limit_memory();
  uint64_t index;
  while (receive_all(worker->socket, &index, sizeof index)) {
    if (!work_once(worker, &items[index], options)) {
      scn_crash_ignore();
      exit(EXIT_FAILURE);
    }
  }
  scn_crash_ignore();
  exit(EXIT_SUCCESS);
}

/* ---- The parent --------------------------------------------------------------------------- */

bool scn_worker_start(struct scn_worker *worker, const struct scn_plan_item *items,
                      const struct scn_workers_options *options, const struct scn_worker *others,
                      size_t other_count) {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0) {
    return false;
  }
  fflush(NULL);
  pid_t pid = fork();
  if (pid < 0) {
    int error = errno;
    close(sockets[0]);
    close(sockets[1]);
    errno = error;
    return false;
  }
  if (pid == 0) {
    close(sockets[0]);
    for (size_t i = 0; i < other_count; i++) {
      /* The number of a socket that is closed already may be that of the new one. */
      if (&others[i] != worker && others[i].state != SCN_WORKER_NONE && others[i].socket >= 0) {
        close(others[i].socket);
      }
    }
    worker->socket = sockets[1];
    work(worker, items, options);
  }
  close(sockets[1]);
  worker->socket = sockets[0];
  worker->pid = pid;
  worker->state = SCN_WORKER_IDLE;
  worker->too_slow = false;
  return true;
}

static void await_end(struct scn_worker *worker) {
  close(worker->socket);
  worker->socket = -1;
  while (waitpid(worker->pid, &worker->status, 0) < 0 && errno == EINTR) {}
}

static void has_died(struct scn_worker *worker) {
  await_end(worker);
  worker->state = SCN_WORKER_DIED;
}

void scn_worker_assign(struct scn_worker *worker, size_t index) {
  uint64_t task = index;
  worker->index = index;
  worker->bytes.length = 0;
  free(worker->schedule);
  worker->schedule = NULL;
  /* A death must never be shown with the events of an earlier run. */
  sim_trace_reset(scn_runner_trace(worker->runner));
  scn_runner_attempt(worker->runner)->crash = (struct scn_crash){0};
  worker->started_ns = scn_wall_clock_ns();
  worker->state = SCN_WORKER_RUNNING;
  if (!send_all(worker->socket, &task, sizeof task)) {
    has_died(worker);
  }
}

static bool is_complete(const struct scn_bytes *bytes) {
  uint64_t length;
  if (bytes->length < sizeof length) {
    return false;
  }
  memcpy(&length, bytes->data, sizeof length);
  return bytes->length - sizeof length >= length;
}

void scn_worker_listen(struct scn_worker *worker) {
  unsigned char buffer[65536];
  ssize_t got = recv(worker->socket, buffer, sizeof buffer, MSG_DONTWAIT);
  if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) {
    return;
  }
  if (got <= 0) {
    has_died(worker);
    return;
  }
  scn_bytes_append(&worker->bytes, buffer, (size_t)got);
  if (worker->bytes.failed || is_complete(&worker->bytes)) {
    worker->state = SCN_WORKER_FINISHED;
  }
}

bool scn_worker_is_stuck(struct scn_worker *worker, int64_t limit_ns) {
  uint64_t attempt = scn_runner_attempt(worker->runner)->number;
  int64_t now = scn_wall_clock_ns();
  if (attempt != worker->attempt) {
    worker->attempt = attempt;
    worker->started_ns = now;
  }
  return now - worker->started_ns > limit_ns;
}

void scn_worker_give_up(struct scn_worker *worker) {
  /* Its socket closes when it has told where it is; one that does not listen is just ended. */
  struct pollfd socket = {.fd = worker->socket, .events = POLLRDHUP};
  kill(worker->pid, SIGABRT);
  (void)poll(&socket, 1, GIVE_UP_MS);
  kill(worker->pid, SIGKILL);
  worker->too_slow = true;
  has_died(worker);
}

int scn_worker_end(struct scn_worker *worker, bool kill_it) {
  if (worker->state == SCN_WORKER_NONE) {
    return 0;
  }
  if (worker->state != SCN_WORKER_DIED) {
    if (kill_it) {
      kill(worker->pid, SIGKILL);
    }
    await_end(worker);
  }
  worker->state = SCN_WORKER_NONE;
  return WIFEXITED(worker->status) ? WEXITSTATUS(worker->status) : -1;
}

/* ---- Results ------------------------------------------------------------------------------ */

static void append(char *buffer, size_t size, size_t *length, const char *text) {
  int added = snprintf(buffer + *length, size - *length, "%s", text);
  *length += added < 0 ? 0 : (size_t)added;
  if (*length >= size) {
    *length = size - 1;
  }
}

/* What became of the process, and the last that it did. */
static void describe_end(const struct scn_worker *worker, const struct rep_scenario *result,
                         char *why, size_t size) {
  if (worker->too_slow) {
    char wall[SIM_DURATION_TEXT_SIZE];
    sim_duration_format(result->wall_ns / WSP_MILLISECOND * WSP_MILLISECOND, wall);
    snprintf(why, size, "hang: no result after %s of real time", wall);
  } else if (WIFSIGNALED(worker->status)) {
    bool killed = WTERMSIG(worker->status) == SIGKILL;
    snprintf(why, size, "crash: the process was ended by signal %d (%s)%s",
             WTERMSIG(worker->status), strsignal(WTERMSIG(worker->status)),
             killed ? ", from outside or because the machine had no memory left" : "");
  } else {
    snprintf(why, size, "crash: the process ended with status %d before the scenario did",
             WEXITSTATUS(worker->status));
  }
}

static void describe_death(const struct scn_worker *worker, const struct scn_plan_item *item,
                           const struct rep_scenario *result, char *buffer, size_t size) {
  char why[256];
  char at[SIM_DURATION_TEXT_SIZE];
  sim_duration_format(result->virtual_ns, at);
  describe_end(worker, result, why, sizeof why);
  char line[1024];
  size_t length = 0;
  snprintf(line, sizeof line, "%s: %s, at %s of virtual time; the last events:\n",
           item->scenario->path, why, at);
  append(buffer, size, &length, line);
  uint64_t count = sim_trace_count(result->trace);
  const struct sim_event *events = sim_trace_events(result->trace);
  for (uint64_t i = count > LAST_EVENTS ? count - LAST_EVENTS : 0; i < count; i++) {
    scn_event_line(result->trace, &events[i], line, sizeof line);
    append(buffer, size, &length, "  ");
    append(buffer, size, &length, line);
    append(buffer, size, &length, "\n");
  }
  scn_crash_describe(&scn_runner_attempt(worker->runner)->crash, buffer + length, size - length);
}

/* An explored run that died: in which order it was, and how far the search had come. */
static void tell_attempt(struct scn_worker *worker, struct rep_scenario *result) {
  const struct scn_attempt *attempt = scn_runner_attempt(worker->runner);
  if (!attempt->explored) {
    return;
  }
  worker->schedule = scn_schedule_of_trace(result->trace);
  result->schedule = worker->schedule;
  result->seed = attempt->seed;
  result->exploration = attempt->exploration;
}

bool scn_worker_result(struct scn_worker *worker, const struct scn_plan_item *item, char *buffer,
                       size_t size, struct rep_scenario *result) {
  scn_verdict_begin(item->scenario, item->variant, scn_runner_trace(worker->runner), result);
  result->source = item->source;
  if (scn_runner_attempt(worker->runner)->live) {
    result->mode = "live";
  }
  if (worker->state == SCN_WORKER_FINISHED) {
    const struct scn_bytes *bytes = &worker->bytes;
    return !bytes->failed && scn_packet_read(bytes->data + sizeof(uint64_t),
                                             bytes->length - sizeof(uint64_t), result);
  }
  uint64_t count = sim_trace_count(result->trace);
  result->verdict = worker->too_slow ? REP_HANG : REP_CRASH;
  result->virtual_ns = count == 0 ? 0 : sim_trace_events(result->trace)[count - 1].t_ns;
  result->wall_ns = scn_wall_clock_ns() - worker->started_ns;
  rep_timeline_sha256(result->trace, result->timeline_sha256);
  tell_attempt(worker, result);
  describe_death(worker, item, result, buffer, size);
  result->failure = buffer;
  return true;
}
