/*
 * step_io.c - writes, reads and pings on leases, as steps ask for them.
 */
#include "scenarios/engine/step_io.h"

#include <assert.h>
#include <string.h>

static void io_ended(void *context, const struct wsp_io_result *result) {
  struct scn_operation *operation = context;
  struct scn_world *world = operation->world;
  scn_world_end(operation, wsp_error_name(result->error), result->error_text);
  if (result->error == WSP_OK && operation->record.kind == REP_OP_READ) {
    char *message = sim_arena_allocate(world->arena, result->message_length + 1);
    if (message == NULL) {
      scn_world_break(world, operation->step, "out of memory for a message");
      return;
    }
    if (result->message_length > 0) {
      memcpy(message, result->message, result->message_length);
    }
    message[result->message_length] = '\0';
    operation->message = message;
  }
}

static enum rep_op_kind io_kind(enum scn_step_kind kind) {
  switch (kind) {
    case SCN_WRITE:
      return REP_OP_WRITE;
    case SCN_READ:
      return REP_OP_READ;
    default:
      assert(kind == SCN_PING);
      return REP_OP_PING;
  }
}

static enum wsp_error start(const struct sim_pool_interface *pool, enum rep_op_kind kind,
                            const struct wsp_io_request *request, wsp_time now,
                            struct wsp_op *handle) {
  switch (kind) {
    case REP_OP_WRITE:
      return pool->lease_write_json(request, now, handle);
    case REP_OP_READ:
      return pool->lease_read(request, now, handle);
    default:
      return pool->lease_ping(request, now, handle);
  }
}

void scn_io_start(struct scn_world *world, const struct scn_step *step, const char *label) {
  const struct scn_operation *holder = scn_operations_find(world->operations, step->target);
  int64_t account = holder != NULL ? holder->record.account : step->account;
  enum rep_op_kind kind = io_kind(step->kind);
  struct scn_operation *operation = scn_world_begin(world, label, kind, account, step);
  if (operation == NULL) {
    return;
  }
  struct wsp_io_request request = {
      .timeout = step->timeout,
      .json = step->json,
      .canceled = step->canceled,
      .tag = sim_trace_intern(world->trace, label),
      .callback = io_ended,
      .context = operation,
  };
  if (holder != NULL && world->pool_calls->lease_valid(holder->lease)) {
    operation->record.conn = holder->record.conn;
    request.lease = holder->lease;
  }
  wsp_time deadline = scn_time_after(world->now, step->timeout);
  if (world->horizon < deadline) {
    world->horizon = deadline;
  }
  enum wsp_error error = start(world->pool_calls, kind, &request, world->now, &operation->handle);
  if (error != WSP_OK) {
    io_ended(operation,
             &(struct wsp_io_result){.error = error, .error_text = wsp_error_text(error)});
  }
}
