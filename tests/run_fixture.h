/*
 * run_fixture.h - runs a scenario that a test writes as text, and looks at what came of it.
 */
#ifndef TESTS_RUN_FIXTURE_H
#define TESTS_RUN_FIXTURE_H

#include "scenarios/engine/run.h"

#define MS WSP_MILLISECOND

/* Zero-filled: nothing has run yet. */
struct run_fixture {
  struct scn_runner *runner;
  struct scn_scenario *scenario;
  struct rep_scenario result;
};

/* Runs the first variant of `text`, in which ' stands for ". What is wrong with the text is
 * printed, and the test fails. `result` lives until the next run. */
void run_fixture_run(struct run_fixture *fixture, const char *text);
void run_fixture_deinit(struct run_fixture *fixture);

/* The operation of that label; the test fails when there is none. */
const struct rep_op *run_fixture_op(const struct run_fixture *fixture, const char *label);

/* How many events of that kind there are, and the time of the `number`-th (from 0), -1: none. */
uint64_t run_fixture_count(const struct run_fixture *fixture, int kind);
int64_t run_fixture_time(const struct run_fixture *fixture, int kind, uint64_t number);

/* The value of a final metric of the pool (account 0) or of an account; -1: no such row. */
int64_t run_fixture_metric(const struct run_fixture *fixture, int64_t account, const char *name);

/* The steps and the starts and grants of acquires, one after the other: "acquire a+ a= release",
 * where a+ is a's start and a= its grant. */
const char *run_fixture_story(const struct run_fixture *fixture);

#endif
