/*
 * change.c - what a spec sets in an upstream: at its definition, and in the middle of a run.
 *
 * A preset is a whole behaviour: it sets dials, pings, writes and reads, and whether the upstream
 * is flaky. The time of a close, the limits of age and idleness, the greatest number of conns and
 * the rate limit are none of its business and stay.
 */
#include "fakes/internal.h"

static const unsigned call_bits[FAKE_CALL_COUNT] = {
    [FAKE_SUBJECT_PING] = FAKE_SET_PING,
    [FAKE_SUBJECT_WRITE] = FAKE_SET_WRITE,
    [FAKE_SUBJECT_READ] = FAKE_SET_READ,
};

static const struct fake_list *call_list(const struct fake_conn_options *options, int subject) {
  const struct fake_list *lists[FAKE_CALL_COUNT] = {
      [FAKE_SUBJECT_PING] = &options->ping,
      [FAKE_SUBJECT_WRITE] = &options->write,
      [FAKE_SUBJECT_READ] = &options->read,
  };
  return lists[subject];
}

static void set_dials(struct fake_upstream *upstream, const struct fake_dial_behaviour *dials,
                      size_t count, enum fake_preset base) {
  upstream->policy.dials = dials;
  upstream->policy.dial_count = count;
  upstream->policy.base[FAKE_SUBJECT_DIAL] = base;
  upstream->dial_cursor = 0;
  upstream->trace_cursor[FAKE_SUBJECT_DIAL] = 0;
}

static void set_calls(struct fake_upstream *upstream, int subject, struct fake_list list,
                      enum fake_preset base) {
  upstream->policy.calls[subject] = list;
  upstream->policy.base[subject] = base;
  upstream->policy.revision[subject]++;
  upstream->trace_cursor[subject] = 0;
}

static void apply_preset(struct fake_upstream *upstream, enum fake_preset preset) {
  set_dials(upstream, NULL, 0, preset);
  for (int subject = 0; subject < FAKE_CALL_COUNT; subject++) {
    set_calls(upstream, subject, (struct fake_list){NULL, 0}, preset);
  }
  upstream->policy.flaky = preset == FAKE_PRESET_FLAKY;
  upstream->policy.failure_rate = FAKE_DEFAULT_FAILURE_RATE;
}

static void apply(struct fake_upstream *upstream, const struct fake_spec *spec) {
  struct fake_policy *policy = &upstream->policy;
  unsigned set = spec->set | spec->conn.set;
  enum fake_preset base = spec->has_preset ? spec->preset : FAKE_PRESET_OK;
  if (spec->has_preset) {
    apply_preset(upstream, spec->preset);
  }
  if ((set & FAKE_SET_DIAL) != 0) {
    set_dials(upstream, spec->dials, spec->dial_count, base);
  }
  for (int subject = 0; subject < FAKE_CALL_COUNT; subject++) {
    if ((set & call_bits[subject]) != 0) {
      set_calls(upstream, subject, *call_list(&spec->conn, subject), base);
    }
  }
  if ((set & FAKE_SET_CLOSE) != 0) {
    policy->close = spec->conn.close;
    upstream->trace_cursor[FAKE_SUBJECT_CLOSE] = 0;
  }
  if ((set & FAKE_SET_MAX_AGE) != 0) {
    policy->max_age = spec->conn.max_age;
  }
  if ((set & FAKE_SET_IDLE_TIMEOUT) != 0) {
    policy->idle_timeout = spec->conn.idle_timeout;
  }
  if ((set & FAKE_SET_MAX_CONNS) != 0) {
    policy->max_conns = spec->max_conns;
  }
  if ((set & FAKE_SET_RATE_LIMIT) != 0) {
    policy->rate_per = spec->rate_per;
    policy->rate_dials = spec->rate_dials;
  }
  if ((set & FAKE_SET_FAILURE_RATE) != 0) {
    policy->failure_rate = spec->failure_rate;
  }
}

/* The limits of open conns follow those of their upstream. */
static bool watch_conns(struct fake_upstream *upstream, wsp_time now) {
  bool watched = true;
  for (struct fake_conn *conn = upstream->conns; conn != NULL; conn = conn->next) {
    if (conn->state == FAKE_CONN_OPEN && !fake_conn_watch(conn, now)) {
      watched = false;
    }
  }
  return watched;
}

static struct fake_upstream *named_or_new(struct fake_world *world, const char *url) {
  struct fake_upstream *upstream = fake_upstream_named(world, url);
  return upstream != NULL ? upstream : fake_upstream_create(world, url);
}

bool fake_world_define(struct fake_world *world, const char *url, const struct fake_spec *spec) {
  struct fake_upstream *upstream = named_or_new(world, url);
  if (upstream == NULL) {
    return false;
  }
  apply_preset(upstream, FAKE_PRESET_OK);
  upstream->policy.close = (struct sim_distribution){.kind = SIM_CONSTANT};
  upstream->policy.max_age = 0;
  upstream->policy.idle_timeout = 0;
  upstream->policy.max_conns = 0;
  upstream->policy.rate_per = 0;
  upstream->policy.rate_dials = 0;
  apply(upstream, spec);
  return upstream->conns == NULL || watch_conns(upstream, fake_now(world));
}

bool fake_world_change(struct fake_world *world, wsp_time now, const char *url,
                       const struct fake_spec *spec) {
  struct fake_upstream *upstream = named_or_new(world, url);
  if (upstream == NULL) {
    return false;
  }
  apply(upstream, spec);
  return watch_conns(upstream, now);
}
