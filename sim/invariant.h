/*
 * invariant.h - the invariants that hold in every run: their names and what they say.
 *
 * The names are what a scenario file turns off and what a violation is recorded under. How they
 * are checked is said in watch.h, what each of them can and can not see in
 * scenarios/INVARIANTS.md.
 */
#ifndef SIM_INVARIANT_H
#define SIM_INVARIANT_H

/* X(enumerator, name, sentence). Safety first, then liveness (in bounded virtual time). */
#define SIM_INVARIANT_LIST(X)                                                                      \
  X(SIM_INVARIANT_ONE_LEASE_PER_CONN, "one-lease-per-conn",                                        \
    "A conn has at most one live lease, and granted less released is the number of leased conns.") \
  X(SIM_INVARIANT_MAXIMUM_RESPECTED, "maximum-respected",                                          \
    "Conns and reserved dials of an account never exceed its maximum, but for adopted conns; a "   \
    "maximum that shrinks only drains.")                                                           \
  X(SIM_INVARIANT_CREATING_MATCHES_DIALS, "creating-matches-dials",                                \
    "`creating` is the number of places reserved for unfinished dials, and never negative.")       \
  X(SIM_INVARIANT_LEASED_CONN_NOT_CLOSED, "leased-conn-not-closed",                                \
    "A leased conn is closed only by its holder, the upstream, or an explicit evict or clear.")    \
  X(SIM_INVARIANT_GRANT_IS_USABLE, "grant-is-usable",                                              \
    "A conn is granted only open, with the request's reuse key, not retired and as its pins "      \
    "allow.")                                                                                      \
  X(SIM_INVARIANT_ACQUIRE_ENDS_ONCE, "acquire-ends-once",                                          \
    "An acquire ends once, and is never granted at or after its cancel or deadline.")              \
  X(SIM_INVARIANT_NOTHING_AFTER_RELEASE, "nothing-after-release",                                  \
    "Nothing of one lease reaches it, or the next one, after its release.")                        \
  X(SIM_INVARIANT_CLOSED_STAYS_CLOSED, "closed-stays-closed",                                      \
    "After the close of the pool no dial starts, dials that land and leases that end are closed, " \
    "and waiters fail.")                                                                           \
  X(SIM_INVARIANT_CLOSE_DELAYS_NO_ACQUIRE, "close-delays-no-acquire",                              \
    "No acquire waits until another conn's close is confirmed.")                                   \
  X(SIM_INVARIANT_PINS_NAME_CONNS, "pins-name-conns",                                              \
    "A conn with pins is in its account, and no pin outlives its conn.")                           \
  X(SIM_INVARIANT_WALL_CLOCK_IRRELEVANT, "wall-clock-irrelevant",                                  \
    "The timeline is the same under any offset of the clock.")                                     \
  X(SIM_INVARIANT_METRICS_MATCH_TIMELINE, "metrics-match-timeline",                                \
    "Acquires are granted, failed, cancelled or pending; conns opened less closed are those that " \
    "live; waits are recorded for every outcome.")                                                 \
  X(SIM_INVARIANT_CANCEL_IS_NO_FAILURE, "cancel-is-no-failure",                                    \
    "A caller's cancel or deadline does not count as a failure of the upstream.")                  \
  X(SIM_INVARIANT_TRIM_SPARES_USED_CONNS, "trim-spares-used-conns",                                \
    "Trimming takes only conns that are idle, without waiters and without pins.")                  \
  X(SIM_INVARIANT_NO_WAITER_BESIDE_IDLE_CONN, "no-waiter-beside-idle-conn",                        \
    "No acquire waits while a conn that it could use is idle.")                                    \
  X(SIM_INVARIANT_NO_WAITER_BESIDE_ROOM, "no-waiter-beside-room",                                  \
    "No acquire waits while there is room and nothing is being dialled.")                          \
  X(SIM_INVARIANT_ACQUIRE_ENDS_BY_DEADLINE, "acquire-ends-by-deadline",                            \
    "An acquire has ended by its deadline.")                                                       \
  X(SIM_INVARIANT_FIRST_COME_FIRST_SERVED, "first-come-first-served",                              \
    "Acquires that wait for the same conns are granted in the order in which they came.")          \
  X(SIM_INVARIANT_MINIMUM_IDLE_RESTORED, "minimum-idle-restored",                                  \
    "The prewarm floor is restored within a sweep and a dial, without traffic.")                   \
  X(SIM_INVARIANT_CLOSED_CONN_LEAVES, "closed-conn-leaves",                                        \
    "A conn that the peer closed leaves at once; one that is half open within a ping interval "    \
    "and its timeout.")                                                                            \
  X(SIM_INVARIANT_SWEEPS_AND_CLOSE_FINISH, "sweeps-and-close-finish",                              \
    "Every sweep and every close comes to its end.")                                               \
  X(SIM_INVARIANT_STEADY_LOAD_NO_CHURN, "steady-load-no-churn",                                    \
    "Under steady load conns are dialled only to replace old ones, and a failing upstream is "     \
    "dialled at a bounded rate.")                                                                  \
  X(SIM_INVARIANT_EXPIRY_SPREAD, "expiry-spread",                                                  \
    "Conns that are rotated by age leave spread over time.")                                       \
  X(SIM_INVARIANT_PREWARM_HAS_DIAL, "prewarm-has-dial",                                            \
    "A prewarm that is running has a dial that is alive.")                                         \
  X(SIM_INVARIANT_CONVERGENCE, "convergence",                                                      \
    "When faults are over and everything was given back, nothing stays under way, every account "  \
    "is served up to its maximum, and its minimum of idle conns is restored.")

enum sim_invariant {
#define SIM_ENUMERATOR(id, name, sentence) id,
  SIM_INVARIANT_LIST(SIM_ENUMERATOR)
#undef SIM_ENUMERATOR
      SIM_INVARIANT_COUNT
};

#endif
