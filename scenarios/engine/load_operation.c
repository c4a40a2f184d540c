/*
 * load_operation.c - the arguments of operations, kind by kind.
 */
#include <inttypes.h>
#include <string.h>

#include "scenarios/engine/load_internal.h"
#include "scenarios/engine/steps.h"

static const char default_url[] = "wss://example.com/v1/responses";

/* ---- Readers of single arguments ---------------------------------------------------------- */

static void step_label(struct scn_loader *loader, const struct scn_json_value *value,
                       void *target) {
  scn_load_label_text(loader, value, target);
}

static void step_headers(struct scn_loader *loader, const struct scn_json_value *value,
                         void *target) {
  struct scn_step *step = target;
  step->headers = scn_load_headers(loader, value, &step->header_count);
}

static void step_url(struct scn_loader *loader, const struct scn_json_value *value, void *target) {
  struct scn_step *step = target;
  step->url_given = scn_load_string(loader, value, &step->url);
}

static void step_hold(struct scn_loader *loader, const struct scn_json_value *value, void *target) {
  struct scn_step *step = target;
  step->has_hold = scn_load_duration(loader, value, &step->hold);
}

static void step_repeat(struct scn_loader *loader, const struct scn_json_value *value,
                        void *target) {
  struct scn_step *step = target;
  if (scn_load_integer(loader, value, 1, LOAD_ACQUIRE_LIMIT, "a whole number from 1 to 10000000",
                       &step->repeat)) {
    step->repeats = true;
  }
}

static void step_lease(struct scn_loader *loader, const struct scn_json_value *value,
                       void *target) {
  const char **label = target;
  if (scn_load_label_text(loader, value, label)) {
    scn_load_label_refer(loader, value, *label, LOAD_NEED_ACQUIRE, loader->reading_order);
  }
}

static void step_json(struct scn_loader *loader, const struct scn_json_value *value, void *target) {
  if (!value->broken) {
    *(const char **)target = scn_json_compact(loader->memory, value);
  }
}

static void step_code(struct scn_loader *loader, const struct scn_json_value *value, void *target) {
  int64_t code = 0;
  if (scn_load_integer(loader, value, 1000, 4999, "a WebSocket close code from 1000 to 4999",
                       &code)) {
    *(int *)target = (int)code;
  }
}

/* ---- Which arguments a kind has ----------------------------------------------------------- */

#define AT(member) offsetof(struct scn_step, member)
#define ACCOUNT_FIELD \
  { "account", scn_load_account_field, AT(account) }
#define CONN_FIELD \
  { "conn", scn_load_string_field, AT(conn) }
#define LABEL_FIELD \
  { "as", step_label, AT(label) }
#define URL_FIELD \
  { "url", step_url, 0 }
#define PROXY_FIELD \
  { "proxy", scn_load_string_field, AT(proxy) }
#define HEADERS_FIELD \
  { "headers", step_headers, 0 }
#define IO_FIELDS                                   \
  {"lease", step_lease, AT(target)}, LABEL_FIELD, { \
    "timeout", scn_load_timeout_field, AT(timeout)  \
  }

static const struct load_field acquire_fields[] = {
    LABEL_FIELD,
    ACCOUNT_FIELD,
    URL_FIELD,
    HEADERS_FIELD,
    PROXY_FIELD,
    {"preferred_conn", scn_load_string_field, AT(conn)},
    {"force_new_conn", scn_load_bool_field, AT(force_new_conn)},
    {"force_preferred_conn", scn_load_bool_field, AT(force_preferred_conn)},
    {"timeout", scn_load_timeout_field, AT(timeout)},
    {"canceled", scn_load_bool_field, AT(canceled)},
    {"hold", step_hold, 0},
    {"repeat", step_repeat, 0},
    {"every", scn_load_duration_field, AT(every)}};
LOAD_SHAPE(acquire_shape, "an acquire", acquire_fields);

static const struct load_field write_fields[] = {IO_FIELDS, {"json", step_json, AT(json)}};
LOAD_SHAPE(write_shape, "a write", write_fields);

