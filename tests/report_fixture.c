/* report_fixture.c - see report_fixture.h. */
#define _POSIX_C_SOURCE 200809L
#include "tests/report_fixture.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct rep_op op_rows[] = {
    {.label = "a",
     .kind = REP_OP_ACQUIRE,
     .account = 99,
     .started_ns = 0,
     .ended_ns = 5000000,
     .result = "ok",
     .error_text = "",
     .conn = "oa_ws_99_1",
     .reused = 0,
     .queue_wait_ns = 0,
     .conn_pick_ns = 0},
    {.label = "b",
     .kind = REP_OP_ACQUIRE,
     .account = 99,
     .started_ns = 1000000,
     .ended_ns = 7000000,
     .result = "dial_failed",
     .error_text = "dial failed: status=503: it's busy",
     .status = 503,
     .reused = -1,
     .queue_wait_ns = 6000000,
     .conn_pick_ns = 10},
    {.label = "r",
     .kind = REP_OP_READ,
     .account = 99,
     .started_ns = 6000000,
     .ended_ns = -1,
     .result = "pending",
     .conn = "oa_ws_99_1",
     .reused = -1,
     .queue_wait_ns = -1,
     .conn_pick_ns = -1},
    {.label = "closed",
     .kind = REP_OP_CLOSE,
     .started_ns = 7000000,
     .ended_ns = 7000000,
     .result = "ok",
     .reused = -1,
     .queue_wait_ns = -1,
     .conn_pick_ns = -1},
};
static const struct rep_op *const ops[] = {&op_rows[0], &op_rows[1], &op_rows[2], &op_rows[3]};

static const struct rep_metric metrics[] = {
    {.t_ns = 1000000, .account = 99, .name = "leased", .value = 1},
    {.t_ns = 7000000, .name = "acquire_total", .value = 2},
    {.t_ns = 7000000, .name = "transport_reuse_ratio", .value = 500000000, .billionths = true},
    {.t_ns = 7000000, .name = "whole_ratio", .value = 1000000000, .billionths = true},
};

static const struct rep_expectation expectations[] = {
    {.index = 0, .text = "{ \"op\": \"a\", \"result\": \"ok\" }", .passed = true, .actual = "ok"},
    {.index = 1, .text = "{ \"op\": \"b\" }", .passed = false, .actual = NULL},
};

static const struct rep_violation violations[] = {
    {.t_ns = 7000000, .invariant = "no_conn_is_lost", .detail = "conn 1 is leased by nobody"},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void append_run(struct sim_trace *trace) {
  struct sim_event event = {.kind = WSP_ACQUIRE_STARTED, .account = 99};
  event.op = sim_trace_intern(trace, "a");
  event.values[1] = 1;
  event.texts[0] = sim_trace_intern(trace, "wss://example.com/v1/\"x\"");
  sim_trace_append(trace, &event);
  event = (struct sim_event){.t_ns = 5000000,
                             .kind = WSP_CONN_EVICTED,
                             .account = 99,
                             .conn = sim_trace_intern(trace, "oa_ws_99_1"),
                             .cause = WSP_REASON_MAX_AGE,
                             .values = {5, 4, 0}};
  sim_trace_append(trace, &event);
  event = (struct sim_event){.t_ns = 7000000, .kind = WSP_POOL_CLOSED_EVENT};
  sim_trace_append(trace, &event);
}

bool report_fixture_init(struct report_fixture *fixture) {
  *fixture = (struct report_fixture){.trace = sim_trace_create(1000000, false)};
  if (fixture->trace == NULL) {
    return false;
  }
  append_run(fixture->trace);
  fixture->scenario = (struct rep_scenario){.id = 1,
                                            .name = "two-wait",
                                            .path = "scenarios/queue/two-wait.json",
                                            .variant = "seed=7",
                                            .seed = 7,
                                            .mode = "virtual",
                                            .verdict = REP_FAIL,
                                            .failure = "expected ok",
                                            .virtual_ns = 7000000,
                                            .wall_ns = 123456,
                                            .trace = fixture->trace,
                                            .ops = ops,
                                            .op_count = COUNT(ops),
                                            .metrics = metrics,
                                            .metric_count = COUNT(metrics),
                                            .expectations = expectations,
                                            .expectation_count = COUNT(expectations),
                                            .violations = violations,
                                            .violation_count = COUNT(violations),
                                            .source = "{ \"name\": \"two-wait\" }\n"};
  strcpy(fixture->scenario.timeline_sha256, "0123abcd");
  const char *parent = getenv("TMPDIR");
  snprintf(fixture->folder, sizeof fixture->folder, "%.150s/poolproof-report-XXXXXX",
           parent == NULL ? "/tmp" : parent);
  if (mkdtemp(fixture->folder) == NULL) {
    sim_trace_destroy(fixture->trace);
    return false;
  }
  snprintf(fixture->path, sizeof fixture->path, "%.200s/run.db", fixture->folder);
  return true;
}

void report_fixture_deinit(struct report_fixture *fixture) {
  DIR *folder = opendir(fixture->folder);
  for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
    char path[2 * REPORT_PATH_SIZE + 2];
    snprintf(path, sizeof path, "%s/%s", fixture->folder, entry->d_name);
    unlink(path);
  }
  if (folder != NULL) {
    closedir(folder);
  }
  rmdir(fixture->folder);
  sim_trace_destroy(fixture->trace);
}

