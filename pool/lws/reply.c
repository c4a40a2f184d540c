/*
 * reply.c - reads the server's answer to the handshake: status, headers, and the body of a refusal.
 *
 * libwebsockets keeps of a refused upgrade neither the body nor headers whose names it is not asked
 * for. It reads the answer of an accepted one by itself, and judges it; here its headers are only
 * noted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pool/lws/internal.h"

enum { MOST_HEADERS = 200 };

/* Where the head ends, behind its empty line; 0: not in there. */
static size_t end_of_head(const struct bytes *answer) {
  for (size_t i = 0; i < answer->length; i++) {
    if (answer->data[i] != '\n') {
      continue;
    }
    size_t next = i + 1;
    if (next < answer->length && answer->data[next] == '\r') {
      next++;
    }
    if (next < answer->length && answer->data[next] == '\n') {
      return next + 1;
    }
  }
  return 0;
}

/* What has come so far may still be the start of an answer. */
static bool begins_well(const struct bytes *answer) {
  static const char start[] = "HTTP/1.";
  size_t length = answer->length < sizeof start - 1 ? answer->length : sizeof start - 1;
  return memcmp(answer->data, start, length) == 0;
}

static bool read_status(struct reply *reply, const char *line) {
  if ((line[7] != '0' && line[7] != '1') || line[8] != ' ') {
    return false;
  }
  int status = 0;
  for (int i = 9; i < 12; i++) {
    if (line[i] < '0' || line[i] > '9') {
      return false;
    }
    status = 10 * status + (line[i] - '0');
  }
  if ((line[12] != ' ' && line[12] != '\0') || status < 100) {
    return false;
  }
  reply->status = status;
  reply->phrase = line[12] == ' ' ? line + 13 : line + 12;
  return true;
}

static bool add_header(struct reply *reply, char *line) {
  char *colon = strchr(line, ':');
  if (colon == NULL || colon == line || reply->header_count == MOST_HEADERS) {
    return false;
  }
  *colon = '\0';
  char *value = colon + 1 + strspn(colon + 1, " \t");
  size_t length = strlen(value);
  while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t')) {
    value[--length] = '\0';
  }
  reply->headers[reply->header_count++] = (struct wsp_header){line, value};
  return true;
}

/* Cuts the head into lines. False: it is none. */
static bool read_lines(struct reply *reply) {
  char *line = reply->head;
  for (bool first = true; *line != '\0'; first = false) {
    char *end = strchr(line, '\n');
    char *next = end == NULL ? line + strlen(line) : end + 1;
    size_t length = end == NULL ? strlen(line) : (size_t)(end - line);
    if (length > 0 && line[length - 1] == '\r') {
      length--;
    }
    line[length] = '\0';
    if (first ? length < 12 || !read_status(reply, line) : length > 0 && !add_header(reply, line)) {
      return false;
    }
    line = next;
  }
  return reply->status != 0;
}

enum reply_progress wsp_reply_parse(struct reply *reply, const struct bytes *answer,
                                    size_t *head_length, char reason[REASON_SIZE]) {
  *head_length = answer->length == 0 ? 0 : end_of_head(answer);
  if (!begins_well(answer)) {
    snprintf(reason, REASON_SIZE, "the server did not answer with HTTP/1");
    return REPLY_INVALID;
  }
  if (*head_length == 0) {
    return REPLY_INCOMPLETE;
  }
  wsp_reply_deinit(reply);
  reply->head = malloc(*head_length + 1);
  reply->headers = malloc(MOST_HEADERS * sizeof *reply->headers);
  if (reply->head == NULL || reply->headers == NULL) {
    snprintf(reason, REASON_SIZE, "out of memory");
    return REPLY_INVALID;
  }
  memcpy(reply->head, answer->data, *head_length);
  reply->head[*head_length] = '\0';
  if (strlen(reply->head) != *head_length || !read_lines(reply)) {
    wsp_reply_deinit(reply);
    snprintf(reason, REASON_SIZE, "the server's answer has an invalid HTTP head");
    return REPLY_INVALID;
  }
  return REPLY_HEAD;
}

