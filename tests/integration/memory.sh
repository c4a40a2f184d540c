#!/bin/sh
# memory.sh - an allocation that finds no memory while a scenario is loaded, run and recorded:
# the exit status is 3 with a message, or 0 where nothing was lost; and the database that is
# left behind is whole, with the scenario in it or without.
#
# Not each allocation fails in turn, that would take minutes: every 97th does.
set -eu

work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-memory.XXXXXX")
trap 'rm -rf "$work"' EXIT
scenario=scenarios/conformance/close-is-idempotent.json
failures=0
refused=0

fail() { # TEXT
  echo "FAIL: $1; found:"
  sed 's/^/    /' "$work/out"
  failures=$((failures + 1))
}

"${CC:-cc}" -std=c17 -shared -fPIC -O2 -o "$work/failing.so" tests/memory/failing_malloc.c >"$work/out" 2>&1 || {
  fail 'expected that tests/memory/failing_malloc.c compiles'
  exit 1
}

try() { # N COMMAND...
  n=$1
  shift
  status=0
  FAIL_AT=$n LD_PRELOAD=$work/failing.so timeout 60 "$@" >"$work/out" 2>&1 || status=$?
  case $status in
    0) ;;
    3)
      refused=$((refused + 1))
      [ -s "$work/out" ] || fail "allocation $n of $1 $2: expected a message with exit status 3"
      ;;
    *) fail "allocation $n of $1 $2: expected exit status 0 or 3, found $status" ;;
  esac
}

echo 'Load, run, record.'
n=1
while [ "$n" -lt 6000 ] && [ "$failures" -lt 5 ]; do
  rm -f "$work"/run.db*
  try "$n" "$POOLPROOF" run --quiet --jobs 1 --db "$work/run.db" "$scenario"
  if [ -s "$work/run.db" ]; then
    found=$(sqlite3 "$work/run.db" 'PRAGMA integrity_check; SELECT count(*) FROM scenario' 2>&1 | tr '\n' ' ')
    case $status:$found in
      *:'ok 1 ' | 3:'ok 0 ') ;;
      3:*'no such table'*) ;; # it was stopped before the tables were there
      *) fail "allocation $n: expected a whole database, found: $found" ;;
    esac
  elif [ "$status" -eq 0 ]; then
    fail "allocation $n: expected a database with exit status 0"
  fi
  n=$((n + 97))
done
[ "$refused" -gt 10 ] || fail "expected that the lack of memory is met more than 10 times, found $refused"

[ "$failures" -eq 0 ]
