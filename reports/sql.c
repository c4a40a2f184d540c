/*
 * sql.c - runs an expectation's SQL over the rows of its scenario.
 *
 * A query may read these tables and call functions whose value is always the same; SQLite's
 * authorizer refuses the rest. A query that does not end is stopped after a number of steps of
 * SQLite's machine, not after a time, so that it fails on every machine or on none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/recorder.h"
#include "reports/rows.h"

#define STEPS_PER_CALL 1000
#define MOST_STEPS 200000000 /* about five seconds on a small machine */

/* Keeps replace() and its like from using up the memory. */
#define LONGEST_VALUE (16 << 20)

struct rep_sql {
  sqlite3 *database;
  struct rep_rows *rows;
  uint64_t events; /* that are there already */
  bool restricted; /* a user's statement is being prepared or run */
  uint32_t reads;  /* the tables that it reads: a bit for each */
  int64_t steps;
  int64_t most_steps;
  char refused[160]; /* what the authorizer has refused; "": nothing */
};

static bool is_unpredictable(const char *function) {
  static const char *const names[] = {
      "random",       "randomblob",        "load_extension", "date",           "time",
      "datetime",     "julianday",         "unixepoch",      "strftime",       "current_date",
      "current_time", "current_timestamp", "changes",        "timediff",       "total_changes",
      "sqlite_log",   "last_insert_rowid", "sqlite_version", "fts3_tokenizer", "sqlite_source_id"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (sqlite3_stricmp(function, names[i]) == 0) {
      return true;
    }
  }
  return false;
}

static bool may_read(const char *table) {
  return table == NULL || rep_schema_has(table) || sqlite3_stricmp(table, "json_each") == 0 ||
         sqlite3_stricmp(table, "json_tree") == 0;
}

#define ALL_TABLES ((UINT32_C(1) << REP_TABLE_COUNT) - 1)

static bool reads(uint32_t tables, enum rep_table table) {
  return (tables >> table & 1) != 0;
}

/* A view's own tables come here, too. */
static void note_table(struct rep_sql *sql, const char *name) {
  for (enum rep_table table = 0; table < REP_TABLE_COUNT; table++) {
    if (name != NULL && sqlite3_stricmp(name, rep_table_name(table)) == 0) {
      sql->reads |= UINT32_C(1) << table;
    }
  }
}

static void refuse(struct rep_sql *sql, const char *what, const char *name) {
  if (sql->refused[0] == '\0') {
    snprintf(sql->refused, sizeof sql->refused, "%s%.100s", what, name == NULL ? "" : name);
  }
}

static int authorize(void *context, int action, const char *first, const char *second,
                     const char *database, const char *trigger) {
  struct rep_sql *sql = context;
  (void)database;
  (void)trigger;
  if (!sql->restricted || action == SQLITE_SELECT || action == SQLITE_RECURSIVE) {
    return SQLITE_OK;
  }
  if (action == SQLITE_READ) {
    if (may_read(first)) {
      note_table(sql, first);
      return SQLITE_OK;
    }
    refuse(sql, "the table ", first);
  } else if (action == SQLITE_FUNCTION) {
    if (!is_unpredictable(second)) {
      return SQLITE_OK;
    }
    refuse(sql, "the function ", second);
  } else {
    refuse(sql, "a statement that is no query", NULL);
  }
  return SQLITE_DENY;
}

static int count_steps(void *context) {
  struct rep_sql *sql = context;
  sql->steps += STEPS_PER_CALL;
  return sql->restricted && sql->steps > sql->most_steps;
}

static void explain(const struct rep_sql *sql, int result, char *message, size_t size) {
  if (sql->refused[0] != '\0') {
    snprintf(message, size,
             "one select over the tables of a run was expected (run, scenario, op, event, metric, "
             "expectation, violation; no random(), no dates), found %s",
             sql->refused);
  } else if (result == SQLITE_INTERRUPT) {
    snprintf(message, size,
             "the SQL was stopped after %lld steps: it does not end, or joins tables without a "
             "condition; give it one",
             (long long)sql->most_steps);
  } else {
    snprintf(message, size, "the SQL is wrong: %s", sqlite3_errmsg(sql->database));
  }
}

static bool fail(struct rep_sql *sql, char *message, size_t size) {
  snprintf(message, size, "the rows for SQL can not be kept: %s", sqlite3_errmsg(sql->database));
  if (!sqlite3_get_autocommit(sql->database)) {
    sqlite3_exec(sql->database, "rollback", NULL, NULL, NULL);
  }
  return false;
}

