/*
 * cli_report.c - the command report: recorded runs in the forms that people and programs read.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/junit.h"
#include "reports/output.h"
#include "reports/report.h"
#include "reports/shell.h"
#include "scenarios/engine/cli.h"

enum { MESSAGE_SIZE = 1024, COMMAND_SIZE = 4096 };

typedef bool write_function(FILE *file, const struct rep_input *input,
                            const struct rep_about *about, char *message, size_t size);

/* The forms that go through one function; JUnit collects first. */
static const struct form {
  const char *option;
  write_function *write;
} forms[] = {
    {"--html", rep_html_write},
    {"--markdown", rep_markdown_write},
    {"--perfetto", rep_perfetto_write},
    {"--json", rep_json_write},
};

static int write_form(const struct scn_arguments *arguments, const struct form *form,
                      const char *path, const struct rep_input *input) {
  char message[MESSAGE_SIZE];
  struct rep_output output;
  const struct rep_about about = {.program = arguments->program, .version = arguments->version};
  if (!rep_output_open(&output, path)) {
    return scn_cli_failed(arguments,
                          "cannot write '%s': %s; see to its folder, or name another file with %s",
                          path, strerror(errno), form->option);
  }
  bool done = form->write(output.file, input, &about, message, sizeof message);
  bool kept = rep_output_close(&output, done);
  if (!done) {
    return scn_cli_failed(arguments, "%s", message);
  }
  return kept ? 0
              : scn_cli_failed(
                    arguments,
                    "cannot write '%s': %s; make room there, or name another file with %s", path,
                    strerror(errno), form->option);
}

static int write_junit(const struct scn_arguments *arguments, const char *path,
                       const struct rep_input *input) {
  char message[MESSAGE_SIZE] = "out of memory for the JUnit report";
  char replay[COMMAND_SIZE];
  struct rep_junit *junit = rep_junit_create();
  bool done = junit != NULL;
  for (size_t i = 0; i < input->item_count && done; i++) {
    const struct rep_item *item = &input->items[i];
    struct rep_scenario scenario = {.id = (int64_t)i + 1,
                                    .name = item->name,
                                    .path = item->path,
                                    .variant = item->variant,
                                    .seed = item->seed,
                                    .mode = item->mode,
                                    .verdict = item->verdict,
                                    .failure = item->failure,
                                    .virtual_ns = item->virtual_ns,
                                    .wall_ns = item->wall_ns,
                                    .exploration = item->exploration};
    snprintf(scenario.timeline_sha256, sizeof scenario.timeline_sha256, "%s",
             item->timeline_sha256);
    rep_shell_replay(arguments->program, item->database->path, item->id, replay, sizeof replay);
    done = rep_junit_add(junit, &scenario, replay);
  }
  done = done && rep_junit_write(junit, path, message, sizeof message);
  rep_junit_destroy(junit);
  return done ? 0 : scn_cli_failed(arguments, "%s", message);
}

/* Where there is no option, a person asks: Markdown, to the terminal. */
static int write_all(const struct scn_arguments *arguments, const struct rep_input *input) {
  int status = 0;
  bool asked = false;
  for (size_t i = 0; i < sizeof forms / sizeof *forms && status == 0; i++) {
    const char *path = scn_cli_value(arguments, forms[i].option);
    if (path != NULL) {
      asked = true;
      status = write_form(arguments, &forms[i], path, input);
    }
  }
  const char *junit = scn_cli_value(arguments, "--junit");
  if (status == 0 && junit != NULL) {
    asked = true;
    status = write_junit(arguments, junit, input);
  }
  if (status == 0 && !asked) {
    char message[MESSAGE_SIZE];
    const struct rep_about about = {.program = arguments->program, .version = arguments->version};
    if (!rep_markdown_write(stdout, input, &about, message, sizeof message)) {
      return scn_cli_failed(arguments, "%s", message);
    }
  }
  return status;
}

/* ---- Which scenarios ----------------------------------------------------------------------- */

static int read_number(const struct scn_arguments *arguments, const char *option, const char *text,
                       int64_t *number) {
  uint64_t value;
  if (!scn_cli_number(text, &value) || value < 1 || value > INT64_MAX) {
    return scn_cli_misused(arguments, "%s: expected a number from 1 on; found \"%s\"", option,
                           text);
  }
  *number = (int64_t)value;
  return 0;
}

/* `ids` has room for every option. */
static int read_choice(const struct scn_arguments *arguments, struct rep_choice *choice,
                       int64_t *ids) {
  int status = 0;
  for (size_t i = 0; i < arguments->given_count && status == 0; i++) {
    const struct scn_given *given = &arguments->given[i];
    if (strcmp(given->option->name, "--run") == 0) {
      status = read_number(arguments, "--run", given->value, &choice->run);
    } else if (strcmp(given->option->name, "--scenario") == 0) {
      status = read_number(arguments, "--scenario", given->value, &ids[choice->scenario_count]);
      choice->scenario_count++;
    }
  }
  if (status == 0 && choice->run != 0 && choice->scenario_count > 0) {
    status = scn_cli_misused(arguments, "expected --run or --scenario; found both");
  }
  choice->scenarios = ids;
  return status;
}

static int report(const struct scn_arguments *arguments) {
  char message[MESSAGE_SIZE];
  struct rep_input input = {0};
  struct rep_choice choice = {0};
  if (arguments->path_count == 0) {
    return scn_cli_misused(arguments,
                           "expected databases; found none (`poolproof run` makes poolproof.db)");
  }
  rep_output_watch_signals();
  int64_t *ids = calloc(arguments->given_count + 1, sizeof *ids);
  int status = ids == NULL ? scn_cli_failed(arguments, "out of memory for the options")
                           : read_choice(arguments, &choice, ids);
  if (status == 0) {
    status = rep_input_open(&input, arguments->paths, arguments->path_count, &choice, message,
                            sizeof message)
                 ? write_all(arguments, &input)
                 : scn_cli_misused(arguments, "%s", message);
    rep_input_deinit(&input);
  }
  free(ids);
  return status;
}

static const struct scn_option options[] = {
    {"--html", "FILE", "one page with everything, to look at in a browser"},
    {"--markdown", "FILE", "for a job's summary or a pull request"},
    {"--perfetto", "FILE", "a trace for ui.perfetto.dev or chrome://tracing"},
    {"--junit", "FILE", "JUnit XML, for build servers"},
    {"--json", "FILE", "for other programs; reports/report.schema.json describes it"},
    {"--run", "N", "only what this run recorded (table run)"},
    {"--scenario", "ID", "only this one (table scenario); given again: and that one"},
    {0},
};

const struct scn_command scn_command_report = {
    .name = "report",
    .arguments =
        "DB... [--markdown FILE] [--perfetto FILE] [--junit FILE]\n"
        "           [--json FILE] [--run N | --scenario ID]",
    .summary = "make reports of databases",
    .details =
        "Without --run and --scenario: the latest result of each path, name, variant and mode in\n"
        "each database. Without a FILE the Markdown is printed. Exit status: 0 the reports are\n"
        "written, whatever the verdicts in them are.\n",
    .options = options,
    .run = report,
};
