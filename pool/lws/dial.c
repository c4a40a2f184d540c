/*
 * dial.c - from a request to an open conn, a refusal, or a failure.
 */
#define _GNU_SOURCE
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "pool/lws/internal.h"

enum { SWITCHING_PROTOCOLS = 101, TEXT_SIZE = 4096 };

/* ---- The request ------------------------------------------------------------------------ */

static bool copy_headers(struct link *link, const struct wsp_dial_request *request) {
  link->headers = calloc(request->header_count + 1, sizeof *link->headers);
  if (link->headers == NULL) {
    return false;
  }
  for (size_t i = 0; i < request->header_count; i++) {
    struct wsp_header *copy = &link->headers[link->header_count++];
    copy->name = strdup(request->headers[i].name);
    copy->value = strdup(request->headers[i].value);
    if (copy->name == NULL || copy->value == NULL) {
      return false;
    }
  }
  return true;
}

void wsp_link_free(struct link *link) {
  struct wsp_lws *lws = link->lws;
  wsp_lws_wait_no_more(link);
  wsp_resolve_forget(link);
  wsp_client_drop(link);
  *(link->previous != NULL ? &link->previous->next : &lws->links) = link->next;
  if (link->next != NULL) {
    link->next->previous = link->previous;
  }
  wsp_address_deinit(&link->address);
  for (size_t i = 0; i < link->header_count; i++) {
    free((char *)link->headers[i].name);
    free((char *)link->headers[i].value);
  }
  free(link->headers);
  free(link->proxy);
  wsp_reply_deinit(&link->reply);
  free(link->answer.data);
  free(link->message.data);
  free(link->write_data);
  free(link);
}

enum wsp_error wsp_lws_dial(void *context, struct wsp_dial dial,
                            const struct wsp_dial_request *request, void **dialing) {
  struct wsp_lws *lws = context;
  struct link *link = calloc(1, sizeof *link);
  if (link == NULL) {
    return WSP_OUT_OF_MEMORY;
  }
  link->lws = lws;
  link->next = lws->links;
  if (link->next != NULL) {
    link->next->previous = link;
  }
  lws->links = link;
  link->dial = dial;
  bool has_proxy = request->proxy != NULL && request->proxy[0] != '\0';
  link->proxy = has_proxy ? strdup(request->proxy) : NULL;
  if ((has_proxy && link->proxy == NULL) || !copy_headers(link, request)) {
    wsp_link_free(link);
    return WSP_OUT_OF_MEMORY;
  }
  /* A url that is none fails in the turn, like all that fails. */
  link->failed = !wsp_address_parse(&link->address, request->url, false, link->reason);
  wsp_lws_due(link);
  *dialing = link;
  return WSP_OK;
}

void wsp_lws_dial_cancel(void *context, void *dialing) {
  (void)context;
  struct link *link = dialing;
  link->canceled = true;
  wsp_lws_due(link);
}

/* ---- The end of a dial ------------------------------------------------------------------ */

