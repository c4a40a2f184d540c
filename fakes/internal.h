/*
 * internal.h - the fakes' own types, and what their parts call of each other.
 *
 *   preset.c     what each preset does          behaviour.c  which answer a call gets
 *   world.c      upstreams by URL, counters     change.c     what a spec sets
 *   dial.c       dials and their limits         call.c       pings, writes and reads
 *   conn.c       opening, ageing and closing    adopt.c      conns that did not come from a dial
 *   schedule.c   entries of the queue, events
 *   fault.c      faults of the way to them      digest.c     the state of all that, for a search
 *
 * Everything that has to be answered lies in the queue from its start to its end. What never ends
 * by itself lies there at WSP_TIME_NEVER, as background: so that a cancel or a close, which may
 * not fail, finds room in the queue. An entry of the fakes counts as pending unless it is
 * background.
 */
#ifndef FAKES_INTERNAL_H
#define FAKES_INTERNAL_H

#include "fakes/fault.h"
#include "sim/pool_interface.h"

struct wsp_digest;
struct wsp_digest_names;

enum { FAKE_SITE_BUCKETS = 64 };

/* What an upstream's definition and its changes add up to. */
struct fake_policy {
  const struct fake_dial_behaviour *dials;
  size_t dial_count;
  struct fake_list calls[FAKE_CALL_COUNT];
  /* The preset that stood next to a list, and fills in what the list leaves out. */
  enum fake_preset base[FAKE_ANSWER_COUNT];
  uint64_t revision[FAKE_CALL_COUNT]; /* grows when that list starts from its beginning */
  struct sim_distribution close;
  wsp_duration max_age;
  wsp_duration idle_timeout;
  int64_t max_conns;
  wsp_duration rate_per;
  int64_t rate_dials;
  bool flaky;
  wsp_decimal failure_rate;
};

/* The times of the latest dials that the rate limit let pass, oldest first, in a ring. */
struct fake_window {
  wsp_time *times;
  size_t capacity; /* a power of two, or 0 */
  size_t first;
  size_t count;
};

struct fake_upstream {
  struct fake_world *world;
  const char *url;
  struct fake_policy policy;
  size_t dial_cursor;
  size_t trace_cursor[FAKE_SUBJECT_COUNT];
  struct sim_random latency[FAKE_SUBJECT_COUNT];
  struct sim_random chance[FAKE_ANSWER_COUNT];
  struct fake_window window;
  struct fake_conn *conns, *conns_last; /* in the order in which they opened */
  struct fake_counters counters;
};

/* A URL that was dialled or named, and the upstream that serves it: its own or the default. */
struct fake_site {
  struct fake_site *next; /* in its bucket */
  const char *url;
  uint64_t hash;
  struct fake_upstream *upstream;
};

struct fake_faults {
  const struct fake_fault_plan *plan; /* NULL: nothing strikes */
  uint64_t calls[FAKE_SUBJECT_COUNT]; /* so far, while there is a plan */
  uint64_t fired;
  wsp_time end; /* when all that fired is over */
};

struct fake_world {
  const struct sim_pool_interface *pool; /* whose inputs are called with the answers */
  struct sim_arena *arena;
  struct sim_queue *queue;
  struct sim_trace *trace;
  const wsp_time *clock;
  uint64_t seed;
  size_t pending;
  struct fake_faults faults;
  bool healed;                    /* everything that starts succeeds at once */
  struct fake_upstream *fallback; /* "default" */
  struct fake_site *sites[FAKE_SITE_BUCKETS];
};

/* How a call will end; decided when it starts. */
struct fake_answer {
  enum fake_outcome outcome;
  const char *text; /* of an error, or the message */
  int status;       /* of a dial */
  wsp_duration latency;
  bool is_reset; /* of a call on a conn: the conn is reset instead */
};

struct fake_call {
  struct sim_entry entry; /* scheduled as long as the call is under way */
  struct fake_answer answer;
  bool canceled;
};

/* What fake_adopt() was told. */
struct fake_adoption {
  struct fake_conn_options options;
  bool has_preset;
  bool flaky;
  wsp_decimal failure_rate;
};

enum fake_conn_state { FAKE_CONN_OPEN, FAKE_CONN_CLOSING, FAKE_CONN_CLOSED };

struct fake_conn {
  struct fake_upstream *upstream;
  struct fake_site *site;
  struct fake_conn *previous, *next; /* of the upstream */
  struct wsp_conn name;
  int64_t account; /* 0: not known */
  enum fake_conn_state state;
  bool counted; /* as open */
  wsp_time created_at;
  wsp_time last_in; /* when something came in from the pool */

  /* What faults have done to it. */
  bool is_silent;
  wsp_time silent_until; /* then it is closed */
  wsp_time stalled_until;

  const struct fake_conn_options *own; /* over the upstream's; NULL: none */
  enum fake_preset own_base;           /* the preset that stood next to them */
  struct fake_adoption *adoption;      /* NULL: dialled */

  size_t cursor[FAKE_CALL_COUNT];
  uint64_t revision[FAKE_CALL_COUNT]; /* of the list that the cursor is in */
  struct fake_call calls[FAKE_CALL_COUNT];

  /* The next limit of age or idleness, or the end of its silence; once the pool has closed the
   * conn, the end of that. */
  struct sim_entry watch;
};

/* ---- preset.c ---------------------------------------------------------------------------- */

struct fake_preset_type {
  struct fake_dial_behaviour dial;
  struct fake_behaviour calls[FAKE_CALL_COUNT];
};

const struct fake_preset_type *fake_preset_type(enum fake_preset preset);

/* The code of a conn that ends without a close frame. */
enum { FAKE_CLOSE_ABNORMAL = 1006 };

