/*
 * digest.h - a pool's state in 128 bits, for those who ask whether they have met it before.
 *
 * A search over the orders of simultaneous things comes to the same state again and again, by ways
 * that differ in nothing that matters. What a digest has to be for that: two pools of one
 * configuration with equal digests do and tell the same from then on, whatever is asked of them.
 * So it has in it all that decides, and it must not have in it what can not decide, or equal
 * states would look different:
 *
 *  - Addresses, slots of slabs, generations of handles, the shape of treaps and of heaps. A thing
 *    that another one refers to is named: a conn by its number of entry, an operation by its kind
 *    and what its tag stands for, a dial by what it is for. Whoever keeps handles of the pool takes
 *    the names of what they mean now (wsp_digest_of_lease() and its like) into its own digest.
 *  - Numbers that are only compared with each other: of arrivals, leases, timers. Their order is
 *    in, as the order of the sets that are kept by them.
 *  - Sets of things of which each is in (all operations, all conns, all dials) are sums of the
 *    digests of their members, so the order in which they lie in memory does not matter.
 *  - What a conn remembers of a lease, or of a ping, that is over, which nothing reads.
 *  - Memory that waits to be used again; the hash tables, and where a search in them starts.
 *  - The metrics: they only ever grow by what happens. Who looks at them takes them in.
 *
 * Derived state (the sets, the counts of an account) is in all the same: in a pool with a bug it
 * may not be what it should be, and finding that is what the search is for.
 *
 * Operations that are pending at one time must have tags that stand for different things.
 *
 * The words are well mixed, not secret: equal digests of unequal states come by chance alone,
 * with n states met about n^2 / 2^129. They mean something within one process.
 */
#ifndef POOL_DIGEST_H
#define POOL_DIGEST_H

#include <string.h>

#include "pool/wspool_transport.h"

/* Zero-filled: empty. */
struct wsp_digest {
  uint64_t words[2];
};

static inline uint64_t wsp_digest_rotated(uint64_t word, int by) {
  return (word << by) | (word >> (64 - by));
}

/* For each word a one-to-one step, so nothing is lost before the end. */
static inline void wsp_digest_add(struct wsp_digest *digest, uint64_t value) {
  uint64_t a = digest->words[0] ^ (value * UINT64_C(0x87c37b91114253d5));
  uint64_t b = digest->words[1] ^ wsp_digest_rotated(value * UINT64_C(0x4cf5ad432745937f), 33);
  a = wsp_digest_rotated(a, 27) * UINT64_C(0x9fb21c651e98df25) + b + UINT64_C(0x52dce729);
  digest->words[0] = a;
  digest->words[1] = wsp_digest_rotated(b, 31) * UINT64_C(0xc6a4a7935bd1e995) + a;
}

static inline uint64_t wsp_digest_mixed(uint64_t word) {
  word = (word ^ (word >> 33)) * UINT64_C(0xff51afd7ed558ccd);
  word = (word ^ (word >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
  return word ^ (word >> 33);
}

/* What has been added, mixed, so that such digests can be summed up. */
static inline struct wsp_digest wsp_digest_end(struct wsp_digest digest) {
  uint64_t a = wsp_digest_mixed(digest.words[0] + digest.words[1]);
  uint64_t b = wsp_digest_mixed(digest.words[1] + a);
  return (struct wsp_digest){{a + b, b}};
}

/* Adds a digest as a member of a set: the order of members does not matter, their number does. */
static inline void wsp_digest_join(struct wsp_digest *set, struct wsp_digest member) {
  struct wsp_digest ended = wsp_digest_end(member);
  set->words[0] += ended.words[0];
  set->words[1] += ended.words[1];
}

static inline void wsp_digest_add_digest(struct wsp_digest *digest, struct wsp_digest other) {
  wsp_digest_add(digest, other.words[0]);
  wsp_digest_add(digest, other.words[1]);
}

static inline void wsp_digest_add_bytes(struct wsp_digest *digest, const void *bytes,
                                        size_t length) {
  wsp_digest_add(digest, length);
  for (size_t i = 0; i < length; i += 8) {
    uint64_t word = 0;
    memcpy(&word, (const char *)bytes + i, length - i < 8 ? length - i : 8);
    wsp_digest_add(digest, word);
  }
}

/* NULL is told from "". */
static inline void wsp_digest_add_text(struct wsp_digest *digest, const char *text) {
  if (text == NULL) {
    wsp_digest_add(digest, UINT64_MAX);
  } else {
    wsp_digest_add_bytes(digest, text, strlen(text));
  }
}

/* What a pool does not know. */
struct wsp_digest_names {
  /* What a tag stands for: different for tags that stand for different things. Not asked for 0. */
  uint64_t (*of_tag)(void *context, uint64_t tag);
  void *context;
  bool serials; /* the numbers of dials, which the timeline alone tells, matter */
};

/* Adds the state of the pool to `digest`. */
void wsp_pool_digest(const struct wsp_pool *pool, const struct wsp_digest_names *names,
                     struct wsp_digest *digest);

/* Names of what handles of the pool mean now; 0: nothing any more. */
uint64_t wsp_digest_of_conn(struct wsp_conn conn);
uint64_t wsp_digest_of_lease(struct wsp_lease lease);
struct wsp_digest wsp_digest_of_dial(struct wsp_dial dial, const struct wsp_digest_names *names);

/* The sums that two metrics are cut off from. */
void wsp_digest_waits(const struct wsp_pool *pool, int64_t *queue_wait_ns, int64_t *conn_pick_ns);

#endif
