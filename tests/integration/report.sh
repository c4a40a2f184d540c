#!/bin/sh
# report.sh - what `report` makes of databases: JUnit, JSON, a trace, Markdown; all checked against
# their schemas, with failures of each sort and names that need escapes.
set -eu

work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-report.XXXXXX")
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

expect_no_text() { # FILE TEXT
  if grep -qF -- "$2" "$work/$1"; then
    fail "expected no \"$2\" in $1"
  fi
}

mkdir "$work/s"
cat >"$work/s/waits.json" <<'END'
{ "name": "waits", "config": { "max_conns_per_account": 1 },
  "upstreams": { "default": { "dial": { "latency": "5ms" } } },
  "steps": [ { "acquire": { "as": "a", "hold": "60ms" } },
             { "at": "10ms", "acquire": { "as": "b", "hold": "30ms" } } ],
  "expect": [ { "op": "b", "result": "ok", "queue_wait": "50ms" } ] }
END
cat >"$work/s/pipes.json" <<'END'
{ "name": "pipes", "matrix": { "seed": [1, 18446744073709551615] },
  "steps": [ { "acquire": { "as": "<b>|`\"&" } }, { "at": "1ms", "release": "<b>|`\"&" } ],
  "expect": [ { "op": "<b>|`\"&", "result": "queue_full" } ] }
END
cat >"$work/s/hangs.json" <<'END'
{ "name": "hangs", "upstreams": { "default": { "read": { "outcome": "block" } } },
  "steps": [ { "acquire": { "as": "a" } }, { "read": { "lease": "a", "as": "never" } } ] }
END
cat >"$work/s/passes.json" <<'END'
{ "name": "passes", "config": { "max_conns_per_account": 4, "min_idle_per_account": 2 },
  "upstreams": { "default": { "dial": { "latency": { "uniform": ["1ms", "9ms"] } }, "max_age": "2s" } },
  "load": [ { "arrivals": { "poisson": "200/s" }, "for": "3s", "as": "l",
              "hold": { "exponential": "20ms" }, "timeout": "1s" } ] }
END
status=0
"$POOLPROOF" run --db "$work/a.db" "$work/s" >"$work/out" 2>&1 || status=$?
[ "$status" -eq 1 ] || { fail "expected status 1 of the run, found $status"; cat "$work/out"; }

for program in "$POOLPROOF" "$POOLPROOF_DEBUG"; do
  echo "Every form is what its schema says: $program"
  expect_status 0 "$program" report "$work/a.db" --junit "$work/r.xml" --json "$work/r.json" \
    --perfetto "$work/r.trace" --markdown "$work/r.md"
  xmllint --noout --schema tests/integration/junit.xsd "$work/r.xml" 2>"$work/err" ||
    { fail 'the JUnit report is not valid'; cat "$work/err"; }
  python3 tests/integration/report.py json "$work/r.json" reports/report.schema.json ||
    fail 'the JSON report is not valid'
  python3 tests/integration/report.py trace "$work/r.trace" || fail 'the trace is not valid'
done

echo 'JUnit has each case, with what a build server shows.'
for count in '<testcase 5' '<failure 3' '<error 1' '</testsuites> 1'; do
  found=$(grep -c -- "${count% *}" "$work/r.xml")
  [ "$found" -eq "${count#* }" ] || fail "expected $count in the JUnit report, found $found"
done
expect_text r.xml 'name="pipes [seed=18446744073709551615] seed" value="18446744073709551615"'
expect_text r.xml "replay: $POOLPROOF_DEBUG replay --db $work/a.db"

echo 'Markdown tells the failures first, what was expected, and shows the time around them.'
expect_text r.md '4 of 5 scenarios did not pass'
expect_text r.md 'expected  op "b": queue_wait = 50ms'
expect_text r.md 'b          |      .....................................#####################|'
expect_text r.md "\`$POOLPROOF_DEBUG replay --db $work/a.db"
first=$(grep -n '^| ' "$work/r.md" | sed -n 2p)
case $first in *FAILED* | *HUNG*) ;; *) fail "expected a failure in the first row, found $first" ;; esac

expect_text r.md '## What if: pipes'
expect_text r.md '| seed=1 | fail | 0s | 0s | 1 | 0 | '

