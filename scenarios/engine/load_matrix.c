/*
 * load_matrix.c - the variants of a scenario: every combination of the values of `matrix`.
 *
 * The first key varies slowest. A seed given from outside takes the place of matrix.seed.
 */
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/load_internal.h"

static const char prefix[] = "config.";

static bool is_seed(const struct scn_json_value *dimension) {
  return strcmp(dimension->key, "seed") == 0;
}

static const char *config_key(const struct scn_json_value *dimension) {
  return strncmp(dimension->key, prefix, strlen(prefix)) == 0 ? dimension->key + strlen(prefix)
                                                              : NULL;
}

static const char *item_text(struct scn_loader *loader, const struct scn_json_value *item) {
  const char *text = item->kind == SCN_JSON_STRING
                         ? item->string
                         : scn_memory_copy(loader->memory, item->text, item->length);
  return text != NULL ? text : "";
}

struct item {
  const struct scn_json_value *value;
  const char *text;
};

static int compare_items(const void *left, const void *right) {
  const struct item *a = left, *b = right;
  int order = strcmp(a->text, b->text);
  return order != 0 ? order : a->value->index < b->value->index ? -1 : 1;
}

/* `items` are the values that are right. */
static void refuse_duplicates(struct scn_loader *loader, struct item *items, size_t count) {
  qsort(items, count, sizeof *items, compare_items);
  for (size_t i = 1; i < count; i++) {
    const struct scn_json_value *value = items[i].value;
    if (strcmp(items[i].text, items[i - 1].text) == 0) {
      scn_load_error(loader, value->position, "%sexpected each value once, found %s again",
                     scn_load_where(loader, value), scn_load_found(loader, value));
    }
  }
}

static void check_key(struct scn_loader *loader, const struct scn_json_value *dimension) {
  const char *key = config_key(dimension);
  if (is_seed(dimension) || (key != NULL && scn_load_name_find(scn_load_config_names, key) >= 0)) {
    return;
  }
  if (strncmp(dimension->key, "seed", 4) == 0) {
    scn_load_error(
        loader, dimension->key_position,
        "expected \"seed\" or \"config.\" and a key of the configuration, found \"%.100s\"; "
        "did you mean \"seed\"?",
        dimension->key);
    return;
  }
  const char *tail = key != NULL ? key : dimension->key;
  const char *meant = scn_load_suggest(loader, scn_load_config_names, tail);
  const char *hint =
      strlen(meant) == 0
          ? ""
          : scn_memory_format(loader->memory, "; did you mean \"config.%s", strchr(meant, '"') + 1);
  scn_load_error(
      loader, dimension->key_position,
      "expected \"seed\" or \"config.\" and a key of the configuration, found \"%.100s\"%s",
      dimension->key, hint != NULL ? hint : "");
}

/* The values of one key. */
static void check_dimension(struct scn_loader *loader, const struct scn_json_value *dimension) {
  const char *key = config_key(dimension);
  check_key(loader, dimension);
  if (!scn_load_is(loader, dimension, SCN_JSON_LIST, "a list of values")) {
    return;
  }
  if (dimension->count == 0 || dimension->count > LOAD_VARIANT_LIMIT) {
    scn_load_error(loader, dimension->position, "%sexpected a list of 1 to %d values, found %zu",
                   scn_load_where(loader, dimension), LOAD_VARIANT_LIMIT, dimension->count);
    return;
  }
  struct wsp_config scratch = loader->config;
  uint64_t seed = 0;
  struct item *items = scn_memory_take(loader->memory, dimension->count, sizeof *items);
  size_t count = 0;
  for (const struct scn_json_value *item = dimension->first; item != NULL; item = item->next) {
    bool right = is_seed(dimension)
                     ? scn_load_seed(loader, item, &seed)
                     : key != NULL && scn_load_config_value(loader, item, key, &scratch);
    if (right && items != NULL) {
      items[count++] = (struct item){.value = item, .text = item_text(loader, item)};
    }
  }
  if (count > 0) {
    refuse_duplicates(loader, items, count);
  }
}

