/*
 * loop.c - the loop: created, run, stopped, and the turn that carries everything on.
 *
 * One timerfd and one eventfd are served by libwebsockets like sockets. So the pool's deadlines are
 * kept to the microsecond, in whatever event loop libwebsockets lives (its own timers are rounded
 * to milliseconds), and any thread can wake the loop. Needs Linux.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "pool/lws/internal.h"

enum {
  DEFAULT_MESSAGE_SIZE = 16 * 1024 * 1024,
  DEFAULT_SOCKETS = 16384,
  RECEIVE_SIZE = 16 * 1024,
  HEAD_SIZE = 32 * 1024, /* of a handshake's request, and of its answer */
  NO_LIMIT_SECONDS = 24 * 3600,
  MOST_ROUNDS = 64
};
#define DEFAULT_CLOSE_TIMEOUT (2 * WSP_SECOND)

wsp_time wsp_lws_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * WSP_SECOND + now.tv_nsec;
}

bool wsp_lws_append(struct bytes *bytes, const void *data, size_t length) {
  if (bytes->capacity - bytes->length < length) {
    size_t capacity = bytes->capacity == 0 ? 1024 : bytes->capacity;
    while (capacity - bytes->length < length) {
      capacity *= 2;
    }
    uint8_t *grown = realloc(bytes->data, capacity);
    if (grown == NULL) {
      return false;
    }
    bytes->data = grown;
    bytes->capacity = capacity;
  }
  if (length > 0) {
    memcpy(bytes->data + bytes->length, data, length);
  }
  bytes->length += length;
  return true;
}

/* ---- What waits ------------------------------------------------------------------------- */

void wsp_lws_notify(struct wsp_lws *lws) {
  const uint64_t one = 1;
  /* It can only fail when it is set already. */
  ssize_t written = write(lws->wakeup, &one, sizeof one);
  (void)written;
}

void wsp_lws_want_turn(struct wsp_lws *lws) {
  if (!lws->turn_wanted) {
    lws->turn_wanted = true;
    if (!lws->in_turn && lws->options.uv_loop != NULL) {
      wsp_lws_notify(lws); /* an own loop has a turn after each service */
    }
  }
}

void wsp_lws_due(struct link *link) {
  struct wsp_lws *lws = link->lws;
  if (link->is_due) {
    return;
  }
  link->is_due = true;
  link->next_due = NULL;
  *(lws->due == NULL ? &lws->due : &lws->due_last->next_due) = link;
  lws->due_last = link;
  wsp_lws_want_turn(lws);
}

void wsp_lws_wait(struct link *link, struct waiting *in, wsp_duration time) {
  wsp_lws_wait_no_more(link);
  link->waits_in = in;
  link->waits_until = time == WSP_TIME_NEVER ? time : wsp_lws_now() + time;
  link->waits_previous = in->last;
  link->waits_next = NULL;
  *(in->last == NULL ? &in->first : &in->last->waits_next) = link;
  in->last = link;
  wsp_lws_want_turn(link->lws);
}

void wsp_lws_wait_no_more(struct link *link) {
  struct waiting *in = link->waits_in;
  if (in == NULL) {
    return;
  }
  *(link->waits_previous == NULL ? &in->first : &link->waits_previous->waits_next) =
      link->waits_next;
  *(link->waits_next == NULL ? &in->last : &link->waits_next->waits_previous) =
      link->waits_previous;
  link->waits_in = NULL;
}

/* ---- The turn --------------------------------------------------------------------------- */

static void run_posted(struct wsp_lws *lws) {
  pthread_mutex_lock(&lws->mutex);
  struct posted *posted = lws->posted;
  lws->posted = NULL;
  pthread_mutex_unlock(&lws->mutex);
  while (posted != NULL) {
    struct posted *next = posted->next;
    posted->function(posted->context);
    free(posted);
    posted = next;
  }
}

static void carry_on(struct wsp_lws *lws) {
  /* What becomes due meanwhile comes in the next round. */
  struct link *link = lws->due;
  lws->due = NULL;
  while (link != NULL) {
    struct link *next = link->next_due;
    link->is_due = false;
    if (link->state < LINK_OPEN) {
      wsp_dial_carry_on(link, wsp_lws_now());
    } else {
      wsp_conn_carry_on(link, wsp_lws_now());
    }
    link = next;
  }
  for (struct link *waits = lws->resolving.first, *after; waits != NULL; waits = after) {
    after = waits->waits_next;
    if (wsp_resolve_take(waits)) {
      wsp_lws_wait_no_more(waits);
      wsp_lws_due(waits);
    }
  }
}

