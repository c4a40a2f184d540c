#!/bin/sh
# durability.sh - what is in a database when a run does not get to its end.
#
# tests/disk/failing_disk.c stands before the C library and kills the program, or fills its disk, at
# the N-th change of a file, for every N that a short run has: not at random moments but at all of
# them, and at the same ones every time. After each: no scenario is there in part, each that was told
# is there, no process is left, and the next run works. Then a limit on the size of files, a folder
# and a file that may not be written, and databases that are locked, cut off, damaged or not ours.
set -eu

here=$(pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-durability.XXXXXX")
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
failures=0
fail() {
  echo "FAIL: $*"
  failures=$((failures + 1))
}

"${CC:-cc}" -shared -fPIC -O1 -o "$work/failing_disk.so" "$here/tests/disk/failing_disk.c"
cd "$work"
mkdir scenarios
for number in 1 2; do
  printf '{ "name": "s%s", "steps": [ { "acquire": { "as": "a", "repeat": 3, "every": "1ms", "hold": "3ms" } } ],%s\n' \
    "$number" ' "expect": [ { "op": "a#1", "result": "ok" } ] }' >"scenarios/$number.json"
done

run() { # FAULT; output in out and err, status in $status
  status=0
  # cat ends when the last process that has the pipe does: a worker that outlives its parent shows.
  timeout 20 sh -c '
    { FAILING_DISK=$1 LD_PRELOAD=$2 "$3" run --jobs 1 --db x.db scenarios 2>err; echo $? >status; } |
      cat >out' sh "$1" "$work/failing_disk.so" "$POOLPROOF" || fail "$1: a process is left over"
  status=$(cat status)
}

# Rows that belong to no scenario, or are not as many as a scenario says: must be 0.
parts='select (select count(*) from event where scenario_id not in (select id from scenario))
  + (select count(*) from op where scenario_id not in (select id from scenario))
  + (select count(*) from scenario where run_id not in (select id from run))
  + (select count(*) from scenario s where events <> (select count(*) from event where scenario_id = s.id)
      or 3 <> (select count(*) from op where scenario_id = s.id)
      or 1 <> (select count(*) from expectation where scenario_id = s.id))'

check() { # NAME RUNS: the last run's scenarios that were told, and all that is there
  told=$(grep -c '^PASS' out || :)
  found=$(sqlite3 x.db 'pragma integrity_check' "$parts" \
    "select count(*) >= $told from scenario where run_id = (select max(id) from run)" 2>&1 | tr '\n' ' ')
  case $found in
    # Before the first transaction is complete there are no tables, and nothing has been told.
    *'no such table'*) [ "$told" -eq 0 ] || fail "$1: $told were told, and there are no tables" ;;
    'ok 0 1 ') ;;
    *) fail "$1: expected a sound database, no parts of scenarios, the $told that were told; found: $found" ;;
  esac
}

next_run_works() { # NAME
  before=$(sqlite3 x.db "select count(*) from scenario" 2>/dev/null || echo 0)
  if ! "$POOLPROOF" run --quiet --jobs 1 --db x.db scenarios >out 2>err; then
    fail "$1: the next run does not work: $(cat out err)"
    return 0
  fi
  after=$(sqlite3 x.db 'pragma integrity_check' 'select count(*) from scenario' "$parts" | tr '\n' ' ')
  [ "$after" = "ok $((before + 2)) 0 " ] ||
    fail "$1: expected 2 scenarios more than $before after the next run, found: $after"
}

changes() { # how many changes of files a run makes
  run count:changes
  [ "$status" -eq 0 ] || fail "a run that is counted: $(cat out err)"
  cat changes
}

echo 'Killed at every change of a new database, and of one that has a run already.'
rm -f x.db
fresh=$(changes)
rm -f second.db
cp x.db first.db
second=$(changes)
[ "$fresh" -ge 100 ] || fail "expected at least a hundred moments, found $fresh"
moment=1
moments=0
while [ "$moment" -le "$((fresh + second))" ]; do
  rm -f x.db x.db-journal
  if [ "$moment" -le "$fresh" ]; then
    run "kill:$moment"
  else
    cp first.db x.db
    run "kill:$((moment - fresh))"
  fi
  [ "$status" -eq 137 ] || fail "kill:$moment: expected that it is killed, found status $status"
  check "kill:$moment"
  # Opening is what repairs: every fourth moment goes on without a look in between.
  [ "$((moment % 6))" -ne 0 ] || next_run_works "kill:$moment"
  # Of the second run every fourth: most of it is as the first was.
  [ "$moment" -lt "$fresh" ] && moment=$((moment + 1)) || moment=$((moment + 4))
  moments=$((moments + 1))
