/*
 * cli_shrink.c - the command shrink: the smallest scenario that still fails in the same way.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scenarios/engine/cli_pool.h"
#include "scenarios/engine/cli_recorded.h"
#include "scenarios/engine/cli_settings.h"
#include "scenarios/engine/expect_text.h"
#include "scenarios/engine/shrink_oracle.h"
#include "scenarios/engine/worker.h"

enum { DEFAULT_CANDIDATES = 20000, NAME_LIMIT = 200 };

struct session {
  const struct scn_arguments *arguments;
  struct scn_recorded_run run;
  struct scn_shrink_runs runs;
  struct scn_shrunk shrunk;
  uint64_t most_candidates;
  int64_t started_ns, next_progress_ns;
  bool progress;
};

/* How large a scenario is, for the table of before and after. */
struct extent {
  size_t steps, loads, accounts, expectations, choices, faults, bytes;
  struct scn_run_size run;
};

static volatile sig_atomic_t interrupted;

static void remember(int number) {
  interrupted = number;
}

/* ---- How large it is ---------------------------------------------------------------------- */

/* A choice has a colon, a fault an @. */
static size_t count_items(const char *schedule, char mark) {
  size_t count = 0;
  for (; *schedule != '\0'; schedule++) {
    count += *schedule == mark;
  }
  return count;
}

static struct extent extent_of(const struct session *session) {
  const struct scn_shrunk *shrunk = &session->shrunk;
  char *text = scn_tree_text(shrunk->tree);
  const struct extent extent = {.steps = scn_tree_count(shrunk->tree, "steps"),
                                .loads = scn_tree_count(shrunk->tree, "load"),
                                .accounts = scn_tree_count(shrunk->tree, "accounts"),
                                .expectations = scn_tree_count(shrunk->tree, "expect"),
                                .choices = count_items(shrunk->schedule, ':'),
                                .faults = count_items(shrunk->schedule, '@'),
                                .bytes = text == NULL ? 0 : strlen(text),
                                .run = session->runs.size};
  free(text);
  return extent;
}

static void print_numbers(const char *name, size_t before, size_t after) {
  if (before > 0 || after > 0) {
    printf("  %-24s %10zu -> %zu\n", name, before, after);
  }
}

static void print_reduction(const struct extent *before, const struct extent *after) {
  print_numbers("steps", before->steps, after->steps);
  print_numbers("loads", before->loads, after->loads);
  print_numbers("accounts", before->accounts, after->accounts);
  print_numbers("expectations", before->expectations, after->expectations);
  print_numbers("choices out of turn", before->choices, after->choices);
  print_numbers("faults", before->faults, after->faults);
  print_numbers("events of the run", (size_t)before->run.events, (size_t)after->run.events);
  struct scn_text times = {0};
  scn_text_duration(&times, before->run.virtual_ns);
  size_t length = times.length;
  scn_text_append(&times, " -> ");
  scn_text_duration(&times, after->run.virtual_ns);
  char *text = scn_text_take(&times);
  printf("  %-24s %*s%s\n", "virtual time", (int)(length < 10 ? 10 - length : 0), "",
         text == NULL ? "" : text);
  free(text);
  print_numbers("bytes of the file", before->bytes, after->bytes);
}

/* ---- While it works ----------------------------------------------------------------------- */

static bool fails(void *context, const char *text, char **schedule,
                  struct scn_arrivals_seen *seen) {
  struct session *session = context;
  return scn_shrink_runs_fail(&session->runs, text, schedule, seen);
}

static bool go_on(void *context, const struct scn_shrunk *so_far) {
  struct session *session = context;
  int64_t now = scn_wall_clock_ns();
  if (session->progress && now >= session->next_progress_ns) {
    session->next_progress_ns = now + WSP_SECOND / 4;
    fprintf(stderr, "\r\033[Kshrink: %" PRIu64 " candidates, %zu steps left", so_far->tried,
            scn_tree_count(so_far->tree, "steps"));
    fflush(stderr);
  }
  return interrupted == 0 && so_far->tried < session->most_candidates;
}

