/*
 * compare.h - what changed between two recordings: verdicts, timelines, totals and durations.
 *
 * Results are matched by name, variant, seed and mode; of several in one input the latest counts.
 * One that was run in virtual time on one side and live on the other is matched too: then the words
 * of failures (`text` in the detail of events) do not count, since over sockets they are the
 * transport's own.
 * Equal timelines have equal everything, so only those that differ are looked into.
 */
#ifndef REPORTS_COMPARE_H
#define REPORTS_COMPARE_H

#include <stdio.h>

#include "reports/input.h"

/* X(enumerator, heading, whether it is a regression). In the order in which they are told. */
#define REP_CHANGE_LIST(X)                                              \
  X(REP_CHANGE_BROKEN, "passed before, does not now", true)             \
  X(REP_CHANGE_NEW_BAD, "was not there before, does not pass", true)    \
  X(REP_CHANGE_STILL_BAD, "does not pass, as before", false)            \
  X(REP_CHANGE_FIXED, "did not pass before, does now", false)           \
  X(REP_CHANGE_MOVED, "passes as before, with another timeline", false) \
  X(REP_CHANGE_NEW, "was not there before, passes", false)              \
  X(REP_CHANGE_GONE, "was there before, is not now", false)             \
  X(REP_CHANGE_NONE, "passes as before, with the same timeline", false)

enum rep_change {
#define REP_ENUMERATOR(id, heading, regression) id,
  REP_CHANGE_LIST(REP_ENUMERATOR)
#undef REP_ENUMERATOR
      REP_CHANGE_COUNT
};

const char *rep_change_heading(enum rep_change change);

/* A total, or a percentile of a duration, that moved by more than the threshold. */
struct rep_move {
  char name[48]; /* "queue_wait p99", "acquire_total" */
  bool is_duration, is_longer;
  int64_t before, after; /* ns, or a count */
};

enum { REP_MOVES_MOST = 24 };

struct rep_pair {
  const struct rep_item *before, *after; /* NULL: it is not there */
  enum rep_change change;
  bool timeline_differs;
  int64_t event;                            /* the first that differs, from 1 */
  char event_before[256], event_after[256]; /* "" : that timeline ends before it */
  struct rep_move *moves;                   /* on the heap */
  size_t move_count;
};

struct rep_comparison {
  struct rep_pair *pairs; /* by change, then as the later input has them */
  size_t pair_count;
  size_t counts[REP_CHANGE_COUNT];
  size_t longer; /* pairs in which a duration got longer by more than the threshold */
  int threshold_percent;
};

/* Fills `comparison`. False after `message` was filled; deinit it then too. The inputs must live
 * as long. */
bool rep_compare(struct rep_comparison *comparison, const struct rep_input *before,
                 const struct rep_input *after, int threshold_percent, char *message, size_t size);
void rep_comparison_deinit(struct rep_comparison *comparison);

/* Whether something passed before and does not now, or is new and does not pass. */
bool rep_comparison_regressed(const struct rep_comparison *comparison);

/* The comparison in each form, with the names of both sides. */
struct rep_sides {
  const char *before, *after;
};
void rep_comparison_text(FILE *file, const struct rep_comparison *comparison,
                         const struct rep_sides *sides);
void rep_comparison_markdown(FILE *file, const struct rep_comparison *comparison,
                             const struct rep_sides *sides);
void rep_comparison_html(FILE *file, const struct rep_comparison *comparison,
                         const struct rep_sides *sides);

#endif
