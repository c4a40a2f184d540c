/*
 * pool_model.h - random operations on a pool over a random transport, and what must hold all the
 * same. Drives through the public interface and follows the timeline; it does not predict which
 * conn an acquire gets, only what it must never see.
 */
#ifndef TESTS_POOL_MODEL_H
#define TESTS_POOL_MODEL_H

#include "tests/pool_fixture.h"

#define MODEL_ACCOUNTS 3
#define MODEL_URLS 2
#define MODEL_ID_SIZE 32

enum model_state {
  MODEL_STARTED,
  MODEL_QUEUED,
  MODEL_DIALING,
  MODEL_PINGING,
  MODEL_ENDED,
};

struct model_acquire {
  struct model *model;
  uint64_t tag; /* its place in the list, from 1 */
  int64_t account;
  int url, proxy;
  char preferred[MODEL_ID_SIZE];
  bool force_new, force_preferred, canceled, refused;
  wsp_time deadline;
  enum model_state state;                             /* as the timeline tells */
  uint64_t started_event, queued_event, picked_event; /* numbers of events */
  wsp_time picked_at;
  uint64_t expected; /* serial of the conn that its last pick should give it; 0: none */
  bool ever_queued, dial_failed;
  int picks, pings, ping_failures;
  uint64_t pinged; /* serial of the conn that is pinged for it; 0: none */
  int callbacks;
  enum wsp_error error;
  struct wsp_op op;
  struct wsp_lease lease; /* as long as the model has not given it back */
  uint64_t serial;        /* of its conn */
};

struct model_io {
  struct model *model;
  bool canceled;
  int callbacks;
  struct wsp_op op;
};

struct model_conn {
  char id[MODEL_ID_SIZE];
  int64_t account;
  char url[RIG_TEXT_SIZE], proxy[RIG_TEXT_SIZE];
  bool open;
  uint64_t retired_event, freed_event; /* numbers of events; 0: none */
  uint64_t holder;                     /* tag of the acquire that has it; 0: none */
};

struct model_account {
  struct wsp_account last;
  bool known;
  bool may_exceed; /* a conn was adopted, or the maximum has shrunk, since it last held */
};

/* How often each kind of operation is drawn, and how time passes, in one run. */
struct model_profile {
  int weights[32];
  int advance_percent; /* of the steps that are followed by an advance */
  int busy_percent;    /* of the callbacks that call the pool */
  int failure_percent; /* of the dials, pings, writes and reads */
  int strange_percent; /* of the acquires that ask for something special */
};

struct model {
  struct rig rig;
  uint64_t seed, random;
  const unsigned char *choices; /* the next draws, before those of `random` */
  size_t choices_left;
  int64_t step;
  struct model_profile profile;
  struct model_account accounts[MODEL_ACCOUNTS];
  struct model_acquire **acquires;
  size_t acquire_count, first_live;
  struct model_io **ios;
  size_t io_count;
  struct model_conn *conns;
  size_t conn_count;
  uint64_t event_number;
  int64_t grants, reuses, creates, calls, queued, trimmed, asked, waited_ns;
  int64_t opened, evicted, picks, sweeps_begun, sweeps_ended;
  bool closing, close_told;
  int64_t adopted;
  /* An acquire that seems to have passed a waiter; 0: none. Held against the pool when the waiter
   * still waits after the next advance: until then it may have been served, but not been told. */
  uint64_t passer, passed, passing_event;
  const char *failure; /* NULL: none yet */
  char detail[256];
};

/* One run; returns whether all held. Prints the seed, the step and the last events if not. */
bool model_run(uint64_t seed, int64_t steps);
/* The same with the first draws taken from bytes, two each. */
bool model_run_choices(uint64_t seed, int64_t steps, const unsigned char *choices, size_t count);

uint64_t model_draw(struct model *model, uint64_t below);
bool model_chance(struct model *model, int percent);
void model_fail(struct model *model, const char *what, int64_t found, int64_t expected);
#define MODEL_CHECK(model, held, what) \
  do {                                 \
    if (!(held)) {                     \
      model_fail(model, what, 0, 0);   \
    }                                  \
  } while (0)

extern const char *const model_urls[MODEL_URLS];
extern const char *const model_proxies[MODEL_URLS];

/* pool_model_observe.c: follows the timeline. */
void model_observe(void *context, const struct wsp_event *event);
/* pool_model_check.c: what holds after each advance, and when nothing is under way. */
void model_check(struct model *model);
void model_check_quiet(struct model *model);
void model_check_rest(struct model *model);
void model_check_grant(struct model *model, struct model_acquire *acquire,
                       const struct wsp_acquire_result *result);
void model_check_failure(struct model *model, struct model_acquire *acquire,
                         const struct wsp_acquire_result *result);
/* pool_model_step.c: the operations. */
void model_step(struct model *model);
void model_advance(struct model *model);
void model_close(struct model *model);
void model_quiet(struct model *model);
void model_drain(struct model *model);
struct wsp_config model_config(struct model *model);
void model_profile_draw(struct model *model);
struct model_conn *model_conn(struct model *model, uint64_t serial);
bool model_same_key(const struct model_acquire *acquire, const struct model_conn *conn);

#endif
