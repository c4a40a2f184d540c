/*
 * output.h - a report's file: replaced whole or not at all.
 *
 * A plain file is written beside its place and renamed when it is complete; a pipe, a device or a
 * symbolic link is written as it is. Only one is open at a time.
 */
#ifndef REPORTS_OUTPUT_H
#define REPORTS_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

struct rep_output {
  FILE *file;       /* to write to */
  const char *path; /* the caller's */
  char *target;     /* what is written: `path`, or a name beside it */
  bool replace;
};

/* Opens what will be `path`, which must live until the output is closed. False: errno says why. */
bool rep_output_open(struct rep_output *output, const char *path);

/* Whether rep_output_open() would succeed now. Nothing that is there changes, and a pipe is not
 * opened, which would wait for its reader. False: errno says why. */
bool rep_output_check(const char *path);

/* Closes it: puts it in its place when `keep` and all has been written, else takes it away. False
 * when it is not in its place though `keep` was said: errno says why. */
bool rep_output_close(struct rep_output *output, bool keep);

/* From now on SIGINT, SIGTERM and SIGHUP take away what is not complete before they end the
 * process, and a file that grows over its limit is an error like a full disk. For commands that
 * have nothing else to do when they are stopped: it changes the process's signal actions. */
void rep_output_watch_signals(void);

#endif
