/*
 * hash.h - SHA-256 as hexadecimal text.
 */
#ifndef REPORTS_HASH_H
#define REPORTS_HASH_H

#include <stddef.h>

/* "" when the digest could not be computed (no memory). */
void rep_sha256(const void *data, size_t size, char hex[65]);

#endif
