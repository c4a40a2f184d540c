/*
 * fuzz_wire.c - the codec of the fakes' servers: frames that come in pieces of any size, and the
 * heads of requests. However the bytes are cut, the same is read of them.
 */
#include <stdlib.h>
#include <string.h>

#include "fakes/wire/frame.h"
#include "fakes/wire/upgrade.h"
#include "tests/fuzz/fuzz.h"

static void check(int held) {
  if (!held) {
    abort();
  }
}

/* What all frames say, as a number. */
static uint64_t mix(uint64_t sum, const struct fake_frame *frame) {
  sum = (sum ^ (uint64_t)frame->kind) * 1099511628211U;
  sum = (sum ^ (uint64_t)frame->code) * 1099511628211U;
  for (size_t i = 0; frame->data != NULL && i < frame->length; i++) {
    sum = (sum ^ (uint8_t)frame->data[i]) * 1099511628211U;
  }
  return sum;
}

/* Reads all frames, given `piece` bytes at a time. */
static uint64_t read_frames(const uint8_t *data, size_t size, size_t piece) {
  struct fake_frame_reader reader = {0};
  uint8_t *buffer = malloc(size + 1);
  size_t given = 0, from = 0;
  uint64_t sum = 14695981039346656037U;
  struct fake_frame frame = {.kind = FAKE_READ_MORE};
  while (buffer != NULL && given < size && frame.kind != FAKE_READ_WRONG) {
    size_t next = size - given < piece ? size - given : piece;
    memcpy(buffer + given, data + given, next);
    given += next;
    size_t used = 1;
    while (used > 0) {
      frame = fake_frame_read(&reader, buffer + from, given - from, &used);
      check(used <= given - from);
      check((used == 0) == (frame.kind == FAKE_READ_MORE || frame.kind == FAKE_READ_WRONG));
      check(frame.data == NULL || frame.data[frame.length] == '\0');
      sum = frame.kind == FAKE_READ_MORE ? sum : mix(sum, &frame);
      from += used;
    }
  }
  fake_frame_reader_deinit(&reader);
  free(buffer);
  return sum;
}

static void read_head(const uint8_t *data, size_t size) {
  static struct fake_head head;
  char *text = malloc(size + 1);
  if (text == NULL) {
    return;
  }
  memcpy(text, data, size);
  size_t length = fake_head_length(text, size);
  check(length <= size);
  if (length > 0 && length <= FAKE_HEAD_MOST && fake_head_read(text, length, &head)) {
    check(head.header_count <= FAKE_HEAD_HEADERS);
    char accept[FAKE_ACCEPT_SIZE];
    if (fake_head_judge(&head) == 0) {
      check(fake_head_accept(fake_head_value(&head, "Sec-WebSocket-Key"), accept));
    }
    for (size_t i = 0; i < head.header_count; i++) {
      check(fake_header_is_valid(&head.headers[i]));
    }
  }
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint64_t whole = read_frames(data, size, size == 0 ? 1 : size);
  check(read_frames(data, size, 1) == whole);
  check(read_frames(data, size, 7) == whole);
  read_head(data, size);
  return 0;
}
