/*
 * relay.c - the relay's life, and how a crossing is waited for.
 */
#include "fakes/wire/relay_internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long the client waits for the peer's part of a close: the fakes say when that comes. */
#define CLOSE_TIMEOUT (365 * 24 * 60 * WSP_MINUTE)
enum { MOST_SOCKETS = 16384 };

wsp_time relay_now(const struct fake_relay *relay) {
  return *relay->options.clock;
}

static void serve(void *context) {
  struct fake_relay *relay = context;
  fake_server_serve(relay->server);
}

static bool connect_to(void *context, const char *host, int *port,
                       char address[WSP_LWS_ADDRESS_SIZE]) {
  const struct fake_relay *relay = context;
  int served = fake_server_port(relay->server, host, *port);
  if (served == 0) {
    return false;
  }
  *port = served;
  snprintf(address, WSP_LWS_ADDRESS_SIZE, "127.0.0.1");
  return true;
}

enum wsp_error fake_relay_create(const struct fake_relay_options *options,
                                 struct fake_relay **relay) {
  *relay = NULL;
  signal(SIGPIPE, SIG_IGN);
  struct fake_relay *own = calloc(1, sizeof *own);
  if (own == NULL) {
    return WSP_OUT_OF_MEMORY;
  }
  own->options = *options;
  enum wsp_error error = fake_server_create(&relay_server_events, own, &own->server);
  if (error == WSP_OK) {
    const char *authority = fake_server_authority(own->server);
    error = wsp_lws_create(&(struct wsp_lws_options){.ca_pem = authority,
                                                     .ca_pem_length = strlen(authority),
                                                     .max_sockets = MOST_SOCKETS,
                                                     .close_timeout = CLOSE_TIMEOUT,
                                                     .connect_to = connect_to,
                                                     .connect_context = own,
                                                     .answers = &relay_client_answers},
                           &own->client);
  }
  if (error == WSP_OK) {
    error = wsp_lws_watch(own->client, fake_server_descriptor(own->server), serve, own);
  }
  if (error != WSP_OK) {
    fake_relay_destroy(own);
    return WSP_OUT_OF_MEMORY;
  }
  fake_world_use_pool(options->upstreams, &relay_as_pool);
  *relay = own;
  return WSP_OK;
}

void fake_relay_destroy(struct fake_relay *relay) {
  if (relay == NULL) {
    return;
  }
  wsp_lws_destroy(relay->client);
  relay->client = NULL;
  fake_server_destroy(relay->server);
  for (struct passage *passage = relay->passages, *next; passage != NULL; passage = next) {
    next = passage->next;
    passage->peer = NULL; /* has gone with the server */
    passage_destroy(passage);
  }
  free(relay);
}

struct passage *passage_create(struct fake_relay *relay) {
  struct passage *passage = calloc(1, sizeof *passage);
  if (passage == NULL) {
    return NULL;
  }
  passage->relay = relay;
  passage->next = relay->passages;
  if (passage->next != NULL) {
    passage->next->previous = passage;
  }
  relay->passages = passage;
  return passage;
}

void passage_destroy(struct passage *passage) {
  struct fake_relay *relay = passage->relay;
  if (passage->peer != NULL) {
    fake_peer_set_context(passage->peer, NULL);
    fake_peer_cut(passage->peer, true);
    passage->peer = NULL;
  }
  bool is_dialing = passage->dialing != NULL && !passage->dialed;
  if (relay->client != NULL && (is_dialing || (passage->client != NULL && !passage->lost))) {
    passage->abandoned = true;
    return;
  }
  *(passage->previous != NULL ? &passage->previous->next : &relay->passages) = passage->next;
  if (passage->next != NULL) {
    passage->next->previous = passage->previous;
  }
  for (size_t i = 0; i < passage->seen.header_count; i++) {
    free((char *)passage->seen.headers[i].name);
    free((char *)passage->seen.headers[i].value);
  }
  free(passage->seen.headers);
  free(passage->seen.reason);
  free(passage->message);
  free(passage);
}

