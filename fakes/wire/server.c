/*
 * server.c - listeners, and the one descriptor behind which everything waits.
 *
 * Limits: 127.0.0.1 alone; descriptors are what the process may have, a client for whom none is
 * left waits in the listener's queue; one that sends half a request and then nothing is kept.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "fakes/wire/server_internal.h"

enum { MOST_READY = 64, MOST_ACCEPTED = 64, BACKLOG = 512, HOST_SIZE = 256 };
/* How long a listener rests when there is no descriptor for a client. */
#define REST (10 * WSP_MILLISECOND)

/* ---- Descriptors -------------------------------------------------------------------------- */

int64_t server_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * WSP_SECOND + now.tv_nsec;
}

bool server_watch(struct fake_server *server, struct watch *watch, uint32_t events) {
  struct epoll_event event = {.events = events, .data = {.ptr = watch}};
  watch->interest = events;
  return epoll_ctl(server->epoll, EPOLL_CTL_ADD, watch->fd, &event) == 0;
}

void server_rewatch(struct fake_server *server, struct watch *watch, uint32_t events) {
  if (watch->fd >= 0 && watch->interest != events) {
    struct epoll_event event = {.events = events, .data = {.ptr = watch}};
    watch->interest = events;
    (void)epoll_ctl(server->epoll, EPOLL_CTL_MOD, watch->fd, &event); /* needs no memory */
  }
}

void server_close(struct watch *watch) {
  if (watch->fd >= 0) {
    close(watch->fd);
    watch->fd = -1;
  }
}

void server_wake_at(struct fake_server *server, int64_t at) {
  at = at < 1 ? 1 : at; /* 0 would stop the timer */
  /* Setting a timer that has run out, which nobody has read yet, would take back that it has. */
  if (server->wakes_at != 0 && server->wakes_at <= at) {
    return;
  }
  server->wakes_at = at;
  const struct itimerspec when = {.it_value = {at / WSP_SECOND, at % WSP_SECOND}};
  timerfd_settime(server->timer.fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void tick(struct watch *watch, uint32_t events) {
  struct fake_server *server =
      (struct fake_server *)((char *)watch - offsetof(struct fake_server, timer));
  uint64_t count;
  (void)events;
  ssize_t length = read(watch->fd, &count, sizeof count);
  (void)length; /* serve() looks at the peers in any case */
  server->wakes_at = 0;
}

/* ---- From beginning to end ----------------------------------------------------------------- */

enum wsp_error fake_server_create(const struct fake_server_events *events, void *context,
                                  struct fake_server **server) {
  *server = NULL;
  struct fake_server *own = calloc(1, sizeof *own);
  if (own == NULL) {
    return WSP_OUT_OF_MEMORY;
  }
  own->events = events;
  own->context = context;
  own->authority = fake_authority_create();
  own->epoll = epoll_create1(EPOLL_CLOEXEC);
  own->timer = (struct watch){tick, timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), 0};
  if (own->authority == NULL || own->epoll < 0 || own->timer.fd < 0 ||
      !server_watch(own, &own->timer, EPOLLIN)) {
    fake_server_destroy(own);
    return WSP_OUT_OF_MEMORY;
  }
  *server = own;
  return WSP_OK;
}

static void listener_destroy(struct listener *listener) {
  server_close(&listener->watch);
  SSL_CTX_free(listener->tls);
  free(listener->authority);
  free(listener->host);
  free(listener->credentials);
  free(listener);
}

void fake_server_destroy(struct fake_server *server) {
  if (server == NULL) {
    return;
  }
  while (server->peers != NULL) {
    peer_destroy(server->peers);
  }
  tunnels_destroy(server);
  while (server->listeners != NULL) {
    struct listener *next = server->listeners->next;
    listener_destroy(server->listeners);
    server->listeners = next;
  }
  server_close(&server->timer);
  if (server->epoll >= 0) {
    close(server->epoll);
  }
  fake_authority_destroy(server->authority);
  free(server);
}

const char *fake_server_authority(const struct fake_server *server) {
  return fake_authority_pem(server->authority);
}

int fake_server_descriptor(const struct fake_server *server) {
  return server->epoll;
}

/* Lets those accept that have rested. Returns when the next one has, INT64_MAX: none rests. */
static int64_t wake_listeners(struct fake_server *server, int64_t now) {
  int64_t next = INT64_MAX;
  for (struct listener *listener = server->listeners; listener != NULL; listener = listener->next) {
    if (listener->rests != 0 && listener->rests <= now) {
      listener->rests = 0;
      server_rewatch(server, &listener->watch, EPOLLIN);
    } else if (listener->rests != 0 && listener->rests < next) {
      next = listener->rests;
    }
  }
  return next;
}

/* Ends those that are at their end: not before, so that a callback may end any. */
static void tidy(struct fake_server *server) {
  int64_t now = server_now();
  int64_t next = wake_listeners(server, now);
  for (struct fake_peer *peer = server->peers, *after; peer != NULL; peer = after) {
    int64_t look = peer_look(peer, now);
    next = look < next ? look : next;
    after = peer->next;
    if (peer->state == PEER_DEAD) {
      if (peer->told) {
        server->events->gone(server->context, peer);
        after = peer->next; /* may be another one by now */
      }
      peer_destroy(peer);
    }
  }
  tunnels_tidy(server);
  if (next != INT64_MAX) {
    server_wake_at(server, next);
  }
}

void fake_server_serve(struct fake_server *server) {
  struct epoll_event ready[MOST_READY];
  int count = epoll_wait(server->epoll, ready, MOST_READY, 0);
  for (int i = 0; i < count; i++) {
    struct watch *watch = ready[i].data.ptr;
    if (watch->fd >= 0) { /* else it was ended by one before it */
      watch->ready(watch, ready[i].events);
    }
  }
  tidy(server);
}

/* ---- Listeners ---------------------------------------------------------------------------- */

static void accept_clients(struct watch *watch, uint32_t events) {
  struct listener *listener = (struct listener *)watch;
  const int one = 1;
  (void)events;
  for (int i = 0; i < MOST_ACCEPTED; i++) {
    int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      /* Nothing is won by trying again at once, and the client stays in the queue. */
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        listener->rests = server_now() + REST;
        server_rewatch(listener->server, watch, 0);
      }
      return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (listener->is_proxy) {
      tunnel_create(listener, fd);
    } else {
      peer_create(listener, fd);
    }
  }
}

