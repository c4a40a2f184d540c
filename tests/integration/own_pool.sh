#!/bin/sh
# own_pool.sh - another pool than ours behind sim/pool_interface.h: the naive one of tests/naive runs
# what its capabilities allow, holds what it can, and each of its mistakes is found; libraries that
# are none are refused with a reason.
set -eu

work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-own-pool.XXXXXX")
trap 'rm -rf "$work"' EXIT
naive=$(dirname "$POOLPROOF")/tests/naive/naive_pool.so
failures=0

fail() { # TEXT
  echo "FAIL: $1; found:"
  sed 's/^/    /' "$work/out"
  failures=$((failures + 1))
}

status=0
"$POOLPROOF" run --no-db --pool "$naive" scenarios/conformance scenarios/bugs \
  >"$work/out" 2>&1 || status=$?
[ "$status" -eq 1 ] || fail "expected exit status 1 of the naive pool, found $status"
expect() { # VERDICT SCENARIO [TEXT]
  grep -qE "^$1 +$2( |\$)" "$work/out" || fail "expected $1 of $2"
  [ $# -lt 3 ] || sed -n "/^$1  *$2 /,/^\$/p" "$work/out" | grep -qF "$3" ||
    fail "expected of $2: $3"
}
expect PASS close-is-idempotent
expect PASS closed-and-cancelled-get-no-conn
expect PASS a-peer-that-closes-an-idle-conn-is-noticed-at-once
expect PASS waits-that-end-in-a-timeout-count-too
expect PASS a-newcomer-never-passes-a-waiter
# Its mistakes, in the order in which naive_pool.c lists them.
expect FAIL a-failed-dial-makes-room-for-a-waiter 'found     creating = 0'
expect FAIL a-broken-conn-makes-room-for-a-waiter 'invariant no-waiter-beside-room violated'
expect FAIL a-wakeup-falls-between-check-and-wait 'invariant no-waiter-beside-room violated'
expect FAIL a-peer-that-speaks-on-an-idle-conn-loses-it 'found     state = idle'
expect FAIL a-dial-that-lands-too-late-is-kept 'invariant acquire-ends-once violated'
expect FAIL a-newcomer-passes-the-waiters 'invariant first-come-first-served violated'
expect FAIL cancel-and-grant-in-one-moment-lose-no-conn 'invariant no-waiter-beside-idle-conn violated'
expect SKIP pins-are-counted 'the pool naive has no pin'
grep -qE ', [0-9]+ skipped; ' "$work/out" || fail 'expected the number of those skipped in the last line'

# What is recorded of it is repeated with the same pool.
"$POOLPROOF" run --quiet --db "$work/naive.db" --pool "$naive" \
  scenarios/bugs/a-dial-that-lands-too-late-is-kept.json >"$work/out" 2>&1 || true
grep -qF -- "replay --db $work/naive.db 1 --pool $naive" "$work/out" ||
  fail 'expected the command that repeats it, with --pool'
"$POOLPROOF" replay --db "$work/naive.db" 1 --pool "$naive" >"$work/out" 2>&1 || true
grep -q '^repeated exactly' "$work/out" || fail 'expected that the replay repeats the run'

refuse() { # WHAT TEXT
  status=0
  "$POOLPROOF" run --no-db --pool "$work/other.so" scenarios/bugs >"$work/out" 2>&1 || status=$?
  [ "$status" -eq 2 ] || fail "$1: expected exit status 2, found $status"
  grep -qF -- "$2" "$work/out" || fail "$1: expected: $2"
}
build() {
  "${CC:-cc}" -shared -fPIC -I . -o "$work/other.so" -x c - 2>"$work/out" ||
    fail 'expected that the library compiles'
}
refuse 'no file' '--pool: expected a shared library; found: '
echo 'no library' >"$work/other.so"
refuse 'no library' '--pool: expected a shared library; found: '
echo 'int something;' | build
refuse 'nothing exported' 'exports the function poolproof_pool()'
echo 'const void *poolproof_pool(void); const void *poolproof_pool(void) { return 0; }' | build
refuse 'no interface' 'poolproof_pool() returned NULL'
interface() { # MEMBERS
  build <<END
#include "sim/pool_interface.h"
const struct sim_pool_interface *poolproof_pool(void);
const struct sim_pool_interface *poolproof_pool(void) {
  static const struct sim_pool_interface interface = {$1};
  return &interface;
}
END
}
interface '.version = 99, .name = "other"'
refuse 'another version' 'expected version 1 of the interface, found 99'
interface '.version = SIM_POOL_INTERFACE_VERSION'
refuse 'no name' 'expected a name in the interface'
interface '.version = SIM_POOL_INTERFACE_VERSION, .name = "other", .capabilities = ~UINT64_C(0)'
refuse 'unknown capabilities' 'found bits that stand for none'
interface '.version = SIM_POOL_INTERFACE_VERSION, .name = "other"'
refuse 'no functions' 'expected the function create, which every pool needs; found NULL'

[ "$failures" -eq 0 ]
