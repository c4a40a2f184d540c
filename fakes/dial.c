/*
 * dial.c - dials: from the call to the answer, with the limits that an upstream sets.
 *
 * The rate limit stands in front of everything else and is judged when a dial arrives; the
 * greatest number of conns is judged when a conn would open. Both refusals take as long as the
 * dial would have taken.
 */
#include <assert.h>

#include "fakes/digest.h"
#include "fakes/internal.h"

enum { TOO_MANY_REQUESTS = 429 };

struct fake_dial {
  struct sim_entry entry;
  struct wsp_dial name;
  struct fake_site *site;
  struct fake_upstream *upstream; /* that it reached */
  int64_t account;
  struct fake_answer answer;
  const struct fake_dial_behaviour *behaviour; /* NULL: nothing in particular */
  enum fake_preset base;                       /* of the behaviour */
  bool over_rate;
  bool canceled;
};

static void dial_ends(void *context, wsp_time now);

/* Room for one more time. The ring doubles, so that it is as large as the traffic needs, not as
 * the limit allows. */
static bool window_reserve(struct sim_arena *arena, struct fake_window *window) {
  if (window->count < window->capacity) {
    return true;
  }
  size_t capacity = window->capacity == 0 ? 8 : 2 * window->capacity;
  wsp_time *times = sim_arena_allocate(arena, capacity * sizeof *times);
  if (times == NULL) {
    return false;
  }
  for (size_t i = 0; i < window->count; i++) {
    times[i] = window->times[(window->first + i) & (window->capacity - 1)];
  }
  sim_arena_release(arena, window->times, window->capacity * sizeof *times);
  window->times = times;
  window->capacity = capacity;
  window->first = 0;
  return true;
}

/* Judges a dial by the rate limit and remembers it when it passes. False: no memory. */
static bool judge_rate(struct fake_upstream *upstream, wsp_time now, bool *over) {
  const struct fake_policy *policy = &upstream->policy;
  struct fake_window *window = &upstream->window;
  *over = false;
  if (policy->rate_per <= 0 || upstream->world->healed) {
    return true;
  }
  while (window->count > 0 && now - window->times[window->first] >= policy->rate_per) {
    window->first = (window->first + 1) & (window->capacity - 1);
    window->count--;
  }
  if (policy->rate_dials <= 0 || window->count >= (uint64_t)policy->rate_dials) {
    *over = true;
    return true;
  }
  if (!window_reserve(upstream->world->arena, window)) {
    return false;
  }
  window->times[(window->first + window->count) & (window->capacity - 1)] = now;
  window->count++;
  return true;
}

static void count_dial(struct fake_counters *counters) {
  counters->dials++;
  counters->concurrent_dials++;
  if (counters->max_concurrent_dials < counters->concurrent_dials) {
    counters->max_concurrent_dials = counters->concurrent_dials;
  }
}

enum wsp_error fake_dial_start(void *context, struct wsp_dial name,
                               const struct wsp_dial_request *request, void **dialing) {
  struct fake_world *world = context;
  wsp_time now = fake_now(world);
  struct fake_site *site = fake_site_of(world, request->url);
  struct fake_dial *dial = sim_arena_zeroed(world->arena, sizeof *dial);
  if (site == NULL || dial == NULL) {
    goto no_memory;
  }
  struct fake_upstream *upstream = site->upstream;
  dial->name = name;
  dial->site = site;
  dial->upstream = upstream;
  dial->account = request->account;
  if (!judge_rate(upstream, now, &dial->over_rate)) {
    goto no_memory;
  }
  dial->base = upstream->policy.base[FAKE_SUBJECT_DIAL];
  dial->answer = fake_dial_answer(upstream, &dial->behaviour);
  if (fake_fault_dial(upstream, request->account, &dial->answer)) {
    dial->behaviour = NULL;
  }
  wsp_time due = dial->over_rate ? fake_time_after(now, dial->answer.latency)
                                 : fake_answer_due(world, &dial->answer);
  if (!fake_schedule_answer(world, &dial->entry, due, dial_ends, dial)) {
    goto no_memory;
  }
  count_dial(&upstream->counters);
  *dialing = dial;
  return WSP_OK;

no_memory:
  sim_arena_release(world->arena, dial, sizeof *dial);
  return WSP_OUT_OF_MEMORY;
}

void fake_dial_cancel(void *context, void *dialing) {
  struct fake_world *world = context;
  struct fake_dial *dial = dialing;
  if (dial->canceled) {
    return;
  }
  dial->canceled = true;
  fake_unschedule(world, &dial->entry);
  bool scheduled = fake_schedule_answer(world, &dial->entry, fake_now(world), dial_ends, dial);
  assert(scheduled);
  (void)scheduled;
}

