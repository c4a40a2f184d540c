#!/bin/sh
# checks.sh - what other tools than the compiler find: cppcheck in all that is installed, GCC's
# analyzer and clang-tidy in the pool, which others embed (GCC's in sim, fakes and the transport too),
# and valgrind in a sample of scenarios in the release build.
#
# Samples, so that all tests stay below a quarter of an hour on two cores. For the rest by hand:
# clang-tidy as .clang-tidy says, valgrind with other scenarios. The unit tests do not run under
# valgrind: their build has AddressSanitizer, which sees the same and does not go with it.
set -eu

cd -P "$(dirname "$0")/../.."
work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-checks.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

# Runs a command that must end with status 0.
clean() { # WHAT COMMAND...
  what=$1
  shift
  echo "$what"
  if ! "$@" >"$work/out" 2>&1; then
    echo "FAIL: $what: expected nothing to be found; found:"
    sed 's/^/    /' "$work/out"
    failures=$((failures + 1))
  fi
}

# It does not parse compound literals in conditional expressions, and takes a member's name for the
# variable of that name.
clean cppcheck cppcheck -q --std=c11 --enable=warning,performance,portability --error-exitcode=1 \
  --suppress=internalAstError:scenarios/engine/expect_order.c \
  --suppress=unknownEvaluationOrder:scenarios/engine/load_labels.c \
  -j 2 -I . pool sim fakes reports scenarios/engine

if "${CC:-cc}" --version | head -n 1 | grep -qi clang; then
  echo "Left out: GCC's analyzer, because ${CC:-cc} is clang."
else
  printf '%s\n' pool/*.c sim/*.c fakes/*.c pool/lws/*.c >"$work/files"
  clean "GCC's analyzer" xargs -a "$work/files" -n 1 -P 2 "${CC:-cc}" -std=c17 -I . -O2 -fanalyzer \
    -Werror -c -o /dev/null
fi

printf '%s\n' pool/*.c >"$work/files"
# shellcheck disable=SC2016 # that shell expands it
clean clang-tidy xargs -a "$work/files" -n 6 -P 2 \
  sh -c 'clang-tidy --quiet --warnings-as-errors="*" "$@" -- -std=c17 -I .' sh

# Workers send their results as the structs that they are, the gaps between the members with them.
cat >"$work/suppressions" <<'END'
{
  gaps-between-members
  Memcheck:Param
  socketcall.sendto(msg)
  fun:send
  fun:send_all
}
END
clean valgrind valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite \
  --errors-for-leak-kinds=definite --trace-children=yes --suppressions="$work/suppressions" \
  "$POOLPROOF" run --db "$work/sample.db" --jobs 1 \
  scenarios/conformance/close-is-idempotent.json scenarios/conformance/pins-are-counted.json \
  scenarios/conformance/a-newcomer-never-passes-a-waiter.json
clean 'valgrind of a report' valgrind -q --error-exitcode=9 --leak-check=full \
  --show-leak-kinds=definite --errors-for-leak-kinds=definite \
  "$POOLPROOF" report "$work/sample.db" --json "$work/report.json"

[ "$failures" -eq 0 ]
