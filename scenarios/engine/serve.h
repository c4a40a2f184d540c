/*
 * serve.h - the upstreams of a scenario as servers for clients of any kind.
 */
#ifndef ENGINE_SERVE_H
#define ENGINE_SERVE_H

#include <stdio.h>

#include "scenarios/engine/live.h"

struct scn_serve_options {
  uint64_t seed;
  struct scn_live_options live; /* the speed; 0 is not allowed */
  int port;                     /* of the first upstream, the others follow; 0: any that are free */
  const char *authority;        /* the file that gets the certificate that clients have to trust */
  wsp_duration wall_limit;      /* in real time; WSP_TIME_NEVER: until a signal */
  FILE *log;                    /* what happens, a line each; NULL: nowhere */
};

/* Serves until the limit or SIGINT or SIGTERM, and tells where on stdout. False: it could not;
 * `message` says why. */
bool scn_serve(const struct scn_scenario *scenario, const struct scn_serve_options *options,
               char *message, size_t size);

#endif
