/*
 * test_pool_race.c - cancel, deadline and closure against a grant that has not been delivered: one
 * of them wins whole, and no conn is lost.
 */
#include "tests/pool_fixture.h"
#include "tests/suites.h"

static void open_with(struct rig *rig, int64_t max) {
  struct wsp_config config = rig_config();
  config.max_conns_per_account = max;
  rig_open(rig, &config);
}

static struct ending *acquire_until(struct rig *rig, wsp_time deadline) {
  struct wsp_acquire_request request = rig_request();
  request.deadline = deadline;
  return rig_acquire(rig, &request);
}

static void cancel_beats_an_undelivered_grant(void) {
  struct rig rig;
  open_with(&rig, 1);
  rig_idle(&rig);
  struct ending *ending = rig_acquire(&rig, NULL);
  rig_cancel(&rig, ending);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 1, 0, 0, 0);
  rig_settle(&rig);
  CHECK_FAILED(ending, WSP_CANCELED, 0);
  struct ending *next = rig_acquire(&rig, NULL);
  rig_settle(&rig);
  CHECK_GRANTED(next, "oa_ws_1_1", 0);
  rig_close(&rig);
}

static void delivered_grant_is_left_alone(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct ending *ending = rig_dialled(&rig);
  rig_cancel(&rig, ending);
  rig_settle(&rig);
  CU_ASSERT(wsp_lease_valid(ending->lease));
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 0, 0);
  rig_close(&rig);
}

static void second_cancel_changes_nothing(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct ending *ending = rig_acquire(&rig, NULL);
  rig_cancel(&rig, ending);
  rig_cancel(&rig, ending);
  rig_settle(&rig);
  rig_cancel(&rig, ending);
  rig_settle(&rig);
  CHECK_FAILED(ending, WSP_CANCELED, 0);
  rig_close(&rig);
}

static void canceled_grant_goes_to_the_next_waiter(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct ending *holder = rig_dialled(&rig);
  struct ending *first = rig_acquire(&rig, NULL);
  struct ending *second = rig_acquire(&rig, NULL);
  wsp_lease_release(holder->lease, rig.now);
  rig_cancel(&rig, first);
  rig_settle(&rig);
  CHECK_FAILED(first, WSP_CANCELED, 0);
  CHECK_GRANTED(second, "oa_ws_1_1", 0);
  rig_close(&rig);
}

static void cancel_before_the_release_at_one_instant(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct ending *holder = rig_dialled(&rig);
  struct ending *first = rig_acquire(&rig, NULL);
  struct ending *second = rig_acquire(&rig, NULL);
  rig_cancel(&rig, first);
  wsp_lease_release(holder->lease, rig.now);
  rig_settle(&rig);
  CHECK_FAILED(first, WSP_CANCELED, 0);
  CHECK_GRANTED(second, "oa_ws_1_1", 0);
  rig_close(&rig);
}

/* The release at the waiter's deadline: first the release, then advance, and the other way. */
static void deadline_beats_a_release_at_its_instant(void) {
  for (int release_first = 0; release_first < 2; release_first++) {
    struct rig rig;
    open_with(&rig, 1);
    struct ending *holder = rig_dialled(&rig);
    struct ending *first = acquire_until(&rig, SECOND);
    struct ending *second = rig_acquire(&rig, NULL);
    rig.now = SECOND;
    if (!release_first) {
      wsp_pool_advance(rig.pool, rig.now);
    }
    wsp_lease_release(holder->lease, rig.now);
    rig_settle(&rig);
    CHECK_FAILED(first, WSP_DEADLINE_EXCEEDED, SECOND);
    CU_ASSERT_EQUAL(first->queue_wait, SECOND);
    CHECK_GRANTED(second, "oa_ws_1_1", SECOND);
    rig_close(&rig);
  }
}

static void release_just_before_the_deadline(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct ending *holder = rig_dialled(&rig);
  struct ending *waiter = acquire_until(&rig, SECOND);
  rig_run(&rig, SECOND - 1);
  rig_release(&rig, holder);
  CHECK_GRANTED(waiter, "oa_ws_1_1", SECOND - 1);
  rig_close(&rig);
}

/* The grant was in time, but advance comes at the deadline or later. */
static void late_advance_does_not_grant(void) {
  for (int waits = 0; waits < 2; waits++) {
    struct rig rig;
    open_with(&rig, 1);
    struct ending *holder = rig_dialled(&rig);
    if (!waits) {
      rig_release(&rig, holder);
    }
    struct ending *late = acquire_until(&rig, SECOND);
    if (waits) {
      rig.now = SECOND - 1;
      wsp_lease_release(holder->lease, rig.now);
    }
    struct ending *next = rig_acquire(&rig, NULL);
    rig.now = SECOND + waits;
    rig_settle(&rig);
    CHECK_FAILED(late, WSP_DEADLINE_EXCEEDED, SECOND + waits);
    CHECK_GRANTED(next, "oa_ws_1_1", SECOND + waits);
    rig_close(&rig);
  }
}

