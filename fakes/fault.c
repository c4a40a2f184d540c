/*
 * fault.c - what each fault does to the call that it strikes.
 *
 * Nothing of it shows before the call would be answered: a fault changes the answer that was taken
 * when the call started, or the conn for the time to come.
 */
#include "fakes/fault.h"

#include <string.h>

#include "fakes/internal.h"

enum { TOO_MANY_REQUESTS = 429 };

/* A close that is told again. It has no conn any more, only the name that the conn had. */
struct repeated_close {
  struct sim_entry entry;
  struct fake_world *world;
  struct wsp_conn name;
};

const struct fake_fault_type *fake_fault_type(enum fake_fault_kind kind) {
  static const struct fake_fault_type types[] = {
#define FAKE_TYPE(id, name, strikes, length, sentence) {name, strikes, length, sentence},
      FAKE_FAULT_LIST(FAKE_TYPE)
#undef FAKE_TYPE
  };
  return &types[kind];
}

const char *fake_subject_name(enum fake_subject subject) {
  static const char *const names[] = {
#define FAKE_NAME(id, name) name,
      FAKE_SUBJECT_LIST(FAKE_NAME)
#undef FAKE_NAME
  };
  return names[subject];
}

static bool is_named(const char *candidate, const char *name, size_t length) {
  return strlen(candidate) == length && memcmp(candidate, name, length) == 0;
}

int fake_fault_by_name(const char *name, size_t length) {
  for (int kind = 0; kind < FAKE_FAULT_COUNT; kind++) {
    if (is_named(fake_fault_type((enum fake_fault_kind)kind)->name, name, length)) {
      return kind;
    }
  }
  return -1;
}

int fake_subject_by_name(const char *name, size_t length) {
  for (int subject = 0; subject < FAKE_SUBJECT_COUNT; subject++) {
    if (is_named(fake_subject_name((enum fake_subject)subject), name, length)) {
      return subject;
    }
  }
  return -1;
}

void fake_world_use_faults(struct fake_world *world, const struct fake_fault_plan *plan) {
  world->faults.plan = plan;
}

uint64_t fake_world_faults_fired(const struct fake_world *world) {
  return world->faults.fired;
}

wsp_time fake_world_faults_end(const struct fake_world *world) {
  return world->faults.end;
}

void fake_world_heal(struct fake_world *world) {
  world->faults.plan = NULL;
  world->healed = true;
}

/* ---- Whether one strikes --------------------------------------------------------------------- */

struct struck {
  enum fake_subject subject;
  int64_t account;
  const char *conn; /* its id, "" for a dial */
};

static void trace_fired(struct fake_world *world, const struct struck *struck,
                        const struct fake_fault *fault, uint64_t number) {
  if (world->trace == NULL) {
    return;
  }
  struct sim_event event = {
      .kind = SIM_FAULT_FIRED, .t_ns = fake_now(world), .account = struck->account};
  event.conn = sim_trace_intern(world->trace, struck->conn);
  event.values[0] = (int64_t)number;
  event.values[1] = fault->length;
  event.texts[0] = sim_trace_intern(world->trace, fake_fault_type(fault->kind)->name);
  event.texts[1] = sim_trace_intern(world->trace, fake_subject_name(struck->subject));
  (void)sim_trace_append(world->trace, &event); /* a full trace says so itself */
}

static bool strikes(struct fake_world *world, const struct struck *struck,
                    struct fake_fault *fault) {
  struct fake_faults *faults = &world->faults;
  if (faults->plan == NULL) {
    return false;
  }
  uint64_t number = ++faults->calls[struck->subject];
  wsp_time now = fake_now(world);
  *fault = (struct fake_fault){0};
  if (!faults->plan->strikes(faults->plan->context, struck->subject, number, now, fault)) {
    return false;
  }
  faults->fired++;
  wsp_time end = fake_time_after(now, fault->length);
  if (faults->end < end) {
    faults->end = end;
  }
  trace_fired(world, struck, fault, number);
  return true;
}

/* ---- What it does ------------------------------------------------------------------------------
 */

static void no_earlier(struct fake_answer *answer, wsp_duration latency) {
  if (answer->latency < latency) {
    answer->latency = latency;
  }
}

