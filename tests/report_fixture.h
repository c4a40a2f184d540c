/*
 * report_fixture.h - a scenario's run made by hand, a folder for files, and rows as text: for the
 * tests of databases and report files.
 */
#ifndef TESTS_REPORT_FIXTURE_H
#define TESTS_REPORT_FIXTURE_H

#include "reports/recorder.h"

#define REPORT_PATH_SIZE 256

struct report_fixture {
  char folder[REPORT_PATH_SIZE]; /* empty, of this fixture alone */
  char path[REPORT_PATH_SIZE];   /* of a database in it, not there yet */
  char message[1024];            /* of the last failure */
  struct sim_trace *trace;
  struct rep_scenario scenario; /* a run with some of everything */
};

/* False: no memory, or no folder could be made. */
bool report_fixture_init(struct report_fixture *fixture);
/* Deletes the folder with all files that are in it. */
void report_fixture_deinit(struct report_fixture *fixture);

/* Appends `count` plain events, a microsecond apart. */
void report_fixture_events(struct report_fixture *fixture, size_t count);

/* Records `fixture->scenario` as a whole run. */
bool report_fixture_record(struct report_fixture *fixture);

/* The rows of a query, as "1|a|NULL;2|b|0.5;", with texts as they are; on failure SQLite's words.
 * Lives until the next call. */
const char *report_rows(const char *path, const char *sql);

/* Whether `text` has `part` in it; prints it when not, because CUnit does not. */
bool report_contains(const char *text, const char *part);
/* Whether they are equal; prints both when not. */
bool report_equal(const char *found, const char *expected);

bool report_file_exists(const char *path);
/* The whole file, on the heap; NULL: not there. */
char *report_read_file(const char *path);
bool report_write_file(const char *path, const char *text);

#endif
