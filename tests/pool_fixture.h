/*
 * pool_fixture.h - a pool on a stub transport that does nothing by itself: the test answers each
 * dial, write, read and ping when it likes, also in either order within one instant.
 *
 * The stub holds the pool to what wspool_transport.h allows it (one write, read and ping on a
 * conn, nothing after close, one cancel of a dial, ...). The rig remembers every event, how each
 * operation ended and every byte that is allocated; rig_close() checks that nothing was left.
 * It holds no expectations about the pool's rules.
 */
#ifndef TESTS_POOL_FIXTURE_H
#define TESTS_POOL_FIXTURE_H

#include <CUnit/CUnit.h>

#include "pool/wspool_trace.h"
#include "pool/wspool_transport.h"

#define MS WSP_MILLISECOND
#define SECOND WSP_SECOND

#define RIG_URL "wss://example.com/v1/responses"
#define RIG_OTHER_URL "wss://other.example/v1"
#define RIG_ACCOUNT 1
#define RIG_TEXT_SIZE 128

struct stub_conn {
  struct wsp_conn name;
  char written[RIG_TEXT_SIZE]; /* the last write */
  int writes, reads, pings, read_cancels;
  bool writing, reading, pinging, ping_canceled, closing, closed;
  bool dropped; /* the pool did not want it */
};

struct stub_dial {
  struct rig *rig;
  struct wsp_dial name;
  int64_t account;
  char url[RIG_TEXT_SIZE], proxy[RIG_TEXT_SIZE], header[RIG_TEXT_SIZE]; /* "name: value" */
  bool prewarm, canceled, done;
  wsp_time started_at;
  struct stub_conn *conn; /* what it gave, NULL: none yet */
};

struct rig_event {
  wsp_time now;
  enum wsp_event_kind kind;
  int cause;
  int64_t account;
  uint64_t serial, tag;
  int64_t values[3];
  char conn[RIG_TEXT_SIZE], texts[2][RIG_TEXT_SIZE];
};

/* How an operation ended. */
struct ending {
  struct rig *rig;
  int count; /* of callbacks */
  wsp_time at;
  enum wsp_error error;
  char text[RIG_TEXT_SIZE], cause[RIG_TEXT_SIZE];
  char message[RIG_TEXT_SIZE]; /* of a read; of a failed dial its first header, "name: value" */
  size_t message_length;
  int status;
  struct wsp_lease lease;
  char conn[RIG_TEXT_SIZE];
  bool reused;
  wsp_duration queue_wait, conn_pick;
  struct wsp_op op;
};

struct rig_allocator {
  int64_t calls, live_bytes;
  int64_t fail_at; /* the call with this number fails; 0: none */
  bool fail_on;    /* ... and so do those behind it */
};

struct rig {
  struct wsp_pool *pool;
  wsp_time now;
  struct wsp_config config;
  struct stub_dial **dials;
  size_t dial_count;
  struct stub_conn **conns;
  size_t conn_count;
  struct rig_event *events;
  size_t event_count, event_capacity;
  struct ending endings[128];
  size_t ending_count;
  struct rig_allocator allocator;
  bool hold_cancels, hold_closes;  /* rig_settle() does not confirm them */
  bool answer_dials, answer_pings; /* rig_settle() answers those with success */
  enum wsp_error refuse_dial, refuse_write, refuse_read, refuse_ping; /* told at the call */
  uint64_t random_value;                                              /* what the pool draws */
  int64_t random_draws;
  wsp_time pick_clock, pick_step; /* the clock of pick decisions, and what each look adds */
  const char *violation;          /* of the transport's contract; NULL: none */
  void (*observe)(void *context, const struct wsp_event *event); /* besides; NULL: none */
  void *observe_context;
};

/* The defaults without background sweeps. */
struct wsp_config rig_config(void);
/* `config` may be NULL: rig_config(). Aborts without memory. */
void rig_open(struct rig *rig, const struct wsp_config *config);
/* The same without a pool, for tests that create it themselves. */
void rig_open_empty(struct rig *rig);
struct wsp_environment rig_environment(struct rig *rig);
/* Destroys the pool; checks that no byte is left and that the transport's contract was kept. */
void rig_close(struct rig *rig);

/* Confirms cancels and closes and advances, until nothing is left to do now. */
void rig_settle(struct rig *rig);
/* The same at every deadline until `until`, which is the time afterwards. */
void rig_run(struct rig *rig, wsp_time until);
/* Confirms what the pool has cancelled and closed, without advancing. True: there was something. */
bool rig_confirm(struct rig *rig);

/* An acquire of RIG_ACCOUNT and RIG_URL that asks for nothing special. */
struct wsp_acquire_request rig_request(void);
/* Starts an acquire; `request` may be NULL: rig_request(). Nothing is advanced. */
struct ending *rig_acquire(struct rig *rig, const struct wsp_acquire_request *request);
/* A granted acquire on a newly dialled conn, whose transport's side is the last of rig->conns. */
struct ending *rig_dialled(struct rig *rig);
/* The same for an idle conn, dialled by force and released. Returns its transport's side. */
struct stub_conn *rig_idle(struct rig *rig);

