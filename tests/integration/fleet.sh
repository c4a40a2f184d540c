#!/bin/sh
# fleet.sh - what lies in scenarios/fleet works: GNU parallel and a Slurm of one node run shards that
# merge to what one run gives; the Kubernetes manifest fits its schema and does its shard. What can
# not be tried on this machine is skipped, and why is said.
set -eu

work=$(mktemp -d "${TMPDIR:-/tmp}/poolproof-fleet.XXXXXX")
started=
stop() {
  for pid in $started; do
    kill "$pid" 2>/dev/null || true
  done
  for pid in $started; do # they write to the folder until they are gone
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap stop EXIT
unset SLURM_ARRAY_TASK_ID JOB_COMPLETION_INDEX CI_NODE_INDEX
export POOLPROOF
failures=0

fail() {
  echo "FAIL: $*"
  failures=$((failures + 1))
}

results() { # DB
  sqlite3 "$1" 'select id, name, variant, seed, verdict, timeline_sha256 from scenario order by id'
}

same() { # DB WHAT
  results "$1" >"$work/found"
  cmp -s "$work/whole" "$work/found" || {
    fail "$2: expected the results of one run, found others:"
    diff "$work/whole" "$work/found" | head -n 5
  }
}

"$POOLPROOF" run --quiet --db "$work/whole.db" scenarios/bugs >/dev/null
results "$work/whole.db" >"$work/whole"

echo 'GNU parallel.'
if command -v parallel >/dev/null 2>&1; then
  sh scenarios/fleet/parallel.sh 3 "$work/parallel.db" run scenarios/bugs >"$work/out" 2>&1 ||
    { fail 'parallel.sh:' && cat "$work/out"; }
  same "$work/parallel.db" parallel.sh
  # Again: nothing is left to run, and the same is merged.
  sh scenarios/fleet/parallel.sh 3 "$work/parallel.db" run scenarios/bugs >"$work/out" 2>&1 ||
    { fail 'parallel.sh, again:' && cat "$work/out"; }
  same "$work/parallel.db" 'parallel.sh, again'
  printf '{ "name": "no", "steps": [ { "acquire": { "as": "a" } } ],
    "expect": [ { "op": "a", "result": "canceled" } ] }' >"$work/no.json"
  status=0
  sh scenarios/fleet/parallel.sh 2 "$work/no.db" run "$work/no.json" >"$work/out" 2>&1 || status=$?
  [ "$status" -eq 1 ] || fail "parallel.sh: expected status 1 of a scenario that fails, found $status"
else
  fail 'expected GNU parallel: apt-get install parallel'
fi

echo 'Kubernetes.'
python=
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -c 'import kubernetes.client, yaml' >/dev/null 2>&1; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  echo 'FAIL: expected the Python module kubernetes: apt-get install python3-kubernetes'
  exit 1
fi
"$python" -B tests/integration/manifest.py scenarios/fleet/kubernetes-job.yaml "$work" ||
  failures=$((failures + 1))
mkdir "$work/pods"
for index in 0 1; do
  JOB_COMPLETION_INDEX=$index JOB_COMPLETIONS=2 sh -c "$(cat "$work/pod.sh")" >"$work/out" 2>&1 ||
    { fail "the pod's command, index $index:" && cat "$work/out"; }
done
"$POOLPROOF" merge -o "$work/pods.db" "$work"/pods/*.db >"$work/out" 2>&1 ||
  { fail 'the databases of two pods:' && cat "$work/out"; }
echo 'Slurm.'
slurm_reason() {
  for program in slurmctld slurmd munged sbatch; do
    command -v "$program" >/dev/null 2>&1 ||
      { echo "$program is not installed (Debian: slurmctld slurmd slurm-client munge)" && return; }
  done
  [ "$(id -u)" -eq 0 ] || echo 'its daemons have to be started by root'
}
reason=$(slurm_reason)
if [ -n "$reason" ]; then
  echo "SKIPPED: Slurm, because $reason"
  # The batch file itself, as a task would be started.
  for task in 1 2; do
    SLURM_ARRAY_TASK_ID=$task SLURM_ARRAY_TASK_COUNT=2 SLURM_ARRAY_TASK_MIN=1 SHARDS=$work/tasks \
      sh scenarios/fleet/slurm.sh run scenarios/bugs >"$work/out" 2>&1 ||
      { fail "slurm.sh, task $task:" && cat "$work/out"; }
  done
  "$POOLPROOF" merge -o "$work/slurm.db" "$work"/tasks/*.db >/dev/null
  same "$work/slurm.db" slurm.sh
else
  . tests/integration/slurm_node.sh
fi

[ "$failures" -eq 0 ]
