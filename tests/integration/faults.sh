#!/bin/sh
# faults.sh - faults find what no order of a healthy scenario shows: the program is linked with a
# pool in which a failed dial keeps its place. explore finds it, replay repeats it, shrink makes it
# small, and the pool as it is holds all of that.
set -eu

work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-faults.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAIL: $1"
  [ ! -s "$work/out" ] || sed 's/^/  /' "$work/out" | head -n 60
  failures=$((failures + 1))
}

# Runs a program; its output is in $work/out.
expect_status() { # STATUS PROGRAM ARGUMENT...
  expected=$1
  shift
  status=0
  "$@" >"$work/out" 2>&1 || status=$?
  [ "$status" -eq "$expected" ] || fail "$*: expected exit status $expected, found $status"
}

expect_text() { # PATTERN
  grep -qE -- "$1" "$work/out" || fail "expected in the output: $1"
}

# ---- The broken pool ------------------------------------------------------------------------
# The pool is compiled with the patch and linked before the library, of which nothing is taken then.
build=$(dirname "$POOLPROOF")
mkdir "$work/tree" "$work/objects"
cp -R pool "$work/tree"
(cd "$work/tree" && patch -p1 -F0 -s) <tests/mutants/failed-dial-keeps-its-place.patch
(cd "$work/objects" && "${CC:-cc}" -std=c17 -O1 -I "$work/tree" -c "$work"/tree/pool/*.c)
link=$(ninja -C "$build" -t commands poolproof | tail -n 1)
(cd "$build" && sh -c "$(echo "$link" | sed "s| -o poolproof | $work/objects/*.o -o $work/broken |")")
broken=$work/broken

# ---- A scenario on upstreams that never fail ------------------------------------------------
# Other invariants notice the bug as well, and before the end: here they are off.
off=$("$POOLPROOF" list --invariants | sed -n '/^convergence/d; s/^\([a-z-][a-z-]*\).*/"\1"/p' | paste -sd, -)
cat >"$work/healthy.json" <<END
{
  "name": "a-healthy-upstream",
  "invariants": { "off": [$off], "because": "convergence is to be seen alone" },
  "config": { "max_conns_per_account": 2, "min_idle_per_account": 1, "max_idle_per_account": 1 },
  "upstreams": { "default": { "dial": { "latency": "20ms" }, "read": { "latency": "80ms" } } },
  "steps": [
    { "at": "0ms",   "acquire": { "as": "a", "timeout": "30s" } },
    { "at": "0ms",   "acquire": { "as": "b", "timeout": "30s", "hold": "200ms" } },
    { "at": "10ms",  "acquire": { "as": "c", "timeout": "30s", "hold": "200ms" } },
    { "at": "50ms",  "read": { "lease": "a", "timeout": "5s" } },
    { "at": "300ms", "release": "a" },
    { "at": "2m",    "acquire": { "as": "d", "timeout": "30s", "hold": "200ms" } }
  ],
  "expect": [ { "op": "d", "result": "ok" } ]
}
END

# ---- Orders alone find nothing, faults do ---------------------------------------------------
expect_status 0 "$broken" explore --no-db --runs 5000 "$work/healthy.json"
expect_status 0 "$broken" explore --no-db --runs 5000 --faults none "$work/healthy.json"
expect_status 1 "$broken" explore --db "$work/hit.db" --faults all "$work/healthy.json"
expect_text 'invariant convergence violated at [0-9ms.]+: account 1: expected nothing lent, waiting or reserved; found leased 0, waiting 0, creating [1-9]'
expect_text '  found in run [0-9]+ \(random\), seed [0-9]+, schedule ".*@dial[0-9]+'
cp "$work/out" "$work/first"
expect_status 1 "$broken" explore --strategy pct --no-db --faults refuse,429 "$work/healthy.json"
expect_text 'schedule ".*(refuse|429)@dial[0-9]+'

# ---- The hit is repeated exactly --------------------------------------------------------------
expect_status 1 "$broken" replay --db "$work/hit.db" 1
expect_text '^repeated exactly: [0-9]+ events, as recorded$'
expect_text ' fault_fired +account=1 number=[0-9]+ .*fault=[a-z0-9-]+ call=dial$'
expect_text ' recovery_started +faults=[0-9]+ bound=1m49s$'
expect_status 0 "$POOLPROOF" replay --db "$work/hit.db" 1
expect_text '^differs from the record at event [0-9]+: the code has changed since$'
kind=$(sqlite3 "$work/hit.db" "select group_concat(invariant) from violation")
[ "$kind" = convergence ] || fail "expected the violation convergence in the database, found '$kind'"

# ---- Small, with one fault ------------------------------------------------------------------
expect_status 0 "$broken" shrink --db "$work/hit.db" 1 -o "$work/small.json"
expect_text '^fails by: invariant convergence$'
expect_text '^  steps +6 -> 1$'
expect_text '^  faults +[1-9][0-9]* -> 1$'
grep -qE '"schedule": "[a-z0-9-]+@dial[0-9]+(\+[0-9a-z.]+)?"$' "$work/small.json" ||
  fail "expected one fault in the schedule: $(cat "$work/small.json")"
expect_status 1 "$broken" run --no-db "$work/small.json"
expect_text 'invariant convergence violated'
expect_status 0 "$POOLPROOF" run --no-db "$work/small.json"
expect_status 0 "$POOLPROOF" check "$work/small.json"
expect_status 0 "$broken" shrink --db "$work/hit.db" 1 -o -
cmp -s "$work/out" "$work/small.json" || fail 'shrinking twice gives two files'

# ---- The pool as it is converges, in the same runs every time --------------------------------
expect_status 0 "$POOLPROOF" explore --db "$work/held.db" --runs 3000 --faults all "$work/healthy.json"
expect_status 0 "$POOLPROOF" explore --db "$work/held.db" --runs 3000 --faults all "$work/healthy.json"
different=$(sqlite3 "$work/held.db" 'select count(distinct schedules || "/" || events) from exploration')
[ "$different" -eq 1 ] || fail 'the same search found other runs the second time'
expect_status 0 "$POOLPROOF_DEBUG" explore --no-db --runs 300 --faults all "$work/healthy.json"

# ---- What can not be done is said -----------------------------------------------------------
expect_status 2 "$POOLPROOF" explore --no-db --faults drop,storm "$work/healthy.json"
expect_text '--faults: expected all, none, or some of drop, stall, reset, slow, duplicate-close, refuse, 429, .*found "storm"'
expect_status 2 "$POOLPROOF" explore --no-db --strategy exhaustive --faults all "$work/healthy.json"
expect_text '--faults: faults are drawn, and --strategy exhaustive draws nothing'
sed 's/"steps"/"schedule": "refuse@dial9", "steps"/' "$work/healthy.json" >"$work/astray.json"
expect_status 1 "$POOLPROOF" run --no-db "$work/astray.json"
expect_text 'other choices or calls than those of its schedule "refuse@dial9"'

[ "$failures" -eq 0 ]
