/*
 * recorder.c - writes runs into a database file.
 *
 * Journal. A rollback journal that is truncated after each transaction, without syncs until the
 * run is finished. Measured (two cores, one scenario of 2 million events / 2000 scenarios of 30):
 * so 1.0 s / 0.18 s, with syncs 1.1 s / 1.1 s (far more on a spinning disk), WAL 1.4 s / 0.12 s,
 * because it writes everything twice. A process that is killed leaves a database that the next
 * reader rolls back to the last whole scenario; after a normal end there is one file, and a
 * reader that merely has it open is in nobody's way. What it may not survive is a power failure
 * in mid-run, and a run can be made again.
 *
 * Indexes are made when the run is finished. When they are there already (an earlier run), they
 * are kept: rows come in their order, so that costs a third of the speed at most, and nothing
 * that grows with what is there already.
 */
#define _POSIX_C_SOURCE 200809L
#include "reports/recorder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "reports/database.h"
#include "reports/rows.h"

struct rep_recorder {
  char *path;
  sqlite3 *database;
  struct rep_rows *rows;
  sqlite3_stmt *begin;
  sqlite3_stmt *commit;
  sqlite3_stmt *last_id;
  int64_t run_id;
  int64_t offset;      /* added to a given scenario id */
  int64_t highest_id;  /* of all scenarios in the database, when it was last seen */
  int64_t scenario_id; /* of the last scenario that was added */
};

const char *rep_verdict_name(enum rep_verdict verdict) {
  static const char *const names[] = {"pass", "fail", "error", "crash", "hang"};
  return names[verdict];
}

const char *rep_op_kind_name(enum rep_op_kind kind) {
  static const char *const names[] = {"acquire", "read", "write", "ping", "pin", "close"};
  return names[kind];
}

#define UTC_SIZE 40

static void utc_now(char text[UTC_SIZE]) {
  struct timespec now;
  struct tm parts;
  char seconds[24];
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &parts);
  strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &parts);
  snprintf(text, UTC_SIZE, "%s.%03dZ", seconds, (int)(now.tv_nsec / 1000000));
}

static char *host_name(void) {
  struct utsname names;
  if (uname(&names) != 0) {
    return sqlite3_mprintf("unknown");
  }
  return sqlite3_mprintf("%s, %s %s %s", names.nodename, names.sysname, names.release,
                         names.machine);
}

static int step(sqlite3_stmt *statement) {
  sqlite3_step(statement);
  return sqlite3_reset(statement);
}

static int execute(struct rep_recorder *recorder, const char *sql) {
  return sqlite3_exec(recorder->database, sql, NULL, NULL, NULL);
}

static void roll_back(struct rep_recorder *recorder) {
  if (!sqlite3_get_autocommit(recorder->database)) {
    execute(recorder, "rollback");
  }
}

static int insert_run(struct rep_recorder *recorder, const char *command, const char *version) {
  char started_at[UTC_SIZE];
  char *host = host_name();
  if (host == NULL) {
    return SQLITE_NOMEM;
  }
  utc_now(started_at);
  sqlite3_stmt *insert;
  int result = rep_schema_prepare_insert(recorder->database, REP_TABLE_RUN, 1, &insert);
  if (result == SQLITE_OK) {
    sqlite3_bind_null(insert, 1);
    sqlite3_bind_text(insert, 2, started_at, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 3, command, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 4, version, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 5, host, -1, SQLITE_STATIC);
    sqlite3_bind_null(insert, 6);
    result = step(insert);
    recorder->run_id = sqlite3_last_insert_rowid(recorder->database);
  }
  sqlite3_finalize(insert);
  sqlite3_free(host);
  return result;
}

static int prepare(struct rep_recorder *recorder, const char *sql, sqlite3_stmt **statement) {
  return sqlite3_prepare_v3(recorder->database, sql, -1, SQLITE_PREPARE_PERSISTENT, statement,
                            NULL);
}

static int start(struct rep_recorder *recorder, const char *command, const char *version) {
  int result = execute(recorder,
                       "pragma journal_mode = truncate; pragma synchronous = off;"
                       "pragma cache_size = -16384; pragma secure_delete = off");
  if (result == SQLITE_OK) {
    result = rep_rows_create(recorder->database, &recorder->rows);
  }
  if (result == SQLITE_OK) {
    result = prepare(recorder, "begin immediate", &recorder->begin);
  }
  if (result == SQLITE_OK) {
    result = prepare(recorder, "commit", &recorder->commit);
  }
  if (result == SQLITE_OK) {
    result = prepare(recorder, "select ifnull(max(id), 0) from scenario", &recorder->last_id);
  }
  if (result == SQLITE_OK) {
    result = insert_run(recorder, command, version);
  }
  return result;
}

static void destroy(struct rep_recorder *recorder) {
  rep_rows_destroy(recorder->rows);
  sqlite3_finalize(recorder->begin);
  sqlite3_finalize(recorder->commit);
  sqlite3_finalize(recorder->last_id);
  sqlite3_close(recorder->database);
  sqlite3_free(recorder->path);
  free(recorder);
}

