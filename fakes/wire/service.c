/*
 * service.c - the fakes as servers for anybody.
 */
#include "fakes/wire/service.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "fakes/wire/server.h"
#include "sim/pool_interface.h"

enum { ABNORMAL = 1006, MOST_LINE = 256 };

/* A client's dial, and the conn that it becomes: its name for the fakes. */
struct guest {
  struct fake_service *service;
  struct guest *previous, *next;
  struct fake_peer *peer; /* NULL: it has gone */
  uint64_t number;
  void *dial, *fake; /* the fakes' */
  bool reading, pinging, leaving;
};

struct fake_service {
  struct fake_service_options options;
  struct fake_server *server;
  struct guest *guests;
  uint64_t count;
};

static struct guest *guest_of(const void *name) {
  return (struct guest *)(uintptr_t)name;
}

__attribute__((format(printf, 2, 3))) static void tell(const struct guest *guest,
                                                       const char *format, ...) {
  const struct fake_service_options *options = &guest->service->options;
  if (options->tell != NULL) {
    char line[MOST_LINE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    options->tell(options->context, guest->number, line);
  }
}

static void forget(struct guest *guest) {
  if (guest->peer != NULL) {
    fake_peer_set_context(guest->peer, NULL);
  }
  *(guest->previous != NULL ? &guest->previous->next : &guest->service->guests) = guest->next;
  if (guest->next != NULL) {
    guest->next->previous = guest->previous;
  }
  free(guest);
}

/* ---- What clients do ---------------------------------------------------------------------------
 */

static void requested(void *context, struct fake_peer *peer, const struct fake_upgrade *upgrade) {
  struct fake_service *service = context;
  struct guest *guest = calloc(1, sizeof *guest);
  if (guest == NULL) {
    fake_peer_cut(peer, true);
    return;
  }
  guest->service = service;
  guest->peer = peer;
  guest->number = ++service->count;
  guest->next = service->guests;
  if (guest->next != NULL) {
    guest->next->previous = guest;
  }
  service->guests = guest;
  fake_peer_set_context(peer, guest);
  tell(guest, "dials %s", upgrade->url);
  const struct wsp_dial_request request = {.url = upgrade->url,
                                           .proxy = "",
                                           .headers = upgrade->headers,
                                           .header_count = upgrade->header_count};
  if (fake_transport()->dial(service->options.upstreams,
                             (struct wsp_dial){.pool = (struct wsp_pool *)guest}, &request,
                             &guest->dial) != WSP_OK) {
    fake_peer_cut(peer, true);
    forget(guest);
  }
}

/* A fake that has no memory left loses the conn. */
static void call_failed(struct guest *guest, enum wsp_error error) {
  if (error != WSP_OK && guest->peer != NULL) {
    tell(guest, "is cut off: %s", wsp_error_text(error));
    fake_peer_cut(guest->peer, true);
  }
}

static void spoke(void *context, struct fake_peer *peer, const char *data, size_t length) {
  struct fake_service *service = context;
  struct guest *guest = fake_peer_context(peer);
  if (guest == NULL || guest->fake == NULL || guest->leaving) {
    return;
  }
  tell(guest, "sends %zu bytes", length);
  /* One write is under way at a time: the client's next words wait. */
  fake_peer_deafen(peer, true);
  call_failed(guest,
              fake_transport()->write(service->options.upstreams, guest->fake, data, length));
}

static void pinged(void *context, struct fake_peer *peer) {
  struct fake_service *service = context;
  struct guest *guest = fake_peer_context(peer);
  if (guest != NULL && guest->fake != NULL && !guest->leaving) {
    tell(guest, "pings");
    if (guest->pinging) {
      return; /* one pong may answer them all: it carries the payload of the last */
    }
    guest->pinging = true;
    call_failed(guest, fake_transport()->ping(service->options.upstreams, guest->fake));
  }
}

/* The client wants its end, or has gone. */
static void leaves(struct guest *guest) {
  struct fake_world *upstreams = guest->service->options.upstreams;
  if (guest->fake != NULL && !guest->leaving) {
    guest->leaving = true;
    fake_transport()->close(upstreams, guest->fake);
  } else if (guest->dial != NULL) {
    fake_transport()->dial_cancel(upstreams, guest->dial);
  }
}

static void closed(void *context, struct fake_peer *peer, int code, const char *reason) {
  struct guest *guest = fake_peer_context(peer);
  (void)context;
  if (guest != NULL) {
    tell(guest, "closes with code %d%s%.128s", code, reason[0] == '\0' ? "" : ": ", reason);
    leaves(guest);
  }
}

static void gone(void *context, struct fake_peer *peer) {
  struct guest *guest = fake_peer_context(peer);
  (void)context;
  if (guest != NULL) {
    guest->peer = NULL;
    if (!guest->leaving) {
      tell(guest, "has gone");
    }
    leaves(guest);
  }
}

static const struct fake_server_events server_events = {
    .requested = requested, .spoke = spoke, .pinged = pinged, .closed = closed, .gone = gone};

/* ---- What the fakes answer
 * ------------------------------------------------------------------------ */

static struct wsp_conn answer_dial(struct wsp_dial dial, wsp_time now,
                                   const struct wsp_dial_result *result) {
  struct guest *guest = guest_of(dial.pool);
  (void)now;
  guest->dial = NULL;
  if (guest->peer != NULL && result->error == WSP_OK && result->conn != NULL) {
    tell(guest, "is accepted");
    guest->fake = result->conn;
    fake_peer_accept(guest->peer, result->headers, result->header_count);
    return (struct wsp_conn){.pool = (struct wsp_pool *)guest};
  }
  if (guest->peer != NULL && result->status != 0) {
    tell(guest, "is refused with status %d", result->status);
    fake_peer_refuse(guest->peer, result->status, result->headers, result->header_count,
                     result->reason);
  } else if (guest->peer != NULL) {
    tell(guest, "is cut off");
    fake_peer_cut(guest->peer, true);
  }
  forget(guest);
  return (struct wsp_conn){0};
}

static void reset(struct guest *guest) {
  if (guest->peer != NULL) {
    tell(guest, "is reset");
    fake_peer_cut(guest->peer, false);
  }
}

static void answer_write(struct wsp_conn conn, wsp_time now, enum wsp_error error,
                         const char *reason) {
  struct guest *guest = guest_of(conn.pool);
  (void)now;
  (void)reason;
  if (error != WSP_OK || guest->peer == NULL) {
    reset(guest);
    return;
  }
  if (!guest->reading) {
    guest->reading = true;
    call_failed(guest, fake_transport()->read(guest->service->options.upstreams, guest->fake));
  }
  fake_peer_deafen(guest->peer, false);
}

static void answer_read(struct wsp_conn conn, wsp_time now, enum wsp_error error,
                        const char *reason, const void *message, size_t length) {
  struct guest *guest = guest_of(conn.pool);
  (void)now;
  (void)reason;
  guest->reading = false;
  if (error != WSP_OK) {
    reset(guest);
  } else if (guest->peer != NULL) {
    tell(guest, "gets %zu bytes", length);
    fake_peer_send(guest->peer, message, length, 0);
  }
}

static void speak(struct wsp_conn conn, wsp_time now, const void *message, size_t length) {
  answer_read(conn, now, WSP_OK, NULL, message, length);
}

static void answer_ping(struct wsp_conn conn, wsp_time now, enum wsp_error error,
                        const char *reason) {
  struct guest *guest = guest_of(conn.pool);
  (void)now;
  (void)reason;
  guest->pinging = false;
  if (error != WSP_OK) {
    reset(guest);
  } else if (guest->peer != NULL) {
    tell(guest, "gets a pong");
    fake_peer_pong(guest->peer);
  }
}

static void answer_close(struct wsp_conn conn, wsp_time now, int code, const char *reason) {
  struct guest *guest = guest_of(conn.pool);
  (void)now;
  if (guest->peer != NULL && code == ABNORMAL) {
    reset(guest);
  } else if (guest->peer != NULL) {
    if (!guest->leaving) {
      tell(guest, "is closed with code %d%s%.128s", code, reason == NULL ? "" : ": ",
           reason == NULL ? "" : reason);
    }
    fake_peer_send_close(guest->peer, code, reason);
  }
  forget(guest);
}

static const char *conn_id(struct wsp_conn conn) {
  (void)conn;
  return "";
}

static int64_t conn_account(struct wsp_conn conn) {
  (void)conn;
  return 0;
}

static const struct sim_pool_interface as_pool = {
    .version = SIM_POOL_INTERFACE_VERSION,
    .name = "service",
    .dial_done = answer_dial,
    .write_done = answer_write,
    .read_done = answer_read,
    .ping_done = answer_ping,
    .conn_message = speak,
    .conn_closed = answer_close,
    .conn_id = conn_id,
    .conn_account = conn_account,
};

/* ---- From beginning to end
 * -------------------------------------------------------------------------- */

enum wsp_error fake_service_create(const struct fake_service_options *options,
                                   struct fake_service **service) {
  *service = NULL;
  struct fake_service *own = calloc(1, sizeof *own);
  if (own == NULL) {
    return WSP_OUT_OF_MEMORY;
  }
  own->options = *options;
  enum wsp_error error = fake_server_create(&server_events, own, &own->server);
  if (error != WSP_OK) {
    free(own);
    return error;
  }
  fake_world_use_pool(options->upstreams, &as_pool);
  *service = own;
  return WSP_OK;
}

void fake_service_destroy(struct fake_service *service) {
  if (service == NULL) {
    return;
  }
  fake_server_destroy(service->server);
  while (service->guests != NULL) {
    service->guests->peer = NULL;
    forget(service->guests);
  }
  free(service);
}

enum wsp_error fake_service_listen(struct fake_service *service, const char *url, int port,
                                   int *served) {
  return fake_server_listen_on(service->server, url, port, served);
}

const char *fake_service_authority(const struct fake_service *service) {
  return fake_server_authority(service->server);
}

int fake_service_descriptor(const struct fake_service *service) {
  return fake_server_descriptor(service->server);
}

void fake_service_serve(struct fake_service *service) {
  fake_server_serve(service->server);
}
