/*
 * test_pool_guards.c - no pool, unknown ids, ended names, incomplete environments; adopt, load and
 * metrics.
 */
#include <string.h>

#include "tests/pool_fixture.h"
#include "tests/pool_rig.h"
#include "tests/suites.h"

static void no_pool_is_harmless(void) {
  struct wsp_metrics metrics;
  struct wsp_transport_metrics transport_metrics;
  struct wsp_account_stats account;
  struct wsp_conn_stats conn;
  struct wsp_lease lease;
  memset(&metrics, 1, sizeof metrics);
  memset(&transport_metrics, 1, sizeof transport_metrics);
  wsp_pool_metrics(NULL, &metrics);
  wsp_pool_transport_metrics(NULL, &transport_metrics);
#define IS_ZERO(name) CU_ASSERT_EQUAL(metrics.name, 0);
  WSP_METRIC_LIST(IS_ZERO)
#undef IS_ZERO
  CU_ASSERT_EQUAL(transport_metrics.proxy_client_cache_hits, 0);
  CU_ASSERT_EQUAL(transport_metrics.proxy_client_cache_misses, 0);
  CU_ASSERT_EQUAL(transport_metrics.transport_reuse_ratio, 0);
  wsp_account_stats(NULL, 1, &account);
  CU_ASSERT_EQUAL(account.conns, 0);
  CU_ASSERT_EQUAL(account.effective_max, 0);
  CU_ASSERT_FALSE(wsp_conn_stats(NULL, 1, "x", &conn));
  CU_ASSERT_PTR_NULL(wsp_conn_transport(NULL, 1, "x"));
  CU_ASSERT_EQUAL(wsp_pool_next_deadline(NULL), WSP_TIME_NEVER);
  CU_ASSERT_EQUAL(wsp_pool_next_operation_deadline(NULL), WSP_TIME_NEVER);
  CU_ASSERT_EQUAL(wsp_pool_pending(NULL), 0);
  wsp_pool_advance(NULL, 5);
  wsp_pool_destroy(NULL);
  struct wsp_acquire_request request = rig_request();
  CU_ASSERT_EQUAL(wsp_try_acquire(NULL, 0, &request, &lease), WSP_POOL_CLOSED);
  CU_ASSERT_FALSE(wsp_lease_valid(lease));
  struct wsp_conn name;
  CU_ASSERT_EQUAL(wsp_adopt(NULL, 0, &(struct wsp_adoption){.account = 1}, &name), WSP_POOL_CLOSED);
}

static void zero_names_are_harmless(void) {
  const struct wsp_conn conn = {NULL, 0, 0};
  const struct wsp_dial dial = {NULL, 0, 0};
  struct wsp_dial_result result = {.error = WSP_OK};
  CU_ASSERT_PTR_NULL(wsp_dial_done(dial, 0, &result).pool);
  wsp_write_done(conn, 0, WSP_OK, NULL);
  wsp_read_done(conn, 0, WSP_OK, NULL, "x", 1);
  wsp_ping_done(conn, 0, WSP_OK, NULL);
  wsp_conn_message(conn, 0, "x", 1);
  wsp_conn_closed(conn, 0, 0, NULL);
}

static void made_up_names_are_harmless(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct ending *granted = rig_dialled(&rig);
  static const uint32_t slots[] = {0, 1, 1000, UINT32_MAX};
  static const uint32_t generations[] = {0, 2, 77, UINT32_MAX};
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j < 4; j++) {
      struct wsp_lease lease = {rig.pool, slots[i], generations[j]};
      if (generations[j] != granted->lease.generation) {
        wsp_lease_release(lease, 0);
        wsp_lease_mark_broken(lease, 0);
        CU_ASSERT_FALSE(wsp_lease_valid(lease));
      }
      wsp_op_cancel((struct wsp_op){rig.pool, slots[i], generations[j]}, 0);
      wsp_conn_closed((struct wsp_conn){rig.pool, slots[i], generations[j]}, 0, 0, NULL);
      struct wsp_dial_result result = {.error = WSP_OK};
      (void)wsp_dial_done((struct wsp_dial){rig.pool, slots[i], generations[j]}, 0, &result);
    }
  }
  rig_settle(&rig);
  CU_ASSERT(wsp_lease_valid(granted->lease));
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 0, 1, 0, 0);
  rig_close(&rig);
}

