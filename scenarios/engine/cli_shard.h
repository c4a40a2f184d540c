/*
 * cli_shard.h - which part of the runs a start of the program is to do: from --shard, or from what
 * a scheduler has put into the environment.
 */
#ifndef ENGINE_CLI_SHARD_H
#define ENGINE_CLI_SHARD_H

#include "scenarios/engine/cli.h"

/* Lines for the help of the commands that have --shard. */
#define SCN_SHARD_HELP                                                                \
  "Without --shard, the shard is that of a scheduler's variables, if they are set:\n" \
  "SLURM_ARRAY_TASK_ID and _COUNT, JOB_COMPLETION_INDEX and JOB_COMPLETIONS, or\n"    \
  "CI_NODE_INDEX and CI_NODE_TOTAL. It is told on stderr; --shard 1/1 runs everything.\n"

/* `*shards` is 0 when nothing says that there are any. 0, or an exit status after what is wrong was
 * said. */
int scn_shard_read(const struct scn_arguments *arguments, uint64_t *shard, uint64_t *shards);

#endif
