/*
 * expect_upstream.c - the form { "upstream": ... }: what a fake upstream has seen.
 *
 * The counters are the fake's own. For the message the events of its dials and conns are
 * followed through the timeline: an event tells the URL, later ones only a dial or a conn.
 */
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/expect_parts.h"

/* A set of small numbers. */
struct number_set {
  unsigned char *has;
  size_t size;
};

struct followed {
  struct number_set dials, conns;
};

static bool set_add(struct number_set *set, uint64_t number) {
  if (number >= set->size) {
    size_t size = set->size > 0 ? set->size : 64;
    while (size <= number) {
      size *= 2;
    }
    unsigned char *has = realloc(set->has, size);
    if (has == NULL) {
      return false;
    }
    memset(has + set->size, 0, size - set->size);
    *set = (struct number_set){.has = has, .size = size};
  }
  set->has[number] = 1;
  return true;
}

static bool set_has(const struct number_set *set, uint64_t number) {
  return number < set->size && set->has[number] != 0;
}

static void followed_destroy(void *memory) {
  struct followed *followed = memory;
  free(followed->dials.has);
  free(followed->conns.has);
  free(followed);
}

static bool serves(const struct scn_judging *judging, const char *url) {
  const struct scn_scenario *scenario = judging->view->scenario;
  if (strcmp(judging->expectation->subject, "default") != 0) {
    return strcmp(url, judging->expectation->subject) == 0;
  }
  for (size_t i = 0; i < scenario->upstream_count; i++) {
    if (strcmp(url, scenario->upstreams[i].url) == 0) {
      return strcmp(url, "default") == 0;
    }
  }
  return true;
}

static bool is_about_wire(const struct sim_event *event) {
  static const char *const prefixes[] = {"dial_", "ping_",     "read_",       "write_",
                                         "peer_", "upstream_", "conn_opened", "conn_closed"};
  const struct sim_event_type *type = sim_event_type(event->kind);
  for (size_t i = 0; type != NULL && i < sizeof prefixes / sizeof prefixes[0]; i++) {
    if (strncmp(type->name, prefixes[i], strlen(prefixes[i])) == 0) {
      return true;
    }
  }
  return false;
}

static bool upstream_touches(struct scn_judging *judging, const struct sim_event *event) {
  struct followed *followed = judging->touch_memory;
  const struct sim_trace *trace = judging->view->trace;
  if (!is_about_wire(event)) {
    return false;
  }
  struct scn_actual url = scn_event_field(trace, event, "url");
  struct scn_actual dial = scn_event_field(trace, event, "dial");
  bool has_dial = dial.kind == SCN_ACTUAL_INTEGER && dial.integer >= 0;
  if (url.kind == SCN_ACTUAL_STRING) {
    if (!serves(judging, url.text)) {
      return false;
    }
    bool kept = (!has_dial || set_add(&followed->dials, (uint64_t)dial.integer)) &&
                (event->conn == 0 || set_add(&followed->conns, event->conn));
    judging->out_of_memory = judging->out_of_memory || !kept;
    return true;
  }
  return (has_dial && set_has(&followed->dials, (uint64_t)dial.integer)) ||
         (event->conn != 0 && set_has(&followed->conns, event->conn));
}

static struct scn_actual read_counter(const struct fake_counters *counters, const char *name) {
#define READ(member)                             \
  if (strcmp(name, #member) == 0) {              \
    return scn_actual_integer(counters->member); \
  }
  FAKE_COUNTER_LIST(READ)
#undef READ
  return scn_actual_absent();
}

static void fail_undefined(struct scn_judging *judging) {
  const struct scn_scenario *scenario = judging->view->scenario;
  scn_text_append(scn_judging_actual(judging), "not defined");
  struct scn_text *text = scn_judging_expected(judging);
  scn_text_append(text, " to be defined");
  scn_judging_found(judging);
  scn_text_append(text, "no upstream of this name; there are: default");
  for (size_t i = 0; i < scenario->upstream_count; i++) {
    if (strcmp(scenario->upstreams[i].url, "default") != 0) {
      scn_text_printf(text, ", %s", scenario->upstreams[i].url);
    }
  }
}

bool scn_judge_upstream(struct scn_judging *judging) {
  const struct scn_expectation *expectation = judging->expectation;
  struct fake_counters counters = {0};
  scn_text_append(&judging->subject, "upstream ");
  scn_text_word(&judging->subject, expectation->subject);
  if (!fake_world_counters(judging->view->upstreams, expectation->subject, &counters)) {
    fail_undefined(judging);
    return true;
  }
  for (size_t i = 0; i < expectation->comparison_count; i++) {
    const struct scn_comparison *comparison = &expectation->comparisons[i];
    struct scn_actual actual = read_counter(&counters, comparison->field);
    (void)scn_judging_check(judging, comparison->field, comparison, &actual, NULL);
  }
  if (judging->failed) {
    judging->touch_memory = calloc(1, sizeof(struct followed));
    if (judging->touch_memory == NULL) {
      return false;
    }
    judging->touch_deinit = followed_destroy;
    judging->touches = upstream_touches;
  }
  return true;
}
