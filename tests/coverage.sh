#!/bin/sh
# coverage.sh - how much of the pool the tests and the scenarios reach; status 1 below 95 % of its lines
# or 90 % of its branches. By hand, since it takes a build of its own; needs gcovr.
#
# usage: sh tests/coverage.sh [GCOVR-OPTION...]     (--html-details FILE makes pages to look at)
#
# What is not reached, and why:
# - half of each assertion, and of each comparison with a NULL pool or a stale handle that a caller may
#   not hand over: the other half ends the process;
# - in digest.c, what only a search over broken pools meets, and its paths without memory;
# - in acquire.c, io.c, request.c and op.c, the paths on which memory is refused at the one moment at
#   which no test of tests/test_pool_memory.c refuses it, since an earlier refusal ends the call first.
set -eu

cd -P "$(dirname "$0")/.."
command -v gcovr >/dev/null 2>&1 || {
  echo 'expected gcovr on the path, found none. On Debian: apt-get install gcovr' >&2
  exit 3
}
cmake --preset coverage >/dev/null
cmake --build --preset coverage >/dev/null
find build-coverage -name '*.gcda' -delete # of an earlier run
build-coverage/poolproof-tests >build-coverage/tests.log 2>&1 || {
  tail -n 20 build-coverage/tests.log
  exit 1
}
build-coverage/poolproof run --no-db --quiet scenarios
gcovr -r . --object-directory build-coverage -f 'pool/[a-z]*\.c' --fail-under-line 95 \
  --fail-under-branch 90 "$@" build-coverage
