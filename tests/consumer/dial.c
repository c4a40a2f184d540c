/*
 * dial.c - a program outside the tree that uses the transport for production: it dials a port of
 * this machine where nobody listens, and is told so. tests/integration/install.sh builds it.
 */
#include <pool/lws/wspool_lws.h>

#include <stdio.h>

struct attempt {
  struct wsp_lws *loop;
  enum wsp_error error;
};

static void ended(void *context, const struct wsp_acquire_result *result) {
  struct attempt *attempt = context;
  attempt->error = result->error;
  printf("acquire: %s\n", wsp_error_text(result->error));
  wsp_lws_stop(attempt->loop);
}

int main(void) {
  struct attempt attempt = {0};
  if (wsp_lws_create(&(struct wsp_lws_options){0}, &attempt.loop) != WSP_OK) {
    return 1;
  }
  const struct wsp_environment environment = {.transport = wsp_lws_transport(),
                                              .transport_context = attempt.loop};
  struct wsp_config config;
  wsp_config_init(&config);
  struct wsp_pool *pool = NULL;
  if (wsp_pool_create(&config, &environment, wsp_lws_now(), &pool) != WSP_OK) {
    return 1;
  }
  wsp_lws_drive(attempt.loop, pool);
  const struct wsp_acquire_request request = {.account = {.id = 1}, .url = "ws://127.0.0.1:1/"};
  wsp_acquire(pool, wsp_lws_now(), &request, ended, &attempt, NULL);
  wsp_lws_wake(attempt.loop);
  wsp_lws_run(attempt.loop);
  wsp_lws_destroy(attempt.loop);
  wsp_pool_destroy(pool);
  return attempt.error == WSP_DIAL_FAILED ? 0 : 1;
}
