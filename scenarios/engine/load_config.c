/*
 * load_config.c - the pool's configuration; its keys, types and defaults come from WSP_CONFIG_LIST.
 *
 * A value outside of its sensible range is no mistake: it means the default.
 */
#include <string.h>

#include "scenarios/engine/load_internal.h"

/* Spelled like the C types of WSP_CONFIG_LIST. */
enum type { TYPE_int64_t, TYPE_wsp_decimal, TYPE_wsp_duration, TYPE_bool };

static const struct {
  const char *key;
  enum type type;
  size_t offset;
} fields[] = {
#define FIELD(type, name, value) {#name, TYPE_##type, offsetof(struct wsp_config, name)},
    WSP_CONFIG_LIST(FIELD)
#undef FIELD
};

static const char *field_name(const void *context, size_t index) {
  (void)context;
  return index < LOAD_COUNT(fields) ? fields[index].key : NULL;
}

const struct load_names scn_load_config_names = {field_name, NULL};

bool scn_load_config_value(struct scn_loader *loader, const struct scn_json_value *value,
                           const char *key, struct wsp_config *config) {
  int index = scn_load_name_find(scn_load_config_names, key);
  if (index < 0) {
    return false;
  }
  void *target = (char *)config + fields[index].offset;
  switch (fields[index].type) {
    case TYPE_int64_t:
      return scn_load_integer(loader, value, INT64_MIN, INT64_MAX, "a whole number", target);
    case TYPE_wsp_decimal:
      return scn_load_decimal(loader, value, "a number of at most nine decimals", target);
    case TYPE_wsp_duration:
      return scn_load_any_duration(loader, value, target);
    case TYPE_bool:
      return scn_load_bool(loader, value, target);
  }
  return false;
}

void scn_load_config(struct scn_loader *loader, const struct scn_json_value *value) {
  if (!scn_load_is(loader, value, SCN_JSON_OBJECT, "an object")) {
    return;
  }
  for (const struct scn_json_value *member = value->first; member != NULL; member = member->next) {
    if (member->key_broken) {
      continue;
    }
    if (scn_load_name_find(scn_load_config_names, member->key) < 0) {
      scn_load_error(loader, member->key_position,
                     "expected a key of the configuration (%s), found \"%.100s\"%s",
                     scn_load_names_text(loader, scn_load_config_names), member->key,
                     scn_load_suggest(loader, scn_load_config_names, member->key));
    } else {
      scn_load_config_value(loader, member, member->key, &loader->config);
    }
  }
}

struct warning {
  struct scn_loader *loader;
  struct scn_position fallback;
  const char *variant;
};

/* Whether this was said of an earlier variant; notes it. */
static bool said_before(struct scn_loader *loader, const char *key, const char *sentence) {
  for (const struct load_warned *warned = loader->warned; warned != NULL; warned = warned->next) {
    if (strcmp(warned->key, key) == 0 && strcmp(warned->sentence, sentence) == 0) {
      return true;
    }
  }
  struct load_warned *kept = scn_memory_take(loader->memory, 1, sizeof *kept);
  const char *key_copy = scn_memory_copy(loader->memory, key, strlen(key));
  const char *copy = scn_memory_copy(loader->memory, sentence, strlen(sentence));
  if (kept != NULL && key_copy != NULL && copy != NULL) {
    *kept = (struct load_warned){.key = key_copy, .sentence = copy, .next = loader->warned};
    loader->warned = kept;
  }
  return false;
}

static const struct scn_json_value *find_key(const struct scn_loader *loader, const char *key) {
  const struct scn_json_value *config = scn_json_find(loader->root, "config");
  const struct scn_json_value *matrix = scn_json_find(loader->root, "matrix");
  const struct scn_json_value *member = config == NULL ? NULL : scn_json_find(config, key);
  const char *in_matrix =
      matrix == NULL ? NULL : scn_memory_format(loader->memory, "config.%s", key);
  return member != NULL || in_matrix == NULL ? member : scn_json_find(matrix, in_matrix);
}

static void warn(void *context, const char *key, const char *sentence) {
  const struct warning *warning = context;
  const struct scn_json_value *member = find_key(warning->loader, key);
  /* A file that only lowers the maximum has not asked for more idle conns than that. */
  bool by_default = member == NULL && strcmp(key, "max_idle_per_account") == 0;
  if (by_default || said_before(warning->loader, key, sentence)) {
    return;
  }
  scn_load_warning(warning->loader, member != NULL ? member->key_position : warning->fallback,
                   "\"%s\" %s%s%s%s", key, sentence,
                   warning->variant[0] != '\0' ? " (variant " : "", warning->variant,
                   warning->variant[0] != '\0' ? ")" : "");
}

void scn_load_config_warn(struct scn_loader *loader, const struct wsp_config *config,
                          struct scn_position fallback, const char *variant) {
  struct warning warning = {.loader = loader, .fallback = fallback, .variant = variant};
  wsp_config_warn(config, warn, &warning);
}
