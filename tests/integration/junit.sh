#!/bin/sh
# junit.sh - run --junit writes well-formed XML with a case for each run, failures and all.
set -eu

work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-junit.XXXXXX")
trap 'rm -rf "$work"' EXIT

cat >"$work/passes.json" <<'END'
{ "name": "passes", "steps": [ { "acquire": { "as": "a" } } ], "matrix": { "seed": [1, 2] } }
END
cat >"$work/fails.json" <<'END'
{ "name": "fails", "steps": [ { "acquire": { "as": "<&\">" } } ],
  "expect": [ { "op": "<&\">", "result": "queue_full" } ] }
END
status=0
"$POOLPROOF" run --no-db --junit "$work/report.xml" "$work" >"$work/out" 2>&1 || status=$?
[ "$status" -eq 1 ] || { echo "FAIL: expected status 1, found $status"; cat "$work/out"; exit 1; }
cat "$work/report.xml"

failures=0
expect_count() { # PATTERN COUNT
  found=$(grep -o -- "$1" "$work/report.xml" | wc -l)
  if [ "$found" -ne "$2" ]; then
    echo "FAIL: expected $2 times $1, found $found"
    failures=$((failures + 1))
  fi
}
expect_count '<testcase ' 3
expect_count '<failure' 1
expect_count '</testsuites>' 1
if command -v xmllint >/dev/null 2>&1; then
  xmllint --noout --schema tests/integration/junit.xsd "$work/report.xml" || failures=$((failures + 1))
elif command -v python3 >/dev/null 2>&1; then
  python3 -c 'import sys, xml.dom.minidom as dom; dom.parse(sys.argv[1])' "$work/report.xml" ||
    failures=$((failures + 1))
else
  echo 'not checked by an XML parser: neither xmllint nor python3 is here'
fi

status=0
"$POOLPROOF" run --no-db --junit "$work/missing/report.xml" "$work" >"$work/out" 2>&1 || status=$?
if [ "$status" -ne 3 ]; then
  echo "FAIL: a report that cannot be written: expected status 3, found $status"
  cat "$work/out"
  failures=$((failures + 1))
fi

[ "$failures" -eq 0 ]
