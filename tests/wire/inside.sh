#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# inside.sh [-u] PROGRAM [ARG...]   runs it in a network namespace of its own, with loopback up
# -u: with rights over that network and over nothing else: no BPF, no other user's files. Who is not root is so anyhow,
# in a user namespace. Where the machine allows no namespaces the test is skipped, which counts as a failure.
set -eu
how=-n
as=
if [ "$1" = -u ]; then
	as='setpriv --inh-caps=-all,+net_admin,+net_raw --bounding-set=-all,+net_admin,+net_raw'
	shift
fi
if [ "$(id -u)" != 0 ]; then
	how=-Urn
	as=
fi
unshare $how true 2>/dev/null || exit 77
exec unshare $how sh -c 'ip link set lo up && exec "$@"' inside.sh $as "$@"
