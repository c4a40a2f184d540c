/*
 * test_pool_digest.c - what the digest of a pool sees, byte by byte, and what it does not.
 *
 * Each byte of the pool's own types is changed in turn: the digest must see it, or the byte must
 * be of a field that is listed here with the reason why it is not looked at. So a new field that
 * nobody thought of is found.
 */
#include <stdio.h>
#include <string.h>

#include "pool/digest.h"
#include "pool/internal.h"
#include "tests/pool_fixture.h"
#include "tests/suites.h"

static uint64_t name_of_tag(void *context, uint64_t tag) {
  (void)context;
  return tag * 1000;
}

static struct wsp_digest digest_of(const struct wsp_pool *pool) {
  static const struct wsp_digest_names names = {.of_tag = name_of_tag, .serials = true};
  struct wsp_digest digest = {{0, 0}};
  wsp_pool_digest(pool, &names, &digest);
  return wsp_digest_end(digest);
}

static bool is_equal(struct wsp_digest a, struct wsp_digest b) {
  return a.words[0] == b.words[0] && a.words[1] == b.words[1];
}

/* ---- Byte by byte ------------------------------------------------------------------------- */

/* A field that is not changed: because it is not in the digest, or because the digest follows it
 * somewhere else. */
struct left_out {
  size_t offset, size;
};

#define FIELD(type, member) \
  { offsetof(struct type, member), sizeof(((struct type *)0)->member) }
/* All of a node but whether it is in its set; of a set but how many are in it; of a timer but when
 * it is due. Where they lie in memory and in their tree or heap decides nothing. */
#define ABSENT_NODE(type, member)                                                  \
  FIELD(type, member.left), FIELD(type, member.right), FIELD(type, member.parent), \
      FIELD(type, member.key), FIELD(type, member.tie), FIELD(type, member.priority)
#define NODE(type, member)                                                         \
  FIELD(type, member.left), FIELD(type, member.right), FIELD(type, member.parent), \
      FIELD(type, member.priority)
#define SET(type, member) \
  FIELD(type, member.root), FIELD(type, member.first), FIELD(type, member.last)
#define TIMER(type, member)                                                                      \
  FIELD(type, member.entry.order), FIELD(type, member.entry.position), FIELD(type, member.kind), \
      FIELD(type, member.owner)

static bool is_left_out(size_t byte, const struct left_out *fields, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (byte >= fields[i].offset && byte < fields[i].offset + fields[i].size) {
      return true;
    }
  }
  return false;
}

/* `padding` has 0 where no field lies. */
static void check_bytes(const char *what, const struct wsp_pool *pool, void *object,
                        const unsigned char *padding, size_t size, const struct left_out *fields,
                        size_t count) {
  unsigned char *bytes = object;
  struct wsp_digest before = digest_of(pool);
  for (size_t i = 0; i < size; i++) {
    if (padding[i] == 0 || is_left_out(i, fields, count)) {
      continue;
    }
    bytes[i] ^= 1;
    if (is_equal(digest_of(pool), before)) {
      printf("\nbyte %zu of struct %s is not in the digest, and not listed\n", i, what);
      CU_FAIL("a field that the digest does not see");
    }
    bytes[i] ^= 1;
  }
  CU_ASSERT_TRUE(is_equal(digest_of(pool), before));
}

#if defined(__has_builtin)
#if __has_builtin(__builtin_clear_padding)
#define CLEAR_PADDING(object) __builtin_clear_padding(object)
#endif
#endif
#ifndef CLEAR_PADDING
#define CLEAR_PADDING(object) memset(object, 0, sizeof *(object)) /* nothing is checked then */
#endif

#define CHECK_BYTES(type, pool, object, fields)                                                 \
  do {                                                                                          \
    static struct type padding_;                                                                \
    memset(&padding_, 0xff, sizeof padding_);                                                   \
    CLEAR_PADDING(&padding_);                                                                   \
    check_bytes(#type, pool, object, (const unsigned char *)&padding_, sizeof padding_, fields, \
                sizeof(fields) / sizeof(fields)[0]);                                            \
  } while (0)

/* Slots and links of hash tables only find things; texts and headers are seen by their content. */