/* ---- What is written ---------------------------------------------------------------------- */

static bool describe(struct session *session) {
  const struct rep_recorded *recorded = &session->run.recorded;
  cJSON *tree = session->shrunk.tree;
  char name[NAME_LIMIT + 1];
  char description[256];
  snprintf(name, sizeof name, "%.190s-shrunk", recorded->name);
  snprintf(description, sizeof description,
           "The smallest part of %.100s that fails in the same way: %.60s.", recorded->name,
           strncmp(session->runs.failure_class, "expectation", 11) == 0
               ? "the expectation below does not hold"
               : session->runs.failure_class);
  bool done = scn_tree_set_text(tree, "name", name) &&
              scn_tree_set_text(tree, "description", description) &&
              scn_tree_move_first(tree, "description") && scn_tree_move_first(tree, "name");
  if (done && session->shrunk.schedule[0] != '\0') {
    done = scn_tree_set_text(tree, "schedule", session->shrunk.schedule);
  }
  return done;
}

/* "-": to stdout. 0, or an exit status. */
static int write_file(const struct session *session, const char *path) {
  char *text = scn_tree_text(session->shrunk.tree);
  if (text == NULL) {
    return scn_cli_failed(session->arguments, "out of memory for the file");
  }
  FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
  bool written = file != NULL && fputs(text, file) >= 0 && fflush(file) == 0;
  int error = errno;
  if (file != NULL && file != stdout) {
    written = fclose(file) == 0 && written;
  }
  free(text);
  return written ? 0
                 : scn_cli_failed(session->arguments,
                                  "cannot write '%s': %s; name another file with -o", path,
                                  strerror(error));
}

/* Runs what was written as `run` would, and believes only that. */
static bool check_written(struct session *session) {
  char *text = scn_tree_text(session->shrunk.tree);
  char *order = calloc(strlen(session->shrunk.schedule) + 1, 1);
  struct scn_arrivals_seen seen = {0};
  session->runs.any_order = false;
  bool fails = text != NULL && order != NULL;
  if (fails) {
    strcpy(order, session->shrunk.schedule);
    fails = scn_shrink_runs_fail(&session->runs, text, &order, &seen) &&
            strcmp(order, session->shrunk.schedule) == 0;
  }
  free(seen.items);
  free(order);
  free(text);
  return fails;
}

/* ---- The command -------------------------------------------------------------------------- */

/* The first run, of the whole: says which failure it is about. 0, or an exit status. */
static int begin(struct session *session) {
  const struct rep_recorded *recorded = &session->run.recorded;
  const struct scn_replay *replay = &session->run.replay;
  struct scn_shrunk *shrunk = &session->shrunk;
  shrunk->tree = scn_tree_of_replay(recorded, replay);
  shrunk->schedule = calloc(strlen(replay->schedule) + 1, 1);
  if (shrunk->tree == NULL || shrunk->schedule == NULL) {
    return scn_cli_failed(session->arguments, "out of memory for the scenario");
  }
  strcpy(shrunk->schedule, replay->schedule);
  if (replay->unjudged) {
    cJSON_DeleteItemFromObjectCaseSensitive(shrunk->tree, "expect");
  }
  char *text = scn_tree_text(shrunk->tree);
  if (text == NULL) {
    return scn_cli_failed(session->arguments, "out of memory for the scenario");
  }
  bool fails = scn_shrink_runs_fail(&session->runs, text, &shrunk->schedule, &shrunk->seen);
  free(text);
  if (!fails) {
    return scn_cli_misused(
        session->arguments,
        "expected a run that does not hold; scenario %" PRId64
        " was recorded as %s and %s%s (see "
        "`poolproof replay`)",
        recorded->id, recorded->verdict,
        session->runs.message[0] == '\0' ? "holds now" : "cannot be run: ", session->runs.message);
  }
  session->runs.any_order = replay->schedule[0] != '\0';
  return 0;
}

