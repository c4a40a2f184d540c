/*
 * input.h - the databases that a report is made of, and which of their scenarios it shows.
 *
 * Limits: the rows of table `scenario` that are shown are kept in memory (some hundred bytes
 * each, and the text of a failure); everything else is read as a report needs it.
 */
#ifndef REPORTS_INPUT_H
#define REPORTS_INPUT_H

#include <sqlite3.h>

#include "reports/recorder.h"

struct rep_database {
  sqlite3 *handle;
  const char *path; /* the caller's */
};

/* A row of `scenario`. Texts are "" where the row has NULL. */
struct rep_item {
  const struct rep_database *database;
  int64_t id, run_id;
  char *name, *path, *variant, *schedule, *mode, *failure, *timeline_sha256;
  uint64_t seed;
  enum rep_verdict verdict;
  int64_t virtual_ns, wall_ns, events;
  struct rep_exploration exploration; /* the search that recorded it; its strategy is on the heap */
};

/* Which scenarios are shown: those of a run, those with an id, or, when nothing is said, the
 * latest of each path, name, variant and mode in each database. */
struct rep_choice {
  int64_t run; /* 0: not said */
  const int64_t *scenarios;
  size_t scenario_count;
};

struct rep_input {
  struct rep_database *databases;
  size_t database_count;
  struct rep_item *items; /* by database as given, then by id */
  size_t item_count;
  size_t counts[REP_HANG + 1]; /* of items, by verdict */
  int64_t events;              /* of all items */
  int64_t superseded;          /* earlier results of the same that are not shown */
};

/* Opens the databases and reads what is chosen. False after `message` was filled; deinit it then
 * too. `paths` must live as long as the input. */
bool rep_input_open(struct rep_input *input, const char *const *paths, size_t count,
                    const struct rep_choice *choice, char *message, size_t size);
void rep_input_deinit(struct rep_input *input);

/* How a scenario is called: "name" or "name [variant]", and "(live)" behind it when it was run
 * live. Returns the length that it needs. */
size_t rep_item_title(const struct rep_item *item, char *buffer, size_t size);

/* A query over one scenario, whose id is its parameter 1. NULL after `message` was filled. */
sqlite3_stmt *rep_item_query(const struct rep_item *item, const char *sql, char *message,
                             size_t size);
/* Takes the next row; false at the end, or after an error, for which `message` was filled. Either
 * way the statement is finalised then and `*statement` is NULL. `*failed` is set by an error. */
bool rep_item_row(const struct rep_item *item, sqlite3_stmt **statement, bool *failed,
                  char *message, size_t size);

/* The text of a column; "" for NULL. Valid until the next row. */
const char *rep_column(sqlite3_stmt *statement, int column);

#endif
