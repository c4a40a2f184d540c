#!/bin/sh
# symbols.sh - what the archives of pool/, sim/ and fakes/ call of the world outside: nothing that
# knows a clock, a sleep, a random source, the environment or a stream. The list says what is
# allowed, so that whatever is new has to be looked at first. It does not see what a macro or an
# inline function of a system header does without a call.
set -eu

cd -P "$(dirname "$0")/../.."
build=$(dirname "${POOLPROOF:-$(pwd)/build/poolproof}")
work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-symbols.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

command -v nm >/dev/null 2>&1 || {
  echo 'FAIL: expected nm on the path, found none. On Debian: apt-get install binutils'
  exit 1
}
for archive in pool/libwspool.a sim/libsim.a fakes/libfakes.a; do
  [ -f "$build/$archive" ] || {
    echo "FAIL: expected $build/$archive, found nothing. Build first: cmake --preset release &&" \
      'cmake --build build, or run tests/run.sh; POOLPROOF names the program in another folder.'
    exit 1
  }
done

# What compilers and their run-time protections put in by themselves.
compiler='__stack_chk_fail _GLOBAL_OFFSET_TABLE_ __assert_fail'
pool='memcmp memcpy memmove memset strlen malloc free'
# The arena lies in memory of the kernel's own, at a fixed place.
sim="$pool strchr strcmp strncmp strrchr mmap munmap madvise mprotect"
fakes="$pool strchr strcmp strncmp strrchr"
# Numbers are written with snprintf() there and nowhere else (its output knows no locale for them).
sim_writers='duration.c.o trace_detail.c.o'

nm --defined-only -g "$build/pool/libwspool.a" "$build/sim/libsim.a" "$build/fakes/libfakes.a" |
  awk 'NF == 3 { print $3 }' | sort -u >"$work/own"

# "OBJECT SYMBOL" for each call of an archive that leaves the project's own archives. With
# _FORTIFY_SOURCE memcpy() is __memcpy_chk(): the name between counts.
calls_of() { # ARCHIVE
  nm -A -u "$build/$1" | sed -n 's/^[^:]*:\([^:]*\): *U \([^@]*\).*/\1 \2/p' |
    sed 's/ __\(.*\)_chk$/ \1/' |
    awk -v own="$work/own" '
      BEGIN { while ((getline name < own) > 0) is_own[name] = 1 }
      !($2 in is_own)' | sort -u
}

is_among() { # WORD WORDS
  case " $2 " in
    *" $1 "*) return 0 ;;
  esac
  return 1
}

check() { # ARCHIVE ALLOWED WRITERS
  calls_of "$1" >"$work/calls"
  [ -s "$work/calls" ] || {
    echo "FAIL: $1: expected calls of the C library, found none; does nm read it?"
    failures=$((failures + 1))
  }
  while read -r object symbol; do
    if is_among "$symbol" "$2 $compiler"; then
      continue
    fi
    if [ "$symbol" = snprintf ] && is_among "$object" "$3"; then
      continue
    fi
    echo "FAIL: $1($object) calls $symbol: expected only $2. Time, chance, environment and streams" \
      'come in as arguments; if this call knows none of them, add it to tests/integration/symbols.sh.'
    failures=$((failures + 1))
  done <"$work/calls"
}

check pool/libwspool.a "$pool" ''
check sim/libsim.a "$sim" "$sim_writers"
check fakes/libfakes.a "$fakes" ''

[ "$failures" -eq 0 ] || exit 1
echo 'pool, sim and fakes call no clock, sleep, random source, environment or stream'
