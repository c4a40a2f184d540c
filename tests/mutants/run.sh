#!/bin/sh
# run.sh - proves that the scenarios catch bugs: builds the pool with one bug at a time, runs
# scenarios/conformance and scenarios/bugs against it, and explores other orders of scenarios/bugs.
#
# usage: sh tests/mutants/run.sh [NAME...]     (names of patches here, with or without .patch)
#        sh tests/mutants/run.sh --sample N    N of them, others for each commit
#        sh tests/mutants/run.sh --bare [NAME...]   what is caught without expectations: prints the
#                                              invariants that are violated, by how many scenarios
#
# Each patch puts one bug into pool/. Its header says which, and in the line "Caught-by:" which
# scenarios must fail on it. The digests of states must be right for a broken pool too. The tree is copied once to a temporary folder and built there, so that
# a mutant costs one file and a link; the checkout is not touched. Status: 0 all caught as their
# headers say; 1 one survived, was not caught by a scenario of its header, or no longer applies or
# compiles; 2 no such patch; 3 the tree itself does not build or its own scenarios fail.
set -eu

cd -P "$(dirname "$0")/../.."
root=$(pwd)

# Which ones a sample has follows from the commit alone, so that what fails in it can be repeated;
# where there is no history, from the sources.
sample() { # N
  commit=$(git rev-parse HEAD 2>/dev/null) || commit=$(cat pool/*.c | sha256sum)
  for patch in tests/mutants/*.patch; do
    printf '%s %s\n' "$(echo "$commit $patch" | sha256sum | cut -c1-16)" "$patch"
  done | sort | head -n "$1" | cut -d' ' -f2
}

bare=
if [ "${1:-}" = --bare ]; then
  bare=yes
  shift
fi
if [ "${1:-}" = --sample ]; then
  case ${2:-} in
    '' | *[!0-9]* | 0)
      echo "expected a number of mutants after --sample, found '${2:-}'" >&2
      exit 2
      ;;
  esac
  # shellcheck disable=SC2046 # names have no blanks
  set -- $(sample "$2")
fi
[ $# -gt 0 ] || set -- tests/mutants/*.patch
for name; do
  name=${name##*/}
  if [ ! -f "tests/mutants/${name%.patch}.patch" ]; then
    echo "expected the name of a patch in tests/mutants, found '$name'" >&2
    exit 2
  fi
done

temporary=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-mutants.XXXXXX")
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
tree=$temporary/tree
build=$temporary/build
output=$temporary/output

# A mutant may loop for ever; the whole run of the scenarios takes less than a second.
limit_seconds=60

mkdir -p "$tree/tests"
cp -R CMakeLists.txt pool sim fakes reports scenarios "$tree"
cp -R tests/bench tests/isolation tests/naive "$tree/tests"
[ -z "$bare" ] || python3 tests/mutants/bare.py "$tree/scenarios"

build_tree() {
  timeout 300 ninja -j 2 -C "$build" poolproof >"$output" 2>&1
}

# Writes the names of the scenarios that do not pass to $temporary/failed. They run in the copy, so
# that what is saved meanwhile in the checkout does not count.
run_scenarios() {
  status=0
  (cd "$tree" && timeout "$limit_seconds" "$build/poolproof" run --no-db --quiet --jobs 2 \
    scenarios/conformance scenarios/bugs) >"$output" 2>&1 || status=$?
  sed -n 's/^\(FAIL\|CRASH\|HANG\|ERROR\)  *\([a-z0-9-]*\).*/\2/p' "$output" |
    sort -u >"$temporary/failed"
}

# What says without expectations that something is wrong, and in how many scenarios.
judge_bare() { # NAME
  found=$(sed -n 's/.*: invariant \([a-z-]*\) violated .*/\1/p; s/^\(HANG\|CRASH\) .*/\1/p' "$output" |
    sort | uniq -c | sort -rn | awk '{ printf "%s%s (%s)", (NR > 1 ? ", " : ""), $2, $1 }')
  report "$1" "${found:-by no invariant}"
  [ -n "$found" ]
}

# Adds to $temporary/explored the bug scenarios that do not hold in another order on this mutant.
explore_scenarios() {
  (cd "$tree" && timeout "$limit_seconds" "$build/poolproof" explore --no-db --quiet --jobs 2 \
    --runs 20 scenarios/bugs) >"$output" 2>&1 || true
  sed -n 's/^\(FAIL\|CRASH\|HANG\|ERROR\)  *\([a-z0-9-]*\).*/\2/p' "$output" |
    sort -u >"$temporary/explored"
}

# Not as a release, which compiles the pool as one unit.
# Whether the exhaustive search knows equal states of this mutant by their digests.
check_pruning() {
  (cd "$tree" && timeout "$limit_seconds" "$build/poolproof" explore --no-db --quiet --jobs 2 \
    --strategy exhaustive --check-pruning --runs 200 scenarios/bugs) >"$output" 2>&1 || true
  ! grep -q 'equal by their digests' "$output"
}

if ! timeout 120 cmake -S "$tree" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo >"$output" 2>&1 || ! build_tree; then
  cat "$output"
  exit 3
fi
run_scenarios
if [ "$status" -ne 0 ]; then
  cat "$output"
  echo 'expected that all scenarios hold without a mutant; put that right first'
  exit 3
fi
explore_scenarios
if [ -s "$temporary/explored" ]; then
  cat "$output"
  echo 'expected that all orders hold without a mutant; put that right first'
  exit 3
fi

caught=0
missed=0
report() { # NAME TEXT
  printf '%-42s %s\n' "$1" "$2"
}

try() { # NAME
  patch=$root/tests/mutants/$1.patch
  if ! (cd "$tree" && patch -p1 -F0 -N -s --dry-run <"$patch" >/dev/null 2>&1); then
    report "$1" 'DOES NOT APPLY: pool/ has changed, write the patch anew'
    return 1
  fi
  (cd "$tree" && patch -p1 -F0 -N -s <"$patch")
  verdict=0
  if ! build_tree; then
    report "$1" 'DOES NOT COMPILE:'
    grep -m 3 'error:' "$output" || tail -n 3 "$output"
    verdict=1
  elif [ -n "$bare" ]; then
    run_scenarios
    judge_bare "$1" || verdict=1
  else
    run_scenarios
    judge "$1" || verdict=1
    explore_scenarios
    report '' "exploring: $(wc -l <"$temporary/explored") of the bug scenarios do not hold"
    if ! check_pruning; then
      grep -B 1 'equal by their digests' "$output"
      report '' 'exploring all orders: STATES THAT LOOK EQUAL GO ON DIFFERENTLY'
      verdict=1
    fi
  fi
  (cd "$tree" && patch -p1 -F0 -R -s <"$patch")
  return "$verdict"
}

judge() { # NAME
  if [ "$status" -eq 0 ]; then
    report "$1" 'SURVIVED: no scenario fails'
    return 1
  fi
  if [ "$status" -eq 124 ]; then
    report "$1" "TOO SLOW: the scenarios were not through after $limit_seconds s"
    return 1
  fi
  # shellcheck disable=SC2013 # names have no blanks
  for wanted in $(sed -n 's/^Caught-by: //p' "$root/tests/mutants/$1.patch"); do
    if ! grep -qx "$wanted" "$temporary/failed"; then
      report "$1" "NOT CAUGHT BY $wanted, but by: $(tr '\n' ' ' <"$temporary/failed")"
      return 1
    fi
  done
  report "$1" "caught by: $(tr '\n' ' ' <"$temporary/failed")"
}

for name; do
  name=${name##*/}
  if try "${name%.patch}"; then
    caught=$((caught + 1))
  else
    missed=$((missed + 1))
  fi
done
printf '\n%s caught, %s not\n' "$caught" "$missed"
[ -n "$bare" ] || [ "$missed" -eq 0 ]
