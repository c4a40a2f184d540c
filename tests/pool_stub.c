/*
 * pool_stub.c - the transport of tests/pool_fixture.h: it records what the pool asks for, answers
 * when the test says so, and notices when the pool breaks the transport's contract.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/pool_rig.h"

static void violate(struct rig *rig, const char *what) {
  if (rig->violation == NULL) {
    rig->violation = what;
  }
}

struct stub_conn *rig_new_conn(struct rig *rig) {
  struct stub_conn *conn = calloc(1, sizeof *conn);
  struct stub_conn **conns =
      realloc(rig->conns, (rig->conn_count + 1) * sizeof(struct stub_conn *));
  rig_require(conn != NULL && conns != NULL);
  rig->conns = conns;
  rig->conns[rig->conn_count++] = conn;
  return conn;
}

static enum wsp_error dial(void *context, struct wsp_dial name,
                           const struct wsp_dial_request *request, void **dialing) {
  struct rig *rig = context;
  if (rig->refuse_dial != WSP_OK) {
    return rig->refuse_dial;
  }
  struct stub_dial *dial = calloc(1, sizeof *dial);
  struct stub_dial **dials =
      realloc(rig->dials, (rig->dial_count + 1) * sizeof(struct stub_dial *));
  rig_require(dial != NULL && dials != NULL);
  rig->dials = dials;
  rig->dials[rig->dial_count++] = dial;
  *dial = (struct stub_dial){.rig = rig,
                             .name = name,
                             .account = request->account,
                             .prewarm = request->prewarm,
                             .started_at = rig->now};
  rig_copy_text(dial->url, request->url);
  rig_copy_text(dial->proxy, request->proxy);
  if (request->url == NULL || request->proxy == NULL) {
    violate(rig, "dial without a url or with a NULL proxy");
  }
  if (request->header_count > 0) {
    rig_copy_header(dial->header, &request->headers[0]);
  }
  *dialing = dial;
  return WSP_OK;
}

static void dial_cancel(void *context, void *dialing) {
  struct stub_dial *dial = dialing;
  if (dial == NULL || dial->done || dial->canceled) {
    violate(context, "dial_cancel of a dial that has ended or was cancelled");
    return;
  }
  dial->canceled = true;
}

static bool is_open(struct rig *rig, const struct stub_conn *conn) {
  if (conn == NULL || conn->closed || conn->closing || conn->dropped) {
    violate(rig, "a call on a conn that is closed");
    return false;
  }
  return true;
}

static enum wsp_error write_text(void *context, void *name, const char *data, size_t length) {
  struct rig *rig = context;
  struct stub_conn *conn = name;
  if (rig->refuse_write != WSP_OK) {
    return rig->refuse_write;
  }
  if (is_open(rig, conn)) {
    if (conn->writing) {
      violate(rig, "two writes under way on a conn");
    }
    conn->writing = true;
    conn->writes++;
    memset(conn->written, 0, sizeof conn->written);
    memcpy(conn->written, data, length < RIG_TEXT_SIZE ? length : RIG_TEXT_SIZE - 1);
  }
  return WSP_OK;
}

static enum wsp_error read_message(void *context, void *name) {
  struct rig *rig = context;
  struct stub_conn *conn = name;
  if (rig->refuse_read != WSP_OK) {
    return rig->refuse_read;
  }
  if (is_open(rig, conn)) {
    if (conn->reading) {
      violate(rig, "two reads under way on a conn");
    }
    conn->reading = true;
    conn->reads++;
  }
  return WSP_OK;
}

static void read_cancel(void *context, void *name) {
  struct stub_conn *conn = name;
  if (is_open(context, conn)) {
    if (!conn->reading) {
      violate(context, "read_cancel without a read");
    }
    conn->reading = false;
    conn->read_cancels++;
  }
}

static enum wsp_error ping(void *context, void *name) {
  struct rig *rig = context;
  struct stub_conn *conn = name;
  if (rig->refuse_ping != WSP_OK) {
    return rig->refuse_ping;
  }
  if (is_open(rig, conn)) {
    if (conn->pinging) {
      violate(rig, "two pings under way on a conn");
    }
    conn->pinging = true;
    conn->ping_canceled = false;
    conn->pings++;
  }
  return WSP_OK;
}

static void ping_cancel(void *context, void *name) {
  struct stub_conn *conn = name;
  if (is_open(context, conn)) {
    if (!conn->pinging || conn->ping_canceled) {
      violate(context, "ping_cancel without a ping, or twice");
    }
    conn->ping_canceled = true;
  }
}

static void close_conn(void *context, void *name) {
  struct stub_conn *conn = name;
  if (is_open(context, conn)) {
    conn->closing = true;
    conn->writing = conn->reading = conn->pinging = false;
  }
}

const struct wsp_transport stub_transport = {
    .dial = dial,
    .dial_cancel = dial_cancel,
    .write = write_text,
    .read = read_message,
    .read_cancel = read_cancel,
    .ping = ping,
    .ping_cancel = ping_cancel,
    .close = close_conn,
};

static struct wsp_conn answer(struct rig *rig, struct stub_dial *dial,
                              const struct wsp_dial_result *result) {
  rig_require(!dial->done);
  dial->done = true;
  return wsp_dial_done(dial->name, rig->now, result);
}

struct stub_conn *stub_dial_ok_with(struct rig *rig, struct stub_dial *dial,
                                    const struct wsp_header *headers, size_t count) {
  struct stub_conn *conn = rig_new_conn(rig);
  dial->conn = conn;
  conn->name = answer(
      rig, dial,
      &(struct wsp_dial_result){
          .error = WSP_OK, .conn = conn, .status = 101, .headers = headers, .header_count = count});
  conn->dropped = conn->name.pool == NULL;
  return conn;
}

struct stub_conn *stub_dial_ok(struct rig *rig, struct stub_dial *dial) {
  return stub_dial_ok_with(rig, dial, NULL, 0);
}

void stub_dial_nil(struct rig *rig, struct stub_dial *dial) {
  (void)answer(rig, dial, &(struct wsp_dial_result){.error = WSP_OK, .status = 200});
}

void stub_dial_failed(struct rig *rig, struct stub_dial *dial, int status, const char *reason) {
  static const struct wsp_header header = {" Retry-After ", " 7 "};
  (void)answer(rig, dial,
               &(struct wsp_dial_result){.error = WSP_DIAL_FAILED,
                                         .status = status,
                                         .reason = reason,
                                         .headers = &header,
                                         .header_count = 1});
}

void stub_dial_error(struct rig *rig, struct stub_dial *dial, enum wsp_error error) {
  (void)answer(rig, dial, &(struct wsp_dial_result){.error = error});
}

void stub_ping_done(struct rig *rig, struct stub_conn *conn, enum wsp_error error,
                    const char *reason) {
  conn->pinging = conn->ping_canceled = false;
  wsp_ping_done(conn->name, rig->now, error, reason);
}

void stub_write_done(struct rig *rig, struct stub_conn *conn, enum wsp_error error,
                     const char *reason) {
  conn->writing = false;
  wsp_write_done(conn->name, rig->now, error, reason);
}

void stub_read_done(struct rig *rig, struct stub_conn *conn, enum wsp_error error,
                    const char *reason, const char *message) {
  conn->reading = false;
  wsp_read_done(conn->name, rig->now, error, reason, message,
                message == NULL ? 0 : strlen(message));
}

void stub_message(struct rig *rig, struct stub_conn *conn, const char *message) {
  wsp_conn_message(conn->name, rig->now, message, strlen(message));
}

void stub_closed(struct rig *rig, struct stub_conn *conn, int code, const char *reason) {
  conn->closed = true;
  conn->writing = conn->reading = conn->pinging = false;
  wsp_conn_closed(conn->name, rig->now, code, reason);
}

struct stub_conn *rig_adopt(struct rig *rig, const char *id, const char *url, wsp_duration age,
                            wsp_duration idle) {
  struct stub_conn *conn = rig_new_conn(rig);
  struct wsp_adoption adoption = {
      .account = RIG_ACCOUNT, .id = id, .url = url, .age = age, .idle = idle, .conn = conn};
  CU_ASSERT_EQUAL(wsp_adopt(rig->pool, rig->now, &adoption, &conn->name), WSP_OK);
  return conn;
}

bool rig_confirm(struct rig *rig) {
  bool any = false;
  for (size_t i = 0; i < rig->dial_count; i++) {
    struct stub_dial *dialing = rig->dials[i];
    if (dialing->canceled && !dialing->done && !rig->hold_cancels) {
      stub_dial_error(rig, dialing, WSP_CANCELED);
      any = true;
    } else if (rig->answer_dials && !dialing->done) {
      (void)stub_dial_ok(rig, dialing);
      any = true;
    }
  }
  for (size_t i = 0; i < rig->conn_count; i++) {
    struct stub_conn *conn = rig->conns[i];
    if (conn->closing && !conn->closed && !rig->hold_closes) {
      stub_closed(rig, conn, 1000, NULL);
      any = true;
    } else if (conn->pinging && conn->ping_canceled && !rig->hold_cancels) {
      stub_ping_done(rig, conn, WSP_CANCELED, NULL);
      any = true;
    } else if (conn->pinging && rig->answer_pings) {
      stub_ping_done(rig, conn, WSP_OK, NULL);
      any = true;
    }
  }
  return any;
}
