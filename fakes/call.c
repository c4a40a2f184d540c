/*
 * call.c - pings, writes and reads on a conn: from the call to the answer. At most one of each
 * kind is under way on a conn, which is what the pool promises.
 */
#include "fakes/internal.h"

#include <assert.h>
#include <string.h>

bool fake_call_active(const struct fake_conn *conn, enum fake_subject subject) {
  return conn->calls[subject].entry.due.position != 0;
}

void fake_call_drop(struct fake_conn *conn, enum fake_subject subject) {
  struct fake_upstream *upstream = conn->upstream;
  if (!fake_call_active(conn, subject)) {
    return;
  }
  fake_unschedule(upstream->world, &conn->calls[subject].entry);
  if (subject == FAKE_SUBJECT_PING) {
    upstream->counters.concurrent_pings--;
  } else if (subject == FAKE_SUBJECT_READ) {
    conn->last_in = fake_now(upstream->world); /* pongs came in until now */
  }
}

/* Takes the answer of a call and schedules it. */
static enum wsp_error start(struct fake_conn *conn, enum fake_subject subject, sim_action action) {
  struct fake_world *world = conn->upstream->world;
  struct fake_call *call = &conn->calls[subject];
  if (conn->state != FAKE_CONN_OPEN) {
    return WSP_CONN_CLOSED;
  }
  assert(!fake_call_active(conn, subject));
  call->answer = fake_call_answer(conn, subject);
  call->canceled = false;
  fake_fault_call(conn, subject, &call->answer);
  wsp_time due = fake_answer_due(world, &call->answer);
  return fake_schedule_answer(world, &call->entry, due, action, conn) ? WSP_OK : WSP_OUT_OF_MEMORY;
}

/* In place of the answer, and of all others that are under way on it. */
static void reset(struct fake_conn *conn, wsp_time now) {
  bool closed =
      fake_conn_peer_close(conn, now, FAKE_CLOSE_ABNORMAL, "connection reset by peer", "reset");
  assert(closed); /* a conn that closes has no call under way */
  (void)closed;
}

static void write_ends(void *context, wsp_time now) {
  struct fake_conn *conn = context;
  const struct fake_call *call = &conn->calls[FAKE_SUBJECT_WRITE];
  fake_fired(conn->upstream->world, &call->entry);
  if (call->answer.is_reset) {
    reset(conn, now);
  } else if (call->answer.outcome == FAKE_ERROR) {
    conn->upstream->world->pool->write_done(conn->name, now, WSP_IO_FAILED, call->answer.text);
  } else {
    conn->upstream->world->pool->write_done(conn->name, now, WSP_OK, NULL);
  }
}

enum wsp_error fake_write(void *context, void *conn, const char *data, size_t length) {
  struct fake_conn *target = conn;
  (void)context;
  (void)data; /* a message is a whole, and nobody here reads it */
  (void)length;
  enum wsp_error error = start(target, FAKE_SUBJECT_WRITE, write_ends);
  if (error != WSP_OK) {
    return error;
  }
  target->upstream->counters.writes++;
  if (target->calls[FAKE_SUBJECT_WRITE].answer.outcome == FAKE_OK && !target->is_silent) {
    target->last_in = fake_now(target->upstream->world);
  }
  return WSP_OK;
}

static void read_ends(void *context, wsp_time now) {
  struct fake_conn *conn = context;
  struct fake_upstream *upstream = conn->upstream;
  const struct fake_call *call = &conn->calls[FAKE_SUBJECT_READ];
  fake_fired(upstream->world, &call->entry);
  conn->last_in = now;
  if (call->answer.is_reset) {
    reset(conn, now);
  } else if (call->answer.outcome == FAKE_EOF) {
    (void)fake_conn_peer_close(conn, now, 0, NULL, "eof");
  } else if (call->answer.outcome == FAKE_ERROR) {
    conn->upstream->world->pool->read_done(conn->name, now, WSP_IO_FAILED, call->answer.text, NULL,
                                           0);
  } else {
    const char *message = call->answer.text;
    upstream->counters.messages++;
    conn->upstream->world->pool->read_done(conn->name, now, WSP_OK, NULL, message, strlen(message));
  }
}

enum wsp_error fake_read(void *context, void *conn) {
  struct fake_conn *target = conn;
  (void)context;
  enum wsp_error error = start(target, FAKE_SUBJECT_READ, read_ends);
  if (error == WSP_OK) {
    target->upstream->counters.reads++;
  }
  return error;
}

void fake_read_cancel(void *context, void *conn) {
  (void)context;
  fake_call_drop(conn, FAKE_SUBJECT_READ);
}

static void ping_ends(void *context, wsp_time now) {
  struct fake_conn *conn = context;
  struct fake_upstream *upstream = conn->upstream;
  const struct fake_call *call = &conn->calls[FAKE_SUBJECT_PING];
  fake_fired(upstream->world, &call->entry);
  upstream->counters.concurrent_pings--;
  if (call->canceled) {
    conn->upstream->world->pool->ping_done(conn->name, now, WSP_CANCELED, NULL);
  } else if (call->answer.is_reset) {
    reset(conn, now);
  } else if (call->answer.outcome == FAKE_ERROR) {
    conn->upstream->world->pool->ping_done(conn->name, now, WSP_PING_FAILED, call->answer.text);
  } else {
    conn->upstream->world->pool->ping_done(conn->name, now, WSP_OK, NULL);
  }
}

enum wsp_error fake_ping(void *context, void *conn) {
  struct fake_conn *target = conn;
  (void)context;
  enum wsp_error error = start(target, FAKE_SUBJECT_PING, ping_ends);
  if (error != WSP_OK) {
    return error;
  }
  struct fake_counters *counters = &target->upstream->counters;
  counters->pings++;
  counters->concurrent_pings++;
  if (counters->max_concurrent_pings < counters->concurrent_pings) {
    counters->max_concurrent_pings = counters->concurrent_pings;
  }
  target->last_in = fake_now(target->upstream->world);
  return WSP_OK;
}

void fake_ping_cancel(void *context, void *conn) {
  struct fake_world *world = context;
  struct fake_conn *target = conn;
  struct fake_call *call = &target->calls[FAKE_SUBJECT_PING];
  if (!fake_call_active(target, FAKE_SUBJECT_PING) || call->canceled) {
    return;
  }
  call->canceled = true;
  fake_unschedule(world, &call->entry);
  bool scheduled = fake_schedule_answer(world, &call->entry, fake_now(world), ping_ends, target);
  assert(scheduled);
  (void)scheduled;
}

bool fake_is_call_entry(const struct sim_entry *entry) {
  return entry->action == ping_ends || entry->action == read_ends || entry->action == write_ends;
}

bool fake_call_describe(const struct sim_entry *entry, struct fake_happening *happening) {
  const struct fake_conn *conn = entry->context;
  if (entry->action == ping_ends) {
    happening->what = conn->calls[FAKE_SUBJECT_PING].canceled ? "the end of a canceled ping"
                                                              : "the answer of a ping";
  } else if (entry->action == read_ends) {
    happening->what = "the answer of a read";
  } else if (entry->action == write_ends) {
    happening->what = "the answer of a write";
  } else {
    return false;
  }
  happening->conn = conn->upstream->world->pool->conn_id(conn->name);
  happening->account = conn->upstream->world->pool->conn_account(conn->name);
  return true;
}
