/*
 * picture.c - draws the lanes of a window of time as text.
 *
 * Limits: 14 lanes of each sort and 64 columns; what is left out is counted.
 */
#include "reports/picture.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reports/lanes.h"
#include "sim/duration.h"

enum { COLUMNS = 64, MOST_LANES = 14, NAME_SIZE = 40, SHORT_TIMELINE = 400, EVENTS_AROUND = 60 };

enum sort { SORT_OPERATIONS, SORT_DIALS, SORT_CONNS, SORT_COUNT };

struct lane {
  char name[NAME_SIZE];
  char cells[COLUMNS + 1];
};

struct picture {
  int64_t from_ns, to_ns; /* of the window; to > from */
  struct lane lanes[SORT_COUNT][MOST_LANES];
  size_t counts[SORT_COUNT];
  size_t left_out;
};

/* ---- The window ---------------------------------------------------------------------------- */

/* One number out of a query whose parameter 2 is `second`. False: no row, or NULL. */
static bool query_number(const struct rep_item *item, const char *sql, int64_t second,
                         int64_t *number) {
  char message[256];
  bool found = false;
  sqlite3_stmt *row = rep_item_query(item, sql, message, sizeof message);
  if (row != NULL && sqlite3_bind_parameter_count(row) > 1) {
    sqlite3_bind_int64(row, 2, second);
  }
  if (row != NULL && sqlite3_step(row) == SQLITE_ROW &&
      sqlite3_column_type(row, 0) != SQLITE_NULL) {
    *number = sqlite3_column_int64(row, 0);
    found = true;
  }
  sqlite3_finalize(row);
  return found;
}

/* The times of the operation that the first failed expectation is about. */
static bool find_operation(const struct rep_item *item, int64_t *from_ns, int64_t *to_ns) {
  char message[256];
  bool found = false;
  sqlite3_stmt *row = rep_item_query(
      item, "select text from expectation where scenario_id = ?1 and not passed order by idx",
      message, sizeof message);
  cJSON *text =
      row != NULL && sqlite3_step(row) == SQLITE_ROW ? cJSON_Parse(rep_column(row, 0)) : NULL;
  const char *label = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(text, "op"));
  sqlite3_stmt *times = rep_item_query(
      item, "select started_ns, ended_ns from op where scenario_id = ?1 and label = ?2", message,
      sizeof message);
  if (label != NULL && times != NULL &&
      sqlite3_bind_text(times, 2, label, -1, SQLITE_STATIC) == SQLITE_OK &&
      sqlite3_step(times) == SQLITE_ROW) {
    *from_ns = sqlite3_column_int64(times, 0);
    *to_ns = sqlite3_column_type(times, 1) == SQLITE_NULL ? item->virtual_ns
                                                          : sqlite3_column_int64(times, 1);
    found = true;
  }
  sqlite3_finalize(times);
  cJSON_Delete(text);
  sqlite3_finalize(row);
  return found;
}

/* Some events before the moment and a few after it. */
static void choose_around(const struct rep_item *item, int64_t moment_ns, int64_t *from_ns,
                          int64_t *to_ns) {
  int64_t last = 0;
  if (!query_number(item, "select max(seq) from event where scenario_id = ?1 and t_ns <= ?2",
                    moment_ns, &last)) {
    return;
  }
  static const char time_of[] = "select t_ns from event where scenario_id = ?1 and seq = ?2";
  if (!query_number(item, time_of, last - EVENTS_AROUND, from_ns)) {
    *from_ns = 0;
  }
  if (!query_number(item, time_of, last + EVENTS_AROUND / 4, to_ns)) {
    *to_ns = item->virtual_ns;
  }
}

static void choose_window(const struct rep_item *item, int64_t *from_ns, int64_t *to_ns) {
  int64_t moment_ns = item->virtual_ns;
  *from_ns = 0;
  *to_ns = item->virtual_ns;
  if (item->events <= SHORT_TIMELINE) {
    return;
  }
  if (query_number(item, "select min(t_ns) from violation where scenario_id = ?1", 0, &moment_ns)) {
    choose_around(item, moment_ns, from_ns, to_ns);
  } else if (find_operation(item, from_ns, to_ns)) {
    int64_t margin = (*to_ns - *from_ns) / 8;
    *from_ns = *from_ns > margin ? *from_ns - margin : 0;
    *to_ns += margin;
  } else {
    (void)query_number(item,
                       "select min(t_ns) from event where scenario_id = ?1 and kind = "
                       "'expectation_failed'",
                       0, &moment_ns);
    choose_around(item, moment_ns, from_ns, to_ns);
  }
}

/* ---- Drawing ------------------------------------------------------------------------------- */

static struct lane *lane_of(struct picture *picture, enum sort sort, const char *name) {
  size_t count = picture->counts[sort];
  for (size_t i = 0; i < count; i++) {
    if (strcmp(picture->lanes[sort][i].name, name) == 0) {
      return &picture->lanes[sort][i];
    }
  }
  if (count == MOST_LANES) {
    picture->left_out++;
    return NULL;
  }
  struct lane *lane = &picture->lanes[sort][picture->counts[sort]++];
  snprintf(lane->name, sizeof lane->name, "%s", name);
  memset(lane->cells, ' ', COLUMNS);
  return lane;
}

