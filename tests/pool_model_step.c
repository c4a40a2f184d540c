/*
 * pool_model_step.c - the operations of a random run, the callers' and the transport's, and how
 * time passes between them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pool_model.h"
#include "tests/pool_rig.h"

const char *const model_urls[MODEL_URLS] = {"wss://one.example/v1", "wss://two.example/v1"};
const char *const model_proxies[MODEL_URLS] = {"", "http://proxy.example:8080"};

static void callback_acts(struct model *model);

/* A conn of any account that is or was there, rarely an unknown one. */
static void draw_conn_id(struct model *model, char id[MODEL_ID_SIZE]) {
  size_t count = model->conn_count;
  if (count == 0 || model_chance(model, 5)) {
    memcpy(id, "nobody", sizeof "nobody");
    return;
  }
  size_t recent = count < 12 ? count : 12;
  memcpy(id, model->conns[count - 1 - model_draw(model, recent)].id, MODEL_ID_SIZE);
}

static int64_t draw_account(struct model *model) {
  return model_chance(model, 70) ? 1 : 1 + (int64_t)model_draw(model, MODEL_ACCOUNTS);
}

static void acquired(void *context, const struct wsp_acquire_result *result) {
  struct model_acquire *acquire = context;
  struct model *model = acquire->model;
  acquire->callbacks++;
  acquire->error = result->error;
  model->waited_ns += result->queue_wait;
  MODEL_CHECK(model, acquire->callbacks == 1, "an acquire ends twice");
  if (result->error == WSP_OK) {
    acquire->lease = result->lease;
    for (size_t i = model->conn_count; i > 0; i--) {
      if (model->conns[i - 1].holder == acquire->tag) {
        acquire->serial = i;
        break;
      }
    }
    model_check_grant(model, acquire, result);
  } else {
    model_check_failure(model, acquire, result);
  }
  callback_acts(model);
}

static struct model_acquire *new_acquire(struct model *model) {
  struct model_acquire *acquire = calloc(1, sizeof *acquire);
  model->acquires =
      realloc(model->acquires, (model->acquire_count + 1) * sizeof(struct model_acquire *));
  rig_require(acquire != NULL && model->acquires != NULL);
  model->acquires[model->acquire_count++] = acquire;
  acquire->model = model;
  acquire->tag = model->acquire_count;
  return acquire;
}

static wsp_duration draw_timeout(struct model *model) {
  static const wsp_duration timeouts[] = {0,        0,        0,         1,        5 * MS,
                                          100 * MS, 500 * MS, 1000 * MS, 3000 * MS};
  return timeouts[model_draw(model, sizeof timeouts / sizeof timeouts[0])];
}

static struct wsp_acquire_request draw_request(struct model *model, struct model_acquire *acquire) {
  int strange = model->profile.strange_percent;
  acquire->account = draw_account(model);
  acquire->url = model_chance(model, strange) ? 1 : 0;
  acquire->proxy = model_chance(model, strange / 2) ? 1 : 0;
  if (model_chance(model, strange)) {
    draw_conn_id(model, acquire->preferred);
    acquire->force_preferred = model_chance(model, 50);
  }
  acquire->force_new = model_chance(model, strange / 2);
  acquire->canceled = model_chance(model, 2);
  wsp_duration timeout = draw_timeout(model);
  acquire->deadline = timeout == 0 ? 0 : model->rig.now + timeout;
  struct model_account *account = &model->accounts[acquire->account - 1];
  if (!account->known || (!model->closing && model_chance(model, 3))) {
    account->last = (struct wsp_account){
        .id = acquire->account,
        .type = model_chance(model, 50) ? WSP_ACCOUNT_OAUTH : WSP_ACCOUNT_API_KEY,
        .concurrency = (int64_t)model_draw(model, 6)};
    account->may_exceed = true;
  }
  return (struct wsp_acquire_request){.account = account->last,
                                      .url = model_urls[acquire->url],
                                      .proxy = model_proxies[acquire->proxy],
                                      .preferred_conn = acquire->preferred,
                                      .force_new_conn = acquire->force_new,
                                      .force_preferred_conn = acquire->force_preferred,
                                      .canceled = acquire->canceled,
                                      .deadline = acquire->deadline,
                                      .tag = acquire->tag};
}

