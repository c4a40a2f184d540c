/*
 * shrink_oracle.c - one candidate, one worker process: so a crash or a hang is an answer like
 * another.
 *
 * A candidate has other choices than the run that it comes from. It is run in the order that it was
 * given as far as that goes; when it does not fail so, some other orders are tried, with other
 * faults of the same kinds. What fails by an expectation out of insertion order must still hold in
 * insertion order: else a file that asks for what its steps never do would be taken for the bug.
 */
#include "scenarios/engine/shrink_oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/explore.h"
#include "scenarios/engine/failure_class.h"
#include "scenarios/engine/schedule.h"
#include "scenarios/engine/workers.h"

enum { MOST_RUNS = 300, MOST_EVENTS = 300000, MOST_ARRIVALS = 300 };

struct candidate {
  struct scn_shrink_runs *runs;
  const char *schedule;
  char **taken; /* the order in which it failed */
  struct scn_arrivals_seen *seen;
  bool has_load;
  bool fails;
};

/* ---- In the worker ------------------------------------------------------------------------ */

static bool is_expectation(const char *failure_class) {
  return strncmp(failure_class, "expectation ", 12) == 0;
}

/* The kinds of fault in a schedule, a bit for each: among others of the same kinds there may be one
 * that strikes where the candidate needs it. */
static unsigned faults_in(const char *schedule) {
  struct scn_schedule parsed;
  char message[512];
  unsigned kinds = 0;
  if (scn_schedule_parse(schedule, &parsed, message, sizeof message)) {
    for (size_t i = 0; i < parsed.fault_count; i++) {
      kinds |= 1U << parsed.faults[i].fault.kind;
    }
    scn_schedule_deinit(&parsed);
  }
  return kinds;
}

static void search(struct scn_runner *runner, const struct scn_plan_item *item,
                   const char *schedule, struct rep_scenario *result) {
  uint64_t events = sim_trace_count(result->trace) + 1;
  const struct scn_explore_options options = {
      .strategy = SCN_RANDOM,
      .runs = events > MOST_EVENTS / MOST_RUNS ? MOST_EVENTS / events + 1 : MOST_RUNS,
      .same_seed = true,
      .faults = faults_in(schedule)};
  scn_explore(runner, item->scenario, item->variant, &options, result);
}

static void hold(struct rep_scenario *result) {
  result->verdict = REP_PASS;
  result->expectation_count = 0;
  result->violation_count = 0;
}

static void run_candidate(void *context, struct scn_runner *runner,
                          const struct scn_plan_item *item, struct rep_scenario *result) {
  const struct candidate *candidate = context;
  const struct scn_shrink_runs *runs = candidate->runs;
  char message[256];
  bool first = runs->failure_class[0] == '\0';
  if (!first && runs->any_order && is_expectation(runs->failure_class)) {
    scn_run(runner, item->scenario, item->variant, result);
    if (result->verdict != REP_PASS) {
      hold(result); /* it fails, but in another way */
      return;
    }
  }
  (void)scn_run_scheduled(runner, item->scenario, item->variant, candidate->schedule, false, result,
                          message, sizeof message);
  if (!first && runs->any_order && !scn_failure_is(result, runs->failure_class)) {
    search(runner, item, candidate->schedule, result);
  }
}

/* ---- In the parent ------------------------------------------------------------------------ */

/* Of a release; -1: there was none. */
static wsp_duration held_for(const struct sim_trace *trace, const char *label) {
  int64_t op = sim_trace_find(trace, label);
  const struct sim_event *events = sim_trace_events(trace);
  uint64_t count = sim_trace_count(trace);
  for (uint64_t i = 0; op >= 0 && i < count; i++) {
    if (events[i].kind == WSP_LEASE_RELEASED && events[i].op == (sim_string)op) {
      return events[i].values[0];
    }
  }
  return -1;
}

