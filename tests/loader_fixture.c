/* loader_fixture.c - see loader_fixture.h. */
#include "tests/loader_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char path_of_text[] = "test.json";

void loader_collect(void *context, const struct scn_problem *problem) {
  struct loader_problems *problems = context;
  bool error = problem->severity == SCN_ERROR;
  const char *slash = strrchr(problem->path, '/');
  const char *file = slash != NULL ? slash + 1 : problem->path;
  size_t length = strlen(file);
  bool named = length > 5 && strcmp(file + length - 5, ".json") != 0;
  size_t size = length + strlen(problem->message) + 64;
  char *text = realloc(problems->text, problems->length + size);
  if (text == NULL) {
    abort();
  }
  problems->text = text;
  int written = snprintf(text + problems->length, size, "%s%s%d:%d: %s%s\n", named ? file : "",
                         named ? ":" : "", problem->position.line, problem->position.column,
                         error ? "" : "warning: ", problem->message);
  problems->length += (size_t)written;
  problems->errors += error;
  problems->warnings += !error;
}

void loader_problems_deinit(struct loader_problems *problems) {
  free(problems->text);
  *problems = (struct loader_problems){0};
}

struct scn_scenario *loader_parse(const char *text, struct loader_problems *problems) {
  return scn_scenario_parse(path_of_text, text, strlen(text), NULL, loader_collect, problems);
}

bool loader_says(const char *text, const char *expected) {
  struct loader_problems problems = {0};
  struct scn_scenario *scenario = loader_parse(text, &problems);
  const char *said = problems.text != NULL ? problems.text : "";
  bool same = strcmp(said, expected) == 0 && (scenario == NULL) == (problems.errors > 0);
  if (!same) {
    printf("\n  text:     %s\n  expected: %s  found:    %s\n", text, expected, said);
  }
  scn_scenario_destroy(scenario);
  loader_problems_deinit(&problems);
  return same;
}

char *loader_read_file(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  char *text = malloc(1 << 20);
  if (file == NULL || text == NULL) {
    printf("\n  expected the file %s, seen from the repository's root; it can not be read\n", path);
    free(text);
    if (file != NULL) {
      fclose(file);
    }
    return NULL;
  }
  *length = fread(text, 1, (1 << 20) - 1, file);
  text[*length] = '\0';
  fclose(file);
  return text;
}