static void step_acquire(struct model *model) {
  struct model_acquire *acquire = new_acquire(model);
  struct wsp_acquire_request request = draw_request(model, acquire);
  model->calls++;
  enum wsp_error error =
      wsp_acquire(model->rig.pool, model->rig.now, &request, acquired, acquire, &acquire->op);
  model->accounts[acquire->account - 1].known |= !model->closing;
  MODEL_CHECK(model, error == WSP_OK, "an acquire could not be started");
  MODEL_CHECK(model, acquire->callbacks == 0, "a callback from inside wsp_acquire");
}

/* A refused one makes no account; what the pool knows of one that it has is seen. */
static bool refusal_was_noted(struct model *model, const struct wsp_account *account) {
  struct wsp_account_stats stats;
  wsp_account_stats(model->rig.pool, account->id, &stats);
  return stats.effective_max == wsp_effective_max_conns(&model->rig.config, account);
}

static void step_try_acquire(struct model *model) {
  struct model_acquire *acquire = new_acquire(model);
  struct model_account before[MODEL_ACCOUNTS];
  memcpy(before, model->accounts, sizeof before);
  struct wsp_acquire_request request = draw_request(model, acquire);
  struct model_account *account = &model->accounts[acquire->account - 1];
  acquire->picked_at = model->rig.now;
  acquire->started_event = model->event_number;
  enum wsp_error error =
      wsp_try_acquire(model->rig.pool, model->rig.now, &request, &acquire->lease);
  acquire->error = error;
  acquire->callbacks = 1;
  acquire->state = MODEL_ENDED;
  if (error == WSP_WOULD_WAIT) {
    *account = before[acquire->account - 1];
    return;
  }
  model->calls++;
  account->known |=
      error == WSP_OK || (!model->closing && refusal_was_noted(model, &account->last));
  struct wsp_acquire_result result = {.error = error,
                                      .error_text = error == WSP_OK ? "" : wsp_error_text(error),
                                      .lease = acquire->lease,
                                      .reused = true};
  if (error == WSP_OK) {
    for (size_t i = model->conn_count; i > 0; i--) {
      if (model->conns[i - 1].holder == acquire->tag) {
        acquire->serial = i;
      }
    }
    model_check_grant(model, acquire, &result);
  } else {
    model_check_failure(model, acquire, &result);
  }
}

/* An acquire that is not over, or one of the last. */
static struct model_acquire *draw_acquire(struct model *model) {
  size_t live = model->acquire_count - model->first_live;
  if (model->acquire_count == 0) {
    return NULL;
  }
  if (live == 0 || model_chance(model, 5)) {
    return model->acquires[model_draw(model, model->acquire_count)];
  }
  return model->acquires[model->first_live + model_draw(model, live)];
}

static void step_cancel(struct model *model) {
  struct model_acquire *acquire = draw_acquire(model);
  if (acquire != NULL) {
    acquire->canceled = acquire->canceled || acquire->callbacks == 0;
    wsp_op_cancel(acquire->op, model->rig.now);
  }
}

static void step_release(struct model *model) {
  struct model_acquire *acquire = draw_acquire(model);
  if (acquire != NULL && acquire->error == WSP_OK) {
    wsp_lease_release(acquire->lease, model->rig.now);
  }
}

static void step_mark(struct model *model) {
  struct model_acquire *acquire = draw_acquire(model);
  if (acquire != NULL && model_chance(model, 60)) {
    wsp_lease_mark_broken(acquire->lease, model->rig.now);
  } else if (acquire != NULL) {
    wsp_lease_mark_prewarmed(acquire->lease, model->rig.now);
  }
}

static void io_ended(void *context, const struct wsp_io_result *result) {
  struct model_io *io = context;
  struct model *model = io->model;
  io->callbacks++;
  MODEL_CHECK(model, io->callbacks == 1, "an operation ends twice");
  MODEL_CHECK(model, result->error != WSP_CANCELED || io->canceled, "an operation cancels itself");
  MODEL_CHECK(model, result->error != WSP_OK || !io->canceled, "a cancelled operation succeeds");
  callback_acts(model);
}