void report_fixture_events(struct report_fixture *fixture, size_t count) {
  struct sim_event event = {.kind = WSP_ACQUIRE_QUEUED, .account = 99};
  event.op = sim_trace_intern(fixture->trace, "b");
  for (size_t i = 0; i < count; i++) {
    event.t_ns = 8000000 + (int64_t)i * 1000;
    event.values[0] = (int64_t)i;
    sim_trace_append(fixture->trace, &event);
  }
}

bool report_fixture_record(struct report_fixture *fixture) {
  struct rep_recorder *recorder = rep_recorder_open(fixture->path, "poolproof run x", "1.2.3",
                                                    fixture->message, sizeof fixture->message);
  if (recorder == NULL) {
    return false;
  }
  bool added =
      rep_recorder_add(recorder, &fixture->scenario, fixture->message, sizeof fixture->message);
  return rep_recorder_finish(recorder, fixture->message, sizeof fixture->message) && added;
}

static size_t append_row(sqlite3_stmt *statement, char *text, size_t size) {
  size_t length = 0;
  int columns = sqlite3_column_count(statement);
  for (int i = 0; i < columns && length < size; i++) {
    const char *value = (const char *)sqlite3_column_text(statement, i);
    length += (size_t)snprintf(text + length, size - length, "%s%c", value == NULL ? "NULL" : value,
                               i + 1 < columns ? '|' : ';');
  }
  return length;
}

const char *report_rows(const char *path, const char *sql) {
  static char text[16384];
  sqlite3 *database;
  sqlite3_stmt *statement = NULL;
  size_t length = 0;
  text[0] = '\0';
  int result = sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL);
  if (result == SQLITE_OK) {
    result = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);
  }
  if (result == SQLITE_OK) {
    while ((result = sqlite3_step(statement)) == SQLITE_ROW && length < sizeof text) {
      length += append_row(statement, text + length, sizeof text - length);
    }
  }
  if (result != SQLITE_DONE) {
    snprintf(text, sizeof text, "%s", sqlite3_errmsg(database));
  }
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return text;
}

bool report_contains(const char *text, const char *part) {
  bool found = strstr(text, part) != NULL;
  if (!found) {
    printf("\n    \"%s\" has no \"%s\"\n", text, part);
  }
  return found;
}

bool report_equal(const char *found, const char *expected) {
  bool equal = found != NULL && strcmp(found, expected) == 0;
  if (!equal) {
    printf("\n    expected: %s\n    found:    %s\n", expected, found == NULL ? "NULL" : found);
  }
  return equal;
}

bool report_file_exists(const char *path) {
  struct stat status;
  return lstat(path, &status) == 0;
}

char *report_read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    return NULL;
  }
  char *text = calloc(1, 1 << 16);
  if (text != NULL) {
    text[fread(text, 1, (1 << 16) - 1, file)] = '\0';
  }
  fclose(file);
  return text;
}

bool report_write_file(const char *path, const char *text) {
  FILE *file = fopen(path, "wb");
  if (file == NULL) {
    return false;
  }
  bool written = fputs(text, file) >= 0;
  return fclose(file) == 0 && written;
}
