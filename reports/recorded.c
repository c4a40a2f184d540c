/*
 * recorded.c - reads a scenario's row and compares its events, one at a time.
 */
#define _POSIX_C_SOURCE 200809L
#include "reports/recorded.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/database.h"
#include "sim/duration.h"

enum { DETAIL_SIZE = 64 * 1024 };

/* ---- The row ------------------------------------------------------------------------------ */

static bool prepare(sqlite3 *database, const char *path, const char *query, int64_t id,
                    sqlite3_stmt **statement, char *message, size_t size) {
  int result = sqlite3_prepare_v2(database, query, -1, statement, NULL);
  if (result == SQLITE_OK) {
    result = sqlite3_bind_int64(*statement, 1, id);
  }
  if (result != SQLITE_OK) {
    rep_database_explain(database, result, "read", path, message, size);
    sqlite3_finalize(*statement);
  }
  return result == SQLITE_OK;
}

static bool take_text(sqlite3_stmt *statement, int column, bool may_be_null, char **text) {
  const char *found = (const char *)sqlite3_column_text(statement, column);
  if (found == NULL && may_be_null) {
    *text = NULL;
    return true;
  }
  *text = strdup(found == NULL ? "" : found);
  return *text != NULL;
}

/* Seeds beyond 63 bits are kept as text. */
static uint64_t take_seed(sqlite3_stmt *statement, int column) {
  const char *text = (const char *)sqlite3_column_text(statement, column);
  return text == NULL ? 0 : strtoull(text, NULL, 10);
}

static bool take_row(sqlite3_stmt *statement, struct rep_recorded *recorded) {
  recorded->seed = take_seed(statement, 3);
  recorded->events = sqlite3_column_int64(statement, 8);
  recorded->expectations = sqlite3_column_int64(statement, 12);
  return take_text(statement, 0, false, &recorded->name) &&
         take_text(statement, 1, false, &recorded->path) &&
         take_text(statement, 2, false, &recorded->variant) &&
         take_text(statement, 4, true, &recorded->schedule) &&
         take_text(statement, 5, false, &recorded->mode) &&
         take_text(statement, 6, false, &recorded->verdict) &&
         take_text(statement, 7, false, &recorded->failure) &&
         take_text(statement, 9, false, &recorded->timeline_sha256) &&
         take_text(statement, 10, false, &recorded->source) &&
         take_text(statement, 11, false, &recorded->version);
}

static void explain_missing(sqlite3 *database, const char *path, int64_t id, char *message,
                            size_t size) {
  sqlite3_stmt *statement;
  int64_t count = 0, least = 0, most = 0;
  if (sqlite3_prepare_v2(database, "select count(*), min(id), max(id) from scenario", -1,
                         &statement, NULL) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW) {
    count = sqlite3_column_int64(statement, 0);
    least = sqlite3_column_int64(statement, 1);
    most = sqlite3_column_int64(statement, 2);
  }
  sqlite3_finalize(statement);
  if (count == 0) {
    snprintf(message, size, "expected a scenario %" PRId64 " in '%s'; found no scenario at all", id,
             path);
  } else {
    snprintf(message, size,
             "expected a scenario %" PRId64 " in '%s'; found %" PRId64 " of them, from %" PRId64
             " to %" PRId64 " (`sqlite3 FILE 'select id, name, verdict from scenario'` lists them)",
             id, path, count, least, most);
  }
}

bool rep_recorded_read(sqlite3 *database, const char *path, int64_t id,
                       struct rep_recorded *recorded, char *message, size_t size) {
  static const char query[] =
      "select s.name, s.path, s.variant, s.seed, s.schedule, s.mode, s.verdict, s.failure, "
      "s.events, s.timeline_sha256, t.text, r.version, "
      "(select count(*) from expectation e where e.scenario_id = s.id) "
      "from scenario s join run r on r.id = s.run_id "
      "left join scenario_source t on t.scenario_id = s.id where s.id = ?1";
  *recorded = (struct rep_recorded){.id = id};
  sqlite3_stmt *statement = NULL;
  if (!prepare(database, path, query, id, &statement, message, size)) {
    return false;
  }
  int result = sqlite3_step(statement);
  bool read = false;
  if (result == SQLITE_DONE) {
    explain_missing(database, path, id, message, size);
  } else if (result != SQLITE_ROW) {
    rep_database_explain(database, result, "read", path, message, size);
  } else if (!take_row(statement, recorded)) {
    snprintf(message, size, "out of memory for scenario %" PRId64 " of '%s'", id, path);
  } else if (recorded->source[0] == '\0') {
    snprintf(message, size,
             "expected the text of scenario %" PRId64 " in '%s'; found none, so it can not be run",
             id, path);
  } else {
    read = true;
  }
  sqlite3_finalize(statement);
  if (!read) {
    rep_recorded_deinit(recorded);
  }
  return read;
}

