/*
 * test_trace_detail.c - what events are called, and their detail as JSON.
 */
#include <string.h>

#include "sim/trace.h"
#include "tests/suites.h"

static void kinds_have_names_and_fields(void) {
  const struct sim_event_type *type = sim_event_type(WSP_ACQUIRE_FAILED);
  CU_ASSERT_PTR_NOT_NULL_FATAL(type);
  CU_ASSERT_STRING_EQUAL(type->name, "acquire_failed");
  CU_ASSERT_STRING_EQUAL(type->cause, "error");
  CU_ASSERT_STRING_EQUAL(type->values[0], "queue_wait_ns");
  CU_ASSERT_STRING_EQUAL(type->values[2], "queued");
  CU_ASSERT_STRING_EQUAL(type->texts[0], "text");
  CU_ASSERT_PTR_NULL(type->texts[1]);
  type = sim_event_type(SIM_RUN_ENDED);
  CU_ASSERT_PTR_NOT_NULL_FATAL(type);
  CU_ASSERT_STRING_EQUAL(type->name, "run_ended");
  CU_ASSERT_PTR_NULL(type->cause);
  CU_ASSERT_PTR_NULL(sim_event_type(SIM_EVENT_KIND_COUNT));
  CU_ASSERT_PTR_NULL(sim_event_type(UINT16_MAX));
}

static void every_kind_is_found_by_its_name(void) {
  CU_ASSERT_EQUAL(SIM_STEP_PERFORMED, WSP_EVENT_KIND_COUNT);
  for (uint16_t kind = 0; kind < SIM_EVENT_KIND_COUNT; kind++) {
    const struct sim_event_type *type = sim_event_type(kind);
    CU_ASSERT_PTR_NOT_NULL_FATAL(type);
    CU_ASSERT_EQUAL(sim_event_kind_by_name(type->name), kind);
  }
  CU_ASSERT_EQUAL(sim_event_kind_by_name(""), -1);
  CU_ASSERT_EQUAL(sim_event_kind_by_name("acquire_grante"), -1);
}

static void causes_have_the_names_of_their_kind(void) {
  CU_ASSERT_STRING_EQUAL(sim_event_cause_name(WSP_CONN_EVICTED, WSP_REASON_PEER_CLOSED),
                         "peer_closed");
  CU_ASSERT_STRING_EQUAL(sim_event_cause_name(WSP_ACQUIRE_FAILED, WSP_QUEUE_FULL), "queue_full");
  CU_ASSERT_STRING_EQUAL(sim_event_cause_name(WSP_CONN_EVICTED, 0), "");
  CU_ASSERT_STRING_EQUAL(sim_event_cause_name(WSP_ACQUIRE_FAILED, 0), "");
  CU_ASSERT_STRING_EQUAL(sim_event_cause_name(WSP_CONN_FREED, 3), "");
  CU_ASSERT_STRING_EQUAL(sim_event_cause_name(SIM_EVENT_KIND_COUNT, 3), "");
}

static struct sim_trace *trace;

/* Checks the detail of an event. */
static void check_detail(struct sim_event event, const char *expected) {
  char buffer[512];
  size_t length = sim_event_detail(trace, &event, buffer, sizeof buffer);
  CU_ASSERT_EQUAL(length, strlen(expected));
  CU_ASSERT_STRING_EQUAL(buffer, expected);
}

/* Checks what the text `text` becomes. */
static void check_text(const char *text, const char *expected) {
  char whole[512] = "{\"operation\":\"";
  struct sim_event event = {.kind = SIM_STEP_PERFORMED,
                            .texts = {sim_trace_intern(trace, text), 0}};
  (void)strcat(whole, expected);
  (void)strcat(whole, "\"}");
  char buffer[512];
  CU_ASSERT_EQUAL(sim_event_detail(trace, &event, buffer, sizeof buffer),
                  strlen(whole) + strlen("\"step\":0,\"repetition\":0,"));
  const char *operation = strstr(buffer, "\"operation\"");
  CU_ASSERT_PTR_NOT_NULL_FATAL(operation);
  CU_ASSERT_STRING_EQUAL(operation, whole + 1);
}

