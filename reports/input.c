/*
 * input.c - opens databases for reports and reads which scenarios are in them.
 */
#define _POSIX_C_SOURCE 200809L
#include "reports/input.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/database.h"
#include "reports/schema.h"

#define SELECT_ITEMS                                                                              \
  "select s.id, s.run_id, s.name, s.path, s.variant, s.schedule, s.mode, s.failure, "             \
  "s.timeline_sha256, s.seed, s.verdict, s.virtual_ns, s.wall_ns, s.events, e.strategy, e.runs, " \
  "e.schedules, e.states, e.orders, e.complete, e.events, e.wall_ns, e.faulted "                  \
  "from scenario s left join exploration e on e.scenario_id = s.id "

const char *rep_column(sqlite3_stmt *statement, int column) {
  const char *text = (const char *)sqlite3_column_text(statement, column);
  return text == NULL ? "" : text;
}

static bool take_text(sqlite3_stmt *row, int column, char **text) {
  *text = strdup(rep_column(row, column));
  return *text != NULL;
}

static bool take_verdict(const char *name, enum rep_verdict *verdict) {
  for (enum rep_verdict each = REP_PASS; each <= REP_HANG; each++) {
    if (strcmp(rep_verdict_name(each), name) == 0) {
      *verdict = each;
      return true;
    }
  }
  return false;
}

/* False: no memory. */
static bool take_exploration(sqlite3_stmt *row, struct rep_exploration *exploration) {
  if (sqlite3_column_type(row, 14) == SQLITE_NULL) {
    return true;
  }
  *exploration = (struct rep_exploration){.strategy = strdup(rep_column(row, 14)),
                                          .runs = (uint64_t)sqlite3_column_int64(row, 15),
                                          .schedules = (uint64_t)sqlite3_column_int64(row, 16),
                                          .states = (uint64_t)sqlite3_column_int64(row, 17),
                                          .orders = (uint64_t)sqlite3_column_int64(row, 18),
                                          .complete = sqlite3_column_int(row, 19) != 0,
                                          .events = (uint64_t)sqlite3_column_int64(row, 20),
                                          .wall_ns = sqlite3_column_int64(row, 21),
                                          .faulted = (uint64_t)sqlite3_column_int64(row, 22)};
  return exploration->strategy != NULL;
}

/* SQLite's result code. The item's texts are to be freed in any case. */
static int take_item(sqlite3_stmt *row, struct rep_item *item) {
  item->id = sqlite3_column_int64(row, 0);
  item->run_id = sqlite3_column_int64(row, 1);
  item->seed = strtoull(rep_column(row, 9), NULL, 10); /* one beyond 63 bits is text */
  item->virtual_ns = sqlite3_column_int64(row, 11);
  item->wall_ns = sqlite3_column_int64(row, 12);
  item->events = sqlite3_column_int64(row, 13);
  if (!take_verdict(rep_column(row, 10), &item->verdict)) {
    return SQLITE_CORRUPT;
  }
  return take_text(row, 2, &item->name) && take_text(row, 3, &item->path) &&
                 take_text(row, 4, &item->variant) && take_text(row, 5, &item->schedule) &&
                 take_text(row, 6, &item->mode) && take_text(row, 7, &item->failure) &&
                 take_text(row, 8, &item->timeline_sha256) &&
                 take_exploration(row, &item->exploration)
             ? SQLITE_OK
             : SQLITE_NOMEM;
}

static void free_item(struct rep_item *item) {
  free(item->name);
  free(item->path);
  free(item->variant);
  free(item->schedule);
  free(item->mode);
  free(item->failure);
  free(item->timeline_sha256);
  free((char *)item->exploration.strategy);
}

/* Makes room in steps of a doubling size. */
static bool reserve(struct rep_input *input) {
  size_t count = input->item_count;
  if (count >= 64 ? (count & (count - 1)) != 0 : count % 64 != 0) {
    return true;
  }
  size_t capacity = count < 64 ? 64 : count * 2;
  struct rep_item *items = realloc(input->items, capacity * sizeof *items);
  if (items == NULL) {
    return false;
  }
  input->items = items;
  return true;
}

static int take_rows(struct rep_input *input, const struct rep_database *database,
                     sqlite3_stmt *rows) {
  int result;
  while ((result = sqlite3_step(rows)) == SQLITE_ROW) {
    if (!reserve(input)) {
      return SQLITE_NOMEM;
    }
    struct rep_item *item = &input->items[input->item_count++];
    *item = (struct rep_item){.database = database};
    result = take_item(rows, item);
    if (result != SQLITE_OK) {
      return result;
    }
    input->counts[item->verdict]++;
    input->events += item->events;
  }
  return result == SQLITE_DONE ? SQLITE_OK : result;
}

/* Runs one query whose only parameter, if it has one, is `id`. */
static int read_items(struct rep_input *input, const struct rep_database *database, const char *sql,
                      int64_t id) {
  sqlite3_stmt *rows;
  int result = sqlite3_prepare_v2(database->handle, sql, -1, &rows, NULL);
  if (result == SQLITE_OK && sqlite3_bind_parameter_count(rows) > 0) {
    result = sqlite3_bind_int64(rows, 1, id);
  }
  if (result == SQLITE_OK) {
    result = take_rows(input, database, rows);
  }
  sqlite3_finalize(rows);
  return result;
}

