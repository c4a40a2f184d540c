/*
 * schedule.h - the order that a run took and the faults that struck in it, as text, and who makes a
 * run take them again.
 *
 * A schedule names the choices (turns.h) at which something else was taken than in insertion
 * order: "3:1 7:2" is the second alternative at the third choice and the third at the seventh;
 * alternatives count from 0, choices from 1. Faults (faults.h) stand among them: "3:1
 * refuse@dial2". The empty text is insertion order without a fault. The timeline has an event
 * `order_chosen` or `fault_fired` for each, so the schedule of a run is known even of one that
 * crashed.
 */
#ifndef ENGINE_SCHEDULE_H
#define ENGINE_SCHEDULE_H

#include "scenarios/engine/faults.h"
#include "scenarios/engine/turns.h"

struct scn_deviation {
  uint64_t choice; /* from 1 */
  size_t taken;    /* from 1; below SCN_MOST_TURNS */
};

/* Deviations in the order of their choices, faults of each call in the order of their numbers.
 * Zero-filled: insertion order without a fault. */
struct scn_schedule {
  struct scn_deviation *items; /* on the heap */
  size_t count;
  struct scn_planned_fault *faults; /* on the heap */
  size_t fault_count;
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
  size_t next_fault[FAKE_SUBJECT_COUNT]; /* where to look for the next one of that call */
  size_t faults_left;
  bool strayed; /* a choice came at which there is no such alternative: insertion order was taken */
};

/* The chooser of `follower`, from the start of the schedule. */
struct scn_chooser scn_follower_chooser(struct scn_follower *follower,
                                        const struct scn_schedule *schedule);
/* Lets the faults of its schedule strike. */
struct fake_fault_plan scn_follower_faults(struct scn_follower *follower);
/* Whether everything that the schedule says was done. */
bool scn_follower_is_done(const struct scn_follower *follower);

#endif
