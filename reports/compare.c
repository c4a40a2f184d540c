/*
 * compare.c - matches the results of two inputs and looks into those that differ.
 */
#include "reports/compare.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "reports/measures.h"
#include "sim/duration.h"

const char *rep_change_heading(enum rep_change change) {
#define REP_HEADING(id, heading, regression) heading,
  static const char *const headings[] = {REP_CHANGE_LIST(REP_HEADING)};
  return headings[change];
}

bool rep_comparison_regressed(const struct rep_comparison *comparison) {
#define REP_REGRESSION(id, heading, regression) regression,
  static const bool regressions[] = {REP_CHANGE_LIST(REP_REGRESSION)};
  for (size_t i = 0; i < REP_CHANGE_COUNT; i++) {
    if (regressions[i] && comparison->counts[i] > 0) {
      return true;
    }
  }
  return false;
}

void rep_comparison_deinit(struct rep_comparison *comparison) {
  for (size_t i = 0; i < comparison->pair_count; i++) {
    free(comparison->pairs[i].moves);
  }
  free(comparison->pairs);
  *comparison = (struct rep_comparison){0};
}

/* ---- Matching ------------------------------------------------------------------------------ */

static int compare_names(const struct rep_item *a, const struct rep_item *b) {
  int order = strcmp(a->name, b->name);
  order = order != 0 ? order : strcmp(a->variant, b->variant);
  return order != 0 ? order : (a->seed > b->seed) - (a->seed < b->seed);
}

static int compare_keys(const struct rep_item *a, const struct rep_item *b) {
  int order = compare_names(a, b);
  return order != 0 ? order : strcmp(a->mode, b->mode);
}

/* Items lie in the order in which they were recorded: a later one has the higher address. */
static int by_key(const void *left, const void *right) {
  const struct rep_item *const *a = left;
  const struct rep_item *const *b = right;
  int order = compare_keys(*a, *b);
  return order != 0 ? order : (*a > *b) - (*a < *b);
}

/* The items by key, the latest of each. NULL: no memory. */
static const struct rep_item **sorted(const struct rep_input *input, size_t *count) {
  const struct rep_item **items = malloc((input->item_count + 1) * sizeof *items);
  *count = 0;
  if (items == NULL) {
    return NULL;
  }
  for (size_t i = 0; i < input->item_count; i++) {
    items[i] = &input->items[i];
  }
  qsort(items, input->item_count, sizeof *items, by_key);
  for (size_t i = 0; i < input->item_count; i++) {
    bool last = i + 1 == input->item_count || compare_keys(items[i], items[i + 1]) != 0;
    if (last) {
      items[(*count)++] = items[i];
    }
  }
  return items;
}

static enum rep_change change_of(const struct rep_pair *pair) {
  if (pair->after == NULL) {
    return REP_CHANGE_GONE;
  }
  bool passes = pair->after->verdict == REP_PASS;
  if (pair->before == NULL) {
    return passes ? REP_CHANGE_NEW : REP_CHANGE_NEW_BAD;
  }
  bool passed = pair->before->verdict == REP_PASS;
  if (passed != passes) {
    return passes ? REP_CHANGE_FIXED : REP_CHANGE_BROKEN;
  }
  return !passes                  ? REP_CHANGE_STILL_BAD
         : pair->timeline_differs ? REP_CHANGE_MOVED
                                  : REP_CHANGE_NONE;
}

/* ---- Timelines ----------------------------------------------------------------------------- */

static void describe_event(sqlite3_stmt *row, bool present, char *text, size_t size) {
  char time[SIM_DURATION_TEXT_SIZE];
  if (!present) {
    text[0] = '\0';
    return;
  }
  sim_duration_format(sqlite3_column_int64(row, 1), time);
  int length = snprintf(text, size, "%s %s", time, rep_column(row, 2));
  static const char *const names[] = {"account", "conn", "op"};
  for (int i = 0; i < 3 && length < (int)size; i++) {
    const char *value = rep_column(row, 3 + i);
    if (value[0] != '\0') {
      length += snprintf(text + length, size - (size_t)length, " %s=%s", names[i], value);
    }
  }
  if (length < (int)size && rep_column(row, 6)[0] != '\0') {
    snprintf(text + length, size - (size_t)length, " %s", rep_column(row, 6));
  }
}

