/*
 * leases.c - starts acquires, keeps what they brought, gives their leases back.
 */
#include "scenarios/engine/leases.h"

#include <string.h>

#include "scenarios/engine/labels.h"

static void hold_is_over(void *context, wsp_time now) {
  (void)now;
  scn_lease_give_back(context);
}

/* Copies the headers of a refused dial. */
static void keep_refusal_headers(struct scn_operation *operation,
                                 const struct wsp_acquire_result *result) {
  struct scn_world *world = operation->world;
  if (result->header_count == 0) {
    return;
  }
  struct wsp_header *headers =
      sim_arena_allocate(world->arena, result->header_count * sizeof *headers);
  if (headers == NULL) {
    scn_world_break(world, operation->step, "out of memory for response headers");
    return;
  }
  for (size_t i = 0; i < result->header_count; i++) {
    headers[i].name = scn_world_copy(world, result->headers[i].name);
    headers[i].value = scn_world_copy(world, result->headers[i].value);
  }
  operation->headers = headers;
  operation->header_count = result->header_count;
}

/* Reads the headers that some expectation asks of this lease. */
static void keep_lease_headers(struct scn_operation *operation) {
  struct scn_world *world = operation->world;
  struct wsp_header *headers = NULL;
  size_t count = 0;
  for (size_t i = 0; i < world->header_wish_count; i++) {
    const struct scn_header_wish *wish = &world->header_wishes[i];
    if (strcmp(wish->label, operation->record.label) != 0) {
      continue;
    }
    if (headers == NULL) {
      headers = sim_arena_allocate(world->arena, world->header_wish_count * sizeof *headers);
      if (headers == NULL) {
        scn_world_break(world, operation->step, "out of memory for response headers");
        return;
      }
    }
    const char *value = world->pool_calls->lease_handshake_header(operation->lease, wish->name);
    if (value[0] != '\0') {
      headers[count].name = wish->name;
      headers[count++].value = scn_world_copy(world, value);
    }
  }
  operation->headers = headers;
  operation->header_count = count;
}

static void granted(struct scn_operation *operation, const struct wsp_acquire_result *result) {
  struct scn_world *world = operation->world;
  operation->lease = result->lease;
  operation->record.reused = result->reused ? 1 : 0;
  /* An event has told of the conn, so the trace keeps its name, unless it is full. */
  const char *conn = world->pool_calls->lease_conn_id(result->lease);
  int64_t known = sim_trace_find(world->trace, conn);
  operation->record.conn =
      known > 0 ? sim_trace_string(world->trace, (sim_string)known) : scn_world_copy(world, conn);
  operation->prewarmed = sim_pool_can(world->pool_calls, SIM_CAN_PREWARM) &&
                         world->pool_calls->lease_is_prewarmed(result->lease);
  keep_lease_headers(operation);
  bool goes_back = world->gives_back && !operation->is_kept;
  if (operation->has_hold || goes_back) {
    wsp_time until = goes_back ? world->now : scn_time_after(world->now, operation->hold_ns);
    if (world->horizon < until) {
      world->horizon = until;
    }
    if (!sim_queue_add(world->queue, &operation->hold_entry, until, hold_is_over, operation,
                       false)) {
      scn_world_break(world, operation->step, "out of memory for a scheduled release");
    }
  }
}

static void acquire_ended(void *context, const struct wsp_acquire_result *result) {
  struct scn_operation *operation = context;
  operation->record.queue_wait_ns = result->queue_wait;
  operation->record.conn_pick_ns = result->conn_pick;
  operation->record.status = result->status;
  scn_world_end(operation, wsp_error_name(result->error), result->error_text);
  if (result->error == WSP_OK) {
    granted(operation, result);
    return;
  }
  if (result->cause != NULL && result->cause[0] != '\0') {
    operation->cause = scn_world_copy(operation->world, result->cause);
  }
  keep_refusal_headers(operation, result);
  if (operation->over != NULL) {
    operation->over(operation->over_context);
  }
}

struct scn_operation *scn_acquire_start(struct scn_world *world,
                                        const struct scn_acquire *acquire) {
  struct scn_operation *operation = scn_world_begin(world, acquire->label, REP_OP_ACQUIRE,
                                                    acquire->request.account.id, acquire->step);
  if (operation == NULL) {
    return NULL;
  }
  operation->has_hold = acquire->has_hold;
  operation->hold_ns = acquire->hold;
  operation->is_kept = acquire->is_kept;
  operation->over = acquire->over;
  operation->over_context = acquire->over_context;
  struct wsp_acquire_request request = acquire->request;
  request.tag = operation->tag;
  if (acquire->timeout > 0) {
    request.deadline = scn_time_after(world->now, acquire->timeout);
    if (world->horizon < request.deadline) {
      world->horizon = request.deadline;
    }
  }
  enum wsp_error error = world->pool_calls->acquire(world->pool, world->now, &request,
                                                    acquire_ended, operation, &operation->handle);
  if (error != WSP_OK) {
    acquire_ended(operation, &(struct wsp_acquire_result){.error = error,
                                                          .error_text = wsp_error_text(error)});
  }
  return operation;
}

void scn_lease_give_back(struct scn_operation *operation) {
  struct scn_world *world = operation->world;
  sim_queue_remove(world->queue, &operation->hold_entry);
  world->pool_calls->lease_release(operation->lease, world->now);
  world->last_progress = world->now;
  if (operation->record.reused >= 0 && operation->released_ns < 0) {
    operation->released_ns = world->now;
    if (operation->over != NULL) {
      operation->over(operation->over_context);
    }
  }
}

const struct scn_operation *scn_scheduled_release(const struct sim_entry *entry) {
  return entry->action == hold_is_over ? entry->context : NULL;
}
