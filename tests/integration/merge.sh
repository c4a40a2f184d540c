#!/bin/sh
# merge.sh - shards together give what one run gives: the same verdicts, hashes and rows; merging
# again changes nothing; what is missing, does not agree or was made by another version is told.
set -eu

work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-merge.XXXXXX")
trap 'rm -rf "$work"' EXIT
unset SLURM_ARRAY_TASK_ID JOB_COMPLETION_INDEX CI_NODE_INDEX
failures=0

fail() {
  echo "FAIL: $*"
  failures=$((failures + 1))
}

expect_status() { # STATUS COMMAND...
  expected=$1
  shift
  status=0
  "$@" >"$work/out" 2>&1 </dev/null || status=$?
  [ "$status" -eq "$expected" ] || {
    fail "expected exit status $expected, found $status: $*"
    sed 's/^/    /' "$work/out"
  }
}

expect_text() { # TEXT
  grep -qF -- "$1" "$work/out" || {
    fail "expected \"$1\"; found:"
    sed 's/^/    /' "$work/out"
  }
}

# Every row of a database but for times of day, real times and what names the shards.
rows() { # DB
  for table in scenario op event metric expectation violation exploration source shard; do
    columns=$(sqlite3 "$1" "select group_concat(name) from pragma_table_info('$table')
      where name <> 'wall_ns'")
    echo "$table"
    sqlite3 "$1" "select $columns from $table order by $columns"
  done
}

same() { # DB DB
  rows "$1" >"$work/left"
  rows "$2" >"$work/right"
  cmp -s "$work/left" "$work/right" || {
    fail "expected equal rows in $1 and $2; found others:"
    diff "$work/left" "$work/right" | head -n 5
  }
}

cat >"$work/fails.json" <<'END'
{ "name": "fails", "steps": [ { "acquire": { "as": "a" } } ], "matrix": { "seed": [ 6, 7, 8, 9 ] },
  "expect": [ { "op": "a", "result": "canceled" } ] }
END

echo 'Four shards, from four sources, are the whole.'
paths="scenarios/conformance $work/fails.json"
# shellcheck disable=SC2086 # two paths
{
  expect_status 1 "$POOLPROOF" run --quiet --db "$work/whole.db" $paths
  expect_status 1 "$POOLPROOF" run --quiet --db "$work/1.db" --shard 1/4 $paths
  expect_status 1 env SLURM_ARRAY_TASK_ID=11 SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_MIN=10 \
    "$POOLPROOF" run --quiet --db "$work/2.db" $paths
  expect_text 'shard 2/4, because SLURM_ARRAY_TASK_ID is 11'
  expect_status 1 env JOB_COMPLETION_INDEX=2 JOB_COMPLETIONS=4 \
    "$POOLPROOF" run --quiet --db "$work/3.db" $paths
  expect_text 'shard 3/4'
  expect_status 1 env CI_NODE_INDEX=4 CI_NODE_TOTAL=4 "$POOLPROOF" run --quiet --db "$work/4.db" $paths
  expect_text 'shard 4/4'
}
cd "$work"
expect_status 0 "$POOLPROOF" merge -o all.db 3.db 1.db 4.db 2.db
expect_text ' of 1 run in all.db'
same whole.db all.db
counts=$(for i in 1 2 3 4; do sqlite3 $i.db 'select count(*) from scenario'; done | sort -n)
[ $(($(echo "$counts" | tail -n 1) - $(echo "$counts" | head -n 1))) -le 1 ] ||
  fail "expected shards of equal size, found" $counts

echo 'Merging again changes nothing.'
cp all.db before.db
expect_status 0 "$POOLPROOF" merge -o all.db 1.db 2.db 3.db 4.db
sqlite3 before.db .dump | sort >before.sql
sqlite3 all.db .dump | sort | diff before.sql - >changes || {
  fail 'expected the same after a second merge; found other rows:'
  head -n 5 changes
}
expect_status 0 "$POOLPROOF" merge -o all.db all.db whole.db 2.db
same whole.db all.db
expect_text 'more than once, all alike'

echo 'What is missing is told, and nothing is written.'
expect_status 1 "$POOLPROOF" merge -o part.db 1.db 3.db
expect_text 'expected all 4 shards'
expect_text 'end: 2, 4;'
[ ! -e part.db ] || fail 'expected no part.db'
cp 2.db stopped.db
sqlite3 stopped.db 'delete from scenario where id = (select max(id) from scenario)'
expect_status 1 "$POOLPROOF" merge -o part.db 1.db stopped.db 3.db 4.db
expect_text 'end: 2;'
expect_status 0 "$POOLPROOF" merge -o part.db 1.db stopped.db 3.db 4.db 2.db
expect_text 'left out: 1 run stopped before the end'
same whole.db part.db

echo 'What does not agree is told.'
cp 3.db other.db
sqlite3 other.db "update scenario set timeline_sha256 = 'else' where id = 5"
expect_status 1 "$POOLPROOF" merge -o x.db 1.db 2.db 3.db 4.db other.db
expect_text "and 'pass else ' in 'other.db'"
cp 3.db other.db
sqlite3 other.db "update run set version = '0.0.0'"
expect_status 1 "$POOLPROOF" merge -o x.db 1.db 2.db other.db 4.db
expect_text "version 0.0.0 in 'other.db'"
expect_status 3 "$POOLPROOF" merge -o x.db 1.db nowhere.db
expect_text 'there is no such file'
expect_status 3 "$POOLPROOF" merge -o x.db 1.db fails.json
[ ! -e x.db ] || fail 'expected no x.db'
[ ! -e x.db.merging ] || fail 'expected no x.db.merging'

echo 'Other plans stay apart; explorations merge too.'
expect_status 0 "$POOLPROOF" explore --quiet --runs 20 --db e.db "$OLDPWD/scenarios/bugs"
for i in 1 2 3; do
  expect_status 0 "$POOLPROOF" explore --quiet --runs 20 --db e$i.db --shard $i/3 "$OLDPWD/scenarios/bugs"
done
expect_status 0 "$POOLPROOF" merge -o explored.db e1.db e2.db e3.db
same e.db explored.db
expect_status 0 "$POOLPROOF" merge -o all.db e2.db e1.db e3.db
expect_text ' of 2 runs in all.db'
[ "$(sqlite3 all.db 'pragma integrity_check')" = ok ] || fail 'expected a sound all.db'

echo 'Bad usage.'
expect_status 2 "$POOLPROOF" merge 1.db
expect_status 2 "$POOLPROOF" merge -o x.db
expect_status 2 env SLURM_ARRAY_TASK_ID=1 "$POOLPROOF" run --no-db fails.json
expect_text 'expected SLURM_ARRAY_TASK_COUNT beside it'
expect_status 2 env SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_COUNT=4 "$POOLPROOF" run --no-db fails.json
expect_status 2 env CI_NODE_INDEX=5 CI_NODE_TOTAL=4 "$POOLPROOF" run --no-db fails.json
expect_status 2 env CI_NODE_INDEX=1 CI_NODE_TOTAL=1 JOB_COMPLETION_INDEX=0 JOB_COMPLETIONS=1 \
  "$POOLPROOF" run --no-db fails.json
expect_text 'found both JOB_COMPLETION_INDEX and CI_NODE_INDEX'
expect_status 1 env CI_NODE_INDEX=2 CI_NODE_TOTAL=9 "$POOLPROOF" run --no-db --shard 1/1 fails.json
expect_text '4 scenarios'

[ "$failures" -eq 0 ]
