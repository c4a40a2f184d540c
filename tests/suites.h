/*
 * suites.h - the list of CUnit suites. A suite `x` is the array `suite_x` of its tests in
 * tests/test_x.c, ended by CU_TEST_INFO_NULL; tests are named after what they show.
 */
#ifndef TESTS_SUITES_H
#define TESTS_SUITES_H

#include <CUnit/CUnit.h>

#define SUITE_LIST(X) \
  X(duration)         \
  X(pool_structures)  \
  X(pool_memory)      \
  X(pool_config)      \
  X(pool_acquire)     \
  X(pool_preferred)   \
  X(pool_dial)        \
  X(pool_wait)        \
  X(pool_race)        \
  X(pool_turns)       \
  X(pool_health)      \
  X(pool_lease)       \
  X(pool_io)          \
  X(pool_cleanup)     \
  X(pool_prewarm)     \
  X(pool_sweep)       \
  X(pool_connecting)  \
  X(pool_close)       \
  X(pool_guards)      \
  X(pool_exhaustion)  \
  X(pool_model)       \
  X(live)             \
  X(wire_frame)       \
  X(wire_server)      \
  X(wire_clients)     \
  X(wire_relay)       \
  X(wire_limits)      \
  X(recorder)         \
  X(database)         \
  X(sql)              \
  X(junit)            \
  X(report)           \
  X(output)           \
  X(timeline_hash)    \
  X(fakes)            \
  X(fakes_limits)     \
  X(fakes_pool)       \
  X(faults)           \
  X(arena)            \
  X(distribution)     \
  X(queue)            \
  X(random)           \
  X(trace)            \
  X(trace_detail)     \
  X(compare)          \
  X(expect)           \
  X(expect_event)     \
  X(expect_state)     \
  X(arrivals)         \
  X(watch_lease)      \
  X(watch_acquire)    \
  X(watch_books)      \
  X(watch_wait)       \
  X(watch_sweep)      \
  X(watch_prewarm)    \
  X(plan)             \
  X(needs)            \
  X(run)              \
  X(steps)            \
  X(turns)            \
  X(workers)          \
  X(shrink)           \
  X(explore)          \
  X(recovery)         \
  X(pool_digest)      \
  X(digest)           \
  X(json)             \
  X(loader)           \
  X(loader_values)    \
  X(loader_mistakes)  \
  X(schema)           \
  X(lws_text)         \
  X(lws_dial)         \
  X(lws_conn)         \
  X(lws_uv)           \
  X(lws_watch)        \
  X(lws_hostile)

#define SUITE_DECLARATION(name) extern CU_TestInfo suite_##name[];
SUITE_LIST(SUITE_DECLARATION)
#undef SUITE_DECLARATION

#endif
