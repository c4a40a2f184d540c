#!/bin/sh
# run.sh - all tests: installs what is missing, builds release and debug (AddressSanitizer and
# UndefinedBehaviorSanitizer), then runs
#   - each CUnit suite of tests/suites.h, in the debug build;
#   - every scenario below scenarios/, in both builds;
#   - every executable tests/integration/*.sh, which finds the programs in $POOLPROOF and
#     $POOLPROOF_DEBUG, runs in the root, and may write to $TMPDIR, which is removed afterwards.
# All are run whatever fails; the output of what failed is shown. The last line counts CUnit tests,
# the two scenario runs and the scripts: "N passed, M failed". Status 1 if M > 0, 3 without a build.
set -eu

cd -P "$(dirname "$0")/.."
. scenarios/setup.sh
set_up "$requirements_build$requirements_tests"
set_up_web "$requirements_web$requirements_web_tests"
build_preset release build
build_preset debug build-debug

temporary=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-tests.XXXXXX")
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# In a CI job of several parts, each part tests everything.
unset SLURM_ARRAY_TASK_ID JOB_COMPLETION_INDEX CI_NODE_INDEX

POOLPROOF=$(pwd)/build/poolproof
POOLPROOF_DEBUG=$(pwd)/build-debug/poolproof
UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
TMPDIR=$temporary/work
export POOLPROOF POOLPROOF_DEBUG UBSAN_OPTIONS TMPDIR

# One that hangs must not keep the others from being run.
limit_seconds=600
output=$temporary/output
passed=0
failed=0
failures=

# Runs a command; its output is in $output, its status in $status, its time in $milliseconds.
run() {
  rm -rf "$TMPDIR"
  mkdir "$TMPDIR"
  begin=$(date +%s%N)
  status=0
  timeout --foreground "$limit_seconds" "$@" >"$output" 2>&1 </dev/null || status=$?
  milliseconds=$((($(date +%s%N) - begin) / 1000000))
  [ "$status" -ne 124 ] || echo "stopped: it ran longer than $limit_seconds s" >>"$output"
}

# Counts and prints one result: as many tests as its output says, or itself as one.
report() { # NAME PASSED FAILED
  passed=$((passed + $2))
  failed=$((failed + $3))
  verdict=PASS
  [ "$3" -eq 0 ] || verdict=FAIL
  printf '%s  %s (%s ms)\n' "$verdict" "$1" "$milliseconds"
  if [ "$3" -ne 0 ]; then
    failures="$failures  $1
"
    sed 's/^/      /' "$output"
  fi
}

run_suite() { # NAME
  run build-debug/poolproof-tests "$1"
  suite_passed=$(sed -n 's/^tests: \([0-9]*\) passed, [0-9]* failed$/\1/p' "$output")
  suite_failed=$(sed -n 's/^tests: [0-9]* passed, \([0-9]*\) failed$/\1/p' "$output")
  # A crash leaves no count; a sanitizer may speak up after the count.
  if [ "$status" -ne 0 ] && [ "${suite_failed:-0}" -eq 0 ]; then
    suite_failed=1
  fi
  report "tests/test_$1.c" "${suite_passed:-0}" "${suite_failed:-0}"
}

run_one() { # NAME COMMAND...
  name=$1
  shift
  run "$@"
  if [ "$status" -eq 0 ]; then
    report "$name" 1 0
  else
    echo "status $status" >>"$output"
    report "$name" 0 1
  fi
}

suites=$(build-debug/poolproof-tests --list) || fail 'build-debug/poolproof-tests --list failed.'
for suite in $suites; do
  run_suite "$suite"
done

for file in tests/test_*.c; do
  suite=${file#tests/test_}
  if ! printf '%s\n' "$suites" | grep -qx "${suite%.c}"; then
    echo "expected X(${suite%.c}) in SUITE_LIST of tests/suites.h, found none: it is never run" >"$output"
    milliseconds=0
    report "$file" 0 1
  fi
done

run_one 'scenarios, release build' build/poolproof run --db "$TMPDIR/poolproof.db" scenarios
run_one 'scenarios, debug build' build-debug/poolproof run --no-db scenarios

for script in tests/integration/*.sh; do
  if [ -x "$script" ]; then
    run_one "$script" "$script"
  elif [ -f "$script" ] && head -n 1 "$script" | grep -q '^#!'; then
    # A file that is meant to be sourced has no #! line: this one would be passed over unseen.
    echo "expected an executable script, found one without permission: chmod +x $script" >"$output"
    milliseconds=0
    report "$script" 0 1
  fi
done

if [ "$failed" -ne 0 ]; then
  printf '\nFailed:\n%s' "$failures"
fi
printf '\n%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
