/*
 * upgrade.h - heads of HTTP requests, as far as a WebSocket server and a proxy need them.
 */
#ifndef FAKES_WIRE_UPGRADE_H
#define FAKES_WIRE_UPGRADE_H

#include "pool/wspool.h"

enum { FAKE_HEAD_MOST = 32 * 1024, FAKE_HEAD_HEADERS = 100 };

/* A request's head. Everything points into the bytes that it was read from. */
struct fake_head {
  const char *method, *target;
  struct wsp_header headers[FAKE_HEAD_HEADERS];
  size_t header_count;
};

/* How long the head at `data` is, with the empty line that ends it. 0: it has not ended yet. */
size_t fake_head_length(const char *data, size_t length);

/* Reads the head of `length` bytes, in place: its lines are cut into texts. False: it is none. */
bool fake_head_read(char *data, size_t length, struct fake_head *head);

/* The first value of a header; NULL: there is none. */
const char *fake_head_value(const struct fake_head *head, const char *name);

/* Whether it asks for a WebSocket of version 13 as it has to. Else the status to answer. */
int fake_head_judge(const struct fake_head *head);

enum { FAKE_ACCEPT_SIZE = 32 };
/* The value of Sec-WebSocket-Accept for a key. False: no memory. */
bool fake_head_accept(const char *key, char accept[FAKE_ACCEPT_SIZE]);

/* Whether a header can be sent as it is. */
bool fake_header_is_valid(const struct wsp_header *header);

/* "Service Unavailable"; "Status" when there is no usual one. */
const char *fake_status_phrase(int status);

#endif
