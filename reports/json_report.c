/*
 * json_report.c - recorded runs as one JSON document, described by report.schema.json.
 *
 * It has what a program asks of a run: verdicts, reasons, totals, how long things took. Timelines
 * are in the database. Numbers over 2^53 would lose digits in many readers: seeds are strings.
 */
#include <inttypes.h>

#include "reports/coverage.h"
#include "reports/json_text.h"
#include "reports/measures.h"
#include "reports/report.h"
#include "reports/shell.h"
#include "reports/summary.h"

enum { COMMAND_SIZE = 4096 };

static void write_counts(FILE *file, const struct rep_input *input) {
  fprintf(file, "  \"totals\": {\"scenarios\": %zu, \"events\": %" PRId64, input->item_count,
          input->events);
  for (enum rep_verdict verdict = REP_PASS; verdict <= REP_HANG; verdict++) {
    fprintf(file, ", \"%s\": %zu", rep_verdict_name(verdict), input->counts[verdict]);
  }
  fprintf(file, ", \"superseded\": %" PRId64 "},\n", input->superseded);
}

static bool write_expectations(FILE *file, const struct rep_item *item, char *message,
                               size_t size) {
  bool failed = false;
  const char *separator = "";
  sqlite3_stmt *rows = rep_item_query(
      item, "select idx, text, passed, actual from expectation where scenario_id = ?1 order by idx",
      message, size);
  fputs(",\n     \"expectations\": [", file);
  while (rep_item_row(item, &rows, &failed, message, size)) {
    fprintf(file, "%s\n       {\"index\": %" PRId64 ", \"passed\": %s, \"text\": ", separator,
            (int64_t)sqlite3_column_int64(rows, 0),
            sqlite3_column_int(rows, 2) != 0 ? "true" : "false");
    rep_json_string(file, rep_column(rows, 1));
    fputs(", \"actual\": ", file);
    rep_json_string_or_null(file, rep_column(rows, 3));
    fputc('}', file);
    separator = ",";
  }
  fputc(']', file);
  return !failed;
}

static bool write_violations(FILE *file, const struct rep_item *item, char *message, size_t size) {
  bool failed = false;
  const char *separator = "";
  sqlite3_stmt *rows = rep_item_query(
      item,
      "select t_ns, invariant, detail from violation where scenario_id = ?1 order by t_ns, rowid",
      message, size);
  fputs(",\n     \"violations\": [", file);
  while (rep_item_row(item, &rows, &failed, message, size)) {
    fprintf(file, "%s\n       {\"t_ns\": %" PRId64 ", \"invariant\": ", separator,
            (int64_t)sqlite3_column_int64(rows, 0));
    rep_json_string(file, rep_column(rows, 1));
    fputs(", \"detail\": ", file);
    rep_json_string_or_null(file, rep_column(rows, 2));
    fputc('}', file);
    separator = ",";
  }
  fputc(']', file);
  return !failed;
}

/* Final values: those of the whole pool. */
static bool write_metrics(FILE *file, const struct rep_item *item, char *message, size_t size) {
  bool failed = false;
  const char *separator = "";
  sqlite3_stmt *rows = rep_item_query(item,
                                      "select name, value from metric where scenario_id = ?1 and "
                                      "account is null order by t_ns, rowid",
                                      message, size);
  fputs(",\n     \"metrics\": {", file);
  while (rep_item_row(item, &rows, &failed, message, size)) {
    fputs(separator, file);
    rep_json_string(file, rep_column(rows, 0));
    fprintf(file, ": %s", rep_column(rows, 1));
    separator = ", ";
  }
  fputc('}', file);
  return !failed;
}

