/*
 * test_workers.c - workers: results in the order of the plan, crashes and endless loops that cost
 * one scenario only, and the packets that results travel in. The jobs here are made up; what the
 * program runs in a worker is tested in test_run.c.
 */
#define _POSIX_C_SOURCE 200809L
#include "scenarios/engine/workers.h"

#include <CUnit/CUnit.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/packet.h"
#include "scenarios/engine/verdict.h"
#include "tests/suites.h"

enum { ITEMS = 6 };

static const struct scn_variant variants[ITEMS] = {
    {.name = "", .seed = 0}, {.name = "", .seed = 1}, {.name = "", .seed = 2},
    {.name = "", .seed = 3}, {.name = "", .seed = 4}, {.name = "", .seed = 5}};
static const struct scn_scenario scenario = {.name = "made-up", .path = "made-up.json"};

struct seen {
  size_t count;
  bool in_order;
  enum rep_verdict verdicts[ITEMS];
  int64_t virtual_times[ITEMS];
  uint64_t events[ITEMS];
  char failure[4096]; /* of the last one that had any */
  size_t stop_after;  /* 0: never */
};

/* One event at 10 ms times the seed, which is also how long it took. */
static void easy_job(void *context, struct scn_runner *runner, const struct scn_plan_item *item,
                     struct rep_scenario *result) {
  struct sim_trace *trace = scn_runner_trace(runner);
  sim_trace_reset(trace);
  (void)context;
  scn_verdict_begin(item->scenario, item->variant, trace, result);
  result->virtual_ns = (int64_t)item->variant->seed * 10 * WSP_MILLISECOND;
  struct sim_event event = {.t_ns = result->virtual_ns, .kind = SIM_RUN_ENDED};
  sim_trace_append(trace, &event);
}

static void job_that_crashes_at_2(void *context, struct scn_runner *runner,
                                  const struct scn_plan_item *item, struct rep_scenario *result) {
  easy_job(context, runner, item, result);
  if (item->variant->seed == 2) {
    raise(SIGKILL);
  }
}

static void job_that_exits_at_5(void *context, struct scn_runner *runner,
                                const struct scn_plan_item *item, struct rep_scenario *result) {
  easy_job(context, runner, item, result);
  if (item->variant->seed == 5) {
    exit(7);
  }
}

static void job_that_loops_at_1(void *context, struct scn_runner *runner,
                                const struct scn_plan_item *item, struct rep_scenario *result) {
  easy_job(context, runner, item, result);
  volatile bool for_ever = item->variant->seed == 1;
  while (for_ever) {}
}

static bool see(void *context, size_t index, const struct rep_scenario *result) {
  struct seen *seen = context;
  seen->in_order &= index == seen->count && result->id == (int64_t)index + 1 &&
                    result->seed == index && strcmp(result->name, "made-up") == 0;
  seen->verdicts[index] = result->verdict;
  seen->virtual_times[index] = result->virtual_ns;
  seen->events[index] = sim_trace_count(result->trace);
  if (result->failure != NULL) {
    strncpy(seen->failure, result->failure, sizeof seen->failure - 1);
  }
  return ++seen->count != seen->stop_after;
}

static void job_with_an_op(void *context, struct scn_runner *runner,
                           const struct scn_plan_item *item, struct rep_scenario *result) {
  static const struct rep_op op = {.label = "a", .result = "ok"};
  static const struct rep_op *const ops[] = {&op};
  easy_job(context, runner, item, result);
  result->ops = ops;
  result->op_count = 1;
}

static bool count_ops(void *context, size_t index, const struct rep_scenario *result) {
  (void)index;
  *(size_t *)context += result->op_count;
  return true;
}

static bool always(void *context, size_t finished) {
  (void)context;
  (void)finished;
  return true;
}

static bool never(void *context, size_t finished) {
  (void)context;
  (void)finished;
  return false;
}

static enum scn_workers_end run(size_t jobs,
                                void (*work)(void *, struct scn_runner *,
                                             const struct scn_plan_item *, struct rep_scenario *),
                                struct seen *seen, bool (*go_on)(void *, size_t)) {
  struct scn_plan_item items[ITEMS];
  for (size_t i = 0; i < ITEMS; i++) {
    items[i] = (struct scn_plan_item){.scenario = &scenario, .variant = &variants[i]};
  }
  /* Long enough for any machine to do an easy job, and waited for only by the loop. */
  struct scn_workers_options options = {.jobs = jobs,
                                        .wall_limit_ns = 2 * WSP_SECOND,
                                        .job = {.work = work},
                                        .done = see,
                                        .go_on = go_on,
                                        .context = seen};
  char message[256] = "";
  seen->in_order = true;
  enum scn_workers_end end = scn_workers_run(items, ITEMS, &options, message, sizeof message);
  CU_ASSERT_EQUAL(message[0] != '\0', end == SCN_WORKERS_FAILED);
  return end;
}