static void step_io(struct model *model) {
  static const rig_io_function functions[] = {wsp_lease_write_json, wsp_lease_read, wsp_lease_ping};
  struct model_acquire *acquire = draw_acquire(model);
  struct model_io *io = calloc(1, sizeof *io);
  rig_require(io != NULL);
  io->model = model;
  io->canceled = model_chance(model, 2);
  struct wsp_io_request request = {
      .lease = acquire == NULL ? (struct wsp_lease){NULL, 0, 0} : acquire->lease,
      .timeout = draw_timeout(model),
      .json = "{}",
      .canceled = io->canceled,
      .callback = io_ended,
      .context = io};
  if (functions[model_draw(model, 3)](&request, model->rig.now, &io->op) != WSP_OK) {
    MODEL_CHECK(model, request.lease.pool == NULL, "an operation on a lease could not be started");
    free(io);
    return;
  }
  model->ios = realloc(model->ios, (model->io_count + 1) * sizeof(struct model_io *));
  rig_require(model->ios != NULL);
  model->ios[model->io_count++] = io;
}

static void step_cancel_io(struct model *model) {
  if (model->io_count > 0) {
    size_t recent = model->io_count < 10 ? model->io_count : 10;
    struct model_io *io = model->ios[model->io_count - 1 - model_draw(model, recent)];
    io->canceled = io->canceled || io->callbacks == 0;
    wsp_op_cancel(io->op, model->rig.now);
  }
}

static void step_pin(struct model *model) {
  char id[MODEL_ID_SIZE];
  draw_conn_id(model, id);
  if (model_chance(model, 40)) {
    struct wsp_conn_stats stats;
    int64_t account = draw_account(model);
    bool there = wsp_conn_stats(model->rig.pool, account, id, &stats);
    MODEL_CHECK(model, wsp_pin(model->rig.pool, model->rig.now, account, id) == there,
                "pin of a conn that is there, or of one that is not");
  } else {
    wsp_unpin(model->rig.pool, model->rig.now, draw_account(model), id);
  }
}

static void step_evict(struct model *model) {
  char id[MODEL_ID_SIZE];
  draw_conn_id(model, id);
  (void)wsp_evict(model->rig.pool, model->rig.now, draw_account(model), id);
}

static void step_clear(struct model *model) {
  wsp_clear_account(model->rig.pool, model->rig.now, draw_account(model));
}

static void step_ensure(struct model *model) {
  struct wsp_template given = {.url = model_urls[model_draw(model, MODEL_URLS)],
                               .proxy = model_proxies[0]};
  wsp_ensure_target_idle(model->rig.pool, model->rig.now, draw_account(model),
                         model_chance(model, 50) ? &given : NULL);
}

static void step_sweep(struct model *model) {
  if (model_chance(model, 50)) {
    wsp_ping_sweep(model->rig.pool, model->rig.now);
  } else {
    wsp_cleanup_sweep(model->rig.pool, model->rig.now);
  }
}

static void step_adopt(struct model *model) {
  struct rig *rig = &model->rig;
  char id[MODEL_ID_SIZE];
  snprintf(id, sizeof id, "adopted_%lld", (long long)++model->adopted);
  struct stub_conn *conn = calloc(1, sizeof *conn);
  rig->conns = realloc(rig->conns, (rig->conn_count + 1) * sizeof(struct stub_conn *));
  rig_require(conn != NULL && rig->conns != NULL);
  rig->conns[rig->conn_count++] = conn;
  wsp_duration idle = (wsp_duration)model_draw(model, 3000) * MS;
  struct wsp_adoption adoption = {
      .account = draw_account(model),
      .id = id,
      .url = model_urls[model_draw(model, MODEL_URLS)],
      .age = idle + (wsp_duration)model_draw(model, 3000) * MS,
      .idle = idle,
      .conn = conn,
  };
  if (wsp_adopt(rig->pool, rig->now, &adoption, &conn->name) != WSP_OK) {
    MODEL_CHECK(model, model->closing, "a conn could not be adopted");
    conn->dropped = true;
  }
}

