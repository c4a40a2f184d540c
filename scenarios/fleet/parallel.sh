#!/bin/sh
# parallel.sh - shards on the machines that GNU parallel knows, or side by side on this one.
#
# usage: sh scenarios/fleet/parallel.sh SHARDS OUTPUT.db COMMAND [OPTIONS] PATH...
#   e.g. sh scenarios/fleet/parallel.sh 8 all.db explore --runs 100000 scenarios/bugs
# Options for parallel itself (--sshlogin, --jobs, ...) are read from $PARALLEL, as it does. Calling
# it again goes on: shards that were through are not run again (--resume). Status: 1 when a scenario
# did not pass, 2 or 3 as of poolproof.
set -eu

[ $# -ge 4 ] || {
  echo 'usage: sh scenarios/fleet/parallel.sh SHARDS OUTPUT.db COMMAND [OPTIONS] PATH...' >&2
  exit 2
}
shards=$1
output=$2
command=$3
shift 3
poolproof=${POOLPROOF:-build/poolproof}
folder=$output.shards
mkdir -p "$folder"

# One process for each shard: the shards are what runs side by side.
status=0
seq "$shards" | parallel --joblog "$folder/log" --resume --quote --keep-order \
  "$poolproof" "$command" --quiet --jobs 1 --shard "{}/$shards" --db "$folder/{}.db" "$@" || status=$?

# parallel's own status is how many jobs had one; theirs are in the log.
worst=$(awk -F '\t' 'NR > 1 && $7 > worst { worst = $7 } END { print worst + 0 }' "$folder/log")
[ "$status" -eq 0 ] || [ "$worst" -gt 0 ] || worst=3
"$poolproof" merge -o "$output" "$folder"/*.db || exit $?
exit "$worst"
