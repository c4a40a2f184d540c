/*
 * preset.c - what each preset does: one behaviour for dials, pings, writes and reads. What
 * "flaky" does by chance and what an error says is in behaviour.c.
 */
#include "fakes/internal.h"

#include <assert.h>
#include <string.h>

#define TEN_MILLISECONDS \
  { .kind = SIM_CONSTANT, .first = 10 * WSP_MILLISECOND }

static const char *const names[] = {
#define PRESET_NAME(id, name) [id] = name,
    FAKE_PRESET_LIST(PRESET_NAME)
#undef PRESET_NAME
};

enum { PRESET_COUNT = sizeof(names) / sizeof(names[0]) };

static const struct fake_preset_type types[PRESET_COUNT] = {
    [FAKE_PRESET_BLOCKING] = {.calls[FAKE_SUBJECT_READ] = {.outcome = FAKE_MESSAGE,
                                                           .latency = TEN_MILLISECONDS}},
    [FAKE_PRESET_WRITE_BLOCKING] = {.calls[FAKE_SUBJECT_WRITE] = {.outcome = FAKE_BLOCK}},
    [FAKE_PRESET_PING_FAIL] = {.calls[FAKE_SUBJECT_PING] = {.outcome = FAKE_ERROR}},
    [FAKE_PRESET_PING_BLOCKING] = {.calls[FAKE_SUBJECT_PING] = {.outcome = FAKE_BLOCK}},
    [FAKE_PRESET_NIL_CONN] = {.dial = {.answer = {.outcome = FAKE_NIL_CONN}}},
    [FAKE_PRESET_ALWAYS_FAIL] = {.dial = {.answer = {.outcome = FAKE_ERROR}, .status = 503}},
    [FAKE_PRESET_HALF_OPEN] = {.calls[FAKE_SUBJECT_PING] = {.outcome = FAKE_BLOCK},
                               .calls[FAKE_SUBJECT_READ] = {.outcome = FAKE_BLOCK}},
};

int fake_preset_by_name(const char *name) {
  for (int preset = 0; preset < PRESET_COUNT; preset++) {
    if (strcmp(names[preset], name) == 0) {
      return preset;
    }
  }
  return -1;
}

const char *fake_preset_name(enum fake_preset preset) {
  assert((int)preset >= 0 && (int)preset < PRESET_COUNT);
  return names[preset];
}

const struct fake_preset_type *fake_preset_type(enum fake_preset preset) {
  assert((int)preset >= 0 && (int)preset < PRESET_COUNT);
  return &types[preset];
}
