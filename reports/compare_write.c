/*
 * compare_write.c - a comparison as text, Markdown and HTML.
 *
 * One walk over the pairs serves all forms; a form says how a heading, a pair and a line look.
 * Limit: 50 pairs under a heading; those beyond are counted. What did not change is only counted.
 */
#include <inttypes.h>
#include <string.h>

#include "reports/compare.h"
#include "reports/markdown_text.h"
#include "reports/xml.h"
#include "sim/duration.h"

enum { MOST_PAIRS = 50, TITLE_SIZE = 1024, VALUE_SIZE = 48 };

static void html_text(FILE *file, const char *text) {
  rep_xml_text(file, text);
}

static void plain_text(FILE *file, const char *text) {
  fputs(text, file);
}

struct form {
  const char *heading[2], *list[2], *pair[2], *line[2], *code[2];
  void (*text)(FILE *file, const char *text);
  void (*code_text)(FILE *file, const char *text);
};

static const struct form text_form = {
    .heading = {"\n", "\n"},
    .list = {"", ""},
    .pair = {"  ", "\n"},
    .line = {"      ", "\n"},
    .code = {"", ""},
    .text = plain_text,
    .code_text = plain_text,
};

static const struct form markdown_form = {
    .heading = {"\n## ", "\n\n"},
    .list = {"", ""},
    .pair = {"- ", "\n"},
    .line = {"  - ", "\n"},
    .code = {"", ""},
    .text = rep_markdown_text,
    .code_text = rep_markdown_command,
};

static const struct form html_form = {
    .heading = {"<h2>", "</h2>\n"},
    .list = {"<dl>\n", "</dl>\n"},
    .pair = {"<dt>", "</dt>\n"},
    .line = {"<dd>", "</dd>\n"},
    .code = {"<code>", "</code>"},
    .text = html_text,
    .code_text = html_text,
};

struct writer {
  FILE *file;
  const struct form *form;
  const struct rep_comparison *comparison;
};

static void write_code(const struct writer *writer, const char *text) {
  fputs(writer->form->code[0], writer->file);
  writer->form->code_text(writer->file, text);
  fputs(writer->form->code[1], writer->file);
}

static void write_value(const struct rep_move *move, int64_t value, char text[VALUE_SIZE]) {
  if (move->is_duration) {
    sim_duration_format(value, text);
  } else {
    snprintf(text, VALUE_SIZE, "%" PRId64, value);
  }
}

static void write_move(const struct writer *writer, const struct rep_move *move) {
  char before[VALUE_SIZE];
  char after[VALUE_SIZE];
  char line[3 * VALUE_SIZE + 80];
  write_value(move, move->before, before);
  write_value(move, move->after, after);
  int length = snprintf(line, sizeof line, "%s: %s, was %s", move->name, after, before);
  int64_t base = move->before < 0 ? -move->before : move->before;
  int64_t difference = move->after - move->before;
  if (base > 0 && difference < INT64_MAX / 100 && difference > -(INT64_MAX / 100)) {
    snprintf(line + length, sizeof line - (size_t)length, " (%+" PRId64 "%%)",
             difference * 100 / base);
  }
  fputs(writer->form->line[0], writer->file);
  writer->form->text(writer->file, line);
  fputs(writer->form->line[1], writer->file);
}

static void write_event(const struct writer *writer, const char *side, const char *event) {
  fputs(writer->form->line[0], writer->file);
  writer->form->text(writer->file, side);
  write_code(writer, event[0] == '\0' ? "(the timeline ends)" : event);
  fputs(writer->form->line[1], writer->file);
}

/* The first line of why it does not pass. */
static void write_reason(const struct writer *writer, const char *failure) {
  char line[TITLE_SIZE];
  snprintf(line, sizeof line, "%.*s", (int)strcspn(failure, "\n"), failure);
  if (line[0] != '\0') {
    fputs(writer->form->line[0], writer->file);
    write_code(writer, line);
    fputs(writer->form->line[1], writer->file);
  }
}

