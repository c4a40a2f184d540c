/*
 * fuzz_text.c - the parsers of short texts: durations, decimals, schedules. What is read must come
 * back the same when it is written and read again.
 */
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/schedule.h"
#include "sim/duration.h"
#include "tests/fuzz/fuzz.h"

static void check(int held) {
  if (!held) {
    abort();
  }
}

static void try_duration(const char *text) {
  wsp_duration duration = 7, again = 0;
  size_t at = 0;
  char written[SIM_DURATION_TEXT_SIZE];
  enum sim_duration_error error = sim_duration_parse(text, &duration, &at);
  if (error != SIM_DURATION_OK) {
    check(duration == 7 && at <= strlen(text) && sim_duration_error_text(error)[0] != '\0');
    return;
  }
  sim_duration_format(duration, written);
  check(sim_duration_parse(written, &again, NULL) == SIM_DURATION_OK && again == duration);
}

static void try_schedule(const char *text) {
  struct scn_schedule schedule;
  char message[256] = "";
  if (scn_schedule_parse(text, &schedule, message, sizeof message)) {
    scn_schedule_deinit(&schedule);
  } else {
    check(message[0] != '\0');
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  wsp_decimal decimal = 7;
  if (text == NULL) {
    return 0;
  }
  memcpy(text, data, size);
  text[size] = '\0';
  try_duration(text);
  try_schedule(text);
  check(sim_decimal_parse(text, &decimal) || decimal == 7);
  free(text);
  return 0;
}
