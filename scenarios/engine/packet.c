/*
 * packet.c - the result of a run as bytes.
 *
 * Rows are written as the structs that they are, their strings behind them in the order of their
 * members; a string is its length + 1 (0: NULL), then its bytes and a NUL.
 */
#include "scenarios/engine/packet.h"

#include <stdlib.h>
#include <string.h>

void scn_bytes_append(struct scn_bytes *bytes, const void *data, size_t length) {
  if (bytes->failed || length == 0) {
    return;
  }
  if (bytes->capacity - bytes->length < length) {
    size_t capacity = bytes->capacity == 0 ? 4096 : bytes->capacity;
    while (capacity - bytes->length < length) {
      capacity *= 2;
    }
    unsigned char *larger = realloc(bytes->data, capacity);
    if (larger == NULL) {
      bytes->failed = true;
      return;
    }
    bytes->data = larger;
    bytes->capacity = capacity;
  }
  memcpy(bytes->data + bytes->length, data, length);
  bytes->length += length;
}

void scn_bytes_deinit(struct scn_bytes *bytes) {
  free(bytes->data);
  *bytes = (struct scn_bytes){0};
}

/* ---- Writing ------------------------------------------------------------------------------ */

static void write_number(struct scn_bytes *bytes, uint64_t number) {
  scn_bytes_append(bytes, &number, sizeof number);
}

static void write_string(struct scn_bytes *bytes, const char *string) {
  size_t length = string == NULL ? 0 : strlen(string) + 1;
  write_number(bytes, length);
  scn_bytes_append(bytes, string, length);
}

void scn_packet_write(struct scn_bytes *bytes, const struct rep_scenario *result) {
  write_number(bytes, (uint64_t)result->verdict);
  write_string(bytes, result->failure);
  write_number(bytes, (uint64_t)result->virtual_ns);
  write_number(bytes, (uint64_t)result->wall_ns);
  scn_bytes_append(bytes, result->timeline_sha256, sizeof result->timeline_sha256);
  write_string(bytes, result->schedule);
  write_number(bytes, result->seed);
  scn_bytes_append(bytes, &result->exploration, sizeof result->exploration);
  write_number(bytes, result->op_count);
  for (size_t i = 0; i < result->op_count; i++) {
    const struct rep_op *op = result->ops[i];
    scn_bytes_append(bytes, op, sizeof *op);
    write_string(bytes, op->label);
    write_string(bytes, op->result);
    write_string(bytes, op->error_text);
    write_string(bytes, op->conn);
  }
  write_number(bytes, result->metric_count);
  for (size_t i = 0; i < result->metric_count; i++) {
    scn_bytes_append(bytes, &result->metrics[i], sizeof result->metrics[i]);
    write_string(bytes, result->metrics[i].name);
  }
  write_number(bytes, result->expectation_count);
  for (size_t i = 0; i < result->expectation_count; i++) {
    scn_bytes_append(bytes, &result->expectations[i], sizeof result->expectations[i]);
    write_string(bytes, result->expectations[i].text);
    write_string(bytes, result->expectations[i].actual);
    write_string(bytes, result->expectations[i].missed);
  }
  write_number(bytes, result->violation_count);
  for (size_t i = 0; i < result->violation_count; i++) {
    scn_bytes_append(bytes, &result->violations[i], sizeof result->violations[i]);
    write_string(bytes, result->violations[i].invariant);
    write_string(bytes, result->violations[i].detail);
  }
}

/* ---- Reading ------------------------------------------------------------------------------ */

struct reader {
  const unsigned char *data;
  size_t left;
  bool failed;
};

static void read_bytes(struct reader *reader, void *data, size_t length) {
  if (reader->failed || reader->left < length) {
    reader->failed = true;
    memset(data, 0, length);
    return;
  }
  memcpy(data, reader->data, length);
  reader->data += length;
  reader->left -= length;
}

static uint64_t read_number(struct reader *reader) {
  uint64_t number;
  read_bytes(reader, &number, sizeof number);
  return number;
}