static void incomplete_transport_is_refused(void) {
  struct rig rig;
  rig_open_empty(&rig);
  struct wsp_environment environment = rig_environment(&rig);
  struct wsp_config config = rig_config();
  struct wsp_pool *pool;
  environment.transport = NULL;
  CU_ASSERT_EQUAL(wsp_pool_create(&config, &environment, 0, &pool), WSP_INVALID_REQUEST);
  CU_ASSERT_PTR_NULL(pool);
  for (int part = 0; part < 8; part++) {
    struct wsp_transport transport = stub_transport;
    environment.transport = &transport;
    switch (part) {
      case 0:
        transport.dial = NULL;
        break;
      case 1:
        transport.dial_cancel = NULL;
        break;
      case 2:
        transport.write = NULL;
        break;
      case 3:
        transport.read = NULL;
        break;
      case 4:
        transport.read_cancel = NULL;
        break;
      case 5:
        transport.ping = NULL;
        break;
      case 6:
        transport.ping_cancel = NULL;
        break;
      default:
        transport.close = NULL;
        break;
    }
    CU_ASSERT_EQUAL(wsp_pool_create(&config, &environment, 0, &pool), WSP_INVALID_REQUEST);
    CU_ASSERT_PTR_NULL(pool);
  }
  CU_ASSERT_EQUAL(rig.allocator.calls, 0);
}

static void only_the_transport_is_required(void) {
  struct rig rig;
  rig_open_empty(&rig);
  struct wsp_environment environment = {.transport = &stub_transport, .transport_context = &rig};
  struct wsp_config config;
  memset(&config, 0, sizeof config); /* an empty configuration object */
  config.max_conn_age_jitter = 5;    /* drawn from a fixed sequence */
  CU_ASSERT_EQUAL_FATAL(wsp_pool_create(&config, &environment, 0, &rig.pool), WSP_OK);
  struct ending *ending = rig_acquire(&rig, NULL);
  (void)stub_dial_ok(&rig, rig_last_dial(&rig));
  rig_settle(&rig);
  CHECK_GRANTED(ending, "oa_ws_1_1", 0);
  rig_release(&rig, ending);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 1, 0, 0, 0);
  wsp_cleanup_sweep(rig.pool, 0);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 0, 0, 0, 0, 0); /* max_idle is 0 there */
  rig_settle(&rig);
  rig_close(&rig);
}

static void acquire_without_a_callback(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct wsp_acquire_request request = rig_request();
  CU_ASSERT_EQUAL(wsp_acquire(rig.pool, 0, &request, NULL, NULL, NULL), WSP_OK);
  stub_dial_failed(&rig, rig_last_dial(&rig), 0, "no");
  rig_settle(&rig);
  CU_ASSERT_EQUAL(wsp_pool_pending(rig.pool), 0);
  rig_close(&rig);
}

static void load_of_an_account(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 3;
  config.pool_target_utilization = WSP_DECIMAL_ONE;
  rig_open(&rig, &config);
  rig_adopt(&rig, "idle_old", RIG_OTHER_URL, 600 * SECOND, 600 * SECOND);
  rig_adopt(&rig, "idle_new", RIG_OTHER_URL, 60 * SECOND, 60 * SECOND);
  struct wsp_acquire_request request = rig_request();
  rig_adopt(&rig, "leased", RIG_URL, 0, 0);
  rig_acquire(&rig, NULL);
  request.preferred_conn = "leased";
  request.force_preferred_conn = true;
  rig_acquire(&rig, &request);
  rig_acquire(&rig, &request);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 3, 2, 1, 2, 0);
  CHECK_ACCOUNT(&rig, 0, 0, 0, 0, 0, 0);
  CHECK_ACCOUNT(&rig, 12345, 0, 0, 0, 0, 0);
  request = rig_request();
  request.force_new_conn = true;
  rig_acquire(&rig, &request); /* the oldest idle one makes room */
  CU_ASSERT_FALSE(rig_has_conn(&rig, "idle_old"));
  CU_ASSERT(rig_has_conn(&rig, "idle_new"));
  rig_close(&rig);
}

