#!/bin/sh
# determinism.sh - every scenario gives the same timeline, whatever is around it: run twice, from
# a copy of the tree in another folder, with another environment, without address randomisation,
# with two workers, and in the other build. The databases of one and two workers have equal rows
# (in the folders of short scenarios).
set -eu

work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-determinism.XXXXXX")
trap 'rm -rf "$work"' EXIT
scenarios=${SCENARIOS:-scenarios}
failures=0

# Runs PATH... by a command that ends with the program. Whether they hold is not asked here, only
# whether they do the same every time.
run() { # OPTIONS OUTPUT-FILE JOBS COMMAND...
  options=$1
  file=$2
  jobs=$3
  shift 3
  status=0
  # shellcheck disable=SC2086 # they are several words on purpose
  "$@" run --quiet --jobs "$jobs" $options "$file" "$scenarios" >"$work/out" 2>&1 ||
    status=$?
  if [ "$status" -gt 1 ]; then
    echo "FAIL: status $status: $* run"
    cat "$work/out"
    exit 1
  fi
}

# The verdicts and hashes of all scenarios, a line each. Nothing is recorded: that would take most
# of the time.
hashes() { # NAME JOBS COMMAND...
  name=$1
  shift
  run '--no-db --junit' "$work/$name.xml" "$@"
  sed -n -e 's/.*<testcase name="\([^"]*\)".*/\1/p' -e 's/.*timeline_sha256" value="\(.*\)".*/  \1/p' \
    -e 's/.*<\(failure\|error\) .*/  \1/p' "$work/$name.xml" >"$work/$name.hashes"
}

events() { # NAME JOBS COMMAND...
  name=$1
  shift
  run --db "$work/$name.db" "$@"
  sqlite3 -readonly "$work/$name.db" \
    "select s.name, s.variant, e.seq, e.t_ns, e.kind, e.account, e.conn, e.op, e.detail
     from event e join scenario s on s.id = e.scenario_id order by s.name, s.variant, e.seq" \
    >"$work/$name.events"
}

# The same timelines as the first time? Else the first event that differs is shown.
check() { # NAME WHAT JOBS COMMAND...
  name=$1
  what=$2
  shift 2
  hashes "$name" "$@"
  if cmp -s "$work/first.hashes" "$work/$name.hashes"; then
    echo "same timelines: $what"
    return
  fi
  echo "FAIL: other timelines: $what"
  diff "$work/first.hashes" "$work/$name.hashes" | head -n 20 || true
  events "$name" "$@"
  events first 1 "$POOLPROOF"
  diff "$work/first.events" "$work/$name.events" | head -n 4 || true
  failures=$((failures + 1))
}

# All rows but what says when and how long by the wall clock.
rows() { # NAME JOBS
  "$POOLPROOF" run --quiet --jobs "$2" --db "$work/$1.db" "$scenarios/conformance" \
    "$scenarios/bugs" >"$work/out" 2>&1 || true
  sqlite3 -readonly "$work/$1.db" \
    'select id, name, path, variant, seed, verdict, failure, virtual_ns, events, timeline_sha256
       from scenario;
     select * from op; select * from event; select * from metric; select * from expectation;
     select * from violation' >"$work/$1.rows"
}

hashes first 1 "$POOLPROOF"
count=$(grep -c '^  [0-9a-f]\{64\}$' "$work/first.hashes") || true
echo "$count runs"
[ "$count" -gt 0 ] || { echo 'FAIL: expected runs with a hash, found none'; exit 1; }

check again 'a second time' 1 "$POOLPROOF"
check jobs 'with two workers' 2 "$POOLPROOF"
rows one 1
rows two 2
if [ -s "$work/one.rows" ] && cmp -s "$work/one.rows" "$work/two.rows"; then
  echo 'same rows: with two workers'
else
  echo 'FAIL: other rows with two workers'
  diff "$work/one.rows" "$work/two.rows" | head -n 10 || true
  failures=$((failures + 1))
fi

junk=$(printf '%0100000d' 0)
check environment 'with another environment' 1 env -i TZ=Pacific/Chatham LANG=tr_TR.UTF-8 \
  LC_ALL=tr_TR.UTF-8 JUNK="$junk" MALLOC_PERTURB_=165 "$POOLPROOF"

if setarch -R true 2>/dev/null; then
  check fixed 'without address randomisation' 1 setarch -R "$POOLPROOF"
else
  echo 'not tried: without address randomisation (setarch -R is not permitted here)'
fi

check debug 'in the debug build' 2 "$POOLPROOF_DEBUG"

copy="$work/another folder"
mkdir "$copy"
cp -R "$scenarios" "$copy/scenarios"
cp "$POOLPROOF" "$copy/program"
cd "$copy"
scenarios=scenarios
check folder 'in another folder' 1 ./program

[ "$failures" -eq 0 ]
