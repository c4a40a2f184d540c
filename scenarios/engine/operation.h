/*
 * operation.h - the operations of a run by their labels: what was asked and how it ended.
 *
 * The table keeps and finds them; it starts none (leases.h, steps.h do).
 */
#ifndef ENGINE_OPERATION_H
#define ENGINE_OPERATION_H

#include "pool/wspool.h"
#include "reports/recorder.h"
#include "sim/arena.h"
#include "sim/queue.h"
#include "sim/trace.h"

struct scn_step;
struct scn_world;

/* One operation. The first member is what is recorded; strings live in the arena or the trace. */
struct scn_operation {
  struct rep_op record;
  sim_string tag;                   /* the label's number in the trace */
  struct wsp_op handle;             /* of a pending one */
  struct wsp_lease lease;           /* of a granted acquire; may be stale */
  bool prewarmed;                   /* of the lease when it was granted or last marked */
  const char *message;              /* of a read that succeeded */
  const char *cause;                /* of a failed dial */
  const struct wsp_header *headers; /* handshake response headers of a lease (those that the
                                       scenario's expectations ask for), or of a refusal */
  size_t header_count;
  int64_t released_ns; /* of a lease that its holder gave back; -1: not */
  bool has_hold;
  int64_t hold_ns;
  bool is_kept; /* when everything else is given back */

  /* The runner's own. */
  struct scn_world *world;
  const struct scn_step *step; /* that started it; NULL: a load did */
  struct sim_entry hold_entry; /* the scheduled release */
  void (*over)(void *context); /* the acquire failed or its lease was given back; may be NULL */
  void *over_context;
};

struct scn_operations;

/* NULL: no memory. */
struct scn_operations *scn_operations_create(struct sim_arena *arena, struct sim_trace *trace);
/* A new operation, pending; NULL: no memory. Labels are unique and not empty; they become strings
 * of the trace. Pointers stay good. */
struct scn_operation *scn_operations_add(struct scn_operations *operations, const char *label,
                                         enum rep_op_kind kind, int64_t account, wsp_time now);
/* The operation with that label, or NULL: not started (yet). */
struct scn_operation *scn_operations_find(const struct scn_operations *operations,
                                          const char *label);
size_t scn_operations_count(const struct scn_operations *operations);
/* The records of all of them, in the order in which they were started; good until the next is
 * added. */
const struct rep_op *const *scn_operations_records(const struct scn_operations *operations);
/* In the order in which they were started. */
struct scn_operation *scn_operations_at(const struct scn_operations *operations, size_t index);

#endif
