/*
 * perfetto.c - recorded timelines in the Trace Event Format, as ui.perfetto.dev and
 * chrome://tracing read it.
 *
 * Each account of each scenario is a process, because a viewer groups by process: in it are the
 * conns (slices: leases, and how they closed; pings on a track of their own, since they may overlap
 * a lease), the operations that wait, the dials, and counters from the samples. What belongs to no
 * account is in a process of the scenario. An arrow leads from a wait to the lease that ended it.
 *
 * Times are in microseconds with three decimals, so that no nanosecond is lost. Every scenario
 * begins at 0.
 */
#include <inttypes.h>
#include <string.h>

#include "reports/detail.h"
#include "reports/json_text.h"
#include "reports/lanes.h"
#include "reports/names.h"
#include "reports/report.h"

enum { TITLE_SIZE = 1024, KEY_SIZE = 64 };

/* Tracks of a process, by number: where those of each sort begin. */
enum { TRACK_EVENTS = 0, TRACK_WAITS = 1, TRACK_DIALS = 1000000, TRACK_CONNS = 2000000 };

struct writer {
  FILE *file;
  const struct rep_item *item;
  size_t item_index;
  struct rep_names processes; /* "ITEM ACCOUNT": the number is the pid */
  struct rep_names tracks;    /* "PID TRACK": those that have been named */
  uint64_t flows;
  bool began;  /* there is an event already: the next one needs a comma */
  bool failed; /* no memory */
};

static void begin_event(struct writer *writer) {
  fputs(writer->began ? ",\n" : "\n", writer->file);
  writer->began = true;
}

static void write_time(FILE *file, const char *key, int64_t time_ns) {
  fprintf(file, ",\"%s\":%" PRId64 ".%03d", key, time_ns / 1000, (int)(time_ns % 1000));
}

/* ---- Processes and tracks ------------------------------------------------------------------ */

static void name_it(struct writer *writer, const char *what, uint32_t pid, uint32_t tid,
                    const char *name) {
  begin_event(writer);
  fprintf(writer->file,
          "{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32
          ",\"args\":{\"name\":",
          what, pid, tid);
  rep_json_string(writer->file, name);
  fputs("}}", writer->file);
}

static uint32_t process_of(struct writer *writer, int64_t account) {
  char key[KEY_SIZE];
  uint32_t known = writer->processes.count;
  snprintf(key, sizeof key, "%zu %" PRId64, writer->item_index, account);
  uint32_t pid = rep_names_put(&writer->processes, key);
  if (pid == REP_NAME_NONE) {
    writer->failed = true;
    return 0;
  }
  if (pid == known) {
    char title[TITLE_SIZE];
    char name[TITLE_SIZE + 64];
    rep_item_title(writer->item, title, sizeof title);
    if (account == 0) {
      snprintf(name, sizeof name, "%s: pool", title);
    } else {
      snprintf(name, sizeof name, "%s: account %" PRId64, title, account);
    }
    name_it(writer, "process_name", pid + 1, 0, name);
    begin_event(writer);
    fprintf(writer->file,
            "{\"ph\":\"M\",\"name\":\"process_sort_index\",\"pid\":%" PRIu32
            ",\"tid\":0,\"args\":{\"sort_index\":%" PRIu32 "}}",
            pid + 1, pid + 1);
  }
  return pid + 1; /* 0 is the idle process */
}

/* Names a track when it is first used: "NAME" or "NAME NUMBER". */
static void use_track(struct writer *writer, uint32_t pid, uint32_t tid, const char *name,
                      const char *suffix) {
  char key[KEY_SIZE];
  char text[TITLE_SIZE];
  uint32_t known = writer->tracks.count;
  snprintf(key, sizeof key, "%" PRIu32 " %" PRIu32, pid, tid);
  uint32_t number = rep_names_put(&writer->tracks, key);
  if (number == REP_NAME_NONE) {
    writer->failed = true;
  } else if (number == known) {
    snprintf(text, sizeof text, "%s%s%s", name, suffix[0] == '\0' ? "" : " ", suffix);
    name_it(writer, "thread_name", pid, tid, text);
    begin_event(writer);
    fprintf(writer->file,
            "{\"ph\":\"M\",\"name\":\"thread_sort_index\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32
            ",\"args\":{\"sort_index\":%" PRIu32 "}}",
            pid, tid, tid);
  }
}