static bool write_measures(FILE *file, const struct rep_item *item, char *message, size_t size) {
  static const unsigned per_mille[] = {500, 900, 990, 999, 1000};
  static const char *const keys[] = {"p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "max_ns"};
  struct rep_measures measures;
  const char *separator = "";
  bool read = rep_measures_read(&measures, item, message, size);
  fputs(",\n     \"durations\": {", file);
  for (enum rep_measure each = REP_MEASURE_QUEUE_WAIT; each < REP_MEASURE_COUNT; each++) {
    const struct rep_samples *samples = &measures.samples[each];
    fprintf(file, "%s\"%s\": {\"count\": %zu", separator, rep_measure_name(each), samples->count);
    for (size_t i = 0; i < sizeof keys / sizeof *keys && samples->count > 0; i++) {
      fprintf(file, ", \"%s\": %" PRId64, keys[i], rep_samples_percentile(samples, per_mille[i]));
    }
    fputc('}', file);
    separator = ", ";
  }
  fputc('}', file);
  rep_measures_deinit(&measures);
  return read;
}

static bool write_summary(FILE *file, const struct rep_item *item, char *message, size_t size) {
  struct rep_summary summary;
  if (!rep_summary_read(&summary, item, message, size)) {
    return false;
  }
  const char *separator = "";
  fputs(",\n     \"operations\": {", file);
#define WRITE_COUNT(name, kind)                                                   \
  fprintf(file, "%s\"" #name "\": %" PRId64, separator, summary.operations.name); \
  separator = ", ";
  REP_OPERATION_LIST(WRITE_COUNT)
#undef WRITE_COUNT
  fputs("},\n     \"gauges\": {", file);
  for (size_t i = 0; i < summary.gauge_count; i++) {
    const struct rep_gauge *gauge = &summary.gauges[i];
    fputs(i == 0 ? "" : ", ", file);
    rep_json_string(file, gauge->name);
    fprintf(file, ": {\"mean_thousandths\": %" PRId64 ", \"most_of_an_account\": %" PRId64 "}",
            gauge->mean_thousandths, gauge->most_of_an_account);
  }
  fputc('}', file);
  return true;
}

static void write_text(FILE *file, const char *key, const char *text) {
  fprintf(file, ", \"%s\": ", key);
  rep_json_string(file, text);
}

static void write_text_or_null(FILE *file, const char *key, const char *text) {
  fprintf(file, ", \"%s\": ", key);
  rep_json_string_or_null(file, text);
}

static void write_number_or_null(FILE *file, const char *key, uint64_t number) {
  if (number == 0) {
    fprintf(file, ", \"%s\": null", key);
  } else {
    fprintf(file, ", \"%s\": %" PRIu64, key, number);
  }
}

static void write_exploration(FILE *file, const struct rep_item *item) {
  const struct rep_exploration *exploration = &item->exploration;
  char coverage[REP_COVERAGE_SIZE];
  if (exploration->strategy == NULL) {
    fputs(",\n     \"exploration\": null", file);
    return;
  }
  rep_coverage_describe(exploration, coverage);
  fputs(",\n     \"exploration\": {\"strategy\": ", file);
  rep_json_string(file, exploration->strategy);
  write_text(file, "coverage", coverage);
  fprintf(file, ", \"runs\": %" PRIu64 ", \"faulted\": %" PRIu64 ", \"schedules\": %" PRIu64,
          exploration->runs, exploration->faulted, exploration->schedules);
  write_number_or_null(file, "states", exploration->states);
  write_number_or_null(file, "orders", exploration->orders);
  fprintf(file,
          ", \"complete\": %s, \"events\": %" PRIu64 ", \"events_per_second\": %" PRIu64
          ", \"wall_ns\": %" PRId64 "}",
          exploration->complete ? "true" : "false", exploration->events,
          rep_coverage_rate(exploration), exploration->wall_ns);
}

bool rep_json_item(FILE *file, const struct rep_item *item, const struct rep_about *about,
                   char *message, size_t size) {
  char command[COMMAND_SIZE];
  fputs("    {\"database\": ", file);
  rep_json_string(file, item->database->path);
  fprintf(file, ", \"id\": %" PRId64 ", \"run\": %" PRId64, item->id, item->run_id);
  write_text(file, "name", item->name);
  write_text(file, "variant", item->variant);
  write_text(file, "path", item->path);
  fprintf(file, ",\n     \"seed\": \"%" PRIu64 "\"", item->seed);
  write_text_or_null(file, "schedule", item->schedule);
  write_text(file, "mode", item->mode);
  write_text(file, "verdict", rep_verdict_name(item->verdict));
  write_text_or_null(file, "failure", item->failure);
  fprintf(file,
          ",\n     \"virtual_ns\": %" PRId64 ", \"wall_ns\": %" PRId64 ", \"events\": %" PRId64,
          item->virtual_ns, item->wall_ns, item->events);
  write_text_or_null(file, "timeline_sha256", item->timeline_sha256);
  rep_shell_replay(about->program, item->database->path, item->id, command, sizeof command);
  write_text(file, "replay", command);
  write_exploration(file, item);
  bool done =
      write_measures(file, item, message, size) && write_summary(file, item, message, size) &&
      write_metrics(file, item, message, size) && write_expectations(file, item, message, size) &&
      write_violations(file, item, message, size);
  fputc('}', file);
  return done;
}

static bool write_runs(FILE *file, const struct rep_input *input, char *message, size_t size) {
  bool failed = false;
  const char *separator = "";
  fputs("  \"runs\": [", file);
  for (size_t i = 0; i < input->database_count && !failed; i++) {
    /* No scenario: the parameter of the query is 0. */
    const struct rep_item all = {.database = &input->databases[i]};
    sqlite3_stmt *rows = rep_item_query(
        &all,
        "select id, started_at, finished_at, command, version, host from run where ?1 = 0 "
        "order by id",
        message, size);
    while (rep_item_row(&all, &rows, &failed, message, size)) {
      fprintf(file, "%s\n    {\"database\": ", separator);
      rep_json_string(file, input->databases[i].path);
      fprintf(file, ", \"id\": %" PRId64, (int64_t)sqlite3_column_int64(rows, 0));
      write_text(file, "started_at", rep_column(rows, 1));
      write_text_or_null(file, "finished_at", rep_column(rows, 2));
      write_text(file, "command", rep_column(rows, 3));
      write_text(file, "version", rep_column(rows, 4));
      write_text(file, "host", rep_column(rows, 5));
      fputc('}', file);
      separator = ",";
    }
  }
  fputs("],\n", file);
  return !failed;
}

bool rep_json_write(FILE *file, const struct rep_input *input, const struct rep_about *about,
                    char *message, size_t size) {
  fputs("{\"format\": \"poolproof-report\", \"format_version\": 1", file);
  write_text(file, "version", about->version);
  fputs(",\n", file);
  write_counts(file, input);
  bool done = write_runs(file, input, message, size);
  fputs("  \"scenarios\": [", file);
  for (size_t i = 0; i < input->item_count && done; i++) {
    fputs(i == 0 ? "\n" : ",\n", file);
    done = rep_json_item(file, &input->items[i], about, message, size);
  }
  fputs("]}\n", file);
  return done;
}
