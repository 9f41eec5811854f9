#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# gateway.sh BUILD [SCRIPT]   SIP through the whole of wicgate, beside Kamailio (gateway.py), or what another script here
# measures, in a namespace without a name
set -eu
exec env PATH="$PATH:/usr/sbin:/sbin" WICGATE_BUILD="$(realpath "$1")" unshare --net --mount --pid --fork --kill-child \
	--mount-proc python3 -B "$(dirname "$0")/${2:-gateway.py}"
