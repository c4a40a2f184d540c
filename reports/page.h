/*
 * page.h - the HTML page around the data: made at build time from reports/web/ and the chart
 * library, or left out where that was not found.
 */
#ifndef REPORTS_PAGE_H
#define REPORTS_PAGE_H

#include <stddef.h>

enum rep_page_part {
  REP_PAGE_HEAD, /* up to where the data goes */
  REP_PAGE_TAIL
};

/* The part's bytes, which live for ever; NULL: this build has no page. */
const unsigned char *rep_page_part(enum rep_page_part part, size_t *size);

#endif