static void keep_arrivals(struct scn_arrivals_seen *seen, const struct rep_scenario *result) {
  seen->too_many = result->op_count > MOST_ARRIVALS;
  seen->items = calloc(MOST_ARRIVALS, sizeof *seen->items);
  for (size_t i = 0; !seen->too_many && seen->items != NULL && i < result->op_count; i++) {
    const struct rep_op *op = result->ops[i];
    if (op->kind != REP_OP_ACQUIRE || strlen(op->label) >= sizeof seen->items[0].label) {
      continue;
    }
    struct scn_arrival *arrival = &seen->items[seen->count++];
    strcpy(arrival->label, op->label);
    arrival->at = op->started_ns;
    arrival->held = held_for(result->trace, op->label);
  }
}

/* The first run says which class it is about. */
static bool has_class(struct scn_shrink_runs *runs, const struct rep_scenario *result) {
  if (runs->failure_class[0] != '\0') {
    return scn_failure_is(result, runs->failure_class);
  }
  char *failure_class = scn_failure_class(result);
  bool fits = failure_class != NULL && strlen(failure_class) < sizeof runs->failure_class;
  if (fits) {
    strcpy(runs->failure_class, failure_class);
  } else {
    snprintf(runs->message, sizeof runs->message,
             "what fails is too long to be compared (an expectation of over 1000 characters)");
  }
  free(failure_class);
  return fits && runs->failure_class[0] != '\0';
}

static bool finished(void *context, size_t index, const struct rep_scenario *result) {
  struct candidate *candidate = context;
  struct scn_shrink_runs *runs = candidate->runs;
  (void)index;
  if (!has_class(runs, result)) {
    return true;
  }
  const char *schedule = result->schedule == NULL ? "" : result->schedule;
  *candidate->taken = malloc(strlen(schedule) + 1);
  if (*candidate->taken == NULL) {
    return true;
  }
  strcpy(*candidate->taken, schedule);
  if (candidate->has_load) {
    keep_arrivals(candidate->seen, result);
  }
  runs->size.events = sim_trace_count(result->trace);
  runs->size.virtual_ns = result->virtual_ns;
  snprintf(runs->failure, sizeof runs->failure, "%s",
           result->failure == NULL ? "" : result->failure);
  candidate->fails = true;
  return true;
}

static bool always(void *context, size_t count) {
  (void)context;
  (void)count;
  return true;
}

static void keep_first_error(void *context, const struct scn_problem *problem) {
  struct scn_shrink_runs *runs = context;
  if (problem->severity == SCN_ERROR && runs->message[0] == '\0') {
    snprintf(runs->message, sizeof runs->message, "%s", problem->message);
  }
}

bool scn_shrink_runs_fail(void *context, const char *text, char **schedule,
                          struct scn_arrivals_seen *seen) {
  struct scn_shrink_runs *runs = context;
  runs->message[0] = '\0';
  struct scn_scenario *scenario =
      scn_scenario_parse(runs->path, text, strlen(text), NULL, keep_first_error, runs);
  if (scenario == NULL) {
    return false;
  }
  char *taken = NULL;
  struct candidate candidate = {.runs = runs,
                                .schedule = *schedule,
                                .taken = &taken,
                                .seen = seen,
                                .has_load = scenario->load_count > 0};
  const struct scn_plan_item item = {
      .scenario = scenario, .variant = &scenario->variants[0], .source = text};
  const struct scn_workers_options options = {.jobs = 1,
                                              .wall_limit_ns = runs->wall_limit_ns,
                                              .job = {.work = run_candidate, .context = &candidate},
                                              .keeps_ops = true,
                                              .done = finished,
                                              .go_on = always,
                                              .context = &candidate};
  if (scn_workers_run(&item, 1, &options, runs->message, sizeof runs->message) ==
      SCN_WORKERS_FAILED) {
    candidate.fails = false;
  }
  scn_scenario_destroy(scenario);
  if (candidate.fails) {
    free(*schedule);
    *schedule = taken;
  }
  return candidate.fails;
}