static void fail(const struct fake_dial *dial, wsp_time now, const struct wsp_dial_result *result) {
  dial->upstream->counters.dials_failed++;
  (void)dial->upstream->world->pool->dial_done(dial->name, now, result);
}

static void refuse(const struct fake_dial *dial, wsp_time now, const char *reason) {
  fake_trace_refused(dial->upstream, dial->site->url, dial->account, now, TOO_MANY_REQUESTS,
                     reason);
  fail(dial, now,
       &(struct wsp_dial_result){
           .error = WSP_DIAL_FAILED, .status = TOO_MANY_REQUESTS, .reason = reason});
}

static void open_conn(const struct fake_dial *dial, wsp_time now, struct wsp_dial_result *result) {
  struct fake_conn *conn = fake_conn_create(dial->site, dial->account);
  if (conn == NULL) {
    fail(dial, now, &(struct wsp_dial_result){.error = WSP_OUT_OF_MEMORY});
    return;
  }
  if (dial->behaviour != NULL && dial->behaviour->conn.set != 0) {
    conn->own = &dial->behaviour->conn;
    conn->own_base = dial->base;
  }
  conn->created_at = now;
  conn->last_in = now;
  if (!fake_conn_watch(conn, now)) {
    fake_conn_forget(conn);
    fail(dial, now, &(struct wsp_dial_result){.error = WSP_OUT_OF_MEMORY});
    return;
  }
  dial->upstream->counters.dials_ok++;
  fake_conn_count(conn);
  result->conn = conn;
  struct wsp_conn name = dial->upstream->world->pool->dial_done(dial->name, now, result);
  if (name.pool == NULL) {
    fake_conn_forget(conn); /* the pool does not want it any more */
    return;
  }
  conn->name = name;
}

static void answer(const struct fake_dial *dial, wsp_time now) {
  const struct fake_upstream *upstream = dial->upstream;
  struct wsp_dial_result result = {.error = WSP_OK, .status = dial->answer.status};
  if (dial->over_rate) {
    refuse(dial, now, "rate limit exceeded");
    return;
  }
  if (dial->behaviour != NULL) {
    result.headers = dial->behaviour->headers;
    result.header_count = dial->behaviour->header_count;
  }
  if (dial->answer.outcome == FAKE_ERROR) {
    result.error = WSP_DIAL_FAILED;
    result.reason = dial->answer.text;
    fail(dial, now, &result);
  } else if (dial->answer.outcome == FAKE_NIL_CONN) {
    fail(dial, now, &result);
  } else if (upstream->policy.max_conns > 0 && !upstream->world->healed &&
             upstream->counters.open >= upstream->policy.max_conns) {
    refuse(dial, now, "too many connections");
  } else {
    open_conn(dial, now, &result);
  }
}

static void dial_ends(void *context, wsp_time now) {
  struct fake_dial ended = *(struct fake_dial *)context;
  struct fake_world *world = ended.upstream->world;
  fake_fired(world, &ended.entry);
  sim_arena_release(world->arena, context, sizeof ended);
  ended.upstream->counters.concurrent_dials--;
  if (ended.canceled) {
    ended.upstream->counters.dials_canceled++;
    (void)ended.upstream->world->pool->dial_done(ended.name, now,
                                                 &(struct wsp_dial_result){.error = WSP_CANCELED});
    return;
  }
  answer(&ended, now);
}

bool fake_dial_describe(const struct sim_entry *entry, struct fake_happening *happening) {
  if (entry->action != dial_ends) {
    return false;
  }
  const struct fake_dial *dial = entry->context;
  *happening = (struct fake_happening){
      .what = dial->canceled ? "the end of a canceled dial" : "the answer of a dial",
      .conn = "",
      .account = dial->account};
  return true;
}

bool fake_dial_digest(const struct sim_entry *entry, const struct wsp_digest_names *names,
                      struct wsp_digest *digest) {
  if (entry->action != dial_ends) {
    return false;
  }
  const struct fake_dial *dial = entry->context;
  wsp_digest_add_digest(digest, wsp_digest_of_dial(dial->name, names));
  wsp_digest_add_text(digest, dial->site->url);
  wsp_digest_add_text(digest, dial->upstream->url);
  wsp_digest_add(digest, (uint64_t)dial->account);
  wsp_digest_add(digest, (uint64_t)dial->answer.outcome);
  wsp_digest_add_text(digest, dial->answer.text);
  wsp_digest_add(digest, (uint64_t)dial->answer.status);
  wsp_digest_add(digest, (uintptr_t)dial->behaviour);
  wsp_digest_add(digest, (uint64_t)dial->base);
  wsp_digest_add(digest, (uint64_t)(dial->over_rate | dial->canceled << 1));
  return true;
}
