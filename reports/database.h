/*
 * database.h - opens poolproof's databases and tells them from everything else.
 */
#ifndef REPORTS_DATABASE_H
#define REPORTS_DATABASE_H

#include <sqlite3.h>
#include <stddef.h>

enum rep_access {
  REP_READ, /* the file must be there and be ours */
  REP_WRITE /* a missing or empty file becomes a database of ours */
};

/* How long a database that another process holds is waited for. */
#define REP_BUSY_TIMEOUT_MS 5000

/* Opens the database `path`. NULL after `message` was filled: what was found there, and what to
 * do. A file that is not ours is never changed. */
sqlite3 *rep_database_open(const char *path, enum rep_access access, int busy_timeout_ms,
                           char *message, size_t size);

/* Fills `message` with what `result` (of SQLite) on `path` means and what to do. `doing` is what
 * was tried, such as "write scenario 'x' into". */
void rep_database_explain(sqlite3 *database, int result, const char *doing, const char *path,
                          char *message, size_t size);

#endif
