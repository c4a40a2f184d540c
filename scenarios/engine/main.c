/*
 * main.c - the program poolproof; all that it does is in cli.c, where tests reach it. Here is what
 * concerns the process: its standard streams.
 */
#include "scenarios/engine/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef POOLPROOF_VERSION
#define POOLPROOF_VERSION "unknown"
#endif

/* A stream that was closed by whoever started us must not become a worker's socket. */
static void open_closed_streams(void) {
  for (int stream = 0; stream <= 2; stream++) {
    if (fcntl(stream, F_GETFD) == -1 && errno == EBADF) {
      (void)open("/dev/null", O_RDWR); /* the lowest free number is this one */
    }
  }
}

/* Whoever read the output has gone, which was its choice: nothing is to be said of what it did not
 * want. The error of the write that failed is long forgotten, so the pipe itself is asked. */
static bool reader_has_gone(void) {
  struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
  return poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

int main(int argc, char **argv) {
  open_closed_streams();
  /* A reader that has gone (| head) must not end a run that is being recorded. */
  (void)signal(SIGPIPE, SIG_IGN);
  /* Nor may a limit on the size of files, which the write that meets it tells. */
  (void)signal(SIGXFSZ, SIG_IGN);
  /* A line at a time in pipes too: who reads along in a CI log sees what has been done so far. */
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  int status = scn_cli_main(argc, argv, POOLPROOF_VERSION);
  errno = 0;
  if ((fflush(stdout) != 0 || ferror(stdout)) && !reader_has_gone()) {
    fprintf(stderr,
            "poolproof: expected to write all results to the standard output, but part of it was "
            "lost%s%s; what was recorded is complete\n",
            errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
    return status == 0 ? SCN_EXIT_HARNESS : status;
  }
  return status;
}
