#!/bin/sh
# run.sh - from a fresh clone to a table of scenarios: installs what is missing, builds poolproof,
# runs the scenarios below this folder and records them in poolproof.db.
#
# usage: sh scenarios/run.sh [arguments of `poolproof run`]
# Paths are those of the folder that it is called from. Its status is that of the program: 0 all
# held, 1 a scenario failed, 2 bad usage or an invalid file, 3 no set-up, no build or a harness
# fault.
set -eu

called_from=$(pwd -P)
cd -P "$(dirname "$0")/.."
root=$(pwd)
. scenarios/setup.sh

# A path as it reads from the root.
from_root() { # PATH
  case $1 in
    /*) printf '%s' "$1" ;;
    *)
      [ "$called_from" = "$root" ] || printf '%s/' "$called_from"
      printf '%s' "$1"
      ;;
  esac
}

set_up "$requirements_build"
set_up_web "$requirements_web"
build_preset release build

database=poolproof.db
has_database=
has_path=
option=
remaining=$#
while [ "$remaining" -gt 0 ]; do
  argument=$1
  shift
  case $option in
    --db)
      argument=$(from_root "$argument")
      database=$argument
      option=
      ;;
    --junit)
      argument=$(from_root "$argument")
      option=
      ;;
    ?*) option= ;;
    *)
      case $argument in
        --db) has_database=yes option=$argument ;;
        --db=*)
          has_database=yes
          database=$(from_root "${argument#*=}")
          argument="--db=$database"
          ;;
        --junit=*) argument="--junit=$(from_root "${argument#*=}")" ;;
        --no-db | --help) has_database=yes database= ;;
        --seed | --jobs | --tag | --shard | --junit | --wall-limit) option=$argument ;;
        -*) ;;
        *) has_path=yes argument=$(from_root "$argument") ;;
      esac
      ;;
  esac
  set -- "$@" "$argument"
  remaining=$((remaining - 1))
done
[ -n "$has_database" ] || set -- --db "$database" "$@"
[ -n "$has_path" ] || set -- "$@" scenarios

status=0
build/poolproof run "$@" || status=$?

if [ -n "$database" ] && [ -f "$database" ] && [ "$status" -le 1 ]; then
  case $database in
    /*) ;;
    *) [ "$called_from" = "$root" ] || database=$root/$database ;;
  esac
  case $database in
    *' '*) database="'$database'" ;;
  esac
  cat <<END

To look at the results of this run:
  build/poolproof report $database --html report.html
  sqlite3 -box $database "select name, verdict, events, failure from scenario where run_id = (select max(id) from run)"
END
fi
exit "$status"
