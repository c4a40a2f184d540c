/*
 * cli_run.c - the command run.
 */
#include <stdio.h>

#include "scenarios/engine/cli_pool.h"
#include "scenarios/engine/cli_session.h"
#include "scenarios/engine/cli_shard.h"
#include "scenarios/engine/explore.h"

/* In the order that the file asks for. One that cannot be had is a failure: what the file shows is
 * not shown then. */
static void run_in_order(struct scn_runner *runner, const struct scn_plan_item *item,
                         struct rep_scenario *result) {
  static char failure[1024]; /* lives as long as the result: until the next run */
  char message[512];
  if (!scn_run_scheduled(runner, item->scenario, item->variant, item->scenario->schedule, false,
                         result, message, sizeof message) &&
      result->verdict == REP_PASS) {
    snprintf(
        failure, sizeof failure,
        "%s: fail: %s; look for another one with `explore`, or take the key \"schedule\" out\n",
        item->scenario->path, message);
    result->verdict = REP_FAIL;
    result->failure = failure;
  }
}

static void run_item(void *context, struct scn_runner *runner, const struct scn_plan_item *item,
                     struct rep_scenario *result) {
  const struct scn_settings *settings = context;
  if (settings->selection.live) {
    scn_run_live(runner, item->scenario, item->variant, &settings->live, result);
  } else if (item->scenario->schedule != NULL) {
    run_in_order(runner, item, result);
  } else {
    scn_run(runner, item->scenario, item->variant, result);
  }
}

static int run(const struct scn_arguments *arguments) {
  struct scn_settings settings = {0};
  int status = scn_settings_read(arguments, &settings);
  settings.plan_kind = settings.selection.live ? "run --live" : "run";
  if (status == 0) {
    status = scn_session_run(arguments, &settings,
                             (struct scn_job){.work = run_item, .context = &settings},
                             scn_output_result);
  }
  scn_settings_deinit(&settings);
  return status;
}

static const struct scn_option options[] = {
    {"--db", "FILE", "record into this SQLite database (default poolproof.db)"},
    {"--no-db", NULL, "record nothing"},
    {"--seed", "N", "run with this seed, not with the files' own"},
    {"--jobs", "N", "worker processes (default: one for each processor, at most 8)"},
    {"--tag", "T", "only scenarios with this tag; given again: or with that one"},
    {"--shard", "I/N", "only every N-th run, beginning with the I-th; `merge` joins them"},
    {"--live", NULL, "over real sockets, in real time"},
    {"--speed", "X", "with --live: X times as fast as real time, or max (default 1)"},
    {"--junit", "FILE", "write a JUnit XML report too"},
    {"--quiet", NULL, "print only failures and the last line"},
    {"--wall-limit", "D", "real time that one scenario may take (default 120s)"},
    SCN_OPTION_POOL,
    {0},
};

const struct scn_command scn_command_run = {
    .name = "run",
    .arguments =
        "[--db FILE | --no-db] [--seed N] [--jobs N] [--tag T] [--shard I/N]\n"
        "           [--live [--speed X]] [--junit FILE] [--quiet] [--wall-limit D] PATH...",
    .summary = "run scenarios, record and print what came of them",
    .details =
        "All files are checked before anything runs. Results do not depend on --jobs.\n"
        "A matrix makes several runs of one file; --seed stands in for its seeds too.\n"
        "With --live the upstreams are servers on 127.0.0.1 with TLS, and the pool dials them "
        "with\n"
        "its transport for production. What can not be live is left out, and said. The wall limit\n"
        "is off then unless it is given.\n"
        "Ctrl-C keeps what has been recorded.\n" SCN_SHARD_HELP,
    .options = options,
    .run = run,
};
