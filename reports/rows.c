/*
 * rows.c - turns a scenario's run into rows.
 *
 * Rows go in many to a statement, which is what SQLite's speed hangs on. Texts are not copied:
 * they belong to the trace or the result and outlive the statement's step.
 */
#include "reports/rows.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/hash.h"

#define ROWS_PER_STATEMENT 50
#define DETAIL_SIZE 256

struct statements {
  sqlite3_stmt *one;
  sqlite3_stmt *many;
};

struct rep_rows {
  sqlite3 *database;
  struct statements statements[REP_TABLE_COUNT];
  char details[ROWS_PER_STATEMENT][DETAIL_SIZE];
};

/* Where the next value goes. The first failure stays. */
struct cursor {
  sqlite3_stmt *statement;
  int parameter;
  int result;
  char *detail;
  int64_t run_id;
  int64_t scenario_id;
  const char *source_sha256;
  uint64_t first_event;
  const struct rep_scenario *scenario;
};

typedef void (*row_function)(struct cursor *cursor, size_t index);

static void keep(struct cursor *cursor, int result) {
  if (cursor->result == SQLITE_OK) {
    cursor->result = result;
  }
}

static void put_integer(struct cursor *cursor, int64_t value) {
  keep(cursor, sqlite3_bind_int64(cursor->statement, cursor->parameter++, value));
}

static void put_null(struct cursor *cursor) {
  keep(cursor, sqlite3_bind_null(cursor->statement, cursor->parameter++));
}

static void put_integer_unless(struct cursor *cursor, int64_t value, int64_t none) {
  if (value == none) {
    put_null(cursor);
  } else {
    put_integer(cursor, value);
  }
}

/* NULL gives NULL. */
static void put_text(struct cursor *cursor, const char *text) {
  keep(cursor, sqlite3_bind_text(cursor->statement, cursor->parameter++, text, -1, SQLITE_STATIC));
}

static void put_text_unless_empty(struct cursor *cursor, const char *text) {
  put_text(cursor, text == NULL || text[0] == '\0' ? NULL : text);
}

static void put_detail(struct cursor *cursor, const struct sim_event *event) {
  const struct sim_trace *trace = cursor->scenario->trace;
  size_t size = sim_event_detail(trace, event, cursor->detail, DETAIL_SIZE);
  if (size < DETAIL_SIZE) {
    put_text_unless_empty(cursor, cursor->detail);
    return;
  }
  char *text = sqlite3_malloc64(size + 1);
  if (text == NULL) {
    keep(cursor, SQLITE_NOMEM);
    return;
  }
  sim_event_detail(trace, event, text, size + 1);
  keep(cursor,
       sqlite3_bind_text(cursor->statement, cursor->parameter++, text, (int)size, sqlite3_free));
}

static void put_event(struct cursor *cursor, size_t index) {
  const struct sim_trace *trace = cursor->scenario->trace;
  uint64_t number = cursor->first_event + index;
  const struct sim_event *event = &sim_trace_events(trace)[number];
  put_integer(cursor, cursor->scenario_id);
  put_integer(cursor, (int64_t)number + 1);
  put_integer(cursor, event->t_ns);
  const struct sim_event_type *type = sim_event_type(event->kind);
  put_text(cursor, type == NULL ? "unknown" : type->name);
  put_integer_unless(cursor, event->account, 0);
  put_text(cursor, event->conn == 0 ? NULL : sim_trace_string(trace, event->conn));
  put_text(cursor, event->op == 0 ? NULL : sim_trace_string(trace, event->op));
  put_detail(cursor, event);
}

static void put_op(struct cursor *cursor, size_t index) {
  const struct rep_op *op = cursor->scenario->ops[index];
  put_integer(cursor, cursor->scenario_id);
  put_integer(cursor, (int64_t)index + 1);
  put_text(cursor, op->label);
  put_text(cursor, rep_op_kind_name(op->kind));
  put_integer_unless(cursor, op->account, 0);
  put_integer(cursor, op->started_ns);
  put_integer_unless(cursor, op->ended_ns, -1);
  put_text(cursor, op->result);
  put_text_unless_empty(cursor, op->error_text);
  put_integer_unless(cursor, op->status, 0);
  put_text_unless_empty(cursor, op->conn);
  put_integer_unless(cursor, op->reused, -1);
  put_integer_unless(cursor, op->queue_wait_ns, -1);
  put_integer_unless(cursor, op->conn_pick_ns, -1);
}

