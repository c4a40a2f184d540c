/*
 * cli_shard.c - reads --shard, and the variables of Slurm's job arrays, of Kubernetes' indexed jobs
 * and of CI jobs that run several times side by side.
 */
#include "scenarios/engine/cli_shard.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A scheduler's variables. Its numbers go up from `first` in steps. */
struct scheduler {
  const char *index, *count;
  const char *first, *step; /* variables; NULL: none */
  uint64_t default_first;
};

static const struct scheduler schedulers[] = {
    {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN",
     "SLURM_ARRAY_TASK_STEP", 1},
    {"JOB_COMPLETION_INDEX", "JOB_COMPLETIONS", NULL, NULL, 0},
    {"CI_NODE_INDEX", "CI_NODE_TOTAL", NULL, NULL, 1},
};

enum { SCHEDULERS = sizeof schedulers / sizeof schedulers[0] };

static int read_option(const struct scn_arguments *arguments, const char *text, uint64_t *shard,
                       uint64_t *shards) {
  char first[32] = "";
  const char *slash = strchr(text, '/');
  if (slash != NULL && (size_t)(slash - text) < sizeof first) {
    memcpy(first, text, (size_t)(slash - text));
  }
  if (slash == NULL || !scn_cli_number(first, shard) || !scn_cli_number(slash + 1, shards) ||
      *shard < 1 || *shard > *shards) {
    return scn_cli_misused(
        arguments, "--shard: expected I/N with I from 1 to N, as in 2/3; found \"%s\"", text);
  }
  return 0;
}

/* A variable that may be missing. False: it is no number. */
static bool read_variable(const char *name, uint64_t fallback, uint64_t *number) {
  const char *text = name == NULL ? NULL : getenv(name);
  *number = fallback;
  return text == NULL || scn_cli_number(text, number);
}

static int read_scheduler(const struct scn_arguments *arguments, const struct scheduler *scheduler,
                          uint64_t *shard, uint64_t *shards) {
  uint64_t index, count, first, step;
  if (getenv(scheduler->count) == NULL) {
    return scn_cli_misused(arguments,
                           "%s is set: expected %s beside it, the number of all parts; found "
                           "nothing; set it, or give --shard I/N (1/1: everything)",
                           scheduler->index, scheduler->count);
  }
  if (!read_variable(scheduler->index, 0, &index) || !read_variable(scheduler->count, 0, &count) ||
      !read_variable(scheduler->first, scheduler->default_first, &first) ||
      !read_variable(scheduler->step, 1, &step) || step == 0 || index < first ||
      (index - first) % step != 0 || (index - first) / step >= count) {
    return scn_cli_misused(arguments,
                           "%s=%s, %s=%s: expected numbers without gaps, as many as there are "
                           "parts, from %" PRIu64 " on%s%s%s; found others; give --shard I/N",
                           scheduler->index, getenv(scheduler->index), scheduler->count,
                           getenv(scheduler->count), scheduler->default_first,
                           scheduler->first == NULL ? "" : " or from ",
                           scheduler->first == NULL ? "" : scheduler->first,
                           scheduler->step == NULL ? "" : " in steps");
  }
  *shard = (index - first) / step + 1;
  *shards = count;
  fprintf(stderr,
          "poolproof %s: shard %" PRIu64 "/%" PRIu64 ", because %s is %s; --shard 1/1 runs all\n",
          arguments->command->name, *shard, *shards, scheduler->index, getenv(scheduler->index));
  return 0;
}

int scn_shard_read(const struct scn_arguments *arguments, uint64_t *shard, uint64_t *shards) {
  const char *text = scn_cli_value(arguments, "--shard");
  const struct scheduler *found = NULL;
  *shard = *shards = 0;
  if (text != NULL) {
    return read_option(arguments, text, shard, shards);
  }
  for (size_t i = 0; i < SCHEDULERS; i++) {
    const char *index = getenv(schedulers[i].index);
    if (index == NULL || index[0] == '\0') {
      continue;
    }
    if (found != NULL) {
      return scn_cli_misused(arguments,
                             "expected the variables of one scheduler; found both %s and %s; give "
                             "--shard I/N",
                             found->index, schedulers[i].index);
    }
    found = &schedulers[i];
  }
  return found == NULL ? 0 : read_scheduler(arguments, found, shard, shards);
}