static void results_come_in_the_order_of_the_plan(void) {
  for (size_t jobs = 1; jobs <= 8; jobs++) {
    struct seen seen = {0};
    CU_ASSERT_EQUAL(run(jobs, easy_job, &seen, always), SCN_WORKERS_DONE);
    CU_ASSERT_EQUAL(seen.count, ITEMS);
    CU_ASSERT_TRUE(seen.in_order);
    for (size_t i = 0; i < ITEMS; i++) {
      CU_ASSERT_EQUAL(seen.verdicts[i], REP_PASS);
      CU_ASSERT_EQUAL(seen.virtual_times[i], (int64_t)i * 10 * WSP_MILLISECOND);
      CU_ASSERT_EQUAL(seen.events[i], 1);
    }
  }
}

static void operations_come_only_where_they_are_kept(void) {
  struct scn_plan_item items[ITEMS];
  for (size_t i = 0; i < ITEMS; i++) {
    items[i] = (struct scn_plan_item){.scenario = &scenario, .variant = &variants[i]};
  }
  for (int keeps = 0; keeps <= 1; keeps++) {
    size_t ops = 0;
    struct scn_workers_options options = {.jobs = 2,
                                          .wall_limit_ns = WSP_MINUTE,
                                          .job = {.work = job_with_an_op},
                                          .keeps_ops = keeps != 0,
                                          .done = count_ops,
                                          .go_on = always,
                                          .context = &ops};
    char message[256];
    CU_ASSERT_EQUAL(scn_workers_run(items, ITEMS, &options, message, sizeof message),
                    SCN_WORKERS_DONE);
    CU_ASSERT_EQUAL(ops, keeps != 0 ? ITEMS : 0);
  }
}

static void a_crash_costs_one_scenario_and_shows_its_last_events(void) {
  for (size_t jobs = 1; jobs <= 2; jobs++) {
    struct seen seen = {0};
    CU_ASSERT_EQUAL(run(jobs, job_that_crashes_at_2, &seen, always), SCN_WORKERS_DONE);
    CU_ASSERT_EQUAL(seen.count, ITEMS);
    CU_ASSERT_TRUE(seen.in_order);
    for (size_t i = 0; i < ITEMS; i++) {
      CU_ASSERT_EQUAL(seen.verdicts[i], i == 2 ? REP_CRASH : REP_PASS);
    }
    CU_ASSERT_EQUAL(seen.virtual_times[2], 20 * WSP_MILLISECOND);
    CU_ASSERT_EQUAL(seen.events[2], 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(seen.failure,
                                  "made-up.json: crash: the process was ended by "
                                  "signal 9 (Killed), from outside or because the "
                                  "machine had no memory left, at 20ms of virtual time"));
    CU_ASSERT_PTR_NOT_NULL(strstr(seen.failure, "run_ended"));
  }
}

static void an_exit_in_the_last_scenario_is_a_crash_with_its_status(void) {
  struct seen seen = {0};
  CU_ASSERT_EQUAL(run(2, job_that_exits_at_5, &seen, always), SCN_WORKERS_DONE);
  CU_ASSERT_EQUAL(seen.count, ITEMS);
  CU_ASSERT_EQUAL(seen.verdicts[5], REP_CRASH);
  CU_ASSERT_PTR_NOT_NULL(strstr(seen.failure, "the process ended with status 7"));
}

static void an_endless_loop_is_a_hang(void) {
  struct seen seen = {0};
  CU_ASSERT_EQUAL(run(2, job_that_loops_at_1, &seen, always), SCN_WORKERS_DONE);
  CU_ASSERT_EQUAL(seen.count, ITEMS);
  CU_ASSERT_TRUE(seen.in_order);
  for (size_t i = 0; i < ITEMS; i++) {
    CU_ASSERT_EQUAL(seen.verdicts[i], i == 1 ? REP_HANG : REP_PASS);
  }
  CU_ASSERT_PTR_NOT_NULL(strstr(seen.failure, "hang: no result after 2"));
}

static void who_takes_results_can_stop_the_run(void) {
  struct seen seen = {.stop_after = 3};
  CU_ASSERT_EQUAL(run(2, easy_job, &seen, always), SCN_WORKERS_STOPPED);
  CU_ASSERT_EQUAL(seen.count, 3);
  struct seen nothing = {0};
  CU_ASSERT_EQUAL(run(2, job_that_loops_at_1, &nothing, never), SCN_WORKERS_STOPPED);
}

