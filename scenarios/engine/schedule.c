/*
 * schedule.c - schedules as text, and following them.
 */
#include "scenarios/engine/schedule.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/packet.h"

static bool read_digits(const char **at, uint64_t *number) {
  const char *start = *at;
  *number = 0;
  while (isdigit((unsigned char)**at)) {
    if (*number > UINT64_MAX / 10 - 1) {
      return false;
    }
    *number = *number * 10 + (uint64_t)(**at - '0');
    (*at)++;
  }
  return *at > start;
}

static bool read_item(const char **at, const struct scn_schedule *before,
                      struct scn_deviation *item) {
  uint64_t taken;
  if (!read_digits(at, &item->choice) || **at != ':') {
    return false;
  }
  (*at)++;
  if (!read_digits(at, &taken) || taken == 0 || taken >= SCN_MOST_TURNS) {
    return false;
  }
  item->taken = (size_t)taken;
  uint64_t last = before->count == 0 ? 0 : before->items[before->count - 1].choice;
  return item->choice > last && (**at == ' ' || **at == '\0');
}

static bool read_fault(const char **at, const struct scn_schedule *before,
                       struct scn_planned_fault *planned) {
  uint64_t last = 0;
  if (!scn_fault_read(at, planned)) {
    return false;
  }
  for (size_t i = 0; i < before->fault_count; i++) {
    last = before->faults[i].subject == planned->subject ? before->faults[i].number : last;
  }
  return planned->number > last;
}

/* A choice has a colon, a fault an @. */
static bool read_next(const char **at, struct scn_schedule *schedule) {
  if (memchr(*at, '@', strcspn(*at, " ")) != NULL) {
    return read_fault(at, schedule, &schedule->faults[schedule->fault_count]) &&
           ++schedule->fault_count > 0;
  }
  return read_item(at, schedule, &schedule->items[schedule->count]) && ++schedule->count > 0;
}

bool scn_schedule_parse(const char *text, struct scn_schedule *schedule, char *message,
                        size_t size) {
  *schedule = (struct scn_schedule){0};
  size_t most = strlen(text) / 3 + 1;
  schedule->items = calloc(most, sizeof *schedule->items);
  schedule->faults = calloc(most, sizeof *schedule->faults);
  if (schedule->items == NULL || schedule->faults == NULL) {
    snprintf(message, size, "out of memory for the schedule");
    scn_schedule_deinit(schedule);
    return false;
  }
  const char *at = text;
  while (*(at += strspn(at, " ")) != '\0') {
    const char *start = at;
    if (!read_next(&at, schedule)) {
      snprintf(message, size,
               "expected items as 3:1 (the choice, from 1 and rising, and which alternative it "
               "takes, from 1 to %d) and faults as refuse@dial2 or stall@read1+2s (the call and "
               "its number, rising, and how long); found \"%.40s\" at character %td",
               SCN_MOST_TURNS - 1, start, start - text + 1);
      scn_schedule_deinit(schedule);
      return false;
    }
  }
  return true;
}

void scn_schedule_deinit(struct scn_schedule *schedule) {
  free(schedule->items);
  free(schedule->faults);
  *schedule = (struct scn_schedule){0};
}

char *scn_schedule_of_trace(const struct sim_trace *trace) {
  struct scn_bytes text = {0};
  const struct sim_event *events = sim_trace_events(trace);
  uint64_t count = sim_trace_count(trace);
  for (uint64_t i = 0; i < count; i++) {
    char item[SCN_FAULT_TEXT_SIZE];
    int length = -1;
    if (events[i].kind == SIM_ORDER_CHOSEN) {
      length = snprintf(item, sizeof item, "%" PRId64 ":%" PRId64, events[i].values[0],
                        events[i].values[1]);
    } else if (events[i].kind == SIM_FAULT_FIRED) {
      length = scn_fault_format(trace, &events[i], item);
    }
    if (length > 0) {
      scn_bytes_append(&text, " ", text.length == 0 ? 0 : 1);
      scn_bytes_append(&text, item, (size_t)length);
    }
  }
  scn_bytes_append(&text, "", 1);
  if (text.failed) {
    scn_bytes_deinit(&text);
    return NULL;
  }
  return (char *)text.data;
}

/* ---- Following ---------------------------------------------------------------------------- */

static size_t follow(void *context, const struct scn_world *world, const struct scn_turn *turns,
                     size_t count) {
  struct scn_follower *follower = context;
  (void)turns;
  const struct scn_schedule *schedule = follower->schedule;
  if (follower->next == schedule->count ||
      schedule->items[follower->next].choice != world->choices + 1) {
    return 0;
  }
  size_t taken = schedule->items[follower->next++].taken;
  if (taken >= count) {
    follower->strayed = true;
    return 0;
  }
  return taken;
}

struct scn_chooser scn_follower_chooser(struct scn_follower *follower,
                                        const struct scn_schedule *schedule) {
  *follower = (struct scn_follower){.schedule = schedule, .faults_left = schedule->fault_count};
  return (struct scn_chooser){.choose = follow, .context = follower};
}

static bool follow_fault(void *context, enum fake_subject subject, uint64_t number, wsp_time now,
                         struct fake_fault *fault) {
  struct scn_follower *follower = context;
  const struct scn_schedule *schedule = follower->schedule;
  size_t *next = &follower->next_fault[subject];
  (void)now;
  while (*next < schedule->fault_count && schedule->faults[*next].subject != subject) {
    (*next)++;
  }
  if (*next == schedule->fault_count || schedule->faults[*next].number != number) {
    return false;
  }
  *fault = schedule->faults[(*next)++].fault;
  follower->faults_left--;
  return true;
}

struct fake_fault_plan scn_follower_faults(struct scn_follower *follower) {
  return (struct fake_fault_plan){.strikes = follow_fault, .context = follower};
}

bool scn_follower_is_done(const struct scn_follower *follower) {
  return !follower->strayed && follower->next == follower->schedule->count &&
         follower->faults_left == 0;
}
