#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# run.sh BUILD   runs every benchmark of BUILD and prints its table
set -eu
build=$1
echo "machine: $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2-), load $(cut -d' ' -f1-3 /proc/loadavg)"
for program in "$build"/tests/bench/*/bench_*; do
	[ -f "$program" ] && [ -x "$program" ] || continue
	"$program"
done
python3 -B tests/bench/tcp/goodput.py "$build"
tests/bench/tls/handshakes.sh "$build"
tests/bench/gateway/gateway.sh "$build"
tests/bench/gateway/gateway.sh "$build" pools.py
tests/bench/gateway/gateway.sh "$build" rules.py
