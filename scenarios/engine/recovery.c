/*
 * recovery.c - gives everything back, waits, asks every account for conns, and judges.
 *
 * Limits: of an account at most MOST_AT_ONCE acquires are made together.
 */
#include "scenarios/engine/recovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fakes/fault.h"
#include "scenarios/engine/invariants.h"
#include "scenarios/engine/leases.h"
#include "sim/duration.h"

enum { MOST_AT_ONCE = 64 };

enum phase {
  FAULTS_LAST, /* until the last of them is over */
  SETTLES,     /* everything was given back */
  SERVES,      /* one acquire for each account */
  FILLS,       /* as many as there may be */
  IS_OVER
};

/* An account that is asked for conns. */
struct asked {
  int64_t id;
  int64_t maximum;
  const char *url, *proxy; /* NULL: it is not asked */
  struct scn_operation **probes;
  size_t probe_count;
  bool had_minimum;
};

struct scn_recovery {
  enum phase phase;
  wsp_time until; /* of the phase */
  wsp_duration bound;
  struct wsp_config config;
  struct asked *accounts; /* as many as the world has, in their order */
  bool given_back;        /* what the phase had acquired */
};

bool scn_recovery_is_due(const struct scn_world *world) {
  return fake_world_faults_fired(world->upstreams) > 0;
}

/* ---- How long it may take ----------------------------------------------------------------------
 */

/* Each of these may have to pass once, one after the other, before the pool does what it owes. */
static wsp_duration bound_of(const struct wsp_config *config) {
  const wsp_duration parts[] = {config->dial_timeout,           config->prewarm_extra_delay,
                                config->health_check_timeout,   config->health_check_timeout,
                                config->probe_timeout,          config->prewarm_cooldown,
                                config->prewarm_failure_window, config->ping_interval,
                                config->cleanup_interval,       WSP_SECOND};
  wsp_time bound = 0;
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    bound = scn_time_after(bound, parts[i]);
  }
  return bound;
}

/* ---- What does not hold ------------------------------------------------------------------------
 */

static void violated(struct scn_world *world, const struct scn_lines *what) {
  char bound[SIM_DURATION_TEXT_SIZE];
  sim_duration_format(world->recovery->bound, bound);
  struct scn_lines detail = {.arena = world->arena};
  scn_lines_add(&detail,
                "%s, %s after the faults were over, all leases and pins given back, and every "
                "upstream answering at once",
                what->data == NULL ? "(no memory to tell)" : what->data, bound);
  scn_invariants_violated(world, SIM_INVARIANT_CONVERGENCE, detail.data == NULL ? "" : detail.data);
  world->recovery->phase = IS_OVER;
}

/* What is still under way in the accounts. False after it was told. */
static bool are_empty(struct scn_world *world) {
  for (size_t i = 0; i < world->account_count; i++) {
    struct wsp_account_stats stats;
    world->pool_calls->account_stats(world->pool, world->accounts[i], &stats);
    if (stats.leased != 0 || stats.waiting != 0 || stats.creating != 0 ||
        (world->close_done && stats.conns != 0)) {
      struct scn_lines what = {.arena = world->arena};
      scn_lines_add(
          &what,
          "account %lld: expected nothing lent, waiting or reserved%s; found leased %lld, "
          "waiting %lld, creating %lld, conns %lld",
          (long long)world->accounts[i], world->close_done ? " and no conn, in a closed pool" : "",
          (long long)stats.leased, (long long)stats.waiting, (long long)stats.creating,
          (long long)stats.conns);
      violated(world, &what);
      return false;
    }
  }
  return true;
}

static bool are_ended(struct scn_world *world) {
  /* A close that an upstream has not confirmed yet is not the pool's fault. */
  if (world->close_asked && !world->close_done && fake_world_pending(world->upstreams) == 0) {
    struct scn_lines what = {.arena = world->arena};
    scn_lines_add(&what, "the pool: expected its close to be complete; found it under way");
    violated(world, &what);
    return false;
  }
  for (size_t i = 0; world->pending > 0 && i < scn_operations_count(world->operations); i++) {
    const struct scn_operation *operation = scn_operations_at(world->operations, i);
    if (operation->record.ended_ns >= 0) {
      continue;
    }
    char since[SIM_DURATION_TEXT_SIZE];
    sim_duration_format(operation->record.started_ns, since);
    struct scn_lines what = {.arena = world->arena};
    scn_lines_add(&what, "%s \"%s\" of account %lld: expected its end; found it pending since %s",
                  rep_op_kind_name(operation->record.kind), operation->record.label,
                  (long long)operation->record.account, since);
    violated(world, &what);
    return false;
  }
  return true;
}

