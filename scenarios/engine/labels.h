/*
 * labels.h - what can be known of a run from its file alone: labels, accounts, headers asked for.
 */
#ifndef ENGINE_LABELS_H
#define ENGINE_LABELS_H

#include "scenarios/engine/world.h"

/* A header that some expectation asks of an operation's lease. It is read at the grant, since a
 * lease tells nothing any more after its release. */
struct scn_header_wish {
  const char *label;
  const char *name;
};

/* Fills the world's accounts and header wishes. False: no memory. */
bool scn_labels_collect(struct scn_world *world);

/* The order of scn_scenario.labels, for qsort(): by name, those that repeat last. */
int scn_label_compare(const void *left, const void *right);

/* Whether the scenario has an operation of that label at any time. */
bool scn_label_exists(const struct scn_scenario *scenario, const char *name);

/* "label#number" into `buffer`, which has 22 bytes more than the label at least. By hand, because
 * each acquire of a load has one. */
void scn_label_numbered(char *buffer, size_t size, const char *label, uint64_t number);

#endif
