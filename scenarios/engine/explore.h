/*
 * explore.h - searches the orders of one scenario for one in which it does not hold.
 *
 * What is a hit: any verdict but `pass`. In runs with the file's own seed the expectations are
 * judged as well; a scenario in which the order decides what happens says so in its expectations.
 * Where another seed was drawn, only what holds in every run counts: invariants, hangs, crashes.
 * So it is from the first fault on; and what hangs then must come loose in the recovery
 * (recovery.h), or it is no hang but a violation of `convergence`.
 * The search ends at the first hit, and the hit is run again from its schedule before it is
 * believed.
 */
#ifndef ENGINE_EXPLORE_H
#define ENGINE_EXPLORE_H

#include "scenarios/engine/run.h"

enum scn_strategy { SCN_RANDOM, SCN_PCT, SCN_EXHAUSTIVE };

/* Whether the exhaustive search goes into a state that it has met before (explore_all.c). */
enum scn_pruning {
  SCN_PRUNING, /* it does not */
  SCN_NO_PRUNING,
  SCN_PRUNING_CHECKED /* it does, and what follows must be what followed the first time */
};

struct scn_explore_options {
  enum scn_strategy strategy;
  uint64_t runs;   /* at most so many */
  uint64_t seed;   /* of the search */
  size_t depth;    /* of PCT */
  bool same_seed;  /* draw no other seeds for the runs */
  unsigned faults; /* which may be armed (faults.h), a bit for each; not of an exhaustive search */
  enum scn_pruning pruning;

  /* Not NULL: the search does not end at a run that does not hold, but shows it and goes on.
   * `result` lives during the call. */
  void (*show)(void *context, const struct rep_scenario *result);
  void *show_context;
};

/* "random", "pct", "exhaustive"; NULL: no such strategy. */
const char *scn_strategy_name(enum scn_strategy strategy);

/* Searches, and fills `result` as scn_run() does: with the hit and its schedule (which lives as
 * long as the rest of the result), or with the run in insertion order when there is none. */
void scn_explore(struct scn_runner *runner, const struct scn_scenario *scenario,
                 const struct scn_variant *variant, const struct scn_explore_options *options,
                 struct rep_scenario *result);

/* Runs in the order and with the faults of `schedule` ("": insertion order, one turn at a time) and
 * fills `result` as
 * scn_run() does. An explored run with another seed than the file's is not judged by its
 * expectations: `unjudged`. False after `message` was filled: the text is no schedule, or the run
 * came to no such choice (`result` is filled then, with the order that was taken). */
bool scn_run_scheduled(struct scn_runner *runner, const struct scn_scenario *scenario,
                       const struct scn_variant *variant, const char *schedule, bool unjudged,
                       struct rep_scenario *result, char *message, size_t size);

#endif
