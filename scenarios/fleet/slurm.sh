#!/bin/sh
#SBATCH --job-name=poolproof
#SBATCH --array=1-16
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --mem-per-cpu=2G
#SBATCH --time=01:00:00
#SBATCH --requeue
#SBATCH --output=poolproof-%A_%a.log
#
# slurm.sh - a job array in which each task runs its shard, which it reads from Slurm's variables.
#
# usage: sbatch --export=ALL,SHARDS=/shared/shards scenarios/fleet/slurm.sh COMMAND [OPTIONS] PATH...
#   e.g. sbatch --array=1-64 scenarios/fleet/slurm.sh explore --runs 100000 scenarios/bugs
# From the repository's root, on a file system that all nodes share; $SHARDS (default: shards) is the
# folder for the databases. When the array is through: build/poolproof merge -o all.db shards/*.db
set -eu

shards=${SHARDS:-shards}
mkdir -p "$shards"
database=$shards/$SLURM_ARRAY_TASK_ID.db
[ $# -gt 0 ] || set -- run scenarios
command=$1
shift
# A task that Slurm starts anew begins its shard anew.
rm -f "$database" "$database-journal"
exec "${POOLPROOF:-build/poolproof}" "$command" --quiet --jobs "${SLURM_CPUS_PER_TASK:-1}" \
  --db "$database" "$@"
