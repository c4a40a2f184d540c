/*
 * duration.c - Go's syntax of durations, read and written.
 *
 * A fraction of a unit is what Go makes of it, which rounds as IEEE doubles do before it cuts off:
 * "0.3333333333333333333h" is twenty minutes. The few operations that this takes are done here in
 * whole numbers, so that no compiler has a say in them.
 */
#include "sim/duration.h"

#include <string.h>

#include "sim/product.h"

#define MOST_NEGATIVE (UINT64_C(1) << 63)

/* mantissa * 2^exponent with 53 significant bits: a positive IEEE double without its limits. */
struct real {
  uint64_t mantissa;
  int exponent;
};

/* Rounds to 53 bits, half to even. `inexact`: bits that are not zero follow the mantissa, whose
 * highest bit is then at least bit 62. */
static struct real real_round(uint64_t mantissa, int exponent, bool inexact) {
  while (mantissa >> 63 == 0) {
    mantissa <<= 1;
    exponent--;
  }
  uint64_t rest = mantissa & 0x7ff;
  uint64_t kept = mantissa >> 11;
  if (rest > 0x400 || (rest == 0x400 && (inexact || (kept & 1) != 0))) {
    kept++;
  }
  if (kept >> 53 != 0) {
    kept >>= 1;
    exponent++;
  }
  return (struct real){.mantissa = kept, .exponent = exponent + 11};
}

static struct real real_multiply(struct real left, struct real right) {
  /* The product has 105 or 106 bits; its upper 64 are wanted, with word of the others. */
  struct sim_product product = sim_multiply(left.mantissa, right.mantissa);
  return real_round((product.high << 22) | (product.low >> 42), left.exponent + right.exponent + 42,
                    product.low << 22 != 0);
}

static struct real real_divide(struct real left, struct real right) {
  uint64_t quotient = 0;
  uint64_t rest = left.mantissa;
  for (int bit = 0; bit < 64; bit++) {
    quotient <<= 1;
    if (rest >= right.mantissa) {
      rest -= right.mantissa;
      quotient |= 1;
    }
    rest <<= 1;
  }
  return real_round(quotient, left.exponent - right.exponent - 63, rest != 0);
}

/* Toward zero; only for numbers below 2^63. */
static uint64_t real_truncate(struct real number) {
  if (number.exponent >= 0) {
    return number.mantissa << number.exponent;
  }
  return number.exponent > -64 ? number.mantissa >> -number.exponent : 0;
}

static bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

/* Reads digits; false when they exceed 2^63. */
static bool read_whole(const char **at, uint64_t *value) {
  *value = 0;
  for (; is_digit(**at); (*at)++) {
    if (*value > MOST_NEGATIVE / 10) {
      return false;
    }
    *value = *value * 10 + (uint64_t)(**at - '0');
    if (*value > MOST_NEGATIVE) {
      return false;
    }
  }
  return true;
}

/* Reads the digits of a fraction: *value / *scale. Those that do not fit are passed over. */
static void read_fraction(const char **at, uint64_t *value, struct real *scale) {
  const struct real ten = real_round(10, 0, false);
  bool overflow = false;
  *value = 0;
  *scale = real_round(1, 0, false);
  for (; is_digit(**at); (*at)++) {
    uint64_t next = *value * 10 + (uint64_t)(**at - '0');
    overflow = overflow || *value > (uint64_t)INT64_MAX / 10 || next > MOST_NEGATIVE;
    if (!overflow) {
      *value = next;
      *scale = real_multiply(*scale, ten);
    }
  }
}

