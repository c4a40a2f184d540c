/*
 * junit.h - the JUnit XML of a database: a suite for each folder, a case for each scenario variant.
 */
#ifndef REPORTS_JUNIT_H
#define REPORTS_JUNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct rep_junit;

/* Collects cases; NULL: no memory. */
struct rep_junit *rep_junit_create(void);
struct rep_scenario;
/* Keeps what it needs of `scenario`. `replay` is the command that repeats it. False: no memory. */
bool rep_junit_add(struct rep_junit *junit, const struct rep_scenario *scenario,
                   const char *replay);
/* Whether `path` can be written at all, before there is anything to write; it is left as it is.
 * False after `message` was filled. */
bool rep_junit_check(const char *path, char *message, size_t size);
/* Writes the file; false after `message` was filled. */
bool rep_junit_write(const struct rep_junit *junit, const char *path, char *message, size_t size);
void rep_junit_destroy(struct rep_junit *junit);

#endif