static SSL_CTX *tls_with(struct fake_identity identity) {
  SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
  BIO *certificate = BIO_new_mem_buf(identity.certificate, (int)identity.certificate_length);
  BIO *key = BIO_new_mem_buf(identity.key, (int)identity.key_length);
  X509 *x509 = certificate == NULL ? NULL : PEM_read_bio_X509(certificate, NULL, NULL, NULL);
  EVP_PKEY *private = key == NULL ? NULL : PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
  if (tls != NULL && (x509 == NULL || private == NULL || SSL_CTX_use_certificate(tls, x509) != 1 ||
                      SSL_CTX_use_PrivateKey(tls, private) != 1)) {
    SSL_CTX_free(tls);
    tls = NULL;
  }
  if (tls != NULL) {
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* Nobody comes back: a session would only have to be written. */
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(tls, 0);
  }
  X509_free(x509);
  EVP_PKEY_free(private);
  BIO_free(certificate);
  BIO_free(key);
  fake_identity_deinit(&identity);
  ERR_clear_error(); /* would be taken for an error of some conn */
  return tls;
}

static bool open_listener(struct listener *listener, int port) {
  const int one = 1;
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  listener->watch = (struct watch){accept_clients, fd, 0};
  if (fd >= 0) { /* a port of an earlier server's may be taken at once */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  }
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
      listen(fd, BACKLOG) != 0 || getsockname(fd, (struct sockaddr *)&address, &length) != 0 ||
      !server_watch(listener->server, &listener->watch, EPOLLIN)) {
    return false;
  }
  listener->served = ntohs(address.sin_port);
  return true;
}

const struct listener *server_find(const struct fake_server *server, const char *host, int port,
                                   bool is_proxy) {
  for (const struct listener *listener = server->listeners; listener != NULL;
       listener = listener->next) {
    if (listener->is_proxy == is_proxy && listener->port == port &&
        strcasecmp(listener->host, host) == 0) {
      return listener;
    }
  }
  return NULL;
}

int fake_server_port(const struct fake_server *server, const char *host, int port) {
  const struct listener *listener = server_find(server, host, port, false);
  if (listener == NULL) {
    listener = server_find(server, host, port, true);
  }
  return listener == NULL ? 0 : listener->served;
}

int server_read_port(const char *text, size_t length) {
  int port = length > 0 && length <= 5 && strspn(text, "0123456789") >= length ? atoi(text) : 0;
  return port <= UINT16_MAX ? port : 0;
}

/* Cuts "[userinfo@]host[:port]" up to the path. False: it is none. */
static bool read_authority(const char *text, int port, char userinfo[HOST_SIZE],
                           char host[HOST_SIZE], int *number) {
  size_t length = strcspn(text, "/?#");
  const char *end = text + length;
  const char *at = memrchr(text, '@', length);
  size_t user_length = at == NULL ? 0 : (size_t)(at - text);
  const char *begin = at == NULL ? text : at + 1;
  length -= (size_t)(begin - text);
  const char *colon = memrchr(begin, ':', length);
  const char *bracket = length > 0 && begin[0] == '[' ? memchr(begin, ']', length) : NULL;
  colon = bracket != NULL && colon != NULL && colon < bracket ? NULL : colon;
  size_t host_length = colon == NULL ? length : (size_t)(colon - begin);
  if (length > 0 && begin[0] == '[') {
    if (bracket == NULL || bracket != begin + host_length - 1) {
      return false;
    }
    begin++;
    host_length -= 2;
  }
  *number = colon == NULL ? port : server_read_port(colon + 1, (size_t)(end - colon) - 1);
  if (user_length >= HOST_SIZE || host_length == 0 || host_length >= HOST_SIZE || *number == 0) {
    return false;
  }
  snprintf(userinfo, HOST_SIZE, "%.*s", (int)user_length, text);
  snprintf(host, HOST_SIZE, "%.*s", (int)host_length, begin);
  return true;
}

