/*
 * replay.h - a recorded run made ready to be run again.
 */
#ifndef ENGINE_REPLAY_H
#define ENGINE_REPLAY_H

#include "reports/recorded.h"
#include "scenarios/engine/loader.h"
#include "scenarios/engine/run.h"

/* Zero-filled: none. */
struct scn_replay {
  struct scn_scenario *scenario; /* from the recorded text */
  struct scn_variant variant;    /* with the recorded seed */
  size_t variant_index;          /* among the scenario's */
  bool seed_given;               /* as with --seed: matrix.seed makes no variants */
  const char *schedule;          /* that of the record; "": insertion order */
  bool unjudged;                 /* its expectations were not judged */
};

/* Loads what `recorded` ran, which must outlive it. Problems of the text go to `report`. False
 * after `message` was filled. */
bool scn_replay_prepare(const struct rep_recorded *recorded, struct scn_replay *replay,
                        scn_report report, void *context, char *message, size_t size);
void scn_replay_deinit(struct scn_replay *replay);

#endif
