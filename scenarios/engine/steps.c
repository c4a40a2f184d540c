/*
 * steps.c - performs steps: what each operation of a scenario does to the world.
 */
#include "scenarios/engine/steps.h"

#include <stdio.h>
#include <string.h>

#include "scenarios/engine/agenda.h"
#include "scenarios/engine/labels.h"
#include "scenarios/engine/leases.h"
#include "scenarios/engine/live.h"
#include "scenarios/engine/step_io.h"
#include "scenarios/engine/verdict.h"

const char *scn_step_kind_name(enum scn_step_kind kind) {
  static const char *const names[] = {
#define SCN_NAME(id, name) name,
      SCN_STEP_LIST(SCN_NAME)
#undef SCN_NAME
  };
  return names[kind];
}

/* ---- Acquires and leases ------------------------------------------------------------------ */

static void perform_acquire(struct scn_world *world, const struct scn_step *step,
                            const char *label) {
  struct scn_acquire acquire = {
      .label = label,
      .step = step,
      .request = {.account = scn_world_account(world, step->account),
                  .url = step->url,
                  .proxy = step->proxy,
                  .preferred_conn = scn_world_conn(world, step->conn),
                  .headers = step->headers,
                  .header_count = step->header_count,
                  .force_new_conn = step->force_new_conn,
                  .force_preferred_conn = step->force_preferred_conn,
                  .canceled = step->canceled},
      .timeout = step->timeout,
      .has_hold = step->has_hold,
      .hold = step->hold,
  };
  scn_acquire_start(world, &acquire);
}

static void perform_release(struct scn_world *world, const struct scn_step *step) {
  struct scn_operation *operation = scn_operations_find(world->operations, step->target);
  if (operation != NULL) {
    scn_lease_give_back(operation);
  }
}

static void perform_mark_broken(struct scn_world *world, const struct scn_step *step) {
  struct scn_operation *operation = scn_operations_find(world->operations, step->target);
  if (operation != NULL) {
    world->pool_calls->lease_mark_broken(operation->lease, world->now);
  }
}

static void perform_mark_prewarmed(struct scn_world *world, const struct scn_step *step) {
  struct scn_operation *operation = scn_operations_find(world->operations, step->target);
  if (operation != NULL && world->pool_calls->lease_valid(operation->lease)) {
    world->pool_calls->lease_mark_prewarmed(operation->lease, world->now);
    operation->prewarmed = world->pool_calls->lease_is_prewarmed(operation->lease);
  }
}

static void perform_cancel(struct scn_world *world, const struct scn_step *step) {
  struct scn_operation *operation = scn_operations_find(world->operations, step->target);
  if (operation != NULL && operation->record.ended_ns < 0) {
    world->pool_calls->op_cancel(operation->handle, world->now);
  }
}

/* ---- Accounts and the pool as a whole ----------------------------------------------------- */

static void perform_pin(struct scn_world *world, const struct scn_step *step, const char *label) {
  const char *conn = scn_world_conn(world, step->conn);
  bool pinned = world->pool_calls->pin(world->pool, world->now, step->account, conn);
  if (!pinned) {
    scn_world_note(
        world, &(struct scn_note){
                   .kind = SIM_PIN_REFUSED, .account = step->account, .op = label, .text = conn});
  }
  if (label == NULL) {
    return;
  }
  struct scn_operation *operation = scn_world_begin(world, label, REP_OP_PIN, step->account, step);
  if (operation != NULL) {
    operation->record.conn = scn_world_copy(world, conn);
    scn_world_end(operation, pinned ? "ok" : "refused", NULL);
  }
}

static void perform_ensure_target_idle(struct scn_world *world, const struct scn_step *step) {
  struct wsp_template given = {.url = step->url,
                               .proxy = step->proxy,
                               .headers = step->headers,
                               .header_count = step->header_count};
  world->pool_calls->ensure_target_idle(world->pool, world->now, step->account,
                                        step->url_given ? &given : NULL);
}

static void end_closes(void *context) {
  struct scn_world *world = context;
  world->close_done = true;
  for (size_t i = 0; i < scn_operations_count(world->operations); i++) {
    struct scn_operation *operation = scn_operations_at(world->operations, i);
    if (operation->record.kind == REP_OP_CLOSE && operation->record.ended_ns < 0) {
      scn_world_end(operation, "ok", NULL);
    }
  }
}

