/*
 * simulation.c - measures the simulator: a scenario run in this process, nothing recorded.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/engine/plan.h"
#include "scenarios/engine/run.h"
#include "tests/bench/bench.h"

static void show_problem(void *context, const struct scn_problem *problem) {
  (void)context;
  fprintf(stderr, "%s: %s\n", problem->path, problem->message);
}

/* The least that a timeline costs: its records copied into a trace, then hashed. */
static int64_t copy_timeline(const struct sim_trace *trace, const char *expected_sha256) {
  uint64_t count = sim_trace_count(trace);
  struct sim_trace *copy = sim_trace_create(count, false);
  bench_expect(copy != NULL, "memory for a second timeline");
  size_t size;
  const char *strings = sim_trace_strings(trace, &size);
  char sha256[65];
  int64_t begin = bench_clock();
  for (const char *at = strings; at < strings + size; at += strlen(at) + 1) {
    sim_trace_intern(copy, at);
  }
  const struct sim_event *events = sim_trace_events(trace);
  for (uint64_t i = 0; i < count; i++) {
    sim_trace_append(copy, &events[i]);
  }
  rep_timeline_sha256(copy, sha256);
  int64_t used = bench_clock() - begin;
  bench_expect(strcmp(sha256, expected_sha256) == 0, "that a copied timeline has the same hash");
  sim_trace_destroy(copy);
  return used;
}

/* Runs the first variant of the scenario, verdict and hash included; reading it is not. */
void bench_simulation(char **arguments) {
  struct scn_plan plan = {0};
  const char *path = arguments[0];
  struct scn_load_options load = {0};
  bench_expect(scn_plan_load(&plan, &path, 1, &load, show_problem, NULL) == SCN_PLAN_OK &&
                   plan.file_count == 1,
               "one good scenario file");
  const struct scn_scenario *scenario = plan.files[0].scenario;
  struct scn_runner *runner = scn_runner_create(false);
  bench_expect(runner != NULL, "memory for a runner");
  struct rep_scenario result;
  /* The first run brings memory that every worker has from its first scenario on. */
  scn_run(runner, scenario, &scenario->variants[0], &result);
  int64_t begin = bench_clock();
  scn_run(runner, scenario, &scenario->variants[0], &result);
  int64_t used = bench_clock() - begin;
  bench_expect(result.verdict == REP_PASS, "that the scenario passes");
  int64_t baseline = copy_timeline(result.trace, result.timeline_sha256);
  printf("{\"operations\": %" PRIu64 ", \"ns\": %" PRId64 ", \"baseline_ns\": %" PRId64
         ", \"virtual_ns\": %" PRId64 "}\n",
         sim_trace_count(result.trace), used, baseline, result.virtual_ns);
  scn_runner_destroy(runner);
  scn_plan_deinit(&plan);
}