bool relay_until(struct fake_relay *relay, const bool *one, const bool *other, const char *what) {
  wsp_time begun = wsp_lws_now();
  wsp_time end = begun + relay->options.patience;
  wsp_time now = begun;
  wsp_lws_wake(relay->client);
  while (!*one && (other == NULL || !*other) && now < end) {
    wsp_lws_run_until(relay->client, end);
    now = wsp_lws_now();
  }
  struct fake_relay_costs *costs = &relay->costs;
  costs->crossings++;
  costs->total += now - begun;
  costs->longest = costs->longest < now - begun ? now - begun : costs->longest;
  bool held = *one || (other != NULL && *other);
  if (!held && relay->problem[0] == '\0') {
    snprintf(relay->problem, sizeof relay->problem,
             "expected, within %lld ms of real time, that %s; it did not happen",
             (long long)(relay->options.patience / WSP_MILLISECOND), what);
  }
  return held;
}

void fake_relay_wait(struct fake_relay *relay, wsp_time until) {
  while (wsp_lws_now() < until) {
    wsp_lws_run_until(relay->client, until);
  }
}

void relay_cannot(struct fake_relay *relay, const char *what) {
  if (relay->problem[0] == '\0') {
    snprintf(relay->problem, sizeof relay->problem,
             "expected of the upstream what a wire can carry; found that %s", what);
  }
}

const char *fake_relay_problem(const struct fake_relay *relay) {
  return relay->problem[0] == '\0' ? NULL : relay->problem;
}

struct fake_relay_costs fake_relay_costs(const struct fake_relay *relay) {
  return relay->costs;
}

/* ---- What happens by itself ------------------------------------------------------------------ */

static void tell_lost(struct passage *passage) {
  struct fake_relay *relay = passage->relay;
  struct wsp_conn conn = passage->conn;
  passage->conn = (struct wsp_conn){0};
  /* The fake sees its conn closed, which it confirms at once or later. */
  passage->closing = true;
  fake_transport()->close(relay->options.upstreams, passage->fake);
  relay->options.pool->conn_closed(conn, relay_now(relay), passage->seen.code,
                                   passage->seen.reason);
}

bool fake_relay_deliver(struct fake_relay *relay) {
  if (!relay->has_news) {
    return false;
  }
  for (struct passage *passage = relay->passages; passage != NULL; passage = passage->next) {
    if (passage->abandoned || passage->adopting) {
      continue;
    }
    if (passage->dialed && passage->fake_dial == NULL && passage->fake == NULL) {
      passage_tell_dialed(passage, 0);
      passage_destroy(passage);
      return true;
    }
    if (passage->lost && passage->conn.pool != NULL && !passage->closing) {
      tell_lost(passage);
      return true;
    }
  }
  relay->has_news = false;
  return false;
}

/* ---- Conns that are adopted ------------------------------------------------------------------ */

void *fake_relay_fake(void *conn) {
  return ((struct passage *)conn)->fake;
}

void *fake_relay_adopt(struct fake_relay *relay, const struct wsp_adoption *adoption, void *fake) {
  struct passage *passage = passage_create(relay);
  if (passage == NULL) {
    return NULL;
  }
  passage->fake = fake;
  passage->adopting = true;
  passage->account = adoption->account;
  const struct wsp_dial_request request = {.account = adoption->account,
                                           .url = adoption->url,
                                           .proxy = adoption->proxy == NULL ? "" : adoption->proxy};
  if (passage_dial(passage, &request) != WSP_OK || passage->peer == NULL) {
    passage_destroy(passage);
    return NULL;
  }
  fake_peer_accept(passage->peer, adoption->headers, adoption->header_count);
  if (!relay_until(relay, &passage->dialed, NULL, "the client had the answer to its dial") ||
      passage->seen.error != WSP_OK) {
    passage_destroy(passage);
    return NULL;
  }
  return passage;
}

void fake_relay_adopted(void *conn, struct wsp_conn name) {
  struct passage *passage = conn;
  passage->adopting = false;
  passage->conn = name;
  fake_adopted(passage->fake, (struct wsp_conn){.pool = (struct wsp_pool *)passage});
}

void fake_relay_drop(void *conn) {
  struct passage *passage = conn;
  fake_drop(passage->relay->options.upstreams, passage->fake);
  passage_hang_up(passage);
  passage_destroy(passage);
}
