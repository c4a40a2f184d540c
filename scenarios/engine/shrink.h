/*
 * shrink.h - takes away from a scenario what its failure does not need.
 *
 * Steps, loads, accounts, faults and keys are left out, lists in halves first; times, numbers and
 * distributions become smaller and simpler; loads become single steps; choices of the schedule
 * fall back to insertion order, and its faults are left out or last less long. Each is kept when the scenario still fails in the same way, until
 * nothing can be taken away any more. What a candidate does is the oracle's business.
 */
#ifndef ENGINE_SHRINK_H
#define ENGINE_SHRINK_H

#include "scenarios/engine/shrink_tree.h"

/* An acquire of a load, as it was in a run. */
struct scn_arrival {
  char label[256];
  wsp_time at;
  wsp_duration held; /* -1: it was not given back */
};

struct scn_arrivals_seen {
  struct scn_arrival *items; /* on the heap */
  size_t count;
  bool too_many; /* to be written as steps; none are kept */
};

struct scn_shrunk {
  cJSON *tree;
  char *schedule;                /* on the heap; "": insertion order */
  struct scn_arrivals_seen seen; /* of the last run that failed in the same way */
  uint64_t tried, kept;          /* candidates */
};

struct scn_shrink_oracle {
  /* Whether the scenario of `text` fails in the same way, in the order `*schedule` or another.
   * If so, `*schedule` (on the heap) becomes that order, and `*seen` what arrived. */
  bool (*fails)(void *context, const char *text, char **schedule, struct scn_arrivals_seen *seen);
  /* Asked before each candidate; false: that is enough. */
  bool (*go_on)(void *context, const struct scn_shrunk *so_far);
  void *context;
};

/* Makes `shrunk` as small as it gets. False: no memory; `shrunk` is as small as it got. */
bool scn_shrink(struct scn_shrunk *shrunk, const struct scn_shrink_oracle *oracle);

/* A copy of `tree` with its loads as single steps; NULL: no memory, or it has no load. */
cJSON *scn_shrink_unrolled(const cJSON *tree, const struct scn_arrivals_seen *seen);

#endif
