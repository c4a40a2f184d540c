/*
 * target.c - reuse keys (url and proxy of an account) and what to dial.
 *
 * Both are counted by reference, so an account that is asked for ever new URLs keeps only those
 * that a conn, an acquire, a dial or the template still names.
 */
#include "pool/internal.h"

static uint64_t bucket_hash(const struct account *account, struct wsp_span url,
                            struct wsp_span proxy) {
  return wsp_span_hash(proxy, wsp_span_hash(url, (uint64_t)account->last.id));
}

static bool bucket_is(const struct bucket *bucket, const struct account *account,
                      struct wsp_span url, struct wsp_span proxy) {
  return bucket->account == account &&
         wsp_span_equal((struct wsp_span){bucket->url.text, bucket->url.length}, url) &&
         wsp_span_equal((struct wsp_span){bucket->proxy.text, bucket->proxy.length}, proxy);
}

struct bucket *wsp_bucket_find(const struct wsp_pool *pool, struct account *account,
                               struct wsp_span url, struct wsp_span proxy) {
  if (account->last_bucket != NULL && bucket_is(account->last_bucket, account, url, proxy)) {
    return account->last_bucket;
  }
  struct wsp_link *link = wsp_table_first(&pool->buckets, bucket_hash(account, url, proxy));
  for (; link != NULL; link = wsp_table_next(link)) {
    struct bucket *bucket = WSP_OWNER(link, struct bucket, link);
    if (bucket_is(bucket, account, url, proxy)) {
      account->last_bucket = bucket;
      return bucket;
    }
  }
  return NULL;
}

struct bucket *wsp_bucket_obtain(struct wsp_pool *pool, struct account *account,
                                 struct wsp_span url, struct wsp_span proxy) {
  struct bucket *bucket = wsp_bucket_find(pool, account, url, proxy);
  if (bucket == NULL) {
    bucket = wsp_memory_allocate(&pool->memory, sizeof *bucket);
    if (bucket == NULL) {
      return NULL;
    }
    bucket->account = account;
    if (!wsp_text_set(&bucket->url, &pool->memory, url) ||
        !wsp_text_set(&bucket->proxy, &pool->memory, proxy) ||
        !wsp_table_reserve(&pool->buckets, &pool->memory)) {
      wsp_text_clear(&bucket->url, &pool->memory);
      wsp_text_clear(&bucket->proxy, &pool->memory);
      wsp_memory_release(&pool->memory, bucket, sizeof *bucket);
      return NULL;
    }
    wsp_table_add(&pool->buckets, &bucket->link, bucket_hash(account, url, proxy));
    account->last_bucket = bucket;
  }
  bucket->references++;
  return bucket;
}

void wsp_bucket_drop(struct wsp_pool *pool, struct bucket *bucket) {
  if (bucket == NULL || --bucket->references > 0) {
    return;
  }
  if (bucket->account->last_bucket == bucket) {
    bucket->account->last_bucket = NULL;
  }
  wsp_table_remove(&pool->buckets, &bucket->link);
  wsp_text_clear(&bucket->url, &pool->memory);
  wsp_text_clear(&bucket->proxy, &pool->memory);
  wsp_memory_release(&pool->memory, bucket, sizeof *bucket);
}

/* Where requests differ from one to the next, the targets of the last ones are used again with the
 * memory for their headers: after a while nothing is allocated for those either. */
enum { SPARE_TARGETS = 64 };

static void target_free(struct wsp_pool *pool, struct target *target) {
  wsp_headers_clear(&target->headers, &pool->memory);
  wsp_memory_release(&pool->memory, target, sizeof *target);
}

static struct target *take_target(struct wsp_pool *pool) {
  struct target *target = pool->spare_targets;
  if (target == NULL) {
    return wsp_memory_allocate(&pool->memory, sizeof *target);
  }
  pool->spare_targets = target->next_spare;
  pool->spare_target_count--;
  target->next_spare = NULL;
  return target;
}

struct target *wsp_target_of_bucket(struct wsp_pool *pool, struct bucket *bucket,
                                    const struct wsp_header *headers, size_t count) {
  /* Callers ask for the same thing over and over: share it, so that nothing is allocated. */
  struct target *last = bucket->account->template_;
  if (last != NULL && last->bucket == bucket && wsp_headers_equal(&last->headers, headers, count)) {
    wsp_target_hold(last);
    return last;
  }
  struct target *target = take_target(pool);
  if (target == NULL) {
    return NULL;
  }
  target->references = 1;
  target->bucket = bucket;
  bucket->references++;
  if (!wsp_headers_assign(&target->headers, &pool->memory, headers, count)) {
    wsp_target_drop(pool, target);
    return NULL;
  }
  return target;
}

struct target *wsp_target_obtain(struct wsp_pool *pool, struct account *account, const char *url,
                                 const char *proxy, const struct wsp_header *headers,
                                 size_t count) {
  struct bucket *bucket = wsp_bucket_obtain(pool, account, wsp_trim(url), wsp_trim(proxy));
  struct target *target =
      bucket == NULL ? NULL : wsp_target_of_bucket(pool, bucket, headers, count);
  wsp_bucket_drop(pool, bucket); /* the target holds it now, if there is one */
  return target;
}

void wsp_target_hold(struct target *target) {
  target->references++;
}

void wsp_target_drop(struct wsp_pool *pool, struct target *target) {
  if (target == NULL || --target->references > 0) {
    return;
  }
  wsp_bucket_drop(pool, target->bucket);
  target->bucket = NULL;
  if (pool->spare_target_count < SPARE_TARGETS) {
    target->next_spare = pool->spare_targets;
    pool->spare_targets = target;
    pool->spare_target_count++;
  } else {
    target_free(pool, target);
  }
}

void wsp_target_free_spares(struct wsp_pool *pool) {
  while (pool->spare_targets != NULL) {
    struct target *target = pool->spare_targets;
    pool->spare_targets = target->next_spare;
    target_free(pool, target);
  }
}
