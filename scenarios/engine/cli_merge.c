/*
 * cli_merge.c - the command merge: the databases of shards, as one.
 */
#include <inttypes.h>
#include <stdio.h>

#include "reports/merge.h"
#include "scenarios/engine/cli.h"

static void print_count(int64_t number, const char *thing) {
  printf("%" PRId64 " %s%s", number, thing, number == 1 ? "" : "s");
}

static int merge(const struct scn_arguments *arguments) {
  char message[2048];
  struct rep_merged merged;
  const char *output = scn_cli_value(arguments, "-o");
  if (output == NULL || output[0] == '\0') {
    return scn_cli_misused(arguments, "expected -o and the database to write; found none");
  }
  if (arguments->path_count == 0) {
    return scn_cli_misused(arguments, "expected the databases of shards; found none");
  }
  switch (rep_merge(output, arguments->paths, arguments->path_count, &merged, message,
                    sizeof message)) {
    case REP_MERGE_DONE:
      break;
    case REP_MERGE_REFUSED:
      (void)scn_cli_failed(arguments, "%s", message);
      return SCN_EXIT_FAILED;
    case REP_MERGE_FAILED:
      return scn_cli_failed(arguments, "%s", message);
  }
  print_count(merged.scenarios, "scenario");
  printf(" of ");
  print_count(merged.plans, "run");
  printf(" in %s", output);
  if (merged.repeated > 0) {
    printf("; %" PRId64 " more than once, all alike", merged.repeated);
  }
  if (merged.left_out > 0) {
    printf("; left out: ");
    print_count(merged.left_out, "run");
    printf(" stopped before the end");
  }
  printf("\n");
  return SCN_EXIT_HELD;
}

static const struct scn_option options[] = {
    {"-o", "DB", "the database to write; if it is there, its runs are merged with the others"},
    {0},
};

const struct scn_command scn_command_merge = {
    .name = "merge",
    .arguments = "-o DB DB...",
    .summary = "the databases of shards, as one",
    .details =
        "Runs that are parts of one plan (the same command, files, variants and seeds) become one\n"
        "run, with the rows that one start without --shard would have written. What is there\n"
        "more than once is taken once, so merging again changes nothing; a run that was stopped\n"
        "before its end does not count.\n"
        "Status 1, and nothing is written: shards are missing, were made by different versions, "
        "or\n"
        "do not agree on a result. What the scenarios' verdicts are does not matter.\n",
    .options = options,
    .run = merge,
};