void wsp_link_kill(struct link *link) {
  if (link->wsi != NULL) {
    lws_set_timeout(link->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
  }
}

static void dismiss_watcher(struct link *link) {
  if (link->watcher != NULL) {
    lws_set_opaque_user_data(link->watcher, NULL);
    lws_set_timeout(link->watcher, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    link->watcher = NULL;
  }
}

/* Tells the pool. The link is free to go unless it has become a conn. */
static void end_dial(struct link *link, const struct wsp_dial_result *result) {
  wsp_lws_wait_no_more(link);
  dismiss_watcher(link);
  link->state = LINK_LEFT;
  (void)link->lws->answers->dial_done(link->dial, wsp_lws_now(), result);
  if (!link->is_due) {
    wsp_lws_due(link); /* the turn frees it */
  }
}

static void end_refused(struct link *link) {
  char text[TEXT_SIZE];
  char ignored[REASON_SIZE];
  size_t head_length;
  if (wsp_reply_parse(&link->reply, &link->answer, &head_length, ignored) != REPLY_HEAD) {
    end_dial(link, &(struct wsp_dial_result){
                       .error = WSP_DIAL_FAILED,
                       .reason = "the server closed before its answer was complete"});
    return;
  }
  wsp_reply_text(&link->reply, &link->answer, head_length, text, sizeof text);
  end_dial(link, &(struct wsp_dial_result){.error = WSP_DIAL_FAILED,
                                           .status = link->reply.status,
                                           .reason = text,
                                           .headers = link->reply.headers,
                                           .header_count = link->reply.header_count});
}

/* The socket has gone, or there never was one. */
static void end_without_socket(struct link *link) {
  if (link->canceled) {
    end_dial(link, &(struct wsp_dial_result){.error = WSP_CANCELED});
  } else if (link->taken_over && link->answer.length > 0 && !link->failed) {
    end_refused(link);
  } else if (link->connecting && link->address_next < link->address_count) {
    if (link->proxy != NULL && link->client != NULL) {
      wsp_client_forget(link->lws, link->client);
      wsp_client_drop(link);
    }
    link->failed = false;
    link->state = LINK_RESOLVING; /* on to its next address */
    wsp_lws_due(link);
  } else {
    if (link->proxy != NULL && link->client != NULL && link->connecting) {
      /* Its address may have changed. */
      wsp_client_forget(link->lws, link->client);
    }
    end_dial(link, &(struct wsp_dial_result){.error = WSP_DIAL_FAILED,
                                             .reason = link->reason[0] != '\0'
                                                           ? link->reason
                                                           : "the server closed the conn before it "
                                                             "had answered"});
  }
}

void wsp_dial_fail(struct link *link, const char *reason) {
  if (!link->failed) {
    link->failed = true;
    snprintf(link->reason, REASON_SIZE, "%s", reason);
  }
}

/* ---- Carrying on ------------------------------------------------------------------------ */

static const char *header_value(const struct link *link, const char *name) {
  for (size_t i = 0; i < link->header_count; i++) {
    if (strcasecmp(link->headers[i].name, name) == 0) {
      return link->headers[i].value;
    }
  }
  return NULL;
}

static void connect_link(struct link *link) {
  static const lws_retry_bo_t no_pings_of_its_own = {.secs_since_valid_ping = 0};
  const struct address *address = &link->address;
  struct lws_client_connect_info info = {
      .context = link->lws->context,
      .vhost = wsp_client_vhost(link->client),
      .address = link->proxy != NULL ? address->host : link->addresses[link->address_next++],
      .port = link->proxy != NULL ? address->port : link->port,
      .path = address->path,
      .host = address->host_header,
      .ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (address->tls ? LCCSCF_USE_SSL : 0),
      .alpn = "http/1.1",
      .protocol = header_value(link, "sec-websocket-protocol"),
      .local_protocol_name = "wspool",
      .opaque_user_data = link,
      .pwsi = &link->wsi,
      .retry_and_idle_policy = &no_pings_of_its_own,
  };
  link->state = LINK_CONNECTING;
  link->connecting = true;
  link->starting = true;
  link->wsi = lws_client_connect_via_info(&info);
  link->starting = false;
  if (link->wsi == NULL) {
    wsp_dial_fail(link, "the connection could not be started");
    end_without_socket(link);
  }
}

/* A name or line that would break out of the request. */
static bool headers_are_valid(struct link *link) {
  static const char separators[] = " \t\r\n()<>@,;:\\\"/[]?={}";
  for (size_t i = 0; i < link->header_count; i++) {
    const struct wsp_header *header = &link->headers[i];
    if (header->name[0] == '\0' || strpbrk(header->name, separators) != NULL ||
        strpbrk(header->value, "\r\n") != NULL) {
      snprintf(link->reason, REASON_SIZE, "the request's header \"%.60s\" is not a valid one",
               header->name);
      return false;
    }
  }
  return true;
}

/* Looks up `host`, unless it is an address, or the options say where it is. False: the dial has
 * failed. */
static bool look_up(struct link *link, const char *host, int port) {
  const struct wsp_lws_options *options = &link->lws->options;
  link->port = port;
  link->address_next = 0;
  if (options->connect_to != NULL &&
      options->connect_to(options->connect_context, host, &link->port, link->addresses[0])) {
    link->address_count = 1;
    return true;
  }
  if (wsp_resolve_literal(link, host)) {
    return true;
  }
  link->state = LINK_RESOLVING;
  if (!wsp_resolve(link, host)) {
    snprintf(link->reason, REASON_SIZE, "no memory or thread to look up %.100s", host);
    return false;
  }
  wsp_lws_wait(link, &link->lws->resolving, WSP_TIME_NEVER);
  return true;
}

static void start(struct link *link) {
  bool going = !link->failed && headers_are_valid(link);
  if (going && link->proxy == NULL) {
    going = wsp_client_find(link) && look_up(link, link->address.host, link->address.port);
  } else if (going && wsp_client_find(link)) {
    connect_link(link);
    return;
  } else if (going) {
    struct address proxy;
    going = wsp_address_parse(&proxy, link->proxy, true, link->reason);
    going = going && look_up(link, proxy.host, proxy.port);
    wsp_address_deinit(&proxy);
  }
  if (!going) {
    end_without_socket(link);
  } else if (link->resolution == NULL) {
    link->state = LINK_RESOLVING;
    wsp_lws_due(link); /* nothing had to be looked up */
  }
}

static void resolved(struct link *link) {
  bool has_address = link->address_next < link->address_count;
  if (!has_address ||
      (link->client == NULL && !wsp_client_hold(link, link->addresses[link->address_next++]))) {
    end_without_socket(link);
  } else {
    link->reason[0] = '\0';
    connect_link(link);
  }
}

static void serve_socket(struct link *link, short events) {
  struct lws_pollfd ready = {
      .fd = lws_get_socket_fd(link->wsi), .events = events, .revents = events};
  lws_service_fd(link->lws->context, &ready);
}

/* A socket that does not read is not served at all, so that it would be found writable again and
 * again until the answer comes. */
static void calm(struct link *link) {
  link->restless = false;
  lws_rx_flow_control(link->wsi, 1);
  serve_socket(link, LWS_POLLOUT);
  if (link->wsi != NULL && link->state == LINK_AWAITING) {
    lws_rx_flow_control(link->wsi, 0);
  }
}

/* libwebsockets reads on, now that it is known what it will find. */
static void hand_over(struct link *link) {
  dismiss_watcher(link);
  link->hand_over = false;
  if (link->wsi == NULL) {
    return;
  }
  lws_rx_flow_control(link->wsi, 1);
  serve_socket(link, LWS_POLLIN); /* what OpenSSL holds already makes no socket readable */
}

void wsp_dial_carry_on(struct link *link, wsp_time now) {
  (void)now;
  if (link->canceled) {
    wsp_resolve_forget(link);
    if (link->wsi != NULL) {
      wsp_link_kill(link);
    } else {
      end_without_socket(link);
    }
  } else if (link->state == LINK_NEW) {
    start(link);
  } else if (link->state == LINK_RESOLVING && link->resolution == NULL) {
    resolved(link);
  } else if (link->restless && link->wsi != NULL) {
    calm(link);
    if (link->state == LINK_AWAITING) {
      wsp_lws_due(link); /* for what else there is */
    }
  } else if (link->hand_over) {
    hand_over(link);
  } else if (link->state == LINK_AWAITING && link->watcher == NULL && !link->taken_over) {
    hand_over(link); /* the socket has ended: libwebsockets says how */
  }
}

/* ---- Callbacks -------------------------------------------------------------------------- */

/* Headers that the handshake itself makes. */
static bool is_own(const char *name) {
  static const char *const own[] = {"host",
                                    "upgrade",
                                    "connection",
                                    "content-length",
                                    "transfer-encoding",
                                    "sec-websocket-key",
                                    "sec-websocket-version",
                                    "sec-websocket-protocol",
                                    "sec-websocket-extensions"};
  for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
    if (strcasecmp(name, own[i]) == 0) {
      return true;
    }
  }
  return false;
}

static bool add_headers(const struct link *link, struct lws *wsi, unsigned char **at,
                        unsigned char *end) {
  for (size_t i = 0; i < link->header_count; i++) {
    const struct wsp_header *header = &link->headers[i];
    char name[256];
    if (is_own(header->name)) {
      continue;
    }
    if (snprintf(name, sizeof name, "%s:", header->name) >= (int)sizeof name ||
        lws_add_http_header_by_name(wsi, (const unsigned char *)name,
                                    (const unsigned char *)header->value,
                                    (int)strlen(header->value), at, end) != 0) {
      return false;
    }
  }
  return true;
}

/* The request is about to go out. */
static int await_answer(struct link *link, struct lws *wsi, void *at, size_t room) {
  unsigned char **place = at;
  if (!add_headers(link, wsi, place, *place + room)) {
    wsp_dial_fail(link, "the request's headers are too long");
    return -1;
  }
  lws_sock_file_fd_type fd = {.filefd = dup(lws_get_socket_fd(wsi))};
  lws_rx_flow_control(wsi, 0);
  link->watcher = fd.filefd < 0 ? NULL
                                : lws_adopt_descriptor_vhost(wsp_client_vhost(link->client),
                                                             LWS_ADOPT_RAW_FILE_DESC, fd,
                                                             "wspool-watcher", NULL);
  if (link->watcher == NULL) {
    wsp_dial_fail(link, "no descriptor is left");
    return -1;
  }
  lws_set_opaque_user_data(link->watcher, link);
  link->restless = true;
  wsp_lws_due(link);
  link->state = LINK_AWAITING;
  link->connecting = false;
  return 0;
}

static int established(struct link *link) {
  struct wsp_dial_result result = {.error = WSP_OK,
                                   .conn = link,
                                   .status = SWITCHING_PROTOCOLS,
                                   .headers = link->reply.headers,
                                   .header_count = link->reply.header_count};
  dismiss_watcher(link);
  link->state = LINK_OPEN;
  if (link->canceled) {
    result = (struct wsp_dial_result){.error = WSP_CANCELED};
  }
  link->conn = link->lws->answers->dial_done(link->dial, wsp_lws_now(), &result);
  wsp_reply_deinit(&link->reply);
  if (link->conn.pool == NULL) {
    wsp_conn_drop(link);
  }
  return 0;
}

/* What is wrong with the server's certificate; NULL: nothing, or it is not known. */
static const char *certificate_problem(struct lws *wsi) {
  SSL *ssl = lws_get_ssl(wsi);
  long result = ssl == NULL ? X509_V_OK : SSL_get_verify_result(ssl);
  return result == X509_V_OK ? NULL : X509_verify_cert_error_string(result);
}

/* libwebsockets' own words, with what it leaves out. */
static void note_error(struct link *link, struct lws *wsi, const char *words, size_t length) {
  char text[REASON_SIZE];
  const char *problem = certificate_problem(wsi);
  bool is_cut = link->state == LINK_AWAITING && link->answer.length == 0;
  if (is_cut && problem == NULL) {
    snprintf(text, sizeof text, "the server closed the conn before it had answered");
  } else if (problem != NULL) {
    snprintf(text, sizeof text, "certificate not accepted: %s", problem);
  } else {
    snprintf(text, sizeof text, "%s%.*s", link->proxy != NULL && link->connecting ? "proxy: " : "",
             (int)length, words);
  }
  if (text[0] != '\0') {
    wsp_dial_fail(link, text);
  }
}

int wsp_dial_callback(struct link *link, struct lws *wsi, enum lws_callback_reasons what, void *in,
                      size_t length) {
  switch (what) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
      return await_answer(link, wsi, in, length);
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
      if (link->state == LINK_AWAITING && !link->taken_over && !link->failed) {
        link->wsi = wsi;
        (void)wsp_dial_judge(link); /* a refusal may have come together with the end */
      }
      if (!link->taken_over) {
        note_error(link, wsi, in == NULL ? "" : in, in == NULL ? 0 : length);
      }
      return 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
      link->wsi = wsi;
      return established(link);
    case LWS_CALLBACK_WSI_DESTROY:
      link->wsi = NULL;
      if (!link->starting) {
        end_without_socket(link);
      }
      return 0;
    default:
      return 0;
  }
}