static int count_scenarios(const struct rep_database *database, int64_t *count) {
  sqlite3_stmt *row;
  int result =
      sqlite3_prepare_v2(database->handle, "select count(*) from scenario", -1, &row, NULL);
  if (result == SQLITE_OK && (result = sqlite3_step(row)) == SQLITE_ROW) {
    *count = sqlite3_column_int64(row, 0);
    result = SQLITE_OK;
  }
  sqlite3_finalize(row);
  return result;
}

static int read_chosen(struct rep_input *input, const struct rep_database *database,
                       const struct rep_choice *choice) {
  int result = SQLITE_OK;
  size_t before = input->item_count;
  int64_t all = 0;
  if (choice->run != 0) {
    return read_items(input, database, SELECT_ITEMS "where s.run_id = ?1 order by s.id",
                      choice->run);
  }
  for (size_t i = 0; i < choice->scenario_count && result == SQLITE_OK; i++) {
    result = read_items(input, database, SELECT_ITEMS "where s.id = ?1", choice->scenarios[i]);
  }
  if (choice->scenario_count > 0) {
    return result;
  }
  result = read_items(input, database,
                      SELECT_ITEMS
                      "where s.id in (select max(id) from scenario group by path, name, variant, "
                      "mode) order by s.id",
                      0);
  if (result == SQLITE_OK) {
    result = count_scenarios(database, &all);
  }
  int64_t shown = (int64_t)(input->item_count - before);
  input->superseded += all > shown ? all - shown : 0;
  return result;
}

static void explain_nothing(const struct rep_choice *choice, const char *path, char *message,
                            size_t size) {
  if (choice->run != 0) {
    snprintf(message, size,
             "expected a run %" PRId64
             " with scenarios in '%s'; found none ('select id from run' "
             "shows which there are)",
             choice->run, path);
  } else if (choice->scenario_count > 0) {
    snprintf(message, size,
             "expected a scenario %" PRId64
             " in '%s'; found none ('select id, name from scenario' "
             "shows which there are)",
             choice->scenarios[0], path);
  } else {
    snprintf(message, size,
             "expected a database with scenarios; found none in '%s'; `poolproof run --db` "
             "records some",
             path);
  }
}

bool rep_input_open(struct rep_input *input, const char *const *paths, size_t count,
                    const struct rep_choice *choice, char *message, size_t size) {
  *input = (struct rep_input){.databases = calloc(count + 1, sizeof *input->databases)};
  if (input->databases == NULL) {
    snprintf(message, size, "out of memory for the databases");
    return false;
  }
  for (size_t i = 0; i < count; i++) {
    struct rep_database *database = &input->databases[i];
    database->path = paths[i];
    database->handle = rep_database_open(paths[i], REP_READ, REP_BUSY_TIMEOUT_MS, message, size);
    if (database->handle == NULL) {
      return false;
    }
    input->database_count++;
    int result = read_chosen(input, database, choice);
    if (result == SQLITE_OK) {
      result = rep_schema_bound(database->handle);
    }
    if (result != SQLITE_OK) {
      rep_database_explain(
          result == SQLITE_NOMEM || result == SQLITE_CORRUPT ? NULL : database->handle, result,
          "read", paths[i], message, size);
      return false;
    }
  }
  if (input->item_count == 0) {
    explain_nothing(choice, paths[0], message, size);
  }
  return input->item_count > 0;
}

void rep_input_deinit(struct rep_input *input) {
  for (size_t i = 0; i < input->item_count; i++) {
    free_item(&input->items[i]);
  }
  free(input->items);
  for (size_t i = 0; i < input->database_count; i++) {
    sqlite3_close(input->databases[i].handle);
  }
  free(input->databases);
  *input = (struct rep_input){0};
}

size_t rep_item_title(const struct rep_item *item, char *buffer, size_t size) {
  bool has_variant = item->variant[0] != '\0';
  return (size_t)snprintf(buffer, size, "%s%s%s%s%s", item->name, has_variant ? " [" : "",
                          item->variant, has_variant ? "]" : "",
                          strcmp(item->mode, "live") == 0 ? " (live)" : "");
}

sqlite3_stmt *rep_item_query(const struct rep_item *item, const char *sql, char *message,
                             size_t size) {
  sqlite3_stmt *statement = NULL;
  int result = sqlite3_prepare_v2(item->database->handle, sql, -1, &statement, NULL);
  if (result == SQLITE_OK) {
    result = sqlite3_bind_int64(statement, 1, item->id);
  }
  if (result != SQLITE_OK) {
    rep_database_explain(item->database->handle, result, "read", item->database->path, message,
                         size);
    sqlite3_finalize(statement);
    return NULL;
  }
  return statement;
}

bool rep_item_row(const struct rep_item *item, sqlite3_stmt **statement, bool *failed,
                  char *message, size_t size) {
  if (*statement == NULL) { /* it could not be prepared: the message is there already */
    *failed = true;
    return false;
  }
  int result = sqlite3_step(*statement);
  if (result == SQLITE_ROW) {
    return true;
  }
  if (result != SQLITE_DONE) {
    rep_database_explain(item->database->handle, result, "read", item->database->path, message,
                         size);
    *failed = true;
  }
  sqlite3_finalize(*statement);
  *statement = NULL;
  return false;
}
