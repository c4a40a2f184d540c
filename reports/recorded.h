/*
 * recorded.h - reads a scenario's run back out of a database, to repeat it and to compare.
 */
#ifndef REPORTS_RECORDED_H
#define REPORTS_RECORDED_H

#include <sqlite3.h>

#include "reports/recorder.h"

/* A row of `scenario` with its file's text. Strings are on the heap, "" where the row has NULL but
 * for `schedule`. */
struct rep_recorded {
  int64_t id;
  char *name, *path, *variant, *mode, *verdict, *failure, *timeline_sha256;
  char *schedule; /* NULL: insertion order */
  char *source;
  char *version; /* of the program that recorded it */
  uint64_t seed;
  int64_t events;
  int64_t expectations; /* that were judged */
};

/* False after `message` was filled: there is no such scenario (and which there are), it has no
 * source, the database is damaged, no memory. */
bool rep_recorded_read(sqlite3 *database, const char *path, int64_t id,
                       struct rep_recorded *recorded, char *message, size_t size);
void rep_recorded_deinit(struct rep_recorded *recorded);

/* The first event at which `trace` and the recorded timeline differ. */
struct rep_difference {
  uint64_t event;               /* its index, from 0; the number of events when there is none */
  bool differs;                 /* false: they are equal */
  bool recorded_has, has;       /* whether the timelines go so far */
  char recorded[512], now[512]; /* the two events, for a person: "5ms  conn_opened account=1 ..." */
};

/* False after `message` was filled. */
bool rep_recorded_compare(sqlite3 *database, const char *path, int64_t id,
                          const struct sim_trace *trace, struct rep_difference *difference,
                          char *message, size_t size);

#endif
