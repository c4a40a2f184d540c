/*
 * behaviour.c - which answer a call gets: the next behaviour of its list, filled in from the
 * preset next to it, with a latency drawn now and, of a flaky upstream, a failure by chance.
 *
 * Latencies and failures have streams of their own for each upstream and kind of call, so that
 * more of one kind does not shift what another draws. The place in a latency trace belongs to the
 * upstream: its conns go through one trace together.
 */
#include "fakes/internal.h"

#include <assert.h>

static const char *const default_errors[FAKE_ANSWER_COUNT] = {
    [FAKE_SUBJECT_PING] = "ping failed",
    [FAKE_SUBJECT_WRITE] = "write failed",
    [FAKE_SUBJECT_READ] = "read failed",
    [FAKE_SUBJECT_DIAL] = "dial failed",
};

enum { SERVICE_UNAVAILABLE = 503 };

/* The place in a list that is used up in order and whose last one repeats. */
static size_t next_place(size_t *cursor, size_t count) {
  size_t place = *cursor < count ? *cursor : count - 1;
  if (*cursor + 1 < count) {
    (*cursor)++;
  }
  return place;
}

static enum fake_outcome outcome_of(const struct fake_behaviour *behaviour,
                                    enum fake_subject subject) {
  return subject == FAKE_SUBJECT_READ && behaviour->outcome == FAKE_OK ? FAKE_MESSAGE
                                                                       : behaviour->outcome;
}

static const char *text_of(enum fake_outcome outcome, enum fake_subject subject,
                           const struct fake_behaviour *behaviour) {
  if (outcome == FAKE_ERROR) {
    return behaviour->error != NULL ? behaviour->error : default_errors[subject];
  }
  if (outcome == FAKE_MESSAGE) {
    return behaviour->message != NULL ? behaviour->message : FAKE_DEFAULT_MESSAGE;
  }
  return NULL;
}

/* `behaviour` may be NULL: everything is left out. */
static struct fake_answer take(struct fake_upstream *upstream, enum fake_subject subject,
                               const struct fake_behaviour *behaviour,
                               const struct fake_behaviour *fallback, wsp_decimal failure_rate) {
  static const struct fake_behaviour nothing = {.left_out =
                                                    FAKE_LEFT_OUT_OUTCOME | FAKE_LEFT_OUT_LATENCY};
  if (behaviour == NULL) {
    behaviour = &nothing;
  }
  const struct fake_behaviour *outcome =
      (behaviour->left_out & FAKE_LEFT_OUT_OUTCOME) != 0 ? fallback : behaviour;
  const struct fake_behaviour *latency =
      (behaviour->left_out & FAKE_LEFT_OUT_LATENCY) != 0 ? fallback : behaviour;
  struct fake_answer answer = {.outcome = outcome_of(outcome, subject)};
  answer.text = text_of(answer.outcome, subject, behaviour);
  answer.latency = sim_distribution_draw(&latency->latency, &upstream->latency[subject],
                                         &upstream->trace_cursor[subject]);
  if (failure_rate > 0 &&
      sim_random_below(&upstream->chance[subject], WSP_DECIMAL_ONE) < (uint64_t)failure_rate) {
    answer.outcome = FAKE_ERROR;
    answer.text = default_errors[subject];
    answer.status = subject == FAKE_SUBJECT_DIAL ? SERVICE_UNAVAILABLE : 0;
  }
  return answer;
}

struct fake_answer fake_dial_answer(struct fake_upstream *upstream,
                                    const struct fake_dial_behaviour **behaviour) {
  const struct fake_policy *policy = &upstream->policy;
  const struct fake_dial_behaviour *fallback =
      &fake_preset_type(policy->base[FAKE_SUBJECT_DIAL])->dial;
  const struct fake_dial_behaviour *chosen = NULL;
  if (upstream->world->healed) {
    *behaviour = NULL;
    return (struct fake_answer){.outcome = FAKE_OK};
  }
  if (policy->dial_count > 0) {
    chosen = &policy->dials[next_place(&upstream->dial_cursor, policy->dial_count)];
  }
  struct fake_answer answer =
      take(upstream, FAKE_SUBJECT_DIAL, chosen != NULL ? &chosen->answer : NULL, &fallback->answer,
           policy->flaky ? policy->failure_rate : 0);
  *behaviour = chosen;
  if (answer.status != 0) {
    *behaviour = NULL; /* failed by chance: nothing of the behaviour shows */
    return answer;
  }
  answer.status = chosen != NULL ? chosen->status : 0;
  if (answer.status == 0 && answer.outcome == fallback->answer.outcome) {
    answer.status = fallback->status;
  }
  return answer;
}

static const struct fake_list *own_list(const struct fake_conn_options *options,
                                        enum fake_subject subject) {
  switch (subject) {
    case FAKE_SUBJECT_PING:
      return (options->set & FAKE_SET_PING) != 0 ? &options->ping : NULL;
    case FAKE_SUBJECT_WRITE:
      return (options->set & FAKE_SET_WRITE) != 0 ? &options->write : NULL;
    case FAKE_SUBJECT_READ:
      return (options->set & FAKE_SET_READ) != 0 ? &options->read : NULL;
    default:
      return NULL;
  }
}

static wsp_decimal failure_rate_of(const struct fake_conn *conn) {
  if (conn->adoption != NULL && conn->adoption->has_preset) {
    return conn->adoption->flaky ? conn->adoption->failure_rate : 0;
  }
  const struct fake_policy *policy = &conn->upstream->policy;
  return policy->flaky ? policy->failure_rate : 0;
}

struct fake_answer fake_call_answer(struct fake_conn *conn, enum fake_subject subject) {
  assert((int)subject < FAKE_CALL_COUNT);
  if (conn->upstream->world->healed) {
    bool reads = subject == FAKE_SUBJECT_READ;
    return (struct fake_answer){.outcome = reads ? FAKE_MESSAGE : FAKE_OK,
                                .text = reads ? FAKE_DEFAULT_MESSAGE : NULL};
  }
  const struct fake_policy *policy = &conn->upstream->policy;
  const struct fake_list *list = conn->own != NULL ? own_list(conn->own, subject) : NULL;
  enum fake_preset base = conn->own_base;
  if (list == NULL) {
    list = &policy->calls[subject];
    base = policy->base[subject];
    if (conn->revision[subject] != policy->revision[subject]) {
      conn->revision[subject] = policy->revision[subject];
      conn->cursor[subject] = 0;
    }
  }
  const struct fake_behaviour *behaviour = NULL;
  if (list->count > 0) {
    behaviour = &list->items[next_place(&conn->cursor[subject], list->count)];
  }
  return take(conn->upstream, subject, behaviour, &fake_preset_type(base)->calls[subject],
              failure_rate_of(conn));
}

wsp_duration fake_close_latency(struct fake_conn *conn) {
  struct fake_upstream *upstream = conn->upstream;
  if (upstream->world->healed) {
    return 0;
  }
  const struct sim_distribution *latency =
      conn->own != NULL && (conn->own->set & FAKE_SET_CLOSE) != 0 ? &conn->own->close
                                                                  : &upstream->policy.close;
  return sim_distribution_draw(latency, &upstream->latency[FAKE_SUBJECT_CLOSE],
                               &upstream->trace_cursor[FAKE_SUBJECT_CLOSE]);
}