/* ---- Packets ------------------------------------------------------------------------------ */

static void a_packet_brings_back_all_rows(void) {
  const struct rep_op op = {.label = "a",
                            .kind = REP_OP_READ,
                            .account = 99,
                            .started_ns = 1,
                            .ended_ns = -1,
                            .result = "pending",
                            .conn = "oa_ws_99_1",
                            .queue_wait_ns = -1};
  const struct rep_op *const ops[] = {&op};
  const struct rep_metric metric = {.t_ns = 5, .account = 0, .name = "acquire_total", .value = 7};
  const struct rep_expectation expectation = {.index = 3, .text = "{}", .passed = true};
  const struct rep_violation violation = {.t_ns = 9, .invariant = "x", .detail = ""};
  const struct rep_scenario sent = {.verdict = REP_FAIL,
                                    .failure = "why",
                                    .virtual_ns = 11,
                                    .wall_ns = 12,
                                    .timeline_sha256 = "abc",
                                    .ops = ops,
                                    .op_count = 1,
                                    .metrics = &metric,
                                    .metric_count = 1,
                                    .expectations = &expectation,
                                    .expectation_count = 1,
                                    .violations = &violation,
                                    .violation_count = 1};
  struct scn_bytes bytes = {0};
  scn_packet_write(&bytes, &sent);
  struct rep_scenario got = {.id = 4};
  CU_ASSERT_TRUE_FATAL(scn_packet_read(bytes.data, bytes.length, &got));
  CU_ASSERT_EQUAL(got.id, 4);
  CU_ASSERT_EQUAL(got.verdict, REP_FAIL);
  CU_ASSERT_STRING_EQUAL(got.failure, "why");
  CU_ASSERT_EQUAL(got.virtual_ns, 11);
  CU_ASSERT_EQUAL(got.wall_ns, 12);
  CU_ASSERT_STRING_EQUAL(got.timeline_sha256, "abc");
  CU_ASSERT_EQUAL_FATAL(got.op_count, 1);
  CU_ASSERT_STRING_EQUAL(got.ops[0]->label, "a");
  CU_ASSERT_EQUAL(got.ops[0]->kind, REP_OP_READ);
  CU_ASSERT_STRING_EQUAL(got.ops[0]->result, "pending");
  CU_ASSERT_PTR_NULL(got.ops[0]->error_text);
  CU_ASSERT_STRING_EQUAL(got.ops[0]->conn, "oa_ws_99_1");
  CU_ASSERT_EQUAL(got.metrics[0].value, 7);
  CU_ASSERT_STRING_EQUAL(got.metrics[0].name, "acquire_total");
  CU_ASSERT_EQUAL(got.expectations[0].index, 3);
  CU_ASSERT_PTR_NULL(got.expectations[0].actual);
  CU_ASSERT_STRING_EQUAL(got.violations[0].detail, "");
  scn_packet_forget(&got);
  CU_ASSERT_EQUAL(got.op_count, 0);
  scn_bytes_deinit(&bytes);
}

static void a_packet_that_is_cut_off_is_refused(void) {
  const struct rep_op op = {.label = "a", .result = "ok"};
  const struct rep_op *const ops[] = {&op};
  const struct rep_scenario sent = {.failure = "why", .ops = ops, .op_count = 1};
  struct scn_bytes bytes = {0};
  scn_packet_write(&bytes, &sent);
  for (size_t length = 0; length < bytes.length; length++) {
    /* A copy, so that a sanitizer sees what is read behind the end. */
    unsigned char *cut = malloc(length + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cut);
    memcpy(cut, bytes.data, length);
    struct rep_scenario got = {0};
    CU_ASSERT_FALSE(scn_packet_read(cut, length, &got));
    free(cut);
  }
  scn_bytes_deinit(&bytes);
}

CU_TestInfo suite_workers[] = {
    {"results come in the order of the plan", results_come_in_the_order_of_the_plan},
    {"operations come only where they are kept", operations_come_only_where_they_are_kept},
    {"a crash costs one scenario and shows its last events",
     a_crash_costs_one_scenario_and_shows_its_last_events},
    {"an exit in the last scenario is a crash with its status",
     an_exit_in_the_last_scenario_is_a_crash_with_its_status},
    {"an endless loop is a hang", an_endless_loop_is_a_hang},
    {"who takes results can stop the run", who_takes_results_can_stop_the_run},
    {"a packet brings back all rows", a_packet_brings_back_all_rows},
    {"a packet that is cut off is refused", a_packet_that_is_cut_off_is_refused},
    CU_TEST_INFO_NULL,
};
