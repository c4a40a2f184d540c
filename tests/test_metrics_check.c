/*
 * test_metrics_check.c - the pool's metrics recomputed from timelines that are made by hand.
 */
#include "scenarios/engine/metrics_check.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "tests/suites.h"

static struct sim_trace *trace;

static void add(int kind, int cause, int64_t first, int64_t second, int64_t third) {
  struct sim_event event = {
      .kind = (uint16_t)kind, .cause = (uint16_t)cause, .values = {first, second, third}};
  CU_ASSERT_TRUE_FATAL(sim_trace_append(trace, &event));
}

/* Three acquires: one dialled, one that waited 1.6 ms and got a conn, one that waited 0.6 ms for
 * nothing. */
static void make_timeline(void) {
  trace = sim_trace_create(1000, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  for (int i = 0; i < 3; i++) {
    add(WSP_ACQUIRE_STARTED, 0, 0, 1, 0);
    add(WSP_ACQUIRE_PICKED, 0, 400000, 0, 0);
  }
  add(WSP_ACQUIRE_QUEUED, 0, 1, 1, 0);
  add(WSP_ACQUIRE_QUEUED, 0, 2, 2, 0);
  add(WSP_ACQUIRE_REQUEUED, 0, 2, 2, 0);
  add(WSP_ACQUIRE_GRANTED, 0, 0, 0, 0);
  add(WSP_ACQUIRE_GRANTED, 0, 1600000, 1, 1);
  add(WSP_ACQUIRE_FAILED, WSP_CANCELED, 600000, 0, 1);
  add(WSP_PREWARM_STARTED, 0, 3, 4, 0);
  add(WSP_CONN_EVICTED, WSP_REASON_MAX_IDLE, 0, 0, 0);
  add(WSP_CONN_EVICTED, WSP_REASON_ROOM, 0, 0, 0);
  add(WSP_CONN_EVICTED, WSP_REASON_MAX_AGE, 0, 0, 0);
}

static void each_metric_follows_from_the_timeline(void) {
  make_timeline();
  struct wsp_metrics metrics;
  bool complete = false;
  scn_metrics_recompute(trace, &metrics, &complete);
  CU_ASSERT_TRUE(complete);
  CU_ASSERT_EQUAL(metrics.acquire_total, 3);
  CU_ASSERT_EQUAL(metrics.acquire_reuse_total, 1);
  CU_ASSERT_EQUAL(metrics.acquire_create_total, 1);
  CU_ASSERT_EQUAL(metrics.acquire_queue_wait_total, 2);
  CU_ASSERT_EQUAL(metrics.acquire_queue_wait_ms_total, 2); /* 2.2 ms, floored once */
  CU_ASSERT_EQUAL(metrics.conn_pick_total, 3);
  CU_ASSERT_EQUAL(metrics.conn_pick_ms_total, 1);
  CU_ASSERT_EQUAL(metrics.scale_up_total, 3);
  CU_ASSERT_EQUAL(metrics.scale_down_total, 2);
  sim_trace_destroy(trace);
}

static void a_difference_names_the_metric_and_both_values(void) {
  make_timeline();
  struct wsp_metrics metrics;
  bool complete;
  char detail[512];
  scn_metrics_recompute(trace, &metrics, &complete);
  CU_ASSERT_TRUE(scn_metrics_check(trace, &metrics, detail, sizeof detail));
  CU_ASSERT_STRING_EQUAL(detail, "");
  metrics.acquire_total = 4;
  metrics.scale_down_total = 0;
  CU_ASSERT_FALSE(scn_metrics_check(trace, &metrics, detail, sizeof detail));
  CU_ASSERT_STRING_EQUAL(detail,
                         "acquire_total: the timeline gives 3, the pool says 4; "
                         "scale_down_total: the timeline gives 2, the pool says 0");
  sim_trace_destroy(trace);
}

static void a_wait_that_goes_on_is_not_held_against_the_pool(void) {
  make_timeline();
  add(WSP_ACQUIRE_STARTED, 0, 0, 1, 0);
  add(WSP_ACQUIRE_QUEUED, 0, 1, 1, 0);
  struct wsp_metrics metrics;
  bool complete = true;
  char detail[512];
  scn_metrics_recompute(trace, &metrics, &complete);
  CU_ASSERT_FALSE(complete);
  metrics.acquire_queue_wait_ms_total = 77;
  CU_ASSERT_TRUE(scn_metrics_check(trace, &metrics, detail, sizeof detail));
  metrics.acquire_queue_wait_total = 2;
  CU_ASSERT_FALSE(scn_metrics_check(trace, &metrics, detail, sizeof detail));
  sim_trace_destroy(trace);
}

CU_TestInfo suite_metrics_check[] = {
    {"each metric follows from the timeline", each_metric_follows_from_the_timeline},
    {"a difference names the metric and both values",
     a_difference_names_the_metric_and_both_values},
    {"a wait that goes on is not held against the pool",
     a_wait_that_goes_on_is_not_held_against_the_pool},
    CU_TEST_INFO_NULL,
};
