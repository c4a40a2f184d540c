/*
 * test_faults.c - what each fault does to the call that it strikes, and to the pool behind it.
 */
#include "fakes/fault.h"

#include <string.h>

#include "tests/fakes_fixture.h"
#include "tests/suites.h"

#define TRANSPORT fake_transport()

/* Strikes one call. */
struct one {
  enum fake_subject subject;
  uint64_t number;
  struct fake_fault fault;
};

static bool strike_one(void *context, enum fake_subject subject, uint64_t number, wsp_time now,
                       struct fake_fault *fault) {
  const struct one *one = context;
  (void)now;
  *fault = one->fault;
  return subject == one->subject && number == one->number;
}

struct rig {
  struct fakes_fixture f;
  struct one one;
  struct fake_fault_plan plan;
  struct wsp_acquire_result result; /* of the last acquire */
  char text[128];
  enum wsp_error io; /* of the last write, read or ping */
  int io_count;
};

/* A pool of one conn, whose dials take 5 ms and whose calls take 10 ms. */
static void open_rig(struct rig *rig, enum fake_subject subject, uint64_t number,
                     enum fake_fault_kind kind, wsp_duration length) {
  static const struct fake_behaviour slow[] = {{.latency = CONSTANT(10 * MS)}};
  static const struct fake_dial_behaviour dials[] = {{.answer = {.latency = CONSTANT(5 * MS)}}};
  static const struct fake_spec spec = {
      .set = FAKE_SET_DIAL,
      .dials = dials,
      .dial_count = 1,
      .conn = {.set = FAKE_SET_PING | FAKE_SET_READ | FAKE_SET_WRITE,
               .ping = LIST(slow),
               .read = LIST(slow),
               .write = LIST(slow)}};
  *rig = (struct rig){.one = {subject, number, {kind, length}}};
  fixture_open(&rig->f, 1);
  fixture_define(&rig->f, "default", &spec);
  fixture_open_pool(&rig->f, 1);
  rig->plan = (struct fake_fault_plan){strike_one, &rig->one};
  fake_world_use_faults(rig->f.world, &rig->plan);
}

static void acquired(void *context, const struct wsp_acquire_result *result) {
  struct rig *rig = context;
  rig->result = *result;
  strncpy(rig->text, result->error_text, sizeof rig->text - 1);
}

static void acquire(struct rig *rig, wsp_time until) {
  const struct wsp_acquire_request request = {.account = {.id = FIXTURE_ACCOUNT},
                                              .url = FIXTURE_URL};
  rig->result = (struct wsp_acquire_result){.error = WSP_WOULD_WAIT};
  CU_ASSERT_EQUAL(wsp_acquire(rig->f.pool, rig->f.now, &request, acquired, rig, NULL), WSP_OK);
  fixture_run(&rig->f, until);
}

static void io_ended(void *context, const struct wsp_io_result *result) {
  struct rig *rig = context;
  rig->io = result->error;
  rig->io_count++;
}

static struct wsp_io_request io_request(struct rig *rig) {
  return (struct wsp_io_request){.lease = rig->result.lease, .callback = io_ended, .context = rig};
}

static struct wsp_account_stats stats(const struct rig *rig) {
  struct wsp_account_stats found;
  wsp_account_stats(rig->f.pool, FIXTURE_ACCOUNT, &found);
  return found;
}

