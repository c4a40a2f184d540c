/*
 * example.c - a service with N loops: each has its thread, its pool, its sockets; none of them
 * shares anything. Jobs come from the main thread, which hands each to a loop in turn.
 *
 *   wspool-example [--ca FILE] LOOPS JOBS URL
 *
 * A job borrows a conn, writes a text, waits for an answer, and gives the conn back.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/lws/wspool_lws.h"

enum { MOST_LOOPS = 64 };
#define ANSWER_TIMEOUT (5 * WSP_SECOND)

struct service {
  pthread_t thread;
  struct wsp_lws *loop;
  struct wsp_pool *pool;
  const char *url;
  /* Of the loop's thread; others read them once it has ended. */
  int begun, answered, failed;
  bool closing;
};

struct job {
  struct service *service;
  struct wsp_lease lease;
};

static void closed(void *context) {
  wsp_lws_stop(((struct service *)context)->loop);
}

static void close_when_done(struct service *service) {
  if (service->closing && service->answered + service->failed == service->begun) {
    wsp_pool_close(service->pool, wsp_lws_now(), closed, service);
  }
}

static void end_job(struct job *job, const char *what, const char *error_text) {
  if (error_text[0] == '\0') {
    job->service->answered++;
  } else {
    job->service->failed++;
    fprintf(stderr, "%s: %s\n", what, error_text);
  }
  wsp_lease_release(job->lease, wsp_lws_now());
  close_when_done(job->service);
  free(job);
}

static void answered(void *context, const struct wsp_io_result *result) {
  end_job(context, "read", result->error_text);
}

static void written(void *context, const struct wsp_io_result *result) {
  struct job *job = context;
  const struct wsp_io_request request = {
      .lease = job->lease, .timeout = ANSWER_TIMEOUT, .callback = answered, .context = job};
  if (result->error != WSP_OK) {
    end_job(job, "write", result->error_text);
  } else if (wsp_lease_read(&request, wsp_lws_now(), NULL) != WSP_OK) {
    end_job(job, "read", "could not be started");
  }
}

static void acquired(void *context, const struct wsp_acquire_result *result) {
  struct job *job = context;
  job->lease = result->lease;
  const struct wsp_io_request request = {.lease = job->lease,
                                         .timeout = ANSWER_TIMEOUT,
                                         .json = "{\"type\":\"response.create\"}",
                                         .callback = written,
                                         .context = job};
  if (result->error != WSP_OK) {
    end_job(job, "acquire", result->error_text);
  } else if (wsp_lease_write_json(&request, wsp_lws_now(), NULL) != WSP_OK) {
    end_job(job, "write", "could not be started");
  }
}

/* Runs in the loop's thread. */
static void begin_job(void *context) {
  struct job *job = context;
  wsp_time now = wsp_lws_now();
  job->service->begun++;
  const struct wsp_acquire_request request = {
      .account = {.id = 1}, .url = job->service->url, .deadline = now + 30 * WSP_SECOND};
  if (wsp_acquire(job->service->pool, now, &request, acquired, job, NULL) != WSP_OK) {
    end_job(job, "acquire", "could not be started");
  }
}

/* The last function that is handed over. */
static void finish(void *context) {
  struct service *service = context;
  service->closing = true;
  close_when_done(service);
}

static void *run(void *context) {
  struct service *service = context;
  wsp_lws_run(service->loop);
  return NULL;
}

static bool start(struct service *service, const char *ca_file, const char *url) {
  struct wsp_config config;
  wsp_config_init(&config);
  service->url = url;
  const struct wsp_lws_options options = {.ca_file = ca_file};
  if (wsp_lws_create(&options, &service->loop) != WSP_OK) {
    return false;
  }
  const struct wsp_environment environment = {.transport = wsp_lws_transport(),
                                              .transport_context = service->loop};
  if (wsp_pool_create(&config, &environment, wsp_lws_now(), &service->pool) != WSP_OK) {
    wsp_lws_destroy(service->loop);
    return false;
  }
  wsp_lws_drive(service->loop, service->pool);
  return pthread_create(&service->thread, NULL, run, service) == 0;
}

static int serve(struct service services[], int loops, int jobs) {
  for (int i = 0; i < jobs; i++) {
    struct service *service = &services[i % loops];
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL) {
      return 1;
    }
    job->service = service;
    if (!wsp_lws_post(service->loop, begin_job, job)) {
      return 1;
    }
  }
  int failed = 0;
  for (int i = 0; i < loops; i++) {
    struct service *service = &services[i];
    if (!wsp_lws_post(service->loop, finish, service)) {
      return 1;
    }
    pthread_join(service->thread, NULL);
    wsp_lws_destroy(service->loop); /* the loop first, then its pool */
    wsp_pool_destroy(service->pool);
    printf("loop %d: %d answered, %d failed\n", i + 1, service->answered, service->failed);
    failed += service->failed;
  }
  return failed == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
  static struct service services[MOST_LOOPS];
  const char *ca_file = NULL;
  if (argc == 6 && strcmp(argv[1], "--ca") == 0) {
    ca_file = argv[2];
    argv += 2;
    argc -= 2;
  }
  long loops = argc == 4 ? strtol(argv[1], NULL, 10) : 0;
  long jobs = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
  if (loops < 1 || loops > MOST_LOOPS || jobs < 0 || jobs > 1000000) {
    fprintf(stderr, "usage: wspool-example [--ca FILE] LOOPS JOBS URL (1 to %d loops)\n",
            MOST_LOOPS);
    return 2;
  }
  for (long i = 0; i < loops; i++) {
    if (!start(&services[i], ca_file, argv[3])) {
      fprintf(stderr, "wspool-example: loop %ld could not be started; can %s be read?\n", i + 1,
              ca_file == NULL ? "the system's certificates" : ca_file);
      return 1;
    }
  }
  return serve(services, (int)loops, (int)jobs);
}
