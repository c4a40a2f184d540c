/*
 * loader.h - reads a scenario file and refuses what the format does not allow.
 *
 * All mistakes of a file that can be told apart are reported, not only the first; a file with a
 * mistake gives no scenario. Configurations that are accepted but inconsistent give warnings.
 */
#ifndef ENGINE_LOADER_H
#define ENGINE_LOADER_H

#include "scenarios/engine/scenario.h"

enum scn_severity { SCN_WARNING, SCN_ERROR };

/* One mistake: `message` says what was expected and what was found. */
struct scn_problem {
  enum scn_severity severity;
  const char *path;
  struct scn_position position; /* line 0: of the file as a whole */
  const char *message;
};

/* Called for each problem, in the order of the file; pointers live during the call. */
typedef void (*scn_report)(void *context, const struct scn_problem *problem);

struct scn_load_options {
  bool has_seed; /* --seed: in place of the file's seed and of matrix.seed */
  uint64_t seed;
  /* Takes the place of malloc, for tests of what happens without memory; what it gives is freed
   * with free(). NULL: malloc. */
  void *(*allocate)(size_t size);
};

/* Reads and checks the file `path`. Returns the scenario, or NULL after at least one problem of
 * severity SCN_ERROR was reported; errno is ENOMEM then if there was no memory, which is no fault
 * of the file. `options` may be NULL. */
struct scn_scenario *scn_scenario_load(const char *path, const struct scn_load_options *options,
                                       scn_report report, void *context);

/* The same for text in memory; `path` is for messages and for files that it names. */
struct scn_scenario *scn_scenario_parse(const char *path, const char *text, size_t length,
                                        const struct scn_load_options *options, scn_report report,
                                        void *context);

#endif
