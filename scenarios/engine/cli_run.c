/*
 * cli_run.c - the command run: loads everything, runs it in workers, records, reports.
 */
#define _POSIX_C_SOURCE 200809L
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/junit.h"
#include "scenarios/engine/cli.h"
#include "scenarios/engine/cli_output.h"
#include "scenarios/engine/workers.h"
#include "sim/duration.h"

enum { MESSAGE_SIZE = 1024, DEFAULT_WALL_LIMIT_S = 120, MOST_DEFAULT_JOBS = 8 };

/* What the options say. */
struct settings {
  const char *database; /* NULL: none */
  const char *junit;    /* NULL: none */
  bool quiet;
  struct scn_load_options load;
  size_t jobs;
  wsp_duration wall_limit;
  struct scn_plan_selection selection;
  const char **tags;
};

/* A run under way. */
struct session {
  struct scn_output output;
  struct rep_recorder *recorder; /* NULL: none */
  struct rep_junit *junit;       /* NULL: none */
  char message[MESSAGE_SIZE];    /* why recording failed; "": it did not */
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

/* ---- Options ------------------------------------------------------------------------------ */

static size_t default_jobs(void) {
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  if (processors < 1) {
    return 1;
  }
  return processors > MOST_DEFAULT_JOBS ? MOST_DEFAULT_JOBS : (size_t)processors;
}

static int read_jobs(const struct scn_arguments *arguments, struct settings *settings) {
  const char *text = scn_cli_value(arguments, "--jobs");
  settings->jobs = default_jobs();
  if (text == NULL) {
    return 0;
  }
  uint64_t jobs;
  if (!scn_cli_number(text, &jobs) || jobs < 1 || jobs > 256) {
    return scn_cli_misused(arguments, "--jobs: expected a number from 1 to 256; found \"%s\"",
                           text);
  }
  settings->jobs = (size_t)jobs;
  return 0;
}

static int read_shard(const struct scn_arguments *arguments, struct settings *settings) {
  const char *text = scn_cli_value(arguments, "--shard");
  if (text == NULL) {
    return 0;
  }
  char first[32] = "";
  const char *slash = strchr(text, '/');
  if (slash != NULL && (size_t)(slash - text) < sizeof first) {
    memcpy(first, text, (size_t)(slash - text));
  }
  struct scn_plan_selection *selection = &settings->selection;
  if (slash == NULL || !scn_cli_number(first, &selection->shard) ||
      !scn_cli_number(slash + 1, &selection->shards) || selection->shard < 1 ||
      selection->shard > selection->shards) {
    return scn_cli_misused(
        arguments, "--shard: expected I/N with I from 1 to N, as in 2/3; found \"%s\"", text);
  }
  return 0;
}

static int read_wall_limit(const struct scn_arguments *arguments, struct settings *settings) {
  const char *text = scn_cli_value(arguments, "--wall-limit");
  settings->wall_limit = DEFAULT_WALL_LIMIT_S * WSP_SECOND;
  if (text != NULL && (sim_duration_parse(text, &settings->wall_limit, NULL) != SIM_DURATION_OK ||
                       settings->wall_limit <= 0)) {
    return scn_cli_misused(
        arguments, "--wall-limit: expected a duration over 0, as in 30s; found \"%s\"", text);
  }
  return 0;
}

static int read_seed(const struct scn_arguments *arguments, struct settings *settings) {
  const char *text = scn_cli_value(arguments, "--seed");
  if (text == NULL) {
    return 0;
  }
  settings->load.has_seed = true;
  if (!scn_cli_number(text, &settings->load.seed)) {
    return scn_cli_misused(
        arguments, "--seed: expected a whole number from 0 to 18446744073709551615; found \"%s\"",
        text);
  }
  return 0;
}

static int read_tags(const struct scn_arguments *arguments, struct settings *settings) {
  settings->tags = calloc(arguments->given_count + 1, sizeof *settings->tags);
  if (settings->tags == NULL) {
    return scn_cli_failed(arguments, "out of memory for the options");
  }
  for (size_t i = 0; i < arguments->given_count; i++) {
    if (strcmp(arguments->given[i].option->name, "--tag") == 0) {
      settings->tags[settings->selection.tag_count++] = arguments->given[i].value;
    }
  }
  settings->selection.tags = settings->tags;
  return 0;
}

/* 0, or an exit status after what is wrong was said. */
static int read_settings(const struct scn_arguments *arguments, struct settings *settings) {
  if (scn_cli_has(arguments, "--live")) {
    return scn_cli_misused(arguments,
                           "--live: live runs are not in version %s; leave it out to run in "
                           "virtual time",
                           arguments->version);
  }
  const char *database = scn_cli_value(arguments, "--db");
  bool no_database = scn_cli_has(arguments, "--no-db");
  if (database != NULL && no_database) {
    return scn_cli_misused(arguments, "expected --db or --no-db; found both");
  }
  if (database != NULL && database[0] == '\0') {
    return scn_cli_misused(arguments, "--db: expected a file; found an empty name");
  }
  if (arguments->path_count == 0) {
    return scn_cli_misused(arguments, "expected scenario files or folders; found none");
  }
  settings->database = no_database ? NULL : database != NULL ? database : "poolproof.db";
  settings->junit = scn_cli_value(arguments, "--junit");
  settings->quiet = scn_cli_has(arguments, "--quiet");
  int (*const readers[])(const struct scn_arguments *, struct settings *) = {
      read_seed, read_jobs, read_shard, read_wall_limit, read_tags};
  for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
    int status = readers[i](arguments, settings);
    if (status != 0) {
      return status;
    }
  }
  return 0;
}

