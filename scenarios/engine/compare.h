/*
 * compare.h - holds a found value against a comparison of a scenario file.
 *
 * Numbers are compared exactly: integers, decimals (billionths), truth values (0 and 1) and
 * durations (nanoseconds). Only a real number out of SQL is rounded first, to a billionth.
 */
#ifndef ENGINE_COMPARE_H
#define ENGINE_COMPARE_H

#include "scenarios/engine/expect_text.h"
#include "scenarios/engine/scenario.h"

enum scn_actual_kind {
  SCN_ACTUAL_ABSENT, /* the thing has no such field: equal to null, unequal to all else */
  SCN_ACTUAL_NULL,   /* of SQL; compares as absent does */
  SCN_ACTUAL_BOOL,
  SCN_ACTUAL_INTEGER,
  SCN_ACTUAL_DECIMAL, /* billionths */
  SCN_ACTUAL_DURATION,
  SCN_ACTUAL_REAL,
  SCN_ACTUAL_STRING
};

/* A value that was found. `text` is borrowed. */
struct scn_actual {
  enum scn_actual_kind kind;
  int64_t integer; /* of all numbers but SCN_ACTUAL_REAL */
  double real;
  const char *text;
};

struct scn_actual scn_actual_absent(void);
struct scn_actual scn_actual_bool(bool value);
struct scn_actual scn_actual_integer(int64_t value);
struct scn_actual scn_actual_decimal(int64_t billionths);
struct scn_actual scn_actual_duration(int64_t duration_ns);
struct scn_actual scn_actual_string(const char *text); /* NULL: absent */

/* What an expected string stands for: a label stands for the conn of its lease. `find` gives NULL
 * for a name that stands for nothing, which equals no value. */
struct scn_names {
  const char *(*find)(void *context, const char *name);
  void *context;
};

/* Whether all tests of `comparison` hold. `names` may be NULL: strings stand for themselves. */
bool scn_comparison_holds(const struct scn_comparison *comparison, const struct scn_actual *actual,
                          const struct scn_names *names);

/* "40ms", "dial_failed", "\"a b\"", "absent". */
void scn_actual_append(struct scn_text *text, const struct scn_actual *actual);
/* The tests without the field: "= 50ms", ">= 1 and < 5", "in [1, 2]". A name shows what it stands
 * for behind it. */
void scn_comparison_append(struct scn_text *text, const struct scn_comparison *comparison,
                           const struct scn_names *names);

#endif