static void put_metric(struct cursor *cursor, size_t index) {
  const struct rep_metric *metric = &cursor->scenario->metrics[index];
  put_integer(cursor, cursor->scenario_id);
  put_integer(cursor, metric->t_ns);
  put_integer_unless(cursor, metric->account, 0);
  put_text(cursor, metric->name);
  if (metric->billionths) {
    keep(cursor, sqlite3_bind_double(cursor->statement, cursor->parameter++,
                                     (double)metric->value / (double)WSP_DECIMAL_ONE));
  } else {
    put_integer(cursor, metric->value);
  }
}

static void put_expectation(struct cursor *cursor, size_t index) {
  const struct rep_expectation *expectation = &cursor->scenario->expectations[index];
  put_integer(cursor, cursor->scenario_id);
  put_integer(cursor, expectation->index);
  put_text(cursor, expectation->text);
  put_integer(cursor, expectation->passed);
  put_text(cursor, expectation->actual);
}

static void put_violation(struct cursor *cursor, size_t index) {
  const struct rep_violation *violation = &cursor->scenario->violations[index];
  put_integer(cursor, cursor->scenario_id);
  put_integer(cursor, violation->t_ns);
  put_text(cursor, violation->invariant);
  put_text_unless_empty(cursor, violation->detail);
}

/* SQLite's integers are signed; a seed beyond them is kept as its digits. */
static void put_seed(struct cursor *cursor, uint64_t seed) {
  if (seed <= INT64_MAX) {
    put_integer(cursor, (int64_t)seed);
    return;
  }
  snprintf(cursor->detail, DETAIL_SIZE, "%llu", (unsigned long long)seed);
  put_text(cursor, cursor->detail);
}

static void put_scenario(struct cursor *cursor, size_t index) {
  (void)index;
  const struct rep_scenario *scenario = cursor->scenario;
  put_integer(cursor, cursor->scenario_id);
  put_integer(cursor, cursor->run_id);
  put_text(cursor, scenario->name);
  put_text(cursor, scenario->path);
  put_text(cursor, scenario->variant == NULL ? "" : scenario->variant);
  put_seed(cursor, scenario->seed);
  put_text(cursor, scenario->schedule);
  put_text(cursor, scenario->mode);
  put_text(cursor, rep_verdict_name(scenario->verdict));
  put_text_unless_empty(cursor, scenario->failure);
  put_integer(cursor, scenario->virtual_ns);
  put_integer(cursor, scenario->wall_ns);
  put_integer(cursor, scenario->trace == NULL ? 0 : (int64_t)sim_trace_count(scenario->trace));
  put_text_unless_empty(cursor, scenario->timeline_sha256);
  put_text_unless_empty(cursor, cursor->source_sha256);
}

static void put_exploration(struct cursor *cursor, size_t index) {
  (void)index;
  const struct rep_exploration *exploration = &cursor->scenario->exploration;
  put_integer(cursor, cursor->scenario_id);
  put_text(cursor, exploration->strategy);
  put_integer(cursor, (int64_t)exploration->runs);
  put_integer(cursor, (int64_t)exploration->faulted);
  put_integer(cursor, (int64_t)exploration->schedules);
  put_integer_unless(cursor, (int64_t)exploration->states, 0);
  put_integer_unless(cursor, (int64_t)exploration->orders, 0);
  put_integer(cursor, exploration->complete);
  put_integer(cursor, (int64_t)exploration->events);
  put_integer(cursor, exploration->wall_ns);
}

static int prepare(struct rep_rows *rows, enum rep_table table, bool many,
                   sqlite3_stmt **statement) {
  sqlite3_stmt **kept = many ? &rows->statements[table].many : &rows->statements[table].one;
  int result = SQLITE_OK;
  if (*kept == NULL) {
    result = rep_schema_prepare_insert(rows->database, table, many ? ROWS_PER_STATEMENT : 1, kept);
  }
  *statement = *kept;
  return result;
}

