/*
 * files.c - finds and reads scenario files.
 */
#define _POSIX_C_SOURCE 200809L
#include "scenarios/engine/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scenarios/engine/json.h"

static int append(struct scn_paths *paths, char *path) {
  if (paths->count == paths->capacity) {
    size_t capacity = paths->capacity == 0 ? 64 : 2 * paths->capacity;
    char **items = realloc(paths->items, capacity * sizeof *items);
    if (items == NULL) {
      free(path);
      return ENOMEM;
    }
    paths->items = items;
    paths->capacity = capacity;
  }
  paths->items[paths->count++] = path;
  return 0;
}

static char *join(const char *folder, const char *name) {
  size_t length = strlen(folder);
  while (length > 1 && folder[length - 1] == '/') {
    length--;
  }
  size_t size = length + strlen(name) + 2;
  char *path = malloc(size);
  if (path != NULL) {
    bool root = length == 1 && folder[0] == '/';
    snprintf(path, size, "%.*s%s%s", (int)length, folder, root ? "" : "/", name);
  }
  return path;
}

static bool is_scenario_name(const char *name) {
  size_t length = strlen(name);
  return length > 5 && strcmp(name + length - 5, ".json") == 0 && strcmp(name, "schema.json") != 0;
}

static int add_folder(struct scn_paths *paths, const char *folder);

/* `path` is given away. */
static int add_entry(struct scn_paths *paths, char *path, const char *name) {
  struct stat status;
  int error = 0;
  if (lstat(path, &status) != 0) {
    error = errno == ENOENT ? 0 : errno;
  } else if (S_ISDIR(status.st_mode)) {
    error = add_folder(paths, path);
  } else if (is_scenario_name(name) && stat(path, &status) == 0 && S_ISREG(status.st_mode)) {
    return append(paths, path);
  }
  free(path);
  return error;
}

static int add_folder(struct scn_paths *paths, const char *folder) {
  DIR *directory = opendir(folder);
  if (directory == NULL) {
    return errno;
  }
  int error = 0;
  struct dirent *entry;
  while (error == 0 && (errno = 0, entry = readdir(directory)) != NULL) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
      continue;
    }
    char *path = join(folder, entry->d_name);
    error = path == NULL ? ENOMEM : add_entry(paths, path, entry->d_name);
  }
  if (error == 0) {
    error = errno;
  }
  closedir(directory);
  return error;
}

static int compare_paths(const void *left, const void *right) {
  return strcmp(*(char *const *)left, *(char *const *)right);
}

int scn_paths_add(struct scn_paths *paths, const char *path) {
  struct stat status;
  if (stat(path, &status) != 0) {
    return errno;
  }
  if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) {
    return SCN_PATHS_NO_FILE;
  }
  if (!S_ISDIR(status.st_mode)) {
    char *copy = strdup(path);
    return copy == NULL ? ENOMEM : append(paths, copy);
  }
  size_t first = paths->count;
  int error = add_folder(paths, path);
  if (paths->count > first) {
    qsort(paths->items + first, paths->count - first, sizeof *paths->items, compare_paths);
  }
  return error;
}

/* ---- Each file once ----------------------------------------------------------------------- */

struct identity {
  dev_t device;
  ino_t number;
  size_t index; /* of the path */
};

static int compare_identities(const void *left, const void *right) {
  const struct identity *a = left;
  const struct identity *b = right;
  if (a->device != b->device) {
    return a->device < b->device ? -1 : 1;
  }
  if (a->number != b->number) {
    return a->number < b->number ? -1 : 1;
  }
  return (a->index > b->index) - (a->index < b->index);
}

int scn_paths_unique(struct scn_paths *paths) {
  if (paths->count == 0) {
    return 0;
  }
  struct identity *identities = calloc(paths->count, sizeof *identities);
  if (identities == NULL) {
    return ENOMEM;
  }
  size_t known = 0;
  for (size_t i = 0; i < paths->count; i++) {
    struct stat status;
    if (stat(paths->items[i], &status) == 0) {
      identities[known++] =
          (struct identity){.device = status.st_dev, .number = status.st_ino, .index = i};
    }
  }
  qsort(identities, known, sizeof *identities, compare_identities);
  for (size_t i = 1; i < known; i++) {
    if (identities[i].device == identities[i - 1].device &&
        identities[i].number == identities[i - 1].number) {
      free(paths->items[identities[i].index]);
      paths->items[identities[i].index] = NULL;
    }
  }
  free(identities);
  size_t kept = 0;
  for (size_t i = 0; i < paths->count; i++) {
    if (paths->items[i] != NULL) {
      paths->items[kept++] = paths->items[i];
    }
  }
  paths->count = kept;
  return 0;
}

void scn_paths_deinit(struct scn_paths *paths) {
  for (size_t i = 0; i < paths->count; i++) {
    free(paths->items[i]);
  }
  free(paths->items);
  *paths = (struct scn_paths){0};
}

/* ---- Reading ------------------------------------------------------------------------------ */

char *scn_file_read(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    return NULL;
  }
  char *text = NULL;
  size_t size = 0;
  *length = 0;
  for (;;) {
    if (size - *length < 2) {
      size = size == 0 ? 16384 : 2 * size;
      char *larger = realloc(text, size);
      if (larger == NULL) {
        errno = ENOMEM;
        break;
      }
      text = larger;
    }
    errno = 0;
    size_t got = fread(text + *length, 1, size - *length - 1, file);
    *length += got;
    bool enough = *length > SCN_JSON_SIZE_LIMIT; /* the parser refuses it and names the limit */
    if (got == 0 || enough) {
      if (ferror(file)) {
        break;
      }
      fclose(file);
      text[*length] = '\0';
      return text;
    }
  }
  int error = errno == 0 ? EIO : errno;
  free(text);
  fclose(file);
  errno = error;
  return NULL;
}
