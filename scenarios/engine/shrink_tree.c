/*
 * shrink_tree.c - cJSON's tree made from ours, whose numbers are exact.
 */
#define _XOPEN_SOURCE 700
#include "scenarios/engine/shrink_tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/expect_text.h"
#include "scenarios/engine/json.h"
#include "sim/duration.h"

enum { LINE_WIDTH = 100 };

/* ---- From the text ------------------------------------------------------------------------ */

static cJSON *convert(const struct scn_json_value *value) {
  cJSON *node = NULL;
  char number[SCN_JSON_NUMBER_LIMIT + 1];
  switch (value->kind) {
    case SCN_JSON_NULL:
      return cJSON_CreateNull();
    case SCN_JSON_BOOL:
      return cJSON_CreateBool(value->boolean);
    case SCN_JSON_STRING:
      return cJSON_CreateString(value->string);
    case SCN_JSON_NUMBER:
      snprintf(number, sizeof number, "%.*s", (int)value->length, value->text);
      return cJSON_CreateRaw(number);
    case SCN_JSON_LIST:
      node = cJSON_CreateArray();
      break;
    case SCN_JSON_OBJECT:
      node = cJSON_CreateObject();
      break;
  }
  for (const struct scn_json_value *child = value->first; child != NULL && node != NULL;
       child = child->next) {
    cJSON *made = convert(child);
    bool added = made != NULL &&
                 (value->kind == SCN_JSON_LIST ? cJSON_AddItemToArray(node, made)
                                               : cJSON_AddItemToObject(node, child->key, made));
    if (!added) {
      cJSON_Delete(made);
      cJSON_Delete(node);
      return NULL;
    }
  }
  return node;
}

static void ignore(void *context, struct scn_position position, const char *message) {
  (void)context;
  (void)position;
  (void)message;
}

static cJSON *parse(const char *text) {
  struct scn_memory *memory = scn_memory_create(NULL);
  cJSON *tree = NULL;
  if (memory != NULL) {
    const struct scn_json_value *root = scn_json_parse(memory, text, strlen(text), ignore, NULL);
    tree = root == NULL ? NULL : convert(root);
    scn_memory_destroy(memory);
  }
  return tree;
}

/* ---- Writing the variant into it ---------------------------------------------------------- */

static bool put(cJSON *object, const char *key, cJSON *value) {
  bool there = cJSON_GetObjectItemCaseSensitive(object, key) != NULL;
  bool done = value != NULL && (there ? cJSON_ReplaceItemInObjectCaseSensitive(object, key, value)
                                      : cJSON_AddItemToObject(object, key, value));
  if (!done) {
    cJSON_Delete(value);
  }
  return done;
}

static bool apply_matrix(cJSON *tree, const struct scn_replay *replay) {
  cJSON *matrix = cJSON_DetachItemFromObjectCaseSensitive(tree, "matrix");
  size_t count = replay->scenario->variant_count;
  bool done = true;
  cJSON *dimension;
  cJSON_ArrayForEach(dimension, matrix) {
    if (strncmp(dimension->string, "config.", 7) != 0) {
      if (!replay->seed_given) {
        count /= (size_t)cJSON_GetArraySize(dimension); /* the seed, which is set apart */
      }
      continue;
    }
    size_t size = (size_t)cJSON_GetArraySize(dimension);
    count /= size;
    int index = (int)(replay->variant_index / count % size);
    cJSON *config = cJSON_GetObjectItemCaseSensitive(tree, "config");
    if (config == NULL) {
      config = cJSON_AddObjectToObject(tree, "config");
    }
    done = done && config != NULL &&
           put(config, dimension->string + 7,
               cJSON_Duplicate(cJSON_GetArrayItem(dimension, index), true));
  }
  cJSON_Delete(matrix);
  return done;
}

static bool apply_seed(cJSON *tree, uint64_t seed) {
  char digits[32];
  snprintf(digits, sizeof digits, "%" PRIu64, seed);
  if (seed == 1) {
    cJSON_DeleteItemFromObjectCaseSensitive(tree, "seed");
    return true;
  }
  return put(tree, "seed", cJSON_CreateRaw(digits));
}

static bool apply_times(cJSON *tree, const struct scn_scenario *scenario) {
  const cJSON *steps = cJSON_GetObjectItemCaseSensitive(tree, "steps");
  size_t index = 0;
  cJSON *step;
  cJSON_ArrayForEach(step, steps) {
    char at[SIM_DURATION_TEXT_SIZE];
    sim_duration_format(scenario->steps[index++].at, at);
    cJSON_DeleteItemFromObjectCaseSensitive(step, "after");
    cJSON_DeleteItemFromObjectCaseSensitive(step, "at");
    cJSON *value = cJSON_CreateString(at);
    /* First, where people write it. */
    if (value == NULL || (value->string = cJSON_malloc(3)) == NULL) {
      cJSON_Delete(value);
      return false;
    }
    memcpy(value->string, "at", 3);
    cJSON_InsertItemInArray(step, 0, value);
  }
  return true;
}