echo 'Without a form the Markdown is printed; the replay command that it shows works.'
expect_status 0 "$POOLPROOF" report "$work/a.db" --scenario 4
expect_text out '# poolproof: 1 of 1 scenario did not pass'
command=$(sed -n 's/^See every event: `\(.*\)`$/\1/p' "$work/out")
expect_status 1 sh -c "$command"
expect_text out 'repeated exactly'

echo 'The latest result of each counts, in each database; a run or a scenario can be chosen.'
"$POOLPROOF" run --quiet --db "$work/a.db" "$work/s/passes.json" >/dev/null
"$POOLPROOF" run --quiet --db "$work/b.db" "$work/s/passes.json" >/dev/null
expect_status 0 "$POOLPROOF" report "$work/a.db" "$work/b.db"
expect_text out '4 of 6 scenarios did not pass'
expect_text out '1 earlier results of the same scenarios are not shown'
expect_status 0 "$POOLPROOF" report "$work/a.db" --run 2
expect_text out 'all 1 scenario passed'
expect_status 0 "$POOLPROOF" report "$work/a.db" --scenario 1 --scenario 2
expect_text out 'of 2 scenarios did not pass'

echo 'What a search covered is in every form, hits first; a live run is told from one in virtual time.'
mkdir "$work/e"
cat >"$work/e/races.json" <<'END'
{ "name": "races", "upstreams": { "default": { "dial": { "latency": "5ms" } } },
  "steps": [ { "acquire": { "as": "a", "account": 1 } }, { "acquire": { "as": "b", "account": 2 } } ],
  "run_for": "10ms", "expect": [ { "order": [ "a granted", "b granted" ] } ] }
END
cat >"$work/e/holds.json" <<'END'
{ "name": "holds", "config": { "max_conns_per_account": 1 },
  "steps": [ { "acquire": { "as": "a", "hold": "20ms" } }, { "acquire": { "as": "b", "hold": "20ms" } } ] }
END
expect_status 1 "$POOLPROOF" explore --strategy exhaustive --db "$work/e.db" "$work/e"
sqlite3 "$work/e.db" "update exploration set wall_ns = 1000000, events = 36;
  insert into scenario select id + 10, run_id, name, path, variant, seed, schedule, 'live', verdict, failure,
    virtual_ns, wall_ns, events, timeline_sha256, source_sha256 from scenario where name = 'holds';"
expect_status 0 "$POOLPROOF" report "$work/e.db" --junit "$work/e.xml" --json "$work/e.json" --markdown "$work/e.md"
expect_text e.md '| races | exhaustive | **found in run 3** | 3 runs, 2 distinct schedules, 3 distinct states, 3 orders (not all); 36 events, 36000/s |'
grep -A1 '^| races | exhaustive' "$work/e.md" |
  grep -qF '| holds | exhaustive | every order holds | all 3 orders hold; 3 runs, 2 distinct states, 36 events |' ||
  fail 'expected a search without a hit after the one with a hit'
expect_text e.md '| passed | holds \(live\) |'
expect_text e.json '"exploration": {"strategy": "exhaustive", "coverage": "all 3 orders hold; 3 runs, 2 distinct states, 36 events", "runs": 3, "faulted": 0, "schedules": 1, "states": 2, "orders": 3, "complete": true, "events": 36, "events_per_second": 36000, "wall_ns": 1000000}'
expect_text e.json '"exploration": null'
expect_text e.xml '<property name="races search" value="exhaustive"/>'
expect_text e.xml '<property name="holds covered" value="all 3 orders hold; 3 runs, 2 distinct states, 36 events"/>'
expect_text e.xml '<property name="holds (live) mode" value="live"/>'
python3 tests/integration/report.py json "$work/e.json" reports/report.schema.json || fail 'the JSON report of a search is not valid'
xmllint --noout --schema tests/integration/junit.xsd "$work/e.xml" 2>"$work/err" || { fail 'the JUnit report of a search is not valid'; cat "$work/err"; }

echo 'The database of a run that was killed has no indexes: its reports are the same, and it stays as it is.'
cp "$work/a.db" "$work/whole.db"
for form in junit json perfetto markdown; do
  "$POOLPROOF" report "$work/a.db" --$form "$work/whole.$form"
