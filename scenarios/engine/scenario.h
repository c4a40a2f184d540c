/*
 * scenario.h - a scenario file in memory: what the loader makes, and what the runner runs.
 *
 * Everything that a scenario points to belongs to it and lives until scn_scenario_destroy().
 * Times are nanoseconds from the start. Positions are those of the file, for messages.
 */
#ifndef ENGINE_SCENARIO_H
#define ENGINE_SCENARIO_H

#include "fakes/fake.h"

/* A place in a scenario file; line and column count from 1, the column in bytes. */
struct scn_position {
  int line;
  int column;
};

struct scn_strings {
  const char **items;
  size_t count;
};

struct scn_account {
  struct wsp_account account;
  struct scn_position position;
};

struct scn_upstream {
  const char *url; /* "default" or a URL */
  struct fake_spec spec;
};

/* ---- Comparisons ------------------------------------------------------------------------ */

enum scn_value_kind {
  SCN_NULL,
  SCN_BOOL,
  SCN_INTEGER,
  SCN_DECIMAL, /* a number with a fraction, in billionths */
  SCN_DURATION,
  SCN_STRING
};

struct scn_value {
  enum scn_value_kind kind;
  bool boolean;
  int64_t integer;  /* SCN_INTEGER, SCN_DURATION (nanoseconds), SCN_DECIMAL (billionths) */
  const char *text; /* SCN_STRING; for the others the text as the file has it */
};

/* X(enumerator, name) */
#define SCN_OPERATOR_LIST(X)                                                                       \
  X(SCN_EQ, "eq")                                                                                  \
  X(SCN_NE, "ne")                                                                                  \
  X(SCN_LT, "lt")                                                                                  \
  X(SCN_LE, "le")                                                                                  \
  X(SCN_GT, "gt")                                                                                  \
  X(SCN_GE, "ge")                                                                                  \
  X(SCN_IN, "in")                                                                                  \
  X(SCN_CONTAINS, "contains")

enum scn_operator {
#define SCN_ENUMERATOR(id, name) id,
  SCN_OPERATOR_LIST(SCN_ENUMERATOR)
#undef SCN_ENUMERATOR
};

struct scn_test {
  enum scn_operator operator_;
  struct scn_value value;        /* of all but SCN_IN */
  const struct scn_value *values; /* of SCN_IN */
  size_t count;
};

/* All tests must hold. `field` is the key that it was written under ("result", "x-test" of a
 * header, "eq" standing alone is the field "value"). */
struct scn_comparison {
  const char *field;
  const struct scn_test *tests;
  size_t count;
  struct scn_position position;
};

/* ---- Expectations ----------------------------------------------------------------------- */

enum scn_expectation_kind {
  SCN_EXPECT_OP,
  SCN_EXPECT_METRIC,
  SCN_EXPECT_ACCOUNT,
  SCN_EXPECT_CONN,
  SCN_EXPECT_UPSTREAM,
  SCN_EXPECT_EVENT,
  SCN_EXPECT_EVENTS,
  SCN_EXPECT_ORDER,
  SCN_EXPECT_SQL,
  SCN_EXPECT_PERCENTILE
};

/* An event by kind and fields: `where` fields are account, conn, op, t (a duration), or a key of
 * the event's detail. */
struct scn_event_pattern {
  const char *kind;
  const struct scn_comparison *where;
  size_t where_count;
  struct scn_position position;
};

enum scn_milestone { SCN_STARTED, SCN_GRANTED, SCN_FAILED, SCN_RELEASED };

struct scn_order_item {
  const char *label;
  enum scn_milestone milestone;
  struct scn_position position;
};

struct scn_expectation {
  enum scn_expectation_kind kind;
  struct scn_position position;
  const char *text; /* as the file has it, white space folded: for messages and the database */
  bool order_dependent; /* says what happens in insertion order only; left out of `text` */

  const char *subject; /* op label, metric, conn (label or id), upstream url, SQL, percentile of */
  int64_t account;     /* SCN_EXPECT_ACCOUNT */
  wsp_decimal percentile; /* p, in billionths of a percent point: 99.9 is 99900000000 */
  const struct scn_comparison *comparisons; /* fields, or "value" / "count" */
  size_t comparison_count;
  const struct scn_comparison *headers; /* of an op: field is the header's name */
  size_t header_count;
  const struct scn_event_pattern *events; /* SCN_EXPECT_EVENT: one; SCN_EXPECT_EVENTS: in order */
  size_t event_count;
  const struct scn_event_pattern *forbid;
  size_t forbid_count;
  const struct scn_order_item *order;
  size_t order_count;
};

/* ---- Steps ------------------------------------------------------------------------------ */

/* X(enumerator, name) */
#define SCN_STEP_LIST(X)                                                                           \
  X(SCN_ACQUIRE, "acquire")                                                                        \
  X(SCN_RELEASE, "release")                                                                        \
  X(SCN_MARK_BROKEN, "mark_broken")                                                                \
  X(SCN_MARK_PREWARMED, "mark_prewarmed")                                                          \
  X(SCN_WRITE, "write")                                                                            \
  X(SCN_READ, "read")                                                                              \
  X(SCN_PING, "ping")                                                                              \
  X(SCN_CANCEL, "cancel")                                                                          \
  X(SCN_PIN, "pin")                                                                                \
  X(SCN_UNPIN, "unpin")                                                                            \
  X(SCN_ENSURE_TARGET_IDLE, "ensure_target_idle")                                                  \
  X(SCN_PING_SWEEP, "ping_sweep")                                                                  \
  X(SCN_CLEANUP_SWEEP, "cleanup_sweep")                                                            \
  X(SCN_EVICT, "evict")                                                                            \
  X(SCN_ADOPT, "adopt")                                                                            \
  X(SCN_CLEAR_ACCOUNT, "clear_account")                                                            \
  X(SCN_PEER_CLOSE, "peer_close")                                                                  \
  X(SCN_PEER_MESSAGE, "peer_message")                                                              \
  X(SCN_UPSTREAM, "upstream")                                                                      \
  X(SCN_CLOCK_JUMP, "clock_jump")                                                                  \
  X(SCN_CLOSE_POOL, "close_pool")                                                                  \
  X(SCN_TOGETHER, "together")                                                                      \
  X(SCN_EXPECT, "expect")

