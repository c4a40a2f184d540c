/*
 * proxy.c - HTTP proxies: a client says CONNECT, and is connected to one of this server's
 * upstreams.
 *
 * Limits: to upstreams of the same server alone; the client's bytes behind its CONNECT are carried
 * on as they are, in whatever pieces.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "fakes/wire/server_internal.h"

enum { BAD_REQUEST = 400, METHOD_NOT_ALLOWED = 405, AUTHENTICATION = 407, BAD_GATEWAY = 502 };
/* What lies between the two before one side has to wait. */
enum { MOST_BETWEEN = 256 * 1024 };

struct end {
  struct channel channel;
  struct tunnel *tunnel;
  bool finished; /* nothing more will be sent to it */
};

struct tunnel {
  struct end client, upstream;
  const struct listener *listener;
  struct tunnel *next;
  bool connected; /* the CONNECT was granted */
  bool refused;
  bool stalls;
  bool over;
};

static struct fake_server *server_of(const struct tunnel *tunnel) {
  return tunnel->listener->server;
}

static void end_tunnel(struct tunnel *tunnel) {
  tunnel->over = true;
  server_close(&tunnel->client.channel.watch);
  server_close(&tunnel->upstream.channel.watch);
  server_wake_at(server_of(tunnel), 0);
}

/* Carries what has come from one end to the other. */
static void carry(struct end *from, struct end *to) {
  struct buffer *in = &from->channel.in;
  size_t length = buffer_length(in);
  if (length > 0 && channel_put(&to->channel, in->data + in->from, length)) {
    buffer_drop(in, length);
  }
  channel_flush(&to->channel);
  if (from->channel.ended && !to->finished && channel_is_flushed(&to->channel)) {
    to->finished = true;
    channel_finish(&to->channel);
  }
}

/* Whether what comes from the end whose other one is `other` has to wait. */
static bool is_full(const struct end *other) {
  return buffer_length(&other->channel.out) > MOST_BETWEEN;
}

static void rewatch(struct tunnel *tunnel, struct end *end, const struct end *other) {
  server_rewatch(server_of(tunnel), &end->channel.watch,
                 channel_interest(&end->channel, is_full(other)));
}

static void settle(struct tunnel *tunnel) {
  struct end *client = &tunnel->client;
  struct end *upstream = &tunnel->upstream;
  if (tunnel->connected) {
    carry(client, upstream);
    carry(upstream, client);
  }
  channel_flush(&client->channel);
  bool answered = tunnel->refused && channel_is_flushed(&client->channel);
  if (answered && !client->finished) {
    client->finished = true;
    channel_finish(&client->channel);
  }
  bool client_over = client->channel.ended && (client->finished || !tunnel->connected);
  bool upstream_over = !tunnel->connected || (upstream->channel.ended && upstream->finished);
  if (client->channel.failed || upstream->channel.failed || (client_over && upstream_over)) {
    end_tunnel(tunnel);
    return;
  }
  rewatch(tunnel, client, upstream);
  if (tunnel->connected) {
    rewatch(tunnel, upstream, client);
  }
}

static void answer(struct tunnel *tunnel, int status) {
  char text[256];
  int length =
      snprintf(text, sizeof text, "HTTP/1.1 %d %s\r\n%sContent-Length: 0\r\n\r\n", status,
               fake_status_phrase(status),
               status == AUTHENTICATION ? "Proxy-Authenticate: Basic realm=\"proxy\"\r\n" : "");
  (void)channel_put(&tunnel->client.channel, text, (size_t)length);
  tunnel->refused = true;
}

static void upstream_ready(struct watch *watch, uint32_t events) {
  struct end *end = (struct end *)watch;
  channel_read(&end->channel, events, is_full(&end->tunnel->client));
  settle(end->tunnel);
}

/* Opens the way to the upstream on `port`. */
static bool connect_upstream(struct tunnel *tunnel, int port) {
  const struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
                                      .sin_port = htons((uint16_t)port)};
  const int one = 1;
  struct channel *channel = &tunnel->upstream.channel;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  channel->watch = (struct watch){upstream_ready, fd, 0};
  channel->shaken = true;
  if (fd < 0) {
    return false;
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  bool going =
      connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 || errno == EINPROGRESS;
  return going && server_watch(server_of(tunnel), &channel->watch, EPOLLIN);
}

