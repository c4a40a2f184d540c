/*
 * load_traffic.c - `load`: arrivals, sessions, and how many acquires they can come to.
 */
#include <inttypes.h>
#include <string.h>

#include "scenarios/engine/load_internal.h"
#include "scenarios/engine/wide.h"

/* ---- Rates -------------------------------------------------------------------------------- */

static const char expected_rate[] = "a rate such as \"200/s\", \"30/m\" or \"5/h\"";

static bool read_rate(struct scn_loader *loader, const struct scn_json_value *value, bool or_zero,
                      struct scn_rate *rate) {
  if (!scn_load_is(loader, value, SCN_JSON_STRING, expected_rate)) {
    return false;
  }
  const char *slash = strchr(value->string, '/');
  wsp_duration per = slash == NULL              ? 0
                     : strcmp(slash, "/s") == 0 ? WSP_SECOND
                     : strcmp(slash, "/m") == 0 ? WSP_MINUTE
                     : strcmp(slash, "/h") == 0 ? 60 * WSP_MINUTE
                                                : 0;
  wsp_decimal arrivals = 0;
  if (per == 0 ||
      !scn_load_decimal_text(value->string, (size_t)(slash - value->string), &arrivals)) {
    scn_load_expected(loader, value, expected_rate);
    return false;
  }
  if (arrivals == 0 && !or_zero) {
    scn_load_expected(loader, value, "a rate of more than 0");
    return false;
  }
  *rate = (struct scn_rate){.arrivals = arrivals, .per = per};
  return true;
}

/* ---- Arrivals ----------------------------------------------------------------------------- */

static const char *const forms[] = {"poisson", "uniform", "burst", "trace", "ramp", NULL};

static void read_ramp(struct scn_loader *loader, const struct scn_json_value *value,
                      struct scn_load *load) {
  if (value->broken || value->kind != SCN_JSON_LIST || value->count != 2) {
    scn_load_expected(loader, value, "a list of two rates, the first and the last");
    return;
  }
  bool first = read_rate(loader, value->first, true, &load->rate);
  bool last = read_rate(loader, value->first->next, true, &load->end_rate);
  if (first && last && load->rate.arrivals == 0 && load->end_rate.arrivals == 0) {
    scn_load_expected(loader, value->first->next, "a rate of more than 0 at one end at least");
  }
}

static void read_form(struct scn_loader *loader, const struct scn_json_value *value, void *target) {
  struct scn_load *load = target;
  load->arrivals = (enum scn_arrivals_kind)scn_load_name_find(scn_load_names_of(forms), value->key);
  switch (load->arrivals) {
    case SCN_ARRIVALS_POISSON:
    case SCN_ARRIVALS_UNIFORM:
      read_rate(loader, value, false, &load->rate);
      break;
    case SCN_ARRIVALS_BURST:
      scn_load_integer(loader, value, 1, LOAD_ACQUIRE_LIMIT, "a whole number from 1 to 10000000",
                       &load->burst);
      break;
    case SCN_ARRIVALS_TRACE:
      scn_load_trace(loader, value, true, &load->times, &load->time_count);
      break;
    case SCN_ARRIVALS_RAMP:
      read_ramp(loader, value, load);
      break;
  }
}

static void positive_duration(struct scn_loader *loader, const struct scn_json_value *value,
                              void *target) {
  wsp_duration duration = 0;
  if (scn_load_duration(loader, value, &duration)) {
    if (duration == 0) {
      scn_load_expected(loader, value, "a duration of more than 0s");
    } else {
      *(wsp_duration *)target = duration;
    }
  }
}

static const struct load_field arrivals_fields[] = {
    {"poisson", read_form, 0}, {"uniform", read_form, 0},
    {"burst", read_form, 0},   {"trace", read_form, 0},
    {"ramp", read_form, 0},    {"every", positive_duration, offsetof(struct scn_load, every)}};
LOAD_SHAPE(arrivals_shape, "arrivals", arrivals_fields);

static void read_arrivals(struct scn_loader *loader, const struct scn_json_value *value,
                          void *target) {
  if (!scn_load_object(loader, value, &arrivals_shape, target)) {
    return;
  }
  const struct scn_json_value *every = scn_json_find(value, "every");
  size_t found = 0;
  for (size_t i = 0; forms[i] != NULL; i++) {
    found += scn_json_find(value, forms[i]) != NULL;
  }
  if (found != 1 && value->count == found + (every != NULL)) {
    scn_load_error(loader, value->position,
                   "\"arrivals\": expected one of poisson, uniform, burst, trace or ramp, found %s",
                   found == 0 ? "none" : "several");
  }
  if (every != NULL && !every->key_broken && found > 0 && scn_json_find(value, "burst") == NULL) {
    scn_load_error(loader, every->key_position,
                   "expected \"every\" beside \"burst\" alone, found it beside another form");
  }
}

/* ---- Sessions ----------------------------------------------------------------------------- */

static const char *const affinities[] = {"none", "preferred", "strict", NULL};

static void read_affinity(struct scn_loader *loader, const struct scn_json_value *value,
                          void *target) {
  int index = scn_load_choice(loader, value, scn_load_names_of(affinities), "an affinity");
  if (index >= 0) {
    *(enum scn_affinity *)target = (enum scn_affinity)index;
  }
}

