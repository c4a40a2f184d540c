#!/bin/sh
# run.sh - builds the release and measures it: a table on stdout; bench.json and a plot of growth
# for each kind of work (SVG) in build/bench, or in the folder that --output names.
#
# usage: sh tests/bench/run.sh [--output FOLDER] [--runs N] [--quick] [--only TEXT]
# A measurement is the median of --runs runs (5), each beside its baseline; --quick takes one run of
# little work, which shows that everything works and measures nothing; --only takes the rows with
# that in their name. Status 3: no build.
set -eu
export PYTHONDONTWRITEBYTECODE=1

cd -P "$(dirname "$0")/../.."
. scenarios/setup.sh
set_up "$requirements_build$requirements_bench"
build_preset release build
cmake --build --preset release --target poolproof-bench >build/bench.log 2>&1 || {
  cat build/bench.log >&2
  fail 'poolproof-bench did not build: see above.'
}
exec python3 tests/bench/bench.py --programs build "$@"
