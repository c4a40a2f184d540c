/*
 * pool_fixture.c - the rig of tests/pool_fixture.h: its memory, its clock, its operations and its
 * record of events. The transport's side is in pool_stub.c.
 */
#include "tests/pool_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pool_rig.h"

void rig_copy_text(char to[RIG_TEXT_SIZE], const char *text) {
  size_t length = text == NULL ? 0 : strlen(text);
  length = length < RIG_TEXT_SIZE ? length : RIG_TEXT_SIZE - 1;
  if (length > 0) {
    memcpy(to, text, length);
  }
  to[length] = '\0';
}

void rig_copy_header(char to[RIG_TEXT_SIZE], const struct wsp_header *header) {
  snprintf(to, RIG_TEXT_SIZE, "%s: %s", header->name, header->value);
}

/* In front of each block: what it was asked for. */
union block {
  size_t size;
  max_align_t align;
};

static void *allocate(void *context, size_t size) {
  struct rig_allocator *allocator = context;
  allocator->calls++;
  if (allocator->fail_at != 0 && (allocator->calls == allocator->fail_at ||
                                  (allocator->fail_on && allocator->calls > allocator->fail_at))) {
    return NULL;
  }
  union block *block = malloc(sizeof *block + size);
  rig_require(block != NULL);
  block->size = size;
  memset(block + 1, 0xa5, size);
  allocator->live_bytes += (int64_t)size;
  return block + 1;
}

static void release(void *context, void *memory, size_t size) {
  struct rig_allocator *allocator = context;
  if (memory == NULL) {
    return;
  }
  union block *block = (union block *)memory - 1;
  CU_ASSERT_EQUAL(block->size, size);
  allocator->live_bytes -= (int64_t)block->size;
  memset(memory, 0x5a, block->size);
  free(block);
}

static void record(void *context, const struct wsp_event *event) {
  struct rig *rig = context;
  if (rig->event_count == rig->event_capacity) {
    rig->event_capacity = rig->event_capacity == 0 ? 256 : 2 * rig->event_capacity;
    rig->events = realloc(rig->events, rig->event_capacity * sizeof *rig->events);
    rig_require(rig->events != NULL);
  }
  struct rig_event *to = &rig->events[rig->event_count++];
  *to = (struct rig_event){.now = event->now,
                           .kind = event->kind,
                           .cause = event->cause,
                           .account = event->account,
                           .serial = event->conn_serial,
                           .tag = event->tag};
  memcpy(to->values, event->values, sizeof to->values);
  rig_copy_text(to->conn, event->conn_id);
  rig_copy_text(to->texts[0], event->texts[0]);
  rig_copy_text(to->texts[1], event->texts[1]);
  if (rig->observe != NULL) {
    rig->observe(rig->observe_context, event);
  }
}

static uint64_t draw(void *context) {
  struct rig *rig = context;
  rig->random_draws++;
  return rig->random_value;
}

static wsp_time pick_clock(void *context) {
  struct rig *rig = context;
  rig->pick_clock += rig->pick_step;
  return rig->pick_clock;
}

struct wsp_config rig_config(void) {
  struct wsp_config config;
  wsp_config_init(&config);
  config.ping_interval = 0;
  config.cleanup_interval = 0;
  return config;
}

struct wsp_environment rig_environment(struct rig *rig) {
  return (struct wsp_environment){
      .transport = &stub_transport,
      .transport_context = rig,
      .random_bits = draw,
      .random_context = rig,
      .allocate = allocate,
      .release = release,
      .allocator_context = &rig->allocator,
      .trace = record,
      .trace_context = rig,
      .pick_clock = pick_clock,
      .pick_clock_context = rig,
  };
}

void rig_open_empty(struct rig *rig) {
  memset(rig, 0, sizeof *rig);
}

void rig_open(struct rig *rig, const struct wsp_config *config) {
  rig_open_empty(rig);
  rig->config = config != NULL ? *config : rig_config();
  struct wsp_environment environment = rig_environment(rig);
  rig_require(wsp_pool_create(&rig->config, &environment, rig->now, &rig->pool) == WSP_OK);
}

void rig_close(struct rig *rig) {
  wsp_pool_destroy(rig->pool);
  CU_ASSERT_EQUAL(rig->allocator.live_bytes, 0);
  CU_ASSERT_PTR_NULL(rig->violation);
  if (rig->violation != NULL) {
    printf("the pool broke the transport's contract: %s\n", rig->violation);
  }
  for (size_t i = 0; i < rig->ending_count; i++) {
    CU_ASSERT(rig->endings[i].count <= 1);
  }
  for (size_t i = 0; i < rig->dial_count; i++) {
    free(rig->dials[i]);
  }
  for (size_t i = 0; i < rig->conn_count; i++) {
    free(rig->conns[i]);
  }
  free(rig->dials);
  free(rig->conns);
  free(rig->events);
}

void rig_settle(struct rig *rig) {
  do {
    wsp_pool_advance(rig->pool, rig->now);
  } while (rig_confirm(rig) || wsp_pool_next_deadline(rig->pool) <= rig->now);
}

void rig_run(struct rig *rig, wsp_time until) {
  for (;;) {
    wsp_time next = wsp_pool_next_deadline(rig->pool);
    if (next > until) {
      break;
    }
    rig->now = next > rig->now ? next : rig->now;
    rig_settle(rig);
  }
  rig->now = until;
  rig_settle(rig);
}

