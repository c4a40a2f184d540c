/*
 * borrow.c - a program outside the tree, with a transport whose dials succeed at once: it borrows a
 * conn, gives it back and closes the pool. tests/integration/install.sh builds it in each of the
 * ways in which libwspool is installed. The time is 0, 1, 2, which is enough here.
 */
#include <pool/wspool_transport.h>

#include <stdio.h>

struct one_conn {
  struct wsp_dial dialing;
  struct wsp_conn conn;
  bool closing;
};

static enum wsp_error dial(void *context, struct wsp_dial dial,
                           const struct wsp_dial_request *request, void **dialing) {
  struct one_conn *transport = context;
  (void)request;
  transport->dialing = dial;
  *dialing = transport;
  return WSP_OK;
}

static void do_nothing(void *context, void *object) {
  (void)context;
  (void)object;
}

static enum wsp_error refuse(void *context, void *conn) {
  (void)context;
  (void)conn;
  return WSP_CONN_CLOSED;
}

static enum wsp_error refuse_write(void *context, void *conn, const char *data, size_t length) {
  (void)data;
  (void)length;
  return refuse(context, conn);
}

static void begin_close(void *context, void *conn) {
  struct one_conn *transport = context;
  (void)conn;
  transport->closing = true;
}

static const struct wsp_transport transport_calls = {.dial = dial,
                                                     .dial_cancel = do_nothing,
                                                     .write = refuse_write,
                                                     .read = refuse,
                                                     .read_cancel = do_nothing,
                                                     .ping = refuse,
                                                     .ping_cancel = do_nothing,
                                                     .close = begin_close};

static void acquired(void *context, const struct wsp_acquire_result *result) {
  struct wsp_lease *lease = context;
  *lease = result->lease;
  printf("acquire: %s, conn %s\n", result->error == WSP_OK ? "granted" : result->error_text,
         wsp_lease_conn_id(*lease));
}

static void closed(void *context) {
  *(bool *)context = true;
}

int main(void) {
  struct one_conn transport = {0};
  const struct wsp_environment environment = {.transport = &transport_calls,
                                              .transport_context = &transport};
  struct wsp_config config;
  wsp_config_init(&config);
  struct wsp_pool *pool = NULL;
  if (wsp_pool_create(&config, &environment, 0, &pool) != WSP_OK) {
    return 1;
  }
  struct wsp_lease lease = {0};
  const struct wsp_acquire_request request = {.account = {.id = 1}, .url = "wss://example/"};
  wsp_acquire(pool, 0, &request, acquired, &lease, NULL);
  wsp_pool_advance(pool, 0);
  transport.conn = wsp_dial_done(transport.dialing, 1,
                                 &(struct wsp_dial_result){.error = WSP_OK, .conn = &transport});
  wsp_pool_advance(pool, 1);
  bool lent = wsp_lease_valid(lease);
  wsp_lease_release(lease, 1);

  bool is_closed = false;
  wsp_pool_close(pool, 2, closed, &is_closed);
  if (transport.closing) {
    wsp_conn_closed(transport.conn, 2, 1000, NULL);
  }
  wsp_pool_advance(pool, 2);
  wsp_pool_destroy(pool);
  return lent && is_closed ? 0 : 1;
}