static int shrink_recorded(struct session *session, const char *path) {
  int status = begin(session);
  if (status != 0) {
    return status;
  }
  const struct extent before = extent_of(session);
  const struct scn_shrink_oracle oracle = {.fails = fails, .go_on = go_on, .context = session};
  bool has_memory = scn_shrink(&session->shrunk, &oracle);
  if (session->progress) {
    fprintf(stderr, "\r\033[K");
  }
  if (!describe(session)) {
    return scn_cli_failed(session->arguments, "out of memory for the file");
  }
  session->runs.path = path;
  bool right = check_written(session);
  const struct extent after = extent_of(session);
  status = write_file(session, path);
  if (status == 0 && !right) {
    status = scn_cli_failed(session->arguments,
                            "'%s' was written, but does not fail in the same way when it is run; "
                            "this is a fault of the harness",
                            path);
  }
  if (status != 0 || strcmp(path, "-") == 0) {
    return status;
  }
  int64_t wall_ms = (scn_wall_clock_ns() - session->started_ns) / WSP_MILLISECOND;
  scn_recorded_print(&session->run);
  printf("\nfails by: %s\n", session->runs.failure_class);
  print_reduction(&before, &after);
  printf("%" PRIu64 " candidates tried, %" PRIu64 " kept, %" PRId64 ".%02" PRId64 " s%s\n",
         session->shrunk.tried, session->shrunk.kept, wall_ms / 1000, wall_ms % 1000 / 10,
         has_memory && interrupted == 0 && session->shrunk.tried < session->most_candidates
             ? ""
             : "; stopped early, it may be made smaller");
  printf("%swritten to %s; to run it: %s run --no-db%s %s\n", session->runs.failure, path,
         session->arguments->program, scn_pool_option(), path);
  return 0;
}

static int read_candidates(const struct scn_arguments *arguments, uint64_t *most) {
  const char *text = scn_cli_value(arguments, "--candidates");
  *most = DEFAULT_CANDIDATES;
  if (text != NULL && (!scn_cli_number(text, most) || *most < 1)) {
    return scn_cli_misused(arguments, "--candidates: expected a whole number from 1; found \"%s\"",
                           text);
  }
  return 0;
}

static int shrink(const struct scn_arguments *arguments) {
  struct session session = {.arguments = arguments,
                            .started_ns = scn_wall_clock_ns(),
                            .progress = isatty(STDERR_FILENO) == 1};
  int status = read_candidates(arguments, &session.most_candidates);
  if (status == 0) {
    status = scn_settings_wall_limit(arguments, &session.runs.wall_limit_ns);
  }
  if (status == 0) {
    status = scn_recorded_open(arguments, &session.run);
  }
  if (status == 0) {
    char path[512];
    const char *given = scn_cli_value(arguments, "-o");
    snprintf(path, sizeof path, "%.400s-shrunk.json", session.run.recorded.name);
    session.runs.path = session.run.recorded.path;
    struct sigaction action = {.sa_handler = remember};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    status = shrink_recorded(&session, given == NULL ? path : given);
  }
  cJSON_Delete(session.shrunk.tree);
  free(session.shrunk.schedule);
  free(session.shrunk.seen.items);
  scn_recorded_close(&session.run);
  return status;
}

static const struct scn_option options[] = {
    {"--db", "FILE", "the database in which the run was recorded (default poolproof.db)"},
    {"-o", "FILE", "the file to write (default NAME-shrunk.json); -: print it and nothing else"},
    {"--candidates", "N", "try at most N smaller scenarios (default 20000)"},
    {"--wall-limit", "D", "real time that one of them may take (default 120s)"},
    SCN_OPTION_POOL,
    {0},
};

const struct scn_command scn_command_shrink = {
    .name = "shrink",
    .arguments = "--db FILE ID [-o FILE]",
    .summary = "the smallest scenario that still fails in the same way",
    .details =
        "Takes away steps, load, accounts, faults, keys and choices, and makes times and numbers\n"
        "smaller, as long as the same invariant or expectation fails (or the run crashes or hangs\n"
        "as before). Ctrl-C writes what there is by then. What is written runs by itself.\n",
    .options = options,
    .run = shrink,
};
