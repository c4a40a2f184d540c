/*
 * coverage.h - how far a search for orders came, in words.
 */
#ifndef REPORTS_COVERAGE_H
#define REPORTS_COVERAGE_H

#include "reports/recorder.h"

enum { REP_COVERAGE_SIZE = 256 };

/* "all 24 orders hold; 9 runs, ..." or "100 runs, 81 distinct schedules; ...": what was covered.
 * Whether a failure was found is the verdict's to say. */
void rep_coverage_describe(const struct rep_exploration *exploration, char text[REP_COVERAGE_SIZE]);

/* Events of all runs for each second of the search. */
uint64_t rep_coverage_rate(const struct rep_exploration *exploration);

#endif
