/*
 * cli_replay.c - the command replay: repeats a recorded run and shows it.
 *
 * The run goes on in a worker, so that a crash is shown as well; its timeline and its choices lie
 * in memory that is shared.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/engine/cli_pool.h"
#include "scenarios/engine/cli_recorded.h"
#include "scenarios/engine/cli_settings.h"
#include "scenarios/engine/explore.h"
#include "scenarios/engine/replay_view.h"
#include "scenarios/engine/workers.h"
#include "sim/duration.h"

enum { MESSAGE_SIZE = 1024 };

#define MOST_CHOICE_RECORDS (UINT64_C(1) << 25)

struct session {
  const struct scn_arguments *arguments;
  struct scn_recorded_run run;
  struct sim_trace *choices;
  wsp_time until;
  int status;
};

/* ---- In the worker ------------------------------------------------------------------------ */

static void repeat(void *context, struct scn_runner *runner, const struct scn_plan_item *item,
                   struct rep_scenario *result) {
  const struct session *session = context;
  char message[MESSAGE_SIZE];
  scn_runner_keep_choices(runner, session->choices);
  /* That a schedule could not be followed shows in the first event that differs. */
  (void)scn_run_scheduled(runner, item->scenario, item->variant, session->run.replay.schedule,
                          session->run.replay.unjudged, result, message, sizeof message);
}

/* ---- What is said about it ---------------------------------------------------------------- */

/* False after what is wrong was said. */
static bool print_comparison(const struct session *session, const struct rep_scenario *result) {
  struct rep_difference difference;
  char message[MESSAGE_SIZE];
  if (!rep_recorded_compare(session->run.database, session->run.path, session->run.recorded.id,
                            result->trace, &difference, message, sizeof message)) {
    scn_cli_failed(session->arguments, "%s", message);
    return false;
  }
  if (!difference.differs) {
    printf("repeated exactly: %" PRIu64 " events, as recorded\n", difference.event);
  } else {
    bool was_live = strcmp(session->run.recorded.mode, "live") == 0;
    printf("differs from the record at event %" PRIu64
           ": %s\n  recorded  %s\n"
           "  now       %s\n",
           difference.event + 1,
           was_live ? "recorded over real sockets, and now in virtual time"
                    : "the code has changed since",
           difference.recorded_has ? difference.recorded : "(the recorded timeline ends)",
           difference.has ? difference.now : "(the timeline ends)");
  }
  return true;
}

static bool finished(void *context, size_t index, const struct rep_scenario *result) {
  struct session *session = context;
  (void)index;
  const struct scn_replay_view view = {
      .trace = result->trace, .choices = session->choices, .until = session->until};
  scn_recorded_print(&session->run);
  printf("; recorded as %s by poolproof %s\n\n", session->run.recorded.verdict,
         session->run.recorded.version);
  bool shown = scn_replay_print(&view, stdout);
  if (!shown) {
    scn_cli_failed(session->arguments, "out of memory for the timeline; try --until with less");
  }
  printf("\n");
  shown = print_comparison(session, result) && shown;
  printf("verdict now: %s\n", rep_verdict_name(result->verdict));
  if (result->failure != NULL) {
    printf("%s", result->failure);
  }
  session->status = !shown || result->verdict == REP_ERROR ? SCN_EXIT_HARNESS
                    : result->verdict == REP_PASS          ? SCN_EXIT_HELD
                                                           : SCN_EXIT_FAILED;
  return true;
}

static bool always(void *context, size_t count) {
  (void)context;
  (void)count;
  return true;
}

/* ---- The command -------------------------------------------------------------------------- */

static int run_it(struct session *session, wsp_duration wall_limit) {
  char message[MESSAGE_SIZE];
  const struct scn_plan_item item = {.scenario = session->run.replay.scenario,
                                     .variant = &session->run.replay.variant,
                                     .source = session->run.recorded.source};
  const struct scn_workers_options options = {.jobs = 1,
                                              .wall_limit_ns = wall_limit,
                                              .job = {.work = repeat, .context = session},
                                              .done = finished,
                                              .go_on = always,
                                              .context = session};
  session->choices = sim_trace_create(MOST_CHOICE_RECORDS, true);
  if (session->choices == NULL) {
    return scn_cli_failed(session->arguments, "out of memory for the choices");
  }
  enum scn_workers_end end = scn_workers_run(&item, 1, &options, message, sizeof message);
  sim_trace_destroy(session->choices);
  return end == SCN_WORKERS_FAILED ? scn_cli_failed(session->arguments, "%s", message)
                                   : session->status;
}

static int read_until(const struct scn_arguments *arguments, wsp_time *until) {
  const char *text = scn_cli_value(arguments, "--until");
  *until = WSP_TIME_NEVER;
  if (text != NULL && (sim_duration_parse(text, until, NULL) != SIM_DURATION_OK || *until < 0)) {
    return scn_cli_misused(
        arguments, "--until: expected a time from the start, as in 1.5s; found \"%s\"", text);
  }
  return 0;
}

static int replay(const struct scn_arguments *arguments) {
  struct session session = {.arguments = arguments, .status = SCN_EXIT_HARNESS};
  wsp_duration wall_limit = 0;
  int status = read_until(arguments, &session.until);
  if (status == 0) {
    status = scn_settings_wall_limit(arguments, &wall_limit);
  }
  if (status == 0) {
    status = scn_recorded_open(arguments, &session.run);
  }
  if (status == 0) {
    status = run_it(&session, wall_limit);
  }
  scn_recorded_close(&session.run);
  return status;
}

static const struct scn_option options[] = {
    {"--db", "FILE", "the database in which the run was recorded (default poolproof.db)"},
    {"--until", "TIME", "print nothing later than this, as in 1.5s from the start"},
    {"--wall-limit", "D", "real time that the run may take (default 120s)"},
    SCN_OPTION_POOL,
    {0},
};

const struct scn_command scn_command_replay = {
    .name = "replay",
    .arguments = "--db FILE ID [--until TIME]",
    .summary = "run a recorded scenario again, exactly, and print its timeline",
    .details =
        "ID is the number in the database's table scenario; `run` and `explore` tell it for what\n"
        "does not hold. Where several things could have come next, a line says what came, and\n"
        "what else could have. When the run is not the recorded one any more, the first event\n"
        "that differs is told. Exit status: 0 it holds now, 1 it does not.\n",
    .options = options,
    .run = replay,
};
