/*
 * pool.c - measures the pool alone: on a transport that only takes conns, in the allocator's bytes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/wspool_transport.h"
#include "tests/bench/bench.h"

#define URL "wss://example.com/v1/responses"
#define STEP_NS 100 /* that virtual time goes on at each call */

/* A pool whose conns were all adopted. */
struct rig {
  struct wsp_pool *pool;
  int64_t allocations, bytes;
};

/* ---- A transport that has nothing to do ---------------------------------------------------- */

static enum wsp_error dial(void *context, struct wsp_dial name,
                           const struct wsp_dial_request *request, void **dialing) {
  (void)context, (void)name, (void)request, (void)dialing;
  bench_expect(false, "that nothing is dialled");
  return WSP_DIAL_FAILED;
}

static enum wsp_error write_text(void *context, void *conn, const char *data, size_t length) {
  (void)context, (void)conn, (void)data, (void)length;
  return WSP_IO_FAILED;
}

static enum wsp_error start(void *context, void *conn) {
  (void)context, (void)conn;
  return WSP_IO_FAILED;
}

static void stop(void *context, void *conn) {
  (void)context, (void)conn;
  bench_expect(false, "that no conn is closed and no ping or dial cancelled");
}

static const struct wsp_transport transport = {.dial = dial,
                                               .dial_cancel = stop,
                                               .write = write_text,
                                               .read = start,
                                               .read_cancel = stop,
                                               .ping = start,
                                               .ping_cancel = stop,
                                               .close = stop};

static void *allocate(void *context, size_t size) {
  struct rig *rig = context;

  rig->bytes += (int64_t)size;
  return malloc(size);
}

static void release(void *context, void *memory, size_t size) {
  struct rig *rig = context;
  rig->bytes -= (int64_t)size;
  free(memory);
}

static void open_rig(struct rig *rig, int64_t conns_per_account) {
  struct wsp_config config;
  wsp_config_init(&config);
  config.max_conns_per_account = conns_per_account;
  config.max_idle_per_account = conns_per_account;
  config.queue_limit_per_conn = INT64_MAX / (conns_per_account + 1);
  config.ping_interval = 0;
  config.cleanup_interval = 0;
  *rig = (struct rig){0};
  struct wsp_environment environment = {
      .transport = &transport, .allocate = allocate, .release = release, .allocator_context = rig};
  bench_expect(wsp_pool_create(&config, &environment, 0, &rig->pool) == WSP_OK, "a pool");
}

/* Spreads the conns over accounts 1, 2, 3, ... in turn. */
static void adopt(struct rig *rig, int64_t conns, int64_t accounts) {
  for (int64_t i = 0; i < conns; i++) {
    char id[64];
    snprintf(id, sizeof id, "oa_ws_%" PRId64 "_%" PRId64, i % accounts + 1, i + 1);
    struct wsp_adoption adoption = {
        .account = i % accounts + 1, .id = id, .url = URL, .conn = rig /* never looked at */};
    struct wsp_conn conn;
    bench_expect(wsp_adopt(rig->pool, 0, &adoption, &conn) == WSP_OK, "that a conn is adopted");
  }
}

/* ---- Measurements -------------------------------------------------------------------------- */

/* The numbers from 0 to count - 1 in a drawn order, the same every time. */
static uint32_t *shuffled(int64_t count) {
  uint32_t *numbers = malloc((size_t)count * sizeof *numbers);
  bench_expect(numbers != NULL, "memory for the order of accounts");
  uint64_t random = 1;
  for (int64_t i = 0; i < count; i++) {
    random = random * UINT64_C(6364136223846793005) + 1;
    int64_t other = (int64_t)((random >> 33) % (uint64_t)(i + 1));
    numbers[i] = numbers[other];
    numbers[other] = (uint32_t)i;
  }
  return numbers;
}

static wsp_time lend_and_return(struct rig *rig, wsp_time now, int64_t rounds,
                                const uint32_t *order, int64_t accounts) {
  struct wsp_acquire_request request = {.account = {.id = 1}, .url = URL};
  int64_t at = 0;
  for (int64_t i = 0; i < rounds; i++) {
    struct wsp_lease lease;
    if (order != NULL) {
      request.account.id = order[at] + 1;
      at = at + 1 == accounts ? 0 : at + 1;
    }
    now += STEP_NS;
    bench_expect(wsp_try_acquire(rig->pool, now, &request, &lease) == WSP_OK, "an idle conn");
    wsp_lease_release(lease, now);
  }
  return now;
}

