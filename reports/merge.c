/*
 * merge.c - the databases of shards, as one.
 *
 * What belongs together is found by the plan's hash, never by names of files. The k-th result of
 * shard I of N is that of run (k - 1) * N + I of the plan, so every result has its place, and
 * results for one place can be held against each other, whatever the number of shards was.
 *
 * The inputs are attached one after the other, since SQLite attaches ten at most; what is known of
 * them lies in temporary tables. The output is a new file that takes the old one's name at the end.
 */
#define _POSIX_C_SOURCE 200809L
#include "reports/merge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "reports/database.h"
#include "reports/schema.h"

struct merge {
  sqlite3 *database; /* the output to be */
  const char *output;
  const char *const *paths;
  size_t count;
  bool has_output; /* it existed, and is the first input */
  char *message;
  size_t size;
};

static const char tables_sql[] =
    "pragma journal_mode = off; pragma synchronous = off; pragma temp_store = memory;"
    "create temp table part (input, run_id, shard, shards, runs, plan, version, command, "
    "started_at,"
    "  finished_at, host, results);"
    "create temp table result (plan, position, input, run_id, scenario_id, name, variant, seed,"
    "  outcome, verdict);"
    "create temp table merged (new_id integer primary key, new_run, plan, input, run_id,"
    "  scenario_id);";

/* A run without results that never told its shard was stopped before it began. */
static const char collect_parts_sql[] =
    "insert into part select ?1, run.id, shard.shard, shard.shards, shard.runs, shard.plan_sha256,"
    "  run.version, run.command, run.started_at, run.finished_at, run.host,"
    "  (select count(*) from input.scenario where run_id = run.id)"
    " from input.run left join input.shard on shard.run_id = run.id order by run.id";

static const char collect_results_sql[] =
    "insert into result select plan, (row_number() over (partition by part.run_id order by id) - 1)"
    "    * shards + shard - 1,"
    "  input, part.run_id, id, name, variant, seed,"
    "  verdict || ' ' || ifnull(timeline_sha256, '') || ' ' || ifnull(schedule, ''), verdict"
    " from part join input.scenario on scenario.run_id = part.run_id"
    " where input = ?1 and finished_at is not null and results = runs";

/* Of several results for a place, that of the first input; plans in the order in which they come.
 */
static const char choose_sql[] =
    "insert into merged select row_number() over (order by first.at, position), first.number, plan,"
    "  input, run_id, scenario_id"
    " from (select *, row_number() over (partition by plan, position order by input, run_id,"
    "         scenario_id) as copy from result) as all_of_them"
    " join (select plan as plan_, min(rowid) as at, row_number() over (order by min(rowid)) as "
    "number"
    "         from part where plan is not null group by plan) as first on first.plan_ = plan"
    " where copy = 1";

static const char write_runs_sql[] =
    "insert into main.run select new_run, min(started_at),"
    "  (select command from part as p where p.plan = plan_ order by p.rowid limit 1), version,"
    "  (select group_concat(host, '; ') from (select distinct p.host from part as p"
    "     join (select distinct input, run_id from merged where new_run = outer_run) as m"
    "     on m.input = p.input and m.run_id = p.run_id order by p.shard)),"
    "  max(finished_at)"
    " from (select distinct new_run, new_run as outer_run, merged.plan as plan_, part.* from merged"
    "       join part on part.input = merged.input and part.run_id = merged.run_id)"
    " group by new_run order by new_run";

static const char write_shards_sql[] =
    "insert into main.shard select new_run, 1, 1, count(*), plan from merged group by new_run"
    " order by new_run";

static const char versions_sql[] =
    "select a.version, a.input, b.version, b.input from part as a join part as b on a.plan = b.plan"
    " where a.version <> b.version order by a.rowid, b.rowid limit 1";

static const char disagreement_sql[] =
    "select a.name || iif(a.variant = '', '', ' [' || a.variant || ']'), a.outcome, a.input,"
    "  b.outcome, b.input"
    " from result as a join result as b on a.plan = b.plan and a.position = b.position"
    " where a.outcome <> b.outcome or a.name <> b.name or a.variant <> b.variant"
    "   or a.seed <> b.seed"
    " order by a.rowid, b.rowid limit 1";

