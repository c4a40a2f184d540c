/*
 * database.c - opens poolproof's databases and tells them from everything else.
 *
 * It knows what marks a database as ours and what to say of one that is not, not what is in it.
 */
#define _POSIX_C_SOURCE 200809L
#include "reports/database.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "reports/recorder.h"
#include "reports/schema.h"

/* What a file says of itself. */
struct marks {
  int64_t application_id;
  int64_t version;
  int64_t tables;
};

static const char *meaning(int result) {
  switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process holds it; wait until that has finished, or name another file with "
             "--db";
    case SQLITE_FULL:
      return "the disk is full; make room there, or name a file elsewhere with --db";
    case SQLITE_IOERR:
      return "the disk refuses (full, over a limit, or broken); see to it, or name a file "
             "elsewhere with --db";
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return "it may not be written; change its permissions and those of its folder, or name "
             "another file with --db";
    case SQLITE_CANTOPEN:
      return "it can not be opened; see to its permissions and those of its folder, or name "
             "another file with --db";
    case SQLITE_NOTADB:
      return "it is no SQLite database; name another file with --db, or move this one away";
    case SQLITE_CORRUPT:
      return "it is damaged; move it away, or name another file with --db";
    case SQLITE_NOMEM:
      return "there is not enough memory";
    default:
      return "this was not expected; name another file with --db, and report it if that does not "
             "help";
  }
}

void rep_database_explain(sqlite3 *database, int result, const char *doing, const char *path,
                          char *message, size_t size) {
  const char *text = database == NULL ? sqlite3_errstr(result) : sqlite3_errmsg(database);
  snprintf(message, size, "cannot %s the database '%s': %s (SQLite: %s)", doing, path,
           meaning(result), text);
}

/* Looks at the path before SQLite does, which would only say "unable to open". */
static bool path_fits(const char *path, enum rep_access access, char *message, size_t size) {
  struct stat status;
  if (path[0] == '\0') {
    snprintf(message, size,
             "cannot open the database '': a file name was expected, found an empty one");
    return false;
  }
  if (stat(path, &status) == 0) {
    if (S_ISREG(status.st_mode)) {
      return true;
    }
    snprintf(message, size,
             "cannot open the database '%s': a file was expected, found a %s; name a file with "
             "--db",
             path, S_ISDIR(status.st_mode) ? "folder" : "device, pipe or socket");
    return false;
  }
  if (errno != ENOENT) {
    snprintf(message, size,
             "cannot open the database '%s': %s; see to the folders on its path, or name another "
             "file with --db",
             path, strerror(errno));
    return false;
  }
  if (access == REP_READ) {
    snprintf(message, size,
             "cannot open the database '%s': there is no such file; 'poolproof run --db' makes one",
             path);
    return false;
  }
  const char *slash = strrchr(path, '/');
  if (slash != NULL && slash != path) {
    char folder[1024];
    int length = snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    if (length < (int)sizeof folder && stat(folder, &status) != 0) {
      snprintf(message, size,
               "cannot make the database '%s': its folder '%s' does not exist; make it, or name "
               "another file with --db",
               path, folder);
      return false;
    }
  }
  return true;
}

static int query_integer(sqlite3 *database, const char *sql, int64_t *value) {
  sqlite3_stmt *statement;
  int result = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);
  if (result != SQLITE_OK) {
    return result;
  }
  result = sqlite3_step(statement);
  if (result == SQLITE_ROW) {
    *value = sqlite3_column_int64(statement, 0);
    result = SQLITE_OK;
  }
  sqlite3_finalize(statement);
  return result;
}

static int read_marks(sqlite3 *database, struct marks *marks) {
  int result = query_integer(database, "pragma application_id", &marks->application_id);
  if (result == SQLITE_OK) {
    result = query_integer(database, "pragma user_version", &marks->version);
  }
  if (result == SQLITE_OK) {
    result = query_integer(database, "select count(*) from sqlite_schema", &marks->tables);
  }
  return result;
}

static bool is_empty(const struct marks *marks) {
  return marks->application_id == 0 && marks->version == 0 && marks->tables == 0;
}

static bool is_ours(const struct marks *marks, const char *path, char *message, size_t size) {
  if (marks->application_id != REP_APPLICATION_ID) {
    snprintf(message, size,
             "cannot use the database '%s': a database of poolproof was expected, found one of "
             "something else (application id %lld, %lld tables and the like); name another file "
             "with --db",
             path, (long long)marks->application_id, (long long)marks->tables);
    return false;
  }
  if (marks->version != REP_SCHEMA_VERSION) {
    snprintf(message, size,
             "cannot use the database '%s': schema version %d was expected, found version %lld; "
             "name another file with --db, or use the poolproof that made this one",
             path, REP_SCHEMA_VERSION, (long long)marks->version);
    return false;
  }
  return true;
}

/* Makes the tables in a file that was empty, unless another process was quicker. */
static int make_tables(sqlite3 *database) {
  struct marks marks = {0};
  int result = sqlite3_exec(database, "begin immediate", NULL, NULL, NULL);
  if (result != SQLITE_OK) {
    return result;
  }
  result = read_marks(database, &marks);
  if (result == SQLITE_OK && is_empty(&marks)) {
    char pragmas[80];
    snprintf(pragmas, sizeof pragmas, "pragma application_id = %d; pragma user_version = %d",
             REP_APPLICATION_ID, REP_SCHEMA_VERSION);
    result = sqlite3_exec(database, pragmas, NULL, NULL, NULL);
    if (result == SQLITE_OK) {
      result = rep_schema_create(database);
    }
  }
  if (result == SQLITE_OK) {
    result = sqlite3_exec(database, "commit", NULL, NULL, NULL);
  }
  return result; /* closing rolls back what was not committed */
}

static int open_file(const char *path, enum rep_access access, int busy_timeout_ms,
                     sqlite3 **database) {
  /* "./" keeps a name such as ":memory:" or "file:x" from meaning something else. */
  char *name = sqlite3_mprintf("%s%s", path[0] == '/' ? "" : "./", path);
  if (name == NULL) {
    return SQLITE_NOMEM;
  }
  int flags =
      access == REP_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  int result = sqlite3_open_v2(name, database, flags | SQLITE_OPEN_NOMUTEX, NULL);
  sqlite3_free(name);
  if (result == SQLITE_OK) {
    result = sqlite3_busy_timeout(*database, busy_timeout_ms);
  }
  return result;
}

sqlite3 *rep_database_open(const char *path, enum rep_access access, int busy_timeout_ms,
                           char *message, size_t size) {
  struct marks marks = {0};
  sqlite3 *database = NULL;
  if (!path_fits(path, access, message, size)) {
    return NULL;
  }
  int result = open_file(path, access, busy_timeout_ms, &database);
  if (result == SQLITE_OK) {
    result = read_marks(database, &marks);
  }
  if (result == SQLITE_OK && access == REP_WRITE && is_empty(&marks)) {
    result = make_tables(database);
    if (result == SQLITE_OK) {
      result = read_marks(database, &marks);
    }
  }
  if (result != SQLITE_OK) {
    rep_database_explain(database, result, "open", path, message, size);
  } else if (access == REP_WRITE && sqlite3_db_readonly(database, "main") == 1) {
    rep_database_explain(NULL, SQLITE_READONLY, "write", path, message, size);
  } else if (is_ours(&marks, path, message, size)) {
    return database;
  }
  sqlite3_close(database);
  return NULL;
}