static void conn_stats_tell_of_a_conn(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  rig.now = 10 * SECOND;
  rig_adopt(&rig, "c", RIG_URL, 20 * SECOND, 3 * SECOND);
  struct wsp_conn_stats stats = rig_conn(&rig, " c ");
  CU_ASSERT_EQUAL(stats.state, WSP_CONN_IDLE);
  CU_ASSERT_EQUAL(stats.created_at, -10 * SECOND);
  CU_ASSERT_EQUAL(stats.last_used_at, 7 * SECOND);
  CU_ASSERT_FALSE(stats.retired);
  CU_ASSERT_FALSE(stats.prewarmed);
  CU_ASSERT_FALSE(wsp_conn_stats(rig.pool, RIG_ACCOUNT, "nobody", &stats));
  CU_ASSERT_EQUAL(stats.state, WSP_CONN_ABSENT);
  CU_ASSERT_FALSE(wsp_conn_stats(rig.pool, 2, "c", &stats));
  CU_ASSERT_FALSE(wsp_conn_stats(rig.pool, RIG_ACCOUNT, NULL, &stats));
  CU_ASSERT_PTR_EQUAL(wsp_conn_transport(rig.pool, RIG_ACCOUNT, "c"), rig.conns[0]);
  CU_ASSERT_PTR_NULL(wsp_conn_transport(rig.pool, RIG_ACCOUNT, "nobody"));
  rig_close(&rig);
}

static void bad_adoptions_are_refused(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  rig_adopt(&rig, "taken", RIG_URL, 0, 0);
  struct wsp_conn name;
  struct wsp_adoption good = {.account = 1, .id = "new", .url = RIG_URL, .conn = &rig};
  struct wsp_adoption bad = good;
  bad.account = 0;
  CU_ASSERT_EQUAL(wsp_adopt(rig.pool, 0, &bad, &name), WSP_INVALID_REQUEST);
  bad = good;
  bad.id = "  ";
  CU_ASSERT_EQUAL(wsp_adopt(rig.pool, 0, &bad, &name), WSP_INVALID_REQUEST);
  bad.id = " taken ";
  CU_ASSERT_EQUAL(wsp_adopt(rig.pool, 0, &bad, &name), WSP_INVALID_REQUEST);
  bad = good;
  bad.conn = NULL;
  CU_ASSERT_EQUAL(wsp_adopt(rig.pool, 0, &bad, &name), WSP_INVALID_REQUEST);
  bad = good;
  bad.url = " ";
  CU_ASSERT_EQUAL(wsp_adopt(rig.pool, 0, &bad, &name), WSP_URL_EMPTY);
  CU_ASSERT_PTR_NULL(name.pool);
  CHECK_ACCOUNT(&rig, RIG_ACCOUNT, 1, 1, 0, 0, 0);
  rig_close(&rig);
}

static void adopted_ids_draw_no_number(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  rig_adopt(&rig, "oa_ws_1_1", RIG_OTHER_URL, 0, 0);
  struct ending *ending = rig_dialled(&rig); /* the number is drawn, the id is taken */
  CHECK_TEXT(ending->conn, "oa_ws_1_2");
  rig_adopt(&rig, "x", RIG_OTHER_URL, 0, 0);
  ending = rig_dialled(&rig);
  CHECK_TEXT(ending->conn, "oa_ws_1_3");
  rig_close(&rig);
}

