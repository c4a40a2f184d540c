#!/bin/sh
# failing.sh - one expected number is changed in a copy of a scenario: the run fails, and says
# what was expected, what was found, the events around it and how to run it again.
set -eu

work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-failing.XXXXXX")
trap 'rm -rf "$work"' EXIT

cat >"$work/good.json" <<'END'
{
  "name": "one-waits",
  "description": "A second acquire waits for the only connection.",
  "config": { "max_conns_per_account": 1 },
  "steps": [
    { "at": "0ms",  "acquire": { "as": "a" } },
    { "at": "10ms", "acquire": { "as": "b" } },
    { "at": "70ms", "release": "a" }
  ],
  "expect": [
    { "op": "b", "result": "ok", "queue_wait": "60ms" },
    { "metric": "acquire_queue_wait_total", "eq": 1 }
  ]
}
END
"$POOLPROOF" run --no-db "$work/good.json" >"$work/out" || {
  echo 'FAIL: the scenario as it is was expected to pass'
  cat "$work/out"
  exit 1
}

sed 's/"queue_wait": "60ms"/"queue_wait": "61ms"/' "$work/good.json" >"$work/bad.json"
status=0
"$POOLPROOF" run --db "$work/bad.db" "$work/bad.json" >"$work/out" 2>&1 || status=$?
cat "$work/out"
[ "$status" -eq 1 ] || { echo "FAIL: expected exit status 1, found $status"; exit 1; }

failures=0
expect_text() {
  grep -qE -- "$1" "$work/out" || {
    echo "FAIL: expected in the output: $1"
    failures=$((failures + 1))
  }
}
expect_text '^FAIL +one-waits'
expect_text "^$work/bad.json:11:5: expectation failed"
expect_text 'expected .*queue_wait = 61ms'
expect_text 'found .*queue_wait = 60ms'
expect_text '10ms +acquire_queued .*op=b'
expect_text '70ms +acquire_granted .*op=b'
expect_text "run it again: $POOLPROOF run --no-db --seed 1 $work/bad.json"

expect_value() { # SQL VALUE
  found=$(sqlite3 -readonly "$work/bad.db" "$1")
  if [ "$found" != "$2" ]; then
    echo "FAIL: $1: expected \"$2\", found \"$found\""
    failures=$((failures + 1))
  fi
}
expect_value 'select verdict from scenario' fail
expect_value "select failure like '%queue_wait = 61ms%' from scenario" 1
expect_value 'select idx, passed from expectation order by idx' '0|0
1|1'
expect_value "select queue_wait_ns from op where label = 'b'" 60000000

[ "$failures" -eq 0 ]
