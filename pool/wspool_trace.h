/*
 * wspool_trace.h - the events that a pool tells an observer: one list for their enumerators,
 * their names and the names of their fields.
 */
#ifndef POOL_WSPOOL_TRACE_H
#define POOL_WSPOOL_TRACE_H

#include "pool/wspool.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Why something happened. X(enumerator, name) */
#define WSP_REASON_LIST(X)                                 \
  X(WSP_REASON_NONE, "")                                   \
  /* how a conn came into the pool, what a dial is for */  \
  X(WSP_REASON_ACQUIRE, "acquire")                         \
  X(WSP_REASON_PREWARM, "prewarm")                         \
  X(WSP_REASON_ADOPTED, "adopted")                         \
  /* what a ping or a cleanup is for */                    \
  X(WSP_REASON_HEALTH_CHECK, "health_check")               \
  X(WSP_REASON_LEASE, "lease")                             \
  X(WSP_REASON_SWEEP, "sweep")                             \
  /* why a conn left its account */                        \
  X(WSP_REASON_MAX_AGE, "max_age")                         \
  X(WSP_REASON_MAX_IDLE, "max_idle")                       \
  X(WSP_REASON_ROOM, "room")                               \
  X(WSP_REASON_RETIRED, "retired")                         \
  X(WSP_REASON_PENDING_IO, "pending_io")                   \
  X(WSP_REASON_UNREAD_MESSAGE, "unread_message")           \
  X(WSP_REASON_UNSOLICITED_MESSAGE, "unsolicited_message") \
  X(WSP_REASON_MARKED_BROKEN, "marked_broken")             \
  X(WSP_REASON_PEER_CLOSED, "peer_closed")                 \
  X(WSP_REASON_PING_FAILED, "ping_failed")                 \
  X(WSP_REASON_READ_FAILED, "read_failed")                 \
  X(WSP_REASON_WRITE_FAILED, "write_failed")               \
  X(WSP_REASON_EVICTED, "evicted")                         \
  X(WSP_REASON_CLEARED, "cleared")                         \
  X(WSP_REASON_POOL_CLOSED, "pool_closed")                 \
  /* why a dial or a ping did not succeed */               \
  X(WSP_REASON_CANCELED, "canceled")                       \
  X(WSP_REASON_DEADLINE, "deadline")                       \
  X(WSP_REASON_TIMEOUT, "timeout")                         \
  X(WSP_REASON_REFUSED, "refused")                         \
  X(WSP_REASON_NIL_CONNECTION, "nil_connection")           \
  X(WSP_REASON_OVER_MAXIMUM, "over_maximum")               \
  X(WSP_REASON_OUT_OF_MEMORY, "out_of_memory")

enum wsp_reason {
#define WSP_ENUMERATOR(id, name) id,
  WSP_REASON_LIST(WSP_ENUMERATOR)
#undef WSP_ENUMERATOR
};

const char *wsp_reason_name(enum wsp_reason reason); /* lives for ever */

/*
 * X(enumerator, name, cause, value 0, value 1, value 2, text 0, text 1)
 *
 * The last six name what the fields of struct wsp_event mean in this kind of event; NULL: unused.
 * `cause` is "reason" (enum wsp_reason), "error" (enum wsp_error) or NULL. Values whose name
 * ends in _ns are times; flags are 0 or 1. Besides, every event has its time, and its account,
 * conn and op where it has one.
 *
 * Where the order within one instant matters: an acquire_granted is told when the grant is
 * delivered, a conn_opened before the grant of the acquire that dialled it.
 */
