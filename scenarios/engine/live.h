/*
 * live.h - runs of the same scenarios over real sockets.
 *
 * A live run is a run like any other, with three differences. The pool's transport is the one for
 * production, and the upstreams are real servers on loopback (fakes/wire/relay.h). The clock does
 * not jump to what comes next: it waits until the real time of it. And while something crosses the
 * wire, the clock stands: it is late afterwards, and catches up where the scenario leaves time.
 */
#ifndef ENGINE_LIVE_H
#define ENGINE_LIVE_H

#include "scenarios/engine/world.h"

struct scn_live;

struct scn_live_options {
  /* How much faster than real time the clock goes, in billionths; 0: it waits for nothing but the
   * wire. */
  wsp_decimal speed;
};

/* Whether this program was built with sockets. */
bool scn_live_is_built(void);

/* Reads a speed other than 0, from 0.001 to 1000000. False: it is none. */
bool scn_live_read_speed(const char *text, wsp_decimal *speed);
/* How long a duration of the scenario takes in real time at that speed (not 0), and the reverse;
 * rounded down, and at most 73 years. */
wsp_duration scn_live_to_real(wsp_duration duration, wsp_decimal speed);
wsp_duration scn_live_from_real(wsp_duration duration, wsp_decimal speed);

/* Why this run can not be live, as a sentence in `reason`. False: it can. */
bool scn_live_cannot(const struct scn_scenario *scenario, const struct scn_variant *variant,
                     char *reason, size_t size);

/* Makes `world`, whose upstreams are there and whose pool is not, a live one. It lives until
 * scn_live_end(). False: no memory, or no descriptors. */
bool scn_live_begin(struct scn_world *world, const struct scn_live_options *options);
void scn_live_end(struct scn_world *world);

/* The following are for live worlds alone. */

const struct wsp_transport *scn_live_transport(void);
void *scn_live_transport_context(const struct scn_world *world);

/* Waits until the clock may show `time`. */
void scn_live_wait(struct scn_world *world, wsp_time time);

/* Looks at what happened on the wire by itself, and tells the pool one such thing. A wire that
 * failed breaks the world. False: nothing was told. */
bool scn_live_deliver(struct scn_world *world);

/* Like fake_adopt(), fake_adopted() and fake_drop(), for a conn of the transport. The second says
 * what went wrong (NULL: memory). */
void *scn_live_adopt(struct scn_world *world, const struct wsp_adoption *adoption, void *fake);
void scn_live_adopted(void *conn, struct wsp_conn name);
void scn_live_drop(void *conn);
/* The fake behind a conn of the transport. */
void *scn_live_fake(void *conn);

/* What a live run has cost in real time. X(name) */
#define SCN_LIVE_METRIC_LIST(X)                                    \
  X(wire_crossings)         /* of the wire, each way for itself */ \
  X(wire_crossing_total_ns) /* real time that they took */         \
  X(wire_crossing_longest_ns)                                      \
  X(clock_latest_ns) /* real time that the clock was behind, at most */

struct scn_live_metrics {
#define SCN_MEMBER(name) int64_t name;
  SCN_LIVE_METRIC_LIST(SCN_MEMBER)
#undef SCN_MEMBER
};
void scn_live_metrics(const struct scn_world *world, struct scn_live_metrics *metrics);

#endif