#define FAKE_DEFAULT_FAILURE_RATE (WSP_DECIMAL_ONE / 10)

/* ---- behaviour.c ------------------------------------------------------------------------- */

/* The answer of the next dial; `*behaviour` is what it came from, NULL: nothing in particular. */
struct fake_answer fake_dial_answer(struct fake_upstream *upstream,
                                    const struct fake_dial_behaviour **behaviour);
/* The answer of the next ping, write or read on a conn. */
struct fake_answer fake_call_answer(struct fake_conn *conn, enum fake_subject subject);
wsp_duration fake_close_latency(struct fake_conn *conn);

/* ---- schedule.c -------------------------------------------------------------------------- */

wsp_time fake_now(const struct fake_world *world);
/* Saturates instead of overflowing. */
wsp_time fake_time_after(wsp_time from, wsp_duration duration);

/* An answer: pending until it has ended. WSP_TIME_NEVER: it will not end by itself. False: no
 * memory, which cannot happen when an entry has just left the queue. */
bool fake_schedule_answer(struct fake_world *world, struct sim_entry *entry, wsp_time at,
                          sim_action action, void *context);
/* Something that nobody waits for. */
bool fake_schedule_background(struct fake_world *world, struct sim_entry *entry, wsp_time at,
                              sim_action action, void *context);
void fake_unschedule(struct fake_world *world, struct sim_entry *entry);
/* To be told first by each action: its entry has left the queue. */
void fake_fired(struct fake_world *world, const struct sim_entry *entry);
/* When an answer that takes its latency from now on is due. */
wsp_time fake_answer_due(const struct fake_world *world, const struct fake_answer *answer);

void fake_trace_refused(const struct fake_upstream *upstream, const char *url, int64_t account,
                        wsp_time now, int status, const char *why);
void fake_trace_peer_closed(const struct fake_conn *conn, wsp_time now, int code,
                            const char *cause);
void fake_trace_peer_spoke(const struct fake_conn *conn, wsp_time now, size_t length);

/* ---- world.c ----------------------------------------------------------------------------- */

/* The site of a URL, made when it is new. NULL: no memory. */
struct fake_site *fake_site_of(struct fake_world *world, const char *url);
/* The upstream that was named so, or NULL. */
struct fake_upstream *fake_upstream_named(const struct fake_world *world, const char *url);
/* Names an upstream that is not named yet: a copy of the default, with the conns that are open to
 * that URL. NULL: no memory. */
struct fake_upstream *fake_upstream_create(struct fake_world *world, const char *url);
void fake_policy_init(struct fake_policy *policy);

/* ---- dial.c, call.c: the transport --------------------------------------------------------- */

enum wsp_error fake_dial_start(void *context, struct wsp_dial name,
                               const struct wsp_dial_request *request, void **dialing);
void fake_dial_cancel(void *context, void *dialing);
enum wsp_error fake_write(void *context, void *conn, const char *data, size_t length);
enum wsp_error fake_read(void *context, void *conn);
void fake_read_cancel(void *context, void *conn);
enum wsp_error fake_ping(void *context, void *conn);
void fake_ping_cancel(void *context, void *conn);
void fake_close(void *context, void *conn);

/* The parts of fake_describe(): false when the entry is none of theirs. */
bool fake_dial_describe(const struct sim_entry *entry, struct fake_happening *happening);
bool fake_call_describe(const struct sim_entry *entry, struct fake_happening *happening);
bool fake_conn_describe(const struct sim_entry *entry, struct fake_happening *happening);

/* The parts of fake_entry_digest(). The state of calls and conns is found without the queue. */
bool fake_dial_digest(const struct sim_entry *entry, const struct wsp_digest_names *names,
                      struct wsp_digest *digest);
bool fake_is_call_entry(const struct sim_entry *entry);
bool fake_is_conn_entry(const struct sim_entry *entry);

/* Whether that call is under way. */
bool fake_call_active(const struct fake_conn *conn, enum fake_subject subject);
/* Ends a call without an answer. */
void fake_call_drop(struct fake_conn *conn, enum fake_subject subject);

/* ---- conn.c ------------------------------------------------------------------------------ */

/* A conn that its upstream does not count yet. NULL: no memory. */
struct fake_conn *fake_conn_create(struct fake_site *site, int64_t account);
/* Counts it as open. */
void fake_conn_count(struct fake_conn *conn);
/* Drops it without a word to the pool. */
void fake_conn_forget(struct fake_conn *conn);
/* Schedules the next limit anew, after something that decides about it has changed. */
bool fake_conn_watch(struct fake_conn *conn, wsp_time now);
/* Nothing comes from it any more, until it is closed at `until`. */
void fake_conn_go_silent(struct fake_conn *conn, wsp_time now, wsp_time until);
/* The upstream closes it. False: it is closed already, or closing. */
bool fake_conn_peer_close(struct fake_conn *conn, wsp_time now, int code, const char *reason,
                          const char *cause);
/* Into and out of its upstream's list. */
void fake_conn_link(struct fake_conn *conn, struct fake_upstream *upstream);
void fake_conn_unlink(struct fake_conn *conn);

/* ---- fault.c ----------------------------------------------------------------------------- */

/* A dial or a call starts, of which `answer` is what the upstream would say. Of a dial: true, when
 * the answer is not the upstream's any more. */
bool fake_fault_dial(struct fake_upstream *upstream, int64_t account, struct fake_answer *answer);
void fake_fault_call(struct fake_conn *conn, enum fake_subject subject, struct fake_answer *answer);
/* The pool is about to be told that the conn is closed. */
void fake_fault_close(const struct fake_conn *conn);

#endif
