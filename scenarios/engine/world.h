/*
 * world.h - what one run consists of: clock, queue, upstreams, pool, operations, timeline.
 *
 * Everything that a run changes lies in one arena. What happens at one instant and in which order
 * is said in turns.h; which steps come when is the agenda's business (agenda.h), and when the run
 * ends is the runner's (run.c).
 */
#ifndef ENGINE_WORLD_H
#define ENGINE_WORLD_H

#include "fakes/fake.h"
#include "scenarios/engine/lines.h"
#include "scenarios/engine/operation.h"
#include "scenarios/engine/scenario.h"
#include "sim/pool_interface.h"

struct scn_agenda;
struct scn_chooser;
struct scn_header_wish;
struct scn_live;
struct scn_live_options;
struct scn_recovery;
struct scn_samples;
struct sim_watch;

/* Rows that the run adds as it goes, in the arena. */
struct scn_expectation_rows {
  struct rep_expectation *items;
  size_t count;
  size_t capacity;
};

struct scn_world {
  struct sim_arena *arena;
  struct sim_trace *trace;
  const struct scn_scenario *scenario;
  const struct scn_variant *variant;

  const struct scn_chooser *chooser; /* NULL: everything in insertion order */
  struct sim_trace *alternatives;    /* of each choice, for a person; NULL: not kept */
  bool unjudged;                     /* expectations are not judged: only invariants hold here */
  uint64_t choices;                  /* between several turns, so far */
  uint64_t out_of_turn;              /* of them, those not taken as in insertion order */
  uint64_t turns_at_once;            /* since time or the agenda went on */

  wsp_time now;
  struct sim_queue *queue;
  struct fake_world *upstreams;
  struct sim_random pool_random;
  struct wsp_pool *pool;
  const struct sim_pool_interface *pool_calls;
  struct scn_operations *operations;
  struct scn_agenda *agenda;
  struct scn_samples *samples;
  struct sim_watch *watch;       /* over the invariants */
  struct scn_live *live;         /* NULL: in virtual time */
  struct scn_recovery *recovery; /* NULL: the scenario itself goes on */

  const int64_t *accounts; /* all that the scenario names, in id order */
  size_t account_count;
  const struct scn_header_wish *header_wishes; /* headers that expectations ask for */
  size_t header_wish_count;

  size_t pending;         /* operations that have not ended */
  wsp_time last_progress; /* when an operation or a step last began or ended */
  wsp_time horizon;       /* the latest deadline or scheduled release asked for so far */
  bool close_asked, close_done;
  bool gives_back; /* the scenario is over: what it is granted goes back at once, sessions end */

  struct scn_expectation_rows expectations;
  size_t expectations_failed;
  struct rep_violation *violations;
  size_t violations_found;
  struct scn_lines failure; /* what is wrong, for a person */
  bool hangs;
  bool broken; /* the harness failed, or the scenario asks for what can not be */
};

/* Builds the world of `variant` at time 0; with `live`, over real sockets (live.h). NULL: no
 * memory, or no descriptors for the sockets. */
struct scn_world *scn_world_create(struct sim_arena *arena, struct sim_trace *trace,
                                   const struct scn_scenario *scenario,
                                   const struct scn_variant *variant,
                                   const struct scn_live_options *live);

/* Defines the upstreams as `scenario` does. False: no memory. */
bool scn_world_define_upstreams(struct fake_world *upstreams, const struct scn_scenario *scenario);

/* Stops the run with verdict `error`; `step` (may be NULL) is where. The first reason stays. */
void scn_world_break(struct scn_world *world, const struct scn_step *step, const char *reason);

/* Appends an event of the engine's own to the timeline; strings may be NULL. */
struct scn_note {
  enum sim_event_kind kind;
  int64_t account;
  int64_t values[2];
  const char *conn, *op, *text;
};
void scn_world_note(struct scn_world *world, const struct scn_note *note);

/* `now` + `duration`, at most the last moment of virtual time. */
wsp_time scn_time_after(wsp_time time, wsp_duration duration);

/* A new operation of the world; NULL (and the world is broken): no memory. */
struct scn_operation *scn_world_begin(struct scn_world *world, const char *label,
                                      enum rep_op_kind kind, int64_t account,
                                      const struct scn_step *step);
/* It has ended, now. `error_text` may be NULL or "". */
void scn_world_end(struct scn_operation *operation, const char *result, const char *error_text);
/* A copy in the arena; NULL for NULL, and when there is no memory (the world is broken then). */
const char *scn_world_copy(struct scn_world *world, const char *text);

/* The account as the scenario defines it, else one of that id with nothing said about it. */
struct wsp_account scn_world_account(const struct scn_world *world, int64_t id);

/* The conn id that `name` stands for: that of the conn which the operation of that label holds or
 * held; an id that no conn has when it has none (yet); `name` itself when it is no label. NULL
 * stays NULL. What is returned lives as long as the world. */
const char *scn_world_conn(struct scn_world *world, const char *name);

#endif
