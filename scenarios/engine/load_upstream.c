/*
 * load_upstream.c - what fake upstreams do: presets, behaviours, limits.
 */
#include <string.h>

#include "scenarios/engine/load_internal.h"

/* ---- Behaviours --------------------------------------------------------------------------- */

static const char *const dial_outcomes[] = {"ok", "error", "nil_conn", "block", NULL};
static const enum fake_outcome dial_values[] = {FAKE_OK, FAKE_ERROR, FAKE_NIL_CONN, FAKE_BLOCK};
static const char *const answer_outcomes[] = {"ok", "error", "block", NULL};
static const enum fake_outcome answer_values[] = {FAKE_OK, FAKE_ERROR, FAKE_BLOCK};
static const char *const read_outcomes[] = {"message", "error", "block", "eof", NULL};
static const enum fake_outcome read_values[] = {FAKE_MESSAGE, FAKE_ERROR, FAKE_BLOCK, FAKE_EOF};

static void read_outcome(struct scn_loader *loader, const struct scn_json_value *value,
                         const char *const *names, const enum fake_outcome *values,
                         const char *what, enum fake_outcome *outcome) {
  int index = scn_load_choice(loader, value, scn_load_names_of(names), what);
  if (index >= 0) {
    *outcome = values[index];
  }
}

static void dial_outcome(struct scn_loader *loader, const struct scn_json_value *value,
                         void *target) {
  read_outcome(loader, value, dial_outcomes, dial_values, "the outcome of a dial", target);
}

static void answer_outcome(struct scn_loader *loader, const struct scn_json_value *value,
                           void *target) {
  read_outcome(loader, value, answer_outcomes, answer_values, "the outcome of a ping or write",
               target);
}

static void message_outcome(struct scn_loader *loader, const struct scn_json_value *value,
                            void *target) {
  read_outcome(loader, value, read_outcomes, read_values, "the outcome of a read", target);
}

static void message_text(struct scn_loader *loader, const struct scn_json_value *value,
                         void *target) {
  if (!value->broken) {
    *(const char **)target = scn_json_compact(loader->memory, value);
  }
}

static void dial_status(struct scn_loader *loader, const struct scn_json_value *value,
                        void *target) {
  int64_t status = 0;
  if (scn_load_integer(loader, value, 100, 599, "an HTTP status from 100 to 599", &status)) {
    *(int *)target = (int)status;
  }
}

static void dial_headers(struct scn_loader *loader, const struct scn_json_value *value,
                         void *target) {
  struct fake_dial_behaviour *dial = target;
  dial->headers = scn_load_headers(loader, value, &dial->header_count);
}

#define BEHAVIOUR_FIELDS(outcome_reader)                                                    \
  {"outcome", outcome_reader, offsetof(struct fake_behaviour, outcome)},                    \
      {"latency", scn_load_distribution_field, offsetof(struct fake_behaviour, latency)}, { \
    "error", scn_load_string_field, offsetof(struct fake_behaviour, error)                  \
  }

static const struct load_field answer_fields[] = {BEHAVIOUR_FIELDS(answer_outcome)};
LOAD_SHAPE(answer_shape, "a behaviour of ping or write", answer_fields);

static const struct load_field message_fields[] = {
    BEHAVIOUR_FIELDS(message_outcome),
    {"message", message_text, offsetof(struct fake_behaviour, message)}};
LOAD_SHAPE(message_shape, "a behaviour of read", message_fields);

typedef void (*read_behaviour)(struct scn_loader *loader, const struct scn_json_value *value,
                               void *item);

/* One behaviour, or a list of them. NULL when there is none to be had. */
static void *read_behaviours(struct scn_loader *loader, const struct scn_json_value *value,
                             read_behaviour read, size_t size, size_t *count) {
  bool list = value->kind == SCN_JSON_LIST;
  if (!list && value->kind != SCN_JSON_OBJECT) {
    scn_load_expected(loader, value, "a behaviour (an object) or a list of behaviours");
    return NULL;
  }
  if (list && value->count == 0) {
    scn_load_expected(loader, value, "at least one behaviour");
    return NULL;
  }
  char *items = scn_memory_take(loader->memory, list ? value->count : 1, size);
  if (items == NULL) {
    return NULL;
  }
  *count = list ? value->count : 1;
  size_t index = 0;
  for (const struct scn_json_value *item = list ? value->first : value; item != NULL;
       item = list ? item->next : NULL) {
    read(loader, item, items + size * index++);
  }
  return items;
}

/* Beside a preset, what the file leaves out is the preset's. */
static void note_left_out(const struct scn_json_value *value, struct fake_behaviour *behaviour) {
  behaviour->left_out = FAKE_LEFT_OUT_OUTCOME | FAKE_LEFT_OUT_LATENCY;
  for (const struct scn_json_value *member = value->first; member != NULL; member = member->next) {
    if (strcmp(member->key, "outcome") == 0) {
      behaviour->left_out &= ~(unsigned)FAKE_LEFT_OUT_OUTCOME;
    } else if (strcmp(member->key, "latency") == 0) {
      behaviour->left_out &= ~(unsigned)FAKE_LEFT_OUT_LATENCY;
    }
  }
}