void rig_acquired(void *context, const struct wsp_acquire_result *result) {
  struct ending *ending = context;
  ending->count++;
  ending->at = ending->rig->now;
  ending->error = result->error;
  ending->status = result->status;
  ending->lease = result->lease;
  ending->reused = result->reused;
  ending->queue_wait = result->queue_wait;
  ending->conn_pick = result->conn_pick;
  rig_copy_text(ending->text, result->error_text);
  rig_copy_text(ending->cause, result->cause);
  rig_copy_text(ending->conn, wsp_lease_conn_id(result->lease));
  if (result->header_count > 0) {
    rig_copy_header(ending->message, &result->headers[0]);
  }
}

static void io_ended(void *context, const struct wsp_io_result *result) {
  struct ending *ending = context;
  ending->count++;
  ending->at = ending->rig->now;
  ending->error = result->error;
  ending->message_length = result->message_length;
  rig_copy_text(ending->text, result->error_text);
  rig_copy_text(ending->message, result->message);
}

static struct ending *new_ending(struct rig *rig) {
  rig_require(rig->ending_count < sizeof rig->endings / sizeof rig->endings[0]);
  struct ending *ending = &rig->endings[rig->ending_count++];
  *ending = (struct ending){.rig = rig};
  return ending;
}

struct wsp_acquire_request rig_request(void) {
  return (struct wsp_acquire_request){.account = {.id = RIG_ACCOUNT}, .url = RIG_URL};
}

struct ending *rig_acquire(struct rig *rig, const struct wsp_acquire_request *request) {
  struct wsp_acquire_request plain = rig_request();
  struct ending *ending = new_ending(rig);
  CU_ASSERT_EQUAL(wsp_acquire(rig->pool, rig->now, request != NULL ? request : &plain, rig_acquired,
                              ending, &ending->op),
                  WSP_OK);
  return ending;
}

struct ending *rig_dialled(struct rig *rig) {
  struct wsp_acquire_request request = rig_request();
  request.force_new_conn = true;
  struct ending *ending = rig_acquire(rig, &request);
  (void)stub_dial_ok(rig, rig_last_dial(rig));
  rig_settle(rig);
  CU_ASSERT_EQUAL(ending->error, WSP_OK);
  CU_ASSERT_EQUAL(ending->count, 1);
  return ending;
}

struct stub_conn *rig_idle(struct rig *rig) {
  struct ending *ending = rig_dialled(rig);
  struct stub_conn *conn = rig->conns[rig->conn_count - 1];
  rig_release(rig, ending);
  return conn;
}

struct ending *rig_io_coded(struct rig *rig, rig_io_function function,
                            const struct wsp_io_request *request, enum wsp_error *code) {
  struct ending *ending = new_ending(rig);
  struct wsp_io_request with_ending = *request;
  with_ending.callback = io_ended;
  with_ending.context = ending;
  *code = function(&with_ending, rig->now, &ending->op);
  return ending;
}

struct ending *rig_io(struct rig *rig, rig_io_function function, struct wsp_lease lease,
                      wsp_duration timeout) {
  enum wsp_error code;
  struct ending *ending = rig_io_coded(
      rig, function, &(struct wsp_io_request){.lease = lease, .timeout = timeout}, &code);
  CU_ASSERT_EQUAL(code, WSP_OK);
  return ending;
}

void rig_release(struct rig *rig, const struct ending *granted) {
  wsp_lease_release(granted->lease, rig->now);
  rig_settle(rig);
}

void rig_cancel(struct rig *rig, const struct ending *ending) {
  wsp_op_cancel(ending->op, rig->now);
}

struct stub_dial *rig_last_dial(const struct rig *rig) {
  rig_require(rig->dial_count > 0);
  return rig->dials[rig->dial_count - 1];
}

struct wsp_account_stats rig_account(const struct rig *rig, int64_t account) {
  struct wsp_account_stats stats;
  wsp_account_stats(rig->pool, account, &stats);
  return stats;
}

struct wsp_conn_stats rig_conn(const struct rig *rig, const char *id) {
  struct wsp_conn_stats stats;
  (void)wsp_conn_stats(rig->pool, RIG_ACCOUNT, id, &stats);
  return stats;
}

bool rig_has_conn(const struct rig *rig, const char *id) {
  struct wsp_conn_stats stats;
  return wsp_conn_stats(rig->pool, RIG_ACCOUNT, id, &stats);
}

struct wsp_metrics rig_metrics(const struct rig *rig) {
  struct wsp_metrics metrics;
  wsp_pool_metrics(rig->pool, &metrics);
  return metrics;
}

size_t rig_count(const struct rig *rig, enum wsp_event_kind kind) {
  size_t count = 0;
  for (size_t i = 0; i < rig->event_count; i++) {
    count += rig->events[i].kind == kind;
  }
  return count;
}

size_t rig_count_because(const struct rig *rig, enum wsp_event_kind kind, int cause) {
  size_t count = 0;
  for (size_t i = 0; i < rig->event_count; i++) {
    count += rig->events[i].kind == kind && rig->events[i].cause == cause;
  }
  return count;
}

struct rig_event rig_last(const struct rig *rig, enum wsp_event_kind kind) {
  for (size_t i = rig->event_count; i > 0; i--) {
    if (rig->events[i - 1].kind == kind) {
      return rig->events[i - 1];
    }
  }
  return (struct rig_event){.now = 0};
}

void rig_forget_events(struct rig *rig) {
  rig->event_count = 0;
}
