/*
 * fake.h - programmable upstreams: a transport for the pool that lives in virtual time.
 *
 * An upstream answers dials, writes, reads and pings as its behaviours say: each list of
 * behaviours is used up in order and its last one repeats; dials use the upstream's list, the
 * others the conn's own place in its lists. A call takes its behaviour and starts its latency
 * when it starts. Answers come from the queue, never from inside a call.
 *
 * Limits of the model: a message is a whole, there is no bandwidth, no loss and no partial write;
 * a peer's close is seen at once; TLS and DNS are part of the dial's latency.
 */
#ifndef FAKES_FAKE_H
#define FAKES_FAKE_H

#include "pool/wspool_transport.h"
#include "sim/arena.h"
#include "sim/queue.h"
#include "sim/random.h"
#include "sim/trace.h"

enum fake_outcome {
  FAKE_OK,       /* dial, ping, write */
  FAKE_ERROR,    /* all */
  FAKE_BLOCK,    /* all: never ends by itself */
  FAKE_NIL_CONN, /* dial: success without a connection */
  FAKE_MESSAGE,  /* read */
  FAKE_EOF       /* read: the peer closes instead */
};

/* Which keys a behaviour, a conn's options or an upstream set; the others keep what a preset or
 * an earlier definition says. */
enum fake_set {
  FAKE_SET_PING = 1 << 0,
  FAKE_SET_WRITE = 1 << 1,
  FAKE_SET_READ = 1 << 2,
  FAKE_SET_CLOSE = 1 << 3,
  FAKE_SET_MAX_AGE = 1 << 4,
  FAKE_SET_IDLE_TIMEOUT = 1 << 5,
  FAKE_SET_DIAL = 1 << 6,
  FAKE_SET_MAX_CONNS = 1 << 7,
  FAKE_SET_RATE_LIMIT = 1 << 8,
  FAKE_SET_FAILURE_RATE = 1 << 9
};

/* What a behaviour's author left out. Next to a preset (in the same fake_spec) that part is the
 * preset's: {"fake": "always-fail", "dial": {"latency": "20ms"}} still fails. Elsewhere the bits
 * change nothing. */
enum fake_left_out { FAKE_LEFT_OUT_OUTCOME = 1 << 0, FAKE_LEFT_OUT_LATENCY = 1 << 1 };

/* What a fake says when nothing else is said. */
#define FAKE_DEFAULT_MESSAGE "{\"type\":\"response.completed\"}"

/* One answer. */
struct fake_behaviour {
  enum fake_outcome outcome; /* FAKE_OK of a read is FAKE_MESSAGE */
  struct sim_distribution latency;
  const char *error;   /* of FAKE_ERROR; NULL: "dial failed", "ping failed", ... */
  const char *message; /* of FAKE_MESSAGE, as JSON text; NULL: the default */
  unsigned left_out;   /* enum fake_left_out */
};

struct fake_list {
  const struct fake_behaviour *items;
  size_t count; /* 0: one behaviour that leaves everything out */
};

/* How an established conn behaves. */
struct fake_conn_options {
  unsigned set; /* enum fake_set, the first six */
  struct fake_list ping, write, read;
  struct sim_distribution close; /* how long a close takes to be confirmed */
  wsp_duration max_age;          /* the upstream closes it at that age; 0: never */
  wsp_duration idle_timeout;     /* ... when nothing came in for that long; 0: never. A ping comes
                                  * in, a write unless it blocks or fails, and pongs as long as a
                                  * read is under way */
};

struct fake_dial_behaviour {
  struct fake_behaviour answer;
  int status; /* HTTP status of the answer; 0: none, or that of the preset next to it when the
               * outcome is the preset's too */
  const struct wsp_header *headers;
  size_t header_count;
  struct fake_conn_options conn; /* of the conn that it opens, over the upstream's own */
};

/* X(enumerator, name) */
#define FAKE_PRESET_LIST(X)                       \
  X(FAKE_PRESET_OK, "ok")                         \
  X(FAKE_PRESET_BLOCKING, "blocking")             \
  X(FAKE_PRESET_WRITE_BLOCKING, "write-blocking") \
  X(FAKE_PRESET_PING_FAIL, "ping-fail")           \
  X(FAKE_PRESET_PING_BLOCKING, "ping-blocking")   \
  X(FAKE_PRESET_NIL_CONN, "nil-conn")             \
  X(FAKE_PRESET_ALWAYS_FAIL, "always-fail")       \
  X(FAKE_PRESET_FLAKY, "flaky")                   \
  X(FAKE_PRESET_HALF_OPEN, "half-open")

enum fake_preset {
#define FAKE_ENUMERATOR(id, name) id,
  FAKE_PRESET_LIST(FAKE_ENUMERATOR)
#undef FAKE_ENUMERATOR
};

/* The preset with that name, or -1; and its name. */
int fake_preset_by_name(const char *name);
const char *fake_preset_name(enum fake_preset preset);

/* What a scenario says of an upstream, of an adopted conn, or of a change. All that it points to
 * must outlive the world that uses it. */
