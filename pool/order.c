/* order.c - see order.h. */
#include "pool/order.h"

#include <assert.h>

static bool before(int64_t key, uint64_t tie, const struct wsp_node *node) {
  return key < node->key || (key == node->key && tie < node->tie);
}

static uint32_t mix(int64_t key, uint64_t tie) {
  uint64_t x = (uint64_t)key * UINT64_C(0x9e3779b97f4a7c15) ^ tie * UINT64_C(0xc2b2ae3d27d4eb4f);
  x ^= x >> 29;
  x *= UINT64_C(0xbf58476d1ce4e5b9);
  return (uint32_t)(x >> 32);
}

/* Puts `child` (may be NULL) where `node` hangs. */
static void replace(struct wsp_order *order, const struct wsp_node *node, struct wsp_node *child) {
  struct wsp_node *parent = node->parent;
  if (parent == NULL) {
    order->root = child;
  } else if (parent->left == node) {
    parent->left = child;
  } else {
    parent->right = child;
  }
  if (child != NULL) {
    child->parent = parent;
  }
}

/* Splits the tree at `root` into what lies before (key, tie) and the rest. */
static void split(struct wsp_node *root, const struct wsp_node *at, struct wsp_node **low,
                  struct wsp_node **high) {
  struct wsp_node *low_parent = NULL;
  struct wsp_node *high_parent = NULL;
  while (root != NULL) {
    if (before(at->key, at->tie, root)) {
      *high = root;
      root->parent = high_parent;
      high_parent = root;
      high = &root->left;
      root = root->left;
    } else {
      *low = root;
      root->parent = low_parent;
      low_parent = root;
      low = &root->right;
      root = root->right;
    }
  }
  *low = NULL;
  *high = NULL;
}

/* Where `node` belongs under `top`: the first node on its search path with a lower priority. Then
 * that subtree is split under it. `*link` hangs on `parent`. */
static void insert_below(struct wsp_node *node, struct wsp_node *parent, struct wsp_node **link) {
  while (*link != NULL && (*link)->priority >= node->priority) {
    parent = *link;
    link = before(node->key, node->tie, parent) ? &parent->left : &parent->right;
  }
  split(*link, node, &node->left, &node->right);
  if (node->left != NULL) {
    node->left->parent = node;
  }
  if (node->right != NULL) {
    node->right->parent = node;
  }
  *link = node;
  node->parent = parent;
}

/* Behind all others: climbs the right edge, which is two steps on average. What it leaves below it
 * comes before `node` as a whole, so nothing is split. */
static void append(struct wsp_order *order, struct wsp_node *node) {
  struct wsp_node *above = order->last;
  struct wsp_node *below = NULL;
  while (above != NULL && above->priority < node->priority) {
    below = above;
    above = above->parent;
  }
  node->left = below;
  if (below != NULL) {
    below->parent = node;
  }
  node->parent = above;
  if (above == NULL) {
    order->root = node;
  } else {
    above->right = node;
  }
  order->last = node;
  if (order->first == NULL) {
    order->first = node;
  }
}

void wsp_order_add(struct wsp_order *order, struct wsp_node *node, int64_t key, uint64_t tie) {
  assert(!node->present);
  *node = (struct wsp_node){.key = key, .tie = tie, .priority = mix(key, tie), .present = true};
  if (order->last == NULL || before(order->last->key, order->last->tie, node)) {
    append(order, node);
  } else {
    insert_below(node, NULL, &order->root);
    if (before(node->key, node->tie, order->first)) {
      order->first = node;
    }
  }
  order->count++;
}

static struct wsp_node *merge(struct wsp_node *low, struct wsp_node *high) {
  struct wsp_node *root = NULL;
  struct wsp_node *parent = NULL;
  struct wsp_node **link = &root;
  while (low != NULL && high != NULL) {
    struct wsp_node *top = low->priority >= high->priority ? low : high;
    *link = top;
    top->parent = parent;
    parent = top;
    if (top == low) {
      link = &low->right;
      low = low->right;
    } else {
      link = &high->left;
      high = high->left;
    }
  }
  *link = low != NULL ? low : high;
  if (*link != NULL) {
    (*link)->parent = parent;
  }
  return root;
}

static struct wsp_node *previous(const struct wsp_node *node) {
  if (node->left != NULL) {
    struct wsp_node *found = node->left;
    while (found->right != NULL) {
      found = found->right;
    }
    return found;
  }
  while (node->parent != NULL && node->parent->left == node) {
    node = node->parent;
  }
  return node->parent;
}

void wsp_order_remove(struct wsp_order *order, struct wsp_node *node) {
  if (!node->present) {
    return;
  }
  if (order->first == node) {
    order->first = wsp_order_next(node);
  }
  if (order->last == node) {
    order->last = previous(node);
  }
  if (node->left == NULL || node->right == NULL) {
    replace(order, node, node->left == NULL ? node->right : node->left);
  } else {
    replace(order, node, merge(node->left, node->right));
  }
  node->present = false;
  order->count--;
}

struct wsp_node *wsp_order_next(const struct wsp_node *node) {
  if (node->right != NULL) {
    struct wsp_node *found = node->right;
    while (found->left != NULL) {
      found = found->left;
    }
    return found;
  }
  while (node->parent != NULL && node->parent->right == node) {
    node = node->parent;
  }
  return node->parent;
}

struct wsp_node *wsp_order_from(const struct wsp_order *order, int64_t key, uint64_t tie) {
  struct wsp_node *found = NULL;
  struct wsp_node *node = order->root;
  while (node != NULL) {
    if (before(node->key, node->tie, &(struct wsp_node){.key = key, .tie = tie})) {
      node = node->right;
    } else {
      found = node;
      node = node->left;
    }
  }
  return found;
}
