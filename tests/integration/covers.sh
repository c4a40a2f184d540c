#!/bin/sh
# covers.sh - each name of scenarios/seed_tests.txt is held by a scenario whose `covers` names it, or
# by a CUnit test whose title does, and the table in scenarios/README.md (section "Conformance") says
# exactly where. It does not judge whether what covers a name asserts enough.
set -eu

cd -P "$(dirname "$0")/../.."
: "${POOLPROOF:=$(pwd)/build/poolproof}"
names=scenarios/seed_tests.txt
page=scenarios/README.md
work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-covers.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

fail() { # TEXT
  echo "FAIL: $1"
  failures=$((failures + 1))
}

# "NAME FILE" for each scenario that covers a test; other things that it covers are left out.
covered_by_scenarios() {
  awk '
    /^  file /   { file = $2 }
    /^  covers / { $1 = ""
                   count = split($0, covered, ",")
                   for (i = 1; i <= count; i++) {
                     gsub(/ /, "", covered[i])
                     if (covered[i] ~ /^Test/) print covered[i], file
                   } }' "$work/list"
}

# The same for the titles of CUnit tests: the strings that begin an entry of a suite. A name counts
# only as a whole, since some names begin like others.
covered_by_tests() {
  awk '
    /^ *\{"/ { rest = $0
               while (match(rest, /TestOpenAI[A-Za-z0-9_]*/)) {
                 print substr(rest, RSTART, RLENGTH), FILENAME
                 rest = substr(rest, RSTART + RLENGTH)
               } }' tests/test_*.c
}

# The same as the table has it. A row: | `NAME` | [text](file), ... | what is stricter |
rows() {
  awk '
    /^## /                  { inside = $0 == "## Conformance" }
    inside && /^\| `Test/   { print }' "$page"
}

covered_by_table() {
  rows | awk -F'|' '
    { name = $2
      gsub(/[ `]/, "", name)
      rest = $3
      while (match(rest, /\]\([^)]*\)/)) {
        file = substr(rest, RSTART + 2, RLENGTH - 3)
        rest = substr(rest, RSTART + RLENGTH)
        if (!sub(/^\.\.\//, "", file)) file = "scenarios/" file
        print name, file
      } }'
}

if ! "$POOLPROOF" list scenarios >"$work/list"; then
  echo "expected \`$POOLPROOF list scenarios\` to list the scenarios, it failed: build it, put the files right"
  exit 1
fi
{
  covered_by_scenarios
  covered_by_tests
} | LC_ALL=C sort -u >"$work/files"
covered_by_table | LC_ALL=C sort -u >"$work/table"
rows | awk -F'|' '{ gsub(/[ `]/, "", $2); print $2 }' >"$work/rows"
LC_ALL=C sort "$names" >"$work/names"

[ -s "$names" ] || fail "expected the names of the tests in $names, one a line; found none"
LC_ALL=C uniq -d "$work/names" >"$work/twice"
while read -r name; do
  fail "$names: expected each name once, found $name twice"
done <"$work/twice"

cut -d' ' -f1 "$work/files" | LC_ALL=C sort -u >"$work/covered"
LC_ALL=C comm -23 "$work/names" "$work/covered" >"$work/uncovered"
while read -r name; do
  fail "$name: expected a scenario with it in \"covers\", or a CUnit test with it in its title; found neither"
done <"$work/uncovered"
LC_ALL=C comm -13 "$work/names" "$work/covered" >"$work/unknown"
while read -r name; do
  fail "$(sed -n "s/^$name //p" "$work/files" | head -n 1): expected a name of $names, found $name"
done <"$work/unknown"

if ! cmp -s "$names" "$work/rows"; then
  fail "$page: expected a row for each name of $names, in that order; the difference (- expected, + found):"
  diff -u "$names" "$work/rows" | sed -n '/^[-+][^-+]/p'
fi
rows | awk -F'|' '$4 ~ /^ *$/ || NF != 5 { print $2 }' >"$work/unsaid"
while read -r name; do
  fail "$page: expected three cells in the row of $name, with what is stricter in the last, found less or more"
done <"$work/unsaid"
LC_ALL=C comm -23 "$work/files" "$work/table" >"$work/missing"
while read -r name file; do
  fail "$page: expected a link to $file in the row of $name, which it covers, found none"
done <"$work/missing"
LC_ALL=C comm -13 "$work/files" "$work/table" >"$work/stale"
while read -r name file; do
  fail "$page: the row of $name links to $file: expected it to cover that name, found that it does not"
done <"$work/stale"

if [ "$failures" -ne 0 ]; then
  echo "$failures disagreements; put the file, the table or $names right"
  exit 1
fi
echo "$(wc -l <"$work/names" | tr -d ' ') tests are held, as the table says"
