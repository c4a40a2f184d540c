/*
 * load_internal.h - what the parts of the loader share: reading values, saying what is wrong.
 *
 * Each reader of a value says at most one thing about it, and nothing at all about a value whose
 * own text was refused. A reader that fails leaves its target as it was. Nothing stops at a
 * mistake: whether there was one is asked at the end.
 */
#ifndef ENGINE_LOAD_INTERNAL_H
#define ENGINE_LOAD_INTERNAL_H

#include "reports/recorder.h"
#include "scenarios/engine/json.h"
#include "scenarios/engine/loader.h"

/* Limits; each is named in the message about what exceeds it. */
#define LOAD_PROBLEM_LIMIT 1000
#define LOAD_LABEL_LIMIT 200                 /* bytes of a label or a name */
#define LOAD_STEP_LIMIT 1000000              /* steps of a scenario */
#define LOAD_ACQUIRE_LIMIT INT64_C(10000000) /* acquires of one step or load */
#define LOAD_VARIANT_LIMIT 10000             /* combinations of a matrix */
#define LOAD_TRACE_LIMIT 10000000            /* lines of a trace file */
#define LOAD_TIME_LIMIT (INT64_MAX / 4)      /* about 73 years, so that sums can not overflow */

struct load_problem {
  enum scn_severity severity;
  struct scn_position place; /* in the scenario file: their order */
  const char *path;          /* the scenario file, or one that it names */
  struct scn_position position;
  const char *message;
  size_t order;
  struct load_problem *next;
};

/* What a label must stand for. */
enum load_need { LOAD_NEED_OPERATION, LOAD_NEED_ACQUIRE };

struct load_label {
  const char *name;
  struct scn_position position;
  const char *kind; /* "acquire", "read", ...; "load" */
  bool made_up;     /* by the loader */
  bool repeats;     /* the operations are name#1 ... name#count */
  int64_t count;
  size_t order; /* 1 + index of its step; 0: of a load, can be named anywhere */
  struct load_label *next;
};

/* A label that is named somewhere; resolved when all are known. */
struct load_reference {
  const struct scn_json_value *value; /* for messages */
  const char *name;
  enum load_need need;
  size_t order; /* the label's must be less */
  struct load_reference *next;
};

struct load_labels {
  struct load_label *first, **last;
  size_t count;
  struct load_reference *references, **last_reference;
};

/* A warning of the configuration that was given; others for the same reason are not. */
struct load_warned {
  const char *key, *sentence;
  struct load_warned *next;
};

struct scn_loader {
  const char *path;
  struct scn_load_options options;
  struct scn_memory *memory;
  const struct scn_json_value *root;
  struct scn_scenario *scenario;

  struct load_problem *problems;
  size_t problem_count, error_count;

  struct load_labels labels;
  struct wsp_config config; /* the file's own, before the matrix */
  uint64_t seed;
  struct load_warned *warned;
  struct rep_sql *sql; /* what queries are checked with; NULL until there is one */
  bool accounts_known; /* the accounts were read without a mistake */

  /* While the steps are read: */
  size_t step_index;
  wsp_time previous_at;
  wsp_duration jumped; /* by all clock_jumps so far */
  wsp_time after_from; /* what "after" counts from: the step before, or what it jumped to */
  struct scn_position previous_position;
  size_t reading_order; /* what labels may be named here: those of a lower order */
};

/* ---- Problems: load_problem.c ------------------------------------------------------------- */

void scn_load_error(struct scn_loader *loader, struct scn_position position, const char *format,
                    ...);
void scn_load_warning(struct scn_loader *loader, struct scn_position position, const char *format,
                      ...);
/* In a file that the scenario names at `value`. */
void scn_load_error_in(struct scn_loader *loader, const struct scn_json_value *value,
                       const char *path, struct scn_position position, const char *format, ...);
/* "\"timeout\": expected EXPECTED, found the number 5". Nothing for a broken value. */
void scn_load_expected(struct scn_loader *loader, const struct scn_json_value *value,
                       const char *expected);
/* The same with a reason or a hint behind it. */
void scn_load_expected_hint(struct scn_loader *loader, const struct scn_json_value *value,
                            const char *expected, const char *hint);