struct fake_spec {
  bool has_preset;
  enum fake_preset preset;
  unsigned set; /* enum fake_set: which of the following refine the preset; the first six may be
                 * set here or in `conn.set` */
  const struct fake_dial_behaviour *dials;
  size_t dial_count;
  struct fake_conn_options conn;
  int64_t max_conns; /* dials over this many open conns, when they are answered, get 429; 0: no
                      * limit */
  wsp_duration rate_per;
  int64_t rate_dials;       /* dials in each rate_per, then 429 */
  wsp_decimal failure_rate; /* of "flaky": the part of dials, writes, reads and pings that fail */
};

/* ---- The world of upstreams ------------------------------------------------------------- */

struct fake_world;
struct sim_pool_interface;

/* All upstreams of a run. Memory from `arena`, answers through `queue`, draws from streams of
 * `seed`; events of the upstreams' own making (refusals, peers that close or speak) go to
 * `trace` (may be NULL). NULL: no memory. */
struct fake_world *fake_world_create(struct sim_arena *arena, struct sim_queue *queue,
                                     struct sim_trace *trace, uint64_t seed);

/* Where the time of a run is kept. The pool's calls of a transport do not say what time it is, so
 * this is required before the first of them; `*now` must be right whenever the pool is called. */
void fake_world_use_clock(struct fake_world *world, const wsp_time *now);

/* Whose inputs are called with the answers: the pool under test, until something else was put in
 * between. Before the first call of the transport. */
void fake_world_use_pool(struct fake_world *world, const struct sim_pool_interface *pool);

/* Defines or redefines the upstream of `url` ("default": every URL that is not named). `spec`
 * replaces what was said before. False: no memory. */
bool fake_world_define(struct fake_world *world, const char *url, const struct fake_spec *spec);

/* Changes what `spec` sets, from now on: calls under way keep their behaviour, and the lists that
 * are set start from their beginning. A preset sets dials, pings, writes and reads; the limits and
 * the time of a close stay. An upstream that is not named yet starts as a copy of "default" and
 * takes the conns along that are open to its URL. Open conns of the upstream follow the change
 * too, but for what their own dial behaviour or adoption had set. The event upstream_changed is
 * the caller's. False: no memory. */
bool fake_world_change(struct fake_world *world, wsp_time now, const char *url,
                       const struct fake_spec *spec);

/* The transport; its context is the world. */
const struct wsp_transport *fake_transport(void);

/* A ready conn for wsp_adopt(), with the behaviour of `spec` (may be NULL) over the upstream of
 * `url`; `age` and `idle` count against max_age and idle_timeout. Tell it the pool's name
 * afterwards, or drop it when the pool refused it. NULL: no memory. */
void *fake_adopt(struct fake_world *world, wsp_time now, const char *url,
                 const struct fake_spec *spec, wsp_duration age, wsp_duration idle);
void fake_adopted(void *conn, struct wsp_conn name);
void fake_drop(struct fake_world *world, void *conn);

/* The peer closes, or speaks unasked, on `conn` (see wsp_conn_transport()). At once: the pool's
 * input is called from inside. False when the conn is closed already. `message` is JSON text;
 * NULL: the default. */
bool fake_peer_close(struct fake_world *world, void *conn, wsp_time now, int code,
                     const char *reason);
bool fake_peer_message(struct fake_world *world, void *conn, wsp_time now, const char *message);

/* What an upstream has seen. X(name) */
#define FAKE_COUNTER_LIST(X)                                                    \
  X(dials)            /* dials that reached it, refused ones too */             \
  X(dials_ok)         /* that opened a conn */                                  \
  X(dials_failed)     /* that it refused or failed, or answered with no conn */ \
  X(dials_canceled)   /* given up by the pool */                                \
  X(concurrent_dials) /* under way */                                           \
  X(max_concurrent_dials)                                                       \
  X(open) /* conns open now, until their close is complete */                   \
  X(max_open)                                                                   \
  X(opened)                                                                     \
  X(closed)      /* by either side */                                           \
  X(peer_closed) /* by the upstream */                                          \
  X(pings)                                                                      \
  X(concurrent_pings)                                                           \
  X(max_concurrent_pings)                                                       \
  X(writes)                                                                     \
  X(reads)                                                                      \
  X(messages) /* sent to the pool, asked or unasked */

struct fake_counters {
#define FAKE_MEMBER(name) int64_t name;
  FAKE_COUNTER_LIST(FAKE_MEMBER)
#undef FAKE_MEMBER
};

/* Of the upstream of `url`; "default" counts the URLs that are not named. False: a URL that is
 * not defined. */
bool fake_world_counters(const struct fake_world *world, const char *url,
                         struct fake_counters *counters);

/* What an entry of the queue is about, for a person. */
struct fake_happening {
  const char *what; /* "the answer of a dial"; lives for ever */
  const char *conn; /* its id, "" for a dial; lives as long as the conn */
  int64_t account;
};
/* False: the entry is not of the fakes' making. */
bool fake_describe(const struct sim_entry *entry, struct fake_happening *happening);

/* Dials, closes, pings, reads and writes under way that will be answered some time by themselves;
 * the blocked ones are not among them. */
size_t fake_world_pending(const struct fake_world *world);

#endif
