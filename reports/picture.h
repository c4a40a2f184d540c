/*
 * picture.h - the moments around a failure as text: a line for each operation, dial and conn, a
 * column for each slice of time.
 */
#ifndef REPORTS_PICTURE_H
#define REPORTS_PICTURE_H

#include <stdio.h>

#include "reports/input.h"

/* Writes the lanes of `item` around what failed first (a violation, else an operation whose
 * expectation does not hold, else the end), and what the signs mean. Nothing when the timeline has
 * no lanes there. False after `message` was filled. */
bool rep_picture_write(FILE *file, const struct rep_item *item, char *message, size_t size);

#endif
