/*
 * load_file.h - a whole file as text.
 */
#ifndef ENGINE_LOAD_FILE_H
#define ENGINE_LOAD_FILE_H

#include <stddef.h>

/* Reads the file `path`, at most SCN_JSON_SIZE_LIMIT bytes. NULL: `*text` is the caller's to free;
 * else why it could not be read, which lives until the next call. `allocate` takes the place of
 * malloc when it is not NULL. */
const char *scn_load_file_read(const char *path, void *(*allocate)(size_t size), char **text,
                               size_t *length);

#endif
