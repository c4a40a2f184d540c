/*
 * shrink_tree.h - a scenario file as a tree that can be changed and written again.
 *
 * Numbers keep their text, so nothing is lost that is not changed. Nodes are numbered in the order
 * of the text, the whole being 0; expectations are one node each, their insides have no number, and
 * neither has what only describes the file.
 */
#ifndef ENGINE_SHRINK_TREE_H
#define ENGINE_SHRINK_TREE_H

#include <cjson/cJSON.h>

#include "scenarios/engine/replay.h"

/* The tree of the recorded text with its variant written into it: no matrix, the seed that ran, all
 * times of steps counted from the start, no comments. On the heap (cJSON_Delete()). NULL: no
 * memory. */
cJSON *scn_tree_of_replay(const struct rep_recorded *recorded, const struct scn_replay *replay);

/* The file's text: what fits on a line stands on one. On the heap (free()). NULL: no memory. */
char *scn_tree_text(const cJSON *tree);

/* The node of that number; NULL: there are not so many. */
cJSON *scn_tree_node(cJSON *tree, size_t number);
/* Whether what is in that node has numbers of its own, and may be changed. */
bool scn_tree_is_open(cJSON *tree, size_t number);

/* Puts something inside of `node` in its place: the first value of a distribution, the only
 * behaviour of a list, the only step of a `together`. False: it is none of these. */
bool scn_tree_unwrap(cJSON *node);

/* How many items the list `key` at the top has, with those of each `together`; 0: none. */
size_t scn_tree_count(const cJSON *tree, const char *key);

/* Duration strings ("5ms"). False: `node` is none. */
bool scn_tree_duration(const cJSON *node, wsp_duration *duration);
/* Makes the string `node` that duration. False: no memory. */
bool scn_tree_set_duration(cJSON *node, wsp_duration duration);

/* Whole numbers, and those of rates ("200/s"). False: `node` is none. */
bool scn_tree_integer(const cJSON *node, int64_t *integer);
bool scn_tree_set_integer(cJSON *node, int64_t integer);

/* Sets the member `key` to that text. False: no memory. */
bool scn_tree_set_text(cJSON *tree, const char *key, const char *text);
/* Puts a member before all others. False: there is none. */
bool scn_tree_move_first(cJSON *tree, const char *key);

#endif
