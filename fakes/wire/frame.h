/*
 * frame.h - WebSocket frames (RFC 6455) as a server reads and writes them.
 */
#ifndef FAKES_WIRE_FRAME_H
#define FAKES_WIRE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest message that is read, its fragments together. */
enum { FAKE_FRAME_MOST = 16 * 1024 * 1024 };

enum fake_opcode {
  FAKE_FRAME_CONTINUATION = 0,
  FAKE_FRAME_TEXT = 1,
  FAKE_FRAME_BINARY = 2,
  FAKE_FRAME_CLOSE = 8,
  FAKE_FRAME_PING = 9,
  FAKE_FRAME_PONG = 10
};

/* Codes of a close. */
enum { FAKE_CLOSE_PROTOCOL = 1002, FAKE_CLOSE_TEXT = 1007, FAKE_CLOSE_TOO_LARGE = 1009 };

enum fake_frame_kind {
  FAKE_READ_MORE,    /* no whole frame yet */
  FAKE_READ_NOTHING, /* a frame that completes nothing: a fragment, or a pong */
  FAKE_READ_MESSAGE,
  FAKE_READ_PING,
  FAKE_READ_CLOSE,
  FAKE_READ_WRONG /* the client breaks the rules; `code` says how to close */
};

/* What has been read. `data` is ended by NUL and lives until the next call. */
struct fake_frame {
  enum fake_frame_kind kind;
  const char *data; /* of a message or a ping; of a close its reason */
  size_t length;
  int code; /* of a close, 0: none; of what is wrong */
};

/* The fragments of a message so far. Zero-filled: none. */
struct fake_frame_reader {
  uint8_t *message;
  size_t length, capacity;
  enum fake_opcode opcode;
  bool begun;
  char control[126];
};

/* Reads the first frame of the `length` bytes at `data`, which are unmasked in place, and says in
 * `*used` how many of them it was: 0 with FAKE_READ_MORE and FAKE_READ_WRONG. Out of memory is
 * FAKE_CLOSE_TOO_LARGE. */
struct fake_frame fake_frame_read(struct fake_frame_reader *reader, uint8_t *data, size_t length,
                                  size_t *used);
void fake_frame_reader_deinit(struct fake_frame_reader *reader);

enum { FAKE_FRAME_HEAD_SIZE = 10 };

/* Writes the head of an unmasked frame, and returns its length. */
size_t fake_frame_head(uint8_t head[FAKE_FRAME_HEAD_SIZE], enum fake_opcode opcode, bool final,
                       size_t length);

#endif
