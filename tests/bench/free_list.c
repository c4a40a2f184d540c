/*
 * free_list.c - the baseline of the pool's measurements.
 *
 * A pool that is shared by threads does at least this: it takes a mutex, which nobody else wants
 * here, and takes a conn from a list; or hangs its caller into a line, from which the next release
 * takes it. It knows no accounts, addresses, limits, ages or deadlines.
 */
#include <pthread.h>

#include "tests/bench/bench.h"

enum { CONNS = 8, CALLERS = 16 };

struct node {
  struct node *next;
  int64_t served;
};

struct line {
  struct node *first, *last;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void put_last(struct line *line, struct node *node) {
  node->next = NULL;
  if (line->first == NULL) {
    line->first = node;
  } else {
    line->last->next = node;
  }
  line->last = node;
}

static struct node *take_first(struct line *line) {
  struct node *node = line->first;
  if (node != NULL) {
    line->first = node->next;
  }
  return node;
}

int64_t bench_free_list(int64_t rounds) {
  static struct node conns[CONNS];
  struct line free_conns = {0};
  for (int i = 0; i < CONNS; i++) {
    put_last(&free_conns, &conns[i]);
  }
  int64_t begin = bench_clock();
  for (int64_t i = 0; i < rounds; i++) {
    pthread_mutex_lock(&mutex);
    struct node *conn = take_first(&free_conns);
    pthread_mutex_unlock(&mutex);
    conn->served++;
    pthread_mutex_lock(&mutex);
    put_last(&free_conns, conn);
    pthread_mutex_unlock(&mutex);
  }
  int64_t used = bench_clock() - begin;
  int64_t served = 0;
  for (int i = 0; i < CONNS; i++) {
    served += conns[i].served;
    conns[i].served = 0;
  }
  bench_expect(served == rounds, "every round of the free list to be served");
  return used;
}

int64_t bench_waiting_line(int64_t rounds) {
  static struct node callers[CALLERS];
  struct line waiting = {0}, granted = {0};
  for (int i = 0; i < CALLERS; i++) {
    put_last(&waiting, &callers[i]);
  }
  int64_t begin = bench_clock();
  for (int64_t i = 0; i < rounds; i++) {
    pthread_mutex_lock(&mutex); /* a release serves the first */
    put_last(&granted, take_first(&waiting));
    pthread_mutex_unlock(&mutex);
    pthread_mutex_lock(&mutex); /* the loop tells it */
    struct node *caller = take_first(&granted);
    pthread_mutex_unlock(&mutex);
    caller->served++;
    pthread_mutex_lock(&mutex); /* it asks again */
    put_last(&waiting, caller);
    pthread_mutex_unlock(&mutex);
  }
  int64_t used = bench_clock() - begin;
  int64_t served = 0;
  for (int i = 0; i < CALLERS; i++) {
    served += callers[i].served;
    callers[i].served = 0;
  }
  bench_expect(served == rounds, "every round of the waiting line to be served");
  return used;
}
