#!/bin/sh
# package.sh - the packages for Debian that CPack makes of the release build: lintian has neither an
# error nor a warning to tell of them, they have the same bytes when they are made again, and what is
# in them runs and can be built against.
set -eu

cd -P "$(dirname "$0")/../.."
build=$(cd -P "$(dirname "$POOLPROOF")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-package.XXXXXX")
trap 'rm -rf "$work"' EXIT

stop() { # TEXT
  echo "FAIL: $1"
  [ ! -s "$work/out" ] || sed 's/^/    /' "$work/out"
  exit 1
}

if ! command -v dpkg-shlibdeps >/dev/null 2>&1; then
  echo 'Skipped: there is no dpkg-shlibdeps, so this is no system that packages for Debian are made on.'
  exit 0
fi

echo 'CPack makes the packages, and makes them again with the same bytes.'
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 1700000000)
export SOURCE_DATE_EPOCH
for folder in first second; do
  (cd "$build" && cpack -G DEB -B "$work/$folder") >"$work/out" 2>&1 ||
    stop "expected that $build can be packaged; was it built completely (cmake --build build)?"
done
for package in "$work"/first/*.deb; do
  cmp "$package" "$work/second/$(basename "$package")" >"$work/out" 2>&1 ||
    stop "$(basename "$package"): expected the same bytes again"
  dpkg-deb -x "$package" "$work/root"
done
ls "$work/first" >"$work/out"
for name in poolproof_ libwspool0_ libwspool-lws0_ libwspool-dev_; do
  grep -q "^$name" "$work/out" || stop "expected the package $name, found these"
done

echo 'What is in them runs, and a program is built against it.'
"$work/root/usr/bin/poolproof" run --no-db --quiet scenarios/conformance/close-is-idempotent.json \
  >"$work/out" 2>&1 || stop 'expected that the packaged program runs a scenario'
library=$(dirname "$(find "$work/root" -name libwspool.a)")
PKG_CONFIG_PATH=$library/pkgconfig
export PKG_CONFIG_PATH
# shellcheck disable=SC2046 # flags are words
"${CC:-cc}" -o "$work/dial" tests/consumer/dial.c $(pkg-config --cflags --libs wspool_lws) \
  >"$work/out" 2>&1 || stop 'dial.c: expected that it links against the packaged libraries'
LD_LIBRARY_PATH=$library timeout 60 "$work/dial" >"$work/out" 2>&1 || stop 'dial: expected status 0'

if ! command -v lintian >/dev/null 2>&1; then
  echo 'Left out: what lintian says, because there is none (apt-get install lintian).'
  exit 0
fi
echo 'lintian accepts them.'
# It warns of root as such, which is no matter of the packages.
lintian --allow-root --fail-on error,warning "$work"/first/*.deb >"$work/out" 2>&1 ||
  stop 'expected neither errors nor warnings of lintian'
