/*
 * load_name.c - closed sets of names: finding one, listing all, guessing which one was meant.
 */
#include <stdio.h>
#include <string.h>

#include "scenarios/engine/load_internal.h"

static const char *name_in_list(const void *context, size_t index) {
  return ((const char *const *)context)[index];
}

static const char *error_name(const void *context, size_t index) {
  (void)context;
  return index < WSP_WOULD_WAIT ? wsp_error_name((enum wsp_error)index) : NULL;
}

static const char *reason_name(const void *context, size_t index) {
  (void)context;
  return index < WSP_REASON_OUT_OF_MEMORY ? wsp_reason_name((enum wsp_reason)(index + 1)) : NULL;
}

static const char *event_name(const void *context, size_t index) {
  (void)context;
  return index < SIM_EVENT_KIND_COUNT ? sim_event_type((uint16_t)index)->name : NULL;
}

const struct load_names scn_load_error_names = {error_name, NULL};
const struct load_names scn_load_reason_names = {reason_name, NULL};
const struct load_names scn_load_event_names = {event_name, NULL};

struct load_names scn_load_names_of(const char *const *list) {
  return (struct load_names){name_in_list, list};
}

int scn_load_name_find(struct load_names names, const char *text) {
  const char *name;
  for (size_t i = 0; (name = names.name(names.context, i)) != NULL; i++) {
    if (strcmp(name, text) == 0) {
      return (int)i;
    }
  }
  return -1;
}

enum { COMPARED_LIMIT = 64 };

static char fold(char letter) {
  return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter == '-' ? '_' : letter;
}

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

/* How many letters must be put in, left out, exchanged or swapped with their neighbour to make
 * one text from the other; case does not count. */
static size_t distance(const char *a, const char *b) {
  size_t rows[3][COMPARED_LIMIT + 1];
  size_t length_a = strlen(a), length_b = strlen(b);
  if (length_a > COMPARED_LIMIT || length_b > COMPARED_LIMIT) {
    return COMPARED_LIMIT;
  }
  for (size_t j = 0; j <= length_b; j++) {
    rows[0][j] = j;
  }
  for (size_t i = 1; i <= length_a; i++) {
    size_t *row = rows[i % 3], *above = rows[(i - 1) % 3], *second = rows[(i + 1) % 3];
    row[0] = i;
    for (size_t j = 1; j <= length_b; j++) {
      size_t other = fold(a[i - 1]) != fold(b[j - 1]);
      row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + other);
      if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1])) {
        row[j] = least(row[j], second[j - 2] + 1);
      }
    }
  }
  return rows[length_a % 3][length_b];
}

/* The only name that begins with `text`. */
static const char *only_beginning(struct load_names names, const char *text) {
  const char *name, *found = NULL;
  size_t length = strlen(text);
  for (size_t i = 0; (name = names.name(names.context, i)) != NULL; i++) {
    if (length >= 4 && strncmp(name, text, length) == 0) {
      if (found != NULL) {
        return NULL;
      }
      found = name;
    }
  }
  return found;
}

/* The name that is like `text`; NULL: none is. */
static const char *most_like(struct load_names names, const char *text) {
  const char *name, *best = NULL;
  size_t length = strlen(text), best_distance = length / 3 + 2;
  for (size_t i = 0; (name = names.name(names.context, i)) != NULL; i++) {
    size_t d = distance(text, name);
    /* What shares no letter is no misspelling. */
    if (d < length && d < strlen(name) && d < best_distance) {
      best = name;
      best_distance = d;
    }
  }
  const char *beginning = only_beginning(names, text);
  return beginning != NULL && (best == NULL || best_distance > 1) ? beginning : best;
}

const char *scn_load_suggest(struct scn_loader *loader, struct load_names names, const char *text) {
  const char *name, *meant = most_like(names, text);
  for (size_t i = 0; meant == NULL && (name = names.name(names.context, i)) != NULL; i++) {
    meant = strlen(text) >= 3 && strstr(name, text) != NULL ? name : NULL;
  }
  const char *hint =
      meant == NULL ? "" : scn_memory_format(loader->memory, "; did you mean \"%s\"?", meant);
  return hint == NULL ? "" : hint;
}

const char *scn_load_names_text(struct scn_loader *loader, struct load_names names) {
  size_t count = 0, length = 1;
  const char *name;
  for (; (name = names.name(names.context, count)) != NULL; count++) {
    length += strlen(name) + 4;
  }
  char *text = scn_memory_take(loader->memory, length, 1);
  if (text == NULL) {
    return "";
  }
  char *at = text;
  for (size_t i = 0; i < count; i++) {
    const char *separator = i + 1 == count ? "" : i + 2 == count ? " or " : ", ";
    at +=
        snprintf(at, length - (size_t)(at - text), "%s%s", names.name(names.context, i), separator);
  }
  return text;
}

int scn_load_choice(struct scn_loader *loader, const struct scn_json_value *value,
                    struct load_names names, const char *what) {
  int found = value->kind == SCN_JSON_STRING ? scn_load_name_find(names, value->string) : -1;
  if (found < 0 && !value->broken) {
    const char *hint =
        value->kind == SCN_JSON_STRING ? scn_load_suggest(loader, names, value->string) : "";
    const char *expected =
        scn_memory_format(loader->memory, "%s (%s)", what, scn_load_names_text(loader, names));
    scn_load_expected_hint(loader, value, expected, hint);
  }
  return value->broken ? -1 : found;
}
