/*
 * load_labels.c - the labels of a scenario: each once, and none named that does not exist.
 *
 * A label may repeat: then its operations are label#1, label#2, ..., and the plain label is none.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/labels.h"
#include "scenarios/engine/load_internal.h"

/* All labels by name: plain ones and repeating ones apart, since "load1" may be both. */
struct table {
  struct load_label **slots;
  size_t size; /* a power of two, more than the labels */
};

void scn_load_label_define(struct scn_loader *loader, const struct load_label *label) {
  struct load_label *kept = scn_memory_take(loader->memory, 1, sizeof *kept);
  if (kept == NULL || label->name == NULL) {
    return;
  }
  *kept = *label;
  kept->next = NULL;
  *(loader->labels.first == NULL ? &loader->labels.first : loader->labels.last) = kept;
  loader->labels.last = &kept->next;
  loader->labels.count++;
}

void scn_load_label_refer(struct scn_loader *loader, const struct scn_json_value *value,
                          const char *name, enum load_need need, size_t order) {
  struct load_reference *kept = scn_memory_take(loader->memory, 1, sizeof *kept);
  if (kept == NULL || name == NULL) {
    return;
  }
  *kept = (struct load_reference){.value = value, .name = name, .need = need, .order = order};
  struct load_labels *labels = &loader->labels;
  *(labels->references == NULL ? &labels->references : labels->last_reference) = kept;
  labels->last_reference = &kept->next;
}

bool scn_load_label_text(struct scn_loader *loader, const struct scn_json_value *value,
                         const char **label) {
  if (!scn_load_is(loader, value, SCN_JSON_STRING, "a label")) {
    return false;
  }
  size_t length = strlen(value->string);
  if (length == 0 || length > LOAD_LABEL_LIMIT) {
    scn_load_expected(loader, value, "a label of 1 to 200 bytes");
    return false;
  }
  *label = value->string;
  return true;
}

static uint64_t hash(const char *name, size_t length, bool repeats) {
  uint64_t value = UINT64_C(14695981039346656037) + repeats;
  for (size_t i = 0; i < length; i++) {
    value = (value ^ (unsigned char)name[i]) * UINT64_C(1099511628211);
  }
  return value ^ value >> 32;
}

/* The slot of the label, or the free one where it would be. */
static struct load_label **slot_of(const struct table *table, const char *name, size_t length,
                                   bool repeats) {
  size_t mask = table->size - 1, at = (size_t)hash(name, length, repeats) & mask;
  while (table->slots[at] != NULL &&
         (table->slots[at]->repeats != repeats || strlen(table->slots[at]->name) != length ||
          memcmp(table->slots[at]->name, name, length) != 0)) {
    at = (at + 1) & mask;
  }
  return &table->slots[at];
}

/* The repeating label that `name` is a numbered one of; `*number` is its number. */
static struct load_label *numbered(const struct table *table, const char *name, int64_t *number) {
  const char *sign = strrchr(name, '#');
  if (sign == NULL || sign[1] < '1' || sign[1] > '9' || strlen(sign + 1) > 18 ||
      strspn(sign + 1, "0123456789") != strlen(sign + 1)) {
    return NULL;
  }
  *number = strtoll(sign + 1, NULL, 10);
  return *slot_of(table, name, (size_t)(sign - name), true);
}

static void refuse_second(struct scn_loader *loader, const struct load_label *first,
                          const struct load_label *second) {
  /* The one that the file says is the one to change, wherever it stands. */
  bool other = second->made_up && !first->made_up;
  const struct load_label *said = other ? first : second, *taken = other ? second : first;
  scn_load_error(loader, said->position,
                 "expected a label that no other operation has, found \"%s\", which is the %s of "
                 "line %d already",
                 said->name, taken->kind, taken->position.line);
}

static void refuse_duplicates(struct scn_loader *loader, const struct table *table) {
  for (struct load_label *label = loader->labels.first; label != NULL; label = label->next) {
    struct load_label **slot = slot_of(table, label->name, strlen(label->name), label->repeats);
    if (*slot != NULL) {
      refuse_second(loader, *slot, label);
    } else {
      *slot = label;
      struct load_label *other = *slot_of(table, label->name, strlen(label->name), !label->repeats);
      if (other != NULL && !other->made_up && !label->made_up) {
        refuse_second(loader, other, label);
      }
    }
  }
  for (struct load_label *label = loader->labels.first; label != NULL; label = label->next) {
    int64_t number = 0;
    struct load_label *repeating = label->repeats ? NULL : numbered(table, label->name, &number);
    if (repeating != NULL && number <= repeating->count) {
      refuse_second(loader, repeating, label);
    }
  }
}

