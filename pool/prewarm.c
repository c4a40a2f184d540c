/*
 * prewarm.c - dialling towards an account's target, one dial after the other.
 */
#include "pool/internal.h"

/* Suppressed while enough dials have failed and the last failure is recent. An older failure
 * resets the count. */
bool wsp_prewarm_suppressed(const struct wsp_pool *pool, struct account *account) {
  if (account->prewarm_fails > 0 &&
      pool->now - account->last_failure > pool->config.prewarm_failure_window) {
    account->prewarm_fails = 0;
  }
  return account->prewarm_fails >= pool->config.prewarm_failure_suppress;
}

void wsp_prewarm_count_failure(struct wsp_pool *pool, struct account *account) {
  (void)wsp_prewarm_suppressed(pool, account);
  account->prewarm_fails++;
  account->last_failure = pool->now;
}

void wsp_prewarm_count_success(struct account *account) {
  account->prewarm_fails = 0;
  account->last_failure = 0;
}

/* Never more than trimming would keep, or steady load would dial and trim for ever. */
static int64_t prewarm_need(const struct wsp_pool *pool, const struct account *account,
                            int64_t *target) {
  int64_t kept = account->leased + account->waiting + wsp_account_idle_ceiling(pool, account);
  *target = wsp_account_target(pool, account);
  return (*target < kept ? *target : kept) - (account->conns + account->creating);
}

void wsp_prewarm_consider(struct wsp_pool *pool, struct account *account) {
  int64_t target = 0;
  if (pool->closed || account->template_ == NULL || account->prewarm_active) {
    return;
  }
  if (account->prewarm_started &&
      pool->now < wsp_time_add(account->last_prewarm, pool->config.prewarm_cooldown)) {
    return;
  }
  int64_t need = prewarm_need(pool, account, &target);
  if (need <= 0) {
    return;
  }
  if (wsp_prewarm_suppressed(pool, account)) {
    TRACE(pool, WSP_PREWARM_SUPPRESSED, account->last.id, NULL, 0,
          .values = {account->prewarm_fails});
    return;
  }
  account->prewarm_active = true;
  account->prewarm_started = true;
  account->last_prewarm = pool->now;
  account->prewarm_left = need;
  account->prewarm_opened = 0;
  account->prewarm_failed = 0;
  account->creating += need;
  pool->metrics.scale_up_total += need;
  TRACE(pool, WSP_PREWARM_STARTED, account->last.id, NULL, 0, .values = {need, target});
  wsp_account_serve(pool, account);
}

static void prewarm_finish(struct wsp_pool *pool, struct account *account, int64_t unused) {
  account->prewarm_active = false;
  if (account->refilling) {
    account->refilling = false;
    pool->refilling--;
  }
  TRACE(pool, WSP_PREWARM_FINISHED, account->last.id, NULL, 0,
        .values = {account->prewarm_opened, account->prewarm_failed, unused});
}

/* Gives back the places whose dials have not started. */
static void stop(struct wsp_pool *pool, struct account *account) {
  int64_t unused = account->prewarm_left;
  account->creating -= unused;
  account->prewarm_left = 0;
  prewarm_finish(pool, account, unused);
}

/* The next dial, when the last one has ended and no acquire waits for its turn to dial. */
void wsp_prewarm_continue(struct wsp_pool *pool, struct account *account) {
  while (account->prewarm_active && account->prewarm_dial == NULL) {
    if (account->prewarm_left == 0) {
      prewarm_finish(pool, account, 0);
      return;
    }
    if (!wsp_account_may_connect(pool, account) || account->placed.first != NULL) {
      return;
    }
    if (wsp_prewarm_suppressed(pool, account)) { /* by acquires that failed meanwhile */
      stop(pool, account);
      return;
    }
    account->prewarm_left--;
    wsp_dial_start(pool, account, account->template_, NULL);
  }
}

void wsp_prewarm_dial_ended(struct wsp_pool *pool, struct account *account, bool opened) {
  account->prewarm_dial = NULL;
  account->prewarm_opened += opened;
  account->prewarm_failed += !opened;
  if (!opened && wsp_prewarm_suppressed(pool, account)) {
    stop(pool, account);
  }
}

void wsp_prewarm_abandon(struct wsp_pool *pool, struct account *account) {
  if (!account->prewarm_active) {
    return;
  }
  if (account->prewarm_dial != NULL) {
    wsp_dial_cancel(pool, account->prewarm_dial,
                    pool->closed ? WSP_REASON_POOL_CLOSED : WSP_REASON_CLEARED);
  }
  stop(pool, account);
}

void wsp_ensure_target_idle(struct wsp_pool *pool, wsp_time now, int64_t id,
                            const struct wsp_template *given) {
  if (pool == NULL || id <= 0) {
    return;
  }
  wsp_pool_enter(pool, now);
  struct account *account =
      given == NULL || pool->closed ? wsp_account_find(pool, id) : wsp_account_obtain(pool, id);
  if (account == NULL) {
    return;
  }
  if (given != NULL && wsp_trim(given->url).length > 0) {
    struct target *target = wsp_target_obtain(pool, account, given->url, given->proxy,
                                              given->headers, given->header_count);
    if (target != NULL) {
      wsp_target_drop(pool, account->template_);
      account->template_ = target;
    }
  }
  wsp_prewarm_consider(pool, account);
  wsp_account_settle(pool, account);
}
