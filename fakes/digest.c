/*
 * digest.c - takes the state of the upstreams together. What is in and what is not: digest.h.
 */
#include "fakes/digest.h"

#include "fakes/internal.h"

#define ADD(digest, value) wsp_digest_add(digest, (uint64_t)(value))

static void add_pointer(struct wsp_digest *digest, const void *pointer) {
  ADD(digest, (uintptr_t)pointer);
}

static void add_distribution(struct wsp_digest *digest,
                             const struct sim_distribution *distribution) {
  ADD(digest, distribution->kind);
  ADD(digest, distribution->first);
  ADD(digest, distribution->second);
  ADD(digest, distribution->factor);
  add_pointer(digest, distribution->values);
  ADD(digest, distribution->count);
}

static void add_list(struct wsp_digest *digest, const struct fake_list *list) {
  add_pointer(digest, list->items);
  ADD(digest, list->count);
}

static void add_random(struct wsp_digest *digest, const struct sim_random *streams, size_t count) {
  for (size_t i = 0; i < count; i++) {
    for (size_t word = 0; word < 4; word++) {
      ADD(digest, streams[i].state[word]);
    }
  }
}

/* ---- Conns --------------------------------------------------------------------------------- */

static void add_options(struct wsp_digest *digest, const struct fake_conn_options *options) {
  ADD(digest, options == NULL ? UINT64_MAX : options->set);
  if (options != NULL) {
    add_list(digest, &options->ping);
    add_list(digest, &options->write);
    add_list(digest, &options->read);
    add_distribution(digest, &options->close);
    ADD(digest, options->max_age);
    ADD(digest, options->idle_timeout);
  }
}

static void add_answer(struct wsp_digest *digest, const struct fake_answer *answer) {
  ADD(digest, answer->outcome);
  wsp_digest_add_text(digest, answer->text);
  ADD(digest, answer->status);
  ADD(digest, answer->latency);
  ADD(digest, answer->is_reset);
}

/* When an entry is due, WSP_TIME_NEVER too; one that is not scheduled is due before time. */
static void add_due(struct wsp_digest *digest, const struct sim_entry *entry) {
  ADD(digest, entry->due.position == 0 ? -1 : entry->due.at);
}

static struct wsp_digest digest_of_conn(const struct fake_conn *conn) {
  struct wsp_digest digest = {{0, 0}};
  const struct fake_policy *policy = &conn->upstream->policy;
  wsp_digest_add_text(&digest, conn->site->url);
  ADD(&digest, wsp_digest_of_conn(conn->name));
  ADD(&digest, conn->account);
  ADD(&digest, conn->state | conn->counted << 2 | conn->is_silent << 3);
  ADD(&digest, conn->created_at);
  ADD(&digest, conn->last_in);
  ADD(&digest, conn->silent_until);
  ADD(&digest, conn->stalled_until);
  add_options(&digest, conn->own);
  ADD(&digest, conn->own_base);
  if (conn->adoption != NULL) {
    ADD(&digest, conn->adoption->has_preset | conn->adoption->flaky << 1);
    ADD(&digest, conn->adoption->failure_rate);
  }
  for (int subject = 0; subject < FAKE_CALL_COUNT; subject++) {
    const struct fake_call *call = &conn->calls[subject];
    ADD(&digest, conn->cursor[subject]);
    ADD(&digest, conn->revision[subject] == policy->revision[subject]);
    add_due(&digest, &call->entry);
    if (call->entry.due.position != 0) {
      ADD(&digest, call->canceled);
      add_answer(&digest, &call->answer);
    }
  }
  add_due(&digest, &conn->watch);
  return digest;
}

/* ---- Upstreams ----------------------------------------------------------------------------- */

static void add_policy(struct wsp_digest *digest, const struct fake_policy *policy) {
  add_pointer(digest, policy->dials);
  ADD(digest, policy->dial_count);
  for (int subject = 0; subject < FAKE_CALL_COUNT; subject++) {
    add_list(digest, &policy->calls[subject]);
  }
  for (int subject = 0; subject < FAKE_ANSWER_COUNT; subject++) {
    ADD(digest, policy->base[subject]);
  }
  add_distribution(digest, &policy->close);
  ADD(digest, policy->max_age);
  ADD(digest, policy->idle_timeout);
  ADD(digest, policy->max_conns);
  ADD(digest, policy->rate_per);
  ADD(digest, policy->rate_dials);
  ADD(digest, policy->flaky);
  ADD(digest, policy->failure_rate);
}

static void add_counters(struct wsp_digest *digest, const struct fake_counters *counters) {
#define ADD_COUNTER(name) ADD(digest, counters->name);
  FAKE_COUNTER_LIST(ADD_COUNTER)
#undef ADD_COUNTER
}

static struct wsp_digest digest_of_upstream(const struct fake_upstream *upstream, bool counters) {
  struct wsp_digest digest = {{0, 0}};
  wsp_digest_add_text(&digest, upstream->url);
  add_policy(&digest, &upstream->policy);
  ADD(&digest, upstream->dial_cursor);
  for (int subject = 0; subject < FAKE_SUBJECT_COUNT; subject++) {
    ADD(&digest, upstream->trace_cursor[subject]);
  }
  add_random(&digest, upstream->latency, FAKE_SUBJECT_COUNT);
  add_random(&digest, upstream->chance, FAKE_ANSWER_COUNT);
  const struct fake_window *window = &upstream->window;
  ADD(&digest, window->count);
  for (size_t i = 0; i < window->count; i++) {
    ADD(&digest, window->times[(window->first + i) & (window->capacity - 1)]);
  }
  ADD(&digest, upstream->counters.open);
  if (counters) {
    add_counters(&digest, &upstream->counters);
  }
  struct wsp_digest conns = {{0, 0}};
  for (const struct fake_conn *conn = upstream->conns; conn != NULL; conn = conn->next) {
    wsp_digest_join(&conns, digest_of_conn(conn));
  }
  wsp_digest_add_digest(&digest, conns);
  return digest;
}

void fake_world_digest(const struct fake_world *world, bool counters, struct wsp_digest *digest) {
  ADD(digest, world->pending);
  ADD(digest, world->healed);
  ADD(digest, world->faults.fired);
  ADD(digest, world->faults.end);
  add_pointer(digest, world->faults.plan);
  for (int subject = 0; subject < FAKE_SUBJECT_COUNT; subject++) {
    ADD(digest, world->faults.calls[subject]);
  }
  struct wsp_digest upstreams = {{0, 0}};
  wsp_digest_join(&upstreams, digest_of_upstream(world->fallback, counters));
  for (size_t bucket = 0; bucket < FAKE_SITE_BUCKETS; bucket++) {
    for (const struct fake_site *site = world->sites[bucket]; site != NULL; site = site->next) {
      if (site->upstream != world->fallback) {
        wsp_digest_join(&upstreams, digest_of_upstream(site->upstream, counters));
      }
    }
  }
  wsp_digest_add_digest(digest, upstreams);
}

/* ---- The queue ----------------------------------------------------------------------------- */

bool fake_entry_digest(const struct sim_entry *entry, const struct wsp_digest_names *names,
                       struct wsp_digest *digest) {
  return fake_is_call_entry(entry) || fake_is_conn_entry(entry) ||
         fake_dial_digest(entry, names, digest);
}