static bool same_event(sqlite3_stmt *a, sqlite3_stmt *b) {
  if (sqlite3_column_int64(a, 1) != sqlite3_column_int64(b, 1)) {
    return false;
  }
  for (int column = 2; column <= 6; column++) {
    if (strcmp(rep_column(a, column), rep_column(b, column)) != 0) {
      return false;
    }
  }
  return true;
}

static bool is_of_two_modes(const struct rep_pair *pair) {
  return strcmp(pair->before->mode, pair->after->mode) != 0;
}

/* Finds the first event that differs, if there is one. */
static bool find_difference(struct rep_pair *pair, char *message, size_t size) {
  static const char with_texts[] =
      "select seq, t_ns, kind, account, conn, op, detail from event where scenario_id = ?1 order "
      "by seq";
  static const char without_texts[] =
      "select seq, t_ns, kind, account, conn, op, json_remove(detail, '$.text') from event where "
      "scenario_id = ?1 order by seq";
  const char *query = is_of_two_modes(pair) ? without_texts : with_texts;
  bool failed = false;
  sqlite3_stmt *before = rep_item_query(pair->before, query, message, size);
  sqlite3_stmt *after = rep_item_query(pair->after, query, message, size);
  for (pair->event = 1;; pair->event++) {
    bool has_before = rep_item_row(pair->before, &before, &failed, message, size);
    bool has_after = rep_item_row(pair->after, &after, &failed, message, size);
    if (!failed && !has_before && !has_after) {
      pair->timeline_differs = false;
      break;
    }
    if (failed || !has_before || !has_after || !same_event(before, after)) {
      describe_event(before, has_before, pair->event_before, sizeof pair->event_before);
      describe_event(after, has_after, pair->event_after, sizeof pair->event_after);
      break;
    }
  }
  sqlite3_finalize(before);
  sqlite3_finalize(after);
  return !failed;
}

/* ---- Totals and durations ------------------------------------------------------------------ */

static bool moved(int64_t before, int64_t after, int threshold_percent) {
  int64_t difference = after > before ? after - before : before - after;
  int64_t base = before < 0 ? -before : before;
  /* Without a product that could overflow. */
  return difference > base / 100 * threshold_percent + base % 100 * threshold_percent / 100;
}

static void note_move(struct rep_pair *pair, int threshold_percent, const char *name,
                      const char *suffix, bool is_duration, int64_t before, int64_t after) {
  if (pair->move_count < REP_MOVES_MOST && moved(before, after, threshold_percent)) {
    struct rep_move *move = &pair->moves[pair->move_count++];
    *move = (struct rep_move){.is_duration = is_duration,
                              .is_longer = is_duration && after > before,
                              .before = before,
                              .after = after};
    snprintf(move->name, sizeof move->name, "%s%s", name, suffix);
  }
}

static bool compare_durations(struct rep_pair *pair, int threshold_percent, char *message,
                              size_t size) {
  static const unsigned per_mille[] = {500, 990, 1000};
  static const char *const suffixes[] = {" p50", " p99", " max"};
  struct rep_measures before = {0};
  struct rep_measures after = {0};
  bool read = rep_measures_read(&before, pair->before, message, size) &&
              rep_measures_read(&after, pair->after, message, size);
  for (enum rep_measure each = REP_MEASURE_QUEUE_WAIT; read && each < REP_MEASURE_COUNT; each++) {
    const struct rep_samples *a = &before.samples[each];
    const struct rep_samples *b = &after.samples[each];
    note_move(pair, threshold_percent, rep_measure_name(each), " count", false, (int64_t)a->count,
              (int64_t)b->count);
    for (size_t i = 0; i < 3 && a->count > 0 && b->count > 0; i++) {
      note_move(pair, threshold_percent, rep_measure_name(each), suffixes[i], true,
                rep_samples_percentile(a, per_mille[i]), rep_samples_percentile(b, per_mille[i]));
    }
  }
  rep_measures_deinit(&before);
  rep_measures_deinit(&after);
  return read;
}

