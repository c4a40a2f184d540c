/*
 * trace.h - the timeline of a run: fixed-size records, their strings, their hash.
 *
 * A record says when, what, to whom. Strings are interned in the order in which events name
 * them, so equal timelines have equal records and equal string tables, whatever the machine.
 * Records and strings lie in memory that the caller provides (it may be shared between
 * processes) and are only ever appended; a reader in another process may read what the counts
 * say is there. The trace does not store files, and nothing in it decides anything.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include "pool/wspool_trace.h"

/* Events of the world around the pool; the form is that of WSP_EVENT_LIST. `step_performed`:
 * text is the operation, value the step's index. New kinds come at the end: the hash of a timeline
 * has their numbers in it. */
#define SIM_EVENT_LIST(X)                                                                      \
  X(SIM_STEP_PERFORMED, "step_performed", NULL, "step", "repetition", NULL, "operation", NULL) \
  X(SIM_CLOCK_JUMPED, "clock_jumped", NULL, "by_ns", NULL, NULL, NULL, NULL)                   \
  X(SIM_UPSTREAM_CHANGED, "upstream_changed", NULL, NULL, NULL, NULL, "url", NULL)             \
  X(SIM_PEER_CLOSED, "peer_closed", NULL, "code", NULL, NULL, "cause", NULL)                   \
  X(SIM_PEER_SPOKE, "peer_message_sent", NULL, "length", NULL, NULL, NULL, NULL)               \
  X(SIM_UPSTREAM_REFUSED, "upstream_refused", NULL, "status", "open", NULL, "url", "why")      \
  X(SIM_PIN_REFUSED, "pin_refused", NULL, NULL, NULL, NULL, "conn", NULL)                      \
  X(SIM_EXPECTATION_FAILED, "expectation_failed", NULL, "expectation", NULL, NULL, NULL, NULL) \
  X(SIM_INVARIANT_VIOLATED, "invariant_violated", NULL, NULL, NULL, NULL, "invariant", NULL)   \
  X(SIM_RUN_ENDED, "run_ended", NULL, "pending", NULL, NULL, NULL, NULL)                       \
  X(SIM_ORDER_CHOSEN, "order_chosen", NULL, "choice", "taken", NULL, NULL, NULL)               \
  X(SIM_FAULT_FIRED, "fault_fired", NULL, "number", "lasts_ns", NULL, "fault", "call")         \
  X(SIM_RECOVERY_STARTED, "recovery_started", NULL, "faults", "bound_ns", NULL, NULL, NULL)

enum sim_event_kind {
  SIM_EVENT_KIND_FIRST = WSP_EVENT_KIND_COUNT - 1,
#define SIM_ENUMERATOR(id, name, cause, v0, v1, v2, t0, t1) id,
  SIM_EVENT_LIST(SIM_ENUMERATOR)
#undef SIM_ENUMERATOR
      SIM_EVENT_KIND_COUNT
};

/* What a kind of event is called and what its fields mean. */
struct sim_event_type {
  const char *name;
  const char *cause; /* "reason", "error" or NULL */
  const char *values[3];
  const char *texts[2];
};

/* The type of a kind; lives for ever. NULL: no such kind. */
const struct sim_event_type *sim_event_type(uint16_t kind);
/* The kind with that name, or -1. */
int sim_event_kind_by_name(const char *name);
/* The name of a cause ("peer_closed", "queue_full"); "" when the kind has none. */
const char *sim_event_cause_name(uint16_t kind, uint16_t cause);

/* A number of an interned string in one trace; 0 is the empty string. */
typedef uint32_t sim_string;

struct sim_event {
  int64_t t_ns;
  int64_t account; /* 0: none */
  int64_t values[3];
  sim_string conn;
  sim_string op;
  sim_string texts[2];
  uint16_t kind;
  uint16_t cause;
  uint32_t reserved; /* 0 */
};

_Static_assert(sizeof(struct sim_event) == 64, "a record is one cache line");

struct sim_trace;

/* A trace in fresh memory of its own that other processes forked later share with this one
 * (`shared`), or do not. Address space for `max_events` records is reserved, memory is used as
 * it fills. NULL: no memory, or more than 2^28 events. */
struct sim_trace *sim_trace_create(uint64_t max_events, bool shared);
void sim_trace_destroy(struct sim_trace *trace);

/* Forgets all events and strings; the trace can be used for another run. */
void sim_trace_reset(struct sim_trace *trace);

/* Appends; false when the trace is full (the event is not kept, and sim_trace_full() says so
 * from then on). One process at a time writes. */
bool sim_trace_append(struct sim_trace *trace, const struct sim_event *event);
bool sim_trace_full(const struct sim_trace *trace);

uint64_t sim_trace_count(const struct sim_trace *trace);
/* How many of them are of `kind`; 0 when there is no such kind. For the process that writes, or
 * when none writes any more. */
uint64_t sim_trace_count_of(const struct sim_trace *trace, int kind);
/* The events, in order; valid until reset. */
const struct sim_event *sim_trace_events(const struct sim_trace *trace);

/* The number of a string, which is new when no event has named it before. NULL is "". When the
 * trace has no room for it: 0, and sim_trace_full() says so. */
sim_string sim_trace_intern(struct sim_trace *trace, const char *text);
/* The number of a string that some event names, or -1. For the process that writes, or when none
 * writes any more. */
int64_t sim_trace_find(const struct sim_trace *trace, const char *text);
/* The string of a number; valid until reset. */
const char *sim_trace_string(const struct sim_trace *trace, sim_string number);

/* 64 bits that depend on the string alone, as its number does not; kept, so this costs nothing. */
uint64_t sim_trace_string_hash(const struct sim_trace *trace, sim_string number);

/* The strings in order of their numbers (so "" is the first), each NUL-terminated, as one block. */
const char *sim_trace_strings(const struct sim_trace *trace, size_t *size);

/* An observer for struct wsp_environment: appends the pool's events. `context` is the trace; the
 * tag of an event is the number of its label's string. */
void sim_trace_observe(void *context, const struct wsp_event *event);

/* Cuts back to an earlier count (events and strings of it), for restored snapshots. */
struct sim_trace_mark {
  uint64_t events;
  uint64_t string_bytes;
  uint32_t strings;
  bool full;
};
struct sim_trace_mark sim_trace_mark(const struct sim_trace *trace);
void sim_trace_rewind(struct sim_trace *trace, struct sim_trace_mark mark);

/* The JSON object of an event's detail ({"reason":"max_age","age_ns":5}), or "" when it has
 * none, into `buffer`; returns the length that it needs (as snprintf does). In it: the cause
 * unless it is 0, each number that the kind has, each text that is not empty. Bytes that are not
 * UTF-8 are replaced by U+FFFD. */
size_t sim_event_detail(const struct sim_trace *trace, const struct sim_event *event, char *buffer,
                        size_t size);

#endif
