/*
 * expect_operation.c - the form { "op": ... }: a labelled operation and how it ended.
 *
 * A field that the operation has not (the wait of a read, the end of a pending one) is absent.
 * An operation that was never started has no fields, and no comparison with it holds.
 */
#include <string.h>

#include "scenarios/engine/expect_parts.h"
#include "sim/pool_interface.h"

static bool has_ended(const struct scn_operation *operation) {
  return operation->record.ended_ns >= 0;
}

static bool is_granted(const struct scn_operation *operation) {
  return operation->record.kind == REP_OP_ACQUIRE && has_ended(operation) &&
         operation->record.result != NULL && strcmp(operation->record.result, "ok") == 0;
}

static struct scn_actual read_result(const struct scn_operation *operation) {
  return scn_actual_string(has_ended(operation) ? operation->record.result : "pending");
}

static struct scn_actual read_error_text(const struct scn_operation *operation) {
  if (!has_ended(operation)) {
    return scn_actual_absent();
  }
  return scn_actual_string(operation->record.error_text != NULL ? operation->record.error_text
                                                                : "");
}

static struct scn_actual read_status(const struct scn_operation *operation) {
  return scn_actual_integer(operation->record.status);
}

static struct scn_actual read_conn(const struct scn_operation *operation) {
  const char *conn = operation->record.conn;
  return scn_actual_string(conn != NULL && conn[0] != '\0' ? conn : NULL);
}

static struct scn_actual read_reused(const struct scn_operation *operation) {
  return operation->record.reused < 0 ? scn_actual_absent()
                                      : scn_actual_bool(operation->record.reused != 0);
}

static struct scn_actual read_queue_wait(const struct scn_operation *operation) {
  bool known = has_ended(operation) && operation->record.queue_wait_ns >= 0;
  return known ? scn_actual_duration(operation->record.queue_wait_ns) : scn_actual_absent();
}

static struct scn_actual read_conn_pick(const struct scn_operation *operation) {
  bool known = has_ended(operation) && operation->record.conn_pick_ns >= 0;
  return known ? scn_actual_duration(operation->record.conn_pick_ns) : scn_actual_absent();
}

static struct scn_actual read_started_at(const struct scn_operation *operation) {
  return scn_actual_duration(operation->record.started_ns);
}

static struct scn_actual read_ended_at(const struct scn_operation *operation) {
  return has_ended(operation) ? scn_actual_duration(operation->record.ended_ns)
                              : scn_actual_absent();
}

static struct scn_actual read_prewarmed(const struct scn_operation *operation) {
  return is_granted(operation) ? scn_actual_bool(operation->prewarmed) : scn_actual_absent();
}

static struct scn_actual read_message(const struct scn_operation *operation) {
  return scn_actual_string(operation->message);
}

static const struct {
  const char *name;
  struct scn_actual (*read)(const struct scn_operation *operation);
} fields[] = {
    {"result", read_result},       {"error_text", read_error_text}, {"status", read_status},
    {"conn", read_conn},           {"reused", read_reused},         {"queue_wait", read_queue_wait},
    {"conn_pick", read_conn_pick}, {"started_at", read_started_at}, {"ended_at", read_ended_at},
    {"prewarmed", read_prewarmed}, {"message", read_message},
};

static struct scn_actual read_field(const struct scn_operation *operation, const char *name) {
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    if (strcmp(fields[i].name, name) == 0) {
      return fields[i].read(operation);
    }
  }
  return scn_actual_absent();
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Equal but for the case of ASCII letters and for blanks around. */
static bool is_same_header(const char *a, const char *b) {
  a += strspn(a, " \t\r\n");
  b += strspn(b, " \t\r\n");
  for (;; a++, b++) {
    unsigned char x = (unsigned char)(*a >= 'A' && *a <= 'Z' ? *a - 'A' + 'a' : *a);
    unsigned char y = (unsigned char)(*b >= 'A' && *b <= 'Z' ? *b - 'A' + 'a' : *b);
    if (x != y || x == '\0') {
      return a[strspn(a, " \t\r\n")] == '\0' && b[strspn(b, " \t\r\n")] == '\0';
    }
  }
}

/* A header's value, trimmed into `value`; absent when there is none of that name. */
static struct scn_actual read_header(const struct scn_operation *operation, const char *name,
                                     struct scn_text *value) {
  const char *found = NULL;
  for (size_t i = 0; i < operation->header_count && found == NULL; i++) {
    if (is_same_header(operation->headers[i].name, name)) {
      found = operation->headers[i].value;
    }
  }
  if (found == NULL && is_granted(operation) &&
      sim_pool_can(sim_pool_under_test(), SIM_CAN_HEADERS)) {
    const char *lent = sim_pool_under_test()->lease_handshake_header(operation->lease, name);
    found = lent[0] != '\0' ? lent : NULL;
  }
  if (found == NULL) {
    return scn_actual_absent();
  }
  while (is_blank(*found)) {
    found++;
  }
  size_t length = strlen(found);
  while (length > 0 && is_blank(found[length - 1])) {
    length--;
  }
  scn_text_append(value, found);
  scn_text_cut(value, length);
  return scn_actual_string(value->data);
}

