/*
 * junit.c - collects scenarios and writes them as JUnit XML.
 *
 * A suite for each folder, in order of their names, its cases in order of their ids. A failed
 * scenario is a `failure`; one that crashed, hung or could not be run is an `error`. What is read
 * by build servers differs; this keeps to what the schemas that are in use (Jenkins' junit-10.xsd
 * in its older and newer forms) have in common.
 */
#define _POSIX_C_SOURCE 200809L
#include "reports/junit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reports/coverage.h"
#include "reports/output.h"
#include "reports/recorder.h"
#include "reports/xml.h"

struct test_case {
  int64_t id;
  uint64_t seed;
  int64_t virtual_ns;
  int64_t wall_ns;
  enum rep_verdict verdict;
  char timeline_sha256[65];
  char *folder;
  char *name; /* with the variant */
  char *path;
  char *failure;
  char *replay;
  char *search; /* its strategy; "": it was no search */
  char coverage[REP_COVERAGE_SIZE];
  bool is_live;
};

struct rep_junit {
  struct test_case *cases;
  size_t count;
  size_t capacity;
};

struct totals {
  size_t tests;
  size_t failures;
  size_t errors;
  int64_t wall_ns;
};

struct rep_junit *rep_junit_create(void) {
  return calloc(1, sizeof(struct rep_junit));
}

static void free_case(struct test_case *test) {
  free(test->folder);
  free(test->name);
  free(test->path);
  free(test->failure);
  free(test->replay);
  free(test->search);
}

void rep_junit_destroy(struct rep_junit *junit) {
  if (junit == NULL) {
    return;
  }
  for (size_t i = 0; i < junit->count; i++) {
    free_case(&junit->cases[i]);
  }
  free(junit->cases);
  free(junit);
}

static char *copy_text(const char *text) {
  return strdup(text == NULL ? "" : text);
}

