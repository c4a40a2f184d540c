/*
 * wire_fixture.c - the servers of wire_fixture.h. They know no more of the protocol than a script
 * needs, so that they can break it everywhere. Nothing here waits longer than PATIENCE_SECONDS.
 */
#define _GNU_SOURCE
#include "tests/wire_fixture.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_SECONDS = 60, MOST_PEERS = 256, REQUEST_SIZE = 64 * 1024 };

struct wire_peer {
  struct wire_server *server;
  pthread_t thread;
  int fd;
  SSL *ssl;
  char *request;
  char *payload;
  bool reset;
};

struct wire_server {
  int listener, port;
  SSL_CTX *tls;
  char url[64];
  wire_script script;
  void *context;
  pthread_t thread;
  struct wire_peer peers[MOST_PEERS];
  atomic_int count;
  pthread_mutex_t mutex; /* guards the peers' descriptors against the stop */
};

static void require(bool held, const char *what) {
  if (!held) {
    fprintf(stderr, "wire_fixture: %s\n", what);
    abort();
  }
}

static ssize_t receive(struct wire_peer *peer, void *data, size_t size) {
  return peer->ssl != NULL ? SSL_read(peer->ssl, data, (int)size) : recv(peer->fd, data, size, 0);
}

void wire_send(struct wire_peer *peer, const void *data, size_t length) {
  const char *at = data;
  while (length > 0) {
    ssize_t sent = peer->ssl != NULL ? SSL_write(peer->ssl, at, (int)length)
                                     : send(peer->fd, at, length, MSG_NOSIGNAL);
    if (sent <= 0) {
      return;
    }
    at += sent;
    length -= (size_t)sent;
  }
}

void wire_send_text(struct wire_peer *peer, const char *text) {
  wire_send(peer, text, strlen(text));
}

const char *wire_request(struct wire_peer *peer) {
  size_t length = 0;
  peer->request = realloc(peer->request, REQUEST_SIZE);
  require(peer->request != NULL, "no memory");
  peer->request[0] = '\0';
  while (length + 1 < REQUEST_SIZE) {
    if (receive(peer, peer->request + length, 1) != 1) {
      return "";
    }
    peer->request[++length] = '\0';
    if (length >= 4 && memcmp(peer->request + length - 4, "\r\n\r\n", 4) == 0) {
      return peer->request;
    }
  }
  return "";
}

void wire_header(struct wire_peer *peer, const char *name, char *value, size_t size) {
  char pattern[128];
  value[0] = '\0';
  snprintf(pattern, sizeof pattern, "\r\n%s: ", name);
  const char *found = peer->request == NULL ? NULL : strcasestr(peer->request, pattern);
  if (found != NULL) {
    found += strlen(pattern);
    snprintf(value, size, "%.*s", (int)strcspn(found, "\r"), found);
  }
}

