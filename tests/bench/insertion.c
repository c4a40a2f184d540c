/*
 * insertion.c - the baseline of recording: the rows of a database put into another one by SQLite
 * alone, with the fastest settings known: no journal, no syncs, one transaction, no locks, 50 rows
 * a statement, no mutexes. The rows are in memory before the clock starts.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "reports/schema.h"
#include "tests/bench/bench.h"

enum { ROWS_AT_ONCE = 50 };

struct table {
  enum rep_table id;
  int columns;
  size_t count, capacity; /* of values */
  sqlite3_value **values;
};

static int64_t wall_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void expect_ok(sqlite3 *database, int result) {
  if (result != SQLITE_OK) {
    fprintf(stderr, "SQLite: %s\n", sqlite3_errmsg(database));
  }
  bench_expect(result == SQLITE_OK, "that SQLite does it");
}

static void read_table(sqlite3 *database, struct table *table) {
  char *sql = sqlite3_mprintf("select * from %s", rep_table_name(table->id));
  sqlite3_stmt *select;
  expect_ok(database, sqlite3_prepare_v2(database, sql, -1, &select, NULL));
  sqlite3_free(sql);
  table->columns = sqlite3_column_count(select);
  while (sqlite3_step(select) == SQLITE_ROW) {
    for (int column = 0; column < table->columns; column++) {
      if (table->count == table->capacity) {
        table->capacity = table->capacity == 0 ? 1024 : table->capacity * 2;
        table->values = realloc(table->values, table->capacity * sizeof(sqlite3_value *));
        bench_expect(table->values != NULL, "memory for the rows");
      }
      table->values[table->count++] = sqlite3_value_dup(sqlite3_column_value(select, column));
    }
  }
  expect_ok(database, sqlite3_finalize(select));
}

static void bind(sqlite3_stmt *insert, int parameter, sqlite3_value *value) {
  switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
      sqlite3_bind_int64(insert, parameter, sqlite3_value_int64(value));
      break;
    case SQLITE_FLOAT:
      sqlite3_bind_double(insert, parameter, sqlite3_value_double(value));
      break;
    case SQLITE_TEXT:
      sqlite3_bind_text(insert, parameter, (const char *)sqlite3_value_text(value),
                        sqlite3_value_bytes(value), SQLITE_STATIC);
      break;
    default:
      sqlite3_bind_null(insert, parameter);
      break;
  }
}

static void insert_table(sqlite3 *database, const struct table *table) {
  size_t rows = table->count / (size_t)table->columns;
  for (int at_once = ROWS_AT_ONCE; at_once > 0; at_once = at_once == 1 ? 0 : 1) {
    sqlite3_stmt *insert;
    expect_ok(database, rep_schema_prepare_insert(database, table->id, at_once, &insert));
    size_t first = at_once == 1 ? rows / ROWS_AT_ONCE * ROWS_AT_ONCE : 0;
    for (; first + (size_t)at_once <= rows; first += (size_t)at_once) {
      sqlite3_value **values = &table->values[first * (size_t)table->columns];
      for (int i = 0; i < at_once * table->columns; i++) {
        bind(insert, i + 1, values[i]);
      }
      sqlite3_step(insert);
      expect_ok(database, sqlite3_reset(insert));
    }
    expect_ok(database, sqlite3_finalize(insert));
  }
}

/* Reads the rows of a database, and puts them into a new one beside it, which is removed. */
void bench_insertion(char **arguments) {
  sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  struct table tables[REP_TABLE_COUNT] = {{0}};
  sqlite3 *database;
  expect_ok(NULL, sqlite3_open_v2(arguments[0], &database, SQLITE_OPEN_READONLY, NULL));
  size_t rows = 0;
  for (int i = 0; i < REP_TABLE_COUNT; i++) {
    tables[i].id = (enum rep_table)i;
    read_table(database, &tables[i]);
    rows += tables[i].count / (size_t)tables[i].columns;
  }
  expect_ok(database, sqlite3_close(database));
  char *path = sqlite3_mprintf("%s.bare", arguments[0]);
  remove(path);
  int64_t begin = bench_clock(), wall_begin = wall_clock();
  expect_ok(NULL, sqlite3_open(path, &database));
  expect_ok(database, sqlite3_exec(database,
                                   "pragma journal_mode = off; pragma synchronous = off;"
                                   "pragma locking_mode = exclusive; pragma cache_size = -16384;"
                                   "begin",
                                   NULL, NULL, NULL));
  expect_ok(database, rep_schema_create(database));
  for (int i = 0; i < REP_TABLE_COUNT; i++) {
    insert_table(database, &tables[i]);
  }
  expect_ok(database, sqlite3_exec(database, "commit", NULL, NULL, NULL));
  int64_t used = bench_clock() - begin, wall = wall_clock() - wall_begin;
  expect_ok(database, rep_schema_index(database));
  expect_ok(database, sqlite3_close(database));
  printf("{\"operations\": %zu, \"ns\": %" PRId64 ", \"wall_ns\": %" PRId64
         ", \"indexed_ns\": %" PRId64 ", \"indexed_wall_ns\": %" PRId64 "}\n",
         rows, used, wall, bench_clock() - begin, wall_clock() - wall_begin);
  remove(path);
  sqlite3_free(path);
  for (int i = 0; i < REP_TABLE_COUNT; i++) {
    for (size_t v = 0; v < tables[i].count; v++) {
      sqlite3_value_free(tables[i].values[v]);
    }
    free(tables[i].values);
  }
}
