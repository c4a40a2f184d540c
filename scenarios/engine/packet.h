/*
 * packet.h - the result of a run as bytes, on its way from a worker to its parent.
 *
 * Both are the same program on the same machine, so numbers are as they lie in memory. The
 * timeline is not in it: it is shared.
 */
#ifndef ENGINE_PACKET_H
#define ENGINE_PACKET_H

#include "reports/recorder.h"

struct scn_bytes {
  unsigned char *data;
  size_t length;
  size_t capacity;
  bool failed; /* an allocation has failed; what was to be added is missing */
};

void scn_bytes_append(struct scn_bytes *bytes, const void *data, size_t length);
void scn_bytes_deinit(struct scn_bytes *bytes);

/* Appends verdict, failure, times, hash, seed, schedule, exploration and all rows of `result`. */
void scn_packet_write(struct scn_bytes *bytes, const struct rep_scenario *result);

/* Reads them into `result`, the other members of which stay. Strings point into `data`; the rows
 * are on the heap: scn_packet_forget(). False: the bytes are no packet, or no memory. */
bool scn_packet_read(const unsigned char *data, size_t length, struct rep_scenario *result);
void scn_packet_forget(struct rep_scenario *result);

#endif