static bool are_served(struct scn_world *world) {
  for (size_t i = 0; i < world->account_count; i++) {
    const struct asked *asked = &world->recovery->accounts[i];
    for (size_t p = 0; p < asked->probe_count; p++) {
      const struct rep_op *record = &asked->probes[p]->record;
      if (strcmp(record->result, "ok") != 0) {
        struct scn_lines what = {.arena = world->arena};
        scn_lines_add(&what,
                      "account %lld: expected %zu acquires to be served together; found number %zu "
                      "of them %s%s%s",
                      (long long)asked->id, asked->probe_count, p + 1, record->result,
                      record->error_text == NULL ? "" : ": ",
                      record->error_text == NULL ? "" : record->error_text);
        violated(world, &what);
        return false;
      }
    }
  }
  return true;
}

/* ---- Giving back
 * --------------------------------------------------------------------------------- */

static void give_leases_back(struct scn_world *world) {
  size_t count = scn_operations_count(world->operations);
  for (size_t i = 0; i < count; i++) {
    struct scn_operation *operation = scn_operations_at(world->operations, i);
    if (operation->record.reused >= 0 && operation->released_ns < 0) {
      scn_lease_give_back(operation);
    }
  }
}

static void unpin(struct scn_world *world, int64_t account, const char *conn) {
  struct wsp_conn_stats stats;
  while (world->pool_calls->conn_stats(world->pool, account, conn, &stats) && stats.pins > 0) {
    world->pool_calls->unpin(world->pool, world->now, account, conn);
  }
}

static int compare_ids(const void *id, const void *element) {
  int64_t a = *(const int64_t *)id;
  int64_t b = ((const struct asked *)element)->id;
  return (a > b) - (a < b);
}

/* Goes through the timeline: takes pins off, and keeps what each account was asked for last. */
static void read_timeline(struct scn_world *world) {
  struct scn_recovery *recovery = world->recovery;
  uint64_t count = sim_trace_count(world->trace);
  for (uint64_t i = 0; i < count; i++) {
    const struct sim_event event = sim_trace_events(world->trace)[i];
    if (event.kind == WSP_CONN_PINNED) {
      unpin(world, event.account, sim_trace_string(world->trace, event.conn));
    } else if (event.kind == WSP_ACQUIRE_STARTED) {
      struct asked *asked = bsearch(&event.account, recovery->accounts, world->account_count,
                                    sizeof *recovery->accounts, compare_ids);
      const char *url = sim_trace_string(world->trace, event.texts[0]);
      if (asked != NULL && url[0] != '\0') {
        asked->url = url;
        asked->proxy = sim_trace_string(world->trace, event.texts[1]);
      }
    }
  }
}

/* ---- Asking
 * ---------------------------------------------------------------------------------------- */

static bool ask(struct scn_world *world, struct asked *asked, size_t count, const char *name) {
  struct scn_operation **probes = sim_arena_allocate(world->arena, count * sizeof *probes);
  if (probes == NULL) {
    scn_world_break(world, NULL, "out of memory for the recovery after faults");
    return false;
  }
  asked->probes = probes;
  asked->probe_count = 0;
  for (size_t i = 0; i < count && !world->broken; i++) {
    char label[96];
    snprintf(label, sizeof label, "(%s account %lld: %zu)", name, (long long)asked->id, i + 1);
    const struct scn_acquire acquire = {.label = label,
                                        .request = {.account = scn_world_account(world, asked->id),
                                                    .url = asked->url,
                                                    .proxy = asked->proxy},
                                        .is_kept = true};
    probes[i] = scn_acquire_start(world, &acquire);
    asked->probe_count += probes[i] != NULL;
  }
  return !world->broken;
}

static void ask_all(struct scn_world *world, bool fill) {
  struct scn_recovery *recovery = world->recovery;
  recovery->given_back = false;
  for (size_t i = 0; i < world->account_count; i++) {
    struct asked *asked = &recovery->accounts[i];
    int64_t count = fill ? asked->maximum : 1;
    if (asked->url != NULL && asked->maximum > 0 &&
        !ask(world, asked, count < MOST_AT_ONCE ? (size_t)count : MOST_AT_ONCE,
             fill ? "fill" : "serve")) {
      return;
    }
  }
}

/* Gives back what was asked for, once all of it has ended. */
static void give_probes_back(struct scn_world *world) {
  struct scn_recovery *recovery = world->recovery;
  if (recovery->given_back || world->pending > 0) {
    return;
  }
  recovery->given_back = true;
  for (size_t i = 0; i < world->account_count; i++) {
    struct asked *asked = &recovery->accounts[i];
    for (size_t p = 0; p < asked->probe_count; p++) {
      if (asked->probes[p]->record.reused >= 0) {
        scn_lease_give_back(asked->probes[p]);
      }
    }
  }
}

