/*
 * leases.h - acquires and releases, as steps and loads ask for them.
 */
#ifndef ENGINE_LEASES_H
#define ENGINE_LEASES_H

#include "scenarios/engine/world.h"

/* What is to be acquired. `request` needs neither deadline nor tag: they follow from `timeout`
 * and `label`. */
struct scn_acquire {
  const char *label;
  const struct scn_step *step; /* NULL: a load asks */
  struct wsp_acquire_request request;
  wsp_duration timeout; /* 0: none */
  bool has_hold;        /* give it back `hold` after the grant */
  wsp_duration hold;
  bool is_kept;                /* also when the scenario is over and gives back what it has */
  void (*over)(void *context); /* the acquire failed or its lease was given back; may be NULL */
  void *over_context;
};

/* Starts an acquire at `world->now`. NULL (and the world is broken): no memory. */
struct scn_operation *scn_acquire_start(struct scn_world *world, const struct scn_acquire *acquire);

/* Gives a lease back; on an operation that holds none it is what the pool makes of a nil lease. */
void scn_lease_give_back(struct scn_operation *operation);

/* The operation whose scheduled release `entry` is; NULL: it is none. */
const struct scn_operation *scn_scheduled_release(const struct sim_entry *entry);

#endif