static const struct load_field io_fields[] = {IO_FIELDS};
LOAD_SHAPE(read_shape, "a read", io_fields);
LOAD_SHAPE(ping_shape, "a ping", io_fields);

static const struct load_field pin_fields[] = {ACCOUNT_FIELD, CONN_FIELD, LABEL_FIELD};
LOAD_SHAPE(pin_shape, "a pin", pin_fields);

static const struct load_field conn_fields[] = {ACCOUNT_FIELD, CONN_FIELD};
LOAD_SHAPE(unpin_shape, "an unpin", conn_fields);
LOAD_SHAPE(evict_shape, "an evict", conn_fields);

static const struct load_field template_fields[] = {ACCOUNT_FIELD, URL_FIELD, HEADERS_FIELD,
                                                    PROXY_FIELD};
LOAD_SHAPE(template_shape, "an ensure_target_idle", template_fields);

static const struct load_field adopt_fields[] = {ACCOUNT_FIELD,
                                                 CONN_FIELD,
                                                 URL_FIELD,
                                                 PROXY_FIELD,
                                                 HEADERS_FIELD,
                                                 {"age", scn_load_duration_field, AT(age)},
                                                 {"idle", scn_load_duration_field, AT(idle)},
                                                 LOAD_SPEC_CONN_FIELDS(AT(spec))};
LOAD_SHAPE(adopt_shape, "an adopt", adopt_fields);

static const struct load_field account_fields[] = {ACCOUNT_FIELD};
LOAD_SHAPE(clear_shape, "a clear_account", account_fields);

static const struct load_field peer_close_fields[] = {
    CONN_FIELD, {"code", step_code, AT(code)}, {"reason", scn_load_string_field, AT(reason)}};
LOAD_SHAPE(peer_close_shape, "a peer_close", peer_close_fields);

static const struct load_field peer_message_fields[] = {CONN_FIELD,
                                                        {"message", step_json, AT(json)}};
LOAD_SHAPE(peer_message_shape, "a peer_message", peer_message_fields);

static const struct load_field change_fields[] = {URL_FIELD, LOAD_SPEC_FIELDS(AT(spec))};
LOAD_SHAPE(change_shape, "an upstream step", change_fields);

static const struct load_field jump_fields[] = {{"by", scn_load_duration_field, AT(by)}};
LOAD_SHAPE(jump_shape, "a clock_jump", jump_fields);

static const struct load_field close_fields[] = {LABEL_FIELD};
LOAD_SHAPE(close_shape, "a close_pool", close_fields);

static const struct load_shape ping_sweep_shape = {"a ping_sweep", NULL, 0};
static const struct load_shape cleanup_sweep_shape = {"a cleanup_sweep", NULL, 0};

/* ---- Kinds -------------------------------------------------------------------------------- */

/* Gives the step its label, or takes note of the one that it has. */
static void define_label(struct scn_loader *loader, const struct scn_json_value *value,
                         struct scn_step *step) {
  const struct scn_json_value *as = scn_json_find(value, "as");
  const char *kind = scn_step_kind_name(step->kind);
  bool made_up = step->label == NULL;
  if (made_up) {
    step->label = scn_memory_format(loader->memory, "%s@%zu", kind, step->index + 1);
  }
  struct load_label label = {.name = step->label,
                             .position = made_up ? step->position : as->position,
                             .kind = kind,
                             .made_up = made_up,
                             .repeats = step->repeats,
                             .count = step->repeat,
                             .order = step->index + 1};
  scn_load_label_define(loader, &label);
}

static void read_acquire(struct scn_loader *loader, const struct scn_json_value *value,
                         struct scn_step *step) {
  step->url = default_url;
  if (!scn_load_object(loader, value, &acquire_shape, step)) {
    return;
  }
  scn_load_default_account(loader, value, &step->account);
  define_label(loader, value, step);
  const struct scn_json_value *every = scn_json_find(value, "every");
  if (every != NULL && !every->key_broken && scn_json_find(value, "repeat") == NULL) {
    scn_load_error(loader, every->key_position, "expected \"repeat\" beside \"every\", found none");
  }
  if (step->repeats && step->every > 0 &&
      step->repeat > (LOAD_TIME_LIMIT - step->at) / step->every) {
    scn_load_expected_hint(loader, every, "the last repetition at most 73 years after the start",
                           scn_memory_format(loader->memory, ", %" PRId64 " times", step->repeat));
  }
}