const char *wsp_reply_header(const struct reply *reply, const char *name) {
  for (size_t i = 0; i < reply->header_count; i++) {
    if (strcasecmp(reply->headers[i].name, name) == 0) {
      return reply->headers[i].value;
    }
  }
  return NULL;
}

static bool is_chunked(const struct reply *reply) {
  const char *coding = wsp_reply_header(reply, "transfer-encoding");
  return coding != NULL && strcasecmp(coding, "chunked") == 0;
}

/* Reads one chunk of `data`: `*text` and `*length` are what it holds. Returns how long it is with
 * its frame, 0: not complete or none. */
static size_t read_chunk(const uint8_t *data, size_t available, const uint8_t **text,
                         size_t *length) {
  size_t at = 0;
  *length = 0;
  for (; at < available && at < 8; at++) {
    int digit = data[at] >= '0' && data[at] <= '9'   ? data[at] - '0'
                : data[at] >= 'a' && data[at] <= 'f' ? data[at] - 'a' + 10
                : data[at] >= 'A' && data[at] <= 'F' ? data[at] - 'A' + 10
                                                     : -1;
    if (digit < 0) {
      break;
    }
    *length = 16 * *length + (size_t)digit;
  }
  const uint8_t *line_end = memchr(data + at, '\n', available - at);
  if (at == 0 || line_end == NULL) {
    return 0;
  }
  *text = line_end + 1;
  size_t frame = (size_t)(*text - data) + *length + 2;
  return frame <= available ? frame : 0;
}

bool wsp_reply_body_complete(const struct reply *reply, const struct bytes *answer,
                             size_t head_length) {
  size_t available = answer->length - head_length;
  if (reply->status == 204 || reply->status == 304) {
    return true;
  }
  if (is_chunked(reply)) {
    const uint8_t *data = answer->data + head_length;
    const uint8_t *text;
    size_t length;
    size_t frame;
    while ((frame = read_chunk(data, available, &text, &length)) > 0) {
      if (length == 0) {
        return true;
      }
      data += frame;
      available -= frame;
    }
    return false;
  }
  const char *length = wsp_reply_header(reply, "content-length");
  if (length == NULL) {
    return false;
  }
  char *end;
  unsigned long long expected = strtoull(length, &end, 10);
  return end == length || available >= expected; /* no number: nothing to wait for */
}

static void add_text(char *text, size_t size, size_t *length, const uint8_t *from, size_t count) {
  for (size_t i = 0; i < count && *length + 1 < size; i++) {
    text[(*length)++] = from[i] < ' ' || from[i] == 127 ? ' ' : (char)from[i];
  }
}

void wsp_reply_text(const struct reply *reply, const struct bytes *answer, size_t head_length,
                    char *text, size_t size) {
  size_t length = 0;
  const uint8_t *body = answer->data + head_length;
  size_t available = answer->length - head_length;
  if (is_chunked(reply)) {
    const uint8_t *part;
    size_t part_length;
    size_t frame;
    while ((frame = read_chunk(body, available, &part, &part_length)) > 0 && part_length > 0) {
      add_text(text, size, &length, part, part_length);
      body += frame;
      available -= frame;
    }
  } else {
    add_text(text, size, &length, body, available);
  }
  while (length > 0 && text[length - 1] == ' ') {
    length--;
  }
  text[length] = '\0';
  size_t blanks = strspn(text, " ");
  memmove(text, text + blanks, length - blanks + 1);
  if (text[0] == '\0') {
    snprintf(text, size, "%s", reply->phrase);
  }
}

void wsp_reply_deinit(struct reply *reply) {
  free(reply->head);
  free(reply->headers);
  *reply = (struct reply){0};
}
