/*
 * trace.c - the memory of a trace: records, strings, and the hash table that interns them.
 *
 * All of it is one mapping, reserved at its largest and used as it fills, so nothing ever moves.
 * Where the kernel can, memory that is about to be filled is asked for some pages at a time, which
 * saves most of the page faults. The counts are published after what they count. The hash table is
 * for the writer alone: linear probing over the numbers of strings, which go in in order; so taking
 * out all from some number on leaves what was there before, without gaps. Names of events and their
 * detail: trace_detail.c.
 */
#define _GNU_SOURCE
#include "sim/trace.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_EVENTS (UINT64_C(1) << 28)
#define STRINGS_PER_EVENT 2
#define EXTRA_STRINGS 4096
#define BYTES_PER_EVENT 128
#define EXTRA_BYTES (UINT64_C(1) << 20)
#define FIRST_SLOTS 1024
#define PAGE 4096
#define PAGES_AT_ONCE ((size_t)64)

struct text_entry {
  uint64_t offset;
  uint64_t hash;
};

/* A part of the mapping that is filled from its start. */
struct filling {
  unsigned char *start;
  size_t size;
  size_t ready; /* so much was asked for */
};

struct sim_trace {
  _Atomic uint64_t events;
  _Atomic uint64_t string_bytes;
  _Atomic uint32_t strings;
  atomic_bool full;
  uint64_t events_of[SIM_EVENT_KIND_COUNT];
  uint64_t max_events;
  uint64_t max_string_bytes;
  uint32_t max_strings;
  uint32_t slots; /* of the hash table in use, a power of two */
  size_t mapping_size;
  struct filling filling_events, filling_text, filling_entries;
  struct sim_event *event_records;
  char *text;
  struct text_entry *entries;
  sim_string *table; /* numbers of strings; 0: free ("" is not in it) */
  sim_string *conns; /* by serial number of the conn; checked before it is believed */
};

/* Takes the next part of the mapping, from a page's start. */
static size_t reserve(size_t *total, uint64_t size) {
  size_t offset = *total;
  *total += (size_t)((size + PAGE - 1) / PAGE * PAGE);
  return offset;
}

static struct filling filling_of(unsigned char *mapping, size_t from, size_t to) {
  return (struct filling){.start = mapping + from, .size = to - from};
}

/* Asks for the pages behind what is ready, when the first `used` bytes reach there. It does no
 * harm where the kernel has no such call: then they come one by one. */
static void fill(struct filling *filling, size_t used) {
#ifdef MADV_POPULATE_WRITE
  while (used > filling->ready) {
    size_t left = filling->size - filling->ready;
    size_t step = left < PAGES_AT_ONCE * PAGE ? left : PAGES_AT_ONCE * PAGE;
    (void)madvise(filling->start + filling->ready, step, MADV_POPULATE_WRITE);
    filling->ready += step;
  }
#else
  (void)filling;
  (void)used;
#endif
}

struct sim_trace *sim_trace_create(uint64_t max_events, bool shared) {
  if (max_events > MAX_EVENTS) {
    return NULL;
  }
  uint32_t max_strings = (uint32_t)max_events * STRINGS_PER_EVENT + EXTRA_STRINGS;
  uint64_t max_slots = FIRST_SLOTS;
  while (max_slots < UINT64_C(2) * max_strings) {
    max_slots *= 2;
  }
  uint64_t max_string_bytes = max_events * BYTES_PER_EVENT + EXTRA_BYTES;
  size_t size = 0;
  (void)reserve(&size, sizeof(struct sim_trace));
  size_t events = reserve(&size, max_events * sizeof(struct sim_event));
  size_t text = reserve(&size, max_string_bytes);
  size_t entries = reserve(&size, max_strings * sizeof(struct text_entry));
  size_t table = reserve(&size, max_slots * sizeof(sim_string));
  size_t conns = reserve(&size, (max_events + 1) * sizeof(sim_string));
  void *mapping = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) {
    return NULL;
  }
  unsigned char *start = mapping;
  struct sim_trace *trace = mapping;
  trace->max_events = max_events;
  trace->max_string_bytes = max_string_bytes;
  trace->max_strings = max_strings;
  trace->slots = FIRST_SLOTS;
  trace->mapping_size = size;
  trace->filling_events = filling_of(start, events, text);
  trace->filling_text = filling_of(start, text, entries);
  trace->filling_entries = filling_of(start, entries, table);
  trace->event_records = (struct sim_event *)(void *)(start + events);
  trace->text = (char *)(start + text);
  trace->entries = (struct text_entry *)(void *)(start + entries);
  trace->table = (sim_string *)(void *)(start + table);
  trace->conns = (sim_string *)(void *)(start + conns);
  /* String 0 is "": its entry and its byte are zero already. */
  atomic_store_explicit(&trace->string_bytes, 1, memory_order_release);
  atomic_store_explicit(&trace->strings, 1, memory_order_release);
  return trace;
}

