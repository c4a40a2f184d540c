/*
 * failure_class.c - makes and compares the classes of failures.
 */
#include "scenarios/engine/failure_class.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/expect_text.h"

static void append_without(struct scn_text *text, const char *string, bool digits_too) {
  for (; *string != '\0'; string++) {
    char one[2] = {*string, '\0'};
    if (!isspace((unsigned char)*string) && !(digits_too && isdigit((unsigned char)*string))) {
      scn_text_append(text, one);
    }
  }
}

static char *class_of_expectation(const struct rep_expectation *expectation) {
  struct scn_text text = {0};
  scn_text_append(&text, "expectation ");
  append_without(&text, expectation->text, false);
  scn_text_append(&text, " found ");
  append_without(&text, expectation->actual == NULL ? "nothing" : expectation->actual, true);
  scn_text_append(&text, " wrong ");
  scn_text_append(&text, expectation->missed == NULL ? "" : expectation->missed);
  return scn_text_take(&text);
}

static char *class_of_violation(const struct rep_violation *violation) {
  struct scn_text text = {0};
  scn_text_append(&text, "invariant ");
  scn_text_append(&text, violation->invariant);
  return scn_text_take(&text);
}

static char *class_of_name(const char *name) {
  struct scn_text text = {0};
  scn_text_append(&text, name);
  return scn_text_take(&text);
}

/* Whether a conn of the account is on lease at the end. */
static bool has_lease(const struct sim_trace *trace, int64_t account) {
  const struct sim_event *events = sim_trace_events(trace);
  uint64_t count = sim_trace_count(trace);
  int64_t leases = 0;
  for (uint64_t i = 0; i < count; i++) {
    if (events[i].account == account) {
      leases += events[i].kind == WSP_ACQUIRE_GRANTED;
      leases -= events[i].kind == WSP_LEASE_RELEASED || events[i].kind == WSP_LEASE_LOST;
    }
  }
  return leases > 0;
}

/* Of what hangs, the first: who waits while all is given back waits for something else than who
 * waits for a lease that nobody gives back. */
static char *class_of_hang(const struct rep_scenario *result) {
  for (size_t i = 0; i < result->op_count; i++) {
    const struct rep_op *op = result->ops[i];
    if (op->ended_ns < 0) {
      struct scn_text text = {0};
      scn_text_printf(&text, "hang of %s %s", rep_op_kind_name(op->kind),
                      has_lease(result->trace, op->account) ? "beside a lease" : "beside no lease");
      return scn_text_take(&text);
    }
  }
  return class_of_name("hang");
}

char *scn_failure_class(const struct rep_scenario *result) {
  if (result->verdict == REP_HANG) {
    return class_of_hang(result);
  }
  if (result->verdict != REP_FAIL) {
    return class_of_name(result->verdict == REP_PASS ? "" : rep_verdict_name(result->verdict));
  }
  if (result->violation_count > 0) {
    return class_of_violation(&result->violations[0]);
  }
  for (size_t i = 0; i < result->expectation_count; i++) {
    if (!result->expectations[i].passed) {
      return class_of_expectation(&result->expectations[i]);
    }
  }
  return class_of_name(rep_verdict_name(result->verdict));
}

static bool take_and_compare(char *found, const char *failure_class) {
  bool equal = found != NULL && strcmp(found, failure_class) == 0;
  free(found);
  return equal;
}

bool scn_failure_is(const struct rep_scenario *result, const char *failure_class) {
  if (result->verdict == REP_PASS) {
    return false;
  }
  for (size_t i = 0; i < result->violation_count; i++) {
    if (take_and_compare(class_of_violation(&result->violations[i]), failure_class)) {
      return true;
    }
  }
  for (size_t i = 0; i < result->expectation_count; i++) {
    if (!result->expectations[i].passed &&
        take_and_compare(class_of_expectation(&result->expectations[i]), failure_class)) {
      return true;
    }
  }
  return take_and_compare(scn_failure_class(result), failure_class);
}
