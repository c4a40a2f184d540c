/*
 * merge.h - the databases of shards, as one.
 */
#ifndef REPORTS_MERGE_H
#define REPORTS_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rep_merge_end {
  REP_MERGE_DONE,
  REP_MERGE_REFUSED, /* shards are missing, or do not agree */
  REP_MERGE_FAILED   /* a database could not be read or written */
};

struct rep_merged {
  int64_t plans;     /* that were merged, each to one run */
  int64_t scenarios; /* in them */
  int64_t repeated;  /* results that were there more than once, and agreed */
  int64_t left_out;  /* runs that were stopped before their end */
};

/* Writes the runs of `paths`, and of `output` if that exists, to `output`: all runs of one plan
 * become one, with its scenarios in the order in which one unsharded run has them. What is there
 * more than once is taken once. Refuses when a plan's shards are not all there, were made by
 * different versions, or have different results for the same scenario; `message` says which.
 * `output` is replaced as a whole or not at all. */
enum rep_merge_end rep_merge(const char *output, const char *const *paths, size_t count,
                             struct rep_merged *merged, char *message, size_t size);

#endif