static void fail_dial(struct fake_answer *answer, int status, const char *text) {
  answer->outcome = FAKE_ERROR;
  answer->status = status;
  answer->text = text;
}

bool fake_fault_dial(struct fake_upstream *upstream, int64_t account, struct fake_answer *answer) {
  struct fake_fault fault;
  const struct struck struck = {FAKE_SUBJECT_DIAL, account, ""};
  if (!strikes(upstream->world, &struck, &fault)) {
    return false;
  }
  switch (fault.kind) {
    case FAKE_FAULT_DROP:
      fail_dial(answer, 0, "connection timed out");
      answer->latency = fault.length;
      return true;
    case FAKE_FAULT_RESET:
      fail_dial(answer, 0, "connection reset by peer");
      return true;
    case FAKE_FAULT_REFUSE:
      fail_dial(answer, 0, "connection refused");
      return true;
    case FAKE_FAULT_TOO_MANY_REQUESTS:
      fail_dial(answer, TOO_MANY_REQUESTS, "too many requests");
      return true;
    case FAKE_FAULT_STALL:
      no_earlier(answer, fault.length);
      return false;
    case FAKE_FAULT_SLOW:
      answer->latency = fake_time_after(answer->latency, fault.length);
      return false;
    default:
      return false;
  }
}

/* What is written to a silent conn is taken, and nothing comes back. */
static void silence(struct fake_answer *answer, enum fake_subject subject) {
  if (subject != FAKE_SUBJECT_WRITE) {
    answer->outcome = FAKE_BLOCK;
  } else if (answer->outcome == FAKE_ERROR) {
    answer->outcome = FAKE_OK;
  }
}

static void strike_call(struct fake_conn *conn, enum fake_subject subject,
                        struct fake_answer *answer, wsp_time now) {
  struct fake_fault fault;
  const struct struck struck = {subject, conn->upstream->world->pool->conn_account(conn->name),
                                conn->upstream->world->pool->conn_id(conn->name)};
  if (!strikes(conn->upstream->world, &struck, &fault)) {
    return;
  }
  switch (fault.kind) {
    case FAKE_FAULT_DROP:
      fake_conn_go_silent(conn, now, fake_time_after(now, fault.length));
      break;
    case FAKE_FAULT_STALL:
      conn->stalled_until = fake_time_after(now, fault.length);
      break;
    case FAKE_FAULT_RESET:
      answer->outcome = FAKE_ERROR;
      answer->is_reset = true;
      break;
    case FAKE_FAULT_SLOW:
      answer->latency = fake_time_after(answer->latency, fault.length);
      break;
    default:
      break;
  }
}

void fake_fault_call(struct fake_conn *conn, enum fake_subject subject,
                     struct fake_answer *answer) {
  const struct fake_world *world = conn->upstream->world;
  wsp_time now = fake_now(world);
  if (world->faults.plan != NULL && !conn->is_silent) {
    strike_call(conn, subject, answer, now);
  }
  if (conn->is_silent) {
    silence(answer, subject);
  } else if (conn->stalled_until > now) {
    no_earlier(answer, conn->stalled_until - now);
  }
}

static void close_is_repeated(void *context, wsp_time now) {
  struct repeated_close repeated = *(struct repeated_close *)context;
  fake_fired(repeated.world, &repeated.entry);
  sim_arena_release(repeated.world->arena, context, sizeof repeated);
  repeated.world->pool->conn_closed(repeated.name, now, 0, NULL);
}

void fake_fault_close(const struct fake_conn *conn) {
  struct fake_world *world = conn->upstream->world;
  struct fake_fault fault;
  const struct struck struck = {FAKE_SUBJECT_CLOSE,
                                conn->upstream->world->pool->conn_account(conn->name),
                                conn->upstream->world->pool->conn_id(conn->name)};
  if (!strikes(world, &struck, &fault)) {
    return;
  }
  struct repeated_close *repeated = sim_arena_zeroed(world->arena, sizeof *repeated);
  if (repeated == NULL) {
    return; /* told once then, as it should be */
  }
  repeated->world = world;
  repeated->name = conn->name;
  if (!fake_schedule_background(world, &repeated->entry,
                                fake_time_after(fake_now(world), fault.length), close_is_repeated,
                                repeated)) {
    sim_arena_release(world->arena, repeated, sizeof *repeated);
  }
}
