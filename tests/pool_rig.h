/*
 * pool_rig.h - what pool_fixture.c and pool_stub.c share.
 */
#ifndef TESTS_POOL_RIG_H
#define TESTS_POOL_RIG_H

#include <stdlib.h>

#include "tests/pool_fixture.h"

extern const struct wsp_transport stub_transport;

/* Aborts: a test without its rig shows nothing. Here, so that checkers see that it does. */
static inline void rig_require(bool held) {
  if (!held) {
    abort();
  }
}
void rig_copy_text(char to[RIG_TEXT_SIZE], const char *text); /* NULL is "" */
/* The callback of the rig's acquires; the context is a struct ending. */
void rig_acquired(void *context, const struct wsp_acquire_result *result);
/* A conn of the transport's that the pool knows nothing of yet. */
struct stub_conn *rig_new_conn(struct rig *rig);
void rig_copy_header(char to[RIG_TEXT_SIZE], const struct wsp_header *header);

#endif