/* ---- Running ------------------------------------------------------------------------------ */

static bool scenario_done(void *context, size_t index, const struct rep_scenario *result) {
  struct session *session = context;
  (void)index;
  if (session->recorder != NULL &&
      !rep_recorder_add(session->recorder, result, session->message, sizeof session->message)) {
    return false;
  }
  if (session->junit != NULL) {
    char replay[4096];
    scn_output_replay(session->output.program, result, replay, sizeof replay);
    if (!rep_junit_add(session->junit, result, replay)) {
      snprintf(session->message, sizeof session->message, "out of memory for the JUnit report");
      return false;
    }
  }
  scn_output_result(&session->output, result);
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
static int finish(const struct scn_arguments *arguments, const struct settings *settings,
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
    status = scn_cli_failed(arguments, "%s", message);
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

static int run_plan(const struct scn_arguments *arguments, const struct settings *settings,
                    const struct scn_plan *plan) {
  struct session session = {0};
  char message[MESSAGE_SIZE] = "";
  if (settings->database != NULL) {
    session.recorder = rep_recorder_open(settings->database, arguments->command_line,
                                         arguments->version, message, sizeof message);
    if (session.recorder == NULL) {
      return scn_cli_failed(arguments, "%s", message);
    }
  }
  if (settings->junit != NULL && (session.junit = rep_junit_create()) == NULL) {
    snprintf(session.message, sizeof session.message, "out of memory for the JUnit report");
  }
  scn_output_init(&session.output, arguments->program, settings->quiet, plan);
  watch_signals();
  struct scn_workers_options options = {
      .jobs = settings->jobs,
      .wall_limit_ns = settings->wall_limit,
      .job = scn_run,
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

static int load_and_run(const struct scn_arguments *arguments, const struct settings *settings,
                        struct scn_plan *plan) {
  enum scn_plan_error error = scn_plan_load(plan, arguments->paths, arguments->path_count,
                                            &settings->load, report_errors, NULL);
  if (error == SCN_PLAN_BAD) {
    return scn_cli_bad_files(plan);
  }
  size_t matched;
  if (error == SCN_PLAN_NO_MEMORY || !scn_plan_select(plan, &settings->selection, &matched)) {
    return scn_cli_failed(arguments, "out of memory for the scenarios");
  }
  if (matched == 0) {
    return scn_cli_misused(arguments,
                           "--tag: expected a tag of some scenario; found none among %zu "
                           "(`poolproof list` shows the tags)",
                           plan->file_count);
  }
  return run_plan(arguments, settings, plan);
}

static int run(const struct scn_arguments *arguments) {
  struct settings settings = {0};
  struct scn_plan plan = {0};
  int status = read_settings(arguments, &settings);
  if (status == 0) {
    status = load_and_run(arguments, &settings, &plan);
  }
  scn_plan_deinit(&plan);
  free(settings.tags);
  return status;
}

static const struct scn_option options[] = {
    {"--db", "FILE", "record into this SQLite database (default poolproof.db)"},
    {"--no-db", NULL, "record nothing"},
    {"--seed", "N", "run with this seed, not with the files' own"},
    {"--jobs", "N", "worker processes (default: one for each processor, at most 8)"},
    {"--tag", "T", "only scenarios with this tag; given again: or with that one"},
    {"--shard", "I/N", "only every N-th run, beginning with the I-th"},
    {"--live", NULL, "run against real sockets: not in this version"},
    {"--junit", "FILE", "write a JUnit XML report too"},
    {"--quiet", NULL, "print only failures and the last line"},
    {"--wall-limit", "D", "real time that one scenario may take (default 120s)"},
    {0},
};

const struct scn_command scn_command_run = {
    .name = "run",
    .arguments =
        "[--db FILE | --no-db] [--seed N] [--jobs N] [--tag T] [--shard I/N]\n"
        "           [--live] [--junit FILE] [--quiet] [--wall-limit D] PATH...",
    .summary = "run scenarios, record and print what came of them",
    .details =
        "All files are checked before anything runs. Results do not depend on --jobs.\n"
        "A matrix makes several runs of one file; --seed stands in for its seeds too.\n"
        "Ctrl-C keeps what has been recorded.\n",
    .options = options,
    .run = run,
};