struct rep_recorder *rep_recorder_open_within(const char *path, int busy_timeout_ms,
                                              const char *command, const char *version,
                                              char *message, size_t size) {
  struct rep_recorder *recorder = calloc(1, sizeof *recorder);
  if (recorder == NULL || (recorder->path = sqlite3_mprintf("%s", path)) == NULL) {
    rep_database_explain(NULL, SQLITE_NOMEM, "open", path, message, size);
    free(recorder);
    return NULL;
  }
  recorder->database = rep_database_open(path, REP_WRITE, busy_timeout_ms, message, size);
  if (recorder->database != NULL) {
    int result = start(recorder, command, version);
    if (result == SQLITE_OK) {
      return recorder;
    }
    rep_database_explain(recorder->database, result, "write", path, message, size);
  }
  destroy(recorder);
  return NULL;
}

struct rep_recorder *rep_recorder_open(const char *path, const char *command, const char *version,
                                       char *message, size_t size) {
  return rep_recorder_open_within(path, REP_BUSY_TIMEOUT_MS, command, version, message, size);
}

/* The offset is that of the database as it was found; when another process has added scenarios
 * since then, it goes up to theirs, so that ids stay unique. */
static int choose_id(struct rep_recorder *recorder, int64_t given) {
  int result = sqlite3_step(recorder->last_id);
  int64_t highest = sqlite3_column_int64(recorder->last_id, 0);
  if (result == SQLITE_ROW) {
    result = SQLITE_OK;
  }
  sqlite3_reset(recorder->last_id);
  if (highest != recorder->highest_id) {
    recorder->offset = highest;
  }
  recorder->scenario_id = recorder->offset + given;
  recorder->highest_id = highest > recorder->scenario_id ? highest : recorder->scenario_id;
  return result;
}

bool rep_recorder_add(struct rep_recorder *recorder, const struct rep_scenario *scenario,
                      char *message, size_t size) {
  const struct rep_recorder before = *recorder;
  int result = step(recorder->begin);
  if (result == SQLITE_OK) {
    result = choose_id(recorder, scenario->id);
  }
  if (result == SQLITE_OK) {
    result = rep_rows_write(recorder->rows, recorder->run_id, recorder->scenario_id, scenario, 0);
  }
  if (result == SQLITE_OK) {
    result = step(recorder->commit);
  }
  if (result == SQLITE_OK) {
    return true;
  }
  char *doing = sqlite3_mprintf("write scenario '%s' into", scenario->name);
  rep_database_explain(recorder->database, result, doing == NULL ? "write into" : doing,
                       recorder->path, message, size);
  sqlite3_free(doing);
  roll_back(recorder);
  *recorder = before;
  return false;
}

bool rep_recorder_set_shard(struct rep_recorder *recorder, const struct rep_shard *shard,
                            char *message, size_t size) {
  sqlite3_stmt *insert;
  int result = rep_schema_prepare_insert(recorder->database, REP_TABLE_SHARD, 1, &insert);
  if (result == SQLITE_OK) {
    sqlite3_bind_int64(insert, 1, recorder->run_id);
    sqlite3_bind_int64(insert, 2, (sqlite3_int64)shard->shard);
    sqlite3_bind_int64(insert, 3, (sqlite3_int64)shard->shards);
    sqlite3_bind_int64(insert, 4, (sqlite3_int64)shard->runs);
    sqlite3_bind_text(insert, 5, shard->plan_sha256, -1, SQLITE_STATIC);
    result = step(insert);
  }
  sqlite3_finalize(insert);
  if (result != SQLITE_OK) {
    rep_database_explain(recorder->database, result, "write the run into", recorder->path, message,
                         size);
  }
  return result == SQLITE_OK;
}

int64_t rep_recorder_run_id(const struct rep_recorder *recorder) {
  return recorder->run_id;
}

int64_t rep_recorder_scenario_id(const struct rep_recorder *recorder) {
  return recorder->scenario_id;
}

static int stamp(struct rep_recorder *recorder) {
  char finished_at[UTC_SIZE];
  sqlite3_stmt *update;
  utc_now(finished_at);
  int result = sqlite3_prepare_v2(recorder->database, "update run set finished_at = ? where id = ?",
                                  -1, &update, NULL);
  if (result == SQLITE_OK) {
    sqlite3_bind_text(update, 1, finished_at, -1, SQLITE_STATIC);
    sqlite3_bind_int64(update, 2, recorder->run_id);
    result = step(update);
  }
  sqlite3_finalize(update);
  return result;
}

static int make_indexes(struct rep_recorder *recorder) {
  int result = step(recorder->begin);
  if (result == SQLITE_OK) {
    result = rep_schema_index(recorder->database);
  }
  if (result == SQLITE_OK) {
    result = step(recorder->commit);
  }
  return result;
}

bool rep_recorder_finish(struct rep_recorder *recorder, char *message, size_t size) {
  const char *doing = "make the indexes (all rows are there) of";
  int result = make_indexes(recorder);
  if (result != SQLITE_OK) {
    rep_database_explain(recorder->database, result, doing, recorder->path, message, size);
    roll_back(recorder);
  }
  /* The last transaction takes all that came before it to the disk. */
  execute(recorder, "pragma synchronous = normal");
  int stamped = stamp(recorder);
  if (result == SQLITE_OK && stamped != SQLITE_OK) {
    result = stamped;
    rep_database_explain(recorder->database, result, "finish the run in", recorder->path, message,
                         size);
  }
  execute(recorder, "pragma journal_mode = delete"); /* no journal stays beside the file */
  destroy(recorder);
  return result == SQLITE_OK;
}
