/*
 * page_absent.c - stands for the page in a build without it.
 */
#include "reports/page.h"

const unsigned char *rep_page_part(enum rep_page_part part, size_t *size) {
  (void)part;
  *size = 0;
  return NULL;
}