/* SQLite declares these two when they are first used, which the authorizer would refuse. */
static int declare_json_tables(sqlite3 *database) {
  return sqlite3_exec(database, "select 1 from json_each('[]'), json_tree('[]')", NULL, NULL, NULL);
}

struct rep_sql *rep_sql_open(void) {
  struct rep_sql *sql = calloc(1, sizeof *sql);
  if (sql == NULL) {
    return NULL;
  }
  if (sqlite3_open_v2(":memory:", &sql->database,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                      NULL) != SQLITE_OK ||
      rep_schema_create(sql->database) != SQLITE_OK ||
      declare_json_tables(sql->database) != SQLITE_OK ||
      rep_rows_create(sql->database, &sql->rows) != SQLITE_OK ||
      sqlite3_set_authorizer(sql->database, authorize, sql) != SQLITE_OK) {
    rep_sql_close(sql);
    return NULL;
  }
  sql->most_steps = MOST_STEPS;
  sqlite3_limit(sql->database, SQLITE_LIMIT_LENGTH, LONGEST_VALUE);
  sqlite3_progress_handler(sql->database, STEPS_PER_CALL, count_steps, sql);
  return sql;
}

void rep_sql_close(struct rep_sql *sql) {
  if (sql != NULL) {
    rep_rows_destroy(sql->rows);
    sqlite3_close(sql->database);
    free(sql);
  }
}

void rep_sql_limit(struct rep_sql *sql, int64_t most_steps) {
  sql->most_steps = most_steps;
}

static int clear(struct rep_sql *sql, bool with_events) {
  int result = SQLITE_OK;
  for (enum rep_table table = 0; table < REP_TABLE_COUNT && result == SQLITE_OK; table++) {
    char text[64];
    if (table != REP_TABLE_EVENT || with_events) {
      snprintf(text, sizeof text, "delete from %s", rep_table_name(table));
      result = sqlite3_exec(sql->database, text, NULL, NULL, NULL);
    }
  }
  return result;
}

bool rep_sql_reset(struct rep_sql *sql, char *message, size_t size) {
  if (clear(sql, true) != SQLITE_OK) {
    return fail(sql, message, size);
  }
  sql->events = 0;
  return true;
}

/* Loads these tables; the others are empty. */
static bool load(struct rep_sql *sql, const struct rep_scenario *scenario, uint32_t tables,
                 char *message, size_t size) {
  uint64_t events = scenario->trace == NULL ? 0 : sim_trace_count(scenario->trace);
  struct rep_scenario steady = *scenario;
  steady.wall_ns = 0;
  steady.source = NULL;
  steady.op_count = reads(tables, REP_TABLE_OP) ? scenario->op_count : 0;
  steady.metric_count = reads(tables, REP_TABLE_METRIC) ? scenario->metric_count : 0;
  steady.expectation_count = reads(tables, REP_TABLE_EXPECTATION) ? scenario->expectation_count : 0;
  steady.violation_count = reads(tables, REP_TABLE_VIOLATION) ? scenario->violation_count : 0;
  int result = sqlite3_exec(sql->database, "begin", NULL, NULL, NULL);
  if (result == SQLITE_OK) {
    result = clear(sql, false);
  }
  if (result == SQLITE_OK) {
    result = rep_rows_write(sql->rows, 1, scenario->id, &steady,
                            reads(tables, REP_TABLE_EVENT) ? sql->events : events);
  }
  if (result == SQLITE_OK) {
    result = sqlite3_exec(sql->database, "commit", NULL, NULL, NULL);
  }
  if (result != SQLITE_OK) {
    return fail(sql, message, size);
  }
  sql->events = events;
  return true;
}

bool rep_sql_load(struct rep_sql *sql, const struct rep_scenario *scenario, char *message,
                  size_t size) {
  return load(sql, scenario, ALL_TABLES, message, size);
}

/* Whether nothing but white space, comments and semicolons is left. */
static bool is_rest_empty(struct rep_sql *sql, const char *rest) {
  while (*rest != '\0') {
    sqlite3_stmt *statement;
    const char *tail;
    int result = sqlite3_prepare_v2(sql->database, rest, -1, &statement, &tail);
    sqlite3_finalize(statement);
    if (result != SQLITE_OK || statement != NULL) {
      return false;
    }
    rest = tail;
  }
  return true;
}

