/*
 * json_scan.c - walks over the text, notes where everything is, and refuses what is not JSON.
 *
 * After a mistake inside of a value the text is mended in place (same length) and the walk goes
 * on; after one in the structure it stops, because what follows would only be a consequence.
 */
#include "scenarios/engine/json.h"

#include <stdio.h>
#include <string.h>

struct scanner {
  struct scn_memory *memory;
  char *text;
  size_t length, at;
  int line;
  size_t line_start; /* offset of the line's first byte; after a byte order mark in line 1 */
  int depth;
  scn_json_report report;
  void *context;
};

static struct scn_position position_of(const struct scanner *scanner, size_t offset) {
  return (struct scn_position){.line = scanner->line,
                               .column = (int)(offset - scanner->line_start) + 1};
}

static void refuse(const struct scanner *scanner, size_t offset, const char *message) {
  scanner->report(scanner->context, position_of(scanner, offset), message);
}

static bool is_word_byte(char byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
         (byte >= 'A' && byte <= 'Z') || (byte != '\0' && strchr("_.+-$", byte) != NULL);
}

static size_t word_length(const struct scanner *scanner) {
  size_t end = scanner->at;
  while (end < scanner->length && is_word_byte(scanner->text[end])) {
    end++;
  }
  return end - scanner->at;
}

enum { FOUND_SIZE = 64 };

/* What stands at the place where something else was expected. */
static void describe(const struct scanner *scanner, char found[FOUND_SIZE]) {
  size_t word = word_length(scanner);
  if (scanner->at >= scanner->length) {
    snprintf(found, FOUND_SIZE, "the end of the file");
  } else if (word > 0) {
    snprintf(found, FOUND_SIZE, "%.*s%s", word > 40 ? 40 : (int)word, scanner->text + scanner->at,
             word > 40 ? "..." : "");
  } else {
    unsigned char byte = (unsigned char)scanner->text[scanner->at];
    if (byte == '"') {
      snprintf(found, FOUND_SIZE, "a string");
    } else if (byte > ' ' && byte < 0x7f) {
      snprintf(found, FOUND_SIZE, "\"%c\"", byte);
    } else {
      snprintf(found, FOUND_SIZE, "the byte 0x%02x", byte);
    }
  }
}

static void refuse_here(const struct scanner *scanner, const char *expected) {
  char found[FOUND_SIZE], message[256];
  describe(scanner, found);
  snprintf(message, sizeof message, "expected %s, found %s", expected, found);
  refuse(scanner, scanner->at, message);
}

static void skip_space(struct scanner *scanner) {
  for (; scanner->at < scanner->length; scanner->at++) {
    char byte = scanner->text[scanner->at];
    if (byte == '\n') {
      scanner->line++;
      scanner->line_start = scanner->at + 1;
    } else if (byte != ' ' && byte != '\t' && byte != '\r') {
      return;
    }
  }
}

/* The length of the well-formed UTF-8 sequence at `bytes`, 0: there is none. */
static size_t utf8_length(const unsigned char *bytes, size_t length) {
  unsigned char first = bytes[0];
  size_t count = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (count == 0 || first > 0xf4 || count > length) {
    return 0;
  }
  for (size_t i = 1; i < count; i++) {
    if ((bytes[i] & 0xc0) != 0x80) {
      return 0;
    }
  }
  bool too_long = (first == 0xe0 && bytes[1] < 0xa0) || (first == 0xf0 && bytes[1] < 0x90);
  bool surrogate = first == 0xed && bytes[1] >= 0xa0;
  bool beyond = first == 0xf4 && bytes[1] >= 0x90;
  return too_long || surrogate || beyond ? 0 : count;
}

/* The code unit of \uXXXX at `at`, -1: there is none. */
static int code_unit(const struct scanner *scanner, size_t at) {
  if (scanner->length - at < 6 || scanner->text[at] != '\\' || scanner->text[at + 1] != 'u') {
    return -1;
  }
  int unit = 0;
  for (size_t i = at + 2; i < at + 6; i++) {
    char byte = scanner->text[i];
    int digit = byte >= '0' && byte <= '9'   ? byte - '0'
                : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                             : -1;
    if (digit < 0) {
      return -1;
    }
    unit = unit * 16 + digit;
  }
  return unit;
}

