#!/bin/sh
# install.sh - the release build, installed into a folder of its own: programs outside the tree are
# built against it with pkg-config and with CMake, static and shared, and run; the shared libraries
# export what the headers declare; what is installed is hardened, and names no folder of the build.
set -eu

cd -P "$(dirname "$0")/../.."
root=$(pwd)
build=$(cd -P "$(dirname "$POOLPROOF")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-install.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

fail() { # TEXT
  echo "FAIL: $1"
  failures=$((failures + 1))
}

stop() { # TEXT
  echo "FAIL: $1"
  [ ! -s "$work/out" ] || sed 's/^/    /' "$work/out"
  exit 1
}

cmake --install "$build" --prefix "$work/first" >"$work/out" 2>&1 ||
  stop "expected that $build can be installed; was it built completely (cmake --build build)?"
# What is installed may be moved.
prefix=$work/moved
mv "$work/first" "$prefix"
version=$("$prefix/bin/poolproof" --version | sed 's/^poolproof //')
library=$(dirname "$(find "$prefix" -name libwspool.a)")
PKG_CONFIG_PATH=$library/pkgconfig
export PKG_CONFIG_PATH

echo 'What is to be there is there.'
for file in bin/poolproof include/wspool/pool/wspool.h include/wspool/pool/wspool_trace.h \
  include/wspool/pool/wspool_transport.h include/wspool/pool/lws/wspool_lws.h \
  include/wspool/sim/pool_interface.h share/poolproof/schema.json share/poolproof/report.schema.json; do
  [ -f "$prefix/$file" ] || fail "expected $file below the prefix, found nothing"
done
for name in wspool wspool_lws; do
  found=$(pkg-config --modversion "$name")
  [ "$found" = "$version" ] || fail "expected version $version of pkg-config's $name, found $found"
  found=$(readelf -d "$library/lib$name.so" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
  [ "$found" = "lib$name.so.${version%%.*}" ] ||
    fail "expected the soname lib$name.so.${version%%.*}, found $found"
done

echo 'The libraries export what the headers declare.'
declared() { # PREFIX HEADER...
  pattern="\\b$1_[a-z0-9_]* *("
  shift
  for header in "$@"; do
    echo "#include <$header>" | "${CC:-cc}" -E -P -I "$prefix/include/wspool" -
  done | grep -v '^ *typedef' | sed 's/(\*[a-z_]*)(/ /g' | grep -o "$pattern" | tr -d '( ' | sort -u
}
exported() { # LIBRARY
  nm -D --defined-only "$library/$1" | sed -n 's/.* T \([^@]*\).*/\1/p' | sort -u
}
same() { # LIBRARY
  diff "$work/declared" "$work/exported" >"$work/out" ||
    stop "$1: expected the functions with <, found those with >; see its .map in pool/"
  [ -s "$work/exported" ] || stop "$1: expected functions, found none"
}
declared wsp pool/wspool.h pool/wspool_transport.h pool/wspool_trace.h >"$work/declared"
exported libwspool.so >"$work/exported"
same libwspool.so
declared wsp_lws pool/lws/wspool_lws.h >"$work/declared"
exported libwspool_lws.so >"$work/exported"
same libwspool_lws.so

echo 'Each header can be compiled by itself, in C and C++.'
for header in pool/wspool.h pool/wspool_transport.h pool/wspool_trace.h pool/lws/wspool_lws.h; do
  echo "#include <$header>" >"$work/header.c"
  # shellcheck disable=SC2046 # flags are words
  "${CC:-cc}" -std=c17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only \
    $(pkg-config --cflags wspool) "$work/header.c" >"$work/out" 2>&1 || stop "$header: expected valid C17"
  if command -v "${CXX:-c++}" >/dev/null 2>&1; then
    # shellcheck disable=SC2046
    "${CXX:-c++}" -std=c++17 -Wall -Wextra -Werror -fsyntax-only -x c++ \
      $(pkg-config --cflags wspool) "$work/header.c" >"$work/out" 2>&1 ||
      stop "$header: expected valid C++17"
  fi
done

echo 'Programs outside the tree are built and run.'
cp -R tests/consumer "$work/consumer"
cd "$work/consumer"
runs() { # PROGRAM TEXT
  found=$(LD_LIBRARY_PATH=$library timeout 60 "$1" 2>&1) ||
    fail "$1: expected that it ends with status 0; it says: $found"
  [ "$found" = "$2" ] || fail "$1: expected \"$2\", found \"$found\""
}
runs_all() { # FOLDER
  for kind in '' _shared; do
    runs "$1/borrow$kind" 'acquire: granted, conn oa_ws_1_1'
    runs "$1/dial$kind" "acquire: $refused"
    for name in borrow dial; do
      uses=$(readelf -d "$1/$name$kind" | grep -c 'NEEDED.*libwspool\.so' || true)
      [ "$uses" -eq "$([ -z "$kind" ] && echo 0 || echo 1)" ] ||
        fail "$1/$name$kind: expected that it needs libwspool.so only when it is linked shared"
    done
  done
}
refused='dial failed'
mkdir "$work/by-pkg-config"
for name in borrow:wspool dial:wspool_lws; do
  module=${name#*:}
  name=${name%:*}
  # shellcheck disable=SC2046
  "${CC:-cc}" -std=c17 -Wall -Wextra -Werror -o "$work/by-pkg-config/${name}_shared" "$name.c" \
    $(pkg-config --cflags --libs "$module") >"$work/out" 2>&1 ||
    stop "$name.c: expected that it links with pkg-config"
  # Static as far as the pool goes; what the transport stands on stays shared.
  # shellcheck disable=SC2046
  "${CC:-cc}" -std=c17 -Wall -Wextra -Werror -o "$work/by-pkg-config/$name" "$name.c" \
    $(pkg-config --cflags --libs --static "$module" |
      sed 's/-lwspool[_a-z]*/-Wl,-Bstatic & -Wl,-Bdynamic/g') >"$work/out" 2>&1 ||
    stop "$name.c: expected that it links statically with pkg-config --static"
done
runs_all "$work/by-pkg-config"
cmake -S . -B "$work/by-cmake" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >"$work/out" 2>&1 &&
  cmake --build "$work/by-cmake" >"$work/out" 2>&1 || stop 'expected that CMake builds against the package'
runs_all "$work/by-cmake"
# A later version that may differ is not taken for this one.
sed 's/wspool 0.1 /wspool 0.99 /' CMakeLists.txt >"$work/CMakeLists.txt"
mv "$work/CMakeLists.txt" CMakeLists.txt
if cmake -S . -B "$work/by-cmake-99" -DCMAKE_PREFIX_PATH="$prefix" >"$work/out" 2>&1; then
  fail 'expected that find_package(wspool 0.99) is refused, found that it is not'
fi
cd "$root"

echo 'A pool of somebody else is built against the installed headers, and runs.'
mkdir -p "$work/own/tests"
cp -R tests/naive "$work/own/tests/naive"
# shellcheck disable=SC2046
"${CC:-cc}" -std=c17 -shared -fPIC -I "$work/own" $(pkg-config --cflags wspool) -o "$work/own/naive.so" \
  "$work/own/tests/naive/naive_pool.c" "$work/own/tests/naive/naive_state.c" \
  -L "$library" -Wl,-Bstatic -lwspool -Wl,-Bdynamic -Wl,--exclude-libs,ALL >"$work/out" 2>&1 ||
  stop 'tests/naive: expected that it is built'
"$prefix/bin/poolproof" run --no-db --pool "$work/own/naive.so" \
  scenarios/conformance/close-is-idempotent.json >"$work/out" 2>&1 ||
  stop 'expected that the naive pool holds close-is-idempotent'

echo 'What is installed is hardened.'
grep -q '^POOLPROOF_HARDENING:BOOL=ON$' "$build/CMakeCache.txt" ||
  stop "expected $build to be of the preset release; found a build without POOLPROOF_HARDENING"
for file in "$prefix/bin/poolproof" "$library/libwspool.so" "$library/libwspool_lws.so"; do
  readelf -W -h -l -d "$file" >"$work/elf"
  has() { # PATTERN WHAT
    grep -qE "$1" "$work/elf" || fail "$file: expected $2"
  }
  has 'Type: +DYN' 'code that can lie anywhere (PIE)'
  has 'GNU_RELRO' 'relocations that are read-only (relro)'
  has 'BIND_NOW|FLAGS_1.*NOW' 'all symbols bound at the start (now)'
  has 'GNU_STACK .* RW +0x' 'a stack that cannot be executed'
  ! grep -qE 'RPATH|RUNPATH|TEXTREL' "$work/elf" || fail "$file: expected no RPATH, RUNPATH or TEXTREL"
done
nm -D "$prefix/bin/poolproof" >"$work/symbols"
grep -q '__stack_chk_fail' "$work/symbols" || fail 'expected stack protectors in poolproof'
grep -q '_chk@\|_chk$' "$work/symbols" || fail 'expected functions of _FORTIFY_SOURCE in poolproof'

echo 'Nothing that is installed names a folder of the build.'
for folder in "$root" "$build"; do
  grep -rlF "$folder" "$prefix" >"$work/out" || true
  [ ! -s "$work/out" ] || fail "expected no $folder in: $(tr '\n' ' ' <"$work/out")"
done

echo 'Built in another folder, the library has the same bytes.'
# Both are built here: a compiler's cache may have written other paths into $build.
CCACHE_DISABLE=1
export CCACHE_DISABLE
compiler=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
for folder in one another/folder; do
  cmake --preset release -B "$work/$folder" -DCMAKE_C_COMPILER="$compiler" >"$work/out" 2>&1 &&
    cmake --build "$work/$folder" --target wspool_shared >"$work/out" 2>&1 ||
    stop 'expected that the library is built again'
done
cmp "$work/one/pool/shared/libwspool.so" "$work/another/folder/pool/shared/libwspool.so" ||
  fail 'libwspool.so: expected the same bytes from another folder; compare them with diffoscope'

[ "$failures" -eq 0 ]