/* Reads a unit: its nanoseconds, 0 when it is none. */
static uint64_t read_unit(const char **at, size_t *length) {
  static const struct {
    const char *name;
    uint64_t nanoseconds;
  } units[] = {{"ns", 1},
               {"us", 1000},
               {"\xc2\xb5s", 1000}, /* U+00B5, the micro sign */
               {"\xce\xbcs", 1000}, /* U+03BC, the Greek mu */
               {"ms", 1000000},
               {"s", 1000000000},
               {"m", UINT64_C(60000000000)},
               {"h", UINT64_C(3600000000000)}};
  const char *start = *at;
  while (**at != '\0' && **at != '.' && !is_digit(**at)) {
    (*at)++;
  }
  *length = (size_t)(*at - start);
  for (size_t index = 0; index < sizeof(units) / sizeof(units[0]); index++) {
    if (strlen(units[index].name) == *length && memcmp(units[index].name, start, *length) == 0) {
      return units[index].nanoseconds;
    }
  }
  return 0;
}

/* Reads a number with its unit. After an error `*at` is where it is. */
static enum sim_duration_error read_term(const char **at, uint64_t *nanoseconds) {
  const char *start = *at;
  uint64_t whole = 0;
  if (!read_whole(at, &whole)) {
    *at = start;
    return SIM_DURATION_OVERFLOW;
  }
  bool has_digits = *at != start;
  uint64_t fraction = 0;
  struct real scale = {0};
  if (**at == '.') {
    const char *point = (*at)++;
    read_fraction(at, &fraction, &scale);
    has_digits = has_digits || *at != point + 1;
  }
  if (!has_digits) {
    return SIM_DURATION_NO_NUMBER;
  }
  const char *name = *at;
  size_t length = 0;
  uint64_t unit = read_unit(at, &length);
  if (unit == 0) {
    *at = name;
    return length == 0 ? SIM_DURATION_NO_UNIT : SIM_DURATION_BAD_UNIT;
  }
  if (whole > MOST_NEGATIVE / unit) {
    *at = start;
    return SIM_DURATION_OVERFLOW;
  }
  *nanoseconds = whole * unit;
  if (fraction > 0) {
    struct real each = real_divide(real_round(unit, 0, false), scale);
    *nanoseconds += real_truncate(real_multiply(real_round(fraction, 0, false), each));
  }
  return SIM_DURATION_OK;
}

static enum sim_duration_error read_terms(const char **at, bool negative, uint64_t *total) {
  do {
    const char *start = *at;
    uint64_t term = 0;
    enum sim_duration_error error = read_term(at, &term);
    if (error != SIM_DURATION_OK) {
      return error;
    }
    uint64_t limit = negative ? MOST_NEGATIVE : (uint64_t)INT64_MAX;
    if (term > limit - *total) {
      *at = start;
      return SIM_DURATION_OVERFLOW;
    }
    *total += term;
  } while (**at != '\0');
  return SIM_DURATION_OK;
}

static int64_t with_sign(uint64_t magnitude, bool negative) {
  if (negative && magnitude == MOST_NEGATIVE) {
    return INT64_MIN;
  }
  return negative ? -(int64_t)magnitude : (int64_t)magnitude;
}

enum sim_duration_error sim_duration_parse(const char *text, wsp_duration *duration, size_t *at) {
  const char *reached = text;
  enum sim_duration_error error = SIM_DURATION_EMPTY;
  if (text != NULL && text[0] != '\0') {
    bool negative = *reached == '-';
    uint64_t total = 0;
    reached += negative || *reached == '+' ? 1 : 0;
    /* The only number that needs no unit. */
    error = strcmp(reached, "0") == 0 ? SIM_DURATION_OK : read_terms(&reached, negative, &total);
    if (error == SIM_DURATION_OK) {
      *duration = with_sign(total, negative);
      return error;
    }
  }
  if (at != NULL) {
    *at = text == NULL ? 0 : (size_t)(reached - text);
  }
  return error;
}

