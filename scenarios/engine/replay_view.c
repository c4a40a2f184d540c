/*
 * replay_view.c - follows the state of accounts and conns through a timeline and prints it.
 *
 * Limits: columns for the first MOST_ACCOUNTS accounts and for MOST_LANES conns at a time; the
 * events of others have no column of their own. A conn's column is used again when it has left.
 */
#include "scenarios/engine/replay_view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/engine/event_field.h"

enum { MOST_ACCOUNTS = 6, MOST_LANES = 24, ACCOUNT_WIDTH = 9, LANE_WIDTH = 3, TIME_WIDTH = 10 };

struct account_column {
  int64_t id;
  size_t waiting; /* acquires */
  size_t dialing;
};

struct lane {
  sim_string conn; /* 0: free */
  bool leased;
  bool pinged;
  bool leaves; /* it has left its account; the column is free after its close */
};

struct printer {
  const struct scn_replay_view *view;
  FILE *file;
  struct account_column accounts[MOST_ACCOUNTS];
  size_t account_count;
  struct lane lanes[MOST_LANES];
  size_t lane_count; /* that are ever used */
  bool *waits;       /* by number of an operation's label */
  struct scn_text line;
};

/* ---- State -------------------------------------------------------------------------------- */

static struct account_column *column_of(struct printer *printer, int64_t account) {
  for (size_t i = 0; i < printer->account_count; i++) {
    if (printer->accounts[i].id == account) {
      return &printer->accounts[i];
    }
  }
  return NULL;
}

static struct lane *lane_of(struct printer *printer, sim_string conn) {
  for (size_t i = 0; conn != 0 && i < MOST_LANES; i++) {
    if (printer->lanes[i].conn == conn) {
      return &printer->lanes[i];
    }
  }
  return NULL;
}

static struct lane *open_lane(struct printer *printer, sim_string conn) {
  for (size_t i = 0; i < MOST_LANES; i++) {
    if (printer->lanes[i].conn == 0) {
      printer->lanes[i] = (struct lane){.conn = conn};
      if (printer->lane_count <= i) {
        printer->lane_count = i + 1;
      }
      return &printer->lanes[i];
    }
  }
  return NULL;
}

static void follow_account(struct printer *printer, const struct sim_event *event) {
  struct account_column *column = column_of(printer, event->account);
  if (column == NULL) {
    return;
  }
  bool *waits = &printer->waits[event->op];
  switch (event->kind) {
    case WSP_ACQUIRE_QUEUED:
    case WSP_ACQUIRE_REQUEUED:
      column->waiting += *waits ? 0 : 1;
      *waits = true;
      break;
    case WSP_ACQUIRE_GRANTED:
    case WSP_ACQUIRE_FAILED:
      column->waiting -= *waits ? 1 : 0;
      *waits = false;
      break;
    case WSP_DIAL_STARTED:
      column->dialing++;
      break;
    case WSP_DIAL_SUCCEEDED:
    case WSP_DIAL_FAILED_EVENT:
    case WSP_DIAL_CANCELED:
      column->dialing -= column->dialing > 0 ? 1 : 0;
      break;
    default:
      break;
  }
}

static void follow_conn(struct printer *printer, const struct sim_event *event) {
  struct lane *lane = event->kind == WSP_CONN_OPENED ? open_lane(printer, event->conn)
                                                     : lane_of(printer, event->conn);
  if (lane == NULL) {
    return;
  }
  switch (event->kind) {
    case WSP_ACQUIRE_GRANTED:
      lane->leased = true;
      break;
    case WSP_LEASE_RELEASED:
    case WSP_LEASE_LOST:
      lane->leased = false;
      break;
    case WSP_PING_STARTED:
      lane->pinged = true;
      break;
    case WSP_PING_SUCCEEDED:
    case WSP_PING_FAILED_EVENT:
    case WSP_PING_CANCELED:
      lane->pinged = false;
      break;
    case WSP_CONN_EVICTED:
    case WSP_CONN_CLOSED_EVENT:
      lane->leaves = true;
      break;
    default:
      break;
  }
}

