/*
 * report.h - the forms in which recorded runs are shown: a function for each.
 *
 * All read the databases as they write, and keep no timeline in memory. None decides anything: the
 * verdicts are those that were recorded. They return false after `message` was filled (a database
 * that cannot be read, no memory); whether `file` could be written is asked of it afterwards.
 */
#ifndef REPORTS_REPORT_H
#define REPORTS_REPORT_H

#include <stdio.h>

#include "reports/input.h"

/* What a report says of itself. */
struct rep_about {
  const char *program; /* as it was called: commands to copy begin with it */
  const char *version;
};

/* For a job's summary or a pull request: a table, failures first, and around each failure its
 * timeline as text. */
bool rep_markdown_write(FILE *file, const struct rep_input *input, const struct rep_about *about,
                        char *message, size_t size);

/* For other programs; reports/report.schema.json describes it. */
bool rep_json_write(FILE *file, const struct rep_input *input, const struct rep_about *about,
                    char *message, size_t size);

/* One scenario of it, as the element of the document's `scenarios`. */
bool rep_json_item(FILE *file, const struct rep_item *item, const struct rep_about *about,
                   char *message, size_t size);

/* One HTML file that needs nothing else. False also when this build has no page. */
bool rep_html_write(FILE *file, const struct rep_input *input, const struct rep_about *about,
                    char *message, size_t size);

/* Trace Event JSON, for ui.perfetto.dev and chrome://tracing. */
bool rep_perfetto_write(FILE *file, const struct rep_input *input, const struct rep_about *about,
                        char *message, size_t size);

#endif