static void read_answer(struct scn_loader *loader, const struct scn_json_value *value, void *item) {
  struct fake_behaviour *behaviour = item;
  *behaviour = (struct fake_behaviour){.outcome = FAKE_OK};
  scn_load_object(loader, value, &answer_shape, behaviour);
  note_left_out(value, behaviour);
}

static void read_message(struct scn_loader *loader, const struct scn_json_value *value,
                         void *item) {
  struct fake_behaviour *behaviour = item;
  *behaviour = (struct fake_behaviour){.outcome = FAKE_MESSAGE};
  scn_load_object(loader, value, &message_shape, behaviour);
  note_left_out(value, behaviour);
}

static void read_list(struct scn_loader *loader, const struct scn_json_value *value,
                      read_behaviour read, struct fake_list *list) {
  list->items = read_behaviours(loader, value, read, sizeof *list->items, &list->count);
}

/* ---- Options of conns --------------------------------------------------------------------- */

static void close_latency(struct scn_loader *loader, const struct scn_json_value *value,
                          void *target) {
  scn_load_distribution(loader, value, LOAD_UNIT_DURATION, target);
}

static const struct load_field close_fields[] = {{"latency", close_latency, 0}};
LOAD_SHAPE(close_shape, "a behaviour of close", close_fields);

static void conn_ping(struct scn_loader *loader, const struct scn_json_value *value, void *target) {
  struct fake_conn_options *conn = target;
  conn->set |= FAKE_SET_PING;
  read_list(loader, value, read_answer, &conn->ping);
}

static void conn_write(struct scn_loader *loader, const struct scn_json_value *value,
                       void *target) {
  struct fake_conn_options *conn = target;
  conn->set |= FAKE_SET_WRITE;
  read_list(loader, value, read_answer, &conn->write);
}

static void conn_read(struct scn_loader *loader, const struct scn_json_value *value, void *target) {
  struct fake_conn_options *conn = target;
  conn->set |= FAKE_SET_READ;
  read_list(loader, value, read_message, &conn->read);
}

static void conn_close(struct scn_loader *loader, const struct scn_json_value *value,
                       void *target) {
  struct fake_conn_options *conn = target;
  conn->set |= FAKE_SET_CLOSE;
  scn_load_object(loader, value, &close_shape, &conn->close);
}

static void conn_max_age(struct scn_loader *loader, const struct scn_json_value *value,
                         void *target) {
  struct fake_conn_options *conn = target;
  conn->set |= FAKE_SET_MAX_AGE;
  scn_load_duration(loader, value, &conn->max_age);
}

static void conn_idle_timeout(struct scn_loader *loader, const struct scn_json_value *value,
                              void *target) {
  struct fake_conn_options *conn = target;
  conn->set |= FAKE_SET_IDLE_TIMEOUT;
  scn_load_duration(loader, value, &conn->idle_timeout);
}

#define IN_DIAL offsetof(struct fake_dial_behaviour, conn)
static const struct load_field dial_fields[] = {
    BEHAVIOUR_FIELDS(dial_outcome), /* the answer is the first member */
    {"status", dial_status, offsetof(struct fake_dial_behaviour, status)},
    {"headers", dial_headers, 0},
    {"ping", conn_ping, IN_DIAL},
    {"write", conn_write, IN_DIAL},
    {"read", conn_read, IN_DIAL},
    {"close", conn_close, IN_DIAL},
    {"max_age", conn_max_age, IN_DIAL},
    {"idle_timeout", conn_idle_timeout, IN_DIAL}};
LOAD_SHAPE(dial_shape, "a behaviour of dial", dial_fields);
_Static_assert(offsetof(struct fake_dial_behaviour, answer) == 0,
               "the fields of a behaviour are read at the start of a dial's");

static void read_dial(struct scn_loader *loader, const struct scn_json_value *value, void *item) {
  scn_load_object(loader, value, &dial_shape, item);
  note_left_out(value, item);
}

/* ---- Whole upstreams ---------------------------------------------------------------------- */

#define CONN_OF(target) (&((struct fake_spec *)(target))->conn)

void scn_load_spec_ping(struct scn_loader *loader, const struct scn_json_value *value,
                        void *target) {
  conn_ping(loader, value, CONN_OF(target));
}

void scn_load_spec_write(struct scn_loader *loader, const struct scn_json_value *value,
                         void *target) {
  conn_write(loader, value, CONN_OF(target));
}

void scn_load_spec_read(struct scn_loader *loader, const struct scn_json_value *value,
                        void *target) {
  conn_read(loader, value, CONN_OF(target));
}

void scn_load_spec_close(struct scn_loader *loader, const struct scn_json_value *value,
                         void *target) {
  conn_close(loader, value, CONN_OF(target));
}

void scn_load_spec_max_age(struct scn_loader *loader, const struct scn_json_value *value,
                           void *target) {
  conn_max_age(loader, value, CONN_OF(target));
}

void scn_load_spec_idle_timeout(struct scn_loader *loader, const struct scn_json_value *value,
                                void *target) {
  conn_idle_timeout(loader, value, CONN_OF(target));
}

