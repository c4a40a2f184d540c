/*
 * pool_interface.c - the pool of this project behind the interface, and whether another one can be
 * used.
 */
#include "sim/pool_interface.h"

const struct sim_pool_interface *sim_pool_wspool(void) {
  static const struct sim_pool_interface interface = {
      .version = SIM_POOL_INTERFACE_VERSION,
      .name = "wspool",
      .capabilities = (UINT64_C(1) << SIM_CAPABILITY_COUNT) - 1,
      .create = wsp_pool_create,
      .next_deadline = wsp_pool_next_deadline,
      .next_operation_deadline = wsp_pool_next_operation_deadline,
      .advance = wsp_pool_advance,
      .close = wsp_pool_close,
      .acquire = wsp_acquire,
      .op_cancel = wsp_op_cancel,
      .lease_release = wsp_lease_release,
      .lease_mark_broken = wsp_lease_mark_broken,
      .lease_valid = wsp_lease_valid,
      .lease_conn_id = wsp_lease_conn_id,
      .account_stats = wsp_account_stats,
      .conn_stats = wsp_conn_stats,
      .metrics = wsp_pool_metrics,
      .pending = wsp_pool_pending,
      .dial_done = wsp_dial_done,
      .conn_message = wsp_conn_message,
      .conn_closed = wsp_conn_closed,
      .conn_id = wsp_conn_id,
      .conn_account = wsp_conn_account,
      .conn_transport = wsp_conn_transport,
      .lease_write_json = wsp_lease_write_json,
      .lease_read = wsp_lease_read,
      .write_done = wsp_write_done,
      .read_done = wsp_read_done,
      .lease_ping = wsp_lease_ping,
      .ping_done = wsp_ping_done,
      .lease_handshake_header = wsp_lease_handshake_header,
      .pin = wsp_pin,
      .unpin = wsp_unpin,
      .ensure_target_idle = wsp_ensure_target_idle,
      .lease_is_prewarmed = wsp_lease_is_prewarmed,
      .lease_mark_prewarmed = wsp_lease_mark_prewarmed,
      .ping_sweep = wsp_ping_sweep,
      .cleanup_sweep = wsp_cleanup_sweep,
      .evict = wsp_evict,
      .clear_account = wsp_clear_account,
      .adopt = wsp_adopt,
      .transport_metrics = wsp_pool_transport_metrics,
  };
  return &interface;
}

static const struct sim_pool_interface *under_test;

const struct sim_pool_interface *sim_pool_under_test(void) {
  return under_test != NULL ? under_test : sim_pool_wspool();
}

void sim_pool_put_under_test(const struct sim_pool_interface *interface) {
  under_test = interface;
}

/* X(function, capability that needs it; -1: every pool does) */
#define FUNCTION_LIST(X)                     \
  X(create, -1)                              \
  X(next_deadline, -1)                       \
  X(next_operation_deadline, -1)             \
  X(advance, -1)                             \
  X(close, -1)                               \
  X(acquire, -1)                             \
  X(op_cancel, -1)                           \
  X(lease_release, -1)                       \
  X(lease_mark_broken, -1)                   \
  X(lease_valid, -1)                         \
  X(lease_conn_id, -1)                       \
  X(account_stats, -1)                       \
  X(conn_stats, -1)                          \
  X(metrics, -1)                             \
  X(pending, -1)                             \
  X(dial_done, -1)                           \
  X(conn_message, -1)                        \
  X(conn_closed, -1)                         \
  X(conn_id, -1)                             \
  X(conn_account, -1)                        \
  X(conn_transport, -1)                      \
  X(lease_write_json, SIM_CAN_IO)            \
  X(lease_read, SIM_CAN_IO)                  \
  X(write_done, SIM_CAN_IO)                  \
  X(read_done, SIM_CAN_IO)                   \
  X(lease_ping, SIM_CAN_PING)                \
  X(ping_done, SIM_CAN_PING)                 \
  X(ping_done, SIM_CAN_SWEEP)                \
  X(ping_done, SIM_CAN_HEALTH_CHECK)         \
  X(lease_handshake_header, SIM_CAN_HEADERS) \
  X(pin, SIM_CAN_PIN)                        \
  X(unpin, SIM_CAN_PIN)                      \
  X(ensure_target_idle, SIM_CAN_PREWARM)     \
  X(lease_is_prewarmed, SIM_CAN_PREWARM)     \
  X(lease_mark_prewarmed, SIM_CAN_PREWARM)   \
  X(ping_sweep, SIM_CAN_SWEEP)               \
  X(cleanup_sweep, SIM_CAN_SWEEP)            \
  X(evict, SIM_CAN_EVICT)                    \
  X(clear_account, SIM_CAN_EVICT)            \
  X(adopt, SIM_CAN_ADOPT)

const char *sim_pool_lacks(const struct sim_pool_interface *interface, int *capability) {
#define CHECK(function, needed)                                                          \
  if (interface->function == NULL &&                                                     \
      (needed < 0 || (interface->capabilities >> (needed < 0 ? 0 : needed) & 1) != 0)) { \
    *capability = needed;                                                                \
    return #function;                                                                    \
  }
  FUNCTION_LIST(CHECK)
#undef CHECK
  return NULL;
}

const char *sim_capability_name(enum sim_capability capability) {
  static const char *const names[] = {
#define NAME(id, name, meaning) name,
      SIM_CAPABILITY_LIST(NAME)
#undef NAME
  };
  return names[capability];
}

const char *sim_capability_meaning(enum sim_capability capability) {
  static const char *const meanings[] = {
#define MEANING(id, name, meaning) meaning,
      SIM_CAPABILITY_LIST(MEANING)
#undef MEANING
  };
  return meanings[capability];
}