static char mark_of(const struct lane *lane) {
  return lane->conn == 0 ? ' ' : lane->leaves ? 'x' : lane->leased ? '#' : lane->pinged ? 'p' : '.';
}

/* ---- Printing ----------------------------------------------------------------------------- */

static void append_cell(struct scn_text *text, const char *content, size_t width, bool is_here) {
  size_t length = strlen(content);
  scn_text_printf(text, "%s%s", is_here ? "[" : " ", content);
  scn_text_append(text, is_here ? "]" : " ");
  scn_text_spaces(text, length + 2 < width ? width - length - 2 : 0);
}

static void append_columns(struct printer *printer, const struct sim_event *event) {
  for (size_t i = 0; i < printer->account_count; i++) {
    const struct account_column *column = &printer->accounts[i];
    char content[48] = "";
    if (column->waiting > 0 && column->dialing > 0) {
      snprintf(content, sizeof content, "w%zu d%zu", column->waiting, column->dialing);
    } else if (column->waiting > 0) {
      snprintf(content, sizeof content, "w%zu", column->waiting);
    } else if (column->dialing > 0) {
      snprintf(content, sizeof content, "d%zu", column->dialing);
    }
    append_cell(&printer->line, content, ACCOUNT_WIDTH,
                event->conn == 0 && event->account == column->id);
  }
  for (size_t i = 0; i < printer->lane_count; i++) {
    const struct lane *lane = &printer->lanes[i];
    char content[2] = {mark_of(lane), '\0'};
    append_cell(&printer->line, content, LANE_WIDTH, lane->conn != 0 && lane->conn == event->conn);
  }
}

/* "  5ms  conn_opened ...": the time goes before the columns, the rest behind them. */
static void append_event(struct printer *printer, const struct sim_event *event) {
  struct scn_text whole = {0};
  scn_event_line_append(&whole, printer->view->trace, event);
  char *text = scn_text_take(&whole);
  const char *rest = text == NULL ? "" : text + strspn(text, " ");
  size_t length = strcspn(rest, " ");
  scn_text_spaces(&printer->line, length < TIME_WIDTH ? TIME_WIDTH - length : 0);
  scn_text_printf(&printer->line, "%.*s ", (int)length, rest);
  append_columns(printer, event);
  scn_text_append(&printer->line, rest + length + strspn(rest + length, " ") == rest ? "" : "  ");
  scn_text_append(&printer->line, rest + length + strspn(rest + length, " "));
  printer->line.failed |= text == NULL;
  free(text);
}

/* Prints the choices before the event `index`, from the record `*next` on. */
static void print_choices(struct printer *printer, uint64_t index, uint64_t *next) {
  const struct sim_trace *choices = printer->view->choices;
  const struct sim_event *records = sim_trace_events(choices);
  uint64_t count = sim_trace_count(choices);
  while (*next < count && (uint64_t)records[*next].values[2] <= index &&
         records[*next].t_ns <= printer->view->until) {
    int64_t choice = records[*next].values[0];
    const char *separator = "";
    struct scn_text others = {0};
    fprintf(printer->file, "%*s -- choice %" PRId64 ": ", TIME_WIDTH, "", choice);
    for (; *next < count && records[*next].values[0] == choice; (*next)++) {
      const struct sim_event *record = &records[*next];
      const char *what = sim_trace_string(choices, record->texts[0]);
      if (record->cause == 0) {
        scn_text_printf(&others, "%s%" PRId64 " %s", separator, record->values[1], what);
        separator = ", ";
      } else {
        fprintf(printer->file, "%" PRId64 " %s%s", record->values[1], what,
                record->values[1] == 0 ? "" : " (out of turn)");
      }
    }
    char *text = scn_text_take(&others);
    fprintf(printer->file, "; or: %s\n", text == NULL ? "(no memory to tell)" : text);
    free(text);
  }
}

