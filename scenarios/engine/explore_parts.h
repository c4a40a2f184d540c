/*
 * explore_parts.h - what the parts of a search have in common.
 */
#ifndef ENGINE_EXPLORE_PARTS_H
#define ENGINE_EXPLORE_PARTS_H

#include "scenarios/engine/digest.h"
#include "scenarios/engine/explore.h"
#include "scenarios/engine/seen.h"

/* A place to come back to. */
struct scn_place {
  struct sim_snapshot *snapshot; /* NULL: none */
  struct sim_trace_mark mark;
};

struct scn_search {
  struct scn_runner *runner;
  const struct scn_scenario *scenario;
  const struct scn_variant *variant;
  const struct scn_explore_options *options;
  struct rep_exploration *told;
  struct scn_seen schedules;
  uint64_t choices;  /* of the run in insertion order */
  wsp_time duration; /* of that run */

  /* The moment before the first choice of the file's own seed. */
  struct scn_world *world;
  struct scn_place start;

  /* Of the exhaustive search; what has been seen so far lies in the arena. */
  struct scn_sight sight;
  struct scn_seen_so_far *seen_so_far;
  struct scn_seen states;

  /* What ended the search. */
  bool hit, no_memory, differs;
  char *schedule;
  uint64_t seed;
  bool unjudged;
  enum rep_verdict verdict;
  char timeline_sha256[65];
};

/* Judges a run that is over. True: go on searching. */
bool scn_search_judge(struct scn_search *search, struct scn_world *world);

/* Keeps the moment; a place that was kept before is replaced, in its memory. False: no memory. */
bool scn_search_keep(struct scn_search *search, struct scn_world *world, struct scn_place *place);
void scn_search_return(struct scn_search *search, const struct scn_place *place);

/* Counts the events since that place. */
void scn_search_count_events(struct scn_search *search, const struct scn_place *since);

/* Goes through all orders, from the start of the search. */
void scn_search_all(struct scn_search *search);

#endif
