/*
 * fakes_fixture.h - a small world for the tests of the fakes: arena, queue, trace, a clock that
 * the test moves, and a pool where the test wants one.
 *
 * Without a pool the fakes are called directly, under names that the pool takes for ended ones:
 * what they would tell it goes nowhere, what they count and schedule can be seen.
 */
#ifndef TESTS_FAKES_FIXTURE_H
#define TESTS_FAKES_FIXTURE_H

#include "fakes/fake.h"

#define MS WSP_MILLISECOND
#define SECOND WSP_SECOND

#define FIXTURE_URL "wss://example.com/v1/responses"
#define FIXTURE_ACCOUNT 1

/* A latency, and a list of one or more behaviours. */
#define CONSTANT(duration) \
  { .kind = SIM_CONSTANT, .first = (duration) }
#define LIST(array) \
  { (array), sizeof(array) / sizeof((array)[0]) }

struct fakes_fixture {
  struct sim_arena *arena;
  struct sim_queue *queue;
  struct sim_trace *trace;
  struct fake_world *world;
  struct wsp_pool *pool; /* NULL: none */
  wsp_time now;
};

/* All of them abort when there is no memory: a test without its world shows nothing. */
void fixture_open(struct fakes_fixture *fixture, uint64_t seed);
/* Adds a pool with the default configuration and no background sweeps. */
void fixture_open_pool(struct fakes_fixture *fixture, int64_t max_conns);
void fixture_close(struct fakes_fixture *fixture);

void fixture_define(struct fakes_fixture *fixture, const char *url, const struct fake_spec *spec);
void fixture_define_preset(struct fakes_fixture *fixture, enum fake_preset preset);

/* Does all that is due until `until`, which is the time afterwards. */
void fixture_run(struct fakes_fixture *fixture, wsp_time until);

/* A dial without a pool; returns the transport's name for it. */
void *fixture_dial(struct fakes_fixture *fixture, const char *url);
/* A conn without a pool; `spec` may be NULL. */
void *fixture_conn(struct fakes_fixture *fixture, const char *url, const struct fake_spec *spec,
                   wsp_duration age, wsp_duration idle);
struct fake_counters fixture_counters(const struct fakes_fixture *fixture, const char *url);

/* How many events of that kind there are, and the last of them (NULL: none). */
size_t fixture_events(const struct fakes_fixture *fixture, uint16_t kind,
                      const struct sim_event **last);

#endif
