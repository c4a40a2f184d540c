#!/bin/sh
# Every mutant still applies to the sources as they are and names scenarios that exist; a sample of
# them, another one for each commit, is built and caught. `sh tests/mutants/run.sh` tries them all.
set -eu
cd "$(dirname "$0")/../.."
failures=0
for patch in tests/mutants/*.patch; do
  if ! patch --dry-run -s -F0 -p1 <"$patch" >/dev/null 2>&1; then
    echo "FAIL: $patch does not apply; expected that it fits pool/ as it is: make it anew"
    failures=$((failures + 1))
  fi
  named=$(sed -n 's/^Caught-by: *//p' "$patch" | tr ',' ' ')
  if [ -z "$named" ]; then
    echo "FAIL: $patch: expected a line \"Caught-by: SCENARIO...\", found none"
    failures=$((failures + 1))
  fi
  for scenario in $named; do
    if ! grep -rqs "\"name\": \"$scenario\"" scenarios/bugs scenarios/conformance scenarios/behaviour; then
      echo "FAIL: $patch: expected a scenario named $scenario, found none"
      failures=$((failures + 1))
    fi
  done
  row="| [$(basename "$patch" .patch)]($(basename "$patch")) | "
  if ! grep -qF "$row" tests/mutants/README.md; then
    echo "FAIL: tests/mutants/README.md: expected a row that begins with $row"
    failures=$((failures + 1))
  fi
done
rows=$(grep -c '^| \[' tests/mutants/README.md)
patches=$(find tests/mutants -name '*.patch' | wc -l)
if [ "$rows" -ne "$patches" ]; then
  echo "FAIL: tests/mutants/README.md: expected $patches rows, one for each patch, found $rows"
  failures=$((failures + 1))
fi
[ "$failures" -eq 0 ] || exit 1
sh tests/mutants/run.sh --sample 24
