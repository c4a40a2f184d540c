/*
 * world.c - the upstreams of a run by URL, and what can be asked of them.
 *
 * Each URL that was dialled or named has a site, which leads to the upstream that serves it. A
 * URL that is named later than it was dialled takes its open conns along; dials under way end
 * where they started.
 */
#include "fakes/internal.h"

#include <assert.h>
#include <string.h>

#define DEFAULT_URL "default"

void fake_policy_init(struct fake_policy *policy) {
  memset(policy, 0, sizeof *policy);
  for (int subject = 0; subject < FAKE_ANSWER_COUNT; subject++) {
    policy->base[subject] = FAKE_PRESET_OK;
  }
  policy->failure_rate = FAKE_DEFAULT_FAILURE_RATE;
}

static char *joined(struct sim_arena *arena, const char *first, const char *second, size_t *size) {
  size_t first_length = strlen(first);
  size_t second_size = strlen(second) + 1;
  *size = first_length + second_size;
  char *text = sim_arena_allocate(arena, *size);
  if (text != NULL) {
    memcpy(text, first, first_length);
    memcpy(text + first_length, second, second_size);
  }
  return text;
}

static bool init_streams(struct sim_random *streams, int count, struct fake_world *world,
                         const char *kind, const char *url) {
  size_t size;
  char *name = joined(world->arena, kind, url, &size);
  if (name == NULL) {
    return false;
  }
  for (int subject = 0; subject < count; subject++) {
    sim_random_init(&streams[subject], world->seed, name, (uint64_t)subject);
  }
  sim_arena_release(world->arena, name, size);
  return true;
}

/* An upstream that nobody reaches yet. */
static struct fake_upstream *upstream_allocate(struct fake_world *world, const char *url) {
  struct fake_upstream *upstream = sim_arena_zeroed(world->arena, sizeof *upstream);
  if (upstream == NULL) {
    return NULL;
  }
  upstream->world = world;
  upstream->url = url;
  fake_policy_init(&upstream->policy);
  if (!init_streams(upstream->latency, FAKE_SUBJECT_COUNT, world, "fake-latency:", url) ||
      !init_streams(upstream->chance, FAKE_ANSWER_COUNT, world, "fake-chance:", url)) {
    sim_arena_release(world->arena, upstream, sizeof *upstream);
    return NULL;
  }
  return upstream;
}

struct fake_world *fake_world_create(struct sim_arena *arena, struct sim_queue *queue,
                                     struct sim_trace *trace, uint64_t seed) {
  struct fake_world *world = sim_arena_zeroed(arena, sizeof *world);
  if (world == NULL) {
    return NULL;
  }
  world->pool = sim_pool_under_test();
  world->arena = arena;
  world->queue = queue;
  world->trace = trace;
  world->seed = seed;
  world->fallback = upstream_allocate(world, DEFAULT_URL);
  if (world->fallback == NULL) {
    sim_arena_release(arena, world, sizeof *world);
    return NULL;
  }
  return world;
}

void fake_world_use_pool(struct fake_world *world, const struct sim_pool_interface *pool) {
  world->pool = pool;
}

void fake_world_use_clock(struct fake_world *world, const wsp_time *now) {
  world->clock = now;
}

/* FNV-1a; it only finds the bucket. */
static uint64_t hash_of(const char *url) {
  uint64_t hash = UINT64_C(14695981039346656037);
  for (const char *at = url; *at != '\0'; at++) {
    hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
  }
  return hash;
}

static struct fake_site *find_site(const struct fake_world *world, const char *url, uint64_t hash) {
  struct fake_site *site = world->sites[hash % FAKE_SITE_BUCKETS];
  while (site != NULL && (site->hash != hash || strcmp(site->url, url) != 0)) {
    site = site->next;
  }
  return site;
}

struct fake_site *fake_site_of(struct fake_world *world, const char *url) {
  uint64_t hash = hash_of(url);
  struct fake_site *site = find_site(world, url, hash);
  if (site != NULL) {
    return site;
  }
  site = sim_arena_zeroed(world->arena, sizeof *site);
  if (site == NULL) {
    return NULL;
  }
  site->url = sim_arena_copy_string(world->arena, url);
  if (site->url == NULL) {
    sim_arena_release(world->arena, site, sizeof *site);
    return NULL;
  }
  site->hash = hash;
  site->upstream = world->fallback;
  struct fake_site **bucket = &world->sites[hash % FAKE_SITE_BUCKETS];
  site->next = *bucket;
  *bucket = site;
  return site;
}

struct fake_upstream *fake_upstream_named(const struct fake_world *world, const char *url) {
  if (strcmp(url, DEFAULT_URL) == 0) {
    return world->fallback;
  }
  const struct fake_site *site = find_site(world, url, hash_of(url));
  return site != NULL && site->upstream != world->fallback ? site->upstream : NULL;
}

static void at_least(int64_t *highest, int64_t value) {
  if (*highest < value) {
    *highest = value;
  }
}

/* The conns that are open to a URL come along when it gets an upstream of its own. */
static void take_conns(struct fake_upstream *upstream, const struct fake_site *site,
                       struct fake_upstream *from) {
  struct fake_conn *next;
  for (struct fake_conn *conn = from->conns; conn != NULL; conn = next) {
    next = conn->next;
    if (conn->site != site) {
      continue;
    }
    fake_conn_unlink(conn);
    fake_conn_link(conn, upstream);
    from->counters.open--;
    upstream->counters.open++;
    if (fake_call_active(conn, FAKE_SUBJECT_PING)) {
      from->counters.concurrent_pings--;
      upstream->counters.concurrent_pings++;
    }
  }
  at_least(&upstream->counters.max_open, upstream->counters.open);
  at_least(&upstream->counters.max_concurrent_pings, upstream->counters.concurrent_pings);
}

struct fake_upstream *fake_upstream_create(struct fake_world *world, const char *url) {
  struct fake_site *site = fake_site_of(world, url);
  if (site == NULL) {
    return NULL;
  }
  assert(site->upstream == world->fallback);
  struct fake_upstream *upstream = upstream_allocate(world, site->url);
  if (upstream == NULL) {
    return NULL;
  }
  upstream->policy = world->fallback->policy;
  site->upstream = upstream;
  take_conns(upstream, site, world->fallback);
  return upstream;
}

bool fake_world_counters(const struct fake_world *world, const char *url,
                         struct fake_counters *counters) {
  const struct fake_upstream *upstream = fake_upstream_named(world, url);
  if (upstream == NULL) {
    return false;
  }
  *counters = upstream->counters;
  return true;
}

size_t fake_world_pending(const struct fake_world *world) {
  return world->pending;
}

const struct wsp_transport *fake_transport(void) {
  static const struct wsp_transport transport = {
      .dial = fake_dial_start,
      .dial_cancel = fake_dial_cancel,
      .write = fake_write,
      .read = fake_read,
      .read_cancel = fake_read_cancel,
      .ping = fake_ping,
      .ping_cancel = fake_ping_cancel,
      .close = fake_close,
      .metrics = NULL,
  };
  return &transport;
}
