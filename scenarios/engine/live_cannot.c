/*
 * live_cannot.c - which scenarios can not be live: those that ask for what no wire can carry.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "scenarios/engine/live.h"

/* The first reason found; false from here on is "no reason". */
struct reason {
  char *text;
  size_t size;
};

__attribute__((format(printf, 2, 3))) static bool because(struct reason reason, const char *format,
                                                          ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(reason.text, reason.size, format, arguments);
  va_end(arguments);
  return true;
}

static bool has_error(const struct fake_list *list) {
  for (size_t i = 0; i < list->count; i++) {
    if (list->items[i].outcome == FAKE_ERROR) {
      return true;
    }
  }
  return false;
}

/* A conn on which a call has failed goes on in the fakes' world; on a wire it is closed. */
static bool options_cannot(const struct fake_conn_options *options, struct reason reason) {
  const struct {
    const struct fake_list *list;
    const char *name;
  } lists[] = {{&options->ping, "ping"}, {&options->write, "write"}, {&options->read, "read"}};
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    if (has_error(lists[i].list)) {
      return because(reason, "on a wire no %s fails while its conn goes on (outcome \"error\")",
                     lists[i].name);
    }
  }
  return false;
}

static bool spec_cannot(const struct fake_spec *spec, struct reason reason) {
  if (spec->has_preset &&
      (spec->preset == FAKE_PRESET_PING_FAIL || spec->preset == FAKE_PRESET_FLAKY ||
       spec->preset == FAKE_PRESET_NIL_CONN)) {
    return because(reason, "the fake \"%s\" does what no wire can carry",
                   fake_preset_name(spec->preset));
  }
  for (size_t i = 0; i < spec->dial_count; i++) {
    const struct fake_dial_behaviour *dial = &spec->dials[i];
    if (dial->answer.outcome == FAKE_NIL_CONN) {
      return because(reason, "on a wire no dial succeeds without a conn (outcome \"nil_conn\")");
    }
    if (options_cannot(&dial->conn, reason)) {
      return true;
    }
  }
  return options_cannot(&spec->conn, reason);
}

static bool begins_with(const char *text, const char *scheme) {
  return strncasecmp(text, scheme, strlen(scheme)) == 0;
}

/* A url that is empty reaches no transport. */
static bool urls_cannot(const char *url, const char *proxy, struct reason reason) {
  url = url == NULL ? "" : url + strspn(url, " \t\r\n");
  proxy = proxy == NULL ? "" : proxy + strspn(proxy, " \t\r\n");
  if (url[0] != '\0' && !begins_with(url, "ws://") && !begins_with(url, "wss://")) {
    return because(reason, "the transport dials ws:// and wss://, not %.80s", url);
  }
  if (proxy[0] != '\0' && !begins_with(proxy, "http://")) {
    return because(reason, "the transport knows proxies of http://, not %.80s", proxy);
  }
  return false;
}

/* The codes that a close frame can carry and libwebsockets hands on as they are. 1006 stands for
 * an end without one, 0 for a frame without a code. */
static bool code_passes(int code) {
  return code == 0 || (code >= 1000 && code <= 1003) || (code >= 1006 && code <= 1011) ||
         (code >= 3000 && code <= 4999);
}

static bool step_cannot(const struct scn_step *step, struct reason reason) {
  if (step->kind == SCN_CLOCK_JUMP) {
    return because(reason, "the real clock does not jump (step clock_jump)");
  }
  if (step->kind == SCN_PEER_CLOSE && !code_passes(step->code)) {
    return because(reason, "close code %d does not pass the wire and libwebsockets as it is",
                   step->code);
  }
  for (size_t i = 0; i < step->step_count; i++) { /* `together` does not nest */
    if (step_cannot(&step->steps[i], reason)) {
      return true;
    }
  }
  /* The url of an `upstream` step only names one. */
  return spec_cannot(&step->spec, reason) ||
         (step->kind != SCN_UPSTREAM && urls_cannot(step->url, step->proxy, reason));
}

/* ---- What only the transport of virtual time says ------------------------------------------- */

static bool is_transport_metric(const char *name) {
  return strncmp(name, "proxy_client_cache_", 19) == 0 ||
         strcmp(name, "transport_reuse_ratio") == 0;
}

static bool speaks_of_text(const struct scn_expectation *expectation) {
  for (size_t i = 0; i < expectation->comparison_count; i++) {
    if (strcmp(expectation->comparisons[i].field, "error_text") == 0) {
      return true;
    }
  }
  return false;
}

/* What expectations ask for besides: `texts` when the words of failures matter. */
static bool expectations_cannot(const struct scn_expectation *expectations, size_t count,
                                bool *texts, struct reason reason) {
  for (size_t i = 0; i < count; i++) {
    if (expectations[i].kind == SCN_EXPECT_METRIC && is_transport_metric(expectations[i].subject)) {
      return because(reason,
                     "the transport of virtual time has no clients for proxies to count "
                     "(metric %s)",
                     expectations[i].subject);
    }
    *texts = *texts || speaks_of_text(&expectations[i]);
  }
  return false;
}

/* A dial that fails without a status is cut off on the wire: what is said of it are the client's
 * words. */
static bool has_failure_of_own_words(const struct fake_spec *spec) {
  for (size_t i = 0; i < spec->dial_count; i++) {
    const struct fake_dial_behaviour *dial = &spec->dials[i];
    if (dial->answer.outcome == FAKE_ERROR && dial->status == 0 && dial->answer.error != NULL) {
      return true;
    }
  }
  return false;
}

static bool texts_cannot(const struct scn_scenario *scenario, struct reason reason) {
  bool found = false;
  for (size_t i = 0; i < scenario->upstream_count; i++) {
    found = found || has_failure_of_own_words(&scenario->upstreams[i].spec);
  }
  for (size_t i = 0; i < scenario->step_count; i++) {
    found = found || has_failure_of_own_words(&scenario->steps[i].spec);
  }
  return found && because(reason,
                          "the words of a dial that fails without a status are the "
                          "transport's (error_text)");
}

bool scn_live_cannot(const struct scn_scenario *scenario, const struct scn_variant *variant,
                     char *text, size_t size) {
  struct reason reason = {text, size};
  (void)variant;
  if (scenario->schedule != NULL) {
    return because(reason, "the order of a wire can not be chosen (key \"schedule\")");
  }
  for (size_t i = 0; i < scenario->upstream_count; i++) {
    if (spec_cannot(&scenario->upstreams[i].spec, reason)) {
      return true;
    }
  }
  for (size_t i = 0; i < scenario->step_count; i++) {
    if (step_cannot(&scenario->steps[i], reason)) {
      return true;
    }
  }
  for (size_t i = 0; i < scenario->load_count; i++) {
    if (urls_cannot(scenario->loads[i].url, scenario->loads[i].proxy, reason)) {
      return true;
    }
  }
  bool texts = false;
  for (size_t i = 0; i < scenario->step_count; i++) {
    if (expectations_cannot(scenario->steps[i].expectations, scenario->steps[i].expectation_count,
                            &texts, reason)) {
      return true;
    }
  }
  return expectations_cannot(scenario->expectations, scenario->expectation_count, &texts, reason) ||
         (texts && texts_cannot(scenario, reason));
}