#define WSP_EVENT_LIST(X)                                                                          \
  X(WSP_ACQUIRE_STARTED, "acquire_started", NULL, "deadline_ns", "effective_max", "flags", "url",  \
    "proxy")                                                                                       \
  X(WSP_ACQUIRE_QUEUED, "acquire_queued", NULL, "waiting", "waiters", NULL, NULL, NULL)            \
  X(WSP_ACQUIRE_REQUEUED, "acquire_requeued", NULL, "waiting", "waiters", NULL, NULL, NULL)        \
  X(WSP_ACQUIRE_PICKED, "acquire_picked", NULL, "pick_ns", NULL, NULL, NULL, NULL)                 \
  X(WSP_ACQUIRE_GRANTED, "acquire_granted", NULL, "queue_wait_ns", "reused", "queued", NULL, NULL) \
  X(WSP_ACQUIRE_FAILED, "acquire_failed", "error", "queue_wait_ns", "status", "queued", "text",    \
    NULL)                                                                                          \
  X(WSP_LEASE_RELEASED, "lease_released", NULL, "held_ns", NULL, NULL, NULL, NULL)                 \
  X(WSP_LEASE_LOST, "lease_lost", "reason", "held_ns", NULL, NULL, NULL, NULL)                     \
  X(WSP_DIAL_STARTED, "dial_started", "reason", "dial", NULL, NULL, "url", "proxy")                \
  X(WSP_DIAL_SUCCEEDED, "dial_succeeded", "reason", "dial", "latency_ns", NULL, NULL, NULL)        \
  X(WSP_DIAL_FAILED_EVENT, "dial_failed", "reason", "dial", "latency_ns", "status", "text", NULL)  \
  X(WSP_DIAL_CANCELED, "dial_canceled", "reason", "dial", "latency_ns", NULL, NULL, NULL)          \
  X(WSP_DIAL_ENDED, "dial_ended", NULL, "dial", NULL, NULL, NULL, NULL)                            \
  X(WSP_CONN_OPENED, "conn_opened", "reason", "age_ns", "idle_ns", "age_limit_ns", "url", "proxy") \
  X(WSP_CONN_EVICTED, "conn_evicted", "reason", "age_ns", "idle_ns", "pins", NULL, NULL)           \
  X(WSP_CONN_CLOSED_EVENT, "conn_closed", "reason", "code", NULL, NULL, "text", NULL)              \
  X(WSP_CONN_RETIRED, "conn_retired", NULL, "age_ns", NULL, NULL, NULL, NULL)                      \
  X(WSP_CONN_FREED, "conn_freed", NULL, NULL, NULL, NULL, NULL, NULL)                              \
  X(WSP_CONN_PINNED, "conn_pinned", NULL, "pins", NULL, NULL, NULL, NULL)                          \
  X(WSP_CONN_UNPINNED, "conn_unpinned", NULL, "pins", NULL, NULL, NULL, NULL)                      \
  X(WSP_CONN_PREWARMED, "conn_prewarmed", NULL, NULL, NULL, NULL, NULL, NULL)                      \
  X(WSP_MESSAGE_BUFFERED, "message_buffered", NULL, "length", NULL, NULL, NULL, NULL)              \
  X(WSP_PING_STARTED, "ping_started", "reason", NULL, NULL, NULL, NULL, NULL)                      \
  X(WSP_PING_JOINED, "ping_joined", "reason", NULL, NULL, NULL, NULL, NULL)                        \
  X(WSP_PING_SUCCEEDED, "ping_succeeded", "reason", "latency_ns", NULL, NULL, NULL, NULL)          \
  X(WSP_PING_FAILED_EVENT, "ping_failed", "reason", "latency_ns", NULL, NULL, "text", NULL)        \
  X(WSP_PING_CANCELED, "ping_canceled", "reason", "latency_ns", NULL, NULL, NULL, NULL)            \
  X(WSP_READ_STARTED, "read_started", NULL, "deadline_ns", NULL, NULL, NULL, NULL)                 \
  X(WSP_READ_SUCCEEDED, "read_succeeded", NULL, "length", NULL, NULL, NULL, NULL)                  \
  X(WSP_READ_FAILED, "read_failed", "error", NULL, NULL, NULL, "text", NULL)                       \
  X(WSP_WRITE_STARTED, "write_started", NULL, "deadline_ns", "length", NULL, NULL, NULL)           \
  X(WSP_WRITE_SUCCEEDED, "write_succeeded", NULL, NULL, NULL, NULL, NULL, NULL)                    \
  X(WSP_WRITE_FAILED, "write_failed", "error", NULL, NULL, NULL, "text", NULL)                     \
  X(WSP_LEASE_PING_STARTED, "lease_ping_started", NULL, "deadline_ns", NULL, NULL, NULL, NULL)     \
  X(WSP_LEASE_PING_SUCCEEDED, "lease_ping_succeeded", NULL, NULL, NULL, NULL, NULL, NULL)          \
  X(WSP_LEASE_PING_FAILED, "lease_ping_failed", "error", NULL, NULL, NULL, "text", NULL)           \
  X(WSP_PREWARM_STARTED, "prewarm_started", NULL, "need", "target", NULL, NULL, NULL)              \
  X(WSP_PREWARM_FINISHED, "prewarm_finished", NULL, "opened", "failed", "unused", NULL, NULL)      \
  X(WSP_PREWARM_SUPPRESSED, "prewarm_suppressed", NULL, "prewarm_fails", NULL, NULL, NULL, NULL)   \
  X(WSP_CLEANUP_RAN, "cleanup_ran", "reason", "rotated", "trimmed", "idle", NULL, NULL)            \
  X(WSP_PING_SWEEP_STARTED, "ping_sweep_started", NULL, NULL, NULL, NULL, NULL, NULL)              \
  X(WSP_PING_SWEEP_FINISHED, "ping_sweep_finished", NULL, "pinged", "evicted", NULL, NULL, NULL)   \
  X(WSP_CLEANUP_SWEEP_STARTED, "cleanup_sweep_started", NULL, NULL, NULL, NULL, NULL, NULL)        \
  X(WSP_ACCOUNT_CLEARED, "account_cleared", NULL, "conns", "dials", NULL, NULL, NULL)              \
  X(WSP_POOL_CLOSE_STARTED, "pool_close_started", NULL, NULL, NULL, NULL, NULL, NULL)              \
  X(WSP_POOL_CLOSED_EVENT, "pool_closed", NULL, NULL, NULL, NULL, NULL, NULL)

enum wsp_event_kind {
#define WSP_ENUMERATOR(id, name, cause, v0, v1, v2, t0, t1) id,
  WSP_EVENT_LIST(WSP_ENUMERATOR)
#undef WSP_ENUMERATOR
      WSP_EVENT_KIND_COUNT
};

/* The bits of the value "flags" of acquire_started. */
enum { WSP_FLAG_FORCE_NEW_CONN = 1, WSP_FLAG_FORCE_PREFERRED_CONN = 2, WSP_FLAG_CANCELED = 4 };

struct wsp_event {
  wsp_time now;
  enum wsp_event_kind kind;
  int cause;            /* enum wsp_reason or enum wsp_error; 0: none */
  int64_t account;      /* 0: none */
  uint64_t conn_serial; /* counts conns as they enter the pool, from 1; 0: no conn */
  const char *conn_id;  /* NULL: no conn */
  uint64_t tag;         /* of the acquire, read, write or ping; 0: none */
  int64_t values[3];
  const char *texts[2]; /* NULL: none; live during the call */
};

#ifdef __cplusplus
}
#endif

#endif