void rep_recorded_deinit(struct rep_recorded *recorded) {
  char *strings[] = {recorded->name,   recorded->path,     recorded->variant,
                     recorded->mode,   recorded->verdict,  recorded->failure,
                     recorded->source, recorded->schedule, recorded->timeline_sha256,
                     recorded->version};
  for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
    free(strings[i]);
  }
  *recorded = (struct rep_recorded){0};
}

/* ---- Its events --------------------------------------------------------------------------- */

enum column { AT, KIND, ACCOUNT, CONN, OP, DETAIL };

static const char *text_of(sqlite3_stmt *statement, enum column column) {
  const char *text = (const char *)sqlite3_column_text(statement, column);
  return text == NULL ? "" : text;
}

static bool is_equal(sqlite3_stmt *row, const struct sim_trace *trace,
                     const struct sim_event *event, char *detail) {
  const struct sim_event_type *type = sim_event_type(event->kind);
  /* What does not fit is compared as far as it goes: both are cut in the same place. */
  sim_event_detail(trace, event, detail, DETAIL_SIZE);
  return sqlite3_column_int64(row, AT) == event->t_ns &&
         strcmp(text_of(row, KIND), type == NULL ? "unknown" : type->name) == 0 &&
         sqlite3_column_int64(row, ACCOUNT) == event->account &&
         strcmp(text_of(row, CONN), sim_trace_string(trace, event->conn)) == 0 &&
         strcmp(text_of(row, OP), sim_trace_string(trace, event->op)) == 0 &&
         strncmp(text_of(row, DETAIL), detail, DETAIL_SIZE - 1) == 0;
}

/* The fields of an event as a line; what is 0 or "" is left out. */
static void describe(char *text, size_t size, int64_t t_ns, const char *kind, int64_t account,
                     const char *conn, const char *op, const char *detail) {
  char at[SIM_DURATION_TEXT_SIZE], of_account[32] = "";
  sim_duration_format(t_ns, at);
  if (account != 0) {
    snprintf(of_account, sizeof of_account, " account=%" PRId64, account);
  }
  snprintf(text, size, "%s  %s%s%s%s%s%s%s%s", at, kind, of_account,
           conn[0] == '\0' ? "" : " conn=", conn, op[0] == '\0' ? "" : " op=", op,
           detail[0] == '\0' ? "" : " ", detail);
}

static void describe_row(sqlite3_stmt *row, char *text, size_t size) {
  describe(text, size, sqlite3_column_int64(row, AT), text_of(row, KIND),
           sqlite3_column_int64(row, ACCOUNT), text_of(row, CONN), text_of(row, OP),
           text_of(row, DETAIL));
}

static void describe_event(const struct sim_trace *trace, uint64_t index, char *detail, char *text,
                           size_t size) {
  const struct sim_event *event = &sim_trace_events(trace)[index];
  const struct sim_event_type *type = sim_event_type(event->kind);
  sim_event_detail(trace, event, detail, DETAIL_SIZE);
  describe(text, size, event->t_ns, type == NULL ? "unknown" : type->name, event->account,
           sim_trace_string(trace, event->conn), sim_trace_string(trace, event->op), detail);
}

static int compare_rows(sqlite3_stmt *row, const struct sim_trace *trace, char *detail,
                        struct rep_difference *difference) {
  uint64_t count = sim_trace_count(trace);
  int result;
  while ((result = sqlite3_step(row)) == SQLITE_ROW && difference->event < count &&
         is_equal(row, trace, &sim_trace_events(trace)[difference->event], detail)) {
    difference->event++;
  }
  if (result == SQLITE_ROW) {
    difference->recorded_has = true;
    describe_row(row, difference->recorded, sizeof difference->recorded);
    result = SQLITE_DONE;
  }
  if (difference->event < count) {
    difference->has = true;
    describe_event(trace, difference->event, detail, difference->now, sizeof difference->now);
  }
  difference->differs = difference->has || difference->recorded_has;
  return result;
}

bool rep_recorded_compare(sqlite3 *database, const char *path, int64_t id,
                          const struct sim_trace *trace, struct rep_difference *difference,
                          char *message, size_t size) {
  *difference = (struct rep_difference){0};
  sqlite3_stmt *row = NULL;
  if (!prepare(database, path,
               "select t_ns, kind, account, conn, op, detail from event where scenario_id = ?1 "
               "order by seq",
               id, &row, message, size)) {
    return false;
  }
  char *detail = malloc(DETAIL_SIZE);
  int result = detail == NULL ? SQLITE_NOMEM : compare_rows(row, trace, detail, difference);
  free(detail);
  sqlite3_finalize(row);
  if (result != SQLITE_DONE) {
    rep_database_explain(database, result, "read", path, message, size);
  }
  return result == SQLITE_DONE;
}