static int64_t minimum_of(const struct scn_recovery *recovery, const struct asked *asked) {
  int64_t minimum = recovery->config.min_idle_per_account;
  return minimum < asked->maximum ? minimum : asked->maximum;
}

/* The minimum may be there at one moment and not at the next, when a conn is rotated. */
static void look_for_minimum(struct scn_world *world) {
  struct scn_recovery *recovery = world->recovery;
  for (size_t i = 0; i < world->account_count; i++) {
    struct asked *asked = &recovery->accounts[i];
    if (!asked->had_minimum) {
      struct wsp_account_stats stats;
      world->pool_calls->account_stats(world->pool, asked->id, &stats);
      asked->had_minimum = stats.conns >= minimum_of(recovery, asked);
    }
  }
}

static bool have_minimum(struct scn_world *world) {
  for (size_t i = 0; i < world->account_count; i++) {
    const struct asked *asked = &world->recovery->accounts[i];
    if (asked->probe_count > 0 && !asked->had_minimum) {
      struct wsp_account_stats stats;
      world->pool_calls->account_stats(world->pool, asked->id, &stats);
      struct scn_lines what = {.arena = world->arena};
      scn_lines_add(&what, "account %lld: expected its minimum of %lld conns; found %lld",
                    (long long)asked->id, (long long)minimum_of(world->recovery, asked),
                    (long long)stats.conns);
      violated(world, &what);
      return false;
    }
  }
  return true;
}

/* ---- The phases
 * ------------------------------------------------------------------------------------ */

static void enter(struct scn_world *world, enum phase phase, wsp_time until) {
  world->recovery->phase = phase;
  world->recovery->until = until;
}

static wsp_time bounded(const struct scn_world *world) {
  return scn_time_after(world->now, world->recovery->bound);
}

static void create(struct scn_world *world) {
  struct scn_recovery *recovery = sim_arena_zeroed(world->arena, sizeof *recovery);
  if (recovery != NULL) {
    recovery->accounts =
        sim_arena_zeroed(world->arena, (world->account_count + 1) * sizeof *recovery->accounts);
  }
  if (recovery == NULL || recovery->accounts == NULL) {
    scn_world_break(world, NULL, "out of memory for the recovery after faults");
    return;
  }
  recovery->config = world->variant->config;
  wsp_config_normalize(&recovery->config);
  recovery->bound = bound_of(&recovery->config);
  for (size_t i = 0; i < world->account_count; i++) {
    const struct wsp_account account = scn_world_account(world, world->accounts[i]);
    recovery->accounts[i].id = account.id;
    recovery->accounts[i].maximum = wsp_effective_max_conns(&recovery->config, &account);
  }
  world->recovery = recovery;
  enter(world, FAULTS_LAST, fake_world_faults_end(world->upstreams));
}

static void begin_to_settle(struct scn_world *world) {
  scn_world_note(world,
                 &(struct scn_note){.kind = SIM_RECOVERY_STARTED,
                                    .values = {(int64_t)fake_world_faults_fired(world->upstreams),
                                               world->recovery->bound}});
  fake_world_heal(world->upstreams);
  world->gives_back = true;
  give_leases_back(world);
  read_timeline(world);
  enter(world, SETTLES, bounded(world));
}

/* The time of a phase is over. */
static void end_phase(struct scn_world *world) {
  switch (world->recovery->phase) {
    case FAULTS_LAST:
      if (fake_world_faults_end(world->upstreams) > world->now) {
        enter(world, FAULTS_LAST, fake_world_faults_end(world->upstreams));
      } else {
        begin_to_settle(world);
      }
      break;
    case SETTLES:
      if (!are_ended(world) || !are_empty(world)) {
        break;
      }
      if (world->close_asked) {
        world->recovery->phase = IS_OVER;
        break;
      }
      enter(world, SERVES, bounded(world));
      ask_all(world, false);
      break;
    case SERVES:
      if (are_served(world) && have_minimum(world)) {
        enter(world, FILLS, bounded(world));
        ask_all(world, true);
      }
      break;
    case FILLS:
      if (are_served(world) && are_empty(world)) {
        world->recovery->phase = IS_OVER;
      }
      break;
    case IS_OVER:
      break;
  }
}

wsp_time scn_recovery_go_on(struct scn_world *world) {
  if (world->recovery == NULL) {
    create(world);
  }
  struct scn_recovery *recovery = world->recovery;
  if (world->broken) {
    return WSP_TIME_NEVER;
  }
  if (recovery->phase == SERVES) {
    look_for_minimum(world);
  }
  if (recovery->phase == SERVES || recovery->phase == FILLS) {
    give_probes_back(world);
  }
  if (world->now >= recovery->until) {
    end_phase(world);
  }
  return world->broken || recovery->phase == IS_OVER ? WSP_TIME_NEVER : recovery->until;
}