static void late_advance_keeps_a_dialled_conn(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct ending *late = acquire_until(&rig, SECOND);
  rig.now = SECOND - 1;
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig.now = SECOND;
  rig_settle(&rig);
  CHECK_FAILED(late, WSP_DEADLINE_EXCEEDED, SECOND);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 1, 0, 0, 0);
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_1").last_used_at, SECOND - 1);
  rig_close(&rig);
}

static void cancel_goes_before_the_deadline(void) {
  struct rig rig;
  open_with(&rig, 1);
  rig_dialled(&rig);
  struct ending *ending = acquire_until(&rig, SECOND);
  rig.now = SECOND;
  rig_cancel(&rig, ending); /* both at one instant, nothing delivered yet */
  rig_settle(&rig);
  CHECK_FAILED(ending, WSP_CANCELED, SECOND);
  rig_close(&rig);
}

/* The conn leaves between grant and delivery: by the peer, by name, with its account. */
static void conn_lost_under_an_undelivered_grant(void) {
  for (int how = 0; how < 4; how++) {
    struct rig rig;
    open_with(&rig, 2);
    rig_idle(&rig);
    struct ending *ending = rig_acquire(&rig, NULL);
    switch (how) {
      case 0:
        stub_closed(&rig, rig.conns[0], 1001, "going away");
        break;
      case 1:
        CU_ASSERT(wsp_evict(rig.pool, rig.now, RIG_ACCOUNT, "oa_ws_1_1"));
        break;
      case 2:
        wsp_clear_account(rig.pool, rig.now, RIG_ACCOUNT);
        break;
      default:
        stub_message(&rig, rig.conns[0], "unasked");
        break;
    }
    rig_settle(&rig);
    CHECK_PENDING(ending); /* it starts over: here it dials */
    CU_ASSERT_EQUAL(rig.dial_count, 2);
    CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 1);
    (void)stub_dial_ok(&rig, rig_last_dial(&rig));
    rig_settle(&rig);
    CHECK_GRANTED(ending, "oa_ws_1_2", 0);
    CU_ASSERT_FALSE(ending->reused);
    rig_close(&rig);
  }
}

static void conn_lost_under_a_strict_grant(void) {
  struct rig rig;
  open_with(&rig, 2);
  rig_idle(&rig);
  struct wsp_acquire_request request = rig_request();
  request.preferred_conn = "oa_ws_1_1";
  request.force_preferred_conn = true;
  struct ending *strict = rig_acquire(&rig, &request);
  stub_closed(&rig, rig.conns[0], 1001, NULL);
  rig_settle(&rig);
  CHECK_FAILED(strict, WSP_PREFERRED_UNAVAILABLE, 0);
  CU_ASSERT_EQUAL(rig.dial_count, 1);
  rig_close(&rig);
}

static void lost_grant_keeps_its_place(void) {
  struct rig rig;
  open_with(&rig, 2);
  struct ending *other = rig_dialled(&rig);
  rig_idle(&rig);
  rig_adopt(&rig, "third", RIG_OTHER_URL, 0, 0); /* over the maximum: no room comes of a loss */
  CU_ASSERT(wsp_pin(rig.pool, 0, RIG_ACCOUNT, "third"));
  struct ending *first = rig_acquire(&rig, NULL);
  struct ending *second = rig_acquire(&rig, NULL);
  stub_closed(&rig, rig.conns[1], 1001, NULL);
  rig_settle(&rig);
  CHECK_PENDING(first);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 2, 1, 1, 2, 0);
  rig_release(&rig, other);
  CHECK_GRANTED(first, "oa_ws_1_1", 0);
  CHECK_PENDING(second);
  rig_close(&rig);
}

/* Full; A, of another key, waits; B's conn is lost between grant and delivery: the room is A's,
 * who came first, and B waits behind. */
static void lost_grant_does_not_pass_an_earlier_waiter(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct ending *holder = rig_dialled(&rig);
  struct wsp_acquire_request request = rig_request();
  request.url = RIG_OTHER_URL;
  struct ending *a = rig_acquire(&rig, &request);
  struct ending *b = rig_acquire(&rig, NULL);
  wsp_lease_release(holder->lease, 0);
  stub_closed(&rig, rig.conns[0], 1001, NULL);
  rig_settle(&rig);
  CU_ASSERT_EQUAL(rig.dial_count, 2);
  CHECK_TEXT(rig_last_dial(&rig)->url, RIG_OTHER_URL);
  CHECK_PENDING(b);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 1, 1);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CHECK_GRANTED(a, "oa_ws_1_2", 0);
  rig_release(&rig, a);
  CU_ASSERT_EQUAL_FATAL(rig.dial_count, 3); /* a's conn makes room for b */
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CHECK_GRANTED(b, "oa_ws_1_3", 0);
  rig_close(&rig);
}

