/*
 * duration.h - durations as text, in the syntax of Go's time package: "1h30m", "60ms", "1.5s".
 */
#ifndef SIM_DURATION_H
#define SIM_DURATION_H

#include "pool/wspool.h"

enum sim_duration_error {
  SIM_DURATION_OK,
  SIM_DURATION_EMPTY,
  SIM_DURATION_NO_NUMBER, /* a digit was expected */
  SIM_DURATION_NO_UNIT,   /* "10": a unit is missing */
  SIM_DURATION_BAD_UNIT,  /* one that is not ns us µs ms s m h */
  SIM_DURATION_OVERFLOW   /* beyond 64-bit nanoseconds */
};

/* Parses as Go's time.ParseDuration does (signs, fractions, "0", both signs of micro). Fractions
 * of a nanosecond are cut off. After an error `*duration` is as it was and `*at` (may be NULL) is
 * the offset of what was wrong; a NULL text is empty. */
enum sim_duration_error sim_duration_parse(const char *text, wsp_duration *duration, size_t *at);
/* What was expected, as a sentence fragment; lives for ever. */
const char *sim_duration_error_text(enum sim_duration_error error);

#define SIM_DURATION_TEXT_SIZE 40
/* As Go prints it: "1h30m0s", "70ms", "1.5µs", "0s". */
void sim_duration_format(wsp_duration duration, char text[SIM_DURATION_TEXT_SIZE]);

/* An exact decimal of up to nine places ("0.7", "2", "-1.25", ".5"; zeros may follow the ninth):
 * billionths. No exponent. False: it is none, or it is out of range; `*decimal` is as it was. */
bool sim_decimal_parse(const char *text, wsp_decimal *decimal);

#endif
