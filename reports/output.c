/*
 * output.c - opens and closes the files of reports.
 */
#define _POSIX_C_SOURCE 200809L
#include "reports/output.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string.h>

/* What a signal's handler is to take away; NULL: nothing. */
static const char *volatile unfinished;

static void end_by_signal(int number) {
  if (unfinished != NULL) {
    unlink(unfinished);
  }
  raise(number); /* with the default action again, when this handler has returned */
}

void rep_output_watch_signals(void) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    struct sigaction action;
    /* What the caller has set to be ignored (nohup) stays ignored. */
    if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler == SIG_DFL) {
      action = (struct sigaction){.sa_handler = end_by_signal, .sa_flags = (int)SA_RESETHAND};
      sigemptyset(&action.sa_mask);
      sigaction(numbers[i], &action, NULL);
    }
  }
  signal(SIGXFSZ, SIG_IGN);
}

static bool is_replaceable(const char *path) {
  struct stat status;
  return lstat(path, &status) != 0 || S_ISREG(status.st_mode);
}

bool rep_output_open(struct rep_output *output, const char *path) {
  size_t size = strlen(path) + 40;
  *output = (struct rep_output){.path = path, .target = malloc(size)};
  if (output->target == NULL) {
    errno = ENOMEM;
    return false;
  }
  output->replace = is_replaceable(path);
  if (output->replace) {
    snprintf(output->target, size, "%s.%ld.tmp", path, (long)getpid());
  } else {
    snprintf(output->target, size, "%s", path);
  }
  assert(unfinished == NULL);
  unfinished = output->replace ? output->target : NULL;
  int flags = O_WRONLY | O_CREAT | (output->replace ? O_EXCL : O_TRUNC);
  int descriptor = open(output->target, flags, 0666);
  output->file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
  if (output->file != NULL) {
    return true;
  }
  int reason = errno;
  if (descriptor >= 0) {
    close(descriptor);
  }
  unfinished = NULL;
  free(output->target);
  *output = (struct rep_output){0};
  errno = reason;
  return false;
}

/* A link, a device or a pipe. */
static bool is_writable(const char *path) {
  struct stat status;
  if (stat(path, &status) != 0) {
    return errno == ENOENT; /* a link to a file that is not there yet */
  }
  if (S_ISDIR(status.st_mode)) {
    errno = EISDIR;
    return false;
  }
  return access(path, W_OK) == 0;
}

bool rep_output_check(const char *path) {
  struct rep_output output;
  if (path[0] == '\0') {
    errno = ENOENT;
    return false;
  }
  if (!is_replaceable(path)) {
    return is_writable(path);
  }
  return rep_output_open(&output, path) && rep_output_close(&output, false);
}

bool rep_output_close(struct rep_output *output, bool keep) {
  bool written = fflush(output->file) == 0 && !ferror(output->file);
  int reason = errno;
  if (fclose(output->file) != 0 && written) {
    written = false;
    reason = errno;
  }
  if (written && keep && output->replace && rename(output->target, output->path) != 0) {
    written = false;
    reason = errno;
  }
  if ((!written || !keep) && output->replace) {
    unlink(output->target);
  }
  unfinished = NULL;
  free(output->target);
  *output = (struct rep_output){0};
  errno = reason;
  return written || !keep;
}
