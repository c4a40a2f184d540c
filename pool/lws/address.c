/*
 * address.c - reads URLs of upstreams (ws, wss) and of proxies (http).
 *
 * What is read is what the dial needs, no more: names are not converted (an international name has
 * to come as its "xn--" form), and percent signs stay as they are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pool/lws/internal.h"

static bool copy(char **to, const char *from, size_t length) {
  *to = malloc(length + 1);
  if (*to == NULL) {
    return false;
  }
  memcpy(*to, from, length);
  (*to)[length] = '\0';
  return true;
}

/* A path that is left out is "/", also before a query. */
static bool copy_path(char **to, const char *path, size_t length) {
  if (length > 0 && path[0] == '/') {
    return copy(to, path, length);
  }
  *to = malloc(length + 2);
  if (*to == NULL) {
    return false;
  }
  (*to)[0] = '/';
  memcpy(*to + 1, path, length);
  (*to)[length + 1] = '\0';
  return true;
}

/* The part of `text` behind its scheme; NULL: it has none of those that are allowed. */
static const char *skip_scheme(const char *text, bool proxy, bool *tls) {
  static const struct {
    const char *prefix;
    bool proxy, tls;
  } schemes[] = {{"ws://", false, false}, {"wss://", false, true}, {"http://", true, false}};
  for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
    size_t length = strlen(schemes[i].prefix);
    if (schemes[i].proxy == proxy && strncasecmp(text, schemes[i].prefix, length) == 0) {
      *tls = schemes[i].tls;
      return text + length;
    }
  }
  return NULL;
}

/* Reads a port number of exactly `length` digits; -1: it is none. */
static int read_port(const char *digits, size_t length) {
  long port = 0;
  if (length == 0 || length > 5) {
    return -1;
  }
  for (size_t i = 0; i < length; i++) {
    if (digits[i] < '0' || digits[i] > '9') {
      return -1;
    }
    port = 10 * port + (digits[i] - '0');
  }
  return port >= 1 && port <= 65535 ? (int)port : -1;
}

/* Finds host and port in the authority without its userinfo. False: it has no such form. */
static bool split(const char *authority, size_t length, const char **host, size_t *host_length,
                  int *port) {
  const char *end = authority + length;
  const char *colon;
  if (length > 0 && authority[0] == '[') {
    const char *bracket = memchr(authority, ']', length);
    if (bracket == NULL) {
      return false;
    }
    *host = authority + 1;
    *host_length = (size_t)(bracket - *host);
    if (bracket + 1 == end) {
      return *host_length > 0;
    }
    colon = bracket + 1;
    if (*colon != ':') {
      return false;
    }
  } else {
    *host = authority;
    colon = memchr(authority, ':', length);
    *host_length = (size_t)((colon == NULL ? end : colon) - authority);
    if (colon == NULL) {
      return *host_length > 0;
    }
  }
  *port = read_port(colon + 1, (size_t)(end - colon - 1));
  return *host_length > 0 && *port > 0;
}

static bool has_control_or_blank(const char *text) {
  for (; *text != '\0'; text++) {
    if ((unsigned char)*text <= ' ' || *text == 127) {
      return true;
    }
  }
  return false;
}

bool wsp_address_parse(struct address *address, const char *text, bool proxy,
                       char reason[REASON_SIZE]) {
  *address = (struct address){0};
  const char *authority = skip_scheme(text, proxy, &address->tls);
  if (authority == NULL) {
    snprintf(reason, REASON_SIZE, "expected a url of %s, found %.100s",
             proxy ? "http:// for the proxy" : "ws:// or wss://", text);
    return false;
  }
  size_t length = strcspn(authority, "/?#");
  const char *rest = authority + length;
  const char *userinfo = authority;
  const char *at = NULL;
  for (size_t i = 0; i < length; i++) {
    at = authority[i] == '@' ? authority + i : at;
  }
  if (at != NULL) {
    length -= (size_t)(at + 1 - authority);
    authority = at + 1;
  }
  const char *host = NULL;
  size_t host_length = 0;
  address->port = address->tls ? 443 : 80;
  if ((at != NULL && !proxy) || has_control_or_blank(text) ||
      !split(authority, length, &host, &host_length, &address->port)) {
    /* The password of a proxy does not belong into a message. */
    snprintf(reason, REASON_SIZE, "expected HOST or HOST:PORT in the url%s, found %.100s",
             proxy ? " of the proxy" : "", at == NULL ? text : "something with an @ or else");
    return false;
  }
  size_t path_length = strcspn(rest, "#");
  bool copied = copy(&address->host, host, host_length) &&
                copy(&address->host_header, authority, length) &&
                (at == NULL || copy(&address->userinfo, userinfo, (size_t)(at - userinfo)));
  copied = copied && copy_path(&address->path, rest, path_length);
  if (!copied) {
    wsp_address_deinit(address);
    snprintf(reason, REASON_SIZE, "out of memory");
  }
  return copied;
}

void wsp_address_deinit(struct address *address) {
  free(address->host);
  free(address->host_header);
  free(address->path);
  free(address->userinfo);
  *address = (struct address){0};
}