/* Of each plan that has no number of shards of which all are there: the number of which most are,
 * and those that are not. A shard that is empty has no results, but its part is there. */
static const char missing_sql[] =
    "with whole as (select distinct plan, shards, shard from part"
    "    where finished_at is not null and results = runs),"
    "  counted as (select plan, shards, count(*) as there from whole group by plan, shards"
    "    union select plan, shards, 0 from part where plan is not null),"
    "  best as (select plan, shards, max(there) as there from counted as c where not exists"
    "    (select 1 from counted where plan = c.plan and there = shards) group by plan)"
    " select plan, shards, there,"
    "  (with recursive number(i) as (select 1 union all select i + 1 from number where i < shards)"
    "   select group_concat(i, ', ') from (select i from number where not exists (select 1 from "
    "whole"
    "     where whole.plan = best.plan and whole.shards = best.shards and shard = i) limit 20)),"
    "  (select command from part where part.plan = best.plan order by rowid limit 1)"
    " from best limit 1";

/* ---- SQL ----------------------------------------------------------------------------------- */

static bool explain(struct merge *merge, int result, const char *doing, const char *path) {
  rep_database_explain(merge->database, result, doing, path, merge->message, merge->size);
  return false;
}

static sqlite3_stmt *prepare(struct merge *merge, const char *sql) {
  sqlite3_stmt *statement = NULL;
  int result = sqlite3_prepare_v2(merge->database, sql, -1, &statement, NULL);
  if (result != SQLITE_OK) {
    explain(merge, result, "merge into", merge->output);
  }
  return statement;
}

/* Runs one statement; parameter 1, if it has one, is the number of an input. */
static bool execute(struct merge *merge, const char *sql, size_t input) {
  sqlite3_stmt *statement = prepare(merge, sql);
  if (statement == NULL) {
    return false;
  }
  sqlite3_bind_int64(statement, 1, (sqlite3_int64)input);
  sqlite3_step(statement);
  int result = sqlite3_finalize(statement);
  return result == SQLITE_OK || explain(merge, result, "merge into", merge->output);
}

static bool execute_all(struct merge *merge, const char *sql) {
  int result = sqlite3_exec(merge->database, sql, NULL, NULL, NULL);
  return result == SQLITE_OK || explain(merge, result, "merge into", merge->output);
}

static int64_t count(struct merge *merge, const char *sql) {
  sqlite3_stmt *statement = prepare(merge, sql);
  int64_t number = 0;
  if (statement != NULL && sqlite3_step(statement) == SQLITE_ROW) {
    number = sqlite3_column_int64(statement, 0);
  }
  sqlite3_finalize(statement);
  return number;
}

static const char *path_of(const struct merge *merge, size_t input) {
  if (merge->has_output) {
    return input == 0 ? merge->output : merge->paths[input - 1];
  }
  return merge->paths[input];
}

/* ---- Inputs -------------------------------------------------------------------------------- */

static bool attach(struct merge *merge, size_t input) {
  const char *path = path_of(merge, input);
  sqlite3_stmt *statement = prepare(merge, "attach ?1 as input");
  if (statement == NULL) {
    return false;
  }
  char *name = sqlite3_mprintf("%s%s", path[0] == '/' ? "" : "./", path);
  sqlite3_bind_text(statement, 1, name, -1, sqlite3_free);
  sqlite3_step(statement);
  int result = sqlite3_finalize(statement);
  return result == SQLITE_OK || explain(merge, result, "read", path);
}

static bool for_each_input(struct merge *merge, bool (*use)(struct merge *merge, size_t input)) {
  size_t inputs = merge->count + merge->has_output;
  for (size_t i = 0; i < inputs; i++) {
    if (!attach(merge, i)) {
      return false;
    }
    bool used = execute_all(merge, "begin") && use(merge, i) && execute_all(merge, "commit");
    if (!used || !execute_all(merge, "detach input")) {
      return false;
    }
  }
  return true;
}

static bool collect(struct merge *merge, size_t input) {
  return execute(merge, collect_parts_sql, input) && execute(merge, collect_results_sql, input);
}

