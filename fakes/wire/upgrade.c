/*
 * upgrade.c - reads the heads of requests.
 */
#define _GNU_SOURCE
#include "fakes/wire/upgrade.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

enum { BAD_REQUEST = 400, METHOD_NOT_ALLOWED = 405, UPGRADE_REQUIRED = 426, KEY_LENGTH = 24 };

size_t fake_head_length(const char *data, size_t length) {
  const char *end = length == 0 ? NULL : memmem(data, length, "\r\n\r\n", 4);
  return end == NULL ? 0 : (size_t)(end - data) + 4;
}

static bool is_token(const char *text) {
  static const char others[] = "!#$%&'*+-.^_`|~";
  if (*text == '\0') {
    return false;
  }
  for (; *text != '\0'; text++) {
    bool is_letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
                     (*text >= '0' && *text <= '9');
    if (!is_letter && strchr(others, *text) == NULL) {
      return false;
    }
  }
  return true;
}

/* Cuts "Name: value". */
static bool read_header(char *line, struct wsp_header *header) {
  char *colon = strchr(line, ':');
  if (colon == NULL) {
    return false;
  }
  *colon = '\0';
  char *value = colon + 1 + strspn(colon + 1, " \t");
  size_t length = strlen(value);
  while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t')) {
    value[--length] = '\0';
  }
  *header = (struct wsp_header){line, value};
  return is_token(line);
}

/* Cuts "GET /path HTTP/1.1". */
static bool read_line(char *line, struct fake_head *head) {
  char *target = strchr(line, ' ');
  char *version = target == NULL ? NULL : strchr(target + 1, ' ');
  if (version == NULL || strcmp(version + 1, "HTTP/1.1") != 0) {
    return false;
  }
  *target++ = '\0';
  *version = '\0';
  head->method = line;
  head->target = target;
  return is_token(line) && target[0] != '\0';
}

bool fake_head_read(char *data, size_t length, struct fake_head *head) {
  head->header_count = 0;
  if (length < 4 || memchr(data, '\0', length) != NULL) {
    return false;
  }
  char *line = data;
  for (char *end = data + length - 2; line < end;) {
    char *line_end = memmem(line, (size_t)(end - line) + 2, "\r\n", 2);
    *line_end = '\0';
    if (strpbrk(line, "\r\n") != NULL) {
      return false;
    }
    if (line == data) {
      if (!read_line(line, head)) {
        return false;
      }
    } else if (head->header_count == FAKE_HEAD_HEADERS ||
               !read_header(line, &head->headers[head->header_count++])) {
      return false;
    }
    line = line_end + 2;
  }
  return true;
}

const char *fake_head_value(const struct fake_head *head, const char *name) {
  for (size_t i = 0; i < head->header_count; i++) {
    if (strcasecmp(head->headers[i].name, name) == 0) {
      return head->headers[i].value;
    }
  }
  return NULL;
}

/* Whether one of the words of a list is `word`. */
static bool has_word(const char *list, const char *word) {
  size_t length = strlen(word);
  while (list != NULL && *list != '\0') {
    list += strspn(list, ", \t");
    size_t item = strcspn(list, ", \t");
    if (item == length && strncasecmp(list, word, length) == 0) {
      return true;
    }
    list += item;
  }
  return false;
}

int fake_head_judge(const struct fake_head *head) {
  const char *key = fake_head_value(head, "Sec-WebSocket-Key");
  const char *version = fake_head_value(head, "Sec-WebSocket-Version");
  if (strcmp(head->method, "GET") != 0) {
    return METHOD_NOT_ALLOWED;
  }
  if (!has_word(fake_head_value(head, "Upgrade"), "websocket") ||
      !has_word(fake_head_value(head, "Connection"), "upgrade") ||
      (version != NULL && strcmp(version, "13") != 0)) {
    return UPGRADE_REQUIRED;
  }
  bool good = version != NULL && head->target[0] == '/' && fake_head_value(head, "Host") != NULL &&
              key != NULL && strlen(key) == KEY_LENGTH;
  return good ? 0 : BAD_REQUEST;
}

bool fake_head_accept(const char *key, char accept[FAKE_ACCEPT_SIZE]) {
  static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  char joined[KEY_LENGTH + sizeof suffix];
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length;
  memcpy(joined, key, KEY_LENGTH);
  memcpy(joined + KEY_LENGTH, suffix, sizeof suffix);
  if (EVP_Digest(joined, strlen(joined), digest, &length, EVP_sha1(), NULL) != 1) {
    return false;
  }
  EVP_EncodeBlock((unsigned char *)accept, digest, (int)length);
  return true;
}

bool fake_header_is_valid(const struct wsp_header *header) {
  return header->name != NULL && header->value != NULL && is_token(header->name) &&
         strpbrk(header->value, "\r\n") == NULL;
}

const char *fake_status_phrase(int status) {
  static const struct {
    int status;
    const char *phrase;
  } phrases[] = {{400, "Bad Request"},        {401, "Unauthorized"},
                 {403, "Forbidden"},          {404, "Not Found"},
                 {405, "Method Not Allowed"}, {407, "Proxy Authentication Required"},
                 {408, "Request Timeout"},    {426, "Upgrade Required"},
                 {429, "Too Many Requests"},  {500, "Internal Server Error"},
                 {502, "Bad Gateway"},        {503, "Service Unavailable"},
                 {504, "Gateway Timeout"}};
  for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
    if (phrases[i].status == status) {
      return phrases[i].phrase;
    }
  }
  return "Status";
}
