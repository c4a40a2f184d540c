/*
 * schema.c - makes the tables, and the statements that follow from their columns.
 */
#include "reports/schema.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct table {
  const char *name;
  const char *columns; /* ", name declaration" for each */
  const char *names;   /* ", m.name" for each */
  int column_count;
};

#define COLUMN_SQL(name, declaration) ", " #name " " declaration
#define COLUMN_NAME(name, declaration) ", m." #name
#define COLUMN_ONE(name, declaration) +1
#define TABLE_ENTRY(id, name, columns) \
  {name, columns(COLUMN_SQL), columns(COLUMN_NAME), 0 columns(COLUMN_ONE)},

static const struct table tables[] = {REP_TABLE_LIST(TABLE_ENTRY)};

struct named_sql {
  const char *name;
  const char *sql;
};

#define NAMED_ENTRY(name, sql) {name, sql},

static const struct named_sql views[] = {REP_VIEW_LIST(NAMED_ENTRY)};
static const struct named_sql indexes[] = {REP_INDEX_LIST(NAMED_ENTRY)};

const char *rep_table_name(enum rep_table table) {
  assert(table < REP_TABLE_COUNT);
  return tables[table].name;
}

int rep_table_columns(enum rep_table table) {
  assert(table < REP_TABLE_COUNT);
  return tables[table].column_count;
}

int rep_schema_has(const char *name) {
  for (size_t i = 0; i < REP_TABLE_COUNT; i++) {
    if (sqlite3_stricmp(name, tables[i].name) == 0) {
      return 1;
    }
  }
  for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
    if (sqlite3_stricmp(name, views[i].name) == 0) {
      return 1;
    }
  }
  return 0;
}

/* Takes `sql`, which may be NULL: no memory. */
static int execute_owned(sqlite3 *database, char *sql) {
  int result = SQLITE_NOMEM;
  if (sql != NULL) {
    result = sqlite3_exec(database, sql, NULL, NULL, NULL);
  }
  sqlite3_free(sql);
  return result;
}

int rep_schema_create(sqlite3 *database) {
  int result = SQLITE_OK;
  for (size_t i = 0; i < REP_TABLE_COUNT && result == SQLITE_OK; i++) {
    result = execute_owned(
        database, sqlite3_mprintf("create table %s (%s)", tables[i].name, tables[i].columns + 2));
  }
  for (size_t i = 0; i < sizeof views / sizeof *views && result == SQLITE_OK; i++) {
    result = execute_owned(database,
                           sqlite3_mprintf("create view %s as %s", views[i].name, views[i].sql));
  }
  return result;
}

int rep_schema_index(sqlite3 *database) {
  int result = SQLITE_OK;
  for (size_t i = 0; i < sizeof indexes / sizeof *indexes && result == SQLITE_OK; i++) {
    result = execute_owned(database, sqlite3_mprintf("create index if not exists %s on %s",
                                                     indexes[i].name, indexes[i].sql));
  }
  return result;
}

/* Whether there is an index of this name. SQLite's result code. */
static int find_index(sqlite3 *database, const char *name, bool *found) {
  sqlite3_stmt *statement = NULL;
  int result = sqlite3_prepare_v2(
      database, "select 1 from main.sqlite_schema where type = 'index' and name = ?1", -1,
      &statement, NULL);
  if (result == SQLITE_OK) {
    result = sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
  }
  if (result == SQLITE_OK) {
    result = sqlite3_step(statement);
    *found = result == SQLITE_ROW;
  }
  sqlite3_finalize(statement);
  return result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
}

/* A scenario's rows go in in one transaction and so lie side by side: two row ids are its index. */
static int bound_table(sqlite3 *database, const struct table *table) {
  static const char first_column[] = ", m.scenario_id";
  assert(strncmp(table->names, first_column, sizeof first_column - 1) == 0);
  int result = execute_owned(
      database,
      sqlite3_mprintf("create temp table %s_bounds (scenario_id integer primary key, first, last); "
                      "insert into %s_bounds select scenario_id, min(rowid), max(rowid) "
                      "from main.%s group by scenario_id",
                      table->name, table->name, table->name));
  return result != SQLITE_OK
             ? result
             : execute_owned(
                   database,
                   sqlite3_mprintf("create temp view %s as select b.scenario_id%s, m.rowid as "
                                   "rowid from temp.%s_bounds b cross join main.%s m where m.rowid "
                                   "between b.first and b.last and m.scenario_id = b.scenario_id",
                                   table->name, table->names + sizeof first_column - 1, table->name,
                                   table->name));
}

int rep_schema_bound(sqlite3 *database) {
  static const char suffix[] = "_by_scenario";
  int result = SQLITE_OK;
  for (size_t i = 0; i < REP_TABLE_COUNT && result == SQLITE_OK; i++) {
    size_t length = strlen(tables[i].name);
    for (size_t j = 0; j < sizeof indexes / sizeof *indexes && result == SQLITE_OK; j++) {
      bool found = true;
      if (strncmp(indexes[j].name, tables[i].name, length) == 0 &&
          strcmp(indexes[j].name + length, suffix) == 0) {
        result = find_index(database, indexes[j].name, &found);
      }
      if (result == SQLITE_OK && !found) {
        result = bound_table(database, &tables[i]);
      }
    }
  }
  return result;
}

int rep_schema_prepare_insert(sqlite3 *database, enum rep_table table, int rows,
                              sqlite3_stmt **statement) {
  assert(table < REP_TABLE_COUNT && rows > 0);
  *statement = NULL;
  sqlite3_str *text = sqlite3_str_new(database);
  sqlite3_str_appendf(text, "insert into %s values ", tables[table].name);
  for (int row = 0; row < rows; row++) {
    sqlite3_str_appendall(text, row == 0 ? "(?" : ",(?");
    for (int column = 1; column < tables[table].column_count; column++) {
      sqlite3_str_appendall(text, ",?");
    }
    sqlite3_str_appendchar(text, 1, ')');
  }
  char *sql = sqlite3_str_finish(text);
  if (sql == NULL) {
    return SQLITE_NOMEM;
  }
  int result = sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
  sqlite3_free(sql);
  return result;
}
