#!/bin/sh
# schema.sh - holds scenarios/schema.json against the loader: every scenario below scenarios/ and
# every file in tests/valid is right for both, every file in tests/broken for neither (schema.py
# names those whose mistake no schema can express). The validator is Debian's python3-jsonschema.
set -eu

cd "$(dirname "$0")/../.."
: "${POOLPROOF:=$(pwd)/build/poolproof}"

find_python() {
  for python in python3 /usr/bin/python3; do
    if "$python" -c 'import jsonschema' >/dev/null 2>&1; then
      return 0
    fi
  done
  return 1
}

if ! find_python; then
  . scenarios/setup.sh
  # No other sign than the package itself says that Debian's own Python has the module.
  set_up '
python3-jsonschema  module  python3-jsonschema
'
  find_python || fail "python3-jsonschema is installed, yet no python3 finds the module jsonschema."
fi
exec "$python" tests/integration/schema.py "$POOLPROOF"
