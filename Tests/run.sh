#!/bin/bash
# Installs what the tests need, builds, and runs all tests: units, architecture, end to end with real servers.
set -euo pipefail
cd "$(dirname "$0")/.."

conf/setup.sh test
swift build --build-tests

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# One test at a time: the end-to-end tests start real servers, and two cores suffice.
status=0
swift test --skip-build --no-parallel "$@" 2>&1 | tee "$log" || status=$?
if [ $status -ne 0 ]; then
  # The failures stand last, where they are seen first; the runner's count ends the output.
  printf '\nWhat failed:\n'
  grep -A 1 -E 'recorded an issue|Fatal error' "$log" | tail -n 60 || true
  grep -E 'Test run with' "$log" || true
fi
exit $status
