/*
 * whatif.h - the variants of a matrix side by side: what changes with a parameter.
 */
#ifndef REPORTS_WHATIF_H
#define REPORTS_WHATIF_H

#include <stdio.h>

#include "reports/input.h"

/* A table in Markdown for each scenario of which several variants are shown; nothing when there is
 * none. False after `message` was filled. */
bool rep_whatif_markdown(FILE *file, const struct rep_input *input, char *message, size_t size);

#endif