/* What else is known, in brackets: a failed comparison seldom explains itself. */
static void append_rest(struct scn_text *text, const struct scn_operation *operation,
                        const char *but) {
  static const char *const names[] = {"result", "error_text", "conn", "started_at", "ended_at"};
  const char *separator = " (";
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    struct scn_actual actual = read_field(operation, names[i]);
    bool says_nothing = actual.kind == SCN_ACTUAL_ABSENT ||
                        (actual.kind == SCN_ACTUAL_STRING && actual.text[0] == '\0');
    if (strcmp(names[i], but) != 0 && !says_nothing) {
      scn_text_printf(text, "%s%s ", separator, names[i]);
      scn_actual_append(text, &actual);
      separator = ", ";
    }
  }
  scn_text_append(text, ")");
}

static bool touches(struct scn_judging *judging, const struct sim_event *event) {
  if (judging->op_string > 0 && event->op == judging->op_string) {
    return true;
  }
  const struct scn_operation *operation = judging->operation;
  if (operation == NULL || judging->conn_string <= 0 || event->conn != judging->conn_string ||
      (operation->record.account != 0 && event->account != operation->record.account)) {
    return false;
  }
  int64_t end = operation->released_ns >= 0 ? operation->released_ns : operation->record.ended_ns;
  return event->t_ns >= operation->record.started_ns && (end < 0 || event->t_ns <= end);
}

static void fail_not_started(struct scn_judging *judging) {
  const struct scn_expectation *expectation = judging->expectation;
  scn_text_append(scn_judging_actual(judging), "not started");
  struct scn_text *text = scn_judging_expected(judging);
  const char *separator = ": ";
  for (size_t i = 0; i < expectation->comparison_count; i++) {
    const struct scn_comparison *comparison = &expectation->comparisons[i];
    bool is_conn = strcmp(comparison->field, "conn") == 0;
    scn_text_printf(text, "%s%s ", separator, comparison->field);
    scn_comparison_append(text, comparison, is_conn ? &judging->names : NULL);
    separator = ", ";
  }
  scn_judging_found(judging);
  scn_text_append(text, "not started: no operation with this label has begun by ");
  scn_text_duration(text, judging->view->now);
  scn_text_append(text, "; look at the time of its step");
}

static bool judge_headers(struct scn_judging *judging, const struct scn_operation *operation) {
  const struct scn_expectation *expectation = judging->expectation;
  bool complete = true;
  for (size_t i = 0; i < expectation->header_count; i++) {
    const struct scn_comparison *comparison = &expectation->headers[i];
    struct scn_text value = {0};
    struct scn_text label = {0};
    scn_text_printf(&label, "header %s", comparison->field);
    struct scn_actual actual = read_header(operation, comparison->field, &value);
    complete = complete && !value.failed && !label.failed;
    if (complete && !scn_judging_check(judging, label.data, comparison, &actual, NULL)) {
      append_rest(&judging->failures, operation, "");
    }
    scn_text_deinit(&value);
    scn_text_deinit(&label);
  }
  return complete;
}

static bool check_field(struct scn_judging *judging, const struct scn_comparison *comparison,
                        const struct scn_operation *operation) {
  struct scn_actual actual = read_field(operation, comparison->field);
  bool is_conn = strcmp(comparison->field, "conn") == 0;
  return scn_judging_check(judging, comparison->field, comparison, &actual,
                           is_conn ? &judging->names : NULL);
}

bool scn_judge_operation(struct scn_judging *judging) {
  const struct scn_expectation *expectation = judging->expectation;
  const struct sim_trace *trace = judging->view->trace;
  const struct scn_operation *operation =
      scn_operations_find(judging->view->operations, expectation->subject);
  judging->operation = operation;
  judging->op_string = sim_trace_find(trace, expectation->subject);
  judging->touches = touches;
  scn_text_printf(&judging->subject, "op \"%s\"", expectation->subject);
  if (operation == NULL) {
    fail_not_started(judging);
    return true;
  }
  if (operation->record.conn != NULL) {
    judging->conn_string = sim_trace_find(trace, operation->record.conn);
  }
  for (size_t i = 0; i < expectation->comparison_count; i++) {
    const struct scn_comparison *comparison = &expectation->comparisons[i];
    if (!check_field(judging, comparison, operation)) {
      append_rest(&judging->failures, operation, comparison->field);
    }
  }
  return judge_headers(judging, operation);
}