static struct wsp_op own_op;
static int own_callbacks;

static void cancel_own_acquire(void *context, const struct wsp_acquire_result *result) {
  const struct rig *rig = context;
  (void)result;
  own_callbacks++;
  wsp_op_cancel(own_op, rig->now);
}

static void cancel_own_io(void *context, const struct wsp_io_result *result) {
  const struct rig *rig = context;
  (void)result;
  own_callbacks++;
  wsp_op_cancel(own_op, rig->now);
}

static void callback_may_cancel_its_own_operation(void) {
  struct rig rig;
  open_with(&rig, 1);
  for (int fails = 0; fails < 2; fails++) {
    struct wsp_acquire_request request = rig_request();
    request.canceled = fails;
    own_callbacks = 0;
    CU_ASSERT_EQUAL(wsp_acquire(rig.pool, 0, &request, cancel_own_acquire, &rig, &own_op), WSP_OK);
    if (!fails) {
      (void)stub_dial_ok(&rig, rig_last_dial(&rig));
    }
    rig_settle(&rig);
    CU_ASSERT_EQUAL(own_callbacks, 1);
  }
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 0, 0);
  rig_close(&rig);
}

static void callback_may_cancel_its_own_read(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct ending *holder = rig_dialled(&rig);
  static const rig_io_function functions[] = {wsp_lease_write_json, wsp_lease_read, wsp_lease_ping};
  for (int i = 0; i < 3; i++) {
    for (int canceled = 1; canceled >= 0; canceled--) {
      struct wsp_io_request request = {
          .lease = holder->lease, .canceled = canceled, .callback = cancel_own_io, .context = &rig};
      own_callbacks = 0;
      CU_ASSERT_EQUAL(functions[i](&request, 0, &own_op), WSP_OK);
      if (!canceled && i == 0) {
        stub_write_done(&rig, rig.conns[0], WSP_OK, NULL);
      } else if (!canceled && i == 1) {
        stub_read_done(&rig, rig.conns[0], WSP_OK, NULL, "m");
      } else if (!canceled) {
        stub_ping_done(&rig, rig.conns[0], WSP_OK, NULL);
      }
      rig_settle(&rig);
      CU_ASSERT_EQUAL(own_callbacks, 1);
    }
  }
  CU_ASSERT_EQUAL(wsp_pool_pending(rig.pool), 0);
  rig_close(&rig);
}

static void time_never_runs_backwards(void) {
  struct rig rig;
  open_with(&rig, 1);
  struct ending *holder = rig_dialled(&rig);
  struct ending *waiter = acquire_until(&rig, 2 * SECOND);
  wsp_pool_advance(rig.pool, SECOND);
  wsp_lease_release(holder->lease, 500 * MS); /* taken for SECOND */
  wsp_pool_advance(rig.pool, 100 * MS);
  CU_ASSERT_EQUAL(waiter->count, 1);
  CU_ASSERT_EQUAL(waiter->queue_wait, SECOND);
  CU_ASSERT_EQUAL(rig_conn(&rig, "oa_ws_1_1").last_used_at, SECOND);
  rig_close(&rig);
}

CU_TestInfo suite_pool_race[] = {
    {"a cancel beats a grant that has not been delivered, and the conn is free",
     cancel_beats_an_undelivered_grant},
    {"a cancel leaves a delivered grant alone", delivered_grant_is_left_alone},
    {"a second cancel changes nothing", second_cancel_changes_nothing},
    {"the conn of a cancelled grant goes to the next waiter",
     canceled_grant_goes_to_the_next_waiter},
    {"a cancel before the release at one instant passes the conn on",
     cancel_before_the_release_at_one_instant},
    {"a deadline beats a release at its instant, in either order",
     deadline_beats_a_release_at_its_instant},
    {"a release one nanosecond before the deadline grants", release_just_before_the_deadline},
    {"a grant is not delivered at or after its deadline when advance is late",
     late_advance_does_not_grant},
    {"the conn dialled for an acquire that was late by then is kept",
     late_advance_keeps_a_dialled_conn},
    {"a cancel goes before a deadline at its instant", cancel_goes_before_the_deadline},
    {"a conn that is lost under an undelivered grant sends the acquire back",
     conn_lost_under_an_undelivered_grant},
    {"a conn that is lost under a strict grant ends the acquire", conn_lost_under_a_strict_grant},
    {"an acquire whose grant was lost keeps its place in the order", lost_grant_keeps_its_place},
    {"an acquire whose grant was lost does not pass an earlier waiter",
     lost_grant_does_not_pass_an_earlier_waiter},
    {"a callback may cancel its own acquire", callback_may_cancel_its_own_operation},
    {"a callback may cancel its own write, read or ping", callback_may_cancel_its_own_read},
    {"a time before an earlier one is taken for that", time_never_runs_backwards},
    CU_TEST_INFO_NULL,
};
