/*
 * fuzz_loader.c - scenario files: whatever the text, it is loaded, or at least one mistake is told,
 * each at a place in the file, and no memory is left.
 *
 * Half of the mutations know JSON: a value is put in the place of another, doubled, taken out, or
 * becomes one of a list of texts and numbers that are near a limit. That keeps the text a scenario
 * that is nearly right, where the loader's own checks are.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/loader.h"
#include "tests/fuzz/fuzz.h"

struct seen {
  size_t errors;
};

static void look(void *context, const struct scn_problem *problem) {
  struct seen *seen = context;
  seen->errors += problem->severity == SCN_ERROR;
  if (problem->message == NULL || problem->message[0] == '\0' || problem->position.line < 0 ||
      problem->position.column < 0) {
    abort();
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct seen seen = {0};
  /* The folder has no files: what a text names as a trace can not be found. */
  struct scn_scenario *scenario =
      scn_scenario_parse("/nonexistent/x.json", (const char *)data, size, NULL, look, &seen);
  if ((scenario == NULL) != (seen.errors > 0)) {
    abort();
  }
  scn_scenario_destroy(scenario);
  return 0;
}

static uint64_t random_state;

static size_t draw(size_t below) {
  random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (size_t)(random_state >> 33) % below;
}

static size_t count_values(const cJSON *value) {
  size_t count = 1;
  for (const cJSON *child = value->child; child != NULL; child = child->next) {
    count += count_values(child);
  }
  return count;
}

/* The value number `*index` in the order of the text; counts it down. */
static cJSON *value_at(cJSON *value, size_t *index) {
  if ((*index)-- == 0) {
    return value;
  }
  for (cJSON *child = value->child; child != NULL; child = child->next) {
    cJSON *found = value_at(child, index);
    if (found != NULL) {
      return found;
    }
  }
  return NULL;
}

static cJSON *any_value(cJSON *root) {
  size_t index = draw(count_values(root));
  return value_at(root, &index);
}

static cJSON *near_a_limit(void) {
  static const char *const texts[] = {
      "",        "0",    "0s",  "-1s",     "9223372036s",     "1ns",      "60ms",
      "a",       "a#1",  "a#0", "ok",      "default",         "1/s",      "0/s",
      "b",       "idle", "#",   "load1#1", "acquire_started", "select 1", "select",
      "3:1 7:2", "2.0",  "x"};
  static const char *const numbers[] = {"0",   "-1",    "1",   "9223372036854775807", "1e308",
                                        "0.5", "1e-30", "599", "18446744073709551616"};
  switch (draw(5)) {
    case 0:
      return cJSON_CreateRaw(numbers[draw(sizeof numbers / sizeof numbers[0])]);
    case 1:
      return draw(2) == 0 ? cJSON_CreateArray() : cJSON_CreateObject();
    case 2:
      return draw(2) == 0 ? cJSON_CreateNull() : cJSON_CreateBool(draw(2) == 0);
    default:
      return cJSON_CreateString(texts[draw(sizeof texts / sizeof texts[0])]);
  }
}

/* Puts `given` in the place of what `value` is; its key stays. */
static void become(cJSON *value, cJSON *given) {
  if (given == NULL) {
    return;
  }
  cJSON_Delete(value->child);
  if ((value->type & cJSON_IsReference) == 0) {
    cJSON_free(value->valuestring);
  }
  value->child = given->child;
  value->type = given->type;
  value->valuestring = given->valuestring;
  value->valueint = given->valueint;
  value->valuedouble = given->valuedouble;
  given->child = NULL;
  given->valuestring = NULL;
  cJSON_Delete(given);
}

static void mutate(cJSON *root) {
  cJSON *value = any_value(root), *other = any_value(root);
  switch (draw(4)) {
    case 0:
      become(value, near_a_limit());
      break;
    case 1:
      become(value, cJSON_Duplicate(other, 1));
      break;
    case 2:
      if (value->child != NULL) {
        cJSON_Delete(cJSON_DetachItemViaPointer(value, value->child));
      }
      break;
    default:
      if (cJSON_IsArray(value) && value->child != NULL) {
        cJSON_AddItemToArray(value, cJSON_Duplicate(value->child, 1));
      } else if (cJSON_IsObject(value) && other->string != NULL) {
        cJSON_AddItemToObject(value, other->string, cJSON_Duplicate(other, 1));
      }
  }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
  random_state = seed;
  cJSON *root = draw(2) == 0 ? NULL : cJSON_ParseWithLength((const char *)data, size);
  if (root == NULL) {
    return LLVMFuzzerMutate(data, size, most);
  }
  mutate(root);
  char *text = cJSON_PrintUnformatted(root);
  size_t length = text == NULL ? 0 : strlen(text);
  if (text != NULL && length <= most) {
    memcpy(data, text, length);
    size = length;
  }
  cJSON_free(text);
  cJSON_Delete(root);
  return size;
}