void sim_trace_destroy(struct sim_trace *trace) {
  if (trace != NULL) {
    (void)munmap(trace, trace->mapping_size);
  }
}

/* Not by a rewind, which takes out one by one. */
void sim_trace_reset(struct sim_trace *trace) {
  memset(trace->table, 0, trace->slots * sizeof(*trace->table));
  memset(trace->events_of, 0, sizeof(trace->events_of));
  trace->slots = FIRST_SLOTS;
  atomic_store_explicit(&trace->events, 0, memory_order_release);
  atomic_store_explicit(&trace->strings, 1, memory_order_release);
  atomic_store_explicit(&trace->string_bytes, 1, memory_order_release);
  atomic_store_explicit(&trace->full, false, memory_order_release);
}

static void set_full(struct sim_trace *trace) {
  atomic_store_explicit(&trace->full, true, memory_order_release);
}

bool sim_trace_full(const struct sim_trace *trace) {
  return atomic_load_explicit(&trace->full, memory_order_acquire);
}

uint64_t sim_trace_count(const struct sim_trace *trace) {
  return atomic_load_explicit(&trace->events, memory_order_acquire);
}

static uint32_t string_count(const struct sim_trace *trace) {
  return atomic_load_explicit(&trace->strings, memory_order_acquire);
}

uint64_t sim_trace_count_of(const struct sim_trace *trace, int kind) {
  return kind >= 0 && kind < SIM_EVENT_KIND_COUNT ? trace->events_of[kind] : 0;
}

bool sim_trace_append(struct sim_trace *trace, const struct sim_event *event) {
  uint64_t count = sim_trace_count(trace);
  if (count == trace->max_events) {
    set_full(trace);
    return false;
  }
  fill(&trace->filling_events, (count + 1) * sizeof *event);
  trace->event_records[count] = *event;
  if (event->kind < SIM_EVENT_KIND_COUNT) {
    trace->events_of[event->kind]++;
  }
  atomic_store_explicit(&trace->events, count + 1, memory_order_release);
  return true;
}

const struct sim_event *sim_trace_events(const struct sim_trace *trace) {
  return trace->event_records;
}

/* FNV-1a; `*length` is what strlen says. */
static uint64_t hash_of(const char *text, size_t *length) {
  uint64_t hash = UINT64_C(14695981039346656037);
  const char *at = text;
  for (; *at != '\0'; at++) {
    hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
  }
  *length = (size_t)(at - text);
  return hash;
}

/* The slot that holds the string, or the free one where it belongs. */
static uint32_t find_slot(const struct sim_trace *trace, const char *text, uint64_t hash) {
  uint32_t mask = trace->slots - 1;
  uint32_t slot = (uint32_t)hash & mask;
  while (trace->table[slot] != 0) {
    const struct text_entry *entry = &trace->entries[trace->table[slot]];
    if (entry->hash == hash && strcmp(trace->text + entry->offset, text) == 0) {
      break;
    }
    slot = (slot + 1) & mask;
  }
  return slot;
}

/* Doubles the table in its place. */
static void grow_table(struct sim_trace *trace) {
  memset(trace->table, 0, trace->slots * sizeof(*trace->table));
  trace->slots *= 2;
  uint32_t mask = trace->slots - 1;
  uint32_t count = string_count(trace);
  for (uint32_t number = 1; number < count; number++) {
    uint32_t slot = (uint32_t)trace->entries[number].hash & mask;
    while (trace->table[slot] != 0) {
      slot = (slot + 1) & mask;
    }
    trace->table[slot] = number;
  }
}

