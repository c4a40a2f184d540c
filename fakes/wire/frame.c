/*
 * frame.c - the codec. A frame is read when all of it is there; what it announces is judged as soon
 * as its head is.
 */
#include "fakes/wire/frame.h"

#include <stdlib.h>
#include <string.h>

enum { FINAL = 0x80, RESERVED = 0x70, MASKED = 0x80, MOST_CONTROL = 125, MASK_SIZE = 4 };

struct head {
  bool final;
  enum fake_opcode opcode;
  uint64_t length;
  size_t size; /* of the head, with the mask */
};

/* Of a text from `from` on: the length of one character, 0 when it is none. */
static size_t character(const uint8_t *text, size_t length) {
  uint8_t first = text[0];
  size_t size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (first > 0xf4 || size == 0 || size > length) {
    return 0;
  }
  for (size_t i = 1; i < size; i++) {
    if ((text[i] & 0xc0) != 0x80) {
      return 0;
    }
  }
  /* Longer than needed, a surrogate, or beyond the last character. */
  bool wrong = (first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] >= 0xa0) ||
               (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] >= 0x90);
  return wrong ? 0 : size;
}

static bool is_text(const uint8_t *text, size_t length) {
  while (length > 0) {
    size_t size = character(text, length);
    if (size == 0) {
      return false;
    }
    text += size;
    length -= size;
  }
  return true;
}

static bool is_control(enum fake_opcode opcode) {
  return opcode >= FAKE_FRAME_CLOSE;
}

/* FAKE_READ_NOTHING: the head is good. */
static struct fake_frame read_head(const struct fake_frame_reader *reader, const uint8_t *data,
                                   size_t length, struct head *head) {
  static const struct fake_frame more = {.kind = FAKE_READ_MORE};
  static const struct fake_frame wrong = {.kind = FAKE_READ_WRONG, .code = FAKE_CLOSE_PROTOCOL};
  if (length < 2) {
    return more;
  }
  head->final = (data[0] & FINAL) != 0;
  head->opcode = (enum fake_opcode)(data[0] & 0x0f);
  size_t extended = (data[1] & 0x7f) == 126 ? 2 : (data[1] & 0x7f) == 127 ? 8 : 0;
  bool known = head->opcode <= FAKE_FRAME_BINARY ||
               (head->opcode >= FAKE_FRAME_CLOSE && head->opcode <= FAKE_FRAME_PONG);
  if (!known || (data[0] & RESERVED) != 0 || (data[1] & MASKED) == 0) {
    return wrong;
  }
  if (is_control(head->opcode) ? !head->final || extended > 0
                               : reader->begun != (head->opcode == FAKE_FRAME_CONTINUATION)) {
    return wrong;
  }
  head->size = 2 + extended + MASK_SIZE;
  if (length < head->size) {
    return more;
  }
  head->length = extended == 0 ? data[1] & 0x7f : 0;
  for (size_t i = 0; i < extended; i++) {
    head->length = head->length << 8 | data[2 + i];
  }
  if (extended > 0 && head->length <= (extended == 2 ? (uint64_t)MOST_CONTROL : UINT16_MAX)) {
    return wrong; /* said in more bytes than it takes */
  }
  if (head->length > FAKE_FRAME_MOST - (is_control(head->opcode) ? 0 : reader->length)) {
    return (struct fake_frame){.kind = FAKE_READ_WRONG, .code = FAKE_CLOSE_TOO_LARGE};
  }
  return (struct fake_frame){.kind = FAKE_READ_NOTHING};
}

