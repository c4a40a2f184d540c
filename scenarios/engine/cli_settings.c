/*
 * cli_settings.c - reads the options of the commands that run scenarios.
 */
#define _POSIX_C_SOURCE 200809L
#include "scenarios/engine/cli_settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scenarios/engine/cli_shard.h"
#include "sim/duration.h"

enum { DEFAULT_WALL_LIMIT_S = 120, MOST_DEFAULT_JOBS = 8 };

static size_t default_jobs(void) {
  long processors = sysconf(_SC_NPROCESSORS_ONLN);
  if (processors < 1) {
    return 1;
  }
  return processors > MOST_DEFAULT_JOBS ? MOST_DEFAULT_JOBS : (size_t)processors;
}

static int read_jobs(const struct scn_arguments *arguments, struct scn_settings *settings) {
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

static int read_shard(const struct scn_arguments *arguments, struct scn_settings *settings) {
  struct scn_plan_selection *selection = &settings->selection;
  return scn_shard_read(arguments, &selection->shard, &selection->shards);
}

int scn_settings_wall_limit(const struct scn_arguments *arguments, wsp_duration *wall_limit) {
  const char *text = scn_cli_value(arguments, "--wall-limit");
  *wall_limit = DEFAULT_WALL_LIMIT_S * WSP_SECOND;
  if (text != NULL &&
      (sim_duration_parse(text, wall_limit, NULL) != SIM_DURATION_OK || *wall_limit <= 0)) {
    return scn_cli_misused(
        arguments, "--wall-limit: expected a duration over 0, as in 30s; found \"%s\"", text);
  }
  return 0;
}

static int read_wall_limit(const struct scn_arguments *arguments, struct scn_settings *settings) {
  return scn_settings_wall_limit(arguments, &settings->wall_limit);
}

/* What a live run may take depends on the scenario's own times. */
#define LIVE_WALL_LIMIT (365 * 24 * 60 * WSP_MINUTE)

static int read_live(const struct scn_arguments *arguments, struct scn_settings *settings) {
  const char *speed = scn_cli_value(arguments, "--speed");
  wsp_decimal *decimal = &settings->live.speed;
  settings->selection.live = scn_cli_has(arguments, "--live");
  *decimal = WSP_DECIMAL_ONE;
  if (settings->selection.live && !scn_live_is_built()) {
    return scn_cli_misused(arguments,
                           "--live: expected a program that was built with libwebsockets; this one "
                           "was built with POOLPROOF_LWS=OFF");
  }
  if (settings->selection.live && scn_cli_value(arguments, "--wall-limit") == NULL) {
    settings->wall_limit = LIVE_WALL_LIMIT;
  }
  if (speed == NULL) {
    return 0;
  }
  if (!settings->selection.live) {
    return scn_cli_misused(arguments,
                           "--speed: expected --live with it; virtual time waits for "
                           "nothing");
  }
  if (strcmp(speed, "max") == 0) {
    *decimal = 0;
  } else if (!scn_live_read_speed(speed, decimal)) {
    return scn_cli_misused(arguments,
                           "--speed: expected a factor from 0.001 to 1000000, as in 60, or max; "
                           "found \"%s\"",
                           speed);
  }
  return 0;
}

static int read_seed(const struct scn_arguments *arguments, struct scn_settings *settings) {
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

static int read_tags(const struct scn_arguments *arguments, struct scn_settings *settings) {
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

int scn_settings_read(const struct scn_arguments *arguments, struct scn_settings *settings) {
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
  int (*const readers[])(const struct scn_arguments *, struct scn_settings *) = {
      read_seed, read_jobs, read_shard, read_wall_limit, read_live, read_tags};
  for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
    int status = readers[i](arguments, settings);
    if (status != 0) {
      return status;
    }
  }
  return 0;
}

void scn_settings_deinit(struct scn_settings *settings) {
  free(settings->tags);
  settings->tags = NULL;
}