/* Only the first close carries the callback, which ends all closes that have been asked for. */
static void perform_close_pool(struct scn_world *world, const struct scn_step *step,
                               const char *label) {
  struct scn_operation *operation = NULL;
  if (label != NULL) {
    operation = scn_world_begin(world, label, REP_OP_CLOSE, 0, step);
  }
  bool first = !world->close_asked;
  world->close_asked = true;
  world->pool_calls->close(world->pool, world->now, first ? end_closes : NULL,
                           first ? world : NULL);
  if (operation != NULL && world->close_done) {
    scn_world_end(operation, "ok", NULL);
  }
}

static void perform_adopt(struct scn_world *world, const struct scn_step *step) {
  void *fake = fake_adopt(world->upstreams, world->now, step->url,
                          step->has_spec ? &step->spec : NULL, step->age, step->idle);
  struct wsp_adoption adoption = {
      .account = step->account,
      .id = step->conn,
      .url = step->url,
      .proxy = step->proxy,
      .age = step->age,
      .idle = step->idle,
      .conn = fake,
      .headers = step->headers,
      .header_count = step->header_count,
  };
  if (fake != NULL && world->live != NULL) {
    adoption.conn = scn_live_adopt(world, &adoption, fake);
  }
  if (adoption.conn == NULL) {
    scn_world_break(world, step, "out of memory for an adopted connection");
    return;
  }
  struct wsp_conn name;
  enum wsp_error error = world->pool_calls->adopt(world->pool, world->now, &adoption, &name);
  if (error == WSP_OK) {
    if (world->live != NULL) {
      scn_live_adopted(adoption.conn, name);
    } else {
      fake_adopted(fake, name);
    }
    return;
  }
  if (world->live != NULL) {
    scn_live_drop(adoption.conn);
  } else {
    fake_drop(world->upstreams, fake);
  }
  if (error != WSP_POOL_CLOSED) {
    struct scn_lines why = {.arena = world->arena};
    scn_lines_add(&why,
                  "expected a connection that the pool can adopt; found %s (%s) for conn \"%s\" of "
                  "account %lld: its id must be new in the account, account and url must be given",
                  wsp_error_name(error), wsp_error_text(error),
                  step->conn == NULL ? "" : step->conn, (long long)step->account);
    scn_world_break(world, step, why.data == NULL ? "the pool refused to adopt" : why.data);
  }
}

/* ---- The world around the pool ------------------------------------------------------------ */

/* The transport's conn that a step names; a label says by itself which account it is in, an id is
 * looked for in the step's account first, then in all others in order. NULL: there is none. */
static void *find_peer(const struct scn_world *world, const struct scn_step *step,
                       const char *conn) {
  const struct scn_operation *operation = scn_operations_find(world->operations, step->conn);
  if (operation != NULL && operation->record.conn != NULL) {
    return world->pool_calls->conn_transport(world->pool, operation->record.account, conn);
  }
  void *peer = world->pool_calls->conn_transport(world->pool, step->account, conn);
  for (size_t i = 0; peer == NULL && i < world->account_count; i++) {
    peer = world->pool_calls->conn_transport(world->pool, world->accounts[i], conn);
  }
  return peer;
}

static void perform_peer(struct scn_world *world, const struct scn_step *step) {
  void *peer = find_peer(world, step, scn_world_conn(world, step->conn));
  if (peer == NULL) {
    return;
  }
  if (world->live != NULL) {
    peer = scn_live_fake(peer);
  }
  if (step->kind == SCN_PEER_CLOSE) {
    fake_peer_close(world->upstreams, peer, world->now, step->code, step->reason);
  } else {
    fake_peer_message(world->upstreams, peer, world->now, step->json);
  }
}

static void perform_upstream(struct scn_world *world, const struct scn_step *step) {
  if (!fake_world_change(world->upstreams, world->now, step->url, &step->spec)) {
    scn_world_break(world, step, "out of memory for an upstream");
    return;
  }
  scn_world_note(world, &(struct scn_note){.kind = SIM_UPSTREAM_CHANGED, .text = step->url});
}

static void perform_clock_jump(struct scn_world *world, const struct scn_step *step) {
  scn_world_note(world, &(struct scn_note){.kind = SIM_CLOCK_JUMPED, .values = {step->by, 0}});
  world->now = scn_time_after(world->now, step->by);
  if (world->horizon < world->now) {
    world->horizon = world->now;
  }
}

