/*
 * plan.h - what a command line names: scenario files, loaded and checked, and what is to be run.
 *
 * Everything is loaded before anything runs. A plan with a problem of severity SCN_ERROR, or with
 * two scenarios of one name, is not to be run.
 */
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include "scenarios/engine/loader.h"

/* One scenario file that is good. */
struct scn_plan_file {
  char *path;
  char *text; /* as it was read */
  struct scn_scenario *scenario;
};

/* One run: a variant of a scenario. */
struct scn_plan_item {
  const struct scn_scenario *scenario;
  const struct scn_variant *variant;
  const char *source; /* the file's text */
};

/* A run that is left out, and why. */
struct scn_plan_skipped {
  const struct scn_scenario *scenario;
  const struct scn_variant *variant;
  char reason[200];
};

/* Zero-filled: empty. */
struct scn_plan {
  struct scn_plan_file *files;
  size_t file_count;
  struct scn_plan_item *items; /* after scn_plan_select() */
  size_t item_count;
  struct scn_plan_skipped *skipped; /* what the pool under test, or a live run, can not do */
  size_t skipped_count;
  size_t files_read; /* good and bad ones */
  size_t bad_files;
};

enum scn_plan_error {
  SCN_PLAN_OK,
  SCN_PLAN_BAD, /* errors were reported */
  SCN_PLAN_NO_MEMORY
};

/* Finds the files of each path (a file; or a folder: every *.json below it but schema.json, in
 * byte order), each file once, and loads them. */
enum scn_plan_error scn_plan_load(struct scn_plan *plan, const char *const *paths,
                                  size_t path_count, const struct scn_load_options *options,
                                  scn_report report, void *context);

struct scn_plan_selection {
  const char *const *tags; /* any of them; none: all scenarios */
  size_t tag_count;
  bool live;              /* leave out what can not be live */
  uint64_t shard, shards; /* shard 1 of 2 takes the runs 1, 3, 5, ...; 0 shards: all */
};

/* The SHA-256 over `what` (the command and those of its options that change results) and over every
 * run that the selection has before the shard is taken: what is equal on all machines that run
 * parts of the same. False: no memory. */
bool scn_plan_sha256(const struct scn_plan *plan, const struct scn_plan_selection *selection,
                     const char *what, char hex[65]);

/* Lists the runs, and apart from them those that ask for more than the pool under test can do, or
 * a live run.
 * `*matched` is how many there are before the shard is taken. False: no memory. */
bool scn_plan_select(struct scn_plan *plan, const struct scn_plan_selection *selection,
                     size_t *matched);

void scn_plan_deinit(struct scn_plan *plan);

#endif