static void a_dial_that_is_struck_fails(void) {
  static const struct {
    enum fake_fault_kind kind;
    wsp_duration length;
    wsp_time at;
    int status;
    const char *text;
  } cases[] = {
      {FAKE_FAULT_DROP, 40 * MS, 40 * MS, 0, "connection timed out"},
      {FAKE_FAULT_RESET, 0, 5 * MS, 0, "connection reset by peer"},
      {FAKE_FAULT_REFUSE, 0, 5 * MS, 0, "connection refused"},
      {FAKE_FAULT_TOO_MANY_REQUESTS, 0, 5 * MS, 429, "too many requests"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct rig rig;
    open_rig(&rig, FAKE_SUBJECT_DIAL, 1, cases[i].kind, cases[i].length);
    acquire(&rig, cases[i].at - 1);
    CU_ASSERT_EQUAL(rig.result.error, WSP_WOULD_WAIT);
    fixture_run(&rig.f, cases[i].at);
    CU_ASSERT_EQUAL(rig.result.error, WSP_DIAL_FAILED);
    CU_ASSERT_EQUAL(rig.result.status, cases[i].status);
    CU_ASSERT_PTR_NOT_NULL(strstr(rig.text, cases[i].text));
    CU_ASSERT_EQUAL(stats(&rig).creating, 0);
    acquire(&rig, cases[i].at + 5 * MS); /* the second is left alone */
    CU_ASSERT_EQUAL(rig.result.error, WSP_OK);
    fixture_close(&rig.f);
  }
}

static void a_dial_may_take_longer(void) {
  static const struct {
    enum fake_fault_kind kind;
    wsp_time at;
  } cases[] = {{FAKE_FAULT_STALL, 40 * MS}, {FAKE_FAULT_SLOW, 45 * MS}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct rig rig;
    open_rig(&rig, FAKE_SUBJECT_DIAL, 1, cases[i].kind, 40 * MS);
    acquire(&rig, cases[i].at - 1);
    CU_ASSERT_EQUAL(rig.result.error, WSP_WOULD_WAIT);
    fixture_run(&rig.f, cases[i].at);
    CU_ASSERT_EQUAL(rig.result.error, WSP_OK);
    fixture_close(&rig.f);
  }
}

static void each_fault_is_an_event_and_counts(void) {
  struct rig rig;
  const struct sim_event *event;
  open_rig(&rig, FAKE_SUBJECT_DIAL, 2, FAKE_FAULT_STALL, 40 * MS);
  acquire(&rig, 5 * MS);
  CU_ASSERT_EQUAL(fake_world_faults_fired(rig.f.world), 0);
  CU_ASSERT_EQUAL(fake_world_faults_end(rig.f.world), 0);
  wsp_lease_mark_broken(rig.result.lease, rig.f.now);
  acquire(&rig, 6 * MS);
  CU_ASSERT_EQUAL(fake_world_faults_fired(rig.f.world), 1);
  CU_ASSERT_EQUAL(fake_world_faults_end(rig.f.world), 45 * MS);
  CU_ASSERT_EQUAL_FATAL(fixture_events(&rig.f, SIM_FAULT_FIRED, &event), 1);
  CU_ASSERT_EQUAL(event->t_ns, 5 * MS);
  CU_ASSERT_EQUAL(event->account, FIXTURE_ACCOUNT);
  CU_ASSERT_EQUAL(event->values[0], 2);
  CU_ASSERT_EQUAL(event->values[1], 40 * MS);
  CU_ASSERT_STRING_EQUAL(sim_trace_string(rig.f.trace, event->texts[0]), "stall");
  CU_ASSERT_STRING_EQUAL(sim_trace_string(rig.f.trace, event->texts[1]), "dial");
  fixture_close(&rig.f);
}

/* Writes go on to succeed; a read has no answer, until the conn is found to be lost. */
static void a_dropped_conn_is_silent_until_it_is_closed(void) {
  struct rig rig;
  const struct sim_event *event;
  open_rig(&rig, FAKE_SUBJECT_WRITE, 1, FAKE_FAULT_DROP, 95 * MS);
  acquire(&rig, 5 * MS);
  struct wsp_io_request request = io_request(&rig);
  CU_ASSERT_EQUAL(wsp_lease_write_json(&request, rig.f.now, NULL), WSP_OK);
  fixture_run(&rig.f, 15 * MS);
  CU_ASSERT_EQUAL(rig.io_count, 1);
  CU_ASSERT_EQUAL(rig.io, WSP_OK);
  CU_ASSERT_EQUAL(wsp_lease_read(&request, rig.f.now, NULL), WSP_OK);
  fixture_run(&rig.f, 100 * MS - 1);
  CU_ASSERT_EQUAL(rig.io_count, 1);
  CU_ASSERT_EQUAL(stats(&rig).leased, 1);
  fixture_run(&rig.f, 100 * MS);
  CU_ASSERT_EQUAL(rig.io_count, 2);
  CU_ASSERT_EQUAL(rig.io, WSP_CONN_CLOSED);
  CU_ASSERT_EQUAL(stats(&rig).conns, 0);
  CU_ASSERT_EQUAL_FATAL(fixture_events(&rig.f, SIM_PEER_CLOSED, &event), 1);
  CU_ASSERT_EQUAL(event->values[0], 1006);
  CU_ASSERT_STRING_EQUAL(sim_trace_string(rig.f.trace, event->texts[0]), "drop");
  fixture_close(&rig.f);
}

/* What starts during the stall waits for its end as well, what starts later does not. */
static void a_stalled_conn_goes_on_afterwards(void) {
  struct rig rig;
  open_rig(&rig, FAKE_SUBJECT_READ, 1, FAKE_FAULT_STALL, 95 * MS);
  acquire(&rig, 5 * MS);
  struct wsp_io_request request = io_request(&rig);
  CU_ASSERT_EQUAL(wsp_lease_read(&request, rig.f.now, NULL), WSP_OK);
  fixture_run(&rig.f, 50 * MS);
  CU_ASSERT_EQUAL(wsp_lease_write_json(&request, rig.f.now, NULL), WSP_OK);
  fixture_run(&rig.f, 100 * MS - 1);
  CU_ASSERT_EQUAL(rig.io_count, 0);
  fixture_run(&rig.f, 100 * MS);
  CU_ASSERT_EQUAL(rig.io_count, 2);
  CU_ASSERT_EQUAL(rig.io, WSP_OK);
  CU_ASSERT_EQUAL(wsp_lease_read(&request, rig.f.now, NULL), WSP_OK);
  fixture_run(&rig.f, 110 * MS);
  CU_ASSERT_EQUAL(rig.io_count, 3);
  fixture_close(&rig.f);
}

static void a_reset_takes_the_place_of_the_answer(void) {
  static const enum fake_subject subjects[] = {FAKE_SUBJECT_WRITE, FAKE_SUBJECT_READ,
                                               FAKE_SUBJECT_PING};
  for (size_t i = 0; i < 3; i++) {
    struct rig rig;
    open_rig(&rig, subjects[i], 1, FAKE_FAULT_RESET, 0);
    acquire(&rig, 5 * MS);
    struct wsp_io_request request = io_request(&rig);
    enum wsp_error error =
        subjects[i] == FAKE_SUBJECT_WRITE  ? wsp_lease_write_json(&request, rig.f.now, NULL)
        : subjects[i] == FAKE_SUBJECT_READ ? wsp_lease_read(&request, rig.f.now, NULL)
                                           : wsp_lease_ping(&request, rig.f.now, NULL);
    CU_ASSERT_EQUAL(error, WSP_OK);
    fixture_run(&rig.f, 15 * MS - 1);
    CU_ASSERT_EQUAL(rig.io_count, 0);
    fixture_run(&rig.f, 15 * MS);
    CU_ASSERT_EQUAL(rig.io_count, 1);
    CU_ASSERT_EQUAL(rig.io, WSP_CONN_CLOSED);
    CU_ASSERT_EQUAL(stats(&rig).conns, 0);
    CU_ASSERT_EQUAL(fixture_counters(&rig.f, "default").peer_closed, 1);
    CU_ASSERT_EQUAL(fixture_counters(&rig.f, "default").concurrent_pings, 0);
    fixture_close(&rig.f);
  }
}

/* By then another conn may be where the closed one was: it is not meant. */
static void a_close_that_is_told_twice_takes_no_other_conn_along(void) {
  struct rig rig;
  open_rig(&rig, FAKE_SUBJECT_CLOSE, 1, FAKE_FAULT_DUPLICATE_CLOSE, 50 * MS);
  acquire(&rig, 5 * MS);
  wsp_lease_mark_broken(rig.result.lease, rig.f.now);
  acquire(&rig, 20 * MS);
  CU_ASSERT_EQUAL(rig.result.error, WSP_OK);
  CU_ASSERT_EQUAL(fake_world_faults_end(rig.f.world), 55 * MS);
  CU_ASSERT_EQUAL(sim_queue_next(rig.f.queue), 55 * MS);
  fixture_run(&rig.f, 60 * MS);
  CU_ASSERT_EQUAL(sim_queue_next(rig.f.queue), WSP_TIME_NEVER);
  CU_ASSERT_TRUE(wsp_lease_valid(rig.result.lease));
  CU_ASSERT_EQUAL(stats(&rig).leased, 1);
  fixture_close(&rig.f);
}

static void healed_upstreams_answer_at_once(void) {
  static const struct fake_dial_behaviour dials[] = {
      {.answer = {.outcome = FAKE_ERROR, .latency = CONSTANT(1 * SECOND)}}};
  static const struct fake_behaviour block[] = {{.outcome = FAKE_BLOCK}};
  static const struct fake_spec spec = {.set = FAKE_SET_DIAL | FAKE_SET_MAX_CONNS,
                                        .dials = dials,
                                        .dial_count = 1,
                                        .max_conns = 1,
                                        .rate_per = 1 * SECOND,
                                        .conn = {.set = FAKE_SET_PING, .ping = LIST(block)}};
  struct rig rig;
  open_rig(&rig, FAKE_SUBJECT_DIAL, 1, FAKE_FAULT_REFUSE, 0);
  fixture_define(&rig.f, "default", &spec);
  fake_world_heal(rig.f.world);
  acquire(&rig, 0);
  CU_ASSERT_EQUAL(rig.result.error, WSP_OK);
  struct wsp_io_request request = io_request(&rig);
  CU_ASSERT_EQUAL(wsp_lease_ping(&request, rig.f.now, NULL), WSP_OK);
  fixture_run(&rig.f, 0);
  CU_ASSERT_EQUAL(rig.io_count, 1);
  CU_ASSERT_EQUAL(rig.io, WSP_OK);
  CU_ASSERT_EQUAL(fake_world_faults_fired(rig.f.world), 0);
  fixture_close(&rig.f);
}

static void names_are_found(void) {
  for (int kind = 0; kind < FAKE_FAULT_COUNT; kind++) {
    const char *name = fake_fault_type((enum fake_fault_kind)kind)->name;
    CU_ASSERT_EQUAL(fake_fault_by_name(name, strlen(name)), kind);
    CU_ASSERT_EQUAL(fake_fault_by_name(name, strlen(name) - 1), -1);
  }
  for (int subject = 0; subject < FAKE_SUBJECT_COUNT; subject++) {
    const char *name = fake_subject_name((enum fake_subject)subject);
    CU_ASSERT_EQUAL(fake_subject_by_name(name, strlen(name)), subject);
  }
  CU_ASSERT_EQUAL(fake_subject_by_name("dials", 5), -1);
}

CU_TestInfo suite_faults[] = {
    {"a dial that is struck fails", a_dial_that_is_struck_fails},
    {"a dial may take longer", a_dial_may_take_longer},
    {"each fault is an event and counts", each_fault_is_an_event_and_counts},
    {"a dropped conn is silent until it is closed", a_dropped_conn_is_silent_until_it_is_closed},
    {"a stalled conn goes on afterwards", a_stalled_conn_goes_on_afterwards},
    {"a reset takes the place of the answer", a_reset_takes_the_place_of_the_answer},
    {"a close that is told twice takes no other conn along",
     a_close_that_is_told_twice_takes_no_other_conn_along},
    {"healed upstreams answer at once", healed_upstreams_answer_at_once},
    {"names are found", names_are_found},
    CU_TEST_INFO_NULL,
};
