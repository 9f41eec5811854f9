#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# pool.sh [--short]   anonymous visitors of a site that lends pairs: each pair has one at a time (README.md)
set -eu
cd "$(dirname "$0")"
if [ "$(id -u)" != 0 ]; then
	echo "FAIL pool: needs root, it makes a network namespace"
	exit 1
fi
# The namespace (network, mounts, processes) has no name: the kernel takes it away, with all that runs in it, when
# pool.py ends for whatever reason.
exec env PATH="$PATH:/usr/sbin:/sbin" unshare --net --mount --pid --fork --kill-child --mount-proc \
	python3 -B pool.py "$@"