typedef enum wsp_error (*rig_io_function)(const struct wsp_io_request *, wsp_time, struct wsp_op *);
struct ending *rig_io(struct rig *rig, rig_io_function function, struct wsp_lease lease,
                      wsp_duration timeout);
/* Also says what the call itself returned. */
struct ending *rig_io_coded(struct rig *rig, rig_io_function function,
                            const struct wsp_io_request *request, enum wsp_error *code);
void rig_release(struct rig *rig, const struct ending *granted);
void rig_cancel(struct rig *rig, const struct ending *ending);
/* Puts a conn of RIG_ACCOUNT and `url` into the pool. */
struct stub_conn *rig_adopt(struct rig *rig, const char *id, const char *url, wsp_duration age,
                            wsp_duration idle);

/* The newest dial; aborts when there is none. */
struct stub_dial *rig_last_dial(const struct rig *rig);
/* Answers at rig->now; settles nothing. */
struct stub_conn *stub_dial_ok(struct rig *rig, struct stub_dial *dial);
struct stub_conn *stub_dial_ok_with(struct rig *rig, struct stub_dial *dial,
                                    const struct wsp_header *headers, size_t count);
void stub_dial_nil(struct rig *rig, struct stub_dial *dial);
void stub_dial_failed(struct rig *rig, struct stub_dial *dial, int status, const char *reason);
void stub_dial_error(struct rig *rig, struct stub_dial *dial, enum wsp_error error);
void stub_ping_done(struct rig *rig, struct stub_conn *conn, enum wsp_error error,
                    const char *reason);
void stub_write_done(struct rig *rig, struct stub_conn *conn, enum wsp_error error,
                     const char *reason);
void stub_read_done(struct rig *rig, struct stub_conn *conn, enum wsp_error error,
                    const char *reason, const char *message);
void stub_message(struct rig *rig, struct stub_conn *conn, const char *message);
void stub_closed(struct rig *rig, struct stub_conn *conn, int code, const char *reason);

struct wsp_account_stats rig_account(const struct rig *rig, int64_t account);
struct wsp_conn_stats rig_conn(const struct rig *rig, const char *id);
struct wsp_metrics rig_metrics(const struct rig *rig);
bool rig_has_conn(const struct rig *rig, const char *id);

size_t rig_count(const struct rig *rig, enum wsp_event_kind kind);
size_t rig_count_because(const struct rig *rig, enum wsp_event_kind kind, int cause);
/* The last of its kind; one of zeros when there is none. */
struct rig_event rig_last(const struct rig *rig, enum wsp_event_kind kind);
void rig_forget_events(struct rig *rig);

#define CHECK_TEXT(actual, expected) CU_ASSERT_STRING_EQUAL(actual, expected)

/* What an account of the rig looks like. */
#define CHECK_ACCOUNT(rig, id, conns_, idle_, leased_, waiting_, creating_) \
  do {                                                                      \
    struct wsp_account_stats stats_ = rig_account(rig, id);                 \
    CU_ASSERT_EQUAL(stats_.conns, conns_);                                  \
    CU_ASSERT_EQUAL(stats_.idle, idle_);                                    \
    CU_ASSERT_EQUAL(stats_.leased, leased_);                                \
    CU_ASSERT_EQUAL(stats_.waiting, waiting_);                              \
    CU_ASSERT_EQUAL(stats_.creating, creating_);                            \
  } while (0)

#define CHECK_PENDING(ending) CU_ASSERT_EQUAL((ending)->count, 0)

#define CHECK_FAILED(ending, expected, when)           \
  do {                                                 \
    CU_ASSERT_EQUAL((ending)->count, 1);               \
    CU_ASSERT_EQUAL((ending)->error, expected);        \
    CU_ASSERT_EQUAL((ending)->at, when);               \
    CU_ASSERT_FALSE(wsp_lease_valid((ending)->lease)); \
  } while (0)

#define CHECK_GRANTED(ending, id, when)         \
  do {                                          \
    CU_ASSERT_EQUAL((ending)->count, 1);        \
    CU_ASSERT_EQUAL((ending)->error, WSP_OK);   \
    CU_ASSERT_EQUAL((ending)->at, when);        \
    CU_ASSERT_STRING_EQUAL((ending)->conn, id); \
  } while (0)

/* How a write, read or ping ended. */
#define CHECK_ENDED(ending, expected, when)     \
  do {                                          \
    CU_ASSERT_EQUAL((ending)->count, 1);        \
    CU_ASSERT_EQUAL((ending)->error, expected); \
    CU_ASSERT_EQUAL((ending)->at, when);        \
  } while (0)

#endif