static bool is_fixed(const struct scn_loader *loader, const struct scn_json_value *dimension) {
  return is_seed(dimension) && loader->options.has_seed;
}

/* The number of combinations; 0: too many, which was said. */
static size_t count_variants(struct scn_loader *loader, const struct scn_json_value *matrix) {
  size_t count = 1;
  for (const struct scn_json_value *dimension = matrix->first; dimension != NULL;
       dimension = dimension->next) {
    if (is_fixed(loader, dimension)) {
      continue;
    }
    count *= dimension->count;
    if (count > LOAD_VARIANT_LIMIT) {
      scn_load_error(loader, matrix->position,
                     "\"matrix\": expected at most %d combinations, found more",
                     LOAD_VARIANT_LIMIT);
      return 0;
    }
  }
  return count;
}

static void append_name(struct scn_loader *loader, struct scn_variant *variant,
                        const struct scn_json_value *dimension, const struct scn_json_value *item) {
  const char *separator = variant->name[0] == '\0' ? "" : " ";
  const char *name = scn_memory_format(loader->memory, "%s%s%s=%s", variant->name, separator,
                                       dimension->key, item_text(loader, item));
  variant->name = name != NULL ? name : "";
}

static void fill_variant(struct scn_loader *loader, const struct scn_json_value *matrix,
                         size_t index, size_t count, struct scn_variant *variant) {
  *variant = (struct scn_variant){.name = "", .config = loader->config, .seed = loader->seed};
  for (const struct scn_json_value *dimension = matrix->first; dimension != NULL;
       dimension = dimension->next) {
    if (is_fixed(loader, dimension)) {
      continue;
    }
    count /= dimension->count;
    const struct scn_json_value *item = dimension->first;
    for (size_t i = index / count % dimension->count; i > 0; i--) {
      item = item->next;
    }
    if (is_seed(dimension)) {
      scn_load_seed(loader, item, &variant->seed);
    } else {
      scn_load_config_value(loader, item, config_key(dimension), &variant->config);
    }
    append_name(loader, variant, dimension, item);
  }
}

static struct scn_position key_position(const struct scn_loader *loader, const char *key) {
  const struct scn_json_value *member = scn_json_find(loader->root, key);
  return member != NULL ? member->key_position : (struct scn_position){0};
}

static void one_variant(struct scn_loader *loader) {
  struct scn_variant *variant = scn_memory_take(loader->memory, 1, sizeof *variant);
  if (variant == NULL) {
    return;
  }
  *variant = (struct scn_variant){.name = "", .config = loader->config, .seed = loader->seed};
  loader->scenario->variants = variant;
  loader->scenario->variant_count = 1;
  scn_load_config_warn(loader, &variant->config, key_position(loader, "config"), "");
}

static void all_variants(struct scn_loader *loader, const struct scn_json_value *matrix) {
  size_t count = count_variants(loader, matrix);
  struct scn_variant *variants = scn_memory_take(loader->memory, count, sizeof *variants);
  if (variants == NULL) {
    return;
  }
  for (size_t i = 0; i < count; i++) {
    fill_variant(loader, matrix, i, count, &variants[i]);
    scn_load_config_warn(loader, &variants[i].config, key_position(loader, "matrix"),
                         variants[i].name);
  }
  loader->scenario->variants = variants;
  loader->scenario->variant_count = count;
}

void scn_load_matrix(struct scn_loader *loader, const struct scn_json_value *value) {
  size_t errors = loader->error_count;
  if (value == NULL) {
    one_variant(loader);
    return;
  }
  if (!scn_load_is(loader, value, SCN_JSON_OBJECT, "an object of keys and lists")) {
    return;
  }
  for (const struct scn_json_value *member = value->first; member != NULL; member = member->next) {
    if (member->key_broken) {
      errors = SIZE_MAX; /* no combinations are made of it */
    } else {
      check_dimension(loader, member);
    }
  }
  if (loader->error_count == errors) {
    all_variants(loader, value);
  }
}
