#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# handshakes.sh BUILD   TLS handshakes and idle TLS connections of wicgate, beside nginx, in a namespace without a name
set -eu
exec env PATH="$PATH:/usr/sbin:/sbin" WICGATE_BUILD="$(realpath "$1")" unshare --net --mount --pid --fork --kill-child \
	--mount-proc python3 -B "$(dirname "$0")/handshakes.py"
