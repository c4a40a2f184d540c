/*
 * utf8.h - tells well-formed UTF-8 from other bytes.
 */
#ifndef REPORTS_UTF8_H
#define REPORTS_UTF8_H

#include <stddef.h>

/* The length of the sequence that begins at `text`, which has `length` bytes, at least 1; 0 when it
 * is not well formed, or is U+FFFE or U+FFFF, which documents may not have. */
size_t rep_utf8_length(const char *text, size_t length);

#endif
