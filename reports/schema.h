/*
 * schema.h - the tables of a database: one list for their names, columns, SQL and order.
 *
 * A table's columns are written in the order of its list, here and in every statement that is
 * made from it. The same list makes a database file and the in-memory database that an
 * expectation's SQL sees. What the columns mean is said in reports/README.md.
 */
#ifndef REPORTS_SCHEMA_H
#define REPORTS_SCHEMA_H

#include <sqlite3.h>

/* "pool", so that a database of something else is recognised. */
#define REP_APPLICATION_ID 0x706f6f6c

/* X(name, declaration). A column without a type keeps what was written as it was written. */
#define REP_RUN_COLUMNS(X)       \
  X(id, "integer primary key")   \
  X(started_at, "text not null") \
  X(command, "text not null")    \
  X(version, "text not null")    \
  X(host, "text not null")       \
  X(finished_at, "text")

#define REP_SCENARIO_COLUMNS(X)                                                             \
  X(id, "integer primary key")                                                              \
  X(run_id, "integer not null references run (id)")                                         \
  X(name, "text not null")                                                                  \
  X(path, "text not null")                                                                  \
  X(variant, "text not null")                                                               \
  X(seed, "not null")                                                                       \
  X(schedule, "text")                                                                       \
  X(mode, "text not null")                                                                  \
  X(verdict, "text not null check (verdict in ('pass', 'fail', 'error', 'crash', 'hang'))") \
  X(failure, "text")                                                                        \
  X(virtual_ns, "integer not null")                                                         \
  X(wall_ns, "integer not null")                                                            \
  X(events, "integer not null")                                                             \
  X(timeline_sha256, "text")                                                                \
  X(source_sha256, "text references source (sha256)")

#define REP_OP_COLUMNS(X)                                     \
  X(scenario_id, "integer not null references scenario (id)") \
  X(seq, "integer not null")                                  \
  X(label, "text not null")                                   \
  X(kind, "text not null")                                    \
  X(account, "integer")                                       \
  X(started_ns, "integer not null")                           \
  X(ended_ns, "integer")                                      \
  X(result, "text not null")                                  \
  X(error_text, "text")                                       \
  X(status, "integer")                                        \
  X(conn, "text")                                             \
  X(reused, "integer")                                        \
  X(queue_wait_ns, "integer")                                 \
  X(conn_pick_ns, "integer")

#define REP_EVENT_COLUMNS(X)                                  \
  X(scenario_id, "integer not null references scenario (id)") \
  X(seq, "integer not null")                                  \
  X(t_ns, "integer not null")                                 \
  X(kind, "text not null")                                    \
  X(account, "integer")                                       \
  X(conn, "text")                                             \
  X(op, "text")                                               \
  X(detail, "text")

#define REP_METRIC_COLUMNS(X)                                 \
  X(scenario_id, "integer not null references scenario (id)") \
  X(t_ns, "integer not null")                                 \
  X(account, "integer")                                       \
  X(name, "text not null")                                    \
  X(value, "not null")

#define REP_EXPECTATION_COLUMNS(X)                            \
  X(scenario_id, "integer not null references scenario (id)") \
  X(idx, "integer not null")                                  \
  X(text, "text not null")                                    \
  X(passed, "integer not null")                               \
  X(actual, "text")

#define REP_VIOLATION_COLUMNS(X)                              \
  X(scenario_id, "integer not null references scenario (id)") \
  X(t_ns, "integer not null")                                 \
  X(invariant, "text not null")                               \
  X(detail, "text")

#define REP_EXPLORATION_COLUMNS(X)                            \
  X(scenario_id, "integer not null references scenario (id)") \
  X(strategy, "text not null")                                \
  X(runs, "integer not null")                                 \
  X(faulted, "integer not null")                              \
  X(schedules, "integer not null")                            \
  X(states, "integer")                                        \
  X(orders, "integer")                                        \
  X(complete, "integer not null")                             \
  X(events, "integer not null")                               \
  X(wall_ns, "integer not null")

#define REP_SHARD_COLUMNS(X)                        \
  X(run_id, "integer not null references run (id)") \
  X(shard, "integer not null")                      \
  X(shards, "integer not null")                     \
  X(runs, "integer not null")                       \
  X(plan_sha256, "text not null")

#define REP_SOURCE_COLUMNS(X)   \
  X(sha256, "text primary key") \
  X(text, "text not null")

/* X(enumerator, name, columns) */
#define REP_TABLE_LIST(X)                                          \
  X(REP_TABLE_RUN, "run", REP_RUN_COLUMNS)                         \
  X(REP_TABLE_SCENARIO, "scenario", REP_SCENARIO_COLUMNS)          \
  X(REP_TABLE_OP, "op", REP_OP_COLUMNS)                            \
  X(REP_TABLE_EVENT, "event", REP_EVENT_COLUMNS)                   \
  X(REP_TABLE_METRIC, "metric", REP_METRIC_COLUMNS)                \
  X(REP_TABLE_EXPECTATION, "expectation", REP_EXPECTATION_COLUMNS) \
  X(REP_TABLE_VIOLATION, "violation", REP_VIOLATION_COLUMNS)       \
  X(REP_TABLE_EXPLORATION, "exploration", REP_EXPLORATION_COLUMNS) \
  X(REP_TABLE_SOURCE, "source", REP_SOURCE_COLUMNS)                \
  X(REP_TABLE_SHARD, "shard", REP_SHARD_COLUMNS)

/* X(name, query) */
#define REP_VIEW_LIST(X)                                                                         \
  X("scenario_source",                                                                           \
    "select scenario.id as scenario_id, source.text as text "                                    \
    "from scenario join source on source.sha256 = scenario.source_sha256")                       \
  X("timeline",                                                                                  \
    "select event.scenario_id, scenario.name as scenario, event.seq, event.t_ns / 1e6 as t_ms, " \
    "event.kind, event.account, event.conn, event.op, event.detail "                             \
    "from event join scenario on scenario.id = event.scenario_id")

/* X(name, what it is on) */
#define REP_INDEX_LIST(X)                                        \
  X("scenario_by_run", "scenario (run_id)")                      \
  X("op_by_scenario", "op (scenario_id, seq)")                   \
  X("event_by_scenario", "event (scenario_id, seq)")             \
  X("metric_by_scenario", "metric (scenario_id, name)")          \
  X("expectation_by_scenario", "expectation (scenario_id, idx)") \
  X("violation_by_scenario", "violation (scenario_id, t_ns)")

enum rep_table {
#define REP_ENUMERATOR(id, name, columns) id,
  REP_TABLE_LIST(REP_ENUMERATOR)
#undef REP_ENUMERATOR
      REP_TABLE_COUNT
};

const char *rep_table_name(enum rep_table table);
int rep_table_columns(enum rep_table table);
/* Whether `name` is one of the tables or views, in any case of letters. */
int rep_schema_has(const char *name);

/* The following return SQLite's result codes. */

/* Makes the tables and views, in the caller's transaction. */
int rep_schema_create(sqlite3 *database);
/* Makes the indexes that are not there yet. */
int rep_schema_index(sqlite3 *database);
/* For reading where indexes are not there yet, because the run goes on or was killed: makes
 * temporary views that find a scenario's rows as fast. They have the tables' names, and the rows
 * that are there now. Nothing in the file changes. */
int rep_schema_bound(sqlite3 *database);
/* Prepares an insert of `rows` rows at once; `statement` is the caller's. */
int rep_schema_prepare_insert(sqlite3 *database, enum rep_table table, int rows,
                              sqlite3_stmt **statement);

#endif
