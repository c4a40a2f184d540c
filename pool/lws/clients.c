/*
 * clients.c - one client (a vhost of libwebsockets) for dials without a proxy, and one for each
 * proxy.
 *
 * Those of proxies are kept in a cache: at most MOST_CLIENTS, none that was idle for longer than
 * CLIENT_IDLE, least recently used out first. One that has left the cache lives on until its last
 * conn has gone.
 */
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/lws/internal.h"

enum { MOST_CLIENTS = 256, PROXY_ADDRESS_SIZE = 256 };
#define CLIENT_IDLE (15 * WSP_MINUTE)

struct client {
  struct client *previous, *next;
  struct lws_vhost *vhost;
  size_t holders; /* dials and conns */
  wsp_time last_used;
  bool cached;
  char proxy[]; /* "": none */
};

struct lws_vhost *wsp_client_vhost(const struct client *client) {
  return client->vhost;
}

static struct client *create(struct wsp_lws *lws, const char *proxy, const char *proxy_address) {
  static const struct lws_extension deflate[] = {
      {"permessage-deflate", lws_extension_callback_pm_deflate,
       "permessage-deflate; client_no_context_takeover; client_max_window_bits"},
      {NULL, NULL, NULL}};
  size_t length = strlen(proxy) + 1;
  struct client *client = calloc(1, sizeof *client + length);
  if (client == NULL) {
    return NULL;
  }
  memcpy(client->proxy, proxy, length);
  struct lws_context_creation_info info = {
      .port = CONTEXT_PORT_NO_LISTEN,
      .vhost_name = "wspool",
      .protocols = lws->protocols,
      .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
      .provided_client_ssl_ctx = lws->tls,
      .extensions = lws->options.permessage_deflate ? deflate : NULL,
      /* Left out, libwebsockets takes the environment's http_proxy. */
      .http_proxy_address = proxy_address,
  };
  client->vhost = lws_create_vhost(lws->context, &info);
  /* What it may leave behind would be taken for an error of a handshake under way. */
  ERR_clear_error();
  if (client->vhost == NULL) {
    free(client);
    return NULL;
  }
  client->last_used = wsp_lws_now();
  return client;
}

static void unlink_client(struct wsp_lws *lws, struct client *client) {
  *(client->previous != NULL ? &client->previous->next : &lws->clients) = client->next;
  *(client->next != NULL ? &client->next->previous : &lws->clients_last) = client->previous;
  lws->client_count--;
}

static void append(struct wsp_lws *lws, struct client *client) {
  client->previous = lws->clients_last;
  client->next = NULL;
  *(client->previous != NULL ? &client->previous->next : &lws->clients) = client;
  lws->clients_last = client;
  lws->client_count++;
}

/* A vhost cannot be destroyed from inside a callback of one of its sockets: the turn does it. */
static void drop(struct wsp_lws *lws, struct client *client) {
  client->next = lws->dropped;
  lws->dropped = client;
  wsp_lws_want_turn(lws);
}

void wsp_client_forget(struct wsp_lws *lws, struct client *client) {
  if (client->cached) {
    unlink_client(lws, client);
    client->cached = false;
    if (client->holders == 0) {
      drop(lws, client);
    }
  }
}

static struct client *find(const struct wsp_lws *lws, const char *proxy) {
  for (struct client *client = lws->clients_last; client != NULL; client = client->previous) {
    if (strcmp(client->proxy, proxy) == 0) {
      return client;
    }
  }
  return NULL;
}

static void hold(struct link *link, struct client *client) {
  link->client = client;
  client->holders++;
  client->last_used = wsp_lws_now();
  if (client->cached) { /* it is the most recently used one now */
    unlink_client(link->lws, client);
    append(link->lws, client);
  }
}

bool wsp_client_find(struct link *link) {
  struct client *client = link->proxy == NULL ? link->lws->direct : find(link->lws, link->proxy);
  if (client == NULL) {
    return false;
  }
  if (link->proxy != NULL) {
    link->lws->client_hits++;
  }
  hold(link, client);
  return true;
}

bool wsp_client_hold(struct link *link, const char *proxy_host) {
  struct wsp_lws *lws = link->lws;
  struct address proxy;
  char text[PROXY_ADDRESS_SIZE];
  if (wsp_client_find(link)) { /* another dial was faster */
    return true;
  }
  if (!wsp_address_parse(&proxy, link->proxy, true, link->reason)) {
    return false;
  }
  bool v6 = strchr(proxy_host, ':') != NULL;
  int length = snprintf(
      text, sizeof text, "%s%s%s%s%s:%d", proxy.userinfo == NULL ? "" : proxy.userinfo,
      proxy.userinfo == NULL ? "" : "@", v6 ? "[" : "", proxy_host, v6 ? "]" : "", link->port);
  wsp_address_deinit(&proxy);
  if (length >= (int)sizeof text - 1) {
    snprintf(link->reason, REASON_SIZE, "the url of the proxy is too long");
    return false;
  }
  lws->client_misses++;
  struct client *client = create(lws, link->proxy, text);
  if (client == NULL) {
    snprintf(link->reason, REASON_SIZE, "no client could be made for the proxy");
    return false;
  }
  client->cached = true;
  append(lws, client);
  hold(link, client);
  if (lws->client_count > MOST_CLIENTS) {
    wsp_client_forget(lws, lws->clients);
  }
  return true;
}

void wsp_client_drop(struct link *link) {
  struct client *client = link->client;
  if (client == NULL) {
    return;
  }
  link->client = NULL;
  client->holders--;
  client->last_used = wsp_lws_now();
  if (client->holders == 0 && !client->cached && client != link->lws->direct) {
    drop(link->lws, client);
  }
}

wsp_time wsp_clients_tidy(struct wsp_lws *lws, wsp_time now) {
  wsp_time next = WSP_TIME_NEVER;
  for (struct client *client = lws->clients, *after; client != NULL; client = after) {
    after = client->next;
    if (client->holders == 0 && now - client->last_used >= CLIENT_IDLE) {
      wsp_client_forget(lws, client);
    } else if (client->holders == 0 && client->last_used + CLIENT_IDLE < next) {
      next = client->last_used + CLIENT_IDLE;
    }
  }
  while (lws->dropped != NULL) {
    struct client *client = lws->dropped;
    lws->dropped = client->next;
    lws_vhost_destroy(client->vhost);
    free(client);
  }
  return next;
}

bool wsp_clients_init(struct wsp_lws *lws) {
  lws->direct = create(lws, "", "");
  return lws->direct != NULL;
}

void wsp_clients_deinit(struct wsp_lws *lws) {
  /* Their vhosts have gone with the context. */
  struct client *lists[] = {lws->clients, lws->dropped, lws->direct};
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
    while (lists[i] != NULL) {
      struct client *next = lists[i]->next;
      free(lists[i]);
      lists[i] = next;
    }
  }
}
