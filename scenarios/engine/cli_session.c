/*
 * cli_session.c - a command's run: loads everything, runs it in workers, records, reports.
 */
#define _POSIX_C_SOURCE 200809L
#include "scenarios/engine/cli_session.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "reports/junit.h"

enum { MESSAGE_SIZE = 1024 };

/* A run under way. */
struct session {
  struct scn_output output;
  struct rep_recorder *recorder; /* NULL: none */
  struct rep_junit *junit;       /* NULL: none */
  void (*print)(struct scn_output *output, const struct rep_scenario *result);
  char message[MESSAGE_SIZE]; /* why recording failed; "": it did not */
};

static volatile sig_atomic_t signal_received;

static void remember_signal(int number) {
  signal_received = number;
}

static void watch_signals(void) {
  struct sigaction action = {.sa_handler = remember_signal};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

static bool scenario_done(void *context, size_t index, const struct rep_scenario *result) {
  struct session *session = context;
  (void)index;
  if (session->recorder != NULL &&
      !rep_recorder_add(session->recorder, result, session->message, sizeof session->message)) {
    return false;
  }
  if (session->recorder != NULL) {
    session->output.recorded_id = rep_recorder_scenario_id(session->recorder);
  }
  if (session->junit != NULL) {
    char replay[4096];
    scn_output_replay(session->output.program, result, replay, sizeof replay);
    if (!rep_junit_add(session->junit, result, replay)) {
      snprintf(session->message, sizeof session->message, "out of memory for the JUnit report");
      return false;
    }
  }
  session->print(&session->output, result);
  return true;
}

static bool may_go_on(void *context, size_t finished) {
  struct session *session = context;
  scn_output_progress(&session->output, finished);
  return signal_received == 0;
}

static int exit_status(const struct scn_output *output) {
  if (output->counts[REP_ERROR] > 0) {
    return SCN_EXIT_HARNESS;
  }
  size_t bad = output->counts[REP_FAIL] + output->counts[REP_CRASH] + output->counts[REP_HANG];
  return bad > 0 ? SCN_EXIT_FAILED : SCN_EXIT_HELD;
}

/* Closes the database and writes the reports, whatever the end was. */
static int finish(const struct scn_arguments *arguments, const struct scn_settings *settings,
                  struct session *session, enum scn_workers_end end, const char *why) {
  int status = exit_status(&session->output);
  if (session->message[0] != '\0') {
    status = scn_cli_failed(arguments, "%s", session->message);
  } else if (end == SCN_WORKERS_FAILED) {
    status = scn_cli_failed(arguments, "%s", why);
  }
  char message[MESSAGE_SIZE];
  if (session->recorder != NULL &&
      !rep_recorder_finish(session->recorder, message, sizeof message)) {
    /* After a scenario that could not be written, this has the same reason. */
    status =
        session->message[0] != '\0' ? SCN_EXIT_HARNESS : scn_cli_failed(arguments, "%s", message);
  }
  if (session->junit != NULL &&
      !rep_junit_write(session->junit, settings->junit, message, sizeof message)) {
    status = scn_cli_failed(arguments, "%s", message);
  }
  const char *stopped = NULL;
  if (signal_received != 0) {
    stopped = signal_received == SIGINT ? "SIGINT" : "SIGTERM";
    status = SCN_EXIT_SIGNAL + signal_received;
  }
  scn_output_summary(&session->output, settings->database, stopped);
  return status;
}

/* Which part of which plan this is, so that `merge` can tell what belongs together. */
static bool tell_shard(const struct scn_settings *settings, const struct scn_plan *plan,
                       struct session *session) {
  const struct scn_plan_selection *selection = &settings->selection;
  bool all = selection->shards == 0;
  struct rep_shard shard = {.shard = all ? 1 : selection->shard,
                            .shards = all ? 1 : selection->shards,
                            .runs = plan->item_count};
  if (!scn_plan_sha256(plan, selection, settings->plan_kind, shard.plan_sha256)) {
    snprintf(session->message, sizeof session->message, "out of memory for the plan's hash");
    return false;
  }
  return rep_recorder_set_shard(session->recorder, &shard, session->message,
                                sizeof session->message);
}

static int run_plan(const struct scn_arguments *arguments, const struct scn_settings *settings,
                    const struct scn_plan *plan, struct scn_job job, struct session session) {
  char message[MESSAGE_SIZE] = "";
  if (settings->junit != NULL && !rep_junit_check(settings->junit, message, sizeof message)) {
    return scn_cli_failed(arguments, "%s", message);
  }
  if (settings->database != NULL) {
    session.recorder = rep_recorder_open(settings->database, arguments->command_line,
                                         arguments->version, message, sizeof message);
    if (session.recorder == NULL) {
      return scn_cli_failed(arguments, "%s", message);
    }
  }
  if (session.recorder != NULL && !tell_shard(settings, plan, &session)) {
    (void)rep_recorder_finish(session.recorder, message, sizeof message);
    return scn_cli_failed(arguments, "%s", session.message);
  }
  if (settings->junit != NULL && (session.junit = rep_junit_create()) == NULL) {
    snprintf(session.message, sizeof session.message, "out of memory for the JUnit report");
  }
  scn_output_init(&session.output, arguments->program, settings->quiet, plan);
  session.output.database = settings->database;
  scn_output_skipped(&session.output, plan);
  watch_signals();
  struct scn_workers_options options = {
      .jobs = settings->jobs,
      .wall_limit_ns = settings->wall_limit,
      .job = job,
      .keeps_ops = session.recorder != NULL,
      .done = scenario_done,
      .go_on = may_go_on,
      .context = &session,
  };
  enum scn_workers_end end = SCN_WORKERS_STOPPED;
  if (session.message[0] == '\0') {
    end = scn_workers_run(plan->items, plan->item_count, &options, message, sizeof message);
  }
  int status = finish(arguments, settings, &session, end, message);
  if (session.junit != NULL) {
    rep_junit_destroy(session.junit);
  }
  return status;
}

static void report_errors(void *context, const struct scn_problem *problem) {
  if (problem->severity == SCN_ERROR) {
    scn_cli_report(context, problem);
  }
}

static int load_and_run(const struct scn_arguments *arguments, const struct scn_settings *settings,
                        struct scn_plan *plan, struct scn_job job, struct session session) {
  enum scn_plan_error error = scn_plan_load(plan, arguments->paths, arguments->path_count,
                                            &settings->load, report_errors, NULL);
  if (error == SCN_PLAN_BAD) {
    return scn_cli_bad_files(plan);
  }
  size_t matched;
  if (error == SCN_PLAN_NO_MEMORY || !scn_plan_select(plan, &settings->selection, &matched)) {
    return scn_cli_failed(arguments, "out of memory for the scenarios");
  }
  if (matched == 0 && plan->skipped_count == 0) {
    return scn_cli_misused(arguments,
                           "--tag: expected a tag of some scenario; found none among %zu "
                           "(`poolproof list` shows the tags)",
                           plan->file_count);
  }
  return run_plan(arguments, settings, plan, job, session);
}

int scn_session_run(const struct scn_arguments *arguments, const struct scn_settings *settings,
                    struct scn_job job,
                    void (*print)(struct scn_output *output, const struct rep_scenario *result)) {
  struct scn_plan plan = {0};
  int status = load_and_run(arguments, settings, &plan, job, (struct session){.print = print});
  scn_plan_deinit(&plan);
  return status;
}
