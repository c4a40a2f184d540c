/*
 * rows.h - writes what a scenario's run has left as rows of a database that has the tables.
 */
#ifndef REPORTS_ROWS_H
#define REPORTS_ROWS_H

#include "reports/recorder.h"
#include "reports/schema.h"

/* Prepared statements, and memory for the rows of one of them. */
struct rep_rows;

/* SQLite's result codes. `*rows` is NULL unless it is SQLITE_OK. */
int rep_rows_create(sqlite3 *database, struct rep_rows **rows);
void rep_rows_destroy(struct rep_rows *rows);

/* Writes all rows of `scenario` in the caller's transaction, its events from number
 * `first_event` (from 0) on. */
int rep_rows_write(struct rep_rows *rows, int64_t run_id, int64_t scenario_id,
                   const struct rep_scenario *scenario, uint64_t first_event);

#endif
