/*
 * schedule.h - the order that a run took, as text, and who makes a run take it again.
 *
 * A schedule names the choices (turns.h) at which something else was taken than in insertion
 * order: "3:1 7:2" is the second alternative at the third choice and the third at the seventh;
 * alternatives count from 0, choices from 1. The empty text is insertion order. The timeline has
 * an `order_chosen` event for each, so the schedule of a run is known even of one that crashed.
 */
#ifndef ENGINE_SCHEDULE_H
#define ENGINE_SCHEDULE_H

#include "scenarios/engine/turns.h"

struct scn_deviation {
  uint64_t choice; /* from 1 */
  size_t taken;    /* from 1; below SCN_MOST_TURNS */
};

/* Deviations in the order of their choices. Zero-filled: insertion order. */
struct scn_schedule {
  struct scn_deviation *items; /* on the heap */
  size_t count;
};

/* Reads the text into `schedule`. False after `message` was filled: what is wrong with it, or no
 * memory; the schedule is empty then. */
bool scn_schedule_parse(const char *text, struct scn_schedule *schedule, char *message,
                        size_t size);
void scn_schedule_deinit(struct scn_schedule *schedule);

/* The text of a timeline's schedule, on the heap. NULL: no memory. */
char *scn_schedule_of_trace(const struct sim_trace *trace);

/* Chooses as a schedule says; it lives as long as the run. */
struct scn_follower {
  const struct scn_schedule *schedule;
  size_t next;
  bool strayed; /* a choice came at which there is no such alternative: insertion order was taken */
};

/* The chooser of `follower`, from the start of the schedule. */
struct scn_chooser scn_follower_chooser(struct scn_follower *follower,
                                        const struct scn_schedule *schedule);
/* Whether everything that the schedule says was done. */
bool scn_follower_is_done(const struct scn_follower *follower);

#endif
