/*
 * json.h - JSON with comments, with the place of every key and value, refused where it is wrong.
 *
 * cJSON builds the tree and decodes the strings; a scanner of our own runs before it, gives each
 * key and value its line, column and own text, and refuses what cJSON lets pass: leading zeros,
 * control characters, invalid UTF-8, \u0000, lone surrogates, trailing text. Numbers stay text, so
 * 64-bit integers and decimals are exact. What the values mean is the loader's business.
 */
#ifndef ENGINE_JSON_H
#define ENGINE_JSON_H

#include "scenarios/engine/load_memory.h"
#include "scenarios/engine/scenario.h"

#define SCN_JSON_SIZE_LIMIT (64 * 1024 * 1024) /* bytes of a file */
enum {
  SCN_JSON_DEPTH_LIMIT = 64,           /* objects and lists within each other */
  SCN_JSON_STRING_LIMIT = 1024 * 1024, /* bytes of a string */
  SCN_JSON_NUMBER_LIMIT = 60           /* characters of a number; cJSON reads 63 */
};

enum scn_json_kind {
  SCN_JSON_NULL,
  SCN_JSON_BOOL,
  SCN_JSON_NUMBER,
  SCN_JSON_STRING,
  SCN_JSON_LIST,
  SCN_JSON_OBJECT
};

struct scn_json_value {
  enum scn_json_kind kind;
  bool broken;     /* its text was refused: nothing more should be said of it */
  bool key_broken; /* its key was refused, or stands twice */
  bool boolean;
  const char *key; /* of a member of an object, else NULL */
  struct scn_position key_position, position;
  const char *string; /* SCN_JSON_STRING: decoded, UTF-8, without NUL inside */
  const char *text;   /* its own text in the file, comments blanked; not NUL-terminated */
  size_t length;
  size_t index; /* among its siblings, from 0 */
  size_t count; /* children */
  const struct scn_json_value *parent;
  struct scn_json_value *first, *next; /* child and sibling, in the order of the file */
};

/* Called for each mistake, not in the order of the file; `message` lives during the call. */
typedef void (*scn_json_report)(void *context, struct scn_position position, const char *message);

/* Parses `text`. The tree lives in `memory`, and is NULL when it could not be built: a mistake was
 * reported then, or memory failed. A tree may come back although mistakes were reported. */
const struct scn_json_value *scn_json_parse(struct scn_memory *memory, const char *text,
                                            size_t length, scn_json_report report, void *context);

/* The member with that key (the first of several), or NULL. */
const struct scn_json_value *scn_json_find(const struct scn_json_value *object, const char *key);

/* The value's text on one line without white space, numbers as they were written; NULL: no
 * memory. */
const char *scn_json_compact(struct scn_memory *memory, const struct scn_json_value *value);

/* How many bytes at the start of `text` are a number as JSON writes it; 0: none. */
size_t scn_json_number_length(const char *text, size_t length);

enum scn_number_error {
  SCN_NUMBER_OK,
  SCN_NUMBER_TOO_FINE, /* more decimals than `places` */
  SCN_NUMBER_TOO_BIG   /* beyond 64 bits */
};

/* The number `text`, which is one as scn_json_number_length() says and has at most
 * SCN_JSON_NUMBER_LIMIT characters, times 10 to the power of
 * `places`, exactly. */
enum scn_number_error scn_json_number(const char *text, size_t length, int places, bool *negative,
                                      uint64_t *magnitude);

/* Used between json.c and json_scan.c: the tree without decoded strings; blanks comments in `text`
 * and mends what was reported, so that cJSON can read it. */
struct scn_json_value *scn_json_scan(struct scn_memory *memory, char *text, size_t length,
                                     scn_json_report report, void *context);

#endif
