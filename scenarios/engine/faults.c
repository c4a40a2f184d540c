/*
 * faults.c - draws the faults of a run, and reads and writes them.
 */
#include "scenarios/engine/faults.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/duration.h"

/* Rare faults let a scenario get far; frequent ones mix up everything. */
enum { RAREST = 5, SHORTEST = 3, LONGEST_DELAY = 15 };

#define STREAM_OF_TIME "explore.faults"

/* "explore.fault.KIND" */
static void init_stream(struct sim_random *random, enum fake_fault_kind kind, uint64_t seed,
                        uint64_t run) {
  char name[64];
  snprintf(name, sizeof name, "explore.fault.%s", fake_fault_type(kind)->name);
  sim_random_init(random, seed, name, run);
}

bool scn_faults_draw(struct scn_drawn_faults *faults, uint64_t seed, uint64_t run, unsigned allowed,
                     wsp_duration longest) {
  bool any = false;
  *faults = (struct scn_drawn_faults){0};
  for (int kind = 0; kind < FAKE_FAULT_COUNT; kind++) {
    struct scn_armed_fault *fault = &faults->kinds[kind];
    init_stream(&fault->random, (enum fake_fault_kind)kind, seed, run);
    fault->is_armed = sim_random_below(&fault->random, 2) == 0 && (allowed >> kind & 1) != 0;
    fault->rarity = (unsigned)sim_random_below(&fault->random, RAREST + 1);
    any |= fault->is_armed;
  }
  /* Short times as often as long ones, in whole milliseconds where they are longer than one. */
  struct sim_random random;
  sim_random_init(&random, seed, STREAM_OF_TIME, run);
  wsp_duration most = longest >> sim_random_below(&random, SHORTEST + 1);
  faults->until = (wsp_time)sim_random_below(&random, (uint64_t)most + 1);
  if (faults->until > WSP_MILLISECOND) {
    faults->until -= faults->until % WSP_MILLISECOND;
  }
  return any;
}

/* From 1 ms to 16 s, each power of two as often as another. */
static wsp_duration draw_delay(struct sim_random *random) {
  return WSP_MILLISECOND << sim_random_below(random, LONGEST_DELAY);
}

static bool draw(void *context, enum fake_subject subject, uint64_t number, wsp_time now,
                 struct fake_fault *fault) {
  struct scn_drawn_faults *faults = context;
  bool found = false;
  (void)number;
  if (now > faults->until) {
    return false;
  }
  /* All that could strike draw, whatever the others do. */
  for (int kind = 0; kind < FAKE_FAULT_COUNT; kind++) {
    struct scn_armed_fault *armed = &faults->kinds[kind];
    const struct fake_fault_type *type = fake_fault_type((enum fake_fault_kind)kind);
    if (!armed->is_armed || (type->strikes >> subject & 1) == 0 ||
        sim_random_below(&armed->random, UINT64_C(1) << armed->rarity) != 0) {
      continue;
    }
    wsp_duration length = type->length == FAKE_LENGTH_DELAY        ? draw_delay(&armed->random)
                          : type->length == FAKE_LENGTH_TO_THE_END ? faults->until - now
                                                                   : 0;
    if (!found) {
      *fault = (struct fake_fault){.kind = (enum fake_fault_kind)kind, .length = length};
      found = true;
    }
  }
  return found;
}

struct fake_fault_plan scn_faults_plan(struct scn_drawn_faults *faults) {
  return (struct fake_fault_plan){.strikes = draw, .context = faults};
}

/* ---- As text ------------------------------------------------------------------------------- */

/* Reads "+2s", up to `end`; a kind without a length has none. */
static bool read_length(const char *at, const char *end, struct fake_fault *fault) {
  char text[SIM_DURATION_TEXT_SIZE];
  size_t length = (size_t)(end - at);
  if (length == 0) {
    return true;
  }
  if (*at != '+' || fake_fault_type(fault->kind)->length == FAKE_LENGTH_NONE ||
      length > sizeof text) {
    return false;
  }
  memcpy(text, at + 1, length - 1);
  text[length - 1] = '\0';
  return sim_duration_parse(text, &fault->length, NULL) == SIM_DURATION_OK && fault->length >= 0;
}

bool scn_fault_read(const char **at, struct scn_planned_fault *planned) {
  const char *start = *at;
  const char *end = start + strcspn(start, " ");
  const char *mark = memchr(start, '@', (size_t)(end - start));
  if (mark == NULL) {
    return false;
  }
  const char *call = mark + 1;
  const char *digits = call + strspn(call, "abcdefghijklmnopqrstuvwxyz");
  int kind = fake_fault_by_name(start, (size_t)(mark - start));
  int subject = fake_subject_by_name(call, (size_t)(digits - call));
  if (kind < 0 || subject < 0 ||
      (fake_fault_type((enum fake_fault_kind)kind)->strikes >> subject & 1) == 0) {
    return false;
  }
  *planned = (struct scn_planned_fault){.subject = (enum fake_subject)subject,
                                        .fault.kind = (enum fake_fault_kind)kind};
  const char *behind = digits;
  for (; isdigit((unsigned char)*behind); behind++) {
    if (planned->number > UINT64_MAX / 10 - 1) {
      return false;
    }
    planned->number = planned->number * 10 + (uint64_t)(*behind - '0');
  }
  if (planned->number == 0 || !read_length(behind, end, &planned->fault)) {
    return false;
  }
  *at = end;
  return true;
}

int scn_fault_format(const struct sim_trace *trace, const struct sim_event *event,
                     char text[SCN_FAULT_TEXT_SIZE]) {
  char length[SIM_DURATION_TEXT_SIZE] = "";
  if (event->values[1] > 0) {
    sim_duration_format(event->values[1], length);
  }
  int size =
      snprintf(text, SCN_FAULT_TEXT_SIZE, "%s@%s%" PRId64 "%s%s",
               sim_trace_string(trace, event->texts[0]), sim_trace_string(trace, event->texts[1]),
               event->values[0], length[0] == '\0' ? "" : "+", length);
  return size < SCN_FAULT_TEXT_SIZE ? size : -1;
}