static const struct left_out of_conn[] = {
    FIELD(conn, slot), FIELD(conn, by_id), FIELD(conn, account), FIELD(conn, bucket),
    FIELD(conn, transport), FIELD(conn, id), FIELD(conn, headers), NODE(conn, in_account),
    NODE(conn, in_waiters), NODE(conn, in_bucket_waiters), NODE(conn, in_age),
    ABSENT_NODE(conn, in_idle), ABSENT_NODE(conn, in_evictable), FIELD(conn, idle_in),
    SET(conn, strict), SET(conn, counted), FIELD(conn, next_offer),
    /* Only whether there is one: who has the handle of an older one holds nothing. */
    FIELD(conn, lease_generation), FIELD(conn, holder), FIELD(conn, reads), FIELD(conn, reads_last),
    FIELD(conn, writes), FIELD(conn, writes_last), FIELD(conn, pings), FIELD(conn, inbox),
    FIELD(conn, inbox_last), /* That of a ping for a lease is its operation's. */
    FIELD(conn, ping_timer),
    /* Compared while a sweep is active, and none is here. */
    FIELD(conn, swept)};

static const struct left_out of_op[] = {FIELD(op, slot),
                                        TIMER(op, timer),
                                        FIELD(op, next_completed),
                                        FIELD(op, previous_completed),
                                        FIELD(op, acquire_callback),
                                        FIELD(op, context),
                                        FIELD(op, account),
                                        FIELD(op, target),
                                        FIELD(op, preferred),
                                        FIELD(op, preferred_space),
                                        FIELD(op, arrival),
                                        FIELD(op, queued_on),
                                        FIELD(op, conn),
                                        FIELD(op, dial),
                                        ABSENT_NODE(op, in_acquires),
                                        ABSENT_NODE(op, in_account),
                                        ABSENT_NODE(op, in_bucket),
                                        ABSENT_NODE(op, in_conn),
                                        ABSENT_NODE(op, in_special),
                                        FIELD(op, io_callback),
                                        FIELD(op, lease_generation),
                                        FIELD(op, next_io),
                                        FIELD(op, json),
                                        FIELD(op, message),
                                        FIELD(op, close_callback),
                                        FIELD(op, cause),
                                        FIELD(op, failure_headers)};

static const struct left_out of_dial[] = {FIELD(dial, slot),      FIELD(dial, account),
                                          FIELD(dial, target),    FIELD(dial, op),
                                          FIELD(dial, transport), TIMER(dial, timer)};

static const struct left_out of_account[] = {
    FIELD(account, link),      FIELD(account, by_id),        SET(account, by_entry),
    SET(account, by_waiters),  SET(account, evictable),      SET(account, fresh),
    SET(account, retired),     SET(account, acquires),       SET(account, unplaced),
    SET(account, placed),      SET(account, orphans),        SET(account, restarts),
    FIELD(account, offers),    FIELD(account, offers_last),  FIELD(account, last_bucket),
    FIELD(account, template_), FIELD(account, prewarm_dial), ABSENT_NODE(account, refill)};

static const struct left_out of_pool[] = {
    /* The same in all pools that are compared. */
    FIELD(wsp_pool, config), FIELD(wsp_pool, environment), FIELD(wsp_pool, memory),
    FIELD(wsp_pool, timers), FIELD(wsp_pool, ops), FIELD(wsp_pool, conns), FIELD(wsp_pool, dials),
    FIELD(wsp_pool, accounts), FIELD(wsp_pool, buckets), FIELD(wsp_pool, conn_ids),
    FIELD(wsp_pool, accounts_by_id), FIELD(wsp_pool, completed), FIELD(wsp_pool, completed_last),
    FIELD(wsp_pool, spare_targets), FIELD(wsp_pool, spare_target_count),
    /* Only compared with each other. */
    FIELD(wsp_pool, next_arrival), FIELD(wsp_pool, next_lease), FIELD(wsp_pool, sweep.number),
    /* Who looks at them takes them in. */
    FIELD(wsp_pool, metrics), FIELD(wsp_pool, queue_wait_ns), FIELD(wsp_pool, conn_pick_ns),
    SET(wsp_pool, refills), SET(wsp_pool, sweep_refills), FIELD(wsp_pool, closers)};

/* A pool in which much is under way: a conn that is lent, pinged and read from, with a waiter that
 * counts on it, and a dial. */
