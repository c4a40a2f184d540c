/*
 * shell.h - commands that a reader can copy into a shell.
 */
#ifndef REPORTS_SHELL_H
#define REPORTS_SHELL_H

#include <stddef.h>
#include <stdint.h>

/* `text` as one word of a shell: in single quotes where a shell would make something else of it.
 * What does not fit is cut off. */
void rep_shell_word(const char *text, char *buffer, size_t size);

/* The command that repeats scenario `id` of the database `path`. */
void rep_shell_replay(const char *program, const char *path, int64_t id, char *buffer, size_t size);

#endif