static void answer_dial(struct model *model) {
  struct rig *rig = &model->rig;
  if (rig->dial_count == 0) {
    return;
  }
  struct stub_dial *dial = rig->dials[model_draw(model, rig->dial_count)];
  if (dial->done) {
    return;
  }
  if (dial->canceled && model_chance(model, 60)) {
    stub_dial_error(rig, dial, WSP_CANCELED);
  } else if (!model_chance(model, model->profile.failure_percent)) {
    wsp_duration timeout =
        rig->config.dial_timeout + (dial->prewarm ? rig->config.prewarm_extra_delay : 0);
    bool wanted = !dial->canceled && rig->now < dial->started_at + timeout;
    const struct stub_conn *conn = stub_dial_ok(rig, dial);
    MODEL_CHECK(model, wanted || conn->dropped, "a conn of a dial that was given up is kept");
  } else if (model_chance(model, 30)) {
    stub_dial_nil(rig, dial);
  } else {
    stub_dial_failed(rig, dial, model_chance(model, 50) ? 503 : 0, "busy");
  }
}

static void answer_conn(struct model *model) {
  struct rig *rig = &model->rig;
  if (rig->conn_count == 0) {
    return;
  }
  struct stub_conn *conn = rig->conns[model_draw(model, rig->conn_count)];
  bool fails = model_chance(model, model->profile.failure_percent);
  if (conn->closed || conn->dropped) {
    wsp_ping_done(conn->name, rig->now, WSP_OK, NULL); /* under a name that has ended */
    wsp_conn_message(conn->name, rig->now, "late", 4);
  } else if (conn->closing) {
    stub_closed(rig, conn, 1000, NULL);
  } else if (conn->pinging && model_chance(model, 60)) {
    stub_ping_done(rig, conn, fails ? WSP_PING_FAILED : WSP_OK, fails ? "lost" : NULL);
  } else if (conn->writing && model_chance(model, 60)) {
    stub_write_done(rig, conn, fails ? WSP_IO_FAILED : WSP_OK, fails ? "reset" : NULL);
  } else if (conn->reading) {
    stub_read_done(rig, conn, fails ? WSP_IO_FAILED : WSP_OK, fails ? "reset" : NULL, "hello");
  } else if (model_chance(model, model->profile.failure_percent / 4)) {
    stub_message(rig, conn, "unasked");
  } else if (model_chance(model, model->profile.failure_percent / 4)) {
    stub_closed(rig, conn, 1001, "going away");
  }
}

static void step_answers(struct model *model) {
  for (int i = 0; i < 4; i++) {
    answer_dial(model);
    answer_conn(model);
  }
}

struct step {
  void (*run)(struct model *model);
  int usual;   /* its weight */
  bool nested; /* also drawn in callbacks */
};

static const struct step steps[] = {
    {step_acquire, 30, true},  {step_try_acquire, 5, true}, {step_cancel, 6, true},
    {step_release, 25, true},  {step_mark, 4, true},        {step_io, 12, true},
    {step_cancel_io, 3, true}, {step_pin, 6, true},         {step_evict, 2, true},
    {step_clear, 1, true},     {step_ensure, 4, true},      {step_sweep, 3, true},
    {step_adopt, 2, true},     {answer_dial, 20, false},    {answer_conn, 20, false},
    {step_answers, 20, false},
};
enum { STEP_COUNT = sizeof steps / sizeof steps[0] };

static void closed(void *context) {
  struct model *model = context;
  MODEL_CHECK(model, !model->close_told, "the close is told twice");
  model->close_told = true;
}

void model_close(struct model *model) {
  if (!model->closing) {
    model->closing = true;
    MODEL_CHECK(model, wsp_pool_close(model->rig.pool, model->rig.now, closed, model) == WSP_OK,
                "the pool could not be closed");
  }
}

static void run_step(struct model *model, bool nested) {
  int total = 0;
  for (int i = 0; i < STEP_COUNT; i++) {
    total += nested && !steps[i].nested ? 0 : model->profile.weights[i];
  }
  int drawn = (int)model_draw(model, (uint64_t)total);
  for (int i = 0; i < STEP_COUNT; i++) {
    drawn -= nested && !steps[i].nested ? 0 : model->profile.weights[i];
    if (drawn < 0) {
      steps[i].run(model);
      return;
    }
  }
}

