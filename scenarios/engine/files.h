/*
 * files.h - finds and reads scenario files.
 */
#ifndef ENGINE_FILES_H
#define ENGINE_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* Zero-filled: empty. */
struct scn_paths {
  char **items;
  size_t count;
  size_t capacity;
};

/* Adds what `path` names: the file itself, or each *.json below the folder but schema.json, in
 * byte order of path. Symbolic links to folders below it are not followed. 0, an errno, or
 * SCN_PATHS_NO_FILE: it is a pipe, a device or a socket, which can not be read a second time. */
#define SCN_PATHS_NO_FILE (-1)
int scn_paths_add(struct scn_paths *paths, const char *path);
/* Takes out every path to a file that an earlier path names already. 0, or ENOMEM. */
int scn_paths_unique(struct scn_paths *paths);
void scn_paths_deinit(struct scn_paths *paths);

/* The whole file, NUL-terminated, on the heap; NULL: errno says why. */
char *scn_file_read(const char *path, size_t *length);

#endif
