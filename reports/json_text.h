/*
 * json_text.h - texts as JSON.
 */
#ifndef REPORTS_JSON_TEXT_H
#define REPORTS_JSON_TEXT_H

#include <stdio.h>

/* Writes `text` as a JSON string. Bytes that are not UTF-8 become U+FFFD. "</" and "<!--" are
 * written so that the string may stand in an HTML script element. */
void rep_json_string(FILE *file, const char *text);

/* A string, or null for "". */
void rep_json_string_or_null(FILE *file, const char *text);

#endif
