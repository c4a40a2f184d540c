/*
 * recorder.h - writes runs into a SQLite database, and lends a scenario's rows to SQL.
 *
 * The tables are those of the contract (reports/README.md says them in full). A scenario's rows
 * go in in one transaction: it is there whole or not at all. Indexes are made when the run is
 * finished. Times are integers in nanoseconds.
 */
#ifndef REPORTS_RECORDER_H
#define REPORTS_RECORDER_H

#include "sim/trace.h"

#define REP_SCHEMA_VERSION 4

enum rep_verdict { REP_PASS, REP_FAIL, REP_ERROR, REP_CRASH, REP_HANG };
const char *rep_verdict_name(enum rep_verdict verdict);

enum rep_op_kind {
  REP_OP_ACQUIRE,
  REP_OP_READ,
  REP_OP_WRITE,
  REP_OP_PING,
  REP_OP_PIN,
  REP_OP_CLOSE
};
const char *rep_op_kind_name(enum rep_op_kind kind);

/* An operation of a scenario. Strings live as long as the result that they are in. */
struct rep_op {
  const char *label;
  enum rep_op_kind kind;
  int64_t account; /* 0: none */
  int64_t started_ns;
  int64_t ended_ns;   /* -1: pending */
  const char *result; /* "ok", "refused", "pending" or an error's name */
  const char *error_text;
  int status;            /* 0: none */
  const char *conn;      /* NULL: none */
  int reused;            /* 0, 1; -1: not an acquire, or none was granted */
  int64_t queue_wait_ns; /* -1: not an acquire */
  int64_t conn_pick_ns;  /* -1: not an acquire */
};

/* A metric's value at a time; account 0: of the pool. Real values are in billionths. */
struct rep_metric {
  int64_t t_ns;
  int64_t account;
  const char *name;
  int64_t value;
  bool billionths; /* written as a real number */
};

struct rep_expectation {
  int64_t index;
  const char *text;
  bool passed;
  const char *actual;
  const char *missed; /* the fields that do not hold, a space between them; is not recorded */
};

struct rep_violation {
  int64_t t_ns;
  const char *invariant;
  const char *detail;
};

/* How far a search for orders that break a scenario came. Zero-filled: there was none. */
struct rep_exploration {
  const char *strategy; /* NULL: no exploration; lives for ever */
  uint64_t runs;
  uint64_t faulted;   /* of the runs: those in which a fault struck */
  uint64_t schedules; /* distinct ones; at least so many when a search has too many to keep */
  uint64_t states;    /* distinct ones in which there was a choice; 0: not counted */
  uint64_t orders;    /* exhaustive: all orders that the runs stand for */
  bool complete;      /* exhaustive: there are no other orders */
  uint64_t events;
  int64_t wall_ns;
};

/* All that one run of one scenario variant has left. */
struct rep_scenario {
  int64_t id; /* given by the caller: unique in the run, from 1; the recorder adds an offset */
  const char *name, *path, *variant;
  uint64_t seed;
  const char *schedule; /* NULL: insertion order */
  const char *mode;     /* "virtual" or "live" */
  enum rep_verdict verdict;
  const char *failure; /* NULL: none */
  int64_t virtual_ns, wall_ns;
  char timeline_sha256[65];
  const struct sim_trace *trace;
  const struct rep_op *const *ops;
  size_t op_count;
  const struct rep_metric *metrics;
  size_t metric_count;
  const struct rep_expectation *expectations;
  size_t expectation_count;
  const struct rep_violation *violations;
  size_t violation_count;
  struct rep_exploration exploration; /* that found this run */
  const char *source; /* the scenario file's text, kept so that a run can be repeated; NULL: none */
};

/* SHA-256 (hexadecimal) over the logical events of a trace; "" when there is no memory for it. */
void rep_timeline_sha256(const struct sim_trace *trace, char hex[65]);

struct rep_recorder;

/* Opens or makes the database `path` and starts a run in it. NULL after `message` was filled: the
 * file is no database, is one of something else, has another schema version, is locked, cannot be
 * written: what was found and what to do. `command` is the command line, `version` the program's.
 */
struct rep_recorder *rep_recorder_open(const char *path, const char *command, const char *version,
                                       char *message, size_t size);

/* The same; a database that another process holds is waited for this long (else 5 s). */
struct rep_recorder *rep_recorder_open_within(const char *path, int busy_timeout_ms,
                                              const char *command, const char *version,
                                              char *message, size_t size);

/* Which part of which plan a run is. Runs of equal plans can be merged. */
struct rep_shard {
  uint64_t shard, shards; /* the first is 1; 1 of 1: all of it */
  uint64_t runs;          /* of this part: so many scenarios will be added, unless it is stopped */
  char plan_sha256[65];   /* over everything that decides what the whole plan's results are */
};

/* Says so in the database. False after `message` was filled. */
bool rep_recorder_set_shard(struct rep_recorder *recorder, const struct rep_shard *shard,
                            char *message, size_t size);

/* Writes one scenario in one transaction. False after `message` was filled (a full disk, ...);
 * what was written before stays. */
bool rep_recorder_add(struct rep_recorder *recorder, const struct rep_scenario *scenario,
                      char *message, size_t size);

/* The id of this run, and that of the last scenario that was added (0: none), in the database. */
int64_t rep_recorder_run_id(const struct rep_recorder *recorder);
int64_t rep_recorder_scenario_id(const struct rep_recorder *recorder);

/* Stamps the run as finished, makes the indexes, closes (also when it says false). */
bool rep_recorder_finish(struct rep_recorder *recorder, char *message, size_t size);

/* ---- SQL over one scenario --------------------------------------------------------------- */

enum rep_sql_kind { REP_SQL_NULL, REP_SQL_INTEGER, REP_SQL_REAL, REP_SQL_TEXT };

struct rep_sql_value {
  enum rep_sql_kind kind;
  int64_t integer;
  double real; /* for comparisons with what the file says; decides no order of events */
  char text[512];
};

/* The rows of one scenario at a time, in memory, in the tables of a database (`run` is empty and
 * `wall_ns` is 0: a verdict hangs on neither). */
struct rep_sql;

/* NULL: no memory. */
struct rep_sql *rep_sql_open(void);
void rep_sql_close(struct rep_sql *sql);

/* How many steps of SQLite's machine a query may take; some seconds of them unless this is said. */
void rep_sql_limit(struct rep_sql *sql, int64_t most_steps);

/* Puts in `scenario`'s rows, in place of those of the last call. Events are only added: the trace
 * must be the one of the last call, longer or as it was, or rep_sql_reset() comes first. False
 * after `message` was filled. */
bool rep_sql_load(struct rep_sql *sql, const struct rep_scenario *scenario, char *message,
                  size_t size);
/* Forgets all rows. */
bool rep_sql_reset(struct rep_sql *sql, char *message, size_t size);

/* Runs one read-only query over the rows and gives its first column of its first row. False after
 * `message` was filled: not valid SQL, not read-only, no row, too slow. The same rows and query
 * give the same answer on every machine; what could not (random(), dates) is refused. */
bool rep_sql_run(struct rep_sql *sql, const char *query, struct rep_sql_value *value, char *message,
                 size_t size);

/* The first three at once, for a single query over `scenario`. */
bool rep_sql_query(const struct rep_scenario *scenario, const char *sql,
                   struct rep_sql_value *value, char *message, size_t size);

/* Whether `query` can be run at all: it is valid in the tables and only reads. No row is looked
 * at. False after `message` was filled. */
bool rep_sql_check(struct rep_sql *sql, const char *query, char *message, size_t size);

#endif
