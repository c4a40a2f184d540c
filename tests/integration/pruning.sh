#!/bin/sh
# pruning.sh - the exhaustive search that leaves out the states that it has met finds what the one
# finds that goes into all of them: the same verdicts, the same numbers of orders; and what follows
# a state that is met again is what followed it the first time. With scenarios that hold, and with
# one that does not.
set -eu
: "${POOLPROOF:?names the program under test}"
cd -P "$(dirname "$0")/../.."

temporary=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-pruning.XXXXXX")
trap 'rm -rf "$temporary"' EXIT

# Few enough orders to go through all of them, in some seconds.
for name in a-dial-that-lands-too-late-is-kept a-health-ping-outlasts-the-caller a-metric-drifts \
  a-served-waiter-still-counts a-sweep-ping-comes-when-the-conn-is-lent \
  prewarm-hammers-a-failing-upstream; do
  cp "scenarios/bugs/$name.json" "$temporary/"
done
# Who comes first has the only conn: b does not come away empty-handed in half of the orders.
cat >"$temporary/fails.json" <<'END'
{ "name": "fails", "config": { "max_conns_per_account": 1 },
  "upstreams": { "default": { "dial": { "latency": "5ms" } } },
  "steps": [ { "together": [ { "acquire": { "as": "a", "hold": "20ms", "timeout": "10ms" } },
    { "acquire": { "as": "b", "hold": "20ms", "timeout": "10ms" } } ] } ],
  "expect": [ { "op": "a", "result": "ok" } ] }
END

# "VERDICT NAME ORDERS" for each scenario; a search that ends at a hit has not gone through all.
search() { # OPTION...
  status=0
  "$POOLPROOF" explore --no-db --strategy exhaustive "$@" "$temporary" >"$temporary/out" || status=$?
  if [ "$status" -ne 1 ]; then
    cat "$temporary/out" >&2
    echo "FAIL: expected status 1 of explore --strategy exhaustive $*, found $status" >&2
    exit 1
  fi
  sed -n -e 's/^\(PASS\)  *\([a-z0-9-]*\)  *all \([0-9]*\) orders hold;.*/\1 \2 \3/p' \
    -e 's/^\(FAIL\)  *\([a-z0-9-]*\) .*/\1 \2/p' "$temporary/out"
}

search >"$temporary/pruned"
search --no-pruning >"$temporary/all"
search --check-pruning >"$temporary/checked"
if [ "$(wc -l <"$temporary/all")" -ne 7 ] || ! grep -qx 'FAIL fails' "$temporary/all"; then
  cat "$temporary/all"
  echo "FAIL: expected six scenarios that hold in all orders and one that does not"
  exit 1
fi
for found in pruned checked; do
  if ! diff "$temporary/all" "$temporary/$found"; then
    echo "FAIL: expected what a search without pruning finds (<); found another verdict or number"
    echo "of orders (>) in $found"
    exit 1
  fi
done
echo "$(wc -l <"$temporary/all") searches find with and without pruning the same"