struct scene {
  struct rig rig;
  struct conn *conn;
  struct op *waiter;
  struct dial *dial;
  struct account *account;
};

static void open_scene(struct scene *scene) {
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 2;
  rig_open(&scene->rig, &config);
  struct rig *rig = &scene->rig;
  struct wsp_acquire_request request = rig_request();
  request.tag = 7;
  request.deadline = 5 * SECOND;
  struct ending *lent = rig_acquire(rig, &request);
  rig_settle(rig);
  stub_dial_ok(rig, rig_last_dial(rig));
  rig_settle(rig);
  CHECK_GRANTED(lent, "oa_ws_1_1", rig->now);
  rig_io(rig, wsp_lease_read, lent->lease, 3 * SECOND);
  rig_io(rig, wsp_lease_ping, lent->lease, 3 * SECOND);
  for (uint64_t tag = 8; tag < 10; tag++) { /* one dials, one waits */
    request.tag = tag;
    rig_acquire(rig, &request);
  }
  rig_settle(rig);
  scene->conn = wsp_conn_of_lease(lent->lease);
  CU_ASSERT_PTR_NOT_NULL_FATAL(scene->conn);
  scene->account = scene->conn->account;
  CU_ASSERT_PTR_NOT_NULL_FATAL(scene->account->unplaced.first);
  scene->waiter = WSP_OWNER(scene->account->unplaced.first, struct op, in_account);
  scene->dial = wsp_slab_at(&rig->pool->dials, rig_last_dial(rig)->name.slot);
  CU_ASSERT_TRUE_FATAL(scene->conn->pinging && scene->conn->reading);
}

static void each_byte_that_decides_is_seen(void) {
  static struct scene scene;
  open_scene(&scene);
  const struct wsp_pool *pool = scene.rig.pool;
  CHECK_BYTES(conn, pool, scene.conn, of_conn);
  CHECK_BYTES(op, pool, scene.waiter, of_op);
  CHECK_BYTES(dial, pool, scene.dial, of_dial);
  CHECK_BYTES(account, pool, scene.account, of_account);
  CHECK_BYTES(wsp_pool, pool, scene.rig.pool, of_pool);
  rig_close(&scene.rig);
}

/* Makes `change` and takes it back; the digest must see it. */
#define CHECK_SEEN(pool, place, changed)                 \
  do {                                                   \
    struct wsp_digest before_ = digest_of(pool);         \
    __typeof__(place) kept_ = (place);                   \
    (place) = (changed);                                 \
    CU_ASSERT_FALSE(is_equal(digest_of(pool), before_)); \
    (place) = kept_;                                     \
    CU_ASSERT_TRUE(is_equal(digest_of(pool), before_));  \
  } while (0)

static void what_things_refer_to_is_seen(void) {
  static struct scene scene;
  open_scene(&scene);
  const struct wsp_pool *pool = scene.rig.pool;
  struct conn *conn = scene.conn;
  CHECK_SEEN(pool, conn->id.text[1], 'x');
  CHECK_SEEN(pool, conn->bucket->url.text[1], 'x');
  CHECK_SEEN(pool, conn->holder, scene.waiter);
  CHECK_SEEN(pool, conn->reads, NULL);
  CHECK_SEEN(pool, conn->pings, NULL);
  CHECK_SEEN(pool, conn->writes, scene.waiter);
  CHECK_SEEN(pool, conn->idle_in, &conn->bucket->idle);
  CHECK_SEEN(pool, conn->lease_generation, 0);
  CHECK_SEEN(pool, conn->transport, NULL);
  CHECK_SEEN(pool, conn->ping_timer.entry.position, 1);
  CHECK_SEEN(pool, scene.waiter->queued_on, NULL);
  CHECK_SEEN(pool, scene.waiter->conn, conn);
  CHECK_SEEN(pool, scene.waiter->dial, scene.dial);
  CHECK_SEEN(pool, scene.waiter->acquire_callback, NULL);
  CHECK_SEEN(pool, scene.waiter->timer.entry.position, 0);
  CHECK_SEEN(pool, scene.waiter->preferred.length, 3);
  CHECK_SEEN(pool, scene.dial->op, NULL);
  CHECK_SEEN(pool, scene.account->prewarm_dial, scene.dial);
  CHECK_SEEN(pool, scene.account->template_, NULL);
  CHECK_SEEN(pool, scene.account->offers, conn);
  CHECK_SEEN(pool, scene.account->unplaced.first, NULL);
  CHECK_SEEN(pool, scene.rig.pool->completed, scene.waiter);
  CHECK_SEEN(pool, scene.rig.pool->closers, scene.waiter);
  rig_close(&scene.rig);
}