static void expire(struct waiting *in, wsp_time now) {
  while (in->first != NULL && in->first->waits_until <= now) {
    struct link *link = in->first;
    wsp_lws_wait_no_more(link);
    wsp_link_kill(link);
  }
}

static void set_timer(struct wsp_lws *lws, wsp_time at) {
  if (at == lws->timer_at) {
    return;
  }
  lws->timer_at = at;
  struct itimerspec when = {{0, 0}, {0, 0}}; /* all zero: off */
  if (at != WSP_TIME_NEVER) {
    at = at < 1 ? 1 : at;
    when.it_value.tv_sec = at / WSP_SECOND;
    when.it_value.tv_nsec = at % WSP_SECOND;
  }
  timerfd_settime(lws->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static wsp_time earlier(wsp_time time, const struct waiting *in) {
  return in->first != NULL && in->first->waits_until < time ? in->first->waits_until : time;
}

/* Carries everything on until nothing is left to do, and sets the timer for when there is. */
static void turn(struct wsp_lws *lws) {
  wsp_time next = WSP_TIME_NEVER;
  lws->in_turn = true;
  for (int round = 0; round < MOST_ROUNDS; round++) {
    lws->turn_wanted = false;
    run_posted(lws);
    carry_on(lws);
    wsp_time now = wsp_lws_now();
    expire(&lws->closing, now);
    expire(&lws->refusals, now);
    next = wsp_clients_tidy(lws, now);
    if (lws->pool != NULL) {
      wsp_pool_advance(lws->pool, now);
      wsp_time deadline = wsp_pool_next_deadline(lws->pool);
      next = deadline < next ? deadline : next;
    }
    if (!lws->turn_wanted && next > wsp_lws_now()) {
      break;
    }
  }
  lws->in_turn = false;
  next = lws->turn_wanted ? 0 : next;
  lws->next = earlier(earlier(next, &lws->closing), &lws->refusals);
  set_timer(lws, lws->next);
}

/* ---- Callbacks of libwebsockets ---------------------------------------------------------- */

static int socket_callback(struct lws *wsi, enum lws_callback_reasons what, void *user, void *in,
                           size_t length) {
  struct lws_context *context = wsi == NULL ? NULL : lws_get_context(wsi);
  struct wsp_lws *lws = context == NULL ? NULL : lws_context_user(context);
  if (lws == NULL) {
    return 0;
  }
  (void)user;
  struct link *link = lws_get_opaque_user_data(wsi);
  if (link == NULL) {
    return 0;
  }
  if (lws->destroying) {
    if (what == LWS_CALLBACK_WSI_DESTROY) {
      link->wsi = NULL;
    }
    return 0;
  }
  wsp_lws_want_turn(lws);
  if (what == LWS_CALLBACK_WSI_DESTROY || what == LWS_CALLBACK_CLIENT_CONNECTION_ERROR) {
    wsp_lws_notify(lws); /* the end may come from a timer, and libwebsockets sleeps after those */
  }
  return link->state < LINK_OPEN ? wsp_dial_callback(link, wsi, what, in, length)
                                 : wsp_conn_callback(link, wsi, what, in, length);
}

/* The watcher of a socket on which an answer is awaited. */
static int watcher_callback(struct lws *wsi, enum lws_callback_reasons what, void *user, void *in,
                            size_t length) {
  (void)user;
  (void)in;
  (void)length;
  struct link *link = wsi == NULL ? NULL : lws_get_opaque_user_data(wsi);
  if (link == NULL || link->lws->destroying) {
    return 0;
  }
  if (what == LWS_CALLBACK_RAW_RX_FILE) {
    wsp_lws_want_turn(link->lws);
    return wsp_dial_watch(link);
  }
  if (what == LWS_CALLBACK_RAW_CLOSE_FILE || what == LWS_CALLBACK_WSI_DESTROY) {
    if (link->watcher == wsi) {
      link->watcher = NULL;
      wsp_lws_due(link);
    }
    lws_set_opaque_user_data(wsi, NULL);
  }
  return 0;
}

/* The timer and the eventfd. */
static int wakeup_callback(struct lws *wsi, enum lws_callback_reasons what, void *user, void *in,
                           size_t length) {
  (void)user;
  (void)in;
  (void)length;
  if (what != LWS_CALLBACK_RAW_RX_FILE) {
    return 0;
  }
  struct wsp_lws *lws = lws_context_user(lws_get_context(wsi));
  uint64_t count;
  if (read(lws_get_socket_fd(wsi), &count, sizeof count) == sizeof count &&
      lws_get_socket_fd(wsi) == lws->timer) {
    lws->timer_at = WSP_TIME_NEVER;
  }
  if (lws->options.uv_loop != NULL && !lws->in_turn && !lws->destroying) {
    turn(lws);
  }
  return 0;
}

/* A descriptor of the program's; the socket here is a duplicate of it. */
static int watched_callback(struct lws *wsi, enum lws_callback_reasons what, void *user, void *in,
                            size_t length) {
  (void)user;
  (void)in;
  (void)length;
  const struct watched *watched = wsi == NULL ? NULL : lws_get_opaque_user_data(wsi);
  if (what == LWS_CALLBACK_RAW_RX_FILE && watched != NULL) {
    struct wsp_lws *lws = lws_context_user(lws_get_context(wsi));
    wsp_lws_want_turn(lws);
    if (!lws->destroying) {
      watched->function(watched->context);
    }
  }
  return 0;
}

static void define_protocols(struct wsp_lws *lws) {
  lws->protocols[0] =
      (struct lws_protocols){"wspool", socket_callback, 0, RECEIVE_SIZE, 0, NULL, 0};
  lws->protocols[1] = (struct lws_protocols){"wspool-watcher", watcher_callback, 0, 0, 0, NULL, 0};
  lws->protocols[2] = (struct lws_protocols){"wspool-wakeup", wakeup_callback, 0, 0, 0, NULL, 0};
  lws->protocols[3] = (struct lws_protocols){"wspool-watched", watched_callback, 0, 0, 0, NULL, 0};
}

static const struct wsp_lws_answers of_the_pool = {
    .dial_done = wsp_dial_done,
    .write_done = wsp_write_done,
    .read_done = wsp_read_done,
    .ping_done = wsp_ping_done,
    .conn_message = wsp_conn_message,
    .conn_closed = wsp_conn_closed,
};

/* ---- From beginning to end --------------------------------------------------------------- */

static void set_options(struct wsp_lws *lws, const struct wsp_lws_options *options) {
  struct wsp_lws_options *own = &lws->options;
  *own = *options;
  own->ca_file = NULL; /* read once, and not kept */
  own->ca_pem = NULL;
  lws->answers = own->answers != NULL ? own->answers : &of_the_pool;
  own->max_message_size = own->max_message_size == 0 ? DEFAULT_MESSAGE_SIZE : own->max_message_size;
  own->max_sockets = own->max_sockets == 0 ? DEFAULT_SOCKETS : own->max_sockets;
  own->close_timeout = own->close_timeout <= 0 ? DEFAULT_CLOSE_TIMEOUT : own->close_timeout;
}

static bool create_context(struct wsp_lws *lws) {
  void *foreign[1] = {lws->options.uv_loop};
  struct lws_context_creation_info info = {
      .port = CONTEXT_PORT_NO_LISTEN,
      .protocols = lws->protocols,
      .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
                 LWS_SERVER_OPTION_VALIDATE_UTF8,
      .user = lws,
      .pcontext = &lws->context,
      .fd_limit_per_thread = (unsigned int)lws->options.max_sockets,
      .pt_serv_buf_size = HEAD_SIZE,
      .max_http_header_data2 = HEAD_SIZE,
      /* The pool and the lists of this loop say how long things may take. */
      .timeout_secs = NO_LIMIT_SECONDS,
      .connect_timeout_secs = NO_LIMIT_SECONDS,
  };
  if (lws->options.uv_loop != NULL) {
    info.options |= LWS_SERVER_OPTION_LIBUV;
    info.foreign_loops = foreign;
  }
  lws_set_log_level(0, NULL);
  lws->context = lws_create_context(&info);
  return lws->context != NULL;
}

static struct lws *adopt_descriptor(struct wsp_lws *lws, int descriptor, const char *protocol) {
  lws_sock_file_fd_type fd = {.filefd = descriptor};
  return lws_adopt_descriptor_vhost(wsp_client_vhost(lws->direct), LWS_ADOPT_RAW_FILE_DESC, fd,
                                    protocol, NULL);
}

enum wsp_error wsp_lws_create(const struct wsp_lws_options *options, struct wsp_lws **lws) {
  *lws = NULL;
  struct wsp_lws *own = calloc(1, sizeof *own);
  if (own == NULL) {
    return WSP_OUT_OF_MEMORY;
  }
  pthread_mutex_init(&own->mutex, NULL);
  own->timer_at = WSP_TIME_NEVER;
  own->timer = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  own->wakeup = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  enum wsp_error error =
      own->timer < 0 || own->wakeup < 0 ? WSP_OUT_OF_MEMORY : wsp_trust_load(own, options);
  if (error == WSP_OK) {
    set_options(own, options);
    define_protocols(own);
    error = create_context(own) ? WSP_OK : WSP_INVALID_REQUEST;
  }
  if (error == WSP_OK &&
      (!wsp_clients_init(own) || adopt_descriptor(own, own->timer, "wspool-wakeup") == NULL ||
       adopt_descriptor(own, own->wakeup, "wspool-wakeup") == NULL)) {
    error = WSP_OUT_OF_MEMORY;
  }
  if (error != WSP_OK) {
    wsp_lws_destroy(own);
    return error;
  }
  *lws = own;
  return WSP_OK;
}

enum wsp_error wsp_lws_watch(struct wsp_lws *lws, int descriptor, void (*function)(void *context),
                             void *context) {
  struct watched *watched = malloc(sizeof *watched);
  int own = watched == NULL ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  struct lws *wsi = own < 0 ? NULL : adopt_descriptor(lws, own, "wspool-watched");
  if (wsi == NULL) { /* a refused descriptor has been closed with it */
    free(watched);
    return WSP_OUT_OF_MEMORY;
  }
  *watched = (struct watched){lws->watched, function, context};
  lws->watched = watched;
  lws_set_opaque_user_data(wsi, watched);
  return WSP_OK;
}

void wsp_lws_leave(struct wsp_lws *lws) {
  if (lws->destroying) {
    return;
  }
  lws->destroying = true;
  wsp_resolver_destroy(lws->resolver);
  for (struct link *link = lws->links; link != NULL; link = link->next) {
    free(link->resolution); /* no thread is left that could look at it */
    link->resolution = NULL;
  }
  if (lws->context != NULL) {
    lws_context_destroy(lws->context); /* sets it to NULL when nothing is left */
  }
}

void wsp_lws_destroy(struct wsp_lws *lws) {
  if (lws == NULL) {
    return;
  }
  wsp_lws_leave(lws);
  if (lws->context != NULL) {
    lws_context_destroy(lws->context);
  }
  while (lws->links != NULL) {
    lws->links->wsi = NULL;
    wsp_link_free(lws->links);
  }
  wsp_clients_deinit(lws);
  while (lws->posted != NULL) {
    struct posted *next = lws->posted->next;
    free(lws->posted);
    lws->posted = next;
  }
  while (lws->watched != NULL) {
    struct watched *next = lws->watched->next;
    free(lws->watched);
    lws->watched = next;
  }
  wsp_trust_free(lws);
  pthread_mutex_destroy(&lws->mutex);
  free(lws);
}

void wsp_lws_drive(struct wsp_lws *lws, struct wsp_pool *pool) {
  lws->pool = pool;
  wsp_lws_want_turn(lws);
}

void wsp_lws_wake(struct wsp_lws *lws) {
  wsp_lws_want_turn(lws);
}

static bool is_stopped(struct wsp_lws *lws) {
  pthread_mutex_lock(&lws->mutex);
  bool stopped = lws->stopped;
  pthread_mutex_unlock(&lws->mutex);
  return stopped;
}

void wsp_lws_run_until(struct wsp_lws *lws, wsp_time until) {
  if (!lws->turn_wanted && !is_stopped(lws)) {
    set_timer(lws, until < lws->next ? until : lws->next);
    lws_service(lws->context, 0);
  }
  turn(lws);
}

void wsp_lws_run(struct wsp_lws *lws) {
  while (!is_stopped(lws)) {
    wsp_lws_run_until(lws, WSP_TIME_NEVER);
  }
  pthread_mutex_lock(&lws->mutex);
  lws->stopped = false;
  pthread_mutex_unlock(&lws->mutex);
}

void wsp_lws_stop(struct wsp_lws *lws) {
  pthread_mutex_lock(&lws->mutex);
  lws->stopped = true;
  pthread_mutex_unlock(&lws->mutex);
  wsp_lws_notify(lws);
}

bool wsp_lws_post(struct wsp_lws *lws, void (*function)(void *context), void *context) {
  struct posted *posted = malloc(sizeof *posted);
  if (posted == NULL) {
    return false;
  }
  *posted = (struct posted){NULL, function, context};
  pthread_mutex_lock(&lws->mutex);
  *(lws->posted == NULL ? &lws->posted : &lws->posted_last->next) = posted;
  lws->posted_last = posted;
  pthread_mutex_unlock(&lws->mutex);
  wsp_lws_notify(lws);
  return true;
}
