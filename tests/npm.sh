#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# npm.sh   installs the JavaScript that the browser tests use, as the lock file has it, when it is not there yet
set -eu
cd "$(dirname "$0")/e2e"
installed=node_modules/.package-lock.json
[ ! -e $installed ] || [ package-lock.json -nt $installed ] || exit 0
log=$(mktemp)
npm ci --no-audit --no-fund >"$log" 2>&1 || { cat "$log"; rm -f "$log"; exit 1; }
rm -f "$log"
touch node_modules/.package-lock.json
