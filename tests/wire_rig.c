/*
 * wire_rig.c - the pool of wire_fixture.h: one on libwebsockets, in real time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pool/wspool_trace.h"
#include "tests/wire_fixture.h"

/* Nothing waits that long unless it hangs; a busy machine may be slow. */
#define PATIENCE (60 * WSP_SECOND)

static void require(bool held) {
  if (!held) {
    abort(); /* a test without its rig shows nothing */
  }
}

static void observe(void *context, const struct wsp_event *event) {
  struct wire_rig *rig = context;
  if (event->kind == WSP_CONN_CLOSED_EVENT) {
    rig->closes++;
    rig->closed_code = (int)event->values[0];
    snprintf(rig->evicted, sizeof rig->evicted, "%s",
             event->texts[0] == NULL ? "" : event->texts[0]);
  }
}

struct wire_rig *wire_rig_create(const struct wsp_lws_options *options) {
  return wire_rig_create_trusting(NULL, options);
}

struct wire_rig *wire_rig_create_trusting(const char *authority,
                                          const struct wsp_lws_options *options) {
  struct wire_rig *rig = calloc(1, sizeof *rig);
  struct wsp_lws_options own = options == NULL ? (struct wsp_lws_options){0} : *options;
  struct wsp_config config;
  require(rig != NULL);
  wsp_config_init(&config);
  config.max_idle_per_account = 8;
  config.dial_timeout = PATIENCE;
  rig->authority = fake_authority_create();
  require(rig->authority != NULL &&
          fake_identity_issue(rig->authority, "localhost", FAKE_VALID, &rig->identity));
  own.ca_pem = authority != NULL ? authority : fake_authority_pem(rig->authority);
  own.ca_pem_length = strlen(own.ca_pem);
  require(wsp_lws_create(&own, &rig->lws) == WSP_OK);
  const struct wsp_environment environment = {.transport = wsp_lws_transport(),
                                              .transport_context = rig->lws,
                                              .trace = observe,
                                              .trace_context = rig};
  require(wsp_pool_create(&config, &environment, wsp_lws_now(), &rig->pool) == WSP_OK);
  wsp_lws_drive(rig->lws, rig->pool);
  return rig;
}

void wire_rig_destroy(struct wire_rig *rig) {
  wsp_lws_destroy(rig->lws);
  wsp_pool_destroy(rig->pool);
  fake_identity_deinit(&rig->identity);
  fake_authority_destroy(rig->authority);
  free(rig);
}

bool wire_until(struct wire_rig *rig, const bool *done) {
  wsp_time end = wsp_lws_now() + PATIENCE;
  wsp_lws_wake(rig->lws);
  while (!*done && wsp_lws_now() < end) {
    wsp_lws_run_until(rig->lws, end);
  }
  return *done;
}

bool wire_until_closes(struct wire_rig *rig, int closes) {
  wsp_time end = wsp_lws_now() + PATIENCE;
  wsp_lws_wake(rig->lws);
  while (rig->closes < closes && wsp_lws_now() < end) {
    wsp_lws_run_until(rig->lws, end);
  }
  return rig->closes >= closes;
}

static void note(struct wire_call *call, enum wsp_error error, const char *text) {
  call->done = true;
  call->error = error;
  snprintf(call->text, sizeof call->text, "%s", text);
}

static void acquired(void *context, const struct wsp_acquire_result *result) {
  struct wire_call *call = context;
  note(call, result->error, result->error_text);
  call->lease = result->lease;
  call->status = result->status;
  for (size_t i = 0; i < result->header_count; i++) {
    if (strcasecmp(result->headers[i].name, "x-test") == 0) {
      snprintf(call->header, sizeof call->header, "%s", result->headers[i].value);
    }
  }
}

static void io_ended(void *context, const struct wsp_io_result *result) {
  struct wire_call *call = context;
  note(call, result->error, result->error_text);
  if (result->message != NULL) {
    call->length = result->message_length;
    call->message = malloc(call->length + 1);
    require(call->message != NULL);
    memcpy(call->message, result->message, call->length);
    call->message[call->length] = '\0';
  }
}

enum wsp_error wire_begin_acquire(struct wire_rig *rig, const char *url, struct wire_call *call,
                                  struct wsp_op *op) {
  const struct wsp_acquire_request request = {.account = {.id = 1}, .url = url};
  return wsp_acquire(rig->pool, wsp_lws_now(), &request, acquired, call, op);
}

struct wire_call wire_acquire_with(struct wire_rig *rig,
                                   const struct wsp_acquire_request *request) {
  struct wire_call call = {0};
  struct wsp_op op;
  require(wsp_acquire(rig->pool, wsp_lws_now(), request, acquired, &call, &op) == WSP_OK);
  if (!wire_until(rig, &call.done)) {
    wsp_op_cancel(op, wsp_lws_now());
    wsp_pool_advance(rig->pool, wsp_lws_now());
    snprintf(call.text, sizeof call.text, "it hangs");
    call.error = WSP_WOULD_WAIT;
  }
  return call;
}

struct wire_call wire_acquire(struct wire_rig *rig, const char *url) {
  return wire_acquire_with(rig, &(struct wsp_acquire_request){.account = {.id = 1}, .url = url});
}

static struct wire_call run(struct wire_rig *rig,
                            enum wsp_error (*start)(const struct wsp_io_request *, wsp_time,
                                                    struct wsp_op *),
                            struct wsp_io_request request) {
  struct wire_call call = {0};
  struct wsp_op op;
  request.callback = io_ended;
  request.context = &call;
  enum wsp_error error = start(&request, wsp_lws_now(), &op);
  if (error != WSP_OK) {
    note(&call, error, "not started");
  } else if (!wire_until(rig, &call.done)) {
    wsp_op_cancel(op, wsp_lws_now());
    wsp_pool_advance(rig->pool, wsp_lws_now());
    snprintf(call.text, sizeof call.text, "it hangs");
    call.error = WSP_WOULD_WAIT;
  }
  return call;
}

struct wire_call wire_read(struct wire_rig *rig, struct wsp_lease lease, wsp_duration timeout) {
  return run(rig, wsp_lease_read, (struct wsp_io_request){.lease = lease, .timeout = timeout});
}

struct wire_call wire_write(struct wire_rig *rig, struct wsp_lease lease, const char *json) {
  return run(rig, wsp_lease_write_json, (struct wsp_io_request){.lease = lease, .json = json});
}

struct wire_call wire_ping(struct wire_rig *rig, struct wsp_lease lease, wsp_duration timeout) {
  return run(rig, wsp_lease_ping, (struct wsp_io_request){.lease = lease, .timeout = timeout});
}

void wire_call_deinit(struct wire_call *call) {
  free(call->message);
  call->message = NULL;
}