static size_t column_of(const struct picture *picture, int64_t t_ns) {
  int64_t width = picture->to_ns - picture->from_ns;
  int64_t offset = t_ns - picture->from_ns;
  if (offset <= 0) {
    return 0;
  }
  /* A year in nanoseconds times the columns fits 64 bits; a longer window is scaled down. */
  int64_t column =
      width > INT64_MAX / (COLUMNS + 1) ? offset / (width / COLUMNS + 1) : offset * COLUMNS / width;
  return column >= COLUMNS ? COLUMNS : (size_t)column;
}

static void paint(struct picture *picture, enum sort sort, const char *name, char sign,
                  const struct rep_span *span) {
  char key[NAME_SIZE];
  snprintf(key, sizeof key, "%.*s", NAME_SIZE - 1, name);
  struct lane *lane = lane_of(picture, sort, key);
  if (lane == NULL) {
    return;
  }
  size_t first = column_of(picture, span->start_ns);
  size_t end = column_of(picture, span->end_ns);
  if (first == COLUMNS) {
    first--;
  }
  /* What is shorter than a column has one all the same. */
  for (size_t i = first; i < (end > first ? end : first + 1); i++) {
    if (sign != rep_span_sign(REP_SPAN_PING) || lane->cells[i] != '#') {
      lane->cells[i] = sign;
    }
  }
}

static void take_span(void *context, const struct rep_span *span) {
  struct picture *picture = context;
  if (span->end_ns < picture->from_ns || span->start_ns > picture->to_ns ||
      (span->start_ns == span->end_ns && span->kind != REP_SPAN_LEASE)) {
    return;
  }
  char sign = rep_span_sign(span->kind);
  char name[NAME_SIZE];
  switch (span->kind) {
    case REP_SPAN_WAIT:
      paint(picture, SORT_OPERATIONS, span->op, sign, span);
      break;
    case REP_SPAN_DIAL:
      snprintf(name, sizeof name, "dial for %.20s", span->op[0] == '\0' ? span->why : span->op);
      paint(picture, SORT_DIALS, name, sign, span);
      break;
    case REP_SPAN_LEASE:
      paint(picture, SORT_OPERATIONS, span->op, sign, span);
      paint(picture, SORT_CONNS, span->conn, sign, span);
      break;
    default:
      paint(picture, SORT_CONNS, span->conn, sign, span);
      break;
  }
}

static bool draw(struct picture *picture, const struct rep_item *item, char *message, size_t size) {
  struct rep_lanes *lanes = rep_lanes_create(take_span, picture);
  bool failed = false;
  bool enough = lanes != NULL;
  sqlite3_stmt *rows = rep_item_query(
      item,
      "select t_ns, kind, account, conn, op, detail from event where scenario_id = ?1 order by seq",
      message, size);
  while (enough && rep_item_row(item, &rows, &failed, message, size)) {
    enough = rep_lanes_event(lanes, sqlite3_column_int64(rows, 0), rep_column(rows, 1),
                             sqlite3_column_int64(rows, 2), rep_column(rows, 3),
                             rep_column(rows, 4), rep_column(rows, 5));
  }
  sqlite3_finalize(rows);
  if (enough) {
    rep_lanes_end(lanes, item->virtual_ns);
  } else {
    snprintf(message, size, "out of memory for the timeline of scenario '%s'", item->name);
  }
  rep_lanes_destroy(lanes);
  return enough && !failed;
}

/* ---- Writing ------------------------------------------------------------------------------- */

static void write_lanes(FILE *file, const struct picture *picture) {
  int width = 4;
  for (size_t sort = 0; sort < SORT_COUNT; sort++) {
    for (size_t i = 0; i < picture->counts[sort]; i++) {
      int length = (int)strlen(picture->lanes[sort][i].name);
      width = length > width ? length : width;
    }
  }
  char from[SIM_DURATION_TEXT_SIZE];
  char to[SIM_DURATION_TEXT_SIZE];
  sim_duration_format(picture->from_ns, from);
  sim_duration_format(picture->to_ns, to);
  int space = COLUMNS - (int)strlen(from) - (int)strlen(to);
  fprintf(file, "%-*s  %s%*s%s\n", width, "", from, space > 1 ? space : 1, "", to);
  for (size_t sort = 0; sort < SORT_COUNT; sort++) {
    for (size_t i = 0; i < picture->counts[sort]; i++) {
      const struct lane *lane = &picture->lanes[sort][i];
      fprintf(file, "%-*s |%s|\n", width, lane->name, lane->cells);
    }
  }
  fputs("signs", file);
  for (enum rep_span_kind kind = REP_SPAN_WAIT; kind < REP_SPAN_KIND_COUNT; kind++) {
    fprintf(file, "%s %c %s", kind == REP_SPAN_WAIT ? " " : ",", rep_span_sign(kind),
            rep_span_name(kind));
  }
  fputc('\n', file);
  if (picture->left_out > 0) {
    fprintf(file, "(%zu spans of further lanes are not shown)\n", picture->left_out);
  }
}

bool rep_picture_write(FILE *file, const struct rep_item *item, char *message, size_t size) {
  struct picture *picture = calloc(1, sizeof *picture);
  if (picture == NULL) {
    snprintf(message, size, "out of memory for the timeline of scenario '%s'", item->name);
    return false;
  }
  choose_window(item, &picture->from_ns, &picture->to_ns);
  if (picture->to_ns <= picture->from_ns) {
    picture->to_ns = picture->from_ns + 1;
  }
  bool drawn = draw(picture, item, message, size);
  if (drawn &&
      picture->counts[SORT_OPERATIONS] + picture->counts[SORT_DIALS] + picture->counts[SORT_CONNS] >
          0) {
    write_lanes(file, picture);
  }
  free(picture);
  return drawn;
}