static bool has_credentials(const struct tunnel *tunnel, const struct fake_head *head) {
  const char *asked = tunnel->listener->credentials;
  const char *given = fake_head_value(head, "Proxy-Authorization");
  return asked == NULL ||
         (given != NULL && strncasecmp(given, "Basic ", 6) == 0 && strcmp(given + 6, asked) == 0);
}

/* The listener that "host:port" names; NULL: none. */
static const struct listener *find_upstream(const struct tunnel *tunnel, const char *target) {
  char host[256];
  const char *colon = strrchr(target, ':');
  size_t length = colon == NULL ? 0 : (size_t)(colon - target);
  if (length > 1 && target[0] == '[' && target[length - 1] == ']') {
    target++;
    length -= 2;
  }
  if (length == 0 || length >= sizeof host) {
    return NULL;
  }
  snprintf(host, sizeof host, "%.*s", (int)length, target);
  return server_find(server_of(tunnel), host, server_read_port(colon + 1, strlen(colon + 1)),
                     false);
}

static void read_connect(struct tunnel *tunnel) {
  struct buffer *in = &tunnel->client.channel.in;
  struct fake_head head;
  char *text = (char *)in->data + in->from;
  size_t length = in->data == NULL ? 0 : fake_head_length(text, buffer_length(in));
  if (length == 0 && buffer_length(in) <= FAKE_HEAD_MOST) {
    return;
  }
  if (length == 0 || length > FAKE_HEAD_MOST || !fake_head_read(text, length, &head)) {
    answer(tunnel, BAD_REQUEST);
    return;
  }
  buffer_drop(in, length);
  const struct listener *upstream = find_upstream(tunnel, head.target);
  if (strcmp(head.method, "CONNECT") != 0) {
    answer(tunnel, METHOD_NOT_ALLOWED);
  } else if (!has_credentials(tunnel, &head)) {
    answer(tunnel, AUTHENTICATION);
  } else if (tunnel->listener->manner == FAKE_PROXY_STALLS) {
    tunnel->stalls = true;
  } else if (upstream == NULL || tunnel->listener->manner == FAKE_PROXY_REFUSES ||
             !connect_upstream(tunnel, upstream->served)) {
    answer(tunnel, BAD_GATEWAY);
  } else {
    static const char granted[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    tunnel->connected = channel_put(&tunnel->client.channel, granted, sizeof granted - 1);
  }
}

static void client_ready(struct watch *watch, uint32_t events) {
  struct end *end = (struct end *)watch;
  struct tunnel *tunnel = end->tunnel;
  channel_read(&end->channel, events, is_full(&tunnel->upstream));
  if (!tunnel->connected && !tunnel->refused && !tunnel->stalls) {
    read_connect(tunnel);
  }
  if (tunnel->refused || tunnel->stalls) {
    buffer_drop(&end->channel.in, buffer_length(&end->channel.in));
  }
  settle(tunnel);
}

void tunnel_create(const struct listener *listener, int fd) {
  struct tunnel *tunnel = calloc(1, sizeof *tunnel);
  struct watch watch = {client_ready, fd, 0};
  if (tunnel == NULL) {
    server_close(&watch);
    return;
  }
  tunnel->listener = listener;
  tunnel->client.tunnel = tunnel;
  tunnel->upstream.tunnel = tunnel;
  tunnel->client.channel.watch = watch;
  tunnel->client.channel.shaken = true;
  tunnel->upstream.channel.watch.fd = -1;
  struct fake_server *server = listener->server;
  if (!server_watch(server, &tunnel->client.channel.watch, EPOLLIN)) {
    server_close(&tunnel->client.channel.watch);
    free(tunnel);
    return;
  }
  tunnel->next = server->tunnels;
  server->tunnels = tunnel;
}

static void destroy(struct tunnel *tunnel) {
  channel_deinit(&tunnel->client.channel);
  channel_deinit(&tunnel->upstream.channel);
  free(tunnel);
}

void tunnels_tidy(struct fake_server *server) {
  for (struct tunnel **at = &server->tunnels; *at != NULL;) {
    struct tunnel *tunnel = *at;
    if (tunnel->over) {
      *at = tunnel->next;
      destroy(tunnel);
    } else {
      at = &tunnel->next;
    }
  }
}

void tunnels_destroy(struct fake_server *server) {
  while (server->tunnels != NULL) {
    struct tunnel *tunnel = server->tunnels;
    server->tunnels = tunnel->next;
    destroy(tunnel);
  }
}