/* The one statement in `query`, or NULL after `message` was filled. */
static sqlite3_stmt *prepare(struct rep_sql *sql, const char *query, char *message, size_t size) {
  sqlite3_stmt *statement;
  const char *rest;
  sql->refused[0] = '\0';
  sql->reads = 0;
  int result = sqlite3_prepare_v2(sql->database, query, -1, &statement, &rest);
  if (result != SQLITE_OK) {
    explain(sql, result, message, size);
  } else if (statement == NULL) {
    snprintf(message, size, "the SQL is empty: one select was expected");
  } else if (!is_rest_empty(sql, rest)) {
    snprintf(message, size,
             "one statement was expected, found another behind its semicolon: write one select");
  } else if (sqlite3_bind_parameter_count(statement) > 0) {
    snprintf(message, size, "the SQL has a parameter (%s), and nothing gives it a value: write it",
             sqlite3_bind_parameter_name(statement, 1) == NULL
                 ? "?"
                 : sqlite3_bind_parameter_name(statement, 1));
  } else if (sqlite3_column_count(statement) == 0 || !sqlite3_stmt_readonly(statement) ||
             sqlite3_stmt_isexplain(statement)) {
    snprintf(message, size,
             "one select was expected, found a statement that gives no rows of its "
             "own: write a select");
  } else {
    return statement;
  }
  sqlite3_finalize(statement);
  return NULL;
}

static bool read_text(sqlite3_stmt *statement, struct rep_sql_value *value, char *message,
                      size_t size) {
  const char *text = (const char *)sqlite3_column_text(statement, 0);
  size_t length = (size_t)sqlite3_column_bytes(statement, 0);
  if (text == NULL) {
    snprintf(message, size, "there is not enough memory for the SQL's value");
    return false;
  }
  if (length >= sizeof value->text) {
    snprintf(message, size,
             "the SQL gives a text of %zu bytes, and at most %zu can be compared: use substr()",
             length, sizeof value->text - 1);
    return false;
  }
  value->kind = REP_SQL_TEXT;
  memcpy(value->text, text, length);
  value->text[length] = '\0';
  return true;
}

static bool read_value(sqlite3_stmt *statement, struct rep_sql_value *value, char *message,
                       size_t size) {
  switch (sqlite3_column_type(statement, 0)) {
    case SQLITE_NULL:
      value->kind = REP_SQL_NULL;
      return true;
    case SQLITE_INTEGER:
      value->kind = REP_SQL_INTEGER;
      value->integer = sqlite3_column_int64(statement, 0);
      return true;
    case SQLITE_FLOAT:
      value->kind = REP_SQL_REAL;
      value->real = sqlite3_column_double(statement, 0);
      return true;
    case SQLITE_TEXT:
      return read_text(statement, value, message, size);
    default:
      snprintf(message, size, "the SQL gives a blob, which compares with nothing: use hex()");
      return false;
  }
}

bool rep_sql_run(struct rep_sql *sql, const char *query, struct rep_sql_value *value, char *message,
                 size_t size) {
  bool found = false;
  memset(value, 0, sizeof *value);
  sql->steps = 0;
  sql->restricted = true;
  sqlite3_stmt *statement = prepare(sql, query, message, size);
  if (statement != NULL) {
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
      found = read_value(statement, value, message, size);
    } else if (result == SQLITE_DONE) {
      snprintf(message, size,
               "the SQL gives no row, and one value was expected: count(*) and other aggregates "
               "always give one");
    } else {
      explain(sql, result, message, size);
    }
  }
  sqlite3_finalize(statement);
  sql->restricted = false;
  return found;
}

bool rep_sql_query(const struct rep_scenario *scenario, const char *sql,
                   struct rep_sql_value *value, char *message, size_t size) {
  struct rep_sql *database = rep_sql_open();
  if (database == NULL) {
    snprintf(message, size, "there is not enough memory for the rows of SQL");
    return false;
  }
  /* A table of ten thousand events takes longer to fill than the whole run took. */
  bool found = rep_sql_check(database, sql, message, size) &&
               load(database, scenario, database->reads, message, size) &&
               rep_sql_run(database, sql, value, message, size);
  rep_sql_close(database);
  return found;
}

bool rep_sql_check(struct rep_sql *sql, const char *query, char *message, size_t size) {
  sql->restricted = true;
  sqlite3_stmt *statement = prepare(sql, query, message, size);
  sqlite3_finalize(statement);
  sql->restricted = false;
  return statement != NULL;
}
