/*
 * main.c - poolproof-bench: one measurement for each start of the program.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/bench.h"

struct measurement {
  const char *name;
  const char *arguments;
  int argument_count;
  void (*measure)(char **arguments);
};

static const struct measurement measurements[] = {
    {"try-acquire", "CONNS ACCOUNTS one|all ROUNDS", 4, bench_try_acquire},
    {"queued-acquire", "CALLERS CONNS ROUNDS", 3, bench_queued_acquire},
    {"conn-memory", "CONNS ACCOUNTS", 2, bench_conn_memory},
    {"simulation", "FILE", 1, bench_simulation},
    {"insertion", "DB", 1, bench_insertion},
};

enum { MEASUREMENTS = sizeof measurements / sizeof measurements[0] };

int64_t bench_clock(void) {
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

void bench_expect(bool held, const char *what) {
  if (!held) {
    fprintf(stderr, "poolproof-bench: expected %s; found otherwise\n", what);
    exit(1);
  }
}

int64_t bench_number(const char *text) {
  char *end;
  errno = 0;
  long long number = strtoll(text, &end, 10);
  if (errno != 0 || *end != '\0' || number < 1) {
    fprintf(stderr, "poolproof-bench: expected a whole number over 0; found \"%s\"\n", text);
    exit(2);
  }
  return number;
}

static int show_usage(void) {
  fprintf(stderr, "poolproof-bench prints one measurement as a line of JSON. Usage:\n");
  for (size_t i = 0; i < MEASUREMENTS; i++) {
    fprintf(stderr, "  poolproof-bench %s %s\n", measurements[i].name, measurements[i].arguments);
  }
  return 2;
}

int main(int argc, char **argv) {
  for (size_t i = 0; argc > 1 && i < MEASUREMENTS; i++) {
    if (strcmp(argv[1], measurements[i].name) == 0 && argc == measurements[i].argument_count + 2) {
      measurements[i].measure(argv + 2);
      return 0;
    }
  }
  return show_usage();
}
