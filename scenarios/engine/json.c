/*
 * json.c - puts cJSON's tree and the scanner's places together, and finds duplicate keys.
 */
#include "scenarios/engine/json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

struct joining {
  struct scn_memory *memory;
  scn_json_report report;
  void *context;
};

static int compare_keys(const void *left, const void *right) {
  const struct scn_json_value *a = *(const struct scn_json_value *const *)left;
  const struct scn_json_value *b = *(const struct scn_json_value *const *)right;
  int order = strcmp(a->key, b->key);
  if (order != 0) {
    return order;
  }
  return a->index < b->index ? -1 : a->index > b->index;
}

static void refuse_duplicates(const struct joining *joining, struct scn_json_value *object) {
  struct scn_json_value **members =
      scn_memory_take(joining->memory, object->count, sizeof(struct scn_json_value *));
  if (members == NULL) {
    return;
  }
  size_t count = 0;
  for (struct scn_json_value *member = object->first; member != NULL; member = member->next) {
    if (!member->key_broken) {
      members[count++] = member;
    }
  }
  qsort(members, count, sizeof *members, compare_keys);
  for (size_t i = 1, first = 0; i < count; i++) {
    if (strcmp(members[i]->key, members[first]->key) != 0) {
      first = i;
      continue;
    }
    members[i]->key_broken = true;
    const char *message = scn_memory_format(
        joining->memory, "expected each key once, found \"%.100s\" again (first at line %d)",
        members[i]->key, members[first]->key_position.line);
    if (message != NULL) {
      joining->report(joining->context, members[i]->key_position, message);
    }
  }
}

/* The scanner has found exactly the values that cJSON finds. Depth is limited by the scanner. */
static void join(const struct joining *joining, struct scn_json_value *value, const cJSON *item) {
  value->string = value->kind == SCN_JSON_STRING ? item->valuestring : NULL;
  const cJSON *child_item = item->child;
  for (struct scn_json_value *child = value->first; child != NULL; child = child->next) {
    child->key = value->kind == SCN_JSON_OBJECT ? child_item->string : NULL;
    join(joining, child, child_item);
    child_item = child_item->next;
  }
  if (value->kind == SCN_JSON_OBJECT && value->count > 1) {
    refuse_duplicates(joining, value);
  }
}

static void destroy_tree(void *tree) {
  cJSON_Delete(tree);
}

const struct scn_json_value *scn_json_parse(struct scn_memory *memory, const char *text,
                                            size_t length, scn_json_report report, void *context) {
  struct joining joining = {.memory = memory, .report = report, .context = context};
  char *copy = scn_memory_copy(memory, text, length);
  if (copy == NULL) {
    return NULL;
  }
  struct scn_json_value *root = scn_json_scan(memory, copy, length, report, context);
  if (root == NULL || scn_memory_failed(memory)) {
    return NULL;
  }
  cJSON *tree = cJSON_ParseWithLength(copy, length);
  if (tree == NULL) {
    scn_memory_fail(memory); /* what is wrong with the text, the scan has said */
    return NULL;
  }
  if (!scn_memory_keep(memory, tree, destroy_tree)) {
    return NULL;
  }
  join(&joining, root, tree);
  return root;
}

const struct scn_json_value *scn_json_find(const struct scn_json_value *object, const char *key) {
  if (object->kind != SCN_JSON_OBJECT) {
    return NULL;
  }
  for (const struct scn_json_value *member = object->first; member != NULL; member = member->next) {
    if (strcmp(member->key, key) == 0) {
      return member;
    }
  }
  return NULL;
}

const char *scn_json_compact(struct scn_memory *memory, const struct scn_json_value *value) {
  char *text = scn_memory_take(memory, value->length + 1, 1);
  if (text == NULL) {
    return NULL;
  }
  size_t used = 0;
  bool in_string = false;
  for (size_t i = 0; i < value->length; i++) {
    char byte = value->text[i];
    if (!in_string && strchr(" \t\r\n", byte) != NULL) {
      continue;
    }
    text[used++] = byte;
    if (byte == '"') {
      in_string = !in_string;
    } else if (in_string && byte == '\\' && i + 1 < value->length) {
      text[used++] = value->text[++i];
    }
  }
  return text;
}

static size_t digit_run(const char *text, size_t length, size_t start) {
  size_t i = start;
  while (i < length && text[i] >= '0' && text[i] <= '9') {
    i++;
  }
  return i - start;
}

size_t scn_json_number_length(const char *text, size_t length) {
  size_t i = length > 0 && text[0] == '-';
  size_t whole = digit_run(text, length, i);
  if (whole == 0 || (whole > 1 && text[i] == '0')) {
    return 0;
  }
  i += whole;
  if (i < length && text[i] == '.') {
    size_t fraction = digit_run(text, length, i + 1);
    if (fraction == 0) {
      return 0;
    }
    i += 1 + fraction;
  }
  if (i < length && (text[i] == 'e' || text[i] == 'E')) {
    size_t sign = i + 1 < length && (text[i + 1] == '+' || text[i + 1] == '-');
    size_t exponent = digit_run(text, length, i + 1 + sign);
    if (exponent == 0) {
      return 0;
    }
    i += 1 + sign + exponent;
  }
  return i;
}

/* What stands in the text of a number: digits without the point, and where the point belongs. */
struct digits {
  char digit[SCN_JSON_NUMBER_LIMIT + 1];
  size_t count;
  long exponent;
};

static struct digits read_digits(const char *text, size_t length) {
  struct digits digits = {.count = 0};
  size_t i = 0;
  bool fraction = false;
  for (; i < length && text[i] != 'e' && text[i] != 'E'; i++) {
    if (text[i] == '.') {
      fraction = true;
      continue;
    }
    digits.exponent -= fraction;
    if ((digits.count > 0 || text[i] != '0') && digits.count < SCN_JSON_NUMBER_LIMIT) {
      digits.digit[digits.count++] = text[i];
    }
  }
  if (i < length) {
    bool negative = text[i + 1] == '-';
    long exponent = 0;
    for (i += text[i + 1] == '-' || text[i + 1] == '+' ? 2 : 1; i < length; i++) {
      if (exponent < 1000000) {
        exponent = exponent * 10 + (text[i] - '0');
      }
    }
    digits.exponent += negative ? -exponent : exponent;
  }
  return digits;
}

enum scn_number_error scn_json_number(const char *text, size_t length, int places, bool *negative,
                                      uint64_t *magnitude) {
  bool minus = length > 0 && text[0] == '-';
  struct digits digits = read_digits(text + minus, length - minus);
  digits.exponent += places;
  while (digits.count > 0 && digits.digit[digits.count - 1] == '0') {
    digits.count--;
    digits.exponent++;
  }
  *magnitude = 0;
  *negative = minus && digits.count > 0;
  if (digits.count == 0) {
    return SCN_NUMBER_OK;
  }
  if (digits.exponent < 0) {
    return SCN_NUMBER_TOO_FINE;
  }
  if (digits.exponent > 20) {
    return SCN_NUMBER_TOO_BIG;
  }
  for (size_t i = 0; i < digits.count + (size_t)digits.exponent; i++) {
    uint64_t digit = i < digits.count ? (uint64_t)(digits.digit[i] - '0') : 0;
    if (*magnitude > (UINT64_MAX - digit) / 10) {
      return SCN_NUMBER_TOO_BIG;
    }
    *magnitude = *magnitude * 10 + digit;
  }
  return SCN_NUMBER_OK;
}
