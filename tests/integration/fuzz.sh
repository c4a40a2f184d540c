#!/bin/sh
# fuzz.sh - the fuzz targets over their corpora and a fixed number of mutations of them, in the debug
# build with its sanitizers: about ten seconds. What searches is tests/fuzz/run.sh.
set -eu

build=$(dirname "$POOLPROOF_DEBUG")
root=$(pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-fuzz.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

run() { # TARGET MUTATIONS FILE...
  target=$1
  mutations=$2
  shift 2
  status=0
  timeout 120 "$build/fuzz-$target" --mutations "$mutations" "$@" >out 2>&1 || status=$?
  if [ "$status" -ne 0 ]; then
    tail -n 40 out
    echo "FAIL: fuzz-$target: status $status; its input, as base64:"
    [ ! -f crash-input ] || base64 crash-input
    exit 1
  fi
  printf '%s: %s\n' "$target" "$(tail -n 1 out)"
}

run loader 20 "$root"/tests/valid/*.json "$root"/tests/broken/*.json "$root"/scenarios/bugs/*.json \
  "$root"/tests/fuzz/corpus/loader/*
run text 3000 "$root"/tests/fuzz/corpus/text/*
run pool 30 "$root"/tests/fuzz/corpus/pool/*
run wire 2000 "$root"/tests/fuzz/corpus/wire/*
