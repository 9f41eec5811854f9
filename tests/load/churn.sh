#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# churn.sh [--short]   registered connections held, then churn: memory must not grow, pools must balance (README.md)
set -eu
cd "$(dirname "$0")"
if [ "$(id -u)" != 0 ]; then
	echo "FAIL churn: needs root, it makes a network namespace"
	exit 1
fi
# The namespace (network, mounts, processes) has no name: the kernel takes it away, with all that runs in it, when
# churn.py ends for whatever reason.
exec env PATH="$PATH:/usr/sbin:/sbin" unshare --net --mount --pid --fork --kill-child --mount-proc \
	python3 -B churn.py "$@"
