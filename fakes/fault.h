/*
 * fault.h - faults of the way between the pool and its upstreams, on top of what the upstreams do.
 *
 * A plan decides at each call (a dial, a write, a read, a ping) and at the end of each conn's close
 * whether a fault strikes there. Calls of one kind are numbered from 1 in the order in which they
 * start, over all upstreams, so "read 3" names the same call whenever the run repeats. Each fault
 * that strikes is an event of the timeline: `fault_fired`.
 *
 * Limits of the model: at most one fault strikes a call; while a conn is silent, nothing more
 * strikes it.
 */
#ifndef FAKES_FAULT_H
#define FAKES_FAULT_H

#include "fakes/fake.h"

/* What a behaviour or a fault can be about. The first three are calls on a conn.
 * X(enumerator, name) */
#define FAKE_SUBJECT_LIST(X)     \
  X(FAKE_SUBJECT_PING, "ping")   \
  X(FAKE_SUBJECT_WRITE, "write") \
  X(FAKE_SUBJECT_READ, "read")   \
  X(FAKE_SUBJECT_DIAL, "dial")   \
  X(FAKE_SUBJECT_CLOSE, "close")

enum fake_subject {
#define FAKE_ENUMERATOR(id, name) id,
  FAKE_SUBJECT_LIST(FAKE_ENUMERATOR)
#undef FAKE_ENUMERATOR
};

enum { FAKE_CALL_COUNT = 3, FAKE_ANSWER_COUNT = 4, FAKE_SUBJECT_COUNT = 5 };

/* Which calls a fault can strike, as bits. */
enum {
  FAKE_STRIKES_DIALS = 1 << FAKE_SUBJECT_DIAL,
  FAKE_STRIKES_CLOSES = 1 << FAKE_SUBJECT_CLOSE,
  FAKE_STRIKES_ANSWERS = 1 << FAKE_SUBJECT_PING | 1 << FAKE_SUBJECT_WRITE | 1 << FAKE_SUBJECT_READ |
                         1 << FAKE_SUBJECT_DIAL
};

/* How long a fault's length is: it has none, it lasts to the end of the faulty time, or it is a
 * delay of its own. */
enum fake_length { FAKE_LENGTH_NONE, FAKE_LENGTH_TO_THE_END, FAKE_LENGTH_DELAY };

/* X(enumerator, name, what it strikes, its length, sentence). New kinds come at the end: where two
 * strike the same call, the first of the list does. */
#define FAKE_FAULT_LIST(X)                                                                        \
  X(FAKE_FAULT_DROP, "drop", FAKE_STRIKES_ANSWERS, FAKE_LENGTH_TO_THE_END,                        \
    "The conn goes silent: writes vanish, reads and pings have no answer, until it is closed; a " \
    "dial fails as late.")                                                                        \
  X(FAKE_FAULT_STALL, "stall", FAKE_STRIKES_ANSWERS, FAKE_LENGTH_TO_THE_END,                      \
    "The conn stands still: nothing on it is answered before the stall is over, then all is; so " \
    "with a dial.")                                                                               \
  X(FAKE_FAULT_RESET, "reset", FAKE_STRIKES_ANSWERS, FAKE_LENGTH_NONE,                            \
    "Instead of the answer the conn is reset; a dial fails.")                                     \
  X(FAKE_FAULT_SLOW, "slow", FAKE_STRIKES_ANSWERS, FAKE_LENGTH_DELAY,                             \
    "The answer takes so much longer.")                                                           \
  X(FAKE_FAULT_DUPLICATE_CLOSE, "duplicate-close", FAKE_STRIKES_CLOSES, FAKE_LENGTH_DELAY,        \
    "The end of a conn is told again, so much later.")                                            \
  X(FAKE_FAULT_REFUSE, "refuse", FAKE_STRIKES_DIALS, FAKE_LENGTH_NONE,                            \
    "The dial is refused: nobody listens.")                                                       \
  X(FAKE_FAULT_TOO_MANY_REQUESTS, "429", FAKE_STRIKES_DIALS, FAKE_LENGTH_NONE,                    \
    "The dial is answered with status 429.")

enum fake_fault_kind {
#define FAKE_ENUMERATOR(id, name, strikes, length, sentence) id,
  FAKE_FAULT_LIST(FAKE_ENUMERATOR)
#undef FAKE_ENUMERATOR
      FAKE_FAULT_COUNT
};

struct fake_fault_type {
  const char *name;
  unsigned strikes;
  enum fake_length length;
  const char *sentence;
};

/* Lives for ever. */
const struct fake_fault_type *fake_fault_type(enum fake_fault_kind kind);
/* The kind, or the subject, whose name is the first `length` bytes of `name`; -1: there is none. */
int fake_fault_by_name(const char *name, size_t length);
int fake_subject_by_name(const char *name, size_t length);
const char *fake_subject_name(enum fake_subject subject);

struct fake_fault {
  enum fake_fault_kind kind;
  wsp_duration length; /* from now on; 0 for kinds that have none */
};

/* Decides whether a fault strikes the call `number` of `subject`, which happens at `now`; asked
 * once for each, in their order. False: none does. */
struct fake_fault_plan {
  bool (*strikes)(void *context, enum fake_subject subject, uint64_t number, wsp_time now,
                  struct fake_fault *fault);
  void *context;
};

/* From now on `plan` decides; it must outlive the run. Without one, nothing strikes. */
void fake_world_use_faults(struct fake_world *world, const struct fake_fault_plan *plan);

/* How many faults have struck, and when all of them are over (0: none has struck). */
uint64_t fake_world_faults_fired(const struct fake_world *world);
wsp_time fake_world_faults_end(const struct fake_world *world);

/* From now on nothing strikes any more, and every upstream answers what starts now at once and with
 * success, whatever its behaviours, limits and presets say. */
void fake_world_heal(struct fake_world *world);

#endif
