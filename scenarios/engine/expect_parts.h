/*
 * expect_parts.h - what the parts of expect.h share: an expectation being judged. Private to
 * scenarios/engine/expect*.c.
 *
 * A part looks at its subject, hands each value that it finds to scn_judging_check() or writes a
 * failure of its own, and says which events touch the subject. expect.c makes the message.
 */
#ifndef ENGINE_EXPECT_PARTS_H
#define ENGINE_EXPECT_PARTS_H

#include "scenarios/engine/event_field.h"
#include "scenarios/engine/expect.h"

#define SCN_NAME_MEMO_SIZE 8

/* A conn by what names it, remembered while one expectation is judged. */
struct scn_name_memo {
  const char *name;
  const char *conn;
};

struct scn_judging {
  const struct scn_view *view;
  const struct scn_expectation *expectation;

  struct scn_text subject;  /* op "b" */
  struct scn_text actual;   /* queue_wait = 40ms, reused = true */
  struct scn_text failures; /* expected ... found ..., again and again */
  struct scn_text missed;   /* the fields that failed */
  bool failed;
  bool out_of_memory; /* noticed where it could not be returned */

  struct scn_names names; /* resolves labels and ids to conns */
  struct scn_name_memo memo[SCN_NAME_MEMO_SIZE];
  size_t memo_next;

  /* Which events touch the subject; NULL: those of the whole run do. The members below are for
   * these functions. Called once for each event, in order. */
  bool (*touches)(struct scn_judging *judging, const struct sim_event *event);
  bool has_focus; /* event `focus` must be among those that are shown */
  uint64_t focus;
  const struct scn_operation *operation;
  int64_t account;     /* 0: any */
  int64_t conn_string; /* numbers of strings of the trace, -1: of none */
  int64_t op_string;
  void *touch_memory; /* a part's own, which that part frees in `touch_deinit` */
  void (*touch_deinit)(void *touch_memory);
};

/* Compares what was found with `comparison` and writes it to `actual`; a failure adds a block to
 * the failures, whose last line the caller may lengthen. `label` is shown as the field, NULL for
 * a comparison of the subject itself. True: it holds. */
bool scn_judging_check(struct scn_judging *judging, const char *label,
                       const struct scn_comparison *comparison, const struct scn_actual *actual,
                       const struct scn_names *names);
/* Begins a failure: "expected  SUBJECT". */
struct scn_text *scn_judging_expected(struct scn_judging *judging);
/* Goes on with "found     ". */
struct scn_text *scn_judging_found(struct scn_judging *judging);
/* Begins the next part of `actual`. */
struct scn_text *scn_judging_actual(struct scn_judging *judging);

/* The conn that a label's lease holds or held, else `name` itself, which is an id; NULL: a label
 * without a conn. */
const char *scn_judging_conn(struct scn_judging *judging, const char *name);

/* One event in words: "acquire_granted where op = b". */
void scn_pattern_append(struct scn_judging *judging, struct scn_text *text,
                        const struct scn_event_pattern *pattern);

/* "timeline  (...)" and the lines of the last events that touch the subject. */
void scn_judging_timeline(struct scn_judging *judging, struct scn_text *text);

/* One for each form. False: no memory (what `scn_text` has missed is found out by the caller). */
bool scn_judge_operation(struct scn_judging *judging);
bool scn_judge_metric(struct scn_judging *judging);
bool scn_judge_account(struct scn_judging *judging);
bool scn_judge_conn(struct scn_judging *judging);
bool scn_judge_upstream(struct scn_judging *judging);
bool scn_judge_event(struct scn_judging *judging);
bool scn_judge_events(struct scn_judging *judging);
bool scn_judge_order(struct scn_judging *judging);
bool scn_judge_sql(struct scn_judging *judging);
bool scn_judge_percentile(struct scn_judging *judging);

/* The milestone that an event is of, or -1. */
int scn_milestone_of(const struct sim_event *event);
/* The kinds of events (two at most, NULL: no more) that a percentile is over, and which of their
 * fields. NULL: no such measure. */
const char *const *scn_measure_kinds(const char *name, const char **field);

/* Whether the name of `event`'s kind is one of `kinds`. */
bool scn_event_is_of(const struct sim_event *event, const char *const *kinds, size_t count);

#endif
