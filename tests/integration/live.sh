#!/bin/sh
# live.sh - run --live: the same scenarios over real TLS sockets have the same timelines, in real time,
# sped up, and on a machine that is busy with something else.
#
# Times are judged in one direction alone: a live run never takes less than its scenario.
# LIVE_ROUNDS (1 unless set) is how often the folders are run on the busy machine.
set -eu

work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-live.XXXXXX")
burners=
# shellcheck disable=SC2064,SC2086 # the numbers of processes of ours, which change
end() {
  [ -z "$burners" ] || kill $burners 2>/dev/null || true
  rm -rf "$work"
}
trap end EXIT
failures=0

fail() { # TEXT
  echo "FAIL: $1"
  failures=$((failures + 1))
}

run() { # STATUS ARGUMENT...
  expected=$1
  shift
  status=0
  timeout 300 "$POOLPROOF" "$@" >"$work/out" 2>&1 || status=$?
  if [ "$status" -ne "$expected" ]; then
    fail "expected exit status $expected, found $status: poolproof $*"
    sed 's/^/    /' "$work/out"
  fi
}

query() { # SQL
  sqlite3 "$work/live.db" "attach '$work/virtual.db' as virtual; $1"
}

same_timelines() { # WHEN
  differing=$(query "select l.name || ' ' || l.variant from main.scenario l join virtual.scenario v
      using (name, variant, seed) where l.timeline_sha256 <> v.timeline_sha256 or l.verdict <> v.verdict")
  [ -z "$differing" ] || fail "$1: expected the timelines of virtual time, found others of: $differing"
}

run 0 run --quiet --db "$work/virtual.db" scenarios/conformance scenarios/bugs tests/live/wire.json
run 0 run --db "$work/live.db" --live --speed max scenarios/conformance scenarios/bugs tests/live/wire.json
same_timelines 'at full speed'

echo 'All that ran is recorded as live, went over the wire, and what did not run is named with a reason.'
[ "$(query "select count(*) from main.scenario where mode <> 'live'")" -eq 0 ] || fail 'expected the mode live alone'
silent=$(query "select name from main.scenario s
    where exists (select 1 from event e where e.scenario_id = s.id and e.kind = 'conn_opened')
      and 2 > (select value from metric m where m.scenario_id = s.id and m.name = 'wire_crossings')")
[ -z "$silent" ] || fail "expected crossings of the wire, found less than two of: $silent"
ran=$(query 'select count(*) from main.scenario')
skipped=$(grep -c '^SKIP ' "$work/out" || true)
all=$(query 'select count(*) from virtual.scenario')
[ $((ran + skipped)) -eq "$all" ] || fail "expected $all runs and skipped ones, found $ran and $skipped"
[ "$skipped" -le 40 ] || fail "expected that most can be live, found $skipped of $all skipped"
grep -q '^SKIP  *after-a-suspend-the-limits-come-first  *the real clock does not jump' "$work/out" ||
  fail 'expected the reason for which a scenario with a clock_jump is skipped'
echo "$ran runs have the timelines of virtual time; $skipped can not be live."

echo 'compare finds nothing but what was skipped; a difference is told, the words of a failure are none.'
run 0 compare "$work/virtual.db" "$work/live.db"
headings=$(grep -E '^[0-9]+ scenarios?: ' "$work/out" | sed 's/^[0-9]* scenarios*: //')
[ "$headings" = "was there before, is not now
passes as before, with the same timeline" ] || fail "expected scenarios that were skipped and scenarios that are the same, found: $headings"
words() { # LATENCY
  cat >"$work/words.json" <<END
{ "name": "words", "steps": [ { "acquire": { "as": "a" } } ], "expect": [ { "op": "a", "result": "dial_failed" } ],
  "upstreams": { "default": { "dial": { "outcome": "error", "error": "boom", "latency": "$1" } } } }
END
}
words 1ms
run 0 run --quiet --db "$work/words.db" "$work/words.json"
run 0 run --quiet --live --db "$work/words-live.db" "$work/words.json"
run 0 compare "$work/words.db" "$work/words-live.db"
grep -q '^1 scenario: passes as before, with the same timeline' "$work/out" || fail 'expected that the words of a failure do not count'
words 2ms
run 0 run --quiet --live --db "$work/words-live.db" "$work/words.json"
run 0 compare "$work/words.db" "$work/words-live.db"
grep -q '^  words (live), was virtual, scenario 2' "$work/out" || fail 'expected that the mode is told'
grep -q '^      after:  2ms dial_failed' "$work/out" || fail 'expected the first event that differs'

echo 'A live run takes the time of its scenario; with --speed a part of it.'
rm "$work/live.db"
run 0 run --quiet --db "$work/live.db" --live --jobs 4 tests/live
short=$(query 'select name from main.scenario where wall_ns < virtual_ns')
[ -z "$short" ] || fail "expected at least the time of the scenario, found less of: $short"
rm "$work/live.db"
run 0 run --quiet --db "$work/live.db" --live --speed 1000 --jobs 16 scenarios/conformance scenarios/bugs
same_timelines 'a thousand times as fast as real time'
short=$(query 'select name from main.scenario where wall_ns < virtual_ns / 1000')
[ -z "$short" ] || fail "expected at least a thousandth of the time of the scenario, found less of: $short"

echo 'A failure is told as one of a live run.'
sed 's/"dial_failed", "status": 503/"dial_failed", "status": 504/' tests/live/wire.json >"$work/wrong.json"
run 1 run --no-db --live --speed max "$work/wrong.json"
grep -q "run --no-db --live --seed 1 $work/wrong.json" "$work/out" || fail 'expected the command that runs it again, with --live'

echo 'Another pool can be live too.'
run 1 run --no-db --live --speed max --pool "$(dirname "$POOLPROOF")/tests/naive/naive_pool.so" \
  scenarios/bugs/a-newcomer-passes-the-waiters.json
grep -q 'invariant first-come-first-served violated' "$work/out" || fail 'expected the mistake of the naive pool'

echo 'A machine that is busy changes nothing.'
for burner in 1 2 3 4; do
  timeout 240 sh -c 'while :; do :; done' &
  burners="$burners $!"
done
round=0
while [ "$round" -lt "${LIVE_ROUNDS:-1}" ]; do
  rm -f "$work/live.db"
  run 0 run --quiet --db "$work/live.db" --live --speed max --jobs 4 scenarios/conformance scenarios/bugs
  same_timelines 'on a busy machine'
  round=$((round + 1))
done

[ "$failures" -eq 0 ] || { echo "$failures checks failed"; exit 1; }
