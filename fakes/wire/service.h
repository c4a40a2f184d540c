/*
 * service.h - the fakes as servers for clients of any kind, not only for the pool of this process.
 *
 * What a client does becomes calls of the fakes, and their answers go back over the wire, when the
 * fakes say so. Nothing is waited for: whoever drives it serves the sockets, moves the clock and
 * runs the fakes' queue.
 *
 * Limits: that a client waits for a message can not be seen. A message of the client is taken for a
 * question: it is a write, and begins a read, whose message is the answer; one read is under way on
 * a conn at a time. What fails on a conn that goes on (outcome "error" of a ping, write or read)
 * resets the conn; a dial that succeeds without a conn is cut off.
 */
#ifndef FAKES_WIRE_SERVICE_H
#define FAKES_WIRE_SERVICE_H

#include "fakes/fake.h"

struct fake_service;

struct fake_service_options {
  struct fake_world *upstreams; /* whose answers it takes from now on */
  const wsp_time *clock;
  /* Hears what happens, a line each, of conn `number` (from 1, in the order of their requests).
   * NULL: nobody does. */
  void (*tell)(void *context, uint64_t number, const char *line);
  void *context;
};

/* Codes: WSP_OK, WSP_OUT_OF_MEMORY (also for lack of descriptors). The process must ignore
 * SIGPIPE. */
enum wsp_error fake_service_create(const struct fake_service_options *options,
                                   struct fake_service **service);
/* Cuts all conns. NULL: nothing happens. */
void fake_service_destroy(struct fake_service *service);

/* Serves the scheme, host and port of `url` on a port of 127.0.0.1 (0: any), for clients that dial
 * that. `*served` is the port. Codes: those of fake_server_listen_on(). */
enum wsp_error fake_service_listen(struct fake_service *service, const char *url, int port,
                                   int *served);

/* The certificate that clients have to trust, as PEM; lives as long as the service. */
const char *fake_service_authority(const struct fake_service *service);

/* Readable when there is something to serve; and serving it. */
int fake_service_descriptor(const struct fake_service *service);
void fake_service_serve(struct fake_service *service);

#endif
