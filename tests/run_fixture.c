/*
 * run_fixture.c - runs a scenario that a test writes as text.
 */
#include "tests/run_fixture.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/loader.h"

static void print_problem(void *context, const struct scn_problem *problem) {
  (void)context;
  printf("\n    %d:%d: %s\n", problem->position.line, problem->position.column, problem->message);
}

void run_fixture_run(struct run_fixture *fixture, const char *text) {
  if (fixture->runner == NULL) {
    fixture->runner = scn_runner_create(false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fixture->runner);
  }
  if (fixture->scenario != NULL) {
    scn_scenario_destroy(fixture->scenario);
  }
  size_t length = strlen(text);
  char *json = malloc(length + 1);
  CU_ASSERT_PTR_NOT_NULL_FATAL(json);
  for (size_t i = 0; i <= length; i++) {
    json[i] = text[i] == '\'' ? '"' : text[i];
  }
  fixture->scenario = scn_scenario_parse("test.json", json, length, NULL, print_problem, NULL);
  free(json);
  CU_ASSERT_PTR_NOT_NULL_FATAL(fixture->scenario);
  scn_run(fixture->runner, fixture->scenario, &fixture->scenario->variants[0], &fixture->result);
}

void run_fixture_deinit(struct run_fixture *fixture) {
  if (fixture->scenario != NULL) {
    scn_scenario_destroy(fixture->scenario);
  }
  scn_runner_destroy(fixture->runner);
  *fixture = (struct run_fixture){0};
}

const struct rep_op *run_fixture_op(const struct run_fixture *fixture, const char *label) {
  static const struct rep_op none = {.label = "none", .result = "none", .ended_ns = -2};
  for (size_t i = 0; i < fixture->result.op_count; i++) {
    if (strcmp(fixture->result.ops[i]->label, label) == 0) {
      return fixture->result.ops[i];
    }
  }
  printf("\n    no operation is called %s\n", label);
  CU_FAIL("an operation is missing");
  return &none;
}

uint64_t run_fixture_count(const struct run_fixture *fixture, int kind) {
  uint64_t found = 0;
  while (run_fixture_time(fixture, kind, found) >= 0) {
    found++;
  }
  return found;
}

int64_t run_fixture_time(const struct run_fixture *fixture, int kind, uint64_t number) {
  const struct sim_event *events = sim_trace_events(fixture->result.trace);
  for (uint64_t i = 0; i < sim_trace_count(fixture->result.trace); i++) {
    if (events[i].kind == kind && number-- == 0) {
      return events[i].t_ns;
    }
  }
  return -1;
}

int64_t run_fixture_metric(const struct run_fixture *fixture, int64_t account, const char *name) {
  int64_t value = -1;
  for (size_t i = 0; i < fixture->result.metric_count; i++) {
    const struct rep_metric *metric = &fixture->result.metrics[i];
    if (metric->account == account && strcmp(metric->name, name) == 0) {
      value = metric->value;
    }
  }
  return value;
}

const char *run_fixture_story(const struct run_fixture *fixture) {
  static char story[4096];
  const struct sim_trace *trace = fixture->result.trace;
  const struct sim_event *events = sim_trace_events(trace);
  size_t length = 0;
  story[0] = '\0';
  for (uint64_t i = 0; i < sim_trace_count(trace) && length < sizeof story - 256; i++) {
    const struct sim_event *event = &events[i];
    const char *space = length > 0 ? " " : "";
    if (event->kind == SIM_STEP_PERFORMED) {
      length += (size_t)snprintf(story + length, sizeof story - length, "%s%s", space,
                                 sim_trace_string(trace, event->texts[0]));
    } else if (event->kind == WSP_ACQUIRE_STARTED || event->kind == WSP_ACQUIRE_GRANTED ||
               event->kind == WSP_ACQUIRE_FAILED) {
      length += (size_t)snprintf(story + length, sizeof story - length, "%s%s%s", space,
                                 sim_trace_string(trace, event->op),
                                 event->kind == WSP_ACQUIRE_STARTED   ? "+"
                                 : event->kind == WSP_ACQUIRE_GRANTED ? "="
                                                                      : "!");
    }
  }
  return story;
}