/* The whole numbers among the pool's totals; a ratio follows from them. */
static bool compare_totals(struct rep_pair *pair, int threshold_percent, char *message,
                           size_t size) {
  static const char query[] =
      "select name, value from metric where scenario_id = ?1 and account is null and "
      "typeof(value) = 'integer' order by name";
  bool failed = false;
  sqlite3_stmt *before = rep_item_query(pair->before, query, message, size);
  sqlite3_stmt *after = rep_item_query(pair->after, query, message, size);
  bool has_before = rep_item_row(pair->before, &before, &failed, message, size);
  bool has_after = rep_item_row(pair->after, &after, &failed, message, size);
  while (has_before && has_after) {
    int order = strcmp(rep_column(before, 0), rep_column(after, 0));
    if (order == 0) {
      note_move(pair, threshold_percent, rep_column(before, 0), "", false,
                sqlite3_column_int64(before, 1), sqlite3_column_int64(after, 1));
    }
    if (order <= 0) {
      has_before = rep_item_row(pair->before, &before, &failed, message, size);
    }
    if (order >= 0) {
      has_after = rep_item_row(pair->after, &after, &failed, message, size);
    }
  }
  sqlite3_finalize(before);
  sqlite3_finalize(after);
  return !failed;
}

static bool look_into(struct rep_comparison *comparison, struct rep_pair *pair, char *message,
                      size_t size) {
  if (pair->before == NULL || pair->after == NULL ||
      strcmp(pair->before->timeline_sha256, pair->after->timeline_sha256) == 0) {
    return true;
  }
  pair->timeline_differs = true;
  pair->moves = calloc(REP_MOVES_MOST, sizeof *pair->moves);
  if (pair->moves == NULL) {
    snprintf(message, size, "out of memory for the comparison");
    return false;
  }
  bool done = find_difference(pair, message, size);
  if (!pair->timeline_differs) {
    return done;
  }
  done = done && compare_durations(pair, comparison->threshold_percent, message, size) &&
         compare_totals(pair, comparison->threshold_percent, message, size);
  for (size_t i = 0; i < pair->move_count; i++) {
    if (pair->moves[i].is_longer) {
      comparison->longer++;
      break;
    }
  }
  return done;
}

/* ---- All of it ----------------------------------------------------------------------------- */

static int by_change(const void *left, const void *right) {
  const struct rep_pair *a = left;
  const struct rep_pair *b = right;
  if (a->change != b->change) {
    return a->change < b->change ? -1 : 1;
  }
  return compare_keys(a->after != NULL ? a->after : a->before,
                      b->after != NULL ? b->after : b->before);
}

/* Whether its scenario was run in one mode only. */
static bool is_alone(const struct rep_item **items, size_t index, size_t count) {
  return index < count && (index == 0 || compare_names(items[index - 1], items[index]) != 0) &&
         (index + 1 >= count || compare_names(items[index], items[index + 1]) != 0);
}

static void pair_up(struct rep_comparison *comparison, const struct rep_item **before,
                    size_t before_count, const struct rep_item **after, size_t after_count) {
  size_t a = 0;
  size_t b = 0;
  while (a < before_count || b < after_count) {
    bool alone = is_alone(before, a, before_count) && is_alone(after, b, after_count);
    int (*compare)(const struct rep_item *, const struct rep_item *) =
        alone ? compare_names : compare_keys;
    int order = a == before_count ? 1 : b == after_count ? -1 : compare(before[a], after[b]);
    struct rep_pair *pair = &comparison->pairs[comparison->pair_count++];
    *pair = (struct rep_pair){.before = order <= 0 ? before[a] : NULL,
                              .after = order >= 0 ? after[b] : NULL};
    a += order <= 0;
    b += order >= 0;
  }
}

bool rep_compare(struct rep_comparison *comparison, const struct rep_input *before,
                 const struct rep_input *after, int threshold_percent, char *message, size_t size) {
  size_t before_count;
  size_t after_count;
  const struct rep_item **a = sorted(before, &before_count);
  const struct rep_item **b = sorted(after, &after_count);
  *comparison = (struct rep_comparison){
      .threshold_percent = threshold_percent,
      .pairs = calloc(before_count + after_count + 1, sizeof *comparison->pairs)};
  bool done = a != NULL && b != NULL && comparison->pairs != NULL;
  if (done) {
    pair_up(comparison, a, before_count, b, after_count);
  } else {
    snprintf(message, size, "out of memory for the comparison");
  }
  for (size_t i = 0; i < comparison->pair_count && done; i++) {
    struct rep_pair *pair = &comparison->pairs[i];
    done = look_into(comparison, pair, message, size);
    pair->change = change_of(pair);
    comparison->counts[pair->change]++;
  }
  if (done) {
    qsort(comparison->pairs, comparison->pair_count, sizeof *comparison->pairs, by_change);
  }
  free(a);
  free(b);
  return done;
}
