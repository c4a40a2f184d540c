/*
 * cli_explore.c - the command explore: searches the orders of scenarios for one that breaks.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/engine/cli_pool.h"
#include "scenarios/engine/cli_session.h"
#include "scenarios/engine/cli_shard.h"
#include "scenarios/engine/explore.h"
#include "scenarios/engine/faults.h"
#include "scenarios/engine/strategy.h"

enum { DEFAULT_RUNS = 1000, DEFAULT_RUNS_OF_ALL = 100000, DEFAULT_DEPTH = 3 };

static int read_strategy(const struct scn_arguments *arguments,
                         struct scn_explore_options *options) {
  const char *text = scn_cli_value(arguments, "--strategy");
  options->strategy = SCN_RANDOM;
  if (text == NULL) {
    return 0;
  }
  const char *name;
  for (int i = 0; (name = scn_strategy_name((enum scn_strategy)i)) != NULL; i++) {
    if (strcmp(name, text) == 0) {
      options->strategy = (enum scn_strategy)i;
      return 0;
    }
  }
  return scn_cli_misused(arguments, "--strategy: expected random, pct or exhaustive; found \"%s\"",
                         text);
}

/* A number from 1 to `most`; `*number` stays when the option is not given. */
static int read_number(const struct scn_arguments *arguments, const char *name, uint64_t most,
                       uint64_t *number) {
  const char *text = scn_cli_value(arguments, name);
  if (text != NULL && (!scn_cli_number(text, number) || *number < 1 || *number > most)) {
    return scn_cli_misused(arguments,
                           "%s: expected a whole number from 1 to %" PRIu64 "; found \"%s\"", name,
                           most, text);
  }
  return 0;
}

/* "all", "none", or names with commas between them; NULL is none. */
static int read_faults(const struct scn_arguments *arguments, unsigned *faults) {
  const char *text = scn_cli_value(arguments, "--faults");
  *faults = 0;
  if (text == NULL || strcmp(text, "none") == 0) {
    return 0;
  }
  if (strcmp(text, "all") == 0) {
    *faults = SCN_ALL_FAULTS;
    return 0;
  }
  for (const char *at = text;; at++) {
    size_t length = strcspn(at, ",");
    int kind = fake_fault_by_name(at, length);
    if (kind < 0) {
      char names[256] = "";
      for (int i = 0; i < FAKE_FAULT_COUNT; i++) {
        strcat(strcat(names, i == 0 ? "" : ", "), fake_fault_type((enum fake_fault_kind)i)->name);
      }
      return scn_cli_misused(arguments,
                             "--faults: expected all, none, or some of %s, with commas between "
                             "them; found \"%.*s\"",
                             names, (int)length, at);
    }
    *faults |= 1U << kind;
    at += length;
    if (*at == '\0') {
      return 0;
    }
  }
}

static int read_options(const struct scn_arguments *arguments,
                        struct scn_explore_options *options) {
  int status = read_strategy(arguments, options);
  uint64_t depth = DEFAULT_DEPTH;
  options->runs = options->strategy == SCN_EXHAUSTIVE ? DEFAULT_RUNS_OF_ALL : DEFAULT_RUNS;
  if (status == 0) {
    status = read_number(arguments, "--runs", INT64_MAX, &options->runs);
  }
  if (status == 0) {
    status = read_number(arguments, "--depth", SCN_DEEPEST_PCT, &depth);
  }
  options->depth = (size_t)depth;
  const char *seed = scn_cli_value(arguments, "--search-seed");
  if (status == 0 && seed != NULL && !scn_cli_number(seed, &options->seed)) {
    status = scn_cli_misused(arguments,
                             "--search-seed: expected a whole number from 0 to "
                             "18446744073709551615; found \"%s\"",
                             seed);
  }
  options->same_seed = scn_cli_has(arguments, "--same-seed");
  options->pruning = scn_cli_has(arguments, "--check-pruning") ? SCN_PRUNING_CHECKED
                     : scn_cli_has(arguments, "--no-pruning")  ? SCN_NO_PRUNING
                                                               : SCN_PRUNING;
  if (status == 0) {
    status = read_faults(arguments, &options->faults);
  }
  if (status == 0 && options->faults != 0 && options->strategy == SCN_EXHAUSTIVE) {
    status = scn_cli_misused(arguments,
                             "--faults: faults are drawn, and --strategy exhaustive draws nothing; "
                             "leave one of them out");
  }
  return status;
}

static void explore_item(void *context, struct scn_runner *runner, const struct scn_plan_item *item,
                         struct rep_scenario *result) {
  scn_explore(runner, item->scenario, item->variant, context, result);
}

static int explore(const struct scn_arguments *arguments) {
  struct scn_settings settings = {0};
  struct scn_explore_options options = {0};
  int status = scn_settings_read(arguments, &settings);
  if (status == 0) {
    status = read_options(arguments, &options);
  }
  char kind[160];
  snprintf(kind, sizeof kind,
           "explore strategy=%s runs=%" PRIu64 " depth=%zu seed=%" PRIu64 " same_seed=%d",
           scn_strategy_name(options.strategy), options.runs, options.depth, options.seed,
           options.same_seed);
  settings.plan_kind = kind;
  if (status == 0) {
    status = scn_session_run(arguments, &settings,
                             (struct scn_job){.work = explore_item, .context = &options},
                             scn_output_exploration);
  }
  scn_settings_deinit(&settings);
  return status;
}

static const struct scn_option options[] = {
    {"--strategy", "S", "random (default), pct or exhaustive"},
    {"--runs", "N", "at most N runs of each scenario (default 1000; exhaustive: 100000)"},
    {"--depth", "D", "pct: how many things must come in one order (default 3)"},
    {"--search-seed", "N", "another search (default 0)"},
    {"--same-seed", NULL, "vary the order only, never the drawn latencies"},
    {"--faults", "LIST",
     "let faults strike: all, none (default), or with commas between them some of\n"
     "                     drop,stall,reset,slow,duplicate-close,refuse,429"},
    {"--no-pruning", NULL, "exhaustive: go into states that were met before, too"},
    {"--check-pruning", NULL, "the same, and check that what follows them is what followed before"},
    {"--db", "FILE", "record into this SQLite database (default poolproof.db)"},
    {"--no-db", NULL, "record nothing"},
    {"--jobs", "N", "worker processes (default: one for each processor, at most 8)"},
    {"--tag", "T", "only scenarios with this tag; given again: or with that one"},
    {"--shard", "I/N", "only every N-th scenario, beginning with the I-th; `merge` joins them"},
    {"--quiet", NULL, "print only what does not hold and the last line"},
    {"--wall-limit", "D", "real time that one run may take (default 120s)"},
    SCN_OPTION_POOL,
    {0},
};

const struct scn_command scn_command_explore = {
    .name = "explore",
    .arguments =
        "[--strategy random|pct|exhaustive] [--runs N] [--db FILE | --no-db]\n"
        "           [--shard I/N] [--depth D] [--search-seed N] [--same-seed] [--faults LIST]\n"
        "           [--jobs N] [--tag T] [--quiet] [--wall-limit D] PATH...",
    .summary = "vary what happens at once, and look for what breaks",
    .details =
        "A search ends at its first hit, which is run again from its schedule before it is\n"
        "reported. Half of the drawn runs have a seed of their own (other latencies); in them\n"
        "only invariants, hangs and crashes count. So it is once a fault has struck; and after\n"
        "the faults the pool must serve again (the invariant convergence).\n" SCN_SHARD_HELP,
    .options = options,
    .run = explore,
};
