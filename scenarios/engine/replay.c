/*
 * replay.c - finds in a recorded scenario's text the variant that was run.
 */
#include "scenarios/engine/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct scn_variant *find_variant(const struct scn_scenario *scenario,
                                              const char *name) {
  for (size_t i = 0; i < scenario->variant_count; i++) {
    if (strcmp(scenario->variants[i].name, name) == 0) {
      return &scenario->variants[i];
    }
  }
  return NULL;
}

/* The variant as the file has it; else as the file is with --seed, which takes the place of the
 * matrix's seeds. */
static const struct scn_variant *load(const struct rep_recorded *recorded,
                                      struct scn_replay *replay, scn_report report, void *context) {
  const struct scn_load_options ways[] = {{.has_seed = false},
                                          {.has_seed = true, .seed = recorded->seed}};
  const struct scn_variant *variant = NULL;
  for (size_t i = 0; i < sizeof ways / sizeof ways[0] && variant == NULL; i++) {
    scn_scenario_destroy(replay->scenario);
    replay->scenario = scn_scenario_parse(recorded->path, recorded->source,
                                          strlen(recorded->source), &ways[i], report, context);
    if (replay->scenario == NULL) {
      return NULL;
    }
    variant = find_variant(replay->scenario, recorded->variant);
    replay->seed_given = ways[i].has_seed;
  }
  return variant;
}

bool scn_replay_prepare(const struct rep_recorded *recorded, struct scn_replay *replay,
                        scn_report report, void *context, char *message, size_t size) {
  *replay = (struct scn_replay){.schedule = recorded->schedule == NULL ? "" : recorded->schedule};
  const struct scn_variant *variant = load(recorded, replay, report, context);
  if (variant == NULL) {
    if (replay->scenario == NULL) {
      snprintf(message, size,
               "the recorded text of scenario %" PRId64 " cannot be used any more (see above)",
               recorded->id);
    } else {
      snprintf(message, size,
               "expected the variant \"%s\" in the recorded text of scenario %" PRId64
               "; found none of that name",
               recorded->variant, recorded->id);
    }
    scn_replay_deinit(replay);
    return false;
  }
  /* A search runs with seeds of its own too, and does not judge expectations there. */
  bool other_seed = variant->seed != recorded->seed;
  bool crashed = strcmp(recorded->verdict, "crash") == 0; /* before they were judged */
  replay->unjudged =
      recorded->schedule != NULL && recorded->expectations == 0 && (other_seed || !crashed);
  replay->variant = *variant;
  replay->variant_index = (size_t)(variant - replay->scenario->variants);
  replay->variant.seed = recorded->seed;
  return true;
}

void scn_replay_deinit(struct scn_replay *replay) {
  scn_scenario_destroy(replay->scenario);
  *replay = (struct scn_replay){0};
}