static uint32_t track_of(struct writer *writer, uint32_t pid, const struct rep_span *span) {
  char number[KEY_SIZE];
  uint32_t tid;
  snprintf(number, sizeof number, "%" PRIu32, span->lane + 1);
  switch (span->kind) {
    case REP_SPAN_WAIT:
      tid = TRACK_WAITS + span->lane;
      use_track(writer, pid, tid, "waiting", number);
      break;
    case REP_SPAN_DIAL:
      tid = TRACK_DIALS + span->lane;
      use_track(writer, pid, tid, "dialing", number);
      break;
    case REP_SPAN_PING:
      tid = TRACK_CONNS + 2 * span->conn_number + 1;
      use_track(writer, pid, tid, span->conn, "pings");
      break;
    default:
      tid = TRACK_CONNS + 2 * span->conn_number;
      use_track(writer, pid, tid, span->conn, "");
      break;
  }
  return tid;
}

/* ---- Slices, arrows, marks ----------------------------------------------------------------- */

static void write_slice(struct writer *writer, uint32_t pid, uint32_t tid,
                        const struct rep_span *span) {
  FILE *file = writer->file;
  begin_event(writer);
  fprintf(file, "{\"ph\":\"X\",\"cat\":\"%s\",\"name\":", rep_span_name(span->kind));
  rep_json_string(file, span->op[0] != '\0' ? span->op : rep_span_name(span->kind));
  fprintf(file, ",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32, pid, tid);
  write_time(file, "ts", span->start_ns);
  write_time(file, "dur", span->end_ns - span->start_ns);
  fprintf(file, ",\"args\":{\"is\":\"%s\"", rep_span_name(span->kind));
  if (span->conn[0] != '\0') {
    fputs(",\"conn\":", file);
    rep_json_string(file, span->conn);
  }
  if (span->why[0] != '\0') {
    fputs(",\"why\":", file);
    rep_json_string(file, span->why);
  }
  fputs(span->open ? ",\"unfinished\":true}}" : "}}", file);
}

static void write_arrow_end(struct writer *writer, const char *phase, uint32_t pid, uint32_t tid,
                            int64_t t_ns) {
  begin_event(writer);
  fprintf(writer->file,
          "{\"ph\":%s,\"cat\":\"grant\",\"name\":\"grant\",\"id\":%" PRIu64 ",\"pid\":%" PRIu32
          ",\"tid\":%" PRIu32,
          phase, writer->flows, pid, tid);
  write_time(writer->file, "ts", t_ns);
  fputc('}', writer->file);
}

static void take_span(void *context, const struct rep_span *span) {
  struct writer *writer = context;
  if (span->kind == REP_SPAN_IDLE ||
      (span->start_ns == span->end_ns &&
       (span->kind == REP_SPAN_WAIT || span->kind == REP_SPAN_CLOSING))) {
    return;
  }
  uint32_t pid = process_of(writer, span->account);
  uint32_t tid = track_of(writer, pid, span);
  write_slice(writer, pid, tid, span);
  if (span->kind == REP_SPAN_WAIT && span->granted) {
    const struct rep_span lease = {
        .kind = REP_SPAN_LEASE, .conn = span->conn, .conn_number = span->conn_number};
    uint32_t conn_tid = track_of(writer, pid, &lease);
    writer->flows++;
    write_arrow_end(writer, "\"s\"", pid, tid, span->start_ns);
    write_arrow_end(writer, "\"f\",\"bp\":\"e\"", pid, conn_tid, span->end_ns);
  }
}

/* Events that are no part of a slice, but say why things went as they did. */
static bool is_marked(const char *kind) {
  static const char *const marked[] = {
      "step_performed",     "clock_jumped",      "upstream_changed",   "peer_closed",
      "upstream_refused",   "conn_evicted",      "ping_sweep_started", "cleanup_sweep_started",
      "prewarm_suppressed", "account_cleared",   "pool_close_started", "pool_closed",
      "expectation_failed", "invariant_violated"};
  for (size_t i = 0; i < sizeof marked / sizeof *marked; i++) {
    if (strcmp(marked[i], kind) == 0) {
      return true;
    }
  }
  return false;
}

static void write_mark(struct writer *writer, int64_t t_ns, const char *kind, int64_t account,
                       const char *detail) {
  uint32_t pid = process_of(writer, account);
  use_track(writer, pid, TRACK_EVENTS, "events", "");
  begin_event(writer);
  fputs("{\"ph\":\"i\",\"s\":\"t\",\"cat\":\"event\",\"name\":", writer->file);
  rep_json_string(writer->file, kind);
  fprintf(writer->file, ",\"pid\":%" PRIu32 ",\"tid\":%d", pid, TRACK_EVENTS);
  write_time(writer->file, "ts", t_ns);
  if (detail[0] == '{') {
    fprintf(writer->file, ",\"args\":%s", detail);
  }
  fputc('}', writer->file);
}

/* ---- A scenario ---------------------------------------------------------------------------- */

static bool write_events(struct writer *writer, struct rep_lanes *lanes, char *message,
                         size_t size) {
  const struct rep_item *item = writer->item;
  bool failed = false;
  sqlite3_stmt *rows = rep_item_query(
      item,
      "select t_ns, kind, account, conn, op, detail from event where scenario_id = ?1 order by seq",
      message, size);
  while (!writer->failed && rep_item_row(item, &rows, &failed, message, size)) {
    int64_t t_ns = sqlite3_column_int64(rows, 0);
    const char *kind = rep_column(rows, 1);
    int64_t account = sqlite3_column_int64(rows, 2);
    const char *detail = rep_column(rows, 5);
    if (!rep_lanes_event(lanes, t_ns, kind, account, rep_column(rows, 3), rep_column(rows, 4),
                         detail)) {
      writer->failed = true;
    } else if (is_marked(kind)) {
      write_mark(writer, t_ns, kind, account, detail);
    }
  }
  sqlite3_finalize(rows);
  rep_lanes_end(lanes, item->virtual_ns);
  return !failed;
}

static bool write_counters(struct writer *writer, char *message, size_t size) {
  const struct rep_item *item = writer->item;
  bool failed = false;
  sqlite3_stmt *rows =
      rep_item_query(item,
                     "select t_ns, account, name, value from metric where scenario_id = ?1 and "
                     "account is not null order by account, name, t_ns",
                     message, size);
  while (rep_item_row(item, &rows, &failed, message, size)) {
    uint32_t pid = process_of(writer, sqlite3_column_int64(rows, 1));
    begin_event(writer);
    fputs("{\"ph\":\"C\",\"name\":", writer->file);
    rep_json_string(writer->file, rep_column(rows, 2));
    fprintf(writer->file, ",\"pid\":%" PRIu32 ",\"tid\":0", pid);
    write_time(writer->file, "ts", sqlite3_column_int64(rows, 0));
    fprintf(writer->file, ",\"args\":{\"value\":%" PRId64 "}}",
            (int64_t)sqlite3_column_int64(rows, 3));
  }
  return !failed;
}

static bool write_item(struct writer *writer, char *message, size_t size) {
  struct rep_lanes *lanes = rep_lanes_create(take_span, writer);
  rep_names_deinit(&writer->tracks);
  bool read = lanes != NULL && write_events(writer, lanes, message, size) &&
              write_counters(writer, message, size);
  if (lanes == NULL || writer->failed) {
    snprintf(message, size, "out of memory for the timeline of scenario '%s'", writer->item->name);
    read = false;
  }
  rep_lanes_destroy(lanes);
  return read;
}

bool rep_perfetto_write(FILE *file, const struct rep_input *input, const struct rep_about *about,
                        char *message, size_t size) {
  struct writer writer = {.file = file};
  bool done = true;
  fprintf(file,
          "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"program\":\"poolproof\",\"version\":");
  rep_json_string(file, about->version);
  fputs("},\n\"traceEvents\":[", file);
  for (size_t i = 0; i < input->item_count && done; i++) {
    writer.item = &input->items[i];
    writer.item_index = i;
    done = write_item(&writer, message, size);
  }
  fputs("\n]}\n", file);
  rep_names_deinit(&writer.processes);
  rep_names_deinit(&writer.tracks);
  return done;
}
