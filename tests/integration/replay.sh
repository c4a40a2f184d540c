#!/bin/sh
# replay.sh - what was recorded is repeated exactly, a changed record is noticed at its first event,
# and what explore has found becomes a small scenario that fails by itself in the same way.
set -eu

work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-replay.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAIL: $1"
  [ ! -s "$work/out" ] || sed 's/^/  /' "$work/out" | head -n 60
  failures=$((failures + 1))
}

# Runs the program; its output is in $work/out.
expect_status() { # STATUS ARGUMENT...
  expected=$1
  shift
  status=0
  "$POOLPROOF" "$@" >"$work/out" 2>&1 || status=$?
  [ "$status" -eq "$expected" ] || fail "$*: expected exit status $expected, found $status"
}

expect_text() { # PATTERN
  grep -qE -- "$1" "$work/out" || fail "expected in the output: $1"
}

# ---- Every scenario that is not long is repeated exactly ------------------------------------
expect_status 0 run --quiet --db "$work/all.db" scenarios
count=0
for id in $(sqlite3 "$work/all.db" 'select id from scenario where events < 3000 order by id'); do
  "$POOLPROOF" replay --db "$work/all.db" "$id" >"$work/out" 2>&1 || fail "replay of scenario $id"
  grep -q '^repeated exactly: [0-9]* events, as recorded$' "$work/out" ||
    fail "scenario $id is not repeated exactly"
  count=$((count + 1))
done
[ "$count" -gt 200 ] || fail "expected over 200 scenarios to be repeated, found $count"

# ---- The first event that differs -----------------------------------------------------------
cat >"$work/first.json" <<'END'
{
  "name": "first-has-it",
  "description": "Two callers at once, one conn. Who comes first is a matter of order.",
  "config": { "max_conns_per_account": 1 },
  "upstreams": { "default": { "dial": { "latency": "5ms" }, "ping": { "latency": { "uniform": ["1ms", "2ms"] } } } },
  "steps": [
    { "at": "1s", "ensure_target_idle": {} },
    { "at": "2s", "together": [ { "acquire": { "as": "a", "hold": "1s" } }, { "acquire": { "as": "b", "hold": "2s" } } ] },
    { "at": "20s", "acquire": { "as": "c", "hold": "1s" } }
  ],
  "expect": [
    { "op": "a", "result": "ok" },
    { "op": "b", "result": "ok", "queue_wait": "1.005s" },
    { "op": "c", "result": "ok" }
  ]
}
END
expect_status 0 run --db "$work/first.db" "$work/first.json"
expect_status 0 replay --db "$work/first.db" 1
expect_text '^repeated exactly'
expect_text '-- choice 1: 0 step [0-9]+: acquire a; or: 1 step [0-9]+: acquire b$'
lines=$(grep -cE '^ +[0-9.]+[mun]?s ' "$work/out")
events=$(sqlite3 "$work/first.db" 'select events from scenario')
[ "$lines" -eq "$events" ] || fail "expected a line for each of $events events, found $lines"
expect_status 0 replay --db "$work/first.db" 1 --until 2.005s
expect_text 'later events are not shown'
lines=$(grep -cE '^ +[0-9.]+[mun]?s ' "$work/out")
events=$(sqlite3 "$work/first.db" 'select count(*) from event where t_ns <= 2005000000')
[ "$lines" -eq "$events" ] || fail "--until: expected $events lines, found $lines"

sqlite3 "$work/first.db" 'update event set t_ns = t_ns + 1 where seq = 12'
expect_status 0 replay --db "$work/first.db" 1
expect_text '^differs from the record at event 12: '
sqlite3 "$work/first.db" 'update event set t_ns = t_ns - 1 where seq = 12; delete from event where seq > 20'
expect_status 0 replay --db "$work/first.db" 1
expect_text '^differs from the record at event 21: '
expect_text '^  recorded  \(the recorded timeline ends\)$'

