#!/bin/sh
# node.sh - the pool's transport against the npm package ws, over TLS: handshakes, refusals, messages,
# pings, closes, and a soak of SOAK_SECONDS (10 unless set) with conns killed at random.
set -eu

cd -P "$(dirname "$0")/../.."
. scenarios/setup.sh
build=$(dirname "${POOLPROOF_DEBUG:-$(pwd)/build-debug/poolproof}")
program=$build/poolproof-node-tests
[ -x "$program" ] || {
  echo "FAIL: expected $program, found nothing. Build first: cmake --preset debug &&" \
    'cmake --build --preset debug, or run tests/run.sh; POOLPROOF_DEBUG names the program in another folder.'
  exit 1
}
install_node_modules tests/node build/node
NODE_PATH=$(pwd)/build/node/node_modules
export NODE_PATH
exec timeout $((400 + ${SOAK_SECONDS:-10})) "$program" "$build/wspool-example" tests/node/server.js "${SOAK_SECONDS:-10}"
