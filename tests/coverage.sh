#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# coverage.sh [-v] [FILE...]   builds TCP to count its lines (build-coverage), runs its unit tests, packet scripts, seeds
# 0-2000 of its simulator and the corpora of its fuzzers, and prints how much of each FILE of dataplane/tcp was reached
# (default: what TCP.md 8.5 names); -v: and which lines were not. Exit 1: a test failed, or a file is below 95 %.
# gcov comes with gcc. Takes some minutes.
set -eu
cd "$(dirname "$0")/.."
folder=build-coverage
rm -rf "$folder"
CC=gcc meson setup "$folder" --buildtype=debug -Dtests=true -Db_coverage=true -Db_lundef=false >"$folder.log" 2>&1 || {
	cat "$folder.log"
	exit 1
}
mv "$folder.log" "$folder/setup.log"
tests=$(meson test -C "$folder" --list 2>/dev/null | sed -n 's/^.*wicgate:\(unit\|fuzz\) \/ //p' |
	grep -E '^(tcp_|tcpscript_|fuzz_tcp_)' | grep -v -E '^tcp_(posix|tap)')
log=$folder/coverage.log
status=0
# shellcheck disable=SC2086
meson test -C "$folder" --num-processes 2 $tests >"$log" 2>&1 || status=1
ninja -C "$folder" tests/tcpsim/tcpsim >>"$log" 2>&1 &&
	"$folder/tests/tcpsim/tcpsim" --seeds 0-2000 --jobs 2 >>"$log" 2>&1 || status=1
[ $status = 0 ] || { grep -E 'FAIL|TIMEOUT|error' "$log" || tail -20 "$log"; echo "FAIL coverage: a test failed"; }
python3 -B tests/coverage.py "$folder" "$@" || status=1
exit $status
