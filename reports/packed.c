/*
 * packed.c - packs events, compresses them, writes them as base64: all in one stream.
 */
#include "reports/packed.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "reports/detail.h"
#include "reports/names.h"

/* Higher levels take longer and find nothing more: what is packed repeats itself at short
 * distances. */
enum { LEVEL = 4 };

enum { BLOCK = 48 * 1024, SHAPE_SIZE = 512, RAW_SIZE = 4096 };

struct packer {
  FILE *file;
  z_stream deflater;
  struct rep_names shapes, texts;
  unsigned char in[BLOCK], out[BLOCK]; /* a multiple of 3: base64 needs no rest but at the end */
  size_t in_length, out_length;
  bool failed; /* no memory */
};

static void write_base64(FILE *file, const unsigned char *bytes, size_t count) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < count; i += 3) {
    size_t left = count - i;
    unsigned group = (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0U) |
                     (left > 2 ? bytes[i + 2] : 0U);
    const char text[4] = {digits[group >> 18], digits[group >> 12 & 63],
                          left > 1 ? digits[group >> 6 & 63] : '=',
                          left > 2 ? digits[group & 63] : '='};
    fwrite(text, 1, sizeof text, file);
  }
}

/* Compresses what is in `in`; the output is written block by block. */
static void compress_block(struct packer *packer, int flush) {
  z_stream *deflater = &packer->deflater;
  int result;
  deflater->next_in = packer->in;
  deflater->avail_in = (uInt)packer->in_length;
  do {
    deflater->next_out = packer->out + packer->out_length;
    deflater->avail_out = (uInt)(BLOCK - packer->out_length);
    result = deflate(deflater, flush);
    packer->out_length = BLOCK - deflater->avail_out;
    if (packer->out_length == BLOCK) {
      write_base64(packer->file, packer->out, BLOCK);
      packer->out_length = 0;
    }
  } while (deflater->avail_in > 0 || (flush == Z_FINISH && result == Z_OK));
  packer->in_length = 0;
}

static void put_byte(struct packer *packer, unsigned byte) {
  if (packer->in_length == BLOCK) {
    compress_block(packer, Z_NO_FLUSH);
  }
  packer->in[packer->in_length++] = (unsigned char)byte;
}

static void put_number(struct packer *packer, uint64_t number) {
  for (; number >= 0x80; number >>= 7) {
    put_byte(packer, (unsigned)(number & 0x7f) | 0x80U);
  }
  put_byte(packer, (unsigned)number);
}

static void put_signed(struct packer *packer, int64_t number) {
  put_number(packer, (uint64_t)number << 1 ^ (uint64_t)(number < 0 ? -1 : 0));
}

static void put_text(struct packer *packer, struct rep_names *names, const char *text) {
  if (text[0] == '\0') {
    put_number(packer, 0);
    return;
  }
  uint32_t known = names->count;
  uint32_t number = rep_names_put(names, text);
  if (number == REP_NAME_NONE) {
    packer->failed = true;
    return;
  }
  put_number(packer, (uint64_t)number + 1);
  if (number == known) {
    size_t length = strlen(text);
    put_number(packer, length);
    for (size_t i = 0; i < length; i++) {
      put_byte(packer, (unsigned char)text[i]);
    }
  }
}

/* ---- Events -------------------------------------------------------------------------------- */

/* Points in time lie near their event: as a distance from it they are short. */
static bool is_time(const struct rep_field *field) {
  static const char name[] = "deadline_ns";
  return field->key_length == sizeof name - 1 && memcmp(field->key, name, field->key_length) == 0;
}

static void put_shape(struct packer *packer, const char *kind, const char *detail) {
  char shape[SHAPE_SIZE];
  struct rep_field field;
  int64_t number;
  size_t length = (size_t)snprintf(shape, sizeof shape, "%s", kind);
  while (length < sizeof shape && rep_detail_next(&detail, &field)) {
    length += (size_t)snprintf(shape + length, sizeof shape - length, "%c%.*s",
                               !rep_field_integer(&field, &number) ? '?'
                               : is_time(&field)                   ? '@'
                                                                   : '#',
                               (int)field.key_length, field.key);
  }
  put_text(packer, &packer->shapes, shape);
}

static void put_time(struct packer *packer, int64_t time_ns, int64_t now_ns) {
  int64_t away_ns = time_ns - now_ns;
  put_signed(packer, time_ns == 0 ? 0 : away_ns >= 0 ? away_ns + 1 : away_ns);
}

static void put_values(struct packer *packer, int64_t t_ns, const char *detail) {
  struct rep_field field;
  while (rep_detail_next(&detail, &field)) {
    int64_t number;
    char raw[RAW_SIZE];
    if (rep_field_integer(&field, &number) && is_time(&field)) {
      put_time(packer, number, t_ns);
    } else if (rep_field_integer(&field, &number)) {
      put_signed(packer, number);
    } else if (field.value_length < sizeof raw) {
      memcpy(raw, field.value, field.value_length);
      raw[field.value_length] = '\0';
      put_text(packer, &packer->texts, raw);
    } else {
      put_text(packer, &packer->texts, "\"(too long for this page; it is in the database)\"");
    }
  }
}

static bool put_events(struct packer *packer, const struct rep_item *item, char *message,
                       size_t size) {
  bool failed = false;
  int64_t last_ns = 0;
  sqlite3_stmt *rows = rep_item_query(
      item,
      "select t_ns, kind, account, conn, op, detail from event where scenario_id = ?1 order by seq",
      message, size);
  while (!packer->failed && rep_item_row(item, &rows, &failed, message, size)) {
    int64_t t_ns = sqlite3_column_int64(rows, 0);
    const char *detail = rep_column(rows, 5);
    put_number(packer, (uint64_t)(t_ns - last_ns));
    last_ns = t_ns;
    put_shape(packer, rep_column(rows, 1), detail);
    put_signed(packer, sqlite3_column_int64(rows, 2));
    put_text(packer, &packer->texts, rep_column(rows, 3));
    put_text(packer, &packer->texts, rep_column(rows, 4));
    put_values(packer, t_ns, detail);
  }
  sqlite3_finalize(rows);
  return !failed;
}

bool rep_packed_write(FILE *file, const struct rep_item *item, char *message, size_t size) {
  struct packer *packer = calloc(1, sizeof *packer);
  bool begun = packer != NULL && deflateInit(&packer->deflater, LEVEL) == Z_OK;
  bool read = true;
  if (begun) {
    packer->file = file;
    read = put_events(packer, item, message, size);
    compress_block(packer, Z_FINISH);
    write_base64(file, packer->out, packer->out_length);
    deflateEnd(&packer->deflater);
    rep_names_deinit(&packer->shapes);
    rep_names_deinit(&packer->texts);
  }
  if (!begun || packer->failed) {
    snprintf(message, size, "out of memory for the timeline of scenario '%s'", item->name);
    read = false;
  }
  free(packer);
  return read;
}
