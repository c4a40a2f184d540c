#!/bin/sh
# cli.sh - the command line: help, bad usage, invalid files, exit statuses, what is selected.
set -eu

work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-cli.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

# Runs a command and looks at its exit status; its output is in $work/out and $work/err.
expect_status() { # STATUS COMMAND...
  expected=$1
  shift
  status=0
  "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
  if [ "$status" -ne "$expected" ]; then
    echo "FAIL: expected exit status $expected, found $status: $*"
    sed 's/^/    /' "$work/out" "$work/err"
    failures=$((failures + 1))
  fi
}

expect_text() { # FILE TEXT
  if ! grep -qF -- "$2" "$work/$1"; then
    echo "FAIL: expected \"$2\" on std$1; found:"
    sed 's/^/    /' "$work/$1"
    failures=$((failures + 1))
  fi
}

expect_lines() { # FILE COUNT
  found=$(wc -l <"$work/$1")
  if [ "$found" -ne "$2" ]; then
    echo "FAIL: expected $2 lines on std$1; found $found:"
    sed 's/^/    /' "$work/$1"
    failures=$((failures + 1))
  fi
}

scenario() { # FILE NAME MORE
  printf '{ "name": "%s", "steps": [ { "acquire": { "as": "a" } } ]%s }\n' "$2" "$3" >"$work/$1"
}

echo 'Help and version are shown everywhere.'
expect_status 0 "$POOLPROOF" --help
expect_text out 'Usage:'
expect_status 0 "$POOLPROOF" --version
expect_text out 'poolproof '
for command in run check list explore replay shrink report compare merge serve help; do
  expect_status 0 "$POOLPROOF" "$command" --help
  expect_text out "Usage: $POOLPROOF $command"
  expect_status 0 "$POOLPROOF" "$command" --version
done
expect_status 0 "$POOLPROOF" help run
expect_text out "Usage: $POOLPROOF run"
expect_status 2 "$POOLPROOF" help no-such
expect_text err 'no-such: no such command'
expect_status 2 "$POOLPROOF" help run check
expect_text err 'expected one command; found "check"'
expect_status 2 "$POOLPROOF" help --completion tcsh
expect_text err 'expected bash, zsh or fish; found "tcsh"'
expect_status 2 "$POOLPROOF" help --completion bash run
expect_text err 'expected no command with --completion; found "run"'

echo 'Bad usage has status 2 and says where help is.'
scenario a.json one ', "tags": [ "red" ]'
cd "$work"
expect_status 2 "$POOLPROOF"
expect_status 2 "$POOLPROOF" frobnicate
expect_text err 'frobnicate: no such command'
expect_status 2 "$POOLPROOF" run
expect_text err 'expected scenario files or folders; found none'
for arguments in --frobnicate --seed --seed=x --seed=18446744073709551616 --jobs=0 --jobs=257 \
  --shard=0/2 --shard=3/2 --shard=2 --shard=a/b --wall-limit=0s --wall-limit=soon --quiet=yes \
  --speed=2 --tag=blue '--db= '; do
  case $arguments in
    '--db= ') expect_status 2 "$POOLPROOF" run --db= a.json ;;
    --seed) expect_status 2 "$POOLPROOF" run a.json --seed ;;
    *) expect_status 2 "$POOLPROOF" run "$arguments" a.json ;;
  esac
  expect_text err "See: $POOLPROOF run --help"
done
expect_status 2 "$POOLPROOF" run --db x.db --no-db a.json
for speed in 0 -1 fast 0.0001 1000001; do
  expect_status 2 "$POOLPROOF" run --live "--speed=$speed" a.json
  expect_text err "found \"$speed\""
done
expect_status 2 "$POOLPROOF" merge a.json
expect_text err 'expected -o and the database to write'
[ ! -e poolproof.db ] || { echo 'FAIL: bad usage has made a database'; failures=$((failures + 1)); }

echo 'An invalid file: all its mistakes are told, nothing runs, no database is made.'
printf '{\n  "name": "bad",\n  "stepz": [],\n  "seed": "x"\n}\n' >bad.json
expect_status 2 "$POOLPROOF" run a.json bad.json
expect_text err 'bad.json:3:3: error: '
expect_text err 'bad.json:4:11: error: '
expect_text err 'nothing was run'
expect_lines out 0
[ ! -e poolproof.db ] || { echo 'FAIL: a bad file has made a database'; failures=$((failures + 1)); }
expect_status 2 "$POOLPROOF" check a.json bad.json
expect_text out '2 files checked: 1 good, 1 bad'
expect_status 2 "$POOLPROOF" run missing.json
expect_text err 'missing.json: error: '
rm bad.json

echo 'Two scenarios of one name are an error.'
mkdir twice
scenario twice/one.json twin ''
scenario twice/two.json twin ''
expect_status 2 "$POOLPROOF" run twice
expect_text err 'twice/two.json: error: '
expect_text err 'twice/one.json'
rm -r twice

echo 'A run that holds has status 0; one that fails has 1.'
scenario b.json two ', "expect": [ { "op": "a", "result": "ok" } ]'
scenario c.json three ', "expect": [ { "op": "a", "result": "queue_full" } ]'
expect_status 0 "$POOLPROOF" run a.json b.json
expect_text out 'PASS   one'
expect_text out '2 scenarios: 2 passed'
expect_text out 'results in poolproof.db'
expect_lines out 3
expect_status 1 "$POOLPROOF" run --db=other.db .
expect_text out '3 scenarios: 2 passed, 1 failed'
[ -s other.db ] || { echo 'FAIL: --db=other.db has made no database'; failures=$((failures + 1)); }
expect_status 1 "$POOLPROOF" run --quiet --no-db .
expect_text out 'c.json:1:'
if grep -q PASS "$work/out"; then
  echo 'FAIL: --quiet prints what passed'
  failures=$((failures + 1))