static void details_have_cause_numbers_and_texts_in_this_order(void) {
  trace = sim_trace_create(10, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  sim_string url = sim_trace_intern(trace, "wss://a/b");
  sim_string proxy = sim_trace_intern(trace, "http://p");
  check_detail((struct sim_event){.kind = WSP_CONN_OPENED,
                                  .cause = WSP_REASON_ADOPTED,
                                  .values = {5, -6, INT64_MAX},
                                  .texts = {url, proxy}},
               "{\"reason\":\"adopted\",\"age_ns\":5,\"idle_ns\":-6,"
               "\"age_limit_ns\":9223372036854775807,\"url\":\"wss://a/b\","
               "\"proxy\":\"http://p\"}");
  check_detail((struct sim_event){.kind = WSP_ACQUIRE_FAILED,
                                  .cause = WSP_DIAL_FAILED,
                                  .values = {0, 503, 1},
                                  .texts = {url, proxy}},
               "{\"error\":\"dial_failed\",\"queue_wait_ns\":0,\"status\":503,\"queued\":1,"
               "\"text\":\"wss://a/b\"}");
  sim_trace_destroy(trace);
}

static void details_leave_out_what_there_is_not(void) {
  trace = sim_trace_create(10, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  sim_string text = sim_trace_intern(trace, "text");
  check_detail((struct sim_event){.kind = WSP_CONN_FREED, .values = {7}, .texts = {text}}, "");
  check_detail((struct sim_event){.kind = WSP_ACQUIRE_GRANTED, .values = {0, 1, 9}},
               "{\"queue_wait_ns\":0,\"reused\":1,\"queued\":9}");
  check_detail((struct sim_event){.kind = WSP_PING_STARTED}, "");
  check_detail((struct sim_event){.kind = WSP_PING_STARTED, .cause = WSP_REASON_SWEEP},
               "{\"reason\":\"sweep\"}");
  check_detail((struct sim_event){.kind = WSP_DIAL_STARTED, .texts = {0, text}},
               "{\"dial\":0,\"proxy\":\"text\"}");
  check_detail((struct sim_event){.kind = SIM_PIN_REFUSED, .texts = {text, text}},
               "{\"conn\":\"text\"}");
  sim_trace_destroy(trace);
}

static void texts_are_escaped(void) {
  trace = sim_trace_create(100, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  check_text("say \"\\\"", "say \\\"\\\\\\\"");
  check_text("\b\f\n\r\t", "\\b\\f\\n\\r\\t");
  check_text("\x01\x1f\x7f/", "\\u0001\\u001f\x7f/");
  /* One to four bytes, at both ends of each length. */
  check_text("\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf");
  check_text("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
             "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf");
  check_text("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
  sim_trace_destroy(trace);
}

static void bytes_that_are_no_text_are_replaced(void) {
  trace = sim_trace_create(100, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  check_text("a\x80z", "a\\ufffdz");
  check_text("\xff", "\\ufffd");
  /* Overlong, surrogates, beyond the last plane, cut off. */
  check_text("\xc1\xbf", "\\ufffd\\ufffd");
  check_text("\xe0\x9f\xbf", "\\ufffd\\ufffd\\ufffd");
  check_text("\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd");
  check_text("\xf0\x8f\xbf\xbf", "\\ufffd\\ufffd\\ufffd\\ufffd");
  check_text("\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd");
  check_text("\xf5\x80\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd");
  check_text("\xc3", "\\ufffd");
  check_text("\xe2\x82", "\\ufffd\\ufffd");
  check_text("\xe2\x82\"", "\\ufffd\\ufffd\\\"");
  check_text("\xf0\x9f\x98", "\\ufffd\\ufffd\\ufffd");
  sim_trace_destroy(trace);
}

static void a_short_buffer_gets_the_beginning(void) {
  const char expected[] = "{\"reason\":\"sweep\"}";
  char buffer[32];
  struct sim_event event = {.kind = WSP_PING_STARTED, .cause = WSP_REASON_SWEEP};
  trace = sim_trace_create(10, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
  for (size_t size = 1; size <= sizeof expected; size++) {
    memset(buffer, '#', sizeof buffer);
    CU_ASSERT_EQUAL(sim_event_detail(trace, &event, buffer, size), sizeof expected - 1);
    CU_ASSERT_EQUAL(strlen(buffer), size - 1);
    CU_ASSERT_EQUAL(memcmp(buffer, expected, size - 1), 0);
    CU_ASSERT_EQUAL(buffer[size], '#');
  }
  CU_ASSERT_EQUAL(sim_event_detail(trace, &event, NULL, 0), sizeof expected - 1);
  event.cause = 0;
  CU_ASSERT_EQUAL(sim_event_detail(trace, &event, buffer, 1), 0);
  CU_ASSERT_STRING_EQUAL(buffer, "");
  sim_trace_destroy(trace);
}

CU_TestInfo suite_trace_detail[] = {
    {"kinds have names and fields", kinds_have_names_and_fields},
    {"every kind is found by its name", every_kind_is_found_by_its_name},
    {"causes have the names of their kind", causes_have_the_names_of_their_kind},
    {"details have cause, numbers and texts in this order",
     details_have_cause_numbers_and_texts_in_this_order},
    {"details leave out what there is not", details_leave_out_what_there_is_not},
    {"texts are escaped", texts_are_escaped},
    {"bytes that are no text are replaced", bytes_that_are_no_text_are_replaced},
    {"a short buffer gets the beginning", a_short_buffer_gets_the_beginning},
    CU_TEST_INFO_NULL,
};