/* "\"timeout\": " or "item 2 of \"tags\": " for messages of other forms; "" at the top. */
const char *scn_load_where(struct scn_loader *loader, const struct scn_json_value *value);
/* "the number 5", "\"abc\"", "an object". */
const char *scn_load_found(struct scn_loader *loader, const struct scn_json_value *value);
/* Tells all problems in the order of the file. */
void scn_load_tell(struct scn_loader *loader, scn_report report, void *context);

/* ---- Names: load_name.c ------------------------------------------------------------------- */

/* A list of names: name(context, i) for i from 0, NULL behind the last. */
struct load_names {
  const char *(*name)(const void *context, size_t index);
  const void *context;
};

struct load_names scn_load_names_of(const char *const *list); /* NULL behind the last */
/* The index of `text`, or -1. */
int scn_load_name_find(struct load_names names, const char *text);
/* "; did you mean \"reused\"?", or "". */
const char *scn_load_suggest(struct scn_loader *loader, struct load_names names, const char *text);
/* "a, b or c" */
const char *scn_load_names_text(struct scn_loader *loader, struct load_names names);
/* The index of the string's value among `names`, or -1 and a message: "expected WHAT (a, b or c),
 * found ...". */
int scn_load_choice(struct scn_loader *loader, const struct scn_json_value *value,
                    struct load_names names, const char *what);

/* "ok", "conn_closed", ...; not "would_wait", which no operation of a scenario can give. */
extern const struct load_names scn_load_error_names;
extern const struct load_names scn_load_reason_names; /* of enum wsp_reason, without the first */
extern const struct load_names scn_load_event_names;

/* ---- Objects and values: load_value.c ----------------------------------------------------- */

typedef void (*load_reader)(struct scn_loader *loader, const struct scn_json_value *value,
                            void *target);

struct load_field {
  const char *key;
  load_reader read;
  size_t offset; /* of what the reader fills, in the target */
};

struct load_shape {
  const char *what; /* "an acquire" */
  const struct load_field *fields;
  size_t count;
};

#define LOAD_COUNT(array) (sizeof(array) / sizeof(array)[0])
#define LOAD_SHAPE(name, what, fields) \
  static const struct load_shape name = {what, fields, LOAD_COUNT(fields)}

/* True when the value is of that kind; else a message: "expected EXPECTED, found ...". */
bool scn_load_is(struct scn_loader *loader, const struct scn_json_value *value,
                 enum scn_json_kind kind, const char *expected);
/* Reads the members of an object by the fields of `shape`; unknown keys are errors. False: it is
 * no object. */
bool scn_load_object(struct scn_loader *loader, const struct scn_json_value *value,
                     const struct load_shape *shape, void *target);
/* True when the object has the key; else a message at the object. */
bool scn_load_require(struct scn_loader *loader, const struct scn_json_value *object,
                      const char *key, const char *what);

bool scn_load_string(struct scn_loader *loader, const struct scn_json_value *value,
                     const char **string);
bool scn_load_bool(struct scn_loader *loader, const struct scn_json_value *value, bool *boolean);
/* A whole number from `least` to `most`; `expected` says so in words. */
bool scn_load_integer(struct scn_loader *loader, const struct scn_json_value *value, int64_t least,
                      int64_t most, const char *expected, int64_t *integer);
bool scn_load_decimal(struct scn_loader *loader, const struct scn_json_value *value,
                      const char *expected, wsp_decimal *decimal);
/* A number, or a string of digits. */
bool scn_load_seed(struct scn_loader *loader, const struct scn_json_value *value, uint64_t *seed);
/* Of 0s or more, and at most LOAD_TIME_LIMIT. */
bool scn_load_duration(struct scn_loader *loader, const struct scn_json_value *value,
                       wsp_duration *duration);
/* Also less than 0s. */
bool scn_load_any_duration(struct scn_loader *loader, const struct scn_json_value *value,
                           wsp_duration *duration);
/* The decimal that a text is ("2.0"), at most nine places, not negative. No message. */
bool scn_load_decimal_text(const char *text, size_t length, wsp_decimal *decimal);

