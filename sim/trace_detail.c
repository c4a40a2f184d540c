/*
 * trace_detail.c - what events are called, and their detail as JSON.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "sim/trace.h"

#define EVENT_TYPE(id, name, cause, v0, v1, v2, t0, t1) \
  [id] = {name, cause, {v0, v1, v2}, {t0, t1}},
static const struct sim_event_type event_types[] = {WSP_EVENT_LIST(EVENT_TYPE)
                                                        SIM_EVENT_LIST(EVENT_TYPE)};
#undef EVENT_TYPE

_Static_assert(sizeof(event_types) / sizeof(event_types[0]) == SIM_EVENT_KIND_COUNT,
               "kinds have no gaps");

const struct sim_event_type *sim_event_type(uint16_t kind) {
  return kind < SIM_EVENT_KIND_COUNT ? &event_types[kind] : NULL;
}

int sim_event_kind_by_name(const char *name) {
  for (int kind = 0; kind < SIM_EVENT_KIND_COUNT; kind++) {
    if (strcmp(event_types[kind].name, name) == 0) {
      return kind;
    }
  }
  return -1;
}

const char *sim_event_cause_name(uint16_t kind, uint16_t cause) {
  const struct sim_event_type *type = sim_event_type(kind);
  if (type == NULL || type->cause == NULL || cause == 0) {
    return "";
  }
  return strcmp(type->cause, "error") == 0 ? wsp_error_name((enum wsp_error)cause)
                                           : wsp_reason_name((enum wsp_reason)cause);
}

/* Text that is written as far as there is room, and counted in full. */
struct output {
  char *buffer;
  size_t size;
  size_t length;
};

static void put(struct output *output, const char *bytes, size_t count) {
  if (output->length < output->size) {
    size_t room = output->size - output->length;
    memcpy(output->buffer + output->length, bytes, count < room ? count : room);
  }
  output->length += count;
}

static void put_text(struct output *output, const char *text) {
  put(output, text, strlen(text));
}

/* The length of the UTF-8 sequence at `text`, 0 when it is not well formed (Unicode, table 3-7). */
static size_t sequence_length(const unsigned char *text) {
  unsigned char lead = text[0];
  if (lead < 0x80) {
    return 1;
  }
  if (lead < 0xc2 || lead > 0xf4) {
    return 0;
  }
  size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  unsigned char least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  unsigned char most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (text[1] < least || text[1] > most) {
    return 0;
  }
  for (size_t index = 2; index < length; index++) {
    if (text[index] < 0x80 || text[index] > 0xbf) {
      return 0;
    }
  }
  return length;
}

static void put_escaped(struct output *output, unsigned char byte) {
  static const char escaped[] = "\"\\\b\f\n\r\t";
  static const char letters[] = "\"\\bfnrt";
  const char *found = strchr(escaped, byte);
  char text[8];
  if (found != NULL) {
    (void)snprintf(text, sizeof text, "\\%c", letters[found - escaped]);
  } else {
    (void)snprintf(text, sizeof text, "\\u%04x", (unsigned)byte);
  }
  put_text(output, text);
}

static void put_string(struct output *output, const char *text) {
  const unsigned char *at = (const unsigned char *)text;
  put(output, "\"", 1);
  while (*at != '\0') {
    size_t length = sequence_length(at);
    if (length == 0) {
      put_text(output, "\\ufffd");
      length = 1;
    } else if (*at < 0x20 || *at == '"' || *at == '\\') {
      put_escaped(output, *at);
    } else {
      put(output, (const char *)at, length);
    }
    at += length;
  }
  put(output, "\"", 1);
}

/* Names are plain words: they need no escapes. */
static void put_key(struct output *output, const char *name) {
  put(output, output->length == 0 ? "{\"" : ",\"", 2);
  put_text(output, name);
  put(output, "\":", 2);
}

size_t sim_event_detail(const struct sim_trace *trace, const struct sim_event *event, char *buffer,
                        size_t size) {
  struct output output = {.buffer = buffer, .size = size};
  const struct sim_event_type *type = sim_event_type(event->kind);
  assert(type != NULL);
  if (type->cause != NULL && event->cause != 0) {
    put_key(&output, type->cause);
    put_string(&output, sim_event_cause_name(event->kind, event->cause));
  }
  for (size_t index = 0; index < 3; index++) {
    if (type->values[index] != NULL) {
      char number[24];
      (void)snprintf(number, sizeof number, "%lld", (long long)event->values[index]);
      put_key(&output, type->values[index]);
      put_text(&output, number);
    }
  }
  for (size_t index = 0; index < 2; index++) {
    if (type->texts[index] != NULL && event->texts[index] != 0) {
      put_key(&output, type->texts[index]);
      put_string(&output, sim_trace_string(trace, event->texts[index]));
    }
  }
  if (output.length > 0) {
    put(&output, "}", 1);
  }
  if (size > 0) {
    buffer[output.length < size ? output.length : size - 1] = '\0';
  }
  return output.length;
}
