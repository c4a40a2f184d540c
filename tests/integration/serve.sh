#!/bin/sh
# serve.sh - poolproof serve: the fakes as servers, dialled by a client that nobody here wrote, the npm
# package ws, over TLS; and what can be wrong.
set -eu

cd -P "$(dirname "$0")/../.."
. scenarios/setup.sh
install_node_modules tests/node build/node
NODE_PATH=$(pwd)/build/node/node_modules
export NODE_PATH
work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-serve.XXXXXX")
server=
end() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap end EXIT
failures=0

fail() { # TEXT
  echo "FAIL: $1"
  failures=$((failures + 1))
}

# It says where it is when it listens; a pipe makes us wait for that.
start() { # ARGUMENT...
  mkfifo "$work/pipe"
  timeout 120 "$POOLPROOF_DEBUG" serve --ca "$work/ca.pem" "$@" >"$work/pipe" 2>"$work/err" &
  server=$!
  exec 3<"$work/pipe"
  : >"$work/where"
  while read -r line <&3; do
    echo "$line" >>"$work/where"
    case $line in 'their authority is in '*) break ;; esac
  done
  cat <&3 >"$work/log" &
  reader=$!
}

finish() { # SIGNAL
  kill -"$1" "$server"
  status=0
  wait "$server" || status=$?
  server=
  wait "$reader"
  exec 3<&-
  rm "$work/pipe"
}

url_of() { # UPSTREAM
  sed -n "s|^\(.*\)  serves $1.*|\1|p" "$work/where"
}

start tests/node/fakes.json
NODE_EXTRA_CA_CERTS=$work/ca.pem timeout 100 node tests/node/fakes.js "$(url_of default)" \
  "$(url_of wss://silent.example/v1)" "$(url_of ws://plain.example/v1)" \
  "$(url_of wss://short.example/v1)" >"$work/seen" 2>&1 || fail 'expected that the client ends'
finish INT
cat >"$work/expected" <<'END'
refused 503 7 come back later
open v1
answer {"answer":1}
answer {"answer":2}
answer {"answer":2}
pong are you there
closed 4000
answer {"type":"response.completed"} without a pong: true
second 429
closed 1001 max age reached
END
diff "$work/expected" "$work/seen" || fail 'expected what the upstreams say, found the lines with >'
[ "$status" -eq 0 ] || { fail "expected status 0 after Ctrl-C, found $status"; cat "$work/err"; }
for line in 'client 1 is refused with status 503' 'client 2 dials wss://example.com/v1/responses' \
  'client 2 is accepted' 'client 2 sends 1048576 bytes' 'client 2 gets a pong' \
  'client 2 closes with code 4000: enough' 'client 5 is refused with status 429' \
  'client 6 is closed with code 1001: max age reached'; do
  grep -qF "$line" "$work/log" || fail "expected in the log: $line"
done
[ "$failures" -eq 0 ] || cat "$work/log"

echo 'The ports can be chosen; one that is taken is told.'
start --quiet tests/node/fakes.json
port=$(url_of default | sed 's|.*:\([0-9]*\)/.*|\1|')
status=0
timeout 60 "$POOLPROOF" serve --ca "$work/other.pem" --port "$port" tests/node/fakes.json \
  >"$work/out" 2>&1 || status=$?
[ "$status" -eq 3 ] || fail "expected status 3 for a port that is taken, found $status"
grep -qF "and port $port (--port)" "$work/out" || { fail 'expected the port that is taken'; cat "$work/out"; }
finish TERM
[ ! -s "$work/log" ] || fail 'expected that --quiet tells nothing'

echo 'It ends by itself, and refuses what it can not do.'
timeout 60 "$POOLPROOF" serve --ca "$work/ca.pem" --for 1ms tests/node/fakes.json >/dev/null ||
  fail 'expected status 0 when its time is over'
refuse() { # STATUS TEXT ARGUMENT...
  expected=$1
  text=$2
  shift 2
  status=0
  timeout 60 "$POOLPROOF" serve "$@" >"$work/out" 2>&1 || status=$?
  [ "$status" -eq "$expected" ] || fail "expected status $expected, found $status: serve $*"
  grep -qF -- "$text" "$work/out" || { fail "expected: $text"; cat "$work/out"; }
}
refuse 2 'expected one scenario file, whose upstreams to serve; found none'
refuse 2 'expected one scenario file, whose upstreams to serve; found 2' tests/live
refuse 2 '--port: expected a number from 1 to 65535; found "0"' --port 0 tests/node/fakes.json
refuse 2 '--for: expected a duration over 0, as in 30s; found "0s"' --for 0s tests/node/fakes.json
refuse 2 '--speed: expected a factor' --speed max tests/node/fakes.json
refuse 3 "expected to write the servers' authority to $work/no/ca.pem: No such file" \
  --ca "$work/no/ca.pem" tests/node/fakes.json
sed 's|wss://short.example/v1|https://short.example/v1|' tests/node/fakes.json >"$work/https.json"
refuse 3 'expected a url of ws:// or wss:// to serve; found https://short.example/v1' \
  --ca "$work/ca.pem" "$work/https.json"

[ "$failures" -eq 0 ] || { echo "$failures checks failed"; exit 1; }
