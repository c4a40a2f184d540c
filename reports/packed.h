/*
 * packed.h - writes a scenario's timeline into a page: small, and quick to read by its script.
 *
 * A stream of bytes, compressed (zlib) and in base64. For each event: the time since the event
 * before, its shape, its account, conn and operation, then its details' values, in the order of
 * the shape. Numbers are base-128, the lowest bits first; those that may be negative have their
 * sign in the lowest bit. Texts have numbers, from 1, 0 is none; a number that is used for the
 * first time is followed by its text: length, bytes. A shape is such a text: the kind, then for
 * each detail its name behind '#' (a whole number), '@' (a time: how far from the event's, and
 * one more unless it is before; 0 is none) or '?' (the number of a text: its JSON).
 * reports/web/data.js reads it.
 */
#ifndef REPORTS_PACKED_H
#define REPORTS_PACKED_H

#include <stdio.h>

#include "reports/input.h"

/* Writes the base64 text. False after `message` was filled. */
bool rep_packed_write(FILE *file, const struct rep_item *item, char *message, size_t size);

#endif
