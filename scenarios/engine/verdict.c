/*
 * verdict.c - judges a run and makes its result.
 */
#include "scenarios/engine/verdict.h"

#include <string.h>

#include "fakes/fault.h"
#include "scenarios/engine/expect.h"
#include "scenarios/engine/metrics.h"
#include "sim/duration.h"

/* Only so many pending operations are told one by one. */
enum { MOST_PENDING_TOLD = 10 };

/* The rows of a run so far, for expectations in SQL. */
struct rows {
  struct scn_world *world;
  struct rep_scenario scenario;
  struct rep_metric *metrics;
  size_t metrics_size;
};

void scn_verdict_begin(const struct scn_scenario *scenario, const struct scn_variant *variant,
                       struct sim_trace *trace, struct rep_scenario *result) {
  *result = (struct rep_scenario){
      .name = scenario->name,
      .path = scenario->path,
      .variant = variant->name,
      .seed = variant->seed,
      .mode = "virtual",
      .verdict = REP_PASS,
      .trace = trace,
  };
}

static void begin_for(const struct scn_world *world, struct rep_scenario *result) {
  scn_verdict_begin(world->scenario, world->variant, world->trace, result);
  if (world->live != NULL) {
    result->mode = "live";
  }
}

static void lend_ops(const struct scn_world *world, struct rep_scenario *scenario) {
  scenario->ops = scn_operations_records(world->operations);
  scenario->op_count = scn_operations_count(world->operations);
}

static void forget_rows(struct rows *rows) {
  sim_arena_release(rows->world->arena, rows->metrics, rows->metrics_size);
  rows->metrics = NULL;
}

static const struct rep_scenario *rows_so_far(void *context) {
  struct rows *rows = context;
  struct scn_world *world = rows->world;
  forget_rows(rows);
  struct rep_scenario *scenario = &rows->scenario;
  begin_for(world, scenario);
  scenario->id = 1;
  scenario->virtual_ns = world->now;
  scenario->expectations = world->expectations.items;
  scenario->expectation_count = world->expectations.count;
  lend_ops(world, scenario);
  if (!scn_metrics_rows(world, &rows->metrics, &scenario->metric_count, &rows->metrics_size)) {
    scn_world_break(world, NULL, "out of memory for the rows of the scenario");
    return scenario;
  }
  scenario->metrics = rows->metrics;
  return scenario;
}

/* ---- Expectations ------------------------------------------------------------------------- */

static bool add_row(struct scn_world *world, const struct scn_expectation *expectation,
                    const struct scn_judgement *judgement) {
  struct scn_expectation_rows *rows = &world->expectations;
  if (rows->count == rows->capacity) {
    size_t capacity = rows->capacity == 0 ? 16 : 2 * rows->capacity;
    struct rep_expectation *items = sim_arena_allocate(world->arena, capacity * sizeof *items);
    if (items == NULL) {
      return false;
    }
    if (rows->count > 0) {
      memcpy(items, rows->items, rows->count * sizeof *items);
    }
    sim_arena_release(world->arena, rows->items, rows->capacity * sizeof *items);
    rows->items = items;
    rows->capacity = capacity;
  }
  rows->items[rows->count] =
      (struct rep_expectation){.index = (int64_t)rows->count,
                               .text = expectation->text,
                               .passed = judgement->passed,
                               .actual = scn_world_copy(world, judgement->actual),
                               .missed = scn_world_copy(world, judgement->missed)};
  rows->count++;
  return true;
}

static void tell_failure(struct scn_world *world, const struct scn_expectation *expectation,
                         const struct scn_judgement *judgement, bool midway) {
  char at[SIM_DURATION_TEXT_SIZE];
  sim_duration_format(world->now, at);
  world->expectations_failed++;
  scn_lines_add(&world->failure, "%s:%d:%d: expectation failed at %s: %s\n", world->scenario->path,
                expectation->position.line, expectation->position.column, at, expectation->text);
  const char *message = judgement->message == NULL ? "" : judgement->message;
  size_t length = strlen(message);
  scn_lines_add(&world->failure, "%s%s", message,
                length > 0 && message[length - 1] != '\n' ? "\n" : "");
  if (midway) {
    scn_world_note(world,
                   &(struct scn_note){.kind = SIM_EXPECTATION_FAILED,
                                      .values = {(int64_t)world->expectations.count - 1, 0}});
  }
}

void scn_verdict_judge(struct scn_world *world, const struct scn_expectation *expectations,
                       size_t count, bool midway) {
  if (world->unjudged || fake_world_faults_fired(world->upstreams) > 0) {
    return;
  }
  struct rows rows = {.world = world};
  struct scn_view view = {
      .now = world->now,
      .scenario = world->scenario,
      .pool = world->pool,
      .pool_calls = world->pool_calls,
      .upstreams = world->upstreams,
      .trace = world->trace,
      .operations = world->operations,
      .rows = rows_so_far,
      .rows_context = &rows,
  };
  for (size_t i = 0; i < count && !world->broken; i++) {
    if (expectations[i].order_dependent && world->out_of_turn > 0) {
      continue;
    }
    struct scn_judgement judgement = {0};
    if (!scn_expectation_judge(&view, &expectations[i], &judgement) ||
        !add_row(world, &expectations[i], &judgement)) {
      scn_world_break(world, NULL, "out of memory for an expectation");
    } else if (!judgement.passed) {
      tell_failure(world, &expectations[i], &judgement, midway);
    }
    scn_judgement_deinit(&judgement);
  }
  forget_rows(&rows);
}