/* Looks at the escape at scanner->at and moves behind it; false: it was wrong. */
static bool scan_escape(struct scanner *scanner) {
  size_t start = scanner->at;
  char letter = start + 1 < scanner->length ? scanner->text[start + 1] : '\0';
  if (letter != '\0' && strchr("\"\\/bfnrt", letter) != NULL) {
    scanner->at += 2;
    return true;
  }
  char message[160];
  size_t length = letter < ' ' ? 1 : 2;
  if (letter != 'u') {
    snprintf(message, sizeof message,
             "expected an escape (one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX), found \\%c",
             letter > ' ' && letter < 0x7f ? letter : '?');
  } else {
    int unit = code_unit(scanner, start);
    bool high = unit >= 0xd800 && unit < 0xdc00, low = unit >= 0xdc00 && unit < 0xe000;
    int second = high ? code_unit(scanner, start + 6) : -1;
    length = unit < 0 ? 2 : 6;
    if (unit > 0 && !low && (!high || (second >= 0xdc00 && second < 0xe000))) {
      scanner->at += high ? 12 : 6;
      return true;
    }
    if (unit < 0) {
      snprintf(message, sizeof message, "expected four hexadecimal digits after \\u, found others");
    } else if (unit == 0) {
      snprintf(message, sizeof message, "expected text without the character 0, found \\u0000");
    } else {
      snprintf(message, sizeof message,
               "expected both halves of a surrogate pair, found \\u%04x alone", (unsigned)unit);
    }
  }
  refuse(scanner, start, message);
  memset(scanner->text + start, '?', length);
  scanner->at += length;
  return false;
}

/* Moves over one character of a string that is no quote and no escape; false: it was wrong. */
static bool scan_character(struct scanner *scanner) {
  unsigned char byte = (unsigned char)scanner->text[scanner->at];
  char message[128];
  size_t length = utf8_length((const unsigned char *)scanner->text + scanner->at,
                              scanner->length - scanner->at);
  if (length > 0 && byte >= ' ') {
    scanner->at += length;
    return true;
  }
  if (byte < ' ') {
    snprintf(message, sizeof message,
             "expected no control character inside of a string, found the byte 0x%02x (write %s)",
             byte, byte == '\t' ? "\\t" : "\\uXXXX");
  } else {
    snprintf(message, sizeof message, "expected UTF-8, found the byte 0x%02x", byte);
  }
  refuse(scanner, scanner->at, message);
  scanner->text[scanner->at++] = '?';
  return false;
}

/* Moves over the string at scanner->at. False: it has no end, the scan stops. */
static bool scan_string(struct scanner *scanner, bool *broken) {
  size_t start = scanner->at++;
  for (;;) {
    char byte = scanner->at < scanner->length ? scanner->text[scanner->at] : '\n';
    if (byte == '\n' || byte == '\r') {
      refuse(scanner, start,
             scanner->at < scanner->length
                 ? "expected a closing quote for this string, found the end of the line"
                 : "expected a closing quote for this string, found the end of the file");
      return false;
    }
    if (byte == '"') {
      break;
    }
    bool right = byte == '\\' ? scan_escape(scanner) : scan_character(scanner);
    *broken |= !right;
  }
  scanner->at++;
  if (scanner->at - start - 2 > SCN_JSON_STRING_LIMIT) {
    char message[128];
    snprintf(message, sizeof message, "expected a string of at most %d bytes, found one of %zu",
             (int)SCN_JSON_STRING_LIMIT, scanner->at - start - 2);
    refuse(scanner, start, message);
    *broken = true;
  }
  return true;
}

static const char *word_hint(const char *word, size_t length) {
  static const struct {
    const char *word, *hint;
  } hints[] = {{"True", "; JSON writes true"},   {"TRUE", "; JSON writes true"},
               {"False", "; JSON writes false"}, {"FALSE", "; JSON writes false"},
               {"None", "; JSON writes null"},   {"NULL", "; JSON writes null"},
               {"nil", "; JSON writes null"}};
  for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
    if (length == strlen(hints[i].word) && memcmp(word, hints[i].word, length) == 0) {
      return hints[i].hint;
    }
  }
  return "";
}

