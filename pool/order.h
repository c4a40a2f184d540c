/*
 * order.h - ordered sets of things that are embedded in their owners: no allocation.
 *
 * A treap over (key, tie): every operation is O(log n) expected, and O(1) at either end, which is
 * where a pool works: the least recently used leaves in front, the one that was just given back
 * enters at the back. Priorities are a hash of the keys, so equal contents give equal trees.
 */
#ifndef POOL_ORDER_H
#define POOL_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wsp_node {
  struct wsp_node *left, *right, *parent;
  int64_t key;
  uint64_t tie;
  uint32_t priority;
  bool present;
};

struct wsp_order {
  struct wsp_node *root, *first, *last;
  size_t count;
};

/* Puts `node`, which must be in no set, in its place. No two nodes of a set are equal in both. */
void wsp_order_add(struct wsp_order *order, struct wsp_node *node, int64_t key, uint64_t tie);
/* Takes it out; a node that is in no set is left alone (it must not be in another set). */
void wsp_order_remove(struct wsp_order *order, struct wsp_node *node);
/* The node behind `node`, NULL at the end. */
struct wsp_node *wsp_order_next(const struct wsp_node *node);
/* The first node whose (key, tie) is not before the given one, NULL: none. */
struct wsp_node *wsp_order_from(const struct wsp_order *order, int64_t key, uint64_t tie);

/* The owner of a node. */
#define WSP_OWNER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

#endif
