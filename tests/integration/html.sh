#!/bin/sh
# html.sh - makes HTML reports and opens them in a headless Chromium (tests/web/report.mjs).
#
# What it needs beside the build is what tests/run.sh installs: chromium, node, and in build/web the
# npm packages of reports/web/package.json ($POOLPROOF_WEB_MODULES says where else they are).
set -eu

modules=${POOLPROOF_WEB_MODULES:-build/web/node_modules}
work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-html.XXXXXX")
trap 'rm -rf "$work"' EXIT

fail() {
  echo "FAIL: $1"
  exit 1
}

command -v node >/dev/null 2>&1 || fail "expected node, found none: 'sh tests/run.sh' installs it"
[ -d "$modules/playwright-core" ] || fail "expected playwright-core in $modules, found none: 'sh tests/run.sh' gets it"

cat >"$work/first.json" <<'END'
{ "name": "second-caller-waits", "config": { "max_conns_per_account": 1 },
  "upstreams": { "default": { "dial": { "latency": "5ms" } } },
  "steps": [ { "acquire": { "as": "a", "hold": "60ms" } },
             { "at": "10ms", "acquire": { "as": "b", "hold": "30ms" } } ],
  "expect": [ { "op": "b", "result": "ok", "queue_wait": "50ms" } ] }
END
cat >"$work/passes.json" <<'END'
{ "name": "passes", "steps": [ { "acquire": { "as": "</script><b>&" } } ] }
END
cat >"$work/matrix.json" <<'END'
{ "name": "how-many-conns", "matrix": { "config.max_conns_per_account": [1, 2], "seed": [1, 2] },
  "upstreams": { "default": { "dial": { "latency": "2ms" } } },
  "steps": [ { "acquire": { "as": "a", "hold": "6ms" } }, { "at": "4ms", "acquire": { "as": "b" } } ],
  "run_for": "20ms" }
END
cat >"$work/million.json" <<'END'
{ "name": "a-million-events", "config": { "max_conns_per_account": 64, "min_idle_per_account": 4 },
  "upstreams": { "default": { "dial": { "latency": { "uniform": ["5ms", "40ms"] } } } },
  "load": [ { "arrivals": { "poisson": "400/s" }, "for": "10m", "as": "l",
              "hold": { "lognormal": ["80ms", "2.0"] }, "timeout": "5s" } ] }
END
make_page() { # NAME FILE...
  name=$1
  shift
  "$POOLPROOF" run --quiet --db "$work/$name.db" "$@" >"$work/out" 2>&1 || [ $? -eq 1 ] || fail "run: $(cat "$work/out")"
  "$POOLPROOF" report "$work/$name.db" --html "$work/$name.html" || fail "report --html: $name"
}
make_page failing "$work/first.json" "$work/passes.json"
make_page passing "$work/passes.json"
make_page matrix "$work/matrix.json"
make_page million "$work/million.json"
cat >"$work/races.json" <<'END'
{ "name": "races", "upstreams": { "default": { "dial": { "latency": "5ms" } } },
  "steps": [ { "acquire": { "as": "a", "account": 1 } }, { "acquire": { "as": "b", "account": 2 } } ],
  "run_for": "10ms", "expect": [ { "order": [ "a granted", "b granted" ] } ] }
END
"$POOLPROOF" explore --quiet --strategy exhaustive --db "$work/searches.db" "$work/races.json" "$work/passes.json" >"$work/out" ||
  [ $? -eq 1 ] || fail "explore: $(cat "$work/out")"
"$POOLPROOF" report "$work/searches.db" --html "$work/searches.html" || fail 'report --html: searches'
"$POOLPROOF" compare "$work/passing.db" "$work/failing.db" --html "$work/compare.html" >/dev/null || [ $? -eq 1 ]

size=$(wc -c <"$work/million.html")
[ "$size" -lt 12000000 ] || fail "expected under 12 MB for a million events, found $size bytes"
size=$(wc -c <"$work/failing.html")
[ "$size" -lt 200000 ] || fail "expected under 200 kB for a page without much in it, found $size bytes"
grep -q 'Copyright (c) [0-9]* Leon Sorokin' "$work/failing.html" || fail 'the licence of the chart library is not in the page'
if grep -qE '(src|href)="?https?:' "$work/failing.html"; then
  fail 'the page refers to something outside of it'
fi

node tests/web/report.mjs "$modules" "$work"
