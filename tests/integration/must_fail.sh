#!/bin/sh
# must_fail.sh - the harness is able to fail: each scenario of tests/must_fail has one thing wrong,
# and must end with the verdict and the words that the comments at its head tell:
#   // expect verdict: FAIL       of its line in the output; FAIL, HANG, CRASH or ERROR
#   // expect text: TEXT          which the output has, word by word; as often as wanted
#   // command: explore ...       what finds it, where that is not `run`
set -eu

work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-must-fail.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0
count=0

complain() { # FILE TEXT
  echo "FAIL: $1: $2; found:"
  sed 's/^/    /' "$work/out"
  failures=$((failures + 1))
}

for file in tests/must_fail/*.json; do
  count=$((count + 1))
  command=$(sed -n 's,^// command: ,,p' "$file")
  verdict=$(sed -n 's,^// expect verdict: ,,p' "$file")
  sed -n 's,^// expect text: ,,p' "$file" >"$work/texts"
  if [ -z "$verdict" ] || [ ! -s "$work/texts" ]; then
    echo "FAIL: $file: expected the lines \"// expect verdict:\" and \"// expect text:\" at its head"
    failures=$((failures + 1))
    continue
  fi
  status=0
  # shellcheck disable=SC2086 # the command is several words
  "$POOLPROOF" ${command:-run} --no-db "$file" >"$work/out" 2>&1 || status=$?
  [ "$status" -eq 1 ] || complain "$file" "expected exit status 1, found $status"
  grep -q "^$verdict  *$(basename "$file" .json) " "$work/out" ||
    complain "$file" "expected the verdict $verdict of $(basename "$file" .json)"
  while IFS= read -r text; do
    grep -qF -- "$text" "$work/out" || complain "$file" "expected the text \"$text\""
  done <"$work/texts"
done

[ "$count" -ge 30 ] || { echo "FAIL: expected 30 scenarios or more in tests/must_fail, found $count"; exit 1; }
[ "$failures" -eq 0 ]
