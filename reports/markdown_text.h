/*
 * markdown_text.h - texts in Markdown (GitHub's), shown as they are.
 */
#ifndef REPORTS_MARKDOWN_TEXT_H
#define REPORTS_MARKDOWN_TEXT_H

#include <stdio.h>

/* On one line, also in a table's cell: what would be markup is escaped. */
void rep_markdown_text(FILE *file, const char *text);

/* `length` bytes as a code block, on lines of their own; a sequence that is cut is left out. */
void rep_markdown_code(FILE *file, const char *text, size_t length);

/* A command as code within a line. */
void rep_markdown_command(FILE *file, const char *text);

#endif
