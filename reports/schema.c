/*
 * schema.c - makes the tables, and the statements that follow from their columns.
 */
#include "reports/schema.h"

#include <assert.h>
#include <stddef.h>

struct table {
  const char *name;
  const char *columns; /* ", name declaration" for each */
  int column_count;
};

#define COLUMN_SQL(name, declaration) ", " #name " " declaration
#define COLUMN_ONE(name, declaration) +1
#define TABLE_ENTRY(id, name, columns) {name, columns(COLUMN_SQL), 0 columns(COLUMN_ONE)},

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