sim_string sim_trace_intern(struct sim_trace *trace, const char *text) {
  if (text == NULL || text[0] == '\0') {
    return 0;
  }
  size_t length = 0;
  uint64_t hash = hash_of(text, &length);
  uint32_t slot = find_slot(trace, text, hash);
  if (trace->table[slot] != 0) {
    return trace->table[slot];
  }
  uint32_t number = string_count(trace);
  uint64_t offset = atomic_load_explicit(&trace->string_bytes, memory_order_relaxed);
  if (number == trace->max_strings || length >= trace->max_string_bytes - offset) {
    set_full(trace);
    return 0;
  }
  if (number >= trace->slots / 2) {
    grow_table(trace);
    slot = find_slot(trace, text, hash);
  }
  fill(&trace->filling_text, offset + length + 1);
  fill(&trace->filling_entries, (number + 1) * sizeof(struct text_entry));
  memcpy(trace->text + offset, text, length + 1);
  trace->entries[number] = (struct text_entry){.offset = offset, .hash = hash};
  trace->table[slot] = number;
  atomic_store_explicit(&trace->string_bytes, offset + length + 1, memory_order_release);
  atomic_store_explicit(&trace->strings, number + 1, memory_order_release);
  return number;
}

int64_t sim_trace_find(const struct sim_trace *trace, const char *text) {
  if (text == NULL || text[0] == '\0') {
    return 0;
  }
  size_t length = 0;
  uint64_t hash = hash_of(text, &length);
  sim_string number = trace->table[find_slot(trace, text, hash)];
  return number == 0 ? -1 : (int64_t)number;
}

const char *sim_trace_string(const struct sim_trace *trace, sim_string number) {
  assert(number < string_count(trace));
  return trace->text + trace->entries[number].offset;
}

uint64_t sim_trace_string_hash(const struct sim_trace *trace, sim_string number) {
  assert(number < string_count(trace));
  return trace->entries[number].hash;
}

const char *sim_trace_strings(const struct sim_trace *trace, size_t *size) {
  *size = (size_t)atomic_load_explicit(&trace->string_bytes, memory_order_acquire);
  return trace->text;
}

static sim_string conn_string(struct sim_trace *trace, uint64_t serial, const char *id) {
  if (id == NULL) {
    return 0;
  }
  if (serial == 0 || serial > trace->max_events) {
    return sim_trace_intern(trace, id);
  }
  /* A rewind may have made the serial number another conn's, or the string's number another
   * string's. */
  sim_string known = trace->conns[serial];
  if (known == 0 || known >= string_count(trace) ||
      strcmp(sim_trace_string(trace, known), id) != 0) {
    known = sim_trace_intern(trace, id);
    trace->conns[serial] = known;
  }
  return known;
}

void sim_trace_observe(void *context, const struct wsp_event *event) {
  struct sim_trace *trace = context;
  assert(event->tag < string_count(trace));
  assert(event->cause >= 0 && event->cause <= UINT16_MAX);
  if (sim_trace_count(trace) == trace->max_events) {
    set_full(trace);
    return;
  }
  struct sim_event record = {.t_ns = event->now,
                             .account = event->account,
                             .conn = conn_string(trace, event->conn_serial, event->conn_id),
                             .op = (sim_string)event->tag,
                             .kind = (uint16_t)event->kind,
                             .cause = (uint16_t)event->cause};
  memcpy(record.values, event->values, sizeof(record.values));
  record.texts[0] = sim_trace_intern(trace, event->texts[0]);
  record.texts[1] = sim_trace_intern(trace, event->texts[1]);
  (void)sim_trace_append(trace, &record);
}

struct sim_trace_mark sim_trace_mark(const struct sim_trace *trace) {
  return (struct sim_trace_mark){
      .events = sim_trace_count(trace),
      .string_bytes = atomic_load_explicit(&trace->string_bytes, memory_order_relaxed),
      .strings = string_count(trace),
      .full = sim_trace_full(trace)};
}

void sim_trace_rewind(struct sim_trace *trace, struct sim_trace_mark mark) {
  uint32_t count = string_count(trace);
  assert(mark.events <= sim_trace_count(trace));
  assert(mark.strings >= 1 && mark.strings <= count);
  uint32_t mask = trace->slots - 1;
  for (uint32_t number = mark.strings; number < count; number++) {
    uint32_t slot = (uint32_t)trace->entries[number].hash & mask;
    while (trace->table[slot] != number) {
      slot = (slot + 1) & mask;
    }
    trace->table[slot] = 0;
  }
  uint64_t events = sim_trace_count(trace);
  for (uint64_t i = mark.events; i < events; i++) {
    uint16_t kind = trace->event_records[i].kind;
    if (kind < SIM_EVENT_KIND_COUNT) {
      trace->events_of[kind]--;
    }
  }
  atomic_store_explicit(&trace->events, mark.events, memory_order_release);
  atomic_store_explicit(&trace->strings, mark.strings, memory_order_release);
  atomic_store_explicit(&trace->string_bytes, mark.string_bytes, memory_order_release);
  atomic_store_explicit(&trace->full, mark.full, memory_order_release);
}