/* Files that the scenario names are found wherever it is written to. */
static bool apply_files(cJSON *node, const char *path) {
  bool done = true;
  for (cJSON *child = node->child; child != NULL && done; child = child->next) {
    done = apply_files(child, path);
  }
  if (!cJSON_IsString(node) || node->string == NULL || strcmp(node->string, "trace") != 0 ||
      node->valuestring[0] == '/') {
    return done;
  }
  const char *slash = strrchr(path, '/');
  int folder = slash == NULL ? 0 : (int)(slash - path + 1);
  char joined[4096];
  snprintf(joined, sizeof joined, "%.*s%s", folder, path, node->valuestring);
  char *whole = realpath(joined, NULL);
  if (whole == NULL) {
    return done; /* the loader says what is wrong with it */
  }
  char *copy = cJSON_malloc(strlen(whole) + 1);
  if (copy != NULL) {
    strcpy(copy, whole);
    cJSON_free(node->valuestring);
    node->valuestring = copy;
  }
  free(whole);
  return done && copy != NULL;
}

cJSON *scn_tree_of_replay(const struct rep_recorded *recorded, const struct scn_replay *replay) {
  static const char *const left_out[] = {"$schema", "description", "covers", "tags", "schedule"};
  cJSON *tree = parse(recorded->source);
  if (tree == NULL) {
    return NULL;
  }
  for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++) {
    cJSON_DeleteItemFromObjectCaseSensitive(tree, left_out[i]);
  }
  if (!apply_matrix(tree, replay) || !apply_seed(tree, recorded->seed) ||
      !apply_times(tree, replay->scenario) || !apply_files(tree, recorded->path)) {
    cJSON_Delete(tree);
    return NULL;
  }
  return tree;
}

/* ---- To text ------------------------------------------------------------------------------ */

static void append_key(struct scn_text *text, const cJSON *node) {
  cJSON *key = cJSON_CreateStringReference(node->string);
  char *printed = key == NULL ? NULL : cJSON_PrintUnformatted(key);
  text->failed |= printed == NULL;
  scn_text_append(text, printed == NULL ? "" : printed);
  scn_text_append(text, ": ");
  cJSON_free(printed);
  cJSON_Delete(key);
}

static bool is_list(const cJSON *node) {
  return cJSON_IsArray(node) || cJSON_IsObject(node);
}

/* On one line: { "a": 1, "b": [ 2 ] } */
static void append_flat(struct scn_text *text, const cJSON *node) {
  if (!is_list(node)) {
    char *printed = cJSON_PrintUnformatted(node);
    text->failed |= printed == NULL;
    scn_text_append(text, printed == NULL ? "" : printed);
    cJSON_free(printed);
    return;
  }
  bool object = cJSON_IsObject(node);
  scn_text_append(text, object ? "{" : "[");
  for (const cJSON *child = node->child; child != NULL; child = child->next) {
    scn_text_append(text, child == node->child ? (object ? " " : "") : ", ");
    if (object) {
      append_key(text, child);
    }
    append_flat(text, child);
  }
  scn_text_append(text, object ? (node->child == NULL ? "}" : " }") : "]");
}

static void append_node(struct scn_text *text, const cJSON *node, size_t indent, size_t column) {
  size_t start = text->length;
  append_flat(text, node);
  if (!is_list(node) || node->child == NULL ||
      (indent > 0 && column + text->length - start < LINE_WIDTH)) {
    return;
  }
  scn_text_cut(text, start);
  bool object = cJSON_IsObject(node);
  scn_text_append(text, object ? "{" : "[");
  for (const cJSON *child = node->child; child != NULL; child = child->next) {
    scn_text_append(text, child == node->child ? "\n" : ",\n");
    scn_text_spaces(text, indent + 2);
    size_t line = text->length;
    if (object) {
      append_key(text, child);
    }
    append_node(text, child, indent + 2, indent + 2 + text->length - line);
  }
  scn_text_append(text, "\n");
  scn_text_spaces(text, indent);
  scn_text_append(text, object ? "}" : "]");
}

char *scn_tree_text(const cJSON *tree) {
  struct scn_text text = {0};
  append_node(&text, tree, 0, 0);
  scn_text_append(&text, "\n");
  return scn_text_take(&text);
}

/* ---- Nodes -------------------------------------------------------------------------------- */

static bool is_closed(const cJSON *node, const cJSON *parent) {
  static const char *const describing[] = {"name", "description", "seed", "schedule", "invariants"};
  if (parent != NULL && cJSON_IsArray(parent) && parent->string != NULL &&
      strcmp(parent->string, "expect") == 0) {
    return true;
  }
  for (size_t i = 0; node->string != NULL && i < sizeof describing / sizeof describing[0]; i++) {
    if (strcmp(node->string, describing[i]) == 0) {
      return true;
    }
  }
  return false;
}

static cJSON *find(cJSON *node, const cJSON *parent, size_t *left, bool *is_open) {
  *is_open = !is_closed(node, parent);
  if ((*left)-- == 0) {
    return node;
  }
  bool goes_on = *is_open;
  for (cJSON *child = node->child; child != NULL && goes_on; child = child->next) {
    cJSON *found = find(child, node, left, is_open);
    if (found != NULL) {
      return found;
    }
  }
  return NULL;
}