static const char *preset_name(const void *context, size_t index) {
  (void)context;
  return index <= FAKE_PRESET_HALF_OPEN ? fake_preset_name((enum fake_preset)index) : NULL;
}

void scn_load_spec_fake(struct scn_loader *loader, const struct scn_json_value *value,
                        void *target) {
  struct fake_spec *spec = target;
  int preset = scn_load_choice(loader, value, (struct load_names){preset_name, NULL},
                               "the name of a preset");
  if (preset >= 0) {
    spec->has_preset = true;
    spec->preset = (enum fake_preset)preset;
  }
}

void scn_load_spec_failure_rate(struct scn_loader *loader, const struct scn_json_value *value,
                                void *target) {
  static const char expected[] = "a number from 0 to 1 with at most nine decimals";
  struct fake_spec *spec = target;
  wsp_decimal rate = 0;
  spec->set |= FAKE_SET_FAILURE_RATE;
  if (scn_load_decimal(loader, value, expected, &rate)) {
    if (rate < 0 || rate > WSP_DECIMAL_ONE) {
      scn_load_expected(loader, value, expected);
    } else {
      spec->failure_rate = rate;
    }
  }
}

void scn_load_spec_dial(struct scn_loader *loader, const struct scn_json_value *value,
                        void *target) {
  struct fake_spec *spec = target;
  spec->set |= FAKE_SET_DIAL;
  spec->dials = read_behaviours(loader, value, read_dial, sizeof *spec->dials, &spec->dial_count);
}

void scn_load_spec_max_conns(struct scn_loader *loader, const struct scn_json_value *value,
                             void *target) {
  struct fake_spec *spec = target;
  spec->set |= FAKE_SET_MAX_CONNS;
  scn_load_integer(loader, value, 1, INT64_MAX, "a whole number of at least 1", &spec->max_conns);
}

static void limit_per(struct scn_loader *loader, const struct scn_json_value *value, void *target) {
  wsp_duration per = 0;
  if (scn_load_duration(loader, value, &per)) {
    if (per == 0) {
      scn_load_expected(loader, value, "a duration of more than 0s");
    } else {
      *(wsp_duration *)target = per;
    }
  }
}

static void limit_dials(struct scn_loader *loader, const struct scn_json_value *value,
                        void *target) {
  scn_load_integer(loader, value, 0, INT64_MAX, "a whole number of at least 0", target);
}

static const struct load_field limit_fields[] = {
    {"per", limit_per, offsetof(struct fake_spec, rate_per)},
    {"dials", limit_dials, offsetof(struct fake_spec, rate_dials)}};
LOAD_SHAPE(limit_shape, "a rate limit", limit_fields);

void scn_load_spec_rate_limit(struct scn_loader *loader, const struct scn_json_value *value,
                              void *target) {
  struct fake_spec *spec = target;
  spec->set |= FAKE_SET_RATE_LIMIT;
  if (scn_load_object(loader, value, &limit_shape, spec)) {
    scn_load_require(loader, value, "per", limit_shape.what);
    scn_load_require(loader, value, "dials", limit_shape.what);
  }
}

void scn_load_spec_check(struct scn_loader *loader, const struct scn_json_value *object,
                         const struct fake_spec *spec, bool is_change) {
  const struct scn_json_value *rate = scn_json_find(object, "failure_rate");
  const struct scn_json_value *fake = scn_json_find(object, "fake");
  bool flaky = spec->has_preset && spec->preset == FAKE_PRESET_FLAKY;
  bool unknown = fake != NULL && !spec->has_preset;
  if (rate != NULL && !rate->key_broken && !flaky && !unknown && !(is_change && fake == NULL)) {
    scn_load_error(loader, rate->key_position,
                   "expected \"failure_rate\" beside \"fake\": \"flaky\" alone, found it %s",
                   fake == NULL ? "without \"fake\"" : "beside another preset");
  }
}

static const struct load_field upstream_fields[] = {LOAD_SPEC_FIELDS(0)};
LOAD_SHAPE(upstream_shape, "an upstream", upstream_fields);

void scn_load_upstreams(struct scn_loader *loader, const struct scn_json_value *value) {
  struct scn_scenario *scenario = loader->scenario;
  if (!scn_load_is(loader, value, SCN_JSON_OBJECT, "an object of upstreams by URL")) {
    return;
  }
  struct scn_upstream *upstreams = scn_memory_take(loader->memory, value->count, sizeof *upstreams);
  if (upstreams == NULL) {
    return;
  }
  scenario->upstreams = upstreams;
  for (const struct scn_json_value *member = value->first; member != NULL; member = member->next) {
    struct scn_upstream *upstream = &upstreams[scenario->upstream_count++];
    upstream->url = member->key;
    if (member->key[strspn(member->key, " \t\r\n")] == '\0') {
      scn_load_error(loader, member->key_position,
                     "expected \"default\" or a URL, found a blank key");
    }
    if (scn_load_object(loader, member, &upstream_shape, &upstream->spec)) {
      scn_load_spec_check(loader, member, &upstream->spec, false);
    }
  }
}
