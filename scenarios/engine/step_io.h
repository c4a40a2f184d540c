/*
 * step_io.h - writes, reads and pings on leases, as steps ask for them.
 */
#ifndef ENGINE_STEP_IO_H
#define ENGINE_STEP_IO_H

#include "scenarios/engine/world.h"

/* Starts the write, read or ping of `step`. On a lease that is none it has ended at once. */
void scn_io_start(struct scn_world *world, const struct scn_step *step, const char *label);

#endif
