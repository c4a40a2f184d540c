#!/bin/sh
# readme.sh - runs what README.md and scenarios/FORMAT.md show, so that they can not rot.
#
# What a code block is for stands behind its language:
#   ```json NAME.json     is written to that file. In FORMAT.md it must pass, too.
#   ```sh run             is run, in a folder with build/poolproof and scenarios/ as in a clone;
#   ```sh run status=1    its status must be this one (0 when it is left out).
#   ```text output        is what the block before it prints, but for the seconds it took.
# Others are only shown. A block that a reader would run (sh) without `run` is one that installs,
# builds, or runs all that there is; tests/run.sh and the other scripts do that.
set -eu

case $POOLPROOF in
  /*) ;;
  *) POOLPROOF=$(pwd)/$POOLPROOF ;;
esac
root=$(pwd -P)
work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-readme.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

fail() { # TEXT
  echo "FAIL: $1"
  failures=$((failures + 1))
}

# Numbered files of the page's blocks: N.block, and N.info with "LINE LANGUAGE WORDS...".
extract() { # PAGE FOLDER
  mkdir "$2"
  awk -v folder="$2" '
    /^```/ && !inside { inside = 1; number++
                        stem = sprintf("%s/%03d", folder, number)
                        print NR, substr($0, 4) >(stem ".info"); close(stem ".info")
                        printf "" >(stem ".block"); next }
    /^```$/ && inside { inside = 0; close(stem ".block"); next }
    inside            { print >(stem ".block") }
    END               { exit inside }' "$1"
}

# The time that a run took, and how long a hung one was waited for, differ.
without_seconds() {
  sed -e 's/; [0-9]*\.[0-9][0-9] s\(;\|$\)/; N s\1/' -e 's,\([0-9] events\)\, [0-9]*/s$,\1\, N/s,'
}

run_block() { # WHERE BLOCK EXPECTED-STATUS
  status=0
  (cd "$place" && NO_COLOR=1 sh -eu "$2") >"$work/output" 2>&1 </dev/null || status=$?
  if [ "$status" -ne "$3" ]; then
    fail "$1: expected exit status $3, found $status"
    sed 's/^/    /' "$2" "$work/output"
  fi
}

compare_output() { # WHERE BLOCK
  without_seconds <"$2" >"$work/expected"
  without_seconds <"$work/output" >"$work/found"
  if ! diff -u "$work/expected" "$work/found" >"$work/difference"; then
    fail "$1: the output that is shown (-) is not the real one (+)"
    sed '1,2d;s/^/    /' "$work/difference"
  fi
}

# Sets `place` to a folder that looks like a clone after the build.
make_place() { # FOLDER
  place=$1
  mkdir -p "$place/build"
  ln -s "$POOLPROOF" "$place/build/poolproof"
  ln -s "$root/scenarios" "$place/scenarios"
  ln -s "$(dirname "$POOLPROOF")/tests" "$place/build/tests"
}

check_page() { # PAGE MUST-PASS
  name=$(basename "$1")
  extract "$root/$1" "$work/$name" || fail "$1: expected a closing fence, found the end of the page"
  make_place "$work/place-$name"
  files=0
  runs=0
  outputs=0
  for info in "$work/$name"/*.info; do
    read -r line language words <"$info" || [ -n "$line" ]
    block=${info%.info}.block
    where=$1:$line
    case "$language $words" in
      json\ *.json)
        files=$((files + 1))
        cp "$block" "$place/$words"
        if [ "$2" = pass ]; then
          echo "build/poolproof run --no-db $words" >"$work/command"
          run_block "$where" "$work/command" 0
        fi
        ;;
      'sh run'*)
        runs=$((runs + 1))
        expected=${words#run}
        expected=${expected# status=}
        run_block "$where" "$block" "${expected:-0}"
        ;;
      'text output')
        outputs=$((outputs + 1))
        compare_output "$where" "$block"
        ;;
    esac
  done
  echo "$1: $files files, $runs runs, $outputs outputs"
}

# A mark that is mistyped would make its block one that is only shown.
expected_counts() { # WHERE FILES RUNS OUTPUTS
  [ "$files $runs $outputs" = "$2 $3 $4" ] ||
    fail "$1: expected $2 files, $3 runs and $4 outputs; are all blocks marked?"
}

check_page README.md as-said
expected_counts README.md 1 7 7
check_page scenarios/FORMAT.md pass
expected_counts scenarios/FORMAT.md 5 0 0
check_page scenarios/EXPLORING.md as-said
expected_counts scenarios/EXPLORING.md 2 5 5
check_page scenarios/OWN_POOL.md as-said
expected_counts scenarios/OWN_POOL.md 0 2 1
check_page scenarios/IN_CI.md as-said
expected_counts scenarios/IN_CI.md 0 5 0
check_page scenarios/FROM_PRODUCTION.md as-said
expected_counts scenarios/FROM_PRODUCTION.md 1 5 5

echo 'Links of the pages lead somewhere.'
for page in README.md scenarios/FORMAT.md scenarios/EXPLORING.md scenarios/OWN_POOL.md scenarios/INVARIANTS.md \
  scenarios/FROM_PRODUCTION.md scenarios/engine/CHANGING.md \
  scenarios/README.md scenarios/IN_CI.md; do
  folder=$(dirname "$page")
  grep -o '](\([^)#:]*\)[^):]*)' "$page" | sed 's/^](//;s/[#)].*//' | sort -u | while read -r link; do
    [ -z "$link" ] || [ -e "$folder/$link" ] || echo "$page: $link"
  done
done >"$work/broken"
[ ! -s "$work/broken" ] || fail "links that lead nowhere: $(tr '\n' ' ' <"$work/broken")"

echo 'The page about the invariants names each of them, and no other.'
"$POOLPROOF" list --invariants | grep -v '^ ' | sort >"$work/invariants"
sed -n 's/^| `\([a-z-]*\)`.*/\1/p' scenarios/INVARIANTS.md | sort | diff "$work/invariants" - >"$work/broken" ||
  fail "scenarios/INVARIANTS.md: expected the names with <, found those with >: $(tr '\n' ' ' <"$work/broken")"

[ "$failures" -eq 0 ]