static void callback_acts(struct model *model) {
  if (model_chance(model, model->profile.busy_percent)) {
    run_step(model, true);
  }
}

void model_profile_draw(struct model *model) {
  static const int factors[] = {0, 1, 1, 2, 5};
  struct model_profile *profile = &model->profile;
  for (int i = 0; i < STEP_COUNT; i++) {
    profile->weights[i] = steps[i].usual * factors[model_draw(model, 5)];
  }
  profile->weights[0] += 10; /* without acquires, releases and answers little happens */
  profile->weights[3] += 5;
  profile->weights[STEP_COUNT - 1] += 10;
  profile->advance_percent = model_chance(model, 50) ? 100 : 30 + (int)model_draw(model, 60);
  profile->busy_percent = model_chance(model, 50) ? 0 : 20;
  profile->failure_percent = (int)model_draw(model, 40);
  profile->strange_percent = (int)model_draw(model, 50);
}

static void pass_time(struct model *model) {
  static const wsp_duration lengths[] = {0, 0, 0, 0, 1, MS, 7 * MS, 50 * MS, 300 * MS, 2000 * MS};
  struct rig *rig = &model->rig;
  wsp_time next = wsp_pool_next_deadline(rig->pool);
  if (next != WSP_TIME_NEVER && next > rig->now && model_chance(model, 15)) {
    wsp_time at = next - 1 + (wsp_time)model_draw(model, 3);
    rig->now = at > rig->now ? at : rig->now;
  } else {
    rig->now += lengths[model_draw(model, sizeof lengths / sizeof lengths[0])];
  }
}

void model_advance(struct model *model) {
  wsp_pool_advance(model->rig.pool, model->rig.now);
  model_check(model);
  while (model->first_live < model->acquire_count) {
    const struct model_acquire *first = model->acquires[model->first_live];
    if ((first->callbacks == 0 && !first->refused) || wsp_lease_valid(first->lease)) {
      break;
    }
    model->first_live++;
  }
}

void model_step(struct model *model) {
  model->step++;
  pass_time(model);
  run_step(model, false);
  if (model_chance(model, model->profile.advance_percent)) {
    model_advance(model);
  }
}

static void release_all(struct model *model) {
  for (size_t i = 0; i < model->acquire_count; i++) {
    wsp_lease_release(model->acquires[i]->lease, model->rig.now);
  }
}

static void unpin_all(struct model *model) {
  for (size_t i = 0; i < model->conn_count; i++) {
    const struct model_conn *conn = &model->conns[i];
    struct wsp_conn_stats stats;
    while (wsp_conn_stats(model->rig.pool, conn->account, conn->id, &stats) && stats.pins > 0) {
      wsp_unpin(model->rig.pool, model->rig.now, conn->account, conn->id);
    }
  }
}

/* Borrowers give back what they get, the transport answers at once, and nobody asks any more. */
void model_quiet(struct model *model) {
  struct rig *rig = &model->rig;
  model->profile.busy_percent = 0;
  rig->answer_dials = rig->answer_pings = true;
  wsp_time end = rig->now + 20 * SECOND;
  unpin_all(model);
  while (rig->now < end && model->failure == NULL) {
    release_all(model);
    wsp_time next = wsp_pool_next_deadline(rig->pool);
    rig->now = next > rig->now && next < end ? next : rig->now + (next > rig->now ? SECOND : 0);
    do {
      wsp_pool_advance(rig->pool, rig->now);
      release_all(model);
    } while (rig_confirm(rig) || wsp_pool_next_deadline(rig->pool) <= rig->now);
  }
  model_check(model);
  model_check_quiet(model);
  rig->answer_dials = rig->answer_pings = false;
}

/* Ends all that is under way. The pool must be closing. */
void model_drain(struct model *model) {
  release_all(model);
  model_advance(model);
  do {
    wsp_pool_advance(model->rig.pool, model->rig.now);
  } while (rig_confirm(&model->rig));
  release_all(model);
  rig_settle(&model->rig);
}
