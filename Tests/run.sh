#!/bin/bash
# Installs what the tests need, builds, and runs all tests: units, architecture, end to end with real servers.
set -euo pipefail
cd "$(dirname "$0")/.."

conf/setup.sh test
swift build --build-tests
# One test at a time: the end-to-end tests start real servers, and two cores suffice.
exec swift test --skip-build --no-parallel "$@"
