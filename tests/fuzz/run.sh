#!/bin/sh
# run.sh - searches with libFuzzer for inputs that end the process; needs clang.
#
# usage: sh tests/fuzz/run.sh [SECONDS [TARGET...]]     (60 seconds each of loader, text, pool and wire)
#
# It builds in build-fuzz/ and keeps there, in corpus-TARGET/, what it has found so far, so that the
# next search goes on from it. An input that is a finding stays beside it as crash-*, leak-* or
# timeout-*; when that is put right, the smallest form of it belongs into tests/fuzz/corpus/TARGET/,
# which tests/integration/fuzz.sh repeats. Status: 0 nothing found; 1 a finding; 3 no build.
set -eu

cd -P "$(dirname "$0")/../.."
seconds=${1:-60}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- loader text pool wire
command -v clang >/dev/null 2>&1 || {
  echo 'expected clang on the path, found none. On Debian: apt-get install clang' >&2
  exit 3
}
flags='-fsanitize=fuzzer-no-link -Wno-overriding-t-option'
cmake -S . -B build-fuzz -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER=clang \
  -DCMAKE_C_FLAGS="$flags" -DCMAKE_C_FLAGS_DEBUG='-O1 -g' -DPOOLPROOF_SANITIZE=ON -DPOOLPROOF_TESTS=ON \
  -DPOOLPROOF_FUZZER=ON >build-fuzz.log 2>&1 &&
  cmake --build build-fuzz --target fuzz-loader fuzz-text fuzz-pool fuzz-wire >>build-fuzz.log 2>&1 || {
  cat build-fuzz.log >&2
  exit 3
}
mv build-fuzz.log build-fuzz/build.log
status=0
for target; do
  mkdir -p "build-fuzz/corpus-$target"
  case $target in
    loader) known='tests/valid tests/broken scenarios/bugs scenarios/behaviour tests/fuzz/corpus/loader' ;;
    *) known=tests/fuzz/corpus/$target ;;
  esac
  # shellcheck disable=SC2086 # folders without blanks
  (cd build-fuzz && ./fuzz-$target -max_total_time="$seconds" -timeout=20 -max_len=16384 -print_final_stats=1 \
    "corpus-$target" $(printf '../%s ' $known)) >"build-fuzz/$target.log" 2>&1 || status=1
  printf '%s: %s\n' "$target" "$(grep -E 'stat::number_of_executed_units|^SUMMARY|ERROR' "build-fuzz/$target.log" | tr '\n' ' ')"
done
exit $status