done
sqlite3 "$work/a.db" "select 'drop index ' || name || ';' from sqlite_schema where type = 'index' and sql is not null" >"$work/drop.sql"
[ "$(wc -l <"$work/drop.sql")" -ge 6 ] || fail 'expected six indexes or more to drop'
sqlite3 "$work/a.db" <"$work/drop.sql"
before=$(sha256sum <"$work/a.db")
for form in junit json perfetto markdown; do
  expect_status 0 "$POOLPROOF" report "$work/a.db" --$form "$work/bare.$form"
  cmp "$work/whole.$form" "$work/bare.$form" || fail "--$form: expected the same report without indexes"
done
[ "$(sha256sum <"$work/a.db")" = "$before" ] || fail 'a report has changed the database'
mv "$work/whole.db" "$work/a.db"

echo 'What cannot be done is told, and no file is left behind.'
expect_status 2 "$POOLPROOF" report
expect_text err 'expected databases; found none'
expect_status 2 "$POOLPROOF" report "$work/none.db"
expect_text err 'there is no such file'
expect_status 2 "$POOLPROOF" report "$work/a.db" --run 9
expect_text err 'expected a run 9'
expect_status 2 "$POOLPROOF" report "$work/a.db" --scenario 99
expect_text err 'expected a scenario 99'
expect_status 2 "$POOLPROOF" report "$work/a.db" --scenario x
expect_status 2 "$POOLPROOF" report "$work/a.db" --scenario 1 --run 1
for form in --junit --json --perfetto --markdown; do
  expect_status 3 "$POOLPROOF" report "$work/a.db" "$form" "$work/none/x"
  expect_text err "$work/none/x"
  expect_text err "name another file with $form"
done
expect_status 3 "$POOLPROOF" report "$work/a.db" --json /dev/full
expect_text err 'No space left'
expect_no_text err 'none/x'
[ -z "$(find "$work" -name '*.tmp')" ] || fail 'a temporary file was left behind'

echo 'A report that is stopped, or too large, leaves the file of before and nothing beside it.'
sqlite3 "$work/b.db" "with recursive n (n) as (select 1 union all select n + 1 from n where n < 2000000)
  insert into event select 1, 1000000 + n, 4000000000 + n, 'acquire_queued', 1, null, 'x', null from n;"
echo before >"$work/stopped.html"
"$POOLPROOF" report "$work/b.db" --json "$work/stopped.html" >"$work/out" 2>&1 &
program=$!
until [ -n "$(find "$work" -name '*.tmp')" ] || ! kill -0 $program 2>"$work/err"; do :; done
kill -TERM $program || fail 'the report was ready before it could be stopped'
status=0
wait $program || status=$?
[ "$status" -eq 143 ] || fail "expected status 143 after SIGTERM, found $status"
[ -z "$(find "$work" -name '*.tmp')" ] || fail 'expected no temporary file after SIGTERM'
[ "$(cat "$work/stopped.html")" = before ] || fail 'expected the file of before after SIGTERM'
expect_status 3 sh -c 'ulimit -f 8; exec "$1" report "$2" --perfetto "$3"' sh "$POOLPROOF" "$work/b.db" "$work/stopped.html"
expect_text err 'File too large'
[ -z "$(find "$work" -name '*.tmp')" ] || fail 'expected no temporary file after a limit'
[ "$(cat "$work/stopped.html")" = before ] || fail 'expected the file of before after a limit'

echo 'The checks find what is wrong.'
sed 's/"totals"/"total"/' "$work/r.json" >"$work/bad.json"
expect_status 1 python3 tests/integration/report.py json "$work/bad.json" reports/report.schema.json
sed 's/"ph":"f"/"ph":"F"/' "$work/r.trace" >"$work/bad.trace"
expect_status 1 python3 tests/integration/report.py trace "$work/bad.trace"
sed 's/<testcase name=/<testcase file=/' "$work/r.xml" >"$work/bad.xml"
expect_status 3 xmllint --noout --schema tests/integration/junit.xsd "$work/bad.xml"

[ "$failures" -eq 0 ]