/* Every table with the column scenario_id, its numbers changed to those of the merged runs. */
static bool copy_table(struct merge *merge, enum rep_table table, size_t input) {
  const char *name = rep_table_name(table);
  sqlite3_str *columns = sqlite3_str_new(merge->database);
  char *sql = sqlite3_mprintf("pragma main.table_info(%s)", name);
  sqlite3_stmt *info = sql == NULL ? NULL : prepare(merge, sql);
  sqlite3_free(sql);
  while (info != NULL && sqlite3_step(info) == SQLITE_ROW) {
    const char *column = (const char *)sqlite3_column_text(info, 1);
    const char *separator = sqlite3_str_length(columns) == 0 ? "" : ", ";
    if (strcmp(column, "scenario_id") == 0 || strcmp(column, "id") == 0) {
      sqlite3_str_appendf(columns, "%snew_id", separator);
    } else if (strcmp(column, "run_id") == 0) {
      sqlite3_str_appendf(columns, "%snew_run", separator);
    } else {
      sqlite3_str_appendf(columns, "%st.%s", separator, column);
    }
  }
  sqlite3_finalize(info);
  char *list = sqlite3_str_finish(columns);
  sql = list == NULL ? NULL
                     : sqlite3_mprintf(
                           "insert into main.%s select %s from merged join input.%s as t "
                           "on t.%s = merged.scenario_id where merged.input = ?1 "
                           "order by new_id, t.rowid",
                           name, list, name, table == REP_TABLE_SCENARIO ? "id" : "scenario_id");
  bool copied = sql == NULL ? explain(merge, SQLITE_NOMEM, "merge into", merge->output)
                            : execute(merge, sql, input);
  sqlite3_free(sql);
  sqlite3_free(list);
  return copied;
}

static bool copy(struct merge *merge, size_t input) {
  static const enum rep_table tables[] = {
      REP_TABLE_SCENARIO,    REP_TABLE_OP,        REP_TABLE_EVENT,      REP_TABLE_METRIC,
      REP_TABLE_EXPECTATION, REP_TABLE_VIOLATION, REP_TABLE_EXPLORATION};
  bool copied =
      execute(merge,
              "insert or ignore into main.source select s.* from input.source as s where "
              "s.sha256 in (select source_sha256 from merged join input.scenario on "
              "scenario.id = merged.scenario_id where merged.input = ?1) order by s.rowid",
              input);
  for (size_t i = 0; i < sizeof tables / sizeof *tables && copied; i++) {
    copied = copy_table(merge, tables[i], input);
  }
  return copied;
}

/* ---- What does not fit --------------------------------------------------------------------- */

static const char *text_of(sqlite3_stmt *row, int column) {
  const char *text = (const char *)sqlite3_column_text(row, column);
  return text == NULL ? "" : text;
}

static void tell_versions(struct merge *merge, sqlite3_stmt *row) {
  snprintf(
      merge->message, merge->size,
      "expected shards that one version made; found version %s in '%s' and version %s in '%s'; "
      "run those of one of them anew",
      text_of(row, 0), path_of(merge, (size_t)sqlite3_column_int64(row, 1)), text_of(row, 2),
      path_of(merge, (size_t)sqlite3_column_int64(row, 3)));
}

static void tell_disagreement(struct merge *merge, sqlite3_stmt *row) {
  snprintf(merge->message, merge->size,
           "expected one result for '%s'; found '%s' in '%s' and '%s' in '%s': the same version, "
           "file and seed must give the same; `compare` shows the first event that differs",
           text_of(row, 0), text_of(row, 1), path_of(merge, (size_t)sqlite3_column_int64(row, 2)),
           text_of(row, 3), path_of(merge, (size_t)sqlite3_column_int64(row, 4)));
}

static void tell_missing(struct merge *merge, sqlite3_stmt *row) {
  snprintf(merge->message, merge->size,
           "expected all %lld shards of \"%s\"; found %lld, whole; missing or stopped before their "
           "end: %s; nothing was written",
           (long long)sqlite3_column_int64(row, 1), text_of(row, 4),
           (long long)sqlite3_column_int64(row, 2), text_of(row, 3));
}

