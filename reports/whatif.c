/*
 * whatif.c - a table for each scenario with variants.
 *
 * Limits: the variants of a scenario follow one another in the input, as they are recorded; 10
 * tables, 50 rows each.
 */
#include "reports/whatif.h"

#include <inttypes.h>
#include <string.h>

#include "reports/markdown_text.h"
#include "reports/measures.h"
#include "reports/summary.h"
#include "sim/duration.h"

enum { MOST_TABLES = 10, MOST_ROWS = 50 };

/* How many items from `first` on are variants of one scenario. */
static size_t count_variants(const struct rep_input *input, size_t first) {
  const struct rep_item *item = &input->items[first];
  size_t count = 0;
  while (item->variant[0] != '\0' && first + count < input->item_count) {
    const struct rep_item *other = &input->items[first + count];
    if (other->database != item->database || other->variant[0] == '\0' ||
        strcmp(other->name, item->name) != 0 || strcmp(other->path, item->path) != 0) {
      break;
    }
    count++;
  }
  return count;
}

static void write_percentile(FILE *file, const struct rep_samples *samples, unsigned per_mille) {
  char text[SIM_DURATION_TEXT_SIZE] = "none";
  if (samples->count > 0) {
    sim_duration_format(rep_samples_percentile(samples, per_mille), text);
  }
  fprintf(file, " %s |", text);
}

static bool write_row(FILE *file, const struct rep_item *item, char *message, size_t size) {
  struct rep_summary summary;
  struct rep_measures measures = {0};
  bool read = rep_summary_read(&summary, item, message, size) &&
              rep_measures_read(&measures, item, message, size);
  if (read) {
    const struct rep_samples *waits = &measures.samples[REP_MEASURE_QUEUE_WAIT];
    const struct rep_gauge *idle = rep_summary_gauge(&summary, "idle");
    fputs("| ", file);
    rep_markdown_text(file, item->variant);
    fprintf(file, " | %s |", rep_verdict_name(item->verdict));
    write_percentile(file, waits, 500);
    write_percentile(file, waits, 990);
    fprintf(file, " %" PRId64 " | %" PRId64 " |", summary.operations.dials,
            summary.operations.acquires_failed);
    if (idle == NULL) {
      fputs(" none |\n", file);
    } else {
      fprintf(file, " %" PRId64 ".%02" PRId64 " |\n", idle->mean_thousandths / 1000,
              idle->mean_thousandths % 1000 / 10);
    }
  }
  rep_measures_deinit(&measures);
  return read;
}

static bool write_table(FILE *file, const struct rep_item *items, size_t count, char *message,
                        size_t size) {
  bool done = true;
  fputs("\n## What if: ", file);
  rep_markdown_text(file, items[0].name);
  fputs(
      "\n\n| variant | verdict | wait p50 | wait p99 | dials | failed acquires | idle conns, mean |"
      "\n|---|---|--:|--:|--:|--:|--:|\n",
      file);
  for (size_t i = 0; i < count && i < MOST_ROWS && done; i++) {
    done = write_row(file, &items[i], message, size);
  }
  if (count > MOST_ROWS) {
    fprintf(file, "\n%zu more variants are not shown.\n", count - MOST_ROWS);
  }
  return done;
}

bool rep_whatif_markdown(FILE *file, const struct rep_input *input, char *message, size_t size) {
  bool done = true;
  size_t tables = 0;
  for (size_t first = 0; first < input->item_count && done;) {
    size_t count = count_variants(input, first);
    if (count > 1 && tables++ < MOST_TABLES) {
      done = write_table(file, &input->items[first], count, message, size);
    }
    first += count > 0 ? count : 1;
  }
  if (tables > MOST_TABLES) {
    fprintf(file, "\n%zu more scenarios have variants.\n", tables - MOST_TABLES);
  }
  return done;
}