static void read_io(struct scn_loader *loader, const struct scn_json_value *value,
                    const struct load_shape *shape, struct scn_step *step) {
  if (scn_load_object(loader, value, shape, step)) {
    scn_load_require(loader, value, "lease", shape->what);
    define_label(loader, value, step);
  }
}

static void read_target(struct scn_loader *loader, const struct scn_json_value *value,
                        enum load_need need, struct scn_step *step) {
  if (scn_load_label_text(loader, value, &step->target)) {
    scn_load_label_refer(loader, value, step->target, need, loader->reading_order);
  }
}

static void read_conn_of_account(struct scn_loader *loader, const struct scn_json_value *value,
                                 const struct load_shape *shape, struct scn_step *step) {
  if (scn_load_object(loader, value, shape, step)) {
    scn_load_require(loader, value, "conn", shape->what);
    scn_load_default_account(loader, value, &step->account);
  }
}

static void read_pin(struct scn_loader *loader, const struct scn_json_value *value,
                     struct scn_step *step) {
  read_conn_of_account(loader, value, &pin_shape, step);
  if (step->label != NULL) {
    define_label(loader, value, step);
  }
}

static void read_template(struct scn_loader *loader, const struct scn_json_value *value,
                          struct scn_step *step) {
  if (!scn_load_object(loader, value, &template_shape, step)) {
    return;
  }
  scn_load_default_account(loader, value, &step->account);
  bool given = step->url_given || step->headers != NULL || step->proxy != NULL;
  if (!step->url_given) {
    step->url = default_url;
  }
  step->url_given = given;
}

static void read_adopt(struct scn_loader *loader, const struct scn_json_value *value,
                       struct scn_step *step) {
  step->url = default_url;
  read_conn_of_account(loader, value, &adopt_shape, step);
  const struct scn_json_value *conn = scn_json_find(value, "conn");
  if (conn != NULL && step->conn != NULL && step->conn[strspn(step->conn, " \t\r\n")] == '\0') {
    scn_load_expected(loader, conn, "the id of the conn, which is not blank");
  }
  bool has_age = scn_json_find(value, "age") != NULL,
       has_idle = scn_json_find(value, "idle") != NULL;
  step->age = has_age ? step->age : step->idle;
  step->idle = has_idle ? step->idle : step->age;
  step->has_spec = step->spec.has_preset || step->spec.set != 0 || step->spec.conn.set != 0;
  scn_load_spec_check(loader, value, &step->spec, false);
}

static void read_clear(struct scn_loader *loader, const struct scn_json_value *value,
                       struct scn_step *step) {
  if (value->kind == SCN_JSON_OBJECT) {
    scn_load_object(loader, value, &clear_shape, step);
    scn_load_default_account(loader, value, &step->account);
  } else {
    scn_load_integer(loader, value, INT64_MIN, INT64_MAX, "the number of an account, or an object",
                     &step->account);
  }
}

static void read_peer(struct scn_loader *loader, const struct scn_json_value *value,
                      const struct load_shape *shape, struct scn_step *step) {
  if (scn_load_object(loader, value, shape, step)) {
    scn_load_require(loader, value, "conn", shape->what);
  }
}

/* The upstream of the default URL is the one that serves it. */
static const char *default_upstream(const struct scn_loader *loader) {
  const struct scn_scenario *scenario = loader->scenario;
  for (size_t i = 0; i < scenario->upstream_count; i++) {
    if (strcmp(scenario->upstreams[i].url, default_url) == 0) {
      return default_url;
    }
  }
  return "default";
}