static struct fake_frame read_control(struct fake_frame_reader *reader, const struct head *head,
                                      const uint8_t *payload) {
  size_t length = (size_t)head->length;
  struct fake_frame frame = {.data = reader->control};
  size_t skipped = 0;
  frame.kind = head->opcode == FAKE_FRAME_PING   ? FAKE_READ_PING
               : head->opcode == FAKE_FRAME_PONG ? FAKE_READ_NOTHING
                                                 : FAKE_READ_CLOSE;
  if (head->opcode == FAKE_FRAME_CLOSE && length > 0) {
    frame.code = length == 1 ? 0 : payload[0] << 8 | payload[1];
    bool allowed = (frame.code >= 1000 && frame.code <= 1014 && frame.code != 1004 &&
                    frame.code != 1005 && frame.code != 1006) ||
                   (frame.code >= 3000 && frame.code <= 4999);
    skipped = 2;
    if (!allowed || !is_text(payload + skipped, length - skipped)) {
      return (struct fake_frame){.kind = FAKE_READ_WRONG,
                                 .code = allowed ? FAKE_CLOSE_TEXT : FAKE_CLOSE_PROTOCOL};
    }
  }
  frame.length = length - skipped;
  memcpy(reader->control, payload + skipped, frame.length);
  reader->control[frame.length] = '\0';
  return frame;
}

/* Room for `more` bytes and a NUL. */
static bool reserve(struct fake_frame_reader *reader, size_t more) {
  size_t needed = reader->length + more + 1;
  if (needed <= reader->capacity) {
    return true;
  }
  size_t capacity = reader->capacity == 0 ? 1024 : reader->capacity;
  while (capacity < needed) {
    capacity *= 2;
  }
  uint8_t *message = realloc(reader->message, capacity);
  if (message == NULL) {
    return false;
  }
  reader->message = message;
  reader->capacity = capacity;
  return true;
}

static struct fake_frame read_data(struct fake_frame_reader *reader, const struct head *head,
                                   const uint8_t *payload) {
  size_t length = (size_t)head->length;
  if (!reserve(reader, length)) {
    return (struct fake_frame){.kind = FAKE_READ_WRONG, .code = FAKE_CLOSE_TOO_LARGE};
  }
  if (!reader->begun) {
    reader->opcode = head->opcode;
    reader->begun = true;
  }
  if (length > 0) {
    memcpy(reader->message + reader->length, payload, length);
  }
  reader->length += length;
  reader->message[reader->length] = '\0';
  if (!head->final) {
    return (struct fake_frame){.kind = FAKE_READ_NOTHING};
  }
  const struct fake_frame whole = {
      .kind = FAKE_READ_MESSAGE, .data = (const char *)reader->message, .length = reader->length};
  reader->begun = false;
  reader->length = 0;
  if (reader->opcode == FAKE_FRAME_TEXT && !is_text(reader->message, whole.length)) {
    return (struct fake_frame){.kind = FAKE_READ_WRONG, .code = FAKE_CLOSE_TEXT};
  }
  return whole;
}

struct fake_frame fake_frame_read(struct fake_frame_reader *reader, uint8_t *data, size_t length,
                                  size_t *used) {
  struct head head;
  *used = 0;
  struct fake_frame frame = read_head(reader, data, length, &head);
  if (frame.kind != FAKE_READ_NOTHING) {
    return frame;
  }
  if (length - head.size < head.length) {
    return (struct fake_frame){.kind = FAKE_READ_MORE};
  }
  uint8_t *payload = data + head.size;
  const uint8_t *mask = payload - MASK_SIZE;
  for (size_t i = 0; i < head.length; i++) {
    payload[i] ^= mask[i % MASK_SIZE];
  }
  frame = is_control(head.opcode) ? read_control(reader, &head, payload)
                                  : read_data(reader, &head, payload);
  *used = frame.kind == FAKE_READ_WRONG ? 0 : head.size + (size_t)head.length;
  return frame;
}

void fake_frame_reader_deinit(struct fake_frame_reader *reader) {
  free(reader->message);
  *reader = (struct fake_frame_reader){0};
}

size_t fake_frame_head(uint8_t head[FAKE_FRAME_HEAD_SIZE], enum fake_opcode opcode, bool final,
                       size_t length) {
  head[0] = (uint8_t)((final ? FINAL : 0) | opcode);
  if (length <= MOST_CONTROL) {
    head[1] = (uint8_t)length;
    return 2;
  }
  size_t extended = length <= UINT16_MAX ? 2 : 8;
  head[1] = extended == 2 ? 126 : 127;
  for (size_t i = 0; i < extended; i++) {
    head[2 + i] = (uint8_t)((uint64_t)length >> (8 * (extended - 1 - i)));
  }
  return 2 + extended;
}