static const char *read_string(struct reader *reader) {
  uint64_t length = read_number(reader);
  if (length == 0) {
    return NULL;
  }
  if (reader->failed || reader->left < length || reader->data[length - 1] != '\0') {
    reader->failed = true;
    return NULL;
  }
  const char *string = (const char *)reader->data;
  reader->data += length;
  reader->left -= length;
  return string;
}

/* Room for as many rows as the next number says; NULL when there are none or it failed. */
static void *read_room(struct reader *reader, size_t row_size, size_t *count) {
  uint64_t rows = read_number(reader);
  *count = 0;
  if (rows == 0 || rows > reader->left / row_size) {
    reader->failed |= rows > 0;
    return NULL;
  }
  void *room = calloc((size_t)rows, row_size);
  if (room == NULL) {
    reader->failed = true;
    return NULL;
  }
  *count = (size_t)rows;
  return room;
}

static void read_ops(struct reader *reader, struct rep_scenario *result) {
  /* The pointers, then what they point to. */
  const struct rep_op **ops =
      read_room(reader, sizeof(struct rep_op *) + sizeof(struct rep_op), &result->op_count);
  struct rep_op *op = (struct rep_op *)(void *)(ops + result->op_count);
  for (size_t i = 0; i < result->op_count; i++, op++) {
    read_bytes(reader, op, sizeof *op);
    op->label = read_string(reader);
    op->result = read_string(reader);
    op->error_text = read_string(reader);
    op->conn = read_string(reader);
    ops[i] = op;
  }
  result->ops = ops;
}

static void read_metrics(struct reader *reader, struct rep_scenario *result) {
  struct rep_metric *metrics = read_room(reader, sizeof *metrics, &result->metric_count);
  for (size_t i = 0; i < result->metric_count; i++) {
    read_bytes(reader, &metrics[i], sizeof metrics[i]);
    metrics[i].name = read_string(reader);
  }
  result->metrics = metrics;
}

static void read_expectations(struct reader *reader, struct rep_scenario *result) {
  struct rep_expectation *rows = read_room(reader, sizeof *rows, &result->expectation_count);
  for (size_t i = 0; i < result->expectation_count; i++) {
    read_bytes(reader, &rows[i], sizeof rows[i]);
    rows[i].text = read_string(reader);
    rows[i].actual = read_string(reader);
    rows[i].missed = read_string(reader);
  }
  result->expectations = rows;
}

static void read_violations(struct reader *reader, struct rep_scenario *result) {
  struct rep_violation *rows = read_room(reader, sizeof *rows, &result->violation_count);
  for (size_t i = 0; i < result->violation_count; i++) {
    read_bytes(reader, &rows[i], sizeof rows[i]);
    rows[i].invariant = read_string(reader);
    rows[i].detail = read_string(reader);
  }
  result->violations = rows;
}

bool scn_packet_read(const unsigned char *data, size_t length, struct rep_scenario *result) {
  struct reader reader = {.data = data, .left = length};
  result->verdict = (enum rep_verdict)read_number(&reader);
  result->failure = read_string(&reader);
  result->virtual_ns = (int64_t)read_number(&reader);
  result->wall_ns = (int64_t)read_number(&reader);
  read_bytes(&reader, result->timeline_sha256, sizeof result->timeline_sha256);
  result->schedule = read_string(&reader);
  result->seed = read_number(&reader);
  read_bytes(&reader, &result->exploration, sizeof result->exploration);
  read_ops(&reader, result);
  read_metrics(&reader, result);
  read_expectations(&reader, result);
  read_violations(&reader, result);
  if (reader.failed || reader.left != 0) {
    scn_packet_forget(result);
    return false;
  }
  return true;
}

void scn_packet_forget(struct rep_scenario *result) {
  free((void *)(uintptr_t)result->ops);
  free((void *)(uintptr_t)result->metrics);
  free((void *)(uintptr_t)result->expectations);
  free((void *)(uintptr_t)result->violations);
  result->ops = NULL;
  result->metrics = NULL;
  result->expectations = NULL;
  result->violations = NULL;
  result->op_count = result->metric_count = result->expectation_count = result->violation_count = 0;
}