const char *server_authority(const struct listener *listener, const char *host) {
  char userinfo[HOST_SIZE];
  char name[HOST_SIZE];
  int port;
  bool is_its_own = read_authority(host, listener->tls != NULL ? 443 : 80, userinfo, name, &port) &&
                    port == listener->port && strcasecmp(name, listener->host) == 0 &&
                    userinfo[0] == '\0' && strpbrk(host, "/?#@") == NULL;
  return is_its_own ? host : listener->authority;
}

/* Takes over `model`; `url` from its authority on. */
static enum wsp_error add_listener(struct fake_server *server, struct listener model,
                                   const char *host, const char *url, int port) {
  struct listener *listener = malloc(sizeof *listener);
  model.server = server;
  model.host = strdup(host);
  model.authority = strndup(url, strcspn(url, "/?#"));
  model.watch.fd = -1;
  if (listener == NULL) {
    free(model.host);
    free(model.authority);
    free(model.credentials);
    SSL_CTX_free(model.tls);
    return WSP_OUT_OF_MEMORY;
  }
  *listener = model;
  if (listener->host == NULL || listener->authority == NULL || !open_listener(listener, port)) {
    listener_destroy(listener);
    return WSP_OUT_OF_MEMORY;
  }
  listener->next = server->listeners;
  server->listeners = listener;
  return WSP_OK;
}

/* `local`: on that port, and valid for localhost too. */
static enum wsp_error listen_for(struct fake_server *server, const char *url,
                                 enum fake_validity certificate, bool local, int on, int *served) {
  char userinfo[HOST_SIZE];
  char host[HOST_SIZE];
  int port;
  bool tls = strncasecmp(url, "wss://", 6) == 0;
  if ((!tls && strncasecmp(url, "ws://", 5) != 0) ||
      !read_authority(url + (tls ? 6 : 5), tls ? 443 : 80, userinfo, host, &port) ||
      userinfo[0] != '\0') {
    return WSP_INVALID_REQUEST;
  }
  const struct listener *present = server_find(server, host, port, false);
  if (present != NULL) {
    *served = present->served;
    return WSP_OK;
  }
  struct listener listener = {.port = port};
  struct fake_identity identity;
  bool issued =
      tls && (local ? fake_identity_issue_local(server->authority, host, &identity)
                    : fake_identity_issue(server->authority, host, certificate, &identity));
  if (tls && (!issued || (listener.tls = tls_with(identity)) == NULL)) {
    return WSP_OUT_OF_MEMORY;
  }
  enum wsp_error error = add_listener(server, listener, host, url + (tls ? 6 : 5), on);
  *served = error == WSP_OK ? server->listeners->served : 0;
  return error;
}

enum wsp_error fake_server_listen(struct fake_server *server, const char *url,
                                  enum fake_validity certificate) {
  int served;
  return listen_for(server, url, certificate, false, 0, &served);
}

enum wsp_error fake_server_listen_on(struct fake_server *server, const char *url, int port,
                                     int *served) {
  errno = 0;
  *served = 0;
  enum wsp_error error = listen_for(server, url, FAKE_VALID, true, port, served);
  return error == WSP_OUT_OF_MEMORY && (errno == EADDRINUSE || errno == EACCES)
             ? WSP_INVALID_REQUEST
             : error;
}

enum wsp_error fake_server_listen_proxy(struct fake_server *server, const char *url,
                                        enum fake_proxy_manner manner) {
  char userinfo[HOST_SIZE];
  char host[HOST_SIZE];
  int port;
  if (strncasecmp(url, "http://", 7) != 0 || !read_authority(url + 7, 80, userinfo, host, &port)) {
    return WSP_INVALID_REQUEST;
  }
  if (server_find(server, host, port, true) != NULL) {
    return WSP_OK;
  }
  struct listener listener = {.port = port, .is_proxy = true, .manner = manner};
  if (userinfo[0] != '\0') {
    size_t length = strlen(userinfo);
    listener.credentials = malloc(4 * (length / 3 + 1) + 1);
    if (listener.credentials == NULL) {
      return WSP_OUT_OF_MEMORY;
    }
    EVP_EncodeBlock((unsigned char *)listener.credentials, (const unsigned char *)userinfo,
                    (int)length);
  }
  return add_listener(server, listener, host, url + 7, 0);
}
