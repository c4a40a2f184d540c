/*
 * watch.h - checks the invariants of invariant.h while a run goes on.
 *
 * A watch keeps accounts, conns, acquires and dials of its own, which it makes from the events of
 * the timeline alone, and compares. From the pool it takes nothing but what anybody can ask it (the
 * numbers of an account, the metrics), and from nobody how the pool keeps its books. What is due
 * and what is not follows from the configuration.
 *
 * The first violation is kept; after it the watch looks at nothing more. All its memory lies in the
 * arena of the run, so a restored snapshot restores it too. An event costs a bounded number of
 * look-ups by number; memory comes from lists of what has been given back.
 *
 * Limits: what the timeline does not tell, a watch does not see. A grant is told when it is
 * delivered, so between the pool's choice of a conn and that moment, which is the same instant, a
 * conn passes for idle here. Acquires without a tag are not followed.
 */
#ifndef SIM_WATCH_H
#define SIM_WATCH_H

#include "pool/digest.h"
#include "sim/arena.h"
#include "sim/invariant.h"
#include "sim/trace.h"

/* What anybody can ask a pool, and what the world says of an account. */
struct sim_watch_view {
  void (*account_stats)(void *context, int64_t account, struct wsp_account_stats *stats);
  void (*metrics)(void *context, struct wsp_metrics *metrics);
  /* Type and concurrency that acquires of this account bring; the same in the whole run. */
  struct wsp_account (*account)(void *context, int64_t account);
  void *context;
};

struct sim_watch;

/* A watch over the timeline that `trace` will have, of a pool with `config` (in which sweeps that
 * do not run have the interval 0). `view` is copied. NULL: no memory. */
struct sim_watch *sim_watch_create(struct sim_arena *arena, const struct sim_trace *trace,
                                   const struct wsp_config *config,
                                   const struct sim_watch_view *view);

/* This invariant is not checked. */
void sim_watch_turn_off(struct sim_watch *watch, enum sim_invariant invariant);

/* Looks at the events that have been appended since. To be called whenever a call of the pool has
 * returned, so that what one call tells is seen as that. */
void sim_watch_follow(struct sim_watch *watch);

/* At `now` nothing is left to do: time is about to go on, or the run is over. Follows, and checks
 * what must hold when an instant has come to rest. */
void sim_watch_settle(struct sim_watch *watch, int64_t now);

/* What does not hold. `sentence` says what was expected and what was found; in it stand for
 * themselves: {conn}, {op}, {other} (names), {0}, {1}, {2} (numbers), {t0}, {t1}, {t2} (the same as
 * times). */
struct sim_violation {
  enum sim_invariant invariant;
  int64_t t_ns;
  uint64_t
      event; /* index of the event that shows it; the number of events: the instant's end does */
  int64_t account;            /* 0: none */
  sim_string conn, op, other; /* 0: none */
  int64_t values[3];
  const char *sentence; /* lives for ever */
};

/* NULL: all holds so far. */
const struct sim_violation *sim_watch_violation(const struct sim_watch *watch);

/* Without memory a watch stops looking, and says so. */
bool sim_watch_failed(const struct sim_watch *watch);

/* Adds the books to `digest`: two watches over equal digests find the same in what is to come. The
 * times are the sums that two of the pool's metrics are cut off from. */
void sim_watch_digest(const struct sim_watch *watch, int64_t queue_wait_ns, int64_t pick_ns,
                      struct wsp_digest *digest);

#endif
