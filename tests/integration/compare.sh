#!/bin/sh
# compare.sh - `compare` tells what changed between two databases, and status 1 on a regression.
set -eu

work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-compare.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAIL: $1"
  failures=$((failures + 1))
}

expect_status() { # STATUS COMMAND...
  expected=$1
  shift
  status=0
  "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
  if [ "$status" -ne "$expected" ]; then
    fail "expected exit status $expected, found $status: $*"
    sed 's/^/    /' "$work/out" "$work/err"
  fi
}

expect_text() { # FILE TEXT
  grep -qF -- "$2" "$work/$1" || { fail "expected \"$2\" in $1; found:"; sed 's/^/    /' "$work/$1"; }
}

scenario() { # FOLDER NAME DIAL-LATENCY RESULT
  mkdir -p "$work/$1"
  cat >"$work/$1/$2.json" <<END
{ "name": "$2", "config": { "max_conns_per_account": 1 },
  "upstreams": { "default": { "dial": { "latency": "$3" } } },
  "steps": [ { "acquire": { "as": "a", "hold": "60ms" } },
             { "at": "10ms", "acquire": { "as": "b", "hold": "30ms" } } ],
  "expect": [ { "op": "b", "result": "$4" } ] }
END
}

# What each does from before to after.
scenario before same 5ms ok
scenario after same 5ms ok
scenario before slower 5ms ok
scenario after slower 9ms ok
scenario before breaks 5ms ok
scenario after breaks 5ms queue_full
scenario before fixed 5ms queue_full
scenario after fixed 5ms ok
scenario before bad 5ms queue_full
scenario after bad 5ms queue_full
scenario before gone 5ms ok
scenario after fresh 5ms ok
scenario after 'fresh-and-bad' 5ms queue_full
for side in before after; do
  "$POOLPROOF" run --quiet --db "$work/$side.db" "$work/$side" >/dev/null 2>&1 || :
done

for program in "$POOLPROOF" "$POOLPROOF_DEBUG"; do
  echo "Each sort of change is told: $program"
  expect_status 1 "$program" compare "$work/before.db" "$work/after.db" --markdown "$work/c.md" \
    --html "$work/c.html"
  expect_text out "a regression: $work/after.db, before: $work/before.db"
  for line in '1 scenario: passed before, does not now' '1 scenario: did not pass before, does now' \
    '1 scenario: was not there before, does not pass' '1 scenario: was not there before, passes' \
    '1 scenario: was there before, is not now' '1 scenario: does not pass, as before' \
    '1 scenario: passes as before, with another timeline' \
    '1 scenario: passes as before, with the same timeline'; do
    expect_text out "$line"
    expect_text c.md "$line"
    expect_text c.html "<h2>$line</h2>"
  done
done

echo 'The first event that differs is told, and what moved with it.'
expect_text out '  slower, scenario'
expect_text out 'first event that differs: number 6'
expect_text out 'before: 5ms dial_succeeded account=1 op=a {"reason":"acquire","dial":1,"latency_ns":5000000}'
expect_text out 'after:  9ms dial_succeeded account=1 op=a'
expect_text out 'dial p50: 9ms, was 5ms (+80%)'
# The wait goes from 55 ms to 59 ms: under ten percent.
if grep -q 'queue_wait max' "$work/out"; then fail 'a move under the threshold is told'; fi
expect_text c.md '- fail: breaks, scenario'
xmllint --html --noout "$work/c.html" 2>"$work/err" || :
! grep -v 'Tag main invalid' "$work/err" | grep -q ': HTML parser error' || { fail 'the page is not well formed'; cat "$work/err"; }

echo 'Equal recordings have no regression; --threshold makes a longer duration one.'
expect_status 0 "$POOLPROOF" compare "$work/before.db" "$work/before.db"
expect_text out 'no regression'
"$POOLPROOF" run --quiet --db "$work/runs.db" "$work/before/slower.json" >/dev/null
"$POOLPROOF" run --quiet --db "$work/runs.db" "$work/after/slower.json" >/dev/null
expect_status 0 "$POOLPROOF" compare "$work/runs.db" "$work/runs.db" --run-a 1 --run-b 2
expect_status 1 "$POOLPROOF" compare "$work/runs.db" "$work/runs.db" --run-a 1 --run-b 2 --threshold 50
expect_text out 'a duration got longer by more than 50% in 1 scenario'
expect_status 0 "$POOLPROOF" compare "$work/runs.db" "$work/runs.db" --run-a 1 --run-b 2 --threshold 80
expect_status 0 "$POOLPROOF" compare "$work/runs.db" "$work/runs.db" --run-a 2 --run-b 1 --threshold 0

echo 'Bad usage is told.'
expect_status 2 "$POOLPROOF" compare "$work/before.db"
expect_text err 'expected two databases; found 1'
expect_status 2 "$POOLPROOF" compare "$work/before.db" "$work/none.db"
expect_status 2 "$POOLPROOF" compare "$work/before.db" "$work/after.db" --run-b 7
expect_text err 'expected a run 7'
expect_status 2 "$POOLPROOF" compare "$work/before.db" "$work/after.db" --threshold x
expect_status 3 "$POOLPROOF" compare "$work/before.db" "$work/before.db" --html "$work/none/x"

[ "$failures" -eq 0 ]