static void metrics_count(void) {
  struct rig rig;
  struct wsp_config config = rig_config();
  config.max_conns_per_account = 1;
  rig_open(&rig, &config);
  struct ending *first = rig_dialled(&rig);
  struct ending *second = rig_acquire(&rig, NULL);
  rig.now = 1500 * WSP_MICROSECOND;
  rig_release(&rig, first);
  struct wsp_acquire_request request = rig_request();
  request.force_new_conn = true;
  rig_acquire(&rig, &request);
  rig_release(&rig, second);
  struct wsp_lease lease;
  request = rig_request();
  CU_ASSERT_EQUAL(wsp_try_acquire(rig.pool, rig.now, &request, &lease), WSP_OK);
  CU_ASSERT_EQUAL(wsp_try_acquire(rig.pool, rig.now, &request, &lease), WSP_WOULD_WAIT);
  request.canceled = true;
  CU_ASSERT_EQUAL(wsp_try_acquire(rig.pool, rig.now, &request, &lease), WSP_CANCELED);
  struct wsp_metrics metrics = rig_metrics(&rig);
  CU_ASSERT_EQUAL(metrics.acquire_total, 5); /* one that would wait counts nothing */
  CU_ASSERT_EQUAL(metrics.acquire_create_total, 1);
  CU_ASSERT_EQUAL(metrics.acquire_reuse_total, 2);
  CU_ASSERT_EQUAL(metrics.acquire_queue_wait_total, 1);
  CU_ASSERT_EQUAL(metrics.acquire_queue_wait_ms_total, 1);
  CU_ASSERT_EQUAL(metrics.conn_pick_total, 4);
  CU_ASSERT_EQUAL(metrics.scale_up_total, 0);
  CU_ASSERT_EQUAL(metrics.scale_down_total, 0);
  rig_settle(&rig);
  rig_close(&rig);
}

static void tell_metrics(void *context, struct wsp_transport_metrics *metrics) {
  (void)context;
  *metrics = (struct wsp_transport_metrics){1, 2, 333333333};
}

static void transport_metrics_are_the_transports(void) {
  struct rig rig;
  rig_open(&rig, NULL);
  struct wsp_transport_metrics metrics;
  memset(&metrics, 1, sizeof metrics);
  wsp_pool_transport_metrics(rig.pool, &metrics);
  CU_ASSERT_EQUAL(metrics.proxy_client_cache_hits, 0);
  CU_ASSERT_EQUAL(metrics.transport_reuse_ratio, 0);
  rig_close(&rig);
  rig_open_empty(&rig);
  struct wsp_transport transport = stub_transport;
  transport.metrics = tell_metrics;
  struct wsp_environment environment = rig_environment(&rig);
  environment.transport = &transport;
  CU_ASSERT_EQUAL_FATAL(wsp_pool_create(NULL, &environment, 0, &rig.pool), WSP_OK);
  wsp_pool_transport_metrics(rig.pool, &metrics);
  CU_ASSERT_EQUAL(metrics.proxy_client_cache_hits, 1);
  CU_ASSERT_EQUAL(metrics.proxy_client_cache_misses, 2);
  CU_ASSERT_EQUAL(metrics.transport_reuse_ratio, 333333333);
  rig_close(&rig);
}

CU_TestInfo suite_pool_guards[] = {
    {"TestOpenAIWSConnPool_UtilityBranches: no pool gives zeros and defaults", no_pool_is_harmless},
    {"TestOpenAIWSConn_AdditionalGuardBranches: names of nothing are harmless",
     zero_names_are_harmless},
    {"made-up names are harmless", made_up_names_are_harmless},
    {"an incomplete transport is refused", incomplete_transport_is_refused},
    {"only the transport is required; a zero-filled configuration is valid",
     only_the_transport_is_required},
    {"an acquire needs neither callback nor handle", acquire_without_a_callback},
    {"TestOpenAIWSConnPool_PickOldestIdleAndAccountPoolLoad: load, and zeros for unknown accounts",
     load_of_an_account},
    {"TestOpenAIWSConnLease_ReadWriteHelpersAndConnStats: what a conn tells of itself",
     conn_stats_tell_of_a_conn},
    {"bad adoptions are refused", bad_adoptions_are_refused},
    {"adopted conns draw no number", adopted_ids_draw_no_number},
    {"metrics count what happened", metrics_count},
    {"TestOpenAIWSConnPool_SnapshotTransportMetrics: the transport's own, or zeros",
     transport_metrics_are_the_transports},
    CU_TEST_INFO_NULL,
};
