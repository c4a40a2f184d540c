#!/bin/sh
# determinism.sh - every scenario gives the same timeline, whatever is around it: run twice, from
# a copy of the tree in another folder, with another environment, without address randomisation,
# with two workers, and in the other build. The databases of one and two workers have equal rows.
set -eu

work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-determinism.XXXXXX")
trap 'rm -rf "$work"' EXIT
scenarios=${SCENARIOS:-scenarios}
failures=0

# Runs all scenarios into $work/NAME.db by a command that ends with the program. Whether they
# hold is not asked here, only whether they do the same every time.
record() { # NAME JOBS COMMAND...
  name=$1
  jobs=$2
  shift 2
  status=0
  "$@" run --quiet --jobs "$jobs" --db "$work/$name.db" "$scenarios" >"$work/out" 2>&1 ||
    status=$?
  if [ "$status" -gt 1 ]; then
    echo "FAIL: status $status: $* run"
    cat "$work/out"
    exit 1
  fi
  sqlite3 -readonly "$work/$name.db" \
    "select name || ' [' || variant || '] ' || verdict || ' ' || timeline_sha256 from scenario
     order by name, variant" >"$work/$name.hashes"
}

compare() { # NAME WHAT
  if cmp -s "$work/first.hashes" "$work/$1.hashes"; then
    echo "same timelines: $2"
  else
    echo "FAIL: other timelines: $2"
    diff "$work/first.hashes" "$work/$1.hashes" | head -n 20 || true
    show_first_difference "$1"
    failures=$((failures + 1))
  fi
}

# The first event that differs.
show_first_difference() { # NAME
  for database in first "$1"; do
    sqlite3 -readonly "$work/$database.db" \
      "select s.name, s.variant, e.seq, e.t_ns, e.kind, e.account, e.conn, e.op, e.detail
       from event e join scenario s on s.id = e.scenario_id order by s.name, s.variant, e.seq" \
      >"$work/$database.events"
  done
  diff "$work/first.events" "$work/$1.events" | head -n 4 || true
}

# All rows but what says when and how long by the wall clock.
rows() { # NAME
  sqlite3 -readonly "$work/$1.db" \
    'select id, name, path, variant, seed, verdict, failure, virtual_ns, events, timeline_sha256
       from scenario;
     select * from op; select * from event; select * from metric; select * from expectation;
     select * from violation' >"$work/$1.rows"
}

record first 1 "$POOLPROOF"
echo "$(wc -l <"$work/first.hashes") runs"
[ -s "$work/first.hashes" ] || { echo 'FAIL: no scenario was run'; exit 1; }

record again 1 "$POOLPROOF"
compare again 'a second time'

record jobs 2 "$POOLPROOF"
compare jobs 'with two workers'
rows first
rows jobs
if cmp -s "$work/first.rows" "$work/jobs.rows"; then
  echo 'same rows: with two workers'
else
  echo 'FAIL: other rows with two workers'
  diff "$work/first.rows" "$work/jobs.rows" | head -n 10 || true
  failures=$((failures + 1))
fi

junk=$(printf '%0100000d' 0)
record environment 1 env -i TZ=Pacific/Chatham LANG=tr_TR.UTF-8 LC_ALL=tr_TR.UTF-8 JUNK="$junk" \
  MALLOC_PERTURB_=165 "$POOLPROOF"
compare environment 'with another environment'

if setarch -R true 2>/dev/null; then
  record fixed 1 setarch -R "$POOLPROOF"
  compare fixed 'without address randomisation'
else
  echo 'not tried: without address randomisation (setarch -R is not permitted here)'
fi

record debug 1 "$POOLPROOF_DEBUG"
compare debug 'in the debug build'

copy="$work/another folder"
mkdir "$copy"
cp -R "$scenarios" "$copy/scenarios"
cp "$POOLPROOF" "$copy/program"
cd "$copy"
scenarios=scenarios
record folder 1 ./program
compare folder 'in another folder'

[ "$failures" -eq 0 ]