/* ---- Hangs -------------------------------------------------------------------------------- */

/* The last event of the timeline that names the operation; NULL: none. */
static const struct sim_event *last_event_of(const struct sim_trace *trace, const char *label) {
  int64_t tag = sim_trace_find(trace, label);
  const struct sim_event *events = sim_trace_events(trace);
  for (uint64_t i = sim_trace_count(trace); tag > 0 && i > 0; i--) {
    if (events[i - 1].op == (sim_string)tag) {
      return &events[i - 1];
    }
  }
  return NULL;
}

static void tell_pending(struct scn_world *world, const struct scn_operation *operation) {
  char since[SIM_DURATION_TEXT_SIZE];
  sim_duration_format(operation->record.started_ns, since);
  scn_lines_add(&world->failure, "  %s \"%s\" is pending since %s",
                rep_op_kind_name(operation->record.kind), operation->record.label, since);
  if (operation->step != NULL) {
    scn_lines_add(&world->failure, " (%s:%d:%d)", world->scenario->path,
                  operation->step->position.line, operation->step->position.column);
  }
  if (operation->record.conn != NULL) {
    scn_lines_add(&world->failure, " on conn %s", operation->record.conn);
  }
  scn_lines_add(&world->failure, "\n");
  const struct sim_event *event = last_event_of(world->trace, operation->record.label);
  if (event != NULL) {
    char line[512];
    scn_event_line(world->trace, event, line, sizeof line);
    scn_lines_add(&world->failure, "    last seen: %s\n", line);
  }
}

void scn_verdict_hang(struct scn_world *world, const char *why) {
  char at[SIM_DURATION_TEXT_SIZE];
  sim_duration_format(world->now, at);
  world->hangs = true;
  scn_lines_add(&world->failure, "%s: hang at %s: %s\n", world->scenario->path, at, why);
  size_t told = 0;
  for (size_t i = 0; i < scn_operations_count(world->operations); i++) {
    const struct scn_operation *operation = scn_operations_at(world->operations, i);
    if (operation->record.ended_ns >= 0) {
      continue;
    }
    if (told++ < MOST_PENDING_TOLD) {
      tell_pending(world, operation);
    }
  }
  if (told > MOST_PENDING_TOLD) {
    scn_lines_add(&world->failure, "  and %zu more\n", told - MOST_PENDING_TOLD);
  }
  if (told == 0) {
    scn_lines_add(&world->failure,
                  "  no operation of the scenario: %lld things of the pool, %zu of the upstreams\n",
                  (long long)world->pool_calls->pending(world->pool),
                  fake_world_pending(world->upstreams));
  }
  scn_lines_add(&world->failure,
                "  give the operation a timeout, cancel it, or say how long to go on (run_for) if "
                "it is meant to stay pending\n");
}

/* ---- The end ------------------------------------------------------------------------------ */

static enum rep_verdict verdict_of(const struct scn_world *world) {
  if (world->broken) {
    return REP_ERROR;
  }
  if (world->hangs) {
    return REP_HANG;
  }
  return world->expectations_failed > 0 || world->violations_found > 0 ? REP_FAIL : REP_PASS;
}

enum rep_verdict scn_verdict_reach(struct scn_world *world) {
  const struct scn_scenario *scenario = world->scenario;
  scn_world_note(world,
                 &(struct scn_note){.kind = SIM_RUN_ENDED, .values = {(int64_t)world->pending, 0}});
  /* A run that a violation has stopped is not what they speak of. */
  if (!world->broken && world->violations_found == 0) {
    scn_verdict_judge(world, scenario->expectations, scenario->expectation_count, false);
  }
  return verdict_of(world);
}

void scn_verdict_finish(struct scn_world *world, struct rep_scenario *result) {
  begin_for(world, result);
  scn_verdict_reach(world);
  result->violations = world->violations;
  result->violation_count = world->violations_found;
  lend_ops(world, result);
  struct rep_metric *metrics = NULL;
  size_t size;
  if (!scn_metrics_rows(world, &metrics, &result->metric_count, &size)) {
    result->metric_count = 0;
    scn_world_break(world, NULL, "out of memory for the metrics of the result");
  }
  result->metrics = metrics;
  result->expectations = world->expectations.items;
  result->expectation_count = world->expectations.count;
  result->virtual_ns = world->now;
  result->verdict = verdict_of(world);
  if (result->verdict != REP_PASS) {
    result->failure =
        world->failure.data != NULL ? world->failure.data : "out of memory for the reason";
  }
  rep_timeline_sha256(world->trace, result->timeline_sha256);
}

void scn_verdict_no_memory(const struct scn_scenario *scenario, const struct scn_variant *variant,
                           struct sim_trace *trace, struct rep_scenario *result) {
  scn_verdict_begin(scenario, variant, trace, result);
  result->verdict = REP_ERROR;
  result->failure = "error: out of memory for the scenario's world";
  rep_timeline_sha256(trace, result->timeline_sha256);
}
