/*
 * expect.c - judges an expectation: calls the part for its form and puts the message together.
 *
 * What a form means is in expect_*.c; which events a message shows is in expect_timeline.c.
 */
#include "scenarios/engine/expect.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/expect_parts.h"

static const char *find_conn(struct scn_judging *judging, const char *name) {
  const struct scn_operation *operation = scn_operations_find(judging->view->operations, name);
  return operation != NULL ? operation->record.conn : name;
}

const char *scn_judging_conn(struct scn_judging *judging, const char *name) {
  for (size_t i = 0; i < SCN_NAME_MEMO_SIZE; i++) {
    if (judging->memo[i].name == name) {
      return judging->memo[i].conn;
    }
  }
  struct scn_name_memo *memo = &judging->memo[judging->memo_next++ % SCN_NAME_MEMO_SIZE];
  *memo = (struct scn_name_memo){.name = name, .conn = find_conn(judging, name)};
  return memo->conn;
}

static const char *resolve(void *context, const char *name) {
  return scn_judging_conn(context, name);
}

struct scn_text *scn_judging_actual(struct scn_judging *judging) {
  if (judging->actual.length > 0) {
    scn_text_append(&judging->actual, ", ");
  }
  return &judging->actual;
}

struct scn_text *scn_judging_expected(struct scn_judging *judging) {
  judging->failed = true;
  struct scn_text *text = &judging->failures;
  scn_text_append(text, text->length > 0 ? "\nexpected  " : "expected  ");
  scn_text_append(text, judging->subject.data == NULL ? "" : judging->subject.data);
  return text;
}

struct scn_text *scn_judging_found(struct scn_judging *judging) {
  scn_text_append(&judging->failures, "\nfound     ");
  return &judging->failures;
}

bool scn_judging_check(struct scn_judging *judging, const char *label,
                       const struct scn_comparison *comparison, const struct scn_actual *actual,
                       const struct scn_names *names) {
  struct scn_text *found = scn_judging_actual(judging);
  if (label != NULL) {
    scn_text_printf(found, "%s = ", label);
  }
  scn_actual_append(found, actual);
  if (scn_comparison_holds(comparison, actual, names)) {
    return true;
  }
  scn_text_append(&judging->missed, judging->missed.length > 0 ? " " : "");
  scn_text_append(&judging->missed, label != NULL ? label : "");
  struct scn_text *text = scn_judging_expected(judging);
  scn_text_printf(text, "%s%s ", label != NULL ? ": " : "", label != NULL ? label : "");
  scn_comparison_append(text, comparison, names);
  scn_judging_found(judging);
  if (label != NULL) {
    scn_text_printf(text, "%s = ", label);
  }
  scn_actual_append(text, actual);
  return false;
}

static bool judge_form(struct scn_judging *judging) {
  switch (judging->expectation->kind) {
    case SCN_EXPECT_OP:
      return scn_judge_operation(judging);
    case SCN_EXPECT_METRIC:
      return scn_judge_metric(judging);
    case SCN_EXPECT_ACCOUNT:
      return scn_judge_account(judging);
    case SCN_EXPECT_CONN:
      return scn_judge_conn(judging);
    case SCN_EXPECT_UPSTREAM:
      return scn_judge_upstream(judging);
    case SCN_EXPECT_EVENT:
      return scn_judge_event(judging);
    case SCN_EXPECT_EVENTS:
      return scn_judge_events(judging);
    case SCN_EXPECT_ORDER:
      return scn_judge_order(judging);
    case SCN_EXPECT_SQL:
      return scn_judge_sql(judging);
    case SCN_EXPECT_PERCENTILE:
      return scn_judge_percentile(judging);
  }
  assert(false && "an expectation of a kind that does not exist");
  return false;
}

/* Hands over the texts. False: no memory. */
static bool conclude(struct scn_judging *judging, struct scn_judgement *judgement) {
  judgement->passed = !judging->failed;
  judgement->actual = scn_text_take(&judging->actual);
  judgement->missed = scn_text_take(&judging->missed);
  if (judgement->actual == NULL || judgement->missed == NULL || judging->subject.failed) {
    return false;
  }
  if (judging->failed) {
    scn_text_append(&judging->failures, "\n");
    scn_judging_timeline(judging, &judging->failures);
    judgement->message = scn_text_take(&judging->failures);
    return judgement->message != NULL && !judging->out_of_memory;
  }
  return true;
}

bool scn_expectation_judge(const struct scn_view *view, const struct scn_expectation *expectation,
                           struct scn_judgement *judgement) {
  struct scn_judging judging = {
      .view = view, .expectation = expectation, .conn_string = -1, .op_string = -1};
  judging.names = (struct scn_names){.find = resolve, .context = &judging};
  *judgement = (struct scn_judgement){0};
  bool done = judge_form(&judging) && conclude(&judging, judgement);
  if (judging.touch_deinit != NULL) {
    judging.touch_deinit(judging.touch_memory);
  }
  scn_text_deinit(&judging.subject);
  scn_text_deinit(&judging.actual);
  scn_text_deinit(&judging.missed);
  scn_text_deinit(&judging.failures);
  if (!done) {
    scn_judgement_deinit(judgement);
  }
  return done;
}

void scn_judgement_deinit(struct scn_judgement *judgement) {
  free(judgement->actual);
  free(judgement->missed);
  free(judgement->message);
  *judgement = (struct scn_judgement){0};
}