static const char *label_name(const void *context, size_t index) {
  return ((const char *const *)context)[index];
}

/* The names to choose from when one is unknown. */
static const char **list_names(struct scn_loader *loader) {
  const char **names =
      scn_memory_take(loader->memory, loader->labels.count + 1, sizeof(const char *));
  size_t count = 0;
  for (struct load_label *label = loader->labels.first; label != NULL && names != NULL;
       label = label->next) {
    names[count++] = label->name;
  }
  return names;
}

static const char *need_text(const struct load_reference *reference) {
  bool earlier = reference->order != SIZE_MAX;
  if (reference->need == LOAD_NEED_ACQUIRE) {
    return earlier ? "the label of an acquire that stands before this" : "the label of an acquire";
  }
  return earlier ? "the label of an operation that stands before this"
                 : "the label of an operation";
}

static void refuse_plain(struct scn_loader *loader, const struct load_reference *reference,
                         const struct load_label *repeating) {
  char hint[3 * LOAD_LABEL_LIMIT];
  const char *name = repeating->name;
  if (repeating->count == INT64_MAX) {
    snprintf(hint, sizeof hint, ", which is a load: its operations are \"%.180s#1\" and so on",
             name);
  } else {
    snprintf(hint, sizeof hint,
             ", which repeats: its operations are \"%.180s#1\" to \"%.180s#%" PRId64 "\"", name,
             name, repeating->count);
  }
  scn_load_expected_hint(loader, reference->value, need_text(reference), hint);
}

static void resolve(struct scn_loader *loader, const struct table *table,
                    const struct load_reference *reference, const char *const *names) {
  char hint[160];
  int64_t number = 0;
  const char *name = reference->name;
  const struct load_label *label = *slot_of(table, name, strlen(name), false);
  const struct load_label *repeating = numbered(table, name, &number);
  if (label == NULL && repeating != NULL) {
    label = number <= repeating->count ? repeating : NULL;
    if (label == NULL) {
      snprintf(hint, sizeof hint, ", but the acquire of line %d repeats %" PRId64 " times",
               repeating->position.line, repeating->count);
      scn_load_expected_hint(loader, reference->value, need_text(reference), hint);
      return;
    }
  }
  const struct load_label *plain = *slot_of(table, name, strlen(name), true);
  if (label == NULL && plain != NULL) {
    refuse_plain(loader, reference, plain);
  } else if (label == NULL) {
    scn_load_expected_hint(loader, reference->value, need_text(reference),
                           scn_load_suggest(loader, (struct load_names){label_name, names}, name));
  } else if (label->order != 0 && label->order >= reference->order) {
    snprintf(hint, sizeof hint, ", which comes later, at line %d", label->position.line);
    scn_load_expected_hint(loader, reference->value, need_text(reference), hint);
  } else if (reference->need == LOAD_NEED_ACQUIRE && strcmp(label->kind, "acquire") != 0 &&
             strcmp(label->kind, "load") != 0) {
    snprintf(hint, sizeof hint, ", which is the %s of line %d", label->kind, label->position.line);
    scn_load_expected_hint(loader, reference->value, need_text(reference), hint);
  }
}

/* All labels in order, for whoever asks later whether there is one. */
static void keep_labels(struct scn_loader *loader) {
  struct scn_scenario *scenario = loader->scenario;
  struct scn_label *labels = scn_memory_take(loader->memory, loader->labels.count, sizeof *labels);
  size_t count = 0;
  for (struct load_label *label = loader->labels.first; label != NULL && labels != NULL;
       label = label->next) {
    labels[count++] =
        (struct scn_label){.name = label->name, .repeats = label->repeats, .count = label->count};
  }
  if (count > 0) {
    qsort(labels, count, sizeof *labels, scn_label_compare);
  }
  scenario->labels = labels;
  scenario->label_count = count;
}

void scn_load_labels_resolve(struct scn_loader *loader) {
  struct table table = {.size = 16};
  while (table.size < 2 * loader->labels.count) {
    table.size *= 2;
  }
  table.slots = scn_memory_take(loader->memory, table.size, sizeof(struct load_label *));
  const char **names = list_names(loader);
  if (table.slots == NULL || names == NULL) {
    return;
  }
  refuse_duplicates(loader, &table);
  keep_labels(loader);
  /* What would not be told is not looked for: there may be as many mistakes as labels. */
  for (struct load_reference *reference = loader->labels.references;
       reference != NULL && loader->error_count <= LOAD_PROBLEM_LIMIT;
       reference = reference->next) {
    resolve(loader, &table, reference, names);
  }
}