fi
expect_status 0 "$POOLPROOF" run --no-db --quiet a.json
expect_lines out 1
expect_status 0 "$POOLPROOF" run --no-db -- a.json

echo 'A fault of the harness has status 3.'
echo 'no database' >text.db
expect_status 3 "$POOLPROOF" run --db text.db a.json
expect_text err 'text.db'
expect_status 3 "$POOLPROOF" run --db missing/x.db a.json
mkdir refused
printf '%s\n' '{ "name": "refused",' \
  '  "steps": [ { "adopt": { "conn": "c" } }, { "adopt": { "conn": "c" } } ] }' >refused/e.json
expect_status 3 "$POOLPROOF" run --no-db refused
expect_text out 'refused/e.json:2:'
expect_text out 'could not be run'
rm -r refused

echo 'A JUnit file that can not be written is told before anything runs.'
for junit in missing/x.xml refused ''; do
  mkdir -p refused
  expect_status 3 "$POOLPROOF" run --db junit.db --junit "$junit" a.json
  expect_text err 'cannot write the JUnit file'
  expect_lines out 0
done
[ ! -e junit.db ] || { echo 'FAIL: a run without a JUnit file has made a database'; failures=$((failures + 1)); }
rmdir refused

echo 'A pipe is no scenario file: a run of it could not be repeated.'
mkfifo pipe.json
expect_status 2 "$POOLPROOF" run --no-db pipe.json
expect_text err 'found a pipe, a device or a socket'
expect_status 2 "$POOLPROOF" check /dev/null
rm pipe.json

echo 'A reader that goes early (| head) is no fault; a full device is one.'
mkfifo left
exec 3<>left 4>left 3>&- # its only reader has gone
status=0
"$POOLPROOF" run --no-db a.json b.json >&4 2>"$work/err" || status=$?
exec 4>&-
[ "$status" -eq 0 ] || { echo 'FAIL: a reader that has gone changes the status'; failures=$((failures + 1)); }
expect_lines err 0
status=0
"$POOLPROOF" run --no-db a.json >/dev/full 2>"$work/err" || status=$?
[ "$status" -eq 3 ] || { echo "FAIL: expected status 3 with a full device, found $status"; failures=$((failures + 1)); }
expect_text err 'expected to write all results'
rm left

echo 'Tags, shards and seeds select.'
expect_status 0 "$POOLPROOF" run --no-db --tag red --tag green .
expect_text out '1 scenario: 1 passed'
expect_status 0 "$POOLPROOF" run --no-db --shard 2/2 .
expect_text out '1 scenario: 1 passed'
expect_text out 'two'
expect_status 0 "$POOLPROOF" run --no-db --shard 9/9 .
expect_text out '0 scenarios'
scenario d.json four ', "matrix": { "seed": [ 4, 5, 6 ] }'
expect_status 0 "$POOLPROOF" run --no-db d.json
expect_text out '3 scenarios: 3 passed'
expect_status 0 "$POOLPROOF" run --no-db --seed 18446744073709551615 d.json
expect_text out '1 scenario: 1 passed'

echo 'list shows names, tags and what is covered; and the invariants.'
expect_status 0 "$POOLPROOF" list .
expect_text out 'one'
expect_text out 'tags    red'
expect_text out '4 scenarios, 6 runs'
expect_status 0 "$POOLPROOF" list --invariants
expect_text out 'metrics-match-timeline'

echo 'Ctrl-C keeps what has been recorded, and the database can be read.'
printf '%s\n' '{ "name": "endless", "steps": [ { "acquire": { "as": "a", "hold": "1ms" } } ],' \
  '"load": [ { "arrivals": { "poisson": "9999/s" }, "for": "4m", "hold": "1ms" } ] }' >z.json
mkfifo told
"$POOLPROOF" run --jobs 1 --db stopped.db . >told 2>"$work/err" &
program=$!
# It tells a run when that is in the database: six come before the endless one.
exec 3<told
: >"$work/out"
told=0
while [ "$told" -lt 6 ] && IFS= read -r line <&3; do
  printf '%s\n' "$line" >>"$work/out"
  case $line in PASS* | FAIL* | HANG* | ERROR* | CRASH*) told=$((told + 1)) ;; esac
done
kill -INT "$program"
status=0
cat <&3 >>"$work/out"
exec 3<&-
wait "$program" || status=$?
if [ "$status" -ne 130 ]; then
  echo "FAIL: expected exit status 130 after Ctrl-C, found $status"
  sed 's/^/    /' "$work/out" "$work/err"
  failures=$((failures + 1))
fi
expect_text out 'stopped by SIGINT after 6 of 7 scenarios'
found=$(sqlite3 -readonly stopped.db \
  'select count(*) from scenario; select count(*) from run where finished_at is not null' |
  tr '\n' ' ')
if [ "$found" != '6 1 ' ]; then
  echo "FAIL: expected 6 scenarios and 1 finished run in the database, found: $found"
  failures=$((failures + 1))
fi

if [ "$failures" -ne 0 ]; then
  echo "$failures checks failed"
  exit 1
fi
