/*
 * lanes.h - follows a recorded timeline and tells who had which conn when: spans of time.
 *
 * It keeps what is under way, not what was: a timeline of any length needs memory for its names
 * only. A span is told when it ends, so spans come in order of their ends.
 */
#ifndef REPORTS_LANES_H
#define REPORTS_LANES_H

#include <stdbool.h>
#include <stdint.h>

/* X(enumerator, name, sign in a text) */
#define REP_SPAN_LIST(X)                                                                   \
  X(REP_SPAN_WAIT, "waiting", '.')    /* of an operation: from its acquire to the grant */ \
  X(REP_SPAN_DIAL, "dialing", '~')    /* of a dial, for an acquire or to prewarm */        \
  X(REP_SPAN_IDLE, "idle", '-')       /* of a conn */                                      \
  X(REP_SPAN_LEASE, "leased", '#')    /* of a conn, by an operation */                     \
  X(REP_SPAN_PING, "pinging", 'p')    /* of a conn, beside what else it is */              \
  X(REP_SPAN_CLOSING, "closing", 'x') /* of a conn that has left its account */

enum rep_span_kind {
#define REP_ENUMERATOR(id, name, sign) id,
  REP_SPAN_LIST(REP_ENUMERATOR)
#undef REP_ENUMERATOR
      REP_SPAN_KIND_COUNT
};

const char *rep_span_name(enum rep_span_kind kind);
char rep_span_sign(enum rep_span_kind kind);

/* Texts live during the call. */
struct rep_span {
  enum rep_span_kind kind;
  bool open;    /* it had not ended when the timeline did */
  bool granted; /* a wait that ended well */
  int64_t account;
  int64_t start_ns, end_ns;
  const char *conn;     /* "" when it has to do with none */
  const char *op;       /* the operation's label; "": none */
  const char *why;      /* the reason or error with which it ended, or for which it was; "": none */
  uint32_t conn_number; /* of a conn, from 0; the same id in another account has another one */
  uint32_t lane;        /* waits, dials: the lowest number, from 0, that is free in its time */
};

struct rep_lanes;

typedef void rep_span_function(void *context, const struct rep_span *span);

/* NULL: no memory. */
struct rep_lanes *rep_lanes_create(rep_span_function *tell, void *context);
void rep_lanes_destroy(struct rep_lanes *lanes);

/* Takes the next event, as its row has it ("" for NULL). False: no memory. */
bool rep_lanes_event(struct rep_lanes *lanes, int64_t t_ns, const char *kind, int64_t account,
                     const char *conn, const char *op, const char *detail);

/* Tells what is still under way at `t_ns`, the end. */
void rep_lanes_end(struct rep_lanes *lanes, int64_t t_ns);

#endif