cJSON *scn_tree_node(cJSON *tree, size_t number) {
  bool is_open;
  return find(tree, NULL, &number, &is_open);
}

bool scn_tree_is_open(cJSON *tree, size_t number) {
  bool is_open;
  return find(tree, NULL, &number, &is_open) != NULL && is_open;
}

/* Makes `node` what `inner`, which is part of no tree, was. */
static bool become(cJSON *node, cJSON *inner) {
  if (inner == NULL) {
    return false;
  }
  cJSON_Delete(node->child);
  cJSON_free(node->valuestring);
  node->type = inner->type;
  node->child = inner->child;
  node->valuestring = inner->valuestring;
  inner->child = NULL;
  inner->valuestring = NULL;
  cJSON_Delete(inner);
  return true;
}

static bool has_key(const cJSON *node, const char *const *keys, size_t count) {
  for (size_t i = 0; node->string != NULL && i < count; i++) {
    if (strcmp(node->string, keys[i]) == 0) {
      return true;
    }
  }
  return false;
}

static bool unwrap_together(cJSON *step) {
  cJSON *members = cJSON_GetObjectItemCaseSensitive(step, "together");
  if (members == NULL || cJSON_GetArraySize(members) != 1) {
    return false;
  }
  cJSON *member = cJSON_DetachItemFromArray(members, 0);
  cJSON_DeleteItemFromObjectCaseSensitive(step, "together");
  for (cJSON *part = member->child; part != NULL; part = member->child) {
    cJSON_DetachItemViaPointer(member, part);
    cJSON_AddItemToArray(step, part); /* with the key that it has */
  }
  cJSON_Delete(member);
  return true;
}

bool scn_tree_unwrap(cJSON *node) {
  static const char *const distributions[] = {"uniform", "exponential", "normal", "lognormal"};
  static const char *const behaviours[] = {"dial", "ping", "write", "read"};
  if (cJSON_IsObject(node) && node->child != NULL && node->child->next == NULL &&
      has_key(node->child, distributions, 4)) {
    return become(node, cJSON_IsArray(node->child) ? cJSON_DetachItemFromArray(node->child, 0)
                                                   : cJSON_DetachItemFromArray(node, 0));
  }
  if (cJSON_IsArray(node) && has_key(node, behaviours, 4) && cJSON_GetArraySize(node) == 1) {
    return become(node, cJSON_DetachItemFromArray(node, 0));
  }
  return cJSON_IsObject(node) && unwrap_together(node);
}

size_t scn_tree_count(const cJSON *tree, const char *key) {
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(tree, key);
  size_t count = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, list) {
    const cJSON *members = cJSON_GetObjectItemCaseSensitive(item, "together");
    count += members == NULL ? 1 : (size_t)cJSON_GetArraySize(members);
  }
  return count;
}

/* ---- Values ------------------------------------------------------------------------------- */

bool scn_tree_duration(const cJSON *node, wsp_duration *duration) {
  return cJSON_IsString(node) &&
         sim_duration_parse(node->valuestring, duration, NULL) == SIM_DURATION_OK;
}

bool scn_tree_set_duration(cJSON *node, wsp_duration duration) {
  char text[SIM_DURATION_TEXT_SIZE];
  sim_duration_format(duration, text);
  char *copy = cJSON_malloc(strlen(text) + 1);
  if (copy == NULL) {
    return false;
  }
  memcpy(copy, text, strlen(text) + 1);
  cJSON_free(node->valuestring);
  node->valuestring = copy;
  return true;
}

/* How many characters of the node's text are its number; 0: it has none. */
static size_t number_length(const cJSON *node) {
  if (!cJSON_IsRaw(node) && !cJSON_IsString(node)) {
    return 0;
  }
  size_t length = strspn(node->valuestring, "0123456789");
  char behind = node->valuestring[length];
  return length <= 18 && behind == (cJSON_IsRaw(node) ? '\0' : '/') ? length : 0;
}

bool scn_tree_integer(const cJSON *node, int64_t *integer) {
  if (number_length(node) == 0) {
    return false;
  }
  *integer = strtoll(node->valuestring, NULL, 10);
  return true;
}

bool scn_tree_set_integer(cJSON *node, int64_t integer) {
  const char *behind = node->valuestring + number_length(node);
  size_t size = strlen(behind) + 32;
  char *text = cJSON_malloc(size);
  if (text == NULL) {
    return false;
  }
  snprintf(text, size, "%" PRId64 "%s", integer, behind);
  cJSON_free(node->valuestring);
  node->valuestring = text;
  return true;
}

bool scn_tree_set_text(cJSON *tree, const char *key, const char *text) {
  return put(tree, key, cJSON_CreateString(text));
}

bool scn_tree_move_first(cJSON *tree, const char *key) {
  cJSON *member = cJSON_DetachItemFromObjectCaseSensitive(tree, key);
  return member != NULL && cJSON_InsertItemInArray(tree, 0, member);
}