static void print_head(const struct printer *printer) {
  fprintf(printer->file, "%*s ", TIME_WIDTH, "time");
  for (size_t i = 0; i < printer->account_count; i++) {
    char title[32];
    snprintf(title, sizeof title, "acct %" PRId64, printer->accounts[i].id);
    fprintf(printer->file, "%-*.*s", ACCOUNT_WIDTH, ACCOUNT_WIDTH - 1, title);
  }
  if (printer->lane_count > 0) {
    fprintf(printer->file, "%-*s", LANE_WIDTH * (int)printer->lane_count,
            printer->lane_count > 1 ? "conns" : "c");
  }
  fprintf(printer->file, "  event\n");
}

static void find_accounts(struct printer *printer) {
  const struct sim_event *events = sim_trace_events(printer->view->trace);
  uint64_t count = sim_trace_count(printer->view->trace);
  for (uint64_t i = 0; i < count && printer->account_count < MOST_ACCOUNTS; i++) {
    if (events[i].account != 0 && column_of(printer, events[i].account) == NULL) {
      printer->accounts[printer->account_count++].id = events[i].account;
    }
  }
}

static void follow(struct printer *printer, const struct sim_event *event) {
  follow_account(printer, event);
  follow_conn(printer, event);
}

static void after(struct printer *printer, const struct sim_event *event) {
  struct lane *lane = lane_of(printer, event->conn);
  if (lane != NULL && event->kind == WSP_CONN_CLOSED_EVENT) {
    *lane = (struct lane){0};
  }
}

/* Goes through the whole timeline once without printing, to know how many columns there are. */
static void find_lanes(struct printer *printer) {
  const struct sim_event *events = sim_trace_events(printer->view->trace);
  uint64_t count = sim_trace_count(printer->view->trace);
  for (uint64_t i = 0; i < count; i++) {
    follow_conn(printer, &events[i]);
    after(printer, &events[i]);
  }
  memset(printer->lanes, 0, sizeof printer->lanes);
}

static uint64_t print_events(struct printer *printer) {
  const struct sim_event *events = sim_trace_events(printer->view->trace);
  uint64_t count = sim_trace_count(printer->view->trace);
  uint64_t next_choice = 0;
  uint64_t printed = 0;
  for (; printed < count && events[printed].t_ns <= printer->view->until; printed++) {
    print_choices(printer, printed, &next_choice);
    follow(printer, &events[printed]);
    scn_text_cut(&printer->line, 0);
    append_event(printer, &events[printed]);
    fprintf(printer->file, "%s\n", printer->line.failed ? "(no memory)" : printer->line.data);
    after(printer, &events[printed]);
  }
  print_choices(printer, printed, &next_choice);
  return printed;
}

bool scn_replay_print(const struct scn_replay_view *view, FILE *file) {
  struct printer *printer = calloc(1, sizeof *printer);
  size_t strings_size;
  const char *strings = sim_trace_strings(view->trace, &strings_size);
  (void)strings;
  bool *waits = calloc(strings_size + 1, sizeof *waits); /* more bytes than strings */
  bool done = printer != NULL && waits != NULL;
  if (done) {
    printer->view = view;
    printer->file = file;
    printer->waits = waits;
    find_accounts(printer);
    find_lanes(printer);
    print_head(printer);
    uint64_t left = sim_trace_count(view->trace) - print_events(printer);
    if (left > 0) {
      fprintf(file, "%*s (%" PRIu64 " later events are not shown: --until)\n", TIME_WIDTH, "",
              left);
    }
    fprintf(file,
            "columns: w waiting, d dialing; conns: . idle, # leased, p pinged, x leaves; "
            "[ ]: whose event it is\n");
    done = !printer->line.failed;
    scn_text_deinit(&printer->line);
  }
  free(waits);
  free(printer);
  return done;
}
