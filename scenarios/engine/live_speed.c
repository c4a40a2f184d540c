/*
 * live_speed.c - how fast the clock of a live run goes.
 */
#include "scenarios/engine/live.h"
#include "sim/duration.h"

/* So that no time of a scenario is out of range in real time. */
#define SLOWEST_SPEED (WSP_DECIMAL_ONE / 1000)
#define FASTEST_SPEED (WSP_DECIMAL_ONE * 1000000)
#define LONGEST (WSP_TIME_NEVER / 4)

bool scn_live_read_speed(const char *text, wsp_decimal *speed) {
  return sim_decimal_parse(text, speed) && *speed >= SLOWEST_SPEED && *speed <= FASTEST_SPEED;
}

/* `rest` / `speed` in billionths, for a rest below the speed: bit by bit of the quotient, as the
 * product has too many. */
static int64_t divide(int64_t rest, wsp_decimal speed) {
  int64_t quotient = 0;
  int64_t place = WSP_DECIMAL_ONE;
  while (place > 1) {
    place /= 10;
    rest *= 10; /* below ten times the fastest speed */
    quotient += rest / speed * place;
    rest %= speed;
  }
  return quotient;
}

wsp_duration scn_live_to_real(wsp_duration duration, wsp_decimal speed) {
  wsp_duration whole = duration / speed;
  return whole >= LONGEST / WSP_DECIMAL_ONE
             ? LONGEST
             : whole * WSP_DECIMAL_ONE + divide(duration % speed, speed);
}

wsp_duration scn_live_from_real(wsp_duration duration, wsp_decimal speed) {
  int64_t whole = speed / WSP_DECIMAL_ONE;
  int64_t rest = speed % WSP_DECIMAL_ONE;
  wsp_duration seconds = duration / WSP_DECIMAL_ONE;
  wsp_duration below = duration % WSP_DECIMAL_ONE;
  if (seconds >= LONGEST / speed) {
    return LONGEST;
  }
  return seconds * speed + below * whole + below * rest / WSP_DECIMAL_ONE;
}