/* Whether the query finds nothing, or what it finds was told. `*end` says which. */
static bool finds_nothing(struct merge *merge, const char *sql,
                          void (*tell)(struct merge *merge, sqlite3_stmt *row),
                          enum rep_merge_end *end) {
  sqlite3_stmt *statement = prepare(merge, sql);
  *end = REP_MERGE_FAILED;
  if (statement == NULL) {
    return false;
  }
  int result = sqlite3_step(statement);
  if (result == SQLITE_ROW) {
    *end = REP_MERGE_REFUSED;
    tell(merge, statement);
  } else if (result != SQLITE_DONE) {
    explain(merge, result, "merge into", merge->output);
  }
  sqlite3_finalize(statement);
  return result == SQLITE_DONE;
}

/* ---- Merging ------------------------------------------------------------------------------- */

static enum rep_merge_end merge_into(struct merge *merge, struct rep_merged *merged) {
  enum rep_merge_end end = REP_MERGE_FAILED;
  if (!execute_all(merge, tables_sql) || !for_each_input(merge, collect) ||
      !finds_nothing(merge, versions_sql, tell_versions, &end) ||
      !finds_nothing(merge, missing_sql, tell_missing, &end) ||
      !execute_all(merge, "create index temp.result_by_place on result (plan, position)") ||
      !finds_nothing(merge, disagreement_sql, tell_disagreement, &end)) {
    return end;
  }
  if (!execute(merge, choose_sql, 0) ||
      !execute_all(merge, "create index temp.merged_by_input on merged (input, scenario_id)") ||
      !execute(merge, write_runs_sql, 0) || !execute(merge, write_shards_sql, 0) ||
      !for_each_input(merge, copy)) {
    return REP_MERGE_FAILED;
  }
  int result = rep_schema_index(merge->database);
  if (result != SQLITE_OK) {
    explain(merge, result, "make the indexes of", merge->output);
    return REP_MERGE_FAILED;
  }
  merged->plans = count(merge, "select count(distinct new_run) from merged");
  merged->scenarios = count(merge, "select count(*) from merged");
  merged->repeated = count(merge, "select count(*) from result") - merged->scenarios;
  merged->left_out = count(merge,
                           "select count(*) from part where finished_at is null or "
                           "results <> ifnull(runs, -1)");
  return REP_MERGE_DONE;
}

/* Each input must be a database of this version. */
static bool inputs_fit(struct merge *merge) {
  for (size_t i = 0; i < merge->count + merge->has_output; i++) {
    sqlite3 *database = rep_database_open(path_of(merge, i), REP_READ, REP_BUSY_TIMEOUT_MS,
                                          merge->message, merge->size);
    if (database == NULL) {
      return false;
    }
    sqlite3_close(database);
  }
  return true;
}

enum rep_merge_end rep_merge(const char *output, const char *const *paths, size_t path_count,
                             struct rep_merged *merged, char *message, size_t size) {
  struct merge merge = {.output = output,
                        .paths = paths,
                        .count = path_count,
                        .has_output = access(output, F_OK) == 0,
                        .message = message,
                        .size = size};
  enum rep_merge_end end = REP_MERGE_FAILED;
  *merged = (struct rep_merged){0};
  char *unfinished = sqlite3_mprintf("%s.merging", output);
  if (unfinished == NULL) {
    snprintf(message, size, "out of memory for the merge");
    return end;
  }
  (void)remove(unfinished); /* what an earlier merge left that was killed */
  if (inputs_fit(&merge)) {
    merge.database = rep_database_open(unfinished, REP_WRITE, 0, message, size);
  }
  if (merge.database != NULL) {
    end = merge_into(&merge, merged);
    sqlite3_close(merge.database);
  }
  if (end == REP_MERGE_DONE && rename(unfinished, output) != 0) {
    snprintf(message, size, "cannot give '%s' the name '%s': %s; see to the folder's permissions",
             unfinished, output, strerror(errno));
    end = REP_MERGE_FAILED;
  }
  if (end != REP_MERGE_DONE) {
    (void)remove(unfinished);
  }
  sqlite3_free(unfinished);
  return end;
}