/* A number, true, false or null; anything else is refused and mended to a 0. */
static void scan_word(struct scanner *scanner, struct scn_json_value *value, size_t length) {
  char *word = scanner->text + scanner->at;
  char found[FOUND_SIZE], message[256];
  bool numeric = strchr("0123456789+-.", word[0]) != NULL;
  value->kind = numeric ? SCN_JSON_NUMBER : SCN_JSON_BOOL;
  if (numeric && scn_json_number_length(word, length) == length) {
    value->broken = length > SCN_JSON_NUMBER_LIMIT;
    snprintf(message, sizeof message,
             "expected a number of at most %d characters, found one of %zu",
             (int)SCN_JSON_NUMBER_LIMIT, length);
  } else if (length == 4 && memcmp(word, "null", 4) == 0) {
    value->kind = SCN_JSON_NULL;
  } else if (length == 4 && memcmp(word, "true", 4) == 0) {
    value->boolean = true;
  } else if (length != 5 || memcmp(word, "false", 5) != 0) {
    value->broken = true;
    describe(scanner, found);
    snprintf(message, sizeof message, "expected %s, found %s%s",
             numeric ? "a number as JSON writes it (such as 1, 0.5 or -2e3)" : "a value", found,
             word_hint(word, length));
  }
  if (value->broken) {
    refuse(scanner, scanner->at, message);
    memset(word, ' ', length);
    word[0] = '0';
    value->kind = SCN_JSON_NUMBER;
  }
  scanner->at += length;
}

static struct scn_json_value *scan_value(struct scanner *scanner,
                                         const struct scn_json_value *parent);

/* A key and its colon. */
static bool scan_key(struct scanner *scanner, struct scn_position *position, bool *broken) {
  if (scanner->at >= scanner->length || scanner->text[scanner->at] != '"') {
    refuse_here(scanner, "a key in double quotes");
    return false;
  }
  *position = position_of(scanner, scanner->at);
  if (!scan_string(scanner, broken)) {
    return false;
  }
  skip_space(scanner);
  if (scanner->at >= scanner->length || scanner->text[scanner->at] != ':') {
    refuse_here(scanner, "a colon after the key");
    return false;
  }
  scanner->at++;
  skip_space(scanner);
  return true;
}

/* What follows an element: a comma, or the end (`*ended`). False: neither. */
static bool scan_separator(struct scanner *scanner, char closing, bool *ended) {
  skip_space(scanner);
  char byte = scanner->at < scanner->length ? scanner->text[scanner->at] : '\0';
  if (byte == closing && byte != '\0') {
    *ended = true;
    scanner->at++;
    return true;
  }
  if (byte != ',') {
    refuse_here(scanner, closing == '}' ? "a comma or the object's closing brace"
                                        : "a comma or the list's closing bracket");
    return false;
  }
  struct scanner comma = *scanner;
  scanner->at++;
  skip_space(scanner);
  if (scanner->at < scanner->length && scanner->text[scanner->at] == closing) {
    refuse(&comma, comma.at,
           closing == '}' ? "expected another key after this comma, found the object's end"
                          : "expected another value after this comma, found the list's end");
    scanner->text[comma.at] = ' ';
    *ended = true;
    scanner->at++;
  }
  return true;
}

/* The members of an object or the elements of a list, from the bracket on. */
static bool scan_children(struct scanner *scanner, struct scn_json_value *value) {
  bool object = value->kind == SCN_JSON_OBJECT, ended = false;
  char closing = object ? '}' : ']';
  struct scn_json_value **place = &value->first;
  scanner->at++;
  skip_space(scanner);
  if (scanner->at < scanner->length && scanner->text[scanner->at] == closing) {
    scanner->at++;
    return true;
  }
  while (!ended) {
    struct scn_position key_position = {0};
    bool key_broken = false;
    if (object && !scan_key(scanner, &key_position, &key_broken)) {
      return false;
    }
    struct scn_json_value *child = scan_value(scanner, value);
    if (child == NULL) {
      return false;
    }
    child->key_position = key_position;
    child->key_broken = key_broken;
    child->index = value->count++;
    *place = child;
    place = &child->next;
    if (!scan_separator(scanner, closing, &ended)) {
      return false;
    }
  }
  return true;
}

