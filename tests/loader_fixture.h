/*
 * loader_fixture.h - loads scenarios in tests and keeps what was said about them.
 */
#ifndef TESTS_LOADER_FIXTURE_H
#define TESTS_LOADER_FIXTURE_H

#include <stddef.h>

#include "scenarios/engine/loader.h"

/* All problems, one a line: "3:7: MESSAGE", warnings as "3:7: warning: MESSAGE", those in other
 * files with the file's name (without folder) in front. */
struct loader_problems {
  char *text; /* NULL: none */
  size_t length;
  size_t errors, warnings;
};

/* For scn_report; `context` is a struct loader_problems. */
void loader_collect(void *context, const struct scn_problem *problem);
void loader_problems_deinit(struct loader_problems *problems);

/* Parses text as the file "test.json" of the current folder. */
struct scn_scenario *loader_parse(const char *text, struct loader_problems *problems);

/* Whether exactly `expected` is said about `text`, and it gives no scenario; prints the difference
 * otherwise. */
bool loader_says(const char *text, const char *expected);

/* A file as text with a NUL behind it, or NULL; the caller frees it. */
char *loader_read_file(const char *path, size_t *length);

#endif