enum scn_step_kind {
#define SCN_ENUMERATOR(id, name) id,
  SCN_STEP_LIST(SCN_ENUMERATOR)
#undef SCN_ENUMERATOR
};

enum { SCN_STEP_KIND_COUNT = SCN_EXPECT + 1 };

/* The members that a kind does not use are zero. Labels: `label` is the step's own ("as"), made
 * up by the loader where the file leaves it out ("acquire@3": the third step), NULL for kinds
 * that are no operations. With `repeats` they are label#1, label#2, ... */
struct scn_step {
  enum scn_step_kind kind;
  wsp_time at; /* absolute; the loader has added up `after` */
  struct scn_position position;
  size_t index; /* in file order, members of `together` included */

  const char *label;
  const char *target; /* lease label of release ... ping, operation of cancel */
  int64_t account;    /* the loader has filled in the only account; 0: the file names none */
  const char *conn;   /* preferred conn, conn of pin ... peer_message: a label or an id */
  const char *url;    /* trimmed by the pool, not by the loader; default filled in */
  const char *proxy;
  const struct wsp_header *headers;
  size_t header_count;
  bool url_given; /* ensure_target_idle: a template is given */

  bool force_new_conn, force_preferred_conn, canceled;
  bool has_hold;
  wsp_duration timeout, hold;
  bool repeats;
  int64_t repeat;
  wsp_duration every;

  const char *json; /* write: as JSON text; peer_message: the message as JSON text */
  wsp_duration age, idle; /* adopt */
  int code;               /* peer_close */
  const char *reason;
  wsp_duration by; /* clock_jump */
  struct fake_spec spec; /* adopt, upstream */
  bool has_spec;

  const struct scn_step *steps; /* together */
  size_t step_count;
  const struct scn_expectation *expectations; /* expect */
  size_t expectation_count;
};

/* ---- Load ------------------------------------------------------------------------------- */

enum scn_arrivals_kind {
  SCN_ARRIVALS_POISSON,
  SCN_ARRIVALS_UNIFORM,
  SCN_ARRIVALS_BURST,
  SCN_ARRIVALS_TRACE,
  SCN_ARRIVALS_RAMP
};

enum scn_affinity { SCN_AFFINITY_NONE, SCN_AFFINITY_PREFERRED, SCN_AFFINITY_STRICT };

/* A rate is a number of arrivals in a time: "200/s" is 200000000000 billionths in a second. */
struct scn_rate {
  wsp_decimal arrivals;
  wsp_duration per;
};

struct scn_load {
  struct scn_position position;
  const char *label; /* "load1", or its `as` */
  enum scn_arrivals_kind arrivals;
  struct scn_rate rate;     /* poisson, uniform, ramp: the first */
  struct scn_rate end_rate; /* ramp */
  int64_t burst;
  wsp_duration every;
  const int64_t *times; /* trace, ns */
  size_t time_count;
  wsp_duration duration; /* `for` */
  int64_t account;
  const char *url;
  const char *proxy;
  const struct wsp_header *headers;
  size_t header_count;
  bool force_new_conn;
  struct sim_distribution hold;
  wsp_duration timeout;
  bool has_session;
  struct sim_distribution turns; /* whole numbers */
  struct sim_distribution think;
  enum scn_affinity affinity;
};

/* ---- The whole -------------------------------------------------------------------------- */

/* One combination of a scenario's matrix. */
struct scn_variant {
  const char *name; /* "": no matrix; else "config.max_idle_per_account=0 seed=1" */
  struct wsp_config config;
  uint64_t seed;
  /* What else a matrix may vary is not known to the contract: keys of config, and seed. */
};

/* A label that an operation has, or, when it repeats, operations have as name#1 ... name#count. */
struct scn_label {
  const char *name;
  bool repeats;
  int64_t count;
};

struct scn_scenario {
  const char *path; /* as it was given */
  const char *name;
  const char *description;
  struct scn_strings tags, covers;
  bool background;
  const struct scn_account *accounts;
  const struct scn_account *const *accounts_by_id; /* the same, ascending */
  size_t account_count;
  const struct scn_label *labels; /* all, ascending by name, those that repeat last */
  size_t label_count;
  const struct scn_upstream *upstreams;
  size_t upstream_count;
  const struct scn_step *steps;
  size_t step_count;
  const struct scn_load *loads;
  size_t load_count;
  const struct scn_expectation *expectations;
  size_t expectation_count;
  struct scn_strings invariants_off;
  const char *invariants_because;
  const char *schedule; /* the order in which `run` takes it (schedule.h); NULL: insertion order */
  bool has_run_for;
  wsp_duration run_for;
  const struct scn_variant *variants; /* at least one */
  size_t variant_count;
  void *memory; /* the loader's */
};

void scn_scenario_destroy(struct scn_scenario *scenario);

#endif
