/*
 * failure_class.h - in which way a run does not hold, so that two runs can be said to fail alike.
 *
 * "crash", "error", "hang of KIND beside a lease", "hang of KIND beside no lease" (KIND: of the
 * first operation that hangs; in its account some conn is still lent, or none), "invariant NAME",
 * or "expectation TEXT found ACTUAL wrong FIELDS" with the white space left out, and the numbers of
 * what was found: a smaller scenario has other times.
 */
#ifndef ENGINE_FAILURE_CLASS_H
#define ENGINE_FAILURE_CLASS_H

#include "reports/recorder.h"

/* The class of a result, on the heap: of its first violation, else of its first expectation that
 * failed. "" for one that holds. NULL: no memory. */
char *scn_failure_class(const struct rep_scenario *result);

/* Whether `result` fails in that way, among others perhaps. */
bool scn_failure_is(const struct rep_scenario *result, const char *failure_class);

#endif
