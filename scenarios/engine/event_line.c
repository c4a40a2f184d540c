/*
 * event_line.c - one event of the timeline as a line for a person.
 *
 * It leaves out what says nothing (an empty text, a flag that is not set, no status); the
 * database has every field.
 */
#include <inttypes.h>
#include <string.h>

#include "scenarios/engine/event_field.h"
#include "scenarios/engine/expect.h"

#define TIME_WIDTH ((size_t)9)
#define KIND_WIDTH ((size_t)18)

static bool is_one_of(const char *name, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (strcmp(name, names[i]) == 0) {
      return true;
    }
  }
  return false;
}

/* Characters, not bytes: the sign of micro has two. */
static size_t width_of(const char *text) {
  size_t width = 0;
  for (; *text != '\0'; text++) {
    width += ((unsigned char)*text & 0xC0) != 0x80;
  }
  return width;
}

static void append_flags(struct scn_text *text, int64_t flags) {
  static const struct {
    int64_t bit;
    const char *name;
  } names[] = {{WSP_FLAG_FORCE_NEW_CONN, "force_new_conn"},
               {WSP_FLAG_FORCE_PREFERRED_CONN, "force_preferred_conn"},
               {WSP_FLAG_CANCELED, "canceled"}};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if ((flags & names[i].bit) != 0) {
      scn_text_printf(text, " %s", names[i].name);
    }
  }
}

static void append_number(struct scn_text *text, const char *name, int64_t value) {
  static const char *const switches[] = {"reused", "queued"};
  static const char *const silent_at_zero[] = {"status", "code", "deadline_ns", "repetition"};
  if (strcmp(name, "flags") == 0) {
    append_flags(text, value);
    return;
  }
  if (is_one_of(name, switches, sizeof switches / sizeof switches[0])) {
    if (value != 0) {
      scn_text_printf(text, " %s", name);
    }
    return;
  }
  if (value == 0 &&
      is_one_of(name, silent_at_zero, sizeof silent_at_zero / sizeof silent_at_zero[0])) {
    return;
  }
  size_t length = strlen(name);
  if (length > 3 && strcmp(name + length - 3, "_ns") == 0) {
    scn_text_printf(text, " %.*s=", (int)(length - 3), name);
    scn_text_duration(text, value);
  } else {
    scn_text_printf(text, " %s=%" PRId64, name, value);
  }
}

static void append_string(struct scn_text *text, const char *name, const char *string) {
  if (string[0] != '\0') {
    scn_text_printf(text, " %s=", name);
    scn_text_word(text, string);
  }
}

static void append_detail(struct scn_text *text, const struct sim_trace *trace,
                          const struct sim_event *event, const struct sim_event_type *type) {
  if (type->cause != NULL) {
    append_string(text, type->cause, sim_event_cause_name(event->kind, event->cause));
  }
  for (size_t i = 0; i < sizeof type->values / sizeof type->values[0]; i++) {
    if (type->values[i] != NULL) {
      append_number(text, type->values[i], event->values[i]);
    }
  }
  for (size_t i = 0; i < sizeof type->texts / sizeof type->texts[0]; i++) {
    if (type->texts[i] != NULL) {
      append_string(text, type->texts[i], sim_trace_string(trace, event->texts[i]));
    }
  }
}

void scn_event_line_append(struct scn_text *text, const struct sim_trace *trace,
                           const struct sim_event *event) {
  const struct sim_event_type *type = sim_event_type(event->kind);
  const char *kind = type != NULL ? type->name : "unknown_event";
  char buffer[64];
  struct scn_text time;
  scn_text_init_fixed(&time, buffer, sizeof buffer);
  scn_text_duration(&time, event->t_ns);
  size_t width = width_of(buffer);
  scn_text_spaces(text, width < TIME_WIDTH ? TIME_WIDTH - width : 0);
  scn_text_printf(text, "%s  %s", buffer, kind);
  size_t end = text->length;
  /* append_*() begin with a space of their own: two columns apart at least. */
  scn_text_spaces(text, strlen(kind) < KIND_WIDTH ? KIND_WIDTH - strlen(kind) : 1);
  size_t fields = text->length;
  if (event->account != 0) {
    scn_text_printf(text, " account=%" PRId64, event->account);
  }
  append_string(text, "conn", sim_trace_string(trace, event->conn));
  append_string(text, "op", sim_trace_string(trace, event->op));
  if (type != NULL) {
    append_detail(text, trace, event, type);
  }
  if (text->length == fields) {
    scn_text_cut(text, end);
  }
}

size_t scn_event_line(const struct sim_trace *trace, const struct sim_event *event, char *buffer,
                      size_t size) {
  struct scn_text text;
  scn_text_init_fixed(&text, buffer, size);
  scn_event_line_append(&text, trace, event);
  return text.length;
}