/* ---- Ways to one state -------------------------------------------------------------------- */

static struct ending *acquire_of(struct rig *rig, int64_t account, uint64_t tag) {
  struct wsp_acquire_request request = rig_request();
  request.account.id = account;
  request.tag = tag;
  struct ending *acquire = rig_acquire(rig, &request);
  rig_settle(rig);
  return acquire;
}

/* Two accounts whose only conns are lent. */
static void open_two(struct rig *rig) {
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 1;
  rig_open(rig, &config);
  for (int64_t account = 1; account <= 2; account++) {
    acquire_of(rig, account, (uint64_t)account);
    stub_dial_ok(rig, rig_last_dial(rig));
    rig_settle(rig);
  }
}

/* The digest without the numbers of dials, which tell who came first. */
static struct wsp_digest quiet_digest_of(const struct wsp_pool *pool) {
  static const struct wsp_digest_names names = {.of_tag = name_of_tag};
  struct wsp_digest digest = {{0, 0}};
  wsp_pool_digest(pool, &names, &digest);
  return wsp_digest_end(digest);
}

static void orders_that_do_not_matter_are_not_seen(void) {
  static struct rig one, other;
  open_two(&one);
  open_two(&other);
  CU_ASSERT_TRUE(is_equal(quiet_digest_of(one.pool), quiet_digest_of(other.pool)));
  acquire_of(&one, 1, 11);
  acquire_of(&one, 2, 12);
  acquire_of(&other, 2, 12);
  CU_ASSERT_FALSE(is_equal(quiet_digest_of(one.pool), quiet_digest_of(other.pool)));
  acquire_of(&other, 1, 11);
  CU_ASSERT_TRUE(is_equal(quiet_digest_of(one.pool), quiet_digest_of(other.pool)));
  rig_close(&one);
  rig_close(&other);
}

static void orders_that_matter_are_seen(void) {
  static struct rig one, other;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 1;
  struct rig *rigs[] = {&one, &other};
  for (size_t i = 0; i < 2; i++) {
    rig_open(rigs[i], &config);
    struct ending *lent = rig_dialled(rigs[i]);
    CHECK_GRANTED(lent, "oa_ws_1_1", rigs[i]->now);
    for (uint64_t j = 0; j < 2; j++) { /* who waits first is served first */
      struct wsp_acquire_request request = rig_request();
      request.tag = i == j ? 8 : 9;
      rig_acquire(rigs[i], &request);
    }
  }
  CU_ASSERT_FALSE(is_equal(quiet_digest_of(one.pool), quiet_digest_of(other.pool)));
  rig_close(&one);
  rig_close(&other);
}

/* A lease that is over leaves nothing behind but the time. */
static void what_is_over_is_not_seen(void) {
  static struct rig one, other;
  struct rig *rigs[] = {&one, &other};
  for (size_t i = 0; i < 2; i++) {
    rig_open(rigs[i], NULL);
    rig_idle(rigs[i]);
    struct wsp_acquire_request request = rig_request();
    request.tag = i == 0 ? 8 : 9;
    struct ending *lent = rig_acquire(rigs[i], &request);
    rig_settle(rigs[i]);
    rig_release(rigs[i], lent);
    rig_settle(rigs[i]);
  }
  CU_ASSERT_TRUE(is_equal(quiet_digest_of(one.pool), quiet_digest_of(other.pool)));
  rig_close(&one);
  rig_close(&other);
}

CU_TestInfo suite_pool_digest[] = {
    {"each byte that decides is seen", each_byte_that_decides_is_seen},
    {"what things refer to is seen", what_things_refer_to_is_seen},
    {"orders that do not matter are not seen", orders_that_do_not_matter_are_not_seen},
    {"orders that matter are seen", orders_that_matter_are_seen},
    {"what is over is not seen", what_is_over_is_not_seen},
    CU_TEST_INFO_NULL,
};
