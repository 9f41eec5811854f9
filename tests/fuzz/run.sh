#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# run.sh [SECONDS] [TARGET...]   fuzzes each target for SECONDS (600); new inputs are kept in build-fuzz/found/TARGET,
# so that a later run goes on from there. Exit 1 when a target fails; its input is then in build-fuzz/TARGET-*.
set -eu
cd "$(dirname "$0")/../.."
seconds=600
case ${1:-} in [0-9]*) seconds=$1; shift ;; esac
CC=clang tests/build.sh build-fuzz --buildtype=debugoptimized -Dfuzz=true -Db_lundef=false
status=0
for fuzzer in build-fuzz/tests/fuzz/*/fuzz_*; do
	[ -f "$fuzzer" ] && [ -x "$fuzzer" ] || continue
	target=$(basename "$fuzzer" | sed 's/^fuzz_//')
	case " $* " in "  " | *" $target "*) ;; *) continue ;; esac
	mkdir -p "build-fuzz/found/$target"
	log=build-fuzz/$target.log
	if "$fuzzer" -max_total_time="$seconds" -artifact_prefix="build-fuzz/$target-" -print_final_stats=1 \
		"build-fuzz/found/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
		echo "ok fuzz $target: $seconds s, $runs runs"
	else
		tail -30 "$log"
		echo "FAIL fuzz $target"
		status=1
	fi
done
exit $status
