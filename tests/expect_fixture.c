/* expect_fixture.c - the run of expect_fixture.h. It tests nothing. */
#include "tests/expect_fixture.h"

#include <string.h>

#define ARENA_BYTES ((size_t)16 << 20)
#define TRACE_EVENTS 4096

static const struct rep_scenario *rows_of(void *context) {
  struct expect_fixture *fixture = context;
  return &fixture->rows;
}

bool expect_fixture_init(struct expect_fixture *fixture) {
  static const struct scn_account accounts[] = {{.account = {.id = 99}}};
  static const struct scn_upstream upstreams[] = {{.url = "default"}};
  *fixture = (struct expect_fixture){0};
  fixture->arena = sim_arena_create(ARENA_BYTES);
  fixture->trace = sim_trace_create(TRACE_EVENTS, false);
  if (fixture->arena != NULL && fixture->trace != NULL) {
    fixture->operations = scn_operations_create(fixture->arena, fixture->trace);
  }
  fixture->scenario = (struct scn_scenario){.path = "fixture.json",
                                            .name = "fixture",
                                            .accounts = accounts,
                                            .account_count = COUNT(accounts),
                                            .upstreams = upstreams,
                                            .upstream_count = COUNT(upstreams)};
  fixture->rows = (struct rep_scenario){.id = 1,
                                        .name = "fixture",
                                        .path = "fixture.json",
                                        .variant = "",
                                        .mode = "virtual",
                                        .trace = fixture->trace};
  fixture->view = (struct scn_view){.pool_calls = sim_pool_wspool(),
                                    .now = 100 * MS,
                                    .scenario = &fixture->scenario,
                                    .trace = fixture->trace,
                                    .operations = fixture->operations,
                                    .rows = rows_of,
                                    .rows_context = fixture};
  return fixture->trace != NULL && fixture->operations != NULL;
}

void expect_fixture_deinit(struct expect_fixture *fixture) {
  scn_judgement_deinit(&fixture->judgement);
  sim_trace_destroy(fixture->trace);
  sim_arena_destroy(fixture->arena);
}

void expect_fixture_event(struct expect_fixture *fixture, const struct event_given *given) {
  struct sim_event event = {.t_ns = given->t_ns,
                            .account = given->account,
                            .conn = sim_trace_intern(fixture->trace, given->conn),
                            .op = sim_trace_intern(fixture->trace, given->op),
                            .kind = (uint16_t)given->kind,
                            .cause = (uint16_t)given->cause};
  memcpy(event.values, given->values, sizeof event.values);
  event.texts[0] = sim_trace_intern(fixture->trace, given->texts[0]);
  event.texts[1] = sim_trace_intern(fixture->trace, given->texts[1]);
  (void)sim_trace_append(fixture->trace, &event);
}

struct scn_operation *expect_fixture_start(struct expect_fixture *fixture, const char *label,
                                           enum rep_op_kind kind, int64_t t_ns) {
  return scn_operations_add(fixture->operations, label, kind, 99, t_ns);
}

void expect_fixture_end(struct scn_operation *operation, int64_t t_ns, const char *result) {
  operation->record.ended_ns = t_ns;
  operation->record.result = result;
}

bool expect_holds(struct expect_fixture *fixture, const struct scn_expectation *expectation) {
  scn_judgement_deinit(&fixture->judgement);
  return scn_expectation_judge(&fixture->view, expectation, &fixture->judgement) &&
         fixture->judgement.passed;
}

struct scn_value value_integer(int64_t integer) {
  return (struct scn_value){.kind = SCN_INTEGER, .integer = integer};
}

struct scn_value value_decimal(int64_t billionths) {
  return (struct scn_value){.kind = SCN_DECIMAL, .integer = billionths};
}

struct scn_value value_duration(int64_t duration_ns) {
  return (struct scn_value){.kind = SCN_DURATION, .integer = duration_ns};
}

struct scn_value value_string(const char *text) {
  return (struct scn_value){.kind = SCN_STRING, .text = text};
}

struct scn_value value_bool(bool boolean) {
  return (struct scn_value){.kind = SCN_BOOL, .boolean = boolean};
}

struct scn_value value_null(void) {
  return (struct scn_value){.kind = SCN_NULL};
}