static int step(sqlite3_stmt *statement) {
  sqlite3_step(statement);
  return sqlite3_reset(statement);
}

static int insert(struct rep_rows *rows, enum rep_table table, const struct cursor *context,
                  size_t count, row_function put_row) {
  size_t done = 0;
  while (done < count) {
    bool many = count - done >= ROWS_PER_STATEMENT;
    size_t batch = many ? ROWS_PER_STATEMENT : 1;
    struct cursor cursor = *context;
    int result = prepare(rows, table, many, &cursor.statement);
    if (result != SQLITE_OK) {
      return result;
    }
    cursor.parameter = 1;
    for (size_t row = 0; row < batch; row++) {
      cursor.detail = rows->details[row];
      put_row(&cursor, done + row);
    }
    result = cursor.result == SQLITE_OK ? step(cursor.statement) : cursor.result;
    if (result != SQLITE_OK) {
      return result;
    }
    done += batch;
  }
  return SQLITE_OK;
}

/* The text of a file is kept once, however many variants and runs it had. */
static int insert_source(struct rep_rows *rows, const char *source, char hex[65]) {
  hex[0] = '\0';
  if (source == NULL) {
    return SQLITE_OK;
  }
  size_t size = strlen(source);
  rep_sha256(source, size, hex);
  if (hex[0] == '\0') {
    return SQLITE_NOMEM;
  }
  sqlite3_stmt **statement = &rows->statements[REP_TABLE_SOURCE].one;
  int result = SQLITE_OK;
  if (*statement == NULL) {
    result = sqlite3_prepare_v3(rows->database, "insert or ignore into source values (?, ?)", -1,
                                SQLITE_PREPARE_PERSISTENT, statement, NULL);
  }
  if (result != SQLITE_OK) {
    return result;
  }
  sqlite3_bind_text(*statement, 1, hex, -1, SQLITE_STATIC);
  sqlite3_bind_text64(*statement, 2, source, size, SQLITE_STATIC, SQLITE_UTF8);
  return step(*statement);
}

int rep_rows_create(sqlite3 *database, struct rep_rows **rows) {
  *rows = calloc(1, sizeof **rows);
  if (*rows == NULL) {
    return SQLITE_NOMEM;
  }
  (*rows)->database = database;
  return SQLITE_OK;
}

void rep_rows_destroy(struct rep_rows *rows) {
  if (rows == NULL) {
    return;
  }
  for (size_t i = 0; i < REP_TABLE_COUNT; i++) {
    sqlite3_finalize(rows->statements[i].one);
    sqlite3_finalize(rows->statements[i].many);
  }
  free(rows);
}

int rep_rows_write(struct rep_rows *rows, int64_t run_id, int64_t scenario_id,
                   const struct rep_scenario *scenario, uint64_t first_event) {
  char source_sha256[65];
  int result = insert_source(rows, scenario->source, source_sha256);
  uint64_t events = scenario->trace == NULL ? 0 : sim_trace_count(scenario->trace);
  assert(first_event <= events);
  const struct cursor context = {.run_id = run_id,
                                 .scenario_id = scenario_id,
                                 .source_sha256 = source_sha256,
                                 .first_event = first_event,
                                 .scenario = scenario};
  const struct {
    enum rep_table table;
    size_t count;
    row_function put_row;
  } parts[] = {
      {REP_TABLE_SCENARIO, 1, put_scenario},
      {REP_TABLE_OP, scenario->op_count, put_op},
      {REP_TABLE_EVENT, (size_t)(events - first_event), put_event},
      {REP_TABLE_METRIC, scenario->metric_count, put_metric},
      {REP_TABLE_EXPECTATION, scenario->expectation_count, put_expectation},
      {REP_TABLE_VIOLATION, scenario->violation_count, put_violation},
      {REP_TABLE_EXPLORATION, scenario->exploration.strategy != NULL, put_exploration},
  };
  for (size_t i = 0; i < sizeof parts / sizeof *parts && result == SQLITE_OK; i++) {
    result = insert(rows, parts[i].table, &context, parts[i].count, parts[i].put_row);
  }
  return result;
}
