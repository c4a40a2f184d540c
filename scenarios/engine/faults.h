/*
 * faults.h - which faults strike in a run: drawn, and as text.
 *
 * A drawn run goes in two phases. First it is drawn which kinds of fault are armed, how often each
 * strikes, and how long the faulty time is. Then each armed kind strikes by chance at the calls
 * that it can strike, until the faulty time is over. Each kind draws from a stream of its own, of
 * the seed and its name: one more kind does not shift what the others draw.
 *
 * As text, a fault is its kind, the call that it strikes and the number of that call, and how long
 * it lasts: "refuse@dial2", "stall@read1+2s", "duplicate-close@close1+5ms". Together with the
 * choices of the order they make the schedule of a run (schedule.h).
 */
#ifndef ENGINE_FAULTS_H
#define ENGINE_FAULTS_H

#include "fakes/fault.h"
#include "sim/random.h"

/* ---- Drawn --------------------------------------------------------------------------------- */

#define SCN_ALL_FAULTS ((1U << FAKE_FAULT_COUNT) - 1)

struct scn_armed_fault {
  bool is_armed;
  unsigned rarity; /* it strikes at one call in 2^rarity */
  struct sim_random random;
};

/* The faults of one run. They live as long as the run. */
struct scn_drawn_faults {
  struct scn_armed_fault kinds[FAKE_FAULT_COUNT];
  wsp_time until; /* nothing strikes after that */
};

/* Draws the first phase of the run number `run` of `seed`: which of the `allowed` kinds (a bit for
 * each) are armed, and the faulty time, at most `longest`. Equal arguments: equal faults. False:
 * none is armed. */
bool scn_faults_draw(struct scn_drawn_faults *faults, uint64_t seed, uint64_t run, unsigned allowed,
                     wsp_duration longest);
/* The second phase. */
struct fake_fault_plan scn_faults_plan(struct scn_drawn_faults *faults);

/* ---- As text ------------------------------------------------------------------------------- */

/* A fault that strikes a certain call. */
struct scn_planned_fault {
  enum fake_subject subject;
  uint64_t number; /* from 1 */
  struct fake_fault fault;
};

/* Reads the fault at `*at`, which ends before a space or at the end of the text, and moves `*at`
 * behind it. False: there is none. */
bool scn_fault_read(const char **at, struct scn_planned_fault *planned);

/* The text of an event `fault_fired`; returns its length, or -1: the buffer is too small. */
enum { SCN_FAULT_TEXT_SIZE = 96 };
int scn_fault_format(const struct sim_trace *trace, const struct sim_event *event,
                     char text[SCN_FAULT_TEXT_SIZE]);

#endif