static void read_turns(struct scn_loader *loader, const struct scn_json_value *value,
                       void *target) {
  scn_load_distribution(loader, value, LOAD_UNIT_COUNT, target);
}

static const struct load_field session_fields[] = {
    {"turns", read_turns, offsetof(struct scn_load, turns)},
    {"think", scn_load_distribution_field, offsetof(struct scn_load, think)},
    {"affinity", read_affinity, offsetof(struct scn_load, affinity)}};
LOAD_SHAPE(session_shape, "a session", session_fields);

static void read_session(struct scn_loader *loader, const struct scn_json_value *value,
                         void *target) {
  struct scn_load *load = target;
  load->has_session = scn_load_object(loader, value, &session_shape, load);
}

/* ---- Loads -------------------------------------------------------------------------------- */

static void read_headers(struct scn_loader *loader, const struct scn_json_value *value,
                         void *target) {
  struct scn_load *load = target;
  load->headers = scn_load_headers(loader, value, &load->header_count);
}

static void read_label(struct scn_loader *loader, const struct scn_json_value *value,
                       void *target) {
  scn_load_label_text(loader, value, target);
}

static const struct load_field load_fields[] = {
    {"arrivals", read_arrivals, 0},
    {"for", positive_duration, offsetof(struct scn_load, duration)},
    {"as", read_label, offsetof(struct scn_load, label)},
    {"account", scn_load_account_field, offsetof(struct scn_load, account)},
    {"url", scn_load_string_field, offsetof(struct scn_load, url)},
    {"proxy", scn_load_string_field, offsetof(struct scn_load, proxy)},
    {"headers", read_headers, 0},
    {"force_new_conn", scn_load_bool_field, offsetof(struct scn_load, force_new_conn)},
    {"hold", scn_load_distribution_field, offsetof(struct scn_load, hold)},
    {"timeout", scn_load_timeout_field, offsetof(struct scn_load, timeout)},
    {"session", read_session, 0}};
LOAD_SHAPE(load_shape, "a load", load_fields);

/* How many arrivals a rate comes to, rounded up. */
static uint64_t arrivals_of(const struct scn_rate *rate, wsp_duration duration) {
  if (rate->per == 0) {
    return 0;
  }
  uint64_t billionths =
      scn_multiply_divide((uint64_t)rate->arrivals, (uint64_t)duration, (uint64_t)rate->per);
  return billionths / (uint64_t)WSP_DECIMAL_ONE + 1;
}

static void check_size(struct scn_loader *loader, const struct scn_json_value *value,
                       const struct scn_load *load) {
  uint64_t acquires = 0;
  if (load->arrivals == SCN_ARRIVALS_BURST) {
    uint64_t bursts = load->every == 0 ? 1 : (uint64_t)((load->duration - 1) / load->every) + 1;
    acquires = scn_multiply_divide((uint64_t)load->burst, bursts, 1);
  } else if (load->arrivals != SCN_ARRIVALS_TRACE) {
    uint64_t first = arrivals_of(&load->rate, load->duration);
    uint64_t last = arrivals_of(&load->end_rate, load->duration);
    acquires = first > last ? first : last;
  }
  if (load->duration > 0 && acquires > (uint64_t)LOAD_ACQUIRE_LIMIT) {
    scn_load_error(loader, value->position,
                   "expected a load of at most %" PRId64 " acquires, found one of about %" PRIu64
                   "; take a lower rate or a shorter time",
                   LOAD_ACQUIRE_LIMIT, acquires);
  }
}

static void read_load(struct scn_loader *loader, const struct scn_json_value *value,
                      struct scn_load *load) {
  load->position = value->position;
  load->url = "wss://example.com/v1/responses";
  load->turns = (struct sim_distribution){.kind = SIM_CONSTANT, .first = 1};
  bool right = scn_load_object(loader, value, &load_shape, load);
  const struct scn_json_value *as = scn_json_find(value, "as");
  bool made_up = load->label == NULL;
  if (made_up) {
    load->label = scn_memory_format(loader->memory, "load%zu", value->index + 1);
  }
  struct load_label label = {.name = load->label,
                             .position = made_up ? value->position : as->position,
                             .kind = "load",
                             .made_up = made_up,
                             .repeats = true,
                             .count = INT64_MAX};
  scn_load_label_define(loader, &label);
  if (!right) {
    return;
  }
  scn_load_default_account(loader, value, &load->account);
  scn_load_require(loader, value, "arrivals", load_shape.what);
  if (scn_load_require(loader, value, "for", load_shape.what)) {
    check_size(loader, value, load);
  }
  while (load->time_count > 0 && load->times[load->time_count - 1] >= load->duration) {
    load->time_count--;
  }
}

void scn_load_traffic(struct scn_loader *loader, const struct scn_json_value *value) {
  struct scn_scenario *scenario = loader->scenario;
  if (!scn_load_is(loader, value, SCN_JSON_LIST, "a list of loads")) {
    return;
  }
  struct scn_load *loads = scn_memory_take(loader->memory, value->count, sizeof *loads);
  if (loads == NULL) {
    return;
  }
  scenario->loads = loads;
  for (const struct scn_json_value *item = value->first; item != NULL; item = item->next) {
    read_load(loader, item, &loads[scenario->load_count++]);
  }
}
