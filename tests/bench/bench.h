/*
 * bench.h - measuring: what the parts of poolproof-bench share.
 *
 * A measurement is one line of JSON on stdout. Times are of the processor (user and system), so
 * that other processes of the machine are counted as little as can be; real time is the business of
 * bench.py, which starts whole programs. Nothing here repeats or judges: bench.py does.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nanoseconds of processor time that this process has used. */
int64_t bench_clock(void);

/* Ends the program with status 1 unless `held`. `what` says what was expected. */
void bench_expect(bool held, const char *what);

/* A whole number over 0 from the command line; ends the program with status 2 otherwise. */
int64_t bench_number(const char *text);

/* Each takes what is behind its name on the command line, `count` arguments, and prints its line.
 */
void bench_try_acquire(char **arguments);
void bench_queued_acquire(char **arguments);
void bench_conn_memory(char **arguments);
void bench_simulation(char **arguments);
void bench_insertion(char **arguments);

/* What the pool is compared with: a list of free conns and a line of waiters behind a mutex, the
 * least that a pool shared by threads can be. Return the processor time of `rounds` rounds. */
int64_t bench_free_list(int64_t rounds);
int64_t bench_waiting_line(int64_t rounds);

#endif
