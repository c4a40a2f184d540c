# slurm_node.sh - a Slurm of one node, for fleet.sh, which sources this file: starts it on loopback,
# submits the batch file, waits for its tasks and merges what they left.
# shellcheck shell=sh disable=SC2154

node=$(hostname -s)
slurm=$work/slurm
mkdir -p "$slurm/state" "$slurm/spool" "$slurm/munge"
chmod 755 "$work" "$slurm"
dd if=/dev/urandom of="$slurm/munge.key" bs=1024 count=1 2>/dev/null
chmod 400 "$slurm/munge.key"
cat >"$slurm/slurm.conf" <<END
ClusterName=one
SlurmctldHost=$node(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$slurm/munge/socket
CredType=cred/munge
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/spool
SlurmctldPidFile=$slurm/slurmctld.pid
SlurmdPidFile=$slurm/slurmd.pid
SlurmctldLogFile=$slurm/slurmctld.log
SlurmdLogFile=$slurm/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=1000
PartitionName=all Nodes=$node Default=YES State=UP
END
export SLURM_CONF="$slurm/slurm.conf"

munged --foreground --force --key-file="$slurm/munge.key" --socket="$slurm/munge/socket" \
  --pid-file="$slurm/munge.pid" --log-file="$slurm/munge.log" --seed-file="$slurm/munge.seed" \
  >"$slurm/munged.out" 2>&1 &
started="$started $!"
slurmctld -D >"$slurm/slurmctld.out" 2>&1 &
started="$started $!"
slurmd -D >"$slurm/slurmd.out" 2>&1 &
started="$started $!"

tries=0
until [ "$(sinfo -h -o %T 2>/dev/null)" = idle ] || [ "$tries" -eq 100 ]; do
  sleep 0.2
  tries=$((tries + 1))
done
if [ "$tries" -eq 100 ]; then
  echo "SKIPPED: Slurm, because its daemons did not come up in 20 s on this machine:"
  tail -n 2 "$slurm"/munged.out "$slurm"/slurmctld.out "$slurm"/slurmd.out | sed 's/^/    /'
else
  SHARDS=$work/tasks timeout 120 sbatch --wait --array=0-4 --cpus-per-task=1 --mem-per-cpu=100M \
    --output="$slurm/task-%a.log" scenarios/fleet/slurm.sh run scenarios/bugs >"$work/out" 2>&1 ||
    { fail 'the job array:' && cat "$work/out" "$slurm"/task-*.log "$slurm/slurmd.log"; }
  "$POOLPROOF" merge -o "$work/slurm.db" "$work"/tasks/*.db >"$work/out" 2>&1 ||
    { fail 'the databases of the tasks:' && cat "$work/out"; }
  same "$work/slurm.db" slurm.sh
  echo "a job array of 5 tasks ran on $(sinfo -h -o %N)"
fi
