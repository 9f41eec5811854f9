#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# inside.sh [-u] PROGRAM [ARG...]   runs it in a network namespace of its own, with loopback up
# -u: in a user namespace too, where it is root over that network and over nothing else. Without it, so does whoever
# is not root. Where the machine allows no namespaces the test is skipped.
set -eu
how=-n
[ "$(id -u)" = 0 ] || how=-Urn
if [ "$1" = -u ]; then
	how=-Urn
	shift
fi
unshare $how true 2>/dev/null || exit 77
exec unshare $how sh -c 'ip link set lo up && exec "$@"' inside.sh "$@"
