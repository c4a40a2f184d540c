/*
 * resolve.c - names to addresses, in threads of their own: getaddrinfo() blocks, and a loop must
 * not.
 *
 * At most MOST_THREADS names are looked up at once, the others wait in order. Nothing is cached
 * here; that is the business of the system's resolver.
 */
#define _GNU_SOURCE
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "pool/lws/internal.h"

enum { MOST_THREADS = 4 };

struct resolution {
  struct resolution *next;
  struct link *link; /* NULL: nobody waits any more; guarded by the resolver's mutex */
  bool done;
  int error;
  char addresses[ADDRESS_COUNT][ADDRESS_SIZE];
  size_t count;
  char host[];
};

struct resolver {
  struct wsp_lws *lws;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  pthread_t threads[MOST_THREADS];
  size_t thread_count, busy;
  bool ends;
  struct resolution *first, *last;
};

static size_t look_up(const char *host, int flags, char addresses[][ADDRESS_SIZE], size_t room,
                      int *error) {
  const struct addrinfo hints = {
      .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
  struct addrinfo *list = NULL;
  size_t count = 0;
  *error = getaddrinfo(host, NULL, &hints, &list);
  for (const struct addrinfo *item = *error == 0 ? list : NULL; item != NULL && count < room;
       item = item->ai_next) {
    if (getnameinfo(item->ai_addr, item->ai_addrlen, addresses[count], ADDRESS_SIZE, NULL, 0,
                    NI_NUMERICHOST) == 0) {
      count++;
    }
  }
  if (*error == 0) {
    freeaddrinfo(list);
  }
  return count;
}

bool wsp_resolve_literal(struct link *link, const char *host) {
  int error;
  link->address_next = 0;
  link->address_count = look_up(host, AI_NUMERICHOST, link->addresses, 1, &error);
  return link->address_count > 0;
}

static void *run(void *context) {
  struct resolver *resolver = context;
  pthread_mutex_lock(&resolver->mutex);
  while (!resolver->ends) {
    struct resolution *job = resolver->first;
    if (job == NULL) {
      pthread_cond_wait(&resolver->changed, &resolver->mutex);
      continue;
    }
    resolver->first = job->next;
    resolver->busy++;
    bool wanted = job->link != NULL;
    pthread_mutex_unlock(&resolver->mutex);
    if (wanted) {
      job->count = look_up(job->host, 0, job->addresses, ADDRESS_COUNT, &job->error);
    }
    pthread_mutex_lock(&resolver->mutex);
    resolver->busy--;
    job->done = true;
    if (job->link == NULL) {
      free(job);
    } else {
      wsp_lws_notify(resolver->lws);
    }
  }
  pthread_mutex_unlock(&resolver->mutex);
  return NULL;
}

static struct resolver *obtain(struct wsp_lws *lws) {
  if (lws->resolver == NULL) {
    lws->resolver = calloc(1, sizeof *lws->resolver);
    if (lws->resolver != NULL) {
      lws->resolver->lws = lws;
      pthread_mutex_init(&lws->resolver->mutex, NULL);
      pthread_cond_init(&lws->resolver->changed, NULL);
    }
  }
  return lws->resolver;
}

bool wsp_resolve(struct link *link, const char *host) {
  struct resolver *resolver = obtain(link->lws);
  size_t length = strlen(host) + 1;
  struct resolution *job = resolver == NULL ? NULL : calloc(1, sizeof *job + length);
  if (job == NULL) {
    return false;
  }
  memcpy(job->host, host, length);
  job->link = link;
  pthread_mutex_lock(&resolver->mutex);
  size_t waiting = 1;
  for (struct resolution *other = resolver->first; other != NULL; other = other->next) {
    waiting++;
  }
  if (resolver->thread_count < MOST_THREADS && resolver->busy + waiting > resolver->thread_count &&
      pthread_create(&resolver->threads[resolver->thread_count], NULL, run, resolver) == 0) {
    resolver->thread_count++;
  }
  bool served = resolver->thread_count > 0;
  if (served) {
    *(resolver->first == NULL ? &resolver->first : &resolver->last->next) = job;
    resolver->last = job;
    pthread_cond_signal(&resolver->changed);
  }
  pthread_mutex_unlock(&resolver->mutex);
  if (!served) {
    free(job);
    return false;
  }
  link->resolution = job;
  return true;
}

void wsp_resolve_forget(struct link *link) {
  struct resolution *job = link->resolution;
  if (job == NULL) {
    return;
  }
  struct resolver *resolver = link->lws->resolver;
  pthread_mutex_lock(&resolver->mutex);
  job->link = NULL;
  bool done = job->done;
  pthread_mutex_unlock(&resolver->mutex);
  if (done) {
    free(job);
  }
  link->resolution = NULL;
}

bool wsp_resolve_take(struct link *link) {
  struct resolution *job = link->resolution;
  struct resolver *resolver = link->lws->resolver;
  pthread_mutex_lock(&resolver->mutex);
  bool done = job->done;
  pthread_mutex_unlock(&resolver->mutex);
  if (!done) {
    return false;
  }
  memcpy(link->addresses, job->addresses, sizeof link->addresses);
  link->address_count = job->count;
  link->address_next = 0;
  if (job->count == 0) {
    snprintf(link->reason, REASON_SIZE, "%s: %s", job->host,
             job->error != 0 ? gai_strerror(job->error) : "no address");
  }
  free(job);
  link->resolution = NULL;
  return true;
}

void wsp_resolver_destroy(struct resolver *resolver) {
  if (resolver == NULL) {
    return;
  }
  pthread_mutex_lock(&resolver->mutex);
  resolver->ends = true;
  pthread_cond_broadcast(&resolver->changed);
  pthread_mutex_unlock(&resolver->mutex);
  for (size_t i = 0; i < resolver->thread_count; i++) {
    pthread_join(resolver->threads[i], NULL);
  }
  while (resolver->first != NULL) {
    struct resolution *job = resolver->first;
    resolver->first = job->next;
    if (job->link == NULL) { /* else it is the link's */
      free(job);
    }
  }
  pthread_cond_destroy(&resolver->changed);
  pthread_mutex_destroy(&resolver->mutex);
  free(resolver);
}