void wire_accept(struct wire_peer *peer, const char *lines) {
  char key[128];
  char joined[256];
  char text[1024];
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned char encoded[64];
  unsigned int length;
  wire_header(peer, "Sec-WebSocket-Key", key, sizeof key);
  snprintf(joined, sizeof joined, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
  EVP_Digest(joined, strlen(joined), digest, &length, EVP_sha1(), NULL);
  EVP_EncodeBlock(encoded, digest, (int)length);
  snprintf(text, sizeof text,
           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: %s\r\n%s\r\n",
           (const char *)encoded, lines);
  wire_send_text(peer, text);
}

void wire_send_frame(struct wire_peer *peer, int first, const void *payload, size_t length) {
  unsigned char head[10] = {(unsigned char)first};
  size_t size = 2;
  if (length < 126) {
    head[1] = (unsigned char)length;
  } else if (length < 65536) {
    head[1] = 126;
    head[2] = (unsigned char)(length >> 8);
    head[3] = (unsigned char)length;
    size = 4;
  } else {
    head[1] = 127;
    for (int i = 0; i < 8; i++) {
      head[2 + i] = (unsigned char)((uint64_t)length >> (56 - 8 * i));
    }
    size = 10;
  }
  char *frame = malloc(size + length);
  require(frame != NULL, "no memory");
  memcpy(frame, head, size);
  if (length > 0) {
    memcpy(frame + size, payload, length);
  }
  wire_send(peer, frame, size + length);
  free(frame);
}

static bool receive_all(struct wire_peer *peer, void *data, size_t size) {
  for (size_t length = 0; length < size;) {
    ssize_t received = receive(peer, (char *)data + length, size - length);
    if (received <= 0) {
      return false;
    }
    length += (size_t)received;
  }
  return true;
}

int wire_read_frame(struct wire_peer *peer, const char **payload, size_t *length) {
  unsigned char head[2];
  unsigned char more[8];
  unsigned char mask[4];
  if (!receive_all(peer, head, 2)) {
    return -1;
  }
  uint64_t size = head[1] & 127;
  size_t extended = size == 126 ? 2 : size == 127 ? 8 : 0;
  if (!receive_all(peer, more, extended) || !receive_all(peer, mask, 4)) {
    return -1;
  }
  for (size_t i = 0; i < extended; i++) {
    size = (i == 0 ? 0 : size << 8) | more[i];
  }
  peer->payload = realloc(peer->payload, size + 1);
  require(peer->payload != NULL, "no memory");
  if (!receive_all(peer, peer->payload, size)) {
    return -1;
  }
  for (size_t i = 0; i < size; i++) {
    peer->payload[i] = (char)(peer->payload[i] ^ mask[i % 4]);
  }
  peer->payload[size] = '\0';
  *payload = peer->payload;
  *length = size;
  return head[0];
}

void wire_wait(struct wire_peer *peer) {
  char data[4096];
  while (receive(peer, data, sizeof data) > 0) {}
}

void wire_reset(struct wire_peer *peer) {
  peer->reset = true;
}

void wire_pause(int milliseconds) {
  usleep((useconds_t)milliseconds * 1000);
}

int wire_descriptors(void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/fd");
  require(folder != NULL, "no /proc/self/fd");
  while (readdir(folder) != NULL) {
    count++;
  }
  closedir(folder);
  return count;
}

static void end_peer(struct wire_peer *peer) {
  if (peer->ssl != NULL && !peer->reset) {
    SSL_shutdown(peer->ssl);
  }
  SSL_free(peer->ssl);
  if (peer->reset) {
    const struct linger at_once = {1, 0};
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  pthread_mutex_lock(&peer->server->mutex);
  close(peer->fd);
  peer->fd = -1;
  pthread_mutex_unlock(&peer->server->mutex);
  free(peer->request);
  free(peer->payload);
}

static void *serve(void *context) {
  struct wire_peer *peer = context;
  const struct timeval patience = {PATIENCE_SECONDS, 0};
  const int one = 1;
  setsockopt(peer->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(peer->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  bool ready = true;
  if (peer->server->tls != NULL) {
    peer->ssl = SSL_new(peer->server->tls);
    SSL_set_fd(peer->ssl, peer->fd);
    ready = SSL_accept(peer->ssl) == 1;
  }
  if (ready) {
    peer->server->script(peer, peer->server->context);
  }
  end_peer(peer);
  return NULL;
}

static void *accept_all(void *context) {
  struct wire_server *server = context;
  for (int i = 0; i < MOST_PEERS; i++) {
    struct wire_peer *peer = &server->peers[i];
    peer->fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    if (peer->fd < 0) {
      break;
    }
    peer->server = server;
    require(pthread_create(&peer->thread, NULL, serve, peer) == 0, "no thread");
    atomic_fetch_add(&server->count, 1);
  }
  return NULL;
}

static SSL_CTX *tls_of(const struct fake_identity *identity) {
  SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
  BIO *certificate = BIO_new_mem_buf(identity->certificate, (int)identity->certificate_length);
  BIO *key = BIO_new_mem_buf(identity->key, (int)identity->key_length);
  X509 *x509 = PEM_read_bio_X509(certificate, NULL, NULL, NULL);
  EVP_PKEY *private = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
  require(tls != NULL && SSL_CTX_use_certificate(tls, x509) == 1 &&
              SSL_CTX_use_PrivateKey(tls, private) == 1,
          "no TLS");
  X509_free(x509);
  EVP_PKEY_free(private);
  BIO_free(certificate);
  BIO_free(key);
  return tls;
}

struct wire_server *wire_start(const struct fake_identity *identity, wire_script script,
                               void *context) {
  signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to conns that the client has closed */
  struct wire_server *server = calloc(1, sizeof *server);
  require(server != NULL, "no memory");
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  require(bind(server->listener, (struct sockaddr *)&address, sizeof address) == 0 &&
              listen(server->listener, MOST_PEERS) == 0 &&
              getsockname(server->listener, (struct sockaddr *)&address, &length) == 0,
          "no port");
  server->port = ntohs(address.sin_port);
  server->tls = identity == NULL ? NULL : tls_of(identity);
  server->script = script;
  server->context = context;
  pthread_mutex_init(&server->mutex, NULL);
  snprintf(server->url, sizeof server->url, "%s://localhost:%d/path",
           identity == NULL ? "ws" : "wss", server->port);
  require(pthread_create(&server->thread, NULL, accept_all, server) == 0, "no thread");
  return server;
}

void wire_stop(struct wire_server *server) {
  shutdown(server->listener, SHUT_RDWR);
  pthread_join(server->thread, NULL);
  close(server->listener);
  int count = atomic_load(&server->count);
  for (int i = 0; i < count; i++) {
    pthread_mutex_lock(&server->mutex);
    if (server->peers[i].fd >= 0) {
      shutdown(server->peers[i].fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&server->mutex);
    pthread_join(server->peers[i].thread, NULL);
  }
  SSL_CTX_free(server->tls);
  pthread_mutex_destroy(&server->mutex);
  free(server);
}

const char *wire_url(const struct wire_server *server) {
  return server->url;
}

int wire_port(const struct wire_server *server) {
  return server->port;
}

int wire_accepted(struct wire_server *server) {
  return atomic_load(&server->count);
}
