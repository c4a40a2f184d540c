/*
 * expect_text.h - text that grows, for messages; or text that is cut off at a buffer's end.
 *
 * A failed allocation is remembered and everything after it ignored, so that only the end of the
 * work has to ask (scn_text_take()).
 */
#ifndef ENGINE_EXPECT_TEXT_H
#define ENGINE_EXPECT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-filled: empty, growing on the heap. `length` is what the text needs; a fixed one may hold
 * less. */
struct scn_text {
  char *data;
  size_t length;
  size_t capacity;
  bool fixed;
  bool failed;
};

/* Makes it write into `buffer` (NUL-terminated unless size is 0), which is the caller's. */
void scn_text_init_fixed(struct scn_text *text, char *buffer, size_t size);
void scn_text_deinit(struct scn_text *text);

void scn_text_append(struct scn_text *text, const char *string);
void scn_text_printf(struct scn_text *text, const char *format, ...);
void scn_text_spaces(struct scn_text *text, size_t count);
/* Takes off all that is behind `length`. */
void scn_text_cut(struct scn_text *text, size_t length);
/* A value for a person, on one line: bare when it is a plain word, else in quotes with escapes. */
void scn_text_word(struct scn_text *text, const char *string);
void scn_text_quoted(struct scn_text *text, const char *string);
/* With each run of white space as one space. */
void scn_text_folded(struct scn_text *text, const char *string);
/* As Go prints it; "never" for WSP_TIME_NEVER. */
void scn_text_duration(struct scn_text *text, int64_t duration_ns);
/* An exact decimal in billionths without needless zeros: "0.7". */
void scn_text_decimal(struct scn_text *text, int64_t billionths);

/* The string of a growing text, "" when nothing was appended; free() it. NULL: an allocation has
 * failed. The text is empty afterwards. */
char *scn_text_take(struct scn_text *text);

#endif
