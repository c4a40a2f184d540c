/*
 * serve.c - the loop of the command serve: sockets, the clock, the fakes' queue.
 *
 * Of the steps only those of the upstreams themselves (`upstream`) are done, at their times: the
 * others need a pool, which is here with the clients.
 */
#define _GNU_SOURCE
#include "scenarios/engine/serve.h"

#include <errno.h>
#include <string.h>

#ifdef POOLPROOF_LIVE

#include <poll.h>
#include <signal.h>
#include <time.h>

#include "fakes/wire/service.h"
#include "pool/lws/wspool_lws.h"
#include "sim/duration.h"

#define ARENA_SIZE ((size_t)4 << 30)
#define DEFAULT_URL "wss://example.com/v1/responses"

struct serving {
  const struct scn_scenario *scenario;
  const struct scn_serve_options *options;
  struct sim_arena *arena;
  struct sim_queue *queue;
  struct fake_world *upstreams;
  struct fake_service *service;
  wsp_time begun; /* in real time */
  wsp_time now;
  size_t next_step;
};

static volatile sig_atomic_t stopped;

static void stop(int number) {
  (void)number;
  stopped = 1;
}

static void tell(void *context, uint64_t number, const char *line) {
  const struct serving *serving = context;
  char at[SIM_DURATION_TEXT_SIZE];
  sim_duration_format(serving->now, at);
  if (serving->options->log != NULL) {
    fprintf(serving->options->log, "%12s  client %llu %s\n", at, (unsigned long long)number, line);
  }
}

static bool create(struct serving *serving, char *message, size_t size) {
  serving->arena = sim_arena_create(ARENA_SIZE);
  serving->queue = serving->arena == NULL ? NULL : sim_queue_create(serving->arena);
  serving->upstreams = serving->queue == NULL ? NULL
                                              : fake_world_create(serving->arena, serving->queue,
                                                                  NULL, serving->options->seed);
  if (serving->upstreams == NULL ||
      !scn_world_define_upstreams(serving->upstreams, serving->scenario)) {
    snprintf(message, size, "out of memory for the upstreams");
    return false;
  }
  fake_world_use_clock(serving->upstreams, &serving->now);
  const struct fake_service_options options = {
      .upstreams = serving->upstreams, .clock = &serving->now, .tell = tell, .context = serving};
  if (fake_service_create(&options, &serving->service) != WSP_OK) {
    snprintf(message, size, "out of memory or descriptors for the servers");
    return false;
  }
  return true;
}

static bool write_authority(const struct serving *serving, char *message, size_t size) {
  const char *path = serving->options->authority;
  const char *text = fake_service_authority(serving->service);
  FILE *file = fopen(path, "wxe");
  if (file == NULL && errno == EEXIST) {
    file = fopen(path, "we"); /* that of an earlier start */
  }
  bool written = file != NULL && fputs(text, file) >= 0;
  written = (file == NULL || fclose(file) == 0) && written;
  if (!written) {
    snprintf(message, size, "expected to write the servers' authority to %s: %s", path,
             strerror(errno));
  }
  return written;
}

/* Where the path of a url begins. */
static const char *path_of(const char *url) {
  const char *authority = strstr(url, "://") + 3;
  return authority + strcspn(authority, "/?#");
}

static bool listen_to(struct serving *serving, const char *url, int *port, char *message,
                      size_t size) {
  bool is_default = strcmp(url, "default") == 0;
  const char *served_url = is_default ? DEFAULT_URL : url;
  int served;
  enum wsp_error error = fake_service_listen(serving->service, served_url, *port, &served);
  if (error != WSP_OK) {
    snprintf(message, size,
             error == WSP_INVALID_REQUEST && *port != 0
                 ? "expected a url of ws:// or wss:// and a free port on 127.0.0.1; found %s and "
                   "port %d (--port)"
                 : "expected a url of ws:// or wss:// to serve; found %s",
             url, *port);
    return false;
  }
  *port += *port != 0 && served == *port;
  bool tls = strncmp(served_url, "wss", 3) == 0;
  printf("%s://localhost:%d%s  serves %s\n", tls ? "wss" : "ws", served, path_of(served_url),
         is_default ? "default: any other path here" : url);
  return true;
}