static char *folder_of(const char *path) {
  const char *slash = strrchr(path, '/');
  if (slash == NULL) {
    return strdup(".");
  }
  return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static bool is_live(const struct rep_scenario *scenario) {
  return scenario->mode != NULL && strcmp(scenario->mode, "live") == 0;
}

/* "name [variant]", and "(live)": both modes of one scenario are two cases. */
static char *name_of(const struct rep_scenario *scenario) {
  const char *variant = scenario->variant == NULL ? "" : scenario->variant;
  bool has_variant = variant[0] != '\0';
  size_t size = strlen(scenario->name) + strlen(variant) + sizeof " [] (live)";
  char *name = malloc(size);
  if (name != NULL) {
    snprintf(name, size, "%s%s%s%s%s", scenario->name, has_variant ? " [" : "", variant,
             has_variant ? "]" : "", is_live(scenario) ? " (live)" : "");
  }
  return name;
}

static bool reserve(struct rep_junit *junit) {
  if (junit->count < junit->capacity) {
    return true;
  }
  size_t capacity = junit->capacity == 0 ? 64 : junit->capacity * 2;
  struct test_case *cases = realloc(junit->cases, capacity * sizeof *cases);
  if (cases == NULL) {
    return false;
  }
  junit->cases = cases;
  junit->capacity = capacity;
  return true;
}

bool rep_junit_add(struct rep_junit *junit, const struct rep_scenario *scenario,
                   const char *replay) {
  if (!reserve(junit)) {
    return false;
  }
  struct test_case *test = &junit->cases[junit->count];
  *test = (struct test_case){.id = scenario->id,
                             .seed = scenario->seed,
                             .virtual_ns = scenario->virtual_ns,
                             .wall_ns = scenario->wall_ns,
                             .verdict = scenario->verdict,
                             .folder = folder_of(scenario->path),
                             .name = name_of(scenario),
                             .path = copy_text(scenario->path),
                             .failure = copy_text(scenario->failure),
                             .replay = copy_text(replay),
                             .search = copy_text(scenario->exploration.strategy),
                             .is_live = is_live(scenario)};
  if (scenario->exploration.strategy != NULL) {
    rep_coverage_describe(&scenario->exploration, test->coverage);
  }
  memcpy(test->timeline_sha256, scenario->timeline_sha256, sizeof test->timeline_sha256);
  if (test->folder == NULL || test->name == NULL || test->path == NULL || test->failure == NULL ||
      test->replay == NULL || test->search == NULL) {
    free_case(test);
    return false;
  }
  junit->count++;
  return true;
}

static int compare_cases(const void *left, const void *right) {
  const struct test_case *const *a = left;
  const struct test_case *const *b = right;
  int order = strcmp((*a)->folder, (*b)->folder);
  if (order == 0) {
    order = ((*a)->id > (*b)->id) - ((*a)->id < (*b)->id);
  }
  return order;
}

static bool is_error(enum rep_verdict verdict) {
  return verdict == REP_ERROR || verdict == REP_CRASH || verdict == REP_HANG;
}

static struct totals count_cases(struct test_case *const *cases, size_t count) {
  struct totals totals = {.tests = count};
  for (size_t i = 0; i < count; i++) {
    totals.failures += cases[i]->verdict == REP_FAIL;
    totals.errors += is_error(cases[i]->verdict);
    totals.wall_ns += cases[i]->wall_ns;
  }
  return totals;
}

static void write_time(FILE *file, const char *name, int64_t time_ns) {
  int64_t micros = time_ns < 0 ? 0 : time_ns / 1000;
  fprintf(file, " %s=\"%lld.%06lld\"", name, (long long)(micros / 1000000),
          (long long)(micros % 1000000));
}

static void write_totals(FILE *file, const struct totals *totals) {
  fprintf(file, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\"", totals->tests, totals->failures,
          totals->errors);
  write_time(file, "time", totals->wall_ns);
  fputs(">\n", file);
}

static void write_failure(FILE *file, const struct test_case *test) {
  const char *element = is_error(test->verdict) ? "error" : "failure";
  const char *failure = test->failure[0] == '\0' ? "no reason was given" : test->failure;
  size_t first_line = strcspn(failure, "\n");
  fprintf(file, "      <%s message=\"", element);
  rep_xml_value(file, failure, first_line);
  fprintf(file, "\" type=\"%s\">", rep_verdict_name(test->verdict));
  rep_xml_text(file, failure);
  if (test->replay[0] != '\0') {
    fputs("\n\nreplay: ", file);
    rep_xml_text(file, test->replay);
  }
  fprintf(file, "</%s>\n", element);
}

/* Of a case, but among those of its suite: a case has no place for properties in the schema. */
static void write_property(FILE *file, const struct test_case *test, const char *name,
                           const char *value) {
  fputs("      <property name=\"", file);
  rep_xml_value(file, test->name, strlen(test->name));
  fprintf(file, " %s\"", name);
  rep_xml_attribute(file, "value", value);
  fputs("/>\n", file);
}

static void write_properties(FILE *file, struct test_case *const *cases, size_t count) {
  char number[32];
  fputs("    <properties>\n", file);
  for (size_t i = 0; i < count; i++) {
    write_property(file, cases[i], "path", cases[i]->path);
    snprintf(number, sizeof number, "%llu", (unsigned long long)cases[i]->seed);
    write_property(file, cases[i], "seed", number);
    write_property(file, cases[i], "timeline_sha256", cases[i]->timeline_sha256);
    snprintf(number, sizeof number, "%lld", (long long)cases[i]->virtual_ns);
    write_property(file, cases[i], "virtual_ns", number);
    if (cases[i]->is_live) {
      write_property(file, cases[i], "mode", "live");
    }
    if (cases[i]->search[0] != '\0') {
      write_property(file, cases[i], "search", cases[i]->search);
      write_property(file, cases[i], "covered", cases[i]->coverage);
    }
  }
  fputs("    </properties>\n", file);
}

static void write_case(FILE *file, const struct test_case *test) {
  fputs("    <testcase", file);
  rep_xml_attribute(file, "name", test->name);
  rep_xml_attribute(file, "classname", test->folder);
  write_time(file, "time", test->wall_ns);
  if (test->verdict == REP_PASS) {
    fputs("/>\n", file);
    return;
  }
  fputs(">\n", file);
  write_failure(file, test);
  fputs("    </testcase>\n", file);
}

static void write_document(FILE *file, struct test_case *const *cases, size_t count) {
  struct totals totals = count_cases(cases, count);
  fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"poolproof\"", file);
  write_totals(file, &totals);
  for (size_t first = 0, next; first < count; first = next) {
    for (next = first; next < count && strcmp(cases[first]->folder, cases[next]->folder) == 0;) {
      next++;
    }
    totals = count_cases(cases + first, next - first);
    fputs("  <testsuite", file);
    rep_xml_attribute(file, "name", cases[first]->folder);
    write_totals(file, &totals);
    write_properties(file, cases + first, next - first);
    for (size_t i = first; i < next; i++) {
      write_case(file, cases[i]);
    }
    fputs("  </testsuite>\n", file);
  }
  fputs("</testsuites>\n", file);
}

static void explain(const char *path, char *message, size_t size) {
  snprintf(message, size,
           "cannot write the JUnit file '%s': %s; see to its folder, or name another file with "
           "--junit",
           path, strerror(errno));
}

bool rep_junit_check(const char *path, char *message, size_t size) {
  if (rep_output_check(path)) {
    return true;
  }
  explain(path, message, size);
  return false;
}

bool rep_junit_write(const struct rep_junit *junit, const char *path, char *message, size_t size) {
  struct rep_output output;
  struct test_case **cases = malloc((junit->count + 1) * sizeof *cases);
  bool written = false;
  errno = ENOMEM;
  if (cases != NULL && rep_output_open(&output, path)) {
    for (size_t i = 0; i < junit->count; i++) {
      cases[i] = &junit->cases[i];
    }
    qsort(cases, junit->count, sizeof *cases, compare_cases);
    write_document(output.file, cases, junit->count);
    written = rep_output_close(&output, true);
  }
  if (!written) {
    explain(path, message, size);
  }
  free(cases);
  return written;
}
