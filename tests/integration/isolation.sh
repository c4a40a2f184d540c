#!/bin/sh
# isolation.sh - a pool that crashes, aborts, exits, loops, recurses or uses up the memory costs its
# own scenario and no other: the verdict and the signal are told, with the last events and the stack,
# and the timeline up to that moment is in the database. tests/isolation has such a pool.
set -eu

build=$(dirname "$POOLPROOF")
work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-isolation.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0
fail() {
  echo "FAIL: $*"
  failures=$((failures + 1))
}

cmake --build "$build" --target poolproof-misbehaving >"$work/build" 2>&1 || {
  cat "$work/build"
  echo "FAIL: expected that $build builds poolproof-misbehaving"
  exit 1
}
cd "$work"
mkdir scenarios
for way in abort crash exit fine-1 fine-2 loop loop-deaf memory recursion fine-3; do
  printf '{ "name": "%s",\n  "steps": [ { "at": "5ms", "acquire": { "as": "first" } },\n%s%s" } } ] }\n' \
    "$way" '    { "at": "9ms", "acquire": { "as": "a", "url": "wss://misbehaving/' "$way" >"scenarios/$way.json"
done

# With one worker and with several: a worker that is replaced takes nothing from the others.
for jobs in 1 2 4; do
  rm -f x.db
  status=0
  timeout 60 "$build/poolproof-misbehaving" run --wall-limit 1s --jobs "$jobs" --db x.db scenarios \
    >"out.$jobs" 2>err || status=$?
  [ "$status" -eq 1 ] || fail "--jobs $jobs: expected status 1, found $status: $(cat err)"
  found=$(sqlite3 x.db "select name || ' ' || verdict || ' ' || (select count(*) from event
      where scenario_id = s.id and t_ns = 5000000) || ' ' || (select count(*) from event
      where scenario_id = s.id and t_ns = 9000000) from scenario s order by id")
  # At 5 ms seven events of a good acquire, at 9 ms the step that did it, and the good ones' own.
  expected='abort crash 8 1
crash crash 8 1
exit crash 8 1
fine-1 pass 8 13
fine-2 pass 8 13
fine-3 pass 8 13
loop-deaf hang 8 1
loop hang 8 1
memory crash 8 1
recursion crash 8 1'
  [ "$found" = "$expected" ] || {
    fail "--jobs $jobs: expected these verdicts and events, and found those:"
    printf '%s\n\n%s\n' "$expected" "$found"
  }
done

expect() { # SCENARIO TEXT
  sqlite3 x.db "select failure from scenario where name = '$1'" | grep -qF -- "$2" ||
    fail "$1: expected \"$2\", found: $(sqlite3 x.db "select failure from scenario where name = '$1'")"
}
expect abort 'signal 6 (Aborted), at 9ms of virtual time'
expect crash 'signal 11 (Segmentation fault), at 9ms of virtual time'
expect exit 'the process ended with status 0 before the scenario did, at 9ms of virtual time'
expect loop 'hang: no result after '
expect loop-deaf 'hang: no result after '
expect memory 'signal 11 (Segmentation fault)'
expect recursion 'signal 11 (Segmentation fault)'
for way in abort crash exit loop memory recursion; do
  expect "$way" "9ms  step_performed     account=1 op=a step=1 operation=acquire"
  expect "$way" " misbehaving_$way"
  expect "$way" 'to see the source lines: addr2line -pfe poolproof-misbehaving 0x'
done

# The command that it tells names the line that crashed.
if command -v addr2line >/dev/null 2>&1; then
  command=$(sqlite3 x.db "select failure from scenario where name = 'crash'" |
    sed -n 's/^to see the source lines: //p')
  (cd "$build" && $command) | head -n 1 | grep -q 'misbehaving_crash at .*misbehaving_pool.c:' ||
    fail "expected the line of the crash from: $command"
fi

[ "$failures" -eq 0 ] || exit 1
echo "7 ways to end a process cost 7 scenarios of 10"