# ---- From explore to a scenario of a handful of steps ---------------------------------------
expect_status 1 explore --strategy exhaustive --db "$work/hit.db" "$work/first.json"
expect_text 'expected  op "b": queue_wait = 1.005s'
expect_text 'to see its timeline: .* replay --db .*/hit.db 1$'
expect_status 1 replay --db "$work/hit.db" 1
expect_text '^repeated exactly'
expect_text '-- choice 1: 1 step [0-9]+: acquire b \(out of turn\); or: 0 step [0-9]+: acquire a$'
expect_text '^verdict now: fail$'
expect_status 0 shrink --db "$work/hit.db" 1 -o "$work/small.json"
expect_text '^fails by: expectation '
expect_text '^  steps +4 -> 2$'
expect_text '^  choices out of turn +[1-9][0-9]* -> 1$'
expect_status 1 run --no-db "$work/small.json"
expect_text 'expected  op "b": queue_wait = 1.005s'
sed 's/"schedule": "[^"]*"/"schedule": ""/' "$work/small.json" >"$work/in-order.json"
expect_status 0 run --no-db "$work/in-order.json"
expect_status 0 shrink --db "$work/hit.db" 1 -o -
cmp -s "$work/out" "$work/small.json" || fail 'shrinking twice gives two files'

# ---- A load becomes the few steps that matter -----------------------------------------------
cat >"$work/load.json" <<'END'
{
  "name": "too-many",
  "config": { "max_conns_per_account": 4 },
  "upstreams": { "default": { "dial": { "latency": { "exponential": "20ms" } } } },
  "load": [ { "arrivals": { "poisson": "100/s" }, "for": "20s", "hold": { "exponential": "30ms" }, "timeout": "5s" } ],
  "expect": [ { "metric": "acquire_total", "le": 3 }, { "metric": "acquire_create_total", "ge": 1 } ]
}
END
expect_status 1 run --db "$work/load.db" "$work/load.json"
expect_status 0 shrink --db "$work/load.db" 1 -o "$work/load-small.json"
expect_text '^  steps +0 -> 4$'
expect_text '^  loads +1 -> 0$'
expect_status 1 run --no-db "$work/load-small.json"

# ---- A schedule that the scenario does not come to is a failure -------------------------------
sed 's/"steps"/"schedule": "77:1", "steps"/' "$work/first.json" >"$work/astray.json"
expect_status 1 run --no-db "$work/astray.json"
expect_text 'came to other choices or calls than those of its schedule "77:1"'
sed 's/"steps"/"schedule": "1-1", "steps"/' "$work/first.json" >"$work/wrong.json"
expect_status 2 run --no-db "$work/wrong.json"
expect_text 'wrong.json:6:15: error: "schedule": expected items as 3:1 .*found "1-1" at character 1$'

# ---- What can not be done is said -----------------------------------------------------------
expect_status 2 replay --db "$work/first.db"
expect_text 'expected the ID of one recorded scenario'
expect_status 2 replay --db "$work/first.db" 99
expect_text "expected a scenario 99 in .*; found 1 of them, from 1 to 1"
expect_status 2 replay --db "$work/first.db" first-has-it
expect_text 'expected the ID of a recorded scenario, a number; found "first-has-it"'
expect_status 2 replay --db "$work/none.db" 1
expect_text 'there is no such file'
expect_status 2 replay --db "$work/first.db" 1 --until soon
expect_text -- '--until: expected a time from the start'
expect_status 2 shrink --db "$work/first.db" 1
expect_text 'was recorded as pass and holds now'
expect_status 3 shrink --db "$work/hit.db" 1 -o "$work/no/folder.json"
expect_text 'cannot write .*No such file or directory; name another file with -o'
sqlite3 "$work/first.db" 'update scenario set source_sha256 = null'
expect_status 2 replay --db "$work/first.db" 1
expect_text 'expected the text of scenario 1'

[ "$failures" -eq 0 ]