/* Readers for fields. */
void scn_load_string_field(struct scn_loader *loader, const struct scn_json_value *value,
                           void *target);
/* A string that is not empty. */
void scn_load_text_field(struct scn_loader *loader, const struct scn_json_value *value,
                         void *target);
void scn_load_bool_field(struct scn_loader *loader, const struct scn_json_value *value,
                         void *target);
void scn_load_duration_field(struct scn_loader *loader, const struct scn_json_value *value,
                             void *target);
/* A duration, or the number 0. */
void scn_load_timeout_field(struct scn_loader *loader, const struct scn_json_value *value,
                            void *target);
void scn_load_strings_field(struct scn_loader *loader, const struct scn_json_value *value,
                            void *target);
/* Any whole number, into an int64_t. */
void scn_load_account_field(struct scn_loader *loader, const struct scn_json_value *value,
                            void *target);
/* For a key that is read on its own, before or after the others. */
void scn_load_elsewhere(struct scn_loader *loader, const struct scn_json_value *value,
                        void *target);

/* An object of strings; `count` is filled too. */
const struct wsp_header *scn_load_headers(struct scn_loader *loader,
                                          const struct scn_json_value *value, size_t *count);
/* Fills the only account in when `object` has no key "account"; an error when there are more. */
void scn_load_default_account(struct scn_loader *loader, const struct scn_json_value *object,
                              int64_t *account);

/* ---- The parts of a scenario -------------------------------------------------------------- */

/* load_config.c: one key of the configuration. False: there is no such key, or the value is
 * wrong (a message was given). */
bool scn_load_config_value(struct scn_loader *loader, const struct scn_json_value *value,
                           const char *key, struct wsp_config *config);
void scn_load_config(struct scn_loader *loader, const struct scn_json_value *value);
extern const struct load_names scn_load_config_names;
/* Warns of what is inconsistent in `config`, at `fallback` where the file does not have the key;
 * `variant` is "" or the name of the variant. Each thing is said once for all variants. */
void scn_load_config_warn(struct scn_loader *loader, const struct wsp_config *config,
                          struct scn_position fallback, const char *variant);

/* load_distribution.c */
enum load_unit { LOAD_UNIT_DURATION, LOAD_UNIT_COUNT };
void scn_load_distribution(struct scn_loader *loader, const struct scn_json_value *value,
                           enum load_unit unit, struct sim_distribution *distribution);
void scn_load_distribution_field(struct scn_loader *loader, const struct scn_json_value *value,
                                 void *target);

/* load_trace.c: the numbers of a file named by a string, milliseconds as nanoseconds. False: a
 * message was given. */
bool scn_load_trace(struct scn_loader *loader, const struct scn_json_value *value, bool ascending,
                    const int64_t **values, size_t *count);

/* load_upstream.c: fields of a struct fake_spec at `offset`, of a conn alone or of an upstream. */
#define LOAD_SPEC_CONN_FIELDS(offset)                                                         \
  {"fake", scn_load_spec_fake, offset}, {"failure_rate", scn_load_spec_failure_rate, offset}, \
      {"ping", scn_load_spec_ping, offset}, {"write", scn_load_spec_write, offset},           \
      {"read", scn_load_spec_read, offset}, {"close", scn_load_spec_close, offset},           \
      {"max_age", scn_load_spec_max_age, offset}, {                                           \
    "idle_timeout", scn_load_spec_idle_timeout, offset                                        \
  }
#define LOAD_SPEC_FIELDS(offset)                                       \
  LOAD_SPEC_CONN_FIELDS(offset), {"dial", scn_load_spec_dial, offset}, \
      {"max_conns", scn_load_spec_max_conns, offset}, {                \
    "rate_limit", scn_load_spec_rate_limit, offset                     \
  }
#define LOAD_SPEC_READER(name) \
  void name(struct scn_loader *loader, const struct scn_json_value *value, void *target)