static bool scan_nested(struct scanner *scanner, struct scn_json_value *value) {
  if (scanner->depth == SCN_JSON_DEPTH_LIMIT) {
    char message[128];
    snprintf(message, sizeof message,
             "expected at most %d objects and lists within each other, found one more",
             (int)SCN_JSON_DEPTH_LIMIT);
    refuse(scanner, scanner->at, message);
    return false;
  }
  scanner->depth++;
  bool right = scan_children(scanner, value);
  scanner->depth--;
  return right;
}

static struct scn_json_value *scan_value(struct scanner *scanner,
                                         const struct scn_json_value *parent) {
  struct scn_json_value *value = scn_memory_take(scanner->memory, 1, sizeof *value);
  if (value == NULL) {
    return NULL;
  }
  size_t start = scanner->at, word = word_length(scanner);
  char byte = start < scanner->length ? scanner->text[start] : '\0';
  value->parent = parent;
  value->position = position_of(scanner, start);
  if (byte == '{' || byte == '[') {
    value->kind = byte == '{' ? SCN_JSON_OBJECT : SCN_JSON_LIST;
    if (!scan_nested(scanner, value)) {
      return NULL;
    }
  } else if (byte == '"') {
    value->kind = SCN_JSON_STRING;
    if (!scan_string(scanner, &value->broken)) {
      return NULL;
    }
  } else if (word > 0) {
    scan_word(scanner, value, word);
  } else {
    refuse_here(scanner, byte == '\'' ? "a value (strings stand in double quotes)" : "a value");
    return NULL;
  }
  value->text = scanner->text + start;
  value->length = scanner->at - start;
  return value;
}

/* Turns comments into spaces. False: one has no end. */
static bool blank_comments(struct scanner *scanner) {
  char *text = scanner->text;
  bool in_string = false;
  struct scanner place = *scanner;
  for (size_t i = scanner->at; i < scanner->length; i++) {
    char byte = text[i], next = i + 1 < scanner->length ? text[i + 1] : '\0';
    if (byte == '\n') {
      place.line++;
      place.line_start = i + 1;
      in_string = false; /* a string without an end: the scan will say so */
    } else if (in_string) {
      in_string = byte != '"';
      i += byte == '\\' && next != '\n';
    } else if (byte == '"') {
      in_string = true;
    } else if (byte == '/' && next == '/') {
      for (; i < scanner->length && text[i] != '\n' && text[i] != '\r'; i++) {
        text[i] = ' ';
      }
      i--;
    } else if (byte == '/' && next == '*') {
      struct scanner start = place;
      size_t opening = i;
      for (i += 2; i + 1 < scanner->length && (text[i] != '*' || text[i + 1] != '/'); i++) {
        place.line += text[i] == '\n';
        place.line_start = text[i] == '\n' ? i + 1 : place.line_start;
      }
      if (i + 1 >= scanner->length) {
        refuse(&start, opening, "expected the end of this comment (*/), found the end of the file");
        return false;
      }
      for (size_t k = opening; k < i + 2; k++) {
        text[k] = text[k] == '\n' ? '\n' : ' ';
      }
      i++;
    }
  }
  return true;
}

struct scn_json_value *scn_json_scan(struct scn_memory *memory, char *text, size_t length,
                                     scn_json_report report, void *context) {
  struct scanner scanner = {.memory = memory,
                            .text = text,
                            .length = length,
                            .line = 1,
                            .report = report,
                            .context = context};
  if (length >= 2 && (memcmp(text, "\xfe\xff", 2) == 0 || memcmp(text, "\xff\xfe", 2) == 0)) {
    refuse(&scanner, 0,
           "expected UTF-8, found a byte order mark of UTF-16; save the file as UTF-8");
    return NULL;
  }
  if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
    memset(text, ' ', 3);
    scanner.at = scanner.line_start = 3;
  }
  if (!blank_comments(&scanner)) {
    return NULL;
  }
  skip_space(&scanner);
  struct scn_json_value *root = scan_value(&scanner, NULL);
  if (root == NULL) {
    return NULL;
  }
  skip_space(&scanner);
  if (scanner.at < length) {
    refuse_here(&scanner, "the end of the file after the scenario's object");
  }
  return root;
}