static bool listen_to_all(struct serving *serving, char *message, size_t size) {
  int port = serving->options->port;
  if (!listen_to(serving, "default", &port, message, size)) {
    return false;
  }
  for (size_t i = 0; i < serving->scenario->upstream_count; i++) {
    const char *url = serving->scenario->upstreams[i].url;
    if (strcmp(url, "default") != 0 && !listen_to(serving, url, &port, message, size)) {
      return false;
    }
  }
  printf("their authority is in %s\n", serving->options->authority);
  fflush(stdout);
  return true;
}

/* ---- The loop ------------------------------------------------------------------------------- */

static const struct scn_step *next_step(struct serving *serving) {
  const struct scn_scenario *scenario = serving->scenario;
  while (serving->next_step < scenario->step_count &&
         scenario->steps[serving->next_step].kind != SCN_UPSTREAM) {
    serving->next_step++;
  }
  return serving->next_step < scenario->step_count ? &scenario->steps[serving->next_step] : NULL;
}

/* Does all that is due. Returns when the next is. */
static wsp_time catch_up(struct serving *serving) {
  wsp_decimal speed = serving->options->live.speed;
  wsp_time real = scn_live_from_real(wsp_lws_now() - serving->begun, speed);
  for (;;) {
    const struct scn_step *step = next_step(serving);
    wsp_time step_at = step == NULL ? WSP_TIME_NEVER : step->at;
    wsp_time entry_at = sim_queue_next(serving->queue);
    wsp_time at = entry_at <= step_at ? entry_at : step_at;
    if (at > real) {
      serving->now = real;
      return at;
    }
    serving->now = at > serving->now ? at : serving->now;
    if (entry_at <= step_at) {
      struct sim_entry *entry = sim_queue_pop(serving->queue, serving->now);
      entry->action(entry->context, serving->now);
    } else {
      serving->next_step++;
      (void)fake_world_change(serving->upstreams, serving->now, step->url, &step->spec);
      if (serving->options->log != NULL) {
        char text[SIM_DURATION_TEXT_SIZE];
        sim_duration_format(serving->now, text);
        fprintf(serving->options->log, "%12s  upstream %s changes\n", text, step->url);
      }
    }
  }
}

static void serve_until(struct serving *serving, wsp_time end, const sigset_t *mask) {
  struct pollfd ready = {.fd = fake_service_descriptor(serving->service), .events = POLLIN};
  while (!stopped && wsp_lws_now() < end) {
    wsp_time next = catch_up(serving);
    wsp_time real = next == WSP_TIME_NEVER
                        ? end
                        : serving->begun + scn_live_to_real(next, serving->options->live.speed) + 1;
    wsp_duration left = (real < end ? real : end) - wsp_lws_now();
    left = left < 0 ? 0 : left > WSP_MINUTE ? WSP_MINUTE : left;
    const struct timespec timeout = {left / WSP_SECOND, left % WSP_SECOND};
    if (ppoll(&ready, 1, &timeout, mask) > 0) {
      (void)catch_up(serving); /* so that what comes in finds the right time */
      fake_service_serve(serving->service);
    }
  }
}

static void watch_signals(sigset_t *before) {
  struct sigaction action = {.sa_handler = stop};
  sigset_t both;
  sigemptyset(&action.sa_mask);
  sigemptyset(&both);
  sigaddset(&both, SIGINT);
  sigaddset(&both, SIGTERM);
  sigprocmask(SIG_BLOCK, &both, before); /* heard while there is nothing to do */
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

bool scn_serve(const struct scn_scenario *scenario, const struct scn_serve_options *options,
               char *message, size_t size) {
  struct serving serving = {.scenario = scenario, .options = options};
  sigset_t mask;
  bool served = create(&serving, message, size) && write_authority(&serving, message, size);
  watch_signals(&mask);
  if (served && listen_to_all(&serving, message, size)) {
    serving.begun = wsp_lws_now();
    wsp_time end = options->wall_limit >= WSP_TIME_NEVER - serving.begun
                       ? WSP_TIME_NEVER
                       : serving.begun + options->wall_limit;
    serve_until(&serving, end, &mask);
  } else {
    served = false;
  }
  fake_service_destroy(serving.service);
  if (serving.arena != NULL) {
    sim_arena_destroy(serving.arena);
  }
  return served;
}

#else

bool scn_serve(const struct scn_scenario *scenario, const struct scn_serve_options *options,
               char *message, size_t size) {
  (void)scenario;
  (void)options;
  snprintf(message, size,
           "expected a program that was built with libwebsockets; this one was built with "
           "POOLPROOF_LWS=OFF");
  return false;
}

#endif