LOAD_SPEC_READER(scn_load_spec_fake);
LOAD_SPEC_READER(scn_load_spec_failure_rate);
LOAD_SPEC_READER(scn_load_spec_ping);
LOAD_SPEC_READER(scn_load_spec_write);
LOAD_SPEC_READER(scn_load_spec_read);
LOAD_SPEC_READER(scn_load_spec_close);
LOAD_SPEC_READER(scn_load_spec_max_age);
LOAD_SPEC_READER(scn_load_spec_idle_timeout);
LOAD_SPEC_READER(scn_load_spec_dial);
LOAD_SPEC_READER(scn_load_spec_max_conns);
LOAD_SPEC_READER(scn_load_spec_rate_limit);
#undef LOAD_SPEC_READER
void scn_load_upstreams(struct scn_loader *loader, const struct scn_json_value *value);
/* What only makes sense beside something else: failure_rate without the preset flaky. A change
 * may refine a preset that was named earlier. */
void scn_load_spec_check(struct scn_loader *loader, const struct scn_json_value *object,
                         const struct fake_spec *spec, bool is_change);

/* load_step.c */
void scn_load_steps(struct scn_loader *loader, const struct scn_json_value *value);
/* The members of `together`: steps without a time of their own. */
void scn_load_together(struct scn_loader *loader, const struct scn_json_value *value,
                       struct scn_step *step);

/* load_operation.c: reads the argument of the operation `step->kind`. */
void scn_load_operation(struct scn_loader *loader, const struct scn_json_value *value,
                        struct scn_step *step);

/* load_traffic.c */
void scn_load_traffic(struct scn_loader *loader, const struct scn_json_value *value);

/* load_expect.c: a list of expectations. */
const struct scn_expectation *scn_load_expectations(struct scn_loader *loader,
                                                    const struct scn_json_value *value,
                                                    size_t *count);

/* load_expect_event.c */
void scn_load_expect_event(struct scn_loader *loader, const struct scn_json_value *value,
                           struct scn_expectation *expectation);
void scn_load_expect_events(struct scn_loader *loader, const struct scn_json_value *value,
                            struct scn_expectation *expectation);
void scn_load_expect_order(struct scn_loader *loader, const struct scn_json_value *value,
                           struct scn_expectation *expectation);

/* load_compare.c: what a field is compared with. */
enum load_type {
  LOAD_INTEGER,
  LOAD_DECIMAL, /* also whole numbers */
  LOAD_DURATION,
  LOAD_BOOL,
  LOAD_STRING,
  LOAD_CHOICE, /* one of `names` */
  LOAD_FLAG,   /* a whole number, true or false */
  LOAD_SCALAR  /* anything but objects and lists */
};

struct load_compared {
  enum load_type type;
  bool or_null;            /* null: the thing has no such field */
  bool contains;           /* a bare value is meant as contained */
  struct load_names names; /* of LOAD_CHOICE */
  const char *what;        /* of LOAD_CHOICE: "a result" */
};

/* The comparison under a key: a bare value or an object of operators. */
bool scn_load_comparison(struct scn_loader *loader, const struct scn_json_value *value,
                         const struct load_compared *compared, const char *field,
                         struct scn_comparison *comparison);
/* Operators that stand beside other keys of `object`; those keys are not looked at. None at all is
 * an error, unless there are more than the `known_keys` other ones: then one is misspelt. */
bool scn_load_beside(struct scn_loader *loader, const struct scn_json_value *object,
                     const struct load_compared *compared, size_t known_keys,
                     struct scn_comparison *comparison);

/* load_labels.c */
void scn_load_label_define(struct scn_loader *loader, const struct load_label *label);
void scn_load_label_refer(struct scn_loader *loader, const struct scn_json_value *value,
                          const char *name, enum load_need need, size_t order);
/* Finds duplicates and looks all references up. */
void scn_load_labels_resolve(struct scn_loader *loader);
/* A label as it stands in the file: a text of at most LOAD_LABEL_LIMIT bytes. */
bool scn_load_label_text(struct scn_loader *loader, const struct scn_json_value *value,
                         const char **label);

/* load_matrix.c: makes the variants; `value` may be NULL. */
void scn_load_matrix(struct scn_loader *loader, const struct scn_json_value *value);

/* load_top.c: the whole scenario from its root. */
void scn_load_scenario(struct scn_loader *loader);

#endif