const char *sim_duration_error_text(enum sim_duration_error error) {
  switch (error) {
    case SIM_DURATION_OK:
      return "a duration";
    case SIM_DURATION_EMPTY:
      return "a duration such as \"60ms\" or \"1h30m\"";
    case SIM_DURATION_NO_NUMBER:
      return "a digit";
    case SIM_DURATION_NO_UNIT:
      return "a unit (ns, us, ms, s, m or h) after the number";
    case SIM_DURATION_BAD_UNIT:
      return "one of the units ns, us, ms, s, m, h";
    case SIM_DURATION_OVERFLOW:
      return "a duration of less than 292 years (64-bit nanoseconds)";
  }
  return "a duration";
}

/* Writes `value` before `end`, and returns where it begins. */
static char *write_whole(char *end, uint64_t value) {
  do {
    *--end = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  return end;
}

/* Writes the last `places` decimal digits of `*value` as a fraction, without zeros at its end and
 * without a point when there is nothing behind it, and takes them off. */
static char *write_fraction(char *end, uint64_t *value, int places) {
  bool written = false;
  for (int place = 0; place < places; place++) {
    char digit = (char)('0' + *value % 10);
    written = written || digit != '0';
    if (written) {
      *--end = digit;
    }
    *value /= 10;
  }
  if (written) {
    *--end = '.';
  }
  return end;
}

/* Writes less than a second in the unit that gives it a whole part. */
static char *write_small(char *end, uint64_t value) {
  static const char *const units[] = {"ns", "\xc2\xb5s", "ms"};
  size_t unit = value < 1000 ? 0 : value < 1000000 ? 1 : 2;
  size_t length = strlen(units[unit]);
  end -= length;
  memcpy(end, units[unit], length);
  end = write_fraction(end, &value, (int)unit * 3);
  return write_whole(end, value);
}

static char *write_large(char *end, uint64_t value) {
  *--end = 's';
  end = write_fraction(end, &value, 9);
  end = write_whole(end, value % 60);
  value /= 60;
  if (value > 0) {
    *--end = 'm';
    end = write_whole(end, value % 60);
    value /= 60;
  }
  if (value > 0) {
    *--end = 'h';
    end = write_whole(end, value);
  }
  return end;
}

void sim_duration_format(wsp_duration duration, char text[SIM_DURATION_TEXT_SIZE]) {
  char buffer[SIM_DURATION_TEXT_SIZE];
  char *end = buffer + sizeof(buffer) - 1;
  char *start = end;
  uint64_t magnitude = duration < 0 ? 0 - (uint64_t)duration : (uint64_t)duration;
  *end = '\0';
  if (magnitude == 0) {
    *--start = 's';
    *--start = '0';
  } else if (magnitude < (uint64_t)WSP_SECOND) {
    start = write_small(end, magnitude);
  } else {
    start = write_large(end, magnitude);
  }
  if (duration < 0) {
    *--start = '-';
  }
  memcpy(text, start, (size_t)(end - start) + 1);
}

bool sim_decimal_parse(const char *text, wsp_decimal *decimal) {
  if (text == NULL) {
    return false;
  }
  bool negative = *text == '-';
  const char *at = text + (negative || *text == '+' ? 1 : 0);
  const char *start = at;
  uint64_t value = 0;
  if (!read_whole(&at, &value) || value > MOST_NEGATIVE / WSP_DECIMAL_ONE) {
    return false;
  }
  value *= (uint64_t)WSP_DECIMAL_ONE;
  bool has_digits = at != start;
  if (*at == '.') {
    at++;
    uint64_t place = (uint64_t)WSP_DECIMAL_ONE / 10;
    has_digits = is_digit(*at);
    for (; is_digit(*at); at++) {
      if (place == 0 && *at != '0') {
        return false;
      }
      value += (uint64_t)(*at - '0') * place;
      place /= 10;
    }
  }
  if (!has_digits || *at != '\0' || value > MOST_NEGATIVE ||
      (value == MOST_NEGATIVE && !negative)) {
    return false;
  }
  *decimal = with_sign(value, negative);
  return true;
}