static void write_pair(const struct writer *writer, const struct rep_pair *pair) {
  char title[TITLE_SIZE];
  const struct rep_item *item = pair->after != NULL ? pair->after : pair->before;
  rep_item_title(item, title, sizeof title);
  if (pair->before != NULL && pair->after != NULL &&
      strcmp(pair->before->mode, pair->after->mode) != 0) {
    size_t length = strlen(title);
    snprintf(title + length, sizeof title - length, ", was %s", pair->before->mode);
  }
  fputs(writer->form->pair[0], writer->file);
  if (item->verdict != REP_PASS) {
    fprintf(writer->file, "%s: ", rep_verdict_name(item->verdict));
  }
  writer->form->text(writer->file, title);
  if (pair->after != NULL) {
    fprintf(writer->file, ", scenario %" PRId64, pair->after->id);
  }
  if (pair->before != NULL) {
    fprintf(writer->file, "%s %" PRId64, pair->after != NULL ? ", was" : ", scenario",
            pair->before->id);
  }
  fputs(writer->form->pair[1], writer->file);
  if (pair->after != NULL && pair->after->verdict != REP_PASS) {
    write_reason(writer, pair->after->failure);
  }
  if (pair->timeline_differs) {
    char line[80];
    snprintf(line, sizeof line, "first event that differs: number %" PRId64, pair->event);
    fputs(writer->form->line[0], writer->file);
    writer->form->text(writer->file, line);
    fputs(writer->form->line[1], writer->file);
    write_event(writer, "before: ", pair->event_before);
    write_event(writer, "after:  ", pair->event_after);
  }
  for (size_t i = 0; i < pair->move_count; i++) {
    write_move(writer, &pair->moves[i]);
  }
}

static void write_heading(const struct writer *writer, enum rep_change change) {
  char line[160];
  size_t count = writer->comparison->counts[change];
  snprintf(line, sizeof line, "%zu scenario%s: %s", count, count == 1 ? "" : "s",
           rep_change_heading(change));
  fputs(writer->form->heading[0], writer->file);
  writer->form->text(writer->file, line);
  fputs(writer->form->heading[1], writer->file);
}

static void write_pairs(const struct writer *writer) {
  const struct rep_comparison *comparison = writer->comparison;
  for (size_t first = 0, next; first < comparison->pair_count; first = next) {
    enum rep_change change = comparison->pairs[first].change;
    next = first + comparison->counts[change];
    write_heading(writer, change);
    if (change == REP_CHANGE_NONE) {
      continue;
    }
    fputs(writer->form->list[0], writer->file);
    for (size_t i = first; i < next && i < first + MOST_PAIRS; i++) {
      write_pair(writer, &comparison->pairs[i]);
    }
    fputs(writer->form->list[1], writer->file);
    if (next - first > MOST_PAIRS) {
      fprintf(writer->file, "%s%zu more are not shown%s", writer->form->pair[0],
              next - first - MOST_PAIRS, writer->form->pair[1]);
    }
  }
}

static const char *outcome(const struct rep_comparison *comparison) {
  return rep_comparison_regressed(comparison) ? "a regression" : "no regression";
}

void rep_comparison_text(FILE *file, const struct rep_comparison *comparison,
                         const struct rep_sides *sides) {
  const struct writer writer = {file, &text_form, comparison};
  fprintf(file, "%s: %s, before: %s\n", outcome(comparison), sides->after, sides->before);
  write_pairs(&writer);
}

void rep_comparison_markdown(FILE *file, const struct rep_comparison *comparison,
                             const struct rep_sides *sides) {
  const struct writer writer = {file, &markdown_form, comparison};
  fprintf(file, "# poolproof: %s\n\n", outcome(comparison));
  rep_markdown_command(file, sides->after);
  fputs(", before: ", file);
  rep_markdown_command(file, sides->before);
  fprintf(file, ". Of timelines that differ, what moved by more than %d%% is told.\n",
          comparison->threshold_percent);
  write_pairs(&writer);
}

void rep_comparison_html(FILE *file, const struct rep_comparison *comparison,
                         const struct rep_sides *sides) {
  const struct writer writer = {file, &html_form, comparison};
  fputs(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>poolproof: comparison</title>\n<style>\n"
      ":root { color-scheme: light dark; }\n"
      "body { font: 1rem/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; "
      "padding: 0 1rem; }\n"
      "h2 { font-size: 1.1rem; margin-top: 2rem; }\n"
      "dt { font-weight: 600; margin-top: .8rem; }\n"
      "code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }\n"
      "</style>\n</head>\n<body>\n<main>\n",
      file);
  fprintf(file, "<h1>poolproof: %s</h1>\n<p><code>", outcome(comparison));
  rep_xml_text(file, sides->after);
  fputs("</code>, before: <code>", file);
  rep_xml_text(file, sides->before);
  fprintf(file, "</code>. Of timelines that differ, what moved by more than %d%% is told.</p>\n",
          comparison->threshold_percent);
  write_pairs(&writer);
  fputs("</main>\n</body>\n</html>\n", file);
}
