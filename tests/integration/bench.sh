#!/bin/sh
# bench.sh - the benchmark works: every row has a figure, its plots are well-formed, and lending an
# idle conn allocates nothing. Little work: no time is judged here.
set -eu
export PYTHONDONTWRITEBYTECODE=1

work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

programs=$(dirname "$POOLPROOF")
cmake --build "$programs" --target poolproof-bench >"$work/build" 2>&1 || {
  cat "$work/build"
  exit 1
}
python3 tests/bench/bench.py --quick --programs "$programs" --output "$work/out" \
  >"$work/table" 2>"$work/errors" || {
  cat "$work/errors"
  exit 1
}
xmllint --noout "$work"/out/*.svg

python3 - "$work/out" <<'END'
import json
import pathlib
import sys

sys.path.insert(0, "tests/bench")
import measurements

folder = pathlib.Path(sys.argv[1])
report = json.loads((folder / "bench.json").read_text())
problems = []
names = [result["name"] for result in report["results"]]
for row in measurements.ROWS:
    if row.name not in names and not row.name.startswith("report --html"):
        problems.append(f"expected a figure of: {row.name}; found none")
for result in report["results"]:
    if not result["figure"] > 0:
        problems.append(f"{result['name']}: expected a figure over 0; found {result['figure']}")
    if result.get("allocations", 0) != 0:
        problems.append(f"{result['name']}: expected no allocation; found {result['allocations']}")
for growth in measurements.GROWTHS:
    if not (folder / f"{growth.file}.svg").is_file():
        problems.append(f"expected the plot {growth.file}.svg; found none")
print("\n".join(problems) or f"{len(names)} rows, {len(report['growth'])} plots")
sys.exit(1 if problems else 0)
END