/* CONNS in each of ACCOUNTS; all acquires of one account, or of all accounts in a drawn order. */
void bench_try_acquire(char **arguments) {
  int64_t conns = bench_number(arguments[0]);
  int64_t accounts = bench_number(arguments[1]);
  bool all = strcmp(arguments[2], "all") == 0;
  int64_t rounds = bench_number(arguments[3]);
  struct rig rig;
  open_rig(&rig, conns);
  adopt(&rig, conns * accounts, accounts);
  uint32_t *order = all ? shuffled(accounts) : NULL;
  /* Every account is asked once before: the first time it keeps what it would dial. */
  wsp_time now = lend_and_return(&rig, 0, rounds / 10 + accounts, order, accounts);
  int64_t allocations = rig.allocations;
  int64_t baseline = bench_free_list(rounds);
  int64_t begin = bench_clock();
  lend_and_return(&rig, now, rounds, order, accounts);
  int64_t used = bench_clock() - begin;
  printf("{\"operations\": %" PRId64 ", \"ns\": %" PRId64 ", \"baseline_ns\": %" PRId64
         ", \"allocations\": %" PRId64 "}\n",
         rounds, used, baseline, rig.allocations - allocations);
  free(order);
  wsp_pool_destroy(rig.pool);
}

/* Callers that give back what they were lent and ask again at once. */
struct caller {
  struct rig *rig;
  struct wsp_lease lease;
  struct caller *next; /* that has a lease */
  struct callers *all;
};

struct callers {
  struct caller *first, *last; /* that have a lease */
  int64_t served;
};

static void granted(void *context, const struct wsp_acquire_result *result) {
  struct caller *caller = context;
  bench_expect(result->error == WSP_OK, "that every acquire is granted");
  caller->lease = result->lease;
  caller->next = NULL;
  if (caller->all->first == NULL) {
    caller->all->first = caller;
  } else {
    caller->all->last->next = caller;
  }
  caller->all->last = caller;
  caller->all->served++;
}

static void ask(struct caller *caller, wsp_time now) {
  struct wsp_acquire_request request = {.account = {.id = 1}, .url = URL};
  bench_expect(wsp_acquire(caller->rig->pool, now, &request, granted, caller, NULL) == WSP_OK,
               "that an acquire starts");
}

static wsp_time take_turns(struct rig *rig, struct callers *callers, wsp_time now, int64_t rounds) {
  for (int64_t i = 0; i < rounds; i++) {
    struct caller *caller = callers->first;
    callers->first = caller->next;
    now += STEP_NS;
    wsp_lease_release(caller->lease, now);
    ask(caller, now);
    wsp_pool_advance(rig->pool, now);
  }
  return now;
}

/* A round is an acquire that queues, a release that serves another, and the loop that tells it. */
void bench_queued_acquire(char **arguments) {
  int64_t count = bench_number(arguments[0]);
  int64_t conns = bench_number(arguments[1]);
  int64_t rounds = bench_number(arguments[2]);
  bench_expect(count > conns, "more callers than conns");
  struct rig rig;
  open_rig(&rig, conns);
  adopt(&rig, conns, 1);
  struct callers callers = {0};
  struct caller *all = calloc((size_t)count, sizeof *all);
  bench_expect(all != NULL, "memory for the callers");
  for (int64_t i = 0; i < count; i++) {
    all[i] = (struct caller){.rig = &rig, .all = &callers};
    ask(&all[i], 0);
  }
  wsp_pool_advance(rig.pool, 0);
  wsp_time now = take_turns(&rig, &callers, 0, rounds / 10 + 1);
  int64_t allocations = rig.allocations;
  int64_t served = callers.served;
  int64_t baseline = bench_waiting_line(rounds);
  int64_t begin = bench_clock();
  take_turns(&rig, &callers, now, rounds);
  int64_t used = bench_clock() - begin;
  bench_expect(callers.served - served == rounds, "one grant in each round");
  struct wsp_metrics metrics;
  wsp_pool_metrics(rig.pool, &metrics);
  bench_expect(metrics.acquire_queue_wait_total >= rounds, "that every acquire queues");
  printf("{\"operations\": %" PRId64 ", \"ns\": %" PRId64 ", \"baseline_ns\": %" PRId64
         ", \"allocations\": %" PRId64 "}\n",
         rounds, used, baseline, rig.allocations - allocations);
  wsp_pool_destroy(rig.pool);
  free(all);
}

/* Bytes of the allocator for each of CONNS in ACCOUNTS, all together and without the accounts. */
void bench_conn_memory(char **arguments) {
  int64_t conns = bench_number(arguments[0]);
  int64_t accounts = bench_number(arguments[1]);
  struct rig rig;
  open_rig(&rig, conns);
  adopt(&rig, accounts, accounts); /* one each, so that the accounts are there */
  int64_t before = rig.bytes;
  wsp_pool_destroy(rig.pool);
  open_rig(&rig, conns);
  adopt(&rig, accounts + conns, accounts);
  printf("{\"conns\": %" PRId64 ", \"bytes\": %" PRId64 ", \"all_bytes\": %" PRId64 "}\n", conns,
         rig.bytes - before, rig.bytes);
  wsp_pool_destroy(rig.pool);
}
