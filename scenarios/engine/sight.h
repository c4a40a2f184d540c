/*
 * sight.h - what of a timeline the expectations of a scenario can see, and that part of it in
 * short.
 *
 * A search that comes to one state by two ways may leave out the second only if the expectations
 * can not tell the ways apart. Each form of expectation looks at a part of what has happened:
 *
 *   op, account, conn, metric, upstream   the present state (digest.h takes it in). Of a conn that
 *                                         has left: that it was opened, and in which account
 *   event, percentile                     how many events of a kind have which fields: the fields
 *                                         that the patterns name, in any order
 *   events                                the same in their order
 *   order                                 the events that are milestones of the named operations,
 *                                         in their order; what has no event: its time (operations)
 *   sql                                   everything
 *
 * A search of one scenario makes its sight once; what it has seen so far is folded up as the
 * timeline grows, in memory of the arena, so that a restored snapshot restores it.
 */
#ifndef ENGINE_SIGHT_H
#define ENGINE_SIGHT_H

#include "pool/digest.h"
#include "scenarios/engine/scenario.h"
#include "sim/trace.h"

/* Which fields of one kind of events are looked at. */
struct scn_sight_fields {
  bool time, account, conn, op, cause;
  bool values[3];
  bool texts[2];
};

struct scn_sight_kind {
  bool is_counted, is_ordered, is_milestone;
  struct scn_sight_fields counted, ordered;
};

struct scn_sight {
  bool everything; /* nothing may be left out */
  bool metrics;    /* the pool's metrics are asked for */
  bool counters;   /* those of upstreams are */
  bool serials;    /* the numbers of dials are */
  struct scn_sight_kind kinds[SIM_EVENT_KIND_COUNT];
  const char **labels; /* whose milestones are looked at */
  size_t label_count;
};

/* False: no memory. What it points to lives as long as the scenario. */
bool scn_sight_init(struct scn_sight *sight, const struct scn_scenario *scenario);
void scn_sight_deinit(struct scn_sight *sight);

/* What has been seen so far. Zero-filled: nothing. */
struct scn_seen_so_far {
  uint64_t events; /* so many have been looked at */
  struct wsp_digest counted, ordered;
  struct wsp_digest leases; /* granted and not given back, by account: of a hang */
};

/* Looks at the events that have come since. */
void scn_sight_follow(const struct scn_sight *sight, const struct sim_trace *trace,
                      struct scn_seen_so_far *seen);

#endif