void scn_step_perform_member(struct scn_world *world, const struct scn_step *member) {
  if (!member->repeats || member->every > 0) {
    scn_agenda_begin(world, member);
    return;
  }
  for (int64_t repetition = 1; repetition <= member->repeat; repetition++) {
    scn_step_perform(world, member, repetition);
  }
}

static void perform_together(struct scn_world *world, const struct scn_step *step) {
  if (world->chooser != NULL && scn_agenda_open(world, step)) {
    return;
  }
  for (size_t i = 0; i < step->step_count && !world->broken; i++) {
    scn_step_perform_member(world, &step->steps[i]);
  }
}

/* ---- All of them -------------------------------------------------------------------------- */

static void perform(struct scn_world *world, const struct scn_step *step, const char *label) {
  wsp_time now = world->now;
  switch (step->kind) {
    case SCN_ACQUIRE:
      perform_acquire(world, step, label);
      break;
    case SCN_RELEASE:
      perform_release(world, step);
      break;
    case SCN_MARK_BROKEN:
      perform_mark_broken(world, step);
      break;
    case SCN_MARK_PREWARMED:
      perform_mark_prewarmed(world, step);
      break;
    case SCN_WRITE:
    case SCN_READ:
    case SCN_PING:
      scn_io_start(world, step, label);
      break;
    case SCN_CANCEL:
      perform_cancel(world, step);
      break;
    case SCN_PIN:
      perform_pin(world, step, label);
      break;
    case SCN_UNPIN:
      world->pool_calls->unpin(world->pool, now, step->account, scn_world_conn(world, step->conn));
      break;
    case SCN_ENSURE_TARGET_IDLE:
      perform_ensure_target_idle(world, step);
      break;
    case SCN_PING_SWEEP:
      world->pool_calls->ping_sweep(world->pool, now);
      break;
    case SCN_CLEANUP_SWEEP:
      world->pool_calls->cleanup_sweep(world->pool, now);
      break;
    case SCN_EVICT:
      world->pool_calls->evict(world->pool, now, step->account, scn_world_conn(world, step->conn));
      break;
    case SCN_ADOPT:
      perform_adopt(world, step);
      break;
    case SCN_CLEAR_ACCOUNT:
      world->pool_calls->clear_account(world->pool, now, step->account);
      break;
    case SCN_PEER_CLOSE:
    case SCN_PEER_MESSAGE:
      perform_peer(world, step);
      break;
    case SCN_UPSTREAM:
      perform_upstream(world, step);
      break;
    case SCN_CLOCK_JUMP:
      perform_clock_jump(world, step);
      break;
    case SCN_CLOSE_POOL:
      perform_close_pool(world, step, label);
      break;
    case SCN_TOGETHER:
      perform_together(world, step);
      break;
    case SCN_EXPECT:
      scn_verdict_judge(world, step->expectations, step->expectation_count, true);
      break;
  }
}

void scn_step_perform(struct scn_world *world, const struct scn_step *step, int64_t repetition) {
  char buffer[256];
  const char *label = step->label;
  char *numbered = NULL;
  size_t size = 0;
  if (label != NULL && repetition > 0) {
    size = strlen(label) + 32;
    numbered = size <= sizeof buffer ? buffer : sim_arena_allocate(world->arena, size);
    if (numbered == NULL) {
      scn_world_break(world, step, "out of memory for a label");
      return;
    }
    scn_label_numbered(numbered, size, label, (uint64_t)repetition);
    label = numbered;
  }
  /* An adopted conn is not known by its id yet; elsewhere a label says which conn is meant. */
  const char *conn = step->kind == SCN_ADOPT ? step->conn : scn_world_conn(world, step->conn);
  const struct scn_operation *target = scn_operations_find(world->operations, step->target);
  bool of_target = target != NULL && step->account == 0;
  scn_world_note(world,
                 &(struct scn_note){.kind = SIM_STEP_PERFORMED,
                                    .account = of_target ? target->record.account : step->account,
                                    .values = {(int64_t)step->index, repetition},
                                    .conn = conn,
                                    .op = label != NULL ? label : step->target,
                                    .text = scn_step_kind_name(step->kind)});
  world->last_progress = world->now;
  perform(world, step, label);
  if (numbered != NULL && numbered != buffer) {
    sim_arena_release(world->arena, numbered, size);
  }
}
