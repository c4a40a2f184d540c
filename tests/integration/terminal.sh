#!/bin/sh
# terminal.sh - what `run` shows on a terminal: colours by meaning beside the same words, and the
# failures named again at the end. `script` (of every Debian) is the terminal.
set -eu

work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-terminal.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0
esc=$(printf '\033')

fail() {
  echo "FAIL: $1"
  sed 's/^/    /' "$work/out"
  failures=$((failures + 1))
}

expect() { # TEXT
  grep -qF -- "$1" "$work/out" || fail "expected \"$1\""
}

for number in $(seq 1 14); do
  cat >"$work/wrong-$number.json" <<END
{ "name": "wrong-$number", "steps": [ { "acquire": { "as": "a" } } ],
  "expect": [ { "op": "a", "result": "queue_full" } ] }
END
done
echo '{ "name": "right", "steps": [ { "acquire": { "as": "a" } } ] }' >"$work/right.json"

on_a_terminal() { # COMMAND
  status=0
  script -qec "$1" /dev/null </dev/null >"$work/out" 2>&1 || status=$?
  # Progress is written over its own line.
  sed -i "s/\r//g" "$work/out"
}

echo 'On a terminal the verdict, the place, what was expected and what was found have colours.'
on_a_terminal "$POOLPROOF run --no-db $work/wrong-1.json $work/right.json"
[ "$status" -eq 1 ] || fail "expected status 1, found $status"
expect "${esc}[31mFAIL ${esc}[0m  wrong-1"
expect "${esc}[32mPASS ${esc}[0m  right"
expect "${esc}[1m$work/wrong-1.json:2:15${esc}[0m: expectation failed at 0s"
expect "${esc}[32mexpected${esc}[0m  op \"a\": result = queue_full"
expect "${esc}[31mfound${esc}[0m     result = ok"
if grep -q 'did not pass:' "$work/out"; then fail 'one failure was expected to be told once'; fi

echo 'Without colours the words are the same.'
sed "s/${esc}\[[0-9]*m//g" "$work/out" >"$work/plain"
NO_COLOR=1 script -qec "$POOLPROOF run --no-db $work/wrong-1.json $work/right.json" /dev/null </dev/null >"$work/out" 2>&1 || :
sed -i "s/\r//g" "$work/out"
if grep -q "${esc}\[[0-9]*m" "$work/out"; then fail 'NO_COLOR: no colours were expected'; fi
for file in plain out; do
  sed -e "s/^${esc}\[K.*${esc}\[K//" -e 's/; [0-9.]* s$/; N s/' "$work/$file" >"$work/$file.words"
done
cmp -s "$work/plain.words" "$work/out.words" || { diff "$work/plain.words" "$work/out.words"; fail 'the words differ'; }

echo 'Several failures are named again at the end, where they fit a screen.'
status=0
"$POOLPROOF" run --no-db "$work" >"$work/out" 2>/dev/null || status=$?
[ "$status" -eq 1 ] || fail "expected status 1, found $status"
tail -n 17 "$work/out" >"$work/end"
for line in 'did not pass:' "  FAIL   wrong-1  $work/wrong-1.json:2:15" '  and 2 more' '15 scenarios: 1 passed, 14 failed'; do
  grep -qF -- "$line" "$work/end" || fail "expected \"$line\" at the end"
done
if grep -q "$esc" "$work/out"; then fail 'a pipe gets no colours'; fi

[ "$failures" -eq 0 ]
