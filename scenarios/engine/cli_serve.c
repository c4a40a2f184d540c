/*
 * cli_serve.c - the command serve.
 */
#include <string.h>

#include "scenarios/engine/cli.h"
#include "scenarios/engine/plan.h"
#include "scenarios/engine/serve.h"
#include "sim/duration.h"

enum { MOST_PORT = 65535, MESSAGE_SIZE = 1024 };

static int read_options(const struct scn_arguments *arguments, struct scn_serve_options *options) {
  const char *port = scn_cli_value(arguments, "--port");
  const char *limit = scn_cli_value(arguments, "--for");
  const char *speed = scn_cli_value(arguments, "--speed");
  const char *authority = scn_cli_value(arguments, "--ca");
  uint64_t number = 0;
  *options =
      (struct scn_serve_options){.live.speed = WSP_DECIMAL_ONE,
                                 .authority = authority == NULL ? "poolproof-ca.pem" : authority,
                                 .wall_limit = WSP_TIME_NEVER,
                                 .log = scn_cli_has(arguments, "--quiet") ? NULL : stdout};
  if (port != NULL && (!scn_cli_number(port, &number) || number < 1 || number > MOST_PORT)) {
    return scn_cli_misused(arguments, "--port: expected a number from 1 to 65535; found \"%s\"",
                           port);
  }
  options->port = (int)number;
  if (limit != NULL && (sim_duration_parse(limit, &options->wall_limit, NULL) != SIM_DURATION_OK ||
                        options->wall_limit <= 0)) {
    return scn_cli_misused(arguments, "--for: expected a duration over 0, as in 30s; found \"%s\"",
                           limit);
  }
  if (speed != NULL && !scn_live_read_speed(speed, &options->live.speed)) {
    return scn_cli_misused(arguments,
                           "--speed: expected a factor from 0.001 to 1000000, as in 60; found "
                           "\"%s\"",
                           speed);
  }
  return 0;
}

static void report_errors(void *context, const struct scn_problem *problem) {
  if (problem->severity == SCN_ERROR) {
    scn_cli_report(context, problem);
  }
}

static int serve_file(const struct scn_arguments *arguments, struct scn_serve_options *options,
                      struct scn_plan *plan) {
  char message[MESSAGE_SIZE];
  enum scn_plan_error error =
      scn_plan_load(plan, arguments->paths, arguments->path_count, NULL, report_errors, NULL);
  if (error == SCN_PLAN_BAD) {
    return scn_cli_bad_files(plan);
  }
  if (error == SCN_PLAN_NO_MEMORY) {
    return scn_cli_failed(arguments, "out of memory for the scenario");
  }
  if (plan->file_count != 1) {
    return scn_cli_misused(arguments,
                           "expected one scenario file, whose upstreams to serve; found %zu",
                           plan->file_count);
  }
  const struct scn_scenario *scenario = plan->files[0].scenario;
  options->seed = scenario->variants[0].seed;
  return scn_serve(scenario, options, message, sizeof message)
             ? SCN_EXIT_HELD
             : scn_cli_failed(arguments, "%s", message);
}

static int serve(const struct scn_arguments *arguments) {
  struct scn_serve_options options;
  struct scn_plan plan = {0};
  int status = read_options(arguments, &options);
  if (status != 0) {
    return status;
  }
  if (arguments->path_count == 0) {
    return scn_cli_misused(arguments,
                           "expected one scenario file, whose upstreams to serve; found none");
  }
  status = serve_file(arguments, &options, &plan);
  scn_plan_deinit(&plan);
  return status;
}

static const struct scn_option options[] = {
    {"--ca", "FILE", "write the certificate to trust there (default poolproof-ca.pem)"},
    {"--port", "N", "ports from N on, in the order of the file (default: any that are free)"},
    {"--for", "D", "end after this real time (default: when Ctrl-C is pressed)"},
    {"--speed", "X", "X times as fast as real time (default 1)"},
    {"--quiet", NULL, "print only where the servers are"},
    {0},
};

const struct scn_command scn_command_serve = {
    .name = "serve",
    .arguments = "[--ca FILE] [--port N] [--for D] [--speed X] [--quiet] FILE",
    .summary = "be the upstreams of a scenario, for clients of any kind",
    .details =
        "Each upstream of the file listens on 127.0.0.1, with TLS where its url is one of wss, "
        "and\n"
        "behaves as the file says: latencies, refusals, limits, silence, closes. A message of a\n"
        "client is taken for a question, and answered as a read is. Of the steps, those of kind\n"
        "`upstream` are done at their times. What happens is printed, a line each.\n",
    .options = options,
    .run = serve,
};
