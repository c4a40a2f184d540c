/*
 * queue.h - what is due in virtual time: an indexed 4-ary heap ordered by (time, insertion).
 *
 * The queue holds the happenings of the world outside of the pool: answers of fake upstreams,
 * scheduled releases. It has no clock; the world asks for the next time and pops. Background
 * entries (an upstream's own age limit) do not keep a run alive and are counted apart.
 */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include "pool/heap.h"

struct sim_queue;

typedef void (*sim_action)(void *context, wsp_time now);

/* One scheduled action. Embedded in what it is about; zero-filled: not scheduled. */
struct sim_entry {
  struct wsp_heap_entry due; /* its position is 0 while it is not scheduled */
  sim_action action;
  void *context;
  bool background;
};

struct sim_arena;

/* A queue whose memory comes from `arena`. NULL: no memory. */
struct sim_queue *sim_queue_create(struct sim_arena *arena);

/* Schedules `entry` (which must not be scheduled) at `at`; equal times run in the order of these
 * calls. False: no memory. */
bool sim_queue_add(struct sim_queue *queue, struct sim_entry *entry, wsp_time at, sim_action action,
                   void *context, bool background);
/* Takes it out; one that is not scheduled is left alone. */
void sim_queue_remove(struct sim_queue *queue, struct sim_entry *entry);

/* The time of the first entry, WSP_TIME_NEVER when there is none. */
wsp_time sim_queue_next(const struct sim_queue *queue);
/* Takes out and returns the first entry if it is due at `now`, else NULL. Its action has not run:
 * the caller runs entry->action(entry->context, now). */
struct sim_entry *sim_queue_pop(struct sim_queue *queue, wsp_time now);

/* Lists the entries that are due at `now`, in their order, at most `most` of them; returns their
 * number. They stay in the queue. */
size_t sim_queue_due(const struct sim_queue *queue, wsp_time now, struct sim_entry **entries,
                     size_t most);

/* The entry in that place of the heap, from 0 and below the count: all of them, in no order that
 * means anything. */
const struct sim_entry *sim_queue_at(const struct sim_queue *queue, size_t place);

size_t sim_queue_count(const struct sim_queue *queue);
size_t sim_queue_background_count(const struct sim_queue *queue);

#endif
