# setup.sh - what scenarios/run.sh and tests/run.sh have in common: the packages and the builds.
#
# To be sourced by sh in the repository's root. It asks nothing, and leaves the script with status
# 3 when something is lacking that it can not put right.
# shellcheck shell=sh disable=SC2034

# One requirement a line: Debian package, and what it brings, should it have come in another way:
# a command, a header, a module of pkg-config or of Python.
requirements_build='
gcc             command cc
libc6-dev       header  stdio.h
cmake           command cmake
ninja-build     command ninja
pkgconf         command pkg-config
libsqlite3-dev  module  sqlite3
libssl-dev      module  libcrypto
libcjson-dev    module  libcjson
libwebsockets-dev module libwebsockets
zlib1g-dev      module  zlib
sqlite3         command sqlite3
'
requirements_tests='
libcunit1-dev       module  cunit
libuv1-dev          module  libuv
nodejs              command node
npm                 command npm
libxml2-utils       command xmllint
patch               command patch
python3-jsonschema  python  jsonschema
python3-kubernetes  python  kubernetes
parallel            command parallel
cppcheck            command cppcheck
clang-tidy          command clang-tidy
valgrind            command valgrind
groff-base          command groff
dpkg-dev            command dpkg-shlibdeps
file                command file
zsh                 command zsh
fish                command fish
'
requirements_bench='
python3  command python3
'

# For the HTML report and its tests: without them everything else is built.
requirements_web='
npm       command npm
'
requirements_web_tests='
nodejs    command node
chromium  command chromium
'

fail() {
  printf '%s\n' "$@" >&2
  exit 3
}

is_there() { # KIND NAME
  case $1 in
    command) command -v "$2" >/dev/null 2>&1 ;;
    module) pkg-config --exists "$2" 2>/dev/null ;;
    python) python3 -c "import $2" 2>/dev/null ;;
    header) echo "#include <$2>" | "${CC:-cc}" -E - >/dev/null 2>&1 ;;
  esac
}

# Prints the packages that are lacking, each once. One look at dpkg decides where all are
# installed; only what it does not know is looked for otherwise.
missing_packages() { # REQUIREMENTS
  # shellcheck disable=SC2046 # package names have no blanks
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' \
    $(printf '%s' "$1" | sed 's/ .*//') 2>/dev/null | sed -n 's/^installed //p')
  printf '%s' "$1" | while read -r package kind name; do
    if [ -z "$package" ] || printf '%s\n' "$installed" | grep -qx "$package"; then
      continue
    fi
    is_there "$kind" "$name" || printf ' %s' "$package"
  done
}

install_packages() { # PACKAGE...
  command -v apt-get >/dev/null 2>&1 ||
    fail "This system has no apt-get, and these are lacking (names of Debian packages): $*" \
      "Install what corresponds to them here, then run this again."
  if [ "$(id -u)" -eq 0 ]; then
    as_root=
  elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root='sudo -n'
  else
    fail "These Debian packages are lacking: $*" \
      "They need root, and neither is this root nor does 'sudo' work without a password. Run:" \
      "  sudo apt-get update && sudo apt-get install -y --no-install-recommends $*"
  fi
  printf 'Installing with apt-get: %s\n' "$*"
  # A mirror that is down must not stop an install that its other sources can satisfy.
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update </dev/null ||
    echo 'apt-get update failed; trying to install all the same.' >&2
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 install "$@" </dev/null ||
    fail "apt-get could not install: $*" "Its own message is above. Put that right, then run this again."
}

set_up() { # REQUIREMENTS
  missing=$(missing_packages "$1")
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086 # package names have no blanks
  install_packages $missing
  missing=$(missing_packages "$1")
  [ -z "$missing" ] || fail "Installed, yet still not found:$missing"
}

# Puts what the HTML report is built with, and its tests run on, into build/web: the npm packages that
# reports/web/package-lock.json pins. Says so and goes on when they can not be had.
set_up_web() { # REQUIREMENTS
  (set_up "$1") || echo 'The HTML report is left out; everything else is built.' >&2
  command -v npm >/dev/null 2>&1 || return 0
  if cmp -s reports/web/package-lock.json build/web/installed-lock.json; then
    return 0
  fi
  mkdir -p build/web || fail "The folder build/web can not be made in $(pwd): see its permissions."
  cp reports/web/package.json reports/web/package-lock.json build/web/
  echo 'Getting what the HTML report is built with (npm)'
  if (cd build/web && npm ci --ignore-scripts --no-audit --no-fund --fetch-retries 1) >build/web/npm.log 2>&1 </dev/null; then
    cp reports/web/package-lock.json build/web/installed-lock.json
  else
    cat build/web/npm.log >&2
    echo 'npm could not get them, see above. The HTML report is left out; everything else is built.' >&2
  fi
}

# Reads ninja's lines: all go to the log; progress goes to the screen, one line of it where that is
# no terminal, none where nothing is to be built.
show_progress() { # NAME LOG
  begun=
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$2"
    case $line in
      *Re-checking* | *Re-running*) ;;
      \[*/*\]*)
        step=${line%%]*}
        step=${step#\[}
        if [ -t 1 ]; then
          printf '\rBuilding %s: %s' "$1" "$step"
        elif [ -z "$begun" ]; then
          printf 'Building %s (%s steps)\n' "$1" "${step#*/}"
        fi
        begun=yes
        ;;
    esac
  done
  if [ -n "$begun" ] && [ -t 1 ]; then
    printf '\n'
  fi
}

# Configures and builds a preset of CMakePresets.json. Silent when nothing has changed; what CMake
# and the compiler say is shown when they fail.
build_preset() { # PRESET FOLDER
  mkdir -p "$2" || fail "The folder $2 can not be made in $(pwd): see its permissions."
  log=$2/build.log
  fresh=
  # A folder that was built elsewhere, then copied or moved, is of no use to CMake.
  if [ -f "$2/CMakeCache.txt" ] &&
    ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$(pwd -P)" "$2/CMakeCache.txt"; then
    fresh=--fresh
  fi
  # shellcheck disable=SC2086 # $fresh is one word or none
  if ! cmake --preset "$1" $fresh >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    fail "CMake could not configure the preset $1: see above, or $log."
  fi
  {
    status=0
    cmake --build --preset "$1" 2>&1 </dev/null || status=$?
    echo $status >"$2/build.status"
  } | show_progress "$2" "$log"
  if [ "$(cat "$2/build.status")" -ne 0 ]; then
    grep -v '^\[[0-9]*/[0-9]*\] [BLR]' "$log" | sed '/^Preset CMake/,/^-- Build files/d' >&2
    fail "The preset $1 did not build: see above, or $log."
  fi
}

# Installs what a folder's package-lock.json names, once, into FOLDER/node_modules. Sets `log`.
install_node_modules() { # SOURCE FOLDER
  if [ -d "$2/node_modules" ] && cmp -s "$1/package-lock.json" "$2/package-lock.json"; then
    return 0
  fi
  mkdir -p "$2" && cp "$1/package.json" "$1/package-lock.json" "$2/" ||
    fail "The folder $2 can not be made in $(pwd): see its permissions."
  log=$2/npm.log
  if ! npm ci --prefix "$2" --ignore-scripts --no-audit --no-fund >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -rf "$2/node_modules" "$2/package-lock.json"
    fail "npm could not install what $1/package-lock.json names: see above."
  fi
}