static void read_change(struct scn_loader *loader, const struct scn_json_value *value,
                        struct scn_step *step) {
  step->url = default_upstream(loader);
  if (!scn_load_object(loader, value, &change_shape, step)) {
    return;
  }
  step->has_spec = step->spec.has_preset || step->spec.set != 0 || step->spec.conn.set != 0;
  if (!step->has_spec && value->count == (scn_json_find(value, "url") != NULL)) {
    scn_load_error(loader, value->position, "expected a behaviour that changes, found none");
  }
  scn_load_spec_check(loader, value, &step->spec, true);
}

static void read_jump(struct scn_loader *loader, const struct scn_json_value *value,
                      struct scn_step *step) {
  if (scn_load_object(loader, value, &jump_shape, step)) {
    scn_load_require(loader, value, "by", jump_shape.what);
  }
}

static void read_close(struct scn_loader *loader, const struct scn_json_value *value,
                       struct scn_step *step) {
  if (scn_load_object(loader, value, &close_shape, step)) {
    define_label(loader, value, step);
  }
}

static void read_expectations(struct scn_loader *loader, const struct scn_json_value *value,
                              struct scn_step *step) {
  step->expectations = scn_load_expectations(loader, value, &step->expectation_count);
}

/* Those whose readers take an argument more. */
#define READER(name, call)                                                        \
  static void name(struct scn_loader *loader, const struct scn_json_value *value, \
                   struct scn_step *step) {                                       \
    call;                                                                         \
  }
READER(read_lease, read_target(loader, value, LOAD_NEED_ACQUIRE, step))
READER(read_cancel, read_target(loader, value, LOAD_NEED_OPERATION, step))
READER(read_write, read_io(loader, value, &write_shape, step))
READER(read_read, read_io(loader, value, &read_shape, step))
READER(read_ping, read_io(loader, value, &ping_shape, step))
READER(read_unpin, read_conn_of_account(loader, value, &unpin_shape, step))
READER(read_evict, read_conn_of_account(loader, value, &evict_shape, step))
READER(read_ping_sweep, scn_load_object(loader, value, &ping_sweep_shape, step))
READER(read_cleanup_sweep, scn_load_object(loader, value, &cleanup_sweep_shape, step))
READER(read_peer_close, read_peer(loader, value, &peer_close_shape, step))
READER(read_peer_message, read_peer(loader, value, &peer_message_shape, step))
#undef READER

static void (*const readers[])(struct scn_loader *loader, const struct scn_json_value *value,
                               struct scn_step *step) = {
    [SCN_ACQUIRE] = read_acquire,
    [SCN_RELEASE] = read_lease,
    [SCN_MARK_BROKEN] = read_lease,
    [SCN_MARK_PREWARMED] = read_lease,
    [SCN_WRITE] = read_write,
    [SCN_READ] = read_read,
    [SCN_PING] = read_ping,
    [SCN_CANCEL] = read_cancel,
    [SCN_PIN] = read_pin,
    [SCN_UNPIN] = read_unpin,
    [SCN_ENSURE_TARGET_IDLE] = read_template,
    [SCN_PING_SWEEP] = read_ping_sweep,
    [SCN_CLEANUP_SWEEP] = read_cleanup_sweep,
    [SCN_EVICT] = read_evict,
    [SCN_ADOPT] = read_adopt,
    [SCN_CLEAR_ACCOUNT] = read_clear,
    [SCN_PEER_CLOSE] = read_peer_close,
    [SCN_PEER_MESSAGE] = read_peer_message,
    [SCN_UPSTREAM] = read_change,
    [SCN_CLOCK_JUMP] = read_jump,
    [SCN_CLOSE_POOL] = read_close,
    [SCN_TOGETHER] = scn_load_together,
    [SCN_EXPECT] = read_expectations,
};
#define ONE(id, name) +1
_Static_assert(LOAD_COUNT(readers) == 0 SCN_STEP_LIST(ONE), "each operation has its reader");
#undef ONE

void scn_load_operation(struct scn_loader *loader, const struct scn_json_value *value,
                        struct scn_step *step) {
  readers[step->kind](loader, value, step);
}