done
echo "$moments moments"

echo 'A disk that is full from some moment on.'
moment=1
while [ "$moment" -le "$fresh" ]; do
  rm -f x.db x.db-journal
  run "full:$moment"
  # The last changes only take away: then there is nothing to be said.
  if [ "$status" -ne 0 ]; then
    [ "$status" -eq 3 ] || fail "full:$moment: expected status 3, found $status"
    grep -q 'x.db.*the disk.*--db' err || fail "full:$moment: expected what to do, found: $(cat err)"
    [ "$(wc -l <err)" -eq 1 ] || fail "full:$moment: expected one message, found: $(cat err)"
  elif [ "$(grep -c ^PASS out)" -ne 2 ]; then
    fail "full:$moment: status 0, and not all was told"
  fi
  check "full:$moment"
  [ "$((moment % 6))" -ne 0 ] || next_run_works "full:$moment"
  moment=$((moment + 5))
done

echo 'A limit on the size of files.'
rm -f x.db x.db-journal
# 60 blocks of 512 bytes: room for the tables, not for all rows.
(
  ulimit -f 60
  exec "$POOLPROOF" run --jobs 1 --db x.db scenarios >out 2>err
) && status=0 || status=$?
[ "$status" -eq 3 ] || fail "a limit on files: expected status 3, found $status: $(cat err)"
grep -q 'the disk refuses' err || fail "a limit on files: expected the reason, found: $(cat err)"
check 'a limit on files'
next_run_works 'a limit on files'

expect_refused() { # NAME TEXT: a run has status 3, says TEXT once, and runs nothing
  status=0
  "$POOLPROOF" run --db x.db scenarios >out 2>err || status=$?
  [ "$status" -eq 3 ] || fail "$1: expected status 3, found $status"
  grep -q "x.db.*$2" err || fail "$1: expected \"$2\", found: $(cat err)"
  [ ! -s out ] || fail "$1: expected that nothing runs, found: $(cat out)"
}

echo 'Databases that can not be used.'
if [ "$(id -u)" -ne 0 ]; then
  chmod a-w x.db
  expect_refused 'a file that may not be written' 'may not be written'
  chmod u+w x.db
  mkdir locked_folder
  chmod a-w locked_folder
  status=0
  "$POOLPROOF" run --db locked_folder/y.db scenarios >out 2>err || status=$?
  [ "$status" -eq 3 ] && grep -q 'locked_folder/y.db.*permissions' err ||
    fail "a folder that may not be written: status $status: $(cat err)"
fi
cp x.db good.db

sqlite3 x.db 'pragma user_version = 999'
expect_refused 'another schema version' 'found version 999'
cp good.db x.db

# A process that has the database for itself until it is told to end.
mkfifo until
sqlite3 x.db <until >held 2>&1 &
holder=$!
exec 3>until
echo 'begin exclusive; select 1;' >&3
while [ ! -s held ]; do :; done
expect_refused 'a locked database' 'another process holds it'
exec 3>&-
wait "$holder"
next_run_works 'a database that was locked'

dd if=good.db of=x.db bs=4096 count=3 2>/dev/null
expect_refused 'a database that is cut off' 'damaged'
cp good.db x.db
dd if=/dev/zero of=x.db bs=4096 seek=1 count=4 conv=notrunc 2>/dev/null
expect_refused 'a database with pages of zeros' 'damaged'
printf 'SQLite format 3\0 and then something else' >x.db
expect_refused 'a file that only begins as a database' 'no SQLite database'
rm x.db
sqlite3 x.db 'create table scenario (id)'
expect_refused 'a database of something else' 'one of something else'
[ "$(sqlite3 x.db 'select count(*) from sqlite_schema')" -eq 1 ] || fail 'a foreign database was changed'
rm x.db
ln -s nowhere/x.db x.db
expect_refused 'a link to a folder that is not there' ''
rm x.db

[ "$failures" -eq 0 ] || {
  echo "$failures checks failed"
  exit 1
}
