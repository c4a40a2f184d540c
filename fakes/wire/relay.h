/*
 * relay.h - carries what a pool and its fakes say to each other over real sockets.
 *
 * To the pool it is a transport: the one for production, wspool_lws, which dials real servers. To
 * the fakes it is a pool: what reaches those servers becomes calls of the fakes, and their answers
 * go back over the wire. So the fakes decide what happens and when, as they do in virtual time,
 * and the pool learns of it what its real client saw.
 *
 * Each crossing is waited for: a call of the pool returns when the fake has it, an answer of a fake
 * returns when the client has it and the pool has been told. Therefore everything happens in the
 * order in which it happens without sockets, however slow the machine is, and no time of the
 * scenario passes on the wire.
 *
 * Limits: a read is no message to a server, so the relay tells the fake of it; at most one thing
 * crosses the wire at a time, though any number of conns is open; what a wire can not say
 * (scn_live_cannot() in scenarios/engine/live.h lists it) must not be asked of the fakes.
 */
#ifndef FAKES_WIRE_RELAY_H
#define FAKES_WIRE_RELAY_H

#include "fakes/fake.h"
#include "sim/pool_interface.h"

struct fake_relay;

struct fake_relay_options {
  struct fake_world *upstreams;          /* whose answers it takes from now on */
  const wsp_time *clock;                 /* what time it is for pool and fakes */
  const struct sim_pool_interface *pool; /* the pool's inputs */
  wsp_duration patience;                 /* in real time, for one crossing */
};

/* Codes: WSP_OK, WSP_OUT_OF_MEMORY (also for lack of descriptors). Ignores SIGPIPE for the
 * process. */
enum wsp_error fake_relay_create(const struct fake_relay_options *options,
                                 struct fake_relay **relay);
/* Cuts all conns; neither pool nor fakes are told. NULL: nothing happens. */
void fake_relay_destroy(struct fake_relay *relay);

/* The transport for the pool; its context is the relay. */
const struct wsp_transport *fake_relay_transport(void);

/* The fake's conn behind a conn of the transport, for fake_peer_close() and the like. */
void *fake_relay_fake(void *conn);

/* Dials for `fake`, which fake_adopt() made, and returns the transport's conn for wsp_adopt().
 * Tell it the pool's name afterwards, or drop it when the pool refused it: that does for the fake
 * too. NULL: no memory, or the wire failed (fake_relay_problem() says how). */
void *fake_relay_adopt(struct fake_relay *relay, const struct wsp_adoption *adoption, void *fake);
void fake_relay_adopted(void *conn, struct wsp_conn name);
void fake_relay_drop(void *conn);

/* Serves the sockets until the real time `until` (of wsp_lws_now()); the pool is told nothing
 * meanwhile. */
void fake_relay_wait(struct fake_relay *relay, wsp_time until);

/* Tells the pool one thing that happened on the wire by itself (a dial that reached no server, a
 * conn that was lost). False: there is none. */
bool fake_relay_deliver(struct fake_relay *relay);

/* What went wrong on the wire, which must not happen: the run can not go on. NULL: nothing. */
const char *fake_relay_problem(const struct fake_relay *relay);

/* What crossing the wire has cost, in real time. */
struct fake_relay_costs {
  int64_t crossings;
  wsp_duration total, longest;
};
struct fake_relay_costs fake_relay_costs(const struct fake_relay *relay);

#endif
