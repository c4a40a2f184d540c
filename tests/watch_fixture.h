/*
 * watch_fixture.h - a watch over a timeline that a test makes by hand.
 *
 * What the pool says of itself is what its events add up to, unless a test changes `stats` or
 * `metrics`. Everything is of account 1 and of one URL unless it says otherwise.
 */
#ifndef TESTS_WATCH_FIXTURE_H
#define TESTS_WATCH_FIXTURE_H

#include "sim/watch.h"

struct watch_fixture {
  struct wsp_config config; /* to be changed before watch_begin() */
  struct wsp_account_stats stats;
  struct wsp_metrics metrics;
  int64_t now;
};

extern struct watch_fixture fixture;

/* A fixture with the default configuration, but without sweeps. */
void watch_prepare(void);
/* The watch begins to look. watch_prepare() may have been left out. */
void watch_begin(void);
/* Looks at what is left, gives everything back, and says what was found: -1 nothing, else an
 * enum sim_invariant. */
int watch_end(void);

struct told {
  int kind;
  const char *op, *conn, *url, *proxy;
  int cause;
  int64_t account; /* 0: 1; -1: none */
  int64_t values[3];
};
void watch_tell(const struct told *event);
#define TELL(event, ...) watch_tell(&(struct told){.kind = (event), __VA_ARGS__})

/* The call of the pool returns; the instant comes to rest; time goes on to `now`. */
void watch_return(void);
void watch_rest(void);
void watch_go_to(int64_t now);

/* What happens as a rule, in an order in which a pool tells it. */
void tell_start(const char *op);
void tell_queue(const char *op, const char *conn);
void tell_dial(const char *op, int64_t serial);                   /* op NULL: of a prewarm */
void tell_open(const char *op, int64_t serial, const char *conn); /* that dial succeeds */
void tell_fail(const char *op, enum wsp_error error);
void tell_adopt(const char *conn);
void tell_grant(const char *op, const char *conn, bool reused);
void tell_release(const char *op, const char *conn);
void tell_prewarm(int64_t need); /* of so many conns */
void tell_evict(const char *conn, enum wsp_reason reason);
/* tell_start() to tell_grant() of a new conn, with a rest behind it. */
void tell_new_lease(const char *op, const char *conn);

#define HOLDS CU_ASSERT_EQUAL(watch_end(), -1)
#define VIOLATES(invariant) CU_ASSERT_EQUAL(watch_end(), SIM_INVARIANT_##invariant)

#endif
