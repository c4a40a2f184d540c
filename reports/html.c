/*
 * html.c - recorded runs as one HTML file that needs nothing else.
 *
 * Whole timelines are in it for as many scenarios as TIMELINE_EVENTS events allow: first of those
 * that did not pass, then of the shortest. The page says of the others how to make a page of them.
 */
#include <stdlib.h>

#include "reports/json_text.h"
#include "reports/packed.h"
#include "reports/page.h"
#include "reports/report.h"

#define TIMELINE_EVENTS INT64_C(2000000)

static int by_need(const void *left, const void *right) {
  const struct rep_item *const *a = left;
  const struct rep_item *const *b = right;
  int order = ((*a)->verdict == REP_PASS) - ((*b)->verdict == REP_PASS);
  if (order == 0) {
    order = ((*a)->events > (*b)->events) - ((*a)->events < (*b)->events);
  }
  return order != 0 ? order : (*a > *b) - (*a < *b);
}

/* Sets those elements of `has_timeline` whose timelines go into the page. False: no memory. */
static bool choose_timelines(const struct rep_input *input, bool *has_timeline) {
  const struct rep_item **items = malloc((input->item_count + 1) * sizeof *items);
  if (items == NULL) {
    return false;
  }
  for (size_t i = 0; i < input->item_count; i++) {
    items[i] = &input->items[i];
  }
  qsort(items, input->item_count, sizeof *items, by_need);
  int64_t events = 0;
  for (size_t i = 0; i < input->item_count; i++) {
    /* One that is too long for the limit alone is in its own page all the same. */
    if (events + items[i]->events <= TIMELINE_EVENTS || input->item_count == 1) {
      events += items[i]->events;
      has_timeline[items[i] - input->items] = true;
    }
  }
  free(items);
  return true;
}

static bool write_data(FILE *file, const struct rep_input *input, const struct rep_about *about,
                       const bool *has_timeline, char *message, size_t size) {
  bool done = true;
  fputs("<script type=\"application/json\" id=\"data\">\n", file);
  fputs("{\"version\": ", file);
  rep_json_string(file, about->version);
  fputs(", \"program\": ", file);
  rep_json_string(file, about->program);
  fprintf(file, ", \"superseded\": %lld, \"databases\": [", (long long)input->superseded);
  for (size_t i = 0; i < input->database_count; i++) {
    fputs(i == 0 ? "" : ", ", file);
    rep_json_string(file, input->databases[i].path);
  }
  fputs("],\n  \"scenarios\": [\n", file);
  for (size_t i = 0; i < input->item_count && done; i++) {
    fputs(i == 0 ? "" : ",\n", file);
    done = rep_json_item(file, &input->items[i], about, message, size);
  }
  fputs("]}\n</script>\n", file);
  for (size_t i = 0; i < input->item_count && done; i++) {
    if (has_timeline[i]) {
      fprintf(file, "<script type=\"text/plain\" id=\"timeline-%zu\">", i);
      done = rep_packed_write(file, &input->items[i], message, size);
      fputs("</script>\n", file);
    }
  }
  return done;
}

bool rep_html_write(FILE *file, const struct rep_input *input, const struct rep_about *about,
                    char *message, size_t size) {
  size_t head_size;
  size_t tail_size;
  const unsigned char *head = rep_page_part(REP_PAGE_HEAD, &head_size);
  const unsigned char *tail = rep_page_part(REP_PAGE_TAIL, &tail_size);
  if (head == NULL || tail == NULL) {
    snprintf(message, size,
             "--html: this build has no HTML page, because its chart library (uPlot, of npm) was "
             "not there when it was configured; 'sh scenarios/run.sh' gets it and builds again");
    return false;
  }
  bool *has_timeline = calloc(input->item_count + 1, sizeof *has_timeline);
  if (has_timeline == NULL || !choose_timelines(input, has_timeline)) {
    snprintf(message, size, "out of memory for the page");
    free(has_timeline);
    return false;
  }
  fwrite(head, 1, head_size, file);
  bool done = write_data(file, input, about, has_timeline, message, size);
  fwrite(tail, 1, tail_size, file);
  free(has_timeline);
  return done;
}
