/*
 * hash.c - the SHA-256 of a timeline.
 *
 * It is taken over what the timeline says, in a byte order of its own, so that equal timelines
 * have equal hashes on every machine: two 64-bit numbers (records, bytes of strings), then the
 * records of 64 bytes (see put_record), then the strings, each with its NUL. All numbers are
 * little-endian.
 */
#define _DEFAULT_SOURCE /* htole64() and its like */
#include "reports/hash.h"

#include <endian.h>
#include <openssl/evp.h>
#include <string.h>

#include "reports/recorder.h"

#define RECORD_SIZE 64
#define RECORDS_PER_BLOCK 256

/* Each is one store on a little-endian machine; byte by byte it is a tenth of a simulated event. */
#define DEFINE_PUT(bits)                                                     \
  static unsigned char *put##bits(unsigned char *to, uint##bits##_t value) { \
    value = htole##bits(value);                                              \
    memcpy(to, &value, sizeof value);                                        \
    return to + sizeof value;                                                \
  }
DEFINE_PUT(16)
DEFINE_PUT(32)
DEFINE_PUT(64)
#undef DEFINE_PUT

static void put_record(unsigned char *to, const struct sim_event *event) {
  to = put64(to, (uint64_t)event->t_ns);
  to = put64(to, (uint64_t)event->account);
  for (size_t i = 0; i < 3; i++) {
    to = put64(to, (uint64_t)event->values[i]);
  }
  to = put32(to, event->conn);
  to = put32(to, event->op);
  to = put32(to, event->texts[0]);
  to = put32(to, event->texts[1]);
  to = put16(to, event->kind);
  to = put16(to, event->cause);
  put32(to, event->reserved);
}

static void write_hex(const unsigned char *digest, char hex[65]) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < 32; i++) {
    hex[2 * i] = digits[digest[i] >> 4];
    hex[2 * i + 1] = digits[digest[i] & 15];
  }
  hex[64] = '\0';
}

static int update_records(EVP_MD_CTX *digest, const struct sim_event *events, uint64_t count) {
  unsigned char block[RECORDS_PER_BLOCK * RECORD_SIZE];
  for (uint64_t first = 0; first < count; first += RECORDS_PER_BLOCK) {
    size_t size = 0;
    for (uint64_t i = first; i < count && i < first + RECORDS_PER_BLOCK; i++) {
      put_record(block + size, &events[i]);
      size += RECORD_SIZE;
    }
    if (EVP_DigestUpdate(digest, block, size) != 1) {
      return 0;
    }
  }
  return 1;
}

void rep_timeline_sha256(const struct sim_trace *trace, char hex[65]) {
  unsigned char result[EVP_MAX_MD_SIZE];
  unsigned char counts[16];
  size_t string_size;
  const char *strings = sim_trace_strings(trace, &string_size);
  uint64_t count = sim_trace_count(trace);
  put64(put64(counts, count), string_size);

  hex[0] = '\0';
  EVP_MD_CTX *digest = EVP_MD_CTX_new();
  if (digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
      EVP_DigestUpdate(digest, counts, sizeof counts) == 1 &&
      update_records(digest, sim_trace_events(trace), count) &&
      EVP_DigestUpdate(digest, strings, string_size) == 1 &&
      EVP_DigestFinal_ex(digest, result, NULL) == 1) {
    write_hex(result, hex);
  }
  EVP_MD_CTX_free(digest);
}

void rep_sha256(const void *data, size_t size, char hex[65]) {
  unsigned char result[EVP_MAX_MD_SIZE];
  hex[0] = '\0';
  if (EVP_Digest(data, size, result, NULL, EVP_sha256(), NULL) == 1) {
    write_hex(result, hex);
  }
}
